"""Coursework checked against gradient descent, and data made for each student."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from gdfit.analysis import mistakes
from gdfit.analysis.calling import LECTURE, model
from gdfit.analysis.handouts import columns_checked
from gdfit.analysis.mistakes import DIAGNOSED
from gdfit.analysis.submissions import MOST_MEMORY, Answers, Checked, answers_of
from gdfit.arrays import FloatArray, are_same, is_close
from gdfit.data.observations import Observations
from gdfit.descent.curvature import curvature_of
from gdfit.descent.settings import Settings
from gdfit.descent.start import Init, start_of
from gdfit.errors import UsageError, listing

REQUIRED = ("model", "loss_fn", "dloss_fn", "grad_fn", "training_loop")
EPOCHS = (1, 2, 10, 100)
MADE_EPOCHS = 1000  # that a loop may make in the place of those asked for
DIAGNOSED_EPOCHS = 10  # of which known mistakes are tried
FAR_OFF = 3.0  # params are begun so far from the minimum


@dataclass(frozen=True)
class Marked:
    """A submission, and what has come out for each of its parts."""

    submission: str
    checks: tuple[Checked, ...]

    @property
    def passed(self) -> bool:
        """True where something is there, and nothing differs."""
        found = {each.status for each in self.checks}
        return "same" in found and found <= {"same", "missing"}

    @property
    def record(self) -> dict[str, Any]:
        """The keys of its JSON object."""
        checks = [vars(each) for each in self.checks]
        return {"submission": self.submission, "passed": self.passed, "checks": checks}


@dataclass(frozen=True, eq=False)
class Case:
    """Observations of one feature that functions are called with.

    name : where they are from.
    x, y : shape (n,).
    params : θ = (w, b).
    epochs : after how many the params of a loop are compared.
    """

    name: str
    x: FloatArray
    y: FloatArray
    params: FloatArray
    lr: float
    epochs: tuple[int, ...]

    @property
    def request(self) -> dict[str, Any]:
        """As a submission's process takes it."""
        w, b = self.params.tolist()
        known = {"x": self.x.tolist(), "y": self.y.tolist(), "w": w, "b": b, "lr": self.lr}
        return {**known, "epochs": self.epochs}

    def made_by(self, name: str, function: Callable[..., Any]) -> list[FloatArray]:
        """What one of the lecture's functions gives, as `mistakes` writes it: a loop's params after
        each number of epochs."""
        columns, y_hat = self.x[:, np.newaxis], model(self.x, *self.params)
        with np.errstate(all="ignore"):
            if name == "training_loop":
                history = self.loop(max(self.epochs), function)
                return [history[epochs] for epochs in self.epochs]
            if name == "grad_fn":
                made = function(columns, self.y, y_hat, self.params)
            elif name in ("loss_fn", "dloss_fn"):
                made = function(y_hat, self.y)
            else:
                made = function(self.x, *self.params)
        return [np.atleast_1d(made).ravel()]

    def loop(
        self, epochs: int, function: Callable[..., Any] = mistakes.training_loop
    ) -> FloatArray:
        """The params of a loop after 0, 1, 2 … epochs, shape (epochs + 1, 2)."""
        made = function(epochs, self.lr, self.params, self.x[:, np.newaxis], self.y)
        return np.asarray(made)

    def place(self, name: str, part: int, index: int) -> str:
        """Where a number stands among those that a function gives."""
        w, b = self.params
        if name == "training_loop":
            made = self.epochs[part]
            return f"{'wb'[index % 2]} after {made} epoch{'s' if made > 1 else ''}, {self.name}"
        at = f"at w = {w:.4g}, b = {b:.4g}, {self.name}"
        if name == "loss_fn":
            return at
        if name == "grad_fn":
            return f"the gradient of {'wb'[index % 2]}, {at}"
        row = index % len(self.x)
        x, y = self.x[row], self.y[row]
        given = f"y_hat = {w * x + b:.4g}, y = {y:.4g}" if name == "dloss_fn" else f"x = {x:.4g}"
        return f"row {row + 1}, where {given}, {self.name}"


@cache
def right_of(case: Case, name: str) -> list[FloatArray]:
    """What one of the lecture's functions gives that is right."""
    return case.made_by(name, mistakes.RIGHT[name])


@dataclass(frozen=True, eq=False)
class Marker:
    """What submissions are compared with.

    observations : DATA.
    files : its files, which submissions find beside them.
    settings : what a file of epochs was made with; a learning rate that is a number is for loops,
        too.
    epochs : that were asked for, if any were.
    init : where to begin; by default loops far from the minimum, files at zeros.
    tolerance : by which part numbers may differ.
    timeout : seconds for each submission.
    """

    observations: Observations
    settings: Settings
    files: tuple[str, ...] = ()
    epochs: int | None = None
    init: Init | None = None
    tolerance: float = 1e-4
    timeout: float = 10.0

    def marked(self, submissions: Sequence[Path]) -> Iterator[Marked]:
        """What comes out for each of the submissions."""
        there = [path for path in submissions if path.is_file()]
        programs = [path for path in there if path.suffix.lower() == ".py"]
        cases = self.cases() if programs else []
        requests = [case.request for case in cases]
        found = answers_of(programs, self.files, requests, self.timeout) if programs else []
        answers = iter(found)
        for path in submissions:
            checks: Iterable[Checked]
            if path not in there:
                checks = [Checked.failed("file", "there is no such file")]
            elif path in programs:
                checks = self.functions_checked(next(answers), cases)
            else:
                checks = columns_checked(
                    path, self.observations, self.settings, self.init, self.tolerance
                )
            yield Marked(str(path), tuple(checks))

    def cases(self) -> list[Case]:
        """The data, at params far off, and points that are drawn."""
        data = self.observations
        if len(data.features) != 1:
            names = listing(data.features)
            what = f"functions are checked on one feature, and there are {names}"
            raise UsageError(f"{what}: name one with `features`")
        assert data.rows is not None
        rows, curvature = np.concatenate(list(data.rows.blocks())), curvature_of(data)
        params = curvature.minimum + FAR_OFF * (1 + np.abs(curvature.minimum)) * [1.0, -0.7]
        if self.init is not None:
            params = start_of(self.init, data, self.settings).params
        asked = self.settings.lr
        lr = 0.1 * curvature.max_stable_lr if asked == "auto" else asked
        most = self.epochs or max(EPOCHS)
        epochs = (*(each for each in EPOCHS if each < most), most)
        random, count = np.random.default_rng(17), 11 if data.count == 7 else 7
        x, noise = 1 + random.standard_normal((2, count))
        return [
            Case("in DATA", rows[:, 0], rows[:, 2], params, lr, epochs),
            Case("at points drawn", x, 2 * x + noise, np.array([-1.3, 2.6]), 0.03, EPOCHS),
        ]

    def functions_checked(self, answers: Answers, cases: Sequence[Case]) -> Iterator[Checked]:
        """What comes out for each function of a submission."""
        broken = [each for each in answers.faults if each.get("own")]
        for fault in broken:
            yield Checked.failed("file", fault["error"], fault["line"])
        if answers.there is None:
            if not broken:
                yield Checked.failed("file", self.ending(answers))
            return
        if not answers.there and not broken:
            outside = "".join(f"; {each['error']}" for each in answers.faults[:1])
            what = f"none of the lecture's functions is there: {', '.join(REQUIRED)}"
            yield Checked.failed("file", what + outside)
        found: dict[str, Checked] = {}
        for name in LECTURE:
            if name in answers.there:
                wrong = [each for each in found if found[each].status not in ("same", "missing")]
                found[name] = self.function_checked(name, answers, cases, wrong)
                if name == "grad_fn" and found[name].status == "same" and has_mean(found):
                    found["dloss_fn"] = Checked("dloss_fn", "same")
            elif name in REQUIRED:
                found[name] = Checked(name, "missing")
        yield from found.values()

    def ending(self, answers: Answers) -> str:
        """How a process ended that came to no end."""
        if answers.late:
            return f"it does not end within {self.timeout:g} s"
        return f"it ended its own process, or took more than {MOST_MEMORY >> 30} GB of memory"

    def function_checked(
        self, name: str, answers: Answers, cases: Sequence[Case], wrong: Sequence[str]
    ) -> Checked:
        """What comes out for a function; `wrong` are those that it may call and that are wrong."""
        own = answers.found.get((name, False), {})
        for place in range(len(cases)):
            fault = own.get(place, {"error": self.ending(answers)})
            if "values" not in fault:
                return Checked.failed(name, fault["error"], fault.get("line"))
        right = [part for case in cases for part in right_of(case, name)]
        ways, by_itself = ways_to_read(name, own), answers.found.get((name, True), {})
        # Where it came so far:
        apart = [way for way in ways_to_read(name, by_itself) if len(way) == len(right)]
        if not ways:
            what = "no return: it returns nothing, or prints in place of it"
            return Checked(name, "differs", expected=right[0].tolist()[:8], mistake=what)
        if any(are_same(way, right, self.tolerance) for way in ways):
            return Checked(name, "same")
        where = self.first_difference(name, cases, ways[-1], right)
        if wrong and any(are_same(way, right, self.tolerance) for way in apart):
            told: str | None = f"it follows from {' and '.join(wrong)}"
        else:
            found = (mistake_in(name, cases, way, self.tolerance) for way in (*apart, *ways))
            told = next(filter(None, found), None)
        return Checked(name, "differs", *where, told)

    def first_difference(
        self,
        name: str,
        cases: Sequence[Case],
        found: Sequence[FloatArray],
        right: Sequence[FloatArray],
    ) -> tuple[str, Any, Any]:
        """Where numbers first differ, what was expected there and what found."""
        places = [
            (case, part)
            for case in cases
            for part in range(len(case.epochs) if name == "training_loop" else 1)
        ]
        for (case, part), each, expected in zip(places, found, right, strict=True):
            several = len(each) > 1 or name in ("grad_fn", "training_loop")
            if len(each) != len(expected) and several:
                sizes = [f"{n} number{'s' if n > 1 else ''}" for n in (len(expected), len(each))]
                return case.place(name, part, 0), sizes[0], sizes[1]
            wrong = np.flatnonzero(~is_close(each, expected, self.tolerance))
            if len(wrong) or len(each) != len(expected):
                index = int(wrong[0]) if len(wrong) else 0
                number = float(np.broadcast_to(each, len(expected))[index])
                return case.place(name, part, index), float(expected[index]), number
        raise AssertionError("they are the same")


def has_mean(found: Mapping[str, Checked]) -> bool:
    """Whether dloss_fn holds the mean, which grad_fn may leave to it."""
    return "dloss_fn" in found and str(found["dloss_fn"].mistake).startswith("mean twice: ")


def mistake_in(
    name: str, cases: Sequence[Case], found: Sequence[FloatArray], tolerance: float
) -> str | None:
    """Which known mistake in a function gives exactly what was found in all cases."""
    if sum(len(case.x) for case in cases) > DIAGNOSED:
        return None
    if name == "training_loop":
        return loop_mistake(cases, found, tolerance)
    if all(len(each) == len(case.x) ** 2 for each, case in zip(found, cases, strict=True)):
        return f"n × n: {mistakes.N_BY_N}"
    if known := known_mistake(name, cases, found, tolerance):
        return known
    right = [part for case in cases for part in right_of(case, name)]
    if all(len(each) == len(part) for each, part in zip(found, right, strict=True)):
        with np.errstate(all="ignore"):
            ratios = np.concatenate(found) / np.concatenate(right)
        if ratios[0] and np.isfinite(ratios).all() and np.ptp(ratios) <= tolerance * abs(ratios[0]):
            return f"factor: it {mistakes.how_many_times(float(ratios[0]))}"
    return None


def known_mistake(
    name: str, cases: Sequence[Case], found: Sequence[FloatArray], tolerance: float
) -> str | None:
    """Which mistake of the tables gives exactly what was found."""
    count = len(cases[0].x)
    if name == "grad_fn" and any(len(each) == 1 for each in found):
        return None
    for known in (*mistakes.known_mistakes(name), *written_in(name, count)):
        first = cases[0].made_by(name, known.function)
        if are_same(found[: len(first)], first, tolerance):
            made = [part for case in cases for part in case.made_by(name, known.function)]
            if are_same(found, made, tolerance):
                return known.told(count)
    return None


def written_in(name: str, count: int) -> Iterator[mistakes.Mistake]:
    """The number of rows in DATA in the place of that of the rows that a function takes."""

    def wrong(right: Callable[..., Any], x: FloatArray, *rest: Any) -> Any:
        return len(x) / count * right(x, *rest)

    made = {each: partial(wrong, mistakes.RIGHT[each]) for each in ("loss_fn", "grad_fn")}
    made["training_loop"] = partial(mistakes.training_loop, gradient=made["grad_fn"])
    if name in made:
        tells = f"it divides by {count} whatever the number of the rows that it takes"
        yield mistakes.Mistake(f"{count} written in", tells, made[name])


def loop_mistake(
    cases: Sequence[Case], found: Sequence[FloatArray], tolerance: float
) -> str | None:
    """Which mistake a loop makes: one of the tables, told by its first epochs; or of its params,
    its learning rate or its number of epochs."""
    name, counts = "training_loop", [epochs for case in cases for epochs in case.epochs]
    if [len(each) for each in found] == counts:
        return "losses returned: it returns its losses, and should return the params"
    if any(len(each) != 2 for each in found):
        return None
    first = [
        replace(case, epochs=tuple(each for each in case.epochs if each <= DIAGNOSED_EPOCHS))
        for case in cases
    ]
    right = [part for case in first for part in right_of(case, name)]
    early = [each for each, n in zip(found, counts, strict=True) if n <= DIAGNOSED_EPOCHS]
    is_late = are_same(early, right, tolerance)
    if not is_late and (known := known_mistake(name, first, early, tolerance)):
        return known
    if are_same([each[::-1] for each in early], right, tolerance):
        return "w and b swapped: it returns (b, w), and should return (w, b)"
    with np.errstate(all="ignore"):
        case, start = cases[0], cases[0].params
        rate = float(case.lr * ((found[0] - start) / (right_of(case, name)[0] - start))[0])
    steps = [part for case in first for part in right_of(replace(case, lr=rate), name)]
    if not is_late and are_same(early, steps, tolerance):
        return f"learning rate written in: it is {rate:.4g} whatever the one that it takes"
    histories = [case.loop(max(*case.epochs, MADE_EPOCHS)) for case in cases for _ in case.epochs]
    made = [
        np.flatnonzero(is_close(each, history, tolerance).all(axis=1))
        for each, history in zip(found, histories, strict=True)
    ]
    for epochs, asked in zip(made, counts, strict=True):
        if all(map(len, made)) and asked not in epochs:
            more = " or more" if len(epochs) > 1 else ""
            return f"epochs: it makes {epochs[0]}{more}, and should make {asked}"
    return None


def ways_to_read(name: str, found: Mapping[int, Mapping[str, Any]]) -> list[list[FloatArray]]:
    """What a function has given in all cases, for each way to read it that gives numbers."""
    by_case = [found[place].get("values", []) for place in sorted(found)]
    ways: list[Sequence[Any]] = [*zip(*by_case, strict=False)]
    if name == "training_loop":  # for each number of epochs, at the places where params may be
        ways = [*zip(*(each for part in ways for by_way in part for each in by_way), strict=False)]
    return [
        [np.array(each, dtype=float) for each in way]
        for way in ways
        if all(isinstance(each, list) and each for each in way)
    ]
