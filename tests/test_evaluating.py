"""How well a saved model predicts: `evaluate`, in one block of rows or in many."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import gdfit as library
from conftest import LECTURE, Gdfit
from gdfit.data.batch import rows_at_once
from gdfit.data.text.dialect import Dialect
from gdfit.model.evaluation import errors_on


def test_evaluate(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "--epochs", "1000")
    model = library.load_model("gdfit.json")
    rows = [tuple(map(float, line.split(","))) for line in LECTURE.read_text().split()[1:]]
    errors = [model.predict([x]) - y for x, y in rows]
    mean = sum(y for _, y in rows) / 25
    mse = sum(error**2 for error in errors) / 25
    expected = {
        "observations": 25,
        "mse": mse,
        "rmse": mse**0.5,
        "mae": sum(map(abs, errors)) / 25,
        "r_squared": 1 - mse * 25 / sum((y - mean) ** 2 for _, y in rows),
    }
    assert gdfit.json("evaluate", LECTURE) == pytest.approx(expected, rel=1e-12)
    table = gdfit("evaluate", LECTURE).out
    assert [line.split()[0] for line in table.splitlines()] == ["N", "MSE", "RMSE", "MAE", "R²"]


def test_evaluate_another_column_and_without_a_header(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "--epochs", "5")
    expected = gdfit.json("evaluate", LECTURE)
    no_header = LECTURE.read_bytes().split(b"\n", 1)[1]
    renamed = b"z,x\n" + b"".join(
        b",".join(line.split(b",")[::-1]) + b"\n" for line in no_header.split()
    )
    assert gdfit.json("evaluate", "-", stdin=no_header) == expected
    assert gdfit.json("evaluate", "-", "--target", "z", stdin=renamed) == expected


@pytest.mark.parametrize("target", ["y", "x1", "exp(x3)"])
@pytest.mark.parametrize("features", ["x2", "x1,x3", "x3,x1,x2"])
def test_columns_chosen_without_a_header_are_found_again(
    gdfit: Gdfit, features: str, target: str
) -> None:
    """By the names that columns without a header have, and not as the first ones."""
    rows = np.random.default_rng(2).normal(size=(20, 4)).tolist()
    Path("bare.csv").write_text("".join(f"{','.join(map(repr, row))}\n" for row in rows))
    features = features.replace(target.strip("()").removeprefix("exp("), "y")
    chosen = ["--features", features, "--target", target]
    trained = gdfit.json("train", "bare.csv", *chosen, "--lr", "0.1")
    assert gdfit.json("evaluate", "bare.csv")["mse"] == pytest.approx(trained["loss"], rel=1e-12)
    w, names = trained["w"], features.split(",")
    predicted = gdfit("predict", "bare.csv").out.splitlines()[0].split(",")[-1]
    first = [rows[0][int(name[1:] or 4) - 1] for name in names]
    assert float(predicted) == pytest.approx(np.dot(w, first) + trained["b"], rel=1e-12)


def test_evaluate_by_place_where_a_feature_is_called_y(gdfit: Gdfit) -> None:
    """As the last column of a file without a header is."""
    library.LinearModel((1.0, 10.0), 0.0, ("y", "q"), "z").save("gdfit.json")
    found = gdfit.json("evaluate", "-", stdin=b"1,2,20\n3,4,43\n5,6,66\n")
    assert (found["observations"], found["mse"]) == (3, 2 / 3)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("size", "unit"), [(7919, 1.0), (10**6, 1.0), (10**6, 1e-30)])
def test_rows_in_several_blocks_count_as_one(intercept: bool, size: int, unit: float) -> None:
    """Blocks whose means are far apart, so that what is between the blocks counts, in any unit."""
    random = np.random.default_rng(0)
    count = 2 * rows_at_once(3) + 1234
    x = np.linspace(0, 10, count) ** 3
    y = (1000 + 2 * x + random.normal(0, 30, count)) * unit
    facts = {} if intercept else {"intercept": False}
    w, b = 2.5 * unit, 900 * unit if intercept else 0.0
    model = library.LinearModel((w,), b, ("x",), "y", facts=facts)
    rows = np.column_stack([x, y])
    blocks = (rows[start : start + size] for start in range(0, count, size))
    found = errors_on(model, blocks).evaluation()
    errors = w * x + b - y
    squares = math.fsum(errors**2)
    total = math.fsum((y - (y.mean() if intercept else 0)) ** 2)
    assert found.observations == count
    assert found.mse == pytest.approx(squares / count, rel=1e-12)
    assert found.rmse == pytest.approx(math.sqrt(squares / count), rel=1e-12)
    assert found.mae == pytest.approx(math.fsum(np.abs(errors)) / count, rel=1e-12)
    assert found.r_squared == pytest.approx(1 - squares / total, rel=1e-12)


@pytest.mark.parametrize(("spread", "varies"), [(0.0, False), (1e-15, False), (1e-9, True)])
def test_there_is_no_r_squared_where_y_does_not_vary(spread: float, varies: bool) -> None:
    """A deviation that is a rounding error is none."""
    y = 1e6 * (1 + spread * np.arange(100.0))
    model = library.LinearModel((0.0,), 1e6, ("x",), "y")
    halves = np.split(np.column_stack([y, y]), 2)
    found = errors_on(model, halves).evaluation()
    assert math.isfinite(found.r_squared) == varies
    assert library.observations_from(y, y).r_squared(np.zeros(2)) == (
        pytest.approx(1 - (y @ y) / ((y - y.mean()) @ (y - y.mean())))
        if varies
        else pytest.approx(math.nan, nan_ok=True)
    )


def test_a_fault_in_an_observed_column_names_it(gdfit: Gdfit) -> None:
    """As it is called, and apart from a feature of its name."""
    library.LinearModel((1.0,), 0.0, ("x",), "y").save("gdfit.json")
    result = gdfit("evaluate", "-", "--target", "log(y)", stdin=b"x,y\n1,2\n3,0\n")
    assert "line 3, column 'y': log(y) takes a number above 0" in result.err


def test_files_are_evaluated_in_their_dialect(tmp_path: Path) -> None:
    """In Python, too."""
    path = tmp_path / "d.csv"
    path.write_text("x;y\n1,5;3,5\n2,5;5,5\n;1\n")
    model = library.LinearModel((2.0,), 1.0, ("x",), "y")
    dialect = Dialect(decimal=",", drop_missing=True)
    found = library.evaluate(model, str(path), dialect=dialect)
    assert (found.observations, found.mae) == (2, 0.5)


def test_errors_as_csv(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "-q")
    record = gdfit.json("evaluate", LECTURE)
    header, row = gdfit("evaluate", LECTURE, "--format", "csv").out.splitlines()
    assert dict(zip(header.split(","), map(float, row.split(",")), strict=True)) == record
    _, alone = gdfit("evaluate", "-", "--format", "csv", stdin=b"x,y\n1,3\n").out.splitlines()
    assert alone.endswith(",")  # there is no R² of one row


def test_other_levels_than_the_models_are_told_of_the_file(gdfit: Gdfit) -> None:
    for name, levels in (("three.csv", "pqrpqrp"), ("two.csv", "pqpqpqp")):
        rows = [f"{level},{place * place % 5}" for place, level in enumerate(levels)]
        Path(name).write_text("\n".join(["k,y", *rows]) + "\n")
    assert gdfit("train", "three.csv", "--features", "k", "-q").status == 0
    assert gdfit("condense", "two.csv", "--features", "k", "--output", "c.json").status == 0
    found = gdfit("evaluate", "c.json")
    assert found.status == 1
    assert "c.json: has been condensed to k[q]; the model's features are k[q], k[r]" in found.err


def test_a_target_may_be_another_column(tmp_path: Path) -> None:
    data = tmp_path / "d.csv"
    data.write_text("x,y,t\n1,3,2\n2,1,4\n3,5,5\n4,4,9\n")
    model = library.train([1.0, 2, 3, 4], [2.0, 4, 6, 8], features=["x"], target="y").model
    x, t = np.array([1.0, 2, 3, 4]), np.array([2.0, 4, 5, 9])
    expected = np.mean((model.predict(x[:, np.newaxis]) - t) ** 2)
    assert library.evaluate(model, str(data), target="t").mse == pytest.approx(expected)
