"""Every example in README.md, in docs/ and in docstrings: what is shown is what comes out.

``python tests/test_examples.py`` writes what came out into the pages, and draws their pictures.

A section of a page, from one ``## `` to the next, is run in a folder of its own that has the sample
data in it, so that sections are run side by side. What is run in it, in this order:

- ``console`` blocks: a command after ``$ ``, its further lines after ``> ``, and below it what a
  terminal shows of it;
- ``python`` blocks: each a program of its own, with what it prints in a ``text`` block below it.

A picture that a section shows is one that its commands make, or a browser's of the page of that
name that they make.
"""

from __future__ import annotations

import difflib
import doctest
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

import gdfit
from browser import Browser, find_browser

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

BLOCK = re.compile(
    r"^```console\n(?P<console>.*?)^```$"
    r"|^```python\n(?P<python>.*?)^```$(?:\n\n^```text\n(?P<printed>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
PICTURE = re.compile(r"!\[[^\]]*\]\((\S+?)\)")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
TELLING = {"COLUMNS", "FORCE_COLOR", "GDFIT_MODEL"}  # variables that change what is shown
PROGRAMS = ("jq", "sqlite3", "duckdb")  # that examples need, and machines may not have
PACKAGES = {".xlsx": "python_calamine"}  # the same, for files of this ending
# How to install gdfit, and its tests, which are this; and what takes more machines than one, or
# programs that run gdfit.
NOT_RUN = {
    README: ["```sh", "```"] * 2,
    ROOT / "docs/cluster.md": ["```sh", "```", "```py", "```"],
    ROOT / "docs/contributing.md": ["```sh", "```"] * 7,
    ROOT / "docs/teaching.md": ["```yaml", "```", *["```py", "```"] * 2],  # of other programs
}
NUMBER = re.compile(r"(-?\d+\.\d+(?:e[-+]?\d+)?)")


@dataclass(frozen=True)
class Section:
    """A part of a page that is run by itself."""

    page: Path
    text: str

    def __str__(self) -> str:
        title = self.text.partition("\n")[0].lstrip("# ")
        return f"{self.page.relative_to(ROOT)}: {title}"

    @property
    def pictures(self) -> list[Path]:
        """The pictures that it shows."""
        return [self.page.parent / place for place in PICTURE.findall(self.text)]


def sections_of(page: Path) -> list[Section]:
    """The sections of a page; put together, they are its text."""
    parts = re.split(r"^(?=## )", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [Section(page, text) for text in parts]


SECTIONS = [section for page in PAGES for section in sections_of(page)]
RUN = [section for section in SECTIONS if BLOCK.search(section.text) or section.pictures]


def renewed(section: Section, folder: Path) -> str:
    """The section's text with what its examples show when they are run in `folder`; as it is where
    that is the same but for rounding."""
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")

    def renew(block: re.Match[str]) -> str:
        code = block["python"]
        if code is None:
            return f"```console\n{console(block['console'], folder)}```"
        shown = block["printed"] or ""
        real = kept(shown, run([sys.executable, "-c", code], folder))
        return f"```python\n{code}```" + (f"\n\n```text\n{real}```" if real else "")

    return BLOCK.sub(renew, section.text)


def console(block: str, folder: Path) -> str:
    """The commands of a console block, each with what it shows when it is run in `folder`."""
    lines = []
    for text in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = text.partition("\n")
        while shown.startswith("> "):
            more, _, shown = shown.removeprefix("> ").partition("\n")
            command += "\n" + more
        real = run(["bash", "-c", command], folder) if not lacking(command) else shown
        lines.append(f"$ {command.replace(chr(10), chr(10) + '> ')}\n{kept(shown, real)}")
    return "".join(lines)


def lacking(text: str) -> list[str]:
    """What the commands in `text` need besides gdfit that the machine does not have."""
    return [
        program
        for program in PROGRAMS
        if re.search(rf"\b{program}\b", text) and shutil.which(program) is None
    ] + [
        package
        for ending, package in PACKAGES.items()
        if ending in text and find_spec(package) is None
    ]


def run(command: list[str], folder: Path) -> str:
    """What a terminal would show of `command`."""
    given = {name: text for name, text in os.environ.items() if name not in TELLING}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**given, "PATH": path, "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode()


def kept(shown: str, real: str) -> str:
    """What is shown where what comes out is the same but for rounding; else what comes out."""
    pairs = zip(shown.splitlines(), real.splitlines(), strict=False)
    same = shown.count("\n") == real.count("\n") and all(alike(*pair) for pair in pairs)
    return shown if same else real


def alike(shown: str, real: str) -> bool:
    """Whether two lines differ at most in what differs from one processor to another: the last
    digits of numbers of more than ten, and numbers so small that they are rounding themselves."""
    if shown == real:
        return True
    numbers = NUMBER.findall(shown) + NUMBER.findall(real)
    if not any(len(number) > 11 or abs(float(number)) < 1e-10 for number in numbers):
        return False
    # Text and numbers by turns; how many spaces align a number depends on its digits.
    one, other = (NUMBER.split(" ".join(line.split())) for line in (shown, real))
    return one[::2] == other[::2] and all(
        math.isclose(float(number), float(its), rel_tol=1e-9, abs_tol=1e-10)
        for number, its in zip(one[1::2], other[1::2], strict=True)
    )


def page_of(picture: Path, folder: Path) -> Path:
    """The page in `folder` that `picture` would be of."""
    return folder / picture.with_suffix(".html").name


def photograph(page: Path, picture: Path) -> None:
    """Take a picture of a page, in a browser."""
    program = find_browser()
    assert program, "a picture of a page needs a browser"
    with Browser(program, page.parent / "browser") as browser, browser.page(page) as shown:
        shown.picture(picture)


def drawn_by(picture: Path) -> str:
    """Which version of Matplotlib drew `picture`, as it says itself."""
    with Image.open(picture) as image:
        return re.sub(r".*version|,.*", "", str(image.info["Software"]))


def same_picture(one: Path, other: Path) -> bool:
    """Whether two pictures, drawn by one version of Matplotlib, show the same: as many pixels, and
    of 1000 of them no more than two with another colour, for lines that rounding moves."""
    pixels = []
    for picture in (one, other):
        with Image.open(picture) as image:
            pixels.append(np.asarray(image.convert("RGB"), dtype=np.int16))
    first, second = pixels
    if first.shape != second.shape:
        return False
    return bool((np.abs(first - second).max(axis=2) > 32).mean() <= 0.002)


@pytest.mark.parametrize("section", RUN, ids=str)
def test_what_is_shown_is_what_comes_out(section: Section, tmp_path: Path) -> None:
    shown, real = section.text, renewed(section, tmp_path)
    if shown != real:
        changes = difflib.unified_diff(
            shown.splitlines(), real.splitlines(), "shown", "real", lineterm=""
        )
        pytest.fail("\n".join(changes), pytrace=False)
    for picture in section.pictures:
        if page_of(picture, tmp_path).exists():
            continue  # browsers and fonts differ; what is on pages is tested in test_page.py
        made = tmp_path / picture.name
        assert made.exists(), f"no command makes {picture.name}"
        if drawn_by(made) != drawn_by(picture):
            pytest.skip(
                f"{picture.name} is Matplotlib {drawn_by(picture)}'s, not {mpl.__version__}'s"
            )
        assert same_picture(made, picture), f"{picture.name} shows something else"
    if programs := lacking(shown):
        pytest.skip(f"without {' and '.join(programs)} its examples can't be run")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^ *```.*", "".join(BLOCK.split(text)[::4]), re.MULTILINE)
    assert fences == NOT_RUN.get(page, [])


def test_a_line_that_differs_in_more_than_rounding_is_found() -> None:
    assert alike("0.3016922021103325 0.25", "0.3016922021103331 0.25")
    assert alike(" w   -1.25039999999", " w        -1.2504")
    assert alike("difference  5.2e-12 at most", "difference  4.1e-12 at most")
    assert not alike("0.3016922021103325", "0.3016922121103325")
    assert not alike("0.3016922021103325 ended", "0.3016922021103325 stalled")
    assert not alike("R² 0.9892", "R² 0.9893")
    assert not alike("loss   0.5", "loss 0.5")
    assert kept("1\n", "1\n2\n") == "1\n2\n"


def test_a_picture_that_shows_something_else_is_found(tmp_path: Path) -> None:
    (stored, *_) = [picture for section in RUN for picture in section.pictures]
    with Image.open(stored) as image:
        picture = image.convert("RGB")
    noise = np.random.default_rng(0).integers(0, 3, (picture.height, picture.width, 1))
    Image.fromarray((np.asarray(picture) // 2 * 2 + noise // 2).astype(np.uint8)).save(
        tmp_path / "noise.png"
    )
    assert same_picture(stored, tmp_path / "noise.png")
    picture.paste((0, 0, 0), (100, 100, 160, 160))
    picture.save(tmp_path / "patch.png")
    assert not same_picture(stored, tmp_path / "patch.png")
    picture.resize((800, 450)).save(tmp_path / "small.png")
    assert not same_picture(stored, tmp_path / "small.png")


@pytest.mark.parametrize(
    "page",
    [*PAGES, ROOT / "benchmarks" / "README.md", ROOT / "sample_data" / "README.md"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_lead_somewhere(page: Path) -> None:
    for place in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / place).exists(), place


def test_the_readme_is_short_and_soon_shows_a_picture() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 250
    assert any(PICTURE.search(line) for line in lines[:90])


SOURCE = Path(gdfit.__file__).parent
DOCTESTS = [
    path for path in sorted(SOURCE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", DOCTESTS, ids=lambda path: str(path.relative_to(SOURCE)))
def test_the_docstrings_examples(path: Path) -> None:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    done = doctest.testmod(import_module(".".join(parts).removesuffix(".__init__")))
    assert done.attempted > 0
    assert done.failed == 0


def rewrite() -> None:
    """Write what the examples really show into the pages, and the pictures that differ."""

    def renew(section: Section) -> str:
        with tempfile.TemporaryDirectory() as folder:
            text = renewed(section, Path(folder))
            for picture in section.pictures:
                page, made = page_of(picture, Path(folder)), Path(folder) / picture.name
                if page.exists():
                    photograph(page, picture)
                    continue
                new = not picture.exists() or drawn_by(made) != drawn_by(picture)
                if new or not same_picture(made, picture):
                    shutil.copy(made, picture)
        return text

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        texts = list(threads.map(renew, SECTIONS))
    for page in PAGES:
        parts = zip(SECTIONS, texts, strict=True)
        whole = "".join(text for section, text in parts if section.page == page)
        page.write_text(whole, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
