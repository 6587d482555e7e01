"""Losses of one observation: ℓ(z, y), its derivative ∂ℓ/∂z, and the prediction z stands for.

z is the linear predictor, Aθ for all observations at once. Where a loss has no link, as those here,
it is the prediction ŷ itself; else ŷ = g⁻¹(z), with the inverse link g⁻¹ (McCullagh and Nelder,
Generalized Linear Models, 1989, §2.2). The derivative is for the chain rule by hand. Autograd needs
the value alone, so that is written with what NumPy arrays and torch tensors have in common.

Where a derivative jumps at z = y, the sign of a residual that is rounding would decide where a run
goes. So a residual of at most `AT_KINK` times the sizes that it is the sum of,
|y| + |b| + Σ|wⱼxⱼ|, is 0: by hand, by autograd, and on a page (objective.js).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.settings import LossName, Settings

# A sum is some 4ε of its sizes off (ε = 2⁻⁵²), and params add that up: to 500ε in 1000 epochs.
AT_KINK = 2.0**-40


@dataclass(frozen=True)
class Loss:
    """A loss of observations, one by one: functions of arrays z and y of shape (n,).

    value : (z, y) → ℓ, also of torch tensors.
    derivative : (z, y) → ∂ℓ/∂z.
    value_and_derivative : (z, y) → both, for the loop, without computing twice what they share.
    mean : z → g⁻¹(z), the mean of y that z stands for: the prediction ŷ.
    largest_slope : the largest that |∂ℓ/∂z| can be.
    has_kink : whether the derivative jumps at z = y, where it is 0.
    """

    value: Callable[[Any, Any], Any]
    derivative: Callable[[FloatArray, FloatArray], FloatArray]
    value_and_derivative: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
    mean: Callable[[FloatArray], FloatArray] = np.asarray  # ŷ = z
    largest_slope: float = math.inf
    has_kink: bool = False


def of_residual(
    value: Callable[[Any], Any],
    derivative: Callable[[FloatArray], FloatArray],
    largest_slope: float = math.inf,
    has_kink: bool = False,
) -> Loss:
    """A loss that is of the residual r = z − y alone, as its `value` and its `derivative` are."""

    def value_and_derivative(z: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        residual = z - y
        return value(residual), derivative(residual)

    return Loss(
        value=lambda z, y: value(z - y),
        derivative=lambda z, y: derivative(z - y),
        value_and_derivative=value_and_derivative,
        largest_slope=largest_slope,
        has_kink=has_kink,
    )


def squared_error() -> Loss:
    """ℓ = r², ∂ℓ/∂z = 2r."""
    return of_residual(lambda residual: residual**2, lambda residual: 2.0 * residual)


def absolute_error() -> Loss:
    """ℓ = |r|, ∂ℓ/∂z = ±1, and 0 where z = y, as torch has it."""
    return of_residual(abs, np.sign, largest_slope=1.0, has_kink=True)


def huber(delta: float) -> Loss:
    """ℓ = ½r² for |r| ≤ δ, else δ(|r| − ½δ); ∂ℓ/∂z is r cut off at ±δ (Huber, 1964).

    With q = min(|r|, δ), both cases are q(|r| − ½q).
    """

    def value(residual: Any) -> Any:
        size = abs(residual)
        cut = size.clip(max=delta)
        return cut * (size - 0.5 * cut)

    return of_residual(value, lambda residual: residual.clip(-delta, delta), largest_slope=delta)


# By name, what makes the loss of the settings.
LOSSES: dict[LossName, Callable[[Settings], Loss]] = {
    "mse": lambda settings: squared_error(),
    "mae": lambda settings: absolute_error(),
    "huber": lambda settings: huber(settings.huber_delta),
}


def loss_of(settings: Settings) -> Loss:
    """The loss that the settings name."""
    return LOSSES[settings.loss](settings)
