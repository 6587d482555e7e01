"""Runs to look at on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest import LECTURE, SAMPLES
from gdfit.data.dataset import read_observations
from gdfit.descent.outcome import Fit
from gdfit.descent.run import train
from gdfit.show.page import save_page

EVIL = ["</script><b>", "<img src=x onerror=alert(1)>", "]]>", "{{run}} & \u2028 \\"]


def lecture(**options: Any) -> Fit:
    return train(read_observations(str(LECTURE), keep_rows=True), **{"lr": 0.01, **options})


def greenhouse(**options: Any) -> Fit:
    features = ["light", "water", "warmth"]
    observations = read_observations(
        str(SAMPLES / "greenhouse.csv"), features=features, keep_rows=True
    )
    return train(observations, **{"lr": 0.02, **options})


def written(fit: Fit, folder: Path) -> Path:
    path = folder / "run.html"
    save_page(fit, fit.history, path)
    return path
