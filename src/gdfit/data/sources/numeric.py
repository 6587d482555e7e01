"""Arrays that a Python program hands over: as float64, as rows, as columns with names."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.data.text.dialect import several
from gdfit.data.text.header import default_names
from gdfit.errors import GdfitError, NoObservationsError, listing, quoted


def name_of(values: object) -> str | None:
    """The name of a Series."""
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


def array_of(values: ArrayLike, called: str, *, exact: bool = False, texts: bool = False) -> Any:
    """`values` as float64, NaN where one is masked; `called` is the argument that they came as.

    exact : whether to leave whole numbers as they are, with all their digits.
    texts : whether to leave texts and truth values as they are.
    """
    try:
        array = unmasked(values)
        if texts and array.dtype.kind in "OUSb":
            return array
        if array.dtype.kind not in "cmM":
            is_exact = exact and array.dtype.kind in "iu"
            return np.asarray(array, None if is_exact else np.float64)
    except (TypeError, ValueError):
        pass
    if isinstance(values, str):
        raise GdfitError(f"`{called}` is the name of a column, and x is no DataFrame")
    raise GdfitError(
        f"`{called}` takes numbers, and this {type(values).__name__} holds something else"
    )


def unmasked(values: Any, kind: type[object] | None = None) -> Any:
    """`values` as an array, of this `kind` if one is asked for: NaN, or among objects None, where
    one is masked."""
    parts = values if isinstance(values, list | tuple) else [values]
    if not any(isinstance(part, np.ma.MaskedArray) for part in parts):
        return np.asarray(values, kind)
    masked: Any = np.ma.asarray(values) if isinstance(values, np.ndarray) else np.ma.array(parts)
    if not np.ma.is_masked(masked):
        return np.asarray(masked.data, kind)
    if kind is None and masked.dtype.kind in "biuf":
        return masked.astype(np.float64).filled(np.nan)
    return masked.astype(object).filled(None)


def as_rows(x: Any, inputs: Sequence[str], *, levels: bool) -> Any:
    """The rows `x`, shape (n, p), or the one row `x`, shape (p,), as an array.

    Parameters
    ----------
    x : values in the order of `inputs`; or a row of a DataFrame, whose values are found by name.
    inputs : the names of the columns.
    levels : whether some of them hold levels, which stay as they are: texts, or numbers with all
        their digits.

    Raises
    ------
    GdfitError : it has another shape.
    """
    index: Any = getattr(x, "index", None)
    if hasattr(index, "isin") and set(inputs) <= set(map(str, index)):
        # A row of a DataFrame, as `frame.iloc[0]` is: a Series over its columns.
        place_of = {str(name): place for place, name in enumerate(index)}
        x = [x.iloc[place_of[name]] for name in inputs]
    if levels:
        rows = unmasked(x, None if isinstance(x, np.ndarray) else object)
    else:
        rows = array_of(x, "x")
    if rows.ndim not in (1, 2) or rows.shape[-1] != len(inputs):
        hint = ""
        if len(inputs) == 1 and rows.ndim == 1:
            hint = "; x.reshape(-1, 1) makes rows of a column"
        raise GdfitError(
            f"`x` takes a value for each feature ({listing(tuple(inputs))}), or rows of them, "
            f"shape (n, {len(inputs)}), not shape {rows.shape}{hint}"
        )
    return rows


def array_columns(
    x: Any, features: Sequence[str] | str | None, *, exact: bool
) -> list[tuple[Hashable, Any]]:
    """Names and values of the columns of an array, shape (N,) or (N, p): see `array_of`."""
    inputs = array_of(x, "x", exact=exact)
    if inputs.ndim == 1:
        inputs = inputs[:, np.newaxis]
    if inputs.ndim != 2:
        raise shapes_differ(x, inputs)
    if not inputs.shape[1]:
        raise GdfitError("x has no columns")
    own = name_of(x)
    names: tuple[str, ...] = default_names(inputs.shape[1] + 1)[:-1]
    if features is not None:
        names = several(features)
    elif own is not None and len(names) == 1:
        names = (own,)
    if len(names) != inputs.shape[1]:
        raise GdfitError(f"{len(names)} names for {inputs.shape[1]} features")
    return [*zip(names, inputs.T, strict=True)]


def shapes_differ(x: Any, y: Any) -> GdfitError:
    """What to say of shapes that don't match."""
    hint = "; np.ravel(y) takes its column out" if np.shape(y) == (*np.shape(x)[:1], 1) else ""
    return GdfitError(
        f"x of shape (N,) or (N, p) goes with y of shape (N,), not {np.shape(x)} with {np.shape(y)}"
        + hint
    )


def checked_weights(weights: ArrayLike, count: int) -> FloatArray:
    """The weights of `count` observations, shape (N,)."""
    result: FloatArray = array_of(weights, "weights")
    if result.shape != (count,):
        raise GdfitError(f"weights of shape ({count},) go with y, not {np.shape(weights)}")
    if not (np.isfinite(result).all() and (result >= 0).all()):
        raise GdfitError("weights must be finite numbers that are not negative")
    if not result.any():
        raise NoObservationsError(" with a weight above 0")
    return result


def name_beside(names: Sequence[str], name: str) -> str:
    """A name for a column among columns of these names, of which it is none."""
    while name in names:
        name += "_"
    return name


def check_finite(columns: Sequence[tuple[Hashable, FloatArray]]) -> None:
    """Raise for the first number of an array that is not finite; y is the last of the columns."""
    wrong = [np.flatnonzero(~np.isfinite(values)).tolist() for _, values in columns]
    faults = [(rows[0], place) for place, rows in enumerate(wrong) if rows]
    if faults:
        row, place = min(faults)
        name, values = columns[place]
        called = "y" if place == len(columns) - 1 else quoted(str(name))
        raise GdfitError(
            f"{called} is {values[row]} in row {row}, counted from 0: x and y must be finite "
            "numbers"
        )
