"""Least squares, from the R factor of [A y], so from the p+2 condensed rows as from all N.

[A y] = QR, and R = [R_A Qᵀy; 0 ρ]. The params are R_A⁻¹Qᵀy, ρ is the length of their residuals, and
a row of R_A⁻¹ is as long as its param's standard error is in units of the residuals' (Golub and Van
Loan, Matrix Computations, 2013, §5.3). A column that depends on those before it is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.scaling import DEPENDENT, Elimination
from gdfit.errors import GdfitError
from gdfit.model.intervals import Precision


@dataclass(frozen=True)
class LeastSquares:
    """The least-squares params of some columns, and how well they are known.

    params : shape (p,); NaN for a column that depends on those before it.
    spreads : their standard errors where the residual standard error is 1; NaN as in `params`.
    inflations : of each column, by which factor what the others tell of it makes the variance of
        its param larger (the variance inflation factor); NaN as in `params`, and for the ones.
    kept : the places of the columns that don't depend on those before them.
    root : R⁻¹, shape (p, rank); 0 in the rows of the others.
    projected : what each of these adds to ŷ, orthogonal to those before: Qᵀy, shape (rank,).
    explained : ‖ŷ‖, or ‖ŷ − ȳ‖ with an intercept; 0 where y does not vary.
    residual : ‖y − ŷ‖; 0 where it is no more than rounding.
    """

    params: FloatArray
    spreads: FloatArray
    inflations: FloatArray
    kept: list[int]
    root: FloatArray
    projected: FloatArray
    explained: float
    residual: float


def least_squares(
    columns: FloatArray,
    *,
    intercept: bool,
    origin: FloatArray | None = None,
    center: FloatArray | None = None,
) -> LeastSquares:
    """Least squares of y on the columns before it; one that depends on earlier ones is left out.

    Parameters
    ----------
    columns : [A y], shape (n, p+1).
    intercept : whether the first column is the ones.
    origin : what has been taken away from the columns behind the ones, shape (p − 1,).
    center : what is to be taken away instead, shape (p − 1,), where an origin is given; by default
        nothing.

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
        if origin is not None:  # b is told for the columns as they were, or from the center
            origin = origin if center is None else origin - center
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
        root = np.zeros((len(params), len(kept)))
        root[kept] = np.ldexp(inverse, -exponents[kept, np.newaxis])
        projected = np.ldexp(projected, exponents[-1])
    if not np.isfinite([*params[kept], *spreads[kept], *lengths]).all():
        raise GdfitError("the columns differ too much in size for float64")
    return LeastSquares(params, spreads, inflations, kept, root, projected, *lengths.tolist())


def ones_first(observations: Observations) -> list[int]:
    """The places of the columns of a fit. The ones come first: it is a feature that depends on
    them, not they on it."""
    features = range(len(observations.features))
    return [len(features), *features] if observations.intercept else [*features]


def squares_of(
    observations: Observations, order: Sequence[int], center: FloatArray | None = None
) -> LeastSquares:
    """Least squares of y on the columns at these places, the ones first if there are any, with each
    feature from its `center`, shape (p,), by default 0."""
    around, intercept = observations.around, observations.intercept
    features = [*order][intercept:]
    return least_squares(
        around.rows[:, [*order, -1]],
        intercept=intercept,
        origin=around.origin[features] if intercept else None,
        center=None if center is None else center[features],
    )


def precision_of_squares(observations: Observations) -> Precision | None:
    """How well the params of least squares are known; None where no error can be told."""
    order, size = ones_first(observations), len(observations.features)
    around, center = observations.around, np.zeros(size)
    if observations.intercept:
        ones = around.rows[:, -2] / observations.total_weight
        center = around.origin + ones @ around.rows[:, :-2]
    found = squares_of(observations, order, center)
    df = observations.count - len(found.kept)
    if not df:
        return None
    params, root = np.zeros(size + 1), np.zeros((size + 1, len(found.kept)))
    params[order], root[order] = np.nan_to_num(found.params), found.root
    return Precision(center, params, root, found.residual / math.sqrt(df), df)
