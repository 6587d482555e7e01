"""Pictures of a run, for a slide or a page: the fit, the loss, the path of the params."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from gdfit.choices import Panel
from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit
from gdfit.errors import UsageError, quoted
from gdfit.show.tables import words
from gdfit.system import written_beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# No identifiers that are drawn by lot, and text that remains text.
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "gdfit",
    "svg.fonttype": "none",
    "font.size": 12,
    "axes.titlesize": 13,
}
PIXELS = (1600, 900)
WHOLE_DPI, PANEL_DPI = 120, 225  # pixels an inch: of the whole picture, and of one panel of it
HEADLINE = {WHOLE_DPI: 104, PANEL_DPI: 62}  # letters on a line


def check_picture_ending(path: Path) -> None:
    """Raise where `path` does not end as a picture does."""
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        ends = "ends in .png, .svg or .pdf"
        raise UsageError(f"`plot` takes a file that {ends}, not {quoted(str(path))}")


def save_plot(
    fit: Fit,
    steps: Sequence[Step],
    path: Path,
    panel: Panel = "all",
    interval: float | None = None,
) -> None:
    """Draw the run, or one panel of its picture, to the file at `path`: see `draw`."""
    save_figure(lambda: draw(fit, steps, panel, interval), path)


def save_figure(draw_it: Callable[[], Figure], path: Path) -> None:
    """Write a figure beside `path`, then rename it; the same one gives the same file."""
    with written_beside(path) as beside:
        write_figure(draw_it, beside, path.suffix.lower().lstrip("."))


def write_figure(
    draw_it: Callable[[], Figure], file: Path | BinaryIO, kind: str, dpi: int | None = None
) -> None:
    """Draw a figure in gdfit's style and write it, without a date, as `kind`: png, svg or pdf."""
    import matplotlib as mpl

    dates: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = draw_it()
        figure.savefig(file, format=kind, dpi=dpi or figure.dpi, metadata=dates.get(kind, {}))


def draw(
    fit: Fit, steps: Sequence[Step], panel: Panel = "all", interval: float | None = None
) -> Figure:
    """The picture of a run: the fit, the loss and the path of the params, or one of them; of a run
    that diverged, why.

    Parameters
    ----------
    fit : what came out.
    steps : the path, thinned or not.
    panel : which part of the picture.
    interval : the level of the intervals that are drawn about the line of one number.
    """
    from matplotlib.figure import Figure

    from gdfit.show.pictures.curves import draw_loss, draw_modes, draw_params, draw_steepest
    from gdfit.show.pictures.drawing import settle, tidy
    from gdfit.show.pictures.fit import draw_fit, draw_roc, has_border
    from gdfit.show.pictures.path import draw_curve, draw_path
    from gdfit.show.pictures.trace import climbs, on_a_plane

    dpi = WHOLE_DPI if panel == "all" else PANEL_DPI
    figure = Figure(figsize=(PIXELS[0] / dpi, PIXELS[1] / dpi), dpi=dpi, layout="constrained")
    several, intercept = len(fit.model.features) > 1, fit.observations.intercept
    drawing: dict[str, Callable[[Axes, Fit, Sequence[Step]], Callable[[], None] | None]] = {
        "fit": partial(draw_fit, interval=interval),
        "loss": draw_loss,
        "path": draw_params if several else draw_path if intercept else draw_curve,
        "steepest": draw_steepest,
        "roc": draw_roc,
        "modes": draw_modes,
    }
    ranked = bool(fit.model.classes) and not on_a_plane(fit) and not has_border(fit)
    more = "steepest" if climbs(fit) else "roc" if ranked else ""
    every = panels(figure, panel, more)
    finishes = [drawing[name](axes, fit, steps) for name, axes in every.items()]
    if fit.status == "diverged":
        why = words.why_it_grows(fit)
        headline = textwrap.fill(why[0].upper() + why[1:], HEADLINE[dpi])
        figure.suptitle(headline, fontsize=15 if panel == "all" else 13, fontweight="bold")
    settle(figure)
    for finish in finishes:
        if finish:
            finish()
    tidy(figure)
    return figure


def panels(figure: Figure, panel: Panel, more: str) -> dict[str, Axes]:
    """The axes to draw to, by what is drawn there: one, or all that belong to such a run, with one
    `more` than others have."""
    if panel != "all":
        return {panel: figure.add_subplot()}
    if more == "steepest":
        return figure.subplot_mosaic([["steepest", "loss"], ["fit", "path"]])
    if more:
        return figure.subplot_mosaic([["fit", "loss"], [more, "path"]])
    return figure.subplot_mosaic([["fit", "loss"], ["fit", "path"]], width_ratios=(1.15, 1))
