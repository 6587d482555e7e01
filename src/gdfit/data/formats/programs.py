"""Tables of other programs: objects of JSON, sheets of Excel's and OpenDocument's workbooks by
python-calamine, files of Stata, SAS and SPSS by pandas and pyreadstat, whose values with labels say
these. All of one is held in memory, and `written` as CSV."""

from __future__ import annotations

import json
import re
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout, suppress
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import IO, Any, cast
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

from gdfit.data.batch import Progress
from gdfit.data.formats.written import as_csv_text, decimal_mark, frame_as_text, written_file
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.sources.source import Source
from gdfit.data.text.dialect import OF_TEXT, Dialect
from gdfit.errors import GdfitError, UsageError, listing, quoted, typed

BLANKS = " \t\r\n"
MOST_FIELDS, MOST_ABSENT = 1_000_000, 100  # of a table, and of its fields for each that is there


@contextmanager
def objects_in(source: Source, dialect: Dialect, progress: Progress | None) -> Iterator[CsvFile]:
    """The objects in `source`, as a table.

    Raises
    ------
    GdfitError : it is no JSON, or holds something else.
    """
    dialect = dialect.without(OF_TEXT, f"{source.name} is JSON")
    with source.in_any_order(progress) as stored, source.faults_told():
        body = stored.read()
    try:
        text = body.decode(json.detect_encoding(body)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise GdfitError("is JSON, and not UTF-8 text", file=source.name) from None
    rows = objects_said(text, source.name)
    rows = [dict(parts_within(row)) for row in rows]
    columns = dict.fromkeys(key for row in rows for key in row)
    if not columns:
        raise GdfitError("its objects have no keys", file=source.name)
    if len(columns) * len(rows) > MOST_FIELDS + MOST_ABSENT * sum(map(len, rows)):
        what = f"is no table: its objects have few of their {len(columns):,} keys each"
        raise GdfitError(what, file=source.name)
    lines = ([value_said(row.get(key)) for key in columns] for row in rows)
    yield written_file(
        source.name, as_csv_text([[*columns], *lines], decimal_mark(dialect)), dialect, named=True
    )


def objects_said(text: str, name: str) -> list[dict[str, Any]]:
    """The objects in a text of JSON."""
    decoder, at = json.JSONDecoder(), 0
    found: list[Any] = []
    while at < len(text):
        if text[at] in BLANKS:
            at += 1
            continue
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            what = f"is not JSON: {error.msg}"
            raise GdfitError(what, file=name, line=error.lineno) from None
        except RecursionError:
            raise GdfitError("is JSON that is nested too deep", file=name) from None
        except ValueError:  # of int
            raise GdfitError("is JSON with a number of too many digits", file=name) from None
        found.append(value)
    rows = rows_within(found[0], name) if len(found) == 1 else found
    for number, value in enumerate(rows, start=1):
        if not isinstance(value, dict):
            what = 'is no object of JSON, as {"x": 1, "y": 2} is one'
            raise GdfitError(what, file=name, row=number)
    return rows


def parts_within(row: dict[str, Any], above: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The values in an object, those of an object in it as ``KEY.KEY``."""
    for key, value in row.items():
        if isinstance(value, dict) and value and depth < DEEPEST:
            yield from parts_within(value, f"{above}{key}.", depth + 1)
        else:
            yield above + key, value


def rows_within(value: Any, name: str) -> list[Any]:
    """The rows in a single value: its elements, which may be arrays below one of names; those of
    the one array of objects that is in it; or of arrays, or objects, of plain values alike, a row
    for each place."""
    if isinstance(value, dict) and all(isinstance(value.get(key), list) for key in SPLIT):
        value = [[*map(str, value["columns"])], *value["data"]]
    if isinstance(value, list):
        names = value[0] if value and isinstance(value[0], list) else []
        alike = all(isinstance(row, list) and len(row) == len(names) for row in value)
        if alike and all(isinstance(each, str) for each in names):
            return [dict(zip(names, row, strict=True)) for row in value[1:]]
        return value
    parts = [*value.values()] if isinstance(value, dict) else []
    arrays = [part for part in parts if isinstance(part, list) and part]
    of_objects = [part for part in arrays if all(isinstance(each, dict) for each in part)]
    if len(of_objects) == 1:
        return of_objects[0]
    columns = [[*part.values()] if isinstance(part, dict) else part for part in parts]
    if (
        columns
        and all(isinstance(column, list) for column in columns)
        and len({len(column) for column in columns}) == 1
        and len({tuple(part) for part in parts if isinstance(part, dict)}) <= 1
        and not any(isinstance(each, list | dict) for column in columns for each in column)
    ):
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    if any(isinstance(part, list | dict) for part in parts):
        what = "is one object of JSON: write an object for each row, one a line or in an array"
        raise GdfitError(what, file=name)
    return [value]


def value_said(value: Any) -> Any:
    """A value as a field of CSV: arrays and objects as JSON."""
    return json.dumps(value) if isinstance(value, list | dict) else value


SPLIT = ("columns", "data")  # as pandas calls the parts of a table
DEEPEST = 8  # objects in each other that are taken apart
MIDNIGHT = time()
OF_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{0,9})([0-9]{1,12})""", re.I)  # of cells and rows
NO_REACH = (BadZipFile, KeyError, ElementTree.ParseError, RuntimeError, EOFError, zlib.error)
SCANNED, LONGEST, MOST_XML = 1 << 20, 40, 1 << 24  # bytes: of cells, of one, of what lists sheets


@contextmanager
def sheet_in(source: Source, dialect: Dialect, progress: Progress | None) -> Iterator[CsvFile]:
    """The sheet that is asked for of the workbook in `source`, or the first one with cells. Its
    rows are called by their numbers in the sheet.

    Raises
    ------
    GdfitError : it is damaged, or has no such sheet; or python-calamine is missing.
    """
    name = source.name
    dialect = dialect.without(("delimiter", "encoding"), f"{name} is a workbook")
    with source.in_any_order(progress) as stored, workbook_in(stored, name) as workbook:
        first, others = chosen_sheet(workbook, dialect, name)
        for chosen in (first,) if first == dialect.sheet else (first, *others):
            check_reach(stored, chosen, name)
            rows = workbook.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
            if rows:
                break
    notes: tuple[str, ...] = ()
    others = tuple(each for each in (first, *others) if each != chosen)
    if others and chosen != dialect.sheet:
        others_told = f"{listing(others)} (`sheet` {typed(others[:1])} reads it)"
        notes = (f"its sheet {quoted(chosen)} is read; there are also {others_told}",)
    said = ([*map(cell_said, row)] for row in trimmed_rows(rows))
    yield written_file(name, as_csv_text(said, decimal_mark(dialect)), dialect, notes)


@contextmanager
def workbook_in(stored: IO[bytes], name: str) -> Iterator[Any]:
    """The workbook in the file of this name; what is wrong with it is one line."""
    try:
        import python_calamine as calamine
    except ImportError:
        what = "is a workbook, which needs more: pip install 'gdfit[excel]'"
        raise GdfitError(what, file=name) from None
    try:
        yield calamine.CalamineWorkbook.from_filelike(stored)
    except calamine.PasswordError:
        raise GdfitError("needs a password: save it without one", file=name) from None
    except calamine.CalamineError as error:
        raise GdfitError(f"its workbook can't be read: {error}", file=name) from None


def sheet_names(path: str) -> list[str]:
    """The names of the sheets of the workbook at `path`.

    Raises
    ------
    GdfitError : it is none, or python-calamine is missing.
    OSError : it can't be read.
    """
    with Path(path).open("rb") as stored, workbook_in(stored, path) as workbook:
        names: list[str] = workbook.sheet_names
    return names


def chosen_sheet(workbook: Any, dialect: Dialect, name: str) -> tuple[str, tuple[str, ...]]:
    """The sheet to read, and the others that a person sees."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    of_cells = [each for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    shown = [each.name for each in of_cells if each.visible == SheetVisibleEnum.Visible]
    asked, is_there = dialect.sheet, dialect.sheet in [each.name for each in of_cells]
    if not is_there and "sheet" in dialect.of_training:
        asked = None
    if asked is None and not shown:
        raise GdfitError("has no sheet", file=name)
    if asked is not None and not is_there:
        what = f"`sheet`: {name} has no sheet {quoted(asked)}; it has {listing(tuple(shown))}"
        near = get_close_matches(asked, shown, n=1)
        raise UsageError(what, changes={"sheet": near[0]} if near else {})
    chosen = shown[0] if asked is None else asked
    return chosen, tuple(each for each in shown if each != chosen)


def check_reach(stored: IO[bytes], sheet: str, name: str) -> None:
    """Raise where the cells of Excel's sheet reach so far that they fit into no memory: the reader
    makes room for the empty ones, too. What a sheet says of itself is not always so."""
    column, row, count, text = b"A", 1, 0, b""
    with suppress(*NO_REACH), ZipFile(stored) as archive:
        book, links = (
            ElementTree.fromstring(archive.open(f"xl/{part}").read(MOST_XML))
            for part in ("workbook.xml", "_rels/workbook.xml.rels")
        )
        ids = {each.get("name"): each.get(f"{{{OF_OFFICE}}}id") for each in book.iter()}
        paths = {each.get("Id"): each.get("Target", "") for each in links}
        path = paths.get(ids.get(sheet), "").removeprefix("/").removeprefix("xl/")
        cells = archive.open(f"xl/{path}")
        while more := cells.read(SCANNED):
            text = text[-LONGEST:] + more
            found = [(column, b"%d" % row), *REFERENCE.findall(text)]
            columns, rows = map(set, zip(*found, strict=True))
            column, row = max(columns, key=column_number), max(map(int, rows))
            count += len(found)
    if row * column_number(column) > MOST_FIELDS + MOST_ABSENT * count:
        what = f"its sheet {quoted(sheet)} reaches to cell {column.decode().upper()}{row}"
        raise GdfitError(f"{what}: delete what is far away there", file=name)


def column_number(letters: bytes) -> int:
    """The number of a column of a sheet, A that of 1."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - ord("A") + 1
    return number


def trimmed_rows(rows: list[list[Any]]) -> Iterator[list[Any]]:
    """The rows without the columns before the first cell with something in it. An empty row has no
    cells."""
    filled = [[at for at, cell in enumerate(row) if cell != ""] for row in rows]
    first = min((places[0] for places in filled if places), default=0)
    last = max((places[-1] for places in filled if places), default=-1)
    for row, places in zip(rows, filled, strict=True):
        yield row[first : last + 1] if places else []


def cell_said(cell: Any) -> Any:
    """What a cell says: a whole number without a point, a date without a time that is none."""
    match cell:
        case float():
            return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 1e15 else cell
        case datetime():
            return cell.date() if cell.time() == MIDNIGHT else cell.isoformat(" ")
        case timedelta():
            minutes, seconds = divmod(int(cell.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case _:
            return cell


MOST_ROWS_A_BYTE = 1032  # of what zlib compresses
LEAST_OF_IBM = 16.0**-65  # which pandas makes of 0 in the format of IBM's mainframes


@contextmanager
def frame_in(
    program: str,
    read: Callable[[IO[bytes]], Any],
    source: Source,
    dialect: Dialect,
    progress: Progress | None,
) -> Iterator[CsvFile]:
    """The table in a file of this program for statistics in `source`, which is `read` as a
    DataFrame of pandas.

    Raises
    ------
    GdfitError : it is damaged, or a package that it needs is missing.
    """
    name = source.name
    dialect = dialect.without(OF_TEXT, f"{name} is a file of {program}")
    with (
        source.in_any_order(progress) as stored,
        redirect_stdout(None),  # where pandas prints what it warns of
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of pandas, on what a file leaves open
        try:
            frame = read(stored)
        except ImportError:
            what = f"is a file of {program}, which needs more: pip install 'gdfit[stats]'"
            raise GdfitError(what, file=name) from None
        except Exception as error:  # each reader has errors of its own
            what = " ".join(str(error).split()) or type(error).__name__
            raise GdfitError(f"its {program} can't be read: {what}", file=name) from None
    yield written_file(name, frame_as_text(frame, decimal_mark(dialect)), dialect, named=True)


def read_stata(stored: IO[bytes]) -> Any:
    """A file of Stata; where labels don't tell values apart, these stay numbers."""
    import pandas

    try:
        return pandas.read_stata(stored)
    except ValueError as error:
        if "Value labels" not in str(error):
            raise
        stored.seek(0)
        return pandas.read_stata(stored, convert_categoricals=False)


def read_sas(stored: IO[bytes]) -> Any:
    """A file of SAS."""
    import pandas

    return pandas.read_sas(stored, format="sas7bdat", encoding="infer")


def read_xport(stored: IO[bytes]) -> Any:
    """A transport file of SAS, which does not say its encoding."""
    import pandas

    try:
        frame = pandas.read_sas(stored, format="xport", encoding="utf-8")
    except UnicodeDecodeError:
        stored.seek(0)
        frame = pandas.read_sas(stored, format="xport", encoding="cp1252")
    return frame.replace(LEAST_OF_IBM, 0.0)


def read_spss(stored: IO[bytes]) -> Any:
    """A file of SPSS."""
    import pyreadstat

    most = MOST_ROWS_A_BYTE * stored.seek(0, 2)  # whatever it says itself, for which room is made
    stored.seek(0)
    return pyreadstat.read_sav(cast(Any, stored), apply_value_formats=True, row_limit=most)[0]


Reading = Callable[[Source, Dialect, Progress | None], AbstractContextManager[CsvFile]]
PROGRAMS: dict[str, Reading] = {
    "JSON": objects_in,
    "workbook": sheet_in,
    "Stata": partial(frame_in, "Stata", read_stata),
    "SAS": partial(frame_in, "SAS", read_sas),
    "XPORT": partial(frame_in, "SAS", read_xport),
    "SPSS": partial(frame_in, "SPSS", read_spss),
}
