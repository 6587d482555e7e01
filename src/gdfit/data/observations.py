"""The observations as the mathematics sees them: a design matrix and a target, [A y].

A row has one order of columns everywhere: the features, a one, y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.data.layout import default_names
from gdfit.data.rows import Rows
from gdfit.errors import GdfitError, NoObservationsError

FIRST_ROWS = 3  # as many as are written out on a board
SAME = 1e-13  # a deviation below this part of a column's size is rounding


@dataclass(frozen=True)
class Observations:
    """N observations of p features and a target.

    augmented : the augmented matrix [A y], shape (n, p+2): the features, a one, y. Its n rows are
        the observations themselves, or stand for all N of them: see `gdfit.data.condense`.
    count : N.
    features, target_name : the columns' names.
    first : the first observations as they were read, at most `FIRST_ROWS`, shape (rows, p+1): the
        features, then y.
    last : the last observation as it was read, shape (p+1,).
    sample : a random sample of the observations for pictures, or all, shape (rows, p+1).
    rows : all rows, where they have been kept: the features, a one, y.
    left_out : columns of the file that are no features because they hold text, or nothing.
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

    @property
    def design(self) -> FloatArray:
        """The design matrix A, shape (n, p+1): the features, then a column of ones."""
        return self.augmented[:, :-1]

    @property
    def target(self) -> FloatArray:
        """y, shape (n,)."""
        return self.augmented[:, -1]

    @property
    def mean_square(self) -> float:
        """The mean of y²."""
        return float(self.target @ self.target) / self.count

    def r_squared(self, params: FloatArray) -> float:
        """R² = 1 − Σ(ŷ − y)²/Σ(y − ȳ)², the part of y's variance that the model explains; NaN where
        y does not vary."""
        size = float(np.abs(self.target).max()) or 1.0  # squares of large numbers leave float64
        target, ones = self.target / size, self.design[:, -1]
        deviations = target - (ones @ target / self.count) * ones
        residuals = (self.design @ params) / size - target
        total = float(deviations @ deviations)
        varies = total > SAME**2 * float(target @ target)
        return 1 - float(residuals @ residuals) / total if varies else float("nan")


def observations_from(
    x: ArrayLike,
    y: ArrayLike,
    features: Sequence[str] | None = None,
    target: str = "y",
) -> Observations:
    """Observations from arrays, for use in Python.

    Parameters
    ----------
    x : the features, shape (N,) or (N, p).
    y : the target, shape (N,).
    features, target : names; by default x, y (one feature) or x1…xp, y.

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
    rows = np.column_stack([inputs, np.ones(len(outputs)), outputs])
    if not np.isfinite(rows).all():
        raise GdfitError("x and y must be finite numbers")
    kept = Rows(inputs.shape[1] + 2)
    kept.add(rows)
    sample = np.delete(rows, -2, axis=1)
    return Observations(
        augmented=rows,
        count=len(rows),
        features=names,
        target_name=target,
        first=sample[:FIRST_ROWS],
        last=sample[-1],
        sample=sample,
        rows=kept,
    )
