"""The path of penalties: each minimum against scikit-learn's and by its optimality conditions, the
loss on folds, which λ is chosen, and what the command prints, writes and draws."""

from __future__ import annotations

import csv
import io
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Lasso, Ridge, enet_path
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import gdfit as library
from conftest import SAMPLES, Gdfit
from gdfit.arrays import FloatArray
from gdfit.data.in_memory import with_folds
from gdfit.descent import cross_validation
from test_lasso import LOADED, real_data

GREENHOUSE = SAMPLES / "greenhouse.csv"


def scikit_path(
    x: FloatArray, y: FloatArray, lambdas: FloatArray, penalty: str, mix: float
) -> FloatArray:
    """The weights of scikit-learn for standardized columns, shape (K, p)."""
    if penalty == "l2":
        ridges = [Ridge(alpha=each * len(y), solver="svd") for each in lambdas]
        return np.array([ridge.fit(x, y).coef_ for ridge in ridges])
    how = {"l1_ratio": mix, "tol": 1e-12, "max_iter": 10**6}
    return np.asarray(enet_path(x, y - y.mean(), alphas=lambdas, **how)[1].T)


@pytest.mark.parametrize("penalty", ["l1", "l2", "mix"])
@pytest.mark.parametrize("name", LOADED)
def test_each_minimum_is_that_of_scikit_learn(name: str, penalty: Any) -> None:
    x, y = real_data(name)
    found = library.penalty_path(x, y, penalty=penalty, mix=0.7 if penalty == "mix" else 0.5)
    theirs = scikit_path(x, y, found.lambdas, penalty, found.mix)
    w = found.params[:, :-1]
    np.testing.assert_allclose(w, theirs, rtol=1e-6, atol=1e-7 * np.abs(theirs).max())
    steepest = np.abs(x.T @ (y - y.mean())).max() / len(y)
    first = steepest / found.mix if found.mix else 1000 * steepest
    np.testing.assert_allclose(found.lambdas[[0, -1]], [first, 1e-4 * first], rtol=1e-12)
    assert len(found.lambdas) == 100
    assert found.nonzero[0] == (0 if penalty != "l2" else x.shape[1])
    residuals = y - x @ w.T[:, 50] - found.params[50, -1]
    assert found.losses[50] == pytest.approx(residuals @ residuals / len(y), rel=1e-10)
    assert found.r_squared[50] == pytest.approx(1 - found.losses[50] / y.var(), abs=1e-10)


def odd_columns() -> dict[str, tuple[FloatArray, FloatArray]]:
    """Columns that depend on each other, nearly or altogether, and more of them than rows."""
    random = np.random.default_rng(7)
    one = np.linspace(-8, -3, 82)
    powers = PolynomialFeatures(9, include_bias=False).fit_transform(one[:, np.newaxis])
    plain = random.normal(size=(50, 4))
    twice = np.column_stack([plain, plain[:, 0], plain @ [1, 1, 0, 2], np.full(50, 3.0)])
    wide = random.normal(size=(20, 60))
    return {
        "powers": (powers, np.sin(one) + 0.01 * random.normal(size=82)),
        "dependent": (twice, plain @ [1, -2, 0, 1] + random.normal(size=50)),
        "wide": (wide, wide[:, :3].sum(axis=1) + 0.1 * random.normal(size=20)),
    }


@pytest.mark.parametrize("mix", [1.0, 0.5])
@pytest.mark.parametrize("name", odd_columns())
def test_the_optimality_conditions_hold(name: str, mix: float) -> None:
    x, y = odd_columns()[name]
    found = library.penalty_path(x, y, penalty="l1" if mix == 1 else "mix", mix=0.5)
    deviations = x.std(axis=0)
    deviations[deviations < 1e-12] = 1.0
    z = (x - x.mean(axis=0)) / deviations
    w = found.params[:, :-1] * deviations
    for weights, l1, l2 in zip(w, found.l1, found.l2, strict=True):
        slopes = 2 * (z @ weights - y + y.mean()) @ z / len(y) + 2 * l2 * weights
        there = weights != 0
        # What rounding in z itself makes of the slope, beside the 1e-9 of λ₁.
        rounding = 1e-13 * np.abs(z.T @ y).max() / len(y) + 1e-12 * np.abs(weights).sum()
        assert np.abs(slopes[there] + l1 * np.sign(weights[there])).max(initial=0) <= (
            1e-9 * l1 + rounding
        )
        assert (np.abs(slopes) <= l1 * (1 + 1e-9) + rounding).all()


def test_folds_are_scaled_and_fitted_by_themselves() -> None:
    x, y = real_data("diabetes")
    x = x * np.geomspace(0.1, 100, x.shape[1]) + 5
    found = library.penalty_path(x, y, penalties=[0.3, 3, 20], cv=5, seed=4)
    _, parts = with_folds(x, y, 5, 4)
    rows = [np.concatenate([*part.rows.blocks()]) for part in parts if part.rows]
    for place, strength in enumerate(found.lambdas.tolist()):
        losses = []
        for held_out in range(5):
            others = np.concatenate([*rows[:held_out], *rows[held_out + 1 :]])
            lasso = Lasso(alpha=strength, tol=1e-13, max_iter=10**6)
            pipeline = make_pipeline(StandardScaler(), lasso).fit(others[:, :-2], others[:, -1])
            fold = rows[held_out]
            losses.append(((pipeline.predict(fold[:, :-2]) - fold[:, -1]) ** 2).mean())
        assert found.fold_losses is not None
        np.testing.assert_allclose(found.fold_losses[:, place], losses, rtol=1e-6)
        assert found.cv_mean is not None
        assert found.cv_std_error is not None
        assert found.cv_mean[place] == pytest.approx(np.mean(losses))
        assert found.cv_std_error[place] == pytest.approx(np.std(losses, ddof=1) / 5**0.5)


def test_many_more_columns_than_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_validation, "MEMORY", 2_000_000)  # too few for R of 402 rows a fold
    random = np.random.default_rng(4)
    x = random.normal(size=(40, 400)) * random.uniform(0.5, 3, 400)
    y = x[:, :3] @ [2.0, -1.0, 1.0] + random.normal(size=40)
    path = library.penalty_path(x, y, cv=4)
    assert path.fold_losses is not None
    assert path.fold_losses.shape == (4, 100)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    for place in (10, 30):
        expected = Lasso(float(path.lambdas[place]), tol=1e-12, max_iter=10**6).fit(z, y).coef_
        found = path.params[place, :-1] * x.std(axis=0)
        assert np.array_equal(found != 0, expected != 0)
        np.testing.assert_allclose(found, expected, atol=1e-7)


def test_which_penalty_is_chosen() -> None:
    x, y = real_data("diabetes")
    found = library.penalty_path(x, y, cv=10)
    mean, error = found.cv_mean, found.cv_std_error
    assert mean is not None
    assert error is not None
    least, largest = found.place("least"), found.place("1se")
    assert least == int(np.argmin(mean))
    assert largest is not None
    assert largest < least
    assert mean[largest] <= mean[least] + error[least] < mean[largest - 1]
    assert library.penalty_path(x, y).place("least") is None


def test_json_csv_and_python_tell_the_same(gdfit: Gdfit) -> None:
    words = ("path", GREENHOUSE, "--penalty", "mix", "--mix", "0.25", "--cv", "6", "--seed", "3")
    record = gdfit.json(*words)
    rows = [*csv.DictReader(io.StringIO(gdfit(*words, "--format", "csv").out))]
    frame = np.genfromtxt(GREENHOUSE, delimiter=",", names=True, dtype=None, encoding="utf-8")
    x = np.column_stack([frame[name] for name in ("light", "water", "warmth")])
    found = library.penalty_path(x, frame["growth"], penalty="mix", mix=0.25, cv=6, seed=3)
    for key, column in {
        "lambdas": "lambda",
        "l1": "l1",
        "l2": "l2",
        "nonzero": "nonzero",
        "losses": "loss",
        "r_squared": "r_squared",
        "cv_mean": "cv_mean",
        "cv_std_error": "cv_std_error",
        "b": "b",
    }.items():
        assert [float(row[column]) for row in rows] == record[key]
        np.testing.assert_allclose(record[key], found.record[key], rtol=1e-8)
    assert [[float(row[f"w_{name}"]) for name in record["features"]] for row in rows] == record["w"]
    assert record["least"] == pytest.approx(found.chosen("least"))
    assert record["one_se"] == pytest.approx(found.chosen("1se"))
    np.testing.assert_allclose(record["l1"], np.array(record["lambdas"]) * 0.5)
    np.testing.assert_allclose(record["l2"], np.array(record["lambdas"]) * 0.75)
    alone = gdfit.json("path", GREENHOUSE)
    assert alone["cv_mean"] is alone["least"] is alone["one_se"] is None


@pytest.mark.parametrize("options", ["", "--penalty l2", "--penalty mix --mix 0.8"])
def test_the_last_line_trains_the_model_that_is_written(gdfit: Gdfit, options: str) -> None:
    words = [*options.split(), "--cv", "5", "--choose", "least", "--model", "path.json"]
    result = gdfit("path", GREENHOUSE, *words)
    _, _, command = result.out.rstrip().rpartition("type ")
    assert command.startswith(f"gdfit train {GREENHOUSE} --l")
    trained = gdfit.json(*shlex.split(command)[1:], "--epochs", "5000")
    written = json.loads(Path("path.json").read_text())
    assert trained["arrived"]
    np.testing.assert_allclose(written["w"], trained["w"], rtol=1e-8)
    assert written["loss"] == pytest.approx(trained["loss"], rel=1e-12)
    assert written["l1"] == trained["l1"]
    assert gdfit("predict", "--model", "path.json", "--x", "1,2,3").status == 0
    assert gdfit("evaluate", GREENHOUSE, "--model", "path.json").status == 0
    assert gdfit("summary", GREENHOUSE, "--model", "path.json").status == 0


def test_a_pipe_weights_and_no_intercept(gdfit: Gdfit) -> None:
    x, y = real_data("wine")
    table = np.column_stack([x + 2, np.arange(len(y)) % 3, y])
    lines = [",".join(map(repr, row)) for row in table.tolist()]
    names = [*(f"x{place}" for place in range(x.shape[1])), "v", "y"]
    text = "\n".join([",".join(names), *lines]).encode()
    words = ["path", "-", "--weights", "v", "--no-intercept", "--penalties", "0.01,0.2"]
    found = gdfit.json(*words, stdin=text)
    counts = table[:, -2]
    z = (x + 2) / np.sqrt((counts[:, np.newaxis] * (x + 2) ** 2).sum(axis=0) / counts.sum())
    for w, strength in zip(found["w"], (0.2, 0.01), strict=True):
        lasso = Lasso(alpha=strength, fit_intercept=False, tol=1e-13, max_iter=10**6)
        theirs = lasso.fit(z, y, sample_weight=counts).coef_
        np.testing.assert_allclose(w, theirs * (z / (x + 2))[0], rtol=1e-6, atol=1e-9)
    assert found["b"] == [0, 0]


@pytest.mark.parametrize("penalties", [["a"], [], [-1.0], [float("nan")], [[1.0], [2.0, 3.0]]])
def test_penalties_are_numbers(penalties: Any) -> None:
    with pytest.raises(library.UsageError, match="`penalties` takes numbers"):
        library.penalty_path([1.0, 2, 4], [1.0, 2, 3], penalties=penalties)


def test_what_has_no_effect_is_refused_in_python_as_by_the_command() -> None:
    x, y = [[1, 2], [2, 1], [3, 5], [4, 3]], [1.0, 2, 3, 5]
    with pytest.raises(
        library.UsageError, match="`mix` has no effect here: it is for `penalty` mix"
    ):
        library.penalty_path(x, y, mix=0.2)
    assert repr(library.penalty_path(x, y)).startswith("<PenaltyPath: 100 penalties l1, of <4 ")
    with pytest.raises(
        library.UsageError, match="`robust` takes one of hc0, hc1, hc2, hc3, not 'hc4'"
    ):
        library.summarize(x, y=y, robust="hc4")  # type: ignore[arg-type]


def test_what_a_column_is_scaled_to_is_told(gdfit: Gdfit) -> None:
    for more, said in (([], "(x − mean)/std"), (["--no-intercept"], "x/√mean(x²)")):
        told = gdfit("path", GREENHOUSE, "--penalties", "1", *more).out
        assert f"w of {said}: " in told
        assert ("glmnet" in told) == (not more)
        steps = gdfit("train", GREENHOUSE, "--l1", "1", *more).out
        assert f"steps on {said} of each x" in steps
        assert f"weights of {said} of each x" in steps


def test_the_table_tells_a_dozen_and_those_chosen(gdfit: Gdfit) -> None:
    table = gdfit("path", GREENHOUSE, "--cv", "4").out
    record = gdfit.json("path", GREENHOUSE, "--cv", "4")
    rows = [line for line in table.splitlines() if line[1:2].isdigit() and "λ" not in line]
    assert 12 <= len(rows) <= 14
    (least,) = (row for row in rows if row.endswith("least"))
    assert float(least.split()[0]) == pytest.approx(record["least"], rel=1e-4)
    (largest,) = (row for row in rows if "1se" in row)
    assert float(largest.split()[0]) == pytest.approx(record["one_se"], rel=1e-4)
    assert "--l1 is 2λ" in table
    several = ("--penalties", "0.1,1", "--penalties", "2")
    assert gdfit.json("path", GREENHOUSE, *several)["lambdas"] == [2, 1, 0.1]
    again = gdfit("path", GREENHOUSE, "--penalties", "0.1").out
    assert again.rstrip().endswith(f"type gdfit path {GREENHOUSE} --penalties 0.1 --cv 10")


@pytest.mark.parametrize("folds", [[], ["--cv", "4"]])
def test_the_picture_names_what_is_drawn(gdfit: Gdfit, folds: list[str]) -> None:
    assert gdfit("path", GREENHOUSE, *folds, "--plot", "path.svg").status == 0
    svg = Path("path.svg").read_text(encoding="utf-8")
    for name in ("w_light", "w_water", "w_warmth", "penalty λ", "lasso"):
        assert name in svg
    assert ("loss on 4 folds" in svg) == ("least: λ = " in svg) == bool(folds)
    assert svg.count('id="least"') == (2 if folds else 0)


@pytest.mark.parametrize(
    ("options", "said"),
    {
        "--mix 0.3": "--mix has no effect here: it is for --penalty mix",
        "--penalty mix --mix 1": "--mix takes a number above 0 and below 1, not 1",
        "--choose least": "--choose has no effect here: it goes by the loss on the folds of --cv",
        "--model m.json": "--model is that of the best λ, which --cv 10 finds",
        "--penalties 1,-2": "--penalties takes numbers that are not negative",
        "--cv 1": "--cv takes a number of folds from 2 on, not 1",
        "--cv 100001": "--cv takes 100,000 folds at most, not 100,001",
        "--plot p.txt": "--plot takes a file that ends in .png, .svg or .pdf",
    }.items(),
)
def test_what_is_wrong_usage(gdfit: Gdfit, options: str, said: str) -> None:
    result = gdfit("path", GREENHOUSE, *options.split())
    assert result.status == 2
    assert said in result.err


def test_a_target_that_does_not_vary_has_no_path(gdfit: Gdfit) -> None:
    result = gdfit("path", "-", stdin=b"x,y\n1,5\n2,5\n3,5\n")
    assert result.status == 1
    assert "all weights are 0 whatever the penalty" in result.err
    result = gdfit("path", "-", stdin=b"x,y\n1e200,1e205\n2e200,3e205\n4e200,2e205\n")
    assert (result.status, "too large for float64" in result.err) == (1, True)
    x = np.arange(12.0).reshape(6, 2) ** 2
    with pytest.raises(library.GdfitError, match="differ too much in size"):
        library.penalty_path(x * 1e-160, x[:, 0] * 1e150)
