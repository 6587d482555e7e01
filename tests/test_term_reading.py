"""Terms of data that comes in pieces: how it is cut, and how many work on it, changes nothing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gdfit.data.dataset import Dataset
from gdfit.data.reduction import tree
from gdfit.data.text.dialect import Selection
from gdfit.descent.run import train
from inline import all_bits, assert_the_same_but_for_rounding, assert_the_same_rows

FEATURES = ("kind", "log(x)", "kind:x", "x^2", "C(year)")
ODD = ["a, b", 'say "b"', "two words", "Ångström", "高度", "0"]


def lines(rows: int, last: int) -> list[str]:
    """Rows of a word, a number, a year, a weight and y; the last ones have a word of their own."""
    random = np.random.default_rng(7)
    words = ['"' + word.replace('"', '""') + '"' for word in ODD]
    kinds = random.integers(0, len(words), rows).tolist()
    x = random.lognormal(size=rows).round(4).tolist()
    years = random.integers(1990, 2000, rows).tolist()
    y = (random.normal(size=rows) + np.log(x) + kinds).round(5).tolist()
    told = [words[kind] for kind in kinds[: rows - last]] + ["!first"] * last
    weights = random.integers(0, 3, rows).tolist()
    weights[rows - last :] = [1] * last
    each = zip(told, x, years, weights, y, strict=True)
    return [",".join(map(str, row)) + "\n" for row in each]


def dataset_of(*files: Path, unit_bytes: int) -> Dataset:
    selection = Selection(FEATURES, "y", weights="weight")
    return Dataset(tuple(map(str, files)), selection, unit_bytes=unit_bytes)


def written(folder: Path, name: str, rows: list[str]) -> Path:
    file = folder / name
    file.write_text("kind,x,year,weight,y\n" + "".join(rows), encoding="utf-8")
    return file


@pytest.mark.parametrize(("rows", "unit_bytes"), [(3000, 5000), (60_000, 1 << 17)])
def test_processors_change_not_a_bit_and_files_rounding_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, unit_bytes: int
) -> None:
    every = lines(rows, 3)  # the more are read by Arrow, the fewer without
    whole = written(tmp_path, "whole.csv", every)
    expected = dataset_of(whole, unit_bytes=1 << 21).observations(keep_rows=True)
    assert expected.features[:2] == ("kind[0]", "kind[a, b]")
    cuts = [0, 17, rows // 3, rows - 2, rows]
    files = [
        written(tmp_path, f"part{place}.csv", every[start:stop])
        for place, (start, stop) in enumerate(pairwise(cuts))
    ]
    for names in ([whole], files):
        dataset, seen = dataset_of(*names, unit_bytes=unit_bytes), []
        for processors in (1, 3):
            monkeypatch.setattr(tree, "processors", lambda count=processors: count)
            found = dataset.observations(keep_rows=True)
            assert_the_same_but_for_rounding(found, expected)
            assert_the_same_rows(found, expected)
            seen.append(all_bits(found))
        assert seen[0] == seen[1]


def test_the_order_of_files_changes_not_a_bit(tmp_path: Path) -> None:
    every = lines(2000, 5)
    files = [
        written(tmp_path, f"part{place}.csv", every[start : start + 500])
        for place, start in enumerate(range(0, 2000, 500))
    ]
    first, second = (
        train(dataset_of(*each, unit_bytes=4000).observations(), scale="whiten", epochs=5).model
        for each in (files, files[::-1])
    )
    assert first.features == second.features
    assert first.params == second.params
