"""The minimum of the quantile loss, and of the absolute error, which is twice that of τ = ½.

It is the minimum of a linear program, which an interior point method finds with a lower bound of
what there can be: the Frisch–Newton algorithm of Portnoy and Koenker (The Gaussian Hare and the
Laplacian Tortoise, Statistical Science 12, 1997), with Mehrotra's corrections.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.losses import quantile
from gdfit.descent.objective import block_of, kept_rows
from gdfit.descent.settings import Settings

MOST = 1 << 17  # numbers in the rows: with more, it would take longer than the descent
PREDICTIONS = 100  # and corrections at most
CLOSE_TO_EDGE = 0.9995  # of the way to where the first variable is 0
SURE_GAP = 1e-9  # between both at most, as a part of the loss, where it is told
MOST_SETS = 20_000  # of rows that params are sought through
NO_GAP = 1e-13  # between the loss and its bound, as a part of the size of y


def quantile_minimum(observations: Observations, settings: Settings) -> tuple[float, float] | None:
    """The least loss, and that of the best constant alone; None for other losses, with a penalty,
    and where there are too many rows."""
    level = {"mae": 0.5, "quantile": settings.quantile}.get(str(settings.loss))
    if level is None or settings.is_penalized or not kept_rows(observations).in_memory:
        return None
    if observations.count * (len(observations.features) + 1) > MOST:
        return None
    rows = np.concatenate([*kept_rows(observations).blocks()])
    design, target, total, found_weights = block_of(observations, rows, observations.total_weight)
    weights = np.ones(len(target)) if found_weights is None else found_weights
    scale = {"mae": 2.0}.get(str(settings.loss), 1.0) / total
    loss = quantile(level).value

    def mean_loss_of(z: FloatArray) -> float:
        return scale * float(weights @ loss(z, target))

    used = design[:, : len(observations.features) + observations.intercept]
    lengths, size = np.abs(used).max(axis=0), float(np.abs(target).max()) or 1.0
    lengths[lengths == 0] = 1.0  # of what is 0 throughout: its weight is 0 then
    middle = np.quantile(target, level, weights=weights, method="inverted_cdf")
    constant = float(middle) * observations.intercept
    with np.errstate(all="ignore"):
        of_constant = mean_loss_of(np.full(len(target), constant))
        try:
            weighed, scaled = used / lengths * weights[:, np.newaxis], weights * (target / size)
            found = frisch_newton(weighed, scaled, level)
            if found is None:
                found = best_through_rows(weighed, scaled, level)
            if found is None:
                return None
            params = found * size / lengths
        except np.linalg.LinAlgError:  # what is as large as that, float64 can't tell
            return None
        least = mean_loss_of(used @ params)
    return (least, of_constant) if np.isfinite([least, of_constant]).all() else None


def best_through_rows(design: FloatArray, target: FloatArray, level: float) -> FloatArray | None:
    """The params of the least loss, of all that go through as many of a few rows as there are
    params, of which one set is a minimum; None where there are too many sets."""
    size = design.shape[1]
    if math.comb(len(target), size) > MOST_SETS:
        return None
    sets = np.array([*combinations(range(len(target)), size)], int).reshape(-1, size)
    matrices, right = design[sets], target[sets]
    is_plane = np.linalg.matrix_rank(matrices) == size
    if not is_plane.any():
        return None
    params = np.linalg.solve(matrices[is_plane], right[is_plane][..., np.newaxis])[..., 0]
    losses = tilted_sum(target - params @ design.T, level)
    return np.asarray(params[int(np.argmin(losses))], np.float64)


def tilted_sum(residuals: FloatArray, level: float) -> Any:
    """Σ max(τr, (τ − 1)r) along the last axis."""
    return np.maximum(level * residuals, (level - 1) * residuals).sum(axis=-1)


# Of a row on the line, what is divided by may be 0 but for rounding.
@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def frisch_newton(design: FloatArray, target: FloatArray, level: float) -> FloatArray | None:
    """The params θ of the least Σ max(τr, (τ − 1)r), r = y − Aθ, shape (k,).

    The dual is to find a with the least −yᵀa, Aᵀa = (1 − τ)Aᵀ1 and 0 ≤ a ≤ 1; slack is 1 − a, and
    low and high are the multipliers of both bounds.
    """

    def loss_at(params: FloatArray) -> float:
        return float(tilted_sum(target - design @ params, level))

    def step(centre: float, bend: FloatArray) -> tuple[FloatArray, ...]:
        """The step to where every product of a variable and its multiplier is `centre`; `bend` is
        what their own products add to the equations."""
        spread = 1 / (low / dual + high / slack)
        root, pull = np.sqrt(spread), low - high - centre * (1 / dual - 1 / slack) + bend
        equations = np.column_stack([design, pull]) * root[:, np.newaxis]
        if not np.isfinite(equations).all():  # of which LAPACK would print something
            raise np.linalg.LinAlgError
        towards = np.linalg.lstsq(equations[:, :-1], equations[:, -1], rcond=None)[0]
        moved = spread * (design @ towards - pull)
        lower = (centre - low * moved) / dual - low
        higher = (centre + high * moved) / slack - high
        return moved, towards, lower, higher

    def reach(values: FloatArray, step: FloatArray) -> float:
        falls = step < 0
        return CLOSE_TO_EDGE * float((-values[falls] / step[falls]).min(initial=2.0))

    def reaches(moved: FloatArray, lower: FloatArray, higher: FloatArray) -> tuple[float, float]:
        first = min(1.0, reach(dual, moved), reach(slack, -moved))
        return first, min(1.0, reach(low, lower), reach(high, higher))

    dual = np.full(len(target), 1 - level)
    slack = 1 - dual
    params = np.asarray(-np.linalg.lstsq(design, target, rcond=None)[0], np.float64)
    residual = -target - design @ params
    residual[residual == 0] = 1e-3 * (np.abs(residual).max() or 1.0)
    low = np.maximum(residual, 0.0)
    high = low - residual
    size = float(np.abs(target).sum())
    best, bound = params, -math.inf
    for _ in range(PREDICTIONS):
        best = min(best, params, key=lambda each: loss_at(-each))
        bound = max(bound, float(target @ dual) - (1 - level) * float(target.sum()))
        if loss_at(-best) - bound <= NO_GAP * size:
            break
        try:
            moved, towards, lower, higher = step(0.0, np.zeros(len(target)))
        except np.linalg.LinAlgError:  # some rows lie on the line, and what is left is rounding
            break
        first, second = reaches(moved, lower, higher)
        if min(first, second) < 1:  # Mehrotra's correction
            before = float(low @ dual + high @ slack)
            after = float((low + second * lower) @ (dual + first * moved))
            after += float((high + second * higher) @ (slack - first * moved))
            bends = moved * lower / dual, -moved * higher / slack
            centre = before * (after / before) ** 3 / (2 * len(target))
            moved, towards, lower, higher = step(centre, bends[0] - bends[1])
            lower, higher = lower - bends[0], higher - bends[1]
            first, second = reaches(moved, lower, higher)
        dual, slack = dual + first * moved, slack - first * moved
        params = params + second * towards
        low, high = low + second * lower, high + second * higher
    is_sure = loss_at(-best) - bound <= SURE_GAP * (loss_at(-best) + NO_GAP * size)
    return -best if is_sure else None
