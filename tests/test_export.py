"""Exported models give what `predict` gives, in the languages that they are written in."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gdfit as library
from conftest import LECTURE, Gdfit
from exported import LANGUAGES, database, python_function, run
from gdfit.choices import ExportFormat
from gdfit.model.languages import Sql, c_names, c_string, column_letters
from spreadsheet import worked_out

NAMES = ("depth (m)", "select", 'a"b', "ünï")
HARD = (0.3744935453302424, 51048.53908793347, 7.44742713502789e-09)  # SQLite misreads their repr
random = np.random.default_rng(15)
ROWS = random.normal(size=(500, 4)) * 10.0 ** random.integers(-6, 7, size=(500, 4))
ROWS[0] = 0.0
ROWS[1:51] = np.round(ROWS[1:51])


def model_of(*params: float, features: tuple[str, ...] = NAMES) -> library.LinearModel:
    return library.LinearModel(params[:-1], params[-1], features, "y")


MODELS = {
    "as trained": model_of(
        0.3016922021103325, -1.1395348837209296, 3.0016, -0.1, 0.2328350131261331
    ),
    "hard to read": model_of(*HARD, -1 / 3, 1e22),
    "large and small": model_of(-1.7e300, 5e-300, 123456789012345678.0, -0.0, -1e-17),
    "of zeros": model_of(0.0, -2.0, 0.0, 1.0, 0.0),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_exports_give_the_predictions_to_the_last_bit(
    tmp_path: Path, language: str, model: library.LinearModel
) -> None:
    expected = model.predict(ROWS)
    assert np.isfinite(expected).all()
    assert run(language, model, ROWS.tolist(), tmp_path) == expected.tolist()


@pytest.mark.parametrize("language", ["sqlite", "duckdb"])
def test_databases_read_the_numbers_that_are_meant(language: str) -> None:
    sql_number = Sql(MODELS["as trained"]).number
    exponents = random.integers(-290, 290, size=2000)
    values = [*HARD, *np.round(random.uniform(size=2000), 3), *random.uniform(size=4000)]
    values += (random.uniform(0.1, 1, size=2000) * 10.0**exponents).tolist()
    connection = database(language)
    for start in range(0, len(values), 500):
        part = list(map(float, values[start : start + 500]))
        query = f"SELECT {', '.join(map(sql_number, part))}"
        assert list(connection.execute(query).fetchone()) == part
    connection.close()


@pytest.mark.parametrize("value", [0.1, 0.7, 3.0016, 1 / 3, 2.5, 123.456, 7.0])
def test_a_number_in_sql_is_as_short_as_it_may_be(value: float) -> None:
    assert Sql(MODELS["as trained"]).number(value) == f"{value!r}e0"


def test_a_formula_reads_the_numbers_that_are_meant() -> None:
    values = [*HARD, 0.1, 2.0, 1e22, 1 / 3, *random.normal(size=2000).tolist()]
    for value in values:
        model = model_of(abs(value), -0.0, features=("x",))
        assert worked_out(library.export(model, "excel"), [1.0]) == abs(value)


def test_torch_reads_the_state_dict(tmp_path: Path) -> None:
    for model in MODELS.values():
        text = library.export(model, "torch", tmp_path / "y.pt")
        space: dict[str, Any] = {"torch": torch}
        exec(text, space)
        layer = space["layer"]
        assert layer.weight.tolist() == [list(model.w)]
        assert layer.bias.tolist() == [model.b]
        with torch.no_grad():
            found = layer(torch.tensor(ROWS))[:, 0].numpy()
        sizes = np.abs(ROWS) @ np.abs(model.w) + abs(model.b)
        assert (np.abs(found - model.predict(ROWS)) <= 1e-12 * sizes).all()


@pytest.mark.parametrize("language", ["sqlite", "duckdb", "excel"])
def test_an_empty_cell_gives_no_number(tmp_path: Path, language: str) -> None:
    rows: list[list[Any]] = [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, None, 4.0]]
    found = run(language, MODELS["as trained"], rows, tmp_path)
    assert found == [MODELS["as trained"].predict(rows[0]), "#N/A" if language == "excel" else None]


def test_nan_gives_nan_in_c(tmp_path: Path) -> None:
    (found,) = run("c", MODELS["as trained"], [[1.0, 2.0, float("nan"), 4.0]], tmp_path)
    assert np.isnan(found)


def test_python_raises_where_a_value_is_missing() -> None:
    predict = python_function(library.export(MODELS["as trained"], "python"))
    row = {"depth (m)": "1", "select": " 2", 'a"b': 3, "ünï": 4.0}
    assert predict(row) == MODELS["as trained"].predict([1, 2, 3, 4])
    for cell, error in (("", ValueError), (None, TypeError)):
        with pytest.raises(error):
            predict({**row, "select": cell})
    del row["select"]
    with pytest.raises(KeyError):
        predict(row)


ODD = ("*/ int", "/*", '"""', "it's", "back\\slash", "two\nlines", "a b", "a_b", "1st", "int", "中")


def test_names_do_not_break_out(tmp_path: Path) -> None:
    model = model_of(*np.arange(1.0, len(ODD) + 2).tolist(), features=ODD)
    row = random.normal(size=(1, len(ODD)))
    expected = model.predict(row).tolist()
    for language in ("sqlite", "python", "c"):
        assert run(language, model, row.tolist(), tmp_path) == expected


def test_names_in_c_are_like_the_columns() -> None:
    assert c_names(NAMES) == ["depth_m", "select", "a_b", "uni"]
    assert c_names(ODD[5:]) == ["two_lines", "a_b", "a_b_", "x4_1st", "x5_int", "x6"]


def test_a_spreadsheet_has_columns_after_z() -> None:
    assert list(map(column_letters, (0, 25, 26, 51, 52, 701, 702))) == [
        *("A", "Z", "AA", "AZ", "BA", "ZZ", "AAA")
    ]
    names = tuple(f"x{place}" for place in range(60))
    model = model_of(*random.normal(size=61).tolist(), features=names)
    row = random.normal(size=60)
    assert worked_out(library.export(model, "excel"), row.tolist()) == model.predict(row)


def test_what_can_not_be_exported_is_said(tmp_path: Path) -> None:
    names = tuple(f"x{place}" for place in range(500))
    long = model_of(*random.normal(size=501).tolist(), features=names)
    with pytest.raises(
        library.GdfitError, match=r"has 1\d,\d{3} characters, and Excel takes 8,192"
    ):
        library.export(long, "excel")
    with pytest.raises(library.GdfitError, match="not all finite"):
        library.export(model_of(float("nan"), 1.0, features=("x",)), "sql")
    with pytest.raises(library.UsageError, match="torch is no text"):
        library.export(MODELS["as trained"], "torch")
    unknown: Any = "cobol"
    with pytest.raises(library.UsageError, match="there are sql, python, c, excel, torch"):
        library.export(MODELS["as trained"], unknown)


def test_the_command_writes_what_the_library_does(gdfit: Gdfit) -> None:
    assert gdfit("train", LECTURE, "--lr", "1e-2", "-q").status == 0
    model = library.load_model("gdfit.json")
    forms: tuple[ExportFormat, ...] = ("sql", "python", "c", "excel")
    for form in forms:
        text = library.export(model, form)
        assert gdfit("export", "--format", form).out == text
        result = gdfit("export", "--format", form, "--output", "exported")
        assert (result.status, result.out) == (0, "")
        assert Path("exported").read_text(encoding="utf-8") == text


def test_the_command_says_how_to_use_it(gdfit: Gdfit) -> None:
    assert gdfit("train", LECTURE, "--lr", "1e-2", "-q", "--model", "other.json").status == 0
    result = gdfit("export", "--format", "excel", "--model", "other.json")
    assert result.err == "gdfit: note: the formula is for row 2, with x in A2\n"
    model_of(1.0, 2.0, 3.0, 0.5, features=("u", "v", "x")).save("gdfit.json")
    result = gdfit("export", "--format", "excel")
    assert result.err == "gdfit: note: the formula is for row 2, with u, v, x in A2 to C2\n"
    result = gdfit("export", "--format", "torch", "--output", "y.pt", "--model", "other.json")
    assert result.status == 0
    assert result.out == ""
    line = result.err.partition("float32: ")[2]
    space: dict[str, Any] = {"torch": torch}
    exec(line, space)
    assert space["layer"].weight.item() == library.load_model("other.json").w[0]


WRONG = {
    "no file for torch": (["--format", "torch"], 2, "--output"),
    "no format": ([], 2, "sql|python|c|excel|torch"),
    "over the model": (["--format", "c", "--output", "gdfit.json"], 2, "would be written over"),
    "no such folder": (["--format", "c", "--output", "no/p.c"], 1, "there is no such folder"),
    "no model": (["--format", "c", "--model", "no.json"], 1, "no such model file"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_usage_is_one_line(gdfit: Gdfit, wrong: str) -> None:
    arguments, status, message = WRONG[wrong]
    Path("gdfit.json").write_text('{"w": [0.3], "b": 0.25, "features": ["x"], "target": "y"}')
    result = gdfit("export", *arguments)
    assert result.status == status
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_string_in_c_says_each_byte_of_its_text() -> None:
    """In printable ASCII; Python reads such strings as C does."""
    text = "".join(map(chr, range(256))) + "??/ é“"
    written = c_string(text)
    assert written.isascii()
    assert written.isprintable()
    assert "??" not in written
    assert ast.literal_eval(f"b{written}") == text.encode()
