"""The observations as the mathematics sees them: a design matrix and a target, [A y], and the rows
themselves, for losses and batches that p+2 of them can't stand for; those of groups; and what looks
wrong in them.

A row has one order of columns everywhere: the features, a one, y.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray, Near, triangular
from gdfit.data.batch import SAMPLE_ROWS, Codes, Level, Rows
from gdfit.data.terms.columns import ColumnFacts
from gdfit.data.terms.expansion import Expansion
from gdfit.data.terms.levels import Classes
from gdfit.data.terms.row_maker import inputs_of
from gdfit.data.text.dialect import Selection
from gdfit.data.text.spellings import dated
from gdfit.errors import GdfitError, UsageError, listing, printable

OF_ALL = ("augmented", "near", "count", "weight", "log_weight", "rows")
OF_SAMPLE = ("sample", "sample_places", "sample_weights", "sample_inputs")
FIRST_ROWS = 3  # as many as are written out on a board
SAME = 1e-12  # a deviation below this part of a column's size, from its origin, is rounding


@dataclass(frozen=True, eq=False, repr=False)
class Observations(ColumnFacts):
    """N observations of p features and a target, and what is known of their columns.

    augmented : the augmented matrix [A y], shape (n, p+2): the features, a one, y. Its n rows are
        the observations themselves, or stand for all N of them: see
        `gdfit.data.reduction.condense`. Without an intercept there is a 0 in place of the one; with
        weights v, all of a row is times √v.
    count : N.
    features, target_name : their names.
    near : the augmented matrix with what is common to a column's numbers taken away, where there
        are columns whose numbers lie close together.
    first : the first observations, at most `FIRST_ROWS`, shape (rows, p+1): the features, then y.
    last : the last observation as it was read: its numbers and levels' codes, then its y; without
        an `expansion` that is its features, then its y, shape (p+1,).
    sample : a random sample of the observations for pictures, or all, shape (rows, p+1).
    sample_places : where those stand in the data, as file, unit and number, shape (rows, 3).
    rows : all rows, where they have been kept: the features, a one, y, and its weight if there are
        weights.
    weight, weights_name : Σv, where the observations have weights v, and what these are called.
    log_weight : Σ log v.
    first_weights, sample_weights : those of the first ones, and of the sample.
    sample_inputs : the numbers that the sample's features are made of, column by column.
    intercept : whether there is a b; where there is none, it stays 0.
    expansion : what makes the features of columns, where they are not columns as they stand.
    refined : θ of least squares and the length of the residuals, shape (p+2,), where they have been
        refined on rows that are not here: see `gdfit.descent.least_squares`.
    """

    augmented: FloatArray
    count: int
    features: tuple[str, ...]
    target_name: str
    first: FloatArray
    last: FloatArray
    sample: FloatArray
    sample_places: Codes | None = None
    near: Near | None = None
    rows: Rows | None = None
    weight: float | None = None
    log_weight: float = 0.0
    weights_name: str | None = None
    first_weights: FloatArray | None = None
    sample_weights: FloatArray | None = None
    sample_inputs: FloatArray | None = None
    intercept: bool = True
    expansion: Expansion | None = None
    refined: FloatArray | None = None

    def __repr__(self) -> str:
        columns = f"{printable(self.target_name)} from {listing(self.features, 3)}"
        return f"<{self.count:,} observations: {columns}>"

    @property
    def total_weight(self) -> float:
        """What sums over the observations are divided by: Σv, or N where all count alike."""
        return self.count if self.weight is None else self.weight

    @property
    def design(self) -> FloatArray:
        """The design matrix A, shape (n, p+1): the features, then a column of ones."""
        return self.augmented[:, :-1]

    @property
    def target(self) -> FloatArray:
        """y, shape (n,)."""
        return self.augmented[:, -1]

    @property
    def around(self) -> Near:
        """The augmented matrix from an origin, 0 for most columns: what means and deviations are
        computed of."""
        return self.near or Near.here(self.augmented)

    @property
    def last_values(self) -> tuple[list[float | str], float]:
        """The last observation: its values in the columns that it was read from, and its y."""
        *values, observed = self.last.tolist()
        return (inputs_of(self.expansion, self.last) if self.expansion else values), observed

    @property
    @np.errstate(over="ignore")
    def mean_square(self) -> float:
        """The mean of y²."""
        return float(self.target @ self.target) / self.total_weight

    def naming(self, others: Collection[Level]) -> Observations:
        """The observations, where the rows that are not of the positive class hold the `others`."""
        return replace(self, classes=self.classes.naming(others)) if self.classes else self

    @property
    def has_classes(self) -> bool:
        """Whether y is 0 or 1 in all rows, and not one of them alone."""
        y = self.sample[:, -1]
        total, squares = float(self.design[:, -1] @ self.target), float(self.target @ self.target)
        is_either = bool(((y == 0) | (y == 1)).all()) and 0 < y.sum() < len(y)
        return is_either and abs(total - squares) <= SAME * squares

    def r_squared(self, params: FloatArray) -> float:
        """R² = 1 − Σ(ŷ − y)²/Σ(y − ȳ)², the part of y's variance that the model explains; NaN where
        y does not vary, −∞ where the errors leave float64. Without an intercept ȳ is 0, as in R:
        the model is compared with none."""
        size = float(np.abs(self.target).max()) or 1.0  # squares of large numbers leave float64
        around = self.around
        target, ones = self.target / size, self.design[:, -1]
        deviations = target - (ones @ target / self.total_weight) * ones
        params = np.append(params[:-1], params[-1] + params[:-1] @ around.origin)
        residuals = (around.rows[:, :-1] @ params) / size - around.rows[:, -1] / size
        total = float(deviations @ deviations)
        if not total > SAME**2 * float(target @ target):
            return math.nan
        squares = float(residuals @ residuals)
        found = 1 - squares / total if math.isfinite(squares) else -math.inf
        return found if abs(found) > SAME else 0.0


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GroupedObservations(Observations):
    """Observations and their groups, in the order of the category's levels.

    counts, weights, log_weights : of each group N, Σv and Σ log v, shape (groups,).
    triangles : of each group R, shape (groups, p+2, p+2), with an origin taken away.
    origin : that, shape (p,).
    read_sample : the sample as it was read, with the codes of groups.
    read_rows : all rows so, if they have been kept.
    """

    counts: NDArray[np.int64]
    weights: FloatArray
    log_weights: FloatArray
    triangles: FloatArray
    origin: FloatArray
    read_sample: FloatArray
    read_rows: Rows | None

    @property
    def made_of(self) -> Expansion:
        """What makes the rows' features, and says their groups."""
        assert self.expansion  # which has the category of the groups
        return self.expansion

    @property
    def groups(self) -> tuple[Level, ...]:
        """What the groups are called."""
        return self.made_of.levels[-1]

    @property
    def column(self) -> str:
        """The column that says the group, or the part of its dates."""
        by = self.made_of.by
        assert by is not None
        return str(by) if by.function else by.column

    @property
    def by_size(self) -> list[int]:
        """The places of the groups that have rows, the largest first."""
        order: list[int] = np.argsort(-self.counts, kind="stable").tolist()
        return order[: int(np.count_nonzero(self.counts))]

    @cached_property
    def alone(self) -> Expansion:
        """What makes the features within a group."""
        return replace(self.made_of, by=None, levels=self.made_of.levels[:-1])

    @property
    def within(self) -> Expansion | None:
        """The same, where they are not columns as they stand."""
        return None if self.alone.is_plain else self.alone

    def group(self, place: int) -> Observations:
        """Those of the group at a place. Their last row is not known."""
        near, rows = Near(self.triangles[place], self.origin), None
        read = self.read_sample[self._groups_of(self.read_sample) == place]
        if self.read_rows:
            end = int(self.counts[: place + 1].sum())
            read = self._in_order[end - int(self.counts[place]) : end]
            rows = Rows(self.read_rows.columns - 1)
            rows.add(np.delete(read, self.made_of.width - 1, axis=1))
            rows = rows.changed(self.alone.expand)
            read = read[:: -(-len(read) // SAMPLE_ROWS)]
        size, shown = len(self.features), self.made_of.expand(read)
        is_weighed = self.weight is not None
        whole = Observations(
            **{each.name: getattr(self, each.name) for each in fields(Observations)}
        )
        return replace(
            whole,
            augmented=near.whole,
            near=near if self.origin.any() else None,
            count=int(self.counts[place]),
            weight=float(self.weights[place]) if is_weighed else None,
            log_weight=float(self.log_weights[place]),
            first=shown[:0, : size + 1],
            last=np.full(size + 1, math.nan),
            sample=np.delete(shown[:, : size + 2], size, axis=1),
            sample_places=None,
            rows=rows,
            first_weights=None,
            sample_weights=shown[:, -1] if is_weighed else None,
            sample_inputs=read[:, : len(self.made_of.numbers)],
            expansion=self.within,
        )

    def _groups_of(self, rows: FloatArray) -> Codes:
        return self.made_of.codes(rows)[:, -1]

    @cached_property
    def _in_order(self) -> FloatArray:
        """All rows, group by group."""
        assert self.read_rows is not None
        rows = np.concatenate([*self.read_rows.blocks()])
        return rows[np.argsort(self._groups_of(rows), kind="stable")]


def put_together(parts: Sequence[Observations]) -> Observations:
    """Parts of a data set together: their R is that of all rows. What they are shown by is of the
    first part, and of the sample of each as large a part as the rows are."""
    first, *others = parts
    near = first.around
    for part in others:
        near = near.joined(part.around)
        if len(near.rows) > len(near.origin) + 2:
            near = Near(triangular(near.rows), near.origin)
    count, weight = sum(part.count for part in parts), sum(part.total_weight for part in parts)
    most = [math.ceil(SAMPLE_ROWS * part.count / count) for part in parts]

    def sampled(name: str) -> Any:
        if getattr(first, name) is None:
            return None
        of_each = zip(parts, most, strict=True)
        return np.concatenate([getattr(part, name)[:rows] for part, rows in of_each])

    return replace(
        first,
        augmented=near.whole,
        near=near if near.origin.any() else None,
        count=count,
        weight=None if first.weight is None else weight,
        log_weight=math.fsum(part.log_weight for part in parts),
        rows=rows_of(parts),
        **{name: sampled(name) for name in OF_SAMPLE},
        refined=None,
    )


def rows_of(parts: Sequence[Observations]) -> Rows | None:
    """The rows of all parts, if they have been kept."""
    if parts[0].rows is None:
        return None
    first = parts[0].rows.before
    rows = Rows(first.columns, as_few=first.as_few)
    for part in parts:
        for block in part.rows.before.blocks() if part.rows else ():
            rows.add(block)
    return rows if first is parts[0].rows else rows.changed_as(parts[0].rows)


def as_folds(
    parts: Sequence[Observations | None], whole: Observations
) -> tuple[Observations, list[Observations]]:
    """The `whole` data set as its folds make it, to the last bit; and these.

    Raises
    ------
    UsageError : there are fewer rows than folds.
    """
    folds = [part for part in parts if part]
    if len(folds) < len(parts):
        raise UsageError(f"`cv` takes {whole.count} folds at most here, one for each row")
    together = put_together(folds)
    made = {name: getattr(together, name) for name in OF_ALL}
    return replace(whole, **made), folds


def held_out_of(
    piles: Sequence[Observations | None], fraction: float, file: str | None = None
) -> tuple[Observations, Observations]:
    """The observations to train on, and those of this `fraction` of the rows, held out.

    Raises
    ------
    GdfitError : all rows of the file are.
    """
    to_train, held_out = piles
    assert held_out
    if to_train is None:
        rows = "1 row" if held_out.count == 1 else f"{held_out.count} rows"
        what = f"holding out {fraction:g} of {rows} for validation leaves none to train on"
        raise GdfitError(what, file=file)
    return to_train, held_out


class Fitted(Protocol):
    """What has a model: a fit."""

    @property
    def model(self) -> Any:
        """That model."""


class Like(Protocol):
    """What says which features there are: observations, or a model."""

    @property
    def features(self) -> tuple[str, ...]:
        """Their names."""

    @property
    def expansion(self) -> Expansion | None:
        """What makes them of columns, where they are not columns as they stand."""

    @property
    def intercept(self) -> bool:
        """Whether there is a b."""

    @property
    def classes(self) -> Classes | None:
        """Which values of the target are 0 and 1, where it has classes."""


def terms_of(made: Like) -> tuple[str, ...]:
    """The terms that features are made by."""
    return tuple(map(str, made.expansion.terms)) if made.expansion else made.features


def selection_of(observations: Observations) -> Selection:
    """What asks for the same columns of other data."""
    names = (terms_of(observations), observations.target_name)
    return Selection(*names, weights=observations.weights_name)


def difference(one: Like, other: Like) -> tuple[str, str] | None:
    """What features of the same columns do not have alike, if anything: the one, and the other."""
    both = (one, other)
    made_of = [each.expansion for each in both]
    levels = [dict(zip(each.category_names, each.levels, strict=False)) for each in made_of if each]
    for name in levels[0] if len(levels) == 2 else ():
        here, there = (tuple(map(str, each.get(name, ()))) for each in levels)
        if there and here != there:
            return f"the levels {listing(here)} of {printable(name)}", listing(there)
    if one.features != other.features:
        return f"the features {listing(one.features)}", listing(other.features)
    if one.intercept != other.intercept:
        return ("an intercept", "none") if one.intercept else ("no intercept", "one")
    return None


def check_alike(observations: Observations, validation: Observations) -> None:
    """Raise where the features of a validation set are others."""
    if found := difference(validation, observations):
        what = f"`validation` has other features than the observations: {found[0]}, not {found[1]}"
        raise UsageError(f"{what}; in Python, observations_from has like=observations")


FEWEST = 5  # rows above a total
OFTEN = 3  # times that a number stands for a missing value
AS_SUM, AS_MEAN = 1e-9, 1e-3  # of the numbers' size: a mean may be rounded


def suspicions(observations: Observations) -> Iterator[str]:
    """What to say of observations that look like none, each with the options that leave them
    out."""
    is_plain = observations.expansion is None and observations.weights_name is None
    if is_plain and len(observations.sample):  # which a condensed file may be without
        if said := said_by_last(observations):
            yield f"the last row is the {said} of all above: `skip_end` 1 leaves it out"
        columns = zip(
            (*observations.features, observations.target_name), observations.sample.T, strict=True
        )
        dates = dated(observations.spellings)  # a missing one is said otherwise in each file
        for name, values in columns:
            if name not in dates and (value := far_value(values)) is not None:
                yield (
                    f"{printable(name)} is {value:.15g} in several rows, far from all others: if "
                    f"that stands for a missing value, `missing` {value:.15g} `drop_missing`"
                )


def said_by_last(observations: Observations) -> str | None:
    """``sum`` or ``mean``, where the last row is that of all above in each column."""
    above = observations.count - 1
    if above < FEWEST:
        return None
    ones = observations.design[:, -1]
    table = np.column_stack([observations.design[:, :-1], observations.target])
    sums = ones @ table - observations.last
    size = np.sqrt((table**2).sum(axis=0) * above)  # at least the sum of the numbers' sizes
    varies = np.abs(sums / above - observations.last).max() > 0
    if (np.abs(sums - observations.last) <= AS_SUM * size).all() and varies:
        return "sum"
    spread = np.sqrt(np.maximum((table**2).sum(axis=0) / above - (sums / above) ** 2, 0))
    is_mean = np.abs(sums / above - observations.last) <= AS_MEAN * spread
    return "mean" if is_mean.all() and (spread > 0).any() and len(spread) > 1 else None


def far_value(values: FloatArray) -> float | None:
    """The least or the largest of the `values`, if it stands there often, and is farther from the
    others than these are apart."""
    for end, sign in ((values.min(), 1), (values.max(), -1)):
        others = values[values != end]
        if len(values) - len(others) < OFTEN or len(np.unique(others)) < OFTEN:
            continue
        distance = float((sign * (others - end)).min())
        if distance > float(others.max() - others.min()):
            return float(end)
    return None
