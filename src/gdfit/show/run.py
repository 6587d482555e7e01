"""What a run shows on standard output besides the table, and its history file."""

from __future__ import annotations

import csv
import math
import sys
import time
from collections.abc import Callable, Sequence

from gdfit.descent.fit import Fit, Run
from gdfit.descent.history import header, losses, row
from gdfit.descent.loop import Step
from gdfit.model.linear import to_json
from gdfit.show.report import NewReport, Prediction, Shown, listed, nothing
from gdfit.show.table import TableReport


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
        self.writer.writerow(header(run.observations.features, run.validation is not None))
        self.flushed_at = -math.inf

    def step(self, step: Step) -> None:
        if step.status or self.shown(step.epoch):
            self.before()
            self.writer.writerow(row(step))
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
