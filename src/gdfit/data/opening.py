"""Data files opened by what they are, which they say in their first bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from gdfit.data.csv_file import CsvFile, csv_in
from gdfit.data.data_file import DataFile, Watcher
from gdfit.data.dialect import Dialect
from gdfit.data.source import BLOCK_BYTES, PARQUET, Source, open_source, scheme_of
from gdfit.errors import GdfitError

Reader = Callable[..., AbstractContextManager[DataFile]]


def parquet_in(source: Source, *how: Any, **more: Any) -> AbstractContextManager[DataFile]:
    """The Parquet file in `source`; what reads it is imported for no other."""
    from gdfit.data.parquet_file import open_parquet

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
        from gdfit.data.parquet_file import ParquetFile
        from gdfit.data.parquet_text import as_csv

        if not isinstance(file, ParquetFile):
            raise GdfitError("can't be written as CSV", file=file.name)
        yield as_csv(file)
