"""A saved model on a data file: its predictions as one more column, its errors."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import TextIO

import numpy as np

from gdfit.errors import GdfitError, quoted
from gdfit.evaluation import Evaluation, evaluate
from gdfit.layout import WHITE_SPACE, find_columns, find_features
from gdfit.model import LinearModel
from gdfit.reading import open_table


def predict_rows(
    model: LinearModel,
    path: str,
    output: TextIO,
    *,
    delimiter: str | None = None,
    decimal: str = ".",
    drop_missing: bool = False,
    dropped: Callable[[int], None] = lambda count: None,
) -> None:
    """Write the rows of the file at `path` back as CSV with one more column, ``TARGET_hat``.

    Delimiter, decimal mark and header are as in the file. Memory stays bounded: rows are read and
    written block by block.

    Raises
    ------
    GdfitError : the file can't be read, or lacks a feature of the model.
    """
    with open_table(path, delimiter=delimiter, decimal=decimal) as table:
        layout = table.layout
        places = find_features(layout, table.name, model.features)
        added = f"{model.target}_hat"
        if added in layout.names:
            raise GdfitError(f"there is a column {quoted(added)} already", file=table.name)
        separator = " " if layout.delimiter == WHITE_SPACE else layout.delimiter
        if layout.has_header:
            header = csv.writer(output, delimiter=separator, lineterminator="\n")
            header.writerow([*layout.names, added])
        for block in table.text_blocks():
            values = table.parse(block, places, drop_missing=drop_missing)
            if not len(values):
                continue
            frame = table.read_frame(block, str, range(len(layout.names)))
            complete = ~np.isnan(values).any(axis=1)
            dropped(len(values) - int(complete.sum()))
            frame = frame[complete].assign(**{added: model.predict(list(values[complete].T))})
            frame.to_csv(
                output,
                sep=separator,
                decimal=layout.decimal,
                header=False,
                index=False,
                lineterminator="\n",
            )


def evaluate_rows(
    model: LinearModel,
    path: str,
    *,
    target: str | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    drop_missing: bool = False,
    dropped: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """The model's errors on the observations in the file at `path`.

    `target` is the column with the observed values: by default the model's target, or the last
    column where the file has no header.
    """
    with open_table(path, delimiter=delimiter, decimal=decimal) as table:
        layout = table.layout
        if target is None:
            target = model.target if layout.has_header else layout.names[-1]
        places = (
            *find_features(layout, table.name, model.features),
            *find_columns(layout, table.name, [target]),
        )
        return evaluate(
            model, table.blocks(places, drop_missing=drop_missing, dropped=dropped), table.name
        )
