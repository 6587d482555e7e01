"""R's formulas: the terms that they stand for, and what to say where one can't be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gdfit as library
from conftest import Gdfit
from gdfit.data.terms.formula import read_formula
from gdfit.data.terms.terms import read_term
from gdfit.errors import GdfitError, UsageError


class Columns:
    """Columns of numbers, and of text where they are called a, b or c."""

    names = ("x", "z", "y", "a", "b", "c", "day", "net.worth", "two words", "x:z")

    def find(self, name: str) -> str | None:
        """The column."""
        return name if name in self.names else None

    def missing(self, name: str, more: str = "") -> Exception:
        """That there is none."""
        return GdfitError(f"there is no column {name!r}{more}")

    def holds_text(self, column: str) -> bool:
        """Whether it is a, b or c."""
        return column in "abc"

    def holds_dates(self, column: str) -> bool:
        """Whether it is the day."""
        return column == "day"

    def order_of(self, column: str) -> tuple[str, ...]:
        """None."""
        return ()


# As R 4's model.matrix has them, in its order: a term with all(…) has a column for each level.
SAID = {
    "y ~ x": "x",
    "y ~ x + z": "x, z",
    "y~x+z-x": "z",
    "y ~ x - 1": "x; no b",
    "y ~ 0 + x": "x; no b",
    "y ~ x + 0 + 1": "x",
    "y ~ -1 + x": "x; no b",
    "y ~ 1 + x": "x",
    "y ~ x:z": "x:z",
    "y ~ x*z": "x, z, x:z",
    "y ~ x*z - x": "z, x:z",
    "y ~ z:x + x + z": "x, z, z:x",
    "y ~ (x + z)^2": "x, z, x:z",
    "y ~ (a + x + z)^2": "a, x, z, a:x, a:z, x:z",
    "y ~ (a + x + z)^3 - a:x:z": "a, x, z, a:x, a:z, x:z",
    "y ~ x*z*a": "x, z, a, x:z, x:a, z:a, x:z:a",
    "y ~ (x + z):a": "x:all(a), z:all(a)",
    "y ~ x + x:a": "x, x:a",
    "y ~ x:a": "x:all(a)",
    "y ~ a + x:a": "a, all(a):x",
    "y ~ a - 1": "all(a); no b",
    "y ~ a + b - 1": "all(a), b; no b",
    "y ~ x + a + b - 1": "x, all(a), b; no b",
    "y ~ a:b": "all(a):all(b)",
    "y ~ a + a:b": "a, all(a):b",
    "y ~ a*b": "a, b, a:b",
    "y ~ a*b - 1": "all(a), b, a:b; no b",
    "y ~ x*a - 1": "x, all(a), x:a; no b",
    "y ~ I(x^2)": "x^2",
    "y ~ I(x*z)": "x:z",
    "y ~ I(x^2*z) + I(x)": "x^2:z, x",
    "y ~ log(x) + sqrt(z)": "log(x), sqrt(z)",
    "log(y) ~ I(log(x)^2)": "log(x)^2",
    "y ~ C(x) + factor(z)": "C(x), C(z)",
    "y ~ C(x) - 1": "all(C(x)); no b",
    "y ~ x:C(z)": "x:all(C(z))",
    "y ~ month(day) + year(day):x": "month(day), all(year(day)):x",
    "y ~ net.worth": "net.worth",
    "y ~ `two words` + `x:z`": "two words, x:z",
    "y ~ .": "x, z, a, b, c, day, net.worth, two words, x:z",
    "y ~ . - `x:z` - day - c - b - net.worth - `two words`": "x, z, a",
    "x ~ . - y - `x:z` - day - c - b - net.worth - `two words`": "z, a",
    "log(y) ~ (. - day - c - b - `x:z` - net.worth - `two words`)^2": ("x, z, a, x:z, x:a, z:a"),
    " y  ~\tx ": "x",
}


@pytest.mark.parametrize("text", SAID)
def test_a_formula_says_its_terms(text: str) -> None:
    found = read_formula(text, Columns(), Columns.names)
    said = ", ".join(found.terms) + ("" if found.intercept else "; no b")
    assert said == SAID[text]
    for term in found.terms:
        read_term(term, Columns())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("y ~ x +* z", "at character 8, '\\*': a column is expected"),
        ("y ~ x z", "at character 7, 'z': a sign is expected"),
        ("y x", "at character 3, 'x': '~' is missing"),
        ("y ~", "at the end: a column is expected"),
        ("~ x", "at character 1, '~': a column is expected"),
        ("y ~ (x", "at the end: '\\)' is missing"),
        ("y ~ x)", "at character 6, '\\)': a sign is expected"),
        ("y ~ x^2", "at character 5, 'x': x\\^2 is x itself in a formula"),
        ("y ~ (x + z)^z", "at character 13, 'z': a whole number"),
        ("y ~ poly(x, 2)", "at character 5, 'poly': there is no such function"),
        ("y ~ I(x + z)", "at character 9, '\\+': I\\(…\\) takes products and powers"),
        ("y ~ I(2*x)", "at character 7, '2': a column is expected"),
        ("y ~ 2", "at character 5, '2': 0 or 1 is expected"),
        ("y ~ 1", "names no column"),
        ("y ~ x | z", "at character 7, '\\|': a sign is expected"),
        ("y ~ log(x", "at the end: '\\)' is missing"),
        ("y ~ log(1)", "at character 9, '1': a column is expected"),
        ("", "at the end: a column is expected"),
    ],
)
def test_a_fault_is_told_at_its_character(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_formula(text, Columns(), Columns.names)


def test_a_column_that_is_not_there_is_told() -> None:
    with pytest.raises(GdfitError, match="no column 'q'"):
        read_formula("y ~ q", Columns(), Columns.names)


def tips(rows: int = 120) -> pd.DataFrame:
    """Bills and tips."""
    random = np.random.default_rng(0)
    bill, sex = random.uniform(5, 50, rows), random.choice(["F", "M"], rows)
    day = random.choice(["Fri", "Sat", "Sun"], rows)
    tip = 1 + np.where(sex == "M", 0.15, 0.1) * bill + random.normal(0, 0.5, rows)
    return pd.DataFrame({"bill": bill, "sex": sex, "day": day, "tip": tip})


@pytest.mark.parametrize(
    "formula",
    ["tip ~ bill:sex", "tip ~ bill*sex - 1", "tip ~ day:sex - 1", "log(tip) ~ day + bill:sex"],
)
def test_a_model_of_all_levels_is_the_same_everywhere(
    gdfit: Gdfit, tmp_path: Path, formula: str
) -> None:
    data, path, model = tips(), tmp_path / "d.csv", tmp_path / "m.json"
    data.to_csv(path, index=False)
    options = ("--formula", formula, "--model", model, "--epochs", 3000)
    assert gdfit("train", path, *options).status == 0
    fit = library.train(data, formula=formula, epochs=3000)
    read = library.load_model(model)
    assert read.features == fit.model.features
    assert read.params == pytest.approx(fit.model.params, rel=1e-9)
    design = [
        np.prod(
            [
                data["bill"]
                if part == "bill"
                else (data[part.split("[")[0]] == part.split("[")[1].rstrip("]")).astype(float)
                for part in name.split(":")
            ],
            axis=0,
        )
        for name in read.features
    ]
    columns = [*design, *([np.ones(len(data))] if read.intercept else [])]
    y = np.log(data["tip"]) if "log" in formula else data["tip"]
    solved = np.linalg.lstsq(np.column_stack(columns), y, rcond=None)[0]
    predicted = np.column_stack(columns) @ solved
    assert fit.predict(data) == pytest.approx(predicted, rel=1e-6)
    rows = gdfit("predict", path, "--model", model).out.splitlines()[1:]
    given = [float(row.rsplit(",", 1)[1]) for row in rows]
    assert given == pytest.approx(predicted, rel=1e-6)
    namespace: dict[str, object] = {}
    exec(library.export(read, "python"), namespace)
    function = namespace["predict"]
    assert callable(function)
    rows_of = data.astype(object).to_dict("records")
    assert [function(row) for row in rows_of[:9]] == given[:9]


def test_terms_without_a_first_level_are_noted(gdfit: Gdfit, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    tips().to_csv(path, index=False)
    command = ("train", path, "--target", "tip", "-q", "--no-model")
    assert "no column for the first level of sex" in gdfit(*command, "--features", "bill:sex").err
    none = gdfit(*command, "--features", "sex,day", "--no-intercept").err
    assert none.count("no column for the first level") == 1
    for fine in ("bill,bill:sex", "sex,bill,bill:sex", "sex"):
        assert "first level" not in gdfit(*command, "--features", fine).err
    assert not gdfit("train", path, "--formula", "tip ~ bill:sex", "-q", "--no-model").err


@pytest.mark.parametrize(
    "options", [["--features", "bill"], ["--target", "tip"], ["--no-intercept"], ["--degree", "2"]]
)
def test_a_formula_goes_with_nothing_that_it_says(
    gdfit: Gdfit, tmp_path: Path, options: list[str]
) -> None:
    path = tmp_path / "d.csv"
    tips().to_csv(path, index=False)
    result = gdfit("train", path, "--formula", "tip ~ bill", *options)
    assert result.status == 2
    assert "--formula says what" in result.err


def test_in_python_it_goes_with_a_frame() -> None:
    data = tips()
    with pytest.raises(UsageError, match="`formula` goes with a DataFrame alone"):
        library.train([1, 2, 3], [1, 2, 3], formula="y ~ x")
    with pytest.raises(UsageError, match="`formula` says what `features` would"):
        library.train(data, formula="tip ~ bill", features=["bill"])
    summary = library.summarize(data, formula="tip ~ bill + sex")
    assert [row.name for row in summary.rows] == ["w_bill", "w_sex[M]", "b"]


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("tip ~ sex + nosuch", "character 13 of --formula"),
        ("tip ~ log(nosuch)", "character 11 of --formula"),
        ("tip ~ nosuch", "its columns are bill, sex, day, tip"),
        ("tip ~ I(bill)^2", "I(bill)^2 is I(bill) itself"),
        ("tip ~ log( bill )^2", "log( bill )^2 is log( bill ) itself"),
        ("tip ~ `bill", "character 7, '`': this ` has no other one"),
        ("tip ~ f(bill)", "C, factor, as.factor"),
        ("tip ~ sex/day", "character 10, '/': nesting"),
        ("tip ~ sex %in% day", "character 11, '%': nesting"),
    ],
)
def test_what_is_wrong_is_told_as_it_is_written(
    gdfit: Gdfit, tmp_path: Path, formula: str, told: str
) -> None:
    path = tmp_path / "d.csv"
    tips().to_csv(path, index=False)
    assert told in gdfit("train", path, "--formula", formula).err
