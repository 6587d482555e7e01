"""Pictures of the way that the params took, for one feature: over level sets of the loss, or
without a b along the loss itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap

from gdfit.arrays import FloatArray
from gdfit.descent.curvature import Curvature
from gdfit.descent.loop import Step
from gdfit.descent.losses import loss_of
from gdfit.descent.objective import penalty_of
from gdfit.descent.outcome import Fit
from gdfit.show.pictures import drawing
from gdfit.show.pictures.drawing import BLACK, BLUE, VERMILION, YELLOW, label_at, mark
from gdfit.show.pictures.trace import LARGEST, loss_name, marks_of, numbered

LOSS_POINTS = 401
PATH_MARGIN = 0.2  # of what is seen, on each side


def draw_curve(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The loss against w, and the path that w took on it, with its epochs."""
    path = np.array([fit.start, *(step.params for step in steps)])
    path = path[np.abs(path[:, 0]) < LARGEST]
    stays = len(path) if fit.status != "diverged" else stays_until(fit, path)
    seen = path[:stays, 0]
    if fit.curvature:
        seen = np.append(seen, fit.curvature.minimum[0])
    left, right = drawing.window(seen, PATH_MARGIN)
    w = np.linspace(left, right, LOSS_POINTS)
    loss = loss_over(fit, w, np.zeros(LOSS_POINTS))
    axes.plot(w, loss, color=BLUE, linewidth=2.2, gid="loss")
    walked = path[: stays + 1, 0]
    heights = loss_over(fit, walked, np.zeros(len(walked)))
    dots = "." if len(path) <= FEW_PARAMS else None
    axes.plot(walked, heights, color=VERMILION, marker=dots, linewidth=1.4, gid="path")
    if fit.curvature:
        least = (float(fit.curvature.minimum[0]), fit.curvature.minimum_loss)
        mark(axes, least, "*", YELLOW, 17, "minimum")
        label_at(axes, "minimum", *least)
    for place in marks_on(fit, steps, path[:stays], np.array([right - left, 1.0])):
        at, height = float(place.params[0]), float(loss_over(fit, *place.params[:, np.newaxis])[0])
        mark(axes, (at, height), "o", place.colour, 8, place.name, level=5)
        label_at(axes, place.name, at, height)
    drawing.number_axes(axes.xaxis, axes.yaxis)
    axes.set(xlim=(left, right), ylim=drawing.window(loss, 0.1))
    unit = UNITS.get(str(fit.settings.scale), "")
    axes.set(xlabel=f"w{unit}", ylabel=loss_name(fit), title="The loss, and the path of w")


VALLEY = ("#FFFFFF", "#C4DAEC", "#5C90BB")  # the colours of the loss, from the least up
LEVELS = 16
GRID = 160  # points of the level sets along each axis
COARSE = 80  # points where each is a sum over many rows
TOGETHER = 0.02  # of the window: marks that are nearer are one
LOSS_GROWN = 20.0  # times the first loss: out of the picture
SLANTED = 4.0  # times as slender as the level sets is what a window may be
FAR_APART = 20.0  # times each other: scales that can't be one
FEW_PARAMS = 200  # on a path, each of which is a dot
UNITS = {"standardize": " (standardized)", "whiten": " (whitened)"}


AND_THE_PATH = ", and the path of the params"  # in the title, unless the path leaves


class PathMark(NamedTuple):
    """A marked place on the path: its name, and its colour."""

    name: str
    params: FloatArray
    colour: str


def draw_path(axes: Axes, fit: Fit, steps: Sequence[Step]) -> Callable[[], None]:
    """The path that the params took over (w, b), its epochs, the minimum, and the level sets below.
    What is returned draws them, once the axes have their size. For a model with a b."""
    path = np.array([fit.start, *(step.params for step in steps)])
    path = path[: stays_within(np.array([[-LARGEST, LARGEST]] * 2), path)]
    if not len(path):
        drawing.nothing_in(axes, "the params are too large to be drawn")
        path = np.zeros((1, 2))
    stays = len(path) if fit.status != "diverged" else stays_until(fit, path)
    param_axes(axes, fit, window_of(path[:stays], fit.curvature))
    rows = len(fit.observations.sample)
    is_whole = fit.settings.is_squared or rows == fit.observations.count
    sample = "" if is_whole else f"\n(the loss of {rows:,} observations)"
    axes.set_title(f"Level sets of the loss{AND_THE_PATH}{sample}")

    def finish() -> None:
        equalize(axes)
        draw_level_sets(axes, fit)
        size = np.array([axes.get_xlim(), axes.get_ylim()])
        seen = stays_within(size, path[stays:]) + stays
        dots = "." if len(path) <= FEW_PARAMS else None
        walked = path[: seen + 1]
        axes.plot(*walked.T, color=VERMILION, marker=dots, linewidth=1.4, gid="path", zorder=3)
        if fit.curvature:
            draw_minimum(axes, fit.curvature)
        for place in marks_on(fit, steps, path[:seen], np.ptp(size, axis=1)):
            mark(axes, place.params, "o", place.colour, 8, place.name, level=5)
            label_at(axes, place.name, *place.params.tolist())
        if seen < len(path):
            left = numbered(fit, steps[seen - 1].epoch)
            whole = axes.get_title()
            axes.set_title(whole.replace(AND_THE_PATH, f": the path leaves at epoch {left:,}"))
            end = leaving(path[seen - 1], path[seen], size).tolist()
            label_at(axes, f"to epoch {left:,}", *end)

    return finish


def param_axes(axes: Axes, fit: Fit, size: FloatArray) -> None:
    """Axes of w and b with such limits, a row each, and with the units that `fit` descended in."""
    drawing.number_axes(axes.xaxis, axes.yaxis)
    unit = UNITS.get(str(fit.settings.scale), "")
    axes.set(xlim=size[0], ylim=size[1], xlabel=f"w{unit}", ylabel=f"b{unit}")


def stays_until(fit: Fit, path: FloatArray) -> int:
    """The number of params on a path that leaves the picture that are in it, from the start on."""
    with np.errstate(over="ignore", invalid="ignore"):
        losses = loss_over(fit, path[:, 0], path[:, 1])
    gone = np.flatnonzero(~(losses <= LOSS_GROWN * losses[0]))
    return max(int(gone[0]), 1) if len(gone) else len(path)


def stays_within(size: FloatArray, path: FloatArray) -> int:
    """The number of params on a path that are in a window, from the first on."""
    within = ((size[:, 0] <= path) & (path <= size[:, 1])).all(axis=1)
    return len(path) if within.all() else int(np.argmin(within))


def window_of(path: FloatArray, curvature: Curvature | None) -> FloatArray:
    """The limits of w and of b, a row each, so that the path and the minimum can be seen, and level
    sets that lie aslant don't look like parallel lines."""
    points = np.vstack([path, curvature.minimum]) if curvature else path
    low, high = points.min(axis=0), points.max(axis=0)
    size = high - low
    size = np.where(size > 1e-9 * np.abs(points).max(), size, max(float(size.max()), 0.0))
    if not size.all():  # a single point
        size = np.full(2, np.abs(points).max() or 1.0)
    if curvature and curvature.is_unique:
        # The box around a level set is as wide and high as the roots of H⁻¹'s diagonal.
        axes, inverse = curvature.eigenvectors, 1 / curvature.eigenvalues
        box = np.sqrt((axes**2) @ inverse)
        size = np.maximum(size, (size / box).max() / SLANTED * box)
    centre = (low + high) / 2
    half = (0.5 + PATH_MARGIN) * size
    return np.column_stack([centre - half, centre + half])


def draw_minimum(axes: Axes, curvature: Curvature) -> None:
    """Where the loss is least: a point, or all along a line."""
    name, minimum = "minimum", curvature.minimum
    if not curvature.is_unique and curvature.eigenvalues[0] > 0:
        name = "minimum, all along the line"
        along = minimum + curvature.eigenvectors[:, 1] * max(np.ptp(axes.get_xlim()), 1e-300)
        axes.axline(tuple(minimum), tuple(along), color=BLACK, linestyle="--", linewidth=1.2)
    mark(axes, minimum, "*", YELLOW, 17, "minimum")
    label_at(axes, name, *minimum.tolist())


def marks_on(fit: Fit, steps: Sequence[Step], path: FloatArray, box: FloatArray) -> list[PathMark]:
    """The start, the marked epochs and the end, as far as the path is in the picture; one mark for
    those that follow each other without being apart in a window as large as `box`."""
    found = [PathMark("start", fit.start, "#FFFFFF")]
    found += [PathMark(f"{at.epoch:,}", at.params, at.colour) for at in marks_of(fit, steps)]
    if fit.best_epoch < fit.epochs:
        found.append(
            PathMark(f"{numbered(fit, fit.best_epoch):,}, the best", fit.params, VERMILION)
        )
    last = numbered(fit, steps[-1].epoch)
    found.append(PathMark(f"{last:,}", steps[-1].params, VERMILION))
    seen = [place for place in found if (path == place.params).all(axis=1).any()]
    groups: list[list[PathMark]] = []
    for at, place in enumerate(seen):
        if at == 1:
            place = place._replace(name=f"epoch {place.name}")
        if groups and not np.abs((place.params - groups[-1][0].params) / box).max() > TOGETHER:
            groups[-1].append(place)
        else:
            groups.append([place])
    return [
        PathMark(joined_names(group[0].name, group[-1].name), group[-1].params, group[0].colour)
        for group in groups
    ]


def joined_names(first: str, last: str) -> str:
    """The name of a place that the path is at from the one to the other."""
    if first == last:
        return first
    if first == "start" and not last.startswith("epoch"):
        return f"{first} to epoch {last}"
    return f"{first.replace('epoch', 'epochs')} to {last}"


def leaving(inside: FloatArray, outside: FloatArray, size: FloatArray) -> FloatArray:
    """Where the way from `inside` to `outside` leaves the window."""
    way = outside - inside
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (np.where(way > 0, size[:, 1], size[:, 0]) - inside) / way
    return inside + np.min(parts, where=way != 0, initial=1.0) * way


def equalize(axes: Axes) -> None:
    """Make the window wider or higher, so that both axes have one scale and a path down the
    gradient crosses level sets at right angles. Where the scales are too far apart for that, the
    title says so."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    width, height = axes.bbox.width, axes.bbox.height
    scales = (right - left) / width, (high - low) / height  # of a pixel
    if max(scales) > FAR_APART * min(scales):
        axes.set_title(f"{axes.get_title()}\n(w and b on different scales: no right angles)")
        return
    half = max(scales) / 2
    x, y = (left + right) / 2, (low + high) / 2
    axes.set(xlim=(x - half * width, x + half * width))
    axes.set(ylim=(y - half * height, y + half * height))


def draw_level_sets(axes: Axes, fit: Fit, shades: Sequence[str] = VALLEY) -> None:
    """The loss over all of the window, in `shades` from the least up, and lines on which it is the
    same."""
    points = GRID if fit.settings.is_squared else COARSE
    w, b = np.meshgrid(np.linspace(*axes.get_xlim(), points), np.linspace(*axes.get_ylim(), points))
    with np.errstate(over="ignore", invalid="ignore"):
        loss = loss_over(fit, w, b)
        above = loss - loss.min()
    levels = np.append(0.0, float(above.max()) * np.geomspace(1e-5, 1.0, LEVELS))
    if not (np.isfinite(levels).all() and (np.diff(levels) > 0).all()):
        return
    colours = LinearSegmentedColormap.from_list("valley", list(shades))
    norm = BoundaryNorm(levels, 256)
    axes.contourf(w, b, above, levels=levels, cmap=colours, norm=norm, zorder=0)
    axes.contour(w, b, above, levels=levels[1:-1], colors="white", linewidths=0.8, zorder=0.5)


def loss_over(fit: Fit, w: FloatArray, b: FloatArray) -> FloatArray:
    """The loss at each (w, b), arrays of one shape: the parabola that it is, or where it is none,
    the loss of the sample."""
    curvature = fit.curvature
    if curvature and curvature.is_parabola:
        points = np.stack([w, b], axis=-1)
        along: FloatArray = (points - curvature.minimum) @ curvature.eigenvectors
        loss: FloatArray = curvature.minimum_loss + 0.5 * along**2 @ curvature.eigenvalues
        if curvature.kinks:
            loss += curvature.kinks(points)
        return loss
    observations, settings = fit.observations, fit.settings
    rows = np.insert(observations.sample, 1, float(observations.intercept), axis=1)
    weights = observations.sample_weights
    if weights is None:
        weights = np.ones(len(rows))
    if fit.scaling:
        rows = fit.scaling.apply(rows)
    value = loss_of(settings).value
    design, y = rows[:, :-1], rows[:, -1:]
    params = np.stack([w.ravel(), b.ravel()])
    parts = np.array_split(params, 1 + w.size // COARSE, axis=1)
    total = np.concatenate([weights @ value(design @ part, y) for part in parts])
    penalty: FloatArray = penalty_of(settings, params)
    return (total / float(weights.sum()) + penalty).reshape(w.shape)
