"""What ``--lr auto`` means: the learning rate with the least loss when the epochs are over.

2/(λmin + λmax) is the best constant rate only in the limit of many epochs. On columns that are
badly scaled that limit is never reached: along the steepest direction such a rate leaps to and fro
and hardly comes down. So the rate here is the best for this start and this many epochs.

The loss of gradient descent can be foretold. Along an eigenvector of the Hessian with the
eigenvalue λ, each epoch multiplies the distance d to the minimum by 1 − γλ, so that after E epochs

    loss − minimum = ½ Σ λ d² (1 − γλ)²ᴱ.

Each term is convex in γ, and so is their sum: it falls until its slope changes sign, and that place
is found by halving. All powers are taken as logarithms, since they leave float64 soon.

For all that is not gradient descent on the squared loss of all rows, see `trials`.
"""

from __future__ import annotations

import math

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.curvature import Curvature


def best_rate(curvature: Curvature, start: FloatArray, epochs: int) -> float:
    """The constant learning rate of gradient descent with the least loss after `epochs` epochs.

    One epoch is an exact line search (Cauchy, 1847); for many, the rate goes to 2/(λmin + λmax) of
    the directions in which the start is away from the minimum. It can be above 2/λmax where the
    epochs are too few for what grows to matter.

    Parameters
    ----------
    curvature : of the squared loss that is descended on.
    start : the params θ₀ to start from, shape (p+1,).
    epochs : E.
    """
    eigenvalues, shares = excess_by_direction(curvature, start)
    if not len(eigenvalues):
        return curvature.best_lr  # the start is the minimum, and any rate stays there

    def falls(rate: float) -> bool:
        """Whether the slope of the loss over γ, −Σ λ²d²E(1 − γλ)²ᴱ⁻¹, is negative at `rate`."""
        slopes = shares + np.log(eigenvalues) + (2 * epochs - 1) * log_factors(rate * eigenvalues)
        short = rate * eigenvalues < 1  # of the minimum; the others step beyond it
        return total(slopes[short]) > total(slopes[~short])

    low, high = 1 / float(eigenvalues.max()), 1 / float(eigenvalues.min())
    while low < (middle := math.sqrt(low) * math.sqrt(high)) < high:
        low, high = (middle, high) if falls(middle) else (low, middle)
    return low


def excess_after(curvature: Curvature, start: FloatArray, rate: float, epochs: int) -> float:
    """How far above the minimum the loss is after `epochs` epochs of gradient descent at `rate`:
    ½ Σ λd²(1 − γλ)²ᴱ; infinity where that leaves float64."""
    eigenvalues, shares = excess_by_direction(curvature, start)
    with np.errstate(over="ignore"):
        return float(np.exp(total(shares + 2 * epochs * log_factors(rate * eigenvalues))))


def excess_by_direction(curvature: Curvature, start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The eigenvalues λ that are not 0, and for each the logarithm of its part of the loss above
    the minimum at `start`, ½λd².

    Rounding moves the params by ε of their size, so that none is nearer to the minimum than that:
    at rates above 2/λmax this grows like everything else.
    """
    curved = curvature.eigenvalues > 0
    distances = np.abs(curvature.eigenvectors.T @ (start - curvature.minimum))
    size = max(np.linalg.norm(start), np.linalg.norm(curvature.minimum))
    distances = np.maximum(distances, np.finfo(np.float64).eps * size)
    curved &= distances > 0
    eigenvalues = curvature.eigenvalues[curved]
    return eigenvalues, np.log(eigenvalues / 2) + 2 * np.log(distances[curved])


def log_factors(steps: FloatArray) -> FloatArray:
    """log |1 − γλ| for `steps` γλ, exact also for those near 0 and 2."""
    with np.errstate(divide="ignore"):  # a factor of 0 is −∞
        return np.log1p(np.where(steps < 1, -steps, steps - 2))


def total(logarithms: FloatArray) -> float:
    """The logarithm of the sum of what has these `logarithms`."""
    return float(np.logaddexp.reduce(logarithms, initial=-np.inf))
