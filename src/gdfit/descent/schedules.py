"""Schedules: by which factor the learning rate falls from epoch to epoch.

They are those of torch.optim.lr_scheduler (StepLR, ExponentialLR, CosineAnnealingLR), and
scikit-learn's `invscaling`. The first epoch has the rate itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from gdfit.descent.settings import ScheduleName

STAGES = 10  # of a run that falls by steps


def stage_length(epochs: int) -> int:
    """The epochs of a stage of `step`: a tenth of all, rounded up."""
    return math.ceil(epochs / STAGES)


# By name, (t, the last epoch, the decay) → the factor in epoch t, from 1 on.
SCHEDULES: dict[ScheduleName, Callable[[int, int, float], float]] = {
    "constant": lambda epoch, last, decay: 1.0,
    "step": lambda epoch, last, decay: decay ** ((epoch - 1) // stage_length(last)),
    "exponential": lambda epoch, last, decay: decay ** (epoch - 1),
    "inverse": lambda epoch, last, decay: epoch**-decay,
    "cosine": lambda epoch, last, decay: (1 + math.cos(math.pi * (epoch - 1) / last)) / 2,
}
