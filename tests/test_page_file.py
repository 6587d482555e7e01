"""What is in the file of a page, and how it looks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import SIZES
from conftest import Opened
from gdfit.data.in_memory import observations_from
from gdfit.descent.run import train
from gdfit.errors import GdfitError, UsageError
from gdfit.show.page import contents, page_of, save_page
from pages import EVIL, greenhouse, lecture, written


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


def test_names_from_right_to_left_and_rounding_do_not_turn_the_words(opened: Opened) -> None:
    rises = observations_from(np.arange(20.0), np.full(20, 5.0), ["عمر"], "שכר")
    page = opened(train(rises, lr=0.5000000000000002, scale="standardize"))
    assert page.text("h1") == "\u2068שכר\u2069 = w · \u2068عمر\u2069 + b"
    # 1 − γλ is −9e-16.
    assert "Each epoch leaves 0\u00a0% of the way" in page.text("#meaning")


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


@pytest.mark.parametrize("features", [1, 12, 60])
@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_it_stays_small(features: int, loss: Any) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(20_000, features)) * 1e6
    names = [f"a_feature_with_a_long_name_{place}" for place in range(features)]
    data = observations_from(x, x.sum(axis=1) + random.normal(size=len(x)), names)
    held_out = observations_from(x[:3000], x[:3000].sum(axis=1), names)
    fit = train(data, lr=0.01, epochs=5, loss=loss, validation=held_out, scale="whiten")
    text = page_of(contents(fit, fit.history))
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
    template = (folder / "page.html").read_text(encoding="utf-8")
    listed = re.findall(r"[\w.]+\.(?:js|css)\b", template)
    assert sorted(listed) == sorted(parts)
