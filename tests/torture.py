"""Each fallible call of a command fails once: files, processes, threads, imports and memory.

``python tests/torture.py [--all] [--show] [WORD…]`` lets the calls of every command whose line has
one of these words fail: the first and the last one from each line of the source, or all. It prints
what is wrong with what came out, and with ``--show`` what the commands said.

What fails is what Python asks of the system, and imports and arrays that gdfit itself asks for:
what Arrow and torch do inside is theirs. Nothing fails in the removal of temporary folders, which
is what is done where something has failed.
"""

from __future__ import annotations

import _thread
import builtins
import errno
import gc
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import pandas as pd

from gdfit import cli

PACKAGE = str(Path(cli.__file__).parent.parent)
ROOT = Path(__file__).parent.parent
ARRAYS = """empty zeros ones full array asarray ascontiguousarray asfortranarray concatenate stack
vstack hstack column_stack empty_like zeros_like arange linspace linalg.qr linalg.svd linalg.eigh
"""
SYSTEM = {
    "open": errno.EMFILE,
    "read": errno.EIO,
    "write": errno.ENOSPC,
    "stat": errno.EACCES,
    "fstat": errno.EIO,
    "statvfs": errno.EIO,
    "listdir": errno.EACCES,
    "scandir": errno.EACCES,
    "mkdir": errno.ENOSPC,
    "chmod": errno.EPERM,
    "rename": errno.EACCES,
    "replace": errno.EACCES,
    "unlink": errno.EACCES,
    "fsync": errno.EIO,
    "pipe": errno.EMFILE,
}
LOG = ".csv"  # a history keeps what was written of it, in whole rows


class Call(NamedTuple):
    """A call that may fail: of which kind, and the line of the source that it comes from."""

    kind: str
    line: str


def caller(depth: int) -> FrameType | None:
    """The frame so far out of this function's caller; none where the stack is not as deep, as in
    threads of Arrow."""
    try:
        return sys._getframe(depth + 1)
    except ValueError:
        return None


def own_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the package, from `frame` outwards."""
    while frame and not frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame


class Shim:
    """Counts the calls that may fail, and lets one of them fail.

    failing : which one, from 1.
    calls : those so far.
    """

    def __init__(self, failing: int = 0) -> None:
        self.failing, self.calls = failing, list[Call]()

    @property
    def failed(self) -> Call | None:
        """The call that has failed."""
        return self.calls[self.failing - 1] if 0 < self.failing <= len(self.calls) else None

    def fails(self, kind: str, frame: FrameType | None) -> bool:
        """Whether a call fails that comes from there."""
        if frame and frame.f_code.co_filename == shutil.__file__:
            return False
        own = own_frame(frame)
        if own:
            file = own.f_code.co_filename.removeprefix(PACKAGE).lstrip("/")
            self.calls.append(Call(kind, f"{file}:{own.f_lineno}"))
        elif frame is None:
            self.calls.append(Call(kind, "in a thread of a library"))
        else:
            return False
        return len(self.calls) == self.failing

    def faulty(self, function: Callable[..., Any], kind: str, error: Exception) -> Any:
        """`function`, which raises `error` when it is to fail."""

        def shimmed(*arguments: Any, **named: Any) -> Any:
            if self.fails(kind, sys._getframe(1)):
                if isinstance(error, OSError) and isinstance((*arguments, 0)[0], str | os.PathLike):
                    error.filename = str(arguments[0])
                raise error
            return function(*arguments, **named)

        return shimmed

    def asked(self, function: Callable[..., Any], kind: str, error: Exception) -> Any:
        """The same, for calls that gdfit makes itself."""

        def shimmed(*arguments: Any, **named: Any) -> Any:
            frame = sys._getframe(1)
            if own_frame(frame) is frame and self.fails(kind, frame):
                raise error
            return function(*arguments, **named)

        return shimmed

    def importing(self, name: str, *rest: Any, **named: Any) -> Any:
        """``__import__``, which fails for what others have written."""
        frame = sys._getframe(1)
        foreign = name.partition(".")[0] not in {"gdfit", "", *sys.stdlib_module_names}
        is_own = own_frame(frame) is frame and frame.f_code.co_name != "<module>"
        if foreign and is_own and self.fails("import", frame):
            raise ImportError(f"{name}.so: cannot open shared object file", name=name)
        return import_once(name, *rest, **named)

    def opening(
        self, file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **named: Any
    ) -> Any:
        """``open``, which gives a file whose reads and writes may fail."""
        if own_frame(sys._getframe(1)) is None:
            return open_once(file, mode, buffering, *rest, **named)
        if self.fails("open", sys._getframe(1)):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(file))
        opener = named.pop("opener", None)
        raw = Faulty(file, mode.replace("b", "").replace("t", ""), opener=opener, shim=self)
        kind = io.BufferedRandom if "+" in mode else io.BufferedWriter
        opened = io.BufferedReader(raw) if mode[0] == "r" and "+" not in mode else kind(raw)
        return opened if "b" in mode else io.TextIOWrapper(opened, *rest, **named)

    @contextmanager
    def on_guard(self) -> Iterator[None]:
        """Let the calls go through this shim meanwhile."""
        no_memory, no_thread = MemoryError(), RuntimeError("can't start new thread")
        changes: list[tuple[object, str, Any]] = [
            (builtins, "__import__", self.importing),
            (builtins, "open", self.opening),
            (io, "open", self.opening),
        ]
        for name, number in SYSTEM.items():
            error = OSError(number, os.strerror(number))
            changes.append((os, name, self.faulty(getattr(os, name), name, error)))
        fork = BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        for place, name in ((os, "fork"), (subprocess, "_fork_exec")):
            changes.append((place, name, self.faulty(getattr(place, name), "fork", fork)))
        mapped = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        changes.append((np, "memmap", self.faulty(np.memmap, "mmap", mapped)))
        for name in ARRAYS.split():
            *inner, last = name.split(".")
            place = np.linalg if inner else np
            changes.append((place, last, self.asked(getattr(place, last), "memory", no_memory)))
        start = self.faulty(_thread.start_new_thread, "thread", no_thread)
        for module in [each for each in sys.modules.values() if each]:
            for name in ("start_new_thread", "_start_new_thread"):
                if vars(module).get(name) is _thread.start_new_thread:
                    changes.append((module, name, start))
            if module.__name__.startswith("gdfit") and "import_module" in vars(module):
                load = self.faulty(import_module, "import", ImportError("libx.so: no such file"))
                changes.append((module, "import_module", load))
        patches = [patch.object(place, name, new) for place, name, new in changes]
        for each in patches:
            each.start()
        try:
            yield
        finally:
            for each in reversed(patches):
                each.stop()


import_once, open_once = builtins.__import__, io.open


class Faulty(io.FileIO):
    """A file whose reads and writes go through a shim."""

    def __init__(self, file: Any, mode: str, *, opener: Any = None, shim: Shim) -> None:
        super().__init__(file, mode, opener=opener)
        self.shim = shim

    def _checked(self, kind: str) -> None:
        if self.shim.fails(kind, caller(2)):
            raise OSError(SYSTEM[kind], os.strerror(SYSTEM[kind]))

    def readinto(self, buffer: Any) -> Any:
        """As a file's."""
        self._checked("read")
        return super().readinto(buffer)

    def readall(self) -> Any:
        """As a file's."""
        self._checked("read")
        return super().readall()

    def write(self, text: Any) -> Any:
        """As a file's."""
        self._checked("write")
        return super().write(text)


@dataclass(frozen=True)
class Outcome:
    """What a run came to, and what it left."""

    shim: Shim
    status: int
    out: bytes
    err: str
    files: Mapping[str, bytes]
    scratch: tuple[str, ...]
    descriptors: int
    threads: int
    children: set[str]


def contents(folder: Path) -> dict[str, bytes]:
    """The files in a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def open_files() -> int:
    """How many files this process has open."""
    return len([*Path("/proc/self/fd").iterdir()])


def children() -> set[str]:
    """The processes that this one has, by their ids."""
    found = set[str]()
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            found |= {*path.read_text().split()}
    return found


def settled(wanted: Callable[[], bool], seconds: float = 2.0) -> None:
    """Wait for what comes true in a moment."""
    due = time.monotonic() + seconds
    while not wanted() and time.monotonic() < due:
        time.sleep(0.01)


class Command:
    """A command whose calls fail one by one, in an empty folder.

    words : what is typed.
    prepared : what the folder holds before, outputs among it.
    stdin : the file that standard input is.
    """

    def __init__(self, words: str, prepared: Mapping[str, bytes], stdin: Path) -> None:
        self.words, self.prepared, self.stdin = words, prepared, stdin

    def run(self, failing: int = 0) -> Outcome:
        """What comes out where a call fails, from 1; 0 lets none fail."""
        shim, before = Shim(failing), Path.cwd()
        with tempfile.TemporaryDirectory() as top:
            folder, scratch = Path(top, "here"), Path(top, "scratch")
            folder.mkdir()
            scratch.mkdir()
            for name, text in self.prepared.items():
                (folder / name).write_bytes(text)
            os.chdir(folder)
            gc.collect()
            threads, descriptors, others = _thread._count(), open_files(), children()
            printed = Path(top, "out")
            try:
                with (
                    printed.open("wb") as sink,
                    io.TextIOWrapper(
                        io.BufferedReader(Faulty(self.stdin, "r", shim=shim))
                    ) as given,
                    patch.object(tempfile, "tempdir", str(scratch)),
                    patch.object(sys, "stdin", given),
                ):
                    out = io.TextIOWrapper(
                        io.BufferedWriter(Faulty(os.dup(sink.fileno()), "w", shim=shim))
                    )
                    err = io.StringIO()
                    with redirect_stdout(out), redirect_stderr(err), shim.on_guard():
                        try:
                            status = cli.run(self.words.split())
                        except SystemExit as end:
                            status = int(end.code or 0)
                    out.close()
                gc.collect()
                settled(lambda: _thread._count() <= threads and children() <= others)
                return Outcome(
                    shim,
                    status,
                    printed.read_bytes(),
                    err.getvalue(),
                    contents(folder),
                    tuple(path.name for path in scratch.iterdir()),
                    open_files() - descriptors,
                    _thread._count() - threads,
                    children() - others,
                )
            finally:
                os.chdir(before)

    @cached_property
    def clean(self) -> Outcome:
        """What comes out where nothing fails; a first run fills what is kept in a process."""
        self.run()
        gc.freeze()
        outcome = self.run()
        if outcome.status or "error" in outcome.err:
            raise AssertionError(f"{self.words}: {outcome.status} {outcome.err}")
        return outcome

    def places(self) -> list[int]:
        """Of each line of the source, the first and the last call that may fail."""
        first: dict[Call, int] = {}
        last: dict[Call, int] = {}
        for number, call in enumerate(self.clean.shim.calls, 1):
            first.setdefault(call, number)
            last[call] = number
        return sorted({*first.values(), *last.values()})

    def faults(self, outcome: Outcome) -> list[str]:
        """What is wrong with a run in which a call has failed."""
        clean, wrong = self.clean, list[str]()
        failed = outcome.shim.failed
        if failed is None:
            return []
        lines = outcome.err.splitlines()
        errors = [line for line in lines if line.startswith("gdfit: error: ")]
        if outcome.status == 0:
            if outcome.out != clean.out:
                wrong.append("it has printed something else")
            if errors:
                wrong.append("an error, and status 0")
            if outcome.files != clean.files:
                wrong.append("status 0, and other files")
        elif outcome.status != 1:
            wrong.append(f"status {outcome.status}")
        elif len(errors) != 1 or lines[-1] != errors[0]:
            wrong.append("not one line")
        if any(not line.startswith(("gdfit: error: ", "gdfit: note: ")) for line in lines):
            wrong.append("not only errors and notes")
        for name, text in outcome.files.items():
            before, after = self.prepared.get(name), clean.files.get(name)
            if name not in self.prepared and name not in clean.files:
                if failed.kind != "unlink":
                    wrong.append(f"a file is left: {name}")
            elif text not in (before, after):
                is_log = name.endswith(LOG) and (after or b"").startswith(text)
                if not is_log or not text.endswith(b"\n"):
                    wrong.append(f"{name} is half-written")
        if gone := [name for name in self.prepared if name not in outcome.files]:
            wrong.append(f"gone: {gone}")
        if outcome.scratch and failed.kind != "unlink":
            wrong.append(f"temporary files: {outcome.scratch}")
        if outcome.descriptors > clean.descriptors:
            wrong.append(f"{outcome.descriptors} open files")
        if outcome.threads > 0:
            wrong.append(f"{outcome.threads} threads")
        if outcome.children:
            wrong.append(f"processes: {outcome.children}")
        return wrong


LINES = """
train d.csv
train d.csv --plot p.svg --page r.html --history h.csv --epochs 20
train - -q --no-model
train {at}/large.csv --target y
train {at}/large.csv --target y --loss mae --epochs 3 --batch-size 1000
train {at}/large.csv.gz --target y --validation 0.2 -q
train {at}/data.parquet
train {at}/data.xlsx
train {at}/data.json
train g.csv --by kind --plot p.svg
train g.csv --target y --cv 4 --chart
train d.csv --backend torch --epochs 20
train d.csv --loss quantile --explain 1
predict d.csv
predict --x 3
evaluate d.csv
summary d.csv --robust hc3
compare d.csv --lr 0.1,0.01 --optimizer gd,adam --plot p.svg
path g.csv --target y --plot p.svg --cv 4
condense g.csv --output r.json
export --format sql
export --format python
export --format c
export --format excel
export --format torch --output m.pt
gradcheck d.csv
graph d.csv
curvature d.csv
page
check o.py --data d.csv
make --seed 3
""".strip().splitlines()
"""What is typed; each in a folder that holds data, a model, and what is written over."""


def commands(folder: Path) -> dict[str, Command]:
    """The commands, by their lines; the data that they read from elsewhere is in `folder`."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(40_000, 2)).round(3)
    kinds = np.array(["north", "south", "east"])[random.integers(3, size=len(rows))]
    frame = pd.DataFrame({"x": rows[:, 0], "y": 3 * rows[:, 0] + rows[:, 1], "kind": kinds})
    frame.to_csv(folder / "large.csv", index=False)
    frame.to_csv(folder / "large.csv.gz", index=False)
    few = frame[:500][["x", "y"]]
    few.to_parquet(folder / "data.parquet")
    few.to_excel(folder / "data.xlsx", index=False)
    few.to_json(folder / "data.json", orient="records")
    here = {
        "d.csv": (ROOT / "sample_data" / "lecture.csv").read_bytes(),
        "g.csv": frame[:60].to_csv(index=False).encode(),
        "gdfit.json": b'{"w": [2.0], "b": 1.0, "features": ["x"], "target": "y"}\n',
        "o.py": (ROOT / "docs" / "lecture.py").read_bytes(),
    }
    here |= dict.fromkeys(["p.svg", "r.html", "r.json", "m.pt", "gdfit.html"], b"old")
    return {line: Command(line.format(at=folder), here, folder / "large.csv") for line in LINES}


def main() -> None:
    """Let the calls fail, and print what is wrong."""
    parser = ArgumentParser(description="Let each fallible call of a command fail once.")
    parser.add_argument("words", nargs="*", help="of the commands; all where there are none")
    parser.add_argument("--all", action="store_true", help="all calls, not two of each line")
    parser.add_argument("--show", action="store_true", help="print what the commands said")
    asked = parser.parse_args()
    count, wrong = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for command in commands(Path(folder)).values():
            if asked.words and not any(word in command.words for word in asked.words):
                continue
            begin = time.monotonic()
            calls = len(command.clean.shim.calls)
            places = range(1, calls + 1) if asked.all else command.places()
            print(f"{command.words}: {len(places)} of {calls} calls", flush=True)
            for number in places:
                try:
                    outcome = command.run(number)
                    faults = command.faults(outcome)
                except Exception as error:
                    outcome, faults = None, [f"{type(error).__name__}: {error}"]
                count, wrong = count + 1, wrong + bool(faults)
                if faults or asked.show:
                    call = command.clean.shim.calls[number - 1]
                    said = "" if outcome is None else outcome.err.strip()
                    what = "; ".join(faults)
                    print(f"  {number} {call.kind} {call.line}: {what} | {said}", flush=True)
            print(f"  {time.monotonic() - begin:.1f} s", flush=True)
    gc.unfreeze()
    print(f"{count} failures, {wrong} findings")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
