"""Rows of birds that there are not: texts, numbers, years and booleans."""

from __future__ import annotations

import numpy as np
import pandas as pd

TERMS = ["species", "log(mass)", "x^2", "species:x", "C(year)", "wild"]


def penguins(rows: int = 120) -> pd.DataFrame:
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "species": random.choice(["Adelie", "Gentoo", " Chin, strap"], rows),
            "mass": random.uniform(1, 5, rows),
            "year": random.choice([2007, 2008, 2010], rows),
            "x": random.normal(size=rows),
            "wild": random.random(rows) < 0.5,
        }
    )
    return frame.assign(price=np.exp(frame["mass"] / 3 + random.normal(size=rows)))
