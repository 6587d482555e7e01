"""Frames of any kind that give their columns to Arrow: what pandas' come to, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

import gdfit
from inline import all_bits, assert_the_same_rows

ROWS = 50
RANDOM = np.random.default_rng(4)
COLUMNS: dict[str, Any] = {
    "x": RANDOM.normal(size=ROWS),
    "single": RANDOM.normal(size=ROWS).astype(np.float32),
    "whole": RANDOM.integers(-9, 9, ROWS).astype(np.int16),
    "holes": pa.array([None if row % 7 == 3 else row * 3 for row in range(ROWS)], pa.uint8()),
    "price": pa.array([Decimal(row % 9) / 8 for row in range(ROWS)], pa.decimal128(12, 3)),
    "kind": RANDOM.choice(["Adelie", ' "Chin", strap ', "Ångström"], ROWS),
    "place": pa.array([None if row % 9 == 4 else "abc"[row % 3] for row in range(ROWS)]),
    "flag": RANDOM.random(ROWS) < 0.5,
    "day": [date(2024, 1, 1) + timedelta(row % 3) for row in range(ROWS)],
    "v": RANDOM.integers(0, 3, ROWS),
    "y": RANDOM.normal(size=ROWS) + 3,
}
TABLE = pa.table(COLUMNS)
PANDAS = TABLE.to_pandas()

FRAMES: dict[str, Callable[[], Any]] = {
    "table": lambda: TABLE,
    "table in pieces": lambda: pa.concat_tables([TABLE[:7], TABLE[7:8], TABLE[8:8], TABLE[8:]]),
    "slice": lambda: pa.concat_tables([TABLE[:5], TABLE]).combine_chunks()[5:],
    "batch": lambda: TABLE.to_batches()[0],
    "reader": lambda: TABLE.to_reader(max_chunksize=9),
    "polars": lambda: polars.from_arrow(TABLE),
    "polars, categorical": lambda: polars.DataFrame(polars.from_arrow(TABLE)).with_columns(
        polars.col("kind").cast(polars.Categorical), polars.col("place").cast(polars.Enum("abc"))
    ),
    "duckdb": lambda: duckdb.from_arrow(TABLE),
    "pandas on arrow": lambda: TABLE.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas, categorical": lambda: PANDAS.astype({"kind": "category", "place": "category"}),
}

ASKED: list[dict[str, Any]] = [
    {},
    {"features": ["x", "single", "whole", "price"], "weights": "v"},
    {"features": ["kind", "flag", "day", "kind:x", "C(whole)"], "intercept": False},
    {"features": ["holes", "place", "x^2"], "target": "height"},
    {"exclude": "holes", "degree": 2},
]


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("kind", FRAMES)
def test_observations_are_those_of_pandas(kind: str, asked: dict[str, Any]) -> None:
    found, expected = (
        gdfit.observations_from(frame, "y", drop_missing=True, **asked)
        for frame in (FRAMES[kind](), PANDAS)
    )
    assert all_bits(found) == all_bits(expected)
    assert_the_same_rows(found, expected)
    assert (found.target_name, found.weights_name) == (
        expected.target_name,
        expected.weights_name,
    )
    assert found.left_out == expected.left_out


@pytest.mark.parametrize("kind", FRAMES)
def test_so_are_predictions_errors_and_summaries(kind: str) -> None:
    features = ["x", "kind", "place", "price^2"]
    observations = gdfit.observations_from(PANDAS, "y", features, drop_missing=True)
    model = gdfit.train(observations, epochs=5).model
    predicted, expected = (model.predict(frame) for frame in (FRAMES[kind](), PANDAS))
    assert np.isnan(expected).sum() == sum(row % 9 == 4 for row in range(ROWS))
    np.testing.assert_array_equal(predicted, expected)
    assert gdfit.evaluate(model, FRAMES[kind](), drop_missing=True) == gdfit.evaluate(
        model, PANDAS, drop_missing=True
    )
    like = gdfit.observations_from(FRAMES[kind](), "y", like=model, drop_missing=True)
    assert all_bits(like) == all_bits(observations)


@pytest.mark.parametrize("kind", FRAMES)
def test_faults_name_the_row_and_the_column(kind: str) -> None:
    frame = FRAMES[kind]()
    name = type(frame).__name__
    with pytest.raises(gdfit.GdfitError) as error:
        gdfit.observations_from(frame, "y", ["x", "holes"])
    assert str(error.value) == (
        f"the {name}, row 3 (from 0), column 'holes': the value is missing; `drop_missing` skips "
        "such rows"
    )
    with pytest.raises(gdfit.GdfitError, match=f"the {name}, row 0 .*'kind': .* is not a number"):
        gdfit.observations_from(FRAMES[kind](), "kind", "x")
    with pytest.raises(gdfit.GdfitError, match=f"^the {name}: there is no column 'z'"):
        gdfit.observations_from(FRAMES[kind](), "y", "z")


def test_a_target_and_weights_may_stand_beside_a_frame() -> None:
    frame = polars.DataFrame({"x": [1.0, 2.0, 4.0], "k": ["a", "b", "b"]})
    y, weights = polars.Series("height", [1, 2, 5]), polars.Series([1.0, 2.0, 0.0])
    found = gdfit.observations_from(frame, y, ["x", "k"], weights=weights)
    expected = gdfit.observations_from(
        frame.to_pandas(), y.to_pandas(), ["x", "k"], weights=weights.to_numpy()
    )
    assert all_bits(found) == all_bits(expected)
    assert found.target_name == "height"
    assert gdfit.observations_from(frame, np.array([1.0, 2, 5])).features == ("x",)


def test_a_frame_of_many_rows_is_read_in_units() -> None:
    rows = (1 << 18) + 1000
    x = np.random.default_rng(0).normal(size=rows)
    words = np.array(["a", "b", "c"])[np.arange(rows) // 100_000]
    frame = pd.DataFrame({"x": x, "k": words, "y": 2 * x + 1})
    found = gdfit.observations_from(frame, "y", ["x", "k"])
    of_table = gdfit.observations_from(pa.Table.from_pandas(frame), "y", ["x", "k"])
    assert all_bits(of_table) == all_bits(found)
    assert (found.count, found.features) == (rows, ("x", "k[b]", "k[c]"))
    assert found.last_values == ([x[-1], "c"], 2 * x[-1] + 1)
    gram = found.augmented.T @ found.augmented
    assert gram[0, 0] == pytest.approx(x @ x, rel=1e-12)
    frame.loc[rows - 5, "x"] = np.nan
    with pytest.raises(gdfit.GdfitError, match=rf"row {rows - 5} \(from 0\), column 'x'"):
        gdfit.observations_from(frame, "y", ["x", "k"])


WORDS = ["a", None, "b c", " a ", "NA", "3"]
NUMBERS = [1.5, None, -2.0, 0.0, 7.0, 1.5]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint32(), pa.large_string()),
    ],
    ids=str,
)
@pytest.mark.parametrize("start", [0, 2])
def test_words_of_any_type_are_those_words(kind: pa.DataType, start: int) -> None:
    """Also where the array begins before the first of them. In a dictionary, NA is one of them."""
    column = pa.array(WORDS, pa.string()).cast(kind)
    table = pa.table({"k": column, "y": range(len(WORDS))})[start:]
    found = gdfit.observations_from(table, "y", ["k"], drop_missing=True)
    missing = "" if pa.types.is_dictionary(kind) else "NA"
    rows = [(word.strip(), y) for y, word in enumerate(WORDS) if word and word != missing]
    assert found.expansion
    assert found.expansion.levels == (tuple(sorted({word for word, y in rows if y >= start})),)
    assert found.count == sum(y >= start for _, y in rows)


@pytest.mark.parametrize(
    "kind",
    [
        pa.float16(),
        pa.float32(),
        pa.float64(),
        pa.decimal128(9, 2),
        pa.decimal256(40, 2),
        pa.dictionary(pa.int8(), pa.float64()),
        pa.dictionary(pa.int32(), pa.float32()),
    ],
    ids=str,
)
@pytest.mark.parametrize("start", [0, 2])
def test_numbers_of_any_type_are_those_numbers(kind: pa.DataType, start: int) -> None:
    values: Any = NUMBERS
    if pa.types.is_decimal(kind):
        values = [None if value is None else Decimal(value) for value in NUMBERS]
    elif kind == pa.float16():
        values = [None if value is None else np.float16(value) for value in NUMBERS]
    column = (
        pa.array(values, kind.value_type).dictionary_encode().cast(kind)
        if pa.types.is_dictionary(kind)
        else pa.array(values, kind)
    )
    table = pa.table({"x": column, "y": range(len(values))})[start:]
    found = gdfit.observations_from(table, "y", drop_missing=True)
    rows = [[x, y] for y, x in enumerate(NUMBERS) if x is not None and y >= start]
    assert found.sample.tolist() == rows
