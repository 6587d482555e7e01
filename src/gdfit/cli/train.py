"""gdfit train."""

from __future__ import annotations

import math
import signal
from _thread import interrupt_main
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from heapq import merge
from itertools import chain
from threading import Timer
from typing import TYPE_CHECKING

import typer

from gdfit.cli import options
from gdfit.cli.groups import Typed, check_settings, for_losses
from gdfit.cli.process import DIVERGED_STATUS, INTERRUPTED_STATUS, fail, importing, note
from gdfit.cli.reading import (
    check_files,
    check_shown,
    note_columns,
    note_version,
    read_inputs,
    reading,
)
from gdfit.descent.own import Own
from gdfit.errors import UsageError, printable

if TYPE_CHECKING:
    from gdfit.data.observations import Observations
    from gdfit.data.text.dialect import Dialect
    from gdfit.descent.cross_validation import CrossValidation
    from gdfit.descent.loop import Step
    from gdfit.descent.outcome import Fit
    from gdfit.descent.run import Run
    from gdfit.descent.settings import Settings
    from gdfit.descent.start import Init
    from gdfit.show.progress import Bar
    from gdfit.show.tables.reports import Report

LAST_EPOCH = 2.0  # seconds for functions of one's own to come to the end of it


def train(
    typed: Typed,
    data: options.DataArgument,
    columns: options.ColumnOptions,
    dialect: options.DialectOptions,
    settings: options.TrainOptions,
    output: options.PrintOptions,
    files: options.FileOptions,
    init: options.InitOption = "zeros",
    validation: options.ValidationOption = None,
    cv: options.CvOption = None,
    by: options.ByOption = None,
    interval: options.IntervalOption = None,
    dask: options.DaskOption = None,
) -> None:
    """Fit a linear model to DATA by gradient descent.

    Examples
    --------
    gdfit train lecture.csv
    gdfit train lecture.csv --lr 0.01 --show 1-3 --plot fit.png --interval 0.95
    gdfit train houses.csv --target price_eur --degree 2 --page run.html
    """
    from gdfit.descent.least_squares import QUICK_BYTES
    from gdfit.descent.losses import loss_of
    from gdfit.descent.run import Run, rounding_of
    from gdfit.descent.start import parse_init
    from gdfit.descent.stopping import HoverWatch
    from gdfit.model.linear import LinearModel
    from gdfit.show.pictures.trace import Trace, traced_epochs
    from gdfit.show.progress import TrainingBar
    from gdfit.show.tables import reports, words

    if by is not None:
        from gdfit.cli.series import check_each

        check_each(typed)
    check_output(typed, settings, output, files)
    about_fit = files.plot is not None and files.panel in ("all", "fit")
    typed.refuse("interval", "is drawn by `plot`, about the fit", unless=about_fit)
    if interval or files.panel == "residuals":
        from gdfit.model.intervals import check_loss

        check_loss(settings.facts, "intervals" if interval else "leverages")
    check_files(data, validation, [init], files)
    start = parse_init(init)
    if isinstance(start, LinearModel):
        note_version(init, start)
    check_settings(typed, settings, validated=validation is not None)
    columns = replace(for_losses(columns, typed, settings), by=by)
    if by is not None:
        from gdfit.cli.series import train_each

        train_each(typed, data, columns, dialect, settings, output, files, (init, start), dask)
        return
    if cv is not None:
        check_cv(cv, validation, settings, start)
    held_out, folds = None, None
    own = [str(each) for each in (settings.loss, settings.optimizer) if isinstance(each, Own)]
    if files.page and own:
        raise UsageError(f"`page` descends by itself, and a browser can't run {own[0]}")
    if files.panel == "steepest" and not settings.is_plain:
        raise UsageError("`panel` steepest is for gd on the squared error of all rows")
    if files.panel == "roc" and not loss_of(settings).has_classes:
        raise UsageError("`panel` roc is for two classes, which `loss` logistic tells apart")
    with (
        importing("rich.table", wanted=output.form == "table") as begin,
        reading(data, columns, dialect, dask=dask, begun=begin, form=output.form) as dataset,
    ):
        dataset = replace(dataset, keep_most=QUICK_BYTES)
        if cv:
            observations, folds = dataset.folded(cv, settings.seed, keep_rows=settings.needs_rows)
        else:
            observations, held_out = dataset.with_validation(
                validation, settings.seed, keep_rows=settings.needs_rows
            )
    note_columns(observations, settings.loss)
    check_shown(observations, files.plot, files.page, output.chart, output.explain)
    inputs = read_inputs(output.x or (), observations)
    if observations.expansion:
        from gdfit.data.terms.row_maker import rows_at

        for values in inputs:
            rows_at(observations.expansion, values)  # tells their faults before anything is run
    trace, drawn = Trace(), files.plot or files.page or output.chart
    bar = TrainingBar(settings.epochs, what=words.under_way(settings), form=output.form)
    if observations.rows and settings.needs_rows:
        observations = replace(observations, rows=bar.counted(observations.rows))
    run = Run(observations, init=start, validation=held_out, settings=settings)
    if files.panel == "modes" and run.curvature is None:
        raise UsageError(
            "`panel` modes needs a minimum that is known, as of `loss` mse or logistic"
        )
    done = run.start.epochs
    run.shown = merge(
        reports.scheduled(output.every, output.show, done),
        range(1, (output.explain or 0) + 1),
        traced_epochs() if drawn else (),
        HoverWatch.telling(settings.epochs),
    )
    note_weightless([run])
    hover = HoverWatch(settings.epochs, run.whole_loss, rounding_of(run))
    with bar, reports.history_file(files.history, run) as history:
        shown_epochs = reports.schedule(output.every, output.show, done)
        shown = reports.REPORTS[output.form](run, shown_epochs, bar.hide)
        printed: list[Callable[[Step], None]] = [shown.step]
        if output.explain:
            from gdfit.show.explain import Explanation, held_back

            explanation = Explanation(run, output.explain, bar.hide)
            printed = [explanation.step, held_back(shown.step, output.explain)]
        callbacks: list[Callable[[Step], None]] = [
            bar.step,
            *history,
            *printed,
            hover,
            noting_growth(run, bar, shown),
        ]
        if drawn:
            callbacks.append(trace.step)
        follow(run, callbacks)
    fit = with_message(run.fit(), data, dialect, init, typed)
    if folds and fit.status not in ("interrupted", "diverged"):
        fit = cross_validated(folds, settings, start).beside(fit)
    predictions = reports.predictions(fit, inputs)
    model = None if files.no_model or fit.status == "diverged" else files.model
    if model:
        fit.model.save(model, predictions=reports.listed(predictions))
    if files.plot:
        from gdfit.show.pictures.figure import draw, save_figure

        picture = partial(draw, fit, trace.steps, files.panel, interval, dataset.lines_at)
        save_figure(picture, files.plot)
        if interval:
            note_intervals(fit, interval)
    if files.page:
        from gdfit.show.page import save_page

        save_page(fit, trace.steps, files.page)
    lines = [*words.ways(fit, typed.again)]
    shown.end(fit, predictions, [*lines, ("model", printable(str(model)))] if model else lines)
    if output.chart:
        from gdfit.show.pictures.charts import charts, print_charts

        print_charts(partial(charts, fit, trace.steps))
    if fit.status == "diverged":
        fail(str(fit.model.facts["message"]), DIVERGED_STATUS)
    for caution in words.cautions(fit, typed.again, str(model or ""), hover.swing):
        note(caution)
    if fit.status == "interrupted":
        raise typer.Exit(INTERRUPTED_STATUS)


def check_cv(cv: int | None, validation: object, settings: Settings, start: Init) -> None:
    """Raise for what does not go with cross-validation."""
    from gdfit.descent.cross_validation import check_folds

    check_folds(cv or 0, settings, start, validation)


def cross_validated(
    folds: Sequence[Observations], settings: Settings, start: Init
) -> CrossValidation:
    """The cross-validation of a run, with a note where one has diverged in a fold."""
    from gdfit.descent.cross_validation import validated_on

    found = validated_on(folds, settings, start)
    if diverged := sum(map(math.isinf, found.losses)):
        note(f"the run has diverged in {diverged} of {found.folds} folds")
    return found


def note_intervals(fit: Fit, level: float) -> None:
    """Say what there is to say of the intervals that have been drawn."""
    from gdfit.model.intervals import Further
    from gdfit.show.pictures.trace import on_a_plane

    if fit.status == "diverged":
        return
    if not on_a_plane(fit):
        note("`interval` is drawn about the line of one number, and there are several")
        return
    for remark in Further(fit.model, confidence=level).remarks:
        note(remark)


def note_weightless(runs: Iterable[Run]) -> None:
    """Say once of all runs why the weights of some features stay 0."""
    from gdfit.show.tables import words

    remarks = (words.weightless(run.scaling, run.observations.features) for run in runs)
    for remark in dict.fromkeys(chain.from_iterable(remarks)):
        note(remark)


def with_message(fit: Fit, data: Sequence[str], dialect: Dialect, init: str, typed: Typed) -> Fit:
    """`fit` with what its files say besides: where the data came from, how it ended in words, and
    what to type next."""
    from gdfit.show.tables import words

    changes = words.changes(fit)
    command = None if changes is None else typed.again(changes)
    message = words.ending(fit)
    if command and fit.status == "diverged":
        message = words.divergence_message(fit, command)
    own = {"init": init, "files": list(data), "message": message, "next": command}
    facts = {**fit.model.facts, **own, **dialect.facts}
    return replace(fit, model=replace(fit.model, facts=facts))


def check_output(
    typed: Typed, settings: Settings, output: options.Output, files: options.Files
) -> None:
    """Raise for options that have no effect on what is printed or written."""
    quiet = output.quiet
    if settings.leap and files.history:
        raise UsageError(
            "`history` has every epoch, and `leap` leaves most of them out: take `format` csv, "
            "which prints those that are shown"
        )
    for name in ("chart", "explain"):
        if getattr(output, name) and output.form != "table":
            raise UsageError(f"`{name}` goes with `format` table, and not with -q")
    typed.refuse("format", "does not go with -q", unless=not quiet)
    for name in ("every", "show"):
        typed.refuse(name, "says which epochs to print, and -q prints none", unless=not quiet)
    predicted = output.form not in ("csv", "quiet")
    typed.refuse("x", "is for tables and `format` json", unless=predicted)
    typed.refuse("panel", "is for `plot`", unless=files.plot is not None)
    typed.refuse("model", "does not go with `no_model`", unless=not files.no_model)


def follow(run: Run, callbacks: Iterable[Callable[[Step], None]]) -> None:
    """Go through a run to its end, with all `callbacks` at each step. Ctrl-C makes the epoch under
    way the last; a second one ends the command at once, as does the first where functions of one's
    own don't come to the end of the epoch soon."""
    settings, breaking = run.settings, Timer(LAST_EPOCH, interrupt_main)
    breaking.daemon = True

    def stop(signal_number: int, frame: object) -> None:
        run.stopped = True
        signal.signal(signal.SIGINT, before)
        if isinstance(settings.loss, Own) or isinstance(settings.optimizer, Own):
            breaking.start()

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # not in the main thread, which alone hears of signals
        before = None
    try:
        for step in run:
            for callback in callbacks:
                callback(step)
    finally:
        breaking.cancel()
        if before is not None:
            signal.signal(signal.SIGINT, before)


def noting_growth(run: Run, bar: Bar, shown: Report) -> Callable[[Step], None]:
    """A callback that notes where the loss has grown for some epochs running."""
    from gdfit.descent.run import rounding_of
    from gdfit.descent.stopping import DivergenceWatch
    from gdfit.show.tables import words

    grows = DivergenceWatch(not run.settings.is_plain, rounding_of(run))

    def callback(step: Step) -> None:
        if grows(step):
            bar.hide()
            shown.flush()
            note(f"epoch {run.as_shown(step).epoch:,}: {words.growth(run, grows.EPOCHS)}")

    return callback
