"""Condensed files: in the place of the data, to the last bit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdfit as library
from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.data.reduction.condensed_file import read_condensed
from gdfit.descent.least_squares import write_condensed

OPTIONS = [
    [],
    ["--degree", "3"],
    ["--weights", "v"],
    ["--no-intercept"],
    ["--features", "kind,log(a),a:b"],
    ["--target", "log(y)", "--features", "b,kind"],
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two columns in units of their own, one of levels, weights, and a target."""
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "a": random.uniform(1, 9, 300),
            "b": 50 + random.normal(size=300),
            "kind": np.array(["p", "q", "r"])[random.integers(0, 3, 300)],
            "v": random.integers(1, 5, 300),
        }
    )
    frame["y"] = 20 + frame.a + random.normal(size=300)
    frame.to_csv(tmp_path / "d.csv", index=False)
    return tmp_path / "d.csv"


@pytest.mark.parametrize("options", OPTIONS)
def test_it_trains_and_summarizes_with_the_numbers_of_the_data(
    gdfit: Gdfit, data: Path, options: list[str]
) -> None:
    stored, model = data.with_suffix(".json"), data.with_name("m.json")
    assert gdfit("condense", data, *options, "--output", stored).status == 0
    outputs = []
    for file, more in ((data, options), (stored, [])):
        trained = gdfit("train", file, *more, "--model", model, "--format", "csv")
        assert trained.status == 0
        summary = gdfit("summary", file, "--model", model, "--format", "json").out
        outputs.append((trained.out, summary, gdfit("curvature", stored).out))
    assert outputs[0] == outputs[1]
    seen = [gdfit.json("evaluate", file, "--model", model) for file in (data, stored)]
    if "--weights" not in options:
        for name in ("observations", "mse", "r_squared"):
            assert seen[1][name] == pytest.approx(seen[0][name], rel=1e-9)
    assert seen[1]["mae"] is None


@pytest.mark.parametrize("options", OPTIONS[::2])
def test_condensed_with_folds_it_has_the_numbers_of_the_data_without_them_too(
    gdfit: Gdfit, data: Path, options: list[str]
) -> None:
    stored, model = data.with_suffix(".json"), data.with_name("m.json")
    assert gdfit("condense", data, *options, "--cv", 6, "--output", stored).status == 0

    def outputs(file: Path, *more: str) -> list[str]:
        found = [
            gdfit("train", file, *more, "--model", model, "--format", "csv"),
            gdfit("summary", file, "--model", model, "--format", "csv"),
            gdfit("train", file, *more, "--cv", 6, "--model", model, "--format", "csv"),
            gdfit("compare", file, *more, "--cv", 6, "--optimizer", "gd,adam", "--format", "csv"),
            gdfit("path", file, *more, "--format", "csv"),
            gdfit("path", file, *more, "--cv", 6, "--format", "csv"),
        ]
        assert [each.status for each in found] == [0] * len(found)
        told = gdfit.json("train", file, *more, "--cv", 6, "--model", model)
        return [*(each.out for each in found), str((told["cv"], told["minimum_loss"]))]

    assert outputs(stored) == outputs(data, *options)


def test_other_folds_than_are_kept_are_refused(gdfit: Gdfit, data: Path) -> None:
    stored = data.with_suffix(".json")
    gdfit("condense", data, "--cv", 6, "--output", stored)
    wrong = gdfit("train", stored, "--cv", 5)
    assert (wrong.status, "with 6 folds" in wrong.err) == (1, True)


def test_halves_are_the_whole(gdfit: Gdfit, data: Path) -> None:
    head, *lines = data.read_text().splitlines(keepends=True)
    halves = []
    for name, part in (("one", lines[:130]), ("two", lines[130:])):
        (data.parent / f"{name}.csv").write_text(head + "".join(part))
        halves.append(data.parent / f"{name}.json")
        how = ["--features", "kind,a,b", "--output", halves[-1]]
        assert gdfit("condense", data.parent / f"{name}.csv", *how).status == 0
    found = gdfit.json("train", *halves)
    whole = gdfit.json("train", data, "--features", "kind,a,b")
    assert found["observations"] == whole["observations"] == 300
    assert found["w"] == pytest.approx(whole["w"], rel=1e-10)
    assert found["minimum_loss"] == pytest.approx(whole["minimum_loss"], rel=1e-10)


def test_without_rows_no_number_of_a_row_is_in_it(gdfit: Gdfit, data: Path) -> None:
    stored = data.with_suffix(".json")
    how = ["condense", data, "--features", "a,b", "--output", stored]
    assert gdfit(*how, "--no-rows", "--cv", 3).status == 0
    numbers = {float(text) for text in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", stored.read_text())}
    frame = pd.read_csv(data)
    assert not numbers & {*frame.a, *frame.b, *frame.y}
    assert gdfit.json("train", stored)["w"] == pytest.approx(
        gdfit.json("train", data, "--features", "a,b")["w"], rel=1e-6
    )
    for option in ("--chart", "--explain=1"):
        refused = gdfit("train", stored, option)
        assert (refused.status, "condensed without rows" in refused.err) == (2, True)
    few = gdfit("condense", LECTURE, "--no-rows", "--output", stored)
    assert (few.status, "25 rows are too few to be hidden in 3" in few.err) == (1, True)


def test_some_of_its_columns(gdfit: Gdfit, data: Path) -> None:
    stored = data.with_suffix(".json")
    gdfit("condense", data, "--features", "a,b,v", "--output", stored)
    for options in (
        ["--features", "b"],
        ["--features", "v,a"],
        ["--target", "a"],
        ["--target", "v", "--features", "y,b"],
        ["--exclude", "b"],
    ):
        found = gdfit.json("train", stored, *options)
        more = [] if "--features" in options else ["--exclude", "b"] * ("b" in options)
        expected = gdfit.json("train", data, *(options if not more else [*more]))
        assert found["features"] == expected["features"]
        assert found["predictions"][0]["x"] == expected["predictions"][0]["x"]
        assert found["minimum_loss"] == pytest.approx(expected["minimum_loss"], rel=1e-12)
    gdfit("condense", data, "--features", "kind,a,a:b", "--output", stored)
    found = gdfit.json("train", stored, "--features", "a,kind")
    assert found["w"] == pytest.approx(
        gdfit.json("train", data, "--features", "a,kind")["w"], rel=1e-9
    )


@pytest.mark.parametrize(
    ("options", "told"),
    {
        "--loss mae": "needs the rows themselves",
        "--batch-size 3": "needs the rows themselves",
        "--validation 0.2": "needs the rows themselves",
        "--degree 2": "--degree is for gdfit condense",
        "--target z": "has no 'z'",
        "--delimiter tab": "how data are written has no effect",
        "--features y": "is a feature and the target at once",
    }.items(),
)
def test_what_needs_the_data(gdfit: Gdfit, tmp_path: Path, options: str, told: str) -> None:
    stored = tmp_path / "c.json"
    gdfit("condense", LECTURE, "--output", stored)
    result = gdfit("train", stored, *options.split())
    assert result.status in (1, 2)
    assert result.err.count("\n") == 1
    assert told in result.err


@pytest.mark.parametrize("options", OPTIONS)
def test_a_validation_set_of_rows_is_like_it(
    gdfit: Gdfit, data: Path, tmp_path: Path, options: list[str]
) -> None:
    stored = tmp_path / "c.json"
    gdfit("condense", data, *options, "--output", stored)
    told = json.loads(gdfit("train", stored, "--validation", data, "--format", "json").out)
    assert told["validation_loss"] == pytest.approx(told["loss"], rel=1e-9)


def test_it_is_no_table(gdfit: Gdfit, tmp_path: Path) -> None:
    stored = tmp_path / "c.json"
    gdfit("condense", LECTURE, "--output", stored)
    gdfit("train", LECTURE, "-q", "--model", tmp_path / "m.json")
    predicted = gdfit("predict", stored, "--model", tmp_path / "m.json")
    assert (predicted.status, "has been condensed" in predicted.err) == (1, True)
    mixed = gdfit("train", stored, LECTURE)
    assert (mixed.status, "not all of the others" in mixed.err) == (1, True)
    assert LECTURE.name in mixed.err


def test_one_that_is_damaged_is_told(gdfit: Gdfit, tmp_path: Path) -> None:
    stored = tmp_path / "c.json"
    gdfit("condense", SAMPLES / "houses.csv", "--output", stored)
    record: dict[str, Any] = json.loads(stored.read_text())
    for key, value in {
        "rows": [[1, 2]],
        "features": ["a", "b"],
        "near": {"rows": 1},
        "observations": None,
        "last": None,
        "sample_weights": [1.0],
        "folds": 3,
        "first": [],
    }.items():
        stored.write_text(json.dumps({**record, key: value}))
        result = gdfit("train", stored)
        assert (result.status, "damaged" in result.err) == (1, True), key
    stored.write_text(json.dumps({**record, "observations": len(record["rows"]) - 1}))
    assert "damaged" in gdfit("train", stored).err
    data = tmp_path / "levels.csv"
    data.write_text("x,k,y\n" + "".join(f"{x},{'uvw'[x % 3]},{x * x}\n" for x in range(30)))
    gdfit("condense", data, "--features", "x,k", "--target", "y", "--output", stored)
    record = json.loads(stored.read_text())
    for code in (-1, 3, 1e308):
        x, _, *others = record["last"]
        stored.write_text(json.dumps({**record, "last": [x, code, *others]}))
        assert "damaged" in gdfit("train", stored).err


def test_in_python(tmp_path: Path) -> None:
    observations = library.read_observations(str(LECTURE))
    library.write_condensed(observations, tmp_path / "c.json")
    again = library.read_observations(str(tmp_path / "c.json"))
    assert library.train(again).model == library.train(observations).model


def test_the_digits_of_numbers_that_lie_close_together_come_back(tmp_path: Path) -> None:
    x = 1e9 + np.arange(40.0)
    observations = library.observations_from(
        pd.DataFrame({"x": x, "y": 2 * x + np.arange(40) % 3}), "y"
    )
    assert observations.near
    write_condensed(observations, tmp_path / "c.json")
    found = read_condensed(str(tmp_path / "c.json")).whole.near
    assert found
    assert found.origin.tolist() == observations.near.origin.tolist()
    np.testing.assert_allclose(
        found.rows.T @ found.rows, observations.near.rows.T @ observations.near.rows
    )


def test_least_squares_come_back_to_the_last_digits(gdfit: Gdfit, tmp_path: Path) -> None:
    file, command = SAMPLES / "filip.csv", ("--degree", 10)
    assert gdfit("condense", file, *command, "--output", tmp_path / "c.json").status == 0
    refined = json.loads((tmp_path / "c.json").read_text())["refined"]
    x, y = np.loadtxt(file, delimiter=",", skiprows=1).T
    summary = library.summarize(
        library.observations_from(x[:, np.newaxis], y, degree=10), refine=True
    )
    params = [row.least_squares for row in summary.rows]
    assert refined[:-1] == pytest.approx(params, rel=1e-9)
    assert refined[-1] == pytest.approx(summary.residual_std_error * np.sqrt(summary.df), rel=1e-9)


@pytest.mark.parametrize(
    ("here", "there"), [("uw", "vw"), ("u", "v"), ("uv", "v"), ("uv", "uvw"), ("uvw", "vwx")]
)
@pytest.mark.parametrize("terms", ["kind,z", "z,kind:z"])
def test_other_levels_are_no_part_and_no_data_of_a_model(
    gdfit: Gdfit, tmp_path: Path, here: str, there: str, terms: str
) -> None:
    random = np.random.default_rng(0)
    stored = []
    for name, levels in (("a", here), ("b", there)):
        data = pd.DataFrame({"kind": np.resize([*levels], 40), "z": random.normal(size=40)})
        data["y"] = random.normal(size=40)
        data.to_csv(tmp_path / f"{name}.csv", index=False)
        stored.append(tmp_path / f"{name}.json")
        options = ("--features", terms, "--output", stored[-1])
        assert gdfit("condense", tmp_path / f"{name}.csv", *options).status == 0
    one, other = stored
    model = tmp_path / "m.json"
    assert gdfit("train", one, "--model", model).status == 0
    for command in (
        ("train", one, other),
        ("train", other, one),
        ("train", one, "--validation", other),
        ("evaluate", other, "--model", model),
        ("summary", other, "--model", model),
    ):
        result = gdfit(*command)
        assert result.status in (1, 2), command
        *_, error = result.err.splitlines()
        assert error.startswith("gdfit: error: ")
        assert "the levels" in error or "the model's features are" in error
    assert gdfit("evaluate", one, "--model", model).status == 0


def test_levels_in_another_order_are_the_same(gdfit: Gdfit, data: Path) -> None:
    table = pd.read_csv(data)
    stored = []
    for place, part in enumerate((table.sort_values("kind"), table.sort_values("kind")[::-1])):
        part.to_csv(data.with_name(f"{place}.csv"), index=False)
        stored.append(data.with_name(f"{place}.json"))
        options = ("--features", "kind,a", "--output", stored[-1])
        assert gdfit("condense", data.with_name(f"{place}.csv"), *options).status == 0
    both = gdfit.json("train", *stored)
    assert (both["observations"], both["features"]) == (600, ["kind[q]", "kind[r]", "a"])


def test_an_intercept_and_weights_are_those_of_the_model(gdfit: Gdfit, data: Path) -> None:
    kinds = {"plain": [], "free": ["--no-intercept"], "weighed": ["--weights", "v"]}
    for name, more in kinds.items():
        columns = ["--features", "a,b", "--output", data.with_name(f"{name}.json")]
        assert gdfit("condense", data, *columns, *more).status == 0
        model = data.with_name(f"{name}-model.json")
        assert gdfit("train", data.with_name(f"{name}.json"), "--model", model).status == 0
    for of in kinds:
        model = data.with_name(f"{of}-model.json")
        for name in kinds:
            stored = data.with_name(f"{name}.json")
            summary = gdfit("summary", stored, "--model", model)
            assert (summary.status == 0) == (of == name), summary.err
            evaluated = gdfit("evaluate", stored, "--model", model)
            assert (evaluated.status == 0) == ((of == "free") == (name == "free"))
            noted = "and so is evaluated with them" in evaluated.err
            assert noted == (evaluated.status == 0 and name == "weighed")
            parts = gdfit("train", stored, data.with_name(f"{of}.json"), "--no-model")
            assert (parts.status == 0) == (of == name)
            if of != name:
                assert "condense their data together" in parts.err
    options = ("--validation", data.with_name("free.json"), "--no-model")
    assert gdfit("train", data.with_name("plain.json"), *options).status == 2


FORMS: list[list[str]] = [[], ["--format", "markdown"], ["--x", "1,2"], ["--format", "json"]]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("parts", ["n", "nr", "rn", "nn", "rnr"])
def test_parts_without_rows_are_parts(
    gdfit: Gdfit, data: Path, parts: str, form: list[str]
) -> None:
    for name, more in (("n", ["--no-rows"]), ("r", [])):
        options = ("--features", "a,b", "--output", data.with_name(f"{name}.json"), *more)
        assert gdfit("condense", data, *options).status == 0
    result = gdfit("train", *(data.with_name(f"{name}.json") for name in parts), *form)
    assert result.status == 0, result.err
    again = gdfit.json("train", *[data] * len(parts), "--features", "a,b")
    found = gdfit.json("train", *(data.with_name(f"{name}.json") for name in parts))
    assert found["observations"] == again["observations"]
    assert found["w"] == pytest.approx(again["w"], rel=1e-9)


@pytest.mark.parametrize("start", [1e6, 1.7e9, 1e12])
def test_numbers_that_lie_close_together_keep_their_digits(
    gdfit: Gdfit, tmp_path: Path, start: float
) -> None:
    random = np.random.default_rng(2)
    t, z = random.integers(0, 100, 300) / 4, random.normal(size=300)
    frame = pd.DataFrame({"x": start + t, "z": z, "y": 2 * t + random.normal(size=300)})
    frame.to_csv(tmp_path / "d.csv", index=False)
    for name, more in (("r", []), ("n", ["--no-rows"])):
        options = ("--cv", 5, "--output", tmp_path / f"{name}.json", *more)
        assert gdfit("condense", tmp_path / "d.csv", *options).status == 0
    stored = tmp_path / "r.json"
    for command in ("train", "path"):
        found, expected = (
            gdfit.json(command, file, "--cv", 5) for file in (stored, tmp_path / "d.csv")
        )
        of = "cv" if command == "train" else "cv_mean"
        assert found[of] == expected[of]
    for terms in ("x", "z,x"):  # some of the columns, in another order
        alone = gdfit.json("train", tmp_path / "d.csv", "--features", terms, "--target", "y")
        for file in ("r.json", "n.json"):
            found = gdfit.json("train", tmp_path / file, "--features", terms)
            assert found["w"] == pytest.approx(alone["w"], rel=1e-9, abs=1e-9)
            assert found["loss"] == pytest.approx(alone["loss"], rel=1e-9)
    record = json.loads((tmp_path / "n.json").read_text())
    if start > 1e9:
        means = [start + t.mean(), 0]
        assert record["near"]["origin"] == pytest.approx(means, rel=1e-15)


def test_a_fold_of_few_rows_would_tell_them(gdfit: Gdfit, data: Path) -> None:
    options = ("--features", "a,b", "--no-rows", "--output", data.with_name("n.json"))
    for folds, status in ((7, 0), (8, 1), (300, 1)):  # 40 rows hide in R of two features
        result = gdfit("condense", data, "--cv", folds, *options)
        assert result.status == status, result.err
        assert ("of a fold are too few to be hidden" in result.err) == (status == 1)
        written = data.with_name("n.json")
        if status == 0:
            before = written.read_text()
        assert written.read_text() == before
