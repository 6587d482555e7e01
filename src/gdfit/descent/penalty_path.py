"""The minimum for each of many penalties, from one that makes all weights 0 to almost none.

λ is that of scikit-learn and glmnet: ½MSE + λ(ρ‖w‖₁ + ½(1 − ρ)‖w‖²), w of standardized features, is
half of what `train` descends on with `l1` = 2λρ and `l2` = λ(1 − ρ). The path goes down from the
largest λ, and each minimum is where the search for the next one starts: few weights change from one
to the other, and the optimality conditions say which (Friedman, Hastie and Tibshirani, J. Stat.
Softw. 33, 2010). It all needs the p+2 condensed rows alone, and those of each fold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Unpack, get_args

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.choices import Choice, Penalty
from gdfit.data.in_memory import DataOptions, observed, with_folds
from gdfit.data.observations import SAME, Observations
from gdfit.descent.cross_validation import check_folds, without_each
from gdfit.descent.lasso import Parabola
from gdfit.descent.outcome import params_names
from gdfit.descent.scaling import Scaling, scaled, scaling_facts, standardizing
from gdfit.descent.settings import Settings
from gdfit.errors import GdfitError, UsageError
from gdfit.model.linear import LinearModel
from gdfit.package import Displayed, __version__

if TYPE_CHECKING:
    import pandas as pd

PENALTIES = 100
LEAST_PART = 1e-4  # of the largest penalty: the smallest
RIDGE_FROM = 1000.0  # times the steepest slope at zeros, where ridge's begin: it has no largest


@dataclass(frozen=True, eq=False)
class PenaltyPath(Displayed):
    """The minima for penalties λ, the largest first. K of them, p features.

    observations : what was fitted.
    penalty, mix : what is penalized, and ρ.
    lambdas : λ, shape (K,).
    params : w and b for each, in the data's own units, shape (K, p+1).
    losses, r_squared : at these, without the penalty, shape (K,).
    scaling : of the features whose weights are penalized.
    fold_losses : the loss on each fold of the minima of the others, shape (folds, K).
    """

    observations: Observations
    penalty: Penalty
    mix: float
    lambdas: FloatArray
    params: FloatArray
    losses: FloatArray
    r_squared: FloatArray
    scaling: Scaling
    fold_losses: FloatArray | None = field(default=None)

    def __repr__(self) -> str:
        return (
            f"<PenaltyPath: {len(self.lambdas)} penalties {self.penalty}, of {self.observations}>"
        )

    @property
    def l1(self) -> FloatArray:
        """λ₁ of `train` for each λ."""
        return 2 * self.lambdas * self.mix

    @property
    def l2(self) -> FloatArray:
        """λ of `train` for each λ."""
        return self.lambdas * (1 - self.mix)

    @property
    def nonzero(self) -> list[int]:
        """How many weights are not 0."""
        return [int(number) for number in np.count_nonzero(self.params[:, :-1], axis=1)]

    @property
    def cv_mean(self) -> FloatArray | None:
        """The mean of the folds' losses."""
        return None if self.fold_losses is None else self.fold_losses.mean(axis=0)

    @property
    def cv_std_error(self) -> FloatArray | None:
        """Its standard error: their deviation (with K − 1) by √K."""
        folds = self.fold_losses
        return None if folds is None else folds.std(axis=0, ddof=1) / math.sqrt(len(folds))

    def place(self, choice: Choice) -> int | None:
        """The place of the λ with the least loss on the folds, or of the largest whose loss is
        within one standard error of that; None without folds."""
        mean, error = self.cv_mean, self.cv_std_error
        if mean is None or error is None:
            return None
        least = int(mean.argmin())
        if choice == "least":
            return least
        return int(np.argmax(mean <= mean[least] + error[least]))

    def chosen(self, choice: Choice) -> float | None:
        """The λ there."""
        place = self.place(choice)
        return None if place is None else float(self.lambdas[place])

    def model(self, place: int) -> LinearModel:
        """The model of the minimum at this place, with what its file says."""
        data, params = self.observations, self.params[place]
        settings = Settings(l1=float(self.l1[place]), l2=float(self.l2[place]), scale="standardize")
        w = self.scaling.from_data(params)[:-1]
        loss = float(self.losses[place]) + settings.l1 * float(np.abs(w).sum())
        loss += settings.l2 * float(w @ w)
        facts = {
            "loss": loss,
            "r_squared": float(self.r_squared[place]),
            "status": "completed",
            "minimum_loss": loss,
            "arrived": True,
            **settings.facts,
            "lr": None,
            **scaling_facts(self.scaling),
            "penalty_scale": "standardize",
            "nonzero": self.nonzero[place],
            "lambda": float(self.lambdas[place]),
            "intercept": data.intercept,
            "weights": data.weights_name,
            "spellings": {column: spelling.record for column, spelling in data.spellings},
            "observations": data.count,
            "version": __version__,
        }
        *weights, b = params.tolist()
        made_of = data.expansion
        return LinearModel(tuple(weights), b, data.features, data.target_name, made_of, facts)

    @property
    def record(self) -> dict[str, Any]:
        """The keys of its JSON object."""
        mean, error = self.cv_mean, self.cv_std_error
        return {
            "penalty": self.penalty,
            "mix": self.mix,
            "features": [*self.observations.features],
            "target": self.observations.target_name,
            "observations": self.observations.count,
            "lambdas": self.lambdas.tolist(),
            "l1": self.l1.tolist(),
            "l2": self.l2.tolist(),
            "w": self.params[:, :-1].tolist(),
            "b": self.params[:, -1].tolist(),
            "nonzero": self.nonzero,
            "losses": self.losses.tolist(),
            "r_squared": self.r_squared.tolist(),
            "cv_mean": None if mean is None else mean.tolist(),
            "cv_std_error": None if error is None else error.tolist(),
            "least": self.chosen("least"),
            "one_se": self.chosen("1se"),
            "version": __version__,
        }

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each λ, with the columns of `gdfit path --format csv`."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    @property
    def columns(self) -> dict[str, list[float]]:
        """A number for each λ in each column; NaN without folds."""
        nothing = np.full(len(self.lambdas), math.nan)
        names = params_names(self.observations.features)
        columns = {
            "lambda": self.lambdas,
            "l1": self.l1,
            "l2": self.l2,
            "nonzero": np.array(self.nonzero),
            "loss": self.losses,
            "r_squared": self.r_squared,
            "cv_mean": nothing if self.cv_mean is None else self.cv_mean,
            "cv_std_error": nothing if self.cv_std_error is None else self.cv_std_error,
        }
        columns |= dict(zip(names, self.params.T, strict=True))
        return {name: column.tolist() for name, column in columns.items()}


def penalty_path(
    observations: Any,
    y: Any = None,
    *,
    penalty: Penalty = "l1",
    mix: float = 0.5,
    penalties: Sequence[float] | None = None,
    cv: int | None = None,
    seed: int = 0,
    **how: Unpack[DataOptions],
) -> PenaltyPath:
    """The least squared error with each of many penalties on the weights of standardized features.

    Parameters
    ----------
    observations, y : the data, as `train` takes them; with `cv`, the rows themselves.
    features, target, exclude, degree, weights, intercept, drop_missing, dates, like : as in
        `observations_from`.
    penalty : ``l1``, the lasso; ``l2``, ridge; or ``mix``, the elastic net.
    mix : ρ of ``mix``, above 0 and below 1: the part of ‖w‖₁.
    penalties : the λ; by default 100 of them, each the same part of the one before, from the
        smallest that makes all weights 0 down to 1e-4 of it; for ``l2`` from 1000 times as much.
    cv : how many folds to hold out, one by one.
    seed : the folds come from it.

    Raises
    ------
    UsageError : an argument is out of range.
    GdfitError : the data can't be used.

    Examples
    --------
    >>> import gdfit
    >>> x = [[1, 2], [2, 1], [3, 5], [4, 3], [5, 1]]
    >>> found = gdfit.penalty_path(x, [1.1, 1.9, 3.2, 3.9, 5.1])
    >>> len(found.lambdas), found.nonzero[0], found.nonzero[-1]
    (100, 0, 2)
    """
    parts: list[Observations] = []
    if penalty != "mix" and mix != 0.5:
        raise UsageError("`mix` has no effect here: it is for `penalty` mix")
    if cv is None:
        whole = observed(observations, y, **how)
    else:
        check_folds(cv, Settings(), "zeros")
        whole, parts = with_folds(observations, y, cv, seed, **how)
    return path_of(whole, parts, penalty, mix, penalties)


@np.errstate(over="ignore", invalid="ignore")
def path_of(
    observations: Observations,
    folds: Sequence[Observations],
    penalty: Penalty,
    mix: float,
    penalties: Sequence[float] | None,
) -> PenaltyPath:
    """The path of observations, cross-validated on their folds, if there are any; see
    `penalty_path`."""
    if penalty not in get_args(Penalty):
        raise UsageError(f"`penalty` takes one of {', '.join(get_args(Penalty))}, not {penalty}")
    if penalty == "mix" and not 0 < mix < 1:
        raise UsageError(f"`mix` takes a number above 0 and below 1, not {mix:g}")
    part = {"l1": 1.0, "l2": 0.0}.get(penalty, mix)
    scaling = standardizing(observations)
    parabola = Parabola(scaled(observations, scaling))
    lambdas = grid(parabola, part) if penalties is None else listed_penalties(penalties)
    params = scaling.to_data(minima(parabola, lambdas, part))
    if not np.isfinite(params).all():
        raise GdfitError("the columns differ too much in size for float64")
    losses = losses_at(observations, params)
    none = parabola.with_b(np.zeros((1, parabola.features)))
    varies = losses_at(observations, scaling.to_data(none))
    with np.errstate(divide="ignore", invalid="ignore"):
        r_squared = np.where(varies > 0, 1 - losses / varies, math.nan)
    held_out = [
        losses_at(fold, fold_minima(others, lambdas, part))
        for fold, others in zip(folds, without_each(folds), strict=True)
    ]
    of_folds = np.array(held_out) if held_out else None
    return PenaltyPath(
        observations, penalty, part, lambdas, params, losses, r_squared, scaling, of_folds
    )


def grid(parabola: Parabola, mix: float) -> FloatArray:
    """The default λ, falling.

    Raises
    ------
    GdfitError : all weights are 0 whatever λ is, or y is too large.
    """
    steepest = float(np.abs(parabola.slopes(np.zeros(parabola.features))).max()) / 2
    spread = float(np.linalg.norm(parabola.target)) / math.sqrt(parabola.total)
    if not math.isfinite(steepest + spread * spread):
        raise GdfitError("the squares of y are too large for float64; divide y by a power of ten")
    if not steepest > SAME * math.hypot(spread, parabola.target_mean):
        raise GdfitError("all weights are 0 whatever the penalty: nothing varies with the target")
    largest = steepest / mix if mix else RIDGE_FROM * steepest
    return np.geomspace(largest, LEAST_PART * largest, PENALTIES)


def listed_penalties(penalties: Sequence[float]) -> FloatArray:
    """The λ that are given, falling, each once."""
    try:
        lambdas = np.unique(np.array(penalties, np.float64))[::-1]
    except (ValueError, TypeError):
        lambdas = np.empty(0)
    if not len(lambdas) or not ((lambdas >= 0) & np.isfinite(lambdas)).all():
        raise UsageError("`penalties` takes numbers that are not negative")
    return lambdas


def minima(parabola: Parabola, lambdas: FloatArray, mix: float) -> FloatArray:
    """The params of the minimum for each λ, which fall, on the scale of the parabola: shape
    (K, p+1).

    Raises
    ------
    GdfitError : float64 can't tell one of them.
    """
    w, found = np.zeros(parabola.features), list[FloatArray]()
    while len(found) < len(lambdas):
        strength, *smaller = lambdas[len(found) :].tolist()
        least = parabola.minimum(2 * strength * mix, strength * (1 - mix), w)
        if least is None:
            what = f"float64 can't tell the minimum for the penalty {strength:g}"
            raise GdfitError(f"{what}: `penalties` takes larger ones")
        found.append(least)
        if mix == 1:
            found += [*parabola.minima_behind(least, 2 * strength, 2 * np.array(smaller))]
        w = found[-1]
    return parabola.with_b(np.array(found))


def fold_minima(others: Observations, lambdas: FloatArray, mix: float) -> FloatArray:
    """The same for the observations that are left without a fold, standardized by themselves; in
    the data's own units."""
    scaling = standardizing(others)
    return scaling.to_data(minima(Parabola(scaled(others, scaling)), lambdas, mix))


def losses_at(observations: Observations, params: FloatArray) -> FloatArray:
    """The mean squared error at each of several params, shape (K, p+1)."""
    residuals = params @ observations.design.T - observations.target
    return np.asarray((residuals**2).sum(axis=1) / observations.total_weight)
