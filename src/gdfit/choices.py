"""Names that options can take, apart from the modules that know them, which take long to import."""

from __future__ import annotations

from typing import Literal

# Languages that a model can be written in: see `gdfit.model.export`.
ExportFormat = Literal["sql", "python", "c", "excel", "torch"]
# Panels of a picture: all that belong to the run, or one. See `gdfit.show.pictures.figure`.
Panel = Literal["all", "fit", "loss", "path", "steepest", "roc", "modes", "residuals"]
# Panels of a picture of several runs: both, or one. See `gdfit.show.pictures.comparison`.
RunsPanel = Literal["all", "loss", "path"]
# What standard output gets: a table, in one of these forms, or what programs read.
TableForm = Literal["table", "markdown", "latex", "json"]
RowsForm = Literal["table", "markdown", "latex", "json", "csv"]
# What is penalized along a path, and which of its penalties is chosen: see
# `gdfit.descent.penalty_path`.
Penalty = Literal["l1", "l2", "mix"]
Choice = Literal["least", "1se"]
