"""Data condensed by the workers of a Dask cluster, which are processes of their own here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import gdfit as library
from conftest import LECTURE, Gdfit
from dask_processes import Processes, wait_for
from gdfit.data.dataset import Dataset
from gdfit.data.reduction.dask import Cluster
from gdfit.data.text.dialect import Selection
from gdfit.errors import GdfitError
from inline import bits

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

UNIT = 1 << 14
CATEGORY = Selection(features=("a", "b", "kind"), target="y", weights="v")


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A scheduler, which workers are added to."""
    found = Processes(tmp_path_factory.mktemp("dask"))
    try:
        found.add_workers(1)
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Two files of numbers, levels that are in one of them only, and weights."""
    random, folder = np.random.default_rng(1), tmp_path_factory.mktemp("files")
    for number, name in enumerate("ab"):
        rows = random.normal(size=(6000, 2)) * [1, 1000] + [5, 0]
        lines = [
            f"{a!r},{b!r},level{4 * number + row // 1500},{row % 3},{a - b / 500 + row % 11!r}\n"
            for row, (a, b) in enumerate(rows.tolist())
        ]
        (folder / f"{name}.csv").write_text("a,b,kind,v,y\n" + "".join(lines))
    return tuple(str(folder / f"{name}.csv") for name in "ab")


def read(processes: Processes, files: tuple[str, ...], at_once: int = 1) -> list[Any]:
    """The files, as the cluster reads them."""
    with Cluster(processes.address, unit_bytes=UNIT, at_once=at_once) as cluster:
        dataset = Dataset(files, CATEGORY, cluster=cluster)
        return [bits(dataset.observations()), [*map(bits, dataset.split(0.3))]]


def test_workers_tasks_and_the_order_of_files_change_no_bit(
    processes: Processes, files: tuple[str, ...]
) -> None:
    alone = Dataset(files, CATEGORY).observations()
    expected = read(processes, files)
    for at_once in (2, 8):
        processes.add_workers(1)
        assert read(processes, files, at_once) == expected
        assert read(processes, files[::-1], at_once) == expected
    whole, _ = expected
    assert whole[1] == alone.count
    assert whole[3] == alone.features
    mine, theirs = (np.abs(np.array(R)) for R in (alone.augmented, whole[0]))
    assert np.allclose(mine, theirs, rtol=1e-12, atol=1e-12 * mine.max())


def test_a_worker_that_dies_changes_no_bit(processes: Processes, files: tuple[str, ...]) -> None:
    class Killer:
        """Kills a worker when some of the data has been read."""

        done = 0

        def progress(self, position: int) -> None:
            self.done += 1
            if self.done == 5:
                processes.kill_worker()

        def opened(self, size: int | None) -> None: ...

        def missed(self, rows: int) -> None: ...

        def noted(self, remark: str) -> None: ...

    expected = read(processes, files)[0]
    processes.add_workers(1)
    before, killer = len(processes.workers), Killer()
    with Cluster(processes.address, unit_bytes=UNIT, at_once=1) as cluster:
        dataset = Dataset(files, CATEGORY, progress=killer, cluster=cluster)
        assert bits(dataset.observations()) == expected
    assert len(processes.workers) == before - 1
    assert killer.done > 20
    assert processes.tasks() == 0


def test_line_400002_is_named(processes: Processes, gdfit: Gdfit, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + "1,2\n3,4\n" * 200_000 + "5,six\n" + "7,8\n" * 1000 + "9,ten\n")
    there = gdfit("train", path, "--target", "y", "--dask", processes.file)
    assert there.status == 1
    assert f"{path}, line 400002, column 'y': 'six' is not a number" in there.err
    with (
        pytest.raises(GdfitError, match="line 400002, column 'y'"),
        Cluster(processes.address, unit_bytes=1 << 18) as cluster,
    ):
        Dataset((str(path),), Selection(target="y"), cluster=cluster).observations()


def test_a_path_is_taken_from_the_folder_that_gdfit_is_typed_in(
    processes: Processes, gdfit: Gdfit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.csv").write_text("x,y\n1,3\n2,5\n")
    there = gdfit("train", "here.csv", "--lr", "0.1", "-q", "--no-model", "--dask", processes.file)
    alone = gdfit("train", "here.csv", "--lr", "0.1", "-q", "--no-model")
    assert (there.status, there.out) == (0, alone.out)


COMMANDS: list[Callable[[tuple[str, ...]], list[str]]] = [
    lambda files: ["train", *files, "--lr", "1e-7", "--format", "json"],
    lambda files: ["train", *files, "--validation", "0.1", "--format", "json"],
    lambda files: ["train", files[0], "--validation", files[1], "--format", "json"],
    lambda files: ["evaluate", *files, "--format", "json"],
    lambda files: ["summary", *files, "--format", "json"],
    lambda files: ["curvature", *files, "--format", "json"],
    lambda files: ["compare", *files, "--lr", "auto,1e-7", "--epochs", "20", "--format", "json"],
]


def test_every_command_says_what_it_says_on_one_machine(
    processes: Processes, files: tuple[str, ...], gdfit: Gdfit
) -> None:
    gdfit("train", *files, "--epochs", 10)
    for number, command in enumerate(COMMANDS):
        arguments = command(files)
        if arguments[0] in ("train", "compare"):
            arguments += ["--no-model"] * (arguments[0] == "train")
        alone, there = gdfit(*arguments), gdfit(*arguments, "--dask", processes.file)
        assert there.status == alone.status == 0, there.err
        drawn = number == 1  # which rows are held out is another choice
        close(json.loads(there.out), json.loads(alone.out), rel=0.5 if drawn else 1e-6)


def close(there: Any, alone: Any, rel: float) -> None:
    """Check that two records are the same, but for roundings of numbers."""
    if isinstance(alone, dict):
        assert there.keys() == alone.keys()
        for name in alone:
            if name not in ("next", "message", "state", "history", "predictions"):
                close(there[name], alone[name], rel)
    elif isinstance(alone, list):
        assert len(there) == len(alone)
        for one, other in zip(there, alone, strict=True):
            close(one, other, rel)
    elif isinstance(alone, float):
        assert there == pytest.approx(alone, rel=rel, abs=rel)
    else:
        assert there == alone


def test_in_python(processes: Processes, files: tuple[str, ...]) -> None:
    alone = library.read_observations(*files, target="y")
    assert library.read_observations(*files, target="y", dask=processes.address).count == 12_000
    with processes.client() as client:
        there = library.read_observations(*files, target="y", dask=client)
        assert client.status == "running"
    assert there.left_out == alone.left_out == ("kind",)
    assert there.last_values == alone.last_values


def test_ctrl_c_cancels_the_tasks(processes: Processes, tmp_path: Path) -> None:
    done, fifo = interrupted(tmp_path, str(processes.file), {})
    os.close(fifo)
    assert done == (130, "", "gdfit: interrupted\n")
    wait_for(lambda: processes.tasks() == 0)


def test_workers_on_this_machine_end_with_the_command(
    processes: Processes,
    files: tuple[str, ...],
    gdfit: Gdfit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ["train", *files, "--lr", "1e-7", "--epochs", "3", "-q", "--no-model", "--dask"]
    scratch, folder = tmp_path / "scratch", tmp_path / "folder"
    scratch.mkdir()
    folder.mkdir()
    started = {*psutil.Process().children(recursive=True)}
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    here, there = gdfit(*command, "local"), gdfit(*command, processes.file)
    assert here == replace(there, err=there.err.replace(str(processes.file), "local"))
    assert not [*scratch.iterdir(), *folder.iterdir()]
    assert {*psutil.Process().children(recursive=True)} == started
    ended, fifo = interrupted(folder, "local", {"TMPDIR": str(scratch)})
    os.close(fifo)
    assert ended == (130, "", "gdfit: interrupted\n")
    assert not [*scratch.iterdir()]


def interrupted(
    folder: Path, dask: str, surroundings: dict[str, str]
) -> tuple[tuple[int, str, str], int]:
    """What a command comes to that gets Ctrl-C, with all that it has started, while a worker waits
    for data from a pipe; and the pipe's other end."""
    pipe = folder / "pipe.csv"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "gdfit", "train", str(pipe), "-q", "--dask", dask],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **surroundings},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    opened: list[int] = []

    def is_read() -> bool:
        try:
            opened.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # nobody reads
            assert process.poll() is None
        return bool(opened)

    with process:
        try:
            wait_for(is_read)
            os.killpg(process.pid, signal.SIGINT)
            out, error = process.communicate(timeout=60)
        finally:
            process.kill()
    pipe.unlink()
    return (process.returncode, out, error), opened[0]


def test_no_scheduler_no_workers_and_workers_that_die(
    files: tuple[str, ...], gdfit: Gdfit, tmp_path: Path
) -> None:
    with (
        pytest.raises(GdfitError, match=r"no Dask scheduler at 127\.0\.0\.1:9: start one"),
        Cluster("127.0.0.1:9", connecting=0.5) as cluster,
    ):
        Dataset(files, cluster=cluster).observations()
    result = gdfit("train", LECTURE, "--dask", "none.json")
    assert result.err == "gdfit: error: none.json: no such file (dask scheduler writes it)\n"
    result = gdfit("train", LECTURE, "--dask", "tls://127.0.0.1:9")
    assert result.err.startswith("gdfit: error: tls://127.0.0.1:9 needs TLS, and Dask's settings")
    lonely, said = Processes(tmp_path, failures=0), list[str]()
    try:
        with (
            pytest.raises(GdfitError, match=r"had no worker for 0\.4 seconds: start some with"),
            Cluster(lonely.address, said.append, patience=0.2, limit=0.4) as cluster,
        ):
            Dataset(files, cluster=cluster).observations()
        assert said == ["the cluster has no workers; waiting for some for 0.4 seconds at most"]
        lonely.add_workers(1)

        class Killer:
            """Kills the only worker when some of the data has been read."""

            def progress(self, position: int) -> None:
                if lonely.workers:
                    lonely.kill_worker()

            def opened(self, size: int | None) -> None: ...

            def missed(self, rows: int) -> None: ...

            def noted(self, remark: str) -> None: ...

        with (
            pytest.raises(GdfitError, match="workers died one after the other of the same task"),
            Cluster(lonely.address, unit_bytes=UNIT, at_once=1) as cluster,
        ):
            Dataset(files, CATEGORY, progress=Killer(), cluster=cluster).observations()
    finally:
        lonely.close()


def test_a_cluster_that_goes_away(files: tuple[str, ...], tmp_path: Path) -> None:
    going = Processes(tmp_path)
    try:
        going.add_workers(1)

        class Killer:
            """Kills all of it when some of the data has been read."""

            def progress(self, position: int) -> None:
                going.close()

            def opened(self, size: int | None) -> None: ...

            def missed(self, rows: int) -> None: ...

            def noted(self, remark: str) -> None: ...

        with (
            pytest.raises(GdfitError, match="the connection to the cluster is lost"),
            Cluster(going.address, unit_bytes=UNIT, at_once=1) as cluster,
        ):
            Dataset(files, CATEGORY, progress=Killer(), cluster=cluster).observations()
    finally:
        going.close()
