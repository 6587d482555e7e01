"""Progress bars, on a terminal, for what takes longer than a moment."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

MOMENT = 0.5  # seconds


class ReadingBar:
    """A bar of the bytes read of `files`, on standard error if that is a terminal."""

    def __init__(self, files: list[str]) -> None:
        sizes = [Path(file).stat().st_size if Path(file).is_file() else None for file in files]
        known = [size for size in sizes if size is not None]
        self._total = sum(known) if len(known) == len(sizes) else None
        self._before = self._position = 0  # bytes of the files before, and of this one
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._due = time.monotonic() + MOMENT if sys.stderr.isatty() else float("inf")

    def update(self, position: int) -> None:
        """Reading has come to `position` in a file; a smaller one than before is in the next."""
        if position < self._position:
            self._before += self._position
        self._position = position
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + 0.1
        if self._bar is None:
            self._start()
        assert self._bar is not None
        assert self._task is not None
        self._bar.update(self._task, completed=self._before + position)
        self._bar.refresh()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("reading"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        self._task = self._bar.add_task("reading", total=self._total)
        self._bar.start()

    def __enter__(self) -> ReadingBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
