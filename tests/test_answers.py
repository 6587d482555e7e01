"""What follows from one reading, against statsmodels on real data."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets

import gdfit as library
from conftest import LECTURE, Gdfit
from gdfit import Observations, UsageError
from gdfit.arrays import FloatArray
from gdfit.descent.settings import Scale
from gdfit.model.intervals import t_quantile
from real import NAMES, REFERENCE, WEIGHED, real_data, weights_of


def observations_of(name: str) -> Observations:
    """The observations of a data set."""
    x, y = real_data(name)
    return library.observations_from(x, y, weights=weights_of(name, len(y)))


@pytest.mark.parametrize("name", [*NAMES, *WEIGHED])
def test_information_criteria(name: str) -> None:
    summary, expected = library.summarize(observations_of(name)), REFERENCE[name]
    for figure in ("log_likelihood", "aic", "bic"):
        assert getattr(summary, figure) == pytest.approx(expected[figure], rel=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_variance_inflation(name: str) -> None:
    *rows, b = library.summarize(observations_of(name)).rows
    assert [row.vif for row in rows] == pytest.approx(REFERENCE[name]["vif"], rel=1e-8)
    assert b.vif is None


def test_the_likelihood_of_weights_is_the_same_however_they_are_read() -> None:
    import pandas as pd

    x, y = real_data("iris")
    weights = np.arange(len(y)) % 3.0  # a row without weight is none
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "v": weights, "y": y})
    condensed = library.summarize(frame, target="y", weights="v")
    kept = library.summarize(x, y=y, weights=weights)
    assert condensed.log_likelihood == pytest.approx(kept.log_likelihood, rel=1e-12)
    assert condensed.observations == kept.observations == 100


PREDICTED = ("mean", "obs_ci_lower", "obs_ci_upper", "mean_ci_lower", "mean_ci_upper")


def some_of(x: FloatArray) -> FloatArray:
    """The first row, the middle one and the last."""
    return x[[0, len(x) // 2, -1]]


@pytest.mark.parametrize("scale", [None, "whiten"])
@pytest.mark.parametrize("name", NAMES)
def test_intervals(name: str, scale: Scale | None, gdfit: Gdfit) -> None:
    x, _ = real_data(name)
    fit = library.train(observations_of(name), scale=scale, epochs=10)
    fit.save("gdfit.json")
    model, rows = library.load_model("gdfit.json"), some_of(x)
    expected = REFERENCE[name]["prediction"]
    _, low, high = model.predict_interval(rows, 0.9)
    _, mean_low, mean_high = model.predict_interval(rows, 0.9, mean=True)
    for found, key in zip((low, high, mean_low, mean_high), PREDICTED[1:], strict=True):
        assert found == pytest.approx(expected[key], rel=1e-8)
    typed = [argument for row in rows for argument in ("--x", ",".join(map(repr, row.tolist())))]
    printed = gdfit("predict", *typed, "--interval", "0.9", "--confidence", "0.9").out
    for place, line in enumerate(printed.splitlines()):
        ends = [values[place] for values in (low, high, mean_low, mean_high)]
        assert [*map(float, line.split())][1:] == pytest.approx(ends, rel=1e-12)


def test_probabilities() -> None:
    found = sklearn.datasets.load_breast_cancer()
    x, expected = found.data[:, :4], REFERENCE["breast_cancer, logistic"]
    model = library.train(x, found.target, loss="logistic", epochs=20).model
    y, low, high = model.predict_interval(x[[0, 200, 568]], 0.9, mean=True)
    assert y == pytest.approx(model.predict(x[[0, 200, 568]]), rel=1e-14)
    # statsmodels's own minimum has some 9 digits; one in a thousandth part of a probability
    assert low == pytest.approx(np.array(expected["mean_ci_lower"]), rel=0.01)
    assert high == pytest.approx(np.array(expected["mean_ci_upper"]), rel=0.01)
    with pytest.raises(UsageError, match="`confidence` gives the interval of that"):
        model.predict_interval(x, 0.9)


def test_intervals_do_not_depend_on_where_a_column_begins() -> None:
    x, y = real_data("iris")
    rows = some_of(x)
    here = library.train(x, y, epochs=10).model.predict_interval(rows)
    far = library.train(x + 2.0**30, y, epochs=10).model.predict_interval(rows + 2.0**30)
    for ours, theirs in zip(here[1:], far[1:], strict=True):
        assert theirs == pytest.approx(ours, rel=1e-6)
    double = np.column_stack([x, 2 * x[:, 0] + 1])  # tells nothing of its own
    more = library.train(double, y, epochs=10).model.predict_interval(some_of(double))
    for ours, theirs in zip(here[1:], more[1:], strict=True):
        assert theirs == pytest.approx(ours, rel=1e-9)


@pytest.mark.parametrize("intercept", [True, False])
def test_intervals_with_terms_weights_and_missing_fields(gdfit: Gdfit, intercept: bool) -> None:
    x, y = real_data("iris")
    kinds, weights = np.arange(len(y)) // 50, 1.0 + np.arange(len(y)) % 3
    table = (x[:, 0], kinds, weights, y)
    lines = ["a,kind,v,y", *(f"{a},k{k},{v},{b}" for a, k, v, b in zip(*table, strict=True))]
    Path("iris.csv").write_text("\n".join(lines) + "\n")
    options = ["--features", "a,a^2,kind", "--weights", "v", "--target", "y"]
    gdfit("train", "iris.csv", *options, *([] if intercept else ["--no-intercept"]))
    Path("new.csv").write_text("a,kind\n5.5,k1\n,k2\n6,new\n7,k0\n")
    result = gdfit("predict", "new.csv", "--interval", "0.8", "--confidence", "0.8")
    header, *rows = csv.reader(io.StringIO(result.out))
    assert header[2:] == ["y_hat", "y_low", "y_high", "y_mean_low", "y_mean_high"]
    assert rows[1][2:] == rows[2][2:] == [""] * 5
    assert "gdfit: note: the model has weights: a new observation counts 1\n" in result.err
    columns = [x[:, 0], x[:, 0] ** 2, kinds == 1, kinds == 2]
    design = np.column_stack([*columns, *[np.ones(len(y))] * intercept])
    root = np.sqrt(weights)[:, np.newaxis]
    inverse = np.linalg.inv((design * root).T @ (design * root))
    params = inverse @ (design * root).T @ (y * root[:, 0])
    df = len(y) - design.shape[1]
    variance = float((weights * (y - design @ params) ** 2).sum()) / df
    margin = t_quantile(0.8, df)
    for row, (a, kind) in ((rows[0], (5.5, 1)), (rows[3], (7.0, 0))):
        at = np.array([a, a * a, kind == 1, kind == 2, *[1.0] * intercept])
        share = float(at @ inverse @ at)
        for (low, high), own in ((row[3:5], 1.0), (row[5:7], 0.0)):
            reach = margin * math.sqrt(variance * (own + share))
            expected = [float(at @ params) - reach, float(at @ params) + reach]
            assert [float(low), float(high)] == pytest.approx(expected, rel=1e-7)


def test_a_run_that_has_not_arrived_gets_a_note(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "--lr", "0.01", "--epochs", "3")
    short = gdfit("predict", "--x", "2.8", "--interval", "0.95")
    gdfit("train", LECTURE)
    arrived = gdfit("predict", "--x", "2.8", "--interval", "0.95")
    assert "has not arrived" in short.err
    assert arrived.err == ""
    assert short.out.split()[1:] == arrived.out.split()[1:]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--l2", "1"], "it has a penalty; without --l2 it would have them"),
        (["--loss", "mae"], "they are for --loss mse and logistic"),
        (["--features", "x,x^2", "--skip-end", "22"], "it has too few observations"),
    ],
)
def test_models_without_intervals_say_so(options: list[str], words: str, gdfit: Gdfit) -> None:
    assert gdfit("train", LECTURE, "--epochs", "5", *options).status == 0
    result = gdfit("predict", LECTURE, "--interval", "0.95")
    assert (result.status, result.out) == (1, "")
    assert result.err.splitlines()[-1].endswith(words) or words in result.err


def test_levels_are_parts_of_one(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE)
    result = gdfit("predict", "--x", "2.8", "--interval", "95")
    assert result.status == 2
    assert result.err.endswith("not 95: gdfit predict --x 2.8 --interval 0.95\n")
    assert gdfit("predict", "--x", "1", "--confidence", "0").status == 2
    assert gdfit("summary", LECTURE, "--level", "95").err.endswith("--level 0.95\n")
    table = "x,y_low\n1,2\n"
    result = gdfit("predict", "-", "--interval", "0.5", stdin=table.encode())
    assert "there is a column 'y_low' already" in result.err
