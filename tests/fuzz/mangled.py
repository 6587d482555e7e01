"""Files of other programs that are damaged: each is read as far as it is whole, or is told of in
one line, and none ends the process."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import feather, parquet

import formats
from fuzz.cases import mutated
from fuzz.commands import outcome, restore, stored
from sas import write_sas

COUNT = 30
OTHERS = [
    "0",
    "-1",
    "null",
    "1e999",
    "9" * 30,
    '"a"',
    "[]",
    "{}",
    "true",
    "NaN",
    "\x00",
    "\x1b[31m",
]
WRITERS: dict[str, Callable[[pd.DataFrame, str], object]] = {
    "json": lambda frame, path: frame.to_json(path, orient="records"),
    "jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    **formats.WRITERS,
    "parquet": lambda frame, path: parquet.write_table(pa.Table.from_pandas(frame), path),
    "feather": lambda frame, path: feather.write_feather(frame, path),
    "csv.gz": lambda frame, path: packed(frame, path, gzip.compress),
    "csv.bz2": lambda frame, path: packed(frame, path, bz2.compress),
    "csv.xz": lambda frame, path: packed(frame, path, lzma.compress),
    "csv.zst": lambda frame, path: packed(frame, path, with_zstd),
    "zip": lambda frame, path: archived(frame, path),
    "sas7bdat": lambda frame, path: write_sas(path, {str(k): [*v] for k, v in frame.items()}),
}
USES = [["train", "--epochs", "3"], ["curvature"], ["summary"], ["evaluate"], ["predict"]]


def with_zstd(text: bytes) -> bytes:
    """A text compressed by Zstandard."""
    return bytes(pa.compress(text, "zstd", asbytes=True))


def packed(frame: pd.DataFrame, path: str, compress: Callable[[bytes], bytes]) -> None:
    """The frame as CSV, compressed."""
    Path(path).write_bytes(compress(frame.to_csv(index=False).encode()))


def archived(frame: pd.DataFrame, path: str) -> None:
    """The frame as CSV in an archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/data.csv", frame.to_csv(index=False))


class Mangled:
    """Damages files, and reads what is left of them."""

    def __init__(self, folder: Path) -> None:
        rows = range(COUNT)
        frame = pd.DataFrame(
            {
                "x": [n % 7 / 2 for n in rows],
                "kind": ["abc"[n % 3] for n in rows],
                "n": [float(n * 37 % 11) for n in rows],
                "y": [n % 7 + n * 37 % 11 / 5 for n in rows],
            }
        )
        os.chdir(folder)
        self.whole: dict[str, bytes] = {}
        for ending, write in WRITERS.items():
            write(frame, f"data.{ending}")
            self.whole[ending] = Path(f"data.{ending}").read_bytes()
            Path(f"data.{ending}").unlink()
        frame.to_csv("data.csv", index=False)
        words = ["data.csv", "--features", "x,kind", "--target", "y"]
        assert outcome(["train", *words, "--model", "m.json"]).status == 0
        assert outcome(["condense", *words, "--output", "c.json"]).status == 0
        self.whole["condensed.json"] = Path("c.json").read_bytes()
        self.folder, self.before = folder, stored(folder)

    def check(self, seed: int) -> None:
        """Raise AssertionError if gdfit does not end in order on what comes from `seed`."""
        random = Random(seed)
        ending = random.choice([*self.whole])
        body = damaged(random, ending, self.whole[ending])
        Path(f"data.{ending}").write_bytes(body)
        command, *options = random.choice(USES)
        words = [command, f"data.{ending}", *options]
        if command in ("train", "curvature"):
            words += random.choice([[], [], ["--features", "x"], ["--drop-missing"]])
        words += {"train": ["--no-model"], "curvature": []}.get(command, ["--model", "m.json"])
        try:
            found = outcome(words)
            assert found.status in (0, 1, 2, 3), found
            assert stored(self.folder).keys() == self.before.keys() | {f"data.{ending}"}
        except BaseException as error:
            error.add_note(f"gdfit {words}")
            raise
        finally:
            restore(self.folder, self.before)


def damaged(random: Random, ending: str, body: bytes) -> bytes:
    """A file with some of its bytes, of its values or of its parts changed."""
    way = random.random()
    if body.startswith(b"PK\3\4") and way < 0.7:
        return with_parts_changed(random, body)
    if ending.endswith(("json", "jsonl")) and way < 0.6:
        return changed_json(random, body.decode()).encode(errors="replace")
    if way > 0.95:
        return body[: random.randrange(len(body))]
    changed = bytearray(body)
    reach = random.choice([len(body), min(len(body), 400)])  # what stands in front says the form
    for _ in range(random.choice([1, 1, 2, 5, 20])):
        at = random.randrange(reach)
        changed[at] = random.choice(
            [0, 1, 0x7F, 0x80, 0xFF, random.randrange(256), changed[at] ^ 1]
        )
    return bytes(changed)


def with_parts_changed(random: Random, body: bytes) -> bytes:
    """An archive of which the text of one part is changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as whole, zipfile.ZipFile(made, "w") as other:
        names = whole.namelist()
        chosen = random.choice([*names, *[name for name in names if "sheet" in name] * 3])
        for name in names:
            text = whole.read(name).decode("latin-1")
            if name == chosen:
                text = mutated(random, text)
                if random.random() < 0.3:
                    text = changed_numbers(random, text)
            if name != chosen or random.random() < 0.95:
                other.writestr(name, text.encode("latin-1", "replace"))
    return made.getvalue()


def changed_numbers(random: Random, text: str) -> str:
    """A text with another number in the place of one."""
    places = [at for at, letter in enumerate(text) if letter.isdigit()]
    if not places:
        return text
    at = random.choice(places)
    return (
        text[:at] + random.choice(["0", "-1", "4294967296", "9" * 12, "1e9", ""]) + text[at + 1 :]
    )


def changed_json(random: Random, text: str) -> str:
    """A text of JSON with other values in it."""
    if random.random() < 0.3:
        return mutated(random, text)
    value: Any = json.loads(text.splitlines()[0] if "}\n{" in text else text)
    for _ in range(random.choice([1, 1, 2, 4])):
        change(random, value)
    said = json.dumps(value)
    return said.replace('"@other@"', random.choice(OTHERS)) + ("\n" if "}\n{" in text else "")


def change(random: Random, value: Any) -> None:
    """Change, remove or add something in decoded JSON."""
    while isinstance(value, dict | list) and value:
        key: Any = random.choice([*value] if isinstance(value, dict) else range(len(value)))
        if not isinstance(value[key], dict | list) or not value[key] or random.random() < 0.3:
            if random.random() < 0.3:
                del value[key]
            else:
                value[key] = random.choice(["@other@", None, -1, 2.5, [], {}, "x", [[1, 2]], True])
            return
        value = value[key]
