"""A spreadsheet of one row, for the formulas that `gdfit export` writes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Context
from functools import partial
from typing import Any

from gdfit.model.languages import column_letters

TOKEN = re.compile(
    r'"(?:[^"]|"")*"|\d[\d.]*(?:E[+-]?\d+)?|([A-Z]+2)(?::([A-Z]+2))?(?!\d)|[A-Z]+(?:10)?|=|\^'
)
DIGITS = Context(prec=15, rounding=ROUND_DOWN)


DAY_0 = datetime(1899, 12, 30)  # from 1900 on, after the 29 February that Excel gives it


def part_of_date(part: str, cell: Any, kind: int = 2) -> int:
    """A part of the date that a number stands for in Excel; of weekdays, those from Monday on."""
    assert kind == 2
    moment = DAY_0 + timedelta(days=float(cell))
    return moment.isoweekday() if part == "WEEKDAY" else int(getattr(moment, part.lower()))


def logarithm(function: Callable[..., float]) -> Callable[..., float]:
    """A logarithm, which of 0 is worked out too: IF may not ask for it."""
    return lambda number, *base: function(number, *base) if number else math.nan


def worked_out(formula: str, row: Sequence[object]) -> Any:
    """What `formula` comes to, where the row 2 is `row`: a spreadsheet reads 15 digits of a number,
    drops the others, and takes an empty cell for 0; COUNT counts numbers."""
    places = {f"{column_letters(place)}2": place for place in range(len(row))}

    def translated(token: re.Match[str]) -> str:
        text, first, last = token[0], token[1], token[2]
        if last:
            return f"cells[{places[first]}:{places[last] + 1}]"
        if first:
            return f"cells[{places[first]}]"
        if text[0].isdigit():
            return repr(float(DIGITS.create_decimal(text)))
        if text[0] == '"':
            return repr(text[1:-1].replace('""', '"'))
        return {"=": "==", "^": "**"}.get(text, text)

    def count(*cells: object) -> int:
        several = [each for part in cells for each in (part if isinstance(part, list) else [part])]
        return sum(isinstance(cell, Cell) and cell.counts for cell in several)

    def switch(value: object, *pairs: Any) -> Any:
        found = [one for case, one in zip(pairs[::2], pairs[1::2], strict=True) if case == value]
        return found[0] if found else Cell("#N/A")

    assert re.fullmatch(r"=.*\n", formula)
    functions = {
        "cells": [Cell(value) for value in row],
        "COUNT": count,
        "SWITCH": switch,
        "TRUE": True,
        "TRIM": lambda cell: (
            Cell(" ".join(filter(None, cell.text.split(" ")))) if cell.text else cell
        ),
        **{part: partial(part_of_date, part) for part in ("YEAR", "MONTH", "WEEKDAY", "HOUR")},
        "DATE": lambda year, month, day: (datetime(int(year), int(month), int(day)) - DAY_0).days,
        "INT": lambda cell: int(float(cell)),
        "MOD": lambda number, by: int(float(number)) % by,
        "EXACT": lambda cell, text: cell.text == text,
        "LN": logarithm(math.log),
        "LOG": logarithm(math.log),
        "LOG10": logarithm(math.log10),
        "ABS": abs,
        "EXP": math.exp,
        "SQRT": math.sqrt,
        "NA": lambda: "#N/A",
        "IF": lambda condition, one, other: one if condition else other,
    }
    return eval(TOKEN.sub(translated, formula[1:]), functions)


class Cell(float):
    """What a cell counts as in arithmetic.

    counts : whether it holds a number.
    text : the text that it holds, if it does.
    """

    counts: bool
    text: str | None

    def __new__(cls, value: object) -> Cell:
        empty = 0.0 if value is None else math.nan
        cell = super().__new__(cls, value if isinstance(value, float) else empty)
        cell.counts = isinstance(value, float)
        cell.text = value if isinstance(value, str) else None
        return cell
