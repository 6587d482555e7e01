"""Pictures of fits that are not a plain line: of terms, without b, weighted, and of numbers beyond
all measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from conftest import LECTURE
from drawn import called, labels, panel_of, picture_of, points, several, traced
from gdfit.choices import Panel
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.show.pictures.drawing import picture_number
from gdfit.show.pictures.figure import draw


def test_powers_of_a_column_are_drawn_as_a_curve() -> None:
    fit, fitted = panel_of("fit", read_observations(str(LECTURE), degree=3))
    x, y = read_observations(str(LECTURE)).sample.T
    (scattered,) = fitted.collections
    assert np.asarray(scattered.get_offsets()).tolist() == np.column_stack([x, y]).tolist()
    along, heights = points(called(fitted, "the fit")).T
    assert (along[0], along[-1]) == (x.min(), x.max())
    *w, b = fit.model.params
    np.testing.assert_allclose(heights, np.polyval([*reversed(w), b], along))
    assert (fitted.get_xlabel(), fitted.get_ylabel()) == ("x", "y")


def test_the_line_through_one_observation_has_its_slope() -> None:
    _, fitted = panel_of("fit", observations_from([2.0], [3.0]), lr=0.1)
    assert "y = 1.2 x + 0.6" in labels(fitted)


def test_names_from_right_to_left_do_not_turn_the_formula() -> None:
    data = observations_from([1.0, 2, 3], [2.0, 4, 7], ["عمر"], "שכר")
    fit, fitted = panel_of("fit", data)
    (w,), b = fit.model.w, fit.model.b
    formula = f"\u2068שכר\u2069 = {picture_number(w)} \u2068عمر\u2069 − {picture_number(-b)}"
    assert labels(fitted)[-1] == formula
    assert fitted.get_xlabel() == "\u2068عمر\u2069"


def test_a_function_of_a_column_is_an_axis() -> None:
    _, fitted = panel_of("fit", read_observations(str(LECTURE), features="log(x)"))
    x, y = read_observations(str(LECTURE)).sample.T
    (scattered,) = fitted.collections
    offsets = np.asarray(scattered.get_offsets())
    np.testing.assert_allclose(offsets, np.column_stack([np.log(x), y]))
    assert fitted.get_xlabel() == "log(x)"


@pytest.mark.parametrize("options", [{"lr": 0.05}, {"lr": 0.05, "loss": "mae"}, {}])
def test_without_b_the_loss_is_drawn_over_w(options: dict[str, Any]) -> None:
    data = read_observations(str(LECTURE), intercept=False, keep_rows=True)
    fit, steps, figure = picture_of(data, epochs=50, **options)
    fitted, _, curve = figure.axes
    assert labels(fitted)[-1] == f"y = {picture_number(fit.model.params[0])} x"
    walked, losses = points(called(curve, "path")).T
    assert walked.tolist() == [0.0, *(step.params[0] for step in steps)]
    assert losses[:-1] == pytest.approx([step.loss for step in steps])
    x, y = data.sample.T
    error = np.abs if options.get("loss") else np.square
    for along, loss in points(called(curve, "loss"))[::40].tolist():
        w = fit.scaling.to_data(np.array([along, 0]))[0] if fit.scaling else along
        assert loss == pytest.approx(error(w * x - y).mean())


def test_without_b_none_is_drawn() -> None:
    data = observations_from(np.eye(4, 2) + 1, [1.0, 2, 3, 4], intercept=False)
    _, params = panel_of("path", data)
    assert [text.get_text() for text in params.texts] == ["w_x1", "w_x2"]
    assert len(params.get_lines()) == 2


def test_level_sets_are_those_of_the_weighted_loss() -> None:
    x, y, weights = np.random.default_rng(0).uniform(size=(3, 40))
    data = observations_from(x, y, weights=weights)
    _, path = panel_of("path", data, loss="mae", lr=0.01, epochs=50)
    outline: Any = path.collections[1]
    levels = dict(zip(outline.levels, outline.get_paths(), strict=True))
    losses = {
        level: [
            weights @ np.abs(w * x + b - y) / weights.sum() for w, b in contour.vertices.tolist()
        ]
        for level, contour in list(levels.items())[-4:]
    }
    # All are the same on a level set, and from one to another they differ as the levels do.
    least = min(np.mean(values) - level for level, values in losses.items())
    for level, values in losses.items():
        assert values == pytest.approx([level + least] * len(values), rel=0.01)


PANELS: tuple[Panel, ...] = ("all", "fit", "loss", "path", "steepest")
EXTREMES: dict[str, tuple[Any, dict[str, Any]]] = {
    "a start beyond all measure": (None, {"init": [1e250, 0], "lr": 0.1, "epochs": 3}),
    "a start far away": (several(2), {"init": [1e150, 0, 0], "lr": 0.1, "epochs": 3}),
    "nothing but zeros": (observations_from([0.0, 0], [0.0, 0]), {"epochs": 3}),
    "columns of zeros": (observations_from(np.zeros((3, 2)), [1.0, 2, 3]), {"lr": 0.1}),
    "a large target": (observations_from([1.0, 2], [1e200, 3e200]), {"epochs": 3}),
    "tiny numbers": (observations_from([1e-300, 2e-300], [1e-300, 3e-300]), {"lr": 0.1}),
    "a learning rate beyond all measure": (several(2), {"lr": 1e300}),
    "validation beyond all measure": (
        None,
        {"lr": 0.1, "epochs": 3, "validation": observations_from([1e200], [1.0])},
    ),
}


@pytest.mark.parametrize("case", EXTREMES)
def test_extremes_can_be_drawn(case: str) -> None:
    data, options = EXTREMES[case]
    with np.errstate(all="ignore"):
        fit, steps = traced(data, **options)
        for panel in PANELS:
            canvas: Any = FigureCanvasAgg(draw(fit, steps, panel))
            canvas.draw()
