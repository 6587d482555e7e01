"""Objectives: from params θ to the loss L(θ) and its gradient ∇L(θ), which is all the loop knows.

Either of two backends makes one of some rows and a loss: the chain rule by hand, or autograd. The
objective of all observations is that of the condensed rows, for the squared error, or else the sum
of those of blocks of rows, plus the penalty; each mini-batch has one of its own. With λ₁‖w‖₁ in it,
the loss has no gradient where a weight is 0: then ∇L is that of the rest, and the update rule has a
threshold in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.batch import Rows
from gdfit.data.observations import Observations
from gdfit.descent.losses import AT_KINK, Loss, loss_of, squared_error
from gdfit.descent.optimizers import Bend
from gdfit.descent.own import Own, check_derivative
from gdfit.descent.settings import BackendName, Settings
from gdfit.errors import UsageError, listing, warn

# θ → (L(θ), ∇L(θ)): a float and an array of θ's shape (p+1,).
Objective = Callable[[FloatArray], tuple[float, FloatArray]]


class DesignBlock(NamedTuple):
    """The n rows of A, shape (n, p+1), and y, shape (n,), that stand for the observations or are
    part of them.

    total : N, or the sum of the weights v: what sums are divided by.
    weights : v, shape (n,); None where all are 1.
    """

    design: FloatArray
    target: FloatArray
    total: float
    weights: FloatArray | None = None


def predictor_of(block: DesignBlock, loss: Loss) -> Callable[[FloatArray], FloatArray]:
    """From θ to z = Aθ; of a loss with a kink, to y itself where z is y but for rounding."""
    design, target = block.design, block.target
    if not loss.has_kink:
        return lambda params: design.dot(params)
    at_kink = kink_of(block)

    def predictor(params: FloatArray) -> FloatArray:
        z: FloatArray = design.dot(params)
        np.copyto(z, target, where=at_kink(z, params))
        return z

    return predictor


def kink_of(block: DesignBlock) -> Callable[[FloatArray, FloatArray], NDArray[np.bool_]]:
    """From z = Aθ and θ to where z − y is rounding, shape (n,): at most `AT_KINK` times
    |y| + Σ|aⱼθⱼ|. Where that is beyond float64, nothing is."""
    design, target = block.design, block.target
    largest, farthest = np.abs(design).max(axis=0), np.abs(target).max()

    def at_kink(z: FloatArray, params: FloatArray) -> NDArray[np.bool_]:
        away, sizes = np.abs(z - target), np.abs(params)
        most = AT_KINK * (farthest + largest.dot(sizes))
        near = away <= (most if most < np.inf else -1.0)
        if near.any():  # which is seldom so: what it costs to look closer is paid only there
            terms = np.abs(target[near]) + np.abs(design[near]).dot(sizes)
            near[near] = away[near] <= AT_KINK * terms
        return near

    return at_kink


def by_chain_rule(block: DesignBlock, loss: Loss) -> Objective:
    """The gradient by hand: ∂L/∂θ = ∂L/∂ŷ · ∂ŷ/∂θ.

    With ŷ = Aθ, ∂ŷ/∂θ is the design matrix A itself (x for w, 1 for b), so that
    ∇L = Aᵀ(∂ℓ/∂ŷ)/N: the mean of the gradients in the points observed. With weights v, it is their
    weighted mean, Aᵀ(v ∂ℓ/∂ŷ)/Σv.
    """
    if not block.design.flags.forc:  # of which NumPy makes a copy for each product: one is enough
        block = block._replace(design=block.design.copy(order="K"))
    design, target, _, weights = block
    predictor = predictor_of(block, loss)
    total = np.array(block.total)  # NumPy is quicker with it than with a float, and with dot than @

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        values, slope = loss.value_and_derivative(predictor(params), target)
        if weights is not None:
            values, slope = weights * values, weights * slope
        return float(values.sum() / total), slope.dot(design) / total

    return objective


def by_autograd(block: DesignBlock, loss: Loss) -> Objective:
    """The gradient by torch: each call builds the graph of the loss and walks it backward."""
    import torch

    inputs, outputs = torch.from_numpy(block.design), torch.from_numpy(block.target)
    weights = None if block.weights is None else torch.from_numpy(block.weights)
    at_kink = kink_of(block) if loss.has_kink else None

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        theta = torch.from_numpy(params).requires_grad_()
        z = torch.mv(inputs, theta)
        if at_kink:
            z = torch.where(torch.from_numpy(at_kink(z.detach().numpy(), params)), outputs, z)
        values = loss.value(z, outputs)
        value = (values if weights is None else weights * values).sum() / block.total
        value.backward()
        assert theta.grad is not None
        return value.item(), theta.grad.numpy()

    return objective


# By name, what makes of rows and ℓ the objective L = Σvℓ/Σv.
BACKENDS: dict[BackendName, Callable[[DesignBlock, Loss], Objective]] = {
    "manual": by_chain_rule,
    "autograd": by_autograd,
}


SHUFFLING = 3  # the shuffling's own stream of random numbers


def whole_objective(observations: Observations, settings: Settings) -> Objective:
    """The loss of all observations, with the penalties `l2` and `l1`."""
    backend, loss = BACKENDS[settings.backend], loss_of(settings)

    def objectives() -> Iterator[Objective]:
        return (backend(block, loss) for block in design_blocks(observations, settings))

    if settings.is_squared:
        (objective,) = objectives()
    elif kept_rows(observations).in_memory:
        kept = list(objectives())
        objective = sum_objective(lambda: kept)
    else:
        objective = sum_objective(objectives)
    return penalized(objective, settings, len(observations.features))


def bend_of(observations: Observations, settings: Settings) -> Bend:
    """From a direction d to the second derivative of the squared error along it, dᵀHd."""

    def bend(direction: FloatArray) -> float:
        along = observations.design.dot(direction)
        squares = float(along @ along) / observations.total_weight
        return 2 * (squares + settings.l2 * float(direction[:-1] @ direction[:-1]))

    return bend


def objectives_of(
    whole: Objective, observations: Observations, settings: Settings
) -> Callable[[int], Iterable[Objective]]:
    """From the number of an epoch to its objectives: `whole`, or one for each mini-batch."""
    if settings.batch_size is None:
        every = (whole,)
        return lambda epoch: every
    return lambda epoch: (
        batch_objective(observations, batch, settings)
        for batch in batches(observations, settings, epoch)
    )


def batches(observations: Observations, settings: Settings, epoch: int) -> Iterator[FloatArray]:
    """The mini-batches of an epoch, rows as they have been kept, in an order drawn for the epoch,
    whatever came before."""
    random = np.random.default_rng([settings.seed, SHUFFLING, epoch])
    return kept_rows(observations).batches(settings.batch_size or observations.count, random)


def batch_objective(observations: Observations, batch: FloatArray, settings: Settings) -> Objective:
    """The loss of a mini-batch, with the penalties `l2` and `l1`.

    With weights, the sum of a batch is divided by as many times their mean as it has rows: so its
    gradient is that of the whole, on average.
    """
    mean_weight = observations.total_weight / observations.count
    block = block_of(observations, batch, len(batch) * mean_weight)
    objective = BACKENDS[settings.backend](block, loss_of(settings))
    return penalized(objective, settings, len(observations.features))


def design_blocks(observations: Observations, settings: Settings) -> Iterator[DesignBlock]:
    """The blocks that the loss of all observations is the sum of: the condensed rows for the
    squared error, else the rows themselves."""
    total = observations.total_weight
    if settings.is_squared:
        yield DesignBlock(observations.design, observations.target, total)
        return
    for rows in kept_rows(observations).blocks():
        yield block_of(observations, rows, total)


def block_of(observations: Observations, rows: FloatArray, weight: float) -> DesignBlock:
    """Some of the rows that have been kept of the observations, to be divided by that weight."""
    one = len(observations.features)
    weights = None if observations.weight is None else rows[:, -1]
    return DesignBlock(rows[:, : one + 1], rows[:, one + 1], weight, weights)


def check_target(observations: Observations, settings: Settings) -> None:
    """Raise where y is of two classes and the loss of numbers, or the other way round."""
    classes = observations.classes
    if not loss_of(settings).has_classes:
        if classes and (*classes,) != (0, 1, False):
            two = f"the target has two classes, {listing(classes.names)}"
            raise UsageError(f"`loss` {settings.loss} takes numbers, and {two}")
        return
    if classes:
        return
    for block in kept_rows(observations).blocks():
        y = block[:, len(observations.features) + 1]
        if not ((y == 0) | (y == 1)).all():
            what = "this loss takes two classes, and the target holds other numbers than 0 and 1"
            raise UsageError(f"{what}: read it with `classes` true, or name the `positive` one")


def check_descended(settings: Settings, observations: Observations, params: FloatArray) -> None:
    """Raise where rows are needed and have not been kept; or where a loss of one's own can't be
    used, or the derivative beside it is none of it: at `params`, and at predictions about y."""
    if settings.needs_rows:
        kept_rows(observations)
    own = settings.loss
    if not isinstance(own, Own):
        return
    random, first = np.random.default_rng(0), 1  # whose import takes as long as a small run
    for design, y, _, weights in design_blocks(observations, settings):
        z = design.dot(params)
        losses = own.losses(z, y)
        if not np.isfinite(losses).all():
            row = int(np.flatnonzero(~np.isfinite(losses))[0])
            where = f"row {first + row}, where y_hat is {z[row]:.6g} and y {y[row]:.6g}"
            raise own.fault(f"is {losses[row]} at the start, in {where}: `init` begins elsewhere")
        if settings.backend == "autograd":
            own.slopes(z, y)  # tells its faults
        if first == 1 and (what := own.mixing(y)):
            for name, asked in (("weights", weights), ("batch_size", settings.batch_size)):
                if asked is not None:
                    raise UsageError(f"`loss` {own} does not go with `{name}`: it {what}")
            warn(f"`loss` {own} {what}")
        if weights is not None and own.on_arrays(z, y).shape != y.shape:
            what = "which are of each observation's loss, and this returns their mean"
            raise UsageError(f"`loss` {own} does not go with `weights`, {what}")
        if own.beside and settings.backend == "manual":
            about_y = y + (1 + y.std()) * random.standard_normal(len(y))
            check_derivative(own, own.beside, (z, about_y), y, first)
        first += len(y)


def mean_loss(observations: Observations, settings: Settings, params: FloatArray) -> float:
    """The loss of `observations` at `params`, without a penalty: for validation."""
    loss, value = loss_of(settings), 0.0
    for block in design_blocks(observations, settings):
        values = loss.value(predictor_of(block, loss)(params), block.target)
        value += float((values if block.weights is None else block.weights * values).sum())
    return value / observations.total_weight


def kept_rows(observations: Observations) -> Rows:
    """The rows themselves, which must have been kept."""
    if observations.rows is None or observations.rows.as_few:
        raise UsageError("this needs the rows themselves: read them with `keep_rows` true")
    return observations.rows


def sum_objective(objectives: Callable[[], Iterable[Objective]]) -> Objective:
    """The sum of `objectives`: of blocks of rows, the objective of them all."""

    def objective(params: FloatArray) -> tuple[float, FloatArray]:
        value, grad = 0.0, np.zeros_like(params)
        for part in objectives():
            more, slope = part(params)
            value += more
            grad += slope
        return value, grad

    return objective


def penalized(objective: Objective, settings: Settings, features: int) -> Objective:
    """`objective` and the penalties: λ‖w‖² of `l2` is the squared error of p more rows √λ eᵢ of A,
    whose target is 0; λ₁‖w‖₁ of `l1` adds nothing to the gradient."""
    parts = [objective]
    if settings.l2:
        rows = np.sqrt(settings.l2) * np.eye(features, features + 1)
        block = DesignBlock(rows, np.zeros(features), 1.0)
        parts.append(BACKENDS[settings.backend](block, squared_error()))
    if settings.l1:
        alone = replace(settings, l2=0.0)
        parts.append(lambda params: (penalty_of(alone, params), np.zeros_like(params)))
    return sum_objective(lambda: parts) if len(parts) > 1 else objective


def penalty_of(settings: Settings, params: FloatArray) -> Any:
    """λ‖w‖² + λ₁‖w‖₁ at params of shape (p+1, …)."""
    total: Any = 0.0  # and not 0 times what is beyond float64
    if settings.l2:
        total += settings.l2 * (params[:-1] ** 2).sum(axis=0)
    if settings.l1:
        total += settings.l1 * np.abs(params[:-1]).sum(axis=0)
    return total
