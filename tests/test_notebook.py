"""What a notebook shows of fits, runs and models."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gdfit
from conftest import LECTURE


def lecture() -> gdfit.Observations:
    return gdfit.read_observations(str(LECTURE), keep_rows=True)


def cells(html: str) -> dict[str, str]:
    """The table in `html`: what stands beside each name."""
    return dict(re.findall(r"<th[^>]*>(.*?)</th><td[^>]*>(.*?)</td>", html))


def test_a_fit_is_a_table_and_a_picture() -> None:
    fit = gdfit.train(lecture(), lr=1e-2, epochs=1000)
    html = fit._repr_html_()
    table = cells(html)
    assert table["w"] == "0.3016922"
    assert table["b"] == "0.23283501"
    assert table["predicts"] == "y"
    assert table["ended"] == "ran all 1,000 epochs"
    assert "0.044 % above it" in table["minimum"]
    (picture,) = re.findall(r'<img alt="the run" src="data:image/png;base64,(.*?)">', html)
    with Image.open(io.BytesIO(b64decode(picture))) as image:
        assert 600 <= image.width <= 1000
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 100


@pytest.mark.parametrize(
    "options", [{"lr": 1.2}, {"lr": 1e-2, "tol": 0.5}, {"loss": "mae", "epochs": 5000}]
)
def test_a_notebook_has_no_options(options: dict[str, Any]) -> None:
    html = gdfit.train(lecture(), **options)._repr_html_()
    assert "<img" in html
    assert not re.search(r"--[a-z]", html.partition("<img")[0])


def test_a_fit_is_a_few_words_in_python() -> None:
    """Without its history, its observations and its arrays."""
    fit = gdfit.train(lecture(), lr=1e-2, epochs=1000)
    assert "Step(" not in repr(fit)
    assert "array(" not in repr(fit)
    assert "observations:" not in repr(fit)
    assert len(repr(fit)) < 400


def test_without_a_history_there_is_no_picture() -> None:
    run = gdfit.Run(lecture(), epochs=10)
    assert cells(run._repr_html_()) == {}
    assert (
        repr(run)
        == "<Run: 0 of 10 epochs, lr 0.5, scale standardize, of <25 observations: y from x>>"
    )
    for _ in run:
        pass
    assert cells(run._repr_html_()) == cells(run.fit()._repr_html_())
    assert "<img" not in run.fit()._repr_html_()
    assert repr(run).startswith("<Run: 10 of 10 epochs")


def test_names_are_escaped() -> None:
    observations = gdfit.observations_from(
        [[1, 2], [3, 5], [4, 9]], [1, 2, 2], ["<b>", "a&b"], "<i>"
    )
    fit = gdfit.train(observations, epochs=3)
    for html in (fit._repr_html_(), fit.model._repr_html_()):
        assert {"w_&lt;b&gt;", "w_a&amp;b"} <= cells(html).keys()
        assert cells(html)["predicts"] == "&lt;i&gt;"


def test_of_many_weights_some_are_shown() -> None:
    model = gdfit.LinearModel(tuple(range(50)), 1.0, tuple(f"x{place}" for place in range(50)), "y")
    table = cells(model._repr_html_())
    assert len(table) == 12 + 3
    assert table["…"] == "and 38 more weights: w has all"
    random = np.random.default_rng(0)
    fit = gdfit.train(gdfit.observations_from(random.normal(size=(90, 50)), random.normal(size=90)))
    table = cells(fit._repr_html_())
    assert sum(name.startswith("w_") for name in table) == 12
    assert table["…"] == "and 38 more weights: w has all"


def test_reprs_are_short_and_say_what_it_is() -> None:
    observations = lecture()
    assert repr(observations) == "<25 observations: y from x>"
    fit = gdfit.train(observations, lr=1e-2, epochs=1000)
    assert len(repr(fit)) < 300
    assert "status='completed', epochs=1000" in repr(fit)
    assert repr(fit.model) in repr(fit)
