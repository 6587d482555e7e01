"""Numbers as people write them, told character by character; it knows nothing of gdfit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

BLANKS = " \u00a0\u202f\u2009"
MARKS = f"'\u2019{BLANKS}"
MINUS = "\u2212"


class Spelling(NamedTuple):
    """How a column's numbers are written; `is_plain` where with a decimal mark alone."""

    point: str
    thousands: str = ""
    unit: str = ""
    is_plain: bool = False
    doubt: str = ""


def plain_number(said: str, point: str) -> float | None:
    """The number that a field says, infinite if it is too large; None if it says none."""
    rest = said[1:] if said[:1] in ("+", "-") else said
    mantissa, *exponents = rest.replace("E", "e").split("e")
    whole, *fractions = mantissa.split(point)
    fraction, exponent = "".join(fractions[:1]), "".join(exponents[:1])
    digits = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    if len(fractions) > 1 or len(exponents) > 1 or not whole + fraction:
        return None
    if not are_digits(whole + fraction + digits) or (exponents and not digits):
        return None
    return float(said.replace(point, "."))


def are_digits(said: str) -> bool:
    return all(character in "0123456789" for character in said)


def number(said: str, spelling: Spelling) -> float | None:
    """As `plain_number`, of a field that is written in any way."""
    if spelling.is_plain:
        return plain_number(said, spelling.point)
    unit = spelling.unit
    minus, rest = sign_of(said)
    zeros, _, more = rest.partition(spelling.point)
    if unit and zeros and not (zeros + more).strip("0"):
        return -0.0 if minus else 0.0
    if not unit:
        return signed(said, spelling)
    if is_in_brackets(said):
        inner = said[1:-1]
        for without in (after(unit, inner), before(unit, inner)):
            if without is not None and (value := unsigned(without, spelling)) is not None:
                return -value
    ahead = after(unit, rest) if minus or rest != said else None
    if ahead is not None and (value := unsigned(ahead, spelling)) is not None:
        return -value if minus else value
    for without in (after(unit, said), before(unit, said)):
        if without is not None and (value := signed(without, spelling)) is not None:
            return value
    return None


def sign_of(said: str) -> tuple[bool, str]:
    """Whether there is a minus in front, and what follows a sign."""
    has_sign = said[:1] in ("+", "-", MINUS)
    return said[:1] in ("-", MINUS), said[1:] if has_sign else said


def is_in_brackets(said: str) -> bool:
    return said.startswith("(") and said.endswith(")")


def after(unit: str, said: str) -> str | None:
    return said.removeprefix(unit).lstrip(BLANKS) if said.startswith(unit) else None


def before(unit: str, said: str) -> str | None:
    return said.removesuffix(unit).rstrip(BLANKS) if said.endswith(unit) else None


def signed(said: str, spelling: Spelling) -> float | None:
    """A number with a sign or in brackets, which is negative."""
    is_negative, rest = sign_of(said)
    if is_in_brackets(said):
        is_negative, rest = True, said[1:-1].strip(BLANKS)
    value = unsigned(rest, spelling)
    return -value if is_negative and value is not None else value


def unsigned(said: str, spelling: Spelling) -> float | None:
    """A number without a sign, with thousands before each three digits or nowhere."""
    if said[:1] in ("+", "-"):
        return None
    mantissa, *_ = said.replace("D", "e").replace("d", "e").replace("E", "e").split("e")
    exponent = said[len(mantissa) :]
    whole, mark, fraction = mantissa.partition(spelling.point)
    if spelling.thousands and spelling.thousands in whole:
        first, *others = whole.split(spelling.thousands)
        if not (0 < len(first) < 4 and first[0] != "0" and are_digits(first)):
            return None
        if not all(map(are_three, others)):
            return None
        whole = first + "".join(others)
    plain = whole + ("." if mark else "") + fraction + exponent.replace("D", "e").replace("d", "e")
    return plain_number(plain, ".") if are_digits(whole + fraction) else None


class Written(NamedTuple):
    """A field that is written as a number may be: its digits with the marks between them, and
    what stands before and behind them."""

    digits: str
    unit: str


def written(said: str) -> Written | None:
    """What a field says, if it is written as a number may be."""
    rest = said.removeprefix("(")
    _, rest = sign_of(rest)
    rest = rest.removeprefix("(")
    for ahead in (unit_ahead(rest), ""):
        left = rest[len(ahead) :].lstrip(BLANKS)
        _, left = sign_of(left)
        left = left.removeprefix("(").lstrip(BLANKS)
        digits = digits_ahead(left)
        left = left[len(digits) :]
        for behind in (left[length_of_exponent(left) :], left):
            behind = behind.lstrip(BLANKS).removeprefix(")").lstrip(BLANKS)
            unit = unit_ahead(behind)
            if digits and behind[len(unit) :] in ("", ")"):
                return Written(digits, ahead + unit)
    return None


def digits_ahead(said: str) -> str:
    """The digits that a field begins with, and the marks between them."""
    place = 1 if said[:1] in (".", ",") else 0
    if not is_digit(said[place : place + 1]):
        return ""
    while place < len(said):
        three = said[place + 1 : place + 4]
        if is_digit(said[place]) or said[place] in ".,":
            place += 1
        elif said[place] in MARKS and are_three(three) and not is_digit(said[place + 4 :][:1]):
            place += 4
        else:
            break
    return said[:place]


def are_three(said: str) -> bool:
    return len(said) == 3 and are_digits(said)


def is_digit(said: str) -> bool:
    return said != "" and said in "0123456789"


def length_of_exponent(said: str) -> int:
    sign = 1 if said[1:2] in ("+", "-") else 0
    if said[:1] not in ("e", "E", "d", "D") or not is_digit(said[1 + sign : 2 + sign]):
        return 0
    place = 1 + sign
    while is_digit(said[place : place + 1]):
        place += 1
    return place


def unit_ahead(said: str) -> str:
    """A unit at the beginning of a field: per cent, a currency's sign or three capital letters."""
    if said.startswith("%"):
        return "%"
    letters = 0
    while letters < 3 and "A" <= said[letters : letters + 1] <= "Z":
        letters += 1
    if letters < 3 and said[letters : letters + 1] in ("$", "€", "£", "¥"):
        return said[: letters + 1] if said[letters : letters + 1] else ""
    return said[:3] if letters == 3 else ""


def spelling_of(fields: Sequence[str], decimal: str, thousands: str) -> Spelling:
    """How the numbers of a column are written that has these fields, none of them missing: each
    that is written as a number may be, and more than half are, says one. A mark that may stand for
    thousands or for decimals is in `doubt`; in money it stands for thousands.

    decimal, thousands : the marks that are said, nothing for any.
    """
    plain = Spelling(decimal or ".", is_plain=True)
    words = [said for said in fields if not is_plain_or_infinite(said, plain.point)]
    found = {said: parts for said in fields if (parts := written(said))}
    numbers = [said for said in fields if said in found]
    if not (words or thousands) or 2 * len(numbers) <= len(fields):
        return plain
    if not thousands and all(plain_number(said, plain.point) is not None for said in numbers):
        return plain
    units = {
        found[said].unit
        for said in numbers
        if found[said].digits.strip("0.,") or plain_number(said, plain.point) is None
    }
    if len(units) > 1 or any(unit.isalpha() and unit not in ("EUR", "USD") for unit in units):
        return plain
    unit = "".join(units)
    all_digits = "".join(found[said].digits for said in numbers)
    marks = [mark for mark in (",", ".", "'", "\u2019", *BLANKS) if mark in all_digits]
    ways: list[tuple[list[float], Spelling]] = []
    for point, mark in product(decimal or (".", ","), [thousands] if thousands else ["", *marks]):
        spelling = Spelling(point, mark, unit)
        read = [number(said, spelling) for said in numbers]
        values = [value for value in read if value is not None]
        if point != mark and len(values) == len(read) and values not in [way for way, _ in ways]:
            ways.append((values, spelling))
    without = [spelling for _, spelling in ways if not spelling.thousands]
    with_thousands = [spelling for _, spelling in ways if spelling.thousands]
    if not ways:
        return plain
    first, last = [*without, *with_thousands][0], [*without, *with_thousands][-1]
    is_decimal_comma = all(plain_number(said, ",") is not None for said in numbers)
    if not decimal and is_decimal_comma and len(ways) == 1 and without:
        return plain
    if unit not in ("", "%"):  # of which a mark beside it stands for thousands where it may
        other = {".": ",", ",": "."}[last.point]
        return last._replace(thousands=last.thousands or other)
    if first == last or first.point == ".":
        return first
    return last._replace(doubt=first.point)


def is_plain_or_infinite(said: str, point: str) -> bool:
    rest = said[1:] if said[:1] in ("+", "-") else said
    return plain_number(said, point) is not None or rest.lower() in ("inf", "infinity")
