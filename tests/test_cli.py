"""The command line: options, formats, statuses, and what is left on disk."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gdfit as library
from conftest import LECTURE, SAMPLES, Gdfit, process
from gdfit.descent.outcome import as_shown, history_row

ONE_LINE = re.compile(r"gdfit: error: .+\n")


def test_predict_with_the_last_model(gdfit: Gdfit) -> None:
    trained = gdfit.json("train", LECTURE, "--x", "2.8", "--x", "-1")
    predicted = gdfit("predict", "--x", "2.8", "--x", "-1")
    assert (predicted.status, predicted.err) == (0, "")
    ys = [prediction["y"] for prediction in trained["predictions"]]
    assert [float(line) for line in predicted.out.splitlines()] == ys


def test_quiet_prints_the_params_alone(gdfit: Gdfit) -> None:
    quiet = gdfit("train", LECTURE, "-q").out
    fit = gdfit.json("train", LECTURE)
    assert quiet == f"{fit['w'][0]!r} {fit['b']!r}\n"


def test_json_is_a_model_with_a_history(gdfit: Gdfit) -> None:
    options = ["--lr", "0.01", "--show", "1,7", "--epochs", "9"]
    out = gdfit("train", LECTURE, *options, "--format", "json").out
    fit = json.loads(out)
    assert [row["epoch"] for row in fit["history"]] == [1, 7, 9]
    assert (fit["features"], fit["target"], fit["observations"]) == (["x"], "y", 25)
    assert (fit["epochs"], fit["status"], fit["lr"], fit["backend"]) == (
        9,
        "completed",
        0.01,
        "manual",
    )
    Path("m.json").write_text(out)
    assert gdfit("predict", "--x", "1", "--model", "m.json").out == gdfit("predict", "--x", "1").out
    history = fit.pop("history")
    assert json.loads(Path("gdfit.json").read_text()) == fit
    assert history[-1]["params"] == [*fit["w"], fit["b"]]


def test_csv_and_history_read_back_to_the_same_floats(gdfit: Gdfit) -> None:
    options = ["--epochs", "50", "--history", "history.csv"]
    rows = list(csv.reader(io.StringIO(gdfit("train", LECTURE, *options, "--format", "csv").out)))
    assert rows[0] == ["epoch", "loss", "w", "b", "grad_w", "grad_b"]
    assert [int(row[0]) for row in rows[1:]] == [1, 2, 3, 5, 10, 20, 50]
    fit = library.train(library.read_observations(str(LECTURE)), epochs=50)
    expected = [history_row(as_shown(step, fit.scaling, 0)) for step in fit.history]
    every = list(csv.reader(Path("history.csv").read_text().splitlines()))
    assert [list(map(float, row)) for row in every[1:]] == expected
    assert [row for row in every[1:] if row in rows] == rows[1:]
    assert fit.frame.to_csv(index=False, lineterminator="\n") == Path("history.csv").read_text()


def test_csv_columns_of_several_features(gdfit: Gdfit) -> None:
    out = gdfit("train", "-", "--format", "csv", "--epochs", "1", stdin=b"a,b,y\n1,2,3\n").out
    assert out.splitlines()[0] == "epoch,loss,w_a,w_b,b,grad_w_a,grad_w_b,grad_b"


@pytest.mark.parametrize(
    ("options", "epochs"),
    [
        ([], [1, 2, 3, 5, 10, 12]),
        (["--every", "5"], [5, 10, 12]),
        (["--every", "5e0", "--show", "1e0"], [1, 5, 10, 12]),
        (["--show", "4,2"], [2, 4, 12]),
        (["--every", "6", "--show", "1"], [1, 6, 12]),
    ],
)
def test_epochs_to_print(gdfit: Gdfit, options: list[str], epochs: list[int]) -> None:
    options = ["--epochs", "12", "--lr", "0.01", *options]
    table = gdfit("train", LECTURE, *options).out
    first_words = [line.split()[0] for line in table.splitlines() if line.strip()]
    assert [int(word) for word in first_words if word.isdecimal()] == epochs
    rows = gdfit("train", LECTURE, *options, "--format", "csv").out.splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == epochs


@pytest.mark.parametrize("backend", ["manual", "autograd"])
def test_a_fit_goes_on_exactly_where_it_stopped(gdfit: Gdfit, backend: str) -> None:
    options = ["--scale", "standardize", "--lr", "0.01", "-q", "--backend", backend]
    whole = gdfit("train", LECTURE, "--epochs", "1000", *options).out
    gdfit("train", LECTURE, "--epochs", "400", *options)
    assert gdfit("train", LECTURE, "--epochs", "600", "--init", "gdfit.json", *options).out == whole


def test_a_fit_goes_on_with_the_features_in_another_order(gdfit: Gdfit) -> None:
    data = b"a,b,y\n1,2,3\n2,1,5\n3,5,1\n"
    rate = ["--lr", "0.1", "--scale", "standardize"]
    whole = gdfit("train", "-", *rate, "--epochs", "20", "-q", stdin=data).out.split()
    gdfit("train", "-", *rate, "--epochs", "10", stdin=data)
    options = ["--features", "b,a", "--init", "gdfit.json", *rate, "--epochs", "10", "-q"]
    w_b, w_a, b = map(float, gdfit("train", "-", *options, stdin=data).out.split())
    assert [w_a, w_b, b] == pytest.approx([float(number) for number in whole], rel=1e-12)


def test_a_model_with_other_features_is_refused(gdfit: Gdfit) -> None:
    gdfit("train", "-", "--epochs", "1", stdin=b"a,b,y\n1,2,3\n")
    before = Path("gdfit.json").read_text()
    for arguments in (
        ["train", LECTURE, "--init", "gdfit.json"],
        ["predict", LECTURE],
        ["evaluate", LECTURE],
    ):
        result = gdfit(*arguments)
        assert result.status == 1
        assert ONE_LINE.fullmatch(result.err)
    assert Path("gdfit.json").read_text() == before


BROKEN_MODELS = {
    "text": "not a model",
    "a list": "[1, 2]",
    "without params": "{}",
    "a word for a number": '{"w": ["a"], "b": 1, "features": ["x"], "target": "y"}',
    "of a run that diverged": '{"w": [null], "b": null, "features": ["x"], "target": "y"}',
    "with params missing": '{"w": [1], "b": 1, "features": ["x", "z"], "target": "y"}',
    "with an infinite param": '{"w": [1e999], "b": 1, "features": ["x"], "target": "y"}',
}


@pytest.mark.parametrize("model", BROKEN_MODELS)
def test_what_is_not_a_model_is_refused(gdfit: Gdfit, model: str) -> None:
    Path("m.json").write_text(BROKEN_MODELS[model])
    for arguments in (
        ["train", LECTURE, "--init", "m.json"],
        ["predict", "--x", "1", "--model", "m.json"],
        ["evaluate", LECTURE, "--model", "m.json"],
    ):
        result = gdfit(*arguments)
        assert result.status == 1
        assert ONE_LINE.fullmatch(result.err)
        assert "m.json: is not a model file" in result.err
    assert [path.name for path in Path().iterdir()] == ["m.json"]


def test_no_model_yet(gdfit: Gdfit) -> None:
    assert gdfit("predict", "--x", "1").err == (
        "gdfit: error: gdfit.json: no such model file; 'gdfit train DATA' makes one\n"
    )


def test_the_model_goes_where_it_is_told(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDFIT_MODEL", "from_environment.json")
    gdfit("train", LECTURE, "--epochs", "1")
    gdfit("train", LECTURE, "--epochs", "1", "--model", "from_option.json")
    assert sorted(path.name for path in Path().iterdir()) == [
        "from_environment.json",
        "from_option.json",
    ]
    assert gdfit("predict", "--x", "1").status == 0


def test_places_that_can_not_be_written(gdfit: Gdfit) -> None:
    Path("folder").mkdir()
    for option in ("--model", "--history"):
        assert gdfit("train", LECTURE, option, "folder").status == 1
        assert gdfit("train", LECTURE, option, "nowhere/file").status == 1
    assert [path.name for path in Path().iterdir()] == ["folder"]


def test_a_device_is_written_to_and_not_replaced(gdfit: Gdfit) -> None:
    assert gdfit("train", LECTURE, "--model", "/dev/null").status == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("backend", ["manual", "autograd"])
def test_divergence_is_status_3_and_keeps_the_old_model(gdfit: Gdfit, backend: str) -> None:
    Path("gdfit.json").write_text("an old model")
    command = ["train", SAMPLES / "houses.csv", "--lr", "0.01", "--backend", backend]
    result = gdfit(*command, "--format", "json")
    assert result.status == 3
    assert ONE_LINE.fullmatch(result.err.splitlines(keepends=True)[-1])
    assert "diverged" in result.err
    fit = json.loads(result.out)
    assert fit["status"] == "diverged"
    assert fit["loss"] > 1e12 * fit["history"][0]["loss"]
    assert fit["message"] == result.err.splitlines()[-1].removeprefix("gdfit: error: ")
    assert Path("gdfit.json").read_text() == "an old model"
    table = gdfit(*command)
    assert table.status == 3
    assert "diverged" in table.out
    assert "gdfit.json" not in table.out


def test_random_init_comes_from_the_seed(gdfit: Gdfit) -> None:
    def start(seed: int) -> str:
        options = ["--init", "random", "--lr", "1e-300", "--epochs", "1", "-q"]
        return gdfit("train", LECTURE, *options, "--seed", seed).out

    assert start(1) == start(1)
    assert start(1) != start(2)
    assert all(0 <= float(param) < 1 for param in start(1).split())


def test_version_and_help_as_a_process(tmp_path: Path) -> None:
    version = process("--version", cwd=tmp_path)
    assert (version.status, version.out) == (0, f"gdfit {library.__version__}\n")
    shown = process("--help", cwd=tmp_path)
    assert shown.status == 0
    assert "Usage: gdfit [OPTIONS] COMMAND" in shown.out


@pytest.mark.parametrize(
    "command", ["train", "gradcheck", "graph", "curvature", "predict", "evaluate"]
)
def test_every_command_helps(gdfit: Gdfit, command: str) -> None:
    shown = gdfit(command, "--help")
    assert (shown.status, shown.err) == (0, "")
    assert f"Usage: gdfit {command} [OPTIONS]" in shown.out
    assert command in gdfit("--help").out


def test_shell_completion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    for shell in ("bash", "zsh", "fish"):
        script = process("--show-completion", shell, cwd=tmp_path)
        assert script.status == 0
        assert "_GDFIT_COMPLETE" in script.out
    monkeypatch.setenv("_GDFIT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "gdfit train --back")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert process(cwd=tmp_path).out.split() == ["--backend"]


def test_a_pipe_gets_no_colour_and_whole_numbers(gdfit: Gdfit, tmp_path: Path) -> None:
    wide = "y," + ",".join(f"a_feature_with_a_long_name_{place}" for place in range(8))
    rows = [
        ",".join(str((row * 7 + place * place) % 11) for place in range(9)) for row in range(20)
    ]
    data = "\n".join([wide, *rows]).encode()
    result = process("train", "-", "--epochs", "3", "--lr", "1e-4", cwd=tmp_path, stdin=data)
    assert result.status == 0
    assert "\x1b" not in result.out
    heading, rest = result.out.split("\n", 1)
    assert heading == " y from a_feature_with_a_long_name_0 and 7 more · 20 rows"
    assert not re.search(r"\d…|…\d", rest)  # names are shortened, numbers never
    quiet = gdfit("train", "-", "--epochs", "3", "--lr", "1e-4", "-q", stdin=data)
    summary = dict(line.split() for line in result.out.splitlines() if line.startswith(" w_"))
    assert [float(value) for value in summary.values()] == pytest.approx(
        [float(param) for param in quiet.out.split()[:-1]], rel=1e-7
    )


def test_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    command = f"{sys.executable} -m gdfit train {LECTURE} --every 1 --epochs 3000 | head -3"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert done.stderr == b""
    assert len(done.stdout.splitlines()) == 3


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    command = f"{sys.executable} -m gdfit train {LECTURE} > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1
    assert ONE_LINE.fullmatch(done.stderr.decode())


def test_options_that_differ_give_numbers_that_differ(gdfit: Gdfit) -> None:
    plain = ["train", LECTURE, "-q", "--lr", "0.01"]
    out = gdfit(*plain).out
    for option in (["--epochs", "10"], ["--init", "1,1"], ["--scale", "standardize"]):
        assert gdfit(*plain, *option).out != out
    assert gdfit("train", LECTURE, "-q", "--lr", "0.02").out != out
    assert gdfit(*plain).out == out
