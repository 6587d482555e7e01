"""Options in groups: one param of a command is a value of a dataclass, made of several options.

The dataclass says what the options are called, their types and their defaults; the `Group` says how
they look in a shell.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_args, get_type_hints

import typer

from gdfit.errors import UsageError


def option(tells: str, *names: str, read: Callable[[str], Any] | None = None, **more: Any) -> Any:
    """An option; `read` makes its value of its text, and raises `UsageError` for what it is not."""
    return typer.Option(*names, help=tells, parser=read, **more)


@dataclass(frozen=True)
class Group:
    """Options that make one value: for each panel of the help, its options by their names."""

    panels: Mapping[str, Mapping[str, Any]]

    def params(self, kind: type) -> Iterator[inspect.Parameter]:
        """A param for each option; `kind` is the dataclass."""
        hints = get_type_hints(kind)
        defaults = {field.name: field.default for field in fields(kind)}
        for panel, options in self.panels.items():
            for name, declared in options.items():
                shown = copy(declared)
                shown.rich_help_panel = panel
                if hints[name] is bool and not shown.param_decls:
                    shown.param_decls = (f"--{name.replace('_', '-')}",)
                yield param(name, hints[name], shown, defaults[name])


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """`command` as Typer is to see it: with an option in place of each member of a group."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, tuple[type, set[str]]] = {}
    params = []
    for own in signature.parameters.values():
        kind, *notes = get_args(own.annotation)
        if isinstance(notes[0], Group):
            members = list(notes[0].params(kind))
            groups[own.name] = kind, {member.name for member in members}
            params += members
        else:
            params.append(param(own.name, kind, notes[0], own.default))

    def call(**values: Any) -> None:
        for name, (kind, members) in groups.items():
            values[name] = kind(**{member: values.pop(member) for member in members})
        command(**values)

    call.__name__, call.__doc__ = command.__name__, command.__doc__
    # Typer reads both.
    call.__annotations__ = {param.name: param.annotation for param in params}
    call.__dict__["__signature__"] = inspect.Signature(params)
    return call


def param(name: str, kind: Any, declared: Any, default: Any) -> inspect.Parameter:
    """A param of a command, as Typer reads it."""
    if declared.parser:
        declared = copy(declared)
        declared.parser = named(name, declared.parser)
        # Typer is not to look into what the parser makes.
        kind = list[Any] | None if get_args(kind)[:1] and default is None and is_list(kind) else Any
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, declared],
    )


def is_list(kind: Any) -> bool:
    """Whether an option of this kind may be repeated."""
    return any(getattr(part, "__origin__", None) is list for part in get_args(kind))


def named(name: str, read: Callable[[str], Any]) -> Callable[[Any], Any]:
    """`read`, with the option's name in its errors; a default is no text, and stays as it is."""

    def parser(value: Any) -> Any:
        try:
            return read(value) if isinstance(value, str) else value
        except UsageError as error:
            raise UsageError(f"`{name}` {error}") from None

    parser.__name__ = name
    return parser
