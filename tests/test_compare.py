"""Runs side by side: each is what train gives, and they are measured and ranked by their losses."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import pytest

import gdfit as library
from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.compare import (
    Comparison,
    combinations,
    list_of,
    milestones,
    settings_of,
    starts_of,
)
from gdfit.descent.loop import Step
from gdfit.descent.objective import whole_objective
from gdfit.descent.run import Run, train
from gdfit.descent.settings import Settings
from gdfit.errors import GdfitError, UsageError
from gdfit.model.linear import LinearModel
from gdfit.show.board import cells

SWEEP = ["compare", LECTURE, "--lr", "0.001,0.01,0.1,0.5", "--optimizer", "gd,momentum,adam"]


@pytest.fixture(scope="module")
def lecture() -> Observations:
    return library.read_observations(str(LECTURE), keep_rows=True)


def table(out: str) -> tuple[list[str], list[list[str]]]:
    """The names of the columns of a table, and its rows; columns are two spaces apart."""
    head, rule, *lines = out.splitlines()[2:]
    assert set(rule.strip()) == {"─"}
    rows = lines[: lines.index("")]
    return split(head), [split(row) for row in rows]


def split(line: str) -> list[str]:
    return [part.strip() for part in line.strip().split("  ") if part]


# What a comparison is.


@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_each_run_is_what_train_gives(
    lecture: Observations, loss: str, batch_size: int | None
) -> None:
    same: dict[str, Any] = {"epochs": 30, "loss": loss, "batch_size": batch_size, "l2": 0.01}
    comparison = library.compare(
        lecture, lr=[0.01, 0.1], optimizer=["gd", "adam"], scale=["none", "standardize"], **same
    )
    assert len(comparison.outcomes) == 8
    assert sorted(outcome.number for outcome in comparison.outcomes) == list(range(1, 9))
    for outcome in comparison.outcomes:
        values = {name: outcome.values[name] for name in ("lr", "optimizer", "scale")}
        alone = train(lecture, **values, **same)
        assert outcome.fit.model == alone.model
        assert outcome.fit.loss == alone.loss
        assert [step.loss for step in outcome.fit.history] == [step.loss for step in alone.history]
        # The losses are those of all observations, at the params after so many epochs.
        (_, run), *_ = combinations(lecture, settings_of(Settings(), **values, **same))
        objective = whole_objective(run.descended, alone.settings)
        path = [alone.start, *(step.params for step in alone.history)]
        expected = [objective(params)[0] for params in path]
        assert outcome.losses.tolist() == pytest.approx(expected, rel=1e-12)
        assert outcome.losses[-1] == pytest.approx(alone.loss)
        assert [outcome.loss_in(epoch) for epoch in range(1, 31)] == outcome.losses[:-1].tolist()
        assert np.isnan([outcome.loss_in(0), outcome.loss_in(31)]).all()


def test_the_last_option_changes_first_and_starts_before_it(lecture: Observations) -> None:
    runs = combinations(
        lecture, settings_of(Settings(), lr=[0.1, 0.2], seed=range(2)), ["zeros", "random"]
    )
    told = [(run.settings.lr, run.settings.seed, name) for name, run in runs]
    assert told == [
        (lr, seed, name) for lr in (0.1, 0.2) for seed in (0, 1) for name in ("zeros", "random")
    ]


def test_runs_are_forgotten_when_their_turn_is_over(
    lecture: Observations, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: WeakSet[Run] = WeakSet()
    left = []

    class Remembered(Run):
        def __init__(self, *observations: Observations, **options: Any) -> None:
            super().__init__(*observations, **options)
            runs.add(self)

        def __iter__(self) -> Iterator[Step]:
            left.append((self.settings.lr, len(runs)))
            return super().__iter__()

    monkeypatch.setattr("gdfit.descent.compare.Run", Remembered)
    library.compare(lecture, lr=[0.1, 0.2, 0.3])
    assert left == [(0.1, 3), (0.2, 2), (0.3, 1)]


def test_what_is_one_value_and_what_is_several() -> None:
    assert list_of("lr", 0.1) == [0.1]
    assert list_of("lr", np.geomspace(1, 100, 3)) == [1.0, 10.0, 100.0]
    assert list_of("seed", range(3)) == [0, 1, 2]
    assert list_of("optimizer", "adam") == ["adam"]
    assert list_of("betas", (0.9, 0.99)) == [(0.9, 0.99)]
    assert list_of("betas", [(0.9, 0.99), (0.8, 0.9)]) == [(0.9, 0.99), (0.8, 0.9)]
    assert list_of("batch_size", None) == [None]
    with pytest.raises(UsageError, match="`lr` is an empty list"):
        list_of("lr", [])
    model = train(observations_from([1, 2, 3], [1, 2, 4]), epochs=1).model
    assert starts_of([0.1, 0.2]) == {"0.1,0.2": [0.1, 0.2]}
    several: list[Any] = ["zeros", (0.1, 0.2), model]
    assert list(starts_of(several)) == ["zeros", "0.1,0.2", "model 3"]
    assert starts_of({"before": model}) == {"before": model}


def test_epochs_to_the_minimum_are_counted(lecture: Observations) -> None:
    comparison = library.compare(lecture, lr=[0.001, 0.02, 0.1], epochs=1000)
    best, middle, worst = comparison.outcomes
    assert [outcome.values["lr"] for outcome in comparison.outcomes] == [0.1, 0.02, 0.001]
    assert comparison.epochs_to_minimum(worst) is None
    for outcome in (best, middle):
        epochs = comparison.epochs_to_minimum(outcome)
        assert epochs is not None
        assert outcome.fit.curvature
        least = outcome.fit.curvature.minimum_loss
        assert comparison.least(outcome) == least
        # A run of as many epochs, and no fewer, arrives.
        lr = outcome.values["lr"]
        assert train(lecture, lr=lr, epochs=epochs).arrived
        assert not train(lecture, lr=lr, epochs=epochs - 1).arrived
    at_once = library.compare(lecture, init=[best.fit.model], lr=[0.01], epochs=1)
    assert at_once.epochs_to_minimum(at_once.outcomes[0]) == 0


def test_a_minimum_that_is_not_known_is_the_least_of_the_runs(lecture: Observations) -> None:
    comparison = library.compare(lecture, loss="huber", lr=[0.05, 0.1, 100], epochs=301)
    least = min(outcome.losses.min() for outcome in comparison.outcomes)
    for outcome in comparison.outcomes:
        assert comparison.least(outcome) == least
    reached = [comparison.epochs_to_minimum(outcome) for outcome in comparison.outcomes]
    near = [np.flatnonzero(outcome.losses <= 1.01 * least) for outcome in comparison.outcomes]
    assert reached == [there[0] if len(there) else None for there in near]
    assert [epochs is None for epochs in reached] == [False, False, True]
    assert comparison.outcomes[-1].has_diverged


def test_the_best_come_first_and_the_diverged_last(lecture: Observations) -> None:
    comparison = library.compare(
        lecture, lr=[0.001, 0.01, 0.3, 0.5, 2], optimizer=["gd", "momentum"], epochs=3000
    )
    diverged = [outcome.has_diverged for outcome in comparison.outcomes]
    assert diverged == sorted(diverged)
    assert 0 < sum(diverged) < 10
    down = [outcome for outcome in comparison.outcomes if not outcome.has_diverged]
    # Those at the minimum, but for rounding, by how soon they were near; then by their losses.
    least = comparison.least(down[0])
    assert least is not None
    there = [outcome for outcome in down if outcome.fit.loss <= least * (1 + 1e-9)]
    assert len(there) > 2
    assert down[: len(there)] == there
    epochs = [comparison.epochs_to_minimum(outcome) or 0 for outcome in there]
    assert epochs == sorted(epochs)
    losses = [outcome.fit.loss for outcome in down[len(there) :]]
    assert losses == sorted(losses)
    assert comparison.best is comparison.outcomes[0].fit
    assert comparison.fits == tuple(outcome.fit for outcome in comparison.outcomes)


def test_losses_of_different_kinds_are_not_ranked(lecture: Observations) -> None:
    comparison = library.compare(lecture, loss=["mse", "mae"], lr=[0.01, 0.1], epochs=20)
    groups = comparison.groups()
    assert [{outcome.values["loss"] for outcome in group} for group in groups] == [{"mse"}, {"mae"}]
    with pytest.raises(UsageError, match="different losses can't be compared"):
        _ = comparison.best
    # A penalty is for the features as they are scaled.
    penalized = library.compare(lecture, scale=["none", "standardize"], l2=0.1, epochs=5)
    assert len(penalized.groups()) == 2
    # A validation loss has none.
    held_out = observations_from([0.5, 1.5], [0.4, 0.7])
    validated = library.compare(
        lecture, validation=held_out, l2=[0.0, 0.1, 1.0], lr=0.1, epochs=300
    )
    assert len(validated.groups()) == 1
    losses = [fit.validation_loss or 0.0 for fit in validated.fits]
    assert losses == sorted(losses)


def test_a_run_that_diverged_is_last_even_with_less_loss(lecture: Observations) -> None:
    """As from near the minimum: it climbed, but not yet to where another run still is."""
    near = train(lecture, lr=0.1, epochs=3).model
    starts: dict[str, list[float] | LinearModel] = {"far": [9.0, 9.0], "near": near}
    outcomes = library.compare(lecture, init=starts, lr=[1e-6, 0.5], epochs=4).outcomes
    assert [outcome.has_diverged for outcome in outcomes] == [False, False, True, True]
    assert outcomes[2].fit.loss < outcomes[1].fit.loss


def test_where_all_diverge_none_is_the_best(lecture: Observations) -> None:
    comparison = library.compare(lecture, lr=[0.5, 0.4, 5])
    with pytest.raises(GdfitError, match="all of them diverged"):
        _ = comparison.best
    assert comparison.outcomes[0].values["lr"] == 0.4


def test_only_what_varies_is_told(lecture: Observations) -> None:
    comparison = library.compare(lecture, lr=["auto", 0.01], batch_size=[5, None], epochs=3)
    assert comparison.varied == ("lr", "scale", "batch_size")
    assert library.compare(lecture, lr=[0.1], epochs=3).varied == ()
    assert library.compare(lecture, optimizer=["gd", "adam"], lr=0.1).varied == ("optimizer",)
    assert library.compare(lecture, momentum=[0.5, 0.9], optimizer="momentum", lr=0.1).varied == (
        "momentum",
    )


def test_frames(lecture: Observations) -> None:
    comparison = library.compare(lecture, loss=["mse", "mae"], lr=[0.01, 0.4], epochs=12)
    frame, summary = comparison.frame, comparison.summary
    assert [*frame.columns] == ["run", "lr", "loss_function", "epoch", "loss"]
    assert frame["run"].is_monotonic_increasing
    for outcome in comparison.outcomes:
        own = frame[frame["run"] == outcome.number]
        assert own["loss"].tolist() == [step.loss for step in outcome.fit.history]
        assert set(own["lr"]) == {outcome.values["lr"]}
    assert [*summary.columns] == [
        *("run", "lr", "loss_function", "epoch_1", "epoch_10"),
        *("loss", "epochs_to_minimum", "epochs", "status"),
    ]
    assert summary["run"].tolist() == [outcome.number for outcome in comparison.outcomes]
    assert str(summary["epochs_to_minimum"].dtype) == "Int64"
    html = comparison._repr_html_()
    assert html.startswith("<table")
    names = re.findall(r"<th[^>]*>(.*?)</th>", html.splitlines()[1])
    assert names == ["lr", "loss", "epoch 1", "epoch 10", "in the end", "arrived", "ended"]
    assert (milestones(0), milestones(1), milestones(99), milestones(100)) == (
        *([], [1], [1, 10]),
        [1, 10, 100],
    )


# The command.


def test_the_table(gdfit: Gdfit) -> None:
    result = gdfit(*SWEEP)
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith(" y from x · 25 rows · loss of 12 runs of 1,000 epochs\n\n")
    names, rows = table(result.out)
    assert names[:2] == ["lr", "optimizer"]
    assert names[-3:] == ["in the end", "arrived", "ended"]
    assert len(rows) == 12
    assert max(map(cells, result.out.splitlines()[:16])) < 80
    assert [row[-1] for row in rows] == ["completed"] * 11 + ["diverged at 21"]
    lecture = library.read_observations(str(LECTURE))
    for row in rows[:-1]:
        optimizer: Any = row[1]
        fit = train(lecture, lr=float(row[0]), optimizer=optimizer)
        assert float(row[-3]) == pytest.approx(fit.loss, rel=1e-3)
        assert float(row[-4]) == pytest.approx(fit.history[999].loss, rel=1e-3)
        assert float(row[-5]) == pytest.approx(fit.history[99].loss, rel=1e-3)
    assert "each param within 1/100 std. error of the minimum, 0.00051235692" in result.out
    assert "climbs above --lr 0.329068 = 2/λmax" in result.out
    assert list(Path().iterdir()) == []  # no model


def test_the_best_command_gives_the_best_run(gdfit: Gdfit) -> None:
    best = gdfit("compare", LECTURE, "--init", "random", "--lr", "0.01,0.1,auto", "--epochs", 20,
                 "--batch-size", "5,all", "--seed", "3,4", "--show", "1")  # fmt: skip
    (command,) = [line for line in best.out.splitlines() if line.startswith(" best ")]
    words = shlex.split(command)[1:]
    assert words[:2] == ["gdfit", "train"]
    assert "--show" not in words
    runs: Any = gdfit.json(
        *("compare", LECTURE, "--init", "random", "--lr", "0.01,0.1,auto", "--epochs", 20),
        *("--batch-size", "5,all", "--seed", "3,4"),
    )
    w, b = gdfit(*words[1:], "-q").out.split()
    assert (runs[0]["w"], runs[0]["b"]) == ([float(w)], float(b))


def test_the_best_command_leaves_out_what_is_for_other_runs(gdfit: Gdfit) -> None:
    for words in (
        ["--optimizer", "gd,momentum,adam", "--momentum", "0.99", "--betas", "0.5,0.6"],
        ["--loss", "mae,huber", "--huber-delta", "0.5"],
    ):
        out = gdfit("compare", LECTURE, "--lr", 0.1, "--epochs", 20, *words).out
        for line in out.splitlines():
            if line.startswith(" best "):
                _, _, *best = shlex.split(line)
                assert gdfit(*best, "--no-model", "-q").status == 0


def test_json_is_a_list_of_what_train_gives(gdfit: Gdfit) -> None:
    how = [LECTURE, "--epochs", 20, "--validation", 0.2, "--show", "1,2"]
    runs: Any = gdfit.json("compare", *how, "--lr", "0.1,0.5", "--optimizer", "gd,adam")
    assert [run["run"] for run in runs][-1] == 3  # lr 0.5 with gd diverges
    for run in runs:
        words = ["--lr", run["lr"], "--optimizer", run["optimizer"]]
        printed = gdfit("train", *how, *words, "--format", "json", "--no-model").out
        alone = json.loads(printed)
        for key in alone:
            if key != "message" and key != "next":
                assert run[key] == alone[key], key
        assert (run["status"] == "diverged") == run["message"].startswith("diverged at epoch")
        assert run["least_loss"] == run["minimum_loss"]
    assert {"run", "least_loss", "epochs_to_minimum"} < set(runs[0])


def test_csv_has_the_rows_of_train(gdfit: Gdfit) -> None:
    how = [LECTURE, "--epochs", 30, "--every", 7]
    out = gdfit("compare", *how, "--lr", "0.1,0.2", "--optimizer", "gd,adam", "--format", "csv").out
    rows = [*csv.DictReader(io.StringIO(out))]
    assert [*rows[0]] == ["run", "lr", "optimizer", "epoch", "loss"]
    for number in "1234":
        own = [row for row in rows if row["run"] == number]
        words = ["--lr", own[0]["lr"], "--optimizer", own[0]["optimizer"], "--format", "csv"]
        alone = [*csv.DictReader(io.StringIO(gdfit("train", *how, *words, "--no-model").out))]
        pairs = [(row["epoch"], row["loss"]) for row in alone]
        assert [(row["epoch"], row["loss"]) for row in own] == pairs
    header, *_ = gdfit("compare", *how, "--loss", "mse,mae", "--format", "csv").out.splitlines()
    assert header == "run,lr,loss_function,epoch,loss"


@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_the_data_is_read_once(gdfit: Gdfit, loss: str) -> None:
    result = gdfit("compare", "-", "--lr", "0.01,0.1", "--loss", loss, stdin=LECTURE.read_bytes())
    assert result.status == 0
    assert len(table(result.out)[1]) == 2


def test_a_model_is_written_where_one_is_asked_for(gdfit: Gdfit) -> None:
    result = gdfit(*SWEEP, "--model", "best.json")
    assert result.out.endswith("\n model    best.json\n")
    model = library.load_model("best.json")
    assert model.facts["status"] == "completed"
    assert model.facts["files"] == [str(LECTURE)]
    best: Any = gdfit.json(*SWEEP)
    assert (list(model.w), model.b) == (best[0]["w"], best[0]["b"])
    assert gdfit("predict", "--model", "best.json", "--x", 2).out == f"{model.predict([2.0])}\n"
    assert [path.name for path in Path().iterdir()] == ["best.json"]


def test_status_3_is_for_runs_that_all_diverge(gdfit: Gdfit) -> None:
    result = gdfit("compare", LECTURE, "--lr", "0.4,5", "--model", "m.json")
    assert result.status == 3
    names, rows = table(result.out)
    assert names[-3:] == ["in the end", "arrived", "ended"]
    assert [row[-1] for row in rows] == ["diverged at 40", "diverged at 6"]
    assert result.err == (
        "gdfit: error: all runs diverged: --lr 0.4 is 1.22 times the limit 2/λmax = 0.329068, "
        "above which gradient descent on this data climbs; let gdfit choose the learning rate: "
        f"gdfit train {LECTURE}\n"
    )
    assert list(Path().iterdir()) == []
    (_, command) = result.err.rsplit(": ", 1)
    assert gdfit(*shlex.split(command)[1:]).status == 0


def test_losses_of_several_kinds_stand_apart(gdfit: Gdfit) -> None:
    out = gdfit("compare", LECTURE, "--loss", "mse,huber", "--lr", "0.1,0.2", "--epochs", 50).out
    first, second = out.split("\n\n")[1:3]
    assert len(first.splitlines()) == 4
    assert len(second.splitlines()) == 2
    assert "   mse    each param within 1/100 std. error of the minimum, 0.00051235692\n" in out
    assert "   huber  the loss within 1 % of the least of these runs, " in out
    assert out.count("\n best ") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["--lr", "0.001,0.01,auto", "--optimizer", "gd,adam", "--batch-size", "5,all"],
        ["--init", "zeros", "--init", "0.123456789,0.123456789", "--lr", "0.01"],
        ["--lr", "1e-30,0.01", "--seed", "1000000,2", "--batch-size", "5", "--validation", "0.2"],
        ["--lr", "0.01,0.4", "--loss", "huber,mse", "--epochs", "3"],
        ["--lr", "0.01,0.02", "--show", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"],
        ["--lr", "0.01,0.02", "--every", "50"],
        [
            *("--lr", "0.001,0.01,1", "--optimizer", "gd,adam", "--seed", "1,2", "--epochs", "20"),
            *("--scale", "none,standardize", "--batch-size", "5,all"),
        ],
        [
            *("--init", "0.123456789012345,0.98765432109876", "--init", "1e-300,1e300"),
            *("--lr", "0.001,0.01,0.1", "--optimizer", "gd,adam", "--validation", "0.3"),
        ],
    ],
)
def test_the_table_has_room_on_80_columns(gdfit: Gdfit, arguments: list[str]) -> None:
    result = gdfit("compare", LECTURE, *arguments)
    assert result.status == 0
    lines = result.out.splitlines()
    (rule,) = [place for place, line in enumerate(lines) if line.startswith("─")]
    rows = lines[rule - 1 :]
    assert max(map(cells, rows[: rows.index("")])) < 80
    assert ("for" in result.out.partition(" no room ")[2]) == (
        "--show" in arguments or "--every" in arguments
    )


def test_a_validation_loss_of_0_is_told(gdfit: Gdfit, tmp_path: Path) -> None:
    (tmp_path / "zero.csv").write_text("x,y\n0,0\n")
    words = ["--no-intercept", "--validation", tmp_path / "zero.csv", "--epochs", 3]
    result = gdfit("compare", LECTURE, "--lr", "0.01,0.02", *words)
    names, rows = table(result.out)
    assert [row[names.index("validation")] for row in rows] == ["0.000", "0.000"]


WRONG_USAGE = {
    "compare DATA": "there is nothing to compare: type values, as in --lr 0.001,0.01,0.1",
    "compare DATA --lr 0.1,fast": "--lr takes a number, not 'fast'",
    "compare DATA --lr 0.1,": "--lr takes a number, not ''",
    "compare DATA --lr 0.1 1e-2": "1e-2 is no file; several values of an option stand with commas",
    "compare DATA --optimizer gd adam": "adam is no file; several values of an option stand with",
    "compare DATA --lr 0.1,0": "--lr takes a positive number or auto, not 0",
    "compare DATA --lr 0.1,0.2,0.10": "--lr takes each value once, not 0.1 twice",
    "compare DATA --init zeros --init zeros": "--init takes each value once, not zeros twice",
    "compare DATA --optimizer gd,lbfgs": "--optimizer takes gd, momentum, nesterov, adam, adag",
    "compare DATA --scale none,robust": "--scale takes none, standardize or whiten",
    "compare DATA --batch-size 5,some": "--batch-size takes a number, not 'some'",
    "compare DATA --batch-size 5,0": "--batch-size takes a number from 1 on, not '0'",
    "compare DATA --loss mse,hinge": (
        "--loss takes mse, mae, huber, logistic, quantile or FILE.py:NAME, not 'hinge'"
    ),
    "compare DATA --seed 1,-2 --batch-size 5": "--seed takes a number from 0 on, not '-2'",
    "compare DATA --seed 1,2": "--seed has no effect here: it draws only random starts and batches",
    "compare DATA --lr 0.1,0.2 --momentum 0.5": "--momentum has no effect here: it is for",
    "compare DATA --lr 0.1,0.2 --huber-delta 2": "--huber-delta has no effect here",
    "compare DATA --loss mse,mae --model m.json": "--model is the best run's: of several losses",
    "compare DATA --init ones": "--init takes zeros, random, numbers W,…,B or a model file",
    "compare DATA --init 1,2,3": "--init takes 2 finite numbers here, one for each of w, b",
    "compare DATA --lr 0.1,0.2 --plot a.jpg": "--plot takes a file that ends in .png",
    "compare DATA --lr 0.1,0.2 --patience 3": "--patience goes by the validation loss",
    "compare DATA --lr 0.1,0.2 --history h.csv": "No such option: --history",
}


@pytest.mark.parametrize("command", WRONG_USAGE)
def test_wrong_usage_is_one_line(gdfit: Gdfit, command: str) -> None:
    result = gdfit(*shlex.split(command.replace("DATA", str(LECTURE))))
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"gdfit: error: {WRONG_USAGE[command]}")
    assert result.err.count("\n") == 1
    assert list(Path().iterdir()) == []


def test_options_with_an_effect_on_some_runs_are_taken(gdfit: Gdfit) -> None:
    for words in (
        ["--optimizer", "gd,momentum", "--momentum", "0.5"],
        ["--loss", "mse,huber", "--huber-delta", "0.5"],
        ["--optimizer", "gd,adam", "--betas", "0.8,0.9"],
    ):
        assert gdfit("compare", LECTURE, "--lr", "0.01", "--epochs", 3, *words).status == 0


def test_a_column_that_does_not_vary_is_noted_once(gdfit: Gdfit) -> None:
    data = b"a,b,y\n1,2,3\n1,4,5\n1,5,5\n"
    result = gdfit("compare", "-", "--lr", "0.1,0.2", "--scale", "standardize", stdin=data)
    assert (
        result.err
        == "gdfit: note: column a does not vary, but for rounding (it is 1): its weight is 0\n"
    )


def test_ctrl_c_tells_of_the_runs_that_were_begun(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gdfit", "compare", str(LECTURE)]
    run = subprocess.Popen(
        [*command, "--lr", "0.1,0.01,0.2", "--epochs", "1e9", "--model", "m.json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(4)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    names, rows = table(out.decode())
    assert (len(rows), names[0], rows[0][0]) == (1, "lr", "0.1")
    assert rows[0][-1].startswith("interrupted at ")
    assert err.decode().splitlines() == [
        "gdfit: note: 2 more runs were not begun",
        "gdfit: interrupted",
    ]
    assert (tmp_path / "m.json").exists()


def test_many_features(gdfit: Gdfit) -> None:
    result = gdfit(
        *("compare", SAMPLES / "greenhouse.csv", "--features", "light,water,warmth"),
        *("--scale", "none,standardize,whiten", "--lr", "0.1", "--epochs", 100),
    )
    assert result.status == 0
    assert result.out.startswith(" growth from light, water, warmth · 48 rows · loss of 3 runs")
    assert [row[0] for row in table(result.out)[1]][-1] == "none"


def test_a_comparison_needs_an_outcome_to_tell_of() -> None:
    assert Comparison([]).outcomes == ()


def test_schedules_and_rules_that_find_their_rate_side_by_side(gdfit: Gdfit) -> None:
    options = ["--lr", "0.3", "--schedule", "constant,step,exponential", "--decay", "0.8"]
    every: Any = gdfit.json("compare", LECTURE, *options)
    runs = {run["schedule"]: run for run in every}
    assert {name: run["decay"] for name, run in runs.items()} == {
        "constant": None,
        "step": 0.8,
        "exponential": 0.8,
    }
    for name, run in runs.items():
        decay = [] if name == "constant" else ["--decay", "0.8"]
        alone = gdfit.json("train", LECTURE, "--lr", "0.3", "--schedule", name, *decay)
        assert (alone["w"], alone["b"]) == (run["w"], run["b"])
    best = gdfit("compare", LECTURE, *options).out.rpartition(" best ")[2]
    assert "--lr 0.3 --schedule constant" in best
    assert "--decay" not in best
    found: Any = gdfit.json("compare", LECTURE, "--optimizer", "gd,steepest,cg", "--scale", "none")
    assert [(run["optimizer"], run["lr"]) for run in found[:2]] == [
        ("cg", None),
        ("steepest", None),
    ]
    table = gdfit("compare", LECTURE, "--optimizer", "gd,cg", "--scale", "none").out
    assert "—         cg" in table
    assert "nan" not in table
    csv = gdfit(
        "compare", LECTURE, "--optimizer", "gd,cg", "--scale", "none", "--format", "csv"
    ).out
    assert "\n2,,cg,1," in csv


def test_limits_of_momentum_are_told_where_a_run_climbs(gdfit: Gdfit) -> None:
    out = gdfit("compare", LECTURE, "--lr", "0.7,0.1", "--optimizer", "gd,momentum,nesterov").out
    limits = [line for line in out.splitlines() if line.startswith(" limit")]
    assert {line.rpartition(" = ")[2] for line in limits} == {
        "2(1 + 0.9)/λmax",
        "2(1 + 0.9)/((1 + 2·0.9)λmax)",
        "2/λmax",
    }
