"""The observations as the mathematics sees them: a design matrix and a target, [A y].

A row has one order of columns everywhere: the features, a one, y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.data.expansion import Expansion
from gdfit.data.inputs import inputs_of
from gdfit.data.layout import default_names
from gdfit.data.rows import Rows
from gdfit.data.tables import array_of, column, is_frame, name_of, names_of, numbers_in, values_of
from gdfit.errors import GdfitError, NoObservationsError, listing, printable, quoted

FIRST_ROWS = 3  # as many as are written out on a board
SAME = 1e-13  # a deviation below this part of a column's size is rounding


@dataclass(frozen=True, repr=False)
class Observations:
    """N observations of p features and a target.

    augmented : the augmented matrix [A y], shape (n, p+2): the features, a one, y. Its n rows are
        the observations themselves, or stand for all N of them: see `gdfit.data.condense`. Without
        an intercept there is a 0 in place of the one; with weights v, all of a row is times √v.
    count : N.
    features, target_name : their names.
    first : the first observations, at most `FIRST_ROWS`, shape (rows, p+1): the features, then y.
    last : the last observation as it was read: its numbers and levels' codes, then its y; without
        an `expansion` that is its features, then its y, shape (p+1,).
    sample : a random sample of the observations for pictures, or all, shape (rows, p+1).
    rows : all rows, where they have been kept: the features, a one, y, and its weight if there are
        weights.
    left_out : columns of the file that are no features because they hold text, or nothing.
    weight, weights_name : Σv, where the observations have weights v, and what these are called.
    first_weights, sample_weights : those of the first ones, and of the sample.
    sample_inputs : the numbers that the sample's features are made of, column by column.
    intercept : whether there is a b; where there is none, it stays 0.
    expansion : what makes the features of columns, where they are not columns as they stand.
    """

    augmented: FloatArray
    count: int
    features: tuple[str, ...]
    target_name: str
    first: FloatArray
    last: FloatArray
    sample: FloatArray
    rows: Rows | None = None
    left_out: tuple[str, ...] = ()
    weight: float | None = None
    weights_name: str | None = None
    first_weights: FloatArray | None = None
    sample_weights: FloatArray | None = None
    sample_inputs: FloatArray | None = None
    intercept: bool = True
    expansion: Expansion | None = None

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
    def last_values(self) -> tuple[list[float | str], float]:
        """The last observation: its values in the columns that it was read from, and its y."""
        *values, observed = self.last.tolist()
        return (inputs_of(self.expansion, self.last) if self.expansion else values), observed

    @property
    def mean_square(self) -> float:
        """The mean of y²."""
        return float(self.target @ self.target) / self.total_weight

    def r_squared(self, params: FloatArray) -> float:
        """R² = 1 − Σ(ŷ − y)²/Σ(y − ȳ)², the part of y's variance that the model explains; NaN where
        y does not vary. Without an intercept ȳ is 0, as in R: the model is compared with none."""
        size = float(np.abs(self.target).max()) or 1.0  # squares of large numbers leave float64
        target, ones = self.target / size, self.design[:, -1]
        deviations = target - (ones @ target / self.total_weight) * ones
        residuals = (self.design @ params) / size - target
        total = float(deviations @ deviations)
        varies = total > SAME**2 * float(target @ target)
        return 1 - float(residuals @ residuals) / total if varies else float("nan")


def observations_from(
    x: Any,
    y: Any,
    features: Sequence[str] | None = None,
    target: str | None = None,
    *,
    weights: ArrayLike | None = None,
    intercept: bool = True,
) -> Observations:
    """Observations from arrays or DataFrames, for use in Python.

    Parameters
    ----------
    x : the features, shape (N,) or (N, p). Of a DataFrame, the columns with numbers, under their
        names; `Observations.left_out` names the others.
    y : the target, shape (N,); or the name of a column of the DataFrame `x`. A column of that name,
        or of the name of the Series that y is, is no feature.
    features : names for the columns of x, by default x (one feature) or x1…xp; of a DataFrame, the
        columns to use.
    target : a name; by default that of a Series, or else y.
    weights : how much each observation counts, shape (N,); by default all count alike.
    intercept : whether there is a b to fit; where there is none, it stays 0.

    Raises
    ------
    GdfitError : the shapes don't match, or a value is not a finite number.
    """
    left_out: tuple[str, ...] = ()
    if is_frame(x):
        aimed_at = y if isinstance(y, str) else name_of(y)
        if isinstance(y, str):
            target, y = target or y, values_of(x, y)
        columns, left_out = usable(x, features, without=aimed_at)
        names, inputs = tuple(columns), np.column_stack(list(columns.values()))
    else:
        inputs = array_of(x, "x")
        if inputs.ndim == 1:
            inputs = inputs[:, np.newaxis]
        names = tuple(features) if features is not None else names_for(x, inputs.shape[-1])
    outputs = array_of(y, "y")
    if inputs.ndim != 2 or outputs.shape != inputs.shape[:1]:
        raise GdfitError(
            f"x of shape (N,) or (N, p) goes with y of shape (N,), not {np.shape(x)} with "
            f"{np.shape(y)}"
        )
    if len(names) != inputs.shape[1]:
        raise GdfitError(f"{len(names)} names for {inputs.shape[1]} features")
    if not len(outputs):
        raise NoObservationsError
    ones = np.full(len(outputs), float(intercept))
    rows = np.column_stack([inputs, ones, outputs])
    check_finite(rows, names)
    sample, total, of_rows = np.delete(rows, -2, axis=1), None, None
    kept = Rows(rows.shape[1] + (weights is not None))
    if weights is not None:
        of_rows = checked_weights(weights, len(rows))
        counted = of_rows > 0
        rows, sample, of_rows = rows[counted], sample[counted], of_rows[counted]
        total = float(of_rows.sum())
        kept.add(np.column_stack([rows, of_rows]))
    else:
        kept.add(rows)
    return Observations(
        augmented=rows if of_rows is None else rows * np.sqrt(of_rows)[:, np.newaxis],
        count=len(rows),
        features=names,
        target_name=target or name_of(y) or "y",
        first=sample[:FIRST_ROWS],
        last=sample[-1],
        sample=sample,
        rows=kept,
        left_out=left_out,
        weight=total,
        first_weights=None if of_rows is None else of_rows[:FIRST_ROWS],
        sample_weights=of_rows,
        sample_inputs=sample[:, :-1],
        intercept=intercept,
    )


def checked_weights(weights: ArrayLike, count: int) -> FloatArray:
    """The weights of `count` observations, shape (N,)."""
    result = np.asarray(weights, dtype=np.float64)
    if result.shape != (count,):
        raise GdfitError(f"weights of shape ({count},) go with y, not {np.shape(weights)}")
    if not (np.isfinite(result).all() and (result >= 0).all()):
        raise GdfitError("weights must be finite numbers that are not negative")
    if not result.any():
        raise NoObservationsError(" with a weight above 0")
    return result


def usable(
    frame: Any, features: Sequence[str] | None, without: str | None
) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
    """The columns of a DataFrame to fit with, by name: those that `features` asks for, or all with
    numbers but the target; and the names of the others."""
    if features is not None:
        return {name: column(frame, name) for name in features}, ()
    found = {
        name: numbers_in(values_of(frame, name)) for name in names_of(frame) if name != without
    }
    columns = {name: numbers for name, numbers in found.items() if numbers is not None}
    if not columns:
        raise GdfitError("no column of `x` has numbers")
    return columns, tuple(name for name in found if name not in columns)


def names_for(x: Any, count: int) -> tuple[str, ...]:
    """What `count` features are called that come without names; a Series has one."""
    name = name_of(x)
    return (name,) if name is not None and count == 1 else default_names(count + 1)[:-1]


def check_finite(rows: FloatArray, features: Sequence[str]) -> None:
    """Raise for the first number that is not finite in rows of features, a one and y."""
    faults = np.argwhere(~np.isfinite(rows))
    if len(faults):
        row, place = faults[0].tolist()
        name = quoted(features[place]) if place < len(features) else "y"
        raise GdfitError(
            f"{name} is {rows[row, place]} in row {row}, counted from 0: x and y must "
            "be finite numbers"
        )
