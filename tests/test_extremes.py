"""Strange values, in every option and in every place of a model's file: the command does what is
asked, or says in one line why not."""

from __future__ import annotations

import json
import random
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from conftest import LECTURE, SAMPLES, Gdfit, Result
from gdfit.cli.app import app_for
from gdfit.data.in_memory import observations_from
from gdfit.descent.run import train
from gdfit.errors import GdfitError, UsageError
from gdfit.model.model_file import model_of

VALUES = (
    *("", " ", ",", "a,b", "1,2", "0", "-1", "1", "2", "7", "0.5", "1e3", "0x10", "1_0", "٣", "é"),
    *("1e308", "-1e308", "1e-308", "5e-324", "1e400", "nan", "inf", "-inf", "9" * 20, "9" * 400),
    *("x", "y", "x,y", "auto", "zeros", "random", "all", "none", "2-5", "log(x)", "C(x)", "x:x"),
    *("x^99", "x^2", "/", "~", "[", "'", '"', "nowhere.json", "gdfit.json", "DATA"),
)
NEEDED = {
    "huber_delta": "--loss huber",
    "momentum": "--optimizer momentum",
    "betas": "--optimizer adam",
    "panel": "--plot p.png",
    "patience": "--validation 0.2",
}
"""What an option has no effect without."""
COMMANDS = typer.main.get_command(app_for([])).commands  # type: ignore[attr-defined]


def is_told(result: Result) -> bool:
    """Whether a command has done what is asked, or says in one line why not."""
    lines = result.err.splitlines()
    errors = [line for line in lines if line.startswith("gdfit: error: ")]
    notes = [line for line in lines if line.startswith("gdfit: note: ")]
    return len(errors) == (result.status != 0) and len(notes) + len(errors) == len(lines)


def drawn_command(draw: random.Random) -> list[str]:
    """A command with an extreme value for one option or two."""
    name = draw.choice([*COMMANDS, "train", "train", "compare"])
    options = [
        each
        for each in COMMANDS[name].params
        if each.param_type_name == "option" and each.name not in ("help", "dask")
    ]
    words = [name] if name in ("export", "make", "page") else [name, "DATA"]
    for option in draw.sample(options, min(draw.choice([1, 1, 2]), len(options))):
        words.append(option.opts[0])
        if not option.is_flag:
            own = getattr(option.type, "choices", None) or VALUES
            words.append(draw.choice([*own, *VALUES]))
        words += shlex.split(NEEDED.get(option.name, ""))
    if name in ("train", "compare") and "--epochs" not in words:
        words += ["--epochs", "7"]  # for time
    if name == "compare":
        words += ["--lr", "0.1,auto"]
    return words


@pytest.mark.parametrize("seed", range(8))
def test_no_value_of_an_option_is_too_strange(gdfit: Gdfit, seed: int) -> None:
    data = (LECTURE, SAMPLES / "houses.csv")[seed % 2].read_bytes()
    draw = random.Random(seed)
    gdfit("train", LECTURE, "-q")
    for _ in range(40):
        Path("DATA").write_bytes(data)
        words = drawn_command(draw)
        result = gdfit(*words, stdin=data)
        assert is_told(result), (words, result.err)
        assert result.status in (0, 1, 2, 3), words


def test_a_loss_that_is_too_flat_for_any_rate(gdfit: Gdfit) -> None:
    for delta, status in (("1e-290", 0), ("1e-308", 1), ("5e-324", 1)):
        options = ["--loss", "huber", "--huber-delta", delta, "--epochs", "50"]
        result = gdfit("train", SAMPLES / "houses.csv", *options)
        assert (result.status, is_told(result)) == (status, True)
    assert "the slopes of the loss are too small for float64" in result.err


@pytest.mark.parametrize("name", ["epochs", "seed", "batch_size", "patience"])
def test_whole_numbers_beyond_float64_in_python(name: str) -> None:
    data = observations_from([1.0, 2.0, 4.0], [2.0, 3.0, 5.0])
    options: dict[str, Any] = {"validation": data, name: 10**400}
    with pytest.raises(UsageError, match="below 2\\^53"):
        train(data, **options)


# Model files.


def saved(gdfit: Gdfit, *options: object) -> dict[str, Any]:
    """The model of a run."""
    assert gdfit("train", *options, "-q", "--epochs", "5").status == 0
    record: dict[str, Any] = json.loads(Path("gdfit.json").read_text())
    return record


def places_in(value: object, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all places in a decoded JSON value but the top."""
    found = []
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += [(*before, key), *places_in(item, (*before, key))]
    return found


STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**70,
    1e308,
    10**400,
    "",
    "x",
    "\0",
    "a:b",
    [],
    [[]],
    {},
    {"x": 1},
)


def changed(record: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The record with one thing replaced, taken away or there twice."""
    result: dict[str, Any] = json.loads(json.dumps(record))
    *way, last = draw.choice(places_in(result))
    place: Any = result
    for key in way:
        place = place[key]
    how = draw.choice(["replace", "remove", "repeat"])
    if how == "remove":
        del place[last]
    elif how == "repeat" and isinstance(place, list):
        place.insert(last, place[last])
    else:
        place[last] = draw.choice(STRANGE)
    return result


@pytest.mark.parametrize("seed", range(6))
def test_no_model_file_is_too_strange(gdfit: Gdfit, seed: int) -> None:
    draw = random.Random(seed)
    Path("d.csv").write_text("a,g,k,y\n1,u,1,2\n2,v,2,3\n4,u,3,5\n5,v,1,9\n7,w,2,8\n")
    terms = ("a", "a,g", "log(a),a:g,C(k)", "a^2,g:C(k)")
    features = terms[seed % len(terms)]
    record = saved(gdfit, "d.csv", "--features", features, "--optimizer", "adam")
    for _ in range(25):
        told = json.dumps(changed(record, draw))
        Path("m.json").write_text(told)
        for words in (
            ["predict", "d.csv"],
            ["predict", "--x", "1,u,1"],
            ["evaluate", "d.csv"],
            ["summary", "d.csv"],
            ["export", "--format", draw.choice(["sql", "python", "c", "excel"])],
        ):
            result = gdfit(*words, "--model", "m.json")
            assert is_told(result), (words, told, result.err)
        going_on = ["train", "d.csv", "--features", features, "--init", "m.json", "-q"]
        result = gdfit(*going_on, "--no-model", "--epochs", "9", "--optimizer", "adam")
        assert is_told(result), (told, result.err)


@pytest.mark.parametrize("features", ["log(a),g", "a"])
def test_a_model_has_no_feature_twice(gdfit: Gdfit, features: str) -> None:
    Path("d.csv").write_text("a,g,y\n1,u,2\n2,v,3\n4,u,5\n5,v,9\n")
    record = saved(gdfit, "d.csv", "--features", features)
    for key in ("w", "features", *(["terms"] if "terms" in record else [])):
        record[key].append(record[key][0])
    Path("m.json").write_text(json.dumps(record))
    for words in (["predict", "-"], ["evaluate", "d.csv"]):
        result = gdfit(*words, "--model", "m.json", stdin=b"a,g\n1,u\n")
        assert (result.status, result.out) == (1, "")
        assert result.err.startswith("gdfit: error: m.json: is not a model file (")


def test_a_model_of_python_alone_is_as_strange() -> None:
    with pytest.raises(GdfitError, match="it has a feature twice"):
        model_of({"w": [1, 2], "b": 0, "features": ["x", "x"], "target": "y"}, "m.json")


ZEROS = "train|train --lr 0.1|train --scale none|train --loss mae|train --optimizer cg|curvature"


@pytest.mark.parametrize("command", ZEROS.split("|"))
def test_features_of_zeros_without_an_intercept(gdfit: Gdfit, command: str) -> None:
    Path("zeros.csv").write_text("x,y\n0,1\n0,2\n0,3\n", encoding="utf-8")
    result = gdfit(*command.split(), "zeros.csv", "--no-intercept")
    assert (result.status, is_told(result)) == (1, True)
    assert "all features are 0" in result.err
