"""What ``--lr auto`` means where no formula foretells the loss: the rate that does best in a trial.

Rates of all sizes descend side by side on a sample, and the one is taken that comes lowest. So does
Bottou for stochastic gradient descent, on a thousand rows and by factors of 2 (Stochastic Gradient
Tricks, in Neural Networks: Tricks of the Trade, 2012). For the squared loss of all rows, the sample
is the condensed rows, which are as good as all of them; for other losses, data of no more rows than
the sample are tried as they are. Then the trial is the run itself, and the rate has the least loss
after these epochs of all that were tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.objectives import loss_of
from gdfit.descent.optimizers import OPTIMIZERS, Rate, State, Update
from gdfit.descent.settings import Settings

TRYING = 7  # the trials' own stream of random numbers
UPDATES = 5000  # of a trial at most: a rate that is good by then stays so
SAME = 1e-9  # losses that differ by no more than this part are as good as each other


def tried_rate(
    observations: Observations, sample: FloatArray, start: FloatArray, settings: Settings
) -> float:
    """The learning rate that comes lowest: of rates by factors of 4, from far too small to far too
    large, and then of finer ones around the best.

    Parameters
    ----------
    observations : what is to be descended on, scaled as it will be.
    sample : rows of it, scaled alike, at most some thousand: the features, a one, y.
    start : θ₀, shape (p+1,).
    settings : what is to be run, but for its `lr`.
    """
    whole = settings.batch_size or observations.count
    updates = min(settings.epochs * math.ceil(observations.count / whole), UPDATES)
    rows, total, weights = observations.augmented, observations.total_weight, None
    if settings.needs_rows:
        rows, total, weights = sample, len(sample), observations.sample_weights
    if weights is not None:
        weights = weights[-len(sample) :, np.newaxis]
        total = float(weights.sum())
    trial = Trial(rows[:, :-1], rows[:, -1:], total, start, settings, weights)
    with np.errstate(all="ignore"):  # many of them diverge
        best = trial.best_of(trial.unit() * powers_of_4(-26, 2, 29), updates)
        return trial.best_of(best * powers_of_4(-1, 1, 15), updates)


def length(column: FloatArray) -> float:
    """The length of a column of numbers of any size: their squares may leave float64."""
    return math.hypot(*column.ravel().tolist())


def powers_of_4(first: int, last: int, count: int) -> FloatArray:
    """From 4^first to 4^last, evenly in the exponent."""
    return np.geomspace(4.0**first, 4.0**last, count)


@dataclass(frozen=True)
class Trial:
    """Descends at many learning rates at once: θ is a matrix with a column for each, of which loss,
    gradient and update rule take no notice.

    design, target : the rows to try on, shapes (n, p+1) and (n, 1).
    total : what sums over the rows are divided by: how many observations they stand for, or the sum
        of their weights.
    start : θ₀, shape (p+1,).
    settings : the loss, its penalty, the update rule, the batches.
    weights : of the rows, shape (n, 1), where they have some.
    """

    design: FloatArray
    target: FloatArray
    total: float
    start: FloatArray
    settings: Settings
    weights: FloatArray | None = None

    def best_of(self, rates: FloatArray, updates: int) -> float:
        """The rate with the least loss in the end; of several that are as good, the one in the
        middle."""
        losses = self.losses_after(rates, updates)
        rounding = 1e-14 * self.losses(self.start[:, np.newaxis])[0]
        good = np.flatnonzero(losses <= (1 + SAME) * losses.min() + rounding)
        return float(rates[good[len(good) // 2]])

    def losses_after(self, rates: FloatArray, updates: int) -> FloatArray:
        """The loss after `updates` updates at each of the `rates`; infinity where it diverged."""
        params = np.repeat(self.start[:, np.newaxis], len(rates), axis=1)
        update = self.update_rule(rates)
        state: State = {}
        for batch in islice(self.batches(), updates):
            params, state = update(params, self.gradients(params, *batch), state)
        losses = self.losses(params)
        return np.where(np.isfinite(losses), losses, np.inf)

    def unit(self) -> float:
        """A rate of the order of good ones, where features are scaled: its first update moves the
        params by as much as the predictions are wrong."""
        params = self.start[:, np.newaxis]
        residuals = self.design @ params - self.target
        if self.weights is not None:
            residuals = np.sqrt(self.weights) * residuals
        wrong = length(residuals) / math.sqrt(self.total)
        gradient = self.gradients(params, self.design, self.target, self.weights)
        moved = length(self.update_rule(1.0)(params, gradient, {})[0] - params)
        return wrong / moved if wrong > 0 and moved > 0 else 1.0

    def update_rule(self, rates: Rate) -> Update:
        """The settings' update rule, with a rate for each column."""
        settings = self.settings
        return OPTIMIZERS[settings.optimizer](rates, settings.momentum, settings.betas)

    def batches(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray | None]]:
        """All rows again and again, or mini-batches of them in a new random order each time."""
        random = np.random.default_rng([self.settings.seed, TRYING])
        rows = len(self.target)
        size = self.settings.batch_size or rows
        while True:
            order = random.permutation(rows) if size < rows else slice(None)
            design, target = self.design[order], self.target[order]
            weights = None if self.weights is None else self.weights[order]
            for start in range(0, rows, size):
                part = slice(start, start + size)
                yield design[part], target[part], None if weights is None else weights[part]

    def losses(self, params: FloatArray) -> FloatArray:
        """The loss, with the penalty, of each column of `params`."""
        values = loss_of(self.settings).value(self.design @ params - self.target)
        if self.weights is not None:
            values = self.weights * values
        losses = np.asarray(values.sum(axis=0) / self.total)
        if self.settings.l2:  # 0 times what is beyond float64 is not 0
            losses += self.settings.l2 * (params[:-1] ** 2).sum(axis=0)
        return losses

    def gradients(
        self,
        params: FloatArray,
        design: FloatArray,
        target: FloatArray,
        weights: FloatArray | None,
    ) -> FloatArray:
        """The gradient on a batch of the rows, column by column."""
        total = len(target) * self.total / len(self.target)
        slopes = loss_of(self.settings).derivative(design @ params - target)
        gradients = design.T @ (slopes if weights is None else weights * slopes) / total
        gradients[:-1] += 2 * self.settings.l2 * params[:-1]
        return gradients
