"""Where to put a new loss, update rule, schedule, stopping rule, output, source, spelling of
numbers and command: in a copy of the package, each is one file besides its line in the list of
choices, as ARCHITECTURE.md says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import gdfit
from conftest import LECTURE, ROOT

SOURCE = Path(gdfit.__file__).parent


@dataclass(frozen=True)
class Exercise:
    """Something new.

    file : where it goes, at the end of what is there.
    code : what it is.
    list : the file with the list of choices.
    changes : what stands in that file, once, and what it becomes.
    runs : commands that use it, and what is in their output.
    script : Python that uses it, and says nothing if all is well.
    more : other files that a link, or people who look at it, need, and what changes there.
    """

    file: str
    code: str
    list: str
    changes: dict[str, str]
    runs: dict[str, str]
    script: str = ""
    more: dict[str, dict[str, str]] = field(default_factory=dict)


EXERCISES = {
    "loss": Exercise(
        "descent/losses.py",
        '''
def pseudo_huber() -> Loss:
    """ℓ = √(1 + r²) − 1, ∂ℓ/∂z = r/√(1 + r²)."""
    return of_residual(
        value=lambda residual: (1 + residual**2) ** 0.5 - 1,
        derivative=lambda residual: residual / (1 + residual**2) ** 0.5,
        largest_slope=1.0,
    )


LOSSES["pseudo-huber"] = lambda settings: pseudo_huber()
''',
        "descent/settings.py",
        {"LossName = Literal[": 'LossName = Literal["pseudo-huber", '},
        {
            "gradcheck DATA --loss pseudo-huber --init 1,2": "differences",
            "train DATA --loss pseudo-huber --lr 0.1 --plot p.svg": "ran all 1,000 epochs",
        },
    ),
    "loss with a link": Exercise(
        "descent/losses.py",
        """
def poisson() -> Loss:
    \"\"\"ℓ = eᶻ − yz, ∂ℓ/∂z = eᶻ − y; z stands for the mean eᶻ of counts.\"\"\"

    def value(z: Any, y: Any) -> Any:
        return (np.exp(z) if isinstance(z, np.ndarray) else z.exp()) - y * z

    def derivative(z: FloatArray, y: FloatArray) -> FloatArray:
        return np.exp(z) - y

    return Loss(
        value,
        derivative,
        value_and_derivative=lambda z, y: (value(z, y), derivative(z, y)),
        second=lambda z, y: np.exp(z),
        link="log",
        name="Poisson's loss",
    )


LOSSES["poisson"] = lambda settings: poisson()
""",
        "descent/settings.py",
        {"LossName = Literal[": 'LossName = Literal["poisson", '},
        {
            "gradcheck DATA --loss poisson --init 1,2": "differences",
            "graph DATA --loss poisson": "ExpBackward0",
            "train DATA --loss poisson --explain 1 --plot p.svg --page p.html": "reached: no other",
            "train DATA --loss poisson --lr 0.1 --explain 1": (
                "   z     = w·x + b = 0 · 0.1 + 0 = 0\n"
                "   ŷ     = exp(z) = exp(0) = 1\n"
                "   ŷ − y = 1 − 0.27 = 0.73\n"
                "   ℓ     = eᶻ − y·z = exp(0) − 0.27 · 0 = 1\n"
                "   ∂ℓ/∂w = (ŷ − y)·x = 0.73 · 0.1 = 0.073\n"
            ),
            "export --format sql": "exp((",
            "export --format python": "math.exp(",
            "predict DATA": "x,y,y_hat\n0.1,0.27,0.",
            "summary DATA": "fitted to the poisson loss: all but the value column is plain least",
        },
        """
import math
import numpy as np
import gdfit

x, y = np.arange(7.0), np.array([1.0, 0, 2, 1, 4, 3, 9])
for how in ({"backend": "manual"}, {"backend": "autograd"}, {"optimizer": "adam", "lr": 0.01}):
    fit = gdfit.train(gdfit.observations_from(x, y), loss="poisson", epochs=5000, **how)
    means = fit.model.predict(x[:, np.newaxis])
    # Where the gradient is 0, as many are expected as there are, and the same sum of x.
    np.testing.assert_allclose([sum(means), means @ x], [sum(y), y @ x], rtol=1e-6)
    assert fit.arrived and fit.curvature.minimum_loss <= fit.loss
w, b = fit.model.params
assert math.isclose(fit.predict([3.0]), math.exp(3 * w + b))
svg, page = open("p.svg").read(), open("p.html").read()
assert "y = exp(" in svg and "Poisson's loss" in svg and "poisson: () =>" in page
""",
        {
            "model/links.py": {
                '    "logit": Link(': (
                    '    "log": Link(np.exp, "exp(z)", "exp"),\n    "logit": Link('
                )
            },
            "show/board.py": {
                "# By name, (z, y, settings)": """
def poisson_on_board(z: float, y: float, settings: Settings) -> RowLoss:
    \"\"\"eᶻ − y·z, of ŷ = eᶻ.\"\"\"
    power = f"exp({told(z)})"
    loss = minus(power, times(given(y), told(z)))
    slope = told(float(np.exp(z)) - y)
    return RowLoss(("eᶻ − y·z", loss), ("(ŷ − y)", slope), mean=("exp(z)", power))


# By name, (z, y, settings)""",
                '    "quantile": quantile_on_board,\n': (
                    '    "quantile": quantile_on_board,\n    "poisson": poisson_on_board,\n'
                ),
                '    "logistic": "(ŷ − y)",\n': (
                    '    "logistic": "(ŷ − y)",\n    "poisson": "(ŷ − y)",\n'
                ),
            },
            "show/page/losses.js": {
                "const LOSSES = {\n": """const LOSSES = {
  poisson: () => ({
    value: (z, y) => Math.exp(z) - y * z,
    slope: (z, y) => Math.exp(z) - y,
    mean: Math.exp,
    symbol: "exp",
    text: "(eᶻ − y·z)",
    slopeText: "(ŷ − y)",
    lowest: 1e-4,
  }),
"""
            },
        },
    ),
    "update rule": Exercise(
        "descent/optimizers.py",
        '''
def by_sign(
    params: FloatArray, grad: FloatArray, state: State, rate: FloatArray
) -> tuple[FloatArray, State]:
    """θ ← θ − γ sign(∇L)."""
    return params - rate * np.sign(grad), state


OPTIMIZERS["sign"] = lambda settings: by_sign
''',
        "descent/settings.py",
        {"OptimizerName = Literal[": 'OptimizerName = Literal["sign", '},
        {
            "train DATA --optimizer sign --lr 0.25 --epochs 1 -q": "0.25 0.25\n",
            "train DATA --optimizer sign": "chosen: standardize, lr ",
        },
    ),
    "schedule": Exercise(
        "descent/optimizers.py",
        """
SCHEDULES["harmonic"] = lambda epoch, last, decay: 1 / epoch
""",
        "descent/settings.py",
        {"ScheduleName = Literal[": 'ScheduleName = Literal["harmonic", '},
        {
            # By hand: the gradient is (−4, −2) at (0, 0), and (−2, −1) at (1, ½).
            "train LINE --lr 0.25 --epochs 2 --schedule harmonic": (
                "w           1.25\n b           0.625\n"
            ),
            "train LINE --lr 0.25 --epochs 2 --schedule harmonic --explain 2": "γ = 0.125\n",
            "train LINE --lr 0.25 --epochs 2 --schedule harmonic --explain 2 --batch-size 1": (
                "with γ = 0.125\n"
            ),
            "train DATA --optimizer adam --schedule harmonic": "chosen: standardize, lr ",
        },
    ),
    "stopping rule": Exercise(
        "descent/stopping.py",
        '''
def flat(slope: float = 0.23) -> Rule:
    """No component of the gradient is larger than `slope`."""
    return lambda step: "flat" if np.abs(step.grad).max() <= slope else None
''',
        "descent/stopping.py",
        {"rules = [": "rules = [flat(), "},
        {
            # The lecture's run.
            "train DATA --init 0.39779,0.231765 --lr 0.01": "flat at epoch 11\n",
            "train DATA --format json": '"status": "flat"',
        },
    ),
    "output of a run": Exercise(
        "show/tables/reports.py",
        '''
class LossReport(QuietReport):
    """The loss alone."""

    def end(self, fit: Fit, predictions: Sequence[Prediction], lines: Sequence[NameValue]) -> None:
        print(f"loss {fit.loss:.6f}")


REPORTS["loss"] = LossReport
''',
        "cli/options.py",
        {"    format: Literal[": '    format: Literal["loss", '},
        {"train DATA --format loss": "loss 0.000512\n"},
    ),
    "source": Exercise(
        "data/formats/arff.py",
        '''"""Weka's ARFF: names of columns, one a line, and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gdfit.data.formats.written import as_csv_text, written_file
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.sources.source import Source
from gdfit.data.text.dialect import Dialect


@contextmanager
def arff_in(source: Source, dialect: Dialect, progress: Any) -> Iterator[CsvFile]:
    """The table in `source`."""
    top, _, rows = source.read(1 << 30).decode().partition("@data\\n")
    names = [line.split()[1] for line in top.splitlines() if line.startswith("@attribute")]
    yield written_file(source.name, as_csv_text([names, *csv.reader(rows.splitlines())]), dialect)
''',
        "data/formats/formats.py",
        {
            "from gdfit.data.sources.csv_file import": (
                "from gdfit.data.formats.arff import arff_in\n"
                "from gdfit.data.sources.csv_file import"
            ),
            '    ARROW: partial(arrow, "Arrow"),\n': (
                "    ARROW: partial(arrow, 'Arrow'),\n    rb'@relation': arff_in,\n"
            ),
        },
        {
            "train ARFF ARFF --features kind,x --format json": '"observations": 50',
            "train ARFF --features kind,x --target y": "w_kind[odd]",
            "predict ARFF": "x,kind,y,y_hat\n0.1,even,0.27,",
            "evaluate ARFF --format json": '"observations": 25',
        },
    ),
    "spelling of numbers": Exercise(
        "data/text/spellings.py",
        """
SPELLINGS["·"] = Spelling("·")
""",
        "data/text/spellings.py",
        {},
        {
            "train RAISED --decimal · --format json": '"x": [1250.5]',
            "predict RAISED --decimal ·": "x,y,y_hat\n-1250·5,-1e3,",
            "evaluate RAISED --decimal · --format json": '"observations": 2',
        },
        """
from gdfit import Dialect, read_observations

with open("LARGE", "w") as file:  # that Arrow reads
    file.write("x,y\\n" + "1000·5,2e3\\n" * 60_000 + "1250·5,-1000\\n")
found = read_observations("LARGE", dialect=Dialect(decimal="·"))
assert (found.count, found.last.tolist()) == (60_001, [1250.5, -1000.0])
""",
    ),
    "command": Exercise(
        "cli/count.py",
        '''"""gdfit count."""

from __future__ import annotations

from gdfit.cli.options import ColumnOptions, DataArgument, DialectOptions
from gdfit.cli.reading import read


def count(data: DataArgument, columns: ColumnOptions, dialect: DialectOptions) -> None:
    """Count the observations in DATA."""
    print(read(data, columns, dialect).count)
''',
        "cli/app.py",
        {
            "COMMANDS = {": 'COMMANDS = {"count": "count", ',
        },
        {"count DATA --features x": "25\n", "--help": "Count the observations in DATA."},
    ),
}


@pytest.mark.parametrize("what", EXERCISES)
def test_something_new_is_one_file_and_its_line_in_a_list(tmp_path: Path, what: str) -> None:
    exercise = EXERCISES[what]
    package = tmp_path / "gdfit"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    with (package / exercise.file).open("a", encoding="utf-8") as file:
        file.write(exercise.code)
    for name, changes in {**exercise.more, exercise.list: exercise.changes}.items():
        text = (package / name).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert text.count(old) == 1, f"{old!r} does not stand once in {name}"
            text = text.replace(old, new)
        (package / name).write_text(text, encoding="utf-8")

    shutil.copy(LECTURE, tmp_path / "DATA")
    (tmp_path / "LINE").write_text("x,y\n-1,-1\n1,3\n")
    (tmp_path / "RAISED").write_text("x,y\n-1250·5,-1e3\n1250·5,1001\n")
    rows = (
        f"{x},{('even', 'odd')[row % 2]},{y}\n"
        for row, (x, y) in enumerate(np.loadtxt(LECTURE, delimiter=",", skiprows=1).tolist())
    )
    names = "".join(f"@attribute {name} NUMERIC\n" for name in ("x", "kind", "y"))
    (tmp_path / "ARFF").write_text(f"@relation lecture\n{names}@data\n{''.join(rows)}")
    runs = {("-m", "gdfit", *command.split()): shown for command, shown in exercise.runs.items()}
    for arguments, shown in {**runs, ("-c", exercise.script): ""}.items():
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            check=False,
        )
        err = done.stderr.decode()
        assert done.returncode == 0, err
        assert all(line.startswith("gdfit: note: ") for line in err.splitlines()), err
        assert shown in done.stdout.decode()


@pytest.mark.parametrize("what", EXERCISES)
def test_the_page_says_where_it_goes(what: str) -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {what} \|(.*)\|(.*)\|$", page, re.MULTILINE)
    exercise = EXERCISES[what]
    place, choices = row
    assert f"`{exercise.file}`" in place or f"`{Path(exercise.file).parent}/`" in place
    assert f"`{exercise.list}`" in choices
    assert all(f"`{name}`" in place for name in exercise.more)
