"""Whatever call fails, a command ends in one line, and leaves no half-written file behind."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import torture
from conftest import LECTURE
from gdfit.cli.app import COMMANDS
from torture import LINES, Command

SHARE = 5  # calls of each command; `python tests/torture.py` lets all of them fail


@pytest.fixture(scope="module")
def tortured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Command]]:
    yield torture.commands(tmp_path_factory.mktemp("data"))
    gc.unfreeze()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are seen in /proc")
@pytest.mark.parametrize("line", LINES)
def test_each_call_may_fail(tortured: dict[str, Command], line: str) -> None:
    command = tortured[line]
    places = command.places()
    for place in Random(line).sample(places, min(SHARE, len(places))):
        outcome = command.run(place)
        assert command.faults(outcome) == [], (outcome.shim.failed, outcome.err)


@pytest.mark.parametrize("library", ["typer", "numpy"])
def test_a_broken_installation_is_told_in_a_line(tmp_path: Path, library: str) -> None:
    broken = f"import sys; sys.modules[{library!r}] = None; from gdfit.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", broken, "train", str(LECTURE)],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("gdfit: error: a library can't be loaded: import of ")


def test_every_command_is_tortured() -> None:
    assert {line.split()[0] for line in LINES} == {*COMMANDS}
