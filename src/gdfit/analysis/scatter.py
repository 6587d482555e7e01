"""Standard errors that hold where residuals scatter more in some rows than in others, or depend on
each other in clusters: the sandwich (AᵀA)⁻¹AᵀDA(AᵀA)⁻¹ (White, Econometrica 48, 1980; MacKinnon and
White, J. Econometrics 29, 1985; Liang and Zeger, Biometrika 73, 1986).

With A = QR it is R⁻¹QᵀDQR⁻ᵀ, and QᵀDQ = SᵀS, with the rows of Q each times the residual for S. So
S is condensed as A was, by QR, in one more reading of the rows.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray, triangular
from gdfit.data.batch import Asked, Batch, DataFile, Level, NumberedRows, buffered, rows_at_once
from gdfit.data.dataset import Dataset
from gdfit.data.observations import Observations
from gdfit.data.reduction.tree import Spot
from gdfit.data.sources.stores import WITHOUT_ROWS
from gdfit.data.terms.expansion import level_name
from gdfit.data.terms.levels import Levels
from gdfit.data.terms.lookup import MissingColumnError, find_columns
from gdfit.data.terms.row_maker import RowMaker
from gdfit.descent.least_squares import precision_of_squares
from gdfit.descent.objective import kept_rows
from gdfit.errors import GdfitError, UsageError
from gdfit.model.evaluation import Observed, as_trained
from gdfit.model.intervals import ALONE, Precision
from gdfit.model.linear import LinearModel

Robust = Literal["hc0", "hc1", "hc2", "hc3"]
# What a residual is times, in a row of leverage h.
FACTORS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "hc0": np.ones_like,
    "hc1": np.ones_like,
    "hc2": lambda h: 1 / np.sqrt(1 - h),
    "hc3": lambda h: 1 / (1 - h),
}


@dataclass(frozen=True, eq=False)
class Scatter:
    """How residuals scatter.

    kind : of the standard errors: see `FACTORS`, or ``cluster``.
    count : of how many rows.
    rows : S, condensed, shape (m, k); of clusters, the sum of the rows of S that are in each.
    clusters : the place of each cluster among the rows, by name.
    """

    kind: str
    count: int
    rows: FloatArray
    clusters: Mapping[str, int] = field(default_factory=dict)

    def merged(self, other: Scatter) -> Scatter:
        """That of both."""
        count = self.count + other.count
        if self.kind != "cluster":
            return Scatter(self.kind, count, triangular(np.concatenate([self.rows, other.rows])))
        clusters = dict(self.clusters)
        places = [clusters.setdefault(name, len(clusters)) for name in other.clusters]
        sums = np.zeros((len(clusters), self.rows.shape[1]))
        sums[: len(self.rows)] = self.rows
        sums[places] += other.rows
        return Scatter(self.kind, count, sums, clusters)

    def df(self, left: int) -> int:
        """The degrees of freedom of t, with so many `left` of the residuals."""
        return len(self.clusters) - 1 if self.kind == "cluster" else left

    def errors(self, root: FloatArray) -> FloatArray:
        """The standard errors of the params whose rows of R⁻¹ are those of `root`."""
        count, left, clusters = self.count, self.count - root.shape[1], len(self.clusters)
        factor = count / left if self.kind == "hc1" else 1.0
        if self.kind == "cluster":
            if clusters < 2:
                raise UsageError("`cluster` takes a column with two values at least")
            factor = clusters / (clusters - 1) * (count - 1) / left
        return cast(FloatArray, math.sqrt(factor) * np.linalg.norm(self.rows @ root.T, axis=0))


@dataclass(frozen=True, eq=False)
class Scattering:
    """What makes the scatter of rows, from how well the params are known."""

    kind: str
    precision: Precision

    def of(self, rows: FloatArray, codes: NDArray[np.int64], names: Sequence[str]) -> Scatter:
        """The scatter of rows of features, a one, y, and the weight if there is one, which belong
        to the clusters that are called so."""
        size = len(self.precision.center)
        design = np.column_stack([rows[:, :size] - self.precision.center, np.ones(len(rows))])
        projected = design @ self.precision.root
        residuals = rows[:, size + 1] - design @ self.precision.params
        if rows.shape[1] > size + 2:
            projected = projected * np.sqrt(rows[:, -1:])
            residuals = residuals * np.sqrt(rows[:, -1])
        if self.kind == "cluster":
            own = projected * residuals[:, np.newaxis]
            sums = np.zeros((len(names), own.shape[1]))
            for place, column in enumerate(own.T):
                sums[:, place] = np.bincount(codes, column, len(names))
            return Scatter(
                self.kind, len(rows), sums, {name: place for place, name in enumerate(names)}
            )
        leverages = (projected * projected).sum(axis=1)
        if self.kind in ("hc2", "hc3") and (1 - leverages < ALONE).any():
            what = "an observation that alone tells a param has no residual, and `robust`"
            raise GdfitError(f"{what} {self.kind} divides by it: hc1 does not")
        residuals = residuals * FACTORS[self.kind](leverages)
        return Scatter(self.kind, len(rows), triangular(projected * residuals[:, np.newaxis]))


def scatter_in(observations: Observations, kind: str, clusters: Any = None) -> Scatter | None:
    """The scatter of rows that have been kept; None where no error can be told.

    clusters : of each row, the cluster that it belongs to, shape (n,), for the kind ``cluster``.
    """
    if kind != "cluster" and kind not in FACTORS:
        raise UsageError(f"`robust` takes one of {', '.join(FACTORS)}, not {kind!r}")
    precision = precision_of_squares(observations)
    if precision is None:
        return None
    names, codes = ["all"], np.zeros(observations.count, np.int64)
    if clusters is not None:
        said, codes = np.unique(np.asarray(clusters), return_inverse=True)
        names = [*map(str, said.tolist())]
        if codes.shape != (observations.count,):
            what = f"a cluster for each of the {observations.count} observations"
            raise UsageError(f"`cluster` takes {what}, not {codes.size}")
    scattering, parts, start = Scattering(kind, precision), [], 0
    for block in kept_rows(observations).blocks():
        parts.append(scattering.of(block, codes[start : start + len(block)], names))
        start += len(block)
    return reduce(Scatter.merged, parts)


def read_scatter(
    model: LinearModel,
    dataset: Dataset,
    observations: Observations,
    kind: str,
    cluster: str | None = None,
) -> Scatter | None:
    """The scatter of the rows in files that have been read as `observations`, in another reading.

    cluster : the column that says which cluster a row belongs to, for the kind ``cluster``.
    """
    name = "robust" if cluster is None else "cluster"
    if dataset.stored:
        raise UsageError(f"{dataset.name} {WITHOUT_ROWS}")
    if "-" in dataset.files:
        raise UsageError(f"`{name}` reads DATA twice, and standard input can be read only once")
    precision = precision_of_squares(observations)
    if precision is None:
        return None
    known = (model, dataset.selection.target, model.weights_name, dataset.dialect.drop_missing)
    job = Scatters(Clustered(*known, cluster=cluster), Scattering(kind, precision))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is to be said was said in the first reading
        found: Scatter | None = replace(as_trained(model, dataset), progress=None).reduced(
            lambda first: job
        )
    missed = observations.count - (found.count if found else 0)
    if missed:
        rows = "1 row has" if missed == 1 else f"{missed} rows have"
        what = f"{rows} no value there: leave out of DATA what is in no cluster"
        raise GdfitError(what, file=dataset.name, column=cluster)
    return found


@dataclass(frozen=True, eq=False)
class Clustered(Observed):
    """Recipe of the rows that a model is compared with, with the code of the cluster of each.

    cluster : the column that says which; by default all are in one.
    """

    cluster: str | None = None

    def maker(self, file: DataFile) -> RowMaker:
        """What makes rows of a file: see `Recipe`."""
        made = super().maker(file)
        known = {name: getattr(made, name) for name in RowMaker.__dataclass_fields__}
        if self.cluster is None:
            return ClusterMaker(**known)
        try:
            (place,) = find_columns(file.layout, file.name, [self.cluster]).values()
        except MissingColumnError as error:  # which the model does not need
            raise GdfitError(str(error)) from None
        kind: Any = "exact" if file.layout.names[place] in file.layout.numeric else "word"
        return ClusterMaker(**known, cluster=Asked(place, kind))


@dataclass
class ClusterMaker(RowMaker):
    """Makes rows with the code of their cluster behind them.

    cluster : the column to read it from.
    codes : those of the clusters that have come, by name.
    """

    cluster: Asked | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.levels = ClusterLevels(self.expansion)

    @property
    def asked(self) -> list[Asked]:
        """What is read of the file."""
        return [*super().asked, *([self.cluster] if self.cluster else [])]

    def made(self, batch: Batch, *, checked: bool = True) -> FloatArray:
        """The rows of a batch, all of which count: see `RowMaker`."""
        codes = np.zeros(len(batch.numbers), np.int64)
        if self.cluster:
            *words, (found, said) = batch.words
            batch = batch._replace(words=tuple(words))
            codes = cast(ClusterLevels, self.levels).cluster_codes(said)[found]
        return np.column_stack([super().made(batch, checked=checked), codes])


class ClusterLevels(Levels):
    """The levels of the categories of a fit, and the names of clusters, of which there may be any
    number."""

    def __init__(self, expansion: Any) -> None:
        super().__init__(expansion)
        self.clusters: dict[str, int] = {}

    def cluster_codes(self, said: Sequence[Level]) -> NDArray[np.int64]:
        """The codes of clusters that are called so."""
        names = (level_name(level) for level in said)
        codes = [self.clusters.setdefault(name, len(self.clusters)) for name in names]
        return np.array(codes, np.int64)


@dataclass(frozen=True, eq=False)
class Scatters:
    """Sums up how residuals scatter: a `Job`."""

    recipe: Clustered
    scattering: Scattering

    def leaf(self, batches: Iterator[NumberedRows], levels: Levels, spot: Spot) -> Scatter | None:
        """That of the rows of a unit."""
        columns = self.recipe.columns
        width = columns.width + 2  # with a one, and the code
        found: Scatter | None = None
        for rows in buffered(coded_first(batches), rows_at_once(width), width):
            codes = rows[:, 0].astype(np.int64)
            names = [*cast(ClusterLevels, levels).clusters] or ["all"]
            part = self.scattering.of(columns.expansion.expand(rows[:, 1:]), codes, names)
            found = found.merged(part) if found else part
        return found

    def keeper(self) -> None:
        """Nothing: sums need no order."""

    def result(self, part: Scatter | None, keeper: None) -> Scatter | None:
        """That of all rows."""
        return part


def coded_first(batches: Iterable[NumberedRows]) -> Iterator[FloatArray]:
    """Rows with the code behind them, with it before them."""
    for _, rows in batches:
        yield np.roll(rows, 1, axis=1)
