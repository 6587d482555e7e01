"""Pictures of a run, for a slide or a page: the fit, the loss, the path of the params; and R's four
of its residuals, which show what of least squares' assumptions does not hold."""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import NormalDist
from typing import Any, BinaryIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdfit.arrays import FloatArray
from gdfit.choices import Panel
from gdfit.data.reduction.condense import Place
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit
from gdfit.errors import UsageError, quoted
from gdfit.model.intervals import influence_of, precision_of, residuals_of
from gdfit.show.pictures import drawing
from gdfit.show.pictures.curves import draw_loss, draw_modes, draw_params, draw_steepest
from gdfit.show.pictures.fit import FEW_DOTS, draw_fit, draw_roc, has_border, shown_params
from gdfit.show.pictures.path import draw_curve, draw_path
from gdfit.show.pictures.trace import LARGEST, ROUNDING, climbs, on_a_plane, predictors_of
from gdfit.show.tables import words
from gdfit.system import written_beside

# No identifiers that are drawn by lot, and text that remains text.
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "gdfit",
    "svg.fonttype": "none",
    "font.size": 12,
    "axes.titlesize": 13,
}
PANEL_DPI = 225  # pixels an inch, of one panel alone
Names = Callable[[Sequence[Place]], dict[Place, str]]
"""What people call the rows at some places."""
HEADLINE = {drawing.WHOLE_DPI: 104, PANEL_DPI: 62}  # letters on a line


def check_picture_ending(path: Path) -> None:
    """Raise where `path` does not end as a picture does."""
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        ends = "ends in .png, .svg or .pdf"
        raise UsageError(f"`plot` takes a file that {ends}, not {quoted(str(path))}")


def save_figure(draw_it: Callable[[], Figure], path: Path) -> None:
    """Write a figure beside `path`, then rename it; the same one gives the same file."""
    with written_beside(path) as beside:
        write_figure(draw_it, beside, path.suffix.lower().lstrip("."))


def write_figure(
    draw_it: Callable[[], Figure], file: Path | BinaryIO, kind: str, dpi: int | None = None
) -> None:
    """Draw a figure in gdfit's style and write it, without a date, as `kind`: png, svg or pdf."""
    import matplotlib as mpl

    dates: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = draw_it()
        figure.savefig(file, format=kind, dpi=dpi or figure.dpi, metadata=dates.get(kind, {}))


def draw(
    fit: Fit,
    steps: Sequence[Step],
    panel: Panel = "all",
    interval: float | None = None,
    names: Names = lambda places: {},
) -> Figure:
    """The picture of a run: the fit, the loss and the path of the params, or one of them; of a run
    that diverged, why.

    Parameters
    ----------
    fit : what came out.
    steps : the path, thinned or not.
    panel : which part of the picture.
    interval : the level of the intervals that are drawn about the line of one number.
    names : what rows are called that stand out.
    """
    dpi = drawing.WHOLE_DPI if panel in ("all", "residuals") else PANEL_DPI
    figure = drawing.new_figure(dpi)
    several, intercept = len(fit.model.features) > 1, fit.observations.intercept
    drawn: dict[str, Callable[[Axes, Fit, Sequence[Step]], Callable[[], None] | None]] = {
        "fit": partial(draw_fit, interval=interval),
        "loss": draw_loss,
        "path": draw_params if several else draw_path if intercept else draw_curve,
        "steepest": draw_steepest,
        "roc": draw_roc,
        "modes": draw_modes,
    }
    if panel == "residuals":
        looked = Looked(fit, steps, names)
        drawn |= looked.panels
    ranked = bool(fit.model.classes) and not on_a_plane(fit) and not has_border(fit)
    more = "steepest" if climbs(fit) else "roc" if ranked else ""
    every = panels(figure, panel, more)
    finishes = [drawn[name](axes, fit, steps) for name, axes in every.items()]
    if fit.status == "diverged":
        why = words.why_it_grows(fit)
        headline = textwrap.fill(why[0].upper() + why[1:], HEADLINE[dpi])
        figure.suptitle(headline, fontsize=15 if panel == "all" else 13, fontweight="bold")
    elif panel == "residuals":
        figure.suptitle(looked.told)
    return drawing.finished(figure, finishes)


def panels(figure: Figure, panel: Panel, more: str) -> dict[str, Axes]:
    """The axes to draw to, by what is drawn there: one, or all that belong to such a run, with one
    `more` than others have."""
    if panel == "residuals":
        return figure.subplot_mosaic([["fitted", "quantiles"], ["scale", "leverage"]])
    if panel != "all":
        return {panel: figure.add_subplot()}
    if more == "steepest":
        return figure.subplot_mosaic([["steepest", "loss"], ["fit", "path"]])
    if more:
        return figure.subplot_mosaic([["fit", "loss"], [more, "path"]])
    return figure.subplot_mosaic([["fit", "loss"], ["fit", "path"]], width_ratios=(1.15, 1))


MOST_NAMED = 3  # rows in a panel
SMOOTHED, PASSES_OVER, SMOOTH_POINTS = 2 / 3, 3, 200  # as R's lowess has it; at so many x at most
COOKS = {0.5: ":", 1.0: "--"}  # distances, and how they are drawn
LEAST_COUNT = 1e-9  # of a point, so that something counts wherever the line is
THIN: dict[str, Any] = {"color": drawing.GREY, "linestyle": ":", "linewidth": 1.2}
NORMAL = NormalDist()


class Looked:
    """The residuals of a fit in the rows of its sample.

    told : what is to be said of all panels.
    """

    def __init__(self, fit: Fit, steps: Sequence[Step], names: Names) -> None:
        part, precision = fit.observations, precision_of(fit.model, "leverages")
        features, y = part.sample[:, :-1], part.sample[:, -1]
        weights = np.ones(len(y)) if part.sample_weights is None else part.sample_weights
        self.z = predictors_of(fit, shown_params(fit, steps), features)
        self.of_classes, self.rank = bool(fit.model.classes), precision.root.shape[1]
        target = drawing.escaped(fit.model.target)
        self.across = f"z of {target}" if self.of_classes else f"fitted {target}"
        how = {"classes": self.of_classes}
        self.influence = influence_of(precision, features, y, self.z, weights, **how)
        self.residuals = np.sqrt(weights) * residuals_of(y, self.z, **how)
        h = np.where(np.isnan(self.influence.standardized), np.nan, self.influence.leverages)
        self.standardized = self.residuals / np.sqrt(1 - h) / precision.std_error
        self.is_exact = precision.std_error <= ROUNDING * np.abs(y).max()
        extremes = (self.residuals, self.standardized, self.influence.distances)
        rows = [] if self.is_exact else sorted({row for each in extremes for row in far_off(each)})
        at = part.sample_places
        places = {} if at is None else {row: tuple(at[row].tolist()) for row in rows}
        found = names([*places.values()]) if places else {}
        self.names = {row: found[place] for row, place in places.items() if place in found}
        some = f"{len(y):,} of {part.count:,} observations, drawn at random"
        kind = "file:line" if any(":" in name for name in found.values()) else "their lines"
        named = f"points are named by {kind} in the data"
        if not found:
            named = "points have no names, as the data can't be read again"
        self.told = "; ".join([some] * (len(y) < part.count) + [named] * bool(places))

    @property
    def panels(self) -> dict[str, Callable[[Axes, Fit, Sequence[Step]], None]]:
        """What draws each."""
        names = ("fitted", "quantiles", "scale", "leverage")
        return {name: getattr(self, f"draw_{name}") for name in names}

    def draw_points(
        self, axes: Axes, x: FloatArray, y: FloatArray, by: FloatArray, *, smooth: bool = True
    ) -> bool:
        """Draw points with a smooth line through them, and the names of those that are farthest
        `by` something; False where there are none."""
        drawing.number_axes(axes.xaxis, axes.yaxis)
        seen = np.isfinite(x) & (np.abs(y) < LARGEST)
        if self.is_exact or not seen.any():
            why = "residuals are rounding alone" if self.is_exact else "too large to be drawn"
            drawing.nothing_in(axes, why)
            return False
        few = len(y) <= FEW_DOTS
        dots = axes.scatter(x[seen], y[seen], s=30 if few else 10, color=drawing.BLUE, linewidths=0)
        dots.set(alpha=0.85 if few else 0.5)
        axes.set(xlim=drawing.window(x[seen], 0.06), ylim=drawing.window(y[seen], 0.12))
        if smooth:
            axes.plot(*smoothed(x[seen], y[seen]), color=drawing.VERMILION, linewidth=2)
        for row in far_off(by):
            if row in self.names and seen[row]:
                drawing.mark(axes, (x[row], y[row]), "o", drawing.BLUE, 6, "named")
                drawing.label_at(axes, self.names[row], x[row], y[row])
        return True

    def draw_fitted(self, axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
        """Residuals against what is fitted: where they are curved, the mean of y is."""
        kind = "deviance residual" if self.of_classes else "residual"
        axes.set(xlabel=self.across, ylabel=kind, title="Residuals against fitted")
        if self.draw_points(axes, self.z, self.residuals, self.residuals):
            axes.axhline(0, **THIN)

    def draw_quantiles(self, axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
        """Standardized residuals against what those of normal errors would be, with a line through
        their quartiles."""
        axes.set(xlabel="quantile of a normal distribution", ylabel="standardized residual")
        axes.set_title("Normal Q–Q")
        y, x = self.standardized, np.full(len(self.z), np.nan)
        count = np.count_nonzero(~np.isnan(y))
        order, ahead = np.argsort(y)[:count], 3 / 8 if count <= 10 else 1 / 2  # as R has it
        parts = (np.arange(1, count + 1) - ahead) / (count + 1 - 2 * ahead)
        x[order] = [*map(NORMAL.inv_cdf, parts.tolist())]
        if self.draw_points(axes, x, y, y, smooth=False):
            low, high = np.quantile(y[order], (0.25, 0.75)).tolist()
            slope = (high - low) / (2 * NORMAL.inv_cdf(0.75))
            axes.axline((0, (low + high) / 2), slope=slope, **THIN)

    def draw_scale(self, axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
        """Their sizes against what is fitted: where they rise, errors do."""
        axes.set(xlabel=self.across, ylabel="√|standardized residual|", title="Scale–location")
        sizes = np.sqrt(np.abs(self.standardized))
        if self.draw_points(axes, self.z, sizes, self.standardized):
            axes.set_ylim(bottom=0)

    def draw_leverage(self, axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
        """Standardized residuals against leverage, with those lines of Cook's distances that are
        in the picture."""
        h, y, distances = self.influence
        kind = "standardized Pearson residual" if self.of_classes else "standardized residual"
        axes.set(xlabel="leverage", ylabel=kind, title="Residuals against leverage")
        if not self.draw_points(axes, h, y, distances):
            return
        largest = drawing.picture_number(float(f"{np.nanmax(distances):.2g}"))
        axes.set_title(f"Leverage: Cook's distances up to {largest}")
        axes.axhline(0, **THIN)
        right, (low, high) = min(axes.get_xlim()[1], 1.0), axes.get_ylim()
        x = np.linspace(0, right, SMOOTH_POINTS)[1:]
        for distance, style in COOKS.items():
            line = np.sqrt(distance * self.rank * (1 - x) / x)
            label = f"Cook's distance {distance:g}"
            for drawn in [each for each in (line, -line) if low < each[-1] < high]:
                axes.plot(x, drawn, style, color=drawing.BLACK, linewidth=1.2, label=label)
                label = "_"
        axes.set(xlim=(0, right), ylim=(low, high))


def far_off(values: FloatArray) -> list[int]:
    """The places of the largest of some values, whatever their sign."""
    sizes = np.nan_to_num(np.abs(values), nan=-1)
    places: list[int] = np.argsort(-sizes, kind="stable")[:MOST_NAMED].tolist()
    return places


def smoothed(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A smooth line through points, its x and its y: at each x a line fitted to the nearest points,
    the nearer the more they count, and in further passes less the farther they are from the line
    (Cleveland, J. Am. Stat. Assoc. 74, 1979)."""
    ranks = np.linspace(0, len(x) - 1, min(len(x), SMOOTH_POINTS)).round().astype(int)
    at = np.unique(np.sort(x)[ranks])
    apart = np.abs(at[:, np.newaxis] - x)
    farthest = min(max(math.floor(SMOOTHED * len(x) + 1e-7), 2), len(x)) - 1
    reach = np.partition(apart, farthest, axis=1)[:, farthest, np.newaxis]
    near = (1 - np.minimum(apart / np.where(reach > 0, reach, 1), 1) ** 3) ** 3
    counts = np.ones(len(x))
    for _ in range(PASSES_OVER + 1):
        weights = near * counts
        weights /= weights.sum(axis=1, keepdims=True)
        means = weights @ x
        around = weights * (x - means[:, np.newaxis])
        spread = (around * (x - means[:, np.newaxis])).sum(axis=1)
        is_spread = spread > (1e-3 * np.ptp(x)) ** 2
        slopes = np.where(is_spread, around @ y / np.where(is_spread, spread, 1), 0)
        heights = weights @ y + slopes * (at - means)
        sizes = np.abs(y - np.interp(x, at, heights))
        scale = 6 * np.median(sizes)
        if scale <= 1e-7 * sizes.mean():
            break
        counts = np.maximum((1 - np.minimum(sizes / scale, 1) ** 2) ** 2, LEAST_COUNT)
    return at, heights
