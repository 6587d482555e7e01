"""Text cut into units, whole rows that can be read by themselves: those that start in one stretch
of a file's bytes, of a fixed size.

A row may hold line ends, in quotes. A byte is in quotes if the number of quotes before it is odd;
so it is where each quote opens a field, closes it or is doubled. In files where some are mere
characters (5" of snow), the others are first told from them one by one.

What a unit is depends on nothing but the text, so that many can read one file, each a range of
units, and find the same ones. A quote that does not close at the end of a field is none, and its
line is a row by itself. Where a range begins, a row is taken to start after a line end. That
is wrong where the line end is in quotes; but then the range before ends in quotes, and its reader,
who has them all, sees it. If none does, all have begun where a row starts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfit.data.text.fields import Grammar, RowError

LONGEST_ROW = 1 << 25  # in bytes
LONGEST_ESCAPE = 64  # backslashes before a quote
LF, CR = b"\n\r"
LINE_END = re.compile(rb"\r\n?|\n")

Text = NDArray[np.uint8]
Positions = NDArray[np.int64]


class Unit(NamedTuple):
    """Rows that are read, and condensed, by themselves. Which they are depends on the file alone.

    number : in its file, from 0.
    content : the rows as the file has them: a block of text, a row group, a range of rows.
    """

    number: int
    content: Any


class Block(NamedTuple):
    """Whole rows as they stand in the file.

    text : with blanks for comments.
    quotes : the positions of the quotes that open a field and those that close it, in turn.
    line : the number of the first line.
    raw : with the comments.
    is_last : whether nothing follows.
    """

    text: bytes
    quotes: Positions
    line: int
    raw: bytes
    is_last: bool = False


def too_long(text: bytes, line: int) -> RowError:
    """What is wrong with a row that does not end where it should."""
    long = f"has more than {LONGEST_ROW >> 20} MB, which is no row of a table"
    return RowError("a quote opens a field here that does not end" if b'"' in text else long, line)


def end_of_whole_rows(text: bytes, quotes: Positions) -> int:
    """Where the last row ends that is whole whatever follows the text."""
    end, within = len(text), 1
    while end and within % 2:
        # What follows a CR at the end may be the LF that belongs to it.
        end = 1 + max(text.rfind(b"\n", 0, end), text.rfind(b"\r", 0, min(end, len(text) - 1)))
        within = int(np.searchsorted(quotes, end))
        if within % 2:
            end = int(quotes[within - 1])
    return end


def count_lines(text: bytes) -> int:
    """How many lines end in `text`; faster than `line_at`."""
    characters = np.frombuffer(text, np.uint8)
    feeds = characters == LF
    count = int(np.count_nonzero(feeds))
    if b"\r" in text:
        returns = characters == CR
        count += int(np.count_nonzero(returns) - np.count_nonzero(returns[:-1] & feeds[1:]))
    return count


def without_comments(text: bytes, grammar: Grammar) -> bytes:
    """`text` with blanks for each comment, so that all else keeps its place."""
    mark = (grammar.comment or "").encode()
    if not mark or mark not in text:
        return text
    comment = rb"(%b[^\r\n]*+)" % re.escape(mark)
    quote = grammar.quote.encode()
    if quote in text:
        before = re.escape(grammar.delimiters + b"\r\n")
        opening = rb"(?:\A|(?<=[%b]))[%b]*+" % (before, re.escape(grammar.blanks))
        closed, broken = grammar.enclosed.pattern, rb"%b[^\r\n]*+" % quote
        comment = rb"%b(?:%b|%b)|%b" % (opening, closed, broken, comment)
    return re.sub(
        comment, lambda found: found[0] if found[1] is None else b" " * len(found[0]), text
    )


def find_quotes(text: bytes, grammar: Grammar, *, ended: bool) -> Positions:
    """The positions of the quotes in `text` that open a field and of those that close it.

    ended : whether nothing follows the text.
    """
    quote = grammar.quote.encode()
    if quote not in text:
        return np.empty(0, np.int64)
    characters = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(characters == ord(quote))
    if grammar.escape:
        quotes = quotes[~is_escaped(text, quotes)]
    doubled = quotes[2::2] == quotes[1:-1:2] + 1
    opening = at_start(characters, quotes[::2], grammar)
    opening[1:] |= doubled
    closing = at_stop(characters, quotes[1::2], grammar)
    closing[: len(doubled)] |= doubled
    if not (opening.all() and closing.all()) or (ended and len(quotes) % 2):
        return one_by_one(text, quotes, grammar, ended=ended)
    if not doubled.any():
        return quotes
    stays = np.ones(len(quotes), bool)
    stays[1:-1:2] = stays[2::2] = ~doubled
    return quotes[stays]


def is_escaped(text: bytes, positions: Positions) -> NDArray[np.bool_]:
    """Whether an odd number of backslashes stands before each of the `positions`."""
    before = [text[max(0, at - LONGEST_ESCAPE) : at] for at in positions.tolist()]
    return np.array([(len(each) - len(each.rstrip(b"\\"))) % 2 for each in before], bool)


def at_start(characters: Text, positions: Positions, grammar: Grammar) -> NDArray[np.bool_]:
    """Whether there are only blanks between each of the `positions` and the start of its field."""
    ends_field, blank = table_of(grammar.delimiters + b"\r\n"), table_of(grammar.blanks)
    found: NDArray[np.bool_] = ends_field.take(characters[positions - 1]) | (positions == 0)
    some, back = np.flatnonzero(~found), 1
    while len(some := some[blank[characters[positions[some] - back]]]):
        back += 1
        before = positions[some] - back
        found[some] = ends_field[characters[before]] | (before < 0)
        some = some[~found[some]]
    return found


def at_stop(characters: Text, positions: Positions, grammar: Grammar) -> NDArray[np.bool_]:
    """Whether there are only blanks between each of the `positions` and the end of its field."""
    return at_start(characters[::-1], len(characters) - 1 - positions, grammar)


def one_by_one(text: bytes, quotes: Positions, grammar: Grammar, *, ended: bool) -> Positions:
    """Those of the `quotes` in the `text` that open a field or close it."""
    characters = np.frombuffer(text, np.uint8)
    starts = at_start(characters, quotes, grammar).tolist()
    stops = at_stop(characters, quotes, grammar).tolist()
    at, places, found = 0, quotes.tolist(), list[int]()
    while at < len(places):
        close = at + 1
        if not starts[at]:
            at = close
            continue
        while close + 1 < len(places) and places[close + 1] == places[close] + 1:
            close += 2  # it is doubled, and the field goes on
        if close < len(places) and stops[close]:
            found += places[at], places[close]
            at = close + 1
        elif close >= len(places) and not ended:
            found.append(places[at])
            break
        else:  # its line is a row by itself
            line_end = LINE_END.search(text, places[at])
            at = bisect_left(places, line_end.end()) if line_end else len(places)
    return np.array(found, np.int64)


@cache
def table_of(characters: bytes) -> NDArray[np.bool_]:
    """For each of the 256 bytes, whether it is one of `characters`."""
    table = np.zeros(256, bool)
    table[list(characters)] = True
    return table


def in_quotes(quotes: Positions, length: int) -> NDArray[np.bool_]:
    """For each of `length` characters, whether it is in quotes (the quote that closes is not)."""
    return every_other(np.diff(np.concatenate([[0], quotes, [length]])))


def every_other(lengths: Positions) -> NDArray[np.bool_]:
    """Runs of False and True in turn, of these lengths."""
    flags = np.zeros(len(lengths), bool)
    flags[1::2] = True
    return np.repeat(flags, lengths)


def ends_of_rows(block: Block, grammar: Grammar) -> Positions:
    """Where the last field of each row of `block` ends, before blanks and a comment."""
    return spans_of_rows(block, grammar)[1]


def spans_of_rows(block: Block, grammar: Grammar) -> tuple[Positions, Positions]:
    """Where each row of `block` starts, and where its last field ends."""
    text = np.frombuffer(block.text, np.uint8)
    line_ends = table_of(b"\r\n")[text]
    if len(block.quotes):
        line_ends &= ~in_quotes(block.quotes, len(text))
    ends = np.flatnonzero(line_ends)
    if not len(ends) or ends[-1] + 1 < len(text):
        ends = np.append(ends, len(text))
    starts = np.append(0, ends[:-1] + 1)
    blank, some = table_of(grammar.blanks), np.arange(len(ends))
    while len(some := some[ends[some] > starts[some]]) and len(
        some := some[blank[text[ends[some] - 1]]]
    ):
        ends[some] -= 1
    is_row = ends > starts
    return starts[is_row], ends[is_row]


def in_rows(chosen: NDArray[np.bool_], starts: Positions, length: int) -> NDArray[np.bool_]:
    """For each of `length` characters, whether it is in one of the `chosen` of the rows that start
    there."""
    return np.repeat(chosen, np.diff(np.concatenate([[0], starts[1:], [length]])))


def rows_where(chosen: NDArray[np.bool_], starts: Positions, text: bytes) -> bytes:
    """The `chosen` of the rows of a text, which start there."""
    return np.frombuffer(text, np.uint8)[in_rows(chosen, starts, len(text))].tobytes()


UNIT_BYTES = 1 << 21  # larger ones cost more memory, smaller ones more folds
LITTLE = 1 << 16  # bytes, in which a line is likely to end


class StraddledError(Exception):
    """A range ends in quotes, or seems to: its file has to be read from the start."""


@dataclass(eq=False)
class UnitCutter:
    """Cuts units, one after the other.

    read : gives up to so many bytes more of the text, none at the end.
    grammar : how rows are written.
    begin : where in the file the text begins.
    line : the number of the first line.
    text : what has been read of it already.
    unit_bytes : the size of a unit.
    """

    read: Callable[[int], bytes]
    grammar: Grammar
    begin: int
    line: int
    text: bytes = b""
    unit_bytes: int = UNIT_BYTES
    ended: bool = field(default=False, init=False)

    def units(self, first: int = 0, stop: int | None = None) -> Iterator[Unit]:
        """Units from `first` on: up to `stop`, or all that there are.

        Raises
        ------
        RowError : a row is too long.
        StraddledError : the range up to `stop` ends in quotes.
        """
        number = first
        while self._fill(max(1, (number + 1) * self.unit_bytes - self.begin + LITTLE)):
            left = None if stop is None else stop * self.unit_bytes - self.begin
            block = self._take((number + 1) * self.unit_bytes - self.begin, left)
            yield self._unit(number, block)
            number += 1
            if number == stop:
                return

    def burst(self) -> Iterator[Unit]:
        """Units of whole rows, of any size: of those that have been read already, or else of those
        that come without a pause, where `read` gives less than is asked for.

        Raises
        ------
        RowError : a row is too long.
        """
        number = 0
        if block := self._whole_rows():
            yield self._unit(number, block)
            return
        pause = False
        while not (pause or self.ended):
            more = self.read(self.unit_bytes)
            self.text, self.ended, pause = self.text + more, not more, len(more) < self.unit_bytes
            if block := self._whole_rows():
                yield self._unit(number, block)
                number += 1

    def skip_line(self) -> None:
        """Leave out what is before the first row's start, if a row starts after the first line end.

        Raises
        ------
        StraddledError : there is no line end, or not soon.
        """
        size, end = LITTLE, None
        while end is None:
            self._fill(size)
            end = row_start(self.text, np.empty(0, np.int64), 1, ended=self.ended)
            if end is None and size > LONGEST_ROW:
                raise StraddledError
            size *= 2
        self.begin += end
        self.text = self.text[end:]

    def _unit(self, number: int, block: Block) -> Unit:
        """The unit of this number, of the next rows."""
        unit = Unit(number, block)
        self.begin += len(block.raw)
        self.line += count_lines(block.raw)
        return unit

    def _fill(self, size: int) -> bool:
        """Have so many bytes, if there are so many; True if there are any."""
        while len(self.text) < size and not self.ended:
            more = self.read(size - len(self.text))
            self.text, self.ended = self.text + more, not more
        return bool(self.text)

    def _whole_rows(self) -> Block | None:
        """The rows that have been read and are whole, if there are any."""
        raw, text = self.text, without_comments(self.text, self.grammar)
        quotes = find_quotes(text, self.grammar, ended=self.ended)
        end = len(text) if self.ended else end_of_whole_rows(text, quotes)
        if not end and len(raw) > LONGEST_ROW:
            raise too_long(raw, self.line)
        return self._cut(text, quotes, end) if end else None

    def _take(self, wanted: int, left: int | None) -> Block:
        """The rows that start in the next `wanted` bytes.

        left : after how many bytes the next range begins, if there is one.
        """
        if wanted <= 0:  # a row that starts before is longer than that
            return Block(b"", np.empty(0, np.int64), self.line, b"")
        size = wanted + LITTLE
        while True:
            self._fill(size)
            raw = self.text
            text = without_comments(raw, self.grammar)
            quotes = find_quotes(text, self.grammar, ended=self.ended)
            end = row_start(text, quotes, wanted, ended=self.ended)
            if end is not None:
                break
            whole = end_of_whole_rows(text, quotes)
            if len(raw) - whole > LONGEST_ROW:
                raise too_long(raw[whole:], self.line + count_lines(raw[:whole]))
            size *= 2
        if left is not None and 0 < left <= end:
            taken_for = row_start(text, quotes[:0], left, ended=self.ended)
            if taken_for != end:
                raise StraddledError
        block = self._cut(text, quotes, end)
        return block._replace(is_last=not self._fill(1))

    def _cut(self, text: bytes, quotes: Positions, end: int) -> Block:
        """The rows up to `end` in the text, which is `text` without comments."""
        rest, taken = self.text[end:], self.text[:end]
        rows = taken if text is self.text else text[:end]
        self.text = rest
        return Block(rows, quotes[: np.searchsorted(quotes, end)], self.line, taken)


def row_start(text: bytes, quotes: Positions, least: int, *, ended: bool) -> int | None:
    """Where in `text` the first row starts that starts there or after it, at `least`; None where
    that is not in the text.

    quotes : those that open fields and close them, in turn.
    ended : whether nothing follows the text.
    """
    position = least - 1
    while found := LINE_END.search(text, position):
        if found.end() == len(text) and found[0] == b"\r" and not ended:
            return None  # an LF may follow that belongs to it
        within = int(np.searchsorted(quotes, found.start()))
        if within % 2 == 0:
            return found.end()
        if within == len(quotes):
            break
        position = int(quotes[within])
    return len(text) if ended else None
