"""The path of a run, thinned where it is long: what pictures are drawn from."""

from __future__ import annotations

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
