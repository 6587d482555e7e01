"""Scaling: what is descended on is what it says, and params are told in the data's own units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Gdfit
from gdfit.arrays import FloatArray, triangular
from gdfit.data.dataset import Dataset
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.curvature import curvature_of
from gdfit.descent.run import train
from gdfit.descent.scaling import Scaling, scaled, scaling_of
from gdfit.descent.settings import Scale

SCALES: list[Scale] = [scale for scale in get_args(Scale) if scale != "none"]

# J. W. Longley, JASA 62, 1967, with the params that NIST certifies for it (StRD, in the public
# domain): y, x1 … x6. The condition number of its columns is 5·10⁹.
LONGLEY = """60323 83.0 234289 2356 1590 107608 1947
61122 88.5 259426 2325 1456 108632 1948
60171 88.2 258054 3682 1616 109773 1949
61187 89.5 284599 3351 1650 110929 1950
63221 96.2 328975 2099 3099 112075 1951
63639 98.1 346999 1932 3594 113270 1952
64989 99.0 365385 1870 3547 115094 1953
63761 100.0 363112 3578 3350 116219 1954
66019 101.2 397469 2904 3048 117388 1955
67857 104.6 419180 2822 2857 118734 1956
68169 108.4 442769 2936 2798 120445 1957
66513 110.8 444546 4681 2637 121950 1958
68655 112.6 482704 3813 2552 123366 1959
69564 114.2 502601 3931 2514 125368 1960
69331 115.7 518173 4806 2572 127852 1961
70551 116.9 554894 4007 2827 130081 1962"""
CERTIFIED = [
    15.0618722713733,
    -0.0358191792925910,
    -2.02022980381683,
    -1.03322686717359,
    -0.0511041056535807,
    1829.15146461355,
    -3482258.63459582,
]


def longley() -> Observations:
    """Longley's data."""
    rows = np.array([line.split() for line in LONGLEY.splitlines()], dtype=float)
    return observations_from(rows[:, 1:], rows[:, 0])


def correlated(seed: int, features: int, count: int = 40, decades: float = 0.0) -> Observations:
    """Correlated columns away from 0, of sizes that spread over `decades` powers of ten."""
    random = np.random.default_rng(seed)
    x = random.normal(3, 1, (count, features)) @ random.normal(size=(features, features))
    sizes = 10 ** random.uniform(-decades / 2, decades / 2, features)
    return observations_from(x * sizes, x.sum(axis=1) + random.normal(2, 1, count))


def all_condensed(observations: Observations) -> Observations:
    """The same, of whose rows p+2 have been kept."""
    return replace(observations, augmented=triangular(observations.augmented), rows=None)


def scaling(observations: Observations, scale: Scale) -> Scaling:
    """How to scale these observations, which has to be somehow."""
    found = scaling_of(observations, scale)
    assert found
    return found


def test_no_scaling_leaves_everything_as_it_is() -> None:
    observations = longley()
    assert scaling_of(observations, "none") is None
    assert scaled(observations, None) is observations


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(SCALES), st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([0, 200])
)
def test_params_are_told_in_the_datas_units_and_back(
    scale: Scale, seed: int, features: int, decades: int
) -> None:
    observations = correlated(seed, features, decades=decades)
    how = scaling(observations, scale)
    assert list(how.used) == list(range(features))
    params = np.random.default_rng(seed).normal(size=features + 1)
    back = how.from_data(how.to_data(params))
    # What whitening mixes is as exact as the columns are apart.
    largest = np.abs(params).max() * (1 if how.mixing is None else np.linalg.cond(how.mixing))
    np.testing.assert_allclose(back, params, rtol=0, atol=1e-12 * largest)
    # The same prediction for every row, before and after.
    z = how.apply(observations.augmented)
    assert (z[:, -2:] == observations.augmented[:, -2:]).all()
    told = observations.design * how.to_data(params)
    np.testing.assert_allclose(
        told.sum(axis=1), z[:, :-1] @ params, rtol=0, atol=1e-12 * np.abs(told).sum(axis=1).max()
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([0, 200]))
def test_standardized_columns_have_mean_0_and_deviation_1(
    seed: int, features: int, decades: int
) -> None:
    observations = correlated(seed, features, decades=decades)
    z = scaled(observations, scaling(observations, "standardize")).design[:, :-1]
    x = observations.design[:, :-1]
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-12)
    assert z == pytest.approx((x - x.mean(axis=0)) / x.std(axis=0), rel=1e-9, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([0, 200]))
def test_whitened_columns_are_orthonormal(seed: int, features: int, decades: int) -> None:
    observations = correlated(seed, features, decades=decades)
    how = scaling(observations, "whiten")
    identity = np.eye(features + 1)
    # Row by row as far as R is exact, and in what is descended on to the last digits.
    rows = how.apply(observations.augmented)[:, :-1]
    assert how.mixing is not None
    rounding = 1e-14 * np.linalg.cond(how.mixing)
    np.testing.assert_allclose(rows.T @ rows / 40, identity, atol=100 * rounding)
    design = scaled(observations, how).design
    np.testing.assert_allclose(design.T @ design / 40, identity, atol=1e-13)
    curvature = curvature_of(scaled(observations, how))
    np.testing.assert_allclose(curvature.eigenvalues, 2, rtol=1e-12)


def test_the_first_column_is_whitened_as_it_is_standardized() -> None:
    observations = longley()
    standardized, whitened = (
        scaling(observations, scale).apply(observations.augmented)[:, 0] for scale in SCALES
    )
    np.testing.assert_allclose(np.abs(whitened), np.abs(standardized), rtol=1e-9)


@pytest.mark.parametrize("condensed", [False, True])
def test_what_nist_certifies_comes_out_by_default(condensed: bool) -> None:
    data = all_condensed(longley()) if condensed else longley()
    fit = train(data)
    assert fit.settings.scale == "whiten"  # standardized, 1000 epochs are not enough
    assert fit.model.params == pytest.approx(CERTIFIED, rel=1e-10)
    assert (fit.loss * 16 / 9) ** 0.5 == pytest.approx(304.854073561965, rel=1e-11)
    standardized = train(data, scale="standardize")
    assert standardized.loss > 1.01 * fit.loss


@pytest.mark.parametrize("degree", [4, 6, 8])
def test_powers_that_are_almost_dependent(degree: int) -> None:
    x = np.linspace(20, 30, 50)
    powers = x[:, np.newaxis] ** np.arange(1, degree + 1)
    y = np.sin(x) + x
    fit = train(observations_from(powers, y))
    exact = np.polynomial.Polynomial.fit(x, y, degree)(x)  # by an orthogonal basis of its own
    assert fit.settings.scale == "whiten"
    assert fit.loss == pytest.approx(((exact - y) ** 2).mean(), rel=1e-6)
    predicted = fit.model.predict(powers)
    np.testing.assert_allclose(predicted, exact, rtol=0, atol=1e-4)


Columns = Callable[[FloatArray, FloatArray, FloatArray], list[FloatArray]]

# Columns, which of them vary, and which of those don't depend on the ones before.
DEPENDENT: dict[str, tuple[Columns, list[int], list[int]]] = {
    "a constant": (lambda a, b, c: [a, 0 * a + 0.1, b], [0, 2], [0, 2]),
    "constants alone": (lambda a, b, c: [0 * a, 0 * a + 1e9, 0 * a - 0.3], [], []),
    "almost a constant": (lambda a, b, c: [1e9 + 1e-6 * a, b, c], [0, 1, 2], [0, 1, 2]),
    "far from 0": (lambda a, b, c: [1e9 + a, 1e-9 * b, c], [0, 1, 2], [0, 1, 2]),
    "a sum": (lambda a, b, c: [a, b, a + b], [0, 1, 2], [0, 1]),
    "a multiple": (lambda a, b, c: [a, -7e6 * a + 3, b], [0, 1, 2], [0, 2]),
    "twice, and a constant": (lambda a, b, c: [0 * a, a, a], [1, 2], [1]),
}


@pytest.mark.parametrize("case", DEPENDENT)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("condensed", [False, True])
def test_columns_that_tell_nothing_get_weight_0(case: str, scale: Scale, condensed: bool) -> None:
    random = np.random.default_rng(0)
    make, varying, independent = DEPENDENT[case]
    x = np.column_stack(make(*random.normal(size=(3, 60))))
    y = x @ [1.0, -2.0, 0.5] / np.abs(x).max() + random.normal(size=60)
    observations = observations_from(x, y)
    if condensed:
        observations = all_condensed(observations)
    used = varying if scale == "standardize" else independent
    assert list(scaling(observations, scale).used) == used
    fit = train(observations, scale=scale)
    unused = set(range(3)) - set(used)
    assert [fit.model.w[place] for place in unused] == [0.0] * len(unused)
    centred = x - x.mean(axis=0)
    centred -= centred.mean(axis=0)  # the mean of numbers that lie close together is rounded
    w, *_ = np.linalg.lstsq(centred[:, independent], y - y.mean())
    residuals = centred[:, independent] @ w - (y - y.mean())
    # R of all rows is as exact as they are far from 0: a column of 10⁹ ± 1 keeps 7 digits.
    rel = 1e-6 if case == "far from 0" and condensed else 1e-9
    assert fit.loss == pytest.approx(residuals @ residuals / 60, rel=rel)


@pytest.mark.parametrize("features", [1, 4, 7])
@pytest.mark.parametrize("scale", SCALES)
def test_no_more_observations_than_features(scale: Scale, features: int) -> None:
    random = np.random.default_rng(features)
    for count in range(1, features + 1):
        x, y = random.normal(size=(count, features)), random.normal(size=count)
        fit = train(observations_from(x, y), scale=scale)
        assert fit.loss == pytest.approx(0, abs=1e-20)
        np.testing.assert_allclose(fit.model.predict(x), y, rtol=0, atol=1e-9)
        assert len(scaling(observations_from(x, y), "whiten").used) == count - 1


@pytest.mark.parametrize("scale", SCALES)
def test_condensed_rows_are_scaled_as_all_rows_are(tmp_path: Path, scale: Scale) -> None:
    raw = correlated(5, 4, count=3000, decades=3)
    rows = np.delete(raw.augmented, -2, axis=1)
    np.savetxt(tmp_path / "d.csv", rows, "%.17g", ",", header="a,b,c,d,y", comments="")
    condensed = Dataset((str(tmp_path / "d.csv"),)).observations(keep_rows=True)
    assert len(condensed.augmented) < 10
    one, other = (scaling(observations, scale) for observations in (raw, condensed))
    np.testing.assert_allclose(other.means, one.means, rtol=1e-12)
    np.testing.assert_allclose(other.deviations, one.deviations, rtol=1e-12)
    on = scaled(condensed, other)
    assert on.rows
    kept = np.concatenate(list(on.rows.blocks()))
    np.testing.assert_allclose(kept, other.apply(raw.augmented), rtol=0, atol=1e-12)
    # What stands for the rows has their inner products, whatever the signs in R.
    np.testing.assert_allclose(
        on.augmented.T @ on.augmented, kept.T @ kept, rtol=0, atol=1e-9 * 3000
    )
    fits = [train(observations, scale=scale) for observations in (raw, condensed)]
    assert fits[1].model.params == pytest.approx(fits[0].model.params, rel=1e-9)
    by_rows = train(condensed, scale=scale, loss="huber", huber_delta=1e9)  # ½ of the squared error
    assert by_rows.model.params == pytest.approx(fits[0].model.params, rel=1e-6)


def test_notes_name_columns_without_a_weight(gdfit: Gdfit) -> None:
    rows = "".join(f"{x},{2 * x},3,{x},{x * x}\n" for x in range(9))
    data = ("a,b,c,d,y\n" + rows).encode()
    (note,) = gdfit("train", "-", "-q", stdin=data).err.splitlines()
    assert (
        note == "gdfit: note: column c does not vary, but for rounding (it is 3): its weight is 0"
    )
    result = gdfit("train", "-", "-q", "--scale", "whiten", stdin=data)
    assert result.err.splitlines()[1:] == [
        f"gdfit: note: column {name} can be computed from the columns before it: its weight is 0"
        for name in "bd"
    ]
    w = [float(param) for param in result.out.split()]
    assert (w[1], w[2], w[3]) == (0, 0, 0)
    many = np.column_stack([np.arange(9.0), np.ones((9, 6)), np.arange(9.0) ** 2])
    header = ",".join([*(f"x{place}" for place in range(7)), "y"])
    np.savetxt("many.csv", many, delimiter=",", header=header, comments="")
    notes = gdfit("train", "many.csv", "-q").err.splitlines()
    assert len(notes) == 4
    assert notes[-1] == "gdfit: note: and so for 3 more columns"


def test_a_feature_as_it_was_read_is_what_is_predicted_at(gdfit: Gdfit) -> None:
    x: FloatArray = np.array([1e12, 2e12, 4e12])
    data = "x,y\n" + "".join(f"{value!r},{value / 1e12}\n" for value in x.tolist())
    for scale in SCALES:
        gdfit("train", "-", "--scale", scale, "-q", stdin=data.encode())
        assert float(gdfit("predict", "--x", "3e12").out) == pytest.approx(3, rel=1e-12)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("far", [0.0, 1e9])
def test_params_of_many_epochs_come_back_as_each_does(scale: Scale, far: float) -> None:
    random = np.random.default_rng(9)
    x = far + random.normal(2, 3, (40, 3))
    scaling = scaling_of(observations_from(x, random.normal(size=40)), scale)
    assert scaling
    params = random.normal(size=(5, 4))
    together = scaling.to_data(params)
    each = [scaling.to_data(row) for row in params]
    np.testing.assert_allclose(together, each, rtol=1e-12)
    again = [scaling.from_data(row) for row in each]
    np.testing.assert_allclose(again, params, rtol=1e-6 if far else 1e-12)
    # The loss is the same, so that ∂L/∂v · v′ = ∂L/∂w · w′ for any change v′, which is w′ there.
    grad, change = random.normal(size=(2, 4))
    assert scaling.gradient_to_data(grad) @ scaling.to_data(change) == pytest.approx(grad @ change)
