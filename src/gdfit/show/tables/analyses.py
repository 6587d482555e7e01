"""Analyses on standard output: an evaluation, a curvature, a gradient check, a graph, and a summary
of least squares, as Rich tables or trees; or as JSON or CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING, Literal

from gdfit.analysis.gradcheck import GradientCheck
from gdfit.analysis.graph import GraphNode, describe
from gdfit.analysis.inference import Estimate, Summary
from gdfit.descent.curvature import Curvature
from gdfit.descent.run import params_names
from gdfit.errors import listing, printable
from gdfit.model.evaluation import Evaluation
from gdfit.model.linear import finite, to_json
from gdfit.show.tables import style
from gdfit.show.tables.style import (
    NameValue,
    cell,
    counted,
    exact,
    key_values,
    r_squared_text,
    show,
)

if TYPE_CHECKING:
    from rich.table import Table

ReportForm = Literal["table", "json", "csv"]


def show_evaluation(evaluation: Evaluation, output: ReportForm) -> None:
    """Print an evaluation."""
    if output == "json":
        print(to_json(vars(evaluation)))
        return
    if output == "csv":
        measures = {
            name: "" if value is None else value for name, value in finite(vars(evaluation)).items()
        }
        csv.writer(sys.stdout, lineterminator="\n").writerows([measures, measures.values()])
        return
    lines = [
        ("N", str(evaluation.observations)),
        ("MSE", exact(evaluation.mse)),
        ("RMSE", exact(evaluation.rmse)),
        ("MAE", exact(evaluation.mae)),
        ("R²", r_squared_text(evaluation.r_squared)),
    ]
    show(style.stdout_console(), key_values(lines))


def curvature_record(given: Curvature, scaled: Curvature | None) -> dict[str, object]:
    """The keys of a curvature's JSON object."""

    def keys(curvature: Curvature) -> dict[str, object]:
        return {
            "lambda_min": curvature.lambda_min,
            "lambda_max": curvature.lambda_max,
            "condition_number": curvature.condition_number,
            "max_stable_lr": curvature.max_stable_lr,
            "best_lr": curvature.best_lr,
            "epochs_per_digit": curvature.epochs_per_digit(curvature.best_lr),
            "unique_minimum": curvature.is_unique,
            "minimum_loss": curvature.minimum_loss,
        }

    return {**keys(given), "standardized": keys(scaled) if scaled else None}


def show_curvature(given: Curvature, scaled: Curvature | None, output: ReportForm) -> None:
    """Print a curvature: as the data is, and standardized."""
    if output == "json":
        print(to_json(curvature_record(given, scaled)))
        return
    labels = {
        "lambda_min": "λmin",
        "lambda_max": "λmax",
        "condition_number": "condition number λmax/λmin",
        "max_stable_lr": "stable for lr below 2/λmax",
        "best_lr": "fastest at lr 2/(λmin + λmax)",
        "epochs_per_digit": "epochs per digit at that rate",
    }
    table = style.new_table("", ["as it is", "standardized"])
    table.columns[1].min_width = style.NUMBER_WIDTH
    before = curvature_record(given, None)
    after = curvature_record(scaled, None) if scaled else {}
    for key, label in labels.items():
        cells = [style.short(float(str(keys[key]))) if keys else "—" for keys in (before, after)]
        table.add_row(label, *cells)
    console = style.stdout_console()
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


def show_gradients(
    check: GradientCheck, features: Sequence[str], output: Literal["table", "json"]
) -> None:
    """Print a gradient check: as a table, a param a row."""
    if output == "json":
        gradients = {name: gradient.tolist() for name, gradient in check.gradients.items()}
        told = {"loss": check.loss, "difference": check.difference, "gradients": gradients}
        print(to_json({"names": params_names(features), "params": check.params.tolist(), **told}))
        return
    table = style.new_table("param", ["value", *(f"grad by {name}" for name in check.gradients)])
    for place, name in enumerate(params_names(features)):
        slopes = [format(grad[place], ".12g") for grad in check.gradients.values()]
        table.add_row(printable(name), exact(check.params[place]), *slopes)
    difference = f"{check.difference:.2g} at most, relative"
    lines = key_values([("loss", exact(check.loss)), ("difference", difference)])
    show(style.stdout_console(), table, lines)


def print_graph(root: GraphNode) -> None:
    """A computational graph as a Rich tree, from the loss to the leaves."""
    from rich.tree import Tree

    def add(tree: Tree, node: GraphNode) -> None:
        for earlier in node.inputs:
            add(tree.add("\n".join(describe(earlier))), earlier)

    tree = Tree("\n".join(describe(root)))
    add(tree, root)
    show(style.stdout_console(), tree)


SHORTEST_NAME = 12  # a name is cut to this only where even two digits leave no more room
ARRIVED = 1e-9  # standard errors: far below what anyone can tell


def show_summary(summary: Summary, output: ReportForm = "table", remark: str | None = None) -> None:
    """Print `summary`; `remark` is one line more for the table."""
    if output == "json":
        print(to_json({"params": [asdict(row) for row in summary.rows], **summary.figures}))
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([field.name for field in fields(Estimate)])
        writer.writerows(map(astuple, summary.rows))
    else:
        console = style.stdout_console()
        lines = key_values(summary_lines(summary, remark))
        show(console, estimates(summary, style.width_of(console)), lines)


def remark_on(record: Mapping[str, object]) -> str | None:
    """A remark where the model whose file holds `record` minimizes more than the squared error: its
    params are not on their way to the least-squares ones."""
    loss, l2 = record.get("loss_function"), record.get("l2")
    what = {"mae": "MAE", "huber": "Huber's loss"}.get(str(loss), "MSE")
    if isinstance(l2, int | float) and l2 > 0:
        what += f" + {l2:g}·‖w‖²"
    if what == "MSE":
        return None
    return f"fitted to {what}: all but the value column is plain least squares"


def estimates(summary: Summary, width: int) -> Table:
    """A row for each param, with as many digits as there is room for beside names that can be told
    apart."""
    from rich.cells import cell_len

    width = max(style.PIPE_WIDTH, width)
    names = [printable(row.name) for row in summary.rows]
    longest = max(map(cell_len, ("param", *names)))
    for digits in (5, 4, 3, 2):
        columns = estimate_cells(summary, digits)
        texts = [[*header.split("\n"), *cells] for header, cells in columns.items()]
        room = width - sum(max(map(cell_len, column)) + 2 for column in texts) - 1
        told = [style.shortened(name, max(room, 2)) for name in names]
        if room >= min(longest, SHORTEST_NAME) and len(set(told)) == len(set(names)):
            break
    table = style.new_table("param", columns, vertical="bottom")
    table.padding = (0, 0, 0, 1)
    for row in zip(told, *columns.values(), strict=True):
        table.add_row(*row)
    return table


def estimate_cells(summary: Summary, digits: int) -> dict[str, list[str]]:
    """The cells of each column of numbers, by its header."""
    rows, percent = summary.rows, f"{100 * summary.level:g} %"
    fewer = max(digits - 1, 2)
    has_model = any(row.value is not None for row in rows)
    values = {"value": [cell(row.value, digits) for row in rows]} if has_model else {}
    return values | {
        "least\nsquares": [cell(row.least_squares, digits) for row in rows],
        "std\nerror": [cell(row.std_error, fewer) for row in rows],
        "t": [cell(row.t, fewer) for row in rows],
        "p": [probability(row.p, min(fewer, 3)) for row in rows],
        f"{percent}\nlow": [cell(row.low, digits) for row in rows],
        f"{percent}\nhigh": [cell(row.high, digits) for row in rows],
    }


def probability(p: float | None, digits: int) -> str:
    """A p-value for a table; below 1e-300 float64 loses digits, and then the number."""
    return "<1e-300" if p is not None and p < 1e-300 else cell(p, digits)


def summary_lines(summary: Summary, remark: str | None) -> list[NameValue]:
    """The fit as a whole, a line for each thing to say of it."""
    found = [
        ("N", str(summary.observations)),
        ("residuals", residuals(summary)),
        ("R²", r_squared_line(summary)),
        ("F", f_statistic(summary)),
    ]
    farthest = max(summary.rows, key=lambda row: row.distance or 0.0)
    if farthest.distance is not None:
        shared = "dependent columns share their weights, in any way that adds up to the same"
        far = distance_text(farthest.distance, printable(farthest.name))
        found.append(("descent", shared if summary.dependent else far))
    if remark:
        found.append(("model", remark))
    if names := summary.dependent:
        them = "it" if len(names) == 1 else "them"
        why = f"dependent on the columns before {them}, or constant"
        found.append(("left out", f"{listing(names)}: {why}"))
    return found


def distance_text(distance: float, name: str) -> str:
    """The distance of descent from least squares: so many standard errors, in the param `name`."""
    if distance < ARRIVED:
        return "at least squares, but for rounding"
    return f"at most {distance:.2g} standard errors from least squares ({name})"


def residuals(summary: Summary) -> str:
    """The residual standard error and its degrees of freedom, or why there is none."""
    error = summary.residual_std_error
    if error is None:
        observations = counted(summary.observations, "observation", "d")
        params = counted(len(summary.rows), "param", "d")
        return f"none left to tell errors from: {observations} for {params}"
    if error == 0:
        return "0 but for rounding: a perfect fit has no t and no p"
    return f"standard error {exact(error)} on {counted(summary.df, 'degree', 'd')} of freedom"


def r_squared_line(summary: Summary) -> str:
    """R² and adjusted R², or why there is none."""
    text, adjusted = r_squared_text(summary.r_squared), summary.adjusted_r_squared
    return text if adjusted is None else f"{text}, adjusted {exact(adjusted)}"


def f_statistic(summary: Summary) -> str:
    """F and its p, or why there is none."""
    if summary.f is None or summary.f_p is None:
        if summary.r_squared is None:
            return r_squared_text(None)
        if summary.residual_std_error is None:
            return "none: no degrees of freedom are left"
        if summary.residual_std_error == 0:
            return "none: the fit is perfect"
        return "none: no feature varies"
    p, degrees = probability(summary.f_p, 3), counted(summary.df, "degree", "d")
    equal = "" if p.startswith("<") else "= "
    return f"{exact(summary.f)} on {summary.slopes} and {degrees} of freedom, p {equal}{p}"
