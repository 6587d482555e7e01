"""The numbers and words in a block of text, as Arrow's CSV reader finds them.

Its idea of CSV is that of `gdfit.data.text.fields`, but for a few things: what a quote means that
is not at an end of its field, blanks around words, and which words it takes for numbers (``NAN``,
``inf``). Where these are in a block, or anything is wrong with it, functions return None: the plain
reader, which is the definition, then reads the block or says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfit.data.batch import Batch, Words
from gdfit.data.text.blocks import Block, in_quotes, table_of
from gdfit.data.text.fields import WHITE_SPACE, Grammar

LINE_ENDS = b"\r\n"
AT_ONCE = 1 << 18  # bytes that Arrow parses at a time: what it makes of them stays in the cache


def read_batch(
    block: Block,
    grammar: Grammar,
    width: int,
    places: Sequence[int],
    texts: Sequence[int],
    *,
    missing: bool,
) -> Batch | None:
    """The numbers in the columns at `places` and the words in those at `texts`, of rows that must
    have `width` fields each. One that is `missing` is NaN or -1, if there may be any."""
    text: bytes | None = block.text
    delimiter = grammar.delimiter
    if len(block.quotes) % 2 or not {*places}.isdisjoint(texts):
        return None
    if delimiter == WHITE_SPACE:
        text, delimiter = trimmed(block, grammar), "\t"
    elif len(block.quotes) and not are_at_ends(block, grammar):
        text = trimmed(block, grammar)
        if text is None:
            return None
    absent = (
        [word.decode() for word in grammar.missing_words] if missing else []
    )  # slower with them
    columns = asked(places, texts)
    table = parsed(text, delimiter, grammar.decimal, width, columns, absent, AT_ONCE)
    if table is None and text is block.text:  # blanks may be in the way, or rows be long
        text = trimmed(block, grammar)
        table = parsed(text, delimiter, grammar.decimal, width, columns, absent, len(block.text))
    if table is None:
        return None
    return batch_of(table, grammar, places, texts, missing=missing)


def parsed(
    text: bytes | None,
    delimiter: str,
    decimal: str,
    width: int,
    columns: dict[str, Any],
    absent: list[str],
    at_once: int,
) -> Any:
    """The columns as an Arrow table; None where Arrow refuses."""
    if text is None:
        return None
    import pyarrow as pa
    from pyarrow import csv

    try:
        return csv.read_csv(
            pa.py_buffer(text),
            csv.ReadOptions(
                column_names=names_of(width), use_threads=False, block_size=at_once + 1
            ),
            csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            csv.ConvertOptions(
                column_types=columns,
                include_columns=[*columns],
                null_values=absent,
                decimal_point=decimal,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None


def asked(places: Sequence[int], texts: Sequence[int]) -> dict[str, Any]:
    """The columns to read by name, with their types."""
    import pyarrow as pa

    numbers = dict.fromkeys(map(str, places), pa.float64())
    return numbers | dict.fromkeys(map(str, texts), pa.dictionary(pa.int32(), pa.binary()))


@cache
def names_of(width: int) -> list[str]:
    """Names for so many columns: their places."""
    return [*map(str, range(width))]


def batch_of(
    table: Any, grammar: Grammar, places: Sequence[int], texts: Sequence[int], *, missing: bool
) -> Batch | None:
    """What is in an Arrow table: columns of numbers, then of words. None where a number is not
    finite, or something is missing that may not."""
    numbers = np.empty((table.num_rows, len(places)), order="F")
    for at, place in enumerate(places):
        start = 0
        for part in table.column(str(place)).chunks:
            values = np.frombuffer(part.buffers()[1], np.float64)[part.offset :][: len(part)]
            if not np.isfinite(values).all() or (part.null_count and not missing):  # nulls are 0
                return None
            into = numbers[start : start + len(part), at]
            into[:] = values
            if part.null_count:
                into[~valid(part)] = np.nan
            start += len(part)
    if grammar.missing_numbers:
        absent = np.isin(numbers, list(grammar.missing_numbers))
        if absent.any() and not missing:
            return None
        numbers[absent] = np.nan
    words = tuple(words_in(table.column(str(place)), grammar) for place in texts)
    if not missing and any((column.codes < 0).any() for column in words):
        return None
    return Batch(numbers, words, np.arange(table.num_rows))


def valid(column: Any) -> NDArray[np.bool_]:
    """Which values of a column are not null."""
    bits = np.frombuffer(column.buffers()[0], np.uint8)
    return np.unpackbits(bits, bitorder="little")[column.offset :][: len(column)].astype(bool)


def words_in(column: Any, grammar: Grammar) -> Words:
    """What a column says in words, each once; -1 where one is missing."""
    known: dict[str, int] = {}
    codes = [np.empty(0, np.int64)]
    for part in column.chunks:
        code_of = [
            -1
            if grammar.is_missing(said := word.strip(grammar.blanks))
            else known.setdefault(said.decode(errors="surrogateescape"), len(known))
            for word in part.dictionary.to_pylist()
        ]
        indices = np.frombuffer(part.indices.buffers()[1], np.int32)[part.indices.offset :]
        codes.append(np.array(code_of, np.int64)[indices[: len(part)]])
    return Words(np.concatenate(codes), list(known))


def are_at_ends(block: Block, grammar: Grammar) -> bool:
    """Whether each quote that opens a field begins it, and each that closes one ends it."""
    ends = table_of(grammar.delimiters + LINE_ENDS)
    text = np.frombuffer(block.text, np.uint8)
    before, after = block.quotes[::2] - 1, block.quotes[1::2] + 1
    if len(before) and before[0] < 0:
        before = before[1:]
    if len(after) and after[-1] == len(text):
        after = after[:-1]
    return bool(ends[text[before]].all() and ends[text[after]].all())


def trimmed(block: Block, grammar: Grammar) -> bytes | None:
    """The text without blanks around fields, with one tab between those that white space is
    between; None where a quote is still not at an end of its field."""
    text = np.frombuffer(block.text, np.uint8)
    blank = table_of(grammar.blanks)[text]
    if len(block.quotes):
        blank &= ~in_quotes(block.quotes, len(text))
    spaced = grammar.delimiter == WHITE_SPACE
    ends = table_of(LINE_ENDS if spaced else grammar.delimiters + LINE_ENDS)
    edges = np.flatnonzero(np.diff(blank, prepend=False, append=False))
    starts, stops = edges[::2], edges[1::2]
    at_start, at_stop = starts == 0, stops == len(text)
    outside = at_start | at_stop | ends[text[starts - 1]] | ends[text[stops - at_stop]]
    keep = ~blank
    if spaced:
        text = text.copy()
        kept = starts[~outside]
        text[kept], keep[kept] = ord("\t"), True
    else:
        for_all = np.repeat(~outside, stops - starts)
        keep[blank] = for_all
    result = text[keep].tobytes()
    if len(block.quotes):
        moved = np.cumsum(keep)[block.quotes] - 1
        after = Grammar("\t") if spaced else grammar
        if not are_at_ends(block._replace(text=result, quotes=moved), after):
            return None
    return result
