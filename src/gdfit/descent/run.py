"""A run of gradient descent, step by step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, Unpack, cast

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.in_memory import DataOptions, with_validation
from gdfit.data.observations import SAME, Observations, check_alike
from gdfit.descent import stopping
from gdfit.descent.closed_form import DescentPath, last_epoch, leap
from gdfit.descent.curvature import EXACT
from gdfit.descent.learning_rate import choose_rate, choose_scale, rate_by_epoch
from gdfit.descent.least_squares import precision_of_squares, sharpened
from gdfit.descent.loop import Step, descend
from gdfit.descent.losses import loss_of
from gdfit.descent.objective import (
    Objective,
    bend_of,
    check_descended,
    check_target,
    design_blocks,
    mean_loss,
    objectives_of,
    penalty_of,
    whole_objective,
)
from gdfit.descent.optimizers import update_of
from gdfit.descent.outcome import Fit, as_shown
from gdfit.descent.scaling import scaling_facts
from gdfit.descent.settings import Settings, SettingsOptions, check_changed
from gdfit.descent.start import Init, signature
from gdfit.errors import GdfitError, UsageError, warn
from gdfit.model.intervals import MOST_PRECISE, Precision
from gdfit.model.linear import LinearModel
from gdfit.package import Displayed, __version__


def as_taken(how: DataOptions, x: Any, *runs: Settings) -> DataOptions:
    """`how` observations are made of x, with a target of classes where the loss of a run takes
    one."""
    if isinstance(x, Observations) or not any(loss_of(run).has_classes for run in runs):
        return how
    return {**how, "classes": True}


def rounding_of(run: Run | Fit) -> float:
    """The loss that is 0 but for rounding."""
    with np.errstate(over="ignore"):
        squared = EXACT * run.observations.mean_square
    return math.sqrt(squared) if run.settings.loss == "mae" else squared


# What a fit has of its run:
SHARED = ("observations", "validation", "curvature", "scaling", "settings", "asked")
SHORT = (
    "the run has not arrived at the minimum: some param is not within a hundredth of its standard "
    "error; more `epochs` or another `scale` bring it nearer"
)
NOISE = 2.0  # times the first loss is what may come out without having diverged, where it swings


class Run(Displayed):
    """Gradient descent on `observations`, a step at a time: iterate over its steps, the last of
    which says why it is the last; `fit` is what it has come to. For the arguments see `train`.

    asked : what was asked for.
    settings : what it is run with: a learning rate and a scale have been chosen.
    scaling, curvature : as in `Fit`.
    start : θ₀ as it is descended on, and what the update rule remembers.
    rate : gives the learning rate of an epoch by its number.
    shown : the epochs to leap to, with `leap`.
    last : the step that was made last.
    stopped : set it, and the next step is the last: interrupted.
    """

    def __init__(
        self,
        observations: Any,
        y: Any = None,
        *,
        init: Init | Fit = "zeros",
        validation: Any = None,
        shown: Iterable[int] | None = None,
        settings: Settings | None = None,
        **options: Unpack[Options],
    ) -> None:
        validated = validation is not None
        how, settings = chosen(options, observations, settings, validated=validated)
        init = init.model if isinstance(init, Fit) else init
        if how.get("by") is not None:
            raise UsageError("`by` is for train_groups, which fits each group by itself")
        if shown and not settings.leap:
            raise UsageError("`shown` has no effect here: it goes with `leap`")
        self.loss = loss_of(settings)
        observations, validation = with_validation(
            observations, y, validation, settings.seed, **how
        )
        if validation is not None:
            check_alike(observations, validation)
        check_target(observations, settings)
        self.asked, self.observations, self.validation = settings, observations, validation
        self.shown = shown
        if settings.batch_size and settings.batch_size >= observations.count:
            settings = replace(settings, batch_size=None)  # which is the same, and foretold
        with np.errstate(over="ignore", invalid="ignore"):  # told of as what it comes to
            problem = choose_scale(observations, settings, init)
        self.scaling, self.start = problem.scaling, problem.start
        self.descended = problem.observations
        self.curvature = problem.curvature if problem.is_known else None
        if self.curvature and not (self.asked.needs_rows or settings.is_penalized):
            self.curvature = sharpened(self.curvature, observations)
        check_descended(settings, self.descended, self.start.params)  # not in the first epoch
        with np.errstate(over="ignore", invalid="ignore"):
            lr = choose_rate(problem, settings)
        self.settings = replace(settings, lr=lr, scale=problem.scale)
        self.rate = rate_by_epoch(lr, settings, self.start.epochs)
        self.best = stopping.EarlyStopping(settings.patience) if settings.patience else None
        self.last: Step | None = None
        self.stopped = False

    def __repr__(self) -> str:
        settings, made = self.settings, self.last.epoch if self.last else 0
        rate = settings.optimizer if settings.finds_rate else f"lr {settings.lr:.5g}"
        chosen = f"{rate}, scale {settings.scale}"
        return f"<Run: {made} of {settings.epochs} epochs, {chosen}, of {self.observations}>"

    @cached_property
    def objective(self) -> Objective:
        """The loss of all observations. It may hold a scaled copy of them: a run that waits for its
        turn has none yet."""
        return whole_objective(self.descended, self.settings)

    @np.errstate(over="ignore", invalid="ignore")
    def loss_at(self, params: FloatArray) -> float:
        """The loss of all observations at params as they are descended on."""
        return self.objective(params)[0]

    def whole_loss(self, step: Step) -> float:
        """The loss of all observations before a step, also where this is of mini-batches."""
        return self.loss_at(step.before) if self.settings.batch_size else step.loss

    def in_data(self, params: FloatArray) -> FloatArray:
        """Params as they are descended on, for the data's own units."""
        return self.scaling.to_data(params) if self.scaling else params

    def as_shown(self, step: Step) -> Step:
        """A step of the run as it is shown."""
        return as_shown(step, self.scaling, self.start.epochs)

    def validation_loss(self, params: FloatArray) -> float:
        """The loss on the validation set at params as they are descended on."""
        assert self.validation is not None
        return mean_loss(self.validation, self.settings, self.in_data(params))

    def __iter__(self) -> Iterator[Step]:
        settings, start = self.settings, self.start
        before = start.first_loss
        self.first_loss = self.loss_at(start.params) if before is None else before
        at_zero = self.loss_at(np.zeros_like(start.params))
        bound = max(stopping.BEYOND * self.first_loss, at_zero)
        measure = self.validation_loss if self.validation else None
        if settings.leap:
            assert self.curvature
            path = DescentPath(self.descended, self.curvature, settings, start.params, start.state)
            steps = leap(path, self.shown, last_epoch(path, settings, bound), measure)
            rules = []
        else:
            batches = objectives_of(self.objective, self.descended, settings)
            update, rate = update_of(settings, bend_of(self.descended, settings)), self.rate
            steps = descend(batches, start.params, update, start.state, rate, measure, start.epochs)
            rules = stopping.rules_of(settings, bound, self.best)
        for step in steps:
            status = step.status or stopping.last_answer(rules, step)
            if self.stopped and not status:
                status = stopping.INTERRUPTED
            if status:
                step = step._replace(status=self.judged(status, step))
            self.last = step
            yield step
            if status:
                return

    def judged(self, status: str, step: Step) -> str:
        """`status` in the light of what the run has come to: a loss that has grown all in all has
        diverged, and one that has converged and not arrived has stalled."""
        if status not in (stopping.COMPLETED, stopping.CONVERGED, stopping.PATIENCE):
            return status
        noisy = 1.0 if self.settings.is_whole and self.curvature else NOISE
        final = self.final(step)[0]
        with np.errstate(over="ignore", invalid="ignore"):
            loss, _ = self.objective(final)
            is_finite = np.isfinite(self.in_data(final)).all()
        if not is_finite or not loss <= noisy * self.first_loss * (1 + 1e-9) + rounding_of(self):
            return stopping.DIVERGED
        converged, curvature = status == stopping.CONVERGED, self.curvature
        if converged and curvature and not curvature.has_arrived(final):
            return stopping.STALLED
        return status

    def final(self, last: Step) -> tuple[FloatArray, int]:
        """The params that the run leads to, and after which epoch they were."""
        best = self.best
        if best is None or best.step is None or last.status == stopping.DIVERGED:
            return last.params, last.epoch
        if self.validation_loss(last.params) < best.loss:
            return last.params, last.epoch
        return best.step.before, best.step.epoch - 1

    def fit(self, history: Sequence[Step] = ()) -> Fit:
        """The result of the run so far; `history` are the steps to keep with it."""
        last, data = self.last, self.observations
        settings, curvature = self.settings, self.curvature
        if last is None:
            raise GdfitError("the run has made no step yet: iterate over it first")
        with np.errstate(over="ignore", invalid="ignore"):
            descended, epoch = self.final(last)
            params = self.in_data(descended)
            results: dict[str, Any] = {
                "loss": self.objective(descended)[0],
                "validation_loss": self.validation_loss(descended) if self.validation else None,
                "r_squared": data.r_squared(params) if self.loss.link == "identity" else math.nan,
                "epochs": last.epoch,
                "best_epoch": epoch,
                "status": last.status or stopping.INTERRUPTED,  # who iterates has broken off
            }
            unpenalized = results["loss"] - float(penalty_of(settings, descended))
        least = self.least_losses[0] if self.least_losses else None
        has_diverged = results["status"] == stopping.DIVERGED
        arrived = not has_diverged and curvature.has_arrived(descended) if curvature else None
        facts = {
            **results,
            "best_epoch": self.start.epochs + epoch,  # counted as in the history
            "minimum_loss": curvature.minimum_loss if curvature else least,
            "cv": None,
            "arrived": arrived,
            "max_stable_lr": curvature.stable_lr(settings) if curvature else None,
            **settings.facts,
            **self.quality(params, unpenalized),
            **scaling_facts(self.scaling),
            "precision": self.precision.record if self.precision else None,
            "penalty_scale": settings.scale,
            "nonzero": int(np.count_nonzero(params[:-1])),
            "intercept": data.intercept,
            "weights": data.weights_name,
            "spellings": {column: spelling.record for column, spelling in data.spellings},
            "observations": data.count,
            "validation_observations": self.validation.count if self.validation else 0,
            "version": __version__,
        }
        if epoch == last.epoch:
            facts["state"] = self.start.after(last, self.first_loss, signature(data, self.scaling))
        *w, b = params.tolist()
        return Fit(
            LinearModel(tuple(w), b, data.features, data.target_name, data.expansion, facts),
            **results,
            history=tuple(history),
            start=self.start.params,
            params=descended,
            start_state=self.start,
            **{name: getattr(self, name) for name in SHARED},
        )

    @cached_property
    def precision(self) -> Precision | None:
        """How well the params of the least loss are known, where it has no penalty."""
        if self.settings.is_penalized or self.curvature is None:
            return None
        if len(self.observations.features) > MOST_PRECISE:
            return None
        with suppress(GdfitError):  # where float64 can't tell them
            if self.settings.is_squared:
                return precision_of_squares(self.observations)
            from gdfit.descent.newton import precision_of_likelihood

            least = self.in_data(self.curvature.minimum)
            return precision_of_likelihood(self.observations, self.settings.loss, least)
        return None

    @cached_property
    def is_separable(self) -> bool:
        """Whether a plane separates the classes, where there are two."""
        if not self.settings.is_penalized:
            return self.curvature is None
        from gdfit.descent.newton import curvature_at_minimum

        alone = replace(self.settings, l2=0.0, l1=0.0)
        return curvature_at_minimum(self.descended, alone, np.zeros_like(self.start.params)) is None

    @cached_property
    def least_losses(self) -> tuple[float, float] | None:
        """The least loss of a run without a curvature, and the least of a constant alone, where
        they are known."""
        if self.curvature:
            return None
        from gdfit.descent.quantiles import quantile_minimum

        return quantile_minimum(self.observations, self.settings)

    def quality(self, params: FloatArray, loss: float) -> dict[str, object]:
        """What a model's file says of its quality, where R² does not: how classes are told apart at
        `params`, where the loss without a penalty is so large; or which part of the loss of a
        constant is gone (R¹ of Koenker and Machado, J. Am. Stat. Assoc. 94, 1999)."""
        data, link = self.observations, self.loss.link
        if self.settings.loss == "quantile" and self.least_losses:
            constant = self.least_losses[1]
            return {"pseudo_r_squared": part_gone(loss, constant)}
        if not self.loss.has_classes:
            return {} if link == "identity" else {"link": link}
        from gdfit.data.terms.levels import Classes
        from gdfit.model.classification import Confusion, confusion_of

        classes, confusion = data.classes or Classes(0, 1), Confusion()
        for design, target, _, weights in design_blocks(data, self.settings):
            confusion = confusion.merged(confusion_of(design.dot(params) > 0, target, weights))
        null = confusion.entropy if data.intercept else math.log(2)
        return {
            "link": link,
            "positive": classes.names[1],
            "negative": classes.names[0],
            "classes": [*classes],
            "accuracy": confusion.accuracy,
            "baseline_accuracy": max(confusion.shares),
            "pseudo_r_squared": part_gone(loss, null),
            "separable": self.is_separable,
        }


def part_gone(loss: float, null: float) -> float:
    """Which part of a loss is gone; 0 where that is rounding, NaN where there was none."""
    part = 1 - loss / null if null else math.nan
    return 0.0 if abs(part) < SAME else part


class Options(SettingsOptions, DataOptions):
    """Settings, and what `observations_from` takes."""


class TrainArguments(Options, total=False):
    """The keyword arguments of `train`."""

    init: Init | Fit
    validation: Any
    shown: Iterable[int] | None
    settings: Settings | None


def parted(options: Mapping[str, Any]) -> tuple[DataOptions, dict[str, Any]]:
    """The options that say how observations are made, and the settings."""
    how = {name: options[name] for name in options if name in DataOptions.__optional_keys__}
    return cast(DataOptions, how), {name: options[name] for name in options if name not in how}


def chosen(
    options: Mapping[str, Any], x: Any, base: Settings | None = None, *, validated: bool = False
) -> tuple[DataOptions, Settings]:
    """How observations are made of x, and the settings: those of `base`, but for the `options`.

    Raises
    ------
    UsageError : a setting is out of range, or has no effect; or see `Settings.check`.
    """
    how, fields = parted(options)
    settings = replace(base or Settings(), **fields)
    settings.check(validated)
    check_changed(fields, settings)
    settings = settings.with_backend(fields.get("backend"))
    return as_taken(how, x, settings), settings


def train(observations: Any, y: Any = None, **options: Unpack[TrainArguments]) -> Fit:
    """Fit a linear model by gradient descent: a `Run` to its end.

    Parameters
    ----------
    observations, y : what `read_observations` (files) or `observations_from` has made; or what
        `observations_from` takes as x and y: arrays, or a DataFrame, of which `target` may name y.
    features, target, exclude, degree, weights, intercept, drop_missing, dates, like : as in
        `observations_from`.
    init : where the params θ = (w₁…w_p, b) start: ``zeros``; ``random``, uniform on [0, 1); the
        p+1 values themselves; or a model, to go on where it stopped.
    shown : with `leap`, the epochs to leap to, rising; by default 1, 2, 3, 5, 10, 20, 50, 100, …
        The first epoch and the last are among the steps in any case.
    validation : a set to measure the loss on, which is not descended on: observations; a DataFrame,
        or arrays (x, y); or the fraction of the rows to hold out, which are those that the command
        line holds out of the same rows in a file of up to 2 MB.
    settings, and its fields : a `Settings`, or its fields, or both.

    Raises
    ------
    GdfitError : the data can't be used.
    UsageError : an argument is out of range, or does not fit the observations.

    Warns
    -----
    GdfitWarning : the run has diverged.

    Examples
    --------
    >>> import gdfit
    >>> fit = gdfit.train([1, 2, 3], [3, 5, 7], lr=0.1)
    >>> round(fit.predict([10]), 6)
    21.0

    >>> import pandas
    >>> cars = pandas.DataFrame({"km": [1, 2, 3, 4, 5, 6], "price": [9, 8, 7, 6, 5, 4]})
    >>> fit = gdfit.train(cars, target="price", features=["km"], validation=0.2)
    >>> fit.observations, fit.validation
    (<5 observations: price from km>, <1 observations: price from km>)
    """
    run = Run(observations, y, **options)
    fit = run.fit(list(run))
    if fit.status == stopping.DIVERGED:
        warn(fit.divergence)
    elif fit.is_short:
        warn(SHORT)
    return fit
