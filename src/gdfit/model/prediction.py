"""A saved model on data files: its predictions as one more column."""

from __future__ import annotations

import csv
from typing import TextIO

from gdfit.data.columns import find_features
from gdfit.data.dataset import Dataset
from gdfit.data.dialect import WHITE_SPACE
from gdfit.data.layout import Layout
from gdfit.errors import GdfitError, quoted
from gdfit.model.linear import LinearModel


def predict_rows(model: LinearModel, dataset: Dataset, output: TextIO) -> None:
    """Write the rows of the files back as CSV with one more column, ``TARGET_hat``.

    Delimiter, decimal mark and header are as in the first file. Memory stays bounded: rows are read
    and written block by block.

    Raises
    ------
    GdfitError : a file can't be read, or lacks a feature of the model.
    """
    added = f"{model.target}_hat"
    first: Layout | None = None
    for file in dataset.open_files():
        layout = file.layout
        places = find_features(layout, file.name, model.features)
        if first is None:
            first = layout
            separator = " " if layout.delimiter == WHITE_SPACE else layout.delimiter
            if added in layout.names:
                raise GdfitError(f"there is a column {quoted(added)} already", file=file.name)
            if layout.named:
                header = csv.writer(output, delimiter=separator, lineterminator="\n")
                header.writerow([*layout.names, added])
        order = [layout.names.index(name) for name in first.names]
        for block in file.text_blocks():
            values = file.parse(block, places)
            if not len(values):
                continue
            complete = file.complete(values)
            rows = file.read_frame(block, str, range(len(order)))[complete][order]
            rows.assign(**{added: model.predict(list(values[complete].T))}).to_csv(
                output,
                sep=separator,
                decimal=first.decimal,
                header=False,
                index=False,
                lineterminator="\n",
            )
