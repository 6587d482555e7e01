"""The options of compare: those of train, where they take several values."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from gdfit.cli import texts
from gdfit.cli.groups import Group, option, panel
from gdfit.cli.options import (
    DESCENT,
    PENALTY,
    PRINTED,
    SEED,
    STOPPING,
    THE_LOSS,
    Output,
)
from gdfit.descent.settings import Settings

TITLE = "What to compare"


def several(declared: Any, read: Callable[[str], Any], metavar: str, default: str | bool) -> Any:
    """The option with several values, ``A,B``, each as `read` reads it."""
    listed = copy(declared)
    listed.parser, listed.min = texts.several(read), None
    listed.metavar, listed.show_default = metavar, default
    return listed


def only(group: Group, *names: str) -> Group:
    """Those options of a group."""
    return {name: group[name] for name in names}


def without(group: Group, *names: str) -> Group:
    """The others."""
    return {name: declared for name, declared in group.items() if name not in names}


COMPARED = panel(
    TITLE,
    lr=several(DESCENT["lr"], texts.rate, "FLOAT|auto,…", "auto"),
    optimizer=several(DESCENT["optimizer"], str, "gd,momentum,nesterov,adam", "gd"),
    scale=several(DESCENT["scale"], str, "none,standardize,whiten", False),
    batch_size=several(DESCENT["batch_size"], texts.batch, "N,…,all", "all"),
    loss=several(THE_LOSS["loss"], str, "mse,mae,huber", "mse"),
    seed=several(SEED["seed"], texts.whole, "N,…", "0"),
)


@dataclass(frozen=True)
class Compared:
    """The values to compare, of the options that were given."""

    lr: tuple[float | Literal["auto"], ...] | None = None
    optimizer: tuple[str, ...] | None = None
    scale: tuple[str, ...] | None = None
    batch_size: tuple[int | None, ...] | None = None
    loss: tuple[str, ...] | None = None
    seed: tuple[int, ...] | None = None

    @property
    def given(self) -> dict[str, list[Any]]:
        """The lists by name."""
        return {name: list(values) for name, values in vars(self).items() if values}


@dataclass(frozen=True)
class RunsFiles:
    """What to write of the runs, and where."""

    model: Path | None = None
    plot: Path | None = None


ToCompare = Annotated[Compared, COMPARED]
ForAll = Annotated[Settings, without(THE_LOSS | PENALTY | DESCENT | STOPPING, *COMPARED, "leap")]
PrintedRuns = Annotated[Output, only(PRINTED, "format", "every", "show")]
Starts = Annotated[
    list[tuple[str, ...]] | None,
    option(
        "Where the params start; may be repeated.",
        metavar="zeros,random,MODEL.json|W,…,B",
        read=texts.starts,
        show_default="zeros",
        rich_help_panel=TITLE,
    ),
]


WrittenOfRuns = Annotated[
    RunsFiles,
    panel(
        "What to write",
        model=option("Write the best model to this file.", metavar="FILE"),
        plot=option("Draw the runs to this file.", metavar="FILE.png|.svg|.pdf"),
    ),
]
