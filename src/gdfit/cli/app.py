"""The command line as a whole: the commands, their statuses, and errors as one line."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated

import typer

from gdfit.cli.commands import curvature, evaluate, export, gradcheck, graph, predict, summary
from gdfit.cli.compare import compare
from gdfit.cli.groups import grouped
from gdfit.cli.process import (
    INTERRUPTED_STATUS,
    UNREAD_STATUS,
    complain,
    open_streams,
    tune_process,
)
from gdfit.cli.train import train
from gdfit.errors import GdfitError
from gdfit.package import __version__

COMMANDS = (train, compare, gradcheck, graph, curvature, predict, evaluate, summary, export)


def app_for(typed: list[str]) -> typer.Typer:
    """The commands; that which is `typed` alone, as those not asked for take 10 ms to set up."""
    app = typer.Typer(
        name="gdfit",
        help="Fit linear models by gradient descent, and see every step.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(version)
    for command in [each for each in COMMANDS if each.__name__ in typed[:1]] or COMMANDS:
        app.command()(grouped(command))
    return app


def version(
    asked: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if asked:
        print(f"gdfit {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line as a process of its own, and leave with its status."""
    try:
        tune_process()
        status = run()
    except SystemExit as end:
        status = int(end.code or 0)
    except KeyboardInterrupt:
        status = INTERRUPTED_STATUS
    # Taking pandas and torch down module by module takes longer than training does.
    os._exit(status)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; every error is one line on standard error. Returns the status."""
    open_streams()
    try:
        with warnings.catch_warnings():
            # What overflows is told of as such: "diverged", "too large".
            warnings.simplefilter("ignore", RuntimeWarning)
            typed = sys.argv[1:] if arguments is None else arguments
            status = app_for(typed)(typed, prog_name="gdfit", standalone_mode=False, obj=typed)
        sys.stdout.flush()
    except BrokenPipeError:
        status = UNREAD_STATUS
    except SystemExit as end:
        if end.code != 1:  # with which Rich and Typer end where a pipe's reader has gone
            raise
        status = UNREAD_STATUS
    except GdfitError as error:
        status = complain(str(error), error.status)
    except typer.TyperException as error:
        status = error.exit_code
        message = " ".join(error.format_message().split()).rstrip(".")
        if message:  # there is none where the help has been shown instead
            complain(f"{message} (see gdfit --help)", status)
    except MemoryError:
        status = complain("there is not enough memory", status=1)
    except OSError as error:
        where = error.filename or "standard output"
        status = complain(f"{where}: can't be written: {error.strerror}", status=1)
    if status == INTERRUPTED_STATUS:
        print("gdfit: interrupted", file=sys.stderr)
    sys.stderr.flush()
    return int(status or 0)
