"""Random choices among rows: the sample for pictures, and which rows are dealt to which pile.

Each choice draws from streams of its own, one a unit, which depend on the seed, the unit and the
row's number in it alone: so the same rows are chosen however the data are read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray

SAMPLE_ROWS = 2000
SAMPLING, SPLITTING = 1, 2  # streams of random numbers, apart from those of other choices

Piles = NDArray[np.int64]
UNDECIDED = -1


class Dealing(Protocol):
    """A rule that deals rows to piles, numbered from 0, before it is known how many rows there are.

    Of a unit's rows all but a few are dealt at once; the few are settled when all units are known.
    """

    piles: int

    def dealt(self, draws: FloatArray) -> Piles:
        """The pile of each row of a unit, or `UNDECIDED`, by what it has drawn from [0, 1)."""

    def settled(self, counts: Sequence[int]) -> list[list[int]]:
        """The piles of each unit's undecided rows, where the units have so many rows each."""


TRAIN, VALIDATION = 0, 1


@dataclass(frozen=True)
class HoldOut:
    """Holds out max(1, round(fraction · N)) of N rows for validation: of n rows of a unit,
    ⌊fraction · n⌋ or one more. Any row is as likely as any other.

    fraction, seed : what was asked for.
    """

    fraction: float
    seed: int
    piles = 2

    def dealt(self, draws: FloatArray) -> Piles:
        """Holds out the smallest draws; the one after them is undecided."""
        order = np.argsort(draws, kind="stable")
        piles = np.full(len(draws), TRAIN)
        sure = math.floor(Fraction(self.fraction) * len(draws))
        piles[order[:sure]] = VALIDATION
        piles[order[sure]] = UNDECIDED
        return piles

    def settled(self, counts: Sequence[int]) -> list[list[int]]:
        """Systematic sampling (Madow and Madow, 1944): unit i holds out as many rows as there are
        whole numbers between fraction · Cᵢ₋₁ + u and fraction · Cᵢ + u, where Cᵢ rows are in the
        units up to i, and u is drawn from [0, 1) so that the sum is what it is to be."""
        exact = Fraction(self.fraction)
        in_all = exact * sum(counts)
        wanted = max(1, round(self.fraction * sum(counts)))
        drawn = Fraction(np.random.default_rng([self.seed, SPLITTING]).random())
        gap = math.floor(in_all) + 1 - in_all  # from which u on the sum is one more
        u = drawn * gap if wanted == math.floor(in_all) else gap + drawn * (1 - gap)
        piles, rows, before = [], 0, math.floor(u)
        for count in counts:
            rows += count
            so_far = math.floor(exact * rows + u)
            more = so_far - before > math.floor(exact * count)
            piles.append([VALIDATION if more else TRAIN])
            before = so_far
        return piles


def split_draws(seed: int, unit: tuple[int, int], rows: NDArray[np.int64]) -> FloatArray:
    """What rows of these numbers in a unit draw from [0, 1), so that they are dealt out."""
    random = np.random.default_rng([seed, SPLITTING, *unit])
    return random.random(int(rows.max()) + 1)[rows]


class Sample(NamedTuple):
    """Rows that are drawn at random: what each has drawn from [0, 1), and they, shape (rows,
    columns)."""

    draws: FloatArray
    rows: FloatArray

    def smallest(self) -> Sample:
        """The rows that stay: at most `SAMPLE_ROWS`, those with the smallest draws, in their
        order."""
        if len(self.draws) <= SAMPLE_ROWS:
            return self
        stay = np.sort(np.argpartition(self.draws, SAMPLE_ROWS)[:SAMPLE_ROWS])
        return Sample(self.draws[stay], self.rows[stay])


class Reservoir:
    """Reservoir sample: at most `SAMPLE_ROWS` rows of a stream, in their order.

    Each row draws a number from [0, 1), and the rows with the smallest stay. Once there are enough,
    only those are drawn for that come below the largest that has stayed: how many of a block they
    are, and which. What they have drawn, and who stays, is found out for many of them at once.
    """

    def __init__(self, *seed: int) -> None:
        self._seed = seed
        self._rows: list[FloatArray] = []
        self._draws = np.empty(0)
        self._largest = 1.0

    @cached_property
    def _random(self) -> np.random.Generator:
        return np.random.default_rng([self._seed[0], SAMPLING, *self._seed[1:]])

    def add(self, block: FloatArray) -> None:
        """Draw for the rows of `block`."""
        if self._largest < 1:
            count = self._random.binomial(len(block), self._largest)
            chosen = self._random.choice(len(block), count, replace=False, shuffle=False)
            block = block[np.sort(chosen)]
        self._rows.append(block)
        if sum(map(len, self._rows)) > (SAMPLE_ROWS if self._largest == 1 else 2 * SAMPLE_ROWS):
            self.sample()
        elif self._largest == 1:
            self._rows[-1] = block.copy()  # what it was given is written over

    def sample(self) -> Sample:
        """The sample so far."""
        rows = self._rows[0] if len(self._rows) == 1 else np.concatenate(self._rows)
        draws = self._largest * self._random.random(len(rows) - len(self._draws))
        sample = Sample(np.concatenate([self._draws, draws]), rows).smallest()
        self._draws, self._rows = sample.draws, [sample.rows]
        if len(sample.rows) == SAMPLE_ROWS:
            self._largest = float(sample.draws.max())
        return sample
