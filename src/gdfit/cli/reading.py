"""From a command's DATA to a data set: with a progress bar, and a note of what was skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gdfit.cli.groups import with_option_name
from gdfit.cli.parsers import exact_number
from gdfit.cli.process import note
from gdfit.data.text.dialect import Dialect, Selection
from gdfit.data.text.spellings import DateSpelling, Spelling, find_spelling
from gdfit.dates import EPOCH
from gdfit.errors import UsageError, listing, printable, quoted
from gdfit.errors import typed as typed_names
from gdfit.package import __version__

if TYPE_CHECKING:
    from gdfit.cli.options import Files
    from gdfit.data.dataset import Dataset
    from gdfit.data.observations import Observations
    from gdfit.model.linear import LinearModel


def check_files(
    data: list[str], validation: float | str | None, starts: Sequence[str], files: Files
) -> None:
    """Raise where files are in each other's way, before any work is done. Only a model that a run
    goes on from may be written over."""
    from gdfit.system import check_ending, check_outputs

    if files.plot:
        from gdfit.show.pictures.figure import check_picture_ending

        check_picture_ending(files.plot)
    if files.page:
        check_ending(files.page, "page", ".html", ".htm")
    inputs = [*data, *([validation] if isinstance(validation, str) else [])]
    check_standard_input(inputs)
    model = None if files.no_model else files.model
    goes_on = model if model and model.exists() else None
    inputs += [
        init for init in starts if not (goes_on and Path(init).is_file() and goes_on.samefile(init))
    ]
    check_outputs([model, files.history, files.plot, files.page], inputs)
    if model:
        check_ending(model, "model", ".json")
    if files.history:
        check_ending(files.history, "history", ".csv")


def check_standard_input(inputs: list[str]) -> None:
    """Raise where more than one of the `inputs` is standard input."""
    if inputs.count("-") > 1:
        raise UsageError("standard input can be read only once")


@contextmanager
def reading(
    files: list[str],
    selection: Selection,
    dialect: Dialect,
    dask: str | None = None,
    begun: Callable[[], None] = lambda: None,
    form: str = "table",
) -> Iterator[Dataset]:
    """The data set, with a progress bar if reading it takes long, and a note of how many rows miss
    a field and are skipped. When reading has `begun`, that is called. Standard
    output is to get a table or another `form`."""
    from gdfit.data.dataset import Dataset
    from gdfit.show.progress import ReadingBar

    check_standard_input(files)
    with ReadingBar(files, form) as bar, ExitStack() as stack:
        cluster = None
        if dask is not None:
            from gdfit.data.reduction.dask import Cluster

            def say(message: str) -> None:
                bar.hide()
                note(message)

            cluster = stack.enter_context(Cluster(dask, say))
        try:
            yield Dataset(tuple(files), selection, dialect, bar, cluster=cluster, on_start=begun)
        finally:
            bar.hide()
            for remark in bar.remarks:
                note(remark)
    if missed := bar.rows_missed:
        note(f"skipped {'1 row' if missed == 1 else f'{missed} rows'} with a missing field")


def read(
    files: list[str], selection: Selection, dialect: Dialect, keep_rows: bool = False
) -> Observations:
    """The observations that a command looks at without training on them."""
    with reading(files, selection, dialect) as dataset:
        observations = dataset.observations(keep_rows=keep_rows)
    note_columns(observations)
    return observations


def note_columns(observations: Observations, *losses: object) -> None:
    """Say which columns are left out because they hold no numbers, and how to use them; which are
    categories for want of others, make no feature, or one for each row; what looks like no
    observation; and of a target of 0 and 1, with these `losses`, that there is a loss for it."""
    from gdfit.data.observations import suspicions

    expansion = observations.expansion
    if expansion:
        from gdfit.data.sources.source import in_windows
        from gdfit.data.terms.expansion import level_name
        from gdfit.data.terms.formula import levels_left_out

        for category, levels in zip(expansion.categories, expansion.levels, strict=True):
            is_group = category == expansion.by
            if raw := next(filter(None, map(in_windows, map(str, levels))), None):
                what = f"{category}: {quoted(raw)} is no UTF-8, as the first lines of the file are"
                note(f"{what}; `encoding` cp1252 reads all as Windows-1252")
            if len(levels) == 1:
                only = printable(level_name(levels[0]))
                makes = "it is one group" if is_group else "it makes no feature"
                note(f"{category} has one level only, {only}: {makes}")
            elif len(levels) == observations.count and not is_group:
                what = f"{category} has as many levels as there are rows, {len(levels)}"
                note(f"{what}: with it, a model fits these rows whatever they are")
        for term, column in levels_left_out(expansion):
            what = f"{term} has no column for the first level of {printable(column)}"
            note(f"{what}, and nothing else has: `formula` codes it as R does")
    dates = observations.dates
    if names := observations.taken:
        what = "is taken for a category" if len(names) == 1 else "are taken for categories"
        if dates:
            what = f"{'is' if len(names) == 1 else 'are'} taken, in days since {EPOCH}"
        note(f"no column with numbers is left to predict from: {listing(names)} {what}")
    left_out = observations.left_out
    if names := tuple(name for name in left_out if name in dates):
        use = f"`features` {typed_names(names[:1])} uses one as days since {EPOCH}"
        note(f"left out columns of dates: {listing(names)} ({use})")
    if names := tuple(name for name in left_out if name not in dates):
        use = f"`features` {typed_names(names[:1])} uses one as a category"
        note(f"left out columns without numbers in the first lines: {listing(names)} ({use})")
    if observations.is_instead:
        target = printable(observations.target_name)
        note(f"the last column of the file has no numbers: the target is {target} (see `target`)")
    for suspicion in suspicions(observations):
        note(suspicion)
    is_mse = {"mse", "logistic"}.intersection(map(str, losses)) == {"mse"}
    if is_mse and observations.intercept and observations.has_classes:
        target = printable(observations.target_name)
        note(f"{target} is 0 or 1 in all rows: `loss` logistic fits how probable 1 is")


def check_shown(observations: Observations, *wanted: object) -> None:
    """Raise where rows are wanted to be shown, and a condensed file has none."""
    if any(wanted) and not len(observations.sample):
        what = "DATA was condensed without rows: there are none to draw, and none to explain"
        raise UsageError(f"{what}; condense it without `no_rows`")


def note_version(path: object, model: LinearModel) -> None:
    """Say where a newer gdfit wrote the model in the file at `path`."""
    from gdfit.model.linear import newer_version

    if version := newer_version(model.facts):
        own = f"this is gdfit {__version__}, which may not know all that it says"
        note(f"{printable(str(path))}: gdfit {version} wrote this model, and {own}")


def read_inputs(
    inputs: Sequence[Sequence[str]], of: Observations | LinearModel
) -> list[tuple[float | str, ...]]:
    """The inputs that `x` gives to a model: a number for each of its features, or where it has an
    expansion, a number or a level for each of the columns that it is made of."""
    names = of.expansion.inputs if of.expansion else of.features
    texts = of.expansion.texts if of.expansion else ()
    spelling_of = dict(of.spellings)
    rows: list[tuple[float | str, ...]] = []
    for values in inputs:
        if len(values) != len(names):
            what = f"{'input' if texts else 'feature'} ({listing(names)})"
            raise UsageError(f"`x` takes a value for each {what}, not {len(values)}")
        made = [
            value if name in texts else input_value(value, spelling_of.get(name))
            for name, value in zip(names, values, strict=True)
        ]
        rows.append(tuple(made))
    return rows


def input_value(text: str, spelling: Spelling | None) -> float:
    """The number that `x` gives; of a column of dates, the days of a date as the column has it or
    in ISO 8601."""
    if isinstance(spelling, DateSpelling):
        said = text.strip()
        found = spelling if spelling.takes(said) else find_spelling([said]).spelling
        if isinstance(found, DateSpelling) and (found is spelling or found.order in ("ymd", "ym")):
            return found.value(said.encode())
        raise UsageError(f"`x` takes a date here, as 2024-03-01, not {quoted(text)}")
    number: float = with_option_name("x", exact_number)(text)
    return number
