"""Exported models with terms: categories, logarithms, powers and products."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import gdfit
from exported import LANGUAGES, python_function, run
from gdfit.choices import ExportFormat
from gdfit.cli import run as command

LEVELS = ("Adelie", 'Gen"too', "it's, odd", "ünï ?", "a", "A", "back\\slash", "100%")
EXACT = "species,year,z^2,depth (m):z,C(year),species:z,species:C(year)"
ROUNDED = "log(depth (m)),log2(depth (m)),log10(depth (m)),sqrt(depth (m)),exp(z),z^3,z^2:year"


def table() -> pd.DataFrame:
    random = np.random.default_rng(12)
    return pd.DataFrame(
        {
            "species": random.choice(LEVELS, 500),
            "year": random.choice([2007.0, 2008.0, 2008.5], 500),
            "depth (m)": random.uniform(0.1, 9, 500),
            "z": random.normal(size=500),
            "y": random.normal(size=500),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("terms")


def trained(terms: str, folder: Path) -> gdfit.LinearModel:
    """A model with these terms."""
    table().to_csv(folder / "t.csv", index=False, quoting=csv.QUOTE_NONNUMERIC)
    arguments = ["train", str(folder / "t.csv"), "-q", "--features", terms]
    assert command([*arguments, "--model", str(folder / "m.json")]) == 0
    return gdfit.load_model(folder / "m.json")


@pytest.fixture(scope="module")
def exact(folder: Path) -> gdfit.LinearModel:
    """A model with terms that are the same to the last bit everywhere."""
    return trained(EXACT, folder)


@pytest.fixture(scope="module")
def rounded(folder: Path) -> gdfit.LinearModel:
    """A model with functions, whose last digit is another in other libraries."""
    return trained(ROUNDED, folder)


def rows_of(model: gdfit.LinearModel) -> list[list[Any]]:
    return [list(row) for row in table()[list(model.inputs)].itertuples(index=False)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_categories_and_products_give_the_same_bits(
    language: str, exact: gdfit.LinearModel, tmp_path: Path
) -> None:
    assert run(language, exact, rows_of(exact), tmp_path) == exact.predict(table()).tolist()


@pytest.mark.parametrize("language", LANGUAGES)
def test_functions_and_powers_give_the_same_but_for_rounding(
    language: str, rounded: gdfit.LinearModel, tmp_path: Path
) -> None:
    expected = rounded.predict(table()).tolist()
    found = run(language, rounded, rows_of(rounded), tmp_path)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("column", "level"), [("species", "Gentoo"), ("year", 2010.0)])
def test_an_unseen_level_gives_no_number(
    language: str, column: str, level: object, exact: gdfit.LinearModel, tmp_path: Path
) -> None:
    rows = rows_of(exact)[:2]
    rows[0][exact.inputs.index(column)] = level
    if language == "python":
        predict = python_function(gdfit.export(exact, "python"))
        with pytest.raises(KeyError):
            predict(dict(zip(exact.inputs, rows[0], strict=True)))
        return
    unseen, seen = run(language, exact, rows, tmp_path)
    assert unseen is None or np.isnan(unseen)
    assert seen == exact.predict(table())[1]


@pytest.mark.parametrize("count", [126, 127])
def test_a_category_of_as_many_levels_as_excel_takes(tmp_path: Path, count: int) -> None:
    path = tmp_path / "t.csv"
    path.write_text("k,y\n" + "".join(f"k{place},{place}\n" for place in range(count)))
    observations = gdfit.read_observations(str(path), features=["k"], target="y")
    model = gdfit.train(observations, lr=0.1, epochs=1).model
    if count > 126:
        with pytest.raises(gdfit.GdfitError, match="has 127 levels, and Excel's SWITCH takes 126"):
            gdfit.export(model, "excel")
    else:
        assert gdfit.export(model, "excel").count("EXACT") == count


def test_a_category_of_very_many_levels_is_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("k,y\n" + "".join(f"k{place % 200},{place}\n" for place in range(400)))
    arguments = ["train", str(path), "-q", "--features", "k", "--model", str(tmp_path / "m.json")]
    assert command(arguments) == 0
    model = gdfit.load_model(tmp_path / "m.json")
    with pytest.raises(gdfit.GdfitError, match="column 'k': has 200 levels, and Excel's SWITCH"):
        gdfit.export(model, "excel")
    assert python_function(gdfit.export(model, "python"))({"k": "k7"}) == model.predict(["k7"])


@pytest.mark.parametrize("form", ["sql", "python", "c", "excel"])
def test_a_square_is_written_as_a_product(form: ExportFormat, exact: gdfit.LinearModel) -> None:
    """A language's own power may be another number in the last bit."""
    text = gdfit.export(exact, form).replace("/*", "").replace("*/", "")
    assert not any(power in text for power in ("^", "**", "pow("))


@pytest.mark.parametrize("language", LANGUAGES)
def test_powers_without_an_intercept_give_the_same_bits(language: str, tmp_path: Path) -> None:
    frame = table().rename(columns={"species": "select", "z": 'a"b', "year": "ünï"})
    features = ["depth (m)", 'a"b', "ünï", "select"]
    observations = gdfit.observations_from(frame, "y", features, degree=2, intercept=False)
    model = gdfit.train(observations, epochs=20).model
    assert len(model.features) == 9 + len(LEVELS) - 1
    rows = [list(row) for row in frame[list(model.inputs)].itertuples(index=False)]
    assert run(language, model, rows, tmp_path) == model.predict(frame).tolist()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_value_gives_no_number(
    language: str, exact: gdfit.LinearModel, rounded: gdfit.LinearModel, tmp_path: Path
) -> None:
    for model in (exact, rounded):
        whole = rows_of(model)[0]
        predict = python_function(gdfit.export(model, "python"))
        for place, value in enumerate(whole):
            nothing = float("nan") if language == "c" and isinstance(value, float) else None
            row = [*whole[:place], nothing, *whole[place + 1 :]]
            assert np.isnan(model.predict(row))
            if language == "python":
                with pytest.raises((TypeError, KeyError, AttributeError)):
                    predict(dict(zip(model.inputs, row, strict=True)))
                continue
            seen, missing = run(language, model, [whole, row], tmp_path)
            assert isinstance(seen, float)
            assert missing is None or missing == "#N/A" or np.isnan(missing)


def test_torch_has_the_terms_in_their_order(rounded: gdfit.LinearModel, tmp_path: Path) -> None:
    text = gdfit.export(rounded, "torch", tmp_path / "m.pt")
    space: dict[str, Any] = {"torch": torch}
    exec(text, space)
    depth, z, year = (table()[name].to_numpy() for name in ("depth (m)", "z", "year"))
    logarithms = [np.log(depth), np.log2(depth), np.log10(depth)]
    made = np.column_stack([*logarithms, np.sqrt(depth), np.exp(z), z**3, z**2 * year])
    with torch.no_grad():
        found = space["layer"](torch.tensor(made))[:, 0].numpy()
    sizes = np.abs(made) @ np.abs(rounded.w) + abs(rounded.b)
    assert (np.abs(found - rounded.predict(table())) <= 1e-12 * sizes).all()


@pytest.mark.parametrize("language", ["python", "excel"])
def test_blanks_around_a_level_do_not_count(language: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"k": ["a b", " c", "d  e", "c "] * 3, "y": [1.0, 2.0, 4.0, 2.0] * 3})
    model = gdfit.train(gdfit.observations_from(frame, "y", ["k"])).model
    rows = [[word] for word in frame["k"]]
    assert run(language, model, rows, tmp_path) == model.predict(frame).tolist()


@pytest.mark.parametrize("function", ["log", "log2", "log10", "sqrt"])
def test_c_has_no_number_where_there_is_none(function: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 4.0, 9.0], "y": [1.0, 2.0, 4.0, 2.0]})
    model = gdfit.train(gdfit.observations_from(frame, "y", [f"{function}(x)"])).model
    outside = 0.0 if function != "sqrt" else -1.0
    with pytest.raises(gdfit.GdfitError, match=f"takes a number .*not {outside:g}"):
        model.predict([[outside]])
    none, *others = run("c", model, [[outside], *([x] for x in frame["x"])], tmp_path)
    assert np.isnan(none)
    assert others == pytest.approx(model.predict(frame))


@pytest.mark.parametrize(
    ("names", "language", "notes"),
    [
        (("x", "X"), "sql", ["x, X differ in case only, and many databases take them for one"]),
        (("x", "X"), "python", []),
        (("x", " z"), "sql", ["' z' has blanks at an end, which gdfit leaves out of a header"]),
        (("z\n", "x"), "python", ["'z\\n' has blanks at an end, which gdfit leaves out"]),
        (("x", "z"), "sql", []),
        (("x", "kind"), "sql", ["texts are compared as they are, and gdfit reads kind without"]),
        (("x", "kind"), "c", ["texts are compared as they are, and gdfit reads kind without"]),
    ],
)
def test_notes_where_others_may_read_otherwise(
    names: tuple[str, str],
    language: ExportFormat,
    notes: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    columns = {name: ["a", "b", "a"] if name == "kind" else [1.0, 2.0, 4.0] for name in names}
    frame = pd.DataFrame({**columns, "y": [3.0, 1.0, 2.0]})
    asked = list(names) if "kind" in names else None
    path = tmp_path / "m.json"
    gdfit.train(gdfit.observations_from(frame, "y", asked)).model.save(path)
    assert command(["export", "--format", language, "--model", str(path)]) == 0
    told = capsys.readouterr().err.splitlines()
    assert len(told) == len(notes)
    for line, note in zip(told, notes, strict=True):
        assert line.startswith(f"gdfit: note: {note}")
