"""Descents on many groups of observations side by side.

The squared loss of a group is a parabola, and where its descent is, is foretold as in
`gdfit.descent.closed_form`: along each eigenvector, E epochs multiply the distance to the minimum
by (1 − γλ)ᴱ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray, triangular
from gdfit.data.observations import SAME, Observations
from gdfit.data.reduction.sampling import GroupedObservations
from gdfit.descent import stopping
from gdfit.descent.curvature import ARRIVES, EXACT, SURE
from gdfit.descent.learning_rate import LOOKED_AT, Excess, excess_logarithms, log_factors
from gdfit.descent.settings import Settings
from gdfit.descent.start import Init
from gdfit.model.intervals import Precision
from gdfit.model.linear import LinearModel
from gdfit.package import __version__


@dataclass(frozen=True, repr=False)
class Stack:
    """Descents side by side, one for each group: arrays have a row for each.

    holds : which of them are foretold here, and have not diverged.
    params : w and b, in the data's own units.
    """

    groups: GroupedObservations
    settings: Settings
    scale: str
    holds: NDArray[np.bool_]
    params: FloatArray
    rates: FloatArray
    losses: FloatArray
    minimum_losses: FloatArray
    r_squared: FloatArray
    arrived: NDArray[np.bool_]
    limits: FloatArray
    means: FloatArray
    deviations: FloatArray
    triangles: FloatArray
    roots: FloatArray

    def row(self, place: int) -> tuple[float, ...]:
        """The params of a group, its loss and R²."""
        measured = float(self.losses[place]), float(self.r_squared[place])
        return (*self.params[place].tolist(), *measured)

    def model(self, place: int) -> LinearModel:
        """The model of a group, with what its file says of it."""
        groups, whole, settings = self.groups, self.groups, self.settings
        *w, b = self.params[place].tolist()
        facts: dict[str, object] = {
            "loss": float(self.losses[place]),
            **dict.fromkeys(("validation_loss", "cv", "means", "deviations", "basis")),
            "r_squared": float(self.r_squared[place]),
            "epochs": settings.epochs,
            "best_epoch": settings.epochs,
            "status": stopping.COMPLETED,
            "minimum_loss": float(self.minimum_losses[place]),
            "arrived": bool(self.arrived[place]),
            "max_stable_lr": float(self.limits[place]),
            **settings.facts,
            "lr": float(self.rates[place]),
            "scale": self.scale,
            "precision": self.precision(place),
            "penalty_scale": self.scale,
            "nonzero": int(np.count_nonzero(w)),
            "intercept": True,
            "weights": whole.weights_name,
            "spellings": {column: spelling.record for column, spelling in whole.spellings},
            "observations": int(groups.counts[place]),
            "validation_observations": 0,
            "version": __version__,
        }
        if self.scale == "standardize":
            facts["means"] = self.means[place].tolist()
            facts["deviations"] = self.deviations[place].tolist()
        return LinearModel(tuple(w), b, whole.features, whole.target_name, groups.within, facts)

    def precision(self, place: int) -> dict[str, object] | None:
        """How well the params of the least loss are known: see `gdfit.model.intervals`."""
        triangle, root = self.triangles[place], self.roots[place]
        df = int(self.groups.counts[place]) - len(root)
        if not df:
            return None
        error = abs(float(triangle[-1, -1])) / math.sqrt(df)
        return Precision(self.means[place], root @ triangle[:-1, -1], root, error, df).record


def is_foretold(settings: Settings, observations: Observations) -> bool:
    """Whether descents on groups go side by side: at rates that stay, for epochs that are told."""
    rules = (settings.tol, settings.target_loss, settings.patience)
    plain = settings.is_plain and not settings.is_penalized and observations.intercept
    return plain and all(rule is None for rule in rules) and settings.scale != "whiten"


@np.errstate(all="ignore")  # groups in which something is no number are run one by one
def stacked(groups: GroupedObservations, settings: Settings, init: Init) -> Stack:
    """The descents of all groups side by side.

    R of [1 X−x̄ y] has all that is needed: the features' deviations are the lengths of its columns,
    and in its last column are the mean of y, what the features can tell of it, and what is left.
    """
    size, total = len(groups.features), groups.weights
    near, ones = groups.triangles, groups.triangles[:, :, size]
    means = np.einsum("gn,gnp->gp", ones, near[:, :, :size]) / total[:, np.newaxis]
    centred = near[:, :, :size] - ones[:, :, np.newaxis] * means[:, np.newaxis]
    columns = np.concatenate([ones[:, :, np.newaxis], centred, near[:, :, -1:]], axis=2)
    enough_rows = groups.counts > size
    columns[~enough_rows] = np.eye(size + 2)
    triangles = triangular(columns)

    slopes, explained = triangles[:, 1:-1, 1:-1], triangles[:, :-1, -1]
    deviations = np.linalg.norm(slopes, axis=1) / np.sqrt(total)[:, np.newaxis]
    lengths = np.linalg.norm(near[:, :, :size], axis=1) / np.sqrt(total)[:, np.newaxis]
    whole = groups.origin + means
    rest = means - (whole - groups.origin)
    scale = settings.scale or ("standardize" if settings.lr == "auto" else "none")
    is_scaled = scale == "standardize"
    unit = deviations if is_scaled else np.ones_like(deviations)

    design = np.zeros((len(total), size + 1, size + 1))
    design[:, 0, size] = triangles[:, 0, 0]
    design[:, 1:, :size] = slopes / unit[:, np.newaxis]
    if not is_scaled:
        design[:, 0, :size] = whole * triangles[:, :1, 0]
    holds = enough_rows & (deviations > SAME * lengths).all(axis=1)
    holds &= np.isfinite(design).all(axis=(1, 2))
    design[~holds] = np.eye(size + 1)

    _, singular, axes = np.linalg.svd(design)
    holds &= singular[:, -1] > SURE * singular[:, 0]
    told_apart = holds[:, np.newaxis, np.newaxis]
    slopes = np.where(told_apart, slopes, np.eye(size))
    least = np.linalg.solve(slopes, explained[:, 1:, np.newaxis])[:, :, 0]
    level = explained[:, 0] / triangles[:, 0, 0]
    if not is_scaled:
        level = level - (least * whole).sum(axis=1)
    minimum = np.column_stack([least * unit, level])
    start = starts(init, settings, unit, whole if is_scaled else np.zeros_like(whole))

    eigenvalues = 2 * singular**2 / total[:, np.newaxis]
    minimum_losses = triangles[:, -1, -1] ** 2 / total
    squares = (triangles[:, :, -1] ** 2).sum(axis=1)
    enough = np.maximum(ARRIVES * minimum_losses / groups.counts, EXACT * squares / total)
    distances = np.einsum("gkp,gp->gk", axes, start - minimum)
    far = np.maximum(np.linalg.norm(start, axis=1), np.linalg.norm(minimum, axis=1))
    excess = Excess(eigenvalues, excess_logarithms(eigenvalues, distances, far), enough)
    if settings.lr == "auto":
        rates = excess.rate_to_see(settings.epochs)
        rates = np.where(np.isnan(rates), 2 / (eigenvalues[:, 0] + eigenvalues[:, -1]), rates)
        if settings.scale is None:
            holds &= excess.arrives_within(max(settings.epochs, LOOKED_AT))
    else:
        rates = np.full(len(total), settings.lr)

    steps = rates[:, np.newaxis] * eigenvalues
    signs = np.where((steps > 1) & (settings.epochs % 2 == 1), -1.0, 1.0)
    distances = distances * signs * np.exp(settings.epochs * log_factors(steps))
    final = minimum + np.einsum("gkp,gk->gp", axes, distances)
    above = (eigenvalues * distances**2).sum(axis=1) / 2
    losses = minimum_losses + above
    first = minimum_losses + np.exp(excess.logarithms).sum(axis=1)
    holds &= np.isfinite(final).all(axis=1) & (
        losses <= first * (1 + 1e-9) + EXACT * squares / total
    )

    w = final[:, :size] / unit
    b = final[:, size]
    if is_scaled:
        b = b - (w * whole).sum(axis=1) - (w * rest).sum(axis=1)
    spread = (triangles[:, 1:, -1] ** 2).sum(axis=1)
    told = 1 - losses * total / spread
    told = np.where(np.abs(told) > SAME, told, 0.0)
    inverses = np.linalg.inv(np.where(told_apart, triangles, np.eye(size + 2))[:, :-1, :-1])
    return Stack(
        groups=groups,
        settings=settings,
        scale=scale,
        holds=holds,
        params=np.column_stack([w, b]),
        rates=rates,
        losses=losses,
        minimum_losses=minimum_losses,
        r_squared=np.where(spread > SAME**2 * squares, told, math.nan),
        arrived=above <= enough,
        limits=2 / eigenvalues[:, 0],
        means=whole,
        deviations=deviations,
        triangles=triangles,
        roots=np.roll(inverses, -1, axis=1),  # b comes last
    )


def starts(init: Init, settings: Settings, unit: FloatArray, means: FloatArray) -> FloatArray:
    """θ₀ of each group, as it is descended on."""
    size = unit.shape[1]
    if isinstance(init, str):
        same = np.zeros(size + 1)
        if init == "random":
            same = np.random.default_rng(settings.seed).random(size + 1)
        return np.tile(same, (len(unit), 1))
    params = np.array(init, float)
    return np.column_stack([params[:-1] * unit, params[-1] + means @ params[:-1]])
