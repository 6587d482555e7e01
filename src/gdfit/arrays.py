"""Arrays of float64, the only ones there are; their QR decomposition, of which R is needed; and
columns from which is taken away what is common to their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from gdfit.errors import GdfitError

FloatArray = NDArray[np.float64]
NEAR_ZERO = 1e-2  # numbers smaller than this part of the largest are measured by it


def triangular(rows: FloatArray) -> FloatArray:
    """The factor R of rows = QR, shape (…, min(n, m), m) for rows of shape (…, n, m).

    Raises
    ------
    GdfitError : the rows' lengths are beyond float64; LAPACK would go round in circles with them.
    """
    triangle = cast(FloatArray, np.linalg.qr(rows, mode="r"))
    if not np.isfinite(triangle).all():
        raise GdfitError("the numbers are too large for float64: divide the columns by a million")
    return triangle


STACKED = 1 << 20  # numbers in matrices that are decomposed together


def triangles(rows: FloatArray, counts: NDArray[np.int64]) -> FloatArray:
    """R of each run of so many rows, shape (runs, m, m): 0 below the last row of a run of fewer.

    Rows are decomposed some at a time, as many matrices in one call as there are, and what that
    makes of a run once more, until it is one R.

    Raises
    ------
    GdfitError : as `triangular`.
    """
    width = rows.shape[1]
    while True:
        size = max(4 * width, 2 * len(rows) // len(counts))
        size = min(size, max(int(counts.max()), width))
        pieces = np.maximum(-(-counts // size), 1)
        starts = np.cumsum(counts) - counts
        within = np.arange(len(rows)) - np.repeat(starts, counts)
        piece = np.repeat(np.cumsum(pieces) - pieces, counts) + within // size
        found = np.zeros((int(pieces.sum()), width, width))
        at_once = max(STACKED // (size * width), 1)
        for first in range(0, len(found), at_once):
            chosen = slice(*np.searchsorted(piece, (first, first + at_once)).tolist())
            stack = np.zeros((min(at_once, len(found) - first), size, width))
            stack[piece[chosen] - first, within[chosen] % size] = rows[chosen]
            found[first : first + at_once] = triangular(stack)
        rows, counts = found.reshape(-1, width), width * pieces
        if pieces.max() == 1:
            return found


def taken(rows: FloatArray, order: NDArray[np.int64]) -> FloatArray:
    """The rows at these places, column by column in memory: ten times as fast as all at once."""
    result = np.empty((len(order), rows.shape[1]), order="F")
    for place, column in enumerate(rows.T):
        # Another mode than to raise, as the result would be made beside, and copied.
        column.take(order, out=result[:, place], mode="clip")
    return result


# A column's numbers are close together where they differ by less than this part of them.
NEAR = 2.0**-20
GLANCE = 16  # rows that are looked at first


class Near(NamedTuple):
    """Rows of features, a one and y, or R of them, with an origin taken away from the features.

    Of numbers 1e9 + t that lie close together, R would have t with an error of some ε·1e9; the
    difference of two numbers that are within a factor of two of each other has none (Sterbenz,
    Floating-Point Computation, 1974).

    rows : [X − 1cᵀ, 1, y], shape (n, p+2).
    origin : c, shape (p,); 0 for columns whose numbers don't lie close together.
    """

    rows: FloatArray
    origin: FloatArray

    def at(self, origin: FloatArray) -> FloatArray:
        """The rows with another `origin`, shape (p,)."""
        moved = np.flatnonzero(self.origin != origin)
        if not len(moved):
            return self.rows
        rows = self.rows.copy(order="F")
        rows[:, moved] += np.outer(rows[:, -2], (self.origin - origin)[moved])
        return rows

    def joined(self, other: Near) -> Near:
        """These rows and the `other` ones."""
        origin = shared(self.origin, other.origin)
        return Near(np.concatenate([self.at(origin), other.at(origin)]), origin)

    def weighed(self, weights: FloatArray) -> Near:
        """Each row times the root of its weight."""
        return Near(self.rows * np.sqrt(weights)[:, np.newaxis], self.origin)

    @classmethod
    def here(cls, rows: FloatArray) -> Near:
        """The rows as they are."""
        return cls(rows, np.zeros(rows.shape[1] - 2))

    @property
    def whole(self) -> FloatArray:
        """The rows as they are."""
        return self.at(np.zeros_like(self.origin))


def are_near(x: FloatArray, origin: FloatArray) -> NDArray[np.bool_]:
    """Where numbers are close to those of `origin`."""
    return np.abs(x - origin) <= NEAR * np.abs(origin)


def shared(origin: FloatArray, other: FloatArray) -> FloatArray:
    """An origin for rows that have two: 0 where they are apart."""
    return np.where(are_near(origin, other), origin, 0.0)


def near(rows: FloatArray, places: Sequence[int] | None = None) -> Near:
    """Rows of features, a one and y, which all count alike, with the first row taken away where the
    others are close to it, at these `places`, by default at all. Without a one, nothing is: that
    would be another model."""
    size = rows.shape[1] - 2
    origin = np.zeros(size)
    if len(rows) and rows[0, -2] == 1:
        chosen = np.arange(size) if places is None else np.array(places, int)
        origin[chosen] = rows[0, chosen]
    for part in (rows[:GLANCE], rows):
        used = np.flatnonzero(origin)
        origin[used[~are_near(part[:, used], origin[used]).all(axis=0)]] = 0
    return Near(Near.here(rows).at(origin), origin)


def texts_alike(
    text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], bytes, list[NDArray[np.uint8]]]]:
    """The texts that start there in `text`, those of a shape together: whose digits stand in the
    same places, with the same bytes between. Empty ones are none.

    Yields which they are, the first of them, and for each of their places what the digits there
    are worth.
    """
    zero = np.uint8(ord("0"))
    counts = np.bincount(lengths)
    counts[:1] = 0
    for length in np.flatnonzero(counts).tolist():
        rows = np.flatnonzero(lengths == length)
        while len(rows):
            example = text[starts[rows[0]] :][:length].tobytes()
            if len(rows) == len(starts) and starts[-1] - starts[0] == length * (len(starts) - 1):
                block = text[starts[0] : starts[-1] + length].reshape(len(starts), length)
                columns = [*np.subtract(block.T, zero, order="C")]
            else:
                columns = [text[starts[rows] + at] - zero for at in range(length)]
            alike = np.ones(len(rows), bool)
            for column, byte in zip(columns, example, strict=True):
                value = (byte - ord("0")) % 256  # as an unsigned byte has it
                alike &= column < 10 if value < 10 else column == value
            yield rows[alike], example, [column[alike] for column in columns]
            rows = rows[~alike]


def is_close(found: FloatArray, expected: FloatArray, tolerance: float) -> NDArray[np.bool_]:
    """Where numbers are the same within a relative tolerance."""
    size = np.abs(expected)
    with np.errstate(invalid="ignore", over="ignore"):
        largest = size.max(axis=-1, initial=0.0, keepdims=True)
        most = tolerance * np.maximum(size, NEAR_ZERO * largest)
        return np.asarray(np.abs(found - expected) <= most)


def are_same(found: Sequence[FloatArray], expected: Sequence[FloatArray], tolerance: float) -> bool:
    """Whether all numbers are the same; one may stand for many that are alike."""
    return len(found) == len(expected) and all(
        (len(each) == len(right) or (len(each) == 1 and np.ptp(right) == 0))
        and bool(is_close(each, right, tolerance).all())
        for each, right in zip(found, expected, strict=True)
    )
