"""Data files opened by what they are, which they say in their first bytes and not in their name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from gdfit.data.data_file import (
    CONDENSED,
    WITHOUT_ROWS,
    DataFile,
    Progress,
    Stored,
    scheme_of,
)
from gdfit.data.formats.other_kinds import refuse_other_kinds
from gdfit.data.sources.csv_file import Suits, csv_in
from gdfit.data.sources.source import ARROW, PARQUET, Source, open_source
from gdfit.data.text.blocks import UNIT_BYTES
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError

Opening = AbstractContextManager[DataFile]
Reader = Callable[[Source, Dialect, Progress | None], Opening]


def arrow(kind: str, source: Source, dialect: Dialect, progress: Progress | None) -> Opening:
    """The table in `source`, whose columns Arrow has given types."""
    from gdfit.data.formats.arrow_files import KINDS, arrow_in

    return arrow_in(KINDS[kind], source, dialect, progress)


def objects(source: Source, dialect: Dialect, progress: Progress | None) -> Opening:
    """The table in `source`, which is JSON."""
    from gdfit.data.formats.objects import objects_in

    return objects_in(source, dialect, progress)


def sheet(source: Source, dialect: Dialect, progress: Progress | None) -> Opening:
    """The table in `source`, which is a workbook."""
    from gdfit.data.formats.sheets import sheet_in

    return sheet_in(source, dialect, progress)


def statistics(
    program: str, source: Source, dialect: Dialect, progress: Progress | None
) -> Opening:
    """The table in `source`, which is of a program for statistics."""
    from gdfit.data.formats.statistics import PROGRAMS, frame_in

    return frame_in(PROGRAMS[program], source, dialect, progress)


def refuse_condensed(source: Source, dialect: Dialect, progress: Progress | None) -> Opening:
    """Raise: it is what gdfit condenses data to."""

    raise GdfitError(WITHOUT_ROWS, file=source.name)


# Formats other than CSV, by the bytes that they start with; those of text, without its blanks.
READERS: dict[bytes, Reader] = {
    CONDENSED: refuse_condensed,
    PARQUET: partial(arrow, "Parquet"),
    ARROW: partial(arrow, "Arrow"),
    **dict.fromkeys((b'{"', b"{}", b"[{", b"[[", b"[]"), objects),
    b"\xd0\xcf\x11\xe0": sheet,  # Excel's until 2003
    b"<stata_dta>": partial(statistics, "Stata"),
    **{
        b"%c%c\1" % (version, order): partial(statistics, "Stata")
        for version in range(102, 116)
        for order in (1, 2)
    },
    b"\0" * 12 + b"\xc2\xea\x81\x60": partial(statistics, "SAS"),
    b"HEADER RECORD*******LIB": partial(statistics, "XPORT"),
    b"$FL2": partial(statistics, "SPSS"),
    b"$FL3": partial(statistics, "SPSS"),
}
START_BYTES = 512
BLANKS_OF_TEXT = b" \t\r\n\xef\xbb\xbf\xff\xfe\0"  # and what says or shows an encoding
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


def is_text_with_mark(source: Source) -> bool:
    """Whether a text begins with Parquet's mark, which has it at the end, too, and no text
    between."""
    after = source.start[len(PARQUET) :][:1]
    return after >= b" " and source.tail(len(PARQUET)) != PARQUET


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
    without_blanks = start[:START_BYTES].translate(None, BLANKS_OF_TEXT)
    for mark, reader in READERS.items():
        if mark == PARQUET and is_text_with_mark(source):
            continue
        if start.startswith(mark) or without_blanks.startswith(mark):
            with reader(source, dialect, progress) as file:
                yield file
            return
    if start.startswith(ZIP):
        from gdfit.data.formats.archives import is_workbook, member_of

        with source.in_any_order(progress) as stored:
            held: Any = stored
            archive = Source(source.name, held, Stored(held, None), ())
            if is_workbook(archive):
                with sheet(archive, dialect, progress) as file:
                    yield file
            else:
                with (
                    member_of(archive) as member,
                    opened(member, dialect, progress, unit_bytes, suits) as file,
                ):
                    yield file
        return
    refuse_other_kinds(start, source.name)
    dialect = dialect.without(("sheet",), f"{source.name} is text")
    yield csv_in(source, dialect, progress, unit_bytes, suits)
