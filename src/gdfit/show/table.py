"""A run as a Rich table, its rows printed as they come, and a summary."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdfit.descent.fit import Fit, Run
from gdfit.descent.history import params_names
from gdfit.descent.loop import Step
from gdfit.errors import printable
from gdfit.show import advice
from gdfit.show.forms import form_of
from gdfit.show.leading import MOST, leading
from gdfit.show.report import Prediction, Shown, nothing
from gdfit.show.style import (
    NAME_WIDTH,
    PIPE,
    console_for,
    exact,
    key_values,
    r_squared,
    shortened,
    show,
)

if TYPE_CHECKING:
    from rich.table import Table

RULE = "loss and grad: before the step; params: after it"
BATCHES = "loss and grad: means of the batches; params: after them"
PIPE_WIDTH = 80  # a pipe gets what fits on a terminal of this width, but for long names


class TableReport:
    """A Rich table of shown epochs, its rows printed as they come, and a summary.

    Rows that come within a moment of one another are printed together, for speed. On a terminal,
    `before` is called before that.
    """

    MOMENT = 0.1  # seconds

    def __init__(self, run: Run, shown: Shown, before: Callable[[], None]) -> None:
        self.shown = shown
        self.console = console_for(sys.stdout)
        self.before = before if self.console.is_terminal else nothing
        # A line that fills the last column makes some terminals begin another one.
        width = self.console.width if self.console.is_terminal else PIPE_WIDTH
        self.form = form_of(run, width - 1, whole_names=not self.console.is_terminal)
        self.remarks = [BATCHES if in_batches(run) else RULE]
        features = len(run.observations.features)
        if features > MOST:
            self.remarks.append(
                f"the {MOST} of {features} features most correlated with the target"
            )
        self.console.print(f" {advice.heading(run, width - 2)}")
        if run.scaling:
            self.console.print(f" {advice.units(run)}")
        self.console.line()
        self.pending: list[Step] = []
        self.headed = False
        self.printed_at = -math.inf

    def step(self, step: Step) -> None:
        if step.status or self.shown(step.epoch):
            self.pending.append(step)
        if self.pending and time.monotonic() - self.printed_at > self.MOMENT:
            self.flush()

    def flush(self) -> None:
        """Print the rows that wait, under a header if they are the first."""
        if not self.pending:
            return
        self.before()
        if not self.headed:
            self.print_header()
        elif self.form.is_tall:
            self.console.line()
        show(self.console, self.form.table(self.pending))
        self.pending.clear()
        self.printed_at = time.monotonic()

    def print_header(self) -> None:
        """The columns' names, what is to be known of them, and a line."""
        show(self.console, self.form.table([], show_header=True))
        for remark in self.remarks:
            self.console.print(f" {remark}", style="dim")
        self.console.print("─" * self.form.width, crop=False)
        self.headed = True

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        self.flush()
        self.before()
        self.console.line()
        name_width = NAME_WIDTH if self.console.is_terminal else PIPE
        show(self.console, summary(fit, predictions, model_file, name_width))


def in_batches(run: Run) -> bool:
    """Whether an epoch has several steps."""
    size = run.settings.batch_size
    return size is not None and size < run.observations.count


def summary(fit: Fit, predictions: Sequence[Prediction], model_file: str, name_width: int) -> Table:
    """What came out, a line each."""
    lines = [*params_lines(fit, name_width), *outcome(fit)]
    if fit.status != "diverged" and (command := fit.model.facts.get("next")):
        lines.append(("next", f"to come nearer to the minimum, type {printable(str(command))}"))
    for at in predictions if fit.status != "diverged" else ():
        observed = "" if at.observed is None else f" (observed: {exact(at.observed)})"
        target = printable(fit.model.target)
        lines.append(("prediction", f"{target} = {exact(at.y)} at {inputs(at.x)}{observed}"))
    if model_file:
        lines.append(("model", printable(model_file)))
    return key_values(lines)


def outcome(fit: Fit) -> list[tuple[str, str]]:
    """How good the fit is, how it ended and how far it is to go."""
    lines = [("loss", exact(fit.loss))]
    if fit.validation_loss is not None:
        lines.append(("validation", f"{exact(fit.validation_loss)} is the loss on held-out data"))
    lines += [("R²", r_squared(fit.r_squared)), ("ended", advice.ending(fit))]
    bends = fit.curvature
    if bends and fit.status != "diverged":
        lines.append(("minimum", advice.minimum(fit, bends)))
        if fit.settings.is_plain and not advice.is_at_minimum(fit, bends):
            lines.append(("to go", advice.to_go(fit, bends)))
    return lines


def params_lines(fit: Fit, name_width: int) -> list[tuple[str, str]]:
    """The params, with many features those of the features that count most, and b."""
    names, params = params_names(fit.model.features), fit.model.params
    places = leading(fit.observations, np.array(params))
    lines = [
        (shortened(printable(names[place]), name_width), exact(params[place]))
        for place in (*places, -1)
    ]
    if left_out := len(names) - len(lines):
        told = f"and {left_out} more params, which count less: --format csv, --history and JSON"
        lines.append(("…", f"{told} have all"))
    return lines


def inputs(x: Sequence[float | str]) -> str:
    """The inputs of a prediction, or the first of many."""
    if len(x) == 1:
        return value(x[0])
    told = x if len(x) <= MOST else x[:3]
    more = f", … {len(x)} in all" if len(x) > MOST else ""
    return f"({', '.join(map(value, told))}{more})"


def value(of_one: float | str) -> str:
    """An input: a number or a level."""
    return printable(of_one) if isinstance(of_one, str) else exact(of_one)
