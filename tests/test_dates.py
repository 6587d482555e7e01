"""Dates: how they are written, what they are, and that readers agree."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from conftest import Gdfit, Opened
from exported import c_function
from gdfit import (
    Dialect,
    GdfitError,
    UsageError,
    export,
    load_model,
    observations_from,
    read_observations,
    train,
)
from gdfit.data.batch import Asked
from gdfit.data.sources.block_readers import read_plainly
from gdfit.data.text.blocks import Block
from gdfit.data.text.fields import Grammar
from gdfit.data.text.spellings import DateSpelling, find_spelling
from gdfit.dates import date_part, days_of_digits, iso_date
from readers import blocks_of, read_block, said_by
from spreadsheet import worked_out

pytestmark = pytest.mark.filterwarnings("ignore::gdfit.GdfitWarning")
EPOCH = datetime(1970, 1, 1)
DAY = timedelta(days=1)
MOMENTS = [datetime(2024, 1, 5) + 3 * row * DAY for row in range(12)]
MOMENTS += [datetime(1969, 12, 31, 23, 59), datetime(2000, 2, 29, 12), datetime(2023, 11, 30, 6, 5)]


def us(moment: datetime, *, year: str = "%Y") -> str:
    """A moment as Excel shows it in the United States."""
    return f"{moment.month}/{moment.day}/{moment:{year}} {moment.hour}:{moment:%M}"


def in_zone(hours: float) -> Callable[[datetime], str]:
    """A moment of UTC, said in a zone so many hours east."""
    zone = timezone(timedelta(hours=hours))
    return lambda moment: moment.replace(tzinfo=UTC).astimezone(zone).isoformat()


WRITTEN: dict[str, Callable[[datetime], str]] = {
    "ISO": lambda m: m.isoformat(),
    "ISO with a blank": lambda m: m.isoformat(" "),
    "ISO without seconds": lambda m: m.isoformat(timespec="minutes"),
    "ISO with milliseconds": lambda m: m.isoformat(timespec="milliseconds"),
    "ISO with a comma": lambda m: m.isoformat(" ", timespec="microseconds").replace(".", ","),
    "ISO in UTC": lambda m: m.isoformat() + "Z",
    "ISO in India": in_zone(5.5),
    "ISO in New York": in_zone(-5),
    "ISO, slashes": lambda m: m.isoformat(" ").replace("-", "/"),
    "German": lambda m: f"{m:%d.%m.%Y %H:%M}",
    "German, short": lambda m: f"{m.day}.{m.month}.{m:%Y %H:%M}",
    "Excel's": us,
    "with a half of the day": lambda m: f"{m:%m/%d/%Y %I:%M:%S %p}",
    "British": lambda m: f"{m:%d/%m/%Y %H:%M:%S}",
    "with hyphens": lambda m: f"{m:%d-%m-%Y %H:%M}",
}


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("rows", [1, 3000])
def test_a_column_of_dates_is_days(tmp_path: Path, way: str, rows: int) -> None:
    """By the plain reader, by Arrow, in a DataFrame and in Parquet: what datetime makes of them."""
    moments = MOMENTS * rows
    texts = [WRITTEN[way](moment) for moment in moments]
    days = [(moment - EPOCH) // DAY + (moment - EPOCH) % DAY / DAY for moment in moments]
    frame = pandas.DataFrame({"when": texts, "y": range(len(texts))})
    frame.to_csv(tmp_path / "data.csv", index=False, sep="|")
    parquet.write_table(pa.Table.from_pandas(frame), tmp_path / "data.parquet")
    clean = observations_from(frame.assign(when=days), "y")
    for found in (
        read_observations(str(tmp_path / "data.csv"), features="when"),
        read_observations(str(tmp_path / "data.parquet"), features="when"),
        observations_from(frame, "y", "when"),
    ):
        assert found.features == ("when",)
        assert found.first.tobytes() == clean.first.tobytes()
        assert found.last.tolist() == clean.last.tolist()
        assert found.sample[:, 0].tobytes() == clean.sample[:, 0].tobytes()


@pytest.mark.parametrize(
    "column",
    [
        pa.array(MOMENTS, pa.timestamp("ns")),
        pa.array(MOMENTS, pa.timestamp("us")),
        pa.array(MOMENTS, pa.timestamp("s", "America/New_York")),
        pa.array([*MOMENTS[:4], None, *MOMENTS[4:]], pa.timestamp("ms")),
        pa.array([moment.date() for moment in MOMENTS], pa.date32()),
        pa.array([moment.date() for moment in MOMENTS], pa.date64()),
        pa.array(MOMENTS, pa.timestamp("us")).dictionary_encode(),
    ],
)
def test_typed_dates_are_those_of_their_text(tmp_path: Path, column: Any) -> None:
    table = pa.table({"when": column, "y": range(len(column))})
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    texts = plain.cast(pa.string()).to_pylist()
    pandas.DataFrame({"when": texts, "y": range(len(texts))}).to_csv(
        tmp_path / "data.csv", index=False
    )
    parquet.write_table(table, tmp_path / "data.parquet")
    dialect = Dialect(drop_missing=True)
    expected = read_observations(str(tmp_path / "data.csv"), features="when", dialect=dialect)
    found = [read_observations(str(tmp_path / "data.parquet"), features="when", dialect=dialect)]
    frames = [table]
    if plain is column:  # a category of pandas holds words
        frames += [table.to_pandas(), polars.from_arrow(table)]
    for frame in frames:
        found.append(observations_from(frame, "y", "when", drop_missing=True))
    for each in found:
        assert each.count == expected.count == len(MOMENTS)
        assert each.first.tobytes() == expected.first.tobytes()
        assert each.last.tobytes() == expected.last.tobytes()
        assert each.sample[:, 0].tobytes() == expected.sample[:, 0].tobytes()


def test_dates_of_pythons_are_dates() -> None:
    days = [date(2024, 1, 5), date(2024, 1, 7), None, date(2024, 2, 1)]
    frame = pandas.DataFrame({"day": days, "y": [1.0, 2.0, 3.0, 4.0]})
    found = observations_from(frame, "y", drop_missing=True)
    assert (found.features, found.dates, found.taken) == (("day",), ("day",), ("day",))
    assert found.first[:, 0].tolist() == [19727.0, 19729.0, 19754.0]


def test_durations_are_days(gdfit: Gdfit) -> None:
    hours = [0, 6, 12, None, 36]
    frame = pandas.DataFrame(
        {"took": pandas.to_timedelta(pandas.Series(hours), unit="h"), "y": [1, 2, 3, 9, 7]}
    )
    frame.to_parquet("took.parquet")
    dialect = Dialect(drop_missing=True)
    for found in (
        observations_from(frame, "y", drop_missing=True),
        observations_from(polars.from_pandas(frame), "y", drop_missing=True),
        read_observations("took.parquet", dialect=dialect),
    ):
        assert (found.features, found.first[:, 0].tolist()) == (("took",), [0, 0.25, 0.5])
    gdfit("train", "took.parquet", "--drop-missing")
    back = gdfit("predict", "took.parquet").out.splitlines()
    assert [float(line.split(",")[0] or "nan") for line in back[1:3]] == [0, 0.25]
    assert [round(float(line.split(",")[2] or "0"), 9) for line in back[1:]] == [1, 2, 3, 0, 7]


PIECES = st.lists(
    st.sampled_from([*"0123456789-/.:TZ +ap", "2024", "-01-", "13:45", "PM", "NA", "\x80", "1/2/"]),
    max_size=7,
).map("".join)


@st.composite
def columns(draw: st.DrawFn) -> tuple[DateSpelling, list[str]]:
    """A way to write dates, and fields that are in it but for a few mishaps."""
    order = draw(st.sampled_from(["ymd", "mdy", "dmy", "ym"]))
    mark, is_short = draw(st.sampled_from("-/.")), order in ("mdy", "dmy") and draw(st.booleans())
    spelling = DateSpelling(order=order, mark=mark, is_short=is_short, is_zoned=draw(st.booleans()))

    def written(moment: datetime) -> str:
        year = f"{moment.year % 100:02}" if is_short else f"{moment.year:04}"
        month, day = draw(st.sampled_from([("02", "02"), ("", "")]))
        parts = {"y": year, "m": f"{moment.month:{month}}", "d": f"{moment.day:{day}}"}
        said = mark.join(parts[letter] for letter in order)
        time = draw(
            st.sampled_from(["", "T%H:%M", " %H:%M:%S", " %I:%M %p", "T%H:%M:%S.%f", "t%H:%M"])
        )
        zone = draw(st.sampled_from(["Z", "+01:00", "-0530", " UTC", "+14"]))
        if order == "ym" and draw(st.booleans()):  # as it is in most
            return f"{moment.year:04}{mark}{moment.month:02}"
        return said + f"{moment:{time}}" * bool(time) + zone * spelling.is_zoned

    fields = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(written)
    odd = st.one_of(fields, fields.map(lambda field: f" {field} "), fields, PIECES)
    return spelling, draw(st.lists(odd if draw(st.booleans()) else fields, max_size=8))


@settings(max_examples=1000, deadline=None)
@given(column=columns(), missing=st.booleans(), own=st.sampled_from([(), ("0",), ("2024",)]))
def test_the_fast_reader_reads_dates_as_the_plain_one_does(
    column: tuple[DateSpelling, list[str]], missing: bool, own: tuple[str, ...]
) -> None:
    spelling, fields = column
    grammar = Dialect(missing=own).grammar(";")
    grammar = Grammar(";", missing=grammar.missing, spellings=((0, spelling),))
    text = "".join(f"{field};1\n" for field in fields).encode()
    how: Any = {"missing": missing}

    def outcome(read: Any, block: Block, asked: list[Asked]) -> object:
        try:
            batch = read(block, grammar, 2, asked, **how)
        except ValueError as error:
            return str(error)
        numbers = np.where(np.isnan(batch.numbers), np.nan, batch.numbers)
        return numbers.tobytes(), said_by(batch)

    # Beside words of the same column, numbers are read from these.
    for block, more in product(blocks_of(text, grammar), ([], [Asked(0, "exact")])):
        asked = [Asked(0), Asked(1), *more]
        assert outcome(read_block, block, asked) == outcome(read_plainly, block, asked)


@settings(max_examples=300, deadline=None)
@given(moment=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
def test_days_go_back_to_what_they_are_made_of(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    days = DateSpelling().value(moment.isoformat().encode())
    assert datetime.fromisoformat(iso_date(days)) == moment
    parts = (moment.year, moment.month, moment.isoweekday(), moment.hour)
    names = ("year", "month", "weekday", "hour")
    assert tuple(int(date_part(name, np.array([days]))[0]) for name in names) == parts
    digits = np.array([float(f"{moment:%Y%m%d}".lstrip("0") or 0)])
    digits = np.array([moment.year * 10000.0 + moment.month * 100 + moment.day])
    assert days_of_digits(digits)[0] == days // 1


@pytest.mark.parametrize(
    "fields",
    [
        ["2024-13-05", "2024-14-05"],
        ["24-01-05", "24-01-06"],
        ["1.2.10", "1.3.11"],
        ["192.168.1.1"],
        ["2011-12", "2012-13"],
        ["2023-2024", "2024-2025"],
        ["13:45", "14:00"],
        ["2024-01-05 25:00", "2024-01-05 24:00"],
        ["3/2024", "4/2024"],
        ["1/2", "3/4"],
        ["555-1234", "555-1235"],
        ["1-2/2024"],
    ],
)
def test_what_is_no_column_of_dates(fields: list[str]) -> None:
    assert find_spelling(fields).spelling is None


@pytest.mark.parametrize("mark", ["/", "-"])
def test_the_order_is_found_where_the_other_is_impossible(mark: str) -> None:
    for order, field in (("mdy", "1/13/2024"), ("dmy", "13/1/2024")):
        found = find_spelling(["1/2/2024".replace("/", mark), field.replace("/", mark)])
        assert found == (DateSpelling(order=order, mark=mark), "")
    assert find_spelling([f"1{mark}1{mark}2024"]).doubt == ""
    assert find_spelling([f"1{mark}2{mark}2024"]).doubt == mark


def test_an_order_that_cannot_be_told_is_asked_for(gdfit: Gdfit) -> None:
    Path("sales.csv").write_text("day,sales\n1/5/2024,1\n2/5/2024,2\n4/5/2024,4\n")
    result = gdfit("train", "sales.csv", "-q")
    command = "gdfit train sales.csv -q"
    assert result.status == 1
    assert result.err.endswith(
        "gdfit: error: sales.csv, column 'day': '1/5/2024' is 2024-01-05 where the month stands "
        "first, and 2024-05-01 where the day stands first; --dates mdy or --dates dmy says which: "
        f"{command} --dates mdy or {command} --dates dmy\n"
    )
    slopes = []
    for order, day in (("mdy", 1), ("dmy", 5)):
        result = gdfit("train", "sales.csv", "-q", "--dates", order)
        assert f"day: 1/5/2024 is read as 2024-0{day}-0{6 - day}" in result.err
        slopes.append(float(result.out.split()[0]))
        # The model's file keeps it, for files that don't show it.
        back = gdfit("predict", "sales.csv").out.splitlines()[1:]
        at = gdfit("predict", "--x", "1/5/2024").out.strip()
        assert back[0] == f"1/5/2024,1,{at}"
        assert abs(float(at) - 1) < 0.2
    assert slopes[1] > 1.4 * slopes[0] > 0
    wrong = gdfit("train", "sales.csv", "--dates", "ymd")
    assert (wrong.status, "mdy or dmy" in wrong.err) == (2, True)


def test_short_years_are_asked_for(gdfit: Gdfit) -> None:
    Path("sales.csv").write_text("day;sales\n05.01.24;1\n06.01.24;2\n31.12.69;4\n")
    error = gdfit("train", "sales.csv", "-q").err
    command = "gdfit train sales.csv -q --dates"
    assert error.endswith(f"says which: {command} mdy or {command} dmy\n")
    result = gdfit("train", "sales.csv", "--dates", "dmy", "-q")
    assert "05.01.24 is read as 2024-01-05" in result.err
    assert gdfit("predict", "--x", "31.12.69").out == gdfit("predict", "--x", "1969-12-31").out


@pytest.mark.parametrize("rows", [3, 30_000])
@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("2024-02-30", "'2024-02-30' is a date that there is not"),
        ("5.1.2024", "'5.1.2024' is not a date written as the others of its column are"),
        ("soon", "'soon' is not a date written as the others of its column are"),
        ("2024-01-05T10:00Z", "'2024-01-05T10:00Z' has a zone, and others of its column have none"),
    ],
)
def test_what_is_no_date_is_told_by_its_line(
    gdfit: Gdfit, rows: int, field: str, what: str
) -> None:
    lines = [f"2024-01-{1 + row % 28:02},{row}" for row in range(rows)]
    Path("data.csv").write_text("\n".join(["day,y", *lines, f"{field},1", *lines, ""]))
    result = gdfit("train", "data.csv", "-q")
    where = f"data.csv, line {rows + 2}, column 'day'"
    assert result.status == 1
    assert f"gdfit: error: {where}: {what}" in result.err


def test_a_zone_on_some_alone_is_an_error(gdfit: Gdfit) -> None:
    data = b"t,y\n2024-01-05T10:00Z,1\n2024-01-05T12:00+01:00,2\n2024-01-05T12:00,3\n"
    result = gdfit("train", "-", "-q", stdin=data)
    assert "line 4, column 't': '2024-01-05T12:00' has no zone, and others of its column" in (
        result.err
    )
    hours = gdfit("train", "-", "-q", stdin=data.replace(b"12:00,3", b"12:00Z,3"))
    assert np.allclose(float(hours.out.split()[0]) / 24, 1, atol=0.2)


def test_dates_are_a_feature_if_named_or_alone(gdfit: Gdfit) -> None:
    data = b"day,x,kind,y\n2024-01-05,1,a,1\n2024-01-06,2,b,3\n2024-01-09,2,a,2\n"
    result = gdfit("train", "-", "--format", "json", stdin=data)
    assert '"features": ["x"]' in result.out
    assert "left out columns of dates: day (--features day uses one as days since" in result.err
    result = gdfit("train", "-", "--format", "json", "--exclude", "x", stdin=data)
    assert '"features": ["day"]' in result.out
    assert (
        "no column with numbers is left to predict from: day is taken, in days since 1970-01-01"
    ) in result.err
    assert "day: 2024-01-05 is read as day 19727 since 1970-01-01" in result.err
    assert "left out columns without numbers in the first lines: kind" in result.err
    result = gdfit("train", "-", "--format", "json", "--features", "x,day", stdin=data)
    assert '"features": ["x", "day"]' in result.out
    # A last column of dates is no target unless it is named.
    swapped = b"y,day\n1,2024-01-05\n3,2024-01-06\n2,2024-01-09\n"
    assert '"target": "y"' in gdfit("train", "-", "--format", "json", stdin=swapped).out
    result = gdfit("train", "-", "--format", "json", "--target", "day", stdin=swapped)
    assert '"target": "day"' in result.out


@pytest.mark.parametrize("header", [True, False])
def test_a_first_line_of_dates_and_numbers_is_a_row(gdfit: Gdfit, header: bool) -> None:
    top = b"day,y\n" * header
    result = gdfit("train", "-", "--format", "json", stdin=top + b"2024-01-05,1\n2024-01-06,3\n")
    assert '"observations": 2' in result.out or '"count": 2' in result.out
    years = b"2024-01-05,2024-02-05\n1,2\n2,4\n3,6\n"
    assert '"features": ["2024-01-05"]' in gdfit("train", "-", "--format", "json", stdin=years).out


def test_dates_far_from_all_others_are_no_number_that_is_missing(gdfit: Gdfit) -> None:
    lines = [f"2024-01-{1 + row:02},{row}" for row in range(20)] + ["9999-12-31,0"] * 4
    data = "\n".join(["day,y", *lines, ""]).encode()
    assert "far from all others" not in gdfit("train", "-", "-q", stdin=data).err
    dropped = ["--missing", "9999-12-31", "--drop-missing"]
    result = gdfit("train", "-", "-q", *dropped, stdin=data)
    assert "skipped 4 rows with a missing field" in result.err
    assert np.isclose(float(result.out.split()[0]), 1)


def test_predictions_at_dates(gdfit: Gdfit) -> None:
    Path("data.csv").write_text("day;y\n5.1.2024;1\n6.1.2024 12:00;4\n7.1.2024;5\n")
    result = gdfit("train", "data.csv", "-q")
    w, b = map(float, result.out.split())
    for said, day in (
        ("2024-03-01", 19783),
        ("1.3.2024", 19783),
        ("2024-03-01T12:00", 19783.5),
        ("2024-03-01 12:00", 19783.5),
        ("2024-03", 19783),
    ):
        assert np.isclose(float(gdfit("predict", "--x", said).out), w * day + b, rtol=1e-9)
    for wrong in ("3/1/2024", "2024-02-30", "soon", "20240301", "19783"):
        result = gdfit("predict", "--x", wrong)
        what = f"gdfit: error: --x takes a date here, as 2024-03-01, not {wrong!r}\n"
        assert (result.status, result.err) == (2, what)
    # Rows of another file, where dates are written in another way.
    Path("other.csv").write_text("day,z\n2024-01-05,1\n2024-03-01T12:00,2\nnever,3\n")
    result = gdfit("predict", "other.csv")
    values = [line.rpartition(",")[2] for line in result.out.splitlines()[1:]]
    assert values[1] == gdfit("predict", "--x", "2024-03-01T12:00").out.strip()
    assert values[2] == ""
    assert "no prediction for 1 row that can't be read" in result.err
    assert gdfit("evaluate", "data.csv").status == 0


def test_an_order_in_a_data_frame() -> None:
    frame = pandas.DataFrame({"day": ["1/5/2024", "2/5/2024", "4/5/2024"], "y": [1.0, 2, 4]})
    with pytest.raises(GdfitError, match="where the month stands first"):
        observations_from(frame, "y")
    alike = pandas.DataFrame({"day": ["1/1/2024", "2/5/2024", "4/5/2024"], "y": [1.0, 2, 4]})
    with pytest.raises(GdfitError, match=r"2024-02-05 where the month.*2024-05-02 where the day"):
        observations_from(alike, "y")
    assert observations_from(frame, "y", dates="dmy").first[:, 0].tolist() == [19844, 19845, 19847]
    assert observations_from(frame, "y", dates="mdy").first[1, 0] == 19758
    model = train(frame, "y", dates="mdy").model
    days = [[19727], [19758], [19818]]
    moments = [[iso_date(day)] for (day,) in days]
    for rows in (days, moments, np.array(moments, "M8[s]"), frame[["day"]].to_numpy(), frame):
        assert model.predict(rows).tolist() == model.predict(days).tolist()
    for one in (date(2024, 1, 5), datetime(2024, 1, 5), pandas.Timestamp("2024-01-05"), 19727.0):
        assert model.predict([one]) == model.predict(one) == model.predict(days)[0]
    with pytest.raises(UsageError, match="mdy or dmy"):
        observations_from(frame, "y", dates="ymd")


def test_an_order_that_is_said_is_for_dates_that_may_be_either(gdfit: Gdfit) -> None:
    data = b"a,b,y\n1/5/2024,1/13/2024,1\n2/5/2024,2/14/2024,3\n3/7/2024,3/5/2024,4\n"
    result = gdfit("train", "-", "-q", "--features", "a,b", "--dates", "dmy", stdin=data)
    assert "a: 1/5/2024 is read as 2024-05-01" in result.err
    assert "b: 1/13/2024 is read as 2024-01-13" in result.err


def test_parts_of_dates_are_categories(gdfit: Gdfit) -> None:
    """In files of any kind, in --x, and from a saved model: as the same parts written out."""
    random = np.random.default_rng(0)
    moments = [
        datetime(2022, 11, 3) + int(hours) * timedelta(hours=1) for hours in range(0, 9000, 7)
    ]
    effect = random.normal(size=(4, 60))
    parts = [(m.year, m.month, m.isoweekday(), m.hour) for m in moments]
    ys = [sum(effect[at, part % 60] for at, part in enumerate(each)) for each in parts]
    frame = pandas.DataFrame({"when": moments, "y": ys})
    plain = pandas.DataFrame(parts, columns=["year", "month", "weekday", "hour"]).assign(y=ys)
    names = ["year", "month", "weekday", "hour"]
    expected = observations_from(plain, "y", [f"C({name})" for name in names])
    frame.to_csv("data.csv", index=False)
    parquet.write_table(pa.Table.from_pandas(frame), "data.parquet")
    terms = [f"{name}(when)" for name in names]
    for found in (
        observations_from(frame, "y", terms),
        read_observations("data.csv", features=terms),
        read_observations("data.parquet", features=terms),
    ):
        said = [name.replace("(when)", "") for name in found.features]
        assert tuple(said) == expected.features
        assert np.allclose(abs(found.augmented), abs(expected.augmented), rtol=1e-9, atol=1e-9)
    gdfit("train", "data.csv", "-q", "--features", ",".join(terms))
    back = gdfit("predict", "data.csv").out.splitlines()[1:]
    assert np.allclose([float(line.rpartition(",")[2]) for line in back], ys)
    at = gdfit("predict", "--x", moments[5].isoformat()).out
    assert np.isclose(float(at), ys[5])
    assert (
        "'1970' is a level that training has not seen" in gdfit("predict", "--x", "1970-01-13").err
    )


@pytest.mark.parametrize(
    ("terms", "what"),
    [
        ("year(x)", "column 'x' holds no dates, which year takes"),
        ("month(kind)", "column 'kind' holds no dates, which month takes"),
        ("hour(no)", "there is no column 'no'"),
        ("decade(day)", "there is no function 'decade'"),
        ("date(x)", "line 3, column 'x': date(x) takes a whole number yyyymmdd, not 20240230"),
    ],
)
def test_terms_that_take_no_such_column(gdfit: Gdfit, terms: str, what: str) -> None:
    data = (
        b"day,x,kind,y\n2024-01-05,20240105,a,1\n2024-01-06,20240230,b,2\n2024-01-06,20240301,b,2\n"
    )
    result = gdfit("train", "-", "-q", "--features", terms, stdin=data)
    assert result.status in (1, 2)
    assert what in result.err


def test_whole_numbers_that_are_dates(gdfit: Gdfit) -> None:
    data = b"n,y\n20231231,1\n20240101,2\n20240229,61\n"
    slope = float(gdfit("train", "-", "-q", "--features", "date(n)", stdin=data).out.split()[0])
    assert np.isclose(slope, 1)
    assert np.isclose(float(gdfit("predict", "--x", "20240301").out), 62)


def test_a_run_ends_with_b_at_the_first_date(gdfit: Gdfit) -> None:
    data = b"day,x,y\n2024-01-05,1,7\n2024-01-07,2,13\n2024-01-08,5,21\n2024-01-11,1,19\n"
    out = gdfit("train", "-", "--features", "day,x", stdin=data).out
    assert (
        " dates       b is for 1970-01-01; counted from 2024-01-05, the first row's date, it is 5\n"
    ) in out
    assert "y = 19 at (2024-01-11, 1) (observed: 19)" in out
    out = gdfit("train", "-", "--features", "day,x", "--x", "2024-01-05T12:00,0", stdin=data).out
    assert "y = 6 at (2024-01-05T12:00, 0)" in out
    for more in (("--features", "x"), ("--features", "day,x", "--no-intercept")):
        assert " dates " not in gdfit("train", "-", *more, stdin=data).out


PARTS = "day,day^2,year(day),month(day),weekday(day)"


@pytest.mark.parametrize("terms", ["day,x", PARTS, "hour(day),day:x,C(day)"])
def test_exports_know_dates(gdfit: Gdfit, tmp_path: Path, terms: str) -> None:
    """What each has for a date makes the same prediction."""
    moments = [datetime(2023, 12, 28, 5) + 13 * row * DAY / 12 for row in range(24)]
    random = np.random.default_rng(3)
    frame = pandas.DataFrame({"day": moments, "x": random.normal(size=24).round(3)})
    frame = frame.assign(y=random.normal(size=24))
    frame.to_csv("data.csv", index=False)
    assert gdfit("train", "data.csv", "-q", "--features", terms).status == 0
    model = load_model("gdfit.json")
    expected = model.predict(frame).tolist()
    back = gdfit("predict", "data.csv").out.splitlines()[1:]
    assert [float(line.rpartition(",")[2]) for line in back] == expected
    space: dict[str, Any] = {}
    exec(export(model, "python"), space)
    for written in (str, datetime.isoformat, lambda moment: moment, pandas.Timestamp):
        rows = [
            {"day": written(moment), "x": x} for moment, x in zip(moments, frame.x, strict=True)
        ]
        assert [space["predict"](row) for row in rows] == expected
    database = duckdb.connect()
    database.register("t", pa.Table.from_pandas(frame))
    found = database.execute(f"SELECT {export(model, 'sql')} FROM t").fetchall()
    assert np.allclose([value for (value,) in found], expected, rtol=1e-9, atol=1e-9)
    days = [(moment - EPOCH) / DAY for moment in moments]
    if "hour" not in terms:  # of which a spreadsheet's last digits are others
        formula = export(model, "excel")
        values = {"day": [day + 25569 for day in days], "x": frame.x.tolist()}
        cells = zip(*(values[name] for name in model.inputs), strict=True)
        assert np.allclose([worked_out(formula, row) for row in cells], expected, atol=1e-6)
    notes = gdfit("export", "--format", "sql").err
    assert "where this runs, day must hold dates or timestamps" in notes
    if "(day)" in terms:
        error = gdfit("export", "--format", "c").err
        assert "(day) can't be written in C; --format python and excel have dates" in error
        return
    code = gdfit("export", "--format", "c").out
    assert "double day,  /* day, in days since 1970-01-01 */" in code
    function = c_function(code, tmp_path, [0.0, 0.0])
    assert [function(day, x) for day, x in zip(days, frame.x, strict=True)] == expected
    assert (
        "day must hold days since 1970"
        in gdfit("export", "--format", "torch", "--output", "m.pt").err
    )


def test_numbers_that_are_dates_are_exported(gdfit: Gdfit) -> None:
    data = b"n,y\n20231231,1\n20240101,2\n20240229,61\n20250301,7\n"
    gdfit("train", "-", "-q", "--features", "date(n),date(n)^2", stdin=data)
    model, values = load_model("gdfit.json"), [20231231, 20240101, 20240229, 20250301]
    expected = [float(gdfit("predict", "--x", str(value)).out) for value in values]
    space: dict[str, Any] = {}
    exec(export(model, "python"), space)
    assert [space["predict"]({"n": str(value)}) for value in values] == expected
    formula = export(model, "excel")
    assert np.allclose(
        [worked_out(formula, [float(value)]) for value in values], expected, atol=1e-6
    )
    for form in ("sql", "c"):
        what = f"date(n) can't be written in {form.upper()}"
        assert what in gdfit("export", "--format", form).err


def test_pictures_charts_and_pages_have_dates(gdfit: Gdfit, monkeypatch: Any) -> None:
    lines = [f"{EPOCH + (19_000 + 9 * row) * DAY:%Y-%m-%d},{row + row % 3}" for row in range(30)]
    Path("data.csv").write_text("\n".join(["day,y", *lines, ""]))
    more = ["--chart", "--plot", "p.svg", "--page", "p.html", "--panel", "fit"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = gdfit("train", "data.csv", *more)
    assert result.status == 0
    assert "2022-04-18" in result.out
    assert '"dates":true' in Path("p.html").read_text().replace(" ", "")
    drawn = Path("p.svg").read_text()
    assert "19,100" not in drawn
    assert ">May<" in drawn
    gdfit("train", "data.csv", "--features", "day^2", "--page", "p.html", "-q")
    assert '"dates":false' in Path("p.html").read_text().replace(" ", "")


def test_the_axis_of_a_page_has_dates(opened: Opened) -> None:
    for days, ticks in (
        ([0.0, 0.5, 1.0], ["01-05 00:00", "01-05 12:00", "01-06 00:00"]),
        ([0.0, 30.0, 100.0], ["2024-02", "2024-03", "2024-04"]),
        ([0.0, 900.0, 3000.0], ["2025", "2030"]),
    ):
        frame = pandas.DataFrame({"day": [datetime(2024, 1, 5) + each * DAY for each in days]})
        page = opened(train(frame.assign(y=[1.0, 2.0, 4.0]), "y"))
        found = page.run(
            "[...document.querySelectorAll('#fit text')].map((each) => each.textContent)"
        )
        assert set(ticks) <= set(found)


def test_files_without_rows_of_dates(gdfit: Gdfit) -> None:
    """Parts of a file that have none, or nothing but missing ones, are read, too."""
    kinds = pa.schema([("day", pa.string()), ("y", pa.int64())])
    with parquet.ParquetWriter("data.parquet", kinds) as writer:
        for days in (["2024-01-05", "2024-01-06"], [], [None, ""], ["2024-01-09"]):
            rows = {"day": pa.array(days, pa.string()), "y": pa.array(range(len(days)), pa.int64())}
            writer.write_table(pa.table(rows))
    result = gdfit("train", "data.parquet", "--drop-missing", "--format", "json")
    assert '"observations": 3' in result.out
    assert "skipped 2 rows" in result.err
