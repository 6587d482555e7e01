"""From data files to observations, in one pass."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdfit.data.batch import FEW_BYTES, DataFile, LaidOut, Level, Progress
from gdfit.data.formats.formats import open_file
from gdfit.data.observations import Like, Observations, as_folds, held_out_of, selection_of
from gdfit.data.reduction.condense import Condense, Place
from gdfit.data.reduction.sampling import Dealing, Folds, HoldOut, Whole
from gdfit.data.reduction.tree import FindLevels, Job, Outcome, reduce_files
from gdfit.data.sources.csv_file import CsvFile, Suits
from gdfit.data.sources.stores import WITHOUT_ROWS, expanded, is_condensed, name_of_file
from gdfit.data.terms.columns import Chosen, Columns, OneClassError, check_classes, choose_columns
from gdfit.data.terms.lookup import made_like, remarks_on
from gdfit.data.text.blocks import UNIT_BYTES
from gdfit.data.text.dialect import Dialect, Selection, several
from gdfit.errors import (
    FieldError,
    GdfitError,
    NoObservationsError,
    UsageError,
    printable,
    warn,
)

if TYPE_CHECKING:
    from distributed import Client

    from gdfit.data.reduction.condensed_file import CondensedFile
    from gdfit.data.reduction.dask import Cluster
    from gdfit.data.sources.frames import FrameFile


@dataclass(frozen=True, eq=False)
class Dataset:
    """Data files, or columns in memory, and what is asked of them.

    files : the files' paths or URLs, compressed or not; ``-`` is standard input. Several files are
        one data set, and must have the same columns.
    selection : which columns.
    dialect : how the files are written.
    progress : is told how reading them goes.
    columns : the columns that have been chosen before, in another data set, with their levels; by
        default they are chosen by the `selection`.
    cluster : whose workers are to read the files; by default, this machine does.
    unit_bytes : the size of the units that are read by themselves: see `gdfit.data.text.blocks`.
    keep_most : how many bytes of rows to keep where all are not asked for.
    on_start : is called when the reading has begun, for what can be done beside it.
    frame : columns in memory, in place of files.
    like : what has the features that the columns are to be made, of the same levels.
    """

    files: tuple[str, ...]
    selection: Selection = field(default_factory=Selection)
    dialect: Dialect = field(default_factory=Dialect)
    progress: Progress | None = None
    columns: Columns | None = None
    cluster: Cluster | None = None
    unit_bytes: int = UNIT_BYTES
    keep_most: int = 0
    on_start: Callable[[], None] = lambda: None
    frame: FrameFile | None = None
    like: Like | None = None

    def open_files(self, suits: Suits | None = None) -> Generator[DataFile]:
        """The files, each opened after the one before has been read; the rows of a pipe
        are taken as they come once the layout of the first ones `suits`.

        The order of their columns may differ. A file without a header, as `split` makes them, has
        its columns in the first one's order.
        """
        if self.frame:
            yield self.frame
        elif not self.files:
            raise UsageError("there is no file to read")
        first: DataFile | None = None
        for path in self.files:
            size, dialect = self.unit_bytes, self.dialect
            if first:  # whose columns are written so
                dialect = replace(dialect, known=(*dialect.known, *first.layout.spellings))
            opened = open_file(path, dialect, self.progress, unit_bytes=size, suits=suits)
            with opened as file:
                self.note(file)
                yield made_like(first, file) if first else file
                if isinstance(file, CsvFile) and (remark := file.last_remark):
                    self.tell(f"{printable(file.name)}: {remark}")
            first = first or file

    def note(self, *files: LaidOut) -> None:
        """Tell what is done with these files beyond the plain reading."""
        for file in files:
            for remark in file.layout.notes:
                self.tell(f"{printable(file.name)}: {remark}")
            for column in file.layout.nameless:
                self.tell(f"a column has no name, and is left out: `features` {column} uses it")

    def tell(self, remark: str) -> None:
        """Tell what is done beyond the plain reading: who follows the reading, or as a warning."""
        if self.progress:
            self.progress.noted(remark)
        else:
            warn(remark)

    def open_texts(self, suits: Suits) -> Iterator[CsvFile]:
        """The files as CSV, for their rows as they stand, and as they come: see `open_files`."""
        from gdfit.data.formats.written import as_text

        return map(as_text, self.open_files(suits))

    def lines_at(self, places: Sequence[Place]) -> dict[Place, str]:
        """What a person calls the rows at these places in the data: ``24``, the line, or ``row 23``
        where there are no lines; of several files ``2:24``. It takes another reading, up to the
        last of them, and there is nothing where that can't be, as of a pipe."""
        found: dict[Place, str] = {}
        wanted = sorted(places, reverse=True)
        with (
            suppress(GdfitError),
            warnings.catch_warnings(),
            closing(replace(self, progress=None).open_files()) as files,
        ):
            warnings.simplefilter("ignore")  # what is to be said was said in the first reading
            for number, file in enumerate(files):
                for unit in file.units() if wanted and wanted[-1][0] == number else ():
                    while wanted and wanted[-1][:2] == (number, unit.number):
                        fault = file.fault_in(unit, wanted[-1][2], 0, "")
                        before = f"{number + 1}:" * (len(self.files) > 1)
                        said = str(fault.line) if fault.line else f"row {fault.row}"
                        found[wanted.pop()] = f"{before}{said}"
                    if not wanted or wanted[-1][0] > number:
                        break
        return found

    def reduced(self, job_for: Callable[[LaidOut], Job]) -> Any:
        """What all rows come to, by the job that is made for the first file.

        Files that have been written to meanwhile are read once more.
        """
        return self._reduced(job_for)[0]

    def _reduced(self, job_for: Callable[[LaidOut], Job]) -> tuple[Any, Outcome]:
        grouped: list[bool] = []

        def job_of(first: LaidOut) -> Job:
            job = job_for(first)
            columns = job.recipe.columns
            grouped.append(columns.expansion.by is not None)
            for remark in remarks_on(first.layout, columns.names, columns.expansion.texts):
                self.tell(remark)
            return job

        if self.cluster:
            self.on_start()
            result, found = self.cluster.reduce(
                self.files, self.dialect, job_of, self.progress, self.note
            )
        else:
            before = [*map(identity, self.files)]
            try:
                result, found = self._reduced_here(job_of)
            except GdfitError:
                if [*map(identity, self.files)] == before:
                    raise
            if [*map(identity, self.files)] != before:
                result, found = self._reduced_here(job_of)
        if self.progress:
            self.progress.missed(found.missed)
        if found.remark:
            self.tell(found.remark)
        if found.unseen:
            rows = "1 row" if found.unseen == 1 else f"{found.unseen} rows"
            has = "with a level that training has not seen"
            self.tell(f"skipped {rows} {'of a group without a model' if any(grouped) else has}")
        return result, found

    def _reduced_here(self, job_for: Callable[[LaidOut], Job]) -> tuple[Any, Outcome]:
        with closing(self.open_files()) as files:
            first = next(files)
            names = [*map(name_of_file, self.files)] or [self.name]
            return reduce_files(chain([first], files), job_for(first), names, self.on_start)

    def observations(self, seed: int = 0, *, keep_rows: bool = False) -> Observations:
        """The observations, condensed: see `read_observations`."""
        if stored := self.stored:
            self.refuse_rows(keep_rows=keep_rows)
            return self._selected([file.whole for file in stored])
        return self._whole(seed, keep_rows=keep_rows)[1]

    @cached_property
    def stored(self) -> list[CondensedFile]:
        """What the files have that were condensed; nothing where they are data.

        Raises
        ------
        GdfitError : only some of them were condensed, or one is damaged.
        """
        condensed = [*filter(is_condensed, self.files)]
        if not condensed:
            return []
        from gdfit.data.reduction.condensed_file import read_condensed

        found = [*map(read_condensed, condensed)]
        if found and len(found) < len(self.files):
            other = next(file for file in self.files if file not in condensed)
            what = f"has been condensed, and not all of the others: {name_of_file(other)} has not"
            raise GdfitError(f"{condensed[0]} {what}")
        if found and self.dialect != Dialect():
            raise UsageError(f"{self.name} has been condensed: how data are written has no effect")
        return found

    def _selected(self, parts: Sequence[Observations]) -> Observations:
        """What the selection is of these parts of condensed files."""
        from gdfit.data.reduction.condensed_file import joined_parts, selected

        return selected(joined_parts(parts, self.files), self.selection, self.name)

    def refuse_rows(self, *, keep_rows: bool) -> None:
        """Raise where rows are needed that have been condensed, or workers that have none."""
        if keep_rows or self.cluster:
            raise UsageError(f"{self.name} {WITHOUT_ROWS}")

    def _whole(self, seed: int, *, keep_rows: bool) -> tuple[Columns, Observations]:
        columns, (found,) = self.condensed(seed, None, keep_rows=keep_rows)
        assert found is not None
        return columns, found

    def split(
        self, fraction: float, seed: int = 0, *, keep_rows: bool = False
    ) -> tuple[Observations, Observations]:
        """The observations without a `fraction` of the rows, and these, held out for validation:
        see `HoldOut`."""
        _, piles = self.condensed(seed, HoldOut(fraction, seed), keep_rows=keep_rows)
        return held_out_of(piles, fraction, self.name)

    def folded(
        self, folds: int, seed: int = 0, *, keep_rows: bool = False, whole: Whole = "together"
    ) -> tuple[Observations, list[Observations]]:
        """The observations, and those of each of so many folds: see `Folds`."""
        of_all: Observations | None
        parts: Sequence[Observations | None]
        if stored := self.stored:
            self.refuse_rows(keep_rows=keep_rows)
            if any(len(file.folds) != folds for file in stored):
                has = len(stored[0].folds)
                what = f"has been condensed with {has or 'no'} folds"
                what += f": to have {folds}, condense the data with `cv` {folds}"
                raise GdfitError(what, file=self.name)
            by_fold = zip(*(file.folds for file in stored), strict=True)
            parts, of_all = [*map(self._selected, by_fold)], self.observations()
        else:
            dealing = Folds(folds, seed, whole)
            _, piles = self.condensed(seed, dealing, keep_rows=keep_rows)
            parts, of_all = piles[:-1], piles[-1]
        assert of_all
        together, found = as_folds(parts, of_all)
        return (of_all if whole == "apart" else together), found

    def condensed(
        self, seed: int, dealing: Dealing | None, *, keep_rows: bool
    ) -> tuple[Columns, list[Observations | None]]:
        """The columns of the fit, and the observations of each pile that rows are dealt to."""
        if keep_rows and self.cluster:
            raise UsageError(
                "`dask` condenses the rows where they are read, which is enough for `loss` "
                "mse; other losses and `batch_size` need the rows themselves"
            )
        try:
            return self._dealt(seed, dealing, keep_rows=keep_rows)
        except OneClassError as error:
            if self.selection.levels:
                raise
            alone = error
        can_read_again = "-" not in self.files

        def with_levels(levels: frozenset[Level]) -> tuple[Columns, list[Observations | None]]:
            known = replace(self, selection=replace(self.selection, levels=levels))
            return known._dealt(seed, dealing, keep_rows=keep_rows)

        if alone.level in (0, 1):  # which one may try without reading all rows before
            try:
                return with_levels(frozenset({0, 1}))
            except FieldError as error:
                if error.column != alone.category.column or not can_read_again:
                    raise
        elif not can_read_again:
            raise alone
        return with_levels(self.reduced(lambda first: FindLevels(alone.category)))

    def _dealt(
        self, seed: int, dealing: Dealing | None, *, keep_rows: bool
    ) -> tuple[Columns, list[Observations | None]]:
        used: list[tuple[Columns, NoObservationsError]] = []

        def job_for(first: LaidOut) -> Condense:
            columns = self.columns or choose_columns(first.layout, first.name, self.selection)
            columns = columns if self.like is None else columns.made_as(self.like)
            recipe = Chosen(columns, self.selection, self.dialect.drop_missing)
            used[:] = [(columns, recipe.nothing_left(first.layout, self.name))]
            few = 0 if self.cluster else self.keep_most
            return Condense(recipe, seed, dealing, math.inf if keep_rows else few)

        piles: list[Observations | None]
        piles, outcome = self._reduced(job_for)
        ((columns, none),) = used
        if not any(piles):
            raise none
        check_classes(columns, (pile.target for pile in piles if pile), outcome.others, self.name)
        return columns, [pile and pile.naming(outcome.others) for pile in piles]

    def with_validation(
        self, validation: float | str | None, seed: int = 0, *, keep_rows: bool = False
    ) -> tuple[Observations, Observations | None]:
        """The observations to descend on, and those to validate on: a fraction of them that is held
        out, those of another file, or none."""
        if self.stored:
            self.refuse_rows(keep_rows=isinstance(validation, float) or keep_rows)
            observations = self.observations()
            if not isinstance(validation, str):
                return observations, None
            other = replace(self, files=(validation,))
            if not other.stored:
                other = replace(other, selection=selection_of(observations), like=observations)
            return observations, other.observations()
        if isinstance(validation, float):
            return self.split(validation, seed, keep_rows=keep_rows)
        columns, observations = self._whole(seed, keep_rows=keep_rows)
        if validation is None:
            return observations, None
        dialect = replace(self.dialect, known=columns.spellings)
        columns = replace(columns, expansion=observations.expansion or columns.expansion)
        other = replace(self, files=(validation,), columns=columns, dialect=dialect)
        return observations, other.observations(keep_rows=keep_rows)

    @property
    def name(self) -> str:
        """The first file's name, for messages."""
        return self.frame.name if self.frame else name_of_file(self.files[0])


def identity(path: str) -> tuple[int, ...]:
    """What is another one where the file at `path` is, or has been written to."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def read_observations(
    *files: str | PathLike[str],
    features: Sequence[str] | str | None = None,
    target: str | None = None,
    exclude: Sequence[str] | str = (),
    degree: int = 1,
    weights: str | None = None,
    intercept: bool = True,
    classes: bool = False,
    positive: str | None = None,
    by: str | None = None,
    formula: str | None = None,
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
    classes : whether the target has two values, of which one is y = 1 and the other y = 0, as the
        logistic loss takes it.
    positive : the value that is y = 1; by default the second in sorted order.
    by : the column whose values part the rows into groups, as `train_groups` fits them.
    formula : features and target in R's way, as ``log(y) ~ x + a*b``, in their place.
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
    what = (chosen, target, several(exclude), degree, weights, intercept, positive)
    selection = Selection(*what, classes or positive is not None, by, formula)
    dataset = Dataset(
        expanded(tuple(fspath(file) for file in files)),
        selection,
        dialect or Dialect(),
        keep_most=FEW_BYTES,
    )
    if dask is None:
        return dataset.observations(seed, keep_rows=keep_rows)
    from gdfit.data.reduction.dask import Cluster

    with Cluster(dask) as cluster:
        return replace(dataset, cluster=cluster).observations(seed, keep_rows=keep_rows)
