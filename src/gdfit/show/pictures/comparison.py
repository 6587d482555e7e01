"""Pictures of runs over each other: their losses, and for one feature their paths.

The paths of several runs over level sets of the loss, for one feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gdfit.arrays import FloatArray
from gdfit.descent.compare import Comparison, RunResult
from gdfit.descent.curvature import curvature_of
from gdfit.descent.run import Fit
from gdfit.show.pictures.axes import (
    BLACK,
    LARGEST,
    LINES,
    YELLOW,
    epoch_axis,
    log_axis,
    number,
    number_axis,
    settle,
    text_of,
    tidy,
    window,
)
from gdfit.show.pictures.curves import LONG, NAMES, WIDE, rounding_of
from gdfit.show.pictures.figure import PIXELS, WHOLE, save_figure
from gdfit.show.pictures.path import draw_level_sets, equalize, stays_within
from gdfit.show.tables.comparison import setting

NAMED = 12  # runs that are told apart; more are drawn faintly
STYLES: tuple[LineStyle, ...] = ("-", "--", ":", "-.")
FAINT = "#BBBBBB"
ABOVE = 10  # times the losses of runs that come down: what is above is cut
LETTERS = 150  # on a line of the legend
POINTS = 2000  # of a curve at most


def save_comparison(comparison: Comparison, path: Path) -> None:
    """Draw the runs to the file at `path`."""
    save_figure(lambda: draw_comparison(comparison), path)


def draw_comparison(comparison: Comparison) -> Figure:
    """The picture of several runs: the loss against the epoch on the left; for one feature and a b,
    the paths over level sets of the loss on the right. Losses that don't compare stand apart."""
    groups = comparison.groups()
    observations = comparison.outcomes[0].fit.observations
    on_a_plane = len(observations.features) == 1 and observations.intercept
    width, height = (pixels / WHOLE for pixels in PIXELS)
    size = width, height * max(1.0, 0.6 * len(groups))
    figure = Figure(figsize=size, dpi=WHOLE, layout="constrained")
    grid = figure.subplots(len(groups), 2 if on_a_plane else 1, squeeze=False)
    looks = looks_of(comparison)
    finishes = []
    for group, row in zip(groups, grid, strict=True):
        draw_losses(row[0], comparison, group, looks)
        if on_a_plane:
            finishes.append(draw_paths(row[1], group, looks))
    add_legend(figure, looks, comparison)
    settle(figure)
    for finish in finishes:
        finish()
    tidy(figure)
    return figure


def looks_of(comparison: Comparison) -> dict[int, Look]:
    """How each run is drawn, by its number, the best first. Where two options vary, one is told by
    the colour and the other by the style."""
    named = comparison.outcomes[:NAMED]
    colours, styles = kinds_of(named, comparison.varied)
    looks = {}
    for place, outcome in enumerate(comparison.outcomes):
        if place >= NAMED:
            looks[outcome.number] = Look(FAINT, "-")
            continue
        diverged = " (diverged)" if outcome.has_diverged else ""
        values = (setting(each, outcome.values[each]) for each in comparison.varied)
        name = ", ".join(map(text_of, values))
        looks[outcome.number] = Look(
            LINES[colours[place]], STYLES[styles[place]], (name or "the run") + diverged
        )
    return looks


def kinds_of(
    outcomes: Sequence[RunResult], varied: Sequence[str]
) -> tuple[Sequence[int], Sequence[int]]:
    """Which colour and which style each run has."""
    if len(varied) == 2:
        firsts, seconds = (ranks([each.values[name] for each in outcomes]) for name in varied)
        if max(firsts) < len(LINES) and max(seconds) < len(STYLES):
            return firsts, seconds
    places = range(len(outcomes))
    return [place % len(LINES) for place in places], [place // len(LINES) for place in places]


def ranks(values: Sequence[object]) -> list[int]:
    """Which of the different values each is, in the order of their appearance."""
    different = list(dict.fromkeys(values))
    return [different.index(value) for value in values]


def draw_losses(
    axes: Axes, comparison: Comparison, group: Sequence[RunResult], looks: dict[int, Look]
) -> None:
    """The loss of all observations after so many epochs, and the minimum."""
    for outcome in reversed(group):  # the best on top
        look, losses = looks[outcome.number], outcome.losses
        epochs = np.unique(np.append(0, np.geomspace(1, len(losses) - 1, POINTS).astype(int)))
        seen = np.isfinite(losses[epochs])
        width = 1.8 if look.name else 0.8
        shown, curve = epochs[seen], losses[epochs[seen]]
        axes.plot(shown, curve, look.style, color=look.colour, linewidth=width, gid="loss")
        there = comparison.epochs_to_minimum(outcome)
        if there is not None and look.name:
            axes.plot(there, losses[there], "o", color=look.colour, markersize=7, gid="within")
    leasts = {comparison.least(outcome) for outcome in group if outcome.fit.curvature}
    cut = loss_axis(axes, group, [least for least in leasts if least is not None])
    last = last_in_sight(group, axes.get_ylim()[1])
    epoch_axis(axes, 0, last, logarithmic=last > LONG)
    loss = group[0].fit.settings.loss
    axes.set_ylabel("\n".join([NAMES.get(loss, loss), *cut]))
    axes.set_title("The loss after each epoch")


def loss_axis(axes: Axes, group: Sequence[RunResult], leasts: Sequence[float]) -> list[str]:
    """The limits of the loss's axis, and the minimum; says where it is cut."""
    rounding = rounding_of(group[0].fit)
    down = [outcome.losses for outcome in group if not outcome.has_diverged]
    losses = np.concatenate(down or [outcome.losses[:1] for outcome in group])
    climbing = np.concatenate([outcome.losses for outcome in group])
    losses, finite = losses[np.abs(losses) < LARGEST], climbing[climbing < LARGEST]
    if not len(losses):
        return []
    for least in leasts:
        if least > rounding:
            axes.axhline(least, color=BLACK, linestyle="--", linewidth=1, zorder=1, gid="least")
            losses = np.append(losses, least)
    top = min(ABOVE * float(losses.max()), float(finite.max()))
    positive = losses[losses > rounding]
    if len(positive) and top > WIDE * positive.min():
        low, high = window(np.log10([positive.min(), top]), 0.04)
        log_axis(axes, 10**low, 10**high)
    else:
        number_axis(axes.yaxis)
        low, high = window(np.append(losses, top), 0.04)
        axes.set_ylim(max(low, -0.04 * high), high)
    return [] if (climbing <= top).all() else [f"cut at {number(top)}"]


def last_in_sight(group: Sequence[RunResult], top: float) -> int:
    """The last epoch to be drawn: where all runs climb, when the last of them is out of sight."""
    if any(not outcome.has_diverged for outcome in group):
        return max(outcome.fit.epochs for outcome in group)
    return max(int((outcome.losses < top).sum()) for outcome in group)


def add_legend(figure: Figure, looks: dict[int, Look], comparison: Comparison) -> None:
    """A legend below, where it covers nothing: the runs, the best first, and the marks."""
    lines = [
        Line2D([], [], color=look.colour, linestyle=look.style, linewidth=1.8, label=look.name)
        for look in looks.values()
        if look.name
    ]
    faint = len(looks) - len(lines)
    if faint:
        runs = "1 more run" if faint == 1 else f"{faint} more runs"
        lines.append(Line2D([], [], color=FAINT, linewidth=0.8, label=runs))
    drawn = {str(line.get_gid()): line for axes in figure.axes for line in axes.get_lines()}
    if "start" in drawn:
        lines.append(handle("start", "white", marker="o"))
    least = "the least of these runs"
    if any(outcome.fit.curvature for outcome in comparison.outcomes):
        least = "the minimum"
        star = "*" if "start" in drawn else ""
        dashes: LineStyle | Literal[""] = "--" if "least" in drawn else ""
        lines.append(handle(least, YELLOW, marker=star, style=dashes))
    if "within" in drawn:
        lines.append(handle(f"within 1 % of {least}", BLACK, marker="o"))
    longest = max(len(str(line.get_label())) for line in lines)
    columns = max(1, min(len(lines), LETTERS // (longest + 6)))
    figure.legend(handles=lines, loc="outside lower center", ncols=columns, fontsize=11)


def handle(label: str, colour: str, *, marker: str, style: LineStyle | Literal[""] = "") -> Line2D:
    """A mark with a black edge, or a black line, in the legend."""
    return Line2D(
        [],
        [],
        color=BLACK,
        linestyle=style,
        linewidth=1,
        marker=marker,
        markersize=12 if marker == "*" else 7,
        markerfacecolor=colour,
        label=label,
    )


GREYS = ("#FFFFFF", "#D4D4D4")  # of the loss from the least up: the paths have the colours
MARGIN = 0.12  # of what is seen, on each side
WIDTH, FAINT_WIDTH = 1.4, 0.8  # of a path, in points
UNITS = {"standardize": " (standardized)", "whiten": " (whitened)"}

LineStyle = Literal["-", "--", ":", "-."]


@dataclass(frozen=True)
class Look:
    """How a run is drawn. Without a name, it is one of many."""

    colour: str
    style: LineStyle
    name: str = ""


def draw_paths(
    axes: Axes, group: Sequence[RunResult], looks: Mapping[int, Look]
) -> Callable[[], None]:
    """The paths over (w, b), their starts and ends, and the minimum; what is returned draws the
    level sets below, once the axes have their size."""
    ground = ground_of([outcome.fit for outcome in group])
    paths = {outcome.number: path_on(ground, outcome.fit) for outcome in group}
    window = window_of(group, paths, ground)
    axes.set_xlim(*window[0])
    axes.set_ylim(*window[1])
    for outcome in reversed(group):  # the best on top
        look, path = looks[outcome.number], paths[outcome.number]
        if outcome.has_diverged:  # until it leaves
            path = path[: stays_within(window, path) + 1]
        path = path[(np.abs(path) < LARGEST).all(axis=1)]
        width = WIDTH if look.name else FAINT_WIDTH
        axes.plot(*path.T, look.style, color=look.colour, linewidth=width, gid="path")
        if look.name and not outcome.has_diverged:
            mark(axes, path[-1], "s", look.colour, 6, "end")
    for start in {tuple(path[0].tolist()) for path in paths.values()}:
        mark(axes, np.array(start), "o", "white", 8, "start")
    if ground.curvature:
        mark(axes, ground.curvature.minimum, "*", YELLOW, 15, "minimum")
    for axis, name in ((axes.xaxis, "w"), (axes.yaxis, "b")):
        number_axis(axis)
        axis.set_label_text(name + UNITS.get(str(ground.settings.scale), ""))
    axes.set_title("The paths of the params over level sets of the loss")

    def finish() -> None:
        if ground.scaling:
            equalize(axes)
        draw_level_sets(axes, ground, GREYS)

    return finish


def ground_of(fits: Sequence[Fit]) -> Fit:
    """A fit on whose ground all paths can be drawn: the first, if all runs scaled the features
    alike, else the same on the features as they are."""
    first = fits[0]
    if len({fit.settings.scale for fit in fits}) == 1:
        return first
    curvature = curvature_of(first.observations) if first.curvature else None
    settings = replace(first.settings, scale="none")
    return replace(first, scaling=None, curvature=curvature, settings=settings)


def path_on(ground: Fit, fit: Fit) -> FloatArray:
    """The start and the params after each epoch that was kept, shape (epochs, 2)."""
    path = np.array([fit.start, *(step.params for step in fit.history)])
    if fit.scaling and not ground.scaling:
        with np.errstate(over="ignore", invalid="ignore"):
            path = np.array([fit.scaling.to_data(params) for params in path])
    return path


def window_of(
    group: Sequence[RunResult], paths: Mapping[int, FloatArray], ground: Fit
) -> FloatArray:
    """The limits of w and of b, a row each: of the paths that come down, all starts, and the
    minimum."""
    points = [paths[outcome.number][:1] for outcome in group]
    points += [paths[outcome.number] for outcome in group if not outcome.has_diverged]
    if ground.curvature:
        points.append(ground.curvature.minimum[np.newaxis])
    seen = np.vstack(points)
    low, high = seen.min(axis=0), seen.max(axis=0)
    size = high - low
    size = np.where(size > 0, size, max(float(size.max()), 1e-3 * float(np.abs(high).max())) or 1.0)
    climbing = all(outcome.has_diverged for outcome in group)
    margin = (1.0 if climbing else MARGIN) * size
    return np.column_stack([low - margin, high + margin])


def mark(axes: Axes, place: FloatArray, kind: str, colour: str, size: float, name: str) -> None:
    """A mark with a black edge."""
    (drawn,) = axes.plot(*place, kind, color=colour, markersize=size, zorder=4)
    drawn.set(markeredgecolor=BLACK, gid=name)
