"""What is asked of the operating system: files that are written whole or not at all, and memory."""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, TextIO

from gdfit.errors import GdfitError, UsageError, quoted


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[str]) -> None:
    """Raise where an output can't become a file, is an input, or is another output: before any work
    is done for it."""
    taken = [Path(file).resolve() for file in inputs if Path(file).is_file()]
    for path in outputs:
        if path is None:
            continue
        if str(path) in ("-", "."):
            raise UsageError(f"an output needs the name of a file, not {quoted(str(path))}")
        if path.resolve() in taken:
            raise UsageError(f"{quoted(str(path))} would be written over: it is in use already")
        check_writable(path)
        if path.is_file() or not path.exists():
            taken.append(path.resolve())


def is_stream(path: Path) -> bool:
    """Whether `path` is a device or a pipe (``/dev/stderr``, also where that is a file)."""
    return path.is_relative_to("/dev") or (path.exists() and not path.is_file() | path.is_dir())


def check_ending(path: Path, option: str, *endings: str) -> None:
    """Raise where `path`, of an `option`, is no device or pipe and has none of the `endings`."""
    if path.suffix.lower() in endings or is_stream(path):
        return
    *first, last = endings
    ends = f"{', '.join(first)} or {last}" if first else last
    raise UsageError(f"`{option}` takes a file that ends in {ends}, not {quoted(str(path))}")


def check_writable(path: Path) -> None:
    """Raise where `path` can't become a file."""
    folder = path.resolve().parent
    if path.is_dir():
        raise GdfitError("is a folder; name a file", file=str(path))
    if not folder.is_dir():
        raise GdfitError("can't be written: there is no such folder", file=str(path))
    place = path if path.exists() else folder
    if not os.access(place, os.W_OK):
        why = "it is on a read-only disk" if is_read_only(place) else "permission denied"
        raise GdfitError(f"can't be written: {why}", file=str(path))


def is_read_only(place: Path) -> bool:
    """Whether the file system at `place` takes no writing, where the system can tell."""
    return hasattr(os, "statvfs") and bool(os.statvfs(place).f_flag & os.ST_RDONLY)


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, renamed to it in the end; after an error it is removed and
    what stood at `path` stands there still.

    A device or a pipe (``/dev/stdout``) can't be replaced and is written to directly.
    """
    check_writable(path)
    if is_stream(path):
        with naming_file(path):
            yield path
        return
    final = path.resolve()  # a link stays a link
    beside = final.with_name(f".{final.stem}.{os.getpid()}{final.suffix}")
    try:
        with naming_file(path):
            yield beside
            if final.exists():  # and so do the permissions
                beside.chmod(stat.S_IMODE(final.stat().st_mode))
            beside.replace(final)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Errors of the operating system as those of a file that can't be written; but not that a
    pipe's reader has gone, which is no error."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise GdfitError(f"can't be written: {error.strerror}", file=str(path)) from None


@contextmanager
def open_beside(path: Path) -> Iterator[TextIO]:
    """`written_beside`, opened for text with ``\\n`` line ends."""
    with written_beside(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        yield file


def scratch_file() -> IO[bytes]:
    """A file without a name from the start: no error and no signal leaves it behind."""
    import tempfile

    with naming_scratch():
        return tempfile.TemporaryFile(prefix="gdfit-")


@contextmanager
def naming_scratch() -> Iterator[None]:
    """Errors of the operating system as those of a file without a name."""
    try:
        yield
    except OSError as error:
        why = f"{error.strerror}; TMPDIR=FOLDER in front names a folder that has room"
        raise GdfitError(f"a temporary file can't be written: {why}") from None


@cache
def keep_blocks() -> None:
    """Keep what blocks of rows free for the next ones: giving it back to the system and asking for
    it again takes as long as reading the blocks, and where Dask has set a low limit, five times as
    long."""
    with suppress(OSError, AttributeError):  # where there is no glibc
        libc = ctypes.CDLL(None)
        m_trim_threshold, m_mmap_threshold, m_arena_max = -1, -3, -8
        libc.mallopt(m_trim_threshold, 1 << 25)
        libc.mallopt(m_mmap_threshold, 1 << 25)
        libc.mallopt(m_arena_max, 1)  # threads share what is kept
