"""What a report of a run is: something that is told of every step, and of the fit in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import count, islice
from typing import Protocol

from gdfit.descent.fit import Fit, Run
from gdfit.descent.leaps import round_epochs
from gdfit.descent.loop import Step

Watch = Callable[[Step], None]
"""What is told of every step as it happens."""

Shown = Callable[[int], bool]
"""Whether to print an epoch; the last is printed in any case."""


class Report(Protocol):
    """Where the steps and the fit go."""

    def step(self, step: Step) -> None:
        """Take note of an epoch."""

    def flush(self) -> None:
        """Print what waits to be printed: before something else is, on standard error."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], model_file: str) -> None:
        """Show what is left to show."""


NewReport = Callable[[Run, Shown, Callable[[], None]], Report]
"""Makes a report of a run that prints the shown epochs; the last argument is called before anything
is printed."""


@dataclass(frozen=True)
class Prediction:
    """ŷ at x, and the y observed there, where it was."""

    x: tuple[float | str, ...]
    y: float
    observed: float | None = None


def schedule(every: int | None, show: Sequence[int] | None) -> Shown:
    """Which epochs to print: each multiple of `every`, those in `show`, by default 1, 2, 3 and then
    5, 10, 20, 50, 100, …"""
    shown = frozenset(show or (islice(round_epochs(), 100) if every is None else ()))
    if every is None:
        return shown.__contains__
    return lambda epoch: epoch in shown or epoch % every == 0


def epochs(every: int | None, show: Sequence[int] | None) -> Iterator[int]:
    """The epochs of `schedule` one after the other, perhaps without end."""
    if every is None and show is None:
        return round_epochs()
    return merge(sorted(show or ()), count(every, every) if every else ())


def listed(predictions: Iterable[Prediction]) -> list[dict[str, object]]:
    """Predictions as JSON has them."""
    return [{"x": list(at.x), "y": at.y} for at in predictions]


def predictions(fit: Fit, inputs: Sequence[Sequence[float | str]]) -> list[Prediction]:
    """ŷ at `inputs`; where there are none, at the last observation."""
    if inputs:
        return [Prediction(tuple(values), fit.model.at_inputs(values)) for values in inputs]
    values, observed = fit.observations.last_values
    return [Prediction(tuple(values), fit.model.at_inputs(values), observed)]


def nothing() -> None:
    """What to do before something is printed, where there is nothing to do."""
