"""What any data file is, wherever it is stored: bytes, how many they are, and how they are read."""

from __future__ import annotations

from io import BufferedReader
from typing import Any, NamedTuple


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
