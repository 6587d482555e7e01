"""How the rows of a run are laid out: an epoch a row, or a param a row where that has no room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gdfit.descent.fit import Run
from gdfit.descent.history import losses, params_names
from gdfit.descent.loop import Step
from gdfit.errors import printable
from gdfit.show.leading import MOST, leading
from gdfit.show.style import NUMBER_WIDTH, short, shortened

if TYPE_CHECKING:
    from rich.table import Table

SPACINGS = ((NUMBER_WIDTH, 3), (NUMBER_WIDTH, 2), (NUMBER_WIDTH, 1), (11, 1), (10, 1))
"""Widths of a number and of the gap before it, from wide to narrow."""

NARROWEST = (9, 1)  # where a terminal has hardly room for a param a row

LONG_NAME = 20  # what a long name is given at least, before numbers get narrower


class Column(NamedTuple):
    """A column's name and width."""

    label: str
    width: int
    is_text: bool = False


@dataclass(frozen=True)
class Form:
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

        table = Table(
            box=None, show_header=show_header, header_style="bold", padding=(0, 0, 0, self.gap)
        )
        for label, width, is_text in self.columns:
            table.add_column(
                label,
                width=width,
                justify="left" if is_text else "right",
                no_wrap=True,
                style={"epoch": "cyan", "loss": "bold"}.get(label, ""),
            )
        for place, step in enumerate(steps):
            if place and self.is_tall:
                table.add_row()
            for cells in self.cells(step):
                table.add_row(*cells)
        return table


def form_of(run: Run, width: int, *, whole_names: bool) -> Form:
    """How to lay out the steps of `run` in a `width`, or more where whole names need it."""
    names = [printable(name) for name in params_names(run.observations.features)]
    labels = ["loss"] if run.validation is None else ["loss", "validation"]
    epoch = Column("epoch", max(len("epoch"), len(str(run.settings.epochs))))
    if len(run.observations.features) <= MOST:
        form = wide_form(epoch, labels, names, width)
        if form:
            return form
    places = [*leading(run.observations), len(names) - 1]
    return tall_form(epoch, labels, [names[place] for place in places], places, width, whole_names)


def wide_form(
    epoch: Column, labels: Sequence[str], names: Sequence[str], width: int
) -> Form | None:
    """An epoch a row; None where that has no room."""
    from rich.cells import cell_len

    labels = [*labels, *names, *(f"grad {name}" for name in names)]
    for number, gap in SPACINGS:
        columns = (epoch, *(Column(label, max(number, cell_len(label))) for label in labels))
        form = Form(columns, gap, partial(wide_cells, width=number))
        if form.width <= width:
            return form
    return None


def wide_cells(step: Step, width: int) -> list[list[str]]:
    """A step as a row, its numbers in `width`."""
    numbers = (*losses(step), *step.params.tolist(), *step.grad.tolist())
    return [[str(step.epoch), *(short(number, width) for number in numbers)]]


def tall_form(
    epoch: Column,
    labels: Sequence[str],
    names: Sequence[str],
    places: Sequence[int],
    width: int,
    whole_names: bool,
) -> Form:
    """A param a row, those at `places`, of such `names`: for several features. Where even this has
    no room, the terminal breaks the lines."""
    from rich.cells import cell_len

    longest = max(map(cell_len, ("param", *names)))
    for number, gap in (*SPACINGS, NARROWEST):
        left = width - 2 * gap - epoch.width - (len(labels) + 2) * (gap + number)
        if left >= min(longest, LONG_NAME):
            break
    if not whole_names:
        longest = min(longest, max(left, len("param")))
    name = Column("param", longest, is_text=True)
    numbers = [Column(label, number) for label in (*labels, "params", "grad")]
    told = [shortened(text, longest) for text in names]

    def cells(step: Step) -> list[list[str]]:
        first = [str(step.epoch), *(short(loss, number) for loss in losses(step))]
        params, grad = step.params[places].tolist(), step.grad[places].tolist()
        return [
            [
                *([""] * len(first) if row else first),
                label,
                short(param, number),
                short(slope, number),
            ]
            for row, (label, param, slope) in enumerate(zip(told, params, grad, strict=True))
        ]

    return Form((epoch, *numbers[:-2], name, *numbers[-2:]), gap, cells, is_tall=True)
