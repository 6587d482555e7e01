"""What a page holds of a run: the numbers to descend on, those to draw, and how the run went.

The keys of the JSON object, which the page's scripts read as `run`:

version : of gdfit.
features, target : the columns' names.
observations : N.
rows : what to descend on, in the data's own units. `values` are rows [x₁…x_p, 1, y], sums over them
    are divided by `count`, and `kind` says what they are: `condensed`, the p+2 rows that have the
    squared loss of all; `all` observations; or a `sample` of them, whose loss is near theirs.
sample : observations to draw, rows [x₁…x_p, y] of seven digits; null where `rows` are observations.
validation : rows, as above, and sample of the validation set; null where there is none.
scales : by name, what may be descended on. The column of ones being u, the features are
    x̃ = (x − means·u) · basis, `basis` being null (as it is), a number for each feature, or a
    matrix, so that w = basis · w̃ and b = b̃ − means · w in the data's own units. `start` is where
    the run starts, θ₀. For the squared error also `lambda_max`, `lambda_min`, the `minimum`, its
    loss, and the `steepest` direction, an eigenvector of λmax.
settings : those of the run, its scale among them.
shuffling : for mini-batches, where PCG64 stands in the beginning, its `state` and `increment`, and
    how many rows are a `block`, which are shuffled first; null where the rows are condensed.
diverges_at : the run ends where the loss is more than this many times the first one; null for
    where it is not finite any more.
ended : how the run ended, and where the rows are a sample its `steps`, few enough to draw: epoch,
    loss, and for one feature the params, all of seven digits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from gdfit import __version__
from gdfit.arrays import FloatArray
from gdfit.data.condense import triangular
from gdfit.data.observations import Observations
from gdfit.data.rows import rows_at_once
from gdfit.descent.curvature import Curvature, curvature
from gdfit.descent.fit import Fit
from gdfit.descent.loop import Step
from gdfit.descent.objectives import SHUFFLING
from gdfit.descent.scaling import scaling_of
from gdfit.descent.settings import Settings
from gdfit.errors import GdfitError
from gdfit.model.linear import finite

MOST_ROWS = 2000
MOST_TEXT = 200_000  # characters of rows, and of the sample: with the rest, less than 500 kB
MOST_STEPS = 300
MOST_WHITENED = 60  # features whose whitening, a matrix, may take its room
DIGITS = 7  # of a number that is only drawn
DIVERGES_AT: float | None = None


@dataclass(frozen=True)
class Scale:
    """x̃ = (x − means·u) · basis, as above; θ₀ in these units."""

    means: FloatArray
    basis: FloatArray | None
    start: FloatArray

    def apply(self, observations: Observations) -> Observations:
        """The observations, condensed or not, on this scale."""
        x, ones = observations.design[:, :-1], observations.design[:, -1]
        x = (x - np.outer(ones, self.means)) @ square(self.basis, len(self.means))
        augmented = np.column_stack([x, observations.augmented[:, -2:]])
        return replace(observations, augmented=augmented)


def contents(
    fit: Fit, steps: Sequence[Step], validation: Observations | None = None
) -> dict[str, Any]:
    """What a page holds of a run and its steps, as described above."""
    fit = replace(fit, observations=few_rows(fit.observations))
    observations, settings = fit.observations, fit.settings
    rows = rows_of(observations, settings)
    condensed = rows["kind"] == "condensed"
    held_out = None
    if validation:
        held_out = rows_of(few_rows(validation), settings, MOST_TEXT // 4)
        held_out["sample"] = drawn(validation.sample, MOST_TEXT // 8)
    random = np.random.default_rng([settings.seed, SHUFFLING]).bit_generator.state["state"]
    shuffling = {
        "state": str(random["state"]),
        "increment": str(random["inc"]),
        "block": rows_at_once(len(observations.features) + 2),
    }
    left = MOST_TEXT - len(json.dumps(rows["values"]))
    room = max(left, (MOST_TEXT - left) // 2)
    record = {
        "version": __version__,
        "features": list(observations.features),
        "target": observations.target_name,
        "observations": observations.count,
        "rows": rows,
        "sample": drawn(observations.sample, room) if condensed else None,
        "validation": held_out,
        "scales": scales(fit),
        "settings": asdict(settings) | {"scale": scale_name(fit)},
        "shuffling": None if condensed else shuffling,
        "diverges_at": DIVERGES_AT,
        "ended": ended(fit, steps if rows["kind"] == "sample" else ()),
    }
    return {key: finite(value) for key, value in record.items()}


def few_rows(observations: Observations) -> Observations:
    """Observations from arrays, which are not condensed, condensed."""
    rows = observations.augmented
    if len(rows) <= rows.shape[1]:
        return observations
    return replace(observations, augmented=triangular(rows))


def rows_of(
    observations: Observations, settings: Settings, most: int = MOST_TEXT
) -> dict[str, Any]:
    """The rows to descend on: condensed ones, or all where they are few, or as many as `most`
    characters hold."""
    batches = settings.batch_size is not None and settings.batch_size < observations.count
    if settings.loss == "mse" and not batches:
        values = plain(observations.augmented)
        return {"kind": "condensed", "count": observations.count, "values": values}
    if observations.rows is not None and observations.count <= MOST_ROWS:
        values = plain(observations.rows.slice(0, observations.count))
        if len(json.dumps(values)) <= most:
            return {"kind": "all", "count": observations.count, "values": values}
    *x, y = observations.sample[:MOST_ROWS].T
    values = thinned(plain(np.column_stack([*x, np.ones_like(y), y])), most)
    return {"kind": "sample", "count": len(values), "values": values}


def scales(fit: Fit) -> dict[str, dict[str, Any]]:
    """By name, what may be descended on: always the scale of the run."""
    observations, settings = fit.observations, fit.settings
    p = len(observations.features)
    start = fit.scaling.to_data(fit.start) if fit.scaling else fit.start
    kinds = {"none": Scale(np.zeros(p), None, start)}
    try:
        scaling = scaling_of(observations)
        kinds["standardize"] = Scale(
            scaling.means, 1 / scaling.deviations, scaling.from_data(start)
        )
        if p <= MOST_WHITENED:
            kinds["whiten"] = whitened(observations, scaling.means, scaling.deviations, start)
    except GdfitError:
        pass  # a column does not vary: there is one scale to choose from
    records = {}
    for name, kind in kinds.items():
        if name == scale_name(fit):
            kind = replace(kind, start=fit.start)
        squared = settings.loss == "mse"
        bends = curvature(kind.apply(observations), settings.l2) if squared else None
        basis = None if kind.basis is None else plain(kind.basis)
        records[name] = {
            "means": plain(kind.means),
            "basis": basis,
            "start": plain(kind.start),
            **shape_of(bends),
        }
    return records


def whitened(
    observations: Observations, means: FloatArray, deviations: FloatArray, start: FloatArray
) -> Scale:
    """The scale of an orthonormal basis of the centred columns: the valley is round.

    From the singular values of the standardized columns; what of them depends on others is left
    out.
    """
    x, ones = observations.design[:, :-1], observations.design[:, -1]
    standardized = (x - np.outer(ones, means)) / deviations
    _, singular, axes = np.linalg.svd(standardized, full_matrices=False)
    kept = singular > 1e-13 * singular[0]
    lengths = np.where(kept, np.sqrt(observations.count) / np.where(kept, singular, 1.0), 0.0)
    basis = axes.T / deviations[:, np.newaxis] * lengths
    basis = np.pad(basis, ((0, 0), (0, len(deviations) - len(singular))))
    w = np.linalg.lstsq(basis, start[:-1], rcond=None)[0]
    return Scale(means, basis, np.append(w, start[-1] + start[:-1] @ means))


def shape_of(bends: Curvature | None) -> dict[str, Any]:
    """What the page says and draws of the curvature."""
    if bends is None:
        return {}
    return {
        "lambda_max": bends.lambda_max,
        "lambda_min": bends.lambda_min,
        "minimum": plain(bends.minimum),
        "minimum_loss": bends.minimum_loss,
        "is_unique": bends.is_unique,
        "steepest": plain(bends.eigenvectors[:, 0]),
    }


def scale_name(fit: Fit) -> str:
    """What `fit` was descended on, as `--scale` calls it."""
    return "standardize" if fit.settings.standardize else "none"


def ended(fit: Fit, steps: Sequence[Step]) -> dict[str, Any]:
    """How the run went and ended."""
    kept = sorted({*map(int, np.geomspace(1, max(len(steps), 1), MOST_STEPS))})
    with_params = len(fit.model.features) == 1
    shown = [
        [
            step.epoch,
            rounded(step.loss),
            *(map(rounded, step.params.tolist()) if with_params else ()),
        ]
        for step in (steps[place - 1] for place in kept if steps)
    ]
    return {
        "status": fit.status,
        "epochs": fit.epochs,
        "best_epoch": fit.best_epoch,
        "loss": fit.loss,
        "validation_loss": fit.validation_loss,
        "r_squared": fit.r_squared,
        "w": list(fit.model.w),
        "b": fit.model.b,
        "steps": shown,
    }


def square(basis: FloatArray | None, size: int) -> FloatArray:
    """`basis` as a matrix."""
    if basis is None:
        return np.eye(size)
    return np.diag(basis) if basis.ndim == 1 else basis


def drawn(sample: FloatArray, most: int) -> list[list[float]]:
    """Observations to draw: rounded, and as many as `most` characters hold."""
    return thinned([[rounded(value) for value in row] for row in sample[:MOST_ROWS].tolist()], most)


def thinned(rows: list[list[float]], most: int) -> list[list[float]]:
    """`rows`, or evenly spaced ones of them that are no more than `most` characters as JSON."""
    length = len(json.dumps(rows))
    if length <= most:
        return rows
    fewer = max(int(len(rows) * most / length), 1)
    return [rows[place] for place in np.linspace(0, len(rows) - 1, fewer).astype(int).tolist()]


def rounded(value: float | None) -> Any:
    """`value` to the digits that can be seen; None where it is none or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return plain(float(f"{value:.{DIGITS}g}"))


def plain(values: Any) -> Any:
    """Numbers or arrays of them for JSON: 72 rather than 72.0, which is as exact and shorter."""
    if isinstance(values, np.ndarray):
        return plain(values.tolist())
    if isinstance(values, list):
        return [plain(value) for value in values]
    return int(values) if abs(values) < 1e15 and values == int(values) else values
