"""A Dask cluster: connected to when it is first used, and what can be wrong with it in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gdfit.data.connecting import (
    address_of,
    check_installed,
    check_versions,
    client_of,
    local_client,
    quiet,
)
from gdfit.data.data_file import Watcher
from gdfit.data.dialect import Dialect
from gdfit.data.finding import made_like
from gdfit.data.forms import UNIT_BYTES, Form, survey
from gdfit.data.gathering import Gathering, each
from gdfit.data.parts import Job, Work
from gdfit.data.source import scheme_of
from gdfit.errors import GdfitError, UsageError
from gdfit.version import __version__

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
MOST_AT_ONCE = 16  # units in a task: 64 MB
TASKS_EACH = 4  # for each worker at least, if there are so many units

Say = Callable[[str], None]


class Cluster:
    """A Dask cluster, whose workers condense data.

    Parameters
    ----------
    address : of the scheduler, ``tcp://HOST:8786`` or ``HOST:8786``; a scheduler's file,
        ``*.json``; ``local`` for workers on this machine, one for each processor, which are started
        and end with this; or a Dask client, which stays as it is.
    say : is told what there is to wait for.
    connecting : for how many seconds to try to reach the scheduler.
    patience, limit : after how many seconds without workers to say so, and to give up.
    unit_bytes : the size of the units that are condensed by themselves: see `gdfit.data.units`.
    at_once : how many of them a task takes, a power of 2; by default as it fits the workers.
    version : which gdfit the workers must have.
    """

    def __init__(
        self,
        address: str | Client,
        say: Say | None = None,
        *,
        connecting: float = 10,
        patience: float = 10,
        limit: float = 60,
        unit_bytes: int = UNIT_BYTES,
        at_once: int | None = None,
        version: str = __version__,
    ) -> None:
        self._address, self._say = address, say or (lambda message: None)
        self._connecting, self._patience, self._limit = connecting, patience, limit
        self._unit_bytes, self._at_once, self._version = unit_bytes, at_once, version
        self._stack = ExitStack()
        self._client: Client | None = None
        self._looked = self._alone_since = 0.0
        self._has_said = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client = None
        self._stack.close()

    def gather(
        self,
        files: Sequence[str],
        dialect: Dialect,
        job_for: Callable[[Form], Job],
        watcher: Watcher | None = None,
    ) -> tuple[Work, Any]:
        """What was to be done, and what the rows of all files have come to; None where there are
        none.

        job_for : what is to be made of the data whose first file has this form.

        Raises
        ------
        GdfitError : the data can't be used, or the cluster.
        """
        if not files:
            raise UsageError("there is no file to read")
        if "-" in files:
            raise UsageError("workers can't read standard input: `dask` needs files")
        client = self._connected()
        files = [self._path_there(file) for file in files]
        forms = each(client, survey, [(file, dialect) for file in files], self._look)
        for form in forms:
            if watcher and scheme_of(form.path):
                watcher.opened(form.size)
        forms = [forms[0], *(made_like(forms[0], form) for form in forms[1:])]
        work = Work(tuple(forms), dialect, job_for(forms[0]), self._unit_bytes)
        at_once = self._at_once or units_at_once(forms, self._unit_bytes, len(self._workers()))
        gathered = Gathering(client, work, at_once, watcher, self._look).result()
        if watcher:
            watcher.missed(gathered.missed)
        return work, gathered.part

    def _path_there(self, file: str) -> str:
        """The file's path, or URL, for workers, who may be in other folders than this process: in
        those, too, there may be a file that is called so."""
        is_same = self._address == LOCAL or scheme_of(file)
        return file if is_same else str(Path(file).absolute())

    def _connected(self) -> Client:
        """A client of the cluster, which has workers that have this gdfit."""
        if self._client is None:
            if isinstance(self._address, str):
                check_installed()
                self._stack.enter_context(quiet())
                started = (
                    local_client()
                    if self._address == LOCAL
                    else client_of(address_of(self._address), self._connecting)
                )
                self._client = self._stack.enter_context(started)
            else:
                self._client = self._address
            self._alone_since = time.monotonic()
            while not self._workers():
                self._look()
                time.sleep(0.05)
            check_versions(self._client, self._version)
        return self._client

    def _workers(self) -> dict[str, int]:
        """The workers' addresses, and how many threads each has."""
        assert self._client is not None
        try:
            workers: dict[str, int] = self._client.nthreads()
        except (OSError, RuntimeError):  # Dask's own errors of connections are OSErrors
            raise GdfitError("the connection to the cluster is lost") from None
        return workers

    def _look(self) -> None:
        """See whether there are workers: say if there have been none for a while, and give up."""
        now = time.monotonic()
        if self._workers():
            self._alone_since, self._has_said = now, False
            return
        alone = now - self._alone_since
        if alone > self._limit:
            raise GdfitError(
                f"the cluster has had no worker for {self._limit:g} seconds: start some with "
                "dask worker ADDRESS"
            )
        if alone > self._patience and not self._has_said:
            self._has_said = True
            self._say(
                f"the cluster has no workers; waiting for some for {self._limit:g} seconds at most"
            )


def units_at_once(forms: Sequence[Form], unit_bytes: int, workers: int) -> int:
    """How many units a task takes: few enough for all `workers` to have work."""
    units = sum(form.units(unit_bytes) for form in forms if form.is_cut)
    at_once = 1
    while 2 * at_once <= min(MOST_AT_ONCE, units // (TASKS_EACH * max(workers, 1))):
        at_once *= 2
    return at_once
