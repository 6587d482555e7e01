"""A saved model on a data file: its predictions as one more column, its errors."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import TextIO

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.errors import GdfitError, NoObservationsError, quoted
from gdfit.evaluation import Evaluation, evaluate
from gdfit.layout import WHITE_SPACE, Layout, find_columns, find_features
from gdfit.model import LinearModel
from gdfit.reading import Options, open_tables


def predict_rows(
    model: LinearModel, files: Sequence[str], output: TextIO, options: Options | None = None
) -> None:
    """Write the rows of the files back as CSV with one more column, ``TARGET_hat``.

    Delimiter, decimal mark and header are as in the first file. Memory stays bounded: rows are read
    and written block by block.

    Raises
    ------
    GdfitError : a file can't be read, or lacks a feature of the model.
    """
    added = f"{model.target}_hat"
    first: Layout | None = None
    for table in open_tables(files, options):
        layout = table.layout
        places = find_features(layout, table.name, model.features)
        if first is None:
            first = layout
            separator = " " if layout.delimiter == WHITE_SPACE else layout.delimiter
            if added in layout.names:
                raise GdfitError(f"there is a column {quoted(added)} already", file=table.name)
            if layout.named:
                header = csv.writer(output, delimiter=separator, lineterminator="\n")
                header.writerow([*layout.names, added])
        order = [layout.names.index(name) for name in first.names]
        for block in table.text_blocks():
            values = table.parse(block, places)
            if not len(values):
                continue
            complete = ~np.isnan(values).any(axis=1)
            table.options.dropped(len(values) - int(complete.sum()))
            rows = table.read_frame(block, str, range(len(order)))[complete][order]
            rows.assign(**{added: model.predict(list(values[complete].T))}).to_csv(
                output,
                sep=separator,
                decimal=first.decimal,
                header=False,
                index=False,
                lineterminator="\n",
            )


def evaluate_rows(
    model: LinearModel,
    files: Sequence[str],
    target: str | None = None,
    options: Options | None = None,
) -> Evaluation:
    """The model's errors on the observations in the files.

    `target` is the column with the observed values: by default the model's target, or the last
    column where there is no header.
    """

    def blocks() -> Iterator[FloatArray]:
        for table in open_tables(files, options):
            layout = table.layout
            observed = target or (model.target if layout.named else layout.names[-1])
            features = find_features(layout, table.name, model.features)
            yield from table.blocks((*features, *find_columns(layout, table.name, [observed])))

    try:
        return evaluate(model, blocks())
    except NoObservationsError:
        raise NoObservationsError(file=files[0]) from None
