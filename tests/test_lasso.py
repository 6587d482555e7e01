"""The penalty λ₁‖w‖₁: its minimum against scikit-learn's, descent to it with each rule that takes a
threshold, weights that are exactly 0, and what the command line says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.preprocessing import StandardScaler

import gdfit as library
from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.arrays import FloatArray
from gdfit.descent.optimizers import update_of
from gdfit.descent.run import Run
from gdfit.descent.settings import LossName, ProximalName, Settings
from gdfit.sklearn import GradientDescentRegressor

GREENHOUSE = SAMPLES / "greenhouse.csv"
LOADED: dict[str, Callable[[], Any]] = {
    "diabetes": datasets.load_diabetes,
    "wine": datasets.load_wine,
    "cancer": datasets.load_breast_cancer,
    "iris": datasets.load_iris,
    "linnerud": datasets.load_linnerud,
}


def real_data(name: str) -> tuple[FloatArray, FloatArray]:
    """Standardized columns of a data set, and one of its columns as the target."""
    data = LOADED[name]()
    x, y = data.data, data.target
    if name != "diabetes":  # whose target is a number
        x, y = x[:, 1:], x[:, 0]
    return StandardScaler().fit_transform(x), np.asarray(y, np.float64)


def steepest(x: FloatArray, y: FloatArray) -> float:
    """The least λ₁ that makes all weights 0."""
    return 2 * float(np.abs(x.T @ (y - y.mean())).max()) / len(y)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("name", LOADED)
def test_the_minimum_is_that_of_scikit_learn(name: str, ridge: float) -> None:
    x, y = real_data(name)
    for part in (0.5, 0.1, 0.01, 0.001):
        l1 = part * steepest(x, y)
        l2 = ridge * l1
        run = Run(x, y, l1=l1, l2=l2, scale="standardize", epochs=1)
        # ½MSE + α(ρ‖w‖₁ + ½(1 − ρ)‖w‖²) is half of MSE + λ₁‖w‖₁ + λ‖w‖².
        theirs = ElasticNet(alpha=l1 / 2 + l2, l1_ratio=l1 / (l1 + 2 * l2), tol=1e-13)
        theirs.set_params(max_iter=10**6).fit(x, y)
        assert run.curvature
        w = run.curvature.minimum[:-1]
        np.testing.assert_allclose(w, theirs.coef_, rtol=1e-6, atol=1e-8 * np.abs(w).max())
        assert ((w == 0) == (theirs.coef_ == 0)).all()
        slopes = 2 * (x @ w - y + y.mean()) @ x / len(y) + 2 * l2 * w
        np.testing.assert_allclose(slopes[w != 0], -l1 * np.sign(w[w != 0]), rtol=1e-9)
        assert (np.abs(slopes) <= l1 * (1 + 1e-9)).all()


@pytest.mark.parametrize("backend", ["manual", "autograd"])
@pytest.mark.parametrize("optimizer", get_args(ProximalName))
def test_descent_arrives_there_with_weights_that_are_exactly_zero(
    optimizer: ProximalName, backend: Any
) -> None:
    x, y = datasets.load_diabetes(return_X_y=True)
    l1 = 0.1 * steepest(StandardScaler().fit_transform(x), y)
    fit = library.train(x, y, l1=l1, optimizer=optimizer, backend=backend, epochs=3000)
    assert fit.curvature
    minimum = fit.curvature.minimum
    assert fit.settings.scale == "standardize"
    assert fit.arrived
    np.testing.assert_allclose(fit.params, minimum, atol=1e-9 * np.abs(minimum).max())
    assert ((fit.params == 0) == (minimum == 0)).all()
    assert (fit.params[:-1] == 0).any()
    w = np.array(fit.model.w)
    assert ((w == 0) == (fit.params[:-1] == 0)).all()
    assert not np.signbit(w[w == 0]).any()
    assert fit.model.facts["nonzero"] == np.count_nonzero(w)
    assert fit.loss == pytest.approx(fit.minimum_loss, rel=1e-12)


def test_the_excess_is_the_difference_of_the_losses() -> None:
    x, y = real_data("wine")
    run = Run(x, y, l1=0.2 * steepest(x, y), l2=0.01, scale="standardize", epochs=1)
    assert run.curvature
    random = np.random.default_rng(1)
    for _ in range(5):
        params = run.curvature.minimum + random.normal(size=x.shape[1] + 1)
        above = run.objective(params)[0] - run.curvature.minimum_loss
        assert run.curvature.excess(params) == pytest.approx(above, rel=1e-10)
    for name in get_args(ProximalName):  # it is a fixed point of each rule
        settings = Settings(l1=run.settings.l1, optimizer=name)
        minimum = run.curvature.minimum
        moved, _ = update_of(settings)(minimum, run.objective(minimum)[1], {}, np.array(0.01))
        np.testing.assert_allclose(moved, minimum, atol=1e-12)


@pytest.mark.parametrize("scale", ["standardize", "none"])
@pytest.mark.parametrize("dependent", [False, True])
def test_conditions_hold_where_columns_depend_on_each_other(scale: Any, dependent: bool) -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=(60, 6)) * [1, 100, 0.01, 1, 1, 1] + [0, 1e5, 0, 0, 3, 0]
    if dependent:
        x = np.column_stack([x, x[:, 0], x[:, 3] + x[:, 4], np.full(60, 2.5)])
    y = x[:, 3] + x[:, 4] + x[:, 0] + random.normal(size=60)
    run = Run(x, y, l1=0.05, scale=scale, lr=1e-12, epochs=1)
    assert run.curvature
    minimum = run.curvature.minimum
    slopes = run.objective(minimum)[1]
    w = minimum[:-1]
    assert (np.abs(slopes[:-1]) <= 0.05 * (1 + 1e-7)).all()
    assert abs(slopes[-1]) < 1e-7
    np.testing.assert_allclose(slopes[:-1][w != 0], -0.05 * np.sign(w[w != 0]), rtol=1e-6)


@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_logistic_with_l1_is_that_of_scikit_learn(ridge: float) -> None:
    data = datasets.load_breast_cancer()
    x, y = StandardScaler().fit_transform(data.data), data.target
    l1 = 0.01
    both = l1 * (1 + 2 * ridge)
    fit = library.train(x, y, loss="logistic", l1=l1, l2=ridge * l1, optimizer="nesterov")
    theirs = LogisticRegression(solver="saga", C=1 / (both * len(y)), l1_ratio=l1 / both)
    theirs.set_params(tol=1e-9, max_iter=10**5).fit(x, y)
    assert fit.arrived
    assert fit.curvature
    w = fit.curvature.minimum[:-1]
    np.testing.assert_allclose(w, theirs.coef_[0], atol=1e-6)
    assert ((w == 0) == (theirs.coef_[0] == 0)).all()


@pytest.mark.parametrize("loss", ["huber", "mae", "quantile"])
def test_other_losses_descend_with_it_and_no_minimum_is_claimed(loss: LossName) -> None:
    x, y = datasets.load_diabetes(return_X_y=True)
    fit = library.train(x, y, loss=loss, l1=0.3, epochs=300)
    plain = library.train(x, y, loss=loss, epochs=300)
    assert fit.minimum_loss is None
    assert fit.arrived is None
    assert int(str(fit.model.facts["nonzero"])) < 10 == plain.model.facts["nonzero"]


def test_mini_batches_take_a_threshold_each() -> None:
    x, y = datasets.load_diabetes(return_X_y=True)
    l1 = 0.1 * steepest(StandardScaler().fit_transform(x), y)
    fit = library.train(x, y, l1=l1, batch_size=50, lr=0.003, scale="standardize", epochs=300)
    assert fit.minimum_loss
    assert fit.loss < 1.01 * fit.minimum_loss
    assert int(str(fit.model.facts["nonzero"])) < 10


def test_a_run_goes_on_exactly() -> None:
    x, y = datasets.load_diabetes(return_X_y=True)
    for optimizer in get_args(ProximalName):
        how: dict[str, Any] = {"l1": 5.0, "optimizer": optimizer, "scale": "standardize"}
        whole = library.train(x, y, lr=0.01, epochs=40, **how)
        half = library.train(x, y, lr=0.01, epochs=15, **how)
        rest = library.train(x, y, lr=0.01, epochs=25, init=half.model, **how)
        assert rest.model.params == whole.model.params


def test_scikit_learn_calls_it_l1_ratio() -> None:
    x, y = real_data("wine")
    ours = GradientDescentRegressor(alpha=0.1, l1_ratio=0.5, max_iter=3000, tol=1e-12).fit(x, y)
    fit = library.train(x, y, l1=0.05, l2=0.05, epochs=3000, tol=1e-12)
    np.testing.assert_allclose(ours.coef_, fit.model.w, rtol=1e-12)
    with pytest.raises(ValueError, match="l1_ratio takes a number from 0 to 1, not 2"):
        GradientDescentRegressor(alpha=0.1, l1_ratio=2).fit(x, y)


def test_the_command_line_tells_it(gdfit: Gdfit) -> None:
    table = gdfit("train", GREENHOUSE, "--l1", "2").out
    assert "penalty on the weights of (x − mean)/std of each x" in table
    assert "grad is of the loss without λ₁‖w‖₁, which is a threshold after each step" in table
    found = gdfit.json("train", GREENHOUSE, "--l1", "2")
    assert found["nonzero"] == sum(weight != 0 for weight in found["w"]) < len(found["w"])
    assert found["l1"] == 2
    assert found["penalty_scale"] == "standardize"
    assert f" nonzero     {found['nonzero']} of {len(found['w'])} weights" in table
    assert "fitted to MSE + 2·‖w‖₁" in gdfit("summary", GREENHOUSE).out


def test_compare_takes_several(gdfit: Gdfit) -> None:
    runs: Any = gdfit.json("compare", GREENHOUSE, "--l1", "0,0.5,2", "--l2", "0,0.1")
    assert {(run["l1"], run["l2"]) for run in runs} == {
        (l1, l2) for l1 in (0, 0.5, 2) for l2 in (0, 0.1)
    }
    alone = gdfit.json("train", GREENHOUSE, "--l1", "2", "--l2", "0.1")
    assert alone["loss"] in [run["loss"] for run in runs]
    best = gdfit("compare", GREENHOUSE, "--l1", "0.5,2", "--cv", "4").out
    assert "gdfit train" in best
    assert "--cv 4 --l1 0.5" in best
    assert (
        "l2 0, l1 2  each param" in gdfit("compare", GREENHOUSE, "--l1", "0,2", "--l2", "0,1").out
    )


@pytest.mark.parametrize(
    ("options", "said"),
    {
        "--l1 1 --optimizer adam": "--l1 takes a threshold after each step of --optimizer gd or ",
        "--l1 1 --scale whiten": "which --scale whiten mixes: take standardize",
        "--l1 1 --leap": "without --batch-size, --schedule or --l1",
        "--l1 -1": "--l1 takes a number that is not negative, not -1",
    }.items(),
)
def test_what_does_not_go_with_it(gdfit: Gdfit, options: str, said: str) -> None:
    result = gdfit("train", LECTURE, *options.split())
    assert result.status == 2
    assert said in result.err


@pytest.mark.parametrize("optimizer", get_args(ProximalName))
def test_the_board_has_the_threshold(gdfit: Gdfit, optimizer: str) -> None:
    written = ["--optimizer", optimizer, "--lr", "0.05", "--l1", "0.2", "--l2", "0.1"]
    board = gdfit("train", LECTURE, *written, "--explain", "2", "--show", "1,2").out
    history = gdfit.json("train", LECTURE, *written, "--show", "1,2")["history"]
    assert "λ₁ = 0.2" in board
    assert "max(|u| − γ·λ₁, 0)" in board
    assert "λ₁·|w|" in board
    for epoch in history[:2]:
        w, b = epoch["params"]
        assert f"= {w:.5g}\n" in board
        assert f"= {b:.5g}\n" in board
