"""Data whose columns have names and types, and no text around them, as Parquet and DataFrames.

Arrow's columns as gdfit sees those of any file: numbers, or words.

What a field says is defined in `gdfit.data.text.fields`, here as for text: blanks around words
don't count, and some words stand for a missing value. pyarrow is imported by whoever has the
columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import Batch, Words
from gdfit.data.text.fields import Grammar, read_number
from gdfit.data.text.header import ROW_NAMES, Held, Layout


class UnreadableError(ValueError):
    """A value can't be used: in which row, from 0, and why."""

    def __init__(self, row: int, what: str) -> None:
        self.row, self.what = row, what


class TypedError(ValueError):
    """The first value of a block that can't be used: in which row and which column, and why."""

    def __init__(self, row: int, place: int, what: str) -> None:
        self.row, self.place, self.what = row, place, what


def typed_layout(
    given: Sequence[str], held: Sequence[Held], grammar: Grammar, aside: Collection[str] = ()
) -> Layout:
    """The layout of columns with these names, of which those that hold row names are `aside`, as
    are some that are known by their names, and those without one."""
    names = tuple(name or f"column{place}" for place, name in enumerate(given, start=1))
    set_aside = {
        name for name, stored in zip(names, given, strict=True) if not stored or stored in aside
    }
    if names and ROW_NAMES.fullmatch(names[0]):
        set_aside.add(names[0])
    return Layout(
        names=names,
        named=True,
        grammar=grammar,
        start=0,
        line=1,
        set_aside=frozenset(set_aside),
        held=tuple(held),
        is_text=False,
    )


def batch_of(
    count: int,
    places: Sequence[int],
    texts: Sequence[int],
    numbers_at: Callable[[int], FloatArray],
    words_at: Callable[[int], Words],
    *,
    may_miss: bool,
) -> Batch:
    """`count` rows: the numbers in the columns at `places` and the words in those at `texts`. A
    missing value is NaN or -1 if there may be any.

    Raises
    ------
    TypedError : a value is missing, or not a finite number.
    """
    numbers, words = {}, {}
    faults: list[tuple[int, int, str]] = []
    for place in sorted({*places, *texts}):
        try:
            if place in places:
                values = numbers[place] = numbers_at(place)
                faults += first_of(np.isinf(values), place, "{} is not a finite number", values)
                absent = np.isnan(values)
            if place in texts:
                words[place] = words_at(place)
                absent = words[place].codes < 0
        except UnreadableError as error:
            faults.append((error.row, place, error.what))
            continue
        if not may_miss:
            faults += first_of(
                absent, place, "the value is missing; `drop_missing` skips such rows"
            )
    if faults:
        raise TypedError(*min(faults))
    rows = np.empty((count, len(places)), order="F")
    for number, place in enumerate(places):
        rows[:, number] = numbers[place]
    return Batch(rows, tuple(words[place] for place in texts), np.arange(count))


def first_of(
    wrong: np.ndarray[Any, np.dtype[np.bool_]], place: int, what: str, values: Any = None
) -> list[tuple[int, int, str]]:
    """The first row that is wrong, if there is one, with its column's place, and what it is."""
    if not wrong.any():
        return []
    row = int(np.argmax(wrong))
    return [(row, place, what if values is None else what.format(repr(str(values[row]))))]


def numbers_said(words: Words, grammar: Grammar, *, may_miss: bool) -> FloatArray:
    """The numbers that words say; NaN where one is missing, which is told of where none may be."""
    said = np.full(len(words.said) + 1, math.nan)
    for code, word in enumerate(words.said):
        try:
            said[code] = read_number(word.encode(errors="surrogatepass"), grammar, missing=may_miss)
        except ValueError as error:
            raise UnreadableError(int(np.argmax(words.codes == code)), str(error)) from None
    return said[words.codes]


def is_numeric(kind: Any) -> bool:
    """Whether a type's values are numbers, also where a dictionary lists them, or where it stands
    for another."""
    import pyarrow as pa
    from pyarrow import types

    if isinstance(kind, pa.BaseExtensionType):
        return is_numeric(kind.storage_type)
    if types.is_dictionary(kind):
        return is_numeric(kind.value_type)
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def numbers_in(column: Any, grammar: Grammar, *, may_miss: bool = True) -> FloatArray:
    """A column's numbers, NaN where one is missing: the float64 nearest to what each says in
    decimal digits.

    Raises
    ------
    UnreadableError : a word says no number.
    """
    import pyarrow as pa

    if not is_numeric(column.type):
        return numbers_said(words_in(column, grammar), grammar, may_miss=may_miss)
    column = plain(column)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.string())  # Arrow's own way to a float is not the nearest one
    values: FloatArray = unpacked(column.cast(pa.float64(), safe=False), math.nan)
    if grammar.missing_numbers:
        values = np.where(np.isin(values, list(grammar.missing_numbers)), np.nan, values)
    return values


def words_in(column: Any, grammar: Grammar) -> Words:
    """What a column says in words, each once; -1 where one is missing.

    Raises
    ------
    UnreadableError : it holds lists and the like.
    """
    import pyarrow as pa

    column = plain(column)
    if not is_text(column.type):
        try:
            column = as_text(column)
        except pa.ArrowException:
            raise UnreadableError(0, f"holds {column.type}, no numbers and no text") from None
    encoded = column.dictionary_encode()
    codes = unpacked(encoded.indices, -1)
    known: dict[str, int] = {}
    code_of = [
        -1
        if grammar.is_missing(word.encode(errors="surrogateescape"))
        else known.setdefault(word, len(known))
        for word in texts_of(encoded.dictionary, grammar)
    ]
    return Words(np.array([*code_of, -1], np.int64)[codes], list(known))


def texts_of(values: Any, grammar: Grammar) -> Iterator[str]:
    """Values without the blanks around them; a word for a missing one where there is none."""
    blanks = grammar.blanks.decode()
    for value in values.to_pylist():
        if isinstance(value, bytes):
            value = value.decode(errors="surrogateescape")
        yield "" if value is None else value.strip(blanks)


def unpacked(column: Any, missing: float) -> Any:
    """A column of numbers of one width in NumPy, with `missing` for nulls. pyarrow's own way, and
    its scalars, import pandas, which takes longer than to read a small file."""
    import pyarrow as pa

    bits = [None, column.buffers()[1]]
    stored = pa.Array.from_buffers(column.type, len(column), bits, offset=column.offset)
    values = np.from_dlpack(stored)
    if not column.null_count:
        return values
    return np.where(np.from_dlpack(column.is_valid().cast(pa.uint8())), values, missing)


def is_text(kind: Any) -> bool:
    """Whether a type's values are texts, or bytes that may be."""
    from pyarrow import types

    return any(
        test(kind)
        for test in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    )


def as_text(column: Any) -> Any:
    """A column's values as text, from which numbers are read back as the same float64.

    Raises
    ------
    ArrowException : it holds lists and the like, or bytes that are no text.
    """
    import pyarrow as pa
    from pyarrow import compute, types

    column = plain(column)
    if types.is_boolean(column.type):
        return compute.utf8_capitalize(column.cast(pa.string()))
    if types.is_floating(column.type):
        column = column.cast(pa.float64())  # the shortest digits of a float32 say another number
    said = column.cast(pa.string())
    if types.is_temporal(column.type):  # without fractions of a second that are none
        said = compute.replace_substring_regex(said, r"\.0+(Z?)$", r"\1")
    return said


def plain(column: Any) -> Any:
    """A column's values themselves, where they are listed in a dictionary or of a type that stands
    for another."""
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def held_in(column: Any, grammar: Grammar) -> Held:
    """What the first values of a column are."""
    if is_numeric(column.type):
        missing = int(np.isnan(numbers_in(column, grammar)).sum())
        return Held(numbers=len(column) - missing, missing=missing)
    try:
        words = words_in(column, grammar)
    except UnreadableError as error:
        return Held(words=len(column), word=error.what)
    missing = int((words.codes < 0).sum())
    return Held(0, missing, len(column) - missing, words.said[0] if words.said else "")
