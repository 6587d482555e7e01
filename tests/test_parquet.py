"""Parquet: the same numbers as the same data as CSV, to the last bit, and faults told by row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from conftest import Gdfit
from formats import COLUMNS, ROWS, write
from gdfit.data.batch import Asked, Batch, DataFile
from gdfit.data.dataset import Dataset
from gdfit.data.formats.arrow_files import ArrowFile
from gdfit.data.formats.formats import open_file
from gdfit.data.text.dialect import Dialect, Selection
from gdfit.errors import GdfitError
from inline import assert_the_same_but_for_rounding


@pytest.mark.parametrize(
    "command",
    [
        "train DATA -q",
        "train DATA -q --features whole,x,species,flag,island:x,C(whole),day --epochs 20",
        "train DATA -q --features x,half,price --weights weight",
        "train DATA -q --features x,half --validation 0.2 --batch-size 16 --epochs 5",
        "train DATA -q --features x,half --validation DATA --loss mae --epochs 5",
        "train DATA -q --features log(price) --missing 0 --drop-missing",
        "train DATA -q --target price --features species:flag --no-intercept --epochs 9",
        "curvature DATA --format json",
        "compare DATA --lr 0.001,0.0001 --format csv",
    ],
)
def test_the_same_as_csv(gdfit: Gdfit, command: str) -> None:
    write(COLUMNS)
    ours, theirs = (
        gdfit(*command.replace("DATA", name).split()) for name in ("data.parquet", "data.csv")
    )
    assert ours.status == 0, ours.err
    assert (ours.out, ours.err.replace(".parquet", ".csv")) == (theirs.out, theirs.err)


VALUES = st.one_of(
    st.tuples(st.just(pa.float64()), st.floats(allow_infinity=False)),
    st.tuples(st.just(pa.int64()), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(pa.uint64()), st.integers(0, 2**64 - 1)),
    st.tuples(
        st.just(pa.decimal128(38, 12)),
        st.decimals(-(10**25), 10**25, places=12, allow_nan=False),
    ),
    st.tuples(
        st.just(pa.decimal256(60, 40)),
        st.decimals(-(10**19), 10**19, places=40, allow_nan=False),
    ),
)


def batches_in(file: DataFile, *asked: Asked, may_miss: bool = False) -> Iterator[Batch]:
    """All rows of a file."""
    for unit in file.units():
        yield from file.batches(unit, asked, may_miss=may_miss)


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=30), st.integers(1, 40))
def test_a_number_is_the_float_nearest_to_its_digits(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[Any, Any]], group: int
) -> None:
    kind = values[0][0]
    column = [value for its, value in values if its == kind]
    path = tmp_path_factory.mktemp("numbers") / "data.parquet"
    parquet.write_table(
        pa.table({"x": pa.array(column, kind), "y": pa.array([1] * len(column))}),
        path,
        row_group_size=group,
    )
    with open_file(str(path), Dialect()) as file:
        read = [batch.numbers for batch in batches_in(file, Asked(0), Asked(1), may_miss=True)]
    expected = [float(str(value)) for value in column]
    np.testing.assert_array_equal(np.concatenate(read)[:, 0], np.array(expected))


@pytest.mark.parametrize("rows_in_group", [1, 7, 1000])
def test_row_groups_change_rounding_alone(gdfit: Gdfit, rows_in_group: int) -> None:
    """A single one is what a file of one unit is, to the last bit."""
    write(COLUMNS, rows_in_group)
    selection = Selection(("x", "species", "half:flag"))
    fitted, expected = (
        Dataset((file,), selection).observations(keep_rows=True)
        for file in ("data.parquet", "data.csv")
    )
    np.testing.assert_array_equal(fitted.sample, expected.sample)
    assert_the_same_but_for_rounding(fitted, expected)
    if rows_in_group > ROWS:
        np.testing.assert_array_equal(fitted.augmented, expected.augmented)


def test_row_groups_can_be_read_by_themselves(gdfit: Gdfit) -> None:
    y = [*range(9), None]
    parquet.write_table(pa.table({"x": range(10), "y": y}), "data.parquet", row_group_size=4)
    with open_file("data.parquet", Dialect()) as file:
        assert isinstance(file, ArrowFile)
        parts = [replace(file, groups=range(number, number + 1)) for number in range(3)]
        read = [
            batch.numbers[:, 0].tolist() for part in parts for batch in batches_in(part, Asked(0))
        ]
        assert read == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        with pytest.raises(GdfitError, match="row 10, column 'y'"):
            list(batches_in(parts[2], Asked(0), Asked(1)))


def test_several_files_of_both_formats_are_one_data_set(gdfit: Gdfit) -> None:
    columns = {name: COLUMNS[name] for name in ("x", "species", "y")}
    write({name: column[:300] for name, column in columns.items()}, name="one")
    write({name: column[300:] for name, column in reversed(columns.items())}, name="two")
    how = ["--features", "x,species", "-q"]
    expected = gdfit("train", "one.csv", "two.csv", *how).out
    for files in (["one.parquet", "two.csv"], ["one.csv", "two.parquet"]):
        assert gdfit("train", *files, *how).out == expected
    Path("bare.csv").write_text("1,2\n3,4\n")
    parquet.write_table(pa.table({"y": [5.0, 2.0], "x": [1.0, 7.0]}), "named.parquet")
    both = gdfit.json("train", "named.parquet", "bare.csv")
    assert (both["features"], both["observations"]) == (["x"], 4)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "null": ({"x": [1.0, None, 3.0], "y": [1, 2, 3]}, "row 2, column 'x': the value is missing"),
    "NaN": ({"x": [1.0, 2.0, math.nan], "y": [1, 2, 3]}, "row 3, column 'x': the value is missing"),
    "the first": (
        {"x": [1.0, 2.0, None], "z": [None, 2, 3], "y": [None, 2, 3]},
        "row 1, column 'z': the value is missing; --drop-missing skips such rows; --exclude z",
    ),
    "infinite": (
        {"x": [1.0, -math.inf, 3.0], "y": [1, 2, 3]},
        "row 2, column 'x': '-inf' is not a finite number",
    ),
    "text": (
        {"x": [1, 2, 3], "w": ["a", "b", "c"], "--target": ["w"]},
        "row 1, column 'w': 'a' is not a number",
    ),
    "text among numbers": (
        {"x": [1, 2, 3], "w": pa.array(["1", "z", "a"]).dictionary_encode(), "--target": ["w"]},
        "row 2, column 'w': 'z' is not a number",
    ),
    "text that a dictionary lists elsewhere": (
        {
            "x": [1, 2, 3],
            "w": pa.DictionaryArray.from_arrays([2, 3, 1], ["never", "a", "1", "z"]),
            "--target": ["w"],
        },
        "row 2, column 'w': 'z' is not a number",
    ),
    "no level": (
        {"y": [1, 2, 3], "w": ["a", "b", None], "--features": ["w"]},
        "row 3, column 'w': the value is missing",
    ),
    "lists": (
        {"y": [1, 2, 3], "w": [[1], [2, 3], []], "--features": ["w"]},
        "row 1, column 'w': holds list<element: int64>, no numbers and no text",
    ),
    "logarithm": (
        {"x": [1, 2, 0], "y": [1, 2, 3], "--features": ["log(x)"]},
        "row 3, column 'x': log(x) takes a number above 0, not 0",
    ),
    "a name twice": ({"x": [1], "x ": [1], "--features": ["z"]}, "there is no column 'z'"),
    "one column": ({"x": [1, 2]}, "has one column"),
    "no rows": ({"x": pa.array([], pa.int8()), "y": pa.array([], pa.int8())}, "no observations"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_fault_is_one_line_with_the_row(gdfit: Gdfit, fault: str) -> None:
    columns, message = BAD[fault]
    options = [
        text for name in columns if name.startswith("-") for text in (name, columns[name][0])
    ]
    columns = {name: values for name, values in columns.items() if not name.startswith("-")}
    parquet.write_table(pa.table(dict(columns)), "data.parquet", row_group_size=2)
    result = gdfit("train", "data.parquet", *options)
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert result.err.startswith("gdfit: error: data.parquet")
    assert message in result.err


def test_rows_far_down_are_counted(gdfit: Gdfit) -> None:
    x = np.arange(300_000.0)
    x[234_567] = np.nan
    parquet.write_table(pa.table({"x": x, "y": x}), "data.parquet", row_group_size=50_000)
    result = gdfit("train", "data.parquet")
    assert "data.parquet, row 234568, column 'x': the value is missing" in result.err
    assert gdfit("train", "data.parquet", "--target", "x", "--drop-missing", "-q").err == (
        "gdfit: note: skipped 1 row with a missing field\n"
    )


def test_what_is_no_number_is_left_out_with_a_note(gdfit: Gdfit) -> None:
    columns = {
        "__index_level_0__": pa.array([5, 6, 7]),
        "": pa.array([1, 2, 3]),
        "flag": pa.array([True, False, True]),
        "when": pa.array([datetime(2024, 1, 1, hour) for hour in (1, 2, 3)]),
        "codes": pa.array([[1], [2], [3]]),
        "parts": pa.array([{"a": 1}] * 3),
        "nothing": pa.nulls(3),
        "raw": pa.array([b"\xff", b"a", b"b"]),
        "x": pa.array([1, 2, 3]),
        "y": pa.array([3.0, 5.0, 7.0]),
    }
    parquet.write_table(pa.table(columns), "data.parquet")
    result = gdfit("train", "data.parquet", "--format", "json")
    assert '"features": ["x"]' in result.out
    assert result.err == (
        "gdfit: note: left out columns of dates: when (--features when uses one as days since "
        "1970-01-01)\n"
        "gdfit: note: left out columns without numbers in the first lines: flag, codes, "
        "parts, nothing, raw (--features flag uses one as a category)\n"
    )
    for option, message in (("--skip=1", "skip"), ("--decimal=,", "decimal")):
        said = gdfit("train", "data.parquet", option).err
        what = f"--{message} is for CSV, and data.parquet is Parquet"
        assert said == f"gdfit: error: {what}: gdfit train data.parquet\n"


def test_words_that_say_numbers_are_read_where_numbers_are_asked_for(gdfit: Gdfit) -> None:
    write({"x": pa.array([1, 2, 3]), "y": pa.array(["3", " 5.0", "NA"])})
    how = ["--target", "y", "--drop-missing", "-q"]
    assert gdfit("train", "data.parquet", *how).out == gdfit("train", "data.csv", *how).out


@pytest.mark.parametrize("option", [(), ("--drop-missing",)])
def test_what_may_stand_for_a_missing_value_is_told_as_in_csv(
    gdfit: Gdfit, option: tuple[str, ...]
) -> None:
    write({"x": pa.array([1, 2, 3]), "y": pa.array(["3", "?", "4"])})
    found, expected = (
        gdfit("train", f"data.{end}", "--target", "y", *option).err for end in ("parquet", "csv")
    )
    assert found.replace("row 2", "line 3").replace("parquet", "csv") == expected
    assert "--missing '?'" in expected


def test_a_name_that_begins_as_parquet_does_is_one(gdfit: Gdfit) -> None:
    rows = b"PAR1,y\n1,3\n2,5\n4,9\n"
    Path("data.csv").write_bytes(rows)
    in_pipe = gdfit("train", "-", "-q", stdin=rows)
    assert in_pipe.out == gdfit("train", "data.csv", "-q").out != ""


@pytest.mark.parametrize("end", [b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"PAR1\x15\0\x15 cut"])
def test_a_damaged_file_is_one_line(gdfit: Gdfit, end: bytes) -> None:
    Path("data.parquet").write_bytes(end)
    result = gdfit("train", "data.parquet")
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert result.err.startswith("gdfit: error: data.parquet: its Parquet can't be read: ")


def test_a_file_damaged_within_is_one_line(gdfit: Gdfit) -> None:
    x = np.random.default_rng(1).normal(size=50_000)
    parquet.write_table(pa.table({"x": x, "y": x}), "data.parquet", compression="gzip")
    whole = Path("data.parquet").read_bytes()
    half = len(whole) // 2
    Path("data.parquet").write_bytes(whole[:half] + bytes(2_000) + whole[half + 2_000 :])
    result = gdfit("train", "data.parquet")
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert result.err.startswith("gdfit: error: data.parquet: its Parquet can't be read: ")


@pytest.mark.parametrize("first", ["rownames", "Unnamed: 0", "x0"])
def test_row_names_are_no_feature_as_in_csv(gdfit: Gdfit, first: str) -> None:
    write({first: pa.array([3, 1, 2]), "x": pa.array([1.0, 2, 4]), "y": pa.array([2.0, 3, 7])})
    found = [gdfit.json("train", f"data.{end}")["features"] for end in ("parquet", "csv")]
    assert found == [["x0", "x"] if first == "x0" else ["x"]] * 2


def test_values_of_a_type_that_stands_for_another_are_those(gdfit: Gdfit) -> None:
    x, y = pa.array([1.0, 2, 4]), pa.array([2.0, 3, 7])
    lengths = pa.ExtensionArray.from_storage(pa.opaque(pa.float64(), "metres", "a ruler"), x)
    parquet.write_table(pa.table({"x": lengths, "y": y}), "data.parquet")
    write({"x": x, "y": y}, name="plain")
    for command in ("train DATA -q", "train DATA -q --features C(x)", "predict DATA"):
        found, expected = (
            gdfit(*command.replace("DATA", f"{name}.parquet").split()) for name in ("data", "plain")
        )
        assert (found.err, found.out) == (expected.err, expected.out)


def test_where_no_row_is_whole_it_is_said_as_of_a_file_of_text(gdfit: Gdfit) -> None:
    columns = {"w": [None, None, "b"], "k": ["a", "a", None], "x": [1.0, 2, 3], "y": [1.0, 2, 4]}
    write({name: pa.array(values) for name, values in columns.items()})
    found, expected = (
        gdfit("train", f"data.{end}", "--features", "w,k,x", "--drop-missing").err
        for end in ("parquet", "csv")
    )
    assert found.replace("parquet", "csv") == expected
    assert "--exclude w,k leaves" in expected


@pytest.mark.parametrize("bit", [0, 3, 7])
@pytest.mark.parametrize("compression", ["none", "snappy"])
def test_a_flipped_bit_is_one_line(gdfit: Gdfit, bit: int, compression: str) -> None:
    random = np.random.default_rng(bit)
    table = pa.table({name: random.normal(size=4000) for name in ("x", "y")})
    options = {"use_dictionary": False, "write_page_checksum": True, "compression": compression}
    parquet.write_table(table, "data.parquet", **options)
    assert gdfit("train", "data.parquet", "-q").status == 0
    damaged = bytearray(Path("data.parquet").read_bytes())
    damaged[9000] ^= 1 << bit
    Path("data.parquet").write_bytes(damaged)
    result = gdfit("train", "data.parquet", "-q")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("gdfit: error: data.parquet: its Parquet can't be read: ")
    assert result.err.count("\n") == 1
