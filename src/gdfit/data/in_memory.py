"""Observations from what a Python program holds: arrays, Series, and DataFrames of any kind.

A DataFrame is whatever gives its columns to Arrow (`__arrow_c_stream__`), as pandas, polars, DuckDB
and pyarrow do. It is read as a data file: the same columns are chosen, and the same words are
missing, as where it is written to a file and read. A column holds numbers or words by its type; one
of Python's objects, by its first values. A category of pandas holds words, and so does a column of
booleans, as in a file.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.data.arrow import TypedError, batch_of, held_in, typed_layout
from gdfit.data.batch import Asked, Batch, Unit
from gdfit.data.data_file import DataFile
from gdfit.data.observations import FIRST_ROWS, Observations, Rows
from gdfit.data.reduction.condense import Condense
from gdfit.data.reduction.tree import reduce_files
from gdfit.data.terms.columns import Chosen, choose_columns, nothing_left
from gdfit.data.terms.expansion import Expansion, level_name
from gdfit.data.text.dialect import Selection, several
from gdfit.data.text.fields import Grammar, says_number
from gdfit.data.text.header import SNIFFED_ROWS, Held, Layout, default_names
from gdfit.errors import FieldError, GdfitError, NoObservationsError, UsageError, listing, quoted

GRAMMAR = Grammar(",", hints=False)
UNIT_ROWS = 1 << 18


def is_frame(x: object) -> bool:
    """True where the columns of `x` have names."""
    return hasattr(x, "__arrow_c_stream__") and (hasattr(x, "columns") or hasattr(x, "schema"))


def is_named_row(x: Any, features: Sequence[str]) -> bool:
    """True of a row of a DataFrame, as `frame.iloc[0]` is: a Series over its columns."""
    return hasattr(getattr(x, "index", None), "isin") and set(features) <= set(map(str, x.index))


def columns_of(frame: Any) -> list[tuple[Hashable, Any]]:
    """Names and values of a DataFrame's columns; pandas may have several of a name."""
    if hasattr(frame, "iloc"):
        return [(name, frame.iloc[:, place]) for place, name in enumerate(frame.columns)]
    import pyarrow as pa

    table = pa.table(frame)
    return [*zip(table.column_names, table.columns, strict=True)]


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


def as_rows(x: Any, inputs: Sequence[str], *, texts: bool) -> Any:
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


@dataclass(frozen=True)
class FrameFile:
    """Columns in memory, read as those of a file.

    name : what to call it in messages.
    columns : the values of each: numbers of NumPy's, or an array of Arrow's.
    labels : the rows' labels, where they have some.
    """

    name: str
    layout: Layout
    columns: Sequence[Any]
    labels: Any = None
    is_text = False

    def like(self, first: DataFile) -> FrameFile:
        """This one: its columns have names."""
        return self

    def units(self) -> Iterator[Unit]:
        """All rows, `UNIT_ROWS` at a time."""
        for number, start in enumerate(range(0, len(self.columns[0]), UNIT_ROWS)):
            yield Unit(number, slice(start, start + UNIT_ROWS))

    @property
    def whole(self) -> Unit:
        """All rows at once."""
        return Unit(0, slice(0, len(self.columns[0])))

    def batches(self, unit: Unit, asked: Sequence[Asked], *, may_miss: bool) -> Iterator[Batch]:
        """The rows of a unit: see `DataFile`."""
        columns = {place: self.columns[place][unit.content] for place, _ in asked}
        count = len(self.columns[0][unit.content])
        try:
            yield batch_of(count, columns, asked, GRAMMAR, may_miss=may_miss)
        except TypedError as error:
            raise self.fault_in(unit, error.row, error.place, error.what) from None

    def fault_in(self, unit: Unit, row: int, place: int, what: str) -> FieldError:
        """What is wrong with a value in this row of a unit, from 0."""
        row += unit.content.start
        where, column = f"{row} (from 0)", self.layout.names[place]
        if self.labels is not None:
            (label,) = self.labels[row : row + 1].tolist()
            if label != row:
                said = label if isinstance(label, int) else quoted(str(label))
                where = f"{said} ({row} from 0)"
        return FieldError(what, file=self.name, row=where, column=column)


def frame_file(
    frame: Any,
    columns: Sequence[tuple[Hashable, Any]] | None = None,
    called: str | None = None,
) -> FrameFile:
    """A DataFrame as a data file; `columns` may be other ones than its own."""
    columns = columns_of(frame) if columns is None else columns
    read = [column_of(values) for _, values in columns]
    layout = typed_layout([str(name) for name, _ in columns], [held for _, held in read], GRAMMAR)
    labels = None if called else getattr(frame, "index", None)
    name = called or f"the {type(frame).__name__}"
    return FrameFile(name, layout, [column for column, _ in read], labels)


def column_of(values: Any) -> tuple[Any, Held]:
    """A column as numbers of NumPy's or an array of Arrow's, and what its first values are."""
    kind = getattr(values, "dtype", None)
    if isinstance(kind, np.dtype) and kind.kind in "iuf":
        return with_held(np.asarray(values, np.float64))
    import pyarrow as pa

    if str(kind) == "category":  # its words, each once
        said = [word_of(value) for value in values.dtype.categories]
        codes = pa.array(np.asarray(values.array.codes), mask=values.array.codes < 0)
        return with_held(pa.DictionaryArray.from_arrays(codes, pa.array(said, pa.binary())))
    if getattr(kind, "kind", "") != "O":
        try:
            column = values if isinstance(values, pa.ChunkedArray) else pa.array(values)
            return with_held(column)
        except (pa.ArrowException, TypeError, ValueError):
            pass  # complex numbers, intervals and the like
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return pa.array(map(word_of, listed), pa.binary()), held_of(listed[:SNIFFED_ROWS])


def with_held(column: Any) -> tuple[Any, Held]:
    """A column of one type, and what its first values are."""
    return column, held_in(column[:SNIFFED_ROWS], GRAMMAR)


def held_of(first: Sequence[object]) -> Held:
    """What Python's objects are."""
    present = [value for value in first if not GRAMMAR.is_missing(word_of(value))]
    words = [word_of(value) for value in present if not is_number(value)]
    if len(words) < len(present):  # words among numbers may say numbers
        words = [word for word in words if not says_number(decoded(word), GRAMMAR.decimal)]
    word = decoded(words[0]) if words else ""
    return Held(len(present) - len(words), len(first) - len(present), len(words), word)


def decoded(word: bytes) -> str:
    """A word as text."""
    return word.decode(errors="surrogateescape")


def word_of(value: object) -> bytes:
    """A value's word, from which a number is read back as the same float64; one of the words for a
    missing value where it is missing."""
    if isinstance(value, bytes):
        return value.strip(GRAMMAR.blanks)
    if isinstance(value, str):
        return encoded(value).strip(GRAMMAR.blanks)
    if isinstance(value, Real) and not isinstance(value, bool | Integral):
        return level_name(float(value)).encode()
    missing = value is None or repr(value) in WORDS_OF_PANDAS
    return b"" if missing else encoded(str(value))


def encoded(text: str) -> bytes:
    """A text as bytes, as it would stand in a file."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace")


WORDS_OF_PANDAS = ("<NA>", "NaT")  # what it shows of its own missing values


def is_number(value: object) -> bool:
    """True of an object that is a number, and no truth value."""
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


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
    columns = columns_of(x) if frame else array_columns(x, features)
    if frame and features is not None:
        asked = replace(asked, features=several(features))
    names, count = [name for name, _ in columns], len(columns[0][1]) if columns else 0
    if frame and (isinstance(y, str) or (isinstance(y, Hashable) and y in names)):
        called, aimed_at = target, str(y)
        columns = [(name, values) for name, values in columns if str(name) != target]
    else:
        called = target or name_of(y) or "y"
        observed = y if frame and hasattr(y, "head") else array_of(y, "y")
        if np.shape(observed) != (count,):
            raise shapes_differ(x, y)
        if frame:  # a column that is called as the target is no feature
            own = {target, name_of(y)}
            columns = [(name, values) for name, values in columns if str(name) not in own]
        aimed_at = name_beside([str(name) for name, _ in columns], called)
        columns.append((aimed_at, observed))
        if not (frame or drop_missing):
            check_finite(columns)
    weighed_by = weights
    if weights is not None and not isinstance(weights, str):
        weighed_by = name_beside([*map(str, names), aimed_at], "weights")
        columns.append((weighed_by, checked_weights(weights, count)))
    if not (frame or drop_missing) and asked == Selection(intercept=asked.intercept):
        observations = as_they_stand(columns, weights is not None, intercept=asked.intercept)
    else:
        file = frame_file(x, columns, "the array" if not frame else None)
        asked = replace(asked, target=aimed_at, weights=weighed_by)
        observations = condense_frame(file, asked, like, drop_missing=drop_missing)
    return replace(
        observations,
        target_name=called or observations.target_name,
        weights_name=weights if isinstance(weights, str) else None,
    )


def array_columns(
    x: Any, features: Sequence[str] | str | None
) -> list[tuple[Hashable, FloatArray]]:
    """Names and values of the columns of an array, shape (N,) or (N, p)."""
    inputs = array_of(x, "x")
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
    keeper = job.keeper()
    (found,) = job.result(reduce_files([file], job, keeper=keeper).part, keeper)
    if not found:
        why = nothing_left(file.layout, columns, drop_missing=drop_missing)
        raise NoObservationsError(why, file=file.name)
    return found


def as_they_stand(
    columns: Sequence[tuple[Hashable, FloatArray]], weighed: bool, *, intercept: bool
) -> Observations:
    """Observations of the columns of an array, not condensed; the last ones are y and, where rows
    are `weighed`, the weights."""
    *features, (target, observed) = columns[:-1] if weighed else columns
    if not len(observed):
        raise NoObservationsError
    values = [values for _, values in features]
    rows = np.column_stack([*values, np.full(len(observed), float(intercept)), observed])
    rows = np.asfortranarray(rows)  # BLAS is quicker with it
    weights = columns[-1][1][columns[-1][1] > 0] if weighed else None
    if weighed:
        rows = rows[columns[-1][1] > 0]
    kept = Rows(rows.shape[1] + weighed)
    kept.add(rows if weights is None else np.column_stack([rows, weights]))
    sample = np.delete(rows, -2, axis=1)
    return Observations(
        augmented=rows if weights is None else rows * np.sqrt(weights)[:, np.newaxis],
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
