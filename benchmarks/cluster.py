"""What reading on a Dask cluster costs: condensing and folding by themselves, and 40 million rows
by ``--dask local`` against one process.

``OPENBLAS_NUM_THREADS=1 python benchmarks/cluster.py [FOLDER]``, one thread as on Dask's workers,
keeps its file, 0.7 GB, in FOLDER.
"""

from __future__ import annotations

import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from whole_process import compare

from gdfit.data.reduction.condense import Condense
from gdfit.data.reduction.dask import MOST_AT_ONCE
from gdfit.data.reduction.tree import merged
from gdfit.data.reduction.workers import Range, Work, condense, survey
from gdfit.data.terms.columns import Chosen, choose_columns
from gdfit.data.text.blocks import UNIT_BYTES
from gdfit.data.text.dialect import Dialect, Selection

ROWS = 40_000_000
MACHINES = 100
TERABYTE = 1e12


def write_rows(path: Path, rows: int, features: int) -> None:
    """A file of that many rows of numbers with six decimals, the same 100,000 again and again."""
    random = np.random.default_rng(0)
    x = random.random((min(rows, 100_000), features))
    text = BytesIO()
    np.savetxt(text, np.column_stack([x, x.sum(axis=1)]), fmt="%.6f", delimiter=",")
    lines = text.getvalue().splitlines(keepends=True)
    with path.open("wb") as file:
        file.write(",".join([*(f"x{number}" for number in range(features)), "y\n"]).encode())
        for start in range(0, rows, len(lines)):
            file.writelines(lines[: rows - start])


def seconds(function: Callable[[], object], times: int) -> float:
    """How long it takes of the processor: the median."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        function()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def costs(folder: Path, features: int) -> str:
    """A row of the table: of that many features, what condensing a GB takes, what folding two parts
    takes, how large they are, and what a terabyte takes on 100 workers."""
    path = folder / f"wide-{features}.csv"
    write_rows(path, MOST_AT_ONCE * UNIT_BYTES // (9 * (features + 1)), features)
    dialect = Dialect()
    extent = survey(str(path), dialect)
    columns = choose_columns(extent.layout, extent.name, Selection())
    work = Work((extent,), dialect, Condense(Chosen(columns, Selection())), UNIT_BYTES)
    part = Range(0, extent.units(UNIT_BYTES))
    condense(work, 0, part)
    per_gigabyte = seconds(lambda: condense(work, 0, part), 3) / path.stat().st_size * 1e9
    parts = [condense(work, 0, Range(unit, unit + 1)) for unit in (1, 2)]
    per_fold = seconds(lambda: [merged(*parts) for _ in range(20)], 5) / 20
    size = len(pickle.dumps(parts[0]))
    path.unlink()
    reading = TERABYTE / 1e9 * per_gigabyte / MACHINES
    tasks = TERABYTE / (MOST_AT_ONCE * UNIT_BYTES)
    folding = tasks * per_fold
    return (
        f"| {features} | {per_gigabyte:.1f} | {1e3 * per_fold:.2f} | {size / 1e3:,.0f} | "
        f"{reading / 60:.1f} | {folding:.1f} | {tasks * size / 1e6:,.0f} |"
    )


def main(folder: Path) -> None:
    """Print the tables."""
    path = folder / "40-million.csv"
    if not path.exists():
        write_rows(path, ROWS, 1)
    train = [sys.executable, "-m", "gdfit", "train", str(path), "-q", "--no-model"]
    compare({"gdfit train": train, "gdfit train --dask local": [*train, "--dask", "local"]}, 5)
    print(
        "| features | condensing, s a GB | folding two parts, ms | a part, kB | "
        "1 TB on 100: reading, min | folding them here, s | parts sent here, MB |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for features in (1, 10, 100, 500):
        print(costs(folder, features), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
