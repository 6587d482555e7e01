"""Charts in text, for a terminal without a display: the loss, and the fit if it is in a plane."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import plotext

from gdfit.arrays import FloatArray
from gdfit.dates import iso_date
from gdfit.descent.compare import Comparison
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit
from gdfit.errors import printable
from gdfit.show.pictures import trace
from gdfit.show.pictures.trace import LONG_RUN, ROUNDING, STEEP, numbered
from gdfit.show.tables.comparison import run_name
from gdfit.show.tables.style import stdout_console

HEIGHT = 17  # lines
NARROWEST_CHART = 40  # characters
NEVER = 1e-6  # of the largest loss: a minimum that is too far below to be shown
TICK_WIDTH = 12  # characters from a tick to the next one
RUN_COLOURS = ("green", "red", "blue", "orange", "magenta", "cyan", "gray", "red+", "blue+")
TIMES_THE_FIRST = 10  # times the loss at the start: what is above is left out
CHARTED = 500  # losses of a run that are drawn, at most
TICKS = 6  # at most, one above the other


def print_charts(draw: Callable[[int], Iterable[str]]) -> None:
    """The charts that `draw` makes for a width: in colour on a terminal, as wide as it is; in a
    pipe without."""
    console = stdout_console()
    colour = console.is_terminal and not console.no_color
    width = console.width if console.is_terminal else shutil.get_terminal_size().columns
    print()
    print(in_one_text(draw(max(width, NARROWEST_CHART)), colour))


def in_one_text(drawn: Iterable[str], colour: bool) -> str:
    """Charts, one below the other; without `colour`, in plain characters."""
    text = "\n".join(drawn)
    lines = (text if colour else plotext.uncolorize(text)).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def charts(fit: Fit, steps: Sequence[Step], width: int) -> Iterator[str]:
    """The charts of a run, `width` characters wide."""
    yield loss_chart(fit, steps, width)
    if trace.on_a_plane(fit):
        yield fit_chart(fit, width)


class Layer(NamedTuple):
    """One thing in a chart: its name, where it is, whether points are joined, and its looks."""

    name: str
    x: FloatArray
    y: FloatArray
    marker: str
    colour: str
    joined: bool = True


class Ticks(NamedTuple):
    """Ticks of an axis: where they are, and what they are called."""

    places: list[float]
    names: list[str]


def loss_chart(fit: Fit, steps: Sequence[Step], width: int) -> str:
    """The loss against the epoch, the validation loss where there is one, and the minimum."""
    whole, steps = steps, trace.eventful(fit, steps)
    may_be_0 = any(step.loss < 0 for step in steps)  # on a linear axis
    shown = [each for each in steps if math.isfinite(each.loss) and (may_be_0 or each.loss > 0)]
    if len(shown) < 2:
        return f"The loss: {fit.loss:.6g}"
    epochs = np.array([float(numbered(fit, step.epoch)) for step in shown])
    layers = []
    if fit.validation:
        held_out = np.array([step.validation_loss for step in shown], dtype=float)
        held_out[~(held_out > 0)] = np.nan
        name = f"validation loss, {held_out[-1]:.4g} in the end"
        layers.append(Layer(name, epochs, held_out, "•", "orange"))
    losses = np.array([step.loss for step in shown])
    layers.append(Layer("loss", epochs, losses, "braille", "green"))
    least = math.nan if fit.minimum_loss is None else fit.minimum_loss
    may_be_long = fit.status != "diverged"
    title = "the loss against the epoch"
    if len(steps) < len(whole):
        title += f" (no change from there to {numbered(fit, whole[-1].epoch):,})"
    return epochs_chart(title, layers, least, width, may_be_long=may_be_long)


def runs_charts(comparison: Comparison, width: int) -> Iterator[str]:
    """The losses of several runs against the epoch, those that compare in one chart: each drawn by
    its rank among them, the best nine."""
    rank = 0
    for group in comparison.groups():
        layers: list[Layer] = []
        top = TIMES_THE_FIRST * max(abs(float(outcome.losses[0])) for outcome in group)
        if all(outcome.has_diverged for outcome in group):
            top = math.inf
        ends = [last_seen(outcome.fit) for outcome in group if not outcome.has_diverged]
        for outcome in group[: len(RUN_COLOURS)]:
            rank += 1
            losses = outcome.losses[: min(outcome.fit.epochs, max(ends, default=LONG_RUN))]
            few = np.unique(np.geomspace(1, len(losses), CHARTED).astype(int)) - 1
            low = 0 if losses.min() >= 0 else -math.inf
            few = few[(losses[few] > low) & (losses[few] < top)]
            name = run_name(outcome, comparison.varied)
            epochs = numbered(outcome.fit, 1) + few.astype(float)
            colour = RUN_COLOURS[len(layers)]
            layers.append(Layer(name, epochs, losses[few], str(rank % 10), colour))
        layers = [layer for layer in reversed(layers) if len(layer.x)]
        title = "the losses against the epoch"
        if len(group) > len(RUN_COLOURS):
            title += f", of the best {len(RUN_COLOURS)} of {len(group)} runs"
        if layers:
            least = comparison.least(group[0])
            known = "least of these runs" if group[0].fit.minimum_loss is None else "minimum"
            yield epochs_chart(title, layers, math.nan if least is None else least, width, known)


def last_seen(fit: Fit) -> int:
    """The last epoch in which something happens that can be seen."""
    return trace.eventful(fit, fit.history)[-1].epoch


def epochs_chart(
    title: str,
    layers: list[Layer],
    least: float,
    width: int,
    known: str = "minimum",
    *,
    may_be_long: bool = True,
) -> str:
    """A chart of losses against the epoch, and of the `least` there is, `known` as that, if it is a
    number. The axis of losses is logarithmic where one is far above another; that of epochs where
    there are many, and it `may_be_long`."""
    up = np.concatenate([layer.y for layer in layers])
    low, high = float(np.nanmin(up)), float(np.nanmax(up))
    logarithmic = high > STEEP * low > 0
    epochs = np.unique(np.concatenate([layer.x for layer in layers]))
    if least > (NEVER * high if logarithmic else min(low, 0)) or least < 0:
        level = np.full(len(epochs), least)
        layers = [Layer(f"{known} {least:.4g}", epochs, level, "-", "gray"), *layers]
        low = min(low, least)
    if logarithmic:  # logarithms by hand: plotext has no ticks at powers of ten
        layers = [layer._replace(y=np.log10(layer.y)) for layer in layers]
        vertical = power_ticks(math.log10(low), math.log10(high))
    else:
        vertical = round_ticks(low, high, TICKS)
    last = int(epochs[-1])
    if last > LONG_RUN * epochs[0] and may_be_long:
        layers = [layer._replace(x=np.log10(layer.x)) for layer in layers]
        decades = range(len(str(last)))
        horizontal = Ticks([*map(float, decades)], [f"{10**decade:,}" for decade in decades])
    else:
        horizontal = round_ticks(float(epochs[0]), last, width // TICK_WIDTH, whole=True)
    return chart(title, layers, horizontal, vertical, width)


def fit_chart(fit: Fit, width: int) -> str:
    """The observations with the line, or the curve, and the validation set where there is one."""
    x, y = trace.numbers_in(fit.observations)[:, 0], fit.observations.sample[:, -1]
    name, target = printable(trace.numbers_along(fit)[0]), fit.model.answer
    layers = []
    if fit.status != "diverged":
        along, features = trace.features_along(fit, np.array([x.min(), x.max()]), x)
        heights, label = trace.heights_of(fit, fit.params, features), "the fit"
        if len(fit.model.features) == 1:
            label = f"{target} = {trace.line_in_symbols(fit, name, '{:.4g}'.format, minus='-')}"
        layers.append(Layer(label, along, heights, "braille", "red"))
    layers.append(Layer("observations", x, y, "o", "blue", joined=False))
    if fit.validation:
        held_out = trace.numbers_in(fit.validation)[:, 0], fit.validation.sample[:, -1]
        layers.append(Layer("validation", *held_out, "x", "orange", joined=False))
    across = np.concatenate([layer.x for layer in layers])
    up = np.concatenate([layer.y for layer in layers])
    if np.ptp(up) <= ROUNDING * np.abs(up).max():
        up = y[:1]
        layers = [layer._replace(y=np.full(len(layer.y), y[0])) for layer in layers]
    horizontal = round_ticks(float(across.min()), float(across.max()), width // TICK_WIDTH)
    if trace.is_along_dates(fit):
        horizontal = horizontal._replace(names=[*map(iso_date, horizontal.places)])
    vertical = round_ticks(float(up.min()), float(up.max()), TICKS)
    return chart(f"{target} against {name}", layers, horizontal, vertical, width)


def chart(title: str, layers: Sequence[Layer], across: Ticks, up: Ticks, width: int) -> str:
    """A chart in colour, and a line below it that says what is what."""
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, HEIGHT)
    plotext.theme("clear")
    plotext.title(title)
    for layer in layers:
        draw = plotext.plot if layer.joined else plotext.scatter
        draw(layer.x.tolist(), layer.y.tolist(), marker=layer.marker, color=layer.colour)
    plotext.xticks(*across)
    plotext.yticks(*up)
    signs = {"braille": "⠒⠒", "-": "--"}
    keys, column = "", 0
    for layer in reversed(layers):
        told = f"{signs.get(layer.marker, layer.marker)} {layer.name}"
        column += len(told) + 3
        if keys:
            fits = column <= width + 3
            keys, column = keys + ("   " if fits else "\n"), column if fits else len(told) + 3
        keys += plotext.colorize(told, layer.colour)
    return f"{plotext.build()}{keys}\n"


def round_ticks(low: float, high: float, most: int, *, whole: bool = False) -> Ticks:
    """About `most` ticks, or as many as there is room for, at multiples of 1, 2 or 5 times a power
    of ten, between two numbers; only at `whole` numbers, if so asked."""
    if not high > low:
        return Ticks([low], [f"{low:.6g}"])
    step = next(step for step in round_steps((high - low) / max(most, 1)) if step >= 1 or not whole)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    places = [number * step for number in range(first, last + 1)]
    large = max(abs(low), abs(high)) >= 1e7 or decimals > 4
    names = [f"{place:.3g}" if large else f"{place:,.{decimals}f}" for place in places]
    return Ticks(places, names)


def round_steps(least: float) -> Iterator[float]:
    """1, 2 and 5 times the powers of ten, from `least` on."""
    power = math.floor(math.log10(least))
    while True:
        for digit in (1, 2, 5):
            if digit * 10.0**power >= least * (1 - 1e-9):
                yield digit * 10.0**power
        power += 1


def power_ticks(low: float, high: float) -> Ticks:
    """Ticks of logarithms: at powers of ten, or where there are less than two, at 2 and 5, too."""
    powers = round_ticks(low, high, TICKS, whole=True).places
    if len(powers) < 2:
        decades = range(math.floor(low), math.ceil(high))
        between = [power + math.log10(digit) for power in decades for digit in (1, 2, 5)]
        powers = [place for place in between if low <= place <= high] or [low, high]
        return Ticks(powers, [f"{10**place:.2g}" for place in powers])
    plain = low > -4 and high < 6
    return Ticks(powers, [f"{10**place:,g}" if plain else f"1e{place:.0f}" for place in powers])
