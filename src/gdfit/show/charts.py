"""Charts in text, for a terminal without a display: the loss, and for one feature the fit."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Sequence

import numpy as np

from gdfit.descent.fit import Fit
from gdfit.descent.loop import Step
from gdfit.errors import printable
from gdfit.show.style import console_for

HEIGHT = 17  # lines
NARROWEST, WIDEST = 40, 100  # characters


def print_charts(fit: Fit, steps: Sequence[Step]) -> None:
    """The charts of a run: in colour on a terminal, as wide as it is; in a pipe without."""
    console = console_for(sys.stdout)
    colour = console.is_terminal and not console.no_color
    width = console.width if console.is_terminal else shutil.get_terminal_size().columns
    print()
    print(charts(fit, steps, width, colour))


def charts(fit: Fit, steps: Sequence[Step], width: int, colour: bool) -> str:
    """The charts of a run, `width` characters wide or as wide as is legible, one below the other;
    without `colour`, in plain characters."""
    width = min(max(width, NARROWEST), WIDEST)
    drawn = [loss_chart(fit, steps, width)]
    if len(fit.model.features) == 1:
        drawn.append(fit_chart(fit, width))
    import plotext

    text = "\n".join(drawn)
    if not colour:
        text = plotext.uncolorize(text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def new_chart(width: int, title: str) -> None:
    """Start a chart."""
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, HEIGHT)
    plotext.theme("clear")
    plotext.title(title)


def loss_chart(fit: Fit, steps: Sequence[Step], width: int) -> str:
    """The loss against the epoch, and the validation loss where there is one."""
    import plotext

    shown = [step for step in steps if math.isfinite(step.loss) and step.loss > 0]
    if len(shown) < 2:
        return f"The loss: {fit.loss:.6g}"
    new_chart(width, "the loss against the epoch")
    logarithmic = max(step.loss for step in shown) > 20 * min(step.loss for step in shown)
    curves = {"loss": [step.loss for step in shown]}
    if fit.validation_loss is not None:
        curves["validation loss"] = [step.validation_loss or math.nan for step in shown]
    # Logarithms by hand: plotext has no ticks at powers of ten.
    epochs = np.log10([step.epoch for step in shown])
    for (name, curve), style in zip(curves.items(), ("green", "orange"), strict=False):
        heights = np.log10(curve) if logarithmic else np.array(curve)
        label = name if len(curves) > 1 else None
        plotext.plot(epochs.tolist(), heights.tolist(), marker="braille", color=style, label=label)
    decades = range(math.floor(epochs[0]), math.floor(epochs[-1]) + 1)
    plotext.xticks([*decades], [f"{10**decade:,}" for decade in decades])
    if logarithmic:
        values = np.concatenate([np.log10(curve) for curve in curves.values()])
        low, high = math.floor(values.min()), math.ceil(values.max())
        stride = max(1, (high - low) // 6)
        plotext.ylim(values.min(), values.max())
        ticks = [tick for tick in range(low, high + 1, stride) if values.min() <= tick]
        plotext.yticks(ticks, [f"1e{tick}" for tick in ticks])
    return str(plotext.build())


def fit_chart(fit: Fit, width: int) -> str:
    """The observations with the line."""
    import plotext

    x, y = fit.observations.sample.T
    name, target = (printable(text) for text in (fit.model.features[0], fit.model.target))
    new_chart(width, f"{target} against {name}")
    if fit.status != "diverged":
        w, b = fit.model.params
        ends = [float(x.min()), float(x.max())]
        line = [w * end + b for end in ends]
        plotext.plot(ends, line, marker="braille", color="red", label="the line")
    plotext.scatter(x.tolist(), y.tolist(), marker="o", color="blue", label="observations")
    return str(plotext.build())
