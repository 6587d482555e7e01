"""p+2 rows stand for all of them: the same loss, gradient and path, whatever the data."""

from __future__ import annotations

import gc
import os
import resource
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from condensing import as_they_are, columns_of, condense
from gdfit.arrays import FloatArray
from gdfit.data.batch import SAMPLE_ROWS, Rows, buffered, memory_limit
from gdfit.data.dataset import Dataset
from gdfit.data.observations import Observations
from gdfit.data.reduction import condense as reducing
from gdfit.data.reduction.sampling import Reservoir
from gdfit.data.reduction.tree import Outcome, Tree
from gdfit.descent.objective import BACKENDS, whole_objective
from gdfit.descent.run import train
from gdfit.descent.settings import Settings


def both(rows: FloatArray, block: int = 7, units: int = 1) -> tuple[Observations, Observations]:
    """The observations in `rows` as they are, and condensed block by block in so many units."""
    names = tuple(f"x{place}" for place in range(1, rows.shape[1]))
    columns, tree = columns_of(names), Tree()
    for number, unit in enumerate(np.array_split(rows, units)):
        if len(unit):
            blocks = (unit[start : start + block] for start in range(0, len(unit), block))
            tree.add(number, Outcome(condense(blocks, columns, number)))
    return as_they_are(rows, columns), tree.result().part.observations(columns)


def badly_scaled(count: int, features: int, seed: int) -> FloatArray:
    """Rows with means up to 100 and deviations from 0.1 to 5."""
    random = np.random.default_rng(seed)
    means, deviations = random.uniform(-100, 100, features), random.uniform(0.1, 5, features)
    x = random.normal(means, deviations, (count, features))
    y = x @ random.normal(size=features) + random.normal(0, 0.5, count)
    return np.column_stack([x, y])


def test_the_path_is_that_of_long_double_loops_over_all_rows() -> None:
    rows = badly_scaled(200_000, 5, seed=3)
    x = np.column_stack([rows[:, :-1], np.ones(len(rows))]).astype(np.longdouble)
    y = rows[:, -1].astype(np.longdouble)
    _, condensed = both(rows, block=10_000)
    lr = 0.5 / float((x * x).mean(axis=0).sum())
    fits = [train(condensed, lr=lr, epochs=200, backend=backend) for backend in BACKENDS]
    params = np.zeros(6, dtype=np.longdouble)
    for steps in zip(*(fit.history for fit in fits), strict=True):
        residuals = x @ params - y
        grad = 2 * (residuals @ x) / len(y)
        params = params - np.longdouble(lr) * grad
        for step in steps if steps[0].epoch in (1, 2, 50, 200) else ():
            assert step.loss == pytest.approx(float((residuals**2).mean()), rel=1e-11)
            np.testing.assert_allclose(step.params, params.astype(float), rtol=1e-11)
            np.testing.assert_allclose(step.grad, grad.astype(float), rtol=1e-11)
    assert steps[0].epoch == 200


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 60),
    features=st.integers(1, 8),
    block=st.integers(1, 70),
    units=st.integers(1, 9),
    same_columns=st.booleans(),
    scale=st.sampled_from([1e-150, 1e-8, 1.0, 1e8, 1e150]),
)
def test_condensed_is_raw(
    seed: int, count: int, features: int, block: int, units: int, same_columns: bool, scale: float
) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, features + 1))
    if same_columns:
        rows[:, 0] = rows[:, features - 1]
        rows[:, features // 2] = 0
    rows *= scale
    raw, condensed = both(rows, block, units)
    assert len(condensed.target) <= features + 2
    assert (condensed.count, condensed.last.tolist()) == (count, rows[-1].tolist())
    assert condensed.first.tolist() == raw.first.tolist() == rows[:3].tolist()
    params = random.normal(size=features + 1)
    with np.errstate(over="ignore"):
        loss, grad = whole_objective(raw, Settings())(params)
        condensed_loss, condensed_grad = whole_objective(condensed, Settings())(params)
        # How large the terms are that add up to a gradient: what rounding is relative to.
        terms = np.abs(raw.design).T @ np.abs(raw.design @ params - raw.target) / count
    assert condensed_loss == pytest.approx(loss, rel=1e-11)
    assert (np.abs(condensed_grad - grad) <= 1e-11 * np.maximum(terms, loss**0.5)).all()
    expected = raw.r_squared(params)
    assert condensed.r_squared(params) == pytest.approx(expected, rel=1e-8, nan_ok=True)


CASES = {
    "a constant column": np.array([[3.0, 1, 2], [3, 2, 4], [3, 5, 1], [3, 0, 2]]),
    "columns of zeros": np.array([[0.0, 0, 2], [0, 0, 4], [0, 0, 1]]),
    "the same column twice": np.array([[1.0, 1, 2], [2, 2, 4], [5, 5, 1]]),
    "more features than observations": np.array([[1.0, 2, 3, 4, 5], [2, 0, 1, 1, 3]]),
    "one observation": np.array([[2.0, 5]]),
    "a perfect fit": np.array([[1.0, 3], [2, 5], [3, 7]]),
    "the same row every time": np.array([[2.0, 5]] * 9),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("lr", [0.01, 10.0])
def test_the_same_answers_or_the_same_divergence(case: str, lr: float) -> None:
    raw, condensed = both(CASES[case], block=2, units=2)
    expected, found = (train(data, lr=lr, epochs=300) for data in (raw, condensed))
    assert found.status == expected.status
    assert found.epochs == expected.epochs
    for step, other in zip(found.history, expected.history, strict=True):
        np.testing.assert_allclose(step.params, other.params, rtol=1e-9, atol=1e-12)
        assert step.loss == pytest.approx(other.loss, rel=1e-9, abs=1e-20, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 400), st.integers(1, 400))
def test_a_buffer_keeps_every_row_in_its_place(count: int, block: int, rows: int) -> None:
    numbers = np.arange(count, dtype=float)[:, np.newaxis]
    blocks = (numbers[start : start + block] for start in range(0, count, block))
    groups = [group.copy() for group in buffered(blocks, rows, 2)]
    together = np.concatenate(groups)
    assert (together[:, 0] == 1).all()
    assert together[:, 1].tolist() == numbers[:, 0].tolist()
    assert {len(group) for group in groups[:-1]} <= {rows}


@pytest.mark.parametrize("fraction", [None, 0.2])
def test_what_is_condensed_leaves_no_memory_taken(tmp_path: Path, fraction: float | None) -> None:
    """Nor has it to be collected as garbage, which commands put off."""
    path, seen = tmp_path / "data.csv", []
    path.write_text("x,y\n" + "1,2\n3,4\n5,7\n" * 100)

    def noted(*how: Any) -> Iterator[FloatArray]:
        for rows in buffered(*how):
            seen.append(weakref.ref(rows if rows.base is None else rows.base))
            yield rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reducing, "buffered", noted)
        gc.disable()
        try:
            for unit_bytes in (200, 1 << 20):
                dataset = Dataset((str(path),), unit_bytes=unit_bytes)
                dataset.observations() if fraction is None else dataset.split(fraction)
            assert len(seen) > 2
            assert not any(reference() for reference in seen)
        finally:
            gc.enable()


@pytest.mark.parametrize("block", [1, 7, 100, 3000])
def test_how_a_unit_is_cut_in_blocks_changes_no_bit(block: int) -> None:
    rows = badly_scaled(3000, 2, seed=1)
    (_, expected), (_, found) = both(rows, block=len(rows)), both(rows, block)
    for name in ("design", "target", "first", "last", "sample"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()


def sample_of(rows: FloatArray, seed: int, block: int) -> list[float]:
    """The first column of a reservoir's sample."""
    reservoir = Reservoir(seed)
    for start in range(0, len(rows), block):
        reservoir.add(rows[start : start + block])
    return [float(number) for number in reservoir.sample().rows[:, 0]]


def test_changed_rows_outlive_those_on_disk() -> None:
    """Their temporary file stays open as long as they are there."""
    rows = Rows(2, memory=0)
    rows.add(np.arange(8.0).reshape(4, 2))
    assert not rows.in_memory
    doubled = rows.changed(lambda block: 2 * block)
    del rows
    assert np.concatenate(list(doubled.blocks())).tolist() == [[0, 2], [4, 6], [8, 10], [12, 14]]


def test_a_sample_is_random_in_order_and_from_its_seed() -> None:
    rows = np.arange(50_000.0)[:, np.newaxis]
    chosen = sample_of(rows, 0, 1000)
    assert len(chosen) == SAMPLE_ROWS == len(set(chosen))
    assert chosen == sorted(chosen)
    assert chosen == sample_of(rows, 0, 1000)
    assert chosen != sample_of(rows, 1, 1000)
    assert sample_of(rows[:1999], 0, 7) == rows[:1999, 0].tolist()


def test_every_row_is_as_likely_to_be_in_a_sample() -> None:
    rows = np.arange(20_000.0)[:, np.newaxis]
    counts = np.zeros(10)
    for seed in range(100):
        counts += np.histogram(sample_of(rows, seed, 3000), bins=10, range=(0, 20_000))[0]
    # Each tenth of the rows should have 20,000 of all; its standard deviation is 127.
    assert (np.abs(counts - 20_000) < 6 * 127).all()


def test_rows_keep_to_a_quarter_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's, or what the process may have; a gigabyte where nobody knows."""
    machine = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}
    monkeypatch.setattr(os, "sysconf", machine.__getitem__)
    for limit, expected in [
        (resource.RLIM_INFINITY, 1_024_000),
        (8_000_000, 1_024_000),
        (8000, 2000),
    ]:
        monkeypatch.setattr(resource, "getrlimit", lambda which, limit=limit: (limit, limit))
        assert memory_limit() == expected
    monkeypatch.setattr(os, "sysconf", int)  # no number
    assert memory_limit() == 1 << 30
