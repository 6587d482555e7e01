"""A Dask cluster, whose workers condense data: connected to when it is first used, and what can be
wrong with it in words.

A task takes a power of 2 of units and folds its own branch of the tree; the branches are folded
here. Dask has what is lost with a worker done again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from gdfit.data.batch import Progress
from gdfit.data.reduction import workers
from gdfit.data.reduction.tree import Job, Outcome, Tree
from gdfit.data.reduction.workers import Extent, Range, Work
from gdfit.data.sources.stores import scheme_of
from gdfit.data.terms.levels import LevelError
from gdfit.data.terms.lookup import made_like
from gdfit.data.text.blocks import UNIT_BYTES, StraddledError
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError, UsageError
from gdfit.package import __version__

if TYPE_CHECKING:
    from distributed import Client

AGAIN = 0.05  # seconds after which to see whether what was lost is there again
FETCH = 2.0  # seconds in which an outcome is likely to come here
LOOK = 0.5  # seconds without news after which to look whether the cluster is still there


def itself(work: Work) -> Work:
    """The work, as a task's outcome, which is made anew if the worker that has it is lost."""
    return work


def fetched(future: Any, patience: float) -> Any:
    """What a task that was done has come to, or what is wrong with the data.

    Raises
    ------
    TimeoutError : it is not there within so many seconds. What is lost with a worker since, Dask
        does again if there are workers.
    GdfitError : something is wrong with the cluster.
    """
    if future.status in ("lost", "pending"):
        time.sleep(AGAIN)
        raise TimeoutError
    try:
        return future.result(timeout=patience)
    except TimeoutError:
        raise
    except (GdfitError, StraddledError, LevelError) as fault:
        return fault
    except Exception as found:
        error = found
    if future.status == "cancelled":
        raise GdfitError("the connection to the cluster is lost")
    if isinstance(error, MemoryError):
        raise GdfitError("a worker has not enough memory")
    if type(error).__name__ == "KilledWorker":
        raise GdfitError(
            "workers died one after the other of the same task: have they enough memory?"
        )
    what = " ".join(f"{type(error).__name__}: {error}".split())
    raise GdfitError(f"a worker of the cluster failed: {what}")


MOST_AT_ONCE = 32  # units in a task: 64 MB
TASKS_EACH = 4  # for each worker at least, if there are so many units

Arguments = Sequence[tuple[Any, ...]]


@dataclass(eq=False)
class Cluster(AbstractContextManager[Any]):
    """A Dask cluster, whose workers condense data.

    address : of the scheduler, ``tcp://HOST:8786`` or ``HOST:8786``; a scheduler's file,
        ``*.json``; ``local`` for workers on this machine, one for each processor, which are started
        and end with this; or a Dask client, which stays as it is.
    say : is told what there is to wait for.
    connecting : for how many seconds to try to reach the scheduler.
    patience, limit : after how many seconds without workers to say so, and to give up.
    unit_bytes : the size of the units that are condensed by themselves: see
        `gdfit.data.text.blocks`.
    at_once : how many of them a task takes, a power of 2; by default as it fits the workers.
    version : which gdfit the workers must have.
    """

    address: str | Client
    say: Callable[[str], None] = lambda message: None
    connecting: float = 10
    patience: float = 10
    limit: float = 60
    unit_bytes: int = UNIT_BYTES
    at_once: int | None = None
    version: str = __version__
    _stack: ExitStack = field(default_factory=ExitStack, init=False)
    _client: Any = field(default=None, init=False)
    _alone_since: float = field(default=0.0, init=False)
    _has_said: bool = field(default=False, init=False)

    def __exit__(self, *error: object) -> None:
        self._client = None
        self._stack.close()

    def reduce(
        self,
        files: Sequence[str],
        dialect: Dialect,
        job_for: Callable[[Extent], Job],
        progress: Progress | None = None,
        note: Callable[..., None] = lambda *extents: None,
    ) -> tuple[Any, Outcome]:
        """What all rows come to, and what was left out of them.

        job_for : what is to be made of the data whose first file has this extent.
        note : tells what is done with the files of these extents beyond the plain reading.

        Raises
        ------
        GdfitError : the data can't be used, for the first reason that there is in them; or the
            cluster.
        """
        if not files:
            raise UsageError("there is no file to read")
        if "-" in files:
            raise UsageError("workers can't read standard input: `dask` needs files")
        self._connect()
        # Workers may be in other folders: in those, too, there may be a file that is called so.
        here = self.address == workers.LOCAL
        paths = [file if here or scheme_of(file) else str(Path(file).absolute()) for file in files]
        extents: list[Extent] = self._each(workers.survey, [(path, dialect) for path in paths])
        for extent in extents:
            if progress and scheme_of(extent.path):
                progress.opened(extent.size)
        note(*extents)
        extents = [extents[0], *(made_like(extents[0], extent) for extent in extents[1:])]
        work = Work(tuple(extents), dialect, job_for(extents[0]), self.unit_bytes)
        at_once = self.at_once or units_at_once(extents, self.unit_bytes, len(self._workers()))
        there = self._client.submit(itself, work, pure=False)  # sent once, and not with each task
        try:
            outcome = self._folded(work, there, at_once, progress)
        except LevelError:
            self._each(workers.find_level_fault, [(there,)])
            raise GdfitError("the data changed while they were read") from None
        return work.job.result(outcome.part, None), outcome._replace(part=None)

    def _folded(self, work: Work, there: Any, at_once: int, progress: Progress | None) -> Outcome:
        """What all units come to. Files with a range that ends in quotes, or has a fault whose line
        is to be told, are read once more, each by one worker from its start."""
        tasks = [
            (file, part)
            for file, extent in enumerate(work.extents)
            for part in workers.ranges(extent, work.unit_bytes, at_once)
        ]
        trees = [Tree() for _ in work.extents]
        level, read = at_once.bit_length() - 1, 0
        done: set[int] = set()
        straddled: set[int] = set()
        faults: set[int] = set()
        real: list[int] = []  # faults but for what seems one in a range that begins in quotes
        with closing(
            self._outcomes(workers.condense, [(there, *task) for task in tasks])
        ) as outcomes:
            for number, outcome in outcomes:
                file, part = tasks[number]
                done.add(number)
                if isinstance(outcome, StraddledError):
                    straddled.add(file)
                elif isinstance(outcome, GdfitError):
                    faults.add(number)
                elif isinstance(outcome, Exception):
                    raise outcome
                else:
                    trees[file].add(part.first // at_once, outcome, level)
                    read += work.extents[file].bytes_of(part, work.unit_bytes)
                    if progress:
                        progress.progress(read)
                real = sorted(fault for fault in faults if tasks[fault][0] not in straddled)
                if real and done.issuperset(range(real[0])):
                    break
        faulty = [tasks[fault][0] for fault in real[:1]]
        again = sorted(file for file in {*straddled, *faulty} if not faulty or file <= faulty[0])
        wholes = self._each(workers.condense, [(there, file, Range()) for file in again])
        if faulty:
            raise GdfitError("the data changed while they were read")
        for file, outcome in zip(again, wholes, strict=True):
            trees[file] = Tree()
            trees[file].add(0, outcome)
        whole = Tree()
        for file, tree in enumerate(trees):
            whole.add(work.ranks[file], tree.result().of_file(work.extents[file]))
        return whole.result()

    def _each(self, function: Callable[..., Any], arguments: Arguments) -> list[Any]:
        """What the function comes to of each of the arguments.

        Raises
        ------
        GdfitError : of the first arguments for which there is an error.
        """
        found = dict(self._outcomes(function, arguments))
        outcomes = [found[number] for number in range(len(arguments))]
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return outcomes

    def _outcomes(
        self, function: Callable[..., Any], arguments: Arguments
    ) -> Generator[tuple[int, Any]]:
        """What the function comes to of each of the arguments on a worker, or the error, with the
        arguments' number, as it comes."""
        news: SimpleQueue[int] = SimpleQueue()
        futures = {
            number: self._client.submit(function, *own, pure=False)
            for number, own in enumerate(arguments)
        }
        patience = FETCH
        try:
            for number, future in futures.items():
                future.add_done_callback(lambda _, number=number: news.put(number))
            while futures:
                try:
                    number = news.get(timeout=LOOK)
                    outcome = fetched(futures[number], patience)
                except (Empty, TimeoutError) as error:
                    self._look()
                    if isinstance(error, TimeoutError):
                        news.put(number)
                        patience = min(2 * patience, self.limit)
                    continue
                del futures[number]
                yield number, outcome
        finally:
            self._client.cancel([*futures.values()])

    def _connect(self) -> None:
        """Be a client of the cluster, which has workers that have this gdfit."""
        if self._client is not None:
            return
        if isinstance(self.address, str):
            self._stack.enter_context(workers.quiet())
            started = workers.client_of(self.address, self.connecting)
            self._client = self._stack.enter_context(started)
        else:
            self._client = self.address
        self._alone_since = time.monotonic()
        while not self._workers():
            self._look()
            time.sleep(0.05)
        workers.check_versions(self._client, self.version)

    def _workers(self) -> dict[str, int]:
        """The workers' addresses, and how many threads each has."""
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
        if alone > self.limit:
            what = f"the cluster has had no worker for {self.limit:g} seconds"
            raise GdfitError(f"{what}: start some with dask worker ADDRESS")
        if alone > self.patience and not self._has_said:
            self._has_said = True
            self.say(
                f"the cluster has no workers; waiting for some for {self.limit:g} seconds at most"
            )


def units_at_once(extents: Sequence[Extent], unit_bytes: int, workers: int) -> int:
    """How many units a task takes: few enough for all `workers` to have work."""
    units = sum(extent.units(unit_bytes) for extent in extents if extent.is_cut)
    most = min(MOST_AT_ONCE, units // (TASKS_EACH * max(workers, 1)))
    return 1 << max(most.bit_length() - 1, 0)
