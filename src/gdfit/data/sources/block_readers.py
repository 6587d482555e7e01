"""The numbers and words in a block of text: as Arrow's CSV reader finds them, and as the plain
reader does, by nothing but the definition.

Arrow's idea of CSV is that of `gdfit.data.text.fields`, but for a few things: what a quote means
that is not at an end of its field, blanks around words, and which words it takes for numbers
(``NAN``, ``inf``). Where these are in a block, or anything is wrong with it, functions return None:
the plain reader then reads the block or says what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfit.data.arrow import UnreadableError, batch_of, stored_in
from gdfit.data.batch import Asked, Batch, BrokenRow, Level, Words
from gdfit.data.text import fields
from gdfit.data.text.blocks import (
    Block,
    Positions,
    at_start,
    find_quotes,
    in_quotes,
    in_rows,
    rows_where,
    spans_of_rows,
    table_of,
)
from gdfit.data.text.fields import WHITE_SPACE, Grammar, RowError, shown
from gdfit.errors import quoted

LINE_ENDS = b"\r\n"


def read_by_arrow(
    block: Block,
    grammar: Grammar,
    width: int,
    asked: Sequence[Asked],
    *,
    missing: bool,
    retry: bool = True,
) -> Batch | None:
    """The rows of a block, of the columns that are `asked` for; rows must have `width` fields each.
    A field that is `missing` is NaN or -1, if there may be any. Where blanks may be in the way,
    there is another try without them, or none."""
    import pyarrow as pa
    from pyarrow import csv

    if not is_plain(block, grammar):
        return None
    # Of a column that is asked for as both, the words say the numbers, too.
    kinds = dict(sorted({*asked}, key=lambda column: column[1] != "number"))
    words = pa.dictionary(pa.int32(), pa.binary())
    types = {"number": pa.float64(), "word": words, "exact": words}
    numbers = [place for place, kind in kinds.items() if kind == "number"]
    spelled = {place for place in numbers if not grammar.at(place).spelling.is_plain}
    conversion = csv.ConvertOptions(
        column_types={
            str(place): pa.binary() if place in spelled else types[kind]
            for place, kind in kinds.items()
        },
        include_columns=[*map(str, kinds)],
        # Arrow is slower with words for missing fields.
        null_values=[word.decode() for word in grammar.missing_words] if missing else [],
        decimal_point=grammar.decimal if grammar.decimal.isascii() else ".",
        check_utf8=False,
    )
    is_spaced = grammar.delimiter == WHITE_SPACE
    text: bytes | None = block.text
    # Of a single column, what is trimmed has no lines of nothing but blanks.
    if is_spaced or width == 1 or (len(block.quotes) and not are_at_ends(block, grammar)):
        text = trimmed(block, grammar)
    table = parsed(text, grammar, width, conversion)
    if table is None and retry and text is block.text:  # blanks may be in the way
        table = parsed(trimmed(block, grammar), grammar, width, conversion)
    if table is None:
        return None
    columns = {place: table.column(str(place)) for place in kinds}
    try:
        batch = batch_of(table.num_rows, columns, asked, grammar, may_miss=missing)
    except UnreadableError:
        return None
    # Arrow takes some words for an infinite number or for none, as ``NAN``; what stands for a null
    # in its memory is 0.
    if np.isnan(batch.numbers).any() and not all(
        np.isfinite(stored_in(part, np.float64)).all()
        for place in {*numbers} - spelled
        for part in columns[place].chunks
    ):
        return None
    return batch


def parsed(text: bytes | None, grammar: Grammar, width: int, conversion: Any) -> Any:
    """The columns of a text, which are called by their places, as an Arrow table; None where Arrow
    refuses, or there is none."""
    import pyarrow as pa
    from pyarrow import csv

    if text is None:
        return None
    names = [*map(str, range(width))]
    mark = "\t" if grammar.delimiter == WHITE_SPACE else grammar.delimiter
    read = csv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1)
    parse = csv.ParseOptions(delimiter=mark, quote_char=grammar.quote, newlines_in_values=True)
    try:
        return csv.read_csv(pa.py_buffer(text), read, parse, conversion)
    except (pa.ArrowInvalid, pa.ArrowKeyError):  # the latter where all of it is of fewer columns
        return None


def fields_in_rows(block: Block, grammar: Grammar, starts: Positions) -> Positions | None:
    """How many fields the rows of a block have, which start there, 0 where a quote only seems to
    open one; None where that can't be told soon."""
    if grammar.delimiter == WHITE_SPACE or len(block.quotes) % 2 or not len(starts):
        return None
    text = np.frombuffer(block.text, np.uint8)
    ends = text == ord(grammar.delimiter)
    if grammar.quote.encode() not in block.text:
        return 1 + np.add.reduceat(ends.view(np.uint8), starts, dtype=np.int64)
    ends &= ~in_quotes(block.quotes, len(text))
    counts: Positions = 1 + np.add.reduceat(ends.view(np.uint8), starts, dtype=np.int64)
    counts[np.searchsorted(starts, seem_to_open(block, grammar), "right") - 1] = 0
    return counts


def seem_to_open(block: Block, grammar: Grammar) -> Positions:
    """The positions of the quotes at the start of a field that do not open it."""
    text = np.frombuffer(block.text, np.uint8)
    others = text == ord(grammar.quote)
    if np.count_nonzero(others) == len(block.quotes):
        return np.empty(0, np.int64)
    others &= ~in_quotes(block.quotes, len(text))
    others[block.quotes] = False
    positions = np.flatnonzero(others)
    return positions[at_start(text, positions, grammar)]


def rows_of_words(
    block: Block,
    grammar: Grammar,
    width: int,
    asked: Sequence[Asked],
    starts: Positions,
    apart: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Which rows of a block, that start there, have a word where numbers are `asked` for, but for
    those that are `apart`; all where that can't be told soon."""
    import pyarrow as pa
    from pyarrow import compute, csv

    numbers = sorted({str(each.place) for each in asked if each.kind != "word"})
    types = dict.fromkeys(numbers, pa.binary())
    conversion = csv.ConvertOptions(check_utf8=False, column_types=types, include_columns=numbers)
    found = np.ones(len(starts), bool)
    table = parsed(rows_where(~apart, starts, block.text), grammar, width, conversion)
    if table is None or table.num_rows != np.count_nonzero(~apart):
        return found
    known = pa.array([b"", *grammar.missing_words], pa.binary())
    words = np.zeros(table.num_rows, bool)
    for place, column in zip(numbers, table.columns, strict=True):
        number = grammar.at(int(place)).spelling.pattern
        said = compute.match_substring_regex(column, rf"^[ \t]*({number})[ \t]*$")
        said = compute.or_(said, compute.is_in(column, known))
        words |= ~said.combine_chunks().to_numpy(zero_copy_only=False)
    found[~apart] = words
    return found & ~apart


def is_plain(block: Block, grammar: Grammar) -> bool:
    """Whether there are no backslashes that mean something, and no quote that only seems to open a
    field."""
    if len(block.quotes) % 2 or (grammar.escape and b"\\" in block.text):
        return False
    return grammar.quote.encode() not in block.text or not len(seem_to_open(block, grammar))


def are_at_ends(block: Block, grammar: Grammar) -> bool:
    """Whether each quote that opens a field begins it, and each that closes one ends it."""
    ends = table_of(grammar.delimiters + LINE_ENDS)
    text = np.frombuffer(block.text, np.uint8)
    before, after = block.quotes[::2] - 1, block.quotes[1::2] + 1
    if len(before) and before[0] < 0:
        before = before[1:]
    if len(after) and after[-1] == len(text):
        after = after[:-1]
    return bool(ends[text[before]].all() and ends[text[after]].all())


def trimmed(block: Block, grammar: Grammar) -> bytes | None:
    """The text without blanks around fields, with one tab between those that white space is
    between; None where a quote is still not at an end of its field."""
    text = np.frombuffer(block.text, np.uint8)
    blank = table_of(grammar.blanks)[text]
    if len(block.quotes):
        blank &= ~in_quotes(block.quotes, len(text))
    spaced = grammar.delimiter == WHITE_SPACE
    ends = table_of(LINE_ENDS if spaced else grammar.delimiters + LINE_ENDS)
    edges = np.flatnonzero(np.diff(blank, prepend=False, append=False))
    starts, stops = edges[::2], edges[1::2]
    at_start, at_stop = starts == 0, stops == len(text)
    outside = at_start | at_stop | ends[text[starts - 1]] | ends[text[stops - at_stop]]
    keep = ~blank
    if spaced:
        text = text.copy()
        kept = starts[~outside]
        text[kept], keep[kept] = ord("\t"), True
    else:
        keep[blank] = np.repeat(~outside, stops - starts)
    result = text[keep].tobytes()
    if len(block.quotes):
        moved = np.cumsum(keep)[block.quotes] - 1
        after = Grammar("\t") if spaced else grammar
        if not are_at_ends(block._replace(text=result, quotes=moved), after):
            return None  # as where a blank is the delimiter, and around fields, too
    return result


def read_but_broken(
    block: Block, grammar: Grammar, width: int, asked: Sequence[Asked], *, missing: bool
) -> Batch:
    """The rows of a block as the plain reader reads them without those that can't be read; by
    Arrow, but for the rows that it would not read.

    Raises
    ------
    RowError : for the first row with a missing field, where there may be none.
    """
    starts, _ = spans_of_rows(block, grammar)

    def apart(doubtful: NDArray[np.bool_]) -> Batch | None:
        """All rows, the `doubtful` ones by the plain reader, and those that it can read by Arrow
        with all others; None where they can't be read so."""
        if 4 * np.count_nonzero(doubtful) > len(doubtful):
            return None
        alone = np.frombuffer(block.text, np.uint8).copy()
        is_apart = in_rows(doubtful, starts, len(alone))
        alone[~is_apart & ~table_of(b"\r\n")[alone]] = ord(grammar.blanks[-1:])
        text = alone.tobytes()  # of the same lines
        quotes = find_quotes(text, grammar, ended=True)
        if not np.array_equal(quotes, block.quotes[is_apart[block.quotes]]):
            return None  # quotes that close here, and not there
        alike = Block(text, quotes, block.line, text)
        read = read_plainly(alike, grammar, width, asked, missing=True, skip_broken=True)
        doubtful[np.flatnonzero(doubtful)[read.rows]] = False
        text = rows_where(~doubtful, starts, block.text)
        others = Block(text, find_quotes(text, grammar, ended=True), block.line, text)
        batch = read_by_arrow(others, grammar, width, asked, missing=missing)
        return batch and batch._replace(rows=np.flatnonzero(~doubtful), broken=read.broken)

    batch, counts = None, fields_in_rows(block, grammar, starts)
    if counts is not None:
        doubtful = counts != width
        batch = apart(doubtful)
        if batch is None:
            doubtful |= rows_of_words(block, grammar, width, asked, starts, doubtful)
            batch = apart(doubtful)
    return batch or read_plainly(block, grammar, width, asked, missing=missing, skip_broken=True)


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
