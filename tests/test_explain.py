"""The arithmetic of the first epochs: it is that of the run, and comes out when done again."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.arrays import FloatArray
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.descent.loop import Step
from gdfit.descent.run import Run
from gdfit.show import board as formulas
from gdfit.show.board import BOARD_WIDTH, Line, cells, given, laid_out, told
from gdfit.show.explain import Explanation, held_back
from gdfit.show.tables.style import short

NUMBER = r"\d+(?:\.\d+)?(?:e[+-]\d+)?"
RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
KNOWN = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "vector": lambda *values: np.array(values),
}

RUNS = [
    "--lr 0.01",
    "--lr 0.01 --init=0.39779,0.231765",
    "--lr 0.4 --init=-3,1e5",
    "--optimizer momentum --l2 0.01 --lr 0.01",
    "--optimizer nesterov --lr 0.01 --momentum 0.8",
    "--optimizer adam --betas 0.8,0.99",
    "--loss mae",
    "--loss huber --huber-delta 0.35 --lr 0.1",
    "--batch-size 10 --loss huber --optimizer adam --l2 0.1 --lr 0.01",
    "--batch-size 4 --scale standardize --validation 0.2 --optimizer momentum --lr 0.01",
    "--scale whiten --backend autograd",
    "--loss quantile --quantile 0.9 --lr 0.1",
]

CLASS_RUNS = [
    "--lr 0.001",
    "--lr 0.4 --scale standardize --l2 0.1",
    "--scale whiten --lr 0.1 --batch-size 10 --optimizer adam",
]


def above_the_table(out: str) -> list[str]:
    """The lines that are written above the table."""
    (found,) = re.findall(r"^ chain rule\n.*?(?=^ +epoch  )", out, re.DOTALL | re.MULTILINE)
    return str(found).splitlines()


def unbroken(text: str) -> str:
    """`text`, with each line put together that was broken."""
    return re.sub(r"\n(?: {4,}|   (?=for |b = ))", " ", text)


def arithmetic(text: str) -> list[str]:
    """The lines of `text` that are arithmetic."""
    return [line for line in unbroken(text).splitlines() if re.match(r"   \S", line)]


def value_of(part: str, *, off: int | None = None) -> FloatArray:
    """What a part of a formula comes to; with one of its numbers half a unit of its fifth digit
    off, which is how far it may be rounded."""
    numbers = [float(number) for number in re.findall(NUMBER, part)]
    if off is not None:
        numbers[off] += half_unit(numbers[off])
    left = iter(numbers)
    code = re.sub(NUMBER, lambda _: repr(next(left)), part)
    code = RAISED.sub(lambda found: f"**{found[0].translate(POWERS)}", code)
    code = re.sub(r"\|([^|]*)\|", r"abs(\1)", code.replace("−", "-").replace("·", "*"))
    code = re.sub(r"√([\d.e+]+)", r"sqrt(\1)", code.replace("½", "0.5"))
    code = re.sub(r"\(([^()]*,[^()]*)\)", r"vector(\1)", code)
    return np.asarray(eval(code, dict(KNOWN)), dtype=np.float64)


def half_unit(value: float) -> float:
    if value in (0, 1, 2):  # of the formulas themselves
        return 0.0
    return float(0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - 4))


def check(line: str) -> int:
    """Do the arithmetic of a line again; how many parts of it are numbers alone."""
    parts = re.split(r" [=←] ", line.strip())[1:]
    signs = re.compile("[a-zα-ωℓŷᵗ…∂∇≤>]", re.IGNORECASE)  # of what is no arithmetic
    numeric = [part for part in parts if not signs.search(re.sub(f"{NUMBER}|exp|log", "", part))]
    for part in numeric[:-1]:
        shown, again = value_of(numeric[-1]), value_of(part)
        rounding = np.vectorize(half_unit)(shown)
        for place in range(len(re.findall(NUMBER, part))):
            rounding = rounding + np.abs(value_of(part, off=place) - again)
        assert (np.abs(shown - again) <= 1.001 * rounding).all(), line
    return len(numeric[:-1])


@pytest.mark.parametrize("features", ["one", "three"])
@pytest.mark.parametrize("options", RUNS)
def test_what_is_written_comes_out_again(gdfit: Gdfit, options: str, features: str) -> None:
    data = [SAMPLES / "greenhouse.csv", "--features", "light,water,warmth"]
    words = options.replace("-3,1e5", "-3,2,1,1e5").replace("0.39779,0.231765", "1,2,3,4").split()
    if features == "one":
        data, words = [LECTURE], options.split()
    result = gdfit("train", *data, *words, "--explain", 3, "--epochs", 5, "--no-model")
    assert result.status in (0, 3)
    lines = above_the_table(result.out)
    assert max(map(cells, lines)) <= BOARD_WIDTH
    assert sum(map(check, arithmetic("\n".join(lines)))) > 30
    assert len([line for line in lines if line.startswith(" Epoch ")]) == 3
    assert len([line for line in lines if line.startswith(" row ")]) == 9


@pytest.mark.parametrize("features", ["light", "light,water,warmth"])
@pytest.mark.parametrize("options", CLASS_RUNS)
def test_what_is_written_of_classes_comes_out_again(
    gdfit: Gdfit, tmp_path: Path, options: str, features: str
) -> None:
    frame = pd.read_csv(SAMPLES / "greenhouse.csv")
    tall = np.where(frame.growth > frame.growth.median(), "tall", "short")
    frame.assign(growth=tall).to_csv(tmp_path / "beds.csv", index=False)
    words = ["--features", features, *options.split(), "--loss", "logistic", "--no-model"]
    result = gdfit("train", tmp_path / "beds.csv", *words, "--explain", 3, "--epochs", 5)
    assert result.status == 0
    lines = above_the_table(result.out)
    assert max(map(cells, lines)) <= BOARD_WIDTH
    assert sum(map(check, arithmetic("\n".join(lines)))) > 30
    assert "y is 1 for tall and 0 for short" in " ".join(result.out.split())
    assert len([line for line in lines if line.startswith("   ŷ     = σ(z) = 1/(1 +")]) == 9


def test_a_probability_on_the_board(gdfit: Gdfit) -> None:
    out = gdfit(
        *("train", "-", "--loss", "logistic", "--lr", 1, "--explain", 2, "--no-model"),
        stdin=b"x,y\n2,0\n1,1\n",
    ).out
    assert (
        " chain rule\n"
        "   ∂ℓ/∂w = ∂ℓ/∂z · ∂z/∂w = (ŷ − y) · x\n"
        "   ∂ℓ/∂b = ∂ℓ/∂z · ∂z/∂b = (ŷ − y) · 1\n"
    ) in out
    assert (
        " Epoch 2, at w = −0.25, b = 0\n"
        " row 1: x = 2, y = 0\n"
        "   z     = w·x + b = −0.25 · 2 + 0 = −0.5\n"
        "   ŷ     = σ(z) = 1/(1 + exp(−z)) = 1/(1 + exp(0.5)) = 0.37754\n"
        "   ŷ − y = 0.37754 − 0 = 0.37754\n"
        "   ℓ     = log(1 + eᶻ) − y·z = log(1 + exp(−0.5)) − 0 · (−0.5) = 0.47408\n"
        "   ∂ℓ/∂w = (ŷ − y)·x = 0.37754 · 2 = 0.75508\n"
        "   ∂ℓ/∂b = (ŷ − y)·1 = 0.37754 · 1 = 0.37754\n"
    ) in out


def test_a_quantile_on_the_board(gdfit: Gdfit) -> None:
    out = gdfit(
        *("train", "-", "--loss", "quantile", "--quantile", 0.9, "--lr", 1, "--init", "1,0"),
        *("--explain", 1, "--no-model", "--epochs", 1),
        stdin=b"x,y\n1,3\n2,0\n5,5\n",
    ).out
    assert "   ŷ     < y, with τ = 0.9\n   ℓ     = τ(y − ŷ) = 0.9 · 2 = 1.8\n" in out
    assert "   ∂ℓ/∂w = −τ·x = −0.9 · 1 = −0.9\n" in out
    assert "   ŷ     > y, with τ = 0.9\n   ℓ     = (1 − τ)(ŷ − y) = 0.1 · 2 = 0.2\n" in out
    assert "   ∂ℓ/∂w = (1 − τ)·x = 0.1 · 2 = 0.2\n" in out
    assert "   ŷ     = y\n   ℓ     = τ(y − ŷ) = 0.9 · 0 = 0\n   ∂ℓ/∂w = 0·x = 0 · 5 = 0\n" in out


def test_a_mistake_is_found() -> None:
    assert check("   w ← w − γ·∂L/∂w = 0 − 0.01 · (−1.9386) = 0.019386") == 1
    with pytest.raises(AssertionError):
        check("   w ← w − γ·∂L/∂w = 0 − 0.01 · (−1.9386) = 0.019389")
    with pytest.raises(AssertionError):
        check("   ℓ = ½(ŷ − y)² = ½ · (−3)² = 4.4")
    with pytest.raises(AssertionError):
        check("   v̂ = v/(1 − β₂ᵗ) = 0.0072382/(1 − 0.999²) = 3.6")
    with pytest.raises(AssertionError):
        check("   ∇ℓ = 2(ŷ − y)·(x₁, 1) = 2 · (−3) · (−1, 1) = (6, 6)")


def test_the_lecture_on_the_board(gdfit: Gdfit) -> None:
    out = gdfit("train", LECTURE, "--lr", 0.01, "--explain", 1, "--show", 1, "--no-model").out
    assert (
        "\n".join(above_the_table(out))
        == """\
 chain rule
   ∂ℓ/∂w = ∂ℓ/∂ŷ · ∂ŷ/∂w = 2(ŷ − y) · x
   ∂ℓ/∂b = ∂ℓ/∂ŷ · ∂ŷ/∂b = 2(ŷ − y) · 1

 Epoch 1, at w = 0, b = 0
 row 1: x = 0.1, y = 0.27
   ŷ     = w·x + b = 0 · 0.1 + 0 = 0
   ŷ − y = 0 − 0.27 = −0.27
   ℓ     = (ŷ − y)² = (−0.27)² = 0.0729
   ∂ℓ/∂w = 2(ŷ − y)·x = 2 · (−0.27) · 0.1 = −0.054
   ∂ℓ/∂b = 2(ŷ − y)·1 = 2 · (−0.27) · 1 = −0.54
 row 2: x = 0.2, y = 0.3
   ŷ     = w·x + b = 0 · 0.2 + 0 = 0
   ŷ − y = 0 − 0.3 = −0.3
   ℓ     = (ŷ − y)² = (−0.3)² = 0.09
   ∂ℓ/∂w = 2(ŷ − y)·x = 2 · (−0.3) · 0.2 = −0.12
   ∂ℓ/∂b = 2(ŷ − y)·1 = 2 · (−0.3) · 1 = −0.6
 row 3: x = 0.3, y = 0.38
   ŷ     = w·x + b = 0 · 0.3 + 0 = 0
   ŷ − y = 0 − 0.38 = −0.38
   ℓ     = (ŷ − y)² = (−0.38)² = 0.1444
   ∂ℓ/∂w = 2(ŷ − y)·x = 2 · (−0.38) · 0.3 = −0.228
   ∂ℓ/∂b = 2(ŷ − y)·1 = 2 · (−0.38) · 1 = −0.76
 mean over all 25 rows
   L     = mean of ℓ = (0.0729 + 0.09 + 0.1444 + …)/25 = 0.43852
   ∂L/∂w = mean of ∂ℓ/∂w = (−0.054 − 0.12 − 0.228 + …)/25 = −1.9386
   ∂L/∂b = mean of ∂ℓ/∂b = (−0.54 − 0.6 − 0.76 + …)/25 = −1.2504
 update, with γ = 0.01
   w ← w − γ·∂L/∂w = 0 − 0.01 · (−1.9386) = 0.019386
   b ← b − γ·∂L/∂b = 0 − 0.01 · (−1.2504) = 0.012504
"""
    )


def written_by(run: Run, epochs: int, capsys: pytest.CaptureFixture[str]) -> tuple[str, list[Step]]:
    """What is explained of a run, and its steps."""
    explanation, steps = Explanation(run, epochs, lambda: None), []
    for step in run:
        explanation.step(step)
        steps.append(step)
    return unbroken(capsys.readouterr().out), steps


def found(pattern: str, text: str) -> list[str]:
    return [match.replace("−", "-") for match in re.findall(pattern, text, re.MULTILINE)]


@pytest.mark.parametrize("options", [{}, {"optimizer": "adam"}, {"loss": "mae", "l2": 0.1}])
def test_the_numbers_are_those_of_the_run(
    options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=20)
    run = Run(observations_from(x, 3 * x + random.normal(size=20)), lr=0.1, epochs=4, **options)
    text, steps = written_by(run, 4, capsys)
    for name, place in (("w", 0), ("b", 1)):
        after = [format(step.params[place], ".5g") for step in steps]
        assert found(rf"^   {name} ← .*= (\S+)$", text) == after
        slopes = [format(step.grad[place], ".5g") for step in steps]
        assert set(slopes) <= set(found(rf"^   ∂L/∂{name} [=←] .*= (\S+)$", text))
    losses = [format(step.loss, ".5g") for step in steps]
    assert set(losses) <= set(found(r"^   L +[=←] .*= (\S+)$", text))
    if options.get("optimizer") == "adam":
        squares = [format(value, ".5g") for step in steps for value in step.state["square"]]
        assert found(r"^   v ← .*= (\S+)$", text) == squares


def test_the_first_batch_is_the_runs(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = np.arange(1.0, 5.0), np.array([3.0, 5.0, 6.0, 9.0])
    run = Run(observations_from(x, y), lr=0.01, epochs=2, batch_size=3, seed=5)
    text, steps = written_by(run, 2, capsys)
    assert text.count("the first of 2 batches, drawn at random") == 2
    assert text.count("mean over the 3 rows of the batch") == 2
    assert sum(map(check, arithmetic(text))) > 30
    drawn = [float(value) for value in found(r"^ row \d: x = (\S+),", text)]
    for step, first, w, b in zip(
        steps,
        (drawn[:3], drawn[3:]),
        found(r"^   w ← .*= (\S+)$", text),
        found(r"^   b ← .*= (\S+)$", text),
        strict=True,
    ):
        # The other batch is the row that is left; it leads on from there.
        (left,) = set(x.tolist()) - set(first)
        slope = 2 * (float(w) * left + float(b) - y[int(left) - 1])
        expected = [float(w) - 0.01 * slope * left, float(b) - 0.01 * slope]
        assert step.params.tolist() == pytest.approx(expected, rel=1e-3)
    (end, *_) = re.findall(r"after the last, w = (\S+), b = (\S+) ", text)
    assert end == tuple(told(value) for value in steps[0].params)


def test_a_run_that_goes_on_remembers_its_velocity(gdfit: Gdfit) -> None:
    how = [LECTURE, "--lr", 0.01, "--optimizer", "momentum"]
    gdfit("train", *how, "--epochs", 3, "--model", "part.json")
    out = gdfit("train", *how, "--init", "part.json", "--epochs", 1, "--explain", 1).out
    assert "v ← μ·v + ∂L/∂w = 0.9 · (−" in out
    whole_run = gdfit.json("train", *how, "--epochs", 4, "--show", "4")
    assert f"= {told(whole_run['w'][0])}\n" in out


def test_what_the_letters_stand_for(gdfit: Gdfit) -> None:
    data = ["train", SAMPLES / "greenhouse.csv", "--features", "light,water", "--explain", 1]
    out = gdfit(*data, "--lr", 0.01).out
    assert "\n x₁ stands for light, x₂ for water, y for growth\n" in out
    out = gdfit(*data, "--lr", 0.01, "--scale", "standardize").out
    x = read_observations(str(SAMPLES / "greenhouse.csv"), features=["light", "water"]).sample[
        :, :2
    ]
    means, deviations = x.mean(axis=0), x.std(axis=0)
    out = unbroken(out)
    meaning = [
        f"({name} − {told(mean)})/{told(deviation)}"
        for name, mean, deviation in zip(("light", "water"), means, deviations, strict=True)
    ]
    assert f"\n x₁ stands for {meaning[0]}, x₂ for {meaning[1]}, y for growth\n" in out
    out = gdfit(*data, "--scale", "whiten").out
    assert "x₁, x₂ stand for an orthonormal basis of light, water, y for growth" in out
    out = gdfit("train", LECTURE, "--explain", 1, "--scale", "standardize").out
    assert "\n x stands for (x − 1.3)/0.72111\n" in out
    assert " row 1: x = (0.1 − 1.3)/0.72111 = −1.6641, y = 0.27\n" in out


def test_many_features_with_long_names_have_room(gdfit: Gdfit, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    names = [f"a rather long name of column number {place}" for place in range(1, 13)]
    rows = random.normal(1e6, 1e7, (40, 13))
    text = "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())
    (tmp_path / "wide.csv").write_text(",".join([*names, "y"]) + "\n" + text)
    out = gdfit("train", "wide.csv", "--explain", 2, "--lr", 1e-16, "--optimizer", "adam").out
    lines = above_the_table(out)
    assert max(map(cells, lines)) <= BOARD_WIDTH
    assert sum(map(check, arithmetic("\n".join(lines)))) > 20
    assert lines.count(" and so for 9 more weights") == 2
    assert any("w₁·x₁ + w₂·x₂ + w₃·x₃ + … + b" in line for line in lines)


def test_a_loss_beyond_float64_is_infinite(gdfit: Gdfit) -> None:
    out = gdfit("train", LECTURE, "--explain", 1, "--lr", 1, "--init", "1e160,0").out
    assert "(inf + inf + inf + …)/25 = inf\n" in out
    assert "nan" not in out


def test_one_is_singular(gdfit: Gdfit) -> None:
    out = gdfit("train", "-", "--explain", 1, "--lr", 0.1, stdin=b"x,y\n2,3\n").out
    assert "\n mean over the only row\n" in out
    data = b"a,b,c,d,y\n1,2,3,4,5\n2,1,0,1,2\n0,1,1,3,3\n"
    words = ["--explain", 1, "--lr", 0.01, "--batch-size", 2, "--validation", 0.3]
    out = gdfit("train", "-", *words, stdin=data).out
    assert "\n and so for 1 more weight\n" in out
    assert "\n loss of the 1 row for validation, before the update: " in out


def test_the_first_rows_of_a_large_file_are_written_out(gdfit: Gdfit, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(100_000, 2)).round(3)
    np.savetxt(tmp_path / "long.csv", rows, "%.3f", ",", header="x,y", comments="")
    out = gdfit("train", "long.csv", "--explain", 1, "--lr", 0.1).out
    for number, (x, y) in enumerate(rows[:3].tolist(), 1):
        assert f"\n row {number}: x = {given(x)}, y = {given(y)}\n" in out
    assert "\n mean over all 100,000 rows\n" in out


def test_the_table_follows_whole(gdfit: Gdfit) -> None:
    train = ["train", LECTURE, "--lr", 0.01, "--epochs", 20, "--no-model"]
    plain, out = gdfit(*train).out, gdfit(*train, "--explain", 3).out
    table = plain[plain.index("  epoch") : plain.index("\n w ")]
    assert out.count("\n\n" + table) == 1
    assert f" Epoch 3, at w = {told(0.054700)}" not in table
    shown = re.search(r"^ +1 .*", table, re.MULTILINE)
    assert shown is not None
    assert short(-1.9386) in shown[0]
    # Where there are fewer epochs than are to be explained, too.
    assert "\n     20  " in gdfit(*train, "--explain", 30).out


def test_steps_are_held_back_until_the_last_is_explained() -> None:
    told_of: list[int] = []
    run = Run(observations_from([1, 2, 3], [3, 5, 7]), lr=0.1, epochs=4)
    watch = held_back(lambda step: told_of.append(step.epoch), 3)
    counts = []
    for step in run:
        watch(step)
        counts.append(len(told_of))
    assert (told_of, counts) == ([1, 2, 3, 4], [0, 0, 3, 4])


@pytest.mark.parametrize("batches", [[], ["--batch-size", 3]])
def test_weights_are_counted_in(gdfit: Gdfit, batches: list[object]) -> None:
    data = b"x,y,n\n1,3.1,2\n2,4.8,1\n3,7.2,5\n"
    if batches:
        data += b"4,9.1,1\n"
    train = ["train", "-", "--weights", "n", "--lr", 0.01, *batches, "--epochs", 1, "--explain", 1]
    out = unbroken(gdfit(*train, stdin=data).out)
    assert sum(map(check, arithmetic(out))) == 20
    assert " row 1: x = 1, y = 3.1, with the weight v = 2\n" in out or batches
    words = "(3 · mean of all v)" if batches else "sum of v"
    (sums,) = re.findall(rf"∂L/∂w = sum of v·∂ℓ/∂w / {re.escape(words)} = (.*) = ", out)
    assert sums.endswith(")/6.75" if batches else ")/8")
    assert sums.count("·") == 3


@pytest.mark.parametrize("words", ["--lr 0.01", "--scale standardize", "--optimizer adam --l2 1"])
@pytest.mark.parametrize("features", ["light", "light,water"])
def test_without_an_intercept_there_is_no_b(gdfit: Gdfit, words: str, features: str) -> None:
    data = [SAMPLES / "greenhouse.csv", "--features", features, "--no-intercept"]
    out = gdfit("train", *data, *words.split(), "--explain", 2, "--epochs", 3).out
    lines = above_the_table(out)
    assert sum(map(check, arithmetic("\n".join(lines)))) > 15
    assert not any(re.search(r"\bb\b", line) for line in lines)


def test_the_validation_loss_is_told(gdfit: Gdfit) -> None:
    train = ["train", LECTURE, "--lr", 0.01, "--epochs", 1, "--validation", 0.2]
    out = gdfit(*train, "--explain", 1).out
    (record,) = gdfit.json(*train)["history"]
    held_out = told(record["validation_loss"])
    assert f"\n loss of the 5 rows for validation, before the update: {held_out}\n" in out


@pytest.mark.parametrize("form", [["--format", "json"], ["--format", "csv"], ["-q"]])
def test_it_goes_with_the_table_only(gdfit: Gdfit, form: list[str]) -> None:
    result = gdfit("train", LECTURE, "--explain", 1, *form)
    assert (result.status, result.out) == (2, "")
    assert result.err == "gdfit: error: --explain goes with --format table, and not with -q\n"


def test_what_has_no_formula_here_is_told_in_numbers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for names in (formulas.LOSSES_ON_BOARD, formulas.SLOPES_ON_BOARD, formulas.UPDATES_ON_BOARD):
        monkeypatch.delitem(names, "mse" if "mse" in names else "gd")
    run = Run(observations_from([1, 2, 3], [3, 5, 7]), lr=0.1, epochs=1)
    text, _ = written_by(run, 1, capsys)
    assert "   ℓ     = ℓ(ŷ, y) = 9\n" in text
    assert "   ∂ℓ/∂w = ∂ℓ/∂ŷ·x = −6 · 1 = −6\n" in text
    assert re.search(r"^   w ← 2.2667$", text, re.MULTILINE)


def test_a_hat_takes_no_room() -> None:
    (line,) = laid_out([Line("v\u0302" * 3, ["1" * (BOARD_WIDTH - 9)])])
    assert (cells(line), len(line)) == (BOARD_WIDTH, BOARD_WIDTH + 3)


def test_a_line_that_is_too_long_goes_on_below_its_sign() -> None:
    lines = [
        Line("ŷ", [" + ".join(["1234567890"] * 8), "9876543120"]),
        Line("v\u0302", ["a", "1"]),
    ]
    assert list(laid_out(lines)) == [
        "   ŷ = 1234567890 + 1234567890 + 1234567890 + 1234567890 + 1234567890 +",
        "        1234567890 + 1234567890 + 1234567890",
        "     = 9876543120",
        "   v\u0302 = a = 1",
    ]
