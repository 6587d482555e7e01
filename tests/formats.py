"""One data set as Parquet and as CSV, and DataFrames as files of other programs, for tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

ROWS = 400
RANDOM = np.random.default_rng(0)
COLUMNS: dict[str, Any] = {
    "whole": pa.array(RANDOM.integers(-50, 50, ROWS), pa.int32()),
    "x": pa.array(RANDOM.normal(size=ROWS)),
    "half": pa.array(RANDOM.integers(0, 64, ROWS).astype(np.float16) / np.float16(8)),
    "price": pa.array([Decimal(cents) / 100 for cents in range(ROWS)], pa.decimal128(12, 2)),
    "flag": pa.array((RANDOM.random(ROWS) < 0.5).tolist()),
    "species": pa.array(RANDOM.choice(["Adelie", 'Gentoo, "big"', " Chinstrap "], ROWS)),
    "island": pa.array(RANDOM.choice(["Dream", "Biscoe"], ROWS)).dictionary_encode(),
    "day": pa.array([date(2024, 1, 1 + row % 28) for row in range(ROWS)]),
    "weight": pa.array(RANDOM.integers(0, 3, ROWS), pa.uint8()),
    "y": pa.array(RANDOM.normal(size=ROWS), pa.float64()),
}


def as_csv(columns: dict[str, Any]) -> str:
    """The columns as CSV, as Python writes their values."""
    text = io.StringIO()
    rows = zip(*(column.to_pylist() for column in columns.values()), strict=True)
    csv.writer(text).writerows([tuple(columns), *rows])
    return text.getvalue()


def write(columns: dict[str, Any], rows_in_group: int = ROWS, name: str = "data") -> None:
    """The columns as a file of each format."""
    parquet.write_table(pa.table(columns), f"{name}.parquet", row_group_size=rows_in_group)
    Path(f"{name}.csv").write_text(as_csv(columns), newline="")


def write_statistics(frame: pd.DataFrame, path: str) -> None:
    """Write a file of SPSS or SAS, which its ending says."""
    import pyreadstat

    if path.endswith("xpt"):
        pyreadstat.write_xport(frame, path, file_format_version=5)
    else:
        pyreadstat.write_sav(frame, path, compress=path.endswith("zsav"))


# By the ending of a file, what writes it.
WRITERS: dict[str, Callable[[pd.DataFrame, str], object]] = {
    "xlsx": lambda frame, path: frame.to_excel(path, index=False),
    "ods": lambda frame, path: frame.to_excel(path, index=False),
    "dta": lambda frame, path: frame.to_stata(path, write_index=False),
    "117.dta": lambda frame, path: frame.to_stata(path, write_index=False, version=117),
    "sav": write_statistics,
    "zsav": write_statistics,
    "xpt": write_statistics,
}
