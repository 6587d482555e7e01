"""The kinds of cases: each takes seeds and a folder of its own, and yields what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fuzz import checks, columns, pages, submissions
from fuzz.mangled import Mangled
from fuzz.models import Models
from fuzz.options import Options

Findings = Iterator[tuple[int, BaseException]]


def one_by_one(check: Callable[[int], None], seeds: Sequence[int]) -> Findings:
    """What is found in cases that are checked one after the other."""
    for seed in seeds:
        try:
            check(seed)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            yield seed, error


def files(seeds: Sequence[int], folder: Path) -> Findings:
    """Files, against an oracle."""
    return one_by_one(lambda seed: checks.check(seed, folder), seeds)


def columns_alone(seeds: Sequence[int], folder: Path) -> Findings:
    """Columns by themselves, against the oracle."""
    return one_by_one(columns.check, seeds)


def options(seeds: Sequence[int], folder: Path) -> Findings:
    """Commands with random options."""
    return one_by_one(Options(folder).check, seeds)


def models(seeds: Sequence[int], folder: Path) -> Findings:
    """Model files with mistakes in them, and models with strange names."""
    return one_by_one(Models(folder).check, seeds)


def formats(seeds: Sequence[int], folder: Path) -> Findings:
    """Files of other programs that are damaged."""
    return one_by_one(Mangled(folder).check, seeds)


KINDS: dict[str, Callable[[Sequence[int], Path], Findings]] = {
    "files": files,
    "columns": columns_alone,
    "formats": formats,
    "options": options,
    "models": models,
    "pages": pages.findings,
    "submissions": submissions.findings,
}
