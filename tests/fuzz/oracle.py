"""What a CSV file says, told by a reader that goes character by character, as slow and as plain as
can be. It knows nothing of gdfit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

PANDAS_MISSING = (
    "|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a"
    "|nan|null"
)


@dataclass(frozen=True)
class Style:
    """How a file is written; the delimiter is nothing for white space, and so is no comment."""

    delimiter: str = ","
    decimal: str = "."
    missing: tuple[str, ...] = ()
    comment: str = ""


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
        if self.next != '"':
            return self.unquoted()
        start, line, inside = self.place, self.line, ""
        self.take()
        while True:
            if not self.next:
                return self.broken(start, line)
            character = self.take()
            if character == '"':
                if self.next != '"':
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


def number(said: str, style: Style) -> float | None:
    """The number that a field says, infinite if it is too large; None if it says none."""
    rest = said[1:] if said[:1] in ("+", "-") else said
    mantissa, *exponents = rest.replace("E", "e").split("e")
    whole, *fractions = mantissa.split(style.decimal)
    fraction, exponent = "".join(fractions[:1]), "".join(exponents[:1])
    digits = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    if len(fractions) > 1 or len(exponents) > 1 or not whole + fraction:
        return None
    if not all(character in "0123456789" for character in whole + fraction + digits):
        return None
    if exponents and not digits:
        return None
    return float(said.replace(style.decimal, "."))


def read(
    text: str,
    style: Style,
    width: int,
    places: Sequence[int],
    texts: Sequence[int],
    *,
    may_miss: bool,
) -> list[list[float | str] | Fault]:
    """What all rows say: numbers at `places`, then words at `texts`, NaN where they are missing; or
    where the first thing stands in a row that can't be read."""
    words = {*PANDAS_MISSING.split("|"), *style.missing}
    numbers = {number(word, style) for word in words} - {None}

    def values_of(row: Row) -> list[float | str] | Fault:
        if row.open_line:
            return Fault(row.open_line, None)
        if len(row.fields) != width:
            return Fault(row.line, None)
        values: dict[int, float | str] = {}
        for place in sorted({*places, *texts}):
            said = row.fields[place]
            value = number(said, style)
            if said in words or (value is not None and value in numbers):
                values[place] = math.nan
                if not may_miss:
                    return Fault(row.line, place)
            elif place in texts:
                values[place] = said
            elif value is None or math.isinf(value):
                return Fault(row.line, place)
            else:
                values[place] = value
        return [values[place] for place in (*places, *texts)]

    return [values_of(row) for row in Reader(text, style).rows()]


def with_field(text: str, style: Style, fields: Sequence[str]) -> str:
    """The text with one field more in each row."""
    between = style.delimiter or " "
    whole, start = "", 0
    for row, field in zip(Reader(text, style).rows(), fields, strict=True):
        whole += text[start : row.end] + between + field
        start = row.end
    return whole + text[start:]
