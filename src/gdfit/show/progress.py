"""Progress bars, on a terminal, for what takes longer than a moment."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress

    from gdfit.descent.loop import Step

MOMENT = 0.5  # seconds before a bar appears
REFRESH = 0.1  # seconds between two looks of it


class Bar(AbstractContextManager[Any]):
    """A bar on standard error, if that is a terminal: gone in the end, and out of the way of what
    else is printed after `hide`."""

    def __init__(self, what: str, total: int | None, *, in_bytes: bool = False) -> None:
        self._what, self._total, self._in_bytes = what, total, in_bytes
        self._bar: Progress | None = None
        self._due = time.monotonic() + MOMENT if sys.stderr.isatty() else float("inf")

    def __enter__(self) -> Self:
        return self

    def step(self, step: Step) -> None:
        """An epoch has been run."""
        self.update(step.epoch)

    def update(self, completed: int) -> None:
        """So much has been done: bytes, or epochs."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + REFRESH
        if self._bar is None:
            self._bar = self._new_bar()
            self._bar.start()
        (task,) = self._bar.task_ids
        self._bar.update(task, completed=completed)
        self._bar.refresh()

    def hide(self) -> None:
        """Take the bar away, until the next update."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _new_bar(self) -> Progress:
        from rich import progress
        from rich.console import Console

        counts: list[progress.ProgressColumn]
        if self._in_bytes:
            counts = [progress.DownloadColumn(), progress.TransferSpeedColumn()]
        else:
            counts = [progress.TextColumn("{task.completed:,} of {task.total:,} epochs")]
        bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            *counts,
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.add_task(self._what, total=self._total)
        return bar

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.hide()


class ReadingBar(Bar):
    """A bar of the bytes read of several files, one after the other, that counts skipped rows."""

    def __init__(self, files: list[str]) -> None:
        sizes = [Path(file).stat().st_size if Path(file).is_file() else None for file in files]
        known = [size for size in sizes if size is not None]
        total = sum(known) if len(known) == len(sizes) else None
        super().__init__("reading", total, in_bytes=True)
        self._before = self._position = 0  # bytes of the files before, and of this one
        self.rows_skipped = 0

    def progress(self, position: int) -> None:
        """Reading has come so far in a file; if not as far as before, in the next one."""
        if position < self._position:
            self._before += self._position
        self._position = position
        self.update(self._before + position)

    def skipped(self, rows: int) -> None:
        """So many rows more were skipped."""
        self.rows_skipped += rows
