"""Weights of rows, and fits without an intercept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classed import target_for
from conftest import Gdfit
from gdfit import Observations, Settings, UsageError, observations_from, train
from gdfit.analysis.autograd import check_gradient
from gdfit.arrays import FloatArray
from gdfit.data.dataset import Dataset
from gdfit.data.text.dialect import Selection
from gdfit.descent.curvature import curvature_of
from gdfit.descent.settings import BackendName, LossName, OptimizerName, Scale
from gdfit.errors import NoObservationsError
from strd import PROBLEMS

LOSSES: tuple[LossName, ...] = get_args(LossName)
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)
SCALES: tuple[Scale, ...] = get_args(Scale)
RATES = {"gd": 0.05, "momentum": 0.01, "nesterov": 0.01, "adam": 0.1}
RATES |= {"adagrad": 0.1, "rmsprop": 0.01}  # the others find their own


def data() -> tuple[FloatArray, FloatArray, FloatArray]:
    """x, y and whole weights, some of them 0."""
    random = np.random.default_rng(4)
    x = random.normal([1, -2], 1, size=(60, 2))
    y = x @ [2.0, 1.0] + 3 + random.normal(size=60)
    return x, y, random.integers(0, 4, 60).astype(float)


def weighted(*, intercept: bool = True, loss: LossName = "mse") -> Observations:
    x, y, weights = data()
    y = target_for(loss, y)
    return observations_from(x, y, weights=weights, intercept=intercept)


def repeated(*, intercept: bool = True, loss: LossName = "mse") -> Observations:
    x, y, weights = data()
    y = target_for(loss, y)
    times = weights.astype(int)
    return observations_from(np.repeat(x, times, 0), np.repeat(y, times), intercept=intercept)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_weights_are_repeated_rows(
    loss: LossName, backend: BackendName, scale: Scale, intercept: bool
) -> None:
    options = Settings(lr=0.05, loss=loss, backend=backend, scale=scale, epochs=30, l2=0.01)
    first, second = (
        train(observations, settings=options, init=[1.0, 1, 1 if intercept else 0])
        for observations in (
            weighted(intercept=intercept, loss=loss),
            repeated(intercept=intercept, loss=loss),
        )
    )
    assert first.loss == pytest.approx(second.loss, rel=1e-12)
    assert first.model.params == pytest.approx(second.model.params, rel=1e-12, abs=1e-14)
    assert first.r_squared == pytest.approx(second.r_squared, rel=1e-12, nan_ok=True)
    assert first.observations.count == np.count_nonzero(data()[2])
    for one, other in zip(first.history, second.history, strict=True):
        assert one.grad == pytest.approx(other.grad, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_weights_with_every_optimizer(
    loss: LossName, backend: BackendName, optimizer: OptimizerName
) -> None:
    options = Settings(
        lr=RATES[optimizer], optimizer=optimizer, loss=loss, backend=backend, epochs=40
    )
    first, second = (
        train(each, settings=options) for each in (weighted(loss=loss), repeated(loss=loss))
    )
    assert first.model.params == pytest.approx(second.model.params, rel=1e-12)
    assert first.loss == pytest.approx(second.loss, rel=1e-12)


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("loss", LOSSES)
def test_rows_of_weight_0_change_nothing(
    loss: LossName, optimizer: OptimizerName, batch_size: int | None
) -> None:
    """Not in the last bit, wherever they stand and whatever they hold."""
    x, y, weights = data()
    y = target_for(loss, y)
    counts = weights > 0
    x[~counts], y[~counts] = 1e6, -1e9
    options = Settings(
        lr=RATES[optimizer] / 5, optimizer=optimizer, loss=loss, batch_size=batch_size, epochs=9
    )
    first, second = (
        train(observations_from(a, b, weights=v), settings=options)
        for a, b, v in ((x, y, weights), (x[counts], y[counts], weights[counts]))
    )
    assert [step.loss for step in first.history] == [step.loss for step in second.history]
    assert first.model.params == second.model.params


@pytest.mark.parametrize("loss", LOSSES)
def test_chosen_rates_know_of_weights(loss: LossName) -> None:
    first, second = (
        train(each, loss=loss, epochs=50, tol=1e-300)
        for each in (weighted(loss=loss), repeated(loss=loss))
    )
    assert first.settings.scale == second.settings.scale
    assert first.settings.lr == pytest.approx(second.settings.lr, rel=1e-6)
    assert first.loss == pytest.approx(second.loss, rel=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_batches_of_weighted_rows_have_the_gradient_of_the_whole_on_average(
    backend: BackendName,
) -> None:
    options = Settings(lr=1e-9, batch_size=9, backend=backend, epochs=1)
    x, y, weights = data()
    observations = observations_from(x[:54], y[:54], weights=weights[:54] + 0.5)
    one = train(observations, settings=options).history[0]  # of six batches of nine rows
    whole = train(observations, settings=replace(options, batch_size=None)).history[0]
    assert one.loss == pytest.approx(whole.loss, rel=1e-6)
    assert one.grad == pytest.approx(whole.grad, rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_of_weighted_rows(loss: LossName) -> None:
    for intercept in (True, False):
        params = np.array([0.3, -0.2, 0.7 if intercept else 0.0])
        observations = weighted(intercept=intercept, loss=loss)
        check = check_gradient(observations, params, Settings(loss=loss, l2=0.1))
        assert check.difference < 1e-6
        assert (check.gradients["manual"][-1] == 0) is not intercept


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=12, max_size=12).filter(
        lambda weights: sum(weight > 1e-3 for weight in weights) > 4
    )
)
def test_the_weighted_minimum_is_least_squares(weights: list[float]) -> None:
    x, y, _ = data()
    observations = observations_from(x[:12], y[:12], weights=weights)
    root = np.sqrt(weights)
    design = np.column_stack([x[:12], np.ones(12)]) * root[:, np.newaxis]
    expected = np.linalg.lstsq(design, y[:12] * root, rcond=None)[0]
    assert design @ train(observations, scale="whiten").model.params == pytest.approx(
        design @ expected, rel=1e-7, abs=1e-7 * np.abs(root).max()
    )


def test_weights_from_a_file_condensed_and_kept(gdfit: Gdfit) -> None:
    x, y, weights = data()
    rows = zip(*x.T.tolist(), y.tolist(), weights.tolist(), strict=True)
    Path("d.csv").write_text("a,b,y,v\n" + "".join(f"{a},{b},{y},{v}\n" for a, b, y, v in rows))
    expected = train(repeated(), lr=0.05, epochs=20)
    options = ["--lr", "0.05", "--epochs", "20", "--weights", "v"]
    for more in ([], ["--batch-size", "60"]):
        record = gdfit.json("train", "d.csv", *options, *more)
        assert record["features"] == ["a", "b"]
        assert [*record["w"], record["b"]] == pytest.approx(expected.model.params, rel=1e-12)
        assert record["loss"] == pytest.approx(expected.loss, rel=1e-12)
        assert record["observations"] == np.count_nonzero(weights)
    for loss in ("mae", "huber"):
        one = train(repeated(loss=loss), lr=0.05, epochs=20, loss=loss)
        record = gdfit.json("train", "d.csv", *options, "--loss", loss)
        assert record["w"] == pytest.approx(one.model.w, rel=1e-12)
    held_out = gdfit.json("train", "d.csv", *options, "--validation", "0.25")
    assert held_out["observations"] + held_out["validation_observations"] == record["observations"]
    same = gdfit.json("train", "d.csv", *options, "--validation", "d.csv")
    assert same["validation_loss"] == pytest.approx(same["loss"], rel=1e-12)


def test_rows_of_weight_0_count_for_nothing(gdfit: Gdfit) -> None:
    with_them = b"x,c,y,v\n1,a,2,1\n-1,z,9,0\n2,b,3,1\n3,a,5,2\n4,b,4,1\n0,y,7,0.0\n"
    without = b"x,c,y,v\n1,a,2,1\n2,b,3,1\n3,a,5,2\n4,b,4,1\n"
    options = ["--weights", "v", "--features", "log(x),c", "--target", "y"]
    first, second = (
        gdfit.json("train", "-", *options, stdin=data) for data in (with_them, without)
    )
    assert first == second
    assert first["observations"] == 4


def test_units_of_rows_of_weight_0(tmp_path: Path) -> None:
    rows = ["1,2,1\n", *["-1,9,0\n"] * 50, "2,3,1\n", *["0,7,0\n"] * 50]
    (tmp_path / "d.csv").write_text("x,y,v\n" + "".join(rows))
    selection = Selection(features=("log(x)",), target="y", weights="v")
    found = Dataset((str(tmp_path / "d.csv"),), selection, unit_bytes=40).observations()
    assert found.count == 2
    assert found.first.tolist() == [[0.0, 2.0], [np.log(2.0), 3.0]]


@pytest.mark.parametrize(
    ("options", "data", "told"),
    [
        (
            "--weights v",
            "x,y,v\n1,2,1\n2,3,-0.5\n",
            "line 3, column 'v': a weight can't be negative, as -0.5 is",
        ),
        ("--weights v", "x,y,v\n1,2,1\n2,3,\n", "line 3, column 'v': the field is empty"),
        ("--weights v", "x,y,v\n1,2,1\n2,3,a\n", "line 3, column 'v': 'a' is not a number"),
        ("--weights v", "x,y,v\n1,2,0\n2,3,0\n", "there are no observations with a weight above 0"),
        ("--weights w", "x,y,v\n1,2,1\n2,3,1\n", "there is no column 'w'"),
        (
            "--weights v --target v",
            "x,y,v\n1,2,1\n2,3,1\n",
            "column 'v' is both the target and in --weights",
        ),
        (
            "--weights v --exclude v",
            "x,y,v\n1,2,1\n2,3,1\n",
            "column 'v' is both in --weights and in --exclude",
        ),
        (
            "--no-intercept --init 1,2",
            "x,y,v\n1,2,1\n2,3,1\n",
            "--init has b = 2, and without an intercept b is 0",
        ),
    ],
)
def test_what_weights_can_not_be(gdfit: Gdfit, options: str, data: str, told: str) -> None:
    if "--init" in options:
        options += " --exclude v"
    result = gdfit("train", "-", *options.split(), stdin=data.encode())
    assert result.status in (1, 2)
    assert result.err.count("\n") == 1
    assert told in result.err


def test_weights_in_python() -> None:
    for wrong in ([1.0, 2], [1, -1, 1], [1, np.nan, 1]):
        with pytest.raises(Exception, match="weights"):
            observations_from([1, 2, 3], [1, 2, 4], weights=wrong)
    with pytest.raises(NoObservationsError):
        observations_from([1, 2, 3], [1, 2, 4], weights=[0, 0, 0])
    with pytest.raises(UsageError, match="without an intercept"):
        train(observations_from([1, 2, 3], [1, 2, 4], intercept=False), init=[1.0, 1.0])


@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("loss", LOSSES)
def test_without_an_intercept_b_stays_0(loss: LossName, optimizer: OptimizerName) -> None:
    observations = weighted(intercept=False, loss=loss)
    for backend in BACKENDS:
        for batch_size in (None, 7):
            fit = train(
                observations,
                init="random",
                lr=RATES[optimizer] / 10,
                loss=loss,
                optimizer=optimizer,
                backend=backend,
                batch_size=batch_size,
                epochs=10,
            )
            assert fit.model.b == 0
            assert all(step.params[-1] == step.grad[-1] == 0 for step in fit.history)


@pytest.mark.parametrize("scale", SCALES)
def test_without_an_intercept_nothing_is_centred(scale: Scale) -> None:
    x, y, _ = data()
    observations = observations_from(x, y, intercept=False)
    fit = train(observations, scale=scale, epochs=3000)
    expected = np.linalg.lstsq(x, y, rcond=None)[0]
    assert fit.model.w == pytest.approx(expected, rel=1e-9)
    assert fit.r_squared == pytest.approx(1 - ((x @ expected - y) ** 2).sum() / (y**2).sum())
    if fit.scaling:
        assert fit.scaling.means.tolist() == [0, 0]
        assert fit.scaling.deviations == pytest.approx(np.sqrt((x**2).mean(axis=0)))
    curvature = curvature_of(observations)
    assert curvature.is_unique
    assert len(curvature.eigenvalues) == 2
    assert curvature.minimum == pytest.approx([*expected, 0])


def test_a_column_that_does_not_vary_is_used_without_an_intercept(gdfit: Gdfit) -> None:
    rows = b"one,x,y\n1,1,3\n1,2,5\n1,4,9\n"
    record = gdfit.json("train", "-", "--no-intercept", stdin=rows)
    assert (record["w"], record["b"]) == (pytest.approx([1, 2]), 0)


def test_commands_without_an_intercept(gdfit: Gdfit) -> None:
    rows = b"x,y\n1,2.1\n2,3.9\n3,6.2\n"
    record = gdfit.json("train", "-", "--no-intercept", stdin=rows)
    assert record["intercept"] is False
    assert gdfit("predict", "--x", "10").out == f"{record['w'][0] * 10}\n"
    evaluated = gdfit.json("evaluate", "-", stdin=rows)
    assert evaluated["r_squared"] == pytest.approx(record["r_squared"], rel=1e-12)
    tree = gdfit("graph", "-", "--no-intercept", stdin=rows)
    assert "w: a tensor" in tree.out
    assert "b: a tensor" not in tree.out
    for command in ("gradcheck", "curvature"):
        assert gdfit(command, "-", "--no-intercept", stdin=rows).status == 0
    assert gdfit("train", "-", "--no-intercept", "--plot", "p.png", stdin=rows).status == 0
    assert gdfit("train", "-", "--no-intercept", "--chart", stdin=rows).status == 0


def digits(value: float, certified: float) -> float:
    """The log relative error."""
    return np.inf if value == certified else -np.log10(abs(value / certified - 1))


@pytest.mark.parametrize(
    ("name", "degree", "wanted"),
    [
        ("Filip", 10, 6),
        ("Pontius", 2, 9),
        ("Wampler1", 5, 8),
        ("Wampler2", 5, 9),
        ("Wampler3", 5, 8),
        ("Wampler4", 5, 7),
        ("Wampler5", 5, 5),
        ("NoInt1", 1, 11),
        ("NoInt2", 1, 11),
    ],
)
def test_descent_on_whitened_powers_finds_what_nist_certifies(
    gdfit: Gdfit, name: str, degree: int, wanted: float
) -> None:
    """As anyone types it, with the epochs that there are by default."""
    problem = PROBLEMS[name]
    rows = zip(problem.x, problem.y, strict=True)
    Path("d.csv").write_text("x,y\n" + "".join(f"{float(x[0])!r},{float(y)!r}\n" for x, y in rows))
    options = ["--degree", degree, "--scale", "whiten"]
    if not problem.intercept:
        options = ["--no-intercept"]
    record = gdfit.json("train", "d.csv", *options)
    found = [*record["w"], record["b"]] if problem.intercept else record["w"]
    certified = [param for param, _ in problem.params]
    assert min(map(digits, found, certified)) >= wanted
