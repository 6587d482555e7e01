"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from gdfit.errors import GdfitError, UsageError, quoted


def check_writable(path: Path, but_not: Iterable[str] = ()) -> None:
    """Raise where `path` can't become a file, or is one of the files `but_not`: before any work is
    done for it."""
    if path.is_file() and any(Path(other).is_file() and path.samefile(other) for other in but_not):
        raise UsageError(f"{quoted(str(path))} is the data, and would be written over")
    folder = path.resolve().parent
    if path.is_dir():
        raise GdfitError("is a folder; name a file", file=str(path))
    if not folder.is_dir():
        raise GdfitError("can't be written: there is no such folder", file=str(path))
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise GdfitError("can't be written: permission denied", file=str(path))


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, renamed to it in the end; after an error it is removed and
    what stood at `path` stands there still.

    A device or a pipe (``/dev/stdout``) can't be replaced and is written to directly.
    """
    check_writable(path)
    if path.exists() and not path.is_file():
        yield path
        return
    final = path.resolve()  # a link stays a link
    beside = final.with_name(f".{final.stem}.{os.getpid()}{final.suffix}")
    try:
        yield beside
        beside.replace(final)
    except OSError as error:
        raise GdfitError(f"can't be written: {error.strerror}", file=str(path)) from None
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def open_beside(path: Path) -> Iterator[TextIO]:
    """`written_beside`, opened for text with ``\\n`` line ends."""
    with written_beside(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        yield file
