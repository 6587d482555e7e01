"""Submissions marked within this process: what comes of those that do no harm, number by number.

tests/test_coursework.py marks them all as `gdfit check` does, each in a process of its own.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gdfit
from conftest import LECTURE
from gdfit.analysis.coursework import EPOCHS, Case, Marker
from gdfit.analysis.submissions import Answers, Checked, Submission
from gdfit.data.observations import Observations
from gdfit.descent.settings import Settings
from test_coursework import Sample, samples

HARM = re.compile(
    r"import os|while True|signal|threading|urllib|hog|subprocess|10\*\*8|open\(|multiprocessing"
    r"|json.dumps =|ctypes|sleep\(1000|recursion|input\("
)
HARMLESS = [sample for sample in samples() if not HARM.search(sample.text)]


@pytest.fixture(scope="module")
def data() -> Observations:
    return gdfit.observations_from(*np.loadtxt(LECTURE, delimiter=",", skiprows=1).T)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run submissions in, after which the process is as it was."""
    (tmp_path / "lecture.csv").write_bytes(LECTURE.read_bytes())
    (tmp_path / "helpers.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "submission", sys)
    monkeypatch.setattr("builtins.input", lambda *prompt: "1")
    return tmp_path


def answers_to(text: str, cases: list[Case], seconds: float = 60) -> Answers:
    """What a submission of this text reports, run here."""
    Path("s.py").write_text(text, encoding="utf-8")
    answers = Answers()
    said: list[dict[str, Any]] = []
    submission = Submission("s.py", time.monotonic() + seconds, said.append)
    submission.run([case.request for case in cases])
    for line in said:
        if "name" in line:
            of_case = answers.found.setdefault((line["name"], line["alone"]), {})
            of_case[line["case"]] = line
        answers.faults += line.get("faults", [])
        answers.there = line.get("there", answers.there)
    return answers


def checked(text: str, data: Observations, **more: Any) -> dict[str, Checked]:
    """What comes out for each part of a submission of this text."""
    marker = Marker(data, Settings(), **more)
    cases = marker.cases()
    found = marker.functions_checked(answers_to(text, cases), cases)
    return {each.what: each for each in found}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sample", HARMLESS, ids=lambda sample: sample.name)
def test_samples_are_marked_as_they_are_known(
    sample: Sample, here: Path, data: Observations
) -> None:
    found = checked(sample.text, data)
    statuses = {each.status for each in found.values()}
    if not sample.part:
        assert "same" in statuses
        assert statuses <= {"same", "missing"}, found
        return
    part = found[sample.part]
    assert part.status in ("differs", "error")
    told = part.found if part.status == "error" else part.mistake or ""
    assert re.search(sample.mistake, str(told)) or sample.mistake == "."


LOOP = """
def training_loop(n_epochs, learning_rate, params, x, y):
    w, b = params
    for _ in range(n_epochs):
        r = [w * xi + b - yi for xi, yi in zip(x, y)]
        dw = sum(2 * ri * xi for ri, xi in zip(r, x)) / len(x)
        db = sum(2 * ri for ri in r) / len(x)
        {update}
    return {result}
"""
LOSS, MEAN = "def loss_fn(y_hat, y): return", "((y_hat - y) ** 2).mean()"
RIGHT_UPDATE = "w, b = w - learning_rate * dw, b - learning_rate * db"


def test_cases_are_far_from_the_minimum_and_at_points_drawn(data: Observations) -> None:
    first, second = Marker(data, Settings()).cases()
    minimum = np.polyfit(first.x, first.y, 1)
    expected = minimum + 3 * (1 + np.abs(minimum)) * [1, -0.7]
    assert first.params.tolist() == pytest.approx(expected.tolist())
    design = np.column_stack([first.x, np.ones(25)])
    most = 2 / np.linalg.eigvalsh(2 * design.T @ design / 25).max()
    assert first.lr == pytest.approx(0.1 * most)
    assert (first.epochs, second.epochs) == (EPOCHS, EPOCHS)
    assert (second.params.tolist(), second.lr, len(second.x)) == ([-1.3, 2.6], 0.03, 7)
    assert second.x.tolist() == pytest.approx(
        (1 + np.random.default_rng(17).normal(size=7)).tolist()
    )
    asked = Marker(data, Settings(lr=0.2), epochs=7, init=[0.5, 1.5]).cases()
    assert (asked[0].epochs, asked[0].lr) == ((1, 2, 7), 0.2)
    assert asked[0].params.tolist() == [0.5, 1.5]
    few = gdfit.observations_from([1, 2, 3, 4, 5, 6, 7.0], [1, 3, 2, 5, 4, 7, 6.0])
    assert [len(case.x) for case in Marker(few, Settings()).cases()] == [7, 11]


@pytest.mark.parametrize(
    ("update", "result", "told"),
    [
        (RIGHT_UPDATE, "w, b", None),
        (RIGHT_UPDATE, "b, w", "w and b swapped: it returns (b, w), and should return (w, b)"),
        (
            RIGHT_UPDATE.replace("learning_rate", "0.05"),
            "w, b",
            "learning rate written in: it is 0.05 whatever the one that it takes",
        ),
        (
            f"{RIGHT_UPDATE}\n        if _ == 49: break",
            "w, b",
            "epochs: it makes 50, and should make 100",
        ),
        ("w, b = w + learning_rate * dw, b + learning_rate * db", "w, b", "gradient added: "),
        (
            "w -= learning_rate * dw; b -= learning_rate * sum("
            "2 * (w * xi + b - yi) for xi, yi in zip(x, y)) / len(x)",
            "w, b",
            "sequential update: ",
        ),
        (f"{RIGHT_UPDATE}; params[0]", "[1.0] * n_epochs", "losses returned: "),
    ],
)
def test_what_a_loop_gets_wrong(
    here: Path, data: Observations, update: str, result: str, told: str | None
) -> None:
    found = checked(LOOP.format(update=update, result=result), data)["training_loop"]
    if told is None:
        assert (found.status, found.mistake) == ("same", None)
    else:
        assert found.status == "differs"
        assert str(found.mistake).startswith(told)


def test_where_it_differs_is_told_with_what_was_given(here: Path, data: Observations) -> None:
    text = (
        "def model(x, w, b):\n    return w * x + b + (x > 2.0)\n"
        "def loss_fn(y_hat, y):\n    return ((y_hat - y) ** 2).mean() + 1\n"
        "def dloss_fn(y_hat, y):\n    return 2 * (y_hat - y) + (y > 0.5)\n"
        "def grad_fn(x, y, y_hat, w, b):\n"
        "    return (2 * (y_hat - y) * x).mean(), (2 * (y_hat - y)).mean() + 0.5\n"
    )
    found = checked(text + LOOP.format(update=RIGHT_UPDATE, result="w, b + (n_epochs > 1)"), data)
    case = Marker(data, Settings()).cases()[0]
    w, b = case.params.tolist()
    y_hat = w * case.x + b
    place = f"at w = {w:.4g}, b = {b:.4g}, in DATA"
    row = int(np.flatnonzero(case.x > 2)[0])
    assert found["model"].at == f"row {row + 1}, where x = {case.x[row]:.4g}, in DATA"
    assert found["model"].expected == pytest.approx(y_hat[row])
    assert found["model"].found == pytest.approx(y_hat[row] + 1)
    loss = ((y_hat - case.y) ** 2).mean()
    assert found["loss_fn"].at == place
    assert (found["loss_fn"].expected, found["loss_fn"].found) == (
        pytest.approx(loss),
        pytest.approx(loss + 1),
    )
    row = int(np.flatnonzero(case.y > 0.5)[0])
    given = f"y_hat = {y_hat[row]:.4g}, y = {case.y[row]:.4g}"
    assert found["dloss_fn"].at == f"row {row + 1}, where {given}, in DATA"
    assert found["grad_fn"].at == f"the gradient of b, {place}"
    assert found["grad_fn"].expected == pytest.approx((2 * (y_hat - case.y)).mean())
    assert found["training_loop"].at == "b after 2 epochs, in DATA"
    assert found["training_loop"].mistake is None
    wrong = checked(LOOP.format(update=RIGHT_UPDATE, result="w + 1, b"), data)["training_loop"]
    assert wrong.at == "w after 1 epoch, in DATA"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("loss_fn", f"{LOSS} 3.5 * {MEAN}", "factor: it is 3.5 times too large"),
        (
            "loss_fn",
            f"{LOSS} 3.5 * {MEAN} * (1 + 1e-6 * y[0])",
            "factor: it is 3.5 times too large",
        ),
        ("loss_fn", f"{LOSS} ((y_hat - y) ** 2).sum() / 25", "25 written in: "),
        ("loss_fn", f"{LOSS} print(1)", "no return: "),
        ("loss_fn", f"{LOSS} 2 * {MEAN} + 1 if len(y) == 25 else (y_hat - y) ** 2", None),
        ("loss_fn", f"{LOSS} {MEAN} + y[0]", None),
        (
            "grad_fn",
            "def grad_fn(x, y, y_hat, w, b):\n"
            "    r = 2 * (y_hat - y) / 25\n    return (r * x).sum(), r.sum()",
            "25 written in: ",
        ),
        (
            "model",
            "def model(x, w, b): return ((x[:, None] * w + b) * (0 * x + 1)).ravel()",
            "n × n: ",
        ),
        (
            "training_loop",
            LOOP.format(
                update="d = learning_rate * len(x) / 25; w, b = w - d * dw, b - d * db",
                result="w, b",
            ),
            "25 written in: ",
        ),
    ],
)
def test_other_mistakes_are_named(
    here: Path, data: Observations, name: str, text: str, told: str | None
) -> None:
    found = checked(text, data)[name]
    assert found.status == "differs"
    if told is None:
        assert found.mistake is None
    else:
        assert str(found.mistake).startswith(told)


def test_a_gradient_may_leave_the_mean_to_its_slopes(here: Path, data: Observations) -> None:
    text = (
        "def dloss_fn(y_hat, y):\n    return 2 * (y_hat - y) / len(y)\n"
        "def grad_fn(x, y, y_hat, w, b):\n"
        "    d = dloss_fn(y_hat, y)\n    return (d * x).sum(), d.sum()\n"
    )
    found = checked(text, data)
    assert (found["dloss_fn"].status, found["grad_fn"].status) == ("same", "same")
    assert (found["model"].status, found["training_loop"].status) == ("missing", "missing")
    assert "dmodel_dw" not in found


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("x = 1\nx.nope\n", 2, "AttributeError: 'int' object has no attribute 'nope'"),
        ("def f(:\n", 1, "SyntaxError: invalid syntax"),
        ("import nope_nope\n", None, "none of the lecture's functions is there: "),
        ("", None, "none of the lecture's functions is there: model, loss_fn, dloss_fn"),
        ("\n\nraise ValueError('a\\n b')\n", 3, "ValueError: a b"),
    ],
)
def test_faults_of_a_file_have_their_line(
    here: Path, data: Observations, text: str, line: int | None, told: str
) -> None:
    found = checked(text, data)["file"]
    assert (found.status, found.at) == ("error", f"line {line}" if line else None)
    assert str(found.found).startswith(told)


def test_functions_below_a_fault_are_checked_all_the_same(here: Path, data: Observations) -> None:
    found = checked("1 / 0\ndef model(x, w, b):\n    return w * x + b\n", data)
    assert (found["file"].status, found["file"].at) == ("error", "line 1")
    assert found["model"].status == "same"


@pytest.mark.parametrize(
    ("found", "late", "told"),
    [
        (None, True, "it does not end within 60 s"),
        (None, False, "it ended its own process, or took more than 1 GB of memory"),
    ],
)
def test_a_process_that_came_to_no_end_is_told(
    data: Observations, found: None, late: bool, told: str
) -> None:
    marker = Marker(data, Settings(), timeout=60)
    (check,) = marker.functions_checked(Answers(late=late), marker.cases())
    assert (check.what, check.status, check.found) == ("file", "error", told)
    half = Answers(there=["model"], late=late)
    checks = [*marker.functions_checked(half, marker.cases())]
    assert [each.what for each in checks if each.found == told] == ["model"]


def test_a_report_that_a_submission_has_written_in_is_read_as_far_as_it_is_one() -> None:
    lines = [
        '{"faults": [{"error": "a"}]}',
        "nonsense",
        '{"there": ["model"]}',
        '{"name": "model", "case": 1, "alone": false, "values": [[1.0]]}',
        '{"name": "model", "alone": 1}',
        "[1]",
        '{"name": "grad_fn", "case": "0", "alone": true, "values": [[2.0]]}',
    ]
    answers = Answers.read(lines, late=True)
    assert (answers.faults, answers.there, answers.late) == ([{"error": "a"}], ["model"], True)
    assert answers.found["model", False][1]["values"] == [[1.0]]
    assert answers.found["grad_fn", True][0]["values"] == [[2.0]]
