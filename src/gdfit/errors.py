"""Errors that are told to a person: one line for each, and the status to end with.

An argument stands in backquotes in a message: `batch_size` in Python, ``--batch-size`` in a shell.
"""

from __future__ import annotations

import copyreg

TYPE_CHECKING = False  # as in typing, which takes longer to import than to press Ctrl-C
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self


class GdfitError(Exception):
    """The data or the model can't be used.

    Printed as ``gdfit: error: FILE, line 7, column 'y': 'abc' is not a number``.

    Parameters
    ----------
    message : what is wrong and what to do, without a full stop.
    file, line, row, column : where, as far as it is known; lines of a text and rows of what has
        no lines count from 1, or say themselves how they count.
    changes : the options that are the way out, with their values: a command line ends the message
        with the whole command that has them.
    or_changes : those of another way out.
    """

    status = 1

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        row: int | str | None = None,
        column: str | None = None,
        changes: Mapping[str, str] | None = None,
        or_changes: Mapping[str, str] | None = None,
    ) -> None:
        where = [] if file is None else [printable(file)]
        places = {"line": line, "row": row, "column": None if column is None else quoted(column)}
        where += [f"{kind} {place}" for kind, place in places.items() if place is not None]
        super().__init__(f"{', '.join(where)}: {message}" if where else message)
        self.what, self.file, self.line, self.row, self.column = message, file, line, row, column
        self.changes, self.or_changes = changes or {}, or_changes or {}

    def __reduce__(self) -> tuple[object, ...]:
        """As it is in another process: subclasses take other arguments."""
        return copyreg.__newobj__, (type(self), str(self)), vars(self)  # type: ignore[attr-defined]

    def saying(self, more: str, changes: Mapping[str, str] | None = None) -> Self:
        """The same error, with more to say; and another way out, if there is one."""
        result = type(self).__new__(type(self), f"{self}{more}")
        vars(result).update(vars(self))
        result.what += more
        result.changes = changes or self.changes
        return result


class NoObservationsError(GdfitError):
    """There is nothing to fit."""

    def __init__(
        self, why: str = "", *, file: str | None = None, changes: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"there are no observations{why}", file=file, changes=changes)


class FieldError(GdfitError):
    """A field can't be used: one of a file, and of a column."""

    file: str
    column: str


class SeparableError(GdfitError):
    """A plane separates the classes: the likelihood has no maximum."""


class GdfitWarning(UserWarning):
    """Something about a result that its user has to know."""


class UsageError(GdfitError):
    """The options don't fit one another, or the data."""

    status = 2


def quoted(text: str, longest: int = 40) -> str:
    """`text` in quotes, on one line, shortened: for values shown in a message."""
    return repr(text if len(text) <= longest else text[: longest - 1] + "…")


def printable(text: str) -> str:
    """`text` as it is, or in quotes where it would break the line."""
    return text if text and text.isprintable() else repr(text)


def warn(what: str) -> None:
    """Warn of what is no error, at the line outside of gdfit that has come to it."""
    import sys
    import warnings

    frame, level = sys._getframe(1), 2
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith("gdfit."):
        frame, level = frame.f_back, level + 1
    warnings.warn(what, GdfitWarning, stacklevel=level)


def a_kind(value: object) -> str:
    """What a value is, for a message: ``a list``."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def listing(names: tuple[str, ...], most: int = 8) -> str:
    """Column names for a message: ``x1, x2, …``."""
    shown = ", ".join(printable(name) for name in names[:most])
    return shown + (f", … ({len(names)} in all)" if len(names) > most else "")


def joined(names: Sequence[str]) -> str:
    """Names of columns, as an option takes them."""
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(names)
    return text.getvalue()


def typed(names: Sequence[str]) -> str:
    """Names of columns, as they are typed in a shell."""
    import shlex

    return shlex.quote(joined(names))
