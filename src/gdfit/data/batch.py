"""Rows as they come from any file: the columns that are asked for, and what is read of them; as
they are kept, in memory while they fit, else in a temporary file that is gone when the process is,
however it ends; and a file as whoever reads it sees it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.errors import GdfitError
from gdfit.system import naming_scratch, scratch_file

if TYPE_CHECKING:
    from gdfit.data.text.blocks import Unit
    from gdfit.data.text.header import Layout

SAMPLE_ROWS = 2000  # that pictures are drawn of, and rates tried on
FEW_BYTES = 1 << 24  # of rows, which are kept for what looks at them once more

Codes = NDArray[np.int64]
NumberedRows = tuple[Codes, FloatArray]  # rows of a unit: their numbers in it, from 0, and they
Kind = Literal["number", "word", "exact"]  # the last is a number with all of its digits
Level = str | float  # of a category: a text; a whole number, which is an int; any other number


class Asked(NamedTuple):
    """A column to read: its place in the file, and what its fields are to be read as."""

    place: int
    kind: Kind = "number"


class Words(NamedTuple):
    """A column of levels.

    codes : which of the `said` each row says, shape (rows,); -1 where the field is missing.
    said : the texts, each once; or the numbers, each as often as there are ways to write it.
    """

    codes: Codes
    said: Sequence[Level]


class BrokenRow(NamedTuple):
    """A row that can't be read: its line in its unit, from 1, and what is wrong with it, in the
    column at this place if it is in one."""

    line: int
    what: str
    place: int | None = None


class Batch(NamedTuple):
    """Rows as they are read.

    numbers : of the columns of numbers, shape (rows, columns); NaN where a field is missing.
    words : of each column of words or exact numbers.
    rows : the rows' numbers in their unit, from 0.
    broken : the rows that can't be read, and are left out.
    lines : how many lines the unit has, where such rows are left out.
    """

    numbers: FloatArray
    words: tuple[Words, ...]
    rows: Codes
    broken: tuple[BrokenRow, ...] = ()
    lines: int = 0

    @property
    def is_whole(self) -> NDArray[np.bool_]:
        """True for rows without a missing field."""
        whole: NDArray[np.bool_] = np.logical_and.reduce(~np.isnan(self.numbers), axis=1)
        for column in self.words:
            whole &= column.codes >= 0
        return whole

    def where(self, chosen: NDArray[np.bool_]) -> Batch:
        """Those of the rows that are chosen."""
        if chosen.all():
            return self
        words = tuple(Words(column.codes[chosen], column.said) for column in self.words)
        return Batch(self.numbers[chosen], words, self.rows[chosen])


SHUFFLE_BLOCKS = 64  # how many blocks, of a megabyte, are shuffled together


def memory_limit() -> int:
    """How many bytes of rows to keep in memory: a quarter of what the process may have."""
    try:
        import resource

        limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft != resource.RLIM_INFINITY:
            limits.append(soft)
    except (ImportError, ValueError, OSError):
        return 1 << 30
    return min(limits) // 4


class Rows:
    """Rows of `columns` numbers each, added block by block, read back as often as needed.

    For fitting, a row is the features, a one, and y.

    Parameters
    ----------
    columns : how many numbers a row has.
    memory : how many bytes to keep in memory at most; by default `memory_limit`.
    block : how many rows to read back, and to shuffle, at a time; by default about a megabyte of
        them.
    as_few : whether they have been kept for what looks at few rows once more, and not for a descent
        on them, which would take any number.
    """

    def __init__(
        self,
        columns: int,
        memory: int | None = None,
        block: int | None = None,
        *,
        as_few: bool = False,
    ) -> None:
        self.columns, self.as_few = columns, as_few
        self.count, self._memory = 0, memory
        self._parts: list[FloatArray] = []
        self._file: IO[bytes] | None = None
        self._whole: Rows | None = None
        self.block = block or rows_at_once(columns)
        self._changes: tuple[Callable[[FloatArray], FloatArray], ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: rows in a file come along."""
        state = {**vars(self), "_file": None, "_whole": None}
        if self._file:
            starts = range(0, self.count, self.block)
            state["_parts"] = [np.array(self._block_at(start), order="F") for start in starts]
        return state

    @cached_property
    def _limit(self) -> int:
        return memory_limit() if self._memory is None else self._memory

    @property
    def before(self) -> Rows:
        """The rows that these are made of."""
        return self._whole or self

    def changed(self, change: Callable[[FloatArray], FloatArray]) -> Rows:
        """These rows as `change` makes them, block by block, when they are read back."""
        view = Rows.__new__(Rows)
        view.__dict__ |= vars(self)
        view._changes = (*self._changes, change)
        view._whole = self  # which keeps the temporary file open
        return view

    def changed_as(self, other: Rows) -> Rows:
        """These rows with the last change of others."""
        return self.changed(other._changes[-1])

    def _changed(self, rows: FloatArray) -> FloatArray:
        for change in self._changes:
            rows = change(rows)
        return rows

    def add(self, block: FloatArray) -> None:
        """Take in rows of shape (rows, columns)."""
        if self._file is None and (self.count + len(block)) * self.columns * 8 > self._limit:
            file = scratch_file()
            weakref.finalize(self, file.close)
            with naming_scratch():
                for start in range(0, self.count, self.block):
                    file.write(self._block_at(start).tobytes())
            self._file = file
            self._parts.clear()
        if self._file:
            with naming_scratch():
                self._file.write(block.tobytes())
                self._file.flush()
            self.count += len(block)
            return
        taken = 0
        while taken < len(block):
            filled = self.count % self.block
            part = block[taken : taken + self.block - filled]
            end = filled + len(part)
            if not filled:
                self._parts.append(np.empty((0, self.columns)))
            if end > len(self._parts[-1]):  # the first block is no larger than it has to be
                room = self.block if self.count >= self.block else min(self.block, 2 * end)
                wider = np.empty((room, self.columns), order="F")
                wider[:filled] = self._parts[-1][:filled]
                self._parts[-1] = wider
            self._parts[-1][filled:end] = part
            self.count, taken = self.count + len(part), taken + len(part)

    @property
    def in_memory(self) -> bool:
        """Whether the rows fitted into memory."""
        return self._file is None

    def _block_at(self, start: int) -> FloatArray:
        """The rows of a block, which begins there, as they have been kept."""
        if self._file is None:
            return self._parts[start // self.block][: self.count - start]
        shape = (min(self.block, self.count - start), self.columns)
        offset = start * self.columns * 8
        return np.memmap(self._file, np.float64, mode="c", offset=offset, shape=shape)

    def blocks(self) -> Iterator[FloatArray]:
        """All rows in order, block by block, each column by column in memory, which is how BLAS is
        quickest with few columns."""
        for start in range(0, self.count, self.block):
            yield np.asfortranarray(self._changed(self._block_at(start)))

    def batches(self, size: int, random: np.random.Generator) -> Iterator[FloatArray]:
        """All rows in batches of `size`, the last one may be smaller, in a random order: that of
        the blocks, and that of the rows in each `SHUFFLE_BLOCKS` of them."""
        starts = random.permutation(np.arange(0, self.count, self.block))
        rest = np.empty((0, self.columns))
        for first in range(0, len(starts), SHUFFLE_BLOCKS):
            group = starts[first : first + SHUFFLE_BLOCKS].tolist()
            rows = np.concatenate([*map(self._block_at, group)])
            # Three times as fast as to permute the rows themselves, to the same order.
            rows = np.concatenate([rest, rows.take(random.permutation(len(rows)), axis=0)])
            whole = len(rows) - len(rows) % size
            for start in range(0, whole, size):
                yield self._changed(rows[start : start + size])
            rest = rows[whole:]
        if len(rest):
            yield self._changed(rest)


def rows_at_once(columns: int) -> int:
    """How many rows to fold at once: about a megabyte, and far more than the R that they meet."""
    return max(4 * columns, (1 << 17) // columns)


def buffered(blocks: Iterable[FloatArray], rows: int, columns: int) -> Iterator[FloatArray]:
    """The rows of `blocks`, so many `rows` at a time however they come.

    What is handed on has shape (rows, columns), lies column by column in memory, and has a column
    of ones before the last where the rows that come have one column less.
    """
    parts, count = list[FloatArray](), 0
    for block in blocks:
        taken = 0
        while taken < len(block):
            parts.append(block[taken : taken + rows - count])
            count, taken = count + len(parts[-1]), taken + len(parts[-1])
            if count == rows:
                yield with_ones(parts, columns)
                parts, count = [], 0
    if parts:
        yield with_ones(parts, columns)


def with_ones(parts: Sequence[FloatArray], columns: int) -> FloatArray:
    """The rows of all parts: see `buffered`."""
    rows, start = np.empty((sum(map(len, parts)), columns), order="F"), 0
    for part in parts:
        into = rows[start : start + len(part)]
        into[:, : part.shape[1] - 1], into[:, -1] = part[:, :-1], part[:, -1]
        if part.shape[1] < columns:
            into[:, -2] = 1
        start += len(part)
    return rows


class Progress(Protocol):
    """Is told how the reading of files goes."""

    def opened(self, size: int | None) -> None:
        """A file that is not on this machine has been opened: so many bytes, if that is known."""

    def progress(self, position: int) -> None:
        """So many bytes of a file have been read: as it is stored, or in a pipe decompressed."""

    def missed(self, rows: int) -> None:
        """So many rows more have a missing field."""

    def noted(self, remark: str) -> None:
        """What has been done with a file beyond the plain reading, to be told once."""


class LaidOut(Protocol):
    """A data file, as far as its layout: a dataclass."""

    @property
    def name(self) -> str:
        """The file's name, for messages."""

    @property
    def layout(self) -> Layout:
        """Its columns. Where it is text, units can be read beside others, also when the file is
        closed."""


class DataFile(LaidOut, Protocol):
    """A data file opened for reading, once, from top to bottom."""

    def units(self) -> Iterator[Unit]:
        """All rows of the file, in their order.

        Raises
        ------
        GdfitError : it can't be read.
        """

    def batches(self, unit: Unit, asked: Sequence[Asked], *, may_miss: bool) -> Iterator[Batch]:
        """The rows of a unit; a missing field is NaN or -1 if there may be any.

        Raises
        ------
        GdfitError : a row can't be read. Those before it have come, as in use one may show a fault.
        """

    def fault_in(self, unit: Unit, row: int, place: int, what: str) -> GdfitError:
        """What is wrong with the field at this place in the row of this number of a unit."""
