"""Coursework: right submissions in any style pass, wrong ones do not, and none ends a command.

Each is made of parts that are right or wrong by a factor, a sign, an offset, a number that is none,
an exception; so it is known what has to come out.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from fuzz.cases import mutated
from fuzz.commands import outcome, restore, stored

AT_ONCE = 40  # submissions in one command
AND = " and "
RIGHT, WRONG = (1, 1, 1, 1, 1 + 1e-7, 1 - 1e-6), (2, 0.5, -1, 0, 1.001, 0.999, 25, 1 / 25, -2)
BROKEN = ["math.nan", "1 / 0", "undefined", "None", "'x'", "[]", "[[1], [2]]", "exit()", "'x' + 1"]
BROKEN += ["math.inf", "{}", "print", "[0.0] * 3", "object()", "raise_it()", "10 ** 400", "1j"]
NOISE = ["print('hello')", "x = 3", "import math, sys", "data = [1, 2]", "print(undefined_name)"]
NOISE += [
    "import os; os.listdir('.')",
    "open('own.txt', 'w').write('x')",
    "'''a text'''",
    "assert 1",
]


class Part(NamedTuple):
    """A function of a submission: its lines, and whether it is right, if that is known."""

    lines: list[str]
    is_right: bool | None


def random_part(random: Random, name: str, takes: list[str], gives: str, chance: float) -> Part:
    """A function that returns what `gives` says, or with this `chance` something wrong."""
    if random.random() < chance / 3:
        odd = random.choice(BROKEN)
        return Part([f"def {name}({', '.join(takes)}):", f"    return {odd}"], False)
    factor = random.choice(WRONG if random.random() < chance else RIGHT)
    lines = [f"def {name}({', '.join(takes)}):"]
    if random.random() < 0.1:
        lines.append(f"    print({takes[0]})")
    scaled = f"{factor!r} * ({gives})" if factor != 1 else gives
    if AND in gives:
        first, second = gives.split(AND)
        other = random.choice([1, factor])
        scaled = f"{factor!r} * {first}, {other!r} * {second}"
        scaled = random.choice([scaled, f"({scaled})", f"np.array([{scaled}])", f"[{scaled}]"])
    return Part(
        [*lines, f"    found = {scaled}", "    return found"], math.isclose(factor, 1, rel_tol=1e-5)
    )


def random_program(random: Random) -> tuple[str, bool | None]:
    """A submission, and whether it is right, if that is known."""
    chance = random.choice([0, 0, 0.1, 0.3])
    style = random.choice(["array", "array", "loop"])
    w, b = random.choice([("w", "b"), ("weight", "bias"), ("slope", "intercept"), ("m", "c")])
    rows = "for x_i, y_i, p_i in zip(x, y, y_hat)"
    errors = "(y_hat - y)" if style == "array" else f"[p_i - y_i {rows}]"
    gives = {
        "model": f"{w} * x + {b}"
        if style == "array"
        else f"np.array([{w} * x_i + {b} for x_i in x])",
        "loss_fn": "np.mean((y_hat - y) ** 2)"
        if style == "array"
        else "sum((p_i - y_i) ** 2 for p_i, y_i in zip(y_hat, y)) / len(y)",
        "dloss_fn": "2 * (y_hat - y)"
        if style == "array"
        else "np.array([2 * (p_i - y_i) for p_i, y_i in zip(y_hat, y)])",
        "grad_fn": f"np.mean(2 * np.array({errors}) * x){AND}np.mean(2 * np.array({errors}))",
    }
    takes = {
        "model": ["x", w, b],
        "loss_fn": ["y_hat", "y"],
        "dloss_fn": ["y_hat", "y"],
        "grad_fn": ["x", "y", "y_hat", w, b],
    }
    if random.random() < 0.3:  # named params may stand in any order
        takes["grad_fn"] = random.sample(takes["grad_fn"], 5)
    chosen = [name for name in gives if random.random() < 0.9] or ["model"]
    lines = ["import math", "import numpy as np"]
    is_right: bool | None = True
    for name in chosen:
        if random.random() < 0.2:
            lines.append(random.choice(NOISE))
            is_right = None if "undefined" in lines[-1] and is_right else is_right
        part = random_part(random, name, takes[name], gives[name], chance)
        lines += part.lines
        is_right = is_right and part.is_right if part.is_right is not False else False
    text = "\n".join(lines) + "\n"
    if random.random() < 0.1:
        return mutated(random, text), None
    return text, is_right


def random_epochs(random: Random, history: list[list[float]]) -> tuple[str, bool | None]:
    """A file of epochs, and whether it is right, if that is known."""
    digits = random.choice([3, 5, 8, 17])
    columns = ["epoch", "loss", "w", "b"]
    wrong = (
        (random.randrange(len(history)), random.randrange(1, 4)) if random.random() < 0.5 else None
    )
    rows = []
    for at, row in enumerate(history):
        said = [f"{value:.{digits}g}" for value in row]
        if wrong and wrong[0] == at:
            value = row[wrong[1]] * (1 + random.choice([0.01, -0.3, 1])) + 0.5
            said[wrong[1]] = f"{value:.{digits}g}"
        rows.append([str(at + 1), *said[1:]])
    kept = random.sample(range(len(rows)), random.randint(1, len(rows)))
    is_right = wrong is None or wrong[0] not in kept
    order = [0, *random.sample([1, 2, 3], 3)]
    delimiter = random.choice([",", ",", ";", "\t"])
    table = [columns, *(rows[at] for at in (sorted(kept) if random.random() < 0.8 else kept))]
    mark = "," if delimiter == ";" and random.random() < 0.5 else "."
    text = "".join(
        delimiter.join(row[at].replace(".", mark) for at in order) + "\n" for row in table
    )
    if random.random() < 0.2:
        return mutated(random, text), None
    return text, is_right


def findings(seeds: Sequence[int], folder: Path) -> Iterator[tuple[int, BaseException]]:
    """What is found in submissions, many in one command."""
    os.chdir(folder)
    Path("data.csv").write_text(
        "x,y\n" + "".join(f"{n / 10},{n * 37 % 11 / 7 + n / 5:.3f}\n" for n in range(1, 13))
    )
    run = ["--data", "data.csv", "--lr", "0.05", "--epochs", "5", "--init", "0.4,0.2"]
    asked = ["train", "data.csv", *run[2:], "--every", "1", "--format", "json", "--no-model"]
    epochs = json.loads(outcome(asked).out)["history"]
    history = [[step["epoch"], step["loss"], *step["params"]] for step in epochs]
    before = stored(folder)
    for start in range(0, len(seeds), AT_ONCE):
        some = seeds[start : start + AT_ONCE]
        expected: dict[str, bool | None] = {}
        for seed in some:
            random = Random(seed)
            is_program = random.random() < 0.5
            text, is_right = (
                random_program(random) if is_program else random_epochs(random, history)
            )
            name = f"s{seed}.{'py' if is_program else 'csv'}"
            Path(name).write_bytes(text.encode("latin-1", "replace"))
            expected[name] = is_right
        try:
            words = ["check", *expected, *run, "--timeout", "20", "--format", "json"]
            found = outcome(words, seconds=20.0 * len(some))
            assert found.status in (0, 1), found
            told = {each["submission"]: each for each in json.loads(found.out)}
            assert [*told] == [*expected], found
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            yield start, error
            continue
        for seed, (name, is_right) in zip(some, expected.items(), strict=True):
            if is_right is not None and told[name]["passed"] != is_right:
                text = Path(name).read_text(encoding="latin-1")
                yield seed, AssertionError(f"{told[name]['checks']}, of {text}")
        restore(folder, before)
