"""A model for each group of rows, as one; its file is the list of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.batch import Level
from gdfit.data.terms.expansion import Expansion, level_name
from gdfit.data.terms.terms import Factor
from gdfit.errors import GdfitError, quoted
from gdfit.model.linear import MOST_BYTES, LinearModel, json_of
from gdfit.system import open_beside


@dataclass(frozen=True)
class GroupedModel(LinearModel):
    """Linear models of the same features, one for each group of rows. What is the same in all it
    has from the first of them, `w` and `b` too.

    models : of each group, by its level.
    """

    models: Mapping[Level, LinearModel] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, by: Factor, models: Mapping[Level, LinearModel]) -> GroupedModel:
        """The `models` of the groups that the category `by` says, as one.

        Raises
        ------
        GdfitError : there are none.
        """
        first = next(iter(models.values()), None)
        if first is None:
            raise GdfitError("no group has a model: each has fewer rows than params, or diverged")
        within = first.made_of
        had = np.array([levels_had(model, within) for model in models.values()], bool)
        made_of = replace(within, by=by, levels=(*within.levels, tuple(models)), had=had)
        return cls(first.w, first.b, first.features, first.target, made_of, first.facts, models)

    @cached_property
    def table(self) -> FloatArray:
        """θ of each group, shape (groups, p+1)."""
        return np.array([model.params for model in self.models.values()])

    def groups_at_rows(self, rows: FloatArray) -> Any:
        """The places of the groups of rows of numbers and levels' codes, shape (n,)."""
        return self.made_of.codes(rows)[:, -1]

    def predictor_at_rows(self, rows: FloatArray) -> FloatArray:
        """z of such rows: of each by its group's model, in the order in which that adds up."""
        *w, b = self.table[self.groups_at_rows(rows)].T
        total: Any = 0.0
        for weights, values in zip(w, self.features_at_rows(rows).T, strict=True):
            total = total + weights * values
        return np.asarray(total + b)

    def save(self, path: str | Path, *, diverged: bool = False, **more: object) -> None:
        """Write the models, and `more` facts of each, to the JSON file at `path`."""
        records = (
            {**record_in(self.made_of.by, group), **model.record, **more}
            for group, model in self.models.items()
        )
        write_groups(path, records)


def levels_had(model: LinearModel, made_of: Expansion) -> list[bool]:
    """Whether the group of a model has had each level of each category: see `Expansion`."""
    seen = model.facts.get("seen")
    known = seen if isinstance(seen, Mapping) else {}
    names_and_levels = zip(made_of.category_names, made_of.levels, strict=True)
    return [
        level in known.get(name, levels) for name, levels in names_and_levels for level in levels
    ]


def record_in(by: Factor | None, group: Level) -> dict[str, object]:
    """What a record says of the group that it is of."""
    return {"by": str(by), "group": group}


def group_name(group: Level) -> str:
    """A group for a message: ``'Adelie'``, ``2020``."""
    return quoted(group) if isinstance(group, str) else level_name(group)


def listed_groups(records: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Records as a JSON list, a line for each."""
    before = "[\n"
    for record in records:
        yield f"{before}  {json_of(record)}"
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


def write_groups(path: str | Path, records: Iterable[Mapping[str, object]]) -> None:
    """Write the records of groups to the JSON file at `path`, whole or not at all."""
    with open_beside(Path(path)) as file:
        file.writelines(listed_groups(records))
        if file.tell() > MOST_BYTES:
            what = f"is not written: models of more than {MOST_BYTES >> 20} MB are not read"
            raise GdfitError(f"{what}; train fewer groups at a time", file=str(path))
