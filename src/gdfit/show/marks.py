"""Which epochs of a run are marked in its pictures, and whether it climbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.fit import Fit
from gdfit.descent.loop import Step
from gdfit.show.colours import LARGEST, shade


class Mark(NamedTuple):
    """An epoch that is marked: the params after it, as they are descended on, and its colour."""

    epoch: int
    params: FloatArray
    colour: str


def marks_of(fit: Fit, steps: Sequence[Step]) -> list[Mark]:
    """The epochs 1, 10, 100 … before the last one, and where a run diverged the second and third,
    too; of a run of less than ten, each."""
    last, diverged = steps[-1].epoch, fit.status == "diverged"
    marked = [
        step
        for step in steps[:-1]
        if last < 10 or is_power(step.epoch) or (diverged and step.epoch <= 3)
    ]
    most = max(len(marked) - 1, 1)
    return [Mark(step.epoch, step.params, shade(place / most)) for place, step in enumerate(marked)]


def is_power(epoch: int) -> bool:
    """Whether `epoch` is a power of ten."""
    return str(epoch).rstrip("0") == "1"


def climbs(fit: Fit) -> bool:
    """Whether this is gradient descent that diverged because its learning rate is above 2/λmax, and
    not so far above that its first step left float64."""
    bends = fit.curvature
    if bends is None or fit.status != "diverged" or not fit.settings.is_plain:
        return False
    steepest = bends.eigenvectors[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):
        after = (1 - float(fit.settings.lr) * bends.lambda_max) * (fit.start - bends.minimum)
        loss = bends.lambda_max * (steepest @ after) ** 2
    return float(fit.settings.lr) > bends.max_stable_lr and bool(loss < LARGEST)
