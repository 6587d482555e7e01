"""What a report of a run is: something that is told of every step, and of the fit in the end.

A run as a Rich table, its rows printed as they come, and a summary.

What a run shows on standard output besides the table, and its history file.

Every epoch's row in a CSV file, written as it happens: ``tail -f`` follows it, and what was
written stays however the run ends."""

from __future__ import annotations

import csv
import io
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import merge
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gdfit.descent.closed_form import round_epochs
from gdfit.descent.loop import Step
from gdfit.descent.run import Fit, Run, history_header, history_row, losses, params_names
from gdfit.errors import GdfitError, printable
from gdfit.files import check_writable
from gdfit.model.linear import to_json
from gdfit.show.tables import words as advice
from gdfit.show.tables.style import (
    MOST,
    NAME_WIDTH,
    PIPE,
    console_for,
    exact,
    form_of,
    key_values,
    leading,
    r_squared,
    shortened,
    show,
)

if TYPE_CHECKING:
    from rich.table import Table

Watch = Callable[[Step], None]
"""What is told of every step as it happens."""

Shown = Callable[[int], bool]
"""Whether to print an epoch; the last is printed in any case."""


class Report(Protocol):
    """Where the steps and the fit go."""

    def step(self, step: Step) -> None:
        """Take note of an epoch."""

    def flush(self) -> None:
        """Print what waits to be printed: before something else is, on standard error."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        """Show what is left to show."""


NewReport = Callable[[Run, Shown, Callable[[], None]], Report]
"""Makes a report of a run that prints the shown epochs; the last argument is called before anything
is printed."""


@dataclass(frozen=True)
class Prediction:
    """ŷ at x, and the y observed there, where it was."""

    x: tuple[float | str, ...]
    y: float
    observed: float | None = None


def schedule(every: int | None, show: Sequence[int] | None) -> Shown:
    """Which epochs to print: each multiple of `every`, those in `show`, by default 1, 2, 3 and then
    5, 10, 20, 50, 100, …"""
    shown = frozenset(show or (islice(round_epochs(), 100) if every is None else ()))
    if every is None:
        return shown.__contains__
    return lambda epoch: epoch in shown or epoch % every == 0


def epochs(every: int | None, show: Sequence[int] | None) -> Iterator[int]:
    """The epochs of `schedule` one after the other, perhaps without end."""
    if every is None and show is None:
        return round_epochs()
    return merge(sorted(show or ()), count(every, every) if every else ())


def listed(predictions: Iterable[Prediction]) -> list[dict[str, object]]:
    """Predictions as JSON has them."""
    return [{"x": list(at.x), "y": at.y} for at in predictions]


def predictions(fit: Fit, inputs: Sequence[Sequence[float | str]]) -> list[Prediction]:
    """ŷ at `inputs`; where there are none, at the last observation."""
    if inputs:
        return [Prediction(tuple(values), fit.model.at_inputs(values)) for values in inputs]
    values, observed = fit.observations.last_values
    return [Prediction(tuple(values), fit.model.at_inputs(values), observed)]


def nothing() -> None:
    """What to do before something is printed, where there is nothing to do."""


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
    curvature = fit.curvature
    if curvature and fit.status != "diverged":
        lines.append(("minimum", advice.minimum(fit, curvature)))
        if fit.settings.is_plain and not advice.is_at_minimum(fit, curvature):
            lines.append(("to go", advice.to_go(fit, curvature)))
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


class QuietReport:
    """The params alone, on one line: ``w… b``."""

    def __init__(self, run: Run, shown: Shown, before: Callable[[], None]) -> None:
        """Nothing is shown of single epochs."""

    def step(self, step: Step) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing waits."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        print(*fit.model.params, flush=True)


class JsonReport:
    """One JSON object in the end, with the shown steps as its history."""

    def __init__(self, run: Run, shown: Shown, before: Callable[[], None]) -> None:
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

    def flush(self) -> None:
        """Nothing is printed before the end."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        print(
            to_json(
                {**fit.model.record, "predictions": listed(predictions), "history": self.history}
            ),
            flush=True,
        )


class CsvReport:
    """Shown epochs as CSV, each on its way within a moment; `before` is called before any is
    printed on a terminal."""

    MOMENT = 0.1  # seconds

    def __init__(self, run: Run, shown: Shown, before: Callable[[], None]) -> None:
        self.shown = shown
        self.before = before if sys.stdout.isatty() else nothing
        self.writer = csv.writer(sys.stdout, lineterminator="\n")
        self.writer.writerow(history_header(run.observations.features, run.validation is not None))
        self.flushed_at = -math.inf

    def step(self, step: Step) -> None:
        if step.status or self.shown(step.epoch):
            self.before()
            self.writer.writerow(history_row(step))
        if time.monotonic() - self.flushed_at > self.MOMENT:
            self.flush()

    def flush(self) -> None:
        """Send on what is written."""
        sys.stdout.flush()
        self.flushed_at = time.monotonic()

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        self.flush()


REPORTS: dict[str, NewReport] = {
    "table": TableReport,
    "json": JsonReport,
    "csv": CsvReport,
    "quiet": QuietReport,
}
"""By the name of what standard output gets."""


MOMENT = 0.1  # seconds that rows may wait, so that short epochs need not wait for the file


class HistoryFile:
    """Writes the rows of a run, whole rows at a time."""

    def __init__(self, run: Run, path: Path) -> None:
        check_writable(path)
        self._path = path
        with self._errors_told():
            self._file = path.open("w", encoding="utf-8", newline="\n")
        self._waiting = io.StringIO()
        self._writer = csv.writer(self._waiting, lineterminator="\n")
        self._writer.writerow(history_header(run.observations.features, run.validation is not None))
        self._due = 0.0

    def step(self, step: Step) -> None:
        """Write an epoch's row, at once or within a moment."""
        self._writer.writerow(history_row(step))
        now = time.monotonic()
        if step.status or now >= self._due:
            self._due = now + MOMENT
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._errors_told():
            self._file.write(self._waiting.getvalue())
            self._file.flush()
        self._waiting.seek(0)
        self._waiting.truncate()

    def close(self) -> None:
        """Write what waits, and let the file go."""
        try:
            self.flush()
        finally:
            with self._errors_told():
                self._file.close()

    @contextmanager
    def _errors_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise GdfitError(f"can't be written: {error.strerror}", file=str(self._path)) from None


@contextmanager
def history_file(path: Path | None, run: Run) -> Iterator[list[Watch]]:
    """What writes every epoch to the file at `path`, if there is one."""
    if path is None:
        yield []
        return
    history = HistoryFile(run, path)
    try:
        yield [history.step]
    finally:
        history.close()
