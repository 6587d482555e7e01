"""The run that the lecture prints: every digit of it."""

from __future__ import annotations

import re
import runpy
from typing import Any

import numpy as np
import pytest
import torch

import gdfit as library
from conftest import LECTURE, ROOT, Gdfit

START = (0.39779, 0.231765)
PRINTED = {  # epoch: loss, params, grad, as the slide has them
    1: ("0.020676", "0.3936", "0.2293", "0.4222", "0.2474"),
    2: ("0.018354", "0.3896", "0.2270", "0.3971", "0.2315"),
    3: ("0.016306", "0.3859", "0.2248", "0.3735", "0.2165"),
    10: ("0.007339", "0.3652", "0.2131", "0.2441", "0.1345"),
    11: ("0.006586", "0.3629", "0.2119", "0.2298", "0.1254"),
    99: ("0.000765", "0.3218", "0.2016", "0.0079", "-0.0105"),
    100: ("0.000763", "0.3217", "0.2017", "0.0079", "-0.0105"),
    1000: ("0.000513", "0.3020", "0.2323", "0.0003", "-0.0005"),
}


def printed(loss: float, params: list[float], grad: list[float]) -> tuple[str, ...]:
    return (f"{loss:.6f}", *(f"{number:.4f}" for number in (*params, *grad)))


@pytest.mark.parametrize("backend", ["manual", "autograd"])
def test_library_gives_the_lectures_numbers(backend: Any) -> None:
    observations = library.read_observations(str(LECTURE))
    fit = library.train(observations, lr=1e-2, epochs=1000, init=START, backend=backend)
    steps = {step.epoch: step for step in fit.history}
    for epoch, numbers in PRINTED.items():
        step = steps[epoch]
        assert printed(step.loss, step.params.tolist(), step.grad.tolist()) == numbers


@pytest.mark.parametrize("backend", ["manual", "autograd"])
def test_command_gives_the_lectures_numbers(gdfit: Gdfit, backend: str) -> None:
    epochs = ",".join(map(str, PRINTED))
    options = ["--init", "0.39779,0.231765", "--lr", "1e-2", "--show", epochs]
    rows = gdfit.json("train", LECTURE, *options, "--backend", backend)["history"]
    assert {
        row["epoch"]: printed(row["loss"], row["params"], row["grad"]) for row in rows
    } == PRINTED


def test_table_shows_the_lectures_numbers(gdfit: Gdfit) -> None:
    options = ["--init", "0.39779,0.231765", "--lr", "1e-2", "--show", "1,2,3,10,11,99,100"]
    result = gdfit("train", LECTURE, *options)
    rows = [line.split() for line in result.out.splitlines()]
    shown = {int(row[0]): tuple(map(float, row[1:])) for row in rows if row and row[0].isdecimal()}
    assert shown.keys() == PRINTED.keys()
    for epoch, numbers in shown.items():
        for number, digits in zip(numbers, PRINTED[epoch], strict=True):
            unit = 10.0 ** -len(digits.split(".")[1])
            assert number == pytest.approx(float(digits), abs=0.51 * unit)


def test_it_comes_to_the_least_squares_line(gdfit: Gdfit) -> None:
    x, y = np.loadtxt(LECTURE, delimiter=",", skiprows=1).T
    slope, intercept = np.polyfit(x, y, 1)
    fit = gdfit.json("train", LECTURE, "--lr", "1e-2", "--epochs", "20000", "--x", "2.8")
    assert fit["w"] == pytest.approx([slope], rel=1e-9)
    assert fit["b"] == pytest.approx(intercept, rel=1e-9)
    assert fit["predictions"] == [{"x": [2.8], "y": pytest.approx(2.8 * slope + intercept)}]


PROGRAM = ROOT / "docs" / "lecture.py"


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    return runpy.run_path(str(PROGRAM))


def test_the_lecture_as_a_program_prints_what_the_lecture_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runpy.run_path(str(PROGRAM), run_name="__main__")
    by_hand, by_autograd = capsys.readouterr().out.split("Epoch 1, ")[1:]
    assert by_hand == by_autograd
    rows = [re.findall(r"^\d+|-?\d\.\d+", text) for text in f"1, {by_hand}".split("Epoch ")]
    assert {int(epoch): tuple(numbers[:5]) for epoch, *numbers in rows} == PRINTED


@pytest.mark.parametrize("loop", ["training_loop", "autograd_loop"])
@pytest.mark.parametrize("backend", ["manual", "autograd"])
def test_the_lecture_as_a_program_takes_the_same_steps(
    program: dict[str, Any], loop: str, backend: Any
) -> None:
    x, y = program["read_observations"]()
    observations = library.observations_from(x.numpy(), y.numpy())
    fit = library.train(observations, lr=1e-2, epochs=1000, init=START, backend=backend)
    params, path = torch.tensor(START, dtype=torch.float64), []
    for _ in fit.history:
        params = program[loop](1, 1e-2, params, x, y, print_params=False)
        path.append(params.numpy())
    np.testing.assert_allclose([step.params for step in fit.history], path, rtol=1e-12)


def test_the_lecture_as_a_program_is_short_and_names_files_that_exist() -> None:
    text = PROGRAM.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    named = re.findall(r"\b\w+/\w+\.py", text)
    assert len(named) >= 8
    for path in named:
        assert (ROOT / path).exists() or (ROOT / "src" / "gdfit" / path).exists(), path
