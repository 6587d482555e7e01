"""Gradient descent on the squared error in closed form: any epoch, without those before it.

The loss is a parabola. Along an eigenvector of its Hessian H = QΛQᵀ, with the eigenvalue λ, an
epoch multiplies the gradient by 1 − γλ, so that E epochs are one step with a geometric sum:

    ∇L(θ_E) = Q(1 − γΛ)ᴱQᵀ∇L(θ₀)
    θ_E = θ₀ − γQ(1 + (1 − γΛ) + … + (1 − γΛ)ᴱ⁻¹)Qᵀ∇L(θ₀)
    L(θ_E) = L(θ*) + ½Σλd²(1 − γλ)²ᴱ, d = Qᵀ(θ₀ − θ*)

This is θ* + Q(1 − γΛ)ᴱQᵀ(θ₀ − θ*) without θ*, which is far away where columns almost depend on each
other, and not one point where they do. Q and Λ come from the singular values of A, and √λ d is what
of the residuals at θ₀ lies along a singular vector: nothing here is the small difference of large
numbers.

It ends at the first epoch at which a rule of `gdfit.descent.stopping` would answer, and that is
found without going through those before it, too. Along an eigenvector, all that a rule looks at is
a sum of powers (1 − γλ)ᴱ, which from one even epoch to another, or one odd epoch to another, go one
way only. So their values at two such epochs bound all that lies between, and where the bounds say
that the rule can't answer, no epoch between has to be looked at; else each half is. Once the two
epochs are one, the bounds are what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, count, takewhile

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.curvature import Curvature, penalized_rows
from gdfit.descent.learning_rate import log_factors
from gdfit.descent.loop import Step
from gdfit.descent.settings import Settings
from gdfit.descent.stopping import COMPLETED, CONVERGED, DIVERGED, TARGET, diverged

NEAR_TWO = 1.5  # from here on, all digits of a step γλ are felt in (1 − γλ)ᴱ
LEAST = 1e-300  # a step to divide by where it is 0: either leads nowhere
ZERO = -1e3  # a logarithm of 0 in float64, and none that times 0 is not a number


class DescentPath:
    """The path of gradient descent on a squared error, along the k eigenvectors on which it moves.

    Parameters
    ----------
    observations : what is descended on, scaled as it is to be.
    curvature : the curvature of its squared error.
    settings : have γ as `lr`, and λ of the penalty λ‖w‖² as `l2`.
    start : θ₀, shape (p+1,).

    Attributes
    ----------
    axes : the eigenvectors Q, in columns, shape (p+1, k).
    steps : γλ, shape (k,).
    slopes : Qᵀ∇L(θ₀), shape (k,).
    excess : ½λd², what θ₀ is above the minimum, shape (k,).
    least : L(θ*).
    """

    def __init__(
        self,
        observations: Observations,
        curvature: Curvature,
        settings: Settings,
        start: FloatArray,
    ) -> None:
        rows, represented = penalized_rows(observations, settings.l2), observations.total_weight
        size = len(observations.features) + observations.intercept
        design, target = rows[:, :size], rows[:, -1]
        left, singular, right = np.linalg.svd(design, full_matrices=False)
        singular[curvature.eigenvalues[: len(singular)] == 0] = 0.0  # but for rounding
        residuals = left.T @ (design @ start[:size] - target)
        unexplained = target - left @ (left.T @ target)
        slopes = 2 * singular * residuals / represented
        moving = slopes != 0
        still = residuals[~moving]
        self.start, self.rate = start, float(settings.lr)
        self.axes = np.zeros((len(start), len(slopes[moving])))
        self.axes[:size] = right[moving].T  # b, where there is no intercept, stays 0
        self.steps = np.maximum(2 * self.rate * singular[moving] ** 2 / represented, LEAST)
        self.slopes = slopes[moving]
        self.excess = residuals[moving] ** 2 / represented
        self.least = float(unexplained @ unexplained + still @ still) / represented
        self._logarithms = log_factors(self.steps)
        near = self.steps > NEAR_TWO
        self._logarithms[near] = exact_logarithms(observations, settings, self.axes[:, near])
        self._logarithms = np.maximum(self._logarithms, ZERO)

    def factors(self, epochs: int) -> FloatArray:
        """(1 − γλ)ᴱ, shape (k,)."""
        return np.asarray(self._signs(epochs) * np.exp(epochs * self._logarithms))

    def _signs(self, epochs: int) -> FloatArray:
        return np.where((self.steps > 1) & (epochs % 2 == 1), -1.0, 1.0)

    def moved(self, epochs: int) -> FloatArray:
        """Qᵀ(θ_E − θ₀), shape (k,): −γ times the slope times 1 + (1 − γλ) + … + (1 − γλ)ᴱ⁻¹, which
        is (1 − (1 − γλ)ᴱ)/γλ."""
        signs = self._signs(epochs)
        shrunk = 1 - signs - signs * np.expm1(epochs * self._logarithms)
        return np.asarray(-self.rate * self.slopes * (shrunk / self.steps))

    def excesses(self, epochs: int) -> FloatArray:
        """½λd²(1 − γλ)²ᴱ, what θ_E is above the minimum, shape (k,)."""
        return np.asarray(self.excess * np.exp(2 * epochs * self._logarithms))

    def params(self, epochs: int) -> FloatArray:
        """θ_E, shape (p+1,)."""
        return np.asarray(self.start + self.axes @ self.moved(epochs))

    @np.errstate(over="ignore", invalid="ignore")
    def step(self, epoch: int, validation: Callable[[FloatArray], float] | None = None) -> Step:
        """An epoch as the training loop gives it."""
        before = self.params(epoch - 1)
        loss = self.least + float(self.excesses(epoch - 1).sum())
        grad = self.axes @ (self.slopes * self.factors(epoch - 1))
        held_out = validation(before) if validation else None
        return Step(epoch, loss, self.params(epoch), grad, held_out, before, state={})


def exact_logarithms(
    observations: Observations, settings: Settings, axes: FloatArray
) -> FloatArray:
    """log |1 − γλ| for eigenvectors v of the Hessian with γλ above 1.

    λ = vᵀHv/vᵀv has twice as many right digits as v; they are taken in longer floats than float64,
    where there are any.
    """
    v = axes.astype(np.longdouble)
    predictions = observations.design.astype(np.longdouble) @ v
    squares = (predictions**2).sum(axis=0) / observations.total_weight
    squares += settings.l2 * (v[:-1] ** 2).sum(axis=0)
    steps = 2 * float(settings.lr) * squares / (v**2).sum(axis=0)
    return np.asarray(np.log1p(steps - 2), dtype=np.float64)


def leap(
    path: DescentPath,
    shown: Iterable[int] | None,
    end: tuple[int, str],
    validation: Callable[[FloatArray], float] | None = None,
) -> Iterator[Step]:
    """The first step of `path`, those that are `shown`, and the last.

    Parameters
    ----------
    shown : the numbers of epochs, rising, perhaps without end; by default 1, 2, 3, 5, 10, 20, …
    end : the last epoch, and the status of the run there.
    validation : gives the loss on the validation set at the params that it is called with.
    """
    last, status = end
    epochs = round_epochs() if shown is None else shown
    before = 0
    for epoch in chain([1], takewhile(lambda epoch: epoch < last, epochs), [last]):
        if epoch > before:
            step = path.step(epoch, validation)
            yield step._replace(status=status) if epoch == last else step
            before = epoch


def round_epochs() -> Iterator[int]:
    """1, 2, 3, and then 5, 10, 20, 50, 100, …, without end."""
    yield from (1, 2, 3, 5)
    for power in count(1):
        yield from (first * 10**power for first in (1, 2, 5))


@np.errstate(over="ignore", invalid="ignore")
def last_epoch(path: DescentPath, settings: Settings, bound: float) -> tuple[int, str]:
    """The epoch that is the last, and the status there: `bound` is the loss above which the run has
    diverged. What is more pressing comes first, as in `stopping`."""
    epoch, status, limit = settings.epochs, COMPLETED, settings.epochs
    ends = [(DIVERGED, partial(may_diverge, path, bound))]
    if settings.target_loss is not None:
        ends.append((TARGET, partial(may_reach, path, settings.target_loss)))
    if settings.tol is not None:
        ends.append((CONVERGED, partial(may_converge, path, settings.tol)))
    for name, may in ends:
        if found := first_epoch(may, limit):
            epoch, status, limit = found, name, found - 1
    return epoch, status


def first_epoch(may: Callable[[int, int], bool], limit: int) -> int | None:
    """The first epoch up to `limit` that is such, if there is one: `may` is true of the epochs from
    one to another, all of them odd or all even, where one of them may be such, and of one epoch
    where it is."""
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


def may_diverge(path: DescentPath, bound: float, first: int, last: int) -> bool:
    """The loss curves upward, as a sum of powers: once it is above the bound, it stays there."""
    return diverged(bound)(path.step(last)) is not None


def may_reach(path: DescentPath, target: float, first: int, last: int) -> bool:
    """The loss is at or below the target."""
    least = np.minimum(path.excesses(first - 1), path.excesses(last - 1))
    return path.least + float(least.sum()) <= target


def may_converge(path: DescentPath, tolerance: float, first: int, last: int) -> bool:
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
