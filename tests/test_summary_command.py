"""gdfit summary: the last model beside the least squares of what was observed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

import gdfit as library
from conftest import LECTURE, SAMPLES, Gdfit

GREENHOUSE = SAMPLES / "greenhouse.csv"

SQUARES = "light,area,y\n1,1,2\n2,4,3\n3,9,7\n4,16,9\n5,25,8\n"


def test_it_is_the_librarys_summary(gdfit: Gdfit) -> None:
    gdfit("train", GREENHOUSE, "--lr", "0.1", "--epochs", "50")
    model = library.load_model("gdfit.json")
    summary = library.summarize(library.read_observations(str(GREENHOUSE)), model, 0.9)
    record = gdfit.json("summary", GREENHOUSE, "--level", "0.9")
    rows = [vars(row) for row in summary.rows]
    assert record == {"params": rows, **summary.figures}
    assert [row["value"] for row in rows] == list(model.params)
    text = gdfit("summary", GREENHOUSE, "--format", "csv", "--level", "0.9").out
    for read, row in zip(csv.DictReader(io.StringIO(text)), rows, strict=True):
        assert read == {key: str("" if value is None else value) for key, value in row.items()}
    table = gdfit("summary", GREENHOUSE, "--level", "0.9").out
    assert all(name in table for name in ("w_light", "w_water", "w_warmth", "90 %"))


def test_columns_are_found_as_evaluate_finds_them(gdfit: Gdfit) -> None:
    gdfit("train", GREENHOUSE, "--features", "warmth,light", "--epochs", "5")
    expected = gdfit.json("summary", GREENHOUSE)
    assert [row["name"] for row in expected["params"]] == ["w_warmth", "w_light", "b"]
    assert expected["observations"] == 48
    rows = list(csv.DictReader(GREENHOUSE.read_text().splitlines()))
    bare = "".join(f"{row['warmth']},{row['light']},{row['growth']}\n" for row in rows)
    assert gdfit.json("summary", "-", stdin=bare.encode()) == expected
    renamed = f"seen,light,warmth\n{bare}".splitlines()
    for place, row in enumerate(rows):
        renamed[place + 1] = f"{row['growth']},{row['light']},{row['warmth']}"
    data = "\n".join(renamed).encode()
    assert gdfit.json("summary", "-", "--target", "seen", stdin=data) == expected
    assert gdfit("summary", "-", stdin=data).status == 1


def test_a_model_of_another_loss_is_noted_beside_data(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "--loss", "mae", "--l2", "0.5", "--epochs", "5")
    words = "fitted to MAE + 0.5·‖w‖²: all but the value column is plain least squares"
    table = gdfit("summary", LECTURE)
    assert (table.status, table.err) == (0, "")
    assert f" model      {words}\n" in table.out
    for output in ("json", "csv"):
        result = gdfit("summary", LECTURE, "--format", output)
        assert result.err == f"gdfit: note: the model is {words}\n"
        assert "fitted" not in result.out


def test_what_goes_on_from_least_squares_is_there_already(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "--epochs", "1")
    found = [row["least_squares"] for row in gdfit.json("summary", LECTURE)["params"]]
    start = ",".join(map(repr, found))
    record = gdfit.json("train", LECTURE, "--lr", "0.01", "--init", start, "--epochs", "3")
    assert record["w"] + [record["b"]] == pytest.approx(found, rel=1e-12)
    after = gdfit("summary", LECTURE).out
    assert " descent    at least squares, but for rounding\n" in after


def test_dependent_columns_are_named(gdfit: Gdfit) -> None:
    data = "\n".join(f"{line},{line.split(',')[0]}" for line in SQUARES.splitlines())
    Path("data.csv").write_text(data.replace("y,light", "y,twice"))
    gdfit("train", "data.csv", "--target", "y")
    result = gdfit("summary", "data.csv")
    assert "left out   w_twice: dependent on the columns before it, or constant\n" in result.out
    assert " descent    dependent columns share their weights" in result.out
    gdfit("train", "data.csv", "--target", "y", "--exclude", "twice")
    first, second = (gdfit.json("summary", "data.csv")["params"] for _ in range(2))
    assert first == second
    x = np.column_stack([np.arange(1.0, 6), np.arange(1.0, 6) ** 2, np.ones(5)])
    expected, *_ = np.linalg.lstsq(x, np.array([2.0, 3, 7, 9, 8]))
    assert [row["least_squares"] for row in first] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weights", [None, "water"])
def test_terms_weights_and_a_missing_intercept_are_the_models(
    gdfit: Gdfit, weights: str | None, intercept: bool
) -> None:
    options = ["--features", "log(warmth),light^2,C(size)", "--target", "growth"]
    options += ["--weights", weights] if weights else []
    options += [] if intercept else ["--no-intercept"]
    rows = [
        {name: float(value) for name, value in row.items() if name != "bed"}
        for row in csv.DictReader(GREENHOUSE.read_text().splitlines())
    ]
    sizes = [float(place % 3) for place in range(len(rows))]
    lines = ["warmth,light,water,size,growth"]
    for row, size in zip(rows, sizes, strict=True):
        lines.append(f"{row['warmth']},{row['light']},{row['water']},{size},{row['growth']}")
    Path("data.csv").write_text("\n".join(lines))
    assert gdfit("train", "data.csv", *options).status == 0
    record = gdfit.json("summary", "data.csv")
    columns = [
        [np.log(row["warmth"]), row["light"] ** 2, size == 1, size == 2, *[1.0] * intercept]
        for row, size in zip(rows, sizes, strict=True)
    ]
    root = np.sqrt([row[weights] if weights else 1.0 for row in rows])
    x, y = np.array(columns) * root[:, np.newaxis], np.array([r["growth"] for r in rows]) * root
    params, (squares,), _, _ = np.linalg.lstsq(x, y)
    df = len(rows) - x.shape[1]
    errors = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * squares / df)
    names = ["w_log(warmth)", "w_light^2", "w_size[1]", "w_size[2]", *["b"] * intercept]
    assert record["df"] == df
    assert [row["std_error"] for row in record["params"]] == pytest.approx(errors.tolist())
    assert [row["least_squares"] for row in record["params"]] == pytest.approx(params.tolist())
    assert [row["value"] for row in record["params"]] == pytest.approx(params.tolist(), rel=1e-6)
    assert [row["name"] for row in record["params"]] == names
    if weights:
        without = "\n".join(line.replace("water", "rain") for line in lines).encode()
        result = gdfit("summary", "-", stdin=without)
        assert (result.status, "there is no column 'water'" in result.err) == (1, True)


def test_what_cannot_be_used_is_one_line(gdfit: Gdfit) -> None:
    assert "no such model file" in gdfit("summary", LECTURE).err
    gdfit("train", LECTURE)
    for stdin, words in (
        (b"x,y\n", "no observations"),
        (b"x,y\n1,two\n", "'two' is not a number"),
        (b"x\n1\n2\n", "there is no column 'y'"),
        (b"1\n2\n", "no column with the observed values"),
    ):
        result = gdfit("summary", "-", stdin=stdin)
        assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
        assert words in result.err


def test_names_that_are_cut_are_told_apart(gdfit: Gdfit) -> None:
    """By fewer digits, if need be."""
    kinds = [(kind, sex) for kind in ("Adelie", "Chinstrap", "Gentoo") for sex in "fmfmfm"]
    rows = [f"{kind},{sex},{place * place % 11 + 200}" for place, (kind, sex) in enumerate(kinds)]
    data = "\n".join(["species,sex,y", *rows]).encode()
    gdfit("train", "-", "--features", "species,sex,species:sex", stdin=data)
    table = gdfit("summary", "-", stdin=data).out
    names = [line.split()[0] for line in table.splitlines() if line.startswith(" w_")]
    assert len(set(names)) == 5
    assert "w_sex[m]" in names
    assert sum("…" in name for name in names) > 0
    assert max(map(len, table.splitlines())) <= 80
