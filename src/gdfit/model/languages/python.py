"""Python, and its standard library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gdfit.errors import printable
from gdfit.model.languages.language import Cases, Language


class Python(Language):
    """A function in Python, of a row by column names: a dict, or what csv.DictReader gives."""

    functions: ClassVar = {
        "log": "math.log",
        "log2": "math.log2",
        "log10": "math.log10",
        "exp": "math.exp",
        "sqrt": "math.sqrt",
    }

    def column(self, name: str) -> str:
        return f"row[{name!r}]" if name in self.texts else f"float(row[{name!r}])"

    def power(self, number: str, exponent: int) -> str:
        return f"{number} ** {exponent}"

    def choice(self, column: str, cases: Cases) -> str:
        lines = "".join(f"\n            {level!r}: {text}," for level, text in cases)
        return f"{{{lines}\n        }}[{self.column(column)}]"

    def whole(self, summands: Sequence[str]) -> str:
        lines = "\n        ".join(summands)
        imports = "import math\n\n\n" if "math." in lines else ""
        return (
            f"# Written by gdfit. It gives {printable(self.model.target)} for a row, "
            "which maps\n# the names of columns to values, as a dict or a row of csv.DictReader "
            f"does.\n{imports}def predict(row):\n    return (\n        {lines}\n    )\n"
        )
