"""gdfit check and gdfit make: submissions in different style, right ones and wrong ones.

They stand in data/submissions.txt, each below a line that says whether it is right; of wrong ones
also which part is wrong, and what its mistake is called, as a pattern; and what it is made of by
changes, ``<<<<`` old ``====`` new ``>>>>``, if it is.
"""

from __future__ import annotations

import json
import re
import warnings
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gdfit
from conftest import LECTURE, Gdfit, process
from gdfit.analysis import mistakes
from gdfit.analysis.handouts import Handout
from gdfit.cli import run
from gdfit.errors import UsageError

LEAST = 100  # wrong ones there are at least
CHANGE = re.compile(r"<<<<\n(.*?)\n====\n(.*?)\n?>>>>", re.DOTALL)
START = (0.39779, 0.231765)


@dataclass(frozen=True)
class Sample:
    """A submission; of a wrong one, which part is wrong, and its mistake."""

    name: str
    text: str
    part: str = ""
    mistake: str = ""


def samples() -> list[Sample]:
    """All of them."""
    found: dict[str, Sample] = {}
    text = (Path(__file__).parent / "data" / "submissions.txt").read_text(encoding="utf-8")
    for block in text.split("#### ")[1:]:
        head, _, body = block.partition("\n")
        kind, name, *rest = head.split(" | ")
        part, mistake = rest[:2] if kind == "wrong" else ("", "")
        base = rest[-1] if len(rest) in (1, 3) else ""
        if base:
            made = f"\n{found[base].text}\n"
            for old, new in CHANGE.findall(body):
                assert made.count(f"\n{old}\n") == 1, (name, old)
                made = made.replace(f"\n{old}\n", f"\n{new}\n")
            body = made
        found[name] = Sample(name, body.strip(), part, mistake)
    return [*found.values()]


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What check says of each, of all in one command."""
    folder = tmp_path_factory.mktemp("submissions")
    (folder / "lecture.csv").write_bytes(LECTURE.read_bytes())
    (folder / "helpers.py").write_text("")
    every = samples()
    names = [f"s{number:03}.py" for number in range(len(every))]
    for name, sample in zip(names, every, strict=True):
        (folder / name).write_text(sample.text, encoding="utf-8")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    options = ["--data", "lecture.csv", "--timeout", "5", "--format", "json"]
    with chdir(folder), redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        assert run(["check", *names, *options]) == 1
    assert not err.getvalue()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    told = json.loads(out.getvalue())
    assert [each["submission"] for each in told] == names
    return {sample.name: each for sample, each in zip(every, told, strict=True)}


RIGHT = [sample for sample in samples() if not sample.part]
WRONG = [sample for sample in samples() if sample.part]


@pytest.mark.parametrize("sample", RIGHT, ids=lambda sample: sample.name)
def test_a_right_submission_passes(sample: Sample, marks: dict[str, Any]) -> None:
    assert marks[sample.name]["passed"], marks[sample.name]["checks"]


@pytest.mark.parametrize("sample", WRONG, ids=lambda sample: sample.name)
def test_a_wrong_submission_is_caught_and_its_mistake_named(
    sample: Sample, marks: dict[str, Any]
) -> None:
    mark = marks[sample.name]
    assert not mark["passed"]
    (part,) = (each for each in mark["checks"] if each["what"] == sample.part)
    told = part["found"] if part["status"] == "error" else part["mistake"] or ""
    assert part["status"] in ("differs", "error")
    assert re.search(sample.mistake, str(told)) or sample.mistake == "."


def test_there_are_many_in_different_style() -> None:
    assert len(RIGHT) >= 20
    assert len(WRONG) >= LEAST


def test_what_only_calls_a_wrong_function_follows_from_it(marks: dict[str, Any]) -> None:
    checks = {each["what"]: each for each in marks["sign in dloss"]["checks"]}
    assert checks["grad_fn"]["mistake"] == "it follows from dloss_fn"
    assert checks["training_loop"]["mistake"] == "it follows from dloss_fn and grad_fn"
    assert checks["model"]["status"] == "same"


def test_the_mistake_is_told_in_a_sentence(gdfit: Gdfit, tmp_path: Path) -> None:
    (tmp_path / "ana.py").write_text(
        "def grad_fn(x, y, y_hat, w, b):\n"
        "    return 2 * ((y_hat - y) * x).sum(), 2 * (y_hat - y).sum()\n"
    )
    found = gdfit("check", "ana.py", "--data", LECTURE, "--init", "1,0")
    assert found.status == 1
    assert "✗ grad_fn: expected 2.48136, found 62.034" in found.out
    assert (
        "no mean: your gradient is 25 times too large: the mean over the observations is missing"
        in found.out
    )
    assert "– training_loop is not there" in found.out


def test_the_right_functions_are_those_of_gdfit() -> None:
    x, y = np.loadtxt(LECTURE, delimiter=",", skiprows=1).T
    fit = gdfit.train(x, y, lr=0.01, epochs=10, init=START)
    history = mistakes.training_loop(10, 0.01, np.array(START), x[:, np.newaxis], y)
    np.testing.assert_allclose(history[1:], [step.params for step in fit.history], rtol=1e-13)
    y_hats = [mistakes.predicted(x[:, np.newaxis], params) for params in history[:-1]]
    losses = [mistakes.RIGHT["loss_fn"](y_hat, y) for y_hat in y_hats]
    np.testing.assert_allclose(losses, [step.loss for step in fit.history], rtol=1e-13)


@pytest.mark.parametrize("name", mistakes.RIGHT)
def test_a_known_mistake_is_one(name: str) -> None:
    """Each gives something else than what is right, of data of some size."""
    random = np.random.default_rng(5)
    x, y = random.normal(1, 2, 9), random.normal(1, 2, 9)
    y_hat, params = 1.3 * x - 0.7, np.array([1.3, -0.7])
    arguments: tuple[Any, ...] = (x, 1.3, -0.7)
    if name in ("loss_fn", "dloss_fn"):
        arguments = (y_hat, y)
    if name == "grad_fn":
        arguments = (x[:, np.newaxis], y, y_hat, params)
    if name == "training_loop":
        arguments = (3, 0.013, params, x[:, np.newaxis], y)
    right = np.asarray(mistakes.RIGHT[name](*arguments))
    known = [*mistakes.known_mistakes(name)]
    assert len(known) >= 3
    for mistake in known:
        with np.errstate(all="ignore"):
            wrong = np.asarray(mistake.function(*arguments))
        same = wrong.shape == right.shape and np.allclose(wrong, right, rtol=1e-9)
        assert not same or "batch" in mistake.name, mistake
        assert mistake.told(9).startswith(f"{mistake.name}: ")
        assert "{" not in mistake.told(9)


def test_what_submissions_import_is_imported_once(tmp_path: Path) -> None:
    (lecture,) = (sample for sample in RIGHT if sample.name == "LECTURE")
    names = [f"s{number}.py" for number in range(5)]
    for name in names:
        text = f"import sys\nassert 'torch' in sys.modules\nimport torch\n{lecture.text}"
        (tmp_path / name).write_text(text)
    found = process("check", *names, "--data", LECTURE, cwd=tmp_path)
    assert found.status == 0, found.out
    assert found.out.endswith("5 of 5 submissions are right\n")


def written(digits: int = 4) -> list[list[str]]:
    """The history of the lecture's run, with so many digits."""
    x, y = np.loadtxt(LECTURE, delimiter=",", skiprows=1).T
    frame = gdfit.train(x, y, lr=0.01, epochs=10, init=START).frame
    rows = [[f"{value:.{digits}g}" for value in row] for row in frame.to_numpy().tolist()]
    return [[*frame.columns], *rows]


CHECK = ("--data", LECTURE, "--lr", 0.01, "--init", "0.39779,0.231765")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_of_epochs_is_right_but_for_rounding(
    gdfit: Gdfit, tmp_path: Path, delimiter: str
) -> None:
    lines = [delimiter.join(row) for row in written()]
    text = "\n".join(lines)
    (tmp_path / "e.csv").write_text(text.replace(".", ",") if delimiter == ";" else text)
    found = gdfit("check", "e.csv", *CHECK)
    assert found.status == 0
    assert found.out == "e.csv\n ✓ loss\n ✓ w\n ✓ b\n ✓ grad_w\n ✓ grad_b\n"


@pytest.mark.parametrize(
    ("column", "shift", "factor", "told"),
    [
        ("loss", 0, 25, "no mean: your loss is 25 times too large"),
        ("loss", 0, 0.5, "half: your loss is 2 times too small"),
        ("loss", 1, 1, "params after in place of before"),
        ("w", -1, 1, "params before in place of after"),
        ("grad_w", 1, 1, "params after in place of before"),
        ("grad_b", 0, 0.5, ""),
    ],
)
def test_a_wrong_column_is_told(
    gdfit: Gdfit, tmp_path: Path, column: str, shift: int, factor: float, told: str
) -> None:
    header, *rows = written(digits=12)
    place, ends = header.index(column), slice(1, -1)
    values = [row[place] for row in rows]
    for at, row in enumerate(rows[ends], 1):
        row[place] = f"{float(values[at + shift]) * factor:.4g}"
    (tmp_path / "e.csv").write_text("\n".join(map(",".join, [header, *rows[ends]])))
    found = gdfit("check", "e.csv", *CHECK, "--format", "json")
    assert found.status == 1
    wrong = [each for each in json.loads(found.out)["checks"] if each["status"] != "same"]
    assert [each["what"] for each in wrong] == [column]
    assert (wrong[0]["at"], told in (wrong[0]["mistake"] or "")) == ("epoch 2", True)


@pytest.mark.parametrize("text", ["", "a,b\n1,2,3\n", "x,y\n1,2\n", "epoch,loss\none,2\n"])
def test_a_file_that_is_none_of_epochs_is_an_error(gdfit: Gdfit, tmp_path: Path, text: str) -> None:
    (tmp_path / "e.csv").write_text(text)
    found = gdfit("check", "e.csv", *CHECK, "--format", "json")
    (check,) = json.loads(found.out)["checks"]
    assert (found.status, found.err, check["status"]) == (1, "", "error")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["1000000000000,1,1,1"], "line 2: epoch 1e+12 is no whole number from 0 to 100,000"),
        (["-3,1,1,1"], "line 2: epoch -3 is no whole number"),
        (["1,1,1,1", "2.5,1,1,1"], "line 3: epoch 2.5 is no whole number"),
        (["1,1,1,1", "", "1,1,1,1"], "line 4: epoch 1 is there twice"),
        (["1,1,a,1"], "line 2, column w: 'a' is no number"),
        (["1,1,1,"], "line 2, column b: '' is no number"),
    ],
)
def test_a_field_that_is_none_is_told_with_its_place(
    gdfit: Gdfit, tmp_path: Path, rows: list[str], told: str
) -> None:
    (tmp_path / "e.csv").write_text("\n".join(["epoch,loss,w,b", *rows]))
    found = gdfit("check", "e.csv", *CHECK)
    assert (found.status, found.err) == (1, "")
    assert told in found.out


@pytest.mark.parametrize("said", ["1e999", "-1e-999", "inf", "1e99999999999999999999"])
def test_numbers_beyond_all_are_not_right(gdfit: Gdfit, tmp_path: Path, said: str) -> None:
    (tmp_path / "e.csv").write_text(f"epoch,loss,w\n1,{said},0.5\n2,{said},0.5\n")
    found = gdfit("check", "e.csv", *CHECK, "--format", "json")
    assert (found.status, found.err) == (1, "")
    told = json.loads(found.out)
    assert told["checks"][0]["status"] == "differs"


@pytest.mark.parametrize("with_start", [False, True])
def test_a_file_may_begin_with_epoch_0(gdfit: Gdfit, tmp_path: Path, with_start: bool) -> None:
    """As the number of the first update, or as the start, which has no loss."""
    header, *rows = written()
    if with_start:
        rows = [["0", "", *map(str, START), "", ""], *rows]
    else:
        rows = [[str(epoch), *row[1:]] for epoch, row in enumerate(rows)]
    (tmp_path / "e.csv").write_text("\n".join(map(",".join, [header, *rows])))
    assert gdfit("check", "e.csv", *CHECK).status == 0


def test_no_mistake_is_named_by_chance(gdfit: Gdfit, tmp_path: Path) -> None:
    zeros = "\n".join(f"{epoch},0,0,0,0.0000,0.0000" for epoch in range(1, 5))
    for rows in ("1,0.5,0.4,0.2,0.1,0.1", zeros):
        (tmp_path / "e.csv").write_text(f"epoch,loss,w,b,grad_w,grad_b\n{rows}")
        found = gdfit("check", "e.csv", *CHECK, "--format", "json")
        told = {each["mistake"] for each in json.loads(found.out)["checks"]}
        assert all(each is None or each.startswith("it may follow") for each in told), told


def test_a_gradient_of_one_number_is_told_as_such(gdfit: Gdfit, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "def grad_fn(x, y, y_hat, w, b):\n    return (2 * (y_hat - y) * x).mean()\n"
    )
    found = gdfit("check", "a.py", "nope.py", "--data", LECTURE)
    assert found.status == 1
    assert "grad_fn: expected 2 numbers, found 1 number" in found.out
    assert "nope.py\n ✗ file: there is no such file\n0 of 2" in found.out  # and the other's report


def test_many_epochs_of_a_wrong_loop_come_to_an_end(gdfit: Gdfit, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "def training_loop(n_epochs, learning_rate, params, x, y):\n    return params\n"
    )
    found = gdfit("check", "a.py", "--data", LECTURE, "--epochs", 20_000)
    assert "no update" in found.out


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ([LECTURE, "--data", LECTURE, "--timeout", 0], 2, "--timeout takes a positive number"),
        (["a.txt", "--data", LECTURE], 2, "a.txt is neither a .py file"),
        (["a.py", "--data", "two.csv"], 2, "functions are checked on one feature"),
    ],
)
def test_wrong_usage_of_check(
    gdfit: Gdfit, tmp_path: Path, arguments: list[Any], status: int, told: str
) -> None:
    for name, text in {"a.txt": "", "a.py": "", "two.csv": "a,b,y\n1,2,3\n2,2,1\n3,1,1\n"}.items():
        (tmp_path / name).write_text(text)
    found = gdfit("check", *arguments)
    assert (found.status, told in found.err) == (status, True), found.err


def test_made_data_are_those_of_their_seed(gdfit: Gdfit) -> None:
    first, again, other = (gdfit("make", "--seed", seed).out for seed in (17, 17, 18))
    assert first == again != other
    header, *rows = first.splitlines()
    assert (header, len(rows), rows[0].split(",")[0]) == ("x,y", 25, "0.1")


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--rows", 40, "--w", 2, "--b", -1, "--noise", 0],
        ["--features", 3, "--outliers", 2],
        ["--classes", "--rows", 60],
    ],
)
def test_the_solution_is_what_train_gives(gdfit: Gdfit, tmp_path: Path, options: list[Any]) -> None:
    made = gdfit("make", "--seed", 4, *options)
    (tmp_path / "made.csv").write_text(made.out)
    loss = ["--loss", "logistic"] if "--classes" in options else []
    found = gdfit("train", "made.csv", *loss, "-q", "--no-model")
    solution = gdfit("make", "--seed", 4, *options, "--solution")
    params = [float(text) for text in found.out.split()]
    told = [float(line.split()[2]) for line in solution.out.splitlines()[2 : 2 + len(params)]]
    np.testing.assert_allclose(told, params, rtol=1e-7)
    if "--w" in options:
        np.testing.assert_allclose(params, [2, -1], atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_made_classes_overlap(gdfit: Gdfit, tmp_path: Path, seed: int) -> None:
    made = ("make", "--seed", seed, "--classes", "--rows", 8)
    rows = [line.split(",") for line in gdfit(*made).out.splitlines()[1:]]
    x = {label: [float(a) for a, b in rows if b == label] for label in "01"}
    assert max(x["0"]) > min(x["1"])
    assert max(x["1"]) > min(x["0"])
    assert "train --loss logistic gives" in gdfit(*made, "--solution").out
    assert "don't overlap" in gdfit("make", "--classes", "--rows", 1).err
    assert "--b takes a finite number, not nan\n" in gdfit("make", "--b", "nan").err


@pytest.mark.parametrize(("noise", "w"), [(0, 1e-5), (0, 0.123456), (1e-4, 0.5)])
def test_decimals_fit_the_noise(gdfit: Gdfit, noise: float, w: float) -> None:
    solution = gdfit("make", "--noise", noise, "--w", w, "--solution").out.splitlines()[2]
    assert float(solution.split()[2]) == pytest.approx(w, rel=1e-6 if not noise else 1e-3)


def test_epochs_at_a_rate_beyond_all_bounds_differ(gdfit: Gdfit) -> None:
    Path("epochs.csv").write_text("epoch,loss,w,b\n1,2,3,4\n")
    found = gdfit("check", "epochs.csv", "--data", LECTURE, "--lr", "1e300")
    assert (found.status, found.err) == (1, "")
    assert "✗" in found.out


@pytest.mark.parametrize(
    "options",
    [["--w", "1,2"], ["--noise", -1], ["--noise", "inf"], ["--outliers", 30], ["--rows", 0]],
)
def test_wrong_usage_of_make(gdfit: Gdfit, options: list[Any]) -> None:
    found = gdfit("make", *options)
    assert (found.status, found.out) == (2, "")
    assert found.err.count("\n") == 1


def test_classes_are_drawn_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(4):
            names, rows, _ = Handout(seed=seed, classes=True, rows=8).drawn
            assert (names, rows.shape) == (["x", "y"], (8, 2))


@pytest.mark.parametrize("rows", [[], ["1,2,3"], ["1,2,3,4", "2,3"], ["1,2,3,4,5"]])
def test_epochs_have_as_many_fields_as_their_header(
    gdfit: Gdfit, tmp_path: Path, rows: list[str]
) -> None:
    (tmp_path / "e.csv").write_text("\n".join(["epoch,loss,w,b", *rows]) + "\n")
    found = gdfit("check", "e.csv", *CHECK)
    assert found.status == 1
    assert "its rows have not as many fields as its header, or there are none" in found.out


def test_so_many_numbers_are_made_at_most() -> None:
    with pytest.raises(UsageError, match="`rows` takes at most 3,333,333 here"):
        _ = Handout(seed=1, rows=3_400_000, features=3).drawn
