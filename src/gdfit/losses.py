"""The losses: for each, its value ℓ(ŷ, y) and its derivative by ŷ, observation by observation.

The derivative is for the chain rule. Autograd needs the value alone, so that is written with what
NumPy arrays and torch tensors have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gdfit.arrays import FloatArray


@dataclass(frozen=True)
class Loss:
    """A loss of one observation.

    value : (ŷ, y) → ℓ, arrays or tensors of shape (n,) to one of the same shape.
    derivative : (ŷ, y) → ∂ℓ/∂ŷ, arrays of shape (n,).
    """

    name: str
    value: Callable[[Any, Any], Any]
    derivative: Callable[[FloatArray, FloatArray], FloatArray]


def mean_squared_error() -> Loss:
    """ℓ = (ŷ − y)², ∂ℓ/∂ŷ = 2(ŷ − y)."""
    return Loss(
        name="mse",
        value=lambda prediction, target: (prediction - target) ** 2,
        derivative=lambda prediction, target: 2.0 * (prediction - target),
    )
