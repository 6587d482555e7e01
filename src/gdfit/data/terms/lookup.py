"""Where columns stand in a file, by their names, and what to type where there is none of a name."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Protocol, TypeVar, cast

from gdfit.data.text.header import Layout, bare
from gdfit.errors import GdfitError, listing, quoted


class LaidOut(Protocol):
    """A file, as far as its layout: a dataclass."""

    @property
    def name(self) -> str: ...
    @property
    def layout(self) -> Layout: ...


File = TypeVar("File", bound=LaidOut)


@dataclass(frozen=True)
class LayoutTable:
    """The columns of a file, for terms to be read by.

    layout, name : the file's.
    all_numbers : whether to take all columns for columns of numbers, as of a target, whose first
        word is then told as a fault.
    """

    layout: Layout
    name: str
    all_numbers: bool = False

    def find(self, name: str) -> str | None:
        """The column that `name` means, if there is one."""
        return next((column for column in (name, bare(name)) if column in self.layout.names), None)

    def missing(self, name: str, more: str = "") -> GdfitError:
        """What to say where there is none, and `more`."""
        return no_column(self.layout, self.name, name, more)

    def holds_text(self, column: str) -> bool:
        """Whether the column holds text."""
        return not (self.all_numbers or self.layout.held_in(column).is_numeric)


def find_columns(
    layout: Layout, name: str, wanted: Sequence[str], *, needed: bool = True
) -> tuple[int, ...]:
    """Where the columns called `wanted` stand in the file called `name`; those that are not
    `needed` one can do without, and an error says so."""
    found = [find_name(layout, name, column) for column in wanted]
    for column in found:
        count = layout.names.count(column)
        if count > 1:
            where = " in the header" if layout.is_text else ""
            instead = "" if needed else f", or `exclude` {typed([column])}"
            raise GdfitError(
                f"{count} columns are called {quoted(column)}; name them apart{where}{instead}",
                file=name,
            )
    return tuple(layout.names.index(column) for column in found)


def find_name(layout: Layout, name: str, wanted: str) -> str:
    """The column that `wanted` means in the file called `name`: the one that is called so, also
    without single quotes and blanks."""
    column = LayoutTable(layout, name).find(wanted)
    if column is None:
        raise no_column(layout, name, wanted)
    return column


def no_column(layout: Layout, name: str, wanted: str, more: str = "") -> GdfitError:
    """What to say where no column of the file called `name` is `wanted`, and `more`."""
    folded = {column.casefold(): column for column in layout.names}
    near = get_close_matches(wanted.casefold(), folded, n=3)
    there = "its columns with numbers are " if layout.numeric else "its columns are "
    return GdfitError(
        f"there is no column {quoted(wanted)}; "
        + (f"is it {alternatives([folded[column] for column in near])}? " if near else "")
        + f"{there}{listing(layout.numeric or layout.names)}{more}",
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


def alternatives(names: Sequence[str], most: int = 3) -> str:
    """``a, b or c``, of which the last ones count most."""
    *first, last = map(quoted, names[-most:])
    return f"{', '.join(first)} or {last}" if first else last


def typed(names: Sequence[str]) -> str:
    """Names of columns, as they are typed in a shell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(names)
    return shlex.quote(text.getvalue())


def made_like(first: File, file: File) -> File:
    """`file`, with the names of the columns of `first` if it has no header of its own."""
    names, others = first.layout.names, file.layout.names
    if len(names) != len(others) or (file.layout.named and set(names) != set(others)):
        raise GdfitError(
            f"its columns ({listing(others)}) are not those of {first.name} ({listing(names)})",
            file=file.name,
        )
    if file.layout.named:
        return file
    layout = replace(file.layout, names=names, named=first.layout.named)
    return cast(File, replace(cast(Any, file), layout=layout))
