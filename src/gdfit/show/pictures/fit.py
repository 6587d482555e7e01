"""The picture of a fit: the line through the observations, or predicted against observed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit
from gdfit.show.pictures import drawing, trace
from gdfit.show.pictures.drawing import BLACK, BLUE, GREY, ORANGE, VERMILION
from gdfit.show.pictures.trace import LARGEST, Mark, on_a_plane, plane_of
from gdfit.show.tables.style import counted

FEW_DOTS = 200  # observations, each of which is seen
LONGEST_LABEL = 40
ROOM, FINAL_ROOM = 2.0, 4.0  # times the height of the observations, for earlier lines, the last
APART = 0.004  # of the window's height: lines that are nearer are one


def draw_fit(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The fit, for any number of features."""
    drawing.number_axes(axes.xaxis, axes.yaxis)
    draw = draw_line if on_a_plane(fit) else draw_predictions
    draw(axes, fit, steps)
    axes.set_title(fit_title(fit))


def draw_line(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The observations with the line, and faintly the lines of earlier epochs: curves, where the
    features are powers of a number, or the like."""
    observed = np.concatenate([np.column_stack(plane_of(part)) for part in trace.parts(fit)])
    left, right = drawing.window(observed[:, 0], 0.05)
    low, high = drawing.window(observed[:, 1], 0.12)
    x, features = trace.features_along(fit, np.array([left, right]), observed[:, 0])
    earlier = trace.marks_of(fit, steps)
    if fit.status == "diverged":
        earlier.insert(0, Mark(0, fit.start, GREY))
    final = trace.heights_of(fit, fit.params, features)
    lines = [trace.heights_of(fit, mark.params, features) for mark in earlier]
    low, high = with_lines(low, high, fit, final, lines)
    for part in trace.parts(fit):
        scatter(axes, *plane_of(part), fit, part)
    for mark, heights in zip(earlier, lines, strict=True):
        seen = heights.min() < high and heights.max() > low  # NaN is not
        if seen and not np.abs(heights - final).max() < APART * (high - low):
            label = f"epoch {mark.epoch:,}" if mark.epoch else "start"
            axes.plot(x, heights, color=mark.colour, linewidth=1.6, label=label)
    if fit.status != "diverged":
        label = line_label(fit)
        if final.min() >= high or final.max() <= low:
            label += " (out of the picture)"
        axes.plot(x, final, color=VERMILION, linewidth=2.8, label=label)
    name, target = drawing.escaped(trace.name_along(fit)), drawing.escaped(fit.model.target)
    axes.set(xlim=(left, right), ylim=(low, high), xlabel=name, ylabel=target)
    if trace.is_along_dates(fit):
        drawing.date_axis(axes.xaxis)


def with_lines(
    low: float, high: float, fit: Fit, final: FloatArray, earlier: Sequence[FloatArray]
) -> tuple[float, float]:
    """A window from `low` to `high`, made larger for those lines that don't make the observations
    too small; for a run that diverged, for the first two in any case."""
    height = high - low
    lines = [(final, FINAL_ROOM * height), *((line, ROOM * height) for line in earlier)]
    if fit.status == "diverged":
        lines = [(line, LARGEST) for line in earlier[:2]] + lines[3:]
    for heights, most in lines:
        lower, higher = min(low, heights.min()), max(high, heights.max())
        with np.errstate(over="ignore", invalid="ignore"):
            if higher - lower <= most:
                low, high = lower, higher
    return drawing.window(np.array([low, high]), 0.0 if high - low == height else 0.04)


def scatter(axes: Axes, x: FloatArray, y: FloatArray, fit: Fit, part: Observations) -> None:
    """Points, one for each observation of a part that is drawn; the legend says how many are."""
    held_out = part is fit.validation
    label = "validation" if held_out else "observations"
    if len(part.sample) < part.count:
        label += f" ({len(part.sample):,} of {part.count:,} drawn)"
    few = len(part.sample) <= FEW_DOTS
    dots = axes.scatter(x, y, s=30 if few else 10, marker="D" if held_out else "o", label=label)
    dots.set(facecolors="white" if held_out else BLUE, edgecolors=ORANGE if held_out else BLUE)
    dots.set(alpha=0.85 if few else 0.5, linewidths=1.5 if held_out else 0.0)
    dots.set_zorder(2.5 if held_out else 2.4)


def draw_predictions(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """Predicted against observed, with the diagonal on which they are the same."""
    target = drawing.escaped(fit.model.target)
    axes.set(xlabel=f"observed {target}", ylabel=f"predicted {target}")
    # What comes after the first step of a run that diverged is beyond all measure.
    params = steps[0].params if fit.status == "diverged" else fit.params
    observed, predicted = [], []
    for part in trace.parts(fit):
        y, prediction = part.sample[:, -1], trace.heights_of(fit, params, part.sample[:, :-1])
        if (np.abs(prediction) < LARGEST).all():
            scatter(axes, y, prediction, fit, part)
            observed.append(y)
            predicted.append(prediction)
    both = np.concatenate([*observed, *predicted, fit.observations.sample[:, -1]])
    limits = drawing.window(both, 0.05)
    axes.plot(limits, limits, color=BLACK, linewidth=1, label="predicted = observed", zorder=1)
    across = np.concatenate(observed) if fit.status == "diverged" and observed else both
    axes.set(ylim=limits, xlim=drawing.window(across, 0.05))


def fit_title(fit: Fit) -> str:
    """The title: after how many epochs, and how it ended if it did not just end."""
    last = trace.numbered(fit, fit.epochs)
    epochs = counted(last, "epoch")
    if fit.status == "diverged":
        shown = "" if on_a_plane(fit) else "; drawn after epoch 1"
        return f"The fit: diverged after {epochs}{shown}"
    if fit.best_epoch < fit.epochs:
        best = trace.numbered(fit, fit.best_epoch)
        return f"The fit after epoch {best:,} of {last:,}, the best"
    ended = {"completed": "", "target": ": target reached", "patience": ": out of patience"}
    return f"The fit after {epochs}{ended.get(fit.status, f': {fit.status}')}"


def line_label(fit: Fit) -> str:
    """``y = 0.302 x + 0.233``, for a legend; on two lines where it is long."""
    if len(fit.model.features) > 1:
        return "the fit"
    name, target = drawing.escaped(fit.model.features[0]), drawing.escaped(fit.model.target)
    right = trace.line_in_symbols(fit, name, drawing.picture_number)
    long = len(target) + len(right) > LONGEST_LABEL
    return f"{target} =\n{right}" if long else f"{target} = {right}"
