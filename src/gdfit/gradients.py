"""The two backends: from params θ to the loss L(θ) and its gradient ∇L(θ).

Either makes an `Objective` of observations and a loss; the training loop can't tell which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.losses import Loss

Objective = Callable[[FloatArray], tuple[float, FloatArray]]
"""θ → (L(θ), ∇L(θ)): a float and an array of θ's shape (p+1,)."""

Backend = Callable[[FloatArray, FloatArray, int, Loss], Objective]
"""(A, y, N, ℓ) → the objective L = Σℓ/N of the n rows of A, shape (n, p+1), and y, shape (n,), that
stand for N observations or are part of them."""


def by_chain_rule(design: FloatArray, target: FloatArray, count: int, loss: Loss) -> Objective:
    """The gradient by hand: ∂L/∂θ = ∂L/∂ŷ · ∂ŷ/∂θ.

    With ŷ = Aθ, ∂ŷ/∂θ is the design matrix A itself (x for w, 1 for b), so that
    ∇L = Aᵀ(∂ℓ/∂ŷ)/N: the mean of the gradients in the points observed.
    """

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        prediction = design @ params
        value = loss.value(prediction, target).sum() / count
        slope = loss.derivative(prediction, target)
        return float(value), slope @ design / count

    return objective


def by_autograd(design: FloatArray, target: FloatArray, count: int, loss: Loss) -> Objective:
    """The gradient by torch: each call builds the graph of the loss and walks it backward."""
    import torch

    inputs, outputs = torch.from_numpy(design), torch.from_numpy(target)

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        theta = torch.from_numpy(params).requires_grad_()
        prediction = torch.mv(inputs, theta)
        value = loss.value(prediction, outputs).sum() / count
        value.backward()
        assert theta.grad is not None
        return value.item(), theta.grad.numpy()

    return objective


BACKENDS: dict[str, Backend] = {"manual": by_chain_rule, "autograd": by_autograd}


def total(objectives: Callable[[], Iterable[Objective]]) -> Objective:
    """The sum of `objectives`: of blocks of rows, the objective of them all."""

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        value, grad = 0.0, np.zeros_like(params)
        for part in objectives():
            more, slope = part(params)
            value += more
            grad += slope
        return value, grad

    return objective


def l2_by_chain_rule(strength: float) -> Objective:
    """λ‖w‖² and its gradient 2λw: b is not penalized."""

    def penalty(params: FloatArray) -> tuple[float, FloatArray]:
        w = params[:-1]
        return strength * float(w @ w), np.append(2 * strength * w, 0.0)

    return penalty


def l2_by_autograd(strength: float) -> Objective:
    """λ‖w‖², and its gradient by torch."""
    import torch

    def penalty(params: FloatArray) -> tuple[float, FloatArray]:
        theta = torch.from_numpy(params).requires_grad_()
        value: Any = strength * (theta[:-1] ** 2).sum()
        value.backward()
        assert theta.grad is not None
        return value.item(), theta.grad.numpy()

    return penalty


PENALTIES: dict[str, Callable[[float], Objective]] = {
    "manual": l2_by_chain_rule,
    "autograd": l2_by_autograd,
}


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
