"""What is to be made of a row: for a fit, of the columns that have been chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from gdfit.arrays import FloatArray
from gdfit.data.columns import Columns, advice
from gdfit.data.data_file import DataFile
from gdfit.data.finding import find_columns
from gdfit.data.levels import Levels
from gdfit.data.making import RowMaker
from gdfit.data.selection import Selection
from gdfit.errors import FieldError


class Recipe(Protocol):
    """What is to be made of a row."""

    @property
    def columns(self) -> Columns:
        """What is read of it."""

    def blocks(self, file: DataFile, levels: Levels) -> Iterator[FloatArray]:
        """The rows of a file in blocks, the target last: see `Columns.width`. The levels are added
        to as they are found."""


@dataclass(frozen=True)
class Chosen:
    """The rows of a fit.

    columns : what it uses.
    selection : what was asked for, for what to say of faults.
    """

    columns: Columns
    selection: Selection

    def blocks(self, file: DataFile, levels: Levels) -> Iterator[FloatArray]:
        """The rows of a file; a field that can't be used is an error that says what to type."""
        columns = self.columns
        places = find_columns(file.layout, file.name, columns.names, needed=False)
        maker = RowMaker(
            columns.expansion,
            levels,
            dict(zip(columns.names, places, strict=True)),
            columns.made_target,
            columns.weights,
        )
        try:
            yield from maker.all_rows(file)
        except FieldError as fault:
            raise fault.saying(advice(fault, file.layout, columns, self.selection)) from None
