"""Rows of any number to p+2 rows that have the same squared loss at every θ.

The squared error is ‖Aθ − y‖². With [A y] = QR, Q keeps lengths, so that ‖Aθ − y‖ is the length of
R's columns put together in the same way: R, of p+2 rows, stands for all N of them, in the loss, in
its gradient and in its Hessian. Blocks are folded into R one by one, since the R of [R₁; A₂] is the
R of [A₁; A₂] (TSQR: Demmel, Grigori, Hoemmen and Langou, SIAM J. Sci. Comput. 34, 2012). QR and not
AᵀA, whose entries are squares and lose half of the digits.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.columns import Columns
from gdfit.data.observations import FIRST_ROWS, Observations
from gdfit.data.rows import RowBuffer, Rows, rows_at_once
from gdfit.errors import GdfitError, NoObservationsError

SAMPLE_ROWS = 2000
SAMPLING = 1  # the reservoir's own stream of random numbers, apart from those of other choices


class Condenser:
    """Takes in rows block by block, and keeps p+2 rows that stand for them, the first and the last
    ones, and a sample. How the rows are cut into blocks makes no difference, not in the last bit.

    Parameters
    ----------
    columns : their names.
    seed : of the sample.
    keep_rows : whether to keep all rows as well, in memory or on disk.
    memory : how many bytes of them at most to keep in memory: see `Rows`.
    """

    def __init__(
        self,
        columns: Columns,
        seed: int = 0,
        *,
        keep_rows: bool = False,
        memory: int | None = None,
    ) -> None:
        self._columns = columns
        width = len(columns.features) + 2
        self._triangle = np.empty((0, width))
        self._rows = RowBuffer(rows_at_once(width), width, self._fold)
        self._sample = Reservoir(seed)
        self._kept = Rows(width, memory) if keep_rows else None
        self.count = 0
        self._first = np.empty((0, width))
        self._last = np.empty(0)

    def add(self, block: FloatArray) -> None:
        """Take in rows of shape (rows, p+1): the features, then y."""
        self.count += len(block)
        self._rows.add(block)

    def _fold(self, rows: FloatArray) -> None:
        if not len(self._first):
            self._first = rows[:FIRST_ROWS].copy()
        self._last = rows[-1].copy()
        self._sample.add(rows)
        if self._kept is not None:
            self._kept.add(rows)
        self._triangle = triangular(np.concatenate([self._triangle, triangular(rows)]))

    def observations(self) -> Observations:
        """All that was taken in, as p+2 rows, or as N where those are fewer."""
        self._rows.flush()
        if not self.count:
            raise NoObservationsError
        return Observations(
            augmented=self._triangle,
            count=self.count,
            features=self._columns.features,
            target_name=self._columns.target,
            left_out=self._columns.left_out,
            first=np.delete(self._first, -2, axis=1),
            last=np.delete(self._last, -2),
            sample=np.delete(self._sample.rows, -2, axis=1),
            rows=self._kept,
        )


def triangular(rows: FloatArray) -> FloatArray:
    """The factor R of rows = QR, shape (min(n, m), m) for rows of shape (n, m).

    Raises
    ------
    GdfitError : the rows' lengths are beyond float64; LAPACK would go round in circles with them.
    """
    triangle = cast(FloatArray, np.linalg.qr(rows, mode="r"))
    if not np.isfinite(triangle).all():
        raise GdfitError("the numbers are too large for float64: divide the columns by a million")
    return triangle


class Reservoir:
    """A random sample of at most `SAMPLE_ROWS` of the rows of a stream, in their order.

    Each row draws a number from [0, 1), and the rows with the smallest stay. Once there are enough,
    only those are drawn for that come below the largest that has stayed: how many of a block they
    are, which, and what they draw.

    rows : the sample so far, shape (rows, columns).
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng([seed, SAMPLING])
        self._draws = np.empty(0)
        self.rows: FloatArray = np.empty((0, 0))

    def add(self, block: FloatArray) -> None:
        """Draw for the rows of `block`."""
        largest = 1.0
        if len(self._draws) == SAMPLE_ROWS:
            largest = float(self._draws.max())
            count = self._random.binomial(len(block), largest)
            chosen = self._random.choice(len(block), count, replace=False, shuffle=False)
            block = block[np.sort(chosen)]
        self.rows = np.concatenate([self.rows.reshape(-1, block.shape[1]), block])
        self._draws = np.concatenate([self._draws, largest * self._random.random(len(block))])
        if len(self._draws) > SAMPLE_ROWS:
            smallest = np.sort(np.argpartition(self._draws, SAMPLE_ROWS)[:SAMPLE_ROWS])
            self._draws, self.rows = self._draws[smallest], self.rows[smallest]
