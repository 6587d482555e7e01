"""Arrow's columns as gdfit sees those of any file: numbers, or words.

What a field says is defined in `gdfit.data.fields`, here as for text: blanks around words don't
count, and some words stand for a missing value. pyarrow is imported by whoever has the columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import Words
from gdfit.data.fields import Grammar
from gdfit.data.layout import Held
from gdfit.data.typed import UnreadableError, numbers_said


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
