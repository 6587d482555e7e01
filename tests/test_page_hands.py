"""What a reader of the page takes in hand: observations, the line, a second run, the modes, and the
address that leads back there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import SIZES, Browser, Page
from conftest import Opened
from drawn import two_classes
from gdfit.data.in_memory import observations_from
from gdfit.descent.run import train
from pages import greenhouse, lecture, written

SAMPLE = "gdfit.run().sample ?? gdfit.run().rows.values.map(([x, , y]) => [x, y])"


def dot(page: Page, place: int) -> tuple[float, float]:
    """Where an observation is on the screen."""
    x, y = page.run(
        f"(() => {{ const path = document.querySelector('#fit path.observed').getAttribute('d');"
        f"const [x, y] = path.split('M')[{place + 1}].split('h')[0].split(' ').map(Number);"
        "const box = document.querySelector('#fit svg').getBoundingClientRect();"
        "return [box.left + x, box.top + y]; })()"
    )
    return x, y


def double_click(page: Page, x: float, y: float) -> None:
    for count in (1, 2):
        at: dict[str, Any] = {"x": x, "y": y, "button": "left", "clickCount": count}
        page.send("Input.dispatchMouseEvent", type="mousePressed", **at)
        page.send("Input.dispatchMouseEvent", type="mouseReleased", **at)
    page.rest()


def assert_as_of_these(page: Page, **options: Any) -> None:
    """The page descends as a run does on the observations that it now has."""
    x, y = np.array(page.run(SAMPLE)).T
    start = page.run("gdfit.run().scales[gdfit.run().settings.scale].start")
    fit = train(observations_from(x, y), **{"epochs": 50, "init": start, **options})
    steps = page.run("gdfit.descend({epochs: 50})")
    np.testing.assert_allclose(
        [step["params"] for step in steps], [step.params for step in fit.history], rtol=1e-9
    )
    shape = page.run("gdfit.run().scales[gdfit.run().settings.scale]")
    curvature = fit.curvature
    assert curvature is not None
    assert shape["lambda_max"] == pytest.approx(curvature.lambda_max, rel=1e-9)
    assert shape["minimum_loss"] == pytest.approx(curvature.minimum_loss, rel=1e-9)
    np.testing.assert_allclose(shape["minimum"], curvature.minimum, rtol=1e-7)


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_one_drags_an_observation(opened: Opened, size: str) -> None:
    page = opened(lecture(), size)
    page.place("#fit svg")
    before = page.run(SAMPLE)
    x, y = dot(page, 20)
    grab = page.touch if size == "phone" else page.drag
    grab((x, y), (x + 10, y + 30), (x + 20, y + 60))
    after = page.run(SAMPLE)
    assert after[:20] + after[21:] == before[:20] + before[21:]
    assert after[20][0] > before[20][0]
    assert after[20][1] < before[20][1]
    assert_as_of_these(page, lr=0.01, scale="none")
    assert page.text("#footing").startswith("The observations have been changed.")
    page.click("#again")
    assert page.run(SAMPLE) == before
    assert page.text("#footing").startswith("The run: gd")


def test_one_adds_and_removes_observations(opened: Opened) -> None:
    page = opened(lecture())
    x, y = page.place("#fit .back")
    double_click(page, x + 20, y + 30)
    assert page.text("#about") == "mean squared error of 26 observations"
    assert_as_of_these(page, lr=0.01, scale="none")
    double_click(page, *dot(page, 3))
    double_click(page, *dot(page, 3))
    assert page.text("#about") == "mean squared error of 24 observations"
    assert_as_of_these(page, lr=0.01, scale="none")


def test_observations_are_reached_by_keyboard(opened: Opened) -> None:
    page = opened(lecture(scale="standardize", lr=0.1))
    page.run("document.querySelector('.hold.dot').focus()")
    name = "document.querySelector('.hold.dot').getAttribute('aria-label')"
    assert page.run(name).startswith("observation 1 of 25 at 0.1")
    before = page.run(SAMPLE)
    page.press("ArrowUp")
    page.press("ArrowRight")
    (x, y), (was_x, was_y) = page.run(SAMPLE)[0], before[0]
    assert (x, y) > (was_x, was_y)
    assert y > was_y
    page.press("Enter")
    assert "observation 26 of 26" in page.run(name)
    page.press("Delete")
    page.press("Delete")
    assert page.text("#about") == "mean squared error of 24 observations"
    # Standardized anew, from the same line.
    x, y = np.array(page.run(SAMPLE)).T
    scale = page.run("gdfit.run().scales.standardize")
    assert scale["means"][0] == pytest.approx(x.mean(), rel=1e-12)
    assert 1 / scale["basis"][0] == pytest.approx(x.std(), rel=1e-12)
    fit = train(observations_from(x, y), lr=0.1, scale="standardize", epochs=30)
    last = page.run("gdfit.descend({epochs: 30}).at(-1).params")
    np.testing.assert_allclose(last, fit.history[-1].params, rtol=1e-9)


@pytest.mark.parametrize("loss", ["mae", "huber"])
def test_other_losses_take_other_observations(opened: Opened, loss: Any) -> None:
    page = opened(lecture(loss=loss, lr=0.05))
    x, y = dot(page, 24)
    page.drag((x, y), (x - 20, y + 40))
    x, y = np.array(page.run(SAMPLE)).T
    fit = train(observations_from(x, y), loss=loss, lr=0.05, epochs=40)
    last = page.run("gdfit.descend({epochs: 40}).at(-1).params")
    np.testing.assert_allclose(last, fit.history[-1].params, rtol=1e-9)


def test_mini_batches_are_of_the_observations_there_are(opened: Opened) -> None:
    page = opened(lecture(batch_size=4, epochs=20))
    page.run("document.querySelector('.hold.dot').focus()")
    page.press("ArrowUp")
    page.press("Enter")
    x, y = np.array(page.run(SAMPLE)).T
    fit = train(observations_from(x, y), lr=0.01, batch_size=4, epochs=20)
    last = page.run("gdfit.descend().at(-1).params")
    np.testing.assert_allclose(last, fit.history[-1].params, rtol=1e-9)


def test_two_taps_remove_an_observation(opened: Opened) -> None:
    page = opened(lecture(), "phone")
    page.place("#fit svg")
    at = dot(page, 12)
    page.touch(at)
    page.touch(at)
    assert page.text("#about") == "mean squared error of 24 observations"


def test_classes_are_moved_from_one_to_the_other(opened: Opened) -> None:
    page = opened(train(two_classes(), loss="logistic", scale="none", lr=0.5))
    page.run("document.querySelector('.hold.dot').focus()")
    before = page.run(SAMPLE)
    page.press("ArrowUp" if before[0][1] == 0 else "ArrowDown")
    page.press("ArrowRight")
    after = page.run(SAMPLE)
    assert after[0][1] == 1 - before[0][1]
    x, y = np.array(after).T
    fit = train(observations_from(x, y, classes=True), loss="logistic", scale="none", lr=0.5)
    shape = page.run("gdfit.run().scales.none")
    assert fit.curvature is not None
    np.testing.assert_allclose(shape["minimum"], fit.curvature.minimum, rtol=1e-6)
    assert shape["lambda_max"] == pytest.approx(fit.curvature.lambda_max, rel=1e-6)
    assert shape["bound"] == pytest.approx(fit.curvature.bound, rel=1e-9)
    assert shape["minimum_loss"] == pytest.approx(fit.curvature.minimum_loss, rel=1e-9)
    last = page.run("gdfit.descend().at(-1).params")
    np.testing.assert_allclose(last, fit.history[-1].params, rtol=1e-9)


def test_not_all_pages_have_observations_to_move(opened: Opened) -> None:
    weights = np.linspace(1, 2, 9)
    x = np.arange(9.0)
    for fit in (
        greenhouse(),
        lecture(validation=observations_from([0.5, 1.5], [0.4, 0.6])),
        train(observations_from(x, x**2, weights=weights), lr=0.01),
    ):
        assert opened(fit).run("document.querySelector('.hold')") is None


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_the_line_is_set_by_hand(opened: Opened, size: str) -> None:
    page = opened(lecture(), size)
    left, right = page.place(".line-grip:nth-of-type(2)"), page.place(".line-grip:nth-of-type(3)")
    grab = page.touch if size == "phone" else page.drag
    grab(right, (right[0], right[1] - 40), (right[0], right[1] - 90))
    page.run("window.scrollTo(0, 0)")
    label = "document.querySelector('.handle').getAttribute('aria-label')"
    w, b = map(float, re.findall(r"[wb] (-?[\d.]+)", page.run(label).replace("−", "-")))
    assert w > 0.1
    grips = page.run(
        "[...document.querySelectorAll('.line-grip')].map((grip) =>"
        "grip.getAttribute('aria-label').match(/at (\\S+);/)[1])"
    )
    assert abs(float(grips[0].replace("−", "-"))) < 1e-9 or "10" in grips[0]
    assert left[0] < right[0]
    page.run("document.querySelectorAll('.line-grip')[0].focus()")
    page.press("ArrowUp")
    _, lifted = map(float, re.findall(r"[wb] (-?[\d.]+)", page.run(label).replace("−", "-")))
    assert lifted > b
    # Descent takes over from there: its grips are gone.
    page.run("document.activeElement.blur()")
    page.press("ArrowRight")
    assert page.run("document.querySelector('.line-grip').getAttribute('visibility')") == "hidden"


def test_two_runs_race(opened: Opened) -> None:
    page = opened(lecture())
    page.click("#race")
    page.click("[value=momentum]")
    assert page.text("#loss .legend").endswith("run 1: gd, γ 0.01")
    page.run("document.activeElement.blur()")
    for _ in range(5):
        page.press("ArrowRight")
    plain, fast = lecture(), lecture(optimizer="momentum")
    readout = page.text("#readout")
    assert f"loss {fast.history[4].loss:.5g}" in readout
    assert f"run 1 {plain.history[4].loss:.5g}" in readout
    assert page.run("document.querySelector('#fit path.rival').getAttribute('d')") != ""
    page.click("#runs")
    assert page.run("document.querySelector('[value=gd]').checked")
    assert f"run 2 {fast.history[4].loss:.5g}" in page.text("#readout")
    # One of them diverges, and the other goes on.
    page.run(
        "(() => { const field = document.querySelector('#lr-field');"
        "field.value = 5; field.dispatchEvent(new Event('change')); })()"
    )
    page.rest()
    assert page.text("#lead") == "Diverges."
    page.run("document.activeElement.blur()")
    page.press("End")
    assert "diverged at epoch" in page.text("#readout")
    assert f"run 2 {fast.history[-1].loss:.5g}" in page.text("#readout")
    page.click("#race")
    assert page.run("document.querySelector('#path path.rival')") is None
    assert page.run("document.querySelector('#runs').hidden")


def power_in(text: str) -> float:
    """The power of ten at a tick: of 10⁻³, or of 0.001."""
    plain = text.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(plain[2:]) if plain != text else float(np.log10(float(text)))


def test_the_modes_fall_at_their_own_rates(opened: Opened) -> None:
    for fit in (lecture(lr=0.05, epochs=40), greenhouse(epochs=40, scale="standardize", lr=0.1)):
        page = opened(fit)
        page.click("#modes")
        assert page.text("#path h2") == "The error in each mode, epoch by epoch"
        words = page.text("#path .legend")
        curvature = fit.curvature
        assert curvature is not None
        steep, flat = 1 - float(fit.settings.lr) * curvature.eigenvalues[[0, -1]]
        for kept in (abs(steep), abs(flat)):
            assert f"keeps {100 * kept:.2g}"[:8] in words
        lines = page.run(
            "[...document.querySelectorAll('#path svg:not([hidden]) path.param')]"
            ".map((path) => path.getAttribute('d'))"
        )
        assert len(lines) == len(curvature.eigenvalues)
        # On a logarithmic axis each falls by as much in each epoch: −log|1 − γλ|.
        ticks = page.run(
            "[...document.querySelectorAll('#path svg:not([hidden]) .frame .y:not(.label)')]"
            ".map((text) => [text.textContent, Number(text.getAttribute('y'))])"
        )
        (first, at), *_, (last, end) = [(power_in(text), y) for text, y in ticks]
        unit = (end - at) / (last - first)
        for mode, line in enumerate(lines):
            heights = [float(y) for y in re.findall(r"[ML]\S+ (-?[\d.]+)", line)]
            before = np.array([fit.start, *(step.params for step in fit.history)])
            errors = np.abs((before - curvature.minimum) @ curvature.eigenvectors[:, mode])
            wanted = np.log10(errors / errors[0])[: len(heights)]
            found = (np.array(heights) - heights[0]) / unit
            np.testing.assert_allclose(found[:20], wanted[:20], atol=0.03)
        page.click("#modes")
        assert page.text("#path h2") != "The error in each mode, epoch by epoch"


def test_a_link_leads_to_the_same_place(browser: Browser, tmp_path: Path) -> None:
    path = written(lecture(), tmp_path)
    with browser.page(path) as page:
        address = "location.hash"
        page.click("[value=momentum]")
        page.run(
            "(() => { const field = document.querySelector('#lr-field');"
            "field.value = 0.1; field.dispatchEvent(new Event('change')); })()"
        )
        page.run("document.activeElement.blur()")
        for _ in range(3):
            page.press("ArrowRight")
        page.until(f"{address}.includes('epoch=3')")
        assert page.run(address) == "#optimizer=momentum&lr=0.1&epoch=3"
        x, y = dot(page, 10)
        page.drag((x, y), (x, y - 30))
        page.click("#race")
        page.click("[value=adam]")
        page.click("#modes")
        page.click("#link")
        link = page.run(address)
        shown = [page.text(part) for part in ("#readout", "#sums", "#epoch", "#path .legend")]
        points = page.run(SAMPLE)
        with browser.page(path) as other:
            other.run(f"location.hash = {json.dumps(link)}")
            other.rest()
            other.rest()
            found = [other.text(part) for part in ("#readout", "#sums", "#epoch", "#path .legend")]
            np.testing.assert_allclose(other.run(SAMPLE), points, rtol=1e-5)
            assert [re.sub(r"[\d.]+", "", text) for text in found] == [
                re.sub(r"[\d.]+", "", text) for text in shown
            ]
            assert other.run("document.querySelector('[value=adam]').checked")
            other.run("location.hash = ''")
            other.rest()
            other.rest()
            assert other.text("#epoch").startswith("epoch 0 of")
            assert other.run("document.querySelector('[value=gd]').checked")
            for wrong in ("#optimizer=constructor", "#lr=-1&scale=__proto__", "#epoch=x&points=1"):
                other.run(f"location.hash = {json.dumps(wrong)}")
                other.rest()
                assert other.run("document.querySelector('[value=gd]').checked")
                assert other.text("#epoch").startswith("epoch 0 of")
            assert other.events("Runtime.exceptionThrown") == []
        assert page.events("Runtime.exceptionThrown") == []


def test_a_link_says_what_of_it_can_not_be_used(opened: Opened) -> None:
    page = opened(lecture(schedule="step"))
    wrongs = {
        "#lr=abc&decay=9": "lr=abc, decay=9",
        "#lr=-1&epochs=0&epoch=-2": "lr=-1, epochs=0, epoch=-2",
        "#optimizer=foo&schedule=zzz&foo=1": "optimizer=foo, schedule=zzz, foo=1",
        "#race=7&other.lr=1": "race=7, other.lr=1",
        "#race=1&other.lr=abc&start=1&points=3": "other.lr=abc, start=1, points=3",
    }
    for link, told in wrongs.items():
        page.run(f"location.hash = {json.dumps(link)}")
        page.rest()
        page.rest()
        assert page.text("#refused") == f"Of the link this can't be used: {told}"
        assert page.run("document.querySelector('#lr-field').value") == "0.01"
        assert page.run("document.querySelector('#decay').value") == "0.5"
    page.run("location.hash = '#lr=0,1&schedule=inverse'")
    page.rest()
    page.rest()
    assert page.run("document.querySelector('#refused').hidden")
    assert page.run("document.querySelector('#lr-field').value") == "0.1"
    assert page.run("document.querySelector('#decay').value") == "0.25"


def test_what_is_typed_wrongly_is_told_and_taken_back(opened: Opened) -> None:
    page = opened(lecture(schedule="step"))

    def put(field: str, text: str) -> tuple[Any, ...]:
        page.run(
            f"(() => {{ const field = document.querySelector('{field}'); field.focus();"
            f"field.value = '{text}'; field.dispatchEvent(new Event('change')); }})()"
        )
        page.rest()
        page.rest()
        return (
            page.text("#refused"),
            page.run(f"document.querySelector('{field}').value"),
            page.run(f"document.querySelector('{field}').getAttribute('aria-invalid')"),
        )

    assert put("#decay", "9") == (
        "decay takes a factor up to 1 with this schedule, not 9",
        "0.5",
        "true",
    )
    assert put("#decay", "x") == (
        "decay takes a factor up to 1 with this schedule, not x",
        "0.5",
        "true",
    )
    assert put("#lr-field", "-1") == ("lr takes a positive number, not -1", "0.01", "true")
    for text in ("1.5", "many"):
        told = f"epochs takes a whole number from 1 to 10,000,000, not {text}"
        assert put("#epochs", text) == (told, "1000", "true")
    assert put("#decay", "0,7") == ("", "0.7", None)
    assert put("#epochs", "1e2") == ("", "100", None)
    assert page.run("document.querySelectorAll('[aria-invalid]').length") == 0


@pytest.mark.parametrize("screen", ["projector", "laptop"])
def test_it_is_legible_from_the_back_row(opened: Opened, screen: str) -> None:
    """The least text is a seventieth of the picture's height at least."""
    page = opened(lecture(), screen)
    sizes = page.run(
        "[...document.querySelectorAll('figure text, p, span, b, button, label, h2, h3')]"
        ".filter((element) => element.getClientRects().length && element.textContent)"
        ".map((element) => parseFloat(getComputedStyle(element).fontSize))"
    )
    assert min(sizes) >= SIZES[screen][1] / 70
