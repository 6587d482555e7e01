"""A model and what was observed: its errors, block by block, and the observations themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.columns import Columns, find_columns, find_features
from gdfit.data.condense import Condenser
from gdfit.data.csv_file import CsvFile
from gdfit.data.dataset import Dataset
from gdfit.data.observations import Observations
from gdfit.data.rows import RowBuffer, rows_at_once
from gdfit.errors import GdfitError, NoObservationsError, listing
from gdfit.model.linear import LinearModel


@dataclass(frozen=True)
class Evaluation:
    """Errors of a model's predictions ŷ on N observations.

    mse, rmse, mae : the mean of (ŷ − y)², its root, and the mean of |ŷ − y|.
    r_squared : R² = 1 − Σ(ŷ − y)²/Σ(y − ȳ)²; NaN where y does not vary.
    """

    observations: int
    mse: float
    rmse: float
    mae: float
    r_squared: float


def evaluate(model: LinearModel, blocks: Iterable[FloatArray]) -> Evaluation:
    """Evaluate `model` on `blocks` of shape (rows, p+1): its features in order, then the target."""
    count, mean = 0, 0.0
    squares = absolutes = total = 0.0

    def take(rows: FloatArray) -> None:
        nonlocal count, mean, squares, absolutes, total
        *x, y = rows.T
        residuals = model.predict(x) - y
        squares += float(residuals @ residuals)
        absolutes += float(np.abs(residuals).sum())
        # Σ(y − ȳ)² of the rows so far and of these, put together (Chan et al., 1979).
        shift = float(y.mean()) - mean
        part = len(y) / (count + len(y))
        total += float(((y - y.mean()) ** 2).sum()) + shift * shift * count * part
        mean += shift * part
        count += len(y)

    columns = len(model.features) + 1
    rows = RowBuffer(rows_at_once(columns), columns, take)
    for block in blocks:
        rows.add(block)
    rows.flush()
    if not count:
        raise NoObservationsError
    mse = squares / count
    if not math.isfinite(mse):
        raise GdfitError("the errors are too large for float64 to square")
    r_squared = 1 - squares / total if total > 0 else math.nan
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
    observed of its target, found as in `evaluate_rows`."""
    condenser = Condenser(Columns(model.features, model.target))
    for block in observed_blocks(model, dataset):
        condenser.add(block)
    try:
        return condenser.observations()
    except NoObservationsError:
        raise NoObservationsError(file=dataset.name) from None


def observed_blocks(model: LinearModel, dataset: Dataset) -> Iterator[FloatArray]:
    """Blocks of the model's features and the observed values, shape (rows, p+1)."""
    for file in dataset.open_files():
        yield from file.blocks(find_observed(model, file, dataset.selection.target))


def find_observed(model: LinearModel, file: CsvFile, target: str | None) -> tuple[int, ...]:
    """Where the model's features and the observed values stand in `file`."""
    layout = file.layout
    features = find_features(layout, file.name, model.features)
    if target or layout.named:
        return features + find_columns(layout, file.name, [target or model.target])
    last = len(layout.names) - 1
    if last in features:
        raise GdfitError(
            "has no header, and no column with the observed values besides those that the model"
            f" predicts from ({listing(model.features)})",
            file=file.name,
        )
    return (*features, last)
