"""The plain reader: made of nothing but the definition in `gdfit.data.text.fields`, it reads
anything, and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gdfit.data.batch import Asked, Batch, Words, by_kind
from gdfit.data.text import fields
from gdfit.errors import quoted


class RowError(ValueError):
    """A row can't be read: why, on which line, and in which column of the file if it is in one."""

    def __init__(self, what: str, line: int, place: int | None = None) -> None:
        self.what, self.line, self.place = what, line, place


def read_plainly(
    text: bytes,
    grammar: fields.Grammar,
    width: int,
    asked: Sequence[Asked],
    *,
    missing: bool,
    line: int = 1,
) -> Batch:
    """The rows of `text`, of the columns that are `asked` for.

    Parameters
    ----------
    width : how many fields a row has to have.
    missing : whether a field of these columns may be missing, and is NaN or -1 then.
    line : the number of the first line.

    Raises
    ------
    RowError : for the first row that can't be read, in the first of its columns that can't.
    """
    numeric, verbal = by_kind(asked)
    in_file = sorted({*asked})
    numbers: dict[int, list[float]] = {place: [] for place in numeric}
    codes: dict[int, list[int]] = {place: [] for place in verbal}
    code_of: dict[int, dict[str, int]] = {place: {} for place in verbal}
    count = 0
    for record in fields.records(text, grammar):
        check_form(record, text, width, line)
        count += 1
        for place, kind in in_file:
            field = record.fields[place]
            try:
                if kind == "number":
                    numbers[place].append(fields.read_number(field, grammar, missing=missing))
                    continue
                fields.check_there(field, grammar, missing=missing)
            except ValueError as error:
                raise RowError(
                    str(error), fields.line_at(text, record.start, line), place
                ) from None
            said, known = fields.content(field, grammar), code_of[place]
            word = said.decode(errors="surrogateescape")
            missed = grammar.is_missing(said)
            codes[place].append(-1 if missed else known.setdefault(word, len(known)))
    rows = np.empty((count, len(numeric)), order="F")
    for at, place in enumerate(numeric):
        rows[:, at] = numbers[place]
    words = tuple(Words(np.array(codes[place], np.int64), [*code_of[place]]) for place in verbal)
    return Batch(rows, words, np.arange(count))


def check_form(record: fields.Record, text: bytes, width: int, line: int) -> None:
    """Raise where a row of `text`, which begins on this line, has not `width` fields."""
    row = record.fields
    if fields.is_open(row[-1]):
        at = fields.line_at(text, len(text) - len(row[-1]), line)
        raise RowError("a quote opens a field here that does not end", at)
    if len(row) != width:
        count = "1 field" if len(row) == 1 else f"{len(row)} fields"
        mark = row[0][:1].decode(errors="replace")
        hint = (
            f"; `comment` {quoted(mark)} leaves out comments"
            if mark and mark in fields.MARKS
            else ""
        )
        what = f"has {count}, not {width} as the first line has{hint}"
        raise RowError(what, fields.line_at(text, record.start, line))
