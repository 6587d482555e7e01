"""Units of files: the same ones, whoever reads them, and the same bits of what they come to."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdfit.data.dataset import Dataset
from gdfit.data.observations import Observations
from gdfit.data.reduction import condense, tree
from gdfit.data.reduction.dask import Cluster
from gdfit.data.reduction.tree import Outcome, Tree
from gdfit.data.reduction.workers import Extent, Range, opened_range, ranges, survey
from gdfit.data.sources.csv_file import HEAD_BYTES
from gdfit.data.text import blocks as units
from gdfit.data.text.blocks import StraddledError, UnitCutter
from gdfit.data.text.dialect import Dialect, Selection
from gdfit.data.text.fields import Grammar, RowError
from gdfit.descent.run import train
from gdfit.errors import GdfitError, NoObservationsError
from gdfit.model.evaluation import evaluate_rows, observe
from inline import Inline, all_bits, assert_the_same_but_for_rounding, assert_the_same_rows, bits
from readers import open_csv
from served import Server, serving

FIELDS = st.sampled_from(["1", "-2.5", "", "a", '"b"', '"c\n"', '"d\r\n,"', '5"', '"e""\r"', "é"])
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
LINES = st.tuples(FIELDS, FIELDS, ENDS).map(lambda line: f"{line[0]},{line[1]}{line[2]}")
COMMA = Dialect(delimiter=",")


def rows_of(
    extent: Extent, part: Range, unit: int, dialect: Dialect = COMMA
) -> Iterator[tuple[int, bytes]]:
    """The units of a range that have rows, with their numbers, as text."""
    with opened_range(extent, dialect, part, unit) as (_, found):
        for each in found:
            if each.content.raw:
                yield each.number, each.content.raw


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(LINES, max_size=30),
    unit=st.integers(1, 40),
    at_once=st.integers(1, 3),
    little=st.sampled_from([1, 7, units.LITTLE]),
)
def test_ranges_have_the_units_of_the_whole_file_or_say_that_they_cannot(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    unit: int,
    at_once: int,
    little: int,
) -> None:
    path = tmp_path_factory.mktemp("units") / "data.csv"
    text = ("x,y\n1,2\n" + "".join(lines)).encode()
    path.write_bytes(text)
    extent = survey(str(path), COMMA)
    whole = [*rows_of(extent, Range(), unit)]
    assert b"".join(raw for _, raw in whole) == text[extent.layout.start :]
    found: list[tuple[int, bytes]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "LITTLE", little)  # how much is read at a time makes no difference
        assert [*rows_of(extent, Range(), unit)] == whole
        try:
            for part in ranges(extent, unit, at_once):
                found += rows_of(extent, part, unit)
        except StraddledError:
            assert b'"' in text
            assert found == whole[: len(found)]
        else:
            assert found == whole


@pytest.mark.parametrize(
    ("row", "what", "starts"),
    [
        (b'1,"' + b"2\n" * 100_000, "a quote opens a field here", [True]),
        (b"1" * 200_000, "has more than 0 MB, which is no row of a table", [True, False]),
    ],
)
def test_a_row_that_goes_on_and_on_is_told_with_its_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    row: bytes,
    what: str,
    starts: list[bool],
) -> None:
    monkeypatch.setattr(units, "LONGEST_ROW", 1000)
    path = tmp_path / "data.csv"
    path.write_bytes(b"x,y\n1,2\n3,4\n" + row)
    with (
        open_csv(str(path), COMMA, unit_bytes=1 << 10, head_bytes=100) as file,
        pytest.raises(GdfitError, match=f"line 4: {what}"),
    ):
        [*file.units()]
    for at_start in starts:  # where a range begins, it may be in quotes
        cutter = UnitCutter(io.BytesIO(row).read, Grammar(","), 0, 1, unit_bytes=1 << 10)
        with pytest.raises(RowError if at_start else StraddledError):
            [*cutter.units()] if at_start else cutter.skip_line()


def test_lines_without_quotes_are_never_straddled(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    for end in (b"\n", b"\r\n", b"\r"):
        text = b"x,y" + end + b"".join(b"%d,%d" % (row, row**4) + end for row in range(60))
        path.write_bytes(text)
        extent = survey(str(path), COMMA)
        for unit in range(1, 30):
            read = [
                raw for part in ranges(extent, unit, 1) for _, raw in rows_of(extent, part, unit)
            ]
            assert b"".join(read) == text[extent.layout.start :]
            assert all(raw.endswith(end) for raw in read)


@dataclass(frozen=True)
class Named:
    """A part that says how it has been merged."""

    name: str

    def merged(self, other: Named) -> Named:
        """Both."""
        return Named(f"({self.name} {other.name})")


def nested(names: list[str]) -> str:
    """How names are folded in pairs."""
    while len(names) > 1:
        pairs = [names[at : at + 2] for at in range(0, len(names), 2)]
        names = [f"({pair[0]} {pair[1]})" if len(pair) == 2 else pair[0] for pair in pairs]
    return names[0]


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 259])
@pytest.mark.parametrize("level", [0, 1, 3])
def test_a_tree_has_one_shape_in_whatever_order_it_is_built(count: int, level: int) -> None:
    """Also of whole branches, which others have folded."""
    names, size = [chr(0x4E00 + number) for number in range(count)], 2**level
    branches = [names[start : start + size] for start in range(0, count, size)]
    for seed in range(3):
        numbers = [*range(len(branches))]
        random.Random(seed).shuffle(numbers)
        built = Tree()
        for number in numbers:
            branch = Tree()
            for place, name in enumerate(branches[number]):
                branch.add(number * size + place, Outcome(Named(name), missed=1))
            built.add(number, branch.result(), level)
        assert built.result() == Outcome(Named(nested(names)), missed=count)


# Files that are cut anywhere, read in every way.

WORDS = ["red", "blue", '"a, b"', '"two\nlines"', '"say ""so""\r\n"', "Ångström", '"#1"', '5"']
SELECTIONS = [
    Selection(features=("a", "b"), target="y"),
    Selection(features=("a", "b", "kind", "a:kind", "log(v)"), target="y", weights="v"),
    Selection(features=("kind", "a", "C(v)"), target="y", intercept=False),
]


@st.composite
def texts(draw: st.DrawFn) -> list[str]:
    """Parts of a data set: numbers and words, some of them missing, in quotes, with comments."""
    seed, parts = draw(st.integers(0, 2**32)), draw(st.integers(1, 3))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    words = draw(st.sampled_from([WORDS[:2], WORDS[:3], WORDS]))
    comments = draw(st.booleans())
    random_ = random.Random(seed)
    found = []
    for number in range(parts):
        text = f"a,b,kind,v,y{end}" if not number or draw(st.booleans()) else ""
        for _ in range(draw(st.integers(not number, 40))):
            fields = [
                repr(random_.gauss(3, 1)),
                repr(random_.randint(-9, 9) * 10.0 ** random_.randint(-3, 3)),
                random_.choice(words),
                str(random_.randint(0, 3)),
                f'"{random_.gauss(0, 1)!r}"' if random_.random() < 0.2 else str(random_.random()),
            ]
            if random_.random() < 0.1:
                fields[random_.randrange(5)] = random_.choice(["", "NA", '""'])
            text += ",".join(fields)
            if comments and random_.random() < 0.1:
                text += random_.choice([" # a, b", '# "', f"{end}# a comment{end}"])
            text += end if random_.random() < 0.95 else 2 * end
        found.append(text)
    return found


def all_ways(folder: Path, parts: list[bytes], server: Server) -> dict[str, list[str]]:
    """The parts' files, in each way that they are stored in."""
    ways: dict[str, list[str]] = {how: [] for how in ("plain", "gzip", "bzip2", "http", "chunked")}
    for number, part in enumerate(parts):
        for how, ending, body in (
            ("plain", "csv", part),
            ("gzip", "csv.gz", gzip.compress(part)),
            ("bzip2", "csv.bz2", bz2.compress(part)),
        ):
            path = folder / f"{number}.{ending}"
            path.write_bytes(body)
            ways[how].append(str(path))
        server.files[f"{number}.csv"] = part
        ways["http"].append(f"{server.url}/plain/{number}.csv")
        ways["chunked"].append(f"{server.url}/chunked/{number}.csv")
    return ways


Ask = Callable[[Dataset], list[Observations | None]]


def whole(dataset: Dataset) -> list[Observations | None]:
    return [dataset.observations(seed=3)]


def split(dataset: Dataset) -> list[Observations | None]:
    return [*dataset.split(0.3, seed=3)]


def kept(dataset: Dataset) -> list[Observations | None]:
    return [*dataset.split(0.3, seed=3, keep_rows=True)]


def found_in(dataset: Dataset, ask: Ask) -> list[object]:
    """All bits of what is asked for; or what is wrong with the data, but for the files' names."""
    try:
        return [*map(all_bits, ask(dataset))]
    except GdfitError as error:
        told = str(error)
        for number, name in enumerate(dataset.files):
            told = told.replace("standard input" if name == "-" else name, f"part {number}")
        return [told]


def check_all_ways(dataset: Dataset, ways: dict[str, list[str]], ask: Ask, seed: int = 0) -> None:
    """Check that all ways of reading the files come to the same bits."""
    first = replace(dataset, files=tuple(ways["plain"]))
    expected = found_in(first, ask)
    for number, (how, files) in enumerate(ways.items()):
        dataset = replace(first, files=tuple(files))
        assert found_in(dataset, ask) == expected, how
        if ask is kept:  # which clusters do not
            continue
        client: Any = Inline(seed)
        at_once = 2 ** ((seed + number) % 4)
        there = Cluster(client, unit_bytes=dataset.unit_bytes, at_once=at_once)
        found = found_in(replace(dataset, cluster=there), ask)
        # A cluster looks at all files first, and says what is wrong with one before it reads any.
        if not any(said in str(found[0]) for said in ("is empty", "are not those of")):
            assert found == expected, (how, at_once)
    with pytest.MonkeyPatch.context() as patch:
        for processors in (1, 3, 8):
            patch.setattr(tree, "processors", lambda count=processors: count)
            assert found_in(first, ask) == expected, processors
        if len(first.files) == 1:
            piped = io.BufferedReader(Pipe(Path(first.files[0]).read_bytes()), 16)
            patch.setattr(sys, "stdin", io.TextIOWrapper(cast(Any, piped)))
            assert found_in(replace(first, files=("-",)), ask) == expected


class Pipe(io.RawIOBase):
    """Bytes that come some at a time, and once only."""

    def __init__(self, text: bytes) -> None:
        self._rest = io.BytesIO(text)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._rest.readinto(memoryview(buffer)[:1000])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving({}) as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "*")
        yield started


@settings(max_examples=40, deadline=None)
@given(
    parts=texts(),
    selection=st.sampled_from(SELECTIONS),
    unit_bytes=st.integers(30, 300) | st.integers(300, 5000),
    ask=st.sampled_from([whole, split, kept]),
    seed=st.integers(0, 99),
)
def test_every_way_of_reading_comes_to_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory,
    server: Server,
    parts: list[str],
    selection: Selection,
    unit_bytes: int,
    ask: Ask,
    seed: int,
) -> None:
    folder = tmp_path_factory.mktemp("ways")
    ways = all_ways(folder, [part.encode() for part in parts], server)
    dialect = Dialect(delimiter=",", comment="#", drop_missing=True)
    check_all_ways(Dataset((), selection, dialect, unit_bytes=unit_bytes), ways, ask, seed)


@pytest.mark.parametrize("ask", [whole, split, kept])
def test_so_it_is_with_a_file_that_arrow_reads(tmp_path: Path, server: Server, ask: Ask) -> None:
    random_, rows = np.random.default_rng(1), 25_000
    kinds = random_.choice(WORDS[:3], rows).tolist()
    a, b, y = random_.normal(size=(3, rows)).tolist()
    lines = [f"{a[at]!r},{b[at]!r},{kinds[at]},{at % 3},{y[at]!r}\n" for at in range(rows)]
    text = ("a,b,kind,v,y\n" + "".join(lines)).encode()
    assert len(text) > 2 * HEAD_BYTES
    ways = all_ways(tmp_path, [text], server)
    selection = Selection(features=("a", "b", "kind", "a:kind"), target="y", weights="v")
    check_all_ways(Dataset((), selection, unit_bytes=1 << 17), ways, ask)


@settings(max_examples=60, deadline=None)
@given(
    parts=texts(),
    selection=st.sampled_from(SELECTIONS),
    unit_bytes=st.integers(1, 300) | st.integers(300, 5000),
)
def test_units_of_other_sizes_change_rounding_alone(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[str],
    selection: Selection,
    unit_bytes: int,
) -> None:
    folder = tmp_path_factory.mktemp("sizes")
    for number, part in enumerate(parts):
        (folder / f"{number}.csv").write_bytes(part.encode())
    files = tuple(str(folder / f"{number}.csv") for number in range(len(parts)))
    dialect = Dialect(delimiter=",", comment="#", drop_missing=True)
    large = Dataset(files, selection, dialect)
    told = [found_in(replace(large, unit_bytes=size), whole) for size in (unit_bytes, 1 << 21)]
    if isinstance(told[0][0], str):
        assert told[0] == told[1]
        return
    one = replace(large, unit_bytes=unit_bytes).observations(keep_rows=True)
    other = large.observations(keep_rows=True)
    assert_the_same_but_for_rounding(one, other)
    assert sorted(one.sample.tolist()) == sorted(other.sample.tolist())
    assert_the_same_rows(one, other)


def write_parts(folder: Path, rows: int = 900, seed: int = 0) -> list[str]:
    """Three files of numbers, words and weights; some fields are missing."""
    random = np.random.default_rng(seed)
    files = []
    for number in range(3):
        lines = ["a,b,kind,v,y\n"]
        for row in range(rows):
            a, b, noise = random.normal(size=3).tolist()
            kind = ["red", "green", "blue", f"only{number}"][int(random.integers(4))]
            missing = "" if row % 97 == 13 else f"{b * 1000:.17g}"
            lines.append(f"{a!r},{missing},{kind},{row % 5},{2 * a - b + noise!r}\n")
        path = folder / f"part{number}.csv"
        path.write_text("".join(lines))
        files.append(str(path))
    return files


def cluster(unit_bytes: int, at_once: int = 1, seed: int = 0) -> Cluster:
    """A cluster that is this process."""
    client: Any = Inline(seed)
    return Cluster(client, unit_bytes=unit_bytes, at_once=at_once)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_neither_tasks_nor_their_order_nor_that_of_the_files_change_a_bit(
    tmp_path: Path, selection: Selection
) -> None:
    files = write_parts(tmp_path)
    dialect = Dialect(drop_missing=True)
    found = []
    for at_once, seed, order in [(1, 0, (0, 1, 2)), (2, 1, (2, 0, 1)), (4, 2, (0, 2, 1))]:
        given = tuple(files[number] for number in order)
        made = cluster(1 << 12, at_once, seed)
        dataset = Dataset(given, selection, dialect, cluster=made)
        found.append((bits(dataset.observations()), [*map(bits, dataset.split(0.23, seed=5))]))
        here = replace(dataset, cluster=None, unit_bytes=1 << 12)
        found.append((bits(here.observations()), [*map(bits, here.split(0.23, seed=5))]))
    assert all(each == found[0] for each in found)


def test_parts_without_a_header_take_the_names_of_the_first_file(tmp_path: Path) -> None:
    """As split makes them of one file."""
    files = [Path(file) for file in write_parts(tmp_path, rows=50)]
    for file in files[1:]:
        file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    names = tuple(map(str, files))
    for selection in SELECTIONS[::2]:
        alone = Dataset(names, selection, Dialect(drop_missing=True)).observations()
        there = Dataset(
            names, selection, Dialect(drop_missing=True), cluster=cluster(300)
        ).observations()
        assert (there.count, there.features) == (alone.count, alone.features)
        assert there.last_values == alone.last_values


def test_a_model_is_compared_with_rows_in_units_as_with_those_of_one_machine(
    tmp_path: Path,
) -> None:
    """Also where most units have no row left, and where none has one."""
    files, drop = tuple(write_parts(tmp_path, rows=40)), Dialect(drop_missing=True)
    selection = Selection(features=("a", "kind"), target="y", weights="v")
    model = train(Dataset(files, selection).observations(), epochs=5).model
    text = Path(files[0]).read_text()
    for gaps in ("", "," * 4 + "\n"):
        head, *rows = text.splitlines(keepends=True)
        Path(files[0]).write_text(head + "".join(row + gaps * 20 for row in rows))
        alone = Dataset(files, dialect=drop)
        expected, known = evaluate_rows(model, alone), observe(model, alone)
        in_units = replace(alone, unit_bytes=100)
        bit_by_bit = evaluate_rows(model, in_units), all_bits(observe(model, in_units))
        for there in (in_units, replace(alone, cluster=cluster(100))):
            found, seen = evaluate_rows(model, there), observe(model, there)
            assert (found, all_bits(seen)) == bit_by_bit
            assert vars(found) == pytest.approx(vars(expected), rel=1e-12)
            assert (seen.count, seen.features) == (known.count, known.features)
            assert seen.mean_square == pytest.approx(known.mean_square, rel=1e-12)
    Path(files[0]).write_text("a,b,kind,v,y\n" + ",,,,\n" * 9)
    nothing = Dataset(files[:1], dialect=drop, cluster=cluster(8))
    for dataset in (nothing, replace(nothing, cluster=None, unit_bytes=8)):
        for function in (evaluate_rows, observe):
            with pytest.raises(NoObservationsError, match="part0"):
                function(model, dataset)


def test_what_is_lost_with_its_worker_is_not_waited_for(tmp_path: Path) -> None:
    """Dask does it again, for the next task or once there are workers; nothing blocks till then."""
    files = tuple(write_parts(tmp_path, rows=100))
    found = []
    for loses in (False, True):
        client: Any = Inline(0, loses=loses)
        made = Cluster(client, unit_bytes=500, at_once=1)
        found.append(bits(Dataset(files, SELECTIONS[2], cluster=made).observations()))
    assert found[0] == found[1]


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("unit_bytes", [500, 1 << 14, 1 << 22])
def test_a_cluster_finds_what_one_machine_does(
    tmp_path: Path, selection: Selection, unit_bytes: int
) -> None:
    dataset = Dataset(tuple(write_parts(tmp_path)), selection, Dialect(drop_missing=True))
    alone = dataset.observations()
    there = Dataset(
        dataset.files, selection, dataset.dialect, cluster=cluster(unit_bytes)
    ).observations()
    assert_the_same_but_for_rounding(there, alone)


@pytest.mark.parametrize("fraction", [0.5, 0.1, 0.3, 0.013, 0.9999])
@pytest.mark.parametrize("rows", [2, 3, 17, 100, 101])
def test_a_split_holds_out_exactly_what_was_asked_for(
    tmp_path: Path, fraction: float, rows: int
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + "".join(f"{row},{row}\n" for row in range(rows)))
    wanted = max(1, round(fraction * rows))
    dataset = Dataset((str(path),), unit_bytes=16)
    if wanted == rows:
        with pytest.raises(GdfitError, match="leaves none to train on"):
            dataset.split(fraction)
        return
    to_train, to_validate = dataset.split(fraction, seed=3)
    assert (to_train.count, to_validate.count) == (rows - wanted, wanted)
    both = np.concatenate([to_train.sample, to_validate.sample])
    assert sorted(both[:, 0].tolist()) == list(range(rows))
    assert to_train.last.tolist() == to_train.sample[to_train.sample[:, 0].argmax()].tolist()
    assert to_train.first[:, 0].tolist() == sorted(to_train.sample[:, 0].tolist())[:3]


def test_every_row_is_as_likely_to_be_held_out(tmp_path: Path) -> None:
    path, rows, times = tmp_path / "data.csv", 23, 300
    path.write_text("x,y\n" + "".join(f"{row},{row}\n" for row in range(rows)))
    counts = np.zeros(rows)
    for seed in range(times):
        dataset = Dataset((str(path),), unit_bytes=16)
        held_out = dataset.split(0.3, seed=seed)[1].sample[:, 0].astype(int)
        counts[held_out] += 1
    expected = times * round(0.3 * rows) / rows
    assert (np.abs(counts - expected) < 4.5 * np.sqrt(expected * 0.7)).all()


def test_the_sample_is_that_of_the_seed(tmp_path: Path) -> None:
    files = tuple(write_parts(tmp_path))
    dialect = Dialect(drop_missing=True)
    samples = [
        Dataset(files, SELECTIONS[0], dialect, cluster=cluster(1 << 12))
        .observations(seed)
        .sample.tolist()
        for seed in (0, 0, 1)
    ]
    assert samples[0] == samples[1]
    assert samples[0] != samples[2]


def test_a_split_where_most_units_have_no_row_left(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("x,y\n" + "".join(f"{row},{row % 7}\n" + ",\n" * 30 for row in range(20)))
    dataset = Dataset((str(path),), dialect=Dialect(drop_missing=True), cluster=cluster(16))
    kept, held_out = dataset.split(0.3)
    assert (kept.count, held_out.count) == (14, 6)
    rows = np.concatenate([kept.sample, held_out.sample])
    assert sorted(rows[:, 0].tolist()) == [*range(20)]


def test_the_rows_of_a_split_are_kept_apart(tmp_path: Path) -> None:
    files, drop = tuple(write_parts(tmp_path, rows=100)), Dialect(drop_missing=True)
    dataset = Dataset(files, SELECTIONS[2], drop, unit_bytes=500)
    all_rows = dataset.observations(keep_rows=True).rows
    assert all_rows
    piles = dataset.split(0.3, seed=1, keep_rows=True)
    found = []
    for pile in piles:
        assert pile.rows
        kept = np.concatenate([*pile.rows.blocks()])
        assert len(kept) == pile.count
        size = np.abs(kept).max()
        gram = pile.augmented.T @ pile.augmented
        assert np.allclose(kept.T @ kept, gram, rtol=1e-12, atol=1e-12 * size**2 * len(kept))
        found += kept.tolist()
    assert sorted(found) == sorted(np.concatenate([*all_rows.blocks()]).tolist())


def test_every_row_of_every_unit_is_as_likely_to_be_in_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of units of all sizes, also of rows that are held out."""
    monkeypatch.setattr(condense, "SAMPLE_ROWS", 20)
    path, rows, times = tmp_path / "data.csv", 200, 200
    notes = [" " * (0 if row < 120 else 40) for row in range(rows)]  # fewer rows in later units
    path.write_text("x,y\n" + "".join(f"{row},{row}{notes[row]}\n" for row in range(rows)))
    counts, held_out = np.zeros(rows), np.zeros(rows)
    for seed in range(times):
        dataset = Dataset((str(path),), unit_bytes=500)
        sample = dataset.observations(seed).sample
        assert len(sample) == 20
        counts[sample[:, 0].astype(int)] += 1
        kept, other = dataset.split(0.3, seed)
        assert (len(kept.sample), len(other.sample)) == (20, 20)
        held_out[other.sample[:, 0].astype(int)] += 1
    for found in (counts, held_out):
        expected = times * 20 / rows
        assert (np.abs(found - expected) < 5 * np.sqrt(expected)).all()


def test_files_without_rows_are_leaves_of_the_tree(tmp_path: Path) -> None:
    """So that others read the same tree, and parts are merged in their order."""
    head, *rows = Path(write_parts(tmp_path, rows=30)[0]).read_text().splitlines(keepends=True)
    gaps = ["1,,red,1,1\n", ",2,red,1,1\n"]
    names = [tmp_path / f"{number}.csv" for number in range(9)]
    for number, name in enumerate(names):
        name.write_text(head + "".join(gaps if number in (0, 3, 4, 8) else rows[number:]))
    (tmp_path / "4.csv").write_text(head)
    for order in (names, names[::-1], [names[5], *names[:5], *names[6:]]):
        dataset = Dataset(tuple(map(str, order)), SELECTIONS[1], Dialect(drop_missing=True))
        there = replace(dataset, cluster=cluster(1 << 21))
        assert all_bits(there.observations()) == all_bits(dataset.observations())
        assert [*map(all_bits, there.split(0.3))] == [*map(all_bits, dataset.split(0.3))]
