"""Logistic regression on a million rows of two features: 50 epochs of gdfit and of a plain torch
loop, and scikit-learn and statsmodels to the minimum, whole processes that read the same CSV.

Run it as ``python benchmarks/logistic.py [PYTHON]`` where gdfit is installed; PYTHON is one that
has pandas, scikit-learn and statsmodels, if this one does not.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from whole_process import compare

ROWS, EPOCHS = 10**6, 50
READ = """
import pandas as pd
data = pd.read_csv("rows.csv")
x, y = data[["a", "b"]].to_numpy(), data["y"].to_numpy(float)
"""
TORCH = f"""
import torch
x = torch.from_numpy((x - x.mean(axis=0)) / x.std(axis=0))
y, params = torch.from_numpy(y), torch.zeros(3, dtype=torch.float64, requires_grad=True)
loss_of = torch.nn.BCEWithLogitsLoss()
for epoch in range({EPOCHS}):
    loss = loss_of(x @ params[:2] + params[2], y)
    loss.backward()
    with torch.no_grad():
        params -= 2.0 * params.grad
        params.grad.zero_()
print(loss.item(), params.tolist())
"""
PEERS = {
    "sklearn": (
        "scikit-learn's LogisticRegression",
        """
from sklearn.linear_model import LogisticRegression
model = LogisticRegression(C=1e9).fit(x, y)
print(model.coef_, model.intercept_)
""",
    ),
    "statsmodels": (
        "statsmodels' Logit",
        """
import statsmodels.api as sm
print(sm.Logit(y, sm.add_constant(x)).fit().summary())
""",
    ),
}


def write_rows(place: Path) -> None:
    """Write rows of two classes, drawn with the probabilities of a logistic model."""
    random = np.random.default_rng(0)
    x = random.normal([3.0, -20.0], [1.0, 8.0], (ROWS, 2)).round(4)
    z = 0.8 * (x[:, 0] - 3) - 0.1 * (x[:, 1] + 20) + 0.5
    y = (random.random(ROWS) < 1 / (1 + np.exp(-z))).astype(int)
    pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y}).to_csv(place, index=False)


def has(python: str, package: str) -> bool:
    """Whether a Python can import a package."""
    return not subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode


def main() -> None:
    own = sys.executable
    python = sys.argv[1] if len(sys.argv) > 1 else own
    train = [own, "-m", "gdfit", "train", "rows.csv", "--loss", "logistic"]
    commands = {
        f"gdfit train --loss logistic --epochs {EPOCHS}": [*train, "--epochs", str(EPOCHS)],
        f"plain torch loop, {EPOCHS} epochs": [own, "-c", READ + TORCH],
        "pandas.read_csv alone": [own, "-c", READ],
    }
    for package, (name, code) in PEERS.items():
        if has(python, package):
            commands[name] = [python, "-c", READ + code]
    with tempfile.TemporaryDirectory() as folder:
        write_rows(Path(folder) / "rows.csv")
        print(f"{ROWS:,} rows of 2 features:\n")
        compare(commands, runs=3, cwd=folder)


if __name__ == "__main__":
    main()
