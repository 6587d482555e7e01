"""What a run is told in words: above the table, and in the summary below it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from conftest import LECTURE, Gdfit

PERFECT = "x,y\n1,3\n2,5\n3,7\n"
DEPENDENT = "x,z,y\n1,2,3\n2,4,6\n3,6,8\n"
LEAST = "{minimum_loss:.8g} is the smallest loss there is"
MANY = "; other params have it too, as some columns can be computed from others"


@pytest.fixture(autouse=True)
def _files(gdfit: Gdfit) -> None:
    """The data of the cases below, in the empty folder that gdfit runs in."""
    random = np.random.default_rng(0)
    wide = random.normal(size=(40, 24))
    names = ",".join(f"c{place}" for place in range(23)) + ",y"
    np.savetxt("wide.csv", wide, delimiter=",", header=names, comments="")
    for name, text in {
        "lecture": LECTURE.read_text(),
        "perfect": PERFECT,
        "one": "x,y\n1,3\n",
        "dependent": DEPENDENT,
        "same": "c,d,e,f,g,x,y\n1,1,1,1,1,1,3\n1,1,1,1,1,2,5\n1,1,1,1,1,3,8\n",
        "levels": "k,y\na,1\nb,3\na,2\n",
        "far": "x,y\n1,0.45\n2,0.78\n",
    }.items():
        Path(f"{name}.csv").write_text(text)


def summary(out: str) -> dict[str, str]:
    """The lines below the table, by their labels."""
    lines = out.rstrip("\n").rpartition("\n\n")[2].splitlines()
    return dict(re.split(" {2,}", line.strip(), maxsplit=1) for line in lines)


SUMMARIES = {
    "lecture.csv --lr 0.01 --epochs 100": {
        "loss": "{loss:.8g}",
        "R²": "{r_squared:.8g}",
        "ended": "ran all 100 epochs",
        "minimum": LEAST + "; this is {above:.2g} % above it",
        "to go": "about 670 epochs more bring the params ten times nearer to the minimum",
        "next": "to come nearer to the minimum, type gdfit train lecture.csv --epochs 100",
        "or": "at the best rate for these columns: gdfit train lecture.csv --epochs 100 --lr 0.304",
        "prediction": "y = {y:.8g} at 2.5 (observed: 0.99)",
        "model": "gdfit.json",
    },
    "lecture.csv --lr 0.01 --epochs 1 --x 3": {
        "ended": "ran 1 epoch",
        "minimum": LEAST + "; this is {times:.3g} times as much",
        "to go": "about 46 epochs more bring the params ten times nearer to the minimum",
        "prediction": "y = {y:.8g} at 3",
    },
    "lecture.csv": {"minimum": "reached: no other params have a smaller loss"},
    "lecture.csv --l2 0.1": {
        "minimum": "reached: no other params have a smaller loss, penalty included"
    },
    "lecture.csv --l2 0.1 --lr 0.1 --epochs 20 --validation far.csv": {
        "validation": "{validation_loss:.8g} is the loss on held-out data",
        "minimum": LEAST + ", penalty included; this is {above:.2g} % above it",
    },
    "lecture.csv --init 0.3,0.3 --lr 0.33 --epochs 1": {
        "to go": "at this learning rate the params never come nearer to the minimum",
    },
    "lecture.csv --lr 0.01 --tol 1e-3": {
        "ended": "stalled at epoch {epochs}: no param moved by more than 0.001 of the largest, but "
        "the loss is above its minimum: a smaller --tol goes on",
    },
    "lecture.csv --tol 1e-9": {
        "ended": "converged at epoch 2: no param moved by more than 1e-09 of the largest",
    },
    "lecture.csv --lr 0.01 --target-loss 0.01": {
        "ended": "target reached at epoch {epochs}: the loss is at or below 0.01",
    },
    "lecture.csv --lr 0.01 --target-loss 0.05 --validation far.csv": {
        "ended": "target reached at epoch {epochs}: the validation loss is at or below 0.05",
    },
    "lecture.csv --lr 0.01 --validation far.csv --patience 7 --epochs 3000": {
        "ended": "out of patience at epoch {epochs}: 7 epochs brought no lower validation loss; "
        "the params are those after epoch {best_epoch}, with the least validation loss",
    },
    "lecture.csv --lr 0.01 --validation far.csv --patience 70 --epochs 90": {
        "ended": "ran all 90 epochs; the params are those after epoch {best_epoch}, with the least "
        "validation loss",
    },
    "perfect.csv --lr 0.1 --epochs 5": {
        "minimum": "0 is the smallest loss there is; this is {loss:.3g} above it"
    },
    "one.csv --lr 0.1 --epochs 1": {"R²": "none: the target does not vary"},
    "dependent.csv --lr 0.01 --epochs 3": {
        "minimum": LEAST + "; this is {times:.3g} times as much" + MANY,
        "prediction": "y = {y:.8g} at (3, 6) (observed: 8)",
    },
    "levels.csv --features k --target y": {"prediction": "y = {y:.8g} at a (observed: 2)"},
    "wide.csv": {
        "…": "and 11 more params, which count less: --format csv, --history and JSON have all",
    },
}


@pytest.mark.parametrize("command", SUMMARIES)
def test_the_summary(gdfit: Gdfit, command: str) -> None:
    fit = gdfit.json("train", *command.split())
    told = summary(gdfit("train", *command.split()).out)
    if least := fit["minimum_loss"]:
        ratio = fit["loss"] / least
        fit.update(times=ratio, above=100 * (ratio - 1))
    fit["y"] = fit["predictions"][-1]["y"]
    for label, text in SUMMARIES[command].items():
        assert told[label] == text.format(**fit)


def test_a_loss_beyond_float64(gdfit: Gdfit) -> None:
    result = gdfit("train", "lecture.csv", "--lr", "1e200", "--epochs", "3")
    assert result.status == 3
    ended = summary(result.out)["ended"]
    assert ended == "diverged at epoch 2: loss or params are not finite any more"


@pytest.mark.parametrize(
    ("command", "heading"),
    [
        ("lecture.csv --lr 0.01", [" y from x · 25 rows"]),
        (
            "lecture.csv",
            [
                " y from x · 25 rows · chosen: standardize, lr 0.04575",
                " steps on (x − mean)/std of each x; params and grad in the data's own units",
            ],
        ),
        ("one.csv --lr 0.1 --scale none", [" y from x · 1 row"]),
        (
            "lecture.csv --lr 0.01 --validation far.csv",
            [" y from x · 25 rows and 2 for validation"],
        ),
        (
            "dependent.csv --lr 0.1 --scale whiten",
            [
                " y from x, z · 3 rows",
                " steps on an orthonormal basis of x; params and grad in the data's own units",
            ],
        ),
        ("wide.csv --lr 0.01", [" y from c0, c1, c2 and 20 more · 40 rows"]),
    ],
)
def test_the_heading(gdfit: Gdfit, command: str, heading: list[str]) -> None:
    out = gdfit("train", *command.split()).out
    assert out.partition("\n\n")[0].splitlines() == heading


@pytest.mark.parametrize(
    ("command", "remarks"),
    [
        ("lecture.csv --lr 0.01", ["loss and grad: before the step; params: after it"]),
        (
            "lecture.csv --lr 0.01 --batch-size 5",
            ["loss and grad: means of the batches; params: after them"],
        ),
        (
            "wide.csv --lr 0.01",
            [
                "loss and grad: before the step; params: after it",
                "the 12 of 23 features most correlated with the target",
            ],
        ),
    ],
)
def test_what_is_to_be_known_of_the_columns(gdfit: Gdfit, command: str, remarks: list[str]) -> None:
    out = gdfit("train", *command.split()).out
    above = out.partition("─")[0].splitlines()
    assert [line.strip() for line in above[-len(remarks) :]] == remarks


DIVERGED = {
    "lecture.csv --lr 0.5": (
        21,
        "--lr 0.5 is 1.52 times the limit 2/λmax = 0.329068, above which gradient descent on this "
        "data climbs; let gdfit choose the learning rate: gdfit train lecture.csv",
    ),
    "lecture.csv --lr 1e+09 --optimizer adam --epochs 3": (
        2,
        "--lr 1e+09 is too large for this data; let gdfit choose the learning rate: "
        "gdfit train lecture.csv --optimizer adam --epochs 3",
    ),
    "lecture.csv --lr 9 --optimizer momentum": (
        5,
        "--lr 9 is 14.4 times the limit 2(1 + 0.9)/λmax = 0.625229, above which momentum on this "
        "data climbs; let gdfit choose the learning rate: "
        "gdfit train lecture.csv --optimizer momentum",
    ),
    "lecture.csv --lr 0.3 --optimizer nesterov --momentum 0.5": (
        35,
        "--lr 0.3 is 1.22 times the limit 2(1 + 0.5)/((1 + 2·0.5)λmax) = 0.246801, above which "
        "nesterov on this data climbs; let gdfit choose the learning rate: "
        "gdfit train lecture.csv --optimizer nesterov --momentum 0.5",
    ),
    "lecture.csv --lr 9 --batch-size 5": (
        1,
        "--lr 9 is too large for this data, whose λmax is 6.07777; let gdfit choose the learning "
        "rate: gdfit train lecture.csv --batch-size 5",
    ),
    "lecture.csv --lr 0.62 --optimizer momentum --epochs 3 --init 0.9,1": (
        3,
        "--lr 0.62 is stable on this data, below 2(1 + 0.9)/λmax = 0.625229, but it swings far at "
        "first: more epochs bring it down; let gdfit choose the learning rate: "
        "gdfit train lecture.csv --optimizer momentum --epochs 3 --init 0.9,1",
    ),
    "lecture.csv --lr 0.3 --init 1e200,1": (
        1,
        "--lr 0.3 is stable on this data, below 2/λmax = 0.329068, but the start is too far away "
        "for float64; start at zeros: gdfit train lecture.csv",
    ),
    "large.csv": (
        1,
        "the squares of y are too large for float64; divide that column by a power of ten",
    ),
}


@pytest.mark.parametrize("command", DIVERGED)
def test_why_it_diverged_and_what_to_type(gdfit: Gdfit, command: str) -> None:
    epoch, why = DIVERGED[command]
    Path("large.csv").write_text("x,y\n1,1e200\n2,1e201\n")
    result = gdfit("train", *command.split())
    last = result.err.splitlines()[-1]
    said = f"gdfit: error: diverged at epoch {epoch}, no model was written: {why}"
    assert (result.status, last) == (3, said)


def test_a_loss_that_grows_is_told_at_once(gdfit: Gdfit) -> None:
    first = gdfit("train", "lecture.csv", "--lr", "0.5").err.splitlines()[0]
    assert first == (
        "gdfit: note: epoch 11: the loss has grown for 10 epochs running: --lr 0.5 is above 2/λmax "
        "= 0.329068"
    )


def test_columns_without_a_weight(gdfit: Gdfit) -> None:
    err = gdfit("train", "same.csv", "-q").err
    assert err.splitlines() == [
        *(
            f"gdfit: note: column {name} does not vary, but for rounding (it is 1): its weight is 0"
            for name in "cde"
        ),
        "gdfit: note: and so for 2 more columns",
    ]
    err = gdfit("train", "dependent.csv", "--scale", "whiten", "-q").err
    assert err == (
        "gdfit: note: column z can be computed from the columns before it: its weight is 0\n"
    )
