"""Update rules: from the params, the gradient and the learning rate to the next params; and
schedules: by which factor the learning rate falls from epoch to epoch.

They are those of torch.optim, number by number, so that both backends descend alike. Schedules are
those of torch.optim.lr_scheduler (StepLR, ExponentialLR, CosineAnnealingLR), and scikit-learn's
`invscaling`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any, cast

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.own import Own
from gdfit.descent.settings import (
    LineSearchName,
    OptimizerName,
    ProximalName,
    ScheduleName,
    Settings,
)

# What a rule remembers of earlier gradients, by name: arrays of θ's shape, and numbers. It is empty
# before the first.
State = Mapping[str, Any]

Updated = tuple[FloatArray, State]
# (θ, ∇L(θ), state, γ) → the next θ and the next state, both new values. The learning rate γ is an
# array of no dimensions, with which NumPy is quicker than with a float; or it has an entry for each
# column of params that are a matrix.
Update = Callable[[FloatArray, FloatArray, State, FloatArray], Updated]

# d → dᵀHd, the second derivative of a parabola along d.
Bend = Callable[[FloatArray], float]

EPSILON = 1e-8  # ε of adam and rmsprop
ADAGRAD_EPSILON = 1e-10
SMOOTHING = 0.99  # α of rmsprop
STAGES = 10  # of a run that falls by steps


def gradient_descent(
    params: FloatArray, grad: FloatArray, state: State, rate: FloatArray
) -> Updated:
    """θ ← θ − γ∇L."""
    return params - rate * grad, state


def momentum(mu: float, *, nesterov: bool = False) -> Update:
    """v ← μv + ∇L, θ ← θ − γv; with `nesterov`, θ ← θ − γ(∇L + μv).

    As torch.optim.SGD: v starts as the first gradient (Polyak, 1964; Sutskever et al., 2013).
    """

    def update(params: FloatArray, grad: FloatArray, state: State, rate: FloatArray) -> Updated:
        velocity = mu * state["velocity"] + grad if state else grad
        direction = grad + mu * velocity if nesterov else velocity
        return params - rate * direction, {"velocity": velocity}

    return update


def adam(betas: tuple[float, float]) -> Update:
    """m ← β₁m + (1 − β₁)∇L, v ← β₂v + (1 − β₂)∇L², θ ← θ − γ m̂/(√v̂ + ε).

    m̂ and v̂ are m/(1 − β₁ᵗ) and v/(1 − β₂ᵗ) (Kingma and Ba, 2015).
    """
    first, second = betas

    def update(params: FloatArray, grad: FloatArray, state: State, rate: FloatArray) -> Updated:
        time = state.get("time", 0) + 1
        mean = first * state.get("mean", 0.0) + (1 - first) * grad
        square = second * state.get("square", 0.0) + (1 - second) * grad * grad
        root = np.sqrt(square) / math.sqrt(1 - second**time)
        step = rate / (1 - first**time) * mean / (root + EPSILON)
        return params - step, {"mean": mean, "square": square, "time": time}

    return update


def adagrad(params: FloatArray, grad: FloatArray, state: State, rate: FloatArray) -> Updated:
    """s ← s + ∇L², θ ← θ − γ∇L/(√s + ε) (Duchi, Hazan and Singer, 2011)."""
    total = state.get("sum", 0.0) + grad * grad
    return params - rate * grad / (np.sqrt(total) + ADAGRAD_EPSILON), {"sum": total}


def rmsprop(params: FloatArray, grad: FloatArray, state: State, rate: FloatArray) -> Updated:
    """v ← αv + (1 − α)∇L², θ ← θ − γ∇L/(√v + ε) (Tieleman and Hinton, 2012)."""
    square = SMOOTHING * state.get("square", 0.0) + (1 - SMOOTHING) * grad * grad
    return params - rate * grad / (np.sqrt(square) + EPSILON), {"square": square}


def line_search(bend: Bend, *, conjugate: bool = False) -> Update:
    """d ← −∇L, θ ← θ + γd, where γ = −dᵀ∇L/dᵀHd leads to the lowest point along d (Cauchy, 1847);
    with `conjugate`, d ← −∇L + βd, β = ‖∇L‖² as a part of the one before (Hestenes and Stiefel,
    1952; Fletcher and Reeves, 1964)."""

    def update(params: FloatArray, grad: FloatArray, state: State, rate: FloatArray) -> Updated:
        square, direction = float(grad @ grad), -grad
        if conjugate and state.get("square"):
            direction += square / state["square"] * state["direction"]
        bent = bend(direction)
        found = -float(direction @ grad) / bent if bent > 0 else 0.0
        kept = {"direction": direction, "square": square, "rate": found}
        return params + found * direction, kept

    return update


def thresholded(params: FloatArray, most: FloatArray) -> FloatArray:
    """The params with each weight nearer to 0 by `most`, or at 0 if it is no farther than that:
    sign(w)·max(|w| − most, 0). b stays as it is."""
    result = params.copy()
    result[:-1] -= np.clip(params[:-1], -most, most)
    return result


def proximal(l1: float, mu: float = 0.0, *, nesterov: bool = False) -> Update:
    """θ ← S(θ + μ(θ − θ₋) − γ∇L), S the threshold at γλ₁ and θ₋ the params before θ; with
    `nesterov`, u ← S(θ − γ∇L), θ ← u + μ(u − u₋).

    L is without λ₁‖w‖₁. Without λ₁, they are the rules above, written without v. μ = 0 is ISTA,
    the others are iPiano (Ochs et al., SIAM J. Imaging Sci. 7, 2014) and, with a constant μ, FISTA
    (Beck and Teboulle, SIAM J. Imaging Sci. 2, 2009).
    """

    def update(params: FloatArray, grad: FloatArray, state: State, rate: FloatArray) -> Updated:
        before = state.get("before", params)
        if nesterov:
            reached = thresholded(params - rate * grad, rate * l1)
            return reached + mu * (reached - before), {"before": reached}
        ahead = params + mu * (params - before)
        return thresholded(ahead - rate * grad, rate * l1), {"before": params}

    return update


# By name, what makes the update rule of the settings.
OPTIMIZERS: dict[OptimizerName, Callable[[Settings], Update]] = {
    "gd": lambda settings: gradient_descent,
    "momentum": lambda settings: momentum(settings.momentum),
    "nesterov": lambda settings: momentum(settings.momentum, nesterov=True),
    "adam": lambda settings: adam(settings.betas),
    "adagrad": lambda settings: adagrad,
    "rmsprop": lambda settings: rmsprop,
}


# The same of a parabola, for those that find their learning rate.
LINE_SEARCHES: dict[LineSearchName, Callable[[Bend], Update]] = {
    "steepest": line_search,
    "cg": partial(line_search, conjugate=True),
}


# The same with `l1`, for those that a threshold goes with.
PROXIMAL: dict[ProximalName, Callable[[Settings], Update]] = {
    "gd": lambda settings: proximal(settings.l1),
    "momentum": lambda settings: proximal(settings.l1, settings.momentum),
    "nesterov": lambda settings: proximal(settings.l1, settings.momentum, nesterov=True),
}


def own_update(own: Own) -> Update:
    """A rule of one's own, (params, grad, state, lr) → params or (params, state); its state is None
    at first."""
    own.check_takes("a rule", "params", "grad", "state", "lr")

    def one(params: FloatArray, grad: FloatArray, state: State, rate: float) -> Updated:
        known: Any = state[""] if "" in state else dict(state) or None
        made = own.run(params.copy(), grad.copy(), deepcopy(known), rate)
        after: Any = {}
        if isinstance(made, tuple) and len(made) == 2 and np.shape(made[0]) == params.shape:
            made, after = made
        try:
            made = np.array(made, dtype=np.float64)
        except (TypeError, ValueError):
            made = np.array(np.nan)
        if made.shape != params.shape:
            what = "params of their shape, or (params, state)"
            raise own.fault(f"returns neither {what}: there are {len(params)} params")
        is_named = isinstance(after, Mapping) and "" not in after
        return made, after if is_named else {"": after}

    def update(params: FloatArray, grad: FloatArray, state: State, rate: FloatArray) -> Updated:
        if params.ndim == 1:
            return one(params, grad, state, float(rate))
        size = params.shape[1]
        states, rates = state.get("", [{}] * size), np.broadcast_to(rate, size).tolist()
        made = [*map(one, params.T, grad.T, states, rates)]
        return np.stack([each for each, _ in made], axis=1), {"": [after for _, after in made]}

    return update


def update_of(settings: Settings, bend: Bend | None = None) -> Update:
    """The update rule that the settings name; with `bend` of the loss, also one that finds its
    learning rate."""
    if isinstance(settings.optimizer, Own):
        return own_update(settings.optimizer)
    if settings.finds_rate and bend:
        return LINE_SEARCHES[cast(LineSearchName, settings.optimizer)](bend)
    rules: Mapping[Any, Callable[[Settings], Update]] = PROXIMAL if settings.l1 else OPTIMIZERS
    return rules[settings.optimizer](settings)


def stage_length(epochs: int) -> int:
    """The epochs of a stage of `step`: a tenth of all, rounded up."""
    return math.ceil(epochs / STAGES)


# By name, (t, the last epoch, the decay) → the factor in epoch t, from 1 on; the first has the rate
# itself.
SCHEDULES: dict[ScheduleName, Callable[[int, int, float], float]] = {
    "constant": lambda epoch, last, decay: 1.0,
    "step": lambda epoch, last, decay: decay ** ((epoch - 1) // stage_length(last)),
    "exponential": lambda epoch, last, decay: decay ** (epoch - 1),
    "inverse": lambda epoch, last, decay: epoch**-decay,
    "cosine": lambda epoch, last, decay: (1 + math.cos(math.pi * (epoch - 1) / last)) / 2,
}
