"""gdfit train."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import typer

from gdfit.cli.data import check_inputs, note_columns, reading
from gdfit.cli.messages import complain, note
from gdfit.cli.options import (
    Columns,
    Data,
    Files,
    HowWritten,
    Init,
    Output,
    Printed,
    TrainSettings,
    Validation,
    Written,
)
from gdfit.errors import UsageError

if TYPE_CHECKING:
    from gdfit.descent.fit import Run
    from gdfit.descent.loop import Step
    from gdfit.show.progress import Bar


def train(
    data: Data,
    columns: Columns,
    dialect: HowWritten,
    settings: TrainSettings,
    output: Printed,
    files: Written,
    init: Init = "zeros",
    validation: Validation = None,
) -> None:
    """Fit a linear model to DATA by gradient descent."""
    from gdfit.descent import fit as fitting
    from gdfit.show import advice, report
    from gdfit.show.progress import Bar
    from gdfit.show.run import REPORTS, history_file
    from gdfit.show.trace import Trace

    check_files(data, validation, init, output, files)
    start = fitting.parse_init(init)
    schedule = report.schedule(output.every, output.show)
    settings.check(validated=validation is not None)
    with (
        importing("rich.table", wanted=output.form == "table"),
        reading(data, columns, dialect) as dataset,
    ):
        observations, held_out = dataset.with_validation(
            validation, settings.seed, keep_rows=settings.needs_rows
        )
    note_columns(observations)
    check_inputs(output.x or (), observations.features)
    run = fitting.Run(observations, init=start, validation=held_out, settings=settings)
    if settings.standardize and (files.history or (output.form == "csv")):
        note("the params and grad of each epoch are for standardized features")
    trace = Trace()
    with Bar("training", settings.epochs) as bar, history_file(files.history, run) as history:
        shown = REPORTS[output.form](run, schedule, bar.hide)
        watchers = [bar.step, shown.step, *history, growth_noted(run, bar)]
        if files.plot or output.chart:
            watchers.append(trace.step)
        for step in run:
            for watch in watchers:
                watch(step)
    fit = run.fit()
    predictions = report.predictions(fit, output.x or ())
    diverged = fit.status == "diverged"
    if not diverged:
        fit.model.save(files.model, predictions=report.listed(predictions))
    if files.plot:
        from gdfit.show.plots import save_plot

        save_plot(fit, trace.steps, files.plot)
    shown.end(fit, predictions, "" if diverged else str(files.model))
    if output.chart:
        from gdfit.show.charts import print_charts

        print_charts(fit, trace.steps)
    if diverged:
        complain(advice.diverged(fit))
        raise typer.Exit(3)


def check_files(
    data: list[str], validation: float | str | None, init: str, output: Output, files: Files
) -> None:
    """Raise where files are in each other's way, before any work is done."""
    from gdfit.files import check_outputs

    if files.plot:
        from gdfit.show.plots import check_ending

        check_ending(files.plot)
    if output.chart and output.form != "table":
        raise UsageError("`chart` goes with `format` table, and not with -q")
    inputs = [*data, *([validation] if isinstance(validation, str) else [])]
    if inputs.count("-") > 1:
        raise UsageError("standard input can be read only once")
    model = files.model
    goes_on = Path(init).is_file() and model.exists() and model.samefile(init)
    outputs = [model, files.history, files.plot]
    check_outputs(outputs, inputs=inputs if goes_on else [*inputs, init])


@contextmanager
def importing(module: str, *, wanted: bool) -> Iterator[None]:
    """Import `module` beside what is done meanwhile, if it is wanted."""
    thread = Thread(target=import_module, args=[module], daemon=True)
    if wanted:
        thread.start()
    yield
    if wanted:
        thread.join()  # two threads that import one package can get in each other's way


def growth_noted(run: Run, bar: Bar) -> Callable[[Step], None]:
    """A watcher that notes when the loss has grown for some epochs running."""
    from gdfit.descent.stopping import Growth
    from gdfit.show import advice

    grows = Growth(overshoots=not run.settings.is_plain)

    def watch(step: Step) -> None:
        if grows(step):
            bar.hide()
            note(f"epoch {step.epoch}: {advice.growth(run, grows.EPOCHS)}")

    return watch
