"""Progress bars: what they count, and that they are gone in the end."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import replace
from threading import Thread

import numpy as np
import pytest

from conftest import LECTURE, Gdfit
from gdfit import Run, observations_from, train
from gdfit.data.dataset import Dataset
from gdfit.data.text.dialect import Selection
from gdfit.descent.loop import Step
from gdfit.descent.settings import Scale, Settings
from gdfit.show import progress
from gdfit.show.progress import Bar, ReadingBar, TrainingBar

GONE = "\r\x1b[1A\x1b[2K"


class Screen(io.StringIO):
    """A terminal that keeps what was written on it."""

    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Standard error, a terminal on which bars appear at once. It is no fixture, since pytest puts
    a stream of its own there between fixtures and test."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress, "MOMENT", 0.0)
    monkeypatch.setattr(progress, "REFRESH", 0.0)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("TTY_INTERACTIVE", raising=False)
    return screen


def step_of(epoch: int, status: str | None = None) -> Step:
    two = np.zeros(2)
    return Step(epoch, 1.0, two, two, None, two, {}, status)


def test_a_bar_is_gone_in_the_end_and_comes_back_after_it_was_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = terminal(monkeypatch)
    with TrainingBar(1000) as bar:
        bar.step(step_of(250))
        assert "250 of 1,000 epochs" in screen.getvalue()
        bar.hide()
        assert screen.getvalue().endswith(GONE)
        bar.step(step_of(500))
        assert "500 of 1,000 epochs" in screen.getvalue()
    shown = screen.getvalue()
    assert shown.endswith(GONE)
    bar.step(step_of(750))
    assert screen.getvalue() == shown


@pytest.mark.parametrize("dumb", [False, True])
def test_there_is_no_bar_but_on_a_terminal(monkeypatch: pytest.MonkeyPatch, dumb: bool) -> None:
    screen = terminal(monkeypatch)
    stream: io.StringIO = screen if dumb else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    if dumb:
        monkeypatch.setenv("TERM", "dumb")
    with Bar("reading", 10) as bar:
        bar.update(5)
    assert not stream.getvalue()


def test_a_bar_counts_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    with TrainingBar(100, runs=3) as bar:
        bar.step(step_of(40))
        bar.step(step_of(41, "diverged"))
        bar.step(step_of(10))
        assert "run 2 of 3: 10 of 100 epochs" in screen.getvalue()
        bar.step(step_of(100, "completed"))
        bar.step(step_of(70))
    assert "run 1 of 3: 40 of 100 epochs" in screen.getvalue()
    assert "run 3 of 3: 70 of 100 epochs" in screen.getvalue()


def test_the_bar_of_a_plain_run_tells_of_leaps(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options, told in (("--lr 0.01", True), ("--loss mae --lr 0.01", False)):
        screen = terminal(monkeypatch)
        gdfit("train", LECTURE, *options.split())
        assert ("training; try --leap" in screen.getvalue()) is told


@pytest.mark.parametrize("scale", ["none", "standardize"])
def test_mini_batches_move_the_bar_within_an_epoch(
    monkeypatch: pytest.MonkeyPatch, scale: Scale
) -> None:
    x = np.random.default_rng(0).normal(3.0, 2.0, 100)
    observations = observations_from(x, 2 * x + 1)
    assert observations.rows
    bar, seen = TrainingBar(2), list[float]()
    monkeypatch.setattr(bar, "update", seen.append)
    counted = replace(observations, rows=bar.counted(observations.rows))
    settings = Settings(batch_size=30, epochs=2, scale=scale, lr=0.05)
    run = Run(counted, settings=settings)
    for step in run:
        bar.step(step)
    assert seen == [0.3, 0.6, 0.9, 1.0, 1, 1.3, 1.6, 1.9, 2.0]
    assert run.fit().model.params == train(observations, settings=settings).model.params


def test_a_pipe_is_counted_in_bytes_without_a_total(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"x,y\n" + b"1,2\n2,4\n" * 600_000
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as file:
            file.write(text)

    thread = Thread(target=write)
    thread.start()
    bar, seen = ReadingBar(["-"]), list[float]()
    monkeypatch.setattr(bar, "update", seen.append)
    with os.fdopen(reader) as file:
        monkeypatch.setattr(sys, "stdin", file)
        observations = Dataset(("-",), Selection(), progress=bar).observations()
    thread.join()
    assert observations.count == 1_200_000
    assert seen[-1] == len(text)
    assert seen == sorted(seen)
    assert len(seen) > 1


def test_the_size_of_what_is_read_is_told_where_it_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = terminal(monkeypatch)
    with ReadingBar([str(LECTURE)]) as bar:
        bar.progress(100)
    assert f"100/{LECTURE.stat().st_size} bytes" in screen.getvalue()
    with LECTURE.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        with ReadingBar(["-"]) as bar:
            bar.progress(101)
    assert f"101/{LECTURE.stat().st_size} bytes" in screen.getvalue()
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with ReadingBar([str(LECTURE), "-"]) as bar:
        bar.progress(102)
    assert "102 bytes" in screen.getvalue()


def test_a_command_leaves_no_bar_behind(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    assert (
        gdfit(
            "train", LECTURE, "--batch-size", "5", "--lr", "0.01", "--epochs", "20", "--every", "1"
        ).status
        == 0
    )
    shown = screen.getvalue()
    assert "of 20 epochs" in shown
    assert shown.endswith(GONE)


def test_rows_on_a_terminal_stand_without_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    for form in ("table", "csv"):
        screen = terminal(monkeypatch)
        monkeypatch.setattr(sys, "stdout", screen)
        with TrainingBar(1000, form=form) as bar:
            bar.step(step_of(250))
        assert ("\x1b" in screen.getvalue()) == (form == "table")
