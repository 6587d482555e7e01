"""Logistic regression: the numbers of statsmodels, the same loop as for a line, separable classes.

`data/logit/references.json` holds what statsmodels 0.15's GLM of the family Binomial gives for the
tables beside it: space shuttles' O-rings (Dalal et al., 1989), teaching of economics (Spector and
Mazzeo, 1980), vasoconstriction (Finney, 1947), beetles (Bliss, 1935), admissions to Berkeley
(Bickel et al., 1975), the Titanic, birth weights (Hosmer and Lemeshow, 1989), irises (Anderson,
1935).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import gdfit as library
from conftest import SAMPLES, Gdfit, process
from gdfit.arrays import FloatArray
from gdfit.descent.newton import SmoothLoss
from gdfit.descent.run import Run
from gdfit.descent.settings import Settings
from gdfit.errors import GdfitError

DATA = Path(__file__).parent / "data"
REFERENCES: dict[str, dict[str, Any]] = json.loads((DATA / "logit/references.json").read_text())
PLACES = {"o_rings": SAMPLES / "o_rings.csv", "iris": DATA / "iris.csv"}
LOGISTIC = ("--loss", "logistic")


def place_of(name: str) -> Path:
    """The file of a reference."""
    return PLACES.get(name, DATA / f"logit/{name}.csv")


def drawn(count: int, features: int, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Features, and classes drawn with the probabilities of a logistic model."""
    random = np.random.default_rng(seed)
    x = random.normal(random.uniform(-5, 5, features), 2.0, (count, features))
    z = (x - x.mean(axis=0)) @ random.normal(size=features) / features
    return x, (random.random(count) < 1 / (1 + np.exp(-z))).astype(float)


@pytest.mark.parametrize("name", REFERENCES)
def test_the_numbers_are_those_of_statsmodels(gdfit: Gdfit, name: str) -> None:
    reference, file = REFERENCES[name], place_of(name)
    fit = gdfit.json("train", file, *LOGISTIC, *reference["options"], "--show", "1")
    assert fit["arrived"] is True
    assert fit["minimum_loss"] == pytest.approx(reference["minimum_loss"], rel=1e-8)
    assert fit["separable"] is False
    summary = gdfit.json("summary", file)
    for key in ("null_deviance", "deviance", "aic"):
        assert summary[key] == pytest.approx(reference[key], rel=1e-6), key
    assert (summary["null_df"], summary["df"]) == (reference["null_df"], reference["df"])
    several = len(reference["names"]) > 2
    names = [f"w_{name}" if several else "w" for name in reference["names"][:-1]]
    assert [row["name"] for row in summary["params"]] == [*names, "b"]
    for key, ours in (
        ("params", "estimate"),
        ("std_errors", "std_error"),
        ("z", "z"),
        ("p", "p"),
    ):
        told = [row[ours] for row in summary["params"]]
        assert told == pytest.approx(reference[key], rel=1e-6), key


def numpy_loop(
    x: FloatArray, y: FloatArray, rate: float, epochs: int
) -> tuple[list[float], FloatArray]:
    """The losses and the last params of the lecture's loop, with σ around the line."""
    design, params, losses = np.column_stack([x, np.ones(len(x))]), np.zeros(x.shape[1] + 1), []
    for _ in range(epochs):
        z = design @ params
        losses.append(float(np.mean(np.log1p(np.exp(-abs(z))) + np.maximum(z, 0) - y * z)))
        params = params - rate * ((1 / (1 + np.exp(-z)) - y) @ design) / len(y)
    return losses, params


@pytest.mark.parametrize("backend", ["manual", "autograd"])
@pytest.mark.parametrize("features", [1, 4])
def test_both_backends_do_what_a_loop_does(backend: Any, features: int) -> None:
    x, y = drawn(70, features)
    fit = library.train(x, y, loss="logistic", lr=0.01, epochs=1000, backend=backend)
    losses, params = numpy_loop(x, y, 0.01, 1000)
    assert [step.loss for step in fit.history] == pytest.approx(losses, rel=1e-9)
    assert fit.model.params == pytest.approx(params, rel=1e-9)


@pytest.mark.parametrize("z", [-800.0, -40.0, -1e-9, 0.0, 30.0, 800.0])
def test_a_loss_far_from_zero_is_exact(z: float) -> None:
    with np.errstate(all="raise", under="ignore"):
        model = library.LinearModel((1.0,), 0.0, ("x",), "y", facts={"link": "logit"})
        probability = model.predict([z])
    exact = float(np.exp(min(z, 0.0)) / (1 + np.exp(-abs(z))))
    assert probability == pytest.approx(exact, rel=1e-14)
    far = library.train([[z], [1.0]], [1.0, 0.0], loss="logistic", init=[1.0, 0.0], lr=1, epochs=1)
    expected = (np.logaddexp(0, -z) + np.logaddexp(0, 1)) / 2
    assert far.history[0].loss == pytest.approx(expected, rel=1e-14)


def is_separable(x: FloatArray, y: FloatArray) -> bool:
    """Whether a linear program finds a direction in which no row is on the wrong side, and one is
    on the right one (Albert and Anderson, 1984)."""
    sides = (2 * y - 1)[:, np.newaxis] * np.column_stack([x, np.ones(len(x))])
    least = linprog(-sides.sum(axis=0), -sides, np.zeros(len(y)), bounds=(-1, 1))
    assert least.status == 0
    return bool(least.fun < -1e-7)


@pytest.mark.parametrize("seed", range(40))
def test_separable_classes_are_told(seed: int) -> None:
    random = np.random.default_rng(seed)
    count, features = int(random.integers(4, 20)), int(random.integers(1, 4))
    x = random.integers(-2, 3, (count, features)).astype(float)  # with many ties
    y = (random.random(count) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(float)
    y[:2] = 0.0, 1.0
    fit = library.train(x, y, loss="logistic", epochs=5)
    assert fit.is_separable == is_separable(x, y)
    assert (fit.minimum_loss is None) == fit.is_separable


TIES = {
    "completely": ("0,no\n1,no\n2,no\n3,yes\n4,yes\n", True),
    "but for a tie": ("0,no\n1,no\n2,no\n2,yes\n3,yes\n4,yes\n", True),
    "not at all": ("0,no\n1,yes\n2,no\n2,yes\n3,yes\n4,no\n", False),
}


@pytest.mark.parametrize("case", TIES)
def test_what_to_type_where_a_plane_separates(gdfit: Gdfit, tmp_path: Path, case: str) -> None:
    rows, separable = TIES[case]
    (tmp_path / "rows.csv").write_text("x,y\n" + rows)
    result = gdfit("train", "rows.csv", *LOGISTIC, "-q")
    assert result.status == 0
    assert ("a plane separates the classes" in result.err) == separable
    if not separable:
        assert gdfit("summary", "rows.csv").status == 0
        return
    assert gdfit("summary", "rows.csv").err.startswith("gdfit: error: a plane separates")
    assert gdfit("summary", "rows.csv").status == 1
    advised = result.err.rsplit(": gdfit ", 1)[1].split()
    fit = gdfit.json(*[word for word in advised if word != "-q"])
    assert (fit["arrived"], fit["separable"]) == (True, True)


def test_the_penalty_is_scikit_learns() -> None:
    x, y = drawn(200, 3)
    x = x * [1.0, 50.0, 0.02]
    fit = library.train(x, y, loss="logistic", l2=0.05)
    standard = StandardScaler().fit(x)
    exact = LogisticRegression(C=1 / (2 * 0.05 * len(x)), tol=1e-12, max_iter=10_000)
    exact.fit(standard.transform(x), y)
    assert fit.arrived
    weights = np.asarray(fit.model.w) * standard.scale_
    assert weights == pytest.approx(exact.coef_[0], rel=1e-6)
    penalty = 0.05 * float(weights @ weights)
    probabilities = exact.predict_proba(standard.transform(x))[:, 1]
    log_loss = -np.mean(np.log(np.where(y == 1, probabilities, 1 - probabilities)))
    assert fit.loss == pytest.approx(log_loss + penalty, rel=1e-9)
    assert fit.minimum_loss == pytest.approx(fit.loss, rel=1e-9)


def test_a_weight_is_a_repeated_row(gdfit: Gdfit, tmp_path: Path) -> None:
    x, y = drawn(60, 2)
    weights = np.random.default_rng(3).integers(1, 5, 60)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "n": weights, "y": y.astype(int)})
    frame.to_csv("weighted.csv", index=False)
    frame.loc[frame.index.repeat(weights), ["a", "b", "y"]].to_csv("repeated.csv", index=False)
    fits, rows = [], []
    for file, options in (("weighted.csv", ["--weights", "n"]), ("repeated.csv", [])):
        fits.append(gdfit.json("train", file, *LOGISTIC, *options))
        rows.append(gdfit.json("summary", file)["params"])
    for key in ("loss", "minimum_loss", "accuracy", "baseline_accuracy", "pseudo_r_squared"):
        assert fits[0][key] == pytest.approx(fits[1][key], rel=1e-9), key
    for one, other in zip(*rows, strict=True):
        assert one["estimate"] == pytest.approx(other["estimate"], rel=1e-9)
        assert one["std_error"] == pytest.approx(other["std_error"], rel=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_the_plainest_command_arrives(seed: int) -> None:
    x, y = drawn(150, 1 + seed % 5, seed)
    x = x * 10.0 ** np.random.default_rng(seed).integers(-4, 5, x.shape[1])
    fit = library.train(x, y, loss="logistic")
    assert fit.arrived
    assert fit.minimum_loss is not None
    assert 2 * len(y) * (fit.loss - fit.minimum_loss) <= 1e-4


def test_the_same_from_wherever_the_rows_come(gdfit: Gdfit, tmp_path: Path) -> None:
    x, y = drawn(300, 2)
    order = np.argsort(y, kind="stable")  # all of one class first
    frame = pd.DataFrame({"a": x[order, 0], "b": x[order, 1], "ok": y[order] == 1})
    frame.to_csv("rows.csv", index=False)
    frame.to_parquet("rows.parquet")
    frame.assign(ok=frame.ok.map({True: "yes", False: "no"})).to_csv("words.csv", index=False)
    frame.assign(ok=frame.ok.astype(int)).to_csv("numbers.csv", index=False)
    named = ("--target", "ok", *LOGISTIC)
    one = gdfit.json("train", "rows.csv", *named)
    assert one["positive"] == "True"
    for file, positive in (("rows.parquet", "True"), ("words.csv", "yes"), ("numbers.csv", "1")):
        other = gdfit.json("train", file, *named)
        assert (other["w"], other["b"], other["positive"]) == (one["w"], one["b"], positive)
    rows = (tmp_path / "words.csv").read_bytes()  # of one class alone, in the first ones
    piped = process("train", "-", *named, "-q", cwd=tmp_path, stdin=rows)
    assert piped.err.count("\n") == 1
    assert "column 'ok': holds 'no' alone in its first rows" in piped.err
    piped = process("train", "-", *named, "-q", "--positive", "yes", cwd=tmp_path, stdin=rows)
    assert [*map(float, piped.out.split())] == [*one["w"], one["b"]]
    fit = library.train(frame, target="ok", loss="logistic")
    assert fit.model.params == (*one["w"], one["b"])
    negated = gdfit.json("train", "words.csv", *named, "--positive", "no")
    assert negated["w"] == pytest.approx([-weight for weight in one["w"]], rel=1e-6)
    assert (negated["positive"], negated["accuracy"]) == ("no", one["accuracy"])


def test_a_third_value(gdfit: Gdfit) -> None:
    iris = DATA / "iris.csv"
    result = gdfit("train", iris, *LOGISTIC, "--target", "species")
    assert result.status == 1
    assert result.err.count("\n") == 1
    assert result.err.endswith(
        f"train {iris} --loss logistic --target species --positive virginica\n"
    )
    late = "x,y\n" + "1,no\n2,yes\n" * 3000 + "3,maybe\n"
    result = gdfit("train", "-", *LOGISTIC, stdin=late.encode())
    assert result.status == 1
    assert "line 6002, column 'y': 'maybe' is a third value" in result.err
    assert "--positive yes" in result.err
    result = gdfit("train", "-", *LOGISTIC, "--positive", "perhaps", stdin=late.encode())
    assert result.status == 1
    assert "no row holds 'perhaps', which --positive asks for; some hold " in result.err


def test_a_model_goes_on(gdfit: Gdfit) -> None:
    file, options = place_of("birthwt"), ("--target", "low", "--optimizer", "adam", "--lr", "0.01")
    whole = gdfit.json("train", file, *LOGISTIC, *options, "--epochs", "60")
    gdfit.json("train", file, *LOGISTIC, *options, "--epochs", "25")
    rest = gdfit.json("train", file, *LOGISTIC, *options, "--epochs", "35", "--init", "gdfit.json")
    assert (rest["w"], rest["b"], rest["loss"]) == (whole["w"], whole["b"], whole["loss"])
    model = library.load_model("gdfit.json")
    assert model.classes is not None
    assert model.classes.names == ("0", "1")


def test_a_comparison_of_words_can_be_typed(gdfit: Gdfit) -> None:
    o_rings = SAMPLES / "o_rings.csv"
    result = gdfit("compare", o_rings, *LOGISTIC, "--optimizer", "gd,adam")
    assert result.status == 0
    best = result.out.rsplit(" best     gdfit ", 1)[1].split()
    assert gdfit.json(*best)["positive"] == "yes"
    result = gdfit("compare", o_rings, "--loss", "logistic,mse")
    assert result.status == 2
    assert "--loss mse takes numbers" in result.err


def test_the_graph_has_z(gdfit: Gdfit) -> None:
    result = gdfit("graph", SAMPLES / "o_rings.csv", *LOGISTIC)
    assert "z: a tensor of shape (23,)" in result.out
    assert "y_hat" not in result.out


def test_frames_of_words() -> None:
    frame = pd.read_csv(SAMPLES / "o_rings.csv")
    named: dict[str, Any] = {"target": "damage", "features": ["temperature_f"]}
    fit = library.train(frame, loss="logistic", **named)
    compared = library.compare(frame, loss="logistic", optimizer=["gd", "adam"], **named)
    assert compared.fits[0].loss == pytest.approx(fit.loss)
    with pytest.raises(library.UsageError, match="two classes, no, yes"):
        library.compare(frame, loss=["logistic", "mse"], **named)
    found = library.cross_validate(frame, folds=4, loss="logistic", **named)
    assert len(found.losses) == 4
    missing = frame.assign(damage=frame["damage"].where(frame.index != 3))
    with pytest.raises(library.GdfitError, match=r"value is missing; `drop_missing` skips [^;]*$"):
        library.train(missing, loss="logistic", **named)
    for threshold in (-0.1, 2.0):
        with pytest.raises(library.UsageError, match="`threshold` takes a number from 0 to 1"):
            fit.model.classify(frame, threshold)
        with pytest.raises(library.UsageError, match="`threshold` takes a number from 0 to 1"):
            library.evaluate(fit.model, frame, threshold=threshold)


def test_classes_are_apart_where_both_are_on_their_side() -> None:
    x = np.array([-1.0, 3, 0, 0.5, 1, 1.5, 2])
    t = np.array([0.0, 0, 1, 1, 1, 1, 1])
    observations = library.observations_from(x, t, classes=True)
    loss = SmoothLoss(observations, Settings(loss="logistic"))
    assert not loss.separates(np.array([0.0, 1.0]))  # all to the side of the ones
    assert not loss.separates(np.array([0.0, -1.0]))
    apart = library.observations_from(x[1:], t[1:], classes=True)
    assert SmoothLoss(apart, Settings(loss="logistic")).separates(np.array([-1.0, 2.5]))


def test_one_column_beyond_float64_is_told() -> None:
    x, t = drawn(20, 2)
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(GdfitError, match="too large"):
        library.train(x * [1e200, 1], t, loss="logistic", scale="none", epochs=1)


def test_a_penalty_has_a_minimum_where_classes_are_apart() -> None:
    x, t = np.arange(12.0), (np.arange(12) > 5).astype(float)
    run = Run(x, t, loss="logistic", l2=0.01, scale="none", epochs=1)
    theirs = LogisticRegression(C=1 / (2 * 0.01 * 12), tol=1e-12, max_iter=1000)
    theirs.fit(x[:, np.newaxis], t)
    assert run.curvature
    w, b = run.curvature.minimum.tolist()
    assert (w, b) == (
        pytest.approx(theirs.coef_[0, 0], rel=1e-5),
        pytest.approx(theirs.intercept_[0], rel=1e-5),
    )
