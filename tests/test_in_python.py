"""From data in Python to a model in one call: what it takes, what it warns of, and its types."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

import duckdb
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

import gdfit
from conftest import LECTURE, ROOT, Gdfit
from gdfit.data.in_memory import DataOptions
from gdfit.descent.compare import EachOption
from gdfit.descent.own import Own
from gdfit.descent.settings import LossName, OptimizerName, Settings, SettingsOptions


def trees(count: int = 60) -> pd.DataFrame:
    """Trees of three kinds."""
    random = np.random.default_rng(count)
    girth = random.uniform(8, 20, count)
    kind = random.choice(["ash", "elm", "oak"], count)
    height = 5 * girth + 3 * (kind == "elm") + random.normal(size=count)
    return pd.DataFrame({"girth": girth, "kind": kind, "height": height})


KINDS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "polars": polars.from_pandas,
    "arrow": lambda frame: pa.table(frame),
    "duckdb": lambda frame: duckdb.from_arrow(pa.table(frame)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_is_fitted_in_one_call(kind: str) -> None:
    how: DataOptions = {"target": "height", "features": ["girth", "kind"]}
    frame = KINDS[kind](trees())
    observations = gdfit.observations_from(frame, "height", ["girth", "kind"])
    expected = gdfit.train(observations)
    fit = gdfit.train(frame, **how)
    assert fit.model == expected.model
    assert fit.observations.features == ("girth", "kind[elm]", "kind[oak]")
    assert fit.predict(frame).tolist() == expected.model.predict(frame).tolist()
    assert fit.summary() == gdfit.summarize(frame, fit.model, **how)
    assert fit.summary(0.5).level == 0.5
    run = gdfit.Run(frame, **how)
    assert run.fit([*run]).model == expected.model
    both = gdfit.compare(frame, epochs=[5, 9], lr=0.001, **how)
    assert [each.settings.epochs for each in both.fits] == [9, 5]
    assert gdfit.train(frame, "height", degree=2).observations.features == ("girth", "girth^2")
    assert gdfit.train(frame).model == gdfit.train(frame, target="height").model


def test_arrays_are_fitted_in_one_call() -> None:
    frame = trees()
    expected = gdfit.train(gdfit.observations_from(frame["girth"], frame["height"]))
    assert gdfit.train(frame["girth"], frame["height"]).model == expected.model
    fit = gdfit.train(
        frame[["girth"]].to_numpy(), frame["height"], features=["g"], weights=[1] * 60
    )
    assert fit.model.features == ("g",)
    assert fit.observations.weight == 60
    assert gdfit.summarize([1, 2, 3], y=[1, 3, 5]).r_squared == 1


@pytest.mark.parametrize("fraction", [0.2, np.float64(0.5), 0.01])
@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_held_out_as_the_command_does(
    kind: str, seed: int, fraction: float, gdfit: Gdfit, tmp_path: Path
) -> None:
    frame, path = trees(301), tmp_path / "trees.csv"
    frame.to_csv(path, index=False)
    options = ["--features", "girth,kind", "--epochs", 50, "--seed", seed]
    record = gdfit.json("train", path, *options, "--validation", fraction, "--no-model")
    fit = fitted(KINDS[kind](frame), fraction, seed)
    assert fit.validation
    assert fit.validation.count == record["validation_observations"]
    assert list(fit.model.params) == [*record["w"], record["b"]]
    assert (fit.loss, fit.validation_loss) == (record["loss"], record["validation_loss"])


def fitted(frame: Any, fraction: float, seed: int) -> gdfit.Fit:
    """A fit with a part of the rows held out."""
    features = ["girth", "kind"]
    return gdfit.train(
        frame, "height", features=features, validation=fraction, seed=seed, epochs=50
    )


def test_weights_and_arrays_are_held_out_with_their_rows() -> None:
    frame = trees()
    weights = np.arange(60.0)
    fit = gdfit.train(frame["girth"], frame["height"], weights=weights, validation=0.25)
    assert fit.validation
    assert fit.observations.count + fit.validation.count == 59
    assert fit.observations.weight
    assert fit.validation.weight
    assert fit.observations.weight + fit.validation.weight == weights.sum()
    by_rows = gdfit.train(frame, "height", validation=0.25, loss="mae", batch_size=7, epochs=20)
    assert by_rows.validation
    assert by_rows.validation.rows


@pytest.mark.parametrize("name", ["row.names", "Unnamed: 0", "__index_level_0__"])
def test_a_column_of_an_array_is_a_feature_whatever_it_is_called(name: str) -> None:
    x = np.random.default_rng(0).normal(size=(9, 2))
    found = gdfit.observations_from(x, x.sum(axis=1), [name, "b"], degree=2)
    assert found.features[:2] == (name, "b")


def test_a_validation_set_may_be_data() -> None:
    frame, other = trees(), trees(20)
    observations = gdfit.observations_from(frame, "height", ["girth", "kind"])
    expected = gdfit.observations_from(other, "height", like=observations)
    for fit in (
        gdfit.train(observations, validation=expected, epochs=9),
        gdfit.train(frame, "height", features=["girth", "kind"], validation=other, epochs=9),
        gdfit.train(frame, target="height", features=["girth", "kind"], validation=other, epochs=9),
    ):
        assert fit.validation_loss == pytest.approx(
            ((fit.predict(other) - other["height"]) ** 2).mean(), rel=1e-9
        )
    x, y = other["girth"], other["height"]
    fit = gdfit.train(frame["girth"], frame["height"], validation=(x, y), epochs=9)
    assert fit.validation
    assert fit.validation.count == 20


OBSERVATIONS = gdfit.observations_from([1, 2, 3], [3, 5, 7])


@pytest.mark.parametrize(
    ("arguments", "options", "told"),
    [
        ((trees(),), {"validation": 1.5}, "`validation` takes a fraction between 0 and 1, not 1.5"),
        (
            (OBSERVATIONS,),
            {"validation": 0.5},
            "`validation` takes a fraction where rows are given",
        ),
        ((OBSERVATIONS,), {"target": "y"}, "observations have been made: `target` belongs to what"),
        ((OBSERVATIONS, [1, 2, 3]), {}, "observations have been made: y belongs to what"),
        (("a.csv",), {}, "`read_observations` reads a file as 'a.csv'; here x are rows"),
        ((trees(), "height"), {"shown": [5]}, "`shown` has no effect here: it goes with `leap`"),
        (([1, 2, 3],), {}, "`y` is missing, which names a column of a DataFrame; x is a list"),
        ((trees(), "height"), {"validation": [1]}, "`validation` takes observations, a fraction"),
        ((trees(1), "height"), {"validation": 0.5}, "holding out 0.5 of 1 row for validation"),
    ],
)
def test_wrong_data_is_told(arguments: Any, options: Any, told: str) -> None:
    with pytest.raises(gdfit.GdfitError) as error:
        gdfit.train(*arguments, **options)
    assert str(error.value).startswith(told)


def test_tensors_scalars_and_paths_are_taken() -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor([[1.0], [2.0], [4.0]], dtype=torch.float64, requires_grad=True)
    fit = gdfit.train(x, x[:, 0] * 2 + 1, lr=0.1)
    assert fit.model == gdfit.train([1, 2, 4], [3, 5, 9], lr=0.1, features=["x"]).model
    assert fit.predict(x[1]) == fit.predict(2) == fit.predict([2.0])
    assert gdfit.read_observations(LECTURE).count == 25


@pytest.mark.parametrize(
    ("by", "options", "told"),
    [
        ((1, 1), {"lr": 1e3}, "the learning rate 1000 is too large; lr='auto' chooses one"),
        ((1, 1e200), {}, "the squares of y leave float64; multiply the columns by a power of"),
        ((1e-310, 1), {}, "the params leave float64; multiply the columns by a power of ten"),
    ],
)
def test_why_a_run_has_diverged_is_told(by: Any, options: Any, told: str) -> None:
    x = np.array([1.0, 2, 4, 5])
    with pytest.warns(gdfit.GdfitWarning) as said:
        gdfit.train(by[0] * x, by[1] * x**2, **options)
    assert [told in str(each.message) for each in said] == [True]


@pytest.mark.parametrize("loss", ["mse", "logistic"])
def test_rows_are_evaluated_with_the_values_observed(loss: LossName) -> None:
    frame = trees().assign(tall=lambda frame: frame["height"] > 70)
    target = "height" if loss == "mse" else "tall"
    fit = gdfit.train(frame, target=target, features=["girth", "kind"], loss=loss, epochs=50)
    x, y = frame[["kind", "girth"]], frame[target]
    expected = gdfit.evaluate(fit, frame)
    for rows in (x, frame, polars.from_pandas(x), x[["girth", "kind"]].to_numpy()):
        for values in (y, y.to_numpy()):
            assert gdfit.evaluate(fit, rows, values) == expected
    line = gdfit.train(frame["girth"], frame["height"])
    alone = gdfit.evaluate(line, frame["girth"].to_numpy(), frame["height"].to_numpy())
    assert alone.mse == pytest.approx(line.loss)
    with pytest.raises(gdfit.GdfitError, match="are labelled otherwise than those of x"):
        gdfit.evaluate(fit, x, y[::-1])
    with pytest.raises(gdfit.GdfitError, match="goes with y of shape"):
        gdfit.evaluate(line, [1, 2, 3], [1, 2])


def test_what_is_no_data_is_not_evaluated() -> None:
    model = gdfit.LinearModel((2.0,), 1.0, ("x",), "y")
    with pytest.raises(
        gdfit.UsageError, match=r"`data` takes a DataFrame or files, or arrays.* not a DuckDBPyC"
    ):
        gdfit.evaluate(model, duckdb.connect())


def test_a_run_that_diverges_warns_and_is_not_saved_unless_asked(tmp_path: Path) -> None:
    with pytest.warns(gdfit.GdfitWarning, match="diverged at epoch .*the learning rate 1 is too"):
        fit = gdfit.train(gdfit.read_observations(str(LECTURE)), lr=1.0)
    path = tmp_path / "m.json"
    for save in (fit.save, fit.model.save):
        with pytest.raises(gdfit.GdfitError, match="the run has diverged"):
            save(path)
        assert not path.exists()
        save(path, diverged=True)
        assert json.loads(path.read_text())["status"] == "diverged"
        path.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gdfit.train(gdfit.read_observations(str(LECTURE)), lr=0.1).save(path)
    assert gdfit.load_model(path).facts["status"] == "completed"


def interrupted(path: Path) -> gdfit.Fit:
    """A run that is broken off after 3 of 100 epochs, and saved."""
    run = gdfit.Run(trees(), target="height", epochs=100, lr=1e-4)
    for step in run:
        if step.epoch == 3:
            break
    fit = run.fit()
    fit.save(path)
    return fit


def test_a_run_that_is_broken_off_is_interrupted(gdfit: Gdfit, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    fit = interrupted(path)
    assert (fit.status, fit.epochs) == ("interrupted", 3)
    assert json.loads(path.read_text())["status"] == "interrupted"
    result = gdfit("predict", "--x", 10, "--model", path)
    assert result.status == 0
    assert float(result.out) == fit.predict([10])
    assert result.err == (
        f"gdfit: note: {path} is the model of a run that was interrupted, after 3 epochs\n"
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"decay": 0.5}, "`decay` has no effect here: it is for `schedule` step"),
        ({"schedule": "cosine", "decay": 0.5}, "`decay` has no effect here: it is for"),
        ({"momentum": 0.5}, "`momentum` has no effect here: it is for `optimizer` momentum"),
        ({"optimizer": "adam", "momentum": 0.5}, "`momentum` has no effect here: it is for"),
        ({"optimizer": "momentum", "betas": (0.5, 0.6)}, "`betas` has no effect here: it is for"),
        ({"huber_delta": 2.0}, "`huber_delta` has no effect here: it is for `loss` huber"),
        ({"schedule": None}, "`schedule` takes one of constant, step, exponential, inverse"),
        ({"optimizer": None}, "`optimizer` takes one of gd, momentum"),
        ({"lr": None}, "`lr` takes a positive number or auto, not None"),
        ({"optimizer": "momentum", "momentum": None}, "`momentum` takes a number from 0 on"),
        ({"optimizer": "adam", "betas": (1, 1)}, "`betas` takes two numbers from 0 on that are"),
        ({"optimizer": "adam", "betas": (0.1, 0.2, 0.3)}, "`betas` takes two numbers from 0 on"),
    ],
)
def test_settings_are_refused_as_by_the_command(options: Any, told: str) -> None:
    for call in (gdfit.train, gdfit.compare, partial(gdfit.cross_validate, folds=2)):
        with pytest.raises(gdfit.UsageError) as error:
            call([1, 2, 3, 4], [3, 5, 7, 8], **options)
        assert str(error.value).startswith(told)


def test_what_one_of_the_runs_takes_is_for_that_one() -> None:
    found = gdfit.compare([1, 2, 3], [3, 5, 7], optimizer=["gd", "momentum"], momentum=[0.5, 0.6])
    assert {(fit.settings.optimizer, fit.settings.momentum) for fit in found.fits} >= {
        ("momentum", 0.5),
        ("momentum", 0.6),
    }
    assert gdfit.train([1, 2, 3], [3, 5, 7], momentum=0.9, decay=None).status == "completed"


def test_options_are_the_settings() -> None:
    kept = get_type_hints(Settings)
    for name, names in (("loss", LossName), ("optimizer", OptimizerName)):
        assert kept[name] == names | Own
        kept[name] = names | Callable[..., Any]  # of which that is made
    assert get_type_hints(SettingsOptions) == kept
    assert get_type_hints(EachOption).keys() == get_type_hints(Settings).keys()


SNIPPET = """import gdfit

fit = gdfit.train([1, 2, 3], [3, 5, 7], lr=0.1, epochs=10, loss="huber", validation=0.5)
fit = gdfit.train({}, target="y", features=["x"], lr="auto", scale="whiten", drop_missing=True)
run = gdfit.Run({}, "y", optimizer="adam", weights="w")
both = gdfit.compare({}, "y", lr=[0.1, "auto"], batch_size=[None, 4])
reveal_type(fit.summary().rows[0].p)
"""
WRONG = {
    "gdfit.train([1], [2], learning_rate=0.1)": 'Unexpected keyword argument "learning_rate"',
    'gdfit.train([1], [2], lr="fast")': 'Argument "lr" to "train" has incompatible type',
    'gdfit.train([1], [2], loss="rmse")': 'Argument "loss" to "train" has incompatible type',
    'gdfit.Run([1], [2], epochs="many")': 'Argument "epochs" to "Run" has incompatible type',
    'gdfit.compare([1], [2], optimizer=["sgd"])': "List item 0 has incompatible type",
}


def test_mypy_knows_the_options(tmp_path: Path) -> None:
    (tmp_path / "snippet.py").write_text(SNIPPET + "\n".join(WRONG) + "\n")
    command = [sys.executable, "-m", "mypy", "--strict", "snippet.py", "--cache-dir", "cache"]
    environment = {"MYPYPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*command, "--follow-imports", "silent"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    own = SNIPPET.count("\n")
    assert lines[0] == f'snippet.py:{own}: note: Revealed type is "float | None"', done.stdout
    errors = [line for line in lines if ": error: " in line]
    assert len(errors) == len(WRONG), done.stdout
    for number, (line, told) in enumerate(zip(errors, WRONG.values(), strict=True), own + 1):
        assert line.startswith(f"snippet.py:{number}: error: {told}")


@pytest.mark.parametrize("name", ["epochs", "batch_size", "patience"])
def test_true_is_no_number_of_epochs_or_rows(name: Any) -> None:
    options: dict[str, Any] = {name: True}
    with pytest.raises(gdfit.UsageError, match=name):
        gdfit.train([1.0, 2, 3], [1.0, 3, 4], validation=0.4, **options)


def test_validation_has_the_same_features() -> None:
    x = np.arange(12.0).reshape(6, 2)
    train, other = gdfit.observations_from(x, x[:, 0]), gdfit.observations_from(x[:, 0], x[:, 1])
    with pytest.raises(gdfit.UsageError, match="`validation` has other features"):
        gdfit.train(train, validation=other)


@pytest.mark.parametrize(
    ("options", "told"), [({"lr": 1e3}, "diverged"), ({"loss": "logistic", "epochs": 2}, "arrived")]
)
def test_warnings_name_the_line_that_trains(options: dict[str, Any], told: str) -> None:
    with pytest.warns(gdfit.GdfitWarning, match=told) as said:
        gdfit.train([1.0, 2, 3, 5, 4, 6], [0.0, 1, 0, 1, 0, 1], **options)
    assert {each.filename for each in said} == {__file__}
