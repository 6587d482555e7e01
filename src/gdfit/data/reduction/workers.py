"""What it takes to condense on a cluster: a connection to Dask, to a scheduler that is there or to
one that is started on this machine; and files cut into ranges of units, for many readers, each of
which finds the units that one reader would.

In text, a unit is the rows that start in one stretch of bytes: see `gdfit.data.text.blocks`. In
Parquet and the like it is a row group.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple

from gdfit.data.batch import DataFile
from gdfit.data.formats.arrow_files import ArrowFile
from gdfit.data.formats.formats import open_file
from gdfit.data.reduction import tree
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.sources.source import BLOCK_BYTES, Source, open_stored
from gdfit.data.text.blocks import StraddledError, Unit, UnitCutter
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import RowError
from gdfit.data.text.header import Layout
from gdfit.errors import GdfitError, listing
from gdfit.system import keep_blocks

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
SILENT = logging.CRITICAL + 1


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Dask from writing to standard error: what is wrong is said in words of our own."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(SILENT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def address_of(address: str) -> str:
    """The scheduler's address, which may be in a scheduler's file."""
    if not address.endswith(".json"):
        return address
    try:
        return str(json.loads(Path(address).read_text())["address"])
    except FileNotFoundError:
        raise GdfitError("no such file (dask scheduler writes it)", file=address) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise GdfitError("is no file of a Dask scheduler", file=address) from None


@contextmanager
def client_of(address: str, timeout: float) -> Iterator[Client]:
    """A client of the scheduler at this address, or in this file, or of a `LOCAL` one, closed in
    the end.

    Raises
    ------
    GdfitError : there is no scheduler within `timeout` seconds, no key to speak to it, or no Dask.
    """
    if find_spec("distributed") is None:
        raise GdfitError("`dask` needs Dask: pip install 'gdfit[dask]'")
    if address == LOCAL:
        with local_client() as client:
            yield client
        return
    address = address_of(address)
    from distributed import Client
    from distributed.security import Security

    # Dask fails by a TypeError, after which its client takes 20 seconds to end.
    if address.startswith("tls://") and not Security().get_connection_args("client")["ssl_context"]:
        raise GdfitError(
            f"{address} needs TLS, and Dask's settings here (distributed.comm.tls) name no key"
        )
    try:
        client = Client(address, timeout=timeout, set_as_default=False, name="gdfit")
    except (OSError, ValueError, ImportError):
        what = f"there is no Dask scheduler at {address}: start one with dask scheduler"
        raise GdfitError(f"{what}, and name its address in `dask`") from None
    try:
        yield client
    finally:
        client.close(timeout=2)


@contextmanager
def local_client(timeout: float = 60) -> Iterator[Client]:
    """A client of workers on this machine, one for each processor, which end with it.

    They are in a session of their own, so that Ctrl-C is not theirs, and are killed in the end,
    whatever they are doing. Should this process be killed, they end by themselves after a while.
    """
    with tempfile.TemporaryDirectory(prefix="gdfit-", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "scheduler.json")
        both = ["--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1"]
        number = ["--nworkers", str(os.cpu_count() or 1), "--nthreads", "1"]
        settings = {
            "DASK_TEMPORARY_DIRECTORY": folder,
            "DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT": "60s",
        }
        with (
            process("dask_scheduler", [*both, "--port", "0"], settings),
            process("dask_worker", [*both, *number, "--death-timeout", "60"], settings),
            client_of(awaited_address(str(file), timeout), timeout) as client,
        ):
            yield client


def awaited_address(file: str, timeout: float) -> str:
    """The address in a scheduler's file that is still to be written, or that is being written."""
    give_up = time.monotonic() + timeout
    while True:
        try:
            return address_of(file)
        except GdfitError:
            if time.monotonic() > give_up:
                raise GdfitError("Dask's scheduler does not start on this machine") from None
        time.sleep(0.02)


@contextmanager
def process(command: str, arguments: list[str], settings: dict[str, str]) -> Iterator[None]:
    """One of Dask's commands as a process that is killed in the end, with all that it has
    started."""
    import psutil

    started = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{command}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **settings},
    )
    try:
        yield
    finally:
        children = psutil.Process(started.pid).children(recursive=True)
        started.kill()  # first, so that it starts none of them again
        started.wait()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def check_versions(client: Any, version: str) -> None:
    """Raise where workers have another gdfit, or none."""
    found = client.run(resolve_name, "gdfit:__version__", on_error="return")
    without = [name for name, other in found.items() if not isinstance(other, str)]
    if without:
        names = listing(tuple(without), 3)
        raise GdfitError(f"there is no gdfit on {len(without)} of {len(found)} workers: {names}")
    others = [f"{name} has {other}" for name, other in found.items() if other != version]
    if others:
        what = f"this is gdfit {version}, and of {len(found)} workers {listing(tuple(others), 3)}"
        raise GdfitError(f"{what}: install the same everywhere")


@dataclass(frozen=True)
class Extent:
    """What has to be known of a file before it is cut.

    size : in bytes, as it is stored; None where that can't be known.
    is_cut : whether it can be read from anywhere, and not from its start only, as what is
        compressed.
    is_small : whether it goes by the plain reader: see `CsvFile`.
    groups : how many row groups it has, if it has such.
    """

    path: str
    name: str
    layout: Layout
    size: int | None
    is_cut: bool
    is_small: bool = False
    groups: int | None = None

    def units(self, unit_bytes: int) -> int:
        """How many units it has, if it is cut."""
        return -(-(self.size or 0) // unit_bytes) if self.groups is None else self.groups

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


def survey(path: str, dialect: Dialect) -> Extent:
    """The extent of the file at `path`.

    Raises
    ------
    GdfitError : it can't be read, or not in parts, or is no data.
    """
    with open_file(path, dialect) as file:
        if isinstance(file, CsvFile):
            source = file.source
            size = source.stored.size
            is_cut = source.stored.from_anywhere and size is not None and not source.is_compressed
            return Extent(path, file.name, file.layout, size, is_cut, file.is_small)
        if not isinstance(file, ArrowFile):
            raise GdfitError("its format can't be read in parts, as `dask` does", file=path)
        groups = file.table.groups
        # What is downloaded for one row group would be downloaded for each.
        is_cut = file.size is not None and groups > 0
        return Extent(path, file.name, file.layout, file.size, is_cut, groups=groups)


def ranges(extent: Extent, unit_bytes: int, at_once: int) -> list[Range]:
    """The ranges of a file's units, `at_once` in each but the last; one for all that can't be
    cut."""
    if not extent.is_cut:
        return [Range()]
    units = extent.units(unit_bytes)
    return [Range(first, min(first + at_once, units)) for first in range(0, units, at_once)]


@contextmanager
def opened_range(
    extent: Extent, dialect: Dialect, part: Range, unit_bytes: int
) -> Iterator[tuple[DataFile, Iterator[Unit]]]:
    """A file, and the units of a range of it, each to be read before the next one. Lines are
    counted from the start of the range.

    Raises
    ------
    StraddledError : the range ends in quotes, or a row seems to go on and on.
    GdfitError : the file can't be read.
    """
    if part.stop is None or extent.groups is not None:
        with open_file(extent.path, dialect, unit_bytes=unit_bytes) as file:
            if isinstance(file, CsvFile):
                file = replace(file, layout=extent.layout)
            elif isinstance(file, ArrowFile):
                file = replace(file, groups=range(extent.groups or 0)[part.first : part.stop])
            yield file, file.units()
        return
    layout = extent.layout
    begin = max(layout.start, part.first * unit_bytes - 1)
    stored = open_stored(extent.path, begin)
    with stored.file:
        source = Source(extent.name, stored.file, stored, ())

        def read(size: int) -> bytes:
            return source.read(min(size, BLOCK_BYTES))

        def units() -> Iterator[Unit]:
            try:
                yield from cutter.units(part.first, part.stop)
            except RowError:  # it may begin in quotes
                raise StraddledError from None

        cutter = UnitCutter(read, layout.grammar, begin, layout.line, unit_bytes=unit_bytes)
        if part.first * unit_bytes > layout.start:
            cutter.skip_line()
        lenient = dialect.skip_broken
        yield CsvFile(source, layout, b"", extent.is_small, skip_broken=lenient), units()


@dataclass(frozen=True, eq=False)
class Work:
    """All that workers have to know.

    extents : of the files, as they were given.
    dialect : how they are written.
    job : what is to be made of them.
    unit_bytes : the size of a unit.
    """

    extents: tuple[Extent, ...]
    dialect: Dialect
    job: tree.Job
    unit_bytes: int

    @cached_property
    def ranks(self) -> list[int]:
        """Of each file, its place among the files in the order of their names."""
        return tree.file_ranks([extent.name for extent in self.extents])


def condense(work: Work, number: int, part: Range) -> tree.Outcome:
    """What these units of the file of this number come to.

    Raises
    ------
    GdfitError : the data can't be used; the line is told of what is read from the start alone.
    StraddledError, LevelError : see `opened_range` and `Levels`.
    """
    keep_blocks()
    extent, rank = work.extents[number], work.ranks[number]
    branch = tree.Tree()
    with opened_range(extent, work.dialect, part, work.unit_bytes) as (file, units):
        maker = work.job.recipe.maker(file)
        for unit in units:
            leaf = tree.Leaf(file, maker, unit, tree.Spot(rank, number, unit.number))
            branch.add(unit.number, tree.outcome_of(work.job, leaf))
    return branch.result()


def find_level_fault(work: Work) -> None:
    """Read all files in their order, as one machine does, up to the row with one level too many.

    Raises
    ------
    GdfitError : for that row.
    """

    def files() -> Iterator[DataFile]:
        for extent in work.extents:
            with opened_range(extent, work.dialect, Range(), work.unit_bytes) as (file, _):
                yield file

    tree.reduce_files(files(), work.job, [extent.name for extent in work.extents])
