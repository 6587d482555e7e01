"""Which features a table shows where there are too many: those that count most."""

from __future__ import annotations

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.scaling import VARIES

MOST = 12  # features in a table


def leading(observations: Observations, params: FloatArray | None = None) -> list[int]:
    """The places of all features, or of the `MOST` that count most, in the columns' order.

    With `params`, a feature counts by |w|·std(x), by how much it moves the prediction. Before there
    are any, it counts by |correlation of x and y|: on standardized features, that is how steep the
    squared error is along its weight at the start, from zeros.
    """
    if len(observations.features) <= MOST:
        return list(range(len(observations.features)))
    counts = np.abs(correlations(observations) if params is None else effects(observations, params))
    return sorted(np.argsort(-counts, kind="stable")[:MOST].tolist())


def correlations(observations: Observations) -> FloatArray:
    """Each feature's correlation with y but for a common factor, shape (p,)."""
    centred, norms, _ = moments(observations)
    y = observations.target / (np.abs(observations.target).max() or 1.0)
    return np.divide(y @ centred, norms, out=np.zeros_like(norms), where=norms > 0)


def effects(observations: Observations, params: FloatArray) -> FloatArray:
    """w·std(x) of each feature but for a common factor, shape (p,)."""
    _, norms, largest = moments(observations)
    with np.errstate(over="ignore", invalid="ignore"):  # the params of a run that diverged
        return params[:-1] * norms * largest


def moments(observations: Observations) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Each feature as a part of its largest value, centred; the norm of that, 0 where it does not
    vary; and the largest value. See `gdfit.descent.scaling.scaling_of`."""
    x, ones = observations.design[:, :-1], observations.design[:, -1]
    largest = np.abs(x).max(axis=0)
    largest[largest == 0] = 1.0
    x = x / largest
    centred = x - np.outer(ones, ones @ x / observations.total_weight)
    norms = np.linalg.norm(centred, axis=0)
    norms[norms <= VARIES * np.linalg.norm(x, axis=0)] = 0.0
    return centred, norms, largest
