"""SQL, as SQLite and DuckDB read it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ulp
from typing import ClassVar

from gdfit.model.languages.language import Cases, Language, Level


class Sql(Language):
    """An expression in SQL. A row without a value for a column has none for ŷ: NULL."""

    functions: ClassVar = {
        "log": "ln",
        "log2": "log2",
        "log10": "log10",
        "exp": "exp",
        "sqrt": "sqrt",
    }

    def positive(self, value: float) -> str:
        """A float64: with an exponent, without which it is a DECIMAL.

        SQLite reads decimals with a few bits more than a float64 has, and then rounds for a second
        time. That goes wrong where the shortest decimal lies almost between two float64; the one of
        17 digits never does.
        """
        text = repr(value)
        if abs(Fraction(text) - Fraction(value)) > Fraction(ulp(value)) * 49 / 100:
            text = f"{value:.16e}"
        return text if "e" in text else f"{text}e0"

    def column(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def factor(self, name: str) -> str:
        return f"CAST({self.column(name)} AS DOUBLE PRECISION)"  # integers would overflow

    def power(self, number: str, exponent: int) -> str:
        return f"power({number}, {exponent})"

    def choice(self, column: str, cases: Cases) -> str:
        whens = "".join(f"\n    WHEN {self.level(level)} THEN {text}" for level, text in cases)
        return f"CASE {self.column(column)}{whens}\n    END"

    def level(self, level: Level) -> str:
        """A level, as the column has it."""
        return (
            self.number(level) if isinstance(level, float) else "'" + level.replace("'", "''") + "'"
        )

    def whole(self, summands: Sequence[str]) -> str:
        return "(\n  " + "\n  ".join(summands) + "\n)\n"
