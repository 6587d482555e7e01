"""Connections to Dask: to a scheduler that is there, or to one that is started on this machine.

A Dask cluster: connected to when it is first used, and what can be wrong with it in words."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gdfit.data.data_file import Watcher
from gdfit.data.reduction.gathering import Gathering, each
from gdfit.data.reduction.parts import Job, Work
from gdfit.data.reduction.units import UNIT_BYTES, Form, survey
from gdfit.data.sources.stored import scheme_of
from gdfit.data.terms.lookup import made_like
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError, UsageError, listing
from gdfit.version import __version__

if TYPE_CHECKING:
    from distributed import Client

SILENT = logging.CRITICAL + 1


def check_installed() -> None:
    """Say what to type where Dask is not installed."""
    if find_spec("distributed") is None:
        raise GdfitError("`dask` needs Dask: pip install 'gdfit[dask]'")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Dask from writing to standard error: what is wrong is said in words of our own."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(SILENT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def address_of(address: str) -> str:
    """The scheduler's address, which may be in a scheduler's file."""
    if not address.endswith(".json"):
        return address
    try:
        record = json.loads(Path(address).read_text())
        return str(record["address"])
    except FileNotFoundError:
        raise GdfitError("no such file (dask scheduler writes it)", file=address) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise GdfitError("is no file of a Dask scheduler", file=address) from None


@contextmanager
def client_of(address: str, timeout: float) -> Iterator[Client]:
    """A client of the scheduler at this address, closed in the end.

    Raises
    ------
    GdfitError : there is no scheduler within `timeout` seconds, or no key to speak to it.
    """
    from distributed import Client
    from distributed.security import Security

    # Dask fails by a TypeError, after which its client takes 20 seconds to end.
    if address.startswith("tls://") and not Security().get_connection_args("client")["ssl_context"]:
        raise GdfitError(
            f"{address} needs TLS, and Dask's settings here (distributed.comm.tls) name no key"
        )
    try:
        client = Client(address, timeout=timeout, set_as_default=False, name="gdfit")
    except (OSError, ValueError, ImportError):
        raise GdfitError(
            f"there is no Dask scheduler at {address}: start one with dask scheduler, and name its "
            "address in `dask`"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=2)


@contextmanager
def local_client(timeout: float = 60) -> Iterator[Client]:
    """A client of workers on this machine, one for each processor, which end with it.

    They are in a session of their own, so that Ctrl-C is not theirs, and are killed in the end,
    whatever they are doing. Should this process be killed, they end by themselves after a while.
    """
    with tempfile.TemporaryDirectory(prefix="gdfit-", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "scheduler.json")
        both = ["--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1"]
        number = ["--nworkers", str(os.cpu_count() or 1), "--nthreads", "1"]
        settings = {
            "DASK_TEMPORARY_DIRECTORY": folder,
            "DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT": "60s",
        }
        with (
            process("dask_scheduler", [*both, "--port", "0"], settings),
            process("dask_worker", [*both, *number, "--death-timeout", "60"], settings),
            client_of(awaited_address(str(file), timeout), timeout) as client,
        ):
            yield client


def awaited_address(file: str, timeout: float) -> str:
    """The address in a scheduler's file that is still to be written, or that is being written."""
    give_up = time.monotonic() + timeout
    while True:
        try:
            return address_of(file)
        except GdfitError:
            if time.monotonic() > give_up:
                raise GdfitError("Dask's scheduler does not start on this machine") from None
        time.sleep(0.02)


@contextmanager
def process(command: str, arguments: list[str], settings: dict[str, str]) -> Iterator[None]:
    """One of Dask's commands as a process that is killed in the end, with all that it has
    started."""
    import psutil

    started = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{command}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **settings},
    )
    try:
        yield
    finally:
        children = psutil.Process(started.pid).children(recursive=True)
        started.kill()  # first, so that it starts none of them again
        started.wait()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def check_versions(client: Any, version: str) -> None:
    """Raise where workers have another gdfit, or none."""
    found = client.run(resolve_name, "gdfit:__version__", on_error="return")
    without = [name for name, other in found.items() if not isinstance(other, str)]
    if without:
        raise GdfitError(
            f"there is no gdfit on {len(without)} of {len(found)} workers: "
            f"{listing(tuple(without), 3)}"
        )
    others = [f"{name} has {other}" for name, other in found.items() if other != version]
    if others:
        raise GdfitError(
            f"this is gdfit {version}, and of {len(found)} workers {listing(tuple(others), 3)}: "
            "install the same everywhere"
        )


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
    unit_bytes : the size of the units that are condensed by themselves: see
        `gdfit.data.reduction.units`.
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
