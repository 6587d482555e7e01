"""What a report of a run is: something that is told of every step, and of the fit in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gdfit.descent.fit import Fit, Run
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
    if every is None and show is None:
        return lambda epoch: epoch <= 3 or is_round(epoch)
    shown = frozenset(show or ())
    return lambda epoch: epoch in shown or (every is not None and epoch % every == 0)


def is_round(epoch: int) -> bool:
    """Whether `epoch` is 1, 2 or 5 times a power of ten."""
    return str(epoch).rstrip("0") in ("1", "2", "5")


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
