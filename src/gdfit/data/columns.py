"""Which columns a fit uses, where they stand in a file, and what to type where they can't be
used."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from gdfit.data.layout import Layout, bare
from gdfit.errors import FieldError, GdfitError, UsageError, listing, quoted


@dataclass(frozen=True)
class Selection:
    """Which columns are asked for.

    features : the columns to predict from; by default all others with numbers, but row names and
        columns without a name.
    target : the column to predict; by default ``y`` if there is one, else the last with numbers.
    exclude : columns that are not used, whatever they hold.
    """

    features: tuple[str, ...] | None = None
    target: str | None = None
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The names of the columns that a fit uses.

    left_out : the columns that it would use if they had numbers.
    """

    features: tuple[str, ...]
    target: str
    left_out: tuple[str, ...] = ()

    def places_in(self, layout: Layout, name: str) -> tuple[int, ...]:
        """Their numbers in the file called `name`, from 0: the features' in order, then the
        target's."""
        return find_columns(layout, name, (*self.features, self.target))


def choose_columns(layout: Layout, name: str, selection: Selection) -> Columns:
    """The features and the target among the columns of the file called `name`."""
    if len(layout.names) < 2:
        raise GdfitError(
            "has one column, and a fit needs two at least, x and y"
            " (is the delimiter right? see `delimiter`)",
            file=name,
        )
    excluded = {find_name(layout, name, column) for column in selection.exclude}
    offered = [
        column
        for column in layout.names
        if column not in layout.set_aside and column not in excluded
    ]
    numeric = [column for column in offered if column in layout.numeric]
    if len(numeric) < 2:  # what holds nothing is then told as a fault, by its line
        numeric = [column for column in offered if not layout.held_in(column).words]
    if selection.target is not None:
        target = find_name(layout, name, selection.target)
    elif "y" in offered and ("y" in numeric or not layout.held_in("y").words):
        target = "y"
    elif numeric:
        target = numeric[-1]
    else:
        raise too_few(layout, name, numeric, excluded)
    if selection.features is None:
        features = tuple(column for column in numeric if column != target)
        left_out = tuple(column for column in offered if column not in numeric and column != target)
        if not features:
            raise too_few(layout, name, [target], excluded)
    else:
        features = tuple(find_name(layout, name, column) for column in selection.features)
        left_out = ()
        if not features:
            raise UsageError("`features` names no column")
        if len(set(features)) < len(features):
            raise UsageError("`features` names a column twice")
    check(features, target, excluded, numeric)
    return Columns(features, target, left_out)


def check(
    features: tuple[str, ...], target: str, excluded: Iterable[str], numeric: Sequence[str]
) -> None:
    """Raise where what is asked for contradicts itself."""
    for column in excluded:
        if column == target or column in features:
            other = "target" if column == target else "features"
            raise UsageError(f"column {quoted(column)} is both in `{other}` and in `exclude`")
    if target in features:
        others = [column for column in numeric if column not in features]
        raise UsageError(
            f"column {quoted(target)} is a feature and the target at once; name another `target`"
            + (f": {alternatives(others)}" if others else "")
        )


def too_few(
    layout: Layout, name: str, usable: Sequence[str], excluded: Iterable[str]
) -> GdfitError:
    """What to say where there are not two columns to fit."""
    what = ["a fit needs a feature and a target, two columns with numbers"]
    what.append(f"there is {quoted(usable[0])} alone" if usable else "there is none")
    text = [
        f"{printed} ({quoted(held.word, 20)})"
        for printed, held in zip(layout.names, layout.held, strict=True)
        if held.words and not held.is_numeric and printed not in usable
    ]
    if text:
        more = ", …" if len(text) > 3 else ""
        what.append(f"there is text in {', '.join(text[:3])}{more}")
    aside = [
        column for column in layout.numeric if column in layout.set_aside and column not in usable
    ]
    if aside:
        what.append(f"`features` {typed(aside[:1])} uses a column of row names")
    return GdfitError("; ".join(what), file=name)


def find_columns(layout: Layout, name: str, wanted: Sequence[str]) -> tuple[int, ...]:
    """Where the columns called `wanted` stand in the file called `name`."""
    found = [find_name(layout, name, column) for column in wanted]
    for column in found:
        count = layout.names.count(column)
        if count > 1:
            raise GdfitError(
                f"{count} columns are called {quoted(column)}; name them apart in the header, or "
                f"`exclude` {typed([column])}",
                file=name,
            )
    return tuple(layout.names.index(column) for column in found)


def find_name(layout: Layout, name: str, wanted: str) -> str:
    """The column that `wanted` means in the file called `name`: the one that is called so, also
    without single quotes and blanks."""
    for column in (wanted, bare(wanted)):
        if column in layout.names:
            return column
    folded = {column.casefold(): column for column in layout.names}
    near = get_close_matches(wanted.casefold(), folded, n=3)
    there = "its columns with numbers are " if layout.numeric else "its columns are "
    raise GdfitError(
        f"there is no column {quoted(wanted)}; "
        + (f"is it {alternatives([folded[column] for column in near])}? " if near else "")
        + f"{there}{listing(layout.numeric or layout.names)}",
        file=name,
    )


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


def advice(fault: FieldError, layout: Layout, columns: Columns, selection: Selection) -> str:
    """What to type to do without the column of a field that can't be used."""
    column = fault.column
    if column == columns.target:
        others = [
            other for other in layout.numeric if other != column and other not in layout.set_aside
        ]
        if len(others) > 1:
            return f"; `target` takes another column: {alternatives(others)}"
    elif selection.features is None and len(columns.features) > 1:
        return f"; `exclude` {typed([column])} leaves the column out"
    elif selection.features is not None:
        return f"; columns with numbers are {listing(layout.numeric)}"
    return ""


def nothing_left(layout: Layout, columns: Columns) -> str:
    """What to type where each row has a missing field in one of the `columns`."""
    missing = {column: layout.held_in(column).missing for column in columns.features}
    most = sorted(filter(missing.__getitem__, missing), key=missing.__getitem__, reverse=True)[:3]
    others = len(most) < len(columns.features)
    more = f"; `exclude` {typed(most)} leaves out what lacks the most" if most and others else ""
    return f" without a missing field{more}"


def alternatives(names: Sequence[str], most: int = 3) -> str:
    """``a, b or c``, of which the last ones count most."""
    *first, last = map(quoted, names[-most:])
    return f"{', '.join(first)} or {last}" if first else last


def typed(names: Sequence[str]) -> str:
    """Names of columns, as they are typed in a shell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(names)
    return shlex.quote(text.getvalue())
