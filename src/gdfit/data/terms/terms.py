"""Terms: what a fit makes of columns. A small language with nothing in it that can run.

    x  log(x)  log2(x)  log10(x)  exp(x)  sqrt(x)  x^2  x:z  species  C(age)  species:log(x)
    all(species)  date(yyyymmdd)  year(day)  month(day)  weekday(day)  hour(day)

A column's own name comes before any reading of it as a term: a column called ``log(x)`` is that
column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations_with_replacement
from math import comb
from typing import NamedTuple, Protocol

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.dates import DATE_PARTS, days_of_digits
from gdfit.errors import UsageError, quoted

MOST_PRODUCTS = 2000  # that products may make: the work of a fit grows with their square
MOST_FEATURES = 5000  # that columns may be, as they stand
POWER = re.compile(r"(.+)\^\s*([0-9]{1,3})", re.DOTALL)
CALL = re.compile(r"(\w+)\s*\((.*)\)", re.DOTALL)
CATEGORY, ALL_LEVELS = "C", "all"
LIKE_POWER = re.compile(r"(.+?)\s*(?:\^|\*\*)(.*)", re.DOTALL)
LIKE_TERM = re.compile(r"[\w)]\s*[*+^:/]|\w\(")
POWERS = "a power is a whole number from 1 to 999, once, as in NAME^2"
WRITTEN = "a term is NAME, NAME^2, log(NAME), A:B or C(NAME), and a comma stands between two"
TOO_LARGE = "larger than the largest float64, 1.8e308"


class Function(NamedTuple):
    """A function of one number, and which numbers it takes."""

    of: Callable[[FloatArray], FloatArray]
    takes: str = ""


FUNCTIONS: dict[str, Function] = {
    "log": Function(np.log, "a number above 0"),
    "log2": Function(np.log2, "a number above 0"),
    "log10": Function(np.log10, "a number above 0"),
    "sqrt": Function(np.sqrt, "a number that is not negative"),
    "exp": Function(np.exp),
    "date": Function(days_of_digits, "a whole number yyyymmdd"),
}


@dataclass(frozen=True)
class Factor:
    """What a term takes from one column.

    column : its name.
    function : one of `FUNCTIONS`; none for the number itself. Of a category, one of `DATE_PARTS`,
        which makes its levels of dates.
    power : of it.
    is_category : whether it stands for the levels of the column, and not for a number.
    is_text : whether these levels are texts, and not numbers.
    order : the levels, where they have an order of their own; others come after them, sorted.
    all_levels : whether the first level makes a feature, too.
    """

    column: str
    function: str = ""
    power: int = 1
    is_category: bool = False
    is_text: bool = False
    order: tuple[str, ...] = field(default=(), compare=False, repr=False)
    all_levels: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        if self.all_levels:
            inner = f"{self.function}({self.column})" if self.function else self.column
            return f"{ALL_LEVELS}({inner})"
        function = self.function or CATEGORY * (self.is_category and not self.is_text)
        name = f"{function}({self.column})" if function else self.column
        return name if self.power == 1 else f"{name}^{self.power}"

    @property
    def is_column(self) -> bool:
        """True where it is a column of numbers as it stands."""
        return self == Factor(self.column)

    def of(self, numbers: FloatArray) -> FloatArray:
        """The factor where the column holds `numbers`; not finite where it has no value."""
        with np.errstate(all="ignore"):  # what is not finite is told as a fault of its line
            values = FUNCTIONS[self.function].of(numbers) if self.function else numbers
            return values**self.power


@dataclass(frozen=True)
class Term:
    """A product of factors."""

    factors: tuple[Factor, ...]

    def __str__(self) -> str:
        return ":".join(map(str, self.factors))

    @cached_property
    def numbers(self) -> tuple[Factor, ...]:
        """The factors that are numbers."""
        return tuple(factor for factor in self.factors if not factor.is_category)

    @cached_property
    def categories(self) -> tuple[Factor, ...]:
        """Those that are categories."""
        return tuple(factor for factor in self.factors if factor.is_category)

    @cached_property
    def is_column(self) -> bool:
        """Whether it is a column of numbers as it stands."""
        return len(self.factors) == 1 and self.factors[0].is_column


class Table(Protocol):
    """What the columns of a file are called, and which of them hold text."""

    def find(self, name: str) -> str | None:
        """The column that `name` means, if there is one."""

    def missing(self, name: str, more: str = "") -> Exception:
        """What to say where there is none, and `more`."""

    def holds_text(self, column: str) -> bool:
        """Whether the column holds text."""

    def holds_dates(self, column: str) -> bool:
        """Whether the column holds dates."""

    def order_of(self, column: str) -> tuple[str, ...]:
        """The levels of a column, where they have an order of their own."""


def product(factors: Iterable[Factor]) -> Term:
    """The product of `factors`: powers of one number add up, and a category times itself is
    itself."""
    merged: dict[Factor, Factor] = {}
    for factor in factors:
        alone = replace(factor, power=1)
        before = merged.get(alone)
        if before is None:
            merged[alone] = factor
        elif not factor.is_category:
            merged[alone] = replace(factor, power=before.power + factor.power)
    return Term(tuple(merged.values()))


def read_term(text: str, table: Table) -> Term:
    """The term that `text` says.

    Raises
    ------
    GdfitError : it names a column that is not in the table, or a function that there is not.
    """
    factors = read_product(text, table)
    if factors is None:
        # Parts that can all be read make a product that can be read.
        wrong = (part for part in text.split(":") if read_product(part, table) is None)
        raise fault_of(next(wrong).strip(), table)
    return product(factors)


def read_product(text: str, table: Table) -> list[Factor] | None:
    """The factors of a product, the longest that are one first: names may have colons in them."""
    ends = [len(text), *(place for place in range(len(text))[::-1] if text[place] == ":")]
    for end in ends:
        first = read_factor(text[:end].strip(), table)
        if first is not None and end == len(text):
            return [first]
        rest = read_product(text[end + 1 :], table) if first else None
        if first and rest:
            return [first, *rest]
    return None


def read_factor(text: str, table: Table) -> Factor | None:
    """The factor that `text` says, if it does."""
    column = table.find(text)
    if column is not None:
        is_text = table.holds_text(column)
        return Factor(column, is_category=is_text, is_text=is_text, order=table.order_of(column))
    if found := POWER.fullmatch(text):
        base = read_factor(found[1].strip(), table)
        if base is None or base.is_category or base.power != 1 or not int(found[2]):
            return None
        return replace(base, power=int(found[2]))
    if found := CALL.fullmatch(text):
        column = table.find(found[2].strip())
        if found[1] == ALL_LEVELS:
            inner = read_factor(found[2].strip(), table)
            if inner and column and not inner.is_category:
                inner = replace(inner, is_category=True)
            return replace(inner, all_levels=True) if inner and inner.is_category else None
        if column is None:
            return None
        is_text = table.holds_text(column)
        if found[1] == CATEGORY:
            return Factor(column, "", 1, True, is_text, table.order_of(column))
        if found[1] in DATE_PARTS and table.holds_dates(column):
            return Factor(column, found[1], is_category=True)
        if found[1] in FUNCTIONS and not is_text:
            return Factor(column, found[1])
    return None


def fault_of(text: str, table: Table) -> Exception:
    """Why `text` is no factor."""
    if not text:
        return UsageError(f"a product has two sides, A:B; {WRITTEN}")
    if found := POWER.fullmatch(text):
        base = read_factor(found[1].strip(), table)
        if base is None:
            return fault_of(found[1].strip(), table)
        if base.is_category:
            return UsageError(f"column {quoted(base.column)} holds text, which has no powers")
        return UsageError(f"{quoted(text)} is no term: {POWERS}")
    if found := CALL.fullmatch(text):
        name, inner = found[1], found[2].strip()
        column = table.find(inner)
        if name not in (*FUNCTIONS, *DATE_PARTS, CATEGORY, ALL_LEVELS):
            if column is None and not read_factor(inner, table):
                return table.missing(text, f"; {WRITTEN}")
            there = ", ".join([*FUNCTIONS, *DATE_PARTS, CATEGORY, ALL_LEVELS])
            return UsageError(f"there is no function {quoted(name)}; there are {there}")
        if column is None:
            if read_factor(inner, table):
                return UsageError(f"{name} takes a column, not {quoted(inner)}")
            return table.missing(inner)
        if name in DATE_PARTS:
            return UsageError(f"column {quoted(column)} holds no dates, which {name} takes")
        return UsageError(f"column {quoted(column)} holds text, which has no {name}")
    if (found := LIKE_POWER.fullmatch(text)) and read_factor(found[1], table):
        return UsageError(f"{quoted(text)} is no term: {POWERS}")
    return table.missing(text, f"; {WRITTEN}" if LIKE_TERM.search(text) else "")


def powers(terms: Sequence[Term], degree: int) -> tuple[Term, ...]:
    """`terms`, and all powers and products of those that are numbers up to `degree`, by degree and
    in the order of scikit-learn's PolynomialFeatures.

    Raises
    ------
    UsageError : there are too many of them.
    """
    numbers = [term for term in terms if not term.categories]
    count = comb(len(numbers) + degree, degree) - 1
    what, most = f"there are {count:,} features", MOST_FEATURES
    if degree > 1:
        what = f"`degree` {degree} of {len(numbers)} features makes {count:,} of them"
        most = MOST_PRODUCTS
    if count > most:
        raise UsageError(f"{what}, more than {most:,}; name fewer `features`")
    result = list(terms)
    known = {frozenset(term.factors) for term in terms}
    for size in range(2, degree + 1):
        for parts in combinations_with_replacement(numbers, size):
            term = product(factor for part in parts for factor in part.factors)
            if frozenset(term.factors) not in known:
                known.add(frozenset(term.factors))
                result.append(term)
    return tuple(result)
