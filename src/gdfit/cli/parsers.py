"""Parsers of options' texts: each says what it takes where a text is something else, and its caller
which option it is of. The names of columns are also completed in a shell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal

import typer

from gdfit.data.text.fields import WHITE_SPACE, WHOLE, Grammar, content, records
from gdfit.errors import GdfitError, UsageError, quoted


def takes(parse: Callable[[str], Any], text: str) -> bool:
    """True where `parse` takes the text."""
    try:
        parse(text)
    except UsageError:
        return False
    return True


def parse_delimiter(text: str) -> str:
    """A delimiter, or what it is called."""
    return {"\\t": "\t", "tab": "\t", "space": WHITE_SPACE, " ": WHITE_SPACE}.get(text, text)


def parse_number(text: str) -> float:
    """A number."""
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"takes a number, not {quoted(text)}") from None


def parse_whole(text: str, least: int = 0) -> int:
    """A whole number from `least` on, also as 1e6."""
    value = parse_number(text)
    if not value.is_integer():
        raise UsageError(f"takes a whole number, not {quoted(text)}")
    if value < least:
        raise UsageError(f"takes a number from {least} on, not {quoted(text)}")
    if value >= WHOLE:
        raise UsageError(f"takes a number below 2^53, some 9e15, not {quoted(text)}")
    return int(value)


# A whole number from 1 on, also as 1e6.
parse_positive = partial(parse_whole, least=1)


def parse_batch_size(text: str) -> int | None:
    """A batch size, or all rows."""
    return None if text == "all" else parse_positive(text)


def parse_several(parse: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """A parser of ``A,B``, each value as `parse` takes it."""
    return lambda text: tuple(parse(part.strip()) for part in text.split(","))


def parse_starts(text: str) -> tuple[str, ...]:
    """Starts ``A,B``, or the params of one, ``W,…,B``, or its file."""
    if takes(parse_numbers, text) or Path(text).is_file():
        return (text,)
    return parse_several(str)(text)


def parse_rate(text: str) -> float | Literal["auto"]:
    """A learning rate."""
    return "auto" if text == "auto" else parse_number(text)


def parse_numbers(text: str) -> tuple[float, ...]:
    """The finite numbers in ``V[,V…]``."""
    return finite_numbers(text.split(","))


def finite_numbers(texts: Sequence[str]) -> tuple[float, ...]:
    """The finite numbers that are written in `texts`."""
    try:
        values = tuple(map(float, texts))
    except ValueError:
        values = (math.nan,)
    if not all(map(math.isfinite, values)):
        raise UsageError(f"takes finite numbers V[,V…], not {quoted(','.join(texts))}")
    return values


def exact_number(text: str) -> float:
    """A finite number, with all its digits where it is a whole one that float64 may not have."""
    (value,) = finite_numbers([text])
    return value if abs(value) < WHOLE else int(Decimal(text.strip()).to_integral_value())


def parse_betas(text: str) -> tuple[float, float]:
    """The two numbers in ``B1,B2``."""
    values = parse_numbers(text)
    if len(values) != 2:
        raise UsageError(f"takes two numbers, B1,B2, not {quoted(text)}")
    return values[0], values[1]


def parse_held_out(text: str) -> float | str:
    """The fraction of the rows to hold out, or the file to validate on."""
    if not takes(parse_number, text):
        return text
    fraction = float(text)
    if not 0 < fraction < 1:
        raise UsageError(f"takes a fraction between 0 and 1, or a file, not {text}")
    return fraction


def parse_epochs(text: str) -> tuple[int, ...]:
    """The epochs in ``1,2,3,10``, also as 1e6."""
    try:
        return tuple(map(parse_positive, text.split(",")))
    except UsageError:
        raise UsageError(f"takes epochs from 1 on, as in 1,2,3,10, not {quoted(text)}") from None


def csv_fields(text: str, what: str) -> tuple[str, ...]:
    """The fields of a line of CSV, which are `what` the option takes: none of them is empty."""
    grammar = Grammar(",")
    rows = [row.fields for row in records(text.encode(), grammar)]
    found = [content(field, grammar).decode() for row in rows for field in row]
    if len(rows) != 1 or not all(found):
        raise UsageError(f"takes {what}, not {quoted(text)}")
    return tuple(found)


# The names in ``A,B``; one with a comma stands in quotes, as in CSV.
parse_names = partial(csv_fields, what="names, A,B")
# The values in ``V[,V…]``, numbers or levels; one with a comma stands in quotes.
parse_values = partial(csv_fields, what="values V[,V…]")


def expanded_files(paths: list[str] | None) -> list[str] | None:
    """The files that were typed, with those that match for each ``*``."""
    if not paths:
        return paths
    from gdfit.data.sources.stores import expanded

    return list(expanded(tuple(paths)))


def column_names(ctx: typer.Context) -> tuple[str, ...]:
    """The columns of the first of the files on the command line, by its first lines; none where
    it can't be read."""
    from gdfit.data.sources.formats import open_file
    from gdfit.data.text.dialect import Dialect

    # Before an option whose value is still to come, files are arguments that nobody has taken yet.
    files = [file for file in ctx.params.get("data") or ctx.args if Path(file).is_file()]
    names = ("delimiter", "decimal", "skip", "comment")
    said = {name: ctx.params[name] for name in names if ctx.params.get(name)}
    try:
        with open_file(files[0], Dialect(**said)) as file:
            return file.layout.names
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
