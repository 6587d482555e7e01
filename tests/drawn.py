"""Runs with their pictures, and what is read back from those."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from conftest import LECTURE
from gdfit.choices import Panel
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit
from gdfit.descent.run import Run
from gdfit.show.pictures.figure import STYLE, draw
from gdfit.show.pictures.trace import Trace


def traced(data: Observations | None = None, **options: Any) -> tuple[Fit, list[Step]]:
    """A run, by default of the lecture's data, with its trace."""
    trace = Trace()
    run = Run(data or read_observations(str(LECTURE), keep_rows=True), **options)
    for step in run:
        trace.step(step)
    return run.fit(), trace.steps


def picture_of(
    data: Observations | None = None, panel: Panel = "all", **options: Any
) -> tuple[Fit, list[Step], Figure]:
    """A run with its trace and its picture."""
    fit, steps = traced(data, **options)
    with mpl.rc_context(STYLE):
        return fit, steps, draw(fit, steps, panel)


def panel_of(panel: Panel, data: Observations | None = None, **options: Any) -> tuple[Fit, Axes]:
    """A run with one panel of its picture."""
    fit, _, figure = picture_of(data, panel, **options)
    (axes,) = figure.axes
    return fit, axes


def labels(axes: Axes) -> list[str]:
    """What the legend says."""
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def called(axes: Axes, name: str) -> Line2D:
    """The line or the dot with that label, or that name in a file of lines."""
    (found,) = [line for line in axes.get_lines() if name in (line.get_label(), line.get_gid())]
    return found


def points(line: Line2D) -> np.ndarray:
    """The corners of a line, shape (corners, 2)."""
    return np.column_stack([np.asarray(line.get_xdata()), np.asarray(line.get_ydata())])


def several(features: int = 8, rows: int = 60) -> Observations:
    """Features with long names that differ in their ends, the later the larger their weights."""
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, features))
    names = [f"a_feature_with_a_long_name_{place}" for place in range(features)]
    return observations_from(x, x @ np.arange(features) + 1, names, "a_target")


def two_classes(
    features: int = 1, rows: int = 80, *, shift: float = 0.0, steep: float = 2.0
) -> Observations:
    """Two classes that overlap, called no and yes, told by all of the features."""
    random = np.random.default_rng(features)
    x = random.normal(3, 2, (rows, features))
    z = steep * ((x - 3) @ np.linspace(1, -0.5, features)) + shift
    y = np.where(random.random(rows) < 1 / (1 + np.exp(-z)), "yes", "no")
    frame = pd.DataFrame(x, columns=[f"x{place}" for place in range(features)])
    return observations_from(frame.assign(passed=y), target="passed", classes=True)
