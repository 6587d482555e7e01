"""Rows of any number to p+2 rows that have the same squared loss at every θ.

The squared error is ‖Aθ − y‖². With [A y] = QR, Q keeps lengths, so that ‖Aθ − y‖ is the length of
R's columns put together in the same way: R, of p+2 rows, stands for all N of them, in the loss, in
its gradient and in its Hessian. Blocks are folded into R one by one, since the R of [R₁; A₂] is the
R of [A₁; A₂] (TSQR: Demmel, Grigori, Hoemmen and Langou, SIAM J. Sci. Comput. 34, 2012). QR and not
AᵀA, whose entries are squares and lose half of the digits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray, triangular
from gdfit.data.reduction.observations import FIRST_ROWS, Observations
from gdfit.data.reduction.rows import RowBuffer, Rows, rows_at_once
from gdfit.data.terms.columns import Columns
from gdfit.data.terms.levels import GroupedRows, Levels
from gdfit.errors import NoObservationsError

SAMPLE_ROWS = 2000
SAMPLING = 1  # the reservoir's own stream of random numbers, apart from those of other choices

Place = tuple[int, ...]  # of a row: places compare as the rows stand in the data


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


@dataclass(frozen=True)
class Condensed:
    """Rows as a `Condenser` has condensed them. Those of two parts of the data can be merged.

    levels : of the categories; the codes in the rows below are theirs.
    count, weight : how many rows they are, and what they weigh together.
    triangle : R, where there are no categories.
    groups : what R can be made of, where there are.
    first, last, sample : the first rows, the last one and a sample, as they are read.
    first_places, last_place : where the first rows and the last one stand in the data, if that is
        to be merged.
    """

    levels: Levels
    count: int
    weight: float
    triangle: FloatArray | None
    groups: GroupedRows | None
    first: FloatArray
    last: FloatArray
    sample: Sample
    first_places: tuple[Place, ...] = ()
    last_place: Place = ()

    def merged(self, other: Condensed) -> Condensed:
        """The rows of both. The R of [R₁; R₂] is the R of all rows."""
        levels, tables = self.levels.joined(other.levels)
        triangle = groups = None
        if self.triangle is not None and other.triangle is not None:
            triangle = triangular(np.concatenate([self.triangle, other.triangle]))
        if self.groups and other.groups:
            groups = self.groups.merged(other.groups, levels, tables)
        others = [levels.renumbered(rows, tables) for rows in (other.first, other.sample.rows)]
        places = (*self.first_places, *other.first_places)
        first = sorted(range(len(places)), key=places.__getitem__)[:FIRST_ROWS]
        is_last = self.last_place > other.last_place
        sample = Sample(
            np.concatenate([self.sample.draws, other.sample.draws]),
            np.concatenate([self.sample.rows, others[1]]),
        )
        return Condensed(
            levels=levels,
            count=self.count + other.count,
            weight=self.weight + other.weight,
            triangle=triangle,
            groups=groups,
            first=np.concatenate([self.first, others[0]])[first],
            last=self.last if is_last else levels.renumbered(other.last, tables),
            sample=sample.smallest(),
            first_places=tuple(places[number] for number in first),
            last_place=max(self.last_place, other.last_place),
        )

    def placed(self, first: tuple[Place, ...], last: Place) -> Condensed:
        """The same rows, with the places of the first ones and the last one."""
        return replace(self, first_places=first, last_place=last)

    def knowing(self, levels: Levels) -> Condensed:
        """The same rows, with levels that are only elsewhere added to their own."""
        return replace(self, levels=self.levels.joined(levels)[0])

    def observations(self, columns: Columns, rows: Rows | None = None) -> Observations:
        """The rows as p+2, or as N where those are fewer; and all of them, if they were kept."""
        levels, expansion = self.levels, self.levels.expansion
        triangle = self.groups.triangle(levels) if self.groups else self.triangle
        assert triangle is not None

        def made(rows: FloatArray) -> FloatArray:
            return expansion.expand(levels.recoded(rows))

        width = len(expansion.features)
        first, sample = made(self.first), made(self.sample.rows)
        return Observations(
            augmented=triangle.copy(),  # what came from elsewhere may lie at any address
            count=self.count,
            features=expansion.features,
            target_name=columns.target,
            left_out=columns.left_out,
            first=np.delete(first[:, : width + 2], width, axis=1),
            last=np.append(levels.recoded(self.last)[: expansion.width], self.last[-1]),
            sample=np.delete(sample[:, : width + 2], width, axis=1),
            rows=rows.changed(made) if rows else None,
            weight=None if columns.weights is None else self.weight,
            weights_name=columns.weights,
            first_weights=None if columns.weights is None else first[:, -1],
            sample_weights=None if columns.weights is None else sample[:, -1],
            sample_inputs=self.sample.rows[:, : len(expansion.numbers)],
            intercept=columns.intercept,
            expansion=None if expansion.is_plain else expansion,
        )


class Condenser:
    """Takes in rows block by block, and keeps p+2 rows that stand for them, the first and the last
    ones, and a sample. How the rows are cut into blocks makes no difference, not in the last bit.

    Parameters
    ----------
    columns : their names, and what is made of them.
    seed : of the sample, one number or several.
    keep_rows : whether to keep all rows as well, in memory or on disk.
    memory : how many bytes of them at most to keep in memory: see `Rows`.
    levels : of the categories, if there are any; others may share them.
    """

    def __init__(
        self,
        columns: Columns,
        seed: int | tuple[int, ...] = 0,
        *,
        keep_rows: bool = False,
        memory: int | None = None,
        levels: Levels | None = None,
    ) -> None:
        self._columns = columns
        self._levels = levels or Levels(columns.expansion)
        self._groups = GroupedRows(self._levels) if columns.expansion.categories else None
        width = columns.width + 1
        self._triangle: FloatArray | None = None
        self._rows = RowBuffer(rows_at_once(width), width)
        self._sample = Reservoir(*(seed if isinstance(seed, tuple) else (seed,)))
        self._kept = Rows(width, memory) if keep_rows else None
        self.count = 0
        self._weight = 0.0
        self._first = np.empty((0, width))
        self._last = np.empty(0)

    def add(self, block: FloatArray) -> None:
        """Take in rows of the columns as they are read, the target last: see `Columns.width`."""
        self.count += len(block)
        for rows in self._rows.add(block):
            self._fold(rows)

    def _fold(self, rows: FloatArray) -> None:
        if not len(self._first):
            self._first = rows[:FIRST_ROWS].copy()
        self._last = rows[-1].copy()
        self._sample.add(rows)
        if self._kept is not None:
            self._kept.add(rows)
        expansion = self._columns.expansion
        base, weights = expansion.base(rows), expansion.weights(rows)
        if weights is not None:
            self._weight += float(weights.sum())
            base = base * np.sqrt(weights)[:, np.newaxis]
        if self._groups:
            self._groups.add(base, expansion.codes(rows))
            return
        features = expansion.spread(base, expansion.codes(rows))
        folded, before = triangular(features), self._triangle
        self._triangle = folded if before is None else triangular(np.concatenate([before, folded]))

    def condensed(self, *, to_merge: bool = True) -> Condensed:
        """All that was taken in; with what the sample's rows have drawn, if it is `to_merge`."""
        for rows in self._rows.rest():
            self._fold(rows)
        if not self.count:
            raise NoObservationsError
        return Condensed(
            levels=self._levels,
            count=self.count,
            weight=self._weight,
            triangle=self._triangle,
            groups=self._groups,
            first=self._first,
            last=self._last,
            sample=self._sample.settled() if to_merge else Sample(np.empty(0), self._sample.rows),
        )

    def observations(self) -> Observations:
        """All that was taken in, as p+2 rows, or as N where those are fewer."""
        return self.condensed(to_merge=False).observations(self._columns, self._kept)


class Reservoir:
    """A random sample of at most `SAMPLE_ROWS` of the rows of a stream, in their order.

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
            self.settled()
        elif self._largest == 1:
            self._rows[-1] = block.copy()  # what it was given is written over

    @property
    def rows(self) -> FloatArray:
        """The sample so far, shape (rows, columns)."""
        rows = np.concatenate(self._rows)
        return rows if len(rows) <= SAMPLE_ROWS else self.settled().rows

    def settled(self) -> Sample:
        """The sample so far, with what its rows have drawn."""
        rows = self._rows[0] if len(self._rows) == 1 else np.concatenate(self._rows)
        draws = self._largest * self._random.random(len(rows) - len(self._draws))
        sample = Sample(np.concatenate([self._draws, draws]), rows).smallest()
        self._draws, self._rows = sample.draws, [sample.rows]
        if len(sample.rows) == SAMPLE_ROWS:
            self._largest = float(sample.draws.max())
        return sample
