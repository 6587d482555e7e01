"""Pictures of runs over each other: their losses, and for one feature their paths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gdfit.descent.choice import EXACT
from gdfit.descent.comparison import Comparison, Outcome
from gdfit.show.colours import BLACK, LARGEST, LINES, YELLOW, text_of
from gdfit.show.compare_paths import LineStyle, Look, draw_paths
from gdfit.show.comparison import setting
from gdfit.show.plots import save_figure

NAMES = {"mse": "mean squared error", "mae": "mean absolute error", "huber": "Huber's loss"}
SIZE, DPI = (13.333, 7.5), 120
NAMED = 12  # runs that are told apart; more are drawn faintly
STYLES: tuple[LineStyle, ...] = ("-", "--", ":", "-.")
FAINT = "#BBBBBB"
WIDE = 20  # times the least loss, and the largest asks for a logarithmic axis
LONG = 100  # epochs that a linear axis shows well
ABOVE = 10  # times the losses of runs that come down: what is above is cut
LETTERS = 150  # on a line of the legend
POINTS = 2000  # of a curve at most


def save_comparison(comparison: Comparison, path: Path) -> None:
    """Draw the runs to the file at `path`."""
    save_figure(lambda: draw_comparison(comparison), path)


def draw_comparison(comparison: Comparison) -> Figure:
    """The picture of several runs: the loss against the epoch on the left; for one feature, the
    paths over level sets of the loss on the right. Losses that can't be compared stand apart."""
    groups = comparison.groups()
    one_feature = len(comparison.outcomes[0].fit.model.features) == 1
    figure = Figure(
        figsize=(SIZE[0], SIZE[1] * max(1.0, 0.6 * len(groups))), dpi=DPI, layout="constrained"
    )
    grid = figure.subplots(len(groups), 2 if one_feature else 1, squeeze=False)
    looks = looks_of(comparison)
    finishes = []
    for group, row in zip(groups, grid, strict=True):
        draw_losses(row[0], comparison, group, looks)
        if one_feature:
            finishes.append(draw_paths(row[1], group, looks))
    add_legend(figure, looks, comparison)
    figure.draw_without_rendering()
    for finish in finishes:
        finish()
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
    outcomes: Sequence[Outcome], varied: Sequence[str]
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
    axes: Axes, comparison: Comparison, group: Sequence[Outcome], looks: dict[int, Look]
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
    epoch_axis(axes, last_in_sight(group, axes.get_ylim()[1]))
    loss = group[0].fit.settings.loss
    axes.set_ylabel("\n".join([NAMES.get(loss, loss), *cut]))
    axes.set_title("The loss after each epoch")


def loss_axis(axes: Axes, group: Sequence[Outcome], leasts: Sequence[float]) -> list[str]:
    """The limits of the loss's axis, and the minimum; says where it is cut."""
    rounding = EXACT * group[0].fit.observations.mean_square
    down = [outcome for outcome in group if not outcome.has_diverged]
    climbing = np.concatenate([outcome.losses for outcome in group])
    losses = np.concatenate(
        [outcome.losses if down else outcome.losses[:1] for outcome in down or group]
    )
    losses, climbing = losses[np.abs(losses) < LARGEST], climbing[climbing < LARGEST]
    if not len(losses):
        return []
    for least in leasts:
        if least > rounding:
            axes.axhline(least, color=BLACK, linestyle="--", linewidth=1, zorder=1, gid="least")
            losses = np.append(losses, least)
    top = min(ABOVE * float(losses.max()), float(climbing.max()))
    bottom = float(losses[losses > rounding].min(initial=top))
    if top > WIDE * bottom > 0:
        axes.set_yscale("log")
        margin = (top / bottom) ** 0.04
        axes.set_ylim(bottom / margin, top * margin)
    elif top > 0:
        low = min(0.0, float(losses.min()))
        axes.set_ylim(low - 0.04 * top, 1.04 * top)
    is_cut = not all((outcome.losses <= top).all() for outcome in group)
    return [f"cut at {top:.3g}"] if is_cut else []


def last_in_sight(group: Sequence[Outcome], top: float) -> int:
    """The last epoch to be drawn: where all runs climb, when the last of them is out of sight."""
    if any(not outcome.has_diverged for outcome in group):
        return max(outcome.fit.epochs for outcome in group)
    return max(int((outcome.losses < top).sum()) for outcome in group)


def epoch_axis(axes: Axes, last: int) -> None:
    """An axis of epochs from 0 on."""
    axes.set_xlabel("epoch")
    if last > LONG:
        axes.set_xscale("symlog", linthresh=1, linscale=0.4)
        decades = [10**power for power in range(len(str(last)))]
        between = [part * decade for decade in decades for part in range(2, 10)]
        axes.xaxis.set_major_locator(ticker.FixedLocator([0, *decades]))
        axes.xaxis.set_minor_locator(ticker.FixedLocator(between))
    else:
        axes.xaxis.set_major_locator(ticker.MaxNLocator("auto", integer=True))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda epoch, _: f"{epoch:,.0f}"))
    axes.set_xlim(0, max(last, 1))


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
