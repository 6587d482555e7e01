"""Standard errors, t, p, intervals, R² and F: right, whatever the data."""

from __future__ import annotations

import csv
import doctest
import io
import math
from collections.abc import Sequence
from dataclasses import astuple, replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

import gdfit
from conftest import SAMPLES
from exact import Reference, f_tail, reference, t_tail
from gdfit import GdfitError, LinearModel, UsageError
from gdfit.analysis import inference
from gdfit.analysis.inference import Summary
from gdfit.arrays import FloatArray
from gdfit.data.batch import Rows
from strd import PROBLEMS

SAMPLE_COLUMNS: dict[str, tuple[Sequence[str], str]] = {
    "lecture": (["x"], "y"),
    "planets": (["log_distance"], "log_period"),
    "greenhouse": (["light", "water", "warmth"], "growth"),
    "houses": (["area_m2"], "price_eur"),
    "feder": (["masse_kg"], "dehnung_cm"),
}


def samples(name: str) -> tuple[FloatArray, FloatArray]:
    """The features and the target of a file of sample data."""
    features, target = SAMPLE_COLUMNS[name]
    text = (SAMPLES / f"{name}.csv").read_text()
    if ";" in text:
        text = text.replace(",", ".").replace(";", ",")
    rows = list(csv.DictReader(io.StringIO(text)))
    x = [[float(row[feature]) for feature in features] for row in rows]
    return np.array(x), np.array([float(row[target]) for row in rows])


def noisy(count: int, features: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Features with means and deviations of their own, and a target with noise."""
    random = np.random.default_rng(seed)
    x = random.normal(
        random.uniform(-5, 5, features), random.uniform(0.5, 2, features), (count, features)
    )
    return x, x @ random.normal(size=features) + random.normal(size=count)


def summary_of(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Summary:
    """The summary of observations given as arrays."""
    return gdfit.summarize(gdfit.observations_from(x, y), level=level)


def check(summary: Summary, exact: Reference, rel: float) -> None:
    """Compare all numbers of a summary with the reference, and p with mpmath's."""
    assert summary.df == exact.df
    for name in ("residual_std_error", "r_squared", "adjusted_r_squared", "f"):
        assert getattr(summary, name) == pytest.approx(getattr(exact, name), rel=rel)
    assert exact.f is not None
    assert summary.f is not None
    assert summary.f_p == pytest.approx(f_tail(summary.f, exact.slopes, exact.df), rel=1e-12, abs=0)
    for row, param, error in zip(summary.rows, exact.params, exact.std_errors, strict=True):
        assert row.least_squares == pytest.approx(param, rel=rel, abs=rel * error)
        assert row.std_error == pytest.approx(error, rel=rel)
        assert row.t == pytest.approx(param / error, rel=rel, abs=rel)
        assert row.t is not None
        assert row.p == pytest.approx(t_tail(row.t, exact.df), rel=1e-12, abs=0)
        assert row.low is not None
        assert row.high is not None
        assert (row.low + row.high) / 2 == pytest.approx(param, rel=rel, abs=rel * error)
        margin = (row.high - row.low) / 2 / error
        assert t_tail(margin, exact.df) == pytest.approx(1 - summary.level, rel=10 * rel)


@pytest.mark.parametrize("name", SAMPLE_COLUMNS)
def test_sample_data(name: str) -> None:
    x, y = samples(name)
    check(summary_of(x, y, level=0.9), reference(x.tolist(), y.tolist()), rel=1e-10)


@pytest.mark.parametrize("name", [name for name in PROBLEMS if PROBLEMS[name].f])
def test_statistical_reference_data(name: str) -> None:
    problem = PROBLEMS[name]
    x = [list(map(float, row)) for row in problem.x]
    y = list(map(float, problem.y))
    observations = gdfit.observations_from(x, y, intercept=problem.intercept)
    summary = gdfit.summarize(observations)
    exact = reference(x, y, intercept=problem.intercept)
    check(summary, exact, rel=1e-6 if name == "Filip" else 1e-9)


def test_rows_of_any_number() -> None:
    x, y = noisy(60, 3, seed=1)
    few = gdfit.observations_from(x, y)
    times = 2_000_000  # each observation as often, as its R factor says
    factor = math.sqrt(times)
    many = replace(few, augmented=factor * few.augmented, count=60 * times)
    summary, exact = gdfit.summarize(many), reference(x.tolist(), y.tolist())
    df = 60 * times - 4
    variance = exact.residual_std_error**2 * exact.df * times / df
    assert (summary.df, summary.observations) == (df, 60 * times)
    assert summary.residual_std_error == pytest.approx(math.sqrt(variance), rel=1e-12)
    ratio = math.sqrt(exact.df / df)
    errors = [row.std_error for row in summary.rows]
    assert errors == pytest.approx([error * ratio for error in exact.std_errors], rel=1e-12)
    assert summary.r_squared == pytest.approx(exact.r_squared, rel=1e-12)
    assert [row.p for row in summary.rows[:2]] == [0.0, 0.0]  # below what float64 holds


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    features=st.integers(1, 5),
    units=st.lists(st.floats(1e-12, 1e12), min_size=6, max_size=6),
    shift=st.floats(-1000, 1000),
)
def test_units_and_origins_change_what_they_must(
    seed: int, features: int, units: list[float], shift: float
) -> None:
    x, y = noisy(30, features, seed)
    before = summary_of(x, y)
    scale, unit = np.array(units[:features]), units[-1]
    after = summary_of((x + shift) * scale, y * unit)
    old, new = before.frame, after.frame
    sizes = pd.Series([*(unit / scale), unit], old.index)
    for column in ("least_squares", "std_error", "low", "high"):
        # In standard errors; b is at the new origin, where it is less well known.
        moved = (new[column] / sizes - old[column])[:-1] / old["std_error"][:-1]
        assert moved.abs().max() < 1e-7
    assert new[["t", "p"]].to_numpy()[:-1] == pytest.approx(old[["t", "p"]].to_numpy()[:-1], 1e-7)
    b = old["least_squares"].iloc[-1] - old["least_squares"][:-1].sum() * shift
    error = new["std_error"].iloc[-1]
    assert new["least_squares"].iloc[-1] == pytest.approx(b * unit, rel=1e-9, abs=1e-7 * error)
    figures = {**before.figures, "residual_std_error": float(before.residual_std_error or 0) * unit}
    for name, times in (("log_likelihood", 1), ("aic", -2), ("bic", -2)):
        figures[name] -= times * 30 * math.log(unit)
    assert figures.pop("standard_errors") == "classical"
    told = {name: after.figures[name] for name in figures}
    assert told == pytest.approx(figures, rel=1e-7, abs=1e-5)


def test_the_model_is_of_the_same_columns() -> None:
    x, y = noisy(30, 2, seed=6)
    model = LinearModel((1.0, 2.0), 3.0, ("depth", "width"), "y")
    summary = gdfit.summarize(gdfit.observations_from(x, y, model.features), model)
    assert [(row.name, row.value) for row in summary.rows] == [
        ("w_depth", 1.0),
        ("w_width", 2.0),
        ("b", 3.0),
    ]
    words = "the model predicts y from depth, width; the observations are of y and depth, height"
    with pytest.raises(GdfitError, match=words):
        gdfit.summarize(gdfit.observations_from(x, y, ["depth", "height"]), model)
    with pytest.raises(GdfitError, match="the observations are of z and depth, width"):
        gdfit.summarize(gdfit.observations_from(x, y, model.features, "z"), model)


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e9])
def test_dependent_columns_are_named_and_the_others_right(offset: float) -> None:
    x, y = noisy(50, 2, seed=3)
    x = np.round(x, 3) + offset
    constant, difference = np.full(50, 0.1), x[:, 0] - x[:, 1]
    columns = np.column_stack([x[:, 0], constant, x[:, 1], difference, x[:, 0] * 3 + 7])
    names = ("first", "constant", "second", "difference", "again")
    summary = gdfit.summarize(gdfit.observations_from(columns, y, names))
    assert summary.dependent == ("w_constant", "w_difference", "w_again")
    for row in summary.rows:
        if row.name in summary.dependent:
            assert astuple(row)[1:] == (None,) * 8
    kept = tuple(row for row in summary.rows if row.name not in summary.dependent)
    check(
        replace(summary, rows=kept),
        reference(x.tolist(), y.tolist()),
        rel=1e-5 if offset else 1e-10,
    )


@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-9])
def test_nearly_dependent_is_not_dependent(spread: float) -> None:
    x, y = noisy(50, 1, seed=4)
    other = x[:, 0] + spread * np.random.default_rng(5).normal(size=50)
    assert summary_of(np.column_stack([x, other]), y).dependent == ()


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_a_constant_target_has_slopes_of_exactly_0(scale: float) -> None:
    summary = summary_of([[0.1 * scale], [0.2], [0.7 * scale]], [0.3 * scale] * 3)
    assert [row.least_squares for row in summary.rows] == [0.0, pytest.approx(0.3 * scale)]


@pytest.mark.parametrize("x", [[1e-300, 2e-300, 4e-300], [1e308, 1.5e308, 1.7e308]])
def test_numbers_at_the_ends_of_float64(x: list[float]) -> None:
    summary = summary_of(x, [1.0, 2.0, 3.0])
    small = summary_of([value / x[0] for value in x], [1.0, 2.0, 3.0])
    assert summary.f == pytest.approx(small.f)
    with pytest.raises(GdfitError, match="differ too much in size"):
        summary_of([1e-300, 2e-300, 4e-300], [1e300, 2e300, 4.1e300])


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, -1.0, math.nan])
def test_levels_are_between_0_and_1(level: float) -> None:
    with pytest.raises(UsageError, match=r"`level` takes a number between 0 and 1, as 0\.95, not"):
        summary_of([1, 2, 3], [1, 2, 4], level=level)


def test_the_docstrings_examples() -> None:
    done = doctest.testmod(inference)
    assert done.attempted > 0
    assert done.failed == 0


def test_the_error_has_all_digits_where_the_target_is_large() -> None:
    x = np.arange(12) + 1.5
    y = 1e6 * x + np.resize([1e-3, -2e-3, 5e-4], 12)
    exact_x, exact_y = ([Fraction(value) for value in each.tolist()] for each in (x, y))
    from_mean = [[value - sum(each) / len(each) for value in each] for each in (exact_x, exact_y)]
    xx, xy, yy = (
        sum(one * other for one, other in zip(from_mean[i], from_mean[j], strict=True))
        for i, j in ((0, 0), (0, 1), (1, 1))
    )
    found = gdfit.summarize(gdfit.observations_from(x, y))
    assert found.residual_std_error == pytest.approx(math.sqrt((yy - xy * xy / xx) / 10), rel=1e-12)


def test_inflation_is_told_where_nothing_is_left_to_tell_errors_by() -> None:
    x = np.array([[1.0, 2], [2, 5], [4, 3]])
    found = gdfit.summarize(gdfit.observations_from(x, [1.0, 2, 4]))
    expected = 1 / (1 - np.corrcoef(x.T)[0, 1] ** 2)
    assert found.df == 0
    assert [each.vif for each in found.rows] == [pytest.approx(expected)] * 2 + [None]


def test_clusters_go_on_from_block_to_block() -> None:
    random = np.random.default_rng(6)
    x, y = random.normal(size=(2, 40))
    whole = gdfit.observations_from(x, y)
    assert whole.rows
    rows = Rows(3, block=7)
    rows.add(np.concatenate([*whole.rows.blocks()]))
    clusters = random.choice([*"abcde"], 40)
    one, several = (
        gdfit.summarize(each, cluster=clusters) for each in (whole, replace(whole, rows=rows))
    )
    errors = [np.array([row.std_error for row in each.rows], float) for each in (one, several)]
    np.testing.assert_allclose(errors[1], errors[0], rtol=1e-12)
