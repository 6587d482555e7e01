"""Tables as Markdown, LaTeX and HTML: consoles that write them so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import zip_longest
from typing import IO, Any
from unicodedata import decomposition, normalize

from rich.console import Console
from rich.table import Table

Cells = Sequence[str]


class Paper(Console):
    """A console that writes lines and tables as markup, each a block with a blank line before it.

    line_form : what a line of text is put into.
    inset : what sets in a cell that begins with spaces.
    """

    line_form, inset = "{}", "&emsp;"

    def __init__(self, file: IO[str], width: int) -> None:
        super().__init__(
            file=file,
            width=width,
            force_terminal=False,
            force_jupyter=False,  # else Rich shows lines in the notebook itself, not in the file
            highlight=False,
        )
        self.has_begun = False

    def print(self, *objects: Any, **how: Any) -> None:
        """Write lines and tables; `how` they look on a terminal does not matter."""
        for each in objects:
            if isinstance(each, Table):
                text = "\n".join(self.lines_of(each))
            else:
                text = self.line_form.format(self.escape(each.strip()))
            blank = "\n" * self.has_begun
            super().print(f"{blank}{text}", markup=False, emoji=False, soft_wrap=True)
            self.has_begun = True

    def line(self, count: int = 1) -> None:
        """Nothing: each block has a blank line before it."""

    def lines_of(self, table: Table) -> Iterator[str]:
        """The lines of a table that Rich can show."""
        header = [self.escape(str(column.header)) for column in table.columns]
        sides = [
            "r" if each.justify == "right" else "lp"[not each.no_wrap] for each in table.columns
        ]
        rows: list[Cells] = []
        columns = (map(self.cell, column.cells) for column in table.columns)
        for look, row in zip(table.rows, zip(*columns, strict=True), strict=True):
            rows += [row if any(row) else (), *([()] if look.end_section else [])]
        if rows[-1:] == [()]:
            rows.pop()
        return self.table_of(header if table.show_header else [], rows, "".join(sides))

    def cell(self, text: Any) -> str:
        """A cell of a table."""
        inset = self.inset if text.startswith("  ") else ""
        return inset + self.escape(text.strip())

    def escape(self, text: str) -> str:
        """`text` with its special characters as such."""
        raise NotImplementedError

    def table_of(self, header: Cells, rows: Sequence[Cells], sides: str) -> Iterator[str]:
        """The lines of a table.

        header : the columns' names, perhaps of several lines; none of names and values.
        rows : each with a cell for each column; none for a gap between rows.
        sides : where cells stand: ``l``, ``r``, or ``p`` for words that may take several lines.
        """
        raise NotImplementedError


IN_MARKDOWN = re.compile(r"[\\`*\[<|~$&#]|\b_+|_+\b")  # not _ within a name


class Markdown(Paper):
    """Tables between pipes, as GitHub shows them."""

    def escape(self, text: str) -> str:
        return IN_MARKDOWN.sub(lambda found: "".join(f"\\{each}" for each in found[0]), text)

    def table_of(self, header: Cells, rows: Sequence[Cells], sides: str) -> Iterator[str]:
        names = [name.replace("\n", " ") for name in header or [""] * len(sides)]
        columns = []
        for side, *cells in zip(sides, names, *filter(None, rows), strict=True):
            width = max(3, *map(len, cells))
            rule, mark = "-" * (width - 1), ":" if side == "r" else "-"
            pad = str.rjust if side == "r" else str.ljust
            columns.append([pad(each, width) for each in (cells[0], rule + mark, *cells[1:])])
        yield from (f"| {' | '.join(row)} |" for row in zip(*columns, strict=True))


# A character, and what TeX calls it in a formula.
SYMBOLS = (
    "αalpha βbeta γgamma δdelta εvarepsilon ϵepsilon ζzeta ηeta θtheta ιiota κkappa λlambda μmu "
    "νnu ξxi πpi ρrho σsigma ςvarsigma τtau υupsilon φvarphi ϕphi χchi ψpsi ωomega ΓGamma ΔDelta "
    "ΘTheta ΛLambda ΞXi ΠPi ΣSigma ΥUpsilon ΦPhi ΨPsi ΩOmega ∑sum ∏prod ∂partial ∇nabla ℓell "
    "√surd ∞infty ∈in ≤le ≥ge ≠ne ≈approx ×times ÷div ·cdot ±pm →to ←gets ‖Vert"
)
IN_LATEX = {
    **{each: f"\\{each}" for each in "&%$#_{}"},
    **{each: f"${each}$" for each in "<>|"},
    **{each: f"{{{each}}}" for each in "[*"},  # which a line's end would take for its own
    **{symbol: rf"$\{name}$" for symbol, name in re.findall(r"(\S)([A-Za-z]+)", SYMBOLS)},
    "−": "$-$",
    "½": r"$\frac12$",
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "`": r"\textasciigrave{}",
    '"': r"\texttt{\char34}",
}


class Latex(Paper):
    """Tables with the lines of booktabs. Powers of ten, Greek, raised and lowered characters are
    formulas; what pdfLaTeX's fonts do not have, as Chinese, stays, for LuaLaTeX."""

    line_form, inset = r"\smallskip\noindent {}", r"\quad "
    TOKEN = re.compile(
        r"(?<![\w.])(?P<minus>-?)(?P<number>\d[\d.,]*)(?:e(?P<exponent>[+-]\d+))?"
        r"|(?P<twice>[-'])(?=(?P=twice))|."
    )

    def escape(self, text: str) -> str:
        return self.TOKEN.sub(self.token, normalize("NFC", text))

    def token(self, found: re.Match[str]) -> str:
        """A number or a character of a text."""
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
        return IN_LATEX.get(text, text)

    def table_of(self, header: Cells, rows: Sequence[Cells], sides: str) -> Iterator[str]:
        widths = sides.replace("p", r"p{0.7\linewidth}")
        yield r"\medskip\noindent % \usepackage{booktabs}"
        yield rf"\begin{{tabular}}{{@{{}}{widths}@{{}}}}"
        yield r"\toprule"
        for names in reversed([*zip_longest(*(name.split("\n")[::-1] for name in header))]):
            yield rf"{' & '.join(name or '' for name in names)} \\"
        if header:
            yield r"\midrule"
        # A cell that is ragged takes \\ for its own.
        ragged, end = (r"\raggedright ", r"\tabularnewline") if "p" in sides else ("", r"\\")
        for *cells, last in (row or ("",) for row in rows):
            yield f"{' & '.join([*cells, ragged + last])} {end}" if cells else r"\addlinespace"
        yield r"\bottomrule"
        yield r"\end{tabular}"


class Html(Paper):
    """Tables for a notebook, where options are arguments."""

    line_form = "<div>{}</div>"
    OPTION = re.compile(r"(?<!\w)--([a-z][a-z0-9-]*)")

    def escape(self, text: str) -> str:
        return escape(self.OPTION.sub(lambda at: at[1].replace("-", "_"), text))

    def table_of(self, header: Cells, rows: Sequence[Cells], sides: str) -> Iterator[str]:
        yield "<table>"
        for row in filter(None, (header, *rows)):
            cells = []
            for place, (side, cell) in enumerate(zip(sides, row, strict=True)):
                kind = "th" if row is header or not place else "td"
                look = f'style="text-align: {"right" if side == "r" else "left"}"'
                cells.append(f"<{kind} {look}>{cell}</{kind}>")
            yield f"<tr>{''.join(cells)}</tr>"
        yield "</table>"


# By the name of what standard output gets; HTML is for notebooks.
PAPERS: dict[str, type[Paper]] = {"markdown": Markdown, "latex": Latex, "html": Html}
