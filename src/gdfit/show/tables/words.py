"""A run in words: what was chosen, how it ended, how far it is to go, and what to type next."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from gdfit.data.observations import Observations
from gdfit.data.terms.levels import answer
from gdfit.data.text.fields import WHOLE
from gdfit.data.text.spellings import dated
from gdfit.dates import EPOCH, iso_date
from gdfit.descent.curvature import CLOSE, LIMITS, Curvature
from gdfit.descent.learning_rate import LOOKED_AT, excess_of
from gdfit.descent.outcome import Fit
from gdfit.descent.run import Run
from gdfit.descent.scaling import Scaling
from gdfit.descent.settings import Settings
from gdfit.errors import printable
from gdfit.show.tables.style import NameValue, counted, scaled_column, shortened

NAMED_COLUMNS = 3  # columns at most that are told of one by one
SHORTEST_TARGET = 8  # columns of a terminal that a name keeps


def subject(run: Run, more: str, width: int) -> str:
    """The subject of a run, and `more`: see `data_subject`."""
    held_out = f" and {run.validation.count:,} for validation" if run.validation else ""
    return data_subject(run.observations, f"{held_out}{more}", width)


def data_subject(observations: Observations, more: str, width: int) -> str:
    """The target, the features and the number of rows, and `more`: a line of `width` columns at
    most, with fewer features named where there is no room for all, and then a shorter target."""
    from rich.cells import cell_len

    target = answer(observations.target_name, observations.classes)
    rows = counted(observations.count, "row")
    for features in feature_lists(observations.features):
        line = f"{target} from {features} · {rows}{more}"
        if cell_len(line) <= width:
            return line
    room = width - cell_len(line) + cell_len(target)
    return shortened(target, max(room, SHORTEST_TARGET)) + line.removeprefix(target)


def feature_lists(features: tuple[str, ...]) -> Iterator[str]:
    """The features in words, shorter and shorter: by name, the first of them, how many they are."""
    for count in range(NAMED_COLUMNS, 0, -1):
        first, more = ", ".join(map(printable, features[:count])), len(features) - count
        if more > -1:
            yield first + (f" and {more} more" if more else "")
    if len(features) > 1:
        yield f"{len(features)} features"


def chosen_settings(run: Run) -> str:
    """The settings that were chosen for the user, or by the run that this one goes on with."""
    choices = []
    if run.asked.scale is None and run.scaling:
        choices.append(str(run.settings.scale))
    if run.asked.lr == "auto" and not run.settings.finds_rate:
        choices.append(f"lr {run.settings.lr:.4g}")
    how = "goes on with" if run.start.rate else "chosen:"
    return f" · {how} {', '.join(choices)}" if choices else ""


def under_way(settings: Settings) -> str:
    """The name of a long run while it lasts."""
    at_once = settings.is_foretold and settings.patience is None
    return "training; try --leap" if at_once else "training"


def steps_on(run: Run) -> Iterator[str]:
    """What the steps are made on, where that is not the columns as they are, and the penalty."""
    on = {
        "none": "the features as they are",
        "standardize": f"{scaled_column(run.observations.intercept)} of each x",
        "whiten": "an orthonormal basis of x",
    }[str(run.settings.scale)]
    if run.scaling:
        yield f"steps on {on}; params and grad in the data's own units"
    if run.settings.is_penalized:
        yield f"penalty on the weights of {on}"
    if run.settings.l1:
        yield "grad is of the loss without λ₁‖w‖₁, which is a threshold after each step"
    if (done := run.start.epochs) and run.settings.schedule != "constant":
        yield f"the schedule ends with epoch {done + run.settings.epochs:,}: those before count"


def weightless(scaling: Scaling | None, features: tuple[str, ...]) -> Iterator[str]:
    """The reasons why the weights of some features stay 0."""
    if scaling is None:
        return
    used, constant = set(scaling.used), scaling.constant
    varying = [name for place, name in enumerate(features) if place not in used | constant]
    means = {features[place]: scaling.means[place] for place in sorted(constant)}
    same = {
        name: f"does not vary, but for rounding (it is {mean:.6g})" for name, mean in means.items()
    }
    for reasons in (same, dict.fromkeys(varying, "can be computed from the columns before it")):
        for name, why in list(reasons.items())[:NAMED_COLUMNS]:
            yield f"column {printable(name)} {why}: its weight is 0"
        if len(reasons) > NAMED_COLUMNS:
            yield f"and so for {len(reasons) - NAMED_COLUMNS} more columns"


def ending(fit: Fit) -> str:
    """The end of a run: its status, and when and why."""
    settings, done = fit.settings, fit.start_state.epochs
    epochs, best_epoch = f"epoch {done + fit.epochs:,}", done + fit.best_epoch
    if fit.status == "diverged":
        if math.isfinite(fit.loss) and all(map(math.isfinite, fit.model.params)):
            return f"diverged: after {epochs} the loss is larger than at the start"
        return f"diverged at {epochs}: loss or params are not finite any more"
    if fit.status == "interrupted":
        return f"interrupted after {epochs}"
    if fit.status in ("converged", "stalled"):
        but = ", but the loss is above its minimum: a smaller --tol goes on"
        moved = f"no param moved by more than {settings.tol:g} of the largest"
        return f"{fit.status} at {epochs}: {moved}{but if fit.status == 'stalled' else ''}"
    if fit.status == "target":
        which = "loss" if fit.validation_loss is None else "validation loss"
        return f"target reached at {epochs}: the {which} is at or below {settings.target_loss:g}"
    best = f"; the params are those after epoch {best_epoch:,}, with the least validation loss"
    if fit.status == "patience":
        lower = f"{settings.patience:,} epochs brought no lower validation loss"
        return f"out of patience at {epochs}: {lower}{best}"
    if fit.status != "completed":
        return f"{fit.status} at {epochs}"
    ran = f"ran all {fit.epochs:,} epochs" if fit.epochs > 1 else "ran 1 epoch"
    return ran + (best if fit.best_epoch < fit.epochs else "")


FOUND = 1e-9  # of a least loss: how exactly it is found where there is no curvature


def minimum(fit: Fit, least: float) -> str:
    """The least loss there is, and how far above it this one is."""
    curvature = fit.curvature
    penalized = ", penalty included" if fit.settings.is_penalized else ""
    reached = f"reached: no other params have a smaller loss{penalized}"
    if curvature is None:
        if fit.loss <= (1 + FOUND) * least:
            return reached
        return (
            f"{least:.8g} is the smallest loss there is; this is {above(fit.loss - least, least)}"
        )
    least = 0.0 if least <= curvature.rounding else least
    known = f"{least:.8g} is the smallest loss there is{penalized}"
    if curvature.is_minimum(fit.params):
        text = reached
    elif fit.arrived:
        text = f"arrived: within 1/100 std. error of the least loss, {least:.8g}{penalized}"
    else:
        text = f"{known}; this is {above(curvature.excess(fit.params), least)}"
    if not curvature.is_unique:
        text += "; other params have it too, as some columns can be computed from others"
    return text


def above(excess: float, least: float) -> str:
    """The distance of a loss from the least one, which it exceeds by so much."""
    if least <= 0:
        return f"{excess:.3g} above it"
    part = excess / least
    return f"{100 * part:.2g} % above it" if part < 1 else f"{1 + part:.3g} times as much"


def to_go(fit: Fit, curvature: Curvature) -> str:
    """The epochs that would bring the params ten times nearer to the minimum."""
    epochs = curvature.epochs_to_next_digit(fit.params, float(fit.settings.lr))
    if math.isinf(epochs):
        return "at this learning rate the params never come nearer to the minimum"
    return f"about {rounded_epochs(epochs)} more bring the params ten times nearer to the minimum"


def at_first_date(fit: Fit) -> Iterator[NameValue]:
    """The b of days that are counted from the date in the first row, and not from 1970 on."""
    if not len(fit.observations.first):  # which a condensed file without rows does not tell
        return
    dates, row = dated(fit.observations.spellings), fit.observations.first[0].tolist()
    terms = fit.model.made_of.terms
    shifts, found = 0.0, list[str]()
    for place, (number, levels) in enumerate(fit.model.made_of.keys):
        columns = {factor.column for factor in terms[number].factors}
        if not levels and columns <= {*dates}:
            shifts += fit.model.w[place] * row[place]
            found += [iso_date(row[place])] if terms[number].is_column else []
    if found and fit.model.intercept and fit.status != "diverged":
        origin = f"counted from {', '.join(found)}, the first row's date{'s' * (len(found) > 1)}"
        yield "dates", f"b is for {EPOCH}; {origin}, it is {fit.model.b + shifts:.8g}"


LOST = 1e-6  # of the size of y, in predictions
SMALL = 1e-9  # a tolerance at which a run at a good rate has arrived


def changes(fit: Fit) -> dict[str, str] | None:
    """The changes of the command that bring it to the minimum: options with their new values, empty
    for those to leave out. None where it has arrived, or with a rate of one's own is within 1 % of
    the least loss, or nobody knows."""
    curvature, asked, lr = fit.curvature, fit.asked, float(fit.settings.lr)
    if fit.status == "diverged":
        if curvature and fit.settings.is_plain and lr < curvature.max_stable_lr:
            return {"init": "", "lr": "", "scale": ""}
        if asked.lr == "auto" and lr > 0:
            return {"scale": str(fit.settings.scale), "lr": below(lr / 10)}
        return {"lr": "", "scale": ""}
    if curvature is None or fit.status == "target" or fit.arrived:
        return None
    if asked.lr != "auto" and curvature.excess(fit.params) <= CLOSE * curvature.minimum_loss:
        return None
    found: dict[str, str] = {}
    if fit.status == "stalled" and asked.tol:
        found["tol"] = f"{min(asked.tol / 1000, SMALL):g}"
    if fit.start_state.rate:  # is gone on with, and was not chosen for this run
        found["init"] = ""
    scale = str(fit.settings.scale)
    if asked.lr != "auto" or fit.start_state.rate:
        # On another scale, a penalty makes another model.
        return {"lr": "", "scale": scale if fit.settings.is_penalized else "", **found}
    if asked.scale and not fit.settings.is_penalized and chosen_scale(fit, curvature) != scale:
        return {"scale": "", **found}
    return found or {"epochs": str(epochs_to_arrive(fit, curvature))}


def chosen_scale(fit: Fit, curvature: Curvature) -> str:
    """The scale that would be chosen for a run like this, as far as its own scale tells."""
    if fit.settings.scale != "standardize":
        return "standardize" if fit.settings.scale == "none" else "whiten"
    excess, epochs = excess_of(curvature, fit.start), max(fit.settings.epochs, LOOKED_AT)
    return "standardize" if excess.arrives_within(epochs) else "whiten"


MOST_EPOCHS = 10**9


def epochs_to_arrive(fit: Fit, curvature: Curvature) -> int:
    """So many times ten times the epochs that the best rate arrives within them."""
    epochs, excess = 10 * fit.asked.epochs, excess_of(curvature, fit.start)
    while fit.settings.is_steady and epochs < MOST_EPOCHS and not excess.arrives_within(epochs):
        epochs *= 10
    return epochs


def best_on_its_scale(fit: Fit) -> dict[str, str] | None:
    """The changes of a command that has a rate of its own to the best rate on the same scale; None
    where it is about that already."""
    if fit.asked.lr == "auto" or not fit.settings.is_plain or fit.curvature is None:
        return None
    rate = float(excess_of(fit.curvature, fit.start).best_rate(fit.settings.epochs))
    lr = float(fit.settings.lr)
    return {"lr": below(rate, 3)} if abs(rate - lr) > 0.05 * rate else None


def ways(fit: Fit, again: Callable[[dict[str, str]], str]) -> Iterator[NameValue]:
    """Lines with the ways to the minimum, if the run has not come there; `again` gives the command
    with changes."""
    command = fit.model.facts.get("next")
    if command is None or fit.status == "diverged":
        return
    yield "next", f"to come nearer to the minimum, type {printable(str(command))}"
    if own := best_on_its_scale(fit):
        yield "or", f"at the best rate for these columns: {printable(again(own))}"


def cautions(
    fit: Fit, again: Callable[[dict[str, str]], str], model: str, swing: float
) -> Iterator[str]:
    """What has to be known of a fit that may be taken for a good one.

    again : gives the command with changes.
    model : the file that the model is in, if it is in one.
    swing : by which part of its level the loss goes up and down in the end, if it does.
    """
    nearer = changes(fit)
    way = "" if nearer is None else f": {again(nearer)}"
    if fit.status in ("diverged", "target", "interrupted"):
        return
    if fit.settings.is_squared and fit.r_squared < 0 and not fit.arrived:  # or by rounding
        yield f"the model is worse than the mean of y, its R² is {fit.r_squared:.3g}{way}"
    if fit.is_separable and not fit.settings.is_penalized:
        penalty = again({"l2": f"{1 / (2 * fit.observations.count):.1g}"})
        yield (
            "a plane separates the classes, and the loss falls for ever as the params grow: a "
            f"penalty gives it a minimum: {penalty}"
        )
    if swing:
        on = {"init": model} if model else {}
        slower = {"schedule": "cosine", "decay": "", "leap": "", **on}
        part = f"{float(f'{100 * swing:.2g}'):g} %"
        what = f"the loss goes up and down by {part} in the end; with a rate that falls it settles"
        yield f"{what}: {again(slower)}"
    elif fit.is_short:
        yield f"the params have not arrived: {distance(fit)}{way}"
    size = float(np.abs(fit.observations.first[:, :-1] @ np.array(fit.model.w)).max(initial=0.0))
    if size * np.finfo(np.float64).eps > LOST * math.sqrt(fit.observations.mean_square):
        yield (
            "w·x + b loses digits, as both are large and their sum is not: subtract a number from "
            "such a column before"
        )


def distance(fit: Fit) -> str:
    """How far the params may be from those of the least loss."""
    curvature = fit.curvature
    assert curvature
    excess, least = curvature.excess(fit.params), curvature.minimum_loss
    if least <= curvature.rounding:
        return f"the loss is {above(excess, 0.0)}, the least there is, 0"
    errors = math.sqrt(excess / curvature.enough) / 100
    return f"they may be {errors:.2g} standard errors from the minimum"


def rounded_epochs(epochs: float) -> str:
    """A number of epochs, to two digits."""
    about = float(f"{max(epochs, 1):.2g}")
    if about >= WHOLE:
        return f"{about:g} epochs"
    return counted(int(about), "epoch")


def growth(run: Run, epochs: int) -> str:
    """A note on a loss that has grown for some epochs running."""
    why, settings, lr = "", run.settings, float(run.settings.lr)
    bound = run.curvature.stable_lr(settings) if run.curvature else None
    if run.curvature and bound and lr > bound:
        why = f": --lr {lr:g} is above {stable_limit(run.curvature, settings)}"
    return f"the loss has grown for {epochs} epochs running{why}"


def divergence_message(fit: Fit, command: str) -> str:
    """The message of a run that diverged: why, and the command to type instead."""
    return f"diverged at epoch {fit.epochs:,}, no model was written: {way_out(fit, command)}"


def way_out(fit: Fit, command: str) -> str:
    """The reason why a run does not come down, and the command to type instead."""
    remedy = f"let gdfit choose the learning rate: {command}"
    if fit.leaves_float64:
        remedy = "multiply the columns by a power of ten"
    elif fit.is_too_large:
        remedy = "divide that column by a power of ten"
    elif "init" in (changes(fit) or ()):
        remedy = f"start at zeros: {command}"
    elif fit.asked.lr == "auto":
        remedy = f"type a smaller rate: {command}"
    return f"{why_it_grows(fit)}; {remedy}"


def why_it_grows(fit: Fit) -> str:
    """The reason why a run does not come down."""
    curvature, settings, lr = fit.curvature, fit.settings, float(fit.settings.lr)
    if fit.leaves_float64:
        return "in the data's own units the params leave float64"
    if fit.is_too_large:
        return f"the squares of {printable(fit.model.target)} are too large for float64"
    if curvature is None or settings.optimizer not in LIMITS:
        return f"--lr {lr:g} is too large for this data"
    if not math.isfinite(curvature.lambda_max):
        return "the numbers are too large for float64: λmax is infinite"
    bound = curvature.stable_lr(settings)
    if bound is None:
        return f"--lr {lr:g} is too large for this data, whose λmax is {curvature.lambda_max:.6g}"
    limit, ratio = stable_limit(curvature, settings), f"{lr / bound:.3g}"
    if curvature.bound is not None:
        return (
            f"--lr {lr:g} is {ratio} times {limit}, below which gradient descent surely comes down"
        )
    if lr < bound:
        far = "but it swings far at first: more epochs bring it down"
        if not math.isfinite(fit.loss):
            far = "but the start is too far away for float64"
        return f"--lr {lr:g} is stable on this data, below {limit}, {far}"
    beyond = "just above" if ratio == "1" else f"{ratio} times"
    climbs = f"above which {climber(settings)} on this data climbs"
    return f"--lr {lr:g} is {beyond} the limit {limit}, {climbs}"


def climber(settings: Settings) -> str:
    """The update rule by the name that it has in a sentence."""
    return "gradient descent" if settings.optimizer == "gd" else str(settings.optimizer)


def stable_limit(curvature: Curvature, settings: Settings) -> str:
    """The limit of learning rates that are surely stable, and where the loss is no parabola, what
    it is told by."""
    of = "" if curvature.bound is None else " of the bound on the Hessian"
    bound = curvature.limit_of(str(settings.optimizer), settings.momentum)
    return f"{limit_in_symbols(settings)} = {bound:.6g}{of}"


def limit_in_symbols(settings: Settings) -> str:
    """The limit of the learning rate of a run, with its μ."""
    return LIMITS[str(settings.optimizer)][1].replace("μ", f"{settings.momentum:g}")


def below(rate: float, digits: int = 2) -> str:
    """`rate` to so many digits, rounded down."""
    mantissa, exponent = f"{rate:.16e}".split("e")
    return f"{float(f'{mantissa[: digits + 1]}e{exponent}'):.{digits}g}"
