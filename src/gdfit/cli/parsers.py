"""Parsers of options' texts: each says what it takes where a text is something else, and what to
type in its place, where that can be told; its caller says which option it is of. Names of columns
are completed in a shell.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Literal

import typer

from gdfit.data.text.fields import WHITE_SPACE, WHOLE, Grammar, content, records
from gdfit.data.text.spellings import find_spelling
from gdfit.descent.own import OWN_METAVAR, read_own
from gdfit.errors import GdfitError, UsageError, quoted

OF_ONE_RUN = ("-q", "--quiet", "--no-model", "--chart", "--leap")
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+", re.ASCII)
# What other programs call a value of an option, by what it is called here.
VALUE_NAMES = {
    "gd": "sgd bgd gradient_descent",
    "momentum": "heavy_ball heavyball polyak",
    "nesterov": "nag",
    "steepest": "steepest_descent line_search exact",
    "cg": "conjugate_gradient conjugate_gradients",
    "inverse": "invscaling inverse_scaling",
    "cosine": "cosine_annealing",
    "step": "steps",
    "exponential": "exp",
    "mse": "l2 ols squared squared_error mean_squared_error least_squares",
    "mae": "l1 lad absolute_error mean_absolute_error",
    "standardize": "standard standardized standardise zscore z_score",
    "whiten": "whitened whitening pca",
    "none": "no off raw",
    "autograd": "torch pytorch autodiff",
    "manual": "numpy by_hand analytic",
}


class MistypedError(UsageError):
    """A value that an option does not take, of which there is another to type.

    Parameters
    ----------
    message : what the option takes.
    value : what to type in place of the value.
    command : the command to type it after, if that is another one.
    name, typed : of the option, and its value as it was typed, once they are known.
    """

    def __init__(
        self, message: str, value: str, command: str = "", *, name: str = "", typed: str = ""
    ) -> None:
        super().__init__(message)
        self.value, self.command, self.name, self.typed = value, command, name, typed

    def of(self, name: str, typed: str) -> MistypedError:
        """The same error, of the option of this name."""
        told = f"`{name}` {self}"
        return MistypedError(told, self.value, self.command, name=name, typed=typed)

    def instead(self, words: Sequence[str]) -> str:
        """What to type in place of these words."""
        option, changed = f"--{self.name.replace('_', '-')}", [*words]
        for place, word in enumerate(words):
            if word == f"{option}={self.typed}":
                changed[place] = f"{option}={self.value}"
            elif word == self.typed and place and words[place - 1] == option:
                changed[place] = self.value
        if self.command:  # which has no flags of what is printed and kept of one run
            changed = [self.command, *(word for word in changed[1:] if word not in OF_ONE_RUN)]
        return command_line(changed)


def command_line(words: Iterable[str]) -> str:
    """A command as a shell takes it."""
    return shlex.join(["gdfit", *words])


def nearest(name: str, names: Iterable[str]) -> str | None:
    """That of the `names` which is most like this one, if there is any like it."""
    found = get_close_matches(name, list(names), n=1)
    return found[0] if found else None


def named_elsewhere(name: str, elsewhere: Mapping[str, str]) -> list[str]:
    """What is typed here for what others call by this name, if there is anything."""
    return next((here.split() for here in elsewhere if name in elsewhere[here].split()), [])


def takes(parse: Callable[[str], Any], text: str) -> bool:
    """True where `parse` takes the text."""
    try:
        parse(text)
    except UsageError:
        return False
    return True


def parse_delimiter(text: str) -> str:
    """A delimiter, or what it is called."""
    return {"\\t": "\t", "tab": "\t", "space": WHITE_SPACE, " ": WHITE_SPACE}.get(text, text)


def plain_number(text: str) -> float:
    """A number in ASCII digits, without the underscores that Python takes among them.

    Raises
    ------
    ValueError : it is none.
    """
    if "_" in text or not text.isascii():
        raise ValueError
    return float(text)


def parse_number(text: str) -> float:
    """A number, as a file has it."""
    try:
        return plain_number(text)
    except ValueError:
        what, pointed = f"takes a number, not {quoted(text)}", text.replace(",", ".")
        if text.count(",") == 1 and takes(parse_number, pointed):
            raise MistypedError(f"{what}; its decimal mark is a point", pointed) from None
        raise UsageError(what) from None


def parse_level(text: str) -> float:
    """A level of an interval, between 0 and 1."""
    level = parse_number(text)
    if 0 < level < 1:
        return level
    what = f"takes a number between 0 and 1, as 0.95, not {text}"
    raise MistypedError(what, f"{level / 100:g}") if 1 < level < 100 else UsageError(what)


def parse_whole(text: str, least: int = 0) -> int:
    """A whole number from `least` on, also as 1e6."""
    if THOUSANDS.fullmatch(text):
        bare = text.replace(",", "")
        raise MistypedError(f"takes a whole number without commas, not {quoted(text)}", bare)
    value = parse_number(text)
    if not value.is_integer():
        raise UsageError(f"takes a whole number, not {quoted(text)}")
    if value < least:
        raise UsageError(f"takes a number from {least} on, not {quoted(text)}")
    if value >= WHOLE:
        raise UsageError(f"takes a number below 2^53, some 9e15, not {quoted(text)}")
    return int(value)


# A whole number from 1 on, also as 1e6.
parse_positive = partial(parse_whole, least=1)


def parse_batch_size(text: str) -> int | None:
    """A batch size, or all rows."""
    return None if text == "all" else parse_positive(text)


def parse_several(parse: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """A parser of ``A,B``, each value as `parse` takes it."""
    return lambda text: tuple(parse(part.strip()) for part in text.split(","))


def parse_starts(text: str) -> tuple[str, ...]:
    """Starts ``A,B``, or the params of one, ``W,…,B``, or its file."""
    if takes(parse_numbers, text) or Path(text).is_file():
        return (text,)
    return parse_several(str)(text)


def parse_rate(text: str) -> float | Literal["auto"]:
    """A learning rate."""
    rates = text.split(",")
    if len(rates) > 1 and all(takes(parse_rate, rate) and rate.strip("0") for rate in rates):
        what = f"takes one learning rate, not {quoted(text)}; compare takes several"
        raise MistypedError(what, text, "compare")
    return "auto" if text.casefold() == "auto" else parse_number(text)


def parse_numbers(text: str) -> tuple[float, ...]:
    """The finite numbers in ``V[,V…]``."""
    return finite_numbers(text.split(","))


def finite_numbers(texts: Sequence[str]) -> tuple[float, ...]:
    """The finite numbers that are written in `texts`."""
    try:
        values = tuple(map(plain_number, texts))
    except ValueError:
        values = (math.nan,)
    if not all(map(math.isfinite, values)):
        raise UsageError(f"takes finite numbers V[,V…], not {quoted(','.join(texts))}")
    return values


def exact_number(text: str) -> float:
    """A finite number in any spelling that a file may have, with all its digits where it is a whole
    one that float64 may not have."""
    said = text.strip()
    spelling, doubt = find_spelling([said])
    if spelling and not doubt:
        said = spelling.digits(said.encode()).decode()
    (value,) = finite_numbers([said])
    return value if abs(value) < WHOLE else Grammar(",").exact(said.encode())


def parse_betas(text: str) -> tuple[float, float]:
    """The two numbers in ``B1,B2``."""
    values = parse_numbers(text)
    if len(values) != 2:
        raise UsageError(f"takes two numbers, B1,B2, not {quoted(text)}")
    return values[0], values[1]


def parse_choice(names: Sequence[str], *, own: bool = False) -> Callable[[str], Any]:
    """A parser of one of the `names`, in any case, also by what other programs call it; or of one's
    `own` function."""

    def plain(text: str) -> str:
        return text.strip().casefold().replace("-", "_").replace(" ", "_")

    name_of = {plain(name): name for name in names}

    def parse(text: str) -> Any:
        if own and (text.endswith(".py") or ".py:" in text):
            return read_own(text)
        said = plain(text)
        for known in (said, *named_elsewhere(said, VALUE_NAMES)):
            if known in name_of:
                return name_of[known]
        *first, last = [*names, OWN_METAVAR] if own else names
        what = f"takes {', '.join(first)} or {last}, not {quoted(text)}"
        near = nearest(said, names)
        raise MistypedError(what, near) if near else UsageError(what)

    return parse


def parse_held_out(text: str) -> float | str:
    """The fraction of the rows to hold out, or the file to validate on."""
    is_number, is_like_one = (takes(parse_number, said) for said in (text, text.replace(",", ".")))
    if not is_number and (Path(text).exists() or not is_like_one):
        return text
    fraction = parse_number(text)
    if not 0 < fraction < 1:
        raise UsageError(f"takes a fraction between 0 and 1, or a file, not {text}")
    return fraction


def parse_epochs(text: str) -> tuple[range, ...]:
    """The epochs in ``1,2-5,10``, also as 1e6, or ``all``."""
    if text.strip().casefold() == "all":
        return (range(1, WHOLE),)
    try:
        parts = [[*map(parse_positive, part.split("-"))] for part in text.split(",")]
    except UsageError:
        parts = []
    if not parts or not all(len(part) <= 2 and part[0] <= part[-1] for part in parts):
        raise UsageError(f"takes epochs from 1 on, as in 1,2-5,10, or all, not {quoted(text)}")
    return tuple(range(part[0], part[-1] + 1) for part in parts)


def csv_fields(text: str, what: str) -> tuple[str, ...]:
    """The fields of a line of CSV, which are `what` the option takes: none of them is empty."""
    grammar = Grammar(",")
    rows = [row.fields for row in records(text.encode(), grammar)]
    found = [content(field, grammar).decode() for row in rows for field in row]
    if len(rows) != 1 or not all(found):
        raise UsageError(f"takes {what}, not {quoted(text)}")
    return tuple(found)


# The names in ``A,B``; one with a comma stands in quotes, as in CSV.
parse_names = partial(csv_fields, what="names, A,B")
# The values in ``V[,V…]``, numbers or levels; one with a comma stands in quotes.
parse_values = partial(csv_fields, what="values V[,V…]")


def expanded_files(paths: list[str] | None) -> list[str] | None:
    """The files that were typed, with those that match for each ``*``."""
    if not paths:
        return paths
    from gdfit.data.sources.stores import expanded

    return list(expanded(tuple(paths)))


def complete_sheet(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The names of the sheets of the first workbook on the command line that begin with what is
    typed."""
    from gdfit.data.formats.programs import sheet_names

    for path in files_typed(ctx)[:1]:
        with suppress(GdfitError, OSError):
            yield from (name for name in sheet_names(path) if name.startswith(incomplete))


def files_typed(ctx: typer.Context) -> list[str]:
    """The files among the arguments on the command line."""
    # Before an option whose value is still to come, files are arguments that nobody has taken yet.
    return [file for file in ctx.params.get("data") or ctx.args if Path(file).is_file()]


def column_names(ctx: typer.Context) -> tuple[str, ...]:
    """The columns of the first of the files on the command line, by its first lines; none where
    it can't be read."""
    from gdfit.data.formats.formats import open_file
    from gdfit.data.text.dialect import Dialect

    names = ("delimiter", "decimal", "thousands", "skip", "comment", "sheet")
    said = {name: ctx.params[name] for name in names if ctx.params.get(name)}
    try:
        with open_file(files_typed(ctx)[0], Dialect(**said)) as file:
            return file.layout.names
    except (GdfitError, OSError, IndexError):
        return ()


def complete_name(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The names that begin with what is typed."""
    return (name for name in column_names(ctx) if name.startswith(incomplete))


def complete_names(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The names that go on what is typed, ``A,B``, and are not in it yet."""
    *before, last = incomplete.split(",")
    for name in column_names(ctx):
        if name.startswith(last) and name not in before:
            yield ",".join([*before, name])
