"""The losses: for each, its value ℓ and its derivative by ŷ, observation by observation, both of
the residual r = ŷ − y.

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

    value : r → ℓ, an array or tensor of shape (n,) to one of the same shape.
    derivative : r → ∂ℓ/∂ŷ, an array of shape (n,) to one of the same shape.
    """

    value: Callable[[Any], Any]
    derivative: Callable[[FloatArray], FloatArray]


def squared_error() -> Loss:
    """ℓ = r², ∂ℓ/∂ŷ = 2r."""
    return Loss(value=lambda residual: residual**2, derivative=lambda residual: 2.0 * residual)


def absolute_error() -> Loss:
    """ℓ = |r|, ∂ℓ/∂ŷ = ±1, and 0 where ŷ = y, as torch has it."""
    return Loss(value=abs, derivative=np.sign)


def huber(delta: float) -> Loss:
    """ℓ = ½r² for |r| ≤ δ, else δ(|r| − ½δ); ∂ℓ/∂ŷ is r cut off at ±δ (Huber, 1964).

    With q = min(|r|, δ), both cases are q(|r| − ½q).
    """

    def value(residual: Any) -> Any:
        size = abs(residual)
        cut = size.clip(max=delta)
        return cut * (size - 0.5 * cut)

    return Loss(value=value, derivative=lambda residual: residual.clip(-delta, delta))


LOSSES: dict[LossName, Callable[[float], Loss]] = {
    "mse": lambda delta: squared_error(),
    "mae": lambda delta: absolute_error(),
    "huber": huber,
}
"""By name, what makes the loss of Huber's δ, which only one of them needs."""
