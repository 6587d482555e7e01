"""Starts of a run: at zeros, at random, at given params, or where a model's run stopped."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.data.terms.expansion import Expansion, as_typed, identity_expansion
from gdfit.data.terms.terms import Factor
from gdfit.descent.loop import Step
from gdfit.descent.optimizers import State
from gdfit.descent.own import Own
from gdfit.descent.scaling import Scaling
from gdfit.descent.settings import Settings
from gdfit.errors import GdfitError, UsageError, listing, quoted, typed
from gdfit.model.linear import LinearModel
from gdfit.model.model_file import load_model

# Where to start: ``zeros``, ``random``, the params themselves, or where a model's run stopped.
Init = str | Sequence[float] | LinearModel

# Facts of a run that may be others in one that goes on with it.
MAY_DIFFER = ("lr", "schedule", "decay", "scale", "backend", "seed")


@dataclass(frozen=True, eq=False)
class Start:
    """The start of a run.

    params : θ₀ as it is descended on, shape (p+1,).
    state : what the update rule remembers of the epochs before.
    epochs : how many there were.
    rate, first_loss : the learning rate of the run that it goes on with, and the loss that this
        began with.
    """

    params: FloatArray
    state: State = field(default_factory=dict)
    epochs: int = 0
    rate: float | None = None
    first_loss: float | None = None

    def after(self, last: Step, first_loss: float, digest: str) -> dict[str, object] | None:
        """The state of a run in its model's file, from which another run can go on exactly; None
        where a rule of one's own remembers other than numbers and arrays, by name."""
        if any(
            (isinstance(value, list | tuple) and not name)
            or np.asarray(value).dtype.kind not in "iuf"
            for name, value in last.state.items()
        ):
            return None
        return {
            "epochs": self.epochs + last.epoch,
            "params": last.params.tolist(),
            "first_loss": first_loss,
            "data": digest,
            "optimizer": {name: np.asarray(value).tolist() for name, value in last.state.items()},
        }


def signature(observations: Observations, scaling: Scaling | None) -> str:
    """Checksum by which the same observations, scaled in the same way, are known again."""
    how = "none" if scaling is None else "standardize" if scaling.mixing is None else "whiten"
    names = repr((how, observations.count, observations.features, observations.target_name))
    return f"{crc32(observations.augmented.tobytes(), crc32(names.encode())):08x}"


def start_of(
    init: Init, observations: Observations, settings: Settings, scaling: Scaling | None = None
) -> Start:
    """The start that `init` names, for features with that scaling."""
    if isinstance(init, LinearModel) and init.made_of.by:
        raise UsageError("`init` takes one model, and this file has one for each group")
    if isinstance(init, LinearModel):
        return gone_on(init, observations, settings, scaling)
    size = len(observations.features) + 1
    if isinstance(init, str):
        if init == "zeros":
            return Start(np.zeros(size))
        if init == "random":
            params = np.random.default_rng(settings.seed).random(size)
            params[-1] *= observations.intercept
            return Start(params)
        raise UsageError(f"no `init` {quoted(init)}; there are zeros and random")
    params = np.array(init, dtype=np.float64)
    if not observations.intercept and params.shape == (size - 1,):
        params = np.append(params, 0.0)
    if params.shape != (size,) or not np.isfinite(params).all():
        weights = ("w",) if len(observations.features) == 1 else observations.features
        names = listing((*weights, "b"))
        raise UsageError(f"`init` takes {size} finite numbers here, one for each of {names}")
    if not observations.intercept and params[-1]:
        raise UsageError(f"`init` has b = {params[-1]:g}, and without an intercept b is 0")
    return Start(scaling.from_data(params) if scaling else params)


def gone_on(
    model: LinearModel, observations: Observations, settings: Settings, scaling: Scaling | None
) -> Start:
    """The start where the model's run stopped: exactly, if it is the same run on the same data."""
    features = observations.features
    now = observations.expansion or identity_expansion(features)
    if has_same_terms := term_factors(model.made_of) == term_factors(now):
        check_levels(model.made_of, now)
    if not has_same_terms or sorted(model.features) != sorted(features):
        names = typed(tuple(map(str, model.made_of.terms)))
        what = f"the model to start from has the features {listing(model.features)}; the data has"
        raise GdfitError(f"{what} {listing(features)}; `features` {names} takes the model's")
    if not observations.intercept and model.b:
        what = f"the model to start from has b = {model.b:g}"
        raise GdfitError(f"{what}, and without an intercept b is 0")
    weights = dict(zip(model.features, model.w, strict=True))
    params = np.array([*(weights[name] for name in features), model.b])
    state = model.facts.get("state")
    if isinstance(state, dict) and state.get("data") == signature(observations, scaling):
        start = read_state(state, len(params), own=isinstance(settings.optimizer, Own))
        run = {name: value for name, value in settings.facts.items() if name not in MAY_DIFFER}
        if all(model.facts.get(name) == value for name, value in run.items()):
            rate = model.facts.get("lr")
            return replace(start, rate=rate if isinstance(rate, float) else None)
        return Start(start.params)
    return Start(scaling.from_data(params) if scaling else params)


def term_factors(expansion: Expansion) -> set[frozenset[Factor]]:
    """The factors that each feature is made of, in whatever order."""
    return {frozenset(term.factors) for term in expansion.terms}


def check_levels(before: Expansion, now: Expansion) -> None:
    """Raise where a category has other levels than before."""
    known = dict(zip(before.categories, before.levels, strict=True))
    for category, found in zip(now.categories, now.levels, strict=True):
        if found != known[category]:
            had, has = (listing(tuple(map(as_typed, each)), 5) for each in (known[category], found))
            what = f"the model to start from has the levels {had}; the data has {has}"
            raise GdfitError(what, column=category.column)


def read_state(state: dict[str, Any], size: int, *, own: bool = False) -> Start:
    """The start where the run stopped that a model's file tells of; what a rule of one's `own`
    remembers has any shape."""

    def array(value: object, any_shape: bool = False) -> FloatArray:
        numbers = np.array(value, dtype=np.float64)
        if not (any_shape or numbers.shape == (size,)) or not np.isfinite(numbers).all():
            raise ValueError
        return numbers

    try:
        remembered = {
            name: array(value, own) if isinstance(value, list) else value + 0
            for name, value in state["optimizer"].items()
        }
        epochs, first_loss = int(state["epochs"]), float(state["first_loss"])
        return Start(array(state["params"]), remembered, epochs, first_loss=first_loss)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise GdfitError("the model to start from is damaged: its 'state' can't be used") from None


def parse_init(text: str) -> str | list[float] | LinearModel:
    """The start that a text names: zeros, random, numbers W,…,B, or a model file."""
    if text in ("zeros", "random"):
        return text
    with suppress(ValueError):
        return [float(field) for field in text.split(",")]
    if not Path(text).exists() and not text.endswith(".json"):
        what = "`init` takes zeros, random, numbers W,…,B or a model file"
        raise UsageError(f"{what}, not {quoted(text)}")
    return load_model(text)
