"""The axes of pictures: their limits, ticks and numbers."""

from __future__ import annotations

import re

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis

from gdfit.arrays import FloatArray
from gdfit.show.colours import scientific

ROUNDING = 1e-12  # of the size of numbers: a difference that is none


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


def number_axis(axis: Axis) -> None:
    """A linear axis of numbers."""
    axis.set_major_locator(ticker.MaxNLocator("auto", steps=[1, 2, 5, 10]))
    axis.set_major_formatter(Plain())


def log_axis(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis of positive numbers upward, from `low` to `high`."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    between = (1.0, 2.0, 5.0) if high < 100 * low else (1.0,)
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=between))
    axes.yaxis.set_major_formatter(Powers())
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def epoch_axis(axes: Axes, first: int, last: int, *, logarithmic: bool) -> None:
    """An axis of epochs to the right, from the `first`, which is 0 or 1, to the `last`."""
    axes.set_xlabel("epoch")
    margin = 0.0 if first == 0 else 0.03
    if not logarithmic:
        whole = ticker.MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
        axes.xaxis.set_major_locator(whole)
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda epoch, _: f"{epoch:,.0f}"))
        room = margin * (last - first) if last > first else 0.5
        axes.set_xlim(first - room, last + room)
        return
    if first == 0:
        axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    else:
        axes.set_xscale("log")
    decades = [10**power for power in range(len(str(last)))]
    axes.xaxis.set_major_locator(ticker.FixedLocator([0, *decades] if first == 0 else decades))
    axes.xaxis.set_major_formatter(
        ticker.FuncFormatter(lambda epoch, _: f"{epoch:,.0f}" if epoch < 1e5 else scientific(epoch))
    )
    between = [part * decade for decade in decades for part in range(2, 10)]
    axes.xaxis.set_minor_locator(ticker.FixedLocator(between))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_xlim(first * last**-margin, last ** (1 + margin))


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
