"""What a line, a field and a number are: the definition that all reading goes by.

Text is bytes here. The characters that matter are ASCII, and UTF-8 has their bytes nowhere else.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from gdfit.data.text.spellings import (
    OTHER_MARK,
    SPELLINGS,
    DateSpelling,
    Spelling,
    find_spelling,
    unit_of,
)
from gdfit.errors import quoted

WHITE_SPACE = r"\s+"  # the delimiter of files with spaces and tabs between the fields
# What pandas takes for a missing value by default.
MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)

WHOLE = 2**53  # below it, float64 has all whole numbers
MARKS = "#%"  # begin comments above a header

# What a fault of a field says to type.
MISSING_TYPED = r"`missing` (.+?)( `drop_missing`)?$"
MARK_TYPED = r"(?:need |; )`(thousands|decimal|comment)` ((?:'[^']*'|\"[^\"]*\")+|\S)"
RULED = re.compile(r"[-=+|:]{3,}")
UNIT_WORD = re.compile(
    r"\D*|[(\[]?(1/|10\^?-?[0-9]+ ?/?)?[^\W\d_].*|[0-9]+[sdn]", re.DOTALL
)  # m3/s; 14n is USGS's
ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


INFINITE = re.compile(rb"[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Grammar:
    """How a file writes rows and numbers.

    delimiter : one ASCII character, or `WHITE_SPACE`.
    decimal : how numbers are written: the decimal mark, ``.`` or ``,``, in `SPELLINGS`.
    missing : what stands for a missing value; a number stands for all that are equal to it.
    comment : the ASCII character that begins a comment, up to the end of the line.
    quote : the ASCII character that a field may be enclosed in, in which it is doubled.
    escape : whether a backslash in quotes takes its meaning from the character that follows.
    hints : whether options say so, which a fault then names.
    categories : whether columns of categories have missing values of their own, so that no word
        stands for one in them.
    spellings : of the columns whose numbers are written in another way, by their places.
    own : how numbers are written, where it is not by `decimal` alone.
    dates : ``mdy`` or ``dmy``, if dates that may be either are said to be the one.
    """

    delimiter: str
    decimal: str = "."
    missing: frozenset[str] = MISSING
    comment: str | None = None
    quote: str = '"'
    escape: bool = False
    hints: bool = True
    categories: bool = False
    spellings: tuple[tuple[int, Spelling], ...] = ()
    own: Spelling | None = None
    dates: str | None = None

    @cached_property
    def delimiters(self) -> bytes:
        """The characters that end a field."""
        return b" \t" if self.delimiter == WHITE_SPACE else self.delimiter.encode()

    @cached_property
    def blanks(self) -> bytes:
        """The characters around a field that don't belong to it."""
        return b" " if self.delimiter == "\t" else b" \t"

    @cached_property
    def missing_words(self) -> frozenset[bytes]:
        """What a missing field says, as it stands in a file."""
        return frozenset(word.encode() for word in self.missing)

    @cached_property
    def missing_numbers(self) -> frozenset[float]:
        """What a missing field says as a number, which a date is not."""
        if isinstance(self.own, DateSpelling):
            return frozenset()
        plain = SPELLINGS[self.decimal]
        return frozenset(
            float(plain.digits(word)) for word in self.missing_words if plain.number.fullmatch(word)
        )

    @cached_property
    def field(self) -> re.Pattern[bytes]:
        """A field and what ends it: a delimiter, or the end of the line with a comment before it.

        A quote at the start of a field keeps delimiters, line ends and comments in it up to the
        next quote that is not doubled, where the field has to end; elsewhere it is a character like
        any other. Where the field does not end there, it is the rest of the line, and a fault.
        """
        blanks, delimiters = re.escape(self.blanks), re.escape(self.delimiters)
        mark = re.escape((self.comment or "").encode())
        rest = rb"[^%b%b\r\n]*+" % (delimiters, mark)
        comment = rb"(?:%b[^\r\n]*+)?" % mark if mark else b""
        return re.compile(
            rb"[%b]*+(%b|(?!%b)%b|%b[^\r\n]*+)(?:[%b]*+%b(\r\n?|\n|\Z)|[%b])"
            % (
                *(blanks, self.enclosed.pattern, self.quote.encode(), rest, self.quote.encode()),
                *(blanks, comment, delimiters),
            )
        )

    @cached_property
    def enclosed(self) -> re.Pattern[bytes]:
        """What is in quotes, up to the end of its field."""
        blanks, delimiters = re.escape(self.blanks), re.escape(self.delimiters)
        after = b"" if self.delimiter == WHITE_SPACE else rb"[%b]*+" % blanks
        ends = rb"[%b]*+(?:[%b\r\n]|\Z)|[%b]"
        ends %= (blanks, re.escape((self.comment or "").encode()), delimiters)
        return re.compile(rb"%b%b(?=%b)" % (self.in_quotes, after, ends))

    @property
    def in_quotes(self) -> bytes:
        """A regular expression for what is in quotes, and the quotes."""
        quote = self.quote.encode()
        inner = rb"[^%b\\]|\\(?s:.)" % quote if self.escape else rb"[^%b]" % quote
        return rb"%b(?:%b|%b%b)*+%b" % (quote, inner, quote, quote, quote)

    @cached_property
    def quoted(self) -> re.Pattern[bytes]:
        """A field in quotes."""
        return re.compile(self.in_quotes)

    def unquoted(self, field: bytes) -> bytes:
        """What a field in quotes says."""
        quote = self.quote.encode()
        said = field[1:-1].replace(quote + quote, quote)
        return ESCAPED.sub(rb"\1", said) if self.escape else said

    @property
    def spelling(self) -> Spelling:
        """How numbers are written."""
        return self.own or SPELLINGS[self.decimal]

    def at(self, place: int) -> Grammar:
        """How the column at this place is written."""
        return self.of_columns.get(place, self)

    @cached_property
    def of_columns(self) -> dict[int, Grammar]:
        """How the columns are written that have a spelling of their own."""
        return {
            place: replace(self, own=spelling, spellings=()) for place, spelling in self.spellings
        }

    def value(self, number: bytes) -> float:
        """What says a number as float64: see `Spelling.value`."""
        return self.spelling.value(number)

    def exact(self, number: bytes) -> float:
        """What says a number, with all its digits where it is a whole one: an int. Any other is the
        nearest float64."""
        value = self.value(number)
        if not value.is_integer() or abs(value) < WHOLE:
            return int(value) if value.is_integer() else value
        from decimal import Decimal

        return int(Decimal(self.spelling.digits(number).decode()).to_integral_value())

    def is_missing(self, said: bytes) -> bool:
        """Whether a field that says this is missing."""
        if said in self.missing_words or not self.missing_numbers:
            return said in self.missing_words
        return (
            bool(self.spelling.number.fullmatch(said)) and self.value(said) in self.missing_numbers
        )


class Record(NamedTuple):
    """A row: its fields, as they stand in the text, and where they do.

    start : where the row starts.
    end : where its last field ends, before blanks and a comment.
    stop : where its line ends.
    """

    fields: list[bytes]
    start: int
    end: int
    stop: int


def records(text: bytes, grammar: Grammar) -> Iterator[Record]:
    """The rows of `text`. A line of nothing but blanks or a comment is none.

    A line with a quote that does not close at the end of a field is a row by itself.
    """
    start, fields = 0, []
    for match in grammar.field.finditer(text):
        field, line_end = match.groups()
        fields.append(field)
        if line_end is not None:
            length = len(field.rstrip(grammar.blanks))
            if length or len(fields) > 1:
                end = match.start(1) + length if length else match.start()
                yield Record(fields, start, end, match.end())
            start, fields = match.end(), []


def content(field: bytes, grammar: Grammar) -> bytes:
    """What a field says: without its quotes, and the blanks around and in them."""
    field = field.strip(grammar.blanks)
    if field.startswith(grammar.quote.encode()) and grammar.quoted.fullmatch(field):
        return grammar.unquoted(field).strip(grammar.blanks)
    return field


def read_number(field: bytes, grammar: Grammar, *, missing: bool) -> float:
    """The number that a field says, or NaN where it is missing.

    Raises
    ------
    ValueError : it says something else, or is missing where it may not.
    """
    said = content(field, grammar)
    if is_absent(said, grammar, missing=missing):
        return math.nan
    if not grammar.spelling.number.fullmatch(said):
        raise ValueError(no_number(said, grammar, missing=missing))
    try:
        value = grammar.value(said)
    except ValueError:
        raise ValueError(f"{shown(said)} is a date that there is not") from None
    if math.isinf(value):
        raise ValueError(f"{shown(said)} is larger than the largest float64, 1.8e308")
    return value


def read_exact(field: bytes, grammar: Grammar, *, missing: bool) -> float | None:
    """The number that a field says, as `Grammar.exact`, or None where it is missing.

    Raises
    ------
    ValueError : as `read_number`.
    """
    value = read_number(field, grammar, missing=missing)
    return None if math.isnan(value) else grammar.exact(content(field, grammar))


def is_absent(said: bytes, grammar: Grammar, *, missing: bool) -> bool:
    """True where a field that says this is missing.

    Raises
    ------
    ValueError : it is, and may not.
    """
    absent = grammar.is_missing(said)
    if absent and not missing:
        what = f"{shown(said)} stands for a missing value" if said else "the field is empty"
        raise ValueError(f"{what}; `drop_missing` skips such rows")
    return absent


def read_word(field: bytes, grammar: Grammar, *, missing: bool) -> str | None:
    """The word that a field says, or None where it is missing.

    Raises
    ------
    ValueError : it is missing where it may not.
    """
    said = content(field, grammar)
    if is_absent(said, grammar, missing=missing):
        return None
    return said.decode(errors="surrogateescape")


def no_number(said: bytes, grammar: Grammar, *, missing: bool) -> str:
    """What is wrong with a field that says no number, and what to type."""
    if isinstance(grammar.own, DateSpelling):
        way = grammar.own.with_other_zone
        if way.takes(said.decode(errors="replace")):
            has, others = ("has a", "have none") if way.is_zoned else ("has no", "have one")
            return f"{shown(said)} {has} zone, and others of its column {others}"
        return f"{shown(said)} is not a date written as the others of its column are"
    if INFINITE.fullmatch(said):
        return f"{shown(said)} is not a finite number"
    what = f"{shown(said)} is not a number"
    if not grammar.hints:
        return what
    text, other = said.decode(errors="replace"), OTHER_MARK.get(grammar.decimal, ",")
    spelling = find_spelling([text], grammar.decimal).spelling
    if spelling and grammar.own:
        return f"{what} written as the others of its column are"
    ways = []
    if spelling and not spelling.unit and spelling.thousands:
        mark = spelling.thousands
        ways.append(f"thousands with {mark!r} need `thousands` {shlex.quote(mark)}")
    if SPELLINGS[other].number.fullmatch(said):
        ways.append(f"decimals with '{other}' need `decimal` {other}")
    if ways:
        return f"{what} ({', '.join(ways)})"
    if spelling:
        return f"{what} written as the others of its column are"
    number, *comment = re.split(rf"\s+(?=[{MARKS}])", text, maxsplit=1)
    if comment and grammar.spelling.takes(number):
        return f"{what}; `comment` {quoted(comment[0][0])} leaves out comments"
    if text.isprintable() and is_missing_mark(text):
        drop = "" if missing else " `drop_missing`"
        return f"{what}; if it stands for a missing value, `missing` {shlex.quote(text)}{drop}"
    return what


def ways_out(fault: str) -> list[dict[str, str]]:
    """The options that a fault of a field says to type, by each way out."""
    if found := re.search(MISSING_TYPED, fault):
        ways = {"missing": shlex.split(found[1])[0]}
        return [{**ways, "drop-missing": "yes"} if found[2] else ways]
    if "`drop_missing`" in fault:
        return [{"drop-missing": "yes"}]
    return [{name: shlex.split(mark)[0]} for name, mark in re.findall(MARK_TYPED, fault)]


MORE_MISSING = {"missing", "unknown", "n.a", "n.d", "nd", "k.a", r"\n"}  # the last of databases


def is_missing_mark(field: str) -> bool:
    """Whether `field` looks as if it stood for a missing value, though it is not known to."""
    said = field.casefold().strip(" .*-()")
    known = {word.casefold() for word in MISSING} | MORE_MISSING
    is_excels = re.match(r"#[^\W\d_]", field) is not None  # as #DIV/0!
    return said in known or is_excels or not any(map(str.isalnum, field))


def is_word(field: str) -> bool:
    """Whether a field is a word that may be a unit, and neither what stands for a missing value nor
    a number that is written in some way."""
    is_mark = is_missing_mark(field) and field != "%"
    return not is_mark and unit_of(field) is None and UNIT_WORD.fullmatch(field) is not None


def bare(name: str) -> str:
    """A column's name without single quotes and blanks around it."""
    name = name.strip()
    quotes = len(name) > 1 and name.startswith("'") and name.endswith("'")
    return name[1:-1].strip() if quotes else name


def is_key(row: Sequence[str]) -> bool:
    """Whether a line is ``KEY:`` with a value."""
    return row[0].endswith(":") and not row[-1].endswith(":")


def says_number(said: str, decimal: str) -> bool:
    """Whether a field says a number, be it infinite."""
    text = said.encode(errors="surrogatepass")
    return bool(SPELLINGS[decimal].number.fullmatch(text) or INFINITE.fullmatch(text))


def shown(said: bytes) -> str:
    """What a field says, for a message."""
    return quoted(said.decode(errors="replace"))


def line_at(text: bytes, position: int, first: int = 1) -> int:
    """On which line a position in `text` is, where the `first` one has that number."""
    above = text[:position]
    return first + above.count(b"\n") + above.count(b"\r") - above.count(b"\r\n")


class RowError(ValueError):
    """A row can't be read: why, on which line, and in which column of the file if it is in one.

    rows_before : how many rows of its block can be.
    """

    rows_before = 0

    def __init__(self, what: str, line: int, place: int | None = None) -> None:
        self.what, self.line, self.place = what, line, place
