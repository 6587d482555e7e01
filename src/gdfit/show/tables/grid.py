"""A path of penalties on standard output: a table of a dozen of them, JSON or CSV."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from gdfit.descent.penalty_path import PenaltyPath
from gdfit.errors import printable
from gdfit.model.linear import to_json
from gdfit.show.tables import style, words
from gdfit.show.tables.style import NameValue, cell, counted, exact, key_values, r_squared_text

SHOWN_PENALTIES = 12
MEANT = {
    "l1": "½MSE + λ·‖w‖₁",
    "l2": "½MSE + λ·½‖w‖²",
    "mix": "½MSE + λ·({0:g}·‖w‖₁ + {1:g}·½‖w‖²)",
}
AS_IN = {"l1": "alpha of scikit-learn's Lasso", "mix": "alpha of scikit-learn's ElasticNet"}


def show_path(found: PenaltyPath, place: int | None, command: str, model: Path | None) -> None:
    """Print a table of the path, which λ predict best, and the `command` to type next."""
    console, folds = style.stdout_console(), found.fold_losses
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
    style.show(console, key_values(path_lines(found, place, command, model)))


def shown_places(found: PenaltyPath) -> list[int]:
    """The places of a dozen λ, evenly over all of them, with those that are told of."""
    even = np.linspace(0, len(found.lambdas) - 1, SHOWN_PENALTIES).round().astype(int).tolist()
    told = (found.place("least"), found.place("1se"))
    return sorted({*even, *(place for place in told if place is not None)})


def path_lines(
    found: PenaltyPath, place: int | None, command: str, model: Path | None
) -> Iterator[NameValue]:
    """What λ means, which one predicts best, and what to type next."""
    meant = MEANT[found.penalty].format(found.mix, 1 - found.mix)
    alike = AS_IN.get(found.penalty, "alpha/N of scikit-learn's Ridge")
    yield "λ", f"{meant}, w of (x − mean)/std: lambda of glmnet, {alike}"
    takes = {"l1": "--l1 is 2λ", "l2": "--l2 is λ"}
    mixed = f"--l1 is {2 * found.mix:g}·λ, --l2 is {1 - found.mix:g}·λ"
    yield "train", f"minimizes twice that: {takes.get(found.penalty, mixed)}"
    if place is None:
        yield "next", f"to find the λ that predicts best, type {printable(command)}"
        return
    for name, why in (("least", "the least cv"), ("1se", "the largest λ within its std error")):
        at = found.place("least" if name == "least" else "1se")
        assert at is not None
        r_squared = r_squared_text(float(found.r_squared[at]))
        weights = f"{found.nonzero[at]} of {counted(len(found.observations.features), 'weight')}"
        yield name, f"λ = {exact(found.lambdas[at])}, {why}: {weights}, R² {r_squared}"
    if model:
        yield "model", printable(str(model))
    yield "next", f"to descend to it, type {printable(command)}"


def print_path_json(
    found: PenaltyPath, place: int | None, command: str, model: Path | None
) -> None:
    """Print the path as a JSON object."""
    print(to_json({**found.record, "next": command}))


def print_path_csv(found: PenaltyPath, place: int | None, command: str, model: Path | None) -> None:
    """Print the path as CSV, a row for each λ."""
    found.frame.to_csv(sys.stdout, index=False, lineterminator="\n")


# By the name of what standard output gets.
PATH_REPORTS: dict[str, Callable[[PenaltyPath, int | None, str, Path | None], None]] = {
    "table": show_path,
    "json": print_path_json,
    "csv": print_path_csv,
}
