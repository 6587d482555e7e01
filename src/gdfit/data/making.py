"""From what is read of a file to rows for a fit: terms checked, levels numbered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import Batch
from gdfit.data.data_file import DataFile
from gdfit.data.expansion import Expansion, Level
from gdfit.data.faults import fault_in, reason
from gdfit.data.levels import LevelError, Levels
from gdfit.data.terms import Factor


class UnusableError(ValueError):
    """A row that can't be used: which, the column, and why."""

    def __init__(self, row: int, column: str, what: str) -> None:
        self.row, self.column, self.what = row, column, what


@dataclass(frozen=True)
class RowMaker:
    """Makes rows of what is read of a file: the numbers of the features, the codes of levels, the
    weight if there are weights, y if there is a target.

    expansion : what is to be made of the columns.
    levels : the codes of the levels, which are added to as they are found.
    place_of : the columns by their names: their places in the file.
    target : what y is.
    weights : the column of the rows' weights.
    """

    expansion: Expansion
    levels: Levels
    place_of: Mapping[str, int]
    target: Factor | None = None
    weights: str | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns that are read as numbers: the features', those whose numbers are levels, the
        weights', the target's."""
        levels = (factor.column for factor in self.expansion.categories if not factor.is_text)
        weights = () if self.weights is None else (self.weights,)
        target = () if self.target is None else (self.target.column,)
        return (*self.expansion.numbers, *levels, *weights, *target)

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns that are read as texts."""
        return tuple(factor.column for factor in self.expansion.categories if factor.is_text)

    @property
    def places(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where the numbers and the texts stand."""
        return (
            tuple(self.place_of[name] for name in self.numbers),
            tuple(self.place_of[name] for name in self.texts),
        )

    def all_rows(self, file: DataFile) -> Iterator[FloatArray]:
        """The rows of a file, block by block.

        Raises
        ------
        FieldError : a field can't be used.
        """
        for block, batch in file.batches(*self.places):
            rows = self.rows(file, block, batch)
            if len(rows):
                yield rows

    def rows(self, file: DataFile, block: Any, batch: Batch) -> FloatArray:
        """The rows of a batch without missing fields, but those of weight 0.

        Raises
        ------
        FieldError : a weight, a level or the value of a term can't be used.
        """
        try:
            if self.weights is not None:
                batch = self.counted(batch, self.weights)
            return self.made(batch)
        except UnusableError as error:
            row, place = int(batch.rows[error.row]), self.place_of[error.column]
            raise file.fault_in(block, row, place, error.what) from None

    def counted(self, batch: Batch, name: str) -> Batch:
        """The rows with a weight above 0."""
        weights = batch.numbers[:, self.numbers.index(name, len(self.expansion.numbers))]
        negative = np.flatnonzero(weights < 0)
        if len(negative):
            row = int(negative[0])
            raise UnusableError(row, name, f"a weight can't be negative, as {weights[row]:g} is")
        return batch.where(weights > 0)

    def made(self, batch: Batch) -> FloatArray:
        """The rows of a batch, all of which count."""
        expansion = self.expansion
        if expansion.is_plain and self.target == self.plain_target:
            return batch.numbers
        size, width = len(expansion.numbers), expansion.width
        more = batch.numbers.shape[1] - size - (len(expansion.categories) - len(self.texts))
        rows = np.empty((len(batch.numbers), width + more), order="F")
        rows[:, :size] = batch.numbers[:, :size]
        rows[:, width:] = batch.numbers[:, batch.numbers.shape[1] - more :]
        if not len(rows):
            return rows
        words, numeric = iter(batch.words), size
        for place, category in enumerate(expansion.categories):
            said: list[Level]
            if category.is_text:
                codes, texts = next(words)
                said = list(texts)
            else:
                values, codes = np.unique(batch.numbers[:, numeric], return_inverse=True)
                said, numeric = values.tolist(), numeric + 1
            try:
                rows[:, size + place] = self.levels.encode(place, codes, said)
            except LevelError as error:
                raise UnusableError(error.row, category.column, error.what) from None
        unusable = fault_in(expansion, rows)
        if unusable:
            raise UnusableError(*unusable)
        if self.target and self.target != self.plain_target:
            rows[:, -1] = target_of(rows[:, -1], self.target)
        return rows

    @property
    def plain_target(self) -> Factor | None:
        """The target's column as it stands."""
        return None if self.target is None else Factor(self.target.column)


def target_of(values: FloatArray, target: Factor) -> FloatArray:
    """y of the values in its column."""
    y = target.of(values)
    wrong = np.flatnonzero(~np.isfinite(y))
    if len(wrong):
        row = int(wrong[0])
        raise UnusableError(row, *reason([target], {target.column: float(values[row])}))
    return y
