"""The values that a column holds in all rows, where the first rows do not tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gdfit.data.batch import DataFile, Level, NumberedRows
from gdfit.data.reduction.tree import Spot
from gdfit.data.terms.columns import Advice, Columns
from gdfit.data.terms.levels import Levels
from gdfit.data.terms.lookup import find_columns
from gdfit.data.terms.row_maker import RowMaker
from gdfit.data.terms.terms import Factor, Term
from gdfit.data.text.header import Layout
from gdfit.errors import FieldError


@dataclass(frozen=True)
class Category:
    """Recipe of rows of one category alone; those without a value are left out."""

    category: Factor

    @property
    def columns(self) -> Columns:
        """What is read."""
        return Columns((str(self.category),), "", terms=(Term((self.category,)),))

    def maker(self, file: DataFile) -> RowMaker:
        """What makes rows of a file: see `Recipe`."""
        places = find_columns(file.layout, file.name, [self.category.column])
        return RowMaker(self.columns.expansion, places, drop_missing=True)

    def advice(self, fault: FieldError, layout: Layout) -> Advice:
        """Nothing: the column is the one that is wanted."""
        return "", {}


@dataclass(frozen=True)
class SomeLevels:
    """Levels of some of the rows."""

    levels: Levels

    def merged(self, other: SomeLevels) -> SomeLevels:
        """Those of all."""
        return SomeLevels(self.levels.joined(other.levels)[0])


@dataclass(frozen=True)
class FindLevels:
    """Finds the levels of a category: a `Job`."""

    recipe: Category

    def leaf(
        self, batches: Iterator[NumberedRows], levels: Levels, spot: Spot
    ) -> SomeLevels | None:
        """Those in the rows of a unit."""
        return SomeLevels(levels) if [*batches] else None

    def keeper(self) -> None:
        """Nothing: levels need no order."""

    def result(self, part: SomeLevels | None, keeper: None) -> frozenset[Level]:
        """Those in all rows."""
        return frozenset(part.levels.expansion.levels[0] if part else ())
