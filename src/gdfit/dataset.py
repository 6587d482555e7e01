"""From data files to observations, in one pass."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from gdfit.condense import condense
from gdfit.errors import NoObservationsError
from gdfit.layout import choose_columns, find_columns
from gdfit.observations import Observations
from gdfit.reading import Options, open_tables


def read_observations(
    *files: str,
    features: Sequence[str] | None = None,
    target: str | None = None,
    options: Options | None = None,
    seed: int = 0,
) -> Observations:
    """Read the observations in one or several CSV files, condensed: see `gdfit.condense`.

    Parameters
    ----------
    files : the files' paths, compressed or not; ``-`` is standard input. Several files are one data
        set, and must have the same columns.
    target : the column to predict; by default ``y`` if there is one, else the last.
    features : the columns to predict it from; by default all others.
    options : how to read the files.
    seed : which rows are sampled for pictures comes from it.

    Raises
    ------
    GdfitError : a file can't be read or used; it names the line and the column.
    """
    tables = open_tables(files, options)
    first = next(tables)
    columns = choose_columns(first.layout, first.name, features, target)
    names = (*columns.features, columns.target)
    blocks = (
        block
        for table in itertools.chain([first], tables)
        for block in table.blocks(find_columns(table.layout, table.name, names))
    )
    try:
        return condense(blocks, columns.features, columns.target, seed)
    except NoObservationsError:
        raise NoObservationsError(file=first.name) from None
