"""Files that arrive in parts are one data set; long runs can be interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import LECTURE, Gdfit

LINES = LECTURE.read_text().splitlines(keepends=True)


def test_parts_are_one_data_set(gdfit: Gdfit) -> None:
    whole = gdfit("train", LECTURE, "-q").out
    Path("a.csv").write_text("".join(LINES[:10]))
    Path("b.csv").write_text("".join(LINES[10:]))  # as split makes them: without the header
    swapped = [",".join(line.strip().split(",")[::-1]) + "\n" for line in LINES]
    Path("c.csv").write_text("".join([swapped[0], *swapped[10:]]))
    assert gdfit("train", "a.csv", "b.csv", "-q").out == whole
    assert gdfit("train", "a.csv", "c.csv", "-q").out == whole
    expected = gdfit("evaluate", LECTURE).out
    assert gdfit("evaluate", "a.csv", "c.csv").out == expected
    predicted = gdfit("predict", LECTURE).out
    assert gdfit("predict", "a.csv", "b.csv").out == predicted
    assert gdfit("predict", "a.csv", "c.csv").out == predicted
    stdin = Path("b.csv").read_bytes()
    assert gdfit("train", "a.csv", "-", "-q", stdin=stdin).out == whole


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


def interrupted(arguments: list[object], folder: Path, ready: str, stdin: bytes) -> tuple[int, str]:
    """The status and what stands on standard error after Ctrl-C, once the file `ready` matches is
    there or, without one, once standard input has been taken."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gdfit", *map(str, arguments)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # A shell that runs the tests in the background has told its children to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(stdin)
    process.stdin.flush()
    if ready:
        deadline = time.monotonic() + 60
        while not any(path.stat().st_size for path in folder.glob(ready)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    # Without a file to wait for, reading has begun once more than a pipe holds has been written.
    os.kill(process.pid, signal.SIGINT)
    try:
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, error.decode()


def test_ctrl_c_while_training(tmp_path: Path) -> None:
    (tmp_path / "gdfit.json").write_text("an old model")
    (tmp_path / "history.csv").write_text("an old history")
    options = ["--epochs", "100000000", "--history", "history.csv"]
    status, error = interrupted(["train", LECTURE, *options], tmp_path, ".history*", b"")
    assert (status, error) == (130, "gdfit: interrupted\n")
    assert (tmp_path / "gdfit.json").read_text() == "an old model"
    assert (tmp_path / "history.csv").read_text() == "an old history"
    assert len(list(tmp_path.iterdir())) == 2


def test_ctrl_c_while_reading(tmp_path: Path) -> None:
    rows = b"x,y\n" + b"1,2\n3,4\n" * 1_000_000
    status, error = interrupted(["train", "-"], tmp_path, "", rows)
    assert (status, error) == (130, "gdfit: interrupted\n")
    assert list(tmp_path.iterdir()) == []
