"""From a command's DATA to a data set: with a progress bar, and a note of what was skipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gdfit.cli.messages import note
from gdfit.data.columns import Selection
from gdfit.data.dialect import Dialect
from gdfit.errors import UsageError, listing

if TYPE_CHECKING:
    from gdfit.data.dataset import Dataset
    from gdfit.data.observations import Observations


@contextmanager
def reading(
    files: list[str],
    selection: Selection,
    dialect: Dialect,
    told: str = "skipped {} with a missing field",
) -> Iterator[Dataset]:
    """What to read, with a progress bar if it takes long, and a note of how many rows miss a field:
    `told` says what becomes of them."""
    from gdfit.data.dataset import Dataset
    from gdfit.show.progress import ReadingBar

    with ReadingBar(files) as bar:
        yield Dataset(tuple(files), selection, dialect, bar)
    if bar.rows_missed:
        note(told.format("1 row" if bar.rows_missed == 1 else f"{bar.rows_missed} rows"))


def read(
    files: list[str], selection: Selection, dialect: Dialect, *, keep_rows: bool = False
) -> Observations:
    """The observations that a command looks at without training on them."""
    with reading(files, selection, dialect) as dataset:
        observations = dataset.observations(keep_rows=keep_rows)
    note_columns(observations)
    return observations


def note_columns(observations: Observations) -> None:
    """Say which columns are left out because they hold no numbers."""
    if observations.left_out:
        note(
            f"left out columns without numbers in the first lines: {listing(observations.left_out)}"
        )


def check_inputs(inputs: Sequence[Sequence[float]], features: tuple[str, ...]) -> None:
    """Raise where an input has not a value for each feature."""
    for values in inputs:
        if len(values) != len(features):
            raise UsageError(
                f"`x` takes a value for each feature ({listing(features)}), not {len(values)}"
            )
