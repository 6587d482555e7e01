"""Reports of a run: what standard output gets of each step and of the fit in the end, as a table,
as JSON or as CSV; and the history file, which gets every step."""

from __future__ import annotations

import csv
import io
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from heapq import merge
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from gdfit.data.observations import Observations
from gdfit.data.text.fields import WHOLE
from gdfit.data.text.spellings import dated
from gdfit.dates import iso_date
from gdfit.descent.closed_form import round_epochs
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit, history_header, history_row, losses, params_names
from gdfit.descent.run import Run
from gdfit.errors import GdfitError, printable
from gdfit.model.linear import LinearModel, to_json
from gdfit.show.tables import style, words
from gdfit.show.tables.style import SHOWN_FEATURES, Lines, NameValue, counted, exact, show
from gdfit.system import check_writable, naming_file

Callback = Callable[[Step], None]
"""A function that is told of every step as it happens."""

Shown = Callable[[int], bool]
# True for an epoch to print; the last is printed in any case.


class Report:
    """Where the steps and the fit of a run go; this one drops them.

    Parameters
    ----------
    run : what is reported of.
    shown : which epochs to print.
    before : is called before anything is printed.
    """

    MOMENT = 0.1  # seconds that rows may wait for the next ones, for speed

    def __init__(self, run: Run, shown: Shown, before: Callable[[], None]) -> None:
        self.run, self.shown, self.before = run, shown, before
        self.printed_at = -math.inf

    def step(self, step: Step) -> None:
        """Take note of an epoch: of those to be shown, and of the last one."""
        if step.status or self.shown(step.epoch):
            self.take(step)
        if time.monotonic() - self.printed_at > self.MOMENT:
            self.flush()

    def take(self, step: Step) -> None:
        """Take an epoch to be shown."""

    def flush(self) -> None:
        """Print what waits to be printed: before something else is, on standard error."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], lines: Lines = ()) -> None:
        """Show what is left to show, and `lines` of more to say."""
        self.flush()


class Prediction(NamedTuple):
    """ŷ at x, and the y observed there, where it was."""

    x: tuple[float | str, ...]
    y: float
    observed: float | None = None


def schedule(every: int | None, show: Sequence[range] | None, done: int = 0) -> Shown:
    """The epochs of a run to print: each multiple of `every`, and those in `show`, both counted on
    from those `done` before it; by default 1, 2, 3 and then 5, 10, 20, 50, 100, … of its own."""
    if every is None and show is None:
        return frozenset(islice(round_epochs(), 100)).__contains__
    shown = [*(show or ()), range(0, WHOLE, every or WHOLE)]
    return lambda epoch: any(done + epoch in epochs for epochs in shown)


def scheduled(every: int | None, show: Sequence[range] | None, done: int = 0) -> Iterator[int]:
    """The epochs of `schedule` one after the other, perhaps without end."""
    if every is None and show is None:
        return round_epochs()
    epochs = merge(*(show or ()), count(every, every) if every else ())
    return (epoch - done for epoch in epochs if epoch > done)


def listed(predictions: Iterable[Prediction]) -> list[dict[str, object]]:
    """Predictions as JSON has them."""
    return [{"x": list(at.x), "y": at.y} for at in predictions]


def predictions(fit: Fit, inputs: Sequence[Sequence[float | str]]) -> list[Prediction]:
    """ŷ at `inputs`; where there are none, at the last observation."""
    if inputs:
        return [Prediction(tuple(values), fit.model.at_inputs(values)) for values in inputs]
    if not len(fit.observations.last):  # which a condensed file without rows does not tell
        return []
    values, observed = fit.observations.last_values
    return [Prediction(tuple(values), fit.model.at_inputs(values), observed)]


def no_op() -> None:
    """Nothing: for `before`, where nothing is to be done before something is printed."""


RULE = "loss and grad: before the step; params: after it"
LESS = "params, which count less: --format csv, --history and JSON have all"
BATCHES = "loss and grad: means of the batches; params: after them"


class TableReport(Report):
    """A Rich table of shown epochs, its rows printed as they come, and a summary.

    Rows that come within a moment of one another are printed together, for speed. On a terminal,
    `before` is called before that.
    """

    def __init__(
        self, run: Run, shown: Shown, before: Callable[[], None], form: str = "table"
    ) -> None:
        self.console = style.stdout_console(form)
        super().__init__(run, shown, before if self.console.is_terminal else no_op)
        # A line that fills the last column makes some terminals begin another one.
        width = style.width_of(self.console)
        self.layout = style.table_layout(run, width - 1, whole_names=not self.console.is_terminal)
        self.remarks = [BATCHES if run.settings.batch_size else RULE]
        features = len(run.observations.features)
        if features > SHOWN_FEATURES:
            most = f"the {SHOWN_FEATURES} of {features} features most correlated with the target"
            self.remarks.append(most)
        self.console.print(f" {words.subject(run, words.chosen_settings(run), width - 2)}")
        for line in words.steps_on(run):
            self.console.print(f" {line}")
        self.console.line()
        self.pending: list[Step] = []
        self.headed = self.is_there = False

    def take(self, step: Step) -> None:
        """Show an epoch; of those at the minimum, where all rows are the same, the first and the
        last."""
        if self.is_there and not step.status:
            return
        self.pending.append(self.run.as_shown(step))
        curvature = self.run.curvature
        if curvature and not self.is_there and curvature.is_minimum(step.before):
            self.flush()
            self.is_there = True
            self.say_it_is_there()

    def say_it_is_there(self) -> None:
        """Say that this row is at the minimum."""
        self.console.print(" at the minimum, but for rounding", style="dim")

    def flush(self) -> None:
        """Print the rows that wait, under a header if they are the first."""
        if not self.pending:
            return
        self.before()
        if not self.headed:  # the columns' names, what is to be known of them, and a line
            self.headed = True
            show(self.console, self.layout.table([], show_header=True))
            for remark in self.remarks:
                self.console.print(f" {remark}", style="dim")
            self.console.print("─" * self.layout.width, crop=False)
        elif self.layout.is_tall:
            self.console.line()
        show(self.console, self.layout.table(self.pending))
        self.pending.clear()
        self.printed_at = time.monotonic()

    def end(self, fit: Fit, predictions: Sequence[Prediction], lines: Lines = ()) -> None:
        self.flush()
        self.before()
        self.console.line()
        name_width = style.NAME_WIDTH if self.console.is_terminal else style.PIPE
        places = style.leading(fit.observations, np.array(fit.model.params))
        params = params_lines(fit.model, places, LESS, name_width)
        found = [*params, *words.at_first_date(fit), *result_lines(fit)]
        for at in predictions if fit.status != "diverged" else ():
            observed = (
                "" if at.observed is None else f" (observed: {observed_text(fit, at.observed)})"
            )
            value = f"{fit.model.answer} = {exact(at.y)}"
            found.append(
                (
                    "prediction",
                    f"{value} at {inputs_text(fit.observations, fit.model.inputs, at.x)}{observed}",
                )
            )
        show(self.console, style.key_values([*found, *lines]))


class MarkupReport(TableReport):
    """The same for documents: all rows in one table, what is to be known of them, and the summary
    without what to type next."""

    def say_it_is_there(self) -> None:
        epoch = self.pending[-1].epoch
        self.remarks.append(f"from epoch {epoch:,} on at the minimum, but for rounding")

    def flush(self) -> None:
        """Nothing: all rows are to be in one table."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], lines: Lines = ()) -> None:
        show(self.console, self.layout.table(self.pending, show_header=True))
        self.console.print(*self.remarks)
        super().end(fit, predictions)


def result_lines(fit: Fit) -> list[NameValue]:
    """The quality of a fit, how it ended and how far it is to go."""
    lines = [("loss", exact(fit.loss))]
    if fit.validation_loss is not None:
        lines.append(("validation", f"{exact(fit.validation_loss)} is the loss on held-out data"))
    if isinstance(cv := fit.model.facts.get("cv"), Mapping):
        told = f"{exact(cv['mean'])} ± {style.short(cv['std_error'])}"
        lines.append(("cv", f"{told} is the mean loss on {cv['folds']} folds held out"))
    if fit.settings.l1:
        weights = counted(len(fit.model.w), "weight")
        lines.append(("nonzero", f"{fit.model.facts['nonzero']} of {weights}"))
    lines += [*quality_lines(fit), ("ended", words.ending(fit))]
    curvature = fit.curvature
    if fit.minimum_loss is not None and fit.status != "diverged":
        lines.append(("minimum", words.minimum(fit, fit.minimum_loss)))
    if curvature and fit.settings.is_steady and not fit.arrived and fit.status != "diverged":
        lines.append(("to go", words.to_go(fit, curvature)))
    return lines


def quality_lines(fit: Fit) -> Iterator[NameValue]:
    """R², or of classes how well they are told apart."""
    facts, classes = fit.model.facts, fit.model.classes
    if classes is None and "pseudo_r_squared" in facts:
        part = cast(float, facts["pseudo_r_squared"])
        gone = f"{exact(part)} of the loss of a constant is gone"
        yield "R¹", style.r_squared_text(part) if math.isnan(part) else gone
        return
    if classes is None:
        if not fit.model.link.symbol:  # R² is of a line
            yield "R²", style.r_squared_text(fit.r_squared, intercept=fit.model.intercept)
        return
    accuracy, baseline, pseudo = (
        float(cast(float, facts[name]))
        for name in ("accuracy", "baseline_accuracy", "pseudo_r_squared")
    )
    yield "accuracy", f"{accuracy:.6g}; always guessing the commoner class, {baseline:.6g}"
    told = (
        "none: there is one class alone" if math.isnan(pseudo) else f"{exact(pseudo)} (McFadden's)"
    )
    yield "R²", told


def observed_text(fit: Fit, y: float) -> str:
    """What was observed: a number, or a class."""
    classes = fit.model.classes
    return printable(classes.names[int(y)]) if classes else exact(y)


def params_lines(
    model: LinearModel, places: Sequence[int], others: str, width: int = style.PIPE
) -> list[NameValue]:
    """The weights at these places and b, each under its name, in a `width` at most; and where there
    are more, how many, and what is to be said of the `others`."""
    names, params = params_names(model.features), model.params
    lines = [
        (style.shortened(printable(names[place]), width), exact(params[place]))
        for place in (*places, -1)
    ]
    if left_out := len(names) - len(lines):
        lines.append(("…", f"and {left_out} more {others}"))
    return lines


def inputs_text(data: Observations, names: Sequence[str], x: Sequence[float | str]) -> str:
    """The inputs of a prediction, or the first of many; dates as such."""
    dates = dated(data.spellings)
    told = [
        printable(str(value))
        if not isinstance(value, float)
        else iso_date(value)
        if name in dates
        else exact(value)
        for name, value in zip(names, x, strict=True)
    ]
    if len(x) == 1:
        return told[0]
    if len(x) > SHOWN_FEATURES:
        told = [*told[:3], f"… {len(x)} in all"]
    return f"({', '.join(told)})"


class QuietReport(Report):
    """The params alone, on one line: ``w… b``."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], lines: Lines = ()) -> None:
        print(*fit.model.params, flush=True)


class JsonReport(Report):
    """One JSON object in the end, with the shown steps as its history."""

    def __init__(self, run: Run, shown: Shown, before: Callable[[], None]) -> None:
        super().__init__(run, shown, before)
        self.history: list[dict[str, object]] = []

    def take(self, step: Step) -> None:
        step = self.run.as_shown(step)
        measured = dict(zip(("loss", "validation_loss"), losses(step), strict=False))
        params, grad = step.params.tolist(), step.grad.tolist()
        self.history.append({"epoch": step.epoch, **measured, "params": params, "grad": grad})

    def end(self, fit: Fit, predictions: Sequence[Prediction], lines: Lines = ()) -> None:
        more = {"predictions": listed(predictions), "history": self.history}
        print(to_json({**fit.model.record, **more}), flush=True)


class CsvReport(Report):
    """Shown epochs as CSV, each on its way within a moment; `before` is called before any is
    printed on a terminal."""

    def __init__(self, run: Run, shown: Shown, before: Callable[[], None]) -> None:
        super().__init__(run, shown, before if sys.stdout.isatty() else no_op)
        self.writer = csv.writer(sys.stdout, lineterminator="\n")
        self.writer.writerow(history_header(run.observations.features, run.validation is not None))

    def take(self, step: Step) -> None:
        self.before()
        self.writer.writerow(history_row(self.run.as_shown(step)))

    def flush(self) -> None:
        """Send on what is written."""
        sys.stdout.flush()
        self.printed_at = time.monotonic()


# By the name of what standard output gets.
REPORTS: dict[str, Callable[[Run, Shown, Callable[[], None]], Report]] = {
    "table": TableReport,
    "markdown": partial(MarkupReport, form="markdown"),
    "latex": partial(MarkupReport, form="latex"),
    "json": JsonReport,
    "csv": CsvReport,
    "quiet": QuietReport,
}


@contextmanager
def history_file(path: Path | None, run: Run) -> Iterator[list[Callback]]:
    """The callback that writes every epoch's row to the CSV file at `path`, if there is one: whole
    rows, each at once or within a moment, so that ``tail -f`` follows it, and what was written
    stays however the run ends."""
    if path is None:
        yield []
        return
    check_writable(path)
    with naming_file(path):
        file = path.open("w", encoding="utf-8", newline="\n")
    waiting = io.StringIO()
    writer = csv.writer(waiting, lineterminator="\n")
    writer.writerow(history_header(run.observations.features, run.validation is not None))
    due = 0.0

    def flush() -> None:
        rows = waiting.getvalue()
        waiting.seek(0)
        waiting.truncate()  # what can't be written is not written again
        try:
            with naming_file(path):
                file.write(rows)
                file.flush()
        except GdfitError:
            if path.is_file() and not path.stat().st_size:  # there was no room for a row
                path.unlink()
            raise

    def step(step: Step) -> None:
        nonlocal due
        writer.writerow(history_row(run.as_shown(step)))
        now = time.monotonic()
        if step.status or now >= due:
            due = now + Report.MOMENT
            flush()

    try:
        yield [step]
    finally:
        try:
            flush()
        finally:
            with naming_file(path):
                file.close()
