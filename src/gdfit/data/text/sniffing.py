"""The first rows of a data file, cut by a delimiter and by quotes that are found from them; what
its columns hold in them; and the last row."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any, NamedTuple

from gdfit.data.text import fields
from gdfit.data.text.dialect import QUOTINGS, Dialect, Quoting, numeric_places
from gdfit.data.text.fields import MARKS, WHITE_SPACE, Grammar, says_number
from gdfit.data.text.spellings import (
    OTHER_MARK,
    SPELLINGS,
    DateSpelling,
    Found,
    Spelling,
    find_spelling,
    unit_of,
)
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
    names_end = start
    while not dialect.comment and (found := COMMENT.match(text, start)):
        start = found.end()
        if found[0].strip(MARKS.encode() + b" \t\r\n"):
            comment, names_end = found[0], start
    sample = whole_lines(text[start:], name)
    line = fields.line_at(text, start)
    grammar, rows = sniffed(sample, dialect, delimiter, start, line)
    if not rows or not sample.strip():
        top = max(line - 1, dialect.skip)
        below = f" below line {top}" if top else ""
        raise GdfitError(f"is empty{below}", file=name)
    names = comment.lstrip(MARKS.encode())
    above = fields.line_at(text, names_end) - 1
    marked = first_rows(names, grammar, names_end - len(names), above)
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
    found = [*islice(fields.records(text, grammar), 1 + SNIFFED_ROWS)]
    lines = [fields.line_at(text, row.end, line) for row in found]
    return [
        HeadRow(number, said_in(row, grammar), start + row.end, start + row.stop)
        for number, row in zip(lines, found, strict=True)
    ]


def said_in(row: fields.Record, grammar: Grammar) -> list[str]:
    """What the fields of a row say."""
    return [fields.content(field, grammar).decode(errors="replace") for field in row.fields]


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
            if not is_there or candidate in (dialect.comment, quoting.quote):
                continue
            rows = first_rows(sample, grammar, start, line)
            whole = [row for row in rows if not row.fields[-1].startswith(quoting.quote)]
            if not whole:
                continue
            has_it = any(candidate in field for row in rows for field in row.fields)  # in quotes
            if candidate == dialect.decimal and (found or not has_it):
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
    above, last = (said_in(row, grammar) for row in rows[-2:])
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


def trailer_of(text: bytes, grammar: Grammar, held: Sequence[Held]) -> Trailer:
    """The rows at the end of a file's text that are none of a table whose columns hold this, if
    others stand above them: the first has too few fields, words where there are numbers, or a word
    as Total in front; so have the others, or they can't be read."""
    from_line = LINE.search(text, len(text) - TAIL_BYTES) if len(text) > TAIL_BYTES else None
    text = text[from_line.end() if from_line else 0 :]
    rows = [*fields.records(text, grammar)]
    start = len(rows)
    for at in reversed(range(len(rows))):
        row = said_in(rows[at], grammar)
        is_total = begins_with_total(next(filter(None, row), ""))
        said = [
            grammar.at(place).spelling.takes(field)
            for place, (field, column) in enumerate(zip(row, held, strict=False))
            if column.is_numeric and field not in grammar.missing
        ]
        if len(row) == len(held) and all(said) and not is_total:
            break
        if len(row) < len(held) or is_total or not any(said):
            start = at
    is_end = 0 < start < len(rows)
    return Trailer(len(rows) - start, text[rows[start].start :]) if is_end else Trailer()


GROUPED = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+")  # which may have points for thousands


class Held(NamedTuple):
    """What a column holds in the first lines: how many numbers, missing fields and words, and the
    first of the words; and its levels, where they have an order of their own.

    spelling : how its numbers are written, where that is not by their decimal mark alone; and the
        first that shows it.
    doubt : as in `gdfit.data.text.spellings.Found`.
    values : what the fields say, each once.
    is_key : whether they are whole numbers of which none is below the one before, as those that
        rows are numbered by.
    """

    numbers: int = 0
    missing: int = 0
    words: int = 0
    word: str = ""
    order: tuple[str, ...] = ()
    spelling: Spelling | None = None
    example: str = ""
    doubt: str = ""
    values: tuple[str, ...] = ()
    is_key: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether it is a column of numbers, and not of text in most lines or nothing at all."""
        return self.words < self.numbers or self.words == self.numbers > 0 or not any(self[:3])

    @property
    def is_dated(self) -> bool:
        """Whether these numbers are dates."""
        return isinstance(self.spelling, DateSpelling)


def look_at(
    rows: Sequence[HeadRow], names: Sequence[str], grammar: Grammar, dialect: Dialect
) -> tuple[Held, ...]:
    """What the columns hold in `rows`. A number with the other decimal mark counts as one where all
    numbers may have that mark, so that it is told as a fault and not taken for text."""
    width, known = len(names), dict(dialect.known)
    columns = list(zip(*(row.fields for row in rows if len(row.fields) == width), strict=True))
    decimal, other = grammar.decimal, OTHER_MARK.get(grammar.decimal, ",")
    either = not any(
        decimal in field and says_number(field, decimal) and not GROUPED.fullmatch(field)
        for column in columns
        for field in column
    )

    def held(name: str, column: Sequence[str]) -> Held:
        present = [field for field in column if field not in grammar.missing]
        absent = len(column) - len(present)
        words = [field for field in present if not says_number(field, decimal)]
        before = known.get(name)
        is_said = dialect.thousands or dialect.decimal not in (None, decimal)
        if not (words or before or is_said):  # most columns
            found = Found(None)
        else:
            marks = dialect.decimal, dialect.thousands
            found = find_spelling(present, *marks, dates=dialect.dates, before=before)
        if found.spelling and found.spelling != SPELLINGS[decimal]:
            return held_as(found, present, absent)
        if either:
            words = [field for field in words if not says_number(field, other)]
        example = ""
        if dialect.decimal == "," and find_spelling(present).doubt == ",":
            shows = (field for field in present if "," in field and says_number(field, decimal))
            example = next(shows, "")
        is_key = are_keys([field for field in present if field not in words])
        return held_by(present, absent, words, example=example, is_key=is_key)

    if not columns:
        return (Held(),) * width
    found = tuple(map(held, names, columns))
    has_commas = any(getattr(each.spelling, "point", "") == "," for each in found)
    return tuple(map(doubted, found)) if has_commas and not dialect.decimal else found


def doubted(held: Held) -> Held:
    """What a column holds beside one with decimal commas: where each of its points stands before
    three digits, it can't be told what they are."""
    points = [value for value in held.values if "." in value]
    if held.spelling or held.words or not points or not all(map(GROUPED.fullmatch, points)):
        return held
    spelling = find_spelling(points, thousands=".").spelling
    return held._replace(spelling=spelling, example=points[0], doubt=".") if spelling else held


def are_keys(numbers: Sequence[str]) -> bool:
    """Whether these are whole numbers, none of them below the one before."""
    if not all(map(str.isdecimal, numbers)):
        return False
    return len(numbers) > 1 and all(int(one) <= int(other) for one, other in pairwise(numbers))


def held_by(present: Sequence[str], absent: int, words: Sequence[str], **more: Any) -> Held:
    """What a column holds in which so many fields are missing and these are `present`, `words`
    among them; and `more` of it."""
    word, values = words[0] if words else "", tuple(dict.fromkeys(present))
    return Held(len(present) - len(words), absent, len(words), word, values=values, **more)


def held_as(found: Found, present: Sequence[str], absent: int) -> Held:
    """What a column holds whose fields, but for so many, are numbers of a spelling of their own; an
    example has as many marks as there are."""
    spelling = found.spelling
    assert spelling
    numbers = [*filter(spelling.takes, present)]
    words = [field for field in present if field not in numbers]
    shows = [field for field in numbers if not SPELLINGS[spelling.point].takes(field)]
    if found.doubt:
        shows = [field for field in numbers if found.doubt in field]
        shows.sort(key=lambda field: -len({*re.findall(r"\d+", field)[:2]}))  # 1/1 tells nothing
    example = max(shows, key=lambda field: len({*field} - {*"0123456789"}), default="")
    return held_by(present, absent, words, spelling=spelling, example=example, doubt=found.doubt)


def spelled(grammar: Grammar, held: Sequence[Held]) -> Grammar:
    """The grammar of columns that hold this."""
    own = ((place, each.spelling) for place, each in enumerate(held))
    return replace(grammar, spellings=tuple((at, found) for at, found in own if found))


def ends_empty(rows: Sequence[HeadRow], more: int, width: int) -> bool:
    """Whether the last columns of `rows`, so many `more`, hold nothing."""
    alike = [row.fields for row in rows if len(row.fields) == width]
    return bool(alike) and not any(any(row[-more:]) for row in alike)


def usual_width(rows: Sequence[HeadRow]) -> int:
    """How many fields more than half of `rows` have; 0 if there is no such number."""
    widths = Counter(len(row.fields) for row in rows)
    return next((width for width, count in widths.items() if 2 * count > len(rows)), 0)


def is_above_index(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first line of numbers begins with nothing, where the `rows` have their number."""
    if first[0] or not all(first[1:]) or not is_rising(first[1:]):
        return False
    return [row[0] for row in rows] in (
        [*map(str, range(start, start + len(rows)))] for start in (0, 1) if len(rows) > 1
    )


def is_rising(said: Sequence[str]) -> bool:
    """Whether fields are whole numbers, each larger than the one before."""
    if not all(field.isascii() and field.isdigit() for field in said):
        return False
    values = [*map(int, said)]
    return all(one < other for one, other in pairwise(values))


def are_years(said: Sequence[str]) -> bool:
    """Whether fields are three years or more, each the next one."""
    if len(said) < 3 or not is_rising(said):
        return False
    first, last = int(said[0]), int(said[-1])
    return first >= 1000 and last < 3000 and last - first == len(said) - 1


def is_unlike(first: Sequence[str], rows: Sequence[Sequence[str]], grammar: Grammar) -> bool:
    """Whether a first line of numbers may be names all the same: whole and rising, and far outside
    the numbers below; or 0, 1, 2 … where no row below is whole and rising, and of two columns none
    is whole; or years that follow each other, as they do in no row below."""
    below = [row for row in rows if len(row) == len(first)]
    places = numeric_places(below, grammar)
    said = [first[at] for at in places]
    if len(said) < 2 or len(below) < 2 or not is_rising(said):
        return False
    of_rows = [row for row in below if all(row[at] not in grammar.missing for at in places)]
    columns = [[grammar.value(row[at].encode()) for row in of_rows] for at in places]
    if not of_rows:
        return False
    if [*map(int, said)] in ([*range(len(said))], [*range(1, len(said) + 1)]):
        if len(said) == 2:
            return not any(all(value.is_integer() for value in column) for column in columns)
        return not any(is_rising([row[at] for at in places]) for row in of_rows)
    if are_years(said) and not any(are_years([row[at] for at in places]) for row in of_rows):
        return True
    return all(
        not 2 * min(column) - max(column) <= int(number) <= 2 * max(column) - min(column)
        for number, column in zip(said, columns, strict=True)
    )
