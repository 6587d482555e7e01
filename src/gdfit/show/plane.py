"""Fits that can be drawn in a plane: those to one feature, or to what is made of one number."""

from __future__ import annotations

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.inputs import rows_at
from gdfit.data.observations import Observations
from gdfit.descent.fit import Fit

CURVE = 300  # points of a curve
ROUNDING = 1e-12  # of the size of numbers: a difference that is none


def on_a_plane(fit: Fit) -> bool:
    """Whether all features are one, or made of one number: ŷ can be drawn above it."""
    made_of = fit.observations.expansion
    alone = made_of is not None and len(made_of.numbers) == 1 and not made_of.categories
    return len(fit.model.features) == 1 or alone


def slope_of(fit: Fit) -> float:
    """The slope of the line: 0 where over the observations it rises by no more than rounding."""
    w, b = fit.model.params
    x = fit.observations.sample[:, 0]
    run = np.ptp(x) or np.abs(x).max()  # x may not vary
    return 0.0 if abs(w) * run <= ROUNDING * abs(b) else w


def name_along(fit: Fit) -> str:
    """What is along the axis: the only feature, or the number that all are made of."""
    made_of = fit.observations.expansion
    return made_of.numbers[0] if made_of and len(fit.model.features) > 1 else fit.model.features[0]


def plane_of(part: Observations) -> tuple[FloatArray, FloatArray]:
    """The feature, or the number that all features are made of, and y, of the sample."""
    sample, inputs = part.sample, part.sample_inputs
    return (sample[:, 0] if sample.shape[1] == 2 or inputs is None else inputs[:, 0]), sample[:, -1]


def features_along(
    fit: Fit, left: float, right: float, observed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Where to draw a line from `left` to `right`, and the features there, shape (points, p). A
    curve goes no farther than what was `observed`: a logarithm may have no value there."""
    made_of = fit.observations.expansion
    if made_of is None or len(fit.model.features) == 1:
        ends = np.array([left, right])
        return ends, ends[:, np.newaxis]
    x = np.linspace(observed.min(), observed.max(), CURVE)
    return x, made_of.expand(rows_at(made_of, [x]))[:, : len(fit.model.features)]


def heights_of(fit: Fit, params: FloatArray, features: FloatArray) -> FloatArray:
    """ŷ at `features`, shape (points, p), with `params` as they are descended on."""
    with np.errstate(over="ignore", invalid="ignore"):
        params = fit.scaling.to_data(params) if fit.scaling else params
        heights: FloatArray = features @ params[:-1] + params[-1]
    return heights
