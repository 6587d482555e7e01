"""The path of a run, thinned where it is long: what pictures are drawn from."""

from __future__ import annotations

from gdfit.descent import Step

MOST = 4000  # steps; more than any picture can show apart


class Trace:
    """Keeps the first step, the last, and as many evenly spaced ones between as fit.

    steps : those that are kept, in their order.
    """

    def __init__(self) -> None:
        self._kept: list[Step] = []
        self._last: Step | None = None
        self._stride = 1

    def step(self, step: Step) -> None:
        """Take note of an epoch."""
        self._last = step
        if (step.epoch - 1) % self._stride == 0:
            self._kept.append(step)
            if len(self._kept) > MOST:
                self._stride *= 2
                self._kept = self._kept[::2]

    @property
    def steps(self) -> list[Step]:
        if self._last is None or self._kept[-1] is self._last:
            return self._kept
        return [*self._kept, self._last]
