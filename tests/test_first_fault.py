"""Where several things are wrong, the first in the file is told, whatever is looked at first; and
what is no table at all is told as what it is."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import random
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
import pytest

from conftest import LECTURE, Gdfit
from gdfit.cli.process import as_told
from gdfit.data.dataset import Dataset
from gdfit.data.text.dialect import Dialect, Selection
from gdfit.errors import GdfitError

FAULTS = {
    "1,u,1,x": "column 'y': 'x' is not a number",
    "a,u,1,1": "column 'x': 'a' is not a number",
    "0,u,1,1": "column 'x': log(x) takes a number above 0, not 0",
    "1,u,-1,1": "column 'w': a weight can't be negative, as -1 is",
    "1,u,1,-2": "column 'y': sqrt(y) takes a number that is not negative, not -2",
    "1,,1,1": "column 'g': the field is empty",
    "1,u,1": "has 3 fields, not 4",
    '1,u,1,"2': "a quote opens a field here that does not end",
}
"""Rows of x, g, w and y that can't be used, and what is said of each."""
SELECTION = Selection(("log(x)", "g"), "sqrt(y)", weights="w")


@pytest.mark.parametrize("seed", range(12))
def test_the_first_fault_in_the_file_is_told(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    faults = draw.sample([*FAULTS], 4)
    if '1,u,1,"2' in faults:  # which takes all that follows
        faults.append(faults.pop(faults.index('1,u,1,"2')))
    rows = ["1,u,1,4", "2,v,1,3", "3,u,0,2"] * 60
    places = sorted(draw.sample(range(2, len(rows)), len(faults)))
    for place, fault in zip(places, faults, strict=True):
        rows[place] = fault
    path = tmp_path / "d.csv"
    path.write_text("x,g,w,y\n" + "\n".join(rows) + "\n")
    for unit_bytes in (1 << 21, 200):
        dataset = Dataset((str(path),), SELECTION, Dialect(), unit_bytes=unit_bytes)
        with pytest.raises(GdfitError) as told:
            dataset.observations()
        assert f"line {places[0] + 2}" in str(told.value), rows[places[0] : places[1] + 1]
        assert FAULTS[faults[0]] in str(told.value)


def test_the_first_fault_of_a_frame_and_of_a_parquet_file_is_told(tmp_path: Path) -> None:
    import pandas as pd

    from gdfit import observations_from

    frame = pd.DataFrame(
        {"x": [1.0, 2, 0, 3, 4], "z": [1.0, 2, 3, np.nan, 1], "y": [1.0, 2, 3, 4, 5]}
    )
    path = tmp_path / "d.parquet"
    frame.to_parquet(path)
    with pytest.raises(GdfitError, match=r"row 2 \(from 0\), column 'x': log\(x\) takes"):
        observations_from(frame, "y", features=["log(x)", "z"])
    with pytest.raises(GdfitError, match=r"row 3, column 'x': log\(x\) takes"):
        Dataset((str(path),), Selection(("log(x)", "z"), "y")).observations()


def packed(pack: Callable[[io.BytesIO], None]) -> bytes:
    """What is written by `pack`."""
    file = io.BytesIO()
    pack(file)
    return file.getvalue()


def in_tar(file: io.BytesIO, mode: str = "w") -> None:
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        archive.add(LECTURE, "lecture.csv")


OTHERS = {
    "a pickle": pickle.dumps({"x": [1, 2], "y": [2, 3]}),
    "an array of NumPy's": packed(lambda file: np.save(file, np.ones((9, 2)))),
    "a tar archive": packed(in_tar),
    "a tar archive: tar -xOf d.csv | gdfit train -\n": packed(lambda file: in_tar(file, "w:gz")),
    "a PDF": b"%PDF-1.4\n1 0 obj\n",
    "an R workspace: Rscript -e": b"RDX3\nX\n\0\0\0\3",
    "an object of R's: Rscript -e": gzip.compress(b"X\n\0\0\0\3\0\4"),
    "a file of MATLAB's": b"MATLAB 5.0 MAT-file, Platform: GLNXA64",
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "a database: sqlite3": b"SQLite format 3\0",
    "a picture": b"\x89PNG\r\n\x1a\n",
    "a 7z archive: 7z x -so d.csv | gdfit train -": b"7z\xbc\xaf\x27\x1c",
    "a web page: python -c": b"<table border='1'>",
    "XML": b"\n<?xml version='1.0'?>\n<a/>",
    "a web page": b"<!DOCTYPE html>\n<html><body>x,y</body></html>\n",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_table_is_told_as_what_it_is(gdfit: Gdfit, kind: str) -> None:
    Path("d.csv").write_bytes(OTHERS[kind])
    for command in ("train", "summary"):
        Path("gdfit.json").write_text('{"w": [2], "b": 1, "features": ["x"], "target": "y"}')
        result = gdfit(command, "d.csv")
        assert (result.status, result.err.count("\n")) == (1, 1)
        assert result.err.startswith(f"gdfit: error: d.csv: is no table but {kind}")


@pytest.mark.parametrize("kind", ["a pickle", "an array of NumPy's", "a tar archive"])
def test_what_is_typed_makes_a_table_of_it(gdfit: Gdfit, kind: str) -> None:
    frame = pandas.DataFrame({"x": [1.0, 2, 4], "y": [3.0, 5, 9]})
    bodies = {
        "a pickle": pickle.dumps(frame),
        "an array of NumPy's": packed(lambda file: np.save(file, frame.to_numpy())),
        "a tar archive": packed(in_tar),
    }
    Path("the file").write_bytes(bodies[kind])
    result = gdfit("train", "the file")
    command = result.err.partition(f"is no table but {kind}: ")[2].strip()
    make, _, train = command.rpartition(" | ")
    assert train == "gdfit train -"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", make], env={**os.environ, "PATH": path}, capture_output=True
    )
    assert gdfit("train", "-", "-q", stdin=done.stdout).status == 0, done.stderr


def test_a_terminal_shows_a_command_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    what = "gdfit: error: data.zip: is a zip archive of 2 data files, first.csv and second.csv:"
    for command in ("unzip -p data.zip first.csv | gdfit train -", "gdfit train first.csv"):
        assert as_told(f"{what} {command}").splitlines()[-1] == command


@pytest.mark.parametrize("name", ["MATLAB", "GIF89", "RDX2", "7z", "Rar!", "SQLite", "[x]", "{x}"])
def test_a_column_may_be_called_as_another_kind_is(gdfit: Gdfit, name: str) -> None:
    Path("d.csv").write_text(f"{name},y\n1,3\n2,5\n")
    assert gdfit.json("train", "d.csv")["features"] == [name]


def test_a_huge_field_is_no_other_fault(gdfit: Gdfit) -> None:
    huge = "3" * (34 << 20)
    Path("d.csv").write_text(f"x,y\n1,2\n{huge},4\n")
    told = gdfit("train", "d.csv").err
    assert told == "gdfit: error: d.csv, line 3: has more than 32 MB, which is no row of a table\n"
    Path("d.csv").write_text(f"{huge},4\n")
    assert "its first line is longer than 256 kB" in gdfit("train", "d.csv").err
