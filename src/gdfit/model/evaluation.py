"""How well a model predicts: its errors on observations, of files or of what Python holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import DataFile, NumberedRows, buffered, rows_at_once
from gdfit.data.dataset import Dataset
from gdfit.data.observations import SAME, Fitted, Observations, difference
from gdfit.data.reduction.condense import Condense
from gdfit.data.reduction.tree import Spot, reduce_files
from gdfit.data.sources.frames import (
    FrameFile,
    array_of,
    frame_file,
    is_frame,
    same_rows,
    shapes_differ,
    unmasked,
)
from gdfit.data.sources.stores import WITHOUT_ROWS
from gdfit.data.terms.columns import Advice, Columns
from gdfit.data.terms.levels import Levels, check_probability
from gdfit.data.terms.lookup import LayoutTable, find_columns, find_features
from gdfit.data.terms.row_maker import RowMaker
from gdfit.data.terms.terms import Factor, read_product
from gdfit.data.text.dialect import Dialect, Selection, several
from gdfit.data.text.header import Layout
from gdfit.errors import (
    FieldError,
    GdfitError,
    NoObservationsError,
    UsageError,
    a_kind,
    listing,
    printable,
)
from gdfit.model.classification import Confusion, Ranking, confusion_of, ranking_of
from gdfit.model.linear import LinearModel, as_model


@dataclass(frozen=True)
class Evaluation:
    """Errors of a model's predictions ŷ on N observations.

    mse, rmse, mae : the mean of (ŷ − y)², its root, and the mean of |ŷ − y|: NaN of condensed
        rows, which don't tell it.
    r_squared : R² = 1 − Σ(ŷ − y)²/Σ(y − ȳ)²; NaN where y does not vary. Of a model without an
        intercept, ȳ is 0, as in training.
    """

    observations: int
    mse: float
    rmse: float
    mae: float
    r_squared: float


@dataclass(frozen=True)
class ClassEvaluation:
    """How well a model tells two classes apart on N observations.

    log_loss : the mean of −log of the probability that it gives to what is observed.
    accuracy : the part of them that it tells right.
    auc : area under the ROC curve.
    confusion : [[true negatives, false positives], [false negatives, true positives]].
    """

    observations: int
    log_loss: float
    accuracy: float
    auc: float
    confusion: list[list[int]]


@dataclass(frozen=True)
class Told:
    """What probabilities of two classes come to on N observations.

    log_loss : the sum of −log of the probability of what is observed.
    """

    confusion: Confusion = field(default_factory=Confusion)
    log_loss: float = 0.0
    ranking: Ranking = field(default_factory=Ranking)

    def merged(self, other: Told) -> Told:
        """That on both."""
        return Told(
            self.confusion.merged(other.confusion),
            self.log_loss + other.log_loss,
            self.ranking.merged(other.ranking),
        )

    @property
    def count(self) -> int:
        """N."""
        return round(self.confusion.total)

    def evaluation(self, file: str | None = None) -> ClassEvaluation:
        """What they say of the predictions for the file that is called so."""
        if not self.count:
            raise NoObservationsError(file=file)
        log_loss, matrix = self.log_loss / self.count, self.confusion.matrix.astype(int).tolist()
        accuracy, auc = self.confusion.accuracy, self.ranking.auc
        return ClassEvaluation(self.count, log_loss, accuracy, auc, matrix)


def told_on(model: LinearModel, blocks: Iterable[FloatArray], threshold: float) -> Told:
    """How the model tells the classes of `blocks` of rows: see `errors_on`."""
    told, columns = Told(), model.made_of.width + 2
    for rows in buffered(blocks, rows_at_once(columns), columns):
        y, z = rows[:, -1], model.predictor_at_rows(rows)
        probabilities = model.mean(z)
        confusion = confusion_of(probabilities >= threshold, y)
        log_loss = float(np.logaddexp(0.0, np.where(y > 0.5, -z, z)).sum())
        told = told.merged(Told(confusion, log_loss, ranking_of(probabilities, y)))
    return told


@dataclass(frozen=True)
class Errors:
    """What the errors of predictions on N observations add up to.

    count : N.
    squares, absolutes : Σ(ŷ − y)² and Σ|ŷ − y|.
    mean, total : ȳ and Σ(y − ȳ)²; of a model without an intercept, 0 and Σy².
    """

    count: int = 0
    squares: float = 0.0
    absolutes: float = 0.0
    mean: float = 0.0
    total: float = 0.0

    def merged(self, other: Errors) -> Errors:
        """Those on both, put together (Chan et al., 1979)."""
        count = self.count + other.count
        shift, part = other.mean - self.mean, other.count / count
        squares, absolutes = self.squares + other.squares, self.absolutes + other.absolutes
        total = self.total + (other.total + shift * shift * self.count * part)
        return Errors(count, squares, absolutes, self.mean + shift * part, total)

    def evaluation(self, file: str | None = None) -> Evaluation:
        """What they say of the predictions for the file that is called so."""
        if not self.count:
            raise NoObservationsError(file=file)
        mse = self.squares / self.count
        if not math.isfinite(mse):
            raise GdfitError("the errors are too large for float64 to square")
        varies = self.total > SAME**2 * (self.total + self.count * self.mean * self.mean)
        r_squared = 1 - self.squares / self.total if varies else math.nan
        return Evaluation(self.count, mse, math.sqrt(mse), self.absolutes / self.count, r_squared)


@np.errstate(over="ignore", invalid="ignore")  # what is too large is told as an error
def errors_on(model: LinearModel, blocks: Iterable[FloatArray]) -> Errors:
    """The model's errors on `blocks` of rows: the numbers and levels' codes that its features are
    made of, then the target."""
    errors = Errors()
    centred = model.intercept
    columns = model.made_of.width + 2
    for rows in buffered(blocks, rows_at_once(columns), columns):
        y = rows[:, -1]
        residuals = model.at_rows(rows) - y
        mean = float(y.mean()) if centred else 0.0
        total = float(((y - mean) ** 2).sum()) if centred else float(y @ y)
        squares, absolutes = float(residuals @ residuals), float(np.abs(residuals).sum())
        errors = errors.merged(Errors(len(y), squares, absolutes, mean, total))
    return errors


def evaluate_rows(model: LinearModel, dataset: Dataset, threshold: float = 0.5) -> Evaluation | Any:
    """The model's errors on the observations in the files.

    The column with the observed values is the selection's target: by default the model's, or the
    last column where there is no header.
    """
    if dataset.stored:
        found = observed_condensed(model, dataset)
        if found.weights_name:
            what = f"{dataset.name} has been condensed with weights {printable(found.weights_name)}"
            dataset.tell(f"{what}, and so is evaluated with them")
        return evaluate_condensed(model, found)
    recipe = Observed(model, dataset.selection.target, drop_missing=dataset.dialect.drop_missing)
    dataset = as_trained(model, dataset)
    errors: Errors | Told = dataset.reduced(lambda first: Measure(recipe, threshold))
    return errors.evaluation(dataset.name)


def observed_condensed(model: LinearModel, dataset: Dataset) -> Observations:
    """The observations in condensed files, as the model sees them."""
    if model.classes or model.made_of.by:
        raise UsageError(f"{dataset.name} {WITHOUT_ROWS}")
    terms = model.expansion.terms if model.expansion else model.features
    target = dataset.selection.target or model.target
    selection = Selection(tuple(map(str, terms)), target)
    found = replace(dataset, selection=selection).observations()
    if found.features != model.features:
        there = f"has been condensed to {listing(found.features)}"
        what = f"{there}; the model's features are {listing(model.features)}"
        raise GdfitError(what, file=dataset.name)
    if other := difference(found, model):
        what = f"has been condensed with {other[0]}, and the model has {other[1]}"
        raise GdfitError(what, file=dataset.name)
    return found


def evaluate_condensed(model: LinearModel, observations: Observations) -> Evaluation:
    """The model's errors on condensed observations, of which the mean size is not known."""
    params = np.array(model.params)
    around = observations.around
    from_origin = np.append(params[:-1], params[-1] + params[:-1] @ around.origin)
    errors = around.rows[:, :-1] @ from_origin - around.rows[:, -1]
    mse = float(errors @ errors) / observations.total_weight
    r_squared = observations.r_squared(params)
    return Evaluation(observations.count, mse, math.sqrt(mse), math.nan, r_squared)


def observe(model: LinearModel, dataset: Dataset, *, keep: float = 0) -> Observations:
    """The observations in the files, condensed, as the model sees them: its features, and what is
    observed of its target, found as in `evaluate_rows`; with the weights that it was trained
    with, and without an intercept if it has none.

    keep : how many bytes of rows to keep beside them, where there are no more; infinite for all.
    """
    if dataset.stored:
        found = observed_condensed(model, dataset)
        if found.weights_name != model.weights_name:
            here, there = (f"weights {each.weights_name or 'none'}" for each in (found, model))
            what = f"has been condensed with {here}, and the model has {there}"
            raise GdfitError(what, file=dataset.name)
        return found
    known = (model, dataset.selection.target, model.weights_name, dataset.dialect.drop_missing)
    recipe = Observed(*known)
    dataset = as_trained(model, dataset)
    # The likelihood of classes is of the rows themselves.
    job = Condense(recipe, keep=math.inf if model.classes else keep)
    piles: list[Observations | None] = dataset.reduced(lambda first: job)
    if piles[0] is None:
        raise NoObservationsError(file=dataset.name)
    return piles[0]


def as_trained(model: LinearModel, dataset: Dataset) -> Dataset:
    """The data set, its columns written as in training where nothing else is said or shown."""
    dialect = dataset.dialect.with_kept(model.facts.get("dialect"))
    if not dialect.decimal and not dialect.thousands:
        dialect = replace(dialect, known=model.spellings)
    return replace(dataset, dialect=dialect)


@dataclass(frozen=True)
class Observed:
    """Recipe of the rows that a model is compared with: what it predicts from, the weights, if a
    column of them is named, and the observed values of the target."""

    model: LinearModel
    target: str | None = None
    weights: str | None = None
    drop_missing: bool = False

    @property
    def columns(self) -> Columns:
        """What is read of them."""
        model = self.model
        expansion = replace(model.made_of, intercept=model.intercept)
        target, classes = Factor(model.target), model.classes
        return Columns(expansion, target, weights=self.weights, classes=classes)

    def advice(self, fault: FieldError, layout: Layout) -> Advice:
        """Nothing: a model needs the columns that it needs."""
        return "", {}

    def maker(self, file: DataFile) -> RowMaker:
        """What makes rows of a file: see `Recipe`."""
        model, layout = self.model, file.layout
        place_of = find_features(layout, file.name, model.inputs)
        asked = Selection(target=self.target)
        table = LayoutTable(layout, file.name, all_numbers=True, selection=asked)
        by_name = [layout.names[place] for place in place_of.values()] == [*place_of]
        if self.target or layout.named or (by_name and read_product(model.target, table)):
            factor = table.target(self.target or model.target)
            place = find_columns(layout, file.name, [factor.column])[factor.column]
        else:
            place = len(layout.names) - 1
            factor = Factor(layout.names[place])
            if place in place_of.values():
                what = "has no header, and no column with the observed values besides those that "
                what += f"the model predicts from ({listing(model.inputs)})"
                raise GdfitError(what, file=file.name)
        if factor.column in place_of and place not in place_of.values():
            # The model's is another one.
            factor = replace(factor, column=f"{factor.column} (observed)")
        place_of[factor.column] = place
        if self.weights is not None:
            place_of |= find_columns(layout, file.name, [self.weights])
        known = (self.columns.expansion, place_of, factor, self.weights, self.drop_missing)
        return RowMaker(*known, model.classes)


@dataclass(frozen=True)
class Measure:
    """Sums up a model's errors: a `Job`. A row is taken for the positive class where its
    probability is at least the `threshold`."""

    recipe: Observed
    threshold: float = 0.5

    def leaf(
        self, batches: Iterator[NumberedRows], levels: Levels, spot: Spot
    ) -> Errors | Told | None:
        """Those on the rows of a unit."""
        model, blocks = self.recipe.model, (rows for _, rows in batches)
        errors: Errors | Told
        if model.classes:
            errors = told_on(model, blocks, self.threshold)
        else:
            errors = errors_on(model, blocks)
        return errors if errors.count else None

    def keeper(self) -> None:
        """Nothing: sums need no order."""

    def result(self, part: Errors | Told | None, keeper: None) -> Errors | Told:
        """Those on all rows."""
        return part or Errors()


def with_observed(model: LinearModel, x: Any, y: Any) -> FrameFile:
    """The rows `x`, a DataFrame or an array, with the observed values `y` of the model's target."""
    same_rows(x, y)
    observed = array_of(y, "target", texts=model.classes is not None)
    if not is_frame(x):
        x = unmasked(x, object)
        x = x[:, np.newaxis] if x.ndim == 1 else x
    if observed.shape != (len(x),):
        raise shapes_differ(x, observed)
    return model.rows_of(x, (model.target, observed))


def evaluate(
    model: LinearModel | Fitted,
    data: Any,
    target: Any = None,
    *,
    dialect: Dialect | None = None,
    drop_missing: bool = False,
    threshold: float = 0.5,
) -> Evaluation | Any:
    """How far a model's predictions are from what is observed; of a model of two classes, a
    `ClassEvaluation`.

    Parameters
    ----------
    model : any linear model, or a fit.
    data : a DataFrame, or the path of a data file, or several; columns are found by name. Or with
        the values of the target, rows as `LinearModel.predict` takes them, or of one feature x.
    target : the column with the observed values, or a term; by default the model's target. Or the
        observed values, shape (N,).
    dialect : how the files are written.
    drop_missing : skip rows of a DataFrame with a missing value, which are an error otherwise. Of
        files, the dialect says so.
    threshold : of two classes, the probability from which on a row is taken for the positive one.

    Raises
    ------
    GdfitError : a column is missing, or can't be used.

    Examples
    --------
    >>> import gdfit, pandas
    >>> model = gdfit.LinearModel((2.0,), 1.0, ("x",), "y")
    >>> gdfit.evaluate(model, pandas.DataFrame({"x": [1, 2, 3], "y": [3, 5, 8]})).mae
    0.3333333333333333
    """
    check_probability(threshold)
    model = as_model(model)
    given = target is not None and not isinstance(target, str)
    if not given and not is_frame(data):
        if not isinstance(data, str | PathLike | list | tuple):
            what = "takes a DataFrame or files, or arrays with `target`"
            raise UsageError(f"`data` {what}, not {a_kind(data)}")
        dataset = Dataset(several(data), Selection(target=target), dialect or Dialect())
        return evaluate_rows(model, dataset, threshold)
    file = with_observed(model, data, target) if given else frame_file(data, dialect=model.dialect)
    recipe = Observed(model, None if given else target, drop_missing=drop_missing)
    job = Measure(recipe, threshold)
    errors: Errors | Told = reduce_files([file], job)[0]
    return errors.evaluation(file.name)
