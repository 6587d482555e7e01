"""Known mistakes in the lecture's functions: each an entry with a name, a sentence that helps, and
the function that makes it.

x has shape (n, p), y and ŷ have (n,), and params θ = (w₁…w_p, b). A gradient may be made of a wrong
derivative, be wrong in a part, or be put together wrongly; a loop may have any wrong gradient; and
any value may have wrong factors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from gdfit.analysis.calling import dloss_fn, loss_fn, model
from gdfit.arrays import FloatArray

DIAGNOSED = 20_000  # rows, or rows of all epochs, at most that known mistakes are tried on
Makes = Callable[..., Any]


@dataclass(frozen=True)
class Mistake:
    """A mistake, how it is told, and what it makes of a function's arguments.

    factor : by which it is wrong for n observations, which is told in the place of {times}.
    """

    name: str
    tells: str
    function: Makes
    factor: Callable[[int], float] | None = None

    def told(self, count: int) -> str:
        """The mistake in words, of so many observations."""
        factor = how_many_times(self.factor(count)) if self.factor else ""
        return f"{self.name}: {self.tells.format(times=factor)}"


def how_many_times(ratio: float) -> str:
    """How many times too large something is, in words."""
    size = abs(ratio)
    if np.isclose(size, 1):
        return "is the negative of what it should be"
    negative = "negative, and " if ratio < 0 else ""
    return f"is {negative}{max(size, 1 / size):.4g} times too {'large' if size > 1 else 'small'}"


def squares(y_hat: FloatArray, y: FloatArray) -> FloatArray:
    """(ŷ − y)² of each observation."""
    return (y_hat - y) ** 2


def grad_fn(x: FloatArray, y: FloatArray, y_hat: FloatArray, params: FloatArray) -> FloatArray:
    """The gradient of the loss, shape (p+1,)."""
    return np.asarray(of_each(x, dloss_fn(y_hat, y)).mean(axis=0))


def of_each(x: FloatArray, slopes: FloatArray) -> FloatArray:
    """∂ℓ/∂ŷ·x and ∂ℓ/∂ŷ of each observation, shape (n, p+1)."""
    return np.column_stack([slopes[:, np.newaxis] * x, slopes])


def training_loop(
    epochs: int,
    lr: float,
    params: FloatArray,
    x: FloatArray,
    y: FloatArray,
    gradient: Makes = grad_fn,
) -> FloatArray:
    """Gradient descent: the params after 0, 1, 2 … epochs, shape (epochs + 1, p + 1)."""
    history = [params]
    for _ in range(epochs):
        grad = gradient(x, y, predicted(x, history[-1]), history[-1])
        history.append(history[-1] - lr * np.resize(grad, params.shape))
    return np.array(history)


def predicted(x: FloatArray, params: FloatArray) -> FloatArray:
    """ŷ = Xw + b."""
    return np.asarray(x @ params[:-1] + params[-1])


RIGHT: Mapping[str, Makes] = {
    "model": model,
    "loss_fn": loss_fn,
    "dloss_fn": dloss_fn,
    "dmodel_dw": lambda x, w, b: x,
    "dmodel_db": lambda x, w, b: np.ones_like(x),
    "grad_fn": grad_fn,
    "training_loop": training_loop,
}

# Factors of n observations that are missing or too much, of three kinds that go together.
Factors = Mapping[str, tuple[Callable[[int], float], str]]
NONE: Factors = {"": (lambda n: 1.0, "")}
SIGN: Factors = {"sign": (lambda n: -1.0, "the sign is wrong: it is of ŷ − y, and not of y − ŷ")}
MEAN: Factors = {
    "no mean": (lambda n: n, "the mean over the observations is missing"),
    "mean twice": (lambda n: 1 / n, "it is divided by their number once too often"),
    "n − 1": (lambda n: n / (n - 1), "it is divided by n − 1, and not by n"),
}
TWO: Factors = {
    "no factor 2": (lambda n: 0.5, "the factor 2 of the derivative of a square is missing"),
    "factor 2 twice": (lambda n: 2.0, "the factor 2 is there twice"),
}
HALF: Factors = {
    "half": (lambda n: 0.5, "half the mean of the squares is another loss"),
    "double": (lambda n: 2.0, "it is twice the mean of the squares"),
}


def with_factors(what: str, function: Makes, two: Factors = TWO) -> Iterator[Mistake]:
    """A function whose value, which is called so, has one wrong factor, or several."""

    def wrong(by: Callable[[int], float], *arguments: Any) -> Any:
        return by(len(arguments[0])) * function(*arguments)

    kinds = product(*({**NONE, **kind}.items() for kind in (SIGN, MEAN, two)))
    for parts in sorted(kinds, key=lambda parts: sum(bool(name) for name, _ in parts)):
        names = " and ".join(name for name, _ in parts if name)
        tells = " and ".join(why for _, (_, why) in parts if why)
        factors = [of for _, (of, _) in parts]

        def factor(n: int, factors: list[Callable[[int], float]] = factors) -> float:
            return float(np.prod([of(n) for of in factors]))

        if names:
            yield Mistake(names, f"your {what} {{times}}: {tells}", partial(wrong, factor), factor)


def also_with_factors(first: Mistake) -> Iterator[Mistake]:
    """A mistake together with wrong factors."""
    for more in with_factors("", first.function):
        tells = f"{first.tells}; and {more.tells.rpartition('{times}: ')[2]}"
        yield Mistake(f"{first.name} and {more.name}", tells, more.function)


# Wrong ways to make one value of those of each observation.
# fmt: off
REDUCED: tuple[tuple[str, str, Makes], ...] = (
    ("no mean", "it is of each observation: the mean of them is missing", lambda v: v.T.ravel()),
    ("no mean", "it is of each observation: the mean of them is missing", lambda v: v.ravel()),
    ("one left out", "it leaves out the last observation", lambda v: v[:-1].mean(0)),
    ("one left out", "it leaves out the first observation", lambda v: v[1:].mean(0)),
    ("one left out", "it leaves out the last observation", lambda v: v[:-1].sum(0) / len(v)),
    ("one left out", "it leaves out the first observation", lambda v: v[1:].sum(0) / len(v)),
    ("one alone", "it is of the last observation: add them up", lambda v: v[-1]),
    ("one alone", "it is of the last observation: add them up", lambda v: v[-1] / len(v)),
    ("one alone", "it is of the first: is the return inside of the loop?", lambda v: v[0]),
    ("one alone", "it is of the first: is the return inside of the loop?", lambda v: v[0] / len(v)),
)
# fmt: on
BATCH_SIZES = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 32, 64)


def wrongly_reduced(values: Makes) -> Iterator[Mistake]:
    """What comes of the wrong ways to make one value of those of each observation."""

    def wrong(reduced: Makes, *arguments: Any) -> Any:
        return reduced(values(*arguments))

    def by_batch(size: int, found: FloatArray) -> FloatArray:
        parts = [found[at : at + size].mean(0) for at in range(0, len(found), size)]
        return np.asarray(np.mean(parts, 0))

    for name, tells, reduced in REDUCED:
        yield Mistake(name, tells, partial(wrong, reduced))
    for size in BATCH_SIZES:
        tells = f"batches of {size} have means whose mean is not that of all: the last is smaller"
        yield Mistake("batch mean of means", tells, partial(wrong, partial(by_batch, size)))


def rounded(right: Makes) -> Iterator[Mistake]:
    """What comes of rounding a right result."""
    whole = "the result is a whole number: // or int() has cut its decimals"
    yield Mistake("integer division", whole, lambda *by: np.floor(right(*by)))
    for digits in range(5):
        tells = f"the result is rounded to {digits} decimals"
        yield Mistake("rounded", tells, lambda *by, digits=digits: np.round(right(*by), digits))


N_BY_N = "shapes (n, 1) and (n,) make n × n numbers: give both the same shape"
# fmt: off
MODELS = (
    Mistake("no b", "b is missing: ŷ = w·x + b", lambda x, w, b: w * x),
    Mistake("w and b swapped", "w and b are taken for each other", lambda x, w, b: b * x + w),
    Mistake("no w", "w is missing: ŷ = w·x + b", lambda x, w, b: x + b),
    Mistake("x forgotten", "x is missing: ŷ = w·x + b", lambda x, w, b: w + b + 0 * x),
    Mistake("brackets", "w is for x alone: ŷ = w·x + b", lambda x, w, b: w * (x + b)),
    Mistake("sign", "the sign of w is wrong: ŷ = w·x + b", lambda x, w, b: b - w * x),
    *rounded(model),
)
BY_W = (
    Mistake("w for x", "the derivative of w·x + b by w is x", lambda x, w, b: w + 0 * x),
    Mistake("1 for x", "the derivative of w·x + b by w is x", lambda x, w, b: 1 + 0 * x),
    Mistake("w times x", "the derivative of w·x + b by w is x", lambda x, w, b: w * x),
)
BY_B = (
    Mistake("b for 1", "the derivative of w·x + b by b is 1", lambda x, w, b: b + 0 * x),
    Mistake("x for 1", "the derivative of w·x + b by b is 1", lambda x, w, b: x),
    Mistake("0 for 1", "the derivative of w·x + b by b is 1", lambda x, w, b: 0 * x),
)
WRONG_LOSSES = (
    Mistake("MAE", "it is of |ŷ − y|: square it", lambda p, y: np.abs(p - y).mean()),
    Mistake("RMSE", "it is the root: take the mean of the squares",
            lambda p, y: squares(p, y).mean() ** 0.5),
    Mistake("no square", "ŷ − y is not squared", lambda p, y: (p - y).mean()),
    Mistake("square of the mean", "it squares the mean: take the mean of the squares",
            lambda p, y: (p - y).mean() ** 2),
    Mistake("n × n", N_BY_N, lambda p, y: squares(p[:, np.newaxis], y).mean()),
    Mistake("sum of ŷ + y", "it squares ŷ + y", lambda p, y: ((p + y) ** 2).mean()),
    *wrongly_reduced(squares),
    *rounded(loss_fn),
)
WRONG_SLOPES = (
    Mistake("MAE", "it is the derivative of |ŷ − y|", lambda p, y: np.sign(p - y)),
    Mistake("absolute value", "|ŷ − y| has lost its sign", lambda p, y: 2 * np.abs(p - y)),
    Mistake("not derived", "it is the loss itself: the derivative of r² is 2r", squares),
    Mistake("not derived and factor 2", "the derivative of r² is 2r, and not 2r²",
            lambda p, y: 2 * squares(p, y)),
    Mistake("y forgotten", "y is missing: 2(ŷ − y)", lambda p, y: 2 * p),
    Mistake("brackets", "the 2 is for both: 2(ŷ − y), not 2ŷ − y", lambda p, y: 2 * p - y),
    Mistake("sum of ŷ + y", "it adds y: 2(ŷ − y)", lambda p, y: 2 * (p + y)),
    Mistake("RMSE", "it is the derivative of the root of the mean of the squares",
            lambda p, y: (p - y) / squares(p, y).mean() ** 0.5),
)
ONE_FOR_ALL = Mistake(
    "mean too early", "it is one number: each observation has a derivative, the mean comes last",
    lambda p, y: 2 * (p - y).mean(),
)
# Of x, of ∂ℓ/∂ŷ and of the params: the gradients of w, and of b.
PARTS: tuple[tuple[str, str, Makes], ...] = (
    ("x forgotten", "∂ŷ/∂w is x: the gradient of w is the mean of 2(ŷ − y)·x",
     lambda x, d, p: (d.mean() + 0 * x[0], d.mean())),
    ("gradient of b missing", "b's gradient is 0: it is the mean of 2(ŷ − y)",
     lambda x, d, p: (d @ x / len(d), 0.0)),
    ("gradient of w missing", "w's gradient is 0: it is the mean of 2(ŷ − y)·x",
     lambda x, d, p: (0 * x[0], d.mean())),
    ("x in the gradient of b", "∂ŷ/∂b = 1", lambda x, d, p: (d @ x / len(d), d @ x[:, 0] / len(x))),
    ("w and b swapped", "the gradient is (∂L/∂w, ∂L/∂b): they stand the other way round",
     lambda x, d, p: (d.mean(), d @ x / len(d))),
    ("w for x", "∂ŷ/∂w is x, and not w", lambda x, d, p: (d.mean() * p[:-1], d.mean())),
    ("b for 1", "∂ŷ/∂b is 1, and not b", lambda x, d, p: (d @ x / len(d), d.mean() * p[-1])),
    ("mean of x apart, or n × n", "multiply each by its x, and then take the mean; shapes (n, 1) "
     "and (n,) make n × n products: give both the same shape",
     lambda x, d, p: (d.mean() * x.mean(0), d.mean())),
    ("x squared", "x is there twice", lambda x, d, p: (d @ x**2 / len(d), d.mean())),
    ("absolute value", "its sign is lost", lambda x, d, p: np.abs(of_each(x, d).mean(0))),
    ("absolute value", "its sign is lost", lambda x, d, p: np.abs(of_each(x, d)).mean(0)),
    ("no mean for w", "w's gradient lacks the mean", lambda x, d, p: (d @ x, d.mean())),
    ("no mean for b", "b's gradient lacks the mean", lambda x, d, p: (d @ x / len(d), d.sum())),
    ("no factor 2 for w", "w's lacks it", lambda x, d, p: (d @ x / len(d) / 2, d.mean())),
    ("no factor 2 for b", "b's lacks it", lambda x, d, p: (d @ x / len(d), d.mean() / 2)),
    ("sign of w", "w's gradient has the wrong one", lambda x, d, p: (-d @ x / len(d), d.mean())),
    ("sign of b", "b's gradient has the wrong one", lambda x, d, p: (d @ x / len(d), -d.mean())),
)
# fmt: on


def wrong_gradients() -> Iterator[Mistake]:
    """Of a factor; of a wrong derivative or a wrong part, also with a factor; put together wrongly;
    rounded."""

    def of_slopes(slopes: Makes, x: FloatArray, y: FloatArray, y_hat: FloatArray, p: Any) -> Any:
        return of_each(x, slopes(y_hat, y)).mean(0)

    def of_part(part: Makes, x: FloatArray, y: FloatArray, y_hat: FloatArray, p: Any) -> Any:
        return np.hstack([np.atleast_1d(each) for each in part(x, dloss_fn(y_hat, y), p)])

    def n_by_n(x: FloatArray, y: FloatArray, y_hat: FloatArray, p: Any) -> Any:
        w = 2 * (y_hat @ x / len(x) - y.mean() * x.mean(0))
        return np.append(w, dloss_fn(y_hat, y).mean())

    plain = [
        *(
            Mistake(each.name, each.tells, partial(of_slopes, each.function))
            for each in WRONG_SLOPES
        ),
        *(Mistake(name, tells, partial(of_part, part)) for name, tells, part in PARTS),
        Mistake("n × n", N_BY_N, n_by_n),
    ]
    yield from with_factors("gradient", grad_fn)
    yield from plain
    yield from wrongly_reduced(lambda x, y, y_hat, p: of_each(x, dloss_fn(y_hat, y)))
    yield from rounded(grad_fn)
    for first in plain:
        yield from also_with_factors(first)


# Steps of a loop: from the params, the gradient at any, γ, the epoch, the first gradient and the
# sum of all.
def updated(these: slice, at_once: bool, at: FloatArray, grad: Makes, lr: float, *_: Any) -> Any:
    """A step of these params; and of the others not `at_once`, at the gradient there is by then, or
    none."""
    between = at.copy()
    between[these] -= lr * grad(at)[these]
    after = at if at_once else at - lr * grad(between)
    return np.where(np.isin(np.arange(len(at)), np.arange(len(at))[these]), between, after)


SEQUENTIAL = "the other param's gradient is taken after its update: find both, then update both"
W_ALONE, B_ALONE = slice(-1), slice(-1, None)
# fmt: off
WRONG_STEPS: tuple[tuple[str, str, Makes], ...] = (
    ("gradient added", "the step goes up: it is params − γ·gradient",
     lambda at, grad, lr, *_: at + lr * grad(at)),
    ("no learning rate", "the learning rate γ is missing: params − γ·gradient",
     lambda at, grad, lr, *_: at - grad(at)),
    ("learning rate squared", "the learning rate is multiplied twice",
     lambda at, grad, lr, *_: at - lr * lr * grad(at)),
    ("sequential update", SEQUENTIAL, partial(updated, W_ALONE, False)),
    ("sequential update", SEQUENTIAL, partial(updated, B_ALONE, False)),
    ("b not updated", "b stays as it was: update it, too", partial(updated, W_ALONE, True)),
    ("w not updated", "w stays as it was: update it, too", partial(updated, B_ALONE, True)),
    ("ŷ not renewed", "the gradient is that of the first epoch: find ŷ and it anew in each",
     lambda at, grad, lr, epoch, first, total: at - lr * first),
    ("one epoch alone", "it stops after one epoch: is the return inside of the loop?",
     lambda at, grad, lr, epoch, first, total: at - lr * first * (epoch == 1)),
    ("no update", "the params come back as they were", lambda at, *_: at),
    ("gradients add up", "those of earlier epochs are added: grad.zero_() is missing",
     lambda at, grad, lr, epoch, first, total: at - lr * total),
    ("params not kept", "the step takes their place: it is params − γ·gradient",
     lambda at, grad, lr, *_: -lr * grad(at)),
    *(("rounded", f"the params are rounded to {digits} decimals",
       lambda at, grad, lr, *_, digits=digits: np.round(at - lr * grad(at), digits))
      for digits in range(5)),
)
# fmt: on


def wrong_loops() -> Iterator[Mistake]:
    """Of a wrong step; of more or fewer epochs; of steps within an epoch; of a wrong gradient."""

    def by_step(step: Makes, epochs: int, lr: float, params: FloatArray, *data: Any) -> Any:
        def grad(at: FloatArray) -> FloatArray:
            x, y = data
            return grad_fn(x, y, predicted(x, at), at)

        history, total = [params], np.zeros_like(params)
        for epoch in range(1, epochs + 1):
            total = total + grad(history[-1])
            history.append(step(history[-1], grad, lr, epoch, grad(params), total))
        return np.array(history)

    def by_batch(size: int, epochs: int, lr: float, params: FloatArray, *data: Any) -> Any:
        history = [params]
        for _ in range(epochs):
            at = history[-1]
            for begin in range(0, len(data[0]), size):
                x, y = (each[begin : begin + size] for each in data)
                at = at - lr * grad_fn(x, y, predicted(x, at), at)
            history.append(at)
        return np.array(history)

    def shifted(by: int, epochs: int, *rest: Any) -> Any:
        history = training_loop(epochs + 1, *rest)
        return history[np.maximum(np.arange(epochs + 1) + by, 0)]

    for name, tells, step in WRONG_STEPS:
        yield Mistake(name, tells, partial(by_step, step))
    yield Mistake("one epoch too many", "it makes one epoch more", partial(shifted, 1))
    before = "they are those before the last update: one epoch too few"
    yield Mistake("params before in place of after", before, partial(shifted, -1))
    for size in (1, *BATCH_SIZES):
        after = f"batch of {size}" if size > 1 else "observation"
        tells = "take the mean gradient of all, and one step"
        yield Mistake(f"update after each {after}", tells, partial(by_batch, size))
    for wrong in wrong_gradients():
        made = partial(training_loop, gradient=wrong.function)
        yield Mistake(wrong.name, wrong.tells, made, wrong.factor)


def known_mistakes(name: str) -> Iterator[Mistake]:
    """The known mistakes in one of the lecture's functions, likeliest first."""
    if name == "loss_fn":
        yield from with_factors("loss", loss_fn, HALF)
        yield from WRONG_LOSSES
        for wrong in WRONG_LOSSES[:3]:
            yield from also_with_factors(wrong)
    if name == "dloss_fn":
        yield from with_factors("derivative", dloss_fn)
        yield ONE_FOR_ALL
        for wrong in WRONG_SLOPES:
            yield wrong
            yield from also_with_factors(wrong)
    yield from {
        "model": MODELS,
        "dmodel_dw": BY_W,
        "dmodel_db": BY_B,
        "grad_fn": wrong_gradients(),
        "training_loop": wrong_loops(),
    }.get(name, ())
