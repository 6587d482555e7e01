"""Random files, as people have them and as nobody has."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from fuzz.oracle import PANDAS_MISSING, Style

ODDITIES = ["?", "inf", "-Infinity", "True", "1_0", "0x1", "1e", "e5", "--1", ".", "1 2", "1.2.3"]
ODDITIES += ["1,5", "1.5", "1/2", "N", "é", "\x00", "1\x0b", "\x1a", "\u2028", "#", '"', '5"', "%"]
ODDITIES += ["-999", "-999.0", "1e999", "1e-999", "+1", "1'000", "$1", "12:00", "2024-01-01 12:00"]
MORE_MISSING = ["?", "-999", "none yet", "0", "oo"]
ENDS_OF_FLOAT64 = [".5", "5.", "007", "1E5", "1e+05", "4.9e-324", "1.7976931348623157e308"]
SIGNS = '0123456789.,;|\t \r\n"#%+-eExN/A\x00\x0b\x85\xe2\xff'


@dataclass(frozen=True)
class Case:
    """A file, in which each character is a byte.

    skip, top : how many lines there are to skip, and they.
    header : the names of the columns, c0, c1 …
    text : three plain rows, which show its form, and rows of any kind.
    width : how many columns there are.
    places, texts : the columns to read, of numbers and of text.
    """

    style: Style
    skip: int
    top: str
    header: str
    text: str
    width: int
    places: tuple[int, ...]
    texts: tuple[int, ...]


def random_style(random: Random) -> Style:
    """How a file is written."""
    decimal = random.choice("....,")
    delimiter = random.choice([",", ",", ";", "\t", "|", "", ":", "-"])
    if delimiter == decimal:
        delimiter = ";"
    return Style(
        delimiter=delimiter,
        decimal=decimal,
        missing=tuple(
            random.sample(["?", "-999", "none yet", "0", "oo"], random.choice([0, 0, 1, 2]))
        ),
        comment=random.choice(["", "", "", "#", "%", "!"]),
    )


def random_number(random: Random, style: Style) -> str:
    """A number as it may be written."""
    kind = random.randrange(6)
    if kind == 0:
        text = str(random.randint(-99, 999))
    elif kind == 1:
        text = f"{random.gauss(0, 100):.{random.randrange(8)}f}"
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
    return text.replace(".", style.decimal)


def in_quotes(said: str) -> str:
    """A field in quotes."""
    return '"' + said.replace('"', '""') + '"'


def random_field(random: Random, style: Style, used: bool, oddity: float) -> str:
    """A field; what says no number is as rare as `oddity`."""
    if random.random() < oddity:
        said = random.choice([*ODDITIES, *PANDAS_MISSING.split("|"), *style.missing])
    elif used or random.random() < 0.3:
        said = random_number(random, style)
    else:
        said = random.choice(
            ["a", "New York", "x, y", 'he said "hi"', "two\nlines", "é", "", "5-6"]
        )
    special = {style.delimiter or " ", "\t", '"', "\n", "\r", style.comment or '"', *" "}
    is_special = bool(special & set(said)) or not (said or style.delimiter)
    if (is_special and random.random() > oddity / 2) or random.random() < 0.1:
        said = in_quotes(said)
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

    def line(fields: list[str]) -> str:
        between = [style.delimiter or random.choice([" ", "  ", "\t"]) for _ in fields]
        text = fields[0] + "".join(f"{a}{b}" for a, b in zip(between, fields[1:], strict=False))
        if style.comment and random.random() < 0.1:
            text += f'{" " * random.randrange(2)}{style.comment} "{style.delimiter} '
        return text + random.choice(line_ends)

    def row(odd: float) -> list[str]:
        return [random_field(random, style, place in places, odd) for place in range(width)]

    skip = random.choice([0, 0, 1, 3])
    top = "".join(random.choice(["", 'a "', "#;,"]) + line_ends[0] for _ in range(skip))
    header = line([f"c{place}" for place in range(width)])
    plain = (style.delimiter or " ").join(f"1{style.decimal}5" for _ in range(width))
    text = 3 * f"{plain}{line_ends[0]}"
    for _ in range(random.choice([0, 1, 3, 10, 30])):
        fields = row(oddity)
        if random.random() < oddity / 10:
            fields = random.choice([fields[:-1] or fields, [*fields, "1"]])
        text += line(fields)
        if random.random() < 0.03:
            text += random.choice(["", " ", "\t"]) + style.comment + random.choice(line_ends)
    text = text.encode().decode("latin-1")
    if random.random() < 0.2:
        text = text[: 3 * len(plain) + 6] + mutated(random, text[3 * len(plain) + 6 :])
    if random.random() < 0.3:
        text = text.rstrip("\r\n")
    return Case(style, skip, top, header, text, width, places, texts)


def mutated(random: Random, text: str) -> str:
    """`text` with some characters changed, taken out, put in or doubled."""
    for _ in range(random.randint(1, 4)):
        start = random.randint(0, len(text))
        stop = min(len(text), start + random.choice([0, 1, 1, 3]))
        new = "".join(random.choices(SIGNS, k=random.choice([0, 1, 1, 2])))
        text = text[:start] + random.choice([new, new, text[start:stop] * 2]) + text[stop:]
    return text
