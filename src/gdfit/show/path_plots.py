"""Pictures of the way that the params took: over level sets of the loss, or against the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.fit import Fit
from gdfit.descent.loop import Step
from gdfit.descent.losses import LOSSES
from gdfit.show.colours import BLACK, LARGEST, LINES, VERMILION, YELLOW, text_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = 160  # points of the level sets along each axis


def draw_path(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """Level sets of the loss over (w, b), with the path that the params took, and the minimum."""
    from matplotlib.colors import BoundaryNorm

    path = np.array([fit.start, *(step.params for step in steps)])
    path = path[(np.abs(path) < LARGEST).all(axis=1)]
    minimum = fit.curvature.minimum if fit.curvature else path[-1]
    seen = path
    if fit.status == "diverged":
        distances = np.linalg.norm(path / path_scale(path, minimum), axis=1)
        outside = np.flatnonzero(distances > 4 * max(distances[0], 1.0))
        seen = path[: outside[0] + 1] if len(outside) else path
    left, right, low, high = window_of(np.vstack([seen, minimum]))
    w, b = np.meshgrid(np.linspace(left, right, GRID), np.linspace(low, high, GRID))
    loss = loss_over(fit, w, b)
    above = loss - loss.min()
    top = float(above.max()) or 1.0
    levels = np.concatenate([[0.0], top * np.geomspace(1e-5, 1.0, 16)])
    norm = BoundaryNorm(levels, 256) if np.isfinite(levels).all() else None
    if np.isfinite(above).all() and (np.diff(levels) > 0).all():
        axes.contourf(w, b, above, levels=levels, cmap="cividis_r", norm=norm)
        axes.contour(w, b, above, levels=levels[1:-1], colors="white", linewidths=0.5, alpha=0.6)
    mark = "." if len(path) <= 200 else None
    axes.plot(path[:, 0], path[:, 1], color=VERMILION, marker=mark, linewidth=1.8, label="path")
    axes.plot(*path[0], "o", color="white", markeredgecolor=BLACK, markersize=9, label="start")
    if fit.curvature:
        label = "minimum" if fit.curvature.is_unique else "a minimum"
        axes.plot(*minimum, "*", color=YELLOW, markeredgecolor=BLACK, markersize=17, label=label)
    title = "Level sets of the loss, and the path of the params"
    if fit.status == "diverged":
        left_at = steps[min(len(seen), len(steps)) - 1].epoch
        title = f"Level sets of the loss: the path leaves at epoch {left_at}"
    else:
        axes.plot(*path[-1], "s", color=VERMILION, markeredgecolor=BLACK, markersize=8, label="end")
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    units = " (standardized)" if fit.scaling else ""
    axes.set_xlabel(f"w{units}")
    axes.set_ylabel(f"b{units}")
    axes.set_title(title)
    axes.legend(loc="best", fontsize=10)


def path_scale(path: FloatArray, minimum: FloatArray) -> FloatArray:
    """How far the minimum is from the start in each direction: the picture's natural size."""
    scale = np.abs(minimum - path[0])
    return np.where(scale > 0, scale, max(float(scale.max()), 1.0))


def window_of(points: FloatArray) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of a window around `points`, shape (n, 2), with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    size = high - low
    size = np.where(size > 0, size, np.maximum(np.abs(low), 1.0))
    low, high = low - 0.18 * size, high + 0.18 * size
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def loss_over(fit: Fit, w: FloatArray, b: FloatArray) -> FloatArray:
    """The loss at each (w, b), arrays of one shape: the parabola that it is, or for other losses
    than the squared one, that of the sample."""
    bends = fit.curvature
    if bends:
        away = np.stack([w, b], axis=-1) - bends.minimum
        along: FloatArray = away @ bends.eigenvectors
        loss: FloatArray = bends.minimum_loss + 0.5 * along**2 @ bends.eigenvalues
        return loss
    rows = fit.observations.sample[:500]
    x, y = rows[:, 0], rows[:, 1]
    if fit.scaling:
        x = (x - fit.scaling.means[0]) / fit.scaling.deviations[0]
    value = LOSSES[fit.settings.loss](fit.settings.huber_delta).value
    total = np.zeros_like(w)
    for inputs, target in zip(x.tolist(), y.tolist(), strict=True):
        total += value(w * inputs + b, target)
    return total / len(rows) + fit.settings.l2 * w**2


def draw_params(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """Each param against epoch, its name at the end of its line."""
    names = [*(f"w {text_of(name)}" for name in fit.model.features), "b"]
    path = np.array([step.params for step in steps])
    epochs = np.array([step.epoch for step in steps])
    title = "The params"
    if fit.status == "diverged":
        sizes = np.nan_to_num(np.abs(path).max(axis=1), nan=np.inf)
        near = int(np.argmax(sizes > 100 * sizes[0])) or len(path)
        path, epochs = path[:near], epochs[:near]
        title = f"The params, until epoch {epochs[-1]}"
    path, epochs = np.vstack([fit.start, path]), np.append(0, epochs)
    if epochs[-1] > 100:
        axes.set_xscale("symlog", linthresh=1)
    for place in range(path.shape[1]):
        colour = LINES[place % len(LINES)]
        style = ("-", "--", ":")[place // len(LINES) % 3]
        axes.plot(epochs, path[:, place], style, color=colour, linewidth=1.8)
    axes.set_xlim(0, epochs[-1])
    # In the axes' own coordinates, 0 to 1, whatever their scale.
    to_axes = axes.transData + axes.transAxes.inverted()
    ends = to_axes.transform([(epochs[-1], value) for value in path[-1]])[:, 1]
    for place, height in enumerate(spread(ends)):
        axes.annotate(
            names[place],
            xy=(1, float(ends[place])),
            xytext=(1.03, height),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=BLACK,
            fontsize=10,
            va="center",
            arrowprops={"arrowstyle": "-", "color": LINES[place % len(LINES)], "linewidth": 0.6},
        )
    units = " (standardized)" if fit.scaling else ""
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"param{units}")
    axes.set_title(title)


def spread(heights: FloatArray, apart: float = 0.075) -> list[float]:
    """`heights`, from 0 to 1, moved so that none is nearer to another than `apart`: for labels."""
    order = np.argsort(heights)
    apart = min(apart, 1.0 / max(len(heights) - 1, 1))
    placed = np.clip(heights[order], 0.0, 1.0)
    for place in range(1, len(placed)):
        placed[place] = max(placed[place], placed[place - 1] + apart)
    over = placed[-1] - 1.0
    if over > 0:
        placed[-1] -= over
        for place in range(len(placed) - 2, -1, -1):
            placed[place] = min(placed[place], placed[place + 1] - apart)
    result = np.empty_like(placed)
    result[order] = placed
    return [float(height) for height in result]
