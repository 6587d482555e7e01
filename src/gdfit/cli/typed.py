"""What was typed: to tell options that were given from defaults, and to say what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gdfit.errors import UsageError


@dataclass(frozen=True)
class Typed:
    """A command line.

    arguments : as they were typed, the command first.
    given : the names of the options that stand among them.
    """

    arguments: Sequence[str]
    given: frozenset[str]

    def again(self, changes: Mapping[str, str]) -> str:
        """The command line as a shell takes it, with other values for some options, or without
        those that have none."""
        return shlex.join(["gdfit", *self.changed(changes)])

    def changed(self, changes: Mapping[str, str]) -> list[str]:
        """The arguments with other values for some options, or without those that have none."""
        kept: list[str] = []
        skipping = False
        for word in self.arguments:
            name, equals, _ = word.partition("=")
            if skipping:
                skipping = False
            elif name.startswith("--") and name.removeprefix("--") in changes:
                skipping = not equals
            else:
                kept.append(word)
        return [
            *kept,
            *(word for name, value in changes.items() if value for word in (f"--{name}", value)),
        ]

    def refuse(self, name: str, why: str, *, unless: bool) -> None:
        """Raise for an option that was given and has no effect."""
        if name in self.given and not unless:
            raise UsageError(f"`{name}` has no effect here: it {why}")
