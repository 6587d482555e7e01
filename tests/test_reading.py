"""Reading DATA: one data set in many forms, and every way in which a file can be wrong."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.data.batch import Asked
from gdfit.data.dataset import read_observations
from gdfit.data.text import blocks
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError
from readers import open_csv

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PLAIN = LECTURE.read_bytes()
NO_HEADER = PLAIN.split(b"\n", 1)[1]


def swapped(text: bytes) -> bytes:
    """The columns in the other order."""
    return b"".join(b",".join(line.split(b",")[::-1]) + b"\n" for line in text.splitlines())


FORMS = {
    "plain": PLAIN,
    "gzip": gzip.compress(PLAIN),
    "bzip2": bz2.compress(PLAIN),
    "xz": lzma.compress(PLAIN),
    "zstd": zstd.compress(PLAIN),
    "CRLF": PLAIN.replace(b"\n", b"\r\n"),
    "CR": PLAIN.replace(b"\n", b"\r"),
    "BOM": b"\xef\xbb\xbf" + PLAIN,
    "columns swapped": swapped(PLAIN),
    "no header": NO_HEADER,
    "no last line end": PLAIN.rstrip(b"\n"),
    "blank lines": b"\n" + PLAIN.replace(b"\n", b"\n\n"),
    "tabs": PLAIN.replace(b",", b"\t"),
    "semicolons": PLAIN.replace(b",", b";"),
    "bars": PLAIN.replace(b",", b"|"),
    "spaces": PLAIN.replace(b",", b"   "),
    "spaces all around": b"".join(b"  " + line + b" \n" for line in NO_HEADER.split())
    .replace(b",", b" \t")
    .replace(b"  \n", b""),
    "spaces after commas": PLAIN.replace(b",", b", "),
    "quoted": b"\n".join(
        b",".join(b'"' + field + b'"' for field in line.split(b",")) for line in PLAIN.split()
    ),
    "one more column": b"".join(
        line + (b",note\n" if line == b"x,y" else b',"a, ""b""\nc"\n') for line in PLAIN.split()
    ),
    "one more column, of anything": b"".join(
        line + (b",note\n" if line == b"x,y" else b',5" \xff\xfe\n') for line in PLAIN.split()
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", ["file", "standard input"])
def test_every_form_gives_the_same_numbers(gdfit: Gdfit, form: str, way: str) -> None:
    expected = gdfit("train", LECTURE, "-q").out
    options = ["-q", *(["--features", "x"] if "more" in form else [])]
    Path("data").write_bytes(FORMS[form])
    if way == "file":
        result = gdfit("train", "data", *options)
    else:
        result = gdfit("train", "-", *options, stdin=FORMS[form])
    assert result.status == 0
    assert ("is read as Windows-1252" in result.err) == ("of anything" in form)
    assert result.out == expected


def test_decimal_commas(gdfit: Gdfit) -> None:
    european = PLAIN.replace(b",", b";").replace(b".", b",")
    result = gdfit("train", "-", "--decimal", ",", "-q", stdin=european)
    assert result.out == gdfit("train", LECTURE, "-q").out


def test_the_sample_data_can_be_read() -> None:
    planets = read_observations(str(SAMPLES / "planets.csv"), features=["log_distance"])
    assert (planets.count, planets.target_name) == (8, "log_period")
    feder = read_observations(str(SAMPLES / "feder.csv"), dialect=Dialect(decimal=","))
    assert (feder.features, feder.target_name) == (("masse_kg",), "dehnung_cm")


@pytest.mark.parametrize(
    ("text", "features", "target"),
    [
        ("a,b,c\n1,2,3\n", ("a", "b"), "c"),
        ("a,y,c\n1,2,3\n", ("a", "c"), "y"),
        ("1,2,3\n4,5,6\n", ("x1", "x2"), "y"),
        ("1,2\n3,4\n", ("x",), "y"),
        ("1,NA\n3,4\n", ("x",), "y"),
    ],
)
def test_features_and_target_by_default(
    tmp_path: Path, text: str, features: tuple[str, ...], target: str
) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text)
    observations = read_observations(str(path), dialect=Dialect(drop_missing=True))
    assert (observations.features, observations.target_name) == (features, target)


def test_features_are_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b,c\n1,2,3\n4,5,6\n")
    observations = read_observations(str(path), features=["c", "a"], target="b")
    assert observations.sample.tolist() == [[3, 1, 2], [6, 4, 5]]


MANY = "x,y\n" + "1,2\n" * 60_000  # the fault is in a later block than the header
FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "data.csv: is empty"),
    "blank": (b"\n\n", "data.csv: is empty"),
    "a header alone": (b"x,y\n", "data.csv: there are no observations"),
    "one column": (b"x\n1\n2\n", "data.csv: has one column"),
    "a word": (b"x,y\n1,2\n3,abc\n", "data.csv, line 3, column 'y': 'abc' is not a number"),
    "a word far down": (
        (MANY + "abc,4\n").encode() + b"5,6\n" * 300_000,
        "data.csv, line 60002, column 'x': 'abc' is not a number",
    ),
    "a word after blank lines": (
        b"\nx,y\n\n1,2\n\n\n3,abc\n",
        "data.csv, line 7, column 'y': 'abc' is not a number",
    ),
    "a word after a field of two lines": (
        b'x,note,y\n1,"two\nlines",2\n3,,abc\n',
        "data.csv, line 4, column 'y': 'abc' is not a number",
    ),
    "a missing field": (b"x,y\n1,\n", "data.csv, line 2, column 'y': the field is empty"),
    "NA": (b"x,y\n1,2\nNA,2\n", "data.csv, line 3, column 'x': 'NA' stands for a missing value"),
    "NaN": (b"x,y\nNaN,2\n", "data.csv, line 2, column 'x': 'NaN' stands for a missing value"),
    "a row too long": (b"x,y\n1,2\n1,2,3\n", "data.csv, line 3: has 3 fields, not 2"),
    "the first row too long": (b"x,y\n1,2,3\n1,2\n", "data.csv, line 2: has 3 fields, not 2"),
    "a row too short": (b"x,y\n1,2\n1\n", "data.csv, line 3: has 1 field, not 2"),
    "a row too long and a row too short": (
        b"x,y,note\n1,2,a,b\n1,2\n",
        "data.csv, line 2: has 4 fields, not 3",
    ),
    "binary": (bytes(range(256)), "data.csv: is not a text file"),
    "infinite": (b"x,y\n1,inf\n", "data.csv, line 2, column 'y': 'inf' is not a finite number"),
    "too large": (b"x,y\n1,1e999\n", "data.csv, line 2, column 'y': '1e999' is larger than"),
    "underscores": (b"x,y\n1,2\n1,1_0\n", "data.csv, line 3, column 'y': '1_0' is not a number"),
    "decimal commas": (b"x;y\n1;2,5\n", "line 2, column 'y': '2,5' is not a number (decimals"),
    "a damaged gzip file": (gzip.compress(PLAIN)[:-9], "data.csv: its compression is damaged"),
    "a damaged bzip2 file": (bz2.compress(PLAIN)[:-9], "data.csv: its compression is damaged"),
    "a damaged xz file": (lzma.compress(PLAIN)[:-9], "data.csv: its compression is damaged"),
    "a damaged zstd file": (zstd.compress(PLAIN)[:-9], "data.csv: its compression is damaged"),
    "two columns of one name": (b"x,x,y\n1,2,3\n", "data.csv: 2 columns are called 'x'"),
    "an open quote": (b'x,y\n1,2\n"3,4\n5,6\n', "data.csv, line 3"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_and_nothing_is_written(gdfit: Gdfit, fault: str) -> None:
    content, message = FAULTS[fault]
    Path("data.csv").write_bytes(content)
    Path("gdfit.json").write_text("an old model")
    features = ["--features", "x"] if b"note" in content else []
    result = gdfit("train", "data.csv", *features, "--history", "history.csv")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("gdfit: error: ")
    assert result.err.count("\n") == 1
    assert message in result.err
    assert Path("gdfit.json").read_text() == "an old model"
    assert sorted(path.name for path in Path().iterdir()) == ["data.csv", "gdfit.json"]


def test_no_such_file_and_a_folder(gdfit: Gdfit) -> None:
    Path("folder").mkdir()
    assert gdfit("train", "nowhere.csv").err == "gdfit: error: nowhere.csv: no such file\n"
    assert gdfit("train", "folder").err == "gdfit: error: folder: is a folder, not a CSV file\n"
    assert gdfit("train", "folder").status == 1
    assert gdfit("train", "").err == "gdfit: error: '': no such file\n"


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # as Python starts after <&-
    with pytest.raises(GdfitError, match=r"^standard input: is closed$"), open_csv("-"):
        pass


def test_no_such_column(gdfit: Gdfit) -> None:
    result = gdfit("train", LECTURE, "--target", "z")
    assert result.status == 1
    assert result.err.endswith(
        "lecture.csv: there is no column 'z'; its columns with numbers are x, y\n"
    )
    assert gdfit("train", LECTURE, "--features", "x,z").status == 1


def test_columns_that_are_not_used_may_hold_anything(gdfit: Gdfit) -> None:
    data = b'x,note,y\n1,,2\n2,NA,4\n3,"a,b\nc",6\n4,\0,8\n'
    result = gdfit("train", "-", "--features", "x", "-q", stdin=data)
    assert (result.status, result.err) == (0, "")


@pytest.mark.parametrize("missing", ["", "NA", "NaN"])
def test_drop_missing(gdfit: Gdfit, missing: str) -> None:
    data = f"x,y\n1,2\n{missing},3\n2,4\n3,{missing}\n3,7\n"
    result = gdfit("train", "-", "--drop-missing", "-q", stdin=data.encode())
    assert result.out == gdfit("train", "-", "-q", stdin=b"x,y\n1,2\n2,4\n3,7\n").out
    assert result.err == "gdfit: note: skipped 2 rows with a missing field\n"


def test_drop_missing_still_refuses_a_short_row(gdfit: Gdfit) -> None:
    result = gdfit("train", "-", "--drop-missing", stdin=b"x,y\n1,2\n3\n4,5\n1,2,3\n")
    assert result.status == 1
    assert "line 3: has 1 field, not 2" in result.err


def test_all_rows_missing(gdfit: Gdfit) -> None:
    result = gdfit("train", "-", "--drop-missing", stdin=b"x,y\n1,\n")
    assert (result.status, result.err) == (
        1,
        "gdfit: error: standard input: there are no observations without a missing field\n",
    )


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=40),
    size=st.integers(1, 200),
    quoted=st.booleans(),
)
def test_how_text_is_cut_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[float, float]],
    size: int,
    quoted: bool,
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "data.csv"
    note = '"a\n""b"' if quoted else "a"
    text = "x,note,y\n" + "".join(f"{x!r},{note},{y!r}\n" for x, y in rows)
    path.write_text(text)
    asked = [Asked(0), Asked(2)]
    with open_csv(str(path), unit_bytes=size) as file:
        batches = [
            batch for unit in file.units() for batch in file.batches(unit, asked, may_miss=False)
        ]
    found = np.concatenate([batch.numbers for batch in batches])
    np.testing.assert_array_equal(found, np.array(rows))


def test_an_unending_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LONGEST_ROW", 1 << 21)
    path = tmp_path / "data.csv"
    path.write_bytes(b'x,y\n1,"' + b"1" * (1 << 23))
    fault = "line 2: a quote opens a field here that does not end"
    with open_csv(str(path)) as file, pytest.raises(GdfitError, match=fault):
        [*file.units()]
