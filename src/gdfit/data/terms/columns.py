"""Which columns a fit uses, what is made of them, and what to type where they can't be used."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any, NamedTuple, Protocol

from gdfit.arrays import FloatArray
from gdfit.data.batch import DataFile, Level
from gdfit.data.terms.expansion import Expansion, RecordedTable, level_name
from gdfit.data.terms.levels import IS_THIRD, Classes, third_value
from gdfit.data.terms.lookup import LayoutTable, alternatives, check_alike_spellings, find_columns
from gdfit.data.terms.row_maker import RowMaker
from gdfit.data.terms.terms import Factor, Term, powers, read_term
from gdfit.data.text.dialect import Selection
from gdfit.data.text.header import Layout
from gdfit.data.text.sniffing import Held
from gdfit.data.text.spellings import Spelling, unit_of
from gdfit.errors import (
    FieldError,
    GdfitError,
    NoObservationsError,
    UsageError,
    joined,
    listing,
    quoted,
    typed,
)

FEW_LEVELS = 12  # in the first lines, of text that is a feature where there is no other
DATE = re.compile(r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}")


@dataclass(frozen=True, eq=False, kw_only=True)
class ColumnFacts:
    """What is known of the columns of a fit, and stays known of what is made of them.

    left_out : columns of the file that are no features because they hold text, dates or nothing.
    is_instead : whether the last one is among them, which would be the target if it had numbers.
    spellings : how the columns are written whose numbers have a spelling of their own, as $1,250.
    taken : the text columns, or the dates, that are features because there are no others.
    dates : those of `taken` and `left_out` that hold dates.
    classes : which values of the target are y = 0 and y = 1, where it has classes.
    """

    left_out: tuple[str, ...] = ()
    is_instead: bool = False
    spellings: tuple[tuple[str, Spelling], ...] = ()
    taken: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    classes: Classes | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """They, by name."""
        return {each.name: getattr(self, each.name) for each in fields(ColumnFacts)}


@dataclass(frozen=True, eq=False)
class Columns(ColumnFacts):
    """What a fit uses.

    expansion : what makes the features of columns; where it has levels, these are all there are.
    target : what y is.
    weights : the column of the rows' weights, if there is one.
    """

    expansion: Expansion
    target: Factor
    weights: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of a file that are read."""
        weights = () if self.weights is None else (self.weights,)
        return (*self.expansion.inputs, *weights, self.target.column)

    @property
    def width(self) -> int:
        """How many numbers a row has as it is read: those of the features, the codes of levels, the
        weight if there is one, y."""
        return self.expansion.width + (self.weights is not None) + 1

    def made_as(self, other: Any) -> Columns:
        """The columns, made what those of observations or of a model are, of the same levels."""
        expansion = replace(other.expansion or self.expansion, intercept=other.intercept)
        return replace(self, expansion=expansion, classes=other.classes)


def choose_columns(layout: Layout, name: str, selection: Selection) -> Columns:
    """The features and the target among the columns of the file called `name`."""
    if len(layout.names) < 2:
        is_cut = layout.is_text and not layout.numbering  # and no sheet or JSON
        hint = " (is the delimiter right? see `delimiter`)" if is_cut else ""
        raise GdfitError(f"has one column, and a fit needs two at least, x and y{hint}", file=name)
    table = LayoutTable(layout, name, selection=selection)
    barred = dict.fromkeys(map(table.column, selection.exclude), "exclude")
    weights = None if selection.weights is None else table.column(selection.weights)
    by = None if selection.by is None else table.category(selection.by)
    if by and barred.setdefault(by.column, "by") != "by":
        raise UsageError(f"column {quoted(by.column)} is both in `exclude` and in `by`")
    unused = {*layout.set_aside, *barred, weights}
    offered = [column for column in layout.names if column not in unused]
    of_numbers = set(layout.numeric)
    numeric = [column for column in offered if column in of_numbers]
    if len(numeric) < 2:  # what holds nothing is then told as a fault, by its line
        held_in = layout.held_in
        numeric = [each for each in offered if not (held_in(each).words or held_in(each).is_dated)]
    if selection.formula is not None:
        from gdfit.data.terms.formula import in_terms

        selection = in_terms(selection, selection.formula, table, offered)
    target = choose_target(layout, name, selection, offered, numeric)
    if target is None:
        raise too_few(layout, name, numeric)
    left_out: tuple[str, ...] = ()
    taken, dates = tuple[str, ...](), tuple[str, ...]()
    is_instead = selection.target is None and target.column != "y"
    is_instead &= layout.names[-1] in offered and layout.names[-1] not in numeric
    if selection.features is None:
        used = target.column
        terms = [Term((Factor(column),)) for column in numeric if column != used]
        others = [column for column in offered if column not in numeric and column != used]
        dates = tuple(column for column in others if layout.held_in(column).is_dated)
        if not terms:
            taken = dates or tuple(
                column for column in others if may_be_category(layout.held_in(column))
            )
            terms = [read_term(column, table) for column in taken]
        if not terms:
            raise too_few(layout, name, [used])
        left_out = tuple(column for column in others if column not in taken)
    else:
        terms = [read_term(text, table) for text in selection.features]
        if not terms:
            raise UsageError("`features` names no column")
        if len({frozenset(term.factors) for term in terms}) < len(terms):
            raise UsageError("`features` names a column twice")
    check(terms, target, barred, weights, numeric)
    if not isinstance(selection.degree, Integral) or selection.degree < 1:
        raise UsageError(f"`degree` takes a whole number from 1 on, not {selection.degree}")
    if selection.degree > 1 and all(term.categories for term in terms):
        raise UsageError("`degree` has no effect here: it is for features that are numbers")
    made = powers(terms, selection.degree)
    check_names(made)
    columns = Columns(Expansion(made, intercept=selection.intercept, by=by), target, weights)
    spellings = ((column, layout.held_in(column).spelling) for column in columns.names)
    return replace(
        columns,
        left_out=left_out,
        is_instead=is_instead,
        spellings=tuple((column, found) for column, found in spellings if found),
        taken=taken,
        dates=dates,
        classes=classes_among(layout, name, target, selection) if selection.classes else None,
    )


def may_be_category(held: Held) -> bool:
    """Whether a column of text is one of few levels, some of them in several rows, and of no dates
    or numbers."""
    is_word = not held.numbers and not DATE.match(held.word) and unit_of(held.word) is None
    return is_word and 1 < len(held.values) <= min(FEW_LEVELS, held.words - 1)


def choose_target(
    layout: Layout, name: str, selection: Selection, offered: Sequence[str], numeric: Sequence[str]
) -> Factor | None:
    """The target: the one that is asked for, y, or the last of the `numeric` ones."""
    if selection.target is not None:
        table = LayoutTable(layout, name, not selection.classes, selection)
        return table.target(selection.target, classes=selection.classes)
    if selection.classes:
        found = {column: len(layout.held_in(column).values) for column in offered}
        two, one = ([name for name in offered if found[name] == count] for count in (2, 1))
        chosen = "y" if "y" in offered else (two or one or numeric or [""])[-1]
        return LayoutTable(layout, name).target(chosen, classes=True) if chosen else None
    if "y" in offered and ("y" in numeric or not layout.held_in("y").words):
        return Factor("y")
    return Factor(numeric[-1]) if numeric else None


OTHERS = "; this loss takes two, and `positive` VALUE takes all others than that for 0"


def classes_among(layout: Layout, name: str, target: Factor, selection: Selection) -> Classes:
    """The classes of the target: the values in the first rows, in their order.

    Raises
    ------
    OneClassError : there is one alone, and more may follow.
    """
    column = target.column
    grammar, held = layout.grammar.at(layout.names.index(column)), layout.held_in(column)

    def level(said: str) -> Level:
        return said if target.is_text else grammar.exact(said.encode())

    def is_value(said: str) -> bool:
        return target.is_text or bool(grammar.spelling.number.fullmatch(said.encode()))

    found = {*selection.levels} or {*map(level, filter(is_value, held.values))}
    if (named := selection.positive) is not None:
        if not is_value(named):
            raise UsageError(f"`positive` takes a number, as the target holds, not {quoted(named)}")
        return Classes(None, level(named), others=True)
    first, *more = in_order = sorted(found or {0})
    if len(more) > 1:
        names = [*map(level_name, in_order)]
        what = third_value(names[2], names[:2]) + OTHERS
        raise GdfitError(what, file=name, column=column, changes={"positive": names[-1]})
    if not more and selection.levels and found <= {0, 1}:
        return Classes(0, 1)
    if not more:
        where = "" if selection.levels else " in its first rows"
        raise OneClassError(first, where, target, name)
    return Classes(first, more[0])


def check(
    terms: list[Term],
    target: Factor,
    barred: dict[str, str],
    weights: str | None,
    numeric: list[str],
) -> None:
    """Raise where what is asked for contradicts itself."""
    features = [factor.column for term in terms for factor in term.factors]
    used: dict[str | None, str] = {weights: "weights", target.column: "target"}
    used |= dict.fromkeys(features, "features")
    for column in barred.keys() & used.keys():
        where = f"in `{used[column]}` and in `{barred[column]}`"
        raise UsageError(f"column {quoted(column)} is both {where}")
    for term in terms:
        if target.column not in (factor.column for factor in term.factors):
            continue
        if term.is_column and target.is_column:
            what = f"column {quoted(target.column)} is a feature and the target at once"
        else:
            name = quoted(str(term))
            what = f"{name} is a feature, and made of the column of the target, {target}"
        others = [column for column in numeric if column not in features]
        more = f": {alternatives(others)}" if others else ""
        raise UsageError(f"{what}; name another `target`{more}")
    if target.column == weights:
        raise UsageError(f"column {quoted(weights)} is both the target and in `weights`")


def check_names(terms: Sequence[Term]) -> None:
    """Raise where a feature is called as a column that others are made of: who reads its name, in
    the model's file, takes it for that column."""
    if all(term.is_column for term in terms):
        return
    factors = dict.fromkeys(factor for term in terms for factor in term.factors)
    columns = list(dict.fromkeys(factor.column for factor in factors))
    table = RecordedTable(columns, [factor.column for factor in factors if factor.is_text])
    for term in terms:
        if read_term(str(term), table) != term:
            raise UsageError(
                f"the feature {quoted(str(term))} would be called as a column is: call that column "
                "something else in the header, or name other `features`"
            )


def too_few(layout: Layout, name: str, usable: Sequence[str]) -> GdfitError:
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
        column
        for column, held in zip(layout.names, layout.held, strict=True)
        if column in layout.set_aside and column not in usable and held.is_numeric and held.numbers
    ]
    if aside:
        what.append(f"`features` {typed(aside[:1])} uses a column of row names")
    changes = {"features": joined(aside[:1])} if aside and usable else {}
    return GdfitError("; ".join(what), file=name, changes=changes)


Advice = tuple[str, dict[str, str]]
"""What to say of a fault, and the options that are the way out."""


class OneClassError(GdfitError):
    """A target that has classes has one value alone, in the first rows or in all.

    level : that value.
    category : the target, as a category.
    """

    def __init__(self, level: Level, where: str, target: Factor, name: str) -> None:
        what = f"holds {quoted(level_name(level))} alone{where}, and this loss takes two values"
        super().__init__(
            f"{what}; `positive` VALUE says which is 1", file=name, column=target.column
        )
        self.level, self.category = level, replace(target, is_category=True)


def check_classes(
    columns: Columns, targets: Iterable[FloatArray], others: Collection[Level], name: str
) -> None:
    """Raise where no row has the class that is asked for; some of the `others` are told."""
    if columns.classes and columns.classes.others and not any(y.any() for y in targets):
        said = tuple(sorted(map(level_name, others)))
        what = f"no row holds {quoted(columns.classes.names[1])}, which `positive` asks for"
        changes, column = {"positive": said[-1]}, columns.target.column
        what += f"; some hold {listing(said)}"
        raise GdfitError(what, file=name, column=column, changes=changes)


class Recipe(Protocol):
    """What is to be made of a row."""

    @property
    def columns(self) -> Columns:
        """What is read of it."""

    def maker(self, file: DataFile) -> RowMaker:
        """What makes rows of a file.

        Raises
        ------
        GdfitError : a column is not there.
        """

    def advice(self, fault: FieldError, layout: Layout) -> Advice:
        """What to type where a field can't be used."""


class Chosen(NamedTuple):
    """The rows of a fit.

    columns : what it uses.
    selection : what was asked for, for what to say of faults.
    drop_missing : whether to leave out rows with a missing field.
    """

    columns: Columns
    selection: Selection
    drop_missing: bool = False

    def maker(self, file: DataFile) -> RowMaker:
        """What makes rows of a file: see `Recipe`."""
        columns = self.columns
        needed = self.selection.features is not None
        place_of = find_columns(file.layout, file.name, columns.names, needed=needed)
        check_alike_spellings(file, columns.names, columns.spellings)
        known = (columns.expansion, place_of, columns.target, columns.weights, self.drop_missing)
        return RowMaker(*known, columns.classes)

    def nothing_left(self, layout: Layout, file: str) -> NoObservationsError:
        """That no row is left, and what to type where each has a missing field in a column."""
        columns = self.columns
        if not self.drop_missing:
            why = "" if columns.weights is None else " with a weight above 0"
            return NoObservationsError(why, file=file)
        missing = {column: layout.held_in(column).missing for column in columns.expansion.inputs}
        least = min(missing.values(), default=0)
        lacking = [column for column, count in missing.items() if count > least]
        most = sorted(lacking, key=missing.__getitem__, reverse=True)[:3]
        why, changes = " without a missing field", dict[str, str]()
        if most:
            why += f"; `exclude` {typed(most)} leaves out what lacks the most"
            changes = {} if self.selection.features else {"exclude": joined(most)}
        return NoObservationsError(why, file=file, changes=changes)

    def advice(self, fault: FieldError, layout: Layout) -> Advice:
        """What to type to do without the column of the field, where that is the way out: it says
        no other, or there is nothing but missing fields in the first lines."""
        column, columns = fault.column, self.columns
        is_missing = "drop-missing" in fault.changes
        if fault.changes and not is_missing:
            return "", {}
        has_some = is_missing and layout.held_in(column).numbers + layout.held_in(column).words > 0
        if column == columns.target.column:
            held = layout.held_in(column)
            if columns.classes and IS_THIRD in fault.what:
                return OTHERS, {"positive": columns.classes.names[1]}
            is_two = 0 < len(held.values) <= 2 and not held.is_numeric
            if is_two and not is_missing and not columns.classes:
                return "; `loss` logistic takes a target of two values", {"loss": "logistic"}
            unusable = {column, *layout.set_aside}
            others = [other for other in layout.numeric if other not in unusable]
            if len(others) > 1:
                changes = {} if has_some else {"target": others[-1], "exclude": joined([column])}
                return f"; `target` takes another column: {alternatives(others)}", changes
        elif column == columns.weights:
            return "", {}
        elif self.selection.features is None and len(columns.expansion.terms) > 1:
            changes = {} if has_some else {"exclude": joined([column])}
            return f"; `exclude` {typed([column])} leaves the column out", changes
        elif column not in layout.numeric and column not in columns.expansion.texts:
            return f"; columns with numbers are {listing(layout.numeric)}", {}
        return "", {}
