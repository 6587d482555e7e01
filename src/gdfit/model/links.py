"""Links: what the linear predictor z stands for.

ŷ = g⁻¹(z), with the inverse link g⁻¹ (McCullagh and Nelder, Generalized Linear Models, 1989, §2.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray

WORD = re.compile(r"[a-z]+")


class Link(NamedTuple):
    """A link.

    mean : z → g⁻¹(z), the mean of y that z stands for: the prediction ŷ.
    formula : the same of z, with exp and abs, for other languages: to the last bit where their exp
        is NumPy's.
    symbol : what people call g⁻¹.
    """

    mean: Callable[[FloatArray], FloatArray]
    formula: str = "z"
    symbol: str = ""

    def of(self, z: str) -> str:
        """``σ(z)``, for people."""
        return f"{self.symbol}({z})" if self.symbol else z

    def written(self, z: str, names: Mapping[str, str]) -> str:
        """The formula of what a language calls z, with the `names` that it has for functions."""
        own = {"z": z, **names}
        return WORD.sub(lambda word: own.get(word[0], word[0]), self.formula)


def sigmoid(z: FloatArray) -> FloatArray:
    """σ(z) = 1/(1 + e⁻ᶻ), by the smaller of e⁻ᶻ and eᶻ: without overflow, and to the last digits
    also where it is near 0."""
    small = np.exp(-np.abs(z))
    return np.where(z < 0, small, 1.0) / (1.0 + small)


# By the name that a model's file has.
LINKS: Mapping[str, Link] = {
    "identity": Link(np.asarray),
    "logit": Link(sigmoid, "exp((z - abs(z)) / 2) / (1 + exp(-abs(z)))", "σ"),
}
