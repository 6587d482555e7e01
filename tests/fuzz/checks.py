"""What gdfit makes of a random file, against what the oracle says."""

from __future__ import annotations

import io
import math
import re
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from fuzz import oracle
from fuzz.cases import Case, random_case
from gdfit import Dialect, GdfitError, GdfitWarning, LinearModel
from gdfit.arrays import FloatArray
from gdfit.cli import run
from gdfit.data.batch import Asked, Words
from gdfit.data.dataset import Dataset
from gdfit.data.reduction.dask import Cluster
from gdfit.data.sources.csv_file import csv_in
from gdfit.data.sources.source import open_source
from gdfit.data.text.dialect import Selection
from gdfit.data.text.fields import WHITE_SPACE
from gdfit.model.prediction import predict_rows
from inline import Inline

WHERE = re.compile(r"data\.csv(?:, line (\d+))?(?:, column '(\w+)')?: ")

TOO_LARGE = "too large for float64"
NO_TEXT = oracle.Fault(0, None)

Rows = list[list[float | str]]
Broken = list[tuple[int, int | None]]
WINDOWS = "cp1252"


def check(seed: int, folder: Path) -> None:
    """Raise AssertionError if gdfit is wrong about the file that comes from `seed`."""
    random = Random(seed)
    case = random_case(random)
    warnings.simplefilter("ignore", RuntimeWarning)  # some numbers are as large as can be
    warnings.simplefilter("ignore", GdfitWarning)
    path = folder / "data.csv"
    path.write_bytes(case.stored)
    case = as_read(case)
    table = oracle.table(case.text, case.style, case.width, rows_above(case))
    is_small, size = random.random() < 0.5, random_size(random, case)
    may_miss, skip_broken = random.choice([(True, False), (False, False), (True, True)])
    may_miss = may_miss and not (skip_broken and random.random() < 0.5)
    found = reading(case, path, is_small, size, may_miss=may_miss, skip_broken=skip_broken)
    if found != NO_TEXT or "\0" not in case.text:
        expected = expectation(case, table, may_miss=may_miss, skip_broken=skip_broken)
        assert_alike(found, expected, case)
    if random.random() < 0.3:
        written = prediction(case, path, size)
        if written != NO_TEXT or "\0" not in case.text:
            assert_alike(written, predicted(case, table), case)
    if random.random() < 0.15:
        assert_alike_in_units(random, case, path, may_miss=random.random() < 0.5)
    if random.random() < 0.03:
        run_command(random, case, path)


def random_size(random: Random, case: Case) -> int:
    """The size of a unit, so that a file has not too many."""
    return random.randint(1, 200) + len(case.text) // 10


def as_read(case: Case) -> Case:
    """The case with its text in UTF-8: a file that is none is one of Windows-1252."""
    try:
        case.stored.decode(case.encoding or "utf-8")
    except UnicodeDecodeError:
        return replace(case, text=in_utf_8(case.text.encode("latin-1"), WINDOWS), encoding=WINDOWS)
    return case


def in_utf_8(text: bytes, encoding: str) -> str:
    """A text in UTF-8, each character a byte."""
    return (text.decode(encoding).encode() if encoding else text).decode("latin-1")


def expectation(
    case: Case, table: oracle.Table, *, may_miss: bool, skip_broken: bool
) -> tuple[Rows, Broken] | oracle.Fault:
    """What the oracle reads: all rows, but for those that can't be read where they are skipped, and
    where these stand; or the first fault."""
    rows: Rows = []
    broken: Broken = []
    if_missing = table.read(case.places, case.texts, may_miss=True)
    if_not = table.read(case.places, case.texts, may_miss=may_miss)
    for row, strict in zip(if_missing, if_not, strict=True):
        if skip_broken and isinstance(row, oracle.Fault):
            broken.append((row.line, row.place))
        elif isinstance(strict, oracle.Fault):
            return strict
        else:
            rows.append(strict)
    return rows, broken


def assert_alike(found: object, expected: object, case: Case) -> None:
    """Raise if they differ; repr() tells floats apart to the last bit, and takes NaN for NaN."""
    assert repr(found) == repr(expected), f"{found!r}, not {expected!r}, of {case!r}"


def dialect_of(case: Case) -> Dialect:
    """What gdfit is told of the file."""
    style = case.style
    return Dialect(
        style.delimiter or WHITE_SPACE,
        style.decimal or None,
        style.missing,
        case.skip,
        style.comment or None,
        skip_end=case.skip_end,
        header=case.has_header,
        thousands=style.thousands or None,
        dates=style.dates or None,
    )


def lines_above(case: Case) -> int:
    """How many lines stand above the rows."""
    return len(re.findall("\r\n?|\n", case.top + case.header))


def rows_above(case: Case) -> int:
    """How many of the first rows stand above those with numbers."""
    above = case.header if case.skip else case.top + case.header
    return len(oracle.Reader(above, case.style).rows())


def fault_in(error: GdfitError, case: Case) -> oracle.Fault:
    """Where the error says that the fault is; on line 0 where it is in a whole column."""
    if str(error).endswith("is not a text file (it has null bytes)"):
        return NO_TEXT
    where = WHERE.search(str(error))
    assert where, error
    line = int(where[1]) - lines_above(case) if where[1] else 0
    return oracle.Fault(line, None if where[2] is None else case.names.index(where[2]))


def reading(
    case: Case, path: Path, is_small: bool, size: int, *, may_miss: bool, skip_broken: bool
) -> tuple[Rows, Broken] | oracle.Fault:
    """The numbers that gdfit reads, and the rows that it skips; or where it finds a fault."""
    found: Rows = []
    broken: Broken = []
    asked = [*map(Asked, case.places), *(Asked(place, "word") for place in case.texts)]
    dialect = replace(dialect_of(case), skip_broken=skip_broken)
    try:
        with open_source(str(path)) as source:
            file = replace(csv_in(source, dialect, None, size, None), is_small=is_small)
            for unit in file.units():
                for batch in file.batches(unit, asked, may_miss=may_miss):
                    columns = [*batch.numbers.T.tolist(), *map(texts_in, batch.words)]
                    found += [list(row) for row in zip(*columns, strict=True)]
                    above = unit.content.line - 1 - lines_above(case)
                    broken += [(above + row.line, row.place) for row in batch.broken]
    except GdfitError as error:
        return fault_in(error, case)
    return found, broken


def assert_alike_in_units(random: Random, case: Case, path: Path, *, may_miss: bool) -> None:
    """Raise if the rows come to something else in other units than by rounding; or at all, where
    others read the same ones."""
    names = [case.names[place] for place in (*case.places, *case.texts)]
    *features, target = (names * 2)[: max(2, len(case.places))]
    dialect = replace(dialect_of(case), drop_missing=may_miss)
    selection = Selection(tuple(dict.fromkeys([*features, *names[len(case.places) :]])), target)
    whole = Dataset((str(path),), selection, dialect)
    client: Any = Inline(random.randrange(99))
    cluster = Cluster(
        client, unit_bytes=random_size(random, case), at_once=random.choice([1, 2, 4])
    )
    in_units = replace(whole, unit_bytes=cluster.unit_bytes)
    found: list[tuple[str, FloatArray]] = []
    for dataset in (whole, in_units, replace(whole, cluster=cluster)):
        try:
            read = dataset.observations()
        except GdfitError as error:
            if TOO_LARGE in str(error):  # which is found out as rows are put together
                return
            found.append((str(error), np.zeros((0, 0))))
        else:
            seen = read.count, read.features, read.first.tolist(), read.last.tolist()
            found.append((repr(seen), read.augmented))
    (said, rows), (other, other_rows), (there, rows_there) = found
    assert said == other, f"{other} in units, not {said}, of {case!r}"
    assert other == there, f"{there} on a cluster, not {other}, of {case!r}"
    assert other_rows.tolist() == rows_there.tolist(), case
    rows, other_rows = (
        each / np.abs(rows).max(axis=0, initial=1e-300) for each in (rows, other_rows)
    )
    assert np.allclose(rows.T @ rows, other_rows.T @ other_rows, rtol=0, atol=1e-9), case


def texts_in(words: Words) -> list[float | str]:
    """What the rows of a column of text say, NaN where they are missing; each character a byte."""
    said = [str(word).encode(errors="surrogateescape").decode("latin-1") for word in words.said]
    return [said[code] if code >= 0 else math.nan for code in words.codes.tolist()]


def model_of(case: Case) -> LinearModel:
    """A model on the columns that are used."""
    weights = tuple(1.0 + place for place in range(len(case.places)))
    return LinearModel(weights, 0.25, tuple(case.names[place] for place in case.places), "t")


def prediction(case: Case, path: Path, size: int) -> str | oracle.Fault:
    """What gdfit writes with the predictions."""
    text = io.BytesIO()
    dataset = Dataset((str(path),), dialect=dialect_of(case), unit_bytes=size)
    try:
        predict_rows(model_of(case), dataset, text.write)
    except GdfitError as error:
        return fault_in(error, case)
    return in_utf_8(text.getvalue(), case.encoding)


def predicted(case: Case, table: oracle.Table) -> str | oracle.Fault:
    """What it should write."""
    style, model = case.style, model_of(case)
    for place in case.places:
        if table.spelling(place).doubt:
            return oracle.Fault(0, place)
    fields = []
    nothing = "" if style.delimiter else "NA"
    for row in table.read(case.places, (), may_miss=True):
        values = [math.nan] if isinstance(row, oracle.Fault) else [*map(float, row)]
        value = 0.0
        for weight, x in zip(model.w, values, strict=False):
            value += weight * x
        field = repr(value + model.b).replace(".", style.point)
        if any(map(math.isnan, values)):
            field = nothing
        fields.append(f'"{field}"' if style.delimiter == "-" else field)
    names = style.delimiter * case.unnamed + "t_hat"
    units = [nothing] * (len(oracle.Reader(case.header, style).rows()) - 1)
    header = oracle.with_field(
        case.header, style, [names, *units][: bool(case.header) + len(units)]
    )
    return case.top + header + oracle.with_field(case.text, style, fields) + case.end


def run_command(random: Random, case: Case, path: Path) -> None:
    """Run a command with random options: it ends in order, and what is wrong is one line."""
    style = case.style
    options = ["--delimiter", style.delimiter or "space", "--skip", str(case.skip)]
    options += ["--decimal", style.decimal] if style.decimal else []
    options += ["--thousands", style.thousands] if style.thousands else []
    options += ["--skip-broken"] if random.random() < 0.5 else []
    options += ["--comment", style.comment] if style.comment else []
    options += ["--dates", style.dates] if style.dates else []
    command = random.choice(["train", "train", "curvature", "evaluate", "gradcheck"])
    if command == "train":
        choices = [["--loss", "mae"], ["--optimizer", "adam"], ["--lr", "0.1"], ["--scale", "none"]]
        choices += [["--validation", "0.3"], ["--format", "json"], ["-q"], ["--batch-size", "2"]]
        options += ["--epochs", "3", "--no-model", *chain(*random.sample(choices, 2))]
    if command == "evaluate":
        model = path.with_name("model.json")
        model_of(case).save(model)
        options += ["--model", str(model), "--target", random.choice(case.names)]
    if random.random() < 0.7:
        options += ["--drop-missing"]
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run([command, str(path), *options])
    said = f"{command} {options}: {status} {err.getvalue()!r}, of {case!r}"
    lines = err.getvalue().splitlines()
    assert status in (0, 1, 2, 3), said
    assert all(line.startswith("gdfit: ") for line in lines), said
    errors = [line for line in lines if line.startswith("gdfit: error: ")]
    assert len(errors) == (status != 0), said
    assert command == "gradcheck" or status == 3 or not errors or not out.getvalue(), said
