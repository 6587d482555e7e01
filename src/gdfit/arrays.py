"""Arrays of float64, the only ones there are, and their QR decomposition, of which R is needed."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from gdfit.errors import GdfitError

FloatArray = NDArray[np.float64]


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
