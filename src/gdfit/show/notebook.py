"""What a notebook shows: the tables of the command line as HTML, and of a fit a picture, too."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdfit.analysis.inference import LikelihoodSummary, Summary
from gdfit.descent.by_group import GroupFits
from gdfit.descent.compare import Comparison
from gdfit.descent.outcome import Fit, as_shown
from gdfit.descent.penalty_path import PenaltyPath
from gdfit.descent.run import Run
from gdfit.errors import printable
from gdfit.model.linear import LinearModel
from gdfit.show.pictures.trace import Trace
from gdfit.show.tables import style
from gdfit.show.tables.comparison import show_runs
from gdfit.show.tables.grid import GroupsTold, show_groups, show_path
from gdfit.show.tables.reports import BATCHES, RULE, params_lines, result_lines, schedule
from gdfit.show.tables.style import SHOWN_FEATURES, NameValue, key_values, leading, show
from gdfit.show.tables.summaries import tell_summary

if TYPE_CHECKING:
    from rich.console import Console

DPI = 60  # 800 pixels wide

Value = Fit | Run | LinearModel | Comparison | PenaltyPath | GroupFits | Summary | LikelihoodSummary


def html_of(value: Value) -> str:
    """The HTML that a notebook shows for `value`."""
    file = io.StringIO()
    console = style.markup_console("html", file)
    if isinstance(value, Comparison):
        show_runs(console, value, value.varied)
    elif isinstance(value, PenaltyPath):
        show_path(console, value)
    elif isinstance(value, GroupFits):
        show_groups(console, value, GroupsTold())
    elif isinstance(value, Summary | LikelihoodSummary):
        tell_summary(console, value)
    elif isinstance(value, LinearModel):
        places = range(min(len(value.features), SHOWN_FEATURES))
        show(console, key_values(model_lines(value, places)))
    elif isinstance(value, Run):
        console.print(repr(value))
        if value.last:
            show_fit(console, value.fit())
    else:
        show_fit(console, value)
        if value.history:
            file.write(picture(value))
    return file.getvalue()


def show_fit(console: Console, fit: Fit) -> None:
    """Write the epochs of a fit that `train` would print, where they were kept, and the fit."""
    if fit.history:
        is_shown = schedule(None, None)
        steps = [step for step in fit.history if step.status or is_shown(step.epoch)]
        layout = style.table_layout(fit, style.PIPE_WIDTH - 1, whole_names=True)
        rows = (as_shown(step, fit.scaling, fit.start_state.epochs) for step in steps)
        show(console, layout.table(rows, show_header=True))
        console.print(BATCHES if fit.settings.batch_size else RULE)
    places = leading(fit.observations, np.array(fit.model.params))
    show(console, key_values([*model_lines(fit.model, places), *result_lines(fit)]))


def model_lines(model: LinearModel, places: Sequence[int]) -> list[NameValue]:
    """The weights at these places and b, and what the model predicts."""
    lines = params_lines(model, places, "weights: w has all")
    return [*lines, ("predicts", printable(model.target))]


def picture(fit: Fit) -> str:
    """The run, drawn as `gdfit train --plot` draws it, in the page itself."""
    from gdfit.show.pictures.figure import draw, write_figure

    trace, file = Trace(), io.BytesIO()
    for step in fit.history:
        trace.step(step)
    write_figure(lambda: draw(fit, trace.steps), file, "png", DPI)
    return f'<img alt="the run" src="data:image/png;base64,{b64encode(file.getvalue()).decode()}">'
