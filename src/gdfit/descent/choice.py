"""What is chosen where nothing was asked for: how to scale the features, and the learning rate.

A learning rate that is a number is for the features as they are, as in the lecture. Where it is
``auto``, they are standardized, which makes most valleys round enough; where gradient descent would
still be more than 1 % above the minimum after these epochs, they are whitened.

The rate is the one with the least loss after these epochs from this start: for gradient descent on
the squared error it is foretold (`gdfit.descent.rates`), for all else tried out on a sample
(`gdfit.descent.trials`). A model that is gone on with brings its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast, get_args

import numpy as np

from gdfit.data.condense import SAMPLE_ROWS
from gdfit.data.observations import Observations
from gdfit.descent.curvature import Curvature, curvature
from gdfit.descent.rates import best_rate, excess_after
from gdfit.descent.scaling import Scaling, scaled, scaling_of
from gdfit.descent.settings import Scale, Settings
from gdfit.descent.start import Init, Start
from gdfit.descent.trials import tried_rate
from gdfit.model.linear import LinearModel

ENOUGH = 0.01  # above the minimum, as a part of it
EXACT = 1e-28  # the part of the mean of y² that a loss is by rounding, where the fit is exact


def chosen_scale(
    observations: Observations,
    settings: Settings,
    init: Init,
    start_at: Callable[[Scaling | None], Start],
) -> Scale:
    """The scale that the settings ask for, or else the one to choose; `start_at` gives the start
    for a scaling."""
    if settings.scale:
        return settings.scale
    if settings.lr != "auto":
        return "none"
    before = init.facts.get("scale") if isinstance(init, LinearModel) else None
    if before in get_args(Scale):
        return cast(Scale, before)
    scaling = scaling_of(observations, "standardize")
    bends = curvature(scaled(observations, scaling), settings.l2)
    start = start_at(scaling).params
    rate = best_rate(bends, start, settings.epochs)
    above = excess_after(bends, start, rate, settings.epochs)
    rounding = EXACT * observations.mean_square
    return "whiten" if is_above(bends.minimum_loss + above, bends, rounding) else "standardize"


def is_above(loss: float, bends: Curvature, rounding: float) -> bool:
    """Whether `loss` is more than 1 % above the minimum."""
    return not loss <= (1 + ENOUGH) * bends.minimum_loss + rounding


def chosen_rate(
    descended: Observations,
    scaling: Scaling | None,
    start: Start,
    settings: Settings,
    bends: Curvature | None,
) -> float:
    """The learning rate that the settings ask for, or else the one to choose.

    Parameters
    ----------
    descended : the observations as they are descended on, with that `scaling`.
    start : where.
    settings : what is to be run.
    bends : the curvature, where the loss is the squared error.
    """
    if settings.lr != "auto":
        return settings.lr
    if start.rate:
        return start.rate
    if bends and settings.is_plain:
        return best_rate(bends, start.params, settings.epochs)
    rows = np.insert(descended.sample[-SAMPLE_ROWS:], -1, 1.0, axis=1)
    sample = scaling.apply(rows) if scaling else rows
    return tried_rate(descended, sample, start.params, settings)
