"""Every combination of the values given, run on one reading of the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from numbers import Real
from typing import Any, cast

import numpy as np

from gdfit.data.observations import Observations
from gdfit.descent.comparison import Comparison, Curve, Outcome
from gdfit.descent.fit import Run
from gdfit.descent.settings import Settings
from gdfit.descent.start import Init
from gdfit.errors import UsageError
from gdfit.model.linear import LinearModel

Starts = Init | Sequence[Init] | Mapping[str, Init]
"""Where the params start: one start, or several, as a list or by name."""


def compare(
    observations: Observations,
    *,
    init: Starts = "zeros",
    validation: Observations | None = None,
    settings: Settings | None = None,
    **options: Any,
) -> Comparison:
    """Fit linear models to `observations` with every combination of the values given.

    Parameters
    ----------
    observations : from `read_observations` (files) or `observations_from` (arrays, DataFrames).
    init : where the params start, as `train` takes it; several, as a list or by name.
    validation : a set to measure the loss on, which is not descended on.
    settings : a `Settings`, for all runs.
    options : its fields: a value, or a list of values to compare.

    Raises
    ------
    UsageError : an argument is out of range, or does not fit the observations.

    Examples
    --------
    >>> import gdfit
    >>> observations = gdfit.observations_from([1, 2, 3], [3, 5, 7])
    >>> comparison = gdfit.compare(observations, lr=[0.01, 0.1, 1], epochs=1000)
    >>> [(fit.settings.lr, fit.status) for fit in comparison.fits]
    [(0.1, 'completed'), (0.01, 'completed'), (1, 'diverged')]
    """
    runs = combinations(
        observations, init=init, validation=validation, settings=settings, **options
    )
    return Comparison(outcome_of(*numbered) for numbered in waiting(runs))


def outcome_of(number: int, name: str, run: Run) -> Outcome:
    """What the run comes to, with all of its steps."""
    curve, steps = Curve(run), []
    for step in run:
        curve.step(step)
        steps.append(step)
    return Outcome(number, name, run.fit(steps), np.array(curve.losses))


def waiting(runs: list[tuple[str, Run]]) -> Iterator[tuple[int, str, Run]]:
    """The `runs` with their numbers, each forgotten when its turn is over: it may hold a copy of
    the observations."""
    for number in range(1, len(runs) + 1):
        yield number, *runs.pop(0)


def combinations(
    observations: Observations,
    *,
    init: Starts = "zeros",
    validation: Observations | None = None,
    settings: Settings | None = None,
    **options: Any,
) -> list[tuple[str, Run]]:
    """The runs for every combination of the values given, each with the name of its start: see
    `compare`."""
    every = settings_of(settings or Settings(), **options)
    if any(each.leap for each in every):
        raise UsageError("`leap` leaves out most epochs, and runs are compared in all of theirs")
    return [
        (name, Run(observations, init=start, validation=validation, settings=each))
        for each in every
        for name, start in starts_of(init).items()
    ]


def settings_of(settings: Settings, **options: Any) -> list[Settings]:
    """`settings` with every combination of the values given; those of the last option change
    first."""
    lists = [list_of(name, value) for name, value in options.items()]
    return [
        replace(settings, **dict(zip(options, values, strict=True))) for values in product(*lists)
    ]


def list_of(name: str, value: Any) -> list[Any]:
    """The values given for one of the settings."""
    one = isinstance(value, str) or (name == "betas" and isinstance(value, tuple))
    if one or not isinstance(value, Iterable):
        return [value]
    values = value.tolist() if isinstance(value, np.ndarray) else list(value)
    if not values:
        raise UsageError(f"`{name}` is an empty list: there is nothing to compare")
    return values


def starts_of(init: Starts) -> dict[str, Init]:
    """The starts by name."""
    if isinstance(init, Mapping):
        return dict(init)
    if isinstance(init, str | LinearModel) or all(isinstance(value, Real) for value in init):
        one = cast(Init, init)
        return {start_name(1, one): one}
    several = cast(Sequence[Init], init)
    return {start_name(place, start): start for place, start in enumerate(several, 1)}


def start_name(place: int, start: Init) -> str:
    """What to call a start."""
    if isinstance(start, str):
        return start
    if isinstance(start, LinearModel):
        return f"model {place}"
    return ",".join(f"{value:g}" for value in start)
