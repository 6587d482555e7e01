"""The training loop."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.gradients import Objective
from gdfit.descent.optimizers import Update


class Step(NamedTuple):
    """One epoch, as the lecture prints it.

    epoch : from 1.
    loss, grad : L and ∇L at the params before this epoch's update.
    params : θ = (w₁…w_p, b) after it.
    validation_loss : the loss on the validation set at those params, if there is one.
    status : how the run ends, in its last step: completed, converged, target, patience or diverged.
    """

    epoch: int
    loss: float
    params: FloatArray
    grad: FloatArray
    validation_loss: float | None = None
    status: str | None = None


def descend(
    batches: Callable[[], Iterable[Objective]],
    params: FloatArray,
    update: Update,
    validation: Callable[[FloatArray], float] | None = None,
) -> Iterator[Step]:
    """Go down the gradient from `params`, without end: the caller stops.

    Parameters
    ----------
    batches : gives the objectives of an epoch, one for each update: the whole loss alone, or those
        of mini-batches, whose mean loss and gradient are the epoch's.
    params : where to start, shape (p+1,).
    update : the update rule.
    validation : gives the loss on the validation set at the params that it is called with.
    """
    for epoch in itertools.count(1):
        count, loss, grad = 0, 0.0, np.zeros_like(params)
        with np.errstate(over="ignore", invalid="ignore"):  # divergence is told, not warned of
            for objective in batches():
                batch_loss, batch_grad = objective(params)
                params = update(params, batch_grad)
                count, loss, grad = count + 1, loss + batch_loss, grad + batch_grad
            if count > 1:
                loss, grad = loss / count, grad / count
            held_out = validation(params) if validation else None
        yield Step(epoch, loss, params, grad, held_out)
