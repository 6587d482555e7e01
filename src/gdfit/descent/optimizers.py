"""Update rules: from the params and the gradient to the next params.

They are those of torch.optim, number by number, so that both backends descend alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.settings import OptimizerName

State = Mapping[str, Any]
"""What a rule remembers of earlier gradients, by name: arrays of θ's shape, and numbers. It is
empty before the first."""

Update = Callable[[FloatArray, FloatArray, State], tuple[FloatArray, State]]
"""(θ, ∇L(θ), state) → the next θ and the next state, both new values."""

EPSILON = 1e-8  # ε of adam

Rate = float | FloatArray
"""A learning rate, or one for each column of params that are a matrix."""


def gradient_descent(learning_rate: Rate) -> Update:
    """θ ← θ − γ∇L."""
    rate = np.array(learning_rate)  # with which NumPy is quicker than with a float
    return lambda params, grad, state: (params - rate * grad, state)


def momentum(learning_rate: Rate, mu: float, *, nesterov: bool = False) -> Update:
    """v ← μv + ∇L, θ ← θ − γv; with `nesterov`, θ ← θ − γ(∇L + μv).

    As torch.optim.SGD: v starts as the first gradient (Polyak, 1964; Sutskever et al., 2013).
    """

    def update(params: FloatArray, grad: FloatArray, state: State) -> tuple[FloatArray, State]:
        velocity = mu * state["velocity"] + grad if state else grad
        direction = grad + mu * velocity if nesterov else velocity
        return params - learning_rate * direction, {"velocity": velocity}

    return update


def adam(learning_rate: Rate, betas: tuple[float, float], epsilon: float = EPSILON) -> Update:
    """m ← β₁m + (1 − β₁)∇L, v ← β₂v + (1 − β₂)∇L², θ ← θ − γ m̂/(√v̂ + ε).

    m̂ and v̂ are m/(1 − β₁ᵗ) and v/(1 − β₂ᵗ) (Kingma and Ba, 2015).
    """
    first, second = betas

    def update(params: FloatArray, grad: FloatArray, state: State) -> tuple[FloatArray, State]:
        time = state.get("time", 0) + 1
        mean = first * state.get("mean", 0.0) + (1 - first) * grad
        square = second * state.get("square", 0.0) + (1 - second) * grad * grad
        root = np.sqrt(square) / math.sqrt(1 - second**time)
        step = learning_rate / (1 - first**time) * mean / (root + epsilon)
        return params - step, {"mean": mean, "square": square, "time": time}

    return update


OPTIMIZERS: dict[OptimizerName, Callable[[Rate, float, tuple[float, float]], Update]] = {
    "gd": lambda lr, mu, betas: gradient_descent(lr),
    "momentum": lambda lr, mu, betas: momentum(lr, mu),
    "nesterov": lambda lr, mu, betas: momentum(lr, mu, nesterov=True),
    "adam": lambda lr, mu, betas: adam(lr, betas),
}
"""By name, what makes an update rule of the learning rate, μ and (β₁, β₂)."""
