"""What is said of data files: how they are written, and which of their columns are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, NamedTuple

from gdfit.data.text.fields import MISSING, WHITE_SPACE, WHOLE, Grammar, says_number
from gdfit.data.text.spellings import (
    OTHER_MARK,
    SPELLINGS,
    THOUSANDS_MARKS,
    Spelling,
    find_spelling,
)
from gdfit.errors import UsageError, joined, quoted

# What holds for the files that a model is used on, too.
OF_TRAINING = (
    *("decimal", "thousands", "missing", "not_missing", "dates"),
    *("comment", "header", "encoding", "sheet"),
)
DATES = ("mdy", "dmy")
EXCLUSIVE = (("thousands", "decimal"), ("delimiter", "decimal"), ("delimiter", "comment"))
# What is said of other files than those whose columns have names and types of their own.
OF_TEXT = ("delimiter", "comment", "skip", "skip_end", "header", "encoding", "sheet")
OF_TEXTS = ("decimal", "thousands", "skip_broken")  # and of fields that are texts
OPTIONS_OF = {"sheet": "Excel and OpenDocument"}


class Quoting(NamedTuple):
    """The character that fields may be enclosed in, and whether a backslash escapes it."""

    quote: str = '"'
    escape: bool = False


QUOTINGS = (Quoting(), Quoting(escape=True), Quoting("'"), Quoting("'", escape=True))


@dataclass(frozen=True)
class Dialect:
    """What is said of how data files are written; what is not said is found out.

    delimiter : one character or `WHITE_SPACE`; by default found from the first lines.
    decimal : the decimal mark, ``.`` or ``,``; by default ``.``, but in a column that shows without
        doubt that it is the other one.
    missing : what stands for a missing value, besides what pandas takes for one by default.
    skip : how many lines above the header, or the data, to leave out.
    comment : the character that begins a comment, up to the end of the line; by default, lines that
        begin with # or % above the header are comments, and no others.
    drop_missing : skip rows with a missing field, which are an error otherwise.
    sheet : which sheet of a workbook to read; by default the first.
    not_missing : what of that stands for none.
    skip_end : how many lines at the end to leave out, blank ones not counted.
    skip_broken : leave out rows that can't be read, which are an error otherwise: those of too many
        or too few fields, with quotes that don't close, or a word among numbers.
    header : whether the first line has the columns' names; by default, that is found out.
    encoding : the text's encoding, by one of Python's names for it; by default, that is found out.
    thousands : the mark that may stand before each three digits of all numbers; by default found
        for each column.
    dates : ``mdy`` where the month stands first in dates that may be either, ``dmy`` where the day
        does.
    known : how columns were written before, by their names, which holds where their first lines
        don't say otherwise.
    of_training : which of these have been said in training, and hold where they may.
    """

    delimiter: str | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    skip: int = 0
    comment: str | None = None
    drop_missing: bool = False
    sheet: str | None = None
    not_missing: tuple[str, ...] = ()
    skip_end: int = 0
    skip_broken: bool = False
    header: bool | None = None
    encoding: str | None = None
    thousands: str | None = None
    dates: str | None = None
    known: tuple[tuple[str, Spelling], ...] = ()
    of_training: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        of_delimiter = self.delimiter in (None, WHITE_SPACE) or is_mark(self.delimiter, "")
        of_thousands = self.thousands in (None, *THOUSANDS_MARKS)
        of_comment = self.comment is None or is_mark(self.comment, " \t.,+-")
        of_encoding = self.encoding is None or is_encoding(self.encoding)
        takes = {
            "decimal": (self.decimal in (None, *SPELLINGS), ". or a comma"),
            "delimiter": (of_delimiter, "one character, 'tab' or 'space'"),
            "thousands": (of_thousands, "a comma, a point, ' or a blank"),
            "comment": (of_comment, "one character as #"),
            "dates": (self.dates in (None, *DATES), "mdy or dmy"),
            "encoding": (of_encoding, "an encoding of text as utf-8 or cp1252"),
        }
        for option, (is_taken, what) in takes.items():
            if not is_taken:
                raise UsageError(f"`{option}` takes {what}, not {quoted(getattr(self, option))}")
        for one, other in EXCLUSIVE:
            if (mark := getattr(self, one)) and mark == getattr(self, other):
                raise UsageError(f"`{one}` and `{other}` are both {quoted(mark)}")
        for name in ("skip", "skip_end"):
            if not 0 <= getattr(self, name) < WHOLE:
                raise UsageError(f"`{name}` takes a number of lines, not {getattr(self, name)}")

    def without(self, options: Sequence[str], why: str) -> Dialect:
        """This, without options that say nothing of such a file.

        Raises
        ------
        UsageError : one of them has been given.
        """
        for option in options:
            is_said = getattr(self, option) != getattr(Dialect, option)
            if is_said and option not in self.of_training:
                what = f"`{option}` is for {OPTIONS_OF.get(option, 'CSV')}, and {why}"
                raise UsageError(what, changes={option.replace("_", "-"): ""})
        return replace(self, **{option: getattr(Dialect, option) for option in options})

    @property
    def facts(self) -> dict[str, object]:
        """What a model's file keeps: what is said that holds for the files it is used on, too."""
        said = {name: getattr(self, name) for name in OF_TRAINING}
        kept = {name: value for name, value in said.items() if value != getattr(Dialect, name)}
        return {"dialect": kept} if kept else {}

    def with_kept(self, kept: object) -> Dialect:
        """What is said, and where nothing is, what was `kept` of another dialect."""
        if not isinstance(kept, Mapping):
            return self

        def said(value: object) -> object:
            if isinstance(value, list):
                return tuple(map(str, value))
            return value if isinstance(value, bool) else str(value)

        more: dict[str, Any] = {
            name: said(value)
            for name, value in kept.items()
            if name in OF_TRAINING and getattr(self, name) == getattr(Dialect, name)
        }
        return replace(self, **more, of_training=frozenset(more))

    def grammar(self, delimiter: str, quoting: Quoting = QUOTINGS[0]) -> Grammar:
        """How a file with this delimiter and these quotes writes rows and numbers."""
        missing = (MISSING | set(self.missing)) - set(self.not_missing)
        decimal = self.decimal if self.decimal != delimiter else None  # a column's own, in quotes
        marks = (delimiter, decimal or ".", missing, self.comment)
        return Grammar(*marks, *quoting, dates=self.dates)


def is_encoding(name: str) -> bool:
    """Whether Python knows an encoding of text of this name, in which bytes may be no text."""
    how = "surrogateescape"
    try:
        return isinstance("x".encode(name, how).decode(name, how), str)
    except (LookupError, ValueError, TypeError):
        return False


def is_mark(text: str | None, but: str) -> bool:
    """Whether `text` is one ASCII character that may stand between fields, and none of `but`."""
    return (
        text is not None
        and len(text) == 1
        and text.isascii()
        and not text.isalnum()
        and text not in '"\r\n'
        and text not in but
    )


def all_numbers(fields: Sequence[str], decimal: str, missing: frozenset[str]) -> bool:
    """Whether `fields` are numbers, of which some, but not all, may be missing."""
    present = [field for field in fields if field not in missing]
    return bool(present) and all(says_number(field, decimal) for field in present)


def numeric_places(rows: Sequence[Sequence[str]], grammar: Grammar) -> list[int]:
    """The columns of `rows` that have nothing but numbers, of which some, but not all, may be
    missing."""
    columns = enumerate(zip(*rows, strict=True))
    return [at for at, column in columns if all_numbers(column, grammar.decimal, grammar.missing)]


def number_places(rows: Sequence[Sequence[str]], grammar: Grammar) -> list[int]:
    """As `numeric_places`, with the columns whose numbers have a spelling of their own, or the
    other decimal mark."""
    places = numeric_places(rows, grammar)
    for at, column in enumerate(zip(*rows, strict=True)):
        present = [field for field in column if field not in grammar.missing]
        spelling = None if at in places else find_spelling(present).spelling
        ways = (spelling, SPELLINGS[OTHER_MARK.get(grammar.decimal, ",")])
        if any(way and present and all(map(way.takes, present)) for way in ways):
            places.append(at)
    return places


@dataclass(frozen=True)
class Selection:
    """Which columns are asked for, and what is to be made of them.

    features : the terms to predict from, as `gdfit.data.terms.terms` reads them; by default all
        other columns with numbers, but row names and columns without a name.
    target : the term to predict; by default ``y`` if there is one, else the last column with
        numbers.
    exclude : columns that are not used, whatever they hold.
    degree : up to which to add all powers and products of the features that are numbers.
    weights : the column that says how much each row counts; by default all count alike.
    intercept : whether there is a b to fit; where there is none, it stays 0.
    positive : the value of the target that is y = 1, where it has classes; by default the second.
    classes : whether the target has two of them, of which one is y = 1 and the other y = 0.
    formula : the target and the terms in R's way: see `gdfit.data.terms.formula`.
    by : the column, or the category of one, whose values part the rows into groups.
    levels : all values of the target, where that has classes and its first rows don't tell.
    """

    features: tuple[str, ...] | None = None
    target: str | None = None
    exclude: tuple[str, ...] = ()
    degree: int = 1
    weights: str | None = None
    intercept: bool = True
    positive: str | None = None
    classes: bool = False
    by: str | None = None
    formula: str | None = None
    levels: frozenset[str | float] = frozenset()

    def naming(self, name: str, other: str) -> dict[str, str]:
        """The options in which a column is called `name`, with the `other` one in its place."""
        named = ("features", "target", "weights", "by")
        said = {option: getattr(self, option) for option in named}
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        texts = {option: several(text) for option, text in said.items() if text is not None}
        return {
            option: joined([word.sub(lambda _: other, term) for term in terms])
            for option, terms in texts.items()
            if any(map(word.search, terms))
        }


def several(names: Sequence[object] | str | PathLike[str]) -> tuple[str, ...]:
    """Names, of which one may be given by itself."""
    return (str(names),) if isinstance(names, str | PathLike) else tuple(map(str, names))
