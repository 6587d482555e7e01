"""What gdfit makes of a random file, against what the oracle says."""

from __future__ import annotations

import math
import re
from pathlib import Path
from random import Random

import numpy as np

from fuzz import oracle
from fuzz.cases import Case, random_case
from gdfit import Dialect, GdfitError, LinearModel
from gdfit.data.csv_file import open_csv
from gdfit.data.dataset import Dataset
from gdfit.data.fields import WHITE_SPACE
from gdfit.model.prediction import predict_rows

WHERE = re.compile(r", line (\d+)(?:, column 'c(\d+)')?: ")


def check(seed: int, folder: Path) -> None:
    """Raise AssertionError if gdfit is wrong about the file that comes from `seed`."""
    random = Random(seed)
    case = random_case(random)
    path = folder / "data.csv"
    path.write_bytes((case.top + case.text).encode("latin-1"))
    expected = expectation(case)
    block_bytes, head_bytes = random.randint(1, 200), random.choice([len(case.top) + 200, 1 << 19])
    found = reading(case, path, block_bytes, head_bytes)
    assert found == expected, (found, expected)
    assert prediction(case, path, block_bytes) == predicted(case, expected)
