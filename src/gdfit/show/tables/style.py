"""The look of all tables: numbers and names in them, the layout of a run's rows, and which features
are shown where there are too many."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import IO, TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit, losses, params_names
from gdfit.descent.run import Run
from gdfit.descent.scaling import standardizing
from gdfit.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.tree import Tree

# A line of a summary, and several.
NameValue = tuple[str, str]
Lines = Sequence[NameValue]

NUMBER_WIDTH = 12  # of any number as `short` writes it: -1.2345e-308
PIPE = 1 << 16  # the width of what has none
PIPE_WIDTH = 80  # a pipe gets what fits on a terminal of this width, but for long names
NAME_WIDTH = 24  # of a name in a summary; longer ones are shortened
# Widths of a number and of the gap before it, from wide to narrow.
SPACINGS = ((NUMBER_WIDTH, 3), (NUMBER_WIDTH, 2), (NUMBER_WIDTH, 1), (11, 1), (10, 1))

NARROWEST_SPACING = (9, 1)  # where a terminal has hardly room for a param a row
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LONG_NAME = 20  # what a long name is given at least, before numbers get narrower
SHOWN_FEATURES = 12  # in a table


def stdout_console(form: str = "table") -> Console:
    """A Rich console on standard output that in a pipe wraps nothing, however long; or one that
    writes tables in another `form`, as Markdown or LaTeX."""
    from rich.console import Console

    if form != "table":
        return markup_console(form, sys.stdout)
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = PIPE
    return console


def markup_console(form: str, file: IO[str]) -> Console:
    """A console that writes what it shows to a file, in a `form` for documents."""
    from gdfit.show.tables.markup import PAPERS

    return PAPERS[form](file, PIPE)


def width_of(console: Console) -> int:
    """The width that tables are laid out for."""
    return console.width if console.is_terminal else PIPE_WIDTH


def show(console: Console, *tables: Table | Tree) -> None:
    """Print tables or trees, a blank line between them; in a pipe without the spaces that fill
    their lines. Where a table has no room, rather let the terminal break its lines than lose a
    digit."""
    from rich.table import Table

    for place, table in enumerate(tables):
        if place:
            console.line()
        if console.is_terminal:
            if isinstance(table, Table) and all(column.no_wrap for column in table.columns):
                unlimited = console.options.update(max_width=PIPE)
                needed = console.measure(table, options=unlimited).maximum
                table.width = needed if needed > console.width else None
            console.print(table, crop=False)
            continue
        with console.capture() as capture:
            console.print(table)
        console.file.writelines(line.rstrip() + "\n" for line in capture.get().splitlines())
        console.file.flush()


def new_table(
    first: str | None, numbers: Iterable[str], vertical: Literal["top", "bottom"] = "top"
) -> Table:
    """A table with a header and a line under it: a column of text, perhaps, and columns of numbers.

    vertical : where a name stands whose neighbours have more lines.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 1))
    if first is not None:
        table.add_column(first, no_wrap=True, vertical=vertical)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True, vertical=vertical)
    return table


def key_values(lines: Iterable[NameValue]) -> Table:
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


def cell(number: float | None, digits: int) -> str:
    """A number of so many significant digits for a table; a dash where there is none."""
    if number is None or math.isnan(number):
        return "—"
    return format(number, f"#.{digits}g").removesuffix(".")


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


def scaled_column(intercept: bool) -> str:
    """What a column x is standardized to; without an intercept it is not moved."""
    return "(x − mean)/std" if intercept else "x/√mean(x²)"


def counted(number: int, thing: str, form: str = ",d") -> str:
    """``1 epoch``, ``1,000 epochs``."""
    return f"{number:{form}} {thing}" + ("" if number == 1 else "s")


def superscript(number: int) -> str:
    """``¹²``."""
    return str(number).translate(SUPERSCRIPTS)


def r_squared_text(value: float | None, *, intercept: bool = True) -> str:
    """R² for a summary; without an intercept, that it is another one."""
    if value is None or math.isnan(value):
        return "none: the target does not vary"
    return exact(value) + ("" if intercept else " about 0, not the mean: there is no intercept")


class Column(NamedTuple):
    """A column's name and width, and on which side its cells stand."""

    label: str
    width: int
    justify: Literal["left", "right"] = "right"


class RowLayout(NamedTuple):
    """A way to lay out rows, of one width from the first to the last.

    columns : what they are.
    gap : how many spaces stand before each column.
    cells : gives the rows of a step.
    is_tall : whether a step has a row for each param, and a blank line before the next step.
    """

    columns: tuple[Column, ...]
    gap: int
    cells: Callable[[Step], list[list[str]]]
    is_tall: bool = False

    @property
    def width(self) -> int:
        """The width of every row."""
        return sum(self.gap + column.width for column in self.columns)

    def table(self, steps: Iterable[Step], *, show_header: bool = False) -> Table:
        """The rows of `steps`."""
        from rich.table import Table

        table = Table(box=None, show_header=show_header, header_style="bold")
        table.padding = (0, 0, 0, self.gap)
        for label, width, justify in self.columns:
            look = {"epoch": "cyan", "loss": "bold"}.get(label, "")
            table.add_column(label, width=width, justify=justify, no_wrap=True, style=look)
        for place, step in enumerate(steps):
            if place and self.is_tall:
                table.add_row()
            for cells in self.cells(step):
                table.add_row(*cells)
        return table


def table_layout(run: Run | Fit, width: int, *, whole_names: bool) -> RowLayout:
    """The layout of the steps of `run` in a `width`, or more where whole names need it."""
    names = [printable(name) for name in params_names(run.observations.features)]
    labels = ["loss"] if run.validation is None else ["loss", "validation"]
    done = (run.start_state if isinstance(run, Fit) else run.start).epochs
    epoch = Column("epoch", max(len("epoch"), len(str(done + run.settings.epochs))))
    if len(run.observations.features) <= SHOWN_FEATURES:
        layout = wide_layout(epoch, labels, names, width)
        if layout:
            return layout
    places = [*leading(run.observations), len(names) - 1]
    shown = {place: names[place] for place in places}
    return tall_layout(epoch, labels, shown, width, whole_names=whole_names)


def wide_layout(epoch: Column, labels: list[str], names: list[str], width: int) -> RowLayout | None:
    """An epoch a row; None where that has no room."""
    from rich.cells import cell_len

    def cells(step: Step) -> list[list[str]]:
        numbers = (*losses(step), *step.params.tolist(), *step.grad.tolist())
        return [[str(step.epoch), *(short(number, size) for number in numbers)]]

    labels = [*labels, *names, *(f"grad {name}" for name in names)]
    for size, gap in SPACINGS:
        columns = (epoch, *(Column(label, max(size, cell_len(label))) for label in labels))
        layout = RowLayout(columns, gap, cells)
        if layout.width <= width:
            return layout
    return None


def tall_layout(
    epoch: Column, labels: Sequence[str], names: dict[int, str], width: int, *, whole_names: bool
) -> RowLayout:
    """A param a row, those that have `names` by their places: for several features. Where even this
    has no room, the terminal breaks the lines."""
    from rich.cells import cell_len

    longest = max(map(cell_len, ("param", *names.values())))
    for size, gap in (*SPACINGS, NARROWEST_SPACING):
        left = width - 2 * gap - epoch.width - (len(labels) + 2) * (gap + size)
        if left >= min(longest, LONG_NAME):
            break
    if not whole_names:
        longest = min(longest, max(left, len("param")))
    places, told = [*names], [shortened(name, longest) for name in names.values()]

    def cells(step: Step) -> list[list[str]]:
        first = [str(step.epoch), *(short(loss, size) for loss in losses(step))]
        params, grad = step.params[places].tolist(), step.grad[places].tolist()
        rows = [
            [*[""] * len(first), name, short(param, size), short(slope, size)]
            for name, param, slope in zip(told, params, grad, strict=True)
        ]
        rows[0][: len(first)] = first
        return rows

    name = Column("param", longest, "left")
    numbers = [Column(label, size) for label in (*labels, "params", "grad")]
    return RowLayout((epoch, *numbers[:-2], name, *numbers[-2:]), gap, cells, is_tall=True)


def leading(observations: Observations, params: FloatArray | None = None) -> list[int]:
    """The places of all features, or of those `SHOWN_FEATURES` that count most, in their order.

    With `params`, a feature counts by |w|·std(x), by how much it moves the prediction. Before there
    are any, it counts by |correlation of x and y|: on standardized features, that is how steep the
    squared error is along its weight at the start, from zeros.
    """
    if len(observations.features) <= SHOWN_FEATURES:
        return list(range(len(observations.features)))
    scaling = standardizing(observations)
    if params is None:
        target = observations.target / (np.abs(observations.target).max() or 1.0)
        counts = target @ scaling.apply(observations.augmented)[:, :-2]
    else:
        with np.errstate(over="ignore", invalid="ignore"):  # the params of a run that diverged
            counts = params[:-1] * scaling.deviations
    return sorted(np.argsort(-np.abs(counts), kind="stable")[:SHOWN_FEATURES].tolist())
