"""Every epoch's row in a CSV file, written as it happens: ``tail -f`` follows it, and what was
written stays however the run ends."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gdfit.descent.fit import Run
from gdfit.descent.history import header, row
from gdfit.descent.loop import Step
from gdfit.errors import GdfitError
from gdfit.files import check_writable
from gdfit.show.report import Watch

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
        self._writer.writerow(header(run.observations.features, run.validation is not None))
        self._due = 0.0

    def step(self, step: Step) -> None:
        """Write an epoch's row, at once or within a moment."""
        self._writer.writerow(row(step))
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
