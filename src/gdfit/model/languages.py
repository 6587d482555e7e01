"""Languages that a model is written in, a class each: SQL, Python, C, a spreadsheet's formulas.

A `Language` says how each part of a prediction is written; what is added up, and in which order, is
said in `gdfit.model.export`. A number must be read as the same float64 again. A level that training
has not seen makes NULL, NaN or an error, never a number.
"""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from math import ulp
from typing import ClassVar

from gdfit.data.batch import Level
from gdfit.data.terms.expansion import enclosed
from gdfit.data.terms.terms import FUNCTIONS, Factor
from gdfit.dates import DATE_PARTS, EPOCH
from gdfit.errors import GdfitError, printable
from gdfit.model.linear import LinearModel

# Each level of a category, and what stands for it.
Cases = Sequence[tuple[Level, str]]


class Language(ABC):
    """The parts of a prediction, as text.

    functions : how a function of a number is written, where that is not as in gdfit.
    days, parts : how the days since 1970-01-01 of a column of dates are written, and the parts of
        its dates.
    times : what stands for multiplication.
    power : how a power from the third on is written: of a number, and its exponent.
    calls : what exp and abs are called, where that is not so.
    nothing : what stands for no number.
    long : the columns with levels that are whole numbers, of which float64 does not have all.

    Parameters
    ----------
    model : whose inputs are written.
    """

    functions: ClassVar[Mapping[str, str]] = {}
    days: ClassVar[str] = "{}"
    parts: ClassVar[Mapping[str, str]] = {}
    calls: ClassVar[Mapping[str, str]] = {}
    times = " * "
    power: ClassVar[str]
    nothing: ClassVar[str]

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        self.inputs = model.inputs
        self.texts, made_of = model.made_of.texts, model.made_of
        self.dates = model.dates
        categories = zip(made_of.categories, made_of.levels, strict=False)
        self.long = {each.column for each, levels in categories if any(map(is_long, levels))}

    def positive(self, value: float) -> str:
        """A number that is not negative."""
        return repr(value)

    def number(self, value: float) -> str:
        """Any number."""
        return f"-{self.positive(-value)}" if value < 0 else self.positive(value)

    def exact(self, column: str, level: float) -> str:
        """A number that is a level."""
        is_whole = column in self.long and float(level).is_integer()
        return str(level) if is_whole else self.number(float(level))

    def linked(self, z: str) -> str:
        """ŷ of what stands for z."""
        return self.model.link.written(z, self.calls)

    @property
    def has_link(self) -> bool:
        """Whether ŷ is more than z."""
        return self.linked("z") != "z"

    @abstractmethod
    def column(self, name: str) -> str:
        """The number, the text or the date in a column."""

    def term(self, name: str) -> str:
        """The number, or the text, in a column."""
        return self.days.format(self.column(name)) if name in self.dates else self.column(name)

    def factor(self, name: str) -> str:
        """The number in a column, where a power or a product of it is taken."""
        return self.term(name)

    def function(self, factor: Factor) -> str:
        """The function of a number, or the part of a date."""
        there = {name: f"{name}({{}})" for name in FUNCTIONS if name != "date"}
        there |= {**self.functions, **self.parts}
        if factor.function not in there:
            what = f"{factor} can't be written in {type(self).__name__.upper()}"
            raise GdfitError(f"{what}; `format` python and excel have dates")
        if factor.is_category:
            return there[factor.function].format(self.column(factor.column))
        return there[factor.function].format(self.term(factor.column))

    def level(self, category: Factor) -> str:
        """The level of a category in a row."""
        return self.function(category) if category.function else self.term(category.column)

    @abstractmethod
    def choice(self, category: Factor, cases: Cases) -> str:
        """The text that stands for the level of a category."""

    @abstractmethod
    def whole(self, summands: Sequence[str]) -> str:
        """The whole text."""


def is_long(level: Level) -> bool:
    """Whether it is a number that float64 does not have."""
    return not isinstance(level, str) and float(level) != level


class Sql(Language):
    """An expression in SQL. A row without a value for a column has none for ŷ: NULL."""

    functions: ClassVar = {"log": "ln({})"}
    days = "(EXTRACT(EPOCH FROM CAST({} AS TIMESTAMP)) / 86400e0)"
    parts: ClassVar = {
        name: f"EXTRACT({said} FROM CAST({{}} AS TIMESTAMP))"
        for name, said in zip(DATE_PARTS, ("YEAR", "MONTH", "ISODOW", "HOUR"), strict=True)
    }
    power, nothing = "power({}, {})", "NULL"

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
        return enclosed(name)

    def factor(self, name: str) -> str:
        return f"CAST({self.term(name)} AS DOUBLE PRECISION)"  # integers would overflow

    def choice(self, category: Factor, cases: Cases) -> str:
        whens, column = "", category.column
        for level, text in cases:
            there = enclosed(level, "'") if isinstance(level, str) else self.exact(column, level)
            whens += f"\n    WHEN {there} THEN {text}"
        return f"CASE {self.level(category)}{whens}\n    END"

    def whole(self, summands: Sequence[str]) -> str:
        return self.linked("(\n  " + "\n  ".join(summands) + "\n)") + "\n"


class Python(Language):
    """A function in Python, of a row by column names: a dict, or what csv.DictReader gives."""

    functions: ClassVar = {name: f"math.{name}({{}})" for name in FUNCTIONS} | {
        "date": "days(datetime.datetime.strptime(str(int({})), '%Y%m%d'))"
    }
    days = "days({})"
    parts: ClassVar = {
        "year": "moment({}).year",
        "month": "moment({}).month",
        "weekday": "moment({}).isoweekday()",
        "hour": "moment({}).hour",
    }
    calls: ClassVar = {"exp": "math.exp"}
    power, nothing = "{} ** {}", "float('nan')"

    def column(self, name: str) -> str:
        is_number = name not in self.texts and name not in self.dates
        return f"float(row[{name!r}])" if is_number else f"row[{name!r}]"

    def choice(self, category: Factor, cases: Cases) -> str:
        lines, column, there = "", category.column, self.level(category)
        if column in self.texts:
            there += ".strip(' \\t')"  # as gdfit reads it
        elif column in self.long:
            there = f"decimal.Decimal(row[{column!r}])"
        for level, text in cases:
            key = repr(level) if isinstance(level, str) else self.exact(column, level)
            lines += f"\n            {key}: {text},"
        return f"{{{lines}\n        }}[{there}]"

    def whole(self, summands: Sequence[str]) -> str:
        lines = "\n        ".join(summands)
        body = f"    return (\n        {lines}\n    )\n"
        if self.has_link:
            body = f"    z = (\n        {lines}\n    )\n    return {self.linked('z')}\n"
        helpers = MOMENT_CODE if "days(" in lines or "moment(" in lines else ""
        there = body + helpers
        used = [name for name in ("datetime", "decimal", "math") if f"{name}." in there]
        imports = "".join(f"import {name}\n" for name in used) + helpers + "\n\n" * bool(used)
        return (
            f"# Written by gdfit. It gives {self.model.answer} for a row, "
            "which maps\n# the names of columns to values, as a dict or a row of csv.DictReader "
            f"does.\n{imports}def predict(row):\n{body}"
        )


MOMENT_CODE = """

def moment(value):
    # A datetime, a date or a text in ISO 8601, in UTC if it has a zone; or days since 1970-01-01.
    if isinstance(value, (int, float)):
        return datetime.datetime(1970, 1, 1) + datetime.timedelta(days=value)
    time = datetime.datetime.fromisoformat(str(value).strip())
    return time.astimezone(datetime.timezone.utc).replace(tzinfo=None) if time.tzinfo else time


def days(value):
    if isinstance(value, (int, float)):
        return value
    since = moment(value) - datetime.datetime(1970, 1, 1)
    return since.days + (since.seconds * 10**6 + since.microseconds) / 86_400_000_000
"""

# No C keyword may name a param, nor what gcc predefines or is a name in the headers here.
NOT_IN_C = re.compile(
    "alignas|alignof|asm|auto|bool|break|case|char|const|constexpr|continue|default|do|double|else|"
    "enum|errno|exp|extern|false|float|for|goto|i386|if|inline|int|linux|log(2|10)?|long|nullptr|"
    "pow|predictor|register|restrict|return|short|signed|sizeof|sqrt|static|static_assert|std(err|in|out)|"
    "strcmp|struct|switch|thread_local|true|typedef|typeof|typeof_unqual|union|unix|unsigned|void|"
    "volatile|while|NAN"
)


class C(Language):
    """A function in C, with a param for each column; texts have no blanks around them."""

    functions: ClassVar = {  # of 0, C's own are an infinite number
        name: f"({{0}} > 0 ? {name}({{0}}) : NAN)" for name in ("log", "log2", "log10")
    }
    calls: ClassVar = {"abs": "fabs"}
    power, nothing = "pow({}, {})", "NAN"

    def __init__(self, model: LinearModel) -> None:
        super().__init__(model)
        self.names = dict(zip(self.inputs, c_names(self.inputs), strict=True))

    def column(self, name: str) -> str:
        return f"(double){self.names[name]}" if name in self.long else self.names[name]

    def choice(self, category: Factor, cases: Cases) -> str:
        column = category.column
        name = self.function(category) if category.function else self.names[column]
        large = [level for level, _ in cases if not isinstance(level, str) and abs(level) >= 2**63]
        if column in self.long and large:
            what = "has levels of more than 64 bits, which C has no numbers for"
            raise GdfitError(f"{what}; `format` python has no limit", column=column)
        tests = [f"!{name} ? NAN"] if column in self.texts else []  # a null pointer
        for level, text in cases:
            if isinstance(level, str):
                tests.append(f"strcmp({name}, {c_string(level)}) == 0 ? {text}")
            else:
                tests.append(f"{name} == {self.exact(column, level)} ? {text}")
        return "(" + "\n            : ".join([*tests, "NAN"]) + ")"

    def whole(self, summands: Sequence[str]) -> str:
        lines = "\n        ".join(summands)
        body = f"    return {lines};\n"
        if self.has_link:
            body = f"    double predictor = {lines};\n    return {self.linked('predictor')};\n"
        headers = "#include <math.h>\n" if re.search(r"\b(log|exp|sqrt|pow|NAN)", body) else ""
        headers += "#include <string.h>\n" if self.texts else ""
        exact = ", to gdfit's last bit\n   if it is compiled with -ffp-contract=off."
        if self.has_link:
            exact = "."  # but for the exp of this machine
        kinds = dict.fromkeys(self.inputs, "double ") | dict.fromkeys(self.texts, "const char *")
        kinds |= dict.fromkeys(self.long, "long long ")
        told = dict.fromkeys(self.dates, f", in days since {EPOCH}")
        params = [
            f"    {kinds[name]}{self.names[name]}{',' if place < len(self.inputs) else ''}"
            f"  /* {in_comment(name)}{told.get(name, '')} */\n"
            for place, name in enumerate(self.inputs, start=1)
        ]
        return (
            f"/* Written by gdfit. It gives {in_comment(self.model.answer)}{exact} */\n"
            f"{headers}\ndouble predict(\n{''.join(params)})\n"
            f"{{\n{body}}}\n"
        )


def c_names(columns: Sequence[str]) -> list[str]:
    """A name in C for each column, like its own: no two are the same."""
    names: list[str] = []
    for place, column in enumerate(columns, start=1):
        plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
        name = re.sub(r"\W+", "_", plain).strip("_")
        if not name or name[0].isdigit() or NOT_IN_C.fullmatch(name):
            name = f"x{place}_{name}".rstrip("_")
        while name in names:
            name += "_"
        names.append(name)
    return names


def c_string(text: str) -> str:
    """A string in C: what is not plain ASCII by its bytes in UTF-8."""
    plain = (
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode()
    )
    return f'"{"".join(plain)}"'


def in_comment(name: str) -> str:
    """A name that does not end the comment in C which it stands in, nor begins another."""
    return printable(name).replace("*/", "* /").replace("/*", "/ *")


class Excel(Language):
    """A formula for the row below a header, with the columns at A, B, … in their order; #N/A where
    one of them holds no number, which counts as 0 otherwise."""

    functions: ClassVar = {
        "log": "LN({})",
        "log2": "LOG({},2)",
        "log10": "LOG10({})",
        "exp": "EXP({})",
        "sqrt": "SQRT({})",
        "date": "(DATE(INT({0}/10000),MOD(INT({0}/100),100),MOD({0},100))-25569)",
    }
    days = "({}-25569)"  # from 1900 on, where Excel's dates begin
    parts: ClassVar = {
        "year": "YEAR({})",
        "month": "MONTH({})",
        "weekday": "WEEKDAY({},2)",
        "hour": "HOUR({})",
    }
    calls: ClassVar = {"exp": "EXP", "abs": "ABS"}
    times, power, nothing = "*", "{}^{}", "NA()"
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

    def choice(self, category: Factor, cases: Cases) -> str:
        column = category.column
        if len(cases) > self.CASES:
            what = f"has {len(cases)} levels, and Excel's SWITCH takes {self.CASES}"
            raise GdfitError(f"{what}; `format` sql, python or c has no limit", column=column)
        if column in self.long:
            what = "has levels that Excel, which drops what follows 15 digits, takes for one"
            raise GdfitError(f"{what}; `format` sql, python or c tells them apart", column=column)
        cell, parts = self.level(category), ["TRUE"]
        for level, text in cases:
            if isinstance(level, str):  # "=" takes a for A
                there = cell if "  " in level else f"TRIM({cell})"  # which leaves one blank of two
                parts += [f"EXACT({there},{enclosed(level)})", text]
            else:
                parts += [f"{cell}={self.exact(column, level)}", text]
        return f"SWITCH({','.join(parts)})"

    def linked(self, z: str) -> str:
        link = self.model.link
        return link._replace(formula=link.formula.replace(" ", "")).written(z, self.calls)

    def whole(self, summands: Sequence[str]) -> str:
        # The spaces around signs go, those in levels stay.
        total = summands[0] + "".join(text[0] + text[2:] for text in summands[1:])
        if self.has_link:
            total = self.linked(f"({total})")
        cells = [self.column(name) for name in self.inputs if name not in self.texts]
        if cells:
            total = f"IF(COUNT({','.join(self.ranges())})={len(cells)},{total},NA())"
        formula = f"={total}"
        if len(formula) > self.LONGEST:
            what = f"the formula has {len(formula):,} characters, and Excel takes {self.LONGEST:,}"
            raise GdfitError(f"{what}; `format` sql, python or c has no limit")
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
    """The name of a spreadsheet's column at `place`, from 0: after Z comes AA."""
    before, letter = divmod(place, 26)
    return (column_letters(before - 1) if before else "") + chr(ord("A") + letter)
