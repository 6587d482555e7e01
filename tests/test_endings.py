"""How runs end: every status for its reason, told in words and by the exit status, and what to type
next is a command that works."""

from __future__ import annotations

import csv
import json
import shlex
import signal
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import LECTURE, SAMPLES, Gdfit, Result, process, signalled
from gdfit.data.in_memory import observations_from
from gdfit.descent.curvature import curvature_of
from gdfit.descent.loop import Step
from gdfit.descent.run import Run, train
from gdfit.descent.settings import Settings
from gdfit.descent.stopping import DivergenceWatch

GREENHOUSE = [SAMPLES / "greenhouse.csv", "--features", "light,water,warmth"]
HOUSES = SAMPLES / "houses.csv"


def rows_of(path: Path) -> list[dict[str, float]]:
    """The rows of a history file."""
    with path.open(newline="") as file:
        return [{name: float(row[name]) for name in row} for row in csv.DictReader(file)]


ENDINGS: dict[str, tuple[list[object], int, str]] = {
    "completed": ([LECTURE, "--lr", "0.01"], 0, "ran all 1,000 epochs"),
    "converged": (
        [LECTURE, "--tol", "1e-9"],
        0,
        "converged at epoch 2: no param moved by more than 1e-09 of the largest",
    ),
    "stalled": (
        [LECTURE, "--lr", "0.01", "--tol", "1e-3"],
        0,
        "stalled at epoch 65: no param moved by more than 0.001 of the largest, but",
    ),
    "target": (
        [LECTURE, "--lr", "0.01", "--target-loss", "0.01"],
        0,
        "target reached at epoch 32: the loss is at or below 0.01",
    ),
    "patience": (
        [*GREENHOUSE, "--validation", "0.3", "--patience", "20", "--epochs", "9000"],
        0,
        "out of patience at epoch ",
    ),
    "diverged": ([LECTURE, "--lr", "0.335", "--epochs", "40"], 3, "diverged: after epoch 40"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_is_told(gdfit: Gdfit, ending: str) -> None:
    arguments, status, message = ENDINGS[ending]
    table = gdfit("train", *arguments, "--history", "h.csv")
    assert table.status == status, table.err
    (ended,) = (line for line in table.out.splitlines() if line.startswith(" ended "))
    assert ended.removeprefix(" ended ").strip().startswith(message)
    shown = gdfit("train", *arguments, "--format", "json")
    assert shown.status == status
    fit = json.loads(shown.out)
    assert fit["status"] == ending
    assert fit["epochs"] == len(rows_of(Path("h.csv"))) == fit["history"][-1]["epoch"]
    if ending == "diverged":
        assert not Path("gdfit.json").exists()
    else:
        assert fit["message"].startswith(message)
        assert json.loads(Path("gdfit.json").read_text())["status"] == ending


# Diverged.


def test_a_loss_that_has_grown_has_diverged_though_it_is_finite(gdfit: Gdfit) -> None:
    Path("gdfit.json").write_text("a good model")
    result = gdfit("train", LECTURE, "--lr", "0.335", "--epochs", "40", "--history", "h.csv")
    assert result.status == 3
    assert Path("gdfit.json").read_text() == "a good model"
    losses = [row["loss"] for row in rows_of(Path("h.csv"))]
    assert len(losses) == 40
    assert losses[-1] < 20 * losses[0]
    assert "--lr 0.335 is 1.02 times the limit 2/λmax = 0.329068" in result.err.splitlines()[-1]
    # Just below the limit, the loss comes down, if slowly.
    assert gdfit("train", LECTURE, "--lr", "0.329", "--epochs", "40").status == 0


def test_params_beyond_float64_explain_nothing_of_a_target_that_varies(gdfit: Gdfit) -> None:
    result = gdfit("train", LECTURE, "--lr", 1e200)
    assert result.status == 3
    assert "\n R²     -inf\n" in result.out


def test_a_rate_a_little_above_the_limit_is_not_once_the_limit(gdfit: Gdfit) -> None:
    result = gdfit("train", LECTURE, "--lr", 0.32908, "--epochs", 1e6, "--leap")
    assert result.status == 3
    assert "--lr 0.32908 is just above the limit 2/λmax = 0.329068, above" in result.err


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov"])
def test_a_run_stops_at_a_million_million_times_the_first_loss(optimizer: Any) -> None:
    data = observations_from([1.0, 2, 3, 5], [2.0, 3, 5, 9])
    fit = train(data, lr=1.0, optimizer=optimizer)
    assert fit.status == "diverged"
    first, *_, before, last = (step.loss for step in fit.history)
    assert before <= 1e12 * first < last < np.inf


def test_where_the_first_loss_is_nothing_the_loss_of_no_params_counts() -> None:
    """Exactly at the minimum of a perfect fit, rounding is more than 10¹² times the loss."""
    data = observations_from([1.0, 2, 3], [3.0, 5, 7])
    for lr in (0.1, "auto"):
        fit = train(data, lr=lr, init=[2.0, 1.0])
        assert fit.status == "completed"
        assert fit.model.params == pytest.approx((2, 1))
    near = train(data, lr=0.1, init=[2.0, 1.0 + 1e-12])
    assert near.status == "completed"
    assert train(data, lr=1.0, init=[2.0, 1.0 + 1e-12], epochs=5).status == "diverged"


@pytest.mark.parametrize("factor", [1.001, 1.5, 100.0])
def test_above_the_limit_is_diverged_and_below_it_is_not(factor: float) -> None:
    random = np.random.default_rng(1)
    for _ in range(10):
        data = observations_from(random.normal(1, 3, (30, 3)), random.normal(2, 1, 30))
        bound = curvature_of(data).max_stable_lr
        assert train(data, lr=factor * bound, epochs=20_000).status == "diverged"
        assert train(data, lr=bound / factor, epochs=50).status == "completed"


@pytest.mark.parametrize(
    "options", [["--batch-size", "1", "--lr", "0.05"], ["--loss", "mae", "--lr", "0.001"]]
)
def test_noise_is_not_divergence(gdfit: Gdfit, options: list[str]) -> None:
    """Started at the minimum, such a run can only end above it."""
    init = "0.3010769,0.2338"
    fit = gdfit.json("train", LECTURE, "--init", init, *options, "--epochs", "200")
    assert fit["status"] == "completed"


@pytest.mark.parametrize(
    "options",
    [
        ["--batch-size", "5"],
        ["--optimizer", "adam", "--lr", "1e300"],
        ["--loss", "huber", "--epochs", "3"],
    ],
    ids=" ".join,
)
def test_divergence_with_other_descents(gdfit: Gdfit, options: list[str]) -> None:
    rate = [] if "--lr" in options else ["--lr", "1e6"]
    result = gdfit("train", HOUSES, *rate, *options)
    assert result.status == 3, result.out
    assert "is too large for this data" in result.err.splitlines()[-1]


# Stalled, and the minimum.


def test_stalled_is_away_from_the_minimum() -> None:
    data = observations_from([1.0, 2, 3, 5, 8], [2.0, 3, 5, 9, 12])
    for tol in np.geomspace(1e-2, 1e-8, 13).tolist():
        fit = train(data, lr=0.01, tol=tol, epochs=20_000)
        assert fit.curvature
        excess = 5 * (fit.loss / fit.curvature.minimum_loss - 1)
        if not 0.9e-4 < excess < 1.1e-4:
            assert fit.status == ("stalled" if excess > 1e-4 else "converged")


def test_a_perfect_fit_converges() -> None:
    data = observations_from([1.0, 2, 3], [3.0, 5, 7])
    assert train(data, tol=1e-15).status == "converged"
    assert train(data, lr=0.01, tol=1e-3).status == "stalled"


def test_with_a_loss_whose_minimum_is_not_known_tol_converges() -> None:
    data = observations_from([1.0, 2, 3, 5, 8], [2.0, 3, 5, 9, 12])
    assert train(data, loss="huber", lr=0.01, tol=1e-2).status == "converged"


# What does not vary.


@pytest.mark.parametrize("level", [0.0, 5.0, 0.1, -1e9, 1e-300])
@pytest.mark.parametrize("count", [1, 3, 1000])
def test_there_is_no_r_squared_of_a_target_that_does_not_vary(
    gdfit: Gdfit, level: float, count: int
) -> None:
    rows = "".join(f"{place % 7},{level!r}\n" for place in range(count))
    data = f"x,y\n{rows}".encode()
    for options in ([], ["--lr", "0.01"], ["--loss", "mae"]):
        fit = gdfit.json("train", "-", *options, stdin=data)
        assert fit["r_squared"] is None
    table = gdfit("train", "-", stdin=data)
    assert " R²          none: the target does not vary\n" in table.out
    assert gdfit.json("evaluate", "-", stdin=data)["r_squared"] is None


def test_a_target_that_hardly_varies_has_an_r_squared(gdfit: Gdfit) -> None:
    data = b"x,y\n" + b"".join(b"%d,1000000.%03d\n" % (x, 2 * x) for x in range(9))
    assert gdfit.json("train", "-", stdin=data)["r_squared"] == pytest.approx(1, abs=1e-6)


# Interrupted.


def interrupted(folder: Path, *options: object, number: signal.Signals = signal.SIGINT) -> Result:
    """A run without end that is sent a signal when some rows have been written."""
    history = folder / "h.csv"
    return signalled(
        *("train", LECTURE, "--lr", "0.01", "--epochs", "1e9", "--history", history, *options),
        cwd=folder,
        ready=lambda: history.exists() and history.stat().st_size > 0,
        number=number,
    )


def test_ctrl_c_ends_with_all_that_was_done(tmp_path: Path) -> None:
    (tmp_path / "gdfit.json").write_text("an old model")
    (tmp_path / "h.csv").touch()
    result = interrupted(tmp_path)
    assert (result.status, result.err) == (130, "gdfit: interrupted\n")
    model = json.loads((tmp_path / "gdfit.json").read_text())
    epochs = model["epochs"]
    assert model["status"] == "interrupted"
    assert model["message"] == f"interrupted after epoch {epochs:,}"
    rows = rows_of(tmp_path / "h.csv")
    assert [row["epoch"] for row in rows] == list(range(1, epochs + 1))
    assert [rows[-1]["w"], rows[-1]["b"]] == [*model["w"], model["b"]]
    table = result.out.splitlines()
    (last, *_) = (line for line in table if line.split()[:1] == [str(epochs)])
    assert float(last.split()[2]) == pytest.approx(rows[-1]["w"], rel=1e-4)
    for line in (
        "w",
        "b",
        "loss",
        "R²",
        f"ended       interrupted after epoch {epochs:,}",
        "minimum",
    ):
        assert any(shown.startswith(f" {line}") for shown in table), line
    # They are the numbers of a run of so many epochs.
    again = process("train", LECTURE, "--lr", "0.01", "--epochs", epochs, "-q", cwd=tmp_path)
    assert list(map(float, again.out.split())) == [*model["w"], model["b"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gdfit.json", "h.csv"]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_ctrl_c_leaves_what_is_printed_whole(tmp_path: Path, form: str) -> None:
    result = interrupted(tmp_path, "--format", form, "--plot", "p.svg")
    assert (result.status, result.err) == (130, "gdfit: interrupted\n")
    epochs = json.loads((tmp_path / "gdfit.json").read_text())["epochs"]
    if form == "json":
        assert json.loads(result.out)["history"][-1]["epoch"] == epochs
    else:
        assert result.out.splitlines()[-1].startswith(f"{epochs},")
    assert (tmp_path / "p.svg").read_text().endswith("</svg>\n")


def test_patience_and_ctrl_c_keep_the_best_params(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("x,y\n1,0.45\n2,0.78\n")
    options = ["--validation", "v.csv", "--patience", "100000000"]
    result = interrupted(tmp_path, *options)
    assert result.status == 130
    model = json.loads((tmp_path / "gdfit.json").read_text())
    losses = [row["validation_loss"] for row in rows_of(tmp_path / "h.csv")]
    assert model["validation_loss"] <= min(losses)
    assert model["best_epoch"] <= model["epochs"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_history_is_kept_however_the_run_ends(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "gdfit.json").write_text("an old model")
    result = interrupted(tmp_path, number=number)
    assert result.status == (-9 if number == signal.SIGKILL else 128 + number)
    text = (tmp_path / "h.csv").read_text()
    lines = text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]
    assert lines[0] == "epoch,loss,w,b,grad_w,grad_b"
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, len(lines)))
    assert len(lines) > 1
    if number != signal.SIGKILL:
        assert text.endswith("\n")
        assert result.err == ""
    assert (tmp_path / "gdfit.json").read_text() == "an old model"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gdfit.json", "h.csv"]


def test_the_history_of_a_run_that_diverges_is_kept(gdfit: Gdfit) -> None:
    assert gdfit("train", HOUSES, "--lr", "0.01", "--history", "h.csv").status == 3
    rows = rows_of(Path("h.csv"))
    assert rows[-1]["loss"] > 1e12 * rows[0]["loss"]


def test_a_history_goes_to_a_device_too(gdfit: Gdfit) -> None:
    assert gdfit("train", LECTURE, "--history", "/dev/null", "-q").status == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    full = gdfit("train", LECTURE, "--lr", "0.01", "--history", "/dev/full", "-q")
    assert (full.status, full.out) == (1, "")
    assert full.err == "gdfit: error: /dev/full: can't be written: No space left on device\n"


def test_a_run_can_be_stopped_from_python() -> None:
    run = Run(observations_from([1.0, 2, 3], [3.0, 5, 7]), lr=0.01)
    for step in run:
        run.stopped = step.epoch == 7
    assert (run.fit().status, run.fit().epochs) == ("interrupted", 8)


# What to type next.

LATER: dict[str, list[object]] = {
    "far too large": [HOUSES, "--lr", "0.01"],
    "a little too large": [LECTURE, "--lr", "0.335", "--epochs", "40"],
    "far too small": [LECTURE, "--lr", "1e-9"],
    "raw columns": [*GREENHOUSE, "--lr", "0.001", "--epochs", "300"],
    "by equals signs": [LECTURE, "--lr=0.5", "--epochs=2e2"],
    "other descents": [HOUSES, "--lr", "9", "--optimizer", "momentum", "--momentum", "0.8"],
    "mini-batches": [HOUSES, "--lr", "9", "--batch-size", "7", "--seed", "3"],
    "scaled": [HOUSES, "--scale", "standardize", "--lr", "3"],
    "raw, by the best rate": [*GREENHOUSE, "--scale", "none", "--epochs", "20"],
    "a far start": [LECTURE, "--init", "1e200,0"],
    "a start by hand": [HOUSES, "--init", "1,-2", "--lr", "0.01"],
    "stalled": [LECTURE, "--lr", "0.01", "--tol", "0.01"],
    "with quotes": ["my data.csv", "--target", "the y", "--features", "an x", "--lr", "9"],
    "mae": [HOUSES, "--loss", "mae", "--lr", "1e9", "--epochs", "3"],
}


@pytest.mark.parametrize("later", LATER)
def test_what_to_type_next_is_a_command_that_works(gdfit: Gdfit, later: str) -> None:
    rows = [f"{x},{(7 * x) % 5},{2 * x + 1 + x % 3}" for x in range(30)]
    Path("my data.csv").write_text("\n".join(["an x,$z,the y", *rows]))
    arguments = [str(argument) for argument in LATER[later]]
    result = gdfit("train", *arguments, "--format", "json")
    fit = json.loads(result.out)
    assert fit["next"]
    words = shlex.split(fit["next"])
    assert words[:2] == ["gdfit", "train"]
    if result.status == 3:
        last = result.err.splitlines()[-1]
        assert last == f"gdfit: error: {fit['message']}"
        assert last.endswith(f": {fit['next']}")
    again = gdfit(*words[1:])
    assert again.status == 0, again.err
    better: dict[str, Any] = json.loads(again.out)
    if fit["loss_function"] == "mse" and fit["optimizer"] == "gd" and not fit["batch_size"]:
        assert better["loss"] <= 1.01 * better["minimum_loss"]
        assert better["next"] is None
    else:
        assert better["r_squared"] > 0.5


def test_a_smaller_rate_is_for_the_same_scale(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the rate that was chosen diverges, which takes bad luck."""
    monkeypatch.setattr("gdfit.descent.learning_rate.tried_rate", lambda *tried: 5e7)
    result = gdfit("train", HOUSES, "--optimizer", "momentum")
    assert result.status == 3
    command = result.err.splitlines()[-1].rpartition(": ")[2]
    for option in ("--scale standardize", "--lr 5e+06", "--optimizer momentum"):
        assert option in command
    assert gdfit(*shlex.split(command)[1:]).status == 3  # at once, and not a good model


def test_a_rate_that_is_gone_on_with_was_not_chosen_for_it(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "--lr", "1e-9")
    fit = gdfit.json("train", LECTURE, "--init", "gdfit.json")
    assert fit["lr"] == 1e-9
    assert shlex.split(fit["next"])[2:] == [str(LECTURE), "--format", "json"]


def test_rounding_is_no_growth(gdfit: Gdfit) -> None:
    """A perfect fit of as many columns as rows, whose loss drifts around 10⁻³⁰."""
    random = np.random.default_rng(0)
    for _ in range(20):
        rows = random.normal(size=(9, 9))
        np.savetxt("d.csv", rows, delimiter=",", header=",".join("abcdefgh") + ",y", comments="")
        assert gdfit("train", "d.csv", "-q").err == ""
    result = gdfit("train", SAMPLES / "greenhouse.csv", "--features", "bed", "-q")
    assert result.err == (
        "gdfit: note: bed has as many levels as there are rows, 48: with it, a model fits these "
        "rows whatever they are\n"
    )


def test_a_run_at_the_minimum_says_nothing_more(gdfit: Gdfit) -> None:
    for data in (LECTURE, HOUSES):
        fit = gdfit.json("train", data)
        assert fit["next"] is None
        assert fit["loss"] == pytest.approx(fit["minimum_loss"], rel=1e-9)


@pytest.mark.parametrize("overshoots", [False, True])
def test_what_overshoots_may_grow_up_to_the_first_loss(overshoots: bool) -> None:
    growth = DivergenceWatch(overshoots)
    nothing = np.zeros(2)
    told = [
        growth(Step(epoch, loss, nothing, nothing, None, nothing, {}))
        for epoch, loss in enumerate([11.0, *range(1, 15)], start=1)
    ]
    # The tenth time running that it grows, it is 11 again; and it is told once.
    assert np.flatnonzero(told).tolist() == [12 if overshoots else 11]


# Exit statuses.


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["train", LECTURE, "-q"], 0),
        (["train", "nowhere.csv"], 1),
        (["train", LECTURE, "--init", "nowhere.json"], 1),
        (["train", LECTURE, "--lr", "0"], 2),
        (["train"], 2),
        (["train", LECTURE, "--lr", "9"], 3),
        (["--version"], 0),
    ],
    ids=str,
)
def test_exit_statuses_as_a_process(tmp_path: Path, arguments: list[object], status: int) -> None:
    result = process(*arguments, cwd=tmp_path)
    assert result.status == status
    assert "Traceback" not in result.err
    assert len(result.err.splitlines()) == int(status > 0)


@pytest.mark.parametrize("leap", [False, True])
def test_every_status_of_the_settings_is_reached(leap: bool) -> None:
    """`tol` comes before the last epoch, the target before both."""
    data = observations_from([1.0, 2, 3], [3.0, 5, 7])
    settings = Settings(lr=0.01, epochs=1, tol=1e9, target_loss=1e9, leap=leap)
    assert train(data, settings=settings).status == "target"
    assert train(data, settings=settings, target_loss=None).status == "stalled"
    assert train(data, settings=settings, target_loss=None, tol=None).status == "completed"
