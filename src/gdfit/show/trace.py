"""The path of a run, thinned where it is long: what pictures are drawn from."""

from __future__ import annotations

from collections.abc import Iterator

from gdfit.descent.loop import Step

MOST = 4000  # steps; more than any picture can show apart


class Trace:
    """Keeps the first step, the last, and as many evenly spaced ones between as fit.

    steps : those that are kept, in their order.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._stride = 1

    def step(self, step: Step) -> None:
        """Take note of an epoch."""
        if len(self.steps) > MOST:
            self._stride *= 2
            self.steps = self.steps[::2]
        if step.status or (step.epoch - 1) % self._stride == 0:
            self.steps.append(step)


def traced_epochs() -> Iterator[int]:
    """The epochs to leap to for a picture: every one at first, then 1 % apart, without end."""
    epoch = 1
    while True:
        yield epoch
        epoch += 1 + epoch // 100
