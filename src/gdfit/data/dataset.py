"""From data files to observations, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TypeVar

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.columns import Columns, advice, choose_columns, nothing_left
from gdfit.data.condense import Condenser
from gdfit.data.csv_file import CsvFile
from gdfit.data.data_file import DataFile, Watcher
from gdfit.data.dialect import Dialect
from gdfit.data.finding import find_columns
from gdfit.data.levels import Levels
from gdfit.data.making import RowMaker
from gdfit.data.observations import Observations
from gdfit.data.opening import open_file, open_text
from gdfit.data.rows import RowBuffer, rows_at_once
from gdfit.data.selection import Selection
from gdfit.data.source import BLOCK_BYTES
from gdfit.errors import FieldError, GdfitError, NoObservationsError, UsageError, listing

File = TypeVar("File", bound=DataFile)

SPLITTING = 2  # the split's own stream of random numbers


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
    """

    files: tuple[str, ...]
    selection: Selection = field(default_factory=Selection)
    dialect: Dialect = field(default_factory=Dialect)
    watcher: Watcher | None = None
    block_bytes: int = BLOCK_BYTES
    memory: int | None = None
    columns: Columns | None = None

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
        levels = Levels(columns.expansion)

        def blocks() -> Iterator[FloatArray]:
            empty = True
            with closing(files):
                for file in chain([first], files):
                    for block in self.blocks_of(file, columns, levels):
                        empty = False
                        yield block
            if empty:
                dropped = nothing_left(first.layout, columns) if self.dialect.drop_missing else ""
                if columns.weights is not None:
                    dropped = dropped or " with a weight above 0"
                raise NoObservationsError(dropped, file=self.name)

        return columns, levels, blocks()

    def blocks_of(self, file: DataFile, columns: Columns, levels: Levels) -> Iterator[FloatArray]:
        """The rows of one file; a field that can't be used is an error that says what to type."""
        places = find_columns(file.layout, file.name, columns.names, needed=False)
        maker = RowMaker(
            columns.expansion,
            levels,
            dict(zip(columns.names, places, strict=True)),
            columns.made_target,
            columns.weights,
        )
        try:
            yield from maker.all_rows(file)
        except FieldError as fault:
            raise fault.saying(advice(fault, file.layout, columns, self.selection)) from None

    def observations(self, seed: int = 0, *, keep_rows: bool = False) -> Observations:
        """The observations, condensed: see `read_observations`."""
        return self._read(seed, keep_rows=keep_rows)[1]

    def _read(self, seed: int, *, keep_rows: bool) -> tuple[Columns, Observations]:
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
        columns, levels, blocks = self.rows()
        kept, held_out = (
            Condenser(columns, seed, keep_rows=keep_rows, memory=self.memory, levels=levels)
            for _ in range(2)
        )
        hold_out = HoldOut(fraction, columns.width, seed, kept, held_out)
        for block in blocks:
            hold_out.add(block)
        hold_out.finish()
        if not kept.count:
            rows = "1 row" if held_out.count == 1 else f"{held_out.count} rows"
            raise GdfitError(
                f"holding out {fraction:g} of {rows} for validation leaves none to train on",
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
        columns, observations = self._read(seed, keep_rows=keep_rows)
        if validation is None:
            return observations, None
        columns = replace(columns, known=observations.expansion)
        other = replace(self, files=(validation,), columns=columns)
        return observations, other.observations(keep_rows=keep_rows)

    @property
    def name(self) -> str:
        """The first file's name, for messages."""
        return "standard input" if self.files[0] == "-" else self.files[0]


class HoldOut:
    """Deals rows out to two condensers: to train on, and held out for validation.

    Of the first n rows, max(1, round(fraction · n)) are held out, at the end of each group of rows
    of a fixed size: so is their number in all, though how many rows there will be is not known, and
    how they are cut into blocks makes no difference. Which of a group comes from the seed, any as
    likely as any other. `round` is Python's, to the even number where two are as near.
    """

    def __init__(
        self, fraction: float, columns: int, seed: int, kept: Condenser, held_out: Condenser
    ) -> None:
        self._fraction = fraction
        self._kept, self._held_out = kept, held_out
        self._random = np.random.default_rng([seed, SPLITTING])
        self._rows = RowBuffer(rows_at_once(columns), columns, self._deal)
        self.add = self._rows.add
        self.finish = self._rows.flush

    def _deal(self, rows: FloatArray) -> None:
        count = self._kept.count + self._held_out.count + len(rows)
        wanted = max(1, round(self._fraction * count)) - self._held_out.count
        held_out = np.zeros(len(rows), dtype=bool)
        held_out[self._random.choice(len(rows), wanted, replace=False, shuffle=False)] = True
        self._kept.add(rows[~held_out])
        self._held_out.add(rows[held_out])


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
) -> Observations:
    """Read the observations in one or several data files, condensed: see `gdfit.data.condense`.

    Parameters
    ----------
    files : the files' paths or URLs, compressed or not; ``-`` is standard input. Several files are
        one data set, and must have the same columns.
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

    Raises
    ------
    GdfitError : a file can't be read or used; it names the line and the column.
    """
    chosen = None if features is None else several(features)
    selection = Selection(chosen, target, several(exclude), degree, weights, intercept)
    dataset = Dataset(files, selection, dialect or Dialect())
    return dataset.observations(seed, keep_rows=keep_rows)


def several(names: Sequence[str] | str) -> tuple[str, ...]:
    """Names, of which one may be given by itself."""
    return (names,) if isinstance(names, str) else tuple(names)


def made_like(first: File, file: File) -> File:
    """`file`, with the names of the columns of `first` if it has no header of its own."""
    names, others = first.layout.names, file.layout.names
    if len(names) != len(others) or (file.layout.named and set(names) != set(others)):
        raise GdfitError(
            f"its columns ({listing(others)}) are not those of {first.name} ({listing(names)})",
            file=file.name,
        )
    return file if file.layout.named else file.like(first)
