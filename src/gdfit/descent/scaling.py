"""Scaling: to descend on other columns than the data's own, and to tell the params in its units.

Standardized, a column is (x − mean)/std. Whitened, it is what of this it adds to the columns before
it, orthogonal to them and as long: the loss is then a round bowl, whatever the columns were.

Which columns depend on those before them, an `Elimination` finds. R of A = QR has a column for each
of A's: what it takes of the columns before it and, on the diagonal, the length of what it adds to
them. Where this is rounding, the column is left out, as dqrdc2 does in R, and Householder
reflections make the others triangular again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from gdfit.arrays import FloatArray, triangular
from gdfit.data.observations import SAME, Observations
from gdfit.descent.settings import Scale


@dataclass(frozen=True, eq=False)
class Scaling:
    """Scale of the features: z = ((x − means)/deviations) R⁻¹ for the features that are `used`.

    The others are 0 in z, so that their weights stay 0: a feature that does not vary, and when
    whitening one that depends on those before it.

    means, deviations : of each feature, shape (p,).
    used : the places of the features that are descended on.
    mixing : R, upper triangular, shape (k, k) for k used features; none where they stay apart.
    rest : what the means are besides, where they lie between two float64, shape (p,).
    dependent : of each feature that depends on others, the weights that make it of the used ones
        and of ones, shape (p+1,).
    """

    means: FloatArray
    deviations: FloatArray
    used: Sequence[int]
    mixing: FloatArray | None = None
    rest: FloatArray | float = 0.0
    dependent: Mapping[int, FloatArray] = field(default_factory=dict)

    @property
    def constant(self) -> set[int]:
        """The places of the features that do not vary."""
        return set(np.flatnonzero(self.deviations == 0).tolist())

    def apply(self, rows: FloatArray) -> FloatArray:
        """Rows of features, a one, y and perhaps a weight, with z in place of the features."""
        size = len(self.means)
        x, ones = rows[:, :size], rows[:, size]
        centred = x - np.outer(ones, self.means) - np.outer(ones, self.rest)
        centred = centred[:, self.used] / self.deviations[self.used]
        if self.mixing is not None:
            centred = solved(self.mixing.T, centred.T).T
        result = np.zeros(rows.shape)
        result[:, self.used] = centred
        result[:, size:] = rows[:, size:]
        return result

    def about(self, origin: FloatArray) -> Scaling:
        """The same for features that have had an `origin` taken away, shape (p,)."""
        return replace(self, means=self.means - origin + self.rest, rest=0.0)

    def to_data(self, params: FloatArray) -> FloatArray:
        """Params for z, shape (…, p+1), as params for the features themselves."""
        w, v = np.zeros((*params.shape[:-1], len(self.means))), params[..., self.used]
        if self.mixing is not None:
            v = solved(self.mixing, v.T).T
        w[..., self.used] = v / self.deviations[self.used]
        b = params[..., -1] - w @ self.means - (w * self.rest).sum(axis=-1)
        return np.concatenate([w, b[..., np.newaxis]], axis=-1)

    def gradient_to_data(self, grad: FloatArray) -> FloatArray:
        """The gradient over params for z as that over params for the features themselves: the chain
        rule backward through `from_data`."""
        w, v = self.means * grad[-1], grad[:-1][self.used]
        if self.mixing is not None:
            v = self.mixing.T @ v
        w[self.used] += self.deviations[self.used] * v
        own = np.append(w, grad[-1])
        for place, weights in self.dependent.items():
            own[place] = weights @ own
        return own

    def from_data(self, params: FloatArray) -> FloatArray:
        """Params for the features as params for z."""
        w, v = params[:-1], np.zeros(len(self.means))
        u = (w * self.deviations)[self.used]
        v[self.used] = u if self.mixing is None else self.mixing @ u
        return np.append(v, params[-1] + w @ self.means + (w * self.rest).sum())


def scaling_facts(scaling: Scaling | None) -> dict[str, object]:
    """What a model's file says of a scaling."""
    parts = {"means": "means", "deviations": "deviations", "basis": "mixing"}
    values = {key: getattr(scaling, name, None) for key, name in parts.items()}
    return {key: None if value is None else value.tolist() for key, value in values.items()}


def solved(triangle: FloatArray, right: FloatArray) -> FloatArray:
    """The solution of a triangular system."""
    return cast(FloatArray, np.linalg.solve(triangle, right))


def scaling_of(observations: Observations, scale: Scale) -> Scaling | None:
    """The scaling of the features of `observations` that has this name; None where they stay."""
    scalings = {"standardize": standardizing, "whiten": whitening}
    return scalings[scale](observations) if scale != "none" else None


def standardizing(observations: Observations) -> Scaling:
    """To (x − mean)/std.

    Means and (population) standard deviations follow from the design matrix, condensed or not: its
    last column u stands for ones, and products of columns are the same as those of all N rows.
    """
    around = observations.around
    x, ones = around.rows[:, :-2], around.rows[:, -2]
    largest = np.abs(x).max(axis=0)  # squares of large or small numbers leave float64
    largest[largest == 0] = 1.0
    means = ones @ (x / largest) / observations.total_weight
    deviations = np.linalg.norm(x / largest - np.outer(ones, means), axis=0)
    varies = deviations > SAME * np.linalg.norm(x / largest, axis=0)
    deviations = np.where(varies, deviations * largest / np.sqrt(observations.total_weight), 0.0)
    means *= largest
    whole = around.origin + means
    rest = means - (whole - around.origin)
    return Scaling(whole, deviations, np.flatnonzero(varies).tolist(), rest=rest)


def whitening(observations: Observations) -> Scaling:
    """Whitening on top of standardizing: with R of the centred columns, in their order (as Gram and
    Schmidt do it) and without those that depend on others, z = √N Q."""
    standardized, around = standardizing(observations), observations.around
    root, first = np.sqrt(observations.total_weight), int(observations.intercept)
    deviations, varying = standardized.deviations, standardized.used
    columns = around.rows[:, varying] / deviations[varying]
    far = np.append(np.zeros(first), np.abs(around.origin[varying]) / deviations[varying] * root)
    elimination = Elimination(np.hstack([around.rows[:, -2:-1][:, :first], columns]), far)
    elimination.take(range(first + columns.shape[1]))
    places = [-1] * first + list(varying)  # where each column stands, ones last
    kept = [places[place] for place in elimination.kept]
    used = [place for place in kept if place >= 0]
    sizes, dependent = np.append(deviations, 1.0), {}
    for place in {*range(len(places))} - {*elimination.kept}:
        weights = np.zeros(len(sizes))
        weights[kept] = elimination.weights(place) * sizes[places[place]] / sizes[kept]
        weights[-1] += around.origin[places[place]] - weights[:-1] @ around.origin
        dependent[places[place]] = weights
    triangle = decomposed(observations, used)
    top, below = triangle[:first, first:], triangle[first : first + len(used), first:]
    means, rest = standardized.means.copy(), np.zeros(len(deviations))
    if observations.intercept:
        own, origin = top[0, :-1] / triangle[0, 0], around.origin[used]
        means[used] = origin + own
        rest[used] = own - (means[used] - origin)
    mixing = below[:, :-1] / deviations[used] / root
    found = {"means": means, "used": used, "mixing": mixing, "rest": rest, "dependent": dependent}
    return replace(standardized, **found)


def decomposed(observations: Observations, used: list[int]) -> FloatArray:
    """R of [1 X y], X the columns that are used; without the one where there is no intercept.

    What of the columns is orthogonal to ones is centred: so R has the means in its first row, and
    below it R of the centred columns. To subtract the means first would cost digits, some three in
    a polynomial of degree 10.
    """
    rows = observations.around.rows
    ones = [rows[:, -2]] if observations.intercept else []
    triangle = triangular(np.column_stack([*ones, rows[:, used], rows[:, -1]]))
    return np.sign(np.diag(triangle))[:, np.newaxis] * triangle


def scaled(observations: Observations, scaling: Scaling | None) -> Observations:
    """The observations, condensed or not, with scaled features: what is descended on. What they
    are shown by, `first`, `last` and `sample`, stays as it is."""
    if scaling is None:
        return observations
    if scaling.mixing is None:
        around = observations.around
        augmented = scaling.about(around.origin).apply(around.rows)
    else:
        augmented = whitened(observations, scaling)
    rows = observations.rows.changed(scaling.apply) if observations.rows else None
    return replace(observations, augmented=augmented, near=None, rows=rows)


def whitened(observations: Observations, scaling: Scaling) -> FloatArray:
    """The whitened rows [√N Q, 1, y], condensed, from the R that Q belongs to: Q is the identity
    there, and Qᵀy stands in R as it is. To divide the columns by R would cost as many digits as
    they depend on each other."""
    triangle = decomposed(observations, list(scaling.used))
    first, root = int(observations.intercept), np.sqrt(observations.total_weight)
    rows = np.zeros((len(triangle), observations.augmented.shape[1]))
    rows[range(first, first + len(scaling.used)), list(scaling.used)] = root
    rows[:, -1] = triangle[:, -1]
    if first:
        rows[0, -2] = triangle[0, 0]
    return rows


DEPENDENT = 1e-13  # what is left of a column, as a part of its size, that is rounding
ROUNDED = 4 * np.finfo(np.float64).eps  # and as a part of the numbers that it was computed from


class Elimination:
    """Columns of `rows`, an n × m matrix, taken in one after the other.

    far : how long what has been taken away from each of them is, shape (m,): what others are
        computed from them has been rounded with it.
    kept : the places of those taken that don't depend on others taken before.
    """

    def __init__(self, rows: FloatArray, far: FloatArray) -> None:
        self._R, self._far = triangular(rows), far
        self._lengths = np.linalg.norm(self._R, axis=0)
        self._inverse = np.zeros((len(self._R), len(self._R)))
        self.kept: list[int] = []

    @property
    def inverse(self) -> FloatArray:
        """R⁻¹."""
        rank = len(self.kept)
        return self._inverse[:rank, :rank]

    def projected(self, place: int) -> FloatArray:
        """Qᵀ times a column, shape (k,)."""
        return self._R[: len(self.kept), place]

    def weights(self, place: int) -> FloatArray:
        """Weights with which the columns kept come nearest to this one, shape (k,)."""
        return self.inverse @ self.projected(place)

    def left(self, place: int) -> float:
        """The length of what is left of a column without what it takes of those kept; 0 where that
        is rounding.

        A column's rounding errors are as large as those of all that it is put together from, in the
        right proportions. So no unit of measurement and no large mean changes what depends on what.
        """
        return self._left(place, self.weights(place))

    def _left(self, place: int, weights: FloatArray) -> float:
        left = float(np.linalg.norm(self._R[len(self.kept) :, place]))
        parts, far = (np.abs(weights) @ of[self.kept] for of in (self._lengths, self._far))
        rounding = DEPENDENT * (self._lengths[place] + parts) + ROUNDED * far
        return left if left > rounding else 0.0

    def take(self, places: Iterable[int]) -> None:
        """Take in the columns at `places`, which rise: each of them, or leave it out."""
        R = self._R
        for place in places:
            rank, weights = len(self.kept), self.weights(place)
            if not self._left(place, weights):
                continue
            if rank < place:  # a column before has been left out: this reaches below the diagonal,
                mirror = R[rank : place + 1, place].copy()  # and is reflected into one number
                mirror[0] += math.copysign(float(np.linalg.norm(mirror)), mirror[0])
                rest = R[rank : place + 1, place:]
                rest -= np.outer(mirror, (2 / (mirror @ mirror)) * (mirror @ rest))
            self._inverse[:rank, rank] = -weights / R[rank, place]
            self._inverse[rank, rank] = 1 / R[rank, place]
            self.kept.append(place)
