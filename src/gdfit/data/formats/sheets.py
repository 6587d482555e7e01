"""Sheets of Excel's and OpenDocument's workbooks, by python-calamine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

from gdfit.data.data_file import Progress
from gdfit.data.formats.written import as_csv_text, decimal_mark, written_file
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.sources.source import Source
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError, UsageError, listing, quoted, typed

MIDNIGHT = time()


@contextmanager
def sheet_in(source: Source, dialect: Dialect, progress: Progress | None) -> Iterator[CsvFile]:
    """The sheet that is asked for of the workbook in `source`, or its first one. Its rows are
    called by their numbers in the sheet.

    Raises
    ------
    GdfitError : it is damaged, or has no such sheet; or python-calamine is missing.
    """
    name = source.name
    dialect = dialect.without(("delimiter", "encoding"), f"{name} is a workbook")
    with source.in_any_order(progress) as stored, workbook_in(stored, name) as workbook:
        chosen, others = chosen_sheet(workbook, dialect, name)
        rows = workbook.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    notes: tuple[str, ...] = ()
    if others and chosen != dialect.sheet:
        others_told = f"{listing(others)} (`sheet` {typed(others[:1])} reads it)"
        notes = (f"its sheet {quoted(chosen)} is read; there are also {others_told}",)
    yield written_file(
        name, as_csv_text(map(said_in, trimmed_rows(rows)), decimal_mark(dialect)), dialect, notes
    )


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


def trimmed_rows(rows: list[list[Any]]) -> Iterator[list[Any]]:
    """The rows without the columns before the first cell with something in it. An empty row has no
    cells."""
    filled = [[at for at, cell in enumerate(row) if cell != ""] for row in rows]
    first = min((places[0] for places in filled if places), default=0)
    last = max((places[-1] for places in filled if places), default=-1)
    for row, places in zip(rows, filled, strict=True):
        yield row[first : last + 1] if places else []


def said_in(row: list[Any]) -> list[Any]:
    """What cells say, as they would stand in CSV."""
    return [*map(cell_said, row)]


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
