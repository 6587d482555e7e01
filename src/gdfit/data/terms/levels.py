"""The levels of categories, numbered as they come, and rows of the same levels condensed; and the
two classes of a target: one is y = 1, the other y = 0."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray, Near, shared, taken, triangles, triangular
from gdfit.data.batch import Codes, Level
from gdfit.data.terms.expansion import Expansion, level_name, widened
from gdfit.errors import UsageError, listing, printable, quoted

MOST_LEVELS = 1000  # in all categories of which features are made
MOST_GROUPS = 1_000_000  # that are fitted by themselves
PENDING = 1 << 15  # how many condensed rows may wait to be folded


class UnusableError(ValueError):
    """A row that can't be used: which, the column, and why."""

    def __init__(self, row: int, column: str, what: str) -> None:
        self.row, self.column, self.what = row, column, what


class LevelError(UnusableError):
    """A row's level that can't be used."""


class Levels:
    """The levels of the categories of a fit, each with a code: its number in the order in which
    they come, or its place in an `expansion` that knows its levels, which none is added to."""

    def __init__(self, expansion: Expansion) -> None:
        self._known = expansion if expansion.levels else None
        self._expansion = expansion
        levels = expansion.levels or ((),) * len(expansion.categories)
        self._codes: list[dict[Level, int]] = [
            {level: code for code, level in enumerate(of_one)} for of_one in levels
        ]
        self._sorted: list[list[Level]] | None = None

    def encode(self, place: int, codes: Codes, levels: Sequence[Level]) -> Codes:
        """The codes of rows of a category, which has these `levels` in these rows.

        codes : which of the `levels` each row has.

        Raises
        ------
        LevelError : a level is not known, or one too many.
        """
        code_of = self._codes[place]
        used = np.flatnonzero(np.bincount(codes, minlength=len(levels))).tolist()
        first = np.zeros(len(levels), np.int64)
        first[codes[::-1]] = np.arange(len(codes))[::-1]
        new = [number for number in used if levels[number] not in code_of]
        new.sort(key=first.tolist().__getitem__)  # by row, however the rows are cut
        rows: dict[Level, int] = {}
        for number in new:  # 2020 and 2020.0 are one
            rows.setdefault(levels[number], int(first[number]))
        self.add(place, rows)
        table = np.zeros(len(levels), np.int64)
        for number in used:
            table[number] = code_of[levels[number]]
        return table[codes]

    def known(self, place: int, levels: Sequence[Level]) -> NDArray[np.bool_]:
        """Which of the `levels` of a category have a code; at the end, that a missing one has
        none."""
        return np.array([*(level in self._codes[place] for level in levels), False], bool)

    def add(self, place: int, rows: Mapping[Level, int]) -> None:
        """Levels that have not come before, and the row of each, in the order of the rows."""
        category, code_of = self._expansion.categories[place], self._codes[place]
        made = self._codes[:-1] if self._expansion.by else self._codes
        most, where = MOST_LEVELS, "categories may have {:,} in all; name other `features`"
        if category == self._expansion.by:
            made, most, where = [code_of], MOST_GROUPS, "`by` takes {:,}"
        room = most - sum(map(len, made))
        if rows and (self._known or len(rows) > room):
            level = [*rows][0 if self._known else room]
            what = f"{quoted(level_name(level))} is level number {most + 1:,}, and "
            what += where.format(most)
            if self._known:
                what = self._known.unseen(place, level)
            raise LevelError(rows[level], category.column, what)
        code_of.update(zip(rows, range(len(code_of), len(code_of) + len(rows)), strict=True))
        self._sorted = None

    def joined(self, others: Levels) -> tuple[Levels, list[Codes]]:
        """These levels and the `others`; and for each category, the code that each of the others
        has among them.

        Raises
        ------
        LevelError : they are too many, in a row that is not known.
        """
        if not self._codes:
            return self, []
        result = copy(self)
        result._codes = [dict(of_one) for of_one in self._codes]
        tables = []
        for place, (code_of, of_other) in enumerate(zip(result._codes, others._codes, strict=True)):
            result.add(place, dict.fromkeys((each for each in of_other if each not in code_of), -1))
            tables.append(np.array([code_of[level] for level in of_other], np.int64))
        return result, tables

    def merged(self, others: Levels) -> Levels:
        """These levels and the `others`: see `joined`."""
        return self.joined(others)[0]

    def renumbered(self, rows: FloatArray, tables: Sequence[Codes]) -> FloatArray:
        """Rows of numbers and codes, with the codes that the `tables` have for theirs."""
        if self._known or not tables:
            return rows
        result = rows.copy()
        for place, table in enumerate(tables, len(self._expansion.numbers)):
            result[..., place] = table[rows[..., place].astype(np.int64)]
        return result

    @property
    def groups(self) -> int:
        """How many groups of rows there are that are fitted by themselves."""
        return len(self._codes[-1]) if self._expansion.by else 0

    @property
    def as_they_came(self) -> Expansion:
        """What the terms make of the levels so far, in the order of their codes, all of them."""
        return replace(self._expansion, levels=tuple(map(tuple, self._codes)), whole=True)

    @property
    def expansion(self) -> Expansion:
        """What the terms make of the levels so far, in their order."""
        if self._known:
            return self._known
        return replace(self._expansion, levels=tuple(map(tuple, self._in_order)))

    @property
    def _in_order(self) -> list[list[Level]]:
        """The levels of each category in an order of their own, or sorted."""
        if self._sorted is None:
            self._sorted = []
            for category, of_one in zip(self._expansion.categories, self._codes, strict=True):
                own = [level for level in category.order if level in of_one]
                self._sorted.append([*own, *sorted(of_one.keys() - {*own})])
        return self._sorted

    @property
    def sorted_codes(self) -> list[Codes]:
        """For each category, the place in their order that the level of each code has."""
        if self._known:
            return [np.arange(len(of_one)) for of_one in self._codes]
        tables = []
        for of_one, in_order in zip(self._codes, self._in_order, strict=True):
            place_of = {level: place for place, level in enumerate(in_order)}
            tables.append(np.array([place_of[level] for level in of_one], np.int64))
        return tables

    def recoded(self, rows: FloatArray) -> FloatArray:
        """Rows of numbers and codes, with the codes of the levels in their order."""
        return self.renumbered(rows, self.sorted_codes)


class GroupedRows:
    """Folds rows with levels into R.

    Rows of the same levels are condensed by themselves, so that few are left to be made features
    of; those wait, and are condensed with the next ones, until they are too many. A level that
    comes later is a column of zeros in what has been folded.

    Parameters
    ----------
    levels : of the rows.
    pending : how many condensed rows may wait.
    """

    def __init__(self, levels: Levels, pending: int = PENDING) -> None:
        self._levels, self._pending = levels, pending
        self._most = pending
        self._origin: FloatArray | None = None  # what has been taken away from the base
        self._waiting: list[tuple[FloatArray, Codes]] = []
        self._expansion = levels.as_they_came
        self._triangle: FloatArray | None = None

    def add(self, base: Near, codes: Codes) -> None:
        """Take in rows by their base and their levels' codes."""
        origin = base.origin if self._origin is None else shared(self._origin, base.origin)
        self._move(origin)
        self._waiting.append(condensed_by_levels(base.at(origin), codes))
        self._settle()

    def _move(self, origin: FloatArray) -> None:
        """Have another `origin` of the base."""
        before, self._origin = self._origin, origin
        if before is None or (before == origin).all():
            return
        self._waiting = [(Near(base, before).at(origin), codes) for base, codes in self._waiting]
        if self._triangle is not None:
            origins = (self._expansion.origin(each) for each in (before, origin))
            self._triangle = Near(self._triangle, next(origins)).at(next(origins))

    def merged(self, others: GroupedRows, levels: Levels, tables: Sequence[Codes]) -> GroupedRows:
        """These rows and the `others`, which have the codes in `tables` among the `levels`."""
        result = GroupedRows(levels, self._pending)
        result._most = max(self._most, others._most)
        mine, theirs = copy(self), copy(others)
        if self._origin is not None and others._origin is not None:
            result._origin = shared(self._origin, others._origin)
            mine._move(result._origin)
            theirs._move(result._origin)
        result._waiting = [*mine._waiting]
        result._waiting += [(base, translated(codes, tables)) for base, codes in theirs._waiting]
        folded = [
            widened(part._triangle, part._expansion, result._expansion)
            for part in (mine, theirs)
            if part._triangle is not None
        ]
        if folded:
            result._triangle = triangular(np.concatenate(folded))
        result._settle()
        return result

    def _settle(self) -> None:
        """Make fewer of the rows that wait, if they are too many."""
        if sum(len(rows) for rows, _ in self._waiting) <= self._most:
            return
        base, codes = condensed_by_levels(*self._joined())
        self._waiting = [(base, codes)]
        now = self._levels.as_they_came
        if now.by:  # whose groups are kept apart
            self._most = max(self._pending, 2 * len(base))
        if 2 * len(base) <= self._most:
            return
        now.check()
        width = len(now.keys) + 2
        triangle = np.empty((0, width))
        if self._triangle is not None:
            triangle = widened(self._triangle, self._expansion, now)
        at_once = max(4 * width, (1 << 17) // width)
        for start in range(0, len(base), at_once):
            part = slice(start, start + at_once)
            rows = now.spread(base[part], codes[part])
            triangle = triangular(np.concatenate([triangle, triangular(rows)]))
        self._triangle, self._expansion, self._waiting = triangle, now, []

    def _joined(self) -> tuple[FloatArray, Codes]:
        bases, codes = zip(*self._waiting, strict=True)
        return np.concatenate(bases), np.concatenate(codes)

    def stack(self, levels: Levels) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """R of the rows of each group, with the features of the sorted `levels`, shape (groups,
        p+2, p+2); what has been taken away from the features, shape (p,); and which levels each
        group has had: see `Expansion`."""
        final = levels.expansion
        final.check()
        groups = len(final.levels[-1])
        base, codes = self._joined()
        codes = translated(codes, levels.sorted_codes)
        order = np.lexsort(codes.T)  # by group, and in the order of levels
        base, codes = base[order], codes[order]
        counts = np.bincount(codes[:, -1], minlength=groups)
        assert self._origin is not None
        *starts, width = final.places_had
        had = np.zeros((groups, width), bool)
        for place, start in enumerate(starts):
            had[codes[:, -1], start + codes[:, place]] = True
        found = triangles(final.spread(base, codes), counts)
        return found, final.origin(self._origin), had

    def triangle(self, levels: Levels) -> Near:
        """R of all rows, with the features of the sorted `levels`, to which more may have been
        added."""
        final = levels.expansion
        final.check()
        parts = []
        if self._triangle is not None:
            parts.append(widened(self._triangle, self._expansion, final))
        if self._waiting:
            base, codes = self._joined()
            codes = translated(codes, levels.sorted_codes)
            order = np.lexsort(codes.T[::-1])  # that of the levels, not that in which they came
            parts.append(final.spread(*condensed_by_levels(base[order], codes[order])))
        rows = triangular(np.concatenate(parts))
        return Near.here(rows) if self._origin is None else Near(rows, final.origin(self._origin))


def translated(codes: Codes, tables: Sequence[Codes]) -> Codes:
    """The codes that the `tables`, one for each category, have for these."""
    columns = [table[of_one] for table, of_one in zip(tables, codes.T, strict=True)]
    return np.column_stack(columns)


def condensed_by_levels(base: FloatArray, codes: Codes) -> tuple[FloatArray, Codes]:
    """Fewer rows that stand for these: of each combination of levels, the R of its rows; or the
    same rows, where there are too many combinations for that."""
    key = np.zeros(len(codes), np.int64)
    for of_one in codes.T:
        key = key * (int(of_one.max()) + 1) + of_one
        if len(codes.T) > 1:
            key = np.unique(key, return_inverse=True)[1]
    order = np.argsort(key.astype(np.uint16) if key.max() < 1 << 16 else key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    if 2 * base.shape[1] * len(starts) > len(base):
        return base, codes
    rows = triangles(taken(base, order), np.diff(starts, append=len(base)))
    return rows.reshape(-1, base.shape[1]), np.repeat(codes[order[starts]], rows.shape[1], axis=0)


class Classes(NamedTuple):
    """What stands for y = 0 and for y = 1 in a column.

    negative : None where it is several values.
    others : whether all values but the positive stand for y = 0.
    """

    negative: Level | None
    positive: Level
    others: bool = False

    def naming(self, others: Collection[Level]) -> Classes:
        """The classes, where the rows that are not positive hold the `others`."""
        if not self.others:
            return self
        return self._replace(negative=next(iter(others)) if len(others) == 1 else None)

    @property
    def is_text(self) -> bool:
        """Whether they are texts, and not numbers."""
        return isinstance(self.positive, str)

    @property
    def names(self) -> tuple[str, str]:
        """What they are called, that of y = 0 first."""
        positive = level_name(self.positive)
        return f"not {positive}" if self.negative is None else level_name(self.negative), positive

    def of_words(self, column: str, codes: Codes, said: Sequence[Level]) -> FloatArray:
        """y of rows that have these `codes` of what is `said` in a column.

        Raises
        ------
        UnusableError : a row has a third value.
        """
        y_of = {self.negative: 0.0, self.positive: 1.0}
        y = np.array([y_of.get(level, self._of_others) for level in said], np.float64)[codes]
        return self._checked(column, y, lambda row: said[codes[row]])

    def of_numbers(self, column: str, numbers: FloatArray) -> FloatArray:
        """y of rows with these `numbers` in a column: see `of_words`."""
        y = np.where(numbers == self.positive, 1.0, self._of_others)
        y[numbers == self.negative] = 0.0
        return self._checked(column, y, lambda row: float(numbers[row]))

    @property
    def _of_others(self) -> float:
        return 0.0 if self.others else np.nan

    def _checked(self, column: str, y: FloatArray, level_in: Callable[[int], Level]) -> FloatArray:
        third = np.flatnonzero(np.isnan(y))
        if len(third):
            row = int(third[0])
            raise UnusableError(row, column, third_value(level_name(level_in(row)), self.names))
        return y


def answer(target: str, classes: Classes | None) -> str:
    """What ŷ is: the target, or the probability of a class."""
    if classes is None:
        return printable(target)
    return f"P({printable(target)} = {printable(classes.names[1])})"


IS_THIRD = "is a third value beside"


def third_value(third: str, two: Sequence[str]) -> str:
    """What to say where a target has more than two values."""
    return f"{quoted(third)} {IS_THIRD} {listing(tuple(two))}"


def check_probability(threshold: float) -> None:
    """Raise where the probability from which on a row is of the positive class is none."""
    if not 0 <= threshold <= 1:
        raise UsageError(f"`threshold` takes a number from 0 to 1, not {threshold:g}")


def classes_of(record: object) -> Classes | None:
    """The classes in a model's file, if there are any."""
    if not isinstance(record, list) or len(record) != 3:
        return None
    for each in (record[0] or 0, record[1]):
        is_number = isinstance(each, int | float) and abs(each) < 1e308
        if not isinstance(each, str) and not is_number:
            return None
    return Classes(*record)
