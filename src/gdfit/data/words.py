"""The words in columns of text, each found once in a block, and a code in each row for which it is.

NumPy compares fields eight characters at a time, as numbers. What a field says is defined in
`gdfit.data.fields`; what NumPy can't tell is left to that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gdfit.data.batch import Codes, Words
from gdfit.data.blocks import Block, Positions
from gdfit.data.cells import Cells, find_cells, stripped
from gdfit.data.fields import Grammar, content, records
from gdfit.data.plain import check_form

LONGEST = 256  # bytes of a field that are still compared so
EIGHT = np.array([(1 << 8 * length) - 1 for length in range(9)], np.uint64)  # masks of their bytes


def read_words(
    block: Block, grammar: Grammar, width: int, places: Sequence[int], *, small: bool
) -> tuple[Words, ...]:
    """What the fields in the columns at `places` say, in all rows of `block`.

    Parameters
    ----------
    width : how many fields a row has to have.
    small : whether to do without pandas, which takes long to import.

    Raises
    ------
    RowError : for the first row that can't be read.
    """
    cells = None if small else find_cells(block, grammar, width)
    found = None
    if cells is not None:
        found = compared(stripped(cells.at(places), block, grammar), block)
    if found is None:
        found = read_plainly(block, grammar, width, places)
    return tuple(Words(with_missing(words, grammar), words.said) for words in found)


def read_plainly(
    block: Block, grammar: Grammar, width: int, places: Sequence[int]
) -> tuple[Words, ...]:
    """The words, one field after the other."""
    codes: list[list[int]] = [[] for _ in places]
    code_of: list[dict[bytes, int]] = [{} for _ in places]
    for record in records(block.text, grammar):
        check_form(record, block.text, width, block.line)
        for place, of_one, known in zip(places, codes, code_of, strict=True):
            said = content(record.fields[place], grammar)
            of_one.append(known.setdefault(said, len(known)))
    return tuple(
        Words(np.array(of_one, np.int64), decoded(known))
        for of_one, known in zip(codes, code_of, strict=True)
    )


def compared(cells: Cells, block: Block) -> tuple[Words, ...] | None:
    """The words in these fields; None where they are too long, or have quotes in them."""
    text = np.concatenate([cells.text, np.zeros(LONGEST, np.uint8)])
    found = []
    for starts, ends in zip(cells.starts.T, cells.ends.T, strict=True):
        longest = int((ends - starts).max(initial=0))
        if longest > LONGEST - 8:
            return None
        codes, rows = numbered(text, starts, ends, longest)
        said = [text[starts[row] : ends[row]].tobytes() for row in rows.tolist()]
        if len(block.quotes) and any(b'"' in word for word in said):
            return None
        found.append(Words(codes, decoded(said)))
    return tuple(found)


def numbered(
    text: np.ndarray[tuple[int], np.dtype[np.uint8]],
    starts: Positions,
    ends: Positions,
    longest: int,
) -> tuple[Codes, Positions]:
    """Codes of the fields, the same for the same text, and for each code a row that has it."""
    import pandas as pd

    at_each = np.ndarray((len(text) - 7,), "<u8", text.data, strides=(1,))
    codes = np.zeros(len(starts), np.int64)
    for offset in range(0, longest, 8):
        length = (ends - starts - offset).clip(0, 8)
        part, different = pd.factorize(at_each[starts + offset] & EIGHT[length])
        codes = part if offset == 0 else pd.factorize(codes * len(different) + part)[0]
    count = int(codes.max(initial=-1)) + 1
    rows = np.zeros(count, np.int64)
    rows[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes.astype(np.int64), rows


def decoded(words: Sequence[bytes] | dict[bytes, int]) -> list[str]:
    """Words as texts."""
    return [word.decode(errors="surrogateescape") for word in words]


def with_missing(words: Words, grammar: Grammar) -> Codes:
    """The codes of words, -1 for those that stand for a missing value."""
    absent = [grammar.is_missing(word.encode(errors="surrogateescape")) for word in words.said]
    if not any(absent):
        return words.codes
    return np.where(np.array(absent)[words.codes], -1, words.codes)
