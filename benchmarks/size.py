"""How much code there is: lines that are not blank, no comment and no docstring, by folder.

python benchmarks/size.py [FOLDER] [--files]
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "gdfit"
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def code_lines(path: Path) -> int:
    """How many lines of a Python file hold code."""
    text = path.read_text(encoding="utf-8")
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) or not body:
            continue
        first = body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            lines.difference_update(range(first.lineno, (first.end_lineno or 0) + 1))
    return len(lines)


def main(arguments: list[str]) -> None:
    """Print the count of each folder, or with ``--files`` of each file, and of all."""
    folders = [Path(each) for each in arguments if not each.startswith("-")]
    source = folders[0] if folders else SOURCE
    counts = {path: code_lines(path) for path in sorted(source.rglob("*.py"))}
    sums: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path, count in counts.items():
        place = path.relative_to(source)
        part = str(place if "--files" in arguments else place.parent)
        sums[part] += count
        files[part] += 1
    for part, count in sums.items():
        print(f"{count:7,} lines  {files[part]:4} files  {part}")
    print(f"{sum(sums.values()):7,} lines  {len(counts):4} files  in all")
    longest = max(counts, key=counts.__getitem__)
    print(f"{counts[longest]:7,} lines in the longest, {longest.relative_to(source)}")


if __name__ == "__main__":
    main(sys.argv[1:])
