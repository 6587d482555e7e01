"""What follows from one reading, against statsmodels on real data."""

from __future__ import annotations

import numpy as np
import pytest

import gdfit
from gdfit import Observations
from real import NAMES, REFERENCE, WEIGHED, real_data, weights_of


def observations_of(name: str) -> Observations:
    """The observations of a data set."""
    x, y = real_data(name)
    return gdfit.observations_from(x, y, weights=weights_of(name, len(y)))


@pytest.mark.parametrize("name", [*NAMES, *WEIGHED])
def test_information_criteria(name: str) -> None:
    summary, expected = gdfit.summarize(observations_of(name)), REFERENCE[name]
    for figure in ("log_likelihood", "aic", "bic"):
        assert getattr(summary, figure) == pytest.approx(expected[figure], rel=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_variance_inflation(name: str) -> None:
    *rows, b = gdfit.summarize(observations_of(name)).rows
    assert [row.vif for row in rows] == pytest.approx(REFERENCE[name]["vif"], rel=1e-8)
    assert b.vif is None


def test_the_likelihood_of_weights_is_the_same_however_they_are_read() -> None:
    import pandas as pd

    x, y = real_data("iris")
    weights = np.arange(len(y)) % 3.0  # a row without weight is none
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "v": weights, "y": y})
    condensed = gdfit.summarize(frame, target="y", weights="v")
    kept = gdfit.summarize(x, y=y, weights=weights)
    assert condensed.log_likelihood == pytest.approx(kept.log_likelihood, rel=1e-12)
    assert condensed.observations == kept.observations == 100
