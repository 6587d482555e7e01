"""The two backends: from params θ to the loss L(θ) and its gradient ∇L(θ).

Either makes an `Objective` of observations and a loss; the training loop can't tell which.
"""

from __future__ import annotations

from collections.abc import Callable

from gdfit.arrays import FloatArray
from gdfit.descent.losses import Loss
from gdfit.descent.settings import BackendName

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


BACKENDS: dict[BackendName, Backend] = {"manual": by_chain_rule, "autograd": by_autograd}
