"""What goes wrong with terms, and what is said of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from conftest import Gdfit

ROWS = "kind,x,y\na,1,2\nb,2,3\na,3,5\nb,4,4\nc,5,9\nc,6,8\n"


@pytest.mark.parametrize(
    ("header", "features", "degree"),
    [
        ("x,x^2,y", "x,x^2", "2"),
        ("a,b,a:b,y", "a,b,a:b", "2"),
        ("x,x^2,z,y", "x:z,x^2", "3"),
    ],
)
def test_a_feature_may_not_be_called_as_a_column_it_is_not(
    gdfit: Gdfit, header: str, features: str, degree: str
) -> None:
    """It would be that column to who reads the model's file."""
    width = len(header.split(","))
    rows = [[(3 * row + 5 * place) % 7 + 1 for place in range(width)] for row in range(12)]
    Path("d.csv").write_text(header + "\n" + "".join(f"{str(row)[1:-1]}\n" for row in rows))
    options = ["--features", features, "--target", "y"]
    result = gdfit("train", "d.csv", *options, "--degree", degree)
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert "would be called as a column is" in result.err


def test_a_column_that_is_not_used_may_be_called_as_a_feature(gdfit: Gdfit) -> None:
    Path("d.csv").write_text("x,x^2,y\n1,50,2\n2,7,9\n3,-8,28\n4,1,65\n")
    record = gdfit.json("train", "d.csv", "--features", "x", "--degree", "3", "--scale", "whiten")
    assert record["features"] == ["x", "x^2", "x^3"]
    predicted = gdfit("predict", "d.csv").out.splitlines()[1:]
    assert [float(row.rpartition(",")[2]) for row in predicted] == pytest.approx([2, 9, 28, 65])


def test_a_degree_needs_numbers(gdfit: Gdfit) -> None:
    result = gdfit("train", "-", "--features", "kind", "--degree", "2", stdin=ROWS.encode())
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        "gdfit: error: --degree has no effect here: it is for features that are numbers\n"
    )
    assert gdfit("train", "-", "--features", "kind,x", "--degree", "2", stdin=ROWS.encode()).out


def test_a_category_of_one_level_is_told(gdfit: Gdfit) -> None:
    rows = b"c,k,x,y\na,1,1,2\na,1,2,3\na,1,3,5\n"
    result = gdfit("train", "-", "--features", "c,C(k),x", "-q", stdin=rows)
    assert result.err.splitlines() == [
        "gdfit: note: c has one level only, a: it makes no feature",
        "gdfit: note: C(k) has one level only, 1: it makes no feature",
    ]


def test_levels_are_told_as_they_are_typed(gdfit: Gdfit) -> None:
    with Path("d.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["c", "y"], ["a, b", 1], ['"', 2], ["z", 3], ["a, b", 2], ["z", 4]]
        )
    gdfit("train", "d.csv", "--features", "c")
    result = gdfit("predict", "--x", "a")
    assert result.err.endswith('there are """", "a, b", z\n')
    for level in ('""""', '"a, b"', "z"):
        assert gdfit("predict", "--x", level).status == 0


@pytest.mark.parametrize(
    ("options", "last", "told"),
    [
        (["--features", "log(x)"], "c,0,8", "log(x) takes a number above 0, not 0\n"),
        (["--weights", "x"], "c,-1,8", "a weight can't be negative, as -1 is\n"),
        (["--features", "x"], "c,five,8", "'five' is not a number\n"),
    ],
)
def test_nothing_is_said_that_does_not_help(
    gdfit: Gdfit, options: list[str], last: str, told: str
) -> None:
    """As which columns have numbers, where this one does."""
    if "--features" not in options:
        options = [*options, "--features", "kind"]
    result = gdfit("train", "-", *options, "--target", "y", stdin=f"{ROWS}{last}\n".encode())
    assert result.status == 1
    assert result.err.endswith(told)


def test_a_fit_goes_on_with_its_terms_in_another_order(gdfit: Gdfit) -> None:
    Path("d.csv").write_text(ROWS)
    for more in ([], ["--no-intercept"]):
        options = ["--lr", "0.001", "--epochs", "7", *more]
        gdfit("train", "d.csv", "--features", "kind,x^2", *options)
        other = ["--features", "x^2,kind", "--init", "gdfit.json"]
        on = gdfit.json("train", "d.csv", *options, *other)
        gdfit("train", "d.csv", "--features", "x^2,kind", *options, "--epochs", "14")
        whole = json.loads(Path("gdfit.json").read_text())
        assert on["features"] == whole["features"]
        assert on["w"] == pytest.approx(whole["w"], rel=1e-12)


def test_what_to_type_where_a_fit_can_not_go_on(gdfit: Gdfit) -> None:
    Path("d.csv").write_text(ROWS)
    Path("few.csv").write_text(ROWS.replace("c,5,9\nc,6,8\n", ""))
    gdfit("train", "d.csv", "--features", "kind,log(x)", "--target", "y")
    again = ["--init", "gdfit.json", "--target", "y", "--no-model"]
    result = gdfit("train", "d.csv", *again)
    assert result.status == 1
    assert result.err.endswith("; --features 'kind,log(x)' takes the model's\n")
    assert gdfit("train", "d.csv", *again, "--features", "kind,log(x)").status == 0
    result = gdfit("train", "few.csv", *again, "--features", "kind,log(x)")
    assert result.status == 1
    assert result.err == (
        "gdfit: error: column 'kind': the model to start from has the levels a, b, c; the data "
        "has a, b\n"
    )
