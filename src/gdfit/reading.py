"""CSV to blocks of float64 rows, and what is wrong with a row that can't be read.

pandas reads the numbers. What it takes without a word (a row too long, a field too few) is counted
here; where it refuses a block, the block is read again, slowly, to name the line and the column.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple, NoReturn

import numpy as np
import pandas as pd

from gdfit.arrays import FloatArray
from gdfit.errors import GdfitError, quoted
from gdfit.layout import (
    INFINITE,
    MISSING,
    WHITE_SPACE,
    Layout,
    find_layout,
    is_number,
    records,
)
from gdfit.source import BLOCK_BYTES, Source, open_source

HEAD_BYTES = BLOCK_BYTES  # enough for the header and the lines that the delimiter is found from
LONGEST_RECORD = 16 * BLOCK_BYTES


class TextBlock(NamedTuple):
    """Whole records as they stand in the file, and the number of the first line."""

    text: bytes
    first_line: int


@dataclass(frozen=True)
class Table:
    """A data file opened for reading, once, from top to bottom."""

    source: Source
    layout: Layout
    head: bytes

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.source.name

    def chunks(self) -> Iterator[bytes]:
        """The file below its header, cut anywhere."""
        header = sum(map(len, self.head.splitlines(keepends=True)[: self.layout.header_lines]))
        for start in range(header, len(self.head), BLOCK_BYTES):
            yield self.head[start : start + BLOCK_BYTES]
        while chunk := self.source.read(BLOCK_BYTES):
            yield chunk

    def text_blocks(self) -> Iterator[TextBlock]:
        """The file below its header in blocks of whole records, about `BLOCK_BYTES` each."""
        newline = b"\n" if b"\n" in self.head else b"\r"
        line = self.layout.header_lines + 1
        rest = b""
        for chunk in self.chunks():
            rest += chunk
            end = whole_records(rest, newline, self.layout)
            if not end and len(rest) > LONGEST_RECORD:
                what = (
                    "a quote opens a field here that does not end" if b'"' in rest else "is no text"
                )
                raise GdfitError(what, file=self.name, line=line)
            if end:
                yield TextBlock(rest[:end], line)
                line += rest.count(newline, 0, end)
                rest = rest[end:]
        if rest:
            yield TextBlock(rest, line)

    def blocks(
        self,
        places: Sequence[int],
        *,
        drop_missing: bool = False,
        dropped: Callable[[int], None] = lambda count: None,
    ) -> Iterator[FloatArray]:
        """The rows of the columns at `places`, in that order, as arrays of shape (rows, columns).

        Parameters
        ----------
        places : columns' numbers, from 0.
        drop_missing : skip rows with a missing field; `dropped` is told how many. Otherwise such
            a row is an error.

        Raises
        ------
        GdfitError : a row has too few or too many fields, or one that is not a finite number.
        """
        for block in self.text_blocks():
            rows = self.parse(block, places, drop_missing=drop_missing)
            if drop_missing:
                complete = ~np.isnan(rows).any(axis=1)
                dropped(len(rows) - int(complete.sum()))
                rows = rows[complete]
            if len(rows):
                yield rows

    def parse(
        self, block: TextBlock, places: Sequence[int], *, drop_missing: bool = False
    ) -> FloatArray:
        """The rows of one block; a missing field is NaN with `drop_missing`, else an error."""
        in_file = sorted(set(places))
        try:
            frame = self.read_frame(block, float, in_file)
        except pd.errors.EmptyDataError:  # nothing but blank lines
            return np.empty((0, len(places)))
        except (ValueError, OverflowError) as error:  # pandas' ParserError is a ValueError
            self.find_fault(block, places, drop_missing)
            self.fail_between(block, str(error))
        values: FloatArray = frame.to_numpy()
        # With every column read and no field missing, no row is short: then counting will do.
        width = len(self.layout.names)
        strictly = drop_missing or len(in_file) < width
        if not self.has_even_rows(block.text, len(values), strictly) or not all_finite(values):
            self.find_fault(block, places, drop_missing)
        return values if list(places) == in_file else values[:, [in_file.index(p) for p in places]]

    def read_frame(
        self, block: TextBlock, dtype: type[float | str], places: Sequence[int]
    ) -> pd.DataFrame:
        """One block as pandas reads it; its columns are called by their numbers in the file."""
        return pd.read_csv(
            BytesIO(block.text),
            engine="c",
            sep=self.layout.delimiter,
            decimal=self.layout.decimal,
            encoding_errors="surrogateescape",
            header=None,
            names=range(len(self.layout.names)),
            index_col=False,
            usecols=list(places),
            dtype=dtype,
            skipinitialspace=True,
            keep_default_na=False,
            na_values=MISSING if dtype is float else (),
        )

    def has_even_rows(self, text: bytes, rows: int, strictly: bool) -> bool:
        """Whether each of the `rows` records in `text` has as many fields as the file has columns.

        Without `strictly`, only on the whole: a long row and a short one may even out.
        """
        layout = self.layout
        width = len(layout.names)
        if layout.delimiter == WHITE_SPACE or b'"' in text:
            lines = text.decode(errors="replace").splitlines(keepends=True)
            return all(len(row) in (0, width) for _, row in records(lines, layout.delimiter))
        characters = np.frombuffer(text, np.uint8)
        is_delimiter = characters == ord(layout.delimiter)
        if np.count_nonzero(is_delimiter) != rows * (width - 1):
            return False
        if not strictly or width == 1:
            return True
        line_ends = np.flatnonzero((characters == ord("\n")) | (characters == ord("\r")))
        lines_of = np.searchsorted(line_ends, np.flatnonzero(is_delimiter)).reshape(rows, width - 1)
        first, last = lines_of[:, 0], lines_of[:, -1]
        return bool((first == last).all() and (first[1:] > last[:-1]).all())

    def find_fault(self, block: TextBlock, places: Sequence[int], drop_missing: bool) -> None:
        """Raise for the first row of `block` that can't be used; return where there is none."""
        layout = self.layout
        width = len(layout.names)
        lines = block.text.decode(errors="replace").splitlines(keepends=True)
        read = 0
        for lines_read, row in records(lines, layout.delimiter):
            line, read = block.first_line + read, lines_read
            if row and len(row) != width:
                raise GdfitError(
                    f"has {count_of(len(row), 'field')}, not {width} as the first line has",
                    file=self.name,
                    line=line,
                )
            for place in sorted(places) if row else ():
                fault = fault_of(row[place], layout.decimal, drop_missing)
                if fault:
                    column = layout.names[place]
                    raise GdfitError(fault, file=self.name, line=line, column=column)

    def fail_between(self, block: TextBlock, reason: str) -> NoReturn:
        """Raise for a block that pandas refuses and in which `find_fault` finds nothing."""
        last = block.first_line + len(block.text.splitlines()) - 1
        raise GdfitError(
            f"something from here to line {last} can't be read: {' '.join(reason.split())}",
            file=self.name,
            line=block.first_line,
        )


def fault_of(field: str, decimal: str, drop_missing: bool) -> str | None:
    """What is wrong with a field that should be a finite number; None if nothing is."""
    if field in MISSING:
        what = f"{quoted(field)} stands for a missing value" if field else "the field is empty"
        return None if drop_missing else f"{what}; --drop-missing skips such rows"
    if not is_number(field, decimal):
        other = {".": ",", ",": "."}[decimal]
        hint = f" (decimals with '{other}' need --decimal {other})"
        return f"{quoted(field)} is not a number" + (hint if is_number(field, other) else "")
    if INFINITE.fullmatch(field):
        return f"{quoted(field)} is not a finite number"
    if math.isinf(float(field.replace(decimal, "."))):
        return f"{quoted(field)} is larger than the largest float64, 1.8e308"
    return None


def all_finite(values: FloatArray) -> bool:
    """Whether no value is NaN or infinite."""
    return bool(np.isfinite(values).all())


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
def open_table(path: str, *, delimiter: str | None = None, decimal: str = ".") -> Iterator[Table]:
    """Open the data file at `path` (``-`` for standard input) and find how it is laid out.

    Parameters
    ----------
    path : a CSV file, as it is or compressed with gzip, bzip2, xz or Zstandard.
    delimiter : one character, or `WHITE_SPACE`; found from the first lines by default.
    decimal : the decimal mark, ``.`` or ``,``.

    Raises
    ------
    GdfitError : it can't be read, is empty, or is not text in UTF-8.
    """
    with open_source(path) as source:
        head = source.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
        yield Table(source, find_layout(head, source.name, delimiter, decimal), head)
