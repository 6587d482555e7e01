"""What is descended on: the loss of all observations, or of one mini-batch after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.gradients import BACKENDS, Objective
from gdfit.losses import LOSSES, Loss, squared_error
from gdfit.observations import Observations
from gdfit.rows import Rows
from gdfit.scaling import Scaling
from gdfit.settings import Settings

SHUFFLING = 3  # the shuffling's own stream of random numbers


def whole_objective(
    observations: Observations, settings: Settings, scaling: Scaling | None = None
) -> Objective:
    """The loss of all observations, with the penalty of ``--l2``; of standardized features with
    `scaling`.

    The squared error goes by the condensed rows, other losses by the rows themselves.
    """
    backend, loss = BACKENDS[settings.backend], loss_of(settings)
    count = observations.count
    if settings.loss == "mse":
        design = scaling.apply(observations.design) if scaling else observations.design
        objective = backend(design, observations.target, count, loss)
    else:
        rows = rows_of(observations)

        def parts() -> Iterator[Objective]:
            for block in rows.blocks():
                yield backend(*design_and_target(block, scaling), count, loss)

        kept = list(parts()) if rows.in_memory else None
        objective = total(lambda: kept or parts())
    return penalized(objective, settings, len(observations.features) + 1)


def batch_objectives(
    whole: Objective, observations: Observations, settings: Settings, scaling: Scaling | None = None
) -> Callable[[], Iterable[Objective]]:
    """What gives the objectives of an epoch: of the whole, or of its mini-batches, in a new random
    order each time. A batch as large as the data is the whole."""
    size = settings.batch_size
    if size is None or size >= observations.count:
        return lambda: (whole,)
    backend, loss = BACKENDS[settings.backend], loss_of(settings)
    rows, batch_size = rows_of(observations), size
    random = np.random.default_rng([settings.seed, SHUFFLING])

    def epoch() -> Iterator[Objective]:
        for batch in rows.batches(batch_size, random):
            design, target = design_and_target(batch, scaling)
            yield penalized(backend(design, target, len(batch), loss), settings, design.shape[1])

    return epoch


def mean_loss(observations: Observations, settings: Settings, params: FloatArray) -> float:
    """The loss of `observations` at `params`, without a penalty: for validation."""
    loss = loss_of(settings)
    if settings.loss == "mse":
        prediction = observations.design @ params
        return float(loss.value(prediction, observations.target).sum() / observations.count)
    value = 0.0
    for block in rows_of(observations).blocks():
        design, target = design_and_target(block, None)
        value += float(loss.value(design @ params, target).sum())
    return value / observations.count


def loss_of(settings: Settings) -> Loss:
    """The loss that the settings name."""
    return LOSSES[settings.loss](settings.huber_delta)


def rows_of(observations: Observations) -> Rows:
    """The rows themselves, which must have been kept."""
    if observations.rows is None:
        raise ValueError("this loss needs the rows: read them with keep_rows=True")
    return observations.rows


def design_and_target(block: FloatArray, scaling: Scaling | None) -> tuple[FloatArray, FloatArray]:
    """A and y of rows as `Rows` keeps them: the features, a one, y."""
    design, target = block[:, :-1], block[:, -1]
    return (scaling.apply(design) if scaling else design), target


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


def penalized(objective: Objective, settings: Settings, size: int) -> Objective:
    """`objective` and the penalty λ‖w‖² of ``--l2``: the squared error of p more rows √λ eᵢ of A,
    whose target is 0."""
    if not settings.l2:
        return objective
    rows = np.sqrt(settings.l2) * np.eye(size)[:-1]
    penalty = BACKENDS[settings.backend](rows, np.zeros(size - 1), 1, squared_error())
    return total(lambda: (objective, penalty))
