"""Submissions run apart: each in a process of its own, of whose functions numbers come back.

    python -m gdfit.analysis.submissions < request.json

One process imports what submissions import, as torch takes seconds, and each submission runs in a
copy of it: in a folder of copied files, with limits of time and memory, its output thrown away; and
where the system allows it in namespaces of its own, without network and other processes, and with
all that it starts ended with it. Nothing that takes long is imported here.
"""

from __future__ import annotations
import __future__ as future

import ast
import builtins
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from json import dumps
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from gdfit.analysis.calling import LECTURE, ChangedError, assigned, forms, put_right, returned
from gdfit.descent.own import located
from gdfit.errors import GdfitError

MOST_MEMORY = 1 << 30  # bytes that a submission may take beside what is imported
TASKS = 64  # processes and threads at once
LARGEST_FILE = 1 << 26  # bytes in a file
REPORTED = 1 << 27  # bytes of numbers
BEGINNING = 60.0  # seconds until a submission's process is there
COPIED, MOST_FILES = 1 << 20, 200  # bytes in a file, and files, that are copied beside one
NOBODY = 65534  # the user who owns nothing
NAMESPACES = 0x10000000 | 0x40000000 | 0x20000000 | 0x08000000  # user, net, pid, ipc: unshare(2)
END_WITH_PARENT = 1  # prctl(2)
PREPARED = ("numpy", "torch", "pandas", "matplotlib", "scipy", "sklearn")


class TimeIsUpError(BaseException):
    """A call has taken too long."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise where what is done takes longer."""

    def ring(signal_number: int, frame: object) -> None:
        raise TimeIsUpError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.05), 0.2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Submission:
    """A submission in its own process.

    file : its copy, in the folder that is the process's.
    deadline : when it should be done, by time.monotonic.
    say : takes what there is to report.
    """

    def __init__(self, file: str, deadline: float, say: Callable[[Any], None]) -> None:
        self.file, self.deadline, self.say = file, deadline, say
        self.text = Path(file).read_bytes().decode("utf-8-sig", "replace")
        self.module = ModuleType("submission")
        self.module.__file__ = file

    def share(self, part: float) -> float:
        """This part of the time that is left, in seconds."""
        return (self.deadline - time.monotonic()) * part

    def fault(self, error: BaseException) -> dict[str, Any]:
        """What went wrong, in which line of the file, and whether the file is to blame."""
        what, line = located(error, self.file)
        if isinstance(error, ChangedError):
            what = str(error)
        if isinstance(error, TimeIsUpError):
            what = "it does not end"
        if isinstance(error, MemoryError):
            what = f"it takes more than {MOST_MEMORY >> 30} GB of memory"
        is_own = not isinstance(error, OSError | EOFError | ImportError)
        return {"error": what[:200].removesuffix(":"), "line": line, "own": is_own}

    def load(self) -> Iterator[dict[str, Any]]:
        """Run the file, statement by statement: where one fails, which is yielded, the functions
        below it are defined all the same."""
        sys.modules["submission"] = self.module
        sys.path.insert(0, str(Path.cwd()))
        try:
            tree = ast.parse(self.text, self.file)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            yield self.fault(error)
            return
        flags, end = 0, time.monotonic() + self.share(0.5)
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                for each in node.names:
                    flags |= getattr(future, each.name).compiler_flag
            try:
                code = compile(ast.Module([node], []), self.file, "exec", flags, dont_inherit=True)
                with within(end - time.monotonic()):
                    exec(code, vars(self.module))
            except SystemExit:
                continue
            except BaseException as error:
                yield self.fault(error)

    def run(self, cases: list[dict[str, Any]]) -> None:
        """Load it, and report what its functions return in each case: as they are, and where they
        may call others with these put right."""
        self.say({"faults": [*self.load()]})
        functions = {
            name: function for name in LECTURE if callable(function := vars(self.module).get(name))
        }
        self.say({"there": [*functions]})
        for name in functions:
            self.report(name, functions[name], cases, alone=False)
        for name in ("grad_fn", "training_loop"):
            others = {each: functions[each] for each in functions if each != name}
            if name in functions and others:
                right = {each: put_right(others[each], each) for each in others}
                vars(self.module).update(right)
                self.report(name, functions[name], cases, alone=True)
                vars(self.module).update(others)

    def report(self, name: str, function: Any, cases: Any, *, alone: bool) -> None:
        """Report what a function returns, in each case."""
        for place, case in enumerate(cases):
            found = self.tried(name, function, case)
            self.say({"name": name, "case": place, "alone": alone, **found})

    def tried(self, name: str, function: Any, case: Any) -> dict[str, Any]:
        """What a function returns in a case, for each way to read its params: called with what it
        first takes."""
        fault = None
        for form in forms(self.text):
            try:
                ways = [assigned(function, name)]
                if LECTURE[name] == "x w b":  # whose names may mean either
                    ways.append(assigned(function, name, in_order=True))
                with within(self.share(0.3)):
                    return {"values": [returned(name, function, way, case, form) for way in ways]}
            except (TimeIsUpError, MemoryError, ChangedError) as error:
                return self.fault(error)
            except BaseException as error:
                fault = fault or self.fault(error)
        return fault or {}


def confine(folder: str) -> bool:
    """Leave this process what a submission needs, where the system allows to take the rest; whether
    it has namespaces of its own."""
    os.setsid()
    libraries = [Path(sys.modules[name].__file__ or "") for name in ("os", "numpy")]
    folders = [each for path in libraries for each in path.parents]
    if os.getuid() == 0 and all(each.stat().st_mode & 0o005 == 0o005 for each in folders):
        for path in (Path(folder), *Path(folder).iterdir()):
            os.chown(path, NOBODY, NOBODY)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    end_with_parent()
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    return unshare is not None and unshare(NAMESPACES) == 0


def end_with_parent() -> None:
    """Let the system end this process when that ends which has begun it, where it can."""
    if prctl := getattr(ctypes.CDLL(None), "prctl", None):
        prctl(END_WITH_PARENT, signal.SIGKILL)


def limit(seconds: float, *, tasks: bool) -> None:
    """Limit time, memory, files and perhaps `tasks` of this process."""
    import resource

    end_with_parent()
    taken = 0
    with suppress(OSError):
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = {
        resource.RLIMIT_AS: taken + MOST_MEMORY,
        resource.RLIMIT_CPU: int(seconds) + 2,
        resource.RLIMIT_FSIZE: LARGEST_FILE,
        resource.RLIMIT_CORE: 0,
    }
    if tasks:  # they are counted in the namespace
        limits[resource.RLIMIT_NPROC] = TASKS
    for kind, most in limits.items():
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def perform(job: Mapping[str, Any], request: Mapping[str, Any], out: int, *, own: bool) -> None:
    """Run a submission in this process, which is its own."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.chdir(job["folder"])
    limit(request["timeout"], tasks=own)
    builtins.input = lambda *prompt: "1"  # nobody is there to ask
    deadline = time.monotonic() + 0.9 * request["timeout"]
    write_line(out, {})  # from here on its time counts: namespaces may take seconds to make
    Submission(job["file"], deadline, partial(write_line, out)).run(request["cases"])


def write_line(out: int, what: Mapping[str, Any]) -> None:
    """Write a line of JSON, in whole."""
    left = dumps(what).encode() + b"\n"
    while left:
        left = left[os.write(out, left) :]


def begin(job: Mapping[str, Any], request: Mapping[str, Any]) -> tuple[int, int]:
    """The process that waits for a submission's own, and where its reports come in."""
    reports, out = os.pipe()
    waiting = os.fork()
    if waiting:
        os.close(out)
        os.set_blocking(reports, False)
        return waiting, reports
    try:
        os.close(reports)
        own = confine(job["folder"])
        if process := os.fork():  # the first one in its namespace, with which all in it end
            os.close(out)
            os.waitpid(process, 0)
        else:
            if own:
                os.setsid()  # or what it does to its group is done to the process that waits
            perform(job, request, out, own=own)
    finally:
        os._exit(0)


def serve(request: Mapping[str, Any]) -> None:
    """Run the submissions of a request, as many at once as there are processors, and print a line
    of JSON for each as it ends."""
    for name in request["modules"]:
        with suppress(Exception):
            import_module(name)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)  # threads would not be there in a copy of this process
        if request["optimizes"]:  # an optimizer imports for seconds when it is first made
            torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0).zero_grad()
    waiting = [*enumerate(request["jobs"])]
    running: dict[int, tuple[int, int, float, bytearray]] = {}
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            number, job = waiting.pop(0)
            process, reports = begin(job, request)
            running[reports] = number, process, time.monotonic() + BEGINNING, bytearray()
        select.select([*running], [], [], 0.05)
        for reports, (number, process, deadline, text) in [*running.items()]:
            exited = os.waitpid(process, os.WNOHANG)[0] != 0
            had_begun, more = bool(text), b"-"
            with suppress(BlockingIOError):
                while more and len(text) < REPORTED:
                    text += (more := os.read(reports, 1 << 16))
            ended = exited or not more  # nobody is left who could report
            if text and not had_begun:
                deadline = time.monotonic() + request["timeout"]
                running[reports] = number, process, deadline, text
            late = time.monotonic() > deadline
            if ended or late:
                with suppress(OSError):
                    os.killpg(process, signal.SIGKILL)
                if not exited:
                    os.waitpid(process, 0)
                os.close(reports)
                del running[reports]
                said = text.decode(errors="replace")
                write_line(1, {"number": number, "late": late and not ended, "reports": said})


# --- in the process that wants to know


@dataclass(frozen=True)
class Checked:
    """What has come out for a part of a submission, a function or a column.

    at : where it first differs, or the line of an error.
    expected, found : there; of an error, what it is.
    mistake : which known mistake gives exactly what was found, and a sentence that helps.
    """

    what: str
    status: Literal["same", "differs", "missing", "error"]
    at: str | None = None
    expected: Any = None
    found: Any = None
    mistake: str | None = None

    @classmethod
    def failed(cls, what: str, error: str, line: object = None) -> Checked:
        """An error, in a line of the submission."""
        return cls(what, "error", f"line {line}" if line else None, found=error)


@dataclass
class Answers:
    """What a submission's process has reported.

    faults : of the file as it was run.
    there : the functions that it has; None where it did not come so far.
    found : by name of a function and whether what it calls was put right, for each case.
    late : whether it had to be ended.
    """

    faults: list[dict[str, Any]] = field(default_factory=list)
    there: list[str] | None = None
    found: dict[tuple[str, bool], dict[int, dict[str, Any]]] = field(default_factory=dict)
    late: bool = False

    @classmethod
    def read(cls, lines: Iterable[str], late: bool) -> Answers:
        """From the lines of a report, which a submission may have written in."""
        answers = cls(late=late)
        for line in lines:
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                said = json.loads(line)
                if "name" in said:
                    key = str(said["name"]), bool(said["alone"])
                    answers.found.setdefault(key, {})[int(said["case"])] = said
                answers.faults += said.get("faults", [])
                answers.there = said.get("there", answers.there)
        return answers


def answers_of(
    programs: Sequence[Path], data: Sequence[str], cases: list[dict[str, Any]], timeout: float
) -> list[Answers]:
    """What the processes of submissions report, each run in a folder of copies of its own, beside
    copies of the files of `data`."""
    if not hasattr(os, "fork"):
        what = "check runs programs in copies of a process, which this system has not"
        raise GdfitError(f"{what}: take Linux, macOS or WSL")
    texts = [path.read_bytes() for path in programs]
    with tempfile.TemporaryDirectory(prefix="gdfit-", ignore_cleanup_errors=True) as top:
        Path(top).chmod(0o711)  # for a user who owns nothing
        jobs = [copied(path, Path(top, str(place)), data) for place, path in enumerate(programs)]
        used = [name for name in PREPARED if any(name.encode() in text for text in texts)]
        request = {
            "jobs": jobs,
            "cases": cases,
            "timeout": timeout,
            "modules": ["numpy", *used],
            "optimizes": any(b"optim" in text for text in texts),
        }
        found = run_apart(request, range(len(jobs)))
        for place, job in enumerate(jobs):
            if place not in found:  # one has taken the process around it, and others, with it
                found |= run_apart({**request, "jobs": [job]}, [place])
        return [found.get(place, Answers()) for place in range(len(jobs))]


def copied(path: Path, folder: Path, data: Iterable[str]) -> dict[str, str]:
    """The copy of a submission that is run, beside copies of what stands beside it, and of `data`:
    it may read them, and spoil them."""
    folder.mkdir()
    beside = [each for each in sorted(path.resolve().parent.iterdir()) if each.is_file()]
    for each in (*beside[:MOST_FILES], *map(Path, data), path):
        with suppress(OSError):
            if each.stat().st_size <= COPIED or each is path:
                shutil.copyfile(each, folder / each.name)
    return {"folder": str(folder), "file": path.name}


def run_apart(request: Mapping[str, Any], places: Sequence[int]) -> dict[int, Answers]:
    """What the submissions of a request report, as far as the process that runs them comes."""
    own = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    own |= {"MPLBACKEND": "Agg", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    done = subprocess.run(
        [sys.executable, "-m", "gdfit.analysis.submissions"],
        input=json.dumps(request).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **own},
        check=False,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        places[each["number"]]: Answers.read(each["reports"].splitlines(), each["late"])
        for each in said
    }


if __name__ == "__main__":
    serve(json.load(sys.stdin))
