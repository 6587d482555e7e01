"""A run as one HTML file that needs no network: it replays the run in the browser, and descends
itself where the reader takes over.

The page is written by hand: page.html, the styles and the scripts beside this file, put together
here with the run's data. Names and numbers from a file are data on the page and never become
markup, and its policy lets the browser run and fetch nothing else.

Its contents, of a run, are the numbers to descend on, those to draw, and how the run went. The keys
of the JSON object, which the page's scripts read as `run`:

version : of gdfit.
features, target : the columns' names.
answer : what ŷ is: the target, or the probability of a class.
classes : the names of the classes that are y = 0 and y = 1; null where there are none.
loss_name : what the loss is called.
observations : N.
intercept, weighted : whether there is a b, and whether the observations have weights.
rows : what to descend on, in the data's own units. `values` are rows [x₁…x_p, 1, y], with a 0 for
    the 1 if there is no intercept; `weights` theirs, or null. Sums over them are divided by
    `total`, and `kind` says what they are: `condensed`, the p+2 rows that have the squared loss of
    all; `all` observations; or a `sample` of them, whose loss is near theirs.
plane : of several features that are made of one number, its `name`; `sample` and `validation`,
    observations to draw as [that number, y]; and where to draw the curve, `x` and the `features`
    there, rows [x₁…x_p]; else null.
dates : whether the one feature, or the number on the plane, is a date.
sample : observations to draw, rows [x₁…x_p, y], of seven digits, but for all of one feature, which
    can be moved; null where `rows` are observations.
validation : rows, as above, and sample of the validation set, and how many `observations` it has;
    null where there is none.
scales : by name, what may be descended on. The column of ones being u, the features are
    x̃ = (x − (means + rest)·u) · basis, `rest` being what float64 does not hold of the means and
    `basis` null (as it is), a number for each feature, or a matrix, so that w = basis · w̃ and
    b = b̃ − (means + rest) · w in the data's own units. `rows` are condensed rows on this scale
    where those lose digits on the way, else null. `start` is where
    the run starts, θ₀. Where the minimum is known, of the sample, if the rows are one and the loss
    is no parabola, also `lambda_max` and `lambda_min` there, the `minimum`, its loss, the
    `steepest` direction, an eigenvector of λmax, whether the loss `is_parabola`, and else the
    `bound` of λmax, if there is one.
settings : those of the run, the scale and the learning rate chosen.
went_on : of a run that goes on from a model, what came before its start: how many `epochs`, the
    update rule's `memory`, and the `first_loss`; else null.
shuffling : of mini-batches, the numbers (`entropy`) that the seed of each epoch's order begins
    with, and how many rows are a `block`, which are shuffled first; null where there are none.
rounding : the loss that is 0 but for rounding.
beyond : a descent ends where the loss is more than this many times the first one.
ended : how the run ended, and where the rows are a sample its `steps`, few enough to draw: epoch,
    loss, and for one feature the params, all of seven digits.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import numpy as np

from gdfit.arrays import FloatArray, triangular
from gdfit.data.batch import Rows
from gdfit.data.formats.formats import READERS, ZIP
from gdfit.data.observations import Observations
from gdfit.data.text.fields import MISSING
from gdfit.data.text.sniffing import TOTAL
from gdfit.data.text.spellings import CODES, SIGNS
from gdfit.descent.curvature import Curvature
from gdfit.descent.loop import Step
from gdfit.descent.losses import loss_of
from gdfit.descent.objective import SHUFFLING
from gdfit.descent.outcome import Fit
from gdfit.descent.run import rounding_of
from gdfit.descent.scaling import Scaling, scaled, scaling_of, solved
from gdfit.descent.settings import Scale, Settings
from gdfit.descent.start import Start
from gdfit.descent.stopping import BEYOND
from gdfit.model.linear import finite
from gdfit.package import __version__
from gdfit.show.pictures import trace
from gdfit.system import check_ending, open_beside

# Where page.html has styles or scripts: their names, those first that others build on.
PAGE_FILES = re.compile(r"\{\{((?:\w+\.(?:css|js)\s*)+)\}\}")
# In scripts, the lines of comments, which are a fifth of them and no part of a page.
COMMENTS = re.compile(r"^ *(?://|/\*\*|\*/|\* |\*$).*\n", re.MULTILINE)


def save_page(fit: Fit, steps: Sequence[Step], path: Path) -> None:
    """Write the page of a run beside `path`, then rename it; the same run gives the same file.

    Parameters
    ----------
    fit : what came out.
    steps : its steps, thinned or not.
    """
    check_ending(path, "page", ".html", ".htm")
    with open_beside(path) as file:
        file.write(page_of(contents(fit, steps)))


def page_of(run: dict[str, Any]) -> str:
    """The page that holds `run`, as `contents` describes it; or of `beginnings`, one that takes a
    file."""
    template, has_run = together("page.html"), "rows" in run
    styles, *scripts = PAGE_FILES.findall(template)
    common, of_files, last = scripts
    script = together(f"{common} {last}" if has_run else f"{common} {of_files} {last}")
    script = f'(() => {{\n"use strict";\n{COMMENTS.sub("", script)}}})();\n'
    style, what = together(styles), run["target"] if has_run else "Your own file"
    parts = {
        "title": html.escape(f"{what} by gradient descent"),
        "policy": f"default-src 'none'; img-src data:; script-src '{digest(script)}'; "
        f"style-src '{digest(style)}'",
        "empty": "" if has_run else ' class="empty"',
        styles: style,
        **dict.fromkeys(scripts, ""),
        common: script,
        "run": script_text(run),
    }
    # All at once: what one part holds is not looked through for another.
    return re.sub(r"\{\{([^{}]+)\}\}", lambda found: parts[found[1]], template)


def save_empty_page(path: Path) -> None:
    """Write a page that takes its reader's file, and descends on it as ``gdfit train`` would."""
    check_ending(path, "output", ".html", ".htm")
    with open_beside(path) as file:
        file.write(page_of(beginnings()))


def together(names: str) -> str:
    """The files beside this one that have these names, one after the other."""
    here = files(__name__)
    return "\n".join((here / name).read_text(encoding="utf-8") for name in names.split())


def digest(text: str) -> str:
    """The hash that a content security policy knows a script or a style by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def script_text(run: dict[str, Any]) -> str:
    """`run` as JSON in which nothing ends the script element that it stands in."""
    text = json.dumps(run, allow_nan=False, separators=(",", ":"))
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


Json = dict[str, Any]
"""A JSON object."""

PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"(\xb5/\xfd")  # what begins compressed files
MOST_ROWS = 2000
MOST_TEXT = 200_000  # characters of rows, and of the sample: with the rest, less than 500 kB
MOST_STEPS = 300  # of a run on a sample
MOST_WHITENED = 60  # features whose whitening, a matrix, may take its room
FAR = 100.0  # deviations: a mean that is farther from 0 costs digits
DRAWN_DIGITS = 7  # of a number that is only drawn
RESULTS = ("status", "epochs", "best_epoch", "loss", "validation_loss", "r_squared")


def beginnings() -> Json:
    """What a page begins with that has no run: the settings that nobody has changed, and words that
    stand in files."""
    settings = Settings()
    marks = [mark.decode("latin-1") for mark in (*READERS, ZIP, *PACKED)]
    return {
        "version": __version__,
        "settings": asdict(settings),
        "beyond": BEYOND,
        "loss_name": loss_of(settings).name or settings.loss,
        "spellings": {
            "missing": sorted(MISSING),
            "codes": [*CODES.split(), *map(re.escape, SIGNS)],
            "total": TOTAL,
            "marks": marks,
        },
    }


def contents(fit: Fit, steps: Sequence[Step]) -> Json:
    """The JSON object of a run and its steps, as described above."""
    observations, settings = few_rows(fit.observations), fit.settings
    rows = page_rows(observations, settings)
    condensed = rows["kind"] == "condensed"
    held_out, shuffling = None, None
    if fit.validation:
        held_out = page_rows(few_rows(fit.validation), settings, MOST_TEXT // 4)
        held_out["sample"] = drawn(fit.validation.sample, MOST_TEXT // 8)
        held_out["observations"] = fit.validation.count
    if settings.batch_size and observations.rows:
        entropy = [*seed_words(settings.seed), *seed_words(SHUFFLING)]
        shuffling = {"entropy": entropy, "block": observations.rows.block}
    one, few = len(observations.features) == 1, observations.count <= MOST_ROWS
    left = MOST_TEXT - len(json.dumps(rows["values"]))
    room = max(left, (MOST_TEXT - left) // 2)
    record = {
        "version": __version__,
        "features": list(observations.features),
        "target": observations.target_name,
        "answer": fit.model.answer,
        "classes": list(classes.names) if (classes := fit.model.classes) else None,
        "loss_name": trace.loss_name(fit),
        "observations": observations.count,
        "intercept": observations.intercept,
        "weighted": observations.weight is not None,
        "rows": rows,
        "sample": drawn(observations.sample, room, few and one) if condensed else None,
        "plane": plane(fit) if trace.on_a_plane(fit) and len(observations.features) > 1 else None,
        "dates": trace.on_a_plane(fit) and trace.is_along_dates(fit),
        "validation": held_out,
        "scales": scales(fit, rows),
        "settings": asdict(settings),
        "went_on": before_start(fit.start_state),
        "shuffling": shuffling,
        "rounding": rounding_of(fit),
        "beyond": BEYOND,
        "ended": how_it_ended(fit, steps if rows["kind"] == "sample" else ()),
    }
    return {key: finite(value) for key, value in record.items()}


def plane(fit: Fit) -> Json:
    """The one number that all features are made of, against y, and the curve over it."""
    parts = trace.parts(fit)
    seen = [np.column_stack([trace.numbers_in(part), part.sample[:, -1]]) for part in parts]
    samples = [drawn(each, MOST_TEXT // 8) for each in seen]
    across = np.concatenate(seen)[:, 0]
    x, features = trace.features_along(fit, across, across)
    return {
        "name": trace.numbers_along(fit)[0],
        "sample": samples[0],
        "validation": samples[1] if fit.validation else None,
        "x": [*map(drawn_number, x.tolist())],
        "features": short_numbers(features),
    }


def few_rows(observations: Observations) -> Observations:
    """Observations from arrays, which are not condensed, condensed."""
    rows = observations.augmented
    few = len(rows) <= rows.shape[1]
    return observations if few else replace(observations, augmented=triangular(rows))


def page_rows(observations: Observations, settings: Settings, most: int = MOST_TEXT) -> Json:
    """The rows to descend on: condensed ones, or all where they are few, or as many as `most`
    characters hold."""
    total = observations.total_weight
    if not settings.needs_rows:
        values = short_numbers(observations.augmented)
        return {"kind": "condensed", "total": total, "values": values, "weights": None}
    if observations.rows is not None and observations.count <= MOST_ROWS:
        whole = np.concatenate(list(observations.rows.blocks()))
        values, weights = split(whole, len(observations.features) + 2)
        if len(json.dumps(values)) <= most:
            return {"kind": "all", "total": total, "values": values, "weights": weights}
    rows = np.insert(observations.sample, -1, float(observations.intercept), axis=1)
    if observations.sample_weights is not None:
        rows = np.column_stack([rows, observations.sample_weights])
    few = thinned(short_numbers(rows[:MOST_ROWS]), most)
    values, weights = split(np.array(few, dtype=np.float64), len(observations.features) + 2)
    total = sum(weights) if weights else len(values)
    return {"kind": "sample", "total": total, "values": values, "weights": weights}


def split(rows: FloatArray, width: int) -> tuple[Any, Any]:
    """Rows without the weights behind them, and these, if there are any."""
    weights = short_numbers(rows[:, width]) if rows.shape[1] > width else None
    return short_numbers(rows[:, :width]), weights


def scales(fit: Fit, rows: Json) -> dict[str, Json]:
    """By name, what may be descended on: always the scale of the run."""
    observations, settings, condensed = fit.observations, fit.settings, rows["kind"] == "condensed"
    is_sample = rows["kind"] == "sample" and not settings.is_squared
    p = len(observations.features)
    start = fit.scaling.to_data(fit.start) if fit.scaling else fit.start
    records = {}
    for name in get_args(Scale):
        if name == settings.scale:
            scaling, params = fit.scaling, fit.start
        elif name == "whiten" and (settings.l1 or not 1 < p <= MOST_WHITENED):
            continue  # weights of features are asked for; or one feature is round already
        else:
            scaling = scaling_of(observations, name)
            params = scaling.from_data(start) if scaling else start
        on = few_rows(scaled(observations, scaling))
        shown = these(on, rows, scaling) if is_sample else on
        records[name] = {
            "means": short_numbers(scaling.means if scaling else np.zeros(p)),
            "rest": short_numbers(np.zeros(p) + (scaling.rest if scaling else 0.0)),
            "basis": short_numbers(basis_of(scaling)) if scaling else None,
            "rows": short_numbers(on.augmented) if condensed and loses_digits(scaling) else None,
            "start": short_numbers(params),
            **({"minimum_loss": fit.minimum_loss} if fit.minimum_loss and not is_sample else {}),
            **shape_of(trace.curvature_on(fit, scaling, shown)),
        }
    return records


def these(observations: Observations, rows: Json, scaling: Scaling | None) -> Observations:
    """Observations that are such rows alone, scaled."""
    values, weights = np.array(rows["values"], dtype=np.float64), rows["weights"]
    values = scaling.apply(values) if scaling else values
    factors = np.sqrt(np.ones(len(values)) if weights is None else weights)[:, np.newaxis]
    kept = Rows(values.shape[1] + (weights is not None))
    kept.add(values if weights is None else np.column_stack([values, weights]))
    weight, augmented = rows["total"] if weights else None, triangular(factors * values)
    count = len(values)
    return replace(observations, augmented=augmented, rows=kept, count=count, weight=weight)


def loses_digits(scaling: Scaling | None) -> bool:
    """Whether condensed rows lose digits that count when they are put on a scale."""
    if scaling is None or len(scaling.means) > MOST_WHITENED:
        return False
    used = list(scaling.used)
    far = np.abs(scaling.means[used]) > FAR * scaling.deviations[used]
    return scaling.mixing is not None or bool(far.any())


def basis_of(scaling: Scaling) -> FloatArray:
    """The factors of centred features: numbers, or a matrix; 0 for those not used."""
    used = list(scaling.used)
    basis = np.zeros_like(scaling.deviations)
    basis[used] = 1 / scaling.deviations[used]
    if scaling.mixing is None:
        return basis
    matrix = np.diag(basis)
    inverse = solved(scaling.mixing, np.eye(len(used)))
    matrix[np.ix_(used, used)] = basis[used, np.newaxis] * inverse
    return matrix


def before_start(start: Start) -> Json | None:
    """The epochs before the start, and what the update rule remembers of them."""
    if not start.state and not start.epochs:
        return None
    memory = {name: short_numbers(value) for name, value in start.state.items()}
    return {"epochs": start.epochs, "memory": memory, "first_loss": start.first_loss}


def seed_words(number: int) -> list[int]:
    """A whole number as NumPy's seeds have it: 32 bits by 32 bits, the low ones first."""
    return [number & 0xFFFFFFFF, *(seed_words(number >> 32) if number >> 32 else ())]


def shape_of(curvature: Curvature | None) -> Json:
    """The curvature, as far as the page draws it or speaks of it."""
    if curvature is None:
        return {}
    return {
        "lambda_max": curvature.lambda_max,
        "lambda_min": curvature.lambda_min,
        "minimum": short_numbers(curvature.minimum),
        "minimum_loss": curvature.minimum_loss,
        "is_parabola": curvature.is_parabola,
        "bound": curvature.bound,
        "is_unique": curvature.is_unique,
        "steepest": short_numbers(curvature.eigenvectors[:, 0]),
    }


def how_it_ended(fit: Fit, steps: Sequence[Step]) -> Json:
    """The end of the run, and a few of its steps."""
    kept = sorted({*map(int, np.geomspace(1, max(len(steps), 1), MOST_STEPS))})

    def shown(step: Step) -> list[Any]:
        params = step.params.tolist() if len(fit.model.features) == 1 else ()
        return [step.epoch, *map(drawn_number, (step.loss, *params))]

    return {
        **{name: getattr(fit, name) for name in RESULTS},
        "accuracy": fit.model.facts.get("accuracy"),
        "separable": fit.is_separable,
        "w": list(fit.model.w),
        "b": fit.model.b,
        "steps": [shown(steps[place - 1]) for place in kept if steps],
    }


def drawn(sample: FloatArray, most: int, is_whole: bool = False) -> list[list[float]]:
    """Observations to draw: rounded, unless they are to be `is_whole`, and as many as `most`
    characters hold."""
    if is_whole:
        return thinned(short_numbers(sample), most)
    return thinned([[*map(drawn_number, row)] for row in sample[:MOST_ROWS].tolist()], most)


def thinned(rows: list[list[float]], most: int) -> list[list[float]]:
    """`rows`, or evenly spaced ones of them that are no more than `most` characters as JSON."""
    length = len(json.dumps(rows))
    if length <= most:
        return rows
    fewer = max(int(len(rows) * most / length), 1)
    return [rows[place] for place in np.linspace(0, len(rows) - 1, fewer).astype(int).tolist()]


def drawn_number(value: float | None) -> Any:
    """`value` to the digits that can be seen; None where it is none or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return short_numbers(float(f"{value:.{DRAWN_DIGITS}g}"))


def short_numbers(values: Any) -> Any:
    """Numbers or arrays of them for JSON: 72 rather than 72.0, which is as exact and shorter."""
    if isinstance(values, np.ndarray):
        return short_numbers(values.tolist())
    if isinstance(values, list):
        return [short_numbers(value) for value in values]
    return int(values) if abs(values) < 1e15 and values == int(values) else values
