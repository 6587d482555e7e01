"""Rows dealt out to train on and to validate on: as they come, or in parts that are merged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.reduction.condense import Condensed, Condenser
from gdfit.data.reduction.rows import RowBuffer, rows_at_once

SPLITTING = 2  # the split's own stream of random numbers

Numbers = NDArray[np.int64]


def held_out_of(count: int, fraction: float) -> int:
    """How many of so many rows are held out: max(1, round(fraction · n)). `round` is Python's, to
    the even number where two are as near."""
    return max(1, round(fraction * count))


class HoldOut:
    """Deals rows out to two condensers: to train on, and held out for validation.

    Of the first n rows, `held_out_of` n are held out, at the end of each group of rows of a fixed
    size: so is their number in all, though how many rows there will be is not known, and how they
    are cut into blocks makes no difference. Which of a group comes from the seed, any as likely as
    any other.
    """

    def __init__(
        self, fraction: float, columns: int, seed: int, kept: Condenser, held_out: Condenser
    ) -> None:
        self._fraction = fraction
        self._kept, self._held_out = kept, held_out
        self._random = np.random.default_rng([seed, SPLITTING])
        self._rows = RowBuffer(rows_at_once(columns), columns)

    def add(self, block: FloatArray) -> None:
        """Deal out rows."""
        for rows in self._rows.add(block):
            self._deal(rows)

    def finish(self) -> None:
        """Deal out those that are left."""
        for rows in self._rows.rest():
            self._deal(rows)

    def _deal(self, rows: FloatArray) -> None:
        count = self._kept.count + self._held_out.count + len(rows)
        wanted = held_out_of(count, self._fraction) - self._held_out.count
        held_out = np.zeros(len(rows), dtype=bool)
        held_out[self._random.choice(len(rows), wanted, replace=False, shuffle=False)] = True
        self._kept.add(rows[~held_out])
        self._held_out.add(rows[held_out])


@dataclass(frozen=True)
class Divided:
    """A part of the data, divided before it is known how many rows there are in all.

    Of its n rows, ⌊fraction · n⌋ are held out. One more is undecided: it stands for what is lost in
    rounding, and is held out with the probability fraction · n − ⌊fraction · n⌋. When two parts are
    merged, one of their undecided rows is decided, so that all this holds of the rows of both, and
    each row is as likely to be held out as any other: the pivotal method (Deville and Tillé,
    Biometrika 85, 1998).

    fraction, seed : what was asked for.
    kept, held_out : the rows that are decided, as far as there are any.
    undecided : the row that is not.
    place : of the part in the data, from which its random numbers come.
    """

    fraction: float
    seed: int
    kept: Condensed | None
    held_out: Condensed | None
    undecided: Condensed
    place: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many rows they are."""
        decided = (part.count for part in (self.kept, self.held_out) if part)
        return sum(decided) + 1

    @property
    def chance(self) -> float:
        """The probability that the undecided row is held out."""
        exact = Fraction(self.fraction) * self.count
        return float(exact - math.floor(exact))

    def merged(self, other: Divided) -> Divided:
        """The rows of both."""
        random = np.random.default_rng([self.seed, SPLITTING, *self.place, *other.place])
        parts, one, two = [self, other], self.chance, other.chance
        exact = Fraction(self.fraction)
        gained = math.floor(exact * (self.count + other.count)) - sum(
            math.floor(exact * part.count) for part in parts
        )
        stays = one / ((one + two) or 1) if not gained else (1 - one) / ((2 - one - two) or 1)
        if random.random() < stays:
            parts.reverse()
        decided, undecided = parts[0].undecided, parts[1].undecided
        kept, held_out = both(self.kept, other.kept), both(self.held_out, other.held_out)
        return Divided(
            self.fraction,
            self.seed,
            kept if gained else both(kept, decided),
            both(held_out, decided) if gained else held_out,
            undecided,
            self.place,
        )

    def decided(self) -> tuple[Condensed | None, Condensed]:
        """The rows to train on, if any are left, and those that are held out, where this is all
        of the data. They share their levels."""
        missing = held_out_of(self.count, self.fraction) - (
            self.held_out.count if self.held_out else 0
        )
        kept = self.kept if missing else both(self.kept, self.undecided)
        held_out = both(self.held_out, self.undecided) if missing else self.held_out
        assert held_out is not None
        if kept is None:
            return None, held_out
        return kept.knowing(held_out.levels), held_out.knowing(kept.levels)


def both(one: Condensed | None, other: Condensed | None) -> Condensed | None:
    """The rows of both, of which either may be none."""
    return one.merged(other) if one and other else one or other


def divided(
    rows: FloatArray,
    fraction: float,
    seed: int,
    place: tuple[int, ...],
    condensed: Callable[[FloatArray, Numbers], Condensed],
) -> Divided:
    """A part of the data, at this place, divided; `condensed` makes what it says of some of the
    rows and their numbers."""
    random = np.random.default_rng([seed, SPLITTING, *place])
    shuffled = random.permutation(len(rows))
    count = math.floor(Fraction(fraction) * len(rows))

    def part(start: int, stop: int) -> Condensed:
        numbers = np.sort(shuffled[start:stop])
        return condensed(rows[numbers], numbers)

    held_out = part(0, count) if count else None
    kept = part(count + 1, len(rows)) if count + 1 < len(rows) else None
    return Divided(fraction, seed, kept, held_out, part(count, count + 1), place)
