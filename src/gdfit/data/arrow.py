"""Arrow at the door: columns of Parquet, DataFrames and CSV as Arrow reads them, made numbers and
words in NumPy. Nothing behind it knows Arrow.

What a field says is defined in `gdfit.data.text.fields`, here as for text: blanks around words
don't count, and some words stand for a missing value. pyarrow is imported by whoever has columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray, texts_alike
from gdfit.data.batch import Asked, Batch, Level, Words
from gdfit.data.terms.expansion import level_name
from gdfit.data.text.fields import Grammar, read_number
from gdfit.data.text.header import Layout, named_columns
from gdfit.data.text.sniffing import Held, held_as, held_by, spelled
from gdfit.data.text.spellings import LETTERED, SPELLINGS, DateSpelling, Spelling, find_spelling
from gdfit.dates import SECONDS
from gdfit.errors import GdfitError

ROW_INDEX = "__index_level_"  # pandas' own name of it
MOST_SHAPES = 64  # of the dates in a block: a date, a time and its marks have a few
# Arrow's types whose values are texts, or bytes that may be.
TEXTS = {"string", "large_string", "string_view", "binary", "large_binary", "binary_view"}


class UnreadableError(ValueError):
    """The first value that can't be used: in which row, from 0, why, and in a batch, the place of
    its column."""

    def __init__(self, row: int, what: str, place: int = 0) -> None:
        self.row, self.what, self.place = row, what, place


def typed_layout(given: Sequence[str], held: Sequence[Held], grammar: Grammar) -> Layout:
    """Layout of columns that have names and types of their own.

    given : the names; the first may be that of row names, which is set aside, as are pandas' index
        and columns without a name.
    """
    names, aside = named_columns(given)
    index = {name for name in names if name.startswith(ROW_INDEX)}
    grammar = spelled(grammar, held)
    return Layout(names, True, grammar, set_aside=aside | index, held=tuple(held), is_text=False)


def batches_of(
    rows: range,
    columns: Mapping[int, Any],
    asked: Sequence[Asked],
    grammar: Grammar,
    fault: Callable[[int, int, str], GdfitError],
    *,
    may_miss: bool,
) -> Iterator[Batch]:
    """The rows of these numbers: see `batch_of`.

    Raises
    ------
    GdfitError : what the `fault` is in such a row and place. The rows before it have come.
    """
    try:
        batch = batch_of(len(rows), columns, asked, grammar, may_miss=may_miss)
    except UnreadableError as error:
        if error.row:
            before = {place: column[: error.row] for place, column in columns.items()}
            yield from batches_of(
                rows[: error.row], before, asked, grammar, fault, may_miss=may_miss
            )
        raise fault(rows[error.row], error.place, error.what) from None
    yield batch._replace(rows=np.arange(rows.start, rows.stop))


def batch_of(
    count: int,
    columns: Mapping[int, Any],
    asked: Sequence[Asked],
    grammar: Grammar,
    *,
    may_miss: bool,
) -> Batch:
    """`count` rows of Arrow's `columns`, by their places, as they are `asked` for. A missing value
    is NaN or -1 if there may be any.

    Raises
    ------
    UnreadableError : a value is missing, or not a finite number.
    """
    rows = np.empty((count, sum(kind == "number" for _, kind in asked)), order="F")
    numbers = iter(rows.T)
    words: list[Words] = []
    faults: list[tuple[int, int, str]] = []

    def check(wrong: NDArray[np.bool_], place: int, what: str) -> None:
        if wrong.any():
            faults.append((int(np.argmax(wrong)), place, what))

    missing = "the value is missing; `drop_missing` skips such rows"
    for place, kind in asked:
        own = grammar.at(place)
        try:
            if kind != "number":
                said = words_in(columns[place], own)
                words.append(exact_words(said, own) if kind == "exact" else said)
                check((said.codes < 0) & (not may_miss), place, missing)
                continue
            values = next(numbers)
            values[:] = column_numbers(columns[place], own, may_miss=may_miss)
        except UnreadableError as error:
            faults.append((error.row, place, error.what))
            continue
        if not np.isfinite(values).all():
            infinite = np.isinf(values)
            check(infinite, place, f"{str(values[infinite.argmax()])!r} is not a finite number")
            check(np.isnan(values) & (not may_miss), place, missing)
    if faults:
        row, place, what = min(faults)
        raise UnreadableError(row, what, place)
    return Batch(rows, tuple(words), np.arange(count))


def is_numeric(kind: Any) -> bool:
    """True of types whose values are numbers, also where a dictionary lists them, or where the type
    stands for another. Durations are, in days."""
    from pyarrow import types

    kind = type_listed(kind)
    of_numbers = (types.is_integer, types.is_floating, types.is_decimal, types.is_duration)
    return any(is_of(kind) for is_of in of_numbers)


def is_dated(kind: Any) -> bool:
    """True of types whose values are dates, with or without a time."""
    from pyarrow import types

    kind = type_listed(kind)
    return bool(types.is_date(kind) or types.is_timestamp(kind))


def type_listed(kind: Any) -> Any:
    """The type of the values themselves: see `as_listed`."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def column_numbers(column: Any, grammar: Grammar, *, may_miss: bool) -> FloatArray:
    """A column's numbers, NaN where one is missing: the float64 nearest to what each says in
    decimal digits; of dates the days, in UTC where they have a zone.

    column : an array of Arrow's, in chunks or not; or NumPy's, whose numbers are those.

    Raises
    ------
    UnreadableError : a word says no number.
    """
    if isinstance(column, np.ndarray):
        return np.asarray(column, np.float64)
    if (numeric := is_numeric(column.type)) or is_dated(column.type):
        parts = [*map(numbers_stored, getattr(column, "chunks", [column]))]
        values: FloatArray = parts[0] if len(parts) == 1 else np.concatenate([np.empty(0), *parts])
        if not numeric:
            return values
    elif grammar.spelling.is_plain or str(column.type) not in TEXTS:
        return numbers_said(words_in(column, grammar), grammar, may_miss=may_miss)
    else:
        values = numbers_spelled(column, grammar, may_miss=may_miss)
    if grammar.missing_numbers:
        values = np.where(np.isin(values, list(grammar.missing_numbers)), math.nan, values)
    return values


def numbers_stored(part: Any) -> FloatArray:
    """The numbers or days of an array of Arrow's, NaN where one is null."""
    import pyarrow as pa

    part = as_listed(part)
    if pa.types.is_temporal(part.type):
        part = part.cast(pa.timestamp("s")) if pa.types.is_date(part.type) else part
        per_day = SECONDS * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[part.type.unit]
        moments = stored_in(part, np.int64)
        values: FloatArray = moments // per_day + moments % per_day / per_day
    else:
        if pa.types.is_decimal(part.type):
            part = part.cast(pa.string())  # Arrow's own way to a float is not the nearest one
        if not pa.types.is_float64(part.type):
            part = part.cast(pa.float64(), safe=False)
        values = stored_in(part, np.float64)
    return np.where(is_valid(part), values, math.nan) if part.null_count else values


def words_in(column: Any, grammar: Grammar) -> Words:
    """A column's words, each once; -1 where one is missing.

    Raises
    ------
    UnreadableError : it holds lists and the like.
    """
    import pyarrow as pa

    if isinstance(column, np.ndarray):
        column = pa.array(column, from_pandas=True)
    known: dict[str, int] = {}
    codes = [np.empty(0, np.int64)]
    for part in getattr(column, "chunks", [column]):
        lists_texts = pa.types.is_dictionary(part.type) and str(part.type.value_type) in TEXTS
        may_say_missing = not (lists_texts and grammar.categories)
        if not lists_texts:
            try:
                part = encoded_text(part)
            except pa.ArrowException:
                raise UnreadableError(0, f"holds {part.type}, no numbers and no text") from None
        listed, indices = part.dictionary, part.indices
        # A cast loads all that Arrow can compute, which takes longer than to read a small file.
        if listed.type != pa.binary():
            listed = listed.cast(pa.large_binary())
        if indices.type != pa.int32():
            indices = indices.cast(pa.int32())
        code_of = [
            -1
            if grammar.is_missing(said := (value or b"").strip(grammar.blanks)) and may_say_missing
            else known.setdefault(said.decode(errors="surrogateescape"), len(known))
            for value in listed.to_pylist()
        ]
        chosen = stored_in(indices, np.int32)
        if indices.null_count:
            chosen = np.where(is_valid(indices), chosen, -1)
        codes.append(np.array([*code_of, -1], np.int64)[chosen])
    return Words(np.concatenate(codes), list(known))


def encoded_text(column: Any) -> Any:
    """A column as a dictionary of texts, from which numbers are read back as they are.

    Raises
    ------
    ArrowException : it holds lists and the like.
    """
    import pyarrow as pa

    column = as_listed(column)
    if not (pa.types.is_integer(column.type) or pa.types.is_float64(column.type)):
        return text_column(column).dictionary_encode()
    listed = column.dictionary_encode()  # ten times as fast as to write out each
    return pa.DictionaryArray.from_arrays(listed.indices, text_column(listed.dictionary))


def exact_words(words: Words, grammar: Grammar) -> Words:
    """The numbers that words say, with all their digits.

    Raises
    ------
    UnreadableError : a word says none.
    """
    numbers_said(words, grammar, may_miss=True)
    return Words(words.codes, [grammar.exact(as_bytes(word)) for word in words.said])


def numbers_spelled(column: Any, grammar: Grammar, *, may_miss: bool) -> FloatArray:
    """The numbers that a column of text says in a spelling of its own, NaN where one is missing.

    Raises
    ------
    UnreadableError : a field says no number.
    """
    import pyarrow as pa

    said = column.cast(pa.large_binary())
    if isinstance(said, pa.ChunkedArray):
        said = said.combine_chunks()
    spelling = grammar.spelling
    if isinstance(spelling, DateSpelling):
        values = days_written(said, spelling)
    else:
        values = numbers_written(said, spelling)
    others = np.flatnonzero(np.isnan(values))
    if len(others):
        try:
            words = words_in(said.take(others), grammar)
            values[others] = numbers_said(words, grammar, may_miss=may_miss)
        except UnreadableError as error:
            raise UnreadableError(int(others[error.row]), error.what) from None
    return values


def numbers_written(said: Any, spelling: Spelling) -> FloatArray:
    """The numbers that texts, an array of Arrow's, say in a spelling; NaN of those that don't."""
    import pyarrow as pa
    from pyarrow import compute

    whole = rf"^[ \t]*{spelling.pattern}[ \t]*$"
    is_number = compute.fill_null(compute.match_substring_regex(said, whole), False)
    digits = said if is_number.true_count == len(said) else said.filter(is_number)
    text = bytes(digits.buffers()[2] or b"")
    for what, by in ((b" ", b""), (b"\t", b""), *spelling.changes):
        if what in text:
            digits = compute.replace_substring(digits, what, by)
    result = np.full(len(said), math.nan)
    fits = is_number.to_numpy(zero_copy_only=False)
    result[fits] = stored_in(digits.cast(pa.string()).cast(pa.float64()), np.float64)
    return result


def days_written(said: Any, spelling: DateSpelling) -> FloatArray:
    """The days that texts, an array of Arrow's, say in a spelling; NaN of those that don't, and of
    some more where they are of many shapes."""
    ends = np.frombuffer(said.buffers()[1], np.int64)[said.offset :][: len(said) + 1]
    lengths = np.diff(ends)
    if said.null_count:
        lengths[~is_valid(said)] = 0
    text, result = np.frombuffer(said.buffers()[2] or b"", np.uint8), np.full(len(said), math.nan)
    for rows, example, columns in islice(texts_alike(text, ends[:-1], lengths), MOST_SHAPES):
        if found := spelling.number.fullmatch(example):
            parts: dict[str, Any] = {}
            said_in = found.groupdict()
            decimals = len(said_in.get("fraction") or b"")  # months have no time of day
            kind = np.int64 if decimals else np.int32
            for part, each in said_in.items():
                if each and part in LETTERED:
                    parts[part] = each
                elif each:
                    first, *digits = columns[slice(*found.span(part))]
                    number: Any = first.astype(kind)
                    parts[part] = reduce(lambda number, digit: 10 * number + digit, digits, number)
            days, there = spelling.days(parts, decimals)
            result[rows] = np.where(there, days, math.nan)
    return result


def as_bytes(word: Level) -> bytes:
    """A word as its field has it."""
    return str(word).encode(errors="surrogateescape")


def numbers_said(words: Words, grammar: Grammar, *, may_miss: bool) -> FloatArray:
    """The numbers that words say, NaN where one is missing."""
    said = np.full(len(words.said) + 1, math.nan)
    faults: list[tuple[int, str]] = []
    for code, word in enumerate(words.said):
        try:
            said[code] = read_number(as_bytes(word), grammar, missing=may_miss)
        except ValueError as error:
            faults += [
                (row, str(error)) for row in np.flatnonzero(words.codes == code)[:1].tolist()
            ]
    if faults:
        raise UnreadableError(*min(faults))
    return said[words.codes]


def stored_in(column: Any, kind: type[Any]) -> Any:
    """A column's values as they lie in memory, whatever there is for nulls. pyarrow's own way to
    NumPy imports pandas, which takes longer than to read a small file."""
    buffer = column.buffers()[1]
    if buffer is None:
        return np.zeros(len(column), kind)
    return np.frombuffer(buffer, kind)[column.offset :][: len(column)]


def is_valid(column: Any) -> NDArray[np.bool_]:
    """True for values that are not null, of a column with nulls."""
    bits = np.unpackbits(np.frombuffer(column.buffers()[0], np.uint8), bitorder="little")
    return bits[column.offset :][: len(column)].astype(bool)


def text_column(column: Any) -> Any:
    """A column's values as text, from which numbers are read back as the same float64.

    Raises
    ------
    ArrowException : it holds lists and the like.
    """
    import pyarrow as pa
    from pyarrow import compute, types

    column = as_listed(column)
    if str(column.type).endswith("_view"):
        return column.cast(pa.large_binary())
    if str(column.type) in TEXTS:
        return column
    if types.is_boolean(column.type):
        return compute.utf8_capitalize(column.cast(pa.string()))
    if types.is_duration(column.type):
        column = pa.array(numbers_stored(column), from_pandas=True)
    if types.is_floating(column.type):
        column = column.cast(pa.float64())  # the shortest digits of a float32 say another number
    said = column.cast(pa.string())
    if types.is_temporal(column.type):  # without fractions of a second that are none
        said = compute.replace_substring_regex(said, r"\.0+(Z?)$", r"\1")
    return said


def as_listed(column: Any) -> Any:
    """A column's values themselves, where a dictionary lists them or their type stands for
    another."""
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def held_in(column: Any, grammar: Grammar) -> Held:
    """What the first values of a column are, which may have been written as the grammar's own."""
    if isinstance(column, np.ndarray) or is_numeric(column.type):
        numbers = column_numbers(column, grammar, may_miss=True)
        said = [*map(level_name, numbers[~np.isnan(numbers)].tolist())]
        return held_by(said, len(column) - len(said), [])
    try:
        words = words_in(column, grammar)
    except UnreadableError as error:
        return Held(words=len(column), word=error.what)
    present = [str(words.said[code]) for code in words.codes if code >= 0]
    absent = len(column) - len(present)
    if str(column.type) in TEXTS or is_dated(column.type):
        found = find_spelling(present, dates=grammar.dates, before=grammar.own)
        if found.spelling not in (None, SPELLINGS["."]):
            return held_as(found, present, absent)
    order = tuple(map(str, words.said)) if getattr(column.type, "ordered", False) else ()
    return held_by(present, absent, present, order=order)
