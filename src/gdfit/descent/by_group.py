"""A fit for each group of observations: of many groups, the descents go side by side.

The squared loss of a group is a parabola, and where each of its descents is, is foretold as in
`gdfit.descent.closed_form`: along each eigenvector of its Hessian, E epochs multiply the distance
to the minimum by (1 − γλ)ᴱ. Groups that this does not hold for, because of the settings or of
columns that depend on each other there, are run one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray, triangular
from gdfit.data.batch import Level
from gdfit.data.given import observed
from gdfit.data.grouping import GroupedObservations
from gdfit.data.observations import SAME, Observations
from gdfit.data.terms.expansion import level_name
from gdfit.data.text.spellings import dated
from gdfit.dates import iso_date
from gdfit.descent import stopping
from gdfit.descent.curvature import ARRIVES, EXACT, SURE
from gdfit.descent.learning_rate import LOOKED_AT, Excess, excess_logarithms, log_factors
from gdfit.descent.outcome import Fit
from gdfit.descent.run import Options, Run, as_taken, parted
from gdfit.descent.settings import Settings
from gdfit.descent.start import Init
from gdfit.errors import GdfitError, UsageError
from gdfit.model.grouped import GroupedModel, group_name, record_in
from gdfit.model.linear import LinearModel
from gdfit.package import Displayed, __version__

if TYPE_CHECKING:
    import pandas as pd

TOO_FEW = "too few rows"

# The group and the inputs in it, and ŷ there.
Prediction = tuple[tuple[Level, ...], float]


@dataclass(frozen=True)
class GroupFit:
    """What the run of a group has come to: the `row` of its params, loss and R².

    group : its level.
    observations : how many rows it has.
    model : its model; none where the rows are fewer than the params, or the run has diverged.
    status : how it ended, as that of a `Fit`, or ``too few rows``.
    """

    group: Level
    observations: int
    model: LinearModel | None
    status: str

    @property
    def row(self) -> list[float]:
        """Its params, loss and R²; of classes, McFadden's."""
        if self.model is None:
            return []
        facts: Any = self.model.facts
        told = "pseudo_r_squared" if self.model.classes else "r_squared"
        return [*self.model.params, facts["loss"], facts[told]]


@dataclass(frozen=True, repr=False)
class GroupFits(Displayed):
    """The fits of all groups, each made when it is asked for: iterate over them, the largest group
    first.

    groups : the groups of the observations.
    settings : what was asked for.
    init : where each has started.
    stack : the descents that go side by side.
    """

    groups: GroupedObservations
    settings: Settings
    init: Init
    stack: Stack | None
    _alone: dict[int, GroupFit] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        groups = f"{len(self):,} group{'s' * (len(self) != 1)}"
        return f"<GroupFits: {groups} by {self.groups.column}, of {self.groups!r}>"

    def __len__(self) -> int:
        return len(self.groups.by_size)

    def __iter__(self) -> Iterator[GroupFit]:
        return map(self.at, self.groups.by_size)

    def at(self, place: int) -> GroupFit:
        """The fit of the group at a place."""
        groups = self.groups
        group, count = groups.groups[place], int(groups.counts[place])
        if count < len(groups.features) + groups.intercept:
            return GroupFit(group, count, None, TOO_FEW)
        if self.stack and self.stack.holds[place]:
            return GroupFit(group, count, self.stack.model(place), stopping.COMPLETED)
        if place not in self._alone:
            try:
                fit = self.fit(place)
            except UsageError:
                raise
            except GdfitError as error:
                raise GdfitError(f"{groups.made_of.by} {group_name(group)}: {error}") from None
            model = None if fit.status == stopping.DIVERGED else fit.model
            self._alone[place] = GroupFit(group, count, model, fit.status)
        return self._alone[place]

    def largest(self, most: int) -> list[Fit]:
        """The fits of the largest groups that have a model, each run by itself."""
        places = (place for place in self.groups.by_size if self.at(place).model)
        return [self.fit(place) for place in islice(places, most)]

    def fit(self, place: int) -> Fit:
        """The fit of one group by itself, without its history."""
        run = Run(self.groups.group(place), init=self.init, settings=self.settings)
        for _ in run:
            pass
        return run.fit()

    def label(self, group: Level) -> str:
        """A group as the data say it: a date as such."""
        is_date = self.groups.column in dated(self.groups.spellings)
        if (
            is_date
            and not isinstance(group, str)
            and str(self.groups.made_of.by) == f"C({self.groups.column})"
        ):
            return iso_date(float(group))
        return level_name(group)

    @property
    def features(self) -> tuple[str, ...]:
        """What each is fitted on."""
        return self.groups.features

    @property
    def has_models(self) -> bool:
        """Whether any group has a model."""
        return any(fit.model for fit in self)

    def records(
        self, facts: Mapping[str, object], predictions: Sequence[Prediction] = ()
    ) -> Iterator[dict[str, object]]:
        """What a model's file says of each group: `facts` that all share, and the predictions there
        in it."""
        at: dict[Level, list[dict[str, object]]] = {}
        for (group, *x), y in predictions:
            at.setdefault(group, []).append({"x": x, "y": y})
        whole = self.groups
        columns = {"features": [*whole.features], "target": whole.target_name}
        for fit in self:
            own = record_in(self.groups.made_of.by, fit.group)
            if fit.model:
                at_x = {"predictions": at.get(fit.group, [])}
                yield {**own, **fit.model.record, **facts, **at_x}
                continue
            none = dict.fromkeys(("w", "b", "loss", "r_squared"))
            ended = {"observations": fit.observations, "status": fit.status, "version": __version__}
            yield {**own, **none, **columns, **ended, **facts}

    @property
    def model(self) -> GroupedModel:
        """The models of all groups that have one, as one."""
        models = {each.group: each.model for each in self if each.model}
        assert self.groups.made_of.by
        return GroupedModel.of(self.groups.made_of.by, models)

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each group, as `gdfit train --by NAME --format csv` writes them."""
        import pandas as pd

        rows = [row_of(each, len(self.features)) for each in self]
        return pd.DataFrame(rows, columns=rows_header(self))


def rows_header(fits: GroupFits) -> list[str]:
    """The columns of a table of groups."""
    from gdfit.descent.outcome import params_names

    numbers = ("observations", *params_names(fits.features), "loss", "r_squared")
    return [fits.groups.column, *numbers, "status"]


def row_of(fit: GroupFit, features: int) -> list[object]:
    """A row of it: NaN where a group has no model."""
    numbers = fit.row or [math.nan] * (features + 3)
    return [fit.group, fit.observations, *numbers, fit.status]


@dataclass(frozen=True, repr=False)
class Stack:
    """Descents side by side, one for each group: arrays have a row for each.

    holds : which of them are foretold here, and have not diverged.
    params : w and b, in the data's own units.
    """

    groups: GroupedObservations
    settings: Settings
    scale: str
    holds: NDArray[np.bool_]
    params: FloatArray
    rates: FloatArray
    losses: FloatArray
    minimum_losses: FloatArray
    r_squared: FloatArray
    arrived: NDArray[np.bool_]
    limits: FloatArray
    means: FloatArray
    deviations: FloatArray
    triangles: FloatArray
    inverses: FloatArray

    def model(self, place: int) -> LinearModel:
        """The model of a group, with what its file says of it."""
        groups, whole, settings = self.groups, self.groups, self.settings
        *w, b = self.params[place].tolist()
        facts: dict[str, object] = {
            "loss": float(self.losses[place]),
            "validation_loss": None,
            "r_squared": float(self.r_squared[place]),
            "epochs": settings.epochs,
            "best_epoch": settings.epochs,
            "status": stopping.COMPLETED,
            "minimum_loss": float(self.minimum_losses[place]),
            "cv": None,
            "arrived": bool(self.arrived[place]),
            "max_stable_lr": float(self.limits[place]),
            **settings.facts,
            "lr": float(self.rates[place]),
            "scale": self.scale,
            "means": None,
            "deviations": None,
            "basis": None,
            "precision": self.precision(place),
            "penalty_scale": self.scale,
            "nonzero": int(np.count_nonzero(w)),
            "intercept": True,
            "weights": whole.weights_name,
            "spellings": {column: spelling.record for column, spelling in whole.spellings},
            "observations": int(groups.counts[place]),
            "validation_observations": 0,
            "version": __version__,
        }
        if self.scale == "standardize":
            facts["means"] = self.means[place].tolist()
            facts["deviations"] = self.deviations[place].tolist()
        return LinearModel(tuple(w), b, whole.features, whole.target_name, groups.within, facts)

    def precision(self, place: int) -> dict[str, object] | None:
        """How well the params of the least loss are known: see `gdfit.model.intervals`."""
        triangle, inverse = self.triangles[place], self.inverses[place]
        df = int(self.groups.counts[place]) - len(inverse)
        if not df:
            return None
        b, *w = (inverse @ triangle[:-1, -1]).tolist()
        root = [inverse[row, row:].tolist() for row in (*range(1, len(inverse)), 0)]
        return {
            "center": self.means[place].tolist(),
            "params": [*w, b],
            "root": root,
            "std_error": abs(float(triangle[-1, -1])) / math.sqrt(df),
            "df": df,
        }


def is_foretold(settings: Settings, observations: Observations) -> bool:
    """Whether descents on groups go side by side: at rates that stay, for epochs that are told."""
    rules = (settings.tol, settings.target_loss, settings.patience)
    plain = settings.is_plain and not settings.is_penalized and observations.intercept
    return plain and all(rule is None for rule in rules) and settings.scale != "whiten"


@np.errstate(all="ignore")  # groups in which something is no number are run one by one
def stacked(groups: GroupedObservations, settings: Settings, init: Init) -> Stack:
    """The descents of all groups side by side.

    R of [1 X−x̄ y] has all that is needed: the features' deviations are the lengths of its columns,
    and in its last column are the mean of y, what the features can tell of it, and what is left.
    """
    size, total = len(groups.features), groups.weights
    near, ones = groups.triangles, groups.triangles[:, :, size]
    means = np.einsum("gn,gnp->gp", ones, near[:, :, :size]) / total[:, np.newaxis]
    centred = near[:, :, :size] - ones[:, :, np.newaxis] * means[:, np.newaxis]
    columns = np.concatenate([ones[:, :, np.newaxis], centred, near[:, :, -1:]], axis=2)
    enough_rows = groups.counts > size
    columns[~enough_rows] = np.eye(size + 2)
    triangles = triangular(columns)

    slopes, explained = triangles[:, 1:-1, 1:-1], triangles[:, :-1, -1]
    deviations = np.linalg.norm(slopes, axis=1) / np.sqrt(total)[:, np.newaxis]
    lengths = np.linalg.norm(near[:, :, :size], axis=1) / np.sqrt(total)[:, np.newaxis]
    whole = groups.origin + means
    rest = means - (whole - groups.origin)
    scale = settings.scale or ("standardize" if settings.lr == "auto" else "none")
    is_scaled = scale == "standardize"
    unit = deviations if is_scaled else np.ones_like(deviations)

    design = np.zeros((len(total), size + 1, size + 1))
    design[:, 0, size] = triangles[:, 0, 0]
    design[:, 1:, :size] = slopes / unit[:, np.newaxis]
    if not is_scaled:
        design[:, 0, :size] = whole * triangles[:, :1, 0]
    holds = enough_rows & (deviations > SAME * lengths).all(axis=1)
    holds &= np.isfinite(design).all(axis=(1, 2))
    design[~holds] = np.eye(size + 1)

    _, singular, axes = np.linalg.svd(design)
    holds &= singular[:, -1] > SURE * singular[:, 0]
    told_apart = holds[:, np.newaxis, np.newaxis]
    slopes = np.where(told_apart, slopes, np.eye(size))
    least = np.linalg.solve(slopes, explained[:, 1:, np.newaxis])[:, :, 0]
    level = explained[:, 0] / triangles[:, 0, 0]
    if not is_scaled:
        level = level - (least * whole).sum(axis=1)
    minimum = np.column_stack([least * unit, level])
    start = starts(init, settings, unit, whole if is_scaled else np.zeros_like(whole))

    eigenvalues = 2 * singular**2 / total[:, np.newaxis]
    minimum_losses = triangles[:, -1, -1] ** 2 / total
    squares = (triangles[:, :, -1] ** 2).sum(axis=1)
    enough = np.maximum(ARRIVES * minimum_losses / groups.counts, EXACT * squares / total)
    distances = np.einsum("gkp,gp->gk", axes, start - minimum)
    far = np.maximum(np.linalg.norm(start, axis=1), np.linalg.norm(minimum, axis=1))
    excess = Excess(eigenvalues, excess_logarithms(eigenvalues, distances, far), enough)
    if settings.lr == "auto":
        rates = excess.rate_to_see(settings.epochs)
        rates = np.where(np.isnan(rates), 2 / (eigenvalues[:, 0] + eigenvalues[:, -1]), rates)
        if settings.scale is None:
            holds &= excess.arrives_within(max(settings.epochs, LOOKED_AT))
    else:
        rates = np.full(len(total), settings.lr)

    steps = rates[:, np.newaxis] * eigenvalues
    signs = np.where((steps > 1) & (settings.epochs % 2 == 1), -1.0, 1.0)
    distances = distances * signs * np.exp(settings.epochs * log_factors(steps))
    final = minimum + np.einsum("gkp,gk->gp", axes, distances)
    above = (eigenvalues * distances**2).sum(axis=1) / 2
    losses = minimum_losses + above
    first = minimum_losses + np.exp(excess.logarithms).sum(axis=1)
    holds &= np.isfinite(final).all(axis=1) & (
        losses <= first * (1 + 1e-9) + EXACT * squares / total
    )

    w = final[:, :size] / unit
    b = final[:, size]
    if is_scaled:
        b = b - (w * whole).sum(axis=1) - (w * rest).sum(axis=1)
    spread = (triangles[:, 1:, -1] ** 2).sum(axis=1)
    told = 1 - losses * total / spread
    told = np.where(np.abs(told) > SAME, told, 0.0)
    return Stack(
        groups=groups,
        settings=settings,
        scale=scale,
        holds=holds,
        params=np.column_stack([w, b]),
        rates=rates,
        losses=losses,
        minimum_losses=minimum_losses,
        r_squared=np.where(spread > SAME**2 * squares, told, math.nan),
        arrived=above <= enough,
        limits=2 / eigenvalues[:, 0],
        means=whole,
        deviations=deviations,
        triangles=triangles,
        inverses=np.linalg.inv(
            np.where(holds[:, None, None], triangles, np.eye(size + 2))[:, :-1, :-1]
        ),
    )


def starts(init: Init, settings: Settings, unit: FloatArray, means: FloatArray) -> FloatArray:
    """θ₀ of each group, as it is descended on."""
    size = unit.shape[1]
    if isinstance(init, str):
        same = np.zeros(size + 1)
        if init == "random":
            same = np.random.default_rng(settings.seed).random(size + 1)
        return np.tile(same, (len(unit), 1))
    *w, b = np.array(init, float)
    return np.column_stack([np.array(w) * unit, b + means @ np.array(w)])


def fit_groups(observations: Observations, settings: Settings, init: Init = "zeros") -> GroupFits:
    """The fits of the groups of `observations`."""
    if not isinstance(observations, GroupedObservations):
        raise UsageError("`by` names the column that says the group")
    stack = None
    if is_foretold(settings, observations) and not isinstance(init, LinearModel):
        stack = stacked(observations, settings, init)
    return GroupFits(observations, settings, init, stack)


def train_groups(
    x: Any, y: Any = None, *, init: Init = "zeros", **options: Unpack[Options]
) -> GroupFits:
    """Fit a linear model to each group of the observations.

    Parameters
    ----------
    x, y : what `observations_from` takes; or what `read_observations` has made of files, with `by`.
    init : where the params of each start.
    options : as those of `train`: settings, and what says how observations are made, of which `by`
        says the group: the name of a column, or the group of each observation, shape (N,).

    Raises
    ------
    GdfitError : the data can't be used.
    UsageError : an argument is out of range, or there are no groups.

    Examples
    --------
    >>> import gdfit, pandas
    >>> birds = pandas.DataFrame(
    ...     {"kind": [*"aaabbb"], "wing": [1, 2, 3, 1, 2, 3], "mass": [3, 5, 7, 1, 4, 7]}
    ... )
    >>> fits = gdfit.train_groups(birds, "mass", by="kind")
    >>> [(fit.group, fit.observations, round(fit.model.w[0], 6)) for fit in fits]
    [('a', 3, 2.0), ('b', 3, 3.0)]
    """
    how, fields = parted(options)
    settings = replace(Settings(), **fields)
    settings.check(validated=False)
    how = as_taken(how, x, settings)
    return fit_groups(observed(x, y, **how), settings, init)
