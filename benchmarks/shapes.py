"""Files as they are found, a few million rows each, against ``pandas.read_csv`` of the columns that
are used: whole processes, with their peak memory.

``python benchmarks/shapes.py [FOLDER [NAME…]]`` keeps the files, 1.2 GB, in FOLDER, and takes the
shapes of these names alone.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from whole_process import compare

READ_CSV = """
import sys, pandas as pd
path, columns, delimiter, decimal, more = sys.argv[1:]
def plain(said):
    return float(said.replace("$", "").replace(",", "").replace("%", ""))
options = dict(usecols=columns.split(","), sep=delimiter, decimal=decimal) | eval(more)
print(pd.read_csv(path, **options).shape)
"""
AT_ONCE = 100_000
SPECIES = ["Adelie", "Chinstrap", "Gentoo, large", "King", "Emperor"]

Texts = list[str]
Columns = dict[str, Texts]


@dataclass(frozen=True)
class Shape:
    """A kind of file.

    name : for the table.
    count : how many rows.
    columns : makes so many rows, each column as texts.
    used : the columns that are used, the target last.
    options : for gdfit.
    pandas : the options of `read_csv` that make it read the file, as Python has them.
    """

    name: str
    count: int
    columns: Callable[[np.random.Generator, int], Columns]
    used: tuple[str, ...] = ("x", "y")
    delimiter: str = ","
    decimal: str = "."
    options: tuple[str, ...] = ()
    ending: str = ".csv"
    pandas: str = "{}"

    def path(self, folder: Path) -> Path:
        """Where the file is."""
        return folder / (self.name.replace(" ", "-").replace(",", "") + self.ending)

    def make(self, folder: Path) -> None:
        """Write the file, unless it is there already."""
        path = self.path(folder)
        if path.exists():
            return
        with path.open("wb") as stored:
            if self.ending.endswith(".gz"):
                with gzip.open(stored, "wb", 6) as packed:
                    packed.writelines(self.lines())
            else:
                stored.writelines(self.lines())

    def lines(self) -> Iterator[bytes]:
        """The file's text, many lines at once."""
        random = np.random.default_rng(0)
        for start in range(0, self.count, AT_ONCE):
            columns = self.columns(random, AT_ONCE)
            rows = [*map(self.delimiter.join, zip(*columns.values(), strict=True)), ""]
            if start == 0:
                rows = [self.delimiter.join(columns), *rows]
            yield "\n".join(rows).replace(".", self.decimal).encode()

    def commands(self, folder: Path) -> dict[str, list[str]]:
        """gdfit, and what it is measured against."""
        path = str(self.path(folder))
        features = ["--features", ",".join(self.used[:-1]), "--target", self.used[-1]]
        separator = r"\s+" if self.delimiter == " " else self.delimiter
        script = [sys.executable, "-c", READ_CSV, path, ",".join(self.used)]
        train = [sys.executable, "-m", "gdfit", "train", path, *features]
        return {
            f"gdfit train, {self.name}": [*train, *self.options],
            "pandas.read_csv of these columns": [*script, separator, self.decimal, self.pandas],
        }


def numbers(random: np.random.Generator, count: int, features: int = 1) -> Columns:
    """Columns x (or x1, x2, …) and y, with six decimals."""
    x = random.uniform(0, 1, (features, count))
    y = x.sum(axis=0) + random.normal(0, 0.1, count)
    names = ["x"] if features == 1 else [f"x{place}" for place in range(1, features + 1)]
    columns = dict(zip(names, x, strict=True)) | {"y": y}
    return {name: [f"{value:.6f}" for value in column] for name, column in columns.items()}


def with_words(random: np.random.Generator, count: int) -> Columns:
    """A column of quoted words, of which one has a comma, before the numbers."""
    words = [f'"{SPECIES[place]}"' for place in random.integers(len(SPECIES), size=count)]
    return {"species": words} | numbers(random, count)


def with_times(random: np.random.Generator, count: int) -> Columns:
    """A column of time stamps before the numbers."""
    seconds = np.datetime64("2024-01-01T00:00:00") + random.integers(30_000_000, size=count)
    times = [str(time).replace("T", " ") for time in seconds]
    return {"time": times} | numbers(random, count)


def with_missing(random: np.random.Generator, count: int) -> Columns:
    """Numbers, of which one in a hundred is missing."""
    columns = numbers(random, count)
    missing = random.random(count) < 0.01
    columns["x"] = ["" if miss else x for miss, x in zip(missing, columns["x"], strict=True)]
    return columns


def spelled(form: str, scale: float) -> Callable[[np.random.Generator, int], Columns]:
    """Numbers of which x is written in a form, and is so many times as large."""

    def columns(random: np.random.Generator, count: int) -> Columns:
        found = numbers(random, count)
        return found | {"x": [form.format(scale * float(x)) for x in found["x"]]}

    return columns


def with_dates(random: np.random.Generator, count: int) -> Columns:
    """A column of dates before the numbers."""
    days = np.datetime64("2000-01-01") + random.integers(9_000, size=count)
    return {"date": days.astype(str).tolist()} | numbers(random, count)


def with_broken_rows(random: np.random.Generator, count: int) -> Columns:
    """Numbers, and in one of a hundred rows a field more."""
    columns = numbers(random, count)
    broken = random.random(count) < 0.01
    columns["y"] = [
        f"{y},7" if is_broken else y for is_broken, y in zip(broken, columns["y"], strict=True)
    ]
    return columns


SHAPES = [
    Shape("clean", 5_000_000, numbers),
    Shape("quoted words", 3_500_000, with_words),
    Shape("1 % missing", 4_500_000, with_missing, options=("--drop-missing",)),
    Shape("white space", 5_000_000, numbers, delimiter=" "),
    Shape(
        "decimal commas",
        5_000_000,
        numbers,
        delimiter=";",
        decimal=",",
        options=("--decimal", ","),
    ),
    Shape("gzip", 5_000_000, numbers, ending=".csv.gz"),
    Shape("time stamps", 2_500_000, with_times),
    Shape(
        "thousands",
        2_500_000,
        spelled("{:,.2f}", 1e6),
        delimiter=";",
        pandas="dict(thousands=',')",
    ),
    Shape(
        "money",
        2_500_000,
        spelled("${:,.2f}", 1e6),
        delimiter=";",
        pandas="dict(converters={'x': plain})",
    ),
    Shape("per cent", 2_500_000, spelled("{:.2f}%", 100), pandas="dict(converters={'x': plain})"),
    Shape("dates", 2_500_000, with_dates, used=("date", "y"), pandas="dict(parse_dates=['date'])"),
    Shape(
        "1 % broken rows",
        5_000_000,
        with_broken_rows,
        options=("--skip-broken",),
        pandas="dict(on_bad_lines='skip')",
    ),
    Shape(
        "3 of 15 columns",
        800_000,
        lambda random, count: numbers(random, count, 14),
        used=("x3", "x9", "y"),
    ),
]


def measure(folder: Path, names: Sequence[str] = ()) -> None:
    """Time the shapes of these names, by default all of them, and print a table of each."""
    for shape in SHAPES:
        if not names or shape.name in names:
            shape.make(folder)
            print(f"### {shape.name} ({shape.path(folder).stat().st_size / 1e6:.0f} MB)\n")
            compare(shape.commands(folder), runs=5, cwd=str(folder))


if __name__ == "__main__":
    measure(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()), sys.argv[2:])
