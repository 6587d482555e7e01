"""DataFrames of any kind, read as data files; and arrays as rows, and as columns with names.

A DataFrame is whatever gives its columns to Arrow (`__arrow_c_stream__`), as pandas, polars, DuckDB
and pyarrow do. The same columns are chosen, and the same words are missing, as where it is written
to a file and read. A column holds numbers or words by its type; one of Python's objects, by its
first values. A category of pandas holds words, and so does a column of booleans, as in a file.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.data.arrow import batches_of, held_in, typed_layout
from gdfit.data.batch import Asked, Batch
from gdfit.data.terms.expansion import level_name
from gdfit.data.text.blocks import Unit
from gdfit.data.text.dialect import Dialect, several
from gdfit.data.text.fields import Grammar, says_number
from gdfit.data.text.header import Layout, default_names
from gdfit.data.text.sniffing import SNIFFED_ROWS, Held, held_as, held_by
from gdfit.data.text.spellings import SPELLINGS, find_dates
from gdfit.errors import FieldError, GdfitError, NoObservationsError, listing, quoted

GRAMMAR = Grammar(",", hints=False, categories=True)
UNIT_ROWS = 1 << 18
WORDS_OF_PANDAS = ("<NA>", "NaT")  # what it shows of its own missing values


def is_frame(x: object) -> bool:
    """True where the columns of `x` have names."""
    return hasattr(x, "__arrow_c_stream__") and (hasattr(x, "columns") or hasattr(x, "schema"))


def columns_of(frame: Any) -> list[tuple[Hashable, Any]]:
    """Names and values of a DataFrame's columns; pandas may have several of a name."""
    if hasattr(frame, "iloc"):
        return [(name, frame.iloc[:, place]) for place, name in enumerate(frame.columns)]
    import pyarrow as pa

    table = pa.table(frame)
    return [*zip(table.column_names, table.columns, strict=True)]


@dataclass(frozen=True, eq=False)
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
        rows = range(len(self.columns[0][unit.content]))
        how = (asked, self.layout.grammar, partial(self.fault_in, unit))
        return batches_of(rows, columns, *how, may_miss=may_miss)

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
    dialect: Dialect | None = None,
) -> FrameFile:
    """A DataFrame as a data file, or what is `called` otherwise; `columns` may be other ones than
    its own. The `dialect` says of its texts what it says of fields."""
    columns = columns_of(frame) if columns is None else columns
    dialect = dialect or Dialect()
    grammar = replace(GRAMMAR, missing=dialect.grammar(",").missing, dates=dialect.dates)
    names, known = [str(name) for name, _ in columns], dict(dialect.known)
    plain = SPELLINGS[dialect.decimal or "."]
    read = [
        column_of(values, replace(grammar, own=known.get(name, plain)))
        for name, (_, values) in zip(names, columns, strict=True)
    ]
    layout = typed_layout(names, [held for _, held in read], grammar)
    if called:  # all that it has is asked for
        layout = replace(layout, set_aside=frozenset())
    labels = None if called else getattr(frame, "index", None)
    name = called or f"the {type(frame).__name__}"
    return FrameFile(name, layout, [column for column, _ in read], labels)


def column_of(values: Any, grammar: Grammar = GRAMMAR) -> tuple[Any, Held]:
    """A column as numbers of NumPy's or an array of Arrow's, and what its first values are."""
    kind = getattr(values, "dtype", None)
    if isinstance(kind, np.dtype) and kind.kind in "iuf":
        native = kind.newbyteorder("=") if kind.kind in "iu" else np.float64
        return with_held(np.asarray(values, native), grammar)
    import pyarrow as pa

    if str(kind) == "category":  # its words, each once
        said = [word_of(value) for value in values.dtype.categories]
        codes = pa.array(np.asarray(values.array.codes), mask=values.array.codes < 0)
        texts, is_ordered = pa.array(said, pa.binary()), bool(values.dtype.ordered)
        return with_held(pa.DictionaryArray.from_arrays(codes, texts, ordered=is_ordered), grammar)
    try:
        if isinstance(kind, np.dtype) and kind.kind == "O":  # of texts alone
            return with_held(pa.array(values, pa.large_string(), from_pandas=True), grammar)
        if getattr(kind, "kind", "") != "O" or str(kind).startswith("str"):
            typed = values if isinstance(values, pa.ChunkedArray) else pa.array(values)
            return with_held(typed, grammar)
    except (pa.ArrowException, TypeError, ValueError):
        pass  # objects of several kinds, complex numbers, intervals and the like
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return pa.array(map(word_of, listed), pa.binary()), held_of(listed[:SNIFFED_ROWS], grammar)


def with_held(column: Any, grammar: Grammar) -> tuple[Any, Held]:
    """A column of one type, and what its first values are."""
    return column, held_in(column[:SNIFFED_ROWS], grammar)


def held_of(first: Sequence[object], grammar: Grammar) -> Held:
    """What Python's objects are."""
    present = [value for value in first if not grammar.is_missing(word_of(value))]
    said = [word_of(value).decode(errors="surrogateescape") for value in present]
    words = [word for word, value in zip(said, present, strict=True) if not is_number(value)]
    if len(words) < len(present):  # words among numbers may say numbers
        words = [word for word in words if not says_number(word, GRAMMAR.decimal)]
    absent = len(first) - len(present)
    found = find_dates(words, grammar.dates)
    if found.spelling and len(words) == len(present):
        return held_as(found, words, absent)
    return held_by(said, absent, words)


def word_of(value: object) -> bytes:
    """A value's word, from which a number is read back as the same float64; one of the words for a
    missing value where it is missing."""
    if isinstance(value, bytes):
        return value.strip(GRAMMAR.blanks)
    if isinstance(value, str):
        return encoded(value).strip(GRAMMAR.blanks)
    if isinstance(value, Real) and not isinstance(value, bool | Integral):
        return level_name(float(value)).encode()
    return b"" if value is None or repr(value) in WORDS_OF_PANDAS else encoded(str(value))


def encoded(text: str) -> bytes:
    """A text as bytes, as it would stand in a file."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace")


def is_number(value: object) -> bool:
    """True of an object that is a number, and no truth value."""
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


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
    if hasattr(values, "detach"):  # a tensor, which NumPy can't read if it has a gradient
        values = values.detach().cpu()
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
    x : values in the order of `inputs`, or the one value; or a row of a DataFrame, whose values are
        found by name.
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
    rows = rows[np.newaxis] if rows.ndim == 0 else rows
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
