"""Arithmetic as it stands on a board: what is computed, by which formula, with which numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unicodedata import combining

from gdfit.arrays import FloatArray

WIDTH = 79  # of a line that has room on any terminal
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
INDENT = "   "
KEPT = "\N{NO-BREAK SPACE}"  # where a line is not to end


class Line(NamedTuple):
    """``name = part = part``: a formula, the same with its numbers, what comes out.

    sign : ``=``, or ``←`` for what gets a new value.
    """

    name: str
    parts: Sequence[str]
    sign: str = "="


def told(value: float) -> str:
    """A number that was computed, to five digits as in the table."""
    return signed(format(value + 0.0, ".5g"))


def given(value: float) -> str:
    """A number that was given, in the data or on the command line: as it is, if eight digits are
    enough for that."""
    text = format(value + 0.0, ".8g")
    return signed(text) if float(text) == value else told(value)


def signed(number: str) -> str:
    """A number with a minus for a hyphen."""
    return f"−{number[1:]}" if number.startswith("-") else number


def inside(number: str) -> str:
    """A number in the midst of a formula: a negative one in parentheses."""
    return f"({number})" if number.startswith("−") else number


def squared(number: str) -> str:
    """``(−1)²``."""
    return f"({number})²" if "−" in number or "e" in number else f"{number}²"


def times(*factors: str) -> str:
    """A product."""
    first, *others = factors
    return f"{KEPT}·{KEPT}".join([first, *map(inside, others)])


def plus(*terms: str) -> str:
    """A sum; a line may end before each of its signs."""
    first, *others = terms
    signs = (("−", other[1:]) if other.startswith("−") else ("+", other) for other in others)
    return " ".join([first, *(f"{sign}{KEPT}{term}" for sign, term in signs)])


def minus(first: str, second: str) -> str:
    """A difference; a negative number, or a product that begins with one, is subtracted in
    parentheses."""
    return f"{first} −{KEPT}{inside(second)}"


def equal(name: str, value: str) -> str:
    """``w = 0``, on one line."""
    return f"{name}{KEPT}={KEPT}{value}"


def subscript(number: int) -> str:
    """``₁₂``."""
    return str(number).translate(SUBSCRIPTS)


def superscript(number: int) -> str:
    """``¹²``."""
    return str(number).translate(SUPERSCRIPTS)


def laid_out(lines: Sequence[Line]) -> Iterator[str]:
    """The lines below each other, their signs as well; one that is too long goes on below its
    sign."""
    width = max(cells(line.name) for line in lines)
    for line in lines:
        start = f"{INDENT}{line.name}{' ' * (width - cells(line.name))} {line.sign} "
        below = " " * (cells(start) - 2)
        written = start + line.parts[0]
        for part in line.parts[1:]:
            if cells(written) + 3 + cells(part) <= WIDTH:
                written += f" = {part}"
            else:
                yield from broken(written, below)
                written = f"{below}= {part}"
        yield from broken(written, below)


def broken(text: str, below: str = "") -> Iterator[str]:
    """A line that may be too long, in several: they go on farther in than `below`."""
    lines = textwrap.wrap(
        text,
        WIDTH + len(text) - cells(text),
        subsequent_indent=below + INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return (line.replace(KEPT, " ") for line in lines)


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes: a hat takes none."""
    return sum(not combining(letter) for letter in text)


class Letters:
    """What the params and the features are called: w, b and x; with several features w₁, w₂, … and
    x₁, x₂, …, of which the first few are written out.

    Parameters
    ----------
    features : how many there are.
    intercept : whether there is a b.
    """

    MOST = 3

    def __init__(self, features: int, *, intercept: bool = True) -> None:
        one = features == 1
        self.weights = ["w"] if one else [f"w{subscript(n)}" for n in range(1, features + 1)]
        self.inputs = [weight.replace("w", "x") for weight in self.weights]
        self.intercept = intercept

    @property
    def written(self) -> list[tuple[int, str]]:
        """The places and names of the params that are written out."""
        b = [(len(self.weights), "b")] if self.intercept else []
        return [*enumerate(self.weights[: self.MOST]), *b]

    def some(self, parts: Sequence[str], b: str = "") -> list[str]:
        """Of `parts`, one for each feature, those that are written out; then what belongs to b."""
        more = ["…"] if len(parts) > self.MOST else []
        return [*parts[: self.MOST], *more, *([b] if b and self.intercept else [])]

    def vector(self, parts: Sequence[str], b: str) -> str:
        """A vector of `parts`, one for each feature, and what belongs to b; a single part stands
        alone."""
        written = self.some(parts, b)
        return f"({', '.join(written)})" if len(written) > 1 else written[0]

    def gradient(self, values: FloatArray) -> str:
        """A vector of a number for each param."""
        *numbers, b = map(told, values.tolist())
        return self.vector(numbers, b)

    def at(self, params: FloatArray) -> str:
        """The params by name: ``w = 0, b = 0``."""
        *values, b = map(told, params.tolist())
        named = [equal(name, value) for name, value in zip(self.weights, values, strict=True)]
        return ", ".join(self.some(named, equal("b", b)))
