"""What is computed of a row, of all rows and in an update, line by line, as on a board."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.objectives import loss_of
from gdfit.descent.settings import Settings
from gdfit.show.board import Letters, Line, given, minus, plus, squared, times, told
from gdfit.show.formulas import LOSSES, UPDATES, Change, RowLoss, any_rule


class RowArithmetic:
    """What is computed of a row.

    Parameters
    ----------
    row : as it is descended on: the features, a one, y.
    params : θ, shape (p+1,).
    settings : which loss.
    letters : what all this is called.
    write : how to write the value of a feature.
    """

    def __init__(
        self,
        row: FloatArray,
        params: FloatArray,
        settings: Settings,
        letters: Letters,
        write: Callable[[float], str],
    ) -> None:
        self.params, self.letters = params, letters
        self.x = [write(value) for value in row[:-2].tolist()]
        self.y = given(float(row[-1]))
        loss = loss_of(settings)
        self.prediction = float(row[:-1] @ params)
        residual = self.prediction - row[-1:]
        self.residual = float(residual[0])
        self.loss = float(loss.value(residual)[0])
        slope = float(loss.derivative(residual)[0])
        self.slopes = slope * row[:-1]
        self.words = RowLoss(("ℓ(ŷ, y)",), ("∂ℓ/∂ŷ", told(slope)))
        if settings.loss in LOSSES:
            self.words = LOSSES[settings.loss](self.residual, settings.huber_delta)

    def lines(self) -> Iterator[Line]:
        """ŷ, how far it is from y, the loss, and the slopes of the loss by the chain rule."""
        letters, words, hat = self.letters, self.words, told(self.prediction)
        *weights, b = map(told, self.params.tolist())
        symbols = [f"{w}·{x}" for w, x in zip(letters.weights, letters.inputs, strict=True)]
        numbers = [times(w, x) for w, x in zip(weights, self.x, strict=True)]
        yield Line("ŷ", [plus(*letters.some(symbols, "b")), plus(*letters.some(numbers, b)), hat])
        yield Line("ŷ − y", [minus(hat, self.y), told(self.residual)])
        yield from words.case
        yield Line("ℓ", [*words.loss, told(self.loss)])
        formula, number = words.slope
        if len(self.x) > 1:
            product = times(number, letters.vector(self.x, "1"))
            vector = f"{formula}·{letters.vector(letters.inputs, '1')}"
            yield Line("∇ℓ", [vector, product, letters.gradient(self.slopes)])
            return
        for (place, name), factor, value in zip(
            letters.written, "x1", (*self.x, "1"), strict=False
        ):
            slope = told(float(self.slopes[place]))
            yield Line(f"∂ℓ/∂{name}", [f"{formula}·{factor}", times(number, value), slope])


class Means:
    """Means over many rows, of which the first few are written out.

    Parameters
    ----------
    rows : the first.
    count : how many there are.
    weights : of the first rows, if there are weights.
    divisor : with weights, what the sum over all rows is divided by: in words, and in numbers.
    letters : what is called how.
    """

    def __init__(
        self,
        rows: Sequence[RowArithmetic],
        count: int,
        weights: FloatArray | None,
        divisor: tuple[str, float],
        letters: Letters,
    ) -> None:
        self.rows, self.count, self.weights, self.letters = rows, count, weights, letters
        words, total = divisor
        self.words = f" / {words}"
        self.total = f"{count:,}" if weights is None else told(total)

    def lines(self, loss: float, grad: FloatArray) -> Iterator[Line]:
        """The loss and the gradient, without a penalty."""
        losses = [row.loss for row in self.rows]
        yield Line("L", [self.formula("ℓ"), self.numbers(losses), told(loss)])
        if len(self.letters.weights) > 1:
            yield Line("∇L", [self.formula("∇ℓ"), self.letters.gradient(grad)])
            return
        for place, name in self.letters.written:
            slopes = [float(row.slopes[place]) for row in self.rows]
            numbers = [self.numbers(slopes), told(float(grad[place]))]
            yield Line(f"∂L/∂{name}", [self.formula(f"∂ℓ/∂{name}"), *numbers])

    def formula(self, what: str) -> str:
        """What of."""
        return f"mean of {what}" if self.weights is None else f"sum of v·{what}{self.words}"

    def numbers(self, values: Sequence[float]) -> str:
        """The mean of what begins with these `values`."""
        terms = [*map(told, values)]
        if self.weights is not None:
            terms = [times(given(v), term) for v, term in zip(self.weights, terms, strict=True)]
        more = ["…"] if self.count > len(terms) else []
        return f"({plus(*terms, *more)})/{self.total}"


def penalty_lines(
    weights: FloatArray, l2: float, before: tuple[float, FloatArray], letters: Letters
) -> Iterator[Line]:
    """What the penalty λ‖w‖² adds to the loss and the gradient `before` it."""
    loss, grad = before
    numbers = [told(weight) for weight in weights.tolist()]
    symbols = [f"{weight}²" for weight in letters.weights]
    squares = [squared(number) for number in numbers]
    formula, number = (plus(*letters.some(terms)) for terms in (symbols, squares))
    if len(weights) > 1:
        formula, number = f"({formula})", f"({number})"
    lam, penalized = given(l2), loss + l2 * float(weights @ weights)
    parts = [f"L + λ·{formula}", plus(told(loss), times(lam, number)), told(penalized)]
    yield Line("L", parts, "←")
    slopes = grad + 2 * l2 * np.append(weights, 0.0)
    if len(weights) > 1:
        formula = f"∇L + 2λ·{letters.vector(letters.weights, '0')}"
        added = times("2", lam, letters.vector(numbers, "0"))
        yield Line(
            "∇L", [formula, plus(letters.gradient(grad), added), letters.gradient(slopes)], "←"
        )
        return
    slope, result = told(float(grad[0])), told(float(slopes[0]))
    parts = ["∂L/∂w + 2λ·w", plus(slope, times("2", lam, numbers[0])), result]
    yield Line("∂L/∂w", parts, "←")


def update_lines(change: Change, settings: Settings, letters: Letters) -> Iterator[Line]:
    """The new values of the params."""
    rule = UPDATES.get(settings.optimizer, any_rule)
    for place, name in letters.written:
        yield from rule(name, place, change, settings)
