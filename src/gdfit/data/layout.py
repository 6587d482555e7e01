"""How a data file is laid out, found from its first lines: delimiter, header, column names."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gdfit.errors import GdfitError, UsageError, quoted

WHITE_SPACE = r"\s+"  # as pandas spells a run of white space
DELIMITERS = ("\t", ";", "|", ",", WHITE_SPACE)  # in this order where two fit equally well
MISSING = ("", "NA", "NaN", "nan")  # the last is how NumPy writes it
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
SNIFFED_LINES = 50
SNIFFED_BYTES = 1 << 18


@dataclass(frozen=True)
class Dialect:
    """What can be said of how data files are written; what is not said is found out.

    delimiter : one character or `WHITE_SPACE`; by default found from the first lines.
    decimal : the decimal mark, ``.`` or ``,``.
    drop_missing : skip rows with a missing field, which are an error otherwise.
    """

    delimiter: str | None = None
    decimal: str = "."
    drop_missing: bool = False

    def __post_init__(self) -> None:
        if self.decimal not in (".", ","):
            raise UsageError(f"`decimal` takes . or a comma, not {quoted(self.decimal)}")


@dataclass(frozen=True)
class Layout:
    """The form of a data file.

    names : a name for each column, as its header gives them, else x, y or x1…xp, y.
    named : whether they are the columns' own names, from a header.
    header_lines : how many lines come before the first row.
    delimiter : one character, or `WHITE_SPACE`.
    decimal : ``.`` or ``,``.
    without_name : columns whose field in the header is empty (a row index, or what follows a
        delimiter at the end of each line); they are called column1, column2 … by their place, and
        used only if asked for.
    """

    names: tuple[str, ...]
    named: bool
    header_lines: int
    delimiter: str
    decimal: str
    without_name: frozenset[str] = frozenset()


def find_layout(head: bytes, name: str, dialect: Dialect) -> Layout:
    """The layout of the file called `name`, of which `head` is the beginning.

    Raises
    ------
    GdfitError : it is empty, or not text in UTF-8.
    """
    lines, decimal = first_lines(head, name), dialect.decimal
    delimiter = dialect.delimiter or sniff_delimiter(lines, decimal)
    rows = (row for row in records(lines, delimiter) if row[1] != [])
    line, first = next(rows, (0, []))
    if not first:
        raise GdfitError("is empty", file=name)
    if is_data(first, decimal):
        return Layout(default_names(len(first)), False, 0, delimiter, decimal)
    names = tuple(text or f"column{place}" for place, text in enumerate(first, start=1))
    without_name = frozenset(name for name, text in zip(names, first, strict=True) if not text)
    return Layout(names, True, line, delimiter, decimal, without_name)


def first_lines(head: bytes, name: str) -> list[str]:
    """The first lines of `head` as text: at most `SNIFFED_LINES`, none of them cut."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise GdfitError("is UTF-16 text; save it as UTF-8", file=name)
    if b"\0" in head:
        raise GdfitError("is not a text file (it has null bytes)", file=name)
    lines = head[:SNIFFED_BYTES].splitlines(keepends=True)[:SNIFFED_LINES]
    if len(head) > SNIFFED_BYTES and len(lines) < SNIFFED_LINES:
        lines = lines[:-1]  # it may be cut
    if head and not lines:
        raise GdfitError("is not a CSV file: its first line does not end", file=name)
    text = [line.decode(errors="replace") for line in lines]
    if text and "\ufffd" in text[0]:
        raise GdfitError("is not UTF-8 text; save it as UTF-8", file=name, line=1)
    return text


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
    """The delimiter that cuts the most of `lines` into as many fields as the first one, at least
    two; a comma for a single column."""
    best, most = ",", 0
    for delimiter in DELIMITERS:
        if delimiter == decimal:
            continue
        rows = [row for _, row in records(lines, delimiter) if row]
        width = len(rows[0]) if rows else 0
        alike = sum(len(row) == width for row in rows)
        if width > 1 and alike > most and 2 * alike >= len(rows):
            best, most = delimiter, alike
    return ";" if best == decimal else best


def is_data(fields: Sequence[str], decimal: str) -> bool:
    """Whether a first line is a row of numbers (some may be missing) and not a header."""
    numbers = [is_number(field, decimal) for field in fields]
    return any(numbers) and all(
        number or field in MISSING for number, field in zip(numbers, fields, strict=True)
    )


def is_number(field: str, decimal: str) -> bool:
    """Whether `field` is a finite or infinite decimal number, in ASCII digits."""
    if decimal != ".":
        field = field.replace(".", "?").replace(decimal, ".")
    return bool(NUMBER.fullmatch(field) or INFINITE.fullmatch(field))


def default_names(count: int) -> tuple[str, ...]:
    """What the columns of a file without a header are called."""
    if count <= 2:
        return ("x", "y")[:count]
    return (*(f"x{place}" for place in range(1, count)), "y")


def parse_delimiter(text: str) -> str:
    """The delimiter that a text names: one character, or ``tab``, ``space``."""
    delimiter = {"\\t": "\t", "tab": "\t", "space": WHITE_SPACE, " ": WHITE_SPACE}.get(text, text)
    if delimiter != WHITE_SPACE and (
        len(delimiter) != 1 or delimiter in '"\r\n' or delimiter.isalnum() or ord(delimiter) > 127
    ):
        raise UsageError(f"takes one character, 'tab' or 'space', not {quoted(text)}")
    return delimiter
