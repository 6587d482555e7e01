"""Options in groups: one param of a command is a value of a dataclass, made of several options.

The dataclass says what the options are called, their types and their defaults; the group says how
they look in a shell. A command that asks for what was `Typed` can tell options that were given from
defaults, and say what to type next.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from inspect import Parameter, Signature
from itertools import chain
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import typer

from gdfit.cli import parsers
from gdfit.cli.parsers import MistypedError, command_line
from gdfit.cli.process import note
from gdfit.data.text.dialect import Selection
from gdfit.descent.own import DERIVATIVE_BESIDE, OWN_METAVAR, Own
from gdfit.descent.settings import Settings, check_effect
from gdfit.errors import GdfitError, UsageError

TYPED = ("COMMANDLINE", "PROMPT")
ADDED_UP = ("exclude", "missing")  # options of which one more says more
OF_A_MODEL = [
    "model",
    "format",
    "level",
    "residuals",
    "classes",
    "threshold",
    "interval",
    "confidence",
]
OF_A_MODEL += ["robust", "cluster", "against", "refine"]  # options that would not go with train


def option(tells: str, *names: str, read: Callable[[str], Any] | None = None, **more: Any) -> Any:
    """An option; `read` makes its value of its text, and raises `UsageError` for what it is not."""
    return typer.Option(*names, help=tells, parser=read, **more)


# Options by their names: those of a dataclass's fields, all or some.
Group = dict[str, Any]


def panel(title: str, **options: Any) -> Group:
    """A group that stands under a title of its own in the help."""
    group = {name: copy(declared) for name, declared in options.items()}
    for declared in group.values():
        declared.rich_help_panel = title
    return group


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """`command` as Typer is to see it: with an option in place of each member of a group.

    An option whose value is a tuple of any length may be repeated, and adds up. A param that is
    called `typed` gets the command line.
    """
    asked = dict(inspect.signature(command, eval_str=True).parameters)
    wants_typed = asked.pop("typed", None)
    groups: dict[str, tuple[type, dict[str, Any]]] = {}  # and the types of their options
    params = [Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    for own in asked.values():
        kind, declared = get_args(own.annotation)
        if isinstance(declared, dict):
            # Each option has the type and the default of the field of its name.
            hints = get_type_hints(kind)
            params += [
                param(each, hints[each], declared[each], getattr(kind, each)) for each in declared
            ]
            groups[own.name] = kind, {each: hints[each] for each in declared}
        else:
            params.append(param(own.name, kind, declared, own.default))

    flags = frozenset(each.name for each in params if get_args(each.annotation)[:1] == (bool,))

    def call(context: typer.Context, **values: Any) -> None:
        if wants_typed:
            sources = {name: context.get_parameter_source(name) for name in values}
            given = {name for name, source in sources.items() if source and source.name in TYPED}
            values["typed"] = Typed(context.obj, frozenset(given), flags)
        for name, (kind, options) in groups.items():
            chosen = {option: values.pop(option) for option in options}
            for option in [each for each in options if collected_in(options[each]) is tuple]:
                parts = chosen.pop(option)
                if parts:  # else the default
                    chosen[option] = tuple(chain.from_iterable(parts))
            values[name] = kind(**chosen)
        try:
            command(**values)
        except GdfitError as error:
            typed, own = Typed(context.obj, frozenset(), flags), {each.name for each in params}
            ways = [
                typed.again(changes)
                for changes in (error.changes, error.or_changes)
                if changes and {name.replace("-", "_") for name in changes} <= own
            ]
            if not ways:  # this command has no such option
                raise
            raise error.saying(f": {' or '.join(ways)}") from None

    call.__name__, call.__doc__ = command.__name__, documented(command)[0]
    # Typer reads both.
    call.__annotations__ = {param.name: param.annotation for param in params}
    call.__dict__["__signature__"] = Signature(params)
    return call


def documented(command: Callable[..., None]) -> tuple[str, list[str]]:
    """What a command's docstring says of it, and its examples, line by line."""
    text, _, lines = inspect.cleandoc(command.__doc__ or "").partition("\n\nExamples\n--------\n")
    return text, lines.splitlines()


def examples(command: Callable[..., None]) -> str:
    """What stands below the options in the help of a command."""
    lines = documented(command)[1]
    return "\n".join(["Examples:", *lines]) if lines else ""


def param(name: str, kind: Any, declared: Any, default: Any) -> Parameter:
    """A param of a command, as Typer reads it."""
    declared = copy(declared)
    if kind is bool and not declared.param_decls:
        declared.param_decls = (f"--{name.replace('_', '-')}",)
    parts, names = (kind, *get_args(kind)), names_in(kind)
    if names and not declared.parser:
        own = Own in parts
        declared.parser = parsers.parse_choice(names, own=own)
        declared.metavar = "|".join((*names, OWN_METAVAR) if own else names)
        declared.autocompletion = lambda: [*names]
    elif float in parts and not declared.parser:
        declared.parser, declared.metavar = parsers.parse_number, "NUMBER"
    if declared.parser:
        first = declared.default  # of the names that are given, as Typer has it
        called = first.strip("-") if isinstance(first, str) else name
        declared.parser = with_option_name(called, declared.parser)
        # Typer is not to look into what the parser makes.
        kind = list[Any] | None if collected_in(kind) else Any
    annotation = Annotated[kind, declared]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def names_in(kind: Any) -> tuple[str, ...]:
    """The names of a Literal that a value of this kind may be of, if there is one."""
    parts = (kind, *get_args(kind))
    return next((get_args(part) for part in parts if get_origin(part) is Literal), ())


def collected_in(kind: Any) -> type | None:
    """A list, where an option of this kind may be repeated; a tuple, where it may be, too, and all
    that it says is one."""
    parts = (kind, *get_args(kind))
    if any(get_origin(part) is list for part in parts):
        return list
    return tuple if any(... in get_args(part) for part in parts) else None


def with_option_name(name: str, read: Callable[[str], Any]) -> Callable[[Any], Any]:
    """`read`, with the option's name in its errors; a default is no text, and stays as it is."""

    def parser(value: Any) -> Any:
        try:
            return read(value) if isinstance(value, str) else value
        except MistypedError as error:
            raise error.of(name, value) from None
        except UsageError as error:
            raise UsageError(f"`{name}` {error}") from None

    parser.__name__ = name
    return parser


class Typed(NamedTuple):
    """A command line.

    arguments : as they were typed, the command first.
    given : the names of the options that stand among them.
    flags : the names of the command's options that take no value.
    """

    arguments: Sequence[str]
    given: frozenset[str]
    flags: frozenset[str] = frozenset()

    def again(self, changes: Mapping[str, str]) -> str:
        """The command line as a shell takes it, with other values for some options, or without
        those that have none."""
        return command_line(self.changed(changes))

    def changed(self, changes: Mapping[str, str]) -> list[str]:
        """The arguments with other values for some options, or without those that have none; a flag
        has any value that is not empty."""
        kept: list[str] = []
        words = iter(self.arguments)
        for word in words:
            name, equals, _ = word.partition("=")
            called = name.removeprefix("--") if name.startswith("--") else ""
            if called not in changes or (changes[called] and called in ADDED_UP):
                kept.append(word)
            elif not equals and called.replace("-", "_") not in self.flags:
                next(words, None)  # its value
        for name, value in changes.items():
            is_flag = name.replace("-", "_") in self.flags
            kept += [f"--{name}", *([] if is_flag else [value])] if value else []
        return kept

    def refuse(self, name: str, why: str, *, unless: bool) -> None:
        """Raise for an option that was given and has no effect."""
        if name in self.given and not unless:
            raise UsageError(f"`{name}` has no effect here: it {why}")


def check_settings(typed: Typed, *runs: Settings, validated: bool) -> None:
    """Raise for settings of a run that are out of range, or have no effect on any of the runs."""
    for settings in runs:
        settings.check(validated=validated)
        settings.with_backend(settings.backend if "backend" in typed.given else None)
    if alone := [str(run.loss) for run in runs if run.is_by_autograd_alone]:
        note(f"the derivative of {alone[0]} is autograd's, for want of {DERIVATIVE_BESIDE}")
    check_effect(typed.given, *runs)


def for_losses(columns: Selection, typed: Typed, *runs: Settings) -> Selection:
    """The columns as the losses of some runs take them: with a target of two classes, or not."""
    from gdfit.descent.losses import loss_of

    classes = any(loss_of(settings).has_classes for settings in runs)
    typed.refuse("positive", "is for a loss of two classes, as `loss` logistic", unless=classes)
    return replace(columns, classes=classes)
