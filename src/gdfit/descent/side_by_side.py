"""Descents on many groups of observations side by side.

The squared loss of a group is a parabola, and where its descent is, is foretold as in
`gdfit.descent.closed_form`: along each eigenvector, E epochs multiply the distance to the minimum
by (1 − γλ)ᴱ.
"""

from __future__ import annotations

import math

import numpy as np

from gdfit.arrays import FloatArray, triangular
from gdfit.data.observations import SAME, GroupedObservations, Observations
from gdfit.descent import stopping
from gdfit.descent.curvature import ARRIVES, EXACT, SURE, log_factors
from gdfit.descent.learning_rate import LOOKED_AT, Excess
from gdfit.descent.settings import Settings
from gdfit.descent.start import Init
from gdfit.model.intervals import Precision
from gdfit.model.linear import LinearModel
from gdfit.package import __version__


class Stack:
    """Gradient descent on each of many groups side by side: arrays have a row for each.

    R of [1 X−x̄ y] has all that is needed: the features' deviations are the lengths of its columns,
    and in its last column are the mean of y, what the features can tell of it, and what is left.

    Parameters
    ----------
    groups : the observations.
    settings, init : what was asked for.

    Attributes
    ----------
    scale : the scale that is descended on.
    means, deviations : of the features, shape (groups, p).
    triangles : R, shape (groups, p+2, p+2).
    is_sure : which groups have features that vary and don't depend on each other, by far.
    minimum_losses, losses : the least losses, and those in the end.
    arrived : which runs have arrived.
    limits, rates : 2/λmax, and the learning rates.
    params : w and b in the end, in the data's own units, shape (groups, p+1).
    r_squared : R² in the end; NaN where y does not vary.
    roots : R⁻¹ of the features from their means, and the ones behind them: see `Precision`.
    holds : which groups are foretold here: those that would be standardized, and have not grown.
    """

    @np.errstate(all="ignore")  # where something is no number, the group is run by itself
    def __init__(self, groups: GroupedObservations, settings: Settings, init: Init) -> None:
        self.groups, self.settings = groups, settings
        self.scale = settings.scale or ("standardize" if settings.lr == "auto" else "none")
        size, epochs, weights = len(groups.features), settings.epochs, groups.weights
        x, ones = groups.triangles[:, :, :size], groups.triangles[:, :, size, np.newaxis]
        from_origin = np.einsum("gn,gnp->gp", ones[:, :, 0], x) / weights[:, np.newaxis]
        centred = x - ones * from_origin[:, np.newaxis]
        columns = np.concatenate([ones, centred, groups.triangles[:, :, -1:]], axis=2)
        columns[groups.counts <= size] = np.eye(size + 2)
        self.triangles = triangles = triangular(columns)
        roots = np.sqrt(weights)[:, np.newaxis]
        self.means = groups.origin + from_origin
        self.deviations = np.linalg.norm(triangles[:, 1:-1, 1:-1], axis=1) / roots
        is_scaled = self.scale == "standardize"
        unit = self.deviations if is_scaled else np.ones_like(self.deviations)
        center = self.means if is_scaled else np.zeros_like(self.means)

        # The axes of the parabola, as rows, and its minimum.
        lengths = np.linalg.norm(x, axis=1) / roots
        varies = (self.deviations > SAME * lengths).all(axis=1)
        varies &= (groups.counts > size) & np.isfinite(lengths).all(axis=1)
        design = np.zeros((len(triangles), size + 1, size + 1))
        design[:, 0, size] = triangles[:, 0, 0]
        design[:, 0, :size] = (self.means - center) * triangles[:, :1, 0]
        design[:, 1:, :size] = triangles[:, 1:-1, 1:-1] / unit[:, np.newaxis]
        design[~varies] = np.eye(size + 1)
        _, singular, axes = np.linalg.svd(design)
        eigenvalues = 2 * singular**2 / weights[:, np.newaxis]
        self.is_sure = varies & (singular[:, -1] > SURE * singular[:, 0])
        sure = np.where(self.is_sure[:, np.newaxis, np.newaxis], triangles, np.eye(size + 2))
        explained = triangles[:, :-1, -1]
        w = np.linalg.solve(sure[:, 1:-1, 1:-1], explained[:, 1:, np.newaxis])[:, :, 0]
        b = explained[:, 0] / triangles[:, 0, 0] - (w * (self.means - center)).sum(axis=1)
        minimum = np.column_stack([w * unit, b])
        squares = triangles[:, :, -1] ** 2
        self.minimum_losses = squares[:, -1] / weights

        # What the start is above it, the rate, and what is left in the end.
        start = starts(init, settings, unit, center)
        distances = np.einsum("gkp,gp->gk", axes, start - minimum)
        far = np.maximum(np.linalg.norm(minimum, axis=1), np.linalg.norm(distances, axis=1))
        rounding = EXACT * squares.sum(axis=1) / weights
        enough = np.maximum(ARRIVES * self.minimum_losses / groups.counts, rounding)
        excess = Excess.of(eigenvalues, distances, far, enough)
        self.limits = 2 / eigenvalues[:, 0]
        if settings.lr == "auto":
            self.rates = excess.rate_to_see(epochs)
        else:
            self.rates = np.full(len(weights), settings.lr)
        steps = self.rates[:, np.newaxis] * eigenvalues
        signs = np.where((steps > 1) & (epochs % 2 == 1), -1.0, 1.0)
        left = distances * signs * np.exp(epochs * log_factors(steps))
        above = (eigenvalues * left**2).sum(axis=1) / 2
        self.losses, self.arrived = self.minimum_losses + above, above <= enough
        final = minimum + np.einsum("gkp,gk->gp", axes, left)
        w, rest = final[:, :-1] / unit, from_origin - (center - groups.origin)
        b = final[:, -1] - (w * center).sum(axis=1)
        self.params = np.column_stack([w, b - (w * rest).sum(axis=1) * is_scaled])

        # How good that is, and how well it is known.
        spread = squares[:, 1:].sum(axis=1)
        told = 1 - self.losses * weights / spread
        told = np.where(np.abs(told) > SAME, told, 0.0)
        is_told = spread > SAME**2 * squares.sum(axis=1)
        self.r_squared = np.where(is_told, told, math.nan)
        self.roots = np.roll(np.linalg.inv(sure[:, :-1, :-1]), -1, axis=1)
        first = self.minimum_losses + np.exp(excess.logarithms).sum(axis=1)
        self.holds = self.is_sure & np.isfinite(self.params).all(axis=1)
        self.holds &= self.losses <= first * (1 + 1e-9) + rounding
        if settings.lr == "auto" and settings.scale is None:
            self.holds &= excess.arrives_within(max(epochs, LOOKED_AT))

    def row(self, place: int) -> tuple[float, ...]:
        """The params of a group, its loss and R²."""
        measured = float(self.losses[place]), float(self.r_squared[place])
        return (*self.params[place].tolist(), *measured)

    def model(self, place: int) -> LinearModel:
        """The model of a group, with what its file says of it."""
        groups, settings = self.groups, self.settings
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
            "weights": groups.weights_name,
            "spellings": {column: spelling.record for column, spelling in groups.spellings},
            "observations": int(groups.counts[place]),
            "validation_observations": 0,
            "version": __version__,
        }
        if self.scale == "standardize":
            facts["means"] = self.means[place].tolist()
            facts["deviations"] = self.deviations[place].tolist()
        return LinearModel(tuple(w), b, groups.features, groups.target_name, groups.within, facts)

    def precision(self, place: int) -> dict[str, object] | None:
        """How well the params of the least loss are known: see `gdfit.model.intervals`."""
        triangle, root = self.triangles[place], self.roots[place]
        df = int(self.groups.counts[place]) - len(root)
        if not df:
            return None
        error = abs(float(triangle[-1, -1])) / math.sqrt(df)
        return Precision(self.means[place], root @ triangle[:-1, -1], root, error, df).record


def go_side_by_side(settings: Settings, observations: Observations) -> bool:
    """Whether descents on groups go side by side: at rates that stay, for epochs that are told."""
    rules = (settings.tol, settings.target_loss, settings.patience)
    plain = settings.is_plain and not settings.is_penalized and observations.intercept
    return plain and all(rule is None for rule in rules) and settings.scale != "whiten"


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
