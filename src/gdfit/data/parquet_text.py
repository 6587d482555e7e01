"""A Parquet file as CSV text, all its columns, for whoever needs rows as they stand: numbers and
words that are read back as the same."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gdfit.data.arrow import as_text, is_numeric
from gdfit.data.csv_file import HEAD_BYTES, CsvFile
from gdfit.data.data_file import Watcher
from gdfit.data.parquet_file import ParquetFile
from gdfit.data.source import Source
from gdfit.data.stored import Stored

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Chunks(io.RawIOBase):
    """Bytes that come in pieces of any size, as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        place = memoryview(buffer).cast("B")
        count = min(len(place), len(self._rest))
        place[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class Counting:
    """A watcher of rows alone: how far reading has come, the Parquet file tells itself."""

    def __init__(self, watcher: Watcher) -> None:
        self.missed = watcher.missed

    def opened(self, size: int | None) -> None:
        """Has been told."""

    def progress(self, position: int) -> None:
        """Is told."""


def as_csv(file: ParquetFile) -> CsvFile:
    """`file` as a CSV file whose header is line 0, so that its row 7 is line 7."""
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(file.layout.names)
    top = header.getvalue().encode(errors="surrogateescape")
    text = io.BufferedReader(Chunks(text_of(block) for block in file.blocks()))
    source = Source(file.name, text, Stored(text, None), ())
    head = top + source.read(HEAD_BYTES)
    return CsvFile(
        source,
        replace(file.layout, start=len(top), header_end=len(top) - 1),
        head,
        is_small=len(head) < HEAD_BYTES,
        dialect=file.dialect,
        watcher=Counting(file.watcher) if file.watcher else None,
        block_bytes=file.block_bytes,
    )


def text_of(block: Any) -> bytes:
    """The rows of a record batch as lines of CSV."""
    import pyarrow as pa
    from pyarrow import compute

    columns = [fields_of(column) for column in block.columns]
    if len(columns) == 1:  # a line with nothing in it would be none
        said = compute.fill_null(columns[0], "")
        nothing = compute.equal(compute.utf8_trim_whitespace(said), "")
        columns = [compute.if_else(nothing, "NA", said)]
    rows = compute.binary_join_element_wise(
        *columns, ",", null_handling="replace", null_replacement=""
    )
    all_rows = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
    (text,) = compute.binary_join(all_rows, "\n")
    return bytes(text.as_buffer()) + b"\n"


def fields_of(column: Any) -> Any:
    """A column's values as fields of CSV, in quotes where they need them; lists and the like as
    JSON."""
    import pyarrow as pa
    from pyarrow import compute

    try:
        said = as_text(column)
    except pa.ArrowException:
        values = column.to_pylist()
        said = pa.array(
            [None if value is None else json.dumps(value, default=str) for value in values],
            pa.string(),
        )
    if is_numeric(column.type):
        return said
    special = compute.match_substring_regex(said, '[",\r\n]')
    doubled = compute.replace_substring(said, '"', '""')
    in_quotes = compute.binary_join_element_wise('"', doubled, '"', "")
    return compute.if_else(special, in_quotes, said)
