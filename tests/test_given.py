"""Data in memory, folds, condensed files and runs that go on: each part is what was given."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdfit
from conftest import LECTURE, Gdfit
from gdfit.analysis.submissions import Submission
from gdfit.arrays import FloatArray
from gdfit.data.dataset import Dataset
from gdfit.data.in_memory import observations_of, with_folds, with_validation
from gdfit.data.observations import Observations, put_together
from gdfit.data.reduction.condensed_file import read_condensed
from gdfit.data.reduction.sampling import HoldOut
from gdfit.descent.least_squares import write_condensed
from gdfit.descent.own import Own
from gdfit.descent.stopping import DivergenceWatch
from gdfit.errors import GdfitError, UsageError
from test_bounds import step


def arrays(count: int = 30) -> tuple[FloatArray, FloatArray, FloatArray]:
    random = np.random.default_rng(12)
    x = random.normal(2, 1, (count, 2))
    return (
        x,
        x @ [1.5, -0.5] + random.normal(size=count),
        random.integers(0, 4, count).astype(float),
    )


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighed", [False, True])
def test_arrays_stand_as_they_are(weighed: bool, intercept: bool) -> None:
    x, y, v = arrays()
    how: dict[str, Any] = {"weights": v} if weighed else {}
    found = gdfit.observations_from(x, y, intercept=intercept, **how)
    kept = v > 0 if weighed else v >= 0
    own = v[kept] if weighed else np.ones(len(y))
    rows = np.column_stack([x, np.full(len(y), float(intercept)), y])[kept]
    np.testing.assert_allclose(found.augmented, rows * np.sqrt(own)[:, np.newaxis])
    shown = np.delete(rows, 2, axis=1)
    assert (found.count, found.features, found.target_name) == (len(rows), ("x1", "x2"), "y")
    assert found.first.tolist() == shown[:3].tolist()
    assert found.last.tolist() == shown[-1].tolist()
    assert found.sample.tolist() == shown.tolist()
    assert found.intercept == intercept
    assert found.rows is not None
    whole = np.concatenate([*found.rows.blocks()])
    assert whole[:, :4].tolist() == rows.tolist()
    assert found.sample_inputs is not None
    assert found.sample_inputs.tolist() == shown[:, :2].tolist()
    if weighed:
        assert found.weight == own.sum()
        assert found.log_weight == pytest.approx(np.log(own).sum())
        assert found.first_weights is not None
        assert found.sample_weights is not None
        assert found.first_weights.tolist() == own[:3].tolist()
        assert found.sample_weights.tolist() == own.tolist()
        assert whole[:, 4].tolist() == own.tolist()
    else:
        assert (found.weight, found.log_weight, found.first_weights) == (None, 0.0, None)
        assert found.near is None


def test_frames_and_arrays_are_the_same_data() -> None:
    x, y, v = arrays()
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "v": v + 1, "t": y})
    found = gdfit.observations_from(frame, target="t", features=["a", "b"], weights="v")
    named = gdfit.observations_from(x, y, features=["a", "b"], target="t", weights=v + 1)
    for each in (found, named):
        assert (each.features, each.target_name) == (("a", "b"), "t")
        assert each.weight == (v + 1).sum()
        gram = each.augmented.T @ each.augmented
        np.testing.assert_allclose(gram, named.augmented.T @ named.augmented)
    assert (found.weights_name, named.weights_name) == ("v", None)
    formula = gdfit.observations_from(frame, formula="t ~ a + b")
    assert (formula.features, formula.target_name) == (("a", "b"), "t")
    for more in ({"y": y}, {"target": "t"}, {"like": formula}):
        with pytest.raises(UsageError, match="goes with a DataFrame alone"):
            gdfit.observations_from(frame, formula="t ~ a", **more)
    with pytest.raises(UsageError, match="goes with a DataFrame alone"):
        gdfit.observations_from(x, y, formula="t ~ a")
    for wrong in ({"exclude": "a"}, {"degree": 2}, {"features": ["a"]}):
        with pytest.raises(UsageError, match="`like` says"):
            gdfit.observations_from(frame, "t", like=formula, **wrong)
    with pytest.raises(UsageError, match="`y` is missing"):
        gdfit.observations_from(x)
    with pytest.raises(UsageError, match="reads a file"):
        gdfit.observations_from("rows.csv")


def test_piles_are_named_as_the_whole() -> None:
    x, y, v = arrays()
    piles = observations_of(x, y, target="t", weights=v + 1, dealing=HoldOut(0.2, 0))
    assert [pile and (pile.count, pile.target_name) for pile in piles] == [(24, "t"), (6, "t")]
    first, *_ = observations_of(x[:1], y[:1], dealing=HoldOut(0.5, 0))
    assert first is None
    with pytest.raises(GdfitError, match="leaves none to train on"):
        with_validation(x[:1], y[:1], 0.5)
    for wrong in (0, 1, -0.1):
        with pytest.raises(UsageError, match="between 0 and 1"):
            with_validation(x, y, wrong)
    made = gdfit.observations_from(x, y)
    for wrong_data in (0.2, 3, [1]):
        with pytest.raises(UsageError):
            with_validation(made, None, wrong_data)
    assert with_validation(made, None, None) == (made, None)
    assert with_validation(made, None, made) == (made, made)
    held = with_validation(x, y, (x[:5], y[:5]))[1]
    assert held is not None
    assert held.count == 5


def test_parts_are_put_together() -> None:
    x, y, v = arrays()
    for weights in (None, v + 1):
        whole, folds = with_folds(x, y, 4, weights=weights)
        assert sorted(fold.count for fold in folds) == [7, 7, 8, 8]
        found = put_together(folds)
        assert (found.count, whole.count) == (30, 30)
        assert found.total_weight == pytest.approx(whole.total_weight)
        assert found.log_weight == pytest.approx(whole.log_weight)
        gram = found.augmented.T @ found.augmented
        np.testing.assert_allclose(gram, whole.augmented.T @ whole.augmented, rtol=1e-10)
        assert found.rows is not None
        assert sorted(found.sample.tolist()) == sorted(whole.sample.tolist())
        kept = np.concatenate([*found.rows.blocks()])
        assert sorted(kept[:, 0].tolist()) == sorted(x[:, 0].tolist())
        if weights is not None:
            assert found.sample_weights is not None
            assert found.sample_weights.sum() == pytest.approx(weights.sum())
    with pytest.raises(UsageError, match="takes 30 folds at most"):
        with_folds(x, y, 31)
    assert len(with_folds(x, y, 30)[1]) == 30
    with pytest.raises(UsageError, match="takes the rows themselves"):
        with_folds(gdfit.observations_from(x, y), None, 3)


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("count", [3, 39, 40])
def test_a_condensed_file_says_all_of_them(tmp_path: Path, count: int, weighed: bool) -> None:
    x, y, v = arrays(count)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "v": v + 1, "y": y})
    weights = "v" if weighed else None
    whole = gdfit.observations_from(frame, "y", ["a", "b"], weights=weights)
    path = tmp_path / "c.json"
    write_condensed(whole, path)
    found = read_condensed(str(path)).whole
    for name in ("count", "features", "target_name", "weight", "log_weight", "weights_name"):
        assert getattr(found, name) == getattr(whole, name), name
    gram = found.augmented.T @ found.augmented
    np.testing.assert_allclose(gram, whole.augmented.T @ whole.augmented, rtol=1e-12)
    assert len(found.augmented) == min(count, 4)
    if count == 3:
        assert found.augmented.tolist() == whole.augmented.tolist()
    assert found.first.tolist() == whole.first.tolist()
    assert found.last.tolist() == whole.last.tolist()
    assert found.sample.tolist() == whole.sample.tolist()
    if count < 40:
        with pytest.raises(GdfitError, match="too few to be hidden in 4: it takes 40"):
            write_condensed(whole, path, rows=False)
        return
    write_condensed(whole, path, rows=False)
    record = json.loads(path.read_text())
    text = json.dumps(record)
    assert all(f"{number!r}" not in text for number in x[:, 0].tolist())
    again = read_condensed(str(path)).whole
    np.testing.assert_allclose(again.augmented.T @ again.augmented, gram, rtol=1e-12)


def test_two_classes_are_seen(tmp_path: Path) -> None:
    def of(y: list[float]) -> Observations:
        (tmp_path / "d.csv").write_text(
            "x,y\n" + "".join(f"{at},{each:g}\n" for at, each in enumerate(y))
        )
        return Dataset((str(tmp_path / "d.csv"),)).observations()

    assert of([0, 0, 1, 0]).has_classes
    assert of([1, 1, 0, 1]).has_classes
    assert not of([0, 0, 0, 0]).has_classes
    assert not of([1, 1, 1, 1]).has_classes
    assert not of([0, 1, 2, 0]).has_classes
    assert not of([0, 1, 0.5, 0]).has_classes
    hidden = of([0, 1, 0, 1, 1])
    assert not replace(hidden, augmented=hidden.augmented * [1, 1, 2]).has_classes


def test_r_squared_at_its_ends() -> None:
    zeros = gdfit.observations_from([1.0, 2, 3], [0.0, 0, 0])
    assert math.isnan(zeros.r_squared(np.array([1.0, 1.0])))
    line = gdfit.observations_from([1.0, 2, 3], [2.0, 4, 6])
    assert line.r_squared(np.array([2.0, 0.0])) == 1
    assert line.r_squared(np.array([0.0, 4.0])) == 0
    with np.errstate(over="ignore"):
        assert line.r_squared(np.array([1e200, 0.0])) == -math.inf
    through = gdfit.observations_from([1.0, 2, 3], [1.0, 1, 1], intercept=False)
    assert through.r_squared(np.array([0.5, 0.0])) == pytest.approx(1 - 0.5 / 3)


def test_growth_that_is_rounding_is_none() -> None:
    watch = DivergenceWatch(overshoots=False)
    assert not any(watch(step(epoch, 1.0 + epoch * 5e-13)) for epoch in range(1, 40))
    watch = DivergenceWatch(overshoots=False)
    assert any(watch(step(epoch, (1 + 3e-12) ** epoch)) for epoch in range(1, 40))


def test_what_mixes_observations_is_told() -> None:
    y = np.array([1.0, 2, 4, 8, 16, 3])
    told: list[tuple[Any, str | None]] = [
        (lambda y_hat, y: (y_hat - y) ** 2, None),
        (lambda y_hat, y: ((y_hat - y) ** 2).mean(), None),
        (lambda y_hat, y: ((y_hat - y) ** 2).sum(), "returns the sum over the observations"),
        (lambda y_hat, y: ((y_hat - y) ** 2).mean() ** 0.5, "is no loss of each observation"),
        (lambda y_hat, y: (y_hat - y.mean()) ** 2, "is no loss of each observation"),
    ]
    for function, expected in told:
        found = Own(function).mixing(y)
        assert (found or "").startswith(expected or "")
        assert (found is None) == (expected is None)
        assert Own(function).mixing(y[:1]) is None
        if expected is not None:
            assert Own(function).mixing(y[:2]) is not None


def test_the_first_row_that_can_not_be_read_is_told(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "-q")
    lines = [f"{row % 7},1" for row in range(300_000)]
    lines[10], lines[280_000] = 'a"b,1', "c,1"
    Path("rows.csv").write_text("x,y\n" + "\n".join(lines) + "\n")
    found = gdfit("predict", "rows.csv")
    assert "2 rows that can't be read (rows.csv, line 12, column 'x': " in found.err
    assert len(found.out.splitlines()) == 300_001


def test_runs_that_go_on_count_their_epochs_on(tmp_path: Path) -> None:
    x, y, _ = arrays()
    path = tmp_path / "model.json"
    gdfit.train(x, y, lr=0.01, epochs=7).save(path)
    going = gdfit.compare(x, y, init=gdfit.load_model(path), lr=[0.01, 0.02], epochs=3)
    frame = going.frame
    assert frame["epoch"].max() in (3, 10)
    outcome = next(each for each in going.outcomes if each.values["lr"] == 0.01)
    done = outcome.fit.start_state.epochs
    own = frame[frame["lr"] == 0.01]
    assert own["epoch"].tolist() == [done + 1, done + 2, done + 3]
    assert outcome.loss_in(done + 2) == pytest.approx(own["loss"].iloc[1])
    assert math.isnan(outcome.loss_in(done))
    assert math.isnan(outcome.loss_in(done + 4))


def test_a_fault_is_told_in_few_letters(tmp_path: Path) -> None:
    path = tmp_path / "s.py"
    path.write_text("")
    submission = Submission(str(path), 0.0, lambda said: None)
    found = submission.fault(ValueError("many  words\n" * 100))
    assert len(found["error"]) == 200
    assert found["error"].startswith("ValueError: many words many words")
    assert (found["line"], found["own"]) == (None, True)
    for error in (OSError("x"), EOFError("x"), ImportError("x")):
        assert not submission.fault(error)["own"]
    assert submission.fault(KeyError())["error"] == "KeyError"
    assert submission.fault(MemoryError())["error"] == "it takes more than 1 GB of memory"


def test_where_a_run_may_start_without_an_intercept() -> None:
    x, y, _ = arrays()
    found = [
        gdfit.train(x, y, intercept=False, init=init, lr=1e-9, epochs=1)
        for init in ([0.5, 0.25], [0.5, 0.25, 0.0])
    ]
    for fit in found:
        assert [*fit.model.w] == pytest.approx([0.5, 0.25], abs=1e-6)
        assert fit.model.b == 0
    for wrong in ([0.5, 0.25, 1.0], [0.5], [0.5, 0.25, 0.0, 0.0], [0.5, math.nan]):
        with pytest.raises(UsageError):
            gdfit.train(x, y, intercept=False, init=wrong)


@pytest.mark.parametrize("name", ["lr", "huber_delta"])
def test_what_must_be_positive(name: str) -> None:
    x, y, _ = arrays()
    for wrong in (0.0, -0.5, math.inf, math.nan):
        with pytest.raises(UsageError):
            gdfit.train(x, y, loss="huber", **{name: wrong})  # type: ignore[arg-type]
    gdfit.train(x, y, loss="huber", epochs=1, **{name: 1e-9})  # type: ignore[arg-type]


def test_losses_of_runs_on_batches_are_of_all_observations() -> None:
    x, y, _ = arrays()
    found = gdfit.compare(x, y, batch_size=[7], lr=[0.05], epochs=6, scale="none")
    (outcome,) = found.outcomes
    fit = gdfit.train(x, y, batch_size=7, lr=0.05, epochs=6, scale="none")
    before = [np.zeros(3), *(step.params for step in fit.history)]
    losses = [float(np.mean((x @ each[:2] + each[2] - y) ** 2)) for each in before]
    assert [*outcome.losses] == pytest.approx(losses)
    assert [step.loss for step in fit.history] != pytest.approx(losses[:6], rel=1e-3)


def test_another_column_is_evaluated(tmp_path: Path) -> None:
    x, y, _ = arrays()
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y, "other": y + 3})
    frame.to_csv(tmp_path / "d.csv", index=False)
    model = gdfit.train(frame, "y", features=["a", "b"]).model
    residuals = y - np.asarray(model.predict(frame))
    for data in (frame, str(tmp_path / "d.csv")):
        found = gdfit.evaluate(model, data)
        assert found.mse == pytest.approx(float(np.mean(residuals**2)))
        other = gdfit.evaluate(model, data, "other")
        assert other.mse == pytest.approx(float(np.mean((residuals + 3) ** 2)))
        assert other.mae == pytest.approx(float(np.mean(np.abs(residuals + 3))))
        spread = float(((y - y.mean()) ** 2).sum())
        assert other.r_squared == pytest.approx(1 - 30 * other.mse / spread)
    (tmp_path / "bare.csv").write_text("1,2\n3,4\n")
    with pytest.raises(GdfitError, match="besides those that the model predicts from"):
        gdfit.evaluate(model, str(tmp_path / "bare.csv"))


def test_how_far_a_model_is_from_least_squares() -> None:
    x, y, _ = arrays()
    model = gdfit.train(x, y, epochs=3, lr=0.01).model
    found = gdfit.summarize(x, model, y=y)
    for row, value in zip(found.rows, model.params, strict=True):
        expected = abs(value - row.least_squares) / row.std_error
        assert row.distance == pytest.approx(expected)
    assert all(row.distance is None for row in gdfit.summarize(x, y=y).rows)


def test_a_sample_of_many_rows_in_memory_is_that_of_a_file(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    frame = pd.DataFrame({"x": random.normal(size=2500).round(3), "y": np.arange(2500.0)})
    frame.to_csv(tmp_path / "d.csv", index=False)
    read = Dataset((str(tmp_path / "d.csv"),)).observations(0)
    made = gdfit.observations_from(frame, "y")
    assert made.sample.tolist() == read.sample.tolist()
    assert len(made.sample) == 2000


def test_like_a_model_without_an_intercept() -> None:
    frame = pd.DataFrame({"c": [*"ababab"], "x": [1.0, 2, 3, 4, 5, 7], "y": [1.0, 3, 2, 5, 4, 9]})
    first = gdfit.observations_from(frame, "y", ["c", "x"], intercept=False)
    again = gdfit.observations_from(frame[1:], "y", like=first)
    assert (again.features, again.intercept) == (first.features, False)
    columns = [[c == "b", x] for c, x in zip(frame.c[1:], frame.x[1:], strict=True)]
    rows = np.column_stack([np.array(columns, float), np.zeros(5), frame.y[1:]])
    np.testing.assert_allclose(again.augmented.T @ again.augmented, rows.T @ rows, atol=1e-9)
    validated = gdfit.train(
        frame, "y", features=["c", "x"], intercept=False, validation=frame, lr=0.01, epochs=5
    )
    assert validated.validation_loss is not None


def test_a_run_is_short_where_its_rate_was_left_to_be_chosen() -> None:
    x, y, _ = arrays()
    far = x * [1.0, 1000.0] + [500.0, 0.0]
    chosen = gdfit.train(far, y, epochs=1, scale="none")
    given = gdfit.train(far, y, epochs=1, scale="none", lr=chosen.model.facts["lr"])  # type: ignore[arg-type]
    assert (chosen.is_short, given.is_short) == (True, False)
    assert not gdfit.train(x, y).is_short


def test_the_class_of_one_row_and_of_several() -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=60)
    said = np.where(x + random.logistic(size=60) > 0, "yes", "no")
    frame = pd.DataFrame({"x": x, "said": said})
    model = gdfit.train(frame, "said", loss="logistic").model
    for value, threshold in ((9.0, 0.5), (-9.0, 0.5), (0.3, 0.2), (0.3, 0.95)):
        likely = model.predict([value])
        assert isinstance(likely, float)
        expected = "yes" if likely >= threshold else "no"
        assert model.classify([value], threshold) == expected
        assert [*model.classify([[value]], threshold)] == [expected]
    exactly = float(model.predict([0.3]))
    assert model.classify([0.3], exactly) == "yes"
    assert model.classify([0.3], math.nextafter(exactly, 1)) == "no"


def test_without_an_intercept_as_those_are() -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 4, 3], "k": [*"pqpq"], "y": [1.0, 3, 2, 5]})
    first = gdfit.observations_from(frame, "y", intercept=False)
    again = gdfit.observations_from(frame, "y", like=first)
    assert (first.intercept, again.intercept) == (False, False)
    assert again.features == first.features
    np.testing.assert_allclose(
        again.augmented.T @ again.augmented, first.augmented.T @ first.augmented
    )
