"""Do the tests notice? Random changes of the mathematics, the models and the reading, one by one.

``python tests/mutations.py [COUNT] [SEED] [--only TEXT]`` makes so many changes, in a copy of the
project, and prints those that no test noticed, and the share of the others; it needs coverage. The
first run on a state of the source takes longer, since it finds which tests run which lines; then
only those are asked, the fastest first. README's examples are not: they notice much, but don't say
what about.

The tests are collected once. Each change is made in a fork of this process, to the functions that
are loaded there; a change outside of functions is imported anew, and its tests collected again. A
test that notices a change also has to pass without it, or it isn't asked any more.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from functools import partial, reduce
from itertools import accumulate, zip_longest
from operator import or_
from pathlib import Path
from pkgutil import walk_packages
from time import perf_counter
from types import CodeType, FunctionType
from typing import Any, TypedDict

import pytest
from scipy.stats import binomtest

from changes import WINGS, Mutation, draw

ROOT = Path(__file__).parent.parent
UNASKED = ("test_examples", "test_exercises", "test_legible", "test_page")  # slow, or of all
SECONDS = 120  # of tests for one mutation, as they take where lines are watched: half of it really
HANGS = 30  # seconds of work after which a single test has noticed
LASTS = 900  # seconds after which a run of tests ends
MEMORY = 12 << 30
SURROUNDINGS = {
    "OPENBLAS_NUM_THREADS": "1",  # several threads wait for each other on a busy machine
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}
HEAVY = (
    "hypothesis numpy pandas torch typer rich.console matplotlib.pyplot plotext pyarrow.dataset "
    "pyarrow.parquet sklearn.utils.estimator_checks distributed coverage"
)
KEPT = Path(tempfile.gettempdir())
SHARED = "shared"  # what is run for all tests of a file
OWN = ("mutations.py", "changes.py")  # no test depends on them


class Watched(TypedDict):
    """What a file of tests runs.

    seconds : that each of its tests takes, of those that pass.
    masks : for each file of the source and line, the tests that run it: the first of `seconds` has
        the lowest bit.
    """

    seconds: dict[str, float]
    masks: dict[str, dict[str, int]]


def forked(tree: Path, run: Callable[[], int]) -> int:
    """The status of a run of tests in a copy of the project, in a process of its own."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setsid()
            silence = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(silence, stream)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.alarm(LASTS)
            status = run()
        finally:
            os._exit(status)
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    if status:  # perhaps a test has not ended what it has started in other groups
        kill_all(tree)
    return status


def kill_all(tree: Path) -> None:
    """End the processes that run the code in a copy of the project."""
    import psutil

    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(tree) in process.environ().get("PYTHONPATH", ""):
                process.kill()


class Conditions:
    """A plugin: the same examples every time, none made smaller, and an end to what hangs."""

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutations",
            derandomize=True,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
        )
        settings.load_profile("mutations")

    def pytest_runtest_logstart(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, HANGS)


def run_tests(tree: Path, *arguments: str, plugins: tuple[object, ...] = ()) -> int:
    without = [f"-pno:{name}" for name in ("cacheprovider", "terminal", "unraisableexception")]
    options = [*without, "-s", "-o", "addopts=", "--basetemp", f"{tree}-files"]
    return int(pytest.main([*options, *arguments], plugins=[Conditions(), *plugins]))


class Watcher:
    """A plugin: how long each test takes, which pass, and which lines they run."""

    def __init__(self) -> None:
        from coverage import Coverage

        self._coverage = Coverage(data_file=None, source_pkgs=["gdfit"], config_file=False)
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._shared: dict[str, float] = {}  # what the fixtures of several tests take
        self._others: set[str] = set()
        self._test = ""

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._test = nodeid
        self._coverage.switch_context(nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        self._coverage.switch_context(SHARED)
        begin = perf_counter()
        try:
            return (yield)
        finally:
            self._shared[fixturedef.argname] = perf_counter() - begin
            self._coverage.switch_context(self._test)

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        names: list[str] = getattr(item, "fixturenames", [])
        self._seconds[item.nodeid] += sum(self._shared.get(name, 0) for name in names)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        if not report.passed:
            self._others.add(report.nodeid)

    def watch(self, tree: Path, path: Path) -> Watched:
        """Runs a file of tests."""
        self._coverage.start()
        run_tests(tree, str(path), plugins=(self,))
        self._coverage.stop()
        data = self._coverage.get_data()
        passed = [*self._seconds.keys() - self._others]
        bits = {name: 1 << bit for bit, name in enumerate(passed)}
        every = {**bits, SHARED: (1 << len(passed)) - 1}
        masks = {
            str(Path(source).relative_to(Path.cwd())): {
                str(line): reduce(or_, (every.get(name, 0) for name in names), 0)
                for line, names in data.contexts_by_lineno(source).items()
            }
            for source in data.measured_files()
        }
        return {"seconds": {name: self._seconds[name] for name in bits}, "masks": masks}


def watched(tree: Path, path: Path, found: Path) -> Watched:
    """What a file of tests runs, from the file that keeps it, or by running it."""

    def watch() -> int:
        found.write_text(json.dumps(Watcher().watch(tree, path)))
        return 0

    if not found.exists() and forked(tree, watch):
        print(f"{path.name} doesn't end, and won't be asked", flush=True)
        found.write_text(json.dumps(Watched(seconds={}, masks={})))
    kept: Watched = json.loads(found.read_text())
    return kept


class Tests:
    """Which tests run which lines, and how long each takes, as found in a copy of the project."""

    def __init__(self, tree: Path) -> None:
        every = sorted((tree / "tests").rglob("*.py"))
        asked = [path for path in every if path.name.startswith("test_")]
        others = [path for path in every if path not in asked and path.name not in OWN]
        basis = digest(*sorted((tree / "src").rglob("*.py")), *others)
        self.paths = [path for path in asked if not path.name.startswith(UNASKED)]
        self._files = [
            watched(tree, path, KEPT / f"gdfit-{basis}-{digest(path)}.json") for path in self.paths
        ]

    def asked(self, mutation: Mutation) -> list[str]:
        """The tests that run what a mutation changes, the fastest first; where none does, as it is
        run in processes of its own, those that run anything of the file."""
        path, lines = str(mutation.path), mutation.lines
        seconds = self._that_run(path, lines) or self._that_run(path, None)
        ordered = sorted(seconds, key=lambda name: (seconds[name], name))
        until = accumulate(seconds[name] for name in ordered)
        return [name for name, end in zip(ordered, until, strict=True) if end <= SECONDS]

    def _that_run(self, path: str, lines: Iterable[int] | None) -> dict[str, float]:
        """How long each test takes that runs one of the lines of a file, or any."""
        seconds: dict[str, float] = {}
        for each in self._files:
            masks = each["masks"].get(path, {})
            mask = reduce(or_, (masks.get(line, 0) for line in map(str, lines or masks)), 0)
            for bit, (name, time) in enumerate(each["seconds"].items()):
                if mask >> bit & 1:
                    seconds[name] = time
        return seconds


def digest(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code and those of the functions and classes in it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from codes(each)


def place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def loaded_functions() -> list[FunctionType]:
    """The functions of gdfit, all of which is imported here."""
    import gdfit

    for module in walk_packages(gdfit.__path__, "gdfit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    every = [each for each in gc.get_objects() if type(each) is FunctionType]
    return [each for each in every if (each.__module__ or "").startswith("gdfit")]


class Note:
    """A plugin: notes which test is run, and ends the process once one fails."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._path.write_text(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(1)


class Asker:
    """A plugin: asks the tests that are collected about each mutation, instead of running them."""

    def __init__(self, tree: Path, mutations: list[Mutation], tests: Tests) -> None:
        self._tree, self._tests = tree, tests
        self.mutations = mutations
        self.survivors: list[Mutation] = []
        self._note = tree / "note.txt"
        self._items: dict[str, pytest.Item] = {}  # but for those that fail anyway
        self._functions: list[FunctionType] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        session.config.pluginmanager.register(Note(self._note))
        self._items = {item.nodeid: item for item in session.items}
        self._functions = loaded_functions()
        gc.freeze()  # or each fork would look through all of it
        for number, mutation in enumerate(self.mutations, start=1):
            asked = self._tests.asked(mutation)
            while self._is_noticed(mutation, asked, number) and self._fails_anyway():
                del self._items[self._note.read_text()]
        gc.unfreeze()
        return True

    def _is_noticed(self, mutation: Mutation, asked: list[str], time: int) -> bool:
        """Whether a test that is asked fails.

        time : of the last change of the file, as it is to seem; one that has been before is taken
            by Python for a file that it has compiled already.
        """
        fit = [name for name in asked if name in self._items]
        path = self._tree / mutation.path
        source = path.read_bytes()
        path.write_bytes(mutation.of(source))
        os.utime(path, (time, time))
        try:
            changes = self._changes(path) if mutation.lines else []
            run = partial(self._ask, fit, changes) if changes else partial(self._ask_anew, fit)
            noticed = bool(fit) and forked(self._tree, run) != 0
        finally:
            path.write_bytes(source)
        if not noticed:
            self.survivors.append(mutation)
            print(f"{mutation}  ({len(fit)} tests)", flush=True)
        return noticed

    def _fails_anyway(self) -> bool:
        """Whether the test that has failed does so without the mutation."""
        test = self._note.read_text()
        return test in self._items and forked(self._tree, partial(self._ask, [test], [])) != 0

    def _changes(self, path: Path) -> list[tuple[FunctionType, CodeType]]:
        """The loaded functions that a file has otherwise now, and their codes there; none, if they
        can't be changed as they are."""
        others = {place(code): code for code in codes(compile(path.read_bytes(), path, "exec"))}
        changes = [
            (each, code)
            for each in self._functions
            if (code := others.get(place(each.__code__))) and code != each.__code__
        ]
        fits = all(code.co_freevars == each.__code__.co_freevars for each, code in changes)
        return changes if fits else []

    def _ask(self, asked: list[str], changes: list[tuple[FunctionType, CodeType]]) -> int:
        """The status of tests with such functions."""
        for function, code in changes:
            function.__code__ = code
        items = [self._items[name] for name in asked]
        for item, following in zip_longest(items, items[1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return 0

    def _ask_anew(self, asked: list[str]) -> int:
        """The status of tests that are collected anew, with all that they import from the copy."""
        for name, module in [*sys.modules.items()]:
            if (getattr(module, "__file__", None) or "").startswith(f"{self._tree}{os.sep}"):
                del sys.modules[name]
        self._note.write_text("")  # none yet
        return run_tests(self._tree, *asked, plugins=(Note(self._note),))


def row(wing: str, made: int, lived: int) -> str:
    """A line of the table: with the share killed goes its Wilson interval of 95 %."""
    if made == 0:
        return f"| {wing} | 0 | 0 | 0 | | |"
    killed = made - lived
    ends = binomtest(killed, made).proportion_ci(method="wilson")
    interval = f"{ends.low:.1%} to {ends.high:.1%}"
    return f"| {wing} | {made} | {killed} | {lived} | {killed / made:.1%} | {interval} |"


def main(count: int, seed: int, only: str) -> None:
    os.environ |= SURROUNDINGS
    for name in HEAVY.split():
        importlib.import_module(name)
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="gdfit-mutations-") as folder:
        tree = Path(folder) / "gdfit"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        os.chdir(tree)
        places = [str(tree / "src"), str(tree / "tests")]
        sys.path[:1] = places
        os.environ["PYTHONPATH"] = os.pathsep.join(places)
        tests = Tests(tree)
        asker = Asker(tree, draw(tree, count, seed, only), tests)
        run_tests(tree, *map(str, tests.paths), plugins=(asker,))
    made, lived = (
        Counter(each.path.parts[2] for each in some) for some in (asker.mutations, asker.survivors)
    )
    print("\n| wing | mutations | killed | survived | share killed | of 95 % |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for wing in WINGS:
        print(row(wing, made[wing], lived[wing]))
    print(row("all", made.total(), lived.total()))


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=200)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--only", default="", help="change files whose path contains this alone")
    main(**vars(parser.parse_args()))
