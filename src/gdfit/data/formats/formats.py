"""Data files opened by what they are, which they say in their first bytes and not in their name:
each format by its reader; of a zip archive, the one data file that is in it. What is often taken
for a table is told for what it is, with the command that makes one of it, where there is one."""

from __future__ import annotations

import json
import shlex
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from io import BufferedReader
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from gdfit.data.batch import DataFile, Progress
from gdfit.data.sources.csv_file import CsvFile, Suits, csv_in
from gdfit.data.sources.source import ARROW, PARQUET, Source, decompressed, open_source
from gdfit.data.sources.stores import (
    BUFFER_BYTES,
    CONDENSED,
    WITHOUT_ROWS,
    Stored,
    name_of_file,
    scheme_of,
)
from gdfit.data.text.blocks import UNIT_BYTES
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError, printable

if TYPE_CHECKING:
    from zipfile import ZipFile


Opening = AbstractContextManager[DataFile]
Reader = Callable[[Source, Dialect, Progress | None], Opening]
AsCsv = Callable[[Source, Dialect, Progress | None], CsvFile]


def arrow(kind: str, source: Source, dialect: Dialect, progress: Progress | None) -> Opening:
    """The table in `source`, whose columns Arrow has given types."""
    from gdfit.data.formats.arrow_files import KINDS, arrow_in

    return arrow_in(KINDS[kind], source, dialect, progress)


def of_program(kind: str, source: Source, dialect: Dialect, progress: Progress | None) -> Opening:
    """The table in `source`, which another program has made."""
    from gdfit.data.formats.programs import PROGRAMS

    return PROGRAMS[kind](source, dialect, progress)


def refuse_condensed(source: Source, dialect: Dialect, progress: Progress | None) -> Opening:
    """Raise: it is what gdfit condenses data to."""

    raise GdfitError(WITHOUT_ROWS, file=source.name)


# Formats other than CSV, by the bytes that they start with; those of text, without its blanks.
READERS: dict[bytes, Reader] = {
    CONDENSED: refuse_condensed,
    PARQUET: partial(arrow, "Parquet"),
    ARROW: partial(arrow, "Arrow"),
    **dict.fromkeys((b'{"', b"{}", b"[{", b"[[", b"[]"), partial(of_program, "JSON")),
    b"\xd0\xcf\x11\xe0": partial(of_program, "workbook"),  # Excel's until 2003
    b"<stata_dta>": partial(of_program, "Stata"),
    **{
        b"%c%c\1" % (version, order): partial(of_program, "Stata")
        for version in range(102, 116)
        for order in (1, 2)
    },
    b"\0" * 12 + b"\xc2\xea\x81\x60": partial(of_program, "SAS"),
    b"HEADER RECORD*******LIB": partial(of_program, "XPORT"),
    b"$FL2": partial(of_program, "SPSS"),
    b"$FL3": partial(of_program, "SPSS"),
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
        as_csv = partial(csv_in, unit_bytes=unit_bytes, suits=suits)
        with opened(source, dialect, progress, as_csv) as file:
            yield file


def is_text_with_mark(source: Source) -> bool:
    """Whether a text begins with Parquet's mark, which has it at the end, too, and no text
    between."""
    after = source.start[len(PARQUET) :][:1]
    return after >= b" " and source.tail(len(PARQUET)) != PARQUET


def opened(source: Source, dialect: Dialect, progress: Progress | None, as_csv: AsCsv) -> Opening:
    """The data file in `source`: see `open_file`."""
    start = source.start
    without_blanks = start[:START_BYTES].translate(None, BLANKS_OF_TEXT)
    for mark, reader in READERS.items():
        if mark == PARQUET and is_text_with_mark(source):
            continue
        if start.startswith(mark) or without_blanks.startswith(mark):
            return reader(source, dialect, progress)
    if start.startswith(ZIP):
        return in_archive(source, dialect, progress, as_csv)
    refuse_other_kinds(start, source.name)
    dialect = dialect.without(("sheet",), f"{source.name} is text")
    return nullcontext(as_csv(source, dialect, progress))


@contextmanager
def in_archive(
    source: Source, dialect: Dialect, progress: Progress | None, as_csv: AsCsv
) -> Iterator[DataFile]:
    """The workbook that a zip archive is, or the data file in it: see `open_file`."""
    with ExitStack() as stack:
        stored: Any = stack.enter_context(source.in_any_order(progress))
        archive = stack.enter_context(zip_in(stored, source.name))
        whole = Source(source.name, stored, Stored(stored, None), ())
        if is_workbook(archive.namelist(), source.name):
            stored.seek(0)
            opening = of_program("workbook", whole, dialect, progress)
        else:
            member = stack.enter_context(member_of(archive, whole))
            opening = opened(member, dialect, progress, as_csv)
        yield stack.enter_context(opening)


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
def zip_in(stored: Any, name: str) -> Iterator[ZipFile]:
    """The archive in the file of this name; what is wrong with it is one line."""
    from zipfile import BadZipFile, ZipFile  # which takes 10 ms

    damage = (BadZipFile, zlib.error, EOFError, NotImplementedError)
    try:
        with ZipFile(stored) as archive:
            yield archive
    except damage as error:
        raise GdfitError(f"its zip archive can't be read: {error}", file=name) from None


def is_workbook(parts: list[str], name: str) -> bool:
    """Whether the archive of this name, with these parts, is a workbook.

    Raises
    ------
    GdfitError : it is another kind of document.
    """
    for start, kind in OTHER_ARCHIVES.items():
        if any(part.startswith(start) for part in parts):
            raise GdfitError(f"is no table but {kind}", file=name)
    return any(part.startswith(OF_WORKBOOKS) for part in parts)


@contextmanager
def member_of(archive: ZipFile, source: Source) -> Iterator[Source]:
    """The one data file in the archive that `source` is.

    Raises
    ------
    GdfitError : it has none, or several; or needs a password.
    """
    names = data_files(archive.namelist())
    if not names:
        raise GdfitError("is a zip archive without a data file", file=source.name)
    if len(names) > 1:
        shown = f"{printable(names[0])} and {printable(names[1])}"
        if len(names) > 2:
            shown = f"{', '.join(map(printable, names[:4]))}{', …' if len(names) > 4 else ''}"
        one = shlex.join(["unzip", "-p", typed_file(source.name), names[0]])
        what = f"is a zip archive of {len(names)} data files, {shown}: {one} | gdfit train -"
        raise GdfitError(what, file=source.name)
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


class OtherKind(NamedTuple):
    """What is no table.

    called : what it is, for messages.
    script : what makes CSV of it, with ``FILE`` for its name.
    program : which takes the script as its last argument; by default a shell.
    """

    called: str
    script: str = ""
    program: str = ""

    def told(self, name: str) -> str:
        """What it is and what to type, where it is the file of this name."""
        if not self.script:
            return self.called
        if self.program:
            command = f"{self.program} {shlex.quote(self.script.replace('FILE', as_literal(name)))}"
        else:
            command = self.script.replace("FILE", shlex.quote(name))
        return f"{self.called}: {command} | gdfit train -"


def as_literal(text: str) -> str:
    """A text in double quotes, as Python and R read it."""
    return json.dumps(text, ensure_ascii=False)


def by_pandas(called: str, read: str) -> OtherKind:
    """What pandas reads by this expression."""
    script = f"import pandas; print(pandas.{read}.to_csv(index=False))"
    return OtherKind(called, script, "python -c")


PICKLE, R = by_pandas("a pickle", "read_pickle(FILE)"), "Rscript -e"
WORKSPACE = OtherKind("an R workspace", "write.csv(get(load(FILE)[1]), row.names = FALSE)", R)
OBJECT_OF_R = OtherKind("an object of R's", "write.csv(readRDS(FILE), row.names = FALSE)", R)
PICTURE = OtherKind("a picture: type its numbers into a spreadsheet, and save that as CSV")
MATLAB = OtherKind("a file of MATLAB's: write a table of it there with writetable")
PAGE = by_pandas("a web page", "read_html(FILE)[0]")
# By what stands in them after so many bytes, in small letters, blanks at the start not counted.
OTHER_KINDS: dict[tuple[int, bytes], OtherKind] = {
    **{(0, b"\x80%c" % protocol): PICKLE for protocol in range(2, 6)},
    (0, b"\x93numpy"): OtherKind(
        "an array of NumPy's",
        "import numpy, sys; numpy.savetxt(sys.stdout, numpy.load(FILE))",
        "python -c",
    ),
    **{
        (0, b"rd%c%d\n%c\n" % (form, version, form)): WORKSPACE
        for form in b"ax"
        for version in (2, 3)
    },
    **{(0, b"x\n\0\0\0%c" % version): OBJECT_OF_R for version in (2, 3)},
    **dict.fromkeys([(0, b"matlab 5.0 mat-"), (0, b"matlab 7.3 mat-")], MATLAB),
    (0, b"sqlite format 3"): OtherKind(
        "a database", "sqlite3 -csv -header FILE 'select * from TABLE'"
    ),
    (0, b"\x89hdf"): by_pandas("HDF5", "read_hdf(FILE)"),
    (257, b"ustar"): OtherKind("a tar archive", "tar -xOf FILE"),
    (0, b"7z\xbc\xaf"): OtherKind("a 7z archive", "7z x -so FILE"),
    (0, b"rar!\x1a"): OtherKind("a rar archive", "unrar p -inul FILE"),
    (0, b"\x04\x22\x4d\x18"): OtherKind("compressed by lz4", "lz4 -dc FILE"),
    (0, b"\x1f\x9d"): OtherKind("compressed by compress", "zcat FILE"),
    (0, b"%pdf-"): OtherKind("a PDF: copy its table to a spreadsheet, and save that as CSV"),
    **dict.fromkeys(
        [(0, b"\x89png"), (0, b"\xff\xd8\xff"), (0, b"gif87a"), (0, b"gif89a")], PICTURE
    ),
    **dict.fromkeys([(0, b"<!doctype html"), (0, b"<html"), (0, b"<table")], PAGE),
    (0, b"<?xml"): by_pandas("XML", "read_xml(FILE)"),
}


def typed_file(name: str) -> str:
    """What a command that takes a file is given for the one of this name."""
    return "FILE" if scheme_of(name) or name == name_of_file("-") else name


def refuse_other_kinds(start: bytes, name: str) -> None:
    """Raise where the first bytes of a file show that it is something else than a table."""
    start = start.lstrip().lower()
    for (place, mark), kind in OTHER_KINDS.items():
        if start.startswith(mark, place):
            told = kind.told(typed_file(name))
            if scheme_of(name) and kind is PAGE:
                told = "a web page: the address of the file itself is behind its Raw or Download"
            raise GdfitError(f"is no table but {told}", file=name)
