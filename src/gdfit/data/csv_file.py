"""A CSV file, read once from top to bottom: blocks of float64 rows, or what is wrong with a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.blocks import LONGEST_ROW, Block, cut_blocks
from gdfit.data.dialect import Dialect
from gdfit.data.layout import Layout, find_layout
from gdfit.data.numbers import read_block
from gdfit.data.parallel import in_order
from gdfit.data.plain import RowError, read_plainly
from gdfit.data.source import BLOCK_BYTES, Source, open_source
from gdfit.errors import FieldError, GdfitError

HEAD_BYTES = 1 << 20  # enough for the header and the rows that the delimiter is found from
SMALL = 1 << 19  # to import pandas takes as long as to read so many bytes without it


class Watcher(Protocol):
    """Is told how the reading of files goes."""

    def progress(self, position: int) -> None:
        """So many bytes of a file have been read: as it is stored, or in a pipe decompressed."""

    def missed(self, rows: int) -> None:
        """So many rows more have a missing field."""


@dataclass(frozen=True)
class CsvFile:
    """A CSV file opened for reading, once, from top to bottom.

    head : its beginning, which has been read already.
    block_bytes : how many bytes to read at once.
    longest : how many bytes a row may have.
    """

    source: Source
    layout: Layout
    head: bytes
    dialect: Dialect
    watcher: Watcher | None = None
    block_bytes: int = BLOCK_BYTES
    longest: int = LONGEST_ROW

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.source.name

    def like(self, first: CsvFile) -> CsvFile:
        """This file, without a header, with the names of the columns of the `first` one."""
        layout = replace(self.layout, names=first.layout.names, named=first.layout.named)
        return replace(self, layout=layout)

    @property
    def is_small(self) -> bool:
        """Whether the plain reader has read it all before pandas is imported."""
        return len(self.head) <= SMALL

    def blocks(self, places: Sequence[int]) -> Iterator[FloatArray]:
        """The rows of the columns at `places`, in that order, as arrays of shape (rows, columns).

        Raises
        ------
        GdfitError : a row has too few or too many fields, or one that is not a finite number.
        """
        skip = self.dialect.drop_missing

        def read(block: Block) -> FloatArray:
            return self.read(block, places, may_miss=skip)

        for rows in in_order(read, self.text_blocks()):
            kept = rows[self.complete(rows)] if skip else rows
            if len(kept):
                yield kept

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

    def read(self, block: Block, places: Sequence[int], *, may_miss: bool) -> FloatArray:
        """The rows of one block; a missing field is NaN if there may be any."""
        grammar, width = self.layout.grammar, len(self.layout.names)
        try:
            if self.is_small:
                text, line = block.text, block.line
                return read_plainly(text, grammar, width, places, missing=may_miss, line=line)
            return read_block(block, grammar, width, places, missing=may_miss)
        except RowError as error:
            raise self.fault(error) from None

    def fault(self, error: RowError) -> GdfitError:
        """What is wrong with a row, as a person is told it."""
        if error.place is None:
            return GdfitError(error.what, file=self.name, line=error.line)
        column = self.layout.names[error.place]
        return FieldError(error.what, file=self.name, line=error.line, column=column)

    def complete(self, rows: FloatArray) -> NDArray[np.bool_]:
        """Which of `rows` have no missing field; the watcher is told how many have one."""
        whole: NDArray[np.bool_] = np.logical_and.reduce(~np.isnan(rows), axis=1)
        if self.watcher:
            self.watcher.missed(len(rows) - int(whole.sum()))
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
    """Open the CSV file at `path` (``-`` for standard input) and find how it is laid out.

    It is read in blocks of about `block_bytes`, and may have rows of `longest` bytes.

    Raises
    ------
    GdfitError : it can't be read, is empty, or is not text in UTF-8.
    """
    dialect = dialect or Dialect()
    with open_source(path) as source:
        head = source.read(head_bytes)
        layout = find_layout(head, source.name, dialect)
        yield CsvFile(source, layout, head, dialect, watcher, block_bytes, longest)
