"""Commands that a signal ends at a random moment: they leave whole files, and one line or none.

``cd tests; python -m fuzz.kills [COUNT] [SEED]`` runs COUNT of them.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

OLD = '{"w": [2.0], "b": 1.0, "features": ["x"], "target": "y"}\n'
LARGER = 100  # times as many rows
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


def arguments_of(random: Random) -> list[str]:
    """A command that takes a second or so."""
    train = ["train", "data.csv", "--lr", "0.001", "--model", "model.json"]
    return random.choice(
        [
            [*train, "--epochs", "100000", "--history", "history.csv"],
            [*train, "--epochs", "20000", "--loss", "mae", "--format", "json"],
            [*train, "--epochs", "1000", "--plot", "plot.png"],
            [*train, "--epochs", "1000", "--history", "history.csv", "--plot", "plot.svg"],
            ["train", "large.csv", "--model", "model.json"],  # which several processes read
            ["predict", "data.csv", "--model", "model.json"],
            ["evaluate", "data.csv", "--model", "model.json"],
            ["--help"],
        ]
    )


def kill_one(random: Random, folder: Path, data: str) -> str:
    """Start a command, end it, and look at what is left; tell how it ended."""
    for path in folder.iterdir():
        path.unlink()
    (folder / "data.csv").write_text("x,y\n" + data)
    (folder / "large.csv").write_text("x,y\n" + data * LARGER)
    (folder / "model.json").write_text(OLD)
    arguments, number = arguments_of(random), random.choice(SIGNALS)
    process = subprocess.Popen(
        [sys.executable, "-m", "gdfit", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(random.random() ** 2 * 2)
    process.send_signal(number)
    try:
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    if errors.endswith("KeyboardInterrupt\n") and "gdfit" not in errors:
        return "while Python itself began"
    said = f"{arguments} {number.name} {process.returncode} {errors!r}"
    assert process.returncode in (0, -number, 128 + number), said
    lines = errors.splitlines()
    assert all(line.startswith("gdfit: ") for line in lines), said
    assert len(lines) < 3, said
    model = (folder / "model.json").read_text()
    assert model == OLD or json.loads(model)["epochs"] >= 0, said
    left = {path.name for path in folder.iterdir()}
    known = {"data.csv", "large.csv", "model.json", "history.csv", "plot.png", "plot.svg"}
    assert left <= known or number == signal.SIGKILL, f"{said}: {left}"
    return f"{number.name}, status {process.returncode}"


def main() -> None:
    count, seed = (int(text) for text in (*sys.argv[1:], "100", "0")[:2])
    random = Random(seed)
    data = "".join(f"{n / 1000},{n / 500 + 1}\n" for n in range(20_000))
    ended: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            ended[kill_one(random, Path(folder), data)] += 1
    for how, times in sorted(ended.items()):
        print(f"{times:5} {how}")


if __name__ == "__main__":
    main()
