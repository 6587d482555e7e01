"""The first rows of a data file, cut by a delimiter that is found from them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from gdfit.data.dialect import Dialect
from gdfit.data.fields import (
    MARKS,
    OTHER_MARK,
    WHITE_SPACE,
    Grammar,
    content,
    line_at,
    records,
    says_number,
)
from gdfit.errors import GdfitError

DELIMITERS = ("\t", ";", "|", ",", WHITE_SPACE)  # in this order where two fit equally well
SNIFFED_ROWS = 50
SNIFFED_BYTES = 1 << 18
UTF_8 = b"\xef\xbb\xbf"  # the byte order mark
LINE = re.compile(rb"[^\r\n]*+(?:\r\n?|\n)")
EXCELS_DELIMITER = re.compile(rb'"?sep=([!-~\t ])"?[ \t]*(?:\r\n?|\n)', re.IGNORECASE)
COMMENT = re.compile(rb"[%b][^\r\n]*+(?:\r\n?|\n|\Z)" % MARKS.encode())


class Row(NamedTuple):
    """A row or a header.

    line : the number of its last line in the file, from 1.
    fields : without quotes, and blanks around them.
    end, stop : where in the file its last field ends, and its line.
    """

    line: int
    fields: list[str]
    end: int
    stop: int


class Head(NamedTuple):
    """What a file begins with.

    marked : the last of the comments at the top, without its mark: it may be the header.
    rows : the first ones, the header among them if there is one.
    grammar : how they are written.
    start, line : where what is above them ends: after how many bytes, and on which line.
    """

    marked: Row | None
    rows: list[Row]
    grammar: Grammar
    start: int
    line: int


def read_head(text: bytes, name: str, dialect: Dialect) -> Head:
    """The head of the file called `name`, which begins with `text`.

    Raises
    ------
    GdfitError : it is not text, or there is nothing in it.
    """
    check_text(text, name)
    start = len(UTF_8) if text.startswith(UTF_8) else 0
    for skipped in islice(LINE.finditer(text, start), dialect.skip):
        start = skipped.end()
    delimiter = dialect.delimiter
    if excels := EXCELS_DELIMITER.match(text, start):
        start, delimiter = excels.end(), delimiter or excels[1].decode()
    comment = b""
    while not dialect.comment and (found := COMMENT.match(text, start)):
        comment, start = found[0], found.end()
    sample = whole_lines(text[start:], name)
    grammar = dialect.grammar(delimiter or sniff_delimiter(sample, dialect))
    line = line_at(text, start)
    rows = first_rows(sample, grammar, start, line)
    if not rows:
        top = max(line - 1, dialect.skip)
        below = f" below line {top}" if top else ""
        raise GdfitError(f"is empty{below}", file=name)
    names = comment.lstrip(MARKS.encode())
    marked = first_rows(names, grammar, start - len(names), line - 1)
    return Head(marked[0] if marked else None, rows, grammar, start, line)


def check_text(text: bytes, name: str) -> None:
    """Raise where the beginning of a file shows that it is no text."""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise GdfitError("is UTF-16 text; save it as UTF-8", file=name)
    if b"\0" in text:
        raise GdfitError("is not a text file (it has null bytes)", file=name)


def whole_lines(text: bytes, name: str) -> bytes:
    """The first lines of `text`, none of them cut."""
    if len(text) <= SNIFFED_BYTES:
        return text
    sample = text[:SNIFFED_BYTES].removesuffix(b"\r")  # to which an LF may belong
    end = 1 + max(sample.rfind(b"\n"), sample.rfind(b"\r"))
    if not end:
        raise GdfitError("is not a CSV file: its first line does not end", file=name)
    return sample[:end]


def first_rows(text: bytes, grammar: Grammar, start: int, line: int) -> list[Row]:
    """The first rows of `text`, which begins after `start` bytes of a file, on this line."""
    return [
        Row(
            line_at(text, found.end, line),
            [content(field, grammar).decode(errors="replace") for field in found.fields],
            start + found.end,
            start + found.stop,
        )
        for found in islice(records(text, grammar), 1 + SNIFFED_ROWS)
    ]


def sniff_delimiter(sample: bytes, dialect: Dialect) -> str:
    """The delimiter that cuts the most rows of `sample` into equally many fields, at least two and
    in at least half of them; where several do, the one that leaves the most numbers, whatever their
    decimal mark. A comma for a single column."""
    found: dict[str, list[Row]] = {}
    most = 0
    for delimiter in DELIMITERS:
        grammar = dialect.grammar(delimiter)
        is_there = any(character in sample for character in grammar.delimiters)
        if not is_there or delimiter in (dialect.decimal, dialect.comment):
            continue
        rows = first_rows(sample, grammar, 0, 1)
        width, alike = Counter(len(row.fields) for row in rows).most_common(1)[0]
        if width < 2 or alike < most or 2 * alike < len(rows):
            continue
        found = {**(found if alike == most else {}), delimiter: rows}
        most = alike
    if len(found) > 1:
        return max(found, key=lambda delimiter: share_of_numbers(found[delimiter]))
    return next(iter(found), ";" if dialect.decimal == "," else ",")


def share_of_numbers(rows: Sequence[Row]) -> float:
    """The part of the fields of `rows` that are numbers."""
    fields = [field for row in rows for field in row.fields]
    return sum(any(says_number(field, mark) for mark in OTHER_MARK) for field in fields) / len(
        fields
    )
