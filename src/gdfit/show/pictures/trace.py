"""The path of a run, thinned where it is long: what pictures are drawn from.

Which epochs of a run are marked in its pictures, and whether it climbs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import count
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.loop import Step
from gdfit.descent.run import Fit

WHOLE = 512  # epochs, of which all are kept
PAIRS = 128  # in each doubling of the epochs after that; more than a picture can show apart


class Trace:
    """Keeps the first steps, then ever fewer, evenly on a logarithmic axis and dense enough on a
    linear one: always two in a row, so that a zigzag remains one. It keeps the epochs 1, 10, 100 …
    and the last one.

    steps : those that are kept, in their order.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        """Take note of an epoch."""
        if step.status or is_kept(step.epoch):
            self.steps.append(step)


def is_kept(epoch: int) -> bool:
    """Whether an epoch is among those that are kept, whatever comes after it."""
    if epoch <= WHOLE or str(epoch).rstrip("0") == "1":
        return True
    apart = 2 ** (epoch.bit_length() - 1) // PAIRS
    return epoch % apart in (0, 1)


def traced_epochs() -> Iterator[int]:
    """The epochs that are kept, one after the other, without end: those to leap to for a picture.
    Some come twice."""
    pairs = (
        epoch + after
        for first in (2**power for power in count())
        for epoch in range(first, 2 * first, max(first // PAIRS, 1))
        for after in (0, 1)
    )
    return merge(pairs, (10**power for power in count()))


class Mark(NamedTuple):
    """An epoch that is marked: the params after it, as they are descended on, and its colour."""

    epoch: int
    params: FloatArray
    colour: str


def marks_of(fit: Fit, steps: Sequence[Step]) -> list[Mark]:
    """The epochs 1, 10, 100 … before the last one, and where a run diverged the second and third,
    too; of a run of less than ten, each."""
    from gdfit.show.pictures.axes import shade

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
    from gdfit.show.pictures.axes import LARGEST

    curvature = fit.curvature
    if curvature is None or fit.status != "diverged" or not fit.settings.is_plain:
        return False
    steepest = curvature.eigenvectors[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):
        after = (1 - float(fit.settings.lr) * curvature.lambda_max) * (
            fit.start - curvature.minimum
        )
        loss = curvature.lambda_max * (steepest @ after) ** 2
    return float(fit.settings.lr) > curvature.max_stable_lr and bool(loss < LARGEST)
