"""The options, each declared once: what it makes is a value of the library's, or of one below."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from gdfit.cli import texts
from gdfit.cli.completion import complete_name, complete_names
from gdfit.cli.groups import option, panel
from gdfit.cli.typed import Typed
from gdfit.data.columns import Selection
from gdfit.data.dialect import Dialect
from gdfit.descent.settings import Settings

DEFAULT_MODEL = Path("gdfit.json")

Data = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA...",
        help="A CSV file, or - for standard input; several are one data set.",
        show_default=False,
    ),
]
Rows = Annotated[
    list[str] | None,
    typer.Argument(metavar="[DATA...]", help="A CSV file, or -; its rows come back with ŷ."),
]

COLUMNS = panel(
    "Columns",
    features=option(
        "The columns to predict it from: all others with numbers.",
        metavar="A,B",
        read=texts.names,
        autocompletion=complete_names,
    ),
    target=option(
        "The column to predict: y, or the last with numbers.",
        metavar="NAME",
        autocompletion=complete_name,
    ),
    exclude=option(
        "Columns that are not used.",
        metavar="A,B",
        read=texts.names,
        autocompletion=complete_names,
    ),
)
DIALECT = panel(
    "How DATA is written",
    delimiter=option(
        "One character, 'tab' or 'space'; found by default.", metavar="CHAR", read=texts.delimiter
    ),
    decimal=option("The decimal mark.", metavar=".|,"),
    missing=option("More words for a missing value.", metavar="A,B", read=texts.names),
    skip=option("Leave out N lines above the header.", min=0, metavar="N"),
    comment=option("What begins a comment.", metavar="CHAR"),
    drop_missing=option("Skip rows with a missing field."),
)
START, LOSS, STOP = "Where it starts", "The loss", "When to stop"
SEED = panel(START, seed=option("Every random choice comes from it.", min=0))
THE_LOSS = panel(
    LOSS,
    loss=option("The mean squared or absolute error, or Huber's."),
    huber_delta=option("Where Huber's loss turns from square to linear."),
)
PENALTY = panel(LOSS, l2=option("Add this times ‖w‖² to the loss."))
DESCENT = panel(
    "The descent",
    lr=option(
        "The learning rate γ; auto is the one with the least loss after these epochs.",
        metavar="FLOAT|auto",
        read=texts.rate,
        autocompletion=lambda: ["auto"],
    ),
    scale=option(
        "Descend on x, on (x − mean)/std or on an orthonormal basis of it. By default on x where "
        "the learning rate is a number, else on what is enough."
    ),
    epochs=option("How many times to go over the data at most.", metavar="N", read=texts.whole),
    backend=option("The gradient by the chain rule in NumPy, or by torch."),
    optimizer=option("The update rule, as torch.optim defines it."),
    momentum=option("Of momentum and nesterov."),
    betas=option("Of adam.", metavar="B1,B2", read=texts.betas, show_default="0.9,0.999"),
    batch_size=option("Mini-batches of N rows, reshuffled each epoch.", min=1, metavar="N"),
    leap=option("From shown epoch to shown epoch in closed form: 1e9 take no longer than 10."),
)
STOPPING = panel(
    STOP,
    tol=option("Stop when no param moves by more than this part of the largest in an epoch."),
    target_loss=option("Stop when the validation loss (else the loss) is at or below this."),
    patience=option("Stop after N epochs without a better one.", min=1, metavar="N"),
)
INPUTS = option("Inputs to predict at; may be repeated.", metavar="V[,V…]", read=texts.numbers)
PRINTED = panel(
    "What to print",
    every=option("Print each N-th epoch.", min=1, metavar="N"),
    show=option("Epochs to print; the last always is.", metavar="1,2,3,10", read=texts.epochs),
    x=copy(INPUTS),
    format=option("What to print on standard output."),
    quiet=option("Print only the params, w… b, on one line.", "--quiet", "-q"),
    chart=option("Draw the loss, and the line, in text."),
)
MODEL = option("The model's file.", "--model", metavar="FILE", envvar="GDFIT_MODEL")
WRITTEN = panel(
    "What to write",
    history=option("Write every epoch to this file.", metavar="FILE.csv"),
    model=copy(MODEL),
    no_model=option("Write no model."),
    plot=option("Draw the run to this file.", metavar="FILE.png|.svg|.pdf"),
)


@dataclass(frozen=True)
class Output:
    """What to print: which epochs, predictions at which inputs, and in which form."""

    every: int | None = None
    show: tuple[int, ...] | None = None
    x: list[tuple[float, ...]] | None = None
    format: Literal["table", "json", "csv"] = "table"
    quiet: bool = False
    chart: bool = False

    @property
    def form(self) -> str:
        """What standard output gets."""
        return "quiet" if self.quiet else self.format


@dataclass(frozen=True)
class Files:
    """What to write, and where."""

    history: Path | None = None
    model: Path = DEFAULT_MODEL
    no_model: bool = False
    plot: Path | None = None


Columns = Annotated[Selection, COLUMNS]
HowWritten = Annotated[Dialect, DIALECT]
TrainSettings = Annotated[Settings, SEED | THE_LOSS | PENALTY | DESCENT | STOPPING]
CheckSettings = Annotated[Settings, SEED | THE_LOSS | PENALTY]
GraphSettings = Annotated[Settings, SEED | THE_LOSS]
Printed = Annotated[Output, PRINTED]
Written = Annotated[Files, WRITTEN]
Init = Annotated[
    str,
    option(
        "Where the params start; a model goes on where it stopped.",
        metavar="zeros|random|W,…,B|MODEL.json",
        rich_help_panel=START,
    ),
]
Validation = Annotated[
    float | str | None,
    option(
        "Measure the loss on held-out rows, or on another file.",
        metavar="FRACTION|FILE",
        read=texts.held_out,
        rich_help_panel=STOP,
    ),
]
At = Annotated[list[tuple[float, ...]] | None, INPUTS]
Model = Annotated[Path, MODEL]
Observed = Annotated[
    str | None,
    option(
        "The observed column: the model's target.",
        "--target",
        metavar="NAME",
        autocompletion=complete_name,
    ),
]
Format = Annotated[
    Literal["table", "json"], option("What to print on standard output.", "--format")
]
GraphFormat = Annotated[Literal["tree", "dot"], option("A tree, or text for Graphviz.", "--format")]
Tolerance = Annotated[float, option("Status 1 above this difference.")]


def check_settings(typed: Typed, settings: Settings, *, validated: bool) -> None:
    """Raise for settings that are out of range, or have no effect on each other."""
    settings.check(validated=validated)
    velocity = settings.optimizer in ("momentum", "nesterov")
    typed.refuse("momentum", "is for `optimizer` momentum and nesterov", unless=velocity)
    typed.refuse("betas", "is for `optimizer` adam", unless=settings.optimizer == "adam")
    typed.refuse("huber_delta", "is for `loss` huber", unless=settings.loss == "huber")
