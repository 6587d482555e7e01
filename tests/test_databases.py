"""Queries through a pipe: what SQLite and DuckDB write as CSV is read as the numbers they have."""

from __future__ import annotations

import csv
import io
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from conftest import Gdfit

Row = tuple[Any, ...]
RANDOM = random.Random(0)
ROWS = [
    (
        number,
        RANDOM.gauss(0, 1) * 10 ** RANDOM.randint(-20, 20),
        RANDOM.choice(["Adelie", 'Gentoo, "big"', "Chinstrap"]),
        None if number == 7 else RANDOM.random(),
    )
    for number in range(100)
]
NAMES = ("id", "x", "species", "y")
QUERY = "select x, species, y from birds where id < 50 order by id"


def as_csv(names: Iterable[str], rows: Iterable[Row], missing: str = "") -> bytes:
    """Rows as CSV."""
    text = io.StringIO()
    said = ([missing if value is None else value for value in row] for row in rows)
    csv.writer(text, lineterminator="\n").writerows([names, *said])
    return text.getvalue().encode()


def in_sqlite(query: str) -> bytes:
    """What ``sqlite3 -csv -header birds.db QUERY`` writes; without it, what Python's own module
    has, written in the same way."""
    connection = sqlite3.connect("birds.db")
    connection.execute("create table birds (id integer, x real, species text, y real)")
    connection.executemany("insert into birds values (?, ?, ?, ?)", ROWS)
    connection.commit()
    found = connection.execute(query)
    names, rows = [column[0] for column in found.description], found.fetchall()
    connection.close()
    if not shutil.which("sqlite3"):
        return as_csv(names, rows)
    typed = ["sqlite3", "-csv", "-header", "birds.db", query]
    return subprocess.run(typed, capture_output=True, check=True).stdout


def in_duckdb(query: str) -> bytes:
    """What ``duckdb -csv -c QUERY birds.db`` writes; without it, what its module has."""
    Path("birds.csv").write_bytes(as_csv(NAMES, ROWS))
    query = query.replace("birds", "'birds.csv'")
    if shutil.which("duckdb"):
        typed = ["duckdb", "-csv", "-c", query]
        return subprocess.run(typed, capture_output=True, check=True).stdout
    duckdb = pytest.importorskip("duckdb")
    found = duckdb.sql(query)
    return as_csv(found.columns, found.fetchall(), missing="NULL")


@pytest.mark.parametrize("database", [in_sqlite, in_duckdb])
def test_a_query_is_read_from_a_pipe(gdfit: Gdfit, database: Any) -> None:
    how = ["--features", "x,species", "--drop-missing"]
    fit = gdfit.json("train", "-", *how, stdin=database(QUERY))
    direct = gdfit.json("train", "-", *how, stdin=as_csv(NAMES, ROWS[:50]))
    assert fit["observations"] == 49
    assert fit["w"] == pytest.approx(direct["w"], rel=1e-9)
    assert fit["b"] == pytest.approx(direct["b"], rel=1e-9)


def test_a_query_that_finds_nothing_is_told(gdfit: Gdfit) -> None:
    result = gdfit("train", "-", stdin=in_sqlite("select x, y from birds where id < 0"))
    assert result.status == 1
    assert result.err.startswith("gdfit: error: standard input: ")
    assert result.err.count("\n") == 1
