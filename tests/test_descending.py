"""Losses, optimizers, mini-batches, rows on disk, gradcheck and graph, against torch itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import sklearn.datasets
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from classed import OF_NUMBERS, target_for
from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.analysis.autograd import check_gradient
from gdfit.arrays import FloatArray
from gdfit.data.batch import Rows
from gdfit.data.dataset import Dataset, read_observations
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent import losses
from gdfit.descent.learning_rate import rate_by_epoch
from gdfit.descent.losses import LOSSES, loss_of
from gdfit.descent.objective import BACKENDS, whole_objective
from gdfit.descent.optimizers import OPTIMIZERS
from gdfit.descent.run import train
from gdfit.descent.settings import LossName, ScheduleName, Settings

DELTA, LEVEL, L2 = 0.3, 0.8, 0.01


def observations(
    count: int = 40, features: int = 3, seed: int = 0, loss: LossName = "mse"
) -> Observations:
    """Observations with some outliers, which tell the losses apart."""
    random = np.random.default_rng(seed)
    x = random.normal(1, 1, (count, features))
    y = x @ random.normal(size=features) + 0.5 + random.normal(0, 0.2, count)
    y[:3] += 5
    return observations_from(x, target_for(loss, y))


def torch_loss(name: str, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The loss as torch has it."""
    if name == "mse":
        return torch.nn.functional.mse_loss(prediction, target)
    if name == "mae":
        return torch.nn.functional.l1_loss(prediction, target)
    if name == "logistic":
        return torch.nn.functional.binary_cross_entropy_with_logits(prediction, target)
    if name == "quantile":
        residual = target - prediction
        return torch.maximum(LEVEL * residual, (LEVEL - 1) * residual).mean()
    return torch.nn.functional.huber_loss(prediction, target, delta=DELTA)


def rate_of(optimizer: str) -> float:
    """A rate at which the rule comes down: rmsprop leaps to and fro at a large one, and there a
    difference in the last digit grows from step to step."""
    return 0.005 if optimizer == "rmsprop" else 0.05


def torch_optimizer(name: str, params: torch.Tensor) -> torch.optim.Optimizer:
    """The optimizer as torch has it."""
    if name == "adam":
        return torch.optim.Adam([params], lr=0.05, betas=(0.85, 0.99))
    if name == "adagrad":
        return torch.optim.Adagrad([params], lr=0.05)
    if name == "rmsprop":
        return torch.optim.RMSprop([params], lr=rate_of(name))
    momentum = 0.0 if name == "gd" else 0.7
    return torch.optim.SGD([params], lr=0.05, momentum=momentum, nesterov=name == "nesterov")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_optimizer_with_every_loss_is_torchs(backend: Any, optimizer: Any, loss: Any) -> None:
    data = observations(loss=loss)
    design, target = torch.from_numpy(data.design), torch.from_numpy(data.target)
    params = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    reference = torch_optimizer(optimizer, params)
    settings = Settings(
        lr=rate_of(optimizer),
        epochs=300,
        backend=backend,
        loss=loss,
        huber_delta=DELTA,
        quantile=LEVEL,
        l2=L2,
        optimizer=optimizer,
        momentum=0.7,
        betas=(0.85, 0.99),
    )
    fit = train(data, settings=settings)
    for step in fit.history:
        reference.zero_grad()
        value: Any = torch_loss(loss, design @ params, target) + L2 * (params[:-1] ** 2).sum()
        value.backward()
        reference.step()
        assert step.loss == pytest.approx(value.item(), rel=1e-9)
        np.testing.assert_allclose(step.params, params.detach().numpy(), rtol=0, atol=1e-9)
    assert len(fit.history) == 300


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_says_the_same_at_once_and_one_by_one(loss: LossName) -> None:
    made = loss_of(Settings(loss=loss, huber_delta=DELTA))
    random = np.random.default_rng(0)
    z, y = random.normal(size=(2, 1000))
    y = target_for(loss, y)
    z[0] = y[0]
    value, derivative = made.value_and_derivative(z, y)
    exactly = 1e-15 if made.link == "logit" else 0.0
    np.testing.assert_allclose(value, made.value(z, y), rtol=exactly, atol=exactly)
    np.testing.assert_allclose(derivative, made.derivative(z, y), rtol=exactly, atol=exactly)
    of_torch = made.value(*map(torch.from_numpy, (z, y)))
    np.testing.assert_allclose(value, of_torch, rtol=exactly, atol=exactly)
    assert np.array_equal(z, made.mean(z)) == (made.link == "identity")
    assert np.abs(derivative).max() <= made.largest_slope
    if made.second:
        step = 1e-4
        slopes = [made.derivative(z + way, y) for way in (step, -step)]
        differences = (slopes[0] - slopes[1]) / (2 * step)
        np.testing.assert_allclose(made.second(z, y), differences, rtol=1e-6)
        assert made.second(z, y).max() <= made.largest_bend


# By name, torch's scheduler for 100 epochs, with the default of `decay` and with another.
TORCH_SCHEDULES: dict[ScheduleName, tuple[Callable[..., Any], Callable[..., Any], float]] = {
    "step": (
        lambda optimizer: lr_scheduler.StepLR(optimizer, 10, 0.5),
        lambda optimizer: lr_scheduler.StepLR(optimizer, 10, 0.8),
        0.8,
    ),
    "exponential": (
        lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.99),
        lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.9),
        0.9,
    ),
    "inverse": (
        lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda done: (done + 1) ** -0.25),
        lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda done: 1 / (done + 1)),
        1.0,
    ),
    "cosine": (
        lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 100),
        lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 100),
        0.3,
    ),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("schedule", TORCH_SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_rate_that_falls_is_torchs(optimizer: Any, schedule: Any, backend: Any) -> None:
    data = observations()
    design, target = torch.from_numpy(data.design), torch.from_numpy(data.target)
    options: dict[str, Any] = {"optimizer": optimizer, "momentum": 0.7, "betas": (0.85, 0.99)}
    by_default, by_another, decay = TORCH_SCHEDULES[schedule]
    for of, said in ((by_default, None), (by_another, decay)):
        options |= {"schedule": schedule, "decay": said, "backend": backend}
        settings = Settings(lr=rate_of(optimizer), epochs=100, **options)
        fit = train(data, settings=settings)
        params = torch.zeros(4, dtype=torch.float64, requires_grad=True)
        reference = torch_optimizer(optimizer, params)
        scheduler = of(reference)
        for step in fit.history:
            reference.zero_grad()
            value: Any = torch_loss("mse", design @ params, target)
            value.backward()
            reference.step()
            scheduler.step()
            np.testing.assert_allclose(step.params, params.detach().numpy(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("schedule", get_args(ScheduleName))
def test_a_schedule_falls_from_the_rate_itself(schedule: Any) -> None:
    """Also with another number of epochs than a multiple of ten, and with a single one."""
    for epochs in (1, 2, 7, 23, 1000):
        rate = rate_by_epoch(0.25, Settings(schedule=schedule, epochs=epochs))
        rates = [float(rate(epoch)) for epoch in range(1, epochs + 1)]
        assert rates[0] == 0.25
        assert rates == sorted(rates, reverse=True)
        assert rates[-1] > 0
        assert schedule != "step" or len({*rates}) <= 10


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_steepest_descent_goes_to_the_lowest_point_along_the_gradient(
    backend: Any, l2: float
) -> None:
    data = observations()
    fit = train(data, optimizer="steepest", scale="none", l2=l2, backend=backend, epochs=25)
    objective = whole_objective(data, fit.settings)
    for step in fit.history[:-1]:
        slope = objective(step.params)[1] @ step.grad
        assert abs(slope) <= 1e-9 * (step.grad @ step.grad)
        assert objective(step.params)[0] < step.loss
    hessian = 2 * (data.design.T @ data.design / data.count + l2 * np.diag([1, 1, 1, 0]))
    grad = fit.history[0].grad
    rate = (grad @ grad) / (grad @ hessian @ grad)
    np.testing.assert_allclose(fit.history[0].params, -rate * grad, rtol=1e-12)


def real_data() -> dict[str, Observations]:
    """Ten real data sets, of which one has features that all but depend on each other."""
    found = {name: read_observations(str(SAMPLES / f"{name}.csv")) for name in REAL}
    for name in ("diabetes", "iris", "wine", "breast_cancer", "linnerud"):
        load = getattr(sklearn.datasets, f"load_{name}")
        x, y = load(return_X_y=True)
        found[name] = observations_from(x, y[:, 0] if y.ndim > 1 else y)
    return found


REAL = ("lecture", "houses", "greenhouse", "planets", "filip")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_conjugate_gradients_arrive_in_as_many_epochs_as_params(backend: Any, l2: float) -> None:
    sets = real_data()
    assert len(sets) == 10
    for name, data in sets.items():
        fit = train(data, optimizer="cg", backend=backend, l2=l2, epochs=len(data.features) + 1)
        assert fit.arrived, name


def test_conjugate_gradients_stay_at_the_minimum() -> None:
    for data in (observations(), observations_from([1.0, 2, 3], [3.0, 5, 7])):
        fit = train(data, optimizer="cg", scale="none", epochs=500)
        assert fit.curvature
        assert fit.curvature.is_minimum(fit.params)
        assert fit.model.facts["lr"] != fit.model.facts["lr"]  # there is none


def test_options_reach_the_descent(gdfit: Gdfit) -> None:
    greenhouse = [SAMPLES / "greenhouse.csv", "--features", "light,water,warmth", "--lr", "0.01"]
    runs = {
        tuple(options): gdfit("train", *greenhouse, "--epochs", "50", "-q", *options).out
        for options in (
            [],
            ["--loss", "mae"],
            ["--loss", "huber"],
            ["--loss", "huber", "--huber-delta", "0.1"],
            ["--l2", "0.1"],
            ["--optimizer", "momentum"],
            ["--optimizer", "momentum", "--momentum", "0.5"],
            ["--optimizer", "nesterov"],
            ["--optimizer", "adam"],
            ["--optimizer", "adam", "--betas", "0.5,0.5"],
            ["--batch-size", "7"],
            ["--batch-size", "7", "--seed", "1"],
            ["--batch-size", "7", "--scale", "standardize"],
            ["--loss", "mae", "--scale", "standardize"],
            ["--loss", "mae", "--scale", "whiten"],
        )
    }
    assert len(set(runs.values())) == len(runs)


def test_a_penalized_minimum_is_found(gdfit: Gdfit) -> None:
    options = ["--l2", "0.1", "--lr", "0.01", "--epochs", "20000", "--tol", "1e-15"]
    fit = gdfit.json("train", LECTURE, *options)
    x, y = np.loadtxt(LECTURE, delimiter=",", skiprows=1).T
    # ∇(mean((wx + b − y)²) + λw²) = 0: w = cov(x, y)/(var(x) + λ).
    w = np.cov(x, y, bias=True)[0, 1] / (x.var() + 0.1)
    assert fit["w"][0] == pytest.approx(w, rel=1e-9)
    assert fit["loss"] == pytest.approx(fit["minimum_loss"], rel=1e-12)
    chosen = gdfit.json("train", LECTURE, "--l2", "0.1")
    # λ‖w‖² is for the weights that are descended on: those of the standardized columns.
    assert chosen["w"][0] == pytest.approx(
        np.cov(x, y, bias=True)[0, 1] / (1.1 * x.var()), rel=1e-9
    )


@pytest.mark.parametrize("loss", OF_NUMBERS)
def test_standardizing_and_validation_with_every_loss(gdfit: Gdfit, loss: str) -> None:
    options = ["--loss", loss, "--scale", "standardize", "--lr", "0.1", "--epochs", "50"]
    Path("v.csv").write_bytes(LECTURE.read_bytes())
    fit = gdfit.json("train", LECTURE, *options, "--validation", "v.csv")
    assert fit["validation_loss"] == pytest.approx(fit["loss"], rel=1e-9)


# Mini-batches.


def test_the_same_seed_gives_the_same_batches(gdfit: Gdfit) -> None:
    def run(*options: object) -> str:
        return gdfit("train", LECTURE, "--batch-size", "4", "--epochs", "20", "-q", *options).out

    assert run() == run()
    assert run() != run("--seed", "1")
    assert [float(param) for param in run("--backend", "autograd").split()] == pytest.approx(
        [float(param) for param in run().split()], rel=1e-12
    )


@pytest.mark.parametrize("size", [25, 26, 1000])
@pytest.mark.parametrize("loss", OF_NUMBERS)
def test_a_batch_of_all_rows_is_the_full_batch(gdfit: Gdfit, size: int, loss: str) -> None:
    full = gdfit("train", LECTURE, "-q", "--loss", loss).out
    assert gdfit("train", LECTURE, "-q", "--loss", loss, "--batch-size", size).out == full


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.integers(1, 500), st.integers(1, 60), st.integers(0, 99))
def test_each_epoch_sees_each_row_once(count: int, size: int, seed: int) -> None:
    rows = Rows(1, block=7)  # so that there is more than one group of blocks
    rows.add(np.arange(float(count))[:, np.newaxis])
    random = np.random.default_rng(seed)
    orders = []
    for _ in range(2):
        batches = [batch[:, 0].tolist() for batch in rows.batches(size, random)]
        assert all(len(batch) == size for batch in batches[:-1])
        order = [number for batch in batches for number in batch]
        assert sorted(order) == list(range(count))
        orders.append(order)
    assert count < 20 or orders[0] != orders[1]


def test_a_row_shows_the_mean_of_the_batches() -> None:
    data = observations_from([1, 2, 3, 4], [2, 3, 5, 9])
    (step,) = train(data, batch_size=2, epochs=1, lr=0.01, seed=3).history
    rows = data.rows
    assert rows is not None
    batches = list(rows.batches(2, np.random.default_rng([3, 3, 1])))
    params, losses_, grads = np.zeros(2), [], []
    for batch in batches:
        residuals = batch[:, :2] @ params - batch[:, 2]
        losses_.append((residuals**2).mean())
        grads.append(2 * residuals @ batch[:, :2] / 2)
        params = params - 0.01 * grads[-1]
    assert step.loss == pytest.approx(np.mean(losses_))
    assert step.grad == pytest.approx(np.mean(grads, axis=0))
    assert step.params == pytest.approx(params)


# Rows on disk.


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Where temporary files go: a folder that must be empty in the end."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "options", [{"loss": "mae"}, {"loss": "huber", "scale": "standardize"}, {"batch_size": 100}]
)
def test_rows_on_disk_give_the_same_params(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    random = np.random.default_rng(0)
    rows = np.column_stack([random.normal(5, 2, 60_000), random.normal(size=60_000)])
    np.savetxt(tmp_path / "data.csv", rows, delimiter=",", header="x,y", comments="")
    fits = []
    for memory in (10_000, 1 << 30):
        monkeypatch.setattr("gdfit.data.batch.memory_limit", partial(int, memory))
        observations = Dataset((str(tmp_path / "data.csv"),)).observations(keep_rows=True)
        assert observations.rows is not None
        assert observations.rows.in_memory is (memory == 1 << 30)
        fits.append(train(observations, epochs=5, **options))
    found, expected = fits
    assert found.model == expected.model
    assert found.loss == expected.loss


def test_a_data_set_twice_the_memory_trains(gdfit: Gdfit, tmp_path: Path) -> None:
    """The limit follows what the process may have; then with one half as large as the rows."""
    script = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))
from gdfit.data import batch
assert batch.memory_limit() < 400_000_000
batch.memory_limit = lambda: 4_000_000
import gdfit
from gdfit.data.dataset import Dataset, read_observations
observations = Dataset(("data.csv",)).observations(keep_rows=True)
assert observations.count * 3 * 8 > 2 * 4_000_000
assert not observations.rows.in_memory
print(*gdfit.train(observations, loss="mae", epochs=3).model.params)
"""
    (tmp_path / "data.csv").write_text("x,y\n" + "1.5,2\n0.5,1\n2.5,4\n" * 120_000)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.stderr == b""
    expected = gdfit("train", "data.csv", "--loss", "mae", "--epochs", "3", "-q")
    assert done.stdout.decode() == expected.out


# gradcheck.


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(LOSSES)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(1, 50),
)
def test_gradcheck_passes_on_random_data(
    loss: LossName, seed: int, features: int, count: int
) -> None:
    random = np.random.default_rng(seed)
    y = target_for(loss, random.normal(size=count))
    data = observations_from(random.normal(size=(count, features)), y)
    params: FloatArray = random.normal(size=features + 1)
    residuals = np.abs(data.design @ params - data.target)
    if min(residuals.min(), np.abs(residuals - 1).min()) < 1e-4:
        return  # at a kink of the loss, there is no derivative to find
    check = check_gradient(data, params, Settings(loss=loss, l2=0.1))
    assert set(check.gradients) == {"manual", "autograd", "differences"}
    assert check.difference < 1e-6


def test_gradcheck_fails_on_a_wrong_derivative(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gdfit("gradcheck", LECTURE).status == 0
    wrong = losses.of_residual(lambda residual: residual**2, lambda residual: 1.9 * residual)
    monkeypatch.setitem(LOSSES, "mse", lambda settings: wrong)
    result = gdfit("gradcheck", LECTURE)
    assert result.status == 1
    assert "difference" in result.out
    assert result.err.startswith("gdfit: error: the gradients differ by 0.05")
    assert gdfit("gradcheck", LECTURE, "--tolerance", "0.1").status == 0


@pytest.mark.parametrize("loss", OF_NUMBERS)
def test_gradcheck_as_a_command(gdfit: Gdfit, loss: str) -> None:
    result = gdfit(
        "gradcheck", LECTURE, "--loss", loss, "--init", "0.39779,0.231765", "--l2", "0.5"
    )
    assert (result.status, result.err) == (0, "")
    (row,) = [line.split() for line in result.out.splitlines() if line.startswith(" w ")]
    gradients = [float(field) for field in row[2:]]
    assert gradients == pytest.approx([gradients[0]] * 3, rel=1e-6)
    if loss == "mse":
        assert gradients[0] == pytest.approx(0.4221808 + 2 * 0.5 * 0.39779, rel=1e-9)


# graph.


def test_the_graph_shows_what_the_lectures_last_slide_says(gdfit: Gdfit) -> None:
    out = gdfit("graph", LECTURE, "--init", "0.39779,0.231765").out
    assert re.search(r"w: a tensor of one number\n.*data = 0.39779\n.*grad = 0.422181\n", out)
    assert re.search(r"b: a tensor of one number\n.*data = 0.231765\n.*grad = 0.247384\n", out)
    assert out.count("grad_fn = None (a leaf)") == 2
    functions = re.findall(r"grad_fn = <(\w+)>", out)
    assert functions == [
        "MeanBackward0",
        "PowBackward0",
        "SubBackward0",
        "AddBackward0",
        "MulBackward0",
    ]
    assert out.count("(25,)") == 4
    assert "data = 0.0206758" in out


def test_the_graph_of_several_features_and_another_loss(gdfit: Gdfit) -> None:
    greenhouse = [SAMPLES / "greenhouse.csv", "--features", "light,water,warmth"]
    out = gdfit("graph", *greenhouse, "--loss", "mae").out
    assert "w: a tensor of shape (3,)" in out
    assert "<AbsBackward0>" in out
    assert "<MvBackward0>" in out


def test_the_graph_for_graphviz(gdfit: Gdfit) -> None:
    out = gdfit("graph", LECTURE, "--format", "dot").out
    assert out.startswith("digraph loss {")
    assert out.endswith("}\n")
    nodes = set(re.findall(r"^  (n\d+) \[label=", out, re.MULTILINE))
    edges = re.findall(r"^  (n\d+) -> (n\d+);", out, re.MULTILINE)
    assert len(nodes) == 7
    assert len(edges) == 6
    assert {end for edge in edges for end in edge} == nodes
