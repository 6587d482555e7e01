"""The gradient by hand, by autograd and by central differences is one and the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdfit.analysis.autograd import GraphNode, check_gradient, loss_graph
from gdfit.arrays import FloatArray
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.losses import loss_of
from gdfit.descent.objective import BACKENDS, whole_objective
from gdfit.descent.settings import BackendName, LossName, Settings

MANUAL, AUTOGRAD = Settings(backend="manual"), Settings(backend="autograd")


def random_case(seed: int, features: int, count: int) -> tuple[Observations, FloatArray]:
    """Observations and params, far from where the gradient vanishes."""
    random = np.random.default_rng(seed)
    x = random.normal(random.uniform(-3, 3, features), random.uniform(0.5, 2, features))
    x = random.normal(x, 1.0, (count, features))
    return observations_from(x, random.normal(size=count)), random.uniform(1, 3, features + 1)


def differences(observations: Observations, params: FloatArray) -> FloatArray:
    """The limit definition; exact for a parabola, whatever the step, but for rounding."""
    objective = whole_objective(observations, MANUAL)
    steps = np.eye(len(params))
    return np.array(
        [(objective(params + step)[0] - objective(params - step)[0]) / 2 for step in steps]
    )


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 60))
def test_manual_is_autograd_is_central_differences(seed: int, features: int, count: int) -> None:
    observations, params = random_case(seed, features, count)
    loss, manual = whole_objective(observations, MANUAL)(params)
    autograd_loss, autograd = whole_objective(observations, AUTOGRAD)(params)
    scale = np.abs(manual).max()
    assert autograd_loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(autograd, manual, rtol=1e-9, atol=1e-12 * scale)
    np.testing.assert_allclose(
        differences(observations, params), manual, rtol=1e-9, atol=1e-10 * scale
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_gradient_worked_by_hand(backend: BackendName) -> None:
    # x = 1, 2; y = 1, 3; w = 1, b = 1: ŷ = 2, 3; ŷ − y = 1, 0.
    objective = whole_objective(observations_from([1, 2], [1, 3]), Settings(backend=backend))
    loss, grad = objective(np.array([1.0, 1.0]))
    assert loss == 0.5
    assert grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_objective_leaves_its_params_alone(backend: BackendName) -> None:
    objective = whole_objective(observations_from([1, 2], [1, 3]), Settings(backend=backend))
    params = np.array([1.0, 1.0])
    first = objective(params)
    second = objective(params)
    assert params.tolist() == [1.0, 1.0]
    assert first[0] == second[0]
    assert first[1].tolist() == second[1].tolist()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_residual_that_is_rounding_has_no_slope(backend: BackendName) -> None:
    # 0.1·3 + 0.1·6 − 0.9 is −1.1e-16: 0 but for rounding, and the other residual is 1.
    observations = observations_from([[3, 6], [1, 2]], [0.9, -0.7], intercept=False)
    objective = whole_objective(observations, Settings(loss="mae", backend=backend))
    loss, grad = objective(np.array([0.1, 0.1, 0.0]))
    assert loss == 0.5
    assert grad.tolist() == [0.5, 1.0, 0.0]
    # Beyond float64, nothing is rounding.
    with np.errstate(over="ignore", invalid="ignore"):
        assert not objective(np.array([1e308, 1e308, 0.0]))[0] < np.inf


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_what_is_left_at_a_minimum_is_rounding(loss: LossName) -> None:
    for seed in range(20):
        random = np.random.default_rng(seed)
        x = random.uniform(1, 2, (20, 2)) * 10.0 ** random.integers(-3, 4)
        params = np.append(random.uniform(-2, 2, 2), 1.3)
        observations = observations_from(x, x @ params[:2] + 1.3)
        assert check_gradient(observations, params, Settings(loss=loss)).difference < 1e-6


@pytest.mark.parametrize("weighed", [False, True])
def test_a_graph_has_the_mean_loss_and_its_gradient(weighed: bool) -> None:
    observations, params = random_case(5, 2, 9)
    assert observations.rows
    x, y = observations.design[:, :2], observations.target
    v = np.arange(9) + 1.0 if weighed else np.ones(9)
    data = observations_from(x, y, weights=v if weighed else None)
    root = loss_graph(data, params, loss_of(Settings()))
    errors = x @ params[:2] + params[2] - y
    assert root.data == pytest.approx(v @ errors**2 / v.sum())
    leaves = {node.name: node.grad for node in walked(root) if node.grad is not None}
    np.testing.assert_allclose(leaves["w"], 2 * (v * errors) @ x / v.sum())
    assert leaves["b"] == pytest.approx(2 * v @ errors / v.sum())


def walked(node: GraphNode) -> Iterator[GraphNode]:
    """A node and those before it."""
    yield node
    for earlier in node.inputs:
        yield from walked(earlier)


@pytest.mark.parametrize("loss", ["mse", "huber"])
@pytest.mark.parametrize("size", [1.0, 1e5])
def test_differences_hold_for_large_params(loss: LossName, size: float) -> None:
    observations, params = random_case(3, 2, 30)
    settings = Settings(loss=loss, huber_delta=size)
    scaled = observations_from(observations.design[:, :2], size * observations.target)
    assert check_gradient(scaled, size * params, settings).difference < 1e-6
