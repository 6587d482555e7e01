"""Commands that are run in this process, and what holds of each whatever it is given."""

from __future__ import annotations

import io
import json
import math
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import typer

from gdfit.cli.app import app_for, run

SECONDS = 120  # that a case may take
OBEYED = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")  # by a terminal


class Outcome(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str


class LateError(BaseException):
    """A case has taken too long."""


@contextmanager
def in_time(seconds: float = SECONDS) -> Iterator[None]:
    """Raise LateError where what is done takes longer."""

    def ring(number: int, frame: object) -> None:
        raise LateError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@cache
def made(*name: str) -> Any:
    """The command line as Typer makes it, which takes longer than most commands do."""
    return typer.main.get_command(app_for([*name]))


def outcome(words: Sequence[str], seconds: float = SECONDS) -> Outcome:
    """What a command comes to. It ends in order, and what is wrong with it is one line: an
    AssertionError says what is not so."""
    out, err = io.StringIO(), io.StringIO()
    quick = patch("gdfit.cli.app.app_for", lambda typed: made(*typed[:1]))
    with in_time(seconds), redirect_stdout(out), redirect_stderr(err), quick:
        status = run([*words])
    found = Outcome(status, out.getvalue(), err.getvalue())
    assert_in_order(words, found)
    return found


def assert_in_order(words: Sequence[str], found: Outcome) -> None:
    """Raise for a status that there is not, for other lines than notes and one error, for what a
    terminal obeys, and for JSON that is none or has numbers that are not finite."""
    lines = found.err.splitlines()
    errors = [line for line in lines if line.startswith("gdfit: error: ")]
    assert found.status in (0, 1, 2, 3), found
    assert all(line.startswith("gdfit: ") for line in lines), found
    is_marked = words[0] == "check" and found.status == 1 and not errors
    assert len(errors) == (found.status != 0) or is_marked, found
    assert not OBEYED.search(found.err), found
    is_late = "--residuals" in words or "no group has a model" in found.err  # told after others
    is_told = words[0] in ("check", "gradcheck") or found.status == 3 or is_late
    assert found.status == 0 or is_told or not found.out, found
    if found.status == 0 and found.out[:2] in ("{\n", "[\n", '{"', "[{"):
        assert_finite(json.loads(found.out))


def assert_finite(value: Any) -> None:
    """Raise for a number in decoded JSON that is not finite."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            assert_finite(each)
    assert not isinstance(value, float) or math.isfinite(value), value


def stored(folder: Path) -> dict[str, bytes]:
    """The files in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def restore(folder: Path, before: dict[str, bytes]) -> None:
    """Make the files of a folder those that there were."""
    for name, content in stored(folder).items():
        if name not in before:
            (folder / name).unlink()
        elif before[name] != content:
            (folder / name).write_bytes(before[name])
    for name in before.keys() - {path.name for path in folder.iterdir()}:
        (folder / name).write_bytes(before[name])
