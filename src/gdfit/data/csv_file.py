"""CSV to blocks of float64 rows, and what is wrong with a row that can't be read.

pandas reads the numbers. What it takes without a word (a row too long, a field too few) is counted
here; where it refuses a block, the block is read again, slowly, to name the line and the column.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import NamedTuple, NoReturn, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.dialect import (
    INFINITE,
    OTHER_MARK,
    WHITE_SPACE,
    Dialect,
    is_missing_mark,
    is_number,
)
from gdfit.data.head import MARKS, records, without_comments
from gdfit.data.layout import Layout, find_layout
from gdfit.data.parallel import in_order
from gdfit.data.source import BLOCK_BYTES, Source, open_source
from gdfit.errors import FieldError, GdfitError, quoted

HEAD_BYTES = 1 << 20  # enough for the header and the lines that the delimiter is found from
LONGEST_RECORD = 16 * BLOCK_BYTES


class TextBlock(NamedTuple):
    """Whole records as they stand in the file, and the number of the first line."""

    text: bytes
    first_line: int


class Watcher(Protocol):
    """Is told how the reading of files goes."""

    def progress(self, position: int) -> None:
        """So many bytes of a file have been read: as it is stored, or in a pipe decompressed."""

    def skipped(self, rows: int) -> None:
        """So many rows more had a missing field, and were skipped."""


@dataclass(frozen=True)
class CsvFile:
    """A CSV file opened for reading, once, from top to bottom."""

    source: Source
    layout: Layout
    head: bytes
    dialect: Dialect
    watcher: Watcher | None = None
    block_bytes: int = BLOCK_BYTES
    longest: int = LONGEST_RECORD

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.source.name

    def called(self, names: tuple[str, ...]) -> CsvFile:
        """This file with other names for its columns."""
        return replace(self, layout=replace(self.layout, names=names, named=True))

    def chunks(self) -> Iterator[bytes]:
        """The file below its header, cut anywhere."""
        header = len_of_lines(self.head, self.layout.header_lines)
        for start in range(header, len(self.head), self.block_bytes):
            yield self.head[start : start + self.block_bytes]
        read = len(self.head)
        while chunk := self.source.read(self.block_bytes):
            read += len(chunk)
            if self.watcher:
                position = self.source.position()
                self.watcher.progress(read if position is None else position)
            yield chunk

    def text_blocks(self) -> Iterator[TextBlock]:
        """The file below its header in blocks of whole records, about `block_bytes` each."""
        newline = b"\n" if b"\n" in self.head else b"\r"
        line = self.layout.header_lines + 1
        rest = b""
        for chunk in self.chunks():
            rest += chunk
            if self.layout.comment:
                lines = rest.rfind(newline) + 1
                rest = without_comments(rest[:lines], self.layout.comment) + rest[lines:]
            end = whole_records(rest, newline, self.layout)
            if not end and len(rest) > self.longest:
                what = (
                    "a quote opens a field here that does not end" if b'"' in rest else "is no text"
                )
                raise GdfitError(what, file=self.name, line=line)
            if end:
                block = TextBlock(rest[:end], line)
                line += count_bytes(block.text, newline)
                rest = rest[end:]
                yield block
        if rest:
            mark = self.layout.comment
            yield TextBlock(without_comments(rest, mark) if mark else rest, line)

    def blocks(self, places: Sequence[int]) -> Iterator[FloatArray]:
        """The rows of the columns at `places`, in that order, as arrays of shape (rows, columns).

        Raises
        ------
        GdfitError : a row has too few or too many fields, or one that is not a finite number.
        """
        for rows in in_order(lambda block: self.parse(block, places), self.text_blocks()):
            if self.dialect.drop_missing:
                rows = rows[self.complete(rows)]
            if len(rows):
                yield rows

    def complete(self, rows: FloatArray) -> NDArray[np.bool_]:
        """Which of `rows` have no missing field; the watcher is told how many are skipped."""
        whole: NDArray[np.bool_] = np.logical_and.reduce(~np.isnan(rows), axis=1)
        if self.watcher:
            self.watcher.skipped(len(rows) - int(whole.sum()))
        return whole

    def parse(self, block: TextBlock, places: Sequence[int]) -> FloatArray:
        """The rows of one block; a missing field is NaN with `drop_missing`, else an error."""
        values = self.parse_plain(block, places)
        if values is None:
            values = self.parse_any(block, places)
        in_file = sorted(set(places))
        return values if list(places) == in_file else values[:, [in_file.index(p) for p in places]]

    def parse_plain(self, block: TextBlock, places: Sequence[int]) -> FloatArray | None:
        """The rows of a block of nothing but numbers, in half the time; None where it is not."""
        if b'"' in block.text or b" " in block.text or self.has_missing_numerals:
            return None
        try:
            frame = self.read_frame(block, float, places, plain=True)
        except (ValueError, OverflowError):  # pandas' own errors are ValueErrors
            return None
        values: FloatArray = frame.to_numpy()
        if self.reads_all(places):  # pandas has seen to it that all rows are alike
            even = values.shape[1] == len(self.layout.names)
        else:
            even = self.has_even_rows(block.text, len(values))
        return values if even and all_finite(values) else None

    @property
    def has_missing_numerals(self) -> bool:
        """Whether some numbers stand for a missing value."""
        return any(is_number(word, self.layout.decimal) for word in self.layout.missing)

    def reads_all(self, places: Sequence[int]) -> bool:
        """Whether `places` are all the columns there are."""
        return len(set(places)) == len(self.layout.names)

    def parse_any(self, block: TextBlock, places: Sequence[int]) -> FloatArray:
        """The rows of a block; what is wrong with it is an error that names the line."""
        try:
            frame = self.read_frame(block, float, places)
        except pd.errors.EmptyDataError:  # nothing but blank lines
            return np.empty((0, len(set(places))))
        except (ValueError, OverflowError) as error:
            self.find_fault(block, places)
            self.fail_between(block, str(error))
        values: FloatArray = frame.to_numpy()
        if not self.has_even_rows(block.text, len(values)) or not all_finite(values):
            self.find_fault(block, places)
        return values

    def read_frame(
        self,
        block: TextBlock,
        dtype: type[float | str],
        places: Sequence[int],
        plain: bool = False,
    ) -> pd.DataFrame:
        """One block as pandas reads it; its columns are called by their numbers in the file.

        With `plain`, the block has neither spaces nor missing fields.
        """
        # Left to itself, pandas refuses rows that differ in length from the first one.
        alike = plain and self.reads_all(places)
        return pd.read_csv(
            AtOnce(block.text),
            engine="c",
            sep=self.layout.delimiter,
            decimal=self.layout.decimal,
            encoding_errors="surrogateescape",
            header=None,
            names=None if alike else range(len(self.layout.names)),
            index_col=None if alike else False,
            usecols=None if alike else sorted(set(places)),
            dtype=dtype,
            skipinitialspace=not plain,
            na_filter=not plain,
            keep_default_na=False,
            na_values=tuple(self.layout.missing) if dtype is float else (),
            low_memory=False,  # the block is small
        )

    def has_even_rows(self, text: bytes, rows: int) -> bool:
        """Whether each of the `rows` records in `text` has a field for each column of the file."""
        layout = self.layout
        width = len(layout.names)
        if layout.delimiter == WHITE_SPACE or b'"' in text:
            lines = text.decode(errors="replace").splitlines(keepends=True)
            return all(len(row) in (0, width) for _, row in records(lines, layout.delimiter))
        characters = np.frombuffer(text, np.uint8)
        is_delimiter = characters == ord(layout.delimiter)
        if np.count_nonzero(is_delimiter) != rows * (width - 1):
            return False
        if width == 1:
            return True
        line_ends = np.flatnonzero((characters == ord("\n")) | (characters == ord("\r")))
        lines_of = np.searchsorted(line_ends, np.flatnonzero(is_delimiter)).reshape(rows, width - 1)
        first, last = lines_of[:, 0], lines_of[:, -1]
        return bool((first == last).all() and (first[1:] > last[:-1]).all())

    def find_fault(self, block: TextBlock, places: Sequence[int]) -> None:
        """Raise for the first row of `block` that can't be used; return where there is none."""
        layout = self.layout
        width = len(layout.names)
        lines = block.text.decode(errors="replace").splitlines(keepends=True)
        read = 0
        for lines_read, row in records(lines, layout.delimiter):
            line, read = block.first_line + read, lines_read
            if row and len(row) != width:
                mark = row[0][:1]
                hint = f"; `comment` {quoted(mark)} leaves out comments" if mark in MARKS else ""
                raise GdfitError(
                    f"has {count_of(len(row), 'field')}, not {width} as the first line has{hint}",
                    file=self.name,
                    line=line,
                )
            for place in sorted(places) if row else ():
                fault = fault_of(row[place], layout, self.dialect.drop_missing)
                if fault:
                    column = layout.names[place]
                    raise FieldError(fault, file=self.name, line=line, column=column)

    def fail_between(self, block: TextBlock, reason: str) -> NoReturn:
        """Raise for a block that pandas refuses and in which `find_fault` finds nothing."""
        last = block.first_line + len(block.text.splitlines()) - 1
        raise GdfitError(
            f"something from here to line {last} can't be read: {' '.join(reason.split())}",
            file=self.name,
            line=block.first_line,
        )


def fault_of(field: str, layout: Layout, drop_missing: bool) -> str | None:
    """What is wrong with a field that should be a finite number; None if nothing is."""
    decimal = layout.decimal
    if field in layout.missing:
        what = f"{quoted(field)} stands for a missing value" if field else "the field is empty"
        return None if drop_missing else f"{what}; `drop_missing` skips such rows"
    if not is_number(field, decimal):
        other = OTHER_MARK[decimal]
        if is_number(field, other):
            hint = f" (decimals with '{other}' need `decimal` {other})"
        elif is_missing_mark(field):
            drop = "" if drop_missing else " `drop_missing`"
            hint = f"; if it stands for a missing value, `missing` {shlex.quote(field)}{drop}"
        else:
            hint = ""
        return f"{quoted(field)} is not a number{hint}"
    if INFINITE.fullmatch(field):
        return f"{quoted(field)} is not a finite number"
    if math.isinf(float(field.replace(decimal, "."))):
        return f"{quoted(field)} is larger than the largest float64, 1.8e308"
    return None


def len_of_lines(text: bytes, count: int) -> int:
    """How many bytes the first `count` lines of `text` have."""
    stream = BytesIO(text)
    if b"\n" in text:
        return sum(len(stream.readline()) for _ in range(count))
    return sum(map(len, text.splitlines(keepends=True)[:count]))


def count_bytes(text: bytes, character: bytes) -> int:
    """How often `character` stands in `text`; faster than `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == character[0]))


def all_finite(values: FloatArray) -> bool:
    """Whether no value is NaN or infinite."""
    return bool(np.isfinite(values).all())


class AtOnce(BytesIO):
    """A file that pandas reads in one go, without a copy, and not in many small pieces for each of
    which it needs Python's lock."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read()


def count_of(count: int, thing: str) -> str:
    """``1 field``, ``2 fields``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def whole_records(text: bytes, newline: bytes, layout: Layout) -> int:
    """How many bytes of `text` belong to records that end in it."""
    if b'"' not in text:
        return text.rfind(newline) + 1
    # A quoted field may hold line ends. A line more shows whether the last record still goes on.
    lines = text.splitlines(keepends=True)
    decoded = [line.decode(errors="replace") for line in lines[:-1]]
    ends = [end for end, _ in records([*decoded, "end"], layout.delimiter) if end <= len(decoded)]
    return sum(map(len, lines[: ends[-1]])) if ends else 0


@contextmanager
def open_csv(
    path: str,
    dialect: Dialect | None = None,
    watcher: Watcher | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
    longest: int = LONGEST_RECORD,
) -> Iterator[CsvFile]:
    """Open the CSV file at `path` (``-`` for standard input) and find how it is laid out.

    It is read in blocks of about `block_bytes`, and may have records of `longest` bytes.

    Raises
    ------
    GdfitError : it can't be read, is empty, or is not text in UTF-8.
    """
    dialect = dialect or Dialect()
    with open_source(path) as source:
        head = source.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
        layout = find_layout(head, source.name, dialect)
        yield CsvFile(source, layout, head, dialect, watcher, block_bytes, longest)
