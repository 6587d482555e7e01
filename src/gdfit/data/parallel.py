"""Work on all processors at once, in order."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(function: Callable[[Item], Outcome], items: Iterable[Item]) -> Generator[Outcome]:
    """`function` of each of the `items`, in their order, on all processors at once; for functions
    that let go of Python's lock. Few items are taken ahead, so that memory stays bounded."""
    iterator = iter(items)
    first = list(itertools.islice(iterator, 2))
    workers = processors()
    if len(first) < 2 or workers < 2:
        yield from map(function, itertools.chain(first, iterator))
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(workers)
    try:
        waiting: deque[Future[Outcome]] = deque()
        for item in itertools.chain(first, iterator):
            waiting.append(pool.submit(function, item))
            if len(waiting) > workers + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
