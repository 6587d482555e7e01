"""Work on all processors of this machine at once, in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 8  # threads: memory is bounded by how many units are in work


def processors() -> int:
    """How many processors this process may use, `MOST` at most."""
    has = hasattr(os, "sched_getaffinity")
    return min(MOST, len(os.sched_getaffinity(0)) if has else os.cpu_count() or 1)


def in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    apart: Callable[[Item], bool] = lambda item: True,
) -> Generator[Result]:
    """`function` of each of the `items`, in their order, on all processors at once; for functions
    that let go of Python's lock. Few items are taken ahead, so that memory stays bounded. An error
    in an item comes before one of a later item, and before one in the taking of items.

    apart : says which items may be worked on while others are taken.
    """
    workers, iterator = processors(), iter(items)
    pool: ThreadPoolExecutor | None = None
    waiting: deque[Callable[[], Result]] = deque()
    try:
        while True:
            try:
                item = next(iterator)
            except StopIteration:
                break
            except Exception:
                while waiting:
                    yield waiting.popleft()()
                raise
            beside = workers > 1 and apart(item)
            while waiting and (len(waiting) > workers or not beside):
                yield waiting.popleft()()
            if not beside:
                yield function(item)
            elif not waiting:  # a single item needs no threads
                waiting.append(partial(function, item))
            else:
                pool = pool or thread_pool(workers)
                waiting.append(pool.submit(function, item).result)
        while waiting:
            yield waiting.popleft()()
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)


def thread_pool(workers: int) -> ThreadPoolExecutor:
    """So many threads."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(workers)
