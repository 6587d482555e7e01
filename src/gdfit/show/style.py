"""How all tables look, and numbers in them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.tree import Tree

NUMBER_WIDTH = 12  # of any number as `short` writes it: -1.2345e-308
PIPE = 1 << 16  # the width of what has none
NAME_WIDTH = 24  # of a name in a summary; longer ones are shortened


def console_for(file: TextIO) -> Console:
    """A Rich console that in a pipe wraps nothing, however long."""
    from rich.console import Console

    console = Console(file=file, highlight=False, markup=False, emoji=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = PIPE
    return console


def show(console: Console, table: Table | Tree) -> None:
    """Print a table or a tree; in a pipe without the spaces that fill its lines."""
    if console.is_terminal:
        keep_whole(table, console)
        console.print(table, crop=False)
        return
    with console.capture() as capture:
        console.print(table)
    console.file.writelines(line.rstrip() + "\n" for line in capture.get().splitlines())
    console.file.flush()


def keep_whole(table: Table | Tree, console: Console) -> None:
    """Where a table has no room, rather let the terminal break its lines than lose a digit."""
    from rich.table import Table

    if isinstance(table, Table) and all(column.no_wrap for column in table.columns):
        needed = console.measure(table, options=console.options.update(max_width=PIPE)).maximum
        if needed > console.width:
            table.width = needed


def new_table() -> Table:
    """A table with a header and a line under it."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 1))


def add_numbers(table: Table, *names: str) -> None:
    """Columns for numbers as `short` writes them."""
    for name in names:
        table.add_column(name, justify="right", min_width=NUMBER_WIDTH, no_wrap=True)


def key_values(lines: Iterable[tuple[str, str]]) -> Table:
    """Names and values in two columns."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in lines:
        table.add_row(f" {name}", value)
    return table


def short(number: float, width: int = NUMBER_WIDTH) -> str:
    """A number for a table: five significant digits, or fewer where `width` has no room for them.
    A `width` of 10 has room for three of any float64, and for four of most."""
    for digits in (5, 4, 3):
        text = format(number, f"#.{digits}g").removesuffix(".")
        if len(text) <= width:
            return text
    return format(number, ".2g")


def exact(number: float) -> str:
    """A number for a summary: eight significant digits at most."""
    return format(number, ".8g")


def shortened(text: str, width: int) -> str:
    """The start and the end of `text`, where names differ, in `width` columns of a terminal."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    start, end = width // 2, width - width // 2 - 1
    # Half of a character that is two columns wide becomes a space.
    first, last = set_cell_size(text, start), set_cell_size(text[::-1], end)[::-1]
    return f"{first.rstrip()}…{last.lstrip()}"


def r_squared(value: float) -> str:
    """R² for a summary."""
    return "none: the target does not vary" if math.isnan(value) else exact(value)
