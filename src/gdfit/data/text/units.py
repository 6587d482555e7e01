"""Text cut into units: the rows that start in one stretch of a file's bytes, of a fixed size.

What a unit is depends on nothing but the text, so that many can read one file, each a range of
units, and find the same ones. Where a range begins, a row is taken to start after a line end. That
is wrong where the line end is in quotes; but then the range before ends in quotes, and its reader,
who has them all, sees it. If none does, all have begun where a row starts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from gdfit.data.text import blocks
from gdfit.data.text.fields import Grammar

UNIT_BYTES = 1 << 21  # larger ones cost more memory, smaller ones more folds
LITTLE = 1 << 16  # bytes, in which a line is likely to end
LINE_END = re.compile(rb"\r\n?|\n")


class StraddledError(Exception):
    """A range ends in quotes, or seems to: its file has to be read from the start."""


@dataclass
class UnitCutter:
    """Cuts units, one after the other.

    read : gives up to so many bytes more of the text, none at the end.
    grammar : how rows are written.
    begin : where in the file the text begins.
    line : the number of the first line.
    text : what has been read of it already.
    unit_bytes : the size of a unit.
    longest : how many bytes a row may have.
    """

    read: Callable[[int], bytes]
    grammar: Grammar
    begin: int
    line: int
    text: bytes = b""
    unit_bytes: int = UNIT_BYTES
    longest: int = blocks.LONGEST_ROW
    _ended: bool = field(default=False, init=False)

    def units(self, first: int = 0, stop: int | None = None) -> Iterator[tuple[int, blocks.Block]]:
        """Units with their numbers, from `first` on: up to `stop`, or all that there are.

        Raises
        ------
        RowError : a row is too long.
        StraddledError : the range up to `stop` ends in quotes.
        """
        number = first
        while self._fill(max(1, (number + 1) * self.unit_bytes - self.begin + LITTLE)):
            left = None if stop is None else stop * self.unit_bytes - self.begin
            block = self._take((number + 1) * self.unit_bytes - self.begin, left)
            yield number, block
            self.begin += len(block.raw)
            self.line += blocks.count_lines(block.raw)
            number += 1
            if number == stop:
                return

    def skip_line(self) -> None:
        """Leave out what is before the first row's start, if a row starts after the first line end.

        Raises
        ------
        StraddledError : there is no line end, or not soon.
        """
        size, end = LITTLE, None
        nothing = np.empty(0, np.int64)
        while end is None:
            self._fill(size)
            end = row_start(self.text, nothing, 1, ended=self._ended)
            if end is None and size > self.longest:
                raise StraddledError
            size *= 2
        self.begin += end
        self.text = self.text[end:]

    def _fill(self, size: int) -> bool:
        """Have so many bytes, if there are so many; True if there are any."""
        parts, length = [self.text], len(self.text)
        while length < size and not self._ended:
            parts.append(self.read(size - length))
            length += len(parts[-1])
            self._ended = not parts[-1]
        self.text = b"".join(parts) if len(parts) > 1 else parts[0]
        return bool(self.text)

    def _take(self, wanted: int, left: int | None) -> blocks.Block:
        """The rows that start in the next `wanted` bytes.

        left : after how many bytes the next range begins, if there is one.
        """
        if wanted <= 0:  # a row that starts before is longer than that
            return blocks.Block(b"", np.empty(0, np.int64), self.line, b"")
        size = wanted + LITTLE
        while True:
            self._fill(size)
            raw = self.text
            text = blocks.without_comments(raw, self.grammar)
            quotes = blocks.find_quotes(text, self.grammar)
            end = row_start(text, quotes, wanted, ended=self._ended)
            if end is not None:
                break
            whole = len(blocks.whole_rows(raw, self.grammar, self.line).text)
            if len(raw) - whole > self.longest:
                raise blocks.too_long(raw[whole:], self.line + blocks.count_lines(raw[:whole]))
            size *= 2
        if left is not None and 0 < left <= end:
            taken_for = row_start(text, quotes[:0], left, ended=self._ended)
            if taken_for != end:
                raise StraddledError
        self.text, taken = raw[end:], raw[:end]
        rows = taken if text is raw else text[:end]
        return blocks.Block(rows, quotes[: np.searchsorted(quotes, end)], self.line, taken)


def row_start(text: bytes, quotes: blocks.Positions, least: int, *, ended: bool) -> int | None:
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
