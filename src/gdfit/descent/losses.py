"""The losses: for each, its value ℓ(ŷ, y) and its derivative by ŷ, observation by observation.

The derivative is for the chain rule. Autograd needs the value alone, so that is written with what
NumPy arrays and torch tensors have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.settings import LossName


@dataclass(frozen=True)
class Loss:
    """A loss of one observation.

    value : (ŷ, y) → ℓ, arrays or tensors of shape (n,) to one of the same shape.
    derivative : (ŷ, y) → ∂ℓ/∂ŷ, arrays of shape (n,).
    """

    value: Callable[[Any, Any], Any]
    derivative: Callable[[FloatArray, FloatArray], FloatArray]


def squared_error() -> Loss:
    """ℓ = (ŷ − y)², ∂ℓ/∂ŷ = 2(ŷ − y)."""
    return Loss(
        value=lambda prediction, target: (prediction - target) ** 2,
        derivative=lambda prediction, target: 2.0 * (prediction - target),
    )


def absolute_error() -> Loss:
    """ℓ = |ŷ − y|, ∂ℓ/∂ŷ = ±1, and 0 where ŷ = y, as torch has it."""
    return Loss(
        value=lambda prediction, target: abs(prediction - target),
        derivative=lambda prediction, target: np.sign(prediction - target),
    )


def huber(delta: float) -> Loss:
    """ℓ = ½r² for |r| ≤ δ, else δ(|r| − ½δ), r = ŷ − y; ∂ℓ/∂ŷ is r cut off at ±δ (Huber, 1964).

    With q = min(|r|, δ), both cases are q(|r| − ½q).
    """

    def value(prediction: Any, target: Any) -> Any:
        size = abs(prediction - target)
        cut = size.clip(max=delta)
        return cut * (size - 0.5 * cut)

    return Loss(
        value=value,
        derivative=lambda prediction, target: np.clip(prediction - target, -delta, delta),
    )


LOSSES: dict[LossName, Callable[[float], Loss]] = {
    "mse": lambda delta: squared_error(),
    "mae": lambda delta: absolute_error(),
    "huber": huber,
}
"""By name, what makes the loss of Huber's δ, which only one of them needs."""
