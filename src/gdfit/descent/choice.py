"""What is chosen where nothing was asked for: how to scale the features, and the learning rate.

A learning rate that is a number is for the features as they are, as in the lecture. Where it is
``auto``, they are standardized, which makes most valleys round enough; where gradient descent would
still be more than 1 % above the minimum after these epochs, they are whitened, unless the weights
are penalized: that would be another penalty.

The rate is the one with the least loss after these epochs from this start: for gradient descent on
the squared error it is foretold (`gdfit.descent.rates`), for all else tried out on a sample
(`gdfit.descent.trials`). A model that is gone on with brings its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast, get_args

import numpy as np

from gdfit.data.condense import SAMPLE_ROWS
from gdfit.data.observations import Observations
from gdfit.descent.curvature import Curvature, curvature
from gdfit.descent.rates import best_rate, excess_after
from gdfit.descent.scaling import Scaling, scaled, scaling_of
from gdfit.descent.settings import Scale, Settings
from gdfit.descent.start import Init, Start, start_of
from gdfit.descent.trials import tried_rate
from gdfit.errors import GdfitError
from gdfit.model.linear import LinearModel

ENOUGH = 0.01  # above the minimum, as a part of it
EXACT = 1e-28  # the part of the mean of y² that a loss is by rounding, where the fit is exact


@dataclass(frozen=True)
class Ground:
    """What is descended on.

    scale, scaling : how the features are scaled.
    observations : the observations so scaled.
    curvature : of their squared error, with the penalty.
    start : where the params start.
    """

    scale: Scale
    scaling: Scaling | None
    observations: Observations
    curvature: Curvature
    start: Start


def ground(observations: Observations, settings: Settings, init: Init, scale: Scale) -> Ground:
    """The ground with that scale."""
    scaling = scaling_of(observations, scale)
    on = scaled(observations, scaling)
    start = start_of(init, observations, settings, scaling)
    return Ground(scale, scaling, on, curvature(on, settings.l2), start)


def chosen_ground(observations: Observations, settings: Settings, init: Init) -> Ground:
    """The ground with the scale that the settings ask for, or else with the one to choose."""
    before = init.facts.get("scale") if isinstance(init, LinearModel) else None
    if settings.scale:
        return ground(observations, settings, init, settings.scale)
    if settings.lr != "auto":
        return ground(observations, settings, init, "none")
    if before in get_args(Scale):
        as_before = ground(observations, settings, init, cast(Scale, before))
        if as_before.start.rate:
            return as_before
    plain = ground(observations, settings, init, "standardize")
    if settings.l2:  # a penalty on whitened weights would be another one
        return plain
    bends, start = plain.curvature, plain.start.params
    rate = best_rate(bends, start, settings.epochs)
    above = excess_after(bends, start, rate, settings.epochs)
    if is_above(bends.minimum_loss + above, bends, EXACT * observations.mean_square):
        return ground(observations, settings, init, "whiten")
    return plain


def is_above(loss: float, bends: Curvature, rounding: float) -> bool:
    """Whether `loss` is more than 1 % above the minimum."""
    return not loss <= (1 + ENOUGH) * bends.minimum_loss + rounding


def chosen_rate(ground: Ground, settings: Settings) -> float:
    """The learning rate that the settings ask for, or else the one to choose.

    Raises
    ------
    GdfitError : λmax is beyond float64, and with it every rate.
    """
    start = ground.start
    if settings.lr != "auto":
        return settings.lr
    if start.rate:
        return start.rate
    if not math.isfinite(ground.curvature.lambda_max):
        raise GdfitError(
            "the numbers are too large for float64: λmax is infinite; `scale` standardize takes "
            "numbers of any size"
        )
    if settings.is_plain:
        return best_rate(ground.curvature, start.params, settings.epochs)
    observations = ground.observations
    one = float(observations.intercept)
    sample = np.insert(observations.sample[-SAMPLE_ROWS:], -1, one, axis=1)
    if ground.scaling:
        sample = ground.scaling.apply(sample)
    return tried_rate(observations, sample, start.params, settings)
