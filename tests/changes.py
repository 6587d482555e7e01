"""What can be changed in the source, one bit at a time, for `mutations`."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

WINGS = ("descent", "analysis", "model", "data")

SWAPS = (
    "Lt LtE, Lt GtE, Gt GtE, Gt LtE, Eq NotEq, In NotIn, Is IsNot, And Or, "
    "Add Sub, Mult Div, Div FloorDiv, Mod Mult, Pow Mult, BitAnd BitOr"
)
"""Operators that stand for each other, either way, by their names in `ast`."""

NAMES = "min max, minimum maximum, any all, floor ceil, argmin argmax, sorted list"
"""Functions and attributes that stand for each other, either way."""


@dataclass(frozen=True)
class Mutation:
    """A change of the bytes from `start` to `end` of a file, which say `before`.

    path : of the file, in the project.
    lines : those of the statement; its tests run one of them, or any line of the file where the
        statement is run by importing it.
    """

    path: Path
    line: int
    column: int
    lines: range | None
    start: int
    end: int
    before: str
    text: str

    def __str__(self) -> str:
        before = " ".join(self.before.split())
        return f"{self.path}:{self.line}:{self.column}: {before} → {self.text}"

    def of(self, source: bytes) -> bytes:
        """The file as it is then."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def swapped(operator: ast.AST) -> list[ast.AST]:
    """What may stand in the place of an operator."""
    pairs = [pair.split() for pair in SWAPS.split(", ")]
    both_ways = pairs + [pair[::-1] for pair in pairs]
    return [getattr(ast, other)() for one, other in both_ways if type(operator).__name__ == one]


def other_calls(node: ast.Call) -> Iterator[str]:
    """What may stand in the place of a call: another function, or one argument less."""
    pairs = [pair.split() for pair in NAMES.split(", ")]
    names = dict(pairs) | {other: one for one, other in pairs}
    match node.func:
        case ast.Name(id=name) if name in names:
            yield with_changes(node, func=ast.Name(names[name]))
        case ast.Attribute(value=value, attr=name) if name in names:
            yield with_changes(node, func=ast.Attribute(value, names[name]))
    for keyword in node.keywords:
        if keyword.arg not in (None, "strict"):
            others = [each for each in node.keywords if each is not keyword]
            yield with_changes(node, keywords=others)


def changed(node: ast.AST) -> Iterator[str]:
    """What may stand in the place of a node."""
    match node:
        case ast.Call():
            yield from other_calls(node)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "return None"
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


def mutations_of(root: Path, path: Path) -> Iterator[Mutation]:
    """All mutations of a file of the project at `root`."""
    source = (root / path).read_bytes()
    begins = [0]
    for text in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(text))

    def change(node: ast.expr | ast.stmt, lines: range | None, text: str) -> Mutation:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = begins[node.lineno - 1] + node.col_offset
        end = begins[node.end_lineno - 1] + node.end_col_offset
        before = source[start:end].decode()
        return Mutation(path, node.lineno, node.col_offset + 1, lines, start, end, before, text)

    def walk(node: ast.AST, lines: range | None, in_function: bool) -> Iterator[Mutation]:
        if isinstance(node, ast.stmt) and in_function:
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or 0
            lines = range(node.lineno, max(last, node.lineno) + 1)
        if isinstance(node, ast.expr | ast.stmt):
            for text in changed(node):
                yield change(node, lines, text)
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            yield change(node.test, lines, f"(not ({ast.unparse(node.test)}))")
        for part in parts(node):
            in_body = isinstance(node, ast.FunctionDef) and isinstance(part, ast.stmt)
            yield from walk(part, lines, in_function or in_body)

    for mutation in walk(ast.parse(source), None, False):
        try:
            compile(mutation.of(source), path, "exec")
        except SyntaxError:
            continue
        yield mutation


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def draw(root: Path, count: int, seed: int, only: str) -> list[Mutation]:
    """So many mutations at random, from each wing in proportion to its lines; only in files whose
    path contains a text."""
    random = Random(seed)
    files = {
        wing: [
            path
            for path in sorted((root / "src/gdfit" / wing).rglob("*.py"))
            if only in str(path.relative_to(root))
        ]
        for wing in WINGS
    }
    lines = {wing: sum(map(count_lines, files[wing])) for wing in WINGS}
    drawn: list[Mutation] = []
    for wing in WINGS:
        possible = [
            each for path in files[wing] for each in mutations_of(root, path.relative_to(root))
        ]
        share = round(count * lines[wing] / sum(lines.values()))
        drawn += random.sample(possible, min(share, len(possible)))
    random.shuffle(drawn)
    return drawn
