"""Zip archives: the one data file that is in one."""

from __future__ import annotations

import shlex
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from gdfit.data.data_file import BUFFER_BYTES
from gdfit.data.formats.other_kinds import typed_file
from gdfit.data.sources.source import Source, decompressed
from gdfit.errors import GdfitError, printable

if TYPE_CHECKING:
    from zipfile import ZipFile

# What begins the names of a workbook's parts: Excel's, OpenDocument's.
OF_WORKBOOKS = ("xl/", "content.xml")
# What else is a zip archive, by what begins the name of a part, and what it is.
OTHER_ARCHIVES = {
    "word/": "a document of Word: save its table as CSV",
    "ppt/": "slides of PowerPoint",
    "Index/": "a file of Apple's Numbers or Pages: export it as CSV or Excel",
    "META-INF/MANIFEST.MF": "a Java archive",
}
# A file beside the data, as a description is, is none of these.
DATA_NAMES = (
    ".csv .tsv .tab .txt .dat .data .json .jsonl .ndjson .parquet .feather .arrow .xls .xlsx .xlsm"
    " .xlsb .ods .dta .sas7bdat .xpt .sav .zsav .gz .bz2 .xz .zst"
)


@contextmanager
def zip_in(source: Source) -> Iterator[ZipFile]:
    """The archive in `source`; what is wrong with it is one line."""
    from zipfile import BadZipFile, ZipFile  # which takes 10 ms

    damage = (BadZipFile, zlib.error, EOFError, NotImplementedError)
    try:
        with ZipFile(cast(Any, source.text)) as archive:
            yield archive
    except damage as error:
        raise GdfitError(f"its zip archive can't be read: {error}", file=source.name) from None


def is_workbook(source: Source) -> bool:
    """Whether the archive in `source` is a workbook, which is then at its start again.

    Raises
    ------
    GdfitError : it is damaged, or another kind of document.
    """
    with zip_in(source) as archive:
        names = archive.namelist()
    source.text.seek(0)
    for start, kind in OTHER_ARCHIVES.items():
        if any(name.startswith(start) for name in names):
            raise GdfitError(f"is no table but {kind}", file=source.name)
    return any(name.startswith(OF_WORKBOOKS) for name in names)


@contextmanager
def member_of(source: Source) -> Iterator[Source]:
    """The one data file in the archive in `source`.

    Raises
    ------
    GdfitError : it has none, or several; or needs a password.
    """
    with zip_in(source) as archive:
        names = data_files(archive.namelist())
        if not names:
            raise GdfitError("is a zip archive without a data file", file=source.name)
        if len(names) > 1:
            shown = f"{printable(names[0])} and {printable(names[1])}"
            if len(names) > 2:
                shown = f"{', '.join(map(printable, names[:4]))}{', …' if len(names) > 4 else ''}"
            one = shlex.join(["unzip", "-p", typed_file(source.name), names[0]])
            raise GdfitError(
                f"is a zip archive of {len(names)} data files, {shown}: {one} | gdfit train -",
                file=source.name,
            )
        if archive.getinfo(names[0]).flag_bits & 1:
            one = shlex.join(["unzip", typed_file(source.name)])
            raise GdfitError(f"is a zip archive with a password: {one}", file=source.name)
        with archive.open(names[0]) as opened:
            stored = BufferedReader(cast(Any, opened), BUFFER_BYTES)
            text, damage = decompressed(stored, stored.peek(8))
            yield Source(source.name, text, source.stored, damage)


def data_files(names: list[str]) -> list[str]:
    """Those of an archive's `names` that are of data: no folders, nothing hidden, and where there
    are several, none that is called otherwise than data are."""
    paths = [PurePosixPath(name) for name in names if not name.endswith("/")]
    shown = [path for path in paths if not any(part[0] in "._" for part in path.parts)]
    called = [
        path
        for path in shown
        if path.suffix.lower() in DATA_NAMES.split()
        and not path.stem.lower().startswith(("readme", "license", "licence"))
    ]
    return [str(path) for path in (called if len(shown) > 1 else shown)]
