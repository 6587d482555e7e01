"""`train`: observations in, a fit out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent import Step, descend
from gdfit.errors import GdfitError, UsageError, listing, quoted
from gdfit.gradients import BACKENDS
from gdfit.losses import mean_squared_error
from gdfit.model import LinearModel, load_model
from gdfit.observations import Observations
from gdfit.optimizers import gradient_descent

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fit:
    """What a run of gradient descent came to.

    model : the params after the last epoch.
    loss : the loss at those params.
    r_squared : R² at those params; NaN where y does not vary.
    status : how it ended: completed or diverged.
    epochs : how many were run.
    history : the steps that were kept, by default all.
    observations, lr, backend, loss_name, seed : what it was run on and with.
    """

    model: LinearModel
    loss: float
    r_squared: float
    status: str
    epochs: int
    history: tuple[Step, ...]
    observations: Observations
    lr: float
    backend: str
    loss_name: str
    seed: int

    @property
    def frame(self) -> pd.DataFrame:
        """The history as a DataFrame with the columns of `gdfit train --format csv`."""
        import pandas as pd

        from gdfit.report import csv_header, csv_row

        rows = [csv_row(step) for step in self.history]
        return pd.DataFrame(rows, columns=csv_header(self.model.features))


def train(
    observations: Observations,
    *,
    lr: float = 0.01,
    epochs: int = 1000,
    backend: str = "manual",
    init: str | Sequence[float] | LinearModel = "zeros",
    seed: int = 0,
    on_step: Callable[[Step], None] = lambda step: None,
    keep: Callable[[int], bool] = lambda epoch: True,
) -> Fit:
    """Fit a linear model to `observations` by gradient descent on the mean squared error.

    Parameters
    ----------
    observations : from `read_observations` (a CSV file) or `observations_from` (arrays).
    lr : the learning rate γ.
    epochs : how many times to go over the observations.
    backend : ``manual``, the chain rule by hand in NumPy, or ``autograd``, torch.
    init : where the params θ = (w₁…w_p, b) start: ``zeros``; ``random``, uniform on [0, 1); the
        p+1 values themselves; or a model, to go on where it stopped.
    seed : every random choice comes from it.
    on_step : called with each epoch's `Step` as it happens.
    keep : which epochs' steps to keep in the fit's history; the last is always kept.

    Raises
    ------
    UsageError : an argument is out of range, or does not fit the observations.

    Examples
    --------
    >>> fit = train(observations_from([1, 2, 3], [3, 5, 7]), lr=0.1)
    >>> fit.model.predict([10])
    21.0
    """
    if not (lr > 0 and math.isfinite(lr)):
        raise UsageError(f"the learning rate must be a positive number, not {lr:g}")
    if epochs < 1:
        raise UsageError(f"the number of epochs must be at least 1, not {epochs}")
    if backend not in BACKENDS:
        raise UsageError(f"no backend {quoted(backend)}; there are {', '.join(BACKENDS)}")
    params = initial_params(init, observations, seed)
    objective = BACKENDS[backend](observations, mean_squared_error())
    history: list[Step] = []
    status = "completed"
    with np.errstate(over="ignore", invalid="ignore"):  # divergence is reported, not warned of
        for step in descend(objective, params, gradient_descent(lr)):
            on_step(step)
            kept = keep(step.epoch)
            if kept:
                history.append(step)
            if not (math.isfinite(step.loss) and np.isfinite(step.params).all()):
                status = "diverged"
                break
            if step.epoch == epochs:
                break
        if not kept:
            history.append(step)
        params = step.params
        loss, _ = objective(params)
        r_squared = observations.r_squared(params)
    w, b = params[:-1].tolist(), float(params[-1])
    return Fit(
        model=LinearModel(tuple(w), b, observations.features, observations.target_name),
        loss=loss,
        r_squared=r_squared,
        status=status,
        epochs=step.epoch,
        history=tuple(history),
        observations=observations,
        lr=lr,
        backend=backend,
        loss_name="mse",
        seed=seed,
    )


def initial_params(
    init: str | Sequence[float] | LinearModel, observations: Observations, seed: int
) -> FloatArray:
    """θ₀, shape (p+1,), as `train` describes it."""
    features = observations.features
    size = len(features) + 1
    if isinstance(init, LinearModel):
        if sorted(init.features) != sorted(features):
            raise GdfitError(
                f"the model to start from has the features {listing(init.features)}; "
                f"the data has {listing(features)}"
            )
        weights = dict(zip(init.features, init.w, strict=True))
        return np.array([*(weights[name] for name in features), init.b])
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
    return params


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
