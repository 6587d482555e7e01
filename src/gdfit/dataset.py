"""From data files to observations, in one pass."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.condense import Condenser
from gdfit.errors import GdfitError, NoObservationsError, UsageError
from gdfit.layout import Columns, choose_columns, find_columns
from gdfit.observations import Observations
from gdfit.reading import Options, open_tables

SPLITTING = 2  # the split's own stream of random numbers


def read_observations(
    *files: str,
    features: Sequence[str] | None = None,
    target: str | None = None,
    options: Options | None = None,
    seed: int = 0,
    keep_rows: bool = False,
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
    keep_rows : keep all rows as well, for losses other than the squared error and for mini-batches:
        in memory, or where they don't fit, in a temporary file.

    Raises
    ------
    GdfitError : a file can't be read or used; it names the line and the column.
    """
    columns, name, blocks = read_rows(files, features, target, options)
    condenser = Condenser(columns.features, columns.target, seed, keep_rows=keep_rows)
    for block in blocks:
        condenser.add(block)
    return observations_in(condenser, name)


def read_split(
    *files: str,
    fraction: float,
    features: Sequence[str] | None = None,
    target: str | None = None,
    options: Options | None = None,
    seed: int = 0,
    keep_rows: bool = False,
) -> tuple[Observations, Observations]:
    """Read the observations as `read_observations` does, and hold out a `fraction` of the rows for
    validation: the training set and the validation set.

    Each row is drawn for itself, so that the split depends on the seed alone.
    """
    columns, name, blocks = read_rows(files, features, target, options)
    kept = Condenser(columns.features, columns.target, seed, keep_rows=keep_rows)
    held_out = Condenser(columns.features, columns.target, seed, keep_rows=keep_rows)
    random = np.random.default_rng([seed, SPLITTING])
    for block in blocks:
        chosen = random.random(len(block)) < fraction
        kept.add(block[~chosen])
        held_out.add(block[chosen])
    for part, condenser in (("training", kept), ("validation", held_out)):
        if not condenser.count:
            rows = kept.count + held_out.count
            raise GdfitError(
                f"holding out {fraction:g} of {rows} rows leaves none for {part}", file=name
            )
    return kept.observations(), held_out.observations()


def read_training_data(
    files: Sequence[str],
    validation: float | str | None,
    *,
    features: Sequence[str] | None = None,
    target: str | None = None,
    options: Options | None = None,
    seed: int = 0,
    keep_rows: bool = False,
) -> tuple[Observations, Observations | None]:
    """The observations in the files, and those to validate on: a fraction of them that is held out,
    those of another file, or none. For the options see `read_observations`."""
    if isinstance(validation, float):
        return read_split(
            *files,
            fraction=validation,
            features=features,
            target=target,
            options=options,
            seed=seed,
            keep_rows=keep_rows,
        )
    observations = read_observations(
        *files, features=features, target=target, options=options, seed=seed, keep_rows=keep_rows
    )
    if validation is None:
        return observations, None
    return observations, read_observations(
        validation,
        features=observations.features,
        target=observations.target_name,
        options=options,
        keep_rows=keep_rows,
    )


def read_rows(
    files: Sequence[str],
    features: Sequence[str] | None,
    target: str | None,
    options: Options | None,
) -> tuple[Columns, str, Iterator[FloatArray]]:
    """Which columns a fit to the files uses, the first file's name, and the rows of these columns
    in blocks, the target last."""
    if not files:
        raise UsageError("there is no file to read")
    features = [features] if isinstance(features, str) else features
    tables = open_tables(files, options)
    first = next(tables)
    columns = choose_columns(first.layout, first.name, features, target)
    names = (*columns.features, columns.target)
    blocks = (
        block
        for table in itertools.chain([first], tables)
        for block in table.blocks(find_columns(table.layout, table.name, names))
    )
    return columns, first.name, blocks


def observations_in(condenser: Condenser, name: str) -> Observations:
    """What was condensed from the file called `name`."""
    try:
        return condenser.observations()
    except NoObservationsError:
        raise NoObservationsError(file=name) from None
