"""What is said to who types something that is not there: what it is called here, or what is most
like it, in a command that works."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.cli.app import COMMANDS, command_of
from gdfit.cli.groups import documented

MEANT = {
    # Commands.
    "lecture.csv": "train lecture.csv",
    "lecture.csv --lr 0.01": "train lecture.csv --lr 0.01",
    "plot lecture.csv": "train lecture.csv --plot plot.png",
    "trian lecture.csv -q": "train lecture.csv -q",
    "fit lecture.csv": "train lecture.csv",
    "score lecture.csv": "evaluate lecture.csv",
    # Options.
    "train lecture.csv --learning-rate 0.01": "train lecture.csv --lr 0.01",
    "train lecture.csv --learning_rate=0.01": "train lecture.csv --lr 0.01",
    "train lecture.csv --lrate 0.01": "train lecture.csv --lr 0.01",
    "train lecture.csv -lr 0.01 -q": "train lecture.csv --lr 0.01 -q",
    "train lecture.csv --iterations 5": "train lecture.csv --epochs 5",
    "train lecture.csv --scael none": "train lecture.csv --scale none",
    "train lecture.csv --histroy h.csv": "train lecture.csv --history h.csv",
    "train lecture.csv --epoch 7": "train lecture.csv --epochs 7",
    "train lecture.csv --LR 0.01": "train lecture.csv --lr 0.01",
    "train lecture.csv --standardize": "train lecture.csv --scale standardize",
    "predict lecture.csv --modle gdfit.json": "predict lecture.csv --model gdfit.json",
    # Values.
    "train lecture.csv --lr 0,01": "train lecture.csv --lr 0.01",
    "train lecture.csv --lr=0,01 --x 1": "train lecture.csv --lr=0.01 --x 1",
    "train lecture.csv --validation 0,2": "train lecture.csv --validation 0.2",
    "train lecture.csv --l2 0,5": "train lecture.csv --l2 0.5",
    "train lecture.csv --lr 0.01,0.1": "compare lecture.csv --lr 0.01,0.1",
    "train lecture.csv --lr 0.01,auto -q": "compare lecture.csv --lr 0.01,auto",
    "train lecture.csv --epochs 1,000": "train lecture.csv --epochs 1000",
    "train lecture.csv --optimizer adams": "train lecture.csv --optimizer adam",
    "compare lecture.csv --lr 1,2 --scale whitten": "compare lecture.csv --lr 1,2 --scale whiten",
}


@pytest.mark.parametrize("typed", MEANT)
def test_an_error_ends_with_the_command_that_is_meant(gdfit: Gdfit, typed: str) -> None:
    Path("lecture.csv").write_bytes(LECTURE.read_bytes())
    gdfit("train", "lecture.csv", "-q")
    result = gdfit(*shlex.split(typed))
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert result.err.startswith("gdfit: error: ")
    assert result.err.endswith(f"gdfit {MEANT[typed]}\n")
    assert gdfit(*shlex.split(MEANT[typed])).status == 0


UNMEANT = {
    "frobnicate lecture.csv": "there are train, compare, path, gradcheck, graph, curvature, ",
    "train lecture.csv --frobnicate": "(see gdfit train --help)",
    "evaluate lecture.csv --lr 0.1": "No such option: --lr (see gdfit evaluate --help)",
    "train lecture.csv --lr": "Option '--lr' requires an argument (see gdfit train --help)",
    "--frobnicate": "(see gdfit --help)",
    "train lecture.csv --lr 1,2,x": "--lr takes a number, not '1,2,x'",
    "train lecture.csv --optimizer lbfgs": "steepest, cg or FILE.py:NAME, not 'lbfgs'",
}


@pytest.mark.parametrize("typed", UNMEANT)
def test_what_is_like_nothing_gets_no_guess(gdfit: Gdfit, typed: str) -> None:
    Path("lecture.csv").write_bytes(LECTURE.read_bytes())
    result = gdfit(*shlex.split(typed))
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert UNMEANT[typed] in result.err


SYNONYMS = {
    "--loss MSE": "--loss mse",
    "--loss squared-error": "--loss mse",
    "--loss L1": "--loss mae",
    "--loss Huber": "--loss huber",
    "--optimizer SGD": "--optimizer gd",
    "--optimizer sgd": "--optimizer gd",
    "--optimizer Adam": "--optimizer adam",
    "--optimizer NAG": "--optimizer nesterov",
    "--scale Standard": "--scale standardize",
    "--backend PyTorch": "--backend autograd",
    "--lr Auto": "--lr auto",
    "--show 2-5,7": "--show 2,3,4,5,7",
    "--show all": "--every 1",
    "--epochs 1e2": "--epochs 100",
}


@pytest.mark.parametrize("said", SYNONYMS)
def test_case_and_usual_names_are_understood(gdfit: Gdfit, said: str) -> None:
    options = ["--format", "csv", *([] if "epochs" in said else ["--epochs", "20"])]
    found, expected = (
        gdfit("train", LECTURE, *text.split(), *options) for text in (said, SYNONYMS[said])
    )
    assert (found.status, found.out) == (0, expected.out)


def test_compare_understands_them_too(gdfit: Gdfit) -> None:
    options = ["compare", LECTURE, "--lr", "0.01", "--format", "csv", "--optimizer"]
    assert gdfit(*options, "SGD,Adam").out == gdfit(*options, "gd,adam").out


def test_help_is_a_command(gdfit: Gdfit) -> None:
    assert gdfit("help").out == gdfit("--help").out != ""
    for command in COMMANDS:
        result = gdfit("help", command)
        assert (result.status, result.out) == (0, gdfit(command, "--help").out)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_examples_that_work(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, examples = documented(command_of(command))
    assert 2 <= len(examples) <= 3
    told = [line.strip() for line in gdfit(command, "--help").out.strip().splitlines()]
    assert told[-1 - len(examples) :] == ["Examples:", *examples]
    for sample in ("lecture.csv", "houses.csv"):
        Path(sample).write_bytes((SAMPLES / sample).read_bytes())
    Path("ana.py").write_text("def model(x, w, b): return w * x + b\n")
    told_epochs = ["--lr", "0.01", "--init", "0.39779,0.231765", "--history", "epochs.csv"]
    gdfit("train", "lecture.csv", *told_epochs)
    gdfit("train", "lecture.csv", "-q")
    for line in examples:
        typed = line.rpartition("| ")[2].partition(" > ")[0]
        _, *words = shlex.split(typed)
        assert words[0] == command
        result = gdfit(*words, stdin=LECTURE.read_bytes())
        assert result.status == 0, result.err


def test_a_model_of_other_data_says_what_it_is_of(gdfit: Gdfit) -> None:
    Path("lecture.csv").write_bytes(LECTURE.read_bytes())
    Path("other.csv").write_text("a;b\n1;2\n2;3\n3;5\n")
    gdfit("train", "lecture.csv", "-q", "--model", "m.json")
    for words in (
        ["predict", "other.csv", "--model", "m.json"],
        ["evaluate", "--model=m.json", "other.csv", "--format", "json"],
        ["summary", "other.csv", "--model", "m.json", "--level", "0.9"],
    ):
        result = gdfit(*words)
        assert (result.status, result.err.count("\n")) == (1, 1)
        assert "other.csv: there is no column 'x'; " in result.err
        tells = "; m.json was trained on lecture.csv; to train on this: gdfit train other.csv\n"
        assert result.err.endswith(tells)
    delimiter = gdfit("predict", "other.csv", "--delimiter", ";", "--model", "m.json").err
    assert delimiter.endswith("gdfit train other.csv --delimiter ';'\n")
    gone = gdfit("evaluate", "lecture.csv", "--target", "z", "--model", "m.json").err
    assert "there is no column 'z'" in gone
    near = gdfit("evaluate", "lecture.csv", "--target", "yy", "--model", "m.json").err
    assert near.endswith("y: gdfit evaluate lecture.csv --model m.json --target y\n")


ENDINGS = {
    "train DATA --model logistic": "--model takes a file that ends in .json, not 'logistic'",
    "train DATA --model m.csv": "--model takes a file that ends in .json, not 'm.csv'",
    "train DATA --history h": "--history takes a file that ends in .csv, not 'h'",
    "train DATA --page p": "--page takes a file that ends in .html or .htm, not 'p'",
    "compare DATA --lr 0.1,0.2 --model best": "--model takes a file that ends in .json, not 'best'",
}


@pytest.mark.parametrize("typed", ENDINGS)
def test_files_are_told_by_their_endings(gdfit: Gdfit, typed: str) -> None:
    Path("DATA").write_bytes(LECTURE.read_bytes())
    result = gdfit(*typed.split())
    assert (result.status, result.err) == (2, f"gdfit: error: {ENDINGS[typed]}\n")
    assert [path.name for path in Path().iterdir()] == ["DATA"]


@pytest.mark.parametrize("option", ["--model", "--history", "--page"])
def test_devices_have_no_endings(gdfit: Gdfit, option: str) -> None:
    more = [] if option == "--model" else ["--no-model"]
    assert gdfit("train", LECTURE, option, "/dev/null", *more).status == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_a_gradient_check_as_json(gdfit: Gdfit, loss: str) -> None:
    record = gdfit.json("gradcheck", LECTURE, "--loss", loss, "--init", "0.5,0.1")
    assert (record["names"], record["params"]) == (["w", "b"], [0.5, 0.1])
    assert set(record["gradients"]) == {"manual", "autograd", "differences"}
    for gradient in record["gradients"].values():
        assert gradient == pytest.approx(record["gradients"]["manual"], abs=1e-8)
    assert 0 <= record["difference"] < 1e-6
