"""Pictures of many models: the weights against a penalty λ, and the loss on the folds; a line for
each group; or how fast each learning rate γ and momentum μ are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from gdfit.arrays import FloatArray
from gdfit.descent.by_group import GroupFits
from gdfit.descent.closed_form import Modes
from gdfit.descent.curvature import LIMITS, Curvature
from gdfit.descent.outcome import params_names
from gdfit.descent.penalty_path import PenaltyPath
from gdfit.show.pictures import drawing, trace
from gdfit.show.pictures.curves import draw_named
from gdfit.show.pictures.drawing import BLACK, BLUE, GREY, LINE_STYLES, LINES, VERMILION, YELLOW
from gdfit.show.pictures.fit import FEW_DOTS, heights_in
from gdfit.show.pictures.trace import STEEP, features_along, heights_of, numbers_in
from gdfit.show.tables.style import SHOWN_FEATURES, scaled_column


def draw_profiles(found: PenaltyPath) -> Figure:
    """The weights of standardized features against λ, which falls to the right; and below, with
    folds, their mean loss with its standard errors."""
    figure = drawing.new_figure()
    if found.fold_losses is None:
        every = [figure.add_subplot()]
    else:
        every = list(figure.subplots(2, 1, sharex=True, height_ratios=(1.4, 1)))
        draw_held_out(every[1], found)
    finish = draw_weights(every[0], found)
    for name, place in told_places(found).items():
        colour, strength = VERMILION if name == "least" else BLACK, float(found.lambdas[place])
        label = f"{name}: λ = {drawing.picture_number(strength)}"
        for axes in every:
            line = axes.axvline(strength, color=colour, linestyle=":", linewidth=1.2, gid=name)
        line.set_label(label)  # below, where the loss says why
    penalty_axis(every[-1], found)
    return drawing.finished(figure, [finish])


def told_places(found: PenaltyPath) -> dict[str, int]:
    """The places of the λ that are told of, by what they are called."""
    places = {"least": found.place("least"), "1se": found.place("1se")}
    return {name: place for name, place in places.items() if place is not None}


def draw_weights(axes: Axes, found: PenaltyPath) -> Callable[[], None]:
    """The weights, those that are largest with their names; what is returned places these, once the
    axes have their size."""
    path = found.params[:, :-1] * found.scaling.deviations
    sizes = np.abs(path).max(axis=0)
    named = sorted(np.argsort(-sizes, kind="stable")[:SHOWN_FEATURES].tolist())
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    names = params_names(found.observations.features)
    _, finish = draw_named(axes, found.lambdas, path, named, names, "weight")
    drawing.number_axes(axes.yaxis)
    what = {"l1": "lasso", "l2": "ridge", "mix": f"elastic net, ρ = {found.mix:g}"}[found.penalty]
    of = scaled_column(found.observations.intercept)
    axes.set(ylim=drawing.window(path, 0.06), ylabel=f"weight of {of}")
    axes.set(title=f"The weights against the penalty: {what}")
    return finish


def draw_held_out(axes: Axes, found: PenaltyPath) -> None:
    """The mean loss on the folds, with a bar of a standard error on each side."""
    mean, error, folds = found.cv_mean, found.cv_std_error, found.fold_losses
    assert mean is not None
    assert folds is not None
    axes.errorbar(found.lambdas, mean, error, color=BLUE, ecolor="#A9CDE6", linewidth=1.6)
    drawing.number_axes(axes.yaxis)
    if error is not None and mean.max() > STEEP * (mean - error).min() > 0:
        low, high = drawing.window(np.log10([mean - error, mean + error]), 0.04)
        drawing.log_axis(axes, 10**low, 10**high)
    axes.set(ylabel=f"loss on {len(folds)} folds")


def penalty_axis(axes: Axes, found: PenaltyPath) -> None:
    """The axis of λ, which falls to the right."""
    positive = found.lambdas[found.lambdas > 0]
    if len(positive) > 1:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(drawing.Powers())
    shown = positive if len(positive) > 1 else np.array([1.0, 0.0]) * (2 * found.lambdas.max() or 1)
    axes.set(xlabel="penalty λ", xlim=(float(shown[0]), float(shown[-1])))


DRAWN_GROUPS = 12
ENOUGH_DOTS = 10  # of a group, to tell from where to where it goes


def draw_groups(fits: GroupFits) -> Figure:
    """The observations of a dozen groups at most, each with its line; of several features, the
    predictions of each against what is observed."""
    figure = drawing.new_figure()
    axes, whole, name = figure.add_subplot(), fits.groups, fits.groups.column
    modelled = (fit.group for fit in fits if fit.make)
    labels = [fits.label(group) for group in islice(modelled, DRAWN_GROUPS)]
    runs = fits.largest(DRAWN_GROUPS)
    is_line = trace.on_a_plane(runs[0])
    across, up = [], []
    everywhere = np.concatenate([numbers_in(fit.observations)[:, 0] for fit in runs])
    for place, fit in enumerate(runs):
        part, colour = fit.observations, LINES[place % len(LINES)]
        look = LINE_STYLES[place // len(LINES) % len(LINE_STYLES)]
        marker = "os^D"[place // len(LINES) % 4]
        group = labels[place]
        label = f"{drawing.escaped(group)} ({part.count:,})"
        if label.startswith("_"):  # which matplotlib would leave out
            label = f"\u200b{label}"
        x, y = part.sample[:, -1], heights_of(fit, fit.params, part.sample[:, :-1])
        if is_line:
            x, y = numbers_in(part)[:, 0], heights_in(fit, part)
        size = 26 if len(whole.sample) <= FEW_DOTS else 14
        axes.scatter(x, y, s=size, color=colour, marker=marker, alpha=0.55, linewidths=0)
        across.append(x)
        up.append(y)
        if is_line:
            seen = x if len(x) >= ENOUGH_DOTS else everywhere
            at, features = features_along(fit, np.array(drawing.window(seen, 0.03)), seen)
            heights = heights_of(fit, fit.params, features)
            axes.plot(at, heights, look, color=colour, linewidth=2.2, label=label)
        else:
            axes.plot([], [], marker, color=colour, label=label)
    drawing.number_axes(axes.xaxis, axes.yaxis)
    answer = drawing.escaped(runs[0].model.answer)
    limits = [drawing.window(np.concatenate(each), 0.05) for each in (across, up)]
    if is_line:
        axes.set(xlim=limits[0], ylim=limits[1], ylabel=answer)
        axes.set_xlabel(drawing.escaped(trace.numbers_along(runs[0])[0]))
        if trace.is_along_dates(runs[0]):
            drawing.date_axis(axes.xaxis)
    else:
        both = min(limits)[0], max(high for _, high in limits)
        axes.plot(both, both, color=GREY, linewidth=0.8, zorder=1)
        axes.set(xlim=both, ylim=both, xlabel=f"observed {answer}", ylabel=f"predicted {answer}")
    shown = f": the {len(runs)} largest of {len(fits):,} groups" if len(fits) > len(runs) else ""
    axes.set_title(f"One fit for each {drawing.escaped(name)}{shown}")
    axes.legend(title=drawing.escaped(name))
    return drawing.finished(figure)


PLANE_POINTS = 241  # points of each axis
DECADES = 4  # of epochs that have colours of their own, from the best on
LARGEST_STEPS = {"momentum": 4.2, "nesterov": 2.1}  # γλmax on the axis: limits at μ = 1 and μ = 0
LIMIT_TEXT = {"momentum": (0.98, 0.4), "nesterov": (0.98, 0.7)}  # its place in the axes
WIDER = 1.3  # for words beside a limit that is steep there
NEAR_1 = 0.9  # a best μ above it is seen on an axis of 1 − μ alone
CLIMBING = "#E4E4E4"


def draw_planes(
    given: Curvature, scaled: Curvature | None, runs: Sequence[tuple[float, float]]
) -> Figure:
    """The planes of momentum and nesterov, each with its best γ and μ: of the data as it is with
    these `runs`, γ and μ, as dots, and of it standardized."""
    rows = [("as it is", given, runs)]
    rows += [("standardized", scaled, [])] if scaled else []
    figure = drawing.new_figure()
    marks: list[Callable[[], None]] = []
    grid = figure.subplots(len(rows), 2, squeeze=False)
    for (what, curvature, dots), every in zip(rows, grid, strict=True):
        elsewhere = " (runs are on x as it is)" if runs and not dots else ""
        for axes, optimizer in zip(every, LARGEST_STEPS, strict=True):
            draw_plane(axes, curvature, optimizer, dots)
            best = curvature.tuned(optimizer)
            rate, mu = map(drawing.picture_number, (best.best_lr, best.best_momentum))
            told = f"best ★ γ = {rate}, μ = {mu}: {epochs_a_digit(best.epochs_per_digit)}"
            axes.set_title(f"{optimizer}, {what}{elsewhere}\n{told}", fontsize=11)
        mesh = every[0].collections[0]
        powers = np.geomspace(float(mesh.get_clim()[0]), float(mesh.get_clim()[1]), DECADES + 1)
        ticks = {"ticks": powers.tolist(), "labels": [*map(drawing.scientific, powers.tolist())]}
        bar = figure.colorbar(mesh, ax=list(every), extend="max")
        bar.set_label("epochs a digit")
        marks.append(partial(bar.set_ticks, **ticks))
    figure.suptitle(
        "How many epochs bring the params ten times nearer to the minimum (μ = 0 is gd)",
        fontsize=15,
        fontweight="bold",
    )
    for set_ticks in marks:
        set_ticks()
    drawing.finished(figure, marks)  # which thins the ticks of all axes
    for set_ticks in marks:
        set_ticks()
    return figure


def draw_plane(
    axes: Axes, curvature: Curvature, optimizer: str, runs: Sequence[tuple[float, float]]
) -> None:
    """The plane of an update rule: grey where it climbs."""
    best = curvature.tuned(optimizer)
    is_near_1 = best.best_momentum > NEAR_1
    largest = LARGEST_STEPS[optimizer] * (WIDER if is_near_1 else 1.0) / curvature.lambda_max
    rates = np.linspace(0.0, largest, PLANE_POINTS + 1)[1:]
    left = np.geomspace(1.0, (1 - best.best_momentum) / 10, PLANE_POINTS)  # of 1 − μ
    momenta = 1 - left if is_near_1 else np.linspace(0.0, 0.999, PLANE_POINTS)

    def height(mu: Any) -> Any:
        return 1 - mu if is_near_1 else mu

    gamma, mu = np.meshgrid(rates, momenta)
    least = 10.0 ** np.floor(np.log10(max(best.epochs_per_digit, 1.0)))
    norm = LogNorm(least, least * 10**DECADES)
    epochs = epochs_per_digit(curvature, optimizer, gamma, mu)
    seen = np.where(np.isfinite(epochs), np.maximum(epochs, least), np.nan)
    axes.set_facecolor(CLIMBING)
    mesh = axes.pcolormesh(
        rates, height(momenta), seen, norm=norm, cmap="viridis_r", shading="nearest"
    )
    mesh.set_rasterized(True)
    limits = [curvature.limit_of(optimizer, each) for each in momenta.tolist()]
    axes.plot(limits, height(momenta), color=VERMILION, linewidth=2)
    beyond = f"climbs above\n{LIMITS[optimizer][1]}".replace("/((", "/\n((")
    text = axes.text(*LIMIT_TEXT[optimizer], beyond, transform=axes.transAxes, zorder=3)
    text.set(ha="right", va="center")
    (star,) = axes.plot(best.best_lr, height(best.best_momentum), "*", color=YELLOW, zorder=4)
    star.set(markeredgecolor=BLACK, markersize=15)
    last = float(rates[-1])  # what is beyond stands at the end, those of a μ in one
    beyond_axis = {
        mu: [rate for rate, each in runs if each == mu and rate > last] for _, mu in runs
    }
    for rate, momentum in runs:
        if rate > last:
            continue
        (takes,) = epochs_per_digit(curvature, optimizer, np.array([rate]), np.array([momentum]))
        (dot,) = axes.plot(rate, height(momentum), "o", color=BLACK, zorder=5, gid="run")
        dot.set(markeredgecolor="white")
        drawing.label_at(axes, epochs_a_digit(takes), rate, height(momentum))
    for momentum, several in beyond_axis.items():
        if several:
            (dot,) = axes.plot(last, height(momentum), ">", color=BLACK, zorder=5, gid="run")
            dot.set(markersize=10, markeredgecolor="white", clip_on=False)
            name = f"climbs at γ = {', '.join(map(drawing.picture_number, several))}"
            drawing.label_at(axes, name, last, height(momentum))
    drawing.number_axes(axes.xaxis, axes.yaxis)
    axes.set(xlabel="learning rate γ", ylabel="momentum μ", ylim=(-0.03, 1), xlim=(0, last))
    if is_near_1:
        drawing.log_axis(axes, float(left[-1]), 1.2)
        axes.invert_yaxis()
        axes.set_ylabel("1 − momentum μ")


def epochs_a_digit(epochs: float) -> str:
    """The epochs for a digit in words."""
    if not np.isfinite(epochs):
        return "climbs"
    return (
        f"{drawing.picture_number(float(f'{epochs:.2g}'))} epochs a digit" if epochs else "at once"
    )


def epochs_per_digit(
    curvature: Curvature, optimizer: str, rates: FloatArray, momenta: FloatArray
) -> FloatArray:
    """The epochs that bring the params ten times nearer to the minimum in the end, for each γ and
    μ; infinity where they don't. The flattest or the steepest direction is the slowest."""
    ends = (curvature.lambda_min, curvature.lambda_max)
    slowest = np.maximum(*(Modes(optimizer, momenta, rates * end).logarithms.real for end in ends))
    with np.errstate(divide="ignore"):
        return np.where(slowest < 0, np.log(10) / -slowest, np.inf)
