"""What a Python program hands over: observations, or what they are made of. What makes them is
imported where there is something to make."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, TypedDict, Unpack, cast

from gdfit.data.observations import Like, Observations, a_kind
from gdfit.errors import UsageError, listing


def observed_inputs(observations: Observations) -> tuple[str, ...]:
    """The columns that observations were made of."""
    made_of = observations.expansion
    return made_of.inputs if made_of else observations.features


class DataOptions(TypedDict, total=False):
    """The arguments of `observations_from`, beside x and y."""

    features: Sequence[str] | str | None
    target: str | None
    exclude: Sequence[str] | str
    degree: int
    weights: Any
    intercept: bool
    classes: bool
    positive: Any
    by: Any
    drop_missing: bool
    dates: str | None
    like: Like | None


def observed(x: Any, y: Any = None, **how: Unpack[DataOptions]) -> Observations:
    """The observations `x`; or those that `observations_from` makes of x and y.

    Raises
    ------
    UsageError : x are observations, and something more is said of them.
    """
    if not isinstance(x, Observations):
        from gdfit.data.in_memory import observations_from

        return observations_from(x, y, **how)
    if y is not None or how:
        more = listing(tuple(f"`{name}`" for name in how)) or "y"
        raise UsageError(f"observations have been made: {more} belongs to what makes them")
    return x


def with_folds(
    x: Any, y: Any, folds: int, seed: int = 0, **how: Unpack[DataOptions]
) -> tuple[Observations, list[Observations]]:
    """The observations, and those of each fold.

    Raises
    ------
    UsageError : they have been condensed already, or are fewer than the folds.
    """
    if isinstance(x, Observations):
        raise UsageError("`cv` takes the rows themselves, and observations have been made of them")
    from gdfit.data.in_memory import in_folds

    return in_folds(x, y, folds, seed, **how)


def with_validation(
    x: Any, y: Any, validation: Any, seed: int = 0, **how: Unpack[DataOptions]
) -> tuple[Observations, Observations | None]:
    """The observations to descend on, and those to validate on.

    Parameters
    ----------
    x, y, how : as `observed` takes them.
    validation : observations; a fraction of the rows to hold out, between 0 and 1, which are those
        that the command line holds out of a file of these rows of 2 MB at most; a DataFrame like x,
        or a pair of arrays like x and y; or none.
    seed : which rows are held out comes from it.

    Raises
    ------
    UsageError : the fraction is out of range, or of rows that have been condensed.
    """
    if isinstance(validation, Real):
        if isinstance(x, Observations):
            raise UsageError(
                "`validation` takes a fraction where rows are given, and observations have been "
                "made of them: split them before, or hand over the rows themselves"
            )
        fraction = float(validation)
        if not 0 < fraction < 1:
            raise UsageError(f"`validation` takes a fraction between 0 and 1, not {fraction:g}")
        from gdfit.data.in_memory import held_out

        return held_out(x, y, fraction, seed, **how)
    observations = observed(x, y, **how)
    if validation is None or isinstance(validation, Observations):
        return observations, validation
    from gdfit.data.in_memory import observations_from
    from gdfit.data.sources.frames import is_frame

    frame = is_frame(validation)
    if not frame and not (isinstance(validation, tuple) and len(validation) == 2):
        raise UsageError(
            "`validation` takes observations, a fraction of the rows, a DataFrame, or arrays x and "
            f"y as (x, y), not {a_kind(validation)}"
        )
    alike = {name: how[name] for name in ("drop_missing", "dates") if name in how}
    other = cast(DataOptions, {"like": observations, **alike})
    if frame:
        there = y if isinstance(y, str) else how.get("target") or observations.target_name
        return observations, observations_from(validation, there, **other)
    if not is_frame(validation[0]):
        other["features"] = observed_inputs(observations)
    other["target"] = observations.target_name
    return observations, observations_from(*validation, **other)
