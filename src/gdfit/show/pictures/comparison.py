"""The picture of several runs: their losses over each other, and for one feature their paths over
level sets of the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gdfit.arrays import FloatArray
from gdfit.choices import RunsPanel
from gdfit.descent.compare import Comparison, RunResult
from gdfit.descent.outcome import Fit
from gdfit.descent.run import rounding_of
from gdfit.show.pictures import drawing, trace
from gdfit.show.pictures.curves import name_at, place_names
from gdfit.show.pictures.drawing import BLACK, LINE_STYLES, LINES, YELLOW, LineStyle, mark
from gdfit.show.pictures.path import draw_level_sets, equalize, param_axes, stays_within
from gdfit.show.pictures.trace import LARGEST, STEEP, numbered
from gdfit.show.tables.comparison import run_name
from gdfit.show.tables.style import counted

NAMED_RUNS = 12  # that are told apart; more are drawn faintly
FAINT = "#BBBBBB"
ABOVE = 10  # times the losses of runs that come down: what is above is cut
LETTERS = 150  # on a line of the legend
SHORT_NAME = 24  # letters at most of names beside the ends of lines; else numbers stand there
DRAWN_LOSSES = 1000  # pairs of a run that are drawn, at most
GREYS = ("#FFFFFF", "#D4D4D4")  # of the loss from the least up: the paths have the colours
PATHS_MARGIN = 0.12  # of what is seen, on each side
PATH_WIDTH, FAINT_WIDTH = 1.4, 0.8  # in points


@dataclass(frozen=True)
class RunStyle:
    """The style of a run; without a name, it is one of many. `end` is beside the end of its line:
    its name, or where names are long, its rank."""

    colour: str
    style: LineStyle
    name: str = ""
    end: str = ""


Paths = dict[int, FloatArray]
"""The path of each run, by its number."""

Looks = dict[int, RunStyle]
"""The style of each run, by its number, the best first."""


def draw_comparison(comparison: Comparison, panel: RunsPanel = "all") -> Figure:
    """The picture of several runs: the loss against the epoch on the left; for one feature and a b,
    the paths over level sets of the loss on the right; or one of the two. Losses that don't compare
    stand apart."""
    groups = comparison.groups()
    on_a_plane = trace.has_paths(comparison.outcomes[0].fit.observations) and panel != "loss"
    figure = drawing.new_figure(height=max(1.0, 0.6 * len(groups)))
    grid = figure.subplots(len(groups), 1 + (on_a_plane and panel == "all"), squeeze=False)
    looks = run_styles(comparison)
    if panel == "path":  # where the names are in the legend alone
        looks = {number: replace(look, end="") for number, look in looks.items()}
    finishes = []
    for group, row in zip(groups, grid, strict=True):
        if panel != "path":
            finishes.append(draw_losses(row[0], comparison, group, looks))
        if on_a_plane:
            finishes.append(draw_paths(row[-1], group, looks))
    add_legend(figure, looks, comparison, on_a_plane=on_a_plane)
    return drawing.finished(figure, finishes)


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
    names = [run_name(outcome, varied, drawing.escaped) for outcome in named]
    short = max(map(len, names)) <= SHORT_NAME
    for rank, outcome in enumerate(named):
        name = names[rank]
        end, name = (name, name) if short else (str(rank + 1), f"{rank + 1}: {name}")
        look = RunStyle(LINES[colours[rank]], LINE_STYLES[styles[rank]], name, end)
        found[outcome.number] = look
    return found


def ranks(values: Sequence[object]) -> list[int]:
    """Which of the different values each is, in the order of their appearance."""
    different = list(dict.fromkeys(values))
    return [different.index(value) for value in values]


def draw_losses(
    axes: Axes, comparison: Comparison, group: Sequence[RunResult], looks: Looks
) -> Callable[[], None]:
    """The loss of all observations in each epoch's row, and the minimum; what is returned places
    the names beside the ends of the lines, once the axes have their size."""
    labels, ends = [], []
    first = min(numbered(outcome.fit, 1) for outcome in group)
    last = max(last_to_draw(outcome) for outcome in group)
    top, cut = comparison_loss_axis(axes, group)
    if all(outcome.has_diverged for outcome in group):  # until the last of them is out of sight
        last = max(numbered(each.fit, int((each.losses < top).sum())) for each in group)
    for outcome in reversed(group):  # the best on top
        look, losses = looks[outcome.number], outcome.losses[: outcome.fit.epochs]
        few = np.geomspace(1, len(losses), DRAWN_LOSSES).astype(int) - 1
        drawn = np.unique(np.append(few, few + 1))  # two in a row, so that zigzags remain
        drawn = drawn[drawn < min(len(losses), last - numbered(outcome.fit, 0))]
        drawn = drawn[np.isfinite(losses[drawn])]
        width = 1.8 if look.name else 0.8
        epochs, curve = numbered(outcome.fit, 1) + drawn, losses[drawn]
        axes.plot(epochs, curve, look.style, color=look.colour, linewidth=width, gid="loss")
        there = comparison.epochs_to_minimum(outcome)
        if there is not None and look.name and there < len(losses):
            place = numbered(outcome.fit, there + 1)
            axes.plot(place, losses[there], "o", color=look.colour, markersize=7, gid="within")
        if look.name and len(drawn):
            labels.append(name_at(axes, look.end, look.colour))
            out = np.flatnonzero(curve > top)
            at = int(out[0]) if len(out) else len(curve) - 1
            ends.append((float(epochs[at]), float(min(curve[at], top))))
    drawing.epoch_axis(axes, first, last)
    drawing.cut_after(axes, last, max(numbered(each.fit, each.fit.epochs) for each in group))
    loss = "\n".join([trace.loss_name(group[0].fit), *cut])
    axes.set(ylabel=loss, title="The loss, epoch by epoch")
    return lambda: place_names(axes, labels, ends) if labels else None


def last_to_draw(outcome: RunResult) -> int:
    """The number of the last epoch of a run in which something happens that can be seen."""
    if outcome.has_diverged:
        return 1
    return numbered(outcome.fit, trace.eventful(outcome.fit, outcome.fit.history)[-1].epoch)


def comparison_loss_axis(axes: Axes, group: Sequence[RunResult]) -> tuple[float, list[str]]:
    """The limits of the loss's axis, and the minimum; the largest that is drawn, and what the axis
    says of where it is cut."""
    rounding = rounding_of(group[0].fit)
    down = [outcome.losses for outcome in group if not outcome.has_diverged]
    losses = np.concatenate(down or [outcome.losses[:1] for outcome in group])
    climbing = np.concatenate([outcome.losses for outcome in group])
    losses, finite = losses[np.abs(losses) < LARGEST], climbing[climbing < LARGEST]
    if not len(losses):
        return LARGEST, []
    for least in {each.fit.minimum_loss for each in group}:
        if least is not None and abs(least) > rounding:
            axes.axhline(least, color=BLACK, linestyle="--", linewidth=1, zorder=1, gid="least")
            losses = np.append(losses, least)
    top = min(ABOVE * float(losses.max()), float(finite.max()))
    positive = losses[losses > rounding]
    if len(positive) and losses.min() >= 0 and top > STEEP * positive.min():
        low, high = drawing.window(np.log10([positive.min(), top]), 0.04)
        drawing.log_axis(axes, 10**low, 10**high)
    else:
        drawing.number_axes(axes.yaxis)
        low, high = drawing.window(np.append(losses, top), 0.04)
        axes.set_ylim(low if losses.min() < 0 else max(low, -0.04 * high), high)
    cut = [] if (climbing <= top).all() else [f"cut at {drawing.picture_number(top)}"]
    return axes.get_ylim()[1], cut


def add_legend(figure: Figure, looks: Looks, comparison: Comparison, *, on_a_plane: bool) -> None:
    """A legend below, where it covers nothing: the runs, the best first, but those whose names
    are beside their lines, and the marks."""
    named = [look for look in looks.values() if look.name]
    lines = [
        Line2D([], [], color=look.colour, linestyle=look.style, linewidth=1.8, label=look.name)
        for look in named
        if look.name != look.end
    ]
    faint = len(looks) - len(named)
    if faint:
        runs = counted(faint, "more run", "d")
        lines.append(Line2D([], [], color=FAINT, linewidth=FAINT_WIDTH, label=runs))
    drawn = {line.get_gid() for axes in figure.axes for line in axes.get_lines()}
    if on_a_plane:
        lines.append(handle("start", "white", marker="o"))
        if not all(outcome.has_diverged for outcome in comparison.outcomes):
            lines.append(handle("end", "white", marker="s"))
    least = "the least of these runs"
    has_star = on_a_plane and any(outcome.fit.curvature for outcome in comparison.outcomes)
    if any(outcome.fit.minimum_loss is not None for outcome in comparison.outcomes):
        least = "the minimum"
        star = "*" if has_star else ""
        dashes: LineStyle = "--" if "least" in drawn else ""
        lines.append(handle(least, YELLOW, marker=star, style=dashes))
    if "within" in drawn:
        known = any(outcome.fit.curvature for outcome in comparison.outcomes)
        near = "arrived" if known else f"within 1 % of {least}"
        lines.append(handle(near, BLACK, marker="o"))
    if not lines:
        return
    longest = max(len(str(line.get_label())) for line in lines)
    columns = max(1, min(len(lines), LETTERS // (longest + 6)))
    figure.legend(handles=lines, loc="outside lower center", ncols=columns, fontsize=11)


def handle(label: str, colour: str, *, marker: str, style: LineStyle = "") -> Line2D:
    """A mark with a black edge, or a black line, in the legend."""
    line = Line2D([], [], color=BLACK, linestyle=style, linewidth=1, label=label)
    line.set(marker=marker, markersize=12 if marker == "*" else 7, markerfacecolor=colour)
    return line


def draw_paths(axes: Axes, group: Sequence[RunResult], looks: Looks) -> Callable[[], None]:
    """The paths over (w, b), their starts and ends, and the minimum, over the level sets. What is
    returned draws them, once the axes have their size."""
    ground = common_scale([outcome.fit for outcome in group])
    paths = {outcome.number: path_on(ground, outcome.fit) for outcome in group}
    param_axes(axes, ground, paths_window(group, paths, ground))
    axes.set_title("The paths of the params over level sets of the loss")

    def finish() -> None:
        equalize(axes)
        draw_level_sets(axes, ground, GREYS)
        size = np.array([axes.get_xlim(), axes.get_ylim()])
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

    return finish


def common_scale(fits: Sequence[Fit]) -> Fit:
    """A fit on whose scale all paths can be drawn: the first, if all runs scaled the features
    alike, else the same on the features as they are."""
    first = fits[0]
    if len({fit.settings.scale for fit in fits}) == 1:
        return first
    settings = replace(first.settings, scale="none")
    curvature = trace.curvature_on(first, None, first.observations)
    return replace(first, scaling=None, curvature=curvature, settings=settings)


def path_on(ground: Fit, fit: Fit) -> FloatArray:
    """The start and the params after each epoch that was kept, shape (epochs, 2)."""
    path = [fit.start, *(step.params for step in fit.history)]
    return np.array([params if ground.scaling else trace.in_data(fit, params) for params in path])


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
