"""A saved model on a data file: its predictions as one more column, its errors."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from gdfit.arrays import FloatArray
from gdfit.data.dataset import Dataset
from gdfit.data.layout import WHITE_SPACE, Layout, find_columns, find_features
from gdfit.errors import GdfitError, NoObservationsError, quoted
from gdfit.model.evaluation import Evaluation, evaluate
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


def evaluate_rows(model: LinearModel, dataset: Dataset) -> Evaluation:
    """The model's errors on the observations in the files.

    The column with the observed values is the selection's target: by default the model's, or the
    last column where there is no header.
    """

    def blocks() -> Iterator[FloatArray]:
        for file in dataset.open_files():
            layout = file.layout
            observed = dataset.selection.target or (
                model.target if layout.named else layout.names[-1]
            )
            features = find_features(layout, file.name, model.features)
            yield from file.blocks((*features, *find_columns(layout, file.name, [observed])))

    try:
        return evaluate(model, blocks())
    except NoObservationsError:
        raise NoObservationsError(file=dataset.name) from None
