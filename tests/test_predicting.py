"""gdfit predict DATA: every row comes back as it was, with one field more."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

import gdfit as library
from conftest import LECTURE, SAMPLES, Gdfit

MODEL = '{"w": [2], "b": 1, "features": ["x"], "target": "y"}'


def test_predict_writes_the_rows_back(gdfit: Gdfit) -> None:
    gdfit("train", "-", "--epochs", "3", stdin=b"a,b,y\n1,2,3\n4,5,7\n")
    model = library.load_model("gdfit.json")
    data = 'b,note,a\n2.50,"x, ""y""\nz",1e0\n007,NA,-1\n'
    out = gdfit("predict", "-", stdin=data.encode()).out
    rows = list(csv.reader(io.StringIO(out)))
    assert rows == [
        ["b", "note", "a", "y_hat"],
        ["2.50", 'x, "y"\nz', "1e0", repr(model.predict([1.0, 2.5]))],
        ["007", "NA", "-1", repr(model.predict([-1.0, 7.0]))],
    ]


def test_predict_keeps_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "gdfit.json").write_text(MODEL)
    command = [sys.executable, "-m", "gdfit", "predict", "-"]
    data = b"x,note\n1,\xff\n\n"
    done = subprocess.run(command, cwd=tmp_path, input=data, capture_output=True, check=True)
    assert done.stdout == b"x,note,y_hat\n1,\xff,3.0\n\n"


def test_predict_on_a_header_alone(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE)
    assert gdfit("predict", "-", stdin=b"x,z\n").out == "x,z,y_hat\n"


def test_predict_by_place_without_a_header(gdfit: Gdfit) -> None:
    gdfit("train", "-", "--epochs", "3", stdin=b"a,b,y\n1,2,3\n4,5,7\n")
    model = library.load_model("gdfit.json")
    y_hat = model.predict([8.0, 9.0])
    assert gdfit("predict", "-", stdin=b"8,9\n").out == f"8,9,{y_hat!r}\n"
    assert gdfit("predict", "-", stdin=b"8,9,0\n").out == f"8,9,0,{y_hat!r}\n"
    assert gdfit("predict", "-", stdin=b"8,9,0,1\n").status == 1


def test_predict_one_column(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE)
    expected = gdfit("predict", "--x", "1", "--x", "2").out.split()
    lines = gdfit("predict", "-", stdin=b"1\n2\n").out.split()
    assert [line.split(",")[1] for line in lines] == expected


def test_predict_in_the_european_way(gdfit: Gdfit) -> None:
    feder = SAMPLES / "feder.csv"
    gdfit("train", feder, "--decimal", ",")
    lines = gdfit("predict", feder, "--decimal", ",").out.splitlines()
    assert lines[0] == "masse_kg;dehnung_cm;dehnung_cm_hat"
    y_hat = float(lines[1].split(";")[2].replace(",", "."))
    assert y_hat == float(gdfit("predict", "--x", "0.1").out)


def test_predict_refuses_to_add_a_column_twice(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE)
    result = gdfit("predict", "-", stdin=b"x,y_hat\n1,2\n")
    assert (result.status, result.out) == (1, "")


def test_predict_leaves_empty_what_it_cannot_predict(gdfit: Gdfit) -> None:
    Path("gdfit.json").write_text(MODEL)
    result = gdfit("predict", "-", stdin=b"x,y\n1,\n,2\n NA,3\n")
    assert result.out == "x,y,y_hat\n1,,3.0\n,2,\n NA,3,\n"
    assert result.err == "gdfit: note: no prediction for 2 rows with a missing field\n"
    spaced = gdfit("predict", "-", stdin=b"x y\n1 1\nNA 2\n")
    assert spaced.out == "x y y_hat\n1 1 3.0\nNA 2 NA\n"
    assert gdfit("predict", "-", "--drop-missing", stdin=b"x,y\n1,2\n").status == 2


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (
            b"y,x,x2,x2\r\n0,1, a ,b\t\r\n\r\n0,2,,\n",
            [],
            b"y,x,x2,x2,y_hat\r\n0,1, a ,b,3.0\t\r\n\r\n0,2,,,5.0\n",
        ),
        (b",x\r1,1\r2,2", [], b",x,y_hat\r1,1,3.0\r2,2,5.0"),
        (b"a,x\nr1,7,1\nr2,8,2\n", [], b"a,x,y_hat\nr1,7,1,3.0\nr2,8,2,5.0\n"),
        (b"a,x\n7,1,\n8,2,\n", [], b"a,x,,y_hat\n7,1,,3.0\n8,2,,5.0\n"),
        (b'\xef\xbb\xbfx;"a\n;"\n1.50;""""\n', [], b'\xef\xbb\xbfx;"a\n;";y_hat\n1.50;"""";4.0\n'),
        (
            b"by me\nx # it\n#\n1#\n2 # two\n",
            ["--skip", 1, "--comment", "#"],
            b"by me\nx,y_hat # it\n#\n1,3.0#\n2,5.0 # two\n",
        ),
        (b"x-y\n1-2\n", ["--delimiter", "-"], b'x-y-y_hat\n1-2-"3.0"\n'),
    ],
)
def test_predict_changes_no_byte(
    gdfit: Gdfit, data: bytes, options: list[object], expected: bytes
) -> None:
    Path("gdfit.json").write_text(MODEL)
    Path("data").write_bytes(data)
    result = gdfit("predict", "data", *options)
    assert result.out.encode() == expected


@pytest.mark.parametrize(
    ("target", "name"),
    [("y", "y_hat"), ("a,b", '"a,b_hat"'), ('5" nails', '"5"" nails_hat"'), (" y", '" y_hat"')],
)
def test_predict_names_its_column(gdfit: Gdfit, target: str, name: str) -> None:
    """In quotes where it would be read as something else."""
    library.LinearModel((2.0,), 1.0, ("x",), target).save("gdfit.json")
    assert gdfit("predict", "-", stdin=b"x\n1\n").out == f"x,{name}\n1,3.0\n"


def test_predict_several_files(gdfit: Gdfit) -> None:
    Path("gdfit.json").write_text(MODEL)
    for name, data in {"a": "x,z\n1,2", "b": "x,z\n2,3\n", "c": "5,6\n", "d": "z,x\n1,2\n"}.items():
        Path(name).write_text(data)
    assert gdfit("predict", "a", "b", "c").out == "x,z,y_hat\n1,2,3.0\n2,3,5.0\n5,6,11.0\n"
    assert gdfit("predict", "c", "c").out == "5,6,11.0\n5,6,11.0\n"
    assert "stand in another order than in a" in gdfit("predict", "a", "d").err


def test_nothing_is_written_before_a_column_is_missed(gdfit: Gdfit, tmp_path: Path) -> None:
    data, twice = tmp_path / "data.csv", tmp_path / "twice.csv"
    data.write_text("x,y\n1,2\n2,4\n3,7\n")
    twice.write_text("x,x,z\n1,2,3\n")
    model = str(tmp_path / "m.json")
    gdfit("train", data, "--model", model)
    result = gdfit("predict", twice, "--model", model)
    assert (result.status, result.out) == (1, "")
    assert result.err.endswith("2 columns are called 'x'; name them apart in the header\n")


def test_an_x_without_a_value_of_a_term_is_told(gdfit: Gdfit) -> None:
    stdin = b"x,z,y\n1,2,3\n2,5,5\n4,4,8\n"
    assert gdfit("train", "-", "--features", "z,log(x)", "-q", stdin=stdin).status == 0
    result = gdfit("predict", "--x", "1,0")
    assert (result.status, result.out) == (1, "")
    assert "column 'x': log(x) takes a number above 0, not 0\n" in result.err


def test_files_that_spell_numbers_alike_are_predicted_together(gdfit: Gdfit) -> None:
    text = "x;y\n€ 1,5;3\n€ 2,5;5\n€ 3,5;7\n€ 4,5;9\n"
    for name in ("a.csv", "b.csv"):
        Path(name).write_text(text, encoding="utf-8")
    assert gdfit("train", "a.csv", "-q").status == 0
    one, both = gdfit("predict", "a.csv"), gdfit("predict", "a.csv", "b.csv")
    assert both.status == 0, both.err
    header, *rows = one.out.splitlines()
    assert both.out.splitlines() == [header, *rows, *rows]


def test_a_file_without_a_header_and_with_other_columns_is_told(gdfit: Gdfit) -> None:
    Path("d.csv").write_text("x,z,y\n1,2,3\n2,1,4\n3,5,4\n")
    assert gdfit("train", "d.csv", "-q").status == 0
    Path("w.csv").write_text("1,2,3,4,5\n2,1,4,6,7\n")
    found = gdfit("predict", "w.csv")
    assert (found.status, found.out) == (1, "")
    assert "w.csv: has no header and 5 columns; the model's features are" in found.err


def test_lines_that_are_left_out_at_the_end_come_back(gdfit: Gdfit) -> None:
    Path("d.csv").write_text("x,y\n1,3\n2,5\n3,7.5\ntotal,15\n")
    assert gdfit("train", "d.csv", "--skip-end", 1, "-q").status == 0
    found = gdfit("predict", "d.csv", "--skip-end", 1)
    assert found.status == 0
    assert found.out.splitlines()[0] == "x,y,y_hat"
    assert found.out.splitlines()[-1] == "total,15"
