"""Rows of any number to p+2 rows that have the same squared loss at every θ.

The squared error is ‖Aθ − y‖². With [A y] = QR, Q keeps lengths, so that ‖Aθ − y‖ is the length of
R's columns put together in the same way: R, of p+2 rows, stands for all N of them, in the loss, in
its gradient and in its Hessian. Blocks are folded into R one by one, since the R of [R₁; A₂] is the
R of [A₁; A₂] (TSQR: Demmel, Grigori, Hoemmen and Langou, SIAM J. Sci. Comput. 34, 2012). QR and not
AᵀA, whose entries are squares and lose half of the digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.errors import NoObservationsError
from gdfit.observations import Observations

SAMPLE_ROWS = 2000


def condense(
    blocks: Iterable[FloatArray], features: tuple[str, ...], target: str, seed: int = 0
) -> Observations:
    """The observations in `blocks` as p+2 rows, or as N where those are fewer.

    Parameters
    ----------
    blocks : arrays of shape (rows, p+1): the features, then the target. How the rows are cut into
        blocks makes no difference to the result, not in the last bit.
    features, target : the columns' names.
    seed : of the sample.
    """
    columns = len(features) + 2
    triangle = np.empty((0, columns))
    sample = Reservoir(seed)
    count = 0
    for rows in regroup(blocks, rows_at_once(columns), ones=True):
        count += len(rows)
        last = rows[-1, :-1].copy()
        sample.add(rows[:, :-1])
        triangle = triangular(np.concatenate([triangle, triangular(rows)]))
    if not count:
        raise NoObservationsError
    x, y, ones = triangle[:, :-2], triangle[:, -2], triangle[:, -1]
    return Observations(
        design=np.column_stack([x, ones]),
        target=y.copy(),
        count=count,
        features=features,
        target_name=target,
        last=last,
        sample=sample.rows,
    )


def triangular(rows: FloatArray) -> FloatArray:
    """The factor R of rows = QR, shape (min(n, m), m) for rows of shape (n, m)."""
    return cast(FloatArray, np.linalg.qr(rows, mode="r"))


def rows_at_once(columns: int) -> int:
    """How many rows to fold at once: about a megabyte, and far more than the R that they meet."""
    return max(4 * columns, (1 << 17) // columns)


def regroup(blocks: Iterable[FloatArray], rows: int, *, ones: bool = False) -> Iterator[FloatArray]:
    """The rows of `blocks` in blocks of `rows` each, but for the last; each is written over when
    the next one is asked for. With `ones`, a column of ones is added."""
    buffer: FloatArray | None = None
    filled = 0
    for block in blocks:
        width = block.shape[1]
        if buffer is None:
            buffer = np.ones((rows, width + ones), order="F")
        taken = 0
        while taken < len(block):
            part = block[taken : taken + rows - filled]
            buffer[filled : filled + len(part), :width] = part
            filled += len(part)
            taken += len(part)
            if filled == rows:
                yield buffer
                filled = 0
    if buffer is not None and filled:
        yield buffer[:filled]


class Reservoir:
    """A random sample of at most `SAMPLE_ROWS` of the rows of a stream, in their order.

    Each row draws a number; the rows with the smallest stay. So which they are depends on the seed
    alone, and not on how the stream is cut into blocks.

    rows : the sample so far, shape (rows, columns).
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._draws = np.empty(0)
        self.rows: FloatArray = np.empty((0, 0))

    def add(self, block: FloatArray) -> None:
        """Draw for each row of `block`."""
        draws = self._random.random(len(block))
        if len(self._draws) == SAMPLE_ROWS:
            chosen = np.flatnonzero(draws < self._draws.max())
            draws, block = draws[chosen], block[chosen]
        self.rows = np.concatenate([self.rows.reshape(-1, block.shape[1]), block])
        self._draws = np.concatenate([self._draws, draws])
        if len(self._draws) > SAMPLE_ROWS:
            smallest = np.sort(np.argpartition(self._draws, SAMPLE_ROWS)[:SAMPLE_ROWS])
            self._draws, self.rows = self._draws[smallest], self.rows[smallest]
