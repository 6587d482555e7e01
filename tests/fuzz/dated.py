"""Dates as people write them, told with Python's calendar; it knows nothing of gdfit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

EPOCH = date(1970, 1, 1).toordinal()
CLOCK = re.compile(
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(?: *([AaPp])[Mm])?"
)
ZONE = re.compile(r" *(?:[Zz]|UTC|GMT|([+-])([0-9]{2}):?([0-9]{2})?)")


class Dates(NamedTuple):
    """How a column's dates are written: what follows what, as ``dmy``, and what stands between;
    `doubt` is that mark where it may be read in two ways."""

    order: str
    mark: str
    is_short: bool
    is_zoned: bool
    doubt: str = ""

    @property
    def is_plain(self) -> bool:
        """False: there are no plain dates."""
        return False

    @property
    def point(self) -> str:
        """What decimals would have."""
        return "."


class Parts(NamedTuple):
    """What stands in a date: its numbers, what is between them, and the time behind it."""

    numbers: list[str]
    mark: str
    clock: tuple[str | None, ...] = ()
    zone: tuple[str | None, ...] = ()


def parts_of(said: str) -> Parts | None:
    """The parts of what may be a date."""
    at = next((at for at, sign in enumerate(said) if sign in "Tt "), len(said))
    day, behind = said[:at], said[at:]
    mark = next((sign for sign in day if sign in "-/."), "")
    numbers = day.split(mark) if mark else []
    widths = [len(each) for each in numbers if each and set(each) <= set("0123456789")]
    if len(widths) != len(numbers) or len(numbers) not in (2, 3):
        return None
    if widths[0] > 4 or widths[1] > 2 or widths[-1] > 4:
        return None
    if not behind:
        return Parts(numbers, mark)
    behind = behind[1:] if behind[0] in "Tt" else behind.lstrip(" ")
    clock = CLOCK.match(behind)
    rest = behind[clock.end() :] if clock else behind
    zone = ZONE.fullmatch(rest)
    if not clock or (rest and not zone):
        return None
    return Parts(numbers, mark, clock.groups(), zone.groups() if zone else ())


def days_in(said: str, dates: Dates) -> float | None:
    """The days since 1970-01-01 that a field says; None if it says none."""
    parts = parts_of(said)
    if not parts or len(parts.numbers) != len(dates.order) or parts.mark != dates.mark:
        return None
    if dates.is_zoned != bool(parts.zone) or (dates.order == "ym" and parts.clock):
        return None
    of = dict(zip(dates.order, parts.numbers, strict=True))
    exact = dates.order == "ym" or (dates.is_short and dates.mark == ".")
    two = [len(text) for name, text in of.items() if name != "y"]
    if len(of["y"]) != (2 if dates.is_short else 4) or any(n > 2 or (exact and n < 2) for n in two):
        return None
    year = int(of["y"])
    if dates.is_short:
        year += 2000 if year < 69 else 1900
    try:
        day = date(year, int(of["m"]), int(of.get("d", 1))).toordinal() - EPOCH
    except ValueError:
        return None
    if not parts.clock:
        return float(day)
    hour, minute, second, fraction, half = parts.clock
    hours, least = int(hour or 0), 1 if half else 0
    if not least <= hours < (13 if half else 24) or int(minute or 0) > 59 or int(second or 0) > 59:
        return None
    if half:
        hours = hours % 12 + (12 if half in "Pp" else 0)
    sign, east, more = parts.zone or (None, None, None)
    offset = 60 * int(east or 0) + int(more or 0)
    if offset >= 1440:
        return None
    minutes = 60 * hours + int(minute or 0) - (-offset if sign == "-" else offset)
    parts_a_second = int("1" + "0" * len(fraction or ""))
    since = (60 * minutes + int(second or 0)) * parts_a_second + int(fraction or 0)
    whole, rest = divmod(since, 86400 * parts_a_second)
    return day + whole + rest / (86400 * parts_a_second)


def dates_of(fields: Sequence[str], said: str) -> Dates | None:
    """How the dates of a column are written that has these fields, if more than half are dates of
    the form that most have: of the orders that the form may have, the one that takes the most, or
    else the one that is `said`."""
    found = [parts for each in fields if (parts := parts_of(each))]
    if 2 * len(found) <= len(fields):
        return None
    forms = Counter(
        (
            parts.mark,
            len(parts.numbers[0]) == 4,
            len(parts.numbers[2]) if len(parts.numbers) > 2 else 0,
            bool(parts.zone),
        )
        for parts in found
    )
    mark, is_year_first, last, is_zoned = max(forms, key=lambda form: forms[form])
    is_short = not is_year_first and last == 2 and mark != "-"
    orders = ["mdy", "dmy"] if last == 4 or is_short else []
    if is_year_first:
        orders = ["ymd"] if last else ["ym"] * (mark == "-")
    elif mark == "." and not said:
        orders = orders[1:]
    ways = [Dates(order, mark, is_short, is_zoned) for order in orders]
    read = {way: [days_in(each, way) for each in fields] for way in ways}
    taken = {way: sum(value is not None for value in read[way]) for way in ways}
    ways = [way for way in ways if taken[way] == max(taken.values())]
    ways = [way for way in ways if way.order == said] or ways
    if not ways or taken[ways[0]] < (len(fields) if orders == ["ym"] else len(fields) // 2 + 1):
        return None
    one, other = ways[0], ways[-1]
    is_twofold = any(
        value is not None and value != also
        for value, also in zip(read[one], read[other], strict=True)
    )
    return one._replace(doubt=mark if is_twofold or (is_short and not said) else "")
