"""Rows as they come from any file: the columns that are asked for, and what is read of them; and a
file as whoever reads it sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.errors import GdfitError

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
