"""Standardizing: to descend on (x − mean)/std, and to tell the params in the data's own units."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.errors import GdfitError, quoted

VARIES = 1e-12  # a deviation below this part of a column's size is rounding


@dataclass(frozen=True)
class Scaling:
    """How features were standardized: the mean and the deviation of each, shape (p,)."""

    means: FloatArray
    deviations: FloatArray

    def apply(self, rows: FloatArray) -> FloatArray:
        """Rows of features, a one and y, with (x − mean)/std for each feature x."""
        x, ones = rows[:, :-2], rows[:, -2]
        return np.column_stack([(x - np.outer(ones, self.means)) / self.deviations, rows[:, -2:]])

    def to_data(self, params: FloatArray) -> FloatArray:
        """Params for standardized features as params for the features themselves."""
        w = params[:-1] / self.deviations
        return np.append(w, params[-1] - w @ self.means)

    def from_data(self, params: FloatArray) -> FloatArray:
        """Params for the features as params for standardized features."""
        w = params[:-1]
        return np.append(w * self.deviations, params[-1] + w @ self.means)


def scaling_of(observations: Observations) -> Scaling:
    """The features' means and (population) standard deviations.

    They follow from the design matrix, condensed or not: its last column u stands for ones, and
    products of columns are the same as those of all N rows.

    Raises
    ------
    GdfitError : a feature does not vary.
    """
    x, ones = observations.design[:, :-1], observations.design[:, -1]
    largest = np.abs(x).max(axis=0)  # squares of large or small numbers leave float64
    largest[largest == 0] = 1.0
    means = ones @ (x / largest) / observations.count
    deviations = np.linalg.norm(x / largest - np.outer(ones, means), axis=0)
    sizes = np.linalg.norm(x / largest, axis=0)
    for name, deviation, size in zip(observations.features, deviations, sizes, strict=True):
        if deviation <= VARIES * size:
            raise GdfitError(
                f"column {quoted(name)} does not vary, and can't be standardized; "
                "leave it out with `features`"
            )
    return Scaling(means * largest, deviations * largest / np.sqrt(observations.count))


def standardized(observations: Observations, scaling: Scaling) -> Observations:
    """The observations, condensed or not, with (x − mean)/std for each feature x: what is descended
    on. What they are shown by, `last` and `sample`, stays as it is."""
    rows = observations.rows
    return replace(
        observations,
        augmented=scaling.apply(observations.augmented),
        rows=rows.changed(scaling.apply) if rows else None,
    )
