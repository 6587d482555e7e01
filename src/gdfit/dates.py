"""Dates as numbers: days since 1970-01-01, with fractions of a day; and back. NumPy is imported by
whoever has some."""

from __future__ import annotations

from functools import cache
from typing import Any

EPOCH = "1970-01-01"
DATE_PARTS = ("year", "month", "weekday", "hour")
SECONDS = 86_400  # of a day
THOUSANDTHS = 1000 * SECONDS


@cache
def first_days() -> Any:
    """The days on which the months of the years 0 to 9999 begin, and the one after, since 1970."""
    import numpy as np

    months = np.arange("0000-01", "10000-02", dtype="datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int32)


def day_number(year: Any, month: Any, day: Any) -> tuple[Any, Any]:
    """The number of a day, 0 for 1970-01-01, and whether there is such a day in the Gregorian
    calendar; of one or of arrays of whole numbers, of which a year has four digits at most."""
    table, place = first_days(), 12 * year + month - 1
    first, after = table.take(place, mode="clip"), table.take(place + 1, mode="clip")
    is_month = (year > 0) & (month > 0) & (month <= 12)
    return first + day - 1, is_month & (day > 0) & (day <= after - first)


def date_part(name: str, days: Any) -> Any:
    """The year, the month (1 to 12), the weekday (1 is Monday, 7 Sunday: ISO 8601) or the hour (0
    to 23) of `days`, an array, to the nearest thousandth of a second."""
    moments = (days * THOUSANDTHS).round().astype("int64")
    day = moments // THOUSANDTHS
    if name == "hour":
        return moments % THOUSANDTHS * 24 // THOUSANDTHS
    if name == "weekday":
        return (day + 3) % 7 + 1
    months = day.astype("datetime64[D]").astype("datetime64[M]").astype("int64")
    return months // 12 + 1970 if name == "year" else months % 12 + 1


def days_of_digits(numbers: Any) -> Any:
    """The days of numbers, an array, whose digits are a date, yyyymmdd; NaN where they are none."""
    import numpy as np

    digits = np.where((numbers > 0) & (numbers < 1e8), numbers, 0).astype(np.int64)
    days, there = day_number(digits // 10_000, digits // 100 % 100, digits % 100)
    return np.where(there & (digits == numbers), days, np.nan)


def iso_date(days: float) -> str:
    """A number of days as a date in ISO 8601, with a time to the thousandth of a second where it is
    no whole number: ``2024-03-01``, ``2024-03-01T12:00``."""
    from datetime import datetime, timedelta

    try:
        moment = datetime(1970, 1, 1) + timedelta(milliseconds=round(days * THOUSANDTHS))
    except OverflowError:  # of a year beyond 9999
        return f"day {days:.9g}"
    if moment.microsecond:
        return moment.isoformat(timespec="milliseconds")
    return moment.isoformat(timespec="seconds").removesuffix(":00").removesuffix("T00:00")
