"""Fits that can be drawn in a plane: those to one feature, or to what is made of one number.

Pictures of the fit: the line through the observations, or predicted against observed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.data.terms.row_maker import rows_at
from gdfit.descent.loop import Step
from gdfit.descent.run import Fit
from gdfit.show.pictures.axes import (
    BLACK,
    BLUE,
    GREY,
    LARGEST,
    ORANGE,
    VERMILION,
    count,
    number,
    number_axis,
    text_of,
    window,
)
from gdfit.show.pictures.trace import Mark, marks_of

CURVE = 300  # points of a curve
ROUNDING = 1e-12  # of the size of numbers: a difference that is none


def on_a_plane(fit: Fit) -> bool:
    """Whether all features are one, or made of one number: ŷ can be drawn above it."""
    made_of = fit.observations.expansion
    alone = made_of is not None and len(made_of.numbers) == 1 and not made_of.categories
    return len(fit.model.features) == 1 or alone


def slope_of(fit: Fit) -> float:
    """The slope of the line: 0 where over the observations it rises by no more than rounding."""
    w, b = fit.model.params
    x = fit.observations.sample[:, 0]
    run = np.ptp(x) or np.abs(x).max()  # x may not vary
    return 0.0 if abs(w) * run <= ROUNDING * abs(b) else w


def name_along(fit: Fit) -> str:
    """What is along the axis: the only feature, or the number that all are made of."""
    made_of = fit.observations.expansion
    return made_of.numbers[0] if made_of and len(fit.model.features) > 1 else fit.model.features[0]


def plane_of(part: Observations) -> tuple[FloatArray, FloatArray]:
    """The feature, or the number that all features are made of, and y, of the sample."""
    sample, inputs = part.sample, part.sample_inputs
    return (sample[:, 0] if sample.shape[1] == 2 or inputs is None else inputs[:, 0]), sample[:, -1]


def features_along(
    fit: Fit, left: float, right: float, observed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Where to draw a line from `left` to `right`, and the features there, shape (points, p). A
    curve goes no farther than what was `observed`: a logarithm may have no value there."""
    made_of = fit.observations.expansion
    if made_of is None or len(fit.model.features) == 1:
        ends = np.array([left, right])
        return ends, ends[:, np.newaxis]
    x = np.linspace(observed.min(), observed.max(), CURVE)
    return x, made_of.expand(rows_at(made_of, [x]))[:, : len(fit.model.features)]


def heights_of(fit: Fit, params: FloatArray, features: FloatArray) -> FloatArray:
    """ŷ at `features`, shape (points, p), with `params` as they are descended on."""
    with np.errstate(over="ignore", invalid="ignore"):
        params = fit.scaling.to_data(params) if fit.scaling else params
        heights: FloatArray = features @ params[:-1] + params[-1]
    return heights


FEW = 200  # observations, each of which is seen
LONGEST_LABEL = 40
ROOM, FINAL_ROOM = 2.0, 4.0  # times the height of the observations, for earlier lines, the last
SAME = 0.004  # of the window's height: lines that are nearer are one


def draw_fit(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The fit, for any number of features."""
    number_axis(axes.xaxis)
    number_axis(axes.yaxis)
    if on_a_plane(fit):
        draw_line(axes, fit, steps)
    else:
        draw_predictions(axes, fit, steps)
    axes.set_title(ending(fit))


def draw_line(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The observations with the line, and faintly the lines of earlier epochs: curves, where the
    features are powers of a number, or the like."""
    observed = np.concatenate([np.column_stack(plane_of(part)) for part in parts(fit)])
    left, right = window(observed[:, 0], 0.05)
    low, high = window(observed[:, 1], 0.12)
    x, features = features_along(fit, left, right, observed[:, 0])
    earlier = marks_of(fit, steps)
    if fit.status == "diverged":
        earlier.insert(0, Mark(0, fit.start, GREY))
    final = heights_of(fit, fit.params, features)
    lines = [heights_of(fit, mark.params, features) for mark in earlier]
    low, high = with_lines(low, high, fit, final, lines)
    for part in parts(fit):
        scatter(axes, *plane_of(part), fit, part)
    for mark, heights in zip(earlier, lines, strict=True):
        seen = heights.min() < high and heights.max() > low  # NaN is not
        if seen and not np.abs(heights - final).max() < SAME * (high - low):
            label = f"epoch {mark.epoch:,}" if mark.epoch else "start"
            axes.plot(x, heights, color=mark.colour, linewidth=1.6, label=label)
    if fit.status != "diverged":
        label = equation(fit)
        if final.min() >= high or final.max() <= low:
            label += " (out of the picture)"
        axes.plot(x, final, color=VERMILION, linewidth=2.8, label=label)
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    axes.set_xlabel(text_of(name_along(fit)))
    axes.set_ylabel(text_of(fit.model.target))


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
    return window(np.array([low, high]), 0.0 if high - low == height else 0.04)


def parts(fit: Fit) -> list[Observations]:
    """What was fitted, and what it is validated on."""
    return [fit.observations, *([fit.validation] if fit.validation else [])]


def scatter(axes: Axes, x: FloatArray, y: FloatArray, fit: Fit, part: Observations) -> None:
    """Points, one for each observation of a part that is drawn; the legend says how many are."""
    held_out = part is fit.validation
    label = "validation" if held_out else "observations"
    if len(part.sample) < part.count:
        label += f" ({len(part.sample):,} of {part.count:,} drawn)"
    few = len(part.sample) <= FEW
    axes.scatter(
        x,
        y,
        s=30 if few else 10,
        alpha=0.85 if few else 0.5,
        marker="D" if held_out else "o",
        facecolors="white" if held_out else BLUE,
        edgecolors=ORANGE if held_out else BLUE,
        linewidths=1.5 if held_out else 0.0,
        label=label,
        zorder=2.5 if held_out else 2.4,
    )


def draw_predictions(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """Predicted against observed, with the diagonal on which they are the same."""
    axes.set_xlabel(f"observed {text_of(fit.model.target)}")
    axes.set_ylabel(f"predicted {text_of(fit.model.target)}")
    params = np.array(fit.model.params)
    if fit.status == "diverged":  # what came after it is beyond all measure
        first = steps[0].params
        params = fit.scaling.to_data(first) if fit.scaling else first
    observed, predicted = [], []
    for part in parts(fit):
        x, y = part.sample[:, :-1], part.sample[:, -1]
        with np.errstate(over="ignore", invalid="ignore"):
            prediction = x @ params[:-1] + params[-1]
        if (np.abs(prediction) < LARGEST).all():
            scatter(axes, y, prediction, fit, part)
            observed.append(y)
            predicted.append(prediction)
    both = np.concatenate([*observed, *predicted, fit.observations.sample[:, -1]])
    limits = window(both, 0.05)
    axes.plot(limits, limits, color=BLACK, linewidth=1, label="predicted = observed", zorder=1)
    axes.set_ylim(*limits)
    axes.set_xlim(
        *(
            window(np.concatenate(observed), 0.05)
            if fit.status == "diverged" and observed
            else limits
        )
    )


def ending(fit: Fit) -> str:
    """How many epochs, and how it ended if it did not just end."""
    epochs = count(fit.epochs, "epoch")
    if fit.status == "diverged":
        shown = "" if on_a_plane(fit) else "; drawn after epoch 1"
        return f"The fit: diverged after {epochs}{shown}"
    if fit.best_epoch < fit.epochs:
        return f"The fit after epoch {fit.best_epoch:,} of {fit.epochs:,}, the best"
    ended = {"completed": "", "target": ": target reached", "patience": ": out of patience"}
    return f"The fit after {epochs}{ended.get(fit.status, f': {fit.status}')}"


def equation(fit: Fit) -> str:
    """``y = 0.302 x + 0.233``, for a legend; on two lines where it is long."""
    if len(fit.model.features) > 1:
        return "the fit"
    w, b = slope_of(fit), fit.model.params[-1]
    name, target = text_of(fit.model.features[0]), text_of(fit.model.target)
    right = f"{number(w)} {name}"
    if fit.observations.intercept:
        right += f" {'−' if b < 0 else '+'} {number(abs(b))}"
    long = len(target) + len(right) > LONGEST_LABEL
    return f"{target} =\n{right}" if long else f"{target} = {right}"
