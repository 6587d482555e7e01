"""What exported models give, where they are run: in databases, in Python, in C."""

from __future__ import annotations

import ctypes
import decimal
import math
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import gdfit
from spreadsheet import worked_out

Row = Sequence[Any]
LANGUAGES = ("sqlite", "duckdb", "python", "c", "excel")


def run(language: str, model: gdfit.LinearModel, rows: Sequence[Row], folder: Path) -> list[Any]:
    """What the exported model gives for `rows` of values in the order of its inputs."""
    if language in ("sqlite", "duckdb"):
        return in_sql(model, rows, database(language))
    if language == "python":
        predict = python_function(gdfit.export(model, "python"))
        return [predict(dict(zip(model.inputs, row, strict=True))) for row in rows]
    if language == "c":
        function = c_function(gdfit.export(model, "c"), folder, rows[0])
        return [function(*row) for row in rows]
    formula = gdfit.export(model, "excel")
    return [worked_out(formula, row) for row in rows]


def database(language: str) -> Any:
    """An empty database."""
    if language == "sqlite":
        return sqlite3.connect(":memory:")
    return pytest.importorskip("duckdb").connect()


def in_sql(model: gdfit.LinearModel, rows: Sequence[Row], database: Any) -> list[Any]:
    """What a query gives."""
    names = ['"' + name.replace('"', '""') + '"' for name in model.inputs]
    of = {str: "VARCHAR", int: "BIGINT"}
    kinds = [of.get(type(value), "DOUBLE") for value in rows[0]]
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
    database.execute(f"CREATE TABLE t (number INTEGER, {columns})")
    places = ", ".join("?" for _ in names)
    database.executemany(
        f"INSERT INTO t VALUES (?, {places})",
        [(number, *row) for number, row in enumerate(rows)],
    )
    query = f"SELECT {gdfit.export(model, 'sql')} AS y_hat FROM t ORDER BY number"
    found = [row[0] for row in database.execute(query).fetchall()]
    database.close()
    return found


def python_function(code: str) -> Callable[[Any], float]:
    """What `code` calls predict, where there is nothing to import but `math` and `decimal`."""
    code = code.replace("import math\n", "").replace("import decimal\n", "")
    space: dict[str, Any] = {
        "__builtins__": {"float": float, "abs": abs},
        "math": math,
        "decimal": decimal,
    }
    exec(compile(code, "exported", "exec"), space)
    predict: Callable[[Any], float] = space["predict"]
    return predict


def c_function(code: str, folder: Path, row: Row) -> Callable[..., float]:
    """What `code` calls predict, for params like the values in `row`."""
    compiler = shutil.which("gcc") or pytest.skip("there is no gcc")
    (folder / "predict.c").write_text(code, encoding="utf-8")
    flags = ["-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    files = ["predict.c", "-o", "predict.so", "-lm"]
    subprocess.run([compiler, *flags, *files], cwd=folder, check=True)
    predict = ctypes.CDLL(str(folder / "predict.so")).predict
    kinds: dict[type[Any], Any] = {str: ctypes.c_char_p, int: ctypes.c_longlong}
    predict.restype = ctypes.c_double
    predict.argtypes = [kinds.get(type(value), ctypes.c_double) for value in row]

    def function(*values: Any) -> float:
        coded = [value.encode() if isinstance(value, str) else value for value in values]
        return float(predict(*coded))

    return function
