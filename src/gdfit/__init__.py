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

    from gdfit.analysis.inference import LikelihoodSummary as LikelihoodSummary
    from gdfit.analysis.inference import Summary as Summary
    from gdfit.analysis.inference import summarize as summarize
    from gdfit.data.dataset import read_observations as read_observations
    from gdfit.data.in_memory import observations_from as observations_from
    from gdfit.data.observations import Observations as Observations
    from gdfit.data.text.dialect import Dialect as Dialect
    from gdfit.descent.by_group import GroupFits as GroupFits
    from gdfit.descent.by_group import train_groups as train_groups
    from gdfit.descent.compare import Comparison as Comparison
    from gdfit.descent.compare import compare as compare
    from gdfit.descent.cross_validation import CrossValidation as CrossValidation
    from gdfit.descent.cross_validation import cross_validate as cross_validate
    from gdfit.descent.least_squares import write_condensed as write_condensed
    from gdfit.descent.outcome import Fit as Fit
    from gdfit.descent.penalty_path import PenaltyPath as PenaltyPath
    from gdfit.descent.penalty_path import penalty_path as penalty_path
    from gdfit.descent.run import Run as Run
    from gdfit.descent.run import train as train
    from gdfit.descent.settings import Settings as Settings
    from gdfit.errors import GdfitError as GdfitError
    from gdfit.errors import GdfitWarning as GdfitWarning
    from gdfit.errors import UsageError as UsageError
    from gdfit.model.evaluation import ClassEvaluation as ClassEvaluation
    from gdfit.model.evaluation import Evaluation as Evaluation
    from gdfit.model.evaluation import evaluate as evaluate
    from gdfit.model.export import export as export
    from gdfit.model.family import GroupedModel as GroupedModel
    from gdfit.model.intervals import influence as influence
    from gdfit.model.intervals import predict_interval as predict_interval
    from gdfit.model.linear import LinearModel as LinearModel
    from gdfit.model.model_file import load_model as load_model

_NAMES = {
    "analysis.inference": ("LikelihoodSummary", "Summary", "summarize"),
    "data.dataset": ("read_observations",),
    "data.in_memory": ("observations_from",),
    "data.observations": ("Observations",),
    "data.text.dialect": ("Dialect",),
    "descent.by_group": ("GroupFits", "train_groups"),
    "descent.compare": ("Comparison", "compare"),
    "descent.cross_validation": ("CrossValidation", "cross_validate"),
    "descent.least_squares": ("write_condensed",),
    "descent.outcome": ("Fit",),
    "descent.penalty_path": ("PenaltyPath", "penalty_path"),
    "descent.run": ("Run", "train"),
    "descent.settings": ("Settings",),
    "errors": ("GdfitError", "GdfitWarning", "UsageError"),
    "model.evaluation": ("ClassEvaluation", "Evaluation", "evaluate"),
    "model.export": ("export",),
    "model.intervals": ("influence", "predict_interval"),
    "model.linear": ("LinearModel",),
    "model.family": ("GroupedModel",),
    "model.model_file": ("load_model",),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted(_HOMES)


def _repr_html_(value: Any) -> str:
    from gdfit.show.notebook import html_of

    return html_of(value)


Displayed._repr_html_ = _repr_html_


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'gdfit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"gdfit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
