"""A run in words: what was chosen, how it ended, how far it is to go, and what to type next."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gdfit.descent.curvature import Curvature
from gdfit.descent.learning_rate import EXACT, is_above
from gdfit.descent.run import Fit, Run
from gdfit.descent.scaling import Scaling
from gdfit.descent.settings import Settings
from gdfit.errors import printable
from gdfit.show.tables.style import counted, shortened

NAMED_COLUMNS = 3  # columns at most that are told of one by one
SHORTEST_TARGET = 8  # columns of a terminal that a name keeps
SCALED = {
    "standardize": "(x − mean)/std of each feature x",
    "whiten": "an orthonormal basis of the features",
}


def subject(run: Run, more: str, width: int) -> str:
    """The subject of a run, and `more`: a line of `width` columns at most, with fewer features
    named where there is no room for all, and then a shorter target."""
    from rich.cells import cell_len

    observations = run.observations
    target = printable(observations.target_name)
    rows = counted(observations.count, "row")
    held_out = f" and {run.validation.count:,} for validation" if run.validation else ""
    for features in feature_lists(observations.features):
        line = f"{target} from {features} · {rows}{held_out}{more}"
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
    """The settings that were chosen for the user."""
    choices = []
    if run.asked.scale is None and run.scaling:
        choices.append(str(run.settings.scale))
    if run.asked.lr == "auto":
        choices.append(f"lr {run.settings.lr:.4g}")
    return f" · chosen: {', '.join(choices)}" if choices else ""


def under_way(settings: Settings) -> str:
    """The name of a long run while it lasts."""
    at_once = settings.is_plain and settings.backend == "manual" and settings.patience is None
    return "training; try --leap" if at_once else "training"


def units(run: Run) -> str:
    """The units of the params and the gradient of each epoch, where they are not the columns'."""
    if run.scaling is None:
        return ""
    return f"params and grad of each epoch are for {SCALED[str(run.settings.scale)]}"


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
    settings, epochs = fit.settings, f"epoch {fit.epochs}"
    if fit.status == "diverged":
        if math.isfinite(fit.loss) and all(map(math.isfinite, fit.model.params)):
            return f"diverged: after {epochs} the loss is larger than at the start"
        return f"diverged at {epochs}: loss or params are not finite any more"
    if fit.status == "interrupted":
        return f"interrupted after {epochs}"
    if fit.status in ("converged", "stalled"):
        but = ", but the loss is far above its minimum: a smaller --tol goes on"
        moved = f"no param moved by more than {settings.tol:g} of the largest"
        return f"{fit.status} at {epochs}: {moved}{but if fit.status == 'stalled' else ''}"
    if fit.status == "target":
        which = "loss" if fit.validation_loss is None else "validation loss"
        return f"target reached at {epochs}: the {which} is at or below {settings.target_loss:g}"
    best = f"; the params are those after epoch {fit.best_epoch}, with the least validation loss"
    if fit.status == "patience":
        lower = f"{settings.patience} epochs brought no lower validation loss"
        return f"out of patience at {epochs}: {lower}{best}"
    if fit.status != "completed":
        return f"{fit.status} at {epochs}"
    ran = f"ran all {fit.epochs} epochs" if fit.epochs > 1 else "ran 1 epoch"
    return ran + (best if fit.best_epoch < fit.epochs else "")


def minimum(fit: Fit, curvature: Curvature) -> str:
    """The least loss there is, and how far above it this one is."""
    rounding = EXACT * fit.observations.mean_square
    least = 0.0 if curvature.minimum_loss <= rounding else curvature.minimum_loss
    penalized = ", penalty included" if fit.settings.l2 else ""
    if is_at_minimum(fit, curvature):
        text = f"reached: no other params have a smaller loss{penalized}"
    else:
        text = f"{least:.8g} is the smallest loss there is{penalized}; this is {above(fit, least)}"
    if not curvature.is_unique:
        text += "; other params have it too, as some columns can be computed from others"
    return text


def above(fit: Fit, least: float) -> str:
    """The distance of this loss from the least one."""
    if least <= 0:
        return f"{fit.loss:.3g} above it"
    ratio = fit.loss / least
    return f"{100 * (ratio - 1):.2g} % above it" if ratio < 2 else f"{ratio:.3g} times as much"


def is_at_minimum(fit: Fit, curvature: Curvature) -> bool:
    """True where the loss is the least there is, but for rounding."""
    least = curvature.minimum_loss
    return fit.loss - least <= max(1e-9 * least, EXACT * fit.observations.mean_square)


def to_go(fit: Fit, curvature: Curvature) -> str:
    """The epochs that would bring the params ten times nearer to the minimum."""
    epochs = curvature.epochs_to_next_digit(fit.params, float(fit.settings.lr))
    if math.isinf(epochs):
        return "at this learning rate the params never come nearer to the minimum"
    return f"about {rounded_epochs(epochs)} more bring the params ten times nearer to the minimum"


def changes(fit: Fit) -> dict[str, str] | None:
    """The changes of the command that bring it within 1 % of the minimum: options with their
    new values, empty for those to leave out. None where it is as near already, or nobody knows."""
    curvature, asked, lr = fit.curvature, fit.asked, float(fit.settings.lr)
    if fit.status == "diverged":
        if curvature and fit.settings.is_plain and lr < curvature.max_stable_lr:
            return {"init": "", "lr": "", "scale": ""}
        if asked.lr == "auto" and lr > 0:
            return {"scale": str(fit.settings.scale), "lr": below(lr / 10)}
        return {"lr": "", "scale": ""}
    rounding = EXACT * fit.observations.mean_square
    if curvature is None or fit.status == "target" or not is_above(fit.loss, curvature, rounding):
        return None
    if asked.lr != "auto" or asked.scale in ("none", "standardize"):
        return {"lr": "", "scale": ""}
    if fit.start_state.rate:
        return {"init": ""}  # a rate of before is gone on with, and was not chosen for this
    if fit.status == "stalled" and asked.tol:
        return {"tol": f"{asked.tol / 1000:g}"}
    return {"epochs": str(10 * asked.epochs)}


def rounded_epochs(epochs: float) -> str:
    """A number of epochs, to two digits."""
    about = float(f"{max(epochs, 1):.2g}")
    if about >= 1e9:
        return f"{about:g} epochs"
    return counted(int(about), "epoch")


def growth(run: Run, epochs: int) -> str:
    """A note on a loss that has grown for some epochs running."""
    why, curvature, lr = "", run.curvature, float(run.settings.lr)
    if curvature and run.settings.is_plain and lr > curvature.max_stable_lr:
        why = f": --lr {lr:g} is above 2/λmax = {curvature.max_stable_lr:.6g}"
    return f"the loss has grown for {epochs} epochs running{why}"


def divergence_message(fit: Fit, command: str) -> str:
    """The message of a run that diverged: why, and the command to type instead."""
    return f"diverged at epoch {fit.epochs}, no model was written: {way_out(fit, command)}"


def way_out(fit: Fit, command: str) -> str:
    """The reason why a run does not come down, and the command to type instead."""
    remedy = f"let gdfit choose the learning rate: {command}"
    if is_too_large(fit):
        remedy = "divide that column by a power of ten"
    elif "init" in (changes(fit) or ()):
        remedy = f"start at zeros: {command}"
    elif fit.asked.lr == "auto":
        remedy = f"type a smaller rate: {command}"
    return f"{why_it_grows(fit)}; {remedy}"


def why_it_grows(fit: Fit) -> str:
    """The reason why a run does not come down."""
    curvature, settings, lr = fit.curvature, fit.settings, float(fit.settings.lr)
    if is_too_large(fit):
        return f"the squares of {printable(fit.model.target)} are too large for float64"
    if curvature is None or settings.optimizer == "adam":
        return f"--lr {lr:g} is too large for this data"
    if not math.isfinite(curvature.lambda_max):
        return "the numbers are too large for float64: λmax is infinite"
    if not settings.is_plain:
        return f"--lr {lr:g} is too large for this data, whose λmax is {curvature.lambda_max:.6g}"
    bound = curvature.max_stable_lr
    limit, ratio = f"2/λmax = {bound:.6g}", f"{lr / bound:.3g}"
    if lr < bound:
        far = "but the start is too far away for float64"
        return f"--lr {lr:g} is stable on this data, below {limit}, {far}"
    beyond = "just above" if ratio == "1" else f"{ratio} times"
    climbs = "above which gradient descent on this data climbs"
    return f"--lr {lr:g} is {beyond} the limit {limit}, {climbs}"


def is_too_large(fit: Fit) -> bool:
    """True where no loss of this data is finite, whatever the params."""
    return fit.settings.is_squared and not math.isfinite(fit.observations.mean_square)


def below(rate: float) -> str:
    """`rate` to two digits, rounded down."""
    digits, exponent = f"{rate:.16e}".split("e")
    return f"{float(f'{digits[:3]}e{exponent}'):.2g}"
