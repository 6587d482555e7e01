"""A run as a Rich table, its rows printed as they come, and a summary."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gdfit.descent.fit import Fit, Run
from gdfit.descent.history import losses, params_names
from gdfit.descent.loop import Step
from gdfit.errors import printable
from gdfit.show import advice
from gdfit.show.report import Prediction, Shown
from gdfit.show.style import (
    NUMBER_WIDTH,
    add_numbers,
    console_for,
    exact,
    key_values,
    new_table,
    r_squared,
    short,
    show,
)

if TYPE_CHECKING:
    from rich.table import Table

WIDEST = 79  # the width of a table with w, b and their gradients


class TableReport:
    """A Rich table of shown epochs, its rows printed as they come, and a summary.

    Rows that come within a moment of one another are printed together, for speed; `before` is
    called before that.
    """

    MOMENT = 0.1  # seconds

    def __init__(self, run: Run, shown: Shown, before: Callable[[], None]) -> None:
        validated = run.validation is not None
        self.names = [printable(name) for name in params_names(run.observations.features)]
        self.shown = shown
        self.before = before
        self.losses = ["loss", "validation"] if validated else ["loss"]
        self.console = console_for(sys.stdout)
        # Two params fit side by side on any terminal, but for a validation loss beside them.
        widest = WIDEST + NUMBER_WIDTH + 2 if validated else WIDEST
        self.wide = len(self.names) == 2 and self.console.width >= widest
        self.console.print(f" {printable(advice.heading(run))}")
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
            self.print_pending()

    def print_pending(self) -> None:
        """Print the rows that wait, under a header if they are the first."""
        self.before()
        if self.headed and not self.wide:
            self.console.line()
        show(self.console, self.wide_table() if self.wide else self.tall_table())
        self.pending.clear()
        self.headed = True
        self.printed_at = time.monotonic()

    def wide_table(self) -> Table:
        """An epoch a row: for one feature."""
        table = new_table(show_header=not self.headed)
        slopes = [f"grad {name}" for name in self.names]
        add_numbers(table, "epoch", *self.losses, *self.names, *slopes)
        for step in self.pending:
            numbers = (*losses(step), *step.params.tolist(), *step.grad.tolist())
            table.add_row(str(step.epoch), *map(short, numbers))
        return table

    def tall_table(self) -> Table:
        """A param a row: for several features, which would not fit side by side."""
        table = new_table(show_header=not self.headed)
        add_numbers(table, "epoch", *self.losses)
        width = max(map(len, (*self.names, "param")))
        table.add_column("param", min_width=width, no_wrap=True)
        add_numbers(table, "params", "grad")
        for step in self.pending:
            rows = zip(self.names, step.params.tolist(), step.grad.tolist(), strict=True)
            for place, (name, param, slope) in enumerate(rows):
                first = [str(step.epoch), *map(short, losses(step))]
                if place:
                    first = [""] * len(first)
                table.add_row(*first, name, short(param), short(slope))
            table.add_section()
        return table

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        if self.pending:
            self.print_pending()
        self.console.line()
        show(self.console, summary(fit, predictions, model_file))


def summary(fit: Fit, predictions: Sequence[Prediction], model_file: str) -> Table:
    """What came out, a line each."""
    names = params_names(fit.model.features)
    lines = [
        *zip(map(printable, names), map(exact, fit.model.params), strict=True),
        ("loss", exact(fit.loss)),
    ]
    if fit.validation_loss is not None:
        lines.append(("validation", f"{exact(fit.validation_loss)} is the loss on held-out data"))
    lines += [("R²", r_squared(fit.r_squared)), ("ended", advice.ending(fit))]
    bends = fit.curvature
    if bends and fit.status != "diverged":
        lines.append(("minimum", advice.minimum(fit, bends)))
        if fit.settings.is_plain and not advice.is_at_minimum(fit, bends):
            lines.append(("to go", advice.to_go(fit, bends)))
    for at in predictions if fit.status != "diverged" else ():
        inputs = ", ".join(map(exact, at.x))
        if len(at.x) > 1:
            inputs = f"({inputs})"
        observed = "" if at.observed is None else f" (observed: {exact(at.observed)})"
        target = printable(fit.model.target)
        lines.append(("prediction", f"{target} = {exact(at.y)} at {inputs}{observed}"))
    if model_file:
        lines.append(("model", printable(model_file)))
    return key_values(lines)
