"""What a run prints comes at once, and in the order in which things happen."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from conftest import SAMPLES
from gdfit import Run, observations_from
from gdfit.show.tables.reports import REPORTS, CsvReport, no_op


@pytest.mark.parametrize("form", REPORTS)
def test_what_waits_is_printed_when_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    run = Run(observations_from([1, 2, 3], [1, 2, 4]), lr=0.1)
    report = REPORTS[form](run, lambda epoch: True, no_op)
    first, second, *_ = run
    report.step(first)
    report.step(second)
    report.flush()
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if re.match(" *2[ ,]", line)]
    assert len(rows) == (form in ("table", "csv"))
    report.flush()
    assert not capsys.readouterr().out


def test_a_note_stands_where_it_happened(tmp_path: Path) -> None:
    """Both streams in one pipe: rows before the note, and the error last."""
    for form in ("table", "csv"):
        growing = [str(SAMPLES / "houses.csv"), "--lr", "7.2e-5", "--epochs", "50"]
        command = [sys.executable, "-m", "gdfit", "train", *growing, "--format", form]
        done = subprocess.run(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        lines = done.stdout.decode().splitlines()
        epochs = [re.match(r" *(\d+)[ ,]", line) for line in lines]
        (note,) = (place for place, line in enumerate(lines) if "epoch 11: the loss" in line)
        before = [int(match[1]) for match in epochs[:note] if match]
        after = [int(match[1]) for match in epochs[note:] if match]
        assert max(before) == 10
        assert min(after) == 20
        assert lines[-1].startswith("gdfit: error: diverged")


def test_rows_of_csv_are_on_their_way_within_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file can be followed while it is written."""
    run = Run(observations_from([1, 2, 3], [1, 2, 4]), lr=0.1, epochs=3)
    monkeypatch.setattr(CsvReport, "MOMENT", -1)
    with (tmp_path / "out.csv").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        report = CsvReport(run, lambda epoch: True, no_op)
        lengths = []
        for step in run:
            report.step(step)
            lengths.append((tmp_path / "out.csv").stat().st_size)
    assert lengths[0] > len("epoch,loss,w,b,grad_w,grad_b\n")
    assert all(before < after for before, after in pairwise(lengths))
