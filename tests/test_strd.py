"""Least squares and standard errors against NIST's certified values."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gdfit
from condensing import as_they_are, condense
from exact import reference
from gdfit import Observations
from gdfit.analysis.inference import Summary
from gdfit.data.terms.columns import Columns
from strd import PROBLEMS, Problem


def observations_of(problem: Problem, condensed: bool) -> Observations:
    """The data in float64, as they are or condensed."""
    x = np.array([[float(value) for value in row] for row in problem.x])
    y = np.array([float(value) for value in problem.y])
    names = tuple(f"x{place}" for place in range(x.shape[1]))
    columns, rows = Columns(names, "y", intercept=problem.intercept), np.column_stack([x, y])
    if not condensed:
        return as_they_are(rows, columns)
    return condense([rows], columns).observations(columns)


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
def test_rational_arithmetic_certifies_them_too(name: str) -> None:
    problem = PROBLEMS[name]
    exact = reference(problem.x, problem.y, intercept=problem.intercept)
    rel = 1e-14  # their 15 digits
    assert exact.params == pytest.approx([param for param, _ in problem.params], rel=rel)
    assert exact.std_errors == pytest.approx([error for _, error in problem.params], rel=rel)
    assert exact.residual_std_error == pytest.approx(problem.residual_std_error, rel=rel)
    assert exact.r_squared == pytest.approx(problem.r_squared, rel=rel)
    assert exact.f == (None if problem.f is None else pytest.approx(problem.f, rel=rel))
