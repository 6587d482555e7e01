"""A cluster without Dask: tasks are done in this process, in any order, and nothing is shared."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import current_thread, main_thread
from typing import Any

import numpy as np
import pytest

from gdfit.data.observations import Observations


class Promise(Future[Any]):
    """A future as Dask has them.

    is_lost : whether its outcome is lost, with the worker that had it, until the task is done
        again.
    """

    is_lost = False

    @property
    def status(self) -> str:
        """How the task ended."""
        if self.cancelled():
            return "cancelled"
        if self.exception():
            return "error"
        return "lost" if self.is_lost else "finished"

    def result(self, timeout: float | None = None) -> Any:
        """The outcome, for the worker's thread; any other would wait for ever for a lost one."""
        assert not self.is_lost or current_thread() is not main_thread(), "waits for ever"
        return super().result(timeout)


class Inline:
    """Has Dask's `submit`. Which of the tasks that wait is done next comes from a seed.

    loses : whether outcomes are lost; one who asks for the workers finds them there again.
    """

    def __init__(self, seed: int, *, loses: bool = False) -> None:
        self._loses, self._promises = loses, list[Promise]()
        self._random = random.Random(seed)
        self._waiting: list[tuple[Promise, Callable[..., Any], Any]] = []
        self._worker = ThreadPoolExecutor(1)

    def submit(self, function: Callable[..., Any], *arguments: Any, **how: Any) -> Promise:
        """A task, to be done at some time."""
        promise = Promise()
        promise.is_lost = self._loses
        self._promises.append(promise)
        self._waiting.append((promise, function, arguments))
        self._worker.submit(self._do_one)
        return promise

    def _do_one(self) -> None:
        ready = [task for task in self._waiting if all(map(is_there, task[2]))]
        task = self._random.choice(ready)
        self._waiting.remove(task)
        promise, function, arguments = task
        if not promise.set_running_or_notify_cancel():
            return
        try:
            outcome = function(*map(received, arguments))
        except Exception as error:
            promise.set_exception(pickle.loads(pickle.dumps(error)))
        else:
            promise.set_result(received(outcome))

    def nthreads(self) -> dict[str, int]:
        """The workers."""
        for promise in self._promises:
            promise.is_lost &= not promise.done()
        return {"here": 1}

    def run(self, function: Callable[..., Any], *arguments: Any, **how: Any) -> dict[str, Any]:
        """What a function is on each worker."""
        return {"here": function(*arguments)}

    def cancel(self, promises: list[Promise]) -> None:
        """Tasks that are not to be done."""
        for promise in promises:
            promise.cancel()


def is_there(argument: Any) -> bool:
    """Whether an argument is there, and is not to come of a task that waits."""
    return not isinstance(argument, Promise) or argument.done()


def received(argument: Any) -> Any:
    """An argument as a worker gets it."""
    found = argument.result() if isinstance(argument, Promise) else argument
    return pickle.loads(pickle.dumps(found))


def bits(observations: Observations | None) -> list[object]:
    """All that must be the same whoever has read the rows, and in whichever order of the files."""
    if observations is None:
        return []
    return [
        observations.augmented.tolist(),
        observations.count,
        observations.weight,
        observations.features,
        observations.sample.tolist(),
        observations.sample_weights is None or observations.sample_weights.tolist(),
    ]


def all_bits(observations: Observations | None) -> list[object]:
    """All that must be the same whoever has read the same files."""
    if observations is None:
        return []
    weights, rows = observations.first_weights, observations.rows
    return [
        *bits(observations),
        observations.first.tolist(),
        observations.last.tolist(),
        observations.last_values,
        weights if weights is None else weights.tolist(),
        rows and np.concatenate([*rows.blocks()]).tolist(),
    ]


def assert_the_same_but_for_rounding(one: Observations, other: Observations) -> None:
    """All is the same, but R, which is so in its inner products up to rounding."""
    assert (one.count, one.features, one.target_name) == (
        other.count,
        other.features,
        other.target_name,
    )
    assert one.first.tolist() == other.first.tolist()
    assert one.last_values == other.last_values
    assert one.total_weight == pytest.approx(other.total_weight, rel=1e-13)
    gram, other_gram = (each.augmented.T @ each.augmented for each in (one, other))
    scale = np.sqrt(np.diag(gram))
    assert (np.abs(gram - other_gram) <= 1e-12 * np.outer(scale, scale)).all()


def assert_the_same_rows(one: Observations, other: Observations) -> None:
    """The rows that are kept are the same, in the same order."""
    assert one.rows
    assert other.rows
    rows, others = (np.concatenate([*each.blocks()]) for each in (one.rows, other.rows))
    assert rows.tolist() == others.tolist()
