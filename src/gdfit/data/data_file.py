"""What any data file is to whoever reads it, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, Self

from gdfit.data.batch import Batch
from gdfit.data.text.header import Layout
from gdfit.errors import GdfitError


class Watcher(Protocol):
    """Is told how the reading of files goes."""

    def opened(self, size: int | None) -> None:
        """A file that is not on this machine has been opened: so many bytes, if that is known."""

    def progress(self, position: int) -> None:
        """So many bytes of a file have been read: as it is stored, or in a pipe decompressed."""

    def missed(self, rows: int) -> None:
        """So many rows more have a missing field."""


class DataFile(Protocol):
    """A data file opened for reading, once, from top to bottom."""

    @property
    def name(self) -> str:
        """The file's name, for messages."""

    @property
    def layout(self) -> Layout:
        """Its columns."""

    def like(self, first: DataFile) -> Self:
        """This file, without names of its own, with those of the columns of the `first` one."""

    def batches(
        self, places: Sequence[int], texts: Sequence[int] = ()
    ) -> Iterator[tuple[Any, Batch]]:
        """The numbers in the columns at `places` and the words in those at `texts`, each with what
        `fault_in` finds its rows again by.

        Raises
        ------
        GdfitError : a row can't be read.
        """

    def fault_in(self, block: Any, row: int, place: int, what: str) -> GdfitError:
        """What is wrong with a field in the row of `block` that has this number, from 0."""
