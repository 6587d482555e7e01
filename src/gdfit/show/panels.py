"""The panels that a picture of a run is made of."""

from typing import Literal

Panel = Literal["all", "fit", "loss", "path", "steepest"]
"""What of the picture to draw: all that belong to the run, or one."""
