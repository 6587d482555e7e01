"""What Python programs hold rows in: arrays, Series, and DataFrames, whose columns have names.

A DataFrame is anything with `columns` that can be asked for one by its name: pandas is not imported
here, and polars will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.errors import GdfitError, listing


def is_frame(x: object) -> bool:
    """Whether the columns of `x` have names."""
    names = ("__len__", "__getitem__", "columns")
    return all(hasattr(x, name) for name in names) and not hasattr(x, "column_names")  # Arrow's own


def is_named_row(x: Any, features: Sequence[str]) -> bool:
    """Whether `x` is a row of a DataFrame, as `frame.iloc[0]` is: a Series over its columns."""
    return hasattr(getattr(x, "index", None), "isin") and set(features) <= set(map(str, x.index))


def names_of(frame: Any) -> tuple[str, ...]:
    """The names of its columns, as text."""
    return tuple(map(str, frame.columns))


def name_of(values: object) -> str | None:
    """What a Series is called."""
    name = getattr(values, "name", None)
    return None if name is None else str(name)


def same_rows(x: object, y: object) -> None:
    """Raise where rows that have labels would go with others.

    Raises
    ------
    GdfitError : `x` and `y` have an index each, which are not the same.
    """
    labels: Any = getattr(x, "index", None)
    others: Any = getattr(y, "index", None)
    labelled = hasattr(labels, "equals") and hasattr(others, "equals")
    if labelled and len(labels) == len(others) and not labels.equals(others):
        raise GdfitError(
            f"the rows of {name_of(y) or 'y'} are labelled otherwise than those of x; if they are "
            "in the same order, to_numpy() takes the labels off"
        )


def array_of(values: ArrayLike, called: str) -> FloatArray:
    """`values` as float64; `called` is the argument that they came as."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "cmM":
            return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        pass
    if isinstance(values, str):
        raise GdfitError(f"`{called}` is the name of a column, and x is no DataFrame")
    raise GdfitError(
        f"`{called}` takes numbers, and this {type(values).__name__} holds something else"
    )


def rows_of(x: Any, inputs: Sequence[str], *, texts: bool) -> Any:
    """The rows `x`, shape (n, p), or the one row `x`, shape (p,), as an array.

    Parameters
    ----------
    x : values in the order of `inputs`; or a row of a DataFrame, whose values are found by name.
    inputs : the names of the columns.
    texts : whether some of them hold texts: the array is then one of objects.

    Raises
    ------
    GdfitError : it has another shape.
    """
    if is_named_row(x, inputs):
        place_of = {str(name): place for place, name in enumerate(x.index)}
        x = [x.iloc[place_of[name]] for name in inputs]
    rows = np.asarray(x, dtype=object) if texts else array_of(x, "x")
    if rows.ndim not in (1, 2) or rows.shape[-1] != len(inputs):
        hint = ""
        if len(inputs) == 1 and rows.ndim == 1:
            hint = "; x.reshape(-1, 1) makes rows of a column"
        raise GdfitError(
            f"`x` takes a value for each feature ({listing(tuple(inputs))}), or rows of them, "
            f"shape (n, {len(inputs)}), not shape {rows.shape}{hint}"
        )
    return rows
