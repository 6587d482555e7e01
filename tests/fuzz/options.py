"""Commands with random options: what is documented of a command's end holds of each."""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from random import Random

from fuzz.commands import made, outcome, restore, stored
from gdfit.cli.app import COMMANDS

WHOLE = ["1", "2", "3", "5", "0", "-1", "1.5", "9" * 20, "", "x", "1e1", "²"]
NUMBERS = [
    "0.5",
    "0.1",
    "0.95",
    "0.01",
    "1",
    "0",
    "1e-3",
    "3",
    "0.9",
    "0.2",
    "-1",
    "1e-300",
    "1e300",
    "nan",
    "inf",
]
NUMBERS += ["1e999", "", "x", "0x1", "1_0", "1,5", "-inf", "5%", " 1"]
COLUMNS = ["x", "y", "z", "k", "when", "g", "no", "x^2", "log(x)", "x:z", "C(g)", "", "x1", "\x1b"]
FORMULAS = ["y ~ x", "log(y) ~ x + k", "y ~ x*k - 1", "y ~", "~ x", "y ~ I(x^2)", "y ~ (x", "x"]
CHARACTERS = [",", "#", ";", "tab", "space", "|", ".", "'", "#", "xx", "", "\u2009", "\n"]
VALUES = ["1", "1,2", "a,b", "2024-01-01", "nan", "", "1,a,3", "1 000", "3,b,2024-03-01"]
# By what the help calls a value, a pattern; or by the option's name.
POOLS: dict[str, list[str]] = {
    r"--epochs": ["1", "2", "7", "20", "0", "-1", "x", "1e1"],
    r"--degree": ["1", "2", "3", "0", "-1", "x"],
    r"--rows|--features N|--outliers": ["1", "2", "7", "30", "0", "-1", "x"],
    r"--penalties": ["0.1,0.01", "1", "0", "-1", "x", "1,1", "nan", "1e300,1e-300"],
    r"--init": ["zeros", "random", "1,1", "m.json", "no.json", "x", "nan,1", "1e300,1", "bad.json"],
    r"--validation": ["0.3", "0.5", "0", "1", "more.csv", "no.csv", "-1", "x"],
    r"--encoding": ["utf-8", "latin-1", "utf-16", "no", "", "rot13", "idna"],
    r"--loss": ["mse", "mae", "huber", "logistic", "quantile", "o.py:loss", "o.py:no", "no.py:a"],
    r"--optimizer": ["gd", "momentum", "nesterov", "adam", "cg", "steepest", "o.py:step", "o.py:"],
    r"--model|--against|MODEL.json": ["m.json", "new.json", "bad.json", "no/m.json", ".", "x.txt"],
    r"--positive": ["1", "b", "0", "no", ""],
    r"N|D|K": WHOLE,
    r"FLOAT\|auto,…|λ,…": ["0.1,0.01", "auto,0.1", "0.1", "0,1", "x", "1e300,1", "-1,1", "nan", ""],
    r"N,…|N,…,all": ["1,2", "2,all", "3", "0", "-1,1", "x", ""],
    r"FLOAT\|auto": ["auto", *NUMBERS],
    r"NUMBER|LEVEL|P|FLOAT": NUMBERS,
    r"FLOAT,…|W\[,W…\]|B1,B2": ["0.1,0.9", "0.5", "1,2", "0,0", "-1", "x", "nan,1", "", "0.1,,2"],
    r"NAME": COLUMNS,
    r"A,B": COLUMNS,
    r"FORMULA": FORMULAS,
    r"CHAR|MARK": CHARACTERS,
    r"V\[,V…\]": VALUES,
    r"1,2-5,10\|all": ["1,2,3", "all", "2-5", "5-2", "0", "x", "1-", "-1", "1,1", "9" * 12],
    r"FILE\.csv": ["h.csv", "h.txt", "no/h.csv", "", "."],
    r"FILE\.json": ["c.json", "new.json", "c.txt", "no/c.json"],
    r"FILE\.html": ["p.html", "p.pdf", "no/p.html"],
    r"FILE\.png\|\.svg\|\.pdf": ["p.png", "p.svg", "p.txt", "no/p.png"],
    r"FILE": ["out.txt", "out.json", "no/o", ".", ""],
    r"DATA": ["data.csv", "no.csv"],
}
SLOW = ("--plot", "--chart", "--page")  # which are rarer than the others
LEFT_OUT = ("--dask", "--help", "--refine")  # a cluster takes seconds, and waits for more of them
DATA = ["data.csv"] * 14 + ["classes.csv", "more.csv", "gaps.csv", "bad.csv", "c.json", "no.csv"]
DATA += ["two.csv", "m.json", "bad.json", ".", "", "data.csv data.csv", "data.csv more.csv"]
OWN = """
def loss(y_hat, y):
    return (y_hat - y) ** 2
def dloss(y_hat, y):
    return 2 * (y_hat - y)
def step(params, grad, state, lr):
    return params - lr * grad
"""
SUBMISSION = "def model(x, w, b):\n    return w * x + b\n"


def write_files(folder: Path) -> None:
    """What commands are given."""
    rows = [
        f"{n % 7 / 2},{n * 37 % 11},{'abc'[n % 3]},2024-{1 + n % 12:02}-0{1 + n % 9},{n % 2},"
        f"{2 * (n % 7) + n * 37 % 11 + n % 3}"
        for n in range(30)
    ]
    (folder / "data.csv").write_text("\n".join(["x,z,k,when,g,y", *rows]) + "\n")
    (folder / "more.csv").write_text("\n".join(["x,z,k,when,g,y", *rows[7:19]]) + "\n")
    (folder / "gaps.csv").write_text("\n".join(["x,z,k,when,g,y", *rows, ",1,a,,1,2"]) + "\n")
    (folder / "bad.csv").write_text("\n".join(["x,z,k,when,g,y", *rows, "w,1,a,b,c,2,3"]) + "\n")
    classes = [f"{n % 5},{n * 31 % 13},{'ab'[n * 7 % 11 > n % 5 + 2]}" for n in range(30)]
    (folder / "classes.csv").write_text("\n".join(["x,z,y", *classes]) + "\n")
    (folder / "two.csv").write_text("1 2\n2 3.5\n3 4\n4 6.5\n")
    (folder / "o.py").write_text(OWN)
    (folder / "s.py").write_text(SUBMISSION)
    (folder / "e.csv").write_text("epoch,loss,w,b\n1,2,3,4\n")
    (folder / "bad.json").write_text('{"w": [1, null], "b": 2}')
    os.chdir(folder)
    assert outcome(["train", "data.csv", "--features", "x,k", "--model", "m.json"]).status == 0
    (folder / "gdfit.json").write_bytes((folder / "m.json").read_bytes())
    assert outcome(["condense", "data.csv", "--output", "c.json"]).status == 0


@cache
def options_of(command: str) -> list[tuple[str, str]]:
    """The options of a command, and what their values are called; nothing for a flag."""
    found = []
    for param in made(command).commands[command].params:
        if param.param_type_name == "option" and not {*param.opts} & {*LEFT_OUT}:
            names = [name for name in (*param.opts, *param.secondary_opts) if name[:2] == "--"]
            metavar = "" if param.is_flag else str(param.metavar or "NUMBER")
            found += [(name, metavar) for name in names]
    return found


def random_value(random: Random, name: str, metavar: str) -> str:
    """A value of an option; the first ones of a pool are more likely than the others."""
    called = [name, metavar, f"{name} {metavar}"]
    for pattern, pool in POOLS.items():
        if any(re.fullmatch(pattern, each) for each in called):
            said = pool[int(len(pool) * random.random() ** random.choice([1, 3]))]
            is_list = metavar == "A,B" and random.random() < 0.5
            return f"{said},{random.choice(pool)}" if is_list else said
    several = re.split("[|,]", metavar)
    said = random.choice(several if random.random() < 0.8 else ["no", "", *several])
    more = random.choice(several) if random.random() < 0.7 else "no"
    return f"{said},{more}" if "," in metavar else said


def random_words(random: Random) -> list[str]:
    """A command line."""
    command = random.choice([*COMMANDS, *["train"] * 3])
    words = [command]
    if command == "check":
        words += [random.choice(["s.py", "e.csv", "no.py", "x.txt"]), "--data", "two.csv"]
    elif command == "predict" and random.random() < 0.5:
        words += ["--x", random.choice(VALUES)]
    elif command not in ("export", "page", "make"):
        words += random.choice(DATA).split(" ")
    options = options_of(command)
    chosen = random.sample(options, min(len(options), random.choice([0, 1, 1, 2, 2, 3, 5])))
    often = {"train": ["--epochs"], "compare": ["--epochs", "--lr"]}.get(command, ["--output"])
    often += ["--format"] * (command == "export" or random.random() < 0.3)
    chosen += [option for option in options if option[0] in often and random.random() < 0.9]
    for name, metavar in chosen:
        if name in SLOW and random.random() < 0.9:
            continue
        words.append(name)
        if metavar:
            words.append(random_value(random, name, metavar))
    return words


class Options:
    """Runs one command after the other in a folder, which is the same before each."""

    def __init__(self, folder: Path) -> None:
        import_module("torch")  # which takes seconds, and is no part of a case
        write_files(folder)
        self.folder, self.before = folder, stored(folder)

    def check(self, seed: int) -> None:
        """Raise AssertionError if a command that comes from `seed` does not end as documented."""
        random = Random(seed)
        words = random_words(random)
        try:
            found = outcome(words)
            now = stored(self.folder)
            if found.status in (1, 2):
                assert now == self.before, now.keys() - self.before.keys()
            restore(self.folder, self.before)
            if random.random() < 0.2:
                again = outcome(words)
                assert again == found, (found, again)
                assert stored(self.folder) == now, "files that differ"
        except BaseException as error:
            error.add_note(f"gdfit {words}")
            raise
        finally:
            restore(self.folder, self.before)
