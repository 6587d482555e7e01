"""Losses of one observation: ℓ(z, y), its derivative ∂ℓ/∂z, and the prediction z stands for.

z is the linear predictor, Aθ for all observations at once. Where a loss has no link, it is the
prediction ŷ itself; else ŷ = g⁻¹(z): see `gdfit.model.links`. The derivative is for the chain rule
by hand. Autograd needs the value alone, so that is written with what NumPy arrays and torch tensors
have in common.

Where a derivative jumps at z = y, the sign of a residual that is rounding would decide where a run
goes. So a residual of at most `AT_KINK` times the sizes that it is the sum of,
|y| + |b| + Σ|wⱼxⱼ|, is 0: by hand, by autograd, and on a page (objective.js).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.own import Own
from gdfit.descent.settings import LossName, Settings
from gdfit.model.links import LINKS, sigmoid

# A sum is some 4ε of its sizes off (ε = 2⁻⁵²), and params add that up: to 500ε in 1000 epochs.
AT_KINK = 2.0**-40


class Loss(NamedTuple):
    """A loss of observations, one by one: functions of arrays z and y of shape (n,).

    value : (z, y) → ℓ, also of torch tensors.
    derivative : (z, y) → ∂ℓ/∂z.
    value_and_derivative : (z, y) → both, for the loop, without computing twice what they share.
    second : (z, y) → ∂²ℓ/∂z², where Newton's method is to find the minimum with it.
    link : the name of its link, of `LINKS`.
    has_classes : whether y is 0 or 1, for two classes.
    largest_slope : the largest that |∂ℓ/∂z| can be.
    largest_bend : the largest that ∂²ℓ/∂z² can be.
    has_kink : whether the derivative jumps at z = y, where it is 0.
    name : what its mean is called.
    """

    value: Callable[[Any, Any], Any]
    derivative: Callable[[FloatArray, FloatArray], FloatArray]
    value_and_derivative: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
    second: Callable[[FloatArray, FloatArray], FloatArray] | None = None
    link: str = "identity"
    has_classes: bool = False
    largest_slope: float = math.inf
    largest_bend: float = math.inf
    has_kink: bool = False
    name: str = ""

    @property
    def mean(self) -> Callable[[FloatArray], FloatArray]:
        """z → ŷ."""
        return LINKS[self.link].mean


def of_residual(
    value: Callable[[Any], Any],
    derivative: Callable[[FloatArray], FloatArray],
    largest_slope: float = math.inf,
    has_kink: bool = False,
    name: str = "",
) -> Loss:
    """A loss that is of the residual r = z − y alone, as its `value` and its `derivative` are."""

    def value_and_derivative(z: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        residual = z - y
        return value(residual), derivative(residual)

    return Loss(
        value=lambda z, y: value(z - y),
        derivative=lambda z, y: derivative(z - y),
        value_and_derivative=value_and_derivative,
        largest_slope=largest_slope,
        has_kink=has_kink,
        name=name,
    )


def squared_error() -> Loss:
    """ℓ = r², ∂ℓ/∂z = 2r."""
    name = "mean squared error"
    return of_residual(lambda residual: residual**2, lambda residual: 2.0 * residual, name=name)


def absolute_error() -> Loss:
    """ℓ = |r|, ∂ℓ/∂z = ±1, and 0 where z = y, as torch has it."""
    name = "mean absolute error"
    return of_residual(abs, np.sign, largest_slope=1.0, has_kink=True, name=name)


def huber(delta: float) -> Loss:
    """ℓ = ½r² for |r| ≤ δ, else δ(|r| − ½δ); ∂ℓ/∂z is r cut off at ±δ (Huber, 1964).

    With q = min(|r|, δ), both cases are q(|r| − ½q).
    """

    def value(residual: Any) -> Any:
        size = abs(residual)
        cut = size.clip(max=delta)
        return cut * (size - 0.5 * cut)

    return of_residual(
        value,
        lambda residual: residual.clip(-delta, delta),
        largest_slope=delta,
        name="Huber's loss",
    )


def logistic() -> Loss:
    """ℓ = log(1 + eᶻ) − yz, ∂ℓ/∂z = σ(z) − y; z stands for the probability σ(z) that y is 1."""

    # With s = ±1 for y = 0 and y = 1, ℓ = log(1 + eˢᶻ) and ∂ℓ/∂z = s·σ(sz), which have all of their
    # digits also where the probability of what was observed is near 1.
    def value(z: Any, y: Any) -> Any:
        wrong = (1 - 2 * y) * z
        if isinstance(z, np.ndarray):
            return np.logaddexp(0.0, wrong)
        import torch

        return torch.logaddexp(torch.zeros_like(z), wrong)

    def derivative(z: FloatArray, y: FloatArray) -> FloatArray:
        side = 1 - 2 * y
        return side * sigmoid(side * z)

    def value_and_derivative(z: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        # log(1 + e) for e = e^−|z| from 0 to 1, with what rounding takes of 1 + e: as exact as
        # log1p, and three times as fast.
        side = 1 - 2 * y
        wrong = side * z
        small = np.exp(-np.abs(wrong))
        sums = 1.0 + small
        values = np.log(sums) + (small - (sums - 1.0)) / sums + np.maximum(wrong, 0.0)
        return values, side * np.where(wrong < 0, small, 1.0) / sums

    def second(z: FloatArray, y: FloatArray) -> FloatArray:
        small = np.exp(-np.abs(z))
        return small / (1.0 + small) ** 2

    return Loss(
        value=value,
        derivative=derivative,
        value_and_derivative=value_and_derivative,
        second=second,
        link="logit",
        has_classes=True,
        largest_slope=1.0,
        largest_bend=0.25,
        name="log loss",
    )


def quantile(level: float) -> Loss:
    """ℓ = max(τr, (τ − 1)r) of r = y − z, the loss whose minimum is the τ-quantile (Koenker and
    Bassett, 1978); ∂ℓ/∂z = −τ where z < y, 1 − τ where z > y, and 0 where z = y."""
    tilt = level - 0.5
    return of_residual(
        lambda residual: 0.5 * abs(residual) - tilt * residual,
        lambda residual: 0.5 * np.sign(residual) - tilt * (residual != 0),
        largest_slope=max(level, 1 - level),
        has_kink=True,
        name=f"quantile loss, τ = {level:g}",
    )


# By name, what makes the loss of the settings.
LOSSES: dict[LossName, Callable[[Settings], Loss]] = {
    "mse": lambda settings: squared_error(),
    "mae": lambda settings: absolute_error(),
    "huber": lambda settings: huber(settings.huber_delta),
    "logistic": lambda settings: logistic(),
    "quantile": lambda settings: quantile(settings.quantile),
}


def own_loss(own: Own) -> Loss:
    """A loss of one's own: its derivative is that which is defined beside it, or autograd's."""
    beside = own.beside
    own.check_takes("a loss", "y_hat", "y")

    def by_column(of: Callable[[Any, Any], Any], z: Any, y: Any) -> Any:
        """`of` z and y of shape (n,); or of several columns z, and of y as a column."""
        if z.ndim == 1:
            return of(z, y)
        return np.stack([of(column, y[:, 0]) for column in z.T], axis=1)

    def value(z: Any, y: Any) -> Any:
        return by_column(own.losses, z, y)

    def derivative(z: FloatArray, y: FloatArray) -> FloatArray:
        slopes: FloatArray = by_column(beside.losses if beside else own.slopes, z, y)
        return slopes

    return Loss(
        value=value,
        derivative=derivative,
        value_and_derivative=lambda z, y: (value(z, y), derivative(z, y)),
        name=f"loss {own.name}",
    )


def loss_of(settings: Settings) -> Loss:
    """The loss that the settings name, or that which is their own."""
    if isinstance(settings.loss, Own):
        return own_loss(settings.loss)
    return LOSSES[settings.loss](settings)
