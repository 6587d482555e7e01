"""Choice of the learning rate, and of the scale to descend on, where they are left to be chosen.

``auto`` is the learning rate with the least loss when the epochs are over; where that arrives in a
few of them, a smaller one that arrives as well, so that there is a descent to see. (2/(λmin + λmax)
is the best constant rate only in the limit of many epochs. On columns that are badly scaled that
limit is never reached: along the steepest direction such a rate leaps to and fro and hardly comes
down.)

The loss of gradient descent on the squared error is foretold. Along an eigenvector of the Hessian
with the eigenvalue λ, each epoch multiplies the distance d to the minimum by 1 − γλ, so that after
E epochs

    loss − minimum = ½ Σ λ d² (1 − γλ)²ᴱ.

Each term is convex in γ, and so is their sum: it falls until its slope changes sign, and that place
is found by halving. All powers are taken as logarithms, since they leave float64 soon.

For all else, rates of all sizes are tried, side by side on a sample, and the one is taken that
comes lowest. So does Bottou for stochastic gradient descent, on a thousand rows and by factors of 2
(Stochastic Gradient Tricks, in Neural Networks: Tricks of the Trade, 2012). For the squared loss of
all rows, the sample is the condensed rows, which are as good as all of them; for other losses, data
of no more rows than the sample are tried as they are. Then the trial is the run itself, and the
rate has the least loss after these epochs of all that were tried. Where the minimum is known, the
rates that are tried are about the best one for the parabola that the loss is near it.

A rate that is a number is for the features as they are, as in the lecture. Where it is ``auto``,
they are standardized, which makes most valleys round enough; where gradient descent would not
arrive so, they are whitened, unless the weights are penalized: that would be another penalty. A
model that is gone on with brings its own of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple, cast, get_args

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.batch import SAMPLE_ROWS
from gdfit.data.observations import Observations
from gdfit.descent.curvature import Curvature, curvature_of, log_factors
from gdfit.descent.losses import loss_of
from gdfit.descent.objective import DesignBlock, kept_rows, penalty_of
from gdfit.descent.optimizers import SCHEDULES, State, update_of
from gdfit.descent.scaling import Scaling, scaled, scaling_of
from gdfit.descent.settings import Scale, Settings
from gdfit.descent.start import Init, Start, start_of
from gdfit.descent.stopping import BEYOND
from gdfit.errors import GdfitError
from gdfit.model.linear import LinearModel

LOOKED_AT = 100  # epochs at most that are there to be looked at, and not to arrive
AT_ONCE = 10  # epochs at most in which there is no descent to see


class ScaledProblem(NamedTuple):
    """Scaled observations to descend on.

    scale, scaling : how the features are scaled.
    observations : the observations so scaled.
    start : where the params start.
    curvature : of the loss with the penalty, where its minimum is known; else of the squared error.
    is_known : whether it is known.
    """

    scale: Scale
    scaling: Scaling | None
    observations: Observations
    start: Start
    curvature: Curvature
    is_known: bool


def choose_scale(observations: Observations, settings: Settings, init: Init) -> ScaledProblem:
    """The problem with the scale that the settings ask for, or else with the one to choose."""

    bends = loss_of(settings).second is not None

    def problem(scale: Scale, before: ScaledProblem | None = None) -> ScaledProblem:
        scaling = scaling_of(observations, scale)
        on = scaled(observations, scaling)
        start = start_of(init, observations, settings, scaling)
        smooth, near, known = curvature_of(on, settings.l2), np.zeros(len(start.params)), None
        if before:
            near = rescaled(before.curvature.minimum, before.scaling, scaling)
        if before is None or before.is_known:
            known = with_minimum(smooth, on, settings, near)
        return ScaledProblem(scale, scaling, on, start, known or smooth, known is not None)

    if settings.scale or settings.lr != "auto":
        scale = settings.scale or "none"
        # On columns as they are, Newton's method would lose digits on the way.
        return problem(scale, problem("whiten") if bends and scale == "none" else None)
    before = init.facts.get("scale") if isinstance(init, LinearModel) else None
    if before in get_args(Scale):
        as_before = problem(cast(Scale, before))
        if as_before.start.rate:
            return as_before
    plain = problem("standardize")
    if settings.is_penalized:  # a penalty on whitened weights would be another one
        return plain
    excess = excess_of(plain.curvature, plain.start.params)
    arrives = excess.arrives_within(max(settings.epochs, LOOKED_AT))
    return plain if arrives else problem("whiten", plain)


def with_minimum(
    smooth: Curvature, observations: Observations, settings: Settings, near: FloatArray
) -> Curvature | None:
    """The curvature of the loss that the settings ask for, with its minimum, from that of the
    squared error; None where the minimum is not known. A search for it begins at `near`."""
    if settings.is_squared and not settings.l1:
        return smooth
    if settings.is_squared:
        from gdfit.descent.lasso import with_l1

        return with_l1(smooth, observations, settings.l1, settings.l2)
    if loss_of(settings).second is None:
        return None
    from gdfit.descent.newton import curvature_at_minimum

    return curvature_at_minimum(observations, settings, near)


@np.errstate(over="ignore", invalid="ignore")
def rescaled(params: FloatArray, scaling: Scaling | None, to: Scaling | None) -> FloatArray:
    """Params on one scale as they are on another."""
    params = scaling.to_data(params) if scaling else params
    return to.from_data(params) if to else params


def choose_rate(problem: ScaledProblem, settings: Settings) -> float:
    """The learning rate that the settings ask for, or else the one to choose.

    Raises
    ------
    GdfitError : λmax is beyond float64, and with it every rate.
    """
    start = problem.start
    if settings.lr != "auto":
        return settings.lr
    if start.rate:
        return start.rate
    if settings.finds_rate:
        return math.nan
    if not math.isfinite(problem.curvature.lambda_max):
        what = "the numbers are too large for float64: λmax is infinite"
        raise GdfitError(f"{what}; `scale` standardize takes numbers of any size")
    if settings.is_plain:
        excess = excess_of(problem.curvature, start.params)
        # With a tolerance, a run of small steps would end far from the minimum.
        choose = excess.rate_to_see if settings.tol is None else excess.best_rate
        return float(choose(settings.epochs))
    observations, weights = problem.observations, problem.observations.sample_weights
    if loss_of(settings).has_classes and observations.count > SAMPLE_ROWS:
        sample, weights = sample_of_classes(observations)
    else:
        one = float(observations.intercept)
        sample = np.insert(observations.sample[-SAMPLE_ROWS:], -1, one, axis=1)
        weights = None if weights is None else weights[-len(sample) :]
        if problem.scaling:
            sample = problem.scaling.apply(sample)
    span = None
    if problem.is_known and settings.is_steady:
        near = float(excess_of(problem.curvature, start.params).best_rate(settings.epochs))
        span = min(near, problem.curvature.max_stable_lr) / 4, 4 * near
    rate = tried_rate(observations, sample, start.params, settings, weights, span)
    if not math.isfinite(rate):
        what = "the slopes of the loss are too small for float64: no learning rate is large enough"
        raise GdfitError(f"{what}; multiply the target, or `huber_delta`, by a power of ten")
    return rate


def sample_of_classes(observations: Observations) -> tuple[FloatArray, FloatArray]:
    """Every so many of the rows of each class, about as many of both, and what each stands for:
    so that a rare class is there, too."""
    place, blocks = len(observations.features) + 1, kept_rows(observations).blocks
    counts = sum(np.bincount(rows[:, place].astype(int), minlength=2) for rows in blocks())
    every = np.maximum(counts // (SAMPLE_ROWS // 2), 1)
    chosen, weights, seen = [], [], np.zeros(2, int)
    for rows in blocks():
        for one in (0, 1):
            (there,) = np.nonzero(rows[:, place] == one)
            taken = rows[there[(seen[one] + np.arange(len(there))) % every[one] == 0]]
            own = taken[:, -1] if observations.weight is not None else 1.0
            chosen.append(taken[:, : place + 1])
            weights.append(every[one] * own * np.ones(len(taken)))
            seen[one] += len(there)
    return np.concatenate(chosen), np.concatenate(weights)


def rate_by_epoch(
    rate: float | FloatArray, settings: Settings, done: int = 0
) -> Callable[[int], FloatArray]:
    """The learning rate of each epoch, by its number from 1 on: γ times the schedule's factor.

    rate : γ, or one for each of several runs side by side.
    done : how many epochs have been run before, which count: the schedule ends with the run.
    """
    constant, schedule = np.array(rate), SCHEDULES[settings.schedule]
    if settings.schedule == "constant":
        return lambda epoch: constant
    last, decay = done + settings.epochs, settings.falls_by
    return lambda epoch: np.asarray(constant * schedule(epoch, last, decay))


class Excess(NamedTuple):
    """What the loss at a start is above its minimum, along each eigenvector of the Hessian; or
    those of several descents side by side.

    eigenvalues : λ, shape (…, k).
    logarithms : log ½λd², d the distance to the minimum; −∞ where an eigenvector plays no part.
    enough : how much of it is left at most where descent has arrived, shape (…).
    """

    eigenvalues: FloatArray
    logarithms: FloatArray
    enough: FloatArray

    @classmethod
    def of(
        cls, eigenvalues: FloatArray, distances: FloatArray, size: FloatArray, enough: FloatArray
    ) -> Excess:
        """That of a start with these `distances` to the minimum, shape (…, k).

        Rounding moves the params by ε of their `size`, so that none is nearer to the minimum than
        that: at rates above 2/λmax this grows like everything else.
        """
        rounding = np.finfo(np.float64).eps * size[..., np.newaxis]
        with np.errstate(divide="ignore"):
            far = np.log(np.maximum(np.abs(distances), rounding))
            return cls(eigenvalues, np.log(eigenvalues / 2) + 2 * far, enough)

    def after(self, rate: FloatArray, epochs: int) -> FloatArray:
        """½ Σ λd²(1 − γλ)²ᴱ; infinity where that leaves float64."""
        factors = 2 * epochs * log_factors(rate[..., np.newaxis] * self.eigenvalues)
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(log_sum(self.logarithms + factors)))

    def extremes(self, which: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
        """The least and the largest eigenvalue of some directions; ∞ and 0 of none."""
        least = np.where(which, self.eigenvalues, np.inf).min(axis=-1, initial=np.inf)
        return least, np.where(which, self.eigenvalues, 0.0).max(axis=-1, initial=0.0)

    def best_rate(self, epochs: int) -> FloatArray:
        """The constant learning rate of gradient descent with the least loss after `epochs` epochs;
        where any stays at the minimum, 2/(λmin + λmax).

        One epoch is an exact line search (Cauchy, 1847); for many, the rate goes to 2/(λmin + λmax)
        of the directions in which the start is away from the minimum. It can be above 2/λmax where
        the epochs are too few for what grows to matter.
        """
        least, most = self.extremes(np.isfinite(self.logarithms))
        slow, fast = self.extremes(self.eigenvalues > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = self.logarithms + np.log(self.eigenvalues)
            low, high = np.where(most > 0, 1 / most, 2 / (slow + fast)), 1 / least
        while True:
            middle = np.sqrt(low) * np.sqrt(high)
            between = (low < middle) & (middle < high)
            if not between.any():
                return low
            # The slope of the loss over γ is −Σ λ²d²E(1 − γλ)²ᴱ⁻¹.
            steps = middle[..., np.newaxis] * self.eigenvalues
            slopes = weights + (2 * epochs - 1) * log_factors(steps)
            short = steps < 1  # of the minimum; the others step beyond it
            down, up = (log_sum(np.where(side, slopes, -np.inf)) for side in (short, ~short))
            low = np.where(between & (down > up), middle, low)
            high = np.where(between & (down <= up), middle, high)

    def arrives_within(self, epochs: int) -> NDArray[np.bool_]:
        """True where the best rate leads near enough to the minimum within so many epochs."""
        return ~(self.after(self.best_rate(epochs), epochs) > self.enough)

    def rate_to_see(self, epochs: int) -> FloatArray:
        """The best rate; but where that arrives at once, the smallest that arrives within a tenth
        of the epochs, so that there is a descent to see, and in the end no other loss."""
        best, soon = self.best_rate(epochs), epochs // 10
        if not soon:
            return best
        low, high = np.zeros(best.shape), self.best_rate(soon)
        chosen = self.arrives_within(min(epochs, AT_ONCE)) & (self.after(low, 0) > self.enough)
        chosen &= self.after(high, soon) <= self.enough
        while (chosen & (high - low > 1e-3 * high)).any():
            middle = (low + high) / 2
            arrives, wide = self.after(middle, soon) <= self.enough, high - low > 1e-3 * high
            low = np.where(wide & ~arrives, middle, low)
            high = np.where(wide & arrives, middle, high)
        return np.where(chosen, high, best)


def excess_of(curvature: Curvature, start: FloatArray) -> Excess:
    """What a squared loss with this curvature is above its minimum at the params `start`, shape
    (p+1,)."""
    distances = curvature.eigenvectors.T @ (start - curvature.minimum)
    size = max(np.linalg.norm(start), np.linalg.norm(curvature.minimum))
    enough = np.array(curvature.enough)
    return Excess.of(curvature.eigenvalues, distances, np.array(size), enough)


def log_sum(logarithms: FloatArray) -> FloatArray:
    """Logarithm of the sum of what has these `logarithms`, along the last axis."""
    return np.asarray(np.logaddexp.reduce(logarithms, axis=-1, initial=-np.inf))


TRYING = 7  # the trials' own stream of random numbers
TRIAL_UPDATES = 5000  # of a trial at most: a rate that is good by then stays so
FINER = 1.6  # rates by factors of this, where it is known between which to try
CLIMBS = 2.0  # times the first loss: what climbs there is no descent
AS_GOOD = 1e-9  # losses that differ by no more than this part are as good as each other


def tried_rate(
    observations: Observations,
    sample: FloatArray,
    start: FloatArray,
    settings: Settings,
    weights: FloatArray | None = None,
    span: tuple[float, float] | None = None,
) -> float:
    """The learning rate that comes lowest: of rates by factors of 4, from far too small to far too
    large, and then of finer ones around the best.

    Parameters
    ----------
    observations : what is to be descended on, scaled as it will be.
    sample : rows of it, scaled alike, at most some thousand: the features, a one, y.
    start : θ₀, shape (p+1,).
    settings : what is to be run, but for its `lr`.
    weights : what each of these rows stands for, shape (n,).
    span : the least and the largest rate that may be the best, where they are known.
    """
    per_epoch = math.ceil(observations.count / (settings.batch_size or observations.count))
    updates = min(settings.epochs * per_epoch, TRIAL_UPDATES)
    rows, total, column = observations.augmented, observations.total_weight, None
    if settings.needs_rows:
        rows, total = sample, float(len(sample) if weights is None else weights.sum())
        column = None if weights is None else weights[:, np.newaxis]
    tried = DesignBlock(rows[:, :-1], rows[:, -1:], total, column)
    trial = Trial(tried, start, settings, per_epoch)
    with np.errstate(all="ignore"):  # many of them diverge
        if span:
            count = math.ceil(math.log(span[1] / span[0]) / math.log(FINER))
            return trial.best_of(np.geomspace(*span, 1 + count), updates)
        best = trial.best_of(trial.unit() * np.geomspace(4.0**-26, 4.0**2, 29), updates)
        return trial.best_of(best * np.geomspace(4.0**-1, 4.0**1, 15), updates)


def length(column: FloatArray) -> float:
    """Euclidean length of numbers of any size: their squares may leave float64."""
    return math.hypot(*column.ravel().tolist())


class Trial(NamedTuple):
    """Runs at many learning rates at once: θ is a matrix with a column for each, of which loss,
    gradient and update rule take no notice.

    rows : to try on, their target and their weights as columns, shape (n, 1).
    start : θ₀, shape (p+1,).
    settings : the loss, its penalty, the update rule, the batches.
    updates_per_epoch : how many the run makes that is tried.
    """

    rows: DesignBlock
    start: FloatArray
    settings: Settings
    updates_per_epoch: int = 1

    def best_of(self, rates: FloatArray, updates: int) -> float:
        """The rate with the least loss in the end; of several that are as good, the one in the
        middle."""
        losses = self.losses_after(rates, updates)
        first = abs(self.losses(self.start[:, np.newaxis])[0])
        least, rounding = losses.min(), 1e-14 * first if np.isfinite(first) else 0.0
        good = np.flatnonzero(losses <= least + AS_GOOD * abs(least) + rounding)
        return float(rates[good[len(good) // 2]])

    def losses_after(self, rates: FloatArray, updates: int) -> FloatArray:
        """The loss after `updates` updates at each of the `rates`; infinity where it diverged."""
        params = np.repeat(self.start[:, np.newaxis], len(rates), axis=1)
        # A schedule runs its whole course also where a trial has fewer epochs.
        short = replace(self.settings, epochs=math.ceil(updates / self.updates_per_epoch))
        update, rate = update_of(self.settings), rate_by_epoch(rates, short)
        state: State = {}
        # A rate that falls can come down from any height, between two looks at it, too.
        most = CLIMBS if self.settings.schedule != "constant" else BEYOND
        bound = most * self.losses(self.start[:, np.newaxis])
        climbed = np.zeros(len(rates), bool)
        for number, batch in enumerate(islice(self.batches(), updates)):
            gamma = rate(1 + number // self.updates_per_epoch)
            params, state = update(params, self.gradients(params, batch), state, gamma)
            if number % (updates // LOOKED_AT + 1) == 0:  # the run would end there
                climbed |= ~(self.losses(params) <= bound)
        losses = np.where(climbed, np.inf, self.losses(params))
        return np.where(np.isfinite(losses), losses, np.inf)

    def unit(self) -> float:
        """A rate of the order of good ones, where features are scaled: its first update moves the
        params by as much as the predictions are wrong."""
        params, (design, target, total, weights) = self.start[:, np.newaxis], self.rows
        residuals = design @ params - target
        if weights is not None:
            residuals = np.sqrt(weights) * residuals
        wrong = length(residuals) / math.sqrt(total)
        gradient = self.gradients(params, self.part(self.rows, slice(None)))
        update = update_of(replace(self.settings, l1=0.0))
        moved = length(update(params, gradient, {}, np.array(1.0))[0] - params)
        return wrong / moved if wrong > 0 and moved > 0 else 1.0

    def batches(self) -> Iterator[DesignBlock]:
        """All rows again and again, or mini-batches of them in a new random order each time."""
        random = np.random.default_rng([self.settings.seed, TRYING])
        count = len(self.rows.target)
        size = self.settings.batch_size or count
        while True:
            order = random.permutation(count) if size < count else slice(None)
            shuffled = self.part(self.rows, order)
            for start in range(0, count, size):
                yield self.part(shuffled, slice(start, start + size))

    def part(self, rows: DesignBlock, which: Any) -> DesignBlock:
        """Some of the `rows`, and of the total what falls to so many."""
        target = rows.target[which]
        total = len(target) * self.rows.total / len(self.rows.target)
        weights = None if rows.weights is None else rows.weights[which]
        return DesignBlock(rows.design[which], target, total, weights)

    def losses(self, params: FloatArray) -> FloatArray:
        """The loss, with the penalty, of each column of `params`."""
        design, target, total, weights = self.rows
        values = loss_of(self.settings).value(design @ params, target)
        if weights is not None:
            values = weights * values
        return np.asarray(values.sum(axis=0) / total + penalty_of(self.settings, params))

    def gradients(self, params: FloatArray, batch: DesignBlock) -> FloatArray:
        """The gradient on a batch of the rows, column by column."""
        design, target, total, weights = batch
        slopes = loss_of(self.settings).derivative(design @ params, target)
        gradients = design.T @ (slopes if weights is None else weights * slopes) / total
        gradients[:-1] += 2 * self.settings.l2 * params[:-1]
        return gradients
