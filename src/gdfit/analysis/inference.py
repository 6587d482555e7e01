"""Inference: least squares with standard errors, t, p, confidence intervals, R² and F; and maximum
likelihood of two classes with z and deviances, as R's summary of a ``glm`` of the family
``binomial`` tells them (McCullagh and Nelder, 1989, ch. 4).

It is about the loss without a penalty; the params of a model stand beside it. The log-likelihood is
−N times the mean log loss, and its Hessian at the maximum, turned round, the inverse of the params'
covariances.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Unpack, cast, get_args

import numpy as np

from gdfit.analysis.scatter import Robust, Scatter, scatter_in
from gdfit.data.batch import Level
from gdfit.data.in_memory import DataOptions, as_modelled, observed
from gdfit.data.observations import Fitted, GroupedObservations, Observations, difference
from gdfit.data.terms.expansion import level_name
from gdfit.descent.least_squares import ones_first, refined, squares_of
from gdfit.descent.losses import loss_of
from gdfit.descent.newton import largest_likelihood
from gdfit.descent.outcome import params_names
from gdfit.descent.settings import LossName, Settings
from gdfit.errors import GdfitError, SeparableError, UsageError, listing, printable
from gdfit.model.family import GroupedModel
from gdfit.model.intervals import check_level, f_tail, t_quantile, t_tail
from gdfit.model.linear import LinearModel, as_model
from gdfit.package import Displayed

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
class Anova:
    """The F test of nested models: whether what a model has beyond another tells anything.

    f : how much it lessens the squared error for each param more, over the residual variance.
    df1, df2 : how many params more, and the degrees of freedom of the residuals.
    p : how probable an F as large is if these params are 0.
    """

    f: float
    df1: int
    df2: int
    p: float


@dataclass(frozen=True)
class Summary(Displayed):
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
    standard_errors : of which kind they are: classical, of errors that are alike; robust, hc0 to
        hc3; or of clusters.
    anova : beside a smaller model, where it is compared with one.
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
    anova: Anova | None = None

    @property
    def dependent(self) -> tuple[str, ...]:
        """The params whose columns depend on those before them, the ones first."""
        return tuple(row.name for row in self.rows if row.least_squares is None)

    @property
    def figures(self) -> dict[str, Any]:
        """The figures about the fit as a whole, by name."""
        others = ("rows", "level", "slopes", "anova")
        told = {name: value for name, value in vars(self).items() if name not in others}
        return told | ({"anova": asdict(self.anova)} if self.anova else {})

    @property
    def frame(self) -> pd.DataFrame:
        """The estimates as a DataFrame, indexed by name; NaN for what can't be told."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows]).set_index("name").astype(float)


def summarize(
    observations: Any,
    model: LinearModel | Fitted | None = None,
    level: float = 0.95,
    *,
    y: Any = None,
    robust: Robust | Scatter | None = None,
    cluster: Any = None,
    against: LinearModel | Fitted | None = None,
    refine: bool = False,
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
    model : the model to compare, or its fit, of the same features and target, which a DataFrame
        need not be told.
    level : of the confidence intervals, between 0 and 1.
    robust : standard errors that hold where errors are not alike: hc0, hc1, hc2 or hc3.
    cluster : of each row that was kept, the cluster within which errors may depend on each other,
        shape (n,).
    against : a smaller model, or its fit, whose features are among these, for the F test of what is
        more here.
    refine : compute the least-squares values to nearly the last digit however many rows there are,
        if they have been kept; of 16 MB they always are.

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
    model = None if model is None else as_model(model)
    classes = model.classes if model else None
    if classes and not isinstance(observations, Observations):
        how["positive"] = classes.names[1]
    how = as_modelled(observations, y, how, model, model.target) if model else how
    observations = observed(observations, y, **how)
    names = params_names(observations.features)
    values: Sequence[float | None] = model.params if model else [None] * len(names)
    target = observations.target_name
    if model and (model.features, model.target) != (observations.features, target):
        what = f"the model predicts {printable(model.target)} from {listing(model.features)}"
        there = f"{printable(target)} and {listing(observations.features)}"
        raise GdfitError(f"{what}; the observations are of {there}")
    if model and (other := difference(observations, model)):
        raise GdfitError(f"the observations have {other[0]}, and the model has {other[1]}")
    if classes and (robust or against or cluster is not None):
        told = "`robust`, `cluster` and `against`"
        raise UsageError(f"{told} are of least squares, and the model is of two classes")
    if model and classes:
        loss = cast(LossName, model.facts.get("loss_function"))
        if loss not in get_args(LossName) or not loss_of(Settings(loss=loss)).has_classes:
            raise GdfitError(f"the model has classes, and none of their losses: {loss!r}")
        return summarize_likelihood(observations, values, level, loss)
    intercept, order = observations.intercept, ones_first(observations)
    found = refined(observations, squares_of(observations, order), order, always=refine)
    count, rank = observations.count, len(found.kept)
    df = count - rank
    error = found.residual / math.sqrt(df) if df else None
    errors, t_df = found.spreads * (error or 0.0), df
    scatter = robust if isinstance(robust, Scatter) else None
    if scatter is None and (robust or cluster is not None):
        if robust and cluster is not None:
            raise UsageError("`robust` does not go with `cluster`, which is robust, too")
        scatter = scatter_in(observations, str(robust or "cluster"), cluster)
    if scatter and error:
        errors = np.where(np.isnan(errors), errors, scatter.errors(found.root))
        t_df = scatter.df(df)
    margin = t_quantile(level, t_df) if error else 0.0

    def estimate(place: int, param: float, std_error: float, inflation: float) -> Estimate:
        name, value = names[place], values[place]
        vif = None if math.isnan(inflation) else inflation
        if math.isnan(param):
            return Estimate(name, value)
        if error is None:
            return Estimate(name, value, param, vif=vif)
        t = param / std_error if std_error else None
        p = None if t is None else t_tail(t, t_df)
        reach = margin * std_error
        return Estimate(name, value, param, std_error, t, p, param - reach, param + reach, vif)

    columns = (found.params.tolist(), errors.tolist(), found.inflations.tolist())
    rows = [*map(estimate, order, *columns)]
    slopes = rank - intercept
    total = math.hypot(found.explained, found.residual)
    adjusted = f = None
    if total and df:
        adjusted = 1 - (found.residual / total) ** 2 * (count - intercept) / df
    if slopes and df and found.residual:
        f = (found.explained / found.residual) ** 2 * df / slopes
    likelihood = aic = bic = None
    if df and found.residual:
        variance = math.log(2 * math.pi) + 2 * math.log(found.residual) - math.log(count)
        likelihood = (observations.log_weight - count * (variance + 1)) / 2
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
        standard_errors=scatter.kind if scatter else "classical",
        observations=count,
        anova=anova(observations, as_model(against)) if against else None,
    )


def anova(observations: Observations, smaller: LinearModel) -> Anova:
    """The F test of a model of `observations` against a smaller one of the same.

    Raises
    ------
    GdfitError : it is not nested in this one, or no F can be told.
    """
    features, intercept = observations.features, observations.intercept
    facts, target = smaller.facts, observations.target_name
    what = "`against` takes a model"
    if smaller.target != target or not {*smaller.features} <= {*features}:
        there = f"{printable(smaller.target)} from {listing(smaller.features)}"
        raise GdfitError(f"{what} whose columns are among this one's, and that is of {there}")
    if smaller.intercept != intercept:
        raise GdfitError(f"{what} with{'' if intercept else 'out'} an intercept, as this one is")
    if facts.get("weights") != observations.weights_name or smaller.classes:
        raise GdfitError(f"{what} of least squares with the same weights")
    if facts.get("observations") != observations.count:
        other = facts.get("observations")
        raise GdfitError(f"{what} of the same {observations.count} observations, not of {other}")
    first = [len(features)] * intercept + [features.index(name) for name in smaller.features]
    order = [*first, *(place for place in ones_first(observations) if place not in first)]
    found = squares_of(observations, order)
    shared = sum(place < len(first) for place in found.kept)
    df1, df2 = len(found.kept) - shared, observations.count - len(found.kept)
    if not (df1 and df2 and found.residual):
        why = "no param more" if not df1 else "no errors to tell F from"
        raise GdfitError(f"`against`: this model has {why}")
    more = float(np.linalg.norm(found.projected[shared:]))
    f = (more / found.residual) ** 2 * df2 / df1
    return Anova(f, df1, df2, f_tail(f, df1, df2))


@dataclass(frozen=True)
class LikelihoodEstimate:
    """Estimate of a param; None for what can't be told.

    name : of the param.
    value : the model's.
    estimate : that of the largest likelihood; None where its column depends on others.
    std_error : its standard error.
    z, p : the estimate in standard errors, and how probable one as far from 0 is if the param is 0
        (Wald's test).
    low, high : its confidence interval.
    """

    name: str
    value: float | None = None
    estimate: float | None = None
    std_error: float | None = None
    z: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def distance(self) -> float | None:
        """Standard errors between the model's value and the estimate."""
        if self.value is None or self.estimate is None or not self.std_error:
            return None
        return abs(self.value - self.estimate) / self.std_error


@dataclass(frozen=True)
class LikelihoodSummary(Displayed):
    """Estimates of all params, and figures about the fit.

    rows : an estimate for each param.
    level : of the confidence intervals.
    null_deviance, null_df : −2 times the log-likelihood of b alone, or without an intercept of no
        param, and N less the number of its params.
    deviance, df : the same of the model.
    log_likelihood : of the model.
    aic, bic : deviance + 2k and deviance + k·log N, with k params that can be told.
    observations : N.
    """

    rows: tuple[LikelihoodEstimate, ...]
    level: float
    null_deviance: float
    null_df: int
    deviance: float
    df: int
    log_likelihood: float
    aic: float
    bic: float
    observations: int

    @property
    def dependent(self) -> tuple[str, ...]:
        """The params whose columns depend on those before them."""
        return tuple(row.name for row in self.rows if row.estimate is None)

    @property
    def figures(self) -> dict[str, float]:
        """The figures about the fit as a whole, by name."""
        return {name: value for name, value in vars(self).items() if name not in ("rows", "level")}

    @property
    def frame(self) -> pd.DataFrame:
        """The estimates as a DataFrame, indexed by name; NaN for what can't be told."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows]).set_index("name").astype(float)


def summarize_likelihood(
    observations: Observations, values: Sequence[float | None], level: float, loss: LossName
) -> LikelihoodSummary:
    """The largest likelihood with standard errors, z, p and confidence intervals, beside a model's
    params.

    Parameters
    ----------
    observations : with their rows.
    values : the model's params, or None for each.
    level : of the confidence intervals.
    loss : which has classes, and a minimum that Newton's method finds.

    Raises
    ------
    SeparableError : a plane separates the classes, so that there is no largest likelihood.
    """
    found = largest_likelihood(observations, loss)
    if found is None:
        raise SeparableError(
            "a plane separates the classes, so that the likelihood grows for ever and has no "
            "standard errors; `l2` in training gives the loss a minimum, and still none of these"
        )
    smooth, bowl, precision = found
    total, root, own = observations.total_weight, precision.root.copy(), precision.params.copy()
    root[-1] -= precision.center @ root[:-1]  # b is at 0
    own[-1] -= precision.center @ own[:-1]
    errors = np.linalg.norm(root, axis=1)
    told = np.flatnonzero(errors).tolist()
    margin = NormalDist().inv_cdf((1 + level) / 2)

    def row(place: int, name: str) -> LikelihoodEstimate:
        if place not in told:
            return LikelihoodEstimate(name, values[place])
        param, error = float(own[place]), float(errors[place])
        z, reach = param / error, margin * error
        p = math.erfc(abs(z) / math.sqrt(2))
        both = (param - reach, param + reach)
        return LikelihoodEstimate(name, values[place], param, error, z, p, *both)

    ones = sum(  # the weight of the rows with y = 1
        float((block.target if block.weights is None else block.weights * block.target).sum())
        for block in smooth.blocks()
    )
    share, deviance, count = ones / total, 2 * total * bowl.value, observations.count
    share = share if observations.intercept else 0.5
    null = -2 * (ones * math.log(share) + (total - ones) * math.log1p(-share))
    names = params_names(observations.features)
    return LikelihoodSummary(
        rows=tuple(row(place, name) for place, name in enumerate(names)),
        level=level,
        null_deviance=null,
        null_df=count - observations.intercept,
        deviance=deviance,
        df=count - len(told),
        log_likelihood=-deviance / 2,
        aic=deviance + 2 * len(told),
        bic=deviance + len(told) * math.log(count),
        observations=count,
    )


@dataclass
class SummariesOfGroups:
    """The summaries of groups of rows that have a model, those with enough rows: iterate over them.

    grouped, models : the rows, and the model of each group.
    level : of the confidence intervals.
    apart : the groups without, as a plane separates their classes.
    """

    grouped: GroupedObservations
    models: GroupedModel
    level: float
    apart: list[str] = field(default_factory=list)

    @property
    def remark(self) -> str:
        """What to say of those without."""
        where = f"of the group{'s' * (len(self.apart) > 1)} {listing(tuple(self.apart))}"
        return f"a plane separates the classes {where}: there are no standard errors there"

    def __iter__(self) -> Iterator[tuple[Level, Any]]:
        told = False
        for place, (group, model) in enumerate(self.models.models.items()):
            if self.grouped.counts[place] < len(model.params):
                continue
            try:
                summary = summarize(self.grouped.group(place), model, self.level)
            except SeparableError:
                self.apart.append(level_name(group))
            else:
                told = True
                yield group, summary
        if self.apart and not told:
            raise SeparableError(self.remark)
