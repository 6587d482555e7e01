"""A CSV file, read once from top to bottom: numbers and words, or what is wrong with a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, Self

from gdfit.data.batch import Asked, Batch, Unit
from gdfit.data.data_file import DataFile, Progress
from gdfit.data.sources.arrow_reader import read_by_arrow
from gdfit.data.sources.source import BLOCK_BYTES, Source, open_source
from gdfit.data.text.blocks import LONGEST_ROW, UNIT_BYTES, Block, UnitCutter, cut_blocks
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import RowError, line_at, read_plainly, records
from gdfit.data.text.header import Layout, find_layout
from gdfit.errors import FieldError, GdfitError

HEAD_BYTES = 1 << 19  # to import pyarrow takes longer than to read so much without it


@dataclass(frozen=True)
class CsvFile:
    """A CSV file opened for reading, once, from top to bottom.

    head : its beginning, which has been read already.
    is_small : whether that is all of it. It goes by the plain reader, and pyarrow is not imported.
    progress : is told how reading goes.
    unit_bytes : the size of a unit: see `gdfit.data.text.blocks`.
    longest : how many bytes a row may have.
    """

    source: Source
    layout: Layout
    head: bytes
    is_small: bool
    progress: Progress | None = None
    unit_bytes: int = UNIT_BYTES
    longest: int = LONGEST_ROW
    is_text = True

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.source.name

    def like(self, first: DataFile) -> Self:
        """This file, without a header, with the names of the columns of the `first` one."""
        layout = replace(self.layout, names=first.layout.names, named=first.layout.named)
        return replace(self, layout=layout)

    def units(self) -> Iterator[Unit]:
        """All rows in their order: see `DataFile`."""
        layout = self.layout
        cutter = UnitCutter(
            self._reader(),
            layout.grammar,
            layout.start,
            layout.line,
            self.head[layout.start :],
            self.unit_bytes,
            self.longest,
        )
        try:
            for number, block in cutter.units():
                yield Unit(number, block)
        except RowError as error:
            raise self.fault(error) from None

    def text_blocks(self, block_bytes: int = BLOCK_BYTES) -> Iterator[Unit]:
        """The rows as they stand in the file, in blocks of about so many bytes, which may come
        before the file's end is there."""
        chunks = (
            self.head[start : start + block_bytes]
            for start in range(self.layout.start, len(self.head), block_bytes)
        )
        read = self._reader()
        more = iter(lambda: read(block_bytes), b"")
        try:
            blocks = cut_blocks(
                chain(chunks, more), self.layout.grammar, self.layout.line, self.longest
            )
            for number, block in enumerate(blocks):
                yield Unit(number, block)
        except RowError as error:
            raise self.fault(error) from None

    def _reader(self) -> Callable[[int], bytes]:
        """What reads on: gives up to so many bytes more, none at the end."""
        done = len(self.head)

        def read(size: int) -> bytes:
            nonlocal done
            text = self.source.read(min(size, 2 * BLOCK_BYTES))
            done += len(text)
            if self.progress and text:
                position = self.source.position()
                self.progress.progress(done if position is None else position)
            return text

        return read

    def batches(self, unit: Unit, asked: Sequence[Asked], *, may_miss: bool) -> Iterator[Batch]:
        """The rows of a unit, all at once: see `DataFile`."""
        grammar, width = self.layout.grammar, len(self.layout.names)
        block: Block = unit.content
        batch = None
        if not self.is_small:
            batch = read_by_arrow(block, grammar, width, asked, missing=may_miss)
        try:
            yield batch or read_plainly(
                block.text, grammar, width, asked, missing=may_miss, line=block.line
            )
        except RowError as error:
            raise self.fault(error) from None

    def fault_in(self, unit: Unit, row: int, place: int, what: str) -> GdfitError:
        """What is wrong with a field: see `DataFile`."""
        block: Block = unit.content
        start = next(islice(records(block.text, self.layout.grammar), row, None)).start
        return self.fault(RowError(what, line_at(block.text, start, block.line), place))

    def fault(self, error: RowError) -> GdfitError:
        """What is wrong with a row, as a person is told it."""
        if error.place is None:
            return GdfitError(error.what, file=self.name, line=error.line)
        column = self.layout.names[error.place]
        return FieldError(error.what, file=self.name, line=error.line, column=column)


@contextmanager
def open_csv(path: str, dialect: Dialect | None = None, **how: Any) -> Iterator[CsvFile]:
    """Open the CSV file at `path` (``-`` for standard input): see `csv_in`."""
    with open_source(path) as source, csv_in(source, dialect or Dialect(), **how) as file:
        yield file


@contextmanager
def csv_in(
    source: Source,
    dialect: Dialect,
    progress: Progress | None = None,
    *,
    unit_bytes: int = UNIT_BYTES,
    head_bytes: int = HEAD_BYTES,
    longest: int = LONGEST_ROW,
) -> Iterator[CsvFile]:
    """The CSV file in `source`, with how it is laid out.

    Raises
    ------
    GdfitError : it can't be read, is empty, or is not text in UTF-8.
    """
    head = source.read(head_bytes)
    layout = find_layout(head, source.name, dialect)
    is_small = len(head) < head_bytes
    yield CsvFile(source, layout, head, is_small, progress, unit_bytes, longest)
