"""Pictures and charts: what was drawn is read back from them."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from conftest import LECTURE, SAMPLES, Gdfit, process
from gdfit.data.dataset import read_observations
from gdfit.data.observations import observations_from
from gdfit.descent.fit import Fit, Run
from gdfit.descent.loop import Step
from gdfit.show.charts import charts
from gdfit.show.colours import VERMILION
from gdfit.show.path_plots import spread
from gdfit.show.plots import DPI, STYLE, draw
from gdfit.show.trace import MOST, Trace


def picture_of(data: Any = None, **options: Any) -> tuple[Fit, list[Step], Figure]:
    """A run with its trace and its picture."""
    trace = Trace()
    observations = data or read_observations(str(LECTURE), keep_rows=True)
    run = Run(observations, **options)
    for step in run:
        trace.step(step)
    fit = run.fit()
    return fit, trace.steps, draw(fit, trace.steps)


def labels(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def line(axes: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    """The data of the line with that label."""
    (found,) = [drawn for drawn in axes.get_lines() if drawn.get_label() == label]
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


def several(features: int = 8) -> Any:
    random = np.random.default_rng(0)
    x = random.normal(size=(60, features))
    names = [f"a_feature_with_a_long_name_{place}" for place in range(features)]
    return observations_from(x, x @ np.arange(features) + 1, names, "a_target")


def test_one_feature() -> None:
    fit, steps, figure = picture_of(epochs=500)
    fitted, loss, path = figure.axes
    x, y = fit.observations.sample.T
    (points,) = fitted.collections
    assert np.asarray(points.get_offsets()).tolist() == np.column_stack([x, y]).tolist()
    assert (fitted.get_xlabel(), fitted.get_ylabel()) == ("x", "y")
    assert labels(fitted)[0] == "observations"
    w, b = fit.model.params
    (name,) = [label for label in labels(fitted) if label.startswith("y = ")]
    ends, heights = line(fitted, name)
    assert heights == pytest.approx(w * ends + b)
    assert name == f"y = {w:.4g} x + {b:.4g}"
    assert len([drawn for drawn in fitted.get_lines() if drawn.get_alpha()]) >= 3

    epochs, losses = line(loss, "loss")
    assert epochs.tolist() == list(range(1, 501))
    assert losses.tolist() == [step.loss for step in steps]
    assert fit.curvature
    assert line(loss, f"minimum {fit.curvature.minimum_loss:.4g}")[1][0] == pytest.approx(
        fit.curvature.minimum_loss
    )
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "mean squared error")
    assert loss.get_yscale() == "log"

    assert (path.get_xlabel(), path.get_ylabel()) == ("w", "b")
    walked = np.column_stack(line(path, "path"))
    assert walked.tolist() == [[0.0, 0.0], *(step.params.tolist() for step in steps)]
    for label, place in (
        ("start", [0.0, 0.0]),
        ("end", fit.params.tolist()),
        ("minimum", fit.curvature.minimum.tolist()),
    ):
        assert np.column_stack(line(path, label)).tolist() == [place]
        assert path.get_xlim()[0] < place[0] < path.get_xlim()[1]
        assert path.get_ylim()[0] < place[1] < path.get_ylim()[1]


def test_the_level_sets_are_those_of_the_loss() -> None:
    fit, _, figure = picture_of(epochs=50)
    path = figure.axes[2]
    filled: Any = path.collections[0]
    levels = filled.levels
    assert levels[0] == 0
    assert (np.diff(levels) > 0).all()
    # On the contour of a level, the loss is so much above the least one in the window.
    outline: Any = path.collections[1]
    design, target = fit.observations.design, fit.observations.target
    assert fit.curvature
    for level, contour in list(zip(outline.levels, outline.get_paths(), strict=True))[-4:]:
        vertices = np.asarray(contour.vertices)
        for w, b in vertices[:: max(1, len(vertices) // 5)].tolist():
            residuals = design @ [w, b] - target
            above = residuals @ residuals / 25 - fit.curvature.minimum_loss
            assert above == pytest.approx(level, rel=0.05)


def test_validation_is_drawn_in() -> None:
    held_out = observations_from([0.5, 1.5], [0.4, 0.7])
    _, steps, figure = picture_of(epochs=50, validation=held_out)
    _, losses = line(figure.axes[1], "validation loss")
    assert losses.tolist() == [step.validation_loss for step in steps]


def test_several_features() -> None:
    data = several()
    fit, steps, figure = picture_of(data, epochs=400, lr=0.05)
    fitted, _, params = figure.axes
    *x, y = data.sample.T
    (points,) = fitted.collections
    drawn = np.asarray(points.get_offsets())
    np.testing.assert_allclose(drawn, np.column_stack([y, fit.model.predict(np.column_stack(x))]))
    assert fitted.get_xlabel() == "observed a_target"
    assert fitted.get_ylabel() == "predicted a_target"
    curves = params.get_lines()
    assert len(curves) == 9
    for place, curve in enumerate(curves):
        assert np.asarray(curve.get_ydata()).tolist() == [
            0.0,
            *(float(step.params[place]) for step in steps),
        ]
    assert len({to_hex(curve.get_color()) for curve in curves}) == 9
    names = [text.get_text() for text in params.texts]
    assert len(names) == 9
    assert names[-1] == "b"


def test_labels_do_not_overlap_and_nothing_is_cut() -> None:
    _, _, figure = picture_of(several(), epochs=400, lr=0.05)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    params = figure.axes[2]
    boxes = [Text.get_window_extent(text, renderer) for text in params.texts]  # without arrows
    assert not any(
        one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place]
    )
    width, height = figure.get_size_inches() * figure.dpi
    for axes in figure.axes:
        box = axes.get_tightbbox(renderer)
        assert box is not None
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


@pytest.mark.parametrize("heights", [[0.5] * 9, [0, 0, 1, 1], [0.2, 0.21, 0.9], [-3.0, 4.0]])
def test_labels_are_spread(heights: list[float]) -> None:
    placed = spread(np.array(heights))
    assert min(placed) >= -1e-9
    assert max(placed) <= 1 + 1e-9
    gaps = np.diff(sorted(placed))
    assert (gaps >= 0.07).all()


def test_a_run_that_diverges_is_drawn_up_to_where_it_left() -> None:
    houses = read_observations(str(SAMPLES / "houses.csv"))
    fit, _, figure = picture_of(houses)
    assert fit.status == "diverged"
    fitted, loss, path = figure.axes
    assert "diverged after 62 epochs" in fitted.get_title()
    assert np.isfinite(line(loss, "loss")[1]).all()
    assert len(line(loss, "loss")[1]) > 10
    assert "the path leaves at epoch" in path.get_title()
    assert np.isfinite(path.get_xlim()).all()
    assert "end" not in labels(path)
    fit, _, figure = picture_of(several(3), lr=2.0)
    assert fit.status == "diverged"
    assert "until epoch" in figure.axes[2].get_title()


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "one observation": (observations_from([2.0], [5.0]), {}),
    "a perfect fit": (observations_from([1.0, 2, 3], [3.0, 5, 7]), {"lr": 0.1, "epochs": 5000}),
    "a start at the minimum": (observations_from([1.0, 2], [0.0, 0]), {"epochs": 3}),
    "one epoch": (None, {"epochs": 1}),
    "standardized": (None, {"standardize": True, "epochs": 200}),
    "mae": (None, {"loss": "mae"}),
    "huber, standardized": (None, {"loss": "huber", "standardize": True}),
    "mini-batches": (None, {"batch_size": 4, "epochs": 30}),
    "a name with a formula": (observations_from([1.0, 2], [1.0, 3], ["$x_1$"], "y"), {}),
    "several, standardized": (several(3), {"standardize": True, "lr": 0.1}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_axis_is_named_and_every_line_explained(case: str) -> None:
    data, options = CASES[case]
    _, _, figure = picture_of(data, **options)
    figure.canvas.draw()
    for axes in figure.axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel()
        assert axes.get_title()
        assert axes.get_legend() is not None or axes.texts


def test_a_long_path_is_thinned_and_never_cut() -> None:
    trace = Trace()
    for epoch in range(1, 100_001):
        status = "completed" if epoch == 100_000 else None
        trace.step(Step(epoch, 1.0, np.zeros(2), np.zeros(2), status=status))
    epochs = [step.epoch for step in trace.steps]
    assert len(epochs) <= MOST + 2
    assert (epochs[0], epochs[-1]) == (1, 100_000)
    assert len(set(np.diff(epochs[:-1]).tolist())) == 1


def plotted(gdfit: Gdfit, ending: str) -> bytes:
    """The file that a run of 30 epochs is drawn to."""
    result = gdfit("train", LECTURE, "--epochs", "30", "--plot", f"p.{ending}", "-q")
    assert (result.status, result.err) == (0, "")
    assert sorted(path.name for path in Path().iterdir()) == ["gdfit.json", f"p.{ending}"]
    return Path(f"p.{ending}").read_bytes()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_run_gives_the_same_file(gdfit: Gdfit, ending: str) -> None:
    assert plotted(gdfit, ending) == plotted(gdfit, ending)


@pytest.mark.parametrize("ending", ["png", "PNG"])
def test_a_file_of_pixels_shows_the_picture(gdfit: Gdfit, ending: str) -> None:
    with mpl.rc_context(STYLE):
        _, _, figure = picture_of(epochs=30)
        figure.set_dpi(DPI)
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
    with Image.open(BytesIO(plotted(gdfit, ending))) as image:
        assert image.format == "PNG"
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
    _, _, figure = picture_of(epochs=30)
    _, loss, path = figure.axes
    epochs, losses = line(loss, "loss")
    if loss.get_yscale() == "log":
        losses = np.log(losses)
    drawn = curves_in(plotted(gdfit, ending))
    for curve in (np.column_stack([epochs, losses]), np.column_stack(line(path, "path"))):
        (found,) = [corners for corners in drawn if len(corners) == len(curve)]
        for numbers, places in zip(curve.T, found.T, strict=True):
            scale, shift = np.polyfit(numbers, places, 1)
            np.testing.assert_allclose(scale * numbers + shift, places, rtol=0, atol=0.01)
            assert np.ptp(places) > 50  # points: it can be seen


def test_the_sample_is_named_in_the_title(gdfit: Gdfit) -> None:
    Path("d.csv").write_text("x,y\n" + "".join(f"{x % 97},{x % 89}\n" for x in range(5000)))
    gdfit("train", "d.csv", "--lr", "1e-5", "--plot", "p.svg", "-q")
    data = read_observations("d.csv")
    _, _, figure = picture_of(data, lr=1e-5)
    assert "(2,000 of 5,000 observations drawn)" in figure.axes[0].get_title()


def test_places_that_can_not_be_drawn_to(gdfit: Gdfit) -> None:
    Path("folder.png").mkdir()
    for place in ("folder.png", "nowhere/p.png"):
        result = gdfit("train", LECTURE, "--plot", place)
        assert (result.status, result.out) == (1, "")
        assert result.err.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["folder.png"]


def test_charts_in_a_pipe(tmp_path: Path) -> None:
    result = process("train", LECTURE, "--chart", cwd=tmp_path)
    assert result.status == 0
    assert "\x1b" not in result.out
    assert "the loss against the epoch" in result.out
    assert "y against x" in result.out
    assert max(map(len, result.out.splitlines())) <= 100
    assert re.search(r"^ *1 +10 +100 +1,000$", result.out, re.MULTILINE)


def test_charts_show_the_curve_and_the_points() -> None:
    fit, steps, _ = picture_of(epochs=300)
    text = charts(fit, steps, 80, colour=False)
    assert all(len(row) <= 80 for row in text.splitlines())
    assert 15 <= text.count("o") - text.count("loss") <= 40
    assert "\x1b" in charts(fit, steps, 80, colour=True)
    fit, steps, _ = picture_of(several(2), epochs=50)
    assert " against x" not in charts(fit, steps, 80, colour=False)


def test_charts_go_with_the_table(gdfit: Gdfit) -> None:
    for options in (
        ["--epochs", "1"],
        ["--validation", "0.3"],
        ["--lr", "3"],
        ["--loss", "mae", "--standardize"],
    ):
        result = gdfit("train", LECTURE, "--chart", *options)
        assert result.status in (0, 3)
        assert "the loss" in result.out.lower()


def test_the_fitted_line_is_drawn_in_one_colour() -> None:
    _, _, figure = picture_of(epochs=10)
    path = figure.axes[2]
    (walked,) = [drawn for drawn in path.get_lines() if drawn.get_label() == "path"]
    assert to_hex(walked.get_color()) == VERMILION.lower()
