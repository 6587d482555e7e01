"""Work on all processors at once by copies of this process (fork), in order.

Threads share Python's lock, which NumPy lets go of and asks for again at every step: two threads
that read numbers do a tenth more than one. Copies share nothing. But a copy has only the thread
that made it, and what other threads have locked stays locked in it for ever: where this process has
any, and where the system has no fork, it is threads that do the work.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Generic, TypeVar, cast

from gdfit.data.parallel import in_order, processors
from gdfit.errors import GdfitError

MOST = 8  # copies: each has some 50 MB

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def in_processes(function: Callable[[Item], Outcome], items: Sequence[Item]) -> Generator[Outcome]:
    """`function` of each of the `items`, in their order; its outcomes go through pipes, and should
    be small.

    Raises
    ------
    Exception : what `function` raises, when its turn has come.
    GdfitError : a copy was ended by something else.
    """
    count = min(processors(), len(items), MOST)
    if count < 2 or not is_alone():
        yield from in_order(function, items)
        return
    copies: list[Copy[Item, Outcome]] = []
    try:
        copies += (Copy(function, items[first::count]) for first in range(count))
        for number in range(len(items)):
            yield copies[number % count].outcome()
    finally:
        for copy in copies:
            copy.end()


def is_alone() -> bool:
    """Whether this process is known to have one thread."""
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:  # not Linux
        return False


class Copy(Generic[Item, Outcome]):
    """A copy of this process that finds a function's outcomes for some items."""

    def __init__(self, function: Callable[[Item], Outcome], items: Sequence[Item]) -> None:
        here, there = os.pipe()
        self._process = os.fork()
        if not self._process:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that waits
                os.close(here)
                tell(function, items, there)
            finally:
                os._exit(0)  # and end nothing that it has begun
        os.close(there)
        self._outcomes = os.fdopen(here, "rb")

    def outcome(self) -> Outcome:
        """That of the next item."""
        try:
            outcome, error = pickle.load(self._outcomes)
        except (EOFError, pickle.UnpicklingError):
            raise GdfitError(
                "a process that was reading has been ended: is there enough memory?"
            ) from None
        if error is not None:
            raise error
        return cast(Outcome, outcome)

    def end(self) -> None:
        """End it, wherever it is."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        self._outcomes.close()


def tell(function: Callable[[Item], Outcome], items: Sequence[Item], pipe: int) -> None:
    """Write the outcomes into a pipe, up to the first error."""
    with os.fdopen(pipe, "wb") as told:
        for item in items:
            outcome, fault = None, None
            try:
                outcome = function(item)
            except Exception as error:  # which is raised where it is waited for
                fault = error
            pickle.dump((outcome, fault), told, pickle.HIGHEST_PROTOCOL)
            told.flush()
            if fault:
                return
