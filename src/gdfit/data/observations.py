"""The observations as the mathematics sees them: a design matrix and a target, [A y].

A row has one order of columns everywhere: the features, a one, y."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.rows import Rows
from gdfit.data.terms.expansion import Expansion
from gdfit.data.terms.row_maker import inputs_of
from gdfit.errors import UsageError, listing, printable

FIRST_ROWS = 3  # as many as are written out on a board
SAME = 1e-13  # a deviation below this part of a column's size is rounding


@dataclass(frozen=True, repr=False)
class Observations:
    """N observations of p features and a target.

    augmented : the augmented matrix [A y], shape (n, p+2): the features, a one, y. Its n rows are
        the observations themselves, or stand for all N of them: see
        `gdfit.data.reduction.condense`. Without an intercept there is a 0 in place of the one; with
        weights v, all of a row is times √v.
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
        y does not vary, −∞ where the errors leave float64. Without an intercept ȳ is 0, as in R:
        the model is compared with none."""
        size = float(np.abs(self.target).max()) or 1.0  # squares of large numbers leave float64
        target, ones = self.target / size, self.design[:, -1]
        deviations = target - (ones @ target / self.total_weight) * ones
        residuals = (self.design @ params) / size - target
        total = float(deviations @ deviations)
        if not total > SAME**2 * float(target @ target):
            return math.nan
        squares = float(residuals @ residuals)
        return 1 - squares / total if math.isfinite(squares) else -math.inf


def check_observations(value: object, called: str) -> None:
    """Raise where the argument that is `called` so is none."""
    if not isinstance(value, Observations):
        raise UsageError(
            f"`{called}` takes what observations_from or read_observations makes, not "
            f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"
        )


def check_alike(observations: Observations, validation: Observations) -> None:
    """Raise where the features of a validation set are others."""
    if validation.features != observations.features:
        raise UsageError(
            f"`validation` has other features ({listing(validation.features)}) than the "
            f"observations ({listing(observations.features)}); observations_from takes `like`"
        )
