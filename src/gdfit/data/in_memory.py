"""Observations from what a Python program hands over: arrays, Series, and DataFrames of any kind;
or observations that it has made of them. What makes them of columns is imported where it does."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from numbers import Real
from os import PathLike
from typing import Any, TypedDict, Unpack, cast

import numpy as np

from gdfit.arrays import FloatArray, near
from gdfit.data.batch import Rows
from gdfit.data.observations import (
    FIRST_ROWS,
    Fitted,
    Like,
    Observations,
    as_folds,
    held_out_of,
    terms_of,
)
from gdfit.data.reduction.sampling import Folds, HoldOut
from gdfit.data.text.dialect import Dialect, Selection, several
from gdfit.errors import NoObservationsError, UsageError, a_kind, listing, quoted


def observations_from(
    x: Any,
    y: Any = None,
    features: Sequence[str] | str | None = None,
    target: str | None = None,
    *,
    exclude: Sequence[str] | str = (),
    degree: int = 1,
    weights: Any = None,
    intercept: bool = True,
    classes: bool = False,
    positive: Any = None,
    by: Any = None,
    formula: str | None = None,
    drop_missing: bool = False,
    dates: str | None = None,
    like: Like | Fitted | None = None,
) -> Observations:
    """Observations from arrays or DataFrames, for use in Python.

    Of a DataFrame, the columns are chosen as `read_observations` chooses those of a file. A column
    of strings or of booleans and a category of pandas are text columns.

    Parameters
    ----------
    x : the features, shape (N,) or (N, p), or a DataFrame that has them among its columns.
    y : the target, shape (N,); or of the DataFrame x the name of a column, or a term as
        ``log(price)``. A column of the name of the Series that y is, is no feature. Of a DataFrame,
        it may be left out: then `target` names it, or it is found as in a file.
    features : of a DataFrame, the terms to predict from, as ``["x", "x^2", "log(z)", "species"]``;
        by default all other columns with numbers. `Observations.left_out` names those that have
        none. Of an array, names for its columns, by default x (one feature) or x1…xp.
    target : what to call the target; by default as the column or the Series is called, or else y.
    exclude : columns that are not used.
    degree : up to which to add all powers and products of the features that are numbers.
    weights : how much each observation counts, shape (N,), or the name of a column that says it; by
        default all count alike.
    intercept : whether there is a b to fit; where there is none, it stays 0.
    classes : whether the target has two values, of which one is y = 1 and the other y = 0, as the
        logistic loss takes it.
    positive : the value that is y = 1; by default the second in sorted order.
    by : what parts the observations into groups, as `train_groups` fits them: the name of a column,
        or the group of each, shape (N,).
    formula : of a DataFrame, features and target in R's way, as ``log(y) ~ x + a*b``.
    drop_missing : skip rows with a missing value, which are an error otherwise.
    dates : ``mdy`` where the month stands first in texts that are dates and may be either, ``dmy``
        where the day does.
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
    (found,) = observations_of(**locals())  # which takes the same arguments
    assert found
    return found


def observations_of(
    x: Any,
    y: Any = None,
    *,
    features: Sequence[str] | str | None = None,
    target: str | None = None,
    exclude: Sequence[str] | str = (),
    degree: int = 1,
    weights: Any = None,
    intercept: bool = True,
    classes: bool = False,
    positive: Any = None,
    by: Any = None,
    formula: str | None = None,
    drop_missing: bool = False,
    dates: str | None = None,
    like: Like | Fitted | None = None,
    dealing: HoldOut | Folds | None = None,
) -> list[Observations | None]:
    """The observations in each pile that rows are dealt to: see `observations_from`."""
    from gdfit.data.dataset import Dataset
    from gdfit.data.sources.frames import (
        array_columns,
        array_of,
        check_finite,
        checked_weights,
        columns_of,
        frame_file,
        is_frame,
        name_of,
        same_rows,
        shapes_differ,
    )

    dialect = Dialect(dates=dates)
    alike = None if like is None else cast(Like, getattr(like, "model", like))
    if isinstance(x, str | PathLike):
        raise UsageError(f"`read_observations` reads a file as {quoted(str(x))}; here x are rows")
    same_rows(x, y)
    same_rows(x, weights)
    asked = Selection(exclude=several(exclude), degree=degree, intercept=intercept)
    if alike:
        if exclude or degree != 1 or (features is not None and is_frame(x)):
            raise UsageError("`like` says which features there are: leave out the others")
        asked = Selection(terms_of(alike), intercept=alike.intercept)
        if alike.classes:
            positive = alike.classes.names[1]
    if classes or positive is not None:
        named = None if positive is None else str(positive)
        asked = replace(asked, positive=named, classes=True)
    frame = is_frame(x)
    if formula is not None:
        if not frame or y is not None or target is not None or alike:
            raise UsageError("`formula` goes with a DataFrame alone, and says what y is")
        asked = replace(asked, formula=formula)
    if frame and y is None:
        y, target = target, None
    elif y is None:
        raise UsageError(f"`y` is missing, which names a column of a DataFrame; x is {a_kind(x)}")
    exact = bool(alike and alike.expansion and alike.expansion.categories)
    columns = columns_of(x) if frame else array_columns(x, features, exact=exact)
    if frame and features is not None:
        asked = replace(asked, features=several(features))
    names, count = [name for name, _ in columns], len(columns[0][1]) if columns else 0

    def put_beside(name: str, values: Any) -> str:
        """Add a column, of this name if there is none yet, and say what it is called."""
        while name in (str(other) for other, _ in columns):
            name += "_"
        columns.append((name, values))
        return name

    if frame:  # a column that is called as the target is no feature
        own = {target, name_of(y)}
        columns = [(name, values) for name, values in columns if str(name) not in own]
    aimed_at: str | None
    if frame and (y is None or isinstance(y, str) or (isinstance(y, Hashable) and y in names)):
        called, aimed_at = target, None if y is None else str(y)
    else:
        called = target or name_of(y) or "y"
        observed = y if frame and hasattr(y, "head") else array_of(y, "y", texts=asked.classes)
        if np.shape(observed) != (count,):
            raise shapes_differ(x, y)
        aimed_at = put_beside(called, observed)
        if not (frame or drop_missing):
            check_finite(columns[: -1 if asked.classes else None])
    if by is not None and not (frame and isinstance(by, str)):
        same_rows(x, by)
        if np.shape(by) != (count,):
            what = f"`by` takes the group of each row, shape ({count},)"
            raise UsageError(f"{what}, or the name of a column, not shape {np.shape(by)}")
        by = put_beside(name_of(by) or "group", array_of(by, "by", exact=True, texts=True))
    asked = replace(asked, by=by)
    weighed_by = weights if frame and isinstance(weights, str) else None
    is_array = weights is not None and weighed_by is None
    counts = checked_weights(weights, count) if is_array else None
    is_plain = asked == Selection(intercept=asked.intercept) and not (frame or drop_missing)
    found: list[Observations | None]
    if is_plain and not dealing:
        found = [as_they_stand(columns, counts, intercept=asked.intercept)]
    else:
        if counts is not None:
            asked = replace(asked, weights=put_beside("weights", counts))
        file = frame_file(x, columns, "the array" if not frame else None, dialect)
        asked = replace(asked, target=aimed_at, weights=asked.weights or weighed_by)
        dialect = replace(dialect, drop_missing=drop_missing)
        data = Dataset((), asked, dialect, like=alike, frame=file)
        _, found = data.condensed(dealing.seed if dealing else 0, dealing, keep_rows=True)
    return [
        pile and replace(pile, target_name=called or pile.target_name, weights_name=weighed_by)
        for pile in found
    ]


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
        log_weight=0.0 if weights is None else float(np.log(weights).sum()),
        first_weights=None if weights is None else weights[:FIRST_ROWS],
        sample_weights=weights,
        sample_inputs=sample[:, :-1],
        intercept=intercept,
    )


class DataOptions(TypedDict, total=False):
    """The arguments of `observations_from`, beside x and y."""

    features: Sequence[str] | str | None
    target: str | None
    exclude: Sequence[str] | str
    degree: int
    weights: Any
    intercept: bool
    classes: bool
    positive: Any
    by: Any
    formula: str | None
    drop_missing: bool
    dates: str | None
    like: Like | Fitted | None


def observed(x: Any, y: Any = None, **how: Unpack[DataOptions]) -> Observations:
    """The observations `x`; or those that `observations_from` makes of x and y.

    Raises
    ------
    UsageError : x are observations, and something more is said of them.
    """
    if not isinstance(x, Observations):
        return observations_from(x, y, **how)
    if y is not None or how:
        more = listing(tuple(f"`{name}`" for name in how)) or "y"
        raise UsageError(f"observations have been made: {more} belongs to what makes them")
    return x


# What says which features there are.
SAYS_FEATURES = {"features", "exclude", "degree", "formula", "like"}


def as_modelled(x: Any, y: Any, how: DataOptions, like: Like, target: str) -> DataOptions:
    """`how` observations are made of x and y for a model: as `like` it and of its `target`, where x
    is a DataFrame of which nothing else is said."""
    if isinstance(x, Observations) or not hasattr(x, "columns") or how.keys() & SAYS_FEATURES:
        return how
    own = cast(DataOptions, {"like": like, **({"target": target} if y is None else {})})
    return {**own, **how}


def with_folds(
    x: Any, y: Any, folds: int, seed: int = 0, **how: Unpack[DataOptions]
) -> tuple[Observations, list[Observations]]:
    """The observations, and those of each fold.

    Raises
    ------
    UsageError : they have been condensed already, or are fewer than the folds.
    """
    if isinstance(x, Observations):
        raise UsageError("`cv` takes the rows themselves, and observations have been made of them")
    *parts, whole = observations_of(x, y, dealing=Folds(folds, seed), **how)
    assert whole
    return as_folds(parts, whole)


def with_validation(
    x: Any, y: Any, validation: Any, seed: int = 0, **how: Unpack[DataOptions]
) -> tuple[Observations, Observations | None]:
    """The observations to descend on, and those to validate on.

    Parameters
    ----------
    x, y, how : as `observed` takes them.
    validation : observations; a fraction of the rows to hold out, between 0 and 1, which are those
        that the command line holds out of a file of these rows of 2 MB at most; a DataFrame like x,
        or a pair of arrays like x and y; or none.
    seed : which rows are held out comes from it.

    Raises
    ------
    UsageError : the fraction is out of range, or of rows that have been condensed.
    """
    if isinstance(validation, Real):
        if isinstance(x, Observations):
            raise UsageError(
                "`validation` takes a fraction where rows are given, and observations have been "
                "made of them: split them before, or hand over the rows themselves"
            )
        fraction = float(validation)
        if not 0 < fraction < 1:
            raise UsageError(f"`validation` takes a fraction between 0 and 1, not {fraction:g}")
        piles = observations_of(x, y, dealing=HoldOut(fraction, seed), **how)
        return held_out_of(piles, fraction)
    observations = observed(x, y, **how)
    if validation is None or isinstance(validation, Observations):
        return observations, validation
    from gdfit.data.sources.frames import is_frame

    frame = is_frame(validation)
    if not frame and not (isinstance(validation, tuple) and len(validation) == 2):
        raise UsageError(
            "`validation` takes observations, a fraction of the rows, a DataFrame, or arrays x and "
            f"y as (x, y), not {a_kind(validation)}"
        )
    alike = {name: how[name] for name in ("drop_missing", "dates") if name in how}
    other = cast(DataOptions, {"like": observations, **alike})
    if frame:
        there = y if isinstance(y, str) else how.get("target") or observations.target_name
        return observations, observations_from(validation, there, **other)
    if not is_frame(validation[0]):
        made_of = observations.expansion
        other["features"] = made_of.inputs if made_of else observations.features
    other["target"] = observations.target_name
    return observations, observations_from(*validation, **other)
