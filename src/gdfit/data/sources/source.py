"""The bytes of a data file: opened, decompressed; and its text: as UTF-8, up to where what is to be
left out begins."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import os
import select
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, NamedTuple, cast

from gdfit.data.batch import Progress
from gdfit.data.sources.stores import Stored, name_of_file, scheme_of
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError, quoted
from gdfit.system import naming_scratch, scratch_file

PARQUET, ARROW = b"PAR1", b"ARROW1"  # what files of these formats start with
BLOCK_BYTES = 1 << 21  # smaller ones cost more calls, larger ones more memory
PAUSE, LONGEST_WAIT = 0.01, 0.5  # seconds: in a pipe, and for how long to collect without one


Damage = tuple[type[Exception], ...]


def decompressed(text: IO[bytes], start: bytes) -> tuple[IO[bytes], Damage]:
    """What is compressed in `text`, and what reading it raises where it is damaged; or `text` as it
    is. Unlike a file's name, its `start` tells the truth about standard input and renamed files."""
    if start.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(text)), (EOFError, gzip.BadGzipFile, zlib.error)
    if start.startswith(b"BZh"):
        return bz2.open(text), (EOFError, OSError)
    if start.startswith(b"\xfd7zXZ\x00"):
        return lzma.open(text), (EOFError, lzma.LZMAError)
    if not start.startswith(b"\x28\xb5\x2f\xfd"):
        return text, ()
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return cast(IO[bytes], zstd.open(text)), (EOFError, zstd.ZstdError)


class Source(NamedTuple):
    """An open data file.

    name : for messages.
    text : its bytes, decompressed.
    stored : the file as it is stored.
    damage : what reading `text` raises where the compression is damaged.
    """

    name: str
    text: IO[bytes]
    stored: Stored
    damage: Damage

    def read(self, size: int) -> bytes:
        """Up to `size` bytes of text, empty at the end."""
        with self.faults_told():
            return self.text.read(size)

    @property
    def is_live(self) -> bool:
        """Whether its rows come when they come, as from a pipe or a terminal."""
        try:
            mode = os.fstat(self.text.fileno()).st_mode
        except (AttributeError, OSError):  # it has no descriptor of its own
            return False
        waits = stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)
        return waits and not self.is_compressed and sys.platform != "win32"

    def read_live(self, size: int) -> bytes:
        """Up to `size` bytes of text, empty at the end: what is there, once something is, and what
        follows without a pause."""
        file = cast(BufferedReader, self.text)
        with self.faults_told():
            parts = [file.read1(size)]
            left, due = size - len(parts[0]), time.monotonic() + LONGEST_WAIT
            while parts[-1] and left and not file.isatty() and time.monotonic() < due:
                if not select.select([file], [], [], PAUSE)[0]:
                    break
                parts.append(file.read1(left))
                left -= len(parts[-1])
        return b"".join(parts)

    def tail(self, size: int) -> bytes:
        """The last bytes, so many, of what can be read in any order; of all else, none."""
        file, end = self.stored.file, self.stored.size
        if self.is_compressed or end is None or not file.seekable():
            return b""
        position = file.tell()
        file.seek(max(position, end - size))
        tail = file.read(size)
        file.seek(position)
        return tail

    @property
    def start(self) -> bytes:
        """The next bytes of text, some, without reading them."""
        with self.faults_told():
            return cast(BufferedReader, self.text).peek(8)

    @contextmanager
    def faults_told(self) -> Iterator[None]:
        """What goes wrong in reading, as one line about the file."""
        try:
            yield
        except self.damage as error:
            raise GdfitError(f"its compression is damaged: {error}", file=self.name) from None
        except OSError as error:
            raise GdfitError(f"can't be read: {error.strerror}", file=self.name) from None

    @property
    def is_compressed(self) -> bool:
        """Whether `text` is not what is stored."""
        return self.text is not self.stored.file

    @property
    def is_in_any_order(self) -> bool:
        """Whether the stored file is what `text` is, and can be read in any order."""
        return not self.is_compressed and self.stored.file.seekable()

    @contextmanager
    def in_any_order(self, progress: Progress | None) -> Iterator[IO[bytes]]:
        """The bytes as a file that can be read in any order: a temporary one of what can't be, as a
        download."""
        if self.is_in_any_order:
            yield self.stored.file
            return
        with scratch_file() as file:
            while chunk := self.read(BLOCK_BYTES):
                with naming_scratch():
                    file.write(chunk)
                position = self.position()
                if progress and position is not None:
                    progress.progress(position)
            with naming_scratch():
                file.seek(0)  # which writes what waits to be
            yield file

    def position(self) -> int | None:
        """How many bytes of the stored file have been read; None where that can't be known."""
        try:
            return self.stored.file.tell()
        except OSError:  # a pipe
            return None


def open_stored(path: str, start: int = 0) -> Stored:
    """The file at a path or URL, or standard input for ``-``, as it is stored, from the byte
    `start` on.

    Raises
    ------
    GdfitError : it does not exist, is a folder or can't be read.
    """
    scheme = scheme_of(path)
    if scheme in ("http", "https"):
        from gdfit.data.sources.http import open_url

        return open_url(path, start)
    if scheme:
        from gdfit.data.sources.stores import open_remote

        return open_remote(path, scheme, start)
    if path == "-":
        if sys.stdin is None:
            raise GdfitError("is closed", file=name_of_file(path))
        file = cast(BufferedReader, sys.stdin.buffer)
    else:
        file = open_local(path)
        if start:
            file.seek(start)
    size = size_at(path)
    return Stored(file, size, from_anywhere=path != "-" and size is not None)


def open_local(path: str) -> BufferedReader:
    """The file at `path` on this machine."""
    if not path:  # which Path would take for the folder that one is in
        raise GdfitError("no such file", file=path)
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        raise GdfitError("no such file", file=path) from None
    except IsADirectoryError:
        raise GdfitError("is a folder, not a CSV file", file=path) from None
    except OSError as error:
        raise GdfitError(f"can't be read: {error.strerror}", file=path) from None


def size_at(path: str) -> int | None:
    """The size of the file at `path`, or standard input for ``-``; None of what is none, as a URL
    is none, and a pipe."""
    try:
        status = os.fstat(sys.stdin.fileno()) if path == "-" else Path(path).stat()
    except (OSError, ValueError, AttributeError):  # no such file; standard input that is none
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


@contextmanager
def open_source(path: str) -> Iterator[Source]:
    """Open a path or URL, or standard input for ``-``, decompressing what is compressed.

    Raises
    ------
    GdfitError : it does not exist, is a folder or can't be read.
    """
    stored = open_stored(path)
    try:
        source = Source(name_of_file(path), stored.file, stored, ())
        for _ in range(1 + stored.encoded):
            text, damage = decompressed(source.text, source.start)
            source = source._replace(text=text, damage=source.damage + damage)
        yield source
    finally:
        if path != "-":
            stored.file.close()


UTF_8, WINDOWS = "utf-8", "cp1252"
MARKED = {  # the longer ones first
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: UTF_8,
}
WIDE = {2: ("utf-16-le", "utf-16-be"), 4: ("utf-32-le", "utf-32-be")}
LOOKED_THROUGH = 1 << 12  # bytes, for null bytes
RARE = 10  # of so many bytes of a text, fewer than one is null


class Encoding(NamedTuple):
    """How a file's text is encoded.

    name : Python's for it.
    guessed : whether it says so nowhere, and may be another one.
    """

    name: str = UTF_8
    guessed: bool = False


def encoding_of(text: bytes, name: str, dialect: Dialect, *, ended: bool) -> Encoding:
    """The encoding of the file called `name`, which begins with `text`; what was said in training
    holds where it is no other without doubt.

    ended : whether nothing follows.

    Raises
    ------
    GdfitError : it is no text.
    """
    marked = next((MARKED[mark] for mark in MARKED if text.startswith(mark)), None)
    said = dialect.encoding
    if said is not None and "encoding" not in dialect.of_training:
        known = codecs.lookup(said).name
        if known in ("utf-16", "utf-32"):
            wide = marked or encoding_with_nulls(text)
            return Encoding(wide if wide and wide.startswith(known) else f"{known}-le")
        return Encoding(UTF_8 if known == "utf-8-sig" else known)
    if found := marked or encoding_with_nulls(text):
        return Encoding(found)
    is_utf_8 = True
    try:
        codecs.getincrementaldecoder(UTF_8)().decode(text, final=ended)
    except UnicodeDecodeError:
        is_utf_8 = False
    if (nulls := text.count(b"\0")) and (not is_utf_8 or nulls * RARE > len(text)):
        raise GdfitError("is not a text file (it has null bytes)", file=name)
    return Encoding() if is_utf_8 else Encoding(said or WINDOWS, guessed=said is None)


def encoding_with_nulls(text: bytes) -> str | None:
    """UTF-16 or UTF-32, if the null bytes at the beginning of a file are where these have them."""
    text = text[:LOOKED_THROUGH]
    for width in (4, 2):
        size = len(text) // width
        nulls = [text[at : size * width : width].count(0) for at in range(width)]
        high, low = nulls[width // 2 :], nulls[: width // 2]
        for name, most, least in zip(WIDE[width], (high, low), (low, high), strict=True):
            often = size if width == 4 else size / 4
            if size > 1 and min(most) >= often and min(least) == 0:
                return name
    return None


class Changed:
    """A file's text, changed on its way."""

    def __init__(self, file: IO[bytes], begun: bytes) -> None:
        self._file, self._begun, self._text, self._ended = file, begun, b"", False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        while len(self._text) < size and not self._ended:
            raw = self._begun or self._file.read(size)
            self._begun, self._ended = b"", not raw
            self._text += self._change(raw)
        read, self._text = self._text[:size], self._text[size:]
        return read

    def _change(self, raw: bytes) -> bytes:
        """What the next bytes become; there are none at the end."""
        raise NotImplementedError


class Decoded(Changed):
    """The text of the file of this name in UTF-8."""

    def __init__(self, file: IO[bytes], encoding: str, begun: bytes, name: str) -> None:
        super().__init__(file, begun)
        errors = "replace" if encoding.startswith("utf") else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._encoding, self._name = encoding, name

    def _change(self, raw: bytes) -> bytes:
        try:
            return as_utf_8(self._decoder.decode(raw, final=not raw))
        except UnicodeDecodeError as error:  # of an encoding in which ASCII means something else
            what = f"is not text in {self._encoding} (it has {error.object[error.start]:#04x})"
            raise GdfitError(what, file=self._name) from None


def as_utf_8(text: str) -> bytes:
    """Text as bytes; what was no text of its encoding is as it was."""
    return text.encode(errors="surrogateescape")


def in_windows(said: str) -> str | None:
    """A text as Windows-1252 has it, where its bytes are no UTF-8; None of any other."""
    try:
        said.encode()
    except UnicodeEncodeError:
        return as_utf_8(said).decode(WINDOWS, errors="replace")
    return None


def in_encoding(text: bytes, encoding: str, name: str) -> bytes:
    """Text that was read as UTF-8 as its file, of this name, has it.

    Raises
    ------
    GdfitError : a name that was put in has letters that the encoding does not have.
    """
    if encoding == UTF_8:
        return text
    errors = "replace" if encoding.startswith("utf") else "surrogateescape"
    try:
        return text.decode(errors="surrogateescape").encode(encoding, errors)
    except UnicodeEncodeError as error:
        lacking = quoted(error.object[error.start : error.end])
        what = f"its encoding, {encoding}, has no {lacking}, which the model's names have"
        raise GdfitError(f"{what}: save it as UTF-8", file=name) from None


class WithoutEnd(Changed):
    """A file's text without its last lines, blank ones not counted.

    end : they, when all has been read.
    """

    def __init__(self, file: IO[bytes], lines: int, begun: bytes = b"") -> None:
        super().__init__(file, begun)
        self._lines, self.end = lines, b""

    def _change(self, raw: bytes) -> bytes:
        text = self.end + raw
        start = start_of_end(text, self._lines)
        self.end = text[start:]
        return text[:start]


def start_of_end(text: bytes, lines: int) -> int:
    """Where the last lines of `text` begin, so many, blank ones not counted."""
    start = len(text)
    for _ in range(lines):
        end = len(text[:start].rstrip())
        start = 1 + max(text.rfind(b"\n", 0, end), text.rfind(b"\r", 0, end))
    return start
