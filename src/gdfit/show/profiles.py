"""The picture of a path of penalties: the weights against λ, and the loss on the folds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdfit.descent.outcome import params_names
from gdfit.descent.penalty_path import PenaltyPath
from gdfit.show.pictures import drawing
from gdfit.show.pictures.curves import draw_bundle, name_at, place_names
from gdfit.show.pictures.drawing import BLACK, BLUE, GREY, LINE_STYLES, LINES, VERMILION
from gdfit.show.pictures.figure import PIXELS, WHOLE_DPI, save_figure
from gdfit.show.pictures.trace import STEEP
from gdfit.show.tables.style import SHOWN_FEATURES


def save_profiles(found: PenaltyPath, path: Path) -> None:
    """Draw the path to the file at `path`."""
    save_figure(lambda: draw_profiles(found), path)


def draw_profiles(found: PenaltyPath) -> Figure:
    """The weights of standardized features against λ, which falls to the right; and below, with
    folds, their mean loss with its standard errors."""
    width, height = (pixels / WHOLE_DPI for pixels in PIXELS)
    figure = Figure(figsize=(width, height), dpi=WHOLE_DPI, layout="constrained")
    if found.fold_losses is None:
        every = [figure.add_subplot()]
    else:
        every = list(figure.subplots(2, 1, sharex=True, height_ratios=(1.4, 1)))
        draw_held_out(every[1], found)
    finish = draw_weights(every[0], found)
    for name, place in told_places(found).items():
        colour, strength = VERMILION if name == "least" else BLACK, float(found.lambdas[place])
        label = f"{name}: λ = {drawing.picture_number(strength)}"
        for axes in every:
            line = axes.axvline(strength, color=colour, linestyle=":", linewidth=1.2, gid=name)
        line.set_label(label)  # below, where the loss says why
    penalty_axis(every[-1], found)
    drawing.settle(figure)
    finish()
    drawing.tidy(figure)
    return figure


def told_places(found: PenaltyPath) -> dict[str, int]:
    """The places of the λ that are told of, by what they are called."""
    places = {"least": found.place("least"), "1se": found.place("1se")}
    return {name: place for name, place in places.items() if place is not None}


def draw_weights(axes: Axes, found: PenaltyPath) -> Callable[[], None]:
    """The weights, those that are largest with their names; what is returned places these, once the
    axes have their size."""
    path = found.params[:, :-1] * found.scaling.deviations
    sizes = np.abs(path).max(axis=0)
    named = sorted(np.argsort(-sizes, kind="stable")[:SHOWN_FEATURES].tolist())
    others = np.setdiff1d(np.arange(path.shape[1]), named)
    if len(others):
        draw_bundle(axes, found.lambdas, path[:, others])
    names = params_names(found.observations.features)
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    labels = []
    for place, weight in enumerate(named):
        colour = LINES[place % len(LINES)]
        look = LINE_STYLES[place // len(LINES) % len(LINE_STYLES)]
        axes.plot(found.lambdas, path[:, weight], look, color=colour, linewidth=1.8, gid="weight")
        labels.append(name_at(axes, drawing.escaped(names[weight]), colour))
    ends = path[-1, named]
    if len(others):
        labels.append(name_at(axes, f"and {len(others):,} others", GREY))
        ends = np.append(ends, np.median(path[-1, others]))
    drawing.number_axes(axes.yaxis)
    what = {"l1": "lasso", "l2": "ridge", "mix": f"elastic net, ρ = {found.mix:g}"}[found.penalty]
    axes.set(ylim=drawing.window(path, 0.06), ylabel="weight of (x − mean)/std")
    axes.set(title=f"The weights against the penalty: {what}")
    last = float(found.lambdas[-1])
    return lambda: place_names(axes, labels, [(last, end) for end in ends.tolist()])


def draw_held_out(axes: Axes, found: PenaltyPath) -> None:
    """The mean loss on the folds, with a bar of a standard error on each side."""
    mean, error, folds = found.cv_mean, found.cv_std_error, found.fold_losses
    assert mean is not None
    assert folds is not None
    axes.errorbar(found.lambdas, mean, error, color=BLUE, ecolor="#A9CDE6", linewidth=1.6)
    drawing.number_axes(axes.yaxis)
    if error is not None and mean.max() > STEEP * (mean - error).min() > 0:
        low, high = drawing.window(np.log10([mean - error, mean + error]), 0.04)
        drawing.log_axis(axes, 10**low, 10**high)
    axes.set(ylabel=f"loss on {len(folds)} folds")


def penalty_axis(axes: Axes, found: PenaltyPath) -> None:
    """The axis of λ, which falls to the right."""
    positive = found.lambdas[found.lambdas > 0]
    if len(positive) > 1:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(drawing.Powers())
    shown = positive if len(positive) > 1 else np.array([1.0, 0.0]) * (2 * found.lambdas.max() or 1)
    axes.set(xlabel="penalty λ", xlim=(float(shown[0]), float(shown[-1])))
