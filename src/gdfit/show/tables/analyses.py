"""Analyses on standard output: an evaluation, a curvature, a gradient check and a graph, as Rich
tables or trees; or as JSON or CSV."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from gdfit.analysis.autograd import GradientCheck, GraphNode, describe
from gdfit.analysis.coursework import Marked
from gdfit.analysis.handouts import Handout
from gdfit.analysis.submissions import Checked
from gdfit.choices import RowsForm, TableForm
from gdfit.descent.curvature import Curvature
from gdfit.descent.outcome import params_names
from gdfit.errors import printable
from gdfit.model.evaluation import ClassEvaluation, Evaluation
from gdfit.model.linear import LinearModel, finite, to_json
from gdfit.show.tables import style
from gdfit.show.tables.style import exact, key_values, r_squared_text, show

CLASS_WIDTH = 16  # columns of a terminal that the name of a class takes at most


def show_evaluation(
    evaluation: Evaluation | ClassEvaluation, model: LinearModel, output: RowsForm
) -> None:
    """Print an evaluation."""
    if output == "json":
        print(to_json(vars(evaluation)))
        return
    if output == "csv":
        found = finite(vars(evaluation))
        if confusion := found.pop("confusion", None):
            found |= dict(
                zip(("tn", "fp", "fn", "tp"), [*confusion[0], *confusion[1]], strict=True)
            )
        measures = {name: "" if value is None else value for name, value in found.items()}
        csv.writer(sys.stdout, lineterminator="\n").writerows([measures, measures.values()])
        return
    console = style.stdout_console(output)
    if isinstance(evaluation, ClassEvaluation):
        assert model.classes
        one_class = math.isnan(evaluation.auc)
        lines = [
            ("N", str(evaluation.observations)),
            ("log loss", exact(evaluation.log_loss)),
            ("accuracy", exact(evaluation.accuracy)),
            ("AUC", "none: there is one class alone" if one_class else exact(evaluation.auc)),
        ]
        show(console, key_values(lines))
        console.line()
        names = [style.shortened(printable(name), CLASS_WIDTH) for name in model.classes.names]
        table = style.new_table(
            f"{style.shortened(printable(model.target), CLASS_WIDTH)} observed",
            [f"told {name}" for name in names],
        )
        for name, counts in zip(names, evaluation.confusion, strict=True):
            table.add_row(name, *map(str, counts))
        show(console, table)
        return
    lines = [
        ("N", str(evaluation.observations)),
        ("MSE", exact(evaluation.mse)),
        ("RMSE", exact(evaluation.rmse)),
        ("MAE", "none: of condensed rows" if math.isnan(evaluation.mae) else exact(evaluation.mae)),
        ("R²", r_squared_text(evaluation.r_squared, intercept=model.intercept)),
    ]
    show(console, key_values(lines))


def curvature_record(curvature: Curvature, momenta: Sequence[float]) -> dict[str, Any]:
    """The keys of a curvature's JSON object; limits are at each of the `momenta`."""
    with_momentum = {
        name: {
            "at": momenta[0],
            "max_stable_lr": curvature.limit_of(name, momenta[0]),
            "limits": [curvature.limit_of(name, mu) for mu in momenta],
            **curvature.tuned(name)._asdict(),
        }
        for name in ("momentum", "nesterov")
    }
    return {
        "lambda_min": curvature.lambda_min,
        "lambda_max": curvature.lambda_max,
        "condition_number": curvature.condition_number,
        "max_stable_lr": curvature.max_stable_lr,
        "best_lr": curvature.best_lr,
        "epochs_per_digit": curvature.epochs_per_digit(curvature.best_lr),
        "unique_minimum": curvature.is_unique,
        "minimum_loss": curvature.minimum_loss,
        **with_momentum,
    }


def show_curvature(
    given: Curvature, scaled: Curvature | None, output: TableForm, momenta: Sequence[float]
) -> None:
    """Print a curvature: as the data is, and standardized; limits are at these `momenta`."""
    before = curvature_record(given, momenta)
    after = curvature_record(scaled, momenta) if scaled else None
    if output == "json":
        print(to_json({**before, "standardized": after}))
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
    for key, label in labels.items():
        table.add_row(label, *(style.short(keys[key]) if keys else "—" for keys in (before, after)))
    fastest = {
        "best_lr": "  fastest at lr",
        "best_momentum": "  and --momentum",
        "epochs_per_digit": "  epochs per digit there",
    }
    for name in ("momentum", "nesterov"):
        table.add_section()
        table.add_row(f"--optimizer {name}")
        for place, mu in enumerate(momenta):
            limits = (
                style.short(keys[name]["limits"][place]) if keys else "—"
                for keys in (before, after)
            )
            table.add_row(f"  stable at {mu:g} for lr below", *limits)
        for key, label in fastest.items():
            write = exact if key == "best_momentum" else style.short  # which may be just below 1
            cells = (write(keys[name][key]) if keys else "—" for keys in (before, after))
            table.add_row(label, *cells)
    console = style.stdout_console(output)
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


def show_gradients(check: GradientCheck, features: Sequence[str], output: TableForm) -> None:
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
    show(style.stdout_console(output), table, lines)


def print_graph(root: GraphNode) -> None:
    """A computational graph as a Rich tree, from the loss to the leaves."""
    from rich.tree import Tree

    def add(tree: Tree, node: GraphNode) -> None:
        for earlier in node.inputs:
            add(tree.add("\n".join(describe(earlier))), earlier)

    tree = Tree("\n".join(describe(root)))
    add(tree, root)
    show(style.stdout_console(), tree)


def show_solution(handout: Handout) -> None:
    """Print what data are made with, and what train gives for them."""
    fit, (_, _, params) = handout.fit, handout.drawn
    table = style.new_table(
        "param", ["made with", f"train{' --loss logistic' * handout.classes} gives"]
    )
    names = params_names(fit.model.features)
    for name, made, found in zip(names, params, fit.model.params, strict=True):
        table.add_row(name, exact(made), exact(found))
    console = style.stdout_console()
    lines = [("loss", exact(fit.loss))]
    if not handout.classes:
        lines.append(("R²", r_squared_text(fit.r_squared)))
    show(console, table, key_values(lines))


SIGNS_OF = {"same": "✓", "differs": "✗", "error": "✗", "missing": "–"}


def show_marks(marks: Iterable[Marked], output: Literal["table", "json"]) -> bool:
    """Print what has come out for each submission, as it does; whether all have passed."""
    if output == "json":
        every = [each.record for each in marks]
        told = finite(every[0] if len(every) == 1 else every)
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return all(each["passed"] for each in every)
    passed = []
    for marked in marks:
        passed.append(marked.passed)
        print(printable(marked.submission))
        for each in marked.checks:
            print(f" {SIGNS_OF[each.status]} {told_of(each)}", flush=True)
            if each.mistake:
                print(f"   {each.mistake}", flush=True)
    if len(passed) > 1:
        print(f"{sum(passed)} of {len(passed)} submissions are right")
    return all(passed)


def told_of(checked: Checked) -> str:
    """What has come out for a part of a submission, in a line."""
    where = f" ({checked.at})" if checked.at else ""
    if checked.status == "error":
        return f"{checked.what}: {checked.found}{where}"
    if checked.status == "missing":
        return f"{checked.what} is not there"
    if checked.status == "same":
        return checked.what
    numbers = [
        ", ".join(map(exact, each))
        if isinstance(each, list)
        else exact(each)
        if isinstance(each, float)
        else "nothing"
        if each is None
        else str(each)
        for each in (checked.expected, checked.found)
    ]
    return f"{checked.what}: expected {numbers[0]}, found {numbers[1]}{where}"
