"""The reference: every command and option, as they are declared, in docs/options.md and in the man
page docs/gdfit.1.

``python tests/test_reference.py`` writes both.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import Any

import pytest
from typer.main import get_command

from conftest import ROOT, Gdfit
from gdfit.cli.app import COMMANDS, app_for, command_of
from gdfit.cli.groups import documented
from gdfit.cli.process import DIVERGED_STATUS, INTERRUPTED_STATUS, UNREAD_STATUS
from gdfit.errors import GdfitError, UsageError
from gdfit.package import __version__

PAGE = ROOT / "docs" / "options.md"
MAN_PAGE = ROOT / "docs" / "gdfit.1"

HELP = """\
`gdfit COMMAND --help`, or `-h`, tells what stands here of a command. Options may stand before DATA
and after it. One that has no effect on what is asked for is wrong usage."""
STATUSES = {
    0: "All is done.",
    GdfitError.status: "The data or the model can't be used; gradcheck and check: a difference.",
    UsageError.status: "Wrong usage.",
    DIVERGED_STATUS: "The run diverged, and no model was written.",
    INTERRUPTED_STATUS: "Ended by Ctrl-C.",
    UNREAD_STATUS: "Whoever read the output has gone.",
}
VARIABLES = {"GDFIT_MODEL": "Where the model is, for want of --model."}


@dataclass(frozen=True)
class Entry:
    """An argument or an option.

    names : how it is typed, at least one.
    value : what its value is called; of a flag empty.
    tells : what its help says.
    default : the value that it has if it is not given, or that one is needed.
    """

    names: tuple[str, ...]
    value: str
    tells: str
    default: str

    @property
    def long_names(self) -> list[str]:
        """Those of an option that are words."""
        return [name for name in self.names if name.startswith("--")]


@dataclass
class Described:
    """A command.

    usage : its command line.
    tells : what its help says.
    examples : its command lines in the help.
    own : the options that stand under no title.
    titled : the options under each title.
    """

    usage: str
    tells: str
    examples: list[str]
    own: list[Entry] = field(default_factory=list)
    titled: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))


def entry(declared: Any) -> Entry:
    """What Typer's param says of itself; of a flag that is on by default, how to turn it off."""
    flag = declared.param_type_name == "option" and declared.is_flag
    names = (*declared.opts, *declared.secondary_opts)
    if declared.param_type_name == "argument":
        names = (declared.metavar,)
    elif flag and declared.default is True:
        names = (*declared.secondary_opts,)
    value = "" if flag or names == (declared.metavar,) else declared.metavar or "NUMBER"
    default = declared.default
    if declared.required:
        default = "required"
    elif isinstance(declared.show_default, str):
        default = declared.show_default
    elif flag or default in (None, ()):
        default = ""
    elif isinstance(default, float):
        default = f"{default:g}"
    return Entry(names, value, declared.help, str(default))


def all_described() -> dict[str, Described]:
    """The commands by their names, in the order of the help."""
    group: Any = get_command(app_for([]))
    described = {}
    for name in COMMANDS:
        params = group.commands[name].params
        arguments = [each.metavar for each in params if each.param_type_name == "argument"]
        usage = " ".join(["gdfit", name, "[OPTIONS]", *arguments])
        this = described[name] = Described(usage, *documented(command_of(name)))
        for each in params:
            title = getattr(each, "rich_help_panel", None)
            (this.titled[title] if title else this.own).append(entry(each))
    return described


def under_titles(commands: dict[str, Described]) -> Iterator[tuple[str, list[tuple[Entry, str]]]]:
    """The options under each title, and which commands they are for where others have another one
    of that name."""
    titles = dict.fromkeys(title for command in commands.values() for title in command.titled)
    for title in titles:
        users: dict[Entry, list[str]] = defaultdict(list)
        for name, command in commands.items():
            for each in command.titled.get(title, []):
                users[each].append(name)
        called = [each.names for each in users]
        yield (
            title,
            [
                (each, "" if called.count(each.names) == 1 else ", ".join(users[each]))
                for each in sorted(users, key=lambda each: called.index(each.names))
            ],
        )


def anchor(title: str) -> str:
    """The address of a title within its page."""
    return f"#{title.lower().replace(' ', '-')}"


def markdown() -> str:
    """The page of the docs."""
    commands = all_described()
    lines = ["# Commands and options", ""]
    lines += [f"All that gdfit {__version__} takes, as the source declares it. {HELP}"]
    lines += ["pip installs this page for `man gdfit`, too: [gdfit.1](gdfit.1).", ""]
    lines += ["| command | |", "| --- | --- |"]
    lines += [f"| [{name}](#gdfit-{name}) | {each.tells} |" for name, each in commands.items()]
    for name, command in commands.items():
        lines += ["", f"## gdfit {name}", "", command.tells, "", f"    {command.usage}", ""]
        lines += table([(each, "") for each in command.own])
        for title, entries in command.titled.items():
            names = " ".join(f"`{name}`" for each in entries for name in each.long_names)
            lines += [f"- [{title}]({anchor(title)}): {names}"]
        lines += [""] if command.titled else []
        lines += ["For example:", "", *(f"    {line}" for line in command.examples)]
    for title, rows in under_titles(commands):
        lines += ["", f"## {title}", "", *table(rows)[:-1]]
    lines += ["", "## Exit status", "", "| status | |", "| ---: | --- |"]
    lines += [f"| {status} | {tells} |" for status, tells in STATUSES.items()]
    lines += ["", "## Environment", "", "| variable | |", "| --- | --- |"]
    lines += [f"| `{name}` | {tells} |" for name, tells in VARIABLES.items()]
    return "\n".join(lines) + "\n"


def table(entries: Sequence[tuple[Entry, str]]) -> list[str]:
    """A table of options, and an empty line."""
    if not entries:
        return []
    lines = ["| option | | default |", "| --- | --- | --- |"]
    for each, users in entries:
        typed = " ".join(f"`{barred(part)}`" for part in (*each.names, each.value) if part)
        tells = f"For {users}: {each.tells}" if users else each.tells
        lines.append(f"| {typed} | {barred(tells)} | {each.default} |".replace("  ", " "))
    return [*lines, ""]


def barred(text: str) -> str:
    """A text in a table, where a bar would end a column."""
    return text.replace("|", "\\|")


def man() -> str:
    """The man page."""
    commands = all_described()
    lines = [f'.TH GDFIT 1 "" "gdfit {__version__}" "User Commands"', ".SH NAME"]
    lines += [r"gdfit \- fit linear models by gradient descent, and see every step"]
    lines += [".SH SYNOPSIS", r"\fBgdfit\fR \fICOMMAND\fR [\fIOPTIONS\fR] [\fIDATA\fR...]"]
    lines += [".nh", ".ad l", ".SH DESCRIPTION", roff(HELP.replace("`", ""))]
    lines += [".SH COMMANDS"]
    for command in commands.values():
        lines += [f".SS {roff(command.usage)}", roff(command.tells)]
        lines += [line for each in command.own for line in tagged(each)]
        for title, entries in command.titled.items():
            names = ", ".join(name for each in entries for name in each.long_names)
            lines += [".PP", roff(f"{title}: {names}.")]
        lines += [".PP", "For example:", ".PP", ".nf"]
        for example in command.examples:
            lines += [roff(" \\\n    ".join(broken(example)))]
        lines += [".fi"]
    lines += [".SH OPTIONS"]
    for title, rows in under_titles(commands):
        lines += [f".SS {roff(title)}"]
        lines += [line for each, users in rows for line in tagged(each, users)]
    lines += [".SH EXIT STATUS"]
    for status, tells in STATUSES.items():
        lines += [".TP", rf"\fB{status}\fR", roff(tells)]
    lines += [".SH ENVIRONMENT"]
    for name, tells in VARIABLES.items():
        lines += [".TP", rf"\fB{name}\fR", roff(tells)]
    return "\n".join(lines) + "\n"


def broken(command: str) -> list[str]:
    """A command line in lines that fit the screen, with no option apart from its value."""
    together = re.sub(r"(--\S+) (?!-)", "\\1\N{NO-BREAK SPACE}", command)
    lines = wrap(together, 70, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def tagged(each: Entry, users: str = "") -> Iterator[str]:
    """An option in the man page."""
    yield ".TP"
    value = rf" \fI{roff(each.value)}\fR" if each.value else ""
    yield ", ".join(rf"\fB{roff(name)}\fR" for name in each.names) + value
    needed = each.default == "required"
    default = f" ({each.default})" if needed else f" (default: {each.default})"
    tells = f"For {users}: {each.tells}" if users else each.tells
    yield roff(tells + (default if each.default else ""))


def roff(text: str) -> str:
    """A text that stands in a man page as it is, and can be copied from there."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("^", r"\(ha").replace("~", r"\(ti")
    text = text.replace("'", r"\(aq").replace("`", r"\(ga")
    return rf"\&{text}" if text.startswith(".") else text


WRITERS = {PAGE: markdown, MAN_PAGE: man}


@pytest.mark.parametrize("path", WRITERS, ids=lambda path: path.name)
def test_the_reference_is_of_this_version(path: Path) -> None:
    written = path.read_text(encoding="utf-8")
    assert written == WRITERS[path](), "python tests/test_reference.py writes it anew"


@pytest.mark.parametrize("name", COMMANDS)
def test_all_that_a_commands_help_lists_is_in_its_section(name: str, gdfit: Gdfit) -> None:
    listed = gdfit(name, "--help").out.partition("Examples:")[0]
    options = set(re.findall(r"--[a-z][a-z0-9-]*", re.sub(r"\s+", " ", listed)))
    assert len(options) > 1
    sections = {
        PAGE: rf"^## gdfit {name}\n(.*?)^## ",
        MAN_PAGE: rf"^\.SS gdfit {name} (.*?)^\.S",
    }
    for path, section in sections.items():
        text = path.read_text(encoding="utf-8").replace("\\-", "-")
        found = re.search(section, text, re.MULTILINE | re.DOTALL)
        assert found
        missing = options - {"--help"} - set(re.findall(r"--[a-z][a-z0-9-]*", found[1]))
        assert missing <= {"--intercept", "--rows"}  # which are on, and have no use but to be off


def test_the_variables_are_those_of_the_options() -> None:
    group: Any = get_command(app_for([]))
    params = [each for command in group.commands.values() for each in command.params]
    assert {each.envvar for each in params if each.envvar} == {*VARIABLES}


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_the_man_page_is_sound_and_fits_the_screen() -> None:
    command = ["groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", "-P", "-cbou", "-r", "LL=78n"]
    done = subprocess.run([*command, MAN_PAGE], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "--features A,B" in done.stdout
    assert "log(y) ~ x + a*b + C(year) - 1" in done.stdout


if __name__ == "__main__":
    for path, text in WRITERS.items():
        path.write_text(text(), encoding="utf-8")
