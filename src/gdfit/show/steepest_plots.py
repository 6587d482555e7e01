"""The picture that explains divergence: the parabola along the steepest direction, and the steps.

Along the eigenvector of the Hessian with the largest eigenvalue, the loss is a parabola, and each
step of gradient descent multiplies the distance to its lowest point by 1 − γλmax: see
`gdfit.descent.curvature`. Below −1, that leads from one side to the other and up.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from gdfit.arrays import FloatArray
from gdfit.descent.curvature import Curvature
from gdfit.descent.fit import Fit
from gdfit.descent.history import params_names
from gdfit.descent.loop import Step
from gdfit.show.colours import BLACK, BLUE, LARGEST, VERMILION, YELLOW, number, text_of
from gdfit.show.loss_plots import NAMES
from gdfit.show.scales import number_axis
from gdfit.show.tidy import label_at, nothing_in

FARTHEST = 12  # times the first distance is what is shown, but for the first step
MOST_STEPS = 40
POINTS = 401  # of the parabola
NEAR = 0.03  # of the width: what is nearer to the minimum is beside it
ARROWS = 6  # steps, each of which is an arrow


def draw_steepest(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The loss along the steepest direction, with the first steps of the params on it."""
    bends = fit.curvature
    assert bends
    axes.set_xlabel(f"distance from the minimum along the steepest direction,\n{direction(fit)}")
    axes.set_ylabel(NAMES["mse"])
    axes.set_title("The steps along the steepest direction")
    epochs, distances = first_steps(fit, bends, steps)
    if not len(distances):
        nothing_in(axes, "the numbers are too large to be drawn")
        return
    shown = how_many(distances)
    reach = 1.2 * float(np.abs(distances[:shown]).max()) or 1.0
    along = np.linspace(-reach, reach, POINTS)
    rise = bends.lambda_max / 2 * reach**2 or 1.0
    heights = bends.minimum_loss + bends.lambda_max / 2 * distances**2
    top = bends.minimum_loss + rise
    axes.plot(
        along,
        bends.minimum_loss + bends.lambda_max / 2 * along**2,
        color=BLUE,
        linewidth=2.2,
        label="minimum + ½λmax·distance²",
    )
    walked = np.column_stack([distances, heights])[: shown + 1]
    if len(walked) > shown:  # one step more, as far as it is in the picture
        before, after = walked[-2:]
        if after[1] > top:
            walked[-1] = before + (top - before[1]) / (after[1] - before[1]) * (after - before)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(bends.minimum_loss - 0.16 * rise, top)
    draw_steps(axes, walked, shown)
    axes.plot(0, bends.minimum_loss, "*", color=YELLOW, markeredgecolor=BLACK, markersize=17)
    label_steps(axes, walked[:shown], epochs[:shown])
    if abs(distances[0]) > NEAR * reach:
        label_at(axes, "minimum", 0, bends.minimum_loss)
    number_axis(axes.xaxis)
    number_axis(axes.yaxis)
    factor = 1 - float(fit.settings.lr) * bends.lambda_max
    axes.set_title(f"Each step multiplies the distance by 1 − γλmax = {number(factor)}")


def first_steps(fit: Fit, bends: Curvature, steps: Sequence[Step]) -> tuple[list[int], FloatArray]:
    """The first epochs, 0 before them, and how far from the minimum the params were after each,
    along the steepest direction; the first is to the left. If that is no distance at all but for
    rounding, those from when it is one."""
    first = [step for step in steps if step.epoch <= MOST_STEPS + 1]
    params = np.array([fit.start, *(step.params for step in first)])
    with np.errstate(over="ignore", invalid="ignore"):
        distances = (params - bends.minimum) @ bends.eigenvectors[:, 0]
        seen = bends.lambda_max * distances**2 < LARGEST
    distances = distances[: int(np.argmin(seen)) if not seen.all() else len(seen)]
    if not len(distances):
        return [], distances
    size = max(np.abs(bends.minimum).max(), np.abs(fit.start).max())
    begun = int(np.argmax(np.abs(distances) > 1e-9 * size))
    distances *= -1 if distances[begun] > 0 else 1
    return list(range(begun, len(distances))), distances[begun:]


def how_many(distances: FloatArray) -> int:
    """How many of the params to show: the first two, and then those that are not too far away for
    the first to be seen."""
    far = np.flatnonzero(np.abs(distances) > FARTHEST * abs(distances[0]))
    return min(max(int(far[0]), 2) if len(far) else len(distances), MOST_STEPS + 1)


def draw_steps(axes: Axes, walked: FloatArray, shown: int) -> None:
    """The way from step to step, with arrows where they are few."""
    axes.plot(walked[:, 0], walked[:, 1], color=VERMILION, linewidth=1.6, label="steps")
    axes.plot(walked[:shown, 0], walked[:shown, 1], "o", color=VERMILION, markersize=6)
    for start, end in itertools.pairwise(walked) if shown <= ARROWS else ():
        arrow = {"arrowstyle": "-|>", "color": VERMILION, "linewidth": 1.6, "mutation_scale": 18}
        axes.annotate("", xy=end, xytext=start, arrowprops=arrow, annotation_clip=False)


def label_steps(axes: Axes, walked: FloatArray, epochs: Sequence[int]) -> None:
    """Epochs beside their steps: all of a few, else those that are marked elsewhere."""
    few = len(epochs) <= ARROWS + 2
    for epoch, (distance, height) in zip(epochs, walked.tolist(), strict=True):
        if few or epoch in (0, 1, 10, epochs[-1]):
            name = "start" if epoch == 0 else f"epoch {epoch}"
            if abs(distance) > NEAR * axes.get_xlim()[1]:
                label_at(axes, name, distance, height)
            elif epoch == epochs[0]:
                label_at(axes, f"{name}, beside the minimum", distance, height)


def direction(fit: Fit) -> str:
    """Where the steepest direction leads."""
    assert fit.curvature
    names, steepest = params_names(fit.model.features), fit.curvature.eigenvectors[:, 0]
    largest = int(np.abs(steepest).argmax())
    if len(names) == 2:
        along = steepest / steepest[largest]
        return f"(w, b) = ({number(along[0])}, {number(along[1])})"
    return f"mostly {text_of(names[largest])}"
