"""Columns by themselves: how their numbers or dates are written, and what each field says, as the
plain reader and Arrow's have it, against the oracle."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pyarrow as pa

from fuzz import oracle
from fuzz.cases import NO_DATES, ODDITIES, mutated, random_number, random_style, random_writing
from fuzz.dated import Dates, dates_of
from fuzz.written import Spelling, is_plain_or_infinite, plain_number, spelling_of
from gdfit.data.arrow import UnreadableError, batch_of
from gdfit.data.batch import Asked
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import Grammar, read_number
from gdfit.data.text.spellings import find_spelling

BLANKS = " \t"


def check(seed: int) -> None:
    """Raise AssertionError if gdfit reads a column that comes from `seed` as it should not."""
    random = Random(seed)
    style = replace(random_style(random), delimiter=";", comment="")
    writing = random_writing(random, style)
    others = [writing, random_writing(random, style)]
    odd = random.choice([0, 0, 0.1, 0.3])
    fields = []
    for _ in range(random.choice([1, 2, 3, 5, 8])):
        said = random_number(random, random.choice(others) if odd else writing)
        if random.random() < odd:
            said = random.choice([*ODDITIES, *NO_DATES])
        if random.random() < odd / 2:
            said = mutated(random, said.encode().decode("latin-1"))
            said = said.encode("latin-1").decode(errors="replace")
        if not {"\n", "\r"} & {*said} and said.strip(BLANKS)[:1] != '"':
            fields.append(said.strip(BLANKS))
    check_column(style, fields)


def check_column(style: oracle.Style, fields: list[str]) -> None:
    """Raise AssertionError if gdfit reads a column of these fields otherwise than the oracle."""
    missing = oracle.Table([], style, 1, 0).missing
    present = [said for said in fields if said not in missing]
    spelling: Spelling | Dates = spelling_of(present, style.decimal, style.thousands)
    if spelling.is_plain:
        spelling = dates_of(present, style.dates) or spelling
    dialect = Dialect(";", style.decimal or None, style.missing, thousands=style.thousands or None)
    grammar = replace(dialect.grammar(";"), dates=style.dates or None)
    is_plain = all(is_plain_or_infinite(said, style.point) for said in present)
    if not is_plain or style.thousands:
        how = (style.decimal or None, style.thousands or None, style.dates or None)
        found, doubt = find_spelling(present, *how)
        if found and not found.is_plain:
            grammar = replace(grammar, spellings=((0, found),))
        told = (style, fields, found, spelling)
        assert doubt == spelling.doubt, told
    of_words = {plain_number(word, style.point) for word in missing} - {None}
    values: list[float | None] = []
    for said in fields:
        value = oracle.value_of(said, spelling)
        expected: float | None = value
        if said in missing or (value in of_words and not isinstance(spelling, Dates)):
            expected = math.nan
        elif value is None or math.isinf(value):
            expected = None
        values.append(expected)
    plainly = [read(said, grammar) for said in fields]
    assert repr(plainly) == repr(values), (plainly, values, style, fields, spelling)
    if not grammar.at(0).spelling.is_plain:
        column = pa.array([said.encode() for said in fields], pa.large_binary())
        refused: int | None
        try:
            batch = batch_of(len(fields), {0: column}, [Asked(0)], grammar, may_miss=True)
            at_once = batch.numbers[:, 0].tolist()
        except UnreadableError as error:
            refused = error.row
        else:
            refused = None
            assert repr(at_once) == repr(values), (at_once, values, style, fields, spelling)
        assert refused is None or values[refused] is None, (refused, values, style, fields)


def read(said: str, grammar: Grammar) -> float | None:
    """What gdfit reads in a field; None where it can't."""
    try:
        return float(read_number(said.encode(), grammar.at(0), missing=True))
    except ValueError:
        return None
