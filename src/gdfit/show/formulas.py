"""Losses and update rules as they stand on a board, with their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from gdfit.arrays import FloatArray
from gdfit.descent.optimizers import EPSILON, State
from gdfit.descent.settings import Settings
from gdfit.show.board import (
    KEPT,
    Line,
    equal,
    given,
    inside,
    minus,
    plus,
    squared,
    superscript,
    times,
    told,
)

HAT = "\N{COMBINING CIRCUMFLEX ACCENT}"


class RowLoss(NamedTuple):
    """The loss ℓ of a row: its formula, the same with numbers; and so its slope ∂ℓ/∂ŷ.

    case : what is said before, where the formulas are for some rows only.
    """

    loss: Sequence[str]
    slope: tuple[str, str]
    case: Sequence[Line] = ()


def squared_error(residual: float, delta: float) -> RowLoss:
    """(ŷ − y)²."""
    number = told(residual)
    return RowLoss(("(ŷ − y)²", squared(number)), ("2(ŷ − y)", times("2", number)))


def absolute_error(residual: float, delta: float) -> RowLoss:
    """|ŷ − y|."""
    sign = (residual > 0) - (residual < 0)
    return RowLoss(("|ŷ − y|", f"|{told(residual)}|"), ("sign(ŷ − y)", told(sign)))


def huber(residual: float, delta: float) -> RowLoss:
    """½(ŷ − y)² for |ŷ − y| up to δ, and beyond it a line."""
    number, size, bound = told(residual), told(abs(residual)), given(delta)
    if abs(residual) <= delta:
        case = Line("|ŷ − y|", [f"{size} ≤ {equal('δ', bound)}"])
        half = times("½", squared(number))
        return RowLoss(("½(ŷ − y)²", half), ("(ŷ − y)", number), [case])
    case = Line("|ŷ − y|", [f"{size} > {equal('δ', bound)}"])
    line = times(bound, f"({minus(size, times('½', bound))})")
    slope = bound if residual > 0 else f"−{bound}"
    return RowLoss(("δ(|ŷ − y| − ½δ)", line), ("δ·sign(ŷ − y)", slope), [case])


LOSSES: dict[str, Callable[[float, float], RowLoss]] = {
    "mse": squared_error,
    "mae": absolute_error,
    "huber": huber,
}
"""By name, (ŷ − y, Huber's δ) → the loss of a row."""

SLOPES = {"mse": "2(ŷ − y)", "mae": "sign(ŷ − y)", "huber": "(ŷ − y, but from −δ to δ)"}
"""By the name of a loss, its slope ∂ℓ/∂ŷ for all rows."""


class Change(NamedTuple):
    """An update: the params before and after it, the gradient, and what the rule remembered before
    and remembers after it."""

    before: FloatArray
    after: FloatArray
    grad: FloatArray
    old: State
    new: State

    def remembered(self, name: str, place: int) -> tuple[str, str]:
        """What the rule remembered of a param, and remembers now."""
        old = self.old[name][place] if name in self.old else 0.0
        return told(old), told(self.new[name][place])


def gradient_descent(name: str, place: int, change: Change, settings: Settings) -> Iterator[Line]:
    """w ← w − γ·∂L/∂w."""
    step = times(given(float(settings.lr)), told(change.grad[place]))
    yield moved(name, place, change, f"γ·∂L/∂{name}", step)


def momentum(name: str, place: int, change: Change, settings: Settings) -> Iterator[Line]:
    """v ← μ·v + ∂L/∂w, w ← w − γ·v."""
    yield velocity(name, place, change, settings)
    step = times(given(float(settings.lr)), told(change.new["velocity"][place]))
    yield moved(name, place, change, "γ·v", step)


def nesterov(name: str, place: int, change: Change, settings: Settings) -> Iterator[Line]:
    """v ← μ·v + ∂L/∂w, w ← w − γ·(∂L/∂w + μ·v)."""
    yield velocity(name, place, change, settings)
    ahead = times(given(settings.momentum), told(change.new["velocity"][place]))
    direction = plus(told(change.grad[place]), ahead).replace(" ", KEPT)
    step = times(given(float(settings.lr)), f"({direction})")
    yield moved(name, place, change, f"γ·(∂L/∂{name} + μ·v)", step)


def velocity(name: str, place: int, change: Change, settings: Settings) -> Line:
    """v ← μ·v + ∂L/∂w; at first it is the slope itself."""
    old, new = change.remembered("velocity", place)
    if "velocity" not in change.old:
        return Line("v", [f"∂L/∂{name}", new], "←")
    kept = times(given(settings.momentum), old)
    return Line("v", [f"μ·v + ∂L/∂{name}", plus(kept, told(change.grad[place])), new], "←")


def adam(name: str, place: int, change: Change, settings: Settings) -> Iterator[Line]:
    """m ← β₁·m + (1 − β₁)·∂L/∂w, v ← β₂·v + (1 − β₂)·(∂L/∂w)², w ← w − γ·m̂/(√v̂ + ε)."""
    slope, epoch = told(change.grad[place]), change.new["time"]
    hats = []
    for letter, remembered, digit, formula, number in (
        ("m", "mean", "₁", f"∂L/∂{name}", inside(slope)),
        ("v", "square", "₂", f"(∂L/∂{name})²", squared(slope)),
    ):
        beta = settings.betas[0 if letter == "m" else 1]
        old, new = change.remembered(remembered, place)
        mixed = plus(times(given(beta), old), f"{given(1 - beta)}{KEPT}·{KEPT}{number}")
        formula = f"β{digit}·{letter} + (1 − β{digit})·{formula}"
        yield Line(letter, [formula, mixed, new], "←")
        hat = told(change.new[remembered][place] / (1 - beta**epoch))
        hats.append(hat)
        corrected = f"{new}/(1 − {given(beta)}{superscript(epoch)})"
        yield Line(f"{letter}{HAT}", [f"{letter}/(1 − β{digit}ᵗ)", corrected, hat])
    step = f"{times(given(float(settings.lr)), hats[0])}/(√{hats[1]} + {EPSILON:g})"
    yield moved(name, place, change, f"γ·m{HAT}/(√v{HAT} + ε)", step.replace(" ", KEPT))


def moved(name: str, place: int, change: Change, formula: str, step: str) -> Line:
    """The new value of a param."""
    numbers = minus(told(change.before[place]), step)
    return Line(name, [f"{name} − {formula}", numbers, told(change.after[place])], "←")


def any_rule(name: str, place: int, change: Change, settings: Settings) -> Iterator[Line]:
    """The new value of a param, by a rule that has no formula here."""
    yield Line(name, [told(change.after[place])], "←")


RATES: dict[str, Callable[[Settings], str]] = {
    "momentum": lambda settings: f", μ = {given(settings.momentum)}",
    "nesterov": lambda settings: f", μ = {given(settings.momentum)}",
    "adam": lambda settings: ", β₁ = {}, β₂ = {}".format(*map(given, settings.betas)),
}
"""By the name of an update rule, what it goes by besides the learning rate."""

UPDATES: dict[str, Callable[[str, int, Change, Settings], Iterator[Line]]] = {
    "gd": gradient_descent,
    "momentum": momentum,
    "nesterov": nesterov,
    "adam": adam,
}
"""By the name of an update rule, (a param's name and place, ...) → how it gets its new value."""
