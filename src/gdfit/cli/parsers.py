"""What the texts of options stand for: each function takes a text, and says what it takes where it
is something else.

What the shell completes: the names of the columns of the files that are named before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import typer

from gdfit.data.text.fields import WHITE_SPACE, Grammar, content, records
from gdfit.errors import UsageError, quoted


def delimiter(text: str) -> str:
    """A delimiter, or what it is called."""
    return {"\\t": "\t", "tab": "\t", "space": WHITE_SPACE, " ": WHITE_SPACE}.get(text, text)


def number(text: str) -> float:
    """A number."""
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"takes a number, not {quoted(text)}") from None


def whole(text: str) -> int:
    """A whole number, also as 1e6."""
    value = number(text)
    if not value.is_integer():
        raise UsageError(f"takes a whole number, not {quoted(text)}")
    return int(value)


def some(text: str) -> int:
    """A whole number from 1 on, also as 1e6."""
    value = whole(text)
    if value < 1:
        raise UsageError(f"takes a number from 1 on, not {quoted(text)}")
    return value


def batch(text: str) -> int | None:
    """A batch size, or all rows."""
    return None if text == "all" else whole(text)


def several(read: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """What reads ``A,B``, each value as `read` reads it."""
    return lambda text: tuple(read(part.strip()) for part in text.split(","))


def starts(text: str) -> tuple[str, ...]:
    """Starts ``A,B``, or the params of one, ``W,…,B``."""
    with suppress(UsageError):
        numbers(text)
        return (text,)
    if Path(text).is_file():
        return (text,)
    return several(str)(text)


def rate(text: str) -> float | Literal["auto"]:
    """A learning rate."""
    return "auto" if text == "auto" else number(text)


def numbers(text: str) -> tuple[float, ...]:
    """The numbers in ``V[,V…]``."""
    try:
        values = tuple(float(field) for field in text.split(","))
    except ValueError:
        values = (math.nan,)
    if not all(map(math.isfinite, values)):
        raise UsageError(f"takes finite numbers V[,V…], not {quoted(text)}")
    return values


def values(text: str) -> tuple[str, ...]:
    """The values in ``V[,V…]``, numbers or levels; one with a comma stands in quotes."""
    found = fields(text)
    if not all(found):
        raise UsageError(f"takes values V[,V…], not {quoted(text)}")
    return found


def betas(text: str) -> tuple[float, float]:
    """The two numbers in ``B1,B2``."""
    values = numbers(text)
    if len(values) != 2:
        raise UsageError(f"takes two numbers, B1,B2, not {quoted(text)}")
    return values[0], values[1]


def held_out(text: str) -> float | str:
    """The fraction of the rows to hold out, or the file to validate on."""
    try:
        fraction = float(text)
    except ValueError:
        return text
    if not 0 < fraction < 1:
        raise UsageError(f"takes a fraction between 0 and 1, or a file, not {text}")
    return fraction


def epochs(text: str) -> tuple[int, ...]:
    """The epochs in ``1,2,3,10``, also as 1e6."""
    try:
        values = tuple(whole(field) for field in text.split(","))
    except UsageError:
        values = (0,)
    if min(values) < 1:
        raise UsageError(f"takes epochs from 1 on, as in 1,2,3,10, not {quoted(text)}")
    return values


def names(text: str) -> tuple[str, ...]:
    """The names in ``A,B``; one with a comma stands in quotes, as in CSV."""
    found = fields(text)
    if not all(found):
        raise UsageError(f"takes names, A,B, not {quoted(text)}")
    return found


def fields(text: str) -> tuple[str, ...]:
    """What the fields of a line of CSV say; one empty field where there is not one line."""
    grammar = Grammar(",")
    rows = [row.fields for row in records(text.encode(), grammar)]
    if len(rows) != 1:
        return ("",)
    return tuple(content(field, grammar).decode() for field in rows[0])


HOW_WRITTEN = ("delimiter", "decimal", "skip", "comment")


def column_names(ctx: typer.Context) -> tuple[str, ...]:
    """The columns of the first of the files on the command line, by its first lines; none where
    it can't be read."""
    from gdfit.data.sources.source import ARROW, PARQUET, open_source
    from gdfit.data.text.dialect import Dialect
    from gdfit.data.text.header import SNIFFED_BYTES, find_layout
    from gdfit.errors import GdfitError

    # Before an option whose value is still to come, files are arguments that nobody has taken yet.
    files = [file for file in ctx.params.get("data") or ctx.args if Path(file).is_file()]
    said = {name: ctx.params[name] for name in HOW_WRITTEN if ctx.params.get(name)}
    try:
        with open_source(files[0]) as source:
            if source.start.startswith((PARQUET, ARROW)):
                from gdfit.data.sources.formats import open_file

                with open_file(files[0], Dialect(**said)) as file:
                    return file.layout.names
            head = source.read(SNIFFED_BYTES)
            return find_layout(head, source.name, Dialect(**said)).names
    except (GdfitError, OSError, IndexError):
        return ()


def complete_name(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The names that begin with what is typed."""
    return (name for name in column_names(ctx) if name.startswith(incomplete))


def complete_names(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The names that go on what is typed, ``A,B``, and are not in it yet."""
    *before, last = incomplete.split(",")
    for name in column_names(ctx):
        if name.startswith(last) and name not in before:
            yield ",".join([*before, name])
