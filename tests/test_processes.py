"""Large files are read by several threads, which is seen in nothing but how long it takes."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from conftest import Gdfit, signalled
from gdfit.cli import process
from gdfit.data.dataset import Dataset
from gdfit.data.reduction import tree

ROWS = 2_400_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is worth being read by several threads: y = 2x + 0.5 to one digit."""
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

    def on_start() -> None:
        if other.exists():
            other.replace(path)

    if change == "a fault":  # where a unit of the one file is in the middle of a row of the other
        other.write_text(text.replace("3,1", "3000,1"))
    dataset = Dataset((str(path),), unit_bytes=100, on_start=on_start)
    found = dataset.observations()
    expected = Dataset((str(path),), unit_bytes=100).observations()
    assert found.count == expected.count
    assert found.augmented.tolist() == expected.augmented.tolist()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="nothing says what is open")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_reading_ends_with_the_command(large: Path, tmp_path: Path, number: signal.Signals) -> None:
    files = [large] * 20  # some seconds
    result = signalled("train", *files, cwd=tmp_path, ready=lambda: is_open(large), number=number)
    assert (result.status, result.out) == (128 + number, "")
    assert result.err in ("", "gdfit: interrupted\n")
    assert [*tmp_path.iterdir()] == []


def is_open(file: Path) -> bool:
    """Whether a process has this file open."""
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
            for link in (each / "fd").iterdir():
                with suppress(OSError):
                    if link.readlink() == file:
                        return True
    return False


def test_a_thread_that_waits_for_ever_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tree, "ENDING", 0.1)
    monkeypatch.setattr(tree, "processors", lambda: 2)
    lock = threading.Lock()

    def wait_for(item: int) -> int:
        if item:
            with lock:
                pass
        return item

    with lock:
        found = tree.in_order(wait_for, itertools.count())
        assert next(found) == 0
        found.close()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="nothing can ring later")
@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_command_ends_when_python_holds_no_lock_of_a_module(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, error: type[BaseException]
) -> None:
    monkeypatch.setattr(process, "LATER", 0.2)
    space: dict[str, Any] = {"sys": sys}
    exec(compile("frame = sys._getframe()", process.IMPORTING, "exec"), space)
    before, later = signal.getsignal(signal.SIGALRM), []

    def end() -> None:
        process.terminate(number, space["frame"])
        later.append(True)
        time.sleep(20)

    with pytest.raises(error):
        end()
    signal.signal(signal.SIGALRM, before)
    assert later


INTERRUPTED = """
import itertools, random, signal, sys
from gdfit.data.reduction import tree

def interrupt(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
tree.processors = lambda: 8
sys.setswitchinterval(1e-4)
random.seed(1)
for _ in range(1500):
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.002))
        for _ in tree.in_order(lambda item: sum(range(2000)), itertools.count()):
            pass
    except KeyboardInterrupt:
        pass
print("ended")
"""


def test_no_signal_leaves_a_thread_waiting() -> None:
    """Whatever the main thread is doing when it comes, it does not take a lock for ever."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120, check=True
    )
    assert (done.stdout, done.stderr) == ("ended\n", "")
