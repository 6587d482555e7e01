"""How functions of submissions are called, and the numbers in what they return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from gdfit.analysis.calling import (
    LECTURE,
    MOST_NUMBERS,
    ChangedError,
    assigned,
    called,
    forms,
    is_of_b,
    numbers,
    params_in,
    put_right,
    returned,
)

CASE: dict[str, Any] = {"x": [1.0, 2, 4], "y": [2.0, 3, 9], "w": 1.5, "b": -0.5, "lr": 0.1}
CASE["epochs"] = [1, 2]


@pytest.mark.parametrize(
    ("name", "source", "roles"),
    [
        ("model", "lambda x, w, b: 0", {"x": "x", "w": "w", "b": "b"}),
        ("model", "lambda b, x, w: 0", {"b": "b", "x": "x", "w": "w"}),
        ("model", "lambda q, r, s: 0", {"q": "x", "r": "w", "s": "b"}),
        ("model", "lambda X, params: 0", {"X": "x", "params": "params"}),
        ("model", "lambda x, slope, intercept: 0", {"x": "x", "slope": "w", "intercept": "b"}),
        ("loss_fn", "lambda y_true, y_pred: 0", {"y_true": "y", "y_pred": "y_hat"}),
        ("loss_fn", "lambda a, b_: 0", {"a": "y_hat", "b_": "y"}),
        ("loss_fn", "lambda a, target, n: 0", {"target": "y", "n": "epochs", "a": "y_hat"}),
        ("grad_fn", "lambda x, y, w, b: 0", {"x": "x", "y": "y", "w": "w", "b": "b"}),
        (
            "grad_fn",
            "lambda x, t, yhat, w, b: 0",
            {"x": "x", "t": "y", "yhat": "y_hat", "w": "w", "b": "b"},
        ),
        (
            "training_loop",
            "lambda n_epochs, learning_rate, params, x, y, verbose=True: 0",
            {"n_epochs": "epochs", "learning_rate": "lr", "params": "params", "x": "x", "y": "y"},
        ),
        (
            "training_loop",
            "lambda n, eta, theta, x, y, verbose: 0",
            {"n": "epochs", "eta": "lr", "theta": "params", "x": "x", "y": "y", "verbose": "quiet"},
        ),
        ("model", "lambda *args: 0", {"x": "x", "w": "w", "b": "b"}),
    ],
)
def test_params_are_known_by_their_names_or_places(
    name: str, source: str, roles: dict[str, str]
) -> None:
    assert assigned(eval(source), name) == roles


def test_places_may_be_taken_for_names() -> None:
    assert assigned(lambda b, x, w: 0, "model", in_order=True) == {"b": "x", "x": "w", "w": "b"}


def test_arguments_go_by_name_or_place() -> None:
    values = {"x": 1, "w": 2, "b": 3}

    def by_place(x: int, /, w: int, *, b: int) -> list[int]:
        return [x, w, b]

    assert called("model", by_place, assigned(by_place, "model"), values) == [1, 2, 3]
    starred: Any = lambda *args: [*args]  # noqa: E731
    assert called("model", starred, assigned(starred, "model"), values) == [1, 2, 3]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1, [1.0]),
        ((1, [2, 3.5]), [1, 2, 3.5]),
        (np.array([[1.0], [2]]), [1, 2]),
        (torch.tensor([1.0, 2], requires_grad=True), [1, 2]),
        (pd.Series([3, 4]), [3, 4]),
        ({"b": 1, "w": 2}, [2, 1]),
        ({"intercept": 1, "slope": 2}, [2, 1]),
        ({"grad_b": 1, "grad_w": 2}, [2, 1]),
        (None, None),
        ((1, None), None),
        ([], []),
    ],
)
def test_numbers_in_a_value(value: Any, found: Any) -> None:
    assert numbers(value) == found


def test_what_has_no_numbers_is_told() -> None:
    for value in ("3", object()):
        with pytest.raises(TypeError, match="and no numbers"):
            numbers(value)
    assert numbers([0.0] * MOST_NUMBERS) is not None
    with pytest.raises(ValueError, match="it returns 1,000,001 numbers"):
        numbers([0.0] * (MOST_NUMBERS + 1))


def test_what_is_of_b() -> None:
    assert [is_of_b(key) for key in ("b", "db", "b0", "c", "Bias", "intercept", "w", "a")] == [
        *[True] * 6,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        # All of it, its first two, its last, the first, the second and the third.
        ((1.0, 2.0), [[1, 2], [1, 2], None, None, None, None]),
        ([1.0, 2.0], [[1, 2], [1, 2], None, None, None, None]),
        (([1.0, 2.0], [5.0, 4, 3]), [[1, 2, 5, 4, 3], None, None, [1, 2], None, None]),
        (([5.0, 4, 3], [1.0, 2.0]), [[5, 4, 3, 1, 2], None, None, None, [1, 2], [1, 2]]),
        ([[0.0, 0], [1.0, 2]], [[0, 0, 1, 2], None, [1, 2], [0, 0], [1, 2], None]),
        ((1.0, 2.0, [9.0, 8]), [[1, 2, 9, 8], [1, 2], None, None, None, [9, 8]]),
        ({"w": 1.0, "b": 2.0, "loss": 3.0}, [[1, 2], [1, 2], None, None, None, None]),
        ({"params": [1.0, 2.0], "losses": [1]}, [[1, 2], None, [1, 2], [1, 2], None, None]),
        (None, [None] * 6),
    ],
)
def test_where_params_may_be(value: Any, found: list[Any]) -> None:
    assert params_in(value) == found


def each_form(text: str) -> list[type]:
    return [type(form([1.0, 2.0])) for form in forms(text)]


def test_forms_of_lists() -> None:
    assert each_form("")[0] is np.ndarray
    assert each_form("import torch")[0] is torch.Tensor
    array, *_ = forms("")
    assert array([1, 2]).dtype == np.float64
    assert array(3) == 3.0
    double, single, *_ = forms("torch")
    assert (double([1.0]).dtype, single([1.0]).dtype) == (torch.float64, torch.float32)
    shapes = [np.shape(form([1.0, 2.0])) for form in forms("")]
    assert (2, 1) in shapes
    assert pd.Series in each_form("")
    assert [*forms("")][-1]([1.0]) == [1.0]


def array_form(value: Any) -> Any:
    return np.array(value, dtype=float)[()]


def test_what_each_function_is_called_with() -> None:
    def loss_fn(y_hat: Any, y: Any) -> Any:
        return ((y_hat - y) ** 2).mean()

    def loop(n_epochs: int, lr: float, params: Any, x: Any, y: Any) -> Any:
        return [n_epochs, lr * params[1] * x[2] * y[0]]

    def grad_fn(x: Any, y: Any, y_hat: Any, w: Any, b: Any) -> Any:
        return [w, b, y_hat[1], x[0] * y[2]]

    def changing(y_hat: Any, y: Any) -> Any:
        y_hat -= y
        return y_hat.mean()

    def ask(name: str, function: Any, form: Any = array_form) -> Any:
        return returned(name, function, assigned(function, name), CASE, form)

    assert ask("loss_fn", loss_fn) == [4.5]
    assert ask("grad_fn", grad_fn) == [1.5, -0.5, 2.5, 9.0]
    first, second = ask("training_loop", loop)
    assert first[0] == pytest.approx([1, 0.1 * -0.5 * 4 * 2])
    assert second[0] == pytest.approx([2, 0.1 * -0.5 * 4 * 2])
    with pytest.raises(ChangedError, match="it changes y_hat"):
        ask("loss_fn", changing)
    *_, by_itself = forms("")
    assert ask("model", lambda x, w, b: w * x + b if x < 3 else 0.0, by_itself) == [1.0, 2.5, 0.0]
    assert ask("loss_fn", lambda y_hat, y, n: sum(y_hat) / n) == [3.0]


X, Y = np.array([1.0, 2, 4]), np.array([2.0, 3, 9])
RIGHT: dict[str, tuple[Any, Any]] = {
    "model": (lambda x, w, b: 0 * x, [1.0, 2.5, 5.5]),
    "dmodel_dw": (lambda x, w, b: 0 * x, [1.0, 2, 4]),
    "dmodel_db": (lambda x, w, b: 0, [1.0]),
    "loss_fn": (lambda y_hat, y: 0, [4.5]),
    "dloss_fn": (lambda y_hat, y: 0 * y, [-2.0, -1, -7]),
    "grad_fn": (lambda x, y, y_hat, w, b: (0, 0), [-32 / 3, -10 / 3]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_function_takes_the_place_of_one(name: str) -> None:
    original, expected = RIGHT[name]
    right = put_right(original, name)
    values: dict[str, Any] = {"x": X, "y": Y, "y_hat": 1.5 * X - 0.5, "w": 1.5, "b": -0.5}
    arguments = [values[role] for role in LECTURE[name].split()]
    assert numbers(right(*arguments)) == pytest.approx(expected)
    lists = [each.tolist() if isinstance(each, np.ndarray) else each for each in arguments]
    made = right(*lists) if name not in ("model", "dmodel_dw", "dloss_fn") else None
    if made is None:
        listed: Any = {
            "model": lambda x, w, b: [0.0] * 3,
            "dmodel_dw": lambda x, w, b: [0.0] * 3,
            "dloss_fn": lambda y_hat, y: [0.0] * 3,
        }[name]
        made = put_right(listed, name)(*lists)
        assert isinstance(made, list)
    assert numbers(made) == pytest.approx(expected)


def test_a_right_gradient_is_of_the_same_kind() -> None:
    arguments = (X, Y, 1.5 * X - 0.5, 1.5, -0.5)
    expected = [-32 / 3, -10 / 3]
    kinds: list[Any] = [
        (0.0, 0.0),
        [0.0, 0.0],
        {"db": 0.0, "dw": 0.0},
        np.zeros((2, 1)),
        torch.zeros(1, 2),
    ]
    for kind in kinds:
        made = put_right(lambda x, y, y_hat, w, b, kind=kind: kind, "grad_fn")(*arguments)
        assert type(made) is type(kind)
        assert numbers(made) == pytest.approx(expected, rel=1e-6)
        if hasattr(kind, "shape"):
            assert made.shape == kind.shape
    of_params = put_right(lambda x, y, params: (0.0, 0.0), "grad_fn")
    assert numbers(of_params(X, Y, [1.5, -0.5])) == pytest.approx(expected)
    without = put_right(lambda x, y, w, b: (0.0, 0.0), "grad_fn")
    assert numbers(without(X, y=Y, w=1.5, b=-0.5)) == pytest.approx(expected)
