"""Observations that are like others: validation sets, and those that a model is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gdfit
import gdfit as library
from birds import TERMS, penguins
from conftest import Gdfit


def test_a_validation_set_is_like_the_observations() -> None:
    frame = penguins()
    part = frame[frame["species"] == "Gentoo"]
    whole = gdfit.observations_from(frame, "log(price)", features=[*TERMS, "year"])
    held_out = gdfit.observations_from(part, "log(price)", like=whole)
    assert held_out.features == whole.features
    fit = gdfit.train(whole, validation=held_out)
    residuals = fit.model.predict(part) - np.log(part["price"])
    assert fit.validation_loss == pytest.approx(np.mean(residuals**2))
    with pytest.raises(gdfit.UsageError, match="has other features"):
        gdfit.train(whole, validation=gdfit.observations_from(part, "x"))
    with pytest.raises(gdfit.UsageError, match="`like` says which features there are"):
        gdfit.observations_from(part, "log(price)", like=whole, degree=2)
    few = gdfit.observations_from(frame[frame["species"] != "Adelie"], "x", ["species"])
    with pytest.raises(gdfit.GdfitError, match="'Adelie' is a level that training has not seen"):
        gdfit.observations_from(frame, "x", like=few)
    x = np.array([[1.0, 2], [2, 5], [3, 1]])
    powers = gdfit.observations_from(x, [1, 2, 3], degree=2)
    assert gdfit.observations_from(x[:1], [1], like=powers).features == powers.features


def test_a_fit_is_taken_for_its_model_and_frames_for_its_data() -> None:
    frame = penguins()
    fit = gdfit.train(frame, target="log(price)", features=TERMS)
    for one, other in (
        (gdfit.evaluate(fit, frame), gdfit.evaluate(fit.model, frame)),
        (gdfit.export(fit, "sql"), gdfit.export(fit.model, "sql")),
        (gdfit.summarize(frame, fit), fit.summary()),
        (gdfit.summarize(frame, fit, robust="hc3"), fit.summary(robust="hc3")),
    ):
        assert one == other
    made = gdfit.observations_from(frame, "log(price)", like=fit)
    assert made.features == fit.model.features
    low = gdfit.predict_interval(fit, frame)[1]
    assert low.tolist() == fit.model.predict_interval(frame)[1].tolist()
    residuals = gdfit.influence(fit, frame, np.log(frame["price"]))[0]
    assert np.mean(residuals**2) == pytest.approx(fit.loss)
    smaller = gdfit.train(frame, target="log(price)", features=TERMS[:1])
    assert gdfit.summarize(frame, fit, against=smaller).anova
    with pytest.raises(gdfit.UsageError, match="a model or a fit is wanted here, not a str"):
        gdfit.evaluate("gdfit.json", frame)  # type: ignore[arg-type]


@pytest.mark.parametrize("intercept", [True, False])
def test_a_saved_model_is_evaluated_and_summarized(intercept: bool, gdfit: Gdfit) -> None:
    frame = penguins().assign(price=lambda frame: frame["price"].round(3))
    frame.to_csv("p.csv", index=False)
    observations = library.observations_from(
        frame[:80], "log(price)", TERMS, weights="mass", intercept=intercept
    )
    library.train(observations, epochs=20).model.save("gdfit.json")
    model = library.load_model("gdfit.json")
    assert model.intercept is intercept
    by_command = gdfit.json("evaluate", "p.csv")
    for data in (frame, "p.csv", Path("p.csv"), ["p.csv"]):
        evaluation = library.evaluate(model, data)
        assert (evaluation.mse, evaluation.mae) == (by_command["mse"], by_command["mae"])
        assert evaluation.r_squared == by_command["r_squared"]
    assert library.evaluate(model, frame, "price").mse > 2 * evaluation.mse
    seen = library.observations_from(frame, "log(price)", weights="mass", like=model)
    summary = library.summarize(seen, model)
    assert summary.r_squared == gdfit.json("summary", "p.csv")["r_squared"]
    holes = frame.assign(x=[np.nan, *frame["x"][1:]])
    assert library.evaluate(model, holes, drop_missing=True).observations == 119
    with pytest.raises(library.GdfitError, match=r"row 0 \(from 0\), column 'x'"):
        library.evaluate(model, holes)
    with pytest.raises(library.GdfitError, match="the DataFrame: there are no obs"):
        library.evaluate(model, frame[:0])
    with pytest.raises(library.GdfitError, match="there is no column 'price'"):
        library.evaluate(model, frame.drop(columns="price"))


def test_other_levels_of_the_same_name_are_other_features() -> None:
    random = np.random.default_rng(0)
    z, y = random.normal(size=40), random.normal(size=40)
    one, other = (
        gdfit.observations_from(
            pd.DataFrame({"k": np.resize([*levels], 40), "z": z, "y": y}), "y", features=["k", "z"]
        )
        for levels in ("uw", "vw")
    )
    assert one.features == other.features
    with pytest.raises(gdfit.UsageError, match="the levels v, w of k, not u, w"):
        gdfit.train(one, validation=other)
    model = gdfit.train(one).model
    assert gdfit.summarize(one, model).rows
    with pytest.raises(gdfit.GdfitError, match="the levels v, w of k, and the model has u, w"):
        gdfit.summarize(other, model)
