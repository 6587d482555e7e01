"""The tutorial: its cells run from top to bottom, and each shows something."""

from __future__ import annotations

import ast
import json
import re
import shutil
from typing import Any

import numpy as np
import pytest

from conftest import ROOT, SAMPLES

TUTORIAL = ROOT / "docs" / "tutorial.ipynb"
CELLS = json.loads(TUTORIAL.read_text(encoding="utf-8"))["cells"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def run_cell(code: str, names: dict[str, Any]) -> Any:
    """What a cell shows: the value of its last line."""
    *before, last = ast.parse(code).body
    exec(compile(ast.Module([*before], []), "cell", "exec"), names)
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Any]]:
    """Each cell of code, and what it shows."""
    folder = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(SAMPLES, folder / "sample_data")
    (folder / "docs").mkdir()
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "docs")
        codes = [source(cell) for cell in CELLS if cell["cell_type"] == "code"]
        return [(code, run_cell(code, names)) for code in codes]


def value_of(shown: list[tuple[str, Any]], text: str) -> Any:
    """What the one cell that ends with a text shows."""
    (value,) = [value for code, value in shown if code.endswith(text)]
    return value


def test_each_cell_shows_something(
    shown: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert len(shown) > 15
    for code, value in shown:
        assert value is not None, code
        if type(value).__module__.startswith("gdfit") and hasattr(value, "_repr_html_"):
            html = value._repr_html_()
            assert "<table" in html, code
            assert "&lt;div" not in html, code
    assert "Run: 1000 of 1000 epochs" in value_of(shown, "\nrun")._repr_html_()


def test_a_step_by_hand_is_gdfits(shown: list[tuple[str, Any]]) -> None:
    loss, grad_w, grad_b, w, b = value_of(shown, '"b": b})')
    step = value_of(shown, "next(steps)")
    np.testing.assert_allclose(step.loss, loss, rtol=1e-12)
    np.testing.assert_allclose(step.grad, [grad_w, grad_b], rtol=1e-12)
    np.testing.assert_allclose(step.params, [w, b], rtol=1e-12)


def test_what_the_text_says_is_so(shown: list[tuple[str, Any]]) -> None:
    kinds = {type(value).__name__ for _, value in shown}
    assert kinds >= {"Run", "Fit", "Comparison", "Summary", "GroupFits", "DataFrame"}
    assert value_of(shown, "lr=0.5)").status == "diverged"
    assert value_of(shown, "\nown").arrived
    table = value_of(shown, "high=high)")
    assert ((table["low"] < table["growth"]) & (table["growth"] < table["high"])).all()
    assert len(value_of(shown, 'by="bed")')) == 4


def test_the_tutorial_is_kept_without_outputs() -> None:
    for cell in CELLS:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert len({cell["id"] for cell in CELLS}) == len(CELLS)
    for place in re.findall(r"\]\(([^)]+)\)", "".join(map(source, CELLS))):
        assert (TUTORIAL.parent / place).exists(), place
