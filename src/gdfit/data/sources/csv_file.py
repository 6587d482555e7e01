"""A CSV file, read once from top to bottom: numbers and words, or what is wrong with a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import numpy as np

from gdfit.data.batch import Asked, Batch, Level, Unit, Words
from gdfit.data.data_file import Progress
from gdfit.data.sources.arrow_reader import read_by_arrow
from gdfit.data.sources.source import BLOCK_BYTES, Source
from gdfit.data.text import fields
from gdfit.data.text.blocks import UNIT_BYTES, Block, UnitCutter
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import Grammar, RowError
from gdfit.data.text.header import Layout, find_layout
from gdfit.errors import FieldError, GdfitError, quoted

HEAD_BYTES = 1 << 19  # to import pyarrow takes longer than to read so much without it
Suits = Callable[[Layout], bool]
"""Whether a layout is one that can be worked with."""
CLOSED = re.compile(rb'"(?:[^"]|"")*+"')


@dataclass(frozen=True)
class CsvFile:
    """A CSV file opened for reading, once, from top to bottom.

    head : its beginning, which has been read already.
    is_small : whether that is all of it. It goes by the plain reader, and pyarrow is not imported.
    is_live : whether rows are to be taken as they come.
    progress : is told how reading goes.
    unit_bytes : the size of a unit: see `gdfit.data.text.blocks`.
    """

    source: Source
    layout: Layout
    head: bytes
    is_small: bool
    progress: Progress | None = None
    unit_bytes: int = UNIT_BYTES
    is_live: bool = False

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.source.name

    def units(self) -> Iterator[Unit]:
        """All rows in their order: see `DataFile`."""
        return self.faults_told(self.cutter().units())

    def bursts(self) -> Iterator[Iterator[Unit]]:
        """All rows in their order: those that come without a pause together."""
        cutter = self.cutter()
        if not self.is_live:
            yield self.faults_told(cutter.units())
        while self.is_live and not cutter.ended:
            yield self.faults_told(cutter.burst())

    def cutter(self) -> UnitCutter:
        """What cuts the text in units."""
        layout, done = self.layout, len(self.head)
        read_more = self.source.read_live if self.is_live else self.source.read

        def read(size: int) -> bytes:
            """Up to so many bytes more, none at the end."""
            nonlocal done
            text = read_more(min(size, 2 * BLOCK_BYTES))
            done += len(text)
            if self.progress and text:
                position = self.source.position()
                self.progress.progress(done if position is None else position)
            return text

        rest = self.head[layout.start :]
        return UnitCutter(read, layout.grammar, layout.start, layout.line, rest, self.unit_bytes)

    def faults_told(self, units: Iterator[Unit]) -> Iterator[Unit]:
        """The `units`, with what is wrong with a row as a person is told it."""
        try:
            yield from units
        except RowError as error:
            raise self.fault(error) from None

    def batches(self, unit: Unit, asked: Sequence[Asked], *, may_miss: bool) -> Iterator[Batch]:
        """The rows of a unit, all at once: see `DataFile`."""
        grammar, width = self.layout.grammar, len(self.layout.names)
        block, batch = unit.content, None
        if not self.is_small and (not self.is_live or len(block.text) >= HEAD_BYTES):
            batch = read_by_arrow(block, grammar, width, asked, missing=may_miss)
        try:
            batch = batch or read_plainly(block, grammar, width, asked, missing=may_miss)
        except RowError as error:
            if error.rows_before:
                before = block._replace(text=block.text[: self.start_of(block, error.rows_before)])
                yield read_plainly(before, grammar, width, asked, missing=may_miss)
            raise self.fault(error) from None
        yield batch

    def start_of(self, block: Block, row: int) -> int:
        """Where in the text of a block the row of this number starts, from 0."""
        return next(islice(fields.records(block.text, self.layout.grammar), row, None)).start

    def fault_in(self, unit: Unit, row: int, place: int, what: str) -> GdfitError:
        """What is wrong with a field: see `DataFile`."""
        block, start = unit.content, self.start_of(unit.content, row)
        return self.fault(RowError(what, fields.line_at(block.text, start, block.line), place))

    def fault(self, error: RowError) -> GdfitError:
        """What is wrong with a row, as a person is told it."""
        line, row = self.where(error.line)
        if error.place is None:
            return GdfitError(error.what, file=self.name, line=line, row=row)
        column = self.layout.names[error.place]
        return FieldError(error.what, file=self.name, line=line, row=row, column=column)

    def where(self, line: int) -> tuple[int | None, int | None]:
        """Which line of the file this is; or else, which row."""
        return line, None


def csv_in(
    source: Source,
    dialect: Dialect,
    progress: Progress | None,
    unit_bytes: int,
    suits: Suits | None,
) -> CsvFile:
    """The CSV file in `source`, with how it is laid out. A pipe's rows are taken as they come once
    the layout of the first ones `suits`.

    Raises
    ------
    GdfitError : it can't be read, is empty, or is not text in UTF-8.
    """
    if suits and source.is_live:
        head, layout = live_head(source, dialect, suits)
        return CsvFile(source, layout, head, False, progress, unit_bytes, is_live=True)
    head = source.read(HEAD_BYTES)
    layout = find_layout(head, source.name, dialect)
    return CsvFile(source, layout, head, len(head) < HEAD_BYTES, progress, unit_bytes)


def live_head(source: Source, dialect: Dialect, suits: Suits) -> tuple[bytes, Layout]:
    """The beginning of what comes, as much as shows how it is laid out, which is a header that
    `suits` and a row that is like it; and how that is."""
    head = b""
    while len(head) < HEAD_BYTES and (more := source.read_live(HEAD_BYTES)):
        head += more
        lines = head[: 1 + head.rfind(b"\n")]
        with suppress(GdfitError):  # which the next line may mend
            layout = find_layout(lines, source.name, dialect)
            first = next(fields.records(lines[layout.start :], layout.grammar), None)
            if first and len(first.fields) == len(layout.names) and suits(layout):
                return head, layout
    return head, find_layout(head, source.name, dialect)


def read_plainly(
    block: Block, grammar: Grammar, width: int, asked: Sequence[Asked], *, missing: bool
) -> Batch:
    """The rows of a block, of the columns that are `asked` for. The plain reader is made of nothing
    but the definition, reads anything, and says what is wrong.

    Parameters
    ----------
    width : how many fields a row has to have.
    missing : whether a field of these columns may be missing, and is NaN or -1 then.

    Raises
    ------
    RowError : for the first row that can't be read, in the first of its columns that can't.
    """
    columns: dict[Asked, list[float]] = {column: [] for column in sorted({*asked})}
    code_of: dict[Asked, dict[Level, int]] = {column: {} for column in columns}
    rows = 0
    for rows, record in enumerate(fields.records(block.text, grammar), start=1):
        try:
            check_form(record, block, width)
            for column, values in columns.items():
                field = record.fields[column.place]
                if column.kind == "number":
                    values.append(fields.read_number(field, grammar, missing=missing))
                    continue
                read = fields.read_word if column.kind == "word" else fields.read_exact
                level, known = read(field, grammar, missing=missing), code_of[column]
                values.append(-1 if level is None else known.setdefault(level, len(known)))
        except ValueError as error:
            if isinstance(error, RowError):
                fault = error
            else:
                line = fields.line_at(block.text, record.start, block.line)
                fault = RowError(str(error), line, column.place)
            fault.rows_before = rows - 1
            raise fault from None
    numbers = np.array([columns[each] for each in asked if each.kind == "number"], np.float64)
    words = [
        Words(np.array(columns[each], np.int64), [*code_of[each]])
        for each in asked
        if each.kind != "number"
    ]
    return Batch(numbers.reshape(len(numbers), rows).T, tuple(words), np.arange(rows))


def check_form(record: fields.Record, block: Block, width: int) -> None:
    """Raise where a row of a block has not `width` fields."""
    row = record.fields
    if row[-1].startswith(b'"') and not CLOSED.match(row[-1]):
        at = fields.line_at(block.text, len(block.text) - len(row[-1]), block.line)
        raise RowError("a quote opens a field here that does not end", at)
    if len(row) != width:
        found = "1 field" if len(row) == 1 else f"{len(row)} fields"
        mark = row[0][:1].decode(errors="replace")
        comment = f"; `comment` {quoted(mark)} leaves out comments"
        hint = comment if mark and mark in fields.MARKS else ""
        what = f"has {found}, not {width} as the first line has{hint}"
        raise RowError(what, fields.line_at(block.text, record.start, block.line))
