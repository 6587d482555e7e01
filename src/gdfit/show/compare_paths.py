"""The paths of several runs over level sets of the loss, for one feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from gdfit.arrays import FloatArray
from gdfit.descent.comparison import Outcome
from gdfit.descent.curvature import curvature
from gdfit.descent.fit import Fit
from gdfit.descent.objectives import loss_of
from gdfit.show.colours import BLACK, LARGEST, YELLOW

GRID = 120  # points of the level sets along each axis
ROWS = 300  # of the sample, over which a loss that is no parabola is summed up
LEVELS = 14
GREYS = ("#FFFFFF", "#CFCFCF")  # of the loss from the least up: the paths have the colours
MARGIN = 0.12  # of what is seen, on each side
WIDTH, FAINT_WIDTH = 1.4, 0.8  # of a path, in points


LineStyle = Literal["-", "--", ":", "-."]


@dataclass(frozen=True)
class Look:
    """How a run is drawn. Without a name, it is one of many."""

    colour: str
    style: LineStyle
    name: str = ""


class Ground:
    """What the paths lie on: the params as they were descended on, if all runs scaled the features
    alike, else the params for the features as they are."""

    def __init__(self, fits: Sequence[Fit]) -> None:
        first = fits[0]
        self.is_common = len({fit.settings.scale for fit in fits}) == 1
        self.scaling = first.scaling if self.is_common else None
        self.settings = first.settings
        self.rows = np.insert(first.observations.sample[-ROWS:], 1, 1.0, axis=1)
        if self.scaling:
            self.rows = self.scaling.apply(self.rows)
        self.curvature = first.curvature
        if self.curvature and not self.is_common:
            self.curvature = curvature(first.observations)

    def path(self, fit: Fit) -> FloatArray:
        """The start and the params after each epoch that was kept, shape (epochs, 2)."""
        path = np.array([fit.start, *(step.params for step in fit.history)])
        if fit.scaling and not self.is_common:
            path = np.array([fit.scaling.to_data(params) for params in path])
        return path

    def loss(self, w: FloatArray, b: FloatArray) -> FloatArray:
        """The loss at each (w, b), arrays of one shape: the parabola that it is, or for other
        losses than the squared one, that of a sample."""
        bends = self.curvature
        if bends:
            along = (np.stack([w, b], axis=-1) - bends.minimum) @ bends.eigenvectors
            return np.asarray(bends.minimum_loss + 0.5 * along**2 @ bends.eigenvalues)
        value, total = loss_of(self.settings).value, np.zeros_like(w)
        for x, one, y in self.rows.tolist():
            total += value(w * x + b * one, y)
        return total / len(self.rows) + self.settings.l2 * w**2


def draw_paths(
    axes: Axes, group: Sequence[Outcome], looks: Mapping[int, Look]
) -> Callable[[], None]:
    """The paths over (w, b), their starts and ends, and the minimum; what is returned draws the
    level sets below, once the axes have their size."""
    ground = Ground([outcome.fit for outcome in group])
    paths = {outcome.number: ground.path(outcome.fit) for outcome in group}
    window = window_of(group, paths, ground)
    axes.set_xlim(*window[:, 0])
    axes.set_ylim(*window[:, 1])
    for outcome in reversed(group):  # the best on top
        look, path = looks[outcome.number], paths[outcome.number]
        if outcome.has_diverged:
            path = until_it_leaves(path, window)
        width = WIDTH if look.name else FAINT_WIDTH
        axes.plot(*path.T, look.style, color=look.colour, linewidth=width, gid="path")
        if look.name and not outcome.has_diverged:
            mark(axes, path[-1], "s", look.colour, 6, "end")
    for start in {tuple(path[0].tolist()) for path in paths.values()}:
        mark(axes, np.array(start), "o", "white", 8, "start")
    if ground.curvature:
        mark(axes, ground.curvature.minimum, "*", YELLOW, 15, "minimum")
    units = {"standardize": " (standardized)", "whiten": " (whitened)"}
    unit = units.get(str(ground.settings.scale), "") if ground.scaling else ""
    axes.set_xlabel(f"w{unit}")
    axes.set_ylabel(f"b{unit}")
    axes.set_title("The paths of the params over level sets of the loss")

    def finish() -> None:
        if ground.scaling:
            equalize(axes)
        draw_level_sets(axes, ground)

    return finish


def window_of(
    group: Sequence[Outcome], paths: Mapping[int, FloatArray], ground: Ground
) -> FloatArray:
    """The least and the largest w and b to be seen, shape (2, 2): those of the paths that come
    down, all starts, and the minimum."""
    points = [paths[outcome.number][:1] for outcome in group]
    points += [paths[outcome.number] for outcome in group if not outcome.has_diverged]
    if ground.curvature:
        points.append(ground.curvature.minimum[np.newaxis])
    seen = np.vstack(points)
    seen = seen[np.isfinite(seen).all(axis=1)]
    low, high = seen.min(axis=0), seen.max(axis=0)
    size = high - low
    size = np.where(size > 0, size, max(float(size.max()), 1e-3 * float(np.abs(high).max())) or 1.0)
    climbing = all(outcome.has_diverged for outcome in group)
    margin = (1.0 if climbing else MARGIN) * size
    return np.array([low - margin, high + margin])


def until_it_leaves(path: FloatArray, window: FloatArray) -> FloatArray:
    """The path until it first is outside of the window."""
    with np.errstate(invalid="ignore"):
        inside = ((window[0] <= path) & (path <= window[1])).all(axis=1)
    outside = np.flatnonzero(~inside)
    kept = path[: outside[0] + 1] if len(outside) else path
    return kept if (np.abs(kept) < LARGEST).all() else kept[:-1]


def mark(axes: Axes, place: FloatArray, kind: str, colour: str, size: float, name: str) -> None:
    """A mark with a black edge."""
    axes.plot(
        *place, kind, color=colour, markeredgecolor=BLACK, markersize=size, gid=name, zorder=4
    )


def equalize(axes: Axes) -> None:
    """Make the window wider or higher, so that both axes have one scale."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    pixel = max((right - left) / axes.bbox.width, (high - low) / axes.bbox.height)
    half_width, half_height = pixel * axes.bbox.width / 2, pixel * axes.bbox.height / 2
    axes.set_xlim((left + right) / 2 - half_width, (left + right) / 2 + half_width)
    axes.set_ylim((low + high) / 2 - half_height, (low + high) / 2 + half_height)


def draw_level_sets(axes: Axes, ground: Ground) -> None:
    """The loss over all of the window, in greys, and lines on which it is the same."""
    w, b = np.meshgrid(np.linspace(*axes.get_xlim(), GRID), np.linspace(*axes.get_ylim(), GRID))
    with np.errstate(over="ignore", invalid="ignore"):
        above = ground.loss(w, b)
        above = above - above.min()
        levels = np.append(0.0, float(above.max()) * np.geomspace(1e-4, 1.0, LEVELS))
    if not (np.isfinite(levels).all() and (np.diff(levels) > 0).all()):
        return
    shades = LinearSegmentedColormap.from_list("greys", GREYS)(np.linspace(0, 1, LEVELS))
    axes.contourf(w, b, above, levels=levels, colors=shades, zorder=0)
    axes.contour(w, b, above, levels=levels[1:-1], colors="white", linewidths=0.7, zorder=0.5)
