"""A CSV file by itself, and a block of text as it is read: fast where that can be, and by the
definition."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gdfit.data.batch import Asked, Batch
from gdfit.data.sources.block_readers import read_by_arrow, read_plainly
from gdfit.data.sources.csv_file import HEAD_BYTES, CsvFile
from gdfit.data.sources.source import open_source
from gdfit.data.text.blocks import UNIT_BYTES, Block, UnitCutter
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import Grammar
from gdfit.data.text.header import find_layout


@contextmanager
def open_csv(
    path: str,
    dialect: Dialect | None = None,
    *,
    unit_bytes: int = UNIT_BYTES,
    head_bytes: int = HEAD_BYTES,
) -> Iterator[CsvFile]:
    """The CSV file at `path`, of which a head of so many bytes is read first."""
    with open_source(path) as source:
        head = source.read(head_bytes)
        layout = find_layout(head, source.name, dialect or Dialect())
        is_small = len(head) < head_bytes
        yield CsvFile(source, layout, head, is_small, unit_bytes=unit_bytes)


def blocks_of(text: bytes, grammar: Grammar, unit_bytes: int = UNIT_BYTES) -> Iterator[Block]:
    """The text cut into units."""
    cutter = UnitCutter(io.BytesIO(text).read, grammar, 0, 1, unit_bytes=unit_bytes)
    return (unit.content for unit in cutter.units())


def read_block(
    block: Block,
    grammar: Grammar,
    width: int,
    asked: Sequence[Asked],
    *,
    missing: bool = True,
    small: bool = False,
) -> Batch:
    """The rows of a block: by Arrow, or where that leaves it or it is small, by the plain
    reader."""
    batch = None if small else read_by_arrow(block, grammar, width, asked, missing=missing)
    return batch or read_plainly(block, grammar, width, asked, missing=missing)


def said_by(batch: Batch) -> list[list[str | None]]:
    """What each row says in the columns of words, None where a field is missing."""
    columns = [
        [None if code < 0 else words.said[code] for code in words.codes.tolist()]
        for words in batch.words
    ]
    return [[*row] for row in zip(*columns, strict=True)]
