"""From data files to observations, in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.columns import Columns, Selection, choose_columns
from gdfit.data.condense import Condenser
from gdfit.data.csv_file import CsvFile, Watcher, open_csv
from gdfit.data.layout import Dialect
from gdfit.data.observations import Observations
from gdfit.data.source import BLOCK_BYTES
from gdfit.errors import GdfitError, NoObservationsError, UsageError, listing

SPLITTING = 2  # the split's own stream of random numbers


@dataclass(frozen=True)
class Dataset:
    """Data files, and what is asked of them.

    files : the files' paths, compressed or not; ``-`` is standard input. Several files are one data
        set, and must have the same columns.
    selection : which columns.
    dialect : how the files are written.
    watcher : is told how reading them goes.
    block_bytes : how much of a file is read at a time.
    memory : how many bytes of rows to keep in memory, where they are kept; the rest goes into a
        temporary file. By default a quarter of what the process may have.
    """

    files: tuple[str, ...]
    selection: Selection = field(default_factory=Selection)
    dialect: Dialect = field(default_factory=Dialect)
    watcher: Watcher | None = None
    block_bytes: int = BLOCK_BYTES
    memory: int | None = None

    def open_files(self) -> Iterator[CsvFile]:
        """The files, each opened after the one before has been read.

        The order of their columns may differ. A file without a header, as `split` makes them, has
        its columns in the first one's order.
        """
        if not self.files:
            raise UsageError("there is no file to read")
        first: CsvFile | None = None
        for path in self.files:
            with open_csv(path, self.dialect, self.watcher, block_bytes=self.block_bytes) as file:
                yield made_like(first, file) if first else file
            first = first or file

    def rows(self) -> tuple[Columns, Iterator[FloatArray]]:
        """The columns of a fit, and their rows in blocks, shape (rows, p+1), the target last."""
        files = self.open_files()
        first = next(files)
        columns = choose_columns(first.layout, first.name, self.selection)

        def blocks() -> Iterator[FloatArray]:
            yield from first.blocks(columns.places_in(first.layout, first.name))
            for file in files:
                yield from file.blocks(columns.places_in(file.layout, file.name))

        return columns, blocks()

    def observations(self, seed: int = 0, *, keep_rows: bool = False) -> Observations:
        """The observations, condensed: see `read_observations`."""
        columns, blocks = self.rows()
        condenser = Condenser(columns, seed, keep_rows=keep_rows, memory=self.memory)
        for block in blocks:
            condenser.add(block)
        try:
            return condenser.observations()
        except NoObservationsError:
            raise NoObservationsError(file=self.name) from None

    def split(
        self, fraction: float, seed: int = 0, *, keep_rows: bool = False
    ) -> tuple[Observations, Observations]:
        """The observations without a `fraction` of the rows, and these, held out for validation.

        Each row is drawn for itself, so that the split depends on the seed alone.
        """
        columns, blocks = self.rows()
        kept, held_out = (
            Condenser(columns, seed, keep_rows=keep_rows, memory=self.memory) for _ in range(2)
        )
        random = np.random.default_rng([seed, SPLITTING])
        for block in blocks:
            chosen = random.random(len(block)) < fraction
            kept.add(block[~chosen])
            held_out.add(block[chosen])
        for part, condenser in (("training", kept), ("validation", held_out)):
            if not condenser.count:
                rows = kept.count + held_out.count
                raise GdfitError(
                    f"holding out {fraction:g} of {rows} rows leaves none for {part}",
                    file=self.name,
                )
        return kept.observations(), held_out.observations()

    def with_validation(
        self, validation: float | str | None, seed: int = 0, *, keep_rows: bool = False
    ) -> tuple[Observations, Observations | None]:
        """The observations to descend on, and those to validate on: a fraction of them that is held
        out, those of another file, or none."""
        if isinstance(validation, float):
            return self.split(validation, seed, keep_rows=keep_rows)
        observations = self.observations(seed, keep_rows=keep_rows)
        if validation is None:
            return observations, None
        same_columns = Selection(observations.features, observations.target_name)
        other = replace(self, files=(validation,), selection=same_columns)
        return observations, other.observations(keep_rows=keep_rows)

    @property
    def name(self) -> str:
        """The first file's name, for messages."""
        return "standard input" if self.files[0] == "-" else self.files[0]


def read_observations(
    *files: str,
    features: Sequence[str] | str | None = None,
    target: str | None = None,
    dialect: Dialect | None = None,
    seed: int = 0,
    keep_rows: bool = False,
) -> Observations:
    """Read the observations in one or several CSV files, condensed: see `gdfit.data.condense`.

    Parameters
    ----------
    files : the files' paths, compressed or not; ``-`` is standard input. Several files are one data
        set, and must have the same columns.
    features : the columns to predict from; by default all others.
    target : the column to predict; by default ``y`` if there is one, else the last.
    dialect : how the files are written.
    seed : which rows are sampled for pictures comes from it.
    keep_rows : keep all rows as well, for losses other than the squared error and for mini-batches:
        in memory, or where they don't fit, in a temporary file.

    Raises
    ------
    GdfitError : a file can't be read or used; it names the line and the column.
    """
    if isinstance(features, str):
        features = (features,)
    selection = Selection(None if features is None else tuple(features), target)
    dataset = Dataset(files, selection, dialect or Dialect())
    return dataset.observations(seed, keep_rows=keep_rows)


def made_like(first: CsvFile, file: CsvFile) -> CsvFile:
    """`file`, with the names of the columns of `first` if it has no header of its own."""
    names, others = first.layout.names, file.layout.names
    if len(names) != len(others) or (file.layout.named and set(names) != set(others)):
        raise GdfitError(
            f"its columns ({listing(others)}) are not those of {first.name} ({listing(names)})",
            file=file.name,
        )
    return file if file.layout.named else file.called(names)
