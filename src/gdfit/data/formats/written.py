"""Tables that are no text, written as CSV: to be read as such, and for their rows as they stand."""

from __future__ import annotations

import csv
import io
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from types import SimpleNamespace
from typing import Any

from gdfit.data import arrow
from gdfit.data.batch import DataFile
from gdfit.data.formats.arrow_files import ArrowFile
from gdfit.data.sources.csv_file import CsvFile, csv_in
from gdfit.data.sources.source import Source
from gdfit.data.sources.stores import Stored
from gdfit.data.terms.expansion import level_name
from gdfit.data.text.blocks import UNIT_BYTES
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.header import Numbering
from gdfit.errors import GdfitError

QUOTED = re.compile(rb'"[^"]*+"')
DELIMITER_BESIDE = {".": ",", ",": ";"}  # a decimal mark
BREAK = re.compile(rb"\r\n?|\n")


def continued_lines(text: bytes) -> tuple[int, ...]:
    """The lines of a text of CSV that go on a row, as a field in quotes has line breaks."""
    found: list[int] = []
    line, at = 1, 0
    for field in QUOTED.finditer(text):
        if more := len(BREAK.findall(field[0])):
            line += len(BREAK.findall(text, at, field.start()))
            found += range(line + 1, line + more + 1)
            line, at = line + more, field.end()
    return tuple(found)


def written_file(
    name: str, text: bytes, dialect: Dialect, notes: tuple[str, ...] = (), *, named: bool = False
) -> CsvFile:
    """The file of this name, which is no text, and whose table is written as the CSV `text`.

    Parameters
    ----------
    notes : what its user has to know.
    named : whether the first row has the columns' names, and is none of the table's.

    Raises
    ------
    GdfitError : it is empty, or its first row is no header and no row.
    """
    mark = decimal_mark(dialect)
    delimiter = DELIMITER_BESIDE[mark]
    marked = rb"\A[#%%][^%b\r\n]*+" % delimiter.encode()
    text = re.sub(marked, rb'"\g<0>"', text)  # a name, and no comment
    continued = continued_lines(text)
    held: Any = io.BytesIO(text)
    source = Source(name, held, Stored(held, None), ())
    header = named or dialect.header
    dialect = replace(dialect, delimiter=delimiter, encoding="utf-8", header=header)
    if mark == ",":
        dialect = replace(dialect, decimal=mark)
    try:
        file = csv_in(source, dialect, None, UNIT_BYTES, None)
    except GdfitError as error:
        if error.line is None:
            raise
        row = error.line - bisect_right(continued, error.line)
        raise GdfitError(error.what, file=name, row=row, changes=error.changes) from None
    notes, numbering = (*notes, *file.layout.notes), Numbering(int(named), continued)
    return replace(file, layout=replace(file.layout, notes=notes, numbering=numbering))


def decimal_mark(dialect: Dialect) -> str:
    """What numbers are written with, so that they stand beside texts that say numbers."""
    return "," if dialect.decimal == "," or dialect.thousands == "." else "."


def as_csv_text(rows: Iterable[Sequence[Any]], mark: str = ".") -> bytes:
    """Rows of Python's numbers and texts as lines of CSV, with this decimal mark; what has no
    fields is a blank line."""
    lines = CsvLines()
    if mark != ".":
        rows = ([with_mark(value, mark) for value in row] for row in rows)
    csv.writer(lines, delimiter=DELIMITER_BESIDE[mark]).writerows(rows)
    return lines.text


class CsvLines(list[str]):
    """Lines of CSV as Python's writer hands them over. What ends them is CR and LF, so that either
    is in quotes within a field."""

    def write(self, line: str) -> None:
        """Take a line."""
        self.append(line.removesuffix("\r\n") + "\n")

    @property
    def text(self) -> bytes:
        """All of them, each ended by an LF."""
        return "".join(self).encode(errors="backslashreplace")


def with_mark(value: Any, mark: str) -> Any:
    """A value, a number with this decimal mark."""
    return repr(value).replace(".", mark) if isinstance(value, float) else value


def frame_as_text(frame: Any, mark: str = ".") -> bytes:
    """A DataFrame of pandas as CSV, with this decimal mark."""
    # The shortest digits of a float32 say another number.
    wide = {name: "float64" for name, kind in frame.dtypes.items() if kind == "float32"}
    lines = CsvLines()
    frame.astype(wide).to_csv(
        lines,
        sep=DELIMITER_BESIDE[mark],
        index=False,
        lineterminator="\r\n",
        float_format=lambda value: level_name(float(value)).replace(".", mark),
    )
    return lines.text


def as_text(file: DataFile) -> CsvFile:
    """A file for its rows as they stand: as CSV, whatever it is. What is none becomes one whose
    header is line 0, so that its row 7 is line 7.

    Raises
    ------
    GdfitError : it has no rows of text.
    """
    if isinstance(file, CsvFile):
        return file
    if not isinstance(file, ArrowFile):
        raise GdfitError("can't be written as CSV", file=file.name)
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(file.layout.names)
    top = header.getvalue().encode(errors="surrogateescape")
    groups = range(file.table.groups)
    blocks = chain.from_iterable(file.blocks(group, file.table.names) for group in groups)
    rows = map(text_of, blocks)
    text: Any = SimpleNamespace(read=lambda size: next(rows, b""))  # in pieces, as from a pipe
    source = Source(file.name, text, Stored(text, None), ())
    layout = replace(file.layout, start=len(top), header_end=len(top) - 1)
    layout = replace(layout, numbering=Numbering(0, ()))
    return CsvFile(source, layout, top, is_small=False)


def text_of(block: Any) -> bytes:
    """The rows of a record batch as lines of CSV."""
    import pyarrow as pa
    from pyarrow import compute

    columns = [*map(fields_of, block.columns)]
    if len(columns) == 1:  # a line with nothing in it would be none
        said = compute.fill_null(columns[0], b"")
        nothing = compute.match_substring_regex(said, r"\A[ \t]*\z")
        columns = [compute.if_else(nothing, b"NA", said)]
    rows = compute.binary_join_element_wise(
        *columns, b",", null_handling="replace", null_replacement=""
    )
    all_rows = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
    (text,) = compute.binary_join(all_rows, b"\n")
    return bytes(text.as_buffer()) + b"\n"


def fields_of(column: Any) -> Any:
    """A column's values as fields of CSV, in quotes where they need them; lists and the like as
    JSON."""
    import pyarrow as pa
    from pyarrow import compute

    try:
        said = arrow.text_column(column)
    except pa.ArrowException:
        values = column.to_pylist()
        listed = [None if value is None else json.dumps(value, default=str) for value in values]
        said = pa.array(listed, pa.string())
    said = said.cast(pa.binary())
    if arrow.is_numeric(column.type):
        return said
    special = compute.match_substring_regex(said, '[",\r\n]')
    doubled = compute.replace_substring(said, b'"', b'""')
    in_quotes = compute.binary_join_element_wise(b'"', doubled, b'"', b"")
    return compute.if_else(special, in_quotes, said)
