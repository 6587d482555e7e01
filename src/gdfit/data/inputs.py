"""Values as a person gives them, a number or a level for each input of a fit, to rows as they are
read, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.expansion import Expansion, Level
from gdfit.data.faults import fault_in
from gdfit.errors import GdfitError

Value = Any  # a number or a level, or an array of them


def rows_at(expansion: Expansion, values: Sequence[Value]) -> FloatArray:
    """Rows of numbers, codes, a one and 0 for y, of a value for each of the `inputs`: a number
    or a level, or arrays of them.

    Raises
    ------
    GdfitError : a level is not known, or a term has no value.
    """
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value)) for value in values))
    given: dict[str, Any] = dict(zip(expansion.inputs, arrays, strict=True))
    rows = np.ones((len(arrays[0]), expansion.width + 2), order="F")
    for place, column in enumerate(expansion.numbers):
        rows[:, place] = given[column].astype(np.float64)
    for place, category in enumerate(expansion.categories):
        code_of = {level: code for code, level in enumerate(expansion.levels[place])}
        codes = rows[:, len(expansion.numbers) + place]
        for level in dict.fromkeys(given[category.column].tolist()):
            if level not in code_of:
                raise GdfitError(expansion.unseen(place, level), column=category.column)
            codes[given[category.column] == level] = code_of[level]
    rows[:, -1] = 0
    fault = fault_in(expansion, rows)
    if fault:
        raise GdfitError(fault[2], column=fault[1])
    return rows


def inputs_of(expansion: Expansion, row: FloatArray) -> list[Level]:
    """A value for each of the `inputs`, of a row of numbers and codes."""
    values: dict[str, Level] = dict(zip(expansion.numbers, row.tolist(), strict=False))
    for place, category in enumerate(expansion.categories):
        code = int(row[len(expansion.numbers) + place])
        values[category.column] = expansion.levels[place][code]
    return [values[column] for column in expansion.inputs]
