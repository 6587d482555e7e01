"""gdfit compare. Its options are those of train, of which some take several values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import typer

from gdfit.choices import RunsPanel
from gdfit.cli import options, parsers
from gdfit.cli.groups import Typed, check_settings, for_losses, names_in, option, panel
from gdfit.cli.process import DIVERGED_STATUS, INTERRUPTED_STATUS, fail, note
from gdfit.cli.reading import check_files, check_shown, note_columns, reading
from gdfit.cli.train import (
    check_cv,
    cross_validated,
    follow,
    note_weightless,
    with_message,
)
from gdfit.descent.own import OWN_METAVAR, Own
from gdfit.descent.settings import Settings, without_effect
from gdfit.errors import UsageError

SETTING_KINDS = get_type_hints(Settings)
OF_TRAIN = options.SEED | options.THE_LOSS | options.PENALTY | options.DESCENT | options.STOPPING


def several_option(name: str, parse: Callable[[str], Any], metavar: str, default: Any) -> Any:
    """Train's option of this name, with several values, ``A,B``, each as `parse` takes it."""
    listed = copy(OF_TRAIN[name])
    listed.parser = parsers.parse_several(parse)
    listed.metavar, listed.show_default = metavar, default
    return listed


def several_names(name: str) -> Any:
    """Train's option of this name, with several of the names that it takes, or functions of one's
    own."""
    kind, default = SETTING_KINDS[name], getattr(Settings, name) or False
    names, own = names_in(kind), Own in get_args(kind)
    metavar = ",".join((*names, OWN_METAVAR) if own else names)
    return several_option(name, parsers.parse_choice(names, own=own), metavar, default)


COMPARED = panel(
    "What to compare",
    lr=several_option("lr", parsers.parse_rate, "FLOAT|auto,…", "auto"),
    optimizer=several_names("optimizer"),
    schedule=several_names("schedule"),
    scale=several_names("scale"),
    batch_size=several_option("batch_size", parsers.parse_batch_size, "N,…,all", "all"),
    loss=several_names("loss"),
    l2=several_option("l2", parsers.parse_number, "λ,…", "0"),
    l1=several_option("l1", parsers.parse_number, "λ,…", "0"),
    seed=several_option("seed", parsers.parse_whole, "N,…", "0"),
    init=option(
        "Where the params start; may be repeated.",
        metavar="zeros,random,MODEL.json|W,…,B",
        read=parsers.parse_starts,
        show_default="zeros",
    ),
)


@dataclass(frozen=True)
class Compared:
    """The values to compare, of the options that were given."""

    lr: tuple[float | Literal["auto"], ...] | None = None
    optimizer: tuple[str | Own, ...] | None = None
    schedule: tuple[str, ...] | None = None
    scale: tuple[str, ...] | None = None
    batch_size: tuple[int | None, ...] | None = None
    loss: tuple[str | Own, ...] | None = None
    l2: tuple[float, ...] | None = None
    l1: tuple[float, ...] | None = None
    seed: tuple[int, ...] | None = None
    init: tuple[str, ...] | None = None


FOR_ALL = {name: OF_TRAIN[name] for name in OF_TRAIN if name not in (*COMPARED, "leap")}
PRINTED_RUNS = {name: options.PRINTED[name] for name in ("format", "every", "show", "chart")}
RUNS_FILES = panel(
    options.TO_WRITE,
    model=option("Write the best model to this file.", metavar="FILE"),
    plot=option("Draw the runs to this file.", metavar="FILE.png|.svg|.pdf"),
    panel=option(
        "What to draw of them: the losses, the paths of the params over level sets, or all."
    ),
)
# The options that are about the comparison as a whole.
OWN = ("format", "every", "show", "chart", "plot", "panel", "model")


def compare(
    typed: Typed,
    data: options.DataArgument,
    columns: options.ColumnOptions,
    dialect: options.DialectOptions,
    compared: Annotated[Compared, COMPARED],
    settings: Annotated[Settings, FOR_ALL],
    output: Annotated[options.Output, PRINTED_RUNS],
    model: Annotated[Path | None, RUNS_FILES["model"]] = None,
    plot: Annotated[Path | None, RUNS_FILES["plot"]] = None,
    panel: Annotated[RunsPanel, RUNS_FILES["panel"]] = "all",
    validation: options.ValidationOption = None,
    cv: options.CvOption = None,
    dask: options.DaskOption = None,
) -> None:
    """Run gradient descent on DATA with every combination of the values given.

    Examples
    --------
    gdfit compare lecture.csv --lr 0.001,0.01,0.1
    gdfit compare lecture.csv --optimizer gd,momentum,adam --plot runs.png
    """
    import numpy as np

    from gdfit.descent.compare import Comparison, Curve, RunResult, combinations, settings_of
    from gdfit.descent.least_squares import QUICK_BYTES, quickly_refined
    from gdfit.descent.start import parse_init
    from gdfit.show.pictures.trace import Trace, has_paths
    from gdfit.show.progress import TrainingBar
    from gdfit.show.tables import words
    from gdfit.show.tables.comparison import RUNS_REPORTS
    from gdfit.show.tables.reports import listed, predictions, schedule

    check_data(data)
    given = {name: list(values) for name, values in vars(compared).items() if values}
    names = given.pop("init", ["zeros"])
    every = settings_of(settings, **given)
    check_settings(typed, *every, validated=validation is not None)
    columns = for_losses(columns, typed, *every)
    check_compared(typed, {**given, "init": names}, every, model)
    written = options.Files(model=model or options.DEFAULT_MODEL, no_model=not model, plot=plot)
    check_files(data, validation, names, written)
    typed.refuse("panel", "is for `plot`", unless=plot is not None)
    if output.chart and output.format != "table":
        raise UsageError("`chart` goes with `format` table")
    starts = {name: parse_init(name) for name in names}
    for each, start in product(every, starts.values()) if cv is not None else ():
        check_cv(cv, validation, each, start)
    held_out, folds = None, None
    with reading(data, columns, dialect, dask=dask, form=output.form) as dataset:
        dataset = replace(dataset, keep_most=QUICK_BYTES)
        keep_rows = any(each.needs_rows for each in every)
        if cv:
            observations, folds = dataset.folded(cv, every[0].seed, keep_rows=keep_rows)
        else:
            observations, held_out = dataset.with_validation(
                validation, every[0].seed, keep_rows=keep_rows
            )
    note_columns(observations, *(each.loss for each in every))
    check_shown(observations, plot, output.chart)
    if panel == "path" and not has_paths(observations):
        raise UsageError("`panel` path is for one feature and b; there is `panel` loss")
    bar = TrainingBar(settings.epochs, len(every) * len(starts), form=output.form)
    observations = quickly_refined(observations)  # once for all runs, before its rows are counted
    if observations.rows and keep_rows:
        observations = replace(observations, rows=bar.counted(observations.rows))
    runs = combinations(observations, every, starts, held_out)
    note_weightless(run for _, run in runs)
    asked = schedule(output.every, output.show) if output.every or output.show else None
    results = []
    with bar:
        shown = RUNS_REPORTS[output.format](runs, asked, bar.hide)
        for number in range(1, len(runs) + 1):
            name, run = runs.pop(0)  # and forgotten: it may hold a copy of the observations
            curve, trace = Curve(run), Trace()
            callbacks = [curve.step, shown.watch(number, run), bar.step]
            follow(run, [*callbacks, trace.step] if plot or output.chart else callbacks)
            alone = as_train(typed, run.asked, name)
            fit = with_message(run.fit(trace.steps), data, dialect, name, alone)
            if folds and fit.status != "interrupted":
                fit = cross_validated(folds, run.asked, starts[name]).beside(fit)
            losses = np.array(curve.losses)
            results.append(RunResult(number, name, fit, losses, curve.arrived))
            if fit.status == "interrupted":  # and no other is begun
                if runs:
                    bar.hide()
                    note(f"{len(runs)} more runs were not begun")
                break
    comparison = Comparison(results)
    best = [group[0] for group in comparison.groups() if not group[0].has_diverged]
    lines = [("best", as_train(typed, each.fit.asked, each.init).again({})) for each in best]
    if best and model:
        fit = best[0].fit
        fit.model.save(model, predictions=listed(predictions(fit, ())))
        lines.append(("model", str(model)))
    if plot:
        from gdfit.show.pictures.comparison import draw_comparison
        from gdfit.show.pictures.figure import save_figure

        save_figure(lambda: draw_comparison(comparison, panel), plot)
    shown.end(comparison, lines)
    if output.chart:
        from gdfit.show.pictures.charts import print_charts, runs_charts

        print_charts(partial(runs_charts, comparison))
    if results[-1].fit.status == "interrupted":
        raise typer.Exit(INTERRUPTED_STATUS)
    if all(outcome.has_diverged for outcome in comparison.outcomes):
        fit = comparison.outcomes[0].fit
        way_out = words.way_out(fit, str(fit.model.facts["next"]))
        fail(f"all runs diverged: {way_out}", DIVERGED_STATUS)


def check_data(data: Sequence[str]) -> None:
    """Raise where one of the files is a value that a blank keeps from its option."""
    kinds = (SETTING_KINDS[name] for name in COMPARED if name in SETTING_KINDS)
    names = {*chain.from_iterable(map(names_in, kinds))}
    for word in data:
        if (word in names or parsers.takes(parsers.parse_number, word)) and not Path(word).exists():
            raise UsageError(
                f"{word} is no file; several values of an option stand with commas and without "
                "blanks, as in `lr` 0.001,0.01,0.1"
            )


def check_compared(
    typed: Typed, given: Mapping[str, list[Any]], every: Sequence[Settings], model: Path | None
) -> None:
    """Raise where there is nothing to compare, or what can't be compared is to be ranked."""
    if typed.given.isdisjoint(COMPARED):
        raise UsageError("there is nothing to compare: type values, as in `lr` 0.001,0.01,0.1")
    for name, values in given.items():
        for value in values:
            if values.count(value) > 1:
                raise UsageError(f"`{name}` takes each value once, not {value} twice")
    drawn = "random" in given["init"] or any(settings.batch_size for settings in every)
    one_seed = len(given.get("seed", [])) <= 1
    typed.refuse("seed", "draws only random starts and batches", unless=drawn or one_seed)
    if model and len({settings.loss for settings in every}) > 1:
        raise UsageError("`model` is the best run's: of several losses, none is the best")


def as_train(typed: Typed, asked: Settings, init: str) -> Typed:
    """The command line that trains one of the runs."""
    changes = dict.fromkeys([*COMPARED, *OWN, *without_effect(asked)], "")
    values = {**vars(asked), "init": init}
    for name in typed.given.intersection(COMPARED):
        value = values[name]
        changes[name] = "" if value in (None, "auto", "zeros") else str(value).removesuffix(".0")
    words = typed.changed({name.replace("_", "-"): value for name, value in changes.items()})
    return Typed(["train", *words[1:]], typed.given)
