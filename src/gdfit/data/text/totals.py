"""A row at the end of a file that is no observation, as its first word says."""

from __future__ import annotations

import re

from gdfit.data.text import fields
from gdfit.data.text.blocks import LINE_END
from gdfit.data.text.header import Layout
from gdfit.data.text.sniffing import has_number
from gdfit.errors import quoted

TOTAL = re.compile(
    r"(?:(?:grand|sub)[ -]?)?totale?[sn]?\b|sums?\b|means?\b|averages?\b|avg\b|summen?\b|"
    r"(?:ins)?gesamt|mittel(?:wert)?\b|durchschnitt|somme\b|moyenne|suma\b|promedio|media\b|totaal",
    re.IGNORECASE,
)
TAIL_BYTES = 1 << 12  # of a file's end, which have its last rows


def note_of_total(text: bytes, layout: Layout) -> str | None:
    """What to say of the last row of a file, whose last bytes are `text`, where it begins with a
    word as Total, and the row above does not."""
    first = LINE_END.search(text)
    rows = [*fields.records(text[first.end() :], layout.grammar)] if first else []
    if len(rows) < 2:
        return None
    above, last = (
        [fields.content(field, layout.grammar).decode(errors="replace") for field in row.fields]
        for row in rows[-2:]
    )
    word = next(filter(None, last), "")
    if not TOTAL.match(word) or TOTAL.match(next(filter(None, above), "")):
        return None
    if len(last) != len(layout.names) or not has_number(last):
        return None
    return f"the last row begins with {quoted(word)}: `skip_end` 1 leaves it out"
