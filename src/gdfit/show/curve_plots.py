"""Pictures of the way that w took along the loss, for one feature and no b."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from gdfit.descent.fit import Fit
from gdfit.descent.loop import Step
from gdfit.show.colours import BLACK, BLUE, LARGEST, VERMILION, YELLOW
from gdfit.show.loss_plots import NAMES
from gdfit.show.path_plots import loss_over, merged, places, stays_until
from gdfit.show.scales import number_axis, window
from gdfit.show.tidy import label_at

POINTS = 401  # of the curve
MARGIN = 0.2  # of what is seen, on each side


def draw_curve(axes: Axes, fit: Fit, steps: Sequence[Step]) -> None:
    """The loss against w, and the path that w took on it, with its epochs."""
    path = np.array([fit.start, *(step.params for step in steps)])
    path = path[np.abs(path[:, 0]) < LARGEST]
    stays = len(path) if fit.status != "diverged" else stays_until(fit, path)
    seen = path[:stays, 0]
    if fit.curvature:
        seen = np.append(seen, fit.curvature.minimum[0])
    left, right = window(seen, MARGIN)
    w = np.linspace(left, right, POINTS)
    loss = loss_over(fit, w, np.zeros(POINTS))
    axes.plot(w, loss, color=BLUE, linewidth=2.2, gid="loss")
    walked = path[: stays + 1, 0]
    heights = loss_over(fit, walked, np.zeros(len(walked)))
    mark = "." if len(path) <= 200 else None
    axes.plot(walked, heights, color=VERMILION, marker=mark, linewidth=1.4, gid="path")
    if fit.curvature:
        least = (float(fit.curvature.minimum[0]), fit.curvature.minimum_loss)
        (star,) = axes.plot(*least, "*", color=YELLOW, markersize=17, zorder=4)
        star.set(markeredgecolor=BLACK, gid="minimum")
        label_at(axes, "minimum", *least)
    for place in merged(places(fit, steps, path[:stays]), np.array([right - left, 1.0])):
        at, height = float(place.params[0]), float(loss_over(fit, *place.params[:, np.newaxis])[0])
        (dot,) = axes.plot(at, height, "o", color=place.colour, markersize=8, zorder=5)
        dot.set(markeredgecolor=BLACK, gid=place.name)
        label_at(axes, place.name, at, height)
    number_axis(axes.xaxis)
    number_axis(axes.yaxis)
    axes.set_xlim(left, right)
    low, high = window(loss, 0.1)
    axes.set_ylim(low, high)
    axes.set_xlabel("w (standardized)" if fit.scaling else "w")
    axes.set_ylabel(NAMES.get(fit.settings.loss, fit.settings.loss))
    axes.set_title("The loss, and the path of w")
