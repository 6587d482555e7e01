"""The two backends: from params θ to the loss L(θ) and its gradient ∇L(θ).

Either makes an `Objective` of the observations and a loss; the training loop can't tell which.
"""

from __future__ import annotations

from collections.abc import Callable

from gdfit.arrays import FloatArray
from gdfit.losses import Loss
from gdfit.observations import Observations

Objective = Callable[[FloatArray], tuple[float, FloatArray]]
"""θ → (L(θ), ∇L(θ)): a float and an array of θ's shape (p+1,)."""


def by_chain_rule(observations: Observations, loss: Loss) -> Objective:
    """The gradient by hand: ∂L/∂θ = ∂L/∂ŷ · ∂ŷ/∂θ.

    With ŷ = Aθ, ∂ŷ/∂θ is the design matrix A itself (x for w, 1 for b), so that
    ∇L = Aᵀ(∂ℓ/∂ŷ)/N: the mean of the gradients in the points observed.
    """
    design, target, count = observations.design, observations.target, observations.count

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        prediction = design @ params
        value = loss.value(prediction, target).sum() / count
        slope = loss.derivative(prediction, target)
        return float(value), slope @ design / count

    return objective


def by_autograd(observations: Observations, loss: Loss) -> Objective:
    """The gradient by torch: each call builds the graph of the loss and walks it backward."""
    import torch

    design = torch.from_numpy(observations.design)
    target = torch.from_numpy(observations.target)
    count = observations.count

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        theta = torch.from_numpy(params).requires_grad_()
        prediction = torch.mv(design, theta)
        value = loss.value(prediction, target).sum() / count
        value.backward()
        assert theta.grad is not None
        return value.item(), theta.grad.numpy()

    return objective


def mean_loss(observations: Observations, loss: Loss, params: FloatArray) -> float:
    """L(θ) alone."""
    prediction = observations.design @ params
    return float(loss.value(prediction, observations.target).sum() / observations.count)


BACKENDS: dict[str, Callable[[Observations, Loss], Objective]] = {
    "manual": by_chain_rule,
    "autograd": by_autograd,
}


def central_differences(value: Callable[[FloatArray], float], params: FloatArray) -> FloatArray:
    """The gradient by the limit definition: ∂L/∂θᵢ ≈ (L(θ + h eᵢ) − L(θ − h eᵢ))/2h.

    `h` is the cube root of float64's precision times the size of θᵢ, which balances the error of
    the difference, O(h²), against rounding, O(ε/h) (Press et al., Numerical Recipes, §5.7).
    """
    import numpy as np

    gradient = np.empty_like(params)
    for place, param in enumerate(params):
        step = np.zeros_like(params)
        step[place] = np.cbrt(np.finfo(float).eps) * max(abs(param), 1.0)
        difference = value(params + step) - value(params - step)
        gradient[place] = difference / (2 * step[place])
    return gradient
