"""The two classes of a target: one is y = 1, the other y = 0."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import Codes, Level
from gdfit.data.terms.expansion import level_name
from gdfit.data.terms.levels import UnusableError
from gdfit.errors import UsageError, listing, printable, quoted


class Classes(NamedTuple):
    """What stands for y = 0 and for y = 1 in a column.

    negative : None where it is several values.
    others : whether all values but the positive stand for y = 0.
    """

    negative: Level | None
    positive: Level
    others: bool = False

    def naming(self, others: Collection[Level]) -> Classes:
        """The classes, where the rows that are not positive hold the `others`."""
        if not self.others:
            return self
        return self._replace(negative=next(iter(others)) if len(others) == 1 else None)

    @property
    def is_text(self) -> bool:
        """Whether they are texts, and not numbers."""
        return isinstance(self.positive, str)

    @property
    def names(self) -> tuple[str, str]:
        """What they are called, that of y = 0 first."""
        positive = level_name(self.positive)
        return f"not {positive}" if self.negative is None else level_name(self.negative), positive

    def of_words(self, column: str, codes: Codes, said: Sequence[Level]) -> FloatArray:
        """y of rows that have these `codes` of what is `said` in a column.

        Raises
        ------
        UnusableError : a row has a third value.
        """
        y_of = {self.negative: 0.0, self.positive: 1.0}
        y = np.array([y_of.get(level, self._of_others) for level in said], np.float64)[codes]
        return self._checked(column, y, lambda row: said[codes[row]])

    def of_numbers(self, column: str, numbers: FloatArray) -> FloatArray:
        """y of rows with these `numbers` in a column: see `of_words`."""
        y = np.where(numbers == self.positive, 1.0, self._of_others)
        y[numbers == self.negative] = 0.0
        return self._checked(column, y, lambda row: float(numbers[row]))

    @property
    def _of_others(self) -> float:
        return 0.0 if self.others else np.nan

    def _checked(self, column: str, y: FloatArray, level_in: Callable[[int], Level]) -> FloatArray:
        third = np.flatnonzero(np.isnan(y))
        if len(third):
            row = int(third[0])
            raise UnusableError(row, column, third_value(level_name(level_in(row)), self.names))
        return y


def answer(target: str, classes: Classes | None) -> str:
    """What ŷ is: the target, or the probability of a class."""
    if classes is None:
        return printable(target)
    return f"P({printable(target)} = {printable(classes.names[1])})"


IS_THIRD = "is a third value beside"


def third_value(third: str, two: Sequence[str]) -> str:
    """What to say where a target has more than two values."""
    return f"{quoted(third)} {IS_THIRD} {listing(tuple(two))}"


def check_probability(threshold: float) -> None:
    """Raise where the probability from which on a row is of the positive class is none."""
    if not 0 <= threshold <= 1:
        raise UsageError(f"`threshold` takes a number from 0 to 1, not {threshold:g}")


def classes_of(record: object) -> Classes | None:
    """The classes in a model's file, if there are any."""
    if not isinstance(record, list) or len(record) != 3 or record[1] is None:
        return None
    return Classes(*record)
