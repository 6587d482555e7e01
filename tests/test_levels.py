"""The levels of categories: what the data say, to the last digit, in an order of their own if they
have one."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

import gdfit
from conftest import Gdfit
from exported import run as run_exported
from gdfit.data.batch import Rows

LARGE = 2**53
IDS = (LARGE, LARGE + 1, LARGE + 2, 2**63 - 1, 2**63 - 2, 7)
EFFECTS = dict(zip(IDS, (1.0, 3.0, 5.0, -2.0, 8.0, 0.5), strict=True))


def large_ids(kind: Any = np.int64) -> pd.DataFrame:
    """Rows whose ids no float64 tells apart."""
    ids = np.array(IDS * 4, kind)
    return pd.DataFrame({"id": ids, "y": [EFFECTS[int(value)] for value in ids]})


def read(write: Callable[[pd.DataFrame, Path], Any]) -> Callable[[pd.DataFrame, Path], Any]:
    """What reads a frame back from a file that it is written to."""

    def observations(frame: pd.DataFrame, folder: Path) -> gdfit.Observations:
        path = folder / "ids"
        write(frame, path)
        return gdfit.read_observations(str(path), features=["C(id)"], target="y")

    return observations


WAYS: dict[str, Callable[[pd.DataFrame, Path], gdfit.Observations]] = {
    "csv": read(lambda frame, path: frame.to_csv(path, index=False)),
    "large csv": read(lambda frame, path: pd.concat([frame] * 4000).to_csv(path, index=False)),
    "parquet": read(lambda frame, path: frame.to_parquet(path)),
    "feather": read(lambda frame, path: feather.write_feather(frame, path)),
    "pandas": lambda frame, _: gdfit.observations_from(frame, "y", ["C(id)"]),
    "objects": lambda frame, _: gdfit.observations_from(frame.astype(object), "y", ["C(id)"]),
    "polars": lambda frame, _: gdfit.observations_from(polars.from_pandas(frame), "y", ["C(id)"]),
    "arrow": lambda frame, _: gdfit.observations_from(pa.table(frame), "y", ["C(id)"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_whole_numbers_beyond_float64_are_levels_of_their_own(way: str, tmp_path: Path) -> None:
    observations = WAYS[way](large_ids(), tmp_path)
    assert observations.expansion is not None
    assert observations.expansion.levels == (tuple(sorted(IDS)),)
    model = gdfit.train(observations, scale="whiten", lr=0.5, epochs=2).model
    path = tmp_path / "model.json"
    model.save(path)
    for known in (model, gdfit.load_model(path)):
        rows = np.array(IDS)[:, np.newaxis]
        expected = [EFFECTS[value] for value in IDS]
        for x in (rows, rows.tolist(), large_ids()[: len(IDS)], large_ids(np.uint64)[: len(IDS)]):
            assert known.predict(x) == pytest.approx(expected, abs=1e-9)
        assert known.at_inputs([LARGE + 1]) == pytest.approx(3.0, abs=1e-9)
        assert gdfit.evaluate(known, large_ids()).mae < 1e-9
    again = gdfit.observations_from(np.array(IDS), [*EFFECTS.values()], ["id"], like=model)
    assert again.sample.tolist() == [
        [*(float(value == level) for level in sorted(IDS)[1:]), EFFECTS[value]] for value in IDS
    ]


def test_a_command_tells_large_levels_apart(gdfit: Gdfit, tmp_path: Path) -> None:
    data, model = tmp_path / "ids.csv", tmp_path / "m.json"
    large_ids().to_csv(data, index=False)
    trained = gdfit("train", data, "-q", "--features", "C(id)", "--model", model)
    assert trained.status == 0, trained.err
    at = gdfit("predict", "--x", LARGE + 1, "--model", model)
    assert float(at.out) == pytest.approx(3.0, abs=1e-6)
    rows = gdfit("predict", data, "--model", model).out.splitlines()[1:]
    assert [float(row.split(",")[2]) for row in rows] == pytest.approx(
        [float(row.split(",")[1]) for row in rows], abs=1e-6
    )


@pytest.mark.parametrize("language", ["sqlite", "duckdb", "python", "c"])
def test_exports_tell_large_levels_apart(language: str, tmp_path: Path) -> None:
    model = gdfit.train(gdfit.observations_from(large_ids(), "y", ["C(id)"])).model
    found = run_exported(language, model, [[value] for value in IDS], tmp_path)
    assert found == model.predict(large_ids()[: len(IDS)]).tolist()


def test_excel_has_too_few_digits_for_large_levels() -> None:
    model = gdfit.train(gdfit.observations_from(large_ids(), "y", ["C(id)"])).model
    with pytest.raises(gdfit.GdfitError, match="column 'id': has levels that Excel"):
        gdfit.export(model, "excel")


@pytest.mark.parametrize("repeats", [1, 20_000])
def test_ways_to_write_a_number_are_one_level(repeats: int, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("k,y\n" + "2,1\n2.0,1\n1e1,2\n10,2\n 0.5,3\n.50,3\n" * repeats)
    observations = gdfit.read_observations(str(path), features=["C(k)", "k"], target="y")
    assert observations.features == ("k[2]", "k[10]", "k")


SIZES = ["none", "low", "middle", "high"]


def in_order() -> pd.DataFrame:
    """Sizes in an order that is not the alphabet's, of which the first does not come."""
    sizes = pd.Categorical(["high", "low", "middle", "low"] * 5, SIZES, ordered=True)
    return pd.DataFrame({"size": sizes, "y": np.arange(20.0)})


@pytest.mark.parametrize(
    "frame",
    [
        in_order,
        lambda: polars.DataFrame(
            {
                "size": polars.Series([*in_order()["size"]], dtype=polars.Enum(SIZES)),
                "y": in_order()["y"].to_numpy(),
            }
        ),
        lambda: pa.table(in_order()),
    ],
)
def test_an_order_of_their_own_is_kept(frame: Callable[[], Any]) -> None:
    observations = gdfit.observations_from(frame(), "y", ["size"])
    assert observations.features == ("size[middle]", "size[high]")
    assert observations.expansion is not None
    assert observations.expansion.levels == (("low", "middle", "high"),)
    effects = {"low": 8.0 + 2 * 1.0, "middle": 10.0, "high": 8.0}
    model = gdfit.train(observations, scale="whiten", lr=0.5, epochs=2).model
    assert model.predict([[each] for each in effects]) == pytest.approx([*effects.values()])


@pytest.mark.parametrize("write", ["to_parquet", "to_feather"])
def test_files_keep_the_order(write: str, tmp_path: Path) -> None:
    path = str(tmp_path / "sizes")
    getattr(in_order(), write)(path)
    read = gdfit.read_observations(path, features=["size"], target="y", keep_rows=True)
    assert read.features == ("size[middle]", "size[high]")
    assert (
        read.sample.tolist() == gdfit.observations_from(in_order(), "y", ["size"]).sample.tolist()
    )


def test_without_an_order_levels_are_sorted(tmp_path: Path) -> None:
    frame = in_order()
    frame["size"] = frame["size"].cat.as_unordered()
    parquet.write_table(pa.table(frame), tmp_path / "t")
    assert gdfit.observations_from(frame, "y", ["size"]).features == ("size[low]", "size[middle]")


@pytest.mark.parametrize("word", ["None", "NA", "nan", "null", "n/a"])
@pytest.mark.parametrize("of", [lambda frame: frame, polars.from_pandas, pa.table])
def test_a_level_of_a_frame_is_not_missing(word: str, of: Callable[[pd.DataFrame], Any]) -> None:
    kinds = pd.Categorical([word, "a", "b", word] * 3)
    frame = pd.DataFrame({"kind": kinds, "y": [1.0, 2.0, 4.0, 1.0] * 3})
    observations = gdfit.observations_from(of(frame), "y", ["kind"])
    assert observations.expansion is not None
    assert word in observations.expansion.levels[0]
    frame.loc[1, "kind"] = np.nan
    with pytest.raises(gdfit.GdfitError, match=r"row 1 .*the value is missing"):
        gdfit.observations_from(of(frame), "y", ["kind"])


MASKED = np.ma.masked_values([1.0, -9.0, 3.0, 4.0], -9.0)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (MASKED, [1.0, 2.0, 3.0, 4.0]),
        (MASKED.astype(int), [1.0, 2.0, 3.0, 4.0]),
        ([1.0, 2.0, 3.0, 4.0], MASKED),
        (np.ma.column_stack([MASKED, MASKED]), [1.0, 2.0, 3.0, 4.0]),
        ([MASKED[:2], MASKED[2:], MASKED[2:], MASKED[2:]], [1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_what_is_masked_is_missing(x: Any, y: Any) -> None:
    with pytest.raises(gdfit.GdfitError, match=r"is nan in row [01], counted from 0"):
        gdfit.observations_from(x, y)
    assert gdfit.observations_from(x, y, drop_missing=True).count == 3


def test_a_mask_is_kept_where_a_model_predicts() -> None:
    model = gdfit.LinearModel((2.0,), 1.0, ("x",), "y")
    assert np.isnan(model.predict(MASKED[:, np.newaxis])).tolist() == [False, True, False, False]
    with pytest.raises(gdfit.GdfitError, match="weights must be finite"):
        gdfit.observations_from([1, 2, 3, 4], [1, 2, 3, 4], weights=MASKED)


def test_what_is_fitted_can_be_pickled() -> None:
    frame = in_order().assign(x=np.arange(20.0) ** 1.5)
    for observations in (
        gdfit.observations_from(frame, "y", ["size", "x"], weights="x"),
        gdfit.observations_from(frame["x"], frame["y"]),
    ):
        again = pickle.loads(pickle.dumps(observations))
        for options in ({}, {"loss": "mae", "epochs": 9}, {"batch_size": 4, "lr": 1e-4}):
            fit = gdfit.train(observations, validation=observations, **options)
            assert gdfit.train(again, validation=again, **options).model == fit.model
            for same in (pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
                assert same.model == fit.model
                assert gdfit.train(same.observations, init=same.model, epochs=1).model.b
        comparison = gdfit.compare(observations, lr=[1e-4, 2e-4], epochs=3)
        assert pickle.loads(pickle.dumps(comparison)).frame.equals(comparison.frame)


def test_rows_in_a_file_are_pickled_with_what_is_made_of_them() -> None:
    rows = Rows(3, memory=100, block=10)
    rows.add(np.arange(93.0).reshape(31, 3))
    view = rows.changed(np.negative)
    assert not rows.in_memory
    again = pickle.loads(pickle.dumps(view))
    del rows
    assert np.concatenate([*again.blocks()]).tolist() == np.concatenate([*view.blocks()]).tolist()
