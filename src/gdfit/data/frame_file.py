"""A DataFrame as a data file: the same columns are chosen, and the same words are missing, as where
it is written to a file and read.

A column holds numbers or words by its type; one of objects, by its first values. A category holds
words, and so does a column of booleans, as in a file.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import Batch, Words
from gdfit.data.data_file import DataFile
from gdfit.data.expansion import level_name
from gdfit.data.fields import MISSING, Grammar, says_number
from gdfit.data.head import SNIFFED_ROWS
from gdfit.data.layout import Held, Layout
from gdfit.data.tables import names_of
from gdfit.data.typed import TypedError, UnreadableError, batch_of, numbers_said, typed_layout
from gdfit.errors import FieldError, quoted

GRAMMAR = Grammar(",")
WORDS_OF_PANDAS = ("<NA>", "NaT")  # what it shows of its own missing values


@dataclass(frozen=True)
class FrameFile:
    """Columns in memory, read as those of a file.

    name : what to call it in messages.
    columns : the values of each.
    labels : the rows' labels, where they have some.
    drop_missing : whether to skip rows with a missing value.
    """

    name: str
    layout: Layout
    columns: Sequence[Any]
    labels: Any = None
    drop_missing: bool = False

    def like(self, first: DataFile) -> FrameFile:
        """This one: its columns have names."""
        return self

    def batches(
        self, places: Sequence[int], texts: Sequence[int] = ()
    ) -> Iterator[tuple[None, Batch]]:
        """The numbers in the columns at `places` and the words in those at `texts`.

        Raises
        ------
        GdfitError : a value is missing or not a finite number.
        """
        batch = self.read(places, texts, may_miss=self.drop_missing)
        if self.drop_missing:
            batch = batch.where(batch.is_whole)
        if len(batch.rows):
            yield None, batch

    def read(self, places: Sequence[int], texts: Sequence[int], *, may_miss: bool) -> Batch:
        """All rows; a missing value is NaN or -1 if there may be any."""
        try:
            return batch_of(
                len(self.columns[0]),
                places,
                texts,
                lambda place: numbers_in(self.columns[place]),
                lambda place: words_in(self.columns[place]),
                may_miss=may_miss,
            )
        except TypedError as error:
            raise self.fault_in(None, error.row, error.place, error.what) from None

    def fault_in(self, block: None, row: int, place: int, what: str) -> FieldError:
        """What is wrong with a value in this row, from 0."""
        where, column = f"{row} (from 0)", self.layout.names[place]
        if self.labels is not None:
            (label,) = self.labels[row : row + 1].tolist()
            if label != row:
                said = label if isinstance(label, int) else quoted(str(label))
                where = f"{said} ({row} from 0)"
        return FieldError(what, file=self.name, row=where, column=column)


def frame_file(
    frame: Any,
    without: Container[str | None] = (),
    beside: Mapping[str, Any] | None = None,
    *,
    drop_missing: bool = False,
) -> FrameFile:
    """The columns of a DataFrame but some, and others `beside` them, as a data file."""
    beside = beside or {}
    names = names_of(frame)
    places = [place for place, name in enumerate(names) if name not in without]
    return file_of(
        f"the {type(frame).__name__}",
        [*(names[place] for place in places), *beside],
        [*(column_at(frame, place) for place in places), *beside.values()],
        labels=getattr(frame, "index", None),
        drop_missing=drop_missing,
    )


def file_of(
    name: str,
    names: Sequence[str],
    columns: Sequence[Any],
    *,
    labels: Any = None,
    drop_missing: bool = False,
) -> FrameFile:
    """Columns with these `names` as a data file."""
    layout = typed_layout(names, [held_in(column) for column in columns], GRAMMAR)
    return FrameFile(name, layout, columns, labels, drop_missing)


def column_at(frame: Any, place: int) -> Any:
    """A column, by its place: pandas has several of a name."""
    return frame.iloc[:, place] if hasattr(frame, "iloc") else frame[frame.columns[place]]


def numbers_by_type(values: Any) -> FloatArray | None:
    """The numbers in a column of a type of numbers, NaN where one is missing."""
    kind = getattr(getattr(values, "dtype", None), "kind", None)
    if kind is None:  # not pandas and not NumPy
        values = np.asarray(values)
        kind = values.dtype.kind
    if kind not in "iuf":
        return None
    if isinstance(values.dtype, np.dtype):
        return np.asarray(values, np.float64)
    return np.asarray(values.to_numpy(np.float64, na_value=np.nan))


def numbers_in(values: Any) -> FloatArray:
    """A column's numbers, NaN where one is missing.

    Raises
    ------
    UnreadableError : a word says no number.
    """
    numbers = numbers_by_type(values)
    if numbers is not None:
        return numbers
    words = words_in(values)
    try:
        return numbers_said(words, GRAMMAR, may_miss=True)
    except UnreadableError as error:
        word = words.said[words.codes[error.row]]
        if says_number(word, GRAMMAR.decimal):  # but one that is not finite
            raise
        raise UnreadableError(error.row, f"{quoted(word)} is not a number") from None


def words_in(values: Any) -> Words:
    """What a column says in words, each once; -1 where one is missing."""
    known: dict[str, int] = {}
    if hasattr(values, "to_list"):
        values = values.to_list()  # faster than one by one
    words = map(word_of, values)
    codes = [-1 if word in MISSING else known.setdefault(word, len(known)) for word in words]
    return Words(np.array(codes, np.int64), list(known))


def word_of(value: object) -> str:
    """What a value says, from which a number is read back as the same float64; one of the words for
    a missing value where it is missing."""
    if isinstance(value, str):
        return value.strip(GRAMMAR.blanks.decode())
    if isinstance(value, bytes):
        return word_of(value.decode(errors="surrogateescape"))
    if isinstance(value, Real) and not isinstance(value, bool | Integral):
        return level_name(float(value))
    return "" if value is None or repr(value) in WORDS_OF_PANDAS else str(value)


def held_in(values: Any) -> Held:
    """What the first values of a column are."""
    first = values[:SNIFFED_ROWS] if isinstance(values, np.ndarray) else values.head(SNIFFED_ROWS)
    numbers = numbers_by_type(first)
    if numbers is not None:
        missing = int(np.isnan(numbers).sum())
        return Held(len(numbers) - missing, missing)
    present = [value for value in first if word_of(value) not in MISSING]
    words = present
    if str(first.dtype) != "category":
        words = [value for value in present if not is_number(value)]
        if len(words) < len(present):  # words among numbers may say numbers
            words = [word for word in words if not says_number(word_of(word), GRAMMAR.decimal)]
    word = word_of(words[0]) if words else ""
    return Held(len(present) - len(words), len(first) - len(present), len(words), word)


def is_number(value: object) -> bool:
    """Whether an object is a number, and no truth value."""
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)
