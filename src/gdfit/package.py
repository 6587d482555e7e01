"""The package's version, and what a notebook asks its values for in order to show them."""

from __future__ import annotations

__version__ = "1.0.0"

TYPE_CHECKING = False  # as in typing, which takes longer to import than to press Ctrl-C
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar


class Displayed:
    """Shows itself in a notebook.

    _repr_html_ : makes the HTML. The package sets it, as what shows is above what is shown.
    """

    _repr_html_: ClassVar[Callable[[Any], str]]
