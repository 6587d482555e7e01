"""Descents on many groups of observations side by side.

The squared loss of a group is a parabola, and where its descent is, is foretold as in
`gdfit.descent.closed_form`: along each eigenvector, E epochs multiply the distance to the minimum
by (1 − γλ)ᴱ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray, triangular
from gdfit.data.observations import SAME, Observations
from gdfit.data.reduction.sampling import GroupedObservations
from gdfit.descent import stopping
from gdfit.descent.curvature import ARRIVES, EXACT, SURE, log_factors
from gdfit.descent.learning_rate import LOOKED_AT, Excess, excess_logarithms
from gdfit.descent.settings import Settings
from gdfit.descent.start import Init
from gdfit.model.intervals import Precision
from gdfit.model.linear import LinearModel
from gdfit.package import __version__


@dataclass(frozen=True, repr=False)
class Stack:
    """Gradient descent on each of many groups side by side: arrays have a row for each.

    R of [1 X−x̄ y] has all that is needed: the features' deviations are the lengths of its columns,
    and in its last column are the mean of y, what the features can tell of it, and what is left.

    groups : the observations.
    settings, init : what was asked for.
    """

    groups: GroupedObservations
    settings: Settings
    init: Init

    @property
    def size(self) -> int:
        """p."""
        return len(self.groups.features)

    @cached_property
    def scale(self) -> str:
        """The scale to descend on."""
        return self.settings.scale or ("standardize" if self.settings.lr == "auto" else "none")

    @cached_property
    def from_origin(self) -> FloatArray:
        """The means of the features from their origin, shape (groups, p)."""
        rows, ones = self.groups.triangles, self.groups.triangles[:, :, self.size]
        sums = np.einsum("gn,gnp->gp", ones, rows[:, :, : self.size])
        return np.asarray(sums / self.groups.weights[:, np.newaxis])

    @cached_property
    def means(self) -> FloatArray:
        """The means of the features."""
        return self.groups.origin + self.from_origin

    @cached_property
    def triangles(self) -> FloatArray:
        """R of [1 X−x̄ y], shape (groups, p+2, p+2)."""
        rows, ones = self.groups.triangles, self.groups.triangles[:, :, self.size, np.newaxis]
        centred = rows[:, :, : self.size] - ones * self.from_origin[:, np.newaxis]
        columns = np.concatenate([ones, centred, rows[:, :, -1:]], axis=2)
        columns[self.groups.counts <= self.size] = np.eye(self.size + 2)
        return triangular(columns)

    @cached_property
    def deviations(self) -> FloatArray:
        """The standard deviations of the features."""
        lengths = np.linalg.norm(self.triangles[:, 1:-1, 1:-1], axis=1)
        return np.asarray(lengths / np.sqrt(self.groups.weights)[:, np.newaxis])

    @cached_property
    def unit(self) -> FloatArray:
        """What the features are divided by."""
        is_scaled = self.scale == "standardize"
        return self.deviations if is_scaled else np.ones_like(self.deviations)

    @cached_property
    def center(self) -> FloatArray:
        """What is taken away from them before."""
        return self.means if self.scale == "standardize" else np.zeros_like(self.means)

    @cached_property
    def varies(self) -> NDArray[np.bool_]:
        """Which groups have enough rows, and features that vary all."""
        rows = self.groups.triangles[:, :, : self.size]
        lengths = np.linalg.norm(rows, axis=1) / np.sqrt(self.groups.weights)[:, np.newaxis]
        varies = (self.deviations > SAME * lengths).all(axis=1)
        varies &= (self.groups.counts > self.size) & np.isfinite(lengths).all(axis=1)
        return np.asarray(varies)

    @cached_property
    def axes(self) -> tuple[FloatArray, FloatArray]:
        """The singular values of the design matrices, and the axes that they belong to, as rows."""
        triangles = self.triangles
        design = np.zeros((len(triangles), self.size + 1, self.size + 1))
        design[:, 0, self.size] = triangles[:, 0, 0]
        design[:, 0, : self.size] = (self.means - self.center) * triangles[:, :1, 0]
        design[:, 1:, : self.size] = triangles[:, 1:-1, 1:-1] / self.unit[:, np.newaxis]
        design[~self.varies] = np.eye(self.size + 1)
        _, singular, axes = np.linalg.svd(design)
        return singular, axes

    @cached_property
    def is_sure(self) -> NDArray[np.bool_]:
        """Which groups have features that don't depend on each other, by far."""
        singular, _ = self.axes
        return self.varies & (singular[:, -1] > SURE * singular[:, 0])

    @cached_property
    def minimum(self) -> FloatArray:
        """The params of the least loss, as they are descended on, shape (groups, p+1)."""
        columns, explained = self.triangles[:, 1:-1, 1:-1], self.triangles[:, :-1, -1]
        columns = np.where(self.is_sure[:, np.newaxis, np.newaxis], columns, np.eye(self.size))
        w = np.linalg.solve(columns, explained[:, 1:, np.newaxis])[:, :, 0]
        b = explained[:, 0] / self.triangles[:, 0, 0] - (w * (self.means - self.center)).sum(axis=1)
        return np.column_stack([w * self.unit, b])

    @cached_property
    def minimum_losses(self) -> FloatArray:
        """The least losses."""
        return np.asarray(self.triangles[:, -1, -1] ** 2 / self.groups.weights)

    @cached_property
    def rounding(self) -> FloatArray:
        """How much of a loss is rounding."""
        squares = (self.triangles[:, :, -1] ** 2).sum(axis=1)
        return np.asarray(EXACT * squares / self.groups.weights)

    @cached_property
    def distances(self) -> FloatArray:
        """From the minimum to the start, along the axes."""
        start = starts(self.init, self.settings, self.unit, self.center)
        return np.asarray(np.einsum("gkp,gp->gk", self.axes[1], start - self.minimum))

    @cached_property
    def excess(self) -> Excess:
        """What the losses at the start are above the least ones."""
        eigenvalues = 2 * self.axes[0] ** 2 / self.groups.weights[:, np.newaxis]
        sizes = np.linalg.norm(self.minimum, axis=1), np.linalg.norm(self.distances, axis=1)
        logarithms = excess_logarithms(eigenvalues, self.distances, np.maximum(*sizes))
        enough = ARRIVES * self.minimum_losses / self.groups.counts
        return Excess(eigenvalues, logarithms, np.maximum(enough, self.rounding))

    @cached_property
    def limits(self) -> FloatArray:
        """2/λmax."""
        return np.asarray(2 / self.excess.eigenvalues[:, 0])

    @cached_property
    def rates(self) -> FloatArray:
        """The learning rates."""
        if self.settings.lr != "auto":
            return np.full(len(self.triangles), self.settings.lr)
        return self.excess.rate_to_see(self.settings.epochs)

    @cached_property
    def left(self) -> FloatArray:
        """The distances that are left in the end."""
        epochs, steps = self.settings.epochs, self.rates[:, np.newaxis] * self.excess.eigenvalues
        signs = np.where((steps > 1) & (epochs % 2 == 1), -1.0, 1.0)
        return self.distances * signs * np.exp(epochs * log_factors(steps))

    @cached_property
    def above(self) -> FloatArray:
        """What the losses are above the least ones in the end."""
        return np.asarray((self.excess.eigenvalues * self.left**2).sum(axis=1) / 2)

    @cached_property
    def losses(self) -> FloatArray:
        """The losses in the end."""
        return self.minimum_losses + self.above

    @cached_property
    def arrived(self) -> NDArray[np.bool_]:
        """Which runs have arrived."""
        return self.above <= self.excess.enough

    @cached_property
    def params(self) -> FloatArray:
        """w and b in the end, in the data's own units."""
        final = self.minimum + np.einsum("gkp,gk->gp", self.axes[1], self.left)
        w, rest = final[:, :-1] / self.unit, self.from_origin - (self.center - self.groups.origin)
        b = final[:, -1] - (w * self.center).sum(axis=1)
        return np.column_stack([w, b - (w * rest).sum(axis=1) * (self.scale == "standardize")])

    @cached_property
    def r_squared(self) -> FloatArray:
        """R² in the end; NaN where y does not vary."""
        spread = (self.triangles[:, 1:, -1] ** 2).sum(axis=1)
        told = 1 - self.losses * self.groups.weights / spread
        told = np.where(np.abs(told) > SAME, told, 0.0)
        varies = spread > SAME**2 * (self.triangles[:, :, -1] ** 2).sum(axis=1)
        return np.where(varies, told, math.nan)

    @cached_property
    def roots(self) -> FloatArray:
        """R⁻¹ of the features from their means, and the ones behind them: see `Precision`."""
        sure = self.is_sure[:, np.newaxis, np.newaxis]
        inverses = np.linalg.inv(np.where(sure, self.triangles, np.eye(self.size + 2))[:, :-1, :-1])
        return np.roll(inverses, -1, axis=1)

    @cached_property
    def holds(self) -> NDArray[np.bool_]:
        """Which groups are foretold here: those that would be standardized, and have not grown."""
        first = self.minimum_losses + np.exp(self.excess.logarithms).sum(axis=1)
        holds = self.is_sure & np.isfinite(self.params).all(axis=1)
        holds &= self.losses <= first * (1 + 1e-9) + self.rounding
        if self.settings.lr == "auto" and self.settings.scale is None:
            holds &= self.excess.arrives_within(max(self.settings.epochs, LOOKED_AT))
        return holds

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


def is_foretold(settings: Settings, observations: Observations) -> bool:
    """Whether descents on groups go side by side: at rates that stay, for epochs that are told."""
    rules = (settings.tol, settings.target_loss, settings.patience)
    plain = settings.is_plain and not settings.is_penalized and observations.intercept
    return plain and all(rule is None for rule in rules) and settings.scale != "whiten"


def stacked(groups: GroupedObservations, settings: Settings, init: Init) -> Stack:
    """The descents of all groups side by side."""
    stack = Stack(groups, settings, init)
    with np.errstate(all="ignore"):  # where something is no number, the group is run by itself
        _ = stack.holds, stack.r_squared, stack.roots
    return stack


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
