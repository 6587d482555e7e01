"""DataFrames, Series and arrays in, predictions for rows out."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

import gdfit
from conftest import SAMPLES
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.sniffing import SNIFFED_ROWS


def table() -> pd.DataFrame:
    """Rows with y = 2a − i + 3, among text, dates and missing numbers that are not used."""
    return pd.DataFrame(
        {
            "word": list("pqrst"),
            "a": [1.0, 2.0, 4.0, 3.0, 0.5],
            "i": pd.array([3, 1, 1, 2, 7], dtype="Int64"),
            "day": pd.date_range("2020-01-01", periods=5),
            "kind": pd.Categorical([1, 2, 1, 2, 1]),
            "y": [2.0, 6.0, 10.0, 7.0, -3.0],
        }
    )


@pytest.mark.parametrize(
    "observations",
    [
        lambda frame: gdfit.observations_from(frame, "y"),
        lambda frame: gdfit.observations_from(frame, frame["y"]),
        lambda frame: gdfit.observations_from(frame.drop(columns="y"), frame["y"]),
    ],
)
def test_a_frames_columns_are_the_features(
    observations: Callable[[pd.DataFrame], gdfit.Observations],
) -> None:
    found = observations(table())
    assert found.features == ("a", "i")
    assert found.target_name == "y"
    assert found.left_out == ("word", "day", "kind")
    model = gdfit.train(found).model
    assert model.params == pytest.approx((2.0, -1.0, 3.0))


def test_names_of_columns_can_be_asked_for() -> None:
    found = gdfit.observations_from(table(), "y", features=["i"], target="height")
    assert (found.features, found.target_name, found.left_out) == (("i",), "height", ())
    numbered = gdfit.observations_from(pd.DataFrame([[1, 2], [3, 5]]), [1, 2])
    assert numbered.features == ("0", "1")


def test_numbers_of_any_kind_are_numbers() -> None:
    frame = table().assign(
        a=pd.Series([Decimal("1"), Fraction(2), 4, np.float32(3), 0.5], dtype=object),
        i=pd.Series([3, np.int8(1), 1, 2.0, 7], dtype=object),
    )
    found = gdfit.observations_from(frame, "y", features=["a", "i"])
    expected = gdfit.observations_from(table(), "y", features=["a", "i"])
    assert found.augmented.tolist() == expected.augmented.tolist()
    assert gdfit.observations_from(frame.assign(a=list("12345")), "y").features == ("i",)


def test_names_need_not_be_text() -> None:
    numbered = pd.DataFrame({0: [1.0, 2, 4, 3], 1: [5.0, 1, 2, 2], 7: [2.0, 1, 2, 5]})
    found = gdfit.observations_from(numbered, 7, features=["0", "1"])
    assert (found.features, found.target_name) == (("0", "1"), "7")
    model = gdfit.train(found).model
    assert model.predict(numbered.iloc[2]) == model.predict(numbered)[2]
    levels = numbered.set_axis(pd.MultiIndex.from_product([["u"], list("abc")]), axis=1)
    found = gdfit.observations_from(levels, ("u", "c"))
    assert (found.features, found.target_name) == (("('u', 'a')", "('u', 'b')"), "('u', 'c')")
    assert gdfit.train(found).model.predict(levels).tolist() == model.predict(numbered).tolist()


def test_a_series_has_a_name() -> None:
    frame = table()
    found = gdfit.observations_from(frame["a"], frame["y"])
    assert (found.features, found.target_name) == (("a",), "y")
    assert gdfit.observations_from([1, 2], [3, 4]).features == ("x",)
    assert gdfit.observations_from([[1, 2]], [3]).features == ("x1", "x2")


def test_a_frame_gives_what_its_file_does() -> None:
    path = str(SAMPLES / "greenhouse.csv")
    features = ["light", "water", "warmth"]
    frame = pd.read_csv(path)
    by_name = gdfit.observations_from(frame, "growth", features=features)
    read = gdfit.read_observations(path, features=features, target="growth")
    params = [gdfit.train(each, lr=0.1).model.params for each in (by_name, read)]
    assert params[0] == pytest.approx(params[1], rel=1e-12)


untyped: Any = gdfit
MODEL = gdfit.LinearModel((0.1, -0.7), 0.3, ("a", "i"), "y")


def test_predict_takes_rows() -> None:
    rows = [[1.0, 2.0], [3.0, 4.0]]
    expected = [0.1 * 1 + -0.7 * 2 + 0.3, 0.1 * 3 + -0.7 * 4 + 0.3]
    assert MODEL.predict(rows).tolist() == expected
    assert MODEL.predict(np.array(rows)).tolist() == expected
    assert MODEL.predict(np.empty((0, 2))).shape == (0,)


def test_one_row_gives_a_float() -> None:
    for row in ([1.0, 2.0], (1, 2), np.array([1, 2])):
        prediction = MODEL.predict(row)
        assert type(prediction) is float
        assert prediction == 0.1 * 1 + -0.7 * 2 + 0.3


def test_predict_finds_columns_by_name() -> None:
    frame = table()
    expected = MODEL.predict(frame[["a", "i"]].to_numpy(dtype=float))
    assert MODEL.predict(frame).tolist() == expected.tolist()
    assert MODEL.predict(frame[["i", "word", "a"]]).tolist() == expected.tolist()
    assert MODEL.predict(frame[["i", "a"]].iloc[1]) == expected[1]
    assert frame.assign(y_hat=MODEL.predict)["y_hat"].tolist() == expected.tolist()


def test_a_missing_number_has_no_prediction() -> None:
    frame = table().assign(i=pd.Series([3, None, 1, 2, 7], dtype="Int64"))
    assert np.isnan(MODEL.predict(frame)).tolist() == [False, True, False, False, False]
    observations = gdfit.observations_from(table(), "y", features=["a", "i"])
    assert np.isnan(gdfit.train(observations).model.predict([1.0, math.nan]))


def test_nor_has_one_beside_a_category(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("k,x,y\na,1,2\nb,2,3\na,3,5\nb,5,6\n")
    observations = gdfit.read_observations(str(tmp_path / "d.csv"), features=["k", "x"])
    model = gdfit.train(observations).model
    frame = pd.DataFrame({"k": ["a", "b", "b"], "x": [1.0, None, 2.0]})
    assert np.isnan(model.predict(frame)).tolist() == [False, True, False]


FAULTS: dict[str, tuple[Callable[[], object], str]] = {
    "a column that is not there": (
        lambda: MODEL.predict(table()[["a", "y"]]),
        "the DataFrame: there is no column 'i'; its columns with numbers are a, y",
    ),
    "a name twice": (
        lambda: MODEL.predict(table()[["a", "i", "i"]]),
        "the DataFrame: 2 columns are called 'i'; name them apart",
    ),
    "text": (
        lambda: MODEL.predict(table().assign(i=list("pqrst"))),
        "the DataFrame, row 0 (from 0), column 'i': 'p' is not a number",
    ),
    "columns for rows": (
        lambda: MODEL.predict(np.ones((2, 3))),
        "`x` takes a value for each feature (a, i), or rows of them, shape (n, 2), "
        "not shape (2, 3)",
    ),
    "a column of the one feature": (
        lambda: gdfit.LinearModel((1.0,), 0.0, ("x",), "y").predict([1.0, 2.0]),
        "`x` takes a value for each feature (x), or rows of them, shape (n, 1), not shape (2,); "
        "x.reshape(-1, 1) makes rows of a column",
    ),
    "a target that is not there": (
        lambda: gdfit.observations_from(table(), "z"),
        "the DataFrame: there is no column 'z'; its columns with numbers are a, i, y",
    ),
    "nothing but text": (
        lambda: gdfit.observations_from(table()[["word", "y"]].assign(word="p"), "y"),
        "the DataFrame: a fit needs a feature and a target, two columns with numbers; there is 'y' "
        "alone; there is text in word ('p')",
    ),
    "a missing number": (
        lambda: gdfit.observations_from(table().assign(a=[1.0, 2.0, float("nan"), 4.0, 5.0]), "y"),
        "the DataFrame, row 2 (from 0), column 'a': the value is missing; `drop_missing` skips "
        "such rows; `exclude` a leaves the column out",
    ),
    "a missing number in an array": (
        lambda: gdfit.observations_from([1.0, 2.0, float("nan")], [1, 2, 3]),
        "'x' is nan in row 2, counted from 0: x and y must be finite numbers",
    ),
    "rows labelled otherwise": (
        lambda: gdfit.observations_from(table(), table()["y"].sort_values()),
        "the rows of y are labelled otherwise than those of x; if they are in the same order, "
        "to_numpy() takes the labels off",
    ),
    "words": (
        lambda: gdfit.observations_from(["one", "two"], [1, 2]),
        "`x` takes numbers, and this list holds something else",
    ),
    "dates": (
        lambda: gdfit.observations_from(table()["day"], [1, 2, 3, 4, 5]),
        "`x` takes numbers, and this Series holds something else",
    ),
    "a name where there are none": (
        lambda: gdfit.observations_from([1, 2], "y"),
        "`y` is the name of a column, and x is no DataFrame",
    ),
    "a column for y": (
        lambda: gdfit.observations_from([1, 2], [[1], [2]]),
        "x of shape (N,) or (N, p) goes with y of shape (N,), not (2,) with (2, 1); np.ravel(y) "
        "takes its column out",
    ),
    "no columns": (lambda: gdfit.observations_from(np.ones((2, 0)), [1, 2]), "x has no columns"),
    "a degree that is no number": (
        lambda: untyped.observations_from(table(), "y", degree=1.5),
        "`degree` takes a whole number from 1 on, not 1.5",
    ),
    "no y to look at": (
        lambda: gdfit.summarize([1, 2]),
        "`y` is missing, which names a column of a DataFrame; x is a list",
    ),
    "a learning rate that is text": (
        lambda: gdfit.train(gdfit.observations_from([1, 2], [1, 2]), lr=cast(Any, "0.1")),
        "`lr` takes a positive number or auto, not '0.1'",
    ),
    "shapes that differ": (
        lambda: gdfit.observations_from([1, 2, 3], [1, 2]),
        "x of shape (N,) or (N, p) goes with y of shape (N,), not (3,) with (2,)",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_can_not_be_used_is_said(fault: str) -> None:
    act, message = FAULTS[fault]
    with pytest.raises(gdfit.GdfitError) as caught:
        act()
    assert str(caught.value) == message


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA], ids=str)
@pytest.mark.parametrize("name", ["kind", "x", "year"])
def test_no_prediction_where_a_value_is_missing(tmp_path: Path, name: str, nothing: object) -> None:
    rows = [
        ("a", 1.0, 2000, 3.0),
        ("b", 2.0, 2001, 5.0),
        ("a", 4.0, 2001, 4.0),
        ("b", 5.0, 2000, 9),
    ]
    frame = pd.DataFrame(rows, columns=["kind", "x", "year", "y"])
    frame.to_csv(tmp_path / "d.csv", index=False)
    features = ["kind", "log(x)", "C(year)"]
    model = gdfit.train(gdfit.read_observations(str(tmp_path / "d.csv"), features=features)).model
    whole = model.predict(frame)
    values = frame[name].tolist()
    values[2] = nothing
    holed = frame.assign(**{name: pd.Series(values, dtype=object)})
    found = model.predict(holed)
    assert np.isnan(found).tolist() == [False, False, True, False]
    assert np.delete(found, 2).tolist() == np.delete(whole, 2).tolist()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("weights", [None, [1, 2, 3]])
@pytest.mark.parametrize("place", ["u", "v", "y"])
def test_every_number_must_be_finite(value: float, weights: list[float] | None, place: str) -> None:
    """Those of each feature, of y, and of the weights."""
    columns = {name: [1.0, 2.0, 4.0] for name in "uvy"}
    columns[place][1] = value
    x = np.column_stack([columns["u"], columns["v"]])
    said = place if place == "y" else f"'{place}'"
    with pytest.raises(gdfit.GdfitError, match=f"^{said} is {value} in row 1, counted from 0"):
        gdfit.observations_from(x, columns["y"], ["u", "v"], weights=weights)
    with pytest.raises(gdfit.GdfitError, match="weights must be finite"):
        gdfit.observations_from([1, 2, 3], [1, 2, 3], weights=columns[place])


@pytest.mark.parametrize(
    ("word", "fault"), [("inf", "is not a finite number"), ("a", "is not a number")]
)
def test_a_word_among_numbers_is_told(word: str, fault: str) -> None:
    frame = pd.DataFrame({"x": pd.Series([1, 2, word], dtype=object), "y": [1.0, 2.0, 4.0]})
    with pytest.raises(gdfit.GdfitError, match=f"row 2 .*column 'x': '{word}' {fault}"):
        gdfit.observations_from(frame, "y", "x")


def test_bytes_say_what_their_text_does() -> None:
    texts = pd.DataFrame({"k": ["a", "é ", "a", "1.5"], "y": [1.0, 2.0, 4.0, 5.0]})
    stored = texts.assign(k=[text.encode() for text in texts["k"]])
    found, expected = (gdfit.observations_from(frame, "y", "k") for frame in (stored, texts))
    assert found.features == expected.features == ("k[a]", "k[é]")
    assert found.augmented.tolist() == expected.augmented.tolist()


@pytest.mark.parametrize("missing", [SNIFFED_ROWS - 1, SNIFFED_ROWS])
def test_a_column_is_judged_by_its_first_values_as_in_a_file(tmp_path: Path, missing: int) -> None:
    """One without any is left out, whatever comes below."""
    rows = np.random.default_rng(0).normal(size=(SNIFFED_ROWS + 20, 3))
    rows[:missing, 1] = math.nan
    frame = pd.DataFrame(rows, columns=["x1", "x2", "y"])
    frame.to_csv(tmp_path / "d.csv", index=False)
    read = gdfit.read_observations(str(tmp_path / "d.csv"), dialect=Dialect(drop_missing=True))
    for found in (
        gdfit.observations_from(frame, "y", drop_missing=True),
        gdfit.observations_from(rows[:, :2], rows[:, 2], drop_missing=True),
    ):
        assert (found.features, found.count) == (read.features, read.count)
    assert len(read.features) == (1 if missing == SNIFFED_ROWS else 2)
