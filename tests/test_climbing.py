"""Pictures of runs that diverge: they explain it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conftest import SAMPLES
from drawn import called, labels, picture_of, points, several
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.show.pictures.drawing import picture_number

HOUSES = SAMPLES / "houses.csv"


def test_a_run_that_diverges_is_explained() -> None:
    fit, steps, figure = picture_of(read_observations(str(HOUSES)), lr=0.01)
    assert fit.status == "diverged"
    steepest, loss, fitted, path = figure.axes
    assert fit.curvature
    times = 0.01 / fit.curvature.max_stable_lr
    assert f"--lr 0.01 is {times:.3g} times the limit 2/λmax" in figure.get_suptitle()

    factor = 1 - 0.01 * fit.curvature.lambda_max
    assert steepest.get_title().endswith(f"1 − γλmax = {picture_number(factor)}")
    (parabola,) = [line for line in steepest.get_lines() if "½λmax" in str(line.get_label())]
    along, heights = points(parabola).T
    np.testing.assert_allclose(
        heights, fit.curvature.minimum_loss + fit.curvature.lambda_max / 2 * along**2
    )
    # Start, epoch 1, and where the way to epoch 2 leaves the picture.
    (start, first, leaving) = points(called(steepest, "steps"))
    assert first[0] == pytest.approx(factor * start[0])
    assert first[1] == pytest.approx(np.interp(first[0], along, heights), rel=1e-3)
    assert start[1] < first[1] < leaving[1] == pytest.approx(heights.max())

    assert points(called(loss, "loss")).tolist() == [[step.epoch, step.loss] for step in steps]
    assert (loss.get_xscale(), loss.get_yscale()) == ("linear", "log")
    assert labels(fitted) == ["observations", "start", "epoch 1"]
    assert "diverged after 4 epochs" in fitted.get_title()
    low, high = fitted.get_ylim()
    assert low < points(called(fitted, "epoch 1"))[:, 1].max() < high
    assert "the path leaves at epoch 1" in path.get_title()
    assert len(points(called(path, "path"))) == 2


def modes_of(axes: Any) -> list[Any]:
    """The lines of eigenvectors, the steepest first."""
    return [points(line)[:, 1] for line in axes.get_lines() if line.get_gid() == "mode"]


@pytest.mark.parametrize("lr", [0.05, 0.32, 0.335])
def test_each_mode_falls_at_its_own_rate(lr: float) -> None:
    fit, _, figure = picture_of(panel="modes", lr=lr, init=[0, 0.9], epochs=25)
    (axes,) = figure.axes
    assert fit.curvature
    for distances, eigenvalue in zip(modes_of(axes), fit.curvature.eigenvalues, strict=True):
        np.testing.assert_allclose(distances[1:] / distances[:-1], abs(1 - lr * eigenvalue))
    told = [text.get_text() for text in axes.texts]
    assert told[0].startswith(f"steepest, λ = 6.08: × {1 - lr * 6.07777:.3g}".replace("-", "−"))
    assert told[1].startswith("flattest, λ = 0.342: × 0.")
    words = {0.05: "Along its floor slopes are small", 0.32: "γ is near its limit"}
    assert words.get(lr, "A direction climbs where γ is") in figure.get_supxlabel()


@pytest.mark.parametrize(
    ("options", "title", "words"),
    [
        ({"lr": 0.05}, "each eigenvector the error falls at its own", "floor slopes are small"),
        ({"lr": 0.05, "schedule": "cosine"}, "falls at its own rate", "floor slopes are small"),
        ({"lr": 0.05, "optimizer": "momentum"}, "falls together", "direction is\nleft behind"),
        ({"lr": 0.01, "optimizer": "nesterov", "momentum": 0.1}, "its own rate", "arrives last"),
        ({"lr": 0.9, "optimizer": "momentum"}, "The error along each", "A direction climbs"),
        ({"lr": 0.4}, "The error along each eigenvector", "A direction climbs"),
        ({"lr": 0.05, "optimizer": "adam"}, "The error along each", "With adam what happens"),
        ({"optimizer": "cg"}, "The error along each", "With cg what happens"),
        ({"lr": 0.05, "l1": 0.01}, "The error along each", "With the threshold what happens"),
        ({"lr": 0.05, "batch_size": 5}, "The error along each", "With mini-batches what happens"),
        ({"lr": 0.05, "scale": "standardize"}, "falls alike", "The valley is round"),
    ],
)
def test_what_the_modes_do_is_told_by_the_case(
    options: dict[str, Any], title: str, words: str
) -> None:
    _, _, figure = picture_of(panel="modes", epochs=25, **options)
    assert title in figure.axes[0].get_title()
    assert words in figure.get_supxlabel()


def test_modes_of_many_features_of_a_penalty_and_of_classes() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 12)) * np.geomspace(1, 30, 12)
    data = observations_from(x, x @ random.normal(size=12) + random.normal(size=60))
    for options in ({"optimizer": "momentum"}, {"optimizer": "cg"}, {"l1": 0.1, "lr": 0.001}):
        fit, _, figure = picture_of(data, panel="modes", **options)
        (axes,) = figure.axes
        assert len(modes_of(axes)) == 7
        assert "×" not in axes.texts[0].get_text()
        assert fit.arrived is not None
    classes = observations_from(x[:, :2], x[:, 0] + random.normal(size=60) > 0, classes=True)
    fit, _, figure = picture_of(classes, panel="modes", loss="logistic", l2=0.01)
    assert len(modes_of(figure.axes[0])) == 3


def test_the_title_says_what_rate_and_how_it_falls() -> None:
    titles: dict[str, dict[str, Any]] = {
        "The loss: cg": {"optimizer": "cg"},
        "The loss: gd, lr 0.1, cosine": {"lr": 0.1, "schedule": "cosine"},
        "The loss: adam, lr 0.1": {"lr": 0.1, "optimizer": "adam"},
    }
    for title, options in titles.items():
        _, _, figure = picture_of(panel="loss", **options)
        assert figure.axes[0].get_title() == title


def test_a_slow_divergence_is_drawn_to_its_end() -> None:
    fit, _, figure = picture_of(lr=0.335, init=[0, 0.9], epochs=25)
    steepest, _, _, path = figure.axes
    assert fit.status == "diverged"
    assert fit.curvature
    distances = points(called(steepest, "steps"))[:, 0]
    factor = 1 - 0.335 * fit.curvature.lambda_max
    np.testing.assert_allclose(distances[1:] / distances[:-1], factor)
    assert len(distances) == 26
    assert len(points(called(path, "path"))) == 26
    assert "leaves" not in path.get_title()


def test_several_features_diverge() -> None:
    fit, _, figure = picture_of(several(3), lr=2.0)
    assert fit.status == "diverged"
    steepest, _, fitted, params = figure.axes
    assert "mostly w_a_feature" in steepest.get_xlabel()
    assert "drawn after epoch 1" in fitted.get_title()
    assert "until epoch" in params.get_title()


@pytest.mark.parametrize(
    "options", [{"optimizer": "momentum", "lr": 1.5}, {"batch_size": 5, "lr": 2.0}, {"lr": 1e120}]
)
def test_what_has_no_limit_is_not_explained_by_one(options: dict[str, Any]) -> None:
    fit, _, figure = picture_of(**options)
    assert fit.status == "diverged"
    assert figure.get_suptitle()
    assert len(figure.axes) == 3
