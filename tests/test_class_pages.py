"""Pages of two classes: the curve, the line between them, their probabilities; and what the page
says of the learning rate where the loss is no parabola."""

from __future__ import annotations

import json
import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from browser import Page
from conftest import Opened
from drawn import two_classes
from gdfit.data.in_memory import observations_from
from gdfit.descent.run import train
from gdfit.model.links import sigmoid
from gdfit.show.pictures.figure import STYLE, draw


def path(page: Page, selector: str) -> np.ndarray:
    """The corners of a path, in pixels."""
    text = page.run(f"document.querySelector({json.dumps(selector)}).getAttribute('d')")
    found = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", text)
    return np.array(found, dtype=float).reshape(-1, 2)


def ticks(page: Page, kind: str) -> np.ndarray:
    """Of an axis of the fit, the numbers and where they are, in pixels: shape (ticks, 2)."""
    attribute = "x" if kind == "x" else "y"
    found = page.run(
        f"[...document.querySelectorAll('#fit .frame .{kind}:not(.label)')].map((text) =>"
        f" [Number(text.textContent.replace('−', '-')), Number(text.getAttribute('{attribute}'))])"
    )
    return np.array(found)


def to_data(page: Page, places: np.ndarray) -> np.ndarray:
    """Places on the fit's chart in the data's units."""
    every = []
    for column, kind in enumerate("xy"):
        (first, at), (last, end) = ticks(page, kind)[[0, -1]]
        every.append(first + (places[:, column] - at) * (last - first) / (end - at))
    return np.column_stack(every)


def test_one_feature_is_a_curve_over_the_dots(opened: Opened) -> None:
    fit = train(two_classes(), loss="logistic", epochs=200)
    page = opened(fit)
    assert page.text("h1") == "P(passed = yes) = σ(w · x0 + b)"
    assert page.text("#about") == "log loss of 80 observations"
    page.press("End")
    w, b = fit.model.params
    legend = page.text("#fit .legend")
    assert "P(passed = yes) = σ(" in legend
    assert f"½ at {-b / w:.4f}"[:8] in legend
    assert "passed = yes" in legend
    assert "passed = no" in legend
    curve = to_data(page, path(page, "#fit path.line"))
    slack = 0.05  # of what text is beside its tick
    assert np.abs(curve[:, 1] - sigmoid(w * curve[:, 0] + b)).max() < slack
    assert len(curve) == 200
    for name, one in (("observed:not(.negative)", 1), ("negative", 0)):
        dots = to_data(page, path(page, f"#fit path.{name}"))
        own = fit.observations.sample[fit.observations.sample[:, -1] == one]
        np.testing.assert_allclose(dots[:, 0], own[:, 0], atol=0.05)
        assert ((dots[:, 1] > 0.9) == one).all()
    half = to_data(page, path(page, "#fit path.half"))
    np.testing.assert_allclose(half, [[-b / w, 0.5]], atol=0.05)
    assert "accuracy" in page.text("#footing")
    assert "R²" not in page.text("#footing")
    assert "log(1 + eᶻ) − y·z" in page.text("#sums .loss")
    assert "ŷ = σ(z), z = w·x + b" in page.text("#sums .loss")
    assert "∂L/∂w = mean (ŷ − y) · x0 = " in page.text("#sums .gradient")


def test_where_dates_cross_one_half_is_a_date(opened: Opened) -> None:
    days = np.array([1.0, 20, 40, 60, 80, 110]) + 18_000
    frame = pd.DataFrame({"d": pd.to_datetime(days, unit="D"), "y": list("nnynyy")})
    fit = train(observations_from(frame, features=["d"], target="y", classes=True), loss="logistic")
    w, b = fit.model.params
    told = f"½ at {pd.to_datetime(round(-b / w), unit='D'):%Y-%m-%d}"
    page = opened(fit)
    page.press("End")
    assert told in page.text("#fit .legend")
    with mpl.rc_context(STYLE):
        axes = draw(fit, fit.history, "fit").axes[0]
    assert told in [text.get_text() for text in axes.texts]


def test_two_features_are_a_plane_with_the_line_between_the_classes(opened: Opened) -> None:
    fit = train(two_classes(2), loss="logistic", epochs=200, validation=two_classes(2, 20))
    page = opened(fit)
    page.press("End")
    assert page.text("#fit h2") == "The classes and the line between them"
    line = to_data(page, path(page, "#fit path.line"))
    size = np.ptp(fit.observations.sample[:, :-1], axis=0)
    normal = np.array(fit.model.w) * size
    away = (line @ fit.model.w + fit.model.b) / np.linalg.norm(normal)
    assert np.abs(away).max() < 0.03
    sample, held = fit.observations.sample, two_classes(2, 20).sample
    for part, name in ((sample, "observed"), (held, "validation")):
        for one in (1, 0):
            kind = f"path.{name}{'' if one else '.negative'}{':not(.negative)' if one else ''}"
            assert len(path(page, f"#fit {kind}")) == (part[:, -1] == one).sum()
    assert "validation: passed = yes" in page.text("#fit .legend")


def test_several_features_are_the_probabilities_of_each_class(opened: Opened) -> None:
    fit = train(two_classes(4, 200), loss="logistic", epochs=200)
    page = opened(fit)
    assert page.text("#fit h2") == "The predicted probabilities of each class"
    page.press("End")
    y, p = fit.observations.sample[:, -1], fit.predict(fit.observations.sample[:, :-1])
    for one, name in ((1, "path.bars:not(.negative)"), (0, "path.bars.negative")):
        corners = path(page, f"#fit {name}")
        base = corners[0, 1]
        heights = base - corners[1:-1:2, 1]
        counts, _ = np.histogram(p[y == one], len(heights), (0, 1))
        np.testing.assert_allclose(heights / heights.sum(), counts / counts.sum(), atol=0.01)


def test_what_a_learning_rate_means_where_the_loss_is_no_parabola(opened: Opened) -> None:
    fit = train(two_classes(), loss="logistic", scale="standardize", lr=1.0)
    page, curvature = opened(fit), fit.curvature
    assert curvature
    assert curvature.bound
    sure, there = 2 / curvature.bound, 2 / curvature.lambda_max
    assert f"2/λmax = {sure:.4g} of the bound on the Hessian" in page.text("#meaning")
    assert f"limit 2/λmax = {there:.4g}"[:18] in page.text("#lr-limit")
    assert page.text("#lead") == "Converges."
    for lr, lead, said in (
        (0.9 * sure, "Converges.", "90\u00a0% of 2/λmax"),
        ((sure + there) / 2, "Converges.", "on the way the steps may overshoot"),
        (1.1 * there, "Does not settle.", "1.1 times that"),
    ):
        page.run(
            "(() => { const field = document.querySelector('#lr-field');"
            f"field.value = {lr}; field.dispatchEvent(new Event('change')); }})()"
        )
        page.rest()
        assert page.text("#lead") == lead
        assert said in page.text("#meaning")
    # At a rate above the limit at the minimum, steps beside it leave it; below, they come back.
    for part, comes_back in ((0.95, True), (1.05, False)):
        start = (curvature.minimum + 1e-3 * curvature.eigenvectors[:, 0]).tolist()
        settings = f"{{lr: {part * there}, start: {json.dumps(start)}, epochs: 30}}"
        last = page.run(f"gdfit.descend({settings}).at(-1).params")
        assert (np.linalg.norm(last - curvature.minimum) < 1e-3) == comes_back


def test_separable_classes_have_no_minimum(opened: Opened) -> None:
    data = observations_from(np.arange(8.0), [0.0] * 4 + [1.0] * 4, classes=True)
    page = opened(train(data, loss="logistic", epochs=100))
    page.press("End")
    assert "separates the classes" in page.text("#meaning")
    assert "minimum" not in page.text("#path .legend") + page.text("#readout")
    assert page.run("document.querySelector('#path path.minimum').getAttribute('d')") == ""
    assert "leaves" not in page.text("#path .legend")


def test_a_sample_has_a_minimum_of_its_own(opened: Opened) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=5000)
    y = (random.random(5000) < sigmoid(2 * x - 4)).astype(float)
    fit = train(observations_from(x, y), loss="logistic", epochs=300)
    page = opened(fit)
    assert "Log loss needs the observations themselves" in page.text("#ground")
    assert "a sample of 2,000 of the 5,000" in page.text("#ground")
    steps = page.run("gdfit.descend()")
    run = page.run("JSON.parse(document.getElementById('run').textContent)")
    shape = run["scales"]["standardize"]
    assert steps[-1]["loss"] == pytest.approx(shape["minimum_loss"], rel=1e-6)
    assert shape["minimum_loss"] != fit.minimum_loss
    assert shape["minimum_loss"] == pytest.approx(fit.minimum_loss, rel=0.1)
    np.testing.assert_allclose(steps[-1]["params"], shape["minimum"], rtol=1e-3)
    page.press("End")
    assert "the minimum" in page.text("#readout")


def test_a_quantile_has_its_line_and_words(opened: Opened) -> None:
    random = np.random.default_rng(0)
    x = random.uniform(0, 1, 60)
    data = observations_from(x, x + random.exponential(0.3, 60))
    page = opened(train(data, loss="quantile", quantile=0.9, epochs=500))
    assert page.text("#about") == "quantile loss, τ = 0.9 of 60 observations"
    assert "the params hover around the minimum" in page.text("#meaning")
    page.press("End")
    assert "0.9(y − ŷ) below y, 0.1(ŷ − y) above" in page.text("#sums .loss")
    assert "∂L/∂w = mean (−0.9 below y, 0.1 above)" in page.text("#sums .gradient")
    assert "minimum" in page.text("#loss .legend")
