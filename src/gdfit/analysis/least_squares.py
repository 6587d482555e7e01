"""Least squares, with what standard errors need.

[A y] = QR, and R = [R_A Qᵀy; 0 ρ]. The params are R_A⁻¹Qᵀy, ρ is the length of their residuals, and
a row of R_A⁻¹ is as long as its param's standard error is in units of the residuals' (Golub and Van
Loan, Matrix Computations, 2013, §5.3). A column that depends on those before it is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.elimination import DEPENDENT, Elimination
from gdfit.errors import GdfitError


@dataclass(frozen=True)
class LeastSquares:
    """The least-squares params of some columns, and how well they are known.

    params : shape (p,); NaN for a column that depends on those before it.
    spreads : their standard errors where the residual standard error is 1; NaN as in `params`.
    rank : how many columns don't depend on those before them.
    explained : ‖ŷ‖, or ‖ŷ − ȳ‖ with an intercept; 0 where y does not vary.
    residual : ‖y − ŷ‖; 0 where it is no more than rounding.
    """

    params: FloatArray
    spreads: FloatArray
    rank: int
    explained: float
    residual: float


def least_squares(columns: FloatArray, *, intercept: bool) -> LeastSquares:
    """Least squares of y on the columns before it; one that depends on earlier ones is left out.

    Parameters
    ----------
    columns : [A y], shape (n, p+1).
    intercept : whether the first column is the ones.

    Raises
    ------
    GdfitError : the numbers are too large for float64, or the params would be.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        # Columns about 1 in size: powers of two, so that it changes no digit.
        exponents = np.frexp(np.abs(columns).max(axis=0))[1]
        if not np.isfinite(columns).all():
            raise GdfitError("the numbers are too large for float64")
        elimination = Elimination(np.ldexp(columns, -exponents))
        elimination.take(range(len(exponents) - 1))
        kept, inverse = elimination.kept, elimination.inverse
        projected, residual = elimination.projected(-1).copy(), elimination.left(-1)
        explained = float(np.linalg.norm(projected[intercept:]))
        if math.hypot(explained, residual) <= DEPENDENT * float(np.linalg.norm(projected)):
            projected[intercept:], explained, residual = 0.0, 0.0, 0.0  # y does not vary
        params, spreads = np.full((2, len(exponents) - 1), math.nan)
        params[kept] = np.ldexp(inverse @ projected, exponents[-1] - exponents[kept])
        spreads[kept] = np.ldexp(np.linalg.norm(inverse, axis=1), -exponents[kept])
        lengths = np.ldexp([explained, residual], exponents[-1])
    if not np.isfinite([*params[kept], *spreads[kept], *lengths]).all():
        raise GdfitError("the columns differ too much in size for float64")
    return LeastSquares(params, spreads, len(kept), float(lengths[0]), float(lengths[1]))
