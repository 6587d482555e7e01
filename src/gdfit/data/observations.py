"""The observations as the mathematics sees them: a design matrix and a target, [A y].

A row has one order of columns everywhere: the features, a one, y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.data.expansion import Expansion
from gdfit.data.layout import default_names
from gdfit.data.rows import Rows
from gdfit.errors import GdfitError, NoObservationsError

SAME = 1e-13  # a deviation below this part of a column's size is rounding


@dataclass(frozen=True)
class Observations:
    """N observations of p features and a target.

    augmented : the augmented matrix [A y], shape (n, p+2): the features, a one, y. Its n rows are
        the observations themselves, or stand for all N of them: see `gdfit.data.condense`. Without
        an intercept there is a 0 in place of the one; with weights v, all of a row is times √v.
    count : N.
    features, target_name : their names.
    last : the last observation as it was read: its numbers and levels' codes, then its y; without
        an `expansion` that is its features, then its y, shape (p+1,).
    sample : a random sample of the observations for pictures, or all, shape (rows, p+1).
    rows : all rows, where they have been kept: the features, a one, y, and its weight if there are
        weights.
    left_out : columns of the file that are no features because they hold text, or nothing.
    weight : Σv, where the observations have weights v.
    sample_weights : those of the sample.
    sample_inputs : the numbers that the sample's features are made of, column by column.
    intercept : whether there is a b; where there is none, it stays 0.
    expansion : what makes the features of columns, where they are not columns as they stand.
    """

    augmented: FloatArray
    count: int
    features: tuple[str, ...]
    target_name: str
    last: FloatArray
    sample: FloatArray
    rows: Rows | None = None
    left_out: tuple[str, ...] = ()
    weight: float | None = None
    sample_weights: FloatArray | None = None
    sample_inputs: FloatArray | None = None
    intercept: bool = True
    expansion: Expansion | None = None

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
        return (self.expansion.inputs_of(self.last) if self.expansion else values), observed

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
    x: ArrayLike,
    y: ArrayLike,
    features: Sequence[str] | None = None,
    target: str = "y",
    *,
    weights: ArrayLike | None = None,
    intercept: bool = True,
) -> Observations:
    """Observations from arrays, for use in Python.

    Parameters
    ----------
    x : the features, shape (N,) or (N, p).
    y : the target, shape (N,).
    features, target : names; by default x, y (one feature) or x1…xp, y.
    weights : how much each observation counts, shape (N,); by default all count alike.
    intercept : whether there is a b to fit; where there is none, it stays 0.

    Raises
    ------
    GdfitError : the shapes don't match, or a value is not finite.
    """
    inputs = np.asarray(x, dtype=np.float64)
    outputs = np.asarray(y, dtype=np.float64)
    if inputs.ndim == 1:
        inputs = inputs[:, np.newaxis]
    if inputs.ndim != 2 or outputs.shape != inputs.shape[:1]:
        raise GdfitError(
            f"x of shape (N,) or (N, p) goes with y of shape (N,), not {np.shape(x)} with "
            f"{np.shape(y)}"
        )
    names = tuple(features) if features is not None else default_names(inputs.shape[1] + 1)[:-1]
    if len(names) != inputs.shape[1]:
        raise GdfitError(f"{len(names)} names for {inputs.shape[1]} features")
    if not len(outputs):
        raise NoObservationsError
    ones = np.full(len(outputs), float(intercept))
    rows = np.column_stack([inputs, ones, outputs])
    if not np.isfinite(rows).all():
        raise GdfitError("x and y must be finite numbers")
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
        target_name=target,
        last=sample[-1],
        sample=sample,
        rows=kept,
        weight=total,
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
