"""Rows in which a term has no value: which is the first, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.expansion import Expansion
from gdfit.data.terms import FUNCTIONS, TOO_LARGE, Factor, Term


def fault_in(expansion: Expansion, rows: FloatArray) -> tuple[int, str, str] | None:
    """The first of `rows` in which a term has no value, in which column, and why."""
    if all(term.is_column or not term.numbers for term in expansion.terms) or not len(rows):
        return None
    numbers = rows[:, : len(expansion.numbers)]
    # Of each factor, the largest is at one of the ends; so no product is larger than theirs.
    ends = np.array([numbers.min(axis=0), numbers.max(axis=0)])
    with np.errstate(all="ignore"):
        if np.isfinite(bounds_of(expansion, ends)).all():
            return None
        products = np.empty((len(rows), len(expansion.products)), order="F")
        expansion.multiply(rows, products)
    bad = ~np.isfinite(products)
    wrong = np.flatnonzero(bad.any(axis=1))
    if not len(wrong):
        return None
    row = int(wrong[0])
    factors = expansion.products[int(np.argmax(bad[row]))]
    values = dict(zip(expansion.numbers, numbers[row].tolist(), strict=True))
    column, why = reason(factors, values)
    return row, column, why


def bounds_of(expansion: Expansion, ends: FloatArray) -> FloatArray:
    """Numbers as large as any product can be of columns between `ends`, shape (2, columns)."""
    place_of = {column: place for place, column in enumerate(expansion.numbers)}
    return np.array(
        [
            prod(
                float(np.abs(factor.of(ends[:, place_of[factor.column]])).max())
                for factor in factors
            )
            for factors in expansion.products
        ]
    )


def reason(factors: Sequence[Factor], values: Mapping[str, float]) -> tuple[str, str]:
    """Why the product of `factors` is not finite where the columns have these `values`, and which
    column to blame."""
    for factor in factors:
        value = np.array([values[factor.column]])
        if np.isfinite(factor.of(value)).all():
            continue
        function = replace(factor, power=1)
        takes = FUNCTIONS[factor.function].takes if factor.function else ""
        if takes and not np.isfinite(function.of(value)):
            why = f"{function} takes {takes}, not {value[0]:g}"
        else:
            why = f"{factor} of {value[0]:g} is {TOO_LARGE}"
        return factor.column, why
    return factors[0].column, f"{Term(tuple(factors))} is {TOO_LARGE}"
