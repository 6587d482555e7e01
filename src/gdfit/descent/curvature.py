"""Hessian and minimum of a loss: which learning rates are stable, and how fast they are.

The squared loss is a parabola in θ with the Hessian H = 2AᵀA/N, so that each epoch of gradient
descent multiplies the distance to the minimum by (1 − γλ) along each eigenvector of H, λ its
eigenvalue. It shrinks along all of them only if γ < 2/λmax, and fastest for γ = 2/(λmin + λmax)
(Polyak, Introduction to Optimization, 1987, §1.4; Boyd and Vandenberghe, Convex Optimization, 2004,
§9.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np

from gdfit.arrays import FloatArray, triangular
from gdfit.data.observations import SAME, Observations
from gdfit.descent.scaling import DEPENDENT
from gdfit.descent.settings import Settings
from gdfit.errors import GdfitError

# N(L − L*)/L*, at which no param is a hundredth of its standard error from the minimum.
ARRIVES = 1e-4
BLUNT = 1e-8  # of a loss, below which a difference of losses has lost half of its digits
CLOSE = 0.01  # above the least loss, as a part of it: near enough for a rate of one's own
EXACT = 1e-28  # the part of the mean of y² that is rounding
SURE = 1e-8  # the least singular value, as a part of the largest, of columns that are independent
MANY = 500  # columns from which on their decomposition takes most of the time of a fit
ENOUGH_DIGITS = 1e-10  # least squared singular value, as a part of the largest, whose axis has some
NO_MOMENTUM = 1e-12  # a momentum that is none
ENDLESS = 2.0**200  # epochs, more than anyone has time for


# By the name of an update rule with the momentum μ, the largest γλ at which it comes down on every
# parabola, and the limit of γ in symbols.
LIMITS: dict[str, tuple[Callable[[float], float], str]] = {
    "gd": (lambda mu: 2.0, "2/λmax"),
    "momentum": (lambda mu: 2 * (1 + mu), "2(1 + μ)/λmax"),
    "nesterov": (lambda mu: 2 * (1 + mu) / (1 + 2 * mu), "2(1 + μ)/((1 + 2·μ)λmax)"),
}


class Tuned(NamedTuple):
    """The learning rate and the momentum with which an update rule converges fastest on a parabola,
    and the epochs that bring it ten times nearer to the minimum."""

    best_lr: float
    best_momentum: float
    epochs_per_digit: float


@dataclass(frozen=True, eq=False)
class Curvature:
    """The Hessian of a loss at its minimum; that of the squared loss is the same everywhere.

    eigenvalues : λ of H, shape (p+1,), falling; exactly 0 along directions in which the loss does
        not change. Without an intercept there are p of them, as b stays 0.
    eigenvectors : in columns, as many, shape (p+1, ·).
    minimum : the params of the least loss, shape (p+1,); the shortest, where there are many.
    minimum_loss : the loss there.
    enough : how far above the minimum a loss is at most whose params have arrived.
    rounding : how much of a loss is rounding.
    bound : what no eigenvalue of the Hessian is above, wherever the params are.
    difference : L(θ) − L(θ*), where the loss is no parabola.
    kinks : what the loss has above its parabola, where it has kinks: see
        `gdfit.descent.lasso`.
    """

    eigenvalues: FloatArray
    eigenvectors: FloatArray
    minimum: FloatArray
    minimum_loss: float
    enough: float = 0.0
    rounding: float = 0.0
    bound: float | None = None
    difference: Callable[[FloatArray], float] | None = field(default=None, compare=False)
    kinks: Callable[[FloatArray], FloatArray] | None = field(default=None, compare=False)

    @property
    def is_parabola(self) -> bool:
        """True where the loss is a parabola, as the squared one: the Hessian is the same
        everywhere."""
        return self.difference is None

    @property
    def is_unique(self) -> bool:
        """True where there is one minimum: no column depends on others, and none is all zero. Where
        the loss has kinks, they may leave one all the same."""
        return self.kinks is not None or bool((self.eigenvalues > 0).all())

    @np.errstate(over="ignore", invalid="ignore")
    def excess(self, params: FloatArray) -> float:
        """L(θ) − L(θ*) = ½Σλd², d the distances to the minimum along the eigenvectors; as no
        difference of losses, it has all its digits. Where the loss is no parabola, this holds close
        to the minimum, where a difference has lost them."""
        distances = self.eigenvectors.T @ (params - self.minimum)
        excess = float(self.eigenvalues @ distances**2) / 2
        excess += float(self.kinks(params)) if self.kinks else 0.0
        if self.difference is None or excess <= BLUNT * abs(self.minimum_loss):
            return excess
        return max(self.difference(params), BLUNT * abs(self.minimum_loss))

    def has_arrived(self, params: FloatArray) -> bool:
        """True of params each of which is within a hundredth of its standard error."""
        return self.excess(params) <= self.enough

    def is_minimum(self, params: FloatArray) -> bool:
        """True of the params of the least loss, but for rounding."""
        return self.excess(params) <= self.rounding

    @property
    def lambda_max(self) -> float:
        """The largest eigenvalue."""
        return float(self.eigenvalues[0])

    @property
    def lambda_min(self) -> float:
        """The smallest eigenvalue that is not 0."""
        return float(self.eigenvalues[self.eigenvalues > 0][-1])

    @property
    def condition_number(self) -> float:
        """λmax/λmin."""
        return self.lambda_max / self.lambda_min

    @property
    def max_stable_lr(self) -> float:
        """2/λmax: gradient descent converges for every smaller learning rate."""
        return 2 / (self.bound or self.lambda_max)

    def limit_of(self, optimizer: str, mu: float) -> float:
        """The limit of the learning rate of an update rule with the momentum μ."""
        return LIMITS[optimizer][0](mu) / (self.bound or self.lambda_max)

    def stable_lr(self, settings: Settings) -> float | None:
        """The learning rate below which the run converges, where that is known."""
        exact = self.is_parabola and not settings.l1
        if settings.batch_size or settings.optimizer not in (LIMITS if exact else ("gd",)):
            return None
        return self.limit_of(str(settings.optimizer), settings.momentum)

    def tuned(self, optimizer: str) -> Tuned:
        """The best γ and μ of momentum (Polyak, 1987, §3.2) and of nesterov (Lessard, Recht and
        Packard, SIAM J. Optim. 26, 2016)."""
        large, small = self.lambda_max, self.lambda_min
        root = math.sqrt(self.condition_number)
        if optimizer == "momentum":
            rate = 4 / (math.sqrt(large) + math.sqrt(small)) ** 2
            mu, gained = ((root - 1) / (root + 1)) ** 2, 2 / (root + 1)
        else:
            root = math.sqrt(3 * self.condition_number + 1)
            rate, mu, gained = 4 / (3 * large + small), (root - 2) / (root + 2), 2 / root
        if mu < NO_MOMENTUM:  # λmin is λmax, but for rounding
            return Tuned(rate, 0.0, 0.0)
        return Tuned(rate, mu, math.log(10) / -math.log1p(-gained))

    @property
    def best_lr(self) -> float:
        """2/(λmin + λmax): the constant learning rate that converges fastest."""
        return 2 / (self.lambda_min + self.lambda_max)

    def epochs_per_digit(self, lr: float) -> float:
        """Epochs at `lr` that bring the params ten times nearer to the minimum; infinity if
        they don't."""
        slow, fast = lr * self.lambda_min, 2 - lr * self.lambda_max
        # An epoch multiplies the distance by 1 − min of both, in the end. At the best rate they are
        # the same, and the latter is the first to be lost in rounding.
        gained = slow if lr == self.best_lr else min(slow, fast)
        if gained <= 0:
            return math.inf
        return math.log(10) / -math.log1p(-gained) if gained < 1 - SAME else 0.0

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def epochs_to_next_digit(self, params: FloatArray, lr: float) -> float:
        """Epochs at `lr` that bring `params` ten times nearer to the minimum; infinity if they
        don't. Unlike `epochs_per_digit`, it knows in which directions the way leads."""
        distances = (self.eigenvectors.T @ (params - self.minimum))[self.eigenvalues > 0]
        shares = distances**2 / (distances @ distances)
        logs = log_factors(lr * self.eigenvalues[self.eigenvalues > 0])

        def nearer(epochs: float) -> bool:
            return bool(shares @ np.exp(2 * epochs * logs) <= 0.01)

        if not np.isfinite(shares).all() or not nearer(ENDLESS):
            return math.inf
        low, high = 0.0, ENDLESS
        while high - low > max(0.5, 1e-3 * high):
            middle = (low + high) / 2
            low, high = (low, middle) if nearer(middle) else (middle, high)
        return high


def log_factors(steps: FloatArray) -> FloatArray:
    """log |1 − γλ| for `steps` γλ, exact also for those near 0 and 2."""
    with np.errstate(divide="ignore"):  # a factor of 0 is −∞
        return np.log1p(np.where(steps < 1, -steps, steps - 2))


def curvature_of(observations: Observations, l2: float = 0.0) -> Curvature:
    """The curvature of the mean squared error (plus `l2`·‖w‖²) of `observations`.

    Eigenvalues come from the singular values of A, not from H, which would square them and lose
    half of the digits.

    Raises
    ------
    GdfitError : all of them are 0.
    """
    total = observations.total_weight
    features = len(observations.features)
    size = features + observations.intercept
    rows = penalized_rows(observations, l2)
    design, target = rows[:, :size], rows[:, -1]
    singular, axes = principal_axes(design)
    rank, minimum = rank_and_minimizer(design, target, singular)
    eigenvalues = np.zeros(size)
    eigenvalues[: len(singular)] = 2 * (singular / math.sqrt(total)) ** 2
    eigenvalues[rank:] = 0.0
    if not eigenvalues.any():
        what = "all features are 0, or too small for float64 to square"
        raise GdfitError(f"{what}, and without an intercept nothing is left to fit")
    residuals = design @ minimum - target
    if rank < size:  # the shortest of the many minima: none of it where the loss is flat
        flat = axes[rank:]
        minimum = minimum - flat.T @ (flat @ minimum)
    held = np.zeros((features + 1 - size, size))  # b, where there is no intercept
    least, rounding = float(residuals @ residuals) / total, EXACT * observations.mean_square
    # With cⱼ on the diagonal of (AᵀA)⁻¹, the excess ‖A(θ − θ*)‖²/N is at least (θⱼ − θ*ⱼ)²/(N cⱼ),
    # and the square of a standard error is at least L*cⱼ.
    return Curvature(
        eigenvalues=eigenvalues,
        eigenvectors=np.concatenate([axes.T, held]),
        minimum=np.append(minimum, held[:, 0]),
        minimum_loss=least,
        enough=max(ARRIVES * least / observations.count, rounding),
        rounding=rounding,
    )


def principal_axes(design: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The singular values of A, the largest first, and the axes that they belong to, as rows.

    Of many columns which are far from dependent, AᵀA tells the axes v in half of the time. Its
    squares have lost digits of the singular values; ‖Av‖ has not, since an error of v is squared in
    it (Parlett, The Symmetric Eigenvalue Problem, 1998, §1.4).
    """
    if len(design) >= design.shape[1] >= MANY:
        with np.errstate(over="ignore", invalid="ignore"):
            gram = design.T @ design
        if np.isfinite(gram).all():
            squares, vectors = np.linalg.eigh(gram)
            if squares[0] > ENOUGH_DIGITS * squares[-1]:
                singular = np.linalg.norm(design @ vectors, axis=0)
                order = np.argsort(-singular)
                return singular[order], vectors.T[order]
    _, singular, axes = np.linalg.svd(design, full_matrices=True)
    return singular, axes


def rank_and_minimizer(
    design: FloatArray, target: FloatArray, singular: FloatArray
) -> tuple[int, FloatArray]:
    """Rank of A, which has these singular values, and params with the least ‖Aθ − y‖.

    Both are found with columns of one length, which have the most digits. Where the columns as they
    are do not depend on each other, by far, these don't either.
    """
    size = design.shape[1]
    lengths = np.linalg.norm(design, axis=0)
    lengths[lengths == 0] = 1.0
    if len(singular) == size and singular[-1] > SURE * singular[0] and not design[size:].any():
        solution = np.linalg.solve(design[:size] / lengths, target[:size])
        return size, cast(FloatArray, solution / lengths)
    left, singular, axes = np.linalg.svd(design / lengths, full_matrices=False)
    rank = int((singular > DEPENDENT * singular[0]).sum())
    projected = left[:, :rank].T @ target / singular[:rank]
    return rank, axes[:rank].T @ projected / lengths


def penalized_rows(observations: Observations, l2: float) -> FloatArray:
    """At most p+2 rows [A y] whose squared error is that of the observations and, times their total
    weight, the penalty λ‖w‖² of `l2`."""
    features, rows = len(observations.features), observations.augmented
    if l2:
        ridge = math.sqrt(l2 * observations.total_weight) * np.eye(features, features + 2)
        rows = np.concatenate([rows, ridge])
    return triangular(rows) if len(rows) > features + 2 else rows
