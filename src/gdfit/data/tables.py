"""What Python programs hold rows in: arrays, Series, and DataFrames, whose columns have names.

A DataFrame is anything with `columns` that can be asked for one by its name: pandas is not imported
here, and polars will do.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.errors import GdfitError, listing, quoted


def is_frame(x: object) -> bool:
    """Whether the columns of `x` have names."""
    return hasattr(x, "columns") and hasattr(x, "__getitem__")


def is_named_row(x: Any, features: Sequence[str]) -> bool:
    """Whether `x` is a row of a DataFrame, as `frame.iloc[0]` is: a Series over its columns."""
    return hasattr(getattr(x, "index", None), "isin") and set(features) <= set(x.index)


def names_of(frame: Any) -> tuple[str, ...]:
    """The names of its columns, as text."""
    return tuple(map(str, frame.columns))


def name_of(values: object) -> str | None:
    """What a Series is called."""
    name = getattr(values, "name", None)
    return None if name is None else str(name)


def values_of(frame: Any, name: str) -> Any:
    """The column of that name.

    Raises
    ------
    GdfitError : there is none, or there are several.
    """
    names = names_of(frame)
    if names.count(name) != 1:
        there = f"{names.count(name)} columns are" if name in names else "no column is"
        raise GdfitError(f"{there} called {quoted(name)}; there are {listing(names)}")
    return frame[list(frame.columns)[names.index(name)]]


def numbers_in(values: Any) -> FloatArray | None:
    """A column's numbers, NaN where one is missing; None where it holds something else."""
    if str(getattr(values, "dtype", "")) == "category":
        return None
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    if array.dtype.kind != "O":
        return None
    numbers = [number_of(value) for value in array.tolist()]
    return None if None in numbers else np.array(numbers, dtype=np.float64)


def number_of(value: object) -> float | None:
    """A value of a column that may hold anything; NaN where it is missing, as pandas says it."""
    if isinstance(value, Real | Decimal):
        return float(value)
    return float("nan") if value is None or repr(value) == "<NA>" else None


def texts_in(values: Any) -> Any:
    """What a column holds, None where it is missing, as pandas says it."""
    texts = [
        None if value is None or repr(value) in ("nan", "<NA>") else value
        for value in np.asarray(values, dtype=object).tolist()
    ]
    return np.array(texts, dtype=object)


def column(frame: Any, name: str) -> FloatArray:
    """The numbers in the column of that name.

    Raises
    ------
    GdfitError : there is no such column, or it holds something else than numbers.
    """
    numbers = numbers_in(values_of(frame, name))
    if numbers is None:
        raise GdfitError("does not hold numbers", column=name)
    return numbers


def array_of(values: ArrayLike, called: str) -> FloatArray:
    """`values` as float64; `called` is the argument that they came as."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise GdfitError(
            f"`{called}` takes numbers, and this {type(values).__name__} holds something else"
        ) from None


def columns_of(x: Any, inputs: Sequence[str], texts: Container[str] = ()) -> list[Any]:
    """The columns of the rows `x`, or the values of the one row `x`.

    Parameters
    ----------
    x : rows, shape (n, p), or one row, shape (p,): values in the order of `inputs`. Or a
        DataFrame, or a row of one, whose columns are found by name among others in any order.
    inputs : the names of the columns.
    texts : those of them that hold texts; the others hold numbers.
    """
    if is_frame(x):
        return [
            texts_in(values_of(x, name)) if name in texts else column(x, name) for name in inputs
        ]
    if is_named_row(x, inputs):
        x = [x[name] for name in inputs]
    rows = (
        np.asarray(x, dtype=object) if any(name in texts for name in inputs) else array_of(x, "x")
    )
    if rows.ndim not in (1, 2) or rows.shape[-1] != len(inputs):
        hint = ""
        if len(inputs) == 1 and rows.ndim == 1:
            hint = "; x.reshape(-1, 1) makes rows of a column"
        raise GdfitError(
            f"`x` takes a value for each feature ({listing(tuple(inputs))}), or rows of them, "
            f"shape (n, {len(inputs)}), not shape {rows.shape}{hint}"
        )
    if rows.ndim == 1:
        return list(rows.tolist())
    return [
        texts_in(rows[:, place]) if name in texts else array_of(rows[:, place], "x")
        for place, name in enumerate(inputs)
    ]
