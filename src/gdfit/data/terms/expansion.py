"""From the columns of a file to the features of a fit: numbers to terms, levels to columns of 0
and 1.

A row as it is read is the numbers of some columns, the codes of the levels of others, a weight if
there are any, a one and y.
Its terms' numbers alone, a one and y are its base. Rows of the same levels become features by the
same matrix of zeros and ones: what a feature is, the base times whether the row has its levels.

The expansion of a model, as its file has it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, product
from math import prod
from typing import NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.batch import Codes, Level
from gdfit.data.terms.terms import MOST_PRODUCTS, Factor, Term, read_term
from gdfit.errors import GdfitError, UsageError, listing, quoted

LONG = 1 << 64  # from here on, a whole number that a float64 has is written as one


class Span(NamedTuple):
    """Where the features of a term are.

    base : which column of the base they are made of.
    places : of the categories that the term has.
    sizes : how many levels of each make features.
    start, width : the first of the features, and how many they are.
    """

    base: int
    places: tuple[int, ...]
    sizes: tuple[int, ...]
    start: int
    width: int


@dataclass(frozen=True)
class Expansion:
    """What the terms of a fit make of its columns.

    terms : in the order of their features.
    levels : of each category, those that are known; the first makes no feature.
    whole : whether the first makes a feature all the same, as it must while others may come that
        sort before it.
    intercept : whether the one of each row stays one, or becomes 0: b then has no effect.
    by : the category that parts the rows into groups, each with a fit of its own: the last one, of
        which no feature is made.
    had : of each group, which levels of the other categories it has had, one category behind the
        other, shape (groups, levels); all of them by default.
    """

    terms: tuple[Term, ...]
    levels: tuple[tuple[Level, ...], ...] = ()
    whole: bool = False
    intercept: bool = True
    by: Factor | None = None
    had: NDArray[np.bool_] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The columns that are read as numbers; the levels of parts of dates are made of these."""
        numeric = (each for each in self.factors if not each.is_category or each.function)
        return tuple(dict.fromkeys(factor.column for factor in numeric))

    @cached_property
    def categories(self) -> tuple[Factor, ...]:
        """The columns that are read as levels."""
        found = (factor for term in self.terms for factor in term.categories)
        return (*dict.fromkeys(found), *([self.by] if self.by else ()))

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """All columns: that of the groups, then in the order in which the terms name them."""
        return tuple(dict.fromkeys(factor.column for factor in self.factors))

    @property
    def category_names(self) -> list[str]:
        """What the categories are called, however many of their levels make features."""
        return [str(replace(category, all_levels=False)) for category in self.categories]

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What says the group, if anything does, and what the terms are made of."""
        group = [self.by] if self.by else []
        return (*group, *(factor for term in self.terms for factor in term.factors))

    @property
    def texts(self) -> tuple[str, ...]:
        """The inputs that are texts, which are read as words."""
        return tuple(factor.column for factor in self.categories if factor.is_text)

    @property
    def width(self) -> int:
        """How many columns are read."""
        return len(self.numbers) + len(self.categories)

    @cached_property
    def is_plain(self) -> bool:
        """Whether the features are columns as they stand, and nothing else is read."""
        return self.by is None and all(term.is_column for term in self.terms)

    @cached_property
    def products(self) -> tuple[tuple[Factor, ...], ...]:
        """The products of numbers in the terms, each once: what the base is made of."""
        return tuple(dict.fromkeys(term.numbers for term in self.terms if term.numbers))

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """Where the features of each term are."""
        spans, start = [], 0
        place_of = {product: place for place, product in enumerate(self.products)}
        for term in self.terms:
            base = place_of[term.numbers] if term.numbers else -2
            places = tuple(map(self.categories.index, term.categories))
            firsts = self.firsts(term)
            sizes = tuple(
                len(self.levels[at]) - one for at, one in zip(places, firsts, strict=True)
            )
            spans.append(Span(base, places, sizes, start, prod(sizes)))
            start += prod(sizes)
        return tuple(spans)

    @cached_property
    def keys(self) -> tuple[tuple[int, tuple[Level, ...]], ...]:
        """What tells each feature from all others: its term, by number, and its levels."""
        return tuple(
            (number, combination)
            for number, (term, span) in enumerate(zip(self.terms, self.spans, strict=True))
            for combination in product(
                *(
                    self.levels[place][first:]
                    for place, first in zip(span.places, self.firsts(term), strict=True)
                )
            )
        )

    def firsts(self, term: Term) -> list[int]:
        """Of each category of a term, the place of the first level that makes a feature."""
        return [0 if self.whole or each.all_levels else 1 for each in term.categories]

    @cached_property
    def features(self) -> tuple[str, ...]:
        """What the features are called."""
        return tuple(named(self.terms[number], levels) for number, levels in self.keys)

    def check(self) -> None:
        """Raise where there are more features than can be fitted, or none."""
        count = sum(span.width for span in self.spans)
        if not count:
            only = listing(tuple(map(str, self.categories)))
            raise GdfitError(f"there is one level only of {only}, which makes no feature")
        if count > max(MOST_PRODUCTS, len(self.terms)) and any(
            len(span.places) > 1 or span.base >= 0 for span in self.spans if span.places
        ):
            what = f"the products of categories make {count:,} features"
            raise GdfitError(f"{what}, more than {MOST_PRODUCTS:,}; name fewer `features`")

    def base(self, rows: FloatArray) -> FloatArray:
        """The base of `rows` that have a one and y in the end: shape (rows, k+2) for k products."""
        if self.is_plain:
            return rows if rows.shape[1] == self.width + 2 else np.delete(rows, -3, axis=1)
        base = np.empty((len(rows), len(self.products) + 2), order="F")
        self.multiply(rows, base)
        base[:, -2:] = rows[:, -2:]
        return base

    def multiply(self, rows: FloatArray, result: FloatArray) -> None:
        """The products of the numbers in `rows`, into the first columns of `result`."""
        columns = dict(zip(self.numbers, rows.T, strict=False))
        known: dict[Factor, FloatArray] = {}
        for place, factors in enumerate(self.products):
            for count, factor in enumerate(factors):
                if factor not in known:
                    known[factor] = factor.of(columns[factor.column])
                if count:
                    result[:, place] *= known[factor]
                else:
                    result[:, place] = known[factor]

    @cached_property
    def alone(self) -> list[int]:
        """The places in the base of the products that are features as they stand, and have no part
        in any other: what is common to their numbers may be taken away."""
        if not self.intercept:
            return []
        mixed = {term.numbers for term in self.terms if term.categories}
        return [place for place, each in enumerate(self.products) if each not in mixed]

    def origin(self, of_base: FloatArray) -> FloatArray:
        """What has been taken away from each feature, where that is taken away from the base."""
        origin = np.zeros(sum(span.width for span in self.spans))
        for span in self.spans:
            if not span.places:
                origin[span.start] = of_base[span.base]
        return origin

    def codes(self, rows: FloatArray) -> Codes:
        """The codes of the levels of `rows`, shape (rows, categories)."""
        return rows[:, len(self.numbers) : self.width].astype(np.int64)

    @property
    def places_had(self) -> list[int]:
        """Where the levels of each category begin in `had`."""
        return [0, *accumulate(map(len, self.levels[:-1]))]

    def not_had(self, rows: FloatArray) -> NDArray[np.bool_]:
        """Which levels of `rows` their groups have not had, shape (rows, categories)."""
        codes = self.codes(rows)
        result = np.zeros(codes.shape, bool)
        if self.had is not None:
            for place, start in enumerate(self.places_had[:-1]):
                result[:, place] = ~self.had[codes[:, -1], start + codes[:, place]]
        return result

    def weights(self, rows: FloatArray) -> FloatArray | None:
        """The weights of `rows`, which stand before the one, if there are any."""
        return rows[:, -3] if rows.shape[1] == self.width + 3 else None

    def spread(self, base: FloatArray, codes: Codes) -> FloatArray:
        """The features, a one and y of rows with this base and these levels' codes, which are
        their places among the `levels`."""
        if self.intercept and all(term.is_column for term in self.terms):
            return base
        width = sum(span.width for span in self.spans)
        result = np.zeros((len(base), width + 2), order="F")
        for term, span in zip(self.terms, self.spans, strict=True):
            if not span.places:
                result[:, span.start] = base[:, span.base]
                continue
            place, has = np.zeros(len(base), np.int64), np.ones(len(base), bool)
            known = zip(span.places, span.sizes, self.firsts(term), strict=True)
            for category, size, first in known:
                code = codes[:, category] - first
                has &= code >= 0
                place = place * size + code
            rows = np.flatnonzero(has)
            result[rows, span.start + place[rows]] = base[rows, span.base]
        result[:, -1] = base[:, -1]
        if self.intercept:
            result[:, -2] = base[:, -2]
        return result

    def expand(self, rows: FloatArray) -> FloatArray:
        """The features, a one, y and the weight, if there is one, of `rows`."""
        features, weights = self.spread(self.base(rows), self.codes(rows)), self.weights(rows)
        return features if weights is None else np.column_stack([features, weights])

    def unseen(self, place: int, level: Level) -> str:
        """What to say of a level that is not known."""
        known = tuple(map(as_typed, self.levels[place]))
        there = f"there {'is' if len(known) == 1 else 'are'} {listing(known, 5)}"
        is_group = self.categories[place] == self.by
        what = "a group without a model" if is_group else "a level that training has not seen"
        return f"{quoted(level_name(level))} is {what}; {there}"

    @property
    def record(self) -> dict[str, object]:
        """What a model's file says of it."""
        levels = dict(zip(self.category_names, map(list, self.levels), strict=True))
        return {"inputs": [*self.inputs], "terms": [*map(str, self.terms)], "levels": levels}


def identity_expansion(columns: Sequence[str], *, intercept: bool = True) -> Expansion:
    """What takes columns as they stand for features."""
    return Expansion(tuple(Term((Factor(name),)) for name in columns), intercept=intercept)


def named(term: Term, levels: Sequence[Level]) -> str:
    """What the feature of a term and these levels of its categories is called."""
    left = iter(levels)
    return ":".join(
        f"{replace(factor, all_levels=False) if factor.function else factor.column}"
        f"[{level_name(next(left))}]"
        if factor.is_category
        else str(factor)
        for factor in term.factors
    )


def level_name(level: Level) -> str:
    """A level as a text: a number as shortly as it reads back exactly."""
    if isinstance(level, str):
        return level
    if not (isinstance(level, int) or level.is_integer()):
        return repr(level)
    is_long = abs(level) >= LONG and float(level) == level
    return repr(float(level)) if is_long else str(int(level))


def as_typed(level: Level) -> str:
    """A level as it is typed among others: in quotes where it has a comma or quotes."""
    name = level_name(level)
    return enclosed(name) if {",", '"'} & set(name) else name


def enclosed(text: str, quote: str = '"') -> str:
    """A text in quotes as CSV, SQL and spreadsheets have it: a quote in it is there twice."""
    return quote + text.replace(quote, 2 * quote) + quote


def widened(rows: FloatArray, before: Expansion, after: Expansion) -> FloatArray:
    """`rows` of the features of one expansion, a one and y, as those of another: with zeros for
    features that are new."""
    place_of = {key: place for place, key in enumerate(after.keys)}
    result = np.zeros((len(rows), len(after.keys) + 2))
    for place, key in enumerate(before.keys):
        if key in place_of:
            result[:, place_of[key]] = rows[:, place]
    result[:, -2:] = rows[:, -2:]
    return result


class RecordedTable:
    """The columns that a model's file names, as `read_term` asks for them."""

    def __init__(self, inputs: Sequence[str], texts: Sequence[str]) -> None:
        self._inputs, self._texts = inputs, texts

    def find(self, name: str) -> str | None:
        """The column of this name."""
        return name if name in self._inputs else None

    def missing(self, name: str, more: str = "") -> Exception:
        """What to say where there is none, and `more`."""
        return UsageError(f"{quoted(name)} is no input{more}")

    def holds_text(self, column: str) -> bool:
        """Whether its levels are texts."""
        return column in self._texts

    def holds_dates(self, column: str) -> bool:
        """True: what is taken of it can be."""
        return True

    def order_of(self, column: str) -> tuple[str, ...]:
        """None: the levels are known."""
        return ()


def expansion_of(record: Mapping[str, object]) -> Expansion:
    """The expansion in a model's file.

    Raises
    ------
    ValueError : it is damaged.
    """
    inputs, terms, levels = record.get("inputs"), record.get("terms"), record.get("levels", {})
    if not (is_texts(inputs) and is_texts(terms) and isinstance(levels, Mapping)):
        raise ValueError
    table = RecordedTable(inputs, list(levels))
    try:
        expansion = Expansion(tuple(read_term(text, table) for text in terms))
    except GdfitError:
        raise ValueError from None
    if expansion.category_names != [*levels] or [*expansion.inputs] != inputs:
        raise ValueError
    if len({*expansion.terms}) < len(terms):
        raise ValueError
    known = []
    for category in expansion.categories:
        found = levels[str(replace(category, all_levels=False))]
        fits = is_text if category.is_text else is_finite
        if not isinstance(found, list) or not all(map(fits, found)):
            raise ValueError
        known.append(tuple(found))
        if not known[-1] or len(set(known[-1])) < len(known[-1]):
            raise ValueError
    return replace(expansion, levels=tuple(known))


def is_text(value: object) -> bool:
    """Whether it is a text."""
    return isinstance(value, str)


def is_finite(value: object) -> bool:
    """Whether it is a number that float64 reaches."""
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def is_texts(value: object) -> TypeGuard[list[str]]:
    """Whether it is a list of texts."""
    return isinstance(value, list) and all(map(is_text, value))
