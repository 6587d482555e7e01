"""Dask's scheduler and workers as processes, for tests: always killed in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from distributed import Client

from conftest import ROOT

PLACES = [str(ROOT / "src"), str(ROOT / "tests")]  # where workers find what they are sent


class Processes:
    """A scheduler and its workers.

    file : the scheduler's file.
    workers : the workers' processes.

    Parameters
    ----------
    folder : for their files.
    failures : how many workers a task may outlive.
    """

    def __init__(self, folder: Path, failures: int = 3) -> None:
        self._surroundings = {
            "PYTHONPATH": os.pathsep.join(PLACES),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(failures),
        }
        self._folder = folder
        self._log = (folder / "log").open("wb")
        self.file = folder / "scheduler.json"
        self._common = ["--no-dashboard", "--scheduler-file", str(self.file)]
        self.workers: list[subprocess.Popen[bytes]] = []
        self._scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        wait_for(lambda: self.file.exists() and self.file.read_text().endswith("}"))

    def _start(self, kind: str, *more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *more, *self._common],
            cwd=self._folder,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, **self._surroundings},
            start_new_session=True,
        )

    @property
    def address(self) -> str:
        """The scheduler's."""
        return str(json.loads(self.file.read_text())["address"])

    def add_workers(self, count: int) -> None:
        """Start so many more workers, and wait until they are there."""
        self.workers += [
            self._start("worker", "--no-nanny", "--nthreads", "1", "--local-directory", "scratch")
            for _ in range(count)
        ]
        with self.client() as client:
            client.wait_for_workers(len(self.workers), timeout=60)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client."""
        with Client(self.address, set_as_default=False, timeout=30) as client:
            yield client

    def kill_worker(self) -> None:
        """Kill the worker that was started last."""
        worker = self.workers.pop()
        worker.kill()
        worker.wait()

    def tasks(self) -> int:
        """How many tasks the scheduler has."""
        with self.client() as client:
            count: int = client.run_on_scheduler(count_tasks)
            return count

    def close(self) -> None:
        """Kill all processes."""
        for process in [*self.workers, self._scheduler]:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._log.close()


def count_tasks(dask_scheduler: Any) -> int:
    """How many tasks a scheduler has."""
    return len(dask_scheduler.tasks)


def wait_for(ready: Any, seconds: float = 60) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)
