"""The numbers in a block, fast: NumPy finds the fields, and pandas turns them into floats.

pandas' own ideas of quotes, blanks and words have no say: it is given fields without quotes and
blanks, and without the letters of the words that it takes for numbers (``inf``, ``True``). Of what
is left it makes the floats that Python does, finds the words for missing values, or refuses it
(``1e``, ``1.2.3``). Functions return None for a block that they can't read, which is then left to
the plain reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.blocks import LF, Block, table_of
from gdfit.data.cells import find_cells, joined, stripped
from gdfit.data.fields import WHITE_SPACE, Grammar
from gdfit.data.plain import read_plainly

ONE_A_LINE = "\t"  # a delimiter that there is none of
FIRST, LAST = b"+9"  # from one to the other in ASCII is what numbers are made of, but for e, E, /
HARMLESS = bytes(set(range(ord("!"), 127)) - set(b'"_ftFT'))  # to pandas: no number with these


def read_block(
    block: Block,
    grammar: Grammar,
    width: int,
    places: Sequence[int],
    *,
    missing: bool,
    texts: Sequence[int] = (),
) -> FloatArray:
    """The numbers of all rows of `block` in the columns at `places`, shape (rows, places).

    Parameters
    ----------
    width : how many fields a row has to have.
    missing : whether a field at these places may be missing, and is NaN then.
    texts : columns of which the faults are told, too, where there is one in the numbers.

    Raises
    ------
    RowError : for the first row that can't be read; the lines are the file's.
    """
    in_file = sorted(set(places))
    rows = None
    if len(in_file) == width > 1:
        rows = read_whole(block, grammar, width, missing=missing)
    if rows is None:
        rows = read_fields(block, grammar, width, in_file, missing=missing)
    if rows is None:
        text, line = block.text, block.line
        return read_plainly(text, grammar, width, places, missing=missing, line=line, texts=texts)
    return rows if list(places) == in_file else rows[:, [in_file.index(p) for p in places]]


def read_whole(block: Block, grammar: Grammar, width: int, *, missing: bool) -> FloatArray | None:
    """The rows of a block of nothing but numbers and words for missing values."""
    ends = b"\r\n" + grammar.delimiters
    rows = parse(block.text, grammar, grammar.delimiter, ends, missing=missing)
    if rows is None or rows.shape[1] != width:
        return None
    if np.isfinite(rows).all():
        return rows
    # To pandas, a row with too few fields ends in missing values.
    commas = np.frombuffer(block.text, np.uint8) == grammar.delimiters[0]
    even = np.count_nonzero(commas) == len(rows) * (width - 1)
    even = even and grammar.delimiter != WHITE_SPACE
    return rows if missing and even and not np.isinf(rows).any() else None


def read_fields(
    block: Block, grammar: Grammar, width: int, places: Sequence[int], *, missing: bool
) -> FloatArray | None:
    """The numbers in the fields at `places`, in ascending order."""
    cells = find_cells(block, grammar, width)
    if cells is None:
        return None
    cells = stripped(cells.at(places), block, grammar)
    text = joined(cells)
    if np.count_nonzero(text == LF) != cells.starts.size:  # a field has one in it
        return None
    values = parse(text.tobytes(), grammar, ONE_A_LINE, b"\n", missing=missing)
    if values is None:
        return None
    if not np.isfinite(values).all() and (np.isinf(values).any() or not missing):
        return None
    return values.reshape(cells.starts.shape)


def parse(
    text: bytes, grammar: Grammar, delimiter: str, ends: bytes, *, missing: bool
) -> FloatArray | None:
    """The rows of a text of numbers and of words for missing values, which are NaN; `ends` are the
    characters that end a field."""
    characters = np.frombuffer(text, np.uint8)
    # What comes before the first wraps around to a large number.
    strange = characters - FIRST > LAST - FIRST
    only_line_ends = np.count_nonzero(strange) == np.count_nonzero(characters == LF)
    if not only_line_ends and not table_of(ends + HARMLESS)[characters[strange]].all():
        return None
    import pandas as pd

    try:
        frame = pd.read_csv(
            AtOnce(text),
            engine="c",
            sep=delimiter,
            decimal=grammar.decimal,
            header=None,
            skip_blank_lines=delimiter != ONE_A_LINE,
            dtype=float,
            na_filter=missing,
            keep_default_na=False,
            na_values=["", *(word for word in grammar.missing if not is_float(word))],
            low_memory=False,  # the block is small
        )
    except ValueError:  # pandas' own errors are ValueErrors
        return None
    values: FloatArray = frame.to_numpy()
    if grammar.missing_numbers:
        values = np.where(np.isin(values, list(grammar.missing_numbers)), np.nan, values)
    return values


def is_float(word: str) -> bool:
    """Whether Python makes a float of it, as of ``inf`` and ``1_0``, too."""
    try:
        float(word)
    except ValueError:
        return False
    return True


class AtOnce(BytesIO):
    """A file that pandas reads in one go, without a copy, and not in many small pieces for each of
    which it needs Python's lock."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read()
