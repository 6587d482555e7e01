"""Summaries on standard output, of least squares or the largest likelihood: table, JSON or CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING

from gdfit.analysis.inference import Estimate, LikelihoodEstimate, LikelihoodSummary, Summary
from gdfit.choices import RowsForm
from gdfit.data.batch import Level
from gdfit.data.terms.expansion import level_name
from gdfit.errors import listing, printable
from gdfit.model.family import listed_groups
from gdfit.model.linear import to_json
from gdfit.show.tables import style
from gdfit.show.tables.style import NameValue, cell, counted, exact, key_values, r_squared_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHORTEST_NAME = 12  # a name is cut to this only where even two digits leave no more room
ARRIVED = 1e-9  # standard errors: far below what anyone can tell


AnySummary = Summary | LikelihoodSummary


def show_summary(
    summary: AnySummary, output: RowsForm = "table", remark: str | None = None
) -> None:
    """Print `summary`; `remark` is one line more for the table."""
    if output == "json":
        print(to_json(summary_record(summary)))
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([field.name for field in fields(summary.rows[0])])
        writer.writerows(astuple(row) for row in summary.rows)
    else:
        tell_summary(style.stdout_console(output), summary, remark)


def tell_summary(console: Console, summary: AnySummary, remark: str | None = None) -> None:
    """Write a summary as two tables: a row for each param, and the fit as a whole."""
    if isinstance(summary, LikelihoodSummary):
        found = likelihood_lines(summary)
    else:
        found = squares_lines(summary)
    lines = key_values([*found, *shared_lines(summary, remark)])
    style.show(console, estimates(summary, style.width_of(console)), lines)


def summary_record(summary: AnySummary) -> dict[str, object]:
    """A summary as JSON has it."""
    return {"params": [asdict(row) for row in summary.rows], **summary.figures}


SHOWN_SUMMARIES = 12


def show_summaries(
    column: str,
    summaries: Iterable[tuple[Level, AnySummary]],
    output: RowsForm = "table",
    remark: str | None = None,
) -> None:
    """Print the summary of each group, which the `column` says; of many, tables of the first."""
    if output == "json":
        records = ({"group": group, **summary_record(summary)} for group, summary in summaries)
        sys.stdout.writelines(listed_groups(records))
        return
    if output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        for place, (group, summary) in enumerate(summaries):
            if not place:
                writer.writerow([column, *(field.name for field in fields(summary.rows[0]))])
            writer.writerows((group, *astuple(row)) for row in summary.rows)
        return
    console = style.stdout_console(output)
    for place, (group, summary) in enumerate(summaries):
        if place:
            console.line()
        if place == SHOWN_SUMMARIES:
            console.print(" … and smaller groups: --format csv and JSON have all")
            return
        console.print(f" {printable(column)} {printable(level_name(group))}")
        console.line()
        tell_summary(console, summary, remark)


def remark_on(record: Mapping[str, object]) -> str | None:
    """A remark where the model whose file holds `record` minimizes something else: its params are
    not on their way to those of the summary."""
    loss = str(record.get("loss_function", "mse"))
    best = {"mse": "plain least squares", "logistic": "the largest likelihood"}
    names = {"mse": "MSE", "mae": "MAE", "huber": "Huber's loss", "logistic": "log loss"}
    penalties = [(record.get(name), norm) for name, norm in (("l2", "‖w‖²"), ("l1", "‖w‖₁"))]
    added = [f" + {by:g}·{norm}" for by, norm in penalties if isinstance(by, int | float) and by]
    if not added and loss in best:
        return None
    what = names.get(loss, f"the {loss} loss") + "".join(added)
    return f"fitted to {what}: all but the value column is {best.get(loss, best['mse'])}"


def estimates(summary: AnySummary, width: int) -> Table:
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


def estimate_cells(summary: AnySummary, digits: int) -> dict[str, list[str]]:
    """The cells of each column of numbers, by its header."""
    rows, percent = summary.rows, f"{100 * summary.level:g} %"
    fewer = max(digits - 1, 2)
    has_model = any(row.value is not None for row in rows)
    values = {"value": [cell(row.value, digits) for row in rows]} if has_model else {}
    if isinstance(summary, LikelihoodSummary):
        values |= {"largest\nlikelihood": [cell(row.estimate, digits) for row in summary.rows]}
        statistic = {"z": [cell(row.z, fewer) for row in summary.rows]}
    else:
        values |= {"least\nsquares": [cell(row.least_squares, digits) for row in summary.rows]}
        statistic = {"t": [cell(row.t, fewer) for row in summary.rows]}
    return values | {
        "std\nerror": [cell(row.std_error, fewer) for row in rows],
        **statistic,
        "p": [probability(row.p, min(fewer, 3)) for row in rows],
        f"{percent}\nlow": [cell(row.low, digits) for row in rows],
        f"{percent}\nhigh": [cell(row.high, digits) for row in rows],
    }


def probability(p: float | None, digits: int) -> str:
    """A p-value for a table; below 1e-300 float64 loses digits, and then the number."""
    return "<1e-300" if p is not None and p < 1e-300 else cell(p, digits)


def squares_lines(summary: Summary) -> list[NameValue]:
    """The fit as a whole, a line for each thing to say of it."""
    lines = [
        ("N", str(summary.observations)),
        ("residuals", residuals(summary)),
        ("R²", r_squared_line(summary)),
        ("F", f_statistic(summary)),
    ]
    if summary.aic is not None and summary.bic is not None:
        likelihood = f"log-likelihood {cell(summary.log_likelihood, 6)}"
        lines.append(("AIC", f"{exact(summary.aic)}, BIC {exact(summary.bic)}, {likelihood}"))
    if summary.standard_errors != "classical":
        what = "of clusters" if summary.standard_errors == "cluster" else summary.standard_errors
        lines.append(("std error", f"{what}; F, AIC and residuals are of errors that are alike"))
    if test := summary.anova:
        lines.append(("against", f"F {f_test(test.f, test.df1, test.df2, test.p)}"))
    inflated = max(summary.rows, key=lambda row: row.vif or 0.0)
    if summary.slopes > 1:
        lines.append(("VIF", f"at most {cell(inflated.vif, 3)} ({printable(inflated.name)})"))
    return lines


def likelihood_lines(summary: LikelihoodSummary) -> list[NameValue]:
    """The same for the largest likelihood."""
    left, null_left = (counted(df, "degree", "d") for df in (summary.df, summary.null_df))
    return [
        ("N", str(summary.observations)),
        ("null deviance", f"{exact(summary.null_deviance)} on {null_left} of freedom"),
        ("deviance", f"{exact(summary.deviance)} on {left} of freedom"),
        ("AIC", f"{exact(summary.aic)}, BIC {exact(summary.bic)}"),
    ]


def shared_lines(summary: AnySummary, remark: str | None) -> Iterator[NameValue]:
    """How near descent has come, and which params can't be told."""
    rows: tuple[Estimate | LikelihoodEstimate, ...] = summary.rows
    farthest = max(rows, key=lambda row: row.distance or 0.0)
    if farthest.distance is not None:
        shared = "dependent columns share their weights, in any way that adds up to the same"
        is_likelihood = isinstance(summary, LikelihoodSummary)
        best = "the largest likelihood" if is_likelihood else "least squares"
        far = distance_text(farthest.distance, printable(farthest.name), best)
        yield "descent", shared if summary.dependent else far
    if remark:
        yield "model", remark
    if names := summary.dependent:
        them = "it" if len(names) == 1 else "them"
        why = f"dependent on the columns before {them}, or constant"
        yield "left out", f"{listing(names)}: {why}"


def distance_text(distance: float, name: str, best: str) -> str:
    """The distance of descent from the `best` params: so many standard errors, in the param
    `name`."""
    if distance < ARRIVED:
        return f"at {best}, but for rounding"
    return f"at most {distance:.2g} standard errors from {best} ({name})"


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
    text = r_squared_text(summary.r_squared, intercept=summary.rows[-1].name == "b")
    value, *about = text.split(" ", 1)
    adjusted = summary.adjusted_r_squared
    told = value if adjusted is None else f"{value}, adjusted {exact(adjusted)}"
    return text if summary.r_squared is None else " ".join([told, *about])


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
    return f_test(summary.f, summary.slopes, summary.df, summary.f_p)


def f_test(f: float, df1: int, df2: int, p: float) -> str:
    """An F with its degrees of freedom and its p."""
    said, degrees = probability(p, 3), counted(df2, "degree", "d")
    equal = "" if said.startswith("<") else "= "
    return f"{exact(f)} on {df1} and {degrees} of freedom, p {equal}{said}"
