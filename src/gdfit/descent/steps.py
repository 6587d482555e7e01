"""The steps of a run: epoch after epoch, or from one that is shown to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.curvature import Curvature
from gdfit.descent.ends import last_epoch
from gdfit.descent.gradients import Objective
from gdfit.descent.leaps import Path, leap
from gdfit.descent.loop import Step, descend
from gdfit.descent.objectives import batch_objectives
from gdfit.descent.optimizers import OPTIMIZERS
from gdfit.descent.settings import Settings
from gdfit.descent.start import Start

Measure = Callable[[FloatArray], float]
"""Gives the loss on the validation set at params as they are descended on."""


def epochs(
    objective: Objective,
    observations: Observations,
    settings: Settings,
    start: Start,
    measure: Measure | None,
) -> Iterator[Step]:
    """Epoch after epoch, without end; `objective` is the loss of all `observations`."""
    whole = batch_objectives(objective, observations, settings)
    update = OPTIMIZERS[settings.optimizer](float(settings.lr), settings.momentum, settings.betas)
    return descend(
        lambda epoch: whole(start.epochs + epoch), start.params, update, start.state, measure
    )


def leaps(
    observations: Observations,
    bends: Curvature,
    settings: Settings,
    start: Start,
    shown: Iterable[int] | None,
    bound: float,
    measure: Measure | None,
) -> Iterator[Step]:
    """From one `shown` epoch to the next in closed form, to where a rule would end the loop: it has
    diverged where the loss is above `bound`. `bends` is the curvature of the loss."""
    path = Path(observations, bends, settings.l2, start.params, float(settings.lr))
    return leap(path, shown, last_epoch(path, settings, bound), measure)
