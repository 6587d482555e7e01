"""Columns one by one, in their order, without those that depend on the ones before them.

R of A = QR has a column for each of A's: what it takes of the columns before it and, on the
diagonal, the length of what it adds to them. Where this is rounding, the column is left out, as
dqrdc2 does in R, and Householder reflections make the others triangular again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.qr import triangular

DEPENDENT = 1e-13  # what is left of a column, as a part of its size, that is rounding


class Elimination:
    """Columns of `rows`, an n × m matrix, taken in one after the other.

    kept : the places of those taken that don't depend on others taken before.
    """

    def __init__(self, rows: FloatArray) -> None:
        self._R = triangular(rows)
        self._lengths = np.linalg.norm(self._R, axis=0)
        self._inverse = np.zeros((len(self._R), len(self._R)))
        self.kept: list[int] = []

    @property
    def triangle(self) -> FloatArray:
        """R of the columns kept, upper triangular, shape (k, k)."""
        return np.triu(self._R[: len(self.kept), self.kept])

    @property
    def inverse(self) -> FloatArray:
        """R⁻¹."""
        rank = len(self.kept)
        return self._inverse[:rank, :rank]

    def projected(self, place: int) -> FloatArray:
        """Qᵀ times a column, shape (k,)."""
        return self._R[: len(self.kept), place]

    def weights(self, place: int) -> FloatArray:
        """How the columns kept are put together to come nearest to this one, shape (k,)."""
        return self.inverse @ self.projected(place)

    def left(self, place: int) -> float:
        """The length of what is left of a column without what it takes of those kept; 0 where that
        is rounding.

        A column's rounding errors are as large as those of all that it is put together from, in the
        right proportions. So no unit of measurement and no large mean changes what depends on what.
        """
        left = float(np.linalg.norm(self._R[len(self.kept) :, place]))
        parts = np.abs(self.weights(place)) @ self._lengths[self.kept]
        return left if left > DEPENDENT * (self._lengths[place] + parts) else 0.0

    def take(self, places: Iterable[int]) -> None:
        """Take in the columns at `places`, which rise: each of them, or leave it out."""
        for place in places:
            if self.left(place):
                self._keep(place)

    def _keep(self, place: int) -> None:
        """Take in a column: reflect what is left of it into one number."""
        rank, R = len(self.kept), self._R
        weights = self.weights(place)
        if rank < place:  # a column before has been left out, and it reaches below the diagonal
            mirror = R[rank : place + 1, place].copy()
            mirror[0] += math.copysign(float(np.linalg.norm(mirror)), mirror[0])
            rest = R[rank : place + 1, place:]
            rest -= np.outer(mirror, (2 / (mirror @ mirror)) * (mirror @ rest))
        self._inverse[:rank, rank] = -weights / R[rank, place]
        self._inverse[rank, rank] = 1 / R[rank, place]
        self.kept.append(place)
