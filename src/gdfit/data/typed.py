"""Data whose columns have names and types, and no text around them, as Parquet and DataFrames."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import Batch, Words
from gdfit.data.fields import Grammar, read_number
from gdfit.data.layout import ROW_NAMES, Held, Layout


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
