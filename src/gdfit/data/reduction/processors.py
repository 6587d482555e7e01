"""Large files, condensed by all processors of this machine as by a cluster's workers: in units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from gdfit.data.data_file import Watcher
from gdfit.data.parallel import in_order
from gdfit.data.reduction.gathering import AT_ONCE, Tree, expected
from gdfit.data.reduction.parts import (
    Gathered,
    Job,
    SomewhereError,
    Task,
    Work,
    condense,
    count_lines_of,
    find_level_fault,
    fold,
)
from gdfit.data.reduction.units import Form, NoPartsError, Range, StraddledError, ranges, survey
from gdfit.data.terms.levels import LevelError
from gdfit.data.terms.lookup import made_like
from gdfit.data.text.dialect import Dialect
from gdfit.errors import GdfitError

WIDE = 1 << 15  # columns times features: a unit has few rows more than what it is condensed to


def gather(
    files: Sequence[str],
    dialect: Dialect,
    job_for: Callable[[Form], Job],
    watcher: Watcher | None,
    unit_bytes: int,
    begun: Callable[[], None],
) -> tuple[Work, Any] | None:
    """What was to be done, and what the rows of all files have come to, as `Cluster.gather` has it;
    None where the files have to be read from their start: also where they have changed meanwhile,
    and units are of one file and of another.

    unit_bytes : the size of a unit: see `gdfit.data.reduction.units`.
    begun : is called when the processors have begun.

    Raises
    ------
    GdfitError : the data can't be used.
    """
    before = [identity(file) for file in files]
    try:
        forms = [survey(file, dialect) for file in files]
        if not all(form.is_cut and form.groups is None for form in forms):
            return None
        forms = [forms[0], *(made_like(forms[0], form) for form in forms[1:])]
        work = Work(tuple(forms), dialect, job_for(forms[0]), unit_bytes)
        if len(forms[0].layout.names) * work.job.recipe.columns.width > WIDE:
            return None
        try:
            gathered = gathered_parts(work, watcher, begun)
        except LevelError:
            raise expected(find_level_fault, work) from None
    except (NoPartsError, StraddledError):
        return None
    except GdfitError:
        if [identity(file) for file in files] != before:
            return None
        raise
    if [identity(file) for file in files] != before:
        return None
    if watcher:
        watcher.missed(gathered.missed)
    return work, gathered.part


def identity(path: str) -> tuple[int, ...]:
    """What is another one where the file at `path` is, or has been written to."""
    try:
        status = Path(path).stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def gathered_parts(work: Work, watcher: Watcher | None, begun: Callable[[], None]) -> Gathered:
    """What all units come to, folded as on a cluster."""
    tasks = [
        Task(file, unit, None)
        for file, form in enumerate(work.forms)
        for unit in ranges(form, work.unit_bytes, 1)
    ]
    trees = [Tree[Gathered](form.units(work.unit_bytes)) for form in work.forms]
    files = Tree[Gathered](len(work.forms))
    outcomes = in_order(partial(condense, work), tasks)
    whole, read = None, 0
    with closing(outcomes):
        for number, task in enumerate(tasks):
            try:
                part = next(outcomes)
            except SomewhereError:
                raise expected(read_again, work, task) from None
            if number == 0:
                begun()
            read += work.forms[task.file].bytes_of(task.range, work.unit_bytes)
            if watcher:
                watcher.progress(read)
            of_file = folded(trees[task.file], task.range.first, part)
            if of_file is not None:
                whole = folded(files, work.ranks[task.file], of_file)
    assert whole is not None
    return whole


def folded(tree: Tree[Gathered], leaf: int, part: Gathered) -> Gathered | None:
    """What the whole tree comes to, if this leaf was the last."""
    level = 0
    while not tree.is_root(level):
        children = tree.take(level, leaf, part)
        if children is None:
            return None
        level, leaf, part = level + 1, leaf // AT_ONCE, fold(children)
    return part


def read_again(work: Work, task: Task) -> None:
    """Read a task's units knowing the number of their first line."""
    before = Task(task.file, Range(0, task.range.first), None)
    line = work.forms[task.file].layout.line + count_lines_of(work, before)
    condense(work, task._replace(line=line))
