"""The picture of a fit: the line or the curve through the observations, or predicted against
observed; of two classes also the line between them, their probabilities, and how well these tell
them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import chain, islice
from typing import cast

import numpy as np
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.dates import iso_date
from gdfit.descent.loop import Step
from gdfit.descent.objective import design_blocks
from gdfit.descent.outcome import Fit
from gdfit.model.classification import Ranking, ranking_of
from gdfit.model.intervals import Further
from gdfit.show.pictures import drawing, trace
from gdfit.show.pictures.drawing import BLACK, BLUE, BROWN, GREY, ORANGE, VERMILION
from gdfit.show.pictures.trace import LARGEST, Mark, numbers_along, numbers_in, on_a_plane
from gdfit.show.tables.style import counted

FEW_DOTS = 200  # observations, each of which is seen
LONGEST_LABEL = 40
ROOM, FINAL_ROOM = 2.0, 4.0  # times the height of the observations, for earlier lines, the last
APART = 0.004  # of the window's height: lines that are nearer are one
SPREAD = (0.02, 0.13)  # how far the dots of two classes are from y = 0 and 1, beyond which they lie
GOLDEN = 0.6180339887  # the multiples of it fill an interval evenly
FEW_DAYS = 14
BAND_ALPHAS = (0.15, 0.35)  # of the wider band, and of the narrower one in it


def draw_fit(axes: Axes, fit: Fit, steps: Sequence[Step], *, interval: float | None = None) -> None:
    """The fit, for any number of features; of one number with intervals of a level, if it is
    given."""
    drawing.number_axes(axes.xaxis, axes.yaxis)
    draw = partial(draw_line, interval=interval) if on_a_plane(fit) else draw_predictions
    if fit.model.classes and not on_a_plane(fit):
        draw = draw_border if has_border(fit) else draw_probabilities
    draw(axes, fit, steps)
    axes.set_title(fit_title(fit))


def draw_line(
    axes: Axes, fit: Fit, steps: Sequence[Step], *, interval: float | None = None
) -> None:
    """The observations with the line, and faintly the lines of earlier epochs: curves, where there
    is a link, or the features are powers of a number, or the like."""
    places = [(numbers_in(part)[:, 0], heights_in(fit, part)) for part in trace.parts(fit)]
    across, up = (np.concatenate(each) for each in zip(*places, strict=True))
    left, right = drawing.window(across, 0.05)
    low, high = drawing.window(up, 0.12)
    x, features = trace.features_along(fit, np.array([left, right]), across)
    earlier = earlier_marks(fit, steps)
    final = trace.heights_of(fit, fit.params, features)
    lines = [trace.heights_of(fit, mark.params, features) for mark in earlier]
    bands = bands_about(fit, features, interval) if interval and fit.status != "diverged" else {}
    low, high = with_lines(low, high, fit, final, [*chain.from_iterable(bands.values()), *lines])
    for part, place in zip(trace.parts(fit), places, strict=True):
        scatter(axes, *place, fit, part)
    for mark, heights in zip(earlier, lines, strict=True):
        seen = heights.min() < high and heights.max() > low  # NaN is not
        if seen and not np.abs(heights - final).max() < APART * (high - low):
            axes.plot(x, heights, color=mark.colour, linewidth=1.6, label=mark_label(mark))
    if fit.status != "diverged":
        label = line_label(fit)
        if final.min() >= high or final.max() <= low:
            label += " (out of the picture)"
        axes.plot(x, final, color=VERMILION, linewidth=2.8, label=label)
        for alpha, (what, ends) in zip(BAND_ALPHAS, bands.items(), strict=False):
            axes.fill_between(x, *ends, color=VERMILION, alpha=alpha, linewidth=0, label=what)
        if fit.model.classes:
            axes.yaxis.set_major_locator(FixedLocator([0, 0.2, 0.4, 0.6, 0.8, 1]))
            z = trace.predictors_of(fit, fit.params, features)
            mark_crossings(axes, x, z, low, is_dated=trace.is_along_dates(fit))
    name, answer = drawing.escaped(numbers_along(fit)[0]), drawing.escaped(fit.model.answer)
    axes.set(xlim=(left, right), ylim=(low, high), xlabel=name, ylabel=answer)
    if trace.is_along_dates(fit):
        drawing.date_axis(axes.xaxis)


def bands_about(fit: Fit, features: FloatArray, level: float) -> dict[str, FloatArray]:
    """The ends of the intervals of a level along the line, by what falls in them; of classes, of
    their probability alone."""
    wanted = Further(fit.model, None if fit.model.classes else level, level)
    ends = wanted.at_features(features).T
    percent = f"{100 * level:g} %"
    *new, mean = np.split(ends, len(ends) // 2)
    bands = {f"{percent}: a new observation": each for each in new}
    return bands | {f"{percent}: {'the probability' if fit.model.classes else 'the mean'}": mean}


def earlier_marks(fit: Fit, steps: Sequence[Step]) -> list[Mark]:
    """The epochs whose fit is drawn faintly; of a run that diverged, the start, too."""
    start = [Mark(0, fit.start, GREY)] if fit.status == "diverged" else []
    return [*start, *trace.marks_of(fit, steps)]


def mark_label(mark: Mark) -> str:
    """``epoch 10``, for a legend."""
    return f"epoch {mark.epoch:,}" if mark.epoch else "start"


def heights_in(fit: Fit, part: Observations) -> FloatArray:
    """y of a part's sample; of two classes spread out beyond 0 and 1, so that it shows how many
    there are."""
    y: FloatArray = part.sample[:, -1]
    if not fit.model.classes:
        return y
    near, far = SPREAD
    out = near + (far - near) * np.modf(GOLDEN * np.arange(len(y)))[0]
    spread: FloatArray = np.where(y > 0.5, 1 + out, -out)
    return spread


def mark_crossings(axes: Axes, x: FloatArray, z: FloatArray, low: float, *, is_dated: bool) -> None:
    """Where a curve of probabilities crosses ½, which is where z is 0; of dates to the day, where
    they are of weeks."""
    for place in np.flatnonzero((z[:-1] < 0) != (z[1:] < 0)).tolist():
        part = z[place] / (z[place] - z[place + 1])
        at = float(x[place] + part * (x[place + 1] - x[place]))
        drop = axes.plot([at, at], [low, 0.5], color=BLACK, linestyle=":", linewidth=1.2)
        drop[0].set_gid("crossing")
        drawing.mark(axes, (at, 0.5), "o", VERMILION, 8, "half")
        told = drawing.picture_number(at)
        if is_dated:
            told = iso_date(round(at) if np.ptp(x) > FEW_DAYS else at)
        drawing.label_at(axes, f"½ at {told}", at, 0.5)


def with_lines(
    low: float, high: float, fit: Fit, final: FloatArray, earlier: Sequence[FloatArray]
) -> tuple[float, float]:
    """A window from `low` to `high`, made larger for those lines that don't make the observations
    too small; for a run that diverged, for the first two in any case."""
    height = high - low
    lines = [(final, FINAL_ROOM * height), *((line, ROOM * height) for line in earlier)]
    if fit.status == "diverged":
        lines = [(line, LARGEST) for line in earlier[:2]] + lines[3:]
    for heights, most in lines:
        lower, higher = min(low, heights.min()), max(high, heights.max())
        with np.errstate(over="ignore", invalid="ignore"):
            if higher - lower <= most:
                low, high = lower, higher
    return drawing.window(np.array([low, high]), 0.0 if high - low == height else 0.04)


def scatter(axes: Axes, x: FloatArray, y: FloatArray, fit: Fit, part: Observations) -> None:
    """Points, one for each observation of a part that is drawn, those of two classes apart; the
    legend says how many are."""
    held_out = part is fit.validation
    few = len(part.sample) <= FEW_DOTS
    for label, colour, is_in in groups_of(fit, part):
        marker = "D" if held_out else "o"
        dots = axes.scatter(x[is_in], y[is_in], s=30 if few else 10, marker=marker, label=label)
        dots.set(facecolors="white" if held_out else colour, edgecolors=colour)
        dots.set(alpha=0.85 if few else 0.5, linewidths=1.5 if held_out else 0.0)
        dots.set_zorder(2.5 if held_out else 2.4)


def groups_of(fit: Fit, part: Observations) -> list[tuple[str, str, NDArray[np.bool_]]]:
    """The observations of a part that are drawn alike: a label, a colour, and which they are."""
    held_out, y, classes = part is fit.validation, part.sample[:, -1], fit.model.classes
    drawn = f" ({len(y):,} of {part.count:,} drawn)" if len(y) < part.count else ""
    what = "validation" if held_out else "observations"
    if not classes:
        return [(what + drawn, ORANGE if held_out else BLUE, np.full(len(y), True))]
    before = "validation: " if held_out else ""
    target, names = drawing.escaped(fit.model.target), map(drawing.escaped, classes.names)
    negative, positive = (f"{before}{target} = {name}" for name in names)
    return [(positive + drawn, BLUE, y > 0.5), (negative, BROWN, y <= 0.5)]


BORDER_POINTS = 200  # along each axis, between which a border is found


def has_border(fit: Fit) -> bool:
    """True where all features are two, or made of two numbers: classes can be drawn over them."""
    return len(numbers_along(fit)) == 2


def draw_border(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The observations over the two numbers that all features are made of, and the line between the
    classes, on which each has the probability ½; faintly those of earlier epochs."""
    seen = np.concatenate([numbers_in(part) for part in trace.parts(fit)])
    limits = [drawing.window(column, 0.05) for column in seen.T]
    # Features that are made of them may have no value beyond what was seen.
    made_of = trace.made_of_numbers(fit.observations)
    ends = [drawing.window(column, 0.0) for column in seen.T] if made_of else limits
    x, y = (np.linspace(*each, BORDER_POINTS) for each in ends)
    features = trace.features_at(fit, [each.ravel() for each in np.meshgrid(x, y)])
    final = trace.predictors_of(fit, fit.params, features)
    for part in trace.parts(fit):
        across, up = numbers_in(part).T
        scatter(axes, across, up, fit, part)
    borders = [(mark, mark_label(mark), 1.6) for mark in earlier_marks(fit, steps)]
    if fit.status != "diverged":
        border = f"{drawing.escaped(fit.model.answer)} = ½"
        borders.append((Mark(fit.epochs, fit.params, VERMILION), border, 2.8))
    for mark, label, width in borders:
        z = trace.predictors_of(fit, mark.params, features)
        is_last = mark.params is fit.params
        if not is_last and np.mean((z > 0) != (final > 0)) < APART:
            continue
        found = contour_generator(x, y, z.reshape(len(y), len(x))).lines(0.0)
        lines = cast("list[FloatArray]", found)
        if is_last and not lines:
            lines, label = [np.full((1, 2), math.nan)], f"{label} (out of the picture)"
        for line in lines:
            axes.plot(*line.T, color=mark.colour, linewidth=width, label=label)
            label = "_"  # one of them is in the legend
    axes.set(xlim=limits[0], ylim=limits[1])
    for place, axis in enumerate((axes.xaxis, axes.yaxis)):
        axis.set_label_text(drawing.escaped(numbers_along(fit)[place]))
        if trace.is_along_dates(fit, place):
            drawing.date_axis(axis)


BINS = 30


def draw_probabilities(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The predicted probabilities of each class: which part of its rows has which."""
    every = [
        (part, trace.heights_of(fit, shown_params(fit, steps), part.sample[:, :-1]))
        for part in trace.parts(fit)
    ]
    low, high = drawing.window(np.concatenate([found for _, found in every]), 0.02)
    edges = np.linspace(max(low, 0.0), min(high, 1.0), BINS + 1)
    for part, found in every:
        held_out = part is fit.validation
        for label, colour, is_in in groups_of(fit, part):
            counts = np.histogram(found[is_in], edges)[0] / max(is_in.sum(), 1)
            heights = np.append(counts, counts[-1])
            style = "--" if held_out else "-"
            axes.step(edges, heights, style, where="post", color=colour, label=label)
            if not held_out:
                axes.fill_between(edges, heights, step="post", color=colour, alpha=0.3, linewidth=0)
    if edges[0] < 0.5 < edges[-1]:
        axes.axvline(0.5, color=BLACK, linestyle=":", linewidth=1.2, gid="half")
    answer, highest = drawing.escaped(fit.model.answer), axes.get_ylim()[1]
    axes.set(xlim=edges[[0, -1]], ylim=(0, highest), xlabel=answer, ylabel="part of each class")


ROC_POINTS = 1000  # of a curve, at most
RANKED_BLOCKS = 32  # of a megabyte


def draw_roc(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The receiver operating characteristic of all rows: which part of either class is taken for
    the positive one, from the highest probability on down to each."""
    params = shown_params(fit, steps)
    for part in trace.parts(fit):
        ranking = ranking_on(fit, params, part)
        if math.isnan(ranking.auc):
            drawing.nothing_in(axes, "one class is missing")
            continue
        held_out, curve = part is fit.validation, ranking.roc
        name = "validation" if held_out else "observations"
        label = f"{name}: area {drawing.picture_number(ranking.auc)}"
        apart = np.floor(curve.sum(axis=0) * ROC_POINTS / 2)
        kept = np.flatnonzero(np.diff(apart, prepend=-1))  # one to a step of the way, and the ends
        colour = ORANGE if held_out else BLUE
        axes.plot(*curve[:, kept], color=colour, linewidth=2.2, label=label)
        half = curve[:, int((ranking.counts[0] >= 0.5).sum())]
        drawing.mark(axes, half, "o", colour, 8, "half")
        if not held_out:
            drawing.label_at(axes, "from ½ on", *half.tolist())
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="by chance: area ½")
    drawing.number_axes(axes.xaxis, axes.yaxis)
    assert fit.model.classes
    target, (negative, positive) = fit.model.target, fit.model.classes.names
    for axis, of in ((axes.xaxis, negative), (axes.yaxis, positive)):
        row = drawing.escaped(f"{target} = {of}")
        axis.set_label_text(f"{row}: part taken for {drawing.escaped(positive)}")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), title="ROC: how the classes are told apart")


def ranking_on(fit: Fit, params: FloatArray, part: Observations) -> Ranking:
    """All rows of a part by their probabilities; many of its blocks are ranked at once."""
    blocks, ranking = design_blocks(part, fit.settings), Ranking()
    while some := [
        np.array([trace.heights_of(fit, params, design[:, :-1]), y])
        for design, y, *_ in islice(blocks, RANKED_BLOCKS)
    ]:
        ranking = ranking.merged(ranking_of(*np.concatenate(some, axis=1)))
    return ranking


def shown_params(fit: Fit, steps: Sequence[Step]) -> FloatArray:
    """The params in the end; what comes after the first step of a run that diverged is beyond all
    measure."""
    return steps[0].params if fit.status == "diverged" else fit.params


def draw_predictions(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """Predicted against observed, with the diagonal on which they are the same."""
    target = drawing.escaped(fit.model.target)
    axes.set(xlabel=f"observed {target}", ylabel=f"predicted {target}")
    params = shown_params(fit, steps)
    observed, predicted = [], []
    for part in trace.parts(fit):
        y, prediction = part.sample[:, -1], trace.heights_of(fit, params, part.sample[:, :-1])
        if (np.abs(prediction) < LARGEST).all():
            scatter(axes, y, prediction, fit, part)
            observed.append(y)
            predicted.append(prediction)
    both = np.concatenate([*observed, *predicted, fit.observations.sample[:, -1]])
    limits = drawing.window(both, 0.05)
    axes.plot(limits, limits, color=BLACK, linewidth=1, label="predicted = observed", zorder=1)
    across = np.concatenate(observed) if fit.status == "diverged" and observed else both
    axes.set(ylim=limits, xlim=drawing.window(across, 0.05))


def fit_title(fit: Fit) -> str:
    """The title: after how many epochs, and how it ended if it did not just end."""
    last = trace.numbered(fit, fit.epochs)
    epochs = counted(last, "epoch")
    if fit.status == "diverged":
        shown = "" if on_a_plane(fit) else "; drawn after epoch 1"
        return f"The fit: diverged after {epochs}{shown}"
    if fit.best_epoch < fit.epochs:
        best = trace.numbered(fit, fit.best_epoch)
        return f"The fit after epoch {best:,} of {last:,}, the best"
    ended = {"completed": "", "target": ": target reached", "patience": ": out of patience"}
    return f"The fit after {epochs}{ended.get(fit.status, f': {fit.status}')}"


def line_label(fit: Fit) -> str:
    """``y = 0.302 x + 0.233``, for a legend; on two lines where it is long."""
    if len(fit.model.features) > 1:
        return "the fit"
    name, answer = drawing.escaped(fit.model.features[0]), drawing.escaped(fit.model.answer)
    right = trace.line_in_symbols(fit, name, drawing.picture_number)
    long = len(answer) + len(right) > LONGEST_LABEL
    return f"{answer} =\n{right}" if long else f"{answer} = {right}"
