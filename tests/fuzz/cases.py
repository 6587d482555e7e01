"""Random files, as people have them and as nobody has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from fuzz.oracle import PANDAS_MISSING, Style
from fuzz.written import BLANKS, MINUS

ODDITIES = ["?", "inf", "-Infinity", "True", "1_0", "0x1", "1e", "e5", "--1", ".", "1 2", "1.2.3"]
ODDITIES += ["1,5", "1.5", "1/2", "N", "é", "\x00", "1\x0b", "\x1a", "\u2028", "#", '"', '5"', "%"]
ODDITIES += ["-999", "-999.0", "1e999", "1e-999", "+1", "1'000", "$1", "12:00", "2024-01-01 12:00"]
ODDITIES += ["45%", "(3)", "( 3)", "$(3)", "($3)", "-$3", "$-3", "−3", "1,250", "1.250", "1.250,5"]
ODDITIES += [
    "1 250",
    "1,2500",
    "0,125",
    "1D3",
    "EUR 5",
    "5 EUR",
    "5 ABC",
    "$",
    "(",
    "()",
    "0%",
    "(-3)",
]
MORE_MISSING = ["?", "-999", "none yet", "0", "oo"]
ENDS_OF_FLOAT64 = [".5", "5.", "007", "1E5", "1e+05", "4.9e-324", "1.7976931348623157e308"]
DAYS = ["%Y-%m-%d", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d.%m.%y"]
DAYS += ["%m/%d/%y", "%-d.%-m.%Y", "%-m/%-d/%Y", "%Y-%m"]
CLOCKS = ["T%H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p", "T%H:%M:%S.%f", "t%-H:%M"]
ZONES = ["", "", "Z", "+02:00", " -0330", "+01", " UTC"]
NO_DATES = ["2024-02-30", "31/31/2024", "2024-13", "2023-02-29", "0000-01-01", "1.1.24", "1/2"]
NO_DATES += ["2024-01-01T24:00", "2024-01-01 1:60", "2024-1-1", "05/06/07", "2024-01-01T05:00+24"]
SIGNS = "0123456789.,;|\t \r\n\"#%+-eExN/A\x00\x0b\x85\xe2\xff$'(){}"
ENCODINGS = ["cp1252", "utf-16", "utf-8-sig", "utf-32"]


@dataclass(frozen=True)
class Writing:
    """How a column's numbers are written.

    is_loose : whether with other signs than ASCII's, brackets or Fortran's exponents, too.
    dates : of a column of dates, how, as strftime has it.
    """

    point: str
    thousands: str = ""
    unit: str = ""
    is_behind: bool = False
    is_loose: bool = False
    dates: str = ""


@dataclass(frozen=True)
class Case:
    """A file, in which each character is a byte of UTF-8.

    style : how it is written, as far as it is said.
    skip : how many lines at the top are to be skipped, as is said.
    top : what stands above the header.
    header : the line with the columns' names, and lines of units; nothing where there is none.
    unnamed : how many columns at the end have no field in the header.
    text : three rows without faults, which show its form, and rows of any kind.
    end, skip_end : the lines at the end that are to be left out, and how many.
    has_header : whether there is a header, if that is said.
    names : what the columns are called.
    places, texts : the columns to read, of numbers and of text.
    encoding : the file's, but UTF-8; its text is in it.
    """

    style: Style
    skip: int
    top: str
    header: str
    unnamed: int
    text: str
    end: str
    skip_end: int
    has_header: bool | None
    names: tuple[str, ...]
    places: tuple[int, ...]
    texts: tuple[int, ...]
    encoding: str = ""

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.names)

    @property
    def stored(self) -> bytes:
        """The bytes of the file."""
        stored = (self.top + self.header + self.text + self.end).encode("latin-1")
        return stored.decode().encode(self.encoding) if self.encoding else stored


def random_style(random: Random) -> Style:
    """How a file is written."""
    decimal = random.choice(["", ".", ".", ","])
    delimiter = random.choice([",", ",", ";", "\t", "|", "", ":", "-"])
    if delimiter == decimal:
        delimiter = ";"
    missing = random.sample(MORE_MISSING, random.choice([0, 0, 1, 2]))
    thousands = random.choice([*[""] * 9, ",", ".", "'", " "])
    if thousands == decimal:
        thousands = ""
    comment = random.choice(["", "", "", "#", "%", "!"])
    dates = random.choice(["", "", "mdy", "dmy"])
    return Style(delimiter, decimal, tuple(missing), comment, thousands, dates=dates)


def random_writing(random: Random, style: Style) -> Writing:
    """How a column's numbers are written."""
    plain = Writing(style.point)
    if random.random() < 0.6:
        return plain
    if random.random() < 0.2:
        days = random.choice(DAYS)
        is_timed = days != "%Y-%m" and random.random() < 0.4
        clock = random.choice(CLOCKS) + random.choice(ZONES) if is_timed else ""
        return replace(plain, dates=days + clock)
    point = style.decimal or random.choice("...,")
    thousands = style.thousands or random.choice(["", ",", ".", "'", "\u2019", *BLANKS])
    if thousands == point:
        thousands = ""
    unit = random.choice(["", "", "%", "$", "€", "EUR", "USD", "US$"])
    return Writing(point, thousands, unit, random.random() < 0.5, random.random() < 0.5)


def random_date(random: Random, writing: Writing) -> str:
    """A date as it may be written."""
    is_short = "%Y" not in writing.dates
    first, last = random.choice([(1969, 2068), (1969, 2068) if is_short else (1000, 9999)])
    days = random.randint(datetime(first, 1, 1).toordinal(), datetime(last, 12, 31).toordinal())
    seconds = timedelta(seconds=random.choice([0, random.randrange(86400)]))
    return (datetime.fromordinal(days) + seconds).strftime(writing.dates)


def random_number(random: Random, writing: Writing) -> str:
    """A number as it may be written."""
    if writing.dates:
        return random_date(random, writing)
    kind = random.randrange(6)
    if kind == 0:
        text = str(random.randint(-99, 999999 if writing.thousands else 999))
    elif kind == 1:
        text = f"{random.gauss(0, 10000 if writing.thousands else 100):.{random.randrange(8)}f}"
    elif kind == 2:
        text = repr(random.gauss(0, 1) * 10.0 ** random.randint(-320, 300))
    elif kind == 3:
        text = f"{random.random():.{random.randrange(30)}e}"
    elif kind == 4:
        digits = "".join(random.choices("0123456789", k=random.randint(1, 40)))
        place = random.randint(0, len(digits))
        text = f"{random.choice(['', '-', '+'])}{digits[:place]}.{digits[place:]}"
    else:
        text = random.choice(ENDS_OF_FLOAT64)
    return in_writing(random, text, writing)


def in_writing(random: Random, text: str, writing: Writing) -> str:
    """A number, as Python has it, as a column has it."""
    sign = text[0] if text[0] in "+-" else ""
    mantissa, *exponents = text.removeprefix(sign).replace("E", "e").split("e")
    whole, *fractions = mantissa.split(".")
    if writing.thousands and whole and whole[0] != "0" and random.random() < 0.9:
        whole = f"{int(whole):,}".replace(",", writing.thousands)
    said = writing.point.join([whole, *fractions])
    exponent = random.choice("eEdD") if writing.is_loose else "e"
    said = exponent.join([said, *exponents])
    is_negative = sign == "-" and writing.is_loose
    way = random.randrange(3) if is_negative else 0
    blank = random.choice(["", "", " ", "\u00a0"]) if writing.unit else ""
    if way == 2:
        said, sign = f"({said})", ""
    elif way == 1:
        sign = MINUS
    if not writing.unit:
        return sign + said
    if writing.is_behind:
        return f"{sign}{said}{blank}{writing.unit}"
    return random.choice(
        [f"{sign}{writing.unit}{blank}{said}", f"{writing.unit}{blank}{sign}{said}"]
    )


def in_quotes(said: str, style: Style, random: Random) -> str:
    """A field in quotes."""
    if style.escape:
        said = said.replace("\\", "\\\\")
    doubled = "\\" + style.quote if style.escape and random.random() < 0.8 else 2 * style.quote
    return style.quote + said.replace(style.quote, doubled) + style.quote


def random_field(random: Random, style: Style, writing: Writing | None, oddity: float) -> str:
    """A field of a column of numbers that are written so, or of any column; what says no number is
    as rare as `oddity`."""
    if random.random() < oddity:
        said = random.choice([*ODDITIES, *NO_DATES, *PANDAS_MISSING.split("|"), *style.missing])
    elif writing or random.random() < 0.3:
        said = random_number(random, writing or Writing(style.point))
    else:
        said = random.choice(
            ["a", "New York", "x, y", 'he said "hi"', "two\nlines", "é", "", "5-6", "it's"]
        )
    return as_field(random, said, style, oddity)


def as_field(random: Random, said: str, style: Style, oddity: float) -> str:
    """A field that says this, in quotes where it has to be, and as rare as `oddity` not then."""
    if style.quote != '"':  # all fields are, and then they are known for quotes
        return in_quotes(said.replace('"', ""), style, random)
    special = {style.delimiter or " ", "\t", '"', "\n", "\r", style.comment or '"', *" "}
    is_special = bool(special & set(said)) or not (said or style.delimiter)
    if (is_special and random.random() > oddity / 2) or random.random() < 0.1:
        said = in_quotes(said, style, random)
    if style.delimiter and random.random() < 0.1:
        said = random.choice([" ", "  ", "\t" if style.delimiter != "\t" else " "]) + said
    if style.delimiter and random.random() < 0.1:
        said += random.choice([" ", "  "])
    return said


def random_case(random: Random) -> Case:
    """A file of any kind."""
    style = random_style(random)
    width = random.choice([2, 2, 3, 3, 5, 8])
    places = tuple(sorted(random.sample(range(width), random.randint(1, width))))
    others = sorted(set(range(width)) - set(places))
    texts = tuple(others[: random.choice([0, 0, 1, 2])])
    oddity = random.choice([0, 0, 0.02, 0.2])
    line_ends = random.choice([["\n"], ["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"]])
    is_regular = not oddity and random.random() < 0.7  # so that its form is beyond doubt
    if is_regular and style.delimiter and random.random() < 0.1:
        if style.delimiter != "-":  # at which lines in two parts may be as alike
            style = replace(style, quote="'")
    elif is_regular and style.delimiter and random.random() < 0.1:
        style = replace(style, escape=True)
    writings = [random_writing(random, style) if at in places else None for at in range(width)]
    if writings[0] and writings[0].unit == "%":  # in front, it begins a comment at the top
        writings[0] = replace(writings[0], is_behind=True)

    def line(fields: list[str]) -> str:
        between = [style.delimiter or random.choice([" ", "  ", "\t"]) for _ in fields]
        text = fields[0] + "".join(f"{a}{b}" for a, b in zip(between, fields[1:], strict=False))
        if style.comment and random.random() < 0.1:
            mark = '"' if style.quote == '"' else ""
            text += f"{' ' * random.randrange(2)}{style.comment} {mark}{style.delimiter} "
        return text + random.choice(line_ends)

    def row(odd: float) -> list[str]:
        return [random_field(random, style, writing, odd) for writing in writings]

    def plain(number: str) -> list[str]:
        said = [
            random_date(random, each)
            if each and each.dates
            else in_writing(random, number, each or Writing(style.point))
            for each in writings
        ]
        return [as_field(random, each, style, 0) for each in said]

    skip = random.choice([0, 0, 1, 3])
    top = "".join(random.choice(["", 'a "', "#;,"]) + line_ends[0] for _ in range(skip))
    names = [f"c{place}" for place in range(width)]
    more_named, more_in_row, unnamed, begins = names, list[str](), 0, list[str]()
    has_header, units, end, skip_end = random.choice([None, None, None, True, False]), "", "", 0
    if has_header is False:
        names = more_named = [*(f"x{place + 1}" for place in range(width - 1)), "y"]
        names = more_named = ["x", "y"] if width == 2 else names
    elif has_header and random.random() < 0.5:
        names = more_named = [str(2001 + place) for place in range(width)]
    elif is_regular and has_header is None:
        form = random.choice(["", "", "preamble", "units", "row names", "ends"])
        shows_numbers = Writing(style.point) in writings and style.quote == '"'
        if form == "preamble" and shows_numbers:
            skip, top = 0, random.choice(["Report", '"A report"']) + random.choice(line_ends)
            top += random.choice(["", "", line_ends[0]])
        elif form == "units" and style.delimiter and shows_numbers:
            of_numbers = ["m", "kg", "(m/s)", "°C"]
            units = line([random.choice(of_numbers) if at in places else "" for at in range(width)])
        elif form == "row names" and style.quote == '"' and width > 1:
            begins, names = ["r"], ["column1", *names]
        elif form == "ends" and style.delimiter and style.quote == '"':
            more_in_row, names, unnamed = [""], [*names, f"column{width + 1}"], 1
    header = line(more_named) + units if has_header is not False else ""
    if begins:
        places, texts = (tuple(at + 1 for at in some) for some in (places, texts))
    numbers = random.choice([["1.5", "2500.25", "1234567.5"], ["1250", "2500", "64000"]])
    text = "".join(line([*begins, *plain(number), *more_in_row]) for number in numbers)
    first = len(text.encode())
    for _ in range(random.choice([0, 1, 3, 3, 10, 10, 30, 30 if style.escape else 60])):
        fields = [*begins, *row(oddity), *more_in_row]
        if random.random() < oddity / 10:
            fields = random.choice([fields[:-1] or fields, [*fields, "1"]])
        text += line(fields)
        if random.random() < 0.03:
            blank = random.choice(["", " ", "" if is_regular else "\t"])
            text += blank + style.comment + random.choice(line_ends)
    style = replace(style, escape='\\"' in text)
    text, encoding = text.encode().decode("latin-1"), ""
    header = header.encode().decode("latin-1")
    if not is_regular and random.random() < 0.3:
        text = text[:first] + mutated(random, text[first:])
    elif random.random() < 0.2:
        encoding = encoding_for(random, header + text)
    if random.random() < 0.3:
        text = text.rstrip("\r\n")
    elif random.random() < 0.1:
        text += "" if text.endswith(("\r", "\n")) else "\n"
        skip_end = random.choice([1, 2])
        last = [random.choice(["Source: us", 'a "', ",,,x"]) for _ in range(skip_end)]
        end = "".join(said + random.choice(["\n", "\n\n"]) for said in last)
    said = (style, skip, top, header, unnamed, text, end, skip_end, has_header)
    return Case(*said, tuple(names), places, texts, encoding)


def encoding_for(random: Random, text: str) -> str:
    """An encoding that the text can be in, and whose file tells it."""
    encoding = random.choice(ENCODINGS)
    said = text.encode("latin-1").decode()
    try:
        said.encode(encoding)
    except UnicodeEncodeError:
        return ""
    return "" if encoding == "cp1252" and said.isascii() else encoding


def mutated(random: Random, text: str) -> str:
    """`text` with some characters changed, taken out, put in or doubled."""
    for _ in range(random.randint(1, 4)):
        start = random.randint(0, len(text))
        stop = min(len(text), start + random.choice([0, 1, 1, 3]))
        new = "".join(random.choices(SIGNS, k=random.choice([0, 1, 1, 2])))
        text = text[:start] + random.choice([new, new, text[start:stop] * 2]) + text[stop:]
    return text
