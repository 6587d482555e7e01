"""What any data file is, wherever it is stored: bytes, how many they are, and how they are read."""

from __future__ import annotations

import re
from io import BufferedReader
from typing import Any, NamedTuple

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(?:://|::.*://)")  # the latter is fsspec's own


class Stored(NamedTuple):
    """A data file, opened as it is stored.

    file : its bytes; `seekable` where it can be read in any order.
    size : how many bytes it has, where that is known before the end.
    from_anywhere : whether it can be opened again from any byte on.
    encoded : whether a server has compressed it on its way, whatever it is itself.
    """

    file: BufferedReader[Any]
    size: int | None
    from_anywhere: bool = False
    encoded: bool = False


def scheme_of(path: str) -> str | None:
    """``https`` of a URL, ``s3`` of an object in a store; None of a path, and of ``-``."""
    found = SCHEME.match(path)
    return found[1].lower() if found else None
