"""The trace of a run that pictures show, drawn or in text: its steps, thinned where they are many;
the epochs that are marked, and their colours; and the plane of a fit to one number.

Pictures and the page count as the table does: at e stand the loss of row e, that before its update,
and the params of row e, those after it. The start stands before the first row, at 0; a run that
goes on counts on from the one before.

Nothing here draws: a run is traced before it is known whether Matplotlib is needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import count
from typing import NamedTuple

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.data.terms.expansion import Expansion
from gdfit.data.terms.row_maker import rows_at
from gdfit.data.text.spellings import dated
from gdfit.descent.closed_form import Modes
from gdfit.descent.curvature import LIMITS, Curvature, curvature_of
from gdfit.descent.learning_rate import rescaled, with_minimum
from gdfit.descent.loop import Step
from gdfit.descent.losses import loss_of
from gdfit.descent.outcome import Fit
from gdfit.descent.run import rounding_of
from gdfit.descent.scaling import Scaling
from gdfit.descent.settings import Settings

FEW_EPOCHS = 12  # epochs, each of which is a dot
KEPT_EPOCHS = 1024  # so many at the start, all of which are kept
PAIRS = 128  # in each doubling of the epochs after that; more than a picture can show apart
EPOCH_COLOURS = ("#F3C13A", "#CC79A7", "#7A1F6B")  # of marked epochs, from the first to the last
LARGEST = 1e200  # what an axis can show
ROUNDING = 1e-12  # of the size of numbers: a difference that is none
CURVE_POINTS = 300  # of a fit that is no line
LONG_RUN = 100  # times the first epoch: so much a linear axis shows well
STEEP = 20  # times the least loss, and the largest asks for a logarithmic axis
UNSEEN = 1e-4  # of the way that params have come, and of a loss: what is nearer is as the last
AFTERWARDS = 1.3  # times the epochs until then are shown


class Trace:
    """Keeps the first steps, then ever fewer, evenly on a logarithmic axis and dense enough on a
    linear one: always two in a row, so that a zigzag remains one. It keeps the epochs 1, 10, 100 …
    and the last one.

    steps : those that are kept, in their order.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        """Take note of an epoch."""
        if step.status or is_kept(step.epoch):
            self.steps.append(step)


def is_kept(epoch: int) -> bool:
    """True for an epoch that is kept, whatever comes after it."""
    if epoch <= KEPT_EPOCHS or is_power(epoch):
        return True
    apart = 2 ** (epoch.bit_length() - 1) // PAIRS
    return epoch % apart in (0, 1)


def is_power(epoch: int) -> bool:
    """True for a power of ten."""
    return str(epoch).rstrip("0") == "1"


def traced_epochs() -> Iterator[int]:
    """The epochs that are kept, one after the other, without end: those to leap to for a picture.
    Some come twice."""
    pairs = (
        epoch + after
        for first in (2**power for power in count())
        for epoch in range(first, 2 * first, first // PAIRS if first >= KEPT_EPOCHS else 1)
        for after in (0, 1)
    )
    return merge(pairs, (10**power for power in count()))


def numbered(fit: Fit, epoch: int) -> int:
    """The number of an epoch of the run that came to `fit`, counted on from those before it."""
    return fit.start_state.epochs + epoch


def eventful(fit: Fit, steps: Sequence[Step]) -> Sequence[Step]:
    """The steps until nothing happens any more that can be seen, and some after that; all where
    something happens to the end."""
    if fit.status == "diverged":
        return steps
    path = np.array([fit.start, *(step.params for step in steps)])
    losses = np.array([*(step.loss for step in steps), fit.loss])
    away = np.abs(path - path[-1]).max(axis=1)
    is_open = away > UNSEEN * away.max()
    is_open |= np.abs(losses - losses[-1]) > UNSEEN * abs(losses[-1]) + rounding_of(fit)
    settled = int(np.flatnonzero(is_open)[-1]) if is_open.any() else 0
    if settled + 1 >= len(steps):
        return steps
    last = max(math.ceil(AFTERWARDS * steps[settled].epoch), FEW_EPOCHS)
    seen = [step for step in steps if step.epoch <= last]
    return seen if AFTERWARDS * last < steps[-1].epoch else steps


class Mark(NamedTuple):
    """An epoch that is marked: its number, the params after it, as they are descended on, and its
    colour."""

    epoch: int
    params: FloatArray
    colour: str


def shade(late: float) -> str:
    """The colour of a marked epoch: 0 is the first, 1 the last."""
    parts = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in EPOCH_COLOURS]
    places = np.linspace(0, 1, len(EPOCH_COLOURS))
    mixed = [round(float(np.interp(late, places, part))) for part in zip(*parts, strict=True)]
    return "#" + "".join(f"{part:02X}" for part in mixed)


def marks_of(fit: Fit, steps: Sequence[Step]) -> list[Mark]:
    """The epochs 1, 10, 100 … before the last one, and where a run diverged the second and third,
    too; of a run of less than ten, each."""
    few = 10 if steps[-1].epoch < 10 else 3 if fit.status == "diverged" else 0
    marked = [step for step in steps[:-1] if step.epoch <= few or is_power(step.epoch)]
    most = max(len(marked) - 1, 1)
    return [
        Mark(numbered(fit, step.epoch), step.params, shade(place / most))
        for place, step in enumerate(marked)
    ]


def loss_name(fit: Fit) -> str:
    """The loss that was descended on, in words."""
    return loss_of(fit.settings).name or str(fit.settings.loss)


def climbs(fit: Fit) -> bool:
    """True for gradient descent that diverged because its learning rate is above 2/λmax, and not so
    far above that its first step left float64."""
    curvature, lr = fit.curvature, float(fit.settings.lr)
    if curvature is None or fit.status != "diverged" or not fit.settings.is_plain:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        after = (1 - lr * curvature.lambda_max) * (fit.start - curvature.minimum)
        loss = curvature.lambda_max * (curvature.eigenvectors[:, 0] @ after) ** 2
    return lr > curvature.max_stable_lr and bool(loss < LARGEST)


def parts(fit: Fit) -> list[Observations]:
    """The observations, and the validation set where there is one."""
    return [fit.observations, *([fit.validation] if fit.validation else [])]


def has_paths(observations: Observations) -> bool:
    """Whether the params are a weight and a b, whose paths can be drawn on a plane."""
    return len(observations.features) == 1 and observations.intercept


def made_of_numbers(part: Observations) -> Expansion | None:
    """What makes several features of numbers alone, if something does."""
    made_of = part.expansion
    several = made_of is not None and len(part.features) > 1 and not made_of.categories
    return made_of if several else None


def numbers_along(fit: Fit) -> tuple[str, ...]:
    """The numbers that all features are made of, or the features themselves: what axes are of."""
    made_of = made_of_numbers(fit.observations)
    return made_of.numbers if made_of else fit.model.features


def on_a_plane(fit: Fit) -> bool:
    """True where all features are one, or made of one number: ŷ can be drawn above it."""
    return len(numbers_along(fit)) == 1


def is_along_dates(fit: Fit, place: int = 0) -> bool:
    """Whether the first of these numbers, or the one at this place, is of dates."""
    return numbers_along(fit)[place] in dated(fit.observations.spellings)


def numbers_in(part: Observations) -> FloatArray:
    """The same of the sample, shape (rows, numbers)."""
    inputs = part.sample_inputs if made_of_numbers(part) else None
    return part.sample[:, :-1] if inputs is None else inputs


def features_at(fit: Fit, numbers: Sequence[FloatArray]) -> FloatArray:
    """The features where those numbers have these values, shape (points, p)."""
    made_of = made_of_numbers(fit.observations)
    if made_of is None:
        return np.column_stack(numbers)
    return made_of.expand(rows_at(made_of, numbers))[:, : len(fit.model.features)]


def features_along(fit: Fit, ends: FloatArray, seen: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where to draw a line between its `ends`, and the features there, shape (points, p). A curve
    of powers and the like goes no farther than what was `seen`: a logarithm may have no value
    there."""
    if len(fit.model.features) > 1:
        x = np.linspace(seen.min(), seen.max(), CURVE_POINTS)
    else:
        x = np.linspace(ends[0], ends[-1], CURVE_POINTS) if fit.model.link.symbol else ends
    return x, features_at(fit, [x])


@np.errstate(over="ignore", invalid="ignore")
def in_data(fit: Fit, params: FloatArray) -> FloatArray:
    """Params as they are descended on, shape (…, p+1), in the data's own units."""
    return fit.scaling.to_data(params) if fit.scaling else params


@np.errstate(over="ignore", invalid="ignore")
def heights_of(fit: Fit, params: FloatArray, features: FloatArray) -> FloatArray:
    """ŷ at `features`, shape (points, p), with `params` as they are descended on."""
    return fit.model.link.mean(predictors_of(fit, params, features))


@np.errstate(over="ignore", invalid="ignore")
def predictors_of(fit: Fit, params: FloatArray, features: FloatArray) -> FloatArray:
    """z there."""
    w_and_b = in_data(fit, params)
    z: FloatArray = features @ w_and_b[:-1] + w_and_b[-1]
    return z


def curvature_on(fit: Fit, scaling: Scaling | None, on: Observations) -> Curvature | None:
    """The curvature of the loss of a fit where it is descended on these scaled observations, if its
    minimum is known."""
    if fit.curvature is None:
        return None
    near = rescaled(fit.curvature.minimum, fit.scaling, scaling)
    return with_minimum(curvature_of(on, fit.settings.l2), on, fit.settings, near)


def line_in_symbols(fit: Fit, name: str, write: Callable[[float], str], minus: str = "−") -> str:
    """``0.302 x + 0.233``, or with a link ``σ(0.302 x + 0.233)``, the right side of the equation of
    a fit to one feature. A slope that over the observations rises by no more than rounding is 0."""
    w, b = fit.model.params
    x = fit.observations.sample[:, 0]
    if abs(w) * (np.ptp(x) or np.abs(x).max()) <= ROUNDING * abs(b):  # x may not vary
        w = 0.0
    line = f"{write(w)} {name}"
    if fit.observations.intercept:
        line += f" {minus if b < 0 else '+'} {write(abs(b))}"
    return fit.model.link.of(line)


OWN_RATE = "Along each eigenvector the error falls at its own rate"
ROUND, ALIKE = 1.01, 0.005  # λmax/λmin of a round valley; factors that can't be told apart


def modes_in_words(settings: Settings, curvature: Curvature) -> tuple[str, str]:
    """What the errors along the eigenvectors of the Hessian do in a run: a title, and why."""
    rule = "mini-batches" if settings.batch_size else str(settings.optimizer)
    rule = "the threshold" if settings.l1 else rule
    if rule not in LIMITS:
        return "The error along each eigenvector", (
            f"λ is how curved the valley is along a direction. With {rule} what happens along one\n"
            "depends on the others, too: none has a rate of its own."
        )
    products = float(settings.lr) * np.array([curvature.lambda_max, curvature.lambda_min])
    steep, flat = np.exp(Modes(rule, settings.momentum, products).logarithms.real)
    if max(steep, flat) > 1 and settings.schedule == "constant":
        return "The error along each eigenvector", (
            "A direction climbs where γ is too large for its λ: each step leaps over the minimum,\n"
            "and lands farther away than it began."
        )
    if curvature.condition_number < ROUND:
        round_valley = "The valley is round, as curved in all directions: it has no slow floor."
        return "Along all eigenvectors the error falls alike", round_valley
    if flat > steep + ALIKE:
        return OWN_RATE, (
            "Where the valley is steep, slopes are large, and an epoch takes away much of the "
            "distance.\nAlong its floor slopes are small, and so are the steps: that direction "
            "arrives last.\nA rate that is large enough for the floor would leap from wall to wall."
        )
    if rule == "gd":
        return OWN_RATE, (
            "γ is near its limit: along the steepest direction each step leaps over the minimum,\n"
            "and lands almost as far away, so that this direction arrives last."
        )
    return "Along all eigenvectors the error falls together", (
        "The steps before carry each step on, along the valley's floor, too: no direction is\n"
        "left behind. Where a line dips, the error swings through 0 to the other side."
    )
