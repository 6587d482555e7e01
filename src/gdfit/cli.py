"""The command line: options in, one call into the library, a report out."""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gdfit import __version__
from gdfit.errors import GdfitError, UsageError, quoted
from gdfit.options import (
    DEFAULT_MODEL,
    L2,
    At,
    Backend,
    Data,
    Decimal,
    Delimiter,
    DropMissing,
    Features,
    Format,
    GraphFormat,
    HuberDelta,
    Init,
    LossName,
    LossOption,
    ModelFile,
    Optimizer,
    Seed,
    TableFormat,
    Target,
    check_inputs,
    parse_betas,
    parse_epochs,
    parse_number,
    parse_numbers,
    parse_validation,
    split_names,
)
from gdfit.process import open_streams, tune_process

if TYPE_CHECKING:
    from gdfit.observations import Observations
    from gdfit.reading import Options


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
    from gdfit.files import check_outputs, open_beside
    from gdfit.model import save_model
    from gdfit.progress import Bar
    from gdfit.settings import Settings
    from gdfit.stopping import Growth
    from gdfit.trace import Trace

    if plot is not None:
        from gdfit.plots import check_ending

        check_ending(plot)
    if chart and (quiet or output is not Format.table):
        raise UsageError("--chart goes with --format table, and not with -q")
    inputs_read = [*data, *([validation] if validation else [])]
    if inputs_read.count("-") > 1:
        raise UsageError("standard input can be read only once")
    same = Path(init).is_file() and model.exists() and model.samefile(init)
    check_outputs([model, history, plot], inputs=inputs_read if same else [*inputs_read, init])
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
    rich = Thread(target=import_module, args=["rich.table"], daemon=True)
    if output is Format.table and not quiet:
        rich.start()  # importing it takes no longer while the data is read
    with reading(data, delimiter, decimal, drop_missing) as options:
        observations, held_out = dataset.read_training_data(
            data,
            parse_validation(validation),
            features=split_names(features),
            target=target,
            options=options,
            seed=seed,
            keep_rows=settings.needs_rows,
        )
    check_inputs(inputs, observations.features)
    scaled = (output is Format.csv and not quiet) or history is not None
    if standardize and scaled:
        note("the params and grad of each epoch are for standardized features")
    validated = held_out is not None
    columns = observations.features
    bar = Bar("training", epochs)
    shows: report.Report
    if quiet:
        shows = report.QuietReport()
    elif output is Format.json:
        shows = report.JsonReport(shown)
    elif output is Format.csv:
        shows = report.CsvReport(columns, shown, validated=validated, before=bar.hide)
    else:
        rich.join()
        shows = report.TableReport(
            columns, shown, validated=validated, standardize=standardize, before=bar.hide
        )
    path = Trace()
    watchers = [shows.step, path.step] if plot is not None or chart else [shows.step]
    run = fitting.Run(observations, init=start, validation=held_out, settings=settings)
    grows = Growth(overshoots=not settings.is_plain)
    with bar, ExitStack() as stack:
        if history is not None:
            rows = stack.enter_context(open_beside(history))
            every_epoch = report.schedule(every=1, show=None)
            whole = report.CsvReport(columns, every_epoch, validated=validated, file=rows)
            watchers.append(whole.step)
        for step in run:
            bar.update(step.epoch)
            for watcher in watchers:
                watcher(step)
            if grows(step):
                bar.hide()
                note(f"epoch {step.epoch}: {advice.growth(run, grows.EPOCHS)}")
    fit = run.fit()
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
        from gdfit.charts import print_charts

        print_charts(fit, path.steps)
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
    from gdfit import fitting, tables
    from gdfit.gradcheck import check_gradient
    from gdfit.settings import Settings

    if not tolerance >= 0:
        raise UsageError(f"--tolerance takes a number that is not negative, not {tolerance:g}")
    settings = Settings(seed=seed, loss=loss, huber_delta=huber_delta, l2=l2)
    settings.check(validated=False)
    start = fitting.parse_init(init)
    observations = read_observations(
        data, features, target, delimiter, decimal, drop_missing, keep_rows=settings.needs_rows
    )
    params = fitting.initial_params(start, observations, seed)
    check = check_gradient(observations, params, settings)
    tables.print_gradients(check, observations.features)
    if not check.difference <= tolerance:
        kink = " (|ŷ − y| has none where ŷ = y)" if loss is LossName.mae else ""
        complain(
            f"the gradients differ by {check.difference:.2g}, more than the tolerance "
            f"{tolerance:g}{kink}"
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
    from gdfit import fitting, tables
    from gdfit.graph import loss_graph, to_dot
    from gdfit.objectives import loss_of
    from gdfit.settings import Settings

    settings = Settings(loss=loss, huber_delta=huber_delta)
    settings.check(validated=False)
    start = fitting.parse_init(init)
    observations = read_observations(
        data, features, target, delimiter, decimal, drop_missing, keep_rows=True
    )
    params = fitting.initial_params(start, observations, seed)
    root = loss_graph(observations, params, loss_of(settings))
    if output is GraphFormat.dot:
        print(to_dot(root))
    else:
        tables.print_graph(root)


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
    from gdfit import tables
    from gdfit.curvature import curvature, standardized_curvature
    from gdfit.model import to_json

    observations = read_observations(data, features, target, delimiter, decimal, drop_missing)
    given, scaled = curvature(observations), standardized_curvature(observations)
    if not math.isfinite(given.lambda_max):
        raise GdfitError("the numbers are too large for float64: λmax is infinite", file=data[0])
    if output is TableFormat.json:
        print(to_json(tables.curvature_record(given, scaled)))
    else:
        tables.print_curvature(given, scaled)


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

    from gdfit import tables

    if output is TableFormat.json:
        print(to_json(vars(evaluation)))
    else:
        tables.print_evaluation(evaluation)


def read_observations(
    data: list[str],
    features: str | None,
    target: str | None,
    delimiter: str | None,
    decimal: str,
    drop_missing: bool,
    keep_rows: bool = False,
) -> Observations:
    """The observations that a command looks at without training on them."""
    from gdfit import dataset

    with reading(data, delimiter, decimal, drop_missing) as options:
        return dataset.read_observations(
            *data,
            features=split_names(features),
            target=target,
            options=options,
            keep_rows=keep_rows,
        )


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


def note(message: str) -> None:
    """One line on standard error that is no error."""
    print(f"gdfit: note: {message}", file=sys.stderr)


def complain(message: str) -> None:
    """One line on standard error."""
    print(f"gdfit: error: {message}", file=sys.stderr)


def main() -> None:
    """The console script: run the command line, and leave with its status."""
    tune_process()
    try:
        status = run()
    except SystemExit as end:
        status = int(end.code or 0)
    # Taking pandas and torch down module by module takes longer than training does.
    os._exit(status)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; every error is one line on standard error. Returns the status."""
    open_streams()
    try:
        with warnings.catch_warnings():
            # What overflows is told of as such: "diverged", "too large".
            warnings.simplefilter("ignore", RuntimeWarning)
            status = app(arguments, prog_name="gdfit", standalone_mode=False)
    except GdfitError as error:
        complain(str(error))
        status = error.status
    except typer.TyperException as error:
        message = " ".join(error.format_message().split()).rstrip(".")
        if message:  # there is none where the help has been shown instead
            complain(f"{message} (see gdfit --help)")
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
