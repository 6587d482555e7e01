"""What is asked of the columns of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike


@dataclass(frozen=True)
class Selection:
    """Which columns are asked for, and what is to be made of them.

    features : the terms to predict from, as `gdfit.data.terms.terms` reads them; by default all
        other columns with numbers, but row names and columns without a name.
    target : the term to predict; by default ``y`` if there is one, else the last column with
        numbers.
    exclude : columns that are not used, whatever they hold.
    degree : up to which to add all powers and products of the features that are numbers.
    weights : the column that says how much each row counts; by default all count alike.
    intercept : whether there is a b to fit; where there is none, it stays 0.
    """

    features: tuple[str, ...] | None = None
    target: str | None = None
    exclude: tuple[str, ...] = ()
    degree: int = 1
    weights: str | None = None
    intercept: bool = True


def several(names: Sequence[object] | str | PathLike[str]) -> tuple[str, ...]:
    """Names, of which one may be given by itself."""
    return (str(names),) if isinstance(names, str | PathLike) else tuple(map(str, names))
