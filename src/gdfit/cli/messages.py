"""What goes to standard error, a line each."""

from __future__ import annotations

import re
import sys

ARGUMENT = re.compile(r"`([a-z]\w*)`")


def note(message: str) -> None:
    """Something that is no error."""
    print(f"gdfit: note: {as_options(message)}", file=sys.stderr)


def complain(message: str) -> None:
    """An error."""
    print(f"gdfit: error: {as_options(message)}", file=sys.stderr)


def as_options(message: str) -> str:
    """`message` with each argument that it names as it is called in a shell: ``--batch-size``."""
    return ARGUMENT.sub(lambda match: f"--{match[1].replace('_', '-')}", message)
