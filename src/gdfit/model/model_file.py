"""A model from its file: a JSON object, or of models by group the list of theirs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gdfit.errors import GdfitError, listing, quoted
from gdfit.model.linear import MOST_BYTES, LinearModel, newer_version
from gdfit.package import __version__

if TYPE_CHECKING:
    from gdfit.data.batch import Level
    from gdfit.data.terms.terms import Factor
    from gdfit.model.family import GroupedModel


def load_model(path: str | Path) -> LinearModel:
    """The model in the JSON file at `path`, as `gdfit train` writes it; of a list, a
    `GroupedModel`.

    Raises
    ------
    GdfitError : it does not exist, or is not a model.
    """
    file = str(path)
    try:
        with Path(path).open("rb") as stored:
            text = stored.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise GdfitError(f"is no model file: it has more than {MOST_BYTES >> 20} MB", file=file)
        record = json.loads(text.decode(), parse_int=whole_number)
    except FileNotFoundError:
        raise GdfitError("no such model file; 'gdfit train DATA' makes one", file=file) from None
    except IsADirectoryError:
        raise GdfitError("is a folder, not a model file", file=file) from None
    except OSError as error:
        raise GdfitError(f"can't be read: {error.strerror}", file=file) from None
    except UnicodeDecodeError:
        raise GdfitError("is not a model file (it is not text)", file=file) from None
    except (ValueError, RecursionError):
        raise GdfitError("is not a model file (it is not JSON)", file=file) from None
    if isinstance(record, list):
        return grouped_of(record, file)
    return model_of(record, file)


def whole_number(digits: str) -> float:
    """A whole number of a file, infinite where it is beyond float64."""
    return int(digits) if len(digits) < 300 else float(digits)


def model_of(record: object, file: str) -> LinearModel:
    """The model in a decoded JSON object read from `file`."""

    def fail(why: str) -> GdfitError:
        newer = newer_version(record) if isinstance(record, Mapping) else ""
        by = f"; gdfit {newer} wrote it, and this is {__version__}" if newer else ""
        return GdfitError(f"is not a model file ({why}){by}", file=file)

    if not isinstance(record, Mapping):
        raise fail("it is not a JSON object")
    for key, kind in (("w", list), ("b", (int, float)), ("features", list), ("target", str)):
        if key in record and record[key] is None:
            raise fail(f"{key!r} is null, as in a run that diverged")
        if not isinstance(record.get(key), kind):
            raise fail(f"it has no {key!r}")
    w, b, features = record["w"], record["b"], record["features"]
    if not all(isinstance(name, str) for name in features) or len(features) != len(w) or not w:
        raise fail("'w' and 'features' don't match")
    if len({*features}) < len(w) and "terms" not in record:
        raise fail("it has a feature twice")
    if any(isinstance(value, bool) for value in (*w, b)):
        raise fail("its params are not all numbers")
    try:
        params = [float(value) for value in (*w, b)]
    except (TypeError, ValueError):
        raise fail("its params are not all numbers") from None
    if not all(math.isfinite(param) for param in params):
        raise fail("its params are not all finite numbers")
    if "link" in record:
        from gdfit.model.links import LINKS

        if str(record["link"]) not in LINKS:
            raise fail(f"its link, {quoted(str(record['link']))}, is none that gdfit knows")
    expansion = None
    if "terms" in record:
        from gdfit.data.terms.expansion import expansion_of

        try:
            expansion = expansion_of(record)
        except ValueError:
            raise fail("its 'terms' can't be used") from None
        if expansion.features != tuple(features):
            raise fail("'terms' and 'features' don't match")
    own = ("w", "b", "features", "target", "inputs", "terms", "levels")
    facts = {key: record[key] for key in record if key not in own}
    return LinearModel(
        tuple(params[:-1]), params[-1], tuple(features), record["target"], expansion, facts
    )


def grouped_of(records: Sequence[object], file: str) -> GroupedModel:
    """The models in a decoded JSON list read from `file`; groups without one are left out.

    Raises
    ------
    GdfitError : it is no list of models by group.
    """

    from gdfit.model.family import GroupedModel, group_name

    def fail(why: str) -> GdfitError:
        return GdfitError(f"is not a model file ({why})", file=file)

    found: dict[Level, LinearModel] = {}
    by, first = "", None
    for record in records:
        group = record.get("group") if isinstance(record, Mapping) else None
        if not isinstance(record, Mapping) or isinstance(group, bool):
            raise fail("its list is of no groups")
        if not isinstance(group, str | int | float) or not isinstance(record.get("by"), str):
            raise fail("a model in its list says no group")
        if record.get("w") is None and isinstance(record.get("status"), str):
            continue
        model = model_of({key: record[key] for key in record if key not in ("by", "group")}, file)
        first, by = first or model, by or record["by"]
        like_first = (model.features, model.target) == (first.features, first.target)
        if record["by"] != by or not like_first or model.expansion != first.expansion:
            what = f"its models are of other columns: {listing(model.features)}"
            raise fail(what)
        if group in found:
            raise fail(f"it has the group {group_name(group)} twice")
        found[group] = model
    if not found:
        raise fail("no group in it has a model")
    if len({isinstance(group, str) for group in found}) > 1:
        raise fail("its groups are texts and numbers")
    return GroupedModel.of(category_of(by, next(iter(found))), found)


def category_of(by: str, group: Level) -> Factor:
    """The category that a file calls `by`, which has this level."""
    from gdfit.data.terms.terms import CALL, CATEGORY, Factor

    call = CALL.fullmatch(by)
    if isinstance(group, str) or call is None:
        return Factor(by, is_category=True, is_text=True)
    function = "" if call[1] == CATEGORY else call[1]
    return Factor(call[2].strip(), function, is_category=True)
