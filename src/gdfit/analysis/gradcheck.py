"""The gradient by each backend and by the limit definition, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.losses import loss_of
from gdfit.descent.objective import BACKENDS, Objective, whole_objective
from gdfit.descent.settings import Settings

LOSS_ROUNDING = 1e-4  # differences of a loss L can't tell a gradient from 0 below some 1e-11 L,
TERMS_ROUNDING = 1e-9  # and nothing can below some 1e-16 of the terms that it is the sum of


@dataclass(frozen=True)
class GradientCheck:
    """Gradients at θ, one for each way to find it, each of shape (p+1,).

    loss : L(θ).
    gradients : by ``manual``, ``autograd`` and ``differences``.
    difference : the largest difference between two of them, relative to the largest component; near
        a minimum, where the differences are rounding, to what they are rounding of.
    """

    params: FloatArray
    loss: float
    gradients: dict[str, FloatArray]
    difference: float


def check_gradient(
    observations: Observations, params: FloatArray, settings: Settings
) -> GradientCheck:
    """The gradient of the loss that `settings` name at `params`, by every way there is."""
    objectives = {
        name: whole_objective(observations, replace(settings, backend=name)) for name in BACKENDS
    }
    gradients = {str(name): objective(params)[1] for name, objective in objectives.items()}
    gradients["differences"] = central_differences(objectives["manual"], params)
    loss, _ = objectives["manual"](params)
    together = np.array(list(gradients.values()))
    columns = np.linalg.norm(observations.design, axis=0)
    terms = columns.max() * (columns @ np.abs(params) + np.linalg.norm(observations.target))
    size = TERMS_ROUNDING * float(terms) / observations.total_weight
    largest = loss_of(settings).largest_slope
    if math.isfinite(largest):  # and it can jump
        jump = LOSS_ROUNDING * largest * columns.max() / np.sqrt(observations.total_weight)
        size = max(size, jump)
    scale = max(float(np.abs(together).max()), LOSS_ROUNDING * loss, size)
    spread = float(np.ptp(together, axis=0).max())
    return GradientCheck(params, loss, gradients, spread / scale if scale else spread)


def central_differences(objective: Objective, params: FloatArray) -> FloatArray:
    """The gradient by the limit definition: ∂L/∂θᵢ ≈ (L(θ + h eᵢ) − L(θ − h eᵢ))/2h.

    `h` is the cube root of float64's precision times the size of θᵢ, which balances the error of
    the difference, O(h²), against rounding, O(ε/h) (Press et al., Numerical Recipes, §5.7).
    """
    gradient = np.empty_like(params)
    for place, param in enumerate(params):
        step = np.zeros_like(params)
        step[place] = np.cbrt(np.finfo(float).eps) * max(abs(param), 1.0)
        difference = objective(params + step)[0] - objective(params - step)[0]
        gradient[place] = difference / (2 * step[place])
    return gradient
