"""A small run, 1000 epochs on the lecture's 25 rows, against scripts of the same loop; and what an
epoch costs. Run it as ``python benchmarks/small.py`` where gdfit is installed."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from whole_process import compare

import gdfit
from gdfit.descent.settings import BackendName

HERE = Path(__file__).parent
LECTURE = str(HERE.parent / "sample_data" / "lecture.csv")


def epoch_cost(backend: BackendName, epochs: int) -> float:
    """Seconds for one epoch, with the history kept."""
    observations = gdfit.read_observations(LECTURE)
    begin = time.perf_counter()
    gdfit.train(observations, backend=backend, epochs=epochs)
    return (time.perf_counter() - begin) / epochs


def main() -> None:
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        train = [python, "-m", "gdfit", "train", LECTURE]
        print("1000 epochs on 25 rows, whole processes, manual backend:\n")
        compare(
            {
                "gdfit train": train,
                "NumPy and pandas script": [python, str(HERE / "loop_numpy.py"), LECTURE, "1000"],
            },
            runs=15,
            cwd=folder,
        )
        print("with autograd:\n")
        compare(
            {
                "gdfit train --backend autograd": [*train, "--backend", "autograd"],
                "plain torch script": [python, str(HERE / "loop_torch.py"), LECTURE, "1000"],
            },
            runs=7,
            cwd=folder,
        )
        print("a billion epochs by leaps, against 1000 in the loop:\n")
        compare(
            {
                "gdfit train --leap --epochs 1e9": [*train, "--leap", "--epochs", "1e9"],
                "gdfit train": train,
            },
            runs=15,
            cwd=folder,
        )
    print(f"an epoch of the manual loop:   {epoch_cost('manual', 100_000) * 1e6:6.1f} µs")
    epoch_cost("autograd", 1)
    print(f"an epoch of the autograd loop: {epoch_cost('autograd', 20_000) * 1e6:6.1f} µs")


if __name__ == "__main__":
    main()
