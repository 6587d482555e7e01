"""Where columns stand in a file, by their names, and what to type where there is none of a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, NamedTuple, TypeVar, cast

from gdfit.data.batch import LaidOut
from gdfit.data.terms.expansion import level_name
from gdfit.data.terms.terms import Factor, read_term
from gdfit.data.text.dialect import Selection
from gdfit.data.text.fields import Grammar, bare
from gdfit.data.text.header import Layout
from gdfit.data.text.spellings import DateSpelling, Spelling
from gdfit.dates import EPOCH, iso_date
from gdfit.errors import GdfitError, UsageError, joined, listing, printable, quoted, typed

File = TypeVar("File", bound=LaidOut)


class MissingColumnError(GdfitError):
    """A file has no column of the name that is asked for."""


class LayoutTable(NamedTuple):
    """The columns of a file, for terms to be read by.

    layout, name : the file's.
    all_numbers : whether to take all columns for columns of numbers, as of a target, whose first
        word is then told as a fault.
    selection : what was asked for.
    """

    layout: Layout
    name: str
    all_numbers: bool = False
    selection: Selection | None = None

    def find(self, name: str) -> str | None:
        """The column that `name` means, if there is one: the one that is called so, also without
        single quotes and blanks."""
        return next((column for column in (name, bare(name)) if column in self.layout.names), None)

    def missing(self, name: str, more: str = "") -> GdfitError:
        """What to say where there is none, and `more`."""
        layout = self.layout
        folded = {column.casefold(): column for column in layout.names}
        near = get_close_matches(name.casefold(), folded, n=3)
        what = f"there is no column {quoted(name)}; "
        changes: dict[str, str] = {}
        if near:
            if self.selection:
                changes = self.selection.naming(name, folded[near[0]])
            what += f"is it {alternatives([folded[column] for column in near])}? "
        takes_any = self.selection is not None and self.selection.formula is not None
        numeric = () if takes_any else layout.numeric
        what += "its columns with numbers are " if numeric else "its columns are "
        what += f"{listing(numeric or layout.names)}{more}"
        return MissingColumnError(what, file=self.name, changes=changes)

    def holds_text(self, column: str) -> bool:
        """Whether the column holds text."""
        return not (self.all_numbers or self.layout.held_in(column).is_numeric)

    def holds_dates(self, column: str) -> bool:
        """Whether the column holds dates."""
        return self.layout.held_in(column).is_dated

    def order_of(self, column: str) -> tuple[str, ...]:
        """The levels of a column, where they have an order of their own."""
        return self.layout.held_in(column).order

    def column(self, name: str) -> str:
        """The column that `name` means.

        Raises
        ------
        GdfitError : there is none.
        """
        column = self.find(name)
        if column is None:
            raise self.missing(name)
        return column

    def category(self, text: str) -> Factor:
        """The category that `text` says: a column of text or of numbers, or a part of dates.

        Raises
        ------
        GdfitError : there is no such column, or it says something else.
        """
        if column := self.find(text):  # groups have names, and 007 is another one than 7
            return Factor(column, is_category=True, is_text=True, order=self.order_of(column))
        term = read_term(text, self)
        if len(term.factors) > 1 or not term.categories:
            raise UsageError(f"`by` takes a column whose values say the group, not {term}")
        return term.factors[0]

    def target(self, text: str, *, classes: bool = False) -> Factor:
        """The column that `text` says, or the function of one; of `classes`, a column as it stands.

        Raises
        ------
        GdfitError : there is no such column, or it says something else.
        """
        term = read_term(text, self)
        first = term.factors[0]
        if classes and (len(term.factors) > 1 or not (first.is_text or first.is_column)):
            raise UsageError(f"`target` takes a column of two values for this loss, not {term}")
        if len(term.factors) > 1 or (term.categories and not classes):
            raise UsageError(f"`target` takes a column or a function of one, not {term}")
        return first


def find_columns(
    layout: Layout, name: str, wanted: Sequence[str], *, needed: bool = True
) -> dict[str, int]:
    """Where the columns called `wanted` stand in the file called `name`; those that are not
    `needed` one can do without, and an error says so."""
    table = LayoutTable(layout, name)
    found = {column: table.column(column) for column in wanted}
    for column in found.values():
        count = layout.names.count(column)
        if count > 1:
            where = " in the header" if layout.is_text else ""
            instead = "" if needed else f", or `exclude` {typed([column])}"
            what = f"{count} columns are called {quoted(column)}; name them apart{where}{instead}"
            changes = {} if needed else {"exclude": joined([column])}
            raise GdfitError(what, file=name, changes=changes)
        check_marks(layout, name, column)
    return {name: layout.names.index(column) for name, column in found.items()}


def check_marks(layout: Layout, name: str, column: str) -> None:
    """Raise where it can't be told what a mark in a column's numbers stands for, or whether the
    month or the day stands first in its dates."""
    held = layout.held_in(column)
    if not held.doubt or not held.spelling:
        return
    ways, told = zip(*readings(held.spelling, held.example, held.doubt), strict=True)
    what = f"{quoted(held.example)} is {', and '.join(told)}"
    if not (layout.is_text or held.is_dated):
        raise GdfitError(f"{what}: make it a column of numbers", file=name, column=column)
    options = (f"`{option}` {value}" for option, value in (next(iter(way.items())) for way in ways))
    what += f"; {' or '.join(options)} says {'which' if len(ways) > 1 else 'so'}"
    changes, or_changes = (*ways, {})[:2]
    raise GdfitError(what, file=name, column=column, changes=changes, or_changes=or_changes)


def check_alike_spellings(
    file: LaidOut, names: Sequence[str], known: Sequence[tuple[str, Spelling]]
) -> None:
    """Raise where a text file writes a column in another way than the first one, as dates that are
    numbers there: they would be other numbers.

    names, known : of the columns that are read, and how the first file writes them."""
    first, layout = dict(known), file.layout
    for column in names if layout.is_text else ():
        if column not in layout.names:
            continue
        held = layout.held_in(column)
        ways = (held.spelling, first.get(column))
        here, there = (None if way is None or way.is_plain else way for way in ways)
        if here != there and held.numbers:
            shown = f", as {quoted(held.example)}" if held.example else ""
            what = f"is written in another way here{shown}, than in the first file or in training"
            raise GdfitError(f"{what}: its numbers would be others", file=file.name, column=column)


def readings(spelling: Spelling, example: str, mark: str) -> Iterator[tuple[dict[str, str], str]]:
    """What a number or a date may be of which that can't be told, and the options that say so."""
    if isinstance(spelling, DateSpelling):
        for order, first in (("mdy", "month"), ("dmy", "day")):
            way = replace(spelling, order=order)
            if way.takes(example):
                date = iso_date(way.value(example.encode()))
                yield {"dates": order}, f"{date} where the {first} stands first"
        return
    thousands = level_name(Grammar(",", own=spelling).exact(example.encode()))
    yield {"thousands": mark, "decimal": ""}, f"{thousands} where {mark!r} stands for thousands"
    decimals = Grammar(",", own=replace(spelling, point=mark, thousands=""))
    value = level_name(decimals.exact(example.encode()))
    yield {"decimal": mark, "thousands": ""}, f"{value} where it is the decimal mark"


def remarks_on(layout: Layout, names: Sequence[str], texts: Sequence[str]) -> Iterator[str]:
    """How the numbers of these columns are read, but of those taken for `texts`, where that is not
    as they stand, or where decimals look like thousands."""
    for column, held in zip(layout.names, layout.held, strict=True):
        if column not in names or column in texts or held.doubt or not held.example:
            continue
        grammar = Grammar(",", ",", own=held.spelling)
        value = level_name(grammar.exact(held.example.encode()))
        if held.is_dated:
            date = iso_date(float(value))
            value = f"{date}, " * (date != held.example) + f"day {float(value):.9g} since {EPOCH}"
        more = "" if held.spelling else "; `thousands` , takes the mark for that of thousands"
        yield f"{printable(column)}: {printable(held.example)} is read as {value}{more}"


def find_features(layout: Layout, name: str, features: Sequence[str]) -> dict[str, int]:
    """Where a model's features stand in the file called `name`: by name, in any order, or by place
    where there is no header."""
    width = len(layout.names)
    if layout.named or (width > len(features) and set(features) <= set(layout.names)):
        return find_columns(layout, name, features)
    if width not in (len(features), len(features) + 1):
        what = f"has no header and {width} column{'s' * (width > 1)}"
        names = listing(tuple(features))
        raise MissingColumnError(f"{what}; the model's features are {names}", file=name)
    for column in layout.names[: len(features)]:
        check_marks(layout, name, column)
    return {feature: place for place, feature in enumerate(features)}


def alternatives(names: Sequence[str], most: int = 3) -> str:
    """``a, b or c``, of which the last ones count most."""
    *first, last = map(quoted, names[-most:])
    return f"{', '.join(first)} or {last}" if first else last


def made_like(first: File, file: File) -> File:
    """`file`, with the names of the columns of `first` if it has no header of its own."""
    names, others = first.layout.names, file.layout.names
    if len(names) != len(others) or (file.layout.named and set(names) != set(others)):
        what = f"its columns ({listing(others)}) are not those of {first.name} ({listing(names)})"
        raise GdfitError(what, file=file.name)
    if file.layout.named:
        return file
    layout = replace(file.layout, names=names, named=first.layout.named)
    return cast(File, replace(cast(Any, file), layout=layout))
