"""What is read is not trusted: names, models, condensed files, sizes."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest

from conftest import SAMPLES, Gdfit
from gdfit.data.terms import levels
from gdfit.model import family, model_file

OBEYED = "\x1b[31m\x07\u202e\x85"  # a terminal shows what follows in red, from right to left
NAMES = [f"x{OBEYED}", f"k{OBEYED}", f"z{OBEYED}", f"y{OBEYED}"]


def write_named(path: str) -> None:
    """Rows whose columns and levels are called so that a terminal obeys."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        for row in range(60):
            level = ["a", f"b{OBEYED}", "c"][row % 3]
            writer.writerow([row % 7, level, row * 37 % 11, 2 * (row % 7) + row % 3])


COMMANDS = [
    ["train", "d.csv", "--chart", "--explain", "1", "--plot", "p.svg"],
    ["train", "d.csv", "--by", NAMES[1], "--plot", "p.svg"],
    ["train", "d.csv", "--features", f"{NAMES[0]},{NAMES[1]}", "--epochs", "3"],
    ["train", "d.csv", "--target", f"q{OBEYED}"],
    ["train", f"no{OBEYED}.csv"],
    ["train", f"d.csv{OBEYED}"],
    ["train", f"--{OBEYED}", "d.csv"],
    ["compare", "d.csv", "--lr", "0.1,0.01", "--plot", "p.svg", "--chart"],
    ["path", "d.csv", "--plot", "p.svg"],
    ["evaluate", "d.csv"],
    ["summary", "d.csv"],
    ["curvature", "d.csv"],
    ["gradcheck", "d.csv"],
    ["graph", "d.csv"],
    [f"d{OBEYED}.csv"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: f"{words[0][:1]} {words[-1]!r}")
def test_no_terminal_obeys_what_is_read(gdfit: Gdfit, words: list[str]) -> None:
    write_named("d.csv")
    assert gdfit("train", "d.csv", "-q").status == 0
    result = gdfit(*words)
    told = result.out + result.err
    assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", told)
    if Path("p.svg").exists():
        ElementTree.parse("p.svg")  # which is what a browser takes


VALUES: list[Any] = [None, True, -1, 1e308, float("nan"), float("inf"), "", "\x1b[31m", [], [None]]
VALUES += [[[1]], ["a"], {}, {"a": [1]}, [1, 2, 3], 10**400, [[], [[]]], "1"]


def places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a decoded JSON file; of a list, the first two."""
    keys = [*value] if isinstance(value, dict) else [*range(min(len(value), 2))]
    found = [(*before, key) for key in keys]
    inner = [key for key in keys if isinstance(value[key], dict | list)]
    return found + [place for key in inner for place in places(value[key], (*before, key))]


@pytest.mark.parametrize("kind", ["terms", "groups", "classes", "condensed"])
def test_files_of_strangers_are_used_or_refused(gdfit: Gdfit, kind: str) -> None:
    rows = [f"{n % 7},{'abc'[n % 3]},{2 * (n % 7) + n % 3}" for n in range(60)]
    Path("d.csv").write_text("\n".join(["x,k,y", *rows]))
    ways: dict[str, list[Any]] = {
        "terms": ["train", "d.csv", "--target", "y", "--features", "x^2,k", "--model", "m.json"],
        "groups": ["train", "d.csv", "--target", "y", "--by", "k", "--model", "m.json"],
        "classes": ["train", SAMPLES / "o_rings.csv", "--loss", "logistic", "--model", "m.json"],
        "condensed": ["condense", "d.csv", "--features", "x,k", "--target", "y"],
    }
    made = ways[kind]
    is_data = kind == "condensed"
    made += ["--output", "m.json"] if is_data else ["-q", "--epochs", "9"]
    assert gdfit(*made).status == 0
    original, random = Path("m.json").read_text(), Random(kind)
    data = made[1]
    of_models = [
        ["predict", data, "--interval", "0.9", "--model", "m.json"],
        ["predict", data, "--residuals", "--model", "m.json"],
        ["evaluate", data, "--model", "m.json"],
        ["summary", data, "--model", "m.json"],
        ["export", "--format", "python", "--model", "m.json"],
        ["train", data, "--init", "m.json", "--no-model", "--epochs", "3"],
    ]
    of_data = [["train", "m.json", "--epochs", "3", "--no-model"], ["curvature", "m.json"]]
    for _ in range(60):
        record = json.loads(original)
        *inner, last = random.choice(places(record))
        holder = record
        for key in inner:
            holder = holder[key]
        holder[last] = random.choice(VALUES)
        Path("m.json").write_text(json.dumps(record))
        words = random.choice(of_data if is_data else of_models)
        result = gdfit(*words)  # an exception would end the test
        errors = [line for line in result.err.splitlines() if line.startswith("gdfit: error: ")]
        assert len(errors) == (result.status != 0), (inner, last, holder[last], result)


def test_a_model_runs_nothing(gdfit: Gdfit) -> None:
    Path("o.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    model: dict[str, Any] = {"w": [2], "b": 1, "features": ["x"], "target": "y"}
    model |= {"loss_function": "o.py:loss", "optimizer": "o.py:step"}
    Path("gdfit.json").write_text(json.dumps(model))
    Path("d.csv").write_text("x,y\n1,2\n2,4\n3,7\n4,7\n")
    for words in (["predict", "--x", "3"], ["evaluate", "d.csv"], ["summary", "d.csv"]):
        gdfit(*words)
    gdfit("train", "d.csv", "--init", "gdfit.json")
    assert not Path("ran").exists()


def test_sizes_are_bounded(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    def error_of(*words: str) -> str:
        result = gdfit(*words)
        assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
        return result.err

    Path("wide.csv").write_text(",".join(f"x{n}" for n in range(100_000)) + "\n1\n")
    assert "its first line is longer than 256 kB" in error_of("train", "wide.csv")
    Path("line.csv").write_bytes(b"x,y\n1,2\n" + b"7" * (40 << 20) + b",3\n")
    assert "line 3: has more than 32 MB" in error_of("train", "line.csv")
    Path("digits.json").write_text('[{"x": ' + "9" * 5000 + ', "y": 1}]')
    assert "a number of too many digits" in error_of("train", "digits.json")
    Path("sparse.json").write_text(json.dumps([{f"k{n}": n} for n in range(2000)]))
    assert "few of their 2,000 keys" in error_of("train", "sparse.json")
    Path("deep.json").write_text("[" * 100_000)
    assert "nested too deep" in error_of("train", "deep.json")
    Path("groups.csv").write_text("g,x,y\n" + "".join(f"{n // 3},{n},{n * n}\n" for n in range(60)))
    with monkeypatch.context() as patched:
        patched.setattr(levels, "MOST_GROUPS", 9)
        told = error_of("train", "groups.csv", "--by", "g", "--target", "y")
    assert "groups.csv, line 29, column 'g': '9' is level number 10, and --by takes 9" in told
    with monkeypatch.context() as patched:
        patched.setattr(family, "MOST_BYTES", 500)
        result = gdfit("train", "groups.csv", "--by", "g", "--target", "y")
    assert (result.status, "train fewer groups at a time" in result.err) == (1, True)
    assert not Path("gdfit.json").exists()
    assert gdfit("train", "groups.csv", "--by", "g", "--target", "y", "-q").status == 0
    monkeypatch.setattr(model_file, "MOST_BYTES", 500)
    assert "is no model file: it has more than" in error_of("evaluate", "groups.csv")
