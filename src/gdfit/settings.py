"""What to run gradient descent with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gdfit.errors import UsageError, quoted
from gdfit.gradients import BACKENDS
from gdfit.losses import LOSSES
from gdfit.optimizers import OPTIMIZERS


@dataclass(frozen=True)
class Settings:
    """What to run gradient descent with: the options of `train` that are numbers and names.

    lr : the learning rate γ; ``auto`` is 2/(λmin + λmax) of the squared loss's Hessian.
    epochs : how many times to go over the observations at most.
    backend : ``manual``, the chain rule by hand in NumPy, or ``autograd``, torch.
    seed : every random choice comes from it.
    standardize : descend on (x − mean)/std of each feature.
    loss : ``mse``, ``mae`` or ``huber``, with the δ `huber_delta`.
    l2 : λ of the penalty λ‖w‖².
    optimizer : ``gd``, ``momentum``, ``nesterov`` or ``adam``.
    momentum : μ of ``momentum`` and ``nesterov``.
    betas : β₁ and β₂ of ``adam``.
    batch_size : of mini-batches, reshuffled each epoch; by default, all rows are one.
    tol : stop when no param has moved by more than this in an epoch.
    target_loss : stop when the validation loss, or without a validation set the loss, is at or
        below this.
    patience : stop when this many epochs have brought no lower validation loss; the params with the
        lowest are kept.
    """

    lr: float | Literal["auto"] = 0.01
    epochs: int = 1000
    backend: str = "manual"
    seed: int = 0
    standardize: bool = False
    loss: str = "mse"
    huber_delta: float = 1.0
    l2: float = 0.0
    optimizer: str = "gd"
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    batch_size: int | None = None
    tol: float | None = None
    target_loss: float | None = None
    patience: int | None = None

    @property
    def needs_rows(self) -> bool:
        """Whether the condensed rows will not do."""
        return self.loss != "mse" or self.batch_size is not None

    @property
    def is_plain(self) -> bool:
        """Whether this is gradient descent on the whole squared error, whose path is known."""
        return self.loss == "mse" and self.optimizer == "gd" and self.batch_size is None

    def check(self, validated: bool) -> None:
        """Raise `UsageError` for what is out of range, or asks for a validation set that is not
        there."""
        if self.lr != "auto" and not (self.lr > 0 and math.isfinite(self.lr)):
            raise UsageError(f"the learning rate must be a positive number, not {self.lr:g}")
        if self.epochs < 1:
            raise UsageError(f"the number of epochs must be at least 1, not {self.epochs}")
        if self.backend not in BACKENDS:
            raise UsageError(f"no backend {quoted(self.backend)}; there are {', '.join(BACKENDS)}")
        for name, choice, choices in (
            ("loss", self.loss, LOSSES),
            ("optimizer", self.optimizer, OPTIMIZERS),
        ):
            if choice not in choices:
                raise UsageError(f"no {name} {quoted(choice)}; there are {', '.join(choices)}")
        if self.lr == "auto" and not self.is_plain:
            raise UsageError(
                "--lr auto is for gradient descent on the mean squared error: for --optimizer gd "
                "with --loss mse, and without --batch-size"
            )
        if not (self.huber_delta > 0 and math.isfinite(self.huber_delta)):
            raise UsageError(f"Huber's δ must be a positive number, not {self.huber_delta:g}")
        if not (self.l2 >= 0 and math.isfinite(self.l2)):
            raise UsageError(f"--l2 takes a number that is not negative, not {self.l2:g}")
        for name, part in (("momentum", self.momentum), *(("beta", beta) for beta in self.betas)):
            if not 0 <= part < 1:
                raise UsageError(f"a {name} must be at least 0 and less than 1, not {part:g}")
        if self.batch_size is not None and self.batch_size < 1:
            raise UsageError(f"the batch size must be at least 1, not {self.batch_size}")
        if self.tol is not None and not self.tol >= 0:
            raise UsageError(f"--tol takes a number that is not negative, not {self.tol:g}")
        if self.target_loss is not None and not math.isfinite(self.target_loss):
            raise UsageError(f"the target loss must be a number, not {self.target_loss:g}")
        if self.patience is not None and self.patience < 1:
            raise UsageError(f"the patience must be at least 1 epoch, not {self.patience}")
        if self.patience is not None and not validated:
            raise UsageError("--patience goes by the validation loss: it needs --validation")
