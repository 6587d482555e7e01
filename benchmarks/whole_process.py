"""Times whole processes, start-up included, in turn: A B A B …, so that a machine whose speed
drifts slows all of them alike. Figures are medians; a ratio is the median of the ratios run by
run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One process: wall-clock and processor seconds, and the peak of its memory in bytes."""

    wall: float
    processor: float
    peak: int


def run_once(command: Sequence[str], cwd: str | None = None) -> Run:
    """Run `command` to its end, its output thrown away."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=cwd)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: status {process.returncode}: {errors.decode()}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def compare(
    commands: Mapping[str, Sequence[str]], runs: int = 7, cwd: str | None = None
) -> dict[str, list[Run]]:
    """Run all `commands` in turn, `runs` times after one run that does not count, and print a
    table; the ratio is the first command's wall-clock time to each of the others'."""
    results: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            done = run_once(command, cwd)
            if turn:
                results[name].append(done)
    first, *_ = results.values()
    print(f"| median of {runs} runs | wall s | CPU s | peak MB | first / this |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, done_runs in results.items():
        wall = statistics.median(done.wall for done in done_runs)
        processor = statistics.median(done.processor for done in done_runs)
        peak = statistics.median(done.peak for done in done_runs) / 1e6
        ratio = statistics.median(
            ours.wall / theirs.wall for ours, theirs in zip(first, done_runs, strict=True)
        )
        print(f"| {name} | {wall:.2f} | {processor:.2f} | {peak:.0f} | {ratio:.2f} |")
    print(flush=True)
    return results
