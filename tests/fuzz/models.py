"""Model files of strangers: what is read of one is used or refused in a line; names stay names."""

from __future__ import annotations

import json
import math
import os
import tempfile
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import exported
from fuzz.cases import mutated
from fuzz.commands import in_time, outcome, restore, stored
from gdfit import GdfitError, LinearModel, export, load_model

VALUES: list[Any] = [None, True, False, -1, 0, 2.5, 1e308, -1e-320, math.nan, math.inf, "", "x"]
VALUES += [[], {}, [None], [[1.5]], ["a"], ["x", "k"], {"a": [1]}, [1, 2, 3], 10**400, [[], [[]]]]
VALUES += ["\x1b[31m", "NaN", "1", "log(x)", "x:k", "C(x)", "mse", "logistic", "standardize"]
PIECES = ['"', "'", "\\", "\n", "\r", "`", "$", "%s", "{x}", "*/", "/*", "--", ";", "#", "?", ":x"]
PIECES += [
    "DROP TABLE t",
    "__import__('os')",
    "é",
    "\u202e",
    "\u2028",
    "温",
    " ",
    "\t",
    "=1+1",
    "]",
]
PIECES += ["\\u0022", "'''", '"""', "x", "select", "0", "&lt;", "\x7f", "\x1b[31m", "a" * 90, "²"]
MOST_TOLD = 3000
DEEP = "what is nested deep"
LANGUAGES = ["sqlite", "python", "excel"]
MADE = {
    "plain": ["--features", "x,z", "--target", "y"],
    "terms": ["--features", "x^2,k,log(z),x:k", "--target", "y", "--weights", "v"],
    "dates": ["--features", "when,month(when),x", "--target", "y"],
    "groups": ["--features", "x", "--target", "y", "--by", "k"],
    "classes": ["--features", "x,z", "--target", "c", "--loss", "logistic"],
    "lasso": ["--features", "x,z", "--target", "y", "--l1", "0.1", "--optimizer", "nesterov"],
}
USES = [
    ["predict", "data.csv"],
    ["predict", "data.csv", "--interval", "0.9"],
    ["predict", "data.csv", "--residuals"],
    ["predict", "--x", "1,2"],
    ["evaluate", "data.csv"],
    ["summary", "data.csv"],
    ["train", "data.csv", "--epochs", "3", "--init", "m.json", "--no-model"],
    *(["export", "--format", form] for form in ("sql", "python", "c", "excel")),
]


class Models:
    """Changes models at random, and uses what is left of them."""

    def __init__(self, folder: Path) -> None:
        rows = [
            f"{n % 7 / 2},{1 + n * 37 % 11},{'abc'[n % 3]},2024-{1 + n % 12:02}-01,{1 + n % 2},"
            f"{'ab'[n * 7 % 11 > n % 5 + 2]},{2 * (n % 7) + n * 37 % 11 + n % 3}"
            for n in range(40)
        ]
        os.chdir(folder)
        Path("data.csv").write_text("\n".join(["x,z,k,when,v,c,y", *rows]) + "\n")
        self.records: dict[str, Any] = {}
        self.predicted: dict[str, str] = {}
        for name, words in MADE.items():
            asked = ["train", "data.csv", *words, "--epochs", "9", "--model", "m.json"]
            assert outcome(asked).status == 0, name
            self.records[name] = json.loads(Path("m.json").read_text())
            self.predicted[name] = outcome(["predict", "data.csv", "--model", "m.json"]).out
        self.folder, self.before = folder, stored(folder)

    def check(self, seed: int) -> None:
        """Raise AssertionError if gdfit is wrong about what comes from `seed`."""
        random = Random(seed)
        if random.random() < 0.3:
            self.check_names(random)
            return
        name = random.choice([*self.records])
        record = deepcopy(self.records[name])
        where: list[Any] = []
        if random.random() < 0.1:
            text = mutated(random, json.dumps(record, ensure_ascii=False))
        else:
            where = [changed(random, record) for _ in range(random.choice([1, 1, 2, 3]))]
            depth = random.choice([3, 500, 900, 1100, 99_999])
            text = json.dumps(record).replace(json.dumps(DEEP), "[" * depth + "]" * depth)
        Path("m.json").write_bytes(text.encode("latin-1", errors="replace"))
        try:
            self.check_use(random, name, where)
        except BaseException as error:
            error.add_note(f"{name} {where} {text[:MOST_TOLD]}")
            raise

    def check_use(self, random: Random, name: str, where: list[Any]) -> None:
        """Use the model in the file, whose record was changed there."""
        try:
            with in_time():
                model = load_model("m.json")
        except GdfitError as error:
            assert_one_line(error)
            if random.random() < 0.95:
                return
        else:
            with in_time():
                check_predictions(model)
            # What a prediction is made of, whatever else is said of a model.
            used = ("w", "b", "features", "target", "inputs", "terms", "levels", "group", "by")
            kept = ("link", "spellings", "dialect", "positive", "classes")
            is_other = any(
                {*used, *kept} & {*place} or (len(place) == 1 and isinstance(place[0], int))
                for place in where
            )
            if where and not is_other:
                found = outcome(["predict", "data.csv", "--model", "m.json"])
                assert (found.status, found.out) == (0, self.predicted[name]), found
                return
        words = random.choice(USES)
        found = outcome([*words, *([] if "--init" in words else ["--model", "m.json"])])
        now = stored(self.folder)
        assert now.keys() == self.before.keys(), now.keys()
        restore(self.folder, {**self.before, "m.json": now["m.json"]})
        if words[0] == "export" and found.status == 0 and words[-1] == "python":
            compile(found.out, "exported", "exec")

    def check_names(self, random: Random) -> None:
        """A model with any names gives the same wherever it is exported to."""
        count = random.choice([1, 1, 2, 3])
        names = tuple(
            f"{''.join(random.choices(PIECES, k=random.choice([1, 2, 3])))}{place}"
            for place in range(count)
        )
        params = [round(random.gauss(0, 10), random.randrange(9)) for _ in range(count + 1)]
        target = "".join(random.choices(PIECES, k=2))
        model = LinearModel(tuple(params[:-1]), params[-1], names, target)
        rows = [[random.gauss(0, 3) for _ in names] for _ in range(2)]
        language = random.choice(LANGUAGES) if random.random() < 0.995 else "c"
        folder = self.folder if language != "c" else Path(tempfile.mkdtemp(dir=self.folder))
        try:
            found = exported.run(language, model, rows, folder)
            assert found == [model.predict(row) for row in rows], found
            assert isinstance(export(model, "c"), str)
            if random.random() < 0.1:
                model.save("m.json")
                loaded = load_model("m.json")
                assert (loaded.features, loaded.target) == (names, target), loaded
                outcome(["predict", "data.csv", "--model", "m.json"])
                outcome(["export", "--format", "excel", "--model", "m.json"])
        except BaseException as error:
            error.add_note(f"{language} {model}")
            raise
        finally:
            restore(self.folder, self.before)


def changed(random: Random, record: Any) -> tuple[Any, ...]:
    """Change, remove or add something in a decoded JSON file; where that is."""
    place: list[Any] = []
    holder: Any = None
    key: Any = None
    value = record
    while isinstance(value, dict | list) and value and (not place or random.random() < 0.6):
        holder = value
        key = random.choice([*holder] if isinstance(holder, dict) else range(len(holder)))
        place.append(key)
        value = holder[key]
    way = random.random()
    if way < 0.2:
        del holder[key]
    elif way < 0.3 and isinstance(holder, list):
        holder.append(random.choice([value, *VALUES]))
    elif way < 0.35:
        holder[key] = DEEP
    else:
        holder[key] = deepcopy(random.choice(VALUES))
    return tuple(place)


def assert_one_line(error: GdfitError) -> None:
    """Raise for an error of several lines."""
    assert "\n" not in str(error), str(error)


def check_predictions(model: LinearModel) -> None:
    """Raise where what is read of a model's file is no model, or foretells otherwise."""
    params = getattr(model, "params", ())
    assert all(map(math.isfinite, params)), params
    if type(model) is not LinearModel or model.expansion is not None:
        return
    values = [0.5 + place for place in range(len(model.w))]
    try:
        found = model.predict(values)
    except GdfitError as error:
        assert_one_line(error)
        return
    assert isinstance(found, float), found
    expected = 0.0
    for weight, x in zip(model.w, values, strict=True):
        expected += weight * x
    expected += model.b
    if model.facts.get("link") == "logit":
        expected = 1 / (1 + math.exp(-expected)) if expected > -700 else 0.0
        assert math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-300), (found, expected)
    else:
        assert repr(found) == repr(expected), (found, expected)
