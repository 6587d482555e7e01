"""What a run shows: a Rich table, JSON or CSV on standard output, a history file.

A report is told of every step as it happens, and of the fit in the end.
"""

from __future__ import annotations

import csv
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TextIO

from gdfit.descent.fit import Fit, Run
from gdfit.descent.history import header, losses, params_names, row
from gdfit.descent.loop import Step
from gdfit.errors import printable
from gdfit.files import open_beside
from gdfit.model.linear import to_json
from gdfit.show import advice
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

WIDEST = 79  # the width of a table with w, b and their gradients

if TYPE_CHECKING:
    from rich.table import Table


Watch = Callable[[Step], None]
"""What is told of every step as it happens."""


class Report(Protocol):
    """Where the steps and the fit go."""

    def step(self, step: Step) -> None:
        """Take note of an epoch."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        """Show what is left to show."""


@dataclass(frozen=True)
class Prediction:
    """ŷ at x, and the y observed there, where it was."""

    x: tuple[float, ...]
    y: float
    observed: float | None = None


def schedule(every: int | None, show: Sequence[int] | None) -> Callable[[int], bool]:
    """Which epochs to print: each multiple of `every`, those in `show`, by default 1, 2, 3 and then
    5, 10, 20, 50, 100, …"""
    if every is None and show is None:
        return lambda epoch: epoch <= 3 or is_round(epoch)
    shown = frozenset(show or ())
    return lambda epoch: epoch in shown or (every is not None and epoch % every == 0)


def is_round(epoch: int) -> bool:
    """Whether `epoch` is 1, 2 or 5 times a power of ten."""
    return str(epoch).rstrip("0") in ("1", "2", "5")


def record(fit: Fit, predictions: Iterable[Prediction]) -> dict[str, object]:
    """The fit as the keys of its JSON object, without the history."""
    settings = fit.settings
    return {
        "w": list(fit.model.w),
        "b": fit.model.b,
        "features": list(fit.model.features),
        "target": fit.model.target,
        "loss": fit.loss,
        "validation_loss": fit.validation_loss,
        "minimum_loss": fit.curvature.minimum_loss if fit.curvature else None,
        "r_squared": fit.r_squared,
        "epochs": fit.epochs,
        "best_epoch": fit.best_epoch,
        "status": fit.status,
        "lr": settings.lr,
        "backend": settings.backend,
        "loss_function": settings.loss,
        "l2": settings.l2,
        "optimizer": settings.optimizer,
        "batch_size": settings.batch_size,
        "standardize": settings.standardize,
        "seed": settings.seed,
        "observations": fit.observations.count,
        "predictions": [{"x": list(at.x), "y": at.y} for at in predictions],
    }


def predictions(fit: Fit, inputs: Sequence[Sequence[float]]) -> list[Prediction]:
    """ŷ at `inputs`; where there are none, at the last observation."""
    if inputs:
        return [Prediction(tuple(values), fit.model.predict(values)) for values in inputs]
    *values, observed = fit.observations.last.tolist()
    return [Prediction(tuple(values), fit.model.predict(values), observed)]


@contextmanager
def history(path: Path | None, run: Run) -> Iterator[list[Watch]]:
    """What writes every epoch to the file at `path`, if there is one."""
    if path is None:
        yield []
        return
    with open_beside(path) as file:
        yield [CsvReport(run, lambda epoch: True, file).step]


def report_for(
    form: Literal["table", "json", "csv", "quiet"],
    run: Run,
    shown: Callable[[int], bool],
    before: Callable[[], None],
) -> Report:
    """What shows a run on standard output; `before` is called before anything is printed."""
    if form == "quiet":
        return QuietReport()
    if form == "json":
        return JsonReport(shown)
    if form == "csv":
        return CsvReport(run, shown, before=before)
    return TableReport(run, shown, before)


def nothing() -> None:
    """What to do before something is printed, where there is nothing to do."""


class QuietReport:
    """The params alone, on one line: ``w… b``."""

    def step(self, step: Step) -> None:
        """Nothing."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        print(*fit.model.params)


class JsonReport:
    """One JSON object in the end, with the shown steps as its history."""

    def __init__(self, shown: Callable[[int], bool]) -> None:
        self.shown = shown
        self.history: list[dict[str, object]] = []

    def step(self, step: Step) -> None:
        if step.status or self.shown(step.epoch):
            self.history.append(
                {
                    "epoch": step.epoch,
                    **dict(zip(("loss", "validation_loss"), losses(step), strict=False)),
                    "params": step.params.tolist(),
                    "grad": step.grad.tolist(),
                }
            )

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        print(to_json({**record(fit, predictions), "history": self.history}))


class CsvReport:
    """Shown epochs as CSV, each as it happens; `before` is called before any is printed."""

    def __init__(
        self,
        run: Run,
        shown: Callable[[int], bool],
        file: TextIO | None = None,
        before: Callable[[], None] = nothing,
    ) -> None:
        self.shown = shown
        self.before = before
        self.writer = csv.writer(file or sys.stdout, lineterminator="\n")
        self.writer.writerow(header(run.observations.features, run.validation is not None))

    def step(self, step: Step) -> None:
        if step.status or self.shown(step.epoch):
            self.before()
            self.writer.writerow(row(step))

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        """Nothing."""


class TableReport:
    """A Rich table of shown epochs, its rows printed as they come, and a summary.

    Rows that come within a moment of one another are printed together, for speed; `before` is
    called before that.
    """

    MOMENT = 0.1  # seconds

    def __init__(self, run: Run, shown: Callable[[int], bool], before: Callable[[], None]) -> None:
        validated = run.validation is not None
        self.names = [printable(name) for name in params_names(run.observations.features)]
        self.shown = shown
        self.before = before
        self.losses = ["loss", "validation"] if validated else ["loss"]
        self.console = console_for(sys.stdout)
        # Two params fit side by side on any terminal, but for a validation loss beside them.
        widest = WIDEST + NUMBER_WIDTH + 2 if validated else WIDEST
        self.wide = len(self.names) == 2 and self.console.width >= widest
        if run.settings.standardize:
            self.console.print(" descending on (x − mean)/std: params and grad are for these")
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
            lines.append(("next digit", advice.next_digit(fit, bends)))
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
