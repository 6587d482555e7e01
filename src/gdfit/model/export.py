"""A model as what other programs run: SQL, Python, C, a spreadsheet's formula, torch's weights.

Each language says how it writes a number, so that it reads the same float64 again, and a feature.
What is added up, and in which order, is said once, in `summands`: the order of `LinearModel`, so
that wherever the arithmetic is IEEE's the predictions are the same to the last bit. A − b·x is
A + (−b)·x in IEEE arithmetic, and reads better.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import get_args

from gdfit import __version__
from gdfit.errors import GdfitError, UsageError, listing, printable, quoted
from gdfit.files import open_beside, written_beside
from gdfit.model.formats import ExportFormat
from gdfit.model.linear import LinearModel

LONGEST_FORMULA = 8192  # characters that Excel takes
EXCEL_DIGITS = 15  # of a number that Excel reads; it drops what follows
HEADED = 2  # the row below a header

# No C keyword may name a param, and neither may what gcc predefines or <errno.h> and <stdio.h> do.
NOT_IN_C = re.compile(
    "alignas|alignof|asm|auto|bool|break|case|char|const|constexpr|continue|default|do|double|else|"
    "enum|errno|extern|false|float|for|goto|i386|if|inline|int|linux|long|nullptr|register|"
    "restrict|return|short|signed|sizeof|static|static_assert|std(err|in|out)|struct|switch|"
    "thread_local|true|typedef|typeof|typeof_unqual|union|unix|unsigned|void|volatile|while"
)


def export(model: LinearModel, form: ExportFormat, path: str | Path | None = None) -> str:
    """The model as text in a language, also written to the file at `path` if there is one.

    Parameters
    ----------
    model : any linear model.
    form : ``sql``, an expression; ``python`` or ``c``, a function that needs nothing else;
        ``excel``, a formula; ``torch``, a float64 state_dict of `torch.nn.Linear`, which needs a
        `path`, and the text is the Python that loads it.

    Raises
    ------
    GdfitError : the model's params are not finite, or a formula is too long.
    """
    if form not in get_args(ExportFormat):
        there = ", ".join(get_args(ExportFormat))
        raise UsageError(f"there is no `format` {quoted(form)}; there are {there}")
    if not all(map(math.isfinite, model.params)):
        raise GdfitError("the model's params are not all finite numbers")
    if form == "torch":
        if path is None:
            raise UsageError("`format` torch needs a file to write to: name an `output`")
        return save_state_dict(model, Path(path))
    text = LANGUAGES[form](model)
    if path is not None:
        with open_beside(Path(path)) as file:
            file.write(text)
    return text


def summands(
    model: LinearModel, number: Callable[[float], str], features: Iterable[str], times: str = " * "
) -> list[str]:
    """ŷ as what is added up, in the order of `LinearModel.added_up`: ``-2.0 * x``, ``+ 0.5 * z``,
    ``- 3.0``.

    Parameters
    ----------
    number : writes one that is not negative.
    features : as the language writes them.
    times : what stands for multiplication.
    """
    texts = [
        f"{number(abs(weight))}{times}{feature}"
        for weight, feature in zip(model.w, features, strict=True)
    ]
    minus = [math.copysign(1.0, param) < 0 for param in model.params]
    first, *others = zip(minus, [*texts, number(abs(model.b))], strict=True)
    return [
        f"{'-' if first[0] else ''}{first[1]}",
        *(f"{'-' if negative else '+'} {text}" for negative, text in others),
    ]


def sql(model: LinearModel) -> str:
    """An expression in SQL. A row without a value for a feature has none for ŷ: NULL."""
    names = (f'"{name.replace(chr(34), chr(34) * 2)}"' for name in model.features)
    return "(\n  " + "\n  ".join(summands(model, sql_number, names)) + "\n)\n"


def sql_number(value: float) -> str:
    """A float64 in SQL: with an exponent, without which it is a DECIMAL.

    SQLite reads decimals with a few bits more than a float64 has, and then rounds for a second
    time. That goes wrong where the shortest decimal lies almost between two float64; the one of 17
    digits never does.
    """
    text = repr(value)
    if abs(Fraction(text) - Fraction(value)) > Fraction(math.ulp(value)) * 49 / 100:
        text = f"{value:.16e}"
    return text if "e" in text else f"{text}e0"


def python(model: LinearModel) -> str:
    """A function in Python, of a row by column names: a dict, or what csv.DictReader gives."""
    names = (f"float(row[{name!r}])" for name in model.features)
    lines = "\n        ".join(summands(model, repr, names))
    return (
        f"# Written by gdfit {__version__}. It gives {printable(model.target)} for a row, which\n"
        "# maps the names of columns to numbers, as a dict or a row of csv.DictReader does.\n"
        f"def predict(row):\n    return (\n        {lines}\n    )\n"
    )


def c(model: LinearModel) -> str:
    """A function in C, with a param for each feature."""
    names = c_names(model.features)
    params = [
        f"    double {name}{',' if place < len(names) else ''}  /* {in_comment(feature)} */"
        for place, (name, feature) in enumerate(zip(names, model.features, strict=True), start=1)
    ]
    lines = "\n        ".join(summands(model, repr, names))
    return (
        f"/* Written by gdfit {__version__}. It gives {in_comment(model.target)}: to the last bit "
        "what gdfit\n   predicts, if it is compiled with -ffp-contract=off. */\n"
        "double predict(\n" + "\n".join(params) + f"\n)\n{{\n    return {lines};\n}}\n"
    )


def c_names(features: Sequence[str]) -> list[str]:
    """A name in C for each feature, like its own: no two are the same."""
    names: list[str] = []
    for place, feature in enumerate(features, start=1):
        plain = unicodedata.normalize("NFKD", feature).encode("ascii", "ignore").decode()
        name = re.sub(r"\W+", "_", plain).strip("_")
        if not name or name[0].isdigit() or NOT_IN_C.fullmatch(name):
            name = f"x{place}_{name}".rstrip("_")
        while name in names:
            name += "_"
        names.append(name)
    return names


def in_comment(name: str) -> str:
    """A name that does not end the comment in C which it stands in, nor begins another."""
    return printable(name).replace("*/", "* /").replace("/*", "/ *")


def excel(model: LinearModel) -> str:
    """A formula for the row below a header, with the features in the columns A, B, … in order; #N/A
    where one of them holds no number, which counts as 0 otherwise."""
    cells = excel_cells(model)
    total = "".join(summands(model, excel_number, cells, times="*")).replace(" ", "")
    inputs = cells[0] if len(cells) == 1 else f"{cells[0]}:{cells[-1]}"
    formula = f"=IF(COUNT({inputs})={len(cells)},{total},NA())"
    if len(formula) > LONGEST_FORMULA:
        raise GdfitError(
            f"the formula has {len(formula):,} characters, and Excel takes {LONGEST_FORMULA:,}; "
            "`format` sql, python or c has no limit"
        )
    return f"{formula}\n"


def excel_cells(model: LinearModel) -> list[str]:
    """The features' cells: A2, B2, …, Z2, AA2, …"""
    return [f"{excel_column(place)}{HEADED}" for place in range(len(model.features))]


def excel_column(place: int) -> str:
    """What the column at `place`, from 0, is called: after Z comes AA."""
    before, letter = divmod(place, 26)
    return (excel_column(before - 1) if before else "") + chr(ord("A") + letter)


def excel_number(value: float) -> str:
    """A float64 for Excel, which reads 15 digits of a number: where they are too few, the sum of
    such a number and of what is missing from it."""
    text = repr(value)
    if float(f"{value:.{EXCEL_DIGITS - 1}e}") == value:
        return in_excel(text)
    most = f"{value:.{EXCEL_DIGITS}g}"
    rest = value - float(most)
    for digits in range(1, EXCEL_DIGITS + 1):
        if float(most) + float(f"{rest:.{digits}g}") == value:
            break
    return f"({in_excel(most)}{'+' if rest > 0 else '-'}{in_excel(f'{abs(rest):.{digits}g}')})"


def in_excel(text: str) -> str:
    """A number as Excel writes it."""
    return text.upper().removesuffix(".0")


def save_state_dict(model: LinearModel, path: Path) -> str:
    """Write the params to `path` as the state_dict of a `torch.nn.Linear`; the Python that loads
    it."""
    import torch

    state = {
        "weight": torch.tensor([model.w], dtype=torch.float64),
        "bias": torch.tensor([model.b], dtype=torch.float64),
    }
    with written_beside(path) as beside:
        torch.save(state, beside)
    return (
        f"layer = torch.nn.Linear({len(model.w)}, 1, dtype=torch.float64); "
        f"layer.load_state_dict(torch.load({str(path)!r}))\n"
    )


LANGUAGES: dict[str, Callable[[LinearModel], str]] = {
    "sql": sql,
    "python": python,
    "c": c,
    "excel": excel,
}
"""What is text, by name."""


def remark(model: LinearModel, form: ExportFormat, text: str) -> str:
    """What to know of a `text` to use it, where it does not say so itself."""
    features = listing(model.features)
    if form == "excel":
        cells = excel_cells(model)
        where = cells[0] if len(cells) == 1 else f"{cells[0]} to {cells[-1]}"
        return f"the formula is for row {HEADED}, with {features} in {where}"
    if form == "torch":
        return (
            f"x is float64, with {features} in this order; a Linear without dtype would round the "
            f"params to float32: {text.strip()}"
        )
    return ""
