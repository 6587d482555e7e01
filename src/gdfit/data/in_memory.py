"""Observations from what a Python program holds: arrays, Series and DataFrames."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.data.columns import choose_columns, nothing_left
from gdfit.data.condense import Condenser
from gdfit.data.expansion import Expansion
from gdfit.data.frame_file import FrameFile, file_of, frame_file
from gdfit.data.layout import default_names
from gdfit.data.levels import Levels
from gdfit.data.observations import FIRST_ROWS, Observations
from gdfit.data.recipe import Chosen
from gdfit.data.rows import Rows
from gdfit.data.selection import Selection, several
from gdfit.data.tables import array_of, is_frame, name_of, names_of, same_rows
from gdfit.errors import GdfitError, NoObservationsError, UsageError, quoted


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
        asked = Selection(terms_of(like), intercept=like.intercept)
    if is_frame(x):
        if features is not None:
            asked = replace(asked, features=several(features))
        return from_frame(x, y, target, weights, asked, like, drop_missing=drop_missing)
    return from_array(x, y, features, target, weights, asked, like, drop_missing=drop_missing)


def from_array(
    x: Any,
    y: Any,
    features: Sequence[str] | str | None,
    target: str | None,
    weights: Any,
    asked: Selection,
    like: Like | None,
    *,
    drop_missing: bool,
) -> Observations:
    """Observations from arrays, as they stand unless more is asked: see `observations_from`."""
    inputs, outputs = array_of(x, "x"), array_of(y, "y")
    if inputs.ndim == 1:
        inputs = inputs[:, np.newaxis]
    if inputs.ndim != 2 or outputs.shape != inputs.shape[:1]:
        raise shapes_differ(x, y)
    if not inputs.shape[1]:
        raise GdfitError("x has no columns")
    names = names_for(x, inputs.shape[1]) if features is None else several(features)
    if len(names) != inputs.shape[1]:
        raise GdfitError(f"{len(names)} names for {inputs.shape[1]} features")
    target = target or name_of(y) or "y"
    of_rows = None if weights is None else checked_weights(weights, len(outputs))
    if asked == Selection(intercept=asked.intercept) and not drop_missing:
        return as_they_stand(inputs, outputs, names, target, of_rows, intercept=asked.intercept)
    named = None if of_rows is None else name_beside((*names, target))
    more = {target: outputs} if named is None else {target: outputs, named: of_rows}
    columns = [*inputs.T, *more.values()]
    file = file_of("the array", [*names, *more], columns, drop_missing=drop_missing)
    observations = condensed(file, replace(asked, target=target, weights=named), like)
    return replace(observations, weights_name=None)


def terms_of(like: Like) -> tuple[str, ...]:
    """What the features are made by, as it is typed."""
    return tuple(map(str, like.expansion.terms)) if like.expansion else like.features


def from_frame(
    x: Any,
    y: Any,
    target: str | None,
    weights: Any,
    asked: Selection,
    like: Like | None,
    *,
    drop_missing: bool,
) -> Observations:
    """Observations from a DataFrame: see `observations_from`."""
    beside: dict[str, Any] = {}
    aimed_at, without = y, {target}
    if isinstance(y, Hashable) and y in list(x.columns):
        aimed_at = str(y)
    elif not isinstance(y, str):
        aimed_at, without = target or name_of(y) or "y", {target, name_of(y)}
        beside[aimed_at] = y if hasattr(y, "head") else array_of(y, "y")
        if np.shape(beside[aimed_at]) != (len(x),):
            raise shapes_differ(x, y)
    weighed_by = weights
    if weights is not None and not isinstance(weights, str):
        weighed_by = name_beside((*names_of(x), aimed_at))
        beside[weighed_by] = checked_weights(weights, len(x))
    file = frame_file(x, without, beside, drop_missing=drop_missing)
    observations = condensed(file, replace(asked, target=aimed_at, weights=weighed_by), like)
    return replace(
        observations,
        target_name=target or observations.target_name,
        weights_name=weights if isinstance(weights, str) else None,
    )


def condensed(file: FrameFile, asked: Selection, like: Like | None) -> Observations:
    """The observations in columns in memory; the rows are kept as well."""
    columns = choose_columns(file.layout, file.name, asked)
    if like:
        known = like.expansion and replace(like.expansion, intercept=like.intercept)
        columns = replace(columns, known=known)
    levels = Levels(columns.expansion)
    condenser = Condenser(columns, keep_rows=True, levels=levels)
    for block in Chosen(columns, asked).blocks(file, levels):
        condenser.add(block)
    if not condenser.count:
        why = nothing_left(file.layout, columns, drop_missing=file.drop_missing)
        raise NoObservationsError(why, file=file.name)
    return condenser.observations()


def as_they_stand(
    inputs: FloatArray,
    outputs: FloatArray,
    names: tuple[str, ...],
    target: str,
    weights: FloatArray | None,
    *,
    intercept: bool,
) -> Observations:
    """Observations of an array's columns, shape (N, p), not condensed."""
    if not len(outputs):
        raise NoObservationsError
    ones = np.full(len(outputs), float(intercept))
    rows = np.asfortranarray(np.column_stack([inputs, ones, outputs]))  # BLAS is quicker with it
    check_finite(rows, names)
    kept = Rows(rows.shape[1] + (weights is not None))
    if weights is not None:
        counted = weights > 0
        rows, weights = rows[counted], weights[counted]
    kept.add(rows if weights is None else np.column_stack([rows, weights]))
    sample = np.delete(rows, -2, axis=1)
    return Observations(
        augmented=rows if weights is None else rows * np.sqrt(weights)[:, np.newaxis],
        count=len(rows),
        features=names,
        target_name=target,
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


def name_beside(names: Sequence[str]) -> str:
    """What a column of weights is called among columns of these names, of which it is none."""
    name = "weights"
    while name in names:
        name += "_"
    return name


def names_for(x: Any, count: int) -> tuple[str, ...]:
    """What `count` features are called that come without names; a Series has one."""
    name = name_of(x)
    return (name,) if name is not None and count == 1 else default_names(count + 1)[:-1]


def check_finite(rows: FloatArray, features: Sequence[str]) -> None:
    """Raise for the first number that is not finite in rows of features, a one and y."""
    faults = np.argwhere(~np.isfinite(rows))
    if len(faults):
        row, place = faults[0].tolist()
        name = quoted(features[place]) if place < len(features) else "y"
        raise GdfitError(
            f"{name} is {rows[row, place]} in row {row}, counted from 0: x and y must "
            "be finite numbers"
        )
