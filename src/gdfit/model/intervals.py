"""Intervals of predictions: where the mean of y lies at some x, and where a new observation falls;
and what the rows of training do to the params.

With the params' covariances s²·MMᵀ, the standard error of xᵀθ is s‖Mᵀx‖, and that of a new
observation s√(1 + ‖Mᵀx‖²) (Draper and Smith, Applied Regression Analysis, 1998, §3.1). A model's
file keeps M, which is R⁻¹ of the design matrix A = QR, with each feature counted from its mean:
far from 0, xᵀθ and its error would be differences of large numbers. The leverage of a row of
training is ‖Mᵀx‖², and Cook's distance of all predictions with and without it follows from it and
the residual (Cook, Technometrics 19, 1977; of classes, from one step of Newton's method: Pregibon,
Annals of Statistics 9, 1981).

Their margins are quantiles of Student's t. Its probabilities and those of F are right however
small: both are the regularized incomplete beta function, P(F > f) = I_x(a, b) with a = df₂/2,
b = df₁/2 and x = a/(a + b·f), and t² is an F with df₁ = 1. With y = 1 − x, I_x(a, b) =
xᵃyᵇ/B(a, b) divided by a continued fraction (DiDonato and Morris, ACM Trans. Math. Softw. 18, 1992,
BFRAC), whose few terms lose no digits. The logarithms in front of it do: they are as large as
a·log a and cancel, so they are taken in mpmath.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.errors import GdfitError, UsageError, listing
from gdfit.model.linear import LinearModel, as_model, without_secrets
from gdfit.model.links import sigmoid

if TYPE_CHECKING:
    from gdfit.data.observations import Fitted
    from gdfit.model.family import GroupedModel

OFF = 0.1  # standard errors of a mean that no run that has arrived is from the least loss
MOST_PRECISE = 2000  # features: a model's file has half of their number squared for it
MPMATH_DIGITS = 40  # that mpmath works with: 20 are lost for 10¹⁸ degrees of freedom
ALONE = 1e-12  # of 1 − h: the row alone tells a param, and its residual is rounding


def f_tail(f: float, df1: float, df2: float) -> float:
    """P(F > f) for F with `df1` and `df2` degrees of freedom."""
    from mpmath import mp

    if f <= 0:
        return 1.0
    with mp.workdps(MPMATH_DIGITS):
        a, b = mp.mpf(df2) / 2, mp.mpf(df1) / 2
        x, y = a / (a + b * f), b * f / (a + b * f)
        log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
        front = mp.exp(a * mp.log(x) + b * mp.log(y) - log_beta)
        excess = float(a * y - b * x)
        if f < 1:  # the fraction is for the smaller side
            return float(1 - front / _fraction(float(b), float(a), float(y), float(x), -excess))
        return float(front / _fraction(float(a), float(b), float(x), float(y), excess))


def t_tail(t: float, df: float) -> float:
    """P(|T| > |t|) for T with `df` degrees of freedom."""
    return f_tail(t * t, 1, df)


def t_quantile(level: float, df: float) -> float:
    """The t that |T| stays below with probability `level`: by bisection, to the last bit."""
    low, high = 0.0, 1.0
    while t_tail(high, df) > 1 - level:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if t_tail(middle, df) > 1 - level else (low, middle)
    return high


def _fraction(a: float, b: float, x: float, y: float, excess: float) -> float:
    """xᵃyᵇ/B(a, b) over I_x(a, b) by modified Lentz; `excess`, a·y − b·x, is not negative."""
    value = numerator = a * (excess + 1) / (a + 1)
    denominator = 0.0
    for n in count(1):
        step = (a + n - 1) * (a + b + n - 1) * n * (b - n) * (x / (a + 2 * n - 1)) ** 2
        term = n + n * (b - n) * x / (a + 2 * n - 1)
        term += (a + n) * (excess + 1 + n * (1 + y)) / (a + 2 * n + 1)
        denominator = 1 / (term + step * denominator)
        numerator = term + step / numerator
        value *= numerator * denominator
        if not abs(numerator * denominator - 1) > math.ulp(1.0):
            return value
    raise AssertionError  # count() does not end


class Precision(NamedTuple):
    """How well the params of the least loss are known.

    center : what each feature is counted from, shape (p,).
    params : w, and z at the center, shape (p+1,).
    root : M, shape (p+1, k) for k params that can be told; 0 for the others.
    std_error : s, the residual standard error; 1 for classes.
    df : degrees of freedom; none for classes, whose params are about normal.
    """

    center: FloatArray
    params: FloatArray
    root: FloatArray
    std_error: float = 1.0
    df: int | None = None

    @property
    def record(self) -> dict[str, object]:
        """As a model's file has it: the rows of M without the zeros at their beginning."""
        return {
            "center": self.center.tolist(),
            "params": self.params.tolist(),
            "root": [[*dropwhile(operator.not_, row)] for row in self.root.tolist()],
            "std_error": self.std_error,
            "df": self.df,
        }

    def z(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """z in rows of features, shape (n, p), and its standard errors as parts of s."""
        rows = np.column_stack([features - self.center, np.ones(len(features))])
        return rows @ self.params, np.linalg.norm(rows @ self.root, axis=1)

    def margin(self, level: float) -> float:
        """How far an interval of this level reaches, in standard errors."""
        if self.df is None:
            from statistics import NormalDist  # which takes longer to import than a small run

            return NormalDist().inv_cdf((1 + level) / 2)
        return t_quantile(level, self.df)


def precision_of(model: LinearModel, wanted: str = "intervals") -> Precision:
    """How well the params of a model are known, for what is `wanted` of it.

    Raises
    ------
    GdfitError : its file does not say so.
    """
    facts = model.facts
    record: Any = facts.get("precision")
    try:
        root = [[*map(float, row)] for row in record["root"]]
        rank = max(map(len, root))
        found = Precision(
            np.array(record["center"], float).reshape(len(model.w)),
            np.array(record["params"], float).reshape(len(root)),
            np.array([[0.0] * (rank - len(row)) + row for row in root]).reshape(-1, rank),
            float(record["std_error"]),
            None if record["df"] is None else int(record["df"]),
        )
        parts = (found.center, found.params, found.root.ravel(), [found.std_error])
        is_known = found.std_error >= 0 and (found.df is None or found.df > 0)
        if len(root) == len(model.w) + 1 and is_known and np.isfinite(np.hstack(parts)).all():
            return found
    except (LookupError, TypeError, ValueError, OverflowError):
        pass
    check_loss(facts, wanted)
    what = f"the model has no {wanted}: "
    if facts.get("separable"):
        raise GdfitError(f"{what}a plane separates the classes, and any probability is as good")
    if len(model.w) > MOST_PRECISE:
        raise GdfitError(f"{what}they are kept for {MOST_PRECISE:,} features at most")
    raise GdfitError(f"{what}it has too few observations, or its file is from an older gdfit")


def check_loss(facts: Mapping[str, object], wanted: str = "intervals") -> None:
    """Raise where a model's `facts` say that its loss has none of what is `wanted`."""
    what = f"the model has no {wanted}: "
    for name in ("l1", "l2"):
        if facts.get(name):
            raise GdfitError(f"{what}it has a penalty; without `{name}` it would have them")
    if facts.get("loss_function") not in ("mse", "logistic"):
        raise GdfitError(f"{what}they are for `loss` mse and logistic")


class Influence(NamedTuple):
    """What rows of training do to the params, each of shape (n,); NaN for a row that alone tells a
    param.

    leverages : h, what ŷ moves where the row's y moves by 1.
    standardized : residuals over their standard errors s√(1 − h); of classes Pearson's,
        (y − ŷ)/√(ŷ(1 − ŷ)), over √(1 − h).
    distances : Cook's.
    """

    leverages: FloatArray
    standardized: FloatArray
    distances: FloatArray


@np.errstate(divide="ignore", invalid="ignore")
def influence_of(
    precision: Precision,
    features: FloatArray,
    y: FloatArray,
    z: FloatArray,
    weights: FloatArray,
    *,
    classes: bool,
) -> Influence:
    """The influence of rows of `features`, shape (n, p), whose residuals are those of y from z."""
    spread, errors, bend = precision.z(features)[1], y - z, np.ones(len(y))
    if classes:  # without a difference of numbers near 1
        errors = np.where(y > 0.5, sigmoid(-z), -sigmoid(z))
        bend = sigmoid(z) * sigmoid(-z)
    h = weights * bend * spread**2
    left = np.where(1 - h < ALONE, np.nan, 1 - h)
    standardized = np.sqrt(weights / bend / left) * errors / precision.std_error
    return Influence(h, standardized, standardized**2 * h / (left * precision.root.shape[1]))


def residuals_of(y: FloatArray, z: FloatArray, *, classes: bool) -> FloatArray:
    """y − ŷ; of classes the deviance residual, the root of twice the loss with the sign of that."""
    if not classes:
        return y - z
    losses = np.logaddexp(0.0, np.where(y > 0.5, -z, z))
    return np.where(np.isnan(y), y, np.where(y > 0.5, 1.0, -1.0) * np.sqrt(2 * losses))


@dataclass(frozen=True, eq=False)
class Further:
    """What is told of rows beside a model's predictions: intervals, centred on those of the least
    loss; their residuals, and their leverages and Cook's distances, which are of the least loss.

    interval : the level of the interval in which a new observation falls, if it is wanted.
    confidence : that of the interval in which the mean of y lies.
    residuals : whether those are wanted, with leverages and distances.
    of_training : whether the rows are those of training. Others have no distance.
    """

    model: LinearModel
    interval: float | None = None
    confidence: float | None = None
    residuals: bool = False
    of_training: bool = True

    def __post_init__(self) -> None:
        for name in ("interval", "confidence"):
            level = getattr(self, name)
            if level is not None:
                check_level(level, name)
        if self.interval is not None and self.model.classes:
            what = "`interval` is of numbers, and the model predicts a probability"
            raise UsageError(f"{what}: `confidence` gives the interval of that")
        models = [*self._family.models.values()] if self._family else [self.model]
        for each in [one for one in models if one.facts.get("precision")] or [self.model]:
            precision_of(each, "leverages" if self.residuals else "intervals")

    @cached_property
    def _family(self) -> GroupedModel | None:
        """The model, if it is one of groups."""
        from gdfit.model.family import GroupedModel

        return self.model if isinstance(self.model, GroupedModel) else None

    @cached_property
    def precision(self) -> Precision:
        """How well the params are known."""
        return precision_of(self.model)

    @property
    def is_dependent(self) -> bool:
        """Whether columns that depend on each other share weights, in a run that has arrived: where
        they do so otherwise than in training, nothing tells y."""
        shared = np.count_nonzero(self.model.w) + self.model.intercept
        return bool(self.model.facts.get("arrived") and shared > self.precision.root.shape[1])

    @property
    def endings(self) -> Sequence[str]:
        """What is put to the target's name for the fields that tell it."""
        levels = sum(level is not None for level in (self.interval, self.confidence))
        ends = ("_low", "_high", "_mean_low", "_mean_high")[: 2 * levels]
        return (*ends, *("_residual", "_leverage", "_cooks_distance") * self.residuals)

    @cached_property
    def margins(self) -> list[tuple[float, float]]:
        """Of each interval, how far it reaches, and the error of an observation beside that of the
        mean, as a part of s."""
        wanted = ((self.interval, 1.0), (self.confidence, 0.0))
        size = self.precision.std_error
        return [
            (size * self.precision.margin(level), own) for level, own in wanted if level is not None
        ]

    def at_rows(self, rows: FloatArray, observed: FloatArray | None = None) -> FloatArray:
        """What is told, shape (n, fields), in rows as an `Expansion` has them: the lower and the
        upper end of each interval; of their weights and y, which are `observed`, shape (n, 2), also
        residual, leverage and Cook's distance, NaN where y is missing."""
        features = self.model.features_at_rows(rows)
        if not self._family:
            return self.at_features(features, observed)
        found, groups = np.empty((len(rows), len(self.endings))), self._family.groups_at_rows(rows)
        for place, model in enumerate(self._family.models.values()):
            if (own := groups == place).any():
                seen = None if observed is None else observed[own]
                found[own] = math.nan
                if model.facts.get("precision"):
                    found[own] = replace(self, model=model).at_features(features[own], seen)
        return found

    def at_features(self, features: FloatArray, observed: FloatArray | None = None) -> FloatArray:
        """The same in rows of features, shape (n, p)."""
        z, spread = self.precision.z(features)
        if self.is_dependent:
            apart = np.abs(self.model.predictor([*features.T]) - z)
            spread = np.where(apart > OFF * self.precision.std_error * spread, np.nan, spread)
        reaches = [margin * np.hypot(spread, own) for margin, own in self.margins]
        told = [self.model.mean(z + sign * reach) for reach in reaches for sign in (-1, 1)]
        if observed is not None:
            (weights, y), how = observed.T, {"classes": self.model.classes is not None}
            found = influence_of(self.precision, features, y, z, weights, **how)
            counts = self.of_training & (weights > 0)
            residuals = residuals_of(y, self.model.predictor([*features.T]), **how)
            distances = np.where(counts, found.distances, np.nan)
            told += [residuals, np.where(np.isnan(y), y, found.leverages), distances]
        return np.column_stack(told)

    @property
    def remarks(self) -> list[str]:
        """What to say of it."""
        remarks, facts = [], self.model.facts
        if self.residuals and not self.of_training:
            what = "Cook's distance is of rows that the model was trained on, and is empty here"
            known = files_said(facts) or ["data in memory"]
            but = ", but for what was held out" * bool(facts.get("validation_observations"))
            remarks.append(f"{what}: that was {listing(tuple(known))}{but}")
        if facts.get("arrived") is False:
            least = ["intervals"] * ("_low" in self.endings)
            least += ["leverages and Cook's distances"] * self.residuals
            what = f"{', '.join(least)} are of the least loss, predictions of the run"
            more = "more `epochs` in training bring them together"
            remarks.append(f"the run has not arrived: {what}; {more}")
        if "_low" in self.endings and not self._family and self.is_dependent:
            what = "intervals are for rows in which they do so as in training"
            remarks.append(f"columns depend on each other: {what}")
        if facts.get("weights") and self.interval is not None:
            remarks.append("the model has weights: a new observation counts 1")
        return remarks


def files_said(facts: Mapping[str, object]) -> list[str]:
    """The files that a model's `facts` say it was trained on; no file's name has a null."""
    files = facts.get("files")
    said = files if isinstance(files, list) else []
    return [each for each in said if isinstance(each, str) and "\0" not in each]


def was_trained_on(model: LinearModel, files: Sequence[str]) -> bool:
    """Whether all rows of these files are those that a model was trained on, as far as the files'
    names and what was held out tell."""
    known = files_said(model.facts)
    before, here = (
        [Path(str(without_secrets(file))).resolve() for file in each] for each in (known, files)
    )
    return before == here and not model.facts.get("validation_observations")


def check_level(level: float, name: str = "level") -> None:
    """Raise for what is no level of an interval."""
    if not 0 < level < 1:
        raise UsageError(f"`{name}` takes a number between 0 and 1, as 0.95, not {level:g}")


def predict_interval(
    model: LinearModel | Fitted, x: Any, level: float = 0.95, *, mean: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """ŷ for each of the rows `x`, as `LinearModel.predict` takes them, and the ends of the interval
    in which a new observation falls with probability `level`; or of that in which the `mean` of y
    lies. Three arrays of shape (n,); NaN where a value is missing.

    The interval is that of the least loss: of the squared error without a penalty, or with `mean`
    of the logistic loss. A new observation counts 1 where the model has weights.

    Raises
    ------
    GdfitError : the model is of another loss, or see `LinearModel.predict`.
    UsageError : the level is out of range.

    Examples
    --------
    >>> import gdfit
    >>> model = gdfit.train([1, 2, 3, 4], [3, 5, 7, 10]).model
    >>> y, low, high = gdfit.predict_interval(model, [[5]], 0.9)
    >>> f"{y[0]:.2f}, from {low[0]:.2f} to {high[0]:.2f}"
    '12.00, from 10.21 to 13.79'
    """
    model = as_model(model)
    wanted = Further(model, confidence=level) if mean else Further(model, level)

    def at(rows: FloatArray) -> FloatArray:
        return np.column_stack([model.at_rows(rows), wanted.at_rows(rows)])

    y, low, high = model.in_file(model.rows_of(x), at).T
    return y, low, high


def influence(
    model: LinearModel | Fitted, x: Any, y: Any, weights: Any = 1.0
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The residuals y − ŷ of the rows `x` that a model was trained on, as `LinearModel.predict`
    takes them; their leverages, and Cook's distances. Three arrays of shape (n,); NaN where a value
    is missing.

    Of classes y is 0 or 1, and the residuals are deviance residuals. Leverages and distances are of
    the least loss.

    Raises
    ------
    GdfitError : the model is of another loss than mse and logistic, or has a penalty.

    Examples
    --------
    >>> import gdfit
    >>> x, y = [[1], [2], [3], [4]], [3, 5, 7, 10]
    >>> residuals, leverages, distances = gdfit.influence(gdfit.train(x, y).model, x, y)
    >>> [f"{distance:.2f}" for distance in distances]
    ['1.04', '0.02', '0.33', '2.33']
    """
    model = as_model(model)
    rows = model.in_file(model.rows_of(x), lambda rows: rows)
    observed = np.empty((len(rows), 2))
    observed[:, 0], observed[:, 1] = weights, y
    found, whole = np.full((len(rows), 3), np.nan), ~np.isnan(rows).any(axis=1)
    found[whole] = Further(model, residuals=True).at_rows(rows[whole], observed[whole])
    residuals, leverages, distances = found.T
    return residuals, leverages, distances
