"""What the commands print besides a run: Rich tables and trees, and how all of them look."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from gdfit.analysis.gradcheck import GradientCheck
from gdfit.analysis.graph import Node, describe
from gdfit.descent.curvature import Curvature
from gdfit.descent.history import params_names
from gdfit.errors import printable
from gdfit.model.evaluation import Evaluation

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.tree import Tree

NUMBER_WIDTH = 11  # of a number as `short` writes it


def print_evaluation(evaluation: Evaluation) -> None:
    """An evaluation as a table."""
    lines = [
        ("N", str(evaluation.observations)),
        ("MSE", exact(evaluation.mse)),
        ("RMSE", exact(evaluation.rmse)),
        ("MAE", exact(evaluation.mae)),
        ("R²", r_squared(evaluation.r_squared)),
    ]
    show(console_for(sys.stdout), key_values(lines))


def curvature_record(given: Curvature, scaled: Curvature | None) -> dict[str, object]:
    """The keys of a curvature's JSON object."""

    def keys(bends: Curvature) -> dict[str, object]:
        return {
            "lambda_min": bends.lambda_min,
            "lambda_max": bends.lambda_max,
            "condition_number": bends.condition_number,
            "max_stable_lr": bends.max_stable_lr,
            "best_lr": bends.best_lr,
            "epochs_per_digit": bends.epochs_per_digit(bends.best_lr),
            "unique_minimum": bends.is_unique,
            "minimum_loss": bends.minimum_loss,
        }

    return {**keys(given), "standardized": keys(scaled) if scaled else None}


def print_curvature(given: Curvature, scaled: Curvature | None) -> None:
    """A curvature as a table: as the data is, and standardized."""
    labels = {
        "lambda_min": "λmin",
        "lambda_max": "λmax",
        "condition_number": "condition number λmax/λmin",
        "max_stable_lr": "stable for lr below 2/λmax",
        "best_lr": "fastest at lr 2/(λmin + λmax)",
        "epochs_per_digit": "epochs per digit at that rate",
    }
    table = new_table(show_header=True)
    table.add_column("", no_wrap=True)
    add_numbers(table, "as it is", "standardized")
    before = curvature_record(given, None)
    after = curvature_record(scaled, None) if scaled else {}
    for key, label in labels.items():
        cells = [short(float(str(keys[key]))) if keys else "—" for keys in (before, after)]
        table.add_row(label, *cells)
    console = console_for(sys.stdout)
    show(console, table)
    if not given.is_unique:
        console.line()
        console.print(
            "Some columns depend on others, so that the minimum is not unique. λmin is the "
            "smallest eigenvalue that is not 0."
        )
    if not scaled:
        console.line()
        console.print("A column does not vary, and can't be standardized.")


def print_gradients(check: GradientCheck, features: Sequence[str]) -> None:
    """A gradient check as a table, a param a row."""
    table = new_table(show_header=True)
    table.add_column("param", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    for name in check.gradients:
        table.add_column(f"grad by {name}", justify="right", no_wrap=True)
    for place, name in enumerate(params_names(features)):
        slopes = [format(grad[place], ".12g") for grad in check.gradients.values()]
        table.add_row(printable(name), exact(check.params[place]), *slopes)
    console = console_for(sys.stdout)
    show(console, table)
    console.line()
    lines = [
        ("loss", exact(check.loss)),
        ("difference", f"{check.difference:.2g} at most, relative"),
    ]
    show(console, key_values(lines))


def print_graph(root: Node) -> None:
    """A computational graph as a Rich tree, from the loss to the leaves."""
    from rich.tree import Tree

    def add(tree: Tree, node: Node) -> None:
        for earlier in node.inputs:
            add(tree.add("\n".join(describe(earlier))), earlier)

    tree = Tree("\n".join(describe(root)))
    add(tree, root)
    show(console_for(sys.stdout), tree)


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
