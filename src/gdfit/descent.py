"""The training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gdfit.arrays import FloatArray
from gdfit.gradients import Objective
from gdfit.optimizers import Update


class Step(NamedTuple):
    """One epoch, as the lecture prints it.

    epoch : from 1.
    loss, grad : L and ∇L at the params before this epoch's update.
    params : θ = (w₁…w_p, b) after it.
    validation_loss : the loss on the validation set at those params, if there is one.
    """

    epoch: int
    loss: float
    params: FloatArray
    grad: FloatArray
    validation_loss: float | None = None


def descend(
    objective: Objective,
    params: FloatArray,
    update: Update,
    validation: Callable[[FloatArray], float] | None = None,
) -> Iterator[Step]:
    """Go down the gradient of `objective` from `params`, without end: the caller stops.

    `validation` gives the loss on the validation set at the params that it is called with.
    """
    epoch = 0
    while True:
        epoch += 1
        loss, grad = objective(params)
        params = update(params, grad)
        yield Step(epoch, loss, params, grad, validation(params) if validation else None)
