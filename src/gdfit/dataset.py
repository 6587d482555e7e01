"""From a data file to observations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gdfit.layout import choose_columns
from gdfit.observations import Observations, observations_of
from gdfit.reading import open_table


def read_observations(
    path: str,
    *,
    features: Sequence[str] | None = None,
    target: str | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    drop_missing: bool = False,
    dropped: Callable[[int], None] = lambda count: None,
) -> Observations:
    """Read the observations in a CSV file.

    Parameters
    ----------
    path : the file, compressed or not; ``-`` is standard input.
    target : the column to predict; by default ``y`` if there is one, else the last.
    features : the columns to predict it from; by default all others.
    delimiter, decimal : how the file is written; the delimiter is found from its first lines.
    drop_missing : skip rows with a missing field; `dropped` is told how many of them. Otherwise a
        missing field is an error.

    Raises
    ------
    GdfitError : the file can't be read or used; it names the line and the column.
    """
    with open_table(path, delimiter=delimiter, decimal=decimal) as table:
        columns = choose_columns(table.layout, table.name, features, target)
        blocks = table.blocks(columns.places, drop_missing=drop_missing, dropped=dropped)
        return observations_of(list(blocks), columns.features, columns.target, table.name)
