"""What the workers of a cluster do: condense units of files, and fold what has become of them.

The fold is a tree whose shape depends on nothing but the files: neighbouring units are merged, then
neighbours of those, up to the whole file, and then the files so, in the order of their names. So
it makes no difference, not in the last bit, how many units a worker takes at once, which worker
takes them, when, or in which order the files are named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.reduction.condense import Condensed, Condenser
from gdfit.data.reduction.draws import Divided, Numbers, divided
from gdfit.data.reduction.units import Form, Range, read_lines, read_units
from gdfit.data.terms.columns import Recipe
from gdfit.data.terms.levels import Levels
from gdfit.data.text.blocks import count_lines
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError
from gdfit.memory import keep_blocks


class Part(Protocol):
    """What a part of the data comes to."""

    def merged(self, other: Self) -> Self:
        """What this part and the one that follows it come to."""


class Job(Protocol):
    """What is to be made of the data."""

    @property
    def recipe(self) -> Recipe:
        """What of a row."""

    def part(self, blocks: Iterator[FloatArray], levels: Levels, spot: Spot) -> Part | None:
        """What of the rows of a unit; None where there are none."""


class Spot(NamedTuple):
    """A unit among all data.

    rank : of its file, among the files in the order of their names: what decides about the numbers.
    file : of its file, among the files as they were given: what says which row is the last.
    number : of the unit in its file.
    """

    rank: int
    file: int
    number: int

    def places(self, rows: Sequence[int] | Numbers) -> tuple[tuple[int, ...], ...]:
        """The places of these of its rows in the data."""
        return tuple((self.file, self.number, int(row)) for row in rows)


@dataclass(frozen=True)
class Condense:
    """Condenses the rows, and holds out a `fraction` of them, if there is one."""

    recipe: Recipe
    seed: int
    fraction: float | None = None

    def part(
        self, blocks: Iterator[FloatArray], levels: Levels, spot: Spot
    ) -> Condensed | Divided | None:
        """What the rows of a unit come to: see `Job`."""
        if self.fraction is None:
            return self._condensed(blocks, levels, spot)
        rows = [*blocks]
        if not rows:
            return None
        place = (spot.rank, spot.number)

        def of_some(chosen: FloatArray, numbers: Numbers) -> Condensed:
            part = self._condensed(iter([chosen]), levels, spot, numbers)
            assert part is not None
            return part

        return divided(np.concatenate(rows), self.fraction, self.seed, place, of_some)

    def _condensed(
        self,
        blocks: Iterator[FloatArray],
        levels: Levels,
        spot: Spot,
        numbers: Numbers | None = None,
    ) -> Condensed | None:
        first = 0 if numbers is None else int(numbers[0])
        seed = (self.seed, spot.rank, spot.number, first)
        condenser = Condenser(self.recipe.columns, seed, levels=levels)
        for block in blocks:
            condenser.add(block)
        if not condenser.count:
            return None
        part = condenser.condensed()
        rows = range(part.count) if numbers is None else numbers
        return part.placed(spot.places(rows[: len(part.first)]), spot.places(rows[-1:])[0])


@dataclass(frozen=True)
class Work:
    """All that workers have to know.

    forms : of the files, as they were given.
    dialect : how they are written.
    job : what is to be made of them.
    unit_bytes : the size of a unit.
    """

    forms: tuple[Form, ...]
    dialect: Dialect
    job: Job
    unit_bytes: int

    @cached_property
    def ranks(self) -> list[int]:
        """Of each file, its place among the files in the order of their names."""
        order = sorted(range(len(self.forms)), key=lambda file: self.forms[file].name)
        return sorted(range(len(order)), key=order.__getitem__)


class Task(NamedTuple):
    """Units to condense: those in `range` of a file, the number of whose first line may be
    known."""

    file: int
    range: Range
    line: int | None


class Gathered(NamedTuple):
    """What some of the data has come to, if there were rows, and how many rows missed a field."""

    part: Any = None
    missed: int = 0


@dataclass
class Missed:
    """Counts rows that miss a field."""

    rows: int = 0

    def opened(self, size: int | None) -> None:
        """A file has been opened, which nobody is told."""

    def progress(self, position: int) -> None:
        """Reading has come so far, which nobody is told."""

    def missed(self, rows: int) -> None:
        """So many rows more miss a field."""
        self.rows += rows


class SomewhereError(Exception):
    """There is an error in a range of whose lines the numbers are not known."""


def condense(work: Work, task: Task) -> Gathered:
    """What a task's units come to.

    Raises
    ------
    GdfitError : the data can't be used.
    SomewhereError : so it is, and the line can't be said.
    StraddledError : see `read_units`.
    """
    keep_blocks()
    form, watcher = work.forms[task.file], Missed()
    recipe, rank = work.job.recipe, work.ranks[task.file]
    line = form.layout.line if task.range.first == 0 else task.line
    parts: list[Gathered] = []
    try:
        for number, unit in read_units(
            form, work.dialect, task.range, work.unit_bytes, line=line or 1, watcher=watcher
        ):
            levels = Levels(recipe.columns.expansion)
            spot = Spot(rank, task.file, number)
            part = work.job.part(recipe.blocks(unit, levels), levels, spot)
            parts.append(Gathered(part))
    except GdfitError:
        if line is None and form.groups is None:  # Parquet's rows have numbers of their own
            raise SomewhereError from None
        raise
    return Gathered(fold(parts or [Gathered()]).part, watcher.rows)


def fold(parts: Sequence[Gathered]) -> Gathered:
    """Neighbours merged, again and again."""
    left = list(parts)
    while len(left) > 1:
        pairs = [left[start : start + 2] for start in range(0, len(left), 2)]
        left = [merged(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return left[0]


def merged(one: Gathered, other: Gathered) -> Gathered:
    """Both, of which either may be nothing."""
    missed = one.missed + other.missed
    if one.part is None or other.part is None:
        return Gathered(other.part if one.part is None else one.part, missed)
    return Gathered(one.part.merged(other.part), missed)


def count_lines_of(work: Work, task: Task) -> int:
    """How many lines end in a task's units."""
    form = work.forms[task.file]
    units = read_lines(form, work.dialect, task.range, work.unit_bytes)
    return sum(count_lines(unit.block.raw) for unit in units)


def find_level_fault(work: Work) -> None:
    """Read all files in their order, as one machine does, up to the row with one level too many.

    Raises
    ------
    GdfitError : for that row.
    """
    levels = Levels(work.job.recipe.columns.expansion)
    for form in work.forms:
        for _, unit in read_units(
            form, work.dialect, Range(), work.unit_bytes, line=form.layout.line
        ):
            for _ in work.job.recipe.blocks(unit, levels):
                pass
