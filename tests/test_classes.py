"""What is made of a model of two classes: evaluations, predictions, exports, an estimator."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, log_loss, roc_auc_score, roc_curve
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import gdfit as library
from conftest import Gdfit
from exported import LANGUAGES, run
from gdfit.model.classification import ranking_of
from gdfit.sklearn import GradientDescentClassifier

LOGISTIC = ("--loss", "logistic")
KINDS = ("ash", "beech", "oak")


def trees(count: int = 400, seed: int = 1) -> pd.DataFrame:
    """Trees of three kinds that live or not, with many of the same age."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, 3, count)
    age, size = random.integers(1, 8, count), random.uniform(1, 5, count).round(3)
    z = 0.8 * (age - 4) - (size - 3) + np.array([0.0, 1.0, -1.0])[kind]
    alive = np.where(random.random(count) < 1 / (1 + np.exp(-z)), "yes", "no")
    columns = {"kind": np.array(KINDS)[kind], "age": age, "size": size, "alive": alive}
    return pd.DataFrame(columns)


@pytest.fixture
def trained(gdfit: Gdfit, tmp_path: Path) -> tuple[pd.DataFrame, library.LinearModel]:
    """Trees in a file, and the model of them."""
    frame = trees()
    frame.to_csv("trees.csv", index=False)
    features = ("--features", "kind,age,log(size)")
    gdfit.json("train", "trees.csv", *LOGISTIC, "--target", "alive", *features)
    return frame, library.load_model("gdfit.json")


Trained = tuple[pd.DataFrame, library.LinearModel]


@pytest.mark.parametrize("threshold", [None, 0.2, 0.9])
def test_an_evaluation_is_scikit_learns(
    gdfit: Gdfit, trained: Trained, threshold: float | None
) -> None:
    frame, model = trained
    y, p = frame["alive"] == "yes", np.asarray(model.predict(frame))
    told = gdfit.json("evaluate", "trees.csv", *(["--threshold", threshold] if threshold else []))
    classes = p >= (threshold or 0.5)
    assert told["observations"] == len(frame)
    assert told["log_loss"] == pytest.approx(log_loss(y, p), rel=1e-12)
    assert told["auc"] == pytest.approx(roc_auc_score(y, p), rel=1e-12)
    assert told["accuracy"] == pytest.approx(np.mean(classes == y), rel=1e-12)
    assert told["confusion"] == confusion_matrix(y, classes).tolist()
    result = library.evaluate(model, frame, threshold=threshold or 0.5)
    assert vars(result) == told


@pytest.mark.parametrize("seed", range(5))
def test_an_area_with_ties_is_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    p, y = random.integers(0, 6, 300) / 6, random.integers(0, 2, 300).astype(float)
    parts = [ranking_of(p[part], y[part]) for part in np.array_split(np.arange(300), 7)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merged(part)
    assert merged.auc == pytest.approx(roc_auc_score(y, p), rel=1e-14)
    false, true, _ = roc_curve(y, p, drop_intermediate=False)
    np.testing.assert_allclose(merged.roc, [false, true], rtol=1e-14)


def test_one_class_alone_has_no_area(gdfit: Gdfit, trained: Trained) -> None:
    frame, _ = trained
    frame[frame["alive"] == "yes"].to_csv("alive.csv", index=False)
    told = gdfit.json("evaluate", "alive.csv")
    assert told["auc"] is None
    assert told["confusion"][0] == [0, 0]
    assert gdfit("evaluate", "alive.csv").status == 0


def test_classes_and_probabilities(gdfit: Gdfit, trained: Trained) -> None:
    frame, model = trained
    wrong = "pine,3,2.0,yes\nash,,2.0,no\n"
    Path("more.csv").write_text(Path("trees.csv").read_text() + wrong)
    Path("more.csv.gz").write_bytes(gzip.compress(Path("more.csv").read_bytes()))
    for options, expected in (
        ((), [*map(repr, np.asarray(model.predict(frame)).tolist())]),
        (("--classes",), model.classify(frame)),
        (("--classes", "--threshold", "0.8"), model.classify(frame, 0.8)),
    ):
        result = gdfit("predict", "more.csv", *options)
        assert result.status == 0
        assert "2 rows" in result.err or result.err.count("1 row") == 2
        rows = [*csv.DictReader(io.StringIO(result.out))]
        assert [row["alive_hat"] for row in rows] == [*expected, "", ""]
        assert gdfit("predict", "more.csv.gz", *options).out == result.out
    probability = float(gdfit("predict", "--x", "oak,4,2.5").out)
    row = pd.DataFrame({"kind": ["oak"], "age": [4], "size": [2.5]})
    assert [probability] == np.asarray(model.predict(row)).tolist()
    assert gdfit("predict", "--x", "oak,1,2.5", "--x", "oak,7,2.5", "--classes").out == "no\nyes\n"


def test_where_a_class_is_not_to_be_had(gdfit: Gdfit, trained: Trained) -> None:
    third = gdfit("evaluate", "-", stdin=b"kind,age,size,alive\nash,1,2,maybe\n")
    assert third.status == 1
    assert third.err.endswith("'maybe' is a third value beside no, yes\n")
    assert gdfit("predict", "trees.csv", "--threshold", "0.3").status == 2
    assert gdfit("predict", "trees.csv", "--classes", "--threshold", "30").status == 2
    Path("line.csv").write_text("x,y\n1,2\n2,4\n3,7\n")
    gdfit.json("train", "line.csv")
    result = gdfit("predict", "--x", "3", "--classes")
    assert result.status != 0
    assert "--loss logistic trains one that does" in result.err
    with pytest.raises(library.GdfitError, match="no classes"):
        library.load_model("gdfit.json").classify([3.0])


HARD = ["a,b", 'say "no"', "two\nlines", "tab\there", "#1", "été", "\x1b[31mred", "*/"]


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_class_may_be_called_anything(gdfit: Gdfit, name: str, delimiter: str) -> None:
    rows = [["x", "y"], *([str(number), [name, "other"][number % 2]] for number in range(1, 9))]
    with Path("rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    fit = gdfit.json("train", "rows.csv", *LOGISTIC, "--positive", name)
    assert (fit["negative"], fit["positive"]) == ("other", name)
    result = gdfit("predict", "rows.csv", "--classes", "--threshold", "0.5")
    found = [*csv.reader(io.StringIO(result.out, newline=""), delimiter=delimiter)]
    assert [row[:2] for row in found] == rows
    assert {row[2] for row in found[1:]} == {name, "other"}
    assert "\x1b" not in gdfit("evaluate", "rows.csv").out
    assert gdfit("export", "--format", "c").out.count("*/") == 2  # of two comments


@pytest.mark.parametrize("language", LANGUAGES)
def test_exports_give_the_probabilities(language: str, trained: Trained, tmp_path: Path) -> None:
    frame, model = trained
    inputs = frame[[*model.inputs]].astype({"age": float})
    rows = [tuple(row) for row in inputs.itertuples(index=False)]
    expected = np.asarray(model.predict(inputs)).tolist()
    assert run(language, model, rows, tmp_path) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("z", [-1000.0, -700.0, -30.0, 0.0, 30.0, 1000.0])
def test_exports_do_not_overflow(language: str, z: float, tmp_path: Path) -> None:
    model = library.LinearModel((1.0,), 0.0, ("x",), "y", facts={"link": "logit"})
    expected = model.predict([z])
    (found,) = run(language, model, [(z,)], tmp_path)
    assert found == pytest.approx(expected, rel=1e-13, abs=1e-300)


def test_torch_has_the_linear_part(gdfit: Gdfit, tmp_path: Path) -> None:
    trees()[["age", "size", "alive"]].to_csv("trees.csv", index=False)
    gdfit.json("train", "trees.csv", *LOGISTIC)
    assert gdfit("export", "--format", "torch", "--output", "m.pt").status == 0
    state = torch.load("m.pt")
    layer = torch.nn.Linear(2, 1).double()
    layer.load_state_dict(state)
    with torch.no_grad():
        z = layer(torch.tensor([[4.0, 2.5]], dtype=torch.float64))
    expected = float(gdfit("predict", "--x", "4,2.5").out)
    assert float(torch.sigmoid(z)) == pytest.approx(expected, rel=1e-14)


def test_a_models_file_keeps_its_classes(trained: Trained, tmp_path: Path) -> None:
    frame, model = trained
    record = json.loads(Path("gdfit.json").read_text())
    assert (record["positive"], record["link"]) == ("yes", "logit")
    assert record["accuracy"] == np.mean(np.array(model.classify(frame)) == frame["alive"])
    assert record["baseline_accuracy"] == frame["alive"].value_counts().max() / len(frame)
    share = np.mean(frame["alive"] == "yes")
    null = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert record["pseudo_r_squared"] == pytest.approx(1 - record["loss"] / null, rel=1e-12)
    assert record["r_squared"] is None
    model.save("again.json")
    assert json.loads(Path("again.json").read_text()) == record
    record["link"] = "cloglog"
    Path("newer.json").write_text(json.dumps(record))
    with pytest.raises(library.GdfitError, match="cloglog"):
        library.load_model("newer.json").predict(frame)


CHECKS = [
    (estimator, check)
    for checked in (
        GradientDescentClassifier(),
        GradientDescentClassifier(solver="nesterov", fit_intercept=False, max_iter=50),
    )
    for estimator, check in estimator_checks_generator(checked, mark=None)
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_the_estimator_is_logistic_regression() -> None:
    frame = trees()
    x, y = frame[["age", "size"]].to_numpy(float), frame["alive"]
    classifier = GradientDescentClassifier(alpha=0.02, max_iter=2000).fit(x, y)
    standard = StandardScaler().fit(x)
    exact = LogisticRegression(C=1 / (2 * 0.02 * len(x)), tol=1e-10)
    exact.fit(standard.transform(x), y)
    assert [*classifier.classes_] == ["no", "yes"]
    np.testing.assert_allclose(
        classifier.predict_proba(x), exact.predict_proba(standard.transform(x)), rtol=1e-3
    )
    assert (classifier.predict(x) == exact.predict(standard.transform(x))).mean() > 0.99
    z = classifier.decision_function(x)
    assert ((z > 0) == (classifier.predict(x) == "yes")).all()
    scores = cross_val_score(classifier, x, y, cv=4, scoring="neg_log_loss")
    assert len(scores) == 4
    assert classifier.model_.classes is not None
    with pytest.raises(ValueError, match=r"[Bb]inary|two classes"):
        classifier.fit(x, frame["kind"])
