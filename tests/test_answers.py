"""What follows from one reading, against statsmodels on real data."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import sklearn.datasets

import gdfit as library
from conftest import LECTURE, SAMPLES, Gdfit
from gdfit import GdfitError, Observations, UsageError
from gdfit.analysis.scatter import Robust, read_scatter
from gdfit.arrays import FloatArray
from gdfit.data.dataset import Dataset
from gdfit.data.text.dialect import Selection
from gdfit.descent.settings import Scale
from gdfit.model.intervals import t_quantile
from real import NAMES, REFERENCE, WEIGHED, clusters, real_data, weights_of

GREENHOUSE = SAMPLES / "greenhouse.csv"


def observations_of(name: str) -> Observations:
    """The observations of a data set."""
    x, y = real_data(name)
    return library.observations_from(x, y, weights=weights_of(name, len(y)))


@pytest.mark.parametrize("name", [*NAMES, *WEIGHED])
def test_information_criteria(name: str) -> None:
    summary, expected = library.summarize(observations_of(name)), REFERENCE[name]
    for figure in ("log_likelihood", "aic", "bic"):
        assert getattr(summary, figure) == pytest.approx(expected[figure], rel=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_variance_inflation(name: str) -> None:
    *rows, b = library.summarize(observations_of(name)).rows
    assert [row.vif for row in rows] == pytest.approx(REFERENCE[name]["vif"], rel=1e-8)
    assert b.vif is None


def test_the_likelihood_of_weights_is_the_same_however_they_are_read() -> None:
    import pandas as pd

    x, y = real_data("iris")
    weights = np.arange(len(y)) % 3.0  # a row without weight is none
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "v": weights, "y": y})
    condensed = library.summarize(frame, target="y", weights="v")
    kept = library.summarize(x, y=y, weights=weights)
    assert condensed.log_likelihood == pytest.approx(kept.log_likelihood, rel=1e-12)
    assert condensed.observations == kept.observations == 100


PREDICTED = ("mean", "obs_ci_lower", "obs_ci_upper", "mean_ci_lower", "mean_ci_upper")


def some_of(x: FloatArray) -> FloatArray:
    """The first row, the middle one and the last."""
    return x[[0, len(x) // 2, -1]]


@pytest.mark.parametrize("scale", [None, "whiten"])
@pytest.mark.parametrize("name", NAMES)
def test_intervals(name: str, scale: Scale | None, gdfit: Gdfit) -> None:
    x, _ = real_data(name)
    fit = library.train(observations_of(name), scale=scale, epochs=10)
    fit.save("gdfit.json")
    model, rows = library.load_model("gdfit.json"), some_of(x)
    expected = REFERENCE[name]["prediction"]
    _, low, high = model.predict_interval(rows, 0.9)
    _, mean_low, mean_high = model.predict_interval(rows, 0.9, mean=True)
    for found, key in zip((low, high, mean_low, mean_high), PREDICTED[1:], strict=True):
        assert found == pytest.approx(expected[key], rel=1e-8)
    typed = [argument for row in rows for argument in ("--x", ",".join(map(repr, row.tolist())))]
    printed = gdfit("predict", *typed, "--interval", "0.9", "--confidence", "0.9").out
    for place, line in enumerate(printed.splitlines()):
        ends = [values[place] for values in (low, high, mean_low, mean_high)]
        assert [*map(float, line.split())][1:] == pytest.approx(ends, rel=1e-12)


def test_probabilities() -> None:
    found = sklearn.datasets.load_breast_cancer()
    x, expected = found.data[:, :4], REFERENCE["breast_cancer, logistic"]
    model = library.train(x, found.target, loss="logistic", epochs=20).model
    y, low, high = model.predict_interval(x[[0, 200, 568]], 0.9, mean=True)
    assert y == pytest.approx(model.predict(x[[0, 200, 568]]), rel=1e-14)
    assert low == pytest.approx(expected["mean_ci_lower"], rel=1e-8)
    assert high == pytest.approx(expected["mean_ci_upper"], rel=1e-8)
    with pytest.raises(UsageError, match="`confidence` gives the interval of that"):
        model.predict_interval(x, 0.9)


def test_intervals_do_not_depend_on_where_a_column_begins() -> None:
    x, y = real_data("iris")
    rows = some_of(x)
    here = library.train(x, y, epochs=10).model.predict_interval(rows)
    far = library.train(x + 2.0**30, y, epochs=10).model.predict_interval(rows + 2.0**30)
    for ours, theirs in zip(here[1:], far[1:], strict=True):
        assert theirs == pytest.approx(ours, rel=1e-6)
    double = np.column_stack([x, 2 * x[:, 0] + 1])  # tells nothing of its own
    more = library.train(double, y, epochs=10).model.predict_interval(some_of(double))
    for ours, theirs in zip(here[1:], more[1:], strict=True):
        assert theirs == pytest.approx(ours, rel=1e-9)


@pytest.mark.parametrize("intercept", [True, False])
def test_intervals_with_terms_weights_and_missing_fields(gdfit: Gdfit, intercept: bool) -> None:
    x, y = real_data("iris")
    kinds, weights = np.arange(len(y)) // 50, 1.0 + np.arange(len(y)) % 3
    table = (x[:, 0], kinds, weights, y)
    lines = ["a,kind,v,y", *(f"{a},k{k},{v},{b}" for a, k, v, b in zip(*table, strict=True))]
    Path("iris.csv").write_text("\n".join(lines) + "\n")
    options = ["--features", "a,a^2,kind", "--weights", "v", "--target", "y"]
    gdfit("train", "iris.csv", *options, *([] if intercept else ["--no-intercept"]))
    Path("new.csv").write_text("a,kind\n5.5,k1\n,k2\n6,new\n7,k0\n")
    result = gdfit("predict", "new.csv", "--interval", "0.8", "--confidence", "0.8")
    header, *rows = csv.reader(io.StringIO(result.out))
    assert header[2:] == ["y_hat", "y_low", "y_high", "y_mean_low", "y_mean_high"]
    assert rows[1][2:] == rows[2][2:] == [""] * 5
    assert "gdfit: note: the model has weights: a new observation counts 1\n" in result.err
    columns = [x[:, 0], x[:, 0] ** 2, kinds == 1, kinds == 2]
    design = np.column_stack([*columns, *[np.ones(len(y))] * intercept])
    root = np.sqrt(weights)[:, np.newaxis]
    inverse = np.linalg.inv((design * root).T @ (design * root))
    params = inverse @ (design * root).T @ (y * root[:, 0])
    df = len(y) - design.shape[1]
    variance = float((weights * (y - design @ params) ** 2).sum()) / df
    margin = t_quantile(0.8, df)
    for row, (a, kind) in ((rows[0], (5.5, 1)), (rows[3], (7.0, 0))):
        at = np.array([a, a * a, kind == 1, kind == 2, *[1.0] * intercept])
        share = float(at @ inverse @ at)
        for (low, high), own in ((row[3:5], 1.0), (row[5:7], 0.0)):
            reach = margin * math.sqrt(variance * (own + share))
            expected = [float(at @ params) - reach, float(at @ params) + reach]
            assert [float(low), float(high)] == pytest.approx(expected, rel=1e-7)


def test_a_run_that_has_not_arrived_gets_a_note(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "--lr", "0.01", "--epochs", "3")
    short = gdfit("predict", "--x", "2.8", "--interval", "0.95")
    gdfit("train", LECTURE)
    arrived = gdfit("predict", "--x", "2.8", "--interval", "0.95")
    assert "has not arrived" in short.err
    assert arrived.err == ""
    assert short.out.split()[1:] == arrived.out.split()[1:]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--l2", "1"], "it has a penalty; without --l2 it would have them"),
        (["--loss", "mae"], "they are for --loss mse and logistic"),
        (["--features", "x,x^2", "--skip-end", "22"], "it has too few observations"),
    ],
)
def test_models_without_intervals_say_so(options: list[str], words: str, gdfit: Gdfit) -> None:
    assert gdfit("train", LECTURE, "--epochs", "5", *options).status == 0
    result = gdfit("predict", LECTURE, "--interval", "0.95")
    assert (result.status, result.out) == (1, "")
    assert result.err.splitlines()[-1].endswith(words) or words in result.err


def test_of_many_features_no_precision_is_kept(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("descent.run", "model.intervals"):
        monkeypatch.setattr(f"gdfit.{place}.MOST_PRECISE", 2)
    for degree, status in (("2", 0), ("3", 1)):
        assert gdfit("train", LECTURE, "--degree", degree).status == 0
        kept = json.loads(Path("gdfit.json").read_text())["precision"]
        result = gdfit("predict", LECTURE, "--interval", "0.95")
        assert (kept is None, result.status) == (bool(status), status)
    assert result.out == ""
    assert result.err.strip().endswith(
        "the model has no intervals: they are kept for 2 features at most"
    )


@pytest.mark.parametrize("by", [[], ["--by", "k"]])
def test_a_precision_that_can_not_be_is_refused_before_anything_is_written(
    by: list[str], gdfit: Gdfit
) -> None:
    rows = "".join(f"{x},{x * 37 % 11},{'ab'[x % 2]}\n" for x in range(12))
    Path("data.csv").write_text(f"x,y,k\n{rows}")
    gdfit("train", "data.csv", "--features", "x", "--target", "y", *by)
    record = json.loads(Path("gdfit.json").read_text())
    of_last = record[-1] if by else record
    known = of_last["precision"]
    for change in ({"df": -7}, {"df": 0}, {"std_error": -1}, {"std_error": math.inf}):
        of_last["precision"] = {**known, **change}
        Path("other.json").write_text(json.dumps(record))
        result = gdfit("predict", "data.csv", "--interval", "0.9", "--model", "other.json")
        assert (result.status, result.out) == (1, ""), change
        assert "gdfit: error: the model has no intervals: " in result.err
    of_last["precision"] = known
    Path("other.json").write_text(json.dumps(record))
    assert gdfit("predict", "data.csv", "--interval", "0.9", "--model", "other.json").status == 0


def test_levels_are_parts_of_one(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE)
    result = gdfit("predict", "--x", "2.8", "--interval", "95")
    assert result.status == 2
    assert result.err.endswith("not 95: gdfit predict --x 2.8 --interval 0.95\n")
    assert gdfit("predict", "--x", "1", "--confidence", "0").status == 2
    assert gdfit("summary", LECTURE, "--level", "95").err.endswith("--level 0.95\n")
    table = "x,y_low\n1,2\n"
    result = gdfit("predict", "-", "--interval", "0.5", stdin=table.encode())
    assert "there is a column 'y_low' already" in result.err


KINDS = ("hc0", "hc1", "hc2", "hc3", "cluster")
# statsmodels takes leverages without the weights.
WITH_KINDS = [(name, kind) for name in NAMES for kind in KINDS]
WITH_KINDS += [(name, kind) for name in WEIGHED for kind in ("hc0", "hc1", "cluster")]


@pytest.mark.parametrize(("name", "kind"), WITH_KINDS)
def test_robust_errors(name: str, kind: str) -> None:
    expected = REFERENCE[name]["standard_errors"]
    observations = observations_of(name)
    robust = cast(Robust, None if kind == "cluster" else kind)
    groups = clusters(observations.count) if kind == "cluster" else None
    summary = library.summarize(observations, robust=robust, cluster=groups)
    assert [row.std_error for row in summary.rows] == pytest.approx(expected[kind], rel=1e-8)
    assert summary.standard_errors == kind
    if name == "wine" and kind in ("hc3", "cluster"):
        found = [row.p for row in summary.rows][:-1]
        assert found == pytest.approx(REFERENCE[name][f"{kind}_p"], rel=1e-6)


def test_weighted_leverages_are_those_of_the_weighted_rows() -> None:
    x, y = real_data("iris")
    weights = weights_of("iris, weighted", len(y))
    assert weights is not None
    root = np.sqrt(weights)
    columns = np.column_stack([x, np.ones(len(y))]) * root[:, np.newaxis]
    weighted = library.summarize(x, y=y, weights=weights, robust="hc3")
    plain = library.summarize(columns, y=y * root, intercept=False, robust="hc3")
    expected = [row.std_error for row in plain.rows]
    found = [row.std_error for row in weighted.rows]
    assert found == pytest.approx(expected[: len(found)], rel=1e-9)


def table_of(name: str, cluster: Callable[[float], str] = "g{:.0f}".format) -> str:
    """A data set as CSV, with its clusters, and weights that need no column of x."""
    x, y = real_data(name)
    groups = map(cluster, clusters(len(y)).tolist())
    rows = zip(groups, x.tolist(), y.tolist(), strict=True)
    header = ",".join(["group", *(f"x{place}" for place in range(x.shape[1])), "y"])
    lines = [",".join([group, *map(repr, features), repr(seen)]) for group, features, seen in rows]
    return "\n".join([header, *lines]) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_files_are_read_once_more(name: str, gdfit: Gdfit) -> None:
    Path("data.csv").write_text(table_of(name))
    gdfit("train", "data.csv", "--exclude", "group", "--epochs", "5")
    expected = REFERENCE[name]["standard_errors"]
    for options in (["--robust", "hc3"], ["--cluster", "group"]):
        record = gdfit.json("summary", "data.csv", *options)
        kind = record["standard_errors"]
        errors = [row["std_error"] for row in record["params"]]
        assert errors == pytest.approx(expected[kind], rel=1e-8)
        assert kind == options[-1].replace("group", "cluster")
    Path("numbers.csv").write_text(table_of(name, "{:.1f}".format))
    gdfit("train", "numbers.csv", "--exclude", "group", "--epochs", "5")
    record = gdfit.json("summary", "numbers.csv", "--cluster", "group")
    errors = [row["std_error"] for row in record["params"]]
    assert errors == pytest.approx(expected["cluster"], rel=1e-8)


def test_clusters_of_many_units(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(table_of("diabetes"))
    data = Dataset((str(path),), Selection(exclude=("group",)), unit_bytes=1000)
    observations = data.observations()
    model = library.train(observations, epochs=3).model
    scatter = read_scatter(model, data, observations, "cluster", "group")
    summary = library.summarize(observations, model, robust=scatter)
    expected = REFERENCE["diabetes"]["standard_errors"]["cluster"]
    assert [row.std_error for row in summary.rows] == pytest.approx(expected, rel=1e-8)


def test_robust_errors_of_terms_weights_and_missing_fields(gdfit: Gdfit) -> None:
    import pandas as pd

    x, y = real_data("iris")
    count = len(y)
    frame = pd.DataFrame({"a": x[:, 0], "kind": [f"k{i // 50}" for i in range(count)], "y": y})
    frame["v"], frame["group"] = 1.0 + np.arange(count) % 3, [f"g{i % 7}" for i in range(count)]
    frame.loc[[3, 70], "a"] = np.nan
    frame.loc[5, "group"] = None
    frame.to_csv("data.csv", index=False)
    options = ["--features", "a,a^2,kind", "--weights", "v", "--target", "y", "--drop-missing"]
    gdfit("train", "data.csv", *options)
    whole = frame.dropna(subset=["a"])
    columns = [whole["a"], whole["a"] ** 2, whole["kind"] == "k1", whole["kind"] == "k2"]
    design = np.column_stack([*columns, np.ones(len(whole))])
    y, weights = whole["y"].to_numpy(), whole["v"].to_numpy()
    expected = library.summarize(design[:, :-1], y=y, weights=weights, robust="hc2")
    result = gdfit("summary", "data.csv", "--robust", "hc2", "--drop-missing", "--format", "json")
    record = json.loads(result.out)
    found = [row["std_error"] for row in record["params"]]
    assert found == pytest.approx([row.std_error for row in expected.rows], rel=1e-8)
    assert result.err.count("skipped 2 rows") == 1
    result = gdfit("summary", "data.csv", "--cluster", "group", "--drop-missing")
    assert (result.status, result.out) == (1, "")
    assert "data.csv, column 'group': 1 row has no value" in result.err
    result = gdfit("summary", "data.csv", "--cluster", "group", "--drop-missing", "--missing", "g1")
    assert "column 'group'" in result.err


def test_what_robust_errors_cannot_be_of(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE)
    text = LECTURE.read_bytes()
    for options, words in (
        (["-", "--robust", "hc1"], "standard input can be read only once"),
        ([LECTURE, "--robust", "hc1", "--cluster", "x"], "--robust does not go with --cluster"),
        ([LECTURE, "--robust", "hc4"], "takes hc0, hc1, hc2 or hc3"),
        ([LECTURE, "--cluster", "nobody"], "there is no column 'nobody'"),
    ):
        result = gdfit("summary", *options, stdin=text)
        assert result.status in (1, 2)
        assert words in result.err
        assert "gdfit train" not in result.err
        assert result.out == ""
    with pytest.raises(GdfitError, match="alone tells a param"):
        library.summarize([[0, 1], [0, 2], [0, 4], [1, 3]], y=[1, 2, 3, 9], robust="hc3")
    with pytest.raises(UsageError, match="a cluster for each of the 3 observations, not 2"):
        library.summarize([1, 2, 4], y=[1, 2, 3.5], cluster=["a", "b"])
    with pytest.raises(UsageError, match="two values at least"):
        library.summarize([1, 2, 4], y=[1, 2, 3.5], cluster=["a"] * 3)


@pytest.mark.parametrize("name", [*NAMES, *WEIGHED])
def test_nested_models(name: str) -> None:
    observations = observations_of(name)
    x, y = real_data(name)
    names = observations.features[: x.shape[1] // 2]
    weights = weights_of(name, len(y))
    part = library.observations_from(x[:, : len(names)], y, names, weights=weights)
    smaller = library.train(part, epochs=3).model
    found = library.summarize(observations, against=smaller).anova
    assert found is not None
    assert vars(found) == pytest.approx(REFERENCE[name]["anova"], rel=1e-8)


def test_against_in_a_shell(gdfit: Gdfit) -> None:
    for features, model in (("light", "small.json"), ("warmth,light", "gdfit.json")):
        gdfit("train", GREENHOUSE, "--features", features, "--model", model)
    record = gdfit.json("summary", GREENHOUSE, "--against", "small.json")
    t = record["params"][0]["t"]
    assert record["anova"]["f"] == pytest.approx(t * t, rel=1e-9)
    assert record["anova"]["p"] == pytest.approx(record["params"][0]["p"], rel=1e-9)
    assert [record["anova"][key] for key in ("df1", "df2")] == [1, 45]
    table = gdfit("summary", GREENHOUSE, "--against", "small.json").out
    assert f" against    F {t * t:.8g} on 1 and 45 degrees of freedom, p = " in table
    assert "anova" not in gdfit.json("summary", GREENHOUSE)
    for options, words in (
        (["--features", "water"], "whose columns are among this one's, and that is of"),
        (["--features", "light", "--skip-end", "1"], "of the same 48 observations, not of 47"),
        (["--features", "light", "--no-intercept"], "with an intercept"),
        (["--features", "light,warmth"], "this model has no param more"),
        (["--features", "light", "--weights", "water"], "with the same weights"),
    ):
        assert gdfit("train", GREENHOUSE, "--model", "other.json", *options).status == 0
        result = gdfit("summary", GREENHOUSE, "--against", "other.json")
        assert (result.status, result.out) == (1, "")
        assert words in result.err


@pytest.mark.parametrize("features", [["x"], ["x", "x^2"]])
def test_bands_about_the_line(features: list[str]) -> None:
    from gdfit.show.pictures.figure import draw

    observations = library.read_observations(str(LECTURE), features=features)
    fit = library.train(observations, epochs=30)
    axes = draw(fit, fit.history, "fit", 0.9).axes[0]
    bands = {str(band.get_label()): band for band in axes.collections}
    for what, mean in (("a new observation", False), ("the mean", True)):
        band = bands[f"90 %: {what}"]
        (path,) = band.get_paths()
        corners = np.array(path.vertices)
        x = np.unique(corners[:, 0])[[0, -1]]
        _, low, high = fit.model.predict_interval(x[:, np.newaxis], 0.9, mean=mean)
        for place, across in enumerate(x):
            up = corners[corners[:, 0] == across, 1]
            assert [up.min(), up.max()] == pytest.approx([low[place], high[place]], rel=1e-9)
            assert axes.get_ylim()[0] < up.min() < up.max() < axes.get_ylim()[1]
    plain = draw(fit, fit.history, "fit").axes[0]
    assert not [band for band in plain.collections if "90 %" in str(band.get_label())]


@pytest.mark.parametrize("loss", ["mse", "logistic"])
def test_nothing_tells_where_dependent_columns_come_apart(gdfit: Gdfit, loss: str) -> None:
    rows = [(x, 3 * x, int(x % 3 > x / 6) if loss == "logistic" else x % 5) for x in range(12)]
    Path("d.csv").write_text("x,z,y\n" + "".join(f"{x},{z},{y}\n" for x, z, y in rows))
    Path("e.csv").write_text("x,z,y\n2,6,1\n2,600,1\n")
    gdfit("train", "d.csv", "--loss", loss)
    result = gdfit("predict", "e.csv", "--confidence", "0.9")
    assert "columns depend on each other: intervals are for rows in which" in result.err
    along, apart = (line.split(",") for line in result.out.splitlines()[1:])
    assert float(along[4]) < float(along[3]) < float(along[5])
    assert (bool(apart[3]), apart[4:]) == (True, ["", ""])
    whole = gdfit("predict", "d.csv", "--confidence", "0.9").out.splitlines()[1:]
    assert all(all(line.split(",")) for line in whole)
    gdfit("train", "d.csv", "--loss", loss, "--features", "x")
    alone = gdfit("predict", "e.csv", "--confidence", "0.9").out.splitlines()[1].split(",")
    assert [*map(float, along[3:])] == pytest.approx([*map(float, alone[3:])], rel=1e-6)


def test_bands_are_drawn_or_refused(gdfit: Gdfit) -> None:
    result = gdfit("train", LECTURE, "--plot", "fit.svg", "--interval", "0.95", "-q")
    assert (result.status, result.err) == (0, "")
    assert "95 %: a new observation" in Path("fit.svg").read_text()
    for options, status, words in (
        (["--interval", "0.95"], 2, "it is drawn by --plot"),
        (["--interval", "0.95", "--plot", "a.svg", "--panel", "loss"], 2, "about the fit"),
        (["--interval", "0.95", "--plot", "a.svg", "--l2", "1"], 1, "it has a penalty"),
        (["--interval", "0.95", "--plot", "a.svg", "--loss", "mae"], 1, "for --loss mse and"),
    ):
        result = gdfit("train", LECTURE, "-q", *options)
        assert (result.status, result.out) == (status, "")
        assert words in result.err
        assert not Path("a.svg").exists()
    result = gdfit("train", GREENHOUSE, "--plot", "b.svg", "--interval", "0.95", "-q")
    assert "about the line of one number, and there are several" in result.err
    classes = "x,y\n" + "".join(f"{x},{int(x % 3 > x / 6)}\n" for x in range(12))
    options = ["--loss", "logistic", "--plot", "c.svg", "--interval", "0.9", "-q"]
    assert gdfit("train", "-", *options, stdin=classes.encode()).status == 0
    assert "90 %: the probability" in Path("c.svg").read_text()
    assert "a new observation" not in Path("c.svg").read_text()
