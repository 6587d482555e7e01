"""What options can take, apart from the modules that know it, which take long to import."""

from __future__ import annotations

from typing import Literal

# Languages that a model can be written in: see `gdfit.model.export`.
ExportFormat = Literal["sql", "python", "c", "excel", "torch"]
# Whole numbers that options take are below this: float64 has each of them.
WHOLE_BOUND = 2**53
# Panels of a picture: all that belong to the run, or one. See `gdfit.show.pictures.figure`.
Panel = Literal["all", "fit", "loss", "path", "steepest"]
