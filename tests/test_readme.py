"""Every example in README.md, run in its order in one folder: what it shows is what comes out.

``python tests/test_readme.py`` writes what came out into README.md.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pytest

import gdfit
from gdfit.descent import fit as fitting

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def examples(block: str) -> list[tuple[str, str]]:
    """The commands of a block, each after ``$ ``, and what is shown below each."""
    commands = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    found = []
    for text in commands:
        command, _, shown = text.partition("\n")
        while shown.startswith("> "):
            more, _, shown = shown.removeprefix("> ").partition("\n")
            command += "\n" + more
        found.append((command, shown))
    return found


def run(command: str, folder: Path) -> str:
    """What a terminal would show of `command`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode()


def can_run(command: str) -> bool:
    """Whether the machine has what the example needs besides gdfit."""
    return not re.search(r"\bjq\b", command) or shutil.which("jq") is not None


def rounded(text: str) -> str:
    """`text` with its long numbers cut to ten digits: the last ones differ from one processor to
    another."""
    return re.sub(r"\d+\.\d{10,}(e-?\d+)?", lambda match: f"{float(match[0]):.10g}", text)


def outputs(folder: Path) -> dict[tuple[str, str], str]:
    """Each example of the README with what it really shows."""
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    return {
        (command, shown): run(command, folder) if can_run(command) else shown
        for block in BLOCK.findall(README.read_text(encoding="utf-8"))
        for command, shown in examples(block)
    }


def test_the_python_example_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    names: dict[str, object] = {}
    with contextlib.chdir(tmp_path):
        exec(code, names)
    assert "fit" in names


@pytest.mark.parametrize("module", [gdfit, fitting], ids=["gdfit", "fitting"])
def test_the_docstrings_examples(module: ModuleType) -> None:
    done = doctest.testmod(module)
    assert done.attempted > 0
    assert done.failed == 0


def test_the_pictures_are_those_that_the_commands_make() -> None:
    text = README.read_text(encoding="utf-8")
    pictures = re.findall(r"\]\((sample_data/pictures/(\S+\.png))\)", text)
    assert len(pictures) == 2
    for path, name in pictures:
        assert (ROOT / path).read_bytes().startswith(b"\x89PNG")
        assert f"--plot {name}" in text


def test_every_example_shows_what_comes_out(tmp_path: Path) -> None:
    found = outputs(tmp_path)
    assert len(found) > 10
    wrong = [
        f"$ {command}\n{real}\ninstead of\n{shown}"
        for (command, shown), real in found.items()
        if rounded(real) != rounded(shown)
    ]
    if wrong:
        pytest.fail("\n\n".join(wrong), pytrace=False)


def rewrite() -> None:
    """Put what the examples really show into the README."""
    text = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        real = outputs(Path(folder))
        for picture in Path(folder).glob("*.png"):
            shutil.copy(picture, ROOT / "sample_data" / "pictures" / picture.name)

    def block(match: re.Match[str]) -> str:
        lines = [
            f"$ {command.replace(chr(10), chr(10) + '> ')}\n{real[command, shown]}"
            for command, shown in examples(match.group(1))
        ]
        return "```console\n" + "".join(lines) + "```"

    README.write_text(BLOCK.sub(block, text), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
