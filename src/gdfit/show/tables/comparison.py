"""Runs side by side on standard output: as a table, as JSON, as CSV."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gdfit.descent import compare
from gdfit.descent.compare import Comparison, RunResult
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit, losses
from gdfit.descent.run import Run
from gdfit.errors import printable
from gdfit.model.linear import finite, to_json
from gdfit.show.tables import reports, style, words
from gdfit.show.tables.reports import Callback, JsonReport, Shown
from gdfit.show.tables.style import Lines, NameValue, cell, counted, exact

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EPOCH_COLUMNS = 20  # in a table
LONGEST_VALUE = 16  # characters of a value
SHORTEST_VALUE = 8  # where there is no room for more

# The runs to come, each with the name of its start.
Runs = Sequence[tuple[str, Run]]


class RunsReport:
    """Where the steps of several runs go, and what they come to.

    Parameters
    ----------
    runs : those to come.
    asked : the epochs that were asked for, if they were.
    before : is called before anything is printed.
    """

    def __init__(self, runs: Runs, asked: Shown | None, before: Callable[[], None]) -> None:
        self.asked, self.before = asked, before
        self.values = [compare.run_values(name, run) for name, run in runs]
        self.varied = compare.differing(self.values)

    def printed(self, run: Run) -> Shown:
        """Which epochs of a run to print."""
        asked, done = self.asked, run.start.epochs
        return (lambda epoch: asked(done + epoch)) if asked else reports.schedule(None, None)

    def watch(self, number: int, run: Run) -> Callback:
        """The callback that is told of the steps of a run."""
        return lambda step: None

    def end(self, comparison: Comparison, lines: Lines) -> None:
        """Show what is left to show, and `lines` of more to say."""


class RunsTable(RunsReport):
    """A row for each run, best first, when they are over; a line of what is compared before."""

    def __init__(
        self, runs: Runs, asked: Shown | None, before: Callable[[], None], form: str = "table"
    ) -> None:
        super().__init__(runs, asked, before)
        self.form, self.console = form, style.stdout_console(form)
        width = style.width_of(self.console) - 2
        self.console.print(f" {printable(runs_heading(runs, width))}")
        self.console.line()

    def end(self, comparison: Comparison, lines: Lines) -> None:
        typed = lines if self.form == "table" else ()  # a document does not say what to type
        show_runs(self.console, comparison, self.varied, self.asked, typed)


def show_runs(
    console: Console,
    comparison: Comparison,
    varied: Sequence[str],
    asked: Shown | None = None,
    lines: Lines = (),
) -> None:
    """Write a row for each run, with the values that are `varied` and the loss in as many of the
    epochs `asked` for as have room; remarks on them, and `lines` of more to say."""
    first = min(outcome.fit.start_state.epochs for outcome in comparison.outcomes)
    last = max(outcome.last_epoch for outcome in comparison.outcomes)
    wanted = [epoch for epoch in range(1, last + 1) if asked and asked(epoch)]
    there = [epoch for epoch in compare.milestones(last) if epoch > first]
    epochs = (wanted if asked else there)[-EPOCH_COLUMNS:]
    while epochs and not has_room(console, runs_table(comparison, varied, epochs)):
        epochs = epochs[1:]  # the last ones that have room
    roomy = has_room(console, runs_table(comparison, varied, epochs))
    longest = LONGEST_VALUE if roomy else SHORTEST_VALUE
    told = [*remarks(comparison)]
    if asked and (left_out := len(wanted) - len(epochs)):
        told.append(("no room", f"for {left_out} of the epochs: --format csv has all"))
    width = max(len(name) for name, _ in (*told, *lines))
    lines_below = style.key_values((name.ljust(width), text) for name, text in told)
    style.show(console, runs_table(comparison, varied, epochs, longest), lines_below)
    for name, text in lines:  # commands and files' names are not to be broken
        console.print(f" {name.ljust(width)}  ", style="bold", end="")
        console.print(text, soft_wrap=True)


def has_room(console: Console, table: Table) -> bool:
    """True for a table that leaves the last column free: a line that fills it makes some
    terminals begin another one."""
    options = console.options.update(max_width=style.PIPE)
    return console.measure(table, options=options).maximum < style.width_of(console)


def runs_table(
    comparison: Comparison,
    varied: Sequence[str],
    epochs: Sequence[int],
    longest: int = LONGEST_VALUE,
) -> Table:
    """The table of the values that are `varied`, with the loss in the rows of these `epochs` and in
    the end; its texts, and the names of its settings, are at most as long as the `longest`."""
    names = [name.replace("_", " " if len(name) <= longest else "\n") for name in varied]
    rows = [f"epoch {epoch:,}" for epoch in epochs]
    held_out: list[str] = []
    if comparison.outcomes[0].fit.held_out is not None:
        held_out = ["cv" if comparison.outcomes[0].fit.model.facts["cv"] else "validation"]
    table = style.new_table(None, [*names, *rows, "in the end", *held_out, "arrived"])
    table.padding = (0, 0, 0, 1)  # closer than tables of fewer columns
    table.columns[len(names) + len(rows)].style = "bold"
    table.add_column("ended", no_wrap=True)
    for group in comparison.groups():
        for outcome in group:
            fit = outcome.fit
            losses = [*map(outcome.loss_in, epochs), fit.loss]
            losses += [] if fit.held_out is None else [fit.held_out]
            table.add_row(
                *(setting_text(name, outcome.values[name], longest) for name in varied),
                *(cell(loss, 4) for loss in losses),
                to_minimum(comparison, outcome),
                status_text(outcome),
                style="dim" if outcome.has_diverged else "",
            )
        table.add_section()
    return table


def setting_text(name: str, value: Any, longest: int = LONGEST_VALUE) -> str:
    """A value of a setting."""
    if value is None:
        return "all" if name == "batch_size" else "none"
    if isinstance(value, float):
        return "—" if math.isnan(value) else f"{value:.5g}"  # of a rule that finds its rate
    if isinstance(value, tuple):
        return ",".join(f"{part:g}" for part in value)
    return style.shortened(printable(str(value)), longest)


def setting_with_name(name: str, value: Any) -> str:
    """A value of a setting, with the setting's name where it does not say itself what it is."""
    text = setting_text(name, value)
    alone = name in ("optimizer", "loss", "backend") or text in ("standardize", "whiten", "random")
    return text if alone else f"{name.replace('_', ' ')} {text}"


def run_name(
    outcome: RunResult, varied: Sequence[str], write: Callable[[str], str] = printable
) -> str:
    """The name of a run: the values that it differs from others in."""
    values = (setting_with_name(each, outcome.values[each]) for each in varied)
    name = ", ".join(map(write, values)) or "the run"
    return f"{name} (diverged)" if outcome.has_diverged else name


def to_minimum(comparison: Comparison, outcome: RunResult) -> str:
    """The number of epochs to the minimum."""
    epochs = comparison.epochs_to_minimum(outcome)
    if epochs is not None:
        return f"{epochs:,}"
    return "—" if outcome.has_diverged else f"> {outcome.fit.epochs:,}"


def status_text(outcome: RunResult) -> str:
    """The status of a run in the end, and when that was, if not after all epochs."""
    fit = outcome.fit
    return fit.status if fit.status == "completed" else f"{fit.status} at {fit.epochs:,}"


def runs_heading(runs: Runs, width: int) -> str:
    """The line above the table: what is compared."""
    every = [run for _, run in runs]
    epochs = counted(max(run.settings.epochs for run in every), "epoch")
    choices = {words.chosen_settings(run) for run in every}
    chosen = choices.pop() if len(choices) == 1 else ""
    more = f" · loss of {counted(len(runs), 'run')} of {epochs}{chosen}"
    return words.subject(every[0], more, width)


def remarks(comparison: Comparison) -> Iterator[NameValue]:
    """Remarks below the table: what its columns mean, and why runs diverged."""
    leasts = {
        outcome.objective: told_least(outcome, least)
        for outcome in comparison.outcomes
        if (least := comparison.least(outcome)) is not None
    }
    if isinstance(cv := comparison.outcomes[0].fit.model.facts["cv"], Mapping):
        yield "cv", f"the mean loss on {cv['folds']} folds, held out one by one"
    if len(leasts) == 1:
        yield "arrived", leasts.popitem()[1]
    elif leasts:
        yield "arrived", "after so many epochs:"
        parts = zip(*leasts, strict=True)
        apart = [place for place, each in enumerate(parts) if len({*each} - {None}) > 1]
        for objective, told in leasts.items():
            named = [
                setting_with_name(OBJECTIVE[place], objective[place]).strip()
                for place in apart
                if objective[place] is not None
            ]
            yield f"  {', '.join(named)}", told
    diverged = [outcome.fit for outcome in comparison.outcomes if outcome.has_diverged]
    for limit in dict.fromkeys(filter(None, map(limit_of, diverged))):
        yield "limit", limit


# The settings that a run's `objective` is of, with no name for the number that shapes its loss.
OBJECTIVE = ("loss", "", "l2", "l1", "scale")


def told_least(outcome: RunResult, least: float) -> str:
    """What it is to have arrived, and the least loss."""
    if outcome.fit.curvature:
        return f"each param within 1/100 std. error of the minimum, {exact(least)}"
    what = "the least of these runs" if outcome.fit.minimum_loss is None else "the minimum"
    return f"the loss within 1 % of {what}, {exact(least)}"


def limit_of(fit: Fit) -> str:
    """The limit of the learning rate, above which such a run diverges, if it is known."""
    settings, curvature = fit.settings, fit.curvature
    bound = curvature.stable_lr(settings) if curvature and curvature.is_parabola else None
    if bound is None:
        return ""
    scale = f" with --scale {settings.scale}" if fit.scaling else ""
    on = f"{words.climber(settings)} on this data{scale}"
    return f"{on} climbs above --lr {bound:.6g} = {words.limit_in_symbols(settings)}"


class RunsJson(RunsReport):
    """A list of what train gives, best first, with the number of the run and what it took."""

    def __init__(self, runs: Runs, asked: Shown | None, before: Callable[[], None]) -> None:
        super().__init__(runs, asked, before)
        self.reports: dict[int, JsonReport] = {}

    def watch(self, number: int, run: Run) -> Callback:
        self.reports[number] = JsonReport(run, self.printed(run), reports.no_op)
        return self.reports[number].step

    def end(self, comparison: Comparison, lines: Lines) -> None:
        objects = []
        for outcome in comparison.outcomes:
            fit, history = outcome.fit, self.reports[outcome.number].history
            record = {
                "run": outcome.number,
                **fit.model.record,
                "least_loss": comparison.least(outcome),
                "epochs_to_minimum": comparison.epochs_to_minimum(outcome),
                "predictions": reports.listed(reports.predictions(fit, ())),
                "history": history,
            }
            objects.append(to_json(record))
        print("[\n" + ",\n".join(objects) + "\n]")


class RunsCsv(RunsReport):
    """The printed epochs of each run as CSV, as they happen."""

    def __init__(self, runs: Runs, asked: Shown | None, before: Callable[[], None]) -> None:
        super().__init__(runs, asked, before)
        self.writer = csv.writer(sys.stdout, lineterminator="\n")
        self.writer.writerow(compare.runs_header(self.varied, runs[0][1].validation is not None))

    def watch(self, number: int, run: Run) -> Callback:
        values = finite(self.values[number - 1])  # no rate is an empty field
        first = [number, *(values[name] for name in self.varied)]
        printed, done = self.printed(run), run.start.epochs

        def step(step: Step) -> None:
            if step.status or printed(step.epoch):
                self.before()
                self.writer.writerow([*first, done + step.epoch, *losses(step)])

        return step


# By the name of what standard output gets.
RUNS_REPORTS: dict[str, Callable[[Runs, Shown | None, Callable[[], None]], RunsReport]] = {
    "table": RunsTable,
    "markdown": partial(RunsTable, form="markdown"),
    "latex": partial(RunsTable, form="latex"),
    "json": RunsJson,
    "csv": RunsCsv,
}
