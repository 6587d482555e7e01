"""How numbers and dates are written: the table of spellings, which all reading goes by, and the one
that a column has, found from its first fields.

What a spelling takes for a number, and what it makes of it before it is read as one, are the same
for a field and for a column of Arrow's: the pattern is one that RE2 knows, too, byte by byte.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import product
from typing import Any, NamedTuple

from gdfit.dates import SECONDS, day_number

OTHER_MARK = {".": ",", ",": "."}
MINUS = "\u2212"
BLANK_MARKS = " \u00a0\u202f\u2009"  # a blank, one that does not break, a narrow and a thin one
THOUSANDS_MARKS = (",", ".", "'", "\u2019", *BLANK_MARKS)
# ISO 4217, but for the codes of metals and of nothing.
CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN "
    "BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD "
    "FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD "
    "JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT "
    "MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG "
    "QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT "
    "TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW "
    "ZWL"
)
# Signs that are letters: of crowns, zlotys, forints, francs, rupees, lei, yen, yuan and won.
SIGNS = ("kr.", "kr", "Kč", "zł", "Ft", "Fr.", "Rs.", "Rs", "lei", "円", "元", "원")
PER_CENT = "%"
DIGITS = frozenset("0123456789")
UNIT = rf"%|[A-Z]{{0,2}}[$¢-¥֏؋৲৳฿៛₠-⃀﷼]|[A-Z]{{3}}|{'|'.join(map(re.escape, SIGNS))}"
# A number with whatever may stand around its digits and between them; most data never need it.
SPELLED = (
    rf"[{BLANK_MARKS}]*\(?[+\-{MINUS}]?\(?(?P<before>{UNIT})?[{BLANK_MARKS}]*[+\-{MINUS}]?"
    rf"\(?[{BLANK_MARKS}]*"
    rf"(?P<digits>[.,]?[0-9](?:[0-9.,]|['\u2019{BLANK_MARKS}][0-9]{{3}}(?![0-9]))*)"
    rf"(?:[eEdD][+-]?[0-9]+)?[{BLANK_MARKS}]*\)?[{BLANK_MARKS}]*(?P<behind>{UNIT})?\)?[{BLANK_MARKS}]*"
)


def byte_pattern(text: str) -> str:
    """A pattern of the bytes of a text."""
    return "".join(f"\\x{byte:02X}" for byte in text.encode())


@dataclass(frozen=True)
class Spelling:
    """A way to write numbers.

    point : the decimal mark.
    thousands : the mark that may stand before each three digits.
    unit : a currency's sign or code, or ``%``, which stands in front or behind of all numbers but
        zeros.
    is_loose : whether a number may have U+2212 for its minus, stand in brackets where it is
        negative, or have Fortran's D before its exponent.
    """

    point: str = "."
    thousands: str = ""
    unit: str = ""
    is_loose: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing in it but digits, an ASCII decimal mark and an exponent."""
        return self.point.isascii() and not (self.thousands or self.unit or self.is_loose)

    @cached_property
    def pattern(self) -> str:
        """What says a number, in ASCII digits, as a pattern of bytes."""
        point = byte_pattern(self.point)
        whole = "[0-9]+"
        if self.thousands:
            whole = rf"(?:[0-9]+|[1-9][0-9]{{0,2}}(?:{byte_pattern(self.thousands)}[0-9]{{3}})+)"
        digits = rf"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)"
        if not self.is_loose:
            return rf"[+-]?{digits}(?:[eE][+-]?[0-9]+)?"
        number = rf"{digits}(?:[eEdD][+-]?[0-9]+)?"
        sign = rf"(?:[+-]|{byte_pattern(MINUS)})?"
        blank = f"(?:{'|'.join(map(byte_pattern, BLANK_MARKS))})*"
        signed, negative = f"{sign}{number}", rf"\({blank}{number}{blank}\)"
        unit, value = byte_pattern(self.unit), f"(?:{signed}|{negative})"
        if not unit:
            return f"{blank}{value}{blank}"
        in_brackets = rf"\((?:{unit}{blank}{number}|{number}{blank}{unit})\)"
        zero = f"{sign}0+(?:{point}0*)?"
        ways = [f"{unit}{blank}{value}", f"{sign}{unit}{blank}{number}", f"{value}{blank}{unit}"]
        return f"{blank}(?:{'|'.join([*ways, in_brackets, zero])}){blank}"

    @cached_property
    def number(self) -> re.Pattern[bytes]:
        """What says a number."""
        return re.compile(self.pattern.encode())

    @cached_property
    def changes(self) -> tuple[tuple[bytes, bytes], ...]:
        """What is replaced in a number, in this order, for float64 to be read from it."""
        changes = {self.unit: "", self.thousands: "", self.point: ".", "+": ""}
        if self.is_loose:
            changes |= dict.fromkeys(BLANK_MARKS, "")
            changes |= {MINUS: "-", "(": "-", ")": "", "D": "e", "d": "e"}
        return tuple(
            (what.encode(), by.encode()) for what, by in changes.items() if what and what != by
        )

    def digits(self, number: bytes) -> bytes:
        """A number as Python writes one."""
        for what, by in self.changes:
            number = number.replace(what, by)
        return number

    def value(self, number: bytes) -> float:
        """The float64 that is nearest to what says a number; infinite if it is too large.

        Raises
        ------
        ValueError : it says a date that there is not.
        """
        return float(self.digits(number))

    def takes(self, field: str) -> bool:
        """Whether a field says a number in this spelling."""
        return self.number.fullmatch(field.encode(errors="surrogatepass")) is not None

    @property
    def record(self) -> dict[str, str]:
        """What a model's file says of it."""
        return {"decimal": self.point, "thousands": self.thousands, "unit": self.unit}


# What stands in a date, first to last.
ORDERS: dict[str, tuple[str, ...]] = {
    "ymd": ("year", "month", "day"),
    "mdy": ("month", "day", "year"),
    "dmy": ("day", "month", "year"),
    "ym": ("year", "month"),
}
CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?(?: *(?P<half>[AaPp])[Mm])?"
)
ZONE = r" *(?:[Zz]|UTC|GMT|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})?)"
# A date with whatever may stand between its digits and behind it.
DATED = (
    r"(?P<first>[0-9]{1,4})(?P<mark>[-/.])[0-9]{1,2}(?:(?P=mark)(?P<last>[0-9]{1,4}))?"
    rf"(?:(?:[Tt]| +){CLOCK}(?P<zone>{ZONE})?)?"
)
CENTURY = 69  # two digits from here on are a year of the last century, as POSIX has it


@dataclass(frozen=True)
class DateSpelling(Spelling):
    """A way to write dates, which are numbers of days since 1970-01-01; a time of day may follow.

    order : what follows what, one of `ORDERS`.
    mark : what stands between.
    is_short : whether years have two digits, and not four.
    is_zoned : whether there is a time on each, with its zone; it is converted to UTC.
    """

    order: str = "ymd"
    mark: str = "-"
    is_short: bool = False
    is_zoned: bool = False

    @property
    def is_plain(self) -> bool:
        """False: there are no plain dates."""
        return False

    @cached_property
    def pattern(self) -> str:
        """What says a date, if there is such a one: see `Spelling`."""
        two = self.order == "ym" or (self.is_short and self.mark == ".")
        digits = dict.fromkeys(("month", "day"), "{2}" if two else "{1,2}")
        digits["year"] = "{2}" if self.is_short else "{4}"
        parts = (f"(?P<{part}>[0-9]{digits[part]})" for part in ORDERS[self.order])
        behind = rf"(?:[Tt]| +){CLOCK}"
        behind = f"{behind}{ZONE}" if self.is_zoned else f"(?:{behind})?"
        return re.escape(self.mark).join(parts) + ("" if self.order == "ym" else behind)

    @cached_property
    def with_other_zone(self) -> DateSpelling:
        """The same with a zone, or without."""
        return replace(self, is_zoned=not self.is_zoned)

    def value(self, number: bytes) -> float:
        """The days that says a date: see `Spelling`."""
        found = self.number.fullmatch(number)
        parts = found.groupdict() if found else {}
        days, there = self.days(
            {part: text if part in LETTERED else int(text) for part, text in parts.items() if text},
            len(parts.get("fraction") or b""),
        )
        if not there:
            raise ValueError
        return float(days)

    def days(self, parts: Mapping[str, Any], decimals: int) -> tuple[Any, Any]:
        """The days that the `parts` of dates say, numbers or arrays of them, and whether there is
        such a date.

        parts : by their names in the pattern, those that there are; of those in `LETTERED`, the
            letter.
        decimals : how many digits the fractions of a second have.
        """
        year, month, day = parts["year"], parts["month"], parts.get("day", 1)
        if self.is_short:
            year = year + 1900 + 100 * (year < CENTURY)
        number, there = day_number(year, month, day)
        hour, minute, second = (parts.get(part, 0) for part in ("hour", "minute", "second"))
        there = there & (hour < 24) & (minute < 60) & (second < 60)
        if half := parts.get("half"):
            there = there & (hour > 0) & (hour <= 12)
            hour = hour % 12 + 12 * (half in b"Pp")
        east = 60 * parts.get("hours", 0) + parts.get("minutes", 0)
        minute = minute + 60 * hour - (-east if parts.get("sign") == b"-" else east)
        since, a_day = 60 * minute + second, SECONDS
        if decimals:
            since, a_day = since * 10**decimals + parts["fraction"], SECONDS * 10**decimals
        return number + since // a_day + since % a_day / a_day, there & (east < 24 * 60)

    def takes(self, field: str) -> bool:
        """Whether a field says a date in this spelling."""
        try:
            return super().takes(field) and self.value(field.encode()) is not None
        except ValueError:
            return False

    @property
    def record(self) -> dict[str, str]:
        """What a model's file says of it."""
        year = "yy" if self.is_short else "yyyy"
        return {"dates": self.order, "mark": self.mark, "year": year, "zone": "UTC" * self.is_zoned}


LETTERED = ("half", "sign")


def dated(spellings: Iterable[tuple[str, Spelling]]) -> tuple[str, ...]:
    """The columns of dates among those of these spellings."""
    return tuple(column for column, found in spellings if isinstance(found, DateSpelling))


def spelling_of(record: object) -> Spelling | None:
    """The spelling in a model's file, if it is one."""
    if not isinstance(record, Mapping) or not all(
        isinstance(each, str) for each in record.values()
    ):
        return None
    if "dates" in record:
        order, mark, year = (record.get(name, "") for name in ("dates", "mark", "year"))
        zoned = bool(record.get("zone"))
        spelling = DateSpelling(order=order, mark=mark, is_short=year == "yy", is_zoned=zoned)
        return spelling if order in ORDERS and mark in "-/." else None
    marks = (record.get("decimal", "."), record.get("thousands", ""), record.get("unit", ""))
    return loose(*marks) if marks[0] else None


# How numbers are written, by what `decimal` says.
SPELLINGS = {".": Spelling("."), ",": Spelling(",")}


@cache
def loose(point: str, thousands: str, unit: str) -> Spelling:
    """The loose spelling of these, whose pattern is made once."""
    return Spelling(point, thousands, unit, is_loose=True)


class Found(NamedTuple):
    """How a column's numbers are written.

    spelling : as they are, if they are numbers.
    doubt : the mark of which it can't be told whether it stands for thousands or is a decimal mark;
        a number has it in the spelling as if it stood for thousands.
    """

    spelling: Spelling | None
    doubt: str = ""


def find_spelling(
    fields: Sequence[str],
    decimal: str | None = None,
    thousands: str | None = None,
    dates: str | None = None,
    before: Spelling | None = None,
) -> Found:
    """How the numbers or dates of a column are written that has these fields, none of them missing.

    before : how they were written before, which holds where all may be written so.
    decimal, thousands : the marks, if they are said to be these.
    dates : ``mdy`` or ``dmy``, if dates that may be either are said to be the one.
    """
    # As it was, also but for a sign or a code.
    for way in (before, replace(before, unit="")) if before and fields else ():
        if all(map(way.takes, fields)):
            return Found(way)
    found = find_numbers(fields, decimal, thousands)
    return found if found.spelling else find_dates(fields, dates)


def find_numbers(fields: Sequence[str], decimal: str | None, thousands: str | None) -> Found:
    """How the numbers of a column are written: see `find_spelling`."""
    plain = SPELLINGS[decimal or "."]
    if not plain.is_plain:
        return Found(plain if 2 * sum(map(plain.takes, fields)) > len(fields) else None)
    if fields and not thousands and all(map(plain.takes, fields)):
        return Found(plain)
    written = [found for field in fields if (found := parts_of(field))]
    if 2 * len(written) <= len(fields):
        return Found(None)
    numbers = [found[0] for found in written]
    if not thousands and all(map(plain.takes, numbers)):
        return Found(plain)
    units = {
        unit_of(found[0])
        for found in written
        if found["digits"].strip("0.,") or not plain.takes(found[0])
    }
    unit = units.pop() if units else ""
    if units or unit is None:
        return Found(None)
    said = "".join(found["digits"] for found in written)
    marks = (thousands,) if thousands else ("", *(mark for mark in THOUSANDS_MARKS if mark in said))
    readings: dict[tuple[bytes, ...], Spelling] = {}
    for point, mark in product((decimal,) if decimal else OTHER_MARK, marks):
        spelling = loose(point, mark, unit)
        if mark != point and all(map(spelling.takes, numbers)):
            digits = tuple(spelling.digits(number.encode()) for number in numbers)
            readings.setdefault(digits, spelling)
    is_comma = not decimal and all(map(SPELLINGS[","].takes, numbers))
    in_order = sorted(readings.values(), key=lambda each: bool(each.thousands))
    if not in_order or (len(in_order) == 1 and is_comma and not in_order[0].thousands):
        return Found(None)  # the latter needs `decimal`
    first, last = in_order[0], in_order[-1]
    if unit not in ("", PER_CENT):  # beside money, a mark stands for thousands where it may
        return Found(loose(last.point, last.thousands or OTHER_MARK[last.point], unit))
    if first is last or first.point == ".":
        return Found(first)
    return Found(last, first.point)


def parts_of(field: str) -> re.Match[str] | None:
    """The parts of what may say a number; None of most words, and then no pattern is made."""
    return None if DIGITS.isdisjoint(field) else re.fullmatch(SPELLED, field)


def unit_of(field: str) -> str | None:
    """The unit of the number that a field seems to say, if only an empty one; None if it seems to
    say none."""
    found = parts_of(field)
    if not found:
        return None
    unit = (found["before"] or "") + (found["behind"] or "")
    return None if unit.isalpha() and unit not in (*CODES.split(), *SIGNS) else unit


def find_dates(fields: Sequence[str], said: str | None) -> Found:
    """How the dates of a column are written: see `find_spelling`. Where the month or the day may
    stand first, the one that takes more of the fields does, or else the one that is said to."""
    written = [found for field in fields if (found := re.fullmatch(DATED, field))]
    if 2 * len(written) <= len(fields):
        return Found(None)
    forms = Counter(
        (found["mark"], len(found["first"]) == 4, len(found["last"] or ""), bool(found["zone"]))
        for found in written
    )
    (mark, is_year_first, last, is_zoned), _ = forms.most_common(1)[0]
    is_short = not is_year_first and last == 2 and mark != "-"  # 24-01-05 may be any
    if is_year_first:
        orders = ("ymd",) if last else ("ym",) * (mark == "-")
    else:
        orders = ("dmy",) if mark == "." and not said else ("mdy", "dmy")
        orders = orders if last == 4 or is_short else ()
    ways = [
        DateSpelling(order=order, mark=mark, is_short=is_short, is_zoned=is_zoned)
        for order in orders
    ]
    counts = {way: sum(map(way.takes, fields)) for way in ways}
    ways = [way for way in ways if counts[way] == max(counts.values())]
    ways = [way for way in ways if way.order == said] or ways
    least = len(fields) if orders == ("ym",) else 1 + len(fields) // 2  # 2012-13 may be a season
    if not ways or counts[ways[0]] < least:
        return Found(None)
    alike = [field.encode() for field in fields if ways[0].takes(field)]
    if len(ways) > 1 and all(ways[0].value(each) == ways[1].value(each) for each in alike):
        ways = ways[:1]
    is_doubtful = len(ways) > 1 or (is_short and not said)
    return Found(ways[0], mark if is_doubtful else "")


def says_date(field: str) -> bool:
    """Whether a field says a date in some spelling."""
    return isinstance(find_spelling([field]).spelling, DateSpelling)


def is_like(field: str, below: Sequence[str]) -> bool:
    """Whether a field says a number in some spelling, with a unit only where one of those `below`
    has it, too; or a date, where one of these does."""
    unit = unit_of(field)
    if unit is None:
        return says_date(field) and any(map(says_date, below))
    return unit in ("", *map(unit_of, below))
