"""gdfit path and gdfit train --by: a model for each penalty, or for each group of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from gdfit.choices import Choice, Penalty
from gdfit.cli import options, parsers
from gdfit.cli.groups import Typed, option, panel
from gdfit.cli.process import DIVERGED_STATUS, fail, note
from gdfit.cli.reading import check_files, note_columns, read_inputs, reading
from gdfit.errors import UsageError

if TYPE_CHECKING:
    from gdfit.cli.options import Files, Output
    from gdfit.data.observations import Observations
    from gdfit.data.text.dialect import Dialect, Selection
    from gdfit.descent.penalty_path import PenaltyPath
    from gdfit.descent.settings import Settings
    from gdfit.descent.start import Init


@dataclass(frozen=True, eq=False)
class Penalties:
    """The penalties of a path, and the folds that tell which of them is best."""

    penalty: Penalty = "l1"
    mix: float = 0.5
    penalties: tuple[float, ...] | None = None
    cv: int | None = None
    choose: Choice | None = None


THE_PATH = panel(
    "The path",
    penalty=option("‖w‖₁, the lasso; ‖w‖², ridge; or both."),
    mix=option("The part of ‖w‖₁ in --penalty mix."),
    penalties=option(
        "The penalties λ; by default 100, from the smallest that makes all weights 0.",
        metavar="A,B",
        read=parsers.parse_numbers,
    ),
    cv=option(
        "Hold out each of K folds once: the mean loss on them for each λ.",
        metavar="K",
        read=parsers.parse_positive,
    ),
    choose=option(
        "The λ of the model: with the least loss on the folds, or the largest within one standard "
        "error of it; by default 1se."
    ),
)
BestModelOption = Annotated[
    Path | None, option("Write the model at the λ chosen.", "--model", metavar="FILE")
]
PathPlotOption = Annotated[
    Path | None,
    option("Draw the weights, and the loss on the folds.", "--plot", metavar="FILE.png|.svg|.pdf"),
]
OWN_OF_PATH = (*THE_PATH, "seed", "model", "plot", "format")


def path(
    typed: Typed,
    data: options.DataArgument,
    columns: options.NumberOptions,
    dialect: options.DialectOptions,
    asked: Annotated[Penalties, THE_PATH],
    seed: options.SeedOption = 0,
    model: BestModelOption = None,
    plot: PathPlotOption = None,
    dask: options.DaskOption = None,
    output: options.RowsFormatOption = "table",
) -> None:
    """Show the least squared error of DATA with each of many penalties: lasso, ridge or both.

    Examples
    --------
    gdfit path houses.csv --cv 10
    gdfit path houses.csv --cv 10 --choose least --model lasso.json
    gdfit path houses.csv --degree 3 --penalty mix --plot path.png
    """
    from gdfit.descent.cross_validation import check_folds
    from gdfit.descent.penalty_path import path_of
    from gdfit.descent.settings import Settings
    from gdfit.show.tables.grid import print_path

    cv = asked.cv
    typed.refuse("mix", "is for `penalty` mix", unless=asked.penalty == "mix")
    typed.refuse("choose", "goes by the loss on the folds of `cv`", unless=cv is not None)
    typed.refuse("seed", "deals the folds of `cv`", unless=cv is not None)
    if model and not cv:
        raise UsageError("`model` is that of the best λ, which `cv` 10 finds")
    if cv:
        check_folds(cv, Settings(), "zeros")
    written = options.Files(model=model or options.DEFAULT_MODEL, no_model=not model, plot=plot)
    check_files(data, None, (), written)
    folds: Sequence[Observations] = ()
    with reading(data, columns, dialect, dask=dask, form=output) as dataset:
        if cv:
            observations, folds = dataset.folded(cv, seed)
        else:
            observations = dataset.observations(seed)
    note_columns(observations)
    found = path_of(observations, folds, asked.penalty, asked.mix, asked.penalties)
    place = found.place(asked.choose or "1se")
    if model and place is not None:
        chosen = found.model(place)
        facts = {**chosen.facts, "files": list(data), **dialect.facts}
        replace(chosen, facts=facts).save(model)
    if plot:
        from gdfit.show.pictures.figure import save_figure
        from gdfit.show.profiles import draw_profiles

        save_figure(lambda: draw_profiles(found), plot)
    print_path(found, output, next_command(found, place, typed), model)


def next_command(found: PenaltyPath, place: int | None, typed: Typed) -> str:
    """The command that trains at the λ chosen; or that chooses one."""
    if place is None:
        return typed.again({"cv": "10"})
    penalties = {"l1": found.l1[place], "l2": found.l2[place]}
    values = {name: str(float(value)) for name, value in penalties.items() if value}
    _, *words = typed.changed(dict.fromkeys(OWN_OF_PATH, "") | values)
    return Typed(["train", *words], typed.given).again({})


# What is of one run: its epochs, what they are measured on, and what shows them.
OF_A_RUN = (
    *("validation", "cv", "every", "show", "chart", "explain"),
    *("history", "panel", "page", "interval"),
)


def check_each(typed: Typed) -> None:
    """Raise for an option that does not go with groups."""
    for name in OF_A_RUN:
        if name in typed.given:
            raise UsageError(f"`{name}` does not go with `by`, which fits each group by itself")


def train_each(
    typed: Typed,
    data: list[str],
    columns: Selection,
    dialect: Dialect,
    settings: Settings,
    output: Output,
    files: Files,
    start: tuple[str, Init],
    dask: str | None,
) -> None:
    """Fit each group in DATA, and print, write and draw what comes out.

    start : where the params start, as it was typed and as it is.
    """
    from gdfit.data.sources.stores import WITHOUT_ROWS, is_condensed
    from gdfit.descent.by_group import fit_groups
    from gdfit.model.family import write_groups
    from gdfit.show.tables.grid import GroupsTold, group_remarks, print_groups
    from gdfit.show.tables.style import counted

    for path in filter(is_condensed, data):
        raise UsageError(f"{path} {WITHOUT_ROWS}")
    with reading(data, columns, dialect, dask=dask, form=output.form) as dataset:
        observations = dataset.observations(settings.seed, keep_rows=settings.needs_rows)
    note_columns(observations, settings.loss)
    fits = fit_groups(observations, settings, start[1])
    inputs = read_inputs(output.x or (), observations)
    predictions = [(values, fits.at_inputs(values)) for values in inputs]
    facts = {"init": start[0], "files": [*data], **dialect.facts}
    model = None if files.no_model else files.model
    if model and fits.has_models:
        write_groups(model, fits.records(facts, predictions))
    if files.plot and fits.has_models:
        from gdfit.show.pictures.figure import save_figure
        from gdfit.show.profiles import draw_groups

        save_figure(lambda: draw_groups(fits), files.plot)
    print_groups(fits, output.form, GroupsTold(facts, predictions, model))
    for remark in group_remarks(fits):
        note(remark)
    if diverged := sum(fit.status == "diverged" for fit in fits):
        what = f"the runs of {counted(diverged, 'group')} have diverged, which have no model"
        fail(f"{what}: `lr` auto chooses a rate for each", DIVERGED_STATUS)
    if not fits.has_models:
        fail("no group has a model: each has fewer rows than params", 1)
