"""What goes wrong in use: files in each other's way, numbers beyond float64, closed streams."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import LECTURE, SAMPLES, Gdfit

HUGE = b"x,y\n1e160,3\n2e160,5\n"
HUGE_TARGET = b"x,y\n1,3e200\n2,5e200\n"


def test_no_output_is_written_over_what_is_in_use(gdfit: Gdfit) -> None:
    data = LECTURE.read_bytes()
    Path("v.csv").write_bytes(data)
    Path("link.csv").symlink_to("v.csv")
    gdfit("train", LECTURE, "--model", "m.json")
    model = Path("m.json").read_bytes()
    for options in (
        ["--validation", "v.csv", "--history", "v.csv"],
        ["--validation", "v.csv", "--model", "link.csv"],
        ["--init", "m.json", "--history", "m.json"],
        ["--init", "m.json", "--model", "m.json", "--history", "m.json"],
    ):
        result = gdfit("train", LECTURE, *options)
        assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert Path("v.csv").read_bytes() == data
    assert Path("m.json").read_bytes() == model
    assert gdfit("train", LECTURE, "--init", "m.json", "--model", "m.json").status == 0


@pytest.mark.parametrize("options", [[], ["--plot", "p.png"], ["--optimizer", "momentum"]])
@pytest.mark.parametrize(
    ("data", "rate", "what_to_type"),
    [
        (HUGE, "0.01", "let gdfit choose the learning rate: gdfit train -"),
        (HUGE_TARGET, "0.01", "divide that column by a power of ten"),
        (HUGE_TARGET, "auto", "divide that column by a power of ten"),
    ],
)
def test_numbers_beyond_float64_diverge_in_one_line(
    gdfit: Gdfit, data: bytes, rate: str, what_to_type: str, options: list[str]
) -> None:
    result = gdfit("train", "-", "--lr", rate, *options, stdin=data)
    assert result.status == 3
    assert all(line.startswith("gdfit: ") for line in result.err.splitlines())
    last = result.err.splitlines()[-1]
    assert "diverged" in last
    assert "too large for float64" in last
    assert f"; {what_to_type}" in last
    assert not Path("gdfit.json").exists()


def test_no_learning_rate_is_chosen_where_there_is_none(gdfit: Gdfit) -> None:
    for options in ([], ["--optimizer", "momentum"]):
        result = gdfit("train", "-", "--scale", "none", *options, stdin=HUGE)
        assert (result.status, result.out) == (1, "")
        assert "λmax is infinite; --scale standardize takes" in result.err
        assert result.err.count("\n") == 1


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e300])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "adam"])
def test_absolute_errors_of_any_size_are_tried(gdfit: Gdfit, size: float, optimizer: str) -> None:
    rows = "".join(f"{x},{(3 * x + 1) * size!r}\n" for x in (1.0, 2.0, 4.0, 7.0))
    options = ["--loss", "mae", "--optimizer", optimizer]
    fit = gdfit.json("train", "-", *options, stdin=("x,y\n" + rows).encode())
    assert fit["loss"] < 0.01 * size
    assert fit["r_squared"] > 0.999


def test_numbers_beyond_float64_elsewhere(gdfit: Gdfit) -> None:
    Path("m.json").write_text('{"w": [2], "b": 1, "features": ["x"], "target": "y"}')
    for arguments, data in (
        (["evaluate", "-", "--model", "m.json"], b"x,y\n1,1e155\n2,2e155\n"),
        (["curvature", "-"], HUGE),
    ):
        result = gdfit(*arguments, stdin=data)
        assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e160, 1e300])
def test_standardizing_takes_numbers_of_any_size(gdfit: Gdfit, scale: float) -> None:
    data = "x,y\n" + "".join(f"{x * scale!r},{3 * x + 1}\n" for x in (1.0, 2.0, 4.0))
    for options in ([], ["--scale", "standardize", "--lr", "0.4"], ["--scale", "whiten"]):
        result = gdfit("train", "-", *options, "-q", stdin=data.encode())
        w, b = map(float, result.out.split())
        assert w * scale == pytest.approx(3)
        assert b == pytest.approx(1)


@pytest.mark.parametrize(
    "options",
    [["--optimizer", "momentum"], ["--optimizer", "nesterov"], ["--batch-size", "4"], []],
    ids=str,
)
def test_what_to_type_does_not_diverge(gdfit: Gdfit, options: list[str]) -> None:
    houses = SAMPLES / "houses.csv"
    result = gdfit("train", houses, "--lr", "0.1", *options)
    assert result.status == 3
    command = result.err.splitlines()[-1].rpartition(": ")[2]
    assert shlex.split(command) == ["gdfit", "train", str(houses), *options]
    assert gdfit(*shlex.split(command)[1:]).status == 0


def test_columns_without_a_name_are_left_out(gdfit: Gdfit) -> None:
    expected = gdfit("train", "-", "-q", stdin=b"x,y\n1,3\n2,5\n").out
    assert gdfit("train", "-", "-q", stdin=b"x,y,\n1,3,\n2,5,\n").out == expected
    assert gdfit("train", "-", "-q", stdin=b",x,y\n0,1,3\n1,2,5\n").out == expected
    asked = gdfit("train", "-", "--features", "column1", "-q", stdin=b",x,y\n0,1,3\n1,2,5\n")
    assert asked.status == 0


def test_a_note_comes_only_with_a_run(gdfit: Gdfit) -> None:
    options = ["--format", "csv", "--init", "random", "--optimizer", "adam", "--epochs", "2"]
    assert gdfit("train", LECTURE, *options, "--lr", "fast").err.count("\n") == 1
    assert gdfit("train", "nowhere.csv", *options).err.count("\n") == 1
    assert "note: the params have not arrived" in gdfit("train", LECTURE, *options).err


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_gradcheck_at_the_minimum(gdfit: Gdfit, loss: str) -> None:
    data = b"x,y\n1,3\n2,5\n3,7\n"
    assert gdfit("gradcheck", "-", "--init", "2,1", "--loss", loss, stdin=data).status == 0


def test_another_locale_keeps_the_datas_letters(tmp_path: Path) -> None:
    (tmp_path / "gdfit.json").write_text('{"w": [2], "b": 1, "features": ["größe"], "target": "y"}')
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "gdfit", "predict", "-"],
        cwd=tmp_path,
        input="größe,ŷ\n1,2\n".encode(),
        capture_output=True,
        check=True,
        env=environment,
    )
    assert done.stdout.decode() == "größe,ŷ,y_hat\n1,2,3.0\n"


def test_more_threads_change_no_digit(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(50_000, 2))
    np.savetxt(tmp_path / "d.csv", rows, delimiter=",", header="x,y", comments="", fmt="%.6g")
    (tmp_path / "gdfit.json").write_text(
        '{"w": [0.3], "b": 0.25, "features": ["x"], "target": "y"}'
    )
    told = {
        subprocess.run(
            [sys.executable, "-m", "gdfit", "evaluate", "d.csv", "--format", "json"],
            cwd=tmp_path,
            capture_output=True,
            check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "2")
    }
    assert len(told) == 1


class Terminal(io.StringIO):
    """A terminal that keeps what was written on it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", range(40, 100))
def test_on_a_terminal_an_error_is_broken_between_words(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    Path("gdfit.json").write_text('{"w": [2], "b": 1, "features": ["size"], "target": "y"}')
    for words in (["predict", LECTURE], ["train", LECTURE, "--lr", "0,5"], ["train", "-"]):
        told = gdfit(*words, stdin=b"x,y\n1;2\n").err
        screen = Terminal()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", screen)
            patched.setenv("COLUMNS", str(width))
            gdfit(*words, stdin=b"x,y\n1;2\n")
        lines = screen.getvalue().splitlines()
        assert " ".join(lines).split() == told.split()
        assert not any(line.startswith((";", ",", ")")) for line in lines)
        before = [line for line in lines if not line.startswith("gdfit ")]
        longest = max(map(len, told.split()))
        assert all(len(line) <= max(width, longest) for line in before)
        if told.count(": gdfit ") > 0 and len(told) > width + 1:
            assert lines[-1] == "gdfit " + told.strip().rpartition(": gdfit ")[2]
