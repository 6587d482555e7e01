"""DataFrames of any kind, read as data files.

A DataFrame is whatever gives its columns to Arrow (`__arrow_c_stream__`), as pandas, polars, DuckDB
and pyarrow do. The same columns are chosen, and the same words are missing, as where it is written
to a file and read. A column holds numbers or words by its type; one of Python's objects, by its
first values. A category of pandas holds words, and so does a column of booleans, as in a file.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

from gdfit.data.arrow import UnreadableError, batch_of, held_in, typed_layout
from gdfit.data.batch import Asked, Batch
from gdfit.data.terms.expansion import level_name
from gdfit.data.text.blocks import Unit
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import Grammar, says_number
from gdfit.data.text.header import Layout
from gdfit.data.text.sniffing import SNIFFED_ROWS, Held, held_as, held_by
from gdfit.data.text.spellings import SPELLINGS, find_dates
from gdfit.errors import FieldError, quoted

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
        grammar = self.layout.grammar
        try:
            batch = batch_of(count, columns, asked, grammar, may_miss=may_miss)
        except UnreadableError as error:
            if error.row:
                before = {place: column[: error.row] for place, column in columns.items()}
                yield batch_of(error.row, before, asked, grammar, may_miss=may_miss)
            raise self.fault_in(unit, error.row, error.place, error.what) from None
        yield batch

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
