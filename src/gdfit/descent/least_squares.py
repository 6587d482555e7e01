"""Least squares, from the R factor of [A y], so from the p+2 condensed rows as from all N.

[A y] = QR, and R = [R_A Qᵀy; 0 ρ]. The params are R_A⁻¹Qᵀy, ρ is the length of their residuals, and
a row of R_A⁻¹ is as long as its param's standard error is in units of the residuals' (Golub and Van
Loan, Matrix Computations, 2013, §5.3). A column that depends on those before it is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.scaling import DEPENDENT, Elimination
from gdfit.errors import GdfitError


@dataclass(frozen=True)
class LeastSquares:
    """The least-squares params of some columns, and how well they are known.

    params : shape (p,); NaN for a column that depends on those before it.
    spreads : their standard errors where the residual standard error is 1; NaN as in `params`.
    inflations : of each column, by which factor what the others tell of it makes the variance of
        its param larger (the variance inflation factor); NaN as in `params`, and for the ones.
    kept : the places of the columns that don't depend on those before them.
    projected : what each of these adds to ŷ, orthogonal to those before: Qᵀy, shape (rank,).
    explained : ‖ŷ‖, or ‖ŷ − ȳ‖ with an intercept; 0 where y does not vary.
    residual : ‖y − ŷ‖; 0 where it is no more than rounding.
    """

    params: FloatArray
    spreads: FloatArray
    inflations: FloatArray
    kept: list[int]
    projected: FloatArray
    explained: float
    residual: float


def least_squares(
    columns: FloatArray, *, intercept: bool, origin: FloatArray | None = None
) -> LeastSquares:
    """Least squares of y on the columns before it; one that depends on earlier ones is left out.

    Parameters
    ----------
    columns : [A y], shape (n, p+1).
    intercept : whether the first column is the ones.
    origin : what has been taken away from the columns behind the ones, shape (p − 1,).

    Raises
    ------
    GdfitError : the numbers are too large for float64, or the params would be.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        # Columns about 1 in size: powers of two, so that it changes no digit.
        exponents = np.frexp(np.abs(columns).max(axis=0))[1]
        if not np.isfinite(columns).all():
            raise GdfitError("the numbers are too large for float64")
        far = np.zeros(len(exponents))
        if origin is not None:
            far[1:-1] = np.abs(origin) * np.linalg.norm(columns[:, 0])
        elimination = Elimination(np.ldexp(columns, -exponents), np.ldexp(far, -exponents))
        elimination.take(range(len(exponents) - 1))
        kept, inverse = elimination.kept, elimination.inverse
        if origin is not None:  # b is told for the columns as they were
            slopes = np.array(kept[1:], int)
            taken = np.ldexp(origin[slopes - 1], exponents[0] - exponents[slopes])
            inverse = np.vstack([inverse[0] - taken @ inverse[1:], inverse[1:]])
        projected, residual = elimination.projected(-1).copy(), elimination.left(-1)
        explained = float(np.linalg.norm(projected[intercept:]))
        if math.hypot(explained, residual) <= DEPENDENT * float(np.linalg.norm(projected)):
            projected[intercept:], explained, residual = 0.0, 0.0, 0.0  # y does not vary
        params, spreads, inflations = np.full((3, len(exponents) - 1), math.nan)
        params[kept] = np.ldexp(inverse @ projected, exponents[-1] - exponents[kept])
        spread = np.linalg.norm(inverse, axis=1)
        spreads[kept] = np.ldexp(spread, -exponents[kept])
        varying = [elimination.projected(place)[intercept:] for place in kept]
        inflations[kept] = (spread * np.linalg.norm(varying, axis=1)) ** 2
        if intercept:
            inflations[0] = math.nan
        lengths = np.ldexp([explained, residual], exponents[-1])
    if not np.isfinite([*params[kept], *spreads[kept], *lengths]).all():
        raise GdfitError("the columns differ too much in size for float64")
    projected = np.ldexp(projected, exponents[-1])
    return LeastSquares(params, spreads, inflations, kept, projected, *lengths.tolist())
