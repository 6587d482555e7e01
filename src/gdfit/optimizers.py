"""Update rules: from the params and the gradient to the next params."""

from __future__ import annotations

from collections.abc import Callable

from gdfit.arrays import FloatArray

Update = Callable[[FloatArray, FloatArray], FloatArray]
"""(θ, ∇L(θ)) → the next θ, a new array."""


def gradient_descent(learning_rate: float) -> Update:
    """θ ← θ − γ∇L."""
    return lambda params, grad: params - learning_rate * grad
