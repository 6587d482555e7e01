"""Why a learning rate makes the loss grow on these data, and which one to try."""

from __future__ import annotations

import math

from gdfit.curvature import Curvature, standardized_curvature
from gdfit.observations import Observations
from gdfit.settings import Settings


def growth(bends: Curvature | None, lr: float, epochs: int) -> str:
    """What to say of a loss that has grown for some epochs running; `bends` is the curvature, if
    this is gradient descent on the squared loss."""
    why = ""
    if bends and lr > bends.max_stable_lr:
        why = f": --lr {lr:g} is above 2/λmax = {bends.max_stable_lr:.6g}"
    return f"the loss has grown for {epochs} epochs running{why}"


def why_it_grows(
    observations: Observations, bends: Curvature | None, lr: float, settings: Settings
) -> str:
    """Why descending at `lr` does not come down, and what to type instead.

    `bends` is the curvature of the squared loss that is descended on, of standardized features if
    they are.
    """
    scale = "" if settings.standardize else ", or --standardize"
    if bends is None or settings.optimizer == "adam":
        return f"--lr {lr:g} is too large for this data; try --lr {below(lr / 10)}{scale}"
    if not math.isfinite(bends.lambda_max):
        return f"the numbers are too large for float64: λmax is infinite; scale the data{scale}"
    if not settings.is_plain:
        # Momentum and Nesterov's are stable for all μ at 1/λmax; a batch is steeper than the whole.
        stable = (0.1 if settings.batch_size else 1.0) / bends.lambda_max
        return (
            f"--lr {lr:g} is too large for this data, whose λmax is {bends.lambda_max:.6g}; try "
            f"--lr {below(min(stable, lr / 2))}{scale}"
        )
    bound = bends.max_stable_lr
    if lr < bound:
        return (
            f"--lr {lr:g} is stable on this data, below 2/λmax = {bound:.6g}, but the numbers are "
            "too large for float64; scale the data, or start elsewhere with --init"
        )
    why = (
        f"gradient descent on this data is stable only for --lr below 2/λmax = {bound:.6g}, and it "
        f"is {lr:g}; try --lr {below(bends.best_lr)}"
    )
    scaled = None if settings.standardize else standardized_curvature(observations, settings.l2)
    if scaled is None or scaled.max_stable_lr <= bound:
        return why
    rate = f"--lr {below(scaled.best_lr)}" if lr >= scaled.max_stable_lr else f"--lr {lr:g}"
    return f"{why}, or --standardize {rate} (stable below {scaled.max_stable_lr:.4g})"


def below(rate: float) -> str:
    """`rate` to two digits, rounded down."""
    unit = 10.0 ** (math.floor(math.log10(rate)) - 1)
    return f"{math.floor(rate / unit) * unit:.2g}"
