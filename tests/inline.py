"""A cluster without Dask: tasks are done in this process, in any order, and nothing is shared."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import current_thread, main_thread
from typing import Any

from gdfit.data.observations import Observations


class Promise(Future[Any]):
    """A future as Dask has them."""

    @property
    def status(self) -> str:
        """How the task ended."""
        if self.cancelled():
            return "cancelled"
        return "error" if self.exception() else "finished"


class Lost(Promise):
    """One whose outcome is lost, with the worker that had it, until the task is done again."""

    is_there = False

    @property
    def status(self) -> str:
        """How the task ended."""
        status = super().status
        return "lost" if status == "finished" and not self.is_there else status

    def result(self, timeout: float | None = None) -> Any:
        """The outcome, for the worker's thread; any other would wait for ever."""
        at_home = current_thread() is main_thread()
        assert self.is_there or not at_home, "waits for ever"
        return super().result(timeout)


class Inline:
    """Has Dask's `submit`. Which of the tasks that wait is done next comes from a seed.

    loses : whether outcomes are lost; one who asks for the workers finds them there again.
    """

    def __init__(self, seed: int, *, loses: bool = False) -> None:
        self._loses = loses
        self._lost: list[Lost] = []
        self._random = random.Random(seed)
        self._waiting: list[tuple[Promise, Callable[..., Any], Any]] = []
        self._worker = ThreadPoolExecutor(1)
        self.done: list[str] = []

    def submit(self, function: Callable[..., Any], *arguments: Any, **how: Any) -> Promise:
        """A task, to be done at some time."""
        promise = Promise()
        if self._loses:
            self._lost.append(promise := Lost())
        self._waiting.append((promise, function, arguments))
        self._worker.submit(self._do_one)
        return promise

    def _do_one(self) -> None:
        ready = [task for task in self._waiting if all(map(Promise.done, promises_in(task[2])))]
        task = self._random.choice(ready)
        self._waiting.remove(task)
        promise, function, arguments = task
        if not promise.set_running_or_notify_cancel():
            return
        self.done.append(function.__name__)
        try:
            outcome = function(*received(arguments))
        except Exception as error:
            promise.set_exception(pickle.loads(pickle.dumps(error)))
        else:
            promise.set_result(received(outcome))

    def nthreads(self) -> dict[str, int]:
        """The workers."""
        for promise in self._lost:
            promise.is_there = promise.done()
        return {"here": 1}

    def run(self, function: Callable[..., Any], *arguments: Any, **how: Any) -> dict[str, Any]:
        """What a function is on each worker."""
        return {"here": function(*arguments)}

    def cancel(self, promises: list[Promise]) -> None:
        """Tasks that are not to be done."""
        for promise in promises:
            promise.cancel()


def promises_in(argument: Any) -> list[Promise]:
    """The tasks whose outcomes an argument takes."""
    if isinstance(argument, Promise):
        return [argument]
    if type(argument) in (list, tuple):
        return [promise for part in argument for promise in promises_in(part)]
    return []


def received(argument: Any) -> Any:
    """An argument as a worker gets it."""
    if isinstance(argument, Promise):
        argument = argument.result()
    if type(argument) in (list, tuple):
        return type(argument)(map(received, argument))
    return pickle.loads(pickle.dumps(argument))


def bits(observations: Observations) -> list[object]:
    """All that must be the same whoever has read the rows."""
    return [
        observations.augmented.tolist(),
        observations.count,
        observations.weight,
        observations.features,
        observations.sample.tolist(),
        observations.sample_weights is None or observations.sample_weights.tolist(),
    ]
