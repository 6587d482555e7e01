"""How the tests run gdfit: in this process for speed, or as a process where that is the point."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gdfit.cli import run

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_data"
LECTURE = SAMPLES / "lecture.csv"

Gdfit = Callable[..., "Result"]


@dataclass(frozen=True)
class Result:
    """What a command came to."""

    status: int
    out: str
    err: str


@pytest.fixture
def gdfit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Gdfit:
    """Runs a gdfit command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GDFIT_MODEL", raising=False)

    def call(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Result(status, out, err)

    return call


def process(
    *arguments: object, cwd: Path, stdin: bytes = b"", options: tuple[str, ...] = ()
) -> Result:
    """Runs a gdfit command as a process of its own."""
    done = subprocess.run(
        [sys.executable, *options, "-m", "gdfit", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())
