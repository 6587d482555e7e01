"""Units of files: the same ones, whoever reads them; and the tree that folds what they come to."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from gdfit.data.reduction.gathering import AT_ONCE, Tree
from hypothesis import given, settings
from hypothesis import strategies as st

from gdfit.data.dataset import Dataset
from gdfit.data.reduction import units
from gdfit.data.reduction.dask import Cluster
from gdfit.data.reduction.draws import Divided, divided
from gdfit.data.reduction.units import Range, StraddledError, ranges, read_lines, survey
from gdfit.data.terms.selection import Selection
from gdfit.data.text.dialect import Dialect
from gdfit.descent.run import train
from gdfit.errors import GdfitError, NoObservationsError
from gdfit.model.evaluation import evaluate_rows, observe
from inline import Inline, bits

FIELDS = st.sampled_from(["1", "-2.5", "", "a", '"b"', '"c\n"', '"d\r\n,"', '5"', '"e""\r"', "é"])
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
LINES = st.tuples(FIELDS, FIELDS, ENDS).map(lambda line: f"{line[0]},{line[1]}{line[2]}")


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
    dialect = Dialect(delimiter=",")
    form = survey(str(path), dialect)

    def rows_of(part: Range) -> Iterator[tuple[int, bytes]]:
        for each in read_lines(form, dialect, part, unit):
            if each.block.raw:
                yield each.number, each.block.raw

    whole = [*rows_of(Range())]
    assert b"".join(raw for _, raw in whole) == text[form.layout.start :]
    found: list[tuple[int, bytes]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "LITTLE", little)  # how much is read at a time makes no difference
        assert [*rows_of(Range())] == whole
        try:
            for part in ranges(form, unit, at_once):
                found += rows_of(part)
        except StraddledError:
            assert b'"' in text
            assert found == whole[: len(found)]
        else:
            assert found == whole


@pytest.mark.parametrize(
    ("row", "what", "begins"),
    [
        (b'1,"' + b"2\n" * 100_000, "a quote opens a field here", [0]),
        (b"1" * 200_000, "is no text", [0, 2]),
    ],
)
def test_a_row_that_goes_on_and_on_is_told_with_its_line(
    tmp_path: Path, row: bytes, what: str, begins: list[int]
) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"x,y\n1,2\n3,4\n" + row)
    form = survey(str(path), Dialect(delimiter=","))
    with pytest.raises(GdfitError, match=f"line 4: {what}"):
        [*read_lines(form, Dialect(), Range(), 1 << 10, line=2, longest=1000)]
    for first in begins:  # a range does not say so, but that the file is to be read as a whole
        with pytest.raises(StraddledError):
            [*read_lines(form, Dialect(), Range(first, first + 1), 1 << 10, longest=1000)]


def test_lines_without_quotes_are_never_straddled(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    for end in (b"\n", b"\r\n", b"\r"):
        text = b"x,y" + end + b"".join(b"%d,%d" % (row, row**4) + end for row in range(60))
        path.write_bytes(text)
        form = survey(str(path), Dialect())
        for unit in range(1, 30):
            read = [
                each.block.raw
                for part in ranges(form, unit, 1)
                for each in read_lines(form, Dialect(), part, unit)
            ]
            assert b"".join(read) == text[form.layout.start :]
            assert all(raw.endswith(end) for raw in read if raw)


@pytest.mark.parametrize("count", [1, 2, AT_ONCE, AT_ONCE + 1, AT_ONCE**2, 3 * AT_ONCE**2 + 5])
def test_a_tree_has_one_shape_in_whatever_order_it_is_built(count: int) -> None:
    leaves = [chr(0x4E00 + number) for number in range(count)]
    built = set()
    for seed in range(3):
        tree: Tree[str] = Tree(count)
        waiting = [(0, number, leaf) for number, leaf in enumerate(leaves)]
        random.Random(seed).shuffle(waiting)
        while True:
            level, number, item = waiting.pop()
            if tree.is_root(level):
                break
            children = tree.take(level, number, item)
            if children:
                waiting.append((level + 1, number // AT_ONCE, nested(children)))
                random.Random(seed).shuffle(waiting)
        built.add(item)
    assert built == {nested(leaves)}


def nested(parts: list[str]) -> str:
    """How parts are folded in pairs."""
    while len(parts) > 1:
        pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
        parts = [f"({pair[0]} {pair[1]})" if len(pair) == 2 else pair[0] for pair in pairs]
    return parts[0]


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


CASES = [
    Selection(features=("a", "b"), target="y"),
    Selection(features=("a", "b", "kind", "a:kind", "log(v)"), target="y", weights="v"),
    Selection(features=("kind", "a", "C(v)"), target="y", intercept=False),
]


@pytest.mark.parametrize("selection", CASES)
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
    assert found[0] == found[1] == found[2]
    here = Dataset(tuple(files), selection, dialect, large=0, unit_bytes=1 << 12)
    assert bits(here.observations()) == found[0][0]
    assert [*map(bits, here.split(0.23, seed=5))] == [
        *map(bits, replace(here, large=1 << 30).split(0.23, seed=5))
    ]


def test_parts_without_a_header_take_the_names_of_the_first_file(tmp_path: Path) -> None:
    """As split makes them of one file."""
    files = [Path(file) for file in write_parts(tmp_path, rows=50)]
    for file in files[1:]:
        file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    names = tuple(map(str, files))
    for selection in CASES[::2]:
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
        for there in (
            replace(alone, cluster=cluster(100)),
            replace(alone, large=0, unit_bytes=100),
        ):
            found, seen = evaluate_rows(model, there), observe(model, there)
            assert vars(found) == pytest.approx(vars(expected), rel=1e-12)
            assert (seen.count, seen.features) == (known.count, known.features)
            assert seen.mean_square == pytest.approx(known.mean_square, rel=1e-12)
    Path(files[0]).write_text("a,b,kind,v,y\n" + ",,,,\n" * 9)
    nothing = Dataset(files[:1], dialect=drop, cluster=cluster(8))
    for dataset in (nothing, replace(nothing, cluster=None, large=0, unit_bytes=8)):
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
        found.append(bits(Dataset(files, CASES[2], cluster=made).observations()))
    assert found[0] == found[1]


@pytest.mark.parametrize("selection", CASES)
@pytest.mark.parametrize("unit_bytes", [500, 1 << 14, 1 << 22])
def test_a_cluster_finds_what_one_machine_does(
    tmp_path: Path, selection: Selection, unit_bytes: int
) -> None:
    dataset = Dataset(tuple(write_parts(tmp_path)), selection, Dialect(drop_missing=True))
    alone = dataset.observations()
    there = Dataset(
        dataset.files, selection, dataset.dialect, cluster=cluster(unit_bytes)
    ).observations()
    assert (there.count, there.features) == (alone.count, alone.features)
    assert there.first.tolist() == alone.first.tolist()
    assert there.last_values == alone.last_values
    scale = np.sqrt(np.diag(alone.augmented.T @ alone.augmented))
    for one, other in [(there, alone), (alone, there)]:
        gram = one.augmented.T @ one.augmented
        other_gram = other.augmented.T @ other.augmented
        assert (np.abs(gram - other_gram) <= 1e-12 * np.outer(scale, scale)).all()
    assert there.total_weight == pytest.approx(alone.total_weight, rel=1e-13)


@pytest.mark.parametrize("fraction", [0.5, 0.1, 0.3, 0.013, 0.9999])
@pytest.mark.parametrize("rows", [2, 3, 17, 100, 101])
def test_a_split_holds_out_exactly_what_was_asked_for(
    tmp_path: Path, fraction: float, rows: int
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + "".join(f"{row},{row}\n" for row in range(rows)))
    wanted = max(1, round(fraction * rows))
    dataset = Dataset((str(path),), cluster=cluster(16))
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
    path, rows, times = tmp_path / "data.csv", 23, 50
    path.write_text("x,y\n" + "".join(f"{row},{row}\n" for row in range(rows)))
    counts = np.zeros(rows)
    for seed in range(times):
        dataset = Dataset((str(path),), cluster=cluster(16))
        held_out = dataset.split(0.3, seed=seed)[1].sample[:, 0].astype(int)
        counts[held_out] += 1
    expected = times * round(0.3 * rows) / rows
    assert (np.abs(counts - expected) < 4.5 * np.sqrt(expected * 0.7)).all()


@dataclass(frozen=True)
class Numbered:
    """The numbers of some rows, for `Condensed`."""

    numbers: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.numbers)

    def merged(self, other: Numbered) -> Numbered:
        """Both."""
        return Numbered(self.numbers + other.numbers)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 2), (3, 1), (2, 5, 1, 4), (1, 9, 1)])
@pytest.mark.parametrize("fraction", [0.07, 0.3, 0.5, 0.85])
def test_rows_of_parts_of_any_sizes_are_as_likely_to_be_held_out(
    sizes: tuple[int, ...], fraction: float
) -> None:
    rows, times = np.arange(float(sum(sizes))), 800
    held = np.zeros(len(rows))
    for seed in range(times):
        parts = [
            divided(
                part,
                fraction,
                seed,
                (place,),
                lambda some, _: cast(Any, Numbered(tuple(map(int, some)))),
            )
            for place, part in enumerate(np.split(rows, np.cumsum(sizes)[:-1]))
        ]
        whole: Any = functools.reduce(Divided.merged, parts)
        assert whole.count == len(rows)
        found = [part.numbers if part else () for part in (whole.held_out, whole.kept)]
        assert sorted([*found[0], *found[1], *whole.undecided.numbers]) == [*range(len(rows))]
        assert len(found[0]) == math.floor(Fraction(fraction) * len(rows))
        held[list(found[0])] += 1
        held[list(whole.undecided.numbers)] += whole.chance
    deviation = math.sqrt(fraction * (1 - fraction) / times)
    assert (np.abs(held / times - fraction) < 4.5 * deviation).all()


def test_the_sample_is_that_of_the_seed(tmp_path: Path) -> None:
    files = tuple(write_parts(tmp_path))
    dialect = Dialect(drop_missing=True)
    samples = [
        Dataset(files, CASES[0], dialect, cluster=cluster(1 << 12))
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
