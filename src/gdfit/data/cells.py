"""Where the fields of a block are, found by NumPy in all bytes at once.

Each function agrees with `gdfit.data.fields`, or says that it can't tell, by None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfit.data.blocks import CR, LF, QUOTE, Block, Positions, Text, table_of
from gdfit.data.fields import WHITE_SPACE, Grammar, records

Flags = NDArray[np.bool_]


class Cells(NamedTuple):
    """Fields: where in a text each starts and ends, shape (rows, columns)."""

    text: Text
    starts: Positions
    ends: Positions

    def at(self, places: Sequence[int]) -> Cells:
        """Those in the columns at `places`."""
        if list(places) == list(range(self.starts.shape[1])):
            return self
        return Cells(self.text, self.starts.take(places, axis=1), self.ends.take(places, axis=1))


def find_cells(block: Block, grammar: Grammar, width: int) -> Cells | None:
    """The fields of all rows of `block`, each of which must have `width`."""
    if len(block.quotes) % 2:  # one opens a field that does not end
        return None
    whole = block.text.endswith((b"\n", b"\r"))
    text = np.frombuffer(block.text if whole else block.text + b"\n", np.uint8)
    line_ends = text == LF
    if b"\r" in block.text:
        line_ends |= text == CR
    if grammar.delimiter == WHITE_SPACE:
        return find_spaced(text, line_ends, in_quotes(block.quotes, len(text)), width)
    delimits = text == ord(grammar.delimiter)
    if len(block.quotes):
        outside = ~in_quotes(block.quotes, len(text))
        delimits &= outside
        line_ends &= outside
    rows = int(np.count_nonzero(line_ends))
    delimits |= line_ends
    return find_separated(text, np.flatnonzero(delimits), rows, grammar, width)


def in_quotes(quotes: Positions, length: int) -> Flags:
    """For each of `length` characters, whether it is in quotes (the quote that closes is not)."""
    bounds = np.concatenate([[0], quotes, [length]])
    return every_other(np.diff(bounds))


def find_separated(
    text: Text, ends: Positions, rows: int, grammar: Grammar, width: int
) -> Cells | None:
    """The fields that a delimiter or a line end follows, at `ends`; so many `rows` end."""
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    if width == 1 or not all_even(text, ends, rows, grammar, width):
        last = text[ends] != ord(grammar.delimiter)
        alone = np.flatnonzero(last & np.concatenate([[True], last[:-1]]))
        blank = alone[after_blanks(text, starts[alone], ends[alone], grammar) == ends[alone]]
        starts, ends = np.delete(starts, blank), np.delete(ends, blank)
        if not all_even(text, ends, rows - len(blank), grammar, width):
            return None
    return Cells(text, starts.reshape(-1, width), ends.reshape(-1, width))


def all_even(text: Text, ends: Positions, rows: int, grammar: Grammar, width: int) -> bool:
    """Whether each of so many `rows` has `width` fields, which end at `ends`."""
    if len(ends) != rows * width:
        return False
    return bool((text[ends[width - 1 :: width]] != ord(grammar.delimiter)).all())


def find_spaced(text: Text, line_ends: Flags, quoted: Flags, width: int) -> Cells | None:
    """The fields with white space between them."""
    in_field = ~(line_ends | (text == ord(" ")) | (text == ord("\t"))) | quoted
    edges = np.flatnonzero(np.diff(in_field, prepend=False))
    starts, ends = edges[::2], edges[1::2]
    if len(starts) % width:
        return None
    starts, ends = starts.reshape(-1, width), ends.reshape(-1, width)
    breaks = np.flatnonzero(line_ends & ~in_field)
    before = np.searchsorted(breaks, starts[:, 0])
    after = np.searchsorted(breaks, ends[:, -1])
    even = (before == after).all() and (before[1:] > after[:-1]).all()
    return Cells(text, starts, ends) if even else None


def stripped(cells: Cells, block: Block, grammar: Grammar) -> Cells:
    """What the fields say, but for quotes that are doubled in them."""
    text, shape = cells.text, cells.starts.shape
    starts, ends = cells.starts.ravel(), cells.ends.ravel()
    blanks = any(blank in block.text for blank in grammar.blanks)
    if blanks:
        starts = after_blanks(text, starts, ends, grammar)
        ends = before_blanks(text, starts, ends, grammar)
    if len(block.quotes):
        quoted = (text[starts] == QUOTE) & (text[ends - 1] == QUOTE) & (starts + 1 < ends)
        starts, ends = starts + quoted, ends - quoted
        if blanks:
            starts = after_blanks(text, starts, ends, grammar)
            ends = before_blanks(text, starts, ends, grammar)
    return Cells(text, starts.reshape(shape), ends.reshape(shape))


def after_blanks(text: Text, starts: Positions, ends: Positions, grammar: Grammar) -> Positions:
    """Where fields start that have no blanks before them."""
    blank, starts = table_of(grammar.blanks), starts.copy()
    some = np.flatnonzero(blank.take(text[starts]))
    while len(some := some[starts[some] < ends[some]]):
        starts[some] += 1
        some = some[blank[text[starts[some]]]]
    return starts


def before_blanks(text: Text, starts: Positions, ends: Positions, grammar: Grammar) -> Positions:
    """Where fields end that have no blanks after them."""
    blank, ends = table_of(grammar.blanks), ends.copy()
    some = np.flatnonzero(blank.take(text[ends - 1]))
    while len(some := some[starts[some] < ends[some]]):
        ends[some] -= 1
        some = some[blank[text[ends[some] - 1]]]
    return ends


def ends_of_rows(block: Block, grammar: Grammar, width: int) -> Positions:
    """Where the last field of each row of `block` ends, before blanks and a comment."""
    cells = find_cells(block, grammar, width)
    if cells is None:
        return np.array([row.end for row in records(block.text, grammar)], np.int64)
    return before_blanks(cells.text, cells.starts[:, -1], cells.ends[:, -1], grammar)


def joined(cells: Cells) -> Text:
    """The fields alone, row by row, with a line end after each."""
    text, starts, ends = cells.text.copy(), cells.starts.ravel(), cells.ends.ravel()
    text[ends] = LF
    bounds = np.zeros(2 * len(starts) + 2, np.int64)
    bounds[1:-1:2], bounds[2:-1:2], bounds[-1] = starts, ends + 1, len(text)
    lengths = np.diff(bounds)
    if not lengths[::2].any():  # there is nothing between the fields
        return text
    return text[every_other(lengths)]


def every_other(lengths: Positions) -> Flags:
    """Runs of False and True in turn, of these lengths."""
    flags = np.zeros(len(lengths), bool)
    flags[1::2] = True
    return np.repeat(flags, lengths)
