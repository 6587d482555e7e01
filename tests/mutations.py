"""Do the tests notice? Random changes of the mathematics, the models and the reading, one by one.

``python tests/mutations.py [COUNT] [SEED]`` makes so many changes, in a copy of the project, and
prints those that no test noticed; it needs pytest-cov. The first run on a state of the project
takes longer, since it finds out which tests run which lines; then only those are asked, the fastest
first. README's examples are not: they notice much, but don't say what about.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random

ROOT = Path(__file__).parent.parent
WINGS = ("descent", "model", "data")
UNASKED = ("test_examples", "test_exercises", "test_legible", "test_page*")  # slow, or of all
SECONDS = 120  # of tests for one mutation, as they take where lines are watched: half of it really
HANGS = 60  # seconds after which a single test has noticed
MEMORY = 12 << 30
ALONE = {"OPENBLAS_NUM_THREADS": "1"}  # several threads wait for each other on a busy machine

SWAPS = (
    "Lt LtE, Lt GtE, Gt GtE, Gt LtE, Eq NotEq, In NotIn, Is IsNot, And Or, "
    "Add Sub, Mult Div, Div FloorDiv, Mod Mult, Pow Mult, BitAnd BitOr"
)
"""Operators that stand for each other, either way, by their names in `ast`."""


@dataclass(frozen=True)
class Mutation:
    """A change of the bytes from `start` to `end` of a file.

    lines : those of the statement; its tests run one of them, or any line of the file where the
        statement is run by importing it.
    """

    path: Path
    line: int
    lines: range | None
    start: int
    end: int
    text: str

    def __str__(self) -> str:
        source = (ROOT / self.path).read_bytes()
        column = self.start - source.rfind(b"\n", 0, self.start)
        before = " ".join(source[self.start : self.end].decode().split())
        return f"{self.path}:{self.line}:{column}: {before} → {self.text}"


def swapped(operator: ast.AST) -> list[ast.AST]:
    """What may stand in the place of an operator."""
    pairs = [pair.split() for pair in SWAPS.split(", ")]
    both_ways = pairs + [pair[::-1] for pair in pairs]
    return [getattr(ast, other)() for one, other in both_ways if type(operator).__name__ == one]


def changed(node: ast.AST) -> Iterator[str]:
    """What may stand in the place of a node."""
    match node:
        case ast.Compare(ops=[operator]):
            for other in swapped(operator):
                yield f"({with_changes(node, ops=[other])})"
        case ast.BinOp(op=operator) | ast.BoolOp(op=operator):
            for other in swapped(operator):
                yield f"({with_changes(node, op=other)})"
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield f"({ast.unparse(operand)})"
        case ast.Constant(value=bool(value)):
            yield str(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield from (f"({value + 1})", f"({value - 1})")
        case ast.Slice(lower=lower, upper=upper):
            if lower is not None:
                yield with_changes(node, lower=None)
            if upper is not None:
                yield with_changes(node, upper=None)
        case ast.AugAssign(op=operator):
            for other in swapped(operator):
                yield with_changes(node, op=other)
            yield "pass"
        case (
            ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom())
            | ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
            | ast.Break()
            | ast.Continue()
        ):
            yield "pass"


def with_changes(node: ast.AST, **fields: object) -> str:
    """A node with other fields, as source."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return ast.unparse(other)


def parts(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node that may change: no annotation, decorator or text."""
    for name, field in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for part in field if isinstance(field, list) else [field]:
            match part:
                case ast.JoinedStr() | ast.Import():
                    pass
                case ast.If(test=ast.Name("TYPE_CHECKING")) | ast.keyword("strict"):
                    pass  # zip's strict says what holds anyway
                case ast.AST():
                    yield part


def mutations_of(path: Path) -> Iterator[Mutation]:
    """All mutations of a file."""
    source = (ROOT / path).read_bytes()
    begins = [0]
    for text in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(text))

    def place(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = begins[node.lineno - 1] + node.col_offset
        return start, begins[node.end_lineno - 1] + node.end_col_offset

    def walk(node: ast.AST, lines: range | None, in_function: bool) -> Iterator[Mutation]:
        if isinstance(node, ast.stmt) and in_function:
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or 0
            lines = range(node.lineno, max(last, node.lineno) + 1)
        if isinstance(node, ast.expr | ast.stmt):
            for text in changed(node):
                yield Mutation(path, node.lineno, lines, *place(node), text)
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            text = f"(not ({ast.unparse(node.test)}))"
            yield Mutation(path, node.test.lineno, lines, *place(node.test), text)
        for part in parts(node):
            in_body = isinstance(node, ast.FunctionDef) and isinstance(part, ast.stmt)
            yield from walk(part, lines, in_function or in_body)

    for mutation in walk(ast.parse(source), None, False):
        try:
            compile(mutated(mutation), path, "exec")
        except SyntaxError:
            continue
        yield mutation


def mutated(mutation: Mutation) -> bytes:
    """The file with the mutation."""
    source = (ROOT / mutation.path).read_bytes()
    return source[: mutation.start] + mutation.text.encode() + source[mutation.end :]


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def draw(count: int, seed: int) -> list[Mutation]:
    """So many mutations at random, from each wing in proportion to its lines."""
    random = Random(seed)
    files = {wing: sorted((ROOT / "src/gdfit" / wing).rglob("*.py")) for wing in WINGS}
    lines = {wing: sum(map(count_lines, files[wing])) for wing in WINGS}
    drawn: list[Mutation] = []
    for wing in WINGS:
        possible = [each for path in files[wing] for each in mutations_of(path.relative_to(ROOT))]
        drawn += random.sample(possible, round(count * lines[wing] / sum(lines.values())))
    random.shuffle(drawn)
    return drawn


def pytest_configure() -> None:
    """In the runs of the tests, of which this file is a plugin: the same examples every time, and
    none made smaller."""
    from hypothesis import Phase, settings

    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutations", derandomize=True, database=None, phases=phases)
    settings.load_profile("mutations")


def run_tests(tree: Path, *arguments: str) -> int:
    """The status of a run of pytest in a copy of the project."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "mutations", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree / 'tests'}", **ALONE},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    try:
        return process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and all that a test has started


class Tests:
    """Which tests run which lines, and how long each takes, as found in a copy of the project."""

    def __init__(self, tree: Path) -> None:
        from coverage import CoverageData

        if not (tree / "junit.xml").exists():
            unasked = [f"--ignore-glob=tests/{name}.py" for name in UNASKED]
            (tree / ".coveragerc").write_text("[run]\nsource_pkgs = gdfit\n")
            covering = ["--cov", "--cov-context=test", "--cov-report=", "-n", "2"]
            run_tests(tree, *covering, *unasked, "--junitxml=junit.xml")
        self.seconds = {
            f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}": float(
                case.get("time", 0)
            )
            for case in ET.parse(tree / "junit.xml").iter("testcase")
            if case.find("failure") is None and case.find("skipped") is None
        }
        self.tree = tree
        self._covered = CoverageData(tree / ".coverage")
        self._covered.read()

    def asked(self, mutation: Mutation) -> list[str]:
        """The tests that run what a mutation changes, the fastest first."""
        contexts = self._covered.contexts_by_lineno(str(self.tree / mutation.path))
        lines = contexts if mutation.lines is None else mutation.lines
        names = {name.split("|")[0] for line in lines for name in contexts.get(line, ())}
        names &= self.seconds.keys()
        ordered = sorted(names, key=lambda name: (self.seconds[name], name))
        until = accumulate(self.seconds[name] for name in ordered)
        return [name for name, end in zip(ordered, until, strict=True) if end <= SECONDS]


def copied() -> Path:
    """A copy of the project, at the same place for the same source and tests."""
    texts = sorted(path for wing in ("src", "tests") for path in (ROOT / wing).rglob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in texts)).hexdigest()
    tree = Path(tempfile.gettempdir()) / f"gdfit-mutations-{digest[:12]}"
    unneeded = shutil.ignore_patterns(".*", "__pycache__")
    return shutil.copytree(ROOT, tree, ignore=unneeded, dirs_exist_ok=True)


def survives(mutation: Mutation, tree: Path, asked: list[str], time: int) -> bool:
    """Whether the tests that are asked pass in a copy of the project that has the mutation.

    time : of the last change of the file, as it is to seem; one that has been before is taken by
        Python for a file that it has compiled already.
    """
    path = tree / mutation.path
    path.write_bytes(mutated(mutation))
    os.utime(path, (time, time))
    (tree / "asked.txt").write_text("\n".join(asked))
    hangs = ["-o", f"faulthandler_timeout={HANGS}", "-o", "faulthandler_exit_on_timeout=true"]
    try:
        return not asked or run_tests(tree, "-x", *hangs, "@asked.txt") == 0
    finally:
        shutil.copy2(ROOT / mutation.path, path)


def main(count: int, seed: int) -> None:
    tree = copied()
    tests = Tests(tree)
    (tree / "asked.txt").write_text("\n".join(tests.seconds))
    if run_tests(tree, "--collect-only", "@asked.txt"):
        raise SystemExit("the tests can't be run by their names")
    made: Counter[str] = Counter()
    lived: Counter[str] = Counter()
    for number, mutation in enumerate(draw(count, seed), start=1):
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
    main(*(int(text) for text in (*sys.argv[1:], "200", "0")[:2]))
