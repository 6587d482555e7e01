"""Many models on standard output, a table of a dozen of them, JSON or CSV: a path of penalties, or
a model for each group."""

from __future__ import annotations

import csv
import math
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gdfit.choices import RowsForm
from gdfit.data.terms.expansion import enclosed
from gdfit.descent.by_group import TOO_FEW, GroupFits, GroupPrediction
from gdfit.descent.outcome import params_names
from gdfit.descent.penalty_path import PenaltyPath
from gdfit.errors import printable
from gdfit.model.family import listed_groups
from gdfit.model.linear import to_json
from gdfit.show.tables import reports, style, words
from gdfit.show.tables.style import NameValue, cell, counted, exact, key_values, r_squared_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN_PENALTIES = 12
MEANT = {
    "l1": "½MSE + λ·‖w‖₁",
    "l2": "½MSE + λ·½‖w‖²",
    "mix": "½MSE + λ·({0:g}·‖w‖₁ + {1:g}·½‖w‖²)",
}
AS_IN = {"l1": "alpha of scikit-learn's Lasso", "mix": "alpha of scikit-learn's ElasticNet"}


def print_path(found: PenaltyPath, form: RowsForm, command: str, model: Path | None) -> None:
    """Print a path, the model's file, if there is one, and the `command` to type next."""
    if form == "json":
        print(to_json({**found.record, "next": command}))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(found.columns)
        for row in zip(*found.columns.values(), strict=True):
            writer.writerow("" if math.isnan(number) else number for number in row)
    else:
        way = "find the λ that predicts best" if found.cv_mean is None else "descend to it"
        lines = [("model", printable(str(model)))] if model else []
        lines.append(("next", f"to {way}, type {printable(command)}"))
        show_path(style.stdout_console(form), found, lines if form == "table" else ())


def show_path(console: Console, found: PenaltyPath, lines: Sequence[NameValue] = ()) -> None:
    """Write a table of the path, which λ predict best, and `lines` of more to say."""
    folds = found.fold_losses
    width = style.width_of(console) - 2
    how = f" · {counted(len(found.lambdas), 'penalty')}".replace("penaltys", "penalties")
    console.print(f" {words.data_subject(found.observations, how, width)}")
    console.line()
    headers = ["nonzero", "loss", "R²", *(["cv", "± std error", ""] if folds is not None else [])]
    table = style.new_table("λ", headers)
    marks = {found.place("1se"): "1se", found.place("least"): "least"}
    if found.place("1se") == found.place("least"):
        marks = {found.place("least"): "least, 1se"}
    for shown in shown_places(found):
        cells = [str(found.nonzero[shown]), cell(found.losses[shown], 5)]
        cells.append(cell(found.r_squared[shown], 5))
        if found.cv_mean is not None and found.cv_std_error is not None:
            cells += [cell(found.cv_mean[shown], 5), cell(found.cv_std_error[shown], 3)]
            cells.append(marks.get(shown, ""))
        table.add_row(cell(float(found.lambdas[shown]), 5), *cells)
    style.show(console, table)
    console.line()
    style.show(console, key_values([*path_lines(found), *lines]))


def shown_places(found: PenaltyPath) -> list[int]:
    """The places of a dozen λ, evenly over all of them, with those that are told of."""
    even = np.linspace(0, len(found.lambdas) - 1, SHOWN_PENALTIES).round().astype(int).tolist()
    told = (found.place("least"), found.place("1se"))
    return sorted({*even, *(place for place in told if place is not None)})


def path_lines(found: PenaltyPath) -> Iterator[NameValue]:
    """What λ means, and which one predicts best."""
    meant = MEANT[found.penalty].format(found.mix, 1 - found.mix)
    alike = AS_IN.get(found.penalty, "alpha/N of scikit-learn's Ridge")
    if found.observations.intercept:  # glmnet divides by the deviation without one, too
        alike = f"lambda of glmnet, {alike}"
    yield "λ", f"{meant}, w of {style.scaled_column(found.observations.intercept)}: {alike}"
    takes = {"l1": "--l1 is 2λ", "l2": "--l2 is λ"}
    mixed = f"--l1 is {2 * found.mix:g}·λ, --l2 is {1 - found.mix:g}·λ"
    yield "train", f"minimizes twice that: {takes.get(found.penalty, mixed)}"
    for name, why in (("least", "the least cv"), ("1se", "the largest λ within its std error")):
        at = found.place("least" if name == "least" else "1se")
        if at is None:
            return
        r_squared = r_squared_text(float(found.r_squared[at]))
        weights = f"{found.nonzero[at]} of {counted(len(found.observations.features), 'weight')}"
        yield name, f"λ = {exact(found.lambdas[at])}, {why}: {weights}, R² {r_squared}"


SHOWN_GROUPS = 12


class GroupsTold(NamedTuple):
    """What is told of groups besides their fits: `facts` that all share, predictions, and the
    model's file, if there is one."""

    facts: Mapping[str, object] = {}
    predictions: Sequence[GroupPrediction] = ()
    model: Path | None = None


def print_groups(fits: GroupFits, form: str, told: GroupsTold) -> None:
    """Print the fits of groups: as a JSON list, a line for each; a row of CSV for each; quiet, the
    params of each on a line: the group, then w… b; or a table."""
    if form == "json":
        sys.stdout.writelines(listed_groups(fits.records(told.facts, told.predictions)))
    elif form == "csv":
        print_groups_csv(fits)
    elif form == "quiet":
        for fit in fits:
            if fit.make:
                name = fits.label(fit.group)
                print(enclosed(name) if {*name} & {" ", '"'} else name, *fit.row[:-2])
    else:
        shown = told if form == "table" else told._replace(model=None)
        show_groups(style.stdout_console(form), fits, shown)


def show_groups(console: Console, fits: GroupFits, told: GroupsTold) -> None:
    """Write a table of the largest groups, and how the runs of all have ended."""
    name = printable(fits.groups.column)
    width = style.width_of(console)
    how = f" · {counted(len(fits), 'group')} by {name}"
    console.print(f" {words.data_subject(fits.groups, how, width - 2)}")
    console.line()
    features = fits.features[:SHOWN_GROUPS]
    names = [*params_names(fits.features)[: len(features)], "b"]
    shown = [*islice(fits, SHOWN_GROUPS)]
    is_even = all(fit.status == "completed" for fit in shown)
    headers = ["N", *map(printable, names), "loss", "R²", *([] if is_even else ["ended"])]
    rows = []
    for fit in shown:
        params = [cell(value, 5) for value in fit.row] or ["—"] * (len(names) + 2)
        params = [*params[: len(features)], *params[-3:]]
        ended = [] if is_even else [fit.status]
        rows.append([fits.label(fit.group), f"{fit.observations:,}", *params, *ended])
    for table in tables_of(name, headers, rows, width):
        style.show(console, table)
        console.line()
    style.show(console, key_values(group_lines(fits, told)))


def tables_of(
    first: str, headers: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> Iterator[Table]:
    """Rows as a table, or where that would be too wide as several with some columns each."""
    from rich.cells import cell_len

    room = width // 4
    texts = zip(*([first, *headers], *rows), strict=True)
    wide = [max(map(cell_len, column)) + 2 for column in texts]
    start = 0
    while start < len(headers):
        end, used = start + 1, min(wide[0], room) + wide[start + 1]
        while end < len(headers) and used + wide[end + 1] <= width:
            used, end = used + wide[end + 1], end + 1
        table = style.new_table(first, headers[start:end])
        for name, *cells in rows:
            table.add_row(style.shortened(name, room), *cells[start:end])
        yield table
        start = end


def group_lines(fits: GroupFits, told: GroupsTold) -> Iterator[NameValue]:
    """What is not in the table: how all have ended, and what is predicted."""
    for there, what in ((fits, "smaller group"), (fits.features, "more weight")):
        if (more := len(there) - SHOWN_GROUPS) > 0:
            yield "…", f"and {counted(more, what)}: --format csv and JSON have all"
    counts = Counter(fit.status for fit in fits)
    yield "ended", ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
    known = [fit.arrived for fit in fits if fit.make]
    if known and None not in known:
        yield "arrived", f"{sum(map(bool, known)):,} of {len(known):,}"
    for x, y in told.predictions:
        at = reports.inputs_text(fits.groups, fits.groups.made_of.inputs, x)
        yield "prediction", f"{fits.groups.target_name} = {exact(y)} at {at}"
    if told.model and fits.has_models:
        yield "model", printable(str(told.model))


def group_remarks(fits: GroupFits) -> Iterator[str]:
    """What to say of the runs of some groups, and what to type."""
    few = sum(fit.status == TOO_FEW for fit in fits)
    if few:
        what = f"{counted(few, 'group')} of fewer rows than params"
        yield f"{what} {'has' if few == 1 else 'have'} no model"
    apart = sum(fit.is_separable for fit in fits)
    if apart and not fits.settings.is_penalized:
        yield f"a plane separates the classes of {counted(apart, 'group')}: `l2` 0.1 keeps w finite"
    flat = sum(fit.is_flat for fit in fits)
    if flat:
        what = "a column does not vary, or depends on others: its weight is 0, or shared"
        yield f"in {counted(flat, 'group')} {what}"
    worse = sum(bool(fit.row) and fit.row[-1] < 0 for fit in fits)
    if worse and fits.settings.lr != "auto":
        what = f"the models of {counted(worse, 'group')} are worse than the mean"
        yield f"{what}: more `epochs`, or `lr` auto, bring them nearer to the minimum"
    short = sum(fit.arrived is False for fit in fits)
    if short and fits.settings.lr == "auto":
        what = f"the runs of {counted(short, 'group')} have not arrived at the minimum"
        yield f"{what}: more `epochs` bring them nearer"


def print_groups_csv(fits: GroupFits) -> None:
    """Print a row of CSV for each group."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(fits.header)
    empty = [""] * (len(fits.features) + 3)
    for fit in fits:
        numbers = ["" if math.isnan(value) else value for value in fit.row] or empty
        writer.writerow([fits.label(fit.group), fit.observations, *numbers, fit.status])
