"""Cross-validation: each fold is held out once, and the rest is descended on.

What is left where a fold is held out is condensed from the folds' own R, so that nothing is read
twice: R of all folds but one is that of the R before it and of the R behind it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from numbers import Integral
from typing import Any, Unpack

import numpy as np

from gdfit.data.in_memory import with_folds
from gdfit.data.observations import Observations, put_together
from gdfit.descent.objective import mean_loss
from gdfit.descent.outcome import Fit
from gdfit.descent.run import Options, Run, chosen
from gdfit.descent.settings import Settings
from gdfit.descent.start import Init
from gdfit.errors import UsageError
from gdfit.model.linear import LinearModel

MEMORY = 1e9  # bytes of what the folds are condensed to
MOST_FOLDS = 100_000  # each of which is condensed, and descended without


@dataclass(frozen=True)
class CrossValidation:
    """The loss on each fold of a run on the others, without a penalty.

    folds : how many.
    losses : of each; infinite where a run has diverged.
    mean, std_error : their plain mean, and its standard error: their deviation (with K − 1) by √K.
    """

    folds: int
    losses: tuple[float, ...]
    mean: float
    std_error: float

    @property
    def record(self) -> dict[str, object]:
        """What a model's file says of it."""
        return {**vars(self), "losses": [*self.losses]}

    def beside(self, fit: Fit) -> Fit:
        """The `fit` of all rows with what its files say of its cross-validation."""
        return replace(fit, model=replace(fit.model, facts={**fit.model.facts, "cv": self.record}))


def check_folds(
    folds: int,
    settings: Settings | None = None,
    init: Init = "zeros",
    validation: object = None,
) -> None:
    """Raise for what does not go with cross-validation."""
    if not isinstance(folds, Integral) or folds < 2:
        raise UsageError(f"`cv` takes a number of folds from 2 on, not {folds}")
    if folds > MOST_FOLDS:
        raise UsageError(f"`cv` takes {MOST_FOLDS:,} folds at most, not {folds:,}")
    settings = settings or Settings()
    if settings.target_loss is not None or settings.patience is not None:
        name = "patience" if settings.patience is not None else "target_loss"
        raise UsageError(f"`cv` does not go with `{name}`, which looks at one validation set")
    if isinstance(init, LinearModel):
        raise UsageError("`cv` starts afresh in each fold: it does not go with a model as `init`")
    if validation is not None:
        raise UsageError("`cv` holds out each fold once: it does not go with `validation`")


def validated_on(
    folds: Sequence[Observations], settings: Settings, init: Init = "zeros"
) -> CrossValidation:
    """The cross-validation of a run with these settings, which are left to be chosen in each fold
    where they are left to be chosen."""
    if settings.is_foretold and settings.tol is None:
        settings = replace(settings, leap=True)  # to the same params, and at once
    if not settings.needs_rows:
        folds = [replace(fold, rows=None) for fold in folds]
    losses = []
    for fold, others in zip(folds, without_each(folds), strict=True):
        run = Run(others, init=init, settings=settings, shown=())
        for step in run:
            last = step
        with np.errstate(over="ignore", invalid="ignore"):
            loss = mean_loss(fold, settings, run.in_data(run.final(last)[0]))
        losses.append(loss if math.isfinite(loss) else math.inf)
    with np.errstate(invalid="ignore"):
        error = float(np.std(losses, ddof=1)) / math.sqrt(len(losses))
    return CrossValidation(len(losses), tuple(losses), float(np.mean(losses)), error)


def without_each(folds: Sequence[Observations]) -> Iterator[Observations]:
    """All folds but each one in turn; none of no folds.

    Raises
    ------
    UsageError : they are too many for memory.
    """
    if not folds:
        return
    width = len(folds[0].features) + 2
    rows = min(width, sum(len(fold.augmented) for fold in folds))
    if 8 * 3 * rows * width * len(folds) > MEMORY:
        raise UsageError(f"`cv` {len(folds)} would need more than 1 GB here: take fewer folds")
    if folds[0].rows:
        yield from (
            put_together([*folds[:place], *folds[place + 1 :]]) for place in range(len(folds))
        )
        return
    before = [None, *accumulate(folds, lambda one, other: put_together([one, other]))]
    behind = [*accumulate(folds[::-1], lambda one, other: put_together([other, one]))][-2::-1]
    for first, last in zip(before, [*behind, None], strict=False):
        yield put_together([part for part in (first, last) if part])


def cross_validate(
    x: Any, y: Any = None, folds: int = 10, *, init: Init = "zeros", **options: Unpack[Options]
) -> CrossValidation:
    """Cross-validate a run: each fold is held out once, and the rest is descended on.

    Parameters
    ----------
    x, y : what `observations_from` takes; the folds are dealt from its rows.
    folds : how many, from 2 to as many as there are rows.
    init : where the params start.
    options : as those of `train`: settings, and what says how observations are made.

    Raises
    ------
    UsageError : an argument is out of range, or does not go with folds.

    Examples
    --------
    >>> import gdfit
    >>> x, y = [1, 2, 3, 4, 5, 6], [1.1, 1.9, 3.2, 3.9, 5.1, 5.8]
    >>> found = gdfit.cross_validate(x, y, folds=3)
    >>> found.folds, len(found.losses), found.mean < 0.1
    (3, 3, True)
    """
    how, settings = chosen(options, x)
    check_folds(folds, settings, init)
    _, parts = with_folds(x, y, folds, settings.seed, **how)
    return validated_on(parts, settings, init)
