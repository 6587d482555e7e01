"""How all tables look, and numbers in them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.tree import Tree

NUMBER_WIDTH = 11  # of a number as `short` writes it


def console_for(file: TextIO) -> Console:
    """A Rich console that in a pipe wraps nothing, however long."""
    from rich.console import Console

    console = Console(file=file, highlight=False, markup=False, emoji=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = 1 << 16
    return console


def show(console: Console, table: Table | Tree) -> None:
    """Print a table or a tree; in a pipe without the spaces that fill its lines."""
    if console.is_terminal:
        # Where it does not fit, rather let the terminal break its lines than lose a column.
        width = max(console.width, console.measure(table).minimum)
        console.print(table, width=width, crop=False)
        return
    with console.capture() as capture:
        console.print(table)
    console.file.writelines(line.rstrip() + "\n" for line in capture.get().splitlines())
    console.file.flush()


def new_table(*, show_header: bool) -> Table:
    """A table that can be continued by another one with the same columns."""
    from rich import box
    from rich.table import Table

    return Table(
        box=box.SIMPLE_HEAD if show_header else box.SIMPLE,
        show_header=show_header,
        show_edge=False,
        header_style="bold",
        padding=(0, 1),
    )


def add_numbers(table: Table, *names: str) -> None:
    """Columns for numbers as `short` writes them, as wide in every table."""
    for name in names:
        style = {"epoch": "cyan", "loss": "bold"}.get(name, "")
        width = 7 if name == "epoch" else NUMBER_WIDTH
        table.add_column(name, justify="right", min_width=width, no_wrap=True, style=style)


def key_values(lines: Iterable[tuple[str, str]]) -> Table:
    """Names and values in two columns."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in lines:
        table.add_row(f" {name}", value)
    return table


def short(number: float) -> str:
    """A number for a table: five significant digits."""
    return format(number, "#.5g").removesuffix(".")


def exact(number: float) -> str:
    """A number for a summary: eight significant digits at most."""
    return format(number, ".8g")


def r_squared(value: float) -> str:
    """R² for a summary."""
    return "none: the target does not vary" if math.isnan(value) else exact(value)
