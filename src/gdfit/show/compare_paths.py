"""The paths of several runs over level sets of the loss, for one feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from gdfit.arrays import FloatArray
from gdfit.descent.comparison import Outcome
from gdfit.descent.curvature import curvature
from gdfit.descent.fit import Fit
from gdfit.show.colours import BLACK, LARGEST, YELLOW
from gdfit.show.path_plots import draw_level_sets, equalize, stays_within
from gdfit.show.scales import number_axis

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
    axes: Axes, group: Sequence[Outcome], looks: Mapping[int, Look]
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
    bends = curvature(first.observations) if first.curvature else None
    settings = replace(first.settings, scale="none")
    return replace(first, scaling=None, curvature=bends, settings=settings)


def path_on(ground: Fit, fit: Fit) -> FloatArray:
    """The start and the params after each epoch that was kept, shape (epochs, 2)."""
    path = np.array([fit.start, *(step.params for step in fit.history)])
    if fit.scaling and not ground.scaling:
        with np.errstate(over="ignore", invalid="ignore"):
            path = np.array([fit.scaling.to_data(params) for params in path])
    return path


def window_of(group: Sequence[Outcome], paths: Mapping[int, FloatArray], ground: Fit) -> FloatArray:
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
