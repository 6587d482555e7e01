"""A spreadsheet of one row, for the formulas that `gdfit export` writes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import ROUND_DOWN, Context
from typing import Any

from gdfit.model.export import excel_column

TOKEN = re.compile(r"\d[\d.]*(?:E[+-]?\d+)?|([A-Z]+2)(?::([A-Z]+2))?|[A-Z]+|=")
DIGITS = Context(prec=15, rounding=ROUND_DOWN)


def worked_out(formula: str, row: Sequence[object]) -> Any:
    """What `formula` comes to, where the row 2 is `row`: a spreadsheet reads 15 digits of a number,
    drops the others, and takes an empty cell for 0; COUNT counts numbers."""
    places = {f"{excel_column(place)}2": place for place in range(len(row))}

    def translated(token: re.Match[str]) -> str:
        text, first, last = token[0], token[1], token[2]
        if last:
            return f"cells[{places[first]}:{places[last] + 1}]"
        if first:
            return f"cells[{places[first]}]"
        if text[0].isdigit():
            return repr(float(DIGITS.create_decimal(text)))
        return "==" if text == "=" else text

    def count(cells: object) -> int:
        several = cells if isinstance(cells, list) else [cells]
        return sum(isinstance(cell, Cell) and cell.counts for cell in several)

    assert re.fullmatch(r"=.*\n", formula)
    functions = {
        "cells": [Cell(value) for value in row],
        "COUNT": count,
        "NA": lambda: "#N/A",
        "IF": lambda condition, one, other: one if condition else other,
    }
    return eval(TOKEN.sub(translated, formula[1:]), functions)


class Cell(float):
    """What a cell counts as in arithmetic.

    counts : whether it holds a number.
    """

    counts: bool

    def __new__(cls, value: object) -> Cell:
        empty = 0.0 if value is None else math.nan
        cell = super().__new__(cls, value if isinstance(value, float) else empty)
        cell.counts = isinstance(value, float)
        return cell
