"""The text of a data file: its bytes as UTF-8, up to where what is to be left out begins."""

from __future__ import annotations

import codecs
from typing import IO, NamedTuple

from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError

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


class Decoded:
    """A file's text in UTF-8."""

    def __init__(self, file: IO[bytes], encoding: str, begun: bytes) -> None:
        self._file, self._begun, self._text, self._ended = file, begun, b"", False
        errors = "replace" if encoding.startswith("utf") else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        while len(self._text) < size and not self._ended:
            raw = self._begun or self._file.read(size)
            self._begun, self._ended = b"", not raw
            self._text += as_utf_8(self._decoder.decode(raw, final=not raw))
        read, self._text = self._text[:size], self._text[size:]
        return read


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


def in_encoding(text: bytes, encoding: str) -> bytes:
    """Text that was read as UTF-8 as its file has it."""
    if encoding == UTF_8:
        return text
    errors = "replace" if encoding.startswith("utf") else "surrogateescape"
    return text.decode(errors="surrogateescape").encode(encoding, errors)


class WithoutEnd:
    """A file's text without its last lines, blank ones not counted.

    end : they, when all has been read.
    """

    def __init__(self, file: IO[bytes], lines: int, begun: bytes = b"") -> None:
        self._file, self._lines, self._begun = file, lines, begun
        self._text, self.end, self._ended = b"", b"", False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        while len(self._text) < size and not self._ended:
            more = self._begun or self._file.read(size)
            self._begun, self._ended = b"", not more
            if more:
                text = self.end + more
                start = start_of_end(text, self._lines)
                self._text, self.end = self._text + text[:start], text[start:]
        read, self._text = self._text[:size], self._text[size:]
        return read


def start_of_end(text: bytes, lines: int) -> int:
    """Where the last lines of `text` begin, so many, blank ones not counted."""
    start = len(text)
    for _ in range(lines):
        end = len(text[:start].rstrip())
        start = 1 + max(text.rfind(b"\n", 0, end), text.rfind(b"\r", 0, end))
    return start
