"""What can't be done in Python is told in one line, which says what is wrong and where."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gdfit
from gdfit.data.dataset import Dataset
from gdfit.data.text.dialect import Selection
from gdfit.model.evaluation import Evaluation, errors_on, evaluate_rows
from gdfit.model.model_file import load_model
from gdfit.model.prediction import predict_rows

LINE = gdfit.observations_from([1.0, 2, 4], [3.0, 5, 9])
MODEL = gdfit.LinearModel((2.0,), 1.0, ("x",), "y")


def read(text: str, **asked: Any) -> gdfit.Observations:
    """The observations in a file with this text."""
    Path("data.csv").write_text(text)
    return gdfit.read_observations("data.csv", **asked)


def evaluated(text: str, target: str | None = None) -> Evaluation:
    Path("data.csv").write_text(text)
    return evaluate_rows(MODEL, Dataset(("data.csv",), Selection(target=target)))


def evaluated_with_levels(text: str) -> Evaluation:
    Path("new.csv").write_text(text)
    model = gdfit.train(read("k,y\na,1\nb,2\n", features=["k"], target="y")).model
    return evaluate_rows(model, Dataset(("new.csv",)))


def predicted(*texts: str) -> list[bytes]:
    """What prediction writes for files with these texts."""
    for number, text in enumerate(texts, 1):
        Path(f"{number}.csv").write_text(text)
    written: list[bytes] = []
    files = tuple(f"{number}.csv" for number in range(1, len(texts) + 1))
    predict_rows(MODEL, Dataset(files), written.append)
    return written


def loaded(text: str) -> gdfit.LinearModel:
    Path("model.json").write_text(text)
    return load_model("model.json")


def gone_on(features: str) -> gdfit.Fit:
    """A fit that goes on from a model with other terms of the same names."""
    text = "k,x,y\n" + "".join(f"{'abc'[place % 3]},{place},{place**2}\n" for place in range(9))
    model = gdfit.train(read(text, features="k", target="y"), epochs=2).model
    other = read(text.replace("c,", "b,"), features=features, target="y")
    return gdfit.train(other, init=model, epochs=2)


def of_levels(count: int) -> str:
    """A file with two categories of so many levels, in all of their combinations."""
    rows = (f"u{a},v{b},{a * b}\n" for a in range(count) for b in range(count))
    return "u,v,y\n" + "".join(rows)


FAULTS: dict[str, tuple[Callable[[], object], str]] = {
    "no files": (lambda: gdfit.read_observations(), "there is no file to read"),
    "no features": (lambda: read("x,y\n1,2\n", features=[]), "`features` names no column"),
    "a feature twice": (
        lambda: read("x,z,y\n1,2,3\n", features=["x:z", "z:x"]),
        "`features` names a column twice",
    ),
    "degree 0": (
        lambda: read("x,y\n1,2\n", degree=0),
        "`degree` takes a whole number from 1 on, not 0",
    ),
    "a degree too high": (
        lambda: read("a,b,c,y\n1,2,3,4\n", degree=22),
        "`degree` 22 of 3 features makes 2,299 of them, more than 2,000; name fewer `features`",
    ),
    "too many columns": (
        lambda: read(",".join([*map("x{}".format, range(5001)), "y"]) + "\n" + "1," * 5001 + "2\n"),
        "there are 5,001 features, more than 5,000; name fewer `features`",
    ),
    "a product for a target": (
        lambda: read("x,z,y\n1,2,3\n", target="x:z"),
        "`target` takes a column or a function of one, not x:z",
    ),
    "a category for a target": (
        lambda: read("x,z,y\n1,2,3\n", target="C(z)"),
        "`target` takes a column or a function of one, not C(z)",
    ),
    "row names and one column": (
        lambda: read("row_names,y\n1,2\n3,4\n"),
        "data.csv: a fit needs a feature and a target, two columns with numbers; there is 'y' "
        "alone; `features` row_names uses a column of row names",
    ),
    "one column left": (
        lambda: read("x,y\n1,2\n3,4\n", exclude="x"),
        "data.csv: a fit needs a feature and a target, two columns with numbers; there is 'y' "
        "alone",
    ),
    "too many products of levels": (
        lambda: read(of_levels(46), features="u:v", target="y"),
        "the products of categories make 2,025 features, more than 2,000; name fewer `features`",
    ),
    "one level only": (
        lambda: read("k,x,y\na,1,2\na,2,3\n", features="k", target="y"),
        "there is one level only of k, which makes no feature",
    ),
    "a function of a column that is not there": (
        lambda: read("x,y\n1,2\n", features="sin(z)"),
        "data.csv: there is no column 'sin(z)'; its columns with numbers are x, y; a term is NAME, "
        "NAME^2, log(NAME), A:B or C(NAME), and a comma stands between two",
    ),
    "a part of a product that is not there": (
        lambda: read("x,y\n1,2\n", features="x: z"),
        "data.csv: there is no column 'z'; its columns with numbers are x, y",
    ),
    "a product beyond float64": (
        lambda: read("x,z,y\n1,1,1\n1e200,1e200,3\n", features="x:z"),
        "data.csv, line 3, column 'x': x:z is larger than the largest float64, 1.8e308",
    ),
    "the second factor beyond float64": (
        lambda: read("x,z,y\n1,1,1\n2,1000,3\n", features="x:exp(z)"),
        "data.csv, line 3, column 'z': exp(z) of 1000 is larger than the largest float64, 1.8e308",
    ),
    "a target without a logarithm": (
        lambda: read("x,y\n1,1\n2,0\n3,-1\n", target="log(y)"),
        "data.csv, line 3, column 'y': log(y) takes a number above 0, not 0",
    ),
    "features without a logarithm": (
        lambda: read("x,y\n1,1\n0,2\n-1,3\n", features="log(x)"),
        "data.csv, line 3, column 'x': log(x) takes a number above 0, not 0",
    ),
    "weights below 0": (
        lambda: read("x,y,v\n1,2,1\n2,3,-1\n3,4,-2\n", weights="v"),
        "data.csv, line 3, column 'v': a weight can't be negative, as -1 is",
    ),
    "numbers that are not finite": (
        lambda: gdfit.observations_from([1.0, 2, np.inf], [1.0, np.nan, 2]),
        "y is nan in row 1, counted from 0: x and y must be finite numbers",
    ),
    "levels that are not known": (
        lambda: evaluated_with_levels("k,y\na,1\nc,2\nd,3\n"),
        "new.csv, line 3, column 'k': 'c' is a level that training has not seen; there are a, b",
    ),
    "no line end": (
        lambda: read("x" * 300_000),
        "data.csv: is not a CSV file: its first line is longer than 256 kB",
    ),
    "a long name": (
        lambda: gdfit.read_observations("x" * 300),
        f"{'x' * 300}: can't be read: File name too long",
    ),
    "a file that gives an error": (
        lambda: gdfit.read_observations("/proc/self/mem"),
        "/proc/self/mem: can't be read: Input/output error",
    ),
    "names that are too few": (
        lambda: gdfit.observations_from(np.ones((3, 2)), [1, 2, 3], ["x"]),
        "1 names for 2 features",
    ),
    "nothing at all": (lambda: gdfit.observations_from([], []), "there are no observations"),
    "a file of blank lines": (lambda: read("\n  \n\n"), "data.csv: is empty"),
    "a file of blank lines and a tab": (lambda: read(" \n\t\n"), "data.csv: is empty"),
    "weights by name of an array": (
        lambda: gdfit.observations_from([[1.0], [2.0]], [1.0, 2.0], weights="w"),
        "`weights` is the name of a column, and x is no DataFrame",
    ),
    "a start that there is not": (
        lambda: gdfit.train(LINE, init="ones"),
        "no `init` 'ones'; there are zeros and random",
    ),
    "a start of another width": (
        lambda: gdfit.train(LINE, init=gdfit.LinearModel((1.0,), 0.0, ("z",), "y")),
        "the model to start from has the features z; the data has x; `features` z takes the "
        "model's",
    ),
    "a start with other levels": (
        lambda: gone_on("k"),
        "column 'k': the model to start from has the levels a, b, c; the data has a, b",
    ),
    "a start with b where there is none": (
        lambda: gdfit.train(
            gdfit.observations_from([1.0, 2], [1.0, 2], intercept=False), init=MODEL
        ),
        "the model to start from has b = 1, and without an intercept b is 0",
    ),
    "no step yet": (
        lambda: gdfit.Run(LINE, lr=0.1).fit(),
        "the run has made no step yet: iterate over it first",
    ),
    "no rows": (
        lambda: gdfit.train(read("x,y\n1,2\n2,3\n"), loss="mae"),
        "this needs the rows themselves: read them with `keep_rows` true",
    ),
    "nothing to evaluate": (lambda: errors_on(MODEL, []).evaluation(), "there are no observations"),
    "a file with nothing to evaluate": (
        lambda: evaluated("x,y\n"),
        "data.csv: there are no observations",
    ),
    "an evaluation of a product": (
        lambda: evaluated("x,y\n1,2\n", "x:y"),
        "`target` takes a column or a function of one, not x:y",
    ),
    "errors beyond float64": (
        lambda: evaluated("x,y\n1e200,2\n"),
        "the errors are too large for float64 to square",
    ),
    "a model that is not there": (
        lambda: load_model("nothing.json"),
        "nothing.json: no such model file; 'gdfit train DATA' makes one",
    ),
    "a folder for a model": (lambda: load_model("."), ".: is a folder, not a model file"),
    "a model with a long name": (
        lambda: load_model("x" * 300),
        f"{'x' * 300}: can't be read: File name too long",
    ),
    "a model with true for a number": (
        lambda: loaded('{"w": [true], "b": 1, "features": ["x"], "target": "y"}'),
        "model.json: is not a model file (its params are not all numbers)",
    ),
    "a logarithm of 0": (
        lambda: gdfit.train(
            read("x,y\n1,2\n2,3\n", features="log(x)"), lr=0.1, epochs=2
        ).model.predict([0.0]),
        "the array, row 0 (from 0), column 'x': log(x) takes a number above 0, not 0",
    ),
    "parts with other delimiters": (
        lambda: predicted("x,y\n1,2\n", "x;y\n3;4\n"),
        "2.csv: its delimiter is not that of 1.csv; predict them one by one",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_one_line(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    act, message = FAULTS[fault]
    with pytest.raises(gdfit.GdfitError, match=f"^{re.escape(message)}$"):
        act()
