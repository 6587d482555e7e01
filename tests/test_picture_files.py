"""The files that pictures are drawn to, as the command line writes them."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation
from PIL import Image

from conftest import LECTURE, Gdfit
from drawn import called, panel_of, picture_of, points, traced
from gdfit.choices import Panel
from gdfit.show.pictures.drawing import picture_number
from gdfit.show.pictures.figure import STYLE, draw


def plotted(gdfit: Gdfit, ending: str, *options: str) -> bytes:
    """The file that a run of 30 epochs is drawn to."""
    result = gdfit("train", LECTURE, "--epochs", "30", "--plot", f"p.{ending}", "-q", *options)
    assert (result.status, result.err) == (0, "")
    assert sorted(path.name for path in Path().iterdir()) == ["gdfit.json", f"p.{ending}"]
    return Path(f"p.{ending}").read_bytes()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_run_gives_the_same_file(gdfit: Gdfit, ending: str) -> None:
    assert plotted(gdfit, ending) == plotted(gdfit, ending)


@pytest.mark.parametrize("ending", ["png", "PNG"])
@pytest.mark.parametrize("panel", ["all", "path"])
def test_a_file_of_pixels_shows_the_picture(gdfit: Gdfit, ending: str, panel: Any) -> None:
    with mpl.rc_context(STYLE):
        fit, steps = traced(epochs=30)
        canvas: Any = FigureCanvasAgg(draw(fit, steps, panel))
        canvas.draw()
    with Image.open(BytesIO(plotted(gdfit, ending, "--panel", panel))) as image:
        assert image.format == "PNG"
        assert image.size == (1600, 900)
        np.testing.assert_array_equal(np.asarray(image), np.asarray(canvas.buffer_rgba()))


def curves_in(file: bytes) -> list[np.ndarray]:
    """The lines that an SVG or PDF file draws, each as its corners, shape (corners, 2)."""
    if file.startswith(b"%PDF"):
        page = zlib.decompressobj().decompress(file.partition(b"stream\n")[2]).decode("latin-1")
        curves = re.findall(r"\S+ \S+ m\n(?:\S+ \S+ l\n)+", page)
    else:
        curves = re.findall(r'<path d="(M[^"]*)"', file.decode())
    corners = [re.findall(r"(-?[\d.]+) (-?[\d.]+)", curve) for curve in curves]
    return [np.array(corner, dtype=float) for corner in corners]


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_a_file_of_lines_shows_the_loss_and_the_path(gdfit: Gdfit, ending: str) -> None:
    _, _, figure = picture_of(lr=0.01, epochs=30)
    _, loss, path = figure.axes
    epochs, losses = points(called(loss, "loss")).T
    if loss.get_yscale() == "log":
        losses = np.log(losses)
    drawn = curves_in(plotted(gdfit, ending, "--lr", "0.01"))
    for curve in (np.column_stack([epochs, losses]), points(called(path, "path"))):
        (found,) = [
            corners
            for corners in drawn
            if len(corners) == len(curve) and is_drawn(curve, corners, 0.01)
        ]
        assert (np.ptp(found, axis=0) > 50).all()  # points: it can be seen


def is_drawn(curve: np.ndarray, corners: np.ndarray, most: float) -> bool:
    """Whether the corners are those of a curve, but for the scales of both axes."""
    fits = [np.polyfit(*pair, 1) for pair in zip(curve.T, corners.T, strict=True)]
    placed = np.column_stack([np.polyval(fit, x) for fit, x in zip(fits, curve.T, strict=True)])
    return bool(np.abs(placed - corners).max() <= most)


def test_text_in_svg_is_text(gdfit: Gdfit) -> None:
    _, _, figure = picture_of(epochs=30)
    file = plotted(gdfit, "svg").decode()
    written = re.findall(r"<text[^>]*>([^<]+)</text>", file)
    for axes in figure.axes:
        for text in (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()):
            assert text in written
        for label in axes.texts:
            assert isinstance(label, Annotation)
            assert label.get_text() in written


def test_one_panel_is_drawn_where_one_is_asked_for(gdfit: Gdfit) -> None:
    fit, _, figure = picture_of(lr=0.3)
    names: tuple[Panel, ...] = ("fit", "loss", "path")
    for panel, axes in zip(names, figure.axes, strict=True):
        _, alone = panel_of(panel, lr=0.3)
        assert alone.get_title() == axes.get_title()
        assert len(alone.get_lines()) == len(axes.get_lines())
    _, steepest = panel_of("steepest", lr=0.3)
    assert fit.curvature
    assert picture_number(1 - 0.3 * fit.curvature.lambda_max) in steepest.get_title()
    for options, fault in (
        (["--panel", "fit"], "--panel has no effect here: it is for --plot"),
        (["--panel", "steepest", "--plot", "p.png", "--loss", "mae"], "--panel steepest is for gd"),
        (
            ["--panel", "fits", "--plot", "p.png"],
            "--panel takes all, fit, loss, path, steepest, roc, modes or residuals",
        ),
    ):
        result = gdfit("train", LECTURE, *options)
        assert result.status == 2
        assert fault in result.err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("lr", [0.01, 0.32])
def test_steps_that_come_down_end_where_they_are_drawn_to(lr: float) -> None:
    fit, steepest = panel_of("steepest", lr=lr, epochs=100)
    assert fit.curvature
    distances, heights = points(called(steepest, "steps")).T
    factor = 1 - lr * fit.curvature.lambda_max
    assert len(distances) > 41
    np.testing.assert_allclose(distances, distances[0] * factor ** np.arange(len(distances)))
    assert (np.diff(heights) < 0).all()


def test_places_that_can_not_be_drawn_to(gdfit: Gdfit) -> None:
    Path("folder.png").mkdir()
    for place in ("folder.png", "nowhere/p.png"):
        result = gdfit("train", LECTURE, "--plot", place)
        assert (result.status, result.out) == (1, "")
        assert result.err.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["folder.png"]
