"""Curvature, standardizing, stopping, validation, and what is said of them."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import LECTURE, SAMPLES, Gdfit
from drawn import points
from gdfit.arrays import triangular
from gdfit.data.dataset import Dataset, read_observations
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.curvature import MANY, curvature_of
from gdfit.descent.run import Run, train
from gdfit.descent.scaling import scaled, scaling_of
from gdfit.errors import GdfitError, UsageError
from gdfit.show.profiles import draw_planes

# Two features and ones, all orthogonal: A = [[2, 1, 1], [2, −1, −1] …] by hand. With the rows below
# AᵀA/N = diag(9, 1, 1), so that H = 2AᵀA/N has the eigenvalues 18, 2 and 2.
BY_HAND = observations_from([[3, 1], [3, -1], [-3, 1], [-3, -1]], [4.0, 1, -2, 3])


def rows_with(condition: float, seed: int = 0) -> Observations:
    """Observations whose standardized Hessian has the condition number asked for: two features with
    the correlation r have the eigenvalues 2(1 + r), 2(1 − r), and 2 for the ones."""
    r = (condition - 1) / (condition + 1)
    random = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(500), random.normal(size=(500, 2))]))
    u, v = basis[:, 1] * math.sqrt(500), basis[:, 2] * math.sqrt(500)
    x = np.column_stack([50 + 7 * u, 3 + 0.02 * (r * u + math.sqrt(1 - r * r) * v)])
    return observations_from(x, x @ [0.5, 20] + 1 + random.normal(0, 0.3, 500))


def test_a_hessian_worked_by_hand() -> None:
    curvature = curvature_of(BY_HAND)
    assert curvature.eigenvalues == pytest.approx([18, 2, 2], rel=1e-12)
    assert curvature.max_stable_lr == pytest.approx(2 / 18, rel=1e-9)
    assert curvature.best_lr == pytest.approx(2 / 20, rel=1e-9)
    assert curvature.condition_number == pytest.approx(9, rel=1e-9)
    # At the best rate, the distance shrinks to (9 − 1)/(9 + 1) in an epoch.
    assert curvature.epochs_per_digit(curvature.best_lr) == pytest.approx(
        math.log(10) / -math.log(0.8)
    )
    assert curvature.epochs_per_digit(curvature.max_stable_lr) == math.inf
    # Aᵀy/N = (3/2, 1/2·…): by the columns, w₁ = (12 + 3 + 6 − 9)/36, w₂ = (4 − 1 − 2 − 3)/4.
    assert curvature.minimum == pytest.approx([12 / 36, -2 / 4, 6 / 4], rel=1e-12)


@pytest.mark.parametrize(("factor", "converges"), [(1 - 1e-3, True), (1 + 1e-3, False)])
def test_the_bound_is_where_it_turns(factor: float, converges: bool) -> None:
    fit = train(BY_HAND, lr=factor * 2 / 18, epochs=20_000)
    distance = np.linalg.norm(fit.params - curvature_of(BY_HAND).minimum)
    assert bool(distance < 1e-6) is converges
    if not converges:
        assert fit.history[-1].loss > 1e6


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 40))
def test_the_minimum_is_that_of_lstsq(seed: int, features: int, count: int) -> None:
    random = np.random.default_rng(seed)
    observations = observations_from(
        random.normal(3, 2, (count, features)), random.normal(size=count)
    )
    curvature = curvature_of(observations)
    expected, *_ = np.linalg.lstsq(observations.design, observations.target)
    residuals = observations.design @ expected - observations.target
    assert curvature.minimum_loss == pytest.approx(
        residuals @ residuals / count, rel=1e-6, abs=1e-20
    )
    np.testing.assert_allclose(curvature.minimum, expected, rtol=1e-5, atol=1e-6)
    hessian = 2 * observations.design.T @ observations.design / count
    np.testing.assert_allclose(
        curvature.eigenvalues, np.linalg.eigvalsh(hessian)[::-1], atol=1e-11 * curvature.lambda_max
    )
    assert curvature.is_unique == (count > features)


def test_dependent_columns_have_many_minima(gdfit: Gdfit) -> None:
    x = np.array([[1.0, 2, 7], [2, 4, 7], [3, 6, 7], [5, 10, 7]])
    observations = observations_from(x, [1.0, 2, 2, 5])
    curvature = curvature_of(observations)
    assert not curvature.is_unique
    assert (curvature.eigenvalues > 0).sum() == 2
    shortest, *_ = np.linalg.lstsq(observations.design, observations.target)
    assert curvature.minimum == pytest.approx(shortest, rel=1e-9)
    data = b"a,b,y\n1,2,1\n2,4,2\n3,6,2\n5,10,5\n"
    result = gdfit("train", "-", stdin=data)
    assert result.out.count("other params have it too, as some columns can be computed") == 1
    whitened = gdfit("train", "-", "--scale", "whiten", stdin=data)
    assert whitened.err == (
        "gdfit: note: column b can be computed from the columns before it: its weight is 0\n"
    )
    shown = gdfit("curvature", "-", stdin=data)
    assert "the minimum is not unique" in shown.out
    assert gdfit.json("curvature", "-", stdin=data)["unique_minimum"] is False


def test_the_best_constant_rate_reaches_nine_digits_in_the_epochs_foretold() -> None:
    observations = rows_with(1e4)
    assert curvature_of(observations).condition_number > 1e6
    curvature = curvature_of(scaled(observations, scaling_of(observations, "standardize")))
    assert curvature.condition_number == pytest.approx(1e4, rel=1e-6)
    foretold = 9 * curvature.epochs_per_digit(curvature.best_lr)
    start = np.linalg.norm(curvature.minimum)
    reached = 0
    epochs = int(1.2 * foretold)
    run = Run(observations, lr=curvature.best_lr, scale="standardize", epochs=epochs)
    for step in run:
        if not reached and np.linalg.norm(step.params - curvature.minimum) <= 1e-9 * start:
            reached = step.epoch
    fit = run.fit()
    assert 0.8 * foretold < reached < 1.2 * foretold
    expected, *_ = np.linalg.lstsq(observations.design, observations.target)
    assert [*fit.model.w, fit.model.b] == pytest.approx(expected, rel=1e-6)
    assert fit.loss == pytest.approx(curvature.minimum_loss, rel=1e-9)
    # auto knows the start and the epochs besides, and comes nearer in them.
    chosen = train(observations, lr="auto", scale="standardize", epochs=1000)
    assert chosen.loss < train(observations, lr=curvature.best_lr, scale="standardize").loss


def test_the_epochs_to_the_next_digit_are_right() -> None:
    observations = rows_with(100, seed=5)
    fit = train(observations, lr=0.1, scale="standardize", epochs=30)
    curvature = fit.curvature
    assert curvature
    more = curvature.epochs_to_next_digit(fit.params, 0.1)
    later = train(observations, lr=0.1, scale="standardize", epochs=30 + round(more))
    near, nearer = (np.linalg.norm(run.params - curvature.minimum) for run in (fit, later))
    assert nearer == pytest.approx(near / 10, rel=0.02)
    assert math.isinf(curvature.epochs_to_next_digit(fit.params, 1.001 * curvature.max_stable_lr))
    assert math.isinf(curvature.epochs_to_next_digit(curvature.minimum, 0.1))


def test_epochs_are_foretold_where_1_has_no_room_for_a_step(gdfit: Gdfit) -> None:
    """Of a polynomial of degree 10, whose condition numbers are 3·10³⁰ and 10¹⁹."""
    found = gdfit.json("curvature", SAMPLES / "filip.csv", "--degree", "10")
    for curvature in (found, found["standardized"]):
        assert curvature["condition_number"] > 1e18
        expected = curvature["condition_number"] * math.log(10) / 2
        assert curvature["epochs_per_digit"] == pytest.approx(expected, rel=1e-9)
    options = ["--degree", "10", "--scale", "standardize"]
    out = gdfit("train", SAMPLES / "filip.csv", *options).out
    (epochs,) = re.findall(r"to go +about (\S+) epochs more", out)
    assert float(epochs) == pytest.approx(found["standardized"]["epochs_per_digit"], rel=0.1)


def test_standardized_params_are_told_in_the_datas_units(gdfit: Gdfit) -> None:
    houses = SAMPLES / "houses.csv"
    options = ["--scale", "standardize", "--lr", "0.1", "--epochs", "300"]
    fit = gdfit.json("train", houses, *options)
    area, price = np.loadtxt(houses, delimiter=",", skiprows=1).T
    slope, intercept = np.polyfit(area, price, 1)
    assert [*fit["w"], fit["b"]] == pytest.approx([slope, intercept], rel=1e-9)
    assert fit["history"][-1]["params"] == [*fit["w"], fit["b"]]
    evaluated = gdfit.json("evaluate", houses)
    assert evaluated["mse"] == pytest.approx(fit["loss"], rel=1e-9)
    table = gdfit("train", houses, *options)
    assert "steps on (x − mean)/std of each x; params and grad in the data's own units" in table.out


def test_standardizing_starts_where_it_is_told(gdfit: Gdfit) -> None:
    options = ["--lr", "1e-300", "--epochs", "1", "-q"]
    for scale in ("none", "standardize", "whiten"):
        out = gdfit("train", LECTURE, "--init", "0.5,0.25", "--scale", scale, *options).out
        assert [float(param) for param in out.split()] == pytest.approx([0.5, 0.25], rel=1e-12)


def test_a_column_that_does_not_vary_gets_weight_0_and_a_note(gdfit: Gdfit) -> None:
    data = b"a,b,y\n1,0.1,1\n2,0.1,2\n3,0.1,4\n"
    for options in ([], ["--scale", "standardize", "--lr", "0.5"], ["--scale", "whiten"]):
        result = gdfit("train", "-", "-q", *options, stdin=data)
        assert result.status == 0
        why = "does not vary, but for rounding (it is 0.1): its weight is 0"
        assert result.err == f"gdfit: note: column b {why}\n"
        w_a, w_b, b = map(float, result.out.split())
        assert w_b == 0
        assert [w_a, b] == pytest.approx(np.polyfit([1, 2, 3], [1, 2, 4], 1), rel=1e-12)
    assert gdfit.json("curvature", "-", stdin=data)["standardized"]["condition_number"] == (
        pytest.approx(1)
    )


def test_curvature_as_a_command(gdfit: Gdfit) -> None:
    record = gdfit.json("curvature", LECTURE)
    x = np.loadtxt(LECTURE, delimiter=",", skiprows=1)[:, 0]
    hessian = 2 * np.array([[(x * x).mean(), x.mean()], [x.mean(), 1]])
    small, large = np.linalg.eigvalsh(hessian)
    assert record["lambda_min"] == pytest.approx(small)
    assert record["lambda_max"] == pytest.approx(large)
    assert record["max_stable_lr"] == pytest.approx(2 / large)
    assert record["best_lr"] == pytest.approx(2 / (small + large))
    assert record["standardized"]["condition_number"] == pytest.approx(1)
    table = gdfit("curvature", LECTURE).out
    assert all(word in table for word in ("λmin", "λmax", "condition number", "2/λmax"))


def per_digit(optimizer: str, rate: float, mu: float, eigenvalues: Sequence[float]) -> float:
    """Epochs for a digit, by the matrices that map distance and change of the params, along each
    eigenvector, to the next ones."""
    radius = 0.0
    for step in rate * np.array(eigenvalues):
        ahead, kept = (1 + mu, mu**2) if optimizer == "nesterov" else (1.0, mu)
        matrix = np.array([[1 - ahead * step, -kept], [step, mu]])
        radius = max(radius, float(np.abs(np.linalg.eigvals(matrix)).max()))
    return math.log(10) / -math.log(radius) if radius < 1 else math.inf


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
@pytest.mark.parametrize("features", [1, 3])
def test_momentum_has_its_limit_and_its_best(gdfit: Gdfit, optimizer: str, features: int) -> None:
    data = LECTURE if features == 1 else SAMPLES / "greenhouse.csv"
    record = gdfit.json("curvature", data, "--momentum", "0.6")
    for told in (record, record["standardized"]) if features > 1 else (record,):
        ends, found = (told["lambda_min"], told["lambda_max"]), told[optimizer]
        limit, best, mu = (found[key] for key in ("max_stable_lr", "best_lr", "best_momentum"))
        assert math.isfinite(per_digit(optimizer, 0.999 * limit, 0.6, ends))
        assert math.isinf(per_digit(optimizer, 1.001 * limit, 0.6, ends))
        least = found["epochs_per_digit"]
        assert per_digit(optimizer, best, mu, ends) == pytest.approx(least, rel=1e-3)
        assert least < told["epochs_per_digit"]
        for rates in np.linspace(0.05, 1.05, 41) * 4 / told["lambda_max"]:
            for other in np.linspace(0, 0.99, 41):
                assert per_digit(optimizer, rates, other, ends) >= least * (1 - 1e-6)
    table = gdfit("curvature", data, "--momentum", "0.6").out
    assert f"--optimizer {optimizer}" in table
    assert "stable at 0.6 for lr below" in table
    several = gdfit("curvature", data, "--momentum", "0.2,0.6", "--plot", "p.png").out
    stable = [line for line in table.splitlines() if "stable at 0.6" in line]
    assert [line for line in several.splitlines() if "stable at 0.6" in line] == stable
    assert "stable at 0.2 for lr below" in several
    both = gdfit.json("curvature", data, "--momentum", "0.2,0.6", "--plot", "p.png")[optimizer]
    assert both["at"] == 0.2
    assert both["max_stable_lr"] == both["limits"][0]
    assert both["limits"][1] == record[optimizer]["max_stable_lr"]


def test_what_one_epoch_reaches_takes_none_for_a_digit(gdfit: Gdfit) -> None:
    for seed in range(20):
        x = np.random.default_rng(seed).normal(size=17)
        Path("data.csv").write_text("x,y\n" + "".join(f"{each},{each**2}\n" for each in x))
        found = gdfit.json("curvature", "data.csv")["standardized"]
        assert found["epochs_per_digit"] == 0


def test_a_best_momentum_near_1_is_seen() -> None:
    x = np.linspace(0, 300, 30)
    curvature = curvature_of(observations_from(np.column_stack([x, np.sin(x)]), x))
    figure = draw_planes(curvature, None, [(1.0, 0.9), (2.0, 0.9), (1e-5, 0.5)])
    for axes, optimizer in zip(figure.axes, ("momentum", "nesterov"), strict=False):
        best = curvature.tuned(optimizer)
        assert best.best_momentum > 0.9
        (star,) = [line for line in axes.get_lines() if line.get_marker() == "*"]
        x_at, y_at = axes.transAxes.inverted().transform(axes.transData.transform(points(star)[0]))
        assert 0.1 < x_at < 0.9
        assert 0.1 < y_at < 0.9
        assert axes.get_ylabel() == "1 − momentum μ"
        told = [text.get_text() for text in axes.texts]
        assert "climbs at γ = 1, 2" in told
        # No label lies over the words beside the limit.
        boxes = [text.get_window_extent() for text in axes.texts]
        limit = next(text for text in axes.texts if "climbs above" in text.get_text())
        words = limit.get_window_extent()
        assert sum(words.overlaps(box) for box in boxes) == 1


def test_the_plane_of_rates_and_momenta(gdfit: Gdfit) -> None:
    for name in ("p.png", "p.svg", "p.pdf"):
        runs = ["--lr", "0.05,0.4,7", "--momentum", "0,0.5", "--plot", name]
        assert gdfit("curvature", LECTURE, *runs).status == 0
        assert Path(name).stat().st_size > 10_000
    curvature = curvature_of(read_observations(str(LECTURE)))
    figure = draw_planes(curvature, None, [(0.05, 0.5), (0.4, 0.0), (7.0, 0.9)])
    momentum, nesterov = figure.axes[:2]
    for axes, optimizer in ((momentum, "momentum"), (nesterov, "nesterov")):
        best = curvature.tuned(optimizer)
        assert (
            f"μ = {best.best_momentum:.4g}: {best.epochs_per_digit:.2g} epochs" in axes.get_title()
        )
        (limit,) = [line for line in axes.get_lines() if len(points(line)) > 1]
        rates, momenta = points(limit).T
        assert rates.tolist() == [curvature.limit_of(optimizer, mu) for mu in momenta.tolist()]
        dots = [line for line in axes.get_lines() if line.get_gid() == "run"]
        assert [points(dot)[0, 1] for dot in dots] == [0.5, 0.0, 0.9]
        takes = per_digit(optimizer, 0.05, 0.5, (curvature.lambda_min, curvature.lambda_max))
        told = [text.get_text() for text in axes.texts]
        assert f"{takes:.2g} epochs a digit" in told
        assert "climbs at γ = 7" in told
        # The colours are the epochs, and there are none where it climbs.
        mesh: Any = axes.collections[0].get_array()
        assert mesh.mask[0, -1]
        assert mesh.min() == pytest.approx(best.epochs_per_digit, rel=0.2)


LECTURES = ["--lr", "0.01"]


def history_of(gdfit: Gdfit, *options: object) -> list[dict[str, float]]:
    """Every epoch of a run, from its history file."""
    result = gdfit("train", LECTURE, *LECTURES, *options, "--history", "h.csv", "-q")
    assert result.status == 0
    with Path("h.csv").open() as file:
        return [{key: float(row[key]) for key in row} for row in csv.DictReader(file)]


def write_validation() -> None:
    Path("v.csv").write_text("y,x\n0.5,0.9\n0.61,1.2\n0.9,2.3\n")


def test_target_loss_by_validation_file(gdfit: Gdfit) -> None:
    write_validation()
    rows = history_of(gdfit, "--validation", "v.csv")
    target = 0.01
    first = next(row for row in rows if row["validation_loss"] <= target)
    stopped = history_of(gdfit, "--validation", "v.csv", "--target-loss", target)
    assert stopped == rows[: int(first["epoch"])]
    result = gdfit("train", LECTURE, *LECTURES, "--validation", "v.csv", "--target-loss", target)
    assert f"target reached at epoch {first['epoch']:,.0f}: the validation loss" in result.out
    # A row's losses are those before its update; the model has had that too.
    (update,) = (row for row in rows if row["epoch"] == first["epoch"] + 1)
    evaluated = gdfit.json("evaluate", "v.csv")
    assert evaluated["mse"] == pytest.approx(update["validation_loss"], rel=1e-9)


def test_target_loss_without_validation(gdfit: Gdfit) -> None:
    rows = history_of(gdfit)
    first = next(row for row in rows if row["loss"] <= 0.001)
    assert history_of(gdfit, "--target-loss", "0.001") == rows[: int(first["epoch"])]


def test_patience_keeps_the_params_of_the_best_epoch(gdfit: Gdfit) -> None:
    # Far from the line of the training data, the validation loss falls and then rises.
    Path("v.csv").write_text("x,y\n1,0.45\n2,0.78\n")
    rows = history_of(gdfit, "--validation", "v.csv", "--epochs", "3000")
    best = min(rows, key=lambda row: row["validation_loss"])
    (before,) = (row for row in rows if row["epoch"] == best["epoch"] - 1)
    assert 1 < best["epoch"] < 2900
    options = ["--validation", "v.csv", "--patience", "7", "--epochs", "3000"]
    stopped = history_of(gdfit, *options)
    assert stopped == rows[: int(best["epoch"]) + 7]
    fit = gdfit.json("train", LECTURE, *LECTURES, *options)
    assert (fit["status"], fit["best_epoch"]) == ("patience", before["epoch"])
    assert (fit["w"], fit["b"]) == ([before["w"]], before["b"])
    assert fit["validation_loss"] == best["validation_loss"]
    assert fit["loss"] == best["loss"]
    model = json.loads(Path("gdfit.json").read_text())
    assert (model["w"], model["b"]) == ([before["w"]], before["b"])
    assert "out of patience" in gdfit("train", LECTURE, *LECTURES, *options).out


def test_tol_stops_when_no_param_moves_by_more(gdfit: Gdfit) -> None:
    rows = history_of(gdfit, "--epochs", "3000")
    moved = [
        max(abs(now["w"] - before["w"]), abs(now["b"] - before["b"]))
        / max(abs(now["w"]), abs(now["b"]))
        for before, now in zip([{"w": 0.0, "b": 0.0}, *rows], rows, strict=False)
    ]
    for tol, status in ((1e-3, "stalled"), (1e-6, "converged")):  # away from the minimum, or not
        first = next(epoch for epoch, move in enumerate(moved, start=1) if move <= tol)
        assert len(history_of(gdfit, "--epochs", "3000", "--tol", tol)) == first
        out = gdfit("train", LECTURE, *LECTURES, "--epochs", "3000", "--tol", tol).out
        assert f"{status} at epoch {first:,}: no param moved by more than {tol:g} of the" in out


def test_tol_does_not_depend_on_the_targets_unit() -> None:
    x, y = np.loadtxt(LECTURE, delimiter=",", skiprows=1).T
    epochs = {
        train(observations_from(x, y * unit), lr=0.01, tol=1e-4).epochs for unit in (1e-9, 1.0, 1e9)
    }
    assert len(epochs) == 1


def test_the_same_seed_splits_the_same(gdfit: Gdfit) -> None:
    def run(seed: int) -> bytes:
        history_of(gdfit, "--validation", "0.3", "--seed", seed)
        return Path("h.csv").read_bytes()

    first = run(1)
    assert run(1) == first
    assert run(2) != first
    fit = gdfit.json("train", LECTURE, "--validation", "0.3")
    assert 1 < fit["observations"] < 25
    assert "validation_loss" in fit["history"][0]


@pytest.mark.parametrize("unit_bytes", [1, 64, 1 << 21])
def test_a_split_has_each_row_once_whatever_the_units(unit_bytes: int) -> None:
    whole = Dataset((str(LECTURE),)).observations()
    kept, held_out = Dataset((str(LECTURE),), unit_bytes=unit_bytes).split(0.3, seed=1)
    assert (kept.count, held_out.count) == (17, 8)
    both = np.concatenate([kept.sample, held_out.sample]).tolist()
    assert sorted(both) == sorted(whole.sample.tolist())


def test_a_fraction_holds_out_that_part(gdfit: Gdfit) -> None:
    rows = "".join(f"{x},{x % 7}\n" for x in range(20_000))
    Path("d.csv").write_text("x,y\n" + rows)
    fit = gdfit.json("train", "d.csv", "--validation", "0.2", "--lr", "1e-12")
    assert (fit["observations"], fit["validation_observations"]) == (16_000, 4_000)
    fit = gdfit.json("train", "d.csv", "--lr", "1e-12")
    assert (fit["observations"], fit["validation_observations"]) == (20_000, 0)


def test_validation_files_that_can_not_be_used(gdfit: Gdfit) -> None:
    Path("other.csv").write_text("a,b\n1,2\n")
    for file in ("nowhere.csv", "other.csv"):
        result = gdfit("train", LECTURE, "--validation", file)
        assert result.status == 1
        assert result.err.startswith(f"gdfit: error: {file}: ")
    one = b"x,y\n1,2\n"
    result = gdfit("train", "-", "--validation", "0.5", stdin=one)
    assert result.status == 1
    assert "holding out 0.5 of 1 row for validation leaves none to train on" in result.err


def test_divergence_says_why_and_what_to_type(gdfit: Gdfit) -> None:
    houses = SAMPLES / "houses.csv"
    bound = gdfit.json("curvature", houses)["max_stable_lr"]
    rate = f"{1.5 * bound:.3g}"
    result = gdfit("train", houses, "--lr", rate)
    assert result.status == 3
    note, error = result.err.splitlines()
    assert note.startswith("gdfit: note: epoch ")
    grown = f"the loss has grown for 10 epochs running: --lr {float(rate):g} is above 2/λmax = "
    assert f"{grown}{bound:.6g}" in note
    assert f"--lr {float(rate):g} is 1.5 times the limit 2/λmax = {bound:.6g}, " in error
    assert error.endswith(f"let gdfit choose the learning rate: gdfit train {houses}")
    fit = gdfit.json("train", houses)
    assert fit["loss"] == pytest.approx(fit["minimum_loss"], rel=1e-9)
    at_once = gdfit.json("train", houses, "--epochs", "3")
    assert at_once["loss"] == pytest.approx(fit["minimum_loss"], rel=1e-9)
    standardized_too = gdfit("train", houses, "--scale", "standardize", "--lr", "3")
    assert standardized_too.status == 3
    assert standardized_too.err.endswith(f": gdfit train {houses}\n")


def test_patience_in_the_library() -> None:
    with pytest.raises(UsageError, match="needs `validation`"):
        train(BY_HAND, patience=3)
    fit = train(BY_HAND, validation=BY_HAND, patience=50, lr=0.1, epochs=5000)
    assert fit.status == "patience"
    # That the loss was best after an epoch is seen in the next one.
    assert fit.epochs == fit.best_epoch + 1 + 50
    # The last epoch of all may have been the best one.
    fit = train(BY_HAND, validation=BY_HAND, patience=50, lr=0.1, epochs=20)
    assert (fit.status, fit.best_epoch) == ("completed", 20)
    assert fit.params.tolist() == fit.history[-1].params.tolist()


def test_columns_of_zeros_bend_nothing() -> None:
    """Without an intercept there is nothing to descend on."""
    observations = observations_from(np.zeros((3, 2)), [1.0, 2.0, 3.0], intercept=False)
    with pytest.raises(GdfitError, match="all features are 0, or too small"):
        curvature_of(observations)
    curvature = curvature_of(observations_from(np.zeros((3, 2)), [1.0, 2.0, 3.0]))
    assert curvature.eigenvalues.tolist() == [2, 0, 0]
    assert curvature.minimum_loss == pytest.approx(2 / 3)


@pytest.mark.parametrize("count", [400, 700, 2000])
@pytest.mark.parametrize("copies", [0, 3])
def test_many_columns_have_the_axes_that_few_have(count: int, copies: int) -> None:
    """Those of AᵀA where the columns are far from dependent, and else those of A."""
    random = np.random.default_rng(count)
    x = random.normal(size=(count, MANY)) * random.uniform(0.5, 2, MANY)
    if copies:
        x[:, -copies:] = x[:, :copies]
    observations = observations_from(x, random.normal(size=count))
    found = curvature_of(observations)
    design = triangular(observations.augmented)[:, : MANY + 1]
    singular = np.linalg.svd(design, compute_uv=False)
    rank = min(count, MANY + 1 - copies)
    expected = 2 * singular[:rank] ** 2 / count
    np.testing.assert_allclose(found.eigenvalues[:rank], expected, rtol=1e-9)
    assert not found.eigenvalues[rank:].any()
    hessian = 2 * design.T @ design / count
    turned = found.eigenvectors.T @ hessian @ found.eigenvectors
    np.testing.assert_allclose(turned, np.diag(found.eigenvalues), atol=1e-10 * expected[0])
