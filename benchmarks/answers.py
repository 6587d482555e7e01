"""One reading, every answer: a model for each of 1,000 groups, ten folds, and the lasso's path with
ten folds, against what a user would run instead, as whole processes that read the same CSV.

``python benchmarks/answers.py [FOLDER]`` keeps the files, 0.4 GB, in FOLDER. Peers that are not
installed are skipped: ``pip install duckdb scikit-learn``, and Miller's ``mlr``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from large import PYTHON, installed, make, tool
from whole_process import compare

DUCKDB = """
import sys, duckdb
select = "g, regr_slope(y, x), regr_intercept(y, x)"
print(duckdb.sql(f"select {select} from '{sys.argv[1]}' group by g").fetchall())
"""
LASSO_CV = """
import sys, pandas as pd
from sklearn.linear_model import LassoCV
rows = pd.read_csv(sys.argv[1]).to_numpy()
x, y = rows[:, :-1], rows[:, -1]
fit = LassoCV(cv=10, alphas=100).fit((x - x.mean(axis=0)) / x.std(axis=0), y)
print(fit.alpha_, fit.coef_, fit.mse_path_.shape)
"""
GROUPS = 1_000


def make_groups(path: Path, count: int) -> None:
    """A file of `count` rows of as many lines as there are groups, unless it is there already."""
    if path.exists():
        return
    random = np.random.default_rng(0)
    group, x = random.integers(GROUPS, size=count), random.uniform(0, 12, count).round(4)
    slopes, places = random.normal(2, 1, GROUPS), random.normal(3, 2, GROUPS)
    y = (slopes[group] * x + places[group] + random.normal(size=count)).round(4)
    names = [f"k{number}" for number in range(GROUPS)]
    frame = pd.DataFrame({"g": np.array(names)[group], "x": x, "y": y})
    frame.to_csv(path, index=False)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    groups, narrow, wide = folder / "groups.csv", folder / "narrow.csv", folder / "wide.csv"
    make_groups(groups, 1_000_000)
    make(narrow, 10_000_000, 1)
    make(wide, 1_000_000, 20)
    train = [PYTHON, "-m", "gdfit", "train", "--no-model", "-q"]

    print(f"### A model for each of {GROUPS:,} groups, 1 million rows\n")
    commands = {
        "gdfit train --by g": [*train, str(groups), "--by", "g"],
        "gdfit train": [*train, str(groups)],
    }
    if installed("duckdb"):
        commands["DuckDB, regr_slope … group by"] = [PYTHON, "-c", DUCKDB, str(groups)]
    if miller := tool("mlr"):
        stats = ["stats2", "-a", "linreg-ols", "-f", "x,y", "-g", "g"]
        commands["Miller, stats2 -g"] = [miller, "--icsv", "--ojson", *stats, str(groups)]
    compare(commands, cwd=str(folder))

    print("### Ten folds, 10 million rows of 1 feature\n")
    cv = {
        "gdfit train --cv 10": [*train, str(narrow), "--cv", "10"],
        "gdfit train": [*train, str(narrow)],
    }
    compare(cv, cwd=str(folder))

    print("### The lasso at 100 penalties on ten folds, 1 million rows of 20 features\n")
    path = [PYTHON, "-m", "gdfit", "path", str(wide), "--cv", "10"]
    lasso = {"gdfit path --cv 10": path, "gdfit train": [*train, str(wide)]}
    if installed("sklearn"):
        lasso["scikit-learn's LassoCV"] = [PYTHON, "-c", LASSO_CV, str(wide)]
    compare(lasso, runs=5, cwd=str(folder))


if __name__ == "__main__":
    main()
