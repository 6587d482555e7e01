"""The page in a real browser, used as a person uses it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from browser import Browser
from conftest import Opened
from gdfit.data.in_memory import observations_from
from gdfit.descent.run import train
from pages import greenhouse, lecture, written

LR = "document.querySelector('#lr-field').value"
HEIGHTS = (
    "[...document.querySelector('{}').getAttribute('d').matchAll(/[ML]\\S+ ([-.\\d]+)/g)]"
    ".map((found) => Number(found[1]))"
)
FRAME = (
    "['y', 'height'].map((name) => "
    "Number(document.querySelector('#loss .back').getAttribute(name)))"
)
EPOCH = "Number(document.querySelector('#epoch b').textContent.replaceAll(',', ''))"


def test_one_slides_the_learning_rate_past_the_limit(opened: Opened) -> None:
    page = opened(lecture())
    assert (page.run(LR), page.text("#lead")) == ("0.01", "Converges.")
    assert page.text("#lr-limit") == "limit 2/λmax = 0.3291"
    left, top, right = page.run(
        "(() => { const box = document.querySelector('#lr').getBoundingClientRect();"
        "return [box.left, box.top + box.height / 2, box.right]; })()"
    )
    thumb = page.run(
        "(() => { const {min, max, valueAsNumber: value} = document.querySelector('#lr');"
        "return (value - min) / (max - min); })()"
    )
    page.drag((left + 10 + thumb * (right - left - 20), top), (right - 60, top), (right - 20, top))
    assert float(page.run(LR)) > 0.3291
    assert page.text("#lead") == "Diverges."
    assert "times the limit" in page.text("#meaning")
    assert "diverged at epoch" in page.text("#readout")
    page.run("document.querySelector('#lr').focus()")
    before = float(page.run(LR))
    page.press("ArrowLeft")
    assert float(page.run(LR)) == pytest.approx(before * 10**-0.01, rel=0.01)
    page.run("document.querySelector('#lr-field').select()")
    for key in "0.32":
        page.press(key)
    page.press("Enter")
    assert page.text("#lead") == "Zigzags, and converges."
    page.click("#again")
    assert (page.run(LR), page.text("#lead")) == ("0.01", "Converges.")


def test_one_plays_and_steps(opened: Opened) -> None:
    fit = lecture(epochs=20)
    page = opened(fit)
    assert page.run(EPOCH) == 0
    page.click("#play")
    assert page.run(EPOCH) < 20
    page.until(f"{EPOCH} >= 2")
    page.click("#play")
    stopped = page.run(EPOCH)
    page.rest()
    assert page.run(EPOCH) == stopped < 20
    page.click("#forward")
    page.click("#back")
    page.click("#forward")
    assert page.run(EPOCH) == stopped + 1
    page.run("document.activeElement.blur()")
    page.press("ArrowRight")
    assert page.run(EPOCH) == stopped + 2
    page.press(" ")
    page.until(f"{EPOCH} === 20")
    page.until("document.querySelector('#play').textContent.trim() === 'Play'")
    page.press("ArrowLeft")
    assert page.run(EPOCH) == 19


def test_an_epoch_is_written_out(opened: Opened) -> None:
    fit = lecture(init=[0.39779, 0.231765], epochs=11)
    page = opened(fit)
    page.run("document.querySelector('#scrub').focus()")
    for _ in range(2):
        page.press("ArrowRight")
    assert page.run(EPOCH) == 2
    assert page.text("#sums h2") == "Epoch 2, written out"
    assert "= 0.018354" in page.text("#sums .loss")
    assert "∂L/∂w = mean 2(ŷ − y) · x = 0.39709" in page.text("#sums .gradient")
    assert page.text("#sums .update p") == "w ← 0.39357 − 0.01 · 0.39709 = 0.38960"
    page.click("[value=momentum]")
    assert "w ← 0.39357 − 0.01 · (0.9 · 0.42218 + 0.39709)" in page.text("#sums .update p")
    page.click("[value=adam]")
    page.press("Home")
    page.run("document.activeElement.blur()")
    page.press("Home")
    page.press("ArrowRight")
    assert page.text("#sums .update p").startswith("w ← 0.39779 − 0.01 · 0.42218 / (√0.17824 + ")


def test_one_scrubs(opened: Opened) -> None:
    page = opened(lecture())
    left, top, right = page.run(
        "(() => { const box = document.querySelector('#scrub').getBoundingClientRect();"
        "return [box.left, box.top + box.height / 2, box.right]; })()"
    )
    middle = (left + right) / 2
    page.drag((right - 10, top), (middle + 40, top), (middle, top))
    assert 20 < page.run(EPOCH) < 50  # the first epochs have the most room
    x, y = page.place("#loss .back")
    page.drag((x, y), (x - 60, y))
    assert 0 < page.run(EPOCH) < 30


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_one_drags_the_start(opened: Opened, size: str) -> None:
    page = opened(lecture(epochs=100), size)
    x, y = page.place(".handle .ring")
    grab = page.touch if size == "phone" else page.drag
    grab((x, y), (x + 30, y - 10), (x + 80, y - 40))
    name = page.run("document.querySelector('.handle').getAttribute('aria-label')")
    w, b = map(float, re.findall(r"[wb] (−?[\d.]+)", name.replace("−", "-")))
    assert (w, b) > (0.05, 0.05)
    moved = page.place(".handle .ring")
    assert moved[0] - x == pytest.approx(80, abs=60)
    page.run("document.activeElement.blur(); 1")
    page.press("Home")
    shown = page.text("#fit .legend")
    slope = float(re.findall(r"= (−?[\d.]+) ·", shown)[0].replace("−", "-"))
    assert slope == pytest.approx(w, rel=0.01)
    page.run("document.querySelector('.handle').focus()")
    page.press("ArrowLeft")
    left = page.run("document.querySelector('.handle').getAttribute('aria-label')")
    assert float(re.findall(r"w (−?[\d.]+)", left)[0].replace("−", "-")) < w
    assert page.run("!document.querySelector('#again').disabled")


def test_scale_and_optimizer_go_together(opened: Opened) -> None:
    page = opened(lecture())
    for scale, limit in (("standardize", "1"), ("none", "0.3291")):
        page.click(f"[value={scale}]")
        assert page.text("#lr-limit") == f"limit 2/λmax = {limit}"
    page.click("[value=momentum]")
    assert page.text("#lr-limit") == "limit 2(1 + μ)/λmax = 0.6252"
    page.click("[value=nesterov]")
    assert page.text("#lr-limit") == "limit (2 + 2μ)/(1 + 2μ)/λmax = 0.2233"
    page.click("[value=adam]")
    assert page.run("document.querySelector('#lr-limit').hidden")


def test_many_epochs_do_not_freeze_it(opened: Opened) -> None:
    fit = lecture(epochs=10)
    page = opened(fit)
    page.run("document.querySelector('#epochs').select()")
    for key in "10000000":
        page.press(key)
    page.press("Enter")
    assert page.text("#epoch").endswith("of 10,000,000 …")
    page.click("[value=adam]")
    assert page.run("document.querySelector('[value=adam]').checked")
    assert page.run(EPOCH) < 10_000_000
    page.press("End")
    page.click("#again")
    assert page.text("#epoch") == "epoch 0 of 10"


def test_many_epochs_are_thinned(opened: Opened) -> None:
    fit = lecture(epochs=100_000)
    page = opened(fit)
    page.until("!document.querySelector('#epoch').textContent.endsWith('…')")
    # What is left when nothing happens any more is shown when it is asked for.
    page.press("End")
    assert 500 < page.run(EPOCH) < 10_000
    page.click("#whole")
    page.run("document.activeElement.blur()")
    page.press("End")
    assert page.run(EPOCH) == 100_000
    assert page.run("document.querySelector('path.loss.ahead').getAttribute('d').length") < 80_000
    page.press("ArrowLeft")
    before, params = fit.history[-3].params, fit.history[-2].params
    assert page.run(EPOCH) == 99_999
    assert page.text("#sums .update p").startswith(f"w ← {before[0]:.5g} − 0.01 · ")
    assert page.text("#sums .update p").endswith(f" = {params[0]:.5g}")


def test_it_says_where_it_descends_on_a_sample(opened: Opened) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=5000)
    fit = train(observations_from(x, 2 * x + random.normal(size=5000)), lr=0.05, loss="mae")
    page = opened(fit)
    assert "a sample of 2,000 of the 5,000" in page.text("#ground")
    assert page.run("!document.querySelector('#ground').hidden")
    assert len(page.run("document.querySelector('#loss path.ghost').getAttribute('d')")) > 100
    loss = page.run("gdfit.descend().at(-1).loss")
    assert loss == pytest.approx(fit.history[-1].loss, rel=0.05)
    assert loss != fit.history[-1].loss


def test_validation_is_in_the_page(browser: Browser, tmp_path: Path) -> None:
    held_out = observations_from([0.5, 1.5, 2.2], [0.45, 0.66, 0.9])
    fit = lecture(epochs=30, validation=held_out)
    with browser.page(written(fit, tmp_path)) as page:
        first = fit.history[0].validation_loss
        assert f"validation loss {first:.5g}" in page.text("#readout")
        page.press("End")
        last = fit.history[-1].validation_loss
        assert f"validation loss {last:.5g}" in page.text("#readout")
        assert "validation" in page.text("#loss .legend")
        drawn = page.run("document.querySelector('#fit path.validation').getAttribute('d')")
        assert drawn.count("M") == 3
        points = page.run("document.querySelector('path.validation-loss').getAttribute('d')")
        assert points.count("L") == 30  # from the start


def test_the_validation_loss_stays_inside_the_axes(opened: Opened) -> None:
    for y in (0.001, 40.0):
        held_out = observations_from([0.5, 1.5], [y, y])
        page = opened(lecture(epochs=60, validation=held_out))
        page.press("End")
        heights = page.run(HEIGHTS.format("path.validation-loss"))
        top, height = page.run(FRAME)
        assert top <= min(heights) <= max(heights) <= top + height


def test_it_opens_on_the_start(opened: Opened) -> None:
    fit = lecture(scale="standardize", lr=0.1)
    page = opened(fit)
    assert page.text("#epoch") == "epoch 0 of 1,000"
    assert f"loss {fit.history[0].loss:.5g}" in page.text("#readout")
    assert f"{fit.history[0].loss:.5g}" in page.text("#sums .loss")
    assert page.run("document.querySelector('.loss-point').getAttribute('visibility')") is None
    # Its line is in the picture, and the epochs in which something happens have the room.
    assert "picture" not in page.text("#fit .legend")
    page.press("End")
    assert page.run(EPOCH) < 100
    page.click("#whole")
    page.run("document.activeElement.blur()")
    page.press("End")
    assert page.run(EPOCH) == 1000
    page.click("#whole")
    assert page.run(EPOCH) < 100
    # A run that goes on to the end is shown to the end.
    page = opened(lecture(lr=0.001))
    page.press("End")
    assert page.run(EPOCH) == 1000


def test_a_run_goes_on_counting(opened: Opened) -> None:
    first = lecture(epochs=150)
    fit = lecture(epochs=20, init=first.model)
    page = opened(fit)
    assert page.text("#epoch") == "epoch 150 of 170"
    assert f"loss {fit.history[0].loss:.5g}" in page.text("#readout")
    assert page.text("#sums h2") == "Epoch 150 is the start"
    page.press("ArrowRight")
    assert page.text("#sums h2") == "Epoch 151, written out"
    page.press("End")
    assert page.text("#epoch") == "epoch 170 of 170"
    # Another rule can't go on: it starts anew.
    page.click("[value=adam]")
    assert page.text("#epoch") == "epoch 20 of 20"


def test_a_zigzag_is_drawn_whole(opened: Opened) -> None:
    page = opened(lecture(lr=0.329, epochs=5000))
    drawn = page.run("document.querySelector('#path path.ahead').getAttribute('d')")
    across = np.array([float(x) for x in re.findall(r"[ML](-?[\d.]+) ", drawn)])[:1500]
    # From side to side in each pair of steps that is drawn, however far apart pairs are.
    turns = np.sign(np.diff(across))[300:]
    assert len(turns) > 500
    assert abs(turns.sum()) < 0.1 * len(turns)


@pytest.mark.parametrize("scale", ["none", "standardize", "whiten"])
def test_the_params_are_in_the_datas_own_units(opened: Opened, scale: str) -> None:
    fit = greenhouse(scale=scale, epochs=40)
    page = opened(fit)
    page.press("End")
    assert "data's units" in page.text("#path .plot")
    heights = [
        page.run(HEIGHTS.format(f"#path path.param:nth-of-type({place + 2})"))[-1]
        for place in range(len(fit.model.params))
    ]
    slope, base = np.polyfit(fit.model.params, heights, 1)
    np.testing.assert_allclose(np.array(fit.model.params) * slope + base, heights, atol=0.5)


def test_the_curve_of_powers_is_drawn(opened: Opened) -> None:
    x = np.linspace(0, 2, 30)
    fit = train(observations_from(pd.DataFrame({"x": x, "y": x**3 - 1}), "y", degree=3))
    page = opened(fit)
    page.press("End")
    assert page.text("#fit h2") == "The observations and the curve"
    heights = page.run(HEIGHTS.format("#fit path.line"))
    assert len(heights) == 300
    x = np.linspace(0, 2, 300)
    slope, base = np.polyfit(x**3, heights, 1)
    np.testing.assert_allclose(x**3 * slope + base, heights, atol=0.5)


@pytest.mark.parametrize("factor", [1.0, 300.0])
def test_level_sets_have_equal_axes_or_say_so(opened: Opened, factor: float) -> None:
    x, y = factor * (1 + np.arange(9.0)), 3 + np.sin(np.arange(9.0))
    page = opened(train(observations_from(x, y), lr=1e-3 / factor**2, epochs=50))
    assert ("no right angles" in page.text("#path .legend")) == (factor > 1)
