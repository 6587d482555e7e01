"""What is handed out, data for each student, and files of epochs that come back: these are checked
against gradient descent, column by column."""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdfit.analysis import mistakes
from gdfit.analysis.calling import loss_fn
from gdfit.analysis.mistakes import DIAGNOSED, Mistake, known_mistakes
from gdfit.analysis.submissions import Checked
from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.outcome import Fit, history_header, history_row
from gdfit.descent.run import Run, train
from gdfit.descent.settings import LossName, Settings
from gdfit.descent.start import Init
from gdfit.errors import GdfitError, GdfitWarning, UsageError, listing, quoted
from gdfit.model.links import sigmoid

MOST_NUMBERS_MADE = 10_000_000  # in the rows that are made
MOST_DIGITS = 12  # behind the point
DRAWN = 100  # times that classes are drawn
MOST_EPOCHS_CHECKED = 100_000  # in a file that is checked
LEAST_WRONG = 2  # numbers that are not right are needed to name a mistake
ROUNDING_UNITS = 1.0001  # units of the last digit that a rounded number may be off


def columns_checked(
    path: Path, data: Observations, settings: Settings, init: Init | None, tolerance: float
) -> Iterator[Checked]:
    """What comes out for each column of a file of epochs."""
    header = history_header(data.features)
    try:
        file = read_epochs(path, header[1:])
    except (OSError, ValueError, csv.Error) as error:
        yield Checked.failed("file", str(error))
        return
    last = max(file.epochs) + 1
    start: Init = "zeros" if init is None else init
    run = Run(data, init=start, settings=replace(settings, epochs=last))
    params = run.in_data(run.start.params)
    rows = {0: [0.0, math.nan, *params.tolist(), *(math.nan for _ in params)]}
    rows |= {step.epoch: history_row(step) for step in map(run.as_shown, run)}
    nothing = [math.inf] * len(header)  # where the run has ended
    known, wrong = list[Wrong](), list[str]()

    def rights(name: str, begun: int) -> FloatArray:
        """A column where the first epoch has the number 1, or 0 where it is `begun` 1 earlier."""
        place = header.index(name)
        return np.array([rows.get(epoch + begun, nothing)[place] for epoch in file.epochs])

    def wrong_rows(name: str, begun: int) -> NDArray[np.intp]:
        """Where a column is not right; the start has neither a loss nor a gradient."""
        right = rights(name, begun)
        return np.flatnonzero(~(file.columns[name].is_like(right, tolerance) | np.isnan(right)))

    def columns_wrong(begun: int) -> int:
        return sum(len(wrong_rows(name, begun)) > 0 for name in file.columns)

    begun = min((0, 1) if 0 in file.epochs else (0,), key=columns_wrong)
    epochs = [epoch + begun for epoch in file.epochs]
    for place, name in enumerate(header[1:], 1):
        if name not in file.columns:
            if name in ("loss", "b"):
                yield Checked(name, "missing")
            continue
        column = file.columns[name]
        right, differs = rights(name, begun), wrong_rows(name, begun)
        if not len(differs):
            yield Checked(name, "same")
            continue
        row, known = int(differs[0]), known or [*made_wrong(run, last)]
        told = mistake_in_column(name, column, epochs, right, known, place - 1, tolerance)
        if told is None and wrong:
            told = f"it may follow from {' and '.join(wrong)}"
        wrong.append(name)
        at = f"epoch {file.epochs[row]}"
        yield Checked(name, "differs", at, float(right[row]), float(column.values[row]), told)


@dataclass(frozen=True, eq=False)
class Written:
    """A column as it is written: its numbers, and one unit of the last digit of each."""

    values: FloatArray
    units: FloatArray

    def is_like(self, other: FloatArray, tolerance: float) -> NDArray[np.bool_]:
        """Where it is the same within a relative tolerance, or but for rounding."""
        with np.errstate(invalid="ignore"):
            most = np.maximum(tolerance * np.abs(other), ROUNDING_UNITS * self.units)
            is_near = np.abs(self.values - other) <= np.minimum(most, np.finfo(float).max)
        return np.asarray(is_near)


@dataclass(frozen=True)
class EpochsFile:
    """A file of epochs: their numbers, and the columns by name."""

    epochs: list[int]
    columns: dict[str, Written]


def read_epochs(path: Path, known: Sequence[str]) -> EpochsFile:
    """The columns of a CSV file of epochs that are `known`.

    Raises
    ------
    ValueError : it is none.
    """
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    delimiter = max(",;\t|", key=(lines or [""])[0].count)
    reader = csv.reader(lines, delimiter=delimiter)
    numbered = [(reader.line_num, row) for row in reader if any(row)] or [(1, [])]
    (_, header), *numbered = numbered
    rows, lines_of = [row for _, row in numbered], [line for line, _ in numbered]
    names = [name.strip().lower() for name in header]
    if not {"loss", "b"} & set(names):
        raise ValueError(
            f"there is no column loss or b, as in epoch,loss,w,b: {listing((*names,))}"
        )
    if not rows or any(len(row) != len(names) for row in rows):
        raise ValueError("its rows have not as many fields as its header, or there are none")
    texts = {name: [row[place].strip() for row in rows] for place, name in enumerate(names)}
    if delimiter != ",":
        texts = {name: [each.replace(",", ".") for each in texts[name]] for name in names}

    def numbers(name: str) -> Iterator[float]:
        for text, line, epoch in zip(texts[name], lines_of, epochs or lines_of, strict=True):
            try:
                yield float(text) if text or epoch else math.nan
            except ValueError:
                raise ValueError(
                    f"line {line}, column {name}: {quoted(text)} is no number"
                ) from None

    epochs: list[int] = []
    said = numbers("epoch") if "epoch" in texts else range(1, len(rows) + 1)
    for line, epoch in zip(lines_of, said, strict=True):
        is_one = 0 <= epoch <= MOST_EPOCHS_CHECKED and epoch == int(epoch)
        if not is_one or int(epoch) in epochs:
            other = f"is no whole number from 0 to {MOST_EPOCHS_CHECKED:,}"
            what = "is there twice" if is_one else other
            raise ValueError(f"line {line}: epoch {epoch:.12g} {what}")
        epochs.append(int(epoch))
    columns = {
        name: Written(np.array([*numbers(name)]), np.array([*map(last_digit, texts[name])]))
        for name in texts
        if name in known
    }
    return EpochsFile(epochs, columns)


def last_digit(text: str) -> float:
    """One unit of the last digit of a number as it is written; of a 0, whatever its power."""
    digits, _, power = text.lower().partition("e")
    tens = int(power or 0) if digits.strip("+-0.") else 0
    return float(f"1e{tens - len(digits.partition('.')[2])}") if digits else 0.0


# What a mistake makes: its rows from epoch 0 on, the loss, params and gradient at the same params.
Wrong = tuple[str, FloatArray]


def made_wrong(run: Run, last: int) -> Iterator[Wrong]:
    """Epochs as no mistake makes them, and each known one, where a run is plain gradient descent on
    few rows: in the loop or the gradient, and in the loss."""
    data, settings = run.observations, run.settings
    if not settings.is_plain or run.scaling or settings.l2 or data.count * last > DIAGNOSED:
        return
    assert data.rows is not None
    rows, size = np.concatenate(list(data.rows.blocks())), len(data.features)
    lr, unknown = float(settings.lr), np.full((last + 2, size + 2), np.nan)
    x, y = rows[:, :size], rows[:, size + 1]

    def shown(params: FloatArray, loss: Mistake | None = None) -> FloatArray:
        y_hats = [mistakes.predicted(x, each) for each in params]
        of = loss.function if loss else loss_fn
        losses = [np.sum(of(each, y)) for each in y_hats]
        grads = [
            mistakes.grad_fn(x, y, y_hat, each) for y_hat, each in zip(y_hats, params, strict=True)
        ]
        return np.column_stack([losses, params, grads])

    with np.errstate(all="ignore"):
        right = mistakes.training_loop(last + 1, lr, run.start.params, x, y)
        yield "", shown(right)
        for known in known_mistakes("loss_fn"):
            yield known.told(data.count), shown(right, known)
        for known in known_mistakes("training_loop"):
            params = known.function(last + 1, lr, run.start.params, x, y)
            yield known.told(data.count), shown(params)
            steps = np.vstack([params[:-1] - params[1:], unknown[:1, 1:]]) / lr
            yield known.told(data.count), np.column_stack([unknown, steps])


SHIFTED = {
    ("params", -1): "params before in place of after: a row shows the params after its update",
    ("params", 1): "one epoch too many: a row shows the params after its own update, not the next",
    ("found", 1): "params after in place of before: a row shows the loss and the gradient at the "
    "params before its update",
    ("found", -1): "one epoch late: a row shows its own loss and gradient, not those before it",
}


def mistake_in_column(
    name: str,
    column: Written,
    epochs: Sequence[int],
    right: FloatArray,
    known: Sequence[Wrong],
    place: int,
    tolerance: float,
) -> str | None:
    """Which known mistake gives this column, where some of its numbers tell it from what is
    `right`."""
    excluded = np.count_nonzero(~column.is_like(right, tolerance))
    if excluded < LEAST_WRONG or not column.values.any():
        return None
    is_found = name == "loss" or name.startswith("grad_")
    for mistake, made in known:
        for shift in (0, -1, 1):
            rows = np.array(epochs) + shift - is_found
            if rows.min() < 0 or rows.max() >= len(made):
                continue
            if column.is_like(made[rows, place], tolerance).all():
                if shift:
                    return SHIFTED["found" if is_found else "params", shift]
                if mistake:
                    return mistake
    return None


@dataclass(frozen=True)
class Handout:
    """Data for one student: what is None is drawn from the seed.

    w : the weights that the data are made with, b the intercept.
    noise : the standard deviation of what is added.
    outliers : how many rows are far off.
    classes : whether y is 0 or 1, with the probability σ(w·x + b).
    """

    seed: int
    rows: int = 25
    features: int = 1
    w: tuple[float, ...] | None = None
    b: float | None = None
    noise: float | None = None
    outliers: int = 0
    classes: bool = False

    @cached_property
    def drawn(self) -> tuple[list[str], FloatArray, FloatArray]:
        """The names of the columns, the rows, which have two decimals as the lecture's, or more
        where the noise is smaller, and the params that they are made with."""
        random, size = np.random.default_rng(self.seed), self.features
        if self.w is not None and len(self.w) != size:
            numbers = "1 number" if size == 1 else f"{size} numbers"
            raise UsageError(f"`w` takes {numbers} here, one for each of `features`")
        if self.rows * size > MOST_NUMBERS_MADE:
            raise UsageError(f"`rows` takes at most {MOST_NUMBERS_MADE // size:,} here")
        if self.outliers > self.rows:
            raise UsageError(f"`outliers` takes at most the number of `rows`, {self.rows}")
        weights = random.uniform(0.2, 0.9, size) * random.choice([1, 1, -1], size)
        intercept, noise = random.uniform(0.1, 0.6), random.uniform(0.02, 0.05)
        x = np.tile(0.1 * np.arange(1, self.rows + 1)[:, np.newaxis], size)
        x[:, 1:] = random.uniform(0, x.max(), (self.rows, size - 1)).round(2)
        if self.classes:  # which meet in the middle
            weights *= 20 / (1 + np.ptp(x[:, 0]))
            intercept = -weights @ x.mean(axis=0)
        weights = weights if self.w is None else np.array(self.w)
        intercept = intercept if self.b is None else self.b
        z = x @ weights + intercept
        noise = noise if self.noise is None else self.noise
        z += noise * random.standard_normal(self.rows)
        far = random.permutation(self.rows)[: self.outliers]
        names = ["x"] if size == 1 else [f"x{place}" for place in range(1, size + 1)]
        if self.classes:
            y = self.drawn_classes(random, pd.DataFrame(x.round(2), columns=names), z, far)
        else:
            z[far] += 2 * (1 + np.ptp(z)) * random.choice([-1, 1], len(far))
            digits = -math.floor(math.log10(noise)) if noise else MOST_DIGITS
            y = z.round(min(max(digits, 2), MOST_DIGITS))
        if not np.isfinite(y).all():
            raise GdfitError("the numbers are too large for float64")
        rows = np.column_stack([x.round(2), y]) + 0.0
        return [*names, "y"], rows, np.append(weights, intercept)

    def drawn_classes(
        self, random: np.random.Generator, x: pd.DataFrame, z: FloatArray, far: NDArray[np.intp]
    ) -> FloatArray:
        """Classes of the probability σ(z), those of the rows `far` off the other way round: drawn
        until no plane separates them, without which there is no minimum."""
        for _ in range(DRAWN):
            y = (random.random(self.rows) < sigmoid(z)).astype(float)
            y[far] = 1 - y[far]
            with suppress(GdfitError), warnings.catch_warnings():  # where all are of one class
                warnings.simplefilter("ignore", GdfitWarning)
                if not train(x, y, loss="logistic", epochs=1).model.facts["separable"]:
                    return y
        raise GdfitError(f"{DRAWN} draws gave classes that don't overlap: take more `rows`")

    @property
    def text(self) -> str:
        """The data as CSV."""
        names, rows, _ = self.drawn
        lines = [names, *([f"{value:.12g}" for value in row] for row in rows)]
        return "".join(f"{','.join(line)}\n" for line in lines)

    @property
    def fit(self) -> Fit:
        """What `train` gives for them."""
        names, rows, _ = self.drawn
        loss: LossName = "logistic" if self.classes else "mse"
        return train(pd.DataFrame(rows, columns=names), target="y", loss=loss)
