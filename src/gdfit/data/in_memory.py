"""Observations from what a Python program holds: arrays, Series, and DataFrames of any kind."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.data.near import near
from gdfit.data.observations import FIRST_ROWS, Observations, Rows
from gdfit.data.reduction.condense import Condense
from gdfit.data.reduction.tree import reduce_files
from gdfit.data.sources.frames import FrameFile, columns_of, frame_file, is_frame
from gdfit.data.terms.columns import Chosen, choose_columns, nothing_left
from gdfit.data.terms.expansion import Expansion
from gdfit.data.text.dialect import Selection, several
from gdfit.data.text.header import default_names
from gdfit.errors import GdfitError, NoObservationsError, UsageError, listing, quoted


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


def array_of(values: ArrayLike, called: str, *, exact: bool = False) -> FloatArray:
    """`values` as float64, NaN where one is masked; `called` is the argument that they came as.

    exact : whether to leave whole numbers as they are, with all their digits.
    """
    try:
        array = unmasked(values)
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


class Like(Protocol):
    """What says which features there are: observations, or a model."""

    @property
    def features(self) -> tuple[str, ...]:
        """Their names."""

    @property
    def expansion(self) -> Expansion | None:
        """What makes them of columns, where they are not columns as they stand."""

    @property
    def intercept(self) -> bool:
        """Whether there is a b."""


def observations_from(
    x: Any,
    y: Any,
    features: Sequence[str] | str | None = None,
    target: str | None = None,
    *,
    exclude: Sequence[str] | str = (),
    degree: int = 1,
    weights: Any = None,
    intercept: bool = True,
    drop_missing: bool = False,
    like: Like | None = None,
) -> Observations:
    """Observations from arrays or DataFrames, for use in Python.

    Of a DataFrame, the columns are chosen as `read_observations` chooses those of a file. A column
    of strings or of booleans and a category of pandas are text columns.

    Parameters
    ----------
    x : the features, shape (N,) or (N, p), or a DataFrame that has them among its columns.
    y : the target, shape (N,); or of the DataFrame x the name of a column, or a term as
        ``log(price)``. A column of the name of the Series that y is, is no feature.
    features : of a DataFrame, the terms to predict from, as ``["x", "x^2", "log(z)", "species"]``;
        by default all other columns with numbers. `Observations.left_out` names those that have
        none. Of an array, names for its columns, by default x (one feature) or x1…xp.
    target : what to call the target; by default as the column or the Series is called, or else y.
    exclude : columns that are not used.
    degree : up to which to add all powers and products of the features that are numbers.
    weights : how much each observation counts, shape (N,), or the name of a column that says it; by
        default all count alike.
    intercept : whether there is a b to fit; where there is none, it stays 0.
    drop_missing : skip rows with a missing value, which are an error otherwise.
    like : observations or a model whose features these are to have, made by the same terms of the
        same levels: as of a validation set, or for `summarize` with a model.

    Raises
    ------
    GdfitError : the shapes don't match, a column can't be used, or a value is not a finite number;
        it names the row and the column.

    Examples
    --------
    >>> import gdfit, pandas
    >>> birds = pandas.DataFrame({"kind": ["a", "b", "b"], "wing": [1, 2, 4], "mass": [2, 5, 9]})
    >>> gdfit.observations_from(birds, "mass", ["kind", "wing"]).features
    ('kind[b]', 'wing')
    """
    same_rows(x, y)
    same_rows(x, weights)
    asked = Selection(exclude=several(exclude), degree=degree, intercept=intercept)
    if like:
        if exclude or degree != 1 or (features is not None and is_frame(x)):
            raise UsageError("`like` says which features there are: leave out the others")
        made_by = like.expansion.terms if like.expansion else like.features
        asked = Selection(tuple(map(str, made_by)), intercept=like.intercept)
    frame = is_frame(x)
    exact = bool(like and like.expansion and like.expansion.categories)
    columns = columns_of(x) if frame else array_columns(x, features, exact=exact)
    if frame and features is not None:
        asked = replace(asked, features=several(features))
    names, count = [name for name, _ in columns], len(columns[0][1]) if columns else 0
    if frame:  # a column that is called as the target is no feature
        own = {target, name_of(y)}
        columns = [(name, values) for name, values in columns if str(name) not in own]
    if frame and (isinstance(y, str) or (isinstance(y, Hashable) and y in names)):
        called, aimed_at = target, str(y)
    else:
        called = target or name_of(y) or "y"
        observed = y if frame and hasattr(y, "head") else array_of(y, "y")
        if np.shape(observed) != (count,):
            raise shapes_differ(x, y)
        aimed_at = name_beside([str(name) for name, _ in columns], called)
        columns.append((aimed_at, observed))
        if not (frame or drop_missing):
            check_finite(columns)
    weighed_by = weights if frame and isinstance(weights, str) else None
    is_array = weights is not None and weighed_by is None
    counts = checked_weights(weights, count) if is_array else None
    if not (frame or drop_missing) and asked == Selection(intercept=asked.intercept):
        observations = as_they_stand(columns, counts, intercept=asked.intercept)
    else:
        if counts is not None:
            asked = replace(asked, weights=name_beside([*map(str, names), aimed_at], "weights"))
            columns.append((asked.weights, counts))
        file = frame_file(x, columns, "the array" if not frame else None)
        asked = replace(asked, target=aimed_at, weights=asked.weights or weighed_by)
        observations = condense_frame(file, asked, like, drop_missing=drop_missing)
    target_name = called or observations.target_name
    return replace(observations, target_name=target_name, weights_name=weighed_by)


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


def condense_frame(
    file: FrameFile, asked: Selection, like: Like | None, *, drop_missing: bool
) -> Observations:
    """The observations in columns in memory; the rows are kept as well."""
    columns = choose_columns(file.layout, file.name, asked)
    if like:
        known = like.expansion and replace(like.expansion, intercept=like.intercept)
        columns = replace(columns, known=known)
    job = Condense(Chosen(columns, asked, drop_missing), keep_rows=True)
    found: Observations | None
    (found,), _ = reduce_files([file], job)
    if not found:
        why = nothing_left(file.layout, columns, drop_missing=drop_missing)
        raise NoObservationsError(why, file=file.name)
    return found


def as_they_stand(
    columns: Sequence[tuple[Hashable, FloatArray]], weights: FloatArray | None, *, intercept: bool
) -> Observations:
    """Observations of the columns of an array, of which the last one is y, not condensed."""
    *features, (target, observed) = columns
    if not len(observed):
        raise NoObservationsError
    values = [values for _, values in features]
    rows = np.column_stack([*values, np.full(len(observed), float(intercept)), observed])
    rows = np.asfortranarray(rows)  # BLAS is quicker with it
    if weights is not None:
        rows, weights = rows[weights > 0], weights[weights > 0]
    whole = rows if weights is None else np.column_stack([rows, weights])
    kept = Rows(whole.shape[1])
    kept.add(whole)
    sample = np.delete(rows, -2, axis=1)
    around = near(rows)
    if weights is not None:
        around = around.weighed(weights)
    return Observations(
        augmented=rows if weights is None else rows * np.sqrt(weights)[:, np.newaxis],
        near=around if around.origin.any() else None,
        count=len(rows),
        features=tuple(str(name) for name, _ in features),
        target_name=str(target),
        first=sample[:FIRST_ROWS],
        last=sample[-1],
        sample=sample,
        rows=kept,
        weight=None if weights is None else float(weights.sum()),
        first_weights=None if weights is None else weights[:FIRST_ROWS],
        sample_weights=weights,
        sample_inputs=sample[:, :-1],
        intercept=intercept,
    )


def shapes_differ(x: Any, y: Any) -> GdfitError:
    """What to say of shapes that don't match."""
    hint = "; np.ravel(y) takes its column out" if np.shape(y) == (*np.shape(x)[:1], 1) else ""
    return GdfitError(
        f"x of shape (N,) or (N, p) goes with y of shape (N,), not {np.shape(x)} with {np.shape(y)}"
        + hint
    )


def checked_weights(weights: ArrayLike, count: int) -> FloatArray:
    """The weights of `count` observations, shape (N,)."""
    result = array_of(weights, "weights")
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
