"""Real data sets, and what statsmodels 0.15 says of least squares on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.datasets

from gdfit.arrays import FloatArray

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "statsmodels.json").read_text()
)
"""Of OLS and WLS: `llf`; AIC and BIC with σ for a param; `variance_inflation_factor`; `bse` of
`get_robustcov_results`; `compare_f_test`; `get_prediction` with alpha 0.1."""
NAMES = ("diabetes", "wine", "breast_cancer", "iris", "linnerud")
WEIGHED = tuple(f"{name}, weighted" for name in NAMES)


def real_data(name: str) -> tuple[FloatArray, FloatArray]:
    """x and y of a data set: y is the target of two, the last column of the others."""
    name = name.partition(",")[0]
    found = getattr(sklearn.datasets, f"load_{name}")()
    targets = {"diabetes": lambda: found.target, "linnerud": lambda: found.target[:, 0]}
    if name in targets:
        return found.data, targets[name]()
    return found.data[:, :-1], found.data[:, -1]


def weights_of(name: str, count: int) -> FloatArray | None:
    """The weights of the rows, where a data set is to be weighted."""
    return np.arange(count) % 4 + np.ones(count) if name in WEIGHED else None


def clusters(count: int) -> FloatArray:
    """A number for each row, of eleven at most, whose groups differ in size."""
    return (np.arange(count) ** 2 % 11).astype(np.float64)
