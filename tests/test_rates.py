"""The learning rate that ``auto`` stands for: nothing beats it, and what it foretells comes out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdfit.arrays import FloatArray
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent import curvature
from gdfit.descent.curvature import Curvature, curvature_of
from gdfit.descent.learning_rate import excess_of
from gdfit.descent.run import train


def parabola(eigenvalues: list[float], minimum: list[float]) -> Curvature:
    """A loss with these eigenvalues along the axes."""
    order = np.argsort(eigenvalues)[::-1]
    return Curvature(
        eigenvalues=np.array(eigenvalues)[order],
        eigenvectors=np.eye(len(eigenvalues))[:, order],
        minimum=np.array(minimum),
        minimum_loss=0.0,
    )


def best_rate(curvature: Curvature, start: FloatArray, epochs: int) -> float:
    """The rate that ``auto`` stands for."""
    return float(excess_of(curvature, start).best_rate(epochs))


def random_observations(seed: int, features: int, decades: float) -> Observations:
    """Correlated columns, whose sizes spread over `decades` powers of ten."""
    random = np.random.default_rng(seed)
    mixed = random.normal(1, 1, (40, features)) @ random.normal(size=(features, features))
    x = mixed * 10 ** random.uniform(-decades / 2, decades / 2, features)
    return observations_from(x, random.normal(2, 1, 40) + mixed.sum(axis=1))


def losses_descended(
    observations: Observations, start: FloatArray, rates: FloatArray, epochs: int
) -> FloatArray:
    """The loss after descending at each of `rates`, epoch by epoch on the rows themselves."""
    design, target, count = observations.design, observations.target, observations.count
    params = np.repeat(start[:, np.newaxis], len(rates), axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(epochs):
            params -= rates * (2 / count) * (design.T @ (design @ params - target[:, np.newaxis]))
        losses = ((design @ params - target[:, np.newaxis]) ** 2).mean(axis=0)
    return np.where(np.isfinite(losses), losses, np.inf)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.floats(0, 6),
    st.sampled_from([1, 2, 3, 10, 100, 1000]),
)
def test_no_rate_beats_it(seed: int, features: int, decades: float, epochs: int) -> None:
    observations = random_observations(seed, features, decades)
    curvature = curvature_of(observations)
    start = np.random.default_rng(seed).normal(size=features + 1)
    best = best_rate(curvature, start, epochs)
    grid = np.concatenate(
        [
            [best],
            np.geomspace(1e-3 / curvature.lambda_max, 4 / curvature.lambda_max, 100),
            best * np.geomspace(0.5, 2, 100),
        ]
    )
    losses = losses_descended(observations, start, grid, epochs)
    # Where the loss starts at 10¹² times the minimum, rounding is that much of it too.
    first = ((observations.design @ start - observations.target) ** 2).mean()
    assert losses[0] <= losses.min() * (1 + 1e-8) + 1e-13 * first


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(-9, 9), min_size=1, max_size=8),
    st.integers(0, 2**32 - 1),
    st.floats(0, 9),
)
def test_no_rate_is_foretold_to_beat_it(powers: list[float], seed: int, digits: float) -> None:
    random = np.random.default_rng(seed)
    curvature = parabola(
        (10 ** np.array(powers)).tolist(), random.normal(size=len(powers)).tolist()
    )
    start, epochs = np.zeros(len(powers)), round(10**digits)
    best = best_rate(curvature, start, epochs)
    grid = np.concatenate(
        [
            np.geomspace(0.1 / curvature.lambda_max, 2 / curvature.lambda_min, 100),
            best * (1 + near()),
        ]
    )
    least = min(excess_after(curvature, start, float(rate), epochs) for rate in grid)
    first = excess_after(curvature, start, 0.0, epochs)
    assert excess_after(curvature, start, best, epochs) <= least * (1 + 1e-6) + 1e-24 * first


def excess_after(curvature: Curvature, start: FloatArray, rate: float, epochs: int) -> float:
    """What the loss is above its minimum after `epochs` epochs of gradient descent at `rate`."""
    return float(excess_of(curvature, start).after(np.array(rate), epochs))


def near() -> FloatArray:
    """Small differences of all sizes, up and down."""
    sizes = np.geomspace(1e-15, 0.5, 50)
    return np.concatenate([-sizes, sizes])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 300), st.floats(0.1, 1.001))
def test_what_is_foretold_comes_out(seed: int, features: int, epochs: int, part: float) -> None:
    observations = random_observations(seed, features, 1.0)
    curvature = curvature_of(observations)
    start = np.random.default_rng(seed).normal(size=features + 1)
    rate = part * curvature.max_stable_lr
    fit = train(observations, init=start.tolist(), lr=rate, epochs=epochs)
    foretold = curvature.minimum_loss + excess_after(curvature, start, rate, epochs)
    assert fit.loss == pytest.approx(foretold, rel=1e-6)


def test_one_epoch_is_an_exact_line_search() -> None:
    curvature = parabola([5.0, 2.0, 0.5], [1.0, -2.0, 3.0])
    grad = curvature.eigenvalues * -curvature.minimum
    exact = (grad @ grad) / (grad @ (curvature.eigenvalues * grad))
    assert best_rate(curvature, np.zeros(3), 1) == pytest.approx(exact, rel=1e-12)
    # Here that is above 2/λmax: the start is almost at the minimum of the steepest direction.
    flat = parabola([100.0, 1.0], [1e-9, 1.0])
    assert best_rate(flat, np.zeros(2), 1) == pytest.approx(1, rel=1e-9)


def test_many_epochs_lead_to_the_best_rate_in_the_limit() -> None:
    curvature = parabola([8.0, 3.0, 2.0], [1.0, -2.0, 3.0])
    for epochs in (10**6, 10**9):
        best = best_rate(curvature, np.zeros(3), epochs)
        assert best == pytest.approx(curvature.best_lr, rel=10 / epochs)
    assert best_rate(curvature, np.zeros(3), 10) != pytest.approx(curvature.best_lr, rel=1e-3)


def test_a_direction_in_which_the_loss_is_flat_does_not_count() -> None:
    curved = best_rate(parabola([8.0, 2.0], [1.0, 1.0]), np.zeros(2), 50)
    assert best_rate(parabola([8.0, 2.0, 0.0], [1.0, 1.0, 0.0]), np.array([0, 0, 7.0]), 50) == (
        pytest.approx(curved, rel=1e-12)
    )


@pytest.mark.parametrize("minimum", [[0.0, 0.0, 0.0], [4.0, -7.0, 1.0]])
@pytest.mark.parametrize("epochs", [1, 1000, 10**9])
def test_starting_at_the_minimum(minimum: list[float], epochs: int) -> None:
    curvature = parabola([10.0, 1.0, 0.1], minimum)
    best = best_rate(curvature, np.array(minimum), epochs)
    assert best > 0
    assert excess_after(curvature, np.array(minimum), best, epochs) < 1e-25


def test_rounding_is_reckoned_with_above_the_stable_rate() -> None:
    # Exactly at the minimum of the steep direction, a rate of 1 would be perfect without rounding.
    curvature = parabola([100.0, 1.0], [0.0, 1.0])
    best = best_rate(curvature, np.zeros(2), 1000)
    assert best < 1.01 * curvature.max_stable_lr
    assert excess_after(curvature, np.zeros(2), 1.0, 1000) == math.inf


def test_a_thousand_columns_of_all_sizes() -> None:
    random = np.random.default_rng(1)
    curvature = parabola(
        (10 ** random.uniform(-8, 8, 1001)).tolist(), random.normal(size=1001).tolist()
    )
    best = best_rate(curvature, np.zeros(1001), 1000)
    least = excess_after(curvature, np.zeros(1001), best, 1000)
    assert 0 < best <= 2 / curvature.lambda_max
    assert least < excess_after(curvature, np.zeros(1001), best * (1 - 1e-4), 1000)
    assert least < excess_after(curvature, np.zeros(1001), best * (1 + 1e-4), 1000)


def test_axes_of_many_columns_are_those_of_the_singular_values() -> None:
    design = np.random.default_rng(4).normal(size=(curvature.MANY * 3, curvature.MANY))
    singular, axes = curvature.principal_axes(design)
    np.testing.assert_allclose(singular, np.linalg.svd(design, compute_uv=False), rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(design @ axes.T, axis=0), singular, rtol=1e-12)
    np.testing.assert_allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-12)
