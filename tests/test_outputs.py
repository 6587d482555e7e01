"""Where output can't go: full and read-only disks, closed streams, readers that go away; and what
stands there already."""

from __future__ import annotations

import json
import os
import resource
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import LECTURE, Gdfit
from gdfit import system

FULL = Path("/dev/full")
MODEL = '{"w": [0.3], "b": 0.25, "features": ["x"], "target": "y"}'
GDFIT = f"{sys.executable} -m gdfit"
on_linux = pytest.mark.skipif(not FULL.exists(), reason="there is no device that is full")


def no_room() -> None:
    """Let no file of this process have a byte, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("train {data} -q --model full.json", "full.json"),
        ("train {data} -q --no-model --history full.csv", "full.csv"),
        ("train {data} -q --no-model --plot full.png", "full.png"),
        ("train {data} -q --no-model --page full.html", "full.html"),
        *((f"export --format {form} --output full", "full") for form in ("sql", "torch")),
    ],
)
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, command: str, file: str) -> None:
    (tmp_path / "gdfit.json").write_text(MODEL)
    done = subprocess.run(
        shlex.split(f"{GDFIT} {command.format(data=LECTURE)}"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=no_room,
        check=False,
    )
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error == f"gdfit: error: {file}: can't be written: File too large"
    assert [path.name for path in tmp_path.iterdir()] == ["gdfit.json"]


def test_what_finds_room_in_part_is_told_without_a_buffer_too(tmp_path: Path) -> None:
    with (tmp_path / "data.csv").open("wb") as file:
        done = subprocess.run(
            shlex.split(f"{GDFIT} make --rows 9000"),
            stdout=file,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)),
            check=False,
        )
    told = b"gdfit: error: standard output: can't be written: File too large\n"
    assert (done.returncode, done.stderr) == (1, told)


@on_linux
@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("train {data} -q --model /dev/full", "/dev/full"),
        ("train {data} -q --no-model --history /dev/full", "/dev/full"),
        ("export --format torch --output /dev/full", "/dev/full"),
        ("train {data} -q > /dev/full", "standard output"),
        ("predict {data} > /dev/full", "standard output"),
        ("--help > /dev/full", "standard output"),
    ],
)
def test_a_full_device_is_told(tmp_path: Path, command: str, named: str) -> None:
    (tmp_path / "gdfit.json").write_text(MODEL)
    line = f"{GDFIT} {command.format(data=LECTURE)}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error == f"gdfit: error: {named}: can't be written: No space left on device"


def test_a_read_only_disk_is_told(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    denied = gdfit("train", LECTURE, "--model", "m.json")
    assert denied.err.endswith("m.json: can't be written: permission denied\n")
    monkeypatch.setattr(system, "is_read_only", lambda place: True)
    read_only = gdfit("train", LECTURE, "--model", "m.json")
    assert read_only.err.endswith("m.json: can't be written: it is on a read-only disk\n")
    assert (read_only.status, read_only.err.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("train {data} -q 2>&-", 0),
        ("train {data} -q >&-", 1),
        ("train {data} >&-", 1),
        ("predict {data} >&-", 1),
        ("--version >&-", 1),
        ("train - <&-", 1),
    ],
)
def test_closed_streams(tmp_path: Path, command: str, status: int) -> None:
    (tmp_path / "gdfit.json").write_text(MODEL)
    line = f"{GDFIT} {command.format(data=LECTURE)}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == status
    assert done.stderr.count(b"\n") == status


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "train --help",
        "--version",
        "train {data}",
        "train {data} --every 1 --format csv",
        "train {data} -q --no-model",
        "train {data} --chart --no-model",
        "train {data} --lr 9 --explain 2",
        "train {data} -q --model /dev/stdout",
        "compare {data} --lr 0.01,0.1",
        "gradcheck {data}",
        "curvature {data}",
        "predict {data}",
        "predict --x 1",
        "export --format c",
    ],
)
def test_a_reader_that_goes_away_ends_every_command_alike(tmp_path: Path, command: str) -> None:
    (tmp_path / "gdfit.json").write_text(MODEL)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            shlex.split(f"{GDFIT} {command.format(data=LECTURE)}"),
            cwd=tmp_path,
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 141
    assert all(line.startswith(b"gdfit: note: ") for line in done.stderr.splitlines())
    (left,) = tmp_path.iterdir()
    assert left.name == "gdfit.json"
    assert json.loads(left.read_text())["features"] == ["x"]  # the one before, or the new one


def test_what_is_written_over_keeps_its_permissions(gdfit: Gdfit) -> None:
    for mode in (0o600, 0o640, 0o664):
        for file in ("m.json", "p.html"):
            Path(file).touch()
            Path(file).chmod(mode)
        assert gdfit("train", LECTURE, "--model", "m.json", "--page", "p.html", "-q").status == 0
        for file in ("m.json", "p.html"):
            assert stat.S_IMODE(Path(file).stat().st_mode) == mode
            assert Path(file).stat().st_size


@pytest.mark.parametrize("room", [0, 50_000])
def test_a_full_disk_for_rows_that_are_kept_is_told(room: int) -> None:
    program = (
        "import numpy, os; from gdfit.data.batch import Rows\n"
        "rows = Rows(3, memory=1000)\n"
        "try: [rows.add(numpy.ones((1000, 3))) for _ in range(9)]\n"
        "except Exception as error: print(type(error).__name__, error, flush=True)\n"
        "os._exit(0)\n"
    )

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, preexec_fn=little_room, check=True
    )
    assert done.stdout.startswith("GdfitError a temporary file can't be written: ")
    assert "TMPDIR=FOLDER" in done.stdout
