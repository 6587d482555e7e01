"""Fits, runs and models in a notebook: a table of what came out, and a picture."""

from __future__ import annotations

import io
import re
import warnings
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from gdfit.descent.run import Fit, Run, params_names
from gdfit.errors import printable
from gdfit.model.linear import LinearModel
from gdfit.show.pictures.trace import Trace
from gdfit.show.tables.reports import outcome
from gdfit.show.tables.style import MOST, exact, leading

DPI = 60  # 800 pixels wide
OPTION = re.compile(r"--([a-z][a-z-]*)")

Line = tuple[str, str]


def html_of(value: Fit | Run | LinearModel) -> str:
    """How a notebook shows `value`."""
    if isinstance(value, LinearModel):
        return table(model_lines(value, range(len(value.features)))[:MOST] + rest_of(value))
    if isinstance(value, Run):
        fit = value.fit() if value.last else None
        return f"<div>{escape(repr(value))}</div>" + (table(fit_lines(fit)) if fit else "")
    return table(fit_lines(value)) + (picture(value) if value.history else "")


def fit_lines(fit: Fit) -> list[Line]:
    """What came out, a line each, with options as the arguments that they are here."""
    places = leading(fit.observations, np.array(fit.model.params))
    lines = [*model_lines(fit.model, places), *rest_of(fit.model), *outcome(fit)]
    return [(name, OPTION.sub(as_argument, text)) for name, text in lines]


def model_lines(model: LinearModel, places: Iterable[int]) -> list[Line]:
    """The weights at these places, each under its name."""
    names = params_names(model.features)
    return [(printable(names[place]), exact(model.w[place])) for place in places]


def rest_of(model: LinearModel) -> list[Line]:
    """How many weights are not shown, and b."""
    more = len(model.w) - MOST
    hidden = [("…", f"and {more} more weights: w has all")] if more > 0 else []
    return [*hidden, ("b", exact(model.b)), ("predicts", printable(model.target))]


def as_argument(option: re.Match[str]) -> str:
    """An option as it is called in Python."""
    return option[1].replace("-", "_")


def table(lines: Sequence[Line]) -> str:
    """Names and values in two columns."""
    cell = '<td style="text-align: left">'
    rows = "".join(
        f'<tr><th style="text-align: left">{escape(name)}</th>{cell}{escape(text)}</td></tr>'
        for name, text in lines
    )
    return f"<table>{rows}</table>"


def picture(fit: Fit) -> str:
    """The run, drawn as `gdfit train --plot` draws it, in the page itself."""
    import matplotlib as mpl

    from gdfit.show.pictures.figure import STYLE, draw

    trace, file = Trace(), io.BytesIO()
    for step in fit.history:
        trace.step(step)
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        draw(fit, trace.steps).savefig(file, format="png", dpi=DPI)
    return f'<img alt="the run" src="data:image/png;base64,{b64encode(file.getvalue()).decode()}">'
