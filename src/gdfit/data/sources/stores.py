"""Data files as they are stored: what their names say, patterns that stand for several files
(``data/*.csv``), and object stores (``s3://``, ``gs://``, ``az://``) and wherever else fsspec
reaches.

The latter need fsspec: ``pip install 'gdfit[remote]'``, and what it needs itself for a kind of
store.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_SET, BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gdfit.errors import GdfitError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

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


# What fsspec needs for a scheme.
PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("abfs", "abfss", "adl", "az"), "adlfs"),
}


class RemoteFile(RawIOBase):
    """A file that fsspec has opened; whatever goes wrong is one line about it."""

    def __init__(self, url: str, file: Any) -> None:
        self._url, self._file = url, file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def tell(self) -> int:
        return int(self._file.tell())

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            return int(self._file.readinto(buffer))
        except Exception as error:  # each store has errors of its own
            raise fault(self._url, error) from None

    def close(self) -> None:
        self._file.close()
        super().close()


def open_remote(url: str, scheme: str, start: int = 0) -> Stored:
    """The file at `url`, from the byte `start` on.

    Raises
    ------
    GdfitError : there is none, the store can't be reached, or a package that it needs is missing.
    """
    with in_store(url, scheme) as (system, path):
        opened = system.open(path, "rb")
        if start:
            opened.seek(start)
    file = BufferedReader(RemoteFile(url, opened), BUFFER_BYTES)
    return Stored(file, getattr(opened, "size", None), from_anywhere=file.seekable())


@contextmanager
def in_store(url: str, scheme: str) -> Iterator[tuple[Any, str]]:
    """The store that `url` is in, and the path there; whatever goes wrong is one line about it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise GdfitError(
            f"{scheme}:// needs fsspec: pip install 'gdfit[remote]'", file=url
        ) from None
    try:
        yield url_to_fs(url)
    except ImportError as error:
        package = PACKAGES.get(scheme)
        what = f"needs {package}: pip install {package}" if package else f"needs more ({error})"
        raise GdfitError(f"{scheme}:// {what}", file=url) from None
    except Exception as error:  # each store has errors of its own
        raise fault(url, error) from None


def fault(url: str, error: Exception) -> GdfitError:
    """What is wrong with a file in a store."""
    if isinstance(error, FileNotFoundError):
        return GdfitError("no such file", file=url)
    if isinstance(error, IsADirectoryError):
        return GdfitError("is a folder; name a file", file=url)
    said = " ".join(str(error).split()) or type(error).__name__
    return GdfitError(f"can't be read: {said}", file=url)


def expanded(paths: tuple[str, ...]) -> tuple[str, ...]:
    """`paths`, with the files that match in sorted order for each one with ``*``, ``?`` or ``[`` in
    it that is no file itself. A URL stands for itself.

    Raises
    ------
    GdfitError : none match, a store can't be reached, or a package that it needs is missing.
    """
    return tuple(file for path in paths for file in matching(path))


def matching(path: str) -> list[str]:
    """The files that one path stands for."""
    scheme = scheme_of(path)
    is_pattern = any(character in path for character in "*?[")
    if not is_pattern or scheme in ("http", "https") or os.path.lexists(path):
        return [path]
    if scheme:
        with in_store(path, scheme) as (system, pattern):
            found = [system.unstrip_protocol(match) for match in system.glob(pattern)]
    else:  # unlike a shell, Path.glob finds hidden files as well
        found = glob.glob(path, recursive=True)  # noqa: PTH207
    if not found:
        raise GdfitError("no such file, and none matches", file=path)
    return sorted(found)
