"""What has to be known of data files before they are cut into parts: see `gdfit.data.units`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from gdfit.data.csv_file import CsvFile
from gdfit.data.dialect import Dialect
from gdfit.data.layout import Layout
from gdfit.data.opening import open_file
from gdfit.errors import GdfitError

UNIT_BYTES = 1 << 22  # larger ones cost more memory, smaller ones more folds


@dataclass(frozen=True)
class Form:
    """What has to be known of a file before it is cut.

    size : in bytes, as it is stored; None where that can't be known.
    is_cut : whether it can be read from anywhere, and not from its start only, as what is
        compressed.
    is_small : whether it goes by the plain reader: see `CsvFile`.
    groups : how many row groups it has, if it is Parquet.
    """

    path: str
    name: str
    layout: Layout
    size: int | None
    is_cut: bool
    is_small: bool = False
    groups: int | None = None

    def like(self, first: Form) -> Form:
        """This file, without a header, with the names of the columns of the `first` one."""
        names, named = first.layout.names, first.layout.named
        return replace(self, layout=replace(self.layout, names=names, named=named))

    def units(self, unit_bytes: int) -> int:
        """How many units it has, if it is cut."""
        if self.groups is not None:
            return self.groups
        return -(-(self.size or 0) // unit_bytes)

    def bytes_of(self, part: Range, unit_bytes: int) -> int:
        """How many bytes there are in these units, about."""
        size = self.size or 0
        if part.stop is None:
            return size
        units = self.units(unit_bytes)
        return size * min(part.stop, units) // units - size * part.first // units


class Range(NamedTuple):
    """Units of a file: from `first` up to `stop`, or all of a file that can't be cut."""

    first: int = 0
    stop: int | None = None


class NoPartsError(GdfitError):
    """A file's format can't be read in parts."""


def survey(path: str, dialect: Dialect) -> Form:
    """The form of the file at `path`.

    Raises
    ------
    NoPartsError : it can't be read in parts.
    GdfitError : it can't be read, or is no data.
    """
    with open_file(path, dialect) as file:
        if isinstance(file, CsvFile):
            source = file.source
            size = source.stored.size
            is_cut = source.stored.from_anywhere and size is not None and not source.is_compressed
            return Form(path, file.name, file.layout, size, is_cut, file.is_small)
        from gdfit.data.parquet_file import ParquetFile

        if not isinstance(file, ParquetFile):
            raise NoPartsError("its format can't be read in parts, as `dask` does", file=path)
        groups = file.table.metadata.num_row_groups
        # What is downloaded for one row group would be downloaded for each.
        is_cut = file.size is not None and groups > 0
        return Form(path, file.name, file.layout, file.size, is_cut, groups=groups)


def ranges(form: Form, unit_bytes: int, at_once: int) -> list[Range]:
    """The ranges of a file's units, `at_once` in each but the last; one for all that can't be
    cut."""
    if not form.is_cut:
        return [Range()]
    units = form.units(unit_bytes)
    return [Range(first, min(first + at_once, units)) for first in range(0, units, at_once)]
