"""A block of text as it is read: fast where that can be, and by the definition."""

from __future__ import annotations

from collections.abc import Sequence

from gdfit.data.batch import Asked, Batch
from gdfit.data.sources.arrow_reader import read_by_arrow
from gdfit.data.text.blocks import Block
from gdfit.data.text.fields import Grammar, read_plainly


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
    return batch or read_plainly(
        block.text, grammar, width, asked, missing=missing, line=block.line
    )


def said_by(batch: Batch) -> list[list[str | None]]:
    """What each row says in the columns of words, None where a field is missing."""
    columns = [
        [None if code < 0 else words.said[code] for code in words.codes.tolist()]
        for words in batch.words
    ]
    return [[*row] for row in zip(*columns, strict=True)]
