"""What a CSV file says, told by a reader that goes character by character, as slow and as plain as
can be. It knows nothing of gdfit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fuzz.dated import Dates, dates_of, days_in
from fuzz.written import (
    Spelling,
    are_three,
    is_digit,
    is_plain_or_infinite,
    number,
    plain_number,
    spelling_of,
)

PANDAS_MISSING = (
    "|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a"
    "|nan|null"
)


FIRST_ROWS = 51  # of the file, its header among them, show how a column's numbers are written


@dataclass(frozen=True)
class Style:
    """How a file is written; the delimiter is nothing for white space, and so is no comment, and
    a mark that is not said, or the order of dates."""

    delimiter: str = ","
    decimal: str = "."
    missing: tuple[str, ...] = ()
    comment: str = ""
    thousands: str = ""
    quote: str = '"'
    escape: bool = False
    dates: str = ""

    @property
    def point(self) -> str:
        """The decimal mark of numbers that show no other."""
        return self.decimal or "."


@dataclass(frozen=True)
class Row:
    """A row: its line, what its fields say, where in the text one field more would stand, and on
    which line a quote opens that does not close at the end of a field (0 if there is none)."""

    line: int
    fields: list[str]
    end: int
    open_line: int


@dataclass(frozen=True)
class Fault:
    """Where the first thing stands that can't be read; the place is None if it is the row."""

    line: int
    place: int | None
    is_missing: bool = field(default=False, repr=False)


class Reader:
    """Reads a text, of which each character is a byte, from start to end."""

    def __init__(self, text: str, style: Style) -> None:
        self.text, self.style = text, style
        self.place, self.line, self.open_line = 0, 1, 0

    @property
    def next(self) -> str:
        """The character at hand; nothing at the end."""
        return self.text[self.place : self.place + 1]

    def take(self) -> str:
        """The character at hand, to go on to the next one."""
        character = self.next
        self.place += 1
        if character == "\n" or (character == "\r" and self.next != "\n"):
            self.line += 1
        return character

    @property
    def blanks(self) -> str:
        """What does not count around a field."""
        return " " if self.style.delimiter == "\t" else " \t"

    def skip_blanks(self) -> None:
        while self.next and self.next in self.blanks:
            self.take()

    def at_end_of_line(self) -> bool:
        return self.next in ("", "\n", "\r") or self.next == self.style.comment

    def at_end_of_field(self) -> bool:
        return self.at_end_of_line() or self.next in (self.style.delimiter or " \t")

    def rows(self) -> list[Row]:
        """All rows; a line with nothing, or with a comment alone, is none."""
        rows = []
        while self.next:
            row = self.row()
            if row:
                rows.append(row)
            while self.next and self.next not in "\r\n":
                self.take()
            if self.take() == "\r" and self.next == "\n":
                self.take()
        return rows

    def row(self) -> Row | None:
        line, self.open_line = self.line, 0
        fields: list[str] = []
        while True:
            before = self.place
            self.skip_blanks()
            start = self.place
            said = self.field()
            stands = self.text[start : self.place].rstrip(self.blanks)
            end = start + len(stands) if stands else before
            if not self.style.delimiter:
                self.skip_blanks()
            if not fields and not stands and self.at_end_of_line():
                return None
            fields.append(said)
            if self.at_end_of_line():
                return Row(line, fields, end, self.open_line)
            if self.style.delimiter:
                self.take()

    def field(self) -> str:
        """What a field says."""
        quote = self.style.quote
        if self.next != quote:
            return self.unquoted()
        start, line, inside = self.place, self.line, ""
        self.take()
        while True:
            if not self.next:
                return self.broken(start, line)
            character = self.take()
            if character == "\\" and self.style.escape and self.next:
                character = self.take()
            elif character == quote:
                if self.next != quote:
                    break
                self.take()
            inside += character
        if self.style.delimiter:
            self.skip_blanks()
        return inside.strip(self.blanks) if self.at_end_of_field() else self.broken(start, line)

    def broken(self, start: int, line: int) -> str:
        """The rest of a line, from a quote on that does not close at the end of a field."""
        self.place, self.line, self.open_line = start, line, line
        while self.next and self.next not in "\r\n":
            self.take()
        return self.text[start : self.place]

    def unquoted(self) -> str:
        said = ""
        while not self.at_end_of_field():
            said += self.take()
        return said.strip(self.blanks)


def as_text(said: str) -> str:
    """A field whose characters are bytes of UTF-8."""
    return said.encode("latin-1").decode(errors="replace")


@dataclass(frozen=True)
class Table:
    """The rows of a text, and how its columns are written.

    width : how many fields a row has.
    above : how many lines stand above the rows, which are no comments and not skipped.
    """

    rows: list[Row]
    style: Style
    width: int
    above: int

    def spelling(self, place: int) -> Spelling | Dates:
        """How the numbers or dates of the column at this place are written."""
        return self.spellings[place]

    @cached_property
    def spellings(self) -> list[Spelling | Dates]:
        """How those of each column are. Beside a column with decimal commas, plain points that each
        stand before three digits may be marks of thousands."""
        style, first = self.style, self.rows[: FIRST_ROWS - self.above]
        whole = [row.fields for row in first if len(row.fields) == self.width]
        columns = [[as_text(fields[at]) for fields in whole] for at in range(self.width)]
        present = [[said for said in column if said not in self.missing] for column in columns]
        found: list[Spelling | Dates] = []
        for fields in present:
            spelling: Spelling | Dates = spelling_of(fields, style.decimal, style.thousands)
            if spelling.is_plain:
                spelling = dates_of(fields, style.dates) or spelling
            found.append(spelling)
        if not style.decimal and any(not each.is_plain and each.point == "," for each in found):
            for at, fields in enumerate(present):
                points = [said for said in fields if "." in said]
                is_numeric = all(is_plain_or_infinite(said, ".") for said in fields)
                if found[at].is_plain and is_numeric and points and all(map(in_threes, points)):
                    found[at] = Spelling(",", ".", doubt=".")
        return found

    @cached_property
    def missing(self) -> set[str]:
        """What stands for a missing field."""
        return {*PANDAS_MISSING.split("|"), *self.style.missing}

    def read(
        self, places: Sequence[int], texts: Sequence[int], *, may_miss: bool
    ) -> Iterator[list[float | str] | Fault]:
        """What each row says: numbers at `places`, then words at `texts`, NaN where they are
        missing; or where the first thing stands in it that can't be read."""
        of_words = {plain_number(word, self.style.point) for word in self.missing} - {None}
        spellings = {place: self.spelling(place) for place in {*places, *texts}}

        def values_of(row: Row) -> list[float | str] | Fault:
            if row.open_line:
                return Fault(row.open_line, None)
            if len(row.fields) != self.width:
                return Fault(row.line, None)
            values: dict[int, float | str] = {}
            for place in sorted({*places, *texts}):
                said = row.fields[place]
                spelling = spellings[place]
                value = value_of(as_text(said), spelling)
                is_date = isinstance(spelling, Dates)
                if said in self.missing or (value in of_words and not is_date):
                    values[place] = math.nan
                    if not may_miss:
                        return Fault(row.line, place, is_missing=True)
                elif place in texts:
                    values[place] = said
                elif value is None or math.isinf(value):
                    return Fault(row.line, place)
                else:
                    values[place] = value
            return [values[place] for place in (*places, *texts)]

        return map(values_of, self.rows)


def value_of(said: str, spelling: Spelling | Dates) -> float | None:
    """The number or the date that a field says."""
    return days_in(said, spelling) if isinstance(spelling, Dates) else number(said, spelling)


def in_threes(said: str) -> bool:
    """Whether a field says a number whose points may be marks of thousands."""
    first, *others = said[said[:1] in ("+", "-") :].split(".")
    return 0 < len(first) < 4 and all(map(is_digit, first)) and all(map(are_three, others))


def table(text: str, style: Style, width: int, above: int) -> Table:
    """What a text says."""
    return Table(Reader(text, style).rows(), style, width, above)


def with_field(text: str, style: Style, fields: Sequence[str]) -> str:
    """The text with one field more in each row."""
    between = style.delimiter or " "
    whole, start = "", 0
    for row, said in zip(Reader(text, style).rows(), fields, strict=True):
        whole += text[start : row.end] + between + said
        start = row.end
    return whole + text[start:]
