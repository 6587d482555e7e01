"""Fit linear models by gradient descent.

>>> import gdfit
>>> fit = gdfit.train(gdfit.observations_from([1, 2, 3], [3, 5, 7]), lr=0.1)
>>> print(f"{fit.model.predict([10]):.6f}")
21.000000

The names below are imported when they are first used: `import gdfit` costs nothing.
"""

from __future__ import annotations

from gdfit.package import Displayed
from gdfit.package import __version__ as __version__

TYPE_CHECKING = False  # as in typing, which takes longer to import than to press Ctrl-C
if TYPE_CHECKING:
    from typing import Any

    from gdfit.analysis.inference import Summary, summarize
    from gdfit.data.dataset import read_observations
    from gdfit.data.in_memory import observations_from
    from gdfit.data.observations import Observations
    from gdfit.data.text.dialect import Dialect
    from gdfit.descent.compare import Comparison, compare
    from gdfit.descent.run import Fit, Run, train
    from gdfit.descent.settings import Settings
    from gdfit.errors import GdfitError, UsageError
    from gdfit.model.evaluation import Evaluation, evaluate
    from gdfit.model.export import export
    from gdfit.model.linear import LinearModel, load_model

__all__ = [
    "Comparison",
    "Dialect",
    "Evaluation",
    "Fit",
    "GdfitError",
    "LinearModel",
    "Observations",
    "Run",
    "Settings",
    "Summary",
    "UsageError",
    "compare",
    "evaluate",
    "export",
    "load_model",
    "observations_from",
    "read_observations",
    "summarize",
    "train",
]

_HOMES = {
    "Comparison": "descent.compare",
    "Dialect": "data.text.dialect",
    "Evaluation": "model.evaluation",
    "Fit": "descent.run",
    "GdfitError": "errors",
    "LinearModel": "model.linear",
    "Observations": "data.observations",
    "Run": "descent.run",
    "Settings": "descent.settings",
    "Summary": "analysis.inference",
    "UsageError": "errors",
    "compare": "descent.compare",
    "evaluate": "model.evaluation",
    "export": "model.export",
    "load_model": "model.linear",
    "observations_from": "data.in_memory",
    "read_observations": "data.dataset",
    "summarize": "analysis.inference",
    "train": "descent.run",
}


def _html_of(value: Any) -> str:
    from gdfit.show.notebook import html_of

    return html_of(value)


Displayed.html_of = _html_of


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'gdfit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"gdfit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
