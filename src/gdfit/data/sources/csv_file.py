"""A CSV file, read once from top to bottom: numbers and words, or what is wrong with a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from gdfit.data.batch import Asked, Batch, Progress
from gdfit.data.sources.block_readers import read_but_broken, read_by_arrow, read_plainly
from gdfit.data.sources.source import BLOCK_BYTES, UTF_8, Decoded, Source, WithoutEnd, encoding_of
from gdfit.data.text import fields
from gdfit.data.text.blocks import UNIT_BYTES, Block, Unit, UnitCutter, count_lines
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import RowError
from gdfit.data.text.header import Layout, find_layout
from gdfit.data.text.sniffing import TAIL_BYTES, Held, note_of_total, said_in, trailer_of
from gdfit.errors import FieldError, GdfitError

HEAD_BYTES = 1 << 19  # to import pyarrow takes longer than to read so much without it
CODE = r"'[^']*[0-9][^']*' is not a number"
Suits = Callable[[Layout], bool]
"""Whether a layout is one that can be worked with."""


@dataclass(frozen=True, eq=False)
class CsvFile:
    """A CSV file opened for reading, once, from top to bottom.

    head : its beginning, which has been read already.
    is_small : whether that is all of it. It goes by the plain reader, and pyarrow is not imported.
    is_live : whether rows are to be taken as they come.
    progress : is told how reading goes.
    unit_bytes : the size of a unit: see `gdfit.data.text.blocks`.
    skip_broken : whether to leave out rows that can't be read.
    encoding : what the text is stored in, which is UTF-8 here.
    tail : the last bytes that have been read, where they can't be looked at before.
    """

    source: Source
    layout: Layout
    head: bytes
    is_small: bool
    progress: Progress | None = None
    unit_bytes: int = UNIT_BYTES
    is_live: bool = False
    skip_broken: bool = False
    encoding: str = UTF_8
    tail: bytearray | None = None

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
            if self.tail is not None:
                self.tail[:] = (self.tail + text)[-TAIL_BYTES:]
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
        how = (self.layout.grammar, len(self.layout.names), asked)
        block, batch, skip = unit.content, None, self.skip_broken
        try:
            if not self.is_small and (not self.is_live or len(block.text) >= HEAD_BYTES):
                batch = read_by_arrow(block, *how, missing=may_miss, retry=not skip)
                if skip and not batch:
                    batch = read_but_broken(block, *how, missing=may_miss)
            batch = batch or read_plainly(block, *how, missing=may_miss, skip_broken=skip)
        except RowError as error:
            if error.rows_before:
                before = block._replace(text=block.text[: self.start_of(block, error.rows_before)])
                yield read_plainly(before, *how, missing=may_miss, skip_broken=skip)
            raise self.fault(error, block) from None
        yield batch._replace(lines=count_lines(block.raw) if skip else 0)

    @property
    def last_remark(self) -> str | None:
        """What there is to say of the last row once it is read, and could not be said before."""
        layout = self.layout
        return note_of_total(bytes(self.tail or b""), layout.grammar, len(layout.names))

    @property
    def end(self) -> bytes:
        """What has been left out at the end of the file, once all else is read."""
        return getattr(self.source.text, "end", b"")

    def start_of(self, block: Block, row: int) -> int:
        """Where in the text of a block the row of this number starts, from 0."""
        return self.record(block, row).start

    def record(self, block: Block, row: int) -> fields.Record:
        """The row of this number in a block, from 0."""
        return next(islice(fields.records(block.text, self.layout.grammar), row, None))

    def fault_in(self, unit: Unit, row: int, place: int, what: str) -> GdfitError:
        """What is wrong with a field: see `DataFile`."""
        block, start = unit.content, self.start_of(unit.content, row)
        return self.fault(RowError(what, fields.line_at(block.text, start, block.line), place))

    def is_header(self, block: Block, row: int) -> bool:
        """Whether a row of a block is the header once more."""
        return said_in(self.record(block, row), self.layout.grammar) == [*self.layout.names]

    def end_from(self, block: Block, error: RowError) -> int:
        """How many rows the end of the file has that is no table any more, if it begins with the
        row of a block that is broken."""
        layout, end = self.layout, self.layout.end
        if block.is_last and not end.rows:
            end = trailer_of(block.raw, layout.grammar, layout.held)
        rest = block.raw[self.start_of(block, error.rows_before) :]
        return end.rows if end.text.startswith(rest) else 0

    def fault(self, error: RowError, block: Block | None = None) -> GdfitError:
        """What is wrong with a row, as a person is told it; and where it is one of a `block` that
        can't be read, what to type."""
        what, (kind, number) = error.what, self.layout.place(error.line)
        changes, or_changes = (*fields.ways_out(what), {}, {})[:2]
        held = Held() if error.place is None else self.layout.held[error.place]
        name = None if error.place is None else self.layout.names[error.place]
        # A word in a column of keys, as 207a, is no accident.
        is_fit = held.is_numeric and not (held.is_key and re.match(CODE, what))
        end = self.end_from(block, error) if block else 0
        if not block or not is_fit or "`" in what:  # it says what to type
            pass
        elif end:
            what += f"; `skip_end` {end} leaves out the end"
            changes = {"skip-end": str(end)}
        elif self.layout.few_broken or self.is_header(block, error.rows_before):
            what += "; `skip_broken` leaves out such rows"
            changes = {"skip-broken": "yes"}
        where: dict[str, Any] = {"file": self.name, kind: number, "changes": changes}
        if name is None:
            return GdfitError(what, **where)
        return FieldError(what, **where, column=name, or_changes=or_changes)


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
    GdfitError : it can't be read, is empty, or is not text.
    """
    is_live = suits is not None and source.is_live and not dialect.skip_end
    begun = source.read_live(HEAD_BYTES) if is_live else source.read(HEAD_BYTES)
    ended = not is_live and len(begun) < HEAD_BYTES
    encoding = encoding_of(begun, source.name, dialect, ended=ended)
    if encoding.name != UTF_8:
        text: Any = Decoded(source.text, encoding.name, begun, source.name)
        source, begun, is_live = source._replace(text=text), b"", False
    if dialect.skip_end:
        text = WithoutEnd(source.text, dialect.skip_end, begun)
        source, begun = source._replace(text=text), b""
    if is_live and suits:
        head, layout = live_head(source, dialect, suits, begun)
        return CsvFile(source, layout, head, False, progress, unit_bytes, True, dialect.skip_broken)
    head = begun or source.read(HEAD_BYTES)
    is_small = len(head) < HEAD_BYTES
    try:
        layout = find_layout(head, source.name, dialect)
    except GdfitError as error:
        raise with_end(
            error, head if is_small else head + source.tail(TAIL_BYTES), dialect
        ) from None
    guess = "is not UTF-8, and is read as Windows-1252 text; `encoding` takes another name"
    tail = head[max(0, layout.start - 1) :][-TAIL_BYTES:] if is_small else source.tail(TAIL_BYTES)
    grammar, width = layout.grammar, len(layout.names)
    notes = (guess * encoding.guessed, *layout.notes, note_of_total(tail, grammar, width))
    end, told = trailer_of(tail, grammar, layout.held), tuple(filter(None, notes))
    layout, later = replace(layout, end=end, notes=told), None if tail else bytearray()
    read = (source, layout, head, is_small, progress, unit_bytes)
    return CsvFile(*read, False, dialect.skip_broken, encoding.name, later)


def with_end(error: GdfitError, text: bytes, dialect: Dialect) -> GdfitError:
    """What is wrong with the top of a file; where its end, which `text` ends with, is no table
    either, that is said, too."""
    if "skip" not in error.changes or dialect.skip_end:
        return error
    with suppress(GdfitError):
        layout = find_layout(text, "", replace(dialect, skip=int(error.changes["skip"])))
        if end := trailer_of(text[layout.start :], layout.grammar, layout.held).rows:
            more, changes = f"; `skip_end` {end} leaves out the end", {"skip-end": str(end)}
            return error.saying(more, {**error.changes, **changes})
    return error


def live_head(source: Source, dialect: Dialect, suits: Suits, head: bytes) -> tuple[bytes, Layout]:
    """The beginning of what comes, after `head`, as much as shows how it is laid out, which is a
    header that `suits` and a row that is like it; and how that is."""
    more = head
    while True:
        lines = head[: 1 + head.rfind(b"\n")]
        with suppress(GdfitError):  # which the next line may mend
            layout = find_layout(lines, source.name, dialect)
            first = next(fields.records(lines[layout.start :], layout.grammar), None)
            if first and len(first.fields) == len(layout.names) and suits(layout):
                return head, layout
        if not more or len(head) >= HEAD_BYTES:
            return head, find_layout(head, source.name, dialect)
        more = source.read_live(HEAD_BYTES)
        head += more
