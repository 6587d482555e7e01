"""The expansion of a model, as its file has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from gdfit.data.expansion import Expansion
from gdfit.data.terms import read_term
from gdfit.errors import GdfitError, UsageError, quoted


class RecordedTable:
    """The columns that a model's file names, as `read_term` asks for them."""

    def __init__(self, inputs: Sequence[str], texts: Sequence[str]) -> None:
        self._inputs, self._texts = inputs, texts

    def find(self, name: str) -> str | None:
        """The column of this name."""
        return name if name in self._inputs else None

    def missing(self, name: str, more: str = "") -> Exception:
        """What to say where there is none, and `more`."""
        return UsageError(f"{quoted(name)} is no input{more}")

    def holds_text(self, column: str) -> bool:
        """Whether its levels are texts."""
        return column in self._texts


def expansion_of(record: Mapping[str, object]) -> Expansion:
    """The expansion in a model's file.

    Raises
    ------
    ValueError : it is damaged.
    """
    inputs, terms, levels = record.get("inputs"), record.get("terms"), record.get("levels", {})
    if not (is_texts(inputs) and is_texts(terms) and isinstance(levels, Mapping)):
        raise ValueError
    table = RecordedTable(cast(list[str], inputs), list(levels))
    try:
        read = tuple(read_term(text, table) for text in cast(list[str], terms))
    except GdfitError:
        raise ValueError from None
    expansion = Expansion(read)
    if list(map(str, expansion.categories)) != list(levels) or expansion.inputs != tuple(
        cast(list[str], inputs)
    ):
        raise ValueError
    known = []
    for category in expansion.categories:
        found = levels[str(category)]
        kind = str if category.is_text else (int, float)
        if not isinstance(found, list) or not all(isinstance(level, kind) for level in found):
            raise ValueError
        known.append(tuple(level if category.is_text else float(level) for level in found))
        if not known[-1] or len(set(known[-1])) < len(known[-1]):
            raise ValueError
    return Expansion(read, tuple(known))


def is_texts(value: object) -> bool:
    """Whether it is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
