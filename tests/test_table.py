"""The table of a run: of one width from the first row to the last, and its numbers whole."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from conftest import LECTURE, SAMPLES, Gdfit
from gdfit import Run, observations_from
from gdfit.descent.loop import Step
from gdfit.show.tables.reports import BATCHES, RULE, TableReport, no_op
from gdfit.show.tables.style import SHOWN_FEATURES, leading, short, shortened

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PIPE = 0  # the width of a pipe
WIDTHS = [PIPE, 60, 80, 100, 120]

GREENHOUSE = [SAMPLES / "greenhouse.csv", "--features", "light,water,warmth", "--lr", "0.1"]
HOUSES = [SAMPLES / "houses.csv", "--lr", "0.01"]
HELD_OUT = ["--validation", "0.2"]
RUNS: dict[str, list[object]] = {
    "one feature": [LECTURE, "--lr", "0.01"],
    "with validation": [LECTURE, "--lr", "0.01", *HELD_OUT],
    "three features": GREENHOUSE,
    "three, with validation": [*GREENHOUSE, *HELD_OUT],
    "many epochs": [LECTURE, "--lr", "0.01", "--epochs", "12345", "--every", "4000"],
    "to machine precision": [LECTURE, "--lr", "0.3", *HELD_OUT],
    "diverging": HOUSES,
    "diverging, with validation": [*HOUSES, *HELD_OUT],
}

Screen = Callable[..., str]


@pytest.fixture
def screen(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> Screen:
    """What `gdfit train` shows on a terminal of a width, or in a pipe, without its colours."""

    def call(width: int, *arguments: object) -> str:
        on_terminal(width, monkeypatch)
        out = gdfit("train", *arguments).out
        assert (width != PIPE) == bool(ESCAPE.search(out))
        return ESCAPE.sub("", out)

    return call


def on_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Rich take standard output for a terminal of a width, or for a pipe."""
    for name in ("FORCE_COLOR", "COLUMNS", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    if width:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(width))


def table_of(out: str) -> str:
    """The table of what a run prints, between the line above it and the summary."""
    return out.partition("\n\n")[2].rpartition("\n\n")[0]


THERE = "at the minimum, but for rounding"  # is said of a row, below it


def parts_of(text: str, most: int) -> tuple[str, list[str], list[str]]:
    """The names, the remarks under them, and the rows of a table, all of one width of at most
    `most`; remarks may be shorter."""
    lines = text.splitlines()
    (line,) = (place for place, text in enumerate(lines) if text.startswith("──"))
    rows = [row for row in lines[line + 1 :] if row.strip() and row.strip() != THERE]
    assert {cell_len(row) for row in (lines[0], *rows)} == {len(lines[line])}
    assert max(map(len, lines[: line + 1])) <= most
    return lines[0], lines[1:line], rows


def shows(cell: str, number: float | None, digits: int) -> bool:
    """Whether a cell is a number, rounded to so many digits, or to one less with an exponent of
    three; None stands for no finite number."""
    if number is None:
        return cell in ("inf", "-inf", "nan")
    digits -= bool(re.search(r"e[-+]\d{3}", cell))
    told = float(cell.replace(",", ""))
    return math.isclose(told, number, rel_tol=0.5 * 10.0 ** (1 - digits), abs_tol=1e-322)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("run", RUNS)
def test_rows_are_of_one_width_and_their_numbers_are_those_of_the_json(
    screen: Screen, gdfit: Gdfit, run: str, width: int
) -> None:
    table = table_of(screen(width, *RUNS[run]))
    names, remarks, rows = parts_of(table, (width or 80) - 1)
    assert remarks == [f" {RULE}"]
    history = json.loads(gdfit("train", *RUNS[run], "--format", "json").out)["history"]
    expected: list[list[float | None]] = []
    for step in history:
        first = [step[key] for key in ("epoch", "loss", "validation_loss") if key in step]
        if " param " in names:
            expected += [[*first, *pair] for pair in zip(step["params"], step["grad"], strict=True)]
        else:
            expected.append([*first, *step["params"], *step["grad"]])
    cells = [
        [cell for cell in row.split() if not cell[0].isalpha() or cell in ("inf", "nan")]
        for row in rows
    ]
    if THERE in table:  # and of those after it, only the last is shown
        size = len(history[0]["params"]) if " param " in names else 1
        expected = expected[: len(cells) - size] + expected[-size:]
    assert len(cells) == len(expected)
    for shown, numbers in zip(cells, expected, strict=True):
        told = numbers[-len(shown) :]  # the epoch and the losses stand beside the first param only
        assert all(shows(cell, number, 4) for cell, number in zip(shown, told, strict=True))


@pytest.mark.parametrize("options", [[], HELD_OUT])
def test_w_and_b_stand_side_by_side_on_80_columns(screen: Screen, options: list[str]) -> None:
    names, *_ = parts_of(table_of(screen(80, LECTURE, *options)), 79)
    validation = ["validation"] if options else []
    assert names.split() == ["epoch", "loss", *validation, "w", "b", "grad", "w", "grad", "b"]


@pytest.mark.parametrize(("size", "told"), [(5, BATCHES), (25, RULE)])
def test_what_loss_and_grad_are_of_is_told(screen: Screen, size: int, told: str) -> None:
    assert told in screen(60, LECTURE, "--batch-size", size)


def test_a_wide_terminal_has_room_for_several_params_side_by_side(screen: Screen) -> None:
    names, *_ = parts_of(table_of(screen(120, *GREENHOUSE)), 119)
    assert names.split()[:5] == ["epoch", "loss", "w_light", "w_water", "w_warmth"]


LEAST = -1.2345e-308
LEASTS = np.array([LEAST, LEAST])
EXTREME = Step(10**8, LEAST, LEASTS, LEASTS, LEAST, LEASTS, {})
PLAIN = Step(1, 1.0, np.array([0.5, -0.25]), np.array([-12345.0, 1e5]), 2.0, LEASTS, {})


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("validated", [False, True])
def test_the_longest_numbers_fit(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    validated: bool,
) -> None:
    on_terminal(width, monkeypatch)
    monkeypatch.setattr(TableReport, "MOMENT", -1)  # each row is printed by itself
    observations = observations_from([1, 2, 3], [1, 2, 4])
    run = Run(observations, validation=observations if validated else None, epochs=10**8, lr=0.1)
    report = TableReport(run, lambda epoch: True, no_op)
    for step in (PLAIN, EXTREME, PLAIN):
        report.step(step if validated else step._replace(validation_loss=None))
    out = ESCAPE.sub("", capsys.readouterr().out)
    _, _, rows = parts_of(out.partition("\n\n")[2], (width or 80) - 1)
    cells = " ".join(rows).split()
    assert "100000000" in cells
    numbers = [cell for cell in cells if cell.endswith("e-308")]
    assert len(numbers) == (6 if validated else 5)
    assert all(shows(number, LEAST, 3 if width == 60 else 4) for number in numbers)


def test_rows_are_the_same_however_they_are_grouped(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    outs = set()
    for moment in (-1.0, 0.1, math.inf):
        monkeypatch.setattr(TableReport, "MOMENT", moment)
        lines = screen(80, *GREENHOUSE).splitlines()
        outs.add("\n".join(line.rstrip() for line in lines))
    assert len(outs) == 1


@given(st.floats(allow_nan=False), st.integers(10, 14))
def test_a_short_number_keeps_to_its_width_and_is_rounded_not_cut(
    number: float, width: int
) -> None:
    text = short(number, width)
    assert len(text) <= width
    assert shows(text, number, 5 if width >= 12 else 4) or abs(number) > 1.79e308


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"])), st.integers(3, 40))
def test_a_shortened_name_keeps_to_its_width(name: str, width: int) -> None:
    told = shortened(name, width)
    assert cell_len(told) <= width
    assert told == name if cell_len(name) <= width else "…" in told


LONG = [
    "average_temperature_of_the_summer_2020_C",
    "average_temperature_of_the_winter_2020_C",
    "länge_des_wurzelstocks_im_jahr_nach_saat",
    "日本語の列の名前はとても長いことがあるので気をつける",
]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("options", [[], HELD_OUT])
def test_long_names_are_shortened_on_a_terminal_alone(
    screen: Screen, gdfit: Gdfit, width: int, options: list[str]
) -> None:
    x = np.random.default_rng(0).normal(size=(40, 4))
    write("long.csv", x, x.sum(axis=1), LONG)
    arguments = ["long.csv", "--epochs", "20", *options]
    out = screen(width, *arguments)
    parts_of(table_of(out), width - 1 if width else 120)
    if width:
        assert out.count("…") >= 4
        assert max(map(cell_len, out.splitlines())) <= width
    else:
        assert "…" not in out.partition("\n\n")[2]
    assert all(name in gdfit("train", *arguments, "--format", "csv").out for name in LONG)
    assert json.loads(gdfit("train", *arguments, "--format", "json").out)["features"] == LONG


def write(name: str, x: np.ndarray, y: np.ndarray, features: list[str]) -> None:
    """A CSV file with a header, the target last."""
    rows = np.column_stack([x, y])
    np.savetxt(name, rows, "%.9g", ",", header=",".join([*features, "y"]), comments="")


def test_of_many_features_the_dozen_that_count_most_are_shown(screen: Screen, gdfit: Gdfit) -> None:
    """Weights and columns of all sizes, so that neither tells by itself which count."""
    random = np.random.default_rng(0)
    strong = [7 * place for place in range(SHOWN_FEATURES)]
    size = 10.0 ** random.integers(-3, 3, 100)
    effect = np.where(np.isin(np.arange(100), strong), 10.0, 0.1)
    x = random.normal(size=(400, 100))
    write("many.csv", x * size, x @ effect, [f"f{place}" for place in range(100)])
    arguments = ["many.csv", "--scale", "standardize", "--lr", "0.1", "--epochs", "100"]
    _, _, shown = screen(PIPE, *arguments).partition("\n\n")
    table, _, summary = shown.rpartition("\n\n")
    _, remarks, rows = parts_of(table, 79)
    assert remarks[1] == " the 12 of 100 features most correlated with the target"
    names = [next(cell for cell in row.split() if cell[0].isalpha()) for row in rows]
    params = [*(f"w_f{place}" for place in strong), "b"]
    assert names == params * (len(names) // len(params))
    lines = summary.splitlines()
    assert [line.split()[0] for line in lines[:14]] == [*params, "…"]
    assert "88 more params" in lines[13]
    assert len(max(lines, key=len)) < 120  # nor are a hundred inputs of a prediction listed
    header = gdfit("train", *arguments, "--format", "csv").out.splitlines()[0].split(",")
    assert sum(name.startswith("w_f") for name in header) == 100
    record = json.loads(gdfit("train", *arguments, "--format", "json").out)
    assert len(record["w"]) == len(record["features"]) == 100


def test_which_features_count() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 20))
    x[:, 5] = 1e9 / 3  # does not vary, but for rounding
    w = np.where(np.arange(20) < 8, 1.0, 0.0)
    w[19] = 100.0
    scale = 10.0 ** random.integers(-150, 150, 20)
    by_data = leading(observations_from(x, x @ w))
    assert by_data == sorted(by_data)
    assert len(by_data) == SHOWN_FEATURES
    assert 19 in by_data
    assert 5 not in by_data
    assert leading(observations_from(x * scale, (x @ w) * 1e200)) == by_data
    weights = np.append(np.arange(20.0) / scale, 0.0)
    assert leading(observations_from(x * scale, x @ w), weights) == list(range(8, 20))
    assert leading(observations_from(x[:, :SHOWN_FEATURES], x @ w)) == list(range(SHOWN_FEATURES))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["x"], "x"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        (["a" * 20, "b" * 30], f"{'a' * 20} and 1 more"),
        (["a" * 50, "b"], "2 features"),
    ],
)
def test_the_line_above_the_table_fits_on_80_columns(
    gdfit: Gdfit, names: list[str], told: str
) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(9, 1)) + 0.1 * random.normal(size=(9, len(names)))
    rows = np.column_stack([x, x @ range(len(names))])
    np.savetxt("d.csv", rows, "%.3g", ",", header=",".join([*names, "y"]), comments="")
    first = gdfit("train", "d.csv", "--epochs", "30").out.splitlines()[0]
    assert first.startswith(f" y from {told} · 9 rows · chosen: ")
    assert len(first) < 80


def test_a_long_target_is_shortened_above_the_table(gdfit: Gdfit) -> None:
    data = f"x,{'a' * 60}{'b' * 60}\n1,2\n2,4\n3,7\n".encode()
    first = gdfit("train", "-", "--epochs", 3, stdin=data).out.splitlines()[0]
    assert re.fullmatch(" a+…b+ from x · 3 rows · chosen: standardize, lr 0.5", first)
    assert 70 < len(first) < 80
