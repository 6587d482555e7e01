"""The training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from itertools import count
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.objective import Objective
from gdfit.descent.optimizers import State, Update


class Step(NamedTuple):
    """One epoch, as the lecture prints it: what was found before its update, and the params after.

    epoch : from 1.
    loss, grad : L and ∇L at the params before this epoch's update.
    params : θ = (w₁…w_p, b) after it.
    validation_loss : the loss on the validation set before the update, if there is one.
    before : the params before the update, which these losses and the gradient are at.
    state : what the update rule remembers after it.
    status : how the run ends, in its last step: see `gdfit.descent.stopping`.
    """

    epoch: int
    loss: float
    params: FloatArray
    grad: FloatArray
    validation_loss: float | None
    before: FloatArray
    state: State
    status: str | None = None


def descend(
    batches: Callable[[int], Iterable[Objective]],
    params: FloatArray,
    update: Update,
    state: State,
    rate: Callable[[int], FloatArray],
    validation: Callable[[FloatArray], float] | None = None,
    done: int = 0,
) -> Iterator[Step]:
    """Go down the gradient from `params`, without end: the caller stops.

    Parameters
    ----------
    batches : gives the objectives of an epoch by its number, one for each update: the whole loss
        alone, or those of mini-batches, whose mean loss and gradient are the epoch's.
    params : where to start, shape (p+1,).
    update : the update rule.
    state : what the rule remembers of the epochs before.
    rate : gives the learning rate of an epoch by its number, as `update` takes it.
    validation : gives the loss on the validation set at the params that it is called with.
    done : how many epochs have been run before: `batches` and `rate` are asked for the next ones.
    """

    def one_epoch(
        epoch: int, params: FloatArray, state: State
    ) -> tuple[float, FloatArray, FloatArray, State]:
        made, loss, grad, gamma = 0, 0.0, params, rate(epoch)
        for objective in batches(epoch):
            batch_loss, batch_grad = objective(params)
            params, state = update(params, batch_grad, state, gamma)
            made += 1
            loss += batch_loss
            grad = batch_grad if made == 1 else grad + batch_grad
        if made > 1:
            loss, grad = loss / made, grad / made
        return loss, grad, params, state

    # Divergence is told, not warned of. To run an epoch in a context of its own takes a tenth of
    # what it takes to enter and leave np.errstate.
    silence = copy_context()
    silence.run(np.seterr, over="ignore", invalid="ignore")
    for epoch in count(1):
        before = params
        held_out = silence.run(validation, params) if validation else None
        loss, grad, params, state = silence.run(one_epoch, done + epoch, params, state)
        yield Step(epoch, loss, params, grad, held_out, before, state)
