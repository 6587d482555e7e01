"""What a run comes to, and its history as rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent import stopping
from gdfit.descent.curvature import Curvature
from gdfit.descent.loop import Step
from gdfit.descent.scaling import Scaling
from gdfit.descent.settings import Settings
from gdfit.descent.start import Start
from gdfit.model.linear import LinearModel
from gdfit.package import Displayed

if TYPE_CHECKING:
    import pandas as pd

    from gdfit import Summary


def params_names(features: Sequence[str]) -> tuple[str, ...]:
    """The names of the params: w and b, or w_NAME and b with several features."""
    if len(features) == 1:
        return ("w", "b")
    return (*(f"w_{name}" for name in features), "b")


def history_header(features: Sequence[str], validated: bool = False) -> list[str]:
    """The columns of a history."""
    names = params_names(features)
    losses = ["loss", "validation_loss"] if validated else ["loss"]
    return ["epoch", *losses, *names, *(f"grad_{name}" for name in names)]


def losses(step: Step) -> list[float]:
    """The loss, and the validation loss if there is one."""
    return [step.loss] if step.validation_loss is None else [step.loss, step.validation_loss]


def history_row(step: Step) -> list[float]:
    """A step as a row of a history: numbers in full."""
    return [step.epoch, *losses(step), *step.params.tolist(), *step.grad.tolist()]


def as_shown(step: Step, scaling: Scaling | None, done: int) -> Step:
    """A step as it is shown: its params and gradient in the data's own units, its epoch counted on
    from those `done` before the run."""
    if scaling:
        params, grad = scaling.to_data(step.params), scaling.gradient_to_data(step.grad)
        step = step._replace(params=params, grad=grad)
    return step._replace(epoch=done + step.epoch) if done else step


@dataclass(frozen=True, eq=False)
class Fit(Displayed):
    """The result of a run of gradient descent. Its params are in the data's own units.

    model : the params in the end, or with `patience` where the validation loss was least.
    loss : the loss at those params.
    validation_loss : the validation set's loss there, if there is one.
    r_squared : R² at those params; NaN where y does not vary.
    status : how it ended: see `gdfit.descent.stopping`.
    epochs : how many were run.
    best_epoch : the epoch after which the params are those of the model.
    history : the steps that were kept, by default all; in the units that were descended in.
    start, params : the first and the last params as they were descended on, shape (p+1,).
    start_state : the start, and what it went on with.
    observations, validation : what was fitted, and the validation set, if there is one.
    curvature : of the loss that was descended on, where that is the squared error.
    scaling : how the features were scaled, if they were.
    settings : what it was run with.
    asked : what was asked for: the learning rate and the scale may have been left to be chosen.
    """

    model: LinearModel
    loss: float
    validation_loss: float | None
    r_squared: float
    status: str
    epochs: int
    best_epoch: int
    history: tuple[Step, ...] = field(repr=False)
    start: FloatArray = field(repr=False)
    params: FloatArray = field(repr=False)
    start_state: Start = field(repr=False)
    observations: Observations = field(repr=False)
    validation: Observations | None = field(repr=False)
    curvature: Curvature | None = field(repr=False)
    scaling: Scaling | None = field(repr=False)
    settings: Settings = field(repr=False)
    asked: Settings = field(repr=False)

    def predict(self, x: Any) -> Any:
        """ŷ of the model at x: see `LinearModel.predict`."""
        return self.model.predict(x)

    def save(self, path: str | Path, *, diverged: bool = False) -> None:
        """Write the model to a file: see `LinearModel.save`."""
        self.model.save(path, diverged=diverged)

    def summary(self, level: float = 0.95, **more: Any) -> Summary:
        """Least squares beside the params, with standard errors and confidence intervals: see
        `gdfit.summarize`, which takes `more`."""
        import gdfit

        return gdfit.summarize(self.observations, self.model, level, **more)

    @property
    def arrived(self) -> bool | None:
        """True where each param is within a hundredth of its standard error from the minimum; None
        where that is not known."""
        found = self.model.facts["arrived"]
        return found if isinstance(found, bool) else None

    @property
    def minimum_loss(self) -> float | None:
        """The least loss there is, where it is known."""
        found = self.model.facts["minimum_loss"]
        return found if isinstance(found, float) else None

    @property
    def held_out(self) -> float | None:
        """The loss on what was not descended on: of a validation set, or the mean of the folds."""
        cv = self.model.facts.get("cv")
        return float(cv["mean"]) if isinstance(cv, Mapping) else self.validation_loss

    @property
    def is_separable(self) -> bool:
        """Whether a plane separates the classes, where there are two."""
        return self.model.facts.get("separable") is True

    @property
    def leaves_float64(self) -> bool:
        """True of params that are finite where they are descended on, and not in the data's
        units."""
        own = np.isfinite(self.model.params).all()
        return bool(np.isfinite(self.params).all() and not own)

    @property
    def is_too_large(self) -> bool:
        """True where no loss of this data is finite, whatever the params."""
        return self.settings.is_squared and not math.isfinite(self.observations.mean_square)

    @property
    def divergence(self) -> str:
        """Why a run has diverged, and what to do."""
        why = f"the learning rate {self.settings.lr:.4g} is too large"
        why += "; type a smaller one" if self.asked.lr == "auto" else "; lr='auto' chooses one"
        if self.leaves_float64 or self.is_too_large:
            where = "params leave" if self.leaves_float64 else "squares of y leave"
            why = f"the {where} float64; multiply the columns by a power of ten"
        return f"the run has diverged at epoch {self.epochs}: {why}"

    @property
    def is_short(self) -> bool:
        """True where the learning rate was left to be chosen, and the run ended by itself without
        having arrived."""
        ended = self.status in (stopping.COMPLETED, stopping.CONVERGED, stopping.STALLED)
        chosen = self.asked.lr == "auto" and not self.start_state.rate
        return chosen and ended and self.arrived is False

    @property
    def frame(self) -> pd.DataFrame:
        """The history as a DataFrame with the columns of `gdfit train --format csv`."""
        import pandas as pd

        validated = self.validation_loss is not None
        shown = (as_shown(step, self.scaling, self.start_state.epochs) for step in self.history)
        rows = [history_row(step) for step in shown]
        return pd.DataFrame(rows, columns=history_header(self.model.features, validated))
