"""How a data file is laid out, found from its first lines: where its header is, what its columns
are called, and what they hold."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise, takewhile
from typing import NamedTuple

from gdfit.data.text import fields
from gdfit.data.text.dialect import Dialect, all_numbers, number_places, numeric_places
from gdfit.data.text.fields import RULED, Grammar, bare, is_key, is_word, says_number
from gdfit.data.text.sniffing import (
    Head,
    HeadRow,
    Held,
    Trailer,
    ends_empty,
    has_number,
    is_above_index,
    is_unlike,
    look_at,
    read_head,
    spelled,
    usual_width,
)
from gdfit.data.text.spellings import OTHER_MARK, Spelling, find_spelling, is_like, says_date
from gdfit.errors import GdfitError, listing, quoted

# R's and pandas' own words.
ROW_NAMES = re.compile(r"row[._ ]?names|unnamed: [\d.]+", re.IGNORECASE)


class Numbering(NamedTuple):
    """The rows' own numbers, from 1, in CSV that was written of a table that is no text.

    unnumbered : how many rows at the top have none: the names, where they are no row of the table.
    continued : the lines that go on a row.
    """

    unnumbered: int
    continued: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """The form of a data file.

    names : a name for each column, as its header gives them, else x, y or x1…xp, y.
    named : whether they are the columns' own names, from a header.
    grammar : how it writes rows and numbers.
    start, line : where the rows begin: after how many bytes, and on which line.
    header_end : after how many bytes the last name in the header ends.
    set_aside : columns that are used only if asked for: row names, and those without a name, as a
        row index, or what follows a delimiter at the end of each line. They are called column1,
        column2 … by their place.
    held : what each column holds in the first lines.
    short : how many columns at the end the header has no field for.
    units : where lines between the header and the rows end, which are none of both.
    few_broken : whether there are rows among the first ones that can't be read, or none, but less
        than a tenth.
    end : what is no table any more, where that is known.
    is_text : whether the file is text; if not, its columns have names and types of their own.
    numbering : the rows' own numbers, where lines say nothing to a person.
    notes : what is done with it beyond the plain reading, as a person is told it.
    """

    names: tuple[str, ...]
    named: bool
    grammar: Grammar
    start: int = 0
    line: int = 1
    header_end: int = 0
    set_aside: frozenset[str] = frozenset()
    held: tuple[Held, ...] = ()
    short: int = 0
    units: tuple[int, ...] = ()
    few_broken: bool = True
    end: Trailer = field(default_factory=Trailer)
    is_text: bool = True
    numbering: Numbering | None = None
    notes: tuple[str, ...] = ()

    def place(self, line: int) -> tuple[str, int]:
        """What a person calls this line, and which it is: a line, or a row by its own number."""
        if self.numbering is None:
            return "line", line
        unnumbered, continued = self.numbering
        return "row", line - bisect_right(continued, line) - unnumbered

    def held_in(self, name: str) -> Held:
        """What the column of this name holds."""
        return self.held[self.names.index(name)]

    @property
    def spellings(self) -> tuple[tuple[str, Spelling], ...]:
        """How the columns are written whose numbers have a spelling of their own."""
        pairs = zip(self.names, self.held, strict=True)
        return tuple((name, held.spelling) for name, held in pairs if held.spelling)

    @property
    def nameless(self) -> list[str]:
        """The columns of numbers without a name, but for a first one, which numbers rows."""
        aside = self.set_aside if self.is_text else ()
        nameless = (name for name in self.names[1:] if name in aside and not ROW_NAMES.match(name))
        return [name for name in nameless if self.held_in(name).numbers]

    @cached_property
    def numeric(self) -> tuple[str, ...]:
        """The columns of numbers that are no dates."""
        pairs = zip(self.names, self.held, strict=True)
        return tuple(name for name, held in pairs if held.is_numeric and not held.is_dated)


@lru_cache(maxsize=1)  # to find out whether a file can be cut, it is opened once more
def find_layout(text: bytes, name: str, dialect: Dialect) -> Layout:
    """The layout of the file called `name`, which begins with `text`.

    Raises
    ------
    GdfitError : it is empty or not text; or its first line is no header and no row.
    """
    head = read_head(text, name, dialect)
    top = find_top(head, name, dialect)
    header, rows = top.header, top.rows
    start, line, header_end, short = head.start, head.line, 0, 0
    if header is None:
        names, aside = default_names(len(rows[0].fields)), frozenset[str]()
    else:
        given = [bare(field) for field in header.fields]
        names, aside = named_columns(given)
        short = len(given) - top.named if given[-1:] == [""] else 0
        # Below a header that is a comment, others may follow.
        start = max(start, (top.units[-1] if top.units else header).stop)
        header_end = header.end
        line = fields.line_at(text, start)
    held = look_at(rows, names, head.grammar, dialect)
    grammar = spelled(head.grammar, held)
    units, are_few = tuple(row.end for row in top.units), are_few_broken(rows, held, grammar)
    written = (names, header is not None, grammar, start, line, header_end)
    return Layout(*written, aside, held, short, units, are_few, notes=top.notes)


def are_few_broken(rows: Sequence[HeadRow], held: Sequence[Held], grammar: Grammar) -> bool:
    """Whether less than a tenth of the first `rows` have too many or too few fields, or a word
    among numbers."""
    numeric = [place for place, each in enumerate(held) if each.is_numeric]

    def is_number(field: str, place: int) -> bool:
        return field in grammar.missing or grammar.at(place).spelling.takes(field)

    whole = [row.fields for row in rows if len(row.fields) == len(held)]
    readable = sum(all(is_number(row[at], at) for at in numeric) for row in whole)
    return ACCIDENTS * (len(rows) - readable) < len(rows)


def named_columns(given: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """A name for each column, and which are set aside: row names, and those without a name of their
    own, which is empty."""
    names = tuple(name or f"column{place}" for place, name in enumerate(given, start=1))
    aside = {name for name, own in zip(names, given, strict=True) if not own}
    return names, frozenset(aside.union(takewhile(ROW_NAMES.fullmatch, names)))


class Top(NamedTuple):
    """What stands above the rows of a file.

    header : the line of the columns' names, if there is one, with a field for each column.
    named : how many of them stand in the file.
    units : the lines of words between the header and the rows.
    rows : the first rows.
    notes : what is done beyond the plain reading.
    """

    header: HeadRow | None
    named: int
    units: list[HeadRow]
    rows: list[HeadRow]
    notes: tuple[str, ...] = ()


def find_top(head: Head, name: str, dialect: Dialect) -> Top:
    """What stands above the rows of the file called `name`.

    Raises
    ------
    GdfitError : the first line is no header and no row.
    """
    grammar, has_header = head.grammar, dialect.header
    if has_header is False:
        return Top(None, 0, [], head.rows)
    if has_header is None:
        if dialect.decimal in (None, grammar.decimal):
            check_decimals(head.rows[0], grammar, name)
        width = usual_width(head.rows[1:]) or len(head.rows[0].fields)
        marked = head.marked.fields if head.marked else []
        if len(marked) == width > 1 and has_number(head.rows[0].fields) and not has_number(marked):
            return Top(head.marked, width, [], head.rows)  # as NumPy's savetxt and gnuplot do
    rows, notes = head.rows, list[str]()
    if above := has_header is None and preamble(rows, grammar):
        rows = rows[above:]
        lines = "line 1 is" if above == 1 else f"{above} lines are"
        said = quoted(" ".join(filter(None, head.rows[0].fields)))
        notes.append(f"{lines} left out above the header, as {said}")
    first, *below = rows
    width = usual_width(below) or len(first.fields)
    if has_header is None:
        is_cut = grammar.delimiter == fields.WHITE_SPACE and not has_number(first.fields)
        is_cut &= len(first.fields) > width > 1  # names of several words
        if title := title_above(rows, width) or is_cut * first.line:
            check_commas(first, below, grammar, name)
            what = next(filter(None, first.fields), "")
            what = f"{quoted(what)} is no header for the {width} columns below it"
            what += f"; `skip` {title} begins at line {title + 1}"
            raise GdfitError(what, file=name, line=first.line, changes={"skip": str(title)})
        fields_below = [row.fields for row in below]
        if is_row(first.fields, fields_below, grammar):
            if is_unlike(first.fields, fields_below, grammar):
                said = quoted(",".join(first.fields))
                what = f"line {first.line}, {said}, is taken for a row, though it is unlike"
                notes.append(f"{what} those below; `header` takes it for the columns' names")
            return Top(None, 0, [], rows, tuple(notes))
    units = units_below(below, width, grammar)
    rows = below[len(units) :]
    header = named_for(first, rows, width)
    names, joined = full_names(header.fields, units, rows)
    if joined:
        lines = f"lines {first.line} to {units[joined - 1].line}"
        shown = listing(tuple(filter(None, names)))
        notes.append(f"{lines} are read as the columns' names: {shown}")
    for row in units[joined:]:
        said = quoted(",".join(row.fields))
        notes.append(f"line {row.line} is left out: {said} are units, or more of the header")
    header = header._replace(fields=names)
    return Top(header, len(first.fields), units, rows, tuple(notes))


def full_names(
    names: list[str], units: Sequence[HeadRow], rows: Sequence[HeadRow]
) -> tuple[list[str], int]:
    """The columns' names, and of how many lines below the first one words are added to them: where
    that calls some alike, or leaves out one of numbers, as beside a merged cell, as many as tell
    them apart."""
    wide = [row.fields for row in rows if len(row.fields) == len(names)]
    numbers = [at for at in range(1, len(names)) if any(has_number([row[at]]) for row in wide)]
    for count in range(len(units) + 1):
        found, above = list[str](), ""
        for place, name in enumerate(names):
            above = name or above
            words = [*filter(None, (row.fields[place] for row in units[:count]))]
            found.append(" ".join([above, *words]).strip() if words else name)
        given = [*filter(None, found)]
        if len({*given}) == len(given) and all(found[at] for at in numbers):
            return found, count
    return names, 0


def check_commas(first: HeadRow, rows: Sequence[HeadRow], grammar: Grammar, name: str) -> None:
    """Raise for names above rows of twice as many digits between commas."""
    twice = 2 * len(first.fields)
    said = [field for row in rows for field in row.fields]
    is_whole = all(field.lstrip("-").isdecimal() for field in said)
    is_twice = twice > 2 and {len(row.fields) for row in rows} == {twice}
    if grammar.delimiter == "," and is_whole and is_twice:
        what = f"has {twice // 2} names, and rows of {twice} fields: if commas are decimal marks, "
        what += "too, nothing tells them apart; write it with another delimiter, as ;"
        raise GdfitError(what, file=name, line=first.line)


def check_decimals(first: HeadRow, grammar: Grammar, name: str) -> None:
    """Raise for a first line of numbers with the other decimal mark."""
    other = OTHER_MARK.get(grammar.decimal, ",")
    if not all_numbers(first.fields, other, grammar.missing):
        return
    present = [field for field in first.fields if field not in grammar.missing]
    if grammar.delimiter == other and find_spelling(present).doubt:
        return
    wrong = next((field for field in present if not says_number(field, grammar.decimal)), None)
    if wrong is not None:
        what = f"{quoted(wrong)} is not a number (decimals with '{other}' need `decimal` {other})"
        raise GdfitError(what, file=name, line=first.line, changes={"decimal": other})


def named_for(first: HeadRow, rows: Sequence[HeadRow], width: int) -> HeadRow:
    """The header with a field for each of the columns of its `rows`: what follows a delimiter at
    their end has no name; nor have row names, in the way of R's write.table."""
    more = width - len(first.fields)
    if more > 0 and ends_empty(rows, more, width):
        return first._replace(fields=[*first.fields, *[""] * more])
    return first._replace(fields=["", *first.fields]) if more == 1 else first


MOST_UNITS = 3  # lines
DASHES = ("-", "\u2013", "\u2014")  # of what has no unit
ACCIDENTS = 10  # of so many rows, more than one that is broken is no accident


def preamble(rows: Sequence[HeadRow], grammar: Grammar) -> int:
    """How many of the first `rows` stand above what is a table without doubt: names, all of them
    different and given, but for that of a row index, over rows that have as many fields and numbers
    in the same places. None of those above has, and there are not as many above that are alike and
    have numbers."""
    for above in range(1, len(rows) - 1):
        names, below = rows[above].fields, rows[above + 1 :]
        width = len(names)
        if width < 2 or not all(names[1:]) or len({*names}) < width:
            continue
        if has_number(names) or any(map(says_date, names)) or is_key(names):
            continue
        units = units_below(below, width, grammar)
        fields_below = [row.fields for row in below[len(units) :]]
        if any(len(row) != width for row in fields_below):
            continue
        numeric = numeric_places(fields_below, grammar)
        tops = [row.fields for row in rows[:above]]
        widths = Counter(len(row) for row in tops if len(row) > 1 and has_number(row))
        if max(widths.values(), default=0) >= len(fields_below):  # they may be the table
            continue
        if not numeric or any(
            len(row) == width and all(says_number(row[at], grammar.decimal) for at in numeric)
            for row in tops
        ):
            continue
        apart = rows[above].line - rows[above - 1].line > 1
        is_sure = apart or any(is_title(row, width) for row in tops)
        # Words above nothing but numbers are no row, and the first line is no header of them.
        is_only = all(map(is_word, names)) and not units_below(rows[1:], width, grammar)
        is_only &= {*number_places(fields_below, grammar)} >= {
            at for at in range(width) if any(row[at] for row in fields_below)
        }
        if is_sure or is_only:
            return above
    return 0


def is_title(row: Sequence[str], width: int) -> bool:
    """Whether a line is none of a table so wide: one field, none in the second half, or a key."""
    is_short = not any(row[(width + 1) // 2 :]) or sum(map(bool, row)) == 1
    return len(row) != width or is_short or is_key(row)


def units_below(rows: Sequence[HeadRow], width: int, grammar: Grammar) -> list[HeadRow]:
    """The first of the `rows` below a header that are none, but words where the others have
    numbers: units, and further lines of the header."""
    leading = 0
    for at, (row, following) in enumerate(pairwise(rows)):
        pairs = zip(row.fields, following.fields, strict=False)
        if any(has_number([one]) and has_number([other]) for one, other in pairs):
            leading = at
            break
    if not 0 < leading <= MOST_UNITS:
        return []
    below = [row.fields for row in rows[leading:] if len(row.fields) == width]
    places = number_places(below, grammar)
    if not places or len(below) < 2:
        return []
    used = [place for place in range(width) if any(row[place] for row in below)]
    for at, row in enumerate(rows[:leading]):
        given = [*filter(None, row.fields)]
        if all(map(RULED.fullmatch, given)) or (at and given == row.fields[:1]):
            continue  # a rule, or what pandas calls its index
        if len(row.fields) != width:
            return []
        said = [row.fields[place] for place in places if row.fields[place]]
        others = sum(bool(row.fields[place]) for place in used) - len(said)
        words = [field for field in said if field.strip("[]()") not in DASHES]
        if not words or not all(map(is_word, words)) or len(said) <= others:
            return []
    return list(rows[:leading])


def title_above(records: Sequence[HeadRow], width: int) -> int:
    """How many lines stand above what may be a header of the rows, `width` wide; 0 for none."""
    first, *rows = records
    second = next((place for place, row in enumerate(rows) if len(row.fields) == width), None)
    if second is None or not any(has_number(row.fields) for row in rows[second + 1 :] or rows):
        return 0
    names_below = not has_number(rows[second].fields)
    count = len(first.fields)
    if count == width:
        named = sum(map(bool, first.fields))
        is_title = named == 1 < sum(map(bool, rows[second].fields)) and names_below
    elif count > width:
        is_title = names_below and second == 0
    else:
        # R's write.table names one column less, and a delimiter may end every row but the header.
        is_rs = count == width - 1 > 1 and second == 0 and not has_number(first.fields)
        is_named = not all(has_number([field]) for field in first.fields)
        is_ended = is_named and ends_empty(rows, width - count, width)
        is_title = names_below or not (is_rs or is_ended)
    return records[second].line if is_title else 0


def is_row(first: Sequence[str], rows: Sequence[Sequence[str]], grammar: Grammar) -> bool:
    """Whether a first line is no header but a row.

    It is if it has nothing but numbers, unless they stand above a row index that has no name; or
    where it has a number in each column that has numbers below.
    """
    decimal, missing = grammar.decimal, grammar.missing
    below = [row for row in rows if len(row) == len(first)]
    if all_numbers(first, decimal, missing):
        return not is_above_index(first, below)
    numbers = [
        at
        for at, field in enumerate(first)
        if says_number(field, decimal) or is_like(field, [row[at] for row in below])
    ]
    numeric = number_places(below, grammar)
    return bool(numeric) and set(numeric) <= set(numbers)


def default_names(count: int) -> tuple[str, ...]:
    """What the columns of a file without a header are called."""
    if count <= 2:
        return ("x", "y")[:count]
    return (*(f"x{place}" for place in range(1, count)), "y")
