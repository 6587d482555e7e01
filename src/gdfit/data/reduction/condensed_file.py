"""Observations condensed to p+2 rows, in a file of JSON that takes the place of the data.

What it says is what `Observations` are, number by number, so that they come back to the last bit;
with folds, of each fold the same. Without rows, it has no number of a row: no sample, no first and
no last rows, and what is taken away from a column is its mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gdfit.arrays import FloatArray, Near, triangular
from gdfit.data.observations import Observations, difference, put_together
from gdfit.data.terms.expansion import Expansion, expansion_of
from gdfit.data.terms.lookup import alternatives
from gdfit.data.text.dialect import Selection
from gdfit.data.text.spellings import spelling_of
from gdfit.errors import GdfitError, UsageError, printable, quoted
from gdfit.package import __version__
from gdfit.system import open_beside

# Arrays of the rows themselves.
OF_ROWS = ("first", "last", "sample", "first_weights", "sample_weights", "sample_inputs")
TO_HIDE = 10  # times as many rows as R has, or R tells them


@dataclass(frozen=True, eq=False)
class CondensedFile:
    """What a condensed file has: the observations, and where it was condensed with folds, these."""

    whole: Observations
    folds: tuple[Observations, ...] = ()

    def write(self, path: Path, *, rows: bool = True) -> None:
        """Write it, whole or not at all; with what is shown of the `rows`, or without.

        Raises
        ------
        GdfitError : without the rows, where R would tell them.
        """
        width = len(self.whole.features) + 2
        count = min(each.count for each in (self.whole, *self.folds))
        if not rows and count < TO_HIDE * width:
            of = " of a fold" if self.folds else ""
            what = f"{count} row{'s' * (count > 1)}{of} are too few to be hidden in {width}"
            raise GdfitError(f"{what}: it takes {TO_HIDE * width} at least")
        parts = [record_of(fold, rows=rows) for fold in self.folds]
        parts = [{key: each[key] for key in each if key not in OF_ROWS} for each in parts]
        record = {"condensed": __version__, **record_of(self.whole, rows=rows), "folds": parts}
        lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in record.items()]
        with open_beside(path) as file:
            file.write("{\n" + ",\n".join(lines) + "\n}\n")


def record_of(observations: Observations, *, rows: bool) -> dict[str, Any]:
    """What a file says of observations."""
    made_of, near = observations.expansion, observations.near
    if near and not rows:
        near = from_means(near)
    arrays = {name: getattr(observations, name) for name in OF_ROWS} if rows else {}
    return {
        "features": [*observations.features],
        "target": observations.target_name,
        "observations": observations.count,
        "weights": observations.weights_name,
        "weight": observations.weight,
        "log_weight": observations.log_weight,
        "intercept": observations.intercept,
        "spellings": {column: each.record for column, each in observations.spellings},
        **(made_of.record if made_of else {}),
        "rows": in_few(observations.augmented).tolist(),
        "refined": None if observations.refined is None else observations.refined.tolist(),
        "near": near and {"rows": in_few(near.rows).tolist(), "origin": near.origin.tolist()},
        **{name: None if each is None else each.tolist() for name, each in arrays.items()},
    }


def from_means(near: Near) -> Near:
    """The same rows with the means taken away, and not numbers of a row."""
    ones = near.rows[:, -2]
    means = near.origin + ones @ near.rows[:, :-2] / (ones @ ones)
    origin = np.where(near.origin, means, 0.0)
    return Near(near.at(origin), origin)


def in_few(rows: FloatArray) -> FloatArray:
    """Rows, or R of them where they are more."""
    return triangular(rows) if len(rows) > rows.shape[1] else rows


def read_condensed(path: str) -> CondensedFile:
    """The condensed file at `path`.

    Raises
    ------
    GdfitError : it can't be read, or is damaged.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        whole = observations_in(record)
        folds = (observations_in({**record, **fold}, rows=False) for fold in record["folds"])
        return CondensedFile(whole, tuple(folds))
    except OSError as error:
        raise GdfitError(f"can't be read: {error.strerror}", file=path) from None
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        raise GdfitError("is a condensed file that is damaged", file=path) from None


def observations_in(record: Mapping[str, Any], *, rows: bool = True) -> Observations:
    """The observations that a file says.

    Raises
    ------
    ValueError, KeyError, TypeError : it is damaged.
    """
    features = tuple(map(str, record["features"]))
    near, width = record["near"], len(features) + 2
    augmented = array(record["rows"], None, width)
    expansion = expansion_of(record) if "terms" in record else None
    count, weight = int(record["observations"]), record["weight"]
    is_counted = 0 < count < 1 << 63 and (weight is None or weight > 0)
    if not 0 < len(augmented) <= width or not is_counted or augmented.any(axis=1).sum() > count:
        raise ValueError
    if expansion and expansion.features != features:
        raise ValueError
    inputs, last = (len(expansion.numbers), expansion.width) if expansion else (None, width - 2)
    rows_of = (None, width - 1)
    shapes = (rows_of, (last + 1,), rows_of, (None,), (None,), (None, inputs))
    arrays: dict[str, Any] = {
        name: None if record.get(name) is None else array(record[name], *shape)
        for name, shape in zip(OF_ROWS, shapes, strict=True)
    }
    if not rows or arrays["sample"] is None:
        arrays = without_rows(width - 1)
    elif arrays["last"] is None or arrays["first"] is None or not len(arrays["first"]):
        raise ValueError
    elif expansion:  # the codes of the last row's levels
        codes = zip(arrays["last"][inputs:-1].tolist(), expansion.levels, strict=True)
        if not all(0 <= code < len(levels) for code, levels in codes):
            raise ValueError
    for name, of in (
        ("sample_weights", "sample"),
        ("sample_inputs", "sample"),
        ("first_weights", "first"),
    ):
        if arrays[name] is not None and len(arrays[name]) != len(arrays[of]):
            raise ValueError
    known = ((str(column), spelling_of(each)) for column, each in record["spellings"].items())
    return Observations(
        augmented=augmented,
        near=near and Near(array(near["rows"], None, width), array(near["origin"], width - 2)),
        count=count,
        features=features,
        target_name=str(record["target"]),
        weight=None if weight is None else float(weight),
        log_weight=float(record["log_weight"]),
        weights_name=record["weights"],
        intercept=bool(record["intercept"]),
        spellings=tuple((column, each) for column, each in known if each),
        expansion=expansion,
        refined=array(record["refined"], width) if record.get("refined") else None,
        **arrays,
    )


def without_rows(columns: int) -> dict[str, Any]:
    """The arrays of the rows themselves where a file does not tell them, of so many columns."""
    none = np.empty((0, columns))
    return {**dict.fromkeys(OF_ROWS), "first": none, "sample": none, "last": np.empty(0)}


def array(values: Any, *shape: int | None) -> FloatArray:
    """Numbers of a file, all finite, of this shape, where None is any length."""
    result = np.array(values, np.float64)
    if result.ndim < len(shape) and not result.size:
        result = result.reshape([length or 0 for length in shape])
    fits = [length in (None, found) for length, found in zip(shape, result.shape, strict=True)]
    if not all(fits) or not np.isfinite(result).all():
        raise ValueError
    return result


def joined_parts(parts: Sequence[Observations], files: Sequence[str]) -> Observations:
    """The observations of several condensed files together.

    Raises
    ------
    GdfitError : they are of other columns, or of other levels.
    """
    first = parts[0]
    for part, file in zip(parts, files, strict=True):
        found = difference(part, first)
        for name in ("target_name", "weights_name"):
            here, there = (getattr(each, name) for each in (part, first))
            if here != there:
                what = name.split("_")[0]
                found = f"{what} {here or 'none'}", f"{there or 'none'}"
        if found:
            what = f"was condensed with {found[0]}, and {files[0]} with {found[1]}"
            raise GdfitError(f"{what}: condense their data together", file=file)
    if len(parts) > 1 and not all(len(part.sample) for part in parts):
        parts = [replace(part, **without_rows(len(part.features) + 1)) for part in parts]
    return put_together(parts) if len(parts) > 1 else first


def selected(observations: Observations, selection: Selection, name: str) -> Observations:
    """Some of the columns that were condensed, and one of them as the target.

    Raises
    ------
    GdfitError : they are not among them.
    """
    for option, asked in (
        ("weights", selection.weights not in (None, observations.weights_name)),
        ("degree", selection.degree != 1),
        ("no_intercept", not selection.intercept and observations.intercept),
        ("positive", selection.positive is not None),
        ("formula", selection.formula is not None),
    ):
        if asked:
            raise GdfitError(f"has been condensed: `{option}` is for gdfit condense", file=name)
    made_of = observations.expansion
    terms = [*map(str, made_of.terms)] if made_of else [*observations.features]
    target = observations.target_name if selection.target is None else selection.target
    there = [*terms, observations.target_name]
    excluded = {*selection.exclude, target}
    features = selection.features or tuple(each for each in there if each not in excluded)
    for each in (*features, target, *selection.exclude):
        if each not in there:
            what = f"has been condensed, and has no {quoted(each)}: there are "
            raise GdfitError(what + alternatives(there, 8), file=name)
    if target in features:
        raise UsageError(f"column {quoted(target)} is a feature and the target at once")
    if not features:
        raise GdfitError(f"has no column to predict {printable(target)} from", file=name)
    if features == tuple(terms) and target == observations.target_name:
        return observations
    if made_of and target != observations.target_name:
        raise GdfitError("has been condensed with terms: another target needs the data", file=name)
    return with_columns(observations, [*features], target)


def with_columns(observations: Observations, features: list[str], target: str) -> Observations:
    """The observations with some of the features, which are terms, and that target."""
    made_of, size = observations.expansion, len(observations.features)
    names = [*observations.features, observations.target_name]
    of_target, expansion = names.index(target), None
    if made_of:
        expansion, shown = some_terms(made_of, features)
        read, own = ([*each.numbers, *each.categories] for each in (made_of, expansion))
        of_last, of_inputs = [*map(read.index, own)], [*map(read.index, expansion.numbers)]
    else:
        shown = [*map(names.index, features)]
        of_last = of_inputs = shown
    columns = [place + (place == size) for place in shown]  # behind the ones, where it was y
    origin = np.append(observations.around.origin, 0.0)
    origin[of_target] = 0
    rows = observations.around.at(origin[:-1])
    near = Near(
        triangular(rows[:, [*columns, size, of_target + (of_target == size)]]), origin[shown]
    )
    sample, inputs = observations.sample, observations.sample_inputs
    if inputs is not None:
        inputs = np.column_stack([inputs, sample[:, -1]])[:, of_inputs]
    last = observations.last
    return replace(
        observations,
        augmented=near.whole,
        near=near if near.origin.any() else None,
        features=expansion.features if expansion else tuple(features),
        target_name=target,
        first=observations.first[:, [*shown, of_target]],
        sample=sample[:, [*shown, of_target]],
        last=last[[*of_last, -1 if made_of else of_target]] if len(last) else last,
        sample_inputs=inputs,
        expansion=expansion,
        refined=None,
    )


def some_terms(made_of: Expansion, wanted: list[str]) -> tuple[Expansion, list[int]]:
    """The expansion with some of its terms, and the places of their features."""
    terms = [*map(str, made_of.terms)]
    numbers = [*map(terms.index, wanted)]
    spans = [made_of.spans[number] for number in numbers]
    levels = dict(zip(made_of.categories, made_of.levels, strict=True))
    some = Expansion(
        tuple(made_of.terms[number] for number in numbers), (), False, made_of.intercept
    )
    known = replace(some, levels=tuple(levels[each] for each in some.categories))
    return known, [span.start + at for span in spans for at in range(span.width)]
