"""Some hundred cases of each kind; ``cd tests; python -m fuzz`` runs as many as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser import find_browser
from conftest import Gdfit
from fuzz.kinds import KINDS

CASES = {"files": 100, "columns": 300, "formats": 60, "options": 40, "models": 100}
CASES |= {"pages": 40, "submissions": 12}


@pytest.mark.parametrize("kind", KINDS)
def test_some_cases(tmp_path: Path, gdfit: Gdfit, kind: str) -> None:
    if kind == "pages" and not find_browser():
        pytest.skip("no Chromium is installed")
    for seed, error in KINDS[kind](range(CASES[kind]), tmp_path):
        raise AssertionError(f"seed {seed}") from error
