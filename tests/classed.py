"""Losses as tests take them: those of numbers, and a target of 0 and 1 for those of classes."""

from __future__ import annotations

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.losses import LOSSES, loss_of
from gdfit.descent.settings import LossName, Settings


def has_classes(loss: LossName) -> bool:
    """Whether its target is 0 or 1."""
    return loss_of(Settings(loss=loss)).has_classes


OF_NUMBERS = [loss for loss in LOSSES if not has_classes(loss)]


def target_for(loss: LossName, y: FloatArray) -> FloatArray:
    """y; for a loss of classes, whether it is above its median, the other way round in a tenth of
    the rows, so that no plane separates them."""
    if not has_classes(loss):
        return y
    classes = (y > np.median(y)).astype(float)
    classes[::10] = 1 - classes[::10]
    return classes
