"""Losses and update rules of one's own, from a file and from a program."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gdfit as package
from conftest import LECTURE, Gdfit, process, signalled
from gdfit.descent.own import Own, differences
from gdfit.errors import GdfitError, UsageError

LOSSES = """
import numpy as np
import torch

def squared(y_hat, y):
    return (y_hat - y) ** 2

def dsquared(y_hat, y):
    return 2 * (y_hat - y)

def mean_squared(y_hat, y):
    return ((y_hat - y) ** 2).mean()

def pinball(y_hat, y):
    return 0.5 * abs(y - y_hat) + 0.2 * (y - y_hat)

def dpinball(y_hat, y):
    return np.where(y > y_hat, -0.7, 0.3)

def log_cosh(y_hat, y):
    return np.log(np.cosh(y_hat - y))

def dlog_cosh(y_hat, y):
    return np.tanh(y_hat - y)

def cauchy(y_hat, y):
    return torch.log1p((y_hat - y) ** 2)

def dcauchy(y_hat, y):
    return 2 * (y_hat - y) / (1 + (y_hat - y) ** 2)
"""
# ℓ and ∂ℓ/∂ŷ of a residual ŷ − y, each as numbers.
BY_HAND: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "squared": (lambda r: r * r, lambda r: 2 * r),
    "mean_squared": (lambda r: r * r, lambda r: 2 * r),
    "pinball": (lambda r: max(-0.7 * r, 0.3 * r), lambda r: -0.7 if r < 0 else 0.3),
    "log_cosh": (lambda r: math.log(math.cosh(r)), math.tanh),
    "cauchy": (lambda r: math.log1p(r * r), lambda r: 2 * r / (1 + r * r)),
}


def descended(name: str, epochs: int, lr: float) -> tuple[list[float], list[float]]:
    """The losses and the last params of gradient descent on the lecture's data, in plain loops."""
    value, slope = BY_HAND[name]
    rows = np.loadtxt(LECTURE, delimiter=",", skiprows=1).tolist()
    w, b, losses = 0.0, 0.0, []
    for _ in range(epochs):
        residuals = [w * x + b - y for x, y in rows]
        losses.append(math.fsum(map(value, residuals)) / len(rows))
        slopes = [*map(slope, residuals)]
        grad_w = math.fsum(d * x for d, (x, _) in zip(slopes, rows, strict=True)) / len(rows)
        w, b = w - lr * grad_w, b - lr * math.fsum(slopes) / len(rows)
    return losses, [w, b]


@pytest.fixture
def own(gdfit: Gdfit, tmp_path: Path) -> Gdfit:
    """Runs gdfit in a folder with a file of losses."""
    (tmp_path / "losses.py").write_text(LOSSES)
    return gdfit


@pytest.mark.parametrize("backend", ["manual", "autograd"])
@pytest.mark.parametrize("name", BY_HAND)
def test_a_loss_of_a_file_descends_as_plain_loops_do(own: Gdfit, name: str, backend: str) -> None:
    if (name, backend) == ("mean_squared", "manual"):
        return  # which has no derivative beside it
    found = own(
        "train", LECTURE, "--loss", f"losses.py:{name}", "--lr", 0.05, "--epochs", 40,
        "--backend", backend, "--format", "json", "--show", "all",
    )  # fmt: skip
    assert found.status == 0, found.err
    losses, params = descended(name, 40, 0.05)
    record = json.loads(found.out)
    np.testing.assert_allclose([row["loss"] for row in record["history"]], losses, rtol=1e-12)
    np.testing.assert_allclose([*record["w"], record["b"]], params, rtol=1e-12)
    assert (record["loss_function"], record["backend"]) == (f"losses.py:{name}", backend)


@pytest.mark.parametrize("name", BY_HAND)
def test_gradcheck_and_graph_take_a_loss_of_a_file(own: Gdfit, name: str) -> None:
    loss = ("--loss", f"losses.py:{name}", "--init", "0.5,0.123")
    assert own("gradcheck", LECTURE, *loss).status == 0
    assert "y_hat: a tensor of shape (25,)" in own("graph", LECTURE, *loss).out


@pytest.mark.parametrize(
    ("code", "row", "told"),
    [
        ("def loss(p, y): return (p - y) ** 2\ndef dloss(p, y): return 2 * (y - p)", 1, "0.54"),
        ("def loss(p, y): return (p - y) ** 2\ndef dloss(p, y): return p - y", 1, "-0.27"),
        (
            "def loss(p, y): return ((p - y) ** 2).mean()\ndef dloss(y, p): return 2 * (p - y)",
            1,
            "",
        ),
        (
            "import numpy as np\ndef loss(p, y): return abs(p - y)\n"
            "def dloss(p, y): return np.where(y < 0.5, np.sign(p - y), 1.0)",
            10,  # the first where y is not below 0.5
            "it is 1, and by differences -1",
        ),
    ],
)
def test_a_wrong_derivative_is_told_with_the_first_row(
    own: Gdfit, tmp_path: Path, code: str, row: int, told: str
) -> None:
    (tmp_path / "wrong.py").write_text(code)
    found = own("train", LECTURE, "--loss", "wrong.py:loss", "--lr", 0.1)
    assert (found.status, found.out) == (1, "")
    assert f"dloss is not the derivative of loss: in row {row}, where y_hat is 0" in found.err
    assert told in found.err
    assert found.err.count("\n") == 1


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def loss(p, y):\n    return (p - y\n", "own.py, line 2: SyntaxError: "),
        ("1 / 0\n", "own.py, line 1: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(0)\n", "own.py, line 2: SystemExit: 0"),
        ("def loss(p, y):\n    r = p - y\n    return r / n\n", "own.py, line 3: NameError: "),
        ("def loss(p, y):\n    p - y\n", "own.py, line 1: loss returns nothing: it has no return"),
        ("def loss(p, y):\n    return 'a'\n", "own.py, line 1: loss returns "),
        ("def loss(p, y):\n    return p[:, None] - y\n", "of shape (25, 25), and not one for each"),
        ("def loss(p, y):\n    return ((p - y) ** 2).detach()\n", "autograd can't follow"),
        ("def other(p, y):\n    return p\n", "--loss finds no function loss in own.py"),
    ],
)
def test_a_fault_of_the_file_is_one_line(own: Gdfit, tmp_path: Path, code: str, told: str) -> None:
    (tmp_path / "own.py").write_text(code)
    found = own("train", LECTURE, "--loss", "own.py:loss", "--lr", 0.1, "--backend", "autograd")
    *_, line = found.err.splitlines()
    assert (found.status, found.out) in ((1, ""), (2, ""))
    assert line.startswith("gdfit: error: ")
    assert told in line
    assert "Traceback" not in found.err


MORE = """
import sys
import numpy as np

def passed_on(function):
    def wrapper(*given):
        return function(*given)
    return wrapper

@passed_on
def decorated(y_hat, y):
    return (y_hat - y) ** 2

@passed_on
def ddecorated(y_hat, y):
    return 2 * (y - y_hat)

def listed(y_hat, y):
    return [(p - t) ** 2 for p, t in zip(y_hat, y)]

def printing(y_hat, y):
    print("here")
    return (y_hat - y) ** 2

def leaving(y_hat, y):
    sys.exit(0)

def imaginary(y_hat, y):
    return (y_hat - y) ** 2 + 0j

def text(y_hat, y):
    return "0.5"

def pair(y_hat, y):
    return (y_hat - y) ** 2, 1

def alone(y_hat):
    return y_hat

def logs(y_hat, y):
    return np.log(y_hat) * y

def root(y_hat, y):
    return (((y_hat - y) ** 2).mean()) ** 0.5

def summed(y_hat, y):
    return ((y_hat - y) ** 2).sum()

def centred(y_hat, y):
    return (y_hat - y - (y_hat - y).mean()) ** 2

def short_rule(params, grad, state):
    return params

def listing(params, grad, state, lr):
    state = [*(state or []), grad]
    return params - lr * grad, state
"""


@pytest.fixture
def more(gdfit: Gdfit, tmp_path: Path) -> Gdfit:
    """Runs gdfit in a folder with a file of other functions."""
    (tmp_path / "more.py").write_text(MORE)
    return gdfit


@pytest.mark.parametrize(
    ("option", "name", "told"),
    [
        ("--loss", "decorated", "ddecorated is not the derivative of decorated: in row 1"),
        ("--loss", "leaving", "line 26: SystemExit: 0"),
        ("--loss", "imaginary", "imaginary returns no real numbers, but ndarray"),
        ("--loss", "text", "text returns no real numbers, but str: '0.5'"),
        ("--loss", "pair", "pair returns no real numbers, but tuple"),
        ("--loss", "alone", "a loss takes (y_hat, y)"),
        ("--loss", "logs", "at the start, in row 1, where y_hat is 0 and y 0.27"),
        ("--optimizer", "short_rule", "a rule takes (params, grad, state, lr)"),
    ],
)
@pytest.mark.parametrize("lr", [0.1, "auto"])
def test_what_can_not_be_used_is_told(
    more: Gdfit, option: str, name: str, told: str, lr: object
) -> None:
    found = more("train", LECTURE, option, f"more.py:{name}", "--lr", lr, "-q")
    assert (found.status, found.out) == (1, "")
    *_, line = found.err.splitlines()
    assert line.startswith("gdfit: error: more.py, line ")
    assert told in line


def test_a_list_is_taken_and_what_is_printed_is_no_output(more: Gdfit) -> None:
    plain = more("train", LECTURE, "--loss", "more.py:listed", "--lr", 0.1, "-q")
    found = more("train", LECTURE, "--loss", "more.py:printing", "--lr", 0.1, "-q")
    assert found.out == plain.out != ""
    assert "here" in found.err


def test_a_list_that_a_rule_remembers_is_begun_anew(more: Gdfit) -> None:
    how = ("train", LECTURE, "--optimizer", "more.py:listing", "--lr", 0.1, "--epochs", 3, "-q")
    assert more(*how).status == 0
    found = more(*how, "--init", "gdfit.json")
    gd = more("train", LECTURE, "--lr", 0.1, "--epochs", 6, "-q", "--no-model")
    np.testing.assert_allclose(
        [float(text) for text in found.out.split()], [float(text) for text in gd.out.split()]
    )


@pytest.mark.parametrize("name", ["root", "summed", "centred"])
def test_a_loss_that_is_not_of_each_observation_is_told(
    more: Gdfit, tmp_path: Path, name: str
) -> None:
    how = ("train", LECTURE, "--loss", f"more.py:{name}", "--lr", 0.01)
    found = process(*map(str, how), "-q", cwd=tmp_path)
    assert found.status == 0
    assert f"note: --loss more.py:{name} " in found.err
    for options in (["--explain", 1], ["--batch-size", 5]):
        refused = more(*how, *options)
        assert refused.status == 2
        assert f"does not go with {options[0]}: it " in refused.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--loss", "losses.py:mean_squared", "--backend", "manual"], "--backend manual needs"),
        (["--loss", "losses.py:mean_squared", "--weights", "n"], "--weights, which are of each"),
        (["--loss", "losses.py:squared", "--page", "p.html"], "--page descends by itself"),
        (["--loss", "losses.py"], "--loss takes a function of your own as FILE.py:NAME"),
        (["--loss", "nope.py:squared"], "--loss finds no file nope.py"),
        (["--loss", "mine"], "--loss takes mse, mae, huber, logistic, quantile or FILE.py:NAME"),
        (["--loss", "losses.py:squared", "--leap"], "--leap is for"),
        (["--optimizer", "losses.py:squared", "--l1", 1], "--l1 takes a threshold"),
    ],
)
def test_wrong_usage(own: Gdfit, tmp_path: Path, options: list[Any], told: str) -> None:
    (tmp_path / "three.csv").write_text("x,n,y\n1,1,2\n2,2,3\n3,1,5\n")
    found = own("train", "three.csv", "--target", "y", "--lr", 0.01, *options)
    assert (found.status, told in found.err) == (2, True), found.err


def test_one_without_a_derivative_goes_by_autograd_with_a_note(own: Gdfit) -> None:
    found = own("train", LECTURE, "--loss", "losses.py:mean_squared", "--lr", 0.1, "-q")
    assert "note: the derivative of losses.py:mean_squared is autograd's" in found.err
    plain = own("train", LECTURE, "--lr", 0.1, "-q").out.split()
    np.testing.assert_allclose(
        [float(text) for text in found.out.split()], [float(text) for text in plain], rtol=1e-9
    )


@pytest.mark.parametrize("options", [[], ["--batch-size", 7], ["--scale", "standardize"]])
def test_all_that_needs_no_formula_goes_with_a_loss_of_a_file(
    own: Gdfit, options: list[Any]
) -> None:
    for loss in ("losses.py:squared", "losses.py:mean_squared"):
        found, mse = (
            own("train", LECTURE, "--loss", name, "-q", "--epochs", 30, "--lr", 0.1, *options).out
            for name in (loss, "mse")
        )
        np.testing.assert_allclose(
            [float(text) for text in found.split()],
            [float(text) for text in mse.split()],
            rtol=1e-9,
        )
    own_loss = ("--loss", "losses.py:squared", *options)
    for more in (["--cv", 3], ["--validation", 0.2], ["--plot", "p.svg"], ["--explain", 1], []):
        result = own("train", LECTURE, *own_loss, "--epochs", 20, *more)
        assert result.status == 0, result.err
    assert own("evaluate", LECTURE).status == 0


def test_compare_takes_functions_of_files(own: Gdfit, tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(
        "def plain(params, grad, state, lr): return params - lr * grad"
    )
    found = own(
        "compare", LECTURE, "--loss", "losses.py:squared,mse", "--optimizer", "gd,rules.py:plain",
        "--lr", 0.1, "--epochs", 9, "--format", "json",
    )  # fmt: skip
    runs = json.loads(found.out)
    names = {(run["loss_function"], run["optimizer"]) for run in runs}
    assert ("losses.py:squared", "rules.py:plain") in names
    assert len(names) == 4
    np.testing.assert_allclose([run["b"] for run in runs], runs[0]["b"], rtol=1e-12)


RULES = """
import numpy as np

def heavy_ball(params, grad, state, lr):
    velocity = grad if state is None else 0.9 * state["velocity"] + grad
    return params - lr * velocity, {"velocity": velocity}

def counting(params, grad, state, lr):
    state = state or {"steps": 0, "sizes": [0.0, 0.0, 0.0]}
    state["steps"] += 1
    return params - lr * grad / state["steps"] ** 0.5, state

def object_state(params, grad, state, lr):
    return params - lr * grad, (state or 0) + 1j

def pair(params, grad, state, lr):
    w, b = params - lr * grad
    return w, b

def short(params, grad, state, lr):
    return params[:1]
"""


@pytest.mark.parametrize("lr", [0.05, "auto"])
def test_a_rule_of_a_file_is_as_that_of_its_name(own: Gdfit, tmp_path: Path, lr: object) -> None:
    (tmp_path / "rules.py").write_text(RULES)
    pairs = {"rules.py:heavy_ball": "momentum", "rules.py:pair": "gd"}
    for mine, named in pairs.items():
        if (mine, lr) == ("rules.py:pair", "auto"):
            continue  # gd is foretold, and not tried
        found, same = (
            own("train", LECTURE, "--optimizer", name, "--lr", lr, "--epochs", 30, "-q").out
            for name in (mine, named)
        )
        assert found == same != ""


@pytest.mark.parametrize("rule", ["heavy_ball", "counting"])
def test_a_rule_goes_on_with_its_state(own: Gdfit, tmp_path: Path, rule: str) -> None:
    (tmp_path / "rules.py").write_text(RULES)
    how = ("train", LECTURE, "--optimizer", f"rules.py:{rule}", "--lr", 0.05, "-q", "--epochs")
    own(*how, 10)
    found = own(*how, 7, "--init", "gdfit.json").out
    assert found == own(*how, 17).out != ""


def test_a_state_of_objects_is_not_kept(own: Gdfit, tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(RULES)
    own("train", LECTURE, "--optimizer", "rules.py:object_state", "--lr", 0.05, "--epochs", 3)
    assert json.loads((tmp_path / "gdfit.json").read_text())["state"] is None
    found = own("train", LECTURE, "--optimizer", "rules.py:short", "--lr", 0.05)
    assert found.err == (
        "gdfit: error: rules.py, line 20: short returns neither params of their shape, or (params, "
        "state): there are 2 params\n"
    )


def test_a_model_never_makes_gdfit_run_a_file(own: Gdfit, tmp_path: Path) -> None:
    loss = ("--loss", "losses.py:squared", "--lr", 0.1, "--epochs", 5)
    assert own("train", LECTURE, *loss).status == 0
    (tmp_path / "losses.py").write_text("raise RuntimeError\n")
    for command in (["evaluate", LECTURE], ["predict", "--x", 2], ["summary", LECTURE]):
        found = own(*command)
        assert (found.status, "RuntimeError" in found.err) == (0, False)
    assert own("train", LECTURE, "--init", "gdfit.json").status == 0


def test_a_program_gives_a_function_as_it_is() -> None:
    x, y = np.loadtxt(LECTURE, delimiter=",", skiprows=1).T

    def loss(y_hat: Any, y: Any) -> Any:
        return (y_hat - y) ** 2

    def rule(params: Any, grad: Any, state: Any, lr: float) -> Any:
        return params - lr * grad

    fit = package.train(x, y, loss=loss, optimizer=rule, lr=0.1, epochs=50)
    plain = package.train(x, y, lr=0.1, epochs=50)
    np.testing.assert_allclose(fit.model.params, plain.model.params, rtol=1e-12)
    assert str(fit.settings.loss) == f"{__name__}:loss"
    for call in (package.train, package.cross_validate):
        with pytest.raises(UsageError, match="needs a derivative"):
            call(x, y, loss=loss, backend="manual")
    with pytest.raises(GdfitError, match="returns nothing"):
        package.train(x, y, loss=lambda y_hat, y: None, lr=0.1)
    with pytest.raises(UsageError, match="or a function"):
        package.train(x, y, loss="nope")  # type: ignore[arg-type]
    assert {str(fit.settings.loss) for fit in package.compare(x, y, loss=["mse", loss]).fits} == {
        "mse",
        f"{__name__}:loss",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
@pytest.mark.parametrize("where", ["loss", "module", "rule"])
def test_ctrl_c_ends_an_endless_function(tmp_path: Path, where: str) -> None:
    text = "open('begun', 'w').close()\nwhile True:\n    pass\n"
    inside = "\n".join(f"    {line}" for line in text.splitlines())
    code = {
        "loss": f"def own(y_hat, y):\n{inside}\n",
        "module": text,
        "rule": f"def own(params, grad, state, lr):\n{inside}\n",
    }[where]
    (tmp_path / "own.py").write_text(code)
    option = "--optimizer" if where == "rule" else "--loss"
    command = ["train", str(LECTURE), option, "own.py:own", "--lr", "0.1", "--no-model"]
    result = signalled(*command, cwd=tmp_path, ready=(tmp_path / "begun").exists)
    assert result.status == 130
    assert "Traceback" not in result.err
    assert result.err.endswith("gdfit: interrupted\n")


def test_a_loss_of_one_number_stands_for_each() -> None:
    own = Own(np.square)
    assert own.each(np.array([2.5]), 3).tolist() == [2.5] * 3
    assert own.each(torch.tensor(2.5), 3).tolist() == [2.5] * 3
    assert own.each(np.array([2.5, 1, 4]), 3).tolist() == [2.5, 1, 4]
    with pytest.raises(GdfitError, match=r"shape \(2,\), and not one for each of the 3"):
        own.each(np.array([2.5, 1]), 3)


def test_a_loss_that_mixes_rows_is_told_where_y_does_not_vary() -> None:
    y = np.full(6, 2.0)
    assert Own(lambda y_hat, y: (y_hat - y) ** 2).mixing(y) is None
    assert Own(lambda y_hat, y: ((y_hat - y) ** 2).mean()).mixing(y) is None
    assert "sum" in str(Own(lambda y_hat, y: ((y_hat - y) ** 2).sum()).mixing(y))
    assert "depends" in str(Own(lambda y_hat, y: (y_hat - y_hat.mean()) ** 2).mixing(y))


def test_differences_of_a_mean_are_those_of_each_row() -> None:
    random = np.random.default_rng(4)
    z, y = random.normal(size=(2, 9))
    slopes, kinks = differences(Own(lambda y_hat, y: ((y_hat - y) ** 2).mean()), z, y)
    np.testing.assert_allclose(slopes, 2 * (z - y), rtol=1e-7)
    assert not kinks.any()


def test_a_function_from_elsewhere_is_of_the_file_that_names_it() -> None:
    assert Own(np.square, ("own.py", "square")).code == ("own.py", None)
    assert Own(math.hypot, ("own.py", "hypot")).code == ("own.py", None)
