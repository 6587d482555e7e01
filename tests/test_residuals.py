"""Residuals, leverages and Cook's distances, against statsmodels on real data; and the pictures."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

import gdfit as library
from conftest import Gdfit, Result
from drawn import labels, picture_of
from gdfit.arrays import FloatArray
from gdfit.data.dataset import Dataset
from gdfit.data.in_memory import observations_from
from gdfit.show.pictures.figure import draw, smoothed
from real import NAMES, REFERENCE, WEIGHED, real_data, weights_of
from test_logistic import REFERENCES, place_of

FIELDS = ("residual", "leverage", "cooks_distance")
# Ezekiel, Methods of Correlation Analysis, 1930: R's `cars`.
SPEEDS = "4 4 7 7 8 9 10 10 10 11 11 12 12 12 12 13 13 13 13 14 14 14 14 15 15 15 16 16 17 17 17 18"
SPEEDS += " 18 18 18 19 19 19 20 20 20 20 20 22 23 24 24 24 24 25"
DISTANCES = (
    "2 10 4 22 16 10 18 26 34 17 28 14 20 24 28 26 34 34 46 26 36 60 80 20 26 54 32 40 32 40"
)
DISTANCES += " 50 42 56 76 84 36 46 68 32 48 52 56 64 66 54 70 92 93 120 85"
CARS = np.array([SPEEDS.split(), DISTANCES.split()], float)


def write_table(path: str, columns: dict[str, Any]) -> None:
    """A CSV file of columns."""
    rows = [",".join(map(repr, row)) for row in zip(*columns.values(), strict=True)]
    Path(path).write_text("\n".join([",".join(columns), *rows]) + "\n")


def write_cars() -> None:
    """The file cars.csv, whose row k is in line k + 1."""
    write_table("cars.csv", {"speed": CARS[0].tolist(), "dist": CARS[1].tolist()})


def fields_of(result: Result, target: str) -> list[FloatArray]:
    """The residuals, leverages and distances that were printed; NaN for an empty field."""
    rows = list(csv.DictReader(io.StringIO(result.out)))
    return [np.array([float(row[f"{target}_{name}"] or "nan") for row in rows]) for name in FIELDS]


@pytest.mark.parametrize("name", [*NAMES, *WEIGHED])
def test_influence_is_that_of_statsmodels(name: str, gdfit: Gdfit) -> None:
    x, y = real_data(name)
    weights, expected = weights_of(name, len(y)), REFERENCE[name]["influence"]
    columns = {f"c{place}": column.tolist() for place, column in enumerate(x.T)}
    weighed = {} if weights is None else {"v": weights.tolist()}
    write_table("data.csv", {**columns, **weighed, "y": y.tolist()})
    options = [*(["--weights", "v"] if weighed else []), "--scale", "whiten", "--target", "y"]
    gdfit("train", "data.csv", *options, "-q")
    result = gdfit("predict", "data.csv", "--residuals")
    assert result.err == ""
    fit = library.train(x, y, weights=weights, scale="whiten")
    known = {} if weights is None else {"weights": weights}
    for found in (fields_of(result, "y"), library.influence(fit.model, x, y, **known)):
        names = ("resid", "hat_matrix_diag", "cooks_distance")
        for ours, theirs in zip(found, names, strict=True):
            size = np.abs(expected[theirs]).max()
            assert ours[expected["rows"]] == pytest.approx(
                expected[theirs], rel=1e-8, abs=1e-8 * size
            )
        assert int(np.argmax(found[2])) == expected["farthest"]


@pytest.mark.parametrize("name", ["o_rings", "spector", "vasoconstriction"])
def test_influence_on_classes_is_that_of_statsmodels(name: str, gdfit: Gdfit) -> None:
    reference, file = REFERENCES[name], place_of(name)
    expected = reference["influence"]
    options = ("--loss", "logistic", "--scale", "whiten", "--epochs", "5000", "-q")
    gdfit("train", file, *options, *reference["options"])
    result = gdfit("predict", file, "--residuals")
    header = result.out.splitlines()[0].split(",")
    found = fields_of(result, header[-1].removesuffix("_cooks_distance"))
    for ours, theirs in zip(found, ("resid", "hat_matrix_diag", "cooks_distance"), strict=True):
        assert ours[expected["rows"]] == pytest.approx(expected[theirs], rel=1e-7)


def test_a_row_without_weight_moves_nothing(gdfit: Gdfit) -> None:
    write_table("d.csv", {"x": [1, 2, 3, 4], "v": [1, 2, 0, 1], "y": [2, 4.5, 5.5, 8]})
    assert gdfit("train", "d.csv", "--weights", "v", "-q").status == 0
    _, *rows = csv.reader(io.StringIO(gdfit("predict", "d.csv", "--residuals").out))
    assert [bool(row[-1]) for row in rows] == [True, True, False, True]
    assert float(rows[2][-2]) == 0  # its leverage


def test_leverages_add_up_to_the_params_and_do_not_depend_on_the_origin() -> None:
    x, y = real_data("diabetes")
    fit = library.train(x, y)
    here = library.influence(fit.model, x, y)
    assert here[1].sum() == pytest.approx(x.shape[1] + 1)
    far = library.influence(library.train(x + 2.0**20, y).model, x + 2.0**20, y)
    assert far[1] == pytest.approx(here[1], rel=1e-6)
    x[3, 2] = y[5] = np.nan
    for with_missing, all_of_them in zip(library.influence(fit.model, x, y), here, strict=True):
        assert np.flatnonzero(np.isnan(with_missing)).tolist() == [3, 5]
        assert np.delete(with_missing, [3, 5]).tolist() == np.delete(all_of_them, [3, 5]).tolist()


def test_rows_are_written_back_with_what_can_be_told_of_them(gdfit: Gdfit) -> None:
    table = "k,x,y\nb,1,3\na,2,5.5\nb,,4\na,5,12\nb,4,\na,7,x\nb,9,17\na,3,6\n"
    Path("data.csv").write_text(table)
    gdfit("train", "data.csv", "--drop-missing", "--skip-broken", "--features", "k,x", "-q")
    result = gdfit("predict", "data.csv", "--residuals", "--interval", "0.9")
    rows = [line.split(",") for line in result.out.splitlines()]
    assert rows[0][3:6] == ["y_hat", "y_low", "y_high"]
    assert rows[0][6:] == [f"y_{name}" for name in FIELDS]
    assert ["".join(row[:3]) for row in rows] == [line.replace(",", "") for line in table.split()]
    assert [row.count("") for row in rows[1:]] == [0, 0, 7, 0, 4, 6, 0, 0]
    for row in rows[1:3]:
        assert float(row[2]) - float(row[3]) == float(row[6])


def test_only_rows_of_training_have_a_distance(gdfit: Gdfit) -> None:
    write_cars()
    gdfit("train", "cars.csv", "-q")
    known = fields_of(gdfit("predict", "./cars.csv", "--residuals"), "dist")
    Path("others.csv").write_text(Path("cars.csv").read_text())
    others = gdfit("predict", "others.csv", "--residuals")
    *same, distances = fields_of(others, "dist")
    assert np.isnan(distances).all()
    assert not np.isnan(known[2]).any()
    assert [each.tolist() for each in same] == [each.tolist() for each in known[:2]]
    assert others.err == (
        "gdfit: note: Cook's distance is of rows that the model was trained on, and is empty here: "
        "that was cars.csv\n"
    )
    Path("cars.csv").write_text("".join(Path("cars.csv").read_text().splitlines(True)[:-3]))
    fewer = gdfit("predict", "cars.csv", "--residuals")
    assert "there are 47 observations, and 50 in training" in fewer.err
    gdfit("train", "cars.csv", "--validation", "0.2", "-q")
    held_out = gdfit("predict", "cars.csv", "--residuals")
    assert np.isnan(fields_of(held_out, "dist")[2]).all()
    assert held_out.err.endswith("that was cars.csv, but for what was held out\n")


def test_each_group_has_the_influence_of_its_own_model(gdfit: Gdfit) -> None:
    (x, _), kinds = real_data("iris"), np.arange(150) // 50
    write_table("iris.csv", {"a": x[:, 0].tolist(), "k": kinds.tolist(), "b": x[:, 2].tolist()})
    gdfit("train", "iris.csv", "--by", "k", "--features", "a", "--target", "b", "-q")
    found = fields_of(gdfit("predict", "iris.csv", "--residuals"), "b")
    for kind in range(3):
        own = kinds == kind
        fit = library.train(x[own, :1], x[own, 2])
        for ours, theirs in zip(
            found, library.influence(fit.model, x[own, :1], x[own, 2]), strict=True
        ):
            assert ours[own] == pytest.approx(theirs, rel=1e-6)


def test_a_run_that_has_not_arrived_is_told(gdfit: Gdfit) -> None:
    write_cars()
    gdfit("train", "cars.csv", "--lr", "0.001", "--epochs", "5", "-q")
    result = gdfit("predict", "cars.csv", "--residuals")
    assert "leverages and Cook's distances are of the least loss" in result.err
    rows = list(csv.DictReader(io.StringIO(result.out)))
    for row in rows:
        assert float(row["dist_residual"]) == float(row["dist"]) - float(row["dist_hat"])
    fit = library.train(CARS[:1].T, CARS[1])
    assert fields_of(result, "dist")[2] == pytest.approx(
        library.influence(fit.model, CARS[:1].T, CARS[1])[2], rel=1e-6
    )


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--l2", "1"], 1, "the model has no leverages: it has a penalty"),
        (["--loss", "mae"], 1, "the model has no leverages: they are for --loss mse and logistic"),
    ],
)
def test_models_without_leverages_say_so(
    options: list[str], status: int, words: str, gdfit: Gdfit
) -> None:
    write_cars()
    gdfit("train", "cars.csv", *options, "-q")
    refused = [
        gdfit("predict", "cars.csv", "--residuals"),
        gdfit("train", "cars.csv", *options, "--plot", "p.png", "--panel", "residuals"),
    ]
    for result in refused:
        assert (result.status, result.out) == (status, "")
        assert words in result.err
    assert not Path("p.png").exists()


def test_residuals_are_of_observed_values(gdfit: Gdfit) -> None:
    write_cars()
    gdfit("train", "cars.csv", "-q")
    Path("new.csv").write_text("speed\n5\n")
    missing = gdfit("predict", "new.csv", "--residuals")
    assert (missing.status, missing.out) == (1, "")
    assert missing.err.endswith(
        "no column 'dist'; its columns with numbers are speed; gdfit.json was "
        "trained on cars.csv; to train on this: gdfit train new.csv\n"
    )
    for arguments in (["--x", "4", "--residuals"], ["cars.csv", "--residuals", "--classes"]):
        assert gdfit("predict", *arguments).status == 2


def named(axes: Axes) -> set[str]:
    """The names of points."""
    return {text.get_text() for text in axes.texts}


@pytest.mark.parametrize(
    ("options", "row", "wrong"),
    [
        (["--target", "log(dist)"], "4,,n", "4,0,n"),
        (["--target", "fast", "--loss", "logistic"], "4,5,", "4,5,slow"),
    ],
)
def test_rows_without_an_observed_value_are_kept(
    options: list[str], row: str, wrong: str, gdfit: Gdfit
) -> None:
    rows = "".join(f"{x},{x * 37 % 11 + 1},{'ny'[x * 7 % 11 > 4]}\n" for x in range(20))
    Path("data.csv").write_text(f"speed,dist,fast\n{rows}")
    assert gdfit("train", "data.csv", *options, "--features", "speed").status == 0
    Path("new.csv").write_text(f"speed,dist,fast\n3,5,n\n{row}\n5,6,y\n")
    result = gdfit("predict", "new.csv", "--residuals")
    assert result.status == 0
    table = list(csv.reader(io.StringIO(result.out)))
    assert [bool(row[3]) for row in table[1:]] == [True] * 3
    assert [bool(row[4]) for row in table[1:]] == [True, False, True]
    Path("new.csv").write_text(f"speed,dist,fast\n3,5,n\n{wrong}\n5,6,y\n")
    refused = gdfit("predict", "new.csv", "--residuals")
    assert refused.status == 1
    assert "gdfit: error: new.csv, line 3, column '" in refused.err


def test_the_pictures_of_cars_are_those_of_textbooks(gdfit: Gdfit) -> None:
    write_cars()
    dataset = Dataset(("cars.csv",))
    fit, steps, _ = picture_of(dataset.observations())
    figure = draw(fit, steps, "residuals", names=dataset.lines_at)
    fitted, quantiles, scale, leverage = figure.axes
    # R names rows 23, 35 and 49; and by Cook's distance 23, 39 and 49.
    assert named(fitted) == named(quantiles) == named(scale) == {"24", "36", "50"}
    assert named(leverage) == {"24", "40", "50"}
    assert figure.get_suptitle() == "points are named by their lines in the data"
    residuals, leverages, distances = library.influence(fit.model, CARS[:1].T, CARS[1])
    places = [np.asarray(axes.collections[0].get_offsets()) for axes in figure.axes]
    assert places[0][:, 1] == pytest.approx(residuals)
    assert places[0].sum(axis=1) == pytest.approx(CARS[1])
    assert places[3][:, 0] == pytest.approx(leverages)
    assert places[3][:, 1] ** 2 * leverages / (1 - leverages) / 2 == pytest.approx(distances)
    assert places[2][:, 1] ** 2 == pytest.approx(np.abs(places[3][:, 1]))
    assert np.sort(places[1][:, 1]) == pytest.approx(np.sort(places[3][:, 1]))
    assert places[1][:, 0].max() == pytest.approx(2.326347874)  # of 49.5/50
    assert labels(leverage) == ["Cook's distance 0.5"]
    assert leverage.get_title() == "Leverage: Cook's distances up to 0.34"
    (contour,) = [line for line in leverage.get_lines() if "Cook" in str(line.get_label())]
    h, r = np.asarray(contour.get_xydata()).T
    assert r**2 * h / (1 - h) / 2 == pytest.approx(np.full(len(h), 0.5))


def test_lines_are_those_of_the_file(gdfit: Gdfit) -> None:
    random = np.random.default_rng(3)
    rows = [f"{a!r},{b!r}" for a, b in random.normal(size=(6000, 2)).tolist()]
    for place in (10, 11, 3000):
        rows[place] = (
            "\n" + rows[place] if place != 10 else f'"{rows[place].replace(",", chr(34) + ",")}'
        )
    Path("one.csv").write_text("a note\n\nx,y\n" + "\n".join(rows[:2500]) + "\n")
    Path("two.csv").write_text("x,y\n" + "\n".join(rows[2500:]) + "\n")
    for files in (("one.csv",), ("one.csv", "two.csv"), ("two.csv", "one.csv")):
        for unit_bytes in (1 << 12, 1 << 23):
            dataset = Dataset(files, unit_bytes=unit_bytes)
            found = dataset.observations()
            assert found.sample_places is not None
            places = [tuple(place) for place in found.sample_places.tolist()]
            chosen = range(0, len(places), 101)
            names = dataset.lines_at([places[row] for row in chosen])
            for row in chosen:
                file, _, line = names[places[row]].rpartition(":")
                text = Path(files[int(file or 1) - 1]).read_text().split("\n")[int(line) - 1]
                assert [float(field.strip('"')) for field in text.split(",")] == found.sample[
                    row
                ].tolist()


def test_what_has_no_lines_has_rows_or_no_names(gdfit: Gdfit) -> None:
    import pandas as pd

    pd.DataFrame({"x": CARS[0], "y": CARS[1]}).to_parquet("cars.parquet")
    dataset = Dataset(("cars.parquet",))
    assert dataset.lines_at([(0, 0, 22), (0, 0, 48)]) == {
        (0, 0, 22): "row 23",
        (0, 0, 48): "row 49",
    }
    write_cars()
    options = ("--plot", "p.svg", "--panel", "residuals", "-q")
    gdfit("train", "-", *options, stdin=Path("cars.csv").read_bytes())
    assert "points have no names, as the data can't be read again" in Path("p.svg").read_text()


@pytest.mark.parametrize("options", [{"lr": 1.0}, {"loss": "logistic"}, {}])
def test_unusual_residuals_are_drawn(options: dict[str, Any]) -> None:
    x = np.arange(3000.0) % 7
    y = 2 * x + np.sin(np.arange(3000)) if options else 2 * x
    if "loss" in options:
        y = (y > y.mean()) * 1.0
        y[::5] = 1 - y[::5]
    _, _, figure = picture_of(
        observations_from(x[:, np.newaxis], y), "residuals", epochs=5, **options
    )
    exact = {"residuals are rounding alone"} if not options else set()
    assert all(named(axes) == exact for axes in figure.axes)
    kinds = [axes.get_ylabel() for axes in figure.axes]
    assert ("deviance residual" in kinds) == ("loss" in options)


def test_the_smooth_line_is_that_of_lowess() -> None:
    # statsmodels 0.15: lowess(y, x, 2/3, 3) of cars.
    expected = [4.9654592775028865, 24.12927714793403, 40.43507455906861, 84.32869809448943]
    x, heights = smoothed(CARS[0], CARS[1])
    assert x.tolist() == sorted({*CARS[0]})
    assert heights[[0, 5, 10, 18]] == pytest.approx(expected, rel=1e-7)
    line = smoothed(np.arange(500.0), 3 * np.arange(500.0) + 1)
    assert line[1] == pytest.approx(3 * line[0] + 1)


@pytest.mark.parametrize("intercept", [True, False])
def test_influence_with_terms_categories_and_weights(intercept: bool, gdfit: Gdfit) -> None:
    x, kinds = real_data("iris")[0], np.arange(150) // 50
    weights = 1.0 + np.arange(150) % 3
    columns = {"a": x[:, 0], "v": weights, "y": x[:, 2], "kind": kinds}
    write_table("iris.csv", {name: each.tolist() for name, each in columns.items()})
    options = ["--features", "a,log(a),C(kind)", "--target", "log(y)", "--weights", "v", "-q"]
    gdfit("train", "iris.csv", *options, *([] if intercept else ["--no-intercept"]))
    found = fields_of(gdfit("predict", "iris.csv", "--residuals"), "log(y)")
    ones = [np.ones(150)] * intercept
    design = np.column_stack([x[:, 0], np.log(x[:, 0]), kinds == 1, kinds == 2, *ones])
    root = np.sqrt(weights)
    q, _ = np.linalg.qr(design * root[:, np.newaxis])
    leverages = (q * q).sum(axis=1)
    assert found[1] == pytest.approx(leverages, rel=1e-8)
    errors = root * np.log(x[:, 2])
    errors -= q @ (q.T @ errors)
    variance = errors @ errors / (150 - q.shape[1])
    distances = errors**2 / variance * leverages / (1 - leverages) ** 2 / q.shape[1]
    assert found[2] == pytest.approx(distances, rel=1e-6)
    Path("new.csv").write_text("a,v,y,kind\n-1,1,2,0\n5,1,2,3\n5,1,,1\n5,1,-2,1\n")
    refused = gdfit("predict", "new.csv", "--residuals")
    assert "new.csv, line 5, column 'y': log(y) takes a number above 0, not -2" in refused.err
