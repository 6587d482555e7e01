"""Options of all commands, each declared once, and what they make: values of the library's own
dataclasses, or of those below."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gdfit.choices import ExportFormat, Panel, RowsForm, TableForm
from gdfit.cli import parsers
from gdfit.cli.groups import option, panel
from gdfit.data.text.dialect import Dialect, Selection
from gdfit.descent.settings import Settings

DEFAULT_MODEL = Path("gdfit.json")


DataArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA...",
        help="A table: CSV, Excel, JSON, Parquet and more; a file, a URL, or - for standard input. "
        "Several are one data set.",
        show_default=False,
        callback=parsers.expanded_files,
    ),
]
RowsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DATA...]",
        help="A file, a URL, or -; its rows come back with ŷ.",
        callback=parsers.expanded_files,
    ),
]

NAME: dict[str, Any] = {"metavar": "NAME", "autocompletion": parsers.complete_name}
WORDS: dict[str, Any] = {"metavar": "A,B", "read": parsers.parse_names}
NAMES = {**WORDS, "autocompletion": parsers.complete_names}
COUNT: dict[str, Any] = {"metavar": "N", "read": parsers.parse_positive}
COUNT_OR_0: dict[str, Any] = {"metavar": "N", "read": parsers.parse_whole}
LEVEL: dict[str, Any] = {"metavar": "LEVEL", "read": parsers.parse_level}
COLUMNS = panel(
    "Columns",
    features=option(
        "The columns to predict it from: all others with numbers. Also log(A), log2, log10, exp, "
        "sqrt, A^2, A:B, a column of text, and C(A) for numbers as categories.",
        **NAMES,
    ),
    target=option(
        "The column to predict: y, or the last with numbers; or log(A) and the like.", **NAME
    ),
    exclude=option("Columns that are not used.", **NAMES),
    formula=option("Both in R's way: 'log(y) ~ x + a*b + C(year) - 1'.", metavar="FORMULA"),
    degree=option(
        "Add all powers and products of the features up to this degree.",
        metavar="D",
        read=parsers.parse_positive,
    ),
    weights=option("The column that says how much each row counts.", **NAME),
    intercept=option("Leave out b: it stays 0.", " /--no-intercept"),
)
CLASSES = panel(
    "Columns",
    positive=option(
        "The value of the target that is y = 1, of two: by default the second.", metavar="VALUE"
    ),
)
WRITING = "How DATA is written"
ROWS_DIALECT = panel(
    WRITING,
    delimiter=option(
        "One character, 'tab' or 'space'; found by default.",
        metavar="CHAR",
        read=parsers.parse_delimiter,
    ),
    decimal=option("The decimal mark.", metavar=".|,"),
    thousands=option(
        "The mark before each three digits, if it is not found: , . ' or a blank.", metavar="MARK"
    ),
    dates=option("Whether the month or the day of dates stands first.", metavar="mdy|dmy"),
    missing=option("More words for a missing value.", **WORDS),
    not_missing=option("Words that are none for a missing value, as NA.", **WORDS),
    header=option("The first line has names, or numbers.", "--header/--no-header"),
    skip=option("Leave out N lines above the header.", **COUNT_OR_0),
    skip_end=option("Leave out N lines at the end.", **COUNT_OR_0),
    comment=option("What begins a comment.", metavar="CHAR"),
    encoding=option("As Python calls it: latin-1, utf-16.", metavar="NAME"),
    sheet=option(
        "The sheet of a workbook; the first by default.",
        metavar="NAME",
        autocompletion=parsers.complete_sheet,
    ),
)
DIALECT = ROWS_DIALECT | panel(
    WRITING,
    drop_missing=option("Skip rows with a missing field."),
    skip_broken=option("Skip rows that can't be read."),
)
START, LOSS, STOP = "Where it starts", "The loss", "When to stop"
SEED = panel(START, seed=option("Every random choice comes from it.", **COUNT_OR_0))
THE_LOSS = panel(
    LOSS,
    loss=option("The mean of the squared, absolute, Huber's, logistic or quantile loss."),
    huber_delta=option("Where Huber's loss turns from square to linear."),
    quantile=option("τ: which part of the observations is to lie below ŷ."),
)
PENALTY = panel(
    LOSS,
    l2=option("Add this times ‖w‖² to the loss, with w on the scale of the descent."),
    l1=option(
        "Add this times ‖w‖₁, by which weights become exactly 0; for gd, momentum, nesterov."
    ),
)
RIDGE = {"l2": PENALTY["l2"]}
DESCENT = panel(
    "The descent",
    lr=option(
        "The learning rate γ; auto is the one with the least loss after these epochs.",
        metavar="FLOAT|auto",
        read=parsers.parse_rate,
        autocompletion=lambda: ["auto"],
    ),
    schedule=option("How γ falls over the epochs, as torch.optim.lr_scheduler has it."),
    decay=option("Its factor: 0.99 an epoch, 0.5 a tenth of them, rounded up; or p of γ/tᵖ, 0.25."),
    scale=option(
        "Descend on x, on (x − mean)/std or on an orthonormal basis of it. By default on x where "
        "the learning rate is a number, else on what is enough."
    ),
    epochs=option("How many times to go over the data at most.", **COUNT),
    backend=option("The gradient by the chain rule in NumPy, or by torch."),
    optimizer=option("The update rule, as torch.optim has it; steepest and cg, for mse, find γ."),
    momentum=option("Of momentum and nesterov."),
    betas=option("Of adam.", metavar="B1,B2", read=parsers.parse_betas, show_default="0.9,0.999"),
    batch_size=option("Mini-batches of N rows, reshuffled each epoch.", **COUNT),
    leap=option("From shown epoch to shown epoch in closed form: 1e9 take no longer than 10."),
)
STOPPING = panel(
    STOP,
    tol=option("Stop when no param moves by more than this part of the largest in an epoch."),
    target_loss=option("Stop when the validation loss (else the loss) is at or below this."),
    patience=option("Stop after N epochs without a better one.", **COUNT),
)
HELD_OUT = panel(
    STOP,
    validation=option(
        "Measure the loss on held-out rows, or on another file.",
        metavar="FRACTION|FILE",
        read=parsers.parse_held_out,
    ),
    cv=option(
        "Hold out each of K folds once, and descend on the others: the mean loss on them.",
        metavar="K",
        read=parsers.parse_whole,
    ),
)
INPUTS = option(
    "Inputs to predict at; may be repeated.", metavar="V[,V…]", read=parsers.parse_values
)
FORMAT = option("What to print on standard output.", "--format")
PRINTED = panel(
    "What to print",
    every=option("Print each N-th epoch.", **COUNT),
    show=option(
        "Epochs to print; the last always is.", metavar="1,2-5,10|all", read=parsers.parse_epochs
    ),
    x=INPUTS,
    format=FORMAT,
    quiet=option("Print only the params, w… b, on one line.", "--quiet", "-q"),
    chart=option("Draw the loss, and the line, in text."),
    explain=option("Write out the arithmetic of the first N epochs.", **COUNT),
)
MODEL = option("The model's file.", "--model", metavar="FILE", envvar="GDFIT_MODEL")
TO_WRITE = "What to write"
FILES = panel(
    TO_WRITE,
    history=option("Write every epoch to this file.", metavar="FILE.csv"),
    model=MODEL,
    no_model=option("Write no model."),
    plot=option("Draw the run to this file.", metavar="FILE.png|.svg|.pdf"),
    panel=option(
        "What to draw: all, or one panel: the fit, the loss, the path of the params, steps along "
        "the steepest direction, each direction's error (modes), residuals, or of classes the ROC."
    ),
    page=option("Write a page that replays the run in a browser.", metavar="FILE.html"),
)


@dataclass(frozen=True, eq=False)
class Output:
    """Standard output: which epochs, predictions at which inputs, and in which form."""

    every: int | None = None
    show: tuple[range, ...] | None = None
    x: list[tuple[str, ...]] | None = None
    format: Literal["table", "markdown", "latex", "json", "csv"] = "table"
    quiet: bool = False
    chart: bool = False
    explain: int | None = None

    @property
    def form(self) -> str:
        """The form of standard output."""
        return "quiet" if self.quiet else self.format


@dataclass(frozen=True, eq=False)
class Files:
    """Files to write."""

    history: Path | None = None
    model: Path = DEFAULT_MODEL
    no_model: bool = False
    plot: Path | None = None
    panel: Panel = "all"
    page: Path | None = None


DaskOption = Annotated[
    str | None,
    option(
        "Read DATA on a Dask cluster: its scheduler's address or file, or local for a worker on "
        "each processor.",
        metavar="ADDRESS|local",
        rich_help_panel=WRITING,
    ),
]
NumberOptions = Annotated[Selection, COLUMNS]
ColumnOptions = Annotated[Selection, COLUMNS | CLASSES]
DialectOptions = Annotated[Dialect, DIALECT]
RowsDialectOptions = Annotated[Dialect, ROWS_DIALECT]
TrainOptions = Annotated[Settings, SEED | THE_LOSS | PENALTY | DESCENT | STOPPING]
GradcheckOptions = Annotated[Settings, SEED | THE_LOSS | RIDGE]
GraphOptions = Annotated[Settings, SEED | THE_LOSS]
PrintOptions = Annotated[Output, PRINTED]
FileOptions = Annotated[Files, FILES]
InitOption = Annotated[
    str,
    option(
        "Where the params start; a model goes on where it stopped.",
        metavar="zeros|random|W,…,B|MODEL.json",
        rich_help_panel=START,
    ),
]
ValidationOption = Annotated[float | str | None, HELD_OUT["validation"]]
CvOption = Annotated[int | None, HELD_OUT["cv"]]
ClassesOption = Annotated[bool, option("Predict the class, and not its probability.")]
ThresholdOption = Annotated[
    float,
    option("From which probability on it is positive.", read=parsers.parse_number, metavar="P"),
]
ByOption = Annotated[
    str | None, option("Fit each group of rows by itself: those alike in this column.", **NAME)
]
SeedOption = Annotated[int, SEED["seed"]]
RowsOption = Annotated[bool, option("Leave out all that is a row of DATA.", " /--no-rows")]
CondensedOption = Annotated[
    Path, option("The file to write.", "--output", metavar="FILE.json", show_default=False)
]
PageOption = Annotated[Path, option("The file to write.", "--output", metavar="FILE.html")]
XOption = Annotated[list[tuple[str, ...]] | None, INPUTS]
ModelOption = Annotated[Path, MODEL]
TargetOption = Annotated[str | None, option("The observed column: the model's target.", **NAME)]
FormatOption = Annotated[TableForm, FORMAT]
RowsFormatOption = Annotated[RowsForm, FORMAT]
LanguageOption = Annotated[
    ExportFormat, option("What to write the model as.", "--format", show_default=False)
]
OutputOption = Annotated[
    Path | None, option("Write here, not to standard output.", "--output", metavar="FILE")
]
GraphFormatOption = Annotated[
    Literal["tree", "dot"], option("A tree, or text for Graphviz.", "--format")
]
LevelOption = Annotated[float, option("Of the confidence intervals.", read=parsers.parse_level)]
RobustOption = Annotated[
    Literal["hc0", "hc1", "hc2", "hc3"] | None,
    option("Standard errors that hold where errors are not alike."),
]
ClusterOption = Annotated[
    str | None,
    option("The column of clusters within which errors may depend on each other.", **NAME),
]
AgainstOption = Annotated[
    Path | None,
    option("A smaller model, for the F test of what this one has more.", metavar="MODEL.json"),
]
IntervalOption = Annotated[
    float | None,
    option("Also show where a new observation falls with this probability, as 0.95.", **LEVEL),
]
ConfidenceOption = Annotated[
    float | None,
    option("Also where the mean lies, at this level; for classes their probability.", **LEVEL),
]
ToleranceOption = Annotated[float, option("Status 1 above this difference.")]
