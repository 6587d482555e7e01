"""What is wrong with data that is read in units, and how it is told: as on one machine."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import pyarrow
import pytest
from distributed.scheduler import KilledWorker
from gdfit.data.reduction.gathering import each
from gdfit.data.reduction.parts import count_lines_of
from pyarrow import parquet

from gdfit.data.dataset import Dataset
from gdfit.data.in_memory import FrameFile, file_of
from gdfit.data.reduction import dask as connecting
from gdfit.data.reduction.dask import MOST_AT_ONCE, TASKS_EACH, Cluster, address_of, units_at_once
from gdfit.data.reduction.units import Form
from gdfit.data.sources.formats import READERS, open_text
from gdfit.data.sources.source import Source
from gdfit.data.terms.selection import Selection
from gdfit.data.text.dialect import Dialect
from gdfit.data.text.fields import Grammar
from gdfit.data.text.header import Layout
from gdfit.errors import GdfitError, UsageError
from inline import Inline, Promise
from served import serving

ROWS = [f"{row},{row % 7},{2 * row}\n" for row in range(500)]


def cluster(unit_bytes: int = 200, at_once: int = 2, seed: int = 0, **more: Any) -> Cluster:
    """A cluster that is this process."""
    client: Any = Inline(seed)
    return Cluster(client, unit_bytes=unit_bytes, at_once=at_once, **more)


def both_ways(
    *files: Path, dialect: Dialect | None = None, selection: Selection | None = None
) -> tuple[str, str]:
    """What is wrong with the files, as one machine tells it, from their start or in units, and as a
    cluster does."""
    told = []
    names = tuple(map(str, files))
    dataset = Dataset(names, selection or Selection(), dialect or Dialect(), unit_bytes=200)
    for how in (dataset, replace(dataset, large=0), replace(dataset, cluster=cluster())):
        with pytest.raises(GdfitError) as error:
            how.observations()
        told.append(str(error.value))
    assert told[0] == told[1]
    return told[0], told[2]


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
    alone, there = both_ways(path)
    assert there == alone
    assert f"line {row + 4}" in there


def test_the_first_fault_is_that_of_the_first_file_as_they_were_given(tmp_path: Path) -> None:
    files = [tmp_path / "b.csv", tmp_path / "a.csv"]
    for number, file in enumerate(files):
        rows = [*ROWS]
        rows[400 - 300 * number] = "1,?,2\n"
        file.write_text("x,z,y\n" + "".join(rows))
    alone, there = both_ways(*files)
    assert there == alone
    assert "b.csv, line 402" in there


def test_weights_terms_and_levels_are_told_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [f"{1 + row},{row % 7},{2 * row}\n" for row in range(500)]
    rows[444] = "-1,-1,1\n"
    path.write_text("x,z,y\n" + "".join(rows))
    for selection in (Selection(weights="z"), Selection(features=("log(x)",))):
        alone, there = both_ways(path, selection=selection)
        assert there == alone
        assert "line 446" in there
    path.write_text("x,k,y\n" + "".join(f"{row},k{row},{row}\n" for row in range(1500)))
    alone, there = both_ways(path, selection=Selection(features=("x", "k")))
    assert there == alone
    assert "line 1002, column 'k'" in there


def test_line_ends_in_quotes_are_found_out(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    random_ = random.Random(1)
    notes = ['"one\nline, and\r\nanother"', "plain", '"say ""so""\n"', '5"']
    rows = [f"{row},{random_.choice(notes)},{2 * row}\n" for row in range(500)]
    path.write_text("x,note,y\n" + "".join(rows), newline="")
    selection = Selection(features=("x", "note"))
    alone = Dataset((str(path),), selection).observations()
    found = []
    for unit_bytes, at_once in [(100, 1), (100, 4), (100, 1024)]:
        made = cluster(unit_bytes, at_once)
        there = Dataset((str(path),), selection, cluster=made).observations()
        assert (there.count, there.features) == (500, alone.features)
        found.append(there.augmented.tolist())
    assert found[0] == found[1] == found[2]
    here = Dataset((str(path),), selection, large=0, unit_bytes=100).observations()
    assert here.augmented.tolist() == alone.augmented.tolist()  # from the file's start, in the end
    rows[460] = "1,plain,?\n"
    path.write_text("x,note,y\n" + "".join(rows), newline="")
    one, other = both_ways(path, selection=selection)
    assert one == other


def test_a_quote_that_nothing_closes(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,z,y\n" + "".join([*ROWS[:123], '"1,2,3\n', *ROWS[123:]]))
    alone, there = both_ways(path)
    assert there == alone
    assert "line 125" in there


def test_damage_is_told(tmp_path: Path) -> None:
    packed = tmp_path / "data.csv.gz"
    packed.write_bytes(gzip.compress(("x,z,y\n" + "".join(ROWS)).encode())[:-20])
    alone, there = both_ways(packed)
    assert there == alone


def test_missing_fields_are_counted_and_nothing_may_be_left(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,z,y\n" + "".join([*ROWS, *[",1,2\n"] * 30, *ROWS]))
    drop = Dialect(drop_missing=True)
    for how in ({"cluster": cluster()}, {"large": 0, "unit_bytes": 200}):
        watcher, more = Counter(), cast(dict[str, Any], how)
        dataset = Dataset((str(path),), dialect=drop, watcher=watcher, **more)
        assert dataset.observations().count == 1000
        assert watcher.rows_missed == 30
        assert watcher.positions == sorted(watcher.positions)
        assert watcher.positions[-1] == path.stat().st_size
    path.write_text("x,z,y\n" + ",1,2\n3,,4\n" * 200)
    alone, there = both_ways(path, dialect=drop)
    assert there == alone


class Counter:
    """A watcher."""

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


def test_a_cluster_needs_files_and_dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"^there is no file to read$"):
        cluster().gather([], Dialect(), lambda form: pytest.fail("nothing is read"))
    monkeypatch.setattr(connecting, "find_spec", lambda name: None)
    with pytest.raises(GdfitError, match=r"^`dask` needs Dask: pip install 'gdfit\[dask\]'$"):
        Cluster("local").gather(["a.csv"], Dialect(), lambda form: pytest.fail("nothing is read"))


def test_who_waits_looks_whether_the_cluster_is_there() -> None:
    class Late(Inline):
        """Does nothing until it is asked for its workers."""

        def submit(self, function: Any, *arguments: Any, **how: Any) -> Promise:
            self.promise = Promise()
            return self.promise

        def nthreads(self) -> dict[str, int]:
            self.promise.set_result("done")
            return {"here": 1}

    client: Any = Late(0)
    assert each(client, str, [()], client.nthreads) == ["done"]

    def look() -> None:
        raise GdfitError("the cluster is gone")

    with pytest.raises(GdfitError, match=r"^the cluster is gone$"):
        each(client, str, [()], look)


def test_data_that_change_while_they_are_read_are_told(tmp_path: Path) -> None:
    """The fault is not there any more when its line is looked for."""
    path = tmp_path / "data.csv"
    path.write_text("x,z,y\n" + "".join([*ROWS[:300], "1,b,3\n", *ROWS[301:]]))

    class Mending(Inline):
        """Mends the file before the lines above the fault are counted."""

        def submit(self, function: Any, *arguments: Any, **how: Any) -> Promise:
            if function is count_lines_of:
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
    alone, there = both_ways(path)
    assert alone == there == f"{path}: there are no observations"


def test_files_that_do_not_go_together(tmp_path: Path) -> None:
    first, other = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("x,z,y\n" + "".join(ROWS))
    other.write_text("x,w,y\n" + "".join(ROWS))
    alone, there = both_ways(first, other)
    assert there == alone
    alone, there = both_ways(first, tmp_path / "c.csv")
    assert there == alone


def test_rows_and_standard_input_are_refused() -> None:
    with pytest.raises(UsageError, match="need the rows themselves"):
        Dataset(("a.csv",), cluster=cluster()).observations(keep_rows=True)
    with pytest.raises(UsageError, match="can't read standard input"):
        Dataset(("-",), cluster=cluster()).observations()


def test_workers_with_another_gdfit_or_none(tmp_path: Path) -> None:
    class Others(Inline):
        """A cluster of unlike workers."""

        more: Any = "0.0.9"

        def run(self, *arguments: Any, **how: Any) -> dict[str, Any]:
            return {"tcp://a:1": self.more, **super().run(*arguments, **how)}

    client: Any = Others(0)
    with pytest.raises(GdfitError, match=r"of 2 workers tcp://a:1 has 0\.0\.9: install the same"):
        Cluster(client).gather(["a.csv"], Dialect(), lambda form: pytest.fail("nothing is read"))
    client.more = ModuleNotFoundError("gdfit")
    with pytest.raises(GdfitError, match="there is no gdfit on 1 of 2 workers: tcp://a:1"):
        Cluster(client).gather(["a.csv"], Dialect(), lambda form: pytest.fail("nothing is read"))


def test_the_same_data_wherever_and_however_it_is_stored(tmp_path: Path) -> None:
    text = ("x,z,y\n" + "".join(ROWS)).encode()
    (tmp_path / "data.csv").write_bytes(text)
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(text))
    duckdb.sql(
        f"copy (from read_csv('{tmp_path}/data.csv')) to '{tmp_path}/data.parquet' "
        "(row_group_size 2048)"
    )
    found = {}
    with serving({"data.csv": text, "data.csv.gz": gzip.compress(text)}) as server:
        places = [str(tmp_path / "data.csv"), str(tmp_path / "data.csv.gz")]
        for place in [*places, *(f"{server.url}/{how}/data.csv" for how in ("plain", "gzip"))]:
            watcher = Counter()
            observations = Dataset((place,), watcher=watcher, cluster=cluster()).observations()
            assert len(watcher.sizes) == place.startswith("http")  # other sizes are known before
            found[place] = observations.augmented.tolist(), observations.last.tolist()
        ranges = [headers["Range"] for _, headers in server.asked if "Range" in headers]
    first, *others = found.values()
    assert others == [first] * 3
    assert len(ranges) > 5
    there = Dataset((str(tmp_path / "data.parquet"),), cluster=cluster()).observations()
    size = np.abs(first[0]).max()
    assert np.allclose(np.abs(there.augmented), np.abs(first[0]), rtol=1e-12, atol=1e-12 * size)


def test_another_format_is_read_by_one_machine_and_not_in_parts_or_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"x": np.arange(4.0), "y": np.arange(4.0) ** 2}

    @contextmanager
    def open_other(source: Source, *how: Any, **more: Any) -> Iterator[FrameFile]:
        yield file_of(source.name, list(columns), list(columns.values()))

    monkeypatch.setitem(READERS, b"OTHER", open_other)
    path = tmp_path / "data.other"
    path.write_bytes(b"OTHER")
    for large in (0, 1 << 20):
        assert Dataset((str(path),), large=large).observations().count == 4
    with pytest.raises(GdfitError, match=r"data\.other: its format can't be read in parts"):
        Dataset((str(path),), cluster=cluster()).observations()
    with (
        pytest.raises(GdfitError, match=r"data\.other: can't be written as CSV"),
        open_text(str(path), Dialect()),
    ):
        pytest.fail("it is opened")


def test_row_groups_are_units(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 3))
    table = pyarrow.table({name: rows[:, place] for place, name in enumerate("xzy")})
    path = tmp_path / "data.parquet"
    parquet.write_table(table, path, row_group_size=90)
    alone = Dataset((str(path),)).observations()
    found = []
    for at_once in (1, 2, 16):
        made = cluster(at_once=at_once, seed=at_once)
        there = Dataset((str(path),), watcher=Counter(), cluster=made).observations()
        found.append((there.augmented.tolist(), there.sample.tolist()))
        assert (there.count, there.first.tolist()) == (1000, alone.first.tolist())
        assert there.last.tolist() == alone.last.tolist()
    assert found[0] == found[1] == found[2]
    assert np.allclose(np.abs(found[0][0]), np.abs(alone.augmented), rtol=1e-12, atol=1e-12)
    columns = {name: rows[:, place].tolist() for place, name in enumerate("xzy")}
    columns["z"][801] = None
    columns["z"][803] = None
    parquet.write_table(pyarrow.table(columns), path, row_group_size=90)
    one, other = both_ways(path)
    assert one == other
    assert "row 802" in other


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
def test_what_fails_on_a_worker_is_one_line(error: Exception, told: str) -> None:
    client: Any = Inline(0)

    def fail(number: int) -> int:
        if number:
            raise error
        return number

    with pytest.raises(GdfitError, match=told) as raised:
        each(client, fail, [(0,), (1,), (0,)], lambda: None)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "no json", '{"address"'])
def test_a_file_that_no_scheduler_wrote_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(text)
    with pytest.raises(GdfitError, match=r"scheduler\.json: is no file of a Dask scheduler$"):
        address_of(str(file))
    file.write_text('{"address": "tcp://there:1"}')
    assert address_of(str(file)) == "tcp://there:1"


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
    form = Form(
        "a.csv",
        "a.csv",
        Layout(("x", "y"), True, Grammar(","), start=0, line=1),
        10 * units,
        is_cut=True,
    )
    at_once = units_at_once([form, replace(form, size=None, is_cut=False)], 10, workers)
    assert at_once in {2**power for power in range(20)}
    enough = TASKS_EACH * max(workers, 1)
    assert at_once == 1 or units // at_once >= enough
    assert at_once * 2 > MOST_AT_ONCE or units // (2 * at_once) < enough
