"""Learning rates that are tried: a trial is the run itself, and the best of them is taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classed import has_classes, target_for
from gdfit.arrays import FloatArray, triangular
from gdfit.data.batch import Rows
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent import learning_rate
from gdfit.descent.curvature import curvature_of
from gdfit.descent.learning_rate import Trial, tried_rate
from gdfit.descent.losses import LOSSES
from gdfit.descent.objective import DesignBlock
from gdfit.descent.optimizers import OPTIMIZERS
from gdfit.descent.run import train
from gdfit.descent.settings import LossName, OptimizerName, Settings

RATES = np.array([1e-4, 3e-3, 0.05, 1e6])


def measured(
    count: int = 60, shift: float = 3.0, seed: int = 0, loss: LossName = "mse"
) -> Observations:
    """Two correlated features of the order of 1, and a target with some outliers."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 2)) @ [[1.0, 0.6], [0.0, 0.8]]
    noise = random.standard_t(2, count)
    return observations_from(x, target_for(loss, x @ [2.0, -1.0] + shift + noise))


def rate_for(observations: Observations, settings: Settings) -> float:
    start = np.zeros(observations.design.shape[1])
    return tried_rate(observations, observations.augmented, start, settings)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_rates_side_by_side_descend_as_each_alone(loss: LossName, optimizer: OptimizerName) -> None:
    observations = measured(loss=loss)
    settings = Settings(loss=loss, optimizer=optimizer, l2=0.1, epochs=40)
    design, target = observations.design, observations.target[:, np.newaxis]
    trial = Trial(DesignBlock(design, target, observations.count), np.ones(3), settings)
    with np.errstate(over="ignore", invalid="ignore"):
        together = trial.losses_after(RATES, 40)
    for rate, expected in zip(RATES, together, strict=True):
        alone = train(observations, init=[1.0, 1, 1], settings=replace(settings, lr=float(rate)))
        if np.isfinite(expected):
            assert alone.loss == pytest.approx(expected, rel=1e-9)
        else:
            assert alone.status == "diverged"


def test_rates_are_tried_by_factors_of_4_and_finer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[FloatArray] = []

    def best_of(trial: Trial, rates: FloatArray, updates: int) -> float:
        tried.append(rates)
        return 1.0

    monkeypatch.setattr(Trial, "best_of", best_of)
    monkeypatch.setattr(Trial, "unit", lambda trial: 1.0)
    rate_for(measured(), Settings(loss="mae"))
    coarse, fine = tried
    assert coarse == pytest.approx(4.0 ** np.arange(-26, 3))
    assert fine == pytest.approx(4.0 ** (np.arange(-7, 8) / 7))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_no_other_rate_is_much_better(loss: LossName, optimizer: OptimizerName) -> None:
    observations = measured(loss=loss)
    settings = Settings(loss=loss, optimizer=optimizer, epochs=200)
    best = rate_for(observations, settings)
    reached = train(observations, settings=replace(settings, lr=best)).loss
    grid = np.geomspace(best / 1000, best * 1000, 61)
    others = [train(observations, settings=replace(settings, lr=float(lr))).loss for lr in grid]
    assert reached <= 1.01 * np.nanmin(others)
    part = 0.9 if has_classes(loss) else 0.7  # a log loss begins near its least
    assert reached < part * train(observations, settings=replace(settings, lr=best / 1000)).loss


def test_the_condensed_rows_do_for_the_squared_loss() -> None:
    observations = measured()
    condensed = replace(observations, augmented=triangular(observations.augmented))
    for optimizer in [name for name in OPTIMIZERS if name != "gd"]:
        settings = Settings(optimizer=optimizer)
        lr = tried_rate(condensed, np.empty((0, 4)), np.zeros(3), settings)
        fit = train(observations, settings=replace(settings, lr=lr))
        assert fit.loss == pytest.approx(curvature_of(observations).minimum_loss, rel=1e-6)


@pytest.mark.parametrize(("loss", "least"), [("mse", 0.05), ("mae", 0.02), ("huber", 0.02)])
@pytest.mark.parametrize("size", [1, 16, 1000])
def test_minibatches_come_near_the_minimum(loss: LossName, least: float, size: int) -> None:
    observations = measured(400)
    exact = train(observations, loss=loss, lr=0.05, epochs=5000).loss
    settings = Settings(loss=loss, batch_size=size, epochs=20 if size == 1 else 200)
    lr = rate_for(observations, settings)
    assert lr == rate_for(observations, settings)
    assert train(observations, settings=replace(settings, lr=lr)).loss < (1 + least) * exact


def test_columns_of_any_size_are_tried_widely_enough() -> None:
    observations = measured()
    wide = observations_from(observations.design[:, :2] * [1e6, 1e-3], observations.target)
    fit = train(wide, optimizer="momentum", lr=rate_for(wide, Settings(optimizer="momentum")))
    assert fit.r_squared > -1  # it has not diverged: 2/λmax is of the order of 10⁻¹² here


def test_a_start_from_which_there_is_nowhere_to_go() -> None:
    observations = observations_from([1.0, 2, 3], [0.0, 0, 0])
    for optimizer in OPTIMIZERS:
        assert 0 < rate_for(observations, Settings(optimizer=optimizer, loss="huber")) < np.inf


@pytest.mark.parametrize("weighed", [False, True])
def test_a_sample_of_classes_has_every_so_many_rows_of_each(
    weighed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_rate, "SAMPLE_ROWS", 8)
    place = np.arange(50.0)
    y = (place % 5 == 3).astype(float)  # 10 rows of 50
    rows = Rows(4 if weighed else 3, block=7)
    rows.add(np.column_stack([place, np.ones(50), y, place + 1])[:, : rows.columns])
    whole = observations_from(place, y, weights=place + 1 if weighed else None)
    sample, weights = learning_rate.sample_of_classes(replace(whole, rows=rows))
    for one, every in ((0, 10), (1, 2)):
        expected = place[y == one][::every]
        assert sample[sample[:, 2] == one, 0].tolist() == expected.tolist()
        own = expected + 1 if weighed else np.ones(len(expected))
        assert weights[sample[:, 2] == one].tolist() == (every * own).tolist()


def test_the_first_update_at_a_unit_is_as_large_as_the_error() -> None:
    observations = measured()
    design, target = observations.design, observations.target[:, np.newaxis]
    start = np.array([1.0, -2.0, 0.5])
    trial = Trial(DesignBlock(design, target, observations.count), start, Settings())
    errors = design @ start - observations.target
    gradient = 2 * design.T @ errors / len(errors)
    expected = np.sqrt(np.mean(errors**2)) / np.linalg.norm(gradient)
    assert trial.unit() == pytest.approx(expected)
