"""What is said of wrong data and of wrong usage stays as it is: data/same_faults.txt.

There, each command stands above its status and what it says on standard error. Where a change means
to change that, `python tests/test_same_faults.py` writes it anew; a new command is added there by
hand, and its lines by that. The tables are those of test_same_numbers.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

import pytest

from conftest import Gdfit
from test_same_numbers import OF_MODEL, Writer, prepare

KEPT = Path(__file__).parent / "data" / "same_faults.txt"
LEFT = ("model.json", "gdfit.json", "c.json")  # by the command before


def kept() -> dict[str, str]:
    """What each command says."""
    blocks = KEPT.read_text(encoding="utf-8").strip().split("\n\n")
    parted = (block.partition("\n") for block in blocks)
    return {line: says for line, _, says in parted}


def said(gdfit: Gdfit, line: str) -> str:
    """The status of a line's last command, and what it says."""
    for name in LEFT:
        Path(name).unlink(missing_ok=True)
    *first, last = (shlex.split(each) for each in line.split("&&"))
    for words in first:
        done = gdfit(*words, *(["--model", "model.json", "-q"] if words[0] == "train" else []))
        assert done.status in (0, 1), done.err
    if first and last[0] in OF_MODEL:
        last += ["--model", "model.json"]
    found = gdfit(*last)
    assert found.status in (1, 2)
    assert found.out == ""
    return f"{found.status}: {found.err.rstrip()}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tables")
    prepare(made)
    return made


@pytest.mark.parametrize(("line", "expected"), kept().items(), ids=kept())
def test_the_same_is_said_as_before(
    gdfit: Gdfit, line: str, expected: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert said(gdfit, line) == expected


if __name__ == "__main__":
    lines = [*kept()]
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        os.chdir(name)
        told = [f"{line}\n{said(Writer(), line)}\n" for line in lines]  # type: ignore[arg-type]
    KEPT.write_text("\n".join(told), encoding="utf-8")
