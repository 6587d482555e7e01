"""The command line: options in, one call into the library, a report out."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gdfit import __version__
from gdfit.errors import GdfitError, UsageError, quoted

if TYPE_CHECKING:
    from gdfit.descent import Step
    from gdfit.reading import Options


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


class Commands(TyperGroup):
    """The commands; a closed pipe ends any of them quietly, as it ends other programs."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is left to write goes nowhere, and Python's own flush at exit finds no fault.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(128 + 13) from None
        return result


app = typer.Typer(
    cls=Commands,
    name="gdfit",
    help="Fit linear models by gradient descent, and see every step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

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


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        print(f"gdfit {__version__}")
        raise typer.Exit


@app.command()
def train(
    data: Data,
    lr: Annotated[
        str,
        typer.Option(metavar="FLOAT|auto", help="The learning rate γ; auto is 2/(λmin + λmax)."),
    ] = "0.01",
    epochs: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many times to go over the data at most.")
    ] = 1000,
    backend: Annotated[
        Backend, typer.Option(help="The gradient by the chain rule in NumPy, or by torch.")
    ] = Backend.manual,
    init: Init = "zeros",
    seed: Seed = 0,
    loss: LossOption = LossName.mse,
    huber_delta: HuberDelta = 1.0,
    l2: L2 = 0.0,
    optimizer: Annotated[
        Optimizer, typer.Option(help="The update rule, as torch.optim defines it.")
    ] = Optimizer.gd,
    momentum: Annotated[float, typer.Option(help="Of momentum and nesterov.")] = 0.9,
    betas: Annotated[str, typer.Option(metavar="B1,B2", help="Of adam.")] = "0.9,0.999",
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Mini-batches of N rows, reshuffled each epoch."),
    ] = None,
    features: Features = None,
    target: Target = None,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    drop_missing: DropMissing = False,
    standardize: Annotated[
        bool, typer.Option("--standardize", help="Descend on (x − mean)/std of each feature.")
    ] = False,
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="FRACTION|FILE", help="Measure the loss on held-out rows, or on another file."
        ),
    ] = None,
    tol: Annotated[
        float | None, typer.Option(help="Stop when no param moves by more than this in an epoch.")
    ] = None,
    target_loss: Annotated[
        float | None,
        typer.Option(help="Stop when the validation loss (else the loss) is at or below this."),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Stop after N epochs without a better one."),
    ] = None,
    every: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Print each N-th epoch.")
    ] = None,
    show: Annotated[
        str | None, typer.Option(metavar="1,2,3,10", help="Epochs to print; the last always is.")
    ] = None,
    x: At = None,
    output: Annotated[
        Format, typer.Option("--format", help="What to print on standard output.")
    ] = Format.table,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only the params, w… b, on one line.")
    ] = False,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write every epoch to this file.")
    ] = None,
    model: ModelFile = DEFAULT_MODEL,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png|.svg|.pdf", help="Draw the run to this file.")
    ] = None,
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw the loss, and the line, in text.")
    ] = False,
) -> None:
    """Fit a linear model to DATA by gradient descent."""
    from gdfit import advice, dataset, fitting, report
    from gdfit.files import check_writable, open_beside
    from gdfit.model import save_model
    from gdfit.progress import Bar
    from gdfit.settings import Settings
    from gdfit.trace import Trace

    if plot is not None:
        from gdfit.plots import check_ending

        check_ending(plot)
    if chart and (quiet or output is not Format.table):
        raise UsageError("--chart goes with --format table, and not with -q")
    for file in (model, history, plot):
        if file is not None:
            check_writable(file, but_not=data)
    start = fitting.parse_init(init)
    inputs = [parse_numbers(text, "--x") for text in x or ()]
    shown = report.schedule(every, parse_epochs(show))
    settings = Settings(
        lr="auto" if lr == "auto" else parse_number(lr, "--lr"),
        epochs=epochs,
        backend=backend,
        seed=seed,
        standardize=standardize,
        loss=loss,
        huber_delta=huber_delta,
        l2=l2,
        optimizer=optimizer,
        momentum=momentum,
        betas=parse_betas(betas),
        batch_size=batch_size,
        tol=tol,
        target_loss=target_loss,
        patience=patience,
    )
    settings.check(validated=validation is not None)
    fraction = parse_fraction(validation)
    names = split_names(features)
    held_out = None
    with reading(data, delimiter, decimal, drop_missing) as options:
        if fraction is None:
            observations = dataset.read_observations(
                *data,
                features=names,
                target=target,
                options=options,
                seed=seed,
                keep_rows=settings.needs_rows,
            )
        else:
            observations, held_out = dataset.read_split(
                *data,
                fraction=fraction,
                features=names,
                target=target,
                options=options,
                seed=seed,
                keep_rows=settings.needs_rows,
            )
    check_inputs(inputs, observations.features)
    if validation is not None and fraction is None:
        with reading([validation], delimiter, decimal, drop_missing) as options:
            held_out = dataset.read_observations(
                validation,
                features=observations.features,
                target=observations.target_name,
                options=options,
                keep_rows=settings.needs_rows,
            )
    validated = held_out is not None
    columns = observations.features
    bar = Bar("training", epochs)
    shows: report.Report
    if quiet:
        shows = report.QuietReport()
    elif output is Format.json:
        shows = report.JsonReport()
    elif output is Format.csv:
        shows = report.CsvReport(columns, shown, validated=validated, before=bar.hide)
    else:
        shows = report.TableReport(
            columns, shown, validated=validated, standardize=standardize, before=bar.hide
        )
    watchers: list[Callable[[Any], None]] = [shows.step, lambda step: bar.update(step.epoch)]
    path = Trace()
    if plot is not None or chart:
        watchers.append(path.step)

    def warn(step: Step, why: str) -> None:
        bar.hide()
        note(f"epoch {step.epoch}: {why}")

    with bar, ExitStack() as stack:
        if history is not None:
            rows = stack.enter_context(open_beside(history))
            watchers.append(report.CsvReport(columns, always, validated=validated, file=rows).step)
        fit = fitting.train(
            observations,
            init=start,
            validation=held_out,
            on_step=each(watchers),
            on_growth=warn,
            keep=shown,
            settings=settings,
        )
    predictions = [report.Prediction(tuple(values), fit.model.predict(values)) for values in inputs]
    if not inputs:
        *values, observed = observations.last.tolist()
        predictions = [report.Prediction(tuple(values), fit.model.predict(values), observed)]
    diverged = fit.status == "diverged"
    if not diverged:
        save_model(model, report.record(fit, predictions))
    if plot is not None:
        from gdfit.plots import save_plot

        save_plot(fit, path.steps, plot)
    shows.end(fit, predictions, "" if diverged else str(model))
    if chart:
        report.print_charts(fit, path.steps)
    if diverged:
        complain(advice.diverged(fit))
        raise typer.Exit(3)


@app.command()
def gradcheck(
    data: Data,
    init: Init = "zeros",
    seed: Seed = 0,
    loss: LossOption = LossName.mse,
    huber_delta: HuberDelta = 1.0,
    l2: L2 = 0.0,
    tolerance: Annotated[float, typer.Option(help="Status 1 above this difference.")] = 1e-6,
    features: Features = None,
    target: Target = None,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    drop_missing: DropMissing = False,
) -> None:
    """Check the gradient: by hand, by autograd and by central differences."""
    from gdfit import dataset, fitting, report
    from gdfit.gradcheck import check_gradient
    from gdfit.settings import Settings

    settings = Settings(seed=seed, loss=loss, huber_delta=huber_delta, l2=l2)
    settings.check(validated=False)
    start = fitting.parse_init(init)
    with reading(data, delimiter, decimal, drop_missing) as options:
        observations = dataset.read_observations(
            *data,
            features=split_names(features),
            target=target,
            options=options,
            keep_rows=settings.needs_rows,
        )
    params = fitting.initial_params(start, observations, seed)
    check = check_gradient(observations, params, settings)
    report.print_gradients(check, observations.features)
    if not check.difference <= tolerance:
        complain(
            f"the gradients differ by {check.difference:.2g}, more than the tolerance {tolerance:g}"
        )
        raise typer.Exit(1)


@app.command()
def graph(
    data: Data,
    init: Init = "zeros",
    seed: Seed = 0,
    loss: LossOption = LossName.mse,
    huber_delta: HuberDelta = 1.0,
    features: Features = None,
    target: Target = None,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    drop_missing: DropMissing = False,
    output: Annotated[
        GraphFormat, typer.Option("--format", help="A tree, or text for Graphviz.")
    ] = GraphFormat.tree,
) -> None:
    """Show autograd's computational graph of the loss."""
    from gdfit import dataset, fitting, report
    from gdfit.graph import loss_graph, to_dot
    from gdfit.objectives import loss_of
    from gdfit.settings import Settings

    settings = Settings(loss=loss, huber_delta=huber_delta)
    settings.check(validated=False)
    start = fitting.parse_init(init)
    with reading(data, delimiter, decimal, drop_missing) as options:
        observations = dataset.read_observations(
            *data,
            features=split_names(features),
            target=target,
            options=options,
            keep_rows=True,
        )
    params = fitting.initial_params(start, observations, seed)
    root = loss_graph(observations, params, loss_of(settings))
    if output is GraphFormat.dot:
        print(to_dot(root))
    else:
        report.print_graph(root)


@app.command(name="curvature")
def show_curvature(
    data: Data,
    features: Features = None,
    target: Target = None,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    drop_missing: DropMissing = False,
    output: Annotated[
        TableFormat, typer.Option("--format", help="What to print on standard output.")
    ] = TableFormat.table,
) -> None:
    """Show which learning rates are stable on DATA, and how fast they are."""
    from gdfit import dataset, report
    from gdfit.curvature import curvature, standardized_curvature
    from gdfit.model import to_json

    with reading(data, delimiter, decimal, drop_missing) as options:
        observations = dataset.read_observations(
            *data, features=split_names(features), target=target, options=options
        )
    given, scaled = curvature(observations), standardized_curvature(observations)
    if output is TableFormat.json:
        print(to_json(report.curvature_record(given, scaled)))
    else:
        report.print_curvature(given, scaled)


@app.command()
def predict(
    data: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DATA...]", help="A CSV file, or -; its rows come back with ŷ."),
    ] = None,
    x: At = None,
    model: ModelFile = DEFAULT_MODEL,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    drop_missing: DropMissing = False,
) -> None:
    """Predict with the last trained model: at --x, or for each row of DATA."""
    from gdfit.model import load_model

    if bool(data) == bool(x):
        raise UsageError("predict takes --x or DATA" + (", not both" if x else ""))
    if not data:
        inputs = [parse_numbers(text, "--x") for text in x or ()]
        trained = load_model(model)
        check_inputs(inputs, trained.features)
        for values in inputs:
            print(trained.predict(values))
        return

    from gdfit.prediction import predict_rows

    with reading(data, delimiter, decimal, drop_missing) as options:
        predict_rows(load_model(model), data, sys.stdout, options)


@app.command()
def evaluate(
    data: Data,
    model: ModelFile = DEFAULT_MODEL,
    target: Annotated[
        str | None, typer.Option(metavar="NAME", help="The observed column: the model's target.")
    ] = None,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    drop_missing: DropMissing = False,
    output: Annotated[
        TableFormat, typer.Option("--format", help="What to print on standard output.")
    ] = TableFormat.table,
) -> None:
    """Measure the errors of the last trained model on DATA."""
    from gdfit.model import load_model, to_json
    from gdfit.prediction import evaluate_rows

    with reading(data, delimiter, decimal, drop_missing) as options:
        evaluation = evaluate_rows(load_model(model), data, target, options)

    from gdfit import report

    if output is TableFormat.json:
        print(to_json(vars(evaluation)))
    else:
        report.print_evaluation(evaluation)


@contextmanager
def reading(
    files: list[str], delimiter: str | None, decimal: str, drop_missing: bool
) -> Iterator[Options]:
    """How to read `files`, with a progress bar if it takes long, and a note of what was skipped."""
    from gdfit.layout import parse_delimiter
    from gdfit.progress import ReadingBar
    from gdfit.reading import Options

    if decimal not in (".", ","):
        raise UsageError(f"--decimal takes . or a comma, not {quoted(decimal)}")
    skipped: list[int] = []
    with ReadingBar(files) as bar:
        yield Options(
            delimiter=None if delimiter is None else parse_delimiter(delimiter),
            decimal=decimal,
            drop_missing=drop_missing,
            dropped=skipped.append,
            progress=bar.update,
        )
    if count := sum(skipped):
        rows = "1 row" if count == 1 else f"{count} rows"
        note(f"skipped {rows} with a missing field")


def each(watchers: list[Callable[[Any], None]]) -> Callable[[Any], None]:
    """One callable that calls them all."""

    def call(step: Any) -> None:
        for watcher in watchers:
            watcher(step)

    return call


def always(epoch: int) -> bool:
    """Every epoch."""
    return True


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


def parse_fraction(text: str | None) -> float | None:
    """The fraction that ``--validation`` gives; None if it names a file."""
    try:
        fraction = float(text or "file")
    except ValueError:
        return None
    if not 0 < fraction < 1:
        raise UsageError(f"--validation takes a fraction between 0 and 1, or a file, not {text}")
    return fraction


def parse_numbers(text: str, option: str) -> list[float]:
    """The numbers in ``V[,V…]``."""
    try:
        return [float(field) for field in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} takes numbers V[,V…], not {quoted(text)}") from None


def check_inputs(inputs: list[list[float]], features: tuple[str, ...]) -> None:
    """Raise where an input has not a value for each feature."""
    from gdfit.errors import listing

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
        return [int(field) for field in text.split(",")]
    except ValueError:
        raise UsageError(f"--show takes epochs, as in 1,2,3,10, not {quoted(text)}") from None


def split_names(text: str | None) -> list[str] | None:
    """The names in ``A,B``; one with a comma stands in quotes, as in CSV."""
    import csv

    return None if text is None else [name.strip() for name in next(csv.reader([text]), [])]


def note(message: str) -> None:
    """One line on standard error that is no error."""
    print(f"gdfit: note: {message}", file=sys.stderr)


def complain(message: str) -> None:
    """One line on standard error."""
    print(f"gdfit: error: {message}", file=sys.stderr)


def main() -> None:
    """The console script: run the command line, and leave with its status."""
    tune_process()
    status = run()
    # Taking pandas and torch down module by module takes longer than training does.
    os._exit(status)


def tune_process() -> None:
    """Settings that make a process that lives for a moment faster; each was measured."""
    gc.set_threshold(200_000)  # imports make many objects and no garbage
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # p+2 rows are too few to share
    with suppress(OSError, AttributeError):  # where there is no glibc
        # Keep what blocks of rows free for the next ones: giving it back to the system and asking
        # for it again takes as long as reading the blocks.
        libc = ctypes.CDLL(None)
        m_trim_threshold, m_mmap_threshold = -1, -3
        libc.mallopt(m_trim_threshold, 1 << 28)
        libc.mallopt(m_mmap_threshold, 1 << 28)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; every error is one line on standard error. Returns the status."""
    for stream in (sys.stdout, sys.stderr):
        # Bytes of the data that are not UTF-8 go out as they came in; elsewhere R² becomes R?.
        errors = "surrogateescape" if stream.encoding.lower() == "utf-8" else "replace"
        stream.reconfigure(errors=errors)  # type: ignore[union-attr]
    try:
        status = app(arguments, prog_name="gdfit", standalone_mode=False)
    except GdfitError as error:
        complain(str(error))
        status = error.status
    except typer.TyperException as error:
        complain(" ".join(error.format_message().split()).rstrip(".") + " (see gdfit --help)")
        status = error.exit_code
    except MemoryError:
        complain("there is not enough memory")
        status = 1
    except OSError as error:
        complain(f"can't read or write: {error.strerror}")
        status = 1
    if status == 130:
        print("gdfit: interrupted", file=sys.stderr)
    sys.stderr.flush()
    return int(status or 0)
