"""`train`: observations in, a fit out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.curvature import Curvature, curvature
from gdfit.descent import Step, descend
from gdfit.errors import GdfitError, UsageError, listing, quoted
from gdfit.model import LinearModel, load_model
from gdfit.objectives import batch_objectives, mean_loss, whole_objective
from gdfit.observations import Observations
from gdfit.optimizers import OPTIMIZERS
from gdfit.rates import growth
from gdfit.scaling import Scaling, scaling_of, standardized
from gdfit.settings import Settings
from gdfit.stopping import (
    COMPLETED,
    DIVERGED,
    Best,
    Growth,
    converged,
    diverged,
    first_answer,
    out_of_epochs,
    target_reached,
)

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

        from gdfit.report import csv_header, csv_row

        validated = self.validation_loss is not None
        rows = [csv_row(step) for step in self.history]
        return pd.DataFrame(rows, columns=csv_header(self.model.features, validated))


def train(
    observations: Observations,
    *,
    init: str | Sequence[float] | LinearModel = "zeros",
    validation: Observations | None = None,
    on_step: Callable[[Step], None] = lambda step: None,
    on_growth: Callable[[Step, str], None] = lambda step, why: None,
    keep: Callable[[int], bool] = lambda epoch: True,
    settings: Settings | None = None,
    **options: Any,
) -> Fit:
    """Fit a linear model to `observations` by gradient descent.

    Parameters
    ----------
    observations : from `read_observations` (a CSV file) or `observations_from` (arrays).
    init : where the params θ = (w₁…w_p, b) start: ``zeros``; ``random``, uniform on [0, 1); the
        p+1 values themselves; or a model, to go on where it stopped.
    validation : a set to measure the loss on, which is not descended on.
    on_step : called with each epoch's `Step` as it happens.
    on_growth : called once the loss has grown for ten epochs running, with the reason in words.
    keep : which epochs' steps to keep in the fit's history; the last is always kept.
    settings, options : a `Settings`, or its fields, or both.

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
    settings = replace(settings or Settings(), **options)
    settings.check(validated=validation is not None)
    scaling = scaling_of(observations) if settings.standardize else None
    start = initial_params(init, observations, settings.seed, scaling)
    descended = standardized(observations, scaling) if scaling else observations
    bends = curvature(descended, settings.l2) if settings.loss == "mse" else None
    lr = bends.best_lr if bends and settings.lr == "auto" else float(settings.lr)
    settings = replace(settings, lr=lr)
    whole = whole_objective(observations, settings, scaling)
    batches = batch_objectives(observations, settings, scaling)
    update = OPTIMIZERS[settings.optimizer](lr, settings.momentum, settings.betas)

    def in_data(params: FloatArray) -> FloatArray:
        return scaling.to_data(params) if scaling else params

    def validation_loss(params: FloatArray) -> float:
        assert validation is not None
        return mean_loss(validation, settings, in_data(params))

    best = Best(settings.patience) if settings.patience else None
    rules = [diverged()]
    if settings.target_loss is not None:
        rules.append(target_reached(settings.target_loss))
    if settings.tol is not None:
        rules.append(converged(settings.tol, start))
    if best:
        rules.append(best)
    rules.append(out_of_epochs(settings.epochs))

    history: list[Step] = []
    grows = Growth(overshoots=not settings.is_plain)
    steps = descend(batches, start, update, validation_loss if validation else None)
    with np.errstate(over="ignore", invalid="ignore"):  # divergence is reported, not warned of
        for step in steps:
            on_step(step)
            kept = keep(step.epoch)
            if kept:
                history.append(step)
            if grows(step):
                on_growth(step, growth(bends if settings.is_plain else None, lr, grows.EPOCHS))
            status = first_answer(rules, step)
            if status:
                break
        if not kept:
            history.append(step)
        final = best.step if best and best.step and status != DIVERGED else step
        params = in_data(final.params)
        w, b = params[:-1].tolist(), float(params[-1])
        return Fit(
            model=LinearModel(tuple(w), b, observations.features, observations.target_name),
            loss=whole(final.params)[0],
            validation_loss=final.validation_loss,
            r_squared=observations.r_squared(params),
            status=status or COMPLETED,
            epochs=step.epoch,
            best_epoch=final.epoch,
            history=tuple(history),
            start=start,
            params=final.params,
            observations=observations,
            curvature=bends,
            scaling=scaling,
            settings=settings,
        )


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
            f"--init takes {size} finite numbers here, one for each of {listing((*features, 'b'))}"
        )
    return scaling.from_data(params) if scaling else params


def parse_init(text: str) -> str | list[float] | LinearModel:
    """What ``--init`` names: zeros, random, numbers W,…,B, or a model file."""
    if text in ("zeros", "random"):
        return text
    try:
        return [float(field) for field in text.split(",")]
    except ValueError:
        pass
    if not Path(text).exists() and not text.endswith(".json"):
        raise UsageError(
            f"--init takes zeros, random, numbers W,…,B or a model file, not {quoted(text)}"
        )
    return load_model(text)
