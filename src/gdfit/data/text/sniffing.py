"""The first rows of a data file, cut by a delimiter and by quotes that are found from them; and the
last one."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Sequence
from itertools import islice, takewhile
from typing import NamedTuple

from gdfit.data.text import fields
from gdfit.data.text.dialect import QUOTINGS, Dialect, Quoting
from gdfit.data.text.fields import MARKS, WHITE_SPACE, Grammar, says_number
from gdfit.data.text.spellings import unit_of
from gdfit.errors import GdfitError, quoted

DELIMITERS = ("\t", ";", "|", ",", WHITE_SPACE)  # in this order where two fit equally well
SNIFFED_ROWS = 50
SNIFFED_BYTES = 1 << 18
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
    GdfitError : there is nothing in it, or no line that ends.
    """
    start = len(BOM_UTF8) if text.startswith(BOM_UTF8) else 0
    for skipped in islice(LINE.finditer(text, start), dialect.skip):
        start = skipped.end()
    delimiter = dialect.delimiter
    if excels := EXCELS_DELIMITER.match(text, start):
        start, delimiter = excels.end(), delimiter or excels[1].decode()
    comment = b""
    while not dialect.comment and (found := COMMENT.match(text, start)):
        comment, start = found[0], found.end()
    sample = whole_lines(text[start:], name)
    line = fields.line_at(text, start)
    grammar, rows = sniffed(sample, dialect, delimiter, start, line)
    if not rows or not sample.strip():
        top = max(line - 1, dialect.skip)
        below = f" below line {top}" if top else ""
        raise GdfitError(f"is empty{below}", file=name)
    names = comment.lstrip(MARKS.encode())
    marked = first_rows(names, grammar, start - len(names), line - 1)
    return Head(marked[0] if marked else None, rows, grammar, start, line)


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


def sniffed(
    sample: bytes, dialect: Dialect, delimiter: str | None, start: int, line: int
) -> tuple[Grammar, list[HeadRow]]:
    """How the rows of `sample` are written, and the first ones, as `first_rows` gives them.

    The delimiter is the one that cuts the most of them into equally many fields, at least two and
    in at least half of them; where several do, the one that leaves the most numbers, whatever their
    decimal mark. A comma for a single column.

    Single quotes, or backslashes in quotes, are taken for such where the rows are then more alike,
    have more numbers, or a column that is all in quotes.
    """
    found: list[tuple[int, Grammar, list[HeadRow]]] = []
    for quoting in QUOTINGS:
        if not may_be_quoted(sample, quoting, delimiter or ""):
            continue
        for candidate in (delimiter,) if delimiter else DELIMITERS:
            grammar = dialect.grammar(candidate, quoting)
            is_there = any(character in sample for character in grammar.delimiters)
            if not is_there or candidate in (dialect.decimal, dialect.comment, quoting.quote):
                continue
            rows = first_rows(sample, grammar, start, line)
            whole = [row for row in rows if not row.fields[-1].startswith(quoting.quote)]
            if not whole:
                continue
            width, alike = Counter(len(row.fields) for row in whole).most_common(1)[0]
            if width >= 2 and 2 * alike >= len(rows):
                found.append((alike, grammar, rows))
    most = max((alike for alike, *_ in found), default=0)
    best = [(grammar, rows) for alike, grammar, rows in found if alike == most]
    if len(best) > 1:  # the first of those that are equally good
        return max(
            best, key=lambda each: (share_of_numbers(each[1]), columns_in_quotes(sample, each[0]))
        )
    if best:
        return best[0]
    grammar = dialect.grammar(delimiter or (";" if dialect.decimal == "," else ","))
    return grammar, first_rows(sample, grammar, start, line)


def may_be_quoted(sample: bytes, quoting: Quoting, delimiter: str) -> bool:
    """Whether fields of `sample` may be in these quotes."""
    quote, escape = quoting.quote.encode(), quoting.escape
    if delimiter == quoting.quote or (escape and b"\\" + quote not in sample):
        return False
    return quote == b'"' or (quote in sample and b'"' not in sample)


def columns_in_quotes(sample: bytes, grammar: Grammar) -> int:
    """In how many columns of the first rows all fields, two at least, are in quotes that are no
    double ones."""
    if grammar.quote == '"':
        return 0
    rows = [row.fields for row in islice(fields.records(sample, grammar), 1, 1 + SNIFFED_ROWS)]
    columns = zip(*rows, strict=False) if len(rows) > 1 else ()
    return sum(
        all(grammar.quoted.fullmatch(field.strip(grammar.blanks)) for field in column)
        for column in columns
    )


def share_of_numbers(rows: Sequence[HeadRow]) -> float:
    """The part of the fields of `rows` that are numbers."""
    found = [has_number([field]) for row in rows for field in row.fields]
    return sum(found) / len(found)


def has_number(row: Sequence[str]) -> bool:
    """Whether there is a number in a row, however it is written."""
    return any(says_number(field, ".") or unit_of(field) is not None for field in row)


TOTAL = (  # in any case
    r"(?:(?:grand|sub)[ -]?)?totale?[sn]?\b|sums?\b|means?\b|averages?\b|avg\b|summen?\b|"
    r"(?:ins)?gesamt|mittel(?:wert)?\b|durchschnitt|somme\b|moyenne|suma\b|promedio|media\b|totaal"
)
TAIL_BYTES = 1 << 12  # of a file's end, which have its last rows


def note_of_total(text: bytes, grammar: Grammar, width: int) -> str | None:
    """What to say of the last row of a file, whose last bytes are `text`, where it begins with a
    word as Total, and the row above does not.

    width : how many fields a row has.
    """
    first = LINE.search(text)
    rows = [*fields.records(text[first.end() :], grammar)] if first else []
    if len(rows) < 2:
        return None
    above, last = (
        [fields.content(field, grammar).decode(errors="replace") for field in row.fields]
        for row in rows[-2:]
    )
    word = next(filter(None, last), "")
    if not begins_with_total(word) or begins_with_total(next(filter(None, above), "")):
        return None
    if len(last) != width or not has_number(last):
        return None
    return f"the last row begins with {quoted(word)}: `skip_end` 1 leaves it out"


def begins_with_total(said: str) -> bool:
    """Whether a field begins with a word as Total."""
    return said[:1].isalpha() and re.match(TOTAL, said, re.IGNORECASE) is not None


class Trailer(NamedTuple):
    """The rows at the end of a file that are no table any more: how many, and their text."""

    rows: int = 0
    text: bytes = b""


def trailer_of(text: bytes, grammar: Grammar, width: int) -> Trailer:
    """The rows at the end of a file's text that have fewer fields than `width`, if others stand
    above them."""
    from_line = LINE.search(text, len(text) - TAIL_BYTES) if len(text) > TAIL_BYTES else None
    text = text[from_line.end() if from_line else 0 :]
    rows = [*fields.records(text, grammar)]
    short = [*takewhile(lambda row: len(row.fields) < width, reversed(rows))]
    return Trailer(len(short), text[short[-1].start :]) if 0 < len(short) < len(rows) else Trailer()
