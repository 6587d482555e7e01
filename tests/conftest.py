"""How the tests run gdfit: in this process for speed, or as a process where that is the point."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from browser import SIZES, Browser, Page, find_browser
from gdfit.cli import run
from gdfit.descent.outcome import Fit
from gdfit.show.page import save_page

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_data"
LECTURE = SAMPLES / "lecture.csv"

Opened = Callable[..., Page]


@dataclass(frozen=True)
class Result:
    """What a command came to."""

    status: int
    out: str
    err: str


class Gdfit:
    """Runs gdfit commands in this process, with nothing but what it is given on standard input."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object, stdin: bytes = b"") -> Result:
        """What the command comes to."""
        given = io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin)))
        self._monkeypatch.setattr(sys, "stdin", given)
        self._capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        return Result(status, out, err)

    def json(self, *arguments: object, stdin: bytes = b"") -> dict[str, Any]:
        """What the command prints with ``--format json``; it must succeed."""
        result = self(*arguments, "--format", "json", stdin=stdin)
        assert result.status == 0, result.err
        record: dict[str, Any] = json.loads(result.out)
        return record


@pytest.fixture
def gdfit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Gdfit:
    """Runs gdfit commands in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GDFIT_MODEL", raising=False)
    return Gdfit(capsys, monkeypatch)


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


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        missing = "no Chromium is installed: apt-get install chromium-headless-shell"
        if os.environ.get("GDFIT_NEEDS_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    with Browser(program, tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Opens a run's page. In the end, no script has failed and no request has left the page."""
    pages: list[Page] = []
    with ExitStack() as stack:

        def open_page(fit: Fit, size: str = "laptop", **look: Any) -> Page:
            path = tmp_path / "run.html"
            save_page(fit, fit.history, path)
            held = browser.page(path, *SIZES[size], touch=size == "phone", **look)
            pages.append(stack.enter_context(held))
            return pages[-1]

        yield open_page
        for page in pages:
            requests = page.events("Network.requestWillBeSent")
            assert {event["request"]["url"].split(":")[0] for event in requests} <= {"file", "data"}
            assert sum(event["request"]["url"].startswith("file:") for event in requests) == 1
            assert page.events("Runtime.exceptionThrown") == []
            assert page.events("Log.entryAdded") == []


def heed_signals() -> None:
    """Heed Ctrl-C and the end of the terminal also where a shell in the background, or nohup, has
    told its children to ignore them."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def signalled(
    *arguments: object,
    cwd: Path,
    ready: Callable[[], bool],
    stdin: bytes = b"",
    number: signal.Signals = signal.SIGINT,
) -> Result:
    """Runs a gdfit command as a process of its own, and sends it a signal once it is `ready`: by
    default, what Ctrl-C sends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gdfit", *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_signals,
    )
    with process:
        try:
            assert process.stdin is not None
            process.stdin.write(stdin)
            process.stdin.flush()
            deadline = time.monotonic() + 60
            while not ready():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(number)
            out, error = process.communicate(timeout=60)
        finally:
            process.kill()
    return Result(process.returncode, out.decode(), error.decode())
