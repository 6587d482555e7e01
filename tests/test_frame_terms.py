"""DataFrames with texts, terms and missing values: what their CSV file gives, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdfit
import gdfit as library
from birds import TERMS, penguins
from conftest import Gdfit


def polars_of(frame: pd.DataFrame) -> Any:
    polars = pytest.importorskip("polars")
    return polars.DataFrame({name: frame[name].to_list() for name in frame.columns})


KINDS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "objects": lambda frame: frame.astype(object),
    "categories": lambda frame: frame.astype({"species": "category"}),
    "nullable": lambda frame: frame.convert_dtypes(),
    "other labels": lambda frame: frame.set_index(pd.Index(range(len(frame), 0, -1))),
    "polars": polars_of,
}
WAYS: dict[str, dict[str, Any]] = {
    "terms": {"target": "log(price)", "features": TERMS},
    "by default": {"target": "price"},
    "powers": {"target": "price", "degree": 2, "exclude": "year"},
    "weights": {"target": "x", "features": ["species"], "weights": "mass", "intercept": False},
}


def same(first: gdfit.Observations, second: gdfit.Observations) -> None:
    """Assert that they are the same to the last bit."""
    names = ("count", "features", "target_name", "left_out", "weight", "expansion", "intercept")
    for name in names:
        assert getattr(first, name) == getattr(second, name)
    for name in ("augmented", "first", "last", "sample"):
        assert getattr(first, name).tolist() == getattr(second, name).tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_a_frame_is_its_file(kind: str, way: str, tmp_path: Path) -> None:
    options = dict(WAYS[way])
    penguins().to_csv(tmp_path / "p.csv", index=False)
    read = gdfit.read_observations(str(tmp_path / "p.csv"), **options)
    found = gdfit.observations_from(KINDS[kind](penguins()), options.pop("target"), **options)
    same(found, read)


def with_holes() -> Any:
    """Rows with missing values of every kind, on other lines."""
    frame: Any = penguins().astype({"species": object, "mass": object})
    for row, (column, missing) in enumerate(
        [
            *(("species", value) for value in (None, np.nan, pd.NA, "NA", " ", "null")),
            *(("mass", value) for value in (None, np.nan, pd.NA, pd.NaT, "", Decimal("NaN"))),
            *(("x", np.nan), ("price", np.nan)),
        ]
    ):
        frame.loc[7 + row, column] = missing
    return frame


def test_words_among_numbers_may_say_numbers() -> None:
    values = [1.0, "2", " 3e0 ", None, "NA"]
    frame = pd.DataFrame({"x": pd.Series(values, dtype=object), "y": [3.0, 5, 7, 1, 2]})
    found = gdfit.observations_from(frame, "y", drop_missing=True)
    assert found.sample.tolist() == [[1, 3], [2, 5], [3, 7]]
    words = frame.assign(x=["1", "2", "3", "", "NA"], z=1.0)
    assert gdfit.observations_from(words, "y").left_out == ("x",)


def test_rows_with_missing_values_are_skipped(tmp_path: Path) -> None:
    frame = with_holes()
    asked: dict[str, Any] = {"features": ["species", "mass", "x"], "degree": 2}
    frame.to_csv(tmp_path / "p.csv", index=False)
    dialect = gdfit.Dialect(drop_missing=True)
    read = gdfit.read_observations(
        str(tmp_path / "p.csv"), target="price", dialect=dialect, **asked
    )
    assert read.count == len(frame) - 14
    same(gdfit.observations_from(frame, "price", drop_missing=True, **asked), read)
    y = frame.pop("price")
    same(gdfit.observations_from(frame, y, drop_missing=True, **asked), read)


def test_predictions_are_those_of_the_command(gdfit: Gdfit) -> None:
    frame = with_holes().rename(columns={"mass": "mass (kg)", "species": 'the "species"'})
    frame.to_csv("p.csv", index=False)
    terms = ['the "species"', "log(mass (kg))", "x^2", "C(year)"]
    observations = library.observations_from(frame, "price", features=terms, drop_missing=True)
    fit = library.train(observations)
    fit.model.save("gdfit.json")
    written = gdfit("predict", "p.csv").out.splitlines()[1:]
    said = [line.rsplit(",", 1)[1] for line in written]
    expected = [float(text) if text else None for text in said]
    assert expected.count(None) == 13  # of the target, nothing is needed
    for rows in (frame, frame.set_index("x", drop=False), frame[list(fit.model.inputs)].to_numpy()):
        found = fit.model.predict(rows).tolist()
        assert [None if np.isnan(value) else value for value in found] == expected
    assert fit.model.predict(frame.iloc[0]) == expected[0]


def test_a_target_beside_the_frame() -> None:
    frame = penguins()
    whole = gdfit.observations_from(frame, "price", features=TERMS)
    y = frame["price"]
    for x in (frame, frame.drop(columns="price")):
        same(gdfit.observations_from(x, y, features=TERMS), whole)
        same(gdfit.observations_from(x, y.to_numpy(), target="price", features=TERMS), whole)
    renamed = gdfit.observations_from(frame, y, target="cost")
    assert (renamed.features, renamed.target_name) == (("mass", "year", "x"), "cost")
    named_so = gdfit.observations_from(frame, np.log(y.to_numpy()), target="log(price)")
    assert named_so.features == ("mass", "year", "x", "price")
    assert named_so.last[-1] == np.log(y.iloc[-1])


def test_weights_beside_the_frame() -> None:
    frame = penguins()
    weights = frame["mass"]
    by_name = gdfit.observations_from(frame, "price", features=["x"], weights="mass")
    beside = gdfit.observations_from(frame, "price", features=["x"], weights=weights)
    assert (by_name.weights_name, beside.weights_name) == ("mass", None)
    same(beside, by_name)
    taken = frame.assign(weights=1.0)
    same(gdfit.observations_from(taken, "price", features=["x"], weights=weights), by_name)


def test_an_array_has_powers_and_rows_to_skip() -> None:
    x = np.array([[1.0, 2], [2, 5], [np.nan, 3], [4, 1], [5, 5], [7, 2], [1, 9]])
    y = np.arange(7.0)
    found = gdfit.observations_from(x, y, degree=2, drop_missing=True)
    assert found.features == ("x1", "x2", "x1^2", "x1:x2", "x2^2")
    assert found.count == 6
    plain = gdfit.observations_from(np.delete(x, 2, axis=0), np.delete(y, 2))
    skipped = gdfit.observations_from(x, y, drop_missing=True, weights=np.ones(7))
    assert gdfit.train(skipped).model.params == pytest.approx(gdfit.train(plain).model.params)
    only = gdfit.observations_from(x[:2], y[:2], ["a", "b"], exclude=["a"])
    assert only.features == ("b",)


def test_all_that_takes_observations_takes_those_of_frames() -> None:
    observations = gdfit.observations_from(penguins(), "log(price)", features=TERMS)
    fit = gdfit.train(observations)
    assert fit.status == "completed"
    run = gdfit.Run(observations, epochs=3, loss="mae", batch_size=50, optimizer="adam")
    assert [step.epoch for step in run] == [1, 2, 3]
    assert len(gdfit.compare(observations, lr=[0.01, 0.1], epochs=5).fits) == 2
    summary = gdfit.summarize(observations, fit.model)
    assert [row.name for row in summary.rows][:2] == ["w_species[Chin, strap]", "w_species[Gentoo]"]
    assert "<img" in fit._repr_html_()
    assert '"species"' in gdfit.export(fit.model, "sql")


def with_value(column: str, row: int, value: Any) -> Any:
    frame: Any = penguins().astype({column: object})
    frame.loc[row, column] = value
    return frame


def model() -> gdfit.LinearModel:
    """One that has seen three species."""
    observations = gdfit.observations_from(penguins(), "price", features=["species", "mass"])
    return gdfit.train(observations).model


FAULTS: dict[str, tuple[Callable[[], object], str]] = {
    "a word": (
        lambda: gdfit.observations_from(with_value("mass", 3, "heavy"), "price"),
        "the DataFrame, row 3 (from 0), column 'mass': 'heavy' is not a number; `exclude` mass "
        "leaves the column out",
    ),
    "a word that is no Unicode": (
        lambda: gdfit.observations_from(with_value("mass", 3, "\ud800"), "price"),
        "the DataFrame, row 3 (from 0), column 'mass': '\\\\ud800' is not a number; `exclude` mass "
        "leaves the column out",
    ),
    "what an option of files is for": (
        lambda: gdfit.observations_from(with_value("mass", 3, "?"), "price"),
        "the DataFrame, row 3 (from 0), column 'mass': '?' is not a number; `exclude` mass leaves "
        "the column out",
    ),
    "infinite": (
        lambda: gdfit.observations_from(penguins().replace({"year": {2010: np.inf}}), "price"),
        f"the DataFrame, row {int((penguins().year == 2010).argmax())} (from 0), column 'year': "
        "'inf' is not a finite number; `exclude` year leaves the column out",
    ),
    "a missing level, in a row with a label": (
        lambda: gdfit.observations_from(
            with_value("species", 4, None).set_index("mass"), "x", features=["species"]
        ),
        f"the DataFrame, row '{penguins().mass[4]}' (4 from 0), column 'species': the value is "
        "missing; `drop_missing` skips such rows",
    ),
    "a level that is new": (
        lambda: model().predict(with_value("species", 2, "Emu").set_index(np.arange(120) + 7)),
        "the DataFrame, row 9 (2 from 0), column 'species': 'Emu' is a level that training has not "
        'seen; there are Adelie, "Chin, strap", Gentoo',
    ),
    "a level that is new, in an array": (
        lambda: model().predict([["Emu", 3.0]]),
        "the array, row 0 (from 0), column 'species': 'Emu' is a level that training has not seen; "
        'there are Adelie, "Chin, strap", Gentoo',
    ),
    "no logarithm": (
        lambda: gdfit.observations_from(with_value("mass", 3, 0), "x", features=["log(mass)"]),
        "the DataFrame, row 3 (from 0), column 'mass': log(mass) takes a number above 0, not 0",
    ),
    "a name that is nearly right": (
        lambda: gdfit.observations_from(penguins(), "price", features=["specie"]),
        "the DataFrame: there is no column 'specie'; is it 'species'? its columns with numbers are "
        "mass, year, x, price",
    ),
    "a function of text": (
        lambda: gdfit.observations_from(penguins(), "price", features=["log(species)"]),
        "column 'species' holds text, which has no log",
    ),
    "a target of text": (
        lambda: gdfit.observations_from(penguins(), "species"),
        "the DataFrame, row 0 (from 0), column 'species': 'Chin, strap' is not a number; `target` "
        "takes another column: 'year', 'x' or 'price'",
    ),
    "no column but the target": (
        lambda: gdfit.observations_from(penguins()[["price"]], "price"),
        "the DataFrame: has one column, and a fit needs two at least, x and y",
    ),
    "only missing values": (
        lambda: gdfit.observations_from(
            penguins().assign(x=np.nan, mass=with_value("mass", 0, np.nan).mass),
            "price",
            features=["mass", "x", "year"],
            drop_missing=True,
        ),
        "the DataFrame: there are no observations without a missing field; `exclude` x,mass leaves "
        "out what lacks the most",
    ),
    "too few whole rows": (
        lambda: gdfit.observations_from(
            pd.DataFrame(np.where(np.eye(4), 1.0, np.nan), columns=list("abcd")).assign(
                e=1.0, y=2.0
            ),
            "y",
            drop_missing=True,
        ),
        "the DataFrame: there are no observations without a missing field; `exclude` a,b,c leaves "
        "out what lacks the most",
    ),
    "a target of another length": (
        lambda: gdfit.observations_from(penguins(), [1, 2, 3]),
        "x of shape (N,) or (N, p) goes with y of shape (N,), not (120, 6) with (3,)",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_can_not_be_used_is_said(fault: str) -> None:
    act, message = FAULTS[fault]
    with pytest.raises(gdfit.GdfitError) as caught:
        act()
    assert str(caught.value) == message


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(
    ("names", "target"),
    [(["weights", "v"], "y"), (["weights", "weights_"], "y"), (["u", "v"], "weights")],
)
def test_columns_may_be_called_weights_beside_weights(
    names: list[str], target: str, degree: int
) -> None:
    """Of an array and of a DataFrame; the weights come without a name."""
    x = np.random.default_rng(3).normal(size=(12, 2))
    y, weights = x @ [1.0, 2.0] + np.arange(12) % 5, np.arange(12) % 3
    plain = gdfit.observations_from(x, y, ["u", "v"], degree=degree, weights=weights)
    of_array = gdfit.observations_from(x, y, names, target, degree=degree, weights=weights)
    frame = pd.DataFrame(x, columns=names).assign(**{target: y})
    of_frame = gdfit.observations_from(frame, target, degree=degree, weights=weights)
    for found in (of_array, of_frame):
        assert found.features[:2] == tuple(names)
        assert (found.target_name, found.weights_name) == (target, None)
        assert found.sample.tolist() == plain.sample.tolist()
        assert found.sample_weights is not None
        assert found.sample_weights.tolist() == weights[weights > 0].tolist()


def test_one_row_has_one_prediction() -> None:
    """With terms, too: a float for one row, and an array for rows, of which there may be one."""
    frame = pd.DataFrame({"x": [1.0, 2.0, 4.0], "k": ["a", "b", "b"], "y": [1.0, 2.0, 5.0]})
    model = gdfit.train(gdfit.observations_from(frame, "y", ["log(x)", "k"])).model
    whole = model.predict(frame)
    one = model.predict([2.0, "b"])
    assert type(one) is float
    assert one == whole[1]
    assert model.predict([[2.0, "b"]]).tolist() == [one]
    assert model.predict([[4.0, "b"], [2.0, "b"]]).tolist() == whole[[2, 1]].tolist()
