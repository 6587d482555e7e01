"""The scikit-learn estimator, among scikit-learn's own tools."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import HuberRegressor, LinearRegression, QuantileRegressor, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import gdfit
from gdfit.sklearn import GradientDescentRegressor

random = np.random.default_rng(11)
X = random.normal(size=(120, 3)) * [1.0, 20.0, 0.3] + [0.0, 5.0, -2.0]
Y = X @ [2.0, -0.5, 7.0] + 3.0 + random.normal(size=120)
FRAME = pd.DataFrame(X, columns=["width", "height", "depth (m)"])


CHECKS = [
    (estimator, check)
    for checked in (
        GradientDescentRegressor(),
        GradientDescentRegressor("huber", solver="nesterov", fit_intercept=False, max_iter=50),
    )
    for estimator, check in estimator_checks_generator(checked, mark=None)
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_least_squares() -> None:
    regressor = GradientDescentRegressor().fit(X, Y)
    exact = LinearRegression().fit(X, Y)
    np.testing.assert_allclose(regressor.coef_, exact.coef_, rtol=1e-5)
    assert regressor.intercept_ == pytest.approx(exact.intercept_, rel=1e-5)
    assert regressor.score(X, Y) == pytest.approx(exact.score(X, Y))
    assert len(regressor.loss_curve_) == regressor.n_iter_ < 1000
    assert regressor.loss_curve_[0] == pytest.approx(np.mean(Y**2))
    assert regressor.n_features_in_ == 3
    assert not hasattr(regressor, "feature_names_in_")


def test_without_an_intercept() -> None:
    regressor = GradientDescentRegressor(fit_intercept=False).fit(X, Y)
    exact = LinearRegression(fit_intercept=False).fit(X, Y)
    np.testing.assert_allclose(regressor.coef_, exact.coef_, rtol=1e-4)
    assert regressor.intercept_ == 0.0


def test_the_penalty_is_ridges() -> None:
    regressor = GradientDescentRegressor(alpha=0.3, scale="none", tol=1e-9, max_iter=100_000)
    exact = Ridge(alpha=0.3 * len(X)).fit(X, Y)
    np.testing.assert_allclose(regressor.fit(X, Y).coef_, exact.coef_, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("loss", "other"),
    [
        ("absolute_error", QuantileRegressor(alpha=0.0)),
        ("huber", HuberRegressor(epsilon=1.0 + 1e-9, alpha=0.0)),
    ],
)
def test_the_losses_are_scikit_learns(loss: Any, other: Any) -> None:
    regressor = GradientDescentRegressor(loss, max_iter=5000, huber_delta=1.0).fit(X, Y)
    if loss == "absolute_error":
        best = np.abs(other.fit(X, Y).predict(X) - Y).mean()
        assert np.abs(regressor.predict(X) - Y).mean() == pytest.approx(best, rel=0.01)
    else:  # scikit-learn's δ is in units of a scale that it fits
        np.testing.assert_allclose(regressor.coef_, other.fit(X, Y).coef_, rtol=0.1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
@pytest.mark.parametrize("scale", ["none", "standardize", "whiten"])
def test_a_weight_is_a_repeated_sample(loss: Any, scale: Any) -> None:
    counts = random.integers(0, 4, len(X))
    regressor = GradientDescentRegressor(loss, scale=scale, max_iter=30, learning_rate=1e-3)
    weighted = clone(regressor).fit(X, Y, sample_weight=2.5 * counts)
    repeated = clone(regressor).fit(np.repeat(X, counts, axis=0), np.repeat(Y, counts))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)


def test_frames_pipelines_and_pandas_output() -> None:
    regressor = GradientDescentRegressor().fit(FRAME, Y)
    assert regressor.feature_names_in_.tolist() == ["width", "height", "depth (m)"]
    assert regressor.model_.features == ("width", "height", "depth (m)")
    assert regressor.predict(FRAME).tolist() == regressor.model_.predict(FRAME).tolist()
    pipeline = make_pipeline(
        StandardScaler(), PolynomialFeatures(2, include_bias=False), GradientDescentRegressor()
    )
    pipeline.set_output(transform="pandas").fit(FRAME, Y)
    names = pipeline[-1].feature_names_in_.tolist()
    assert names[3:6] == ["width^2", "width height", "width depth (m)"]
    exact = make_pipeline(PolynomialFeatures(2), LinearRegression()).fit(FRAME, Y)
    np.testing.assert_allclose(pipeline.predict(FRAME), exact.predict(FRAME), rtol=1e-3, atol=1e-3)


def test_searches_and_cross_validation() -> None:
    search = GridSearchCV(
        GradientDescentRegressor(), {"alpha": [0.0, 10.0], "scale": ["standardize", "whiten"]}
    ).fit(X, Y)
    assert search.best_params_["alpha"] == 0.0
    scores = cross_val_score(GradientDescentRegressor(), X, Y, cv=4)
    np.testing.assert_allclose(scores, cross_val_score(LinearRegression(), X, Y, cv=4), rtol=1e-4)


def test_the_model_can_be_exported_and_saved(tmp_path: Any) -> None:
    model = GradientDescentRegressor().fit(FRAME, Y).model_
    assert '"depth (m)"' in gdfit.export(model, "sql")
    model.save(tmp_path / "m.json")
    assert gdfit.load_model(tmp_path / "m.json") == model


def test_a_seed_makes_a_run_the_same_again() -> None:
    def coefficients(seed: int) -> list[float]:
        regressor = GradientDescentRegressor(
            batch_size=10, max_iter=20, init="random", tol=None, random_state=seed
        )
        return list(regressor.fit(X, Y).coef_)

    assert coefficients(1) == coefficients(1)
    assert coefficients(1) != coefficients(2)


def test_early_stopping_keeps_the_best() -> None:
    regressor = GradientDescentRegressor(
        "huber",
        solver="adam",
        learning_rate=0.5,
        early_stopping=True,
        n_iter_no_change=5,
        validation_fraction=0.25,
        random_state=0,
        max_iter=10_000,
    ).fit(X, Y)
    curve = regressor.validation_loss_curve_
    assert len(curve) == len(regressor.loss_curve_) == regressor.n_iter_ < 10_000
    assert min(curve) < curve[-1] < curve[0]


@pytest.mark.parametrize("start", ["zeros", [2.0, -0.5, 7.0, 3.0]])
def test_where_it_starts(start: Any) -> None:
    regressor = GradientDescentRegressor(init=start, max_iter=1, tol=None).fit(X, Y)
    expected = np.mean((Y - (0.0 if start == "zeros" else X @ start[:3] + start[3])) ** 2)
    assert regressor.loss_curve_ == [pytest.approx(expected)]


def test_what_has_not_converged_says_what_to_do() -> None:
    regressor = GradientDescentRegressor(learning_rate=1e-5, max_iter=20)
    with pytest.warns(ConvergenceWarning) as told:
        regressor.fit(X, Y)
    assert str(told[0].message).startswith("gradient descent has not converged: after 20 epochs")
    assert "times its minimum" in str(told[0].message)
    assert "max_iter=200 or learning_rate='auto' or scale='whiten'" in str(told[0].message)
    assert told[0].filename == __file__
    with pytest.warns(ConvergenceWarning, match="hardly move.*try a smaller tol or learning_rate="):
        regressor.set_params(learning_rate=1e-5, tol=0.5, max_iter=100).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regressor.set_params(learning_rate="auto", scale="whiten", tol=1e-6).fit(X, Y)
        regressor.set_params(learning_rate=1e-5, scale=None, tol=None).fit(X, Y)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "diverged": (
        {"learning_rate": 1.0},
        "rate=1 is above 2/λmax = 0.00.*try learning_rate=",
    ),
    "loss": (
        {"loss": "mse"},
        "^loss takes one of squared_error, absolute_error, huber, quantile, not 'mse'",
    ),
    "epochs": ({"max_iter": 0}, "^max_iter takes a number from 1 on, below"),
    "rate": ({"learning_rate": -1}, "^learning_rate takes a positive number or auto, not -1"),
    "solver": (
        {"solver": "lbfgs"},
        "^solver takes one of gd, momentum, nesterov, adam, .*, cg or a function, not 'lbfgs'",
    ),
    "penalty": ({"alpha": -1.0}, "^alpha takes a number that is not negative"),
    "start": ({"init": [1.0]}, "^init takes 4 finite numbers here"),
    "patience": ({"early_stopping": True, "n_iter_no_change": 0}, "^n_iter_no_change takes"),
    "part": ({"early_stopping": True, "validation_fraction": 1.0}, "^validation_fraction takes"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_parameters_are_named_as_they_are_here(wrong: str) -> None:
    parameters, message = WRONG[wrong]
    with pytest.raises(ValueError, match=message):
        GradientDescentRegressor(**parameters).fit(X, Y)


def test_weights_can_not_be_negative() -> None:
    with pytest.raises(ValueError, match="not negative"):
        GradientDescentRegressor().fit(X, Y, sample_weight=-np.ones(len(X)))


def test_without_scikit_learn_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import gdfit.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith("needs scikit-learn: pip install 'gdfit[sklearn]'\n")


@pytest.mark.parametrize("noise", [0.0, 1e-9])
def test_all_but_nothing_explained_is_converged(noise: float) -> None:
    mixed = np.random.default_rng(0).normal(size=(50, 3)) @ [[1, 2, 0], [2, 1, 1], [0, 1, 3]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regressor = GradientDescentRegressor(scale="standardize")
        regressor.fit(mixed, mixed @ [1, 2, 3] + noise * random.normal(size=50))
    assert 2 < regressor.n_iter_ < 1000
    np.testing.assert_allclose(regressor.coef_, [1, 2, 3], atol=1e-4)
