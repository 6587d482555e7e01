"""The path of a run, thinned where it is long: what pictures are drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import count

from gdfit.descent.loop import Step

WHOLE = 512  # epochs, of which all are kept
PAIRS = 128  # in each doubling of the epochs after that; more than a picture can show apart


class Trace:
    """Keeps the first steps, then ever fewer, evenly on a logarithmic axis and dense enough on a
    linear one: always two in a row, so that a zigzag remains one. It keeps the epochs 1, 10, 100 …
    and the last one.

    steps : those that are kept, in their order.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        """Take note of an epoch."""
        if step.status or is_kept(step.epoch):
            self.steps.append(step)


def is_kept(epoch: int) -> bool:
    """Whether an epoch is among those that are kept, whatever comes after it."""
    if epoch <= WHOLE or str(epoch).rstrip("0") == "1":
        return True
    apart = 2 ** (epoch.bit_length() - 1) // PAIRS
    return epoch % apart in (0, 1)


def traced_epochs() -> Iterator[int]:
    """The epochs that are kept, one after the other, without end: those to leap to for a picture.
    Some come twice."""
    pairs = (
        epoch + after
        for first in (2**power for power in count())
        for epoch in range(first, 2 * first, max(first // PAIRS, 1))
        for after in (0, 1)
    )
    return merge(pairs, (10**power for power in count()))
