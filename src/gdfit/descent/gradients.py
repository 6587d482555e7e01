"""The two backends: from params θ to the loss L(θ) and its gradient ∇L(θ).

Either makes an `Objective` of observations and a loss; the training loop can't tell which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.losses import Loss
from gdfit.descent.settings import BackendName

Objective = Callable[[FloatArray], tuple[float, FloatArray]]
"""θ → (L(θ), ∇L(θ)): a float and an array of θ's shape (p+1,)."""


class Part(NamedTuple):
    """The n rows of A, shape (n, p+1), and y, shape (n,), that stand for the observations or are
    part of them.

    total : N, or the sum of the weights v: what sums are divided by.
    weights : v, shape (n,); None where all are 1.
    """

    design: FloatArray
    target: FloatArray
    total: float
    weights: FloatArray | None = None


Backend = Callable[[Part, Loss], Objective]
"""Rows and ℓ → the objective L = Σvℓ/Σv."""


def by_chain_rule(part: Part, loss: Loss) -> Objective:
    """The gradient by hand: ∂L/∂θ = ∂L/∂ŷ · ∂ŷ/∂θ.

    With ŷ = Aθ, ∂ŷ/∂θ is the design matrix A itself (x for w, 1 for b), so that
    ∇L = Aᵀ(∂ℓ/∂ŷ)/N: the mean of the gradients in the points observed. With weights v, it is their
    weighted mean, Aᵀ(v ∂ℓ/∂ŷ)/Σv.
    """
    design, target, _, weights = part
    total = np.array(part.total)  # NumPy is quicker with it than with a float, and with dot than @

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        residual = design.dot(params) - target
        values, slope = loss.value(residual), loss.derivative(residual)
        if weights is not None:
            values, slope = weights * values, weights * slope
        return float(values.sum() / total), slope.dot(design) / total

    return objective


def by_autograd(part: Part, loss: Loss) -> Objective:
    """The gradient by torch: each call builds the graph of the loss and walks it backward."""
    import torch

    inputs, outputs = torch.from_numpy(part.design), torch.from_numpy(part.target)
    weights = None if part.weights is None else torch.from_numpy(part.weights)

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        theta = torch.from_numpy(params).requires_grad_()
        values = loss.value(torch.mv(inputs, theta) - outputs)
        value = (values if weights is None else weights * values).sum() / part.total
        value.backward()
        assert theta.grad is not None
        return value.item(), theta.grad.numpy()

    return objective


BACKENDS: dict[BackendName, Backend] = {"manual": by_chain_rule, "autograd": by_autograd}
