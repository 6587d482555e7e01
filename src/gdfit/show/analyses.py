"""What the commands print besides a run: evaluation, curvature, gradients and graph."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gdfit.analysis.gradcheck import GradientCheck
from gdfit.analysis.graph import Node, describe
from gdfit.descent.curvature import Curvature
from gdfit.descent.history import params_names
from gdfit.errors import printable
from gdfit.model.evaluation import Evaluation
from gdfit.show.style import (
    add_numbers,
    console_for,
    exact,
    key_values,
    new_table,
    r_squared,
    short,
    show,
)


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
    table = new_table()
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
    table = new_table()
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
