"""Names that options can take, apart from the modules that know them, which take long to import."""

from __future__ import annotations

from typing import Literal

ExportFormat = Literal["sql", "python", "c", "excel", "torch"]
"""Languages that a model can be written in: see `gdfit.model.export`."""
Panel = Literal["all", "fit", "loss", "path", "steepest"]
"""Panels of a picture: all that belong to the run, or one. See `gdfit.show.pictures.figure`."""
