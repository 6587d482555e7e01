"""Pictures of the params against the epoch, for several features: a line each, its name beside its
end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.text import Annotation

from gdfit.arrays import FloatArray
from gdfit.descent.fit import Fit
from gdfit.descent.history import params_names
from gdfit.descent.loop import Step
from gdfit.descent.scaling import scaling_of, solved
from gdfit.show.colours import GREY, LARGEST, LINES, STYLES, text_of
from gdfit.show.scales import epoch_axis, number_axis, window

NAMED = 12  # features
LONG = 100  # epochs that a linear axis shows well
GROWN = 100.0  # times the first params: out of the picture
BUNDLE_POINTS = 100  # of each line that has no name
FONT = 10.0  # points
LINE_HEIGHT = 1.25 * FONT


def draw_params(axes: Axes, fit: Fit, steps: Sequence[Step]) -> Callable[[], None]:
    """Each param against epoch, or of many the dozen that count most and the others as a faint
    bundle; what is returned places the names, once the axes have their size."""
    path = np.array([fit.start, *(step.params for step in steps)])
    epochs = np.array([0, *(step.epoch for step in steps)])
    diverged, title = fit.status == "diverged", "The params"
    if diverged:
        sizes = np.nan_to_num(np.abs(path).max(axis=1), nan=np.inf)
        bound = min(GROWN * max(sizes[:2].max(), np.finfo(float).tiny), LARGEST)
        stays = max(int(np.argmax(sizes > bound)) or len(path), 1)
        path, epochs = path[:stays], epochs[:stays]
        title = f"The params, until epoch {epochs[-1]:,}"
    path = np.array(comparable(fit, path))
    named = counting_most(fit, path[-1])
    drawn = path.shape[1] - (not fit.observations.intercept)
    others = np.setdiff1d(np.arange(drawn), named)
    if len(others):
        draw_bundle(axes, epochs, path[:, others])
    names = params_names(fit.model.features)
    labels = []
    for place, param in enumerate(named):
        colour = LINES[place % len(LINES)]
        style = STYLES[place // len(LINES) % len(STYLES)]
        axes.plot(epochs, path[:, param], style, color=colour, linewidth=1.8)
        labels.append(name_at(axes, text_of(names[param]), colour))
    ends = path[-1, named]
    if len(others):
        labels.append(name_at(axes, f"and {len(others):,} others", GREY))
        ends = np.append(ends, np.median(path[-1, others]))
    epoch_axis(axes, 0, max(int(epochs[-1]), 1), logarithmic=epochs[-1] > LONG and not diverged)
    number_axis(axes.yaxis)
    axes.set_ylim(*window(path, 0.06))
    axes.set_ylabel("param (standardized)" if fit.scaling else "param")
    axes.set_title(title)

    def finish() -> None:
        # In the axes' own coordinates, 0 to 1, whatever their scale.
        to_axes = axes.transData + axes.transAxes.inverted()
        heights = to_axes.transform([(epochs[-1], end) for end in ends])[:, 1]
        pixels = LINE_HEIGHT * axes.figure.dpi / 72
        apart = spread(heights, pixels / axes.bbox.height)
        for label, height, text_height in zip(labels, heights.tolist(), apart, strict=True):
            label.xy, label.xyann = (1, height), (1.03, text_height)

    return finish


def comparable(fit: Fit, path: FloatArray) -> FloatArray:
    """The params of standardized features, where these were scaled; else as they are."""
    if fit.scaling is None or fit.scaling.mixing is None:
        return path
    path, used = path.copy(), list(fit.scaling.used)
    path[:, used] = solved(fit.scaling.mixing, path[:, used].T).T
    return path


def counting_most(fit: Fit, params: FloatArray) -> list[int]:
    """The places of the params to name: b, and the features whose part of the prediction varies
    most."""
    features = len(fit.model.features)
    sizes = np.abs(params[:-1])
    if fit.scaling is None and features > NAMED:
        scaling = scaling_of(fit.observations, "standardize")
        assert scaling
        sizes = sizes * scaling.deviations
    largest = np.argsort(-sizes, kind="stable")[:NAMED]
    return [*sorted(largest.tolist()), *([features] if fit.observations.intercept else [])]


def draw_bundle(axes: Axes, epochs: FloatArray, path: FloatArray) -> None:
    """The lines of many params, faint, through some of their epochs."""
    last = len(epochs) - 1
    even = np.linspace(0, last, BUNDLE_POINTS)
    early = np.geomspace(1, last + 1, BUNDLE_POINTS) - 1
    chosen = np.unique(np.concatenate([even, early]).astype(int))
    lines = [np.column_stack([epochs[chosen], line]) for line in path[chosen].T]
    axes.add_collection(
        LineCollection(lines, colors=GREY, alpha=0.25, linewidths=0.6, zorder=1), autolim=False
    )


def name_at(axes: Axes, name: str, colour: str) -> Annotation:
    """A name to the right of the axes, with a line to where its own ends."""
    return axes.annotate(
        name,
        xy=(1, 0.5),
        xytext=(1.03, 0.5),
        xycoords="axes fraction",
        textcoords="axes fraction",
        color=colour,
        fontsize=FONT,
        va="center",
        arrowprops={
            "arrowstyle": "-",
            "color": colour,
            "linewidth": 0.7,
            "shrinkA": 1,
            "relpos": (0, 0.5),
        },
    )


def spread(heights: FloatArray, apart: float) -> list[float]:
    """`heights`, from 0 to 1, moved as little as can be so that none is nearer to another than
    `apart`, or to an end than half of it: for labels. Those in each other's way are spread around
    their mean."""
    order = np.argsort(heights, kind="stable")
    count = len(heights)
    apart = min(apart, 1.0 / max(count, 1))
    room = (np.arange(count) + 0.5) * apart
    groups: list[tuple[float, int]] = []  # means of what is to be in order, and how many they are
    for wanted in (np.clip(heights[order], 0.0, 1.0) - room).tolist():
        mean, members = wanted, 1
        while groups and groups[-1][0] > mean:
            other, others = groups.pop()
            mean = (mean * members + other * others) / (members + others)
            members += others
        groups.append((mean, members))
    means = np.repeat([mean for mean, _ in groups], [members for _, members in groups])
    result = np.empty(count)
    result[order] = np.clip(means, 0.0, 1.0 - apart * count) + room
    return [float(height) for height in result]
