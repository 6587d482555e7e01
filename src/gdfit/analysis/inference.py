"""Inference: least squares with standard errors, t, p, confidence intervals, R² and F.

It all follows from the R factor of [A y], so from the p+2 condensed rows as from all N. It is about
least squares without a penalty; the params of a model stand beside it.

[A y] = QR, and R = [R_A Qᵀy; 0 ρ]. The params are R_A⁻¹Qᵀy, ρ is the length of their residuals, and
a row of R_A⁻¹ is as long as its param's standard error is in units of the residuals' (Golub and Van
Loan, Matrix Computations, 2013, §5.3). A column that depends on those before it is left out.

Probabilities of Student's t and of F are right however small. Both are the regularized incomplete
beta function, P(F > f) = I_x(a, b) with a = df₂/2, b = df₁/2 and x = a/(a + b·f), and t² is an F
with df₁ = 1. With y = 1 − x, I_x(a, b) = xᵃyᵇ/B(a, b) divided by a continued fraction (DiDonato and
Morris, ACM Trans. Math. Softw. 18, 1992, BFRAC), whose few terms lose no digits. The logarithms in
front of it do: they are as large as a·log a and cancel, so they are taken in mpmath.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Unpack, cast

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.given import DataOptions, observed
from gdfit.data.observations import Observations
from gdfit.descent.outcome import params_names
from gdfit.descent.scaling import DEPENDENT, Elimination
from gdfit.descent.settings import LossName
from gdfit.errors import GdfitError, UsageError, listing, printable
from gdfit.model.linear import LinearModel

if TYPE_CHECKING:
    import pandas as pd

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
class LeastSquares:
    """The least-squares params of some columns, and how well they are known.

    params : shape (p,); NaN for a column that depends on those before it.
    spreads : their standard errors where the residual standard error is 1; NaN as in `params`.
    rank : how many columns don't depend on those before them.
    explained : ‖ŷ‖, or ‖ŷ − ȳ‖ with an intercept; 0 where y does not vary.
    residual : ‖y − ŷ‖; 0 where it is no more than rounding.
    """

    params: FloatArray
    spreads: FloatArray
    rank: int
    explained: float
    residual: float


def least_squares(
    columns: FloatArray, *, intercept: bool, origin: FloatArray | None = None
) -> LeastSquares:
    """Least squares of y on the columns before it; one that depends on earlier ones is left out.

    Parameters
    ----------
    columns : [A y], shape (n, p+1).
    intercept : whether the first column is the ones.
    origin : what has been taken away from the columns behind the ones, shape (p − 1,).

    Raises
    ------
    GdfitError : the numbers are too large for float64, or the params would be.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        # Columns about 1 in size: powers of two, so that it changes no digit.
        exponents = np.frexp(np.abs(columns).max(axis=0))[1]
        if not np.isfinite(columns).all():
            raise GdfitError("the numbers are too large for float64")
        far = np.zeros(len(exponents))
        if origin is not None:
            far[1:-1] = np.abs(origin) * np.linalg.norm(columns[:, 0])
        elimination = Elimination(np.ldexp(columns, -exponents), np.ldexp(far, -exponents))
        elimination.take(range(len(exponents) - 1))
        kept, inverse = elimination.kept, elimination.inverse
        if origin is not None:  # b is told for the columns as they were
            slopes = np.array(kept[1:], int)
            taken = np.ldexp(origin[slopes - 1], exponents[0] - exponents[slopes])
            inverse = np.vstack([inverse[0] - taken @ inverse[1:], inverse[1:]])
        projected, residual = elimination.projected(-1).copy(), elimination.left(-1)
        explained = float(np.linalg.norm(projected[intercept:]))
        if math.hypot(explained, residual) <= DEPENDENT * float(np.linalg.norm(projected)):
            projected[intercept:], explained, residual = 0.0, 0.0, 0.0  # y does not vary
        params, spreads = np.full((2, len(exponents) - 1), math.nan)
        params[kept] = np.ldexp(inverse @ projected, exponents[-1] - exponents[kept])
        spreads[kept] = np.ldexp(np.linalg.norm(inverse, axis=1), -exponents[kept])
        lengths = np.ldexp([explained, residual], exponents[-1])
    if not np.isfinite([*params[kept], *spreads[kept], *lengths]).all():
        raise GdfitError("the columns differ too much in size for float64")
    return LeastSquares(params, spreads, len(kept), float(lengths[0]), float(lengths[1]))


@dataclass(frozen=True)
class Estimate:
    """Estimate of a param; None for what can't be told.

    name : of the param.
    value : the model's.
    least_squares : that of the least squared error; None where its column depends on others.
    std_error : its standard error.
    t, p : the least-squares value in standard errors, and how probable one as far from 0 is if the
        param is 0.
    low, high : its confidence interval.
    """

    name: str
    value: float | None = None
    least_squares: float | None = None
    std_error: float | None = None
    t: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def distance(self) -> float | None:
        """Standard errors between the model's value and the least-squares one."""
        if self.value is None or self.least_squares is None or not self.std_error:
            return None
        return abs(self.value - self.least_squares) / self.std_error


@dataclass(frozen=True)
class Summary:
    """Estimates of all params, and figures about the fit; None for what can't be told.

    rows : an estimate for each param.
    level : of the confidence intervals.
    residual_std_error : √(Σ(ŷ − y)²/df); 0 where the fit is perfect but for rounding.
    df : degrees of freedom, N less the number of params that can be told.
    r_squared, adjusted_r_squared : R², and 1 − (1 − R²)(N − 1)/df; None where y does not vary.
    slopes : how many params but b can be told.
    f, f_p : the F statistic of all slopes, and how probable one as large is if all are 0.
    observations : N.
    """

    rows: tuple[Estimate, ...]
    level: float
    residual_std_error: float | None
    df: int
    r_squared: float | None
    adjusted_r_squared: float | None
    slopes: int
    f: float | None
    f_p: float | None
    observations: int

    @property
    def dependent(self) -> tuple[str, ...]:
        """The params whose columns depend on those before them, the ones first."""
        return tuple(row.name for row in self.rows if row.least_squares is None)

    @property
    def figures(self) -> dict[str, float | None]:
        """The figures about the fit as a whole, by name."""
        others = ("rows", "level", "slopes")
        return {name: value for name, value in vars(self).items() if name not in others}

    @property
    def frame(self) -> pd.DataFrame:
        """The estimates as a DataFrame, indexed by name; NaN for what can't be told."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows]).set_index("name").astype(float)

    def _repr_html_(self) -> str:
        """Two tables for a notebook: the estimates, and the figures."""
        import pandas as pd

        figures = pd.Series(self.figures, dtype=float).to_frame()
        return f"{self.frame.to_html(na_rep='—')}\n{figures.to_html(na_rep='—', header=False)}"


def summarize(
    observations: Any,
    model: LinearModel | None = None,
    level: float = 0.95,
    *,
    y: Any = None,
    **how: Unpack[DataOptions],
) -> Summary | Any:
    """Least squares with standard errors, t, p and confidence intervals, beside a model's params.

    Of a model of two classes, it is the largest likelihood: a `LikelihoodSummary`.

    As in R, weights say how precise each observation is, not how many there were, and without an
    intercept R² is about 0 instead of the mean.

    Parameters
    ----------
    observations, y : observations, condensed or not; or what `observations_from` takes as x and y.
    features, target, exclude, degree, weights, intercept, drop_missing, dates, like : as in
        `observations_from`.
    model : the model to compare, of the same features and target.
    level : of the confidence intervals, between 0 and 1.

    Raises
    ------
    GdfitError : the model is of other columns, or the numbers are too large for float64.
    UsageError : the level is out of range.

    Examples
    --------
    >>> import gdfit
    >>> summary = gdfit.summarize([1, 2, 3, 4], y=[3, 5, 7, 10])
    >>> w, b = summary.rows
    >>> print(f"{w.least_squares:.2f} ± {w.std_error:.2f}, p = {w.p:.4f}")
    2.30 ± 0.17, p = 0.0056
    """
    check_level(level)
    classes = model.classes if model else None
    if classes and not isinstance(observations, Observations):
        how["positive"] = classes.names[1]
    observations = observed(observations, y, **how)
    names = params_names(observations.features)
    values: Sequence[float | None] = model.params if model else [None] * len(names)
    target = observations.target_name
    if model and (model.features, model.target) != (observations.features, target):
        what = f"the model predicts {printable(model.target)} from {listing(model.features)}"
        there = f"{printable(target)} and {listing(observations.features)}"
        raise GdfitError(f"{what}; the observations are of {there}")
    if model and classes:
        from gdfit.analysis.likelihood import summarize_likelihood

        loss = cast(LossName, model.facts.get("loss_function"))
        return summarize_likelihood(observations, values, level, loss)
    # The ones come first: it is a feature that depends on them, not they on it.
    features = range(len(observations.features))
    intercept = observations.intercept
    order = [len(features), *features] if intercept else [*features]
    around = observations.around
    origin = around.origin if intercept else None
    found = least_squares(around.rows[:, [*order, -1]], intercept=intercept, origin=origin)
    df = observations.count - found.rank
    error = found.residual / math.sqrt(df) if df else None
    margin = t_quantile(level, df) if error else 0.0

    def estimate(place: int, param: float, spread: float) -> Estimate:
        name, value = names[place], values[place]
        if math.isnan(param):
            return Estimate(name, value)
        if error is None:
            return Estimate(name, value, param)
        std_error = spread * error
        t = param / std_error if std_error else None
        p = None if t is None else t_tail(t, df)
        reach = margin * std_error
        return Estimate(name, value, param, std_error, t, p, param - reach, param + reach)

    rows = [*map(estimate, order, found.params.tolist(), found.spreads.tolist())]
    slopes = found.rank - intercept
    total = math.hypot(found.explained, found.residual)
    adjusted = f = None
    if total and df:
        adjusted = 1 - (found.residual / total) ** 2 * (observations.count - intercept) / df
    if slopes and df and found.residual:
        f = (found.explained / found.residual) ** 2 * df / slopes
    return Summary(
        rows=(*rows[intercept:], *rows[:intercept]),
        level=level,
        residual_std_error=error,
        df=df,
        r_squared=(found.explained / total) ** 2 if total else None,
        adjusted_r_squared=adjusted,
        slopes=slopes,
        f=f,
        f_p=None if f is None else f_tail(f, slopes, df),
        observations=observations.count,
    )


def check_level(level: float) -> None:
    """Raise for what is no level of a confidence interval."""
    if not 0 < level < 1:
        raise UsageError(f"`level` takes a number between 0 and 1, as 0.95, not {level:g}")
