"""The page's own descent, in a real browser, against the run's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from browser import Page
from condensing import columns_of, condense
from conftest import SAMPLES, Opened
from drawn import two_classes
from gdfit.arrays import FloatArray
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.outcome import Fit
from gdfit.descent.run import train
from pages import greenhouse, lecture


def ten_million() -> Observations:
    """Ten million rows of two features, which are never all there at once."""
    random, columns = np.random.default_rng(0), columns_of(("near", "far"))

    def blocks() -> Iterator[FloatArray]:
        for _ in range(20):
            x = random.normal([3, -1], [1, 2], (500_000, 2))
            yield np.column_stack([x, x @ [2, -1] + 0.5 + random.normal(size=len(x))])

    return condense(blocks(), columns).observations(columns)


def assert_same_run(page: Page, fit: Fit) -> None:
    """The page's own descent is the run, epoch by epoch."""
    steps = page.run("gdfit.descend()")
    done = fit.start_state.epochs
    assert [step["epoch"] for step in steps] == [done + step.epoch for step in fit.history]
    for step, true in zip(steps, fit.history, strict=True):
        if not np.isfinite(true.loss):
            continue
        assert step["loss"] == pytest.approx(true.loss, rel=1e-9, abs=1e-12)
        np.testing.assert_allclose(step["params"], true.params, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(step["grad"], true.grad, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale", ["none", "standardize", "whiten"])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "adam"])
def test_the_numbers_are_those_of_the_run(opened: Opened, optimizer: str, scale: str) -> None:
    fit = lecture(optimizer=optimizer, scale=scale, init=[0.39779, 0.231765])
    assert fit.epochs == 1000
    assert_same_run(opened(fit), fit)


def test_the_numbers_are_those_of_ten_million_rows(opened: Opened) -> None:
    observations = ten_million()
    for optimizer in ("gd", "momentum", "nesterov", "adam"):
        fit = train(observations, lr=0.01, optimizer=optimizer)
        page = opened(fit)
        assert_same_run(page, fit)
        assert (
            "4 condensed rows with the loss and gradient of all 10,000,000 observations"
            in page.text("#footing")
        )


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "mae"},
        {"loss": "huber", "huber_delta": 0.05},
        {"l2": 0.1},
        {"batch_size": 1, "epochs": 200, "seed": 3},
        {"batch_size": 10, "loss": "mae", "l2": 0.1, "optimizer": "adam", "scale": "standardize"},
        {"batch_size": 7, "loss": "huber", "scale": "whiten", "epochs": 100, "seed": 2**52 + 5},
        {"lr": "auto"},
        {"scale": "whiten", "lr": 0.3, "l2": 0.2},
        {"init": "random", "seed": 5, "backend": "autograd"},
        {"optimizer": "adam", "betas": (0.8, 0.99)},
        {"optimizer": "nesterov", "momentum": 0.5},
        {"l1": 0.2, "l2": 0.1},
        {"l1": 0.2, "optimizer": "momentum", "loss": "mae"},
        {"l1": 0.2, "optimizer": "nesterov", "scale": "standardize", "batch_size": 6},
    ],
)
def test_the_numbers_are_those_of_every_kind_of_run(
    opened: Opened, options: dict[str, Any]
) -> None:
    fit = greenhouse(**options)
    assert_same_run(opened(fit), fit)


@pytest.mark.parametrize(
    "options", [{"lr": 0.3}, {"loss": "huber"}, {"batch_size": 4, "loss": "mae", "lr": 0.01}]
)
@pytest.mark.parametrize("scale", ["none", "whiten"])
@pytest.mark.parametrize("intercept", [True, False])
def test_weights_count_and_an_intercept_can_be_missing(
    opened: Opened, options: dict[str, Any], scale: str, intercept: bool
) -> None:
    random = np.random.default_rng(4)
    for features in (1, 3):
        x = random.normal(1.0, 1.0, (30, features))
        y, weights = x.sum(axis=1) + 1 + random.normal(size=30), random.uniform(0.1, 5, 30)
        observations = observations_from(x, y, weights=weights, intercept=intercept)
        fit = train(observations, **{"lr": 0.1, "scale": scale, "epochs": 50, **options})
        page = opened(fit)
        assert_same_run(page, fit)
        assert page.text("h1").endswith("+ b" if intercept else "x") or features == 3


def decimals(seed: int) -> Observations:
    """Few rows of few features, of few digits: params come to where a residual is 0."""
    random = np.random.default_rng(seed)
    features, count = 1 + seed % 3, int(random.integers(5, 60))
    x = random.normal(1, 2, (count, features)).round(seed % 4)
    return observations_from(x, (x.sum(axis=1) + random.normal(size=count)).round(1))


@pytest.mark.parametrize("scale", ["none", "standardize", "whiten"])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize("features", [1, 3])
def test_classes_are_told_apart_as_by_the_run(
    opened: Opened, optimizer: Any, scale: Any, features: int
) -> None:
    data = two_classes(features)
    fit = train(data, loss="logistic", lr=0.3, optimizer=optimizer, scale=scale)
    assert fit.epochs == 1000
    page = opened(fit)
    assert_same_run(page, fit)
    # On each scale the page knows the minimum, and steps that start there stay there.
    every = page.run("JSON.parse(document.getElementById('run').textContent).scales")
    for name, shape in every.items():
        assert shape["minimum_loss"] == pytest.approx(fit.minimum_loss, rel=1e-9)
        start = json.dumps(shape["minimum"])
        (step,) = page.run(f"gdfit.descend({{scale: '{name}', start: {start}, epochs: 1}})")
        assert np.abs(step["grad"]).max() < 1e-9
        assert step["loss"] == pytest.approx(fit.minimum_loss, rel=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {"l2": 0.1, "scale": "standardize"},
        {"batch_size": 7, "optimizer": "adam", "epochs": 100},
        {"lr": "auto"},
        {"backend": "autograd", "epochs": 300},
        {"loss": "quantile", "quantile": 0.9},
        {"loss": "quantile", "quantile": 0.25, "batch_size": 10, "optimizer": "momentum"},
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_classes_and_quantiles_of_every_kind_of_run(
    opened: Opened, options: dict[str, Any], weighted: bool
) -> None:
    x, y = two_classes(2).sample[:, :-1], two_classes(2).sample[:, -1]
    weights = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    data = observations_from(x, y, weights=weights)
    fit = train(data, **{"loss": "logistic", "lr": 0.05, **options})
    assert_same_run(opened(fit), fit)


@pytest.mark.parametrize("seed", [None, *range(5)])
def test_by_hand_by_autograd_and_by_the_page_is_the_same(opened: Opened, seed: int | None) -> None:
    data = lecture().observations if seed is None else decimals(seed)
    every: list[dict[str, Any]] = [
        {"loss": "mae", "lr": 0.01 if seed is None else 0.1},
        {"loss": "huber", "huber_delta": 0.5},
        {"loss": "mae", "batch_size": 4, "optimizer": "momentum"},
        {"batch_size": 7, "scale": "standardize"},
    ]
    for options in every:
        fit = train(data, **{"lr": 0.02, "seed": 1, **options})
        other = train(data, **{"lr": 0.02, "seed": 1, **options, "backend": "autograd"})
        assert fit.epochs == 1000
        for step, true in zip(other.history, fit.history, strict=True):
            assert step.loss == pytest.approx(true.loss, rel=1e-9, abs=1e-12)
            np.testing.assert_allclose(step.params, true.params, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(step.grad, true.grad, rtol=1e-9, atol=1e-9)
        assert_same_run(opened(fit), fit)


@pytest.mark.parametrize("mean", [0.0, 1e3, 1e6, 1e9])
def test_a_large_mean_costs_the_page_no_digits(opened: Opened, mean: float) -> None:
    random = np.random.default_rng(1)
    x = mean + random.normal(size=(40, 2))
    y = (x - mean).sum(axis=1) + random.normal(size=40)
    for options in ({}, {"loss": "mae"}, {"batch_size": 5}):
        fit = train(observations_from(x, y), lr=0.1, scale="standardize", epochs=200, **options)
        assert_same_run(opened(fit), fit)


def test_powers_of_one_column_are_whitened_alike(opened: Opened) -> None:
    x = np.linspace(-8, -3, 80)[:, np.newaxis] ** np.arange(1, 9)
    y = np.cos(x[:, 0]) + np.random.default_rng(5).normal(0, 0.1, 80)
    fit = train(observations_from(x, y), epochs=60)
    assert fit.settings.scale == "whiten"
    assert_same_run(opened(fit), fit)


@pytest.mark.parametrize("batch_size", [None, 6])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "adam"])
def test_a_run_that_goes_on_is_replayed_from_where_it_went_on(
    opened: Opened, optimizer: str, batch_size: int | None
) -> None:
    whole = lecture(optimizer=optimizer, batch_size=batch_size, epochs=70)
    first = lecture(optimizer=optimizer, batch_size=batch_size, epochs=40)
    fit = lecture(optimizer=optimizer, batch_size=batch_size, epochs=30, init=first.model)
    page = opened(fit)
    assert_same_run(page, fit)
    last = page.run("gdfit.descend().at(-1)")
    np.testing.assert_allclose(last["params"], whole.params, rtol=1e-9)
    assert "going on after 40 epochs" in page.text("#footing")
    other = train(fit.observations, lr=0.01, optimizer="momentum", epochs=5, init=first.model)
    if optimizer != "momentum" and not batch_size:
        steps = page.run("gdfit.descend({optimizer: 'momentum', epochs: 5})")
        np.testing.assert_allclose(steps[-1]["params"], other.params, rtol=1e-9)


def test_a_column_that_does_not_vary_has_weight_0(opened: Opened) -> None:
    x = np.column_stack([np.linspace(0, 1, 9), np.full(9, 0.1), np.linspace(0, 1, 9) ** 2])
    for scale in ("standardize", "whiten"):
        fit = train(observations_from(x, x.sum(axis=1)), lr=0.2, scale=scale, epochs=50)
        page = opened(fit)
        assert_same_run(page, fit)
        assert page.run("gdfit.descend().at(-1).params[1]") == 0


def test_a_diverging_run_diverges_alike(opened: Opened) -> None:
    houses = read_observations(str(SAMPLES / "houses.csv"))
    with np.errstate(over="ignore", invalid="ignore"):
        fit = train(houses, lr=0.01)
    page = opened(fit)
    assert_same_run(page, fit)
    assert page.text("#lead") == "Diverges."
    assert "γ is 146 times the limit" in page.text("#meaning")
    page.press("End")
    assert "diverged at epoch" in page.text("#readout")


def test_descend_takes_settings(opened: Opened) -> None:
    page = opened(lecture(epochs=20))
    fit = lecture(epochs=5, lr=0.1, optimizer="adam", scale="standardize", init=[1.0, 0.0])
    start = json.dumps(fit.start.tolist())
    steps = page.run(
        f"gdfit.descend({{lr: 0.1, epochs: 5, optimizer: 'adam', scale: 'standardize', "
        f"start: {start}}})"
    )
    assert [step["params"] for step in steps] == [
        pytest.approx(step.params.tolist(), rel=1e-12) for step in fit.history
    ]
    assert page.run("gdfit.descend().length") == 20
    for wrong in ("{start: [1]}", "{optimizer: 'newton'}", "{speed: 1}", "{scale: 'double'}"):
        with pytest.raises(RuntimeError, match="RangeError"):
            page.run(f"gdfit.descend({wrong})")


def test_whitened_the_valley_is_round(opened: Opened) -> None:
    page = opened(greenhouse())
    page.click("[value=whiten]")
    assert "limit 2/λmax = 1" in page.text("#lr-limit")
    (step,) = page.run("gdfit.descend({scale: 'whiten', lr: 0.5, epochs: 1})")
    again = page.run("gdfit.descend({scale: 'whiten', lr: 0.5, epochs: 2})")[1]
    assert np.abs(again["grad"]).max() < 1e-12
    assert step["loss"] > again["loss"]


@pytest.mark.parametrize(
    ("optimizer", "limit"), [("gd", 0.3291), ("momentum", 0.6252), ("nesterov", 0.2233)]
)
def test_the_limit_is_where_it_turns(opened: Opened, optimizer: str, limit: float) -> None:
    page = opened(lecture())
    for part, grows in ((0.98, False), (1.02, True)):
        settings = f"{{optimizer: '{optimizer}', lr: {limit * part}, epochs: 2000}}"
        came_down = page.run(
            f"(() => {{ const steps = gdfit.descend({settings});"
            "return steps.at(-1).loss < steps[0].loss; })()"
        )
        assert came_down is not grows


def by_torch(optimizer: str, schedule: str, epochs: int) -> tuple[FloatArray, FloatArray]:
    """The losses and the params of full-batch steps of torch.optim on the lecture's data."""
    import torch

    optim: Any = torch.optim
    rules = {
        "gd": optim.SGD,
        "adam": optim.Adam,
        "adagrad": optim.Adagrad,
        "rmsprop": optim.RMSprop,
    }
    rows = torch.tensor(lecture(epochs=1).observations.sample, dtype=torch.float64)
    params = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    rule = rules[optimizer]([params], lr=0.1)
    schedules = optim.lr_scheduler
    falls = {
        "constant": lambda: schedules.ConstantLR(rule, factor=1.0),
        "step": lambda: schedules.StepLR(rule, step_size=-(-epochs // 10), gamma=0.5),
        "exponential": lambda: schedules.ExponentialLR(rule, gamma=0.99),
        "inverse": lambda: schedules.LambdaLR(rule, lambda done: (done + 1) ** -0.25),
        "cosine": lambda: schedules.CosineAnnealingLR(rule, T_max=epochs),
    }[schedule]()
    losses, steps = [], []
    for _ in range(epochs):
        rule.zero_grad()
        loss = ((rows[:, 0] * params[0] + params[1] - rows[:, 1]) ** 2).mean()
        loss.backward()
        rule.step()
        falls.step()
        losses.append(loss.item())
        steps.append(params.detach().numpy().copy())
    return np.array(losses), np.array(steps)


@pytest.mark.parametrize("optimizer", ["gd", "adam", "adagrad", "rmsprop"])
@pytest.mark.parametrize("schedule", ["constant", "step", "exponential", "inverse", "cosine"])
def test_rules_and_schedules_are_those_of_torch(
    opened: Opened, optimizer: str, schedule: str
) -> None:
    page = opened(lecture())
    for epochs in (37, 120):
        settings = {"optimizer": optimizer, "schedule": schedule, "lr": 0.1, "epochs": epochs}
        steps = page.run(f"gdfit.descend({json.dumps(settings)})")
        losses, params = by_torch(optimizer, schedule, epochs)
        np.testing.assert_allclose([step["loss"] for step in steps], losses, rtol=1e-9)
        np.testing.assert_allclose([step["params"] for step in steps], params, rtol=1e-9)


@pytest.mark.parametrize("scale", ["none", "standardize"])
def test_line_searches_reach_the_lowest_point(opened: Opened, scale: str) -> None:
    fit = greenhouse(scale=scale)
    page, curvature = opened(fit), fit.curvature
    assert curvature is not None
    H = (curvature.eigenvectors * curvature.eigenvalues) @ curvature.eigenvectors.T
    for name in ("steepest", "cg"):
        steps = page.run(f"gdfit.descend({{optimizer: '{name}', scale: '{scale}', epochs: 12}})")
        before, direction, square = np.array(fit.start), np.zeros(4), 0.0
        for step in steps[: 4 if name == "cg" else 12]:
            grad = H @ (before - curvature.minimum)
            np.testing.assert_allclose(step["grad"], grad, rtol=1e-6, atol=1e-9)
            kept = grad @ grad / square if square and name == "cg" else 0.0
            direction, square = kept * direction - grad, float(grad @ grad)
            before = before - (direction @ grad) / (direction @ H @ direction) * direction
            np.testing.assert_allclose(step["params"], before, rtol=1e-8, atol=1e-8)
        if name == "cg":  # which has arrived after as many epochs as there are params
            np.testing.assert_allclose(steps[3]["params"], curvature.minimum, rtol=1e-8)
