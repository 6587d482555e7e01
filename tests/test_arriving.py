"""Arriving at the minimum: what it is, what is shown on the way there, and what is told where a run
has not come so far."""

from __future__ import annotations

import csv
import json
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.analysis.inference import summarize
from gdfit.arrays import FloatArray
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.compare import compare
from gdfit.descent.curvature import curvature_of
from gdfit.descent.objective import mean_loss
from gdfit.descent.run import Run, train
from gdfit.descent.settings import LossName, Scale, Settings

HOUSES, PLANETS = SAMPLES / "houses.csv", SAMPLES / "planets.csv"


def correlated(seed: int, features: int = 3, rows: int = 50) -> Observations:
    """Columns that share much of what they are, in units of all sizes, far from 0."""
    random = np.random.default_rng(seed)
    own = random.normal(size=(rows, features))
    x = (own + random.normal(size=(rows, 1)) + 3) * 10 ** random.uniform(-3, 3, features)
    y = own.sum(axis=1) + random.normal(size=rows)
    return observations_from(x, 100 * y, weights=random.uniform(0.5, 2, rows) if seed % 2 else None)


# What it is.


@pytest.mark.parametrize("seed", range(6))
def test_the_excess_over_the_minimum_has_all_its_digits(seed: int) -> None:
    data = correlated(seed)
    curvature = curvature_of(data)
    random = np.random.default_rng(seed)
    away = random.normal(size=4) / np.sqrt(np.diag(data.design.T @ data.design))
    for size in (1.0, 1e-4, 1e-8):
        params = curvature.minimum + size * away
        moved = data.design @ (params - curvature.minimum)
        expected = moved @ moved / data.total_weight
        # Params are rounded themselves, by some 1e-16 of their sizes.
        rounding = (1e-14 * np.abs(data.design) @ np.abs(params)).max() ** 2
        assert curvature.excess(params) == pytest.approx(expected, rel=1e-6, abs=rounding)


@pytest.mark.parametrize("seed", range(6))
def test_who_has_arrived_is_within_a_hundredth_of_every_standard_error(seed: int) -> None:
    data = correlated(seed)
    before: bool | None = False
    for epochs in (1, 3, 10, 30, 100, 300, 1000):
        fit = train(data, epochs=epochs, scale="standardize", tol=1e-300)
        far = max(
            abs(row.value - row.least_squares) / row.std_error
            for row in summarize(data, fit.model).rows
            if row.value is not None and row.least_squares is not None and row.std_error
        )
        assert fit.curvature
        excess = fit.curvature.excess(fit.params) / fit.curvature.minimum_loss
        assert fit.arrived == (data.count * excess <= 1e-4)
        assert far <= (0.01 if fit.arrived else np.inf)
        assert fit.model.facts["arrived"] is fit.arrived
        assert fit.arrived or not before  # who has arrived stays there
        before = fit.arrived
    assert before


def test_a_perfect_fit_arrives_within_rounding() -> None:
    data = observations_from([1.0, 2, 3, 4], [3.0, 5, 7, 9])
    assert train(data).arrived
    assert not train(data, lr=0.1, epochs=30).arrived


def test_whether_a_run_has_arrived_is_not_known_of_other_losses(gdfit: Gdfit) -> None:
    fit = gdfit.json("train", LECTURE, "--loss", "mae")
    assert fit["arrived"] is None
    assert gdfit.json("train", LECTURE)["arrived"] is True
    assert gdfit.json("train", LECTURE, "--lr", "1e-3")["arrived"] is False


# A descent to see.


@pytest.mark.parametrize("data", [LECTURE, HOUSES, PLANETS])
def test_a_default_run_shows_a_descent_and_ends_at_the_minimum(gdfit: Gdfit, data: Path) -> None:
    table = gdfit("train", data).out.split("─\n")[1].split("\n\n")[0].splitlines()
    rows = [line.split() for line in table if line.split()[0].isdigit()]
    assert len({tuple(row[1:]) for row in rows}) >= 6
    (there,) = [place for place, line in enumerate(table) if "at the minimum" in line]
    assert table[there].strip() == "at the minimum, but for rounding"
    assert [line.split()[0] for line in table[there + 1 :]] == ["1000"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("epochs", [100, 1000, 30_000])
def test_where_the_best_rate_arrives_at_once_a_smaller_one_is_taken(seed: int, epochs: int) -> None:
    random = np.random.default_rng(seed)
    data = observations_from(random.normal(5, 2, 30), random.normal(size=30))
    fit = train(data, epochs=epochs)
    arrived = [train(data, epochs=epochs // 10, lr=fit.settings.lr, scale="standardize").arrived]
    smaller = 0.98 * float(fit.settings.lr)
    arrived += [train(data, epochs=epochs // 10, lr=smaller, scale="standardize").arrived]
    assert arrived == [True, False]
    best = train(data, epochs=epochs, tol=1e-300)
    assert fit.loss == pytest.approx(best.loss, rel=1e-12)


def test_csv_json_and_history_have_every_epoch(gdfit: Gdfit) -> None:
    fit = gdfit.json("train", LECTURE, "--every", "100", "--history", "h.csv")
    assert [row["epoch"] for row in fit["history"]] == list(range(100, 1001, 100))
    assert len(Path("h.csv").read_text().splitlines()) == 1001
    rows = gdfit("train", LECTURE, "--every", "100", "--format", "csv").out.splitlines()
    assert len(rows) == 11


# One unit for all numbers.


def dependent(seed: int) -> FloatArray:
    """Rows of three columns, one that is made of two of them, one that does not vary, and y."""
    random = np.random.default_rng(seed)
    x = random.normal(3, 1, (40, 3)) * [1, 100, 1e-3] + [5, 2000, 0]
    more = 2 * x[:, 0] + 0.5 * x[:, 1] + 7
    return np.column_stack([x[:, 0], more, x[:, 1:], np.full(40, 3.0), random.normal(size=40)])


@pytest.mark.parametrize("scale", ["none", "standardize", "whiten"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_what_is_shown_is_the_gradient_at_the_params_shown(
    scale: Scale, intercept: bool, loss: LossName
) -> None:
    for seed in range(3):
        rows = dependent(seed)
        data = observations_from(rows[:, :-1], rows[:, -1], intercept=intercept)
        options: dict[str, Any] = {"lr": 1e-8 if scale == "none" else 0.05, "loss": loss}
        run = Run(data, scale=scale, epochs=4, **options)
        steps = [run.as_shown(step) for step in run]
        settings = Settings(loss=loss)
        for before, step in pairwise(steps):
            assert step.loss == pytest.approx(mean_loss(data, settings, before.params), rel=1e-9)
            for place in range(5 + intercept):
                size = np.abs(data.design[:, place]).max()
                moved = np.zeros(6)
                moved[place] = 1e-5 / size
                differences = [
                    mean_loss(data, settings, before.params + sign * moved) for sign in (1, -1)
                ]
                slope = (differences[0] - differences[1]) / (2 * moved[place])
                assert step.grad[place] == pytest.approx(slope, rel=1e-4, abs=1e-4 * size)
        assert intercept or steps[-1].grad[-1] == 0


@pytest.mark.parametrize("options", [[], ["--scale", "whiten"], ["--lr", "0.01"], ["--l2", "0.1"]])
def test_the_last_row_of_every_history_is_the_model(gdfit: Gdfit, options: list[str]) -> None:
    np.savetxt("d.csv", dependent(0), "%.17g", ",", header="a,b,c,d,e,y", comments="")
    for data in (LECTURE, HOUSES, "d.csv"):
        if data != LECTURE and "--lr" in options:
            continue
        fit = gdfit.json("train", data, *options, "--history", "h.csv")
        params = pytest.approx([*fit["w"], fit["b"]], rel=1e-12, abs=1e-12)
        assert fit["history"][-1]["params"] == params
        *_, last = csv.DictReader(Path("h.csv").read_text().splitlines())
        assert [float(value) for name, value in last.items() if name[0] in "wb"] == params
        shown = gdfit("train", data, *options, "--format", "csv").out
        *_, last = csv.DictReader(shown.splitlines())
        assert [float(value) for name, value in last.items() if name[0] in "wb"] == params


def test_json_tells_the_scale(gdfit: Gdfit) -> None:
    fit = gdfit.json("train", HOUSES, "--l2", "0.1")
    x = np.loadtxt(HOUSES, delimiter=",", skiprows=1, ndmin=2)[:, 0]
    assert fit["penalty_scale"] == "standardize"
    assert fit["means"] == pytest.approx([x.mean()])
    assert fit["deviations"] == pytest.approx([x.std()])
    assert fit["basis"] is None
    plain = gdfit.json("train", HOUSES, "--lr", "1e-5")
    assert [plain[key] for key in ("penalty_scale", "means", "deviations", "basis")] == [
        *("none", None, None, None)
    ]
    np.savetxt("d.csv", correlated(0).augmented[:, [0, 1, 2, 4]], "%.17g", ",", header="a,b,c,y",
               comments="")  # fmt: skip
    white = gdfit.json("train", "d.csv", "--scale", "whiten")
    rows = np.loadtxt("d.csv", delimiter=",", skiprows=1)[:, :3]
    z = (rows - white["means"]) / white["deviations"] @ np.linalg.inv(white["basis"])
    assert z.T @ z / len(z) == pytest.approx(np.eye(3), abs=1e-9)


# One count of epochs.


def test_a_run_that_goes_on_counts_on(gdfit: Gdfit) -> None:
    options = ["--lr", "0.01", "--epochs", "10"]
    gdfit("train", LECTURE, *options)
    going = [*options, "--init", "gdfit.json", "--no-model"]
    whole = gdfit.json("train", LECTURE, "--lr", "0.01", "--epochs", "20", "--every", "1",
                       "--no-model")  # fmt: skip
    for form in ([], ["--leap"]):
        fit = gdfit.json("train", LECTURE, *going, "--every", "1", *form)
        assert [row["epoch"] for row in fit["history"]] == list(range(11, 21))
        for row, other in zip(fit["history"], whole["history"][10:], strict=True):
            assert row["params"] == pytest.approx(other["params"], rel=1e-12)
        fit = gdfit.json("train", LECTURE, *going, "--show", "12,15", *form)
        assert [row["epoch"] for row in fit["history"] if row["epoch"] != 11] == [12, 15, 20]
    table = gdfit("train", LECTURE, *going, "--history", "h.csv").out
    rows = [line.split()[0] for line in table.splitlines() if line[:8].strip().isdigit()]
    assert rows == ["11", "12", "13", "15", "20"]
    assert [row["epoch"] for row in csv.DictReader(Path("h.csv").read_text().splitlines())] == [
        str(epoch) for epoch in range(11, 21)
    ]
    stopped = gdfit("train", LECTURE, *going, "--target-loss", "0.06").out
    assert "target reached at epoch 1" in stopped
    runs: Any = gdfit.json("compare", LECTURE, "--lr", "0.01,0.02", "--epochs", "10", "--init",
                           "gdfit.json", "--show", "20")  # fmt: skip
    assert [row["epoch"] for row in runs[0]["history"]] == [20]


def test_compare_shows_what_train_shows(gdfit: Gdfit) -> None:
    """Row e of each has the loss before the update of epoch e."""
    trained = {
        lr: gdfit.json("train", LECTURE, "--lr", lr, "--epochs", "100", "--every", "1")["history"]
        for lr in ("0.01", "0.1")
    }
    lines = gdfit("compare", LECTURE, "--lr", "0.01,0.1", "--epochs", "100").out.splitlines()
    names = next(line for line in lines if line.split()[:1] == ["lr"])
    assert names.split()[1:7] == ["epoch", "1", "epoch", "10", "epoch", "100"]
    for line in lines:
        if line.split()[:1] and line.split()[0] in trained:
            rows = trained[line.split()[0]]
            for text, epoch in zip(line.split()[1:], (1, 10, 100), strict=False):
                assert float(text) == pytest.approx(rows[epoch - 1]["loss"], rel=1e-3)
    out = gdfit("compare", LECTURE, "--lr", "0.01,0.1", "--epochs", "100", "--format", "csv").out
    for row in csv.DictReader(out.splitlines()):
        assert float(row["loss"]) == trained[row["lr"]][int(row["epoch"]) - 1]["loss"]


def test_arrival_is_counted_in_a_comparison() -> None:
    data = correlated(1)
    comparison = compare(data, lr=[0.05, 0.2, 0.3], scale="standardize", epochs=2000)
    for outcome in comparison.outcomes:
        epochs = comparison.epochs_to_minimum(outcome)
        assert epochs
        options = {"lr": outcome.values["lr"], "scale": "standardize"}
        assert train(data, epochs=epochs, **options).arrived
        assert not train(data, epochs=epochs - 1, **options).arrived


# What is told.


def notes(err: str) -> list[str]:
    """The notes on standard error."""
    assert all(line.startswith("gdfit: note: ") for line in err.splitlines())
    return [line.removeprefix("gdfit: note: ") for line in err.splitlines()]


def test_a_default_run_that_has_not_arrived_is_noted(gdfit: Gdfit) -> None:
    np.savetxt("d.csv", correlated(0).augmented[:, [0, 1, 2, 4]], "%.17g", ",", header="a,b,c,y",
               comments="")  # fmt: skip
    few = ["train", "d.csv", "--epochs", "3", "-q"]
    (note,) = notes(gdfit(*few).err)
    assert note.startswith("the params have not arrived: they may be ")
    command = shlex.split(note.rpartition(": ")[2])
    assert notes(gdfit(*command[1:]).err) == []
    assert json.loads(Path("gdfit.json").read_text())["arrived"] is True
    for options in (["--target-loss", "1e5"], ["--lr", "1e-9"]):
        result = gdfit(*few, *options)
        assert not any("arrived" in note for note in notes(result.err)), options
    with pytest.warns(UserWarning, match="has not arrived"):
        train(correlated(0), epochs=3)


def test_a_run_that_is_worse_than_the_mean_is_noted(gdfit: Gdfit) -> None:
    result = gdfit("train", HOUSES, "--optimizer", "adam", "--lr", "0.01", "-q")
    note, *_ = notes(result.err)
    assert note.startswith("the model is worse than the mean of y, its R² is -")
    assert note.endswith(f"gdfit train {HOUSES} --optimizer adam -q")
    assert notes(gdfit("train", HOUSES, "-q").err) == []


def test_the_mean_itself_is_not_worse_than_the_mean(gdfit: Gdfit) -> None:
    result = gdfit("train", "-", stdin=b"y;x\n0.3207;1\n-0.330;1\n")
    assert (result.status, "arrived: within" in result.out) == (0, True)
    assert "worse than the mean" not in result.err


@pytest.mark.parametrize(
    "options",
    [
        ["--loss", "mae", "--lr", "0.1"],
        ["--batch-size", "3", "--lr", "0.2"],
        ["--optimizer", "adam", "--lr", "0.5", "--batch-size", "5"],
    ],
)
def test_a_run_that_hovers_is_noted_and_comes_lower_as_it_says(
    gdfit: Gdfit, options: list[str]
) -> None:
    result = gdfit("train", LECTURE, *options, "-q")
    (note,) = [note for note in notes(result.err) if " goes up and down by " in note]
    loss = gdfit.json("evaluate", LECTURE)["mae" if "mae" in options else "mse"]
    assert gdfit(*shlex.split(note.rpartition(": ")[2])[1:]).status == 0
    assert gdfit.json("evaluate", LECTURE)["mae" if "mae" in options else "mse"] < loss


def test_a_run_that_comes_down_does_not_hover(gdfit: Gdfit) -> None:
    for options in (
        ["--loss", "huber"],
        ["--lr", "0.001"],
        ["--optimizer", "nesterov"],
        ["--leap"],
    ):
        assert notes(gdfit("train", LECTURE, *options, "-q").err) == [], options


def test_next_keeps_the_columns_as_one_of_its_ways(gdfit: Gdfit) -> None:
    out = gdfit("train", LECTURE, "--lr", "0.01", "--epochs", "100").out
    told = {line.split()[0]: line for line in out.splitlines() if line.startswith((" next", " or"))}
    assert told["next"].endswith(f"type gdfit train {LECTURE} --epochs 100")
    command = shlex.split(told["or"].partition(" columns: ")[2])
    assert command[:-1] == ["gdfit", "train", str(LECTURE), "--epochs", "100", "--lr"]
    loss = gdfit.json(*command[1:])["loss"]
    rate = float(command[-1])
    for factor in (0.9, 0.97, 1.01):
        assert loss <= 1.02 * gdfit.json(*command[1:-1], f"{factor * rate}")["loss"]


# Penalties.


@pytest.mark.parametrize("scale", ["none", "standardize", "whiten"])
def test_a_penalty_is_ridges_on_the_scale_that_is_told(scale: Scale) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    decomposition = pytest.importorskip("sklearn.decomposition")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    random = np.random.default_rng(2)
    x = random.normal(size=(30, 3)) @ random.normal(size=(3, 3)) + 1
    y = x @ [1.0, -2, 0.5] + random.normal(size=30)
    fit = train(observations_from(x, y), l2=0.3, scale=scale, epochs=100_000, leap=True)
    assert fit.model.facts["penalty_scale"] == scale
    alpha = 0.3 * len(y)
    scaled = x
    if scale == "standardize":
        scaled = preprocessing.StandardScaler().fit_transform(x)
    if scale == "whiten":  # of deviations with n − 1
        scaled, alpha = decomposition.PCA(whiten=True).fit_transform(x), 0.3 * (len(y) - 1)
    ridge = linear.Ridge(alpha=alpha).fit(scaled, y)
    assert fit.model.predict(x) == pytest.approx(ridge.predict(scaled), rel=1e-8)


def test_mini_batches_that_differ_are_no_hovering(gdfit: Gdfit) -> None:
    """Their mean loss goes up and down with what is in them, whatever the learning rate."""
    random = np.random.default_rng(0)
    x = random.normal(size=100)
    rows = np.column_stack([x, 2 * x + 1 + random.normal(size=100)])
    np.savetxt("n.csv", rows, delimiter=",", header="x,y", comments="")
    for rate in ("1e-12", "1e-4", "1e-3"):
        told = gdfit("train", "n.csv", "--batch-size", "30", "--lr", rate, "-q").err
        assert "goes up and down" not in told


def test_next_keeps_the_scale_that_a_penalty_is_on(gdfit: Gdfit) -> None:
    fit = gdfit.json("train", HOUSES, "--l2", "0.3", "--lr", "1e-5", "--epochs", "20")
    command = shlex.split(fit["next"])
    assert command[-2:] == ["--scale", "none"]
    again = gdfit.json(*command[1:])
    assert again["minimum_loss"] == pytest.approx(fit["minimum_loss"], rel=1e-9)
    assert again["loss"] < fit["loss"]


def test_next_is_not_the_run_that_was_made(gdfit: Gdfit) -> None:
    rate = ["--lr", "0.01", "--epochs", "10"]
    gdfit("train", LECTURE, *rate)
    Path("before.json").write_bytes(Path("gdfit.json").read_bytes())
    for options in (
        [*rate, "--init", "before.json"],
        ["--epochs", "10", "--init", "before.json"],
        ["--batch-size", "8", "--scale", "standardize"],
    ):
        fit = gdfit.json("train", LECTURE, *options, "--no-model")
        assert fit["next"]
        again = gdfit.json(*shlex.split(fit["next"])[1:])
        assert (again["w"], again["b"]) != (fit["w"], fit["b"])


def test_params_beyond_float64_have_diverged(gdfit: Gdfit) -> None:
    result = gdfit("train", "-", stdin=b"x,y\n1e-320,1\n2e-320,2\n3e-320,4\n")
    assert result.status == 3
    assert not Path("gdfit.json").exists()
    assert result.err.endswith("multiply the columns by a power of ten\n")


def test_weights_beyond_float64_are_one_line(gdfit: Gdfit) -> None:
    rows = b"x,y,v\n1,3,1e308\n2,5,1e308\n3,8,1e308\n"
    for words in (["train"], ["train", "--lr", "0.1"], ["curvature"]):
        result = gdfit(words[0], "-", *words[1:], "--target", "y", "--weights", "v", stdin=rows)
        assert result.status == 1
        assert result.err == (
            "gdfit: error: column 'v': the weights are too large for float64: divide them by a "
            "power of ten\n"
        )


def test_a_column_that_does_not_vary_is_not_worse_than_the_mean(gdfit: Gdfit) -> None:
    for seed in range(8):
        y = np.random.default_rng(seed).normal(10, 1, 5).round(2)
        rows = "".join(f"3,{value}\n" for value in y)
        result = gdfit("train", "-", "-q", stdin=f"x,y\n{rows}".encode())
        assert "worse" not in result.err
