"""What the columns of a data file hold, by its first rows: numbers or dates, however they are
written, or text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import Grammar, says_number
from gdfit.data.text.sniffing import HeadRow
from gdfit.data.text.spellings import (
    OTHER_MARK,
    SPELLINGS,
    DateSpelling,
    Found,
    Spelling,
    find_spelling,
)

GROUPED = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+")  # which may have points for thousands


class Held(NamedTuple):
    """What a column holds in the first lines: how many numbers, missing fields and words, and the
    first of the words; and its levels, where they have an order of their own.

    spelling : how its numbers are written, where that is not by their decimal mark alone; and the
        first that shows it.
    doubt : as in `gdfit.data.text.spellings.Found`.
    values : what the fields say, each once.
    is_key : whether they are whole numbers of which none is below the one before, as those that
        rows are numbered by.
    """

    numbers: int = 0
    missing: int = 0
    words: int = 0
    word: str = ""
    order: tuple[str, ...] = ()
    spelling: Spelling | None = None
    example: str = ""
    doubt: str = ""
    values: tuple[str, ...] = ()
    is_key: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether it is a column of numbers, and not of text in most lines or nothing at all."""
        return self.words < self.numbers or self.words == self.numbers > 0 or not any(self[:3])

    @property
    def is_dated(self) -> bool:
        """Whether these numbers are dates."""
        return isinstance(self.spelling, DateSpelling)


def look_at(
    rows: Sequence[HeadRow], names: Sequence[str], grammar: Grammar, dialect: Dialect
) -> tuple[Held, ...]:
    """What the columns hold in `rows`. A number with the other decimal mark counts as one where all
    numbers may have that mark, so that it is told as a fault and not taken for text."""
    width, known = len(names), dict(dialect.known)
    columns = list(zip(*(row.fields for row in rows if len(row.fields) == width), strict=True))
    decimal, other = grammar.decimal, OTHER_MARK.get(grammar.decimal, ",")
    either = other != grammar.delimiter and not any(
        decimal in field and says_number(field, decimal) and not GROUPED.fullmatch(field)
        for column in columns
        for field in column
    )

    def held(name: str, column: Sequence[str]) -> Held:
        present = [field for field in column if field not in grammar.missing]
        absent = len(column) - len(present)
        words = [field for field in present if not says_number(field, decimal)]
        before = known.get(name)
        if not (words or before or dialect.thousands):  # most columns
            found = Found(None)
        else:
            marks = dialect.decimal, dialect.thousands
            found = find_spelling(present, *marks, dates=dialect.dates, before=before)
        if found.spelling and not found.spelling.is_plain:
            return held_as(found, present, absent)
        if either:
            words = [field for field in words if not says_number(field, other)]
        word, example = words[0] if words else "", ""
        if dialect.decimal == "," and find_spelling(present).doubt == ",":
            shows = (field for field in present if "," in field and says_number(field, decimal))
            example = next(shows, "")
        numbers = [field for field in present if field not in words]
        held = Held(len(numbers), absent, len(words), word, example=example)
        return held._replace(values=tuple(dict.fromkeys(present)), is_key=are_keys(numbers))

    if not columns:
        return (Held(),) * width
    found = tuple(map(held, names, columns))
    has_commas = any(getattr(each.spelling, "point", "") == "," for each in found)
    return tuple(map(doubted, found)) if has_commas and not dialect.decimal else found


def doubted(held: Held) -> Held:
    """What a column holds beside one with decimal commas: where each of its points stands before
    three digits, it can't be told what they are."""
    points = [value for value in held.values if "." in value]
    if held.spelling or held.words or not points or not all(map(GROUPED.fullmatch, points)):
        return held
    spelling = find_spelling(points, thousands=".").spelling
    return held._replace(spelling=spelling, example=points[0], doubt=".") if spelling else held


def are_keys(numbers: Sequence[str]) -> bool:
    """Whether these are whole numbers, none of them below the one before."""
    if not all(map(str.isdecimal, numbers)):
        return False
    return len(numbers) > 1 and all(int(one) <= int(other) for one, other in pairwise(numbers))


def held_as(found: Found, present: Sequence[str], absent: int) -> Held:
    """What a column holds whose fields, but for so many, are numbers of a spelling of their own; an
    example has as many marks as there are."""
    spelling = found.spelling
    assert spelling
    numbers = [*filter(spelling.takes, present)]
    words = [field for field in present if field not in numbers]
    shows = [field for field in numbers if not SPELLINGS[spelling.point].takes(field)]
    if found.doubt:
        shows = [field for field in numbers if found.doubt in field]
    example = max(shows, key=lambda field: len({*field} - {*"0123456789"}), default="")
    word = words[0] if words else ""
    values = tuple(dict.fromkeys(present))
    return Held(len(numbers), absent, len(words), word, (), spelling, example, found.doubt, values)


def spelled(grammar: Grammar, held: Sequence[Held]) -> Grammar:
    """The grammar of columns that hold this."""
    own = ((place, each.spelling) for place, each in enumerate(held))
    return replace(grammar, spellings=tuple((at, found) for at, found in own if found))
