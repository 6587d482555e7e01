"""Columns taken in one by one: those that depend on others are left out, wherever they stand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gdfit
from gdfit.descent.least_squares import least_squares
from gdfit.descent.scaling import Elimination, scaled, scaling_of


@given(
    rank=st.integers(1, 6),
    repeats=st.lists(st.integers(0, 5), max_size=4),
    more_rows=st.integers(0, 20),
    seed=st.integers(0, 99),
)
def test_r_of_the_columns_that_are_kept(
    rank: int, repeats: list[int], more_rows: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    independent = random.normal(size=(rank + more_rows, rank))
    columns = [*independent.T]
    for place in repeats:  # a column that depends on all before it, or is one of them twice
        before = np.array(columns[: place + 1])
        columns.insert(len(before), random.normal(size=len(before)) @ before)
    rows = np.column_stack(columns)
    elimination = Elimination(rows, np.zeros(rows.shape[1]))
    elimination.take(range(rows.shape[1]))
    kept = rows[:, elimination.kept]
    assert kept.shape[1] == np.linalg.matrix_rank(rows) == rank
    triangle = np.triu(elimination._R[:rank, elimination.kept])
    assert (np.tril(triangle, -1) == 0).all()
    assert triangle.T @ triangle == pytest.approx(kept.T @ kept, abs=1e-11)
    assert elimination.inverse @ triangle == pytest.approx(np.eye(rank), abs=1e-8)
    for place in set(range(rows.shape[1])) - set(elimination.kept):
        assert kept @ elimination.weights(place) == pytest.approx(rows[:, place], abs=1e-8)
        assert elimination.left(place) == 0


def test_whitening_leaves_out_what_depends_on_other_columns_whatever_their_means() -> None:
    random = np.random.default_rng(1)
    year = np.arange(1990.0, 2021.0)
    x = np.column_stack(
        [year, year - 1900, np.full(31, 0.1), random.normal(size=31), 3e6 + year / 7]
    )
    observations = gdfit.observations_from(x, random.normal(size=31))
    scaling = scaling_of(observations, "whiten")
    assert scaling is not None
    assert list(scaling.used) == [0, 3]
    found = least_squares(observations.augmented[:, [-2, 0, 1, 2, 3, 4, -1]], intercept=True)
    assert np.isfinite(found.params).tolist() == [True, True, False, False, True, False]
    whitened = scaled(observations, scaling).design[:, [0, 3, -1]]
    assert whitened.T @ whitened == pytest.approx(31 * np.eye(3), abs=1e-12)


def test_whitened_params_are_those_of_least_squares() -> None:
    random = np.random.default_rng(2)
    x = random.normal(5.0, 1.0, size=(200, 1)) ** np.arange(1, 7)
    y = x @ [3.0, -1.0, 0.2, 0.1, 0.01, 0.001] + random.normal(size=200)
    observations = gdfit.observations_from(x, y)
    fit = gdfit.train(observations, lr=0.5, scale="whiten", epochs=60)
    rows = gdfit.summarize(observations).rows
    distances = [
        abs(param - (row.least_squares or 0.0)) / (row.std_error or 0.0)
        for param, row in zip(fit.model.params, rows, strict=True)
    ]
    assert max(distances) < 1e-8
