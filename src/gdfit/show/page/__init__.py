"""A run as one HTML file that needs no network: it replays the run in the browser, and descends
itself where the reader takes over.

The page is written by hand: page.html, the styles and the scripts beside this file, put together
here with the run's data. Names and numbers from a file are data on the page and never become
markup, and its policy lets the browser run and fetch nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from gdfit.descent.loop import Step
from gdfit.descent.outcome import Fit
from gdfit.show.page.contents import beginnings, contents
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
