"""gdfit train --page: the page of the run that the command line tells of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import Browser
from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.descent.scaling import Scaling

GREENHOUSE = [SAMPLES / "greenhouse.csv", "--features", "light,water,warmth"]
SCALES = ["none", "standardize", "whiten"]
OPTIMIZERS = ["gd", "momentum", "nesterov", "adam"]


def scaling_told(record: dict[str, Any]) -> Scaling | None:
    """The scale that the steps of a run were made on."""
    if record["means"] is None:
        return None
    basis = None if record["basis"] is None else np.array(record["basis"])
    used = [place for place, deviation in enumerate(record["deviations"]) if deviation]
    return Scaling(np.array(record["means"]), np.array(record["deviations"]), used, basis)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_page_descends_as_the_command_did(
    gdfit: Gdfit, browser: Browser, scale: str, optimizer: str
) -> None:
    for data in ([LECTURE], GREENHOUSE):
        options = ["--lr", 0.05, "--scale", scale, "--optimizer", optimizer, "--epochs", 300]
        record = gdfit.json("train", *data, *options, "--every", 1, "--page", "r.html")
        with browser.page(Path("r.html").absolute()) as page:
            steps = page.run("gdfit.descend()")
        assert [step["epoch"] for step in steps] == list(range(1, 301))
        scale_of = scaling_told(record)
        for step, told in zip(steps, record["history"], strict=True):
            assert step["loss"] == pytest.approx(told["loss"], rel=1e-9, abs=1e-12)
            params, grad = np.array(step["params"]), np.array(step["grad"])
            if scale_of:
                params, grad = scale_of.to_data(params), scale_of.gradient_to_data(grad)
            np.testing.assert_allclose(params, told["params"], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(grad, told["grad"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        "--batch-size 5 --seed 3 --lr 0.01",
        "--loss mae --validation 0.2 --patience 30",
        "--optimizer adam --loss huber --batch-size 8",
        "--scale whiten --l2 0.01 --lr 0.2",
        "--features light,light:water,C(bed) --weights warmth --lr 0.02",
        "--degree 2 --no-intercept",
        "--optimizer cg",
        "--optimizer steepest --scale none",
        "--optimizer cg --l2 0.1 --scale standardize",
        "--optimizer adagrad --lr 0.5",
        "--optimizer rmsprop --lr 0.01 --batch-size 10",
        "--schedule step --lr 0.05",
        "--schedule exponential --decay 0.97 --loss mae",
        "--schedule inverse --optimizer momentum --lr 0.02",
        "--schedule cosine --optimizer adam --batch-size 7",
        "--schedule step --tol 1e-2",
        "",
    ],
)
def test_so_does_that_of_every_kind_of_run(gdfit: Gdfit, browser: Browser, options: str) -> None:
    arguments = ["train", SAMPLES / "greenhouse.csv", *options.split(), "--epochs", 60]
    record = gdfit.json(*arguments, "--every", 1, "--page", "r.html")
    with browser.page(Path("r.html").absolute()) as page:
        steps = page.run("gdfit.descend()")
        assert len(steps) == record["epochs"]
        scale_of = scaling_told(record)
        for step, told in zip(steps, record["history"], strict=True):
            params = np.array(step["params"])
            params = scale_of.to_data(params) if scale_of else params
            np.testing.assert_allclose(params, told["params"], rtol=1e-9, atol=1e-9)
            assert step["loss"] == pytest.approx(told["loss"], rel=1e-9, abs=1e-12)


def test_a_diverged_run_leaves_a_page_that_explains_it(gdfit: Gdfit, browser: Browser) -> None:
    houses = SAMPLES / "houses.csv"
    assert gdfit("train", houses, "--lr", "0.01", "--page", "r.html", "-q").status == 3
    with browser.page(Path("r.html").absolute()) as page:
        assert page.text("#lead") == "Diverges."
        page.press("End")
        assert "diverged at epoch 4" in page.text("#readout")


def test_one_that_swings_upward_has_diverged_in_the_end(gdfit: Gdfit, browser: Browser) -> None:
    given = ("train", LECTURE, "--lr", "0.33", "--epochs", "40", "--page", "r.html")
    result = gdfit(*given, "--every", "1", "--format", "json")
    assert result.status == 3
    with browser.page(Path("r.html").absolute()) as page:
        assert len(page.run("gdfit.descend()")) == json.loads(result.out)["epochs"] == 40
        assert "; diverged after 40 epochs" in page.text("#footing")


def test_the_page_has_the_words_of_how_it_ended(gdfit: Gdfit, browser: Browser) -> None:
    for options, status in (
        (["--tol", "1e-3"], "stalled"),
        (["--tol", "1e-12", "--lr", "0.1"], "converged"),
        (["--target-loss", "0.01"], "target"),
    ):
        given = ["train", LECTURE, "--lr", "0.01", "--epochs", "1e5", *options, "--page", "r.html"]
        record = gdfit.json(*given)
        assert record["status"] == status
        with browser.page(Path("r.html").absolute()) as page:
            words = f"; {status} after {record['epochs']:,} epochs"
            assert words in page.text("#footing")


def test_a_run_without_a_page_writes_none(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE)
    assert [path.name for path in Path().iterdir()] == ["gdfit.json"]


def test_a_page_that_can_not_be_written_is_told_before_anything_is_done(gdfit: Gdfit) -> None:
    result = gdfit("train", LECTURE, "--page", "no/folder.html")
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert not list(Path().iterdir())
