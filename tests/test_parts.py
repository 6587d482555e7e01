"""Files that arrive in parts are one data set; long runs can be interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import LECTURE, Gdfit, signalled
from gdfit import read_observations

LINES = LECTURE.read_text().splitlines(keepends=True)


def test_parts_are_one_data_set(gdfit: Gdfit) -> None:
    whole = gdfit("train", LECTURE, "-q").out
    Path("a.csv").write_text("".join(LINES[:10]))
    Path("b.csv").write_text("".join(LINES[10:]))  # as split makes them: without the header
    swapped = [",".join(line.strip().split(",")[::-1]) + "\n" for line in LINES]
    Path("c.csv").write_text("".join([swapped[0], *swapped[10:]]))
    both = gdfit("train", "a.csv", "b.csv", "-q").out
    assert gdfit("train", "a.csv", "c.csv", "-q").out == both
    numbers, those = ([*map(float, out.split())] for out in (both, whole))
    assert numbers == pytest.approx(those, rel=1e-12)  # a file is a unit of its own
    expected = gdfit("evaluate", LECTURE).out
    assert gdfit("evaluate", "a.csv", "c.csv").out == expected
    predicted = gdfit("predict", LECTURE).out
    assert gdfit("predict", "a.csv", "b.csv").out == predicted
    other = gdfit("predict", "a.csv", "c.csv")  # whose rows come back as they stand
    assert (other.status, other.err) == (
        1,
        "gdfit: error: c.csv: its columns stand in another order than in a.csv; predict them one "
        "by one\n",
    )
    stdin = Path("b.csv").read_bytes()
    assert gdfit("train", "a.csv", "-", "-q", stdin=stdin).out == both


@pytest.mark.parametrize("text", ["x,z\n1,2\n", "x,y,z\n1,2,3\n", "1,2,3\n"])
def test_parts_must_have_the_same_columns(gdfit: Gdfit, text: str) -> None:
    Path("other.csv").write_text(text)
    result = gdfit("train", LECTURE, "other.csv")
    assert result.status == 1
    assert result.err.startswith("gdfit: error: other.csv: its columns (")
    assert result.err.count("\n") == 1
    assert not Path("gdfit.json").exists()


def test_a_fault_in_a_later_part_names_its_file_and_line(gdfit: Gdfit) -> None:
    Path("other.csv").write_text("x,y\n1,2\n1,two\n")
    result = gdfit("train", LECTURE, "other.csv")
    assert result.err == "gdfit: error: other.csv, line 3, column 'y': 'two' is not a number\n"


def test_ctrl_c_while_reading(tmp_path: Path) -> None:
    rows = b"x,y\n" + b"1,2\n3,4\n" * 1_000_000
    # More than a pipe holds has been written once reading has begun.
    result = signalled("train", "-", cwd=tmp_path, stdin=rows, ready=lambda: True)
    assert (result.status, result.out, result.err) == (130, "", "gdfit: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_patterns_stand_for_files(gdfit: Gdfit, tmp_path: Path) -> None:
    """As a shell expands them, also where they come in quotes."""
    for name, rows in {"b": "2,3\n", "a": "1,2\n", ".c": "9,9\n", "d[1]": "3,5\n"}.items():
        (tmp_path / f"{name}.csv").write_text(f"x,y\n{rows}")
    data = gdfit.json("train", tmp_path / "[ab].csv")
    assert data["files"] == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    assert gdfit.json("train", tmp_path / "*.csv")["observations"] == 3
    assert gdfit.json("train", tmp_path / "d[1].csv")["observations"] == 1
    assert read_observations(str(tmp_path / "?.csv")).count == 2
    missing = gdfit("train", tmp_path / "e*.csv")
    assert missing.err.endswith("e*.csv: no such file, and none matches\n")
    assert missing.status == 1
    (tmp_path / "a.csv").rename(tmp_path / "only.csv")
    kept = gdfit("train", tmp_path / "o*.csv", "--history", tmp_path / "only.csv")
    assert kept.status == 2
    assert (tmp_path / "only.csv").read_text() == "x,y\n1,2\n"
