"""What gdfit makes of a random file, against what the oracle says."""

from __future__ import annotations

import io
import json
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
from fuzz.cases import Case, mutated, random_case
from gdfit import Dialect, GdfitError, GdfitWarning, LinearModel, load_model
from gdfit.arrays import FloatArray
from gdfit.cli import run
from gdfit.data.batch import Asked, Words
from gdfit.data.dataset import Dataset
from gdfit.data.reduction.dask import Cluster
from gdfit.data.text.dialect import Selection
from gdfit.data.text.fields import WHITE_SPACE
from gdfit.model.prediction import predict_rows
from inline import Inline
from readers import open_csv

WHERE = re.compile(r"data\.csv, line (\d+)(?:, column 'c(\d+)')?: ")
WHOLE = 1 << 19  # so much is read at first, and no file here is as large

TOO_LARGE = "too large for float64"
NO_TEXT = oracle.Fault(0, None)

Rows = list[list[float | str]]


def check(seed: int, folder: Path) -> None:
    """Raise AssertionError if gdfit is wrong about the file that comes from `seed`."""
    random = Random(seed)
    case = random_case(random)
    warnings.simplefilter("ignore", RuntimeWarning)  # some numbers are as large as can be
    warnings.simplefilter("ignore", GdfitWarning)
    path = folder / "data.csv"
    text = case.top + case.header + case.text
    path.write_bytes(text.encode("latin-1"))
    head_bytes = random.choice([len(case.top + case.header) + 40 * case.width, WHOLE])
    size = random.randint(1, 200)
    for may_miss in (True, False):
        rows = expectation(case, may_miss)
        faults = [row for row in rows if isinstance(row, oracle.Fault)]
        found = reading(case, path, head_bytes, size, may_miss)
        assert_alike(found, faults[0] if faults else rows, case)
        if may_miss:
            written = prediction(case, path, size)
            if written != NO_TEXT or "\0" not in text:
                assert_alike(written, predicted(case, rows), case)
        assert_alike_in_units(random, case, path, may_miss)
    if random.random() < 0.1:
        run_command(random, case, path)
    if random.random() < 0.1:
        read_model(random, folder / "model.json")


def expectation(case: Case, may_miss: bool) -> list[list[float | str] | oracle.Fault]:
    """What the oracle reads."""
    return oracle.read(
        case.text, case.style, case.width, case.places, case.texts, may_miss=may_miss
    )


def assert_alike(found: object, expected: object, case: Case) -> None:
    """Raise if they differ; repr() tells floats apart to the last bit, and takes NaN for NaN."""
    assert repr(found) == repr(expected), f"{found!r}, not {expected!r}, of {case!r}"


def dialect_of(case: Case) -> Dialect:
    """How gdfit is told of the style."""
    style = case.style
    delimiter = style.delimiter or WHITE_SPACE
    return Dialect(delimiter, style.decimal, style.missing, case.skip, style.comment or None)


def fault_in(error: GdfitError, case: Case) -> oracle.Fault:
    """Where the error says that the fault is."""
    if str(error).endswith("is not a text file (it has null bytes)"):
        return NO_TEXT
    where = WHERE.search(str(error))
    assert where, error
    line = int(where[1]) - len(re.findall("\r\n?|\n", case.top + case.header))
    return oracle.Fault(line, None if where[2] is None else int(where[2]))


def reading(
    case: Case, path: Path, head_bytes: int, size: int, may_miss: bool
) -> Rows | oracle.Fault:
    """The numbers that gdfit reads, or where it finds a fault."""
    found: Rows = []
    asked = [*map(Asked, case.places), *(Asked(place, "word") for place in case.texts)]
    dialect = dialect_of(case)
    try:
        with open_csv(str(path), dialect, head_bytes=head_bytes, unit_bytes=size) as file:
            for unit in file.units():
                for batch in file.batches(unit, asked, may_miss=may_miss):
                    columns = [*batch.numbers.T.tolist(), *map(texts_in, batch.words)]
                    found += [list(row) for row in zip(*columns, strict=True)]
    except GdfitError as error:
        return fault_in(error, case)
    return found


def assert_alike_in_units(random: Random, case: Case, path: Path, may_miss: bool) -> None:
    """Raise if the rows come to something else in other units than by rounding; or at all, where
    others read the same ones."""
    names = [f"c{place}" for place in (*case.places, *case.texts)]
    *features, target = (names * 2)[: max(2, len(case.places))]
    dialect = replace(dialect_of(case), drop_missing=may_miss)
    selection = Selection(tuple(dict.fromkeys([*features, *names[len(case.places) :]])), target)
    whole = Dataset((str(path),), selection, dialect)
    client: Any = Inline(random.randrange(99))
    cluster = Cluster(client, unit_bytes=random.randint(1, 200), at_once=random.choice([1, 2, 4]))
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
    return LinearModel(weights, 0.25, tuple(f"c{place}" for place in case.places), "t")


def prediction(case: Case, path: Path, size: int) -> str | oracle.Fault:
    """What gdfit writes with the predictions."""
    text = io.BytesIO()
    dataset = Dataset((str(path),), dialect=dialect_of(case), unit_bytes=size)
    try:
        predict_rows(model_of(case), dataset, text.write)
    except GdfitError as error:
        return fault_in(error, case)
    return text.getvalue().decode("latin-1")


def predicted(case: Case, rows: list[list[float | str] | oracle.Fault]) -> str:
    """What it should write."""
    style, model = case.style, model_of(case)
    fields = []
    for row in rows:
        if isinstance(row, oracle.Fault):
            row = [math.nan] * len(model.w)
        value = 0.0
        for weight, x in zip(model.w, row, strict=False):
            value += weight * float(x)
        field = repr(value + model.b).replace(".", style.decimal)
        if any(map(math.isnan, map(float, row[: len(model.w)]))):
            field = "" if style.delimiter else "NA"
        fields.append(f'"{field}"' if style.delimiter == "-" else field)
    header = oracle.with_field(case.header, style, ["t_hat"])
    return case.top + header + oracle.with_field(case.text, style, fields)


def run_command(random: Random, case: Case, path: Path) -> None:
    """Run a command with random options: it ends in order, and what is wrong is one line."""
    style = case.style
    options = ["--delimiter", style.delimiter or "space", "--decimal", style.decimal]
    options += ["--skip", str(case.skip)]
    options += ["--comment", style.comment] if style.comment else []
    command = random.choice(["train", "train", "curvature", "evaluate", "gradcheck"])
    if command == "train":
        choices = [["--loss", "mae"], ["--optimizer", "adam"], ["--lr", "0.1"], ["--scale", "none"]]
        choices += [["--validation", "0.3"], ["--format", "json"], ["-q"], ["--batch-size", "2"]]
        options += ["--epochs", "3", "--no-model", *chain(*random.sample(choices, 2))]
    if command == "evaluate":
        model = path.with_name("model.json")
        model_of(case).save(model)
        options += ["--model", str(model), "--target", f"c{random.randrange(case.width)}"]
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


def read_model(random: Random, path: Path) -> None:
    """Read a model file with mistakes in it: it is a model, or what is wrong is said."""
    record = {"w": [1.5, -2e300], "b": 0.25, "features": ["x", "é"], "target": "y"}
    text = json.dumps(record)
    odd = ["null", "NaN", "1e999", "[]", "{}", "true", '"x"', "-", "1" * 400, "[" * 9999, "\x00"]
    start = random.randrange(len(text))
    stop = min(len(text), start + random.randrange(12))
    text = text[:start] + random.choice(["", *odd]) + text[stop:]
    path.write_bytes(mutated(random, text).encode("latin-1", errors="replace"))
    said = ""
    try:
        model = load_model(path)
    except GdfitError as error:
        said = str(error)
    else:
        assert all(map(math.isfinite, model.params)), model
        assert isinstance(model.predict([1.0] * len(model.w)), float), model
    assert "\n" not in said, said
