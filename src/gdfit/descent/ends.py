"""Where gradient descent in closed form stops: the first epoch at which a rule of `stopping` would
answer, found without going through those before it.

Along an eigenvector, all that a rule looks at is a sum of powers (1 − γλ)ᴱ, which from one even
epoch to another, or one odd epoch to another, go one way only. So their values at two such epochs
bound all that lies between, and where the bounds say that the rule can't answer, no epoch between
has to be looked at; else each half is. Once the two epochs are one, the bounds are what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.leaps import Path
from gdfit.descent.settings import Settings
from gdfit.descent.stopping import COMPLETED, CONVERGED, DIVERGED, TARGET, diverged

May = Callable[[int, int], bool]
"""Of the epochs from one to another, all of them odd or all even: whether one of them may be such;
of one epoch, whether it is."""


@np.errstate(over="ignore", invalid="ignore")
def last_epoch(path: Path, settings: Settings, bound: float) -> tuple[int, str]:
    """The epoch that is the last, and the status there: `bound` is the loss above which the run has
    diverged. What is more pressing comes first, as in `stopping`."""
    epoch, status, limit = settings.epochs, COMPLETED, settings.epochs
    ends: list[tuple[str, May]] = [(DIVERGED, partial(may_diverge, path, bound))]
    if settings.target_loss is not None:
        ends.append((TARGET, partial(may_reach, path, settings.target_loss)))
    if settings.tol is not None:
        ends.append((CONVERGED, partial(may_converge, path, settings.tol)))
    for name, may in ends:
        if found := first_epoch(may, limit):
            epoch, status, limit = found, name, found - 1
    return epoch, status


def first_epoch(may: May, limit: int) -> int | None:
    """The first epoch up to `limit` of which `may` says so, if there is one."""
    found = []
    for start in (1, 2):
        waiting = [(start, limit - (limit - start) % 2)]
        while waiting:
            first, last = waiting.pop()
            if first > last or not may(first, last):
                continue
            if first == last:
                found.append(first)
                break
            middle = first + (last - first) // 4 * 2
            waiting += [(middle + 2, last), (first, middle)]
    return min(found, default=None)


def may_diverge(path: Path, bound: float, first: int, last: int) -> bool:
    """The loss curves upward, as a sum of powers: once it is above the bound, it stays there."""
    return diverged(bound)(path.step(last)) is not None


def may_reach(path: Path, target: float, first: int, last: int) -> bool:
    """The loss is at or below the target."""
    least = np.minimum(path.excesses(first - 1), path.excesses(last - 1))
    return path.least + float(least.sum()) <= target


def may_converge(path: Path, tolerance: float, first: int, last: int) -> bool:
    """No param moves by more than the tolerance, as a part of the largest: θ_E − θ_E₋₁ is −γ times
    the gradient."""
    slopes = (path.slopes * path.factors(epoch - 1) for epoch in (first, last))
    gradient, _ = largest(path.axes, np.zeros_like(path.start), *slopes)
    _, param = largest(path.axes, path.start, path.moved(first), path.moved(last))
    return path.rate * gradient <= tolerance * param


def largest(
    axes: FloatArray, origin: FloatArray, one: FloatArray, other: FloatArray
) -> tuple[float, float]:
    """Between which numbers the largest entry of origin + Qx is, for all x between two: `one` and
    `other`, shape (k,)."""
    centre = origin + axes @ ((one + other) / 2)
    spread = abs(axes) @ (abs(one - other) / 2)
    return float((abs(centre) - spread).max()), float((abs(centre) + spread).max())
