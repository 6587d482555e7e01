"""A CSV file, read once from top to bottom: blocks of float64 rows, or what is wrong with a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.batch import Batch
from gdfit.data.data_file import DataFile, Watcher
from gdfit.data.parallel import in_order
from gdfit.data.sources.source import BLOCK_BYTES, Source, open_source
from gdfit.data.text.arrow_reader import read_batch
from gdfit.data.text.blocks import LONGEST_ROW, Block, cut_blocks
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import RowError, line_at, read_plainly, read_words, records
from gdfit.data.text.header import Layout, find_layout
from gdfit.errors import FieldError, GdfitError

HEAD_BYTES = 1 << 19  # to import pandas takes longer than to read so much without it


@dataclass(frozen=True)
class CsvFile:
    """A CSV file opened for reading, once, from top to bottom.

    head : its beginning, which has been read already.
    is_small : whether that is all of it. It goes by the plain reader, and pandas is not imported.
    block_bytes : how many bytes to read at once.
    longest : how many bytes a row may have.
    """

    source: Source
    layout: Layout
    head: bytes
    is_small: bool
    dialect: Dialect
    watcher: Watcher | None = None
    block_bytes: int = BLOCK_BYTES
    longest: int = LONGEST_ROW

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.source.name

    def like(self, first: DataFile) -> Self:
        """This file, without a header, with the names of the columns of the `first` one."""
        layout = replace(self.layout, names=first.layout.names, named=first.layout.named)
        return replace(self, layout=layout)

    def blocks(self, places: Sequence[int]) -> Iterator[FloatArray]:
        """The rows of the columns at `places`, in that order, as arrays of shape (rows, columns).

        Raises
        ------
        GdfitError : a row has too few or too many fields, or one that is not a finite number.
        """
        return (batch.numbers for _, batch in self.batches(places))

    def batches(
        self, places: Sequence[int], texts: Sequence[int] = ()
    ) -> Iterator[tuple[Block, Batch]]:
        """The numbers in the columns at `places` and the words in those at `texts`, with the blocks
        that they are from.

        Raises
        ------
        GdfitError : as `blocks` does.
        """
        skip = self.dialect.drop_missing

        def read(block: Block) -> tuple[Block, Batch]:
            return block, self.read(block, places, texts, may_miss=skip)

        for block, batch in in_order(read, self.text_blocks()):
            kept = batch.where(self.complete(batch)) if skip else batch
            if len(kept.rows):
                yield block, kept

    def text_blocks(self) -> Iterator[Block]:
        """The rows as they stand in the file, in blocks of about `block_bytes`."""
        try:
            yield from cut_blocks(
                self.chunks(), self.layout.grammar, self.layout.line, self.longest
            )
        except RowError as error:
            raise self.fault(error) from None

    def chunks(self) -> Iterator[bytes]:
        """The file below its header, cut anywhere."""
        for start in range(self.layout.start, len(self.head), self.block_bytes):
            yield self.head[start : start + self.block_bytes]
        read = len(self.head)
        while chunk := self.source.read(self.block_bytes):
            read += len(chunk)
            if self.watcher:
                position = self.source.position()
                self.watcher.progress(read if position is None else position)
            yield chunk

    def read(
        self, block: Block, places: Sequence[int], texts: Sequence[int] = (), *, may_miss: bool
    ) -> Batch:
        """The rows of one block; a missing field is NaN or -1 if there may be any."""
        grammar, width = self.layout.grammar, len(self.layout.names)
        if not self.is_small:
            batch = read_batch(block, grammar, width, places, texts, missing=may_miss)
            if batch is not None:
                return batch
        text, line = block.text, block.line
        try:
            numbers = read_plainly(
                text, grammar, width, places, missing=may_miss, line=line, texts=texts
            )
            words = read_words(text, grammar, width, texts, line)
        except RowError as error:
            raise self.fault(error) from None
        return Batch(numbers, words, np.arange(len(numbers)))

    def fault_in(self, block: Block, row: int, place: int, what: str) -> GdfitError:
        """What is wrong with a field in the row of `block` that has this number, from 0."""
        start = next(islice(records(block.text, self.layout.grammar), row, None)).start
        return self.fault(RowError(what, line_at(block.text, start, block.line), place))

    def fault(self, error: RowError) -> GdfitError:
        """What is wrong with a row, as a person is told it."""
        if error.place is None:
            return GdfitError(error.what, file=self.name, line=error.line)
        column = self.layout.names[error.place]
        return FieldError(error.what, file=self.name, line=error.line, column=column)

    def complete(self, batch: Batch) -> NDArray[np.bool_]:
        """Which rows have no missing field; the watcher is told how many have one."""
        whole = batch.is_whole
        if self.watcher:
            self.watcher.missed(len(whole) - int(whole.sum()))
        return whole


@contextmanager
def open_csv(
    path: str,
    dialect: Dialect | None = None,
    watcher: Watcher | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
    head_bytes: int = HEAD_BYTES,
    longest: int = LONGEST_ROW,
) -> Iterator[CsvFile]:
    """Open the CSV file at `path` (``-`` for standard input): see `csv_in`."""
    with (
        open_source(path) as source,
        csv_in(
            source,
            dialect,
            watcher,
            block_bytes=block_bytes,
            head_bytes=head_bytes,
            longest=longest,
        ) as file,
    ):
        yield file


@contextmanager
def csv_in(
    source: Source,
    dialect: Dialect | None = None,
    watcher: Watcher | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
    head_bytes: int = HEAD_BYTES,
    longest: int = LONGEST_ROW,
) -> Iterator[CsvFile]:
    """The CSV file in `source`, with how it is laid out.

    It is read in blocks of about `block_bytes`, and may have rows of `longest` bytes.

    Raises
    ------
    GdfitError : it can't be read, is empty, or is not text in UTF-8.
    """
    dialect = dialect or Dialect()
    head = source.read(head_bytes)
    layout = find_layout(head, source.name, dialect)
    is_small = len(head) < head_bytes
    yield CsvFile(source, layout, head, is_small, dialect, watcher, block_bytes, longest)
