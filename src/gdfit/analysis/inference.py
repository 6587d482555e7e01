"""Inference: least squares with standard errors, t, p, confidence intervals, R² and F.

It is about least squares without a penalty; the params of a model stand beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Unpack, cast

from gdfit.data.given import DataOptions, observed
from gdfit.data.observations import Observations
from gdfit.descent.least_squares import ones_first, squares_of
from gdfit.descent.outcome import params_names
from gdfit.descent.settings import LossName
from gdfit.errors import GdfitError, listing, printable
from gdfit.model.intervals import check_level, f_tail, t_quantile, t_tail
from gdfit.model.linear import LinearModel

if TYPE_CHECKING:
    import pandas as pd


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
    vif : of a feature, the variance inflation factor: by how much what the others tell of it makes
        the variance of its param larger.
    """

    name: str
    value: float | None = None
    least_squares: float | None = None
    std_error: float | None = None
    t: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None
    vif: float | None = None

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
    log_likelihood : the largest one, of errors that are normal; None where the fit is perfect.
    aic, bic : 2k and k·log N less twice that, with k the params that can be told and σ, as in R.
    standard_errors : of which kind they are.
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
    log_likelihood: float | None
    aic: float | None
    bic: float | None
    standard_errors: str
    observations: int

    @property
    def dependent(self) -> tuple[str, ...]:
        """The params whose columns depend on those before them, the ones first."""
        return tuple(row.name for row in self.rows if row.least_squares is None)

    @property
    def figures(self) -> dict[str, Any]:
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

        told = {name: "—" if value is None else value for name, value in self.figures.items()}
        figures = pd.Series(told, dtype=object).to_frame()
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
    intercept, order = observations.intercept, ones_first(observations)
    found = squares_of(observations, order)
    count, rank = observations.count, len(found.kept)
    df = count - rank
    error = found.residual / math.sqrt(df) if df else None
    margin = t_quantile(level, df) if error else 0.0

    def estimate(place: int, param: float, spread: float, inflation: float) -> Estimate:
        name, value = names[place], values[place]
        vif = None if math.isnan(inflation) else inflation
        if math.isnan(param):
            return Estimate(name, value)
        if error is None:
            return Estimate(name, value, param, vif=vif)
        std_error = spread * error
        t = param / std_error if std_error else None
        p = None if t is None else t_tail(t, df)
        reach = margin * std_error
        return Estimate(name, value, param, std_error, t, p, param - reach, param + reach, vif)

    told = (found.params.tolist(), found.spreads.tolist(), found.inflations.tolist())
    rows = [*map(estimate, order, *told)]
    slopes = rank - intercept
    total = math.hypot(found.explained, found.residual)
    adjusted = f = None
    if total and df:
        adjusted = 1 - (found.residual / total) ** 2 * (count - intercept) / df
    if slopes and df and found.residual:
        f = (found.explained / found.residual) ** 2 * df / slopes
    likelihood = aic = bic = None
    if df and found.residual:
        variance = found.residual**2 / count
        likelihood = (observations.log_weight - count * (math.log(2 * math.pi * variance) + 1)) / 2
        aic = 2 * (rank + 1) - 2 * likelihood
        bic = (rank + 1) * math.log(count) - 2 * likelihood
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
        log_likelihood=likelihood,
        aic=aic,
        bic=bic,
        standard_errors="classical",
        observations=count,
    )
