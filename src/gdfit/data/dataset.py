"""From data files to observations, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from gdfit.arrays import FloatArray
from gdfit.data.data_file import DataFile, Watcher
from gdfit.data.reduction.condense import Condenser
from gdfit.data.reduction.observations import Observations
from gdfit.data.reduction.units import UNIT_BYTES
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.sources.formats import open_file, open_text
from gdfit.data.sources.source import BLOCK_BYTES, size_at
from gdfit.data.sources.stores import expanded
from gdfit.data.terms.columns import (
    Chosen,
    Columns,
    Selection,
    choose_columns,
    nothing_left,
    several,
)
from gdfit.data.terms.levels import Levels
from gdfit.data.terms.lookup import made_like
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.header import Layout
from gdfit.errors import GdfitError, NoObservationsError, UsageError

if TYPE_CHECKING:
    from distributed import Client

    from gdfit.data.reduction.dask import Cluster
    from gdfit.data.reduction.parts import Condense, Job, Work
    from gdfit.data.reduction.units import Form

LARGE = 1 << 24  # bytes: to begin as several processes takes as long as to read a tenth of them

File = TypeVar("File", bound=DataFile)


@dataclass(frozen=True)
class Dataset:
    """Data files, and what is asked of them.

    files : the files' paths or URLs, compressed or not; ``-`` is standard input. Several files are
        one data set, and must have the same columns.
    selection : which columns.
    dialect : how the files are written.
    watcher : is told how reading them goes.
    block_bytes : how much of a file is read at a time.
    memory : how many bytes of rows to keep in memory, where they are kept; the rest goes into a
        temporary file. By default a quarter of what the process may have.
    columns : the columns that have been chosen before, in another data set, with their levels; by
        default they are chosen by the `selection`.
    cluster : whose workers are to read the files; by default, this machine does.
    large : from how many bytes on it reads in units, on all processors: see
        `gdfit.data.reduction.processors`.
    unit_bytes : the size of those.
    begun : is called when the reading has begun, for what can be done beside it.
    """

    files: tuple[str, ...]
    selection: Selection = field(default_factory=Selection)
    dialect: Dialect = field(default_factory=Dialect)
    watcher: Watcher | None = None
    block_bytes: int = BLOCK_BYTES
    memory: int | None = None
    columns: Columns | None = None
    cluster: Cluster | None = None
    large: int = LARGE
    unit_bytes: int = UNIT_BYTES
    begun: Callable[[], None] = lambda: None

    def open_files(self) -> Generator[DataFile]:
        """The files, each opened after the one before has been read.

        The order of their columns may differ. A file without a header, as `split` makes them, has
        its columns in the first one's order.
        """
        return self._opened(open_file)

    def open_texts(self) -> Generator[CsvFile]:
        """The files as CSV, for their rows as they stand: see `open_files`."""
        return self._opened(open_text)

    def _opened(self, opened: Callable[..., AbstractContextManager[File]]) -> Generator[File]:
        if not self.files:
            raise UsageError("there is no file to read")
        first: File | None = None
        for path in self.files:
            with opened(path, self.dialect, self.watcher, block_bytes=self.block_bytes) as file:
                yield made_like(first, file) if first else file
            first = first or file

    def rows(self) -> tuple[Columns, Levels, Iterator[FloatArray]]:
        """The columns of a fit, the levels of categories as they are found, and the rows in
        blocks, the target last: see `Columns.width`."""
        files = self.open_files()
        first = next(files)
        try:
            columns = self.columns or choose_columns(first.layout, first.name, self.selection)
        except GdfitError:
            files.close()
            raise
        levels, recipe = Levels(columns.expansion), Chosen(columns, self.selection)

        def blocks() -> Iterator[FloatArray]:
            self.begun()
            empty = True
            with closing(files):
                for file in chain([first], files):
                    for block in recipe.blocks(file, levels):
                        empty = False
                        yield block
            if empty:
                raise self._nothing(first.layout, columns)

        return columns, levels, blocks()

    def _nothing(self, layout: Layout, columns: Columns) -> NoObservationsError:
        """What to say where no row is left."""
        why = nothing_left(layout, columns, drop_missing=self.dialect.drop_missing)
        return NoObservationsError(why, file=self.name)

    def observations(self, seed: int = 0, *, keep_rows: bool = False) -> Observations:
        """The observations, condensed: see `read_observations`."""
        return self._read(seed, keep_rows=keep_rows)[1]

    def _read(self, seed: int, *, keep_rows: bool) -> tuple[Columns, Observations]:
        gathered = self._gathered(seed, None, keep_rows=keep_rows)
        if gathered:
            columns, condensed = gathered
            return columns, condensed.observations(columns)
        columns, levels, blocks = self.rows()
        condenser = Condenser(columns, seed, keep_rows=keep_rows, memory=self.memory, levels=levels)
        for block in blocks:
            condenser.add(block)
        return columns, condenser.observations()

    def split(
        self, fraction: float, seed: int = 0, *, keep_rows: bool = False
    ) -> tuple[Observations, Observations]:
        """The observations without a `fraction` of the rows, and these, held out for validation:
        see `HoldOut`."""
        # On one machine, which rows are held out is the same for large files as for a pipe.
        gathered = self._gathered(seed, fraction, keep_rows=keep_rows) if self.cluster else None
        if gathered:
            columns, divided = gathered
            to_train, to_validate = divided.decided()
            if not to_train:
                raise self._none_left(fraction, divided.count)
            return to_train.observations(columns), to_validate.observations(columns)
        columns, levels, blocks = self.rows()
        kept, held_out = (
            Condenser(columns, seed, keep_rows=keep_rows, memory=self.memory, levels=levels)
            for _ in range(2)
        )
        from gdfit.data.reduction.draws import HoldOut

        hold_out = HoldOut(fraction, columns.width, seed, kept, held_out)
        for block in blocks:
            hold_out.add(block)
        hold_out.finish()
        if not kept.count:
            raise self._none_left(fraction, held_out.count)
        return kept.observations(), held_out.observations()

    def _none_left(self, fraction: float, count: int) -> GdfitError:
        """What to say where all rows are held out."""
        rows = "1 row" if count == 1 else f"{count} rows"
        return GdfitError(
            f"holding out {fraction:g} of {rows} for validation leaves none to train on",
            file=self.name,
        )

    def _gathered(
        self, seed: int, fraction: float | None, *, keep_rows: bool
    ) -> tuple[Columns, Any] | None:
        """The columns of a fit, and the rows as they are condensed in units: divided, if there is a
        `fraction` to hold out. None where they are not read so."""
        if keep_rows:
            if self.cluster:
                raise UsageError(
                    "`dask` condenses the rows where they are read, which is enough for `loss` "
                    "mse; other losses and `batch_size` need the rows themselves"
                )
            return None

        def job_for(first: Form) -> Condense:
            from gdfit.data.reduction.parts import Condense

            columns = self.columns or choose_columns(first.layout, first.name, self.selection)
            return Condense(Chosen(columns, self.selection), seed, fraction)

        gathered = self.gathered(job_for)
        if gathered is None:
            return None
        work, part = gathered
        columns = work.job.recipe.columns
        if part is None:
            raise self._nothing(work.forms[0].layout, columns)
        return columns, part

    def with_validation(
        self, validation: float | str | None, seed: int = 0, *, keep_rows: bool = False
    ) -> tuple[Observations, Observations | None]:
        """The observations to descend on, and those to validate on: a fraction of them that is held
        out, those of another file, or none."""
        if isinstance(validation, float):
            return self.split(validation, seed, keep_rows=keep_rows)
        columns, observations = self._read(seed, keep_rows=keep_rows)
        if validation is None:
            return observations, None
        columns = replace(columns, known=observations.expansion)
        other = replace(self, files=(validation,), columns=columns)
        return observations, other.observations(keep_rows=keep_rows)

    def gathered(self, job_for: Callable[[Form], Job]) -> tuple[Work, Any] | None:
        """What the rows come to where they are read in units: on a cluster (see `Cluster.gather`),
        or, where there are many, by all processors of this machine. None where they are not."""
        if self.cluster:
            self.begun()
            return self.cluster.gather(self.files, self.dialect, job_for, self.watcher)
        if "-" in self.files or bytes_here(self.files) < self.large:
            return None
        from gdfit.data.reduction.processors import gather

        return gather(self.files, self.dialect, job_for, self.watcher, self.unit_bytes, self.begun)

    @property
    def name(self) -> str:
        """The first file's name, for messages."""
        return "standard input" if self.files[0] == "-" else self.files[0]


def bytes_here(files: Sequence[str]) -> int:
    """How many bytes there are in files on this machine."""
    sizes = (size_at(file) for file in files)
    return sum(size or 0 for size in sizes)


def read_observations(
    *files: str,
    features: Sequence[str] | str | None = None,
    target: str | None = None,
    exclude: Sequence[str] | str = (),
    degree: int = 1,
    weights: str | None = None,
    intercept: bool = True,
    dialect: Dialect | None = None,
    seed: int = 0,
    keep_rows: bool = False,
    dask: str | Client | None = None,
) -> Observations:
    """Read the observations in one or several data files, condensed: see
    `gdfit.data.reduction.condense`.

    Parameters
    ----------
    files : the files' paths or URLs, compressed or not, or patterns of them, as ``data/*.csv``;
        ``-`` is standard input. Several files are one data set, and must have the same columns.
    features : the terms to predict from, as ``["x", "x^2", "log(z)", "species"]``; by default all
        other columns with numbers, but row names and columns without a name.
        `Observations.left_out` names those that have none.
    target : the term to predict; by default ``y`` if there is one, else the last column with
        numbers.
    exclude : columns that are not used, whatever they hold.
    degree : up to which to add all powers and products of the features that are numbers.
    weights : the column that says how much each row counts.
    intercept : whether there is a b to fit; where there is none, it stays 0.
    dialect : how the files are written.
    seed : which rows are sampled for pictures comes from it.
    keep_rows : keep all rows as well, for losses other than the squared error and for mini-batches:
        in memory, or where they don't fit, in a temporary file.
    dask : the address of a Dask cluster whose workers are to read the files, or a client of it, or
        ``local``: see `gdfit.data.reduction.dask`.

    Raises
    ------
    GdfitError : a file can't be read or used; it names the line and the column.
    """
    chosen = None if features is None else several(features)
    selection = Selection(chosen, target, several(exclude), degree, weights, intercept)
    dataset = Dataset(expanded(files), selection, dialect or Dialect())
    if dask is None:
        return dataset.observations(seed, keep_rows=keep_rows)
    from gdfit.data.reduction.dask import Cluster

    with Cluster(dask) as cluster:
        return replace(dataset, cluster=cluster).observations(seed, keep_rows=keep_rows)
