"""Pictures are legible whatever is in them: nothing collides, is covered or is cut off."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from conftest import LECTURE, SAMPLES
from drawn import panel_of, picture_of, several
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.show.pictures.curves import spread


def houses() -> Observations:
    return read_observations(str(SAMPLES / "houses.csv"))


def lecture() -> Observations:
    return read_observations(str(LECTURE), keep_rows=True)


def one_row() -> Observations:
    return observations_from([2.0], [5.0])


def long_names() -> Observations:
    return observations_from(
        [1.0, 2, 3, 4], [2.0, 3, 5, 6], ["the_area_of_the_flat_in_square_metres"], "its_price" * 9
    )


def large() -> Observations:
    return observations_from([1e9 + 1, 1e9 + 2, 1e9 + 3], [1e12 + 3, 1e12 + 7, 1e12 + 8])


def tiny() -> Observations:
    return observations_from([1e-201, 2e-201, 3e-201], [-1e-9, 2e-9, 4e-9])


def scattered() -> Observations:
    random = np.random.default_rng(0)
    return observations_from(*random.uniform(size=(2, 3000)))


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "the lecture": (lecture, {"lr": 0.01}),
    "the lecture, chosen": (lecture, {}),
    "diverging": (houses, {"lr": 0.01}),
    "diverging slowly": (lecture, {"lr": 0.335, "init": [0, 0.9], "epochs": 25}),
    "diverging slowly, houses": (houses, {"lr": 7e-5, "epochs": 100}),
    "diverging with momentum": (lecture, {"lr": 1.5, "optimizer": "momentum"}),
    "stable": (houses, {"lr": 5e-5}),
    "oscillating": (lecture, {"lr": 0.3, "init": [0, 0.9], "epochs": 40}),
    "adam": (lecture, {"optimizer": "adam"}),
    "one observation": (one_row, {"lr": 0.05}),
    "one observation, chosen": (one_row, {}),
    "a perfect fit": (
        lambda: observations_from([1.0, 2, 3], [3.0, 5, 7]),
        {"lr": 0.1, "epochs": 5000},
    ),
    "a start at the minimum": (
        lambda: observations_from([1.0, 2], [0.0, 0]),
        {"lr": 0.1, "epochs": 3},
    ),
    "a constant target": (lambda: observations_from(np.arange(8.0), np.full(8, 5.1)), {}),
    "a constant feature": (lambda: observations_from(np.full(8, 3.0), np.arange(8.0)), {}),
    "one epoch": (lecture, {"lr": 0.01, "epochs": 1}),
    "five epochs": (lecture, {"lr": 0.05, "epochs": 5}),
    "many epochs": (lecture, {"lr": 0.001, "epochs": 20_000}),
    "whitened": (lecture, {"scale": "whiten", "lr": 0.1}),
    "mae": (lecture, {"loss": "mae", "lr": 0.01}),
    "huber": (lecture, {"loss": "huber"}),
    "mini-batches": (lecture, {"batch_size": 1, "lr": 0.05, "epochs": 50}),
    "validation": (lecture, {"lr": 0.01, "validation": lecture()}),
    "patience": (lecture, {"batch_size": 1, "lr": 0.2, "validation": lecture(), "patience": 9}),
    "a formula as a name": (lambda: observations_from([1.0, 2], [1.0, 3], ["$x_1$"], "$y"), {}),
    "long names": (long_names, {"lr": 0.05}),
    "large numbers": (large, {}),
    "tiny numbers": (tiny, {}),
    "points everywhere": (scattered, {}),
    "twelve long names": (lambda: several(12), {"lr": 0.05}),
    "forty names": (lambda: several(40), {"epochs": 50}),
    "several, diverging": (lambda: several(3), {"lr": 2.0}),
    "powers of a column": (lambda: read_observations(str(LECTURE), degree=3), {}),
    "powers, diverging": (lambda: read_observations(str(LECTURE), degree=2), {"lr": 0.1}),
    "without b": (lambda: observations_from([1.0, 2, 3], [2.0, 5, 5], intercept=False), {}),
    "several, constant target": (lambda: observations_from(np.eye(4, 3), np.full(4, 5.1)), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_whole_picture_is_legible(case: str) -> None:
    data, options = CASES[case]
    _, _, figure = picture_of(data(), **options)
    check(figure)


@pytest.mark.parametrize("panel", ["fit", "loss", "path", "steepest"])
@pytest.mark.parametrize(
    "case",
    [
        "diverging",
        "diverging slowly",
        "long names",
        "twelve long names",
    ],
)
def test_a_panel_is_legible(case: str, panel: Any) -> None:
    data, options = CASES[case]
    _, axes = panel_of(panel, data(), **options)
    figure = axes.figure
    assert isinstance(figure, Figure)
    check(figure)
    # Across half a page, 8.4 cm, no letter is smaller than 4.5 points.
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    smallest = min(float(text.get_fontsize()) for text in texts)
    assert smallest * 8.4 / 2.54 / figure.get_figwidth() > 4.5


def check(figure: Figure) -> None:
    """That all is named, within the picture, and in no one's way."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    frame = figure.bbox.padded(1)
    for axes in figure.axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel()
        assert axes.get_title()
        for axis in (axes.xaxis, axes.yaxis):
            boxes = tick_boxes(axis)
            assert boxes, f"no ticks in {axes.get_title()}"
            assert not overlapping(boxes), f"ticks collide in {axes.get_title()}"
        texts = [Text.get_window_extent(text) for text in axes.texts if text.get_text()]
        assert not overlapping(texts), f"labels collide in {axes.get_title()}"
        check_legend(axes, texts)
        words = [axes.title, axes.xaxis.label, axes.yaxis.label]
        for box in (*texts, *map(Text.get_window_extent, words)):
            assert is_within(box, frame), "cut off"
        if axes.get_xlabel() == "epoch":
            ticks = [float(tick) for tick in axes.get_xticks()]
            assert all(tick.is_integer() for tick in ticks)
            assert len({label.get_text() for label in axes.get_xticklabels()}) == len(ticks)


def tick_boxes(axis: Axis) -> list[Bbox]:
    """The boxes of the tick labels that are seen."""
    low, high = sorted(axis.get_view_interval())
    return [
        tick.label1.get_window_extent()
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high and tick.label1.get_text()
    ]


def overlapping(boxes: list[Bbox]) -> bool:
    """Whether two of the boxes overlap."""
    return any(one.overlaps(other) for one, other in combinations(boxes, 2))


def check_legend(axes: Axes, texts: list[Bbox]) -> None:
    """That the legend is within the axes and covers no point, no line and no label."""
    legend = axes.get_legend()
    if legend is None:
        assert texts
        return
    box = legend.get_window_extent()
    assert is_within(box, axes.bbox.padded(1)), "legend leaves"
    assert not any(box.overlaps(text) for text in texts)
    for points in axes.collections:
        if isinstance(points, PathCollection):
            where = points.get_offset_transform().transform(np.asarray(points.get_offsets()))
            assert not inside(where, box).any(), "legend covers points"
    for line in axes.get_lines():
        corners = line.get_transform().transform(np.asarray(line.get_xydata()))
        between = np.linspace(corners[:-1], corners[1:], 200).reshape(-1, 2)
        assert not inside(between, box).any(), f"legend covers {line.get_label()}"


def is_within(box: Bbox, frame: Bbox) -> bool:
    """Whether a box is within a frame."""
    return bool(inside(box.corners(), frame).all())


def inside(points: np.ndarray, box: Bbox) -> np.ndarray:
    """Which of the points are in the box."""
    x, y = points.T
    return np.asarray((box.x0 < x) & (x < box.x1) & (box.y0 < y) & (y < box.y1))


@pytest.mark.parametrize(
    "heights", [[0.5] * 9, [0, 0, 1, 1], [0.2, 0.21, 0.9], [-3.0, 4.0], [0.9, 0.95, 1.0], [0.3]]
)
def test_labels_are_spread(heights: list[float]) -> None:
    placed = spread(np.array(heights), 0.075)
    assert min(placed) >= 0.0375 - 1e-9
    assert max(placed) <= 1 - 0.0375 + 1e-9
    assert (np.diff(sorted(placed)) >= 0.075 - 1e-9).all()
    assert np.argsort(placed).tolist() == np.argsort(heights, kind="stable").tolist()


def test_labels_that_are_apart_stay() -> None:
    assert spread(np.array([0.8, 0.1, 0.5]), 0.1) == pytest.approx([0.8, 0.1, 0.5])
    assert spread(np.array([0.5, 0.5]), 0.1) == pytest.approx([0.45, 0.55])
    crowded = spread(np.full(50, 0.5), 0.1)
    assert np.diff(crowded) == pytest.approx(1 / 50)
