"""Pictures of the loss against the epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from gdfit.arrays import FloatArray
from gdfit.descent.choice import EXACT
from gdfit.descent.fit import Fit
from gdfit.descent.loop import Step
from gdfit.show.colours import BLACK, BLUE, LARGEST, ORANGE, count, number
from gdfit.show.marks import climbs
from gdfit.show.scales import epoch_axis, log_axis, number_axis, window
from gdfit.show.tidy import nothing_in

NAMES = {"mse": "mean squared error", "mae": "mean absolute error", "huber": "Huber's loss"}
WIDE = 20  # times the least loss, and the largest asks for a logarithmic axis
LONG = 100  # epochs that a linear axis shows well
FEW = 12  # epochs, each of which is a dot


def draw_loss(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """Loss against epoch, with the validation loss and the minimum, logarithmic where it helps."""
    epochs = np.array([step.epoch for step in steps])
    curves = [("loss", np.array([step.loss for step in steps]), BLUE)]
    if fit.validation:
        held_out = np.array([step.validation_loss for step in steps], dtype=float)
        curves.append(("validation loss", held_out, ORANGE))
    for name, curve, colour in curves:
        seen = np.abs(curve) < LARGEST  # infinity and NaN are not
        mark = "o" if seen.sum() <= FEW else None
        axes.plot(epochs[seen], curve[seen], color=colour, marker=mark, linewidth=1.8, label=name)
    losses = np.array([curve for _, curve, _ in curves])
    if not (losses < LARGEST).any():
        nothing_in(axes, "the loss is too large to be drawn")
    cuts = loss_axis(axes, fit, losses[np.abs(losses) < LARGEST])
    if not (np.abs(losses) < LARGEST).all():
        first = epochs[~(np.abs(losses) < LARGEST).all(axis=0)][0]
        cuts.append(f"cut at epoch {first:,}: above {number(LARGEST)}")
    last = steps[-1].epoch
    epoch_axis(axes, 1, last, logarithmic=last > LONG and fit.status != "diverged")
    name = NAMES.get(fit.settings.loss, fit.settings.loss)
    axes.set_ylabel("\n".join([name, *cuts]))
    axes.set_title(title(fit))


def loss_axis(axes: Axes, fit: Fit, losses: FloatArray) -> list[str]:
    """Limits and kind of the loss's axis, and the minimum on it; what it says of where it is cut.

    losses : those that it can show.
    """
    rounding = rounding_of(fit)
    positive = losses[losses > rounding]
    logarithmic = len(positive) > 1 and positive.max() > WIDE * positive.min()
    least = fit.curvature.minimum_loss if fit.curvature else math.nan
    least = 0.0 if least <= rounding else least
    if least > 1e-6 * losses.max(initial=0) if logarithmic else least >= 0:
        label = f"minimum {number(least)}"
        axes.axhline(least, color=BLACK, linestyle="--", linewidth=1.2, label=label, zorder=1)
        losses = np.append(losses, least)
        positive = np.append(positive, least)
    if logarithmic:
        low, high = window(np.log10(positive), 0.06)
        cut = losses.min() <= rounding
        if cut:
            low = math.floor(math.log10(rounding))
        log_axis(axes, 10**low, 10**high)
        return [f"below {number(10**low)} is rounding"] if cut else []
    number_axis(axes.yaxis)
    if len(losses):
        low, high = window(losses, 0.08)
        axes.set_ylim(max(low, -0.1 * high), high)
    return []


def rounding_of(fit: Fit) -> float:
    """The loss that is 0 but for rounding."""
    with np.errstate(over="ignore"):
        squared = EXACT * fit.observations.mean_square
    return math.sqrt(squared) if fit.settings.loss == "mae" else squared


def title(fit: Fit) -> str:
    """With what it was run, or of a run that climbs, how fast."""
    settings, bends = fit.settings, fit.curvature
    if bends and climbs(fit):
        factor = (1 - float(settings.lr) * bends.lambda_max) ** 2
        return f"The loss: in the end each epoch multiplies it by {number(factor)}"
    batches = f", {count(settings.batch_size, 'row')} a batch" if settings.batch_size else ""
    return f"The loss: {settings.optimizer}, lr {float(settings.lr):.4g}{batches}"
