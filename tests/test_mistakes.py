"""Known mistakes make the numbers that are worked out here, and are recognized by them."""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from gdfit.analysis import mistakes
from gdfit.analysis.coursework import Case, known_mistake, mistake_in
from gdfit.analysis.mistakes import Mistake, how_many_times, known_mistakes
from gdfit.arrays import FloatArray, are_same

# x = 1, 2, 4; y = 2, 3, 9; w = 1.5, b = −0.5: ŷ = 1, 2.5, 5.5, and ŷ − y = −1, −0.5, −3.5.
X, Y, PARAMS = np.array([1.0, 2, 4]), np.array([2.0, 3, 9]), np.array([1.5, -0.5])
Y_HAT = np.array([1.0, 2.5, 5.5])
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "model": (X, 1.5, -0.5),
    "dmodel_dw": (X, 1.5, -0.5),
    "dmodel_db": (X, 1.5, -0.5),
    "loss_fn": (Y_HAT, Y),
    "dloss_fn": (Y_HAT, Y),
    "grad_fn": (X[:, np.newaxis], Y, Y_HAT, PARAMS),
}

# By the name of a mistake, what each of the mistakes that are called so makes.
MADE: dict[str, dict[str, list[list[float]]]] = {
    "model": {
        "no b": [[1.5, 3, 6]],
        "no w": [[0.5, 1.5, 3.5]],
        "w and b swapped": [[1, 0.5, -0.5]],
        "x forgotten": [[1, 1, 1]],
        "brackets": [[0.75, 2.25, 5.25]],
        "sign": [[-2, -3.5, -6.5]],
        "integer division": [[1, 2, 5]],
        "rounded": [[1, 2, 6], *([[1, 2.5, 5.5]] * 4)],
    },
    "dmodel_dw": {"w for x": [[1.5] * 3], "1 for x": [[1] * 3], "w times x": [[1.5, 3, 6]]},
    "dmodel_db": {"b for 1": [[-0.5] * 3], "x for 1": [[1, 2, 4]], "0 for 1": [[0] * 3]},
    "loss_fn": {
        "half": [[2.25]],
        "double": [[9]],
        "sign": [[-4.5]],
        "mean twice": [[1.5]],
        "n − 1": [[6.75]],
        "MAE": [[5 / 3]],
        "RMSE": [[math.sqrt(4.5)]],
        "no square": [[-5 / 3]],
        "square of the mean": [[25 / 9]],
        "n × n": [[142.5 / 9]],
        "sum of ŷ + y": [[249.5 / 3]],
        "no mean": [[13.5], *([[1, 0.25, 12.25]] * 2)],
        "one left out": [[1.25 / 2], [12.5 / 2], [1.25 / 3], [12.5 / 3]],
        "one alone": [[12.25], [12.25 / 3], [1], [1 / 3]],
        "integer division": [[4]],
        "rounded": [[4], *([[4.5]] * 4)],
    },
    "dloss_fn": {
        "no factor 2": [[-1, -0.5, -3.5]],
        "factor 2 twice": [[-4, -2, -14]],
        "no mean": [[-6, -3, -21]],
        "mean twice": [[-2 / 3, -1 / 3, -7 / 3]],
        "n − 1": [[-3, -1.5, -10.5]],
        "sign": [[2, 1, 7]],
        "mean too early": [[-10 / 3]],
        "MAE": [[-1, -1, -1]],
        "absolute value": [[2, 1, 7]],
        "not derived": [[1, 0.25, 12.25]],
        "not derived and factor 2": [[2, 0.5, 24.5]],
        "y forgotten": [[2, 5, 11]],
        "brackets": [[0, 2, 2]],
        "sum of ŷ + y": [[6, 11, 29]],
        "RMSE": [[-1 / 4.5**0.5, -0.5 / 4.5**0.5, -3.5 / 4.5**0.5]],
    },
    "grad_fn": {
        "no factor 2": [[-16 / 3, -5 / 3]],
        "factor 2 twice": [[-64 / 3, -20 / 3]],
        "no mean": [[-32, -10], [-2, -2, -28, -2, -1, -7], [-2, -2, -2, -1, -28, -7]],
        "mean twice": [[-32 / 9, -10 / 9]],
        "n − 1": [[-16, -5]],
        "sign": [[32 / 3, 10 / 3]],
        "MAE": [[-7 / 3, -1]],
        "absolute value": [[32 / 3, 10 / 3]] * 3,
        "not derived": [[50.5 / 3, 4.5]],
        "not derived and factor 2": [[101 / 3, 9]],
        "y forgotten": [[56 / 3, 6]],
        "brackets": [[4, 4 / 3]],
        "sum of ŷ + y": [[48, 46 / 3]],
        "RMSE": [[-16 / 3 / 4.5**0.5, -5 / 3 / 4.5**0.5]],
        "x forgotten": [[-10 / 3, -10 / 3]],
        "gradient of b missing": [[-32 / 3, 0]],
        "gradient of w missing": [[0, -10 / 3]],
        "x in the gradient of b": [[-32 / 3, -32 / 3]],
        "w and b swapped": [[-10 / 3, -32 / 3]],
        "w for x": [[-5, -10 / 3]],
        "b for 1": [[-32 / 3, 5 / 3]],
        "mean of x apart, or n × n": [[-70 / 9, -10 / 3]],
        "x squared": [[-118 / 3, -10 / 3]],
        "no mean for w": [[-32, -10 / 3]],
        "no mean for b": [[-32 / 3, -10]],
        "no factor 2 for w": [[-16 / 3, -10 / 3]],
        "no factor 2 for b": [[-32 / 3, -5 / 3]],
        "sign of w": [[32 / 3, -10 / 3]],
        "sign of b": [[-32 / 3, 10 / 3]],
        "n × n": [[-28 / 9, -10 / 3]],
        "one left out": [[-2, -1.5], [-15, -4], [-4 / 3, -1], [-10, -8 / 3]],
        "one alone": [[-28, -7], [-28 / 3, -7 / 3], [-2, -2], [-2 / 3, -2 / 3]],
        "integer division": [[-11, -4]],
        "rounded": [
            [-11, -3],
            [-10.7, -3.3],
            [-10.67, -3.33],
            [-10.667, -3.333],
            [-10.6667, -3.3333],
        ],
    },
}


@pytest.mark.parametrize("name", MADE)
def test_each_makes_what_it_says(name: str) -> None:
    found: dict[str, list[FloatArray]] = {}
    for mistake in known_mistakes(name):
        with np.errstate(all="ignore"):
            made = np.asarray(mistake.function(*ARGUMENTS[name])).ravel()
        found.setdefault(mistake.name, []).append(made)
    for called, expected in MADE[name].items():
        assert [each.tolist() for each in found[called]] == [
            pytest.approx(each, rel=1e-12) for each in expected
        ], called
    others = found.keys() - MADE[name].keys()
    assert all(" and " in each or each == "batch mean of means" for each in others)


FACTORS = {
    "sign": -1.0,
    "no mean": 3.0,
    "mean twice": 1 / 3,
    "n − 1": 1.5,
    "no factor 2": 0.5,
    "factor 2 twice": 2.0,
    "half": 0.5,
    "double": 2.0,
}


@pytest.mark.parametrize("name", ["loss_fn", "dloss_fn", "grad_fn"])
def test_several_factors_are_multiplied(name: str) -> None:
    """A name of several parts says one mistake, or none, and after it factors of each kind."""
    right = np.ravel(mistakes.RIGHT[name](*ARGUMENTS[name]))
    seen = set()
    for mistake in known_mistakes(name):
        parts = mistake.name.split(" and ")
        factors = [part for part in parts if part in FACTORS and mistake.name not in MADE[name]]
        first = " and ".join(part for part in parts if part not in factors)
        if not factors or (first and (first not in MADE[name] or len(MADE[name][first]) > 1)):
            continue
        times = math.prod(FACTORS[each] for each in factors)
        expected = times * (np.array(MADE[name][first][0]) if first else right)
        made = np.ravel(mistake.function(*ARGUMENTS[name]))
        assert made.tolist() == pytest.approx(expected.tolist(), rel=1e-12), mistake.name
        if mistake.factor:
            assert mistake.factor(3) == pytest.approx(times)
        seen.add(mistake.name)
    two = ("half", "double") if name == "loss_fn" else ("no factor 2", "factor 2 twice")
    kinds = product(("", "sign"), ("", "no mean", "mean twice", "n − 1"), ("", *two))
    combined = {" and ".join(filter(None, parts)) for parts in kinds}
    assert {each for each in combined if " and " in each} <= seen


def test_the_likeliest_come_first() -> None:
    names = [each.name for each in mistakes.with_factors("gradient", mistakes.grad_fn)]
    assert len(names) == len({*names}) == 2 * 4 * 3 - 1
    counts = [name.count(" and ") for name in names]
    assert all(one <= next_one for one, next_one in pairwise(counts))


# After 1 and 2 epochs at γ = 0.1. ∇L is (−32/3, −10/3) at the start and (5.8222…, 2.3111…) after
# a right step, which leads to (2.5667, −0.1667) and (1.9844, −0.3978).
STEPS: dict[str, list[list[float]]] = {
    "gradient added": [[0.433333, -0.833333, -2.282222, -1.731111]],
    "no learning rate": [[12.166667, 2.833333, -142.055556, -50.277778]],
    "learning rate squared": [[1.606667, -0.466667, 1.696844, -0.438978]],
    "sequential update": [
        [2.566667, -0.664444, 2.216741, -0.632701],
        [2.411111, -0.166667, 2.120642, -0.325185],
    ],
    "b not updated": [[2.566667, -0.5, 2.14, -0.5]],
    "w not updated": [[1.5, -0.166667, 1.5, 0.1]],
    "ŷ not renewed": [[2.566667, -0.166667, 3.633333, 0.166667]],
    "one epoch alone": [[2.566667, -0.166667, 2.566667, -0.166667]],
    "no update": [[1.5, -0.5, 1.5, -0.5]],
    "gradients add up": [[2.566667, -0.166667, 3.051111, -0.064444]],
    "params not kept": [[1.066667, 0.333333, 1.284444, 0.368889]],
    "one epoch too many": [[1.984444, -0.397778, 2.325185, -0.310963]],
    "params before in place of after": [[1.5, -0.5, 2.566667, -0.166667]],
    "update after each observation": [[3.804, 0.216, 3.62688, -0.49248]],
    "update after each batch of 2": [[3.74, 0.16, 1.8268, -0.6928]],
}


def loops() -> dict[str, list[list[float]]]:
    """By name, what the loops of known mistakes make in two epochs."""
    found: dict[str, list[list[float]]] = {}
    for mistake in known_mistakes("training_loop"):
        made = np.asarray(mistake.function(2, 0.1, PARAMS, X[:, np.newaxis], Y))
        assert made.shape == (3, 2)
        found.setdefault(mistake.name, []).append(made[1:].ravel().tolist())
    return found


def test_wrong_loops_make_what_they_say() -> None:
    found = loops()
    for name, expected in STEPS.items():
        assert found[name] == [pytest.approx(each, abs=1e-6) for each in expected], name
    right = mistakes.training_loop(2, 0.1, PARAMS, X[:, np.newaxis], Y)
    first, second = (np.array([-32 / 3, -10 / 3]), np.array([5.82222222, 2.31111111]))
    assert right[1] == pytest.approx(PARAMS - 0.1 * first)
    assert right[2] == pytest.approx(PARAMS - 0.1 * first - 0.1 * second)
    assert found["rounded"][:5] == [
        pytest.approx(each, abs=1e-6)
        for each in (
            [3, 0, 2, 0],
            [2.6, -0.2, 2.0, -0.4],
            [2.57, -0.17, 1.98, -0.4],
            [2.567, -0.167, 1.984, -0.398],
            [2.5667, -0.1667, 1.9844, -0.3978],
        )
    ]


def test_a_loop_may_have_any_wrong_gradient() -> None:
    found = loops()
    for mistake in known_mistakes("grad_fn"):
        history = [PARAMS]
        for _ in range(2):
            y_hat = X * history[-1][0] + history[-1][1]
            with np.errstate(all="ignore"):
                grad = mistake.function(X[:, np.newaxis], Y, y_hat, history[-1])
            history.append(history[-1] - 0.1 * np.ravel(grad)[:2])
        made = np.array(history)[1:].ravel().tolist()
        assert pytest.approx(made, rel=1e-9, nan_ok=True) in found[mistake.name]


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 32, 64])
def test_batches_follow_each_other_and_the_last_is_smaller(size: int) -> None:
    random = np.random.default_rng(size)
    x, y = random.normal(1, 1, (2, 2 * size + 1))
    y_hat, columns = 1.3 * x - 0.2, x[:, np.newaxis]
    rows = [slice(at, at + size) for at in (0, size, 2 * size)]
    losses = [((y_hat[part] - y[part]) ** 2).mean() for part in rows]
    assert made_by("loss_fn", f"batches of {size} ", y_hat, y) == pytest.approx(np.mean(losses))
    slopes = 2 * (y_hat - y)
    parts = [[(slopes[part] * x[part]).mean(), slopes[part].mean()] for part in rows]
    made = made_by("grad_fn", f"batches of {size} ", columns, y, y_hat, PARAMS)
    assert made.tolist() == pytest.approx(np.mean(parts, axis=0).tolist())
    at = np.array([1.3, -0.2])
    for part in rows:
        left = 2 * (at[0] * x[part] + at[1] - y[part])
        at = at - 0.01 * np.array([(left * x[part]).mean(), left.mean()])
    (loop,) = (
        each
        for each in known_mistakes("training_loop")
        if each.name == f"update after each batch of {size}"
    )
    history = loop.function(1, 0.01, np.array([1.3, -0.2]), columns, y)
    assert history[1].tolist() == pytest.approx(at.tolist())


def made_by(name: str, tells: str, *arguments: Any) -> FloatArray:
    """What the first mistake makes whose sentence begins so."""
    (first, *_) = (each for each in known_mistakes(name) if each.tells.startswith(tells))
    return np.asarray(first.function(*arguments))


@pytest.mark.parametrize(
    ("ratio", "told"),
    [
        (25, "is 25 times too large"),
        (0.5, "is 2 times too small"),
        (-1, "is the negative of what it should be"),
        (-2, "is negative, and 2 times too large"),
        (-0.25, "is negative, and 4 times too small"),
        (1.5, "is 1.5 times too large"),
    ],
)
def test_how_many_times(ratio: float, told: str) -> None:
    assert how_many_times(ratio) == told


def test_factors_are_told_of_the_number_of_rows() -> None:
    told = {each.name: each.told(25) for each in known_mistakes("loss_fn")}
    assert told["no mean and half"] == (
        "no mean and half: your loss is 12.5 times too large: the mean over the observations is "
        "missing and half the mean of the squares is another loss"
    )
    assert told["n − 1"].startswith("n − 1: your loss is 1.042 times too large: it is divided")
    assert told["sign and mean twice"].startswith(
        "sign and mean twice: your loss is negative, and 25 times too small: the sign is wrong"
    )
    assert told["MAE"] == "MAE: it is of |ŷ − y|: square it"
    assert told["MAE and sign"] == (
        "MAE and sign: it is of |ŷ − y|: square it; and the sign is wrong: it is of ŷ − y, and not "
        "of y − ŷ"
    )


def cases() -> list[Case]:
    """Two, of different numbers of rows."""
    random = np.random.default_rng(11)
    made: list[Case] = []
    for name, count, lr in (("one", 9, 0.02), ("two", 7, 0.03)):
        x, y = random.normal(1, 1.5, (2, count))
        params = np.array([-1.3, 2.6]) + len(made)
        made.append(Case(name, x, 2 * x + y, params, lr, (1, 2, 10)))
    return made


@pytest.mark.parametrize("name", [*MADE, "training_loop"])
def test_each_is_recognized_by_what_it_makes(name: str) -> None:
    """Or another before it is that makes the same."""
    given = cases()
    right = [part for case in given for part in case.made_by(name, mistakes.RIGHT[name])]
    found: list[tuple[Mistake, list[FloatArray]]] = []
    for mistake in known_mistakes(name):
        made = [part for case in given for part in case.made_by(name, mistake.function)]
        if name == "training_loop" and are_same(made, right, 1e-9):
            continue
        found.append((mistake, made))
    alone = [each for each in found if " and " not in each[0].name]
    for mistake, made in alone[:: 1 + len(alone) // 20]:
        if not all(np.isfinite(part).all() for part in made) or are_same(made, right, 1e-4):
            continue
        told = known_mistake(name, given, made, 1e-9)
        if name == "grad_fn" and len(made[0]) == 1:
            assert told is None
            continue
        same = [each.told(9) for each, others in found if are_same(others, made, 1e-9)]
        assert told == same[0]
        assert mistake.told(9) in same
        assert mistake_in(name, given, made, 1e-9) is not None
    assert known_mistake(name, given, [part + 0.123 for part in right], 1e-9) is None


def test_which_wrong_losses_may_have_factors_too() -> None:
    names = [each.name for each in known_mistakes("loss_fn")]
    for first in ("MAE", "RMSE", "no square"):
        assert f"{first} and sign" in names
    assert "square of the mean and sign" not in names
    assert names.index("half") < names.index("sign and half") < names.index("MAE")
