"""A saved model on data files: their rows as they stand, with the prediction as one field more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.batch import Unit
from gdfit.data.data_file import Progress
from gdfit.data.dataset import Dataset
from gdfit.data.reduction.tree import in_order
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.terms.expansion import enclosed
from gdfit.data.terms.lookup import find_features
from gdfit.data.terms.row_maker import RowMaker
from gdfit.data.text.blocks import LF, Block, Positions, ends_of_rows, every_other
from gdfit.data.text.fields import WHITE_SPACE, Grammar
from gdfit.data.text.header import Layout
from gdfit.errors import GdfitError, quoted
from gdfit.model.linear import LinearModel


def predict_rows(model: LinearModel, dataset: Dataset, write: Callable[[bytes], object]) -> None:
    """Write the files back byte for byte, with one field more in each row, ``TARGET_hat``: ŷ, empty
    where a field that it needs is missing. Only the first file's header is written.

    Memory stays bounded: rows are read and written block by block; those of a pipe as they come.

    Raises
    ------
    GdfitError : a file can't be read, lacks a feature of the model, or is not like the first one.
    """

    def suits(layout: Layout) -> bool:
        with suppress(GdfitError):
            return bool(find_features(layout, dataset.name, model.inputs))
        return False

    first: CsvFile | None = None
    text = b"\n"
    for file in dataset.open_texts(suits):
        maker = model.maker(file)
        if not text.endswith((b"\n", b"\r")):  # the last line of the file before has no end
            write(b"\n")
        if first is None:
            write(top(file, f"{model.target}_hat"))
        else:
            check_same_columns(first, file)
        for text in predicted_blocks(model, maker, file, dataset.progress):
            write(text)
        first = first or file


def top(file: CsvFile, name: str) -> bytes:
    """What stands before the rows of `file`, with one column more in the header if there is one."""
    layout, text = file.layout, file.head[: file.layout.start]
    if not layout.named:
        return text
    if name in layout.names:
        raise GdfitError(f"there is a column {quoted(name)} already", file=file.name)
    added = separator(layout.grammar) + quoted_field(name, layout.grammar)
    return text[: layout.header_end] + added.encode() + text[layout.header_end :]


def check_same_columns(first: CsvFile, file: CsvFile) -> None:
    """Raise where the rows of `file` can't stand below those of the `first` one."""
    if first.layout.names != file.layout.names:
        what = f"its columns stand in another order than in {first.name}"
    elif first.layout.grammar != file.layout.grammar:
        what = f"its delimiter is not that of {first.name}"
    else:
        return
    raise GdfitError(f"{what}; predict them one by one", file=file.name)


def predicted_blocks(
    model: LinearModel, maker: RowMaker, file: CsvFile, progress: Progress | None
) -> Iterator[bytes]:
    """The rows of `file` with their predictions, block by block."""
    grammar = file.layout.grammar

    def predict(unit: Unit) -> tuple[int, bytes]:
        (batch,) = file.batches(unit, maker.asked, may_miss=True)
        values, absent = model.at_batch(maker, file, unit, batch), ~batch.is_whole
        block: Block = unit.content
        fields = as_fields(values, absent, grammar)
        text = with_fields(block.raw, ends_of_rows(block, grammar), fields)
        return int(np.count_nonzero(absent)), text

    for burst in file.bursts():
        for missed, text in in_order(predict, burst):
            if progress:
                progress.missed(missed)
            yield text


def as_fields(values: FloatArray, absent: NDArray[np.bool_], grammar: Grammar) -> str:
    """The numbers as fields with the delimiter before them, one a line; empty where `absent`."""
    said = repr(values.tolist())[1:-1].split(", ")  # faster than one by one
    for row in np.flatnonzero(absent).tolist():
        said[row] = "NA" if grammar.delimiter == WHITE_SPACE else ""
    before, after = separator(grammar), ""
    if grammar.delimiter in "+-.e":
        before, after = before + '"', '"'
    text = before + f"{after}\n{before}".join(said) + f"{after}\n"
    return text.replace(".", grammar.spelling.point.decode())


def with_fields(text: bytes, ends: Positions, fields: str) -> bytes:
    """`text` with the lines of `fields` in it, one at each of the `ends`."""
    if not len(ends):
        return text
    added = np.frombuffer(fields.encode(), np.uint8)
    lengths = np.empty(2 * len(ends) + 1, np.int64)
    lengths[::2] = np.diff(ends, prepend=0, append=len(text))
    lengths[1::2] = np.diff(np.flatnonzero(added == LF), prepend=-1) - 1
    is_new = every_other(lengths)
    whole = np.empty(len(is_new), np.uint8)
    whole[is_new] = added[added != LF]
    whole[~is_new] = np.frombuffer(text, np.uint8)
    return whole.tobytes()


def separator(grammar: Grammar) -> str:
    """What stands between two fields."""
    return " " if grammar.delimiter == WHITE_SPACE else grammar.delimiter


def quoted_field(said: str, grammar: Grammar) -> str:
    """A field that says this, in quotes if it needs them."""
    special = f'"\r\n{grammar.delimiters.decode()}{grammar.comment or ""}'
    if said == said.strip(grammar.blanks.decode()) and not set(said) & set(special):
        return said
    return enclosed(said)
