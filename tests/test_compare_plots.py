"""Pictures of runs over each other: what was drawn is read back from them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from PIL import Image

import gdfit as library
from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.compare import Comparison
from gdfit.show.pictures.comparison import FAINT, NAMED_RUNS, draw_comparison, run_styles
from gdfit.show.pictures.drawing import picture_number
from gdfit.show.pictures.path import loss_over


@pytest.fixture(scope="module")
def lecture() -> Observations:
    return library.read_observations(str(LECTURE), keep_rows=True)


def lines(axes: Axes, gid: str) -> list[Line2D]:
    return [line for line in axes.get_lines() if line.get_gid() == gid]


def points(line: Line2D) -> list[list[float]]:
    found: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return found


def legend(figure: Figure) -> list[str]:
    (found,) = figure.legends
    return [text.get_text() for text in found.get_texts()]


def ends(axes: Axes) -> list[str]:
    """What stands beside the ends of the lines."""
    return [text.get_text() for text in axes.texts]


def by_look(comparison: Comparison, axes: Axes, gid: str) -> dict[int, Line2D]:
    """The lines of the runs, by their numbers: they are drawn from the last to the first."""
    outcomes = reversed(comparison.groups()[0])
    return {outcome.number: line for outcome, line in zip(outcomes, lines(axes, gid), strict=True)}


def test_losses_and_paths_are_those_of_the_runs(lecture: Observations) -> None:
    comparison = library.compare(lecture, lr=[0.01, 0.1], optimizer=["gd", "adam"], epochs=80)
    figure = draw_comparison(comparison)
    losses, paths = figure.axes
    drawn, walked = by_look(comparison, losses, "loss"), by_look(comparison, paths, "path")
    for outcome in comparison.outcomes:
        # At epoch e the loss of row e, which is that before its update.
        curve = [(step.epoch, step.loss) for step in outcome.fit.history]
        assert [tuple(point) for point in points(drawn[outcome.number])] == curve
        path = [outcome.fit.start, *(step.params for step in outcome.fit.history)]
        assert points(walked[outcome.number]) == np.array(path).tolist()
    near = {
        outcome.number: comparison.epochs_to_minimum(outcome) for outcome in comparison.outcomes
    }
    marks = [points(mark)[0][0] for mark in lines(losses, "within")]
    assert sorted(marks) == sorted(epochs + 1 for epochs in near.values() if epochs is not None)
    (minimum,) = lines(losses, "least")
    assert points(minimum)[0][1] == pytest.approx(0.0005123569230769224)
    ((star,), (start,)) = lines(paths, "minimum"), lines(paths, "start")
    assert comparison.best.curvature
    assert points(star) == [comparison.best.curvature.minimum.tolist()]
    assert points(start) == [[0.0, 0.0]]
    assert losses.get_yscale() == "log"
    assert (losses.get_xlabel(), losses.get_ylabel()) == ("epoch", "mean squared error")
    assert (paths.get_xlabel(), paths.get_ylabel()) == ("w", "b")
    assert sorted(ends(losses)) == sorted(
        f"lr {outcome.values['lr']}, {outcome.values['optimizer']}"
        for outcome in comparison.outcomes
    )
    there = ["arrived"] if marks else []
    assert legend(figure) == ["start", "end", "the minimum", *there]


def test_two_options_are_told_by_colour_and_style(lecture: Observations) -> None:
    comparison = library.compare(
        lecture, lr=[0.01, 0.02, 0.1], optimizer=["gd", "momentum", "adam"], epochs=5
    )
    looks = run_styles(comparison)
    for name, look in (("lr", "colour"), ("optimizer", "style")):
        pairs = {
            (outcome.values[name], getattr(looks[outcome.number], look))
            for outcome in comparison.outcomes
        }
        assert len(pairs) == 3


def test_a_run_that_diverges_is_cut(lecture: Observations) -> None:
    comparison = library.compare(lecture, lr=[0.1, 0.34], init=[(0.5, -0.2)], epochs=500)
    figure = draw_comparison(comparison)
    losses, paths = figure.axes
    low, high = losses.get_ylim()
    down = comparison.outcomes[0].losses
    assert low < down.min()
    assert down.max() < high < 20 * down.max()
    assert losses.get_ylabel() == f"mean squared error\ncut at {picture_number(10 * down.max())}"
    assert ends(losses) == ["lr 0.34 (diverged)", "lr 0.1"]
    # Its path is drawn until it leaves the window of the others.
    walked = by_look(comparison, paths, "path")[2]
    *inside, outside = points(walked)
    (left, right), (bottom, top) = paths.get_xlim(), paths.get_ylim()
    assert all(left <= w <= right and bottom <= b <= top for w, b in inside)
    assert not (left <= outside[0] <= right and bottom <= outside[1] <= top)
    assert len(lines(paths, "end")) == 1


def test_where_all_diverge_the_axes_end_where_the_last_is_out_of_sight(
    lecture: Observations,
) -> None:
    comparison = library.compare(lecture, lr=[0.4, 5.0])
    losses, _ = draw_comparison(comparison).axes
    top = losses.get_ylim()[1]
    last = int(losses.get_xlim()[1])
    slowest = comparison.outcomes[0].losses
    assert slowest[last - 1] < top <= slowest[last]


@pytest.mark.parametrize("scale", ["none", "standardize"])
@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_the_level_sets_are_those_of_the_loss(lecture: Observations, scale: Any, loss: Any) -> None:
    comparison = library.compare(lecture, lr=[0.01, 0.1], scale=scale, loss=loss, epochs=300)
    figure = draw_comparison(comparison)
    _, paths = figure.axes
    outline: Any = paths.collections[1]
    fit = comparison.best
    rows = np.insert(lecture.sample, 1, 1.0, axis=1)
    if fit.scaling:
        rows = fit.scaling.apply(rows)

    def value(w: float, b: float) -> float:
        residuals = np.abs(rows[:, :2] @ [w, b] - rows[:, 2])
        cut = residuals.clip(max=1.0)
        each = residuals**2 if loss == "mse" else cut * (residuals - 0.5 * cut)
        return float(each.mean())

    (left, right), (bottom, top) = paths.get_xlim(), paths.get_ylim()
    least = min(
        value(w, b) for w in np.linspace(left, right, 120) for b in np.linspace(bottom, top, 120)
    )
    checked = 0
    for level, contour in list(zip(outline.levels, outline.get_paths(), strict=True))[-4:]:
        vertices = np.asarray(contour.vertices)
        for w, b in vertices[:: max(1, len(vertices) // 5)].tolist():
            assert value(w, b) - least == pytest.approx(level, rel=0.05)
            checked += 1
    assert checked > 10
    if scale == "standardize":  # a round valley looks round
        width, height = paths.bbox.width, paths.bbox.height
        assert (right - left) / width == pytest.approx((top - bottom) / height, rel=0.02)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("scale", ["none", "standardize"])
def test_level_sets_know_of_weights_and_of_a_missing_intercept(scale: Any, intercept: bool) -> None:
    x, y, weights = [1.0, 2.0, 4.0, 5.0], [1.0, 3.0, 2.0, 9.0], [1.0, 2.0, 0.5, 4.0]
    data = observations_from(x, y, weights=weights, intercept=intercept)
    run = library.Run(data, loss="huber", scale=scale, lr=0.01, epochs=1)
    for _ in run:
        pass
    for w, b in ((0.0, 0.0), (1.0, -1.0), (-2.0, 3.0)):
        loss = loss_over(run.fit(), np.array([w]), np.array([b]))
        assert loss[0] == pytest.approx(run.objective(np.array([w, b]))[0])


def test_paths_of_different_scales_are_told_in_the_datas_units(lecture: Observations) -> None:
    comparison = library.compare(lecture, scale=["none", "standardize"], lr=0.1, epochs=400)
    _, paths = draw_comparison(comparison).axes
    assert paths.get_xlabel() == "w"
    for run, line in by_look(comparison, paths, "path").items():
        (outcome,) = [each for each in comparison.outcomes if each.number == run]
        assert points(line)[-1] == pytest.approx(list(outcome.fit.model.params))


def test_more_than_a_dozen_runs(lecture: Observations) -> None:
    rates = np.geomspace(1e-4, 1, 25)
    comparison = library.compare(lecture, lr=rates, epochs=100)
    figure = draw_comparison(comparison)
    losses, _ = figure.axes
    drawn = lines(losses, "loss")
    assert len(drawn) == 25
    assert [line.get_color() for line in drawn].count(FAINT) == 25 - NAMED_RUNS
    assert len(ends(losses)) == NAMED_RUNS
    assert "13 more runs" in legend(figure)


def test_losses_that_do_not_compare_stand_apart(lecture: Observations) -> None:
    comparison = library.compare(lecture, loss=["mse", "mae"], lr=[0.01, 0.1], epochs=20)
    figure = draw_comparison(comparison)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["mean squared error", "b", "mean absolute error", "b"]
    assert [len(lines(axes, "loss")) for axes in figure.axes] == [2, 0, 2, 0]


def test_several_features_have_losses_alone() -> None:
    data = library.read_observations(
        str(SAMPLES / "greenhouse.csv"), features=["light", "water", "warmth"], keep_rows=True
    )
    figure = draw_comparison(library.compare(data, lr=[0.01, 0.1], batch_size=[8, None], epochs=30))
    (losses,) = figure.axes
    assert len(lines(losses, "loss")) == 4
    assert "start" not in legend(figure)


def test_without_an_intercept_there_is_no_plane() -> None:
    data = observations_from([1.0, 2.0], [2.0, 4.0], intercept=False)
    figure = draw_comparison(library.compare(data, lr=[0.01, 0.1], epochs=30))
    assert len(figure.axes) == 1


@pytest.mark.parametrize(
    ("x", "y"),
    [([2.0], [3.0]), ([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]), ([1.0, 2.0], [0.0, 0.0]), ([0.0], [0.0])],
    ids=["one observation", "constant target", "zeros", "nothing"],
)
@pytest.mark.parametrize("epochs", [1, 300])
def test_odd_data_is_drawn_without_a_warning(x: list[float], y: list[float], epochs: int) -> None:
    comparison = library.compare(observations_from(x, y), lr=[0.01, 0.1, 1e9], epochs=epochs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw_comparison(comparison)
        figure.draw_without_rendering()


def test_the_command_draws(gdfit: Gdfit, tmp_path: Path) -> None:
    for name in ("runs.png", "runs.svg", "again.svg"):
        result = gdfit("compare", LECTURE, "--lr", "0.01,0.1", "--plot", name, "--format", "csv")
        assert (result.status, result.err) == (0, "")
    with Image.open(tmp_path / "runs.png") as picture:
        assert picture.width == 1600
    assert Path("runs.svg").read_bytes() == Path("again.svg").read_bytes()


def test_a_long_run_is_thinned(lecture: Observations) -> None:
    comparison = library.compare(lecture, lr=[0.001, 0.01], epochs=20_000)
    losses, _ = draw_comparison(comparison).axes
    for line in lines(losses, "loss"):
        epochs = np.asarray(line.get_xdata())
        assert len(epochs) <= 2001
        assert {1, 2, 3, 20_000} <= set(epochs.tolist())


def test_eight_runs_with_long_names_are_numbered(lecture: Observations) -> None:
    options: dict[str, Any] = {"lr": [0.01, 0.1], "optimizer": ["gd", "momentum"]}
    options["scale"] = ["none", "standardize"]
    figure = draw_comparison(library.compare(lecture, epochs=30, **options))
    figure.draw_without_rendering()
    assert sorted(ends(figure.axes[0])) == list("12345678")
    assert all(f"{rank}: lr " in name for rank, name in enumerate(legend(figure)[:8], 1))
    for text in figure.axes[0].texts:
        assert Text.get_window_extent(text).x0 > figure.axes[0].bbox.x1


def test_a_zigzag_is_drawn_whole(lecture: Observations) -> None:
    # Just below the limit, w swings from side to side: at each place both sides are drawn.
    comparison = library.compare(lecture, lr=[0.329], epochs=8000)
    line = lines(draw_comparison(comparison).axes[0], "loss")[0]
    epochs = np.asarray(line.get_xdata())
    for start in np.geomspace(1, 6000, 60):
        near = epochs[(epochs >= start) & (epochs < 1.02 * start + 3)]
        assert {0, 1} <= set((near % 2).tolist())


def test_runs_that_stand_still_end_the_axis(lecture: Observations) -> None:
    comparison = library.compare(lecture, lr=[0.1, 0.3], scale=["standardize"], epochs=1000)
    axes = draw_comparison(comparison).axes[0]
    assert axes.get_xlim()[1] < 100
    assert "to 1,000" in axes.get_xlabel()


def test_one_panel_of_the_picture(gdfit: Gdfit) -> None:
    options = ["compare", LECTURE, "--lr", "0.1,0.2", "--plot", "p.svg", "--panel"]
    texts = {}
    for panel in ("all", "loss", "path"):
        assert gdfit(*options, panel).status == 0
        texts[panel] = Path("p.svg").read_text()
    assert "lr 0.1" in texts["path"]  # in the legend, as there are no ends of lines
    shown = {name: (("epoch by epoch" in text), (">w<" in text)) for name, text in texts.items()}
    assert shown == {"all": (True, True), "loss": (True, False), "path": (False, True)}


def test_a_panel_that_is_not_there_is_told(gdfit: Gdfit) -> None:
    Path("d.csv").write_text("a,b,y\n1,2,3\n2,1,5\n4,4,4\n5,1,2\n")
    options = ["compare", "d.csv", "--lr", "0.01,0.02", "--panel", "path"]
    none = gdfit(*options, "--plot", "p.png")
    assert (none.status, none.err.count("\n")) == (2, 1)
    assert "--panel path is for one feature and b; there is --panel loss" in none.err
    assert "--panel has no effect here: it is for --plot" in gdfit(*options).err
    assert not Path("p.png").exists()
