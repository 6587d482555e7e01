"""Pictures of a run, for a slide or a page: the fit, the loss, the path of the params."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfit.descent.fit import Fit
from gdfit.descent.loop import Step
from gdfit.errors import UsageError, quoted
from gdfit.files import written_beside
from gdfit.show.colours import BLACK, BLUE, LARGEST, ORANGE, VERMILION, text_of
from gdfit.show.path_plots import draw_params, draw_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")
EARLIER_LINES = 6
STYLE: dict[Any, Any] = {"svg.hashsalt": "gdfit", "font.size": 12, "axes.titlesize": 13}
DPI = 120


def check_ending(path: Path) -> None:
    """Raise where `path` does not end as a picture does."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"`plot` takes a file that ends in .png, .svg or .pdf, not {quoted(str(path))}"
        )


def save_plot(fit: Fit, steps: Sequence[Step], path: Path) -> None:
    """Draw the run to the file at `path`."""
    save_figure(lambda: draw(fit, steps), path)


def save_figure(draw_it: Callable[[], Figure], path: Path) -> None:
    """Write a figure beside `path`, then rename it; the same one gives the same file."""
    import matplotlib as mpl

    kind = path.suffix.lower().lstrip(".")
    # No dates, and by `STYLE` no identifiers that are drawn by lot.
    metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    with mpl.rc_context(STYLE), warnings.catch_warnings(), written_beside(path) as beside:
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = draw_it()
        figure.savefig(beside, format=kind, dpi=DPI, metadata=metadata)


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
    axes.set_ylabel(names.get(fit.settings.loss, fit.settings.loss))
    axes.set_title(f"The loss: {fit.settings.optimizer}, lr {fit.settings.lr:.4g}")
    axes.legend(loc="best")


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
