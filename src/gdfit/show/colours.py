"""What all pictures share: colours, and names and numbers as text."""

from __future__ import annotations

import math
import unicodedata

import numpy as np

# Okabe and Ito's colours, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, BLACK, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#000000", "#6B6B6B"
# Of lines with a name beside them: dark enough to be read on white.
LINES = (BLUE, "#B84C00", "#00785A", "#A03C78", "#8A6400", "#5B4BC4", "#333333")
STYLES = ("-", "--", ":")
EPOCHS = ("#F3C13A", PURPLE, "#7A1F6B")  # of marked epochs, from the first to the last
LONGEST_NAME = 28
LARGEST = 1e200  # what an axis can show
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def shade(late: float) -> str:
    """The colour of a marked epoch: 0 is the first, 1 the last."""
    parts = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in EPOCHS]
    places = np.linspace(0, 1, len(EPOCHS))
    mixed = [round(float(np.interp(late, places, part))) for part in zip(*parts, strict=True)]
    return "#" + "".join(f"{part:02X}" for part in mixed)


def text_of(name: str) -> str:
    """A column's name as text for a picture: not too long, and no formula."""
    name = " ".join(name.split())
    half = LONGEST_NAME // 2
    # Names that are long often differ in their ends.
    short = name if len(name) <= LONGEST_NAME else f"{name[: half - 1]}…{name[-half:]}"
    return isolated(short).replace("$", r"\$")


def isolated(name: str) -> str:
    """A name that is written from right to left, so that it does not turn what stands around it."""
    turned = any(unicodedata.bidirectional(character) in ("R", "AL") for character in name)
    return f"\u2068{name}\u2069" if turned else name


def number(value: float) -> str:
    """A number for a picture, to four digits: ``−0.3011``, ``40,176``, ``1.2·10²⁶``."""
    if not math.isfinite(value):
        return str(value).replace("inf", "∞").replace("-", "−")
    size = abs(value)
    if value == 0 or 1e-4 <= size < 1e7:
        decimals = 3 - math.floor(math.log10(size)) if value else 0
        text = f"{value:,.{max(decimals, 0)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.replace("-", "−")
    return scientific(value)


def scientific(value: float) -> str:
    """A number other than 0 as a power of ten, to four digits: ``10⁵``, ``1.2·10²⁶``."""
    mantissa, exponent = f"{value:.3e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".").replace("-", "−")
    power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    return power if mantissa == "1" else f"{mantissa}·{power}"


def count(number: int, thing: str) -> str:
    """``1 epoch``, ``1,000 epochs``."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
