"""gdfit train."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from heapq import merge
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
    check_settings,
)
from gdfit.cli.typed import Typed
from gdfit.errors import UsageError

if TYPE_CHECKING:
    from gdfit.descent.fit import Fit, Run
    from gdfit.descent.loop import Step
    from gdfit.show.progress import Bar
    from gdfit.show.report import Report

INTERRUPTED = 130


def train(
    typed: Typed,
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
    from gdfit.descent.fit import Run
    from gdfit.descent.start import parse_init
    from gdfit.show import advice, report
    from gdfit.show.history_file import history_file
    from gdfit.show.progress import TrainingBar
    from gdfit.show.run import REPORTS
    from gdfit.show.trace import Trace, traced_epochs

    check_output(typed, settings, output, files)
    check_files(data, validation, init, files)
    start = parse_init(init)
    check_settings(typed, settings, validated=validation is not None)
    with (
        importing("rich.table", wanted=output.form == "table"),
        reading(data, columns, dialect) as dataset,
    ):
        observations, held_out = dataset.with_validation(
            validation, settings.seed, keep_rows=settings.needs_rows
        )
    note_columns(observations)
    check_inputs(output.x or (), observations.features)
    trace, shown_epochs = Trace(), report.schedule(output.every, output.show)
    leaps = [report.epochs(output.every, output.show)]
    if files.plot or output.chart:
        leaps.append(traced_epochs())
    bar = TrainingBar(settings.epochs, what=advice.under_way(settings))
    if observations.rows:
        observations = replace(observations, rows=bar.counted(observations.rows))
    run = Run(observations, init=start, validation=held_out, shown=merge(*leaps), settings=settings)
    for remark in advice.weightless(run.scaling, observations.features):
        note(remark)
    if run.scaling and (files.history or output.form == "csv"):
        note(advice.units(run))
    with bar, history_file(files.history, run) as history:
        shown = REPORTS[output.form](run, shown_epochs, bar.hide)
        watchers = [bar.step, *history, shown.step, growth_noted(run, bar, shown)]
        if files.plot or output.chart:
            watchers.append(trace.step)
        with stopping_at_interrupt(run):
            for step in run:
                for watch in watchers:
                    watch(step)
    fit = told(run.fit(), data, init, typed)
    predictions = report.predictions(fit, output.x or ())
    diverged = fit.status == "diverged"
    if not diverged and not files.no_model:
        fit.model.save(files.model, predictions=report.listed(predictions))
    if files.plot:
        from gdfit.show.plots import save_plot

        save_plot(fit, trace.steps, files.plot)
    shown.end(fit, predictions, "" if diverged or files.no_model else str(files.model))
    if output.chart:
        from gdfit.show.charts import print_charts

        print_charts(fit, trace.steps)
    if diverged:
        sys.stdout.flush()
        complain(advice.diverged(fit, typed.again("lr")))
        raise typer.Exit(3)
    if fit.status == "interrupted":
        raise typer.Exit(INTERRUPTED)


def told(fit: Fit, data: Sequence[str], init: str, typed: Typed) -> Fit:
    """`fit` with what its files say besides: where the data came from, how it ended in words."""
    from gdfit.show import advice

    diverged = fit.status == "diverged"
    message = advice.diverged(fit, typed.again("lr")) if diverged else advice.ending(fit)
    facts = {"init": init, "files": list(data), "message": message, **fit.model.facts}
    return replace(fit, model=replace(fit.model, facts=facts))


def check_output(typed: Typed, settings: TrainSettings, output: Output, files: Files) -> None:
    """Raise for options that have no effect on what is printed or written."""
    quiet = output.quiet
    if settings.leap and files.history:
        raise UsageError(
            "`history` has every epoch, and `leap` leaves most of them out: take `format` csv, "
            "which prints those that are shown"
        )
    if output.chart and output.form != "table":
        raise UsageError("`chart` goes with `format` table, and not with -q")
    typed.refuse("format", "does not go with -q", unless=not quiet)
    for name in ("every", "show"):
        typed.refuse(name, "says which epochs to print, and -q prints none", unless=not quiet)
    predicted = output.form in ("table", "json")
    typed.refuse("x", "is for `format` table and json", unless=predicted)
    typed.refuse("model", "does not go with `no_model`", unless=not files.no_model)


def check_files(data: list[str], validation: float | str | None, init: str, files: Files) -> None:
    """Raise where files are in each other's way, before any work is done."""
    from gdfit.files import check_outputs

    if files.plot:
        from gdfit.show.plots import check_ending

        check_ending(files.plot)
    inputs = [*data, *([validation] if isinstance(validation, str) else [])]
    if inputs.count("-") > 1:
        raise UsageError("standard input can be read only once")
    model = None if files.no_model else files.model
    goes_on = model and Path(init).is_file() and model.exists() and model.samefile(init)
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


@contextmanager
def stopping_at_interrupt(run: Run) -> Iterator[None]:
    """Ctrl-C makes the epoch under way the last; a second one ends the command at once."""

    def stop(signal_number: int, frame: object) -> None:
        run.stopped = True
        signal.signal(signal.SIGINT, before)

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # not in the main thread, which alone hears of signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def growth_noted(run: Run, bar: Bar, shown: Report) -> Callable[[Step], None]:
    """A watcher that notes when the loss has grown for some epochs running."""
    from gdfit.descent.stopping import Growth
    from gdfit.show import advice

    grows = Growth(overshoots=not run.settings.is_plain)

    def watch(step: Step) -> None:
        if grows(step):
            bar.hide()
            shown.flush()
            note(f"epoch {step.epoch}: {advice.growth(run, grows.EPOCHS)}")

    return watch
