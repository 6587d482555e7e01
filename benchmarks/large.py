"""Large files against what a user would use instead: 10 million rows of one feature, and a million
rows of 20 features, as whole processes with their peak memory; and then the files of `shapes`.

``python benchmarks/large.py [FOLDER]`` keeps the files, 1.7 GB, in FOLDER. Peers that are not
installed are skipped: ``pip install duckdb scikit-learn vowpalwabbit``, and Miller's ``mlr``.
"""

from __future__ import annotations

import importlib.util
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import shapes
from whole_process import Run, compare

import gdfit
from gdfit.arrays import FloatArray

PYTHON = sys.executable

NUMPY_LOOP = """
import sys, numpy as np, pandas as pd
rows = pd.read_csv(sys.argv[1]).to_numpy(); epochs = int(sys.argv[2]); lr = float(sys.argv[3])
A, y = np.column_stack([rows[:, :-1], np.ones(len(rows))]), rows[:, -1]
theta = np.zeros(A.shape[1])
for epoch in range(epochs):
    residuals = A @ theta - y
    loss = (residuals ** 2).mean()
    theta -= lr * (2 * (residuals @ A) / len(y))
print(loss, theta)
"""
TORCH_LOOP = """
import sys, torch, pandas as pd
rows = pd.read_csv(sys.argv[1]).to_numpy(); epochs = int(sys.argv[2]); lr = float(sys.argv[3])
rows = torch.from_numpy(rows)
A, y = torch.column_stack([rows[:, :-1], torch.ones(len(rows), dtype=rows.dtype)]), rows[:, -1]
theta = torch.zeros(A.shape[1], dtype=rows.dtype, requires_grad=True)
for epoch in range(epochs):
    loss = ((A @ theta - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        theta -= lr * theta.grad
        theta.grad.zero_()
print(loss.item(), theta)
"""
SGD = """
import sys, pandas as pd
from sklearn.linear_model import SGDRegressor
rows = pd.read_csv(sys.argv[1]).to_numpy()
fit = SGDRegressor(max_iter=5, tol=None, random_state=0).fit(rows[:, :-1], rows[:, -1])
print(fit.coef_, fit.intercept_)
"""
DUCKDB = """
import sys, duckdb
print(duckdb.sql(f"select regr_slope(y, x), regr_intercept(y, x) from '{sys.argv[1]}'").fetchall())
"""
DUCKDB_COPY = """
import sys, duckdb
select = f"select *, 0.3 * x + 0.25 as y_hat from '{sys.argv[1]}'"
duckdb.sql(f"copy ({select}) to 'copy.csv' (header)")
"""
READ_CSV = "import sys, pandas as pd; print(pd.read_csv(sys.argv[1]).shape)"
VOWPAL = """
set -e
tr ',' ' ' < "$1" | awk 'NR > 1 {printf "%s |", $NF; for (i = 1; i < NF; i++) printf " %d:%s", i, $i
print ""}' | "$2" --quiet --loss_function squared
"""


def make(path: Path, count: int, features: int, at_once: int = 100_000) -> None:
    """A file of `count` rows with six decimals, unless it is there already."""
    if path.exists():
        return
    random = np.random.default_rng(0)
    weights = random.normal(size=features)
    names = ["x"] if features == 1 else [f"x{place}" for place in range(1, features + 1)]
    with path.open("w") as file:
        file.write(",".join([*names, "y"]) + "\n")
        for _ in range(0, count, at_once):
            x: FloatArray = random.uniform(0, 1, (at_once, features))
            y = x @ weights + 0.5 + random.normal(0, 0.1, len(x))
            np.savetxt(file, np.column_stack([x, y]), fmt="%.6f", delimiter=",")


def installed(module: str) -> bool:
    if importlib.util.find_spec(module):
        return True
    print(f"({module} is not installed, and is skipped)\n")
    return False


def peers(path: str, features: int, folder: Path) -> dict[str, list[str]]:
    """What to run, gdfit first."""
    lr = "0.1" if features == 1 else "0.02"
    train = [PYTHON, "-m", "gdfit", "train", path, "--lr", lr, "--epochs", "1000"]
    commands = {
        "gdfit train, 1000 epochs": train,
        "gdfit train, 1000 epochs, autograd": [*train, "--backend", "autograd"],
        "NumPy loop, 10 epochs": [PYTHON, "-c", NUMPY_LOOP, path, "10", lr],
        "NumPy loop, 1 epoch": [PYTHON, "-c", NUMPY_LOOP, path, "1", lr],
        "torch loop, 10 epochs": [PYTHON, "-c", TORCH_LOOP, path, "10", lr],
        "torch loop, 1 epoch": [PYTHON, "-c", TORCH_LOOP, path, "1", lr],
        "pandas.read_csv alone": [PYTHON, "-c", READ_CSV, path],
    }
    if installed("sklearn"):
        commands["SGDRegressor, 5 epochs"] = [PYTHON, "-c", SGD, path]
    if features == 1 and installed("duckdb"):
        commands["DuckDB, regr_slope and regr_intercept"] = [PYTHON, "-c", DUCKDB, path]
    if features == 1 and (miller := tool("mlr")):
        stats = ["stats2", "-a", "linreg-ols", "-f", "x,y"]
        commands["Miller, stats2 linreg-ols"] = [miller, "--icsv", "--ojson", *stats, path]
    if vowpal := tool("vw"):
        commands["Vowpal Wabbit, one pass"] = ["bash", "-c", VOWPAL, "vw", path, vowpal]
    return commands


def tool(name: str) -> str | None:
    """Where a program is, beside Python or on the PATH."""
    beside = Path(PYTHON).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        print(f"({name} is not installed, and is skipped)\n")
    return found


def scaled(results: dict[str, list[Run]], loop: str) -> None:
    """The time of a loop of 1000 epochs, from those of 1 and of 10."""
    one, ten = (
        statistics.median(run.wall for run in results[f"{loop} loop, {epochs}"])
        for epochs in ("1 epoch", "10 epochs")
    )
    ours = statistics.median(run.wall for run in results["gdfit train, 1000 epochs"])
    whole = one + 999 * (ten - one) / 9
    print(f"{loop} loop scaled to 1000 epochs: {whole:.1f} s, gdfit / this: {ours / whole:.4f}\n")


def many_columns(folder: Path) -> None:
    """Many columns, against a script that goes over all rows in each epoch."""
    for count, features in ((4_000, 1_000), (20_000, 500)):
        path = folder / f"{features}-columns.csv"
        make(path, count, features, at_once=1_000)
        print(f"### {count:,} rows of {features:,} features, 200 epochs\n")
        train = [PYTHON, "-m", "gdfit", "train", str(path), "--lr", "0.001", "--epochs", "200"]
        script = [PYTHON, "-c", NUMPY_LOOP, str(path), "200", "0.001"]
        compare({"gdfit train": train, "NumPy loop": script}, runs=5, cwd=str(folder))


def predictions(folder: Path) -> None:
    """A million rows and their predictions, against DuckDB, which writes the same."""
    path = folder / "predicted.csv"
    make(path, 1_000_000, 1)
    model = folder / "predicted.json"
    model.write_text('{"w": [0.3], "b": 0.25, "features": ["x"], "target": "y"}')
    print("### A million rows and their predictions\n")
    predict = [PYTHON, "-m", "gdfit", "predict", str(path), "--model", str(model)]
    commands = {"gdfit predict": predict}
    if installed("duckdb"):
        commands["DuckDB, copy"] = [PYTHON, "-c", DUCKDB_COPY, str(path)]
    compare(commands, runs=5, cwd=str(folder))


def epoch_cost(path: str, epochs: int = 20_000) -> float:
    """Seconds for one epoch on the observations in a file."""
    observations = gdfit.read_observations(path)
    gdfit.train(observations, epochs=100)
    begin = time.perf_counter()
    for _ in gdfit.Run(observations, epochs=epochs):
        pass
    return (time.perf_counter() - begin) / epochs


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    few, narrow, wide = folder / "few.csv", folder / "narrow.csv", folder / "wide.csv"
    make(narrow, 10_000_000, 1)
    make(wide, 1_000_000, 20)
    with narrow.open() as rows:
        few.write_text("".join(next(rows) for _ in range(12)))
    for path, features in ((narrow, 1), (wide, 20)):
        count = "10 million rows, 1 feature" if features == 1 else "1 million rows, 20 features"
        print(f"### {count} ({path.stat().st_size / 1e6:.0f} MB)\n")
        results = compare(peers(str(path), features, folder), runs=5, cwd=str(folder))
        for loop in ("NumPy", "torch"):
            scaled(results, loop)
    print("### Four times as many rows\n")
    train = [PYTHON, "-m", "gdfit", "train"]
    compare(
        {
            "gdfit train, 10 million rows": [*train, str(narrow)],
            "gdfit train, 40 million rows": [*train, *[str(narrow)] * 4],
        },
        runs=3,
        cwd=str(folder),
    )
    many_columns(folder)
    predictions(folder)
    shapes.measure(folder)
    on_few, on_many = epoch_cost(str(few)), epoch_cost(str(narrow))
    print(f"An epoch on 11 rows: {on_few * 1e6:.1f} µs; on 10 million: {on_many * 1e6:.1f} µs;")
    print(f"ratio {on_many / on_few:.2f}.")


if __name__ == "__main__":
    main()
