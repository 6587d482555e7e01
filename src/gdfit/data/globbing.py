"""Patterns that stand for several files: ``data/*.csv``, also of objects in a store."""

from __future__ import annotations

import glob
import os

from gdfit.data.source import scheme_of
from gdfit.errors import GdfitError


def expanded(paths: tuple[str, ...]) -> tuple[str, ...]:
    """`paths`, with the files that match in sorted order for each one with ``*``, ``?`` or ``[`` in
    it that is no file itself. A URL stands for itself.

    Raises
    ------
    GdfitError : none match.
    """
    return tuple(file for path in paths for file in matching(path))


def is_pattern(path: str) -> bool:
    """Whether a path has characters in it that stand for others."""
    return any(character in path for character in "*?[")


def matching(path: str) -> list[str]:
    """The files that one path stands for."""
    scheme = scheme_of(path)
    if not is_pattern(path) or scheme in ("http", "https") or os.path.lexists(path):
        return [path]
    if scheme:
        from gdfit.data.remote import matching_objects

        found = matching_objects(path, scheme)
    else:
        # Unlike a shell, Path.glob finds hidden files as well.
        found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207
    if not found:
        raise GdfitError("no such file, and none matches", file=path)
    return found
