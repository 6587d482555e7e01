"""The package's version, and what a notebook asks its values for in order to show them."""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # as in typing, which takes longer to import than to press Ctrl-C
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar


class Displayed:
    """Shows itself in a notebook.

    html_of : makes the HTML of a value. The package sets it, as what shows is above what is shown.
    """

    html_of: ClassVar[Callable[[Any], str]]

    def _repr_html_(self) -> str:
        return Displayed.html_of(self)
