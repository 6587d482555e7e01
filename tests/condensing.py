"""Rows as they are, and condensed without a file, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import Codes, Rows
from gdfit.data.observations import FIRST_ROWS, Observations
from gdfit.data.reduction.condense import Condense, Condensed
from gdfit.data.reduction.tree import Spot
from gdfit.data.terms.columns import Chosen, Columns
from gdfit.data.terms.expansion import identity_expansion
from gdfit.data.terms.levels import Levels
from gdfit.data.terms.terms import Factor
from gdfit.data.text.dialect import Selection


def columns_of(names: tuple[str, ...], *, intercept: bool = True) -> Columns:
    """The features of these names, as they stand, and y."""
    return Columns(identity_expansion(names, intercept=intercept), Factor("y"))


def as_they_are(rows: FloatArray, columns: Columns) -> Observations:
    """Observations that are the rows of x and y themselves, which nothing stands for."""
    ones = np.full(len(rows), float(columns.expansion.intercept))
    design = np.column_stack([rows[:, :-1], ones, rows[:, -1]])
    kept = Rows(design.shape[1])
    kept.add(design)
    return Observations(
        augmented=design,
        count=len(rows),
        features=columns.expansion.features,
        target_name=str(columns.target),
        first=rows[:FIRST_ROWS],
        last=rows[-1],
        sample=rows,
        rows=kept,
        sample_inputs=rows[:, :-1],
        intercept=columns.expansion.intercept,
    )


def condense(blocks: Iterable[FloatArray], columns: Columns, number: int = 0) -> Condensed:
    """The rows, which come block by block, as those of a unit of this number."""

    def batches() -> Iterator[tuple[Codes, FloatArray]]:
        count = 0
        for block in blocks:
            yield np.arange(count, count + len(block)), block
            count += len(block)

    levels, spot = Levels(columns.expansion), Spot(number=number)
    found = Condense(Chosen(columns, Selection())).leaf(batches(), levels, spot)
    assert found
    (pile,) = found.piles
    assert pile
    return pile
