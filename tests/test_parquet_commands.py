"""Parquet in use: ways to a file, predictions, what is imported."""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from conftest import Gdfit, process
from formats import COLUMNS, ROWS, write
from gdfit.data.dataset import read_observations
from gdfit.data.formats.arrow_files import ArrowFile
from gdfit.data.formats.formats import open_file
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError
from served import serving


def test_every_way_to_a_file_gives_the_same(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    write(COLUMNS)
    body = Path("data.parquet").read_bytes()
    Path("data.parquet.gz").write_bytes(gzip.compress(body))
    fsspec.filesystem("memory").pipe("/data.parquet", body)
    monkeypatch.setenv("no_proxy", "*")
    expected = gdfit("train", "data.csv", "-q")
    with serving({"data.parquet": body}) as server:
        urls = [f"{server.url}/{how}/data.parquet" for how in ("plain", "chunked", "gzip")]
        for path in ("data.parquet", "data.parquet.gz", "memory://data.parquet", *urls):
            result = gdfit("train", path, "-q")
            assert (result.out, result.err) == (expected.out, expected.err)
    assert gdfit("train", "-", "-q", stdin=body).out == expected.out


def test_standard_input_must_be_a_file(gdfit: Gdfit) -> None:
    write(COLUMNS)
    typed = [sys.executable, "-m", "gdfit", "train", "-", "-q", "--no-model"]
    with Path("data.parquet").open("rb") as file:
        done = subprocess.run(typed, stdin=file, capture_output=True, text=True, check=False)
    assert done.stdout == gdfit("train", "data.csv", "-q").out
    piped = process(*typed[3:], cwd=Path(), stdin=Path("data.parquet").read_bytes())
    assert (piped.status, piped.out) == (1, "")
    assert piped.err == (
        "gdfit: error: standard input: is Parquet, which can't be read from a pipe: "
        "name the file, or < FILE\n"
    )


def test_a_pipe_can_not_be_read_in_any_order(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    """But what is compressed goes to a temporary file anyway."""
    write(COLUMNS)
    body = Path("data.parquet").read_bytes()
    for sent, told in [
        (body, "is Parquet, which can't be read from a pipe"),
        (gzip.compress(body), ""),
    ]:
        reading, writing = os.pipe()
        os.write(writing, sent)
        os.close(writing)
        with os.fdopen(reading) as piped:
            monkeypatch.setattr(sys, "stdin", piped)
            with pytest.raises(GdfitError, match=told) if told else nullcontext():
                assert read_observations("-").features == read_observations("data.csv").features


@pytest.mark.parametrize("options", ["--features x,species,flag", "--features whole,half,price"])
def test_predict_writes_the_rows_as_csv(gdfit: Gdfit, options: str) -> None:
    write(COLUMNS)
    gdfit("train", "data.csv", *options.split())
    result = gdfit("predict", "data.parquet")
    assert (result.status, result.err) == (0, "")
    ours, theirs = (
        list(csv.DictReader(io.StringIO(gdfit("predict", f"data.{end}").out, newline="")))
        for end in ("parquet", "csv")
    )
    assert len(ours) == len(theirs) == ROWS
    for row, expected in zip(ours, theirs, strict=True):
        assert list(row) == [*COLUMNS, "y_hat"]
        for name, text in expected.items():
            is_text = name in ("flag", "species", "island", "day")
            assert row[name] == text if is_text else float(row[name]) == float(text), name
    written = gdfit("predict", "data.parquet").out.encode()
    again = gdfit("train", "-", *options.split(), "--target", "y", "-q", stdin=written)
    assert again.out == gdfit("train", "data.parquet", *options.split(), "-q").out


def test_predict_loses_no_row(gdfit: Gdfit) -> None:
    Path("gdfit.json").write_text('{"w": [2.0], "b": 1.0, "features": ["x"], "target": "y"}')
    parquet.write_table(pa.table({"x": [1.0, None, 3.0, math.nan]}), "data.parquet")
    result = gdfit("predict", "data.parquet")
    assert result.out == "x,y_hat\n1,3.0\nNA,\n3,7.0\nnan,\n"
    assert result.err == "gdfit: note: no prediction for 2 rows with a missing field\n"
    columns = {
        "x": [0.1, 0.2],
        "of, each": [[1, 2], None],
        "single": pa.array([0.1, 1], pa.float32()),
    }
    parquet.write_table(pa.table(columns), "lists.parquet")
    assert gdfit("predict", "lists.parquet").out == (
        'x,"of, each",single,y_hat\n0.1,"[1, 2]",0.10000000149011612,1.2\n0.2,,1,1.4\n'
    )


def test_predict_of_several_files(gdfit: Gdfit) -> None:
    Path("gdfit.json").write_text('{"w": [2.0], "b": 1.0, "features": ["x"], "target": "y"}')
    parquet.write_table(pa.table({"x": [1, 2], "z": ["a", "b"]}), "one.parquet")
    Path("two.csv").write_text("x,z\n3,c")
    expected = "x,z,y_hat\n1,a,3.0\n2,b,5.0\n3,c,7.0"
    assert gdfit("predict", "one.parquet", "two.csv").out == expected
    infinite = pa.table({"x": [1.0, math.inf], "z": ["a", "b"]})
    parquet.write_table(infinite, "one.parquet")
    result = gdfit("predict", "one.parquet")
    assert (result.status, result.out) == (0, "x,z,y_hat\n1,a,3.0\ninf,b,\n")
    assert "one.parquet, row 2, column 'x': 'inf' is not a finite number" in result.err


def test_evaluate_and_summary(gdfit: Gdfit) -> None:
    write(COLUMNS)
    gdfit("train", "data.csv", "--features", "x,species")
    for command in ("evaluate", "summary"):
        assert gdfit.json(command, "data.parquet") == gdfit.json(command, "data.csv")


def test_only_the_columns_that_are_needed_are_read(gdfit: Gdfit) -> None:
    write(COLUMNS)
    with open_file("data.parquet", Dialect()) as file:
        assert isinstance(file, ArrowFile)
        for unit in file.units():
            blocks = file.blocks(unit.number, ["x", "y"])
            assert {tuple(block.schema.names) for block in blocks} == {("x", "y")}


def test_the_shell_completes_the_names_of_columns(gdfit: Gdfit) -> None:
    write(COLUMNS)
    line = "gdfit train data.parquet --target w"
    environment = {"_GDFIT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "4"}
    done = subprocess.run(
        [sys.executable, "-m", "gdfit"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.split(), done.stderr) == (["whole", "weight"], "")


def test_in_python(gdfit: Gdfit) -> None:
    write(COLUMNS)
    observations = read_observations("data.parquet", features=["x"])
    assert (observations.count, observations.target_name) == (ROWS, "y")
    with pytest.raises(GdfitError, match="there is no column 'q'"):
        read_observations("data.parquet", features="q")


def test_a_small_file_is_read_without_pandas(gdfit: Gdfit) -> None:
    holes = {"x": pa.array([1, None, 2]), "flag": pa.array([True, None, False])}
    parquet.write_table(pa.table({**holes, "s": ["a", "b", "a"], "y": [1, 2, 3]}), "data.parquet")
    code = (
        "import sys; from gdfit.cli import run; run(['train', 'data.parquet', '-q', "
        "'--drop-missing', '--features', 'x,s']); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_rows_without_a_prediction_are_counted_by_why(gdfit: Gdfit) -> None:
    train = {"x": [1.0, 2.0, 3.0, 5.0], "k": [*"abab"], "y": [1.0, 3.0, 2.0, 5.0]}
    parquet.write_table(pa.table(train), "train.parquet")
    assert gdfit("train", "train.parquet", "--features", "log(x),k", "-q").status == 0
    rows = {"x": ["1", None, "oops", "4", "-1"], "k": [*"abac", "a"]}
    parquet.write_table(pa.table(rows), "data.parquet")
    Path("data.csv").write_text("x,k\n1,a\n,b\noops,a\n4,c\n-1,a\n")
    said = (
        "gdfit: note: no prediction for 1 row with a missing field, 1 row that can't be read "
        "({}, column 'x': 'oops' is not a number), 1 row with a level that training has not seen "
        "('c'), 1 row where a term has no value\n"
    )
    predicted = gdfit("predict", "data.csv")
    assert predicted.err == said.format("data.csv, line 4")
    assert gdfit("predict", "data.parquet").out == predicted.out
    assert gdfit("predict", "data.parquet").err == said.format("data.parquet, row 3")
