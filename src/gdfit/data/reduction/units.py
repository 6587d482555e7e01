"""Files cut into units: the rows that start in one stretch of a file's bytes, of a fixed size.

What a unit is depends on nothing but the file, so that many can read one, each a range of units,
and find the same ones. Where a range begins, a row is taken to start after a line end. That is
wrong where the line end is in quotes; but then the range before ends in quotes, and its reader,
who has them all, sees it. If none does, all have begun where a row starts. In Parquet, a unit is a
row group."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple

import numpy as np

from gdfit.data.data_file import DataFile, Watcher
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.sources.formats import open_file
from gdfit.data.sources.source import Source, open_source, open_stored
from gdfit.data.text.blocks import (
    LONGEST_ROW,
    Block,
    Positions,
    count_lines,
    find_quotes,
    whole_rows,
    without_comments,
)
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import Grammar, RowError
from gdfit.data.text.header import Layout
from gdfit.errors import GdfitError

UNIT_BYTES = 1 << 22  # larger ones cost more memory, smaller ones more folds


@dataclass(frozen=True)
class Form:
    """What has to be known of a file before it is cut.

    size : in bytes, as it is stored; None where that can't be known.
    is_cut : whether it can be read from anywhere, and not from its start only, as what is
        compressed.
    is_small : whether it goes by the plain reader: see `CsvFile`.
    groups : how many row groups it has, if it is Parquet.
    """

    path: str
    name: str
    layout: Layout
    size: int | None
    is_cut: bool
    is_small: bool = False
    groups: int | None = None

    def like(self, first: Form) -> Form:
        """This file, without a header, with the names of the columns of the `first` one."""
        names, named = first.layout.names, first.layout.named
        return replace(self, layout=replace(self.layout, names=names, named=named))

    def units(self, unit_bytes: int) -> int:
        """How many units it has, if it is cut."""
        if self.groups is not None:
            return self.groups
        return -(-(self.size or 0) // unit_bytes)

    def bytes_of(self, part: Range, unit_bytes: int) -> int:
        """How many bytes there are in these units, about."""
        size = self.size or 0
        if part.stop is None:
            return size
        units = self.units(unit_bytes)
        return size * min(part.stop, units) // units - size * part.first // units


class Range(NamedTuple):
    """Units of a file: from `first` up to `stop`, or all of a file that can't be cut."""

    first: int = 0
    stop: int | None = None


class NoPartsError(GdfitError):
    """A file's format can't be read in parts."""


def survey(path: str, dialect: Dialect) -> Form:
    """The form of the file at `path`.

    Raises
    ------
    NoPartsError : it can't be read in parts.
    GdfitError : it can't be read, or is no data.
    """
    with open_file(path, dialect) as file:
        if isinstance(file, CsvFile):
            source = file.source
            size = source.stored.size
            is_cut = source.stored.from_anywhere and size is not None and not source.is_compressed
            return Form(path, file.name, file.layout, size, is_cut, file.is_small)
        from gdfit.data.sources.formats import ParquetFile

        if not isinstance(file, ParquetFile):
            raise NoPartsError("its format can't be read in parts, as `dask` does", file=path)
        groups = file.table.metadata.num_row_groups
        # What is downloaded for one row group would be downloaded for each.
        is_cut = file.size is not None and groups > 0
        return Form(path, file.name, file.layout, file.size, is_cut, groups=groups)


def ranges(form: Form, unit_bytes: int, at_once: int) -> list[Range]:
    """The ranges of a file's units, `at_once` in each but the last; one for all that can't be
    cut."""
    if not form.is_cut:
        return [Range()]
    units = form.units(unit_bytes)
    return [Range(first, min(first + at_once, units)) for first in range(0, units, at_once)]


LITTLE = 1 << 16  # bytes, in which a line is likely to end
LINE_END = re.compile(rb"\r\n?|\n")


class StraddledError(Exception):
    """A range ends in quotes: its file has to be read from the start."""


@dataclass(frozen=True)
class Unit(CsvFile):
    """A unit of a CSV file: its number, from 0, and its rows."""

    number: int = field(kw_only=True)
    block: Block = field(kw_only=True)

    def text_blocks(self) -> Iterator[Block]:
        """The rows, all at once."""
        if self.block.text:
            yield self.block


def read_units(
    form: Form,
    dialect: Dialect,
    part: Range,
    unit_bytes: int,
    *,
    line: int = 1,
    watcher: Watcher | None = None,
) -> Iterator[tuple[int, DataFile]]:
    """The units of a range, with their numbers, each to be read before the next one.

    line : the number of the range's first line in its file.

    Raises
    ------
    StraddledError : the range ends in quotes, or a row seems to go on and on.
    GdfitError : the file can't be read.
    """
    if form.groups is None:
        for unit in read_lines(form, dialect, part, unit_bytes, line=line, watcher=watcher):
            yield unit.number, unit
        return
    with open_file(form.path, dialect, watcher) as file:
        from gdfit.data.sources.formats import ParquetFile

        assert isinstance(file, ParquetFile)
        for number in range(form.groups)[part.first : part.stop]:
            yield number, replace(file, groups=range(number, number + 1))


def read_lines(
    form: Form,
    dialect: Dialect,
    part: Range,
    unit_bytes: int,
    *,
    line: int = 1,
    watcher: Watcher | None = None,
    longest: int = LONGEST_ROW,
) -> Iterator[Unit]:
    """The units of a range of a CSV file: see `read_units`.

    longest : how many bytes a row may have.
    """
    layout = form.layout
    begin = max(layout.start, part.first * unit_bytes - 1)
    with opened(form, part, begin) as source:
        ahead = Ahead(source, longest)
        if part.first * unit_bytes > layout.start:
            begin += ahead.skip_line()
        for number in count(part.first):
            wanted = (number + 1) * unit_bytes - begin
            left = None if part.stop is None else part.stop * unit_bytes - begin
            try:
                block = ahead.take(wanted, layout.grammar, line, left)
            except RowError as error:
                if part.stop is not None:
                    raise StraddledError from None
                raise GdfitError(error.what, file=form.name, line=error.line) from None
            yield Unit(
                source, layout, b"", form.is_small, dialect, watcher, number=number, block=block
            )
            if number + 1 == part.stop or ahead.is_empty:
                return
            begin += len(block.raw)
            line += count_lines(block.raw)


@contextmanager
def opened(form: Form, part: Range, begin: int) -> Iterator[Source]:
    """A file, to be read from `begin` on."""
    if part.stop is None:
        with open_source(form.path) as source:
            left = begin
            while left and (skipped := source.read(left)):
                left -= len(skipped)
            yield source
    else:
        stored = open_stored(form.path, begin)
        with stored.file:
            yield Source(form.name, stored.file, stored, ())


class Ahead:
    """What has been read of a file, and is not taken yet.

    longest : how many bytes a row may have.
    """

    def __init__(self, source: Source, longest: int) -> None:
        self._source, self._longest = source, longest
        self._text, self._ended = b"", False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing left of the file."""
        self._fill(1)
        return not self._text

    def _fill(self, size: int) -> None:
        """Have so many bytes, if there are so many."""
        parts, length = [self._text], len(self._text)
        while length < size and not self._ended:
            parts.append(self._source.read(size - length))
            length += len(parts[-1])
            self._ended = not parts[-1]
        self._text = b"".join(filter(None, parts))

    def skip_line(self) -> int:
        """Leave out what is before the first row's start, if a row starts after the first line end;
        how many bytes that is.

        Raises
        ------
        StraddledError : there is no line end, or not soon.
        """
        size, end = LITTLE, None
        nothing = np.empty(0, np.int64)
        while end is None:
            self._fill(size)
            end = row_start(self._text, nothing, 1, ended=self._ended)
            if end is None and size > self._longest:
                raise StraddledError
            size *= 2
        self._text = self._text[end:]
        return end

    def take(self, wanted: int, grammar: Grammar, line: int, left: int | None) -> Block:
        """The rows that start in the next `wanted` bytes.

        line : the number of the first line.
        left : after how many bytes the next range begins, if there is one.

        Raises
        ------
        RowError : a row is too long.
        StraddledError : the next range begins in quotes.
        """
        if wanted <= 0:  # a row that starts before is longer than that
            return Block(b"", np.empty(0, np.int64), line, b"")
        size = wanted + LITTLE
        while True:
            self._fill(size)
            raw = self._text
            text = without_comments(raw, grammar)
            quotes = find_quotes(text, grammar)
            end = row_start(text, quotes, wanted, ended=self._ended)
            if end is not None:
                break
            whole = len(whole_rows(raw, grammar, line).text)
            if len(raw) - whole > self._longest:
                what = "a quote opens a field here that does not end"
                is_quoted = b'"' in raw[whole:]
                raise RowError(what if is_quoted else "is no text", line + count_lines(raw[:whole]))
            size *= 2
        if left is not None and 0 < left <= end:
            taken_for = row_start(text, quotes[:0], left, ended=self._ended)
            if taken_for != end:
                raise StraddledError
        self._text, taken = raw[end:], raw[:end]
        rows = taken if text is raw else text[:end]
        return Block(rows, quotes[: np.searchsorted(quotes, end)], line, taken)


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
