"""Least squares in one pass of Householder reflections, with what standard errors need.

Column by column, in their order, [A y] becomes R = [R_A Qᵀy; 0 ρ]. The params are R_A⁻¹Qᵀy, ρ is
the length of their residuals, and a row of R_A⁻¹ is as long as its param's standard error is in
units of the residuals' (Golub and Van Loan, Matrix Computations, 2013, §5.3). A column that depends
on those before it is left out, as dqrdc2 does in R: what then remains of it is rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.condense import triangular
from gdfit.descent.curvature import DEPENDENT
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
        kept, inverse, projected, residual = _eliminate(triangular(np.ldexp(columns, -exponents)))
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


def _eliminate(rows: FloatArray) -> tuple[list[int], FloatArray, FloatArray, float]:
    """The columns of `rows` = [A y] that don't depend on earlier ones, R_A⁻¹ for these, Qᵀy and ρ.

    A column's rounding errors are as large as those of all that it is put together from, in the
    right proportions: what is left of it must be larger than that. So no unit of measurement and no
    large mean changes what depends on what.
    """
    R = rows.copy()
    places = R.shape[1] - 1
    lengths = np.linalg.norm(R, axis=0)
    inverse = np.zeros((places, places))
    kept: list[int] = []

    def remaining(place: int) -> tuple[FloatArray, float]:
        """The column put together from those kept, and the length of what is left of it."""
        rank = len(kept)
        weights = inverse[:rank, :rank] @ R[:rank, place]
        left = float(np.linalg.norm(R[rank:, place]))
        size = lengths[place] + np.abs(weights) @ lengths[kept]
        return weights, left if left > DEPENDENT * size else 0.0

    for place in range(places):
        weights, left = remaining(place)
        if not left:
            continue
        rank = len(kept)
        mirror = R[rank:, place].copy()
        mirror[0] += math.copysign(left, mirror[0])
        rest = R[rank:, place:]
        rest -= np.outer(mirror, (2 / (mirror @ mirror)) * (mirror @ rest))
        inverse[:rank, rank] = -weights / R[rank, place]
        inverse[rank, rank] = 1 / R[rank, place]
        kept.append(place)
    rank = len(kept)
    return kept, inverse[:rank, :rank], R[:rank, -1].copy(), remaining(places)[1]
