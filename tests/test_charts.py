"""Charts in text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import LECTURE, SAMPLES, Gdfit, process
from drawn import several, traced
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.show.pictures.charts import charts, in_one_text, round_ticks


def chart_of(data: Any = None, width: int = 80, **options: Any) -> tuple[str, str]:
    """The charts of a run: the loss, and the fit."""
    fit, steps = traced(data, **options)
    text = in_one_text(charts(fit, steps, width), colour=False)
    assert all(len(row) <= width for row in text.splitlines())
    loss, _, fitted = text.partition("\n\n")
    return loss, fitted


def test_charts_in_a_pipe(tmp_path: Path) -> None:
    result = process("train", LECTURE, "--lr", "0.01", "--chart", cwd=tmp_path)
    assert result.status == 0
    assert "\x1b" not in result.out
    assert "the loss against the epoch" in result.out
    assert "y against x" in result.out
    assert max(len(row) for row in result.out.splitlines() if row.endswith(("│", "┐"))) == 80
    assert re.search(r"^ *1 +10 +100 +1,000$", result.out, re.MULTILINE)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_charts_are_as_wide_as_the_terminal(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    result = gdfit("train", LECTURE, "--chart", "--no-model", "--show", "1")
    boxes = [row for row in result.out.splitlines() if row.endswith("┐")]
    assert [len(row) for row in boxes] == [width, width]


def test_charts_show_the_curve_and_the_points() -> None:
    fit, steps = traced(epochs=300)
    assert "\x1b" in in_one_text(charts(fit, steps, 80), colour=True)
    loss, fitted = chart_of(epochs=300, lr=0.01)
    assert "--- minimum 0.0005124" not in loss
    assert "-- minimum 0.0005124" in loss
    assert 20 <= fitted.count("o") - "o observations".count("o") <= 25
    assert "⠒⠒ y = " in fitted
    loss, fitted = chart_of(several(2), epochs=50)
    assert fitted == ""


def test_what_is_made_of_one_number_is_a_curve(gdfit: Gdfit) -> None:
    rows = "".join(f"{x},{x * x}\n" for x in range(-6, 7))
    options = ["--degree", "2", "--chart", "--no-model", "--show", "1", "--scale", "whiten"]
    out = gdfit("train", "-", *options, stdin=f"x,y\n{rows}".encode()).out
    fitted = out.partition("y against x")[2]
    assert "⠒⠒ the fit" in fitted
    box = [row.partition("│")[2].partition("│")[0] for row in fitted.splitlines() if "│" in row]
    drawn = [[place for place, sign in enumerate(row) if sign > "⠀"] for row in box]
    spread = [(row[0], row[-1]) for row in drawn if row]
    assert len(spread) > 8  # lines: it is as high as the observations
    lefts, rights = zip(*spread, strict=True)
    assert list(lefts) == sorted(lefts)
    assert list(rights) == sorted(rights, reverse=True)
    both = gdfit(
        "train", "-", "--features", "x,z", "--chart", stdin=b"x,z,y\n1,2,3\n2,1,5\n4,4,4\n"
    )
    assert "against x" not in both.out


def test_a_constant_target_is_not_magnified() -> None:
    rises = observations_from(np.arange(20.0), np.full(20, 5.0))
    fit, _ = traced(rises)
    assert fit.model.w[0] != 0  # by rounding
    _, fitted = chart_of(rises)
    rows = [row for row in fitted.splitlines() if "o" in row and "│" in row]
    assert [row.partition("┤")[0] for row in rows] == ["5"]
    assert "⠒⠒ y = 0 x + 5" in fitted


def test_the_equation_is_that_of_the_model_where_x_does_not_vary() -> None:
    _, fitted = chart_of(observations_from([2.0], [3.0]), lr=0.1)
    assert "⠒⠒ y = 1.2 x + 0.6" in fitted


def test_the_minimum_is_drawn_in() -> None:
    fit, steps = traced(lr=0.01, epochs=50)
    rows = in_one_text(charts(fit, steps, 80), colour=False).splitlines()
    (level,) = [row for row in rows if "--------" in row]
    assert level == next(row for row in reversed(rows[: rows.index(level) + 2]) if "│" in row)


def test_validation_is_drawn_apart() -> None:
    loss, fitted = chart_of(lr=0.01, validation=observations_from([0.5, 1.5], [0.4, 0.1]))
    assert "• validation loss" in loss
    assert loss.count("•") > 5
    assert "x validation" in fitted
    assert fitted.partition("x validation")[0].count("x") == 2 + fitted.count("against x")


def test_an_exploding_loss_has_a_linear_axis_of_epochs() -> None:
    loss, _ = chart_of(read_observations(str(SAMPLES / "houses.csv")), lr=0.01)
    assert re.search(r"^ *1 +2 +3 +4$", loss, re.MULTILINE)
    assert "1e20" in loss


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (0.1, 2.5, ["0.5", "1.0", "1.5", "2.0", "2.5"]),
        (0.27, 0.99, ["0.4", "0.6", "0.8"]),
        (-3.0, 3.0, ["-3", "-2", "-1", "0", "1", "2", "3"]),
        (117_000, 493_000, ["200,000", "300,000", "400,000"]),
        (0.0, 3e9, ["0", "5e+08", "1e+09", "1.5e+09", "2e+09", "2.5e+09", "3e+09"]),
        (1e-7, 3e-7, ["1e-07", "1.5e-07", "2e-07", "2.5e-07", "3e-07"]),
        (5.0, 5.0, ["5"]),
    ],
)
def test_ticks_are_round(low: float, high: float, names: list[str]) -> None:
    ticks = round_ticks(low, high, 6)
    assert ticks.names == names
    assert ticks.places == pytest.approx([float(name.replace(",", "")) for name in names])


def test_ticks_of_epochs_are_whole() -> None:
    assert round_ticks(1, 4, 10, whole=True).names == ["1", "2", "3", "4"]
    assert round_ticks(1, 25, 6, whole=True).names == ["5", "10", "15", "20", "25"]


def test_charts_go_with_every_run(gdfit: Gdfit) -> None:
    for options in (
        ["--epochs", "1"],
        ["--validation", "0.3"],
        ["--lr", "3"],
        ["--loss", "mae", "--scale", "standardize"],
        ["--batch-size", "1", "--lr", "0.01"],
    ):
        result = gdfit("train", LECTURE, "--chart", *options)
        assert result.status in (0, 3)
        assert "the loss" in result.out.lower()


def test_epochs_in_which_nothing_happens_are_left_out(gdfit: Gdfit) -> None:
    rest = ("--scale", "standardize", "--lr", "0.1", "--epochs", "5000", "--chart")
    out = gdfit("train", LECTURE, *rest).out
    assert "the loss against the epoch (no change from there to 5,000)" in out
    gdfit("train", LECTURE, "--lr", "0.01", "--epochs", "150")
    options = ("--lr", "0.01", "--epochs", "20", "--init", "gdfit.json", "--chart")
    out = gdfit("train", LECTURE, *options).out
    assert re.search("^ *155 +160 +165 +170$", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "signs", "least"),
    [
        (["--lr", "0.01,0.1,0.3"], "1 lr 0.3   2 lr 0.1   3 lr 0.01", "minimum 0.0005124"),
        (["--lr", "0.1,5"], "1 lr 0.1   2 lr 5 (diverged)", "minimum 0.0005124"),
        (["--lr", "3,4"], "1 lr 3 (diverged)   2 lr 4 (diverged)", ""),
        (["--lr", "0.01,0.02", "--loss", "mae"], "1 lr 0.02   2 lr 0.01", "minimum 0.0088"),
        (["--lr", "0.01,0.02", "--loss", "huber"], "1 lr 0.02   2 lr 0.01", "least of these runs"),
    ],
)
def test_a_comparison_has_a_chart(gdfit: Gdfit, options: list[str], signs: str, least: str) -> None:
    result = gdfit("compare", LECTURE, *options, "--epochs", "60", "--chart")
    plain = gdfit("compare", LECTURE, *options, "--epochs", "60")
    assert result.out.startswith(plain.out)
    chart = result.out.removeprefix(plain.out).strip("\n").splitlines()
    assert chart[0].strip() == "the losses against the epoch"
    assert f"{signs}{least and '   -- '}{least}" in chart[-1]
    assert max(map(len, chart)) <= 80
    assert "1" in "".join(line.partition("│")[2] for line in chart[1:-3])


def test_losses_that_do_not_compare_have_charts_of_their_own(gdfit: Gdfit) -> None:
    options = ["--lr", "0.01", "--loss", "mse,mae", "--epochs", "30", "--chart"]
    result = gdfit("compare", LECTURE, *options)
    assert result.out.count("the losses against the epoch") == 2


def test_of_many_runs_the_best_are_drawn(gdfit: Gdfit) -> None:
    rates = ",".join(f"{rate:g}" for rate in np.linspace(0.01, 0.3, 12))
    result = gdfit("compare", LECTURE, "--lr", rates, "--epochs", "30", "--chart")
    assert "the losses against the epoch, of the best 9 of 12 runs" in result.out
    assert max(map(len, result.out.splitlines()[-20:])) <= 80


def test_a_flag_is_left_out_of_what_to_type_and_what_follows_it_stays(gdfit: Gdfit) -> None:
    result = gdfit("compare", LECTURE, "--chart", "--epochs", "60", "--lr", "0.1,0.2")
    assert f"gdfit train {LECTURE} --epochs 60 --lr 0.2" in result.out
