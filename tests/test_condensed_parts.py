"""What condensed rows say of the rows that they were made of, part by part and group by group."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdfit.arrays import STACKED, FloatArray, Near, near, shared, triangles
from gdfit.data.batch import Rows
from gdfit.data.dataset import Dataset
from gdfit.data.observations import Observations, far_value, said_by_last
from gdfit.data.reduction import condense
from gdfit.data.reduction.sampling import HoldOut, Reservoir
from gdfit.data.text.dialect import Selection

COUNT = 300


def table() -> pd.DataFrame:
    """Rows with a category, one of whose levels comes late, and weights."""
    random = np.random.default_rng(3)
    kind = np.where(np.arange(COUNT) < 200, "low", random.choice(["mid", "high", "low"], COUNT))
    made = {"a": random.normal(2, 1, COUNT).round(3), "b": random.uniform(-5, 9, COUNT).round(2)}
    y = (3 * made["a"] - made["b"] + random.normal(size=COUNT)).round(3)
    return pd.DataFrame({**made, "kind": kind, "v": random.integers(1, 6, COUNT), "y": y})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("rows") / "rows.csv"
    table().to_csv(file, index=False)
    return str(file)


FEATURES: dict[str, tuple[tuple[str, ...], Any]] = {
    "plain": (("a", "b"), lambda t: [t.a, t.b]),
    "product": (("a", "a:b", "b^2"), lambda t: [t.a, t.a * t.b, t.b**2]),
    "category": (
        ("b", "kind", "a"),
        lambda t: [t.b, 1.0 * (t.kind == "low"), 1.0 * (t.kind == "mid"), t.a],
    ),
    "interaction": (
        ("a", "a:kind"),
        lambda t: [t.a, t.a * (t.kind == "low"), t.a * (t.kind == "mid")],
    ),
}


def gram_of(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """The products of columns, which R keeps."""
    return np.asarray((rows * weights[:, np.newaxis]).T @ rows)


def whole_rows(t: pd.DataFrame, columns: list[Any]) -> FloatArray:
    """Rows of features, a one and y."""
    return np.column_stack([*columns, np.ones(len(t)), t.y]).astype(float)


def compare(found: Observations, t: pd.DataFrame, columns: list[Any], *, weighed: bool) -> None:
    """All parts but those that are for pictures."""
    rows = whole_rows(t, columns)
    v = t.v.to_numpy(float) if weighed else np.ones(len(t))
    gram = gram_of(rows, v)
    assert found.count == len(t)
    assert found.total_weight == pytest.approx(v.sum())
    assert found.log_weight == pytest.approx(np.log(v).sum() if weighed else 0.0)
    assert (found.weight is None) == (not weighed)
    np.testing.assert_allclose(found.augmented.T @ found.augmented, gram, rtol=1e-9, atol=1e-7)
    assert len(found.augmented) <= rows.shape[1]
    assert found.mean_square == pytest.approx(float(v @ t.y**2) / v.sum())
    w = np.linspace(0.5, -0.5, rows.shape[1] - 1)
    errors = rows[:, -1] - rows[:, :-1] @ w
    spread = v @ (t.y - (v @ t.y) / v.sum()) ** 2
    assert found.r_squared(w) == pytest.approx(1 - float(v @ errors**2) / float(spread))


@pytest.mark.parametrize("unit_bytes", [1 << 21, 700])
@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("name", FEATURES)
def test_all_parts_are_those_of_the_rows(
    path: str, name: str, weighed: bool, unit_bytes: int
) -> None:
    features, of = FEATURES[name]
    selection = Selection(features, "y", weights="v" if weighed else None)
    t = table()
    dataset = Dataset((path,), selection, unit_bytes=unit_bytes)
    found = dataset.observations(keep_rows=True)
    compare(found, t, of(t), weighed=weighed)
    rows = np.delete(whole_rows(t, of(t)), -2, axis=1)
    assert found.first.tolist() == rows[:3].tolist()
    assert found.last[-1] == t.y.iloc[-1]
    assert (found.last_values[0][0], found.last_values[1]) == (rows[-1, 0], t.y.iloc[-1])
    assert found.sample.tolist() == rows.tolist()
    assert found.sample_places is not None
    assert len({*map(tuple, found.sample_places.tolist())}) == COUNT
    if unit_bytes == 700:
        assert found.sample_places[-1, 1] > 5
    assert found.rows is not None
    kept = np.concatenate([*found.rows.blocks()])
    assert kept[:, : rows.shape[1] + 1].tolist() == whole_rows(t, of(t)).tolist()
    if weighed:
        assert (found.first_weights is None, found.sample_weights is None) == (False, False)
        assert found.first_weights.tolist() == t.v[:3].tolist()  # type: ignore[union-attr]
        assert found.sample_weights.tolist() == t.v.tolist()  # type: ignore[union-attr]
        assert kept[:, -1].tolist() == t.v.tolist()
    assert found.sample_inputs is not None
    numbers = [each for each in ("a", "b") if any(each in term for term in features)]
    first = [name for name in dict.fromkeys("".join(features)) if name in numbers]
    assert {*map(tuple, found.sample_inputs.T.tolist())} == {tuple(t[each]) for each in numbers}
    assert found.sample_inputs[:, 0].tolist() in [t[each].tolist() for each in first]


@pytest.mark.parametrize("unit_bytes", [1 << 21, 700])
@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("keep_rows", [False, True])
def test_groups_are_their_rows(path: str, weighed: bool, keep_rows: bool, unit_bytes: int) -> None:
    t = table()
    selection = Selection(("a", "b"), "y", weights="v" if weighed else None, by="kind")
    dataset = Dataset((path,), selection, unit_bytes=unit_bytes)
    found: Any = dataset.observations(keep_rows=keep_rows)
    assert found.groups == ("high", "low", "mid")
    sizes = [int((t.kind == group).sum()) for group in found.groups]
    assert found.counts.tolist() == sizes
    assert found.by_size == np.argsort(-np.array(sizes), kind="stable").tolist()
    for place, group in enumerate(found.groups):
        part = t[t.kind == group]
        own = found.group(place)
        compare(own, part, [part.a, part.b], weighed=weighed)
        assert own.features == ("a", "b")
        assert own.expansion is None
        rows = np.column_stack([part.a, part.b, part.y])
        assert own.sample.tolist() == rows.tolist()
        assert own.first.shape == (0, 3)
        assert own.sample_inputs is not None
        assert own.sample_inputs.tolist() == rows[:, :2].tolist()
        if weighed:
            assert own.sample_weights is not None
            assert own.sample_weights.tolist() == part.v.tolist()
            assert found.weights[place] == part.v.sum()
            assert found.log_weights[place] == pytest.approx(np.log(part.v).sum())
        if keep_rows:
            assert own.rows is not None
            kept = np.concatenate([*own.rows.blocks()])
            assert kept[:, :4].tolist() == whole_rows(part, [part.a, part.b]).tolist()
            if weighed:
                assert kept[:, 4].tolist() == part.v.tolist()


def test_numbers_that_lie_close_together_have_an_origin(tmp_path: Path) -> None:
    t = np.linspace(0, 1, 40)
    rows = pd.DataFrame({"x": 1e9 + t, "z": t, "y": 2 * t + 1})
    rows.to_csv(tmp_path / "near.csv", index=False, float_format="%.17g")
    for unit_bytes in (1 << 21, 300):
        dataset = Dataset((str(tmp_path / "near.csv"),), unit_bytes=unit_bytes)
        found = dataset.observations()
        assert found.near is not None
        assert found.near.origin[1] == 0
        assert abs(found.near.origin[0] - 1e9) <= 1
        moved = 1e9 - found.near.origin[0] + t
        own = found.near.rows.T @ found.near.rows
        expected = np.column_stack([moved, t, np.ones(40), 2 * t + 1])
        np.testing.assert_allclose(own, expected.T @ expected, rtol=1e-6, atol=1e-6)


def test_an_origin_is_moved_and_shared() -> None:
    rows = np.array([[1000.0, 5.0, 1.0, 2.0], [1000.0005, -5.0, 1.0, 3.0]])
    found = near(rows)
    assert found.origin.tolist() == [1000.0, 0.0]
    assert found.rows[:, 0].tolist() == [0.0, 1000.0005 - 1000]
    assert found.whole.tolist() == rows.tolist()
    assert found.at(np.array([999.0, 1.0]))[:, :2].tolist() == [[1, 4], [1000.0005 - 999, -6]]
    assert found.at(found.origin) is found.rows
    assert near(rows, [1]).origin.tolist() == [0.0, 0.0]
    assert near(rows, [0]).origin.tolist() == [1000.0, 0.0]
    without_one = rows * [1, 1, 0, 1]
    assert near(without_one).origin.tolist() == [0.0, 0.0]
    weighed = found.weighed(np.array([4.0, 9.0]))
    assert weighed.rows.tolist() == (found.rows * [[2.0], [3.0]]).tolist()
    part = 2.0**-20
    for apart, is_near in (
        (part, True),
        (1.001 * part, False),
        (-part, False),
        (-0.99 * part, True),
    ):
        origin = shared(np.array([1.0]), np.array([1 + apart]))
        assert origin.tolist() == ([1.0] if is_near else [0.0])
    joined = found.joined(Near.here(np.array([[7.0, 1.0, 1.0, 4.0]])))
    assert joined.origin.tolist() == [0.0, 0.0]
    assert joined.rows.tolist() == [*rows.tolist(), [7, 1, 1, 4]]
    late = np.vstack([np.full((30, 4), 1.0), [[1.1, 1, 1, 1]]])
    assert near(late).origin.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("counts", [[3], [3, 900, 1, 40], [0, 7, 0, 2500, 5], [20_000, 2]])
def test_r_of_each_run_is_that_of_its_rows(
    counts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.random.default_rng(1).normal(size=(sum(counts), 4))
    ends = np.cumsum(counts)
    for most in (STACKED, 200):
        monkeypatch.setattr("gdfit.arrays.STACKED", most)
        found = triangles(rows, np.array(counts))
        assert found.shape == (len(counts), 4, 4)
        for triangle, count, end in zip(found, counts, ends, strict=True):
            part = rows[end - count : end]
            np.testing.assert_allclose(triangle.T @ triangle, part.T @ part, atol=1e-9)
            assert not np.tril(triangle, -1).any()
            assert not triangle[count:].any()


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("sizes", [[1, 1, 1], [2], [3, 4], [40, 1, 17], [1000, 3]])
def test_each_row_is_held_out_or_not(fraction: float, sizes: list[int]) -> None:
    wanted = max(1, round(fraction * sum(sizes)))
    for seed in range(20):
        dealing = HoldOut(fraction, seed)
        settled = dealing.settled(sizes)
        held_out = 0
        for number, (size, piles) in enumerate(zip(sizes, settled, strict=True)):
            to_train, to_hold, left = dealing.dealt((0, number), np.arange(size))
            assert sorted([*to_train, *to_hold, *left]) == [*range(size)]
            assert (np.diff(to_train) > 0).all()
            assert (np.diff(to_hold) > 0).all()
            assert len(piles) == len(left) <= 2
            assert {*piles} <= {0, 1}
            part = len(to_hold) + sum(piles)
            assert abs(part - fraction * size) < 1.5 + abs(wanted - fraction * sum(sizes))
            held_out += part
        assert held_out == wanted


def test_a_sample_has_the_rows_with_the_smallest_draws() -> None:
    rows = np.arange(50.0)[:, np.newaxis]
    for most, step in ((7, 50), (7, 3), (49, 10), (50, 10), (51, 10)):
        reservoir = Reservoir(1, 2, most=most)
        for start in range(0, 50, step):
            reservoir.add(rows[start : start + step])
        found = reservoir.sample()
        assert len(found.rows) == min(most, 50)
        assert (np.diff(found.rows[:, 0]) > 0).all()
        assert found.places.tolist() == found.rows[:, 0].tolist()
        assert len(found.draws) == len(found.rows)
    drawn = Reservoir(1, 2, most=5)
    for start in range(0, 48, 3):
        drawn.add(rows[start : start + 3])
    assert drawn.sample().places.tolist() == [5, 17, 27, 38, 39]  # as ever
    one = Reservoir(1, 2, most=9)
    other = Reservoir(1, 3, most=9)
    one.add(rows[:6])
    other.add(rows[6:11])
    both = one.sample().merged(other.sample())
    draws = np.concatenate([one.sample().draws, other.sample().draws])
    assert both.rows[:, 0].tolist() == np.sort(np.argsort(draws)[:9]).tolist()


@pytest.mark.parametrize("step", [50, 20, 7])
def test_the_smallest_of_draws_that_are_not_made_are_distributed_as_if_they_were(step: int) -> None:
    rows, most, trials = np.arange(50.0)[:, np.newaxis], 8, 4000
    chosen, draws = np.zeros(50), []
    for seed in range(trials):
        reservoir = Reservoir(seed, most=most)
        for start in range(0, 50, step):
            reservoir.add(rows[start : start + step])
        found = reservoir.sample()
        chosen[found.places] += 1
        draws.append(np.sort(found.draws))
    expected = trials * most / 50
    # Each row with the same probability, and the k-th draw with the moments of Beta(k, N + 1 - k).
    assert np.abs(chosen - expected).max() < 4.5 * math.sqrt(expected * (1 - most / 50))
    k = np.arange(1, most + 1)
    mean = k / 51
    deviation = np.sqrt(mean * (1 - mean) / 52)
    assert np.abs(np.mean(draws, axis=0) - mean).max() < 4.5 * deviation.max() / math.sqrt(trials)
    assert np.std(draws, axis=0) == pytest.approx(deviation, rel=0.06)


@pytest.mark.parametrize(("memory", "in_memory"), [(10 * 3 * 8, True), (10 * 3 * 8 - 1, False)])
def test_rows_are_kept_in_memory_as_far_as_they_may_be(memory: int, in_memory: bool) -> None:
    rows = np.arange(30.0).reshape(10, 3)
    kept = Rows(3, memory, block=4)
    kept.add(rows[:3])
    kept.add(rows[3:10])
    assert (kept.count, kept.in_memory) == (10, in_memory)
    assert [block.tolist() for block in kept.blocks()] == [
        rows[:4].tolist(),
        rows[4:8].tolist(),
        rows[8:].tolist(),
    ]
    twice = kept.changed(lambda part: 2 * part).changed(lambda part: part + 1)
    assert np.concatenate([*twice.blocks()]).tolist() == (2 * rows + 1).tolist()
    assert np.concatenate([*twice.before.blocks()]).tolist() == (2 * rows).tolist()
    for size in (1, 3, 4, 7, 10, 20):
        batches = [*kept.batches(size, np.random.default_rng(size))]
        sizes = [len(batch) for batch in batches]
        assert sizes == [size] * (10 // size) + [10 % size] * (10 % size > 0)
        found = np.concatenate(batches)
        assert sorted(found[:, 0].tolist()) == rows[:, 0].tolist()
        assert (found[:, 1] == found[:, 0] + 1).all()


def test_rows_are_kept_up_to_what_is_allowed(path: str) -> None:
    size = COUNT * 4 * 8
    for most, is_kept in ((size, True), (size - 1, False)):
        dataset = Dataset((path,), Selection(("a", "b"), "y"), keep_most=most)
        assert (dataset.observations().rows is not None) == is_kept


@pytest.mark.parametrize("last", ["sum", "mean", "other"])
def test_a_last_row_of_sums_is_seen(tmp_path: Path, last: str) -> None:
    random = np.random.default_rng(4)
    rows = random.normal(3, 1, (12, 3)).round(2)
    end = {"sum": rows.sum(0), "mean": rows.mean(0), "other": rows.sum(0) + np.array([0, 0.02, 0])}[
        last
    ]
    for count in (12, 1):
        told = np.vstack([rows[:count], end if count > 1 else rows[:1].sum(0)])
        frame = pd.DataFrame(told, columns=["a", "b", "y"])
        frame.to_csv(tmp_path / "d.csv", index=False, float_format="%.10g")
        found = Dataset((str(tmp_path / "d.csv"),)).observations()
        assert said_by_last(found) == (last if last != "other" and count > 1 else None)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([-999.0] * 5 + [1.0, 2, 3, 4, 5, 6], -999.0),
        ([999.0] * 5 + [1.0, 2, 3, 4, 5, 6], 999.0),
        ([11.0] * 5 + [1.0, 2, 3, 4, 5, 6], None),
        ([12.0] * 5 + [1.0, 2, 3, 4, 5, 6], 12.0),
        ([-999.0, 1.0, 2, 3, 4, 5, 6], None),
        ([-999.0] * 5 + [1.0, 2, 1, 2, 1, 2], None),
    ],
)
def test_a_value_far_from_all_others_is_seen(values: list[float], found: float | None) -> None:
    assert far_value(np.array(values)) == found


def test_few_rows_are_stacked() -> None:
    rows = np.random.default_rng(2).normal(size=(condense.FEW * 5 + 1, 5))
    few, many = (Near(part, np.zeros(3)) for part in (rows[:-1], rows))
    assert condense.folded(few) is few
    assert condense.folded(many).rows.shape == (5, 5)
    assert condense.in_form(condense.folded(many).rows) is not None
    lower = np.tril(np.ones((5, 5)))
    assert not np.tril(condense.in_form(lower), -1).any()
    upper = np.triu(np.ones((5, 5)))
    assert condense.in_form(upper) is upper
