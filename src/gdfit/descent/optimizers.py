"""Update rules: from the params and the gradient to the next params.

They are those of torch.optim, number by number, so that both backends descend alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.settings import OptimizerName

Update = Callable[[FloatArray, FloatArray], FloatArray]
"""(θ, ∇L(θ)) → the next θ, a new array. What a rule remembers of earlier gradients is its own."""


def gradient_descent(learning_rate: float) -> Update:
    """θ ← θ − γ∇L."""
    return lambda params, grad: params - learning_rate * grad


def momentum(learning_rate: float, mu: float, *, nesterov: bool = False) -> Update:
    """v ← μv + ∇L, θ ← θ − γv; with `nesterov`, θ ← θ − γ(∇L + μv).

    As torch.optim.SGD: v starts as the first gradient (Polyak, 1964; Sutskever et al., 2013).
    """
    velocity: FloatArray | None = None

    def update(params: FloatArray, grad: FloatArray) -> FloatArray:
        nonlocal velocity
        velocity = grad if velocity is None else mu * velocity + grad
        return params - learning_rate * (grad + mu * velocity if nesterov else velocity)

    return update


def adam(learning_rate: float, betas: tuple[float, float], epsilon: float = 1e-8) -> Update:
    """m ← β₁m + (1 − β₁)∇L, v ← β₂v + (1 − β₂)∇L², θ ← θ − γ m̂/(√v̂ + ε).

    m̂ and v̂ are m/(1 − β₁ᵗ) and v/(1 − β₂ᵗ) (Kingma and Ba, 2015).
    """
    first, second = betas
    mean, square, time = np.zeros(1), np.zeros(1), 0

    def update(params: FloatArray, grad: FloatArray) -> FloatArray:
        nonlocal mean, square, time
        time += 1
        mean = first * mean + (1 - first) * grad
        square = second * square + (1 - second) * grad * grad
        root = np.sqrt(square) / math.sqrt(1 - second**time)
        return params - learning_rate / (1 - first**time) * mean / (root + epsilon)

    return update


OPTIMIZERS: dict[OptimizerName, Callable[[float, float, tuple[float, float]], Update]] = {
    "gd": lambda lr, mu, betas: gradient_descent(lr),
    "momentum": lambda lr, mu, betas: momentum(lr, mu),
    "nesterov": lambda lr, mu, betas: momentum(lr, mu, nesterov=True),
    "adam": lambda lr, mu, betas: adam(lr, betas),
}
"""By name, what makes an update rule of the learning rate, μ and (β₁, β₂)."""
