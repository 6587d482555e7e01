"""Rows of CSV by nothing but the definition: numbers and words, or what is wrong with a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from gdfit.data.batch import Asked, Batch, BrokenRow, Level, Words
from gdfit.data.text import fields
from gdfit.data.text.blocks import Block
from gdfit.data.text.fields import Grammar, RowError, shown
from gdfit.errors import quoted


def read_plainly(
    block: Block,
    grammar: Grammar,
    width: int,
    asked: Sequence[Asked],
    *,
    missing: bool,
    skip_broken: bool = False,
) -> Batch:
    """The rows of a block, of the columns that are `asked` for. The plain reader is made of nothing
    but the definition, reads anything, and says what is wrong.

    Parameters
    ----------
    width : how many fields a row has to have.
    missing : whether a field of these columns may be missing, and is NaN or -1 then.
    skip_broken : whether to leave out rows that can't be read, but for missing fields.

    Raises
    ------
    RowError : for the first row that can't be read, in the first of its columns that can't.
    """
    columns = sorted({*asked})
    code_of: dict[Asked, dict[Level, int]] = {column: {} for column in columns}
    read_rows, rows, broken = list[list[float]](), list[int](), list[BrokenRow]()
    may_miss = missing or skip_broken
    counted = 0, block.line

    def line_at(position: int) -> int:
        """On which line a position is, none before the one that was asked for last."""
        nonlocal counted
        start, line = counted
        counted = position, fields.line_at(block.text[start:position], position - start, line)
        return counted[1]

    def read_row(record: fields.Record, *, missing: bool) -> list[float]:
        """The numbers and codes of a row, in the order of the `columns`."""
        check_form(record, grammar, width, line_at)
        values = list[float]()
        for column in columns:
            try:
                field = record.fields[column.place]
                own = grammar.at(column.place)
                if column.kind == "number":
                    values.append(fields.read_number(field, own, missing=missing))
                    continue
                read = fields.read_word if column.kind == "word" else fields.read_exact
                level, known = read(field, own, missing=missing), code_of[column]
                values.append(-1 if level is None else known.setdefault(level, len(known)))
            except ValueError as error:
                raise RowError(str(error), line_at(record.start), column.place) from None
        return values

    row = 0
    try:
        for row, record in enumerate(fields.records(block.text, grammar)):
            try:
                values = read_row(record, missing=may_miss)
            except RowError as fault:
                if not skip_broken:
                    raise
                broken.append(BrokenRow(fault.line - block.line + 1, fault.what, fault.place))
                continue
            if may_miss and not missing and any(map(is_missing, columns, values)):
                read_row(record, missing=False)
            read_rows.append(values)
            rows.append(row)
    except RowError as fault:
        fault.rows_before = row
        raise
    read = dict(zip(columns, zip(*read_rows, strict=True), strict=True)) if rows else {}
    numbers = np.array([read.get(each, ()) for each in asked if each.kind == "number"], np.float64)
    words = [
        Words(np.array(read.get(each, ()), np.int64), [*code_of[each]])
        for each in asked
        if each.kind != "number"
    ]
    numbers = numbers.reshape(len(numbers), len(rows)).T
    return Batch(numbers, tuple(words), np.array(rows, np.int64), tuple(broken))


def is_missing(column: Asked, value: float) -> bool:
    """Whether what is read of a column stands for a missing field."""
    return math.isnan(value) if column.kind == "number" else value < 0


def check_form(
    record: fields.Record, grammar: Grammar, width: int, line_at: Callable[[int], int]
) -> None:
    """Raise where a row has not `width` fields; `line_at` tells its line."""
    row = record.fields
    last = row[-1].rstrip(grammar.blanks)
    if last.startswith(grammar.quote.encode()) and not grammar.quoted.fullmatch(last):
        what = "a quote opens a field here that does not end"
        if closed := grammar.quoted.match(last):
            what = "a quote opens a field here, and after it closes there is "
            what += shown(last[closed.end() :])
        raise RowError(what, line_at(record.end))
    if len(row) != width:
        raise RowError(of_other_width(len(row), row[0], width), line_at(record.start))


def of_other_width(count: int, first: bytes, width: int) -> str:
    """What is wrong with a row of so many fields, and this first one, that should have `width`."""
    found = "1 field" if count == 1 else f"{count} fields"
    mark = first[:1].decode(errors="replace")
    comment = f"; `comment` {quoted(mark)} leaves out comments"
    hint = comment if mark and mark in fields.MARKS else ""
    return f"has {found}, not {width} as the first line has{hint}"
