"""Pictures of two classes: the curve, the line between them, their probabilities, and the ROC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from conftest import LECTURE, Gdfit
from drawn import called, labels, panel_of, picture_of, points, traced, two_classes
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.compare import compare
from gdfit.model.links import sigmoid
from gdfit.show.pictures.charts import charts, in_one_text
from gdfit.show.pictures.comparison import draw_comparison
from gdfit.show.pictures.drawing import picture_number
from gdfit.show.pictures.path import loss_over


def offsets(axes: Axes) -> dict[str, np.ndarray]:
    """The dots of each group, by its label."""
    return {
        str(dots.get_label()): np.asarray(dots.get_offsets())
        for dots in axes.collections
        if not str(dots.get_label()).startswith("_")
    }


def test_one_feature_is_a_curve_over_the_dots() -> None:
    fit, _, figure = picture_of(two_classes(), loss="logistic", epochs=300)
    fitted, loss, path = figure.axes
    w, b = fit.model.params
    equation = f"P(passed = yes) = σ({picture_number(w)} x0 − {picture_number(-b)})"
    x, heights = points(called(fitted, equation)).T
    assert len(x) > 100
    np.testing.assert_allclose(heights, sigmoid(w * x + b), rtol=1e-9)
    assert "epoch 1" in labels(fitted)
    crossing = points(called(fitted, "crossing"))
    np.testing.assert_allclose(crossing[:, 0], -b / w, rtol=1e-3)
    assert points(called(fitted, "half")).tolist() == [crossing[-1].tolist()]
    assert crossing[-1, 1] == 0.5
    assert f"½ at {picture_number(crossing[0, 0])}" in [text.get_text() for text in fitted.texts]
    assert (fitted.get_xlabel(), fitted.get_ylabel()) == ("x0", "P(passed = yes)")
    seen, y = offsets(fitted), fit.observations.sample[:, -1]
    for label, one in (("passed = yes", 1), ("passed = no", 0)):
        own = fit.observations.sample[y == one]
        np.testing.assert_allclose(seen[label][:, 0], own[:, 0])
        beyond = (seen[label][:, 1] - one) * (1 if one else -1)
        assert (beyond > 0).all()  # beside the curve, and not on it
        assert (beyond < 0.15).all()
        assert len({*seen[label][:, 1].round(6).tolist()}) > len(own) / 2
    low, high = fitted.get_ylim()
    ticks = [tick for tick in fitted.get_yticks() if low <= tick <= high]
    assert min(ticks) == 0
    assert max(ticks) == 1
    assert loss.get_ylabel() == "log loss"
    assert fit.minimum_loss
    assert points(called(loss, f"minimum {picture_number(fit.minimum_loss)}"))[0, 1] == (
        pytest.approx(fit.minimum_loss)
    )
    assert fit.curvature
    assert points(called(path, "minimum")).tolist() == [fit.curvature.minimum.tolist()]


@pytest.mark.parametrize("scale", ["none", "standardize"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_level_sets_are_of_the_loss_and_no_parabola(scale: Any, weighted: bool) -> None:
    data = two_classes()
    weights = np.random.default_rng(0).uniform(0.5, 2, 80) if weighted else None
    x, y = data.sample[:, :-1], data.sample[:, -1]
    data = observations_from(x, y, weights=weights, classes=True)
    fit, path = panel_of("path", data, loss="logistic", lr=0.1, epochs=20, scale=scale)
    outline: Any = path.collections[1]
    curvature = fit.curvature
    assert curvature
    contour = outline.get_paths()[-2].vertices
    expected = []
    for params in contour[:: len(contour) // 7]:
        w, b = fit.scaling.to_data(params) if fit.scaling else params
        z = w * x[:, 0] + b
        expected.append(np.average(np.logaddexp(0, z) - y * z, weights=weights))
    np.testing.assert_allclose(loss_over(fit, *contour[:: len(contour) // 7].T), expected)
    assert np.ptp(expected) < 0.05 * (np.mean(expected) - curvature.minimum_loss)


def test_two_features_are_a_plane_with_the_line_between_the_classes() -> None:
    data, held_out = two_classes(2), two_classes(2, 20)
    fit, fitted = panel_of("fit", data, loss="logistic", epochs=300, validation=held_out)
    border = points(called(fitted, "P(passed = yes) = ½"))
    np.testing.assert_allclose(border @ fit.model.w + fit.model.b, 0, atol=1e-9)
    (left, right), (low, high) = fitted.get_xlim(), fitted.get_ylim()
    assert left - 1e-9 <= border[:, 0].min() <= border[:, 0].max() <= right + 1e-9
    assert low - 1e-9 <= border[:, 1].min() <= border[:, 1].max() <= high + 1e-9
    assert (fitted.get_xlabel(), fitted.get_ylabel()) == ("x0", "x1")
    every = offsets(fitted)
    before = {"": data, "validation: ": held_out}
    for name, part in before.items():
        for label, one in (("yes", 1), ("no", 0)):
            own = part.sample[part.sample[:, -1] == one, :-1]
            assert every[f"{name}passed = {label}"].tolist() == own.tolist()
    assert len(every) == 4


def test_what_is_made_of_two_numbers_has_a_curve_between_the_classes() -> None:
    random = np.random.default_rng(1)
    a, b = random.uniform(-2, 2, (2, 300))
    inside = np.where(a**2 + b**2 + random.normal(0, 0.6, 300) < 1.5, "in", "out")
    frame = pd.DataFrame({"a": a, "b": b, "where": inside})
    data = observations_from(frame, target="where", degree=2, classes=True)
    fit, fitted = panel_of("fit", data, loss="logistic", epochs=500)
    ring = points(called(fitted, "P(where = out) = ½"))
    probabilities = fit.predict(pd.DataFrame(ring, columns=["a", "b"]))
    np.testing.assert_allclose(probabilities, 0.5, atol=0.01)
    assert ring[0].tolist() == ring[-1].tolist()
    assert (fitted.get_xlabel(), fitted.get_ylabel()) == ("a", "b")


@pytest.mark.parametrize("features", ["log(a),b", "a,kind"])
def test_terms_have_a_curve_between_the_classes(features: str) -> None:
    random = np.random.default_rng(3)
    a, b = random.uniform(1e-3, 1, (2, 200))
    kind = np.where(random.random(200) < 0.5, "new", "old")
    inside = np.where(np.log(a) + b + random.normal(0, 1, 200) > -0.5, "in", "out")
    frame = pd.DataFrame({"a": a, "b": b, "kind": kind, "where": inside})
    data = observations_from(frame, features=features.split(","), target="where", classes=True)
    fit, fitted = panel_of("fit", data, loss="logistic", epochs=500)
    border = points(called(fitted, "P(where = out) = ½"))
    first = np.log(border[:, 0]) if "log" in features else border[:, 0]
    z = first * fit.model.w[0] + border[:, 1] * fit.model.w[1] + fit.model.b
    assert np.abs(z).max() < 0.05
    labels_of = (fitted.get_xlabel(), fitted.get_ylabel())
    assert labels_of == (("a", "b") if "log" in features else ("a", "kind[old]"))


def test_a_line_that_is_not_between_the_classes_is_said_to_be_out_of_the_picture() -> None:
    data = two_classes(2, steep=0.1, shift=3.0)
    _, fitted = panel_of("fit", data, loss="logistic", epochs=100)
    assert "P(passed = yes) = ½ (out of the picture)" in labels(fitted)


def test_several_features_are_probabilities_and_the_roc() -> None:
    data, held_out = two_classes(4, 200), two_classes(4, 60)
    fit, _, figure = picture_of(data, loss="logistic", epochs=300, validation=held_out)
    fitted, loss, roc, params = figure.axes
    assert loss.get_ylabel() == "log loss"
    assert params.get_title() == "The params"
    y, p = data.sample[:, -1], fit.predict(data.sample[:, :-1])
    edges, heights = points(called(fitted, "passed = yes")).T
    counts = [((p >= low) & (p < high) & (y == 1)).sum() for low, high in pairs(edges)]
    np.testing.assert_allclose(heights[:-1], np.array(counts) / (y == 1).sum(), atol=0.02)
    for name in ("passed = yes", "passed = no", "validation: passed = yes"):
        assert points(called(fitted, name))[:-1, 1].sum() == pytest.approx(1)
    assert fitted.get_xlabel() == "P(passed = yes)"

    for part, name in ((data, "observations"), (held_out, "validation")):
        y, p = part.sample[:, -1], fit.predict(part.sample[:, :-1])
        over = p[y == 1][:, np.newaxis] - p[y == 0]
        area = (over > 0).mean() + (over == 0).mean() / 2
        curve = points(called(roc, f"{name}: area {picture_number(area)}"))
        assert np.trapezoid(curve[:, 1], curve[:, 0]) == pytest.approx(area, abs=2e-3)
        assert curve[[0, -1]].tolist() == [[0, 0], [1, 1]]
        half = [(p[y == one] >= 0.5).mean() for one in (0, 1)]
        dots = [points(line)[0] for line in roc.get_lines() if line.get_gid() == "half"]
        assert min(np.abs(dot - half).max() for dot in dots) < 1e-9
    assert roc.get_xlabel() == "passed = no: part taken for yes"
    assert roc.get_ylabel() == "passed = yes: part taken for yes"


def pairs(edges: np.ndarray) -> list[tuple[float, float]]:
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def test_the_roc_of_one_feature_is_a_panel() -> None:
    fit, roc = panel_of("roc", two_classes(), loss="logistic", epochs=50)
    y, z = fit.observations.sample[:, -1], fit.observations.sample[:, 0]
    area = (z[y == 1][:, np.newaxis] > z[y == 0]).mean()
    assert f"observations: area {picture_number(area)}" in labels(roc)


def test_the_roc_is_of_all_rows_where_few_are_drawn() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=(20_000, 3))
    y = random.random(20_000) < 1 / (1 + np.exp(5 - x @ [1, 0.5, 0]))  # a rare class
    data = observations_from(x, y.astype(float), classes=True)
    fit, _, figure = picture_of(data, loss="logistic", epochs=100)
    p = fit.predict(x)
    order = p.argsort()
    ranks = np.empty(len(p))
    ranks[order] = np.arange(1, len(p) + 1)
    ones = y.sum()
    area = (ranks[y].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones))
    assert f"observations: area {picture_number(area)}" in labels(figure.axes[2])
    assert "(2,000 of 20,000 drawn)" in labels(figure.axes[0])[0]
    curve = points(called(figure.axes[2], f"observations: area {picture_number(area)}"))
    assert len(curve) <= 1001


def test_roc_is_for_classes(gdfit: Gdfit, tmp_path: Path) -> None:
    result = gdfit("train", LECTURE, "--plot", tmp_path / "p.png", "--panel", "roc")
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        "gdfit: error: --panel roc is for two classes, which --loss logistic tells apart\n"
    )


SEPARABLE = observations_from(np.arange(8.0), [0.0] * 4 + [1.0] * 4, classes=True)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (SEPARABLE, {}),
        (SEPARABLE, {"lr": 1e6, "epochs": 30}),
        (two_classes(), {"lr": 3000.0, "epochs": 30}),
        (two_classes(2), {"lr": 3000.0, "epochs": 30}),
        (two_classes(3), {"lr": 3000.0, "epochs": 30}),
        (two_classes(1, 4), {"l2": 0.1}),
        (observations_from([1.0, 2, 3], [1.0, 1, 1], classes=True), {}),
        (observations_from(np.eye(4), [1.0, 1, 1, 1], classes=True), {}),
    ],
)
def test_odd_classes_are_drawn_without_a_warning(
    data: Observations, options: dict[str, Any]
) -> None:
    for panel in ("all", "roc"):
        picture_of(data, panel, loss="logistic", **{"epochs": 20, **options})


def test_the_chart_has_the_curve() -> None:
    fit, steps = traced(two_classes(), loss="logistic", epochs=50)
    fitted = in_one_text(charts(fit, steps, 80), colour=False).partition("\n\n")[2]
    assert "P(passed = yes) against x0" in fitted
    assert "⠒⠒ P(passed = yes) = σ(" in fitted
    rows = [row.partition("│")[2] for row in fitted.splitlines() if "│" in row]
    firsts = [
        min(place for place, sign in enumerate(row) if "⠀" < sign < "⣿")
        for row in rows
        if any("⠀" < sign < "⣿" for sign in row)
    ]
    assert firsts == sorted(firsts, reverse=True)  # it rises,
    steps_right = -np.diff(firsts)
    assert steps_right.max() >= 2 * np.median(steps_right)  # and not in a line


def test_paths_of_several_scales_are_over_the_loss_of_the_features_as_they_are() -> None:
    comparison = compare(
        two_classes(), loss="logistic", epochs=50, lr=0.1, scale=["none", "standardize"]
    )
    _, paths = draw_comparison(comparison).axes
    x, y = comparison.fits[0].observations.sample.T
    (w, b) = points(called(paths, "minimum"))[0]
    wrong = sigmoid(w * x + b) - y
    assert abs(wrong.mean()) < 1e-9
    assert abs((wrong * x).mean()) < 1e-9


def test_the_line_of_a_quantile_and_its_minimum() -> None:
    fit, _, figure = picture_of(loss="quantile", quantile=0.9, epochs=300)
    fitted, loss, _ = figure.axes
    w, b = fit.model.params
    line = points(called(fitted, f"y = {picture_number(w)} x + {picture_number(b)}"))
    np.testing.assert_allclose(line[:, 1], w * line[:, 0] + b)
    assert loss.get_ylabel() == "quantile loss, τ = 0.9"
    assert fit.minimum_loss
    assert f"minimum {picture_number(fit.minimum_loss)}" in labels(loss)
