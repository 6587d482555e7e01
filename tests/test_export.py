"""Exported models give what `predict` gives, in the languages that they are written in."""

from __future__ import annotations

import ctypes
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gdfit as library
from conftest import LECTURE, Gdfit
from gdfit.arrays import FloatArray
from gdfit.model.export import c_names, excel_column
from gdfit.model.formats import ExportFormat
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


def in_sqlite(model: library.LinearModel, rows: FloatArray) -> list[float]:
    return in_sql(model, rows, sqlite3.connect(":memory:"))


def in_duckdb(model: library.LinearModel, rows: FloatArray) -> list[float]:
    duckdb = pytest.importorskip("duckdb")
    return in_sql(model, rows, duckdb.connect())


def in_sql(model: library.LinearModel, rows: FloatArray, database: Any) -> list[float]:
    """What a query gives."""
    names = ", ".join('"' + name.replace('"', '""') + '" DOUBLE' for name in model.features)
    places = ", ".join("?" for _ in model.features)
    database.execute(f"CREATE TABLE t (number INTEGER, {names})")
    database.executemany(
        f"INSERT INTO t VALUES (?, {places})",
        [(number, *row) for number, row in enumerate(rows.tolist())],
    )
    query = f"SELECT {library.export(model, 'sql')} AS y_hat FROM t ORDER BY number"
    found = [row[0] for row in database.execute(query).fetchall()]
    database.close()
    return found


def in_python(model: library.LinearModel, rows: FloatArray) -> list[float]:
    predict = python_function(library.export(model, "python"))
    return [predict(dict(zip(model.features, row, strict=True))) for row in rows.tolist()]


def python_function(code: str) -> Callable[[Any], float]:
    """What `code` calls predict, where it has nothing to import."""
    space: dict[str, Any] = {"__builtins__": {"float": float}}
    exec(compile(code, "exported", "exec"), space)
    predict: Callable[[Any], float] = space["predict"]
    return predict


def in_c(model: library.LinearModel, rows: FloatArray, folder: Path) -> list[float]:
    predict = c_function(library.export(model, "c"), folder, len(model.features))
    return [predict(*row) for row in rows.tolist()]


def c_function(code: str, folder: Path, params: int) -> Callable[..., float]:
    """What `code` calls predict."""
    compiler = shutil.which("gcc") or pytest.skip("there is no gcc")
    (folder / "predict.c").write_text(code, encoding="utf-8")
    flags = ["-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "predict.c", "-o", "predict.so"], cwd=folder, check=True)
    predict = ctypes.CDLL(str(folder / "predict.so")).predict
    predict.restype, predict.argtypes = ctypes.c_double, [ctypes.c_double] * params
    function: Callable[..., float] = predict
    return function


def in_excel(model: library.LinearModel, rows: FloatArray) -> list[float]:
    formula = library.export(model, "excel")
    return [worked_out(formula, row) for row in rows.tolist()]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("language", ["sqlite", "duckdb", "python", "c", "excel"])
def test_exports_give_the_predictions_to_the_last_bit(
    tmp_path: Path, language: str, model: library.LinearModel
) -> None:
    ways: dict[str, Callable[[], list[float]]] = {
        "sqlite": lambda: in_sqlite(model, ROWS),
        "duckdb": lambda: in_duckdb(model, ROWS),
        "python": lambda: in_python(model, ROWS),
        "c": lambda: in_c(model, ROWS, tmp_path),
        "excel": lambda: in_excel(model, ROWS),
    }
    expected = model.predict(ROWS)
    assert np.isfinite(expected).all()
    assert ways[language]() == expected.tolist()


@pytest.mark.parametrize("language", ["sqlite", "duckdb"])
def test_databases_read_the_numbers_that_are_meant(language: str) -> None:
    from gdfit.model.export import sql_number

    exponents = random.integers(-290, 290, size=2000)
    values = [*HARD, *np.round(random.uniform(size=2000), 3), *random.uniform(size=4000)]
    values += (random.uniform(0.1, 1, size=2000) * 10.0**exponents).tolist()
    connect = sqlite3.connect if language == "sqlite" else pytest.importorskip("duckdb").connect
    with connect(":memory:") as database:
        for start in range(0, len(values), 500):
            part = list(map(float, values[start : start + 500]))
            query = f"SELECT {', '.join(map(sql_number, part))}"
            assert list(database.execute(query).fetchone()) == part


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


@pytest.mark.parametrize("language", ["sqlite", "duckdb", "python", "c", "excel"])
def test_without_a_value_there_is_no_prediction(tmp_path: Path, language: str) -> None:
    model = MODELS["as trained"]
    row = np.array([[1.0, 2.0, np.nan, 4.0]])
    if language in ("sqlite", "duckdb"):
        database = sqlite3 if language == "sqlite" else pytest.importorskip("duckdb")
        columns = '1.0 AS "depth (m)", 2.0 AS "select", NULL AS "a""b", 4.0 AS "ünï"'
        query = f"SELECT {library.export(model, 'sql')} FROM (SELECT {columns})"
        assert database.connect(":memory:").execute(query).fetchone() == (None,)
    elif language == "python":
        predict = python_function(library.export(model, "python"))
        for cell, error in (("", ValueError), (None, TypeError)):
            with pytest.raises(error):
                predict({"depth (m)": 1, "select": 2, 'a"b': cell, "ünï": 4})
        with pytest.raises(KeyError):
            predict({"depth (m)": 1, "select": 2, "ünï": 4})
    elif language == "c":
        assert np.isnan(in_c(model, row, tmp_path)).all()
    else:
        for cell in (None, "two"):
            assert worked_out(library.export(model, "excel"), [1.0, 2.0, cell, 4.0]) == "#N/A"


ODD = ("*/ int", "/*", '"""', "it's", "back\\slash", "two\nlines", "a b", "a_b", "1st", "int", "中")


def test_names_do_not_break_out(tmp_path: Path) -> None:
    model = model_of(*np.arange(1.0, len(ODD) + 2).tolist(), features=ODD)
    row = random.normal(size=(1, len(ODD)))
    expected = model.predict(row).tolist()
    assert in_sqlite(model, row) == expected
    assert in_python(model, row) == expected
    assert in_c(model, row, tmp_path) == expected


def test_names_in_c_are_like_the_columns() -> None:
    assert c_names(NAMES) == ["depth_m", "select", "a_b", "uni"]
    assert c_names(ODD[5:]) == ["two_lines", "a_b", "a_b_", "x4_1st", "x5_int", "x6"]


def test_a_spreadsheet_has_columns_after_z() -> None:
    assert list(map(excel_column, (0, 25, 26, 51, 52, 701, 702))) == [
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
    with pytest.raises(library.UsageError, match="torch needs a file"):
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
    result = gdfit("export", "--format", "torch", "--output", "y.pt", "--model", "other.json")
    assert result.status == 0
    assert result.out == ""
    line = result.err.partition("float32: ")[2]
    space: dict[str, Any] = {"torch": torch}
    exec(line, space)
    assert space["layer"].weight.item() == library.load_model("other.json").w[0]


WRONG = {
    "no file for torch": (["--format", "torch"], 2, "--output"),
    "no format": ([], 2, "Choose from: sql, python, c, excel, torch"),
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
