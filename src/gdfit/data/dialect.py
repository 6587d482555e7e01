"""What can be said of how data files are written, and what a number is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gdfit.errors import UsageError, quoted

WHITE_SPACE = r"\s+"  # as pandas spells a run of white space
MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
"""What pandas takes for a missing value by default."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
OTHER_MARK = {".": ",", ",": "."}


@dataclass(frozen=True)
class Dialect:
    """What is said of how data files are written; what is not said is found out.

    delimiter : one character or `WHITE_SPACE`; by default found from the first lines.
    decimal : the decimal mark, ``.`` or ``,``.
    missing : what stands for a missing value, besides what pandas takes for one by default.
    skip : how many lines above the header, or the data, to leave out.
    comment : the character that begins a comment, up to the end of the line; by default, lines that
        begin with # or % above the header are comments, and no others.
    drop_missing : skip rows with a missing field, which are an error otherwise.
    """

    delimiter: str | None = None
    decimal: str = "."
    missing: tuple[str, ...] = ()
    skip: int = 0
    comment: str | None = None
    drop_missing: bool = False

    def __post_init__(self) -> None:
        if self.decimal not in OTHER_MARK:
            raise UsageError(f"`decimal` takes . or a comma, not {quoted(self.decimal)}")
        if self.delimiter not in (None, WHITE_SPACE) and not is_mark(self.delimiter, ""):
            raise UsageError(
                f"`delimiter` takes one character, 'tab' or 'space', not {quoted(self.delimiter)}"
            )
        if self.delimiter == self.decimal:
            raise UsageError(f"`delimiter` and `decimal` are both {quoted(self.decimal)}")
        if self.comment is not None and not is_mark(self.comment, " \t.,+-"):
            raise UsageError(f"`comment` takes one character as #, not {quoted(self.comment)}")
        if self.comment and self.comment == self.delimiter:
            raise UsageError(f"`delimiter` and `comment` are both {quoted(self.comment)}")
        if self.skip < 0:
            raise UsageError(f"`skip` takes a number of lines, not {self.skip}")


def is_mark(text: str | None, but: str) -> bool:
    """Whether `text` is one ASCII character that may stand between fields, and none of `but`."""
    return (
        text is not None
        and len(text) == 1
        and text.isascii()
        and not text.isalnum()
        and text not in '"\r\n'
        and text not in but
    )


def is_number(field: str, decimal: str) -> bool:
    """Whether `field` is a finite or infinite decimal number, in ASCII digits."""
    if decimal != ".":
        field = field.replace(".", "?").replace(decimal, ".")
    return bool(NUMBER.fullmatch(field) or INFINITE.fullmatch(field))


def is_missing_mark(field: str) -> bool:
    """Whether `field` looks as if it stood for a missing value, though gdfit does not know it."""
    said = field.casefold().strip(" .*-")
    known = {word.casefold() for word in MISSING} | {"missing", "unknown", "n.a"}
    return said in known or not any(map(str.isalnum, field))


def all_numbers(fields: Sequence[str], decimal: str, missing: frozenset[str]) -> bool:
    """Whether `fields` are numbers, of which some, but not all, may be missing."""
    present = [field for field in fields if field not in missing]
    return bool(present) and all(is_number(field, decimal) for field in present)
