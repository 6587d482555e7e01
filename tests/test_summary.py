"""What a summary shows: the same numbers in a table, JSON and CSV; words where there are none."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import astuple

import numpy as np
import pytest

import gdfit
from gdfit import LinearModel, Observations
from gdfit.arrays import FloatArray
from gdfit.show.tables.summaries import remark_on, show_summary

Capture = pytest.CaptureFixture[str]
FIGURES = [
    "residual_std_error",
    "df",
    "r_squared",
    "adjusted_r_squared",
    "f",
    "f_p",
    "log_likelihood",
    "aic",
    "bic",
    "standard_errors",
    "observations",
]
COLUMNS = ["name", "value", "least_squares", "std_error", "t", "p", "low", "high", "vif"]
NO_LIKELIHOOD = {"log_likelihood", "aic", "bic"}
NO_ERROR = NO_LIKELIHOOD | {"residual_std_error", "adjusted_r_squared", "f", "f_p"}
NO_R_SQUARED = {"r_squared", "adjusted_r_squared", "f", "f_p"}
EDGES: dict[str, tuple[list[list[float]], list[float], set[str], str]] = {
    "one observation": (
        [[3.0]],
        [2.0],
        NO_ERROR | NO_R_SQUARED,
        "none left to tell errors from: 1 observation for 2 params",
    ),
    "as many observations as params": (
        [[1.0], [2.0]],
        [3.0, 4.0],
        NO_ERROR,
        "none left to tell errors from: 2 observations for 2 params",
    ),
    "fewer observations than params": (
        [[1.0, 5.0, 2.0], [2.0, 7.0, 9.0]],
        [3.0, 4.0],
        NO_ERROR,
        "w_x2, w_x3: dependent on the columns before them, or constant",
    ),
    "perfect": (
        [[0.1], [0.2], [0.3], [0.7]],
        [1.2, 1.4, 1.6, 2.4],
        NO_LIKELIHOOD | {"f", "f_p"},
        "0 but for rounding: a perfect fit has no t and no p",
    ),
    "constant target": (
        [[0.1], [0.2], [0.3], [0.7]],
        [0.3] * 4,
        NO_LIKELIHOOD | NO_R_SQUARED,
        "none: the target does not vary",
    ),
    "target of zeros": (
        [[0.1], [0.2], [0.3]],
        [0.0] * 3,
        NO_LIKELIHOOD | NO_R_SQUARED,
        "none: the target does not vary",
    ),
    "constant feature": (
        [[0.3]] * 3,
        [1.0, 2.0, 4.0],
        {"f", "f_p"},
        "w: dependent on the columns before it, or constant",
    ),
    "feature of zeros": ([[0.0]] * 3, [1.0, 2.0, 4.0], {"f", "f_p"}, "none: no feature varies"),
}


def observations_of(features: list[str], count: int = 60) -> tuple[Observations, FloatArray]:
    """Observations of these features with noise, and the features' values."""
    random = np.random.default_rng(8)
    x = random.normal(random.uniform(-5, 5, len(features)), 2.0, (count, len(features)))
    y = x @ random.normal(size=len(features)) + random.normal(size=count)
    return gdfit.observations_from(x, y, features), x


def model_of(observations: Observations, *params: float) -> LinearModel:
    """A model of the same columns."""
    return LinearModel(params[:-1], params[-1], observations.features, observations.target_name)


@pytest.mark.parametrize("name", EDGES)
def test_what_cannot_be_told_is_said(name: str, capsys: Capture) -> None:
    x, y, untold, words = EDGES[name]
    summary = gdfit.summarize(gdfit.observations_from(x, y))
    assert {key for key, value in summary.figures.items() if value is None} == untold
    cells = [cell for row in summary.rows for cell in astuple(row)[1:]]
    told = [number for number in (*summary.figures.values(), *cells) if isinstance(number, float)]
    assert all(map(math.isfinite, told))
    show_summary(summary)
    table = capsys.readouterr().out
    assert words in table
    show_summary(summary, "json")
    record = json.loads(capsys.readouterr().out)
    assert {key for key, value in record.items() if value is None} == untold
    show_summary(summary, "csv")
    text = capsys.readouterr().out
    for out in (table, text, summary._repr_html_()):
        assert "nan" not in out.lower()
        assert "inf" not in out
        assert "None" not in out


def test_json_and_csv_hold_all_digits(capsys: Capture) -> None:
    summary = gdfit.summarize(observations_of(["x1", "x2"])[0])
    show_summary(summary, "json")
    record = json.loads(capsys.readouterr().out)
    assert list(record) == ["params", *FIGURES]
    assert [list(row) for row in record["params"]] == [COLUMNS] * 3
    assert [tuple(row.values()) for row in record["params"]] == list(map(astuple, summary.rows))
    assert {key: record[key] for key in FIGURES} == summary.figures
    show_summary(summary, "csv")
    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert header == COLUMNS
    read = [(row[0], *(float(cell) if cell else None for cell in row[1:])) for row in rows]
    assert read == list(map(astuple, summary.rows))


def test_in_a_notebook() -> None:
    summary = gdfit.summarize(observations_of(["x1", "<b>"])[0])
    frame = summary.frame
    assert list(frame.columns) == COLUMNS[1:]
    assert list(frame.index) == ["w_x1", "w_<b>", "b"]
    assert frame.loc["w_x1", "p"] == summary.rows[0].p
    assert frame["value"].isna().all()
    html = summary._repr_html_()
    assert html.count("<table") == 2
    assert "w_&lt;b&gt;" in html
    assert ">least\nsquares<" in html
    assert f"adjusted {summary.adjusted_r_squared:.8g}<" in html


def test_how_far_descent_has_come(capsys: Capture) -> None:
    observations, _ = observations_of(["depth", "width"])
    summary = gdfit.summarize(observations, model_of(observations, 1.0, 2.0, 3.0))
    assert [row.value for row in summary.rows] == [1.0, 2.0, 3.0]
    frame = summary.frame
    distances = (frame["value"] - frame["least_squares"]).abs() / frame["std_error"]
    assert [row.distance for row in summary.rows] == pytest.approx(distances.tolist())
    show_summary(summary)
    words = f"at most {distances.max():.2g} standard errors from least squares"
    assert f" descent    {words} ({distances.idxmax()})\n" in capsys.readouterr().out


def test_a_model_of_another_loss_is_remarked_on(capsys: Capture) -> None:
    observations, _ = observations_of(["x"])
    remark = remark_on({"loss_function": "mae", "l2": 0.5})
    show_summary(gdfit.summarize(observations, model_of(observations, 1.0, 2.0)), remark=remark)
    words = "fitted to MAE + 0.5·‖w‖²: all but the value column is plain least squares"
    assert f" model      {words}\n" in capsys.readouterr().out
    assert remark_on({"loss_function": "huber", "l2": 0.0, "w": []}) == words.replace(
        "MAE + 0.5·‖w‖²", "Huber's loss"
    )
    assert remark_on({"loss_function": "mse", "l2": 2.0}) == words.replace("MAE + 0.5", "MSE + 2")
    assert remark_on({"loss_function": "mse", "l2": 0.0}) is None
    assert remark_on({}) is None


def test_a_p_below_float64_is_not_shown_as_0(capsys: Capture) -> None:
    x = np.arange(2000.0)
    y = x + np.random.default_rng(9).normal(size=2000)
    summary = gdfit.summarize(gdfit.observations_from(x, y))
    assert (summary.rows[0].p, summary.f_p) == (0.0, 0.0)
    show_summary(summary)
    out = capsys.readouterr().out
    assert " <1e-300 " in out
    assert ", p <1e-300\n" in out


@pytest.mark.parametrize("scale", [1.0, 1e-7, 1e12])
@pytest.mark.parametrize("name", ["x", "a_name_that_is_far_too_long_for_any_table", "高度" * 20])
def test_the_table_fits_in_80_columns(name: str, scale: float, capsys: Capture) -> None:
    from rich.cells import cell_len

    features = [f"{place}_{name}" for place in range(20)]
    plain, x = observations_of(features)
    observations = gdfit.observations_from(x / scale**2, plain.target * scale, features)
    model = model_of(observations, *[-1.2345e-7 * scale] * 21)
    show_summary(gdfit.summarize(observations, model, level=0.999))
    table, _ = capsys.readouterr().out.split("\n\n")
    lines = table.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert len(lines) == 3 + 21
    for place, line in enumerate(lines[3:-1]):
        start, *cells = line.split()
        assert start.startswith(f"w_{place}_")
        assert len([float(cell.removeprefix("<")) for cell in cells[-7:]]) == 7
        assert ("…" in line) == (name != "x")
