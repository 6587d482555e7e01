"""What is wrong with data that is read in units, and how it is told: as on one machine."""

from __future__ import annotations

import gzip
import io
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow
import pytest
from distributed.scheduler import KilledWorker
from pyarrow import parquet

from gdfit.data.dataset import Dataset
from gdfit.data.formats.formats import READERS, open_file
from gdfit.data.formats.written import as_text
from gdfit.data.reduction import dask, workers
from gdfit.data.reduction.dask import MOST_AT_ONCE, TASKS_EACH, Cluster, units_at_once
from gdfit.data.reduction.workers import Extent, Range
from gdfit.data.sources.csv_file import HEAD_BYTES
from gdfit.data.sources.frames import FrameFile, frame_file
from gdfit.data.sources.source import Source
from gdfit.data.text import blocks
from gdfit.data.text.dialect import Dialect, Selection
from gdfit.data.text.fields import Grammar
from gdfit.data.text.header import Layout
from gdfit.errors import GdfitError, UsageError
from inline import Inline, Promise, all_bits
from served import serving

ROWS = [f"{row},{row % 7},{2 * row}\n" for row in range(500)]


def cluster(unit_bytes: int = 200, at_once: int = 2, seed: int = 0, **more: Any) -> Cluster:
    """A cluster that is this process."""
    client: Any = Inline(seed)
    return Cluster(client, unit_bytes=unit_bytes, at_once=at_once, **more)


def told_of(
    *files: Path, dialect: Dialect | None = None, selection: Selection | None = None
) -> str:
    """What is wrong with the files, as all tell it: one machine, in units of any size or from
    standard input, and clusters, whose tasks end in any order."""
    names = tuple(map(str, files))
    dataset = Dataset(names, selection or Selection(), dialect or Dialect())
    ways = [dataset, replace(dataset, unit_bytes=200), replace(dataset, unit_bytes=1000)]
    for seed in range(3):
        ways += [replace(dataset, cluster=cluster(at_once=2**seed, seed=seed))]
    told = []
    for how in ways:
        with pytest.raises(GdfitError) as error:
            how.observations()
        told.append(str(error.value))
    if len(files) == 1 and files[0].exists():
        with pytest.MonkeyPatch.context() as patch:
            piped: Any = io.BufferedReader(cast(Any, io.BytesIO(files[0].read_bytes())))
            patch.setattr(sys, "stdin", io.TextIOWrapper(piped))
            with pytest.raises(GdfitError) as error:
                replace(dataset, files=("-",), unit_bytes=200).observations()
            told.append(str(error.value).replace("standard input", names[0]))
    assert len({*told}) == 1, told
    return told[0]


@pytest.mark.parametrize(
    ("row", "bad"),
    [(0, "a,2,3\n"), (250, "1,b,3\n"), (499, "1,2,\n"), (333, "1,2\n"), (77, "1,2,3,4\n")],
)
def test_the_first_fault_is_told_with_its_line(tmp_path: Path, row: int, bad: str) -> None:
    rows = [*ROWS]
    rows[row] = bad
    for later in range(row + 40, 500, 60):
        rows[later] = "so,is,this\n"
    path = tmp_path / "data.csv"
    path.write_text("# comment\n\nx,z,y\n" + "".join(rows))
    assert f"line {row + 4}" in told_of(path)


def test_the_first_fault_is_that_of_the_first_file_as_they_were_given(tmp_path: Path) -> None:
    files = [tmp_path / "b.csv", tmp_path / "a.csv"]
    for number, file in enumerate(files):
        rows = [*ROWS]
        rows[400 - 300 * number] = "1,?,2\n"
        file.write_text("x,z,y\n" + "".join(rows))
    assert "b.csv, line 402" in told_of(*files)


def test_weights_terms_and_levels_are_told_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [f"{1 + row},{row % 7},{2 * row}\n" for row in range(500)]
    rows[444] = "-1,-1,1\n"
    path.write_text("x,z,y\n" + "".join(rows))
    for selection in (Selection(weights="z"), Selection(features=("log(x)",))):
        assert "line 446" in told_of(path, selection=selection)
    path.write_text("x,k,y\n" + "".join(f"{row},k{row},{row}\n" for row in range(1500)))
    levels = Selection(features=("x", "k"))
    assert "line 1002, column 'k'" in told_of(path, selection=levels)
    other = tmp_path / "other.csv"  # where a level of the first file is one too many
    other.write_text("x,k,y\n1,new,2\n" + "".join(f"{row},k{row},1\n" for row in range(990)))
    path.write_text("x,k,y\n" + "".join(f"{row},K{row % 20},{row}\n" for row in range(100)))
    assert "other.csv, line 982, column 'k'" in told_of(path, other, selection=levels)


NOTES = ['"one\nline, and\r\nanother"', "plain", '"say ""so""\n"', '5"', '"1,2,3\n4,?,6\n"']


def with_notes(path: Path, *faults: tuple[int, str]) -> None:
    """A file with line ends in quotes, in which rows are other ones."""
    random_ = random.Random(1)
    rows = [f"{row},{random_.choice(NOTES)},{2 * row}\n" for row in range(500)]
    for row, bad in faults:
        rows[row] = bad
    path.write_text("x,note,y\n" + "".join(rows), newline="")


def test_line_ends_in_quotes_are_found_out(tmp_path: Path) -> None:
    """Ranges that begin in quotes see rows where there are none, and faults."""
    path, other = tmp_path / "data.csv", tmp_path / "other.csv"
    with_notes(path)
    for selection in (Selection(features=("x",)), Selection(features=("x", "note"))):
        alone = Dataset((str(path),), selection, unit_bytes=100)
        for seed in range(6):
            there = replace(alone, cluster=cluster(100, 4 ** (seed % 3), seed))
            assert all_bits(there.observations()) == all_bits(alone.observations())
    with_notes(path, (460, "1,plain,?\n"))
    assert "'?' is not a number" in told_of(path)
    with_notes(path, (3, "1,plain,?\n"), (4, "1,2,3,4\n"))
    assert "column 'y': '?' is not a number" in told_of(path)
    other.write_text("x,note,y\n" + "".join(f"{row},plain,\n" for row in range(500)))
    assert "'?' is not a number" in told_of(path, other)
    with_notes(path)
    assert "other.csv, line 2" in told_of(path, other)
    assert "other.csv, line 2" in told_of(other, path)


def test_a_quote_that_nothing_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.csv"
    for longest in (1 << 25, 1000):  # is found as rows are read, or as they are cut
        monkeypatch.setattr(blocks, "LONGEST_ROW", longest)
        path.write_text("x,z,y\n" + "".join([*ROWS[:123], '"1,2,3\n', *ROWS[123:]]))
        assert "line 125: a quote opens a field here" in told_of(path)
        rows = [*ROWS[:100], "1,b,3\n", *ROWS[:100], '"1,2,3\n', *ROWS[123:]]
        path.write_text("x,z,y\n" + "".join(rows))
        assert "line 102, column 'z': 'b'" in told_of(path)


def test_damage_is_told(tmp_path: Path) -> None:
    packed = tmp_path / "data.csv.gz"
    packed.write_bytes(gzip.compress(("x,z,y\n" + "".join(ROWS)).encode())[:-20])
    assert "data.csv.gz: its compression is damaged" in told_of(packed)


def test_missing_fields_are_counted_and_nothing_may_be_left(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,z,y\n" + "".join([*ROWS * 70, *[",1,2\n"] * 30, *ROWS * 70]))
    assert path.stat().st_size > HEAD_BYTES
    drop = Dialect(drop_missing=True)
    for there in (None, cluster(1 << 15)):
        counter = Counter()
        dataset = Dataset(
            (str(path),), dialect=drop, progress=counter, cluster=there, unit_bytes=1 << 15
        )
        assert dataset.observations().count == 70_000
        assert counter.rows_missed == 30
        assert counter.positions == sorted(counter.positions)
        assert counter.positions[-1] == path.stat().st_size
    path.write_text("x,z,y\n" + ",1,2\n3,,4\n" * 200)
    assert "there are no observations without a missing field" in told_of(path, dialect=drop)


class Counter:
    """Progress that is counted."""

    def __init__(self) -> None:
        self.sizes: list[int | None] = []
        self.positions: list[int] = []
        self.rows_missed = 0

    def opened(self, size: int | None) -> None:
        self.sizes.append(size)

    def progress(self, position: int) -> None:
        self.positions.append(position)

    def missed(self, rows: int) -> None:
        self.rows_missed += rows

    def noted(self, remark: str) -> None:
        pytest.fail(f"there is nothing to note, but {remark}")


def nothing_read(extent: Extent) -> Any:
    pytest.fail("something is read")


def test_a_cluster_needs_files_and_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"^there is no file to read$"):
        cluster().reduce([], Dialect(), nothing_read)
    monkeypatch.setattr(workers, "find_spec", lambda name: None)
    with pytest.raises(GdfitError, match=r"^`dask` needs Dask: pip install 'gdfit\[dask\]'$"):
        Cluster("local").reduce(["a.csv"], Dialect(), nothing_read)


def test_who_waits_looks_whether_the_cluster_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Inline):
        """Has nothing done until it is asked for its workers some times."""

        asked, waiting = 0, True

        def _do_one(self) -> None:
            while self.waiting:
                pass
            super()._do_one()

        def nthreads(self) -> dict[str, int]:
            self.asked += 1
            self.waiting = self.asked < 5
            if self.asked == 8:
                raise OSError("timed out")
            return super().nthreads()

    monkeypatch.setattr(dask, "LOOK", 0.01)
    path = tmp_path / "data.csv"
    path.write_text("x,z,y\n" + "".join(ROWS))
    client: Any = Late(0)
    dataset = Dataset((str(path),), cluster=Cluster(client))
    assert dataset.observations().count == 500
    client.asked, client.waiting = 6, True
    with pytest.raises(GdfitError, match=r"^the connection to the cluster is lost$"):
        dataset.observations()
    client.waiting = False


def test_data_that_change_while_they_are_read_are_told(tmp_path: Path) -> None:
    """The fault is not there any more when its line is looked for."""
    path = tmp_path / "data.csv"
    path.write_text("x,z,y\n" + "".join([*ROWS[:300], "1,b,3\n", *ROWS[301:]]))

    class Mending(Inline):
        """Mends the file before it is read from its start."""

        def submit(self, function: Any, *arguments: Any, **how: Any) -> Promise:
            if function is workers.condense and arguments[2] == Range():
                path.write_text("x,z,y\n" + "".join(ROWS))
            return super().submit(function, *arguments, **how)

    client: Any = Mending(0)
    made = Cluster(client, unit_bytes=200, at_once=2)
    with pytest.raises(GdfitError, match=r"^the data changed while they were read$"):
        Dataset((str(path),), cluster=made).observations()


@pytest.mark.parametrize("groups", [0, 1, 2])
def test_parquet_without_rows_has_no_observations(tmp_path: Path, groups: int) -> None:
    path, schema = tmp_path / "data.parquet", pyarrow.schema({"x": "double", "y": "double"})
    with parquet.ParquetWriter(path, schema) as writer:
        for _ in range(groups):
            writer.write_table(schema.empty_table())
    assert told_of(path) == f"{path}: there are no observations"


def test_files_that_do_not_go_together(tmp_path: Path) -> None:
    first, other = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("x,z,y\n" + "".join(ROWS))
    other.write_text("x,w,y\n" + "".join(ROWS))
    assert "b.csv: its columns (x, w, y) are not those" in told_of(first, other)
    assert "c.csv: no such file" in told_of(first, tmp_path / "c.csv")


def test_rows_and_standard_input_are_refused() -> None:
    with pytest.raises(UsageError, match="need the rows themselves"):
        Dataset(("a.csv",), cluster=cluster()).observations(keep_rows=True)
    with pytest.raises(UsageError, match="can't read standard input"):
        Dataset(("-",), cluster=cluster()).observations()


def test_workers_with_another_gdfit_or_none() -> None:
    class Others(Inline):
        """A cluster of unlike workers."""

        more: Any = "0.0.9"

        def run(self, *arguments: Any, **how: Any) -> dict[str, Any]:
            return {"tcp://a:1": self.more, **super().run(*arguments, **how)}

    client: Any = Others(0)
    with pytest.raises(GdfitError, match=r"of 2 workers tcp://a:1 has 0\.0\.9: install the same"):
        Cluster(client).reduce(["a.csv"], Dialect(), nothing_read)
    client.more = ModuleNotFoundError("gdfit")
    with pytest.raises(GdfitError, match="there is no gdfit on 1 of 2 workers: tcp://a:1"):
        Cluster(client).reduce(["a.csv"], Dialect(), nothing_read)


def test_the_size_of_what_is_downloaded_is_told_and_parts_are_asked_for() -> None:
    text = ("x,z,y\n" + "".join(ROWS)).encode()
    with serving({"data.csv": text, "data.csv.gz": gzip.compress(text)}) as server:
        for how, size in (("plain", len(text)), ("gzip", None)):
            counter = Counter()
            place = f"{server.url}/{how}/data.csv"
            Dataset((place,), progress=counter, cluster=cluster()).observations()
            assert counter.sizes[0] == size or size is None
            assert len(counter.sizes) == 1  # other sizes are known before
        ranges = [headers["Range"] for _, headers in server.asked if "Range" in headers]
    assert len(ranges) > 5


def test_another_format_is_read_by_one_machine_and_not_in_parts_or_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"x": np.arange(4.0), "y": np.arange(4.0) ** 2}

    @contextmanager
    def open_other(source: Source, *how: Any, **more: Any) -> Iterator[FrameFile]:
        yield frame_file(None, [*columns.items()], source.name)

    monkeypatch.setitem(READERS, b"OTHER", open_other)
    path = tmp_path / "data.other"
    path.write_bytes(b"OTHER")
    assert Dataset((str(path),)).observations().count == 4
    with pytest.raises(GdfitError, match=r"data\.other: its format can't be read in parts"):
        Dataset((str(path),), cluster=cluster()).observations()
    with (
        pytest.raises(GdfitError, match=r"data\.other: can't be written as CSV"),
        open_file(str(path), Dialect()) as file,
    ):
        as_text(file)


def test_row_groups_are_units(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 3))
    table = pyarrow.table({name: rows[:, place] for place, name in enumerate("xzy")})
    path = tmp_path / "data.parquet"
    parquet.write_table(table, path, row_group_size=90)
    alone = Dataset((str(path),))
    expected = all_bits(alone.observations())
    for at_once in (1, 2, 16):
        made = cluster(at_once=at_once, seed=at_once)
        there = replace(alone, progress=Counter(), cluster=made)
        assert all_bits(there.observations()) == expected
    assert np.abs(alone.observations().last - rows[-1]).max() == 0
    columns = {name: rows[:, place].tolist() for place, name in enumerate("xzy")}
    columns["z"][801] = None
    columns["z"][803] = None
    parquet.write_table(pyarrow.table(columns), path, row_group_size=90)
    assert "row 802" in told_of(path)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (GdfitError("is no data", file="a.csv"), "a.csv: is no data"),
        (MemoryError(), "a worker has not enough memory"),
        (
            KilledWorker("task", cast(Any, None), 3),
            "workers died one after the other of the same task: have they enough",
        ),
        (KeyError("a\nb"), r"a worker of the cluster failed: KeyError: 'a\\nb'"),
        (OSError("out\nof disk"), "a worker of the cluster failed: OSError: out of disk"),
    ],
)
def test_what_fails_on_a_worker_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fail(path: str, dialect: Dialect) -> None:
        raise error

    monkeypatch.setattr(workers, "survey", fail)
    with pytest.raises(GdfitError, match=told) as raised:
        cluster().reduce(["a.csv", "b.csv"], Dialect(), nothing_read)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "no json", '{"address"'])
def test_a_file_that_no_scheduler_wrote_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(text)
    with pytest.raises(GdfitError, match=r"scheduler\.json: is no file of a Dask scheduler$"):
        workers.address_of(str(file))
    file.write_text('{"address": "tcp://there:1"}')
    assert workers.address_of(str(file)) == "tcp://there:1"


def test_a_connection_that_is_lost_is_told(tmp_path: Path) -> None:
    class Gone(Inline):
        """A cluster that can't be reached any more."""

        def nthreads(self) -> dict[str, int]:
            raise OSError("timed out")

    client: Any = Gone(0)
    with pytest.raises(GdfitError, match=r"^the connection to the cluster is lost$"):
        Dataset((str(tmp_path / "a.csv"),), cluster=Cluster(client)).observations()


@pytest.mark.parametrize("workers", [0, 1, 3, 100])
@pytest.mark.parametrize("units", [1, 7, 300, 10**6])
def test_tasks_are_few_and_enough_for_all_workers(units: int, workers: int) -> None:
    """They take a power of 2 of units, the largest with so many tasks for each worker."""
    layout = Layout(("x", "y"), True, Grammar(","), start=0, line=1)
    extent = Extent("a.csv", "a.csv", layout, 10 * units, is_cut=True)
    at_once = units_at_once([extent, replace(extent, size=None, is_cut=False)], 10, workers)
    assert at_once in {2**power for power in range(20)}
    enough = TASKS_EACH * max(workers, 1)
    assert at_once == 1 or units // at_once >= enough
    assert at_once * 2 > MOST_AT_ONCE or units // (2 * at_once) < enough
