"""Terms: what they say, what becomes of columns, and that the fit is that of least squares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gdfit as library
from conftest import Gdfit
from gdfit import GdfitError, load_model, read_observations, train
from gdfit.arrays import FloatArray, Near
from gdfit.data.batch import Asked
from gdfit.data.dataset import Dataset
from gdfit.data.terms import levels as levels_module
from gdfit.data.terms.expansion import Expansion
from gdfit.data.terms.levels import MOST_LEVELS, GroupedRows, Levels, condensed_by_levels
from gdfit.data.terms.terms import Factor, Term
from gdfit.data.text.dialect import Selection
from gdfit.data.text.fields import Grammar, RowError, content
from readers import blocks_of, open_csv, read_block, said_by

IRIS = Path(__file__).parent / "data" / "iris.csv"  # R. A. Fisher, Annals of Eugenics 7, 1936
WORD = [Asked(0, "word")]
LEVELS = ["b, c", 'say "a"', "two words", "Ångström", "Z"]


def least_squares(columns: list[FloatArray], y: FloatArray) -> FloatArray:
    """The params of the columns and a one, by NumPy."""
    design = np.column_stack([*columns, np.ones(len(y))])
    return np.asarray(np.linalg.lstsq(design, y, rcond=None)[0])


def fitted(*files: Path, **options: Any) -> library.Fit:
    """A fit by descent on whitened features."""
    observations = read_observations(*map(str, files), **options)
    return train(observations, scale="whiten")


def is_level(column: pd.Series[str], level: str) -> FloatArray:
    return np.asarray(column == level, dtype=float)


def test_categories_products_and_logarithms_of_irises() -> None:
    data = pd.read_csv(IRIS)
    length, width = data["sepal_length"].to_numpy(), data["petal_length"].to_numpy()
    species = data["species"]
    levels = {level: is_level(species, level) for level in ("versicolor", "virginica")}
    features = ["log(sepal_length)", "petal_length^2", "species", "species:sepal_length"]
    fit = fitted(IRIS, features=features, target="sqrt(petal_width)")
    expected = {
        "log(sepal_length)": np.log(length),
        "petal_length^2": width**2,
        **{f"species[{level}]": column for level, column in levels.items()},
        **{f"species[{level}]:sepal_length": column * length for level, column in levels.items()},
    }
    assert fit.model.features == tuple(expected)
    y = np.sqrt(data["petal_width"].to_numpy())
    assert fit.model.params == pytest.approx(least_squares(list(expected.values()), y), rel=1e-6)
    assert fit.model.target == "sqrt(petal_width)"


def test_numbers_as_categories_stand_in_the_order_of_numbers(tmp_path: Path) -> None:
    file = tmp_path / "cars.csv"
    rows = [
        (cylinders, speed, 3 * cylinders + speed) for cylinders in (10, 4, 8.5) for speed in (1, 2)
    ]
    file.write_text("cyl,v,y\n" + "".join(f"{c},{v},{y}\n" for c, v, y in rows))
    fit = fitted(file, features=["C(cyl)", "v"])
    assert fit.model.features == ("cyl[8.5]", "cyl[10]", "v")
    assert fit.model.params == pytest.approx([13.5, 18, 1, 12])
    assert fit.model.predict([[8.5, 3]]).tolist() == pytest.approx([28.5])


FUNCTIONS_TOLD = "there are log, log2, log10, sqrt, exp, date, year, month, weekday, hour, C"


@pytest.mark.parametrize(
    ("header", "expected"),
    [("a,b,c,a:b,y", 4 * 5), ("a,b,c,b:c,y", 2 * 4), ("a,b,c,d,y", 2 * 3 * 5)],
)
def test_a_product_is_of_the_longest_names_that_there_are(
    tmp_path: Path, header: str, expected: float
) -> None:
    values = {"a": 2, "b": 3, "c": 5}
    row = ",".join(str(values.get(name, 4)) for name in header.split(","))
    (tmp_path / "d.csv").write_text(f"{header}\n{row}\n")
    observations = read_observations(str(tmp_path / "d.csv"), features=["a:b:c"])
    assert observations.sample[0, 0] == expected


@pytest.mark.parametrize("features", [("x", "x^2"), ("x^2", "x^3"), ("x:z", "x", "z")])
def test_a_degree_makes_each_term_once(tmp_path: Path, features: tuple[str, ...]) -> None:
    """Also where powers and products of some terms are those of others."""
    (tmp_path / "d.csv").write_text("x,z,y\n1,2,3\n")
    made = read_observations(str(tmp_path / "d.csv"), features=features, degree=3).features
    assert made[: len(features)] == features
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_degrees_are_scikit_learns(degree: int) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    observations = read_observations(
        str(IRIS), features=["sepal_length", "sepal_width", "log(petal_length)"], degree=degree
    )
    data = pd.read_csv(IRIS)
    inputs = data[["sepal_length", "sepal_width"]].to_numpy()
    inputs = np.column_stack([inputs, np.log(data["petal_length"].to_numpy())])
    expected = preprocessing.PolynomialFeatures(degree, include_bias=False).fit_transform(inputs)
    assert observations.sample[:, :-1] == pytest.approx(expected, rel=1e-14)
    if degree == 2:
        assert observations.features[3:5] == ("sepal_length^2", "sepal_length:sepal_width")


@pytest.mark.parametrize(
    ("header", "term", "feature"),
    [
        ("log(x),x,y", "log(x)", "log(x)"),
        ("x^2,x,y", "x^2", "x^2"),
        ("a:b,a,y", "a:b:a", "a:b:a"),
        ("a:b,a,y", "a : a:b", "a:a:b"),
        ("x,z,y", " log( x ) : z ^ 2", "log(x):z^2"),
        ("x,z,y", "x:x:z", "x^2:z"),
        ("x,z,y", "log(x)^2", "log(x)^2"),
    ],
)
def test_a_columns_own_name_comes_first(
    tmp_path: Path, header: str, term: str, feature: str
) -> None:
    file = tmp_path / "d.csv"
    file.write_text(f"{header}\n1,2,3\n2,5,4\n4,7,9\n")
    found = read_observations(str(file), features=term, target="y")
    assert found.features == (feature,)
    columns = dict(zip(header.split(","), np.array([[1, 2, 4], [2, 5, 7]], float), strict=False))
    values = {
        "log(x)": columns.get("log(x)"),
        "x^2": columns.get("x^2"),
        "log(x):z^2": np.log(columns.get("x", 1)) * columns.get("z", 1) ** 2,
        "x^2:z": columns.get("x", 1) ** 2 * columns.get("z", 1),
        "log(x)^2": np.log(columns.get("x", 1)) ** 2,
        "a:b:a": columns.get("a:b", 1) * columns.get("a", 1),
        "a:a:b": columns.get("a:b", 1) * columns.get("a", 1),
    }
    if header.startswith("log(x)"):
        values["log(x)"] = columns["log(x)"]
    assert found.sample[:, 0] == pytest.approx(values[feature])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("log(c)", "column 'c' holds text, which has no log"),
        ("c^2", "column 'c' holds text, which has no powers"),
        ("x^0", "'x^0' is no term: a power is a whole number from 1 to 999, once, as in NAME^2"),
        ("x^-1", "'x^-1' is no term: a power is a whole number"),
        ("x^0.5", "'x^0.5' is no term: a power is a whole number"),
        ("x^1000", "'x^1000' is no term: a power is a whole number"),
        ("x**2", "'x**2' is no term: a power is a whole number"),
        ("x^2^2", "'x^2^2' is no term: a power is a whole number"),
        (
            "x*c",
            "there is no column 'x*c'; its columns with numbers are x, y; a term is NAME, NAME^2",
        ),
        ("x + c", "a term is NAME, NAME^2, log(NAME), A:B or C(NAME), and a comma stands between"),
        (
            "poly(x,2)",
            "a term is NAME, NAME^2, log(NAME), A:B or C(NAME), and a comma stands between",
        ),
        (
            "I(x^2)",
            f"there is no function 'I'; {FUNCTIONS_TOLD}",
        ),
        ("log(x^2)", "log takes a column, not 'x^2'"),
        ("x:", "a product has two sides, A:B"),
        ("y", "column 'y' is a feature and the target at once; name another --target: 'x'"),
        ("log(y)", "'log(y)' is a feature, and made of the column of the target, y; name another"),
        ("x,x:y", "'x:y' is a feature, and made of the column of the target, y; name another"),
        ("(x^2)^3", "there is no column '(x^2)'"),
        (
            "sin(x)",
            f"there is no function 'sin'; {FUNCTIONS_TOLD}",
        ),
        ("log(w)", "there is no column 'w'"),
        ("x:w", "there is no column 'w'"),
        ("x,x:x,x^2", "`features` names a column twice"),
        ("log(__import__('os').system('echo'))", 'there is no column "__import__'),
    ],
)
def test_what_is_no_term_is_said(gdfit: Gdfit, features: str, message: str) -> None:
    result = gdfit("train", "-", "--features", features, stdin=b"x,c,y\n1,a,2\n2,b,3\n3,a,5\n")
    assert result.status in (1, 2)
    assert result.err.count("\n") == 1
    assert message.replace("`features`", "--features") in result.err


@pytest.mark.parametrize(
    ("options", "rows", "message"),
    [
        (
            ["--features", "log(x)"],
            "1,2\n0,3\n",
            "line 3, column 'x': log(x) takes a number above 0, not 0",
        ),
        (
            ["--features", "sqrt(x)"],
            "1,2\n\n-4,3\n",
            "line 4, column 'x': sqrt(x) takes a number that is not negative, not -4",
        ),
        (
            ["--features", "exp(x)"],
            "1,2\n710,3\n",
            "line 3, column 'x': exp(x) of 710 is larger than",
        ),
        (
            ["--features", "x^3"],
            "1,2\n1e200,3\n",
            "line 3, column 'x': x^3 of 1e+200 is larger than",
        ),
        (
            ["--target", "log(y)"],
            "1,2\n3,-1\n",
            "line 3, column 'y': log(y) takes a number above 0, not -1",
        ),
        (
            ["--features", "x^2:x^60"],
            "1,2\n1e6,3\n",
            "line 3, column 'x': x^62 of 1e+06 is larger than",
        ),
    ],
)
def test_a_term_without_a_value_is_told_by_its_line(
    gdfit: Gdfit, options: list[str], rows: str, message: str
) -> None:
    result = gdfit("train", "-", *options, stdin=f"x,y\n{rows}5,6\n".encode())
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert message in result.err


def category_file(path: Path, levels: list[str], rows: int, last: list[str]) -> pd.DataFrame:
    """A file with a number, a category and y; the `last` levels come in its last rows only."""
    random = np.random.default_rng(5)
    species = [*random.choice(levels, rows - 2 * len(last)).tolist(), *last, *last]
    frame = pd.DataFrame({"x": random.normal(size=rows), "kind": species})
    heights = {level: float(height) for height, level in enumerate(sorted({*levels, *last}))}
    noise = random.normal(size=rows)
    frame["y"] = 2 * frame["x"] + frame["kind"].map(heights).astype(float) + noise
    frame.to_csv(path, index=False)
    return frame


@pytest.mark.parametrize(
    ("count", "rows", "unit_bytes"),
    [(2, 40, 50), (20, 5000, 1000), (500, 4000, 3000), (500, 70_000, 1 << 16)],
)
def test_levels_that_come_last_and_units_of_any_size(
    tmp_path: Path, count: int, rows: int, unit_bytes: int
) -> None:
    names = [*LEVELS, *(f"level {number}" for number in range(count))][: count - 1]
    frame = category_file(tmp_path / "d.csv", names, rows, ["A first one"])
    selection = Selection(("kind", "x", "kind:x") if count < 100 else ("kind", "x"))
    dataset = Dataset((str(tmp_path / "d.csv"),), selection, unit_bytes=unit_bytes)
    observations = dataset.observations()
    levels = sorted({*names, "A first one"})[1:]
    expected = [is_level(frame["kind"], level) for level in levels]
    x = frame["x"].to_numpy()
    expected += [x, *(column * x for column in expected)] if count < 100 else [x]
    found = observations.augmented.T @ observations.augmented
    design = np.column_stack([*expected, np.ones(rows), frame["y"].to_numpy()])
    assert observations.features[: count - 1] == tuple(f"kind[{level}]" for level in levels)
    assert np.abs(found - design.T @ design).max() <= 1e-10 * np.abs(found).max()
    whole = Dataset((str(tmp_path / "d.csv"),), selection).observations()
    assert (observations.features, observations.count) == (whole.features, whole.count)
    assert observations.first.tolist() == whole.first.tolist()
    assert observations.last_values == whole.last_values


def test_two_categories_of_many_combinations(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rows = 80_000  # of combinations that are nearly all different: they are folded as they come
    frame = pd.DataFrame({"a": random.integers(0, 60, rows), "b": random.integers(0, 61, rows)})
    frame["d"] = random.integers(0, 30, rows)
    frame["y"] = frame["a"] - 2.0 * frame["b"] + frame["d"] ** 2 + random.normal(size=rows)
    frame.to_csv(tmp_path / "d.csv", index=False)
    fit = fitted(tmp_path / "d.csv", features=["C(a)", "C(b)", "C(d)"])
    columns = [
        np.asarray(frame[name] == level, dtype=float)
        for name in "abd"
        for level in sorted(frame[name].unique())[1:]
    ]
    expected = least_squares(columns, frame["y"].to_numpy())
    assert fit.model.params == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_levels_that_come_after_rows_have_been_folded() -> None:
    values = combinations(5000)
    values[-50:] -= 1
    groups, levels = grouped(values)
    check_grouped(values, groups.triangle(levels))


@pytest.mark.parametrize(("one", "other"), [(2000, 2000), (2000, 50), (50, 2000), (50, 50)])
def test_groups_are_merged_whether_rows_have_been_folded_or_not(one: int, other: int) -> None:
    """With levels that only one of them has."""
    values = combinations(one + other)
    values[one:] += 1
    (groups, levels), (others, of_others) = grouped(values[:one]), grouped(values[one:])
    joined, tables = levels.joined(of_others)
    check_grouped(values, groups.merged(others, joined, tables).triangle(joined))


def test_too_many_levels_together_are_in_a_row_that_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(levels_module, "MOST_LEVELS", 3)
    one, other = (Levels(Expansion((Term((Factor("k", is_category=True),)),))) for _ in range(2))
    one.add(0, {"p": 0, "q": 1})
    other.add(0, {"q": 0, "r": 4, "s": 5})
    with pytest.raises(levels_module.LevelError, match="'s' is level number 4") as raised:
        one.joined(other)
    assert raised.value.row == -1


@pytest.mark.parametrize("categories", [1, 2, 18])
def test_rows_of_the_same_levels_are_condensed_by_themselves(categories: int) -> None:
    """Also where there are more combinations of levels than 64 bits can number."""
    random = np.random.default_rng(0)
    codes = np.full((3000, categories), 15)
    codes[:, 0] = random.integers(0, 16, size=len(codes))
    codes[:, -1] = np.where(random.random(len(codes)) < 0.1, 3, codes[:, -1])
    base = random.normal(size=(len(codes), 2))
    rows, kept = condensed_by_levels(base, codes)
    assert len(rows) < len(base) / 10
    assert {*map(tuple, kept.tolist())} == {*map(tuple, codes.tolist())}
    for combination in np.unique(codes, axis=0):
        mine = base[(codes == combination).all(axis=1)]
        found = rows[(kept == combination).all(axis=1)]
        assert found.T @ found == pytest.approx(mine.T @ mine, rel=1e-9, abs=1e-9)


def combinations(rows: int) -> FloatArray:
    """Levels in three categories, nearly all combinations different: not many rows can wait."""
    return np.random.default_rng(3).integers(0, 9, size=(rows, 3)).astype(float)


def base_of(values: FloatArray) -> FloatArray:
    """The rows' ones, and y."""
    y = values @ [1.0, -2.0, 3.0] + np.sin(values @ [7.0, 11.0, 13.0])
    return np.column_stack([np.ones(len(values)), y])


def grouped(values: FloatArray) -> tuple[GroupedRows, Levels]:
    """The rows, as they are taken in block by block."""
    levels = Levels(Expansion(tuple(Term((Factor(name, is_category=True),)) for name in "abc")))
    groups, base = GroupedRows(levels, pending=300), base_of(values)
    for block in np.split(np.arange(len(values)), 5):
        found = [np.unique(column, return_inverse=True) for column in values[block].T]
        codes = [levels.encode(place, k, u.tolist()) for place, (u, k) in enumerate(found)]
        groups.add(Near.here(base[block]), np.column_stack(codes))
    return groups, levels


def check_grouped(values: FloatArray, part: Near) -> None:
    """It has the inner products of the features that the rows make."""
    columns = [values[:, [place]] == np.unique(values[:, place])[1:] for place in range(3)]
    design = np.column_stack([*columns, base_of(values)])
    expected, triangle = design.T @ design, part.whole
    assert np.abs(triangle.T @ triangle - expected).max() <= 1e-12 * np.abs(expected).max()


def test_products_of_large_and_small_numbers(tmp_path: Path) -> None:
    """The largest of both columns together would be beyond float64, but they are in no row."""
    (tmp_path / "d.csv").write_text("x,z,y\n1e200,1e-200,1\n1e-200,1e200,2\n3,2,3\n")
    observations = read_observations(str(tmp_path / "d.csv"), features=["x:z"])
    assert observations.sample[:, 0].tolist() == [1e200 * 1e-200, 1e-200 * 1e200, 6.0]


def test_names_of_levels_go_all_the_way(gdfit: Gdfit) -> None:
    rows = [(level, place) for place, level in enumerate(LEVELS)] * 2
    said = [level.replace('"', '""') for level, _ in rows]
    text = "kind,y\n" + "".join(
        f'"{level}",{y}\n' for level, (_, y) in zip(said, rows, strict=True)
    )
    Path("d.csv").write_text(text)
    record = gdfit.json("train", "d.csv", "--features", "kind", "--x", '"b, c"', "--x", "Ångström")
    assert record["features"] == [f"kind[{level}]" for level in sorted(LEVELS)[1:]]
    assert record["levels"] == {"kind": sorted(LEVELS)}
    assert [at["y"] for at in record["predictions"]] == pytest.approx([0, 3])
    assert record["predictions"][0]["x"] == ["b, c"]
    predicted = gdfit("predict", "d.csv").out.splitlines()[1:]
    assert [float(row.rpartition(",")[2]) for row in predicted] == pytest.approx(
        [y for _, y in rows], abs=1e-9
    )
    assert gdfit.json("evaluate", "d.csv")["mse"] < 1e-12


def test_one_level_makes_no_feature(gdfit: Gdfit) -> None:
    data = b"x,c,y\n1,a,2\n2,a,3\n3,a,5\n"
    assert gdfit.json("train", "-", "--features", "x,c", stdin=data)["features"] == ["x"]
    result = gdfit("train", "-", "--features", "c", stdin=data)
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert "there is one level only of c, which makes no feature" in result.err


def test_too_many_levels_are_told_by_line(gdfit: Gdfit) -> None:
    rows = "".join(f"{place},n{place},{place}\n" for place in range(MOST_LEVELS + 5))
    Path("d.csv").write_text("x,name,y\n" + rows)
    result = gdfit("train", "d.csv", "--features", "name")
    assert result.status == 1
    assert (
        f"d.csv, line {MOST_LEVELS + 2}, column 'name': 'n1000' is level number 1,001" in result.err
    )


def test_unseen_levels_are_told_by_line(gdfit: Gdfit) -> None:
    Path("d.csv").write_text("c,x,y\na,1,2\nb,2,3\na,3,4\nb,1,1\n")
    Path("other.csv").write_text("y,c,x\n1,b,1\n2,c d,3\n")
    assert gdfit("train", "d.csv", "--features", "x,c").status == 0
    told = (
        "other.csv, line 3, column 'c': 'c d' is a level that training has not seen; there are a, b"
    )
    for command in (
        ["evaluate", "other.csv"],
        ["train", "d.csv", "--features", "x,c", "--validation", "other.csv"],
    ):
        result = gdfit(*command)
        assert (result.status, told in result.err) == (1, True), result.err
    result = gdfit("evaluate", "other.csv", "--drop-missing")
    assert result.err == "gdfit: note: skipped 1 row with a level that training has not seen\n"
    assert result.out.split()[:2] == ["N", "1"]
    result = gdfit("predict", "other.csv")
    assert (result.status, result.out.splitlines()[-1]) == (0, "2,c d,3,")
    assert "no prediction for 1 row with a level that training has not seen ('c d')" in result.err
    result = gdfit("predict", "--x", "1,c d")
    assert (result.status, result.out) == (1, "")
    assert "'c d' is a level that training has not seen" in result.err


def test_missing_levels(gdfit: Gdfit) -> None:
    data = b"c,x,y\na,1,2\nNA,2,3\nb,3,4\n,1,1\nb,2,2\na,2,3\n"
    result = gdfit("train", "-", "--features", "c,x", stdin=data)
    assert result.status == 1
    assert "line 3, column 'c': 'NA' stands for a missing value; --drop-missing" in result.err
    record = gdfit.json("train", "-", "--features", "c,x", "--drop-missing", stdin=data)
    assert (record["observations"], record["levels"]) == (4, {"c": ["a", "b"]})
    rows = gdfit("predict", "-", stdin=data).out.splitlines()
    assert [row.endswith(",") for row in rows[1:]] == [False, True, False, True, False, False]


def test_validation_models_and_looks(gdfit: Gdfit) -> None:
    options = ["--features", "log(sepal_length),species", "--target", "petal_width"]
    first = gdfit.json("train", IRIS, *options, "--epochs", "5", "--validation", IRIS)
    assert first["validation_loss"] == pytest.approx(first["loss"], rel=1e-12)
    split = gdfit.json("train", IRIS, *options, "--validation", "0.2")
    assert (split["observations"], split["validation_observations"]) == (120, 30)
    gdfit("train", IRIS, *options, "--epochs", "5")
    gdfit("train", IRIS, *options, "--epochs", "5", "--init", "gdfit.json")
    on = json.loads(Path("gdfit.json").read_text())
    gdfit("train", IRIS, *options, "--epochs", "10", "--lr", on["lr"], "--scale", on["scale"])
    assert load_model("gdfit.json").params == (*on["w"], on["b"])
    for command in ("gradcheck", "graph", "curvature"):
        assert gdfit(command, IRIS, *options).status == 0
    assert gdfit("gradcheck", IRIS, *options, "--init", "gdfit.json").status == 0
    other = gdfit("train", IRIS, "--init", "gdfit.json", "--target", "petal_width")
    assert (other.status, "other terms" in other.err or "features" in other.err) == (1, True)


def test_a_model_with_damaged_terms_is_refused(gdfit: Gdfit) -> None:
    gdfit("train", IRIS, "--features", "species", "--target", "petal_width")
    record = json.loads(Path("gdfit.json").read_text())
    for key, value in (
        ("terms", ["species:nothing"]),
        ("terms", "species"),
        ("levels", {"species": ["setosa"]}),
        ("levels", {"species": [1, 2, 3]}),
        ("levels", {}),
        ("levels", {"species": []}),
        ("levels", {"species": ["setosa", "virginica", "setosa"]}),
        ("inputs", ["sepal_length"]),
    ):
        Path("bad.json").write_text(json.dumps({**record, key: value}))
        with pytest.raises(GdfitError, match="is not a model file"):
            load_model("bad.json")


@pytest.mark.parametrize("terms", ["species", "log(sepal_length)"])
@pytest.mark.parametrize("key", ["inputs", "terms", "levels"])
def test_a_value_of_another_kind_is_refused(gdfit: Gdfit, terms: str, key: str) -> None:
    gdfit("train", IRIS, "--features", terms, "--target", "petal_width")
    record = json.loads(Path("gdfit.json").read_text())
    for value in (None, 1, "x", [], [1], [None], {"species": 1}, {"x": ["y"]}):
        Path("bad.json").write_text(json.dumps({**record, key: value}))
        with pytest.raises(GdfitError, match="is not a model file"):
            load_model("bad.json")


def test_other_losses_and_batches_take_terms(gdfit: Gdfit) -> None:
    options = ["--features", "species,log(sepal_length)", "--target", "petal_width", "--lr", "0.05"]
    for more in (["--loss", "huber"], ["--loss", "mae"], ["--batch-size", "150"]):
        both = [
            gdfit.json("train", IRIS, *options, *more, "--epochs", "20", "--backend", backend)
            for backend in ("manual", "autograd")
        ]
        assert both[0]["w"] == pytest.approx(both[1]["w"], rel=1e-9)
    whole = gdfit.json("train", IRIS, *options, "--epochs", "20")
    assert both[0]["w"] == pytest.approx(whole["w"], rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), min_size=2
    ),
    block=st.integers(20, 400),
)
@example(words=["long " * 60, "short"], block=400)
@example(words=["12345678", "12345678a", "12345678b", "a"], block=400)
def test_words_are_read_as_written(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], block: int
) -> None:
    """The fast way of reading words agrees with the plain one, whatever they are."""
    file = tmp_path_factory.mktemp("words") / "d.csv"
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    file.write_bytes(("c,y\n" + "".join(f"{word},1\n" for word in quoted)).encode())
    with open_csv(str(file), unit_bytes=block) as csv_file:
        grammar = csv_file.layout.grammar
        found: list[str | None] = []
        for unit in csv_file.units():
            fast, plain = (
                [
                    word
                    for (word,) in said_by(read_block(unit.content, grammar, 2, WORD, small=small))
                ]
                for small in (False, True)
            )
            assert fast == plain
            found += fast
    says = [content(field.encode(), grammar) for field in quoted]
    expected = [None if grammar.is_missing(said) else said.decode() for said in says]
    assert found == expected


@settings(max_examples=300, deadline=None)
@given(fields=st.lists(st.text('"" ax', max_size=7), min_size=1, max_size=9))
@example(fields=['""x a"'])
def test_words_with_quotes_anywhere(fields: list[str]) -> None:
    """The fast way of reading words agrees with the plain one where quotes close too early."""
    grammar = Grammar(",")
    text = "".join(f"{field},1\n" for field in fields).encode()
    said = []
    for small in (True, False):
        try:
            blocks = list(blocks_of(text, grammar))
            said.append(
                [said_by(read_block(block, grammar, 2, WORD, small=small)) for block in blocks]
            )
        except RowError as error:
            said.append([[[str(error)]]])
    assert said[0] == said[1]
