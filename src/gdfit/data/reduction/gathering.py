"""The client's side of condensing data on a cluster: what is to be done next, and what went wrong.

A client here is anything with Dask's `submit`, whose futures call back when they are done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from queue import Empty, SimpleQueue
from time import sleep
from typing import Any, Generic, NamedTuple, TypeVar

from gdfit.data.data_file import Watcher
from gdfit.data.reduction.parts import (
    Gathered,
    SomewhereError,
    Task,
    Work,
    condense,
    count_lines_of,
    find_level_fault,
    fold,
)
from gdfit.data.reduction.units import Range, StraddledError, ranges
from gdfit.data.terms.levels import LevelError
from gdfit.errors import GdfitError

AT_ONCE = 8  # how many parts are folded by one task: a power of 2
AGAIN = 0.05  # seconds after which to see whether what was lost is there again
LOOK = 0.5  # seconds without news after which to look whether the cluster is still there
Item = TypeVar("Item")
Look = Callable[[], None]


class Node(NamedTuple):
    """A task's place: in the tree of a file, or where there is no `file`, in that of all files.

    level, number : in the tree; the leaves are on level 0.
    """

    file: int | None
    level: int
    number: int


class Tree(Generic[Item]):
    """What is to be folded next, of `count` leaves: up to `AT_ONCE` neighbours."""

    def __init__(self, count: int) -> None:
        self._counts = [count]
        while self._counts[-1] > 1:
            self._counts.append(ceil(self._counts[-1] / AT_ONCE))
        self._waiting: dict[tuple[int, int], dict[int, Item]] = {}

    def is_root(self, level: int) -> bool:
        """Whether this is the level of the root."""
        return level == len(self._counts) - 1

    def take(self, level: int, index: int, item: Item) -> list[Item] | None:
        """Take in what a node has become; it and its neighbours, in their order, once they are
        complete: the children of the node above it, which has the number index // `AT_ONCE`."""
        above = index // AT_ONCE
        waiting = self._waiting.setdefault((level, above), {})
        waiting[index] = item
        if len(waiting) < min(AT_ONCE, self._counts[level] - above * AT_ONCE):
            return None
        del self._waiting[level, above]
        return [waiting[number] for number in sorted(waiting)]


class Gathering:
    """Has the tasks of some `work` done, and what they come to folded.

    Parameters
    ----------
    client : of the cluster.
    at_once : how many units a task takes: a power of 2.
    watcher : is told how many bytes have been read.
    look : raises if the cluster is not there any more.
    """

    def __init__(
        self, client: Any, work: Work, at_once: int, watcher: Watcher | None, look: Look
    ) -> None:
        self._client, self._work, self._watcher, self._look = client, work, watcher, look
        self._told = client.submit(itself, work, pure=False)  # sent once, and not with each task
        self._news: SimpleQueue[tuple[Node, Any]] = SimpleQueue()
        self._running: dict[Node, Any] = {}
        self._ranges = [ranges(form, work.unit_bytes, at_once) for form in work.forms]
        self._files: Tree[Any] = Tree(len(work.forms))
        self._trees: list[Tree[Any]] = [Tree(len(parts)) for parts in self._ranges]
        self._faults: dict[tuple[int, int], Exception] = {}
        self._read = [0] * len(work.forms)  # bytes of each file
        self._root: Any = None

    def result(self) -> Gathered:
        """What all of the data has come to.

        Raises
        ------
        GdfitError : the data can't be used, for the first reason that there is in it; or the
            cluster.
        """
        try:
            for file in range(len(self._ranges)):
                self._begin(file)
            while self._root is None:
                try:
                    node, future = self._news.get(timeout=LOOK)
                except Empty:
                    self._look()
                    continue
                if self._running.get(node) is future:
                    del self._running[node]
                    self._take(node, future)
            root: Gathered = outcome(self._root, self._look)
            return root
        finally:
            self._client.cancel([*self._running.values()])

    def _begin(self, file: int) -> None:
        for index in range(len(self._ranges[file])):
            self._submit(Node(file, 0, index), condense, self._told, self._task(file, index))

    def _task(self, file: int, index: int, line: int | None = None) -> Task:
        return Task(file, self._ranges[file][index], line)

    def _submit(self, node: Node, function: Callable[..., Any], *arguments: Any) -> None:
        future = self._client.submit(function, *arguments, pure=False, priority=node.level)
        self._running[node] = future
        future.add_done_callback(lambda done: self._news.put((node, done)))

    def _take(self, node: Node, future: Any) -> None:
        """A task is done."""
        error = error_of(future)
        if error is None:
            if node.file is not None and node.level == 0:
                self._progress(node.file, node.number)
            self._fold(node, future)
        elif node.file is not None and isinstance(error, StraddledError):
            self._begin_again(node.file)
        elif node.file is not None and node.level == 0 and is_fault(error):
            self._faults[node.file, node.number] = error
        elif isinstance(error, LevelError):
            raise self._first_of(find_level_fault, [()])
        else:
            raise told(error)
        self._raise_fault()

    def _progress(self, file: int, index: int) -> None:
        form, part = self._work.forms[file], self._ranges[file][index]
        self._read[file] += form.bytes_of(part, self._work.unit_bytes)
        if self._watcher:
            self._watcher.progress(sum(self._read))

    def _fold(self, node: Node, future: Any) -> None:
        """Have a node folded with its neighbours, if these are there."""
        file, level, index = node
        tree = self._files if file is None else self._trees[file]
        if not tree.is_root(level):
            children = tree.take(level, index, future)
            if children:
                above = Node(file, level + 1, index // AT_ONCE)
                self._submit(above, fold, children)
        elif file is None:
            self._root = future
        else:
            self._fold(Node(None, 0, self._work.ranks[file]), future)

    def _begin_again(self, file: int) -> None:
        """Have a file read as a whole."""
        for node in [node for node in self._running if node.file == file]:
            self._client.cancel([self._running.pop(node)])
        for place in [place for place in self._faults if place[0] == file]:
            del self._faults[place]
        self._ranges[file], self._trees[file], self._read[file] = [Range()], Tree(1), 0
        self._begin(file)

    def _raise_fault(self) -> None:
        """Raise the first fault in the data, once there can't be one before it."""
        if not self._faults:
            return
        file, index = min(self._faults)
        for node in self._running:
            if (
                node.file is not None
                and (node.file, node.number) < (file, index)
                and not node.level
            ):
                return
        error = self._faults[file, index]
        if isinstance(error, SomewhereError):
            before = [(self._task(file, number),) for number in range(index)]
            line = self._work.forms[file].layout.line + sum(self._each(count_lines_of, before))
            raise self._first_of(condense, [(self._task(file, index, line),)])
        raise error

    def _each(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> list[Any]:
        return each(self._client, function, [(self._told, *own) for own in arguments], self._look)

    def _first_of(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> GdfitError:
        return expected(self._each, function, arguments)


def expected(reading: Callable[..., object], *arguments: object) -> GdfitError:
    """The error that `reading` the data again comes to."""
    try:
        reading(*arguments)
    except GdfitError as error:
        return error
    return GdfitError("the data changed while they were read")


def each(
    client: Any, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], look: Look
) -> list[Any]:
    """What the function comes to of each of the arguments, on a cluster.

    Raises
    ------
    GdfitError : of the first arguments for which there is an error.
    """
    news: SimpleQueue[Any] = SimpleQueue()
    futures = [client.submit(function, *own, pure=False) for own in arguments]
    try:
        for future in futures:
            future.add_done_callback(news.put)
        done = 0
        while done < len(futures):
            try:
                news.get(timeout=LOOK)
                done += 1
            except Empty:
                look()
        return [outcome(future, look) for future in futures]
    finally:
        client.cancel(futures)


def itself(work: Work) -> Work:
    """The work, as a task's outcome, which is made anew if the worker that has it is lost."""
    return work


def error_of(future: Any) -> Exception | None:
    """Why a task that was done has failed, if it has. It has not if what it came to is lost with a
    worker since: Dask has it done again for whoever needs it."""
    if future.status == "cancelled":
        return GdfitError("the connection to the cluster is lost")
    error: Exception | None = future.exception() if future.status == "error" else None
    return error


def outcome(future: Any, look: Look) -> Any:
    """What a task that was done has come to; or its error, raised."""
    while future.status in ("lost", "pending"):  # it is done again, if there are workers
        look()
        sleep(AGAIN)
    error = error_of(future)
    if error:
        raise told(error) from None
    return future.result()


def is_fault(error: Exception) -> bool:
    """Whether it is of the data."""
    return isinstance(error, (GdfitError, SomewhereError))


def told(error: Exception) -> Exception:
    """The error as a person is told it."""
    if isinstance(error, GdfitError):
        return error
    if isinstance(error, MemoryError):
        return GdfitError("a worker has not enough memory")
    if type(error).__name__ == "KilledWorker":
        return GdfitError(
            "workers died one after the other of the same task: have they enough memory?"
        )
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return GdfitError(f"a worker of the cluster failed: {what}")
