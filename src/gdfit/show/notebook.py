"""Fits, runs and models in a notebook: a table of what came out, and a picture."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape

import numpy as np

from gdfit.descent.outcome import Fit, params_names
from gdfit.descent.run import Run
from gdfit.errors import printable
from gdfit.model.linear import LinearModel
from gdfit.show.pictures.trace import Trace
from gdfit.show.tables.reports import result_lines
from gdfit.show.tables.style import SHOWN_FEATURES, NameValue, exact, leading

DPI = 60  # 800 pixels wide
OPTION = re.compile(r"--([a-z][a-z-]*)")


def html_of(value: Fit | Run | LinearModel) -> str:
    """The HTML that a notebook shows for `value`."""
    if isinstance(value, LinearModel):
        return table(model_lines(value, range(min(len(value.features), SHOWN_FEATURES))))
    if isinstance(value, Run):
        fit = value.fit() if value.last else None
        return f"<div>{escape(repr(value))}</div>" + (table(fit_lines(fit)) if fit else "")
    return table(fit_lines(value)) + (picture(value) if value.history else "")


def fit_lines(fit: Fit) -> list[NameValue]:
    """The lines of a fit, with options as the arguments that they are here."""
    places = leading(fit.observations, np.array(fit.model.params))
    lines = [*model_lines(fit.model, places), *result_lines(fit)]
    return [(name, OPTION.sub(lambda at: at[1].replace("-", "_"), text)) for name, text in lines]


def model_lines(model: LinearModel, places: Sequence[int]) -> list[NameValue]:
    """The weights at these places, each under its name; how many more there are, and b."""
    names = params_names(model.features)
    lines = [(printable(names[place]), exact(model.w[place])) for place in places]
    if more := len(model.w) - len(places):
        lines.append(("…", f"and {more} more weights: w has all"))
    return [*lines, ("b", exact(model.b)), ("predicts", printable(model.target))]


def table(lines: Sequence[NameValue]) -> str:
    """Names and values in two columns."""
    css = 'style="text-align: left"'
    cells = (f"<th {css}>{escape(name)}</th><td {css}>{escape(text)}</td>" for name, text in lines)
    return f"<table>{''.join(f'<tr>{both}</tr>' for both in cells)}</table>"


def picture(fit: Fit) -> str:
    """The run, drawn as `gdfit train --plot` draws it, in the page itself."""
    from gdfit.show.pictures.figure import draw, write_figure

    trace, file = Trace(), io.BytesIO()
    for step in fit.history:
        trace.step(step)
    write_figure(lambda: draw(fit, trace.steps), file, "png", DPI)
    return f'<img alt="the run" src="data:image/png;base64,{b64encode(file.getvalue()).decode()}">'
