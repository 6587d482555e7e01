"""What a model can be exported as: see `gdfit.model.export`, which takes longer to import."""

from typing import Literal

ExportFormat = Literal["sql", "python", "c", "excel", "torch"]
