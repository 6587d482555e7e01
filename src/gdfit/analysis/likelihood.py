"""Maximum likelihood of two classes: std errors, z, p, intervals and deviances, as R's summary of a
``glm`` of the family ``binomial`` tells them (McCullagh and Nelder, 1989, ch. 4).

The log-likelihood is −N times the mean log loss, and its Hessian at the maximum, turned round, the
inverse of the params' covariances. It is about the loss without a penalty; the params of a model
stand beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from gdfit.data.observations import Observations
from gdfit.descent.newton import largest_likelihood
from gdfit.descent.outcome import params_names
from gdfit.descent.settings import LossName
from gdfit.errors import GdfitError

if TYPE_CHECKING:
    import pandas as pd


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
class LikelihoodSummary:
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

    def _repr_html_(self) -> str:
        """Two tables for a notebook: the estimates, and the figures."""
        import pandas as pd

        figures = pd.Series(self.figures, dtype=float).to_frame()
        return f"{self.frame.to_html(na_rep='—')}\n{figures.to_html(header=False)}"


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
    GdfitError : a plane separates the classes, so that there is no largest likelihood.
    """
    found = largest_likelihood(observations, loss)
    if found is None:
        raise GdfitError(
            "a plane separates the classes, so that the likelihood grows for ever and has no "
            "standard errors; `l2` in training gives the loss a minimum"
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
