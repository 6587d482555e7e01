"""Text cut into blocks of whole rows, so that each can be read by itself.

A row may hold line ends, in quotes. A byte is in quotes if the number of quotes before it is odd;
so it is where each quote opens a field, closes it or is doubled. In files where some are mere
characters (5" of snow), the others are first told from them one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfit.data.text.fields import Grammar
from gdfit.data.text.plain import RowError

LONGEST_ROW = 1 << 25
QUOTE, LF, CR = b'"\n\r'

Text = NDArray[np.uint8]
Positions = NDArray[np.int64]


class Block(NamedTuple):
    """Whole rows as they stand in the file.

    text : with blanks for comments.
    quotes : the positions of the quotes that open a field and those that close it, in turn.
    line : the number of the first line.
    raw : with the comments.
    """

    text: bytes
    quotes: Positions
    line: int
    raw: bytes


def cut_blocks(
    chunks: Iterable[bytes], grammar: Grammar, line: int = 1, longest: int = LONGEST_ROW
) -> Iterator[Block]:
    """The text that comes in `chunks`, cut anywhere, in blocks of about their size.

    line : the number of the first line.
    longest : how many bytes a row may have.

    Raises
    ------
    RowError : a row is longer.
    """
    rest = b""
    for chunk in chunks:
        rest += chunk
        block = whole_rows(rest, grammar, line)
        if block.text:
            yield block
            rest = rest[len(block.text) :]
            line += count_lines(block.text)
        elif len(rest) > longest:
            raise too_long(rest, line)
    if rest:
        text = without_comments(rest, grammar)
        yield Block(text, find_quotes(text, grammar), line, rest)


def too_long(text: bytes, line: int) -> RowError:
    """What is wrong with a row that does not end where it should."""
    what = "a quote opens a field here that does not end" if b'"' in text else "is no text"
    return RowError(what, line)


def whole_rows(raw: bytes, grammar: Grammar, line: int) -> Block:
    """The rows at the start of a text that are whole whatever follows."""
    text = without_comments(raw, grammar)
    quotes = find_quotes(text, grammar)
    end = len(text)
    within = 1
    while end and within % 2:
        # What follows a CR at the end may be the LF that belongs to it.
        end = 1 + max(text.rfind(b"\n", 0, end), text.rfind(b"\r", 0, min(end, len(text) - 1)))
        within = int(np.searchsorted(quotes, end))
        if within % 2:
            end = int(quotes[within - 1])
    rows = text[:end]
    return Block(rows, quotes[:within], line, rows if text is raw else raw[:end])


def count_lines(text: bytes) -> int:
    """How many lines end in `text`; faster than `count_line_ends`."""
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
    comment = rb"%b[^\r\n]*+" % re.escape(mark)
    if b'"' in text:
        before = re.escape(grammar.delimiters + b"\r\n")
        opening = rb'(?:\A|(?<=[%b]))[%b]*+"' % (before, re.escape(grammar.blanks))
        comment = rb'%b(?:[^"]|"")*+(?:"|\Z)|(%b)' % (opening, comment)
    else:
        comment = rb"(%b)" % comment
    return re.sub(
        comment, lambda found: found[0] if found[1] is None else b" " * len(found[0]), text
    )


def find_quotes(text: bytes, grammar: Grammar) -> Positions:
    """The positions of the quotes in `text` that open a field and of those that close it."""
    if b'"' not in text:
        return np.empty(0, np.int64)
    characters = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(characters == QUOTE)
    doubled = quotes[2::2] == quotes[1:-1:2] + 1
    opening = at_start(characters, quotes[::2], grammar)
    opening[1:] |= doubled
    if not opening.all():
        starts = at_start(characters, quotes, grammar)
        return np.array(one_by_one(quotes.tolist(), starts.tolist()), np.int64)
    if not doubled.any():
        return quotes
    stays = np.ones(len(quotes), bool)
    stays[1:-1:2] = stays[2::2] = ~doubled
    return quotes[stays]


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


def one_by_one(quotes: list[int], starts: list[bool]) -> list[int]:
    """Those of `quotes` that open a field or close it; `starts` says which are at the start of a
    field if they are not in quotes."""
    found: list[int] = []
    for quote, start in zip(quotes, starts, strict=True):
        if len(found) % 2:
            found.append(quote)
        elif found and quote == found[-1] + 1:
            found.pop()  # it is doubled, and the field goes on
        elif start:
            found.append(quote)
    return found


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
    return ends[ends > starts]
