"""What a model can be exported as: see `gdfit.model.export`, which takes longer to import.

The panels that a picture of a run is made of."""

from __future__ import annotations

from typing import Literal

ExportFormat = Literal["sql", "python", "c", "excel", "torch"]


Panel = Literal["all", "fit", "loss", "path", "steepest"]
"""What of the picture to draw: all that belong to the run, or one."""
