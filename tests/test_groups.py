"""A model for each group of rows: as if each were trained by itself, however the data come."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfit
import gdfit as library
from conftest import Gdfit
from exported import LANGUAGES, run
from gdfit.arrays import triangles
from gdfit.data.dataset import Dataset
from gdfit.data.text.dialect import Selection
from gdfit.descent.by_group import TOO_FEW, fit_groups
from gdfit.descent.settings import Settings
from gdfit.errors import GdfitError, UsageError


def frame(rows: int = 240, seed: int = 0) -> pd.DataFrame:
    """Columns in units of their own, a category, weights, and four groups of unlike sizes."""
    random = np.random.default_rng(seed)
    group = np.array(["north", "south", "east", 'w"est, far'])[
        random.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    ]
    x, z = random.normal(50, 3, rows), random.normal(0, 200, rows)
    slopes = {"north": 1.0, "south": -2.0, "east": 0.5, 'w"est, far': 7.0}
    y = np.array([slopes[name] for name in group]) * x + z / 100 + random.normal(0, 1, rows)
    kind = np.array(["a", "b", "c"])[random.integers(0, 3, rows)]
    weights, year = random.integers(1, 5, rows), random.choice([2019, 2020, 2024], rows)
    columns = {"g": group, "x": x, "z": z, "kind": kind, "v": weights, "year": year, "y": y}
    return pd.DataFrame(columns)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30), st.integers(2, 6), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_triangles_have_the_inner_products_of_each_run(
    counts: list[int], width: int, seed: int
) -> None:
    rows = np.random.default_rng(seed).normal(size=(sum(counts), width))
    found, start = triangles(rows, np.array(counts)), 0
    assert found.shape == (len(counts), width, width)
    for triangle, count in zip(found, counts, strict=True):
        run = rows[start : start + count]
        assert triangle.T @ triangle == pytest.approx(run.T @ run, abs=1e-12 * max(count, 1))
        assert not np.tril(triangle, -1).any()
        start += count


WAYS: dict[str, dict[str, Any]] = {
    "default": {},
    "two features": {"features": ["x", "z"]},
    "a rate": {"lr": 1e-4, "epochs": 50},
    "a rate, standardized": {"lr": 0.03, "epochs": 40, "scale": "standardize"},
    "an odd epoch": {"lr": 0.9, "epochs": 7, "scale": "standardize"},
    "whitened": {"features": ["x", "z"], "scale": "whiten"},
    "powers": {"degree": 4},
    "a category": {"features": ["kind", "x"]},
    "weights": {"weights": "v", "features": ["x", "z"]},
    "no intercept": {"intercept": False},
    "ridge": {"l2": 0.1},
    "lasso": {"l1": 0.5, "features": ["x", "z"]},
    "momentum": {"optimizer": "momentum", "epochs": 300},
    "huber": {"loss": "huber", "epochs": 60},
    "batches": {"batch_size": 8, "epochs": 5, "lr": 0.01, "scale": "standardize"},
    "a tolerance": {"tol": 1e-6},
    "a start": {"init": [0.5, 2.0], "epochs": 30, "lr": 0.02, "scale": "standardize"},
    "a random start": {"init": "random", "epochs": 30, "lr": 0.02, "scale": "standardize"},
    "by torch": {"backend": "autograd", "epochs": 30},
}


@pytest.mark.parametrize("way", WAYS)
def test_each_group_is_fitted_as_by_itself(way: str) -> None:
    data, how = frame(), {"features": "x", "target": "y"} | WAYS[way]
    fits = gdfit.train_groups(data, by="g", **how)
    assert [fit.group for fit in fits] == data["g"].value_counts().index.tolist()
    for fit in fits:
        alone = gdfit.train(frame_of(data, str(fit.group)), **how)
        assert fit.model is not None
        assert fit.model.features == alone.model.features
        size = np.abs(alone.model.params).max()
        assert fit.model.params == pytest.approx(alone.model.params, rel=1e-7, abs=1e-9 * size)
        expected = alone.model.facts
        for key in ("loss", "r_squared", "lr", "minimum_loss", "max_stable_lr", "std_error"):
            if isinstance(expected.get(key), float):
                assert fit.model.facts[key] == pytest.approx(expected[key], rel=1e-8, abs=1e-12)
        for key in ("observations", "status", "scale", "arrived", "epochs", "weights"):
            assert fit.model.facts.get(key) == expected.get(key), key
        assert fit.model.facts.keys() >= expected.keys() - {"state"}


def test_many_groups_go_side_by_side_as_they_do_alone() -> None:
    random = np.random.default_rng(3)
    group = random.integers(0, 60, 3000)
    x = random.normal(1e6, 10, (3000, 2)) + group[:, np.newaxis]
    y = x @ [1.0, -1.0] + group + random.normal(size=3000)
    fits = gdfit.train_groups(x, y, by=group)
    assert fits.stack is not None
    assert fits.stack.holds.all()
    for place in range(60):
        alone = fits.fit(place).model
        model = fits.at(place).model
        assert model is not None
        assert model.params == pytest.approx(alone.params, rel=1e-8)
        at = fits.groups.group(place).sample[:3, :-1]
        assert model.predict(at) == pytest.approx(alone.predict(at), abs=1e-9)


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_the_numbers_are_the_same_however_the_data_come(
    gdfit: Gdfit, tmp_path: Path, loss: str
) -> None:
    data, path = frame(900), tmp_path / "d.csv"
    data.to_csv(path, index=False)
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    data.to_parquet(tmp_path / "d.parquet")
    options = ("--features", "x,kind", "--by", "g", "--loss", loss, "--epochs", 40, "--no-model")
    expected = gdfit("train", path, *options, "--format", "csv").out
    assert len(expected.splitlines()) == 5
    read = path.read_bytes()
    for data_of in (("train", tmp_path / "d.csv.gz"), ("train", tmp_path / "d.parquet")):
        assert gdfit(*data_of, *options, "--format", "csv").out == expected
    assert gdfit("train", "-", *options, "--format", "csv", stdin=read).out == expected


def test_units_read_apart_give_what_one_gives(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    frame(3000).to_csv(path, index=False)

    def fits(unit: int) -> pd.DataFrame:
        selection = Selection(("x", "kind", "z"), "y", by="g", weights="v")
        found = Dataset((str(path),), selection, unit_bytes=unit).observations()
        return fit_groups(found, Settings()).frame

    whole = fits(1 << 20)
    for unit in (1 << 12, 1 << 15):
        cut = fits(unit)
        assert cut["g"].tolist() == whole["g"].tolist()
        assert cut["observations"].tolist() == whole["observations"].tolist()
        assert cut.iloc[:, 2:-1].to_numpy() == pytest.approx(whole.iloc[:, 2:-1].to_numpy())


def test_workers_condense_the_same_groups(gdfit: Gdfit, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    frame(400).to_csv(path, index=False)
    options = ("--features", "x", "--by", "g", "--no-model", "--format", "csv")
    expected = gdfit("train", path, *options).out
    assert gdfit("train", path, *options, "--dask", "local").out == expected


def test_a_table_has_the_largest_dozen(gdfit: Gdfit, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(30), np.arange(30) + 1)
    data = pd.DataFrame({"g": group, "x": random.normal(size=len(group))})
    data["y"] = data["x"] * data["g"] + random.normal(size=len(group))
    data.to_csv(tmp_path / "d.csv", index=False)
    result = gdfit("train", tmp_path / "d.csv", "--by", "g", "--model", tmp_path / "m.json")
    rows = [line.split() for line in result.out.splitlines()]
    shown = [row[0] for row in rows if row and row[0].isdigit()]
    assert shown == [str(29 - place) for place in range(12)]
    assert "465 rows · 30 groups by g" in result.out
    assert "18 smaller groups" in result.out
    assert f"1 {TOO_FEW}" in result.out
    assert "1 group of fewer rows than params has no model" in result.err
    lines = [line for line in result.out.splitlines() if not line.startswith(" model")]
    assert max(map(len, lines)) <= 80

    records = json.loads((tmp_path / "m.json").read_text())
    assert [record["group"] for record in records] == [str(29 - place) for place in range(30)]
    assert records[-1]["status"] == TOO_FEW
    assert records[-1]["w"] is None
    assert all("history" not in record for record in records)
    assert records[0]["by"] == "g"


def test_csv_and_quiet_have_a_line_for_each(gdfit: Gdfit, tmp_path: Path) -> None:
    data, path = frame(), tmp_path / "d.csv"
    data.to_csv(path, index=False)
    with path.open("a") as file:
        file.write("alone,1,1,a,1,2020,1\n")
    options = ("train", path, "--features", "x,z", "--by", "g", "--no-model")
    header, *rows = gdfit(*options, "--format", "csv").out.splitlines()
    assert header == "g,observations,w_x,w_z,b,loss,r_squared,status"
    assert rows[-1] == f"alone,1,,,,,,{TOO_FEW}"
    quiet = gdfit(*options, "-q").out.splitlines()
    assert len(quiet) == 4
    assert [float(value) for value in rows[0].split(",")[2:5]] == [
        float(value) for value in quiet[0].split()[-3:]
    ]


def trained(gdfit: Gdfit, tmp_path: Path, *options: object) -> tuple[pd.DataFrame, Path, Path]:
    """Data in a file, and a model by group of them."""
    data, path, model = frame(), tmp_path / "d.csv", tmp_path / "m.json"
    data.to_csv(path, index=False)
    result = gdfit("train", path, "--target", "y", *options, "--model", model)
    assert result.status == 0, result.err
    return data, path, model


def test_one_file_predicts_each_row_by_its_group(gdfit: Gdfit, tmp_path: Path) -> None:
    data, path, model = trained(gdfit, tmp_path, "--by", "g", "--features", "x,kind")
    lines = gdfit("predict", path, "--model", model).out.splitlines()
    assert lines[0].endswith(",y_hat")
    given = [float(line.rsplit(",", 1)[1]) for line in lines[1:]]
    residuals = 0.0
    for group in data["g"].unique():
        rows = data.index[data["g"] == group]
        alone = frame_of(data, group)
        fit = library.train(alone, "y", features=["x", "kind"])
        assert [given[row] for row in rows] == pytest.approx(fit.predict(alone), rel=1e-9)
        residuals += float(((fit.predict(alone) - alone["y"]) ** 2).sum())
    evaluated = gdfit.json("evaluate", path, "--model", model)
    assert evaluated["mse"] == pytest.approx(residuals / len(data), rel=1e-9)
    row = data.iloc[0]
    at = f'"{row["g"]}",{row["x"]},{row["kind"]}'.replace('w"est', 'w""est')
    assert float(gdfit("predict", "--x", at, "--model", model).out) == given[0]


def frame_of(data: pd.DataFrame, group: str) -> pd.DataFrame:
    """The rows of a group."""
    return data[data["g"] == group].reset_index(drop=True)


def test_a_group_that_is_new_has_no_prediction(gdfit: Gdfit, tmp_path: Path) -> None:
    data, _, model = trained(gdfit, tmp_path, "--by", "g", "--features", "x")
    data.loc[0, "g"] = "elsewhere"
    other = tmp_path / "other.csv"
    data.to_csv(other, index=False)
    predicted = gdfit("predict", other, "--model", model)
    assert predicted.out.splitlines()[1].endswith(",")
    assert "'elsewhere'" in predicted.err
    for command in ("evaluate", "summary"):
        skipped = gdfit(command, other, "--model", model)
        assert skipped.status == 0
        assert "skipped 1 row of a group without a model" in skipped.err
    at = gdfit("predict", "--x", "elsewhere,3", "--model", model)
    assert at.status == 1
    assert "is a group without a model" in at.err


@pytest.mark.parametrize("features", ["x,z", "x,kind"])
def test_a_summary_is_of_each_group(gdfit: Gdfit, tmp_path: Path, features: str) -> None:
    data, path, model = trained(gdfit, tmp_path, "--by", "g", "--features", features)
    out = gdfit("summary", path, "--model", model, "--format", "json").out
    for record in json.loads(out):
        alone = library.summarize(
            frame_of(data, record["group"]), y="y", features=features.split(",")
        )
        errors = [row["std_error"] for row in record["params"]]
        assert errors == pytest.approx([row.std_error for row in alone.rows], rel=1e-9)
        assert record["r_squared"] == pytest.approx(alone.r_squared)
    table = gdfit("summary", path, "--model", model).out
    assert table.count("std") > 3
    assert " g north" in table
    rows = gdfit("summary", path, "--model", model, "--format", "csv").out.splitlines()
    assert len(rows) == 1 + 4 * len(library.load_model(model).params)
    assert gdfit("summary", path, "--model", model, "--robust", "hc3").status == 2


@pytest.mark.parametrize("features", ["x", "x,x^2", "kind,x"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_exports_choose_the_group_to_the_last_bit(
    tmp_path: Path, language: str, features: str
) -> None:
    if language == "duckdb":
        pytest.importorskip("duckdb")
    data = frame(60)
    terms = features.split(",")
    model = gdfit.train_groups(data, "y", features=terms, by="g").model
    rows = [
        [row[name] if isinstance(row[name], str) else float(row[name]) for name in model.inputs]
        for _, row in data.head(12).iterrows()
    ]
    expected = [model.at_inputs(row) for row in rows]
    assert run(language, model, rows, tmp_path) == expected
    with pytest.raises(UsageError, match="one layer"):
        gdfit.export(model, "torch", tmp_path / "m.pt")


LACKING = """g,kind,x,y
a,p,1,1.1
a,p,2,2.0
a,q,3,13.2
a,q,4,14.1
a,q,5,14.9
b,q,1,2
b,q,2,4.1
b,r,3,16
b,r,4,108.2
b,r,5,110
"""


def test_a_level_that_a_group_has_not_had_has_no_prediction(gdfit: Gdfit, tmp_path: Path) -> None:
    path, model = tmp_path / "d.csv", tmp_path / "m.json"
    path.write_text(LACKING)
    train = gdfit("train", path, "--by", "g", "--features", "x,kind", "--model", model)
    assert "in 2 groups a column does not vary" in train.err
    for at in ("a,3,r", "b,3,p"):
        result = gdfit("predict", "--x", at, "--model", model)
        assert result.status == 1
        assert "is a level that the group" in result.err
    assert gdfit("predict", "--x", "b,3,r", "--model", model).status == 0
    other = tmp_path / "other.csv"
    other.write_text("g,kind,x,y\na,r,3,1\na,q,3,1\nb,p,3,1\n")
    predicted = gdfit("predict", other, "--model", model)
    empty = [line.endswith(",") for line in predicted.out.splitlines()[1:]]
    assert empty == [True, False, True]
    assert "2 rows where a term has no value, or a level that the group has not" in predicted.err
    evaluated = gdfit("evaluate", other, "--model", model)
    assert "line 2, column 'kind': 'r' is a level that the group 'a' has not had" in evaluated.err
    read, formats = library.load_model(model), ("sqlite", "python", "c", "excel")
    for language in formats:
        found = run(language, read, [["a", 3.0, "q"], ["b", 3.0, "r"]], tmp_path)
        assert found == [read.at_inputs(["a", 3.0, "q"]), read.at_inputs(["b", 3.0, "r"])]
        if language == "excel":  # whose errors this cannot add
            continue
        for row in (["a", 3.0, "r"], ["b", 3.0, "p"]):
            (nothing,) = run(language, read, [row], tmp_path)
            assert nothing is None or nothing != nothing


def test_groups_are_names(gdfit: Gdfit, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    ids = ["007", "7", "7.0", "10A", "1e3"] * 4
    rows = [f"{name},{place},{place**2}" for place, name in enumerate(ids)]
    path.write_text("id,x,y\n" + "\n".join(rows) + "\n")
    lines = gdfit("train", path, "--by", "id", "--format", "csv").out.splitlines()[1:]
    assert [line.split(",")[:2] for line in lines] == [
        ["7", "8"],
        ["007", "4"],
        ["10A", "4"],
        ["1e3", "4"],
    ]
    assert gdfit("predict", "--x", "007,2").status == 0


def test_a_group_without_intervals_leaves_them_empty(gdfit: Gdfit, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("g,x,y\na,1,1\na,2,3\na,3,4\na,4,4\nb,1,1\nb,2,3\n")
    gdfit("train", path, "--by", "g", "-q")
    lines = gdfit("predict", path, "--interval", "0.9").out.splitlines()[1:]
    assert [line.count(",,") + line.endswith(",") for line in lines] == [0, 0, 0, 0, 2, 2]


def test_intervals_are_those_of_each_model() -> None:
    data = frame()
    model = gdfit.train_groups(data, "y", features=["x"], by="g").model
    for group in data["g"].unique():
        alone = frame_of(data, group)
        expected = gdfit.predict_interval(gdfit.train(alone, "y", features=["x"]).model, alone)
        found = gdfit.predict_interval(model, alone)
        assert np.array(found) == pytest.approx(np.array(expected), rel=1e-9)


def test_a_model_comes_back_from_its_file(tmp_path: Path) -> None:
    data = frame()
    for by in ("g", "year"):
        model = gdfit.train_groups(data, "y", features=["x", "kind"], by=by).model
        model.save(tmp_path / "m.json")
        read = gdfit.load_model(tmp_path / "m.json")
        assert read.predict(data).tolist() == model.predict(data).tolist()
        assert read.inputs == (by, "x", "kind")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda records: records.append(records[0]), "twice"),
        (lambda records: records[1].pop("group"), "says no group"),
        (lambda records: records[1].update(features=["q"]), "other columns"),
        (lambda records: records[1].update(w=["a"]), "not all numbers"),
        (lambda records: records.insert(0, 7), "of no groups"),
        (lambda records: records[0].update(group=True), "of no groups"),
        (lambda records: records.clear(), "no group in it"),
        (lambda records: records[0].update(by="other"), "other columns"),
        (lambda records: records[0].update(group=3), "texts and numbers"),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, change: Any, told: str) -> None:
    path = tmp_path / "m.json"
    gdfit.train_groups(frame(), "y", features=["x"], by="g").model.save(path)
    records = json.loads(path.read_text())
    change(records)
    path.write_text(json.dumps(records))
    with pytest.raises(GdfitError, match=f"is not a model file.*{told}"):
        gdfit.load_model(path)


def test_parts_of_dates_are_groups(gdfit: Gdfit, tmp_path: Path) -> None:
    days = pd.date_range("2023-11-01", periods=120)
    data = pd.DataFrame({"day": days.strftime("%Y-%m-%d"), "x": np.arange(120.0)})
    data["y"] = np.sin(data["x"]) + data["x"]
    data.to_csv(tmp_path / "d.csv", index=False)
    command = ("train", tmp_path / "d.csv", "--features", "x", "--target", "y")
    rows = gdfit(*command, "--by", "month(day)", "--format", "csv").out.splitlines()
    assert rows[0].startswith("month(day),")
    assert sorted(row.split(",")[0] for row in rows[1:]) == ["1", "11", "12", "2"]
    assert float(gdfit("predict", "--x", "2024-12-24,3").out)
    alone = gdfit(*command, "--by", "day", "--format", "csv").out.splitlines()
    assert alone[1].startswith("2023-11-01,1,")


@pytest.mark.parametrize("days", [("2024-01-15", "1969-12-31"), ("15.1.2024", "31.12.1969")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_exports_know_groups_of_dates(
    gdfit: Gdfit, tmp_path: Path, language: str, days: tuple[str, str]
) -> None:
    if language == "duckdb":
        pytest.importorskip("duckdb")
    data = pd.DataFrame({"day": np.resize(days, 20), "x": np.arange(20.0) % 7})
    data["y"] = data["x"] * np.resize([1.0, 3.0], 20) + 0.3 * np.arange(20.0)
    data.to_csv(tmp_path / "d.csv", index=False)
    path = tmp_path / "m.json"
    options = ("--by", "day", "--target", "y", "--features", "x", "--model", path)
    assert gdfit("train", tmp_path / "d.csv", *options).status == 0
    model = library.load_model(path)
    rows: list[list[float | str]] = [[day, x] for day in days for x in (0.5, 2.0)]
    assert run(language, model, rows, tmp_path) == [model.at_inputs(row) for row in rows]
    form = {"sqlite": "sql", "duckdb": "sql"}.get(language, language)
    told = gdfit("export", "--format", form, "--model", path).err
    assert "day must hold texts, written as in the data" in told
    assert "dates" not in told
    assert "plain numbers" not in told


def test_a_group_is_typed_as_it_is_written(gdfit: Gdfit, tmp_path: Path) -> None:
    path, model = tmp_path / "d.csv", tmp_path / "m.json"
    path.write_text(
        "g,x,y\n" + "".join(f"{'a' if x % 2 else '1.0'},{x},{x * x}\n" for x in range(9))
    )
    assert gdfit("train", path, "--by", "g", "--target", "y", "--model", model).status == 0
    typed = [gdfit("predict", "--x", f"{name},3", "--model", model) for name in ("1.0", "1")]
    assert (typed[0].status, typed[0].out) == (0, typed[1].out)
    assert gdfit("predict", "--x", "01,3", "--model", model).status == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--cv", "3"], "--cv does not go with --by"),
        (["--validation", "0.2"], "--validation does not go with --by"),
        (["--history", "h.csv"], "--history does not go with --by"),
        (["--explain", "1"], "--explain does not go with --by"),
        (["--page", "p.html"], "--page does not go with --by"),
        (["--features", "x,g"], "both in --features and in --by"),
        (["--by", "log(x)"], "--by takes a column"),
        (["--weights", "g"], "both in --weights and in --by"),
    ],
)
def test_what_does_not_go_with_groups(
    gdfit: Gdfit, tmp_path: Path, options: list[str], told: str
) -> None:
    path = tmp_path / "d.csv"
    frame(40).to_csv(path, index=False)
    result = gdfit("train", path, "--by", "g", *options)
    assert result.status == 2
    assert told in result.err


def test_runs_that_diverge_have_no_model(gdfit: Gdfit, tmp_path: Path) -> None:
    path, model = tmp_path / "d.csv", tmp_path / "m.json"
    frame(40).to_csv(path, index=False)
    command = ("train", path, "--features", "x", "--by", "g", "--model", model)
    few = gdfit(*command, "--degree", 40, "--plot", tmp_path / "few.png")
    assert few.status == 1
    assert "too few rows" in few.out
    assert "fewer rows than params" in few.err
    assert not (tmp_path / "few.png").exists()
    result = gdfit(*command, "--lr", 10)
    assert result.status == 3
    assert not model.exists()
    assert "have diverged" in result.err
    assert gdfit(*command, "--lr", 1e-4, "--epochs", 5).status == 0


def test_the_status_tells_of_groups_that_diverged_beside_others(
    gdfit: Gdfit, tmp_path: Path
) -> None:
    path, model = tmp_path / "d.csv", tmp_path / "m.json"
    path.write_text(
        "g,x,y\n"
        + "".join(f"{g},{k * x},{x * x}\n" for g, k in (("a", 1), ("b", 9)) for x in range(9))
    )
    command = ("train", path, "--features", "x", "--by", "g", "--model", model)
    result = gdfit(*command, "--lr", 0.02, "--format", "csv")
    assert result.status == 3
    assert [row.split(",")[-1] for row in result.out.splitlines()[1:]] == ["completed", "diverged"]
    assert (
        "gdfit: error: the runs of 1 group have diverged, which have no model: --lr" in result.err
    )
    assert gdfit("predict", "--x", "a,2", "--model", model).status == 0
    assert gdfit("predict", "--x", "b,2", "--model", model).status == 1
    path.write_text(path.read_text() + "c,1,1\n")
    assert gdfit(*command).status == 0  # a group of too few rows is told, and nothing went wrong


def test_what_holds_of_some_groups_is_noted(gdfit: Gdfit, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text(
        "g,x,y,z\n"
        + "".join(f"a,{x},{2 * x + x % 2},{x > 3}\n" for x in range(8))
        + "".join(f"b,5,{y},{y % 2 > 0}\n" for y in range(8))
    )
    command = ("train", path, "--by", "g", "--features", "x", "--no-model", "-q")
    assert "in 1 group a column does not vary" in gdfit(*command, "--target", "y").err
    far = tmp_path / "far.csv"  # which columns are as they are, and don't depend on each other
    far.write_text(path.read_text().replace("a,", "a,1972").replace(",5,", ",19730,"))
    raw = gdfit("train", far, *command[2:], "--target", "y", "--lr", "1e-10", "--scale", "none")
    assert "in 1 group a column does not vary" in raw.err
    classes = gdfit(*command, "--target", "z", "--loss", "logistic").err
    assert "a plane separates the classes of 1 group: --l2 0.1" in classes
    kept = gdfit(*command, "--target", "z", "--loss", "logistic", "--l2", "0.1").err
    assert "separates" not in kept
    slow = gdfit(*command, "--target", "y", "--lr", "1e-6", "--epochs", "2").err
    assert "the models of 2 groups are worse than the mean" in slow


def test_what_says_the_group_may_be_an_array_or_a_column() -> None:
    data = frame()
    named = gdfit.train_groups(data, "y", features=["x"], by="g").frame
    beside = gdfit.train_groups(data["x"].to_numpy(), data["y"], by=data["g"].tolist()).frame
    assert np.array_equal(named.iloc[:, 1:-1].to_numpy(), beside.iloc[:, 1:-1].to_numpy())
    with pytest.raises(UsageError, match="the group of each row"):
        gdfit.train_groups(data["x"].to_numpy(), data["y"], by=[1, 2])
    with pytest.raises(UsageError, match="`by` is for train_groups"):
        gdfit.train(data, "y", features=["x"], by="g")
    with pytest.raises(UsageError, match="`init` takes 2 finite numbers"):
        gdfit.train_groups(data, "y", features=["x"], by="g", init=[1, 2, 3])
    fits = gdfit.train_groups(data, "y", features=["x"], by="g")
    assert fits["north"].row == next(iter(fits)).row
    with pytest.raises(KeyError):
        fits["elsewhere"]
    with pytest.raises(UsageError, match="names the column"):
        gdfit.train_groups(data, "y", features=["x"])
    model = gdfit.train_groups(data, "y", features=["x"], by="g").model
    with pytest.raises(UsageError, match="one for each group"):
        gdfit.train(data, "y", features=["x"], init=model)


def test_a_picture_has_a_line_for_each_of_a_dozen(gdfit: Gdfit, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    data = pd.DataFrame({"shop": random.integers(1, 20, 600), "x": random.normal(size=600)})
    data["y"] = data["x"] * data["shop"] + random.normal(size=600)
    data.to_csv(tmp_path / "d.csv", index=False)
    command = ("train", tmp_path / "d.csv", "--by", "shop", "--no-model", "-q", "--plot")
    assert gdfit(*command, tmp_path / "p.svg").status == 0
    text = (tmp_path / "p.svg").read_text()
    assert "the 12 largest of 19 groups" in text
    assert text.count(" (3") + text.count(" (4") + text.count(" (2") >= 12
    data["z"] = random.normal(size=600)
    data.to_csv(tmp_path / "d.csv", index=False)
    assert gdfit(*command, tmp_path / "q.svg").status == 0
    assert "observed y" in (tmp_path / "q.svg").read_text()


def test_a_group_without_a_fit_has_a_row_all_the_same() -> None:
    data = pd.DataFrame({"x": [1.0, 2, 4, 3], "y": [1.0, 2, 3, 1], "g": [*"aaab"]})
    found = gdfit.train_groups(data, "y", features=["x"], by="g").frame
    assert found["g"].tolist() == ["a", "b"]
    assert found["observations"].tolist() == [3, 1]
    assert found[["w", "b", "loss", "r_squared"]].isna().all(axis=1).tolist() == [False, True]
    assert found["status"].tolist()[0] == "completed"
    assert isinstance(found["status"].tolist()[1], str)


def test_a_model_of_groups_is_shown_as_the_first_of_them() -> None:
    fits = gdfit.train_groups(frame(), "y", features=["x"], by="g")
    assert "models" not in repr(fits.model)
    assert "make" not in repr(next(iter(fits)))


def test_a_group_whose_column_does_not_vary_is_run_by_itself() -> None:
    random = np.random.default_rng(7)
    data = pd.DataFrame(
        {"x": random.normal(size=40), "y": random.normal(size=40), "g": [*"ab"] * 20}
    )
    data.loc[data["g"] == "b", "x"] = 5.0
    fits = gdfit.train_groups(data, "y", features=["x"], by="g")
    assert fits.stack is not None
    assert sorted(fits.stack.holds.tolist()) == [False, True]
    own = data[data["g"] == "b"]
    (found,) = (fit.model for fit in fits if fit.group == "b")
    assert found is not None
    assert found.predict([[5.0]])[0] == pytest.approx(own["y"].mean())


def test_groups_whose_classes_are_apart_have_no_summary(gdfit: Gdfit, tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    x, z = random.normal(size=90), random.normal(size=90)
    group = np.resize(["a", "b", "c"], 90)
    noise = np.where(group == "b", 2.0, 0.0) * random.normal(size=90)
    data = pd.DataFrame({"g": group, "x": x, "z": z, "y": (x - z + noise > 0).astype(int)})
    path, model = tmp_path / "d.csv", tmp_path / "m.json"
    for kept, status in (("abc", 0), ("ac", 1)):
        data[data["g"].isin([*kept])].to_csv(path, index=False)
        options = ("--loss", "logistic", "--target", "y", "--by", "g", "--model", model)
        assert gdfit("train", path, *options).status == 0
        found = gdfit("summary", path, "--model", model, "--format", "json")
        assert found.status == status
        assert "separates the classes of the groups a, c" in found.err
        assert found.err.count("\n") == 1
        if not status:
            (one,) = json.loads(found.out)
            alone = data[data["g"] == "b"]
            fit = library.train(alone, target="y", features=["x", "z"], loss="logistic")
            errors = [param["std_error"] for param in one["params"]]
            assert errors == pytest.approx([*fit.summary().frame["std_error"]], rel=1e-9)
