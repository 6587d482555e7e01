"""How a data file is laid out, found from its first lines: where its header is, what its columns
are called, and what they hold.

The first rows of a data file, cut by a delimiter that is found from them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import NamedTuple

from gdfit.data.text import fields
from gdfit.data.text.dialect import Dialect, all_numbers
from gdfit.data.text.fields import MARKS, OTHER_MARK, WHITE_SPACE, Grammar, says_number
from gdfit.errors import GdfitError, quoted

ROW_NAMES = re.compile(r"row[._ ]?names|unnamed: \d+", re.IGNORECASE)  # R's and pandas' own words


class Held(NamedTuple):
    """What a column holds in the first lines: how many numbers, missing fields and words, and the
    first of the words; and its levels, where they have an order of their own."""

    numbers: int = 0
    missing: int = 0
    words: int = 0
    word: str = ""
    order: tuple[str, ...] = ()

    @property
    def is_numeric(self) -> bool:
        """Whether it is a column of numbers, and not of text in most lines or nothing at all."""
        return self.words < self.numbers or self.words == self.numbers > 0 or not any(self[:3])


@dataclass(frozen=True)
class Layout:
    """The form of a data file.

    names : a name for each column, as its header gives them, else x, y or x1…xp, y.
    named : whether they are the columns' own names, from a header.
    grammar : how it writes rows and numbers.
    start, line : where the rows begin: after how many bytes, and on which line.
    header_end : after how many bytes the last name in the header ends.
    set_aside : columns that are used only if asked for: row names, and those without a name, as a
        row index, or what follows a delimiter at the end of each line. They are called column1,
        column2 … by their place.
    held : what each column holds in the first lines.
    is_text : whether the file is text; if not, its columns have names and types of their own.
    notes : what is done with it beyond the plain reading, as a person is told it.
    """

    names: tuple[str, ...]
    named: bool
    grammar: Grammar
    start: int = 0
    line: int = 1
    header_end: int = 0
    set_aside: frozenset[str] = frozenset()
    held: tuple[Held, ...] = ()
    is_text: bool = True
    notes: tuple[str, ...] = ()

    def held_in(self, name: str) -> Held:
        """What the column of this name holds."""
        return self.held[self.names.index(name)]

    @cached_property
    def numeric(self) -> tuple[str, ...]:
        """The columns of numbers."""
        return tuple(
            name for name, held in zip(self.names, self.held, strict=True) if held.is_numeric
        )


@lru_cache(maxsize=1)  # to find out whether a file can be cut, it is opened once more
def find_layout(text: bytes, name: str, dialect: Dialect) -> Layout:
    """The layout of the file called `name`, which begins with `text`.

    Raises
    ------
    GdfitError : it is empty, or not text in UTF-8; or its first line is no header and no row.
    """
    head = read_head(text, name, dialect)
    grammar = head.grammar
    header, rows = find_header(head, name)
    if header is None:
        names = default_names(len(rows[0].fields))
        held = look_at(rows, len(names), grammar)
        return Layout(names, False, grammar, head.start, head.line, held=held)
    if any("\ufffd" in field for field in header.fields):
        raise GdfitError("is not UTF-8 text; save it as UTF-8", file=name, line=header.line)
    names, aside = named_columns([bare(field) for field in header.fields])
    line, held = fields.line_at(text, header.stop), look_at(rows, len(names), grammar)
    return Layout(names, True, grammar, header.stop, line, header.end, aside, held)


def named_columns(given: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """A name for each column, and which are set aside: row names, and those without a name of their
    own, which is empty."""
    names = tuple(name or f"column{place}" for place, name in enumerate(given, start=1))
    aside = {name for name, own in zip(names, given, strict=True) if not own}
    return names, frozenset(aside.union(filter(ROW_NAMES.fullmatch, names[:1])))


def find_header(head: Head, name: str) -> tuple[HeadRow | None, list[HeadRow]]:
    """The header, if there is one, with a name for each column, and the first rows."""
    first, *rows = head.rows
    decimal, missing = head.grammar.decimal, head.grammar.missing
    other = OTHER_MARK.get(decimal, ",")
    if head.grammar.delimiter != other and all_numbers(first.fields, other, missing):
        for field in first.fields:
            if not says_number(field, decimal) and field not in missing:
                what = f"{quoted(field)} is not a number (decimals with '{other}' need `decimal` "
                raise GdfitError(f"{what}{other})", file=name, line=first.line)
    width = usual_width(rows) or len(first.fields)
    marked = head.marked.fields if head.marked else []
    if len(marked) == width > 1 and has_number(first.fields) and not has_number(marked):
        return head.marked, head.rows  # as NumPy's savetxt and gnuplot do
    if title := title_above(head.rows, width):
        what = next(filter(None, first.fields), "")
        raise GdfitError(
            f"{quoted(what)} is no header for the {width} columns below it; `skip` {title} begins "
            f"at line {title + 1}",
            file=name,
            line=first.line,
        )
    if is_row(first.fields, [row.fields for row in rows], head.grammar):
        return None, head.rows
    if len(first.fields) == width - 1:  # R's write.table: row names have none themselves
        return first._replace(fields=["", *first.fields]), rows
    return first, rows


def usual_width(rows: Sequence[HeadRow]) -> int:
    """How many fields more than half of `rows` have; 0 if there is no such number."""
    widths = Counter(len(row.fields) for row in rows)
    return next((width for width, count in widths.items() if 2 * count > len(rows)), 0)


def title_above(records: Sequence[HeadRow], width: int) -> int:
    """How many lines stand above what may be a header of the rows, `width` wide; 0 for none."""
    first, *rows = records
    second = next((place for place, row in enumerate(rows) if len(row.fields) == width), None)
    if second is None or not any(has_number(row.fields) for row in rows[second + 1 :] or rows):
        return 0
    names_below = not has_number(rows[second].fields)
    count = len(first.fields)
    if count == width:
        named = sum(map(bool, first.fields))
        is_title = named == 1 < sum(map(bool, rows[second].fields)) and names_below
    elif count > width:
        is_title = names_below and second == 0
    else:
        is_rs = count == width - 1 > 1 and second == 0 and not has_number(first.fields)
        is_title = names_below or not is_rs  # R's write.table names one column less
    return records[second].line if is_title else 0


def is_row(first: Sequence[str], rows: Sequence[Sequence[str]], grammar: Grammar) -> bool:
    """Whether a first line is no header but a row.

    It is if it has nothing but numbers; or, with words among them, if these are where the words of
    the next rows are, and a number has a decimal mark, or a word comes again below.
    """
    decimal, missing = grammar.decimal, grammar.missing
    if all_numbers(first, decimal, missing):
        return True
    below = [row for row in rows if len(row) == len(first)]
    numbers = [says_number(field, decimal) for field in first]
    if not below or not any(numbers):
        return False
    for row in below[:3]:
        for number, field in zip(numbers, row, strict=True):
            if field not in missing and says_number(field, decimal) != number:
                return False
    if any(number and decimal in field for number, field in zip(numbers, first, strict=True)):
        return True
    columns = zip(numbers, first, *below, strict=True)
    return any(not number and field in others for number, field, *others in columns)


def look_at(rows: Sequence[HeadRow], width: int, grammar: Grammar) -> tuple[Held, ...]:
    """What the columns hold in `rows`. A number with the other decimal mark counts as one where all
    numbers may have that mark, so that it is told as a fault and not taken for text."""
    columns = list(zip(*(row.fields for row in rows if len(row.fields) == width), strict=True))
    decimal, other = grammar.decimal, OTHER_MARK.get(grammar.decimal, ",")
    either = other != grammar.delimiter and not any(
        decimal in field and says_number(field, decimal) for column in columns for field in column
    )

    def held(column: Sequence[str]) -> Held:
        present = [field for field in column if field not in grammar.missing]
        words = [field for field in present if not says_number(field, decimal)]
        if either:
            words = [field for field in words if not says_number(field, other)]
        absent = len(column) - len(present)
        return Held(len(present) - len(words), absent, len(words), words[0] if words else "")

    return tuple(map(held, columns)) if columns else (Held(),) * width


def has_number(row: Sequence[str]) -> bool:
    """Whether there is a number in a row, with either decimal mark."""
    return any(says_number(field, mark) for field in row for mark in OTHER_MARK)


def bare(name: str) -> str:
    """A column's name without single quotes and blanks around it."""
    name = name.strip()
    quotes = len(name) > 1 and name.startswith("'") and name.endswith("'")
    return name[1:-1].strip() if quotes else name


def default_names(count: int) -> tuple[str, ...]:
    """What the columns of a file without a header are called."""
    if count <= 2:
        return ("x", "y")[:count]
    return (*(f"x{place}" for place in range(1, count)), "y")


DELIMITERS = ("\t", ";", "|", ",", WHITE_SPACE)  # in this order where two fit equally well
SNIFFED_ROWS = 50
SNIFFED_BYTES = 1 << 18
UTF_8 = b"\xef\xbb\xbf"  # the byte order mark
LINE = re.compile(rb"[^\r\n]*+(?:\r\n?|\n)")
EXCELS_DELIMITER = re.compile(rb'"?sep=([!-~\t ])"?[ \t]*(?:\r\n?|\n)', re.IGNORECASE)
COMMENT = re.compile(rb"[%b][^\r\n]*+(?:\r\n?|\n|\Z)" % MARKS.encode())


class HeadRow(NamedTuple):
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

    marked: HeadRow | None
    rows: list[HeadRow]
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
    line = fields.line_at(text, start)
    rows = first_rows(sample, grammar, start, line)
    if not rows or not sample.strip():
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
        long = f"its first line is longer than {SNIFFED_BYTES >> 10} kB"
        raise GdfitError(f"is not a CSV file: {long}", file=name)
    return sample[:end]


def first_rows(text: bytes, grammar: Grammar, start: int, line: int) -> list[HeadRow]:
    """The first rows of `text`, which begins after `start` bytes of a file, on this line."""
    return [
        HeadRow(
            fields.line_at(text, found.end, line),
            [fields.content(field, grammar).decode(errors="replace") for field in found.fields],
            start + found.end,
            start + found.stop,
        )
        for found in islice(fields.records(text, grammar), 1 + SNIFFED_ROWS)
    ]


def sniff_delimiter(sample: bytes, dialect: Dialect) -> str:
    """The delimiter that cuts the most rows of `sample` into equally many fields, at least two and
    in at least half of them; where several do, the one that leaves the most numbers, whatever their
    decimal mark. A comma for a single column."""
    found: dict[str, list[HeadRow]] = {}
    most = 0
    for delimiter in DELIMITERS:
        grammar = dialect.grammar(delimiter)
        is_there = any(character in sample for character in grammar.delimiters)
        if not is_there or delimiter in (dialect.decimal, dialect.comment):
            continue
        rows = first_rows(sample, grammar, 0, 1)
        if not rows:
            continue
        width, alike = Counter(len(row.fields) for row in rows).most_common(1)[0]
        if width < 2 or alike < most or 2 * alike < len(rows):
            continue
        found = {**(found if alike == most else {}), delimiter: rows}
        most = alike
    if len(found) > 1:
        return max(found, key=lambda delimiter: share_of_numbers(found[delimiter]))
    return next(iter(found), ";" if dialect.decimal == "," else ",")


def share_of_numbers(rows: Sequence[HeadRow]) -> float:
    """The part of the fields of `rows` that are numbers."""
    found = [has_number([field]) for row in rows for field in row.fields]
    return sum(found) / len(found)
