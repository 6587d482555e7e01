"""Files as people have them: clean data of a known truth, written in ways that are in the way.

gdfit finds the truth, or says what is in the way. It never fits anything else without a word."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import shlex
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from conftest import Gdfit, Result
from gdfit.data.batch import Asked
from gdfit.data.dataset import Dataset
from gdfit.data.reduction.dask import Cluster
from gdfit.data.sources import csv_file
from gdfit.data.sources.block_readers import read_but_broken, read_plainly
from gdfit.data.text import sniffing
from gdfit.data.text.blocks import Block, find_quotes
from gdfit.data.text.dialect import Dialect, Selection
from gdfit.data.text.fields import Grammar, RowError
from gdfit.model.linear import LinearModel
from gdfit.model.prediction import predict_rows
from inline import Inline, all_bits
from readers import said_by

TRUTH = (3.0, -2.0, 1.0)  # w_a, w_b, b
WORDS = ("oak", "elm", "ash", "fir", "yew")


@dataclass(frozen=True)
class Table:
    """Clean data: a header and rows of fields, of which the first and the two before the last are
    used."""

    names: list[str]
    rows: list[list[str]]

    def text(self, delimiter: str = ",", end: str = "\n") -> str:
        """As CSV."""
        return "".join(delimiter.join(row) + end for row in [self.names, *self.rows])


def table(seed: int, count: int = 40, *, whole: bool = False) -> Table:
    """y = 3a − 2b + 1, with a column of words in between."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        a, b = (draw.randint(-90, 90) / (1 if whole else divisor) for divisor in (4, 8))
        rows.append([f"{a}", draw.choice(WORDS), f"{b}", f"{3 * a - 2 * b + 1}"])
    return Table(["a", "wood", "b", "y"], rows)


def lines(text: str) -> list[str]:
    """The lines of a text, with their ends."""
    return text.splitlines(keepends=True)


def with_row(clean: Table, row: str, at: int = 20) -> str:
    """The data with one more line."""
    rows = lines(clean.text())
    return "".join([*rows[:at], f"{row}\n", *rows[at:]])


def with_numbers(clean: Table, last: Callable[[list[float]], float], word: str) -> str:
    """The data with a last row of what the columns of numbers come to."""
    columns = [*zip(*clean.rows, strict=True)]
    said = [str(last([*map(float, column)])) for at, column in enumerate(columns) if at != 1]
    return clean.text() + ",".join([said[0], word, *said[1:]]) + "\n"


def quoted_by(clean: Table, quote: str) -> str:
    """The data with each field in quotes, and a comma in the words."""
    rows = [clean.names, *([a, f"{wood}, {wood}", b, y] for a, wood, b, y in clean.rows)]
    return "".join(",".join(f"{quote}{field}{quote}" for field in row) + "\n" for row in rows)


def spelled(clean: Table, write: Callable[[float], str]) -> str:
    """The data with all numbers written in another way."""
    rows = [
        [write(float(a)), wood, write(float(b)), write(float(y))] for a, wood, b, y in clean.rows
    ]
    return Table(clean.names, rows).text("\t")


def grouped(number: float, mark: str, point: str = ".") -> str:
    """A number with four decimals and a mark before each three digits."""
    return f"{number:,.4f}".replace(",", "T").replace(".", point).replace("T", mark)


def zipped(text: str) -> bytes:
    """An archive with one file of data, and one that is none."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("README.txt", "Trees.")
        archive.writestr("trees/data.csv", text)
    return held.getvalue()


def parquet_of(clean: Table) -> bytes:
    """Columns of numbers, and one of words, in Parquet."""
    held = io.BytesIO()
    a, wood, b, y = zip(*clean.rows, strict=True)
    numbers = {name: [*map(float, said)] for name, said in (("a", a), ("b", b), ("y", y))}
    parquet.write_table(pa.table({"wood": wood, **numbers}), held)
    return held.getvalue()


Pollution = Callable[[Table], str | bytes]

# The kinds of which the first command has to find the truth.
READ: dict[str, Pollution] = {
    "nothing": lambda clean: clean.text(),
    "semicolons": lambda clean: clean.text(";"),
    "tabs": lambda clean: clean.text("\t"),
    "bars": lambda clean: clean.text("|"),
    "spaces": lambda clean: clean.text("   "),
    "CR LF": lambda clean: clean.text(end="\r\n"),
    "CR": lambda clean: clean.text(end="\r"),
    "no line end at the end": lambda clean: clean.text().rstrip(),
    "blank lines": lambda clean: "\n\n" + clean.text(end="\n\n") + "\n",
    "sep=": lambda clean: "sep=;\n" + clean.text(";"),
    "comments": lambda clean: "# by me\n# 2024\n" + clean.text(),
    "a BOM": lambda clean: clean.text().encode("utf-8-sig"),
    "UTF-16": lambda clean: clean.text().encode("utf-16"),
    "UTF-16, little, no mark": lambda clean: clean.text("\t").encode("utf-16-le"),
    "UTF-16, big, no mark": lambda clean: clean.text("\t").encode("utf-16-be"),
    "UTF-32": lambda clean: clean.text().encode("utf-32"),
    "Windows-1252": lambda clean: clean.text().replace("oak", "châtaignier").encode("cp1252"),
    "null bytes in the words": lambda clean: clean.text().replace("oak", "o\0k"),
    "a delimiter at the end of rows": lambda clean: (
        clean.text().replace("\n", ",\n").replace(",\n", "\n", 1)
    ),
    "a delimiter at the end of lines": lambda clean: clean.text().replace("\n", ",\n"),
    "an index without a name": lambda clean: "".join(
        f"{'' if at == 0 else at - 1},{row}" for at, row in enumerate(lines(clean.text()))
    ),
    "an index in the way of R": lambda clean: "".join(
        row if at == 0 else f'"{at}",{row}' for at, row in enumerate(lines(clean.text()))
    ),
    "a title": lambda clean: "Trees of 2024\n" + clean.text(),
    "a title and a blank line": lambda clean: "Trees of 2024\n\n" + clean.text(),
    "a padded title": lambda clean: "Trees of 2024,,,\n,,,\n" + clean.text(),
    "a title above an index without a name": lambda clean: (
        "Trees of 2024\n"
        + "".join(
            f"{'' if at == 0 else at - 1},{row}" for at, row in enumerate(lines(clean.text()))
        )
    ),
    "a preamble": lambda clean: "Station: Oslo\nBy: Kari, Per\n\n" + clean.text(),
    "units": lambda clean: with_row(clean, "m,,cm,kg", 1),
    "two more lines of a header": lambda clean: "".join(
        [*lines(clean.text())[:1], "m,,cm,kg\nAvg,,Avg,Smp\n", *lines(clean.text())[1:]]
    ),
    "units with digits": lambda clean: with_row(clean, "m3/s,,W/m^2,1/s", 1),
    "a ruled line": lambda clean: with_row(clean, "---,----,---,-----", 1),
    "key and value above": lambda clean: "Logger,X,,\nSerial,12345,,\n" + clean.text(),
    "double quotes": lambda clean: quoted_by(clean, '"'),
    "single quotes": lambda clean: quoted_by(clean, "'"),
    "escaped quotes": lambda clean: clean.text().replace("oak", '"5\\" oak, red"'),
    "escaped quotes at the end": lambda clean: "".join(
        f'{row.rstrip()},"5\\""\n' for row in lines(clean.text())
    ),
    "doubled quotes": lambda clean: clean.text().replace("oak", '"5"" oak, red"'),
    "quotes within": lambda clean: clean.text().replace("oak", '5" oak'),
    "apostrophes": lambda clean: clean.text().replace("oak", "lord's oak"),
    "line ends in quotes": lambda clean: clean.text().replace("oak", '"oak\nred"'),
    "blanks": lambda clean: clean.text(" , "),
    "dollars": lambda clean: spelled(clean, lambda n: f"${n:,.4f}".replace("$-", "-$")),
    "euros": lambda clean: spelled(clean, lambda n: f"{grouped(n, '.', ',')} €"),
    "a currency's code": lambda clean: spelled(clean, lambda n: f"CHF {n}"),
    "per cent": lambda clean: spelled(clean, lambda n: f"{n} %"),
    "brackets for minus": lambda clean: spelled(clean, lambda n: f"({-n})" if n < 0 else str(n)),
    "a typographic minus": lambda clean: spelled(clean, lambda n: str(n).replace("-", "\u2212")),
    "Fortran's exponent": lambda clean: spelled(clean, lambda n: f"{n:.8E}".replace("E", "D")),
}
# Of these, those that are no text.
STORED: dict[str, Pollution] = {
    "gzip": lambda clean: gzip.compress(clean.text().encode()),
    "a zip archive": lambda clean: zipped(clean.text()),
    "lines of JSON": lambda clean: "".join(
        json.dumps(dict(zip(clean.names, row, strict=True))) + "\n" for row in clean.rows
    ),
    "Parquet": parquet_of,
}
# Those where it says what is in the way, and what to type: rows that can't be read, and missing
# fields, are errors by definition, as whether to do without them is not for a program to decide.
TOLD: dict[str, Pollution] = {
    "a short row": lambda clean: with_row(clean, "1,oak,2"),
    "a long row": lambda clean: with_row(clean, "1,oak,2,3,4"),
    "a word among numbers": lambda clean: with_row(clean, "1,oak,b,3"),
    "an open quote": lambda clean: with_row(clean, '1,"oak,2,3'),
    "text after a quote": lambda clean: with_row(clean, '1,"oak" red,2,3'),
    "two open quotes": lambda clean: clean.text().replace("\n", '\n1,"oak,2,3\n', 2),
    "a header again": lambda clean: with_row(clean, "a,wood,b,y"),
    "a trailer": lambda clean: clean.text() + "=== end ===\n",
    "a trailer of lines": lambda clean: clean.text() + "\nSource: me\nLicence: none\n\n",
    "a trailer with commas": lambda clean: clean.text() + "* estimated\nSource: me, 2024\n",
    "a trailer in full": lambda clean: clean.text() + "Source,me,,\nTotal,,,1\n",
    "comments below": lambda clean: clean.text() + "# the end\n",
    "comments behind": lambda clean: (
        clean.text().replace("\n", " # fine\n", 9).replace(" #", "", 1)
    ),
    "a missing field": lambda clean: with_row(clean, "1,oak,,3"),
    "Excel's error": lambda clean: with_row(clean, "1,oak,#DIV/0!,3"),
    "a null of databases": lambda clean: with_row(clean, r"1,oak,\N,3"),
    "NA": lambda clean: with_row(clean, "NA,oak,2,3"),
    "a dash": lambda clean: with_row(clean, "-,oak,2,3"),
}
# Those of which nothing can be read without what it says to type.
REFUSED: dict[str, Pollution] = {
    "decimal commas": lambda clean: spelled(clean, lambda n: f"{n:.4f}".replace(".", ",")),
    "decimal commas in quotes": lambda clean: spelled(
        clean, lambda n: f'"{n:.4f}"'.replace(".", ",")
    ).replace("\t", ","),
    "headers again": lambda clean: with_row(clean, clean.text().rstrip()),
    "a title and a trailer": lambda clean: (
        "Trees, of 2024,\n" + clean.text(";").replace(";", ",") + "Source: me\nLicence: none\n"
    ),
}
# Those that may be data, and are left in: a note says so, and what to type.
NOTED: dict[str, Pollution] = {
    "a total": lambda clean: with_numbers(clean, sum, "Total"),
    "a sum": lambda clean: with_numbers(clean, sum, "oak"),
    "a mean": lambda clean: with_numbers(clean, lambda values: sum(values) / len(values), "elm"),
    "a total by its label": lambda clean: "".join(
        f"{wood},{a},{b},{y}\n"
        for a, wood, b, y in [clean.names, *clean.rows, ["5", "Grand total", "1", "7"]]
    ),
    "-999 for what is missing": lambda clean: clean.text() + "-999,oak,1,5\n" * 3,
    "numbers for names": lambda clean: "".join(
        f"{a},{b},{y}\n" for a, _, b, y in [["0", "", "1", "2"], *clean.rows]
    ),
    "years for names": lambda clean: "".join(
        f"{a},{b},{y}\n" for a, _, b, y in [["1990", "", "1995", "2000"], *clean.rows]
    ),
}


def found(gdfit: Gdfit, command: list[str]) -> tuple[bool, str, int]:
    """Whether a command finds the truth, what it says, and its status."""
    result = gdfit(*command)
    params = [*map(float, result.out.split())] if result.status == 0 else []
    is_true = (
        len(params) == 3
        and max(abs(one - other) for one, other in zip(params, TRUTH, strict=True)) < 1e-6
    )
    return is_true, result.err, result.status


def write(content: str | bytes) -> None:
    """Have it as ``data.csv``."""
    Path("data.csv").write_bytes(content if isinstance(content, bytes) else content.encode())


def advised(error: str) -> list[str]:
    """The command that an error ends with, or the first of two."""
    return shlex.split(error[error.rindex(": gdfit ") + 2 :].partition(" or gdfit ")[0])[1:]


TRAIN = ["train", "data.csv", "-q"]
WAYS_OUT = (["--skip-end", "1"], ["--missing", "-999", "--drop-missing"], ["--header"])


@pytest.mark.parametrize("kind", [*READ, *STORED])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_a_person_sees_is_found_at_once(gdfit: Gdfit, kind: str, seed: int) -> None:
    write(KINDS[kind](table(seed, whole=seed == 3)))
    is_true, said, _ = found(gdfit, TRAIN)
    assert is_true, said
    assert found(gdfit, [*TRAIN, "--features", "a,b", "--target", "y"])[0]


@pytest.mark.parametrize("kind", [*TOLD, *REFUSED])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_in_the_way_is_told_with_the_command(gdfit: Gdfit, kind: str, seed: int) -> None:
    write(KINDS[kind](table(seed, whole=seed == 3)))
    for _ in range(2):
        is_true, said, status = found(gdfit, TRAIN)
        assert (is_true, status) == (False, 1)
        assert said.count("gdfit: error") == 1
    assert found(gdfit, advised(said))[0], said


@pytest.mark.parametrize("kind", NOTED)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_may_be_no_data_gets_a_note(gdfit: Gdfit, kind: str, seed: int) -> None:
    write(NOTED[kind](table(seed, whole=seed == 3)))
    _, said, status = found(gdfit, TRAIN)
    assert status == 0
    notes = [line for line in said.splitlines() if "--" in line and "--features" not in line]
    assert notes, said
    for ways in WAYS_OUT:
        if ways[0] in said and found(gdfit, [*TRAIN, *ways])[0]:
            return
    pytest.fail(said)


KINDS = {**READ, **STORED, **TOLD, **REFUSED, **NOTED}
OF_ROWS = {**READ, **TOLD, **NOTED}


def test_each_kind_is_right_in_the_end_and_none_is_silent(gdfit: Gdfit) -> None:
    """At once, or by the command that an error ends with, or the options of a note."""
    wrong, silent = list[str](), list[str]()
    for kind, pollute in KINDS.items():
        write(pollute(table(6)))
        is_true, said, status = found(gdfit, TRAIN)
        assert is_true or kind not in {*READ, *STORED}
        if status == 0:
            silent += [] if is_true or "--" in said else [kind]
            ways = [TRAIN + way for way in WAYS_OUT if way[0] in said]
        else:
            ways = [advised(said)]
        wrong += [] if is_true or any(found(gdfit, way)[0] for way in ways) else [kind]
    assert (wrong, silent) == ([], [])


LENIENT = Dialect(missing=("-",), drop_missing=True, skip_broken=True)


@pytest.mark.parametrize("kind", OF_ROWS)
@pytest.mark.parametrize("unit_bytes", [70, 1 << 20])
@pytest.mark.filterwarnings("ignore::gdfit.GdfitWarning")
def test_all_ways_of_reading_give_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, unit_bytes: int
) -> None:
    content = KINDS[kind](table(4, 100))
    text = content if isinstance(content, bytes) else content.encode()
    path, zipped = tmp_path / "data.csv", tmp_path / "zipped"
    path.write_bytes(text)
    zipped.write_bytes(gzip.compress(text))
    selection = Selection(exclude=("wood",)) if b"wood" in text.replace(b"\0", b"") else Selection()
    dataset = Dataset((str(path),), selection, LENIENT, unit_bytes=unit_bytes)
    plain = all_bits(dataset.observations())
    assert all_bits(replace(dataset, files=(str(zipped),)).observations()) == plain
    monkeypatch.setattr(csv_file, "HEAD_BYTES", 1000)  # from there on, Arrow reads
    monkeypatch.setattr(sniffing, "SNIFFED_BYTES", 900)
    assert all_bits(dataset.observations()) == plain
    assert all_bits(replace(dataset, files=(str(zipped),)).observations()) == plain
    cluster = Cluster(cast(Any, Inline(1)), unit_bytes=unit_bytes, at_once=2)
    assert all_bits(replace(dataset, cluster=cluster).observations()) == plain


@pytest.mark.parametrize("kind", OF_ROWS)
@pytest.mark.parametrize("unit_bytes", [70, 1 << 20])
@pytest.mark.filterwarnings("ignore::gdfit.GdfitWarning")
def test_predict_gives_each_line_back_as_it_was(tmp_path: Path, kind: str, unit_bytes: int) -> None:
    content = KINDS[kind](table(5))
    before = content if isinstance(content, bytes) else content.encode()
    path, written = tmp_path / "data.csv", list[bytes]()
    path.write_bytes(before)
    features = ("x1", "x2") if kind.endswith("for names") else ("a", "b")
    model = LinearModel(TRUTH[:2], TRUTH[2], features, "y")
    dataset = Dataset((str(path),), unit_bytes=unit_bytes)
    predict_rows(model, dataset, written.append)
    encoding = next((name for name in WIDE if kind.startswith(name)), "latin-1")
    if "mark" in kind:
        encoding += "-le" if "little" in kind else "-be"
    lines_of = [re.split("\r\n?|\n", each.decode(encoding)) for each in (before, b"".join(written))]
    assert len(lines_of[0]) == len(lines_of[1])
    for line, with_prediction in zip(*lines_of, strict=True):
        assert with_prediction.startswith(line.rstrip(" "))


WIDE = ("UTF-16", "UTF-32")


ODD_ROWS = st.sampled_from(
    [
        *("1,oak,2,3", '"1","o\nk",2,3', '1,"oak,2,3', '1,oak",2,3', '1,"oak" x,2,3', "1,a,b,3"),
        *("", "1,,2,", '5",oak,2,3', "1,oak,2,3,4", '"', ',"', "\t1 , oak,2,3 ", "1,oak,1e999,3"),
    ]
)


@settings(max_examples=300, deadline=None)
@example(  # the first row and the last one are other rows where they stand together
    rows=[
        *[("1,oak,2,3", "\n")] * 9,
        ('1,"oak,2,3', "\n"),
        ('"1","o\nk",2,3', "\n"),
        ('"', "\n"),
        ('5",oak,2,3', "\n"),
    ],
    good=0,
    missing=False,
)
@given(
    rows=st.lists(st.tuples(ODD_ROWS, st.sampled_from(["\n", "\r\n", "\r"])), max_size=25),
    good=st.integers(0, 60),
    missing=st.booleans(),
)
def test_arrow_leaves_out_the_rows_that_the_plain_reader_does(
    rows: list[tuple[str, str]], good: int, missing: bool
) -> None:
    text = "".join(row + end for row, end in [*rows, *[("4,fir,5,6", "\n")] * good]).encode()
    grammar = Grammar(",")
    block = Block(text, find_quotes(text, grammar, ended=True), 7, text)
    asked = [Asked(0), Asked(2), Asked(1, "word"), Asked(3)]
    found = list[object]()
    for read in (partial(read_plainly, skip_broken=True), read_but_broken):
        try:
            batch = read(block, grammar, 4, asked, missing=missing)
        except RowError as error:
            found.append((error.line, error.place, error.what))
        else:
            numbers, rows_read = batch.numbers.tolist(), batch.rows.tolist()
            found.append((repr(numbers), said_by(batch), rows_read, batch.broken))
    assert found[0] == found[1]


@pytest.mark.parametrize("end", ["x\ny,z\n", "x\r\n\r\ny,z\r\n\r\n", "x\ny"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-be", "utf-32-le"])
def test_the_end_is_left_out_however_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, encoding: str
) -> None:
    text, path = table(7, 90).text(), tmp_path / "data.csv"
    path.write_text(text, newline="")
    whole = Dataset((str(path),), Selection(exclude=("wood",)), unit_bytes=100)
    expected = all_bits(whole.observations())
    path.write_bytes((text + end).encode(encoding))
    dataset = replace(whole, dialect=Dialect(skip_end=2))
    assert all_bits(dataset.observations()) == expected
    written = list[bytes]()
    predict_rows(LinearModel((1.0,), 0.0, ("a",), "t"), dataset, written.append)
    assert b"".join(written).decode(encoding).endswith(end)
    monkeypatch.setattr(csv_file, "HEAD_BYTES", 1000)
    monkeypatch.setattr(sniffing, "SNIFFED_BYTES", 900)
    assert all_bits(dataset.observations()) == expected
    cluster = Cluster(cast(Any, Inline(2)), unit_bytes=100, at_once=2)
    assert all_bits(replace(dataset, cluster=cluster).observations()) == expected


def test_what_is_said_of_fields_in_training_holds_for_predictions(gdfit: Gdfit) -> None:
    write("x;y\n1,5;4\n2;5\nnone;1\n3,25;7,5\n")
    options = ["--decimal", ",", "--missing", "none", "--drop-missing", "-q"]
    assert gdfit("train", "data.csv", *options).status == 0
    write("x;z\n1,5;a\nnone;b\n2,5;c\n")
    result = gdfit("predict", "data.csv")
    assert [line.count(",") for line in result.out.splitlines()[1:]] == [2, 0, 2]
    assert result.err == "gdfit: note: no prediction for 1 row with a missing field\n"


@pytest.mark.parametrize("said", ["1_0", "1_000.5", "\u0661"])
def test_what_is_no_number_in_a_file_is_none_in_a_shell(gdfit: Gdfit, said: str) -> None:
    write("x,y\n1,3\n2,5\n4,9\n")
    assert gdfit("train", "data.csv", "-q").status == 0
    assert gdfit("predict", "--x", said).status == 2
    assert gdfit("train", "data.csv", "--epochs", said).status == 2


def test_the_target_is_told_where_the_last_column_has_no_numbers(gdfit: Gdfit) -> None:
    write("x,y1,note\n1,3,a\n2,5,b\n4,9,c\n")
    assert "the target is y1" in gdfit("train", "data.csv", "-q").err
    assert "the target is" not in gdfit("train", "data.csv", "-q", "--target", "x").err


@pytest.mark.parametrize("stored", ["data.csv", "data.csv.gz", "utf-16"])
def test_the_end_of_a_large_file_is_looked_at(gdfit: Gdfit, stored: str) -> None:
    """Of one that is not held in memory, and of one that can be read but once."""

    def train(text: str, *options: str) -> str:
        data = text.encode("utf-16" if stored == "utf-16" else "utf-8")
        Path(stored).write_bytes(gzip.compress(data) if stored.endswith("gz") else data)
        return gdfit("train", stored, "-q", *options).err

    rows = "".join(f"n{i % 7},{i % 97},{i % 13},{i}\n" for i in range(40_000))
    assert len(rows) > csv_file.HEAD_BYTES
    text = f"name,a,b,y\n{rows}"
    command = f"gdfit train {stored} -q --skip-end 2"
    assert train(f"{text}Source: me\nLicence: none\n").endswith(
        f"line 40002: has 1 field, not 4 as the first line has; --skip-end 2 leaves out the end: "
        f"{command}\n"
    )
    assert "--skip-broken leaves out such rows" in train(f"{text}1,2\n{rows}")
    assert "'Grand total': --skip-end 1 leaves it out" in train(f"{text}Grand total,1,2,3\n")
    assert "leaves it out" not in train(text)


def test_what_is_no_utf_8_far_below_is_told_where_it_is_used(gdfit: Gdfit) -> None:
    rows = "".join(f"{i % 97},oak,{i % 13},{i % 7}\n" for i in range(60_000)).encode()
    assert len(rows) > csv_file.HEAD_BYTES
    Path("data.csv").write_bytes(b"a,wood,b,y\n" + rows + "1,chêne,2,3\n".encode("cp1252"))
    said = found(gdfit, [*TRAIN, "--features", "a,wood"])[1]
    assert "note: wood: 'chêne' is no UTF-8" in said
    assert "--encoding cp1252" in said
    assert "UTF-8" not in found(gdfit, [*TRAIN, "--features", "a,b"])[1]
    in_windows = found(gdfit, [*TRAIN, "--features", "a,wood", "--encoding", "cp1252"])[1]
    assert "UTF-8" not in in_windows
    assert '"wood[oak]"' in Path("gdfit.json").read_text()


def test_a_column_of_keys_is_left_out_and_not_the_rows(gdfit: Gdfit) -> None:
    rows = [[f"{100 + at // 3}", f"{at % 7}", f"{at % 7 * 2 + at % 3}"] for at in range(90)]
    write(Table(["subject", "x", "y"], [*rows, ["131a", "1", "2"], *rows[-3:]]).text())
    said = found(gdfit, TRAIN)[1]
    assert advised(said) == [*TRAIN, "--exclude", "subject"]
    write(Table(["subject", "x", "y"], [*rows, ["oak", "1", "2"], *rows[-3:]]).text())
    assert advised(found(gdfit, TRAIN)[1]) == [*TRAIN, "--skip-broken"]


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["--target", "yy"], ["--target", "y"]),
        (["--features", "aa,aa:b"], ["--features", "a,a:b"]),
        (["--exclude", "wood", "--features", "aa"], ["--exclude", "wood", "--features", "a"]),
    ],
)
def test_a_name_is_typed_as_it_is_called(
    gdfit: Gdfit, options: list[str], changed: list[str]
) -> None:
    write(table(8).text())
    assert advised(found(gdfit, [*TRAIN, *options])[1]) == [*TRAIN, *changed]


@pytest.mark.parametrize(
    ("content", "options", "ways"),
    [
        ("a,b,y\n1,,3\n2,5,8\n3,7,9\n", [], ["--drop-missing"]),
        ("a,b,y\n1,?,3\n2,5,8\n3,7,9\n", [], ["--missing", "?", "--drop-missing"]),
        ("a,b,y\n1,-,3\n2,?,8\n3,7,9\n4,4,4\n5,5,5\n", ["--missing", "-"], ["--drop-missing"]),
        ("a,b,y\n1,inf,3\n2,5,8\n3,7,9\n", [], ["--exclude", "b"]),
        ("a,b,y\n1,5,inf\n2,5,8\n3,7,9\n", [], ["--target", "b", "--exclude", "y"]),
        ("a,a,y\n1,5,3\n2,5,8\n3,7,9\n", [], ["--exclude", "a"]),
        (",x\n1,5\n2,5\n3,7\n", [], ["--features", "column1"]),
        ("a,b,y\n1,,3\n2,,8\n3,,9\n4,5,\n", ["--drop-missing"], ["--exclude", "b"]),
    ],
)
@pytest.mark.parametrize("command", ["train", "curvature", "compare"])
def test_errors_end_with_the_whole_command(
    gdfit: Gdfit, command: str, content: str, options: list[str], ways: list[str]
) -> None:
    write(content)
    typed = [command, "data.csv", *(["--lr", "0.1"] if command == "compare" else []), *options]
    assert advised(gdfit(*typed).err) == [*typed, *ways]


@pytest.mark.parametrize("name", ["idna", "punycode", "rot13", "undefined"])
def test_an_encoding_that_is_none_of_files_is_refused(gdfit: Gdfit, name: str) -> None:
    Path("a.csv").write_text("x,y\n1,2\n2,3\n")
    result = gdfit("train", "a.csv", "--encoding", name)
    assert result.status == 2
    assert result.err.startswith("gdfit: error: --encoding takes an encoding of text")


def test_bytes_that_an_encoding_does_not_have_are_told(gdfit: Gdfit) -> None:
    Path("a.csv").write_bytes(b"x,y\n1,\x75\n2,3\n")
    told = "gdfit: error: a.csv: is not text in cp424 (it has 0x75)\n"
    assert gdfit("train", "a.csv", "--encoding", "cp424") == Result(1, "", told)


def test_names_that_the_encoding_of_a_file_does_not_have_are_told(gdfit: Gdfit) -> None:
    Path("m.json").write_text('{"w": [2], "b": 1, "features": ["x"], "target": "\u6e29\u5ea6"}')
    Path("a.csv").write_bytes("x,é\n1,2\n2,3\n".encode("cp1252"))
    result = gdfit("predict", "a.csv", "--model", "m.json")
    assert (result.status, result.out) == (1, "")
    assert "a.csv: its encoding, cp1252, has no '温度', which the model's names have" in result.err
