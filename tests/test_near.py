"""Columns whose numbers lie close together: what varies after the mean is taken away varies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Gdfit
from gdfit.analysis.inference import summarize
from gdfit.arrays import Near, near
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.run import train

NANOSECONDS = 1_700_000_000_000_000_000 + np.arange(0, 10**6, 1000)
CLOSE = {
    "1e9 + k/2^20": 1e9 + np.arange(1000) % 10 * 2.0**-20,
    "nanoseconds over a millisecond": NANOSECONDS.astype(float),
    "the last bit": np.where(np.arange(1000) % 2, 0.1, np.nextafter(0.1, 1)),
}


def ways(frame: pd.DataFrame, folder: Path) -> list[Observations]:
    """The same observations of an array, of a frame, and of a file of many units."""
    x, y = frame.drop(columns="y"), frame["y"]
    path = folder / "near.csv"
    frame.to_csv(path, index=False, float_format="%.17g")
    weights = np.ones(len(frame))
    return [
        observations_from(x.to_numpy(), y),
        observations_from(x, y),
        observations_from(x, y, weights=weights),
        read_observations(str(path), keep_rows=True),
    ]


@pytest.mark.parametrize("scale", ["standardize", "whiten"])
@pytest.mark.parametrize("name", CLOSE)
def test_what_float64_can_tell_varies(name: str, scale: Any, tmp_path: Path) -> None:
    t = CLOSE[name]
    distance = t - t[0]  # which has no rounding
    unit = np.abs(distance).max()
    z = np.random.default_rng(0).normal(size=len(t))
    y = 3 * distance / unit - 2 * z + 1
    for observations in ways(pd.DataFrame({"t": t, "z": z, "y": y}), tmp_path):
        fit = train(observations, scale=scale, lr=0.5, epochs=200)
        assert fit.model.w == pytest.approx((3 / unit, -2), rel=1e-9)
        assert fit.loss < 1e-18
        by_rows = train(observations, scale=scale, lr=0.5, epochs=200, batch_size=500)
        assert by_rows.model.w == pytest.approx((3 / unit, -2), rel=1e-9)


@pytest.mark.parametrize("name", ["1e9 + k/2^20", "nanoseconds over a millisecond"])
def test_how_well_it_fits_is_told(name: str, tmp_path: Path) -> None:
    t = CLOSE[name]
    noise = np.random.default_rng(1).normal(size=len(t))
    y = (t - t[0]) / np.ptp(t) + noise / 3
    around = np.column_stack([t - t[0], np.ones(len(t))])
    residuals = y - around @ np.linalg.lstsq(around, y, rcond=None)[0]
    expected = 1 - residuals @ residuals / ((y - y.mean()) @ (y - y.mean()))
    for observations in ways(pd.DataFrame({"t": t, "y": y}), tmp_path):
        assert train(observations).r_squared == pytest.approx(expected, abs=1e-2)


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("name", ["1e9 + k/2^20", "nanoseconds over a millisecond"])
def test_beside_categories_it_varies_too(name: str, weighed: bool, tmp_path: Path) -> None:
    """In rows that are condensed by their levels, and in units that are merged."""
    t = np.tile(CLOSE[name], 400)
    distance, random = t - t[0], np.random.default_rng(5)
    unit = np.abs(distance).max()
    kind, z = random.choice([*"abc"], len(t)), random.normal(size=len(t))
    weights = random.integers(1, 4, len(t)) if weighed else np.ones(len(t))
    y = 3 * distance / unit + 2 * (kind == "b") - z * (kind == "c")
    frame = pd.DataFrame({"t": t, "kind": kind, "z": z, "y": y, "v": weights})
    path = tmp_path / "near.csv"
    frame.to_csv(path, index=False, float_format="%.17g")
    features = ["t", "kind", "z:kind"]
    for observations in (
        observations_from(frame, "y", features, weights="v"),
        read_observations(str(path), features=features, target="y", weights="v"),
    ):
        assert len(observations.augmented) < 10
        fit = train(observations, scale="whiten", lr=0.5, epochs=3)
        assert fit.model.w == pytest.approx((3 / unit, 2, 0, 0, -1), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("value", [0.1, 1e9 / 3, -7e-300, 5.0])
def test_a_column_that_is_one_number_does_not_vary(
    value: float, gdfit: Gdfit, tmp_path: Path
) -> None:
    rows = 3000
    x = np.arange(rows) * 1.0
    frame = pd.DataFrame({"c": np.full(rows, value), "x": x, "y": 2 * x + 1})
    for observations in ways(frame, tmp_path):
        assert train(observations).model.params == pytest.approx((0, 2, 1), abs=1e-6)
    result = gdfit("train", tmp_path / "near.csv", "-q")
    told = f"does not vary, but for rounding (it is {value:.6g}): its weight is 0"
    assert result.err == f"gdfit: note: column c {told}\n"


def test_without_an_intercept_nothing_is_taken_away() -> None:
    observations = observations_from(CLOSE["1e9 + k/2^20"], np.ones(1000), intercept=False)
    assert observations.near is None


@settings(max_examples=60, deadline=None)
@given(
    centres=st.lists(st.sampled_from([0.0, 1.0, -3e7, 1e9, 1e15]), min_size=2, max_size=4),
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.0, 1e-9, 1e-7, 1e-3]),
)
def test_parts_join_to_the_rows_that_they_are(
    centres: list[float], seed: int, spread: float
) -> None:
    """Whether or not they have the same numbers taken away."""
    random = np.random.default_rng(seed)
    parts = []
    for centre in centres:
        x = centre * (1 + spread * random.normal(size=(5, 2)))
        parts.append(np.column_stack([x, np.ones(5), random.normal(size=5)]))
    joined = near(parts[0])
    for part in parts[1:]:
        joined = joined.joined(near(part))
    rows = np.concatenate(parts)
    np.testing.assert_allclose(joined.whole, rows, rtol=2e-16, atol=0)
    exact = Near.here(rows).at(joined.origin)
    assert np.abs(joined.rows - exact).max() <= 1e-15 * np.abs(rows).max()


@pytest.mark.parametrize("name", ["1e9 + k/2^20", "nanoseconds over a millisecond"])
def test_a_summary_tells_them_apart(name: str, tmp_path: Path) -> None:
    """As of the same column with what is common to its numbers taken away: but for b, all is the
    same, and b is as much farther from 0, and as much less certain."""
    t, random = CLOSE[name], np.random.default_rng(2)
    z, y = random.normal(size=len(t)), random.normal(size=len(t))
    y = y + (t - t[0]) / np.ptp(t)
    distance = (t - t[0]) * 2.0**8
    expected = summarize(observations_from(np.column_stack([distance, z]), y))
    for observations in ways(pd.DataFrame({"t": t, "z": z, "y": y}), tmp_path):
        found = summarize(observations)
        assert found.r_squared == pytest.approx(expected.r_squared, rel=1e-6)
        values: list[Any] = [(row.least_squares, row.std_error) for row in found.rows]
        alone: list[Any] = [(row.least_squares, row.std_error) for row in expected.rows]
        assert values[:2] == [
            (pytest.approx(alone[0][0] * 2.0**8, rel=1e-6), pytest.approx(alone[0][1] * 2.0**8)),
            (pytest.approx(alone[1][0]), pytest.approx(alone[1][1])),
        ]
        assert values[2] == (
            pytest.approx(-values[0][0] * t[0], rel=1e-6),
            pytest.approx(values[0][1] * t[0], rel=1e-6),
        )
