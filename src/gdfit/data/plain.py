"""The plain reader: made of nothing but the definition in `gdfit.data.fields`, it reads anything,
and says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import Words
from gdfit.data.fields import (
    MARKS,
    Grammar,
    Record,
    check_there,
    content,
    is_open,
    line_at,
    read_number,
    records,
)
from gdfit.errors import quoted


class RowError(ValueError):
    """What is wrong with a row, on which line, and in which column of the file if it is in one."""

    def __init__(self, what: str, line: int, place: int | None = None) -> None:
        self.what, self.line, self.place = what, line, place


def read_plainly(
    text: bytes,
    grammar: Grammar,
    width: int,
    places: Sequence[int],
    *,
    missing: bool,
    line: int = 1,
    texts: Sequence[int] = (),
) -> FloatArray:
    """The numbers of all rows of `text` in the columns at `places`, shape (rows, places).

    Parameters
    ----------
    width : how many fields a row has to have.
    missing : whether a field at these places may be missing, and is NaN then.
    line : the number of the first line.
    texts : columns that are looked at, too, whether a field is missing.

    Raises
    ------
    RowError : for the first row that can't be read, in the first of its columns that can't.
    """
    in_file = sorted(set(places))
    rows: list[list[float]] = []
    for record in records(text, grammar):
        check_form(record, text, width, line)
        row: list[float] = []
        for place in sorted({*in_file, *texts}):
            field = record.fields[place]
            try:
                if place in texts:
                    check_there(field, grammar, missing=missing)
                if place in in_file:
                    row.append(read_number(field, grammar, missing=missing))
            except ValueError as error:
                raise RowError(str(error), line_at(text, record.start, line), place) from None
        rows.append(row)
    values = np.array(rows, float).reshape(len(rows), len(in_file))
    return values[:, [in_file.index(place) for place in places]]


def read_words(
    text: bytes, grammar: Grammar, width: int, places: Sequence[int], line: int = 1
) -> tuple[Words, ...]:
    """What the fields in the columns at `places` say, each word once; -1 where one is missing."""
    codes: list[list[int]] = [[] for _ in places]
    code_of: list[dict[str, int]] = [{} for _ in places]
    for record in records(text, grammar):
        check_form(record, text, width, line)
        for place, of_one, known in zip(places, codes, code_of, strict=True):
            said = content(record.fields[place], grammar)
            word = said.decode(errors="surrogateescape")
            missing = grammar.is_missing(said)
            of_one.append(-1 if missing else known.setdefault(word, len(known)))
    return tuple(
        Words(np.array(of_one, np.int64), list(known))
        for of_one, known in zip(codes, code_of, strict=True)
    )


def check_form(record: Record, text: bytes, width: int, line: int) -> None:
    """Raise where a row of `text`, which begins on this line, has not `width` fields."""
    fields = record.fields
    if is_open(fields[-1]):
        at = line_at(text, len(text) - len(fields[-1]), line)
        raise RowError("a quote opens a field here that does not end", at)
    if len(fields) != width:
        count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
        mark = fields[0][:1].decode(errors="replace")
        hint = f"; `comment` {quoted(mark)} leaves out comments" if mark and mark in MARKS else ""
        what = f"has {count}, not {width} as the first line has{hint}"
        raise RowError(what, line_at(text, record.start, line))
