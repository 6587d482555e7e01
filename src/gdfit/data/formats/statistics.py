"""Files of Stata, SAS and SPSS, by pandas and pyreadstat. Values that have labels say these."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

from gdfit.data.data_file import Progress
from gdfit.data.formats.written import decimal_mark, frame_as_text, written_file
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.sources.source import Source
from gdfit.data.text.dialect import OF_TEXT, Dialect
from gdfit.errors import GdfitError

LEAST_OF_IBM = 16.0**-65  # which pandas makes of 0 in the format of IBM's mainframes


@dataclass(frozen=True)
class Program:
    """A program for statistics.

    name : for messages.
    read : its file as a DataFrame of pandas.
    """

    name: str
    read: Callable[[IO[bytes]], Any]


@contextmanager
def frame_in(
    program: Program, source: Source, dialect: Dialect, progress: Progress | None
) -> Iterator[CsvFile]:
    """The table in a file of this program in `source`. All of it is held in memory.

    Raises
    ------
    GdfitError : it is damaged, or a package that it needs is missing.
    """
    name = source.name
    dialect = dialect.without(OF_TEXT, f"{name} is a file of {program.name}")
    with source.in_any_order(progress) as stored, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, on what a file leaves open
        try:
            frame = program.read(stored)
        except ImportError:
            what = f"is a file of {program.name}, which needs more: pip install 'gdfit[stats]'"
            raise GdfitError(what, file=name) from None
        except Exception as error:  # each reader has errors of its own
            what = " ".join(str(error).split()) or type(error).__name__
            raise GdfitError(f"its {program.name} can't be read: {what}", file=name) from None
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

    frame, _ = pyreadstat.read_sav(cast(Any, stored), apply_value_formats=True)
    return frame


# By the format of their files.
PROGRAMS = {
    "Stata": Program("Stata", read_stata),
    "SAS": Program("SAS", read_sas),
    "XPORT": Program("SAS", read_xport),
    "SPSS": Program("SPSS", read_spss),
}
