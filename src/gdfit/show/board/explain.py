"""What is computed of a row, of all rows and in an update, line by line, as on a board.

The arithmetic of a run's first epochs, written out as on a board.

The numbers are those of the run: params, loss, gradient and what the update rule remembers are in
its steps, and only what happens in single rows is computed here."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import FIRST_ROWS
from gdfit.descent.loop import Step
from gdfit.descent.losses import loss_of
from gdfit.descent.objective import batch_objective, batches
from gdfit.descent.optimizers import update_of
from gdfit.descent.run import Run
from gdfit.descent.settings import Settings
from gdfit.errors import printable
from gdfit.show.board.board import (
    KEPT,
    LOSSES,
    RATES,
    SLOPES,
    UPDATES,
    Change,
    Letters,
    Line,
    RowLoss,
    any_rule,
    broken,
    equal,
    given,
    laid_out,
    minus,
    plus,
    squared,
    times,
    told,
)
from gdfit.show.pictures.axes import count as counted
from gdfit.show.tables.reports import Watch
from gdfit.show.tables.style import console_for


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
        self.residual = self.prediction - float(row[-1])
        z, y = np.array([self.prediction]), row[-1:]
        self.loss, slope = (float(each[0]) for each in loss.value_and_derivative(z, y))
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


class Pass(NamedTuple):
    """What of an epoch is written out: its update, or that of the first of its batches.

    rows : the first rows as they are descended on: the features, a one, y.
    all_rows : how many there are.
    weights : of the first rows, if there are any.
    divisor : what weighted sums are divided by: in words, and in numbers.
    loss : of them all.
    change : what came of it.
    """

    rows: FloatArray
    all_rows: int
    weights: FloatArray | None
    divisor: tuple[str, float]
    loss: float
    change: Change


def held_back(watch: Watch, epochs: int) -> Watch:
    """`watch`, told of the first `epochs` steps when they are over: they are explained first."""
    waiting: list[Step] = []

    def step(step: Step) -> None:
        waiting.append(step)
        if step.epoch >= epochs or step.status:
            for each in waiting:
                watch(each)
            waiting.clear()

    return step


class Explanation:
    """Writes out the first `epochs` of a run on standard output; `before` is called before each."""

    def __init__(self, run: Run, epochs: int, before: Callable[[], None]) -> None:
        self.run, self.epochs, self.before = run, epochs, before
        self.batched = run.settings.batch_size is not None
        self.state = run.start.state
        observations = run.observations
        self.letters = Letters(len(observations.features), intercept=observations.intercept)
        self.console = console_for(sys.stdout)

    def step(self, step: Step) -> None:
        """Take note of an epoch."""
        if step.epoch <= self.epochs:
            self.before()
            for line in [*self.introduction(step), *self.epoch(step), ""]:
                # Headings stand farther to the left than arithmetic.
                self.console.print(line, style="" if line.startswith("  ") else "bold")
        self.state = step.state

    def introduction(self, step: Step) -> Iterator[str]:
        """Before the first epoch: what the letters stand for, and the chain rule."""
        if step.epoch > 1:
            return
        for meaning in self.meanings():
            yield from broken(f" {meaning}")
        slope, letters = SLOPES.get(self.run.settings.loss, "∂ℓ/∂ŷ"), self.letters
        w, x = letters.weights[0], letters.inputs[0]
        lines = [
            Line(f"∂ℓ/∂{name}", [f"∂ℓ/∂ŷ · ∂ŷ/∂{name}", f"{slope} · {factor}"])
            for name, factor in ((w, x), ("b", "1"))[: 1 + letters.intercept]
        ]
        if len(letters.weights) > 1:
            slopes = [f"∂ℓ/∂{weight}" for weight in letters.weights]
            lines.append(Line("∇ℓ", [letters.vector(slopes, "∂ℓ/∂b")]))
        yield " chain rule"
        yield from laid_out(lines)
        yield ""

    def meanings(self) -> Iterator[str]:
        """What x and y stand for, where that is not the columns x and y."""
        observations, scaling, letters = self.run.observations, self.run.scaling, self.letters
        columns = [printable(name) for name in observations.features]
        target = printable(observations.target_name)
        if scaling and scaling.mixing is not None:
            basis, names = (", ".join(letters.some(each)) for each in (letters.inputs, columns))
            yield f"{basis} stand for an orthonormal basis of {names}, y for {target}"
            return
        if not scaling and (columns, target) == (["x"], "y"):
            return
        meaning = columns
        if scaling:
            meaning = [
                standardized(name, mean, deviation)
                for name, mean, deviation in zip(
                    columns, scaling.means.tolist(), scaling.deviations.tolist(), strict=True
                )
            ]
        named = [f"{x} for {text}" for x, text in zip(letters.inputs, meaning, strict=True)]
        named[0] = named[0].replace(" for", " stands for", 1)
        aimed_at = [f"y for {target}"] if target != "y" else []
        yield ", ".join([*letters.some(named), *aimed_at])

    def epoch(self, step: Step) -> Iterator[str]:
        """An epoch: its first rows, the means over all rows, the update."""
        settings, letters, written = self.run.settings, self.letters, self.pass_of(step)
        read = counted(written.all_rows, "row")
        change, heading = written.change, f" Epoch {step.epoch}"
        whole = f"all {read}" if written.all_rows > 1 else "the only row"
        if self.batched:
            whole = f"the {read} of the batch"
            heading += f", the first of {self.batch_count:,} batches, drawn at random"
        yield from broken(f"{heading}, at {letters.at(step.before)}")
        rows = []
        for number, row in enumerate(written.rows):
            rows.append(RowArithmetic(row, step.before, settings, letters, self.value))
            yield from broken(f" row {number + 1}: {self.values(number, rows[-1], written)}")
            yield from laid_out([*rows[-1].lines()])
        weights = step.before[:-1]
        penalty = settings.l2 * float(weights @ weights) if settings.l2 else 0.0  # 0 · ∞ is none
        slopes = change.grad - 2 * settings.l2 * np.append(weights, 0.0)
        means = written.loss - penalty, slopes
        yield f" {'mean' if written.weights is None else 'weighted mean'} over {whole}"
        over = Means(rows, written.all_rows, written.weights, written.divisor, letters)
        yield from laid_out([*over.lines(*means)])
        if settings.l2:
            yield f" penalty, with λ = {given(settings.l2)}"
            yield from laid_out([*penalty_lines(weights, settings.l2, means, letters)])
        more = RATES[settings.optimizer](settings) if settings.optimizer in RATES else ""
        yield f" update, with γ = {given(change.rate)}{more}"
        yield from laid_out([*update_lines(change, settings, letters)])
        yield from self.rest(step)

    def rest(self, step: Step) -> Iterator[str]:
        """What is not written out."""
        left_out = len(self.letters.weights) - Letters.MOST
        if left_out > 0:
            yield f" and so for {counted(left_out, 'more weight')}"
        if self.batched:
            end = f" and so for each batch; after the last, {self.letters.at(step.params)}"
            yield from broken(f"{end} (the table shows the means of their losses and gradients)")
        if step.validation_loss is not None and self.run.validation:
            rows = f"{counted(self.run.validation.count, 'row')} for validation"
            yield f" loss of the {rows}, before the update: {told(step.validation_loss)}"

    @property
    def batch_count(self) -> int:
        """How many batches an epoch has."""
        return math.ceil(self.run.observations.count / (self.run.settings.batch_size or 1))

    def value(self, x: float) -> str:
        """A feature's value: as it stands in the data, or scaled."""
        return told(x) if self.run.scaling else given(x)

    def values(self, number: int, row: RowArithmetic, written: Pass) -> str:
        """The values in a row; of a single scaled feature, how it comes about."""
        scaling, x = self.run.scaling, row.x
        named = [equal(*pair) for pair in zip(self.letters.inputs, x, strict=True)]
        varies = scaling and scaling.mixing is None and not scaling.constant
        if scaling and varies and len(x) == 1 and not self.batched:
            read = given(float(self.run.observations.first[number, 0]))
            mean, deviation = float(scaling.means[0]), float(scaling.deviations[0])
            named = [f"x = {standardized(read, mean, deviation)} = {x[0]}"]
        known = [*self.letters.some(named), equal("y", row.y)]
        if written.weights is not None:
            known.append(f"with the weight {equal('v', given(float(written.weights[number])))}")
        return ", ".join(known)

    def pass_of(self, step: Step) -> Pass:
        """The update of an epoch as the run made it; or that of its first batch, made again."""
        run, settings, observations = self.run, self.run.settings, self.run.observations
        count, total = observations.count, observations.total_weight
        rate = run.rate(run.start.epochs + step.epoch)
        if not self.batched:
            rows = np.insert(observations.first, -1, float(observations.intercept), axis=1)
            rows = run.scaling.apply(rows) if run.scaling else rows
            change = Change(
                step.before, step.params, step.grad, self.state, step.state, float(rate)
            )
            divisor = "sum of v", total
            return Pass(rows, count, observations.first_weights, divisor, step.loss, change)
        batch = next(batches(run.descended, settings, run.start.epochs + step.epoch))
        loss, grad = batch_objective(run.descended, batch, settings)(step.before)
        after, state = update_of(settings)(step.before, grad, self.state, rate)
        change = Change(step.before, after, grad, self.state, state, float(rate))
        rows, width = batch[:FIRST_ROWS], len(observations.features) + 2
        weights = None if observations.weight is None else rows[:, width]
        divisor = f"({len(batch):,} · mean of all v)", total * len(batch) / count
        return Pass(rows[:, :width], len(batch), weights, divisor, loss, change)


def standardized(name: str, mean: float, deviation: float) -> str:
    """``(x − 1.3)/0.72``, where there is a mean to take away."""
    if not deviation:
        return f"0, as {name} does not vary"
    centred = f"({minus(name, told(mean))})" if mean else name
    return f"{centred}/{told(deviation)}".replace(" ", KEPT)
