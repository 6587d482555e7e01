"""What all pictures share: colours, the largest number that an axis can show, and names as text."""

# Okabe and Ito's colours, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, BLACK = "#CC79A7", "#56B4E9", "#F0E442", "#000000"
LINES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, "#999999", "#7F4F24")
LONGEST_NAME = 24
LARGEST = 1e200  # what an axis can show


def text_of(name: str) -> str:
    """A column's name as text for a picture: not too long, and no formula."""
    name = " ".join(name.split())
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return short.replace("$", r"\$")
