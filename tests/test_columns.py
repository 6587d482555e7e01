"""Which columns are used by default, and layouts that people have: titles, comments, row names."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.data.batch import Asked
from gdfit.data.dataset import read_observations
from gdfit.data.observations import Observations
from gdfit.data.reduction.sampling import TRAIN, VALIDATION, HoldOut
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import MISSING
from gdfit.errors import GdfitError, GdfitWarning, UsageError
from readers import open_csv


def read(text: str, **asked: Any) -> Observations:
    """The observations in `text`."""
    path = Path("data.csv")
    path.write_text(text)
    return read_observations(str(path), **asked)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


CHOSEN: dict[str, tuple[str, str, str, str]] = {
    "text": ("species,a,b\nx,1,2\ny,3,4\n", "a", "b", "species"),
    "text last": ("a,b,species\n1,2,x\n3,4,y\n", "a", "b", "species"),
    "y of text": ("a,b,y\n1,2,x\n3,4,z\n", "a", "b", "y"),
    "dates": ("day,a,b\n2020-01-01,1,2\n05/98,3,4\n", "a", "b", "day"),
    "mostly text": ("a,b,kind\n1,2,x\n3,4,7\n5,6,z\n", "a", "b", "kind"),
    "text where there is something": ("a,b,note\n1,2,\n3,4,\n5,6,z\n", "a", "b", "note"),
    "nothing in the first lines": ("a,b,c\n" + "1,2,\n" * 60 + "3,4,5\n", "a", "b", "c"),
    "an index of pandas": (",a,b\n0,1,2\n1,3,4\n", "a", "b", ""),
    "a saved index of pandas": ("Unnamed: 0,a,b\n0,1,2\n1,3,4\n", "a", "b", ""),
    "row names": ("rownames,a,b\n1,1,2\n2,3,4\n", "a", "b", ""),
    "row names of R": ('"a" "b"\n"Mazda RX4" 1 2\n"Datsun 710" 3 4\n', "a", "b", ""),
    "numbers for row names of R": ("a\tb\n1\t1\t2\n2\t3\t4\n", "a", "b", ""),
    "row names of R, with commas": ('"a","b"\n"1",1,2\n"2",3,4\n', "a", "b", ""),
    "single quotes": ("'a',' b '\n1,2\n3,4\n", "a", "b", ""),
    "blanks": (" a , b \n1,2\n3,4\n", "a", "b", ""),
    "a delimiter at the end": ("a,b,\n1,2,\n3,4,\n", "a", "b", ""),
    "no header, with text": ("1.5,2.5,x\n3,4,z\n", "x1", "x2", "y"),
    "no header, with text again": ("1,2,x\n3,4,x\n", "x1", "x2", "y"),
    "a number for a name": ("1,b,c\nx,1,2\ny,3,4\n", "b", "c", "1"),
    "a row of a word and numbers": ("A,1,2\nB,3,4\nC,4,9\n", "x2", "y", "x1"),
    "a row index without a name": (",0,1\n0,5,2\n1,3,4\n", "0", "1", ""),
    "comments above the header": ("# made\n% by me, today\na,b\n1,2\n3,4\n", "a", "b", ""),
    "comments above numbers": ("# made by me\n1,2\n3,4\n", "x", "y", ""),
    "a header in a comment": ("# 2 columns\n# a b\n1 2\n3 4\n", "a", "b", ""),
    "a number sign for a name": ("#,a,b\n1,1,2\n2,3,4\n", "a", "b", ""),
    "Excel's delimiter": ("sep=;\na;b\n1;2\n3;4\n", "a", "b", ""),
    "Excel's delimiter, no header": ("sep=;\n1;2\n3;4\n", "x", "y", ""),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_columns_by_default(case: str) -> None:
    text, feature, target, left_out = CHOSEN[case]
    observations = read(text)
    assert (observations.features, observations.target_name) == ((feature,), target)
    assert observations.left_out == ((left_out,) if left_out else ())


def test_what_is_left_out_is_noted(gdfit: Gdfit) -> None:
    for command in ("train", "curvature"):
        result = gdfit(command, "-", stdin=b"species,a,day,b\nx,1,1.1.,2\ny,3,2.1.,4\n")
        assert result.err == (
            "gdfit: note: left out columns without numbers in the first lines: species, day "
            "(--features species uses one as a category)\n"
        )


def test_row_names_are_used_if_asked_for() -> None:
    observations = read("rownames,a,b\n1,1,2\n2,3,4\n", features="rownames")
    assert observations.features == ("rownames",)
    assert read("a b\n7 1 2\n8 3 4\n", features="column1").sample[:, 0].tolist() == [7, 8]


def test_a_header_one_short_of_some_rows_is_not_rs() -> None:
    with pytest.raises(GdfitError, match="line 3: has 4 fields, not 3"):
        read("a,b,c\n1,2,3\n1,2,3,4\n1,2,3\n")


@pytest.mark.parametrize("word", sorted(MISSING))
def test_what_pandas_takes_for_missing_is_missing(word: str) -> None:
    text = f"x,y\n1,2\n{word},3\n4,5\n" if word else "x,y\n1,2\n,3\n4,5\n"
    with pytest.raises(GdfitError, match=r"line 3, column 'x': .*`drop_missing` skips such rows"):
        read(text)
    assert read(text, dialect=Dialect(drop_missing=True)).count == 2
    assert read(f"{word},1\n2,3\n", dialect=Dialect(drop_missing=True)).features == ("x",)


@pytest.mark.parametrize("word", ["?", "-999", "n. d.", "x"])
def test_more_words_for_missing(gdfit: Gdfit, word: str) -> None:
    data = f"a,b,y\n1,2,3\n{word},2,3\n-999.5,3,5\n4,4,{word}\n5,3,1\n".encode()
    options = ["--missing", f"why,{word}", "--missing", "what", "--drop-missing"]
    result = gdfit("curvature", "-", *options, stdin=data)
    assert (result.status, result.err) == (0, "gdfit: note: skipped 2 rows with a missing field\n")


def test_exclude(gdfit: Gdfit) -> None:
    text = "a,b,c,y\n1,2,oops,4\n2,1,3,5\n4,4,4,4\n"
    assert read(text, exclude="c").features == ("a", "b")
    assert read(text, exclude=["c", "y"]).target_name == "b"
    options = ["--exclude", "c", "--exclude", "b", "--lr", "0.01"]
    result = gdfit("train", "-", *options, stdin=text.encode())
    assert (result.status, result.err) == (0, "")
    assert '"features": ["a"]' in Path("gdfit.json").read_text()


def test_options_that_add_up(gdfit: Gdfit) -> None:
    data = b"a,b,' c',y\n1,2,3,4\n2,1,3,5\n4,4,4,4\n"
    options = ["--features", "b,'c '", "--features", "a", "--show", "1", "--show", "2,3"]
    result = gdfit("train", "-", *options, "--format", "csv", "--epochs", "9", stdin=data)
    header, *rows = result.out.splitlines()
    assert header.startswith("epoch,loss,w_b,w_c,w_a,b,")
    assert [row.split(",")[0] for row in rows] == ["1", "2", "3", "9"]


TITLES: dict[str, tuple[str, int]] = {
    "above numbers": ("My data set\n1,2\n3,4\n", 1),
    "counts, as scikit-learn has them": ("3,3,red\n1,2,3,0\n3,4,5,1\n5,6,7,1\n", 1),
}


@pytest.mark.parametrize("case", TITLES)
def test_a_title_is_no_header(case: str) -> None:
    text, lines = TITLES[case]
    advice = rf"is no header for the . columns .* `skip` {lines} begins at line {lines + 1}$"
    with pytest.raises(GdfitError, match=advice) as found:
        read(text)
    assert found.value.line == 1
    assert read(text, dialect=Dialect(skip=lines)).target_name == "y"


@pytest.mark.parametrize("header", ["place,1990,2000", "place,a,2000", "place,2000,y"])
def test_names_with_numbers_stand_above_rows_that_end_in_a_delimiter(header: str) -> None:
    found = read(f"{header}\nA,1,2,\nB,3,4,\nC,5,7,\n", features=("place",))
    assert (found.count, found.features) == (3, ("place[B]", "place[C]"))
    assert found.target_name == header.split(",")[2]


def test_years_that_follow_each_other_above_numbers_of_any_size_are_noted() -> None:
    rows = "A,54608,55811,56682\nB,57,5441333,12\nC,1608,1609,1711319\n"
    with pytest.warns(GdfitWarning, match="is taken for a row, though it is unlike those below"):
        found = read(f"place,1960,1961,1962\n{rows}")
    assert found.count == 4
    read(f"place,1960,1961,1970\n{rows}")  # which may be numbers as any others
    read(f"place,1960,1961,1962\n{rows}D,2001,2002,2003\n")
    with pytest.warns(GdfitWarning, match="is taken for a row, though it is unlike those below"):
        assert read("1960,1961,1962\n1.5,2,3\n2,2,5\n3.5,1,4\n").count == 4


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("A,A,B\nmean,std,mean\n", ("A mean", "A std", "B mean")),
        (",A,,B\n,x,z,y\n", ("A x", "A z", "B y")),
        ("Temp,Temp,Hum\nin,out,in\nC,C,%\n", ("Temp in", "Temp out", "Hum in")),
        ("a,b,c\nm3/s,1/s,W/m^2\n", ("a", "b", "c")),
        ("a,b,c\n14n,5s,14n\n", ("a", "b", "c")),
        ("a,b,c\ns,N,nm\n", ("a", "b", "c")),
        ("a,b,c\n(10^3 m),-,[-]\n", ("a", "b", "c")),
        ("Run:,5,\nBy:,me,\na,b,c\n", ("a", "b", "c")),
        ("2024\na,b,c\nt,F,l\ns,N,nm\n\n", ("a", "b", "c")),
        ("a,b,c\n---,----,---\n", ("a", "b", "c")),
        ("a,b,c\nm,cm,%\nindex,,\n", ("a", "b", "c")),
        ("TOA5,X,1,2,3,4\na,b,c\nm,W/m^2,%\n", ("a", "b", "c")),
        ("Device,Logger,X\nSerial,123,\na,b,c\n", ("a", "b", "c")),
        ("Sample,Oslo,\nDate,2024-03-01 10:15,\n\na,b,c\nm,m,m\n", ("a", "b", "c")),
        ("# of 2024\n# a,b,c\n#\n", ("a", "b", "c")),
    ],
)
@pytest.mark.filterwarnings("ignore::gdfit.GdfitWarning")
def test_the_names_of_a_header_of_several_lines(header: str, names: tuple[str, ...]) -> None:
    """Words of a second line tell alike columns apart; else it is units, or the first one is a
    title."""
    index = header.startswith(",")
    rows = "".join(f"{f'{row},' * index}{row % 4},{row % 3},{row}\n" for row in range(6))
    found = read(header + rows)
    assert (*found.features, found.target_name) == names
    assert found.count == 6


@pytest.mark.parametrize("row", ["foo,5", "?,-", "-,-", "--,--", "12 kg,5 m", "<1,<2"])
def test_a_broken_first_row_is_no_header(row: str) -> None:
    """It is told as a fault."""
    with pytest.raises(GdfitError, match="line 2, column"):
        read(f"x,y\n{row}\n1,2\n2,3\n3,5\n")


@pytest.mark.parametrize("names", ["Unnamed: 0", "Unnamed: 0.1,Unnamed: 0", "rownames"])
def test_leading_row_names_are_no_features(names: str) -> None:
    count = 1 + names.count(",")
    found = read(f"{names},x,y\n" + "".join(f"{f'{n},' * count}{n},{n % 3}\n" for n in range(5)))
    assert found.features == ("x",)


def test_numbers_above_rows_that_end_in_a_delimiter_are_no_names() -> None:
    with pytest.raises(GdfitError, match="'1990' is no header for the 3 columns below it"):
        read("1990,2000\n1,2,\n3,4,\n5,7,\n")


@pytest.mark.parametrize(
    "title",
    [
        "My data set\n",
        "My data set\nby me\n\n",
        "Heights, in cm\n",
        "By A, B, C and D, and others\n",
        "My data set,,\n",
        "# by me\nMy data set\n",
        "Station,Oslo,N\nHeight,94,m\n\n",
    ],
)
def test_a_title_above_a_table_is_left_out_with_a_note(title: str) -> None:
    with pytest.warns(GdfitWarning, match=r"left out above the header"):
        found = read(f"{title}a,b,y\n1,2,3\n3,4,5\n5,7,8\n")
    assert (found.features, found.target_name, found.count) == (("a", "b"), "y", 3)


def test_decimal_commas_between_commas_are_told() -> None:
    with pytest.raises(GdfitError, match="2 names, and rows of 4 fields: if commas are decimal"):
        read("x,y\n0,5,1,25\n-1,0,2,31\n1,5,3,50\n")
    with pytest.raises(GdfitError, match="`skip` 1 begins at line 2"):
        read("x,y\n0,5,1.5,25\n1,0,2,31\n1,5,3,50\n")


def test_a_table_above_a_smaller_one_is_no_preamble() -> None:
    with pytest.raises(GdfitError, match="line 5: has 2 fields, not 3 as the first line has"):
        read("a,b,y\n1,2,3\n3,4,5\n5,7,8\nNULL,two\n-91.2,3\n")


def test_a_header_with_too_many_names_is_told_as_such() -> None:
    with pytest.raises(GdfitError, match="line 2: has 2 fields, not 3 as the first line has"):
        read("a,b,c\n1,2\n3,4\n")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,1.5,2\nb,2.5,3\nc,NA,4\n", 2),
        ("a,1.5,2\nNA,2.5,3\nc,3.5,4\n", 3),
    ],
)
def test_a_missing_field_makes_no_header_of_the_row_above_it(text: str, rows: int) -> None:
    dialect = Dialect(drop_missing=True)
    found = read(text, features=["x2"], dialect=dialect)
    assert (found.target_name, found.count) == ("y", rows)


def test_a_fault_below_makes_no_header_of_the_first_row() -> None:
    text = "a,1.5,2\n" + "b,2.5,3\n" * 3
    for fault, told in [("c,x,3\n", "line 5, column 'x2': 'x'"), ("c,3\n", "line 5: has 2 fields")]:
        with pytest.raises(GdfitError, match=told):
            read(text + fault, features=["x2"])
    with pytest.raises(GdfitError, match="line 3: has 3 fields, not 2 as the first line has"):
        read("1,2\n3,4\n5,6,7\n")


def test_comments() -> None:
    text = '! a "title"\nx,y ! names\n1,2\n!7,8\n"3",4! four\n ! end'
    observations = read(text, dialect=Dialect(comment="!"))
    assert observations.sample.tolist() == [[1, 2], [3, 4]]
    assert read('x;note;y\n1;"a#b\n#c";2\n', features="x", dialect=Dialect(comment="#")).count == 1
    with pytest.raises(GdfitError, match=r"line 4: has 1 field, not 2 .* `comment` '#' leaves out"):
        read("x,y\n1,2\n3,4\n# the end\n")
    with pytest.raises(GdfitError, match="line 5, column 'y': 'five'"):
        read("x,y\n1,2\n# two\n3,4\n5,five\n", dialect=Dialect(comment="#"))


@pytest.mark.parametrize("unit_bytes", [1, 7, 64])
def test_comments_in_units_of_any_size(unit_bytes: int) -> None:
    text = "x,y\n" + "".join(f'{n},{n * n} # "{n}, {n}"\n#\n' for n in range(50))
    Path("data.csv").write_text(text)
    dialect, asked = Dialect(comment="#"), [Asked(0), Asked(1)]
    with open_csv("data.csv", dialect, unit_bytes=unit_bytes, head_bytes=64) as file:
        found = []
        for unit in file.units():
            (batch,) = file.batches(unit, asked, may_miss=False)
            found += batch.numbers.tolist()
    assert found == [[n, n * n] for n in range(50)]


def test_lines_to_skip_are_counted_in_faults() -> None:
    with pytest.raises(GdfitError, match="line 5, column 'y': 'five' is not a number"):
        read('A "title\n\nx,y\n1,2\n3,five\n', dialect=Dialect(skip=2))
    with pytest.raises(GdfitError, match="is empty below line 9"):
        read("x,y\n1,2\n", dialect=Dialect(skip=9))


@pytest.mark.parametrize(
    "text", ["1,5;2,5\n2,5;3\n", "1,5\t2\n2,5\t3\n", "1,5 2,5\n2,5 3,5\n", "a;b\n1,5;2\n"]
)
def test_decimal_commas_are_recognized(text: str) -> None:
    with pytest.raises(GdfitError, match=r"'1,5' is not a number .* need `decimal` ,"):
        read(text)
    assert read(text, dialect=Dialect(decimal=",")).sample[0, 0] == 1.5


WHAT_TO_TYPE = {
    "no such column": (["--target", "groth"], "is it 'growth'? its columns with numbers are li"),
    "in another case": (["--features", "Light"], "there is no column 'Light'; is it 'light'? "),
    "nothing like it": (["--exclude", "zzz"], "there is no column 'zzz'; its columns with number"),
    "a feature and the target": (["--features", "growth"], "another --target: 'light', 'water'"),
    "the target is text": (["--target", "bed"], "--target takes another column: 'water', 'warmth"),
    "excluded and used": (["--target", "growth", "--exclude", "growth"], "both in --target and in"),
    "all excluded": (["--exclude", "light,water,warmth"], "there is 'growth' alone"),
}


@pytest.mark.parametrize("case", WHAT_TO_TYPE)
def test_what_to_type_about_columns(gdfit: Gdfit, case: str) -> None:
    options, message = WHAT_TO_TYPE[case]
    result = gdfit("train", SAMPLES / "greenhouse.csv", *options)
    assert result.status in (1, 2)
    assert message in result.err
    assert result.err.count("\n") == 1


FAULTS = {
    "a word": ("a,b,y\n1,2,3\n1,2,3\n1,x,3\n", "'x' is not a number; `exclude` b leaves the col"),
    "a name to quote": ("a,b c,y\n1,2,3\n1,,3\n", "skips such rows; `exclude` 'b c' leaves the"),
    "a name with a comma": (
        'a,"b,c",y\n1,2,3\n1,,3\n',
        "`exclude` '\"b,c\"' leaves the column out",
    ),
    "a mark": ("a,b,y\n1,2,3\n1,?,3\n", "if it stands for a missing value, `missing` '.' `drop_m"),
    "another spelling": ("a,b,y\n1,2,3\n1,Unknown,3\n", "`missing` Unknown `drop_missing`"),
    "the target": ("a,b,y\n1,2,3\n1,2,x\n", "'x' is not a number; `target` takes another column: "),
    "the only feature": ("x,y\n1,3\nx,3\n", "'x' is not a number$"),
    "text alone": ("name,y\nA,3\nA,3\n", "there is 'y' alone; there is text in name .'A'.$"),
    "no numbers": ("a,b\nA,x\nB,y\n", "there is none; there is text in a .'A'., b .'x'.$"),
    "names that are alike": ("a,a,y\n1,2,3\n", "2 columns are called 'a'; .* `exclude` a$"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_to_type_about_fields(fault: str) -> None:
    text, message = FAULTS[fault]
    with pytest.raises(GdfitError, match=message):
        read(text)


def test_no_row_without_a_missing_field() -> None:
    text = "a,b,c,y\n1,,2,3\n2,,,4\n3,4,,5\n4,5,6,\n"
    with pytest.raises(GdfitError, match=r"there are no observations without .* `exclude` b,c "):
        read(text, dialect=Dialect(drop_missing=True))


@pytest.mark.parametrize(
    "dialect",
    [
        {"delimiter": "ab"},
        {"delimiter": "1"},
        {"delimiter": ",", "decimal": ","},
        {"delimiter": ";", "comment": ";"},
        {"decimal": "'"},
        {"comment": "//"},
        {"comment": "."},
        {"comment": "x"},
        {"comment": " "},
        {"skip": -1},
    ],
    ids=str,
)
def test_dialects_that_make_no_sense(dialect: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Dialect(**dialect)


def deal(sizes: Sequence[int], fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Which rows of units of these sizes are to train on, and which are held out."""
    hold_out, first = HoldOut(fraction, seed), 0
    piles: tuple[list[int], list[int]] = ([], [])
    settled = hold_out.settled(sizes)
    for number, (size, undecided) in enumerate(zip(sizes, settled, strict=True)):
        *dealt, waiting = hold_out.dealt((0, number), np.arange(size))
        for part, rows in zip(piles, dealt, strict=True):
            part += [first + row for row in rows.tolist()]
        for pile, row in zip(undecided, waiting.tolist(), strict=True):
            piles[pile].append(first + row)
        first += size
    return sorted(piles[TRAIN]), sorted(piles[VALIDATION])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 40) | st.integers(1, 3000), min_size=1, max_size=20),
    st.floats(1e-7, 1, exclude_max=True) | st.sampled_from([0.5, 0.25, 0.1, 1 / 3]),
    st.integers(0, 9),
)
def test_as_many_rows_are_held_out_as_asked_for(
    sizes: list[int], fraction: float, seed: int
) -> None:
    """Of each unit its part, rounded up or down."""
    kept, held_out = deal(sizes, fraction, seed)
    count = sum(sizes)
    assert len(held_out) == max(1, round(fraction * count))
    assert sorted(kept + held_out) == [*range(count)]
    bounds = np.cumsum([0, *sizes])
    for start, stop in pairwise(bounds.tolist()):
        its = Fraction(len(held_out) * (stop - start), count)
        held = sum(start <= row < stop for row in held_out)
        assert held in (math.floor(its), math.ceil(its))


@pytest.mark.parametrize(
    "sizes", [(25,), (1, 1), (1, 2), (3, 1), (2, 5, 1, 4), (1, 9, 1), (4, 1), (7, 8)]
)
@pytest.mark.parametrize("fraction", [0.07, 0.2, 0.3, 0.5, 0.85])
def test_any_row_is_as_likely_to_be_held_out(sizes: tuple[int, ...], fraction: float) -> None:
    times = 1500
    counts = np.zeros(sum(sizes))
    for seed in range(times):
        counts[deal(sizes, fraction, seed)[VALIDATION]] += 1
    part = max(1, round(fraction * len(counts))) / len(counts)
    deviation = math.sqrt(part * (1 - part) / times)
    assert (np.abs(counts / times - part) <= 4.5 * deviation).all()


@pytest.mark.parametrize("sizes", [(3, 3), (2, 5), (8,)])
def test_pairs_of_rows_of_a_unit_are_as_likely_to_be_held_out(sizes: tuple[int, ...]) -> None:
    """None is tied to its neighbour."""
    times, together = 3000, np.zeros((sizes[0], sizes[0]))
    for seed in range(times):
        held = [row for row in deal(sizes, 0.5, seed)[VALIDATION] if row < sizes[0]]
        together[np.ix_(held, held)] += 1 / times
    pairs = together[np.triu_indices(sizes[0], 1)]
    assert np.ptp(pairs) <= 6 * math.sqrt(0.25 / times)


@pytest.mark.parametrize("seed", range(5))
def test_validation_rows(gdfit: Gdfit, seed: int) -> None:
    options = ["--validation", "0.1", "--seed", seed, "--format", "json"]
    assert '"observations": 23,' in gdfit("train", LECTURE, *options).out
    none_left = gdfit("train", LECTURE, "--validation", "0.99", "--seed", seed)
    assert none_left.err.endswith("0.99 of 25 rows for validation leaves none to train on\n")


COMPLETIONS = {
    f"gdfit train {LECTURE} --target ": ["x", "y"],
    "gdfit train a.csv --target bi": ["bill"],
    "gdfit curvature --skip 1 a.csv --features bill,": ["bill,mass", "bill,y"],
    "gdfit train a.csv nowhere.csv --exclude ma": ["mass"],
    "gdfit evaluate a.csv --target m": ["mass"],
    "gdfit train --target ": [],
    "gdfit train nowhere.csv --target ": [],
    "gdfit train empty.csv --target ": [],
    "gdfit train . --target ": [],
    "gdfit train a.csv --comment ab --target ": [],
}


@pytest.mark.parametrize("line", COMPLETIONS)
def test_the_shell_completes_names_of_columns(line: str) -> None:
    Path("a.csv").write_text("bill,mass,y\n1,2,3\n")
    Path("empty.csv").touch()
    if "--skip" in line:
        Path("a.csv").write_text("a title\nbill,mass,y\n1,2,3\n")
    environment = {
        "_GDFIT_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - (not line.endswith(" "))),
    }
    done = subprocess.run(
        [sys.executable, "-m", "gdfit"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.split(), done.stderr) == (COMPLETIONS[line], "")


@pytest.mark.parametrize(
    ("features", "target", "told"),
    [
        ("x,z", "x", "column 'x' is a feature and the target at once"),
        ("x", "log(x)", "'x' is a feature, and made of the column of the target, log(x)"),
        ("log(x)", "log(x)", "'log(x)' is a feature, and made of the column of the target, log(x)"),
        ("x:z", "x", "'x:z' is a feature, and made of the column of the target, x"),
        ("z,x^2", "x", "'x^2' is a feature, and made of the column of the target, x"),
    ],
)
def test_a_feature_is_not_made_of_the_target(
    gdfit: Gdfit, features: str, target: str, told: str
) -> None:
    result = gdfit("train", "-", "--features", features, "--target", target, stdin=b"x,z\n1,2\n")
    assert (result.status, result.err.split(";")[0]) == (2, f"gdfit: error: {told}")


@pytest.mark.parametrize("count", [1, 3, 4])
def test_three_columns_of_text_are_shown_where_there_are_no_numbers(
    gdfit: Gdfit, count: int
) -> None:
    names = "abcd"[:count]
    data = f"y,{','.join(names)}\n" + f"1,{','.join(2 * name for name in names)}\n" * 2
    shown = ", ".join(f"{name} ('{2 * name}')" for name in names[:3])
    err = gdfit("train", "-", stdin=data.encode()).err
    assert err.endswith(f"there is text in {shown}{', …' if count > 3 else ''}\n")


@pytest.mark.parametrize(
    ("rows", "advice"),
    [
        ([",2,", "1,,2"], ""),  # each column lacks something: which to leave out is not clear
        (["1,,", "1,,2"], "; --exclude z leaves out what lacks the most"),
    ],
)
def test_what_lacks_the_most_may_be_left_out(gdfit: Gdfit, rows: list[str], advice: str) -> None:
    data = "\n".join(["x,z,y", *rows, ""]).encode()
    options = ["--features", "x,z", "--drop-missing"]
    err = gdfit("train", "-", *options, stdin=data).err
    assert err.endswith(f"there are no observations without a missing field{advice}\n")
