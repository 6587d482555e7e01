"""A data file: its bytes as they are stored, and its rows as whoever reads it sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:  # paths are looked at deep in Typer, where to import NumPy takes 10 ms more
    from gdfit.data.batch import Asked, Batch, Unit
    from gdfit.data.text.header import Layout
    from gdfit.errors import GdfitError


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


CONDENSED = b'{"condensed":'  # which a condensed file begins with, without blanks
WITHOUT_ROWS = (
    "has been condensed, and this needs the rows themselves: name the data that it was made of"
)


def is_condensed(path: str) -> bool:
    """Whether the file at `path` is one that gdfit has condensed data to."""
    try:
        if not Path(path).is_file():  # what is read of a pipe is gone
            return False
        with Path(path).open("rb") as file:
            start = file.read(64).translate(None, b" \t\r\n")
        return start.startswith(CONDENSED)
    except (OSError, ValueError):
        return False


BUFFER_BYTES = 1 << 17  # of a file that comes from elsewhere
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(?:://|::.*://)")  # the latter is fsspec's own


class Stored(NamedTuple):
    """A data file, opened as it is stored.

    file : its bytes; `seekable` where it can be read in any order.
    size : how many bytes it has, where that is known before the end.
    from_anywhere : whether it can be opened again from any byte on.
    encoded : whether a server has compressed it on its way, whatever it is itself.
    """

    file: BufferedReader[Any]
    size: int | None
    from_anywhere: bool = False
    encoded: bool = False


def name_of_file(path: str) -> str:
    """A file's name, for messages."""
    return "standard input" if path == "-" else path


def scheme_of(path: str) -> str | None:
    """``https`` of a URL, ``s3`` of an object in a store; None of a path, and of ``-``."""
    found = SCHEME.match(path)
    return found[1].lower() if found else None
