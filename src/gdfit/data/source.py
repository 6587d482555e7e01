"""The bytes of a data file: opened, decompressed, and cut into blocks of whole lines."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, NamedTuple, cast

from gdfit.errors import GdfitError

BLOCK_BYTES = 1 << 21  # smaller ones cost more calls, larger ones more memory

Damage = tuple[type[Exception], ...]


def _zstd(stored: IO[bytes]) -> tuple[IO[bytes], Damage]:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return cast(IO[bytes], zstd.open(stored)), (EOFError, zstd.ZstdError)


def _gzip(stored: IO[bytes]) -> tuple[IO[bytes], Damage]:
    return cast(IO[bytes], gzip.open(stored)), (EOFError, gzip.BadGzipFile, zlib.error)


def _bzip2(stored: IO[bytes]) -> tuple[IO[bytes], Damage]:
    return bz2.open(stored), (EOFError, OSError)


def _xz(stored: IO[bytes]) -> tuple[IO[bytes], Damage]:
    return lzma.open(stored), (EOFError, lzma.LZMAError)


FORMATS: dict[bytes, Callable[[IO[bytes]], tuple[IO[bytes], Damage]]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": _bzip2,
    b"\xfd7zXZ\x00": _xz,
    b"\x28\xb5\x2f\xfd": _zstd,
}
"""Compressed formats by the bytes that they start with: unlike a file's name, those tell the truth
about standard input and renamed files too."""


class Source(NamedTuple):
    """An open data file.

    name : for messages.
    text : its bytes, decompressed.
    stored : the file as it is stored.
    damage : what reading `text` raises where the compression is damaged.
    """

    name: str
    text: IO[bytes]
    stored: IO[bytes]
    damage: Damage

    def read(self, size: int) -> bytes:
        """Up to `size` bytes of text, empty at the end."""
        try:
            return self.text.read(size)
        except self.damage as error:
            raise GdfitError(f"its compression is damaged: {error}", file=self.name) from None
        except OSError as error:
            raise GdfitError(f"can't be read: {error.strerror}", file=self.name) from None

    def position(self) -> int | None:
        """How many bytes of the stored file have been read; None where that can't be known."""
        return self.stored.tell() if self.stored.seekable() else None


def open_stored(path: str, name: str) -> BufferedReader:
    """The file at `path`, or standard input, as it is stored."""
    if path == "-":
        if sys.stdin is None:
            raise GdfitError("is closed", file=name)
        return cast(BufferedReader, sys.stdin.buffer)
    if not path:  # which Path would take for the folder that one is in
        raise GdfitError("no such file", file=name)
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        raise GdfitError("no such file", file=name) from None
    except IsADirectoryError:
        raise GdfitError("is a folder, not a CSV file", file=name) from None
    except OSError as error:
        raise GdfitError(f"can't be read: {error.strerror}", file=name) from None


@contextmanager
def open_source(path: str) -> Iterator[Source]:
    """Open `path`, or standard input for ``-``, decompressing what is compressed.

    Raises
    ------
    GdfitError : it does not exist, is a folder or can't be read.
    """
    name = "standard input" if path == "-" else path
    stored = open_stored(path, name)
    try:
        start = stored.peek(8)
        text: IO[bytes] = stored
        damage: Damage = ()
        for magic, decompress in FORMATS.items():
            if start.startswith(magic):
                text, damage = decompress(stored)
        yield Source(name, text, stored, damage)
    finally:
        if path != "-":
            stored.close()
