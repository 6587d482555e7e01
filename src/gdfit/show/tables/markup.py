"""Tables of text as Markdown, LaTeX and HTML: a console that writes them so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from itertools import chain, repeat
from typing import IO, Any, NamedTuple
from unicodedata import decomposition, normalize

from rich.console import Console
from rich.table import Table

Escape = Callable[[str], str]


class Paper(Console):
    """A console that writes lines and tables as markup, each a block with a blank line before it.

    form : ``markdown``, ``latex`` or ``html``.
    """

    def __init__(self, form: str, file: IO[str], width: int) -> None:
        super().__init__(file=file, width=width, force_terminal=False, highlight=False)
        self.markup = MARKUPS[form]
        self.has_begun = False

    def print(self, *objects: Any, **how: Any) -> None:
        """Write lines and tables; `how` they look on a terminal does not matter."""
        for each in objects:
            if isinstance(each, Table):
                text = "\n".join(self.markup.table(contents_of(each, self.markup)))
            else:
                text = self.markup.line.format(self.markup.escape(each.strip()))
            blank = "\n" * self.has_begun
            super().print(f"{blank}{text}", markup=False, emoji=False, soft_wrap=True)
            self.has_begun = True

    def line(self, count: int = 1) -> None:
        """Nothing: each block has a line before it."""


class Contents(NamedTuple):
    """What stands in a table, escaped.

    header : the columns' names; none of names and values.
    rows : each with a cell for each column; none for a gap between rows.
    sides : where cells stand: ``l`` and ``r``, and ``p`` for words that may take several lines.
    """

    header: Sequence[str]
    rows: list[Sequence[str]]
    sides: str


class Markup(NamedTuple):
    """A way to write text: with its special characters escaped, what sets a cell in, a line of it,
    and the lines of a table."""

    escape: Escape
    inset: str
    line: str
    table: Callable[[Contents], Iterator[str]]


def contents_of(table: Table, markup: Markup) -> Contents:
    """What stands in a table that Rich can show."""

    def told(text: str) -> str:
        inset = markup.inset if text.startswith("  ") else ""
        return inset + markup.escape(" ".join(text.split()))

    columns = table.columns
    cells = ([told(str(cell)) for cell in column.cells] for column in columns)
    rows: list[Sequence[str]] = []
    for look, row in zip(table.rows, zip(*cells, strict=True), strict=True):
        rows += [row if any(row) else (), *([()] if look.end_section else [])]
    header = [told(str(column.header)) for column in columns] if table.show_header else []
    sides = ["r" if column.justify == "right" else "lp"[not column.no_wrap] for column in columns]
    return Contents(header, rows if rows[-1:] != [()] else rows[:-1], "".join(sides))


MARKDOWN = re.compile(r"[\\`*\[<|~$&#]|\b_+|_+\b")  # not _ within a name, which GitHub keeps


def escape_markdown(text: str) -> str:
    """`text` as GitHub shows it."""
    return MARKDOWN.sub(lambda found: "".join(f"\\{each}" for each in found[0]), text)


def markdown_table(told: Contents) -> Iterator[str]:
    """A table between pipes; its first row is a header, even an empty one."""
    columns = []
    rows = [told.header or [""] * len(told.sides), *filter(None, told.rows)]
    for side, *cells in zip(told.sides, *rows, strict=True):
        width = max(3, *map(len, cells))
        header, *below = (cell.rjust(width) if side == "r" else cell.ljust(width) for cell in cells)
        columns.append([header, "-" * (width - 1) + (":" if side == "r" else "-"), *below])
    for row in zip(*columns, strict=True):
        yield f"| {' | '.join(row)} |"


SPECIAL = {each: f"\\{each}" for each in "&%$#_{}"} | {
    **{each: f"${each}$" for each in "<>|"},
    "[": "{[}",
    "*": "{*}",  # which \\ would take for its own
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "`": r"\textasciigrave{}",
    '"': r"\texttt{\char34}",
}
IN_MATH = {"−": "-", "½": r"\frac12"} | {
    each[0]: f"\\{each[1:]}"
    for each in [
        "αalpha",
        "βbeta",
        "γgamma",
        "δdelta",
        "εvarepsilon",
        "ϵepsilon",
        "ζzeta",
        "ηeta",
        "θtheta",
        "ιiota",
        "κkappa",
        "λlambda",
        "μmu",
        "νnu",
        "ξxi",
        "πpi",
        "ρrho",
        "σsigma",
        "ςvarsigma",
        "τtau",
        "υupsilon",
        "φvarphi",
        "ϕphi",
        "χchi",
        "ψpsi",
        "ωomega",
        "ΓGamma",
        "ΔDelta",
        "ΘTheta",
        "ΛLambda",
        "ΞXi",
        "ΠPi",
        "ΣSigma",
        "ΥUpsilon",
        "ΦPhi",
        "ΨPsi",
        "ΩOmega",
        "∂partial",
        "∇nabla",
        "ℓell",
        "√surd",
        "∞infty",
        "≤le",
        "≥ge",
        "≠ne",
        "≈approx",
        "×times",
        "÷div",
        "·cdot",
        "±pm",
        "→to",
        "←gets",
        "‖Vert",
        "∈in",
        "∑sum",
        "∏prod",
    ]
}
LATEX = re.compile(
    r"(?<![\w.])(?P<minus>-?)(?P<number>\d[\d.,]*)(?:e(?P<exponent>[+-]\d+))?"
    r"|(?P<twice>[-'])(?=(?P=twice))|."
)


def escape_latex(text: str) -> str:
    """`text` as pdfLaTeX prints it: powers of ten, Greek, and raised and lowered characters as
    formulas. What its fonts do not have, as Chinese, stays, for LuaLaTeX."""
    return LATEX.sub(latex_of, normalize("NFC", text))


def latex_of(found: re.Match[str]) -> str:
    """A number or a character of a text in LaTeX."""
    text, number, exponent = found[0], found["number"], found["exponent"]
    if exponent:
        return rf"${found['minus']}{number}\cdot10^{{{int(exponent)}}}$"
    if number:
        return f"$-${number}" if found["minus"] else number
    if found["twice"]:  # else two become a dash or a quotation mark
        return f"{text}{{}}"
    kind, *codes = decomposition(text).split() or [""]
    if kind in ("<super>", "<sub>"):
        inner = "".join(chr(int(code, 16)) for code in codes).replace("−", "-")
        return f"${'^' if kind == '<super>' else '_'}{{{inner}}}$"
    return f"${IN_MATH[text]}$" if text in IN_MATH else SPECIAL.get(text, text)


def latex_table(told: Contents) -> Iterator[str]:
    """A table with the lines of booktabs."""
    sides = told.sides.replace("p", r"p{0.7\linewidth}")
    yield rf"\begin{{tabular}}{{{sides}}} % \usepackage{{booktabs}}"
    yield r"\toprule"
    if told.header:
        yield rf"{' & '.join(told.header)} \\"
        yield r"\midrule"
    # A cell that is ragged takes \\ for its own.
    last, end = (r"\raggedright ", r"\tabularnewline") if "p" in sides else ("", r"\\")
    for row in told.rows:
        cells = [*row[:-1], *(last + cell for cell in row[-1:])]
        yield f"{' & '.join(cells)} {end}" if row else r"\addlinespace"
    yield r"\bottomrule"
    yield r"\end{tabular}"


OPTION = re.compile(r"--([a-z][a-z0-9-]*)")


def escape_html(text: str) -> str:
    """`text` for a notebook, where options are arguments."""
    return escape(OPTION.sub(lambda at: at[1].replace("-", "_"), text))


def html_table(told: Contents) -> Iterator[str]:
    """A table of HTML."""
    looks = [f'style="text-align: {"right" if side == "r" else "left"}"' for side in told.sides]

    def row(kinds: Iterable[str], cells: Sequence[str]) -> str:
        parts = zip(kinds, looks, cells, strict=False)
        return (
            f"<tr>{''.join(f'<{kind} {look}>{cell}</{kind}>' for kind, look, cell in parts)}</tr>"
        )

    yield "<table>"
    if told.header:
        yield f"<thead>{row(repeat('th'), told.header)}</thead>"
    yield "<tbody>"
    for cells in filter(None, told.rows):
        yield row(chain(["td" if told.header else "th"], repeat("td")), cells)
    yield "</tbody></table>"


# By the name of what standard output gets; HTML is for notebooks.
MARKUPS = {
    "markdown": Markup(escape_markdown, "&emsp;", "{}", markdown_table),
    "latex": Markup(escape_latex, r"\quad ", r"\noindent {}", latex_table),
    "html": Markup(escape_html, "&emsp;", "<div>{}</div>", html_table),
}
