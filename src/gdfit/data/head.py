"""The first lines of a data file: cut into records, by a delimiter that is found from them."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gdfit.data.dialect import OTHER_MARK, WHITE_SPACE, Dialect, is_number
from gdfit.errors import GdfitError

DELIMITERS = ("\t", ";", "|", ",", WHITE_SPACE)  # in this order where two fit equally well
SNIFFED_LINES = 50
SNIFFED_BYTES = 1 << 18
EXCELS_DELIMITER = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
MARKS = ("#", "%")  # begin comments above a header


class Record(NamedTuple):
    """A row or a header.

    line : the number of its last line in the file, from 1.
    fields : stripped of quotes and spaces.
    """

    line: int
    fields: list[str]


class Head(NamedTuple):
    """What a file begins with.

    marked : the last of the comments at the top, without its mark: it may be the header.
    top : how many lines are above the records.
    records : the first ones.
    delimiter : what separates their fields.
    """

    marked: list[str]
    top: int
    records: list[Record]
    delimiter: str


def read_head(text: bytes, name: str, dialect: Dialect) -> Head:
    """The head of the file called `name`, which begins with `text`.

    Raises
    ------
    GdfitError : it is not text in UTF-8, or there is nothing in it.
    """
    lines, top, delimiter = first_lines(text, name, dialect), dialect.skip, dialect.delimiter
    if lines and (excels := EXCELS_DELIMITER.fullmatch(lines[0])):
        delimiter = delimiter or excels[1]
        lines, top = lines[1:], top + 1
    comments = 0
    while not dialect.comment and lines[comments:] and lines[comments].startswith(MARKS):
        comments += 1
    top += comments
    last = lines[comments - 1].lstrip("".join(MARKS)) if comments else ""
    lines = lines[comments : comments + SNIFFED_LINES]
    delimiter = delimiter or sniff_delimiter(lines, dialect.decimal)
    found = [Record(top + line, row) for line, row in records(lines, delimiter) if row]
    if not found:
        below = f" below line {top}" if top else ""
        raise GdfitError(f"is empty{below}", file=name)
    return Head(next(records([last], delimiter), (0, []))[1], top, found, delimiter)


def first_lines(text: bytes, name: str, dialect: Dialect) -> list[str]:
    """The lines at the beginning of `text`, none of them cut, without those to skip, and with
    blanks for comments."""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise GdfitError("is UTF-16 text; save it as UTF-8", file=name)
    if b"\0" in text:
        raise GdfitError("is not a text file (it has null bytes)", file=name)
    lines = text[:SNIFFED_BYTES].splitlines(keepends=True)
    if len(text) > SNIFFED_BYTES:
        lines = lines[:-1]  # it may be cut
    if text and not lines:
        raise GdfitError("is not a CSV file: its first line does not end", file=name)
    lines = lines[dialect.skip :]
    if dialect.comment:
        lines = without_comments(b"".join(lines), dialect.comment).splitlines(keepends=True)
    decoded = [line.decode(errors="replace") for line in lines]
    if decoded and "\ufffd" in decoded[0]:
        raise GdfitError("is not UTF-8 text; save it as UTF-8", file=name, line=dialect.skip + 1)
    return decoded


def without_comments(text: bytes, mark: str) -> bytes:
    """`text` with blanks for comments: from a `mark` that is not in quotes to the line's end."""
    comment = re.compile(rb'"(?:[^"]|"")*+(?:"|\Z)|%b[^\r\n]*+' % re.escape(mark.encode()))
    return comment.sub(
        lambda found: found[0] if found[0].startswith(b'"') else b" " * len(found[0]), text
    )


def records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records of `lines`, each with the number of lines read so far, fields stripped of spaces.

    A record is empty for a blank line. Quotes are CSV's: a quoted field may hold delimiters and
    line ends, and ``""`` stands for a quote.
    """
    csv.field_size_limit(sys.maxsize)
    if delimiter == WHITE_SPACE:
        lines = (" ".join(line.split()) + "\n" for line in lines)
        delimiter = " "
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    for row in reader:
        fields = [field.strip() for field in row]
        yield reader.line_num, [] if fields == [""] else fields


def sniff_delimiter(lines: Sequence[str], decimal: str) -> str:
    """The delimiter that cuts the most of `lines` into equally many fields, at least two and in at
    least half of them; where several do, the one that leaves the most numbers, whatever their
    decimal mark. A comma for a single column."""
    found: dict[str, list[list[str]]] = {}
    most = 0
    for delimiter in DELIMITERS:
        rows = [row for _, row in records(lines, delimiter) if row]
        width, alike = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        if delimiter == decimal or width < 2 or alike < most or 2 * alike < len(rows):
            continue
        found = {**(found if alike == most else {}), delimiter: rows}
        most = alike
    if len(found) > 1:
        return max(found, key=lambda delimiter: share_of_numbers(found[delimiter]))
    return next(iter(found), ";" if decimal == "," else ",")


def share_of_numbers(rows: Sequence[Sequence[str]]) -> float:
    """The part of the fields of `rows` that are numbers."""
    fields = [field for row in rows for field in row]
    return sum(any(is_number(field, mark) for mark in OTHER_MARK) for field in fields) / len(fields)
