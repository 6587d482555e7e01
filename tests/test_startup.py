"""What a command imports: the time to start is most of the time of a small run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import LECTURE, process

HEAVY = {"pandas", "pyarrow", "torch"}
OF_CLASSES = {"gdfit.descent.newton", "gdfit.descent.quantiles", "gdfit.model.classification"}
COMMANDS: dict[str, tuple[list[object], set[str]]] = {
    "help": (["--help"], HEAVY | {"numpy"}),
    "help of train": (["train", "--help"], HEAVY | {"numpy"}),
    "version": (["--version"], HEAVY | {"numpy", "rich"}),
    "predict --x": (["predict", "--x", "2.8"], HEAVY | {"numpy", "rich"}),
    "summary": (["summary", LECTURE], HEAVY | {"matplotlib"}),
    "export": (["export", "--format", "sql"], HEAVY | {"rich.table"}),
    "train by hand": (["train", LECTURE], HEAVY | OF_CLASSES | {"matplotlib"}),
    "train by autograd": (
        ["train", LECTURE, "--backend", "autograd"],
        {"pandas", "pyarrow", "torch._dynamo", "matplotlib"},
    ),
}
MODEL = '{"w": [0.3], "b": 0.25, "features": ["x"], "target": "y"}'


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_no_more_than_it_needs(tmp_path: Path, command: str) -> None:
    arguments, unwanted = COMMANDS[command]
    (tmp_path / "gdfit.json").write_text(MODEL)
    result = process(*arguments, cwd=tmp_path, options=("-X", "importtime"))
    assert result.status == 0
    lines = [line for line in result.err.splitlines() if line.startswith("import time:")]
    imported = {line.rsplit("|", 1)[1].strip() for line in lines}
    assert "gdfit.cli" in imported
    assert not imported & unwanted


def test_to_read_numbers_and_words_takes_nothing_that_arrow_computes(tmp_path: Path) -> None:
    text = "kind,x,y\n" + "".join(f"k{n % 3},{n % 7},{n % 11}\n" for n in range(200_000))
    (tmp_path / "d.csv").write_text(text)
    words = ["train", "d.csv", "--features", "kind,x", "--no-model", "-q"]
    result = process(*words, cwd=tmp_path, options=("-X", "importtime"))
    assert result.status == 0
    imported = {line.rsplit("|", 1)[1].strip() for line in result.err.splitlines() if "|" in line}
    assert "pyarrow.csv" in imported or "pyarrow._csv" in imported
    assert "pyarrow.compute" not in imported


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("gdfit", {"numpy", "pandas", "torch", "rich", "typer", "sklearn", "gdfit.errors"}),
        ("gdfit.sklearn", {"torch", "matplotlib", "rich", "typer"}),
        ("gdfit.data.sources.stores", HEAVY | {"numpy"}),
    ],
)
def test_a_module_imports_no_more_than_it_needs(module: str, unwanted: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert module in imported
    assert not imported & unwanted
