"""Comparison of runs on the same observations, one for every combination of the values given.

What compares is the loss of all observations after so many epochs, whatever the batches were. Where
the least loss there is is known, as for the squared error, a run is measured by that; else by the
least that one of the runs with the same loss has come to.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain, product
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, cast

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.in_memory import DataOptions, with_folds, with_validation
from gdfit.data.observations import Observations
from gdfit.descent.cross_validation import check_folds, validated_on
from gdfit.descent.curvature import CLOSE, EXACT
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit, losses
from gdfit.descent.run import Run, as_taken, parted
from gdfit.descent.settings import (
    BackendName,
    LossName,
    OptimizerName,
    Scale,
    ScheduleName,
    Settings,
    check_changed,
)
from gdfit.descent.start import Init
from gdfit.descent.stopping import DIVERGED
from gdfit.errors import GdfitError, UsageError
from gdfit.model.linear import LinearModel
from gdfit.package import Displayed

if TYPE_CHECKING:
    import pandas as pd

LEADING = ("lr", "optimizer", "schedule", "scale", "batch_size", "loss", "init", "seed")
# Names of all that may vary from run to run, in the order of a table's columns.
VARYING = (*LEADING, *(field.name for field in fields(Settings) if field.name not in LEADING))

# The values a run was run with, by name; what was left to be chosen, as it was chosen.
Values = Mapping[str, Any]


class Curve:
    """The loss of all observations after 0, 1, 2 … epochs of a run, in `losses`; and after how many
    it had `arrived`, if it has, and the minimum is known."""

    def __init__(self, run: Run) -> None:
        self.losses = array("d")
        self.arrived: int | None = None
        self._run = run

    def step(self, step: Step) -> None:
        """Take note of an epoch: of the loss before it, and after the last one of that after it."""
        self._take(step.before, self._run.whole_loss(step))
        if step.status:
            self._take(step.params, self._run.loss_at(step.params))

    def _take(self, params: FloatArray, loss: float) -> None:
        curvature = self._run.curvature
        # Losses tell sooner than params that a run is far from the minimum.
        if curvature and self.arrived is None:
            least = curvature.minimum_loss
            is_near = loss - least <= CLOSE * abs(least) + 2 * curvature.enough
            self.arrived = len(self.losses) if is_near and curvature.has_arrived(params) else None
        self.losses.append(loss)


@dataclass(frozen=True, eq=False)
class RunResult:
    """A run of a comparison, and its loss from epoch to epoch.

    number : which run it was, from 1, in the order in which they were run.
    init : what it started from, by name.
    fit : what it came to.
    losses : of all observations after 0, 1, 2 … epochs, shape (epochs + 1,).
    arrived : after how many epochs it had arrived at the minimum, if it has and that is known.
    """

    number: int
    init: str
    fit: Fit
    losses: FloatArray
    arrived: int | None = None

    @property
    def values(self) -> Values:
        """The values that it was run with."""
        return run_values(self.init, self.fit)

    @property
    def objective(self) -> tuple[object, ...]:
        """The same for runs whose losses can be compared: they have descended on the same."""
        settings = self.fit.settings
        shapes = {"huber": settings.huber_delta, "quantile": settings.quantile}
        shape = shapes.get(str(settings.loss))
        scale = settings.scale if settings.is_penalized else None  # on whose weights it is
        return settings.loss, shape, settings.l2, settings.l1, scale

    @property
    def has_diverged(self) -> bool:
        """True where it did."""
        return self.fit.status == DIVERGED

    @property
    def last_epoch(self) -> int:
        """The number of its last epoch, counted on from a run that it went on with."""
        return self.fit.start_state.epochs + self.fit.epochs

    def loss_in(self, epoch: int) -> float:
        """The loss in the row of an epoch, which is that before its update; NaN where it did not
        come so far."""
        place = epoch - 1 - self.fit.start_state.epochs
        return float(self.losses[place]) if 0 <= place < self.fit.epochs else math.nan


class Comparison(Displayed):
    """Runs side by side: how far they came, and how soon.

    outcomes : of each run, best first: by the validation loss if there is one, else by the loss;
        of those that have reached the minimum, by how soon. Runs whose losses can't be compared
        stand group by group, and those that diverged stand last.
    """

    def __init__(self, outcomes: Iterable[RunResult]) -> None:
        self.outcomes = tuple(outcomes)
        ranked = [sorted(group, key=self._rank) for group in self.groups()]
        self.outcomes = tuple(chain.from_iterable(ranked))

    def __repr__(self) -> str:
        return f"<Comparison: {len(self.outcomes)} runs, of {self.fits[0].observations}>"

    def groups(self) -> list[list[RunResult]]:
        """The outcomes, those together that can be ranked by their losses."""
        groups: dict[object, list[RunResult]] = {}
        for outcome in self.outcomes:
            validated = outcome.fit.held_out is not None  # by a loss that has no penalty
            kind = outcome.objective[:2] if validated else outcome.objective
            groups.setdefault(kind, []).append(outcome)
        return list(groups.values())

    def least(self, outcome: RunResult) -> float | None:
        """The least loss that there is for this one; where that is not known, the least that a run
        on the same loss has come to, if one has not diverged."""
        if outcome.fit.minimum_loss is not None:
            return outcome.fit.minimum_loss
        alike = [other for other in self.outcomes if other.objective == outcome.objective]
        least = [float(other.losses.min()) for other in alike if not other.has_diverged]
        return min(least, default=None)

    def epochs_to_minimum(self, outcome: RunResult) -> int | None:
        """After how many epochs the run had arrived at the minimum; where that is not known, after
        how many the loss first was within 1 % of the least. None where it never was, or has left it
        for good."""
        least = self.least(outcome)
        if least is None or outcome.has_diverged:
            return None
        if outcome.fit.curvature:
            return outcome.arrived
        rounding = EXACT * outcome.fit.observations.mean_square
        (there,) = np.nonzero(outcome.losses <= (1 + CLOSE) * least + rounding)
        return int(there[0]) if len(there) else None

    def _rank(self, outcome: RunResult) -> tuple[float, ...]:
        """The key to sort a group by."""
        fit, held_out = outcome.fit, outcome.fit.held_out
        loss = fit.loss if held_out is None else held_out
        if outcome.has_diverged:
            return 2, loss if math.isfinite(loss) else math.inf, -fit.epochs
        if held_out is None and fit.arrived:
            loss = -math.inf
        epochs = self.epochs_to_minimum(outcome)
        return 1, loss, math.inf if epochs is None else epochs

    @property
    def varied(self) -> tuple[str, ...]:
        """The names of the values that the runs differ in."""
        return differing([outcome.values for outcome in self.outcomes])

    @property
    def fits(self) -> tuple[Fit, ...]:
        """The fits of the runs, in the order of the outcomes."""
        return tuple(outcome.fit for outcome in self.outcomes)

    @property
    def best(self) -> Fit:
        """The fit of the best of the runs.

        Raises
        ------
        GdfitError : all runs diverged.
        UsageError : their losses can't be compared.
        """
        if len(self.groups()) > 1:
            raise UsageError("no run is the best: different losses can't be compared")
        if self.outcomes[0].has_diverged:
            raise GdfitError("no run is the best: all of them diverged")
        return self.outcomes[0].fit

    @property
    def frame(self) -> pd.DataFrame:
        """The epochs of all runs, in the order in which they were run, as a DataFrame with the
        columns of `gdfit compare --format csv`."""
        import pandas as pd

        validated = self.outcomes[0].fit.validation_loss is not None
        rows = []
        for outcome in sorted(self.outcomes, key=lambda outcome: outcome.number):
            values = [outcome.number, *(outcome.values[name] for name in self.varied)]
            done = outcome.fit.start_state.epochs
            rows += [[*values, done + step.epoch, *losses(step)] for step in outcome.fit.history]
        return pd.DataFrame(rows, columns=runs_header(self.varied, validated))

    @property
    def summary(self) -> pd.DataFrame:
        """A row for each run, best first, as a DataFrame."""
        import pandas as pd

        frame = pd.DataFrame([self.record(outcome) for outcome in self.outcomes])
        whole = [name for name in ("batch_size", "epochs_to_minimum") if name in frame]
        return frame.astype(dict.fromkeys(whole, "Int64"))  # which knows of missing ones

    def record(self, outcome: RunResult) -> dict[str, Any]:
        """The row of a table for a run."""
        fit = outcome.fit
        last = max(other.last_epoch for other in self.outcomes)
        name = "cv" if fit.model.facts.get("cv") else "validation_loss"
        held_out = {} if fit.held_out is None else {name: fit.held_out}
        return {
            "run": outcome.number,
            **{column(name): outcome.values[name] for name in self.varied},
            **{f"epoch_{epoch}": outcome.loss_in(epoch) for epoch in milestones(last)},
            "loss": fit.loss,
            **held_out,
            "epochs_to_minimum": self.epochs_to_minimum(outcome),
            "epochs": fit.epochs,
            "status": fit.status,
        }


def run_values(init: str, run: Run | Fit) -> Values:
    """The values that a run was run with, and the name of its start."""
    return {**vars(run.settings), "init": init}


def differing(values: Sequence[Values]) -> tuple[str, ...]:
    """The names of the values that are not all the same."""
    return tuple(name for name in VARYING if len({each[name] for each in values}) > 1)


def milestones(epochs: int) -> list[int]:
    """1, 10, 100 … up to `epochs`."""
    return [10**digits for digits in range(len(str(epochs)))] if epochs else []


def column(name: str) -> str:
    """The name of a column with the values of a setting: `loss` is the loss itself."""
    return "loss_function" if name == "loss" else name


def runs_header(varied: Sequence[str], validated: bool) -> list[str]:
    """The columns of the epochs of several runs."""
    held_out = ["validation_loss"] if validated else []
    return ["run", *map(column, varied), "epoch", "loss", *held_out]


# One place where the params start, or several, as a list or by name.
Starts = Init | Sequence[Init] | Mapping[str, Init]


class EachOption(TypedDict, total=False):
    """The fields of `Settings` as keyword arguments: a value, or several."""

    lr: float | Literal["auto"] | Iterable[float | Literal["auto"]]
    schedule: ScheduleName | Iterable[ScheduleName]
    decay: float | Iterable[float | None] | None
    epochs: int | Iterable[int]
    backend: BackendName | Iterable[BackendName]
    seed: int | Iterable[int]
    scale: Scale | Iterable[Scale | None] | None
    loss: LossName | Callable[..., Any] | Iterable[LossName | Callable[..., Any]]
    huber_delta: float | Iterable[float]
    quantile: float | Iterable[float]
    l2: float | Iterable[float]
    l1: float | Iterable[float]
    optimizer: OptimizerName | Callable[..., Any] | Iterable[OptimizerName | Callable[..., Any]]
    momentum: float | Iterable[float]
    betas: tuple[float, float] | Iterable[tuple[float, float]]
    batch_size: int | Iterable[int | None] | None
    tol: float | Iterable[float | None] | None
    target_loss: float | Iterable[float | None] | None
    patience: int | Iterable[int | None] | None
    leap: bool


class CompareOptions(EachOption, DataOptions):
    """Settings, and what `observations_from` takes."""


def compare(
    observations: Any,
    y: Any = None,
    *,
    init: Starts = "zeros",
    validation: Any = None,
    cv: int | None = None,
    settings: Settings | None = None,
    **options: Unpack[CompareOptions],
) -> Comparison:
    """Fit linear models to data with every combination of the values given.

    Parameters
    ----------
    observations, y, validation : the data, as `train` takes them.
    features, target, exclude, degree, weights, intercept, drop_missing, dates, like : as in
        `observations_from`.
    init : where the params start, as `train` takes it; several, as a list or by name.
    cv : how many folds to hold out, one by one, whose mean loss says which run is best.
    settings : a `Settings`, for all runs.
    its fields : a value, or a list of values to compare.

    Raises
    ------
    UsageError : an argument is out of range, or does not fit the observations.

    Examples
    --------
    >>> import gdfit
    >>> comparison = gdfit.compare([1, 2, 3], [3, 5, 7], lr=[0.01, 0.1, 1], epochs=1000)
    >>> [(fit.settings.lr, fit.status) for fit in comparison.fits]
    [(0.1, 'completed'), (0.01, 'completed'), (1, 'diverged')]
    """
    how, values = parted(options)
    every = settings_of(settings or Settings(), **values)
    check_changed(values, *every)
    how = as_taken(how, observations, *every)
    starts, seed = starts_of(init), every[0].seed
    folds: Sequence[Observations] = ()
    held_out = None
    if cv is None:
        observations, held_out = with_validation(observations, y, validation, seed, **how)
    else:
        for each, start in product(every, starts.values()):
            check_folds(cv, each, start, validation)
        observations, folds = with_folds(observations, y, cv, seed, **how)
    runs = combinations(observations, every, starts, held_out)
    results: list[RunResult] = []
    while runs:  # each is forgotten when its turn is over: it may hold a copy of the observations
        name, run = runs.pop(0)
        curve, steps = Curve(run), []
        for step in run:
            curve.step(step)
            steps.append(step)
        fit = run.fit(steps)
        if folds:
            fit = validated_on(folds, run.asked, starts[name]).beside(fit)
        losses = np.array(curve.losses)
        results.append(RunResult(len(results) + 1, name, fit, losses, curve.arrived))
    return Comparison(results)


def combinations(
    observations: Observations,
    every: Sequence[Settings],
    init: Starts = "zeros",
    validation: Observations | None = None,
) -> list[tuple[str, Run]]:
    """The runs with `every` settings from every start, each with the name of its start."""
    if any(each.leap for each in every):
        raise UsageError("`leap` leaves out most epochs, and runs are compared in all of theirs")
    return [
        (name, Run(observations, init=start, validation=validation, settings=each))
        for each in every
        for name, start in starts_of(init).items()
    ]


def settings_of(settings: Settings, **options: Any) -> list[Settings]:
    """`settings` with every combination of the values given; those of the last option change
    first."""
    lists = [list_of(name, value) for name, value in options.items()]
    return [replace(settings, **dict(zip(options, one, strict=True))) for one in product(*lists)]


def list_of(name: str, value: Any) -> list[Any]:
    """The values given for one of the settings."""
    one = isinstance(value, str) or (name == "betas" and isinstance(value, tuple))
    if one or not isinstance(value, Iterable):
        return [value]
    values = value.tolist() if isinstance(value, np.ndarray) else list(value)
    if not values:
        raise UsageError(f"`{name}` is an empty list: there is nothing to compare")
    return values


def starts_of(init: Starts) -> dict[str, Init]:
    """The starts by name."""
    if isinstance(init, Mapping):
        return dict(init)
    if isinstance(init, str | LinearModel) or all(isinstance(value, Real) for value in init):
        init = [cast(Init, init)]
    starts = enumerate(cast(Sequence[Init], init), 1)
    return {start_name(place, start): start for place, start in starts}


def start_name(place: int, start: Init) -> str:
    """The name of a start."""
    if isinstance(start, str):
        return start
    if isinstance(start, LinearModel):
        return f"model {place}"
    return ",".join(f"{value:g}" for value in start)
