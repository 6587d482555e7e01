"""How well a model predicts: its errors on observations, block by block."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.condense import regroup, rows_at_once
from gdfit.errors import NoObservationsError
from gdfit.model import LinearModel


@dataclass(frozen=True)
class Evaluation:
    """Errors of a model's predictions ŷ on N observations.

    mse, rmse, mae : the mean of (ŷ − y)², its root, and the mean of |ŷ − y|.
    r_squared : R² = 1 − Σ(ŷ − y)²/Σ(y − ȳ)²; NaN where y does not vary.
    """

    observations: int
    mse: float
    rmse: float
    mae: float
    r_squared: float


def evaluate(model: LinearModel, blocks: Iterable[FloatArray]) -> Evaluation:
    """Evaluate `model` on `blocks` of shape (rows, p+1): its features in order, then the target."""
    count, mean = 0, 0.0
    squares = absolutes = total = 0.0
    for block in regroup(blocks, rows_at_once(len(model.features) + 1)):
        *x, y = block.T
        residuals = model.predict(x) - y
        squares += float(residuals @ residuals)
        absolutes += float(np.abs(residuals).sum())
        # Σ(y − ȳ)² of the rows so far and of the block, put together (Chan et al., 1979).
        block_mean = float(y.mean())
        shift = block_mean - mean
        rows = len(y)
        total += float(((y - block_mean) ** 2).sum()) + shift**2 * count * rows / (count + rows)
        mean += shift * rows / (count + rows)
        count += rows
    if not count:
        raise NoObservationsError
    mse = squares / count
    r_squared = 1 - squares / total if total > 0 else math.nan
    return Evaluation(count, mse, math.sqrt(mse), absolutes / count, r_squared)
