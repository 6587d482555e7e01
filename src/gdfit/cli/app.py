"""The command line as a whole: the commands, their statuses, and errors as one line. Where there is
no such command or option, it ends with the one that is meant: by what other programs call it, or by
what is most like it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from gdfit.cli.groups import examples, grouped
from gdfit.cli.parsers import MistypedError, command_line, named_elsewhere, nearest
from gdfit.cli.process import (
    INTERRUPTED_STATUS,
    UNREAD_STATUS,
    complain,
    note,
    open_streams,
    tune_process,
)
from gdfit.errors import GdfitError, GdfitWarning, listing, printable, quoted
from gdfit.package import __version__

# Each command, and the module that its function is in.
COMMANDS = {
    "train": "train",
    "compare": "compare",
    "path": "series",
    "gradcheck": "commands",
    "graph": "commands",
    "curvature": "commands",
    "predict": "commands",
    "evaluate": "commands",
    "summary": "commands",
    "export": "commands",
    "condense": "commands",
    "page": "commands",
    "check": "marking",
    "make": "marking",
}


DATA_FORMATS = (
    "csv tsv txt dat gz bz2 xz zst zip parquet feather arrow json jsonl ndjson "
    "xlsx xlsm xlsb xls ods dta sas7bdat xpt sav zsav"
)
DATA_ENDINGS = tuple(f".{ending}" for ending in DATA_FORMATS.split())

# What other programs call a command, and an option, by what is typed here.
COMMAND_NAMES = {
    "train": "fit regress regression lm learn run",
    "evaluate": "score test eval validate",
    "summary": "summarize coef ols",
    "predict": "apply forecast",
    "curvature": "hessian eigenvalues",
    "check": "grade mark autograde",
    "make": "generate simulate",
    "path": "lasso ridge elasticnet glmnet regularize",
    "train --plot plot.png": "plot draw show",
}
OPTION_NAMES = {
    "--lr": "learning-rate lrate rate gamma eta eta0 alpha step-size stepsize",
    "--schedule": "scheduler lr-schedule lr-scheduler",
    "--epochs": "iterations iters iter n-iter max-iter steps num-epochs n-epochs",
    "--optimizer": "method algorithm algo solver opt update",
    "--batch-size": "batch batchsize minibatch mini-batch",
    "--loss": "objective criterion cost",
    "--scale standardize": "standardize standardise normalize normalise",
    "--scale": "scaling scaler",
    "--l2": "ridge lambda penalty regularization",
    "--l1": "lasso sparsity sparse",
    "--penalties": "alphas lambdas",
    "--mix": "l1-ratio",
    "--seed": "random-state random-seed rng",
    "--init": "start theta params initial",
    "--tol": "tolerance eps epsilon",
    "--target": "response label outcome dependent y-column",
    "--features": "predictors inputs columns cols",
    "--no-intercept": "no-bias no-constant",
    "--delimiter": "sep separator",
    "--missing": "na na-values nan",
    "--drop-missing": "dropna drop-na",
    "--plot": "figure fig image picture png",
    "--page": "html web",
    "--model": "save save-model output-model",
    "--format json": "json",
    "--format csv": "csv",
    "--format markdown": "markdown md",
    "--format latex": "latex tex",
    "--quiet": "silent",
    "--level": "confidence",
}
# Names of options that are none here, and what to say of them.
WITHOUT_OPTION = {
    "--weight-decay": "half of it is what `l2` takes: λ of λ‖w‖²",
}


def command_of(name: str) -> Callable[..., None]:
    """The function of a command."""
    function: Callable[..., None] = getattr(import_module(f"gdfit.cli.{COMMANDS[name]}"), name)
    return function


def app_for(typed: list[str]) -> typer.Typer:
    """The commands; that which is `typed` alone, as the others take time to import and set up."""
    app = typer.Typer(
        name="gdfit",
        help="Fit linear models by gradient descent, and see every step.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(version)
    asked = [*COMMANDS]
    if typed == ["--version"]:
        asked = []
    elif typed and typed[0] in COMMANDS:
        asked = typed[:1]
    for command in map(command_of, asked):
        app.command(epilog=examples(command))(grouped(command))
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


def note_warning(as_python: Callable[..., None], what: Warning | str, *more: Any) -> None:
    """Show a warning of gdfit's own as a note, and another one `as_python` does."""
    if isinstance(what, GdfitWarning):
        note(str(what))
    else:
        as_python(what, *more)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; every error is one line on standard error. Returns the status."""
    open_streams()
    typed = [*(sys.argv[1:] if arguments is None else arguments)]
    if typed[:1] == ["help"]:
        typed = [*typed[1:2], "--help"]
    try:
        with warnings.catch_warnings():
            # What overflows is told of as such: "diverged", "too large".
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.showwarning = partial(note_warning, warnings.showwarning)
            status = app_for(typed)(typed, prog_name="gdfit", standalone_mode=False, obj=typed)
        sys.stdout.flush()
    except BrokenPipeError:
        status = UNREAD_STATUS
    except SystemExit as end:
        if end.code != 1:  # with which Rich and Typer end where a pipe's reader has gone
            raise
        status = UNREAD_STATUS
    except MistypedError as error:
        status = complain(f"{error}: {error.instead(typed)}", error.status)
    except GdfitError as error:
        status = complain(str(error), error.status)
    except typer.TyperException as error:
        status = error.exit_code
        message = usage_message(error, typed, [*COMMANDS])
        if message:  # there is none where the help has been shown instead
            complain(message, status)
    except MemoryError:
        status = complain("there is not enough memory", status=1)
    except ImportError as error:
        status = complain(f"a library can't be loaded: {error}; install gdfit anew", status=1)
    except OSError as error:
        where = printable(error.filename or "standard output: can't be written")
        status = complain(f"{where}: {error.strerror}", status=1)
    if status == INTERRUPTED_STATUS:
        print("gdfit: interrupted", file=sys.stderr)
    sys.stderr.flush()
    return int(status or 0)


def no_command(words: Sequence[str], commands: Sequence[str]) -> str:
    """What to say where the first of the `words` typed is none of the `commands`."""
    from gdfit.data.sources.stores import scheme_of

    word, *rest = words
    if scheme_of(word) or word.endswith(DATA_ENDINGS) or word == "-" or Path(word).is_file():
        return f"{quoted(word)} is no command but data: {command_line(['train', *words])}"
    what = f"No such command {quoted(word)}; "
    if here := named_elsewhere(word.casefold(), COMMAND_NAMES):
        return f"{what}type {command_line([here[0], *(rest or ['DATA']), *here[1:]])}"
    if near := nearest(word.casefold(), commands):
        return f"{what}the nearest is {near}: {command_line([near, *rest])}"
    return f"{what}there are {listing(tuple(commands), len(commands))}"


def no_option(name: str, words: Sequence[str], options: Sequence[str]) -> str:
    """What to say where an option of this `name` was typed that is none of the command's
    `options`."""
    # Of -lr, the parser has seen the first letter.
    typed = name if name.startswith("--") else next(filter(is_one_dash, words), name)
    what, called = f"No such option: {typed}", typed.strip("-").replace("_", "-").casefold()
    if why := WITHOUT_OPTION.get(f"--{called}"):
        return f"{what}; {why}"
    here = [f"--{called}"] if f"--{called}" in options else named_elsewhere(called, OPTION_NAMES)
    how = "it is called"
    if not here or here[0] not in options:
        near = nearest(called, [option[2:] for option in options if option.startswith("--")])
        here, how = [f"--{near}"] if near else [], "the nearest is"
    if not here:
        return what + see_help(words)
    changed = []
    for word in words:
        option, equals, value = word.partition("=")
        changed += [*here, *([value] if equals else [])] if option == typed else [word]
    return f"{what}; {how} {' '.join(here)}: {command_line(changed)}"


def see_help(words: Sequence[str]) -> str:
    """Where the options of the command are told that was typed."""
    return f" (see {command_line([*[word for word in words[:1] if word in COMMANDS], '--help'])})"


def is_one_dash(word: str) -> bool:
    """Whether a word looks like an option of more than one letter with a single dash."""
    return len(word) > 2 and word[0] == "-" and word[1:2].isalpha()


def usage_message(error: Any, words: Sequence[str], commands: Sequence[str]) -> str:
    """What Typer's `error` is about the `words` typed, in one line that ends with what to type."""
    if type(error).__name__ == "NoSuchOption":
        params = error.ctx.command.params
        options = [name for each in params for name in (*each.opts, *each.secondary_opts)]
        return no_option(error.option_name, words, options)
    if words and not words[0].startswith("-") and words[0] not in commands:
        return no_command(words, commands)
    message = " ".join(error.format_message().split()).rstrip(".")
    if type(error).__name__ == "MissingParameter" and error.param.param_type_name == "option":
        message += f": {error.param.metavar}"
    return message and message + see_help(words)
