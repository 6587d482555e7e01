"""The page: what is in the file, and in a real browser what it shows and does when it is used."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import Browser, Page, find_browser
from conftest import LECTURE, SAMPLES
from gdfit.data.columns import Columns
from gdfit.data.condense import Condenser
from gdfit.data.dataset import read_observations
from gdfit.data.observations import Observations, observations_from
from gdfit.descent.fit import Fit, train
from gdfit.errors import GdfitError, UsageError
from gdfit.show.page import SCRIPTS, STYLES, page_of, save_page
from gdfit.show.page.contents import contents

Opened = Callable[..., Page]
SIZES = {"laptop": (1280, 720), "projector": (1920, 1080), "phone": (390, 844)}
EVIL = ["</script><b>", "<img src=x onerror=alert(1)>", "]]>", "{{run}} & \u2028 \\"]
LR = "document.querySelector('#lr-field').value"
EPOCH = "Number(document.querySelector('#epoch b').textContent.replaceAll(',', ''))"


def lecture(**options: Any) -> Fit:
    return train(read_observations(str(LECTURE), keep_rows=True), **{"lr": 0.01, **options})


def greenhouse(**options: Any) -> Fit:
    features = ["light", "water", "warmth"]
    observations = read_observations(
        str(SAMPLES / "greenhouse.csv"), features=features, keep_rows=True
    )
    return train(observations, **{"lr": 0.02, **options})


def ten_million() -> Observations:
    """Ten million rows of two features, which are never all there at once."""
    random, condenser = np.random.default_rng(0), Condenser(Columns(("near", "far"), "y"))
    for _ in range(20):
        x = random.normal([3, -1], [1, 2], (500_000, 2))
        condenser.add(np.column_stack([x, x @ [2, -1] + 0.5 + random.normal(size=len(x))]))
    return condenser.observations()


def written(fit: Fit, folder: Path, validation: Observations | None = None) -> Path:
    path = folder / "run.html"
    save_page(fit, fit.history, path, validation)
    return path


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        missing = "no Chromium is installed: apt-get install chromium-headless-shell"
        if os.environ.get("GDFIT_NEEDS_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    with Browser(program, tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Opens a run's page. In the end, no script has failed and no request has left the page."""
    pages: list[Page] = []
    with ExitStack() as stack:

        def open_page(fit: Fit, size: str = "laptop", **look: Any) -> Page:
            path = written(fit, tmp_path)
            held = browser.page(path, *SIZES[size], touch=size == "phone", **look)
            pages.append(stack.enter_context(held))
            return pages[-1]

        yield open_page
        for page in pages:
            requests = page.events("Network.requestWillBeSent")
            assert {event["request"]["url"].split(":")[0] for event in requests} <= {"file", "data"}
            assert sum(event["request"]["url"].startswith("file:") for event in requests) == 1
            assert page.events("Runtime.exceptionThrown") == []
            assert page.events("Log.entryAdded") == []


def assert_same_run(page: Page, fit: Fit) -> None:
    """The page's own descent is the run, epoch by epoch."""
    steps = page.run("gdfit.descend()")
    assert [step["epoch"] for step in steps] == [step.epoch for step in fit.history]
    for step, true in zip(steps, fit.history, strict=True):
        if not np.isfinite(true.loss):
            continue
        assert step["loss"] == pytest.approx(true.loss, rel=1e-9, abs=1e-12)
        np.testing.assert_allclose(step["params"], true.params, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(step["grad"], true.grad, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "adam"])
def test_the_numbers_are_those_of_the_run(
    opened: Opened, optimizer: str, standardize: bool
) -> None:
    fit = lecture(optimizer=optimizer, standardize=standardize, init=[0.39779, 0.231765])
    assert fit.epochs == 1000
    assert_same_run(opened(fit), fit)


def test_the_numbers_are_those_of_ten_million_rows(opened: Opened) -> None:
    observations = ten_million()
    for optimizer in ("gd", "momentum", "nesterov", "adam"):
        fit = train(observations, lr=0.01, optimizer=optimizer)
        page = opened(fit)
        assert_same_run(page, fit)
        assert (
            "4 condensed rows with the loss and gradient of all 10,000,000 observations"
            in page.text("#footing")
        )


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "mae"},
        {"loss": "huber", "huber_delta": 0.05},
        {"l2": 0.1},
        {"batch_size": 1, "epochs": 200, "seed": 3},
        {"batch_size": 10, "loss": "mae", "l2": 0.1, "optimizer": "adam", "standardize": True},
        {"init": "random", "seed": 5, "backend": "autograd"},
        {"optimizer": "adam", "betas": (0.8, 0.99)},
        {"optimizer": "nesterov", "momentum": 0.5},
    ],
)
def test_the_numbers_are_those_of_every_kind_of_run(
    opened: Opened, options: dict[str, Any]
) -> None:
    fit = greenhouse(**options)
    assert_same_run(opened(fit), fit)


def test_a_diverging_run_diverges_alike(opened: Opened) -> None:
    houses = read_observations(str(SAMPLES / "houses.csv"))
    with np.errstate(over="ignore", invalid="ignore"):
        fit = train(houses, lr=0.01)
    page = opened(fit)
    assert_same_run(page, fit)
    assert page.text("#lead") == "Diverges."
    assert "γ is 146 times the limit" in page.text("#meaning")
    page.press("End")
    assert "diverged at epoch" in page.text("#readout")


def test_descend_takes_settings(opened: Opened) -> None:
    page = opened(lecture(epochs=20))
    fit = lecture(epochs=5, lr=0.1, optimizer="adam", standardize=True, init=[1.0, 0.0])
    start = json.dumps(fit.start.tolist())
    steps = page.run(
        f"gdfit.descend({{lr: 0.1, epochs: 5, optimizer: 'adam', scale: 'standardize', "
        f"start: {start}}})"
    )
    assert [step["params"] for step in steps] == [
        pytest.approx(step.params.tolist(), rel=1e-12) for step in fit.history
    ]
    assert page.run("gdfit.descend().length") == 20
    for wrong in ("{start: [1]}", "{optimizer: 'newton'}", "{speed: 1}", "{scale: 'double'}"):
        with pytest.raises(RuntimeError, match="RangeError"):
            page.run(f"gdfit.descend({wrong})")


def test_whitened_the_valley_is_round(opened: Opened) -> None:
    page = opened(greenhouse())
    page.click("[value=whiten]")
    assert "limit 2/λmax = 1" in page.text("#lr-limit")
    (step,) = page.run("gdfit.descend({scale: 'whiten', lr: 0.5, epochs: 1})")
    again = page.run("gdfit.descend({scale: 'whiten', lr: 0.5, epochs: 2})")[1]
    assert np.abs(again["grad"]).max() < 1e-12
    assert step["loss"] > again["loss"]


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
    assert page.run(EPOCH) == 20
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
    for _ in range(9):
        page.press("ArrowLeft")
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


@pytest.mark.parametrize(
    ("optimizer", "limit"), [("gd", 0.3291), ("momentum", 0.6252), ("nesterov", 0.2233)]
)
def test_the_limit_is_where_it_turns(opened: Opened, optimizer: str, limit: float) -> None:
    page = opened(lecture())
    for part, grows in ((0.98, False), (1.02, True)):
        settings = f"{{optimizer: '{optimizer}', lr: {limit * part}, epochs: 2000}}"
        came_down = page.run(
            f"(() => {{ const steps = gdfit.descend({settings});"
            "return steps.at(-1).loss < steps[0].loss; })()"
        )
        assert came_down is not grows


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
    page.press("Home")
    page.click("#again")
    assert page.text("#epoch") == "epoch 10 of 10"


def test_many_epochs_are_thinned(opened: Opened) -> None:
    fit = lecture(epochs=100_000)
    page = opened(fit)
    page.until("!document.querySelector('#epoch').textContent.endsWith('…')")
    assert page.run("document.querySelector('path.loss.ahead').getAttribute('d').length") < 50_000
    page.press("ArrowLeft")
    before, params = fit.history[-3].params, fit.history[-2].params
    assert page.run(EPOCH) == 99_999
    assert page.text("#sums .update p").startswith(f"w ← {before[0]:.5g} − 0.01 · ")
    assert page.text("#sums .update p").endswith(f" = {params[0]:.5g}")


def test_names_are_text(opened: Opened) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(20, 3))
    page = opened(train(observations_from(x, x @ [1, 2, 3], EVIL[:3], EVIL[3]), lr=0.1))
    for name in EVIL[:3]:
        assert f"w_{name}" in page.text("#path .labels")
    assert "{{run}} &" in page.text("h1")
    assert page.run("document.querySelectorAll('img, b b, #path b').length") == 0
    one = train(observations_from(x[:, 0], x[:, 1], EVIL[:1], EVIL[1]), lr=0.1)
    assert EVIL[0] in opened(one).text("h1")


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


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("many", [False, True])
def test_it_fits_the_screen(opened: Opened, size: str, many: bool) -> None:
    page = opened(greenhouse() if many else lecture(), size)
    width, height = SIZES[size]
    assert page.run("document.documentElement.scrollWidth") <= width
    if size != "phone":
        assert page.run("document.documentElement.scrollHeight") <= height
    boxes = page.run(
        "[...document.querySelectorAll('figure text')].map((text) => {"
        "const [box, whole] = [text, text.closest('.plot')].map((e) => e.getBoundingClientRect());"
        "return [text.textContent, box.left - whole.left, whole.right - box.right,"
        " box.top - whole.top, whole.bottom - box.bottom]; })"
    )
    assert [name for name, *gaps in boxes if min(gaps) < -1] == []


def test_everything_that_is_used_has_a_name(opened: Opened) -> None:
    roles = {"button", "slider", "radio", "textbox", "spinbutton"}
    for fit in (lecture(optimizer="momentum"), greenhouse()):
        page = opened(fit)
        nodes = page.send("Accessibility.getFullAXTree")["nodes"]
        used = [node for node in nodes if node.get("role", {}).get("value") in roles]
        assert len(used) > 12
        assert [node for node in used if not node["name"]["value"]] == []


def test_dark_and_light_are_legible(opened: Opened) -> None:
    """Each text has a contrast of 4.5 to what is behind it, as WCAG 2.2 asks (1.4.3)."""
    script = """[...document.querySelectorAll('h1, h2, h3, p, label, b, span, legend, button')]
        .filter((element) => element.offsetParent && element.innerText && !element.disabled)
        .map((element) => {
            let behind = element;
            const clear = 'rgba(0, 0, 0, 0)';
            while (behind && getComputedStyle(behind).backgroundColor === clear)
                behind = behind.parentElement;
            const numbers = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
            return [element.innerText, numbers(getComputedStyle(element).color),
                    numbers(getComputedStyle(behind ?? document.body).backgroundColor)];
        })"""

    def brightness(colour: list[float]) -> float:
        parts = [value / 255 for value in colour]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for dark in (False, True):
        page = opened(lecture(), dark=dark)
        found = page.run(script)
        assert len(found) > 20
        for text, front, back in found:
            low, high = sorted([brightness(front), brightness(back)])
            assert (high + 0.05) / (low + 0.05) >= 4.5, (dark, text)


def test_nothing_in_it_leads_outside() -> None:
    fit = greenhouse()
    text = page_of(contents(fit, fit.history))
    addresses = set(re.findall(r"\b(?:https?|ftp|wss?)://[^\s\"'<>)]*", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # SVG's name, which nobody looks up
    assert re.findall(r"\b(?:fetch|XMLHttpRequest|WebSocket|import|eval|innerHTML)\b", text) == []
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; img-src data:; script-src 'sha256-")
    assert len(text.encode()) < 200_000


@pytest.mark.parametrize("features", [1, 12, 50])
@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_it_stays_small(features: int, loss: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(20_000, features)) * 1e6
    names = [f"a_feature_with_a_long_name_{place}" for place in range(features)]
    data = observations_from(x, x.sum(axis=1) + random.normal(size=len(x)), names)
    held_out = observations_from(x[:3000], x[:3000].sum(axis=1), names)
    fit = train(data, lr=1e-15, epochs=50, loss=loss)
    text = page_of(contents(fit, fit.history, held_out))
    assert len(text.encode()) < 500_000
    assert json.loads(re.findall(r'id="run">(.*?)</script>', text)[0])["observations"] == 20_000


def test_a_name_can_not_end_the_script(tmp_path: Path) -> None:
    fit = train(observations_from([1, 2, 3], [1, 2, 4], EVIL[:1], EVIL[3]), lr=0.01)
    text = written(fit, tmp_path).read_text(encoding="utf-8")
    assert text.count("</script>") == 2
    (record,) = re.findall(r'id="run">(.*?)</script>', text)
    assert not set("<>&") & set(record)
    assert (json.loads(record)["features"], json.loads(record)["target"]) == (EVIL[:1], EVIL[3])


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    fit = lecture(epochs=5)
    path = written(fit, tmp_path)
    first = path.read_bytes()
    assert written(fit, tmp_path).read_bytes() == first
    with pytest.raises(GdfitError, match="no such folder"):
        save_page(fit, fit.history, tmp_path / "none" / "run.html")
    with pytest.raises(UsageError, match=r"page. takes a file that ends in \.html"):
        save_page(fit, fit.history, tmp_path / "run.pdf")
    assert [file.name for file in tmp_path.iterdir()] == ["run.html"]


def test_every_part_is_in_the_page() -> None:
    folder = Path(__file__).parent.parent / "src" / "gdfit" / "show" / "page"
    parts = {file.name for file in folder.iterdir() if file.suffix in (".js", ".css")}
    assert parts == {*SCRIPTS, *STYLES}


def test_validation_is_in_the_page(browser: Browser, tmp_path: Path) -> None:
    held_out = observations_from([0.5, 1.5, 2.2], [0.45, 0.66, 0.9])
    fit = lecture(epochs=30, validation=held_out)
    with browser.page(written(fit, tmp_path, held_out)) as page:
        assert "validation" in page.text("#loss .legend")
        drawn = page.run("document.querySelector('#fit path.validation').getAttribute('d')")
        assert drawn.count("M") == 3
        points = page.run("document.querySelector('path.validation-loss').getAttribute('d')")
        assert points.count("L") == 29
