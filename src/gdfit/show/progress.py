"""Progress bars, on a terminal, for what takes longer than a moment."""

from __future__ import annotations

import math
import os
import sys
import time
from typing import TYPE_CHECKING, Self

from gdfit.data.sources.source import size_at

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

    from gdfit.arrays import FloatArray
    from gdfit.data.batch import Rows
    from gdfit.descent.loop import Step

MOMENT = 0.5  # seconds before a bar appears, and before it comes back after it was hidden
REFRESH = 0.1  # seconds between two looks of it


class Bar:
    """A bar on standard error, if that is a terminal: gone in the end, and out of the way of what
    else is printed after `hide`.

    Without a `total`, it shows that something happens, and how much has been done. A terminal that
    gets the data itself, `form` csv, gets no bar between them.
    """

    def __init__(self, what: str, total: float | None, form: str = "table") -> None:
        self._what, self.total = what, total
        self._bar: Progress | None = None
        wanted = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        wanted &= not (form == "csv" and sys.stdout.isatty())
        self._moment = MOMENT if wanted else math.inf
        self._due = time.monotonic() + self._moment

    def __enter__(self) -> Self:
        return self

    def update(self, completed: float) -> None:
        """So much has been done."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + REFRESH
        if self._bar is None:
            self._bar = self._new_bar()
        self._bar.start()  # again, where it was hidden
        (task,) = self._bar.task_ids
        self._bar.update(task, completed=completed, told=self.told(completed))
        self._bar.refresh()

    def hide(self) -> None:
        """Take the bar away, for a moment."""
        if self._bar is not None and self._bar.live.is_started:
            self._bar.stop()
            self._due = time.monotonic() + self._moment

    def told(self, completed: float) -> str:
        """The words beside the bar."""
        return ""

    def counts(self) -> list[ProgressColumn]:
        """The columns beside the bar: by default, what is `told`."""
        from rich.progress import TextColumn

        return [TextColumn("{task.fields[told]}")]

    def _new_bar(self) -> Progress:
        from rich import progress
        from rich.console import Console

        console = Console(stderr=True)
        bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(bar_width=max(10, min(40, console.width - len(self._what) - 52))),
            *self.counts(),
            progress.TimeElapsedColumn() if self.total is None else progress.TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.add_task(self._what, total=self.total, told="")
        return bar

    def __exit__(self, *error: object) -> None:
        self.hide()
        self._due = math.inf


class ReadingBar(Bar):
    """A bar of the bytes read of several files, one after the other, that counts the rows
    that miss a field."""

    def __init__(self, files: list[str], form: str = "table") -> None:
        sizes = [size_at(file) for file in files]
        self._known = sum(size for size in sizes if size is not None)
        self._unknown = sizes.count(None)  # how many files' sizes are not known
        super().__init__("reading", None if self._unknown else self._known, form)
        self._before = self._position = 0  # bytes of the files before, and of this one
        self.rows_missed = 0
        self.remarks: dict[str, None] = {}  # on the files, each once

    def counts(self) -> list[ProgressColumn]:
        from rich import progress

        done = progress.FileSizeColumn() if self.total is None else progress.DownloadColumn()
        return [done, progress.TransferSpeedColumn()]

    def opened(self, size: int | None) -> None:
        """A file that is not on this machine has been opened: so many bytes, if that is known."""
        if size is not None:
            self._known, self._unknown = self._known + size, self._unknown - 1
            if not self._unknown and not self._bar:
                self.total = self._known

    def progress(self, position: int) -> None:
        """Reading has come so far in a file; if not as far as before, in the next one."""
        if position < self._position:
            self._before += self._position
        self._position = position
        self.update(self._before + position)

    def missed(self, rows: int) -> None:
        """So many rows more have a missing field."""
        self.rows_missed += rows

    def noted(self, remark: str) -> None:
        """What has been done with a file beyond the plain reading."""
        self.remarks[remark] = None


class TrainingBar(Bar):
    """A bar of the epochs of `runs` runs, one after the other, of at most so many `epochs` each.

    Where epochs take long, it moves in between, as rows that it has `counted` are gone through.
    """

    def __init__(
        self, epochs: int, runs: int = 1, what: str = "training", form: str = "table"
    ) -> None:
        super().__init__(what, epochs * runs, form)
        self._epochs, self._runs = epochs, runs
        self._ended = 0  # runs
        self._epoch = 0  # of the run that goes on
        self._rows = 0  # gone through in this epoch
        self._digits = 0  # of the number of epochs that is told

    def step(self, step: Step) -> None:
        """An epoch has been run; if it has a status, it was the last of its run."""
        self._epoch, self._rows = step.epoch, 0
        if step.status:
            self._ended, self._epoch = self._ended + 1, 0
        else:
            self.update(self._ended * self._epochs + self._epoch)

    def counted(self, rows: Rows) -> Rows:
        """`rows`, counted as they are gone through."""
        self._digits = 1

        def count(block: FloatArray) -> FloatArray:
            self._rows += len(block)
            part = min(self._rows / rows.count, 1.0)
            self.update(self._ended * self._epochs + self._epoch + part)
            return block

        return rows.changed(count)

    def told(self, completed: float) -> str:
        run = f"run {self._ended + 1:,} of {self._runs:,}: " if self._runs > 1 else ""
        epoch = completed - self._ended * self._epochs
        return f"{run}{epoch:,.{self._digits}f} of {self._epochs:,} epochs"
