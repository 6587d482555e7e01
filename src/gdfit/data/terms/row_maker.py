"""From what is read of a file to rows for a fit: terms checked, levels numbered.

Values as a person gives them, a number or a level for each input of a fit, are made rows here, too,
and back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.batch import Asked, Batch, DataFile, Kind, Level, NumberedRows, Words
from gdfit.data.terms.expansion import Expansion, level_name
from gdfit.data.terms.levels import Classes, Levels, UnusableError
from gdfit.data.terms.terms import FUNCTIONS, TOO_LARGE, Factor, Term
from gdfit.data.text.blocks import Unit
from gdfit.dates import date_part
from gdfit.errors import GdfitError, quoted

WHOLE_FLOAT = re.compile(r"^(-?(?:0|[1-9][0-9]*))\.0+$")


@dataclass(eq=False)
class RowMaker:
    """Makes rows of what is read of a file: the numbers of the features, the codes of levels, the
    weight if there are weights, y if there is a target.

    expansion : what is to be made of the columns.
    place_of : the columns by their names: their places in the file.
    target : what y is.
    weights : the column of the rows' weights.
    drop_missing : whether to leave out rows with a missing field, which are an error otherwise.
    classes : which values of the target are 0 and 1, where it has classes.
    levels : the codes of the levels, which are added to as they are found.
    missed, unseen : how many rows have been left out for a missing field, and for a level that is
        not among those that are known.
    others : what the target holds besides the positive class, where all of it is the other one.
    broken, first_broken, lines : how many for what can't be read; the first of them; and how many
        lines they were among: see `Batch`.
    """

    expansion: Expansion
    place_of: Mapping[str, int]
    target: Factor | None = None
    weights: str | None = None
    drop_missing: bool = False
    classes: Classes | None = None

    def __post_init__(self) -> None:
        self.levels, self.missed, self.unseen = Levels(self.expansion), 0, 0
        self.others = set[Level]()
        self.broken, self.lines, self.first_broken = 0, 0, list[tuple[int, str]]()

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The columns that are read as numbers: the features', the weights', the target's."""
        weights = () if self.weights is None else (self.weights,)
        target = () if self.target is None or self._has_words else (self.target.column,)
        return (*self.expansion.numbers, *weights, *target)

    @cached_property
    def asked(self) -> list[Asked]:
        """What is read of the file."""
        asked = [Asked(self.place_of[name]) for name in self.numbers]
        for category in self.expansion.categories:
            if category.function:
                continue
            kind: Kind = "word" if category.is_text else "exact"
            asked.append(Asked(self.place_of[category.column], kind))
        if self.target and self._has_words:
            asked.append(Asked(self.place_of[self.target.column], "word"))
        return asked

    @property
    def _has_words(self) -> bool:
        """Whether the target is words."""
        return self.classes is not None and self.classes.is_text

    def unit_rows(self, file: DataFile, unit: Unit) -> Iterator[NumberedRows]:
        """The rows of a unit and their numbers in it, batch by batch.

        Raises
        ------
        FieldError : a field can't be used.
        """
        for batch in file.batches(unit, self.asked, may_miss=self.drop_missing):
            for line, what, place in batch.broken:
                column = "" if place is None else f"column {quoted(file.layout.names[place])}: "
                self.first_broken.append((self.lines + line, column + what))
            self.broken, self.lines = self.broken + len(batch.broken), self.lines + batch.lines
            if self.expansion.by and self.expansion.levels:  # groups without a model
                seen, _ = self.seen(batch, batch.is_whole, of_groups=True)
                self.unseen += int(np.count_nonzero(batch.is_whole & ~seen))
                batch = batch.where(seen | ~batch.is_whole)
            if self.drop_missing:
                whole = batch.is_whole
                self.missed += len(whole) - int(np.count_nonzero(whole))
                batch = batch.where(whole)
                if self.expansion.levels:  # to which none is added
                    seen, _ = self.seen(batch, np.ones(len(batch.rows), bool))
                    self.unseen += len(seen) - int(np.count_nonzero(seen))
                    batch = batch.where(seen)
            if self.weights is not None:
                place = self.numbers.index(self.weights, len(self.expansion.numbers))
                weights = batch.numbers[:, place]
                negative = np.flatnonzero(weights < 0)
                if len(negative):
                    row = int(negative[0])
                    self.rows(
                        file, unit, batch.where((np.arange(len(weights)) < row) & (weights > 0))
                    )
                    what = f"a weight can't be negative, as {weights[row]:g} is"
                    place = self.place_of[self.weights]
                    raise file.fault_in(unit, int(batch.rows[row]), place, what)
                batch = batch.where(weights > 0)
            if len(batch.rows):
                yield batch.rows, self.rows(file, unit, batch)

    def rows(self, file: DataFile, unit: Unit, batch: Batch, *, checked: bool = True) -> FloatArray:
        """The rows of a batch without missing fields: see `made`.

        Raises
        ------
        FieldError : a level or the value of a term can't be used.
        """
        try:
            return self.made(batch, checked=checked)
        except UnusableError as error:
            # Whatever was looked at first, the fault of the first row is told.
            before = batch.where(np.arange(len(batch.rows)) < error.row)
            self.rows(file, unit, before, checked=checked)
            row, place = int(batch.rows[error.row]), self.place_of[error.column]
            raise file.fault_in(unit, row, place, error.what) from None

    def seen(
        self, batch: Batch, whole: NDArray[np.bool_], *, of_groups: bool = False
    ) -> tuple[NDArray[np.bool_], dict[str, None]]:
        """Which of the `whole` rows of a batch have levels that are known, all of them, or those
        `of_groups`; and the levels that are not."""
        seen, unseen = whole.copy(), dict[str, None]()
        for place, (codes, said) in enumerate(self.words(batch)):
            if of_groups and self.expansion.categories[place] != self.expansion.by:
                continue
            known = self.levels.known(place, said)
            new = whole & ~known[codes]
            unseen |= dict.fromkeys(level_name(said[code]) for code in codes[new].tolist())
            seen &= ~new
        return seen, unseen

    def words(self, batch: Batch) -> Iterator[Words]:
        """The levels of each category in a batch."""
        read = iter(batch.words)
        for category in self.expansion.categories:
            if not category.function:
                words = next(read)
                if category == self.expansion.by:
                    words = words._replace(said=[*map(group_called, words.said)])
                yield words
                continue
            days = batch.numbers[:, self.expansion.numbers.index(category.column)]
            absent = np.isnan(days)
            parts = date_part(category.function, np.where(absent, 0, days))
            said, codes = np.unique(parts, return_inverse=True)
            yield Words(np.where(absent, -1, codes), said.tolist())

    def made(self, batch: Batch, *, checked: bool = True) -> FloatArray:
        """The rows of a batch, all of which count. Their values are `checked`, or may be such that
        a term has none."""
        expansion, target = self.expansion, self.target
        if target and self.classes:
            batch, target = self._classed(batch, target, self.classes), None
        if target and target.is_column:
            target = None
        if expansion.is_plain and target is None:
            return batch.numbers
        size, width = len(expansion.numbers), expansion.width
        more = batch.numbers.shape[1] - size
        rows = np.empty((len(batch.numbers), width + more), order="F")
        rows[:, :size] = batch.numbers[:, :size]
        rows[:, width:] = batch.numbers[:, batch.numbers.shape[1] - more :]
        if not len(rows):
            return rows
        for place, (codes, said) in enumerate(self.words(batch)):
            rows[:, size + place] = self.levels.encode(place, codes, said)
        if checked:
            check_values(expansion, rows)
        if target:
            y = target.of(rows[:, -1])
            wrong = np.flatnonzero(~np.isfinite(y))
            if len(wrong):
                row = int(wrong[0])
                raise unusable(row, [target], {target.column: float(rows[row, -1])})
            rows[:, -1] = y
        return rows

    def _classed(self, batch: Batch, target: Factor, classes: Classes) -> Batch:
        """A batch with y in place of the target's values."""
        numbers, words = batch.numbers, batch.words
        if classes.is_text:
            *before, (codes, said) = words
            y, words = classes.of_words(target.column, codes, said), tuple(before)
            if classes.others:
                self.others |= {said[code] for code in np.unique(codes).tolist()} - {
                    classes.positive
                }
        else:
            values, numbers = numbers[:, -1], numbers[:, :-1]
            y = classes.of_numbers(target.column, values)
            if classes.others and not y.all():
                self.others |= {float(values[y == 0].min()), float(values[y == 0].max())}
        return batch._replace(numbers=np.column_stack([numbers, y]), words=words)


def group_called(said: Level) -> Level:
    """What a group is called: 1.0 is 1, and 007 is not 7."""
    may_be = isinstance(said, str) and said.endswith("0")  # few do, and the pattern takes longer
    return WHOLE_FLOAT.sub(r"\1", str(said)) if may_be else said


def check_values(expansion: Expansion, rows: FloatArray) -> None:
    """Raise for the first of `rows` in which a term has no value, or whose group has not had a
    level."""
    if expansion.had is not None:
        not_had = expansion.not_had(rows)
        for row, place in np.argwhere(not_had)[:1].tolist():
            names = (
                level_name(expansion.levels[at][expansion.codes(rows)[row, at]])
                for at in (place, -1)
            )
            level, group = map(quoted, names)
            what = f"{level} is a level that the group {group} has not had"
            raise UnusableError(row, expansion.categories[place].column, what)
    bad = values_missing(expansion, rows)
    wrong = np.flatnonzero(bad.any(axis=1))
    if len(wrong):
        row = int(wrong[0])
        factors = expansion.products[int(np.argmax(bad[row]))]
        numbers = rows[row, : len(expansion.numbers)].tolist()
        raise unusable(row, factors, dict(zip(expansion.numbers, numbers, strict=True)))


def values_missing(expansion: Expansion, rows: FloatArray) -> NDArray[np.bool_]:
    """Where the products of an expansion have no value in `rows`, shape (rows, products); or none,
    where they all have."""
    none = np.zeros((len(rows), 0), bool)
    if all(term.is_column or not term.numbers for term in expansion.terms) or not len(rows):
        return none
    numbers = rows[:, : len(expansion.numbers)]
    # Of each factor, the largest is at one of the ends; so no product is larger than theirs.
    ends = np.array([numbers.min(axis=0), numbers.max(axis=0)])
    ends_of = dict(zip(expansion.numbers, ends.T, strict=True))

    def largest(factor: Factor) -> float:
        return float(np.abs(factor.of(ends_of[factor.column])).max())

    with np.errstate(all="ignore"):
        bounds = [prod(map(largest, factors)) for factors in expansion.products]
        dated = any(factor.function == "date" for each in expansion.products for factor in each)
        if np.isfinite(bounds).all() and not dated:
            return none
        products = np.empty((len(rows), len(expansion.products)), order="F")
        expansion.multiply(rows, products)
    return ~np.isfinite(products)


def unusable(row: int, factors: Sequence[Factor], values: Mapping[str, float]) -> UnusableError:
    """Why the product of `factors` is not finite in a row where the columns have these `values`,
    and which column to blame."""
    for factor in factors:
        value = np.array([values[factor.column]])
        if np.isfinite(factor.of(value)).all():
            continue
        function = replace(factor, power=1)
        takes = FUNCTIONS[factor.function].takes if factor.function else ""
        if takes and not np.isfinite(function.of(value)):
            why = f"{function} takes {takes}, not {value[0]:.9g}"
        else:
            why = f"{factor} of {value[0]:g} is {TOO_LARGE}"
        return UnusableError(row, factor.column, why)
    return UnusableError(row, factors[0].column, f"{Term(tuple(factors))} is {TOO_LARGE}")


def rows_at(expansion: Expansion, values: Sequence[Any]) -> FloatArray:
    """Rows of numbers, codes, a one and 0 for y, of a value for each of the `inputs`: a number
    or a level, or arrays of them.

    Raises
    ------
    GdfitError : a level is not known, or a term has no value.
    """
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value)) for value in values))
    given: dict[str, Any] = dict(zip(expansion.inputs, arrays, strict=True))
    rows = np.ones((len(arrays[0]), expansion.width + 2), order="F")
    for place, column in enumerate(expansion.numbers):
        rows[:, place] = given[column].astype(np.float64)
    for place, category in enumerate(expansion.categories):
        code_of = {level: code for code, level in enumerate(expansion.levels[place])}
        of_one = given[category.column]
        if category.function:
            of_one = date_part(category.function, of_one.astype(np.float64))
        levels = of_one.tolist()
        if category == expansion.by:
            levels = [*map(group_called, levels)]
        for level in dict.fromkeys(levels):
            if level not in code_of:
                raise GdfitError(expansion.unseen(place, level), column=category.column)
        rows[:, len(expansion.numbers) + place] = [code_of[level] for level in levels]
    rows[:, -1] = 0
    try:
        check_values(expansion, rows)
    except UnusableError as fault:
        raise GdfitError(fault.what, column=fault.column) from None
    return rows


def inputs_of(expansion: Expansion, row: FloatArray) -> list[Level]:
    """A value for each of the `inputs`, of a row of numbers and codes."""
    values: dict[str, Level] = dict(zip(expansion.numbers, row.tolist(), strict=False))
    for place, category in enumerate(expansion.categories):
        code = int(row[len(expansion.numbers) + place])
        if not category.function:
            values[category.column] = expansion.levels[place][code]
    return [values[column] for column in expansion.inputs]
