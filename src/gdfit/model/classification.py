"""How well probabilities tell two classes apart."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Confusion:
    """How much weighs what was predicted right and wrong: each row 1, or its weight.

    matrix : [[true negatives, false positives], [false negatives, true positives]].
    """

    matrix: FloatArray = field(default_factory=lambda: np.zeros((2, 2)))

    @property
    def total(self) -> float:
        """All rows."""
        return float(self.matrix.sum())

    @property
    def accuracy(self) -> float:
        """The part that is predicted right."""
        return float(np.trace(self.matrix)) / self.total

    @property
    def shares(self) -> list[float]:
        """The parts with y = 0 and with y = 1: the larger is right where the commoner class is
        always predicted."""
        return [float(share) for share in self.matrix.sum(axis=1) / self.total]

    @property
    def entropy(self) -> float:
        """The log loss of the share of positives as the probability of every row."""
        return -math.fsum(share * math.log(share) for share in self.shares if share)

    def merged(self, other: Confusion) -> Confusion:
        """That of both."""
        return Confusion(self.matrix + other.matrix)


def confusion_of(
    is_positive: NDArray[np.bool_], y: FloatArray, weights: FloatArray | None = None
) -> Confusion:
    """The confusion of rows that are predicted to be 1 where `is_positive` is true."""
    places = 2 * (y > 0.5) + is_positive
    return Confusion(np.bincount(places, weights, 4).reshape(2, 2).astype(float))


MOST_RANKED = 1 << 21  # probabilities that are told apart for the area under the curve


@dataclass(frozen=True, eq=False)
class Ranking:
    """Rows by their probabilities.

    counts : in each column a probability, and how many rows with y = 0 and with y = 1 have it, from
        the least to the largest, shape (3, k); of very many, neighbours count as one.
    """

    counts: FloatArray = field(default_factory=lambda: np.empty((3, 0)))

    def merged(self, other: Ranking) -> Ranking:
        """That of both."""
        return Ranking(ranked(np.concatenate([self.counts, other.counts], axis=1)))

    @property
    def roc(self) -> FloatArray:
        """Receiver operating characteristic: the parts of the rows with y = 0 and of those with
        y = 1 that are at or above each probability, shape (2, k+1), from (0, 0) to (1, 1)."""
        above = np.cumsum(self.counts[1:, ::-1], axis=1)
        return np.concatenate([np.zeros((2, 1)), above], axis=1) / above[:, -1:]

    @property
    def auc(self) -> float:
        """Area under it: how probable it is that a row with y = 1 has a higher probability than one
        with y = 0, ties counting half (Hanley and McNeil, 1982); NaN where one class is missing."""
        negatives, positives = self.counts[1], self.counts[2]
        pairs = float(negatives.sum() * positives.sum())
        below = np.cumsum(negatives) - negatives / 2
        return float(positives @ below) / pairs if pairs else math.nan


def ranked(counts: FloatArray) -> FloatArray:
    """Columns of a `Ranking` in their order, each probability once."""
    values, place = np.unique(counts[0], return_inverse=True)
    if len(values) > MOST_RANKED:
        place, values = place // 2, values[1::2] if len(values) % 2 == 0 else values[::2]
    by_class = [np.bincount(place, of_one, len(values)) for of_one in counts[1:]]
    return np.array([values, *by_class])


def ranking_of(probabilities: FloatArray, y: FloatArray) -> Ranking:
    """The ranking of rows."""
    return Ranking(ranked(np.array([probabilities, 1 - y, y])))
