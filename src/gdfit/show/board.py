"""The board: losses and update rules as formulas with their numbers, the notation of both, and how
lines of arithmetic are laid out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from textwrap import TextWrapper
from typing import NamedTuple
from unicodedata import combining

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.descent.optimizers import ADAGRAD_EPSILON, EPSILON, SMOOTHING, State, stage_length
from gdfit.descent.settings import Settings
from gdfit.model.links import sigmoid
from gdfit.show.tables.style import superscript

HAT = "\N{COMBINING CIRCUMFLEX ACCENT}"


class RowLoss(NamedTuple):
    """The loss ℓ of a row: its formula, the same with numbers; and so its slope ∂ℓ/∂z.

    case : what is said before, where the formulas are for some rows only.
    mean : where there is a link, so ŷ of z.
    """

    loss: Sequence[str]
    slope: tuple[str, str]
    case: Sequence[Line] = ()
    mean: Sequence[str] = ()


def squared_error_on_board(z: float, y: float, settings: Settings) -> RowLoss:
    """(ŷ − y)²."""
    number = told(z - y)
    return RowLoss(("(ŷ − y)²", squared(number)), ("2(ŷ − y)", times("2", number)))


def absolute_error_on_board(z: float, y: float, settings: Settings) -> RowLoss:
    """|ŷ − y|."""
    sign = (z > y) - (z < y)
    return RowLoss(("|ŷ − y|", f"|{told(z - y)}|"), ("sign(ŷ − y)", told(sign)))


def huber_on_board(z: float, y: float, settings: Settings) -> RowLoss:
    """½(ŷ − y)² for |ŷ − y| up to δ, and beyond it a line."""
    residual, delta = z - y, settings.huber_delta
    number, size, bound = told(residual), told(abs(residual)), given(delta)
    if abs(residual) <= delta:
        case = Line("|ŷ − y|", [f"{size} ≤ {equal('δ', bound)}"])
        half = times("½", squared(number))
        return RowLoss(("½(ŷ − y)²", half), ("(ŷ − y)", number), [case])
    case = Line("|ŷ − y|", [f"{size} > {equal('δ', bound)}"])
    line = times(bound, f"({minus(size, times('½', bound))})")
    slope = bound if residual > 0 else f"−{bound}"
    return RowLoss(("δ(|ŷ − y| − ½δ)", line), ("δ·sign(ŷ − y)", slope), [case])


def logistic_on_board(z: float, y: float, settings: Settings) -> RowLoss:
    """log(1 + eᶻ) − y·z, of ŷ = σ(z)."""
    number, slope = told(z), told(float(sigmoid(np.array(z))) - y)
    loss = minus(f"log(1 + exp({number}))", times(given(y), number))
    probability = ("σ(z)", "1/(1 + exp(−z))", f"1/(1 + exp({told(-z)}))")
    return RowLoss(("log(1 + eᶻ) − y·z", loss), ("(ŷ − y)", slope), mean=probability)


def quantile_on_board(z: float, y: float, settings: Settings) -> RowLoss:
    """τ(y − ŷ) where ŷ is below y, and (1 − τ)(ŷ − y) above it."""
    tau, rest = given(settings.quantile), given(1 - settings.quantile)
    if z > y:
        loss = ("(1 − τ)(ŷ − y)", times(rest, told(z - y)))
        return RowLoss(loss, ("(1 − τ)", rest), [Line("ŷ", [f"y, with {equal('τ', tau)}"], ">")])
    loss = ("τ(y − ŷ)", times(tau, told(y - z)))
    if z == y:
        return RowLoss(loss, ("0", "0"), [Line("ŷ", ["y"])])
    return RowLoss(loss, ("−τ", f"−{tau}"), [Line("ŷ", [f"y, with {equal('τ', tau)}"], "<")])


# By name, (z, y, settings) → the loss of a row. Without a link, z is ŷ.
LOSSES_ON_BOARD: dict[str, Callable[[float, float, Settings], RowLoss]] = {
    "mse": squared_error_on_board,
    "mae": absolute_error_on_board,
    "huber": huber_on_board,
    "logistic": logistic_on_board,
    "quantile": quantile_on_board,
}

# By the name of a loss, its slope ∂ℓ/∂z for all rows.
SLOPES_ON_BOARD = {
    "mse": "2(ŷ − y)",
    "mae": "sign(ŷ − y)",
    "huber": "(ŷ − y, but from −δ to δ)",
    "logistic": "(ŷ − y)",
    "quantile": "(1 − τ where ŷ > y, −τ where ŷ < y)",
}


class Change(NamedTuple):
    """An update: the params before and after it, the gradient, what the rule remembered before and
    remembers after it, the learning rate, and the settings."""

    before: FloatArray
    after: FloatArray
    grad: FloatArray
    old: State
    new: State
    rate: float
    settings: Settings

    def remembered(self, name: str, place: int) -> tuple[str, str]:
        """The rule's memory of a param, before the update and after it."""
        old = self.old[name][place] if name in self.old else 0.0
        return told(old), told(self.new[name][place])


def gradient_descent_on_board(name: str, place: int, change: Change) -> Iterator[Line]:
    """w ← w − γ·∂L/∂w."""
    step = times(given(change.rate), told(change.grad[place]))
    yield moved(name, place, change, f"γ·∂L/∂{name}", step)


def momentum_on_board(name: str, place: int, change: Change) -> Iterator[Line]:
    """v ← μ·v + ∂L/∂w, which at first is the slope itself, w ← w − γ·v; with nesterov,
    w ← w − γ·(∂L/∂w + μ·v)."""
    slope, rate = told(change.grad[place]), given(change.rate)
    mu = given(change.settings.momentum)
    old, velocity = change.remembered("velocity", place)
    parts = [f"μ·v + ∂L/∂{name}", plus(times(mu, old), slope), velocity]
    yield Line("v", parts if "velocity" in change.old else [f"∂L/∂{name}", velocity], "←")
    if change.settings.optimizer == "nesterov":
        ahead = plus(slope, times(mu, velocity)).replace(" ", KEPT)
        yield moved(name, place, change, f"γ·(∂L/∂{name} + μ·v)", times(rate, f"({ahead})"))
    else:
        yield moved(name, place, change, "γ·v", times(rate, velocity))


def adam_on_board(name: str, place: int, change: Change) -> Iterator[Line]:
    """m ← β₁·m + (1 − β₁)·∂L/∂w, v ← β₂·v + (1 − β₂)·(∂L/∂w)², w ← w − γ·m̂/(√v̂ + ε)."""
    slope, epoch = told(change.grad[place]), change.new["time"]
    hats = []
    for letter, remembered, digit, formula, number in (
        ("m", "mean", "₁", f"∂L/∂{name}", inside(slope)),
        ("v", "square", "₂", f"(∂L/∂{name})²", squared(slope)),
    ):
        beta = change.settings.betas[0 if letter == "m" else 1]
        old, new = change.remembered(remembered, place)
        mixed = plus(times(given(beta), old), f"{given(1 - beta)}{KEPT}·{KEPT}{number}")
        formula = f"β{digit}·{letter} + (1 − β{digit})·{formula}"
        yield Line(letter, [formula, mixed, new], "←")
        hat = told(change.new[remembered][place] / (1 - beta**epoch))
        hats.append(hat)
        corrected = f"{new}/(1 − {given(beta)}{superscript(epoch)})"
        yield Line(f"{letter}{HAT}", [f"{letter}/(1 − β{digit}ᵗ)", corrected, hat])
    step = f"{times(given(change.rate), hats[0])}/(√{hats[1]} + {EPSILON:g})"
    yield moved(name, place, change, f"γ·m{HAT}/(√v{HAT} + ε)", step.replace(" ", KEPT))


def adagrad_on_board(name: str, place: int, change: Change) -> Iterator[Line]:
    """s ← s + (∂L/∂w)², with rmsprop v ← α·v + (1 − α)·(∂L/∂w)²; w ← w − γ·∂L/∂w/(√s + ε)."""
    slope, adds = told(change.grad[place]), change.settings.optimizer == "adagrad"
    letter, remembered, least = ("s", "sum", ADAGRAD_EPSILON) if adds else ("v", "square", EPSILON)
    old, new = change.remembered(remembered, place)
    parts = [f"{letter} + (∂L/∂{name})²", plus(old, squared(slope)), new]
    if not adds:
        mixed = plus(times(given(SMOOTHING), old), times(given(1 - SMOOTHING), squared(slope)))
        parts = [f"α·v + (1 − α)·(∂L/∂{name})²", mixed, new]
    yield Line(letter, parts, "←")
    step = f"{times(given(change.rate), slope)}/(√{new} + {least:g})".replace(" ", KEPT)
    yield moved(name, place, change, f"γ·∂L/∂{name}/(√{letter} + ε)", step)


def conjugate_on_board(name: str, place: int, change: Change) -> Iterator[Line]:
    """d ← −∂L/∂w + β·d, which at first is −∂L/∂w, w ← w + γ·d."""
    downward = told(-change.grad[place])
    old, direction = change.remembered("direction", place)
    parts = [f"−∂L/∂{name}", downward]
    if "direction" in change.old and change.settings.optimizer == "cg":
        beta = told(change.new["square"] / (change.old["square"] or math.inf))
        parts = [f"−∂L/∂{name} + β·d", plus(downward, times(beta, old)), direction]
    yield Line("d", parts, "←")
    numbers = plus(told(change.before[place]), times(told(change.rate), direction))
    yield Line(name, [f"{name} + γ·d", numbers, told(change.after[place])], "←")


def moved(name: str, place: int, change: Change, formula: str, step: str) -> Line:
    """The new value of a param."""
    numbers = minus(told(change.before[place]), step)
    return Line(name, [f"{name} − {formula}", numbers, told(change.after[place])], "←")


def any_rule(name: str, place: int, change: Change) -> Iterator[Line]:
    """The new value of a param, by a rule that has no formula here."""
    yield Line(name, [told(change.after[place])], "←")


def proximal_on_board(name: str, place: int, change: Change) -> Iterator[Line]:
    """u ← w + μ·(w − w₋) − γ·∂L/∂w, w ← S(u); with nesterov, v ← S(u) and w ← v + μ·(v − v₋). S is
    the threshold at γ·λ₁, and leaves b as it is."""
    settings, rate, slope = change.settings, given(change.rate), told(change.grad[place])
    is_ahead = settings.optimizer == "nesterov"
    mu = 0.0 if settings.optimizer == "gd" else settings.momentum
    now, least = change.before[place], change.rate * settings.l1
    before = change.old["before"][place] if "before" in change.old else now
    start, formula, numbers = now, name, told(now)
    if mu and not is_ahead:
        start = now + mu * (now - before)
        formula = f"{name} + μ·({name} − {name}₋)"
        numbers = plus(told(now), times(given(mu), f"({minus(told(now), told(before))})"))
    reached = start - change.rate * change.grad[place]
    step = [f"{formula} − γ·∂L/∂{name}", minus(numbers, times(rate, slope)), told(reached)]
    yield Line("u" if is_ahead or name != "b" else name, step, "←")
    if name != "b":
        size, most = told(abs(reached)), f"max({{}} −{KEPT}{{}}, 0)"
        sign = "−" if reached < 0 else ""
        cut = ["sign(u)·" + most.format("|u|", "γ·λ₁"), sign + most.format(size, told(least))]
        reached -= max(min(reached, least), -least)
        yield Line("v" if is_ahead else name, [*cut, told(reached)], "←")
    letter = "u" if name == "b" else "v"
    if is_ahead:
        numbers = plus(told(reached), times(given(mu), f"({minus(told(reached), told(before))})"))
        ahead = [f"{letter} + μ·({letter} − {letter}₋)", numbers, told(change.after[place])]
        yield Line(name, ahead, "←")


# By the name of an update rule, (a param's name and place, ...) → how it gets its new value.
UPDATES_ON_BOARD: dict[str, Callable[[str, int, Change], Iterator[Line]]] = {
    "gd": gradient_descent_on_board,
    "momentum": momentum_on_board,
    "nesterov": momentum_on_board,
    "adam": adam_on_board,
    "adagrad": adagrad_on_board,
    "rmsprop": adagrad_on_board,
    "steepest": conjugate_on_board,
    "cg": conjugate_on_board,
}

# By the name of a schedule, (t, the last epoch, the decay) → its factor with numbers.
SCHEDULES_ON_BOARD: dict[str, Callable[[int, int, float], str]] = {
    "step": lambda epoch, last, decay: (
        f" · {given(decay)}{superscript((epoch - 1) // stage_length(last))}"
    ),
    "exponential": lambda epoch, last, decay: f" · {given(decay)}{superscript(epoch - 1)}",
    "inverse": lambda epoch, last, decay: f"/{epoch}^{given(decay)}",
    "cosine": lambda epoch, last, decay: f" · (1 + cos({epoch - 1}π/{last}))/2",
}


def rate_on_board(change: Change, epoch: int, last: int) -> str:
    """The learning rate in an epoch of so many, and how it comes about."""
    settings, rate, new = change.settings, given(change.rate), change.new
    if settings.schedule in SCHEDULES_ON_BOARD:
        factor = SCHEDULES_ON_BOARD[settings.schedule](epoch, last, settings.falls_by)
        return f"γ = {given(float(settings.lr))}{factor} = {told(change.rate)}"
    if not settings.finds_rate:
        return f"γ = {rate}"
    fall = -float(new["direction"] @ change.grad)
    bent = fall / change.rate if change.rate else 0.0
    found = f"γ = −dᵀ∇L/dᵀHd = {told(fall)}/{told(bent)} = {told(change.rate)}"
    if settings.optimizer != "cg" or "square" not in change.old:
        return found
    before, square = change.old["square"], new["square"]
    ratio = f"{told(square)}/{told(before)} = {told(square / (before or math.inf))}"
    return f"{found}, β = ‖∇L‖²/‖∇L₋‖² = {ratio}"


def constants_of(settings: Settings) -> str:
    """The constants that an update rule goes by besides the learning rate."""
    threshold = f", λ₁ = {given(settings.l1)}" if settings.l1 else ""
    if settings.optimizer in ("momentum", "nesterov"):
        return f", μ = {given(settings.momentum)}" + threshold
    if settings.optimizer == "adam":
        return ", β₁ = {}, β₂ = {}".format(*map(given, settings.betas))
    if settings.optimizer == "rmsprop":
        return f", α = {given(SMOOTHING)}"
    return threshold


BOARD_WIDTH = 79  # of a line that has room on any terminal
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
INDENT = "   "
KEPT = "\N{NO-BREAK SPACE}"  # where a line is not to end


class Line(NamedTuple):
    """``name = part = part``: a formula, the same with its numbers, what comes out.

    sign : ``=``, or ``←`` for what gets a new value.
    """

    name: str
    parts: Sequence[str]
    sign: str = "="


def told(value: float) -> str:
    """A number that was computed, to five digits as in the table."""
    return signed(format(value + 0.0, ".5g"))


def given(value: float) -> str:
    """A number that was given, in the data or on the command line: as it is, if eight digits are
    enough for that."""
    text = format(value + 0.0, ".8g")
    return signed(text) if float(text) == value else told(value)


def signed(number: str) -> str:
    """A number with a minus for a hyphen."""
    return f"−{number[1:]}" if number.startswith("-") else number


def inside(number: str) -> str:
    """A number in the midst of a formula: a negative one in parentheses."""
    return f"({number})" if number.startswith("−") else number


def squared(number: str) -> str:
    """``(−1)²``."""
    return f"({number})²" if "−" in number or "e" in number else f"{number}²"


def times(*factors: str) -> str:
    """A product."""
    first, *others = factors
    return f"{KEPT}·{KEPT}".join([first, *map(inside, others)])


def plus(*terms: str) -> str:
    """A sum; a line may end before each of its signs."""
    first, *others = terms
    signs = (("−", other[1:]) if other.startswith("−") else ("+", other) for other in others)
    return " ".join([first, *(f"{sign}{KEPT}{term}" for sign, term in signs)])


def minus(first: str, second: str) -> str:
    """A difference; a negative number, or a product that begins with one, is subtracted in
    parentheses."""
    return f"{first} −{KEPT}{inside(second)}"


def equal(name: str, value: str) -> str:
    """``w = 0``, on one line."""
    return f"{name}{KEPT}={KEPT}{value}"


def laid_out(lines: Sequence[Line]) -> Iterator[str]:
    """The lines below each other, their signs as well; one that is too long goes on below its
    sign."""
    width = max(cells(line.name) for line in lines)
    for line in lines:
        start = f"{INDENT}{line.name}{' ' * (width - cells(line.name))} {line.sign} "
        below = " " * (cells(start) - 2)
        written = start + line.parts[0]
        for part in line.parts[1:]:
            if cells(written) + 3 + cells(part) <= BOARD_WIDTH:
                written += f" = {part}"
            else:
                yield from broken(written, below)
                written = f"{below}= {part}"
        yield from broken(written, below)


def broken(text: str, below: str = "") -> Iterator[str]:
    """A line that may be too long, in several: they go on farther in than `below`."""
    wrapper = TextWrapper(break_long_words=False, break_on_hyphens=False)
    wrapper.width, wrapper.subsequent_indent = BOARD_WIDTH + len(text) - cells(text), below + INDENT
    return (line.replace(KEPT, " ") for line in wrapper.wrap(text))


def cells(text: str) -> int:
    """The columns of a terminal that `text` takes: a hat takes none."""
    return sum(not combining(letter) for letter in text)


class Letters:
    """The letters for params and features: w, b and x; with several features w₁, w₂, … and x₁, x₂,
    …, of which the first few are written out.

    Parameters
    ----------
    features : how many there are.
    intercept : whether there is a b.
    """

    MOST = 3

    def __init__(self, features: int, *, intercept: bool = True) -> None:
        numbers = [str(number).translate(SUBSCRIPTS) for number in range(1, features + 1)]
        self.weights = ["w"] if features == 1 else [f"w{number}" for number in numbers]
        self.inputs = [weight.replace("w", "x") for weight in self.weights]
        self.intercept = intercept

    @property
    def written(self) -> list[tuple[int, str]]:
        """The places and names of the params that are written out."""
        b = [(len(self.weights), "b")] if self.intercept else []
        return [*enumerate(self.weights[: self.MOST]), *b]

    def some(self, parts: Sequence[str], b: str = "") -> list[str]:
        """Of `parts`, one for each feature, those that are written out; then what belongs to b."""
        more = ["…"] if len(parts) > self.MOST else []
        return [*parts[: self.MOST], *more, *([b] if b and self.intercept else [])]

    def vector(self, parts: Sequence[str], b: str) -> str:
        """A vector of `parts`, one for each feature, and what belongs to b; a single part stands
        alone."""
        written = self.some(parts, b)
        return f"({', '.join(written)})" if len(written) > 1 else written[0]

    def gradient(self, values: FloatArray) -> str:
        """A vector of a number for each param."""
        *numbers, b = map(told, values.tolist())
        return self.vector(numbers, b)

    def at(self, params: FloatArray) -> str:
        """The params by name: ``w = 0, b = 0``."""
        *values, b = map(told, params.tolist())
        named = [equal(name, value) for name, value in zip(self.weights, values, strict=True)]
        return ", ".join(self.some(named, equal("b", b)))
