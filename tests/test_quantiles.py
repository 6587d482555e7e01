"""The quantile loss, whose minimum is that of a linear program."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

import gdfit as library
from conftest import SAMPLES, Gdfit
from gdfit.arrays import FloatArray

LEVELS = [0.05, 0.25, 0.5, 0.9]


def data(count: int = 80, features: int = 2, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Rows with noise whose width grows with the first feature."""
    random = np.random.default_rng(seed)
    x = random.uniform(0, 4, (count, features))
    return x, x @ np.arange(1, features + 1) + 2 + (0.2 + x[:, 0]) * random.normal(size=count)


def least_loss(x: FloatArray, y: FloatArray, level: float, weights: FloatArray) -> float:
    """The least mean of max(τr, (τ − 1)r), by a linear program in θ, r⁺ and r⁻."""
    count, design = len(y), np.column_stack([x, np.ones(len(x))])
    costs = [np.zeros(design.shape[1]), level * weights, (1 - level) * weights]
    equal = np.hstack([design, np.eye(count), -np.eye(count)])
    free = [(None, None)] * design.shape[1] + [(0, None)] * (2 * count)
    found = linprog(np.concatenate(costs) / weights.sum(), A_eq=equal, b_eq=y, bounds=free)
    assert found.status == 0
    return float(found.fun)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(3))
def test_the_minimum_is_the_linear_programs(level: float, seed: int) -> None:
    x, y = data(features=1 + seed, seed=seed)
    several = np.random.default_rng(seed).integers(1, 4, len(y)).astype(float)
    for weights in (np.ones_like(y), several):
        rows = library.observations_from(x, y, weights=weights)
        fit = library.train(rows, loss="quantile", quantile=level, epochs=3000)
        least = least_loss(x, y, level, weights)
        assert fit.minimum_loss == pytest.approx(least, rel=1e-8)
        assert least <= fit.loss <= 1.05 * least


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(6))
def test_the_minimum_where_most_rows_lie_on_a_plane(level: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(0, 5, (12, 1 + seed % 3)).astype(float)
    y = x.sum(axis=1)
    y[: seed // 3] += random.normal(size=seed // 3)
    found = library.train(x, y, loss="quantile", quantile=level, epochs=1).minimum_loss
    assert found == pytest.approx(least_loss(x, y, level, np.ones(len(y))), rel=1e-9, abs=1e-12)


def test_the_minimum_of_the_absolute_error_is_twice_that_of_the_median() -> None:
    x, y = data()
    absolute = library.train(x, y, loss="mae", epochs=1)
    assert absolute.minimum_loss == pytest.approx(2 * least_loss(x, y, 0.5, np.ones(len(y))))


@pytest.mark.parametrize("level", LEVELS)
def test_so_many_rows_lie_below(level: float) -> None:
    x, y = data(400)
    fit = library.train(x, y, loss="quantile", quantile=level, epochs=5000)
    below = np.mean(y < np.asarray(fit.predict(x)))
    assert below == pytest.approx(level, abs=0.02)


def test_both_backends_agree() -> None:
    x, y = data()
    fits = [
        library.train(x, y, loss="quantile", quantile=0.8, lr=0.05, epochs=1000, backend=backend)
        for backend in ("manual", "autograd")
    ]
    one, other = ([step.loss for step in fit.history] for fit in fits)
    assert one == pytest.approx(other, rel=1e-9)


def test_the_command(gdfit: Gdfit) -> None:
    houses = SAMPLES / "houses.csv"
    fit = gdfit.json("train", houses, "--loss", "quantile", "--quantile", "0.9")
    assert (fit["loss_function"], fit["quantile"]) == ("quantile", 0.9)
    assert 0 < fit["pseudo_r_squared"] < 1
    two = b"x,y\n0,1\n0,3\n1,2\n1,4\n"  # any line between them has the least loss
    result = gdfit("train", "-", "--loss", "mae", stdin=two)
    assert " minimum     reached: no other params have a smaller loss\n" in result.out
    assert "0 %" not in result.out
    same = b"x,y\n1,2\n2,2\n3,2\n"
    result = gdfit("train", "-", "--loss", "quantile", "--epochs", "9", stdin=same)
    assert " R¹          none: the target does not vary\n" in result.out
    low = gdfit.json("train", houses, "--loss", "quantile", "--quantile", "0.1")
    assert low["predictions"][0]["y"] < fit["predictions"][0]["y"]
    for wrong in (("--loss", "quantile", "--quantile", "1"), ("--quantile", "0.9")):
        result = gdfit("train", houses, *wrong)
        assert result.status == 2
        assert result.err.count("\n") == 1
