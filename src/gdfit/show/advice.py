"""What a run came to, in words: how it ended, how far from the minimum, and what to type next."""

from __future__ import annotations

import math

from gdfit.descent.curvature import Curvature, standardized_curvature
from gdfit.descent.fit import Fit, Run

EXACT = 1e-28  # the part of the mean of y² that a loss is by rounding, where the fit is exact


def ending(fit: Fit) -> str:
    """How the run ended."""
    settings = fit.settings
    if fit.status == "diverged":
        return f"diverged at epoch {fit.epochs}: loss or params are not finite any more"
    if fit.status == "converged":
        return (
            f"converged at epoch {fit.epochs}: no param moved by more than {settings.tol:g} in it"
        )
    if fit.status == "target":
        which = "loss" if fit.validation_loss is None else "validation loss"
        return (
            f"target reached at epoch {fit.epochs}: the {which} is at or below "
            f"{settings.target_loss:g}"
        )
    best = f"; the params are those of epoch {fit.best_epoch}, where the validation loss was least"
    if fit.status == "patience":
        return (
            f"out of patience at epoch {fit.epochs}: {settings.patience} epochs brought no lower "
            f"validation loss{best}"
        )
    if fit.status != "completed":
        return f"{fit.status} at epoch {fit.epochs}"
    ran = f"ran all {fit.epochs} epochs" if fit.epochs > 1 else "ran 1 epoch"
    return ran + (best if fit.best_epoch < fit.epochs else "")


def minimum(fit: Fit, bends: Curvature) -> str:
    """The least loss there is, and how far above it this one is."""
    least = bends.minimum_loss
    if least <= EXACT * fit.observations.mean_square:
        least = 0.0  # but for rounding
    text = f"{least:.8g} is the {'least penalized' if fit.settings.l2 else 'least-squares'} loss"
    if not bends.is_unique:
        text += ", of many params: some columns depend on others"
    if is_at_minimum(fit, bends):
        return f"{text}; this is it"
    if least <= 0:
        return text
    ratio = fit.loss / least
    above = f"{100 * (ratio - 1):.2g} % above it" if ratio < 2 else f"{ratio:.3g} times as much"
    return f"{text}; this is {above}"


def is_at_minimum(fit: Fit, bends: Curvature) -> bool:
    """Whether the loss is the least there is, but for rounding."""
    least = bends.minimum_loss
    return fit.loss - least <= max(1e-9 * least, EXACT * fit.observations.mean_square)


def next_digit(fit: Fit, bends: Curvature) -> str:
    """How many epochs more would bring the params ten times nearer to the minimum."""
    epochs = bends.epochs_to_next_digit(fit.params, float(fit.settings.lr))
    if math.isinf(epochs):
        return "never, at this learning rate"
    return f"in about {rounded(epochs)} more"


def rounded(epochs: float) -> str:
    """A number of epochs, to two digits."""
    about = float(f"{max(epochs, 1):.2g}")
    return "1 epoch" if about == 1 else f"{about:,.0f} epochs"


def diverged(fit: Fit) -> str:
    """Why the run diverged, and what to type instead."""
    return f"diverged at epoch {fit.epochs}, no model was written: {why_it_grows(fit)}"


def growth(run: Run, epochs: int) -> str:
    """What to say of a loss that has grown for some epochs running."""
    why, bends, lr = "", run.curvature, float(run.settings.lr)
    if bends and run.settings.is_plain and lr > bends.max_stable_lr:
        why = f": --lr {lr:g} is above 2/λmax = {bends.max_stable_lr:.6g}"
    return f"the loss has grown for {epochs} epochs running{why}"


def why_it_grows(fit: Fit) -> str:
    """Why the run does not come down, and what to type instead."""
    bends, settings, lr = fit.curvature, fit.settings, float(fit.settings.lr)
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
    scaled = None if settings.standardize else standardized_curvature(fit.observations, settings.l2)
    if scaled is None or scaled.max_stable_lr <= bound:
        return why
    rate = f"--lr {below(scaled.best_lr)}" if lr >= scaled.max_stable_lr else f"--lr {lr:g}"
    return f"{why}, or --standardize {rate} (stable below {scaled.max_stable_lr:.4g})"


def below(rate: float) -> str:
    """`rate` to two digits, rounded down."""
    unit = 10.0 ** (math.floor(math.log10(rate)) - 1)
    return f"{math.floor(rate / unit) * unit:.2g}"
