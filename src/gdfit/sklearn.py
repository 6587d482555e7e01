"""gdfit as scikit-learn estimators, for pipelines, grid searches and cross-validation.

Needs scikit-learn: ``pip install 'gdfit[sklearn]'``. Nothing else of gdfit imports it.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import KW_ONLY, dataclass, fields
from functools import partial
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike

from gdfit.arrays import FloatArray
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent.outcome import Fit
from gdfit.descent.run import Run
from gdfit.descent.settings import (
    BackendName,
    LossName,
    OptimizerName,
    Scale,
    ScheduleName,
    Settings,
)
from gdfit.descent.stopping import COMPLETED, DIVERGED, STALLED
from gdfit.errors import GdfitError, UsageError, quoted

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "gdfit.sklearn needs scikit-learn: pip install 'gdfit[sklearn]'", name=error.name
    ) from None

LOSS_SETTINGS: dict[str, LossName] = {
    "squared_error": "mse",
    "absolute_error": "mae",
    "huber": "huber",
    "quantile": "quantile",
}
# Names that gdfit's settings have here, where they are not the same.
PARAMETERS = {
    "lr": "learning_rate",
    "epochs": "max_iter",
    "seed": "random_state",
    "l2": "alpha",
    "l1": "l1_ratio",
    "optimizer": "solver",
    "patience": "n_iter_no_change",
}


@dataclass(eq=False, repr=False, kw_only=True)  # scikit-learn reads the params from what makes one
class GradientDescentEstimator(BaseEstimator):
    """What both estimators have in common: the parameters of the descent, and the descent."""

    learning_rate: float | Literal["auto"] = "auto"
    schedule: ScheduleName = "constant"
    decay: float | None = None
    scale: Scale | None = None
    max_iter: int = 1000
    tol: float | None = 1e-6
    alpha: float = 0.0
    l1_ratio: float = 0.0
    fit_intercept: bool = True
    solver: OptimizerName = "gd"
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    batch_size: int | None = None
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    target_loss: float | None = None
    init: Literal["zeros", "random"] | ArrayLike = "zeros"
    backend: BackendName = "manual"
    random_state: Any = None

    def _descend(self, inputs: FloatArray, y: FloatArray, sample_weight: ArrayLike | None) -> Fit:
        """The fit to `inputs`, shape (n, p), and `y`, shape (n,).

        Raises
        ------
        ValueError : a parameter is out of range, or the descent has diverged.
        """
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, inputs, dtype=np.float64)
        try:
            settings = self._settings()
            settings.check(validated=self.early_stopping)
            parts = self._parts(inputs, y, weights, settings.seed)
            validation = parts[1] if self.early_stopping else None
            init = cast(Any, self.init)
            run = Run(parts[0], init=init, validation=validation, settings=settings)
            fit = run.fit([*run])
        except GdfitError as error:
            # Each setting that it names is called otherwise here.
            told = re.sub(r"`(\w+)`", lambda name: PARAMETERS.get(name[1], name[1]), str(error))
            raise ValueError(told) from None
        if fit.status == DIVERGED:
            raise ValueError(divergence_error(fit))
        if (said := unfinished(fit)) is not None:
            warnings.warn(said, ConvergenceWarning, stacklevel=3)
        self.model_ = fit.model
        self.n_iter_ = fit.epochs
        self.loss_curve_ = [step.loss for step in fit.history]
        if self.early_stopping:
            curve = (step.validation_loss for step in fit.history)
            self.validation_loss_curve_ = [loss for loss in curve if loss is not None]
        return fit

    def _settings(self) -> Settings:
        """The parameters as gdfit's settings."""
        values = {
            field.name: getattr(self, PARAMETERS.get(field.name, field.name))
            for field in fields(Settings)
            if hasattr(self, PARAMETERS.get(field.name, field.name))
        }
        values["loss"] = self._loss()
        if not 0 <= self.l1_ratio <= 1:
            raise UsageError(f"`l1_ratio` takes a number from 0 to 1, not {self.l1_ratio}")
        values["l1"] = self.alpha * self.l1_ratio
        values["l2"] = self.alpha * (1 - self.l1_ratio)
        values["seed"] = int(check_random_state(self.random_state).randint(2**31 - 1))
        values["patience"] = self.n_iter_no_change if self.early_stopping else None
        return Settings(**values)

    def _loss(self) -> LossName:
        """The loss as gdfit calls it."""
        raise NotImplementedError

    def _parts(
        self, x: FloatArray, y: FloatArray, weights: FloatArray | None, seed: int
    ) -> list[Observations]:
        """The observations to descend on, and if there are any those that are held out."""
        places = [np.arange(len(y))]
        if self.early_stopping:
            if not 0 < self.validation_fraction < 1:
                raise UsageError(
                    "`validation_fraction` takes a number between 0 and 1, not "
                    f"{self.validation_fraction}"
                )
            shuffled = np.random.default_rng(seed).permutation(len(y))
            held_out = max(1, round(self.validation_fraction * len(y)))
            places = [np.sort(shuffled[held_out:]), np.sort(shuffled[:held_out])]
        names = getattr(self, "feature_names_in_", None)
        features = None if names is None else [str(name) for name in names]
        part = partial(observations_from, features=features, intercept=self.fit_intercept)
        if weights is None:
            return [part(x[chosen], y[chosen]) for chosen in places]
        return [part(x[chosen], y[chosen], weights=weights[chosen]) for chosen in places]


@dataclass(eq=False, repr=False)
class GradientDescentRegressor(RegressorMixin, GradientDescentEstimator):
    """A linear model, fitted by gradient descent.

    Parameters
    ----------
    loss : the mean of ``squared_error``, ``absolute_error``, ``huber`` or ``quantile``.
    learning_rate : γ; ``auto`` is the one with the least loss after `max_iter` epochs.
    schedule : how γ falls: ``constant``, not at all; ``step``, ``exponential``, ``inverse`` or
        ``cosine``.
    decay : by what it falls; None for the schedule's default.
    scale : what to descend on: ``none``, the features as they are; ``standardize``; ``whiten``, an
        orthonormal basis of them. By default as they are where the learning rate is a number, else
        on what is enough. The coefficients are for the features as they are in any case.
    max_iter : how many epochs at most.
    tol : stop when no coefficient has moved by more than this part of the largest in an epoch; None
        for never. A fit that has not come so far warns.
    alpha : λ of the penalty λ‖w‖² that is added to the mean loss, w on the features as `scale` has
        them: standardized ones, by default. Ridge adds its own to the sum: there it is λ times the
        number of samples, on features as they are (``scale="none"``) or from StandardScaler
        (``standardize``), and λ(n − 1) on those from PCA(whiten=True) (``whiten``).
    l1_ratio : ρ: with it the penalty is λ(ρ‖w‖₁ + (1 − ρ)‖w‖²), the lasso where ρ is 1. Lasso has
        half the alpha, on features scaled alike.
    fit_intercept : whether there is an intercept; if not, it is 0.
    solver : ``gd``, ``momentum``, ``nesterov``, ``adam``, ``adagrad``, ``rmsprop``; for the squared
        error of all samples also ``steepest`` and ``cg``, which find their learning rate.
    momentum : μ of ``momentum`` and ``nesterov``.
    betas : β₁ and β₂ of ``adam``.
    batch_size : of mini-batches, reshuffled each epoch; None for all samples at once.
    huber_delta : δ of ``huber``, where it turns from square to linear.
    quantile : τ of ``quantile``, which part of the samples is to lie below the prediction.
    early_stopping : whether to hold out samples, and to stop when their loss is not getting less.
        The coefficients are then those with the least.
    validation_fraction : the part of the samples to hold out for that.
    n_iter_no_change : after how many epochs without a better loss to stop for that.
    target_loss : stop once the loss (that of the held-out samples, if any) is at or below this.
    init : where the coefficients, and last the intercept, start: ``zeros``, ``random`` (uniform on
        [0, 1)) or the values themselves.
    backend : the gradient by hand, ``manual``, or by torch, ``autograd``.
    random_state : what mini-batches, held-out samples and a random start come from.

    Attributes
    ----------
    coef_ : shape (n_features,).
    intercept_ : a float.
    n_iter_ : how many epochs were run.
    loss_curve_ : the loss before each of them.
    validation_loss_curve_ : that of the held-out samples, where there are any.
    model_ : the same as a `gdfit.LinearModel`, which can be saved and exported.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn.

    Examples
    --------
    >>> from gdfit.sklearn import GradientDescentRegressor
    >>> regressor = GradientDescentRegressor().fit([[1], [2], [3]], [3, 5, 7])
    >>> print(regressor.coef_.round(6), round(regressor.intercept_, 6), regressor.n_iter_)
    [2.] 1.0 2
    """

    loss: Literal["squared_error", "absolute_error", "huber", "quantile"] = "squared_error"
    _: KW_ONLY
    huber_delta: float = 1.0
    quantile: float = 0.5

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to samples `X`, shape (n, p), and targets `y`, shape (n,).

        Raises
        ------
        ValueError : a parameter is out of range, or the descent has diverged.
        """
        inputs, targets = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        model = self._descend(inputs, np.asarray(targets, np.float64), sample_weight).model
        self.coef_, self.intercept_ = np.array(model.w), model.b
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """The targets that are predicted for samples `X`, shape (n, p)."""
        check_is_fitted(self)
        inputs = validate_data(self, X, dtype=np.float64, reset=False)
        prediction: FloatArray = self.model_.predict(inputs)
        return prediction

    def _loss(self) -> LossName:
        if self.loss not in LOSS_SETTINGS:
            names = ", ".join(LOSS_SETTINGS)
            raise UsageError(f"`loss` takes one of {names}, not {quoted(self.loss)}")
        return LOSS_SETTINGS[self.loss]


@dataclass(eq=False, repr=False, kw_only=True)
class GradientDescentClassifier(ClassifierMixin, GradientDescentEstimator):
    """Logistic regression for two classes, fitted by gradient descent.

    Parameters
    ----------
    alpha : λ of the penalty λ‖w‖² that is added to the mean log loss, w on the features as `scale`
        has them. The C of LogisticRegression is 1/(2λn), with features scaled alike.

    The others are those of `GradientDescentRegressor`.

    Attributes
    ----------
    classes_ : the two classes, sorted; the probability is that of the second.
    coef_ : shape (1, n_features).
    intercept_ : shape (1,).

    The others are those of `GradientDescentRegressor`.

    Examples
    --------
    >>> from gdfit.sklearn import GradientDescentClassifier
    >>> hours = [[1], [2], [3], [4], [5], [6]]
    >>> classifier = GradientDescentClassifier().fit(hours, ["no", "no", "yes", "no", "yes", "yes"])
    >>> classifier.predict([[1.5], [5.5]]).tolist()
    ['no', 'yes']
    """

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to samples `X`, shape (n, p), of classes `y`, shape (n,).

        Raises
        ------
        ValueError : there are not two classes, a parameter is out of range, or the descent has
            diverged.
        """
        inputs, targets = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(targets)
        self.classes_, codes = np.unique(targets, return_inverse=True)
        if (kind := type_of_target(targets)) != "binary":
            what = "Only binary classification is supported. The type of the target is"
            raise ValueError(f"{what} {kind}.")
        if len(self.classes_) < 2:
            raise ValueError(f"there is one class alone, {self.classes_[0]}: it takes two classes")
        model = self._descend(inputs, codes.astype(np.float64), sample_weight).model
        self.coef_, self.intercept_ = np.array([model.w]), np.array([model.b])
        return self

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """The linear predictor z, shape (n,): above 0 for the second class."""
        check_is_fitted(self)
        inputs = validate_data(self, X, dtype=np.float64, reset=False)
        predictor: FloatArray = self.model_.predictor([*inputs.T])
        return predictor

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """The probability of each class, shape (n, 2)."""
        predictor = self.decision_function(X)
        positive = self.model_.mean(predictor)
        return np.column_stack([1 - positive, positive])

    def predict(self, X: ArrayLike) -> Any:
        """The more probable class of samples `X`, shape (n, p)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _loss(self) -> LossName:
        return "logistic"


def divergence_error(fit: Fit) -> str:
    """The error of a fit that has diverged: why, and what to do."""
    rate, curvature = float(fit.settings.lr), fit.curvature
    why = f"learning_rate={rate:.4g} is too large for this data"
    if curvature and fit.settings.is_plain and rate > curvature.max_stable_lr:
        why = (
            f"learning_rate={rate:.4g} is above 2/λmax = {curvature.max_stable_lr:.4g}, where "
            "gradient descent on this data climbs"
        )
    instead = "a smaller one" if fit.asked.lr == "auto" else "learning_rate='auto'"
    return f"gradient descent diverged at epoch {fit.epochs}: {why}; try {instead}"


def unfinished(fit: Fit) -> str | None:
    """The warning of a fit that has not converged: why, and what to do; none where it has."""
    settings, asked = fit.settings, fit.asked
    if settings.tol is None or fit.status not in (COMPLETED, STALLED):
        return None
    if fit.curvature:
        # Which part of y's variance the minimum explains and the fit does not.
        left = (1 - fit.curvature.minimum_loss / (fit.loss or 1.0)) * (1 - fit.r_squared)
        if fit.arrived or left <= settings.tol:  # of classes there is no R², and this is NaN
            return None
    remedies = [f"max_iter={10 * settings.epochs}" if fit.status == COMPLETED else "a smaller tol"]
    if asked.lr != "auto":
        remedies.append("learning_rate='auto'")
    if settings.scale != "whiten":
        remedies.append("scale='whiten'")
    above = ""
    if fit.curvature and fit.curvature.minimum_loss > 0:
        ratio = fit.loss / fit.curvature.minimum_loss
        far = f"{100 * (ratio - 1):.2g} % above" if ratio < 2 else f"{ratio:.3g} times"
        above = f", and the loss is {far} its minimum"
    moves = "still move" if fit.status == COMPLETED else "hardly move"
    return (
        f"gradient descent has not converged: after {fit.epochs} epochs the coefficients {moves}"
        f"{above}; try {' or '.join(remedies)}"
    )
