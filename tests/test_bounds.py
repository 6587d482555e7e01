"""Where bounds lie: rules that stop and watch, steps of differences, what is left to rounding."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdfit
from conftest import LECTURE, Gdfit
from gdfit.analysis.autograd import central_differences
from gdfit.arrays import FloatArray, are_same, is_close
from gdfit.descent.by_group import fit_groups
from gdfit.descent.curvature import Curvature, curvature_of
from gdfit.descent.learning_rate import Excess, excess_of
from gdfit.descent.least_squares import ones_first, refined, squares_of
from gdfit.descent.loop import Step
from gdfit.descent.losses import LOSSES, absolute_error, huber, logistic, quantile, squared_error
from gdfit.descent.newton import Bowl, SmoothLoss
from gdfit.descent.optimizers import SCHEDULES, stage_length, thresholded
from gdfit.descent.own import Own, differences, run_file
from gdfit.descent.quantiles import best_through_rows
from gdfit.descent.run import Run
from gdfit.descent.scaling import Scaling
from gdfit.descent.settings import Settings
from gdfit.descent.stopping import (
    DivergenceWatch,
    EarlyStopping,
    HoverWatch,
    converged,
    diverged,
    out_of_epochs,
    rules_of,
    target_reached,
)
from gdfit.errors import GdfitError, UsageError
from gdfit.model import classification
from gdfit.model.classification import confusion_of, ranking_of
from gdfit.model.family import group_name


def step(
    epoch: int,
    loss: float,
    params: Sequence[float] = (1.0, 2.0),
    before: Sequence[float] = (1.0, 2.0),
    validation: float | None = None,
) -> Step:
    zeros = np.zeros(len(params))
    return Step(epoch, loss, np.array(params), zeros, validation, np.array(before), {})


def test_each_rule_answers_at_its_bound() -> None:
    assert diverged(2.0)(step(1, 2.0)) is None
    assert diverged(2.0)(step(1, math.nextafter(2.0, 3))) == "diverged"
    assert diverged(2.0)(step(1, 1.0, [math.inf, 1.0])) == "diverged"
    assert diverged(2.0)(step(1, math.nan)) == "diverged"
    assert target_reached(2.0)(step(1, 2.0)) == "target"
    assert target_reached(2.0)(step(1, 2.1)) is None
    assert target_reached(2.0)(step(1, 2.1, validation=2.0)) == "target"
    assert target_reached(2.0)(step(1, 1.0, validation=2.1)) is None
    assert converged(0.25)(step(1, 1.0, [1.0, -4.0], [2.0, -4.0])) == "converged"
    assert converged(0.25)(step(1, 1.0, [1.0, -4.0], [2.001, -4.0])) is None
    assert converged(0.25)(step(1, 1.0, [1.0, -4.0], [1.0, -2.9])) is None
    assert out_of_epochs(3)(step(3, 1.0)) == "completed"
    assert out_of_epochs(3)(step(2, 1.0)) is None


def test_the_most_pressing_rule_comes_last() -> None:
    best = EarlyStopping(2)
    settings = Settings(epochs=4, tol=0.1, target_loss=1.0, patience=2)
    told = [rule(step(4, 9.0, validation=0.5)) for rule in rules_of(settings, 5.0, best)]
    assert told == ["completed", None, "converged", "target", "diverged"]
    assert len(rules_of(Settings(epochs=4), 5.0, None)) == 2
    assert len(rules_of(Settings(epochs=4, tol=0.0, target_loss=0.0), 5.0, None)) == 4


def test_patience_counts_from_the_best_epoch() -> None:
    best = EarlyStopping(3)
    losses = [5.0, 4.0, 4.0, 4.5, 4.1]
    told = [best(step(at, 0.0, validation=loss)) for at, loss in enumerate(losses, 1)]
    assert told == [None, None, None, None, "patience"]
    assert best.step is not None
    assert (best.step.epoch, best.loss) == (2, 4.0)


def watched(losses: Sequence[float], epochs: int = 100, rounding: float = 0.0) -> float:
    watch = HoverWatch(epochs, lambda each: each.loss, rounding)
    for epoch, loss in enumerate(losses, epochs - len(losses) + 1):
        watch(step(epoch, loss))
    return watch.swing


def test_which_epochs_tell_of_hovering() -> None:
    assert [*HoverWatch.telling(100)] == [*range(91, 101)]
    assert [*HoverWatch.telling(99)] == [*range(91, 100)]
    assert [*HoverWatch.telling(1000)] == [*range(901, 1001)]
    assert [*HoverWatch.telling(2000)] == [*range(1802, 2001, 2)]
    assert [*HoverWatch.telling(9)] == []


def test_a_loss_that_goes_up_and_down_hovers() -> None:
    up_and_down = [1.0, 1.2] * 5
    assert watched(up_and_down) == pytest.approx(0.2 / 1.1)
    assert watched([0.0] * 9 + up_and_down) == pytest.approx(0.2 / 1.1)
    assert watched(up_and_down[:9], 99) == 0  # too few tell
    assert watched([1.0, 1.009] * 5) == 0  # by less than 1 %
    assert watched([1.0, 1.011] * 5) > 0
    assert watched(up_and_down, rounding=1.1) == 0
    assert watched(up_and_down, rounding=1.0) > 0
    assert watched([*up_and_down[:9], math.inf]) == 0
    assert watched(np.linspace(2, 1, 10).tolist()) == 0  # it comes down
    assert watched([2.0, 2.2, 1.9, 2.1, 1.8, 2.0, 1.7, 1.9, 1.6, 1.8]) == 0  # and so does this
    assert watched([1.0, 1.2, 1.0, 1.0, 1.0, 1.0, 1.0, 1.2, 1.0, 1.0]) == 0  # up but twice of 10
    assert watched([1.0, 1.2, 1.0, 1.2, 1.0, 1.0, 1.0, 1.0, 1.2, 1.0]) > 0


def test_growth_is_told_once_after_ten_epochs() -> None:
    watch = DivergenceWatch(overshoots=False)
    told = [watch(step(epoch, 1.0 + epoch)) for epoch in range(1, 14)]
    assert told == [False] * 10 + [True, False, False]
    watch = DivergenceWatch(overshoots=False)
    pause = [*range(1, 9), 3, *range(10, 22)]
    told = [watch(step(epoch, float(loss))) for epoch, loss in enumerate(pause, 1)]
    assert told.index(True) == 8 + 10
    watch = DivergenceWatch(overshoots=True)
    losses = [100.0, *range(1, 130)]
    told = [watch(step(epoch, float(loss))) for epoch, loss in enumerate(losses, 1)]
    assert told.index(True) == 101  # larger than in the beginning
    watch = DivergenceWatch(overshoots=False, rounding=1.0)
    assert not any(watch(step(epoch, epoch * 1.0)) for epoch in range(1, 30))
    watch = DivergenceWatch(overshoots=False, rounding=0.99)
    assert any(watch(step(epoch, epoch * 1.0)) for epoch in range(1, 30))
    watch = DivergenceWatch(overshoots=False)  # leaps count the epochs between
    told = [watch(step(epoch, float(epoch))) for epoch in (1, 2, 5, 10, 20, 50)]
    assert told == [False, False, False, False, True, False]


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "logistic", "quantile"])
def test_largest_slopes_and_bends_are_such(loss: Any) -> None:
    found = LOSSES[loss](Settings(loss=loss, huber_delta=0.7, quantile=0.8))
    z = np.linspace(-30, 30, 60_001)
    for y in (0.0, 1.0):
        slopes = found.derivative(z, np.full_like(z, y))
        if math.isfinite(found.largest_slope):
            assert np.abs(slopes).max() == pytest.approx(found.largest_slope, rel=1e-9)
        if math.isfinite(found.largest_bend):
            assert found.second is not None
            assert found.second(z, z * 0).max() == pytest.approx(found.largest_bend, rel=1e-6)
            bends = np.diff(slopes) / np.diff(z)
            assert found.second(z, z * 0)[1:-1] == pytest.approx(
                (bends[1:] + bends[:-1]) / 2, abs=1e-6
            )
    assert found.has_kink == (loss in ("mae", "quantile"))
    assert found.has_classes == (loss == "logistic")
    names = {"mse": "mean squared error", "mae": "mean absolute error", "huber": "Huber's loss"}
    names |= {"logistic": "log loss", "quantile": "quantile loss, τ = 0.8"}
    assert found.name == names[loss]


def test_losses_at_some_numbers() -> None:
    r = np.array([-2.0, -0.5, 0.0, 0.5, 3.0])
    zero = np.zeros(5)
    assert squared_error().value(r, zero).tolist() == [4, 0.25, 0, 0.25, 9]
    assert absolute_error().derivative(r, zero).tolist() == [-1, -1, 0, 1, 1]
    assert huber(1.0).value(r, zero).tolist() == [1.5, 0.125, 0, 0.125, 2.5]
    assert huber(1.0).derivative(r, zero).tolist() == [-1, -0.5, 0, 0.5, 1]
    assert quantile(0.75).value(r, zero).tolist() == [1.5, 0.375, 0, 0.125, 0.75]
    assert quantile(0.75).derivative(r, zero).tolist() == [-0.75, -0.75, 0, 0.25, 0.25]
    ones = np.ones(5)
    assert logistic().value(r, ones) == pytest.approx(np.log1p(np.exp(-r)))
    assert logistic().derivative(r, ones) == pytest.approx(-1 / (1 + np.exp(r)))
    assert logistic().derivative(r, zero) == pytest.approx(1 / (1 + np.exp(-r)))


def test_schedules_and_thresholds() -> None:
    assert [stage_length(epochs) for epochs in (1, 10, 11, 100, 101)] == [1, 1, 2, 10, 11]
    factors = [SCHEDULES["step"](epoch, 20, 0.5) for epoch in (1, 2, 3, 4, 5)]
    assert factors == [1, 1, 0.5, 0.5, 0.25]
    assert [SCHEDULES["exponential"](epoch, 9, 0.5) for epoch in (1, 2, 4)] == [1, 0.5, 0.125]
    assert SCHEDULES["inverse"](4, 9, 0.5) == 0.5
    assert SCHEDULES["cosine"](1, 10, 0.0) == 1
    assert SCHEDULES["cosine"](6, 10, 0.0) == pytest.approx(0.5)
    found = thresholded(np.array([3.0, -0.5, 0.25, -2.0, 4.0]), np.array(0.5))
    assert found.tolist() == [2.5, 0, 0, -1.5, 4.0]


def test_differences_take_a_step_of_the_params_size() -> None:
    def cube(params: FloatArray) -> tuple[float, FloatArray]:
        return float((params**3).sum()), 3 * params**2

    for size in (1e-3, 1.0, 50.0, 1e6):
        params = np.array([size, -2 * size])
        found = central_differences(cube, params)
        assert found == pytest.approx(3 * params**2, rel=1e-8, abs=1e-9)


def test_a_derivative_of_ones_own_is_found_by_differences() -> None:
    def mean_squared(y_hat: Any, y: Any) -> Any:
        return ((y_hat - y) ** 2).mean()

    def squared(y_hat: Any, y: Any) -> Any:
        return (y_hat - y) ** 2

    def absolute(y_hat: Any, y: Any) -> Any:
        return abs(y_hat - y)

    z, y = np.array([1.0, 300.0, -2.0, 5.0]), np.array([0.0, 290.0, 1.0, 5.0])
    for function in (squared, mean_squared):
        slopes, kinks = differences(Own(function), z, y)
        assert slopes == pytest.approx([2, 20, -6, 0], rel=1e-6, abs=1e-6)
        assert not kinks.any()
    slopes, kinks = differences(Own(absolute), z, y)
    assert slopes[:3] == pytest.approx([1, 1, -1])
    assert kinks.tolist() == [False, False, False, True]


def test_a_file_imports_what_stands_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for folder, value in ((here, 1), (elsewhere, 2)):
        folder.mkdir()
        (folder / "beside_it.py").write_text(f"value = {value}\n")
    (here / "own.py").write_text("from beside_it import value\n")
    monkeypatch.setattr(sys, "path", [str(elsewhere), *sys.path])
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    sys.modules.pop("beside_it", None)
    assert run_file(str(here / "own.py")).value == 1
    once = run_file(str(here / "own.py"))
    assert run_file(str(here / "own.py")) is once
    (here / "own.py").write_text("value = 3\n")
    assert run_file(str(here / "own.py")).value == 3


def test_an_error_of_a_file_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "f.py"
    for text, line in (("def f():\n    return 1 / 0\n\nf()\n", 2), ("x = 1\ny = = 2\n", 2)):
        path.write_text(text)
        with pytest.raises(GdfitError) as error:
            run_file(str(path))
        assert (error.value.file, error.value.line) == (str(path), line)


def test_a_hessian_beyond_float64_is_told() -> None:
    observations = gdfit.observations_from([1.0, 2, 3, 4], [0.0, 1, 0, 1], classes=True)
    smooth = SmoothLoss(observations, Settings(loss="logistic"))
    whole = np.eye(2)
    for place in ((0, 0), (1, 1)):
        hessian = whole.copy()
        hessian[place] = math.inf
        with pytest.raises(GdfitError, match="too large for float64"):
            smooth.step(Bowl(1.0, np.ones(2), hessian, 0.0), np.zeros(2))
    with pytest.raises(GdfitError, match="too large for float64"):
        smooth.step(Bowl(1.0, np.array([1.0, math.nan]), whole, 0.0), np.zeros(2))
    assert smooth.step(Bowl(1.0, np.array([1.0, 2.0]), 2 * whole, 0.0), np.zeros(2)).tolist() == (
        pytest.approx([-0.5, -1.0])
    )


def test_many_rows_are_refined_only_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    observations = gdfit.observations_from(random.normal(size=(50, 2)), random.normal(size=50))
    order = ones_first(observations)
    found = squares_of(observations, order)
    rows = observations.rows
    assert rows is not None
    size = rows.count * rows.columns * 8
    for most, is_few in ((size, True), (size - 1, False)):
        monkeypatch.setattr("gdfit.descent.least_squares.FEW_BYTES", most)
        assert (refined(observations, found, order) is not found) == is_few
        assert refined(observations, found, order, always=True) is not found
    without = replace(observations, rows=None)
    assert refined(without, found, order, always=True) is found


def curved(
    eigenvalues: list[float], minimum: list[float], enough: float = 0.0, rounding: float = 0.0
) -> Curvature:
    size = len(minimum)
    return Curvature(np.array(eigenvalues), np.eye(size), np.array(minimum), 0.5, enough, rounding)


def test_arrival_is_at_its_bound() -> None:
    found = curved([4.0, 1.0], [0.0, 0.0], enough=2.0, rounding=0.5)
    assert found.excess(np.array([1.0, 0.0])) == 2.0
    assert found.has_arrived(np.array([1.0, 0.0]))
    assert not found.has_arrived(np.array([1.0, 1e-6]))
    assert found.is_minimum(np.array([0.5, 0.0]))
    assert not found.is_minimum(np.array([0.5, 1e-6]))
    assert (found.max_stable_lr, found.best_lr, found.condition_number) == (0.5, 0.4, 4.0)
    flat = curved([4.0, 1.0, 0.0], [0.0, 0.0, 0.0])
    assert (flat.lambda_min, flat.is_unique, found.is_unique) == (1.0, False, True)
    assert found.epochs_per_digit(0.4) == pytest.approx(math.log(10) / -math.log(0.6))
    assert found.epochs_per_digit(0.1) == pytest.approx(math.log(10) / -math.log(0.9))
    assert found.epochs_per_digit(0.48) == pytest.approx(math.log(10) / -math.log1p(-0.08))
    assert found.epochs_per_digit(0.5) == math.inf
    assert curved([2.0, 2.0], [0.0, 0.0]).epochs_per_digit(0.5) == 0.0
    for optimizer, mu, limit in (("gd", 0.9, 2), ("momentum", 0.5, 3), ("nesterov", 0.5, 1.5)):
        assert found.limit_of(optimizer, mu) == pytest.approx(limit / 4)
    tuned = found.tuned("momentum")
    assert (tuned.best_lr, tuned.best_momentum) == pytest.approx((4 / 9, 1 / 9))
    assert tuned.epochs_per_digit == pytest.approx(math.log(10) / math.log(3))
    tuned = found.tuned("nesterov")
    root = math.sqrt(13)
    assert tuned == pytest.approx(
        (4 / 13, (root - 2) / (root + 2), math.log(10) / -math.log1p(-2 / root))
    )
    alike = curved([3.0, 3.0], [0.0, 0.0]).tuned("momentum")
    assert (alike.best_momentum, alike.epochs_per_digit) == (0.0, 0.0)


def test_the_excess_is_foretold_by_eigenvalue() -> None:
    found = curved([4.0, 1.0], [1.0, -2.0], enough=1e-3)
    excess = excess_of(found, np.zeros(2))
    assert float(excess.after(np.array(0.0), 5)) == pytest.approx(0.5 * (4 * 1 + 1 * 4))
    expected = 0.5 * (4 * (1 - 0.4) ** 6 + 4 * (1 - 0.1) ** 6)
    assert float(excess.after(np.array(0.1), 3)) == pytest.approx(expected)
    needed = next(
        n
        for n in range(1, 100)
        if min(float(excess.after(np.array(r), n)) for r in np.linspace(0.3, 0.6, 3001)) <= 1e-3
    )
    assert bool(excess.arrives_within(needed))
    assert not bool(excess.arrives_within(needed - 1))
    rate = float(excess.rate_to_see(9))
    assert rate == pytest.approx(float(excess.best_rate(9)))
    easy = excess_of(curved([2.0, 2.0], [1.0, 1.0], enough=1e-6), np.zeros(2))
    assert float(easy.best_rate(100)) == pytest.approx(0.5)
    slow = float(easy.rate_to_see(100))  # arrives within a tenth of the epochs
    assert float(easy.after(np.array(slow), 10)) <= 1e-6
    assert float(easy.after(np.array(slow * 0.99), 10)) > 1e-6
    both = Excess(
        np.array([[4.0, 1.0], [2.0, 2.0]]),
        np.log(np.array([[2.0, 2.0], [1.0, 1.0]])),
        np.array([1e-3, 1e-6]),
    )
    assert both.best_rate(9).tolist() == pytest.approx(
        [float(excess.best_rate(9)), float(easy.best_rate(9))]
    )
    assert both.rate_to_see(100).tolist() == pytest.approx(
        [float(excess.rate_to_see(100)), slow], rel=1e-2
    )


def grouped() -> Any:
    random = np.random.default_rng(8)
    x, kind = random.normal(4, 2, (60, 2)), np.repeat(["p", "q", "r"], [10, 20, 30])
    y = x @ [1.0, -2.0] + 5 * (kind == "q") + random.normal(size=60)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "kind": kind, "y": y})
    return gdfit.observations_from(frame, "y", features=["a", "b"], by="kind")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"epochs": 3},
        {"epochs": 30, "scale": "none"},
        {"lr": 0.01, "epochs": 25},
        {"lr": 0.4, "scale": "standardize", "epochs": 8},
        {"lr": 0.55, "scale": "standardize", "epochs": 7},
        {"epochs": 101},
    ],
)
@pytest.mark.parametrize("init", ["zeros", "random", "minimum", [3.0, -1.0, 0.5]])
def test_groups_side_by_side_are_runs_alone(options: dict[str, Any], init: Any) -> None:
    groups, settings = grouped(), Settings(**options)
    start = curvature_of(groups.group(1)).minimum.tolist() if init == "minimum" else init
    stack = fit_groups(groups, settings, start).stack
    assert stack is not None
    for place in range(3):
        run = Run(groups.group(place), init=start, settings=settings)
        for _ in run:
            pass
        fit = run.fit()
        facts, found = fit.model.facts, stack.model(place)
        assert bool(stack.holds[place])
        assert found.params == pytest.approx(fit.model.params, rel=1e-6, abs=1e-9)
        for name in ("loss", "r_squared", "lr", "minimum_loss", "max_stable_lr"):
            assert found.facts[name] == pytest.approx(facts[name], rel=1e-6, abs=1e-12), name
        for name in ("arrived", "scale", "observations", "epochs", "status", "nonzero"):
            assert found.facts[name] == facts[name], name
        for name in ("means", "deviations"):
            assert found.facts[name] == (facts[name] and pytest.approx(facts[name]))
        mine: Any = found.facts["precision"]
        theirs: Any = facts["precision"]
        assert mine["df"] == theirs["df"]
        assert mine["std_error"] == pytest.approx(theirs["std_error"])
        assert mine["params"] == pytest.approx(theirs["params"])
        assert mine["center"] == pytest.approx(theirs["center"])
        np.testing.assert_allclose(covariances(mine), covariances(theirs), rtol=1e-9, atol=1e-12)


def covariances(record: dict[str, Any]) -> FloatArray:
    """Those of the params, as parts of the variance, that a model's file tells of."""
    size = max(map(len, record["root"]))
    root = np.array([[0.0] * (size - len(row)) + row for row in record["root"]])
    return np.asarray(root @ root.T)


def test_groups_that_are_not_foretold_are_run_alone() -> None:
    frame = pd.DataFrame(
        {"x": [1.0, 2, 3, 5, 5, 5, 1, 2, 1, 2, 3], "y": [1.0, 3, 2, 1, 2, 3, 1, 2, 5, 5, 5]}
    )
    frame["kind"] = [*"aaabbbccddd"]
    groups = gdfit.observations_from(frame, "y", features=["x"], by="kind")
    stack = fit_groups(groups, Settings()).stack
    assert stack is not None
    assert stack.holds.tolist() == [True, False, True, True]
    assert [math.isnan(each) for each in stack.r_squared] == [False, False, False, True]
    assert stack.precision(2) is None
    assert stack.precision(0) is not None
    diverging = fit_groups(groups, Settings(lr=9.0, epochs=50)).stack
    assert diverging is not None
    assert not diverging.holds.any()


def test_a_level_that_a_group_lacks_is_known_to_its_model() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.0, 2, 3, 4, 5, 7, 1, 2, 3, 4, 6, 8],
            "colour": [*"rgrgrgrrrrgg"],
            "kind": [*"aaaaaabbbbbb"],
            "y": [1.0, 4, 2, 5, 4, 8, 2, 1, 3, 4, 5, 6],
        }
    )
    assert not any(seen_in(frame).values())
    part = frame[~((frame.kind == "b") & (frame.colour == "g"))]
    seen = seen_in(part)
    assert seen["a"] == {"colour": ["g", "r"]}
    assert seen["b"] == {"colour": ["r"]}


def seen_in(frame: pd.DataFrame) -> dict[Any, Any]:
    """The levels that the model of each group says it has seen, where these are not all."""
    fits = gdfit.train_groups(frame, "y", features=["x", "colour"], by="kind")
    return {fit.group: fit.model.facts.get("seen") for fit in fits if fit.model}


def test_of_very_many_probabilities_neighbours_count_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(6)
    y = (random.random(2001) < 0.4).astype(float)
    p = np.clip(random.normal(0.4 + 0.2 * y, 0.2), 0, 1)
    exact = ranking_of(p, y)
    monkeypatch.setattr(classification, "MOST_RANKED", 300)
    for count in (2001, 2000):
        whole = ranking_of(p[:count], y[:count])
        assert whole.counts[1].sum() == count - y[:count].sum()
        assert whole.counts[2].sum() == y[:count].sum()
        assert (np.diff(whole.counts[0]) > 0).all()
        assert {*whole.counts[0]} <= {*p}
        assert whole.auc == pytest.approx(exact.auc, abs=0.01)
        assert whole.counts[0, -1] == max(p[:count])
        assert whole.roc[:, -1].tolist() == [1.0, 1.0]


def test_a_confusion_of_weights() -> None:
    y = np.array([0.0, 0, 0, 1, 1, 1, 1])
    found = confusion_of(np.array([False, True, False, True, True, False, True]), y)
    assert np.array(found.matrix).tolist() == [[2, 1], [1, 3]]
    assert found.total == 7
    assert found.accuracy == pytest.approx(5 / 7)
    shares = np.array([3 / 7, 4 / 7])
    assert found.entropy == pytest.approx(-(shares @ np.log(shares)))
    assert confusion_of(y > 9, 0 * y).entropy == 0
    assert np.array(found.merged(found).matrix).tolist() == [[4, 2], [2, 6]]


def test_settings_without_effect_are_refused_in_cross_validation() -> None:
    x, y = np.arange(12.0), np.arange(12.0) % 5
    for wrong in ({"decay": 0.5}, {"momentum": 0.5}, {"huber_delta": 2.0}):
        with pytest.raises(UsageError):
            gdfit.cross_validate(x, y, 3, **wrong)  # type: ignore[arg-type]


def test_no_mistake_is_named_where_some_rows_fit(gdfit: Gdfit, tmp_path: Path) -> None:
    import json

    options = ("--data", LECTURE, "--lr", 0.01, "--init", "0.39779,0.231765")
    rows = gdfit("train", LECTURE, *options[2:], "--epochs", 8, "--format", "csv", "--every", 1)
    header, *lines = rows.out.splitlines()
    table = [line.split(",") for line in lines]
    place = header.split(",").index("loss")
    for row in (3, 4):
        table[row][place] = f"{25 * float(table[row][place]):.6g}"
    table[5][place] = f"{7 * float(table[5][place]):.6g}"
    Path("e.csv").write_text("\n".join([header, *map(",".join, table)]))
    found = json.loads(gdfit("check", "e.csv", *options, "--format", "json").out)
    (wrong,) = [each for each in found["checks"] if each["status"] != "same"]
    assert (wrong["what"], wrong["at"], wrong["mistake"]) == ("loss", "epoch 4", None)


def test_numbers_are_the_same_within_a_part_of_them() -> None:
    expected = np.array([1.0, 100.0, 0.0])
    assert is_close(np.array([1.00009, 100.009, 0.0]), expected, 1e-4).tolist() == [True] * 3
    assert is_close(np.array([1.00011, 100.011, 0.0]), expected, 1e-4).tolist() == [
        False,
        False,
        True,
    ]
    assert not is_close(np.array([math.nan, 1.0]), np.array([1.0, 1.0]), 1e-4)[0]
    ones, twos = np.ones(3), np.full(3, 2.0)
    assert are_same([ones], [ones], 1e-9)
    assert are_same([np.ones(1)], [ones], 1e-9)
    assert not are_same([np.ones(1)], [np.array([1.0, 1.0, 1.1])], 1e-9)
    assert not are_same([ones, ones], [ones], 1e-9)
    assert not are_same([ones, ones], [ones, twos], 1e-9)
    assert not are_same([np.ones(2)], [ones], 1e-9)


def test_a_perfect_fit_of_small_numbers_is_not_reached_by_rounding() -> None:
    x = np.linspace(0, 1, 11)
    found = gdfit.compare(x, 0.02 * x + 0.01, loss=["mae"], lr=[0.01], epochs=400)
    (outcome,) = found.outcomes
    assert found.epochs_to_minimum(outcome) is None


@pytest.mark.parametrize("start", [[0.0, 0.0], [5.0, -3.0], [-20.0, 30.0], [60.0, 0.0]])
def test_newtons_steps_are_halved_where_the_loss_would_not_fall(start: list[float]) -> None:
    random = np.random.default_rng(9)
    x = random.normal(size=40)
    y = (random.random(40) < 1 / (1 + np.exp(-x))).astype(float)
    observations = gdfit.observations_from(x, y, classes=True)
    smooth = SmoothLoss(observations, Settings(loss="logistic", l2=1e-3))
    found = smooth.minimum(np.array(start))
    assert found is not None
    params, bowl = found
    assert np.abs(bowl.gradient).max() < 1e-12
    assert smooth.value(params) == pytest.approx(bowl.value, rel=1e-14)
    probability = 1 / (1 + np.exp(-(params[0] * x + params[1])))
    slope = np.mean((probability - y) * x) + 2e-3 * params[0]
    assert abs(slope) < 1e-12
    bend = np.mean(probability * (1 - probability) * x**2) + 2e-3
    assert bowl.hessian[0, 0] == pytest.approx(bend, rel=1e-9)
    assert bowl.nearest == pytest.approx(((2 * y - 1) * (params[0] * x + params[1])).min())


@pytest.mark.parametrize("rows", [20, 21])
def test_the_least_quantile_loss_is_sought_in_few_numbers_alone(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gdfit.descent.quantiles.MOST", 60)
    random = np.random.default_rng(rows)
    x, y = random.normal(size=(rows, 2)), random.normal(size=rows)
    fit = gdfit.train(x, y, loss="mae", epochs=1)
    assert (fit.minimum_loss is None) == (rows == 21)


def test_fits_of_groups_are_asked_for_by_name(tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    frame = pd.DataFrame({"a": random.normal(size=30), "kind": [*"pqr"] * 10})
    frame["y"] = frame.a * 2 + (frame.kind == "q") + random.normal(size=30) / 9
    fits = gdfit.train_groups(frame, "y", features=["a"], by="kind")
    assert repr(fits).startswith("<GroupFits: 3 groups by kind, of <30 observations: y from a>")
    assert (len(fits), fits.has_models, fits.features) == (3, True, ("a",))
    assert [fit.group for fit in fits] == ["p", "q", "r"]
    for group in "pqr":
        own = frame[frame.kind == group]
        slope, intercept = np.polyfit(own.a, own.y, 1)
        model = fits[group].model
        assert model is not None
        assert [*model.params] == pytest.approx([slope, intercept])
        assert fits.at_inputs([group, 3.0]) == pytest.approx(3 * slope + intercept)
        told = np.asarray(fits.predict(pd.DataFrame({"kind": [group], "a": [3.0]})))
        assert told.tolist() == [pytest.approx(3 * slope + intercept)]
    with pytest.raises(KeyError):
        fits["s"]
    fits.save(tmp_path / "m.json")
    loaded = gdfit.load_model(tmp_path / "m.json")
    both = [np.asarray(each.predict(frame)) for each in (loaded, fits)]
    assert both[0].tolist() == both[1].tolist()
    assert len(fits.largest(2)) == 2
    assert fits.header == ["kind", "observations", "w", "b", "loss", "r_squared", "status"]


def test_likelihoods_are_told_of_columns_that_depend_on_others() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=(60, 2))
    y = (x[:, 0] + random.logistic(size=60) > 0).astype(float)
    three = np.column_stack([x, x.sum(axis=1)])
    model = gdfit.train(three, y, loss="logistic").model
    found: Any = gdfit.summarize(three, model, y=y)
    two: Any = gdfit.summarize(x, gdfit.train(x, y, loss="logistic").model, y=y)
    assert (found.dependent, two.dependent) == (("w_x3",), ())
    assert found.df == two.df == 57
    assert found.null_df == 59
    assert (found.deviance, found.aic) == (pytest.approx(two.deviance), pytest.approx(two.aic))
    assert found.aic == pytest.approx(found.deviance + 6)
    assert found.bic == pytest.approx(found.deviance + 3 * math.log(60))
    assert found.log_likelihood == pytest.approx(-found.deviance / 2)
    share = y.mean()
    null = -2 * 60 * (share * math.log(share) + (1 - share) * math.log(1 - share))
    assert found.null_deviance == pytest.approx(null)
    frame = found.frame
    assert [*frame.index] == ["w_x1", "w_x2", "w_x3", "b"]
    assert frame.loc["w_x3"].drop("value").isna().all()
    for name in ("w_x1", "w_x2", "b"):
        row, other = frame.loc[name], two.frame.loc[name]
        assert row["z"] == pytest.approx(row["estimate"] / row["std_error"])
        assert row["p"] == pytest.approx(math.erfc(abs(row["z"]) / math.sqrt(2)))
        reach = 1.959963984540054 * row["std_error"]
        assert (row["low"], row["high"]) == pytest.approx(
            (row["estimate"] - reach, row["estimate"] + reach)
        )
        assert row["std_error"] == pytest.approx(other["std_error"], rel=1e-6)
    distances = [each.distance for each in found.rows]
    assert distances[2] is None
    assert two.rows[0].distance < 0.1


def test_a_run_is_shown_as_far_as_it_has_come() -> None:
    run = Run(gdfit.observations_from([1.0, 2, 3], [1.0, 2, 4]), settings=Settings(epochs=9))
    assert repr(run).startswith("<Run: 0 of 9 epochs, lr ")
    steps = iter(run)
    next(steps)
    next(steps)
    assert repr(run).startswith("<Run: 2 of 9 epochs, lr ")
    searching = Settings(epochs=9, optimizer="steepest", scale="none")
    shown = repr(Run(gdfit.observations_from([1.0, 2, 3], [1.0, 2, 4]), settings=searching))
    assert shown.startswith("<Run: 0 of 9 epochs, steepest, scale none")


def test_a_group_whose_start_is_its_minimum_has_a_rate() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 4, 1, 2, 5], "z": [3.0, 1, 1, 2, 2, 7]})
    frame["kind"], frame["y"] = [*"aaabbb"], [0.0, 0, 0, 1, 2, 2]
    whole = gdfit.observations_from(frame, "y", features=["x"], by="kind")
    for settings in (Settings(), Settings(scale="none"), Settings(epochs=5)):
        stack = fit_groups(whole, settings).stack
        assert stack is not None
        facts = stack.model(0).facts
        alone = gdfit.train(frame.x[:3], frame.y[:3], settings=settings).model
        assert facts["lr"] == pytest.approx(alone.facts["lr"])
        assert (facts["loss"], stack.model(0).w) == (0, (0.0,))


def test_clusters_of_rows_in_several_blocks() -> None:
    random = np.random.default_rng(5)
    count = 50_000
    x = random.normal(size=(count, 2))
    groups = np.sort(random.integers(0, 40, count))
    y = x @ [1.0, 2.0] + random.normal(size=40)[groups] + random.normal(size=count)
    found = gdfit.summarize(x, y=y, cluster=groups)
    design = np.column_stack([x, np.ones(count)])
    inverse = np.linalg.inv(design.T @ design)
    left = y - design @ (inverse @ (design.T @ y))
    sums = np.array(
        [(design * left[:, np.newaxis])[groups == each].sum(axis=0) for each in range(40)]
    )
    factor = 40 / 39 * (count - 1) / (count - 3)
    errors = np.sqrt(np.diag(inverse @ sums.T @ sums @ inverse) * factor)
    assert [row.std_error for row in found.rows] == pytest.approx(errors.tolist(), rel=1e-6)
    assert found.standard_errors == "cluster"
    with pytest.raises(UsageError, match="takes a cluster for each of the 50000"):
        gdfit.summarize(x, y=y, cluster=groups[1:])
    with pytest.raises(UsageError, match="two values at least"):
        gdfit.summarize(x, y=y, cluster=np.zeros(count))
    with pytest.raises(UsageError, match="does not go with `cluster`"):
        gdfit.summarize(x, y=y, cluster=groups, robust="hc1")


def test_params_of_several_runs_are_told_in_the_datas_units_one_by_one() -> None:
    scaling = Scaling(np.array([5.0, -2.0]), np.array([2.0, 4.0]), [0, 1], rest=np.array([0.25, 1]))
    several = np.array([[1.0, 2, 3], [4.0, -5, 6], [0, 0, 1]])
    found = scaling.to_data(several)
    for params, told in zip(several, found, strict=True):
        w = params[:2] / [2, 4]
        assert told[:2].tolist() == w.tolist()
        assert told[2] == pytest.approx(params[2] - w @ [5.25, -1])
        assert scaling.to_data(params).tolist() == told.tolist()
        assert scaling.from_data(told) == pytest.approx(params)


def test_groups_are_named_as_they_are_written() -> None:
    assert (group_name("Adelie"), group_name(2020.0)) == ("'Adelie'", "2020")


@pytest.mark.parametrize("level", [0.2, 0.5, 0.9])
def test_the_best_line_through_rows_is_the_best_of_all(level: float) -> None:
    random = np.random.default_rng(7)
    x = np.column_stack([random.normal(size=9), np.ones(9)])
    y = random.normal(size=9)
    found = best_through_rows(x, y, level)
    assert found is not None

    def loss(params: Any) -> float:
        left = y - x @ params
        return float(np.maximum(level * left, (level - 1) * left).sum())

    lines = (
        np.linalg.solve(x[[one, other]], y[[one, other]])
        for one in range(9)
        for other in range(one)
    )
    assert loss(found) == pytest.approx(min(map(loss, lines)))
