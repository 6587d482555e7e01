"""Large files are read by several processes, which is seen in nothing but how long it takes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import Gdfit, signalled
from gdfit.data.dataset import Dataset

ROWS = 2_400_000
SCRIPT = """
import os, signal, sys
os.sched_getaffinity = lambda process: range(3)  # processors, however many there are
from gdfit.data import fork

def attempt(number):
    if number == int(sys.argv[1]):
        {what}
    return number, os.getpid(), bytes(number * 1000)

assert fork.is_alone()
found = []
try:
    for number, process, text in fork.in_processes(attempt, range(100)):
        assert len(text) == number * 1000
        found.append((number, process == os.getpid()))
        {meanwhile}
except BaseException as error:
    print(f"{{type(error).__name__}}: {{error}}")
assert found == [(number, False) for number in range(len(found))], found
print(len(found))
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("none is left")
"""


def run(what: str, meanwhile: str = "pass", at: int = 71) -> list[str]:
    """What the script above prints, where the outcome for item `at` is `what`."""
    script = SCRIPT.format(what=what, meanwhile=meanwhile)
    result = subprocess.run(
        [sys.executable, "-c", script, str(at)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, threads do the work")
@pytest.mark.parametrize(
    ("what", "meanwhile", "printed"),
    [
        ("pass", "pass", ["100", "none is left"]),
        ("raise KeyError('why')", "pass", ["KeyError: 'why'", "71", "none is left"]),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "pass",
            [
                "GdfitError: a process that was reading has been ended: is there enough memory?",
                "71",
                "none is left",
            ],
        ),
        ("pass", "if number == 20: break", ["21", "none is left"]),
        ("pass", "if number == 20: sys.exit('so')", ["SystemExit: so", "21", "none is left"]),
    ],
)
def test_outcomes_come_in_order_until_something_is_wrong(
    what: str, meanwhile: str, printed: list[str]
) -> None:
    assert run(what, meanwhile) == printed


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is worth being read by several processes: y = 2x + 0.5 to one digit."""
    path = tmp_path_factory.mktemp("large") / "large.csv"
    lines = [f"{x / 10},{(2 * x + 5) // 10 + (x % 2) / 10}\n" for x in range(100)]
    path.write_text("x,y\n" + "".join(lines) * (ROWS // 100))
    assert path.stat().st_size > 1 << 24
    return path


def run_gdfit(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A gdfit command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "gdfit", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_large_file_is_read_as_from_its_start(gdfit: Gdfit, large: Path) -> None:
    options = ("--lr", "0.01", "--epochs", "20", "--format", "json", "--no-model")
    in_units = json.loads(run_gdfit("train", large, *options).stdout)
    streamed = json.loads(gdfit("train", "-", *options, stdin=large.read_bytes()).out)
    assert in_units["observations"] == streamed["observations"] == ROWS
    for key in ("loss", "b", "r_squared", "minimum_loss"):
        assert in_units[key] == pytest.approx(streamed[key], rel=1e-12)
    assert in_units["w"] == pytest.approx(streamed["w"], rel=1e-12)


def test_a_fault_far_down_is_told_with_its_line(large: Path, tmp_path: Path) -> None:
    path = tmp_path / "fault.csv"
    lines = large.read_text().splitlines(keepends=True)
    lines[2_000_001] = "1,?\n"
    lines[2_300_000] = "1\n"
    path.write_text("".join(lines))
    for command in ("train", "curvature"):
        result = run_gdfit(command, path)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith(
            f"gdfit: error: {path}, line 2000002, column 'y': '?' is not a number"
        )
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("change", ["another file", "a part of it", "more", "a fault"])
def test_a_file_that_changes_meanwhile_is_read_as_it_is_then(tmp_path: Path, change: str) -> None:
    path, other = tmp_path / "data.csv", tmp_path / "other.csv"
    old, new = "x,y\n" + "1,2\n2,4\n" * 200, "x,y\n" + "3,1\n4,2\n" * 300
    path.write_text(old)
    text = {"another file": new, "a part of it": old[:404], "more": old + "5,6\n"}.get(change, new)
    other.write_text(text)

    def begun() -> None:
        if other.exists():
            other.replace(path)

    if change == "a fault":  # where a unit of the one file is in the middle of a row of the other
        other.write_text(text.replace("3,1", "3000,1"))
    dataset = Dataset((str(path),), large=0, unit_bytes=100, begun=begun)
    found = dataset.observations()
    expected = Dataset((str(path),)).observations()
    assert found.count == expected.count
    assert found.augmented.tolist() == expected.augmented.tolist()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, threads do the work")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_processes_end_with_the_command(
    large: Path, tmp_path: Path, number: signal.Signals
) -> None:
    files = [large] * 20  # some seconds
    started: list[list[int]] = []

    def has_copies() -> bool:
        started.append(working_on("train", str(large)))
        return len(started[-1]) > 2 or len(os.sched_getaffinity(0)) == 1

    result = signalled("train", *files, cwd=tmp_path, ready=has_copies, number=number)
    assert (result.status, result.out) == (128 + number, "")
    assert result.err in ("", "gdfit: interrupted\n")
    deadline = time.monotonic() + 10
    while working_on("train", str(large)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [*tmp_path.iterdir()] == []


def working_on(*words: str) -> list[int]:
    """The processes that have these words on their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and set(words) <= set(
                (folder / "cmdline").read_text().split("\0")
            ):
                found.append(int(folder.name))
    return found
