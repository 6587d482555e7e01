"""Rows of any number to p+2 rows that have the same squared loss at every θ.

The squared error is ‖Aθ − y‖². With [A y] = QR, Q keeps lengths, so that ‖Aθ − y‖ is the length of
R's columns put together in the same way: R, of p+2 rows, stands for all N of them, in the loss, in
its gradient and in its Hessian. Units are condensed one by one, and merged, since the R of
[R₁; R₂] is the R of [A₁; A₂] (TSQR: Demmel, Grigori, Hoemmen and Langou, SIAM J. Sci. Comput. 34,
2012). QR and not AᵀA, whose entries are squares and lose half of the digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import chain
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray, Near, near, taken, triangular
from gdfit.data.batch import (
    SAMPLE_ROWS,
    Codes,
    NumberedRows,
    Rows,
    buffered,
    rows_at_once,
    with_ones,
)
from gdfit.data.observations import FIRST_ROWS, GroupedObservations, Observations
from gdfit.data.reduction.sampling import SETTLING, Dealing, Reservoir, Sample
from gdfit.data.reduction.tree import Spot, both
from gdfit.data.terms.columns import Columns, Recipe
from gdfit.data.terms.levels import GroupedRows, Levels
from gdfit.errors import GdfitError

FEW = 4  # times its width: rows that are so few are stacked, and decomposed together

Place = tuple[int, ...]  # of a row: its file, unit and number; places compare as rows stand


@dataclass(frozen=True, eq=False)
class Condensed:
    """Rows as a `Condenser` has condensed them. Those of two parts of the data can be merged.

    levels : of the categories; the codes in the rows below are theirs.
    tally : how many rows they are, what they weigh together, and the sum of the logarithms of that.
    triangle : R, or few rows that it can be made of, where there are no categories.
    groups : what R can be made of, where there are.
    tallies : the same of each group of rows that are fitted by themselves: shape (levels, 3).
    ends : the first rows and the last one, as they are read, by their places in the data.
    sample : a sample of the rows, as they are read.
    kept : all rows, block by block, if they are to be kept, until these are taken out.
    """

    levels: Levels
    tally: FloatArray
    triangle: Near | None
    groups: GroupedRows | None
    tallies: FloatArray
    ends: dict[Place, FloatArray]
    sample: Sample
    kept: tuple[FloatArray, ...] = ()

    def merged(self, other: Condensed) -> Condensed:
        """The rows of both. The R of [R₁; R₂] is the R of all rows."""
        levels, tables = self.levels.joined(other.levels)
        triangle = groups = None
        if self.triangle is not None and other.triangle is not None:
            triangle = folded(self.triangle.joined(other.triangle))
        if self.groups and other.groups:
            groups = self.groups.merged(other.groups, levels, tables)
        tallies = np.zeros((levels.groups, 3))
        tallies[: len(self.tallies)] = self.tallies
        if levels.groups:
            tallies[tables[-1]] += other.tallies
        ends = self.ends | {at: levels.renumbered(row, tables) for at, row in other.ends.items()}
        drawn = other.sample._replace(rows=levels.renumbered(other.sample.rows, tables))
        return Condensed(
            levels=levels,
            tally=self.tally + other.tally,
            triangle=triangle,
            groups=groups,
            tallies=tallies,
            ends=at_ends(ends),
            sample=self.sample.merged(drawn),
        )

    def observations(
        self, columns: Columns, more: Levels | None = None, rows: Rows | None = None
    ) -> Observations:
        """The rows as p+2, or as N where those are fewer, with `more` levels that are only
        elsewhere; and all `rows`, if they were kept."""
        count, weight, log_weight = self.tally.tolist()
        if not math.isfinite(weight):
            what = "the weights are too large for float64: divide them by a power of ten"
            raise GdfitError(what, column=columns.weights)
        levels = self.levels.merged(more) if more else self.levels
        expansion = levels.expansion
        part, stack = self.triangle, None
        if self.groups and expansion.by:
            stack, origin, had = self.groups.stack(levels)
            expansion = replace(expansion, had=None if had.all() else had)
            part = Near(triangular(stack.reshape(-1, stack.shape[-1])), origin)
        elif self.groups:
            part = self.groups.triangle(levels)
        assert part is not None
        triangle = in_form(part.whole)

        def made(rows: FloatArray) -> FloatArray:
            return expansion.expand(levels.recoded(rows))

        width = len(expansion.features)
        ends, is_weighed = np.array([*self.ends.values()]), columns.weights is not None
        first, last, sample = made(ends[:FIRST_ROWS]), ends[-1], made(self.sample.rows)
        whole = Observations(
            augmented=triangle.copy(),  # what came from elsewhere may lie at any address
            near=Near(in_form(part.rows), part.origin) if part.origin.any() else None,
            count=int(count),
            features=expansion.features,
            target_name=str(columns.target),
            **columns.facts,
            first=np.delete(first[:, : width + 2], width, axis=1),
            last=np.append(levels.recoded(last)[: expansion.width], last[-1]),
            sample=np.delete(sample[:, : width + 2], width, axis=1),
            sample_places=self.sample.places,
            rows=rows.changed(expansion.expand) if rows else None,
            weight=weight if is_weighed else None,
            log_weight=log_weight,
            weights_name=columns.weights,
            first_weights=first[:, -1] if is_weighed else None,
            sample_weights=sample[:, -1] if is_weighed else None,
            sample_inputs=self.sample.rows[:, : len(expansion.numbers)],
            intercept=expansion.intercept,
            expansion=None if expansion.is_plain else expansion,
        )
        if stack is None:
            return whole
        tallies = np.zeros((levels.groups, 3))
        tallies[levels.sorted_codes[-1][: len(self.tallies)]] = self.tallies
        counts = tallies[:, 0].astype(np.int64)
        return GroupedObservations(
            **vars(whole),
            counts=counts,
            weights=tallies[:, 1],
            log_weights=tallies[:, 2],
            triangles=stack,
            origin=part.origin,
            read_sample=levels.recoded(self.sample.rows),
            read_rows=rows,
        )


def at_ends(rows: dict[Place, FloatArray]) -> dict[Place, FloatArray]:
    """The first of some rows and the last one, by their places."""
    places = sorted(rows)
    return {place: rows[place] for place in [*places[:FIRST_ROWS], places[-1]]}


def in_form(rows: FloatArray) -> FloatArray:
    """R of the rows, if they are not in its form already."""
    is_r = len(rows) <= rows.shape[1] and not np.tril(rows, -1).any()
    return rows if is_r else triangular(rows)


def folded(part: Near) -> Near:
    """R of the rows; or the rows, where they are few, to be decomposed with others."""
    is_few = len(part.rows) <= FEW * part.rows.shape[1]
    return part if is_few else Near(triangular(part.rows), part.origin)


def places_in(spot: Spot, numbers: Codes) -> Codes:
    """The places in the data of the rows of a unit that have these numbers, shape (rows, 3)."""
    places = np.empty((len(numbers), 3), np.int64)
    places[:, :2], places[:, 2] = spot[1:], numbers
    return places


def tallied(groups: int, codes: list[Codes], weights: list[FloatArray]) -> FloatArray:
    """Of each group, how many rows have its code, what they weigh, and the sum of the logarithms of
    that, shape (groups, 3)."""
    if not groups:
        return np.zeros((0, 3))
    of_each = np.concatenate(codes)
    counts = np.bincount(of_each, minlength=groups)
    if not weights:
        return np.column_stack([counts, counts, np.zeros(groups)])
    v = np.concatenate(weights)
    sums = (np.bincount(of_each, each, groups) for each in (v, np.log(v)))
    return np.column_stack([counts, *sums])


class Dealt(NamedTuple):
    """Condensed rows by the piles that they were dealt to.

    levels : of the categories, in all piles.
    piles : of each pile its rows, if there are any.
    counts : how many rows there are in each unit.
    undecided : of each unit the rows that no pile has got yet, and their places.
    """

    levels: Levels
    piles: tuple[Condensed | None, ...]
    counts: tuple[int, ...] = ()
    undecided: tuple[NumberedRows, ...] = ()

    def merged(self, other: Dealt) -> Dealt:
        """Those of both."""
        piles = tuple(both(*pair) for pair in zip(self.piles, other.piles, strict=True))
        if len(piles) == 1 and piles[0]:
            return Dealt(piles[0].levels, piles)
        levels, tables = self.levels.joined(other.levels)
        later = [(places, levels.renumbered(rows, tables)) for places, rows in other.undecided]
        return Dealt(levels, piles, self.counts + other.counts, (*self.undecided, *later))


@dataclass(frozen=True, eq=False)
class Condense:
    """Condenses rows: a `Job`.

    recipe : what is made of a row.
    seed : of the sample.
    dealing : the rule that deals them to piles; by default there is one.
    keep : how many bytes of rows to keep as well, where there are no more; infinite for all rows.
    """

    recipe: Recipe
    seed: int = 0
    dealing: Dealing | None = None
    keep: float = 0

    def leaf(self, batches: Iterator[NumberedRows], levels: Levels, spot: Spot) -> Dealt | None:
        """What the rows of a unit come to."""
        stream, placed = (spot.rank, spot.number), partial(places_in, spot)
        if self.dealing is None:
            pile = self.condensed(batches, levels, (*stream, 0), placed)
            return Dealt(levels, (pile,)) if pile else None
        if not (read := [*batches]):
            return None
        numbers, rows = read[0] if len(read) == 1 else map(np.concatenate, zip(*read, strict=True))
        *dealt, waiting = self.dealing.dealt(stream, numbers)
        order = np.concatenate([*dealt, waiting])
        numbers, rows = numbers.take(order), taken(rows, order)
        *ends, settled = np.cumsum([0, *map(len, dealt)]).tolist()
        job = self if rows.nbytes <= self.keep else replace(self, keep=0)
        piles = [
            job.condensed([(numbers[part], rows[part])], levels, (*stream, pile), placed)
            for pile, part in enumerate(map(slice, ends, [*ends[1:], settled]))
        ]
        if self.dealing.whole == "apart":
            piles.append(job.condensed(read, levels, (*stream, 0), placed))
        undecided = (placed(numbers[settled:]), rows[settled:].copy())
        return Dealt(levels, (*piles,), (len(rows),), (undecided,))

    def condensed(
        self,
        batches: Iterable[NumberedRows],
        levels: Levels,
        stream: tuple[int, ...],
        placed: Callable[[Codes], Codes],
    ) -> Condensed | None:
        """Rows of a pile, condensed; None where there are none. How they are cut into batches makes
        no difference, not in the last bit.

        batches : the rows as they are read, the target last: see `Columns.width`.
        stream : of the random numbers that the sample is drawn with.
        placed : gives the places of rows by their numbers, shape (rows, 3).
        """
        columns = self.recipe.columns
        expansion, width = columns.expansion, columns.width + 1
        groups = GroupedRows(levels) if expansion.categories else None
        sample = Reservoir(self.seed, *stream, most=self.most)
        triangle: Near | None = None
        tally = np.zeros(3)
        kept: list[FloatArray] = []
        codes_seen: list[Codes] = []
        weights_seen: list[FloatArray] = []  # if they have any
        numbers_seen: list[Codes] = []
        first: list[FloatArray] = []

        def all_rows() -> Iterator[FloatArray]:
            for numbers, rows in batches:
                numbers_seen.append(numbers)
                yield rows

        for rows in buffered(all_rows(), rows_at_once(width), width):
            first = first or [*rows[:FIRST_ROWS].copy()]
            last = rows[-1].copy()
            sample.add(rows)
            if self.keep and sum(map(len, kept)) == tally[0]:
                kept.append(rows)
                if (tally[0] + len(rows)) * width * 8 > self.keep:
                    kept.clear()
            base, weights = expansion.base(rows), expansion.weights(rows)
            part = near(base, expansion.alone)
            tally[0] += len(rows)
            if weights is not None:
                tally[1:] += weights.sum(), np.log(weights).sum()
                part = part.weighed(weights)
            if groups:
                codes = expansion.codes(rows)
                groups.add(part, codes)
                codes_seen.append(codes[:, -1])
                if weights is not None:
                    weights_seen.append(weights)
                continue
            # Without categories, the base has the features, but for the intercept.
            part = folded(part._replace(rows=expansion.spread(part.rows, expansion.codes(rows))))
            triangle = folded(triangle.joined(part)) if triangle else part
        if not first:
            return None
        drawn, numbers = sample.sample(), np.concatenate(numbers_seen)
        ends = map(tuple, placed(numbers[[*range(len(first)), -1]]).tolist())
        return Condensed(
            levels=levels,
            tally=tally,
            triangle=None if groups else triangle,
            groups=groups,
            tallies=tallied(levels.groups, codes_seen, weights_seen),
            ends=dict(zip(ends, [*first, last], strict=True)),
            sample=drawn._replace(places=placed(numbers[drawn.places])),
            kept=tuple(kept),
        )

    def keeper(self) -> Keeper:
        """What takes what units come to in their order."""
        return Keeper(self)

    def result(self, part: Dealt | None, keeper: Keeper | None) -> list[Observations | None]:
        """The observations of each pile, None where it has no rows; and where that is wanted, of
        all of them, whose rows are those of the piles."""
        if part is None:
            return [None] * self.piles
        piles = list(part.piles)
        if self.dealing:
            settled = [*chain.from_iterable(self.dealing.settled(part.counts))]
            places, rows = map(np.concatenate, zip(*part.undecided, strict=True))
            for pile in sorted({*settled}):
                own = np.flatnonzero(np.equal(settled, pile))
                more = self.settled(part.levels, pile, places[own], rows[own])
                piles[pile] = both(piles[pile], more)
                if keeper and more:
                    keeper.settle(pile, more)
        kept: Sequence[Rows | None] = (keeper and keeper.rows) or [None] * self.piles
        if self.dealing and self.dealing.whole == "together":
            piles, kept = [*piles, reduce(both, piles)], [*kept, None]
        return [
            pile.observations(self.recipe.columns, part.levels, rows) if pile else None
            for pile, rows in zip(piles, kept, strict=True)
        ]

    def settled(
        self, levels: Levels, pile: int, places: Codes, rows: FloatArray
    ) -> Condensed | None:
        """Rows of any units that no pile had got, condensed for this one."""
        whole = with_ones([rows], self.recipe.columns.width + 1)
        numbered = [(np.arange(len(rows)), whole)]
        found = self.condensed(numbered, levels, (SETTLING, pile), places.__getitem__)
        ends = dict(zip(map(tuple, places.tolist()), whole, strict=True))
        return found and replace(found, ends=at_ends(ends))

    @property
    def most(self) -> int:
        """How many rows of a pile to draw: of several that are put together, fewer of each."""
        is_part = self.dealing is not None and self.dealing.whole == "together"
        return max(2 * SAMPLE_ROWS // self.piles, 1) if is_part else SAMPLE_ROWS

    @property
    def piles(self) -> int:
        """How many piles there are."""
        return 1 if not self.dealing else self.dealing.piles + (self.dealing.whole == "apart")


class Keeper:
    """Takes what units come to in the order of the data: watches their levels, and keeps rows."""

    def __init__(self, job: Condense) -> None:
        self.levels = Levels(job.recipe.columns.expansion)
        width, few = job.recipe.columns.width + 1, job.keep < math.inf
        self._rows = [Rows(width, as_few=few) for _ in range(job.piles if job.keep else 0)]
        is_twice = job.dealing is not None and job.dealing.whole == "apart"
        self._most = job.keep * (1 + is_twice)

    def take(self, part: Dealt) -> Dealt:
        """What a unit comes to, without its rows.

        Raises
        ------
        LevelError : it has a level too many.
        """
        self.levels, tables = self.levels.joined(part.levels)
        if not self._rows:
            return part
        for rows, pile in zip(self._rows, part.piles, strict=True):
            for block in pile.kept if pile else ():
                rows.add(self.levels.renumbered(block, tables))
        is_cut = any(pile and sum(map(len, pile.kept)) < pile.tally[0] for pile in part.piles)
        if is_cut or sum(rows.count * rows.columns * 8 for rows in self._rows) > self._most:
            self._rows.clear()
        return part._replace(piles=tuple(pile and replace(pile, kept=()) for pile in part.piles))

    def settle(self, pile: int, more: Condensed) -> None:
        """Add to the rows of a pile those that are settled in the end."""
        _, tables = self.levels.joined(more.levels)
        for block in more.kept if self._rows else ():
            self._rows[pile].add(self.levels.renumbered(block, tables))

    @property
    def rows(self) -> list[Rows]:
        """The rows of each pile, with the codes of levels in sorted order; none where they are not
        kept, or too many."""
        return [rows.changed(self.levels.recoded) for rows in self._rows]
