"""Pictures of the loss and of the params against the epoch, and of why a run diverged.

Along the eigenvector of the Hessian with the largest eigenvalue, the loss is a parabola, and each
step of gradient descent multiplies the distance to its lowest point by 1 − γλmax: see
`gdfit.descent.curvature`. Below −1, that leads from one side to the other and up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.text import Annotation

from gdfit.arrays import FloatArray
from gdfit.descent.curvature import Curvature
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit, params_names
from gdfit.descent.run import rounding_of
from gdfit.show.pictures import drawing, trace
from gdfit.show.pictures.drawing import BLACK, BLUE, GREY, LINES, ORANGE, VERMILION, YELLOW
from gdfit.show.pictures.trace import FEW_EPOCHS, LARGEST, ROUNDING, STEEP, numbered
from gdfit.show.tables.style import counted, leading


def draw_loss(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """Loss against epoch, with the validation loss and the minimum, logarithmic where it helps."""
    shown = trace.eventful(fit, steps)
    epochs = np.array([numbered(fit, step.epoch) for step in shown])
    curves = [("loss", np.array([step.loss for step in shown]), BLUE)]
    if fit.validation:
        held_out = np.array([step.validation_loss for step in shown], dtype=float)
        label = f"validation loss, {drawing.picture_number(held_out[-1])} in the end"
        curves.append((label, held_out, ORANGE))
    for name, curve, colour in curves:
        seen = np.abs(curve) < LARGEST  # infinity and NaN are not
        mark = "o" if seen.sum() <= FEW_EPOCHS else None
        axes.plot(epochs[seen], curve[seen], color=colour, marker=mark, linewidth=1.8, label=name)
    losses = np.array([curve for _, curve, _ in curves])
    seen = np.abs(losses) < LARGEST
    if not (losses < LARGEST).any():
        drawing.nothing_in(axes, "the loss is too large to be drawn")
    cuts = loss_axis(axes, fit, losses[seen])
    if not seen.all():
        first = epochs[~seen.all(axis=0)][0]
        cuts.append(f"cut at epoch {first:,}: above {drawing.picture_number(LARGEST)}")
    diverged = fit.status == "diverged"
    drawing.epoch_axis(axes, int(epochs[0]), int(epochs[-1]), diverged=diverged)
    drawing.cut_after(axes, int(epochs[-1]), numbered(fit, steps[-1].epoch))
    axes.set(ylabel="\n".join([trace.loss_name(fit), *cuts]), title=loss_title(fit))


def loss_axis(axes: Axes, fit: Fit, losses: FloatArray) -> list[str]:
    """Limits and kind of the loss's axis, and the minimum on it; what it says of where it is cut.

    losses : those that it can show.
    """
    rounding = rounding_of(fit)
    positive = losses[losses > rounding]
    falls_far = len(positive) > 1 and positive.max() > STEEP * positive.min()
    logarithmic = falls_far and losses.min() >= 0
    least = math.nan if fit.minimum_loss is None else fit.minimum_loss
    least = 0.0 if abs(least) <= rounding else least
    if least > 1e-6 * losses.max(initial=0) if logarithmic else not math.isnan(least):
        label = f"minimum {drawing.picture_number(least)}"
        axes.axhline(least, color=BLACK, linestyle="--", linewidth=1.2, label=label, zorder=1)
        losses = np.append(losses, least)
        positive = np.append(positive, least)
    if logarithmic:
        low, high = drawing.window(np.log10(positive), 0.06)
        cut = losses.min() <= rounding
        if cut:
            low = math.floor(math.log10(rounding))
        drawing.log_axis(axes, 10**low, 10**high)
        return [f"below {drawing.picture_number(10**low)} is rounding"] if cut else []
    drawing.number_axes(axes.yaxis)
    if len(losses):
        low, high = drawing.window(losses, 0.08)
        axes.set_ylim(low if losses.min() < 0 else max(low, -0.1 * high), high)
    return []


def loss_title(fit: Fit) -> str:
    """With what it was run, or of a run that climbs, how fast."""
    settings, curvature = fit.settings, fit.curvature
    if curvature and trace.climbs(fit):
        factor = (1 - float(settings.lr) * curvature.lambda_max) ** 2
        return f"The loss: in the end each epoch multiplies it by {drawing.picture_number(factor)}"
    batches = f", {counted(settings.batch_size, 'row')} a batch" if settings.batch_size else ""
    rate = "" if settings.finds_rate else f", lr {float(settings.lr):.4g}"
    falls = "" if settings.schedule == "constant" else f", {settings.schedule}"
    return f"The loss: {settings.optimizer}{rate}{falls}{batches}"


PARAMS_GROWN = 100.0  # times the first params: out of the picture
APART_UNITS = 50.0  # times the least param, and the largest asks for a logarithmic axis
LEAST_UNIT = 1e-6  # of the largest param: what is less is near 0
BUNDLE_POINTS = 100  # of each line that has no name
FONT = 10.0  # points
LINE_HEIGHT = 1.25 * FONT


def draw_params(axes: Axes, fit: Fit, steps: Sequence[Step]) -> Callable[[], None]:
    """Each param against epoch, in its own unit, or of many the dozen that count most and the
    others as a faint bundle; what is returned places the names, once the axes have their size."""
    shown = trace.eventful(fit, steps)
    path = trace.in_data(fit, np.array([fit.start, *(step.params for step in shown)]))
    epochs = np.array([numbered(fit, epoch) for epoch in (0, *(step.epoch for step in shown))])
    diverged, title = fit.status == "diverged", "The params"
    if diverged:
        sizes = np.nan_to_num(np.abs(path).max(axis=1), nan=np.inf)
        bound = min(PARAMS_GROWN * max(sizes[:2].max(), np.finfo(float).tiny), LARGEST)
        stays = max(int(np.argmax(sizes > bound)) or len(path), 1)
        path, epochs = path[:stays], epochs[:stays]
        title = f"The params, until epoch {epochs[-1]:,}"
    named, drawn = leading(fit.observations, path[-1]), path.shape[1]
    if fit.observations.intercept:
        named.append(drawn - 1)
    else:
        drawn -= 1
    names = params_names(fit.model.features)
    ends, finish = draw_named(axes, epochs, path[:, :drawn], named, names)
    first, last = int(epochs[0]), int(epochs[-1])
    drawing.epoch_axis(axes, first, max(last, first + 1), diverged=diverged)
    if not diverged:
        drawing.cut_after(axes, last, numbered(fit, steps[-1].epoch))
    param_axis(axes, path, ends)
    axes.set(title=title)
    return finish


def draw_named(
    axes: Axes,
    x: FloatArray,
    lines: FloatArray,
    named: Sequence[int],
    names: Sequence[str],
    gid: str | None = None,
) -> tuple[FloatArray, Callable[[], None]]:
    """Lines over x, shape (points, lines), those that are `named` with their names and the others
    as a faint bundle: where those with names end, and what places the names, once the axes have
    their size."""
    others = np.setdiff1d(np.arange(lines.shape[1]), named)
    if len(others):
        draw_bundle(axes, x, lines[:, others])
    labels = []
    for place, line in enumerate(named):
        colour = LINES[place % len(LINES)]
        style = drawing.LINE_STYLES[place // len(LINES) % len(drawing.LINE_STYLES)]
        axes.plot(x, lines[:, line], style, color=colour, linewidth=1.8, gid=gid)
        labels.append(name_at(axes, drawing.escaped(names[line]), colour))
    ends = lines[-1, named]
    if len(others):
        labels.append(name_at(axes, f"and {len(others):,} others", GREY))
        ends = np.append(ends, np.median(lines[-1, others]))
    last = float(x[-1])
    return ends, lambda: place_names(axes, labels, [(last, end) for end in ends.tolist()])


def place_names(
    axes: Axes, labels: Sequence[Annotation], ends: Sequence[tuple[float, float]]
) -> None:
    """Put the names of lines to the right of the axes, in no one's way, each joined to where its
    line ends."""
    # In the axes' own coordinates, 0 to 1, whatever their scale.
    to_axes = axes.transData + axes.transAxes.inverted()
    places = np.clip(to_axes.transform(ends), 0.0, 1.0)
    apart = spread(places[:, 1], drawing.pixels(axes, LINE_HEIGHT) / axes.bbox.height)
    for label, place, height in zip(labels, places.tolist(), apart, strict=True):
        label.xy, label.xyann = tuple(place), (1.03, height)


def param_axis(axes: Axes, path: FloatArray, ends: FloatArray) -> None:
    """The axis of params, each in its own unit: of such that are large and others that are small,
    logarithmic but near 0."""
    sizes, unit = np.abs(ends), "param, in the data's units"
    least = np.min(sizes, where=sizes > LEAST_UNIT * sizes.max(), initial=np.inf)
    if not sizes.max() > APART_UNITS * least:
        drawing.number_axes(axes.yaxis)
        axes.set(ylim=drawing.window(path, 0.06), ylabel=unit)
        return
    drawing.symmetric_axis(axes, path, 10.0 ** math.floor(math.log10(float(least))))
    axes.set_ylabel(f"{unit};\nlogarithmic but near 0")


def draw_bundle(axes: Axes, epochs: FloatArray, path: FloatArray) -> None:
    """The lines of many params, faint, through some of their epochs."""
    last = len(epochs) - 1
    even = np.linspace(0, last, BUNDLE_POINTS)
    early = np.geomspace(1, last + 1, BUNDLE_POINTS) - 1
    chosen = np.unique(np.concatenate([even, early]).astype(int))
    lines = [np.column_stack([epochs[chosen], line]) for line in path[chosen].T]
    bundle = LineCollection(lines, colors=GREY, alpha=0.25, linewidths=0.6, zorder=1)
    axes.add_collection(bundle, autolim=False)


def name_at(axes: Axes, name: str, colour: str) -> Annotation:
    """A name to the right of the axes, with a line to where its own ends."""
    line = {"arrowstyle": "-", "color": colour, "linewidth": 0.7, "shrinkA": 1, "relpos": (0, 0.5)}
    label = axes.annotate(name, (1, 0.5), (1.03, 0.5), "axes fraction", arrowprops=line)
    label.set(color=colour, fontsize=FONT, verticalalignment="center")
    return label


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


NAMED_MODES = 7  # directions that are told apart
RATES_IN_WORDS = (
    "λ is how curved a direction is, × what an epoch multiplies its distance by, 1 − γλ."
)


def draw_modes(axes: Axes, fit: Fit, steps: Sequence[Step]) -> Callable[[], None]:
    """The distance from the minimum along each eigenvector of the Hessian against the epoch; what
    is returned places the names, once the axes have their size."""
    curvature = fit.curvature
    assert curvature
    params = np.array([fit.start, *(step.params for step in steps)])
    epochs = np.array([numbered(fit, epoch) for epoch in (0, *(step.epoch for step in steps))])
    with np.errstate(over="ignore", invalid="ignore"):
        distances = np.abs((params - curvature.minimum) @ curvature.eigenvectors)
    size = max(np.abs(curvature.minimum).max(), np.abs(fit.start).max())
    rounding = 10.0 ** math.floor(math.log10(max(ROUNDING * size, np.finfo(float).tiny)))
    distances = np.where(distances < LARGEST, np.maximum(distances, rounding), np.nan)
    (curved,) = np.nonzero(curvature.eigenvalues > 0)
    named = curved[np.unique(np.linspace(0, len(curved) - 1, NAMED_MODES).round().astype(int))]
    others = np.setdiff1d(curved, named)
    if len(others):
        draw_bundle(axes, epochs, distances[:, others])
    labels, ends = [], []
    for place, mode in enumerate(named.tolist()):
        colour, style = LINES[place % len(LINES)], drawing.LINE_STYLES[place % 2]
        line = distances[:, mode]
        axes.plot(epochs, line, style, color=colour, linewidth=1.8, gid="mode")
        name = mode_name(fit, float(curvature.eigenvalues[mode]))
        which = "steepest, " if mode == curved[0] else "flattest, " if mode == curved[-1] else ""
        labels.append(name_at(axes, which + name, colour))
        ends.append((float(epochs[-1]), float(line[np.isfinite(line)][-1])))
    seen = distances[:, curved][np.isfinite(distances[:, curved])]
    drawing.log_axis(axes, *(10**end for end in drawing.window(np.log10(seen), 0.06)))
    diverged = fit.status == "diverged"
    drawing.epoch_axis(axes, int(epochs[0]), max(int(epochs[-1]), 1), diverged=diverged)
    least = f"\n(below {drawing.picture_number(rounding)} is rounding)"
    ends_there = least if (seen <= rounding).any() else ""
    axes.set(ylabel=f"distance in the steps' coordinates{ends_there}")
    title, words = trace.modes_in_words(fit.settings, curvature)
    axes.set_title(title)
    told = [words, *([RATES_IN_WORDS] if fit.settings.is_plain else [])]
    axes.figure.supxlabel("\n".join(told), fontsize=FONT)

    return lambda: place_names(axes, labels, ends)


def mode_name(fit: Fit, eigenvalue: float) -> str:
    """An eigenvector by its eigenvalue and, where that is always the same, the factor 1 − γλ of an
    epoch."""
    factor = 1 - float(fit.settings.lr) * eigenvalue
    last, name = f"{factor:.3g}".replace("-", "−"), f"λ = {eigenvalue:.3g}"
    return f"{name}: × {last}" if fit.settings.is_plain else name


FARTHEST = 12  # times the first distance is what is shown, but for the first step
DRAWN_STEPS = 40
PARABOLA_POINTS = 401
BESIDE_MINIMUM = 0.03  # of the width: what is nearer to the minimum is beside it
ARROWS = 6  # steps, each of which is an arrow


def draw_steepest(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The loss along the steepest direction, with the first steps of the params on it."""
    curvature = fit.curvature
    assert curvature
    along = f"distance from the minimum along the steepest direction,\n{direction(fit)}"
    title = "The steps along the steepest direction"
    axes.set(xlabel=along, ylabel=trace.loss_name(fit), title=title)
    begun, distances = first_steps(fit, curvature, steps)
    if not len(distances):
        drawing.nothing_in(axes, "the numbers are too large to be drawn")
        return
    # The first two, and then those that are not too far away for the first to be seen.
    far = np.flatnonzero(np.abs(distances) > FARTHEST * abs(distances[0]))
    shown = min(max(int(far[0]), 2) if len(far) else len(distances), DRAWN_STEPS + 1)
    reach = 1.2 * float(np.abs(distances[:shown]).max()) or 1.0
    x = np.linspace(-reach, reach, PARABOLA_POINTS)
    least, half = curvature.minimum_loss, curvature.lambda_max / 2
    rise = half * reach**2 or 1.0
    parabola, label = least + half * x**2, "minimum + ½λmax·distance²"
    axes.plot(x, parabola, color=BLUE, linewidth=2.2, label=label)
    walked = np.column_stack([distances, least + half * distances**2])[: shown + 1]
    if len(walked) > shown:  # one step more, as far as it is in the picture
        before, after = walked[-2:]
        if after[1] > least + rise:
            part = (least + rise - before[1]) / (after[1] - before[1])
            walked[-1] = before + part * (after - before)
    axes.set(xlim=(-reach, reach), ylim=(max(least - 0.16 * rise, 0.0), least + rise))
    draw_steps(axes, walked, shown)
    (star,) = axes.plot(0, least, "*", color=YELLOW, markeredgecolor=BLACK, markersize=17)
    star.set_clip_on(False)  # the axis may end there
    label_steps(axes, walked[:shown], numbered(fit, 0), range(begun, begun + shown))
    if abs(distances[0]) > BESIDE_MINIMUM * reach:
        drawing.label_at(axes, "minimum", 0, least)
    drawing.number_axes(axes.xaxis, axes.yaxis)
    factor = drawing.picture_number(1 - float(fit.settings.lr) * curvature.lambda_max)
    axes.set_title(f"Each step multiplies the distance by 1 − γλmax = {factor}")


def first_steps(fit: Fit, curvature: Curvature, steps: Sequence[Step]) -> tuple[int, FloatArray]:
    """The distances from the minimum along the steepest direction, the first to the left: of the
    start and after each of the first epochs; if that is no distance at all but for rounding, from
    the epoch on when it is one, which stands before them."""
    first = [step for step in steps if step.epoch <= DRAWN_STEPS + 1]
    params = np.array([fit.start, *(step.params for step in first)])
    with np.errstate(over="ignore", invalid="ignore"):
        distances = (params - curvature.minimum) @ curvature.eigenvectors[:, 0]
        seen = curvature.lambda_max * distances**2 < LARGEST
    distances = distances[: int(np.argmin(seen)) if not seen.all() else len(seen)]
    if not len(distances):
        return 0, distances
    size = max(np.abs(curvature.minimum).max(), np.abs(fit.start).max())
    begun = int(np.argmax(np.abs(distances) > 1e-9 * size))
    distances *= -1 if distances[begun] > 0 else 1
    return begun, distances[begun:]


def draw_steps(axes: Axes, walked: FloatArray, shown: int) -> None:
    """The way from step to step, with arrows where they are few."""
    axes.plot(walked[:, 0], walked[:, 1], color=VERMILION, linewidth=1.6, label="steps")
    axes.plot(walked[:shown, 0], walked[:shown, 1], "o", color=VERMILION, markersize=6)
    for start, end in itertools.pairwise(walked) if shown <= ARROWS else ():
        arrow = {"arrowstyle": "-|>", "color": VERMILION, "linewidth": 1.6, "mutation_scale": 18}
        axes.annotate("", xy=end, xytext=start, arrowprops=arrow, annotation_clip=False)


def label_steps(axes: Axes, walked: FloatArray, done: int, epochs: Sequence[int]) -> None:
    """Epochs, counted on from those `done`, beside their steps: all of a few, else those that are
    marked elsewhere."""
    few = len(epochs) <= ARROWS + 2
    for epoch, (distance, height) in zip(epochs, walked.tolist(), strict=True):
        if few or epoch in (0, 1, 10, epochs[-1]):
            name = f"epoch {done + epoch:,}" if epoch else "start"
            if abs(distance) > BESIDE_MINIMUM * axes.get_xlim()[1]:
                drawing.label_at(axes, name, distance, height)
            elif epoch == epochs[0]:
                drawing.label_at(axes, f"{name}, beside the minimum", distance, height)


def direction(fit: Fit) -> str:
    """Where the steepest direction leads."""
    assert fit.curvature
    names, steepest = params_names(fit.model.features), fit.curvature.eigenvectors[:, 0]
    largest = int(np.abs(steepest).argmax())
    if len(names) == 2:
        along = steepest / steepest[largest]
        return f"(w, b) = ({drawing.picture_number(along[0])}, {drawing.picture_number(along[1])})"
    return f"mostly {drawing.escaped(names[largest])}"
