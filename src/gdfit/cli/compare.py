"""gdfit compare."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer

from gdfit.cli.data import note_columns, reading
from gdfit.cli.messages import complain, note
from gdfit.cli.options import (
    DEFAULT_MODEL,
    Columns,
    Dask,
    Data,
    Files,
    HowWritten,
    Validation,
    check_settings,
    without_effect,
)
from gdfit.cli.several import (
    COMPARED,
    ForAll,
    PrintedRuns,
    Starts,
    ToCompare,
    WrittenOfRuns,
)
from gdfit.cli.train import INTERRUPTED, check_files, stopping_at_interrupt, told
from gdfit.cli.typed import Typed
from gdfit.errors import UsageError

if TYPE_CHECKING:
    from gdfit.descent.comparison import Comparison, Outcome
    from gdfit.descent.fit import Fit, Run
    from gdfit.descent.settings import Settings
    from gdfit.show.comparison import Runs, RunsReport
    from gdfit.show.progress import TrainingBar

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
    from gdfit.descent.compare import combinations, settings_of
    from gdfit.descent.comparison import Comparison
    from gdfit.descent.start import parse_init
    from gdfit.show.comparison import RUNS_REPORTS
    from gdfit.show.progress import TrainingBar
    from gdfit.show.report import schedule

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
        from gdfit.show.compare_plots import save_comparison

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
    from gdfit.show import advice

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
) -> Iterator[Outcome]:
    """What the runs come to, one after the other; after Ctrl-C, no other is begun."""
    import numpy as np

    from gdfit.descent.compare import waiting
    from gdfit.descent.comparison import Curve, Outcome
    from gdfit.show.trace import Trace

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
        yield Outcome(number, init, fit, np.array(curve.losses))
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
    from gdfit.show.report import listed, predictions

    fit.model.save(path, predictions=listed(predictions(fit, ())))


def leave(comparison: Comparison, typed: Typed) -> None:
    """End with the status of the comparison: 3 where all runs diverged."""
    from gdfit.show import advice

    if any(outcome.fit.status == "interrupted" for outcome in comparison.outcomes):
        raise typer.Exit(INTERRUPTED)
    if all(outcome.has_diverged for outcome in comparison.outcomes):
        sys.stdout.flush()
        nearest = comparison.outcomes[0].fit
        complain(f"all runs diverged: {advice.way_out(nearest, str(nearest.model.facts['next']))}")
        raise typer.Exit(3)
