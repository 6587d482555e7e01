"""What a notebook asks a value for in order to show it."""

from __future__ import annotations

from importlib import import_module


class Displayed:
    """Shows itself in a notebook, as `gdfit.show.notebook` has it.

    That is above all that may be shown, and is imported when it is asked for, by its name: the one
    way up in the house.
    """

    def _repr_html_(self) -> str:
        html: str = import_module("gdfit.show.notebook").html_of(self)
        return html
