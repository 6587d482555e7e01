"""Descent on the squared error in closed form: any epoch, without those before it.

The loss is a parabola. Along an eigenvector of its Hessian H, with the eigenvalue λ, an epoch of
gradient descent multiplies the gradient by 1 − γλ. With momentum a 2 × 2 matrix maps gradient and
velocity to the next ones, so that each of them, and the distance e to the minimum, are a z with

    z_E₊₁ = (r + q)z_E − rq·z_E₋₁,    z_E = rᴱz₀ + (z₁ − rz₀)S_E,
    S_E = (rᴱ − qᴱ)/(r − q) = rᴱ⁻¹ + rᴱ⁻²q + … + qᴱ⁻¹,

r and q the eigenvalues of that matrix, |r| ≥ |q|. 1 − r and 1 − q are the roots of x² − bx + γλ,
b = 1 − μ + γλ, or with nesterov 1 − μ + (1 + μ)γλ (Polyak, USSR Comput. Math. 4, 1964; Goh, Why
Momentum Really Works, Distill, 2017). Gradient descent has μ = 0, and so r = 1 − γλ and q = 0.
Where r and q are complex, z is the real part of all this.

The params are those at the start and what they have moved since, a geometric sum, and not the
minimum and the distance to it: that is far away where columns almost depend on each other, and not
one point where they do. Eigenvectors and λ come from the singular values of A, and √(λ/2)·e is the
residuals along a singular vector: nothing here is the small difference of large numbers.

It ends at the first epoch at which a rule of `gdfit.descent.stopping` would answer, and that is
found without going through those before it, too. All that a rule looks at is made of such z. From
one even epoch to another, or one odd epoch to another, rᴱ goes one way where it is real, and |rᴱ|
does so always; |S_E| is at most |r|ᴱ⁻¹ times E or 2/|1 − q/r|. So what they are at two such epochs
bounds all that lies between, and where the bounds say that the rule can't answer, no epoch between
has to be looked at; else each half is. Once the two epochs are one, the bounds are what is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, count, takewhile
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.curvature import Curvature, penalized_rows
from gdfit.descent.loop import Step
from gdfit.descent.optimizers import State
from gdfit.descent.settings import Settings
from gdfit.descent.stopping import COMPLETED, CONVERGED, DIVERGED, TARGET, diverged

NEAR_TWO = 1.5  # from here on, all digits of a step γλ are felt in (1 − γλ)ᴱ
LEAST = 1e-300  # a step to divide by where it is 0: either leads nowhere
ZERO, LARGE = -1e3, 600.0  # logarithms: of 0 in float64, and of what is almost too large for it

# z₀ and z₁ − rz₀, each for all directions.
Recurrence = tuple[FloatArray, Any]
Bounds = tuple[FloatArray, FloatArray]


class Modes:
    """rᴱ and S_E in k directions, and what is made of them.

    Parameters
    ----------
    optimizer, mu : an update rule and its μ, a number or of each direction.
    steps : γλ, shape (k,), perhaps in longer floats than float64.

    Attributes
    ----------
    mu, ahead, kept : an epoch takes γ(ahead·∇L + kept·v) from the params.
    logarithms : log r, or log −r where r `turns` from one side of the minimum to the other.
    slowness : (1 − r)/γλ.
    """

    def __init__(self, optimizer: str, mu: Any, steps: Any) -> None:
        self.mu = mu if optimizer != "gd" else 0.0 * mu
        self.ahead, self.kept = 1 + 0.0 * self.mu, self.mu
        if optimizer == "nesterov":
            self.ahead, self.kept = 1 + self.mu, self.mu**2
        roots = 1 - np.longdouble(self.mu) + self.ahead * steps
        discriminant = roots**2 - 4 * steps
        self.is_real = discriminant >= 0
        self.turns = roots > 2  # r is negative: here are the powers of −r, and a sign
        apart = np.where(self.is_real, 1, 1j) * np.sqrt(np.abs(discriminant))  # |r − q|
        larger = (roots + apart) / 2
        self.slowness = np.where(self.turns, larger / steps, 1 / larger).astype(complex)
        base = np.where(self.turns, larger - 1, 1 - steps / larger)
        with np.errstate(divide="ignore", invalid="ignore"):
            real = np.log1p(np.where(self.turns, larger.real - 2, -steps / larger.real))
            circle = np.log1p(steps - roots) / 2  # log √(rq)
            ratios = np.log(np.where(base == 0, 0, 1 - apart / base)).astype(complex)
        size = np.maximum(np.where(self.is_real, real, circle), ZERO).astype(float)
        self.logarithms = size + 1j * np.where(self.is_real, 0, np.angle(base)).astype(float)
        self.ratios = np.maximum(ratios.real, ZERO) + 1j * ratios.imag  # log q/r

    def _parts(self, epochs: int) -> tuple[FloatArray, Any]:
        """The sign of rᴱ, and the logarithm of the rest."""
        found = epochs * self.logarithms
        signs = np.where(self.turns & (epochs % 2 == 1), -1.0, 1.0)
        return signs, np.minimum(found.real, LARGE) + 1j * found.imag

    def powers(self, epochs: int) -> Any:
        """rᴱ."""
        signs, logarithms = self._parts(epochs)
        return signs * np.exp(logarithms)

    def lost(self, epochs: int) -> Any:
        """1 − rᴱ, with all its digits."""
        signs, logarithms = self._parts(epochs)
        return 1 - signs - signs * np.expm1(logarithms)

    def sums(self, epochs: int) -> Any:
        """S_E."""
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.expm1(epochs * self.ratios) / np.expm1(self.ratios)
        return self.powers(epochs - 1) * np.where(self.ratios == 0, epochs, terms)

    def at(self, epochs: int, of: Recurrence, *, moved: bool = False) -> FloatArray:
        """z_E; or how far it has `moved` from z₀."""
        begin, rest = of
        kept = -begin * self.lost(epochs) if moved else begin * self.powers(epochs)
        return np.asarray((kept + rest * self.sums(epochs)).real)

    def between(self, first: int, last: int, of: Recurrence, *, moved: bool = False) -> Bounds:
        """Bounds of that from one epoch to another, both even or both odd."""
        if first == last:
            return (self.at(first, of, moved=moved),) * 2
        begin, rest = of
        ends = [self.at(epochs, (begin, 0.0 * begin), moved=moved) for epochs in (first, last)]
        reach = np.abs(begin) * np.maximum(*(np.abs(self.powers(end)) for end in (first, last)))
        centre = -begin if moved else 0.0 * begin
        with np.errstate(divide="ignore"):
            terms = np.minimum(last, 2 / np.abs(np.expm1(self.ratios)))
        sizes = (np.abs(self.powers(max(end - 1, 0))) for end in (first, last))
        spread = np.abs(rest) * terms * np.maximum(*sizes)
        low = np.where(self.is_real, np.minimum(*ends), centre - reach) - spread
        high = np.where(self.is_real, np.maximum(*ends), centre + reach) + spread
        return low, high


class DescentPath(Modes):
    """The path of gradient descent, momentum or nesterov on a squared error, along the k
    eigenvectors on which it moves.

    Parameters
    ----------
    observations : what is descended on, scaled as it is to be.
    curvature : the curvature of its squared error.
    settings : have γ as `lr`, λ of the penalty λ‖w‖² as `l2`, the update rule and its μ.
    start : θ₀, shape (p+1,).
    state : what the update rule remembers of the epochs before.

    Attributes
    ----------
    axes : the eigenvectors Q, in columns, shape (p+1, k).
    gradient, velocity, distance : Qᵀ∇L, Qᵀv, Qᵀ(θ − θ*) from epoch to epoch.
    stride : Qᵀ(θ_E₊₁ − θ_E).
    root : √(λ/2)·Qᵀ(θ − θ*), whose squares are what θ is above the minimum.
    least : L(θ*).
    """

    def __init__(
        self,
        observations: Observations,
        curvature: Curvature,
        settings: Settings,
        start: FloatArray,
        state: State | None = None,
    ) -> None:
        rows, represented = penalized_rows(observations, settings.l2), observations.total_weight
        size = len(observations.features) + observations.intercept
        design, target = rows[:, :size], rows[:, -1]
        left, singular, right = np.linalg.svd(design, full_matrices=False)
        singular[curvature.eigenvalues[: len(singular)] == 0] = 0.0  # but for rounding
        residuals = left.T @ (design @ start[:size] - target)
        unexplained = target - left @ (left.T @ target)
        slopes = 2 * singular * residuals / represented
        velocity = right @ (state or {}).get("velocity", np.zeros_like(start))[:size]
        moving = (slopes != 0) | (velocity != 0) & (singular > 0)
        still = residuals[~moving]
        self.start, self.rate = start, float(settings.lr)
        self.axes = np.zeros((len(start), len(slopes[moving])))
        self.axes[:size] = right[moving].T  # b, where there is no intercept, stays 0
        self.least = float(unexplained @ unexplained + still @ still) / represented
        singular, residuals = singular[moving], residuals[moving] / math.sqrt(represented)
        steps = (2 * self.rate * singular**2 / represented).astype(np.longdouble)
        near = steps > NEAR_TWO
        steps[near] = exact_steps(observations, settings, self.axes[:, near])
        steps = np.maximum(steps, LEAST)
        super().__init__(str(settings.optimizer), settings.momentum, steps)
        self.has_velocity = settings.optimizer != "gd"
        mu, ahead, kept = self.mu, self.ahead, self.kept
        grad, v, gamma = slopes[moving], velocity[moving], steps.astype(float)
        turned = (self.slowness - ahead) * grad - kept * v
        self.gradient = grad, gamma * turned
        self.velocity = v, grad - (1 - mu - gamma * self.slowness) * v
        self.distance = self.rate * grad / gamma, self.rate * turned
        pull = self.rate * kept * singular / math.sqrt(represented) * v
        self.root = residuals, gamma * (self.slowness - ahead) * residuals - pull
        pairs = zip(self.gradient, self.velocity, strict=True)
        first, then = (ahead * g + kept * u for g, u in pairs)
        self.stride = -self.rate * first, -self.rate * then

    def params(self, epochs: int) -> FloatArray:
        """θ_E, shape (p+1,)."""
        return np.asarray(self.start + self.axes @ self.at(epochs, self.distance, moved=True))

    @np.errstate(over="ignore", invalid="ignore")
    def step(self, epoch: int, validation: Callable[[FloatArray], float] | None = None) -> Step:
        """An epoch as the training loop gives it."""
        before = self.params(epoch - 1)
        loss = self.least + float((self.at(epoch - 1, self.root) ** 2).sum())
        grad = self.axes @ self.at(epoch - 1, self.gradient)
        held_out = validation(before) if validation else None
        velocity = self.axes @ self.at(epoch, self.velocity)
        state = {"velocity": velocity} if self.has_velocity else {}
        return Step(epoch, loss, self.params(epoch), grad, held_out, before, state)


def exact_steps(observations: Observations, settings: Settings, axes: FloatArray) -> Any:
    """γλ of eigenvectors v of the Hessian.

    λ = vᵀHv/vᵀv has twice as many right digits as v; they are taken in longer floats than float64,
    where there are any.
    """
    v = axes.astype(np.longdouble)
    predictions = observations.design.astype(np.longdouble) @ v
    squares = (predictions**2).sum(axis=0) / observations.total_weight
    squares += settings.l2 * (v[:-1] ** 2).sum(axis=0)
    return 2 * float(settings.lr) * squares / (v**2).sum(axis=0)


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
    """The loss is above the bound, or not finite."""
    if first == last:
        return diverged(bound)(path.step(last)) is not None
    largest_roots = np.maximum(*map(np.abs, path.between(first - 1, last - 1, path.root)))
    most = path.least + float((largest_roots**2).sum())
    return not (math.isfinite(most) and most <= bound)


def may_reach(path: DescentPath, target: float, first: int, last: int) -> bool:
    """The loss is at or below the target."""
    low, high = path.between(first - 1, last - 1, path.root)
    least = np.maximum(np.maximum(low, -high), 0.0)
    return path.least + float((least**2).sum()) <= target


def may_converge(path: DescentPath, tolerance: float, first: int, last: int) -> bool:
    """No param moves by more than the tolerance, as a part of the largest."""
    strides = path.between(first - 1, last - 1, path.stride)
    stride, _ = largest(path.axes, np.zeros_like(path.start), *strides)
    _, param = largest(path.axes, path.start, *path.between(first, last, path.distance, moved=True))
    return stride <= tolerance * param


def largest(
    axes: FloatArray, origin: FloatArray, one: FloatArray, other: FloatArray
) -> tuple[float, float]:
    """Between which numbers the largest entry of origin + Qx is, for all x between two: `one` and
    `other`, shape (k,)."""
    centre = origin + axes @ ((one + other) / 2)
    spread = abs(axes) @ (abs(one - other) / 2)
    return float((abs(centre) - spread).max()), float((abs(centre) + spread).max())
