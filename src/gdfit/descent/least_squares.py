"""Least squares, from the R factor of [A y], so from the p+2 condensed rows as from all N; and the
lasso, the minimum with λ₁‖w‖₁ added.

[A y] = QR, and R = [R_A Qᵀy; 0 ρ]. The params are R_A⁻¹Qᵀy, ρ is the length of their residuals, and
a row of R_A⁻¹ is as long as its param's standard error is in units of the residuals' (Golub and Van
Loan, Matrix Computations, 2013, §5.3). A column that depends on those before it is left out.

The lasso (Tibshirani, J. R. Stat. Soc. B 58, 1996) is of any parabola; of one with λ‖w‖² in it, it
is the elastic net. Where a weight is not 0, the slope of the parabola along it is −λ₁·sign(w);
where it is 0, the slope is between −λ₁ and λ₁. So weights that are not 0 go by Newton's method to
where this holds for them, or only to where the first of them is 0, and there that one stays; and
when it holds, the one of the others goes along for which it holds least. The loss falls each time,
and no set of weights comes back (Lee, Battle, Raina and Ng, Efficient sparse coding algorithms,
NeurIPS 2006).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray, triangular
from gdfit.data.batch import FEW_BYTES
from gdfit.data.observations import Observations
from gdfit.descent.curvature import ARRIVES, Curvature
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
        return replace(found, params=known[[*order]], residual=float(known[-1]))
    rows, size = observations.rows, len(observations.features)
    # Of numbers that lie close together, R from their origin has the digits, and these have not.
    if rows is None or rows.count != observations.count or observations.near:
        return found
    if rows.count * rows.columns * 8 > FEW_BYTES and not always:
        return found
    kept, root = np.array(order)[found.kept], found.root[found.kept]
    params, squares = Pair.of(found.params[found.kept]), found.residual**2
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
    return replace(found, params=result, residual=residual)


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


OPTIMAL = 1e-10  # of λ₁, by which the optimality conditions may be missed
ROUNDED_SLOPE = 1e-13  # of the steepest slope at zeros, which is rounding
HOLDS = 1e-13  # added to the diagonal of H, where dependent columns leave it without an inverse


class Parabola:
    """f(w) = ‖Xw − y‖²/N + λ‖w‖², for observations whose b is the best for each w.

    rows, target : X and y, centred where there is a b.
    total : N.
    hessian : 2XᵀX/N, shape (p, p).
    """

    def __init__(self, observations: Observations) -> None:
        around, self.features = observations.around, len(observations.features)
        self.total, rows = observations.total_weight, np.roll(around.rows[:, :-1], 1, axis=1)
        triangle = triangular(np.column_stack([rows, around.rows[:, -1]]))  # of [1 X y]
        self.means, self.target_mean = np.zeros(self.features), 0.0
        if observations.intercept:
            first, triangle = triangle[0] / triangle[0, 0], triangle[1:]
            self.means, self.target_mean = first[1:-1] + around.origin, float(first[-1])
        self.rows, self.target = triangle[:, 1:-1], triangle[:, -1]
        self.hessian = 2 * self.rows.T @ self.rows / self.total

    def slopes(self, w: FloatArray) -> FloatArray:
        """∇f(w) without λ, shape (p,)."""
        return 2 * (self.rows @ w - self.target) @ self.rows / self.total

    def minimum(self, l1: float, l2: float, w: FloatArray) -> FloatArray | None:
        """The w of the least f(w) + λ₁‖w‖₁, from one that may be near; see `sparse_minimum`."""
        return sparse_minimum(
            self.hessian + 2 * l2 * np.eye(self.features),
            lambda w: self.slopes(w) + 2 * l2 * w,
            np.full(self.features, l1),
            w,
        )

    def with_b(self, w: FloatArray) -> FloatArray:
        """The params (w, b) with the best b, for w of shape (…, p)."""
        return np.concatenate([w, (self.target_mean - w @ self.means)[..., np.newaxis]], axis=-1)


def sparse_minimum(
    hessian: FloatArray,
    slopes: Callable[[FloatArray], FloatArray],
    thresholds: FloatArray,
    start: FloatArray,
) -> FloatArray | None:
    """The params of the least f(θ) + Σ tⱼ|θⱼ|, where a search from `start` finds them.

    Parameters
    ----------
    hessian : of the parabola f, shape (k, k).
    slopes : ∇f.
    thresholds : tⱼ, shape (k,); 0 for those that may be anything.
    """
    units = np.sqrt(np.diag(hessian))  # so that no unit of a column plays a part
    units[units == 0] = 1.0
    inverted = hessian / np.outer(units, units) + HOLDS * np.eye(len(units))
    steepest = float((np.abs(slopes(np.zeros_like(start))) / units).max())
    near = np.maximum(OPTIMAL * thresholds, ROUNDED_SLOPE * steepest * units)
    params, signs = start.copy(), np.sign(start)
    signs[thresholds == 0] = 0.0
    moves = (signs != 0) | (thresholds == 0)
    for _ in range(100 + 20 * len(start)):
        slope = slopes(params)
        pulls = slope + thresholds * signs
        if (np.abs(pulls[moves]) <= near[moves]).all():
            missed = np.where(moves, 0.0, (np.abs(slope) - thresholds - near) / units)
            worst = int(missed.argmax())
            if missed[worst] <= 0:
                return params
            moves[worst], signs[worst] = True, -np.sign(slope[worst])
            continue
        places = np.flatnonzero(moves)
        pull = pulls[places]
        step = -np.linalg.solve(inverted[np.ix_(places, places)], pull / units[places])
        step /= units[places]
        bend = float(step @ hessian[np.ix_(places, places)] @ step)
        far = -float(pull @ step) / bend if bend > 0 else np.inf
        back = signs[places] * step < 0
        reach = np.full(len(places), np.inf)
        reach[back] = -params[places][back] / step[back]
        nearest = float(reach.min())
        if not np.isfinite(min(nearest, far)):
            return None
        params[places] += min(nearest, far) * step
        if nearest <= far:
            stopped = places[reach <= nearest]
            params[stopped], signs[stopped], moves[stopped] = 0.0, 0.0, False
    return None


def kinks_at(
    minimum: FloatArray, slopes: FloatArray, l1: float
) -> Callable[[FloatArray], FloatArray]:
    """What a loss with λ₁‖w‖₁ has above the parabola that touches it at its `minimum`, as a
    function of params, shape (…, p+1): 0 where each weight has the sign that it has there. `slopes`
    are those of the loss without λ₁‖w‖₁ at the minimum."""
    signs = np.sign(minimum[:-1])
    held = np.where(signs != 0, -l1 * signs, np.clip(slopes[: len(signs)], -l1, l1))

    def kinks(params: FloatArray) -> FloatArray:
        w = params[..., :-1]
        return np.asarray((l1 * np.abs(w) + held * w).sum(axis=-1))

    return kinks


def with_l1(
    smooth: Curvature, observations: Observations, l1: float, l2: float
) -> Curvature | None:
    """The curvature of the mean squared error with `l1`·‖w‖₁ added, from what it is without; None
    where the minimum has not been found."""
    parabola = Parabola(observations)
    w = parabola.minimum(l1, l2, np.zeros(parabola.features))
    if w is None:
        return None
    params = parabola.with_b(w)
    residuals = parabola.rows @ w - parabola.target
    least = float(residuals @ residuals) / parabola.total + l2 * float(w @ w)
    return replace(
        smooth,
        minimum=params,
        minimum_loss=least + l1 * float(np.abs(w).sum()),
        enough=max(ARRIVES * least / observations.count, smooth.rounding),
        kinks=kinks_at(params, parabola.slopes(w) + 2 * l2 * w, l1),
    )


def with_refined(observations: Observations) -> Observations:
    """The observations with what refinement gives on their rows, for a file that has none."""
    if observations.rows is None or observations.classes:
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
