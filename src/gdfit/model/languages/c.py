"""C, and its standard library."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import ClassVar

from gdfit.errors import printable
from gdfit.model.languages.language import Cases, Language
from gdfit.model.linear import LinearModel

# No C keyword may name a param, nor what gcc predefines or is a name in the headers here.
NOT_IN_C = re.compile(
    "alignas|alignof|asm|auto|bool|break|case|char|const|constexpr|continue|default|do|double|else|"
    "enum|errno|exp|extern|false|float|for|goto|i386|if|inline|int|linux|log(2|10)?|long|nullptr|"
    "pow|register|restrict|return|short|signed|sizeof|sqrt|static|static_assert|std(err|in|out)|"
    "strcmp|struct|switch|thread_local|true|typedef|typeof|typeof_unqual|union|unix|unsigned|void|"
    "volatile|while|NAN"
)


class C(Language):
    """A function in C, with a param for each column."""

    functions: ClassVar = {
        "log": "log",
        "log2": "log2",
        "log10": "log10",
        "exp": "exp",
        "sqrt": "sqrt",
    }

    def __init__(self, model: LinearModel) -> None:
        super().__init__(model)
        self.names = dict(zip(self.inputs, c_names(self.inputs), strict=True))

    def column(self, name: str) -> str:
        return self.names[name]

    def power(self, number: str, exponent: int) -> str:
        return f"pow({number}, {exponent})"

    def choice(self, column: str, cases: Cases) -> str:
        name = self.column(column)
        tests = (
            f"{name} == {self.number(level)}"
            if isinstance(level, float)
            else f"strcmp({name}, {c_string(level)}) == 0"
            for level, _ in cases
        )
        pairs = zip(tests, cases, strict=True)
        lines = [f"{test} ? {text}\n            : " for test, (_, text) in pairs]
        missing = f"!{name} ? NAN\n            : " if column in self.texts else ""  # a null pointer
        return f"({missing}{''.join(lines)}NAN)"

    def whole(self, summands: Sequence[str]) -> str:
        lines = "\n        ".join(summands)
        headers = [
            *(["#include <math.h>\n"] if re.search(r"\b(log|exp|sqrt|pow|NAN)", lines) else []),
            *(["#include <string.h>\n"] if self.texts else []),
        ]
        params = [
            f"    {'const char *' if name in self.texts else 'double '}{self.names[name]}"
            f"{',' if place < len(self.inputs) else ''}  /* {in_comment(name)} */\n"
            for place, name in enumerate(self.inputs, start=1)
        ]
        return (
            f"/* Written by gdfit. It gives {in_comment(self.model.target)}, to gdfit's last bit\n"
            "   if it is compiled with -ffp-contract=off. */\n"
            f"{''.join(headers)}\ndouble predict(\n{''.join(params)})\n"
            f"{{\n    return {lines};\n}}\n"
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
