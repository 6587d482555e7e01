"""The house: a name means one thing, no two modules are called alike, and no file or room is too
large."""

from __future__ import annotations

import ast
import runpy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from conftest import ROOT
from gdfit.cli.app import COMMANDS

SOURCE = ROOT / "src" / "gdfit"
MODULES = sorted(SOURCE.rglob("*.py"))
code_lines = runpy.run_path(str(ROOT / "benchmarks" / "size.py"))["code_lines"]

AS_ELSEWHERE = {"__all__", "TYPE_CHECKING", "main"}
"""Names that Python and its users give a meaning, the same everywhere."""
ENDINGS = ("", "e", "s", "es", "ed", "er", "ers", "ing", "ings", "ion", "ions")
IN_TWO_ROOMS = {
    "compare": "the command, and what it calls",
    "comparison": "the table of the runs, and their picture",
}
"""Modules that are called the same in different rooms, and why that is no mistake."""


def names_in(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The functions, classes and constants that a module defines."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    parts = target.elts if isinstance(target, ast.Tuple) else [target]
                    yield from (part.id for part in parts if isinstance(part, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.If(body=then, orelse=otherwise):
                yield from names_in([*then, *otherwise])
            case ast.Try(body=tried):
                yield from names_in(tried)


def test_a_name_is_defined_in_one_module() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    commands = {*COMMANDS}  # called as what they call
    for path in MODULES:
        home = str(path.relative_to(SOURCE))
        names = set(names_in(ast.parse(path.read_text(encoding="utf-8")).body))
        for name in names - AS_ELSEWHERE - (commands if home.startswith("cli") else set()):
            homes[name].append(home)
    twice = [f"{name}: {' '.join(found)}" for name, found in homes.items() if len(found) > 1]
    assert "\n".join(sorted(twice)) == ""


def test_no_two_modules_are_called_alike() -> None:
    def roots(stem: str) -> set[str]:
        return {stem.removesuffix(ending) for ending in ENDINGS if stem.endswith(ending)}

    paths = [path for path in MODULES if not path.stem.startswith("__")]
    alike = {
        (first.stem, second.stem)
        for first, second in combinations(paths, 2)
        if roots(first.stem) & roots(second.stem)
    }
    assert alike == {(stem, stem) for stem in IN_TWO_ROOMS}


def test_no_file_is_too_long() -> None:
    lengths = {str(path.relative_to(SOURCE)): code_lines(path) for path in MODULES}
    assert not {path: lines for path, lines in lengths.items() if lines > 300}


def test_there_are_not_too_many_files() -> None:
    assert len(MODULES) <= 130


def test_no_room_of_data_or_show_is_too_large() -> None:
    rooms: dict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        room = path.parent.relative_to(SOURCE)
        if room.parts[:1] in (("data",), ("show",)) and path.stem != "__init__":
            rooms[str(room)].add(path.stem)
    assert len(rooms) >= 8
    assert not {room: modules for room, modules in rooms.items() if len(modules) > 8}
