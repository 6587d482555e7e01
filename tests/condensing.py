"""Rows condensed without a file, for tests."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.reduction.condense import Condensed, Condenser
from gdfit.data.reduction.tree import Spot
from gdfit.data.terms.columns import Columns
from gdfit.data.terms.levels import Levels


def condense(blocks: Iterable[FloatArray], columns: Columns, number: int = 0) -> Condensed:
    """The rows, which come block by block, as those of a unit of this number."""
    levels = Levels(columns.expansion)
    condenser = Condenser(columns, levels, Spot(number=number), (0, number))
    count = 0
    for block in blocks:
        condenser.add(np.arange(count, count + len(block)), block)
        count += len(block)
    condensed = condenser.condensed()
    assert condensed
    return condensed
