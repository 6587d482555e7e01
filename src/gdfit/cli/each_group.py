"""gdfit train --by: a model for each group of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdfit.cli.groups import Typed
from gdfit.cli.process import DIVERGED_STATUS, fail, note
from gdfit.cli.reading import note_classes, note_columns, read_inputs, reading
from gdfit.errors import UsageError

if TYPE_CHECKING:
    from gdfit.cli.options import Files, Output
    from gdfit.data.text.dialect import Dialect, Selection
    from gdfit.descent.settings import Settings
    from gdfit.descent.start import Init

# What is of one run: its epochs, what they are measured on, and what shows them.
OF_A_RUN = (
    *("validation", "cv", "every", "show", "chart", "explain"),
    *("history", "panel", "page", "interval"),
)


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
    from gdfit.show.tables.grid import GROUP_REPORTS, GroupsTold, group_remarks

    for name in OF_A_RUN:
        if name in typed.given:
            raise UsageError(f"`{name}` does not go with `by`, which fits each group by itself")
    for path in filter(is_condensed, data):
        raise UsageError(f"{path} {WITHOUT_ROWS}")
    with reading(data, columns, dialect, dask=dask, form=output.form) as dataset:
        observations = dataset.observations(settings.seed, keep_rows=settings.needs_rows)
    note_columns(observations)
    note_classes(observations, settings.loss)
    fits = fit_groups(observations, settings, start[1])
    inputs = read_inputs(output.x or (), observations)
    predictions = [(values, fits.predict(values)) for values in inputs]
    facts: dict[str, object] = {"init": start[0], "files": [*data]}
    if dialect.kept:
        facts["dialect"] = dialect.kept
    model = None if files.no_model else files.model
    if model and fits.has_models:
        write_groups(model, fits.records(facts, predictions))
    if files.plot:
        from gdfit.show.profiles import save_groups

        save_groups(fits, files.plot)
    GROUP_REPORTS[output.form](fits, GroupsTold(facts, predictions, model))
    for remark in group_remarks(fits):
        note(remark)
    if not fits.has_models:
        what = "no group has a model: each has fewer rows than params, or its run has diverged"
        fail(what, DIVERGED_STATUS)
