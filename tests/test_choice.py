"""What is chosen where nothing was asked for: a scale that is enough, a rate that comes down."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.analysis.inference import summarize
from gdfit.arrays import FloatArray
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.optimizers import OPTIMIZERS
from gdfit.descent.run import Run, train
from gdfit.descent.settings import LossName

HOUSES = SAMPLES / "houses.csv"
CHOSEN = re.compile(r" · chosen: (?:(standardize|whiten)(?:, |$))?(?:lr (\S+))?$")


def collinear(seed: int, features: int, angle: float, count: int = 60) -> Observations:
    """Columns that share most of what they are, all but a part of `angle`, in units of all sizes,
    and a target that counts on the differences too."""
    random = np.random.default_rng(seed)
    own = random.normal(size=(count, features))
    z = random.normal(size=(count, 1)) + angle * own
    units = 10 ** random.uniform(-4, 4, features)
    y = z.sum(axis=1) + own @ random.normal(size=features) + random.normal(0, 0.5, count)
    return observations_from(z * units + 5 * units, y)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 5),
    st.floats(-4, 1),
    st.sampled_from([3, 30, 100, 1000]),
)
def test_the_default_arrives(seed: int, features: int, digits: float, epochs: int) -> None:
    data = collinear(seed, features, 10**digits)
    fit = train(data, epochs=epochs)
    assert fit.curvature
    x = (data.design[:, :-1] - data.design[:, :-1].mean(axis=0)) / data.design[:, :-1].std(axis=0)
    w, *_ = np.linalg.lstsq(x, data.target - data.target.mean())
    residuals = x @ w - data.target + data.target.mean()
    least = float(residuals @ residuals) / 60
    assert fit.curvature.minimum_loss == pytest.approx(least, rel=1e-9)
    # Whitened only where it must be: what was foretold of standardizing comes out.
    standardized = train(data, epochs=max(epochs, 100), scale="standardize")
    assert fit.settings.scale == ("standardize" if standardized.arrived else "whiten")
    assert fit.arrived or (epochs < 100 and fit.settings.scale == "standardize")
    for row in summarize(data, fit.model).rows if fit.arrived else ():
        value, best, error = row.value or 0.0, row.least_squares or 0.0, row.std_error or 0.0
        assert abs(value - best) <= 0.0101 * error


def test_what_is_enough_depends_on_the_epochs_and_the_start() -> None:
    data = collinear(0, 3, 0.1)
    assert Run(data, epochs=300).settings.scale == "whiten"
    assert Run(data, epochs=1_000_000).settings.scale == "standardize"
    minimum = train(data).model.params
    assert Run(data, epochs=300, init=minimum).settings.scale == "standardize"


def test_what_is_asked_for_is_not_chosen() -> None:
    data = collinear(0, 3, 1e-3)
    assert Run(data).settings.scale == "whiten"
    for scale in ("none", "standardize", "whiten"):
        assert Run(data, scale=scale).settings.scale == scale
        assert Run(data, scale=scale, lr=0.25).settings.scale == scale
    by_hand = Run(data, lr=0.25)
    assert (by_hand.settings.scale, by_hand.settings.lr) == ("none", 0.25)
    # What is chosen does not hang on the update rule, and a penalty is for standardized weights.
    assert Run(data, optimizer="adam", batch_size=7).settings.scale == "whiten"
    assert Run(data, l2=0.01).settings.scale == "standardize"


@pytest.mark.parametrize("scale", ["none", "standardize", "whiten"])
def test_no_other_rate_is_better_whatever_the_scale(scale: Any) -> None:
    data = collinear(3, 3, 0.5)
    chosen = train(data, scale=scale, epochs=50, tol=1e-300)
    assert chosen.curvature
    for factor in np.concatenate([np.geomspace(0.01, 100, 41), 1 + np.geomspace(1e-6, 0.1, 11)]):
        lr = float(chosen.settings.lr) * factor
        other = train(data, scale=scale, lr=lr, epochs=50)
        assert not other.loss < chosen.loss * (1 - 1e-9)


# The line above the table.


@pytest.mark.parametrize(
    ("data", "options", "scale"),
    [
        (LECTURE, [], "standardize"),
        (HOUSES, [], "standardize"),
        ("collinear.csv", [], "whiten"),
        (LECTURE, ["--scale", "none"], None),
        (HOUSES, ["--scale", "whiten"], None),
        (HOUSES, ["--lr", "auto", "--optimizer", "adam"], "standardize"),
        (HOUSES, ["--loss", "mae", "--batch-size", "10", "--epochs", "20"], "standardize"),
    ],
    ids=str,
)
def test_what_was_chosen_stands_above_the_table(
    gdfit: Gdfit, data: Path | str, options: list[str], scale: str | None
) -> None:
    rows = np.delete(collinear(0, 3, 1e-3).augmented, -2, axis=1)
    np.savetxt("collinear.csv", rows, "%.17g", ",", header="a,b,c,y", comments="")
    result = gdfit("train", data, *options)
    heading, after, *_ = result.out.splitlines()
    chosen = CHOSEN.search(heading)
    assert chosen, heading
    assert chosen[1] == scale
    assert after.endswith("; params and grad in the data's own units") != ("none" in options)
    fit = json.loads(Path("gdfit.json").read_text())
    assert float(chosen[2]) == pytest.approx(fit["lr"], rel=1e-3)
    # Typed, they do the same.
    typed = ["--lr", repr(fit["lr"])]
    if scale:
        typed += ["--scale", scale]
    by_hand = gdfit("train", data, *(o for o in options if o not in ("--lr", "auto")), *typed)
    assert " chosen: " not in by_hand.out
    again = json.loads(Path("gdfit.json").read_text())
    assert (again["w"], again["b"]) == (fit["w"], fit["b"])


def test_nothing_is_chosen_where_the_rate_is_a_number(gdfit: Gdfit) -> None:
    heading, empty, *_ = gdfit("train", LECTURE, "--lr", "1e-2").out.splitlines()
    assert heading == " y from x · 25 rows"
    assert empty == ""
    held_out = gdfit("train", LECTURE, "--lr", "1e-2", "--validation", "0.2").out.splitlines()
    assert held_out[0] == " y from x · 20 rows and 5 for validation"


def test_going_on_keeps_the_rate_and_says_so(gdfit: Gdfit) -> None:
    first = gdfit("train", HOUSES, "--epochs", "5", "--optimizer", "nesterov").out.splitlines()[0]
    options = ["--epochs", "900", "--init", "gdfit.json", "--optimizer", "nesterov"]
    going = gdfit("train", HOUSES, *options).out.splitlines()[0]
    assert going == first.replace("chosen:", "goes on with")
    afresh = gdfit("train", HOUSES, *(options[:2] + options[4:])).out.splitlines()[0]
    assert afresh != first


# Rates that are tried.


def least(loss: LossName, data: Observations) -> float:
    """The least loss there is, found in another way than by descent."""
    design, target = data.design, data.target
    if loss == "mae":  # a best line goes through as many observations as it has params
        lines = combinations(range(len(target)), design.shape[1])
        return min(
            float(
                np.abs(design @ np.linalg.solve(design[[*some]], target[[*some]]) - target).mean()
            )
            for some in lines
            if abs(np.linalg.det(design[[*some]])) > 1e-9
        )
    weights = np.ones(len(target))
    for _ in range(500):  # weighted least squares, again and again (Beaton and Tukey, 1974)
        root = np.sqrt(weights)
        params, *_ = np.linalg.lstsq(design * root[:, np.newaxis], target * root)
        residuals = np.abs(design @ params - target)
        weights = np.ones(len(target)) if loss == "mse" else 1 / np.maximum(residuals, 1.0)
    huber = np.minimum(residuals, 1.0)
    values = residuals**2 if loss == "mse" else huber * (residuals - 0.5 * huber)
    return float(values.mean())


def with_outliers(seed: int) -> Observations:
    """One to two columns in units of their own, a target in another, and some outliers."""
    random = np.random.default_rng(seed)
    features = 1 + seed % 2
    x: FloatArray = random.normal(3, 1, (36, features)) * 10 ** random.uniform(-3, 3, features)
    y = (x / x.std(axis=0)).sum(axis=1) + 0.4 * random.standard_t(2, 36)
    return observations_from(x, y * 10 ** random.uniform(0, 1))


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_rates_that_are_tried_come_within_5_percent(loss: LossName, seed: int) -> None:
    data = with_outliers(seed)
    minimum = least(loss, data)
    for optimizer in OPTIMIZERS:
        fit = train(data, loss=loss, optimizer=optimizer)
        assert fit.status == "completed"
        assert minimum * (1 - 1e-9) <= fit.loss <= 1.05 * minimum, optimizer


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_mini_batches_come_within_5_percent(loss: LossName, optimizer: Any) -> None:
    data = with_outliers(1)
    fit = train(data, loss=loss, optimizer=optimizer, batch_size=9, epochs=300)
    assert fit.loss <= 1.05 * least(loss, data)


@pytest.mark.parametrize("options", [{"loss": "mae"}, {"batch_size": 100}, {"loss": "huber"}])
def test_a_sample_is_enough_to_try_on(tmp_path: Path, options: dict[str, Any]) -> None:
    random = np.random.default_rng(0)
    x = random.normal(50, 10, (30_000, 2)) * [1, 1e4]
    y = x @ [0.3, 2e-5] + random.normal(0, 1, 30_000)
    np.savetxt(tmp_path / "d.csv", np.column_stack([x, y]), "%.9g", ",")
    data = read_observations(str(tmp_path / "d.csv"), keep_rows=True)
    assert len(data.sample) == 2000
    fit = train(data, epochs=40, **options)
    squares = train(data)
    at_the_minimum = train(data, init=squares.model.params, lr=1e-12, epochs=1, **options)
    assert fit.loss <= 1.05 * at_the_minimum.loss


def test_a_choice_is_the_same_each_time() -> None:
    data = with_outliers(2)
    for options in ({}, {"loss": "mae"}, {"batch_size": 5, "seed": 3}, {"optimizer": "adam"}):
        runs = [Run(data, epochs=30, **options) for _ in range(2)]
        assert runs[0].settings == runs[1].settings
        assert runs[0].asked == replace(runs[0].settings, lr="auto", scale=None)
