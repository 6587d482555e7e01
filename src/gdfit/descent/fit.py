"""`train`: observations in, a fit out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.curvature import Curvature, curvature
from gdfit.descent.history import header, row
from gdfit.descent.loop import Step, descend
from gdfit.descent.objectives import batch_objectives, mean_loss, whole_objective
from gdfit.descent.optimizers import OPTIMIZERS
from gdfit.descent.scaling import Scaling, scaling_of, standardized
from gdfit.descent.settings import Settings
from gdfit.descent.stopping import (
    COMPLETED,
    DIVERGED,
    Best,
    converged,
    diverged,
    first_answer,
    out_of_epochs,
    target_reached,
)
from gdfit.errors import GdfitError, UsageError, listing, quoted
from gdfit.model.linear import LinearModel, load_model

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fit:
    """What a run of gradient descent came to. Its params are in the data's own units.

    model : the params in the end, or with `patience` where the validation loss was least.
    loss : the loss at those params.
    validation_loss : the validation set's loss there, if there is one.
    r_squared : R² at those params; NaN where y does not vary.
    status : how it ended: completed, converged, target, patience or diverged.
    epochs : how many were run.
    best_epoch : the epoch that the params are of.
    history : the steps that were kept, by default all; with `standardize`, in standardized units.
    start, params : the first and the last params as they were descended on, shape (p+1,).
    observations : what was fitted.
    curvature : of the loss that was descended on, where that is the squared error.
    scaling : how the features were standardized, if they were.
    settings : what it was run with.
    """

    model: LinearModel
    loss: float
    validation_loss: float | None
    r_squared: float
    status: str
    epochs: int
    best_epoch: int
    history: tuple[Step, ...]
    start: FloatArray
    params: FloatArray
    observations: Observations
    curvature: Curvature | None
    scaling: Scaling | None
    settings: Settings

    @property
    def frame(self) -> pd.DataFrame:
        """The history as a DataFrame with the columns of `gdfit train --format csv`."""
        import pandas as pd

        validated = self.validation_loss is not None
        rows = [row(step) for step in self.history]
        return pd.DataFrame(rows, columns=header(self.model.features, validated))


class Run:
    """Gradient descent on `observations`, a step at a time: iterate over its steps, the last of
    which says why it is the last; `fit` is what it has come to. For the arguments see `train`.

    start : θ₀ as it is descended on.
    last : the step that was made last.
    curvature, scaling, settings : as in `Fit`.
    """

    def __init__(
        self,
        observations: Observations,
        *,
        init: str | Sequence[float] | LinearModel = "zeros",
        validation: Observations | None = None,
        settings: Settings | None = None,
        **options: Any,
    ) -> None:
        settings = replace(settings or Settings(), **options)
        settings.check(validated=validation is not None)
        self.observations, self.validation = observations, validation
        self.scaling = scaling_of(observations) if settings.standardize else None
        self.start = initial_params(init, observations, settings.seed, self.scaling)
        descended = standardized(observations, self.scaling) if self.scaling else observations
        self.curvature = curvature(descended, settings.l2) if settings.loss == "mse" else None
        lr = self.curvature.best_lr if settings.lr == "auto" and self.curvature else settings.lr
        self.settings = settings = replace(settings, lr=float(lr))
        self.descended = descended
        self.objective = whole_objective(descended, settings)
        self.best = Best(settings.patience) if settings.patience else None
        self.last: Step | None = None

    def in_data(self, params: FloatArray) -> FloatArray:
        """Params as they are descended on, for the data's own units."""
        return self.scaling.to_data(params) if self.scaling else params

    def __iter__(self) -> Iterator[Step]:
        settings, validation = self.settings, self.validation
        rules = [diverged()]
        if settings.target_loss is not None:
            rules.append(target_reached(settings.target_loss))
        if settings.tol is not None:
            rules.append(converged(settings.tol, self.start))
        if self.best:
            rules.append(self.best)
        rules.append(out_of_epochs(settings.epochs))
        measure = (
            (lambda params: mean_loss(validation, settings, self.in_data(params)))
            if validation
            else None
        )
        update = OPTIMIZERS[settings.optimizer](
            float(settings.lr), settings.momentum, settings.betas
        )
        batches = batch_objectives(self.objective, self.descended, settings)
        for step in descend(batches, self.start, update, measure):
            self.last = step._replace(status=first_answer(rules, step))
            yield self.last
            if self.last.status:
                return

    @property
    def facts(self) -> dict[str, object]:
        """What the model's file says of how it was trained."""
        settings = self.settings
        return {
            "minimum_loss": self.curvature.minimum_loss if self.curvature else None,
            "lr": settings.lr,
            "backend": settings.backend,
            "loss_function": settings.loss,
            "l2": settings.l2,
            "optimizer": settings.optimizer,
            "batch_size": settings.batch_size,
            "standardize": settings.standardize,
            "seed": settings.seed,
            "observations": self.observations.count,
        }

    def fit(self, history: Sequence[Step] = ()) -> Fit:
        """What the run has come to; `history` are the steps to keep with it."""
        last, observations = self.last, self.observations
        if last is None:
            raise GdfitError("the run has made no step yet: iterate over it first")
        best = self.best.step if self.best and last.status != DIVERGED else None
        final = best or last
        with np.errstate(over="ignore", invalid="ignore"):
            params = self.in_data(final.params)
            *w, b = params.tolist()
            came_to: dict[str, Any] = {
                "loss": self.objective(final.params)[0],
                "validation_loss": final.validation_loss,
                "r_squared": observations.r_squared(params),
                "epochs": last.epoch,
                "best_epoch": final.epoch,
                "status": last.status or COMPLETED,
            }
            facts = {**came_to, **self.facts}
            return Fit(
                model=LinearModel(
                    tuple(w), b, observations.features, observations.target_name, facts
                ),
                **came_to,
                history=tuple(history),
                start=self.start,
                params=final.params,
                observations=observations,
                curvature=self.curvature,
                scaling=self.scaling,
                settings=self.settings,
            )


def train(observations: Observations, **options: Any) -> Fit:
    """Fit a linear model to `observations` by gradient descent: a `Run` to its end.

    Parameters
    ----------
    observations : from `read_observations` (a CSV file) or `observations_from` (arrays).
    init : where the params θ = (w₁…w_p, b) start: ``zeros``; ``random``, uniform on [0, 1); the
        p+1 values themselves; or a model, to go on where it stopped.
    validation : a set to measure the loss on, which is not descended on.
    settings, and its fields : a `Settings`, or its fields, or both.

    Raises
    ------
    UsageError : an argument is out of range, or does not fit the observations.
    GdfitError : a feature that does not vary can't be standardized.

    Examples
    --------
    >>> import gdfit
    >>> fit = gdfit.train(gdfit.observations_from([1, 2, 3], [3, 5, 7]), lr=0.1)
    >>> round(fit.model.predict([10]), 6)
    21.0
    """
    run = Run(observations, **options)
    return run.fit(list(run))


def initial_params(
    init: str | Sequence[float] | LinearModel,
    observations: Observations,
    seed: int,
    scaling: Scaling | None = None,
) -> FloatArray:
    """θ₀, shape (p+1,), as `train` describes it; with `scaling`, for standardized features."""
    features = observations.features
    size = len(features) + 1
    if isinstance(init, LinearModel):
        if sorted(init.features) != sorted(features):
            raise GdfitError(
                f"the model to start from has the features {listing(init.features)}; "
                f"the data has {listing(features)}"
            )
        weights = dict(zip(init.features, init.w, strict=True))
        params = np.array([*(weights[name] for name in features), init.b])
        return scaling.from_data(params) if scaling else params
    if init == "zeros":
        return np.zeros(size)
    if init == "random":
        return np.random.default_rng(seed).random(size)
    if isinstance(init, str):
        raise UsageError(f"no init {quoted(init)}; there are zeros and random")
    params = np.array(init, dtype=np.float64)
    if params.shape != (size,) or not np.isfinite(params).all():
        raise UsageError(
            f"`init` takes {size} finite numbers here, one for each of {listing((*features, 'b'))}"
        )
    return scaling.from_data(params) if scaling else params


def parse_init(text: str) -> str | list[float] | LinearModel:
    """What `init` names as a text: zeros, random, numbers W,…,B, or a model file."""
    if text in ("zeros", "random"):
        return text
    try:
        return [float(field) for field in text.split(",")]
    except ValueError:
        pass
    if not Path(text).exists() and not text.endswith(".json"):
        raise UsageError(
            f"`init` takes zeros, random, numbers W,…,B or a model file, not {quoted(text)}"
        )
    return load_model(text)
