"""The lasso: the minimum of a parabola with λ₁‖w‖₁ added.

It (Tibshirani, J. R. Stat. Soc. B 58, 1996) is of any parabola; of one with λ‖w‖² in it, it is the
elastic net. Where a weight is not 0, the slope of the parabola along it is −λ₁·sign(w); where it is
0, the slope is between −λ₁ and λ₁. So weights that are not 0 go by Newton's method to where this
holds for them, or only to where the first of them is 0, and there that one stays; and when it
holds, the one of the others goes along for which it holds least. The loss falls each time, and no
set of weights comes back (Lee, Battle, Raina and Ng, Efficient sparse coding algorithms, NeurIPS
2006).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from gdfit.arrays import FloatArray, triangular
from gdfit.data.observations import Observations
from gdfit.descent.curvature import ARRIVES, Curvature

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
        """∇f(w) without λ, shape (…, p)."""
        return 2 * (w @ self.rows.T - self.target) @ self.rows / self.total

    def minimum(self, l1: float, l2: float, w: FloatArray) -> FloatArray | None:
        """The w of the least f(w) + λ₁‖w‖₁, from one that may be near; see `sparse_minimum`."""
        return sparse_minimum(
            self.hessian,
            lambda w: self.slopes(w) + 2 * l2 * w,
            np.full(self.features, l1),
            w,
            ridge=2 * l2,
        )

    def minima_behind(self, w: FloatArray, l1: float, smaller: FloatArray) -> FloatArray:
        """The minima for `smaller` λ₁ than that of `w`, falling, as far as the same weights are not
        0 in them, shape (k, p): those lie on a line (Osborne, Presnell and Turlach, IMA J. Numer.
        Anal. 20, 2000)."""
        signs, places = np.sign(w), np.flatnonzero(w)
        line, thresholds = np.zeros(self.features), smaller[:, np.newaxis]
        with suppress(np.linalg.LinAlgError):
            among = self.hessian[np.ix_(places, places)]
            line[places] = np.linalg.solve(among, signs[places])
        found = w + (l1 - thresholds) * line
        slopes = self.slopes(found)
        near = rounding(units_of(np.diag(self.hessian)), self.slopes(np.zeros_like(w)), thresholds)
        missed = np.where(
            signs == 0, np.abs(slopes) - thresholds, np.abs(slopes + thresholds * signs)
        )
        holds = (missed <= near) & (np.sign(found) == signs)
        return found[: int(np.argmin([*holds.all(axis=1), False]))]

    def with_b(self, w: FloatArray) -> FloatArray:
        """The params (w, b) with the best b, for w of shape (…, p)."""
        return np.concatenate([w, (self.target_mean - w @ self.means)[..., np.newaxis]], axis=-1)


def sparse_minimum(
    hessian: FloatArray,
    slopes: Callable[[FloatArray], FloatArray],
    thresholds: FloatArray,
    start: FloatArray,
    *,
    ridge: float = 0.0,
) -> FloatArray | None:
    """The params of the least f(θ) + Σ tⱼ|θⱼ|, where a search from `start` finds them.

    Parameters
    ----------
    hessian : of the parabola f, shape (k, k), but for `ridge` on its diagonal.
    slopes : ∇f.
    thresholds : tⱼ, shape (k,); 0 for those that may be anything.
    """
    units = units_of(np.diag(hessian) + ridge)
    near = rounding(units, slopes(np.zeros_like(start)), thresholds)
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
        pull, unit, ones = pulls[places], units[places], np.eye(len(places))
        among = hessian[np.ix_(places, places)] + ridge * ones
        step = -np.linalg.solve(among / np.outer(unit, unit) + HOLDS * ones, pull / unit) / unit
        bend = float(step @ among @ step)
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


def units_of(diagonal: FloatArray) -> FloatArray:
    """What slopes are divided by, so that no unit of a column plays a part, from the diagonal of
    the Hessian: shape (k,)."""
    units = np.sqrt(diagonal)
    units[units == 0] = 1.0
    return units


def rounding(units: FloatArray, at_zeros: FloatArray, thresholds: FloatArray) -> FloatArray:
    """By how much the optimality conditions may be missed, from the slopes at zeros."""
    steepest = float((np.abs(at_zeros) / units).max())
    return np.maximum(OPTIMAL * thresholds, ROUNDED_SLOPE * steepest * units)


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
