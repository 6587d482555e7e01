"""What is chosen, drawn or tried comes out as before: rates, samples, splits, orders, made data.

No textbook says these numbers; but the same command gives the same ones from version to version.
Where a change means to change them, `python tests/test_same_numbers.py` writes them anew, and the
difference in data/same_numbers.json says what has changed for whom.
"""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from conftest import SAMPLES, Gdfit
from gdfit.data.dataset import Dataset
from gdfit.data.text.blocks import UNIT_BYTES

KEPT = Path(__file__).parent / "data" / "same_numbers.json"
DIGITS = 9  # that are kept
FEW = 15  # entries of a list that are kept, about
NEAR, ZERO = 1e-6, 1e-9  # as a part of a number, and beside 0
TABLES = ("make", "predict")  # what they print
TEXTS = (*TABLES, "export", "graph")
OF_MODEL = ("train", "predict", "evaluate", "summary", "export")
SMALL = 3000  # bytes of a unit
OWN = """
def loss(y_hat, y):
    return (y_hat - y) ** 2
def dloss(y_hat, y):
    return 2 * (y_hat - y)
def alone(y_hat, y):
    return abs(y_hat - y) ** 1.5
def step(params, grad, state, lr):
    return params - lr * grad
def heavy(params, grad, state, lr):
    moved = grad if state is None else 0.5 * state + grad
    return params - lr * moved, moved
"""
# Of a place, of the program or of no number, or the bits of the data.
LEFT_OUT = ("version", "files", "data", "message", "next", "backend", "precision", "modified")

COMMANDS = """
train lecture.csv
train lecture.csv --epochs 10
train lecture.csv --epochs 100
train lecture.csv --epochs 7 --tol 1e-6
train lecture.csv --lr 0.3 --epochs 40 --leap
train lecture.csv --optimizer momentum --epochs 50
train lecture.csv --optimizer nesterov --momentum 0.5 --epochs 30
train lecture.csv --optimizer adam --epochs 60
train lecture.csv --optimizer adagrad --epochs 60
train lecture.csv --optimizer rmsprop --epochs 60
train lecture.csv --optimizer steepest --epochs 12 --lr auto
train lecture.csv --optimizer cg --epochs 4
train lecture.csv --loss mae --epochs 60
train lecture.csv --loss huber --huber-delta 0.02 --epochs 60
train lecture.csv --loss quantile --quantile 0.8 --epochs 80
train lecture.csv --batch-size 5 --epochs 20 --seed 3
train lecture.csv --batch-size 4 --optimizer adam --loss mae --epochs 12
train lecture.csv --schedule step --epochs 35 --optimizer momentum
train lecture.csv --schedule cosine --epochs 30 --loss huber
train lecture.csv --schedule exponential --decay 0.97 --epochs 30
train lecture.csv --schedule inverse --batch-size 10 --epochs 25
train lecture.csv --init random --seed 5 --epochs 5 --lr 0.05
train lecture.csv --validation 0.2 --patience 3 --seed 2 --epochs 300 --lr 0.4 --momentum 0.95 \
    --optimizer momentum
train lecture.csv --validation 0.3 --target-loss 0.0006
train lecture.csv --cv 5 --seed 1
train lecture.csv --cv 4 --loss mae --epochs 50
train lecture.csv --l2 0.01 --epochs 200
train lecture.csv --l1 0.02 --epochs 200
train lecture.csv --l1 0.01 --l2 0.02 --optimizer nesterov --epochs 80
train lecture.csv --degree 3 --epochs 300
train lecture.csv --degree 3 --lr 0.01 --epochs 300 --scale standardize
train lecture.csv --no-intercept --epochs 50
train houses.csv
train houses.csv --loss huber --huber-delta 20000
train houses.csv --lr 0.0001 --epochs 20
train greenhouse.csv --exclude bed
train greenhouse.csv --exclude bed --scale whiten --epochs 30
train greenhouse.csv --exclude bed --scale none --optimizer momentum --lr auto --epochs 90
train greenhouse.csv --exclude bed --l1 0.3 --degree 2
train greenhouse.csv --exclude bed --loss mae --batch-size 8 --epochs 15
train greenhouse.csv --exclude bed --validation 0.25 --seed 7
train o_rings.csv --loss logistic --features temperature_f
train o_rings.csv --loss logistic --features temperature_f --lr 0.001 --epochs 50
train o_rings.csv --loss logistic --features temperature_f --l2 0.01 --optimizer adam --epochs 70
train o_rings.csv --loss logistic --features temperature_f --optimizer momentum --epochs 40
train o_rings.csv --loss logistic --features temperature_f --cv 3 --epochs 40
train made.csv --target y
train made.csv --target y --features a,b,kind --weights v
train made.csv --target y --features a,b --loss mae --epochs 30
train made.csv --target y --features a,b --loss quantile --quantile 0.3 --epochs 30
train made.csv --target y --features a,b --batch-size 64 --epochs 5
train made.csv --target y --features a,b --batch-size 100 --epochs 3 --optimizer adam --weights v
train made.csv --target y --features a,b --validation 0.1 --seed 4
train made.csv --target y --features a,b --cv 6
train made.csv --target y --features a,b --by kind
train made.csv --target y --features a,b --by kind --loss huber --epochs 20
train made.csv --target y --features a,b --by kind --weights v --lr 0.05 --epochs 9
train made.csv --target class --features a,b --loss logistic --epochs 40
train made.csv --target class --features a,b --loss logistic --weights v --validation 0.2
train made.csv --target class --features a,b --loss logistic --optimizer nesterov --epochs 30
train made.csv --target class --features a,b --loss logistic --batch-size 50 --epochs 4
compare lecture.csv --lr 0.01,0.1,auto --epochs 30
compare lecture.csv --optimizer gd,momentum,adam --loss mse,mae --epochs 25
compare greenhouse.csv --exclude bed --scale none,standardize,whiten --epochs 60
compare lecture.csv --batch-size 5,25 --epochs 10 --validation 0.2
path greenhouse.csv --exclude bed
path greenhouse.csv --exclude bed --penalty l2 --cv 5 --seed 3
path greenhouse.csv --exclude bed --penalty mix --mix 0.3 --cv 4
path made.csv --target y --features a,b --weights v --cv 3
curvature lecture.csv
curvature greenhouse.csv --exclude bed
curvature houses.csv --momentum 0.8
gradcheck lecture.csv --seed 2
gradcheck lecture.csv --loss huber --seed 1
make --seed 3
make --seed 4 --features 2 --outliers 2 --rows 8
make --seed 5 --classes --rows 12
make --seed 6 --rows 5 --noise 0.001
make --seed 8 --rows 6 --noise 3 --w 2 --b -1
make --seed 7 --classes --rows 15 --outliers 2 --features 2
check epochs.csv --data lecture.csv --lr 0.01
compare lecture.csv --init zeros --init 1,1 --epochs 10 --tol 1e-3
compare lecture.csv --loss mse,huber,quantile --quantile 0.3 --epochs 20
compare lecture.csv --lr auto,0.1 --validation 0.3 --patience 2 --epochs 60
curvature greenhouse.csv --exclude bed --degree 2
curvature kinds.csv --target y --features a,kind --no-intercept
gradcheck lecture.csv --init 0.5,0.1 --loss huber --huber-delta 0.1
gradcheck lecture.csv --loss own.py:loss
gradcheck lecture.csv --loss quantile --quantile 0.3 --l2 0.2
graph greenhouse.csv --exclude bed --no-intercept
graph kinds.csv --target y --features a --weights v
graph lecture.csv
graph lecture.csv --loss huber --format dot
graph o_rings.csv --loss logistic --features temperature_f
make --seed 2 --classes --outliers 3 --rows 30 --w 3
make --seed 3 --solution
make --seed 5 --classes --solution
make --seed 9 --outliers 3 --solution
path greenhouse.csv --exclude bed --cv 6 --choose 1se
path greenhouse.csv --exclude bed --penalties 1,0.3,0.1,0 --cv 3
path greenhouse.csv --exclude bed --penalty l2 --penalties 0,1,100
path kinds.csv --target y --features a,b,c --weights v --penalty mix
train far.csv --epochs 30
train greenhouse.csv --exclude bed --backend autograd --loss huber --epochs 5 --l2 0.1
train greenhouse.csv --exclude bed --batch-size 10 --l1 0.2 --epochs 4
train greenhouse.csv --exclude bed --init 1,2,3,4 --epochs 8
train greenhouse.csv --exclude bed --l1 0.05 --l2 0.1 --epochs 200
train holes.csv --target y --features x --drop-missing --by kind --epochs 10
train houses.csv --x 80 --x 100
train kinds.csv
train kinds.csv --exclude when --epochs 30
train kinds.csv --formula "log(b) ~ a + C(v) - 1"
train kinds.csv --formula "y ~ a:kind" --epochs 30
train kinds.csv --formula "y ~ a:kind + kind - 1" --epochs 30
train kinds.csv --target class --features kind,when --loss logistic --epochs 9
train kinds.csv --target const --features a --epochs 9
train kinds.csv --target y --features a,const --scale none --lr 0.001 --epochs 9
train kinds.csv --target y --features when --epochs 9
train kinds.csv --formula "y ~ (a + b + c)^2"
train kinds.csv --formula "y ~ a + I(a^2) + kind:b"
train kinds.csv --formula "y ~ a*kind"
train kinds.csv --target class --features a,b --loss logistic --l1 0.01 --epochs 60
train kinds.csv --target class --features a,b --loss logistic --positive no --epochs 20
train kinds.csv --target y --features a,b --by kind --init 1,2,3 --epochs 5
train kinds.csv --target y --features a,b --by kind --init random --seed 2 --epochs 5
train kinds.csv --target y --features a,b --by kind --leap --epochs 100000
train kinds.csv --target y --features a,b --by kind --lr 3 --epochs 50
train kinds.csv --target y --features a,b --by kind --optimizer momentum --epochs 10
train lecture.csv --cv 4 --scale whiten --epochs 20
train lecture.csv --cv 5 --l1 0.01 --epochs 50
train lecture.csv --leap --epochs 5000 --lr 1.5
train lecture.csv --leap --epochs 5000 --optimizer momentum --tol 1e-4 --lr 0.05
train lecture.csv --leap --epochs 5000 --target-loss 0.0006
train lecture.csv --leap --epochs 5000 --tol 1e-5
train lecture.csv --loss huber --l1 0.01 --epochs 40
train lecture.csv --loss mae --no-intercept --epochs 30
train lecture.csv --loss mae --schedule inverse --lr 0.1 --epochs 60
train lecture.csv --loss own.py:alone --epochs 20
train lecture.csv --loss own.py:loss --epochs 20
train lecture.csv --loss own.py:loss --lr 0.3 --epochs 20 --l2 0.1
train lecture.csv --optimizer own.py:heavy --lr 0.05 --epochs 20
train lecture.csv --optimizer own.py:step --epochs 20
train lecture.csv --patience 5 --epochs 500 --lr 0.05 --validation 0.3
train lecture.csv --validation lecture.csv --epochs 20
train apart.csv --target t --features x --loss logistic --epochs 60
train apart.csv --target t --features x --loss logistic --l2 0.001 --epochs 60
train line.csv --loss mae --epochs 20
train made.csv --target class --features a,b,kind --loss logistic --validation 0.3 --epochs 10
train made.csv --target y --features a,b --loss huber --weights v --epochs 30
train made.csv --target y --features a,b --weights v --cv 5
train made.csv --target y --features a,b --weights v --l1 0.2 --epochs 40
small path made.csv --target y --features a,b,kind --cv 3
small train kinds.csv --target class --features a,b,kind --loss logistic --epochs 9
small train kinds.csv --target y --features "a,b,town:a,when"
small train kinds.csv --target y --features a,b --by town --epochs 5
small train kinds.csv --target y --features a,b --cv 4 --seed 5
small train kinds.csv --target y --features a,b --weights v --validation 0.2 --seed 3
small train kinds.csv --target y --features a,b,kind --batch-size 30 --epochs 3
small train kinds.csv --target y --features a,b,kind --loss mae --epochs 9
small train kinds.csv --target y --features a,b,town
small train made.csv --target class --features a,b --loss logistic --epochs 20 --validation 0.2
small train made.csv --target y --features a,b,kind --weights v
"""

SEQUENCES = """
train lecture.csv --epochs 20 && predict lecture.csv --interval 0.8 --confidence 0.9
train lecture.csv && predict lecture.csv --residuals
train lecture.csv && evaluate lecture.csv
train lecture.csv --epochs 30 && summary lecture.csv
train greenhouse.csv --exclude bed && summary greenhouse.csv --level 0.9 --robust hc3
train greenhouse.csv --exclude bed && summary greenhouse.csv --robust hc1
train made.csv --target y --features a,b,kind --weights v && summary made.csv
train made.csv --target y --features a,b && summary made.csv --cluster kind
train o_rings.csv --loss logistic --features temperature_f && summary o_rings.csv --level 0.9
train lecture.csv --epochs 5 && train lecture.csv --init model.json --epochs 5
train greenhouse.csv --exclude bed && evaluate greenhouse.csv
train o_rings.csv --loss logistic --features temperature_f && predict o_rings.csv --residuals
train o_rings.csv --loss logistic --features temperature_f && predict o_rings.csv --confidence 0.8
train o_rings.csv --loss logistic --features temperature_f && evaluate o_rings.csv --threshold 0.3
train made.csv --target y --features a,b --by kind && evaluate made.csv
train made.csv --target class --features a,b --loss logistic && evaluate made.csv
condense kinds.csv --target y --features a,b --output c.json && compare c.json --lr 0.1,auto \
    --epochs 10
condense kinds.csv --target y --features a,b --output c.json && train c.json --epochs 5 \
    && evaluate c.json
condense kinds.csv --target y --features a,b --output c.json && train c.json --epochs 5 \
    && summary c.json
condense kinds.csv --target y --features a,b --output c.json --cv 4 && path c.json --cv 4
condense kinds.csv --target y --features a,b --output c.json --cv 4 && train c.json --cv 4 \
    --epochs 20
condense kinds.csv --target y --features a,b --output c.json --no-rows && train c.json \
    --optimizer cg
condense kinds.csv --target y --features a,b,kind --output c.json && curvature c.json
train apart.csv --target t --features x --loss logistic --epochs 100 && evaluate apart.csv
train apart.csv --target t --features x --loss logistic --epochs 100 && predict apart.csv --classes
train greenhouse.csv --exclude bed --no-intercept && predict greenhouse.csv --interval 0.9 \
    --confidence 0.5 --residuals
train holes.csv --target y --features x,kind --drop-missing --epochs 10 && evaluate holes.csv \
    --drop-missing
train holes.csv --target y --features x --drop-missing && summary holes.csv --drop-missing \
    --robust hc1
train holes.csv --target y --features x,kind --drop-missing --epochs 10 && predict holes.csv
train kinds.csv --target class --features a,b --by kind --loss logistic --epochs 20 && evaluate \
    kinds.csv
train kinds.csv --target class --features a,b --by kind --loss logistic --epochs 20 && predict \
    kinds.csv --classes
train kinds.csv --target class --features a,b --loss logistic --epochs 20 && predict kinds.csv \
    --residuals
train kinds.csv --target class --features a,b --loss logistic --l2 0.1 && summary kinds.csv
train kinds.csv --target class --features a,b --loss logistic --weights v --epochs 20 && \
    evaluate kinds.csv
train kinds.csv --target class --features a,b,kind --loss logistic && summary kinds.csv
train kinds.csv --target class --features a,kind --loss logistic --epochs 9 && export --format c
train kinds.csv --target class --features a,kind --loss logistic --epochs 9 && export --format excel
train kinds.csv --target class --features a,kind --loss logistic --epochs 9 && export --format \
    python
train kinds.csv --target y --features "a,kind,log(b),when" --epochs 9 && export --format c
train kinds.csv --target y --features "a,kind,log(b),when" --epochs 9 && export --format excel
train kinds.csv --target y --features "a,kind,log(b),when" --epochs 9 && export --format python
train kinds.csv --target y --features "a,kind,log(b),when" --epochs 9 && export --format sql
train kinds.csv --target y --features a --model small.json -q && train kinds.csv --target y \
    --features a,b,kind && summary kinds.csv --against small.json
train kinds.csv --target y --features a,b --by kind && evaluate kinds.csv
train kinds.csv --target y --features a,b --by kind --epochs 9 && export --format c
train kinds.csv --target y --features a,b --by kind --epochs 9 && export --format excel
train kinds.csv --target y --features a,b --by kind --epochs 9 && export --format python
train kinds.csv --target y --features a,b --by kind --epochs 9 && export --format sql
train kinds.csv --target y --features a,b --by town --epochs 20 && evaluate kinds.csv
train kinds.csv --target y --features a,b --weights v && summary kinds.csv --cluster kind
train kinds.csv --target y --features a,b --weights v && summary kinds.csv --robust hc1
train kinds.csv --target y --features a,b,kind && summary kinds.csv --robust hc2
train kinds.csv --target y --features a,const && summary kinds.csv
train kinds.csv --target y --features a,kind --epochs 5 && train kinds.csv --target y --features \
    a,kind --init model.json --epochs 5
train kinds.csv --target y --features a,town --weights v && predict kinds.csv --interval 0.9 \
    --residuals
train lecture.csv && predict --x 2.8 --x 0.1 --confidence 0.9
train lecture.csv --degree 2 && export --format c
train lecture.csv --degree 2 && export --format excel
train lecture.csv --loss quantile --quantile 0.3 --epochs 40 && evaluate lecture.csv
train lecture.csv --optimizer momentum --epochs 5 && train lecture.csv --init model.json \
    --optimizer momentum --epochs 5
train lecture.csv --schedule step --epochs 15 && train lecture.csv --init model.json --schedule \
    step --epochs 15
train line.csv && predict line.csv --interval 0.9 --residuals
small condense kinds.csv --target y --features a,b,kind --output c.json --cv 3 && train c.json \
    --cv 3 --epochs 5
small train kinds.csv --target class --features a,b --loss logistic --epochs 9 && small evaluate \
    kinds.csv
small train kinds.csv --target y --features a,b && small evaluate kinds.csv
small train kinds.csv --target y --features a,b && small summary kinds.csv --cluster town
"""


def commands() -> list[str]:
    """All of them, a line each."""
    lines = (COMMANDS + SEQUENCES).replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line]


def made_table(folder: Path) -> None:
    """A table of more rows than a sample has, with a category, weights and two classes."""
    random = np.random.default_rng(20)
    count = 2600
    a, b = random.normal(3, 2, count), random.gamma(2.0, 10.0, count)
    kind = random.choice(["red", "green", "blue"], count, p=[0.6, 0.3, 0.1])
    noise, v = random.standard_t(3, count), random.integers(1, 5, count)
    y = 2 * a - 0.1 * b + 3 * (kind == "red") + noise
    likely = 1 / (1 + np.exp(2.5 - 0.8 * a + 0.03 * b))
    label = np.where(random.random(count) < likely, "yes", "no")
    with (folder / "made.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["a", "b", "kind", "v", "y", "class"])
        for each in zip(a, b, kind, v, y, label, strict=True):
            rows.writerow([f"{x:.4f}" if isinstance(x, float) else x for x in each])


def kinds_table(folder: Path) -> None:
    """A table of columns of several kinds: numbers, one of them the same throughout, levels that
    come late, dates, weights and classes."""
    random = np.random.default_rng(8)
    count = 400
    a, b = random.normal(3, 2, count), random.gamma(2, 10, count) + 0.1
    c, day = a / 2 + random.normal(size=count), random.integers(1, 28, count)
    kind = random.choice(["red", "green", "blue"], count, p=[0.6, 0.3, 0.1])
    town, v = random.choice([*"ABCDEF"], count), random.integers(1, 5, count)
    town[300:340] = "G"
    y = 2 * a - 0.1 * b + 0.3 * c + 3 * (kind == "red") + random.standard_t(3, count)
    label = np.where(random.random(count) < 1 / (1 + np.exp(2.5 - 0.8 * a)), "yes", "no")
    with (folder / "kinds.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["a", "b", "c", "kind", "town", "const", "when", "v", "y", "class"])
        for place, each in enumerate(zip(a, b, c, kind, town, strict=True)):
            when = f"2024-{1 + place % 12:02}-{day[place]:02}"
            said = [f"{x:.4f}" if isinstance(x, float) else x for x in each]
            rows.writerow([*said, 7, when, v[place], f"{y[place]:.3f}", label[place]])


def small_files(folder: Path) -> None:
    """Rows with gaps, a line, far numbers, classes apart, functions of one's own, and a history."""
    texts = {
        "holes.csv": ["x,kind,y"]
        + [
            f"{n / 10 if n % 7 else ''},{'pq'[n % 2] if n % 11 else ''},{n % 5 if n % 13 else 'NA'}"
            for n in range(40)
        ],
        "line.csv": ["x,y"] + [f"{n},{2 * n + 1}" for n in range(6)],
        "far.csv": ["x,z,y"] + [f"{1e6 + n},{n * 7 % 11},{3e6 + 2 * n + n % 3}" for n in range(30)],
        "apart.csv": ["x,t"] + [f"{n},{int(n > 5)}" for n in range(12)],
        "epochs.csv": ["epoch,loss,w,b", "1,0.3,0.1,0.05", "2,0.2,0.2,0.09", "3,0.1,0.25,0.1"],
        "own.py": [OWN],
    }
    for name, lines in texts.items():
        (folder / name).write_text("\n".join(lines) + "\n")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The numbers, words and nothings in a JSON value, by their paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in LEFT_OUT:
                yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place in range(0, len(value), 1 + len(value) // FEW):
            yield from leaves(value[place], f"{path}.{place}")
    else:
        yield path, value


def run_words(gdfit: Gdfit, words: list[str]) -> Any:
    """What a command comes to, which reads in many units where it is called small."""
    if words[0] != "small":
        return gdfit(*words)
    constructor: Any = Dataset.__init__
    defaults = [SMALL if each == UNIT_BYTES else each for each in constructor.__defaults__]
    with patch.object(constructor, "__defaults__", (*defaults,)):
        return gdfit(*words[1:])


def told(gdfit: Gdfit, line: str) -> dict[str, Any]:
    """What the last of a line's commands comes to, as leaves, and how many notes it makes."""
    *first, last = (shlex.split(each) for each in line.split("&&"))
    for words in first:
        is_last_model = "train" in words and "--model" not in words
        done = run_words(gdfit, [*words, *(["--model", "model.json", "-q"] * is_last_model)])
        assert done.status in (0, 1), done.err
    command = last["small" in last]
    if first and command in OF_MODEL:
        last += ["--model", "model.json"]
    prints_text = command in TEXTS or "--solution" in last
    found = run_words(gdfit, last if prints_text else [*last, "--format", "json"])
    assert found.status in ((0,) if prints_text else (0, 1, 3)), found.err
    notes = {"notes": found.err.count("note:")}
    if not prints_text:
        return notes | dict(leaves(json.loads(found.out)))
    if command not in TABLES or "--solution" in last:
        lines = enumerate(found.out.splitlines(), start=1)
        return notes | {f"line {place}": text for place, text in lines}
    header, *rows = csv.reader(io.StringIO(found.out), delimiter=",")
    return notes | {
        f"{name}.{place}": number(text)
        for place, row in enumerate(rows[:FEW])
        for name, text in zip(header, row, strict=True)
    }


def number(text: str) -> Any:
    """A field as a number, if it is one."""
    try:
        return float(text)
    except ValueError:
        return text


def kept_form(value: Any) -> Any:
    """A leaf as it is kept."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def is_like(value: Any, kept: Any) -> bool:
    """Whether a leaf is as it was."""
    if isinstance(value, float) and isinstance(kept, float | int):
        return math.isclose(value, kept, rel_tol=NEAR, abs_tol=ZERO)
    return bool(value == kept)


def prepare(folder: Path) -> None:
    """The tables that the commands name."""
    for path in SAMPLES.glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    made_table(folder)
    kinds_table(folder)
    small_files(folder)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    prepare(folder)
    return folder


@pytest.mark.parametrize("line", commands())
def test_the_same_numbers_as_before(
    gdfit: Gdfit, line: str, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tables)
    kept = json.loads(KEPT.read_text(encoding="utf-8"))[line]
    found = told(gdfit, line)
    others = {
        name: (found.get(name), kept.get(name))
        for name in found.keys() | kept.keys()
        if name not in found or name not in kept or not is_like(found[name], kept[name])
    }
    assert not others


class Writer:
    """Runs commands as the fixture does, outside of a test."""

    def __call__(self, *arguments: object) -> Any:
        from contextlib import redirect_stderr, redirect_stdout

        from conftest import Result
        from gdfit.cli import run

        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = run([*map(str, arguments)])
        return Result(status, out.getvalue(), err.getvalue())


if __name__ == "__main__":
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        os.chdir(name)
        every: dict[str, Any] = {}
        for each in commands():
            print(each, file=sys.stderr)
            leaves_told = told(Writer(), each)  # type: ignore[arg-type]
            every[each] = {key: kept_form(value) for key, value in leaves_told.items()}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in every.items()]
    KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
