"""A Dask cluster, whose workers condense data: connected to when it is first used, and what can be
wrong with it in words.

A task takes a power of 2 of units and folds its own branch of the tree; the branches are folded
here. Dask has what is lost with a worker done again.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from gdfit.data.data_file import DataFile, Progress
from gdfit.data.reduction.tree import (
    Job,
    Leaf,
    Outcome,
    Spot,
    Tree,
    outcome_of,
    ranks,
    reduce_files,
)
from gdfit.data.reduction.units import Extent, Range, opened_range, ranges, survey
from gdfit.data.sources.stored import scheme_of
from gdfit.data.terms.levels import LevelError
from gdfit.data.terms.lookup import made_like
from gdfit.data.text.blocks import count_lines
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.units import UNIT_BYTES, StraddledError
from gdfit.errors import GdfitError, UsageError, listing
from gdfit.memory import keep_blocks
from gdfit.version import __version__

if TYPE_CHECKING:
    from distributed import Client

SILENT = logging.CRITICAL + 1
AGAIN = 0.05  # seconds after which to see whether what was lost is there again
LOOK = 0.5  # seconds without news after which to look whether the cluster is still there


@dataclass(frozen=True)
class Work:
    """All that workers have to know.

    extents : of the files, as they were given.
    dialect : how they are written.
    job : what is to be made of them.
    unit_bytes : the size of a unit.
    ranks : of each file, its place among the files in the order of their names.
    """

    extents: tuple[Extent, ...]
    dialect: Dialect
    job: Job
    unit_bytes: int
    ranks: list[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranks", ranks([extent.name for extent in self.extents]))


class Task(NamedTuple):
    """Units to condense: those in `range` of a file, the number of whose first line may be
    known."""

    file: int
    range: Range
    line: int | None = None


class SomewhereError(Exception):
    """There is an error in a range of whose lines the numbers are not known."""


def condense(work: Work, task: Task) -> Outcome:
    """What a task's units come to.

    Raises
    ------
    GdfitError : the data can't be used.
    SomewhereError : so it is, and the line can't be said.
    StraddledError, LevelError : see `opened_range` and `Levels`.
    """
    keep_blocks()
    extent, rank = work.extents[task.file], work.ranks[task.file]
    line = extent.layout.line if task.range.first == 0 else task.line
    how = (work.dialect, task.range, work.unit_bytes, line or 1)
    tree = Tree()
    try:
        with opened_range(extent, *how) as (file, units):
            maker = work.job.recipe.maker(file)
            for unit in units:
                leaf = Leaf(file, maker, unit, Spot(rank, task.file, unit.number))
                tree.add(unit.number, outcome_of(work.job, leaf))
    except GdfitError:
        if line is None and extent.groups is None:  # Parquet's rows have numbers of their own
            raise SomewhereError from None
        raise
    return tree.result()


def count_range_lines(work: Work, task: Task) -> int:
    """How many lines end in a task's units."""
    extent = work.extents[task.file]
    with opened_range(extent, work.dialect, task.range, work.unit_bytes) as (_, units):
        return sum(count_lines(unit.content.raw) for unit in units)


def find_level_fault(work: Work) -> None:
    """Read all files in their order, as one machine does, up to the row with one level too many.

    Raises
    ------
    GdfitError : for that row.
    """

    def files() -> Iterator[DataFile]:
        for extent in work.extents:
            with opened_range(extent, work.dialect, Range(), work.unit_bytes) as (file, _):
                yield file

    names = [extent.name for extent in work.extents]
    reduce_files(files(), work.job, names, work.job.keeper())


def itself(work: Work) -> Work:
    """The work, as a task's outcome, which is made anew if the worker that has it is lost."""
    return work


def as_error(error: Exception) -> Exception:
    """The error as a person is told it."""
    if isinstance(error, GdfitError | SomewhereError | StraddledError | LevelError):
        return error
    if isinstance(error, MemoryError):
        return GdfitError("a worker has not enough memory")
    if type(error).__name__ == "KilledWorker":
        return GdfitError(
            "workers died one after the other of the same task: have they enough memory?"
        )
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return GdfitError(f"a worker of the cluster failed: {what}")


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

    def reduce(
        self,
        files: Sequence[str],
        dialect: Dialect,
        job_for: Callable[[Extent], Job],
        progress: Progress | None = None,
    ) -> tuple[Job, Outcome]:
        """What all rows come to, and by which job.

        job_for : what is to be made of the data whose first file has this extent.

        Raises
        ------
        GdfitError : the data can't be used, for the first reason that there is in them; or the
            cluster.
        """
        if not files:
            raise UsageError("there is no file to read")
        if "-" in files:
            raise UsageError("workers can't read standard input: `dask` needs files")
        self._connected()
        paths = [self._path_there(file) for file in files]
        extents: list[Extent] = self._each(survey, [(path, dialect) for path in paths])
        for extent in extents:
            if progress and scheme_of(extent.path):
                progress.opened(extent.size)
        extents = [extents[0], *(made_like(extents[0], extent) for extent in extents[1:])]
        work = Work(tuple(extents), dialect, job_for(extents[0]), self._unit_bytes)
        at_once = self._at_once or units_at_once(extents, self._unit_bytes, len(self._workers()))
        assert self._client is not None
        there = self._client.submit(itself, work, pure=False)  # sent once, and not with each task
        try:
            outcome = self._folded(work, there, at_once, progress)
        except LevelError:
            raise self._expected(find_level_fault, there) from None
        return work.job, outcome

    def _folded(self, work: Work, there: Any, at_once: int, progress: Progress | None) -> Outcome:
        """What all units come to: those of files whose ranges end in quotes are read from the
        file's start, once all else is read."""
        tasks = [
            Task(file, part)
            for file, extent in enumerate(work.extents)
            for part in ranges(extent, work.unit_bytes, at_once)
        ]
        trees = [Tree() for _ in work.extents]
        level, read = at_once.bit_length() - 1, 0
        straddled: set[int] = set()
        faults: dict[int, Exception] = {}
        done: set[int] = set()
        first: int | None = (
            None  # fault, once there can't be one before it but in what is straddled
        )
        with closing(self._outcomes(condense, [(there, task) for task in tasks])) as outcomes:
            for number, outcome in outcomes:
                task = tasks[number]
                done.add(number)
                if isinstance(outcome, StraddledError):
                    straddled.add(task.file)
                elif isinstance(outcome, GdfitError | SomewhereError):
                    faults[number] = outcome
                elif isinstance(outcome, Exception):
                    raise outcome
                else:
                    trees[task.file].add(task.range.first // at_once, outcome, level)
                    read += work.extents[task.file].bytes_of(task.range, work.unit_bytes)
                    if progress:
                        progress.progress(read)
                real = [fault for fault in faults if tasks[fault].file not in straddled]
                if real and done.issuperset(range(min(real))):
                    first = min(real)
                    break
        before = len(work.extents) if first is None else tasks[first].file
        again = [Task(file, Range()) for file in sorted(straddled) if file < before]
        wholes = self._each(condense, [(there, task) for task in again])
        if first is not None:
            raise self._fault(work, there, tasks, first, faults[first])
        for task, outcome in zip(again, wholes, strict=True):
            trees[task.file] = Tree()
            trees[task.file].add(0, outcome)
        whole = Tree()
        for file, tree in enumerate(trees):
            whole.add(work.ranks[file], tree.result())
        return whole.result()

    def _fault(
        self, work: Work, there: Any, tasks: Sequence[Task], number: int, error: Exception
    ) -> Exception:
        """The fault in a task, with its line in the file."""
        if not isinstance(error, SomewhereError):
            return error
        task = tasks[number]
        above = [(there, other) for other in tasks[:number] if other.file == task.file]
        line = work.extents[task.file].layout.line + sum(self._each(count_range_lines, above))
        return self._expected(condense, there, task._replace(line=line))

    def _expected(self, function: Callable[..., Any], there: Any, *more: Any) -> GdfitError:
        """The error that reading the data again comes to."""
        try:
            self._each(function, [(there, *more)])
        except GdfitError as error:
            return error
        return GdfitError("the data changed while they were read")

    def _each(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> list[Any]:
        """What the function comes to of each of the arguments.

        Raises
        ------
        GdfitError : of the first arguments for which there is an error.
        """
        found = dict(self._outcomes(function, arguments))
        for number in range(len(arguments)):
            if isinstance(found[number], Exception):
                raise found[number]
        return [found[number] for number in range(len(arguments))]

    def _outcomes(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> Generator[tuple[int, Any]]:
        """What the function comes to of each of the arguments on a worker, or the error, with the
        arguments' number, as it comes."""
        assert self._client is not None
        news: SimpleQueue[int] = SimpleQueue()
        futures = {
            number: self._client.submit(function, *own, pure=False)
            for number, own in enumerate(arguments)
        }
        try:
            for number, future in futures.items():
                future.add_done_callback(lambda _, number=number: news.put(number))
            while futures:
                try:
                    number = news.get(timeout=LOOK)
                except Empty:
                    self._look()
                    continue
                yield number, self._outcome(futures.pop(number))
        finally:
            self._client.cancel([*futures.values()])

    def _outcome(self, future: Any) -> Any:
        """What a task that was done has come to, or its error. What is lost with a worker since is
        done again by Dask, if there are workers."""
        while future.status in ("lost", "pending"):
            self._look()
            time.sleep(AGAIN)
        if future.status == "cancelled":
            return GdfitError("the connection to the cluster is lost")
        return as_error(future.exception()) if future.status == "error" else future.result()

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


def units_at_once(extents: Sequence[Extent], unit_bytes: int, workers: int) -> int:
    """How many units a task takes: few enough for all `workers` to have work."""
    units = sum(extent.units(unit_bytes) for extent in extents if extent.is_cut)
    at_once = 1
    while 2 * at_once <= min(MOST_AT_ONCE, units // (TASKS_EACH * max(workers, 1))):
        at_once *= 2
    return at_once
