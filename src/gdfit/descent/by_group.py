"""A fit for each group of observations: side by side where they are foretold, else one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import compress, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

from gdfit.data.batch import Level
from gdfit.data.in_memory import observed
from gdfit.data.observations import GroupedObservations, Observations
from gdfit.data.terms.expansion import level_name
from gdfit.data.terms.row_maker import rows_at
from gdfit.data.text.spellings import dated
from gdfit.dates import iso_date
from gdfit.descent import stopping
from gdfit.descent.outcome import Fit, params_names
from gdfit.descent.run import Options, Run, chosen
from gdfit.descent.settings import Settings
from gdfit.descent.side_by_side import Stack, go_side_by_side
from gdfit.descent.start import Init, start_of
from gdfit.errors import GdfitError, UsageError, printable, quoted
from gdfit.model.family import GroupedModel, group_name, record_in, write_groups
from gdfit.model.linear import LinearModel
from gdfit.package import Displayed, __version__

if TYPE_CHECKING:
    import pandas as pd

TOO_FEW = "too few rows"

# The group and the inputs in it, and ŷ there.
GroupPrediction = tuple[tuple[Level, ...], float]


@dataclass(frozen=True)
class GroupFit:
    """What the run of a group has come to: the `row` of its params, loss and R².

    group : its level.
    observations : how many rows it has.
    status : how it ended, as that of a `Fit`, or ``too few rows``.
    row : its params, loss and R², of classes McFadden's; nothing where there is no model.
    arrived : whether each param is near enough to the minimum; None where that is not known.
    make : what makes its model, if it has one.
    is_separable : whether a plane separates its classes, where there are two.
    is_flat : whether its columns don't tell all params.
    """

    group: Level
    observations: int
    status: str
    row: tuple[float, ...] = ()
    arrived: bool | None = None
    make: Callable[[], LinearModel] | None = field(default=None, repr=False)
    is_separable: bool = False
    is_flat: bool = False

    @property
    def model(self) -> LinearModel | None:
        """Its model; none where the rows are fewer than the params, or the run has diverged."""
        return self.make() if self.make else None


@dataclass(frozen=True, repr=False)
class GroupFits(Displayed):
    """The fits of all groups: iterate over them, the largest group first.

    groups : the groups of the observations.
    settings : what was asked for.
    init : where each has started.
    stack : the descents that go side by side.
    """

    groups: GroupedObservations
    settings: Settings
    init: Init
    stack: Stack | None
    _known: dict[int, GroupFit] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        groups = f"{len(self):,} group{'s' * (len(self) != 1)}"
        return f"<GroupFits: {groups} by {self.groups.column}, of {self.groups!r}>"

    def __len__(self) -> int:
        return len(self.groups.by_size)

    def __iter__(self) -> Iterator[GroupFit]:
        return map(self.at, self.groups.by_size)

    def at(self, place: int) -> GroupFit:
        """The fit of the group at a place, which is made once."""
        if place not in self._known:
            self._known[place] = self._made(place)
        return self._known[place]

    def _made(self, place: int) -> GroupFit:
        groups = self.groups
        group, count = groups.groups[place], int(groups.counts[place])
        if count < len(groups.features) + groups.intercept:
            return GroupFit(group, count, TOO_FEW)
        if self.stack and self.stack.holds[place]:
            row, arrived = self.stack.row(place), bool(self.stack.arrived[place])
            make = partial(self._told, place, partial(self.stack.model, place))
            return GroupFit(group, count, stopping.COMPLETED, row, arrived, make)
        try:
            fit = self.fit(place)
        except UsageError:
            raise
        except GdfitError as error:
            raise GdfitError(f"{groups.made_of.by} {group_name(group)}: {error}") from None
        if fit.status == stopping.DIVERGED:
            return GroupFit(group, count, fit.status)
        model, facts = fit.model, cast("Mapping[str, float]", fit.model.facts)
        told = facts["pseudo_r_squared" if model.classes else "r_squared"]
        row = (*model.params, fit.loss, told)
        make = partial(self._told, place, lambda: model)
        is_flat = fit.curvature is not None and not fit.curvature.is_unique
        found = (group, count, fit.status, row, fit.arrived, make, fit.is_separable, is_flat)
        return GroupFit(*found)

    def predict(self, x: Any) -> Any:
        """ŷ of the model at x: see `LinearModel.predict`."""
        return self.model.predict(x)

    def save(self, path: str | Path) -> None:
        """Write the models of all groups to a file."""
        write_groups(path, self.records({}))

    def __getitem__(self, group: Level) -> GroupFit:
        """The fit of a group, by its name."""
        if group not in self.groups.groups:
            raise KeyError(group)
        return self.at(self.groups.groups.index(group))

    def at_inputs(self, values: Sequence[Level]) -> float:
        """ŷ of a group, the first of the `values`, at the inputs that follow.

        Raises
        ------
        GdfitError : the group has no model, or see `LinearModel.predict`.
        """
        made_of = self.groups.made_of
        (code,) = made_of.codes(rows_at(made_of, values))[:, -1].tolist()
        model = self.at(code).model
        if model is None:
            group = quoted(self.label(self.groups.groups[code]))
            raise GdfitError(f"{group} is a group without a model", column=self.groups.column)
        return model.at_inputs(values[1:])

    def _told(self, place: int, make: Callable[[], LinearModel]) -> LinearModel:
        """A model, with the levels that its group has had, if these are not all."""
        model, made_of = make(), self.groups.made_of
        if made_of.had is None:
            return model
        had = made_of.had[place]
        seen = {
            name: [*compress(levels, had[start:].tolist())]
            for name, levels, start in zip(
                made_of.category_names, made_of.levels, made_of.places_had[:-1], strict=False
            )
        }
        return replace(model, facts={**model.facts, "seen": seen})

    def largest(self, most: int) -> list[Fit]:
        """The fits of the largest groups that have a model, each run by itself."""
        places = (place for place in self.groups.by_size if self.at(place).make)
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
        told = isinstance(group, str) or not is_date
        return printable(level_name(group) if told else iso_date(float(group)))

    @property
    def features(self) -> tuple[str, ...]:
        """What each is fitted on."""
        return self.groups.features

    @property
    def has_models(self) -> bool:
        """Whether any group has a model."""
        return any(fit.make for fit in self)

    def records(
        self, facts: Mapping[str, object], predictions: Sequence[GroupPrediction] = ()
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
            if fit.make:
                at_x = {"predictions": at.get(fit.group, [])}
                yield {**own, **fit.make().record, **facts, **at_x}
                continue
            none = dict.fromkeys(("w", "b", "loss", "r_squared"))
            ended = {"observations": fit.observations, "status": fit.status, "version": __version__}
            yield {**own, **none, **columns, **ended, **facts}

    @property
    def model(self) -> GroupedModel:
        """The models of all groups that have one, as one."""
        models = {each.group: each.make() for each in self if each.make}
        assert self.groups.made_of.by
        return GroupedModel.of(self.groups.made_of.by, models)

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each group, as `gdfit train --by NAME --format csv` writes them."""
        import pandas as pd

        empty = [math.nan] * (len(self.features) + 3)
        rows = [[fit.group, fit.observations, *(fit.row or empty), fit.status] for fit in self]
        return pd.DataFrame(rows, columns=self.header)

    @property
    def header(self) -> list[str]:
        """The columns of such rows."""
        numbers = ("observations", *params_names(self.features), "loss", "r_squared")
        return [self.groups.column, *numbers, "status"]


def fit_groups(observations: Observations, settings: Settings, init: Init = "zeros") -> GroupFits:
    """The fits of the groups of `observations`."""
    if not isinstance(observations, GroupedObservations):
        raise UsageError("`by` names the column that says the group")
    if not isinstance(init, LinearModel):
        start_of(init, observations, settings)  # tells its faults
    stack = None
    if go_side_by_side(settings, observations) and not isinstance(init, LinearModel):
        stack = Stack(observations, settings, init)
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
    how, settings = chosen(options, x)
    return fit_groups(observed(x, y, **how), settings, init)
