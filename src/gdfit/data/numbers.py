"""The numbers in a block, fast: NumPy finds the fields and reads those that are plain decimals, the
definition of a number the few others, and pandas those of a block with many (1.5e-05, NA).

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
from gdfit.data.blocks import LF, Block, Positions, table_of
from gdfit.data.cells import Cells, find_cells, joined, stripped
from gdfit.data.decimals import read_decimals
from gdfit.data.fields import Grammar, read_number
from gdfit.data.plain import read_plainly

MANY = 1 / 16  # of the fields: pandas takes longer to import than the others to read
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
    rows = read_fields(block, grammar, width, in_file, missing=missing)
    if rows is None:
        text, line = block.text, block.line
        return read_plainly(text, grammar, width, places, missing=missing, line=line, texts=texts)
    return rows if list(places) == in_file else rows[:, [in_file.index(p) for p in places]]


def read_fields(
    block: Block, grammar: Grammar, width: int, places: Sequence[int], *, missing: bool
) -> FloatArray | None:
    """The numbers in the fields at `places`, in ascending order."""
    found = find_cells(block, grammar, width)
    if found is None:
        return None
    found = found.at(places)
    cells = stripped(found, block, grammar)
    values: FloatArray | None = read_decimals(cells, grammar.decimal)
    assert values is not None
    odd = np.isnan(values)
    if odd.any():
        others = np.flatnonzero(odd)
        if len(others) > values.size * MANY:
            values = parse(cells, grammar, missing=missing)
        else:
            values = read_others(values, others, found, grammar, missing=missing)
        if values is None:
            return None
    if grammar.missing_numbers:
        values = np.where(np.isin(values, list(grammar.missing_numbers)), np.nan, values)
    if np.isfinite(values).all():
        return values
    return values if missing and not np.isinf(values).any() else None


def read_others(
    values: FloatArray, others: Positions, cells: Cells, grammar: Grammar, *, missing: bool
) -> FloatArray | None:
    """`values` with what the fields at `others` say, read by the definition of a number."""
    known: dict[bytes, float] = {}
    starts, ends = cells.starts.ravel()[others].tolist(), cells.ends.ravel()[others].tolist()
    read = []
    for start, end in zip(starts, ends, strict=True):
        field = cells.text[start:end].tobytes()
        if field not in known:
            try:
                known[field] = read_number(field, grammar, missing=missing)
            except ValueError:
                return None
        read.append(known[field])
    values.ravel()[others] = read
    return values


def parse(cells: Cells, grammar: Grammar, *, missing: bool) -> FloatArray | None:
    """The numbers in fields by pandas, which is given one a line; a missing one is NaN."""
    text = joined(cells)
    line_ends = np.count_nonzero(text == LF)
    if line_ends != cells.starts.size:  # a field has one in it
        return None
    # What comes before the first wraps around to a large number.
    strange = text - FIRST > LAST - FIRST
    only_line_ends = np.count_nonzero(strange) == line_ends
    if not only_line_ends and not table_of(b"\n" + HARMLESS)[text[strange]].all():
        return None
    import pandas as pd

    try:
        frame = pd.read_csv(
            AtOnce(text.tobytes()),
            engine="c",
            sep="\t",  # which is in no field
            decimal=grammar.decimal,
            header=None,
            skip_blank_lines=False,
            dtype=float,
            na_filter=missing,
            keep_default_na=False,
            na_values=["", *(word for word in grammar.missing if not is_float(word))],
            low_memory=False,  # the block is small
        )
    except ValueError:  # pandas' own errors are ValueErrors
        return None
    values: FloatArray = frame.to_numpy()
    return values.reshape(cells.starts.shape)


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
