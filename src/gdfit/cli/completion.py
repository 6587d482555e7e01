"""What the shell completes: the names of the columns of the files that are named before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

HOW_WRITTEN = ("delimiter", "decimal", "skip", "comment")


def column_names(ctx: typer.Context) -> tuple[str, ...]:
    """The columns of the first of the files on the command line, by its first lines; none where
    it can't be read."""
    from gdfit.data.dialect import Dialect
    from gdfit.data.head import SNIFFED_BYTES
    from gdfit.data.layout import find_layout
    from gdfit.data.source import PARQUET, open_source
    from gdfit.errors import GdfitError

    # Before an option whose value is still to come, files are arguments that nobody has taken yet.
    files = [file for file in ctx.params.get("data") or ctx.args if Path(file).is_file()]
    said = {name: ctx.params[name] for name in HOW_WRITTEN if ctx.params.get(name)}
    try:
        with open_source(files[0]) as source:
            if source.start.startswith(PARQUET):
                from gdfit.data.parquet_file import open_parquet

                with open_parquet(source) as file:
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
