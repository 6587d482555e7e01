"""Stopping rules: each looks at every step and answers with the status to stop with, or None."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from gdfit.descent.loop import Step
from gdfit.descent.settings import Settings

Rule = Callable[[Step], str | None]

COMPLETED, CONVERGED, STALLED, TARGET = "completed", "converged", "stalled", "target"
PATIENCE, INTERRUPTED, DIVERGED = "patience", "interrupted", "diverged"
BEYOND = 1e12  # times the first loss, and descent has lost its way


def diverged(bound: float) -> Rule:
    """The loss is above `bound`, or it or a param is not finite any more."""

    def rule(step: Step) -> str | None:
        finite = all(map(math.isfinite, (step.loss, *step.params.tolist())))
        return None if finite and step.loss <= bound else DIVERGED

    return rule


def target_reached(target: float) -> Rule:
    """The validation loss, or where there is none the training loss, is at or below `target`."""

    def rule(step: Step) -> str | None:
        loss = step.loss if step.validation_loss is None else step.validation_loss
        return TARGET if loss <= target else None

    return rule


def converged(tolerance: float) -> Rule:
    """No param has moved by more than `tolerance`, as a part of the largest, in the epoch."""

    def rule(step: Step) -> str | None:
        moved = np.abs(step.params - step.before).max()
        return CONVERGED if moved <= tolerance * np.abs(step.params).max() else None

    return rule


def out_of_epochs(epochs: int) -> Rule:
    """`epochs` have been run."""
    return lambda step: COMPLETED if step.epoch >= epochs else None


def rules_of(settings: Settings, bound: float, best: EarlyStopping | None) -> list[Rule]:
    """The rules to stop by, the most pressing last.

    Parameters
    ----------
    settings : say when.
    bound : the loss above which the run has diverged.
    best : watches the validation loss, where `patience` is asked for.
    """
    rules = [out_of_epochs(settings.epochs)]
    if best:
        rules.append(best)
    if settings.tol is not None:
        rules.append(converged(settings.tol))
    if settings.target_loss is not None:
        rules.append(target_reached(settings.target_loss))
    return [*rules, diverged(bound)]


def last_answer(rules: Sequence[Rule], step: Step) -> str | None:
    """The last status that one of the `rules` answers with; each of them sees the step."""
    status = None
    for rule in rules:
        status = rule(step) or status
    return status


class EarlyStopping:
    """The step with the least validation loss so far; as a rule, stops where `patience` epochs have
    brought no better one. The loss is that at the step's params before its update."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.loss = math.inf
        self.step: Step | None = None

    def __call__(self, step: Step) -> str | None:
        assert step.validation_loss is not None
        if self.step is None or step.validation_loss < self.loss:
            self.step, self.loss = step, step.validation_loss
        return PATIENCE if step.epoch - self.step.epoch >= self.patience else None


class HoverWatch:
    """Watches the loss in the last tenth of a run's `epochs`, in as many of them as tell.

    loss : gives that of all observations before a step, as that of mini-batches goes up and down
        with what is in them.
    rounding : what is below it is none.
    """

    FEWEST, MOST = 10, 100  # epochs that tell
    LEAST = 0.01  # of the level

    def __init__(self, epochs: int, loss: Callable[[Step], float], rounding: float) -> None:
        self.epochs = self.telling(epochs)
        self.loss, self.rounding = loss, rounding
        self.losses: list[float] = []

    @classmethod
    def telling(cls, epochs: int) -> range:
        """The epochs that it looks at."""
        every = max(epochs // 10 // cls.MOST, 1)
        return range(epochs - epochs // 10 + every, epochs + 1, every)

    def __call__(self, step: Step) -> None:
        if step.epoch in self.epochs:
            self.losses.append(self.loss(step))

    @property
    def swing(self) -> float:
        """By which part of its level the loss goes up and down, if it does so by more than 1 % and
        gets no less; else 0."""
        losses = np.array(self.losses)
        if len(losses) < self.FEWEST or not np.isfinite(losses).all():
            return 0.0
        level, spread, half = float(losses.mean()), float(np.ptp(losses)), len(losses) // 2
        falls = losses[:half].mean() - losses[-half:].mean()
        rises = np.count_nonzero(np.diff(losses) > 0)
        swings = spread > self.LEAST * level and level > self.rounding
        return spread / level if swings and 4 * falls < spread and 5 * rises > len(losses) else 0.0


class DivergenceWatch:
    """Watches for a loss that grows for `EPOCHS` epochs running; true once, when it has.

    Only plain gradient descent never grows where it converges, but for `rounding`. What
    `overshoots` is let go until the loss is larger than in the beginning. Where steps leap over
    epochs, the loss curves upward: once it has grown, it grows.
    """

    EPOCHS = 10

    def __init__(self, overshoots: bool, rounding: float = 0.0) -> None:
        self.overshoots = overshoots
        self.rounding = rounding
        self.first: float | None = None
        self.loss = math.inf
        self.epoch = self.epochs = 0
        self.told = False

    def __call__(self, step: Step) -> bool:
        self.first = step.loss if self.first is None else self.first
        grows = step.loss > self.loss * (1 + 1e-12) + self.rounding
        self.epochs = self.epochs + step.epoch - self.epoch if grows and self.epochs else int(grows)
        self.epoch, self.loss = step.epoch, step.loss
        grown = self.epochs >= self.EPOCHS and not (self.overshoots and step.loss <= self.first)
        first_time = grown and not self.told
        self.told |= grown
        return first_time
