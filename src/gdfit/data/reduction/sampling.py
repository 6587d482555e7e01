"""Random choices among rows: the sample for pictures, and which rows are dealt to which pile.

Each choice draws from streams of its own, one a unit, which depend on the seed, the unit and the
row's number in it alone: so the same rows are chosen however the data are read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.batch import SAMPLE_ROWS, Codes

SAMPLING, SPLITTING, SETTLING = 1, 2, 4  # streams of random numbers, apart from other choices'

Piles = NDArray[np.int64]
Whole = Literal["none", "together", "apart"]


class Dealing(Protocol):
    """A rule that deals rows to piles, numbered from 0, before it is known how many rows there are.

    Of a unit's rows all but a few, the undecided, are dealt at once; these are settled when all
    units are known.
    """

    @property
    def piles(self) -> int:
        """How many they are."""

    @property
    def whole(self) -> Whole:
        """What is wanted of all rows: nothing, what the piles come to together, or the same as
        where rows are not dealt."""

    def dealt(self, unit: tuple[int, int], numbers: Piles) -> list[Piles]:
        """The places, in a unit, of the rows of each pile; and behind them, in the order of what
        they have drawn, of those that are undecided.

        unit : the rank of its file, and its number there.
        numbers : those of its rows in it.
        """

    def settled(self, counts: Sequence[int]) -> list[list[int]]:
        """The piles of each unit's undecided rows, in their order, where the units have so many
        rows each."""


TRAIN, VALIDATION = 0, 1


@dataclass(frozen=True, eq=False)
class HoldOut:
    """Holds out max(1, round(fraction · N)) of N rows for validation: of each unit its part of
    them, rounded up or down. Any row is as likely as any other.

    fraction, seed : what was asked for.
    """

    fraction: float
    seed: int
    piles = 2
    whole: Whole = "none"

    def dealt(self, unit: tuple[int, int], numbers: Piles) -> list[Piles]:
        """Holds out the smallest draws; those next to the last one are undecided."""
        random = np.random.default_rng([self.seed, SPLITTING, *unit])
        order = np.argsort(random.random(int(numbers.max()) + 1)[numbers], kind="stable")
        sure, undecided = self._sure(len(order))
        undecided += sure
        return [np.sort(order[undecided:]), np.sort(order[:sure]), order[sure:undecided]]

    def _sure(self, count: int) -> tuple[int, int]:
        """How many of a unit's rows are held out whatever the others are, and how many may be: its
        part of all that are held out is within ½ of its rows' `fraction`, or less than one row."""
        from fractions import Fraction

        near = math.floor(Fraction(self.fraction) * count + Fraction(1, 2))
        sure = max(near - 1, 0)
        return sure, min(near + 1, count) - sure

    def settled(self, counts: Sequence[int]) -> list[list[int]]:
        """Systematic sampling (Madow and Madow, 1944): unit i holds out as many rows as there are
        whole numbers between part · Cᵢ₋₁ + u and part · Cᵢ + u, where Cᵢ rows are in the units up
        to i, that part of all rows is to be held out, and u is drawn from [0, 1)."""
        from fractions import Fraction

        in_all = sum(counts)
        part = Fraction(max(1, round(self.fraction * in_all)), in_all)
        u = Fraction(np.random.default_rng([self.seed, SETTLING]).random())
        piles, rows, before = [], 0, 0
        for count in counts:
            rows += count
            so_far = math.floor(part * rows + u)
            sure, undecided = self._sure(count)
            more = so_far - before - sure
            piles.append([VALIDATION] * more + [TRAIN] * (undecided - more))
            before = so_far
        return piles


DEALS = 1024  # in which the rows of a group are dealt


@dataclass(frozen=True, eq=False)
class Folds:
    """Deals N rows to so many folds, whose sizes are within one of each other: of as many rows that
    follow each other, one to each, in an order that is drawn; what is left of a unit, in turn.

    piles : how many folds.
    seed : which rows each gets comes from it, and from their places, not from what they hold.
    whole : see `Dealing`.
    """

    piles: int
    seed: int
    whole: Whole = "together"

    def dealt(self, unit: tuple[int, int], numbers: Piles) -> list[Piles]:
        """Deals to each as many; the rows that are left are undecided."""
        size = len(numbers) // self.piles
        random = np.random.default_rng([self.seed, SPLITTING, *unit])
        left = random.permutation(np.arange(size * self.piles, len(numbers)))
        # To permute each group by itself would take longer than to read it.
        orders = np.tile(np.arange(self.piles), (min(size, DEALS), 1))
        orders = random.permuted(orders, axis=1)
        if size > DEALS:
            orders = orders.take(random.integers(0, DEALS, size), axis=0)
        orders += self.piles * np.arange(size)[:, np.newaxis]
        return [*orders.T, left]

    def settled(self, counts: Sequence[int]) -> list[list[int]]:
        """Deals what is left of each unit in turn."""
        piles, dealt = [], 0
        for count in counts:
            left = count % self.piles
            piles.append([(dealt + number) % self.piles for number in range(left)])
            dealt += left
        return piles


class Sample(NamedTuple):
    """Rows that are drawn at random.

    rows : they, shape (rows, columns).
    stream : the seed of the random numbers that they draw from [0, 1).
    drawn : what each has drawn; None where nobody has had to know yet, as there are few.
    places : where each stands, among the rows of a stream, or in the data.
    most : how many stay.
    """

    rows: FloatArray
    stream: tuple[int, ...]
    places: Codes
    drawn: FloatArray | None = None
    most: int = SAMPLE_ROWS

    @property
    def draws(self) -> FloatArray:
        """What each row has drawn."""
        if self.drawn is None:
            return np.random.default_rng(self.stream).random(len(self.rows))
        return self.drawn

    def merged(self, other: Sample) -> Sample:
        """Those that stay of both."""
        rows = np.concatenate([self.rows, other.rows])
        places = np.concatenate([self.places, other.places])
        draws = np.concatenate([self.draws, other.draws])
        return Sample(rows, self.stream, places, draws, self.most).smallest()

    def smallest(self) -> Sample:
        """The rows that stay: those with the smallest draws, in their order."""
        if len(self.rows) <= self.most:
            return self
        draws = self.draws
        stay = np.sort(np.argpartition(draws, self.most)[: self.most])
        return Sample(self.rows[stay], self.stream, self.places[stay], draws[stay], self.most)


class Reservoir:
    """Reservoir sample: so many rows of a stream at `most`, in their order.

    Each row draws a number from [0, 1), and the rows with the smallest stay. Once there are enough,
    only those are drawn for that come below what may stay: how many of a block they are, and which.
    What they have drawn, and who stays, is found out for many of them at once.
    """

    def __init__(self, seed: int, *more: int, most: int = SAMPLE_ROWS) -> None:
        self._stream, self._most = (seed, SAMPLING, *more), most
        self._rows: list[FloatArray] = []
        self._places: list[Codes] = []
        self._seen = 0
        self._draws = np.empty(0)
        self._below = 1.0

    @cached_property
    def _random(self) -> np.random.Generator:
        return np.random.default_rng(self._stream)

    def add(self, block: FloatArray) -> None:
        """Draw for the rows of `block`."""
        start, count = self._seen, len(block)
        self._seen += count
        if self._below < 1:
            count = self._random.binomial(len(block), self._below)
        elif not start and len(block) > self._most:
            # Of N uniform numbers the one behind the m smallest is Beta(m + 1, N − m), and these
            # are uniform below it (David and Nagaraja, Order Statistics, 2003, 2.5).
            self._below = self._random.beta(self._most + 1, len(block) - self._most)
            count = self._most
        places = np.arange(len(block))
        if self._below < 1:
            places = self._random.choice(len(block), count, replace=False, shuffle=False)
            places.sort()
            block = block[places]
        self._rows.append(block)
        self._places.append(start + places)
        if sum(map(len, self._rows)) > (self._most if self._below == 1 else 2 * self._most):
            self.sample()

    def sample(self) -> Sample:
        """The sample so far."""
        rows = self._rows[0] if len(self._rows) == 1 else np.concatenate(self._rows)
        places = np.concatenate(self._places)
        if self._below == 1 and not len(self._draws) and len(rows) <= self._most:
            return Sample(rows, self._stream, places, most=self._most)
        draws = self._below * self._random.random(len(rows) - len(self._draws))
        draws = np.concatenate([self._draws, draws])
        sample = Sample(rows, self._stream, places, draws, self._most).smallest()
        self._draws, self._rows, self._places = sample.draws, [sample.rows], [sample.places]
        if len(sample.rows) == self._most:
            self._below = float(sample.draws.max())
        return sample
