"""Data files opened by what they are, which they say in their first bytes and not in their name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from gdfit.data.data_file import DataFile, Progress, Stored, scheme_of
from gdfit.data.formats.archives import is_workbook, member_of
from gdfit.data.formats.arrow_files import Arrow, Parquet, arrow_in, in_any_order, refuse_options
from gdfit.data.formats.objects import objects_in
from gdfit.data.formats.other_kinds import refuse_other_kinds
from gdfit.data.formats.sheets import sheet_in
from gdfit.data.formats.statistics import SAS, SPSS, STATA, XPORT, frame_in
from gdfit.data.sources.csv_file import Suits, csv_in
from gdfit.data.sources.source import ARROW, PARQUET, Source, open_source
from gdfit.data.text.blocks import UNIT_BYTES
from gdfit.data.text.dialect import Dialect

Reader = Callable[[Source, Dialect, Progress | None], AbstractContextManager[DataFile]]

# Formats other than CSV, by a pattern of the bytes that they start with.
READERS: dict[bytes, Reader] = {
    PARQUET: partial(arrow_in, Parquet),
    ARROW: partial(arrow_in, Arrow),
    rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*[\"}]|\[\s*[{[\]])": objects_in,
    rb"\xd0\xcf\x11\xe0": sheet_in,  # Excel's until 2003
    rb"<stata_dta>|[\x66-\x73][\x01\x02]\x01\x00": partial(frame_in, STATA),
    rb"\0{12}\xc2\xea\x81\x60": partial(frame_in, SAS),
    rb"HEADER RECORD\*{7}LIB": partial(frame_in, XPORT),
    rb"\$FL[23]": partial(frame_in, SPSS),
}
ZIP = b"PK\3\4"


@contextmanager
def open_file(
    path: str,
    dialect: Dialect,
    progress: Progress | None = None,
    *,
    unit_bytes: int = UNIT_BYTES,
    suits: Suits | None = None,
) -> Iterator[DataFile]:
    """Open the data file at a path or URL (``-`` for standard input) and find its columns. The
    rows of a pipe are taken as they come once the layout of the first ones `suits`.

    Raises
    ------
    GdfitError : it can't be read, or is no data.
    """
    with open_source(path) as source:
        if progress and scheme_of(path):
            progress.opened(source.stored.size)
        with opened(source, dialect, progress, unit_bytes, suits) as file:
            yield file


@contextmanager
def opened(
    source: Source,
    dialect: Dialect,
    progress: Progress | None,
    unit_bytes: int,
    suits: Suits | None,
) -> Iterator[DataFile]:
    """The data file in `source`: see `open_file`."""
    start = source.start
    for mark, reader in READERS.items():
        if re.match(mark, start):
            with reader(source, dialect, progress) as file:
                yield file
            return
    if start.startswith(ZIP):
        with in_any_order(source, progress) as stored:
            held: Any = stored
            archive = Source(source.name, held, Stored(held, None), ())
            if is_workbook(archive):
                with sheet_in(archive, dialect, progress) as file:
                    yield file
            else:
                with (
                    member_of(archive) as member,
                    opened(member, dialect, progress, unit_bytes, suits) as file,
                ):
                    yield file
        return
    refuse_other_kinds(start, source.name)
    refuse_options(dialect, ("sheet",), f"{source.name} is text")
    yield csv_in(source, dialect, progress, unit_bytes, suits)
