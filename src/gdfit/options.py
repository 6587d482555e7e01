"""The command line's options: those that several commands share, and what their texts stand for."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gdfit.errors import UsageError, listing, quoted


class Backend(StrEnum):
    manual = "manual"
    autograd = "autograd"


class LossName(StrEnum):
    mse = "mse"
    mae = "mae"
    huber = "huber"


class Optimizer(StrEnum):
    gd = "gd"
    momentum = "momentum"
    nesterov = "nesterov"
    adam = "adam"


class GraphFormat(StrEnum):
    tree = "tree"
    dot = "dot"


class Format(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"


class TableFormat(StrEnum):
    table = "table"
    json = "json"


Data = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA...",
        help="A CSV file, or - for standard input; several are one data set.",
        show_default=False,
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(metavar="CHAR", help="One character, 'tab' or 'space'; found by default."),
]
Decimal = Annotated[str, typer.Option(metavar=".|,", help="The decimal mark.")]
DropMissing = Annotated[
    bool, typer.Option("--drop-missing", help="Skip rows with a missing field.")
]
Target = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The column to predict: y if there is one, else the last."),
]
Features = Annotated[
    str | None, typer.Option(metavar="A,B", help="The columns to predict it from: all others.")
]
ModelFile = Annotated[
    Path, typer.Option("--model", metavar="FILE", envvar="GDFIT_MODEL", help="The model's file.")
]
At = Annotated[
    list[str] | None,
    typer.Option("--x", metavar="V[,V…]", help="Inputs to predict at; may be repeated."),
]
Init = Annotated[
    str,
    typer.Option(
        metavar="zeros|random|W,…,B|MODEL.json",
        help="Where the params start; a model goes on where it stopped.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Every random choice comes from it.")]
LossOption = Annotated[
    LossName, typer.Option("--loss", help="The mean squared or absolute error, or Huber's.")
]
HuberDelta = Annotated[float, typer.Option(help="Where Huber's loss turns from square to linear.")]
L2 = Annotated[float, typer.Option("--l2", help="Add this times ‖w‖² to the loss.")]
DEFAULT_MODEL = Path("gdfit.json")


def parse_number(text: str, option: str) -> float:
    """The number in `text`."""
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{option} takes a number, not {quoted(text)}") from None


def parse_betas(text: str) -> tuple[float, float]:
    """The two numbers in ``B1,B2``."""
    betas = parse_numbers(text, "--betas")
    if len(betas) != 2:
        raise UsageError(f"--betas takes two numbers, B1,B2, not {quoted(text)}")
    return betas[0], betas[1]


def parse_validation(text: str | None) -> float | str | None:
    """The fraction that ``--validation`` gives, or the file that it names."""
    if text is None:
        return None
    try:
        fraction = float(text)
    except ValueError:
        return text
    if not 0 < fraction < 1:
        raise UsageError(f"--validation takes a fraction between 0 and 1, or a file, not {text}")
    return fraction


def parse_numbers(text: str, option: str) -> list[float]:
    """The numbers in ``V[,V…]``."""
    try:
        numbers = [float(field) for field in text.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise UsageError(f"{option} takes finite numbers V[,V…], not {quoted(text)}")
    return numbers


def check_inputs(inputs: list[list[float]], features: tuple[str, ...]) -> None:
    """Raise where an input has not a value for each feature."""
    for values in inputs:
        if len(values) != len(features):
            raise UsageError(
                f"--x takes a value for each feature ({listing(features)}), not {len(values)}"
            )


def parse_epochs(text: str | None) -> list[int] | None:
    """The epochs in ``1,2,3,10``."""
    if text is None:
        return None
    try:
        epochs = [int(field) for field in text.split(",")]
    except ValueError:
        epochs = [0]
    if min(epochs) < 1:
        raise UsageError(f"--show takes epochs from 1 on, as in 1,2,3,10, not {quoted(text)}")
    return epochs


def split_names(text: str | None) -> list[str] | None:
    """The names in ``A,B``; one with a comma stands in quotes, as in CSV."""
    if text is None:
        return None
    import csv

    names = [name.strip() for name in next(csv.reader([text]), [""])]
    if not all(names):
        raise UsageError(f"--features takes names of columns, A,B, not {quoted(text)}")
    return names
