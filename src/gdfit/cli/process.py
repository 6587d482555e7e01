"""gdfit as a process: its settings and statuses, its streams, and the lines on standard error."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from io import RawIOBase, TextIOWrapper
from threading import Thread
from types import FrameType
from typing import NoReturn

import typer

from gdfit.system import keep_blocks

DIVERGED_STATUS, INTERRUPTED_STATUS = 3, 130
UNREAD_STATUS = 128 + 13  # a pipe's reader has gone, which ends other programs by signal 13
COMMAND = r"(?s)(.*:) (gdfit .*|.*\| gdfit train -)"  # at the end of a message
ARGUMENT = re.compile(r"`([a-z]\w*)`")
# What a terminal obeys: control characters, ends of lines, and marks that change directions.
OBEYED = re.compile("[\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


IMPORTING = "<frozen importlib._bootstrap>"  # the file of what takes the locks of modules
LATER = 1e-3  # seconds


def terminate(signal_number: int, frame: FrameType | None) -> None:
    """End with nothing left half-written; where Python takes the lock of a module, which would stay
    taken, a moment later."""
    is_importing = frame is not None and frame.f_code.co_filename == IMPORTING
    if is_importing and hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda _, later: terminate(signal_number, later))
        signal.setitimer(signal.ITIMER_REAL, LATER)
        return
    if signal_number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + signal_number)


def tune_process() -> None:
    """Settings for a process of its own: how it ends, and what makes it faster, as measured."""
    signal.signal(signal.SIGTERM, terminate)
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, terminate)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # no nohup
        signal.signal(signal.SIGHUP, terminate)
    # Rows shared among threads add up in another order, and p+2 rows are too few to share.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    keep_blocks()


def open_streams() -> None:
    """See to it that there are streams to write to, and that they take whatever the data holds."""
    # One that was closed: what a command came for fails to be written, notes go nowhere.
    for name, mode in (("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        stream = getattr(sys, name) or os.fdopen(os.open(os.devnull, mode), "w")
        setattr(sys, name, stream)
        if isinstance(stream, TextIOWrapper):
            if isinstance(stream.buffer, RawIOBase):  # PYTHONUNBUFFERED, which writes once and
                stream = os.fdopen(stream.fileno(), "w", 1, closefd=False)  # loses the rest
                setattr(sys, name, stream)
            # Data is UTF-8, whatever the locale; bytes of it that are not go out as they came in.
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


@contextmanager
def importing(module: str, *, wanted: bool) -> Iterator[Callable[[], None]]:
    """A function that begins to import `module`, if it is wanted, beside what is done meanwhile."""

    def import_ahead() -> None:
        with suppress(ImportError):  # which whoever needs it is told of
            import_module(module)

    def begin() -> None:
        with suppress(RuntimeError):  # the system has no thread left
            thread.start()

    thread = Thread(target=import_ahead, daemon=True)
    yield cache(begin) if wanted else lambda: None  # a thread can be started once
    if thread.ident is not None:
        thread.join()  # two threads that import one package can get in each other's way


def write_bytes(text: bytes) -> None:
    """Write to standard output, byte for byte, and at once."""
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(text)
    else:
        sys.stdout.write(text.decode(errors="surrogateescape"))
    sys.stdout.flush()


def note(message: str) -> None:
    """Something that is no error."""
    print(as_told(f"gdfit: note: {message}"), file=sys.stderr)


def complain(message: str, status: int) -> int:
    """An error, after what has been printed, and the status to end with."""
    with suppress(OSError):
        sys.stdout.flush()
    print(as_told(f"gdfit: error: {message}"), file=sys.stderr)
    return status


def fail(message: str, status: int) -> NoReturn:
    """End the command with an error, after what it has printed."""
    sys.stdout.flush()
    raise typer.Exit(complain(message, status))


def as_told(message: str) -> str:
    """`message` as standard error gets it: one line, which on a terminal is broken between words,
    and before a command, which is left whole to be copied."""
    line = OBEYED.sub(lambda match: repr(match[0])[1:-1], as_options(message))
    if not sys.stderr.isatty():
        return line
    import shutil
    import textwrap

    width = shutil.get_terminal_size().columns
    if len(line) <= width:
        return line
    command = re.fullmatch(COMMAND, line)
    told = command[1] if command else line
    words = textwrap.fill(told, width - 1, break_long_words=False, break_on_hyphens=False)
    return f"{words}\n{command[2]}" if command else words


def as_options(message: str) -> str:
    """`message` with each argument that it names as it is called in a shell: ``--batch-size``."""
    return ARGUMENT.sub(lambda match: f"--{match[1].replace('_', '-')}", message)
