"""Axes of pictures that stay legible whatever is in them: colours, names and numbers as text,
limits and ticks, and legends and labels in no one's way.

What collides is known only once sizes are, so a figure is laid out before it is tidied."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PathCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from gdfit.arrays import FloatArray
from gdfit.show.pictures.trace import LONG_RUN, ROUNDING
from gdfit.show.tables.style import superscript

# Okabe and Ito's colours, which colour-blind readers can tell apart.
BLUE, ORANGE, VERMILION = "#0072B2", "#E69F00", "#D55E00"
YELLOW, BROWN, BLACK, GREY = "#F0E442", "#8A6400", "#000000", "#6B6B6B"
# Of lines with a name beside them: dark enough to be read on white.
LINES = (BLUE, "#B84C00", "#00785A", "#A03C78", "#8A6400", "#5B4BC4", "#333333")
LineStyle = Literal["-", "--", ":", "-.", ""]
LINE_STYLES: tuple[LineStyle, ...] = ("-", "--", ":", "-.")
LONGEST_NAME = 28
PIXELS = (1600, 900)
WHOLE_DPI = 120  # pixels an inch, of a picture of several panels


def escaped(name: str) -> str:
    """A column's name as text for a picture: not too long, no formula, and nothing that XML has no
    place for."""
    name = " ".join(name.split())
    name = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    half = LONGEST_NAME // 2
    # Names that are long often differ in their ends.
    short = name if len(name) <= LONGEST_NAME else f"{name[: half - 1]}…{name[-half:]}"
    # What is written from right to left must not turn what stands around it.
    if any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in short):
        short = f"\u2068{short}\u2069"
    return short.replace("$", r"\$")


def picture_number(value: float) -> str:
    """A number for a picture, to four digits: ``−0.3011``, ``40,176``, ``1.2·10²⁶``."""
    if not math.isfinite(value):
        return str(value).replace("inf", "∞").replace("-", "−")
    size = abs(value)
    if value == 0 or 1e-4 <= size < 1e7:
        decimals = 3 - math.floor(math.log10(size)) if value else 0
        text = f"{value:,.{max(decimals, 0)}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
    return scientific(value)


def scientific(value: float) -> str:
    """A number other than 0 as a power of ten, to four digits: ``10⁵``, ``1.2·10²⁶``."""
    mantissa, exponent = f"{value:.3e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".").replace("-", "−")
    power = "10" + superscript(int(exponent))
    return power if mantissa == "1" else f"{mantissa}·{power}"


class Plain(ticker.ScalarFormatter):
    """Numbers with their thousands apart from 10,000 on, so that a year remains one; very large and
    small ones as powers of ten."""

    def __init__(self) -> None:
        super().__init__()
        self.set_scientific(False)

    def __call__(self, x: float, pos: int | None = None) -> str:
        assert self.axis is not None
        largest = np.abs(self.axis.get_view_interval()).max()
        if not self.offset and not 1e-3 <= largest < 1e7:
            return scientific(x) if x else "0"
        text = super().__call__(x, pos)
        whole = re.match(r"[−-]?(\d{5,})", text)
        return text.replace(whole[1], f"{int(whole[1]):,}", 1) if whole else text


class Powers(ticker.Formatter):
    """Ticks of a logarithmic axis: all as plain numbers, or all as powers of ten."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        assert self.axis is not None
        low, high = self.axis.get_view_interval()
        return f"{x:,.10g}" if low > 1e-4 and high < 1e6 else scientific(x)


def number_axes(*every: Axis) -> None:
    """Linear axes of numbers."""
    for axis in every:
        axis.set_major_locator(ticker.MaxNLocator("auto", steps=[1, 2, 5, 10]))
        axis.set_major_formatter(Plain())


def date_axis(axis: Axis) -> None:
    """A linear axis of days since 1970-01-01, with dates."""
    locator: Any = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def log_axis(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis of positive numbers upward, from `low` to `high`."""
    axes.set(yscale="log", ylim=(low, high))
    between = (1.0, 2.0, 5.0) if high < 100 * low else (1.0,)
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=between))
    axes.yaxis.set_major_formatter(Powers())
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def symmetric_axis(axes: Axes, values: FloatArray, threshold: float) -> None:
    """An axis upward for `values`, linear as far as a `threshold` from 0, a power of ten, and
    logarithmic beyond."""
    axes.set_yscale("symlog", linthresh=threshold, linscale=0.5)
    to_axis = axes.yaxis.get_transform()
    limits = np.array(window(to_axis.transform(values.ravel()), 0.06))
    axes.set_ylim(*to_axis.inverted().transform(limits).tolist())
    first, last = (math.floor(math.log10(size)) for size in (threshold, np.abs(values).max()))
    powers = [10.0**power for power in range(first, last + 1)]
    ticks = [-power for power in reversed(powers)] + [0.0] + powers
    axes.yaxis.set_major_locator(ticker.FixedLocator(ticks))
    axes.yaxis.set_major_formatter(lambda x, _: picture_number(x))
    axes.yaxis.set_minor_locator(ticker.NullLocator())


def epoch_axis(axes: Axes, first: int, last: int, *, diverged: bool = False) -> None:
    """An axis of epochs to the right, from the `first`, which is 0, the start, or a row's: of many
    a logarithmic one."""
    axes.set_xlabel("epoch")
    margin = 0.0 if first == 0 else 0.03
    if diverged or last <= LONG_RUN * max(first, 1):
        whole = ticker.MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
        axes.xaxis.set_major_locator(whole)
        axes.xaxis.set_major_formatter(lambda epoch, _: f"{epoch:,.0f}")
        room = margin * (last - first) if last > first else 0.5
        axes.set_xlim(first - room, last + room)
        return
    if first == 0:
        axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    else:
        axes.set_xscale("log")
    decades = [10**power for power in range(len(str(last)))]
    axes.xaxis.set_major_locator(ticker.FixedLocator([0, *decades] if first == 0 else decades))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}" if x < 1e5 else scientific(x))
    between = [part * decade for decade in decades for part in range(2, 10)]
    axes.xaxis.set_minor_locator(ticker.FixedLocator(between))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    room = (last / max(first, 1)) ** margin
    axes.set_xlim(first / room, last * room)


def cut_after(axes: Axes, shown: int, last: int) -> None:
    """Say on the axis of epochs that there are more, in which nothing happens."""
    if shown < last:
        axes.set_xlabel(f"epoch (no change from there to {last:,})")


def window(values: FloatArray, margin: float) -> tuple[float, float]:
    """From the least to the largest of `values`, with a margin, as a part of that; where they are
    all the same but for rounding, not magnified."""
    low, high = float(values.min()), float(values.max())
    size = high - low
    largest = max(abs(low), abs(high))
    if not size > ROUNDING * largest:
        size = 0.2 * largest or 1.0
        margin = 1.0
    return low - margin * size, high + margin * size


Corner = Literal["upper right", "upper left", "lower right", "lower left"]
CORNERS: tuple[Corner, ...] = ("upper right", "upper left", "lower right", "lower left")
MOST_TICKS = 9
GAP = 3.0  # points between things
# Where a label may be from its point: directions, the best first, and distances in points.
TURNS = np.deg2rad([45, -45, 135, -135, 90, -90, 0, 180])
AWAY = (4.0, 7.0, 10.0, 14.0, 20.0, 28.0, 36.0)
BESIDE = 16.0  # points: a label that is farther from its point has a line to it


def new_figure(dpi: int = WHOLE_DPI, height: float = 1.0) -> Figure:
    """An empty figure as large as all pictures are, or so many times as high."""
    size = PIXELS[0] / dpi, PIXELS[1] / dpi * height
    return Figure(figsize=size, dpi=dpi, layout="constrained")


def finished(figure: Figure, finishes: Iterable[Callable[[], None] | None] = ()) -> Figure:
    """The figure with what `finishes` draw once its axes have their size, and everything in its
    place."""
    settle(figure)
    for finish in filter(None, finishes):
        finish()
    tidy(figure)
    return figure


def settle(figure: Figure) -> None:
    """Lay the figure out: now its axes have their size."""
    engine = figure.get_layout_engine()
    assert engine
    engine.execute(figure)


def tidy(figure: Figure) -> None:
    """Give ticks, legends and labels places where they are in no one's way."""
    for axes in figure.axes:
        place_legend(axes)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            thin_ticks(axis)
    settle(figure)
    figure.set_layout_engine("none")
    for axes in figure.axes:
        place_labels(axes)


def thin_ticks(axis: Axis) -> None:
    """Make the ticks fewer until their labels are apart; dates are."""
    locator = axis.get_major_locator()
    if isinstance(locator, AutoDateLocator):
        return
    most = "numticks" if isinstance(locator, ticker.LogLocator) else "nbins"
    for number in range(min(max(axis.get_tick_space(), 2), MOST_TICKS), 0, -1):
        locator.set_params(**{most: number})  # also where they are apart: so many they remain
        boxes = tick_boxes(axis)
        if not any(one.overlaps(other) for one, other in itertools.pairwise(boxes)):
            return


def tick_boxes(axis: Axis) -> list[Bbox]:
    """The boxes of the tick labels that can be seen, in their order, with a gap around."""
    axis.get_majorticklabels()  # which brings the ticks up to date
    low, high = sorted(axis.get_view_interval())
    gap = pixels(axis.axes, GAP)
    wide, tall = (gap, 0) if axis is axis.axes.xaxis else (0, gap / 6)
    return [
        tick.label1.get_window_extent().padded(wide, tall)
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high and tick.label1.get_text()
    ]


def place_legend(axes: Axes) -> None:
    """A legend within the axes that covers no data; where there is no room for one, make it."""
    for edge in ("top", "bottom", "top", ""):
        flattest = 0.0
        for legend in legends(axes):
            box = legend.get_window_extent()
            if not is_covered(axes, box.padded(pixels(axes, GAP))):
                return
            flattest = min(flattest or box.height, box.height)
        if not flattest or not edge:
            return
        extend(axes, edge, flattest + pixels(axes, 4 * GAP))


def legends(axes: Axes) -> Iterator[Legend]:
    """The legends that fit into the axes, in a few columns and in each corner, the best first; the
    last one stays."""
    handles, labels = axes.get_legend_handles_labels()
    for size in (10.5, 9.0, 7.5) if handles else ():
        fits = False
        for columns in range(1, min(len(handles), 4) + 1):
            for corner in CORNERS:
                legend = axes.legend(handles, labels, loc=corner, ncols=columns, fontsize=size)
                if is_within(legend.get_window_extent(), axes.bbox):
                    fits = True
                    yield legend
        if fits:
            return


def pixels(axes: Axes, points: float) -> float:
    """So many points in pixels."""
    return points * axes.figure.dpi / 72


def is_within(box: Bbox, frame: Bbox) -> bool:
    """True where `box` is within `frame`, but for less than a pixel."""
    inside = [box.x0 > frame.x0 - 1, box.x1 < frame.x1 + 1]
    return all([*inside, box.y0 > frame.y0 - 1, box.y1 < frame.y1 + 1])


def is_covered(axes: Axes, box: Bbox) -> bool:
    """True where a line or a point of the axes is in `box`."""
    return any(box.contains(*point) for point in scattered(axes)) or lines_through(axes, box) > 0


def scattered(axes: Axes) -> Iterator[tuple[float, float]]:
    """Where the axes' scattered points are, in pixels."""
    for collection in axes.collections:
        if isinstance(collection, PathCollection):
            offsets = np.asarray(collection.get_offsets())
            yield from collection.get_offset_transform().transform(offsets).tolist()


def lines_through(axes: Axes, box: Bbox) -> int:
    """The number of the axes' lines that go through `box`."""
    paths = (line.get_transform().transform_path(line.get_path()) for line in axes.get_lines())
    return sum(path.cleaned(remove_nans=True).intersects_bbox(box, filled=False) for path in paths)


def extend(axes: Axes, edge: str, free: float) -> None:
    """Move the limit at the top or the bottom so that what was seen leaves so much `free`, in
    pixels."""
    to_scale = axes.yaxis.get_transform()
    low, high = to_scale.transform(np.array(axes.get_ylim()))
    more = (high - low) * free / max(axes.bbox.height - free, free)
    limits = (low, high + more) if edge == "top" else (low - more, high)
    axes.set_ylim(*to_scale.inverted().transform(np.array(limits)).tolist())


def mark(
    axes: Axes, place: Iterable[float], kind: str, colour: str, size: int, name: str, level: int = 4
) -> None:
    """A mark with a black edge, a star or a dot, at a `place` (x, y)."""
    (drawn,) = axes.plot(*place, kind, color=colour, markersize=size, zorder=level)
    drawn.set(markeredgecolor=BLACK, gid=name)


def nothing_in(axes: Axes, why: str) -> None:
    """Say why there is nothing to see."""
    axes.text(0.5, 0.5, why, transform=axes.transAxes, horizontalalignment="center")


def label_at(axes: Axes, text: str, x: float, y: float) -> None:
    """A label beside a point; `tidy` finds its place."""
    box = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
    to_point = {"arrowstyle": "-", "color": GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 2}
    label = axes.annotate(text, (x, y), (8, 8), textcoords="offset points", arrowprops=to_point)
    label.set(horizontalalignment="center", verticalalignment="center", fontsize=10.5, bbox=box)
    label.set(zorder=6, in_layout=False)


def place_labels(axes: Axes) -> None:
    """Move each label that stands beside a point to where it is in the way of nothing, or of as
    little as can be."""
    point = pixels(axes, 1)
    taken = [*markers(axes, point)]
    if legend := axes.get_legend():
        taken.append(legend.get_window_extent())
    taken += [text.get_window_extent() for text in axes.texts if not isinstance(text, Annotation)]
    for label in axes.texts:
        if isinstance(label, Annotation) and label.anncoords == "offset points":
            x, y = axes.transData.transform(label.xy).tolist()
            size = Text.get_window_extent(label).padded(2 * point)  # without its line
            boxes = around(x, y, size, point)
            best = min(boxes, key=lambda box: in_the_way(axes, box, taken))
            taken.append(best)
            middle_x, middle_y = (best.x0 + best.x1) / 2, (best.y0 + best.y1) / 2
            label.xyann = (middle_x - x) / point, (middle_y - y) / point
            away = math.hypot(max(best.x0 - x, x - best.x1, 0), max(best.y0 - y, y - best.y1, 0))
            if label.arrow_patch:
                label.arrow_patch.set_visible(away > BESIDE * point)


def markers(axes: Axes, point: float) -> Iterator[Bbox]:
    """The boxes of the markers that stand alone."""
    for line in axes.get_lines():
        where = np.asarray(line.get_xydata())
        if line.get_marker() != "None" and len(where) == 1:
            x, y = axes.transData.transform(where[0]).tolist()
            yield Bbox.from_extents(x, y, x, y).padded(line.get_markersize() * point / 2)


def around(x: float, y: float, size: Bbox, point: float) -> Iterator[Bbox]:
    """Boxes as large as `size` around a place, the nearest first."""
    width, height = size.width, size.height
    for away in AWAY:
        for turn in TURNS.tolist():
            middle_x = x + math.cos(turn) * (away * point + width / 2)
            middle_y = y + math.sin(turn) * (away * point + height / 2)
            yield Bbox.from_bounds(middle_x - width / 2, middle_y - height / 2, width, height)


def in_the_way(axes: Axes, box: Bbox, taken: Sequence[Bbox]) -> float:
    """The trouble that a label in `box` makes: among equals, the nearest to its point wins."""
    outside = 0 if is_within(box, axes.bbox) else 1000
    return outside + 10 * sum(map(box.overlaps, taken)) + min(lines_through(axes, box), 3)
