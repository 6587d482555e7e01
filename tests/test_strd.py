"""Least squares and standard errors against NIST's certified values.

``python tests/test_strd.py`` writes how many digits are right into docs/summary.md.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gdfit
from condensing import as_they_are, columns_of, condense
from conftest import Gdfit
from exact import reference
from gdfit import Observations
from gdfit.analysis.inference import Summary
from strd import PROBLEMS, Problem

PAGE = Path(__file__).parent.parent / "docs" / "summary.md"


def observations_of(problem: Problem, condensed: bool) -> Observations:
    """The data in float64, as they are or condensed."""
    x = np.array([[float(value) for value in row] for row in problem.x])
    y = np.array([float(value) for value in problem.y])
    names = tuple(f"x{place}" for place in range(x.shape[1]))
    columns, rows = columns_of(names, intercept=problem.intercept), np.column_stack([x, y])
    if not condensed:
        return as_they_are(rows, columns)
    return condense([rows], columns).observations(columns)


def refined(problem: Problem) -> Observations:
    """The data in float64 with their rows kept; powers are made of the first feature."""
    x, degree = [[float(value) for value in row] for row in problem.x], len(problem.x[0])
    y, intercept = [float(value) for value in problem.y], problem.intercept
    if problem.is_polynomial:
        return gdfit.observations_from([row[0] for row in x], y, degree=degree)
    return gdfit.observations_from(x, y, intercept=intercept)


def digits(value: float | None, certified: float) -> float:
    """How many digits are right."""
    assert value is not None
    if value == certified:
        return math.inf
    return -math.log10(abs(value / certified - 1) if certified else abs(value))


def fewest(summary: Summary, problem: Problem) -> tuple[float, float]:
    """How many digits are right at least: of the params, and of all else."""
    rows = list(zip(summary.rows, problem.params, strict=True))
    others = [
        *(digits(row.std_error, error) for row, (_, error) in rows),
        digits(summary.residual_std_error, problem.residual_std_error),
        digits(summary.r_squared, problem.r_squared),
    ]
    if problem.f is None:
        assert summary.f is None
    else:
        others.append(digits(summary.f, problem.f))
    return min(digits(row.least_squares, param) for row, (param, _) in rows), min(others)


@pytest.mark.parametrize("condensed", [False, True], ids=["raw", "condensed"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_certified_values(name: str, condensed: bool) -> None:
    problem = PROBLEMS[name]
    observations = observations_of(problem, condensed)
    summary = gdfit.summarize(observations)
    found = fewest(summary, problem)
    print(f"{name}: {found[0]:.1f} digits of the params, {found[1]:.1f} of all else")
    assert found[0] >= problem.digits[0]
    assert found[1] >= problem.digits[1]


@pytest.mark.parametrize("name", PROBLEMS)
def test_refinement_gives_13_digits(name: str) -> None:
    problem = PROBLEMS[name]
    params, others = fewest(gdfit.summarize(refined(problem)), problem)
    assert params >= 13
    told = {row[0]: row[1:] for row in rows_told(PAGE.read_text())}
    assert (params, others) >= tuple(map(float, told[name]))
    plain = fewest(gdfit.summarize(observations_of(problem, condensed=True)), problem)
    assert plain[0] <= params


@pytest.mark.parametrize("name", PROBLEMS)
def test_train_tells_13_digits_of_the_least_loss(gdfit: Gdfit, name: str) -> None:
    problem = PROBLEMS[name]
    degree = len(problem.x[0]) if problem.is_polynomial else 1
    features = 1 if problem.is_polynomial else len(problem.x[0])
    names = [f"x{place}" for place in range(features)]
    rows = [
        [*map(float, row[:features]), float(y)] for row, y in zip(problem.x, problem.y, strict=True)
    ]
    pd.DataFrame(rows, columns=[*names, "y"]).to_csv("d.csv", index=False)
    options = ["--degree", degree] if degree > 1 else []
    options += [] if problem.intercept else ["--no-intercept"]
    found = [gdfit.json("train", "d.csv", *options, "--no-model")["minimum_loss"]]
    found.append(
        gdfit.json("train", "-", *options, stdin=Path("d.csv").read_bytes())["minimum_loss"]
    )
    gdfit("condense", "d.csv", *options, "--output", "c.json")
    found.append(gdfit.json("train", "c.json", "--no-model")["minimum_loss"])
    assert len(set(found)) == 1
    freedom = len(rows) - len(problem.params)
    certified = problem.residual_std_error**2 * freedom / len(rows)
    largest = max(row[-1] ** 2 for row in rows)
    assert found[0] == pytest.approx(certified, rel=1e-13, abs=1e-28 * largest)


def test_refinement_knows_weights_and_levels() -> None:
    random = np.random.default_rng(0)
    data = pd.DataFrame({"x": random.normal(1e4, 1, 300), "v": random.integers(1, 5, 300)})
    data["kind"] = random.choice(["a", "b", "c"], 300)
    data["y"] = data["x"] * 3 + random.normal(size=300)
    terms = ["kind", "x", "kind:x", "x^2"]
    observations = gdfit.observations_from(data, "y", features=terms, weights="v")
    found = [row.least_squares for row in gdfit.summarize(observations).rows]
    design = pd.get_dummies(data["kind"], drop_first=True).astype(float)
    columns = [design["b"], design["c"], data["x"]]
    columns += [design["b"] * data["x"], design["c"] * data["x"]]
    x = [[Fraction(float(value)) for value in row] for row in np.column_stack(columns)]
    for row, value in zip(x, data["x"], strict=True):
        row.append(Fraction(float(value)) ** 2)
    y = [Fraction(float(value)) for value in data["y"]]
    rows = [*zip(x, y, data["v"], strict=True)]
    repeated = [(row, target) for row, target, times in rows for _ in range(times)]
    exact = reference([row for row, _ in repeated], [target for _, target in repeated])
    assert found == pytest.approx(exact.params, rel=1e-12)


ROW = re.compile(r"^\| (\w+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


def rows_told(page: str) -> list[tuple[str, str, str]]:
    """The rows of the table in the page: a data set, digits of the params, and of all else."""
    return ROW.findall(page)


def rows_found() -> str:
    """The same as they come out."""
    lines = []
    for name, problem in PROBLEMS.items():
        found = fewest(gdfit.summarize(refined(problem)), problem)
        params, others = (str(math.floor(min(each, 15))) for each in found)
        lines.append(f"| {name} | {params} | {others} |")
    return "\n".join(lines)


@pytest.mark.parametrize("name", PROBLEMS)
def test_rational_arithmetic_certifies_them_too(name: str) -> None:
    problem = PROBLEMS[name]
    exact = reference(problem.x, problem.y, intercept=problem.intercept)
    rel = 1e-14  # their 15 digits
    assert exact.params == pytest.approx([param for param, _ in problem.params], rel=rel)
    assert exact.std_errors == pytest.approx([error for _, error in problem.params], rel=rel)
    assert exact.residual_std_error == pytest.approx(problem.residual_std_error, rel=rel)
    assert exact.r_squared == pytest.approx(problem.r_squared, rel=rel)
    assert exact.f == (None if problem.f is None else pytest.approx(problem.f, rel=rel))


if __name__ == "__main__":
    before, *_, after = ROW.split(PAGE.read_text())
    PAGE.write_text(before + rows_found() + after)
