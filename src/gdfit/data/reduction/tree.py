"""What units of files come to, folded in a tree whose shape depends on the files alone.

Neighbouring units are merged, then neighbours of those, up to the whole file, and then the files
so, in the order of their names. So it makes no difference, not in the last bit, who takes which
units, how many at once and when, or in which order the files are named.

What has to be known of a column before anything else, its levels, is a job of its own.
"""

from __future__ import annotations

import os
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from gdfit.data.batch import DataFile, LaidOut, Level, NumberedRows
from gdfit.data.terms.columns import Advice, Columns, Recipe
from gdfit.data.terms.expansion import Expansion
from gdfit.data.terms.levels import LevelError, Levels
from gdfit.data.terms.lookup import find_columns
from gdfit.data.terms.row_maker import RowMaker
from gdfit.data.terms.terms import Factor, Term
from gdfit.data.text.blocks import Unit
from gdfit.data.text.header import Layout
from gdfit.errors import FieldError


class Part(Protocol):
    """What a part of the data comes to."""

    def merged(self, other: Self) -> Self:
        """What this part and the one that follows it come to."""


Some = TypeVar("Some", bound=Part)
Item = TypeVar("Item")
Result = TypeVar("Result")


class Spot(NamedTuple):
    """A unit among all data.

    rank : of its file, among the files in the order of their names: what decides about the numbers.
    file : of its file, among the files as they were given: what says which row is the last.
    number : of the unit in its file.
    """

    rank: int = 0
    file: int = 0
    number: int = 0


class Taker(Protocol):
    """Takes what units come to in the order of the data."""

    @property
    def levels(self) -> Levels:
        """The levels so far."""

    def take(self, part: Any) -> Any:
        """What is to be merged of what a unit comes to.

        Raises
        ------
        LevelError : it has a level too many.
        """


class Job(Protocol):
    """What is to be made of the data."""

    @property
    def recipe(self) -> Recipe:
        """What is made of a row."""

    def leaf(self, batches: Iterator[NumberedRows], levels: Levels, spot: Spot) -> Part | None:
        """What the rows of a unit, with their numbers in it, come to; None where there are none."""

    def keeper(self) -> Taker | None:
        """What is to see the parts in their order, where that can be had."""

    def result(self, part: Any, keeper: Any) -> Any:
        """What is wanted of all parts, merged: None where there are no rows. The keeper has seen
        them, where that could be had."""


MOST_TOLD = 3  # broken rows


class Outcome(NamedTuple):
    """What some of the data has come to.

    part : what its rows have, if there were any.
    missed, unseen : how many rows missed a field, and had a level that training has not seen.
    others : what the rows hold that are not of the positive class.
    broken, first : how many rows can't be read, and are left out; the lines of the first ones, from
        1 where the data begins, and what is wrong with them.
    lines : how many lines the data has.
    told : the first broken rows, as a person is told them, once their file is read.
    """

    part: Any = None
    missed: int = 0
    unseen: int = 0
    others: frozenset[Level] = frozenset()
    broken: int = 0
    first: tuple[tuple[int, str], ...] = ()
    lines: int = 0
    told: tuple[str, ...] = ()

    def of_file(self, file: LaidOut) -> Outcome:
        """The outcome of all of a file."""
        start = file.layout.line - 1
        told = [
            f"{file.name}, {' '.join(map(str, file.layout.place(start + line)))}: {what}"
            for line, what in self.first
        ]
        return self._replace(first=(), lines=0, told=tuple(told))

    @property
    def remark(self) -> str:
        """What to say of the broken rows, if there are any."""
        count, shown = self.broken, "; ".join(self.told)
        if not count:
            return ""
        rows = (
            "1 row that can't be read is" if count == 1 else f"{count} rows that can't be read are"
        )
        more = "; …" if count > len(self.told) else ""
        return f"{rows} left out: {shown}{more}"


def both(one: Some | None, other: Some | None) -> Some | None:
    """The rows of both parts, of which either may be none."""
    if one is None or other is None:
        return one if other is None else other
    return one.merged(other)


def merged(one: Outcome, other: Outcome) -> Outcome:
    """Both outcomes, that of the earlier data first."""
    later = [(one.lines + line, what) for line, what in other.first]
    return Outcome(
        part=both(one.part, other.part),
        missed=one.missed + other.missed,
        unseen=one.unseen + other.unseen,
        others=one.others | other.others,
        broken=one.broken + other.broken,
        first=(*one.first, *later)[:MOST_TOLD],
        lines=one.lines + other.lines,
        told=(*one.told, *other.told)[:MOST_TOLD],
    )


class Tree:
    """Folds leaves in whatever order they come: neighbours in pairs, and so on up."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], Outcome] = {}

    def add(self, number: int, outcome: Outcome, level: int = 0) -> None:
        """Take in the leaf of this number; or a whole branch of 2 ** `level` leaves."""
        while (beside := self._waiting.pop((level, number ^ 1), None)) is not None:
            outcome = merged(beside, outcome) if number % 2 else merged(outcome, beside)
            level, number = level + 1, number // 2
        self._waiting[level, number] = outcome

    def result(self) -> Outcome:
        """All leaves, folded: those that have no neighbour are merged with the branch above."""
        result = Outcome()
        for place in sorted(self._waiting):  # the smallest branch is the last one
            result = merged(self._waiting[place], result)
        return result


def file_ranks(names: Sequence[str]) -> list[int]:
    """Of each file, its place among the files in the order of their names."""
    order = sorted(range(len(names)), key=names.__getitem__)
    return sorted(range(len(order)), key=order.__getitem__)


class Leaf(NamedTuple):
    """A unit that is to become a leaf of the tree."""

    file: DataFile
    maker: RowMaker
    unit: Unit
    spot: Spot


def outcome_of(job: Job, leaf: Leaf) -> Outcome:
    """What a unit comes to.

    Raises
    ------
    GdfitError : a row can't be used.
    """
    maker = replace(leaf.maker)
    try:
        part = job.leaf(maker.unit_rows(leaf.file, leaf.unit), maker.levels, leaf.spot)
    except FieldError as fault:
        raise fault.saying(*job.recipe.advice(fault, leaf.file.layout)) from None
    first, others = tuple(maker.first_broken[:MOST_TOLD]), frozenset(maker.others)
    return Outcome(part, maker.missed, maker.unseen, others, maker.broken, first, maker.lines)


def reduce_files(
    files: Iterable[DataFile],
    job: Job,
    names: Sequence[str] = ("",),
    on_start: Callable[[], None] = lambda: None,
) -> tuple[Any, Outcome]:
    """What all rows come to, read in their order, units of text on all processors; and what was
    left out of them.

    Parameters
    ----------
    files : each is read before the next one is asked for.
    job : what is to be made of them.
    names : the files' names, which their order in the tree comes from.
    on_start : is called when the first unit has been read.

    Raises
    ------
    GdfitError : the data can't be used.
    """

    def leaves() -> Iterator[Leaf]:
        for number, (file, rank) in enumerate(zip(files, file_ranks(names), strict=True)):
            maker = job.recipe.maker(file)
            for unit in file.units():
                yield Leaf(file, maker, unit, Spot(rank, number, unit.number))

    def read(leaf: Leaf) -> tuple[Leaf, Outcome]:
        return leaf, outcome_of(job, leaf)

    def seen() -> Iterator[tuple[Leaf, Outcome]]:
        """The units, and what they come to, in their order; the keeper has seen it."""
        read_leaves = in_order(read, leaves(), lambda leaf: leaf.file.layout.is_text)
        for number, (leaf, outcome) in enumerate(read_leaves):
            if not number:
                on_start()
            if keeper and outcome.part is not None:
                try:
                    outcome = outcome._replace(part=keeper.take(outcome.part))
                except LevelError:
                    raise level_fault(job, leaf, keeper.levels) from None
            yield leaf, outcome

    keeper, whole, empty = job.keeper(), Tree(), {*file_ranks(names)}
    for rank, units in groupby(seen(), lambda unit: unit[0].spot.rank):
        of_file = Tree()
        for leaf, outcome in units:
            of_file.add(leaf.unit.number, outcome)
        whole.add(rank, of_file.result().of_file(leaf.file))
        empty.discard(rank)
    for rank in empty:  # files without a unit, which are leaves as well
        whole.add(rank, Outcome())
    found = whole.result()
    return job.result(found.part, keeper), found._replace(part=None)


def level_fault(job: Job, leaf: Leaf, levels: Levels) -> Exception:
    """What is wrong with a unit that has more levels than may follow these."""
    maker = replace(leaf.maker)
    maker.levels = levels
    try:
        for _ in maker.unit_rows(leaf.file, leaf.unit):
            pass
    except FieldError as fault:
        return fault.saying(*job.recipe.advice(fault, leaf.file.layout))
    raise AssertionError("the levels were too many before")


ENDING = 5.0  # seconds to wait for a thread, whose unit takes far less
MOST_THREADS = 8  # memory is bounded by how many units are in work


def processors() -> int:
    """How many processors this process may use, `MOST_THREADS` at most."""
    has = hasattr(os, "sched_getaffinity")
    return min(MOST_THREADS, len(os.sched_getaffinity(0)) if has else os.cpu_count() or 1)


def in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    apart: Callable[[Item], bool] = lambda item: True,
) -> Generator[Result]:
    """`function` of each of the `items`, in their order, on all processors at once; for functions
    that let go of Python's lock. Few items are taken ahead, so that memory stays bounded. An error
    in an item comes before one of a later item, and before one in the taking of items.

    apart : says which items may be worked on while others are taken.
    """
    workers, iterator, started = processors(), iter(items), 0
    tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
    ended: SimpleQueue[None] = SimpleQueue()
    waiting: deque[Callable[[], Result]] = deque()

    def have_threads() -> bool:
        nonlocal started
        if started < workers:
            with suppress(RuntimeError):  # the system has none left
                start_new_thread(do_tasks, (tasks, ended))
                started += 1
        return started > 0

    try:
        while True:
            try:
                item = next(iterator)
            except StopIteration:
                break
            except Exception:
                while waiting:
                    yield waiting.popleft()()
                raise
            beside = workers > 1 and apart(item)
            while waiting and (len(waiting) > 2 * workers or not beside):
                yield waiting.popleft()()
            if not beside:
                yield function(item)
            elif not (waiting and have_threads()):  # a single item needs none
                waiting.append(partial(function, item))
            else:
                answer: SimpleQueue[Any] = SimpleQueue()
                tasks.put(partial(put_answer, function, item, answer))
                waiting.append(partial(take_answer, answer))
        while waiting:
            yield waiting.popleft()()
    finally:
        with suppress(Empty):
            while True:
                tasks.get_nowait()
        for _ in range(workers):
            tasks.put(None)
        with suppress(Empty):  # of one that waits for a lock that a signal has left taken
            for _ in range(started):
                ended.get(timeout=ENDING)


# A signal may end what this thread does at any moment, and a lock of Python's own, as there are in
# `threading`, would stay taken. Those in a SimpleQueue, which is C, do not; that of a module which
# is being imported may.


def do_tasks(tasks: SimpleQueue[Callable[[], None] | None], ended: SimpleQueue[None]) -> None:
    """What a thread does: tasks, until there is none."""
    while task := tasks.get():
        task()
    ended.put(None)


def put_answer(function: Callable[[Any], Any], item: Any, answer: SimpleQueue[Any]) -> None:
    """Answer with what the function comes to of an item, or with the error."""
    try:
        answer.put((function(item), None))
    except BaseException as error:
        answer.put((None, error))


def take_answer(answer: SimpleQueue[Any]) -> Any:
    """What is answered, once it is."""
    result, error = answer.get()
    if error:
        raise error
    return result


@dataclass(frozen=True, eq=False)
class FindLevels:
    """Finds the levels of a category: a `Job`, and the recipe of rows that have nothing else; those
    without a value are left out."""

    category: Factor

    @property
    def recipe(self) -> Recipe:
        """What is made of a row."""
        return self

    @property
    def columns(self) -> Columns:
        """What is read."""
        return Columns(Expansion((Term((self.category,)),)), Factor(""))

    def maker(self, file: DataFile) -> RowMaker:
        """What makes rows of a file: see `Recipe`."""
        places = find_columns(file.layout, file.name, [self.category.column])
        return RowMaker(self.columns.expansion, places, drop_missing=True)

    def advice(self, fault: FieldError, layout: Layout) -> Advice:
        """Nothing: the column is the one that is wanted."""
        return "", {}

    def leaf(self, batches: Iterator[NumberedRows], levels: Levels, spot: Spot) -> Levels | None:
        """Those in the rows of a unit."""
        return levels if [*batches] else None

    def keeper(self) -> None:
        """Nothing: levels need no order."""

    def result(self, part: Levels | None, keeper: None) -> frozenset[Level]:
        """Those in all rows."""
        return frozenset(part.expansion.levels[0] if part else ())
