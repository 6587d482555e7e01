"""Do the tests notice? Random changes of the mathematics, the models and the reading, one by one.

``python tests/mutations.py [COUNT] [SEED] [--only TEXT]`` makes so many changes, in a copy of the
project, and prints those that no test noticed; it needs coverage. The first run on a state of the
source takes longer, since it finds out which tests run which lines; then only those are asked, the
fastest first. README's examples are not: they notice much, but don't say what about.

All tests run in forks of this process, which has imported what takes long to import, but not gdfit.
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
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from functools import reduce
from itertools import accumulate
from operator import or_
from pathlib import Path
from typing import Any, TypedDict

import pytest

from changes import WINGS, Mutation, draw

ROOT = Path(__file__).parent.parent
UNASKED = ("test_examples", "test_exercises", "test_legible", "test_page")  # slow, or of all
SECONDS = 120  # of tests for one mutation, as they take where lines are watched: half of it really
FIRST = 50  # tests that are asked before the others, which take longer to collect
HANGS = 30  # seconds after which a single test has noticed
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
            os.chdir(tree)
            silence = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(silence, stream)
            places = [str(tree / "src"), str(tree / "tests")]
            sys.path[:1] = places
            os.environ["PYTHONPATH"] = os.pathsep.join(places)
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


class Examples:
    """A plugin: the same examples every time, and none made smaller."""

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


def run_tests(*arguments: str, plugins: tuple[object, ...] = ()) -> int:
    hangs = ["-o", f"faulthandler_timeout={HANGS}", "-o", "faulthandler_exit_on_timeout=true"]
    options = ["-p", "no:cacheprovider", *hangs, *arguments]
    return int(pytest.main(options, plugins=[Examples(), *plugins]))


class Watcher:
    """A plugin: how long each test takes, which pass, and which lines they run."""

    def __init__(self) -> None:
        from coverage import Coverage

        self._coverage = Coverage(data_file=None, source_pkgs=["gdfit"], config_file=False)
        self._seconds: defaultdict[str, float] = defaultdict(float)
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
        try:
            return (yield)
        finally:
            self._coverage.switch_context(self._test)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        if not report.passed:
            self._others.add(report.nodeid)

    def watch(self, path: Path) -> Watched:
        """Runs a file of tests."""
        self._coverage.start()
        run_tests(str(path), plugins=(self,))
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
        found.write_text(json.dumps(Watcher().watch(path)))
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
        self._files = [
            watched(tree, path, KEPT / f"gdfit-{basis}-{digest(path)}.json")
            for path in asked
            if not path.name.startswith(UNASKED)
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


def survives(mutation: Mutation, tree: Path, asked: list[str], time: int) -> bool:
    """Whether the tests that are asked pass in a copy of the project that has the mutation.

    time : of the last change of the file, as it is to seem; one that has been before is taken by
        Python for a file that it has compiled already.
    """
    path = tree / mutation.path
    source = path.read_bytes()
    path.write_bytes(mutation.of(source))
    os.utime(path, (time, time))
    try:
        for some in filter(None, (asked[:FIRST], asked[FIRST:])):
            (tree / "asked.txt").write_text("\n".join(some))
            if forked(tree, lambda: run_tests("-x", "@asked.txt")):
                return False
        return True
    finally:
        path.write_bytes(source)


def main(count: int, seed: int, only: str) -> None:
    os.environ |= SURROUNDINGS
    for name in HEAVY.split():
        importlib.import_module(name)
    gc.freeze()  # or each fork would look through all of it
    made: Counter[str] = Counter()
    lived: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="gdfit-mutations-") as folder:
        tree = Path(folder) / "gdfit"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        tests = Tests(tree)
        for number, mutation in enumerate(draw(tree, count, seed, only), start=1):
            wing = mutation.path.parts[2]
            asked = tests.asked(mutation)
            made[wing] += 1
            if survives(mutation, tree, asked, number):
                lived[wing] += 1
                print(f"{mutation}  ({len(asked)} tests)", flush=True)
    print("\n| wing | mutations | killed | survived |\n| --- | ---: | ---: | ---: |")
    for wing in WINGS:
        print(f"| {wing} | {made[wing]} | {made[wing] - lived[wing]} | {lived[wing]} |")
    print(f"| all | {made.total()} | {made.total() - lived.total()} | {lived.total()} |")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=200)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--only", default="", help="change files whose path contains this alone")
    main(**vars(parser.parse_args()))
