"""Texts that are dropped on the page: what it reads and says of them is what the command does, or
it says to type the command."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from browser import Browser, find_browser
from fuzz.cases import mutated
from fuzz.commands import outcome
from gdfit.show.page import save_empty_page

AT_ONCE = 100  # texts in a call of the browser
NAMES = ["x", "y", "a", "b", "name", "when", "a b", "", "c,d", 'q"r', "é", "1", "2020", "key", "N"]
WORDS = ["red", "green", "New York", "a,b", 'he "said"', "", "NA", "-", "x1", "é", "Total", "mean"]
ODD = [
    "?",
    "NA",
    "",
    "1,5",
    "1.250",
    "$3",
    "5%",
    "2024-01-05",
    "inf",
    "1e5",
    "-999",
    "n/a",
    '"',
    "'",
]
ODD += [
    "1e999",
    "nan",
    "+1",
    "1 2",
    "(3)",
    "x",
    "1e-320",
    "0x1",
    "#",
    "\u2212 3",
    "007",
    ".5",
    "5.",
]
OF_RUN = (
    "the run has",
    "the params have",
    "the model explains",
    "R² is",
)  # of which the page tells elsewhere
CALL = (
    "texts.map((text) => { try { return gdfit.load(text, 'data.csv'); }"
    "catch (error) { return { thrown: String(error.stack) }; } })"
)


def random_column(random: Random, count: int) -> list[str]:
    """The fields of a column."""
    kind = random.choice(["float", "float", "int", "int", "word", "date", "key", "few", "huge"])
    size = 10.0 ** random.choice([0, 1, 3, 5])
    first = random.randint(0, 2000)
    made = {
        "float": lambda at: f"{random.gauss(0, size):.{random.randrange(5)}f}",
        "int": lambda at: str(random.randint(-5, 50)),
        "word": lambda at: random.choice(WORDS),
        "date": lambda at: f"20{at % 30:02}-{1 + at % 12:02}-0{1 + at % 9}",
        "key": lambda at: str(first + at),
        "few": lambda at: random.choice("01"),
        "huge": lambda at: repr(random.gauss(0, 1) * 10.0 ** random.randint(-30, 30)),
    }
    fields = [made[kind](at) for at in range(count)]
    odd = random.choice([0, 0, 0, 0.03, 0.2])
    return [random.choice(ODD) if random.random() < odd else field for field in fields]


def random_text(random: Random) -> str:
    """A table, or what is left of one."""
    width, count = random.choice([1, 2, 2, 3, 3, 4, 5]), random.choice([1, 2, 4, 8, 12, 20])
    delimiter = random.choice([",", ",", ",", ";", "\t", "|", " "])
    rows = [
        [*row] for row in zip(*(random_column(random, count) for _ in range(width)), strict=True)
    ]
    if random.random() < 0.85:
        names = random.choices(NAMES, k=width)
        is_apart = len({*names}) == width
        rows.insert(0, names if is_apart else [f"{name}{at}" for at, name in enumerate(names)])
    if random.random() < 0.05:
        rows = [[str(at), *row] for at, row in enumerate(rows)]
    if random.random() < 0.05:
        rows[-1] = rows[-1][:-1] or rows[-1]

    def field(said: str) -> str:
        is_special = {delimiter, '"', "\n", " "} & {*said} or (not said and delimiter == " ")
        quoted = '"' + said.replace('"', '""') + '"'
        return quoted if is_special or random.random() < 0.02 else said

    end = random.choice(["\n", "\n", "\n", "\r\n", "\r"])
    text = "".join(delimiter.join(map(field, row)) + end for row in rows)
    if random.random() < 0.15:
        text = mutated(random, text).encode("latin-1", "replace").decode(errors="replace")
    return text.removesuffix(end) if random.random() < 0.2 else text


def compare(text: str, found: Any) -> None:
    """Raise where the page has `found` something else in a text than the command does."""
    Path("data.csv").write_bytes(text.encode())
    words = ["train", "data.csv", "--leap", "--format", "json", "--no-model"]
    told = outcome(words)
    where = (text, found, told.status, told.err)
    assert "thrown" not in found, where
    if error := found.get("error"):
        if "type gdfit train" not in error:
            # Its hints are of the columns that the page knows, and it makes no fit of words.
            said = told.err.splitlines()[-1].removeprefix("gdfit: error: ")
            begins = error.split("; ")[0]
            is_none = error.startswith("data.csv: a fit needs")
            is_said = told.status == 1 and (is_none or said.startswith(begins))
            is_large = told.status == 3 and begins.removeprefix("data.csv: ") in said
            assert is_said or is_large, where
        return
    assert told.status in (0, 3), where
    if told.status == 0:
        record = json.loads(told.out)
        for key in ("features", "target", "observations"):
            assert found[key] == record[key], where
    notes = [line.removeprefix("gdfit: note: ") for line in told.err.splitlines()]
    notes = [note for note in notes if not note.startswith((*OF_RUN, "gdfit: error"))]
    assert sorted(found["notes"]) == sorted(notes), where


def findings(seeds: Sequence[int], folder: Path) -> Iterator[tuple[int, BaseException]]:
    """What is found in texts, many in one call of the browser."""
    program = find_browser()
    assert program, "no Chromium is installed"
    os.chdir(folder)
    save_empty_page(folder / "own.html")
    (folder / "browser").mkdir()
    with Browser(program, folder / "browser") as browser, browser.page(folder / "own.html") as page:
        for start in range(0, len(seeds), AT_ONCE):
            some = seeds[start : start + AT_ONCE]
            texts = [random_text(Random(seed)) for seed in some]
            made = page.run(f"((texts) => {CALL})({json.dumps(texts)})")
            for seed, text, found in zip(some, texts, made, strict=True):
                try:
                    compare(text, found)
                except KeyboardInterrupt:
                    raise
                except BaseException as error:
                    yield seed, error
