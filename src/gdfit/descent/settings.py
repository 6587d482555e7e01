"""Settings of gradient descent, with their bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict, get_args

from gdfit.data.text.fields import WHOLE
from gdfit.descent.own import DERIVATIVE_BESIDE, Own
from gdfit.errors import UsageError, quoted

BackendName = Literal["manual", "autograd"]
LossName = Literal["mse", "mae", "huber", "logistic", "quantile"]
OptimizerName = Literal[
    "gd", "momentum", "nesterov", "adam", "adagrad", "rmsprop", "steepest", "cg"
]
LineSearchName = Literal["steepest", "cg"]  # which find their rate in each epoch
ProximalName = Literal["gd", "momentum", "nesterov"]  # which `l1` goes with
ScheduleName = Literal["constant", "step", "exponential", "inverse", "cosine"]
Scale = Literal["none", "standardize", "whiten"]

# What a schedule's rate falls by, unless it is said: the factor of a stage or of an epoch, a power.
DECAYS: dict[str, float] = {"step": 0.5, "exponential": 0.99, "inverse": 0.25}


@dataclass(frozen=True)
class Settings:
    """Settings of gradient descent: the options of `train` that are numbers and names.

    lr : the learning rate γ; ``auto`` is the one with the least loss after `epochs` epochs, as
        `gdfit.descent.learning_rate` finds it.
    schedule : how γ falls over the epochs: ``constant``, not at all; ``step``, by a factor after
        each tenth of the epochs (rounded up); ``exponential``, by one after each; ``inverse``, to
        γ/tᵖ in epoch t; ``cosine``, to 0 in the end. See `gdfit.descent.optimizers`.
    decay : that factor, by default 0.5 and 0.99, or the power p, 0.25.
    epochs : how many times to go over the observations at most.
    backend : ``manual``, the chain rule by hand in NumPy, or ``autograd``, torch.
    seed : every random choice comes from it.
    scale : what to descend on: ``none``, the features as they are; ``standardize``, (x − mean)/std;
        ``whiten``, an orthonormal basis of the centred features. By default as they are where `lr`
        is a number; where it is auto, standardized, or whitened if that is not enough.
    loss : ``mse``, ``mae``, ``huber``, ``logistic`` or ``quantile``; or a function (ŷ, y) → each
        observation's loss, or their mean: see `gdfit.descent.own`.
    huber_delta : δ of ``huber``, where it turns from square to linear.
    quantile : τ of ``quantile``, which part of the observations is to lie below ŷ.
    l2 : λ of the penalty λ‖w‖², on the weights of the features on their `scale`. scikit-learn's
        `Ridge` has alpha = λN on features so scaled: as they are, by `StandardScaler`, or whitened
        by `PCA(whiten=True)`, which takes deviations with N − 1 and so alpha = λ(N − 1).
    l1 : λ₁ of the penalty λ₁‖w‖₁, which makes weights exactly 0: the lasso, and with `l2` the
        elastic net. After each step, a threshold takes γλ₁ off each weight, or what there is of it.
        scikit-learn's `Lasso` has alpha = λ₁/2 on features so scaled.
    optimizer : ``gd``, ``momentum``, ``nesterov``, ``adam``, ``adagrad`` or ``rmsprop``; or for the
        squared error of all rows, with a rate that is found anew in each epoch, ``steepest``
        descent or conjugate gradients, ``cg``; or a
        function (params, grad, state, lr) → params, or (params, state).
    momentum : μ of ``momentum`` and ``nesterov``.
    betas : β₁ and β₂ of ``adam``.
    batch_size : of mini-batches, reshuffled each epoch; by default, all rows are one.
    tol : stop when no param has moved by more than this part of the largest in an epoch.
    target_loss : stop when the validation loss, or without a validation set the loss, is at or
        below this.
    patience : stop when this many epochs have brought no lower validation loss; the params with the
        lowest are kept.
    leap : from one epoch that is shown to the next in closed form, without those between: see
        `gdfit.descent.closed_form`.
    """

    lr: float | Literal["auto"] = "auto"
    schedule: ScheduleName = "constant"
    decay: float | None = None
    epochs: int = 1000
    backend: BackendName = "manual"
    seed: int = 0
    scale: Scale | None = None
    loss: LossName | Own = "mse"
    huber_delta: float = 1.0
    quantile: float = 0.5
    l2: float = 0.0
    l1: float = 0.0
    optimizer: OptimizerName | Own = "gd"
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    batch_size: int | None = None
    tol: float | None = None
    target_loss: float | None = None
    patience: int | None = None
    leap: bool = False

    def __post_init__(self) -> None:
        for name in ("loss", "optimizer"):
            value = getattr(self, name)
            if callable(value) and not isinstance(value, Own):
                object.__setattr__(self, name, Own(value))

    @property
    def is_by_autograd_alone(self) -> bool:
        """True for a loss of one's own that has no derivative beside it."""
        return isinstance(self.loss, Own) and self.loss.beside is None

    def with_backend(self, asked: BackendName | None) -> Settings:
        """The settings with autograd where the loss needs it, and no other backend is `asked`
        for."""
        if not self.is_by_autograd_alone:
            return self
        if asked == "manual":
            raise UsageError(f"`backend` manual needs a derivative: {DERIVATIVE_BESIDE}")
        return replace(self, backend="autograd")

    @property
    def is_squared(self) -> bool:
        """True for the squared error: the condensed rows have the same, and its Hessian and its
        minimum are known."""
        return self.loss == "mse"

    @property
    def needs_rows(self) -> bool:
        """True where the condensed rows will not do."""
        return not self.is_squared or self.batch_size is not None

    @property
    def is_whole(self) -> bool:
        """True for gradient descent on the whole loss, which has limits that are known."""
        return self.optimizer == "gd" and self.batch_size is None

    @property
    def is_steady(self) -> bool:
        """True for gradient descent on the whole loss at one rate."""
        return self.is_whole and self.schedule == "constant"

    @property
    def is_plain(self) -> bool:
        """True for gradient descent on the whole squared error at one rate, whose best is known."""
        return self.is_squared and self.is_steady and not self.l1

    @property
    def is_foretold(self) -> bool:
        """True where every epoch is known in closed form: see `gdfit.descent.closed_form`."""
        linear = self.optimizer in get_args(ProximalName) and self.schedule == "constant"
        whole = self.is_squared and self.batch_size is None and not self.l1
        return linear and whole and self.backend == "manual"

    @property
    def falls_by(self) -> float:
        """The decay of the schedule; 0 where it has none."""
        return DECAYS.get(self.schedule, 0.0) if self.decay is None else self.decay

    @property
    def finds_rate(self) -> bool:
        """True for a rule that finds its learning rate anew in each epoch."""
        return self.optimizer in get_args(LineSearchName)

    @property
    def is_penalized(self) -> bool:
        """True with a penalty on the weights."""
        return bool(self.l2 or self.l1)

    @property
    def facts(self) -> dict[str, object]:
        """The settings as a model's file keeps them."""
        return {
            "lr": self.lr,
            "schedule": self.schedule,
            "decay": self.falls_by if self.schedule in DECAYS else None,
            "scale": self.scale,
            "backend": self.backend,
            "loss_function": str(self.loss),
            "huber_delta": self.huber_delta,
            "quantile": self.quantile,
            "l2": self.l2,
            "l1": self.l1,
            "optimizer": str(self.optimizer),
            "momentum": self.momentum,
            "betas": list(self.betas),
            "batch_size": self.batch_size,
            "seed": self.seed,
        }

    def check(self, validated: bool) -> None:
        """Raise `UsageError` for what is out of range, or asks for a validation set that is not
        there."""
        for name, (fits, takes) in RANGES.items():
            value = getattr(self, name)
            within = value is None and getattr(Settings, name) is None
            with suppress(TypeError):  # which is for a value of another type
                within = within or fits(value)
            if not within:
                told = quoted(value) if isinstance(value, str) else value
                if isinstance(value, tuple):
                    told = ",".join(str(each).removesuffix(".0") for each in value)
                raise UsageError(f"`{name}` takes {takes}, not {told}")
        if self.patience is not None and not validated:
            raise UsageError("`patience` goes by the validation loss: it needs `validation`")
        if self.leap and not self.is_foretold:
            what = "`leap` is for descent on the whole squared error in closed form: it goes with"
            rules = f"`optimizer` {', '.join(get_args(ProximalName))}"
            without = "without `batch_size`, `schedule` or `l1`"
            raise UsageError(f"{what} `loss` mse, `backend` manual and {rules}, and {without}")
        if self.finds_rate and not (self.is_squared and self.batch_size is None and not self.l1):
            what = f"`optimizer` {self.optimizer} is for the squared error of all rows"
            raise UsageError(f"{what}: it goes with `loss` mse, and without `batch_size` or `l1`")
        if self.finds_rate and (self.lr != "auto" or self.schedule != "constant"):
            name = "schedule" if self.lr == "auto" else "lr"
            why = f"`optimizer` {self.optimizer} finds the learning rate anew in each epoch"
            raise UsageError(f"`{name}` has no effect here: {why}")
        if self.schedule in ("step", "exponential") and self.decay and self.decay > 1:
            raise UsageError(f"`decay` takes a factor up to 1 with `schedule` {self.schedule}")
        if self.l1 and self.optimizer not in get_args(ProximalName):
            names = " or ".join(get_args(ProximalName))
            raise UsageError(f"`l1` takes a threshold after each step of `optimizer` {names}")
        if self.l1 and self.scale == "whiten":
            what = "`l1` is for the weights of features, which `scale` whiten mixes"
            raise UsageError(f"{what}: take standardize")
        name = "target_loss" if self.patience is None else "patience"
        if self.leap and validated and getattr(self, name) is not None:
            what = f"`{name}` looks at the validation loss of every epoch"
            raise UsageError(f"{what}, and `leap` leaves most of them out: take one of the two")


def whole_from(least: int) -> Callable[[float], bool]:
    """From `least` on, and a number that float64 can count to."""
    return lambda value: least <= value < WHOLE and value == int(value) and value is not True


def without_effect(*runs: Settings) -> dict[str, str]:
    """The settings that have no effect on any of the runs, and what they are for."""
    chosen = {getattr(run, name) for run in runs for name in ("optimizer", "loss", "schedule")}
    effects = {
        "momentum": ("is for `optimizer` momentum and nesterov", {"momentum", "nesterov"}),
        "decay": ("is for `schedule` step, exponential and inverse", {*DECAYS}),
        "betas": ("is for `optimizer` adam", {"adam"}),
        "huber_delta": ("is for `loss` huber", {"huber"}),
        "quantile": ("is for `loss` quantile", {"quantile"}),
    }
    return {name: why for name, (why, users) in effects.items() if not users & chosen}


def check_effect(given: Iterable[str], *runs: Settings) -> None:
    """Raise for settings that are given and have no effect on any of the runs."""
    idle = without_effect(*runs)
    for name in given:
        if name in idle:
            raise UsageError(f"`{name}` has no effect here: it {idle[name]}")


def check_changed(given: Iterable[str], *runs: Settings) -> None:
    """The same for those of a program, which may well say what is so by default."""
    default = Settings()
    changed = (
        name for name in given if any(getattr(run, name) != getattr(default, name) for run in runs)
    )
    check_effect(changed, *runs)


class SettingsOptions(TypedDict, total=False):
    """The fields of `Settings` as keyword arguments."""

    lr: float | Literal["auto"]
    schedule: ScheduleName
    decay: float | None
    epochs: int
    backend: BackendName
    seed: int
    scale: Scale | None
    loss: LossName | Callable[..., Any]
    huber_delta: float
    quantile: float
    l2: float
    l1: float
    optimizer: OptimizerName | Callable[..., Any]
    momentum: float
    betas: tuple[float, float]
    batch_size: int | None
    tol: float | None
    target_loss: float | None
    patience: int | None
    leap: bool


def is_not_negative(value: float) -> bool:
    """Finite and not below 0."""
    return 0 <= value < math.inf


def is_positive(value: float) -> bool:
    """Finite and above 0."""
    return 0 < value < math.inf


def one_of(names: Any, more: str = "") -> tuple[Callable[[object], bool], str]:
    """One of the `names` of a Literal, or with `more` also a function of one's own."""
    takes = f"one of {', '.join(get_args(names))}{more}"
    return (lambda value: value in get_args(names) or bool(more and isinstance(value, Own))), takes


# For each setting with bounds, whether a value is within them, and what they are in words.
RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "lr": (lambda lr: lr == "auto" or is_positive(lr), "a positive number or auto"),
    "schedule": one_of(ScheduleName),
    "decay": (is_positive, "a positive number"),
    "epochs": (whole_from(1), "a number from 1 on, below 2^53"),
    "backend": one_of(BackendName),
    "seed": (whole_from(0), "a number from 0 on, below 2^53"),
    "scale": one_of(Scale),
    "loss": one_of(LossName, " or a function"),
    "huber_delta": (is_positive, "a positive number"),
    "quantile": (lambda tau: 0 < tau < 1, "a number between 0 and 1"),
    "l2": (is_not_negative, "a number that is not negative"),
    "l1": (is_not_negative, "a number that is not negative"),
    "optimizer": one_of(OptimizerName, " or a function"),
    "momentum": (lambda mu: 0 <= mu < 1, "a number from 0 on that is less than 1"),
    "betas": (
        lambda betas: len(betas) == 2 and all(0 <= beta < 1 for beta in betas),
        "two numbers from 0 on that are less than 1",
    ),
    "batch_size": (whole_from(1), "a number from 1 on, below 2^53"),
    "tol": (lambda tol: tol >= 0, "a number that is not negative"),
    "target_loss": (math.isfinite, "a finite number"),
    "patience": (whole_from(1), "a number of epochs from 1 on, below 2^53"),
}
