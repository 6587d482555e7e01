"""Intervals of predictions: where the mean of y lies at some x, and where a new observation falls.

With the params' covariances s²·MMᵀ, the standard error of xᵀθ is s‖Mᵀx‖, and that of a new
observation s√(1 + ‖Mᵀx‖²) (Draper and Smith, Applied Regression Analysis, 1998, §3.1). A model's
file keeps M, which is R⁻¹ of the design matrix A = QR, with each feature counted from its mean:
far from 0, xᵀθ and its error would be differences of large numbers.

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
from typing import Any, cast

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.errors import GdfitError, UsageError
from gdfit.model.family import GroupedModel
from gdfit.model.linear import LinearModel

MPMATH_DIGITS = 40  # that mpmath works with: 20 are lost for 10¹⁸ degrees of freedom


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


@dataclass(frozen=True)
class Precision:
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


def precision_of(model: LinearModel) -> Precision:
    """How well the params of a model are known.

    Raises
    ------
    GdfitError : its file does not say so.
    """
    facts = model.facts
    record: Any = facts.get("precision")
    try:
        root = [[*map(float, row)] for row in record["root"]]
        rank = max(map(len, root))
        return Precision(
            np.array(record["center"], float),
            np.array(record["params"], float),
            np.array([[0.0] * (rank - len(row)) + row for row in root]).reshape(-1, rank),
            record["std_error"],
            record["df"],
        )
    except (KeyError, TypeError, ValueError):
        pass
    check_loss(facts)
    what = "the model has no intervals: "
    if facts.get("separable"):
        raise GdfitError(f"{what}a plane separates the classes, and any probability is as good")
    raise GdfitError(f"{what}it has too few observations, or its file is from an older gdfit")


def check_loss(facts: Mapping[str, object]) -> None:
    """Raise where a model's `facts` say that its loss has no intervals."""
    what = "the model has no intervals: "
    for name in ("l1", "l2"):
        if facts.get(name):
            raise GdfitError(f"{what}it has a penalty; without `{name}` it would have them")
    if facts.get("loss_function") not in ("mse", "logistic"):
        raise GdfitError(f"{what}they are for `loss` mse and logistic")


@dataclass(frozen=True)
class Intervals:
    """Intervals of a model's predictions, centred on those of the least loss.

    interval : the level of the interval in which a new observation falls, if it is wanted.
    confidence : that of the interval in which the mean of y lies.
    """

    model: LinearModel
    interval: float | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        for name in ("interval", "confidence"):
            level = getattr(self, name)
            if level is not None:
                check_level(level, name)
        if self.interval is not None and self.model.classes:
            what = "`interval` is of numbers, and the model predicts a probability"
            raise UsageError(f"{what}: `confidence` gives the interval of that")
        if not isinstance(self.model, GroupedModel):
            _ = self.precision
        elif not any(each.facts.get("precision") for each in self.model.models.values()):
            precision_of(self.model)

    @cached_property
    def precision(self) -> Precision:
        """How well the params are known."""
        return precision_of(self.model)

    @property
    def endings(self) -> Sequence[str]:
        """What is put to the target's name for the ends of the intervals."""
        if None in (self.interval, self.confidence):
            return ("_low", "_high")
        return ("_low", "_high", "_mean_low", "_mean_high")

    @cached_property
    def margins(self) -> list[tuple[float, float]]:
        """Of each interval, how far it reaches, and the error of an observation beside that of the
        mean, as a part of s."""
        wanted = ((self.interval, 1.0), (self.confidence, 0.0))
        size = self.precision.std_error
        return [
            (size * self.precision.margin(level), own) for level, own in wanted if level is not None
        ]

    def at_rows(self, rows: FloatArray) -> FloatArray:
        """The lower and the upper end of each interval, shape (n, 2) or (n, 4), in rows as an
        `Expansion` has them."""
        features = self.model.features_at_rows(rows)
        if not isinstance(self.model, GroupedModel):
            return self.at_features(features)
        ends, groups = np.empty((len(rows), len(self.endings))), self.model.groups_at_rows(rows)
        for place, model in enumerate(self.model.models.values()):
            if (own := groups == place).any():
                ends[own] = math.nan
                if model.facts.get("precision"):
                    ends[own] = replace(self, model=model).at_features(features[own])
        return ends

    def at_features(self, features: FloatArray) -> FloatArray:
        """The same in rows of features, shape (n, p)."""
        z, spread = self.precision.z(features)
        reaches = [margin * np.hypot(spread, own) for margin, own in self.margins]
        ends = [z + sign * reach for reach in reaches for sign in (-1, 1)]
        return cast(FloatArray, self.model.mean(np.column_stack(ends)))

    @property
    def remarks(self) -> list[str]:
        """What to say of them."""
        remarks = []
        if self.model.facts.get("arrived") is False:
            what = "the run has not arrived: intervals are of the least loss, predictions of the "
            remarks.append(f"{what}run; more `epochs` in training bring them together")
        if self.model.facts.get("weights") and self.interval is not None:
            remarks.append("the model has weights: a new observation counts 1")
        return remarks


def check_level(level: float, name: str = "level") -> None:
    """Raise for what is no level of an interval."""
    if not 0 < level < 1:
        raise UsageError(f"`{name}` takes a number between 0 and 1, as 0.95, not {level:g}")


def predict_interval(
    model: LinearModel, x: Any, level: float = 0.95, *, mean: bool = False
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
    wanted = Intervals(model, **{"confidence" if mean else "interval": level})

    def at(rows: FloatArray) -> FloatArray:
        return np.column_stack([model.at_rows(rows), wanted.at_rows(rows)])

    y, low, high = model.in_file(model.rows_of(x), at).T
    return y, low, high
