"""What observations may hold that is none: totals at the end, and numbers that stand for a missing
value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.data.text.spellings import dated
from gdfit.errors import printable

FEWEST = 5  # rows above a total
OFTEN = 3  # times that a number stands for a missing value
AS_SUM, AS_MEAN = 1e-9, 1e-3  # of the numbers' size: a mean may be rounded


def suspicions(observations: Observations) -> Iterator[str]:
    """What to say of observations that look like none, each with the options that leave them
    out."""
    is_plain = observations.expansion is None and observations.weights_name is None
    if is_plain and len(observations.sample):  # which a condensed file may be without
        if said := said_by_last(observations):
            yield f"the last row is the {said} of all above: `skip_end` 1 leaves it out"
        columns = zip(
            (*observations.features, observations.target_name), observations.sample.T, strict=True
        )
        dates = dated(observations.spellings)  # a missing one is said otherwise in each file
        for name, values in columns:
            if name not in dates and (value := far_value(values)) is not None:
                yield (
                    f"{printable(name)} is {value:.15g} in several rows, far from all others: if "
                    f"that stands for a missing value, `missing` {value:.15g} `drop_missing`"
                )


def said_by_last(observations: Observations) -> str | None:
    """``sum`` or ``mean``, where the last row is that of all above in each column."""
    above = observations.count - 1
    if above < FEWEST:
        return None
    ones = observations.design[:, -1]
    table = np.column_stack([observations.design[:, :-1], observations.target])
    sums = ones @ table - observations.last
    size = np.sqrt((table**2).sum(axis=0) * above)  # at least the sum of the numbers' sizes
    varies = np.abs(sums / above - observations.last).max() > 0
    if (np.abs(sums - observations.last) <= AS_SUM * size).all() and varies:
        return "sum"
    spread = np.sqrt(np.maximum((table**2).sum(axis=0) / above - (sums / above) ** 2, 0))
    is_mean = np.abs(sums / above - observations.last) <= AS_MEAN * spread
    return "mean" if is_mean.all() and (spread > 0).any() and len(spread) > 1 else None


def far_value(values: FloatArray) -> float | None:
    """The least or the largest of the `values`, if it stands there often, and is farther from the
    others than these are apart."""
    for end, sign in ((values.min(), 1), (values.max(), -1)):
        others = values[values != end]
        if len(values) - len(others) < OFTEN or len(np.unique(others)) < OFTEN:
            continue
        distance = float((sign * (others - end)).min())
        if distance > float(others.max() - others.min()):
            return float(end)
    return None
