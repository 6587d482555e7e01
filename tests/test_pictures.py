"""Pictures: what was drawn is read back from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from drawn import called, labels, panel_of, picture_of, points, several
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.loop import Step
from gdfit.descent.settings import Scale
from gdfit.show.pictures.drawing import VERMILION, picture_number
from gdfit.show.pictures.trace import KEPT_EPOCHS, PAIRS, Trace


def test_one_feature() -> None:
    fit, steps, figure = picture_of(lr=0.01, epochs=500)
    fitted, loss, path = figure.axes
    x, y = fit.observations.sample.T
    (scattered,) = fitted.collections
    assert np.asarray(scattered.get_offsets()).tolist() == np.column_stack([x, y]).tolist()
    assert (fitted.get_xlabel(), fitted.get_ylabel()) == ("x", "y")
    w, b = fit.model.params
    equation = f"y = {picture_number(w)} x + {picture_number(b)}"
    assert labels(fitted) == ["observations", "epoch 1", "epoch 10", "epoch 100", equation]
    ends, heights = points(called(fitted, equation)).T
    assert heights == pytest.approx(w * ends + b)

    epochs, losses = points(called(loss, "loss")).T
    assert epochs.tolist() == list(range(1, 501))
    assert losses.tolist() == [step.loss for step in steps]
    assert fit.curvature
    least = fit.curvature.minimum_loss
    assert points(called(loss, f"minimum {picture_number(least)}"))[0, 1] == pytest.approx(least)
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "mean squared error")
    assert loss.get_yscale() == "log"

    assert (path.get_xlabel(), path.get_ylabel()) == ("w", "b")
    walked = points(called(path, "path"))
    assert walked.tolist() == [[0.0, 0.0], *(step.params.tolist() for step in steps)]
    assert to_hex(called(path, "path").get_color()) == VERMILION.lower()
    for name, place in (("start", [0.0, 0.0]), ("minimum", fit.curvature.minimum.tolist())):
        assert points(called(path, name)).tolist() == [place]
        assert path.get_xlim()[0] < place[0] < path.get_xlim()[1]
        assert path.get_ylim()[0] < place[1] < path.get_ylim()[1]


def test_epochs_on_the_path_have_the_colours_of_their_lines() -> None:
    _, steps, figure = picture_of(lr=0.01, epochs=500)
    fitted, _, path = figure.axes
    for epoch, name in ((1, "epoch 1"), (10, "10"), (100, "100"), (500, "500")):
        dot = called(path, name)
        assert points(dot).tolist() == [steps[epoch - 1].params.tolist()]
        if epoch < 500:
            line = called(fitted, f"epoch {epoch}")
            assert line.get_color() == dot.get_color()
            ends, heights = points(line).T
            w, b = steps[epoch - 1].params
            assert heights == pytest.approx(w * ends + b)
    drawn = [text.get_text() for text in path.texts]
    assert sorted(drawn) == sorted(["start", "epoch 1", "10", "100", "500", "minimum"])


def test_epochs_that_are_in_one_place_are_one_dot() -> None:
    _, _, figure = picture_of(lr=0.5, scale="standardize")
    drawn = {text.get_text() for text in figure.axes[2].texts}
    assert drawn == {"start", "epochs 1 to 1,000", "minimum"}


@pytest.mark.parametrize("scale", ["none", "standardize", "whiten"])
def test_the_level_sets_are_those_of_the_loss(scale: Any) -> None:
    fit, path = panel_of("path", lr=0.1, epochs=50, scale=scale)
    filled: Any = path.collections[0]
    levels = filled.levels
    assert levels[0] == 0
    assert (np.diff(levels) > 0).all()
    # On the contour of a level, the loss is so much above the least one in the window.
    outline: Any = path.collections[1]
    assert fit.curvature
    for level, contour in list(zip(outline.levels, outline.get_paths(), strict=True))[-4:]:
        vertices = np.asarray(contour.vertices)
        for params in vertices[:: max(1, len(vertices) // 5)]:
            in_data = fit.scaling.to_data(params) if fit.scaling else params
            residuals = fit.observations.design @ in_data - fit.observations.target
            above = residuals @ residuals / 25 - fit.curvature.minimum_loss
            assert above == pytest.approx(level, rel=0.05)


@pytest.mark.parametrize("scale", ["standardize", "whiten"])
def test_a_round_valley_looks_round(scale: Any) -> None:
    fit, path = panel_of("path", lr=0.1, scale=scale)
    assert fit.curvature
    assert fit.curvature.condition_number == pytest.approx(1)
    outline: Any = path.collections[1]
    vertices = np.concatenate([contour.vertices for contour in outline.get_paths()[:-6]])
    centre = path.transData.transform(fit.curvature.minimum)
    away = np.linalg.norm(path.transData.transform(vertices) - centre, axis=1)
    for contour in outline.get_paths()[5:10]:
        pixels = path.transData.transform(np.asarray(contour.vertices))
        away = np.linalg.norm(pixels - centre, axis=1)
        assert away.min() > 3
        assert np.ptp(away) < 0.03 * away.max() + 1


def test_validation_is_drawn_apart() -> None:
    held_out = observations_from([0.5, 1.5], [0.4, 0.7])
    _, steps, figure = picture_of(lr=0.01, epochs=50, validation=held_out)
    fitted, loss, _ = figure.axes
    (name,) = [label for label in labels(loss) if label.startswith("validation loss, ")]
    losses = points(called(loss, name))[:, 1]
    assert losses.tolist() == [step.validation_loss for step in steps]
    assert name == f"validation loss, {picture_number(losses[-1])} in the end"
    low, high = loss.get_ylim()
    assert low < losses.min() <= losses.max() < high
    observed, validated = fitted.collections
    assert np.asarray(validated.get_offsets()).tolist() == held_out.sample.tolist()
    colours: list[Any] = [part.get_edgecolor() for part in (observed, validated)]
    assert to_hex(colours[0][0]) != to_hex(colours[1][0])
    assert labels(fitted)[:2] == ["observations", "validation"]

    data = several(3)
    fit, fitted = panel_of("fit", data, validation=several(3, rows=5))
    assert fit.validation
    offsets = np.asarray(fitted.collections[1].get_offsets())
    predicted = fit.model.predict(fit.validation.sample[:, :-1])
    np.testing.assert_allclose(offsets, np.column_stack([fit.validation.sample[:, -1], predicted]))


def test_several_features() -> None:
    data = several()
    fit, steps, figure = picture_of(data, epochs=400, lr=0.05)
    fitted, _, params = figure.axes
    *x, y = data.sample.T
    (scattered,) = fitted.collections
    drawn = np.asarray(scattered.get_offsets())
    np.testing.assert_allclose(drawn, np.column_stack([y, fit.model.predict(np.column_stack(x))]))
    assert fitted.get_xlabel() == "observed a_target"
    assert fitted.get_ylabel() == "predicted a_target"
    curves = params.get_lines()
    assert len(curves) == 9
    for place, curve in enumerate(curves):
        path = [0.0, *(float(step.params[place]) for step in steps)]
        assert points(curve)[:, 1].tolist() == path
    assert len({(to_hex(curve.get_color()), curve.get_linestyle()) for curve in curves}) == 9
    for text, curve in zip(params.texts, curves, strict=True):
        assert to_hex(text.get_color()) == to_hex(curve.get_color())
    names = [text.get_text() for text in params.texts]
    assert names == [*(f"w_a_feature_w…_a_long_name_{place}" for place in range(8)), "b"]


def test_names_are_those_of_the_table() -> None:
    data = observations_from(np.eye(3, 2), [1.0, 2, 3], ["light", "$t"], "y")
    _, params = panel_of("path", data)
    assert [text.get_text() for text in params.texts] == ["w_light", r"w_\$t", "b"]


def test_of_many_features_a_dozen_is_named() -> None:
    data = several(40, rows=200)
    fit, params = panel_of("path", data)
    sizes = np.abs(fit.model.params[:-1]) * data.sample[:, :-1].std(axis=0)
    names = [text.get_text() for text in params.texts]
    assert [int(name.rpartition("_")[2]) for name in names[:-2]] == sorted(np.argsort(-sizes)[:12])
    assert names[-2:] == ["b", "and 28 others"]
    (bundle,) = params.collections
    assert isinstance(bundle, LineCollection)
    assert len(bundle.get_segments()) == 28


def test_which_features_count_does_not_depend_on_their_units() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(100, 20)) * np.where(np.arange(20) < 12, 1.0, 1e-3)
    data = observations_from(x, x[:, :12].sum(axis=1) + 20 * x[:, 12:].sum(axis=1))
    _, params = panel_of("path", data, lr=0.05)
    names = [text.get_text() for text in params.texts]
    assert names == [*(f"w_x{place}" for place in range(1, 13)), "b", "and 8 others"]


@pytest.mark.parametrize("scale", ["none", "standardize", "whiten"])
def test_params_are_drawn_in_the_datas_own_units(scale: Scale) -> None:
    fit, params = panel_of("path", several(3), scale=scale, lr=0.1)
    ends = [points(curve)[-1, 1] for curve in params.get_lines()]
    np.testing.assert_allclose(ends, fit.model.params, rtol=1e-3, atol=1e-9)
    assert params.get_ylabel() == "param, in the data's units"
    far = observations_from(several(3).sample[:, :-1] * [1, 1e4, 1e-4], several(3).sample[:, -1])
    fit, params = panel_of("path", far, scale="standardize", lr=0.1)
    ends = [points(curve)[-1, 1] for curve in params.get_lines()]
    np.testing.assert_allclose(ends, fit.model.params, rtol=1e-3, atol=1e-9)
    assert params.get_yscale() == "symlog"
    low, high = params.get_ylim()
    assert low < min(ends) <= max(ends) < high


@pytest.mark.parametrize("factor", [1e-3, 0.2, 1.0, 5.0, 300.0])
@pytest.mark.parametrize("scale", ["none", "standardize"])
def test_level_sets_have_equal_axes_or_say_so(factor: float, scale: Scale) -> None:
    x, y = factor * (1 + np.arange(9.0)), 3 + np.sin(np.arange(9.0))
    _, axes = panel_of("path", observations_from(x, y), scale=scale)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    apart = (right - left) / axes.bbox.width / ((high - low) / axes.bbox.height)
    equal = apart == pytest.approx(1, rel=0.03)
    assert equal or not 1 / 20 < apart < 20
    assert equal != ("different scales" in axes.get_title())


def test_a_run_goes_on_counting() -> None:
    first = picture_of(lr=0.01, epochs=150)[0]
    fit, _, figure = picture_of(lr=0.01, epochs=20, init=first.model)
    fitted, loss, path = figure.axes
    epochs = points(called(loss, "loss"))[:, 0]
    assert epochs.tolist() == list(range(151, 171))
    assert fitted.get_title() == "The fit after 170 epochs"
    assert {"start to epoch 151", "160", "170"} <= {text.get_text() for text in path.texts}
    assert fit.start_state.epochs == 150


@pytest.mark.parametrize("data", [None, several(3)])
def test_epochs_in_which_nothing_happens_are_left_out(data: Observations | None) -> None:
    fit, steps, figure = picture_of(data, scale="standardize", lr=0.1, epochs=5000)
    loss, path = figure.axes[1:]
    shown = points(called(loss, "loss"))
    assert shown[-1, 0] < 500  # of features that depend on each other, more
    assert loss.get_xlabel() == "epoch (no change from there to 5,000)"
    assert shown[-1, 1] == pytest.approx(fit.loss, rel=1e-3)
    assert len(steps) > 1000
    if data:
        assert path.get_xlim()[1] == shown[-1, 0]
    # What goes down to the end is drawn to the end.
    _, loss = panel_of("loss", lr=1e-4, epochs=5000)
    assert points(called(loss, "loss"))[-1, 0] == 5000


def test_the_steepest_panel_has_no_loss_below_0() -> None:
    for rate in (0.35, 0.7, 3.0):
        _, axes = panel_of("steepest", lr=rate, epochs=40)
        assert axes.get_ylim()[0] >= 0


def test_the_loss_says_where_it_was_cut() -> None:
    data = observations_from([1e120, 2e120, 3e120], [1.0, 2, 4])
    with np.errstate(over="ignore"):
        _, loss = panel_of("loss", data, lr=0.1, epochs=3)
    assert "cut at epoch 2: above 10²⁰⁰" in loss.get_ylabel()
    perfect = observations_from([1.0, 2, 3], [3.0, 5, 7])
    _, loss = panel_of("loss", perfect, lr=0.1, epochs=5000)
    assert "below 10⁻²⁷ is rounding" in loss.get_ylabel()
    assert loss.get_ylim()[0] == pytest.approx(1e-27)
    _, loss = panel_of("loss", perfect, lr=0.1, epochs=50)
    assert loss.get_ylabel() == "mean squared error"


@pytest.mark.parametrize("scale", ["none", "standardize"])
def test_a_constant_target_is_not_magnified(scale: Any) -> None:
    x = np.arange(8.0)
    data = observations_from(x, np.full(8, 5.1))
    _, _, figure = picture_of(data, scale=scale, epochs=5000)
    assert np.ptp(figure.axes[0].get_ylim()) > 1
    if scale == "standardize":
        assert labels(figure.axes[0])[-1] == "y = 0 x + 5.1"
    _, fitted = panel_of("fit", observations_from(np.column_stack([x, x**2]), np.full(8, 5.1)))
    assert np.ptp(fitted.get_ylim()) > 1
    assert np.ptp(fitted.get_xlim()) > 1


def test_a_target_that_varies_far_from_zero_is_seen_to_vary() -> None:
    data = observations_from([1.0, 2, 3], [1e12 + 3, 1e12 + 7, 1e12 + 8])
    _, fitted = panel_of("fit", data)
    assert np.ptp(fitted.get_ylim()) < 20


@pytest.mark.parametrize(("value", "text"), [
    (0.0, "0"), (0.30108, "0.3011"), (-0.5, "−0.5"), (40176.4, "40,176"), (1e-5, "10⁻⁵"),
    (1.25e26, "1.25·10²⁶"), (-2e7, "−2·10⁷"), (np.inf, "∞"),
])  # fmt: skip
def test_numbers(value: float, text: str) -> None:
    assert picture_number(value) == text


def test_a_long_path_is_thinned_where_it_can_not_be_seen() -> None:
    trace = Trace()
    for epoch in range(1, 100_001):
        status = "completed" if epoch == 100_000 else None
        zeros = np.zeros(2)
        trace.step(Step(epoch, 1.0, zeros, zeros, None, zeros, {}, status))
    epochs = np.array([step.epoch for step in trace.steps])
    assert epochs[:KEPT_EPOCHS].tolist() == list(range(1, KEPT_EPOCHS + 1))
    assert {1000, 10_000, 100_000} < set(epochs.tolist())
    assert len(epochs) < KEPT_EPOCHS + 2 * PAIRS * 8 + 10
    # Nowhere is there a gap that could be seen, and there are always pairs, so that a zigzag shows.
    assert (epochs[1:] / epochs[:-1])[KEPT_EPOCHS:].max() < 1 + 1 / PAIRS
    assert (np.diff(epochs)[KEPT_EPOCHS:] == 1).sum() > len(epochs[KEPT_EPOCHS:]) / 3


def test_the_sample_is_named(tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    file.write_text("x,y\n" + "".join(f"{x % 97},{x % 89}\n" for x in range(5000)))
    _, fitted = panel_of("fit", read_observations(str(file)))
    assert labels(fitted)[0] == "observations (2,000 of 5,000 drawn)"
