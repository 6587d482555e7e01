"""Shows that a restructuring changes nothing: runs the same command lines with two checkouts of
gdfit, and compares what they print, their statuses and the files that they leave, byte for byte.

``python benchmarks/outputs.py OLD NEW``, where gdfit's dependencies are installed. The lines are
the examples in OLD's README and docs, those of a page in one folder, and those of ``outputs.txt``
beside this file, each in a folder of its own. Where the two differ, both run once more, and count
as different only if no run of the one is like a run of the other: what hangs on the clock raises
no alarm, but a line on standard error tells of it.
"""

from __future__ import annotations

import argparse
import bz2
import difflib
import gzip
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINES = Path(__file__).with_suffix(".txt")
SHELL = 'gdfit() { "$PYTHON" -m gdfit "$@"; }\n'
ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHON": sys.executable,
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "COLUMNS": "100",
    "OMP_NUM_THREADS": "1",
}

Scene = list[str]  # command lines to run one after the other in one folder
Outcome = dict[str, bytes]  # what a command line came to, and every file in the folder after it


def model(w: str, b: str = "1", features: str = '"x"', target: str = '"y"') -> bytes:
    """A model file of these parts, right or wrong."""
    return f'{{"w": [{w}], "b": {b}, "features": [{features}], "target": {target}}}'.encode()


SMALL_FILES = {
    "line.csv": b"x,y\n1,3\n2,5\n3,7\n",
    "two.csv": b"a,b,y\n1,2,3\n2,1,5\n3,5,1\n",
    "headerless.csv": b"1,2,3\n2,1,5\n3,5,1\n",
    "no_target.csv": b"x,z\n1,2\n2,3\n",
    "quoted.csv": b'"a,b",c,"the ""y"""\n1,2,3\n"2",5,4\n3,"1",9\n',
    "duplicate.csv": b"x,x,y\n1,2,3\n2,4,5\n",
    "one_column.csv": b"x\n1\n2\n",
    "nameless.csv": b",x,y,\n0,1,3,\n1,2,5,\n",
    "all_nameless.csv": b",,\n1,2,3\n",
    "letters.csv": "größe,«ŷ»\n1,2\n2,5\n3,6\n".encode(),
    "control.csv": b"x\x1b[31m,y\n1,2\n2,5\n",
    "long_names.csv": b"%b,y\n1,2\n2,5\n" % (b"a_feature_with_a_very_long_name_" * 4),
    "empty.csv": b"",
    "blank.csv": b"\n \n\n",
    "header.csv": b"x,y\n",
    "utf16.csv": "x,y\n1,3\n2,5\n".encode("utf-16"),
    "latin1.csv": "größe,y\n1,3\n2,5\n".encode("latin-1"),
    "latin1_below.csv": "x,y,note\n1,3,ok\n2,5,größe\n".encode("latin-1"),
    "null.csv": b"x,y\n1,\0\n",
    "null_below.csv": b"x,y\n" + b"1,3\n" * 300_000 + b"1,\0\n",
    "words.csv": b"x,y\n1,3\n2,five\n",
    "words_below.csv": b"x,y\n" + b"1,3\n" * 9000 + b"five,11\n",
    "missing.csv": b"x,y\n1,3\n2,NA\n3,7\n,9\n5,12\n",
    "all_missing.csv": b"x,y\n1,NA\n,5\n",
    "short_row.csv": b"x,y\n1,3\n2\n3,7\n",
    "long_row.csv": b"x,y\n1,3\n2,5,9\n3,7\n",
    "infinite.csv": b"x,y\n1,3\n2,-inf\n",
    "nan.csv": b"x,y\n1,3\n2,nan\n3,8\n",
    "thousands.csv": b'x,y\n1,"1,000"\n2,"2,000"\n',
    "open_quote.csv": b'x,y\n1,3\n2,"5\n3,7\n',
    "bom.csv": b"\xef\xbb\xbfx,y\n1,3\n2,5\n3,7\n",
    "crlf.csv": b"x,y\r\n1,3\r\n2,5\r\n3,7\r\n",
    "cr.csv": b"x,y\r1,3\r2,5\r3,7\r",
    "tabs.csv": b"x\ty\n1\t3\n2\t5\n3\t7\n",
    "pipes.csv": b"x|y\n1|3\n2|5\n3|7\n",
    "spaces.csv": b"  x   y\n  1   3\n  2   5\n 30  71\n",
    "one_row.csv": b"x,y\n2,5\n",
    "constant.csv": b"x,z,y\n1,4,3\n2,4,5\n3,4,8\n",
    "constant_y.csv": b"x,y\n1,4\n2,4\n3,4\n",
    "zeros.csv": b"x,y\n0,0\n0,0\n",
    "dependent.csv": b"a,b,y\n1,2,3\n2,4,5\n3,6,8\n4,8,8\n",
    "huge.csv": b"x,y\n1e160,3\n2e160,5\n",
    "huge_y.csv": b"x,y\n1,3e200\n2,5e200\n",
    "tiny.csv": b"x,y\n1e-200,3\n2e-200,5\n4e-200,10\n",
    "folder.png/file": b"",
    "line.json": model("2"),
    "two.json": model("0.5, 0.25", features='"a", "b"'),
    "steep.json": model("1e308"),
    "mass.json": model("2.2", "0.2", '"masse_kg"', '"dehnung_cm"'),
    "quoted.json": model("2, 3", features='"c", "a,b"'),
    "list.json": b"[1, 2]",
    "keyless.json": b"{}",
    "unlike.json": model("1", features='"x", "z"'),
    "wordy.json": model('"one"'),
    "null.json": model("null", "null"),
    "infinite.json": model("1e999"),
}


def made_files(lecture: bytes) -> dict[str, bytes]:
    """The files that command lines find beside the sample data, some made of the lecture's."""
    header, *rows = lecture.split()
    turned = [b",".join(reversed(row.split(b","))) for row in (header, *rows)]
    packed = {
        "gz": gzip.compress(lecture, mtime=0),
        "bz2": bz2.compress(lecture),
        "xz": lzma.compress(lecture),
        "zst": zstd.compress(lecture),
    }
    return {
        **SMALL_FILES,
        "lecture.csv": lecture,
        "headerless_lecture.csv": b"\n".join(rows),
        "swapped.csv": b"\n".join(turned),
        "damaged.csv.gz": packed["gz"].replace(packed["gz"][40:50], bytes(10)),
        **{f"lecture.csv.{ending}": data for ending, data in packed.items()},
        **{f"cut.csv.{ending}": data[: len(data) // 2] for ending, data in packed.items()},
    }


def scenes_of(checkout: Path) -> Iterator[Scene]:
    """The examples of each page, and each line of the table."""
    for page in (checkout / "README.md", *sorted((checkout / "docs").rglob("*.md"))):
        blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        examples = [
            example.replace("\n> ", "\n")
            for block in blocks
            for example in re.findall(r"^\$ (.*(?:\n> .*)*)", block, re.MULTILINE)
        ]
        if examples:
            yield examples
    for line in LINES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield [line]


def run(scene: Scene, checkout: Path, template: Path) -> list[Outcome]:
    """What each command line of `scene` comes to, in a new copy of the folder `template`."""
    outcomes = []
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home).resolve() / "folder"
        shutil.copytree(template / "folder", folder)
        environment = {
            **ENVIRONMENT,
            "PYTHONPATH": str(checkout / "src"),
            "HOME": home,
            "MPLCONFIGDIR": str(template / "matplotlib"),  # its list of fonts takes long to make
        }
        for line in scene:
            done = subprocess.run(
                ["timeout", "300", "bash", "-c", SHELL + line],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
            outcome = {"standard output": done.stdout, "standard error": done.stderr}
            outcome["status"] = b"%d\n" % done.returncode
            for path in folder.rglob("*"):
                if path.is_file():
                    outcome[f"file {path.relative_to(folder)}"] = path.read_bytes()
            here = str(folder).encode()
            outcomes.append({part: data.replace(here, b".") for part, data in outcome.items()})
    return outcomes


def compare(scene: Scene, old: Path, new: Path, template: Path) -> list[str]:
    """For each command line of `scene` the difference, empty where there is none."""
    olds, news = ([run(scene, checkout, template)] for checkout in (old, new))
    if olds != news:
        olds.append(run(scene, old, template))
        news.append(run(scene, new, template))
    found = []
    for place, line in enumerate(scene):
        before, after = ([outcomes[place] for outcomes in runs] for runs in (olds, news))
        alike = any(outcome in after for outcome in before)
        found.append("" if alike else "\n".join([f"$ {line}", *difference(before[0], after[0])]))
        if alike and before != after:
            print(f"the same in one of two runs: {line}", file=sys.stderr)
    return found


def difference(before: Outcome, after: Outcome) -> Iterator[str]:
    """A unified diff of each part in which two outcomes differ."""
    for part in sorted(before.keys() | after.keys()):
        one, other = before.get(part), after.get(part)
        if one == other:
            continue
        if one is None or other is None:
            yield f"{part}: only {'NEW' if one is None else 'OLD'} leaves it"
        elif b"\0" in one + other:
            yield f"{part}: {len(one)} bytes and {len(other)} bytes that are not the same"
        else:
            a, b = (data.decode(errors="backslashreplace").split("\n") for data in (one, other))
            yield from difflib.unified_diff(a, b, f"OLD {part}", f"NEW {part}", lineterm="")


def check(checkout: Path) -> Path:
    """`checkout` as a whole path, if it is what is run there."""
    source = checkout.resolve() / "src"
    command = [sys.executable, "-c", "import gdfit; print(gdfit.__file__)"]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(source)}
    found = subprocess.check_output(command, text=True, env=environment)
    if not Path(found).is_relative_to(source):
        sys.exit(f"{checkout}: python imports {found.strip()} instead of src/gdfit there")
    return checkout.resolve()


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the outputs of two checkouts of gdfit.")
    parser.add_argument("old", type=Path, metavar="OLD")
    parser.add_argument("new", type=Path, metavar="NEW")
    parser.add_argument("--only", default="", metavar="WORD", help="lines (or pages) with it")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="run so many at a time")
    options = parser.parse_args()
    old, new = check(options.old), check(options.new)
    scenes = [scene for scene in scenes_of(old) if any(options.only in line for line in scene)]
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(options.jobs) as pool:
        folder = Path(home, "folder")
        shutil.copytree(old / "sample_data", folder / "sample_data")
        for name, data in made_files((folder / "sample_data/lecture.csv").read_bytes()).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        found: list[str] = []
        for texts in pool.map(lambda scene: compare(scene, old, new, Path(home)), scenes):
            print(*filter(None, texts), sep="\n\n", end="\n\n" if any(texts) else "", flush=True)
            found += texts
    print(f"{len(found)} command lines, {sum(map(bool, found))} differ")
    return int(any(found))


if __name__ == "__main__":
    sys.exit(main())
