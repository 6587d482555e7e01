"""The formulas of Excel and other spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import ClassVar

from gdfit.errors import GdfitError
from gdfit.model.languages.language import Cases, Language


class Excel(Language):
    """A formula for the row below a header, with the columns at A, B, … in their order; #N/A where
    one of them holds no number, which counts as 0 otherwise."""

    functions: ClassVar = {"log": "LN", "log10": "LOG10", "exp": "EXP", "sqrt": "SQRT"}
    times = "*"
    ROW = 2
    DIGITS = 15  # of a number that Excel reads; it drops what follows
    LONGEST = 8192  # characters that it takes
    CASES = 126  # that its SWITCH takes

    def positive(self, value: float) -> str:
        """A float64: where 15 digits are too few, the sum of a number of as many and of what is
        missing from it."""
        most = f"{value:.{self.DIGITS}g}"
        rest = value - float(most)
        if not rest:
            return in_excel(repr(value))
        for digits in range(1, self.DIGITS + 1):
            if float(most) + float(f"{rest:.{digits}g}") == value:
                break
        return f"({in_excel(most)}{'+' if rest > 0 else '-'}{in_excel(f'{abs(rest):.{digits}g}')})"

    def column(self, name: str) -> str:
        return f"{column_letters(self.inputs.index(name))}{self.ROW}"

    def function(self, name: str, number: str) -> str:
        return f"LOG({number},2)" if name == "log2" else super().function(name, number)

    def power(self, number: str, exponent: int) -> str:
        return f"{number}^{exponent}"

    def choice(self, column: str, cases: Cases) -> str:
        if len(cases) > self.CASES:
            raise GdfitError(
                f"has {len(cases)} levels, and Excel's SWITCH takes {self.CASES}; `format` sql, "
                "python or c has no limit",
                column=column,
            )
        cell = self.column(column)
        tests = (
            f"{cell}={self.number(level)}"
            if isinstance(level, float)
            else 'EXACT({},"{}")'.format(cell, level.replace('"', '""'))  # "=" takes a for A
            for level, _ in cases
        )
        pairs = zip(tests, cases, strict=True)
        return f"SWITCH(TRUE,{','.join(f'{test},{text}' for test, (_, text) in pairs)})"

    def whole(self, summands: Sequence[str]) -> str:
        # The spaces around signs go, those in levels stay.
        total = summands[0] + "".join(text[0] + text[2:] for text in summands[1:])
        cells = [self.column(name) for name in self.inputs if name not in self.texts]
        if cells:
            total = f"IF(COUNT({','.join(self.ranges())})={len(cells)},{total},NA())"
        formula = f"={total}"
        if len(formula) > self.LONGEST:
            raise GdfitError(
                f"the formula has {len(formula):,} characters, and Excel takes {self.LONGEST:,}; "
                "`format` sql, python or c has no limit"
            )
        return f"{formula}\n"

    def ranges(self) -> Iterable[str]:
        """The cells with numbers: ``A2``, or ``A2:C2`` where they are side by side."""
        for is_text, group in groupby(self.inputs, self.texts.__contains__):
            names = list(group)
            if not is_text:
                first, last = self.column(names[0]), self.column(names[-1])
                yield first if first == last else f"{first}:{last}"


def in_excel(text: str) -> str:
    """A number as Excel writes it."""
    return text.upper().removesuffix(".0")


def column_letters(place: int) -> str:
    """What the spreadsheet's column at `place`, from 0, is called: after Z comes AA."""
    before, letter = divmod(place, 26)
    return (column_letters(before - 1) if before else "") + chr(ord("A") + letter)
