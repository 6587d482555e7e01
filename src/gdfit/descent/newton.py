"""The minimum of a loss that bends everywhere, by Newton's method on the rows.

Each step goes to the minimum of the parabola that touches the loss, θ − H⁻¹∇L, or only part of the
way there where the loss would not fall (Boyd and Vandenberghe, Convex Optimization, 2004, §9.5).

Where a plane separates two classes, completely or but for rows that lie on it, there is no minimum:
the loss falls for ever in some direction d with (2y − 1)·aᵀd ≥ 0 for all rows, and > 0 for one
(Albert and Anderson, Biometrika 71, 1984). The steps then go on in such a direction, by which it is
found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.curvature import ARRIVES, EXACT, Curvature, curvature_of
from gdfit.descent.lasso import kinks_at, sparse_minimum
from gdfit.descent.losses import Loss, loss_of
from gdfit.descent.objective import DesignBlock, design_blocks, kept_rows, penalty_of
from gdfit.descent.own import Own
from gdfit.descent.scaling import scaled, whitening
from gdfit.descent.settings import LossName, Settings
from gdfit.errors import GdfitError
from gdfit.model.intervals import Precision

TINY = np.finfo(np.float64).tiny
STEPS = 100  # of Newton's at most
SEEN = 1e-14  # of a loss: what falls by less falls by rounding
SETTLED = 8  # steps after which one that is still long goes where the loss falls for ever
STILL = 0.1  # how far such a step moves some z at least
ON_PLANE = 1e-9  # of the farthest row's distance from a plane: rows as near to it lie on it


@dataclass(frozen=True, eq=False)
class Bowl:
    """The loss near some params: its value, gradient and Hessian there, and how far the row that is
    farthest on the wrong side is from z = 0, which is below 0."""

    value: float
    gradient: FloatArray
    hessian: FloatArray
    nearest: float


class SmoothLoss:
    """The loss of observations with its second derivatives.

    Parameters
    ----------
    observations : as they are descended on, with their rows.
    settings : the loss and its penalty.
    keep : whether to keep the blocks of rows, as far as those are in memory.
    """

    def __init__(
        self, observations: Observations, settings: Settings, *, keep: bool = True
    ) -> None:
        self.loss, self.l2, self.l1 = loss_of(settings), settings.l2, settings.l1
        self.size = len(observations.features) + observations.intercept
        self.observations, self.settings = observations, settings
        keep &= kept_rows(observations).in_memory
        self.kept = [*design_blocks(observations, settings)] if keep else None

    def blocks(self) -> Iterable[DesignBlock]:
        """The rows, block by block."""
        return self.kept or design_blocks(self.observations, self.settings)

    def value(self, params: FloatArray) -> float:
        """L(θ), with the penalty."""
        total = float(penalty_of(self.settings, params))
        for design, target, weight, weights in self.blocks():
            values, _ = self.loss.value_and_derivative(design.dot(params), target)
            total += float((values if weights is None else weights * values).sum()) / weight
        return total

    def at(self, params: FloatArray) -> Bowl:
        """The loss near `params`; gradient and Hessian are without λ₁‖w‖₁."""
        value, size = float(penalty_of(self.settings, params)), len(params)
        gradient = 2 * self.l2 * np.append(params[:-1], 0.0)
        hessian = 2 * self.l2 * np.diag(np.append(np.ones(size - 1), 0.0))
        nearest = np.inf
        assert self.loss.second
        for design, target, weight, weights in self.blocks():
            z = design.dot(params)
            values, slopes = self.loss.value_and_derivative(z, target)
            bends = self.loss.second(z, target)
            if weights is not None:
                values, slopes, bends = weights * values, weights * slopes, weights * bends
            value += float(values.sum()) / weight
            gradient += slopes.dot(design) / weight
            hessian += (design * bends[:, np.newaxis]).T.dot(design) / weight
            nearest = min(nearest, float(((2 * target - 1) * z).min()))
        return Bowl(value, gradient, hessian, nearest)

    @np.errstate(over="ignore", under="ignore", invalid="ignore")
    def minimum(self, start: FloatArray) -> tuple[FloatArray, Bowl] | None:
        """The params of the least loss, and the loss near them; None where there are none, as a
        plane separates the classes. The search begins at `start`."""
        params, bowl = start, self.at(start)
        may_separate = self.loss.has_classes and not self.settings.is_penalized
        for number in range(STEPS):
            if may_separate and bowl.nearest > 0:
                return None
            step = self.step(bowl, params)
            falls = self.falls(bowl, params, step)
            if may_separate and number >= SETTLED and self.separates(step):
                return None
            if not falls > SEEN * abs(bowl.value):  # the last one, for the last digits
                return params + step, self.at(params + step)
            ahead = self.at(params + step)
            while ahead.value > bowl.value - 1e-4 * falls and falls > SEEN * abs(bowl.value):
                step = step / 2
                falls = self.falls(bowl, params, step)
                ahead = self.at(params + step)
            params, bowl = params + step, ahead
        return params, bowl

    def falls(self, bowl: Bowl, params: FloatArray, step: FloatArray) -> float:
        """By how much the loss falls in a step, where its slope stays as it is."""
        shorter = np.abs(params[:-1]) - np.abs((params + step)[:-1])
        return -float(bowl.gradient @ step) + self.l1 * float(shorter.sum())

    def step(self, bowl: Bowl, params: FloatArray) -> FloatArray:
        """Newton's step −H⁻¹∇L; where columns depend on others, the shortest of those. With λ₁‖w‖₁,
        the step to the minimum of both it and the parabola."""
        size = self.size
        hessian, gradient = bowl.hessian[:size, :size], bowl.gradient[:size]
        if not (np.isfinite(hessian).all() and np.isfinite(gradient).all()):
            raise GdfitError("the numbers are too large for float64: divide them by a power of ten")
        if self.l1:
            thresholds = np.full(size, self.l1)
            thresholds[len(params) - 1 :] = 0.0
            start = params[:size]
            found = sparse_minimum(
                hessian, lambda there: gradient + hessian @ (there - start), thresholds, start
            )
            if found is not None:
                return np.append(found, params[size:]) - params
        units = np.sqrt(np.diag(hessian))  # so that no unit of a column plays a part
        units[units == 0] = 1.0
        step = np.linalg.lstsq(hessian / np.outer(units, units), gradient / units, rcond=None)[0]
        return np.append(-step / units, np.zeros(len(bowl.gradient) - size))

    def separates(self, step: FloatArray) -> bool:
        """Whether a step moves all rows to the side of their class, or not at all."""
        nearest, farthest = np.inf, 0.0
        for design, target, _, _ in self.blocks():
            moved = (2 * target - 1) * design.dot(step)
            nearest, farthest = min(nearest, moved.min()), max(farthest, moved.max())
        return bool(nearest >= -ON_PLANE * farthest and farthest > STILL)


def curvature_at_minimum(
    observations: Observations, settings: Settings, start: FloatArray
) -> Curvature | None:
    """The Hessian of a loss that bends everywhere, at its minimum; None where it has none, as a
    plane separates the classes. The search begins at `start`."""
    smooth = SmoothLoss(observations, settings)
    found = smooth.minimum(start)
    if found is None:
        return None
    (params, bowl), size = found, smooth.size
    eigenvalues, vectors = np.linalg.eigh(bowl.hessian[:size, :size])
    eigenvectors = np.zeros((len(params), size))
    eigenvectors[:size] = vectors
    return Curvature(
        eigenvalues=np.where(eigenvalues > SEEN * eigenvalues[-1], eigenvalues, 0.0)[::-1],
        eigenvectors=eigenvectors[:, ::-1],
        minimum=params,
        minimum_loss=bowl.value,
        enough=ARRIVES / (2 * observations.count),
        rounding=EXACT,
        bound=bound_of(observations, settings, smooth.loss),
        difference=partial(excess_on_rows, observations, settings, bowl.value),
        kinks=kinks_at(params, bowl.gradient, settings.l1) if settings.l1 else None,
    )


def largest_likelihood(
    observations: Observations, loss: LossName | Own, start: FloatArray | None = None
) -> tuple[SmoothLoss, Bowl, Precision] | None:
    """The loss without a penalty, its minimum, and how well the params there are known; None where
    it has none, as a plane separates the classes.

    It is found on whitened columns, which keep their digits; the inverse of the Hessian there, over
    Σv, is the params' covariances. The search begins at `start`, by default 0.
    """
    scaling = whitening(observations)
    smooth = SmoothLoss(scaled(observations, scaling), Settings(loss=loss))
    size = len(observations.features)
    found = smooth.minimum(np.zeros(size + 1) if start is None else scaling.from_data(start))
    if found is None:
        return None
    params, bowl = found
    told = [*scaling.used, size] if observations.intercept else [*scaling.used]
    around = replace(scaling, means=np.zeros(size), rest=0.0)  # z is 0 at the means
    eigenvalues, vectors = np.linalg.eigh(bowl.hessian[np.ix_(told, told)])
    root = vectors / np.sqrt(np.maximum(eigenvalues, TINY) * observations.total_weight)
    root = around.to_data(np.eye(size + 1)).T[:, told] @ root
    center = scaling.means + scaling.rest
    return smooth, bowl, Precision(center, around.to_data(params), root)


def precision_of_likelihood(
    observations: Observations, loss: LossName | Own, start: FloatArray
) -> Precision | None:
    """How well the params of the largest likelihood, at `start`, are known, if there is one."""
    found = largest_likelihood(observations, loss, start)
    return found[2] if found else None


def excess_on_rows(
    observations: Observations, settings: Settings, least: float, params: FloatArray
) -> float:
    """L(θ) less the `least` loss, by a pass over the rows."""
    return SmoothLoss(observations, settings, keep=False).value(params) - least


def bound_of(observations: Observations, settings: Settings, loss: Loss) -> float | None:
    """What no eigenvalue of the Hessian is above: λmax of hAᵀA/N, h the largest that ∂²ℓ/∂z² can
    be, from the condensed rows, and of the penalty; none where that is no number."""
    bend = loss.largest_bend
    if not np.isfinite(bend):
        return None
    return bend / 2 * curvature_of(observations, 2 * settings.l2 / bend).lambda_max
