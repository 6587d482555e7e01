"""A Parquet file, read once from top to bottom: blocks of float64 rows, as of a CSV file.

Needs pyarrow: ``pip install 'gdfit[parquet]'``. The numbers are those of the same data as CSV, to
the last bit. A row has a number in the file, from 1, where it has a line in text.

A Parquet file as CSV text, all its columns, for whoever needs rows as they stand: numbers and
words that are read back as the same.

Data files opened by what they are, which they say in their first bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

from gdfit.data.batch import Batch
from gdfit.data.data_file import DataFile, Watcher
from gdfit.data.sources.csv_file import HEAD_BYTES, CsvFile, csv_in
from gdfit.data.sources.source import BLOCK_BYTES, PARQUET, Source, open_source
from gdfit.data.sources.stored import Stored, scheme_of
from gdfit.data.sources.typed import (
    TypedError,
    as_text,
    batch_of,
    held_in,
    is_numeric,
    numbers_in,
    typed_layout,
    words_in,
)
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import Grammar
from gdfit.data.text.header import SNIFFED_ROWS, Held, Layout
from gdfit.errors import FieldError, GdfitError, UsageError
from gdfit.files import scratch_file

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ROW_INDEX = "__index_level_"  # pandas' own name of it
PAGE_BYTES = 1 << 20  # how much of a column is read at a time, however large its row groups are


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file opened for reading.

    table : pyarrow's `ParquetFile`.
    size : how many bytes the file has, for the watcher; None where it has been told already.
    block_bytes : how many bytes of numbers to read at once.
    groups : which row groups to read; by default all.
    """

    name: str
    table: Any
    layout: Layout
    dialect: Dialect
    watcher: Watcher | None = None
    size: int | None = None
    block_bytes: int = BLOCK_BYTES
    groups: range | None = None

    def like(self, first: DataFile) -> ParquetFile:
        """This file: its columns have names."""
        return self

    def batches(
        self, places: Sequence[int], texts: Sequence[int] = ()
    ) -> Iterator[tuple[int, Batch]]:
        """The numbers in the columns at `places` and the words in those at `texts`, with the number
        of rows before.

        Raises
        ------
        GdfitError : the file is damaged, or a value is missing or not a finite number.
        """
        start = 0 if self.groups is None else self.rows_before(self.groups.start)
        for block in self.blocks(sorted({*places, *texts})):
            batch = self.read(block, start, places, texts)
            if self.dialect.drop_missing:
                whole = batch.is_whole
                if self.watcher:
                    self.watcher.missed(len(whole) - int(whole.sum()))
                batch = batch.where(whole)
            if len(batch.rows):
                yield start, batch
            start += block.num_rows

    def blocks(self, places: Sequence[int] | None = None) -> Iterator[Any]:
        """The rows of the columns at `places`, or of all, as pyarrow's record batches."""
        given = self.table.schema_arrow.names
        names = None if places is None else [given[place] for place in places]
        rows = max(1, self.block_bytes // (8 * len(names or given)))
        done = 0
        with damage_told(self.name):
            for block in self.table.iter_batches(rows, self.groups, names):
                yield block
                done += block.num_rows
                if self.watcher and self.size is not None:
                    self.watcher.progress(self.size * done // self.table.metadata.num_rows)

    def rows_before(self, group: int) -> int:
        """How many rows there are before the row group of this number."""
        return sum(self.table.metadata.row_group(before).num_rows for before in range(group))

    def read(self, block: Any, start: int, places: Sequence[int], texts: Sequence[int]) -> Batch:
        """The rows of one block; a missing value is NaN or -1 if there may be any."""
        grammar, names = self.layout.grammar, self.table.schema_arrow.names
        may_miss = self.dialect.drop_missing

        def column(place: int) -> Any:
            return block.column(block.schema.get_field_index(names[place]))

        try:
            return batch_of(
                block.num_rows,
                places,
                texts,
                lambda place: numbers_in(column(place), grammar, may_miss=may_miss),
                lambda place: words_in(column(place), grammar),
                may_miss=may_miss,
            )
        except TypedError as error:
            raise self.fault_in(start, error.row, error.place, error.what) from None

    def fault_in(self, block: int, row: int, place: int, what: str) -> GdfitError:
        """What is wrong with a value, `row` rows after those before the block."""
        column = self.layout.names[place]
        return FieldError(what, file=self.name, row=block + row + 1, column=column)


@contextmanager
def open_parquet(
    source: Source,
    dialect: Dialect | None = None,
    watcher: Watcher | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[ParquetFile]:
    """The Parquet file in `source`. What can't be read in any order, as a download, goes to a
    temporary file first.

    Raises
    ------
    GdfitError : it is damaged, or a pipe, or pyarrow is missing.
    """
    dialect = dialect or Dialect()
    try:
        from pyarrow import parquet
    except ImportError:
        raise GdfitError(
            "is Parquet, which needs pyarrow: pip install 'gdfit[parquet]'", file=source.name
        ) from None
    for option in ("delimiter", "comment", "skip"):
        if getattr(dialect, option):
            raise UsageError(f"`{option}` is for CSV, and {source.name} is Parquet")
    if dialect.decimal != ".":
        raise UsageError(f"`decimal` is for CSV, and {source.name} is Parquet")
    with ExitStack() as stack:
        size = source.stored.size
        stored: IO[bytes] = source.stored.file
        if source.is_compressed or not stored.seekable():
            stored, size = stack.enter_context(spooled(source, watcher)), None
        with damage_told(source.name):
            table = parquet.ParquetFile(stored, pre_buffer=False, buffer_size=PAGE_BYTES)
            layout = layout_of(table, dialect.grammar(","))
        yield ParquetFile(source.name, table, layout, dialect, watcher, size, block_bytes)


@contextmanager
def spooled(source: Source, watcher: Watcher | None) -> Iterator[IO[bytes]]:
    """What is read from `source`, in a temporary file."""
    if source.name == "standard input" and not source.is_compressed:
        raise GdfitError(
            "is Parquet, which can't be read from a pipe: name the file, or < FILE",
            file=source.name,
        )
    with scratch_file() as file:
        while chunk := source.read(BLOCK_BYTES):
            file.write(chunk)
            position = source.position()
            if watcher and position is not None:
                watcher.progress(position)
        file.seek(0)
        yield file


def layout_of(table: Any, grammar: Grammar) -> Layout:
    """The layout, by the types of the columns and by the first rows."""
    given = table.schema_arrow.names
    first = next(table.iter_batches(batch_size=SNIFFED_ROWS), None)
    held = (
        [Held()] * len(given) if first is None else [held_in(it, grammar) for it in first.columns]
    )
    aside = {name for name in given if name.startswith(ROW_INDEX)}
    return typed_layout(given, held, grammar, aside)


@contextmanager
def damage_told(name: str) -> Iterator[None]:
    """Errors of pyarrow's as one line about the file."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        what = str(error).partition("\n")[0].rstrip(".")
        raise GdfitError(f"its Parquet can't be read: {what}", file=name) from None


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


Reader = Callable[..., AbstractContextManager[DataFile]]


def parquet_in(source: Source, *how: Any, **more: Any) -> AbstractContextManager[DataFile]:
    """The Parquet file in `source`; what reads it is imported for no other."""

    return open_parquet(source, *how, **more)


READERS: dict[bytes, Reader] = {PARQUET: parquet_in}
"""Formats other than CSV, by the bytes that they start with."""


@contextmanager
def open_file(
    path: str,
    dialect: Dialect,
    watcher: Watcher | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[DataFile]:
    """Open the data file at a path or URL (``-`` for standard input) and find its columns.

    Raises
    ------
    GdfitError : it can't be read, or is no data.
    """
    with open_source(path) as source:
        if watcher and scheme_of(path):
            watcher.opened(source.stored.size)
        start = source.start
        reader = next((READERS[magic] for magic in READERS if start.startswith(magic)), csv_in)
        with reader(source, dialect, watcher, block_bytes=block_bytes) as file:
            yield file


@contextmanager
def open_text(
    path: str,
    dialect: Dialect,
    watcher: Watcher | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[CsvFile]:
    """Open a data file as `open_file` does, for its rows as they stand: as CSV, whatever it is.

    Raises
    ------
    GdfitError : it has no rows of text.
    """
    with open_file(path, dialect, watcher, block_bytes=block_bytes) as file:
        if isinstance(file, CsvFile):
            yield file
            return

        if not isinstance(file, ParquetFile):
            raise GdfitError("can't be written as CSV", file=file.name)
        yield as_csv(file)
