"""Least squares, from the R factor of [A y], so from the p+2 condensed rows as from all N.

[A y] = QR, and R = [R_A Qᵀy; 0 ρ]. The params are R_A⁻¹Qᵀy, ρ is the length of their residuals, and
a row of R_A⁻¹ is as long as its param's standard error is in units of the residuals' (Golub and Van
Loan, Matrix Computations, 2013, §5.3). A column that depends on those before it is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import FEW_BYTES
from gdfit.data.observations import Observations
from gdfit.descent.curvature import Curvature
from gdfit.descent.scaling import DEPENDENT, Elimination
from gdfit.errors import GdfitError
from gdfit.model.intervals import Precision


class LeastSquares(NamedTuple):
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


PASSES = 2
NOTHING = 1e-28  # of what a param could be, at which it is 0 but for rounding


class Pair:
    """Numbers as sums of two float64, the second of which is the rounding error of the first: some
    32 digits (Dekker, A floating-point technique for extending the available precision, 1971)."""

    def __init__(self, high: FloatArray, low: FloatArray) -> None:
        self.high, self.low = high, low

    @classmethod
    def of(cls, numbers: FloatArray) -> Pair:
        """Numbers that are float64."""
        return cls(numbers, np.zeros_like(numbers))

    @property
    def rounded(self) -> FloatArray:
        """The float64 next to them."""
        return self.high + self.low

    def __getitem__(self, places: Any) -> Pair:
        return Pair(self.high[places], self.low[places])

    def __add__(self, other: Pair) -> Pair:
        total = two_sum(self.high, other.high)
        return two_sum(total.high, total.low + (self.low + other.low))

    def __sub__(self, other: Pair) -> Pair:
        return self + Pair(-other.high, -other.low)

    def __mul__(self, other: Pair) -> Pair:
        product = self.high * other.high
        (a, b), (c, d) = halves(self.high), halves(other.high)
        error = ((a * c - product) + a * d + b * c) + b * d
        return two_sum(product, error + (self.high * other.low + self.low * other.high))

    def total(self) -> Pair:
        """The sums of columns: of both halves of the rows, and so on."""
        rows = self
        while len(rows.high) > 1:
            half = len(rows.high) // 2
            both, odd = rows[:half] + rows[half : 2 * half], rows[2 * half :]
            rows = Pair(np.concatenate([both.high, odd.high]), np.concatenate([both.low, odd.low]))
        return rows[0]


def two_sum(a: FloatArray, b: FloatArray) -> Pair:
    """a + b and its rounding error (Knuth, The Art of Computer Programming 2, §4.2.2)."""
    total = a + b
    part = total - a
    return Pair(total, (a - (total - part)) + (b - part))


def halves(a: FloatArray) -> tuple[FloatArray, FloatArray]:
    """a as a sum of two numbers of 26 bits, whose products are exact (Veltkamp, 1968)."""
    large = (2.0**27 + 1) * a
    high = large - (large - a)
    return high, a - high


def refined(
    observations: Observations, found: LeastSquares, order: Sequence[int], *, always: bool = False
) -> LeastSquares:
    """Least squares to nearly the last digit, where the rows have been kept and are few, or
    `always`: by iterative refinement, with residuals and their slope in pairs of float64, and a
    correction by R (Björck, Iterative refinement of linear least squares solutions, 1967; Higham,
    Accuracy and Stability of Numerical Algorithms, 2002, ch. 20).

    found : of the columns at the places of `order`, those of `observations`.
    """
    if (known := observations.refined) is not None:
        return found._replace(params=known[[*order]], residual=float(known[-1]))
    rows, size = observations.rows, len(observations.features)
    # Of numbers that lie close together, R from their origin has the digits, and these have not.
    if rows is None or rows.count != observations.count or observations.near:
        return found
    if rows.count * rows.columns * 8 > FEW_BYTES and not always:
        return found
    kept, root = np.array(order)[found.kept], found.root[found.kept]
    params, squares = Pair.of(found.params[found.kept]), found.residual * found.residual
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(PASSES):
            slope, sums = Pair.of(np.zeros(len(kept))), Pair.of(np.zeros(1))
            for rows_in_pairs, weights in pairs_of(observations):
                columns, left = rows_in_pairs[:, kept], rows_in_pairs[:, size + 1]
                for place in range(len(kept)):
                    left -= columns[:, place] * params[place]
                each = left[:, np.newaxis]
                counted = each if weights is None else each * Pair.of(weights[:, np.newaxis])
                slope += (columns * counted).total()
                sums += (each * counted).total()
            squares = float(sums.rounded[0])
            params += Pair.of(root @ (root.T @ slope.rounded))
    if not np.isfinite([*params.high, squares]).all():
        return found
    result = found.params.copy()
    # What is left of a param that is 0 is rounding of these digits.
    largest = math.hypot(found.explained, found.residual) * found.spreads[found.kept]
    result[found.kept] = np.where(np.abs(params.high) > NOTHING * largest, params.high, 0.0)
    residual = math.sqrt(max(squares, 0.0)) if found.residual else 0.0
    return found._replace(params=result, residual=residual)


def pairs_of(observations: Observations) -> Iterator[tuple[Pair, FloatArray | None]]:
    """Rows of features, a one and y in pairs, block by block: products and powers of columns exact
    to the last digit of the second; and the rows' weights, where there are any."""
    rows, expansion = observations.rows, observations.expansion
    assert rows is not None
    size = len(observations.features) + 2
    if expansion is None or rows.before is rows:
        for block in rows.blocks():
            weights = block[:, size] if observations.weight is not None else None
            yield Pair.of(block[:, :size]), weights
        return
    for block in rows.before.blocks():
        base = Pair.of(np.zeros((len(block), len(expansion.products) + 2)))
        base.high[:, -2:] = block[:, -2:]
        columns = dict(zip(expansion.numbers, block.T, strict=False))
        for place, factors in enumerate(expansion.products):
            product = Pair.of(np.ones(len(block)))
            for factor in factors:
                one = Pair.of(replace(factor, power=1).of(columns[factor.column]))
                for _ in range(factor.power):
                    product *= one
            base.high[:, place], base.low[:, place] = product.high, product.low
        codes = expansion.codes(block)
        features = Pair(expansion.spread(base.high, codes), expansion.spread(base.low, codes))
        yield features, expansion.weights(block)


QUICK_BYTES = 1 << 20  # of rows, which are refined in a few milliseconds


def sharpened(curvature: Curvature, observations: Observations) -> Curvature:
    """The curvature of the mean squared error with all digits of its least loss, where the rows are
    few."""
    known = quickly_refined(observations).refined
    if known is None or not known[-1] or not is_quick(observations):
        return curvature
    residual = float(known[-1])
    return replace(curvature, minimum_loss=residual * residual / observations.total_weight)


def quickly_refined(observations: Observations) -> Observations:
    """The same as `with_refined`, where the rows are few."""
    try:
        return with_refined(observations) if is_quick(observations) else observations
    except GdfitError:  # float64 can't tell them
        return observations


def is_quick(observations: Observations) -> bool:
    """Whether there are so few rows that nobody waits for their refinement."""
    return observations.count * (len(observations.features) + 2) * 8 <= QUICK_BYTES


def with_refined(observations: Observations) -> Observations:
    """The observations with what refinement gives on their rows, for where they are gone."""
    if observations.rows is None or observations.classes or observations.refined is not None:
        return observations
    order = ones_first(observations)
    found = refined(observations, squares_of(observations, order), order)
    if len(found.kept) < len(order):
        return observations
    params = np.zeros(len(observations.features) + 1)
    params[order] = found.params
    return replace(observations, refined=np.append(params, found.residual))


def write_condensed(
    observations: Observations,
    path: str | Path,
    folds: Sequence[Observations] = (),
    *,
    rows: bool = True,
) -> None:
    """Write observations to a condensed file, which `read_observations` reads like data.

    Parameters
    ----------
    observations : condensed or not; what the file says of them are their p+2 rows.
    path : the file's, which ends in ``.json``.
    folds : parts of them, for cross-validation.
    rows : whether to keep what they are shown by: a sample, the first rows and the last one.

    Raises
    ------
    GdfitError : without `rows`, where there are so few that R would tell them.
    """
    from gdfit.data.reduction.condensed_file import CondensedFile

    CondensedFile(with_refined(observations), tuple(folds)).write(Path(path), rows=rows)
