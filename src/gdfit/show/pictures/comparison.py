"""The picture of several runs: their losses over each other, and for one feature their paths over
level sets of the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gdfit.arrays import FloatArray
from gdfit.descent.compare import Comparison, RunResult
from gdfit.descent.curvature import curvature_of
from gdfit.descent.run import Fit
from gdfit.show.pictures import drawing
from gdfit.show.pictures.curves import rounding_of
from gdfit.show.pictures.drawing import BLACK, LINE_STYLES, LINES, YELLOW, LineStyle, mark
from gdfit.show.pictures.figure import PIXELS, WHOLE_DPI, save_figure
from gdfit.show.pictures.path import draw_level_sets, param_axes, stays_within
from gdfit.show.pictures.trace import LARGEST, LONG_RUN, STEEP, in_data
from gdfit.show.tables.comparison import setting_with_name
from gdfit.show.tables.style import counted

NAMED_RUNS = 12  # that are told apart; more are drawn faintly
FAINT = "#BBBBBB"
ABOVE = 10  # times the losses of runs that come down: what is above is cut
LETTERS = 150  # on a line of the legend
DRAWN_LOSSES = 2000  # of a run that are drawn, at most
GREYS = ("#FFFFFF", "#D4D4D4")  # of the loss from the least up: the paths have the colours
PATHS_MARGIN = 0.12  # of what is seen, on each side
PATH_WIDTH, FAINT_WIDTH = 1.4, 0.8  # in points


@dataclass(frozen=True)
class RunStyle:
    """The style of a run. Without a name, it is one of many."""

    colour: str
    style: LineStyle
    name: str = ""


Paths = dict[int, FloatArray]
"""The path of each run, by its number."""

Looks = dict[int, RunStyle]
"""The style of each run, by its number, the best first."""


def save_comparison(comparison: Comparison, path: Path) -> None:
    """Draw the runs to the file at `path`."""
    save_figure(lambda: draw_comparison(comparison), path)


def draw_comparison(comparison: Comparison) -> Figure:
    """The picture of several runs: the loss against the epoch on the left; for one feature and a b,
    the paths over level sets of the loss on the right. Losses that don't compare stand apart."""
    groups = comparison.groups()
    observations = comparison.outcomes[0].fit.observations
    on_a_plane = len(observations.features) == 1 and observations.intercept
    width, height = (pixels / WHOLE_DPI for pixels in PIXELS)
    size = width, height * max(1.0, 0.6 * len(groups))
    figure = Figure(figsize=size, dpi=WHOLE_DPI, layout="constrained")
    grid = figure.subplots(len(groups), 2 if on_a_plane else 1, squeeze=False)
    looks = run_styles(comparison)
    finishes = []
    for group, row in zip(groups, grid, strict=True):
        draw_losses(row[0], comparison, group, looks)
        if on_a_plane:
            finishes.append(draw_paths(row[1], group, looks))
    add_legend(figure, looks, comparison)
    drawing.settle(figure)
    for finish in finishes:
        finish()
    drawing.tidy(figure)
    return figure


def run_styles(comparison: Comparison) -> Looks:
    """The style of each run, by its number, the best first. Where two options vary, one is told by
    the colour and the other by the style."""
    named, varied = comparison.outcomes[:NAMED_RUNS], comparison.varied
    colours = [place % len(LINES) for place in range(len(named))]
    styles = [place // len(LINES) for place in range(len(named))]
    if len(varied) == 2:
        firsts, seconds = (ranks([each.values[name] for each in named]) for name in varied)
        if max(firsts) < len(LINES) and max(seconds) < len(LINE_STYLES):
            colours, styles = firsts, seconds
    found = {outcome.number: RunStyle(FAINT, "-") for outcome in comparison.outcomes}
    for outcome, colour, style in zip(named, colours, styles, strict=True):
        values = (setting_with_name(each, outcome.values[each]) for each in varied)
        name = ", ".join(map(drawing.escaped, values)) or "the run"
        diverged = " (diverged)" if outcome.has_diverged else ""
        found[outcome.number] = RunStyle(LINES[colour], LINE_STYLES[style], name + diverged)
    return found


def ranks(values: Sequence[object]) -> list[int]:
    """Which of the different values each is, in the order of their appearance."""
    different = list(dict.fromkeys(values))
    return [different.index(value) for value in values]


def draw_losses(
    axes: Axes, comparison: Comparison, group: Sequence[RunResult], looks: Looks
) -> None:
    """The loss of all observations after so many epochs, and the minimum."""
    for outcome in reversed(group):  # the best on top
        look, losses = looks[outcome.number], outcome.losses
        epochs = np.unique(np.append(0, np.geomspace(1, len(losses) - 1, DRAWN_LOSSES).astype(int)))
        seen = np.isfinite(losses[epochs])
        width = 1.8 if look.name else 0.8
        shown, curve = epochs[seen], losses[epochs[seen]]
        axes.plot(shown, curve, look.style, color=look.colour, linewidth=width, gid="loss")
        there = comparison.epochs_to_minimum(outcome)
        if there is not None and look.name:
            axes.plot(there, losses[there], "o", color=look.colour, markersize=7, gid="within")
    cut = comparison_loss_axis(axes, group)
    last = last_in_sight(group, axes.get_ylim()[1])
    drawing.epoch_axis(axes, 0, last, logarithmic=last > LONG_RUN)
    loss = "\n".join([drawing.loss_name(group[0].fit), *cut])
    axes.set(ylabel=loss, title="The loss after each epoch")


def comparison_loss_axis(axes: Axes, group: Sequence[RunResult]) -> list[str]:
    """The limits of the loss's axis, and the minimum; says where it is cut."""
    rounding = rounding_of(group[0].fit)
    down = [outcome.losses for outcome in group if not outcome.has_diverged]
    losses = np.concatenate(down or [outcome.losses[:1] for outcome in group])
    climbing = np.concatenate([outcome.losses for outcome in group])
    losses, finite = losses[np.abs(losses) < LARGEST], climbing[climbing < LARGEST]
    if not len(losses):
        return []
    for least in {each.fit.curvature.minimum_loss for each in group if each.fit.curvature}:
        if least > rounding:
            axes.axhline(least, color=BLACK, linestyle="--", linewidth=1, zorder=1, gid="least")
            losses = np.append(losses, least)
    top = min(ABOVE * float(losses.max()), float(finite.max()))
    positive = losses[losses > rounding]
    if len(positive) and top > STEEP * positive.min():
        low, high = drawing.window(np.log10([positive.min(), top]), 0.04)
        drawing.log_axis(axes, 10**low, 10**high)
    else:
        drawing.number_axes(axes.yaxis)
        low, high = drawing.window(np.append(losses, top), 0.04)
        axes.set_ylim(max(low, -0.04 * high), high)
    return [] if (climbing <= top).all() else [f"cut at {drawing.picture_number(top)}"]


def last_in_sight(group: Sequence[RunResult], top: float) -> int:
    """The last epoch to be drawn: where all runs climb, when the last of them is out of sight."""
    if any(not outcome.has_diverged for outcome in group):
        return max(outcome.fit.epochs for outcome in group)
    return max(int((outcome.losses < top).sum()) for outcome in group)


def add_legend(figure: Figure, looks: Looks, comparison: Comparison) -> None:
    """A legend below, where it covers nothing: the runs, the best first, and the marks."""
    lines = [
        Line2D([], [], color=look.colour, linestyle=look.style, linewidth=1.8, label=look.name)
        for look in looks.values()
        if look.name
    ]
    faint = len(looks) - len(lines)
    if faint:
        runs = counted(faint, "more run", "d")
        lines.append(Line2D([], [], color=FAINT, linewidth=FAINT_WIDTH, label=runs))
    drawn = {line.get_gid() for axes in figure.axes for line in axes.get_lines()}
    if "start" in drawn:
        lines.append(handle("start", "white", marker="o"))
    least = "the least of these runs"
    if any(outcome.fit.curvature for outcome in comparison.outcomes):
        least = "the minimum"
        star = "*" if "start" in drawn else ""
        dashes: LineStyle = "--" if "least" in drawn else ""
        lines.append(handle(least, YELLOW, marker=star, style=dashes))
    if "within" in drawn:
        lines.append(handle(f"within 1 % of {least}", BLACK, marker="o"))
    longest = max(len(str(line.get_label())) for line in lines)
    columns = max(1, min(len(lines), LETTERS // (longest + 6)))
    figure.legend(handles=lines, loc="outside lower center", ncols=columns, fontsize=11)


def handle(label: str, colour: str, *, marker: str, style: LineStyle = "") -> Line2D:
    """A mark with a black edge, or a black line, in the legend."""
    line = Line2D([], [], color=BLACK, linestyle=style, linewidth=1, label=label)
    line.set(marker=marker, markersize=12 if marker == "*" else 7, markerfacecolor=colour)
    return line


def draw_paths(axes: Axes, group: Sequence[RunResult], looks: Looks) -> Callable[[], None]:
    """The paths over (w, b), their starts and ends, and the minimum; what is returned draws the
    level sets below, once the axes have their size."""
    ground = common_scale([outcome.fit for outcome in group])
    paths = {outcome.number: path_on(ground, outcome.fit) for outcome in group}
    size = paths_window(group, paths, ground)
    param_axes(axes, ground, size)
    for outcome in reversed(group):  # the best on top
        look, path = looks[outcome.number], paths[outcome.number]
        if outcome.has_diverged:  # until it leaves
            path = path[: stays_within(size, path) + 1]
        path = path[(np.abs(path) < LARGEST).all(axis=1)]
        width = PATH_WIDTH if look.name else FAINT_WIDTH
        axes.plot(*path.T, look.style, color=look.colour, linewidth=width, gid="path")
        if look.name and not outcome.has_diverged:
            mark(axes, path[-1], "s", look.colour, 6, "end")
    for start in {tuple(path[0].tolist()) for path in paths.values()}:
        mark(axes, start, "o", "white", 8, "start")
    if ground.curvature:
        mark(axes, ground.curvature.minimum, "*", YELLOW, 15, "minimum")
    axes.set_title("The paths of the params over level sets of the loss")
    return lambda: draw_level_sets(axes, ground, GREYS)


def common_scale(fits: Sequence[Fit]) -> Fit:
    """A fit on whose scale all paths can be drawn: the first, if all runs scaled the features
    alike, else the same on the features as they are."""
    first = fits[0]
    if len({fit.settings.scale for fit in fits}) == 1:
        return first
    curvature = curvature_of(first.observations) if first.curvature else None
    settings = replace(first.settings, scale="none")
    return replace(first, scaling=None, curvature=curvature, settings=settings)


def path_on(ground: Fit, fit: Fit) -> FloatArray:
    """The start and the params after each epoch that was kept, shape (epochs, 2)."""
    path = [fit.start, *(step.params for step in fit.history)]
    return np.array([params if ground.scaling else in_data(fit, params) for params in path])


def paths_window(group: Sequence[RunResult], paths: Paths, ground: Fit) -> FloatArray:
    """The limits of w and of b, a row each: of the paths that come down, all starts, and the
    minimum."""
    points = [paths[each.number][: 1 if each.has_diverged else None] for each in group]
    if ground.curvature:
        points.append(ground.curvature.minimum[np.newaxis])
    seen = np.vstack(points)
    low, high = seen.min(axis=0), seen.max(axis=0)
    size = high - low
    size = np.where(size > 0, size, max(float(size.max()), 1e-3 * float(np.abs(high).max())) or 1.0)
    margin = (1.0 if all(each.has_diverged for each in group) else PATHS_MARGIN) * size
    return np.column_stack([low - margin, high + margin])
