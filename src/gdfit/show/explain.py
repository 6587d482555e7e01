"""The arithmetic of a run's first epochs, written out line by line as on a board.

The numbers are those of the run: params, loss, gradient and what the update rule remembers are in
its steps, and only what happens in single rows is computed here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import FIRST_ROWS
from gdfit.descent.loop import Step
from gdfit.descent.losses import loss_of
from gdfit.descent.objective import (
    DesignBlock,
    batch_objective,
    batches,
    design_blocks,
    penalty_of,
    predictor_of,
)
from gdfit.descent.optimizers import update_of
from gdfit.descent.own import Own
from gdfit.descent.run import Run
from gdfit.errors import UsageError, printable
from gdfit.model.links import LINKS
from gdfit.show import board
from gdfit.show.board import Change, Letters, Line, broken, equal, given, plus, times, told
from gdfit.show.tables.reports import Callback
from gdfit.show.tables.style import counted, stdout_console


class RowNumbers(NamedTuple):
    """The numbers of a row: its features as they are written, y, z and ŷ, the loss, and its slopes
    by z and by each param."""

    x: list[str]
    y: float
    predictor: float
    prediction: float
    loss: float
    slope: float
    slopes: FloatArray


class Pass(NamedTuple):
    """The part of an epoch that is written out: its update, or that of the first of its batches.

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

    def mean(self, name: str) -> str:
        """The mean over all rows of what has this name."""
        return f"mean of {name}" if self.weights is None else f"sum of v·{name} / {self.divisor[0]}"

    def mean_of(self, values: Sequence[float]) -> str:
        """The mean of what begins with these `values`, in numbers."""
        terms, total = [*map(told, values)], f"{self.all_rows:,}"
        if self.weights is not None:
            terms = [times(given(v), term) for v, term in zip(self.weights, terms, strict=True)]
            total = told(self.divisor[1])
        more = ["…"] if self.all_rows > len(terms) else []
        return f"({plus(*terms, *more)})/{total}"


def held_back(callback: Callback, epochs: int) -> Callback:
    """`callback`, told of the first `epochs` steps when they are over: they are explained first."""
    waiting: list[Step] = []

    def step(step: Step) -> None:
        waiting.append(step)
        if step.epoch >= epochs or step.status:
            while waiting:
                callback(waiting.pop(0))

    return step


class Explanation:
    """Writes out the first `epochs` of a run on standard output; `before` is called before each."""

    def __init__(self, run: Run, epochs: int, before: Callable[[], None]) -> None:
        self.run, self.settings, self.epochs, self.before = run, run.settings, epochs, before
        self.batched = run.settings.batch_size is not None
        self.state = run.start.state
        observations = run.observations
        self.letters = Letters(len(observations.features), intercept=observations.intercept)
        self.loss = loss_of(self.settings)
        self.letter = "ŷ" if self.loss.link == "identity" else "z"  # for w·x + b
        self.console = stdout_console()
        if isinstance(own := self.settings.loss, Own):
            for block in design_blocks(run.descended, self.settings):
                if what := own.mixing(block.target):
                    raise UsageError(f"`loss` {own} does not go with `explain`: it {what}")

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
        if meaning := self.meaning():
            yield from broken(f" {meaning}")
        z, letters = self.letter, self.letters
        slope = board.SLOPES_ON_BOARD.get(str(self.settings.loss), f"∂ℓ/∂{z}")
        w, x = letters.weights[0], letters.inputs[0]
        lines = [
            Line(f"∂ℓ/∂{name}", [f"∂ℓ/∂{z} · ∂{z}/∂{name}", f"{slope} · {factor}"])
            for name, factor in ((w, x), ("b", "1"))[: 1 + letters.intercept]
        ]
        if len(letters.weights) > 1:
            slopes = [f"∂ℓ/∂{weight}" for weight in letters.weights]
            lines.append(Line("∇ℓ", [letters.vector(slopes, "∂ℓ/∂b")]))
        yield " chain rule"
        yield from board.laid_out(lines)
        yield ""

    def meaning(self) -> str:
        """The meanings of x and y, where they are not the columns x and y."""
        observations, scaling, letters = self.run.observations, self.run.scaling, self.letters
        columns = [printable(name) for name in observations.features]
        target, classes = printable(observations.target_name), observations.classes
        aimed_at = [f"y for {target}"] if target != "y" else []
        if classes and classes.names != ("0", "1"):
            aimed_at = ["y is 1 for {1} and 0 for {0}".format(*map(printable, classes.names))]
        if scaling and scaling.mixing is not None:
            basis, names = (", ".join(letters.some(each)) for each in (letters.inputs, columns))
            return ", ".join([f"{basis} stand for an orthonormal basis of {names}", *aimed_at])
        if not scaling and columns == ["x"]:
            return aimed_at[0].replace("y for", "y stands for", 1) if aimed_at else ""
        if scaling:
            means, deviations = scaling.means.tolist(), scaling.deviations.tolist()
            columns = [*map(standardized, columns, means, deviations)]
        named = [f"{x} for {text}" for x, text in zip(letters.inputs, columns, strict=True)]
        named[0] = named[0].replace(" for", " stands for", 1)
        return ", ".join([*letters.some(named), *aimed_at])

    def epoch(self, step: Step) -> Iterator[str]:
        """An epoch: its first rows, the means over all rows, the update."""
        settings, written = self.settings, self.pass_of(step)
        read = counted(written.all_rows, "row")
        heading = f" Epoch {self.run.start.epochs + step.epoch}"
        whole = f"all {read}" if written.all_rows > 1 else "the only row"
        if self.batched:
            whole = f"the {read} of the batch"
            count = math.ceil(self.run.observations.count / (settings.batch_size or 1))
            heading += f", the first of {count:,} batches, drawn at random"
        yield from broken(f"{heading}, at {self.letters.at(step.before)}")
        rows = [self.row_of(row, step.before) for row in written.rows]
        for number, row in enumerate(rows):
            yield from broken(f" row {number + 1}: {self.values(number, row, written)}")
            yield from board.laid_out([*self.row_lines(row, step.before)])
        weights = step.before[:-1]
        loss = written.loss - float(penalty_of(settings, step.before))
        grad = written.change.grad - 2 * settings.l2 * np.append(weights, 0.0)
        yield f" {'mean' if written.weights is None else 'weighted mean'} over {whole}"
        yield from board.laid_out([*self.mean_lines(rows, written, loss, grad)])
        if settings.is_penalized:
            named = {"λ": settings.l2, "λ₁": settings.l1}
            told_ones = [f"{name} = {given(value)}" for name, value in named.items() if value]
            yield f" penalty, with {', '.join(told_ones)}"
            yield from board.laid_out([*self.penalty_lines(weights, loss, grad)])
        done = self.run.start.epochs
        rate = board.rate_on_board(written.change, done + step.epoch, done + settings.epochs)
        yield from broken(f" update, with {rate}{board.constants_of(settings)}")
        rule = board.UPDATES_ON_BOARD.get(str(settings.optimizer), board.any_rule)
        if settings.l1:
            rule = board.proximal_on_board
        updates = [rule(name, place, written.change) for place, name in self.letters.written]
        yield from board.laid_out([*chain.from_iterable(updates)])
        yield from self.rest(step)

    def row_of(self, row: FloatArray, params: FloatArray) -> RowNumbers:
        """The numbers of a row as it is descended on, the features, a one and y, at `params`."""
        write = told if self.run.scaling else given
        x, y = [*map(write, row[:-2].tolist())], float(row[-1])
        loss, block = self.loss, DesignBlock(row[np.newaxis, :-1], row[-1:], 1.0)
        z = predictor_of(block, loss)(params)
        every = (z, loss.mean(z), *loss.value_and_derivative(z, row[-1:]))
        predictor, prediction, value, slope = (float(each[0]) for each in every)
        return RowNumbers(x, y, predictor, prediction, value, slope, slope * row[:-1])

    def row_lines(self, row: RowNumbers, params: FloatArray) -> Iterator[Line]:
        """z and ŷ, how far it is from y, the loss, and the slopes of the loss by the chain rule."""
        letters, z, hat = self.letters, self.letter, told(row.prediction)
        *weights, b = map(told, params.tolist())
        symbols = [f"{w}·{x}" for w, x in zip(letters.weights, letters.inputs, strict=True)]
        numbers = [times(w, x) for w, x in zip(weights, row.x, strict=True)]
        sums = plus(*letters.some(symbols, "b")), plus(*letters.some(numbers, b))
        yield Line(z, [*sums, told(row.predictor)])
        words = board.RowLoss((f"ℓ({z}, y)",), (f"∂ℓ/∂{z}", told(row.slope)))
        if self.settings.loss in board.LOSSES_ON_BOARD:
            formula_of = board.LOSSES_ON_BOARD[self.settings.loss]
            words = formula_of(row.predictor, row.y, self.settings)
        if z != "ŷ":
            yield Line("ŷ", [*(words.mean or [LINKS[self.loss.link].of(z)]), hat])
        yield Line("ŷ − y", [board.minus(hat, given(row.y)), told(row.prediction - row.y)])
        yield from words.case
        yield Line("ℓ", [*words.loss, told(row.loss)])
        formula, number = words.slope
        if len(row.x) > 1:
            product = times(number, letters.vector(row.x, "1"))
            vector = f"{formula}·{letters.vector(letters.inputs, '1')}"
            yield Line("∇ℓ", [vector, product, letters.gradient(row.slopes)])
            return
        factors = (("x", row.x[0]), ("1", "1"))
        for (place, name), (factor, value) in zip(letters.written, factors, strict=False):
            slope = told(float(row.slopes[place]))
            yield Line(f"∂ℓ/∂{name}", [f"{formula}·{factor}", times(number, value), slope])

    def mean_lines(
        self, rows: Sequence[RowNumbers], written: Pass, loss: float, grad: FloatArray
    ) -> Iterator[Line]:
        """The loss and the gradient of all rows, without a penalty."""
        numbers = written.mean_of([row.loss for row in rows])
        yield Line("L", [written.mean("ℓ"), numbers, told(loss)])
        if len(self.letters.weights) > 1:
            yield Line("∇L", [written.mean("∇ℓ"), self.letters.gradient(grad)])
            return
        for place, name in self.letters.written:
            numbers = written.mean_of([float(row.slopes[place]) for row in rows])
            parts = [written.mean(f"∂ℓ/∂{name}"), numbers, told(float(grad[place]))]
            yield Line(f"∂L/∂{name}", parts)

    def penalty_lines(self, weights: FloatArray, loss: float, grad: FloatArray) -> Iterator[Line]:
        """The loss and the gradient with the penalties λ‖w‖² and λ₁‖w‖₁, which are without them so
        far; the latter's slope is left to the threshold."""
        letters, l2, lam = self.letters, self.settings.l2, given(self.settings.l2)
        several = len(weights) > 1
        numbers = [told(weight) for weight in weights.tolist()]
        squares = [board.squared(number) for number in numbers]
        sizes = [f"|{number}|" for number in numbers]
        formulas, terms = ["L"], [told(loss)]
        for name, by, symbol, values in (
            ("λ", l2, "{}²", squares),
            ("λ₁", self.settings.l1, "|{}|", sizes),
        ):
            if by:
                formula = plus(*letters.some([*map(symbol.format, letters.weights)]))
                number = plus(*letters.some(values))
                both = (f"({formula})", f"({number})") if several else (formula, number)
                formulas.append(f"{name}·{both[0]}")
                terms.append(times(given(by), both[1]))
        penalized = told(loss + float(penalty_of(self.settings, np.append(weights, 0.0))))
        yield Line("L", [" + ".join(formulas), plus(*terms), penalized], "←")
        if not l2:
            return
        slopes = grad + 2 * l2 * np.append(weights, 0.0)
        if several:
            formula = f"∇L + 2λ·{letters.vector(letters.weights, '0')}"
            added = times("2", lam, letters.vector(numbers, "0"))
            parts = [formula, plus(letters.gradient(grad), added), letters.gradient(slopes)]
            yield Line("∇L", parts, "←")
        else:
            added = plus(told(float(grad[0])), times("2", lam, numbers[0]))
            yield Line("∂L/∂w", ["∂L/∂w + 2λ·w", added, told(float(slopes[0]))], "←")

    def rest(self, step: Step) -> Iterator[str]:
        """The rest of an epoch, which is not written out."""
        left_out = len(self.letters.weights) - Letters.MOST
        if left_out > 0:
            yield f" and so for {counted(left_out, 'more weight')}"
        if self.batched:
            end = f" and so for each batch; after the last, {self.letters.at(step.params)}"
            yield from broken(f"{end} (the table shows the means of their losses and gradients)")
        if step.validation_loss is not None and self.run.validation:
            rows = f"{counted(self.run.validation.count, 'row')} for validation"
            yield f" loss of the {rows}, before the update: {told(step.validation_loss)}"

    def values(self, number: int, row: RowNumbers, written: Pass) -> str:
        """The values in a row; of a single scaled feature, how it comes about."""
        scaling, x = self.run.scaling, row.x
        named = [equal(*pair) for pair in zip(self.letters.inputs, x, strict=True)]
        varies = scaling and scaling.mixing is None and not scaling.constant
        if scaling and varies and len(x) == 1 and not self.batched:
            read = given(float(self.run.observations.first[number, 0]))
            mean, deviation = float(scaling.means[0]), float(scaling.deviations[0])
            named = [f"x = {standardized(read, mean, deviation)} = {x[0]}"]
        known = [*self.letters.some(named), equal("y", given(row.y))]
        if written.weights is not None:
            known.append(f"with the weight {equal('v', given(float(written.weights[number])))}")
        return ", ".join(known)

    def pass_of(self, step: Step) -> Pass:
        """The update of an epoch as the run made it; or that of its first batch, made again."""
        run, settings, observations = self.run, self.settings, self.run.observations
        count, total = observations.count, observations.total_weight
        width, epoch = len(observations.features) + 2, run.start.epochs + step.epoch
        if self.batched:
            batch = next(batches(run.descended, settings, epoch))
            loss, grad = batch_objective(run.descended, batch, settings)(step.before)
            after, state = update_of(settings)(step.before, grad, self.state, run.rate(epoch))
            rows, count = batch[:FIRST_ROWS], len(batch)
            weights = None if observations.weight is None else rows[:, width]
            divisor = f"({count:,} · mean of all v)", total * count / observations.count
        else:
            loss, grad, after, state = step.loss, step.grad, step.params, step.state
            rows = np.insert(observations.first, -1, float(observations.intercept), axis=1)
            rows = run.scaling.apply(rows) if run.scaling else rows
            weights, divisor = observations.first_weights, ("sum of v", total)
        rate = float(state["rate"] if settings.finds_rate else run.rate(epoch))
        change = Change(step.before, after, grad, self.state, state, rate, settings)
        return Pass(rows[:, :width], count, weights, divisor, loss, change)


def standardized(name: str, mean: float, deviation: float) -> str:
    """``(x − 1.3)/0.72``, where there is a mean to take away."""
    if not deviation:
        return f"0, as {name} does not vary"
    centred = f"({board.minus(name, told(mean))})" if mean else name
    return f"{centred}/{told(deviation)}".replace(" ", board.KEPT)
