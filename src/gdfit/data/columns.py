"""Which columns a fit uses, and where they stand in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdfit.data.layout import Layout
from gdfit.errors import GdfitError, UsageError, listing, quoted


@dataclass(frozen=True)
class Selection:
    """Which columns are asked for.

    features : the columns to predict from; by default all others.
    target : the column to predict; by default ``y`` if there is one, else the last.
    """

    features: tuple[str, ...] | None = None
    target: str | None = None


@dataclass(frozen=True)
class Columns:
    """The names of the columns that a fit uses."""

    features: tuple[str, ...]
    target: str

    def places_in(self, layout: Layout, name: str) -> tuple[int, ...]:
        """Their numbers in the file called `name`, from 0: the features' in order, then the
        target's."""
        return find_columns(layout, name, (*self.features, self.target))


def choose_columns(layout: Layout, name: str, selection: Selection) -> Columns:
    """The features and the target among the columns of the file called `name`."""
    features, target = selection.features, selection.target
    if len(layout.names) < 2:
        raise GdfitError(
            "has one column, and a fit needs two at least, x and y"
            " (is the delimiter right? see `delimiter`)",
            file=name,
        )
    usual = [column for column in layout.names if column not in layout.without_name]
    if target is None:
        if not usual:
            raise GdfitError("no column has a name", file=name)
        target = "y" if "y" in usual else usual[-1]
    if features is None:
        features = tuple(column for column in usual if column != target)
    elif len(set(features)) < len(features):
        raise UsageError("`features` names a column twice")
    if not features:
        raise UsageError("there is no column for a feature")
    if target in features:
        raise UsageError(
            f"column {quoted(target)} is a feature and the target at once; name another `target`"
        )
    return Columns(features, target)


def find_columns(layout: Layout, name: str, wanted: Sequence[str]) -> tuple[int, ...]:
    """Where the columns called `wanted` stand in the file called `name`."""
    for column in wanted:
        count = layout.names.count(column)
        if count == 0:
            raise GdfitError(
                f"there is no column {quoted(column)}; it has {listing(layout.names)}", file=name
            )
        if count > 1:
            raise GdfitError(f"{count} columns are called {quoted(column)}", file=name)
    return tuple(layout.names.index(column) for column in wanted)


def find_features(layout: Layout, name: str, features: Sequence[str]) -> tuple[int, ...]:
    """Where a model's features stand in the file called `name`: by name, in any order, or by place
    where there is no header."""
    width = len(layout.names)
    if layout.named or (width > len(features) and set(features) <= set(layout.names)):
        return find_columns(layout, name, features)
    if width not in (len(features), len(features) + 1):
        raise GdfitError(
            f"has no header and {width} column{'s' * (width > 1)}; the model's features are "
            f"{listing(tuple(features))}",
            file=name,
        )
    return tuple(range(len(features)))
