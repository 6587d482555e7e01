"""A model goes on where it stopped: exactly, where run and data are the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from classed import target_for
from conftest import LECTURE, SAMPLES, Gdfit, signalled
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.losses import LOSSES
from gdfit.descent.objective import BACKENDS
from gdfit.descent.optimizers import LINE_SEARCHES, OPTIMIZERS
from gdfit.descent.outcome import Fit
from gdfit.descent.run import Run, train
from gdfit.descent.settings import LossName, Scale, ScheduleName
from gdfit.errors import GdfitError
from gdfit.model.linear import LinearModel
from gdfit.model.model_file import load_model

GREENHOUSE = ["--features", "light,water,warmth"]


def measured(seed: int = 0, count: int = 30, loss: LossName = "mse") -> Observations:
    """Two correlated columns, and a target with noise."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 2)) @ [[1.0, 0.6], [0.0, 0.8]] + [3.0, -1.0]
    y = x @ [2.0, -1.0] + random.normal(1, 0.5, count)
    return observations_from(x, target_for(loss, y))


def from_file(model: LinearModel, folder: Path) -> LinearModel:
    """The model as its file has it."""
    model.save(folder / "m.json")
    return load_model(folder / "m.json")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("scale", get_args(Scale))
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_400_epochs_and_600_are_1000(
    tmp_path: Path, optimizer: str, scale: str, batch_size: int | None, backend: str
) -> None:
    options: dict[str, Any] = {
        "optimizer": optimizer,
        "scale": scale,
        "batch_size": batch_size,
        "backend": backend,
        "lr": 0.01,
    }
    tens = 100 if backend == "manual" else 10  # torch takes its time
    whole = train(measured(), epochs=10 * tens, **options)
    model = from_file(train(measured(), epochs=4 * tens, **options).model, tmp_path)
    assert_goes_on(train(measured(), init=model, epochs=6 * tens, **options), whole)


@pytest.mark.parametrize("schedule", get_args(ScheduleName))
@pytest.mark.parametrize("optimizer", ["gd", "nesterov", "adam", "rmsprop"])
def test_a_schedule_goes_on_where_a_run_was_broken_off(
    tmp_path: Path, optimizer: Any, schedule: Any
) -> None:
    """The epochs of both are what it falls over."""
    options: dict[str, Any] = {"optimizer": optimizer, "schedule": schedule, "batch_size": 7}
    whole = train(measured(), lr=0.01, epochs=100, **options)
    run = Run(measured(), lr=0.01, epochs=100, **options)
    for step in run:
        run.stopped = step.epoch == 39
    model = from_file(run.fit().model, tmp_path)
    assert model.facts["epochs"] == 40
    assert_goes_on(train(measured(), init=model, epochs=60, lr=0.01, **options), whole)


@pytest.mark.parametrize("optimizer", LINE_SEARCHES)
def test_line_searches_go_on(tmp_path: Path, optimizer: Any) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(60, 12)) * np.geomspace(1, 30, 12)
    data = observations_from(x, x @ random.normal(size=12) + random.normal(size=60))
    options: dict[str, Any] = {"optimizer": optimizer, "scale": "none"}
    whole = train(data, epochs=9, **options)
    model = from_file(train(data, epochs=4, **options).model, tmp_path)
    assert_goes_on(train(data, init=model, epochs=5, **options), whole)
    assert not whole.arrived


def assert_goes_on(fit: Fit, whole: Fit) -> None:
    """To the last bit, and with the same end."""
    assert fit.model == whole.model
    assert fit.status == whole.status
    assert fit.model.facts["state"] == whole.model.facts["state"]
    for step, same in zip(fit.history[::-1], whole.history[::-1], strict=False):
        assert step.loss == same.loss
        assert step.params.tolist() == same.params.tolist()
        assert step.grad.tolist() == same.grad.tolist()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("init", ["random", "zeros"])
def test_several_times_with_every_loss(tmp_path: Path, loss: LossName, init: str) -> None:
    options: dict[str, Any] = {"loss": loss, "optimizer": "adam", "batch_size": 11, "lr": 0.1}
    options |= {"seed": 5, "l2": 0.01, "huber_delta": 1.0}
    start: Any = init
    for epochs in (1, 37, 62):
        fit = train(measured(loss=loss), init=start, epochs=epochs, **options)
        start = from_file(fit.model, tmp_path)
    assert_goes_on(fit, train(measured(loss=loss), init=init, epochs=100, **options))


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--lr", "0.01", "--optimizer", "momentum", "--batch-size", "4"],
        ["--scale", "whiten", "--optimizer", "adam"],
        ["--validation", "0.2", "--seed", "3", "--lr", "0.01", "--batch-size", "5"],
        ["--loss", "mae", "--lr", "0.02"],
    ],
    ids=" ".join,
)
def test_the_command_goes_on(gdfit: Gdfit, options: list[str]) -> None:
    command = ["train", SAMPLES / "greenhouse.csv", *GREENHOUSE, *options]
    first = gdfit.json(*command, "--epochs", "4e2")
    found = gdfit.json(*command, "--epochs", "6e2", "--init", "gdfit.json")
    assert found["state"]["epochs"] == 1000
    # A rate that was chosen is chosen for so many epochs, and stays.
    as_chosen = ["--lr", repr(first["lr"]), "--scale", first["scale"]]
    whole = gdfit.json("train", *command[1:], *as_chosen, "--epochs", "1000")
    for key in ("w", "b", "loss", "status", "lr", "scale", "state"):
        assert found[key] == whole[key], key
    assert found["history"][-1]["grad"] == whole["history"][-1]["grad"]


@pytest.mark.parametrize(("schedule", "is_told"), [("cosine", True), ("constant", False)])
def test_a_schedule_that_goes_on_says_over_what(gdfit: Gdfit, schedule: str, is_told: bool) -> None:
    command = ["train", LECTURE, "--lr", "0.01", "--schedule", schedule]
    assert "the schedule ends" not in gdfit(*command, "--epochs", "100").out
    told = gdfit(*command, "--epochs", "50", "--init", "gdfit.json").out
    assert ("the schedule ends with epoch 150: those before count" in told) == is_told


@pytest.mark.parametrize(
    "options", [["--optimizer", "adam", "--batch-size", "4"], ["--optimizer", "nesterov"]]
)
def test_ctrl_c_and_going_on_are_one_run(tmp_path: Path, gdfit: Gdfit, options: list[str]) -> None:
    command = ["train", LECTURE, "--lr", "0.01", *options]
    history = tmp_path / "h.csv"
    result = signalled(
        *command,
        *("--epochs", "1e8", "--history", history),
        cwd=tmp_path,
        ready=lambda: history.exists() and history.stat().st_size > 0,
    )
    assert result.status == 130, result.err
    epochs = json.loads(Path("gdfit.json").read_text())["epochs"]
    assert history.read_text().count("\n") == epochs + 1
    found = gdfit.json(*command, "--epochs", "50", "--init", "gdfit.json")
    whole = gdfit.json(*command, "--epochs", epochs + 50)
    for key in ("w", "b", "loss", "status", "state"):
        assert found[key] == whole[key], key


OTHERS: dict[str, tuple[Observations, dict[str, Any]]] = {
    "other data": (measured(1), {}),
    "more data": (measured(0, 31), {}),
    "another target": (
        observations_from(measured().design[:, :2], measured().target, target="z"),
        {},
    ),
    "another scale": (measured(), {"scale": "standardize"}),
    "another optimizer": (measured(), {"optimizer": "nesterov"}),
    "another momentum": (measured(), {"momentum": 0.5}),
    "another loss": (measured(), {"loss": "huber"}),
    "another penalty": (measured(), {"l2": 0.1}),
    "mini-batches": (measured(), {"batch_size": 5}),
}
RUN: dict[str, Any] = {"optimizer": "momentum", "scale": "none", "lr": 0.01}


@pytest.mark.parametrize("other", OTHERS)
def test_another_run_starts_afresh_from_the_params(tmp_path: Path, other: str) -> None:
    model = from_file(train(measured(), epochs=20, **RUN).model, tmp_path)
    data, options = OTHERS[other]
    found = train(data, init=model, epochs=20, **{**RUN, **options})
    expected = train(data, init=model.params, epochs=20, **{**RUN, **options})
    assert found.model.params == pytest.approx(expected.model.params, rel=1e-12)
    state: Any = found.model.facts["state"]
    assert state["epochs"] == 20
    # It differs from a run that goes on.
    on = train(measured(), init=model, epochs=20, **RUN)
    assert on.model.params != pytest.approx(found.model.params, rel=1e-6)


def test_a_chosen_rate_stays_with_its_run_alone(tmp_path: Path) -> None:
    options: dict[str, Any] = {"optimizer": "momentum", "epochs": 50}
    first = train(measured(), **options)
    model = from_file(first.model, tmp_path)
    assert train(measured(), init=model, **options).settings == first.settings
    for data, others in (
        (measured(2), {}),
        (measured(), {"l2": 100.0}),
        (measured(), {"optimizer": "gd"}),
    ):
        again = Run(data, init=model, **{**options, **others})
        assert again.settings.lr != first.settings.lr
    raw = from_file(train(measured(), scale="none").model, tmp_path)
    assert Run(measured(), init=raw).settings.scale == "none"
    assert Run(measured(2), init=raw).settings.scale == "standardize"


def test_what_swings_about_the_minimum_goes_on(tmp_path: Path) -> None:
    every: list[dict[str, Any]] = [{"loss": "mae", "lr": 0.3}, {"optimizer": "adam", "lr": 0.5}]
    for options in every:
        model: Any = "zeros"
        for _ in range(12):
            fit = train(measured(), init=model, epochs=7, **options)
            assert fit.status == "completed"
            model = from_file(fit.model, tmp_path)


def test_a_run_that_diverges_later_has_diverged(tmp_path: Path) -> None:
    data = measured()
    curvature = Run(data, lr=0.01).curvature
    assert curvature
    # It grows along the steepest direction alone, in which the start is almost at the minimum.
    steepest, _, flattest = curvature.eigenvectors.T
    init = (curvature.minimum + 1e-3 * steepest + flattest).tolist()
    lr = 1.01 * curvature.max_stable_lr
    assert train(data, init=init, lr=lr, epochs=400).status == "diverged"
    early = train(data, init=init, lr=lr, epochs=20)
    assert early.status == "completed"
    late = train(data, init=from_file(early.model, tmp_path), lr=lr, epochs=380)
    assert late.status == "diverged"


def test_params_of_the_best_epoch_are_not_those_to_go_on_from(tmp_path: Path) -> None:
    held_out = observations_from([[3.0, -1.0], [2.5, 0.0]], [9.0, 5.0])
    fit = train(measured(), validation=held_out, lr=0.01, patience=5, epochs=3000)
    assert fit.best_epoch < fit.epochs
    assert "state" not in fit.model.facts
    on = train(measured(), init=from_file(fit.model, tmp_path), lr=0.01, epochs=1)
    again = train(measured(), init=fit.model.params, lr=0.01, epochs=1)
    assert on.model == again.model


@pytest.mark.parametrize(
    "damage",
    [
        {"params": [1, 2]},
        {"params": "many"},
        {"epochs": None},
        {"optimizer": []},
        {"optimizer": {"velocity": [1, 2]}},
        {"optimizer": {"velocity": [1, 2, None]}},
        {"first_loss": "small"},
    ],
    ids=str,
)
def test_a_damaged_state_is_told_of(tmp_path: Path, damage: dict[str, Any]) -> None:
    model = train(measured(), epochs=3, **RUN).model
    model.save(tmp_path / "m.json")
    record = json.loads((tmp_path / "m.json").read_text())
    record["state"] |= damage
    (tmp_path / "m.json").write_text(json.dumps(record))
    with pytest.raises(GdfitError, match="the model to start from is damaged"):
        train(measured(), init=load_model(tmp_path / "m.json"), **RUN)


def test_a_model_of_before_goes_on_from_its_params(gdfit: Gdfit) -> None:
    Path("m.json").write_text('{"w": [0.4], "b": 0.2, "features": ["x"], "target": "y"}')
    options = ["--epochs", "5", "-q"]
    found = gdfit("train", LECTURE, "--init", "m.json", *options)
    assert found.out == gdfit("train", LECTURE, "--init", "0.4,0.2", *options).out
