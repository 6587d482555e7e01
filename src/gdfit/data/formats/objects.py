"""JSON: an object a line, or an array of objects. An object is a row; its keys are columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gdfit.data.data_file import Progress
from gdfit.data.formats.written import as_csv_text, decimal_mark, written_file
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.sources.source import BLOCK_BYTES, Source
from gdfit.data.text.dialect import OF_TEXT, Dialect
from gdfit.errors import GdfitError

BLANKS = " \t\r\n"


@contextmanager
def objects_in(source: Source, dialect: Dialect, progress: Progress | None) -> Iterator[CsvFile]:
    """The objects in `source`, as a table. All of it is held in memory.

    Raises
    ------
    GdfitError : it is no JSON, or holds something else.
    """
    dialect = dialect.without(OF_TEXT, f"{source.name} is JSON")
    parts: list[bytes] = []
    while part := source.read(BLOCK_BYTES):
        parts.append(part)
        position = source.position()
        if progress and position is not None:
            progress.progress(position)
    body = b"".join(parts)
    try:
        text = body.decode(json.detect_encoding(body)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise GdfitError("is JSON, and not UTF-8 text", file=source.name) from None
    rows = objects_said(text, source.name)
    columns = dict.fromkeys(key for row in rows for key in row)
    if not columns:
        raise GdfitError("its objects have no keys", file=source.name)
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
        found.append(value)
    rows = rows_within(found[0], name) if len(found) == 1 else found
    for number, value in enumerate(rows, start=1):
        if not isinstance(value, dict):
            what = 'is no object of JSON, as {"x": 1, "y": 2} is one'
            raise GdfitError(what, file=name, row=number)
    return rows


def rows_within(value: Any, name: str) -> list[Any]:
    """The rows in a single value: its elements; those of the one array of objects that is in it; or
    of arrays, or objects, of plain values alike, a row for each place."""
    if isinstance(value, list):
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
