"""A few hundred cases of the fuzzer; ``cd tests; python -m fuzz`` runs as many as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.checks import check


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_a_hundred_cases(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + 100):
        check(seed, tmp_path)
