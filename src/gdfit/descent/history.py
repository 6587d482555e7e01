"""The steps of a run as rows of numbers: what a history file, a DataFrame and CSV output hold."""

from __future__ import annotations

from collections.abc import Sequence

from gdfit.descent.loop import Step


def params_names(features: Sequence[str]) -> tuple[str, ...]:
    """What the params are called: w and b, or w_NAME and b with several features."""
    if len(features) == 1:
        return ("w", "b")
    return (*(f"w_{name}" for name in features), "b")


def header(features: Sequence[str], validated: bool = False) -> list[str]:
    """The columns of a history."""
    names = params_names(features)
    losses = ["loss", "validation_loss"] if validated else ["loss"]
    return ["epoch", *losses, *names, *(f"grad_{name}" for name in names)]


def losses(step: Step) -> list[float]:
    """The loss, and the validation loss if there is one."""
    return [step.loss] if step.validation_loss is None else [step.loss, step.validation_loss]


def row(step: Step) -> list[float]:
    """A step as a row of a history: numbers in full."""
    return [step.epoch, *losses(step), *step.params.tolist(), *step.grad.tolist()]
