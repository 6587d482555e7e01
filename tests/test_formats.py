"""Formats that are no text: the same data in each of them is the same fit, to the last bit."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import formats
from conftest import Gdfit
from gdfit.data.batch import Asked
from gdfit.data.dataset import Dataset
from gdfit.data.formats.formats import open_file
from gdfit.data.reduction.dask import Cluster
from gdfit.data.text.dialect import Dialect, Selection
from gdfit.errors import GdfitError
from inline import Inline, all_bits
from sas import write_sas

pytest.importorskip("openpyxl")
pytest.importorskip("odf")
pytest.importorskip("python_calamine")
pyreadstat = pytest.importorskip("pyreadstat")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as objects; None where a value is missing."""
    rows: list[dict[str, Any]] = frame.astype(object).to_dict(orient="records")  # type: ignore[assignment]
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in rows
    ]


def write_lines(frame: pd.DataFrame, path: str) -> None:
    Path(path).write_text("".join(f"{json.dumps(row)}\n" for row in records(frame)))


def write_zip(frame: pd.DataFrame, path: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/data.csv", frame.to_csv(index=False))


def write_gzip(frame: pd.DataFrame, path: str) -> None:
    Path(path).write_bytes(gzip.compress(json.dumps(records(frame)).encode()))


WRITERS: dict[str, Callable[[pd.DataFrame, str], object]] = {
    "jsonl": write_lines,
    "json": lambda frame, path: Path(path).write_text(json.dumps(records(frame), indent=2)),
    "json.gz": write_gzip,
    **formats.WRITERS,
    "zip": write_zip,
}

NUMBERS = st.one_of(
    st.integers(-1000, 1000).map(float),
    st.floats(-1e6, 1e6).map(lambda value: round(value, 4) + 0.0),  # some formats have no -0
    st.floats(1e-6, 1e-3).map(lambda value: float(f"{value:.6g}")),
)
FRAMES = st.integers(4, 12).flatmap(
    lambda rows: st.fixed_dictionaries(
        {
            "x": st.lists(st.one_of(NUMBERS, st.none()), min_size=rows, max_size=rows),
            "kind": st.lists(st.sampled_from(["a", "b, c", "é"]), min_size=rows, max_size=rows),
            "y": st.lists(NUMBERS, min_size=rows, max_size=rows),
        }
    )
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(columns=FRAMES)
def test_the_same_to_the_last_bit(gdfit: Gdfit, columns: dict[str, list[Any]]) -> None:
    frame = pd.DataFrame({**columns, "x": pd.Series(columns["x"], dtype=float)})
    if frame["x"].notna().sum() < 2 or not frame["x"].notna().iloc[0]:
        frame["x"] = np.arange(float(len(frame)))
    frame.to_csv("data.csv", index=False)
    selection, dialect = Selection(("x", "kind"), "y"), Dialect(drop_missing=True)
    expected = all_bits(Dataset(("data.csv",), selection, dialect).observations(keep_rows=True))
    for ending, write in WRITERS.items():
        write(frame, f"data.{ending}")
        found = Dataset((f"data.{ending}",), selection, dialect).observations(keep_rows=True)
        assert all_bits(found) == expected, ending


RANDOM = np.random.default_rng(0)
ROWS = 40
FRAME = pd.DataFrame(
    {
        "x": RANDOM.normal(size=ROWS).round(6),
        "kind": RANDOM.choice(["a", "b, c", 'd "e"'], ROWS),
        "count": RANDOM.integers(0, 9, ROWS).astype(float),
        "y": RANDOM.normal(size=ROWS).round(6),
    }
)


@pytest.fixture
def paths(gdfit: Gdfit) -> list[str]:
    """The frame as a file of each format, the first one CSV."""
    FRAME.to_csv("data.csv", index=False)
    for ending, write in WRITERS.items():
        write(FRAME, f"data.{ending}")
    return ["data.csv", *(f"data.{ending}" for ending in WRITERS)]


@pytest.mark.parametrize(
    "command",
    [
        "train DATA -q --features x,kind,count",
        "train DATA DATA -q --features kind,x",
        "train data.csv --validation DATA --features x,kind --format json --epochs 5",
        "train DATA -q --validation 0.25 --batch-size 7 --epochs 5 --seed 3",
        "evaluate DATA --format json",
        "summary DATA --format json",
        "compare DATA --lr 0.01,0.1 --format csv --epochs 7",
        "curvature DATA --format json",
        "gradcheck DATA --format json",
    ],
)
def test_every_command_reads_every_format(gdfit: Gdfit, paths: list[str], command: str) -> None:
    gdfit("train", "data.csv", "--features", "x,kind", "-q")
    model = Path("gdfit.json").read_bytes()
    shown = []
    for path in paths:
        Path("gdfit.json").write_bytes(model)
        result = gdfit(*command.replace("DATA", path).split())
        assert result.status == 0, result.err
        shown.append((result.out, result.err))
    first = (shown[0][0].replace("data.csv", "FILE"), shown[0][1].replace("data.csv", "FILE"))
    for path, (out, err) in zip(paths[1:], shown[1:], strict=True):
        told = (out.replace("data.csv", "FILE"), err.replace("data.csv", "FILE"))
        assert tuple(text.replace(path, "FILE") for text in told) == first, path


def test_predict_gives_the_rows_back_as_csv(gdfit: Gdfit, paths: list[str]) -> None:
    gdfit("train", "data.csv", "--features", "x,kind", "-q")
    expected = [*csv.DictReader(io.StringIO(gdfit("predict", "data.csv").out))]
    for path in paths[1:]:
        result = gdfit("predict", path)
        assert (result.status, result.err) == (0, "")
        found = [*csv.DictReader(io.StringIO(result.out))]
        assert [row["y_hat"] for row in found] == [row["y_hat"] for row in expected]
        assert [row["kind"] for row in found] == [row["kind"] for row in expected]
        for name in ("x", "count", "y"):
            numbers = [[float(row[name]) for row in rows] for rows in (found, expected)]
            assert numbers[0] == numbers[1]


def test_a_worker_of_a_cluster_reads_a_whole_file(paths: list[str]) -> None:
    selection = Selection(("x", "kind"), "y")
    client: Any = Inline(0)
    for path in paths[1:]:
        here = Dataset((path,), selection)
        there = Dataset((path,), selection, cluster=Cluster(client))
        assert all_bits(there.observations()) == all_bits(here.observations()), path
        assert [*map(all_bits, there.split(0.3))] == [*map(all_bits, here.split(0.3))]


def test_from_standard_input(gdfit: Gdfit, paths: list[str]) -> None:
    """A pipe is no file that can be read in any order."""
    expected = gdfit("train", "data.csv", "-q").out
    for path in paths[1:]:
        assert gdfit("train", "-", "-q", stdin=Path(path).read_bytes()).out == expected
        reading, writing = os.pipe()
        os.write(writing, Path(path).read_bytes())
        os.close(writing)
        with os.fdopen(reading) as piped, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", piped)
            assert Dataset(("-",)).observations().count == ROWS


def test_options_of_text_are_refused(gdfit: Gdfit, paths: list[str]) -> None:
    for path in paths[1:]:
        if path.endswith(".zip"):
            continue
        for option, what in (
            ("--delimiter=;", f"--delimiter is for CSV, and {path} is "),
            ("--encoding=cp1252", f"--encoding is for CSV, and {path} is "),
        ):
            result = gdfit("train", path, option)
            assert (result.status, result.err.count("\n")) == (2, 1)
            assert result.err.startswith(f"gdfit: error: {what}")
    for path in ("data.csv", "data.json", "data.dta", "data.zip"):
        result = gdfit("train", path, "--sheet", "Sheet1")
        assert result.status == 2
        assert "--sheet is for Excel and OpenDocument, and data." in result.err


def test_texts_may_say_numbers(gdfit: Gdfit) -> None:
    """As in CSV; and numbers have their own point beside any spelling."""
    rows = [{"x": f"${row},250", "z": row + 0.125, "y": f"{row * row}%"} for row in range(1, 9)]
    frame = pd.DataFrame(rows)
    for ending in ("json", "xlsx", "dta", "sav"):
        WRITERS[ending](frame, f"d.{ending}")
    frame.to_csv("d.csv", index=False)
    expected = gdfit.json("train", "d.csv")
    for ending in ("json", "xlsx", "dta", "sav"):
        assert gdfit.json("train", f"d.{ending}")["w"] == expected["w"]
        assert "note: y: 1% is read as 1\n" in gdfit("train", f"d.{ending}").err


@pytest.mark.parametrize("option", ["--decimal=,", "--thousands=."])
def test_texts_may_have_another_decimal_mark_than_numbers(gdfit: Gdfit, option: str) -> None:
    texts = ["1,25", "1.002,5", "3,75", "4,5"]
    frame = pd.DataFrame({"x": texts, "z": [1.125, 2e-7, 3.25, 1e20], "y": [3.5, 1.125, 6.25, 7]})
    values = frame.assign(x=[1.25, 1002.5, 3.75, 4.5])
    values.to_csv("d.csv", index=False)
    expected = gdfit.json("train", "d.csv")
    for ending in ("json", "xlsx", "dta", "sav"):
        WRITERS[ending](frame, f"d.{ending}")
        found = gdfit.json("train", f"d.{ending}", option)
        assert (found["w"], found["b"]) == (expected["w"], expected["b"]), ending
    written = gdfit("predict", "d.json", option).out.splitlines()
    assert written[1].startswith("1,25;1,125;3,5;")


def test_names_that_are_numbers_are_names(gdfit: Gdfit) -> None:
    rows = [{"0": 1, "#1": 3}, {"0": 2, "#1": 5}, {"0": 3, "#1": 7}]
    for names in (("0", "#1"), ("#0", "1"), ("2001", "2002")):
        Path("data.json").write_text(
            json.dumps([dict(zip(names, row.values(), strict=False)) for row in rows])
        )
        record = gdfit.json("train", "data.json", "--target", names[1])
        assert (record["features"], record["observations"]) == ([names[0]], 3)


Cell = Any


def workbook(path: str, **sheets: Sequence[Sequence[Cell]]) -> Any:
    """A workbook with these rows in its sheets."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return book


TABLE: list[list[Cell]] = [["x", "y"], [1, 3], [2, 5], [3, 7]]


@pytest.mark.parametrize("said", [b"A1:XFD1048576", b"A1:B4", b"A1"])
def test_a_cell_far_away_is_told(gdfit: Gdfit, said: bytes) -> None:
    """The reader makes room for all cells before it, and would end the process; whatever is `said`
    of how far a sheet reaches."""
    book = workbook("whole.xlsx", **{"R & D": TABLE, "far": TABLE})
    book["far"]["XFD1048576"] = 1
    book.save("whole.xlsx")
    with zipfile.ZipFile("whole.xlsx") as whole, zipfile.ZipFile("d.xlsx", "w") as other:
        for part in whole.namelist():
            text, ref = whole.read(part), b'<dimension ref="%s"' % said
            other.writestr(part, re.sub(b'<dimension ref="[A-Z0-9:]*"', ref, text))
    assert gdfit.json("train", "d.xlsx")["w"] == pytest.approx([2])
    result = gdfit("train", "d.xlsx", "--sheet", "far")
    assert (result.status, result.err) == (
        1,
        "gdfit: error: d.xlsx: its sheet 'far' reaches to cell XFD1048576: delete what is far away "
        "there\n",
    )


def test_objects_within_objects_are_columns(gdfit: Gdfit) -> None:
    deep: Any = 1
    for _ in range(900):
        deep = {"in": deep}
    rows = [{"id": n, "at": {"x": n % 3, "of": {"y": 2 * (n % 3)}}, "deep": deep} for n in range(4)]
    Path("d.json").write_text(json.dumps(rows))
    found = gdfit.json("train", "d.json", "--features", "at.x")
    assert (found["target"], found["w"]) == ("at.of.y", [pytest.approx(2)])


def test_the_first_sheet_with_cells_is_read(gdfit: Gdfit) -> None:
    workbook("d.xlsx", Cover=[], Sales=TABLE).save("d.xlsx")
    assert gdfit("train", "d.xlsx", "-q").err.startswith(
        "gdfit: note: d.xlsx: its sheet 'Sales' is read; there are also Cover"
    )
    assert gdfit("train", "d.xlsx", "--sheet", "Cover").err.endswith("d.xlsx: is empty\n")
    workbook("d.xlsx", Notes=[["Read me"], ["please"]], Sales=TABLE).save("d.xlsx")
    assert "delimiter" not in gdfit("train", "d.xlsx").err


def test_sheets(gdfit: Gdfit) -> None:
    book = workbook("d.xlsx", Sales=TABLE, Costs=[["x", "y"], [1, 1], [2, 1]], Old=TABLE)
    book["Old"].sheet_state = "hidden"
    book.save("d.xlsx")
    result = gdfit("train", "d.xlsx", "-q", "--lr", "0.1")
    assert result.err == (
        "gdfit: note: d.xlsx: its sheet 'Sales' is read; there are also Costs (--sheet Costs reads "
        "it)\n"
    )
    assert result.out.startswith("2.0")
    assert gdfit.json("train", "d.xlsx", "--sheet", "Costs")["observations"] == 2
    assert gdfit.json("train", "d.xlsx", "--sheet", "Old")["observations"] == 3
    assert gdfit("train", "d.xlsx", "--sheet", "Costs", "-q").err == ""
    unknown = gdfit("train", "d.xlsx", "--sheet", "Cost")
    assert (unknown.status, unknown.err) == (
        2,
        "gdfit: error: --sheet: d.xlsx has no sheet 'Cost'; it has Sales, Costs: "
        "gdfit train d.xlsx --sheet Costs\n",
    )
    workbook("one.xlsx", Only=TABLE)
    assert gdfit("train", "one.xlsx", "-q").err == ""
    workbook("none.xlsx", Empty=[])
    empty = gdfit("train", "none.xlsx")
    assert (empty.status, empty.err) == (1, "gdfit: error: none.xlsx: is empty\n")


def test_cells_say_what_they_are(gdfit: Gdfit) -> None:
    from datetime import date, datetime, time, timedelta

    book = workbook(
        "d.xlsx",
        A=[
            ["whole", "part", "flag", "day", "moment", "hour", "long", "gone", "y"],
            [1, 0.1, True, date(2024, 3, 1), datetime(2024, 3, 1, 9, 30), time(3, 4), None, 1, 3],
            [2e3, -1e-9, False, date(2024, 3, 2), datetime(2024, 3, 2), time(0, 1), None, 1, 5],
        ],
    )
    book["A"]["G2"] = timedelta(days=1, hours=2)
    book["A"]["H3"].value, book["A"]["H3"].data_type = "#N/A", "e"
    book.save("d.xlsx")
    Path("gdfit.json").write_text('{"w": [2.0], "b": 1.0, "features": ["part"], "target": "y"}')
    assert gdfit("predict", "d.xlsx").out.splitlines() == [
        "whole,part,flag,day,moment,hour,long,gone,y,y_hat",
        "1,0.1,True,2024-03-01,2024-03-01 09:30:00,03:04:00,26:00:00,1,3,1.2",
        "2000,-1e-09,False,2024-03-02,2024-03-02,00:01:00,,,5,0.999999998",
    ]
    told = gdfit("train", "d.xlsx", "--features", "gone", "--target", "y").err
    assert told.startswith("gdfit: error: d.xlsx, row 3, column 'gone': the field is empty")


@pytest.mark.parametrize("above", [0, 3])
def test_rows_are_those_of_the_sheet(gdfit: Gdfit, above: int) -> None:
    """Also below blank rows, in columns farther right, and below cells of several lines."""
    rows: list[list[Cell]] = [
        ["note", "x", "y"],
        ["a\nb\nc", 1, 3],
        ["", 2, 5],
        [None, None, None],
        ['"', "?", 7],
    ]
    rows += [["", 4, 8]]
    blank: list[list[Cell]] = [[None]] * above
    workbook("d.xlsx", A=[*blank, *([None, *row] for row in rows)])
    result = gdfit("train", "d.xlsx", "--features", "x")
    assert result.err.startswith(f"gdfit: error: d.xlsx, row {above + 5}, column 'x': '?' is not a")
    found = gdfit.json("train", "d.xlsx", "--features", "x", "--missing", "?", "--drop-missing")
    assert found["observations"] == 3


def test_what_stands_above_a_table_in_a_sheet_is_skipped(gdfit: Gdfit) -> None:
    workbook("d.xlsx", A=[["Sales of 2024"], [None], *TABLE])
    assert gdfit.json("train", "d.xlsx", "--skip", "2")["observations"] == 3


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_line_end_in_a_text_ends_no_row(gdfit: Gdfit, end: str) -> None:
    frame = pd.DataFrame({"k": [f"a{end}b", "c", f"a{end}b", "c"], "y": [1.0, 2.0, 1.5, 2.5]})
    for ending in ("json", "jsonl", "dta", "sav"):
        WRITERS[ending](frame, f"d.{ending}")
        record = gdfit.json("train", f"d.{ending}", "--features", "k")
        assert (record["observations"], len(record["levels"]["k"])) == (4, 2)


def test_faults_name_the_row(gdfit: Gdfit) -> None:
    rows: list[dict[str, Any]] = [
        {"x": float(row), "k": "a\nb", "y": 2.0 * row} for row in range(100)
    ]
    rows[83]["x"] = None
    frame = pd.DataFrame(rows)
    for ending in ("json", "jsonl", "dta", "sav"):
        WRITERS[ending](frame, f"d.{ending}")
        told = gdfit("train", f"d.{ending}", "--features", "x").err
        start = f"gdfit: error: d.{ending}, row 84, column 'x': "
        assert told.startswith(start), told
        assert gdfit("train", f"d.{ending}", "--features", "x", "--drop-missing", "-q").err == (
            "gdfit: note: skipped 1 row with a missing field\n"
        )


def test_labels_are_what_values_say(gdfit: Gdfit) -> None:
    frame = pd.DataFrame(
        {"sex": [1.0, 2, 2, 1, 2], "x": [1.0, 2, 99, 4, 5], "y": [1.0, 3, 2, 5, 4]}
    )
    labels: dict[str, dict[float, str]] = {"sex": {1.0: "m", 2.0: "f"}, "x": {99.0: "refused"}}
    pyreadstat.write_sav(frame, "d.sav", variable_value_labels=labels)
    frame.assign(sex=frame["sex"].map(labels["sex"]).astype("category")).to_stata(
        "d.dta", write_index=False
    )
    for path in ("d.sav", "d.dta"):
        record = gdfit.json("train", path, "--features", "sex", "--target", "y")
        assert record["levels"] == {"sex": ["f", "m"]}
    told = gdfit("train", "d.sav", "--features", "x", "--target", "y").err
    assert told.startswith("gdfit: error: d.sav, row 3, column 'x': 'refused' is not a number")


def test_zeros_of_transport_files(gdfit: Gdfit) -> None:
    frame = pd.DataFrame({"x": [0.0, 1, 2], "y": [1.0, 0, 5]})
    pyreadstat.write_xport(frame, "d.xpt", file_format_version=5)
    with open_file("d.xpt", Dialect()) as file:
        (unit,) = file.units()
        (batch,) = file.batches(unit, [Asked(0), Asked(1)], may_miss=False)
    assert batch.numbers.tolist() == frame.to_numpy().tolist()


@pytest.mark.parametrize(
    ("path", "module", "extra"),
    [("data.xlsx", "python_calamine", "excel"), ("data.sav", "pyreadstat", "stats")],
)
def test_a_package_that_is_missing(
    gdfit: Gdfit,
    paths: list[str],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    module: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = gdfit("train", path)
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert result.err.endswith(f"which needs more: pip install 'gdfit[{extra}]'\n")


@pytest.mark.parametrize("ending", ["json", "xlsx", "ods", "dta", "117.dta", "sav", "xpt", "zip"])
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_damaged_file_is_one_line(
    gdfit: Gdfit, paths: list[str], ending: str, keep: float
) -> None:
    body = Path(f"data.{ending}").read_bytes()
    Path(f"data.{ending}").write_bytes(body[: int(keep * len(body))])
    Path("gdfit.json").write_text('{"w": [2.0], "b": 1.0, "features": ["x"], "target": "y"}')
    for command in ("train", "predict"):
        result = gdfit(command, f"data.{ending}")
        assert result.status in (0, 1)  # what is cut between two rows of XPORT is shorter
        assert result.status == 0 or result.err.count("\n") == 1, result.err
    assert result.status == 1 or ending == "xpt"


ONE_LINE = '{"x": 1, "y": 3}\n'
JSON_FAULTS = {
    ONE_LINE + '{"x": 2, "y": }\n': ", line 2: is not JSON: Expecting value",
    ONE_LINE + "3\n": ', row 2: is no object of JSON, as {"x": 1, "y": 2} is one',
    "[[1, 2], [3, 4]]": ', row 1: is no object of JSON, as {"x": 1, "y": 2} is one',
    "[" * 100_000: ": is JSON that is nested too deep",
    '{"columns": ["x", "y"], "data": 2}': (
        ": is one object of JSON: write an object for each row, one a line or in an array"
    ),
    "[{}, {}]": ": its objects have no keys",
}


@pytest.mark.parametrize("text", JSON_FAULTS, ids=range(len(JSON_FAULTS)))
def test_faults_of_json(gdfit: Gdfit, text: str) -> None:
    Path("d.json").write_text(text)
    result = gdfit("train", "d.json")
    assert (result.status, result.err) == (1, f"gdfit: error: d.json{JSON_FAULTS[text]}\n")


ROWS_OF_JSON: list[dict[str, Any]] = [
    {"x": 1, "y": 3},
    {"x": 2, "y": 5},
    {"y": 7.0, "x": 3, "new": None},
]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS_OF_JSON),
        f"\ufeff\n {json.dumps(ROWS_OF_JSON, indent=1)}\n\n",
        "\r\n".join(map(json.dumps, ROWS_OF_JSON)),
        " ".join(json.dumps(row, indent=4) for row in ROWS_OF_JSON),
        json.dumps({"source": "a survey", "rows": ROWS_OF_JSON, "tags": ["a"]}),
        json.dumps({"x": [1, 2, 3], "y": [3, 5, 7]}),
        json.dumps({"x": {"0": 1, "1": 2, "2": 3}, "y": {"0": 3, "1": 5, "2": 7}}),
        json.dumps([{**row, "y": str(row["y"]), "more": {"a": [1, 2]}} for row in ROWS_OF_JSON]),
        json.dumps({"columns": ["x", "y"], "index": [0, 1, 2], "data": [[1, 3], [2, 5], [3, 7]]}),
        json.dumps([["x", "y"], [1, 3], ["2", 5], [3, 7]]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_forms_of_json(gdfit: Gdfit, text: str, encoding: str) -> None:
    Path("d.json").write_bytes(text.encode(encoding))
    result = gdfit("train", "d.json", "--features", "x", "--target", "y", "--lr", "0.1", "-q")
    assert result.err == ""
    assert [round(float(word), 6) for word in result.out.split()] == [2, 1]


def packed(**members: bytes | str) -> None:
    with zipfile.ZipFile("d.zip", "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)


CSV = "x,y\n1,3\n2,5\n3,7\n"


def test_what_is_beside_the_data_in_a_zip(gdfit: Gdfit) -> None:
    expected = gdfit("train", "-", "-q", stdin=CSV.encode()).out
    more: dict[str, bytes | str] = {
        "README.txt": "hi",
        "notes.pdf": "%PDF-",
        "__MACOSX/._d.csv": "?",
    }
    for name, body in (("d.csv", CSV.encode()), ("a b/D.CSV", CSV.encode()), ("x", CSV.encode())):
        beside = more if "." in name else {".DS_Store": "?"}
        packed(**{**beside, name: body})
        assert gdfit("train", "d.zip", "-q").out == expected
    workbook("d.xlsx", A=TABLE)
    pd.DataFrame(TABLE[1:], columns=["x", "y"]).to_parquet("d.parquet")
    for name in ("d.xlsx", "d.parquet"):
        packed(**{name: Path(name).read_bytes()})
        assert gdfit("train", "d.zip", "-q").out == expected
    packed(**{"d.csv.gz": gzip.compress(CSV.encode())})
    assert gdfit("train", "d.zip", "-q").out == expected
    told = gdfit("train", "d.zip", "--features", "z").err
    assert told.startswith("gdfit: error: d.zip: there is no column 'z'")


def test_zips_that_are_no_data_set(gdfit: Gdfit) -> None:
    def told() -> str:
        result = gdfit("train", "d.zip")
        assert (result.status, result.err.count("\n")) == (1, 1)
        return result.err.removeprefix("gdfit: error: d.zip: ")

    packed(**{"a b.csv": CSV, "c.tsv": CSV})
    assert told() == (
        "is a zip archive of 2 data files, a b.csv and c.tsv: unzip -p d.zip 'a b.csv' | gdfit "
        "train -\n"
    )
    packed(**{f"{name}.csv": CSV for name in "abcdef"})
    assert told().startswith("is a zip archive of 6 data files, a.csv, b.csv, c.csv, d.csv, …: ")
    packed(**{"folder/": ""})
    assert told() == "is a zip archive without a data file\n"
    packed(**{"[Content_Types].xml": "", "word/document.xml": ""})
    assert told() == "is no table but a document of Word: save its table as CSV\n"


def test_columns_are_completed(gdfit: Gdfit, paths: list[str]) -> None:
    from types import SimpleNamespace

    from gdfit.cli.parsers import column_names

    for path in paths[1:]:
        context: Any = SimpleNamespace(params={"data": [path]}, args=[])
        assert column_names(context) == tuple(FRAME.columns)


def test_sheets_are_completed(gdfit: Gdfit) -> None:
    from types import SimpleNamespace

    from gdfit.cli.parsers import complete_sheet

    workbook("d.xlsx", Sales=TABLE, Costs=TABLE, Salaries=TABLE)
    Path("d.csv").write_text(CSV)
    for path, expected in (("d.xlsx", ["Sales", "Salaries"]), ("d.csv", []), ("none.xlsx", [])):
        context: Any = SimpleNamespace(params={"data": [path]}, args=[])
        assert [*complete_sheet(context, "Sal")] == expected


def test_a_library_reads_them_too(paths: list[str]) -> None:
    import gdfit as library

    expected = library.read_observations("data.csv", features=["x", "kind"])
    for path in paths[1:]:
        found = library.read_observations(path, features=["x", "kind"])
        assert all_bits(found) == all_bits(expected)
    with pytest.raises(GdfitError, match="has no sheet 'B'; it has Sheet1"):
        library.read_observations("data.xlsx", dialect=Dialect(sheet="B"))


def test_what_is_said_in_training_holds_for_files_like_it(gdfit: Gdfit) -> None:
    rows: list[list[Cell]] = [["x", "y"], [1, 3], [2, 5], [4, 9]]
    workbook("d.xlsx", Other=[["a", "b"], [1, 1]], Data=rows).save("d.xlsx")
    Path("dos.csv").write_bytes("kind;y\nä;1\nö;2\nä;1\nö;3\n".encode("cp850"))
    Path("years.csv").write_text("1990,2000\n1,3\n2,5\n4,9\n")
    Path("marked.csv").write_text("x,y\n1,3 ! new\n2,5\n4,9 ! old\n")
    for path, *options in (
        ("d.xlsx", "--sheet", "Data"),
        ("dos.csv", "--features", "kind", "--encoding", "cp850"),
        ("years.csv", "--header"),
        ("marked.csv", "--comment", "!"),
    ):
        fitted = gdfit.json("train", path, *options)
        assert gdfit.json("evaluate", path)["mse"] == pytest.approx(fitted["loss"], abs=1e-9)
        if path != "dos.csv":  # whose rows come back in its own bytes
            assert gdfit("predict", path).out == gdfit("predict", path, *options).out
            assert gdfit("predict", path).err == ""


def test_what_is_said_in_training_is_not_said_of_other_files(gdfit: Gdfit) -> None:
    Path("train.csv").write_bytes("x;y\n1,5;4\n2,5;6\n4;9\n".encode("utf-16"))
    fitted = gdfit("train", "train.csv", "--decimal", ",", "--encoding", "utf-16", "-q").out
    frame = pd.DataFrame({"x": [1.5, 4.0], "y": [4.0, 9.0]})
    frame.to_parquet("d.parquet")
    frame.to_excel("d.xlsx", index=False)
    workbook("d.xlsx", First=[["x", "y"], [1.5, 4], [4, 9]]).save("d.xlsx")
    gdfit.json("train", "d.xlsx", "--sheet", "First", "--model", "of_sheet.json")
    frame.to_csv("d.csv", index=False, sep="\t")
    assert gdfit("predict", "d.parquet").err == ""
    assert fitted == gdfit("train", "train.csv", "--decimal", ",", "-q").out
    workbook("e.xlsx", Second=[["x", "y"], [1.5, 4], [4, 9]]).save("e.xlsx")
    for path in ("d.csv", "d.parquet", "e.xlsx"):
        assert gdfit.json("evaluate", path, "--model", "of_sheet.json")["mse"] < 1e-20


def test_a_file_of_sas_is_read_and_a_damaged_one_is_one_line(gdfit: Gdfit) -> None:
    frame = pd.DataFrame({"x": np.arange(900.0), "wood": ["chêne", "oak", ""] * 300})
    frame["y"] = 3 * frame["x"] - 0.5 + (frame["wood"] == "oak")
    write_sas("data.sas7bdat", {str(name): frame[name].tolist() for name in frame})
    frame.to_csv("data.csv", index=False)
    options = ["--features", "x,wood", "--drop-missing", "-q"]
    expected = gdfit("train", "data.csv", *options)
    found = gdfit("train", "data.sas7bdat", *options)
    assert (found.out, found.err) == (expected.out, expected.err)
    predicted = gdfit("predict", "data.sas7bdat").out.splitlines()
    assert [line.split(",")[-1] for line in predicted] == [
        line.split(",")[-1] for line in gdfit("predict", "data.csv").out.splitlines()
    ]
    whole = Path("data.sas7bdat").read_bytes()
    for damaged in (whole[:40], whole[:20_000], whole[:32] + bytes(range(256)) * 99):
        result = gdfit("train", "-", stdin=damaged)
        assert result.status == 1
        assert result.err.startswith("gdfit: error: standard input: its SAS can't be read: ")
        assert result.err.count("\n") == 1


def test_what_a_reader_prints_is_no_output(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sas("data.sas7bdat", {"x": [1.0, 2.0, 4.0], "y": [1.0, 3.0, 5.0]})
    expected, read = gdfit("train", "data.sas7bdat", "-q").out, pd.read_sas

    def printing(*given: Any, **options: Any) -> Any:
        print("Warning: column count mismatch")
        return read(*given, **options)

    monkeypatch.setattr(pd, "read_sas", printing)
    assert gdfit("train", "data.sas7bdat", "-q").out == expected


def test_a_file_of_spss_that_tells_of_too_many_rows_takes_no_memory(gdfit: Gdfit) -> None:
    pyreadstat.write_sav(FRAME, "data.sav")
    body = bytearray(Path("data.sav").read_bytes())
    body[80:84] = (50_000_000).to_bytes(4, "little")  # how many rows there are
    Path("data.sav").write_bytes(body)
    tracemalloc.start()
    result = gdfit("train", "data.sav")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert "data.sav: its SPSS can't be read: " in result.err
    assert peak < 200_000_000
