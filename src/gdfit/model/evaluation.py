"""How well a model predicts: its errors on observations, block by block."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.columns import Columns
from gdfit.data.condense import Condenser
from gdfit.data.data_file import DataFile
from gdfit.data.dataset import Dataset
from gdfit.data.finding import LayoutTable, find_columns, find_features
from gdfit.data.levels import Levels
from gdfit.data.making import RowMaker
from gdfit.data.observations import SAME, Observations
from gdfit.data.rows import RowBuffer, rows_at_once
from gdfit.data.terms import Factor, read_term
from gdfit.errors import GdfitError, NoObservationsError, UsageError, listing
from gdfit.model.linear import LinearModel


@dataclass(frozen=True)
class Evaluation:
    """Errors of a model's predictions ŷ on N observations.

    mse, rmse, mae : the mean of (ŷ − y)², its root, and the mean of |ŷ − y|.
    r_squared : R² = 1 − Σ(ŷ − y)²/Σ(y − ȳ)²; NaN where y does not vary. Of a model without an
        intercept, ȳ is 0, as in training.
    """

    observations: int
    mse: float
    rmse: float
    mae: float
    r_squared: float


@np.errstate(over="ignore", invalid="ignore")  # what is too large is told as an error
def evaluate(model: LinearModel, blocks: Iterable[FloatArray]) -> Evaluation:
    """Evaluate `model` on `blocks` of rows: the numbers and levels' codes that its features are
    made of, then the target."""
    count, mean = 0, 0.0
    centred = model.facts.get("intercept") is not False
    squares = absolutes = total = 0.0

    def take(rows: FloatArray) -> None:
        nonlocal count, mean, squares, absolutes, total
        y = rows[:, -1]
        residuals = model.at_rows(rows) - y
        squares += float(residuals @ residuals)
        absolutes += float(np.abs(residuals).sum())
        if not centred:
            total += float(y @ y)
            count += len(y)
            return
        # Σ(y − ȳ)² of the rows so far and of these, put together (Chan et al., 1979).
        shift = float(y.mean()) - mean
        part = len(y) / (count + len(y))
        total += float(((y - y.mean()) ** 2).sum()) + shift * shift * count * part
        mean += shift * part
        count += len(y)

    columns = model.made_of.width + 2
    rows = RowBuffer(rows_at_once(columns), columns, take)
    for block in blocks:
        rows.add(block)
    rows.flush()
    if not count:
        raise NoObservationsError
    mse = squares / count
    if not math.isfinite(mse):
        raise GdfitError("the errors are too large for float64 to square")
    varies = total > SAME**2 * (total + count * mean * mean)
    r_squared = 1 - squares / total if varies else math.nan
    return Evaluation(count, mse, math.sqrt(mse), absolutes / count, r_squared)


def evaluate_rows(model: LinearModel, dataset: Dataset) -> Evaluation:
    """The model's errors on the observations in the files.

    The column with the observed values is the selection's target: by default the model's, or the
    last column where there is no header.
    """

    try:
        return evaluate(model, observed_blocks(model, dataset))
    except NoObservationsError:
        raise NoObservationsError(file=dataset.name) from None


def observe(model: LinearModel, dataset: Dataset) -> Observations:
    """The observations in the files, condensed, as the model sees them: its features, and what is
    observed of its target, found as in `evaluate_rows`; with the weights that it was trained
    with, and without an intercept if it has none."""
    intercept, weights = model.facts.get("intercept") is not False, model.facts.get("weights")
    columns = Columns(
        model.features,
        model.target,
        known=replace(model.made_of, intercept=intercept),
        weights=weights if isinstance(weights, str) else None,
        intercept=intercept,
    )
    condenser = Condenser(columns)
    for block in observed_blocks(model, dataset, columns.weights):
        condenser.add(block)
    try:
        return condenser.observations()
    except NoObservationsError:
        raise NoObservationsError(file=dataset.name) from None


def observed_blocks(
    model: LinearModel, dataset: Dataset, weights: str | None = None
) -> Iterator[FloatArray]:
    """Blocks of what the model predicts from, the weights, if a column of them is named, and the
    observed values."""
    for file in dataset.open_files():
        yield from maker_for(model, file, dataset.selection.target, weights).all_rows(file)


def maker_for(
    model: LinearModel, file: DataFile, target: str | None, weights: str | None = None
) -> RowMaker:
    """What makes the rows of `file`: what the model predicts from, the weights, if a column of them
    is named, and the observed values."""
    layout = file.layout
    inputs = find_features(layout, file.name, model.inputs)
    if target or layout.named:
        table = LayoutTable(layout, file.name, all_numbers=True)
        (factor, *more) = read_term(target or model.target, table).factors
        if more or factor.is_category:
            raise UsageError(f"`target` takes a column or a function of one, not {target}")
        (place,) = find_columns(layout, file.name, [factor.column])
    else:
        place = len(layout.names) - 1
        factor = Factor(layout.names[place])
        if place in inputs:
            raise GdfitError(
                "has no header, and no column with the observed values besides those that the "
                f"model predicts from ({listing(model.inputs)})",
                file=file.name,
            )
    if factor.column in model.inputs and place not in inputs:
        factor = replace(factor, column=f"{factor.column} (observed)")  # the model's is another one
    place_of = {**dict(zip(model.inputs, inputs, strict=True)), factor.column: place}
    if weights is not None:
        place_of[weights] = find_columns(layout, file.name, [weights])[0]
    return RowMaker(model.made_of, Levels(model.made_of), place_of, factor, weights)
