"""Scaling: to descend on other columns than the data's own, and to tell the params in its units.

Standardized, a column is (x − mean)/std. Whitened, it is what of this it adds to the columns before
it, orthogonal to them and as long: the loss is then a round bowl, whatever the columns were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.condense import triangular
from gdfit.data.observations import Observations
from gdfit.descent.elimination import Elimination
from gdfit.descent.settings import Scale

VARIES = 1e-12  # a deviation below this part of a column's size is rounding


@dataclass(frozen=True)
class Scaling:
    """How features are scaled: z = ((x − means)/deviations) R⁻¹ for the features that are `used`.

    The others are 0 in z, so that their weights stay 0: a feature that does not vary, and when
    whitening one that depends on those before it.

    means, deviations : of each feature, shape (p,).
    used : the places of the features that are descended on.
    mixing : R, upper triangular, shape (k, k) for k used features; none where they stay apart.
    """

    means: FloatArray
    deviations: FloatArray
    used: Sequence[int]
    mixing: FloatArray | None = None

    @property
    def constant(self) -> set[int]:
        """The places of the features that do not vary."""
        return set(np.flatnonzero(self.deviations == 0).tolist())

    def apply(self, rows: FloatArray) -> FloatArray:
        """Rows of features, a one and y, with z in place of the features."""
        x, ones = rows[:, :-2], rows[:, -2]
        centred = (x - np.outer(ones, self.means))[:, self.used] / self.deviations[self.used]
        result = np.zeros(rows.shape)
        result[:, self.used] = (
            centred if self.mixing is None else solved(self.mixing.T, centred.T).T
        )
        result[:, -2:] = rows[:, -2:]
        return result

    def to_data(self, params: FloatArray) -> FloatArray:
        """Params for z as params for the features themselves."""
        w, v = np.zeros(len(self.means)), params[:-1][self.used]
        if self.mixing is not None:
            v = solved(self.mixing, v)
        w[self.used] = v / self.deviations[self.used]
        return np.append(w, params[-1] - w @ self.means)

    def from_data(self, params: FloatArray) -> FloatArray:
        """Params for the features as params for z."""
        w, v = params[:-1], np.zeros(len(self.means))
        u = (w * self.deviations)[self.used]
        v[self.used] = u if self.mixing is None else self.mixing @ u
        return np.append(v, params[-1] + w @ self.means)


def solved(triangle: FloatArray, right: FloatArray) -> FloatArray:
    """The solution of a triangular system."""
    return cast(FloatArray, np.linalg.solve(triangle, right))


def scaling_of(observations: Observations, scale: Scale) -> Scaling | None:
    """How to scale the features of `observations`.

    Means and (population) standard deviations follow from the design matrix, condensed or not: its
    last column u stands for ones, and products of columns are the same as those of all N rows.
    """
    if scale == "none":
        return None
    x, ones = observations.design[:, :-1], observations.design[:, -1]
    largest = np.abs(x).max(axis=0)  # squares of large or small numbers leave float64
    largest[largest == 0] = 1.0
    means = ones @ (x / largest) / observations.count
    deviations = np.linalg.norm(x / largest - np.outer(ones, means), axis=0)
    varies = deviations > VARIES * np.linalg.norm(x / largest, axis=0)
    scaling = Scaling(
        means * largest,
        np.where(varies, deviations * largest / np.sqrt(observations.count), 0.0),
        used=np.flatnonzero(varies).tolist(),
    )
    return whitening(observations, scaling) if scale == "whiten" else scaling


def whitening(observations: Observations, standardizing: Scaling) -> Scaling:
    """Whitening on top of standardizing: R of the standardized columns = QR, in their order and
    direction (as Gram and Schmidt do it), times 1/√N, so that z = √N Q. Without those that depend
    on others.

    The ones come first, and take the means away: R is that of the centred columns.
    """
    x, ones = observations.design[:, :-1], observations.design[:, -1:]
    columns = x[:, standardizing.used] / standardizing.deviations[standardizing.used]
    elimination = Elimination(np.hstack([ones, columns]))
    elimination.take(range(len(standardizing.used) + 1))
    used = [standardizing.used[place - 1] for place in elimination.kept[1:]]
    triangle = elimination.triangle[1:, 1:]
    directions = np.sign(np.diag(triangle))[:, np.newaxis]
    mixing = directions * triangle / np.sqrt(observations.count)
    return replace(standardizing, used=used, mixing=mixing)


def scaled(observations: Observations, scaling: Scaling | None) -> Observations:
    """The observations, condensed or not, with scaled features: what is descended on. What they
    are shown by, `last` and `sample`, stays as it is."""
    if scaling is None:
        return observations
    rows = observations.rows
    augmented = scaling.apply(observations.augmented)
    if scaling.mixing is not None:
        augmented = orthogonal(augmented, scaling)
    return replace(
        observations,
        augmented=augmented,
        rows=rows.changed(scaling.apply) if rows else None,
    )


def orthogonal(rows: FloatArray, scaling: Scaling) -> FloatArray:
    """Whitened rows [z 1 y] condensed once more, with what is known of them put in exactly: their
    columns have the length √N and are orthogonal. So no digit is lost that R had."""
    used, size = list(scaling.used), len(scaling.used)
    triangle = triangular(np.column_stack([rows[:, used], rows[:, -2:]]))
    exact = np.zeros((len(triangle), rows.shape[1]))
    exact[range(size), used] = np.diag(triangle)[:size]
    exact[:, -1] = triangle[:, -1]
    exact[size:, -2] = triangle[size:, -2]
    return exact
