"""Files of Arrow's own format, as Feather is: the same numbers as the same data as CSV."""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from conftest import Gdfit, process
from formats import COLUMNS, ROWS, as_csv, write
from gdfit import read_observations
from gdfit.data.dataset import Dataset
from gdfit.data.reduction.dask import Cluster
from gdfit.data.text.dialect import Selection
from gdfit.errors import GdfitError
from inline import Inline, all_bits, assert_the_same_but_for_rounding, assert_the_same_rows
from served import serving


def write_arrow(
    columns: dict[str, Any], rows_in_batch: int = ROWS, compression: str = "uncompressed"
) -> None:
    """The columns as a file of Arrow's and as CSV."""
    table = pa.table(columns)
    feather.write_feather(table, "data.feather", compression, chunksize=rows_in_batch)
    Path("data.csv").write_text(as_csv(columns), newline="")


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize(
    "command",
    [
        "train DATA -q",
        "train DATA -q --features whole,x,species,flag,island:x,C(whole),day --epochs 20",
        "train DATA -q --features x,half,price --weights weight",
        "train DATA -q --features x,half --validation 0.2 --batch-size 16 --epochs 5",
        "curvature DATA --format json",
        "summary DATA --format json",
        "evaluate DATA --format json",
    ],
)
def test_the_same_as_csv(gdfit: Gdfit, command: str, compression: str) -> None:
    write_arrow(COLUMNS, compression=compression)
    gdfit("train", "data.csv", "--features", "x,species,island")
    ours, theirs = (
        gdfit(*command.replace("DATA", name).split()) for name in ("data.feather", "data.csv")
    )
    assert ours.status == 0, ours.err
    assert (ours.out, ours.err.replace(".feather", ".csv")) == (theirs.out, theirs.err)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("rows", [1, 70])
def test_record_batches_are_units_as_row_groups_are(
    gdfit: Gdfit, compression: str, rows: int
) -> None:
    """On a cluster, too."""
    write_arrow(COLUMNS, rows, compression)
    write(COLUMNS, rows)
    selection = Selection(("x", "species", "island", "half:flag"))
    of_arrow, of_parquet, of_csv = (
        Dataset((f"data.{ending}",), selection).observations(keep_rows=True)
        for ending in ("feather", "parquet", "csv")
    )
    assert all_bits(of_arrow) == all_bits(of_parquet)
    assert_the_same_but_for_rounding(of_arrow, of_csv)
    assert_the_same_rows(of_arrow, of_csv)
    client: Any = Inline(0)
    there = Cluster(client, at_once=4)
    found = Dataset(("data.feather",), selection, cluster=there).observations()
    assert all_bits(found) == all_bits(Dataset(("data.feather",), selection).observations())
    split = Dataset(("data.feather",), selection).split(0.3)
    on_cluster = Dataset(("data.feather",), selection, cluster=there).split(0.3)
    assert [*map(all_bits, on_cluster)] == [*map(all_bits, split)]


def test_dictionaries_may_differ_from_batch_to_batch(gdfit: Gdfit) -> None:
    """Also where they list what no row says, or say a number."""
    kinds = [["a", "b"], ["c", "b", "never"], ["b"]]
    parts = [
        pa.record_batch(
            {
                "k": pa.DictionaryArray.from_arrays(pa.array([0, None, len(words) // 2]), words),
                "year": pa.array([2001 + number, 2002, 2001]).dictionary_encode(),
                "y": [1.0 + number, 2.0, 4.0],
            }
        )
        for number, words in enumerate(kinds)
    ]
    options = pa.ipc.IpcWriteOptions(unify_dictionaries=True)
    with pa.ipc.new_file("data.arrow", parts[0].schema, options=options) as file:
        file.write_table(pa.Table.from_batches(parts))
    record = gdfit.json(
        "train", "data.arrow", "--features", "k,year", "--target", "y", "--drop-missing"
    )
    assert record["levels"] == {"k": ["a", "b", "c"]}
    assert record["observations"] == 6
    written = gdfit("predict", "data.arrow")
    assert written.err == "gdfit: note: no prediction for 3 rows with a missing field\n"
    rows = [*csv.DictReader(io.StringIO(written.out))]
    assert [row["k"] for row in rows] == ["a", "", "b", "c", "", "b", "b", "", "b"]
    assert [row["y_hat"] == "" for row in rows] == [row["k"] == "" for row in rows]


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_predict_writes_the_rows_as_csv(gdfit: Gdfit, compression: str) -> None:
    write_arrow(COLUMNS, 70, compression)
    parquet.write_table(pa.table(COLUMNS), "data.parquet")
    gdfit("train", "data.csv", "--features", "x,species,flag")
    found, expected = (gdfit("predict", f"data.{end}") for end in ("feather", "parquet"))
    assert (found.status, found.err) == (0, "")
    assert found.out == expected.out


def test_every_way_to_a_file_gives_the_same(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    write_arrow(COLUMNS, compression="lz4")
    body = Path("data.feather").read_bytes()
    Path("data.csv").rename("expected.csv")
    Path("any-name.csv").write_bytes(body)
    Path("data.feather.gz").write_bytes(gzip.compress(body))
    monkeypatch.setenv("no_proxy", "*")
    expected = gdfit("train", "expected.csv", "-q")
    with serving({"data.feather": body}) as server:
        urls = [f"{server.url}/{how}/data.feather" for how in ("plain", "chunked", "gzip")]
        for path in ("data.feather", "any-name.csv", "data.feather.gz", *urls):
            result = gdfit("train", path, "-q")
            assert (result.out, result.err) == (expected.out, expected.err)
    assert gdfit("train", "-", "-q", stdin=body).out == expected.out


def test_a_pipe_can_not_be_read_in_any_order(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    write_arrow({"x": COLUMNS["x"][:20], "y": COLUMNS["y"][:20]})
    reading, writing = os.pipe()
    os.write(writing, Path("data.feather").read_bytes())
    os.close(writing)
    with os.fdopen(reading) as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        with pytest.raises(GdfitError) as error:
            read_observations("-")
    assert str(error.value) == (
        "standard input: is Arrow, which can't be read from a pipe: name the file, or < FILE"
    )


def test_faults_name_the_row(gdfit: Gdfit) -> None:
    x = [*map(float, range(100))]
    columns = {"x": [None if row == 83 else value for row, value in enumerate(x)], "y": x}
    feather.write_feather(pa.table(columns), "data.feather", chunksize=9)
    result = gdfit("train", "data.feather")
    assert result.err == (
        "gdfit: error: data.feather, row 84, column 'x': the value is missing; --drop-missing "
        "skips such rows: gdfit train data.feather --drop-missing\n"
    )
    assert gdfit("train", "data.feather", "--drop-missing", "-q").err == (
        "gdfit: note: skipped 1 row with a missing field\n"
    )
    for option, name in (("--skip=1", "skip"), ("--decimal=,", "decimal"), ("--comment=#", "comm")):
        said = gdfit("train", "data.feather", option).err
        assert said.startswith(f"gdfit: error: --{name}")
        assert said.endswith("is for CSV, and data.feather is Arrow: gdfit train data.feather\n")


@pytest.mark.parametrize("keep", [6, 100, -20])
def test_a_damaged_file_is_one_line(gdfit: Gdfit, keep: int) -> None:
    write_arrow({"x": COLUMNS["x"], "y": COLUMNS["y"]}, 70, "zstd")
    body = Path("data.feather").read_bytes()
    Path("data.feather").write_bytes(body[:keep])
    for command in ("train", "predict"):
        Path("gdfit.json").write_text('{"w": [2.0], "b": 1.0, "features": ["x"], "target": "y"}')
        result = gdfit(command, "data.feather")
        assert (result.status, result.err.count("\n")) == (1, 1)
        assert result.err.startswith("gdfit: error: data.feather: its Arrow can't be read: ")


def test_a_file_damaged_within_is_one_line(gdfit: Gdfit) -> None:
    write_arrow({"x": COLUMNS["x"], "y": COLUMNS["y"]}, 70, "zstd")
    body = bytearray(Path("data.feather").read_bytes())
    half = len(body) // 2
    body[half : half + 200] = bytes(200)
    Path("data.feather").write_bytes(body)
    result = gdfit("train", "data.feather")
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert result.err.startswith("gdfit: error: data.feather: its Arrow can't be read: ")


def test_texts_that_reach_beyond_a_damaged_file_end_no_process(tmp_path: Path) -> None:
    texts = pa.array([f"text {n}" for n in range(10, 60)])
    columns = {"k": texts, "x": pa.array(range(50)), "y": pa.array(range(50))}
    path = tmp_path / "data.feather"
    feather.write_feather(pa.table(columns), str(path), "uncompressed")
    body, offsets = path.read_bytes(), (7 * np.arange(51)).astype("<i4").tobytes()
    assert body.count(offsets) == 1
    path.write_bytes(body.replace(offsets, offsets[:40] + b"\xff\xff\xff\x7f" * 41))
    result = process("train", path, "--features", "k,x", "--target", "y", cwd=tmp_path)
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert "data.feather: its Arrow can't be read: " in result.err


def test_files_of_polars(gdfit: Gdfit) -> None:
    """Whose texts are of another type."""
    frame = polars.DataFrame({"k": ["a", "b", "b", "c"], "x": [1, 2, 4, 3], "y": [1.5, 2, 4, 1]})
    frame.write_ipc("data.arrow", compression="zstd")
    frame.write_csv("data.csv")
    for how in (["--features", "k,x"], ["--features", "x"], ["--features", "k"]):
        found, expected = (
            gdfit("train", f"data.{end}", *how, "-q").out for end in ("arrow", "csv")
        )
        assert found == expected
    found, expected = (gdfit("predict", f"data.{end}").out for end in ("arrow", "csv"))
    assert found.splitlines()[1:] != []
    both = [[*csv.reader(io.StringIO(text))] for text in (found, expected)]
    assert [row[0] for row in both[0]] == [row[0] for row in both[1]]
    assert [row[-1] for row in both[0]] == [row[-1] for row in both[1]]


def test_without_record_batches_there_are_no_observations(gdfit: Gdfit) -> None:
    schema = pa.schema({"x": "double", "y": "double"})
    for batches in (0, 2):
        with pa.ipc.new_file("data.arrow", schema) as file:
            for _ in range(batches):
                file.write_batch(pa.record_batch([[], []], schema=schema))
        result = gdfit("train", "data.arrow")
        assert (result.status, result.err) == (
            1,
            "gdfit: error: data.arrow: there are no observations\n",
        )


def test_several_formats_are_one_data_set(gdfit: Gdfit) -> None:
    columns = {name: COLUMNS[name] for name in ("x", "species", "y")}
    write({name: column[:200] for name, column in columns.items()}, name="one")
    write({name: column[200:] for name, column in columns.items()}, name="two")
    feather.write_feather(
        pa.table({name: column[200:] for name, column in reversed(columns.items())}), "two.feather"
    )
    how = ["--features", "x,species", "-q"]
    expected = gdfit("train", "one.csv", "two.csv", *how).out
    for files in (["one.csv", "two.feather"], ["one.parquet", "two.feather"]):
        assert gdfit("train", *files, *how).out == expected


def test_names_are_those_of_parquet(gdfit: Gdfit) -> None:
    columns = {"": [1, 2, 3], "__index_level_0__": [7, 8, 9], "x": [1.0, 2, 4], "y": [2.0, 3, 7]}
    feather.write_feather(pa.table(columns), "data.feather")
    parquet.write_table(pa.table(columns), "data.parquet")
    assert np.array_equal(
        read_observations("data.feather").sample, read_observations("data.parquet").sample
    )
    assert read_observations("data.feather").features == ("x",)
