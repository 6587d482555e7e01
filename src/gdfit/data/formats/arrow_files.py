"""Files of typed columns that Arrow reads a piece at a time: Parquet, and Arrow's own format
(Feather). Their numbers are those of the same data as CSV, to the last bit. A row has a number in
the file, from 1, where it has a line in text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import IO, Any

from gdfit.data import arrow
from gdfit.data.batch import Asked, Batch, Progress
from gdfit.data.sources.source import BLOCK_BYTES, Source
from gdfit.data.text.blocks import Unit
from gdfit.data.text.dialect import OF_TEXT, OF_TEXTS, Dialect
from gdfit.data.text.fields import Grammar, ways_out
from gdfit.data.text.header import Layout
from gdfit.data.text.sniffing import SNIFFED_ROWS, Held
from gdfit.errors import FieldError, GdfitError

PAGE_BYTES = 1 << 20  # how much of a column is read at a time, however large its row groups are


class Parquet:
    """A Parquet file; its groups are row groups."""

    def __init__(self, stored: IO[bytes]) -> None:
        from pyarrow import parquet

        self._file = parquet.ParquetFile(
            stored, pre_buffer=False, buffer_size=PAGE_BYTES, page_checksum_verification=True
        )
        self.names: list[str] = self._file.schema_arrow.names
        self.groups: int = self._file.num_row_groups

    def rows_in(self, group: int) -> int:
        """The number of rows in a group."""
        return int(self._file.metadata.row_group(group).num_rows)

    def blocks(self, group: int, names: Sequence[str], rows: int) -> Iterator[Any]:
        """The rows of a group in record batches of so many."""
        return iter(self._file.iter_batches(rows, [group], list(names)))


class Arrow:
    """A file of Arrow's own format, as Feather is; its groups are record batches."""

    def __init__(self, stored: IO[bytes]) -> None:
        from pyarrow import ipc

        self._file = ipc.open_file(stored)
        self.names: list[str] = self._file.schema.names
        self.groups: int = self._file.num_record_batches

    def rows_in(self, group: int) -> int:
        """The number of rows in a group."""
        return int(self._file.get_batch(group).num_rows)

    def blocks(self, group: int, names: Sequence[str], rows: int) -> Iterator[Any]:
        """The rows of a group in record batches of so many."""
        batch = self._file.get_batch(group)
        chosen = batch.select([at for at, name in enumerate(self.names) if name in names])
        chosen.validate(full=True)  # or a damaged file would end the process
        for start in range(0, batch.num_rows, rows):
            yield chosen.slice(start, rows)


KINDS = {kind.__name__: kind for kind in (Parquet, Arrow)}


@dataclass(frozen=True, eq=False)
class ArrowFile:
    """A file of typed columns opened for reading.

    table : what is in it.
    size : how many bytes the file has, for the progress; None where it has been told already.
    groups : which groups to read; by default all.
    """

    name: str
    table: Parquet | Arrow
    layout: Layout
    progress: Progress | None = None
    size: int | None = None
    groups: range | None = None

    def units(self) -> Iterator[Unit]:
        """The groups: see `DataFile`."""
        for group in self.groups or range(self.table.groups):
            yield Unit(group, group)

    def batches(self, unit: Unit, asked: Sequence[Asked], *, may_miss: bool) -> Iterator[Batch]:
        """The rows of a group: see `DataFile`."""
        start = 0
        places = sorted({place for place, _ in asked})
        for block in self.blocks(unit.number, [self.table.names[place] for place in places]):
            columns = dict(zip(places, block.columns, strict=True))
            rows = range(start, start + block.num_rows)
            how = (asked, self.layout.grammar, partial(self.fault_in, unit))
            yield from arrow.batches_of(rows, columns, *how, may_miss=may_miss)
            start = rows.stop

    def blocks(self, group: int, names: Sequence[str]) -> Iterator[Any]:
        """The rows of some columns of a group, as pyarrow's record batches."""
        rows, done = max(1, BLOCK_BYTES // (8 * len(names))), 0
        with damage_told(self.name, type(self.table).__name__):
            for block in self.table.blocks(group, names, rows):
                yield block
                done += block.num_rows
                if self.progress and self.size is not None:
                    groups = group + done / self.table.rows_in(group)
                    self.progress.progress(int(self.size * groups / self.table.groups))

    def fault_in(self, unit: Unit, row: int, place: int, what: str) -> GdfitError:
        """What is wrong with a value: see `DataFile`."""
        before = sum(map(self.table.rows_in, range(unit.number)))
        column = self.layout.names[place]
        row, changes = before + row + 1, next(iter(ways_out(what)), {})
        return FieldError(what, file=self.name, row=row, column=column, changes=changes)


@contextmanager
def arrow_in(
    kind: type[Parquet | Arrow], source: Source, dialect: Dialect, progress: Progress | None
) -> Iterator[ArrowFile]:
    """The file of this `kind` in `source`. What can't be read in any order, as a download, goes to
    a temporary file first.

    Raises
    ------
    GdfitError : it is damaged, or a pipe.
    """
    called = kind.__name__
    dialect = dialect.without((*OF_TEXT, *OF_TEXTS), f"{source.name} is {called}")
    if source.name == "standard input" and not source.is_in_any_order and not source.is_compressed:
        what = f"is {called}, which can't be read from a pipe: name the file, or < FILE"
        raise GdfitError(what, file=source.name)
    size = source.stored.size if source.is_in_any_order else None
    with source.in_any_order(progress) as stored:
        with damage_told(source.name, called):
            table = kind(stored)
            layout = arrow_layout(table, dialect.grammar(","))
        yield ArrowFile(source.name, table, layout, progress, size)


def arrow_layout(table: Parquet | Arrow, grammar: Grammar) -> Layout:
    """The layout, by the types of the columns and by the first rows."""
    groups = range(table.groups)
    blocks = chain.from_iterable(table.blocks(group, table.names, SNIFFED_ROWS) for group in groups)
    first = next(blocks, None)
    held = [Held()] * len(table.names)
    if first is not None:
        held = [arrow.held_in(column, grammar) for column in first.columns]
    return arrow.typed_layout(table.names, held, grammar)


@contextmanager
def damage_told(name: str, kind: str) -> Iterator[None]:
    """Errors of pyarrow's as one line about the file."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        what = str(error).partition("\n")[0].rstrip(".")
        raise GdfitError(f"its {kind} can't be read: {what}", file=name) from None
