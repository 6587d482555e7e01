"""Terms of data that comes in pieces: how it is cut, and how many work on it, changes nothing."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gdfit import Observations
from gdfit.data.dataset import Dataset
from gdfit.data.text.dialect import Selection
from gdfit.descent.run import train

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


def observations_of(*files: Path, block_bytes: int, keep_rows: bool = False) -> Observations:
    selection = Selection(FEATURES, "y", weights="weight")
    dataset = Dataset(tuple(map(str, files)), selection, block_bytes=block_bytes)
    return dataset.observations(keep_rows=keep_rows)


def written(folder: Path, name: str, rows: list[str]) -> Path:
    file = folder / name
    file.write_text("kind,x,year,weight,y\n" + "".join(rows), encoding="utf-8")
    return file


@pytest.mark.parametrize(("rows", "blocks"), [(3000, (300, 5000)), (60_000, (1 << 15, 1 << 18))])
def test_blocks_files_and_processors_change_not_a_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, blocks: tuple[int, int]
) -> None:
    every = lines(rows, 3)  # the more are read by NumPy and pandas, the fewer without
    whole = written(tmp_path, "whole.csv", every)
    expected = observations_of(whole, block_bytes=1 << 22, keep_rows=True)
    assert expected.features[:2] == ("kind[0]", "kind[a, b]")
    cuts = [0, 17, rows // 3, rows - 2, rows]
    files = [
        written(tmp_path, f"part{place}.csv", every[start:stop])
        for place, (start, stop) in enumerate(pairwise(cuts))
    ]
    for names in ([whole], files):
        for block_bytes in blocks:
            for processors in (1, 3):
                monkeypatch.setattr(os, "cpu_count", lambda count=processors: count)
                found = observations_of(*names, block_bytes=block_bytes, keep_rows=True)
                assert found.features == expected.features
                assert found.augmented.tolist() == expected.augmented.tolist()
                assert found.sample.tolist() == expected.sample.tolist()
                assert found.last.tolist() == expected.last.tolist()
                assert found.rows
                assert expected.rows
                for one, other in zip(found.rows.blocks(), expected.rows.blocks(), strict=True):
                    assert one.tolist() == other.tolist()


def test_the_order_of_files_changes_rounding_alone(tmp_path: Path) -> None:
    every = lines(2000, 5)
    files = [
        written(tmp_path, f"part{place}.csv", every[start : start + 500])
        for place, start in enumerate(range(0, 2000, 500))
    ]
    first, second = (
        train(observations_of(*each, block_bytes=4000), scale="whiten", epochs=5).model
        for each in (files, files[::-1])
    )
    assert first.features == second.features
    assert first.params == pytest.approx(second.params, rel=1e-9)
