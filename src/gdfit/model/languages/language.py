"""What a language must be able to say.

A number must be read as the same float64 again. A level that training has not seen makes NULL, NaN
or an error, never a number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from gdfit.model.linear import LinearModel

Level = str | float
Cases = Sequence[tuple[Level, str]]
"""For each level of a category, what stands for it."""


class Language(ABC):
    """The parts of a prediction, as text.

    functions : what a function of a number is called.
    times : what stands for multiplication.

    Parameters
    ----------
    model : whose inputs are written.
    """

    functions: ClassVar[Mapping[str, str]] = {}
    times = " * "

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        self.inputs = model.inputs
        self.texts = model.made_of.texts

    def positive(self, value: float) -> str:
        """A number that is not negative."""
        return repr(value)

    def number(self, value: float) -> str:
        """Any number."""
        return f"-{self.positive(-value)}" if value < 0 else self.positive(value)

    @abstractmethod
    def column(self, name: str) -> str:
        """The number, or the text, in a column."""

    def factor(self, name: str) -> str:
        """The number in a column, where a power or a product of it is taken."""
        return self.column(name)

    def function(self, name: str, number: str) -> str:
        """A function of a number."""
        return f"{self.functions[name]}({number})"

    @abstractmethod
    def power(self, number: str, exponent: int) -> str:
        """A power from the third on."""

    @abstractmethod
    def choice(self, column: str, cases: Cases) -> str:
        """What stands for the level in a column."""

    @abstractmethod
    def whole(self, summands: Sequence[str]) -> str:
        """The whole text."""
