"""Cross-validation: folds that are the same however the data come, and the loss on each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gdfit
import gdfit as library
from classed import target_for
from conftest import LECTURE, Gdfit
from gdfit.arrays import FloatArray
from gdfit.data.dataset import Dataset
from gdfit.data.in_memory import with_folds
from gdfit.data.reduction.sampling import Folds
from gdfit.descent.losses import LOSSES, loss_of
from gdfit.descent.settings import LossName, Settings
from gdfit.errors import UsageError


def data(count: int = 60, features: int = 3, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Columns in units of their own, and a target with noise."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, features)) * 10.0 ** np.arange(features) + 3
    return x, x @ 10.0 ** -np.arange(features) + random.normal(size=count)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 60) | st.integers(1, 5000), min_size=1, max_size=12),
    st.integers(2, 40),
    st.integers(0, 9),
)
def test_folds_have_each_row_once_and_are_as_large(sizes: list[int], folds: int, seed: int) -> None:
    dealing, first = Folds(folds, seed), 0
    parts: list[list[int]] = [[] for _ in range(folds)]
    for number, (size, piles) in enumerate(zip(sizes, dealing.settled(sizes), strict=True)):
        *dealt, left = dealing.dealt((0, number), np.arange(size))
        for part, rows in zip(parts, dealt, strict=True):
            part += [first + row for row in rows.tolist()]
        for pile, row in zip(piles, left.tolist(), strict=True):
            parts[pile].append(first + row)
        first += size
    assert sorted(row for part in parts for row in part) == [*range(first)]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("features", [1, 4])
def test_leaving_out_one_is_press(features: int) -> None:
    x, y = data(50, features)
    design = np.column_stack([x, np.ones(50)])
    hat = design @ np.linalg.pinv(design)
    press = np.mean(((y - hat @ y) / (1 - np.diag(hat))) ** 2)
    found = gdfit.cross_validate(x, y, 50, scale="whiten")
    assert found.mean == pytest.approx(press, rel=1e-8)
    assert found.std_error == pytest.approx(np.std(found.losses, ddof=1) / np.sqrt(50))


def test_the_same_folds_however_the_data_come(gdfit: Gdfit, tmp_path: Path) -> None:
    x, y = data(500)
    frame = pd.DataFrame(np.column_stack([x, y]), columns=["a", "b", "c", "y"])
    path = tmp_path / "d.csv"
    frame.to_csv(path, index=False)
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    frame.to_parquet(tmp_path / "d.parquet")
    options = ["--cv", 7, "--no-model", "--format", "json"]
    expected = json.loads(gdfit("train", path, *options).out)
    for name in ("d.csv.gz", "d.parquet"):
        found = json.loads(gdfit("train", tmp_path / name, *options).out)
        assert found["cv"]["losses"] == pytest.approx(expected["cv"]["losses"], rel=1e-12)
    piped = gdfit("train", "-", *options, stdin=path.read_bytes())
    assert json.loads(piped.out)["cv"] == expected["cv"]
    assert list(gdfit_module().cross_validate(frame, "y", 7).losses) == pytest.approx(
        expected["cv"]["losses"], rel=1e-12
    )
    other = json.loads(gdfit("train", path, *options, "--seed", 1).out)
    assert other["cv"]["losses"] != expected["cv"]["losses"]


def gdfit_module() -> Any:
    """The package, which a fixture is called as."""
    return gdfit


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_is_that_of_a_run_without_the_fold(loss: LossName) -> None:
    x, y = data(80, 2)
    y = target_for(loss, y)
    how: dict[str, Any] = {"loss": loss, "lr": 0.1, "scale": "standardize", "epochs": 50}
    found = gdfit.cross_validate(x, y, 4, **how)
    dealing = Folds(4, 0)
    *folds, left = dealing.dealt((0, 0), np.arange(80))
    assert not len(left)
    for rows, expected in zip(folds, found.losses, strict=True):
        others = np.setdiff1d(np.arange(80), rows)
        model = gdfit.train(x[others], y[others], **how).model
        z = np.asarray(model.predictor([*x[rows].T]))
        value = loss_of(Settings(loss=loss)).value(z, y[rows]).mean()
        assert expected == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_runs_are_compared_by_folds_in_python_as_by_the_command(gdfit: Gdfit, l2: float) -> None:
    frame = pd.read_csv(LECTURE)
    options: dict[str, Any] = {"l2": [l2, 0.01, 2.0], "init": ["zeros", [1, 1]]}
    folds: Any = np.int64(4)
    compared = library.compare(frame, target="y", cv=folds, **options)
    alone = library.cross_validate(frame, target="y", folds=4, l2=compared.best.settings.l2)
    assert compared.best.held_out == pytest.approx(alone.mean, rel=1e-12)
    typed = ("--l2", f"{l2},0.01,2", "--init", "zeros", "--init", "1,1", "--cv", 4)
    told = json.loads(gdfit("compare", LECTURE, *typed, "--format", "json").out)
    assert [fit.model.facts["cv"] for fit in compared.fits] == [each["cv"] for each in told]
    with pytest.raises(UsageError, match="`cv` holds out each fold once"):
        library.compare(frame, target="y", cv=4, validation=0.2, **options)


def test_a_penalty_is_not_in_the_loss() -> None:
    x, y = data(60, 2)
    plain = gdfit.cross_validate(x, y, 5)
    penalized = gdfit.cross_validate(x, y, 5, l2=1e-9)
    assert penalized.mean == pytest.approx(plain.mean, rel=1e-6)
    assert gdfit.cross_validate(x, y, 5, l2=1.0).mean > plain.mean


def test_weights_and_categories() -> None:
    random = np.random.default_rng(1)
    x, y = data(90, 1)
    kinds = np.array(["a", "b", "c"])[random.integers(0, 3, 90)]
    frame = pd.DataFrame({"kind": kinds, "x": x[:, 0], "v": random.integers(1, 4, 90), "y": y})
    how: Any = {"features": ["kind", "x"], "weights": "v"}
    whole, folds = with_folds(frame, "y", 5, 0, **how)
    assert sum(fold.count for fold in folds) == whole.count == 90
    assert sum(fold.total_weight for fold in folds) == pytest.approx(whole.total_weight)
    assert {fold.features for fold in folds} == {whole.features}


def test_in_the_table_in_json_and_in_a_comparison(gdfit: Gdfit) -> None:
    train = ["train", LECTURE, "--cv", 5]
    assert " is the mean loss on 5 folds held out" in gdfit(*train, "--no-model").out
    assert gdfit.json(*train)["cv"]["folds"] == 5
    assert gdfit.json("train", LECTURE)["cv"] is None
    table = gdfit("compare", LECTURE, "--cv", 5, "--l2", 0, "--lr", "0.001,auto").out
    assert " cv " in table.splitlines()[2]
    runs: Any = gdfit.json("compare", LECTURE, "--cv", 5, "--scale", "none,whiten", "--epochs", 3)
    assert runs[0]["cv"]["mean"] > 0


def test_the_folds_of_a_whole_file_in_blocks(tmp_path: Path) -> None:
    x, y = data(3000, 2)
    path = tmp_path / "d.csv"
    np.savetxt(path, np.column_stack([x, y]), "%.12g", ",")
    whole, folds = Dataset((str(path),), unit_bytes=4096).folded(6)
    assert [fold.count for fold in folds] == [500] * 6
    plain = Dataset((str(path),)).observations()
    np.testing.assert_allclose(np.abs(whole.augmented), np.abs(plain.augmented), rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "told"),
    {
        "--cv 1": "--cv takes a number of folds from 2 on, not 1",
        "--cv 999999999999": "--cv takes 100,000 folds at most, not 999,999,999,999",
        "--cv 26": "--cv takes 25 folds at most here, one for each row",
        "--cv 5 --validation 0.2": "--cv holds out each fold once",
        "--cv 5 --target-loss 1": "--cv does not go with --target-loss",
        "--cv x": "--cv takes a number",
    }.items(),
)
def test_wrong_usage(gdfit: Gdfit, options: str, told: str) -> None:
    result = gdfit("train", LECTURE, *options.split())
    assert result.status == 2
    assert result.err.startswith("gdfit: error: ")
    assert told in result.err


def test_a_model_to_go_on_with_is_refused(gdfit: Gdfit, tmp_path: Path) -> None:
    model = tmp_path / "m.json"
    gdfit("train", LECTURE, "-q", "--model", model)
    result = gdfit("train", LECTURE, "--cv", 5, "--init", model)
    assert (result.status, "starts afresh" in result.err) == (2, True)
    with pytest.raises(UsageError, match="rows themselves"):
        gdfit_module().cross_validate(gdfit_module().observations_from([1, 2], [1, 2]))
