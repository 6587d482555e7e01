"""What is read of a block of rows: numbers, and words that come again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray

Codes = NDArray[np.int64]


class Words(NamedTuple):
    """What a column of text says.

    codes : which of the `said` each row says, shape (rows,); -1 where the field is missing.
    said : each text once.
    """

    codes: Codes
    said: Sequence[str]


class Batch(NamedTuple):
    """Rows as they are read.

    numbers : shape (rows, columns); NaN where a field is missing.
    words : of each column of text.
    rows : which of the block's rows they are.
    """

    numbers: FloatArray
    words: tuple[Words, ...]
    rows: Codes

    @property
    def is_whole(self) -> NDArray[np.bool_]:
        """Which rows have no missing field."""
        whole: NDArray[np.bool_] = np.logical_and.reduce(~np.isnan(self.numbers), axis=1)
        for column in self.words:
            whole &= column.codes >= 0
        return whole

    def where(self, chosen: NDArray[np.bool_]) -> Batch:
        """Those of the rows that are chosen."""
        if chosen.all():
            return self
        words = tuple(Words(column.codes[chosen], column.said) for column in self.words)
        return Batch(self.numbers[chosen], words, self.rows[chosen])
