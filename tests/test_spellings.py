"""How numbers are written: what is understood, what is not guessed, and that readers agree."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from conftest import Gdfit
from gdfit import (
    Dialect,
    GdfitError,
    GdfitWarning,
    evaluate,
    load_model,
    observations_from,
    read_observations,
)
from gdfit.data.batch import Asked
from gdfit.data.dataset import Dataset
from gdfit.data.reduction.dask import Cluster
from gdfit.data.sources.block_readers import read_plainly
from gdfit.data.text.blocks import Block
from gdfit.data.text.fields import Grammar
from gdfit.data.text.spellings import THOUSANDS_MARKS, Spelling, find_spelling
from inline import Inline, all_bits
from readers import blocks_of, read_block

NUMBERS = [1250.5, -3.25, 2345678.75, 0.5, 12.125, -1999.0, 45.0, 310.0]


def grouped(number: float, mark: str, point: str = ".") -> str:
    """A number with two decimals and a mark before each three digits."""
    return f"{number:,.2f}".replace(",", "T").replace(".", point).replace("T", mark)


def enclosed(number: float) -> str:
    """A number, in brackets where it is negative."""
    return f"({-number})" if number < 0 else str(number)


WRITTEN: dict[str, Callable[[float], str]] = {
    "dollars": lambda n: f"${n:,.2f}".replace("$-", "-$"),
    "dollars in brackets": lambda n: f"(${-n:,.2f})" if n < 0 else f"${n:,.2f}",
    "euros behind": lambda n: f"{grouped(n, '.', ',')} €",
    "a code in front": lambda n: f"CHF {grouped(n, chr(39))}",
    "a code behind": lambda n: f"{n} EUR",
    "crowns behind": lambda n: f"{grouped(n, chr(0xA0), ',')} kr",
    "crowns in front": lambda n: f"kr. {grouped(n, '.', ',')}",
    "zlotys": lambda n: f"{grouped(n, ' ', ',')} zł",
    "yen": lambda n: f"{n:,.2f}円",
    "francs": lambda n: f"Fr. {grouped(n, chr(0x2019))}",
    "between blanks that don't break": lambda n: f"\u00a0{n}\u202f",
    "per cent": lambda n: f"{n}%",
    "per cent with a blank": lambda n: f"{n} %",
    "thousands with commas": lambda n: grouped(n, ","),
    "thousands with points": lambda n: grouped(n, ".", ","),
    "thousands with quotes": lambda n: grouped(n, "'"),
    "thousands with blanks": lambda n: grouped(n, " "),
    "with blanks that don't break": lambda n: grouped(n, "\u00a0"),
    "with thin blanks": lambda n: grouped(n, "\u2009", ","),
    "minus": lambda n: str(n).replace("-", "\u2212"),
    "brackets": enclosed,
    "Fortran": lambda n: f"{n:.8E}".replace("E", "D"),
}


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("rows", [1, 8000])
def test_a_column_is_read_however_its_numbers_are_written(
    tmp_path: Path, gdfit: Gdfit, way: str, rows: int
) -> None:
    """By the plain reader, by Arrow, in a DataFrame and in Parquet: as the numbers are."""
    numbers = [float(f"{number:.2f}") for number in NUMBERS] * rows
    texts = [WRITTEN[way](number) for number in numbers]
    ys = [2 * number + 1 for number in numbers]
    frame = pandas.DataFrame({"x": texts, "y": ys})
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False, sep="|")
    clean = frame.assign(x=numbers)
    with pytest.warns(GdfitWarning, match="x: .* is read as"):
        found = read_observations(str(path))
    assert (found.features, found.target_name, found.count) == (("x",), "y", len(numbers))
    assert found.last.tolist() == [numbers[-1], ys[-1]]
    with pytest.warns(GdfitWarning, match="x: .* is read as"):
        in_frame = observations_from(frame, "y")
    assert in_frame.augmented.tobytes() == observations_from(clean, "y").augmented.tobytes()
    assert np.allclose(abs(found.augmented), abs(in_frame.augmented), rtol=1e-12)
    parquet.write_table(pa.table({"x": texts, "y": ys}), tmp_path / "data.parquet")
    with pytest.warns(GdfitWarning, match="x: .* is read as"):
        stored = read_observations(str(tmp_path / "data.parquet"))
    assert stored.augmented.tobytes() == in_frame.augmented.tobytes()


MARKS = st.sampled_from(
    [("", "."), (",", "."), (".", ","), ("'", "."), (" ", ","), ("\u00a0", ".")]
)
SPELLED = st.builds(
    lambda marks, unit: Spelling(marks[1], marks[0], unit, is_loose=True),
    MARKS,
    st.sampled_from(["", "%", "$", "EUR", "kr."]),
)
PIECES = st.lists(
    st.sampled_from(
        [*"0123456789,.' $%()-+eDx_", "123", "\u00a0", "\u2212", "EUR", "kr", "NA", '"', "\x80"]
    ),
    max_size=9,
).map("".join)


@st.composite
def columns(draw: st.DrawFn) -> tuple[Spelling, list[str]]:
    """A spelling, and fields that are in it but for a few mishaps."""
    spelling = draw(SPELLED)

    def written(number: float) -> str:
        said = f"{abs(number):,}" if "e" not in str(number) else str(abs(number))
        said = said.replace(",", "T").replace(".", spelling.point).replace("T", spelling.thousands)
        unit = spelling.unit
        said = draw(st.sampled_from([f"{unit}{said}", f"{said} {unit}", f" {said}{unit} "]))
        minus = draw(st.sampled_from(["-", "\u2212"]))
        return (minus + said.strip() if number < 0 else said).replace(minus + " ", minus)

    fields = st.floats(-1e7, 1e7).map(written)
    odd = draw(st.booleans())
    return spelling, draw(
        st.lists(st.one_of(fields, fields, PIECES) if odd else fields, max_size=8)
    )


@settings(max_examples=1000, deadline=None)
@given(column=columns(), missing=st.booleans(), own=st.sampled_from([(), ("0",), ("1,250",)]))
def test_the_fast_reader_reads_spellings_as_the_plain_one_does(
    column: tuple[Spelling, list[str]], missing: bool, own: tuple[str, ...]
) -> None:
    spelling, fields = column
    grammar = Dialect(missing=own).grammar(";")
    grammar = Grammar(";", missing=grammar.missing, spellings=((0, spelling),))
    text = "".join(f"{field};1\n" for field in fields if '"' not in field).encode(
        errors="surrogatepass"
    )
    asked = [Asked(0), Asked(1), Asked(0, "exact")]
    how: Any = {"missing": missing}

    def outcome(read: Any, block: Block) -> object:
        try:
            batch = read(block, grammar, 2, asked, **how)
        except ValueError as error:
            return str(error)
        numbers = np.where(np.isnan(batch.numbers), np.nan, batch.numbers)
        words = [batch.words[0].said[code] if code >= 0 else None for code in batch.words[0].codes]
        return numbers.tobytes(), words

    for block in blocks_of(text, grammar):
        assert outcome(read_block, block) == outcome(read_plainly, block)


@pytest.mark.parametrize(
    "fields",
    [
        ["$5", "6", "$7"],
        ["5%", "6"],
        ["USD 5", "EUR 6"],
        ["SKU 5", "SKU 6"],
        ["BOX100", "BOX200"],
        ["1,2,3", "4,5,6"],
        ["12,34,567"],
        ["1_000", "2_000"],
        ["1 2", "3 4"],
        ["(5", "6)"],
        ["$5$", "$6$"],
        ["9.0-099"],
        ["192.168.0.1", "10.0.0.1"],
        ["--5", "--6"],
    ],
)
def test_what_is_no_column_of_numbers(fields: list[str]) -> None:
    assert find_spelling(fields).spelling is None


def test_a_unit_stands_on_all_but_zeros() -> None:
    assert find_spelling(["$5", "0", "0.00", "$6"]).spelling == Spelling(".", ",", "$", True)


def test_what_may_be_thousands_or_decimals_is_not_guessed(tmp_path: Path, gdfit: Gdfit) -> None:
    rows = [f"{field}\t{row}\n" for row, field in enumerate(["950", "1,250", "2,400"])]
    Path("towns.tsv").write_text("pop\tstaff\n" + "".join(rows))
    result = gdfit("train", "towns.tsv", "-q")
    said = "'1,250' is 1250 where ',' stands for thousands, and 1.25 where it is the decimal mark"
    command = "gdfit train towns.tsv -q"
    assert result.status == 1
    assert result.err == (
        f"gdfit: error: towns.tsv, column 'pop': {said}; --thousands , or --decimal , says which: "
        f"{command} --thousands , or {command} --decimal ,\n"
    )
    for option, number in (("--thousands", 1250), ("--decimal", 1.25)):
        result = gdfit("train", "towns.tsv", "-q", option, ",")
        assert result.status == 0
        assert f"is read as {number}" in result.err


@pytest.mark.parametrize("mark", [*THOUSANDS_MARKS])
@pytest.mark.parametrize("written", ["{}€", "$ {}", "CHF {}", "{} EUR"])
def test_a_mark_beside_money_stands_for_thousands(mark: str, written: str) -> None:
    fields = [written.format(number) for number in ("950", f"1{mark}250", f"2{mark}400")]
    found = find_spelling(fields)
    assert found.spelling
    assert not found.doubt
    assert [found.spelling.digits(each.encode()) for each in fields] == [b"950", b"1250", b"2400"]
    cents = find_spelling([*fields, written.format("1.25")]).spelling
    assert mark == "." or (cents and cents.digits(written.format("1.25").encode()) == b"1.25")


def test_decimals_that_look_like_thousands_get_a_note(gdfit: Gdfit) -> None:
    data = b"a;y\n1,250;1\n950;2\n2,500;3\n"
    assert gdfit("train", "-", "-q", "--decimal", ",", stdin=data).err == (
        "gdfit: note: a: 1,250 is read as 1.25; --thousands , takes the mark for that of "
        "thousands\n"
    )
    assert gdfit("train", "-", "-q", "--decimal", ",", stdin=b"a;y\n1,25;1\n9;2\n").err == ""


def test_later_fields_are_as_the_first_ones(gdfit: Gdfit) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(60))
    result = gdfit("train", "-", stdin=f'x,y\n{rows}"1,250",3\n'.encode())
    where = "gdfit: error: standard input, line 62, column 'x': "
    assert (
        f"{where}'1,250' is not a number (thousands with ',' need --thousands ,, decimals with ',' "
        "need --decimal ,)" in result.err
    )
    rows = "".join(f"{n}%,{n}\n" for n in range(60))
    result = gdfit("train", "-", stdin=f"x,y\n{rows}7,3\n".encode())
    assert f"{where}'7' is not a number written as the others of its column are" in result.err


def test_what_was_trained_on_is_understood_later(tmp_path: Path, gdfit: Gdfit) -> None:
    Path("train.csv").write_text('x,y\n"1,250",1\n950,2\n2500,4\n')
    result = gdfit("train", "train.csv", "-q", "--thousands", ",")
    assert result.err == "gdfit: note: x: 1,250 is read as 1250\n"
    spelled = json.loads(Path("gdfit.json").read_text())["spellings"]
    assert spelled["x"] == {"decimal": ".", "thousands": ",", "unit": ""}
    Path("one.csv").write_text('x,y\n"1,250",1\n')  # by itself, it could be either
    predicted = gdfit("predict", "one.csv")
    at = gdfit("predict", "--x", "1250").out.strip()
    assert predicted.out == f'x,y,y_hat\n"1,250",1,{at}\n'
    assert gdfit("evaluate", "one.csv", "--format", "json").status == 0
    assert gdfit("predict", "one.csv", "--decimal", ",").out != predicted.out


def test_what_may_be_either_is_told_where_there_is_no_header(gdfit: Gdfit) -> None:
    gdfit("train", "-", "-q", stdin=b"x,y\n1,3\n2,5\n4,9\n")
    result = gdfit("predict", "-", stdin=b'"1,250"\n"2,500"\n')
    assert "'1,250' is 1250 where ',' stands for thousands, and 1.25 where" in result.err


def test_an_input_is_what_a_file_may_hold(gdfit: Gdfit) -> None:
    gdfit("train", "-", "-q", stdin=b"x,y\n1,3\n2,5\n4,9\n")
    at = gdfit("predict", "--x", "1250").out
    for said in ("$1250", "1250%", "1 250", "1'250", "1250 EUR", "1.25D3", "+1250"):
        assert gdfit("predict", "--x", said).out == at
    assert gdfit("predict", "--x", "\u22123").out == gdfit("predict", "--x=-3").out
    for said in ("1_0", "\u0661", "1,250", "$"):
        assert gdfit("predict", "--x", said).status == 2
    assert gdfit("train", "-", "--lr", "1_0", stdin=b"x,y\n1,3\n").status == 2


def test_a_first_line_of_such_numbers_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("10%;$1,250\n20%;$1,500\n30%;$1,950\n")
    with pytest.warns(GdfitWarning, match="is read as"):
        assert read_observations(str(path)).count == 3
    path.write_text("10%;90%\n1;2\n3;4\n")  # names
    assert read_observations(str(path)).features == ("10%",)


@pytest.mark.parametrize("thousands", ["x", "", ",,"])
def test_marks_that_are_none(thousands: str) -> None:
    with pytest.raises(GdfitError, match="`thousands` takes"):
        Dialect(thousands=thousands)
    with pytest.raises(GdfitError, match="are both ','"):
        Dialect(thousands=",", decimal=",")


# Clean data; y is made of x and z.
CLEAN = {
    "small": [(x, 3 * x % 7, 4 * x - 1) for x in range(-3, 9)],
    "large": [(1000 * x + 250, x * x, 5_000 * x + 4 * x * x) for x in range(1, 15)],
    "few": [(1250, 1, 2500), (2400, 5, 4800), (31_750, 2, 63_500), (999, 3, 1998)],
}


def polluted(rows: list[tuple[int, int, int]], place: int, way: Callable[[float], str]) -> str:
    """The rows as text, of which one column is written in some way."""
    lines = ["x|z|y"]
    for row in rows:
        fields = [*map(str, row)]
        fields[place] = way(row[place])
        lines.append("|".join(fields))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("case", CLEAN)
def test_pollution_is_read_or_told_and_never_silent(
    gdfit: Gdfit, way: str, place: int, case: str
) -> None:
    """The plain command has the fit of the clean file; where it is an error, one of the commands at
    its end has."""
    rows = CLEAN[case]
    Path("clean.csv").write_text(polluted(rows, place, str))
    Path("data.csv").write_text(polluted(rows, place, WRITTEN[way]))
    expected = [*map(float, gdfit("train", "clean.csv", "-q").out.split())]
    result = gdfit("train", "data.csv", "-q")
    if result.status:
        assert result.err.count("\n") == 1
        commands = result.err.strip().partition(": gdfit ")[2].split(" or gdfit ")
        results = [gdfit(*command.split()) for command in commands]
    else:
        results = [result]
        assert "is read as" in result.err or polluted(rows, place, WRITTEN[way]).isascii()
    fits = [[*map(float, each.out.split())] for each in results]
    assert any(np.allclose(fit, expected, rtol=1e-6, atol=1e-6) for fit in fits)


def test_words_alone_are_categories(gdfit: Gdfit) -> None:
    data = b"kind,site,day,y\n"
    for number, row in enumerate((b"a,n,%s,1", b"b,n,%s,2", b"a,s,%s,1.5", b"b,s,%s,2.5"), start=1):
        data += row % (b"24-01-0%d" % number) + b"\n"
    result = gdfit("train", "-", "-q", stdin=data)
    assert result.err.splitlines() == [
        "gdfit: note: no column with numbers is left to predict from: kind, site are taken for "
        "categories",
        "gdfit: note: left out columns without numbers in the first lines: day (--features day "
        "uses one as a category)",
    ]
    assert gdfit("predict", "--x", "b,s").out.startswith("2.5")
    frame = pandas.DataFrame({"kind": ["a", "b", "a"], "y": [1.0, 2.0, 1.5]})
    found = observations_from(frame, "y")
    assert (found.features, found.taken) == (("kind[b]",), ("kind",))
    many = "".join(f"p{row % 13},{row}\n" for row in range(30))
    assert "there is text in id ('p0')" in gdfit("train", "-", stdin=f"id,y\n{many}".encode()).err


def test_numbers_come_before_words(gdfit: Gdfit) -> None:
    result = gdfit("train", "-", "-q", stdin=b"kind,x,y\na,1,3\nb,2,5\na,3,7\n")
    assert "left out columns without numbers in the first lines: kind" in result.err


def test_a_category_with_a_level_for_each_row_gets_a_note(gdfit: Gdfit) -> None:
    note = "gdfit: note: name has as many levels as there are rows, 3"
    data = b"name,x,y\na,1,1\nb,2,2\nc,5,4\n"
    assert note in gdfit("train", "-", "-q", "--features", "name", stdin=data).err
    data += b"c,6,5\n"
    assert note not in gdfit("train", "-", "-q", "--features", "name", stdin=data).err


@pytest.mark.parametrize("fields", ["0:25 0:52 1:21", "5 kg|7 kg|9 kg", "<1 <1 2 <1 4 <1"])
def test_what_is_no_category_is_not_taken_for_one(gdfit: Gdfit, fields: str) -> None:
    """A level for each row, or numbers among the words."""
    said = fields.split("|" if "|" in fields else None)
    data = "km;x\n" + "".join(f"{row};{each}\n" for row, each in enumerate(said))
    err = gdfit("train", "-", stdin=data.encode()).err
    assert err.endswith(f"there is 'km' alone; there is text in x ('{said[0]}')\n")


@pytest.mark.parametrize("header", ["x,y\n", ""])
def test_decimal_commas_in_quotes_between_commas(gdfit: Gdfit, header: str) -> None:
    """As spreadsheets of many countries write them."""
    data = header + '"0,5","1.250,5"\n"1","1.251,75"\n"2,0",1253\n'
    result = gdfit("train", "-", stdin=data.encode())
    assert result.err.endswith(" need --decimal ,): gdfit train - --decimal ,\n")
    found = gdfit.json("train", "-", "--decimal", ",", "--lr", "0.1", stdin=data.encode())
    assert found["observations"] == 3
    slope, b = np.polyfit([0.5, 1, 2], [1250.5, 1251.75, 1253], 1)
    assert [*found["w"], found["b"]] == pytest.approx([slope, b], rel=1e-3)
    predicted = gdfit("predict", "-", stdin=data.encode()).out.splitlines()[-1]
    assert predicted.startswith('"2,0",1253,125')
    assert gdfit.json("evaluate", "-", stdin=data.encode())["mse"] == pytest.approx(found["loss"])


def test_numbers_of_some_unit_are_no_category(gdfit: Gdfit) -> None:
    err = gdfit("train", "-", stdin=b"x,y\n$5,1\n6,2\n$7,3\n").err
    assert err.endswith("there is 'y' alone; there is text in x ('$5')\n")


def test_what_is_exported_has_to_be_given_numbers(gdfit: Gdfit) -> None:
    gdfit("train", "-", "-q", stdin=b"x,y\n5%,1\n6%,2\n8%,4\n")
    for form in ("python", "sql", "c", "excel"):
        err = gdfit("export", "--format", form).err
        assert "gdfit: note: x must hold plain numbers where this runs, as 1250 for $1,250" in err
        assert ("45 for 45%" in err) == (form == "excel")


def test_units_of_such_columns_are_the_same_for_all_readers(tmp_path: Path) -> None:
    """Cut at any place, and read in any order, by threads or by the workers of a cluster."""
    path = tmp_path / "data.csv"
    rows = "".join(f'"${row * 37:,}",{row % 100} %,{row}\n' for row in range(1, 3000))
    path.write_text("price,share,y\n" + rows)
    dataset = Dataset((str(path),), unit_bytes=1 << 12)
    with pytest.warns(GdfitWarning, match=r"price: \$1,036 is read as 1036"):
        here = dataset.observations()
    client: Any = Inline(3)
    with (
        pytest.warns(GdfitWarning, match="share: 1 % is read as 1"),
        Cluster(client, unit_bytes=1 << 12, at_once=2) as cluster,
    ):
        there = replace(dataset, cluster=cluster).observations()
    assert (here.count, here.features) == (2999, ("price", "share"))
    assert all_bits(there) == all_bits(here)


@pytest.mark.parametrize(
    ("rows", "options", "one"),
    [
        (["$1,250", "$950", "$2,400.50"], [], "$1,250"),
        (["1.250", "950", "2.400"], ["--thousands", "."], "1.250"),
        (["1,5", "2,25", "7"], ["--decimal", ","], "1,5"),
        (["1.250,5", "950", "2.400"], [], "1.250"),  # by itself, 1.25
        (["45%", "12.5%", "7%"], [], "12.5%"),
        (["-", "12.5", "7"], ["--missing", "-", "--drop-missing"], "-"),
        (["(3)", "4", "5"], [], "(3)"),
        (["3/4/2024", "13/4/2024", "5/4/2024"], ["--features", "x"], "3/4/2024"),
    ],
)
def test_a_frame_of_texts_is_read_as_the_file_that_was_trained_on(
    gdfit: Gdfit, rows: list[str], options: list[str], one: str
) -> None:
    lines = "".join(f"{row}\t{at * at}\n" for at, row in enumerate(rows))
    Path("data.tsv").write_text(f"x\ty\n{lines}")
    assert gdfit("train", "data.tsv", "-q", *options).status == 0
    Path("one.tsv").write_text(f"x\ty\n{one}\t1\n")
    (said,) = (line.split("\t")[2] for line in gdfit("predict", "one.tsv").out.splitlines()[1:])
    model = load_model("gdfit.json")
    for kind in ("str", "object", pandas.ArrowDtype(pa.string())):
        frame = pandas.DataFrame({"x": pandas.Series([one], dtype=kind), "y": [1.0]})
        (found,) = model.predict(frame)
        assert repr(float(found)) == (said.replace(",", ".") or "nan")
    if said:
        in_file = evaluate(model, "one.tsv").mse
        assert evaluate(model, frame).mse == in_file
