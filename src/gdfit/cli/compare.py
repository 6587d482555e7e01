"""The options of compare: those of train, where they take several values.

gdfit compare."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from gdfit.cli import parsers as texts
from gdfit.cli.groups import Group, Typed, option, panel
from gdfit.cli.options import (
    DEFAULT_MODEL,
    DESCENT,
    PENALTY,
    PRINTED,
    SEED,
    STOPPING,
    THE_LOSS,
    Columns,
    Dask,
    Data,
    Files,
    HowWritten,
    Output,
    Validation,
    check_settings,
    without_effect,
)
from gdfit.cli.process import complain, note
from gdfit.cli.reading import note_columns, reading
from gdfit.cli.train import INTERRUPTED, check_files, stopping_at_interrupt, told
from gdfit.descent.settings import Settings
from gdfit.errors import UsageError

if TYPE_CHECKING:
    from gdfit.descent.compare import Comparison, RunResult
    from gdfit.descent.run import Fit, Run
    from gdfit.show.progress import TrainingBar
    from gdfit.show.tables.comparison import Runs, RunsReport

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


OWN = ("format", "every", "show", "plot", "model")
"""The options that are about the comparison as a whole."""


def compare(
    typed: Typed,
    data: Data,
    columns: Columns,
    dialect: HowWritten,
    compared: ToCompare,
    settings: ForAll,
    output: PrintedRuns,
    files: WrittenOfRuns,
    init: Starts = None,
    validation: Validation = None,
    dask: Dask = None,
) -> None:
    """Run gradient descent on DATA with every combination of the values given."""
    from gdfit.descent.compare import Comparison, combinations, settings_of
    from gdfit.descent.start import parse_init
    from gdfit.show.progress import TrainingBar
    from gdfit.show.tables.comparison import RUNS_REPORTS
    from gdfit.show.tables.reports import schedule

    check_data(data)
    names = [name for listed in init or [("zeros",)] for name in listed]
    every = settings_of(settings, **compared.given)
    check_settings(typed, *every, validated=validation is not None)
    check_compared(typed, {**compared.given, "init": names}, every, files.model)
    written = Files(model=files.model or DEFAULT_MODEL, no_model=not files.model, plot=files.plot)
    check_files(data, validation, names, written)
    starts = {name: parse_init(name) for name in names}
    with reading(data, columns, dialect, dask=dask) as dataset:
        observations, held_out = dataset.with_validation(
            validation, every[0].seed, keep_rows=any(each.needs_rows for each in every)
        )
    note_columns(observations)
    bar = TrainingBar(settings.epochs, len(every) * len(starts))
    if observations.rows:
        observations = replace(observations, rows=bar.counted(observations.rows))
    runs = combinations(
        observations, init=starts, validation=held_out, settings=settings, **compared.given
    )
    note_weightless(runs)
    asked = schedule(output.every, output.show) if output.every or output.show else None

    def tell(fit: Fit, init: str) -> Fit:
        return told(fit, data, init, as_train(typed, fit.asked, init))

    with bar:
        shown = RUNS_REPORTS[output.format](runs, asked, bar.hide)
        comparison = Comparison(descended(runs, shown, bar, tell, traced=bool(files.plot)))
    best = [group[0] for group in comparison.groups() if not group[0].has_diverged]
    lines = [("best", as_train(typed, each.fit.asked, each.init).again({})) for each in best]
    if best and files.model:
        save(best[0].fit, files.model)
        lines.append(("model", str(files.model)))
    if files.plot:
        from gdfit.show.pictures.comparison import save_comparison

        save_comparison(comparison, files.plot)
    shown.end(comparison, lines)
    leave(comparison, typed)


def check_data(data: Sequence[str]) -> None:
    """Raise where one of the files is a value that a blank keeps from its option."""
    from gdfit.descent.settings import LossName, OptimizerName, Scale

    names = {"auto", *get_args(OptimizerName), *get_args(LossName), *get_args(Scale)}
    for word in data:
        if (word in names or is_number(word)) and not Path(word).exists():
            raise UsageError(
                f"{word} is no file; several values of an option stand with commas and without "
                "blanks, as in `lr` 0.001,0.01,0.1"
            )


def is_number(word: str) -> bool:
    """Whether `word` is written as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def check_compared(
    typed: Typed, given: Mapping[str, list[Any]], every: Sequence[Settings], model: Path | None
) -> None:
    """Raise where there is nothing to compare, or what can't be compared is to be ranked."""
    if typed.given.isdisjoint((*COMPARED, "init")):
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


def note_weightless(runs: Runs) -> None:
    """Say once of all runs why the weights of some features stay 0."""
    from gdfit.show.tables import words as advice

    remarks = (
        remark
        for _, run in runs
        for remark in advice.weightless(run.scaling, run.observations.features)
    )
    for remark in dict.fromkeys(remarks):
        note(remark)


def descended(
    runs: list[tuple[str, Run]],
    shown: RunsReport,
    bar: TrainingBar,
    tell: Callable[[Fit, str], Fit],
    *,
    traced: bool,
) -> Iterator[RunResult]:
    """What the runs come to, one after the other; after Ctrl-C, no other is begun."""
    import numpy as np

    from gdfit.descent.compare import Curve, RunResult, waiting
    from gdfit.show.pictures.trace import Trace

    for number, init, run in waiting(runs):
        curve, trace = Curve(run), Trace()
        watchers = [curve.step, shown.watch(number, run), bar.step]
        if traced:
            watchers.append(trace.step)
        with stopping_at_interrupt(run):
            for step in run:
                for watch in watchers:
                    watch(step)
        fit = tell(run.fit(trace.steps), init)
        yield RunResult(number, init, fit, np.array(curve.losses))
        if fit.status == "interrupted":
            if runs:
                bar.hide()
                note(f"{len(runs)} more runs were not begun")
            return


def as_train(typed: Typed, asked: Settings, init: str) -> Typed:
    """The command line that trains one of the runs."""
    changes = dict.fromkeys([*COMPARED, "init", *OWN, *without_effect(asked)], "")
    values = {**{name: getattr(asked, name) for name in COMPARED}, "init": init}
    for name in typed.given.intersection(values):
        changes[name] = "" if values[name] in (None, "auto", "zeros") else str(values[name])
    words = typed.changed({name.replace("_", "-"): value for name, value in changes.items()})
    return Typed(["train", *words[1:]], typed.given)


def save(fit: Fit, path: Path) -> None:
    """Write the model to the file at `path`, as train does."""
    from gdfit.show.tables.reports import listed, predictions

    fit.model.save(path, predictions=listed(predictions(fit, ())))


def leave(comparison: Comparison, typed: Typed) -> None:
    """End with the status of the comparison: 3 where all runs diverged."""
    from gdfit.show.tables import words as advice

    if any(outcome.fit.status == "interrupted" for outcome in comparison.outcomes):
        raise typer.Exit(INTERRUPTED)
    if all(outcome.has_diverged for outcome in comparison.outcomes):
        sys.stdout.flush()
        nearest = comparison.outcomes[0].fit
        complain(f"all runs diverged: {advice.way_out(nearest, str(nearest.model.facts['next']))}")
        raise typer.Exit(3)
