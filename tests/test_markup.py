"""Tables as Markdown, LaTeX and HTML say what the terminal says, whatever columns are called."""

from __future__ import annotations

import io
import re
import string
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

import gdfit as library
from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.show.tables import style
from gdfit.show.tables.markup import IN_LATEX, PAPERS

NAMES = ["a_b%", "_c&d#_", r"$x{1}\^~", "θ²λ₁ŷ", 'é|"`<q>', "[z]*--''", "&amp;y_%|"]
COMMANDS = [
    "train nasty.csv --epochs 5 --model nasty.json",
    "train lecture.csv --x 1.5 --model lecture.json",
    "train lecture.csv --lr 0.7 --epochs 30 --no-model",
    "summary nasty.csv --model nasty.json",
    "summary lecture.csv --model lecture.json",
    "evaluate nasty.csv --model nasty.json",
    "compare nasty.csv --lr 0.01,0.1 --optimizer gd,adam",
    "compare lecture.csv --loss mse,mae --lr 0.01,4 --epochs 20",
    "path nasty.csv --cv 5",
    "path nasty.csv --penalty mix",
    "curvature nasty.csv",
    "gradcheck nasty.csv",
    "train classes.csv --loss logistic --epochs 50 --model classes.json",
    "summary classes.csv --model classes.json",
    "evaluate classes.csv --model classes.json",
    "train classes.csv --by g#p --features x_1 --loss logistic --model groups.json",
    "summary classes.csv --model groups.json",
]
TO_TYPE = re.compile(
    r" (next|or|best|model) +(to \w|at the|gdfit|\S+\.json$)"
)  # a document has none
ON_A_LINE = " at the minimum, but for rounding"  # what a document says below the table


def written(folder: Path) -> None:
    """Data whose names have characters that mean something to Markdown, LaTeX and HTML."""
    random = np.random.default_rng(3)
    x = random.normal(size=(60, 6))
    y = x @ [1e-5, 2, -3, 0.5, 1, -1] + random.normal(size=60)
    header = ",".join('"' + name.replace('"', '""') + '"' for name in NAMES)
    np.savetxt(
        folder / "nasty.csv", np.c_[x, y], delimiter=",", header=header, comments="", fmt="%.5f"
    )
    groups, classes = ["A_1%", "[B]*", "γ|~"], ["{no}", "50%_yes"]
    rows = [
        f"{value:.4f},{groups[row % 3]},{classes[int(value + noise > 0)]}"
        for row, (value, noise) in enumerate(random.normal(size=(80, 2)))
    ]
    (folder / "classes.csv").write_text("\n".join(["x_1,g#p,y&", *rows]), encoding="utf-8")
    (folder / "lecture.csv").write_bytes(LECTURE.read_bytes())


class Reader(HTMLParser):
    """Reads what a browser shows."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(html: str) -> str:
    reader = Reader()
    reader.feed(html)
    return reader.text


def read_markdown(text: str) -> str:
    """What GitHub shows: CommonMark with tables and strikethrough."""
    return shown(MarkdownIt().enable(["table", "strikethrough"]).render(text))


MACROS = {
    r"\textbackslash{}": "\\",
    r"\textasciicircum{}": "^",
    r"\textasciitilde{}": "~",
    r"\textasciigrave{}": "`",
    r"\texttt{\char34}": '"',
    r"\frac12": "½",
    **{rf"\{each}": each for each in "&%$#_{}"},
    **{rf"\{name}": character for name, character in [("cdot", "·"), ("Vert", "‖"), ("pm", "±")]},
    **{rf"\{name}": chr(int(code, 16)) for name, code in [("theta", "3b8"), ("gamma", "3b3")]},
    r"\lambda": "λ",
}
LAYOUT = (
    r"\\(?:begin|end)\{tabular\}.*|\\(?:top|mid|bottom)rule|\\addlinespace|%.*|\\smallskip|\\medskip"
    r"|\\noindent|\\raggedright|\\quad|\\tabularnewline|\\\\$"
)
TEX = re.compile(
    rf"(?P<layout>(?<!\\)(?:{LAYOUT}))"
    r"|\$(?P<minus>-?)(?P<number>[\d.]+)\\cdot10\^\{(?P<exponent>-?\d+)\}\$"
    r"|\$(?P<how>[\^_])\{(?P<raised>[^}]*)\}\$"
    rf"|\$(?P<formula>[-<>|]|\\\w+)\$|(?P<macro>{'|'.join(map(re.escape, MACROS))})"
    r"|\{(?P<kept>[\[*])\}|(?P<first>[-'])\{\}|(?P<plain>.)",
    re.MULTILINE,
)
SPECIAL = '\\{}$^~%#_&<>|"`[*'


def read_latex(text: str) -> str:
    """What LaTeX prints of what a table is made of; no other command and special character is
    taken."""

    def character(found: re.Match[str]) -> str:
        part = found.groupdict()
        if part["layout"]:
            return " "
        if part["number"]:
            return f"{part['minus']}{part['number']}e{int(part['exponent']):+03d}"
        if part["how"]:
            kind = "SUPERSCRIPT" if part["how"] == "^" else "SUBSCRIPT"
            names = {"1": "ONE", "2": "TWO"}
            return unicodedata.lookup(f"{kind} {names[part['raised']]}")
        if part["plain"] == "&":
            return " "
        assert part["plain"] is None or part["plain"] not in SPECIAL, (found, text)
        whole = part["formula"] or part["macro"] or part["kept"] or part["first"] or part["plain"]
        return MACROS.get(whole, whole)

    return TEX.sub(character, text)


def words_of(text: str) -> list[str]:
    """Words in any order, as a header may stand on more lines than one."""
    return sorted(unicodedata.normalize("NFC", text).replace("−", "-").split())


@pytest.mark.parametrize(("form", "read"), [("markdown", read_markdown), ("latex", read_latex)])
def test_a_document_says_what_the_terminal_says(
    gdfit: Gdfit, tmp_path: Path, form: str, read: Callable[[str], str]
) -> None:
    written(tmp_path)
    for command in COMMANDS:
        arguments = command.split()
        terminal, document = gdfit(*arguments), gdfit(*arguments, "--format", form)
        err = document.err.replace(f" --format {form}", "")
        assert (document.status, err) == (terminal.status, terminal.err)
        lines = [
            line
            for line in terminal.out.splitlines()
            if "───" not in line and not TO_TYPE.match(line) and line != ON_A_LINE
        ]
        text = re.sub(r"from epoch \S+ on at the minimum, but for rounding", "", document.out)
        assert words_of(read(text)) == words_of("\n".join(lines)), command


def escaped(form: str, text: str) -> str:
    file = io.StringIO()
    return PAPERS[form](file, style.PIPE).escape(text)


@pytest.mark.parametrize("form", ["markdown", "latex", "html"])
def test_each_character_comes_out_as_it_is(form: str) -> None:
    read = {"markdown": read_markdown, "latex": read_latex, "html": shown}[form]
    for first in string.punctuation:
        for second in string.punctuation:
            name = f"a{first}{second}b {first}a{second} b{first}"
            assert read(escaped(form, name)).strip() == name


def test_numbers_in_latex() -> None:
    told = {
        "1.2000e-05": r"$1.2000\cdot10^{-5}$",
        "-3.5e+12": r"$-3.5\cdot10^{12}$",
        "-0.5": "$-$0.5",
        "<1e-300": r"$<$$1\cdot10^{-300}$",
        "1,000 of 2024-03-01": "1,000 of 2024-03-01",
        "x2e-5 w_1": r"x2e-5 w\_1",
        "R² of x⁻¹": "R$^{2}$ of x$^{-}$$^{1}$",
        "ŷ = ½‖w‖₁": r"ŷ = $\frac12$$\Vert$w$\Vert$$_{1}$",
    }
    assert {text: escaped("latex", text) for text in told} == told
    greek = [chr(code) for code in (*range(0x3B1, 0x3CA), 0x393, 0x394, 0x3A9)]
    assert [each for each in greek if each not in IN_LATEX] == ["ο"]  # which TeX does not have


def test_the_lines_of_booktabs() -> None:
    file = io.StringIO()
    table = style.new_table("name", ["least\nsquares", "p"], vertical="bottom")
    table.add_row("  [a]", "1", "-2")
    table.add_section()
    table.add_row("b", "3", "")
    style.show(style.markup_console("latex", file), table, style.key_values([("N", "25")]))
    assert (
        file.getvalue()
        == r"""\medskip\noindent % \usepackage{booktabs}
\begin{tabular}{@{}lrr@{}}
\toprule
 & least &  \\
name & squares & p \\
\midrule
\quad {[}a] & 1 & $-$2 \\
\addlinespace
b & 3 &  \\
\bottomrule
\end{tabular}

\medskip\noindent % \usepackage{booktabs}
\begin{tabular}{@{}lp{0.7\linewidth}@{}}
\toprule
N & \raggedright 25 \tabularnewline
\bottomrule
\end{tabular}
"""
    )


def test_numbers_stand_on_the_right_in_markdown() -> None:
    file = io.StringIO()
    table = style.new_table("name", ["value"])
    table.add_row("a|b", "-1.5")
    style.show(style.markup_console("markdown", file), table)
    lines = ["| name | value |", "| ---- | ----: |", r"| a\|b |  -1.5 |"]
    assert file.getvalue().splitlines() == lines


def test_a_notebook_shows_the_same_tables(gdfit: Gdfit, tmp_path: Path) -> None:
    written(tmp_path)
    fit = library.train(library.read_observations("lecture.csv"), epochs=50)
    out = gdfit("train", "lecture.csv", "--epochs", "50").out
    rows = [line.split() for line in out.splitlines() if re.match(r" +\d+ ", line)]
    read = shown(fit._repr_html_())
    assert len(rows) == 7
    assert all(" ".join(row) in " ".join(read.split()) for row in rows)
    beds = str(SAMPLES / "greenhouse.csv")
    found = library.train_groups(library.read_observations(beds, by="bed"))
    out = gdfit("train", beds, "--by", "bed", "--no-model").out
    assert words_of(shown(found._repr_html_())) == words_of(re.sub("─|--", "", out))
