"""Pictures of a run, for a slide or a page: the fit, the loss, the path of the params."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.fit import Fit
from gdfit.descent.loop import Step
from gdfit.descent.losses import LOSSES
from gdfit.errors import UsageError, quoted
from gdfit.files import written_beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")
# Okabe and Ito's colours, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, BLACK = "#CC79A7", "#56B4E9", "#F0E442", "#000000"
LINES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, "#999999", "#7F4F24")
EARLIER_LINES = 6
LONGEST_NAME = 24
LARGEST = 1e200  # what an axis can show
GRID = 160  # points of the level sets along each axis


def check_ending(path: Path) -> None:
    """Raise where `path` does not end as a picture does."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"`plot` takes a file that ends in .png, .svg or .pdf, not {quoted(str(path))}"
        )


def save_plot(fit: Fit, steps: Sequence[Step], path: Path) -> None:
    """Draw the run and write it beside `path`, then rename it; the same run gives the same file."""
    import matplotlib as mpl

    kind = path.suffix.lower().lstrip(".")
    # No dates, and no identifiers that are drawn by lot.
    metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    with (
        mpl.rc_context({"svg.hashsalt": "gdfit", "font.size": 12, "axes.titlesize": 13}),
        warnings.catch_warnings(),
        written_beside(path) as beside,
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = draw(fit, steps)
        figure.savefig(beside, format=kind, dpi=120, metadata=metadata)


def draw(fit: Fit, steps: Sequence[Step]) -> Figure:
    """The picture of a run: 16:9, the fit on the left, the loss and the params on the right.

    Parameters
    ----------
    fit : what came out.
    steps : the path, thinned or not.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.333, 7.5), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1))
    left = figure.add_subplot(grid[:, 0])
    top, bottom = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
    if len(fit.model.features) == 1:
        draw_line(left, fit, steps)
        draw_path(bottom, fit, steps)
    else:
        draw_predictions(left, fit, steps)
        draw_params(bottom, fit, steps)
    draw_loss(top, fit, steps)
    return figure


def draw_line(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The observations with the line, and faintly the lines of earlier epochs."""
    x, y = fit.observations.sample.T
    axes.scatter(x, y, s=28 if len(x) <= 200 else 8, color=BLUE, alpha=0.8, label="observations")
    margin = 0.05 * (np.ptp(x) or 1.0)
    ends = np.array([x.min() - margin, x.max() + margin])
    height = 0.12 * (np.ptp(y) or 1.0)
    low, high = y.min() - height, y.max() + 2 * height
    earlier = []
    for step in earlier_steps(steps):
        w, b = fit.scaling.to_data(step.params) if fit.scaling else step.params
        with np.errstate(over="ignore", invalid="ignore"):
            line = w * ends + b
        if line.min() < high and line.max() > low:  # it can be seen; NaN can't
            earlier.append((step.epoch, line))
    for place, (_, line) in enumerate(earlier):
        label = f"epochs {earlier[0][0]} to {earlier[-1][0]}" if place == 0 else None
        opacity = 0.3 + 0.4 * place / len(earlier)
        axes.plot(ends, line, color=ORANGE, alpha=opacity, linewidth=1.5, label=label)
    if fit.status != "diverged":
        w, b = fit.model.params
        label = f"{text_of(fit.model.target)} = {equation(w, b, fit.model.features[0])}"
        line = w * ends + b
        if line.min() >= high or line.max() <= low:
            label += " (out of the picture)"
        axes.plot(ends, line, color=VERMILION, linewidth=2.5, label=label)
    axes.set_xlim(ends[0], ends[1])
    axes.set_ylim(low, high)
    axes.set_xlabel(text_of(fit.model.features[0]))
    axes.set_ylabel(text_of(fit.model.target))
    out = ", out of the picture" if fit.status == "diverged" and not earlier else ""
    axes.set_title(f"The fit: {ending(fit)}{out}{drawn(fit)}")
    axes.legend(loc="best")


def earlier_steps(steps: Sequence[Step]) -> list[Step]:
    """A few epochs before the last, ever farther apart as the steps become smaller."""
    if len(steps) < 2:
        return []
    places = np.unique(np.geomspace(1, len(steps), EARLIER_LINES + 1).astype(int))[:-1] - 1
    return [steps[place] for place in places.tolist()]


def draw_predictions(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """Predicted against observed, with the diagonal on which they are the same."""
    *x, y = fit.observations.sample.T
    axes.set_xlabel(f"observed {text_of(fit.model.target)}")
    axes.set_ylabel(f"predicted {text_of(fit.model.target)}")
    axes.set_title(f"The fit: {ending(fit)}{drawn(fit)}")
    ends = [y.min(), y.max()] if np.ptp(y) else [y[0] - 1, y[0] + 1]
    axes.plot(ends, ends, color=BLACK, linewidth=1, label="predicted = observed")
    params, label = fit.model.params, "observations"
    if fit.status == "diverged" and steps:  # what came before it was beyond all measure
        first = fit.scaling.to_data(steps[0].params) if fit.scaling else steps[0].params
        params, label = tuple(first.tolist()), "after epoch 1"
    predicted = np.array(x).T @ params[:-1] + params[-1]
    size = 28 if len(y) <= 200 else 8
    axes.scatter(y, predicted, s=size, color=BLUE, alpha=0.8, label=label)
    axes.legend(loc="best")


def draw_loss(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """Loss against epoch, with the validation loss and the minimum, logarithmic where it helps."""
    epochs = np.array([step.epoch for step in steps])
    curves = {"loss": (np.array([step.loss for step in steps]), BLUE, "-")}
    if fit.validation_loss is not None:
        validation = np.array([step.validation_loss for step in steps], dtype=float)
        curves["validation loss"] = validation, ORANGE, "-"
    finite = np.concatenate([curve[np.isfinite(curve)] for curve, _, _ in curves.values()])
    finite = finite[finite < LARGEST]
    positive = finite[finite > 0]
    logarithmic = len(positive) > 0 and positive.max() > 20 * positive.min()
    for name, (curve, colour, style) in curves.items():
        shown = (curve < LARGEST) & ((curve > 0) | (not logarithmic))
        mark = "o" if shown.sum() <= 12 else None
        axes.plot(epochs[shown], curve[shown], style, color=colour, marker=mark, label=name)
    least = fit.curvature.minimum_loss if fit.curvature else 0.0
    if least > 0 and (not logarithmic or least > 1e-12 * positive.max()):
        axes.axhline(least, color=BLACK, linestyle="--", linewidth=1, label=f"minimum {least:.4g}")
    if logarithmic:
        axes.set_yscale("log")
    if epochs[-1] > 100:
        axes.set_xscale("log")
    names = {"mse": "mean squared error", "mae": "mean absolute error", "huber": "Huber's loss"}
    axes.set_xlabel("epoch")
    axes.set_ylabel(names[fit.settings.loss])
    axes.set_title(f"The loss: {fit.settings.optimizer}, lr {fit.settings.lr:.4g}")
    axes.legend(loc="best")


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


def ending(fit: Fit) -> str:
    """How many epochs, and how it ended if not well."""
    epochs = f"{fit.epochs:,} epochs" if fit.epochs > 1 else "1 epoch"
    return f"diverged after {epochs}" if fit.status == "diverged" else epochs


def drawn(fit: Fit) -> str:
    """How many of the observations are drawn, where that is not all."""
    count, sample = fit.observations.count, len(fit.observations.sample)
    return f" ({sample:,} of {count:,} observations drawn)" if sample < count else ""


def equation(w: float, b: float, name: str) -> str:
    """``0.302 x + 0.233``, for a legend."""
    sign = "−" if w < 0 else ""
    return f"{sign}{abs(w):.4g} {text_of(name)} {'−' if b < 0 else '+'} {abs(b):.4g}"


def text_of(name: str) -> str:
    """A column's name as text for a picture: not too long, and no formula."""
    name = " ".join(name.split())
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return short.replace("$", r"\$")
